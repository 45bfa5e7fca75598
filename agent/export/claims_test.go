package export

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/counterproof/counterproof/agent/gpg45"
	"github.com/counterproof/counterproof/agent/proof"
)

var update = flag.Bool("update", false, "write the golden files")

// exported is an export that must succeed.
func exported(t testing.TB, p Proofing) []byte {
	t.Helper()
	text, err := VerifiedClaims(p)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// mixed has a piece of each kind.
func mixed() Proofing {
	return proofing(proof.High, "H2D", licence(), register(), vouched())
}

// TestGolden: the whole of three exports, to be read by people.
func TestGolden(t *testing.T) {
	t.Parallel()
	given := high()
	given.NHSNumber, given.NumberGiven = "9000000009", true
	for name, p := range map[string]Proofing{"medium": medium(), "high": given, "low": low()} {
		var got bytes.Buffer
		if err := json.Indent(&got, exported(t, p), "", "  "); err != nil {
			t.Fatal(err)
		}
		got.WriteByte('\n')
		file := "testdata/" + name + ".json"
		if *update {
			if err := os.WriteFile(file, got.Bytes(), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got.Bytes(), want) {
			t.Errorf("%s: got\n%s\nwant\n%s", name, &got, want)
		}
	}
}

func TestVerifiedClaimsAreWellFormed(t *testing.T) {
	t.Parallel()
	training, partial, unknown := medium(), medium(), medium()
	training.Outcome.Training = true
	partial.Person.Birth = proof.Date{Year: 1991}
	unknown.Person.Birth = proof.Date{}
	for name, p := range map[string]Proofing{
		"medium": medium(), "high": high(), "low": low(), "mixed": mixed(), "training": training, "partial-birth": partial, "no-birth": unknown,
	} {
		if faults := inspect(exported(t, p)); len(faults) > 0 {
			t.Errorf("%s: %v", name, faults)
		}
	}
}

// TestCheckerFindsFaults is the negative control of the checker: each fault that
// the official failing examples have, and those of the schema's drafts.
func TestCheckerFindsFaults(t *testing.T) {
	t.Parallel()
	text := exported(t, mixed())
	for name, c := range sabotage {
		var whole object
		if err := json.Unmarshal(text, &whole); err != nil {
			t.Fatal(err)
		}
		if name == "level beside" {
			spoil(whole["verified_claims"], c.at[1:], c.to)
		} else {
			spoil(whole, c.at, c.to)
		}
		spoilt, err := json.Marshal(whole)
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(inspect(spoilt), " "); got != c.want {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
	if got := inspect([]byte("{")); !slices.Equal(got, []string{"no-json"}) {
		t.Errorf("got %v", got)
	}
}

// TestNotProvedIsNotExported: no result but a level that stands leaves the house.
func TestNotProvedIsNotExported(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*proof.Outcome){
		"review":           func(o *proof.Outcome) { o.Result = proof.Review },
		"withheld":         func(o *proof.Outcome) { o.Level, o.Computed, o.Profile = proof.NoLevel, "M1C", "" },
		"not-proved":       func(o *proof.Outcome) { o.Result = proof.NotProved },
		"abandoned":        func(o *proof.Outcome) { o.Result = proof.Abandoned },
		"pending":          func(o *proof.Outcome) { o.Result = proof.Pending },
		"proxy":            func(o *proof.Outcome) { o.Result = proof.Requested },
		"no-result":        func(o *proof.Outcome) { o.Result = "" },
		"unknown-level":    func(o *proof.Outcome) { o.Level = "highest" },
		"no-profile":       func(o *proof.Outcome) { o.Profile = "" },
		"level-above":      func(o *proof.Outcome) { o.Level = proof.High },
		"profile-above":    func(o *proof.Outcome) { o.Profile = "H1A" },
		"another-rulebook": func(o *proof.Outcome) { o.Policy = "house-rules" },
	} {
		p := medium()
		change(&p.Outcome)
		if text, err := VerifiedClaims(p); !errors.Is(err, ErrNotProved) || text != nil {
			t.Errorf("%s: got %s (%v), want %v", name, text, err, ErrNotProved)
		}
	}
}

// TestEveryScoreHasItsCheck: a score that nothing shown explains stops the export.
func TestEveryScoreHasItsCheck(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*Proofing){
		"verification/none":         func(p *Proofing) { p.Pieces[0].Checks = p.Pieces[0].Checks[:3] },
		"verification/lower":        func(p *Proofing) { p.Pieces[0].Checks[3].Score = 2 },
		"validity/none":             func(p *Proofing) { p.Pieces[0].Checks = p.Pieces[0].Checks[2:] },
		"validity/lower":            func(p *Proofing) { p.Pieces[0].Checks[1].Score = 2 },
		"validity/of-other-part":    func(p *Proofing) { p.Pieces[0].Checks[1].Part = "activity" },
		"evidence/not-shown":        func(p *Proofing) { p.Pieces = nil },
		"evidence/stronger":         func(p *Proofing) { p.Outcome.Scores.Evidence[0].Strength = 4 },
		"evidence/once-for-two":     func(p *Proofing) { p.Outcome.Scores.Evidence = append(p.Outcome.Scores.Evidence, p.Pieces[0].Score) },
		"fraud":                     func(p *Proofing) { p.Outcome.Scores.Fraud = 1 },
		"activity":                  func(p *Proofing) { p.Outcome.Scores.Activity = 1 },
		"verification/failed-piece": func(p *Proofing) { failOther(p) },
	} {
		p := medium()
		change(&p)
		if text, err := VerifiedClaims(p); !errors.Is(err, ErrUnexplained) || text != nil {
			t.Errorf("%s: got %s (%v), want %v", name, text, err, ErrUnexplained)
		}
	}
}

// failOther moves the comparison to a document that failed.
func failOther(p *Proofing) {
	failed := passport()
	failed.Score.Validity = 0
	failed.Checks[0].Score = 0
	p.Pieces[0].Checks = p.Pieces[0].Checks[:2]
	p.Pieces = append(p.Pieces, failed)
}

// TestFailedPieceIsLeftOut: beside a good document a failed one is no evidence,
// and a second one of a kind is evidence without a score of its own.
func TestFailedPieceIsLeftOut(t *testing.T) {
	t.Parallel()
	p := medium()
	failed := passport()
	failed.Score.Validity = 0
	failed.Checks[0].Score = 0
	p.Pieces = append(p.Pieces, failed)
	p.Outcome.Scores.Evidence = append(p.Outcome.Scores.Evidence, failed.Score)
	if text := exported(t, p); bytes.Contains(text, []byte("L00123456")) || len(inspect(text)) > 0 {
		t.Errorf("got %s", text)
	}
	second := medium()
	spare := licence()
	spare.Score.Validity, spare.Checks[1].Score = 2, 2
	second.Pieces = append(second.Pieces, spare)
	text := exported(t, second)
	if n := bytes.Count(text, []byte(`"evidence_validation"`)); n != 1 || len(inspect(text)) > 0 {
		t.Errorf("got %d validations in %s", n, text)
	}
}

// TestAssurance: what each score is joined with.
func TestAssurance(t *testing.T) {
	t.Parallel()
	p := low()
	activity := checked(proof.RecordData, "activity", 2, "activity_from_sources")
	p.Pieces = append(p.Pieces, Piece{Checks: []Check{activity}, Record: &Record{Type: "bank_account"}})
	p.Outcome.Scores.Activity = 2
	var got []string
	for _, d := range p.assuranceDetails() {
		line := d.Type + " " + d.Classification
		for _, r := range d.Refs {
			line += " " + r.CheckID + "/" + r.Txn
			if r.Metadata != nil {
				line += "/" + r.Metadata.Classification
			}
		}
		got = append(got, line)
	}
	want := []string{
		"evidence_validation score_2 CP-7Q2M-X4KD-1-1/CP-7Q2M-X4KD-1-1/score_2_strength",
		"activity_history score_2 CP-7Q2M-X4KD-3-1/CP-7Q2M-X4KD-3-1",
		"counter_fraud score_1 CP-7Q2M-X4KD-2-1/GRO-4711/mortality_check",
		"verification score_1 CP-7Q2M-X4KD-1-2/CP-7Q2M-X4KD-1-2",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// TestVouchMethods: the format has no method for a vouch.
func TestVouchMethods(t *testing.T) {
	t.Parallel()
	paper := vouched()
	paper.Vouch.Paper = true
	for _, c := range []struct {
		piece Piece
		part  string
		want  proof.CheckMethod
		kind  string
	}{
		{vouched(), "validity", "vdig", "digital_attestation"},
		{vouched(), "verification", proof.PersonInPerson, "digital_attestation"},
		{paper, "validity", proof.PhysicalInPerson, "written_attestation"},
		{paper, "verification", proof.PersonInPerson, "written_attestation"},
		{licence(), "validity", "", ""},
	} {
		if got := c.piece.method(checked(gpg45.MethodVouch, c.part, 1, "")); got != c.want {
			t.Errorf("%s: got %q, want %q", c.part, got, c.want)
		}
		if c.piece.Vouch != nil && c.piece.Vouch.attestation().Type != c.kind {
			t.Errorf("got %q, want %q", c.piece.Vouch.attestation().Type, c.kind)
		}
	}
}

func TestNHSLevel(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		level                 proof.NHSLevel
		provisional, training bool
		want                  string
	}{
		{proof.P0, false, false, "P0"}, {proof.P5, false, false, "P5"}, {proof.P9, false, false, "P9"},
		{proof.P9, true, false, ""}, {proof.P9, false, true, ""}, {proof.NHSNone, false, false, ""},
		{proof.ParentAttested, false, false, ""}, {"P10", false, false, ""},
	} {
		p := medium()
		p.Outcome.NHS, p.Outcome.Provisional, p.Outcome.Training = c.level, c.provisional, c.training
		text := exported(t, p)
		var whole struct {
			NHS object `json:"x_nhs"`
		}
		if err := json.Unmarshal(text, &whole); err != nil {
			t.Fatal(err)
		}
		if got, _ := whole.NHS["nhs_proofing_level"].(string); got != c.want {
			t.Errorf("%+v: got %q", c, got)
		}
		if c.want == "" && whole.NHS != nil {
			t.Errorf("%+v: got an empty x_nhs", c)
		}
		if framework := bytes.Contains(text, []byte(`"uk_diatf"`)); framework == c.training {
			t.Errorf("%+v: a training proofing under the real framework, or the other way round", c)
		}
	}
}

// TestNHSNumber: a number that the person did not give is nowhere, even where
// something of the input holds it in another guise.
func TestNHSNumber(t *testing.T) {
	t.Parallel()
	for name, put := range map[string]func(*Proofing, string){
		"known only":      func(*Proofing, string) {},
		"surname":         func(p *Proofing, n string) { p.Person.Surname.Printed = n },
		"process":         func(p *Proofing, n string) { p.Process = "CP-" + strings.ReplaceAll(n, " ", "-") },
		"document number": func(p *Proofing, n string) { p.Pieces[0].Document.Number = n },
		"inside a number": func(p *Proofing, n string) { p.Pieces[0].Document.Serial = "NHS/" + n + "/1" },
		"driver number":   func(p *Proofing, n string) { p.Pieces[0].Document.Personal = n },
		"txn":             func(p *Proofing, n string) { p.Pieces[1].Checks[0].Txn = n },
		"organisation":    func(p *Proofing, n string) { p.Organisation = n },
		"record source":   func(p *Proofing, n string) { p.Pieces[1].Record.Source.Name = n },
		"record number":   func(p *Proofing, n string) { p.Pieces[1].Record.Personal = n },
		"vouch":           func(p *Proofing, n string) { p.Pieces[2].Vouch.Reference = n },
		"voucher":         func(p *Proofing, n string) { p.Pieces[2].Vouch.Occupation = n },
	} {
		for _, form := range []string{"9000000009", "900 000 0009", "900-000-0009", "900.000.0009"} {
			if name == "process" && strings.Contains(form, ".") {
				continue
			}
			p := mixed()
			p.NHSNumber = "9000000009"
			put(&p, form)
			text, err := VerifiedClaims(p)
			harmless := name == "known only" || name == "record number"
			if harmless && (err != nil || p.tells(text)) {
				t.Errorf("%s: got %s (%v)", name, text, err)
			}
			if !harmless && (!errors.Is(err, ErrNHSNumber) || text != nil) {
				t.Errorf("%s as %q: got %s (%v), want %v", name, form, text, err, ErrNHSNumber)
			}
		}
	}
	p := mixed()
	p.NHSNumber, p.NumberGiven = "9000000009", true
	if text := exported(t, p); bytes.Count(text, []byte("9000000009")) != 1 || !bytes.Contains(text, []byte(`"x_nhs":{"nhs_proofing_level":"P9","nhs_number":"9000000009"}`)) {
		t.Errorf("given: got %s", text)
	}
}

// TestLeastNeeded: what no reader needs does not leave.
func TestLeastNeeded(t *testing.T) {
	t.Parallel()
	text := exported(t, mixed())
	for _, word := range []string{"NOR", "op-7", "profile_met", "face_machine_aid", `"F"`, "Event", "bvp"} {
		if bytes.Contains(text, []byte(word)) {
			t.Errorf("%s is in %s", word, text)
		}
	}
}

func TestContradictions(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*Proofing){
		"process/none":         func(p *Proofing) { p.Process = "" },
		"process/sentence":     func(p *Proofing) { p.Process = "Inga's visit" },
		"process/line":         func(p *Proofing) { p.Process = "CP-1234\n" },
		"time":                 func(p *Proofing) { p.Decided = time.Time{} },
		"name":                 func(p *Proofing) { p.Person.Surname, p.Person.Given = proof.Name{}, proof.Name{} },
		"verification":         func(p *Proofing) { p.Outcome.Scores.Verification = 5 },
		"fraud":                func(p *Proofing) { p.Outcome.Scores.Fraud = 4 },
		"activity":             func(p *Proofing) { p.Outcome.Scores.Activity = -1 },
		"nhs-number":           func(p *Proofing) { p.NHSNumber = "9000000008" },
		"nhs-number/spaced":    func(p *Proofing) { p.NHSNumber = "900 000 0009" },
		"piece/of-no-kind":     func(p *Proofing) { p.Pieces[0].Document = nil },
		"piece/of-two-kinds":   func(p *Proofing) { p.Pieces[0].Vouch = &Vouch{} },
		"piece/strength":       func(p *Proofing) { p.Pieces[0].Score.Strength = 5 },
		"piece/no-score":       func(p *Proofing) { p.Pieces[0].Score = proof.Evidence{} },
		"piece/validity":       func(p *Proofing) { p.Pieces[0].Score.Validity = 5 },
		"record/no-type":       func(p *Proofing) { p.Pieces[1].Record.Type = "" },
		"check/no-method":      func(p *Proofing) { p.Pieces[0].Checks[0].Method = "" },
		"check/unknown-method": func(p *Proofing) { p.Pieces[0].Checks[0].Method = "gut" },
		"check/vouch":          func(p *Proofing) { p.Pieces[0].Checks[0].Method = gpg45.MethodVouch },
		"check/score":          func(p *Proofing) { p.Pieces[0].Checks[0].Score = 9 },
		"check/code":           func(p *Proofing) { p.Pieces[1].Checks[0].Code = "record_check" },
		"check/code-of-face":   func(p *Proofing) { p.Pieces[0].Checks[3].Code = "mortality_check" },
	} {
		p := mixed()
		change(&p)
		_, claims := VerifiedClaims(p)
		_, credential := IdentityCheck(p, 0, issuance(t))
		if claims == nil || credential == nil {
			t.Errorf("%s: got %v and %v, want errors", name, claims, credential)
		}
	}
}

// FuzzVerifiedClaims: whatever stands on a document, the export is well formed,
// reads back, and has no number that was not given.
func FuzzVerifiedClaims(f *testing.F) {
	f.Add("Silberstein", "Inga", "SILBE961061IM9IJ35", "DVLA", 1991, 11, 6)
	f.Add("O'Brien\x00\u202e", "", "900 000 0009", "\xff\xfe", 0, 0, 0)
	f.Add("</script>", `"},"claims":{"x":"y`, "9000000009", "null", 9999, 13, 32)
	f.Fuzz(func(t *testing.T, surname, given, number, name string, year, month, day int) {
		p := mixed()
		p.NHSNumber = "9000000009"
		p.Person.Surname.Printed, p.Person.Given = surname, proof.NewName(given)
		p.Pieces[0].Document.Number, p.Pieces[2].Vouch.Name = number, name
		date := proof.Date{Year: year, Month: month, Day: day}
		p.Person.Birth, p.Pieces[0].Document.Issued, p.Pieces[2].Vouch.Birth = date, date, date
		text, err := VerifiedClaims(p)
		if err != nil {
			return
		}
		if faults := inspect(text); len(faults) > 0 {
			t.Errorf("%v in %s", faults, text)
		}
		if bytes.Contains(text, []byte("9000000009")) {
			t.Errorf("the number is in %s", text)
		}
	})
}
