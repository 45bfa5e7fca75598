package check

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/counterproof/counterproof/agent/gpg45"
	"github.com/counterproof/counterproof/agent/packet"
	"github.com/counterproof/counterproof/agent/proof"
	"github.com/counterproof/counterproof/agent/route"
	"github.com/counterproof/counterproof/agent/verdict"
	"github.com/counterproof/counterproof/sync/wire"
)

// The invented holder of a passport of Utopia, in date until 2031.
var specimen = []string{
	"P<UTOSPECIMEN<<MORGAN<WREN<<<<<<<<<<<<<<<<<<",
	"U1234567<6UTO8503127X3106305<<<<<<<<<<<<<<04",
}

var trained = proof.Training{Impostor: proof.Date{Year: 2026, Month: 3, Day: 1}, Document: proof.Date{Year: 2025, Month: 1, Day: 10}}

// id names the record of these tests.
var id = wire.RecordID{1}

// header is the outside of that record.
var header = wire.Header{Version: 1, Agent: "agent-7", Seq: 1, Record: id, Training: true, Wall: time.Date(2026, 11, 22, 11, 0, 0, 0, time.UTC)}

// genuine is a chip that the counter proved.
func genuine() proof.ChipRead {
	return proof.ChipRead{
		Verdict: proof.ChipGenuine, Revocation: proof.RevocationGood, Clone: proof.CloneExcluded, Access: "PACE-GM", Lines: specimen, Files: "chip-4",
	}
}

// visit makes a decided, confirmed visit in training as a counter packs it; more
// are facts after the document, and say changes the outcome that the counter tells.
func visit(t testing.TB, policy string, say func(*proof.Outcome), more ...proof.Fact) []packet.Part {
	t.Helper()
	p, err := gpg45.Load(gpg45.Default)
	if err != nil {
		t.Fatal(err)
	}
	var events []proof.Event
	add := func(facts ...proof.Fact) {
		for _, f := range facts {
			at := time.Date(2026, 11, 22, 10, len(events), 0, 0, time.UTC)
			events = append(events, proof.Event{Seq: len(events) + 1, At: at, By: proof.Actor{Kind: proof.ByPerson, ID: "robin"}, Fact: f})
		}
	}
	add(proof.VisitStarted{Case: "case0001", Record: id.String(), Route: proof.PhotoDocument, Language: "cy", Training: true, Policy: policy, Operator: trained},
		proof.ConsentAnswered{Purpose: proof.ForProofing, Given: true},
		proof.DocumentRead{Source: proof.FromCamera, Lines: specimen, Score: -0.05, Page: "page-3", Portrait: "portrait-3"})
	add(more...)
	add(proof.DocumentExamined{Original: true, Details: proof.Agree, Features: p.Features(proof.Passport), Trained: trained},
		proof.ConsentAnswered{Purpose: proof.ForFace, Given: true},
		proof.FaceTaken{Picture: "live-6"},
		proof.FacesCompared{Score: 3.6, Decision: proof.Match, Portrait: "portrait-3", Live: "live-6"},
		proof.PersonCompared{Answer: proof.Same, Method: proof.PersonInPerson, Trained: trained})
	out := verdict.Decide(route.Fold(events), p)
	if say != nil {
		say(&out)
	}
	add(proof.VisitDecided{Outcome: out}, proof.ResultConfirmed{})
	if asks := route.Asks(route.Fold(events)); len(asks) > 0 && asks[0].Kind == proof.MakeClaim {
		add(proof.ClaimMade{Token: "TOKEN", Until: proof.Date{Year: 2027, Month: 2, Day: 20}})
	}
	parts, err := packet.Build(route.Fold(events), events, func(p proof.PictureID) ([]byte, error) { return []byte("jpeg of " + p), nil })
	if err != nil {
		t.Fatal(err)
	}
	return parts
}

// read reads what was packed.
func read(t testing.TB, parts []packet.Part) packet.Visit {
	t.Helper()
	v, err := packet.Read(parts)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// TestVisit names what each hostile record comes to.
func TestVisit(t *testing.T) {
	t.Parallel()
	good := func(t *testing.T) packet.Visit { return read(t, visit(t, gpg45.Default, nil)) }
	believed := Opened{Header: header}
	change := func(f func(*Opened)) Opened { o := believed; f(&o); return o }
	judged := func(verdict bool) Opened {
		return change(func(o *Opened) { o.Confirms = func([]byte, proof.ChipRead) bool { return verdict } })
	}
	chip := func(f func(*proof.ChipRead)) func(t *testing.T) packet.Visit {
		read4 := genuine()
		f(&read4)
		return func(t *testing.T) packet.Visit { return read(t, visit(t, gpg45.Default, nil, read4)) }
	}
	same := func(*proof.ChipRead) {}
	for _, c := range []struct {
		name  string
		visit func(t *testing.T) packet.Visit
		from  Opened
		kind  Kind
		want  []Finding
	}{
		{"good", good, believed, KindNone, nil},
		{"visit/of-another-record", good, change(func(o *Opened) { o.Header.Record = wire.RecordID{2} }), KindOtherVisit, nil},
		{"visit/training-outside", good, change(func(o *Opened) { o.Header.Training = false }), KindTraining, nil},
		{"visit/of-no-events", func(*testing.T) packet.Visit { return packet.Visit{} }, believed, KindUnreadable, nil},
		{"visit/undecided", func(t *testing.T) packet.Visit { v := good(t); v.Events = v.Events[:6]; return v }, believed, KindNone, []Finding{NotDecided}},
		{"policy/unknown", func(t *testing.T) packet.Visit { return read(t, visit(t, "gpg45-99", nil)) }, believed, KindNone, []Finding{PolicyUnknown}},
		{"policy/none", func(t *testing.T) packet.Visit { return read(t, visit(t, "", nil)) }, believed, KindNone, []Finding{PolicyUnknown}},
		{"outcome/raised", func(t *testing.T) packet.Visit {
			return read(t, visit(t, gpg45.Default, func(o *proof.Outcome) { o.Level, o.Profile = proof.Medium, "M1C" }))
		}, believed, KindNone, []Finding{RescoredDifferently}},
		{"claims/another-person", func(t *testing.T) packet.Visit {
			v := good(t)
			v.Claims.Person.Surname = proof.NewName("OTHER")
			return v
		}, believed, KindNone, []Finding{ClaimsDiffer}},
		{"evidence/missing", func(t *testing.T) packet.Visit { v := good(t); v.Pictures = nil; return v }, believed, KindNone, []Finding{EvidenceMissing}},
		{"evidence/shut", func(t *testing.T) packet.Visit { v := good(t); v.Pictures = nil; return v },
			change(func(o *Opened) { o.Shut = []wire.PartName{wire.PartEvidence} }), KindNone, nil},
		{"evidence/swapped", func(t *testing.T) packet.Visit { v := good(t); v.Pictures[0].ID = "page-9"; return v }, believed, KindNone, []Finding{EvidenceMissing}},
		{"clock/sealed-after-receipt", good, change(func(o *Opened) { o.Received = header.Wall.Add(-time.Hour) }), KindNone, []Finding{ClockDoubtful}},
		{"chip/confirmed", chip(same), judged(true), KindNone, nil},
		{"chip/not-confirmed", chip(same), judged(false), KindNone, []Finding{ChipNotConfirmed}},
		{"chip/nobody-judges", chip(same), believed, KindNone, nil},
		{"chip/genuine-by-word-alone", chip(func(c *proof.ChipRead) { c.Files = "" }), judged(true), KindNone, []Finding{ChipNotConfirmed}},
		{"chip/files-missing", func(t *testing.T) packet.Visit { v := chip(same)(t); v.Chips = nil; return v }, judged(true), KindNone, []Finding{EvidenceMissing}},
		{"chip/erased", func(t *testing.T) packet.Visit { v := chip(same)(t); v.Chips = nil; return v },
			change(func(o *Opened) { o.Shut = []wire.PartName{wire.PartChip} }), KindNone, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := Visit(c.visit(t), c.from)
			if r.Kind != c.kind || !slices.Equal(r.Findings, c.want) {
				t.Errorf("kind %q, findings %v; want %q, %v", r.Kind, r.Findings, c.kind, c.want)
			}
			doubt := c.kind != KindNone || c.want != nil
			if doubt != (r.Verdict == Held()) || doubt && r.Level != proof.NoLevel {
				t.Errorf("a record in doubt (%t) has the verdict %+v", doubt, r.Verdict)
			}
			if b, err := json.Marshal(r); err != nil || strings.Contains(string(b), "SPECIMEN") || strings.Contains(string(b), "OTHER") {
				t.Errorf("as JSON: %s, %v", b, err)
			}
		})
	}
}

// Another policy may be wanted; the default one by name changes nothing.
func TestPolicyInstead(t *testing.T) {
	t.Parallel()
	v := read(t, visit(t, gpg45.Default, nil))
	if got := Visit(v, Opened{Header: header, Policy: "gpg45-0.4"}); !got.Agrees {
		t.Errorf("by the visit's own policy: findings %v", got.Findings)
	}
	got := Visit(v, Opened{Header: header, Policy: "gpg45-99"})
	if !slices.Equal(got.Findings, []Finding{PolicyUnknown}) || got.Counter == nil || got.Level != proof.NoLevel {
		t.Errorf("by one that nobody has: %v, %+v", got.Findings, got.Verdict)
	}
	if Policy("") != nil || Policy("gpg45-0.4") != nil || Policy("gpg45-99") == nil {
		t.Error("it is not known which policies there are")
	}
}

// Findings are kept once, and a defect has no level.
func TestReport(t *testing.T) {
	t.Parallel()
	r := Report{Verdict: Verdict{Level: proof.High}}
	twice := r.With(DuplicateVisit).With(ChainBroken).With(DuplicateVisit)
	if !slices.Equal(twice.Findings, []Finding{DuplicateVisit, ChainBroken}) || twice.Level != proof.NoLevel || r.Findings != nil {
		t.Errorf("findings %v, level %s", twice.Findings, twice.Level)
	}
	if d := Defective(KindErased, nil); d.Verdict != Held() || d.Reasons == nil {
		t.Errorf("a defect: %+v", d)
	}
}

// A reason that a counter made up is not shown.
func TestReasonsAreCodes(t *testing.T) {
	t.Parallel()
	got := codes([]proof.Reason{{Code: "doc_expired"}, {Code: "Morgan Wren"}, {Code: "a\nb"}, {Code: ""}, {Code: "doc_expired"},
		{Code: proof.Code(strings.Repeat("a", maxCode+1))}})
	if len(got) != 2 || got[0] != proof.DocExpired || got[1] != unclear {
		t.Errorf("got %q", got)
	}
}

// FuzzVisit checks hostile visits: whoever holds a counter's key can seal anything.
// Nothing panics, and a level needs two outcomes that agree.
func FuzzVisit(f *testing.F) {
	for _, parts := range [][]packet.Part{
		visit(f, gpg45.Default, nil),
		visit(f, gpg45.Default, nil, genuine()),
		visit(f, gpg45.Default, func(o *proof.Outcome) { o.Level, o.Profile = proof.Medium, "M1C" }),
	} {
		f.Add(parts[0].Bytes, parts[1].Bytes)
	}
	f.Fuzz(func(t *testing.T, claims, audit []byte) {
		v, err := packet.Read([]packet.Part{{Name: packet.Claims, Bytes: claims}, {Name: packet.Audit, Bytes: audit}})
		if err != nil {
			return
		}
		r := Visit(v, Opened{Header: header, Shut: []wire.PartName{wire.PartEvidence, wire.PartChip}, Confirms: func([]byte, proof.ChipRead) bool { return true }})
		if r.Level != proof.NoLevel && (!r.Agrees || len(r.Findings) > 0 || r.Kind != KindNone) {
			t.Errorf("level %s though agrees is %t, with %v and kind %q", r.Level, r.Agrees, r.Findings, r.Kind)
		}
		if _, err := json.Marshal(r); err != nil {
			t.Errorf("writing it as JSON: %v", err)
		}
	})
}

// TestKeysOfHighLevels: a high level counts only from a counter whose key is kept as
// the centre asks; where it asks nothing, and for lower levels, any key will do.
func TestKeysOfHighLevels(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		level        proof.Level
		asked, grade string
		want         bool
	}{
		{proof.High, "tpm", "tpm", false}, {proof.High, "tpm", "dpapi", true}, {proof.High, "tpm", "file", true},
		{proof.VeryHigh, "tpm", "file", true}, {proof.High, "dpapi", "tpm", false}, {proof.High, "file", "file", false},
		{proof.High, "tpm", "", true}, {proof.High, "tpm", "gold", true}, {proof.High, "", "file", false}, {proof.High, "", "", false},
		{proof.Medium, "tpm", "file", false}, {proof.Low, "tpm", "", false}, {proof.NoLevel, "tpm", "file", false},
	} {
		if got := tooWeak(c.level, Opened{Grade: c.grade, Asked: wire.Settings{HighGrade: c.asked}}); got != c.want {
			t.Errorf("%s with a key kept as %q where %q is asked: too weak %t, want %t", c.level, c.grade, c.asked, got, c.want)
		}
	}
	r := Report{Verdict: Verdict{Result: proof.Proved, Level: proof.High}}.With(KeyTooWeak)
	if r.Verdict != Held() || !slices.Contains(r.Findings, KeyTooWeak) {
		t.Errorf("it comes to %+v", r)
	}
}
