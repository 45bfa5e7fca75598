package gpg45

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/counterproof/counterproof/agent/nhs"
	"github.com/counterproof/counterproof/agent/proof"
)

// A behaviour is a worked visit: what a policy is to make of what is known.
type behaviour struct {
	name string
	want string
	does func(*Policy) string // what it comes to, in the words of want
}

// rows reads the lines of a file of testdata as so many parts.
func rows(t testing.TB, name string, parts int) [][]string {
	t.Helper()
	text, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	var out [][]string
	for line := range strings.Lines(string(text)) {
		if line = strings.TrimSpace(line); line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		f := strings.Split(line, " | ")
		if len(f) != parts {
			t.Fatalf("%s: %q has %d parts, want %d", name, line, len(f), parts)
		}
		out = append(out, f)
	}
	return out
}

// behaviours are all worked levels and visits.
func behaviours(t testing.TB) []behaviour {
	t.Helper()
	var out []behaviour
	for _, f := range rows(t, "levels.txt", 3) {
		s := scores(t, f[0], f[1])
		out = append(out, behaviour{f[0] + " | " + f[1], f[2], func(p *Policy) string {
			r, err := p.Match(s)
			if err != nil {
				return err.Error()
			}
			return strings.TrimSpace(string(r.Level) + " " + orNone(r.Best))
		}})
	}
	for _, f := range rows(t, "behaviours.txt", 3) {
		for i, facts := range everyKind(f[1]) {
			does, err := visited(facts)
			if err != nil {
				t.Fatalf("%s: %v", f[0], err)
			}
			out = append(out, behaviour{fmt.Sprintf("%s/%d", f[0], i), f[2], func(p *Policy) string { return among(f[2], does(p)) }})
		}
	}
	if len(out) < 150 {
		t.Fatalf("%d behaviours", len(out))
	}
	return out
}

// orNone is a profile, or "-".
func orNone(profile string) string {
	if profile == "" {
		return "-"
	}
	return profile
}

// everyKind makes a line for each of the kinds "a,b" in one.
func everyKind(facts string) []string {
	for word := range strings.FieldsSeq(facts) {
		if !strings.Contains(word, ",") {
			continue
		}
		var out []string
		for kind := range strings.SplitSeq(word, ",") {
			out = append(out, strings.Replace(facts, word, kind, 1))
		}
		return out
	}
	return []string{facts}
}

// among is the claims if all of them are among what was found, else what was
// found.
func among(claims, found string) string {
	for claim := range strings.SplitSeq(claims, ", ") {
		if !slices.Contains(strings.Split(found, ", "), claim) {
			return found
		}
	}
	return claims
}

// visited reads what is known into what a policy makes of it.
func visited(text string) (func(*Policy) string, error) {
	first, rest, _ := strings.Cut(text, " ")
	if n, ok := strings.CutPrefix(first, "vouched="); ok {
		already, err := strconv.Atoi(n)
		return func(p *Policy) string {
			return map[bool]string{true: "may vouch", false: "may not vouch"}[p.Unconfirmed().MayVouch(already)]
		}, err
	}
	if first == "nhs" {
		return standing(rest)
	}
	v := told{facts: Facts{Today: today}}
	for part := range strings.SplitSeq(text, "; ") {
		if err := v.part(strings.Fields(part)); err != nil {
			return nil, err
		}
	}
	return v.comesTo, nil
}

// told is a worked visit while it is read.
type told struct {
	facts   Facts
	sources *Sources
	known   proof.Date
	accepts proof.EvidenceType
}

// part reads a document, a vouch or what the centre says.
func (v *told) part(words []string) error {
	name, value, _ := strings.Cut(words[0], "=")
	switch name {
	case "accepting":
		v.accepts = proof.EvidenceType(words[1])
		return nil
	case "vouch":
		return v.vouch(words[1:])
	case "fraud", "activity", "known":
		if v.sources == nil {
			v.sources = &Sources{}
		}
	default:
		return v.document(proof.EvidenceType(name), words[1:])
	}
	var err error
	switch name {
	case "fraud":
		v.sources.Fraud, err = strconv.Atoi(value)
	case "activity":
		v.sources.Activity, err = strconv.Atoi(value)
	case "known":
		v.known, err = aged(value)
	}
	return err
}

// document reads the words of a document.
func (v *told) document(kind proof.EvidenceType, words []string) error {
	d := Document{Type: kind, Source: proof.FromKeys, Expiry: today}
	exam := func() *Exam {
		if d.Exam == nil {
			d.Exam = &Exam{DocumentExamined: proof.DocumentExamined{Original: true, Details: proof.Agree}}
		}
		return d.Exam
	}
	for _, word := range words {
		name, value, _ := strings.Cut(word, "=")
		var err error
		switch name {
		case "read":
			d.Source, d.Digits = proof.FromCamera, GoodDigits
		case "details":
			exam()
		case "examined":
			exam().Trained.Document, err = aged(value)
			exam().Features = []string{"background_print", "fonts_alignment", "intaglio"}
		case "features":
			var n int
			if n, err = strconv.Atoi(value); err == nil {
				exam().Features = exam().Features[:n]
			}
		case "templates":
			exam().Templates, err = aged(value)
		case "lit":
			exam().UVIR, exam().Templates = true, today
			exam().Trained.UVIR, err = aged(value)
		case "chip":
			d.Chip = goodChip()
		case "record":
			d.Record = &RecordCheck{Matched: true}
		case "compared", "remote":
			d.Person = &PersonCheck{PersonCompared: proof.PersonCompared{Answer: proof.Same, Method: proof.PersonInPerson}}
			if name == "remote" {
				d.Person.Method = proof.PersonRemote
			}
			d.Person.Trained.Impostor, err = aged(value)
		case "expired":
			d.Expiry, err = daysAgo(value)
		default:
			err = fmt.Errorf("a document has no %q", word)
		}
		if err != nil {
			return err
		}
	}
	v.facts.Documents = append(v.facts.Documents, d)
	return nil
}

// vouch reads the words of a vouch.
func (v *told) vouch(words []string) error {
	g := Vouch{Proved: proof.NoLevel, KnownSince: proof.Date{Year: 2001, Month: 1, Day: 1}, Given: today}
	for _, word := range words {
		name, value, _ := strings.Cut(word, "=")
		var err error
		switch name {
		case "paper":
			g.Paper = true
		case "confirmed":
			g.Confirmed = true
		case "proved":
			g.Proved = proof.Level(value)
		case "known":
			g.KnownSince, err = aged(value)
		case "given":
			g.Given, err = daysAgo(value)
		case "problem":
			g.Problems = append(g.Problems, proof.Code(value))
		default:
			err = fmt.Errorf("a vouch has no %q", word)
		}
		if err != nil {
			return err
		}
	}
	v.facts.Vouches = append(v.facts.Vouches, g)
	return nil
}

// aged is the day so many months before today, by the calendar of package time,
// and a day before or after: "36m", "36m+1d", "36m-1d".
func aged(text string) (proof.Date, error) {
	months, days, _ := strings.Cut(text, "m")
	n, err := strconv.Atoi(months)
	if err != nil {
		return proof.Date{}, err
	}
	day := time.Date(today.Year, time.Month(today.Month), today.Day, 0, 0, 0, 0, time.UTC).AddDate(0, -n, 0)
	switch days {
	case "+1d":
		day = day.AddDate(0, 0, -1)
	case "-1d":
		day = day.AddDate(0, 0, 1)
	case "":
	default:
		return proof.Date{}, fmt.Errorf("%q is no age", text)
	}
	return proof.Date{Year: day.Year(), Month: int(day.Month()), Day: day.Day()}, nil
}

// daysAgo is the day so many days before today.
func daysAgo(text string) (proof.Date, error) {
	n, err := strconv.Atoi(text)
	day := time.Date(today.Year, time.Month(today.Month), today.Day-n, 0, 0, 0, 0, time.UTC)
	return proof.Date{Year: day.Year(), Month: int(day.Month()), Day: day.Day()}, err
}

// comesTo is what a policy makes of a visit, in words.
func (v *told) comesTo(p *Policy) string {
	if v.accepts != "" {
		other := *p
		other.types = maps.Clone(p.types)
		kind := other.types[v.accepts]
		kind.Refused = false
		other.types[v.accepts] = kind
		p = &other
	}
	f := v.facts
	if v.sources != nil {
		s := *v.sources
		if v.known != (proof.Date{}) {
			s.Activity = p.Unconfirmed().Activity(v.known, today)
		}
		f.Sources = &s
	}
	a, err := p.Assess(f)
	if err != nil {
		return err.Error()
	}
	said := []string{strings.TrimSpace(string(a.Level) + " " + a.Profile)}
	for _, e := range a.Scores.Evidence {
		said = append(said, fmt.Sprintf("piece %d/%d", e.Strength, e.Validity))
	}
	return strings.Join(append(said, fmt.Sprintf("verification %d", a.Scores.Verification), fmt.Sprintf("activity %d", a.Scores.Activity)), ", ")
}

// standing reads a scored visit into the NHS level that it comes to when the
// record matches.
func standing(text string) (func(*Policy) string, error) {
	f := nhs.Facts{Today: today, Record: nhs.OneExact}
	for word := range strings.FieldsSeq(text) {
		name, value, _ := strings.Cut(word, "=")
		var err error
		switch name {
		case "level":
			f.Level = proof.Level(value)
		case "age":
			f.Birth, err = aged(value)
		case "compared":
			var n int
			n, err = strconv.Atoi(value)
			f.Checks = []proof.Check{{Method: proof.PersonInPerson, Part: partVerification, Score: n}}
		default:
			err = fmt.Errorf("a scored visit has no %q", word)
		}
		if err != nil {
			return nil, err
		}
	}
	return func(p *Policy) string {
		s := p.NHS().Assess(f)
		if slices.ContainsFunc(s.Reasons, func(r proof.Reason) bool { return r.Code == "nhs_under_login_age" }) {
			return string(s.Level) + ", too young for NHS login"
		}
		return string(s.Level) + ", old enough"
	}, nil
}

func TestBehaviours(t *testing.T) {
	t.Parallel()
	p := current(t)
	for _, b := range behaviours(t) {
		t.Run(b.name, func(t *testing.T) {
			if got := b.does(p); got != b.want {
				t.Errorf("comes to %s, want %s", got, b.want)
			}
		})
	}
}

// mutation is one number of the policy, or one level, changed by one.
type mutation struct {
	path string
	text []byte
}

// ladder is the levels in their order, for changing one.
var ladder = []string{"none", "low", "medium", "high", "very_high"}

// mutations changes every number and every level of a policy by one, up and
// down, one at a time.
func mutations(t testing.TB, policy []byte) []mutation {
	t.Helper()
	var tree any
	if err := json.Unmarshal(policy, &tree); err != nil {
		t.Fatal(err)
	}
	var out []mutation
	write := func(path string) {
		text, err := json.Marshal(tree)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, mutation{path, text})
	}
	change := func(path string, set func(any), was any) {
		for _, by := range []int{-1, 1} {
			switch x := was.(type) {
			case float64:
				set(x + float64(by))
			case string:
				i := slices.Index(ladder, x) + by
				if i == 0 || i == len(ladder) {
					continue
				}
				set(ladder[i])
			}
			write(fmt.Sprintf("%s %+d", path, by))
			set(was)
		}
	}
	var walk func(path string, node any, set func(any))
	walk = func(path string, node any, set func(any)) {
		switch x := node.(type) {
		case map[string]any:
			for _, key := range slices.Sorted(maps.Keys(x)) {
				walk(path+"."+key, x[key], func(v any) { x[key] = v })
			}
		case []any:
			for i := range x {
				walk(fmt.Sprintf("%s[%d]", path, i), x[i], func(v any) { x[i] = v })
			}
		case float64:
			change(path, set, x)
		case string:
			if strings.HasSuffix(path, "level") {
				change(path, set, x)
			}
		}
	}
	walk("", tree, nil)
	return out
}

// TestEveryNumberMatters changes every number of the policy by one: somebody's
// result must change with it, or the policy be refused.
func TestEveryNumberMatters(t *testing.T) {
	t.Parallel()
	text, err := files.ReadFile("policy/" + Default + ".json")
	if err != nil {
		t.Fatal(err)
	}
	all, refused, seen := behaviours(t), 0, 0
	changed := mutations(t, text)
	for _, m := range changed {
		p, err := Parse(m.text)
		switch {
		case err != nil:
			refused++
		case slices.ContainsFunc(all, func(b behaviour) bool { return b.does(p) != b.want }):
			seen++
		default:
			t.Errorf("%s: nobody's result changes", m.path)
		}
	}
	t.Logf("%d numbers and levels changed: %d refused when read, %d seen by %d behaviours", len(changed), refused, seen, len(all))
	if len(changed) < 500 {
		t.Errorf("only %d changes: the walk is blind", len(changed))
	}
	// The policy itself, written anew, changes nobody's result.
	var tree any
	if err := json.Unmarshal(text, &tree); err != nil {
		t.Fatal(err)
	}
	same, err := json.Marshal(tree)
	if err != nil {
		t.Fatal(err)
	}
	p, err := Parse(same)
	if err != nil || slices.ContainsFunc(all, func(b behaviour) bool { return b.does(p) != b.want }) {
		t.Errorf("the unchanged policy changes a result (%v)", err)
	}
}
