package plan

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/counterproof/counterproof/agent/gpg45"
	"github.com/counterproof/counterproof/agent/proof"
)

// worked is one line of the worked plans.
type worked struct {
	name string
	q    Question
	want string
}

// workedPlans reads the worked plans.
func workedPlans(t testing.TB) []worked {
	t.Helper()
	text, err := os.ReadFile("testdata/plans.txt")
	if err != nil {
		t.Fatal(err)
	}
	var out []worked
	for line := range strings.Lines(string(text)) {
		if line = strings.TrimSpace(line); line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		f := strings.Split(line, " | ")
		if len(f) != 6 {
			t.Fatalf("the line %q has %d parts", line, len(f))
		}
		q := Question{Facts: gpg45.Facts{Today: today}, Here: kinds(f[2]), Home: kinds(f[3]), Level: proof.Level(f[4])}
		if f[4] == "P9" {
			q.Level, q.NHS = "", proof.P9
		}
		for word := range strings.FieldsSeq(strings.TrimPrefix(f[1], "-")) {
			if !equip(&q, word) {
				t.Fatalf("%s: a desk has no %q", f[0], word)
			}
		}
		out = append(out, worked{f[0], q, f[5]})
	}
	if len(out) < 25 {
		t.Fatalf("%d worked plans", len(out))
	}
	return out
}

// kinds are types in a line.
func kinds(text string) []proof.EvidenceType {
	var out []proof.EvidenceType
	for t := range strings.FieldsSeq(strings.TrimPrefix(text, "-")) {
		out = append(out, proof.EvidenceType(t))
	}
	return out
}

// equip gives a desk what a word says.
func equip(q *Question, word string) bool {
	switch word {
	case "camera":
		q.Desk.Camera = true
	case "reader":
		q.Desk.ChipReader = true
	case "lamp":
		q.Desk.UVIR = true
	case "line":
		q.Desk.Line = true
	case "recorded": // shown before: a document of a kind without a strength, which its issuer has confirmed
		exam := gpg45.Exam{DocumentExamined: proof.DocumentExamined{Original: true, Details: proof.Agree}}
		q.Facts.Documents = append(q.Facts.Documents, gpg45.Document{
			Type: proof.OtherDocument, Event: 1, Source: proof.FromKeys, Exam: &exam, Record: &gpg45.RecordCheck{Matched: true},
		})
	default:
		who, skill, called := strings.Cut(word, ":")
		if !called {
			who, skill = "", word
		}
		name, months, _ := strings.Cut(skill, "=")
		n, err := strconv.Atoi(months)
		return err == nil && train(q, who, name, n)
	}
	return true
}

// train gives the operator or a colleague a training of an age, or the visit a
// score of the outside sources.
func train(q *Question, who, skill string, n int) bool {
	t := &q.Desk.Training
	if i, err := strconv.Atoi(strings.TrimPrefix(who, "colleague")); err == nil {
		for len(q.Desk.Colleagues) < i {
			q.Desk.Colleagues = append(q.Desk.Colleagues, proof.Training{})
		}
		t = &q.Desk.Colleagues[i-1]
	}
	if skill == "activity" || skill == "fraud" {
		if q.Facts.Sources == nil {
			q.Facts.Sources = &gpg45.Sources{}
		}
		*map[string]*int{"activity": &q.Facts.Sources.Activity, "fraud": &q.Facts.Sources.Fraud}[skill] = n
		return true
	}
	date := map[string]*proof.Date{"compare": &t.Impostor, "examine": &t.Document, "uvir": &t.UVIR}[skill]
	if date == nil {
		return false
	}
	*date = ago(today, n)
	return true
}

// tell writes a plan as the worked plans are written.
func tell(p Plans) string {
	var out []string
	if len(p.Ways) == 0 {
		out = append(out, "-")
	} else {
		w := p.Ways[0]
		if !p.Reached {
			out = append(out, "not reached")
		}
		out = append(out, tellSteps(w), w.Profile, string(w.NHS))
	}
	if p.Practice != nil {
		out = append(out, "practice", tellSteps(*p.Practice), string(p.Practice.NHS))
	}
	return strings.Join(out, " ")
}

// tellSteps writes the steps of a way and their minutes.
func tellSteps(w Way) string {
	var out []string
	for _, s := range w.Steps {
		word := strings.TrimPrefix(string(s.Code), "step_")
		if s.Voucher {
			word = "v." + word
		}
		if s.Type != "" {
			word += ":" + string(s.Type)
		}
		if s.Colleague > 0 {
			word += "#" + strconv.Itoa(s.Colleague)
		}
		if s.Central {
			word += "*"
		}
		out = append(out, word)
	}
	return fmt.Sprintf("%s = %d", strings.Join(out, " "), w.Minutes)
}

func TestWorkedPlans(t *testing.T) {
	t.Parallel()
	for _, c := range workedPlans(t) {
		t.Run(c.name, func(t *testing.T) {
			got, err := Find(current(t), c.q)
			if err != nil {
				t.Fatal(err)
			}
			if tell(got) != c.want {
				t.Errorf("got  %s\nwant %s", tell(got), c.want)
			}
		})
	}
}

// TestEverySettingMatters changes every number of the settings by one and wants
// a worked plan to change.
func TestEverySettingMatters(t *testing.T) {
	t.Parallel()
	set, err := parse(embedded)
	if err != nil {
		t.Fatal(err)
	}
	policy, cases, changed := current(t), workedPlans(t), 0
	caught := func(s settings) bool {
		text, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		s, err = parse(string(text))
		return err != nil || slices.ContainsFunc(cases, func(c worked) bool {
			got, err := find(policy, s, c.q)
			return err != nil || tell(got) != c.want
		})
	}
	if caught(set) {
		t.Fatal("the settings are caught unchanged")
	}
	for _, by := range []int{-1, 1} {
		for code := range set.Minutes {
			s := set
			s.Minutes = maps.Clone(set.Minutes)
			s.Minutes[code] += by
			if changed++; !caught(s) {
				t.Errorf("%d minutes for %s change no worked plan", s.Minutes[code], code)
			}
		}
		for name, change := range map[string]func(*settings){
			"hoped_fraud": func(s *settings) { s.HopedFraud += by }, "hoped_activity": func(s *settings) { s.HopedActivity += by },
		} {
			s := set
			change(&s)
			if changed++; !caught(s) {
				t.Errorf("%s by %d more changes no worked plan", name, by)
			}
		}
	}
	t.Logf("%d settings changed", changed)
}

func TestSettingsAreChecked(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, old, new string }{
		{"not-json", "{", "["},
		{"key/misspelt", `"hoped_fraud"`, `"hoped_frauds"`},
		{"minutes/none", `"step_chip": 1`, `"step_chip": 0`},
		{"minutes/for-ever", `"step_chip": 1`, `"step_chip": 9999`},
		{"minutes/of-nothing", `"step_chip"`, `"step_chop"`},
		{"minutes/colleague-quicker", `"step_compare_colleague": 4`, `"step_compare_colleague": 0`},
		{"minutes/easier-dearer", `"step_details": 1`, `"step_details": 9`},
		{"minutes/missing", `"step_chip": 1,`, ``},
		{"hope/fraud", `"hoped_fraud": 2`, `"hoped_fraud": 4`},
		{"hope/activity", `"hoped_activity": 1`, `"hoped_activity": -1`},
	} {
		if !strings.Contains(embedded, c.old) {
			t.Fatalf("%s: the settings have no %s", c.name, c.old)
		}
		if s, err := parse(strings.Replace(embedded, c.old, c.new, 1)); err == nil {
			t.Errorf("%s: read as %+v", c.name, s)
		}
	}
}

func TestFindRefuses(t *testing.T) {
	t.Parallel()
	for name, q := range map[string]Question{
		"no level":         {Facts: gpg45.Facts{Today: today}},
		"a level below":    {Facts: gpg45.Facts{Today: today}, Level: proof.NoLevel},
		"a word":           {Facts: gpg45.Facts{Today: today}, Level: "highest"},
		"no day":           {Level: proof.Low},
		"half a warehouse": {Facts: gpg45.Facts{Today: today}, Level: proof.Low, Here: make([]proof.EvidenceType, maxTable+1)},
	} {
		if got, err := Find(current(t), q); err == nil {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

// TestWithheldIsNotPlanned: whatever lies on the table, people look first.
func TestWithheldIsNotPlanned(t *testing.T) {
	t.Parallel()
	f := passportFacts()
	f.Documents[0].Machine = &gpg45.MachineCheck{Decision: proof.NoMatch}
	q := Question{Facts: f, Desk: Desk{Camera: true, Training: trained, Line: true}, Here: kinds("uk_dl vouch practice_details"), Level: proof.Low}
	got, err := Find(current(t), q)
	if err != nil || got.Reached || len(got.Ways) > 0 || len(got.Missing) > 0 {
		t.Errorf("a withheld level is planned for: %+v (%v)", got, err)
	}
	if got.Practice == nil {
		t.Error("the practice's codes are a way of their own")
	}
}

// TestNothingLeftToDo: a level that is there already needs no step.
func TestNothingLeftToDo(t *testing.T) {
	t.Parallel()
	got, err := Find(current(t), Question{Facts: passportFacts(), Level: proof.Low, Here: kinds("uk_dl")})
	if err != nil || !got.Reached || len(got.Ways) != 1 || len(got.Ways[0].Steps) > 0 || got.Ways[0].Profile != "L1B" {
		t.Errorf("got %+v (%v), want one way without a step", got, err)
	}
}

// TestReplans fails one step after the other: none is suggested again, and the
// next best way takes its place.
func TestReplans(t *testing.T) {
	t.Parallel()
	q := Question{
		Facts: gpg45.Facts{Today: today}, Level: proof.Medium, Here: kinds("passport uk_dl"),
		Desk: Desk{Camera: true, ChipReader: true, UVIR: true, Line: true, Training: trained, Colleagues: []proof.Training{trained}},
	}
	var told []string
	for range 40 {
		got, err := Find(current(t), q)
		if err != nil {
			t.Fatal(err)
		}
		if !got.Reached {
			break
		}
		for _, w := range got.Ways {
			for _, s := range w.Steps {
				if slices.ContainsFunc(q.Failed, func(f Step) bool { return f.Code == s.Code && f.Type == s.Type }) {
					t.Fatalf("%s of %s is suggested again", s.Code, s.Type)
				}
			}
		}
		told = append(told, tell(got))
		steps := got.Ways[0].Steps
		q.Failed = append(q.Failed, steps[1])
	}
	want := []string{
		"show:passport chip:passport compare:passport = 3 M1C P9",
		"show:passport uv_ir:passport compare:passport = 6 M1C P9",
		"key:uk_dl uv_ir:uk_dl compare:uk_dl = 8 M1C P9",
		"show:passport uv_ir_colleague:passport#1 compare:passport = 9 M1C P9",
		"key:uk_dl uv_ir_colleague:uk_dl#1 compare:uk_dl = 11 M1C P9",
		"show:passport examine:passport compare:passport fraud* activity* = 24 M1B P9",
	}
	if len(told) < len(want) || !slices.Equal(told[:len(want)], want) {
		t.Errorf("the plans are\n%s\nwant\n%s", strings.Join(told, "\n"), strings.Join(want, "\n"))
	}
}

// TestAnUnsureOperatorAsksAColleague: the step that led nowhere is not
// suggested to the same person.
func TestAnUnsureOperatorAsksAColleague(t *testing.T) {
	t.Parallel()
	f := passportFacts()
	f.Documents[0].Person.Answer = proof.NotSure
	q := Question{Facts: f, Level: proof.Low, Desk: Desk{Training: trained}}
	if got, err := Find(current(t), q); err != nil || got.Reached {
		t.Errorf("the operator is to be sure now: %s (%v)", tell(got), err)
	}
	q.Desk.Colleagues = []proof.Training{{}, {Impostor: ago(today, 30)}}
	got, err := Find(current(t), q)
	if want := "compare_colleague:passport#2 = 4 L1B P5"; err != nil || tell(got) != want {
		t.Errorf("got %s (%v), want %s", tell(got), err, want)
	}
	if s := got.Ways[0].Steps[0]; s.Event != 4 {
		t.Errorf("the step is told of event %d, want that of the passport", s.Event)
	}
}

// TestAnExaminationIsNotRepeated: an operator who saw too little does not look
// again; a colleague does.
func TestAnExaminationIsNotRepeated(t *testing.T) {
	t.Parallel()
	f := passportFacts()
	f.Documents[0].Exam.Features = []string{"hologram"}
	q := Question{Facts: f, Level: proof.Low, Desk: Desk{Training: trained}}
	if got, err := Find(current(t), q); err != nil || got.Reached {
		t.Errorf("the operator is to look again: %s (%v)", tell(got), err)
	}
	q.Desk.Colleagues = []proof.Training{{Document: ago(today, 30)}}
	got, err := Find(current(t), q)
	if want := "examine_colleague:passport#1 = 5 L1B P5"; err != nil || tell(got) != want {
		t.Errorf("got %s (%v), want %s", tell(got), err, want)
	}
}

func TestWhatIsMissing(t *testing.T) {
	t.Parallel()
	desk := Desk{Camera: true, Training: trained}
	for _, c := range []struct {
		name string
		q    Question
		want []string
	}{
		{"passport/no-reader", Question{Desk: desk, Here: kinds("passport"), Level: proof.Medium},
			[]string{"lacks_chip_reader", "lacks_uv_ir", "lacks_line"}},
		{"nothing/with-reader", Question{Desk: Desk{Camera: true, ChipReader: true, Training: trained}, Level: proof.Medium},
			[]string{"passport", "eea_id"}},
		{"nobody-is-trained", Question{Desk: Desk{Camera: true, ChipReader: true}, Here: kinds("passport"), Level: proof.Medium},
			[]string{"lacks_colleague"}},
		{"certificate/two-things", Question{Desk: Desk{Camera: true, Training: trained}, Here: kinds("birth_cert"), Level: proof.Medium},
			[]string{"lacks_chip_reader passport", "lacks_chip_reader eea_id", "lacks_uv_ir passport", "lacks_uv_ir eea_id", "lacks_uv_ir uk_dl"}},
		{"no-photo/a-voucher", Question{Desk: Desk{Camera: true, ChipReader: true, Line: true, Training: trained}, Here: kinds("birth_cert"), Level: proof.Low,
			Failed: []Step{{Code: stepKey}, {Code: stepShow, Type: "passport"}, {Code: stepShow, Type: "eea_id"}}},
			[]string{"lacks_voucher"}},
		{"beyond-help", Question{Desk: desk, Level: proof.VeryHigh}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.q.Facts = gpg45.Facts{Today: today}
			plans, err := Find(current(t), c.q)
			if err != nil || plans.Reached {
				t.Fatalf("reached %t (%v)", plans.Reached, err)
			}
			var got []string
			for _, set := range plans.Missing {
				var words []string
				for _, r := range set {
					word := string(r.Code)
					if r.Code == lacksEvidence {
						word = r.Params["type"]
					}
					words = append(words, word)
					if text := Explain(r); text == string(r.Code) || strings.ContainsAny(text, "{}") {
						t.Errorf("%+v reads %q", r, text)
					}
				}
				got = append(got, strings.Join(words, " "))
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("missing %q, want %q", got, c.want)
			}
		})
	}
}

// TestEveryCodeIsSaid: every code of this package has words, and every step
// gives what its words ask for.
func TestEveryCodeIsSaid(t *testing.T) {
	t.Parallel()
	said := sentences()
	for _, code := range slices.Concat(stepCodes(), raiseOrder, []proof.Code{lacksEvidence, lacksVoucher, lacksChipReader, lacksUVIR, lacksColleague, lacksLine}) {
		if said[code] == "" {
			t.Errorf("%s has no words", code)
		}
		delete(said, code)
	}
	if len(said) > 0 {
		t.Errorf("words for no code: %v", said)
	}
	for _, code := range stepCodes() {
		r := Step{Code: code, Type: "passport", Colleague: 2, Minutes: 3}.Reason()
		if text := Explain(r); strings.ContainsAny(text, "{}") || !strings.HasSuffix(text, ".") {
			t.Errorf("%s reads %q", code, text)
		}
	}
	if got := Explain(Step{Code: stepCompareColleague, Type: "uk_dl", Colleague: 2}.Reason()); got != "Have colleague 2 compare the person with the photo of the uk_dl." {
		t.Errorf("a step reads %q", got)
	}
	if got := Explain(proof.Reason{Code: "no_evidence"}); got != "No document or record was shown." {
		t.Errorf("a reason of an assessment reads %q", got)
	}
	if len(Codes()) != len(sentences()) || !slices.IsSorted(Codes()) {
		t.Errorf("codes %v", Codes())
	}
}

func BenchmarkFind(b *testing.B) {
	policy := current(b)
	desk := Desk{Camera: true, ChipReader: true, UVIR: true, Line: true, Training: trained, Colleagues: []proof.Training{trained}}
	for name, q := range map[string]Question{
		"reached":     {Here: kinds("passport uk_dl"), Home: kinds("birth_cert"), Level: proof.Medium, Desk: desk},
		"not-reached": {Here: kinds("birth_cert utility_account"), Level: proof.VeryHigh},
		"everything":  {Here: policy.Types(), Level: proof.Low, Desk: desk},
	} {
		q.Facts.Today = today
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if _, err := Find(policy, q); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
