package opener

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/counterproof/counterproof/agent/opener/check"
	"github.com/counterproof/counterproof/agent/opener/vault"
	"github.com/counterproof/counterproof/agent/packet"
	"github.com/counterproof/counterproof/agent/proof"
	"github.com/counterproof/counterproof/sync/seal"
	"github.com/counterproof/counterproof/sync/store"
	"github.com/counterproof/counterproof/sync/wire"
)

// lines reads a file of JSON lines.
func lines[L any](t *testing.T, path string) []L {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var out []L
	for line := range bytes.Lines(b) {
		var l L
		if err := json.Unmarshal(line, &l); err != nil {
			t.Fatalf("line %q: %v", line, err)
		}
		out = append(out, l)
	}
	return out
}

func (w *world) results() []resultLine {
	return lines[resultLine](w.t, filepath.Join(w.dir, resultFile))
}

func (w *world) defects() []defectLine {
	return lines[defectLine](w.t, filepath.Join(w.dir, defectFile))
}

func TestGoodRecord(t *testing.T) {
	t.Parallel()
	w := newWorld(t, true)
	sealed := w.add(sealing{})
	got := w.once()
	if len(got) != 1 {
		t.Fatalf("showed %d records, want 1", len(got))
	}
	r := got[0]
	want := Verdict{Result: proof.Proved, Level: proof.Low, Profile: "L1B", NHS: r.NHS, Provisional: true}
	if r.Verdict != want || !r.Agrees || len(r.Findings) != 0 || r.Kind != KindNone {
		t.Errorf("got %+v agrees %t findings %v kind %q, want %+v", r.Verdict, r.Agrees, r.Findings, r.Kind, want)
	}
	if r.Agent != "agent-7" || r.Seq != 1 || r.LogIndex != 1 || !r.Training || r.RecHash != sealed.Receipt.RecHash || r.Policy == "" || len(r.Reasons) == 0 {
		t.Errorf("the record is not told: %+v", r)
	}
	if v, ok := r.Visit(); !ok || v.Claims.Person.Surname.ICAO != "SPECIMEN" || len(v.Pictures) != 2 {
		t.Errorf("the visit is not there for account linking: %t", ok)
	}
	stored := w.results()
	if len(stored) != 1 || stored[0].RecHash != r.RecHash || stored[0].Level != proof.Low || stored[0].Ref != r.Ref || !stored[0].Agrees {
		t.Errorf("stored %+v", stored)
	}
	if again := w.once(); len(again) != 0 {
		t.Errorf("the record came again after the cursor: %+v", again)
	}
}

// Whatever a record is wrong in, it gets its kind, no level, and the records
// around it come through.
func TestDefects(t *testing.T) {
	t.Parallel()
	foreign, err := Keygen(t.TempDir(), seal.Classical)
	if err != nil {
		t.Fatal(err)
	}
	keyless := func(only wire.PartName, keys []wire.Recipient) []wire.Recipient {
		out := slices.Clone(keys)
		for i := range out {
			if out[i].Part == only {
				out[i] = foreign[i]
			}
		}
		return out
	}
	flip := func(part int, at func(int) int) func(*wire.Envelope) {
		return func(e *wire.Envelope) { e.Parts[part].Sealed[at(len(e.Parts[part].Sealed))] ^= 1 }
	}
	first, last := func(int) int { return 0 }, func(n int) int { return n - 1 }
	// resigned changes a sealed byte and describes it, as a hostile counter can.
	resigned := func(at func(int) int) func(*wire.Header, []wire.Part) []wire.Part {
		return func(h *wire.Header, parts []wire.Part) []wire.Part {
			parts[0].Sealed[at(len(parts[0].Sealed))] ^= 1
			h.Parts[0].SHA256 = wire.HashOf(parts[0].Sealed)
			return parts
		}
	}
	for _, c := range []struct {
		name string
		make func(w *world) sealing
		want Kind
	}{
		{"key/claims-unknown", func(w *world) sealing { return sealing{keys: keyless("claims", w.keys)} }, KindUnknownKey},
		{"key/audit-unknown", func(w *world) sealing { return sealing{keys: keyless("audit", w.keys)} }, KindUnknownKey},
		{"key/of-another-part", func(w *world) sealing {
			swapped := slices.Clone(w.keys)
			swapped[0], swapped[2] = swapped[2], swapped[0]
			swapped[0].Part, swapped[2].Part = wire.PartClaims, wire.PartAudit
			return sealing{keys: swapped}
		}, KindUnknownKey},
		{"bits/stored-part", func(*world) sealing { return sealing{after: flip(0, first)} }, KindDamaged},
		{"bits/stored-evidence", func(*world) sealing { return sealing{after: flip(2, last)} }, KindDamaged},
		{"bits/header", func(*world) sealing { return sealing{after: func(e *wire.Envelope) { e.Header[0] ^= 1 }} }, KindDamaged},
		{"bits/signed-key", func(*world) sealing { return sealing{header: resigned(first)} }, KindDamaged},
		{"bits/signed-text", func(*world) sealing { return sealing{header: resigned(last)} }, KindDamaged},
		{"parts/swapped", func(*world) sealing {
			return sealing{after: func(e *wire.Envelope) { e.Parts[0], e.Parts[1] = e.Parts[1], e.Parts[0] }}
		}, KindDamaged},
		{"parts/renamed-and-signed", func(w *world) sealing {
			return sealing{header: func(h *wire.Header, p []wire.Part) []wire.Part {
				h.Parts[0].Name, h.Parts[1].Name = h.Parts[1].Name, h.Parts[0].Name
				p[0].Name, p[1].Name = p[1].Name, p[0].Name
				h.Parts[0].Recipient, h.Parts[1].Recipient = h.Parts[1].Recipient, h.Parts[0].Recipient
				return p
			}}
		}, KindDamaged},
		{"parts/of-another-record", func(*world) sealing {
			return sealing{header: func(h *wire.Header, p []wire.Part) []wire.Part { h.Record[0] ^= 1; return p }}
		}, KindDamaged},
		{"parts/audit-missing", func(*world) sealing {
			return sealing{parts: func(p []packet.Part) []packet.Part { return p[:1] }}
		}, KindUnreadable},
		{"parts/no-visit", func(*world) sealing {
			return sealing{parts: func(p []packet.Part) []packet.Part {
				p[1].Bytes = []byte(`{"schema":"MORGAN WREN SPECIMEN"}`)
				return p
			}}
		}, KindUnreadable},
		{"training/flag-turned", func(*world) sealing {
			return sealing{header: func(h *wire.Header, p []wire.Part) []wire.Part { h.Training = false; return p }}
		}, KindTraining},
		{"training/visit-and-header", func(*world) sealing {
			return sealing{facts: []proof.Fact{proof.WayChosen{Way: proof.Finish}}, events: func(e []proof.Event) []proof.Event {
				begin := e[0].Fact.(proof.VisitStarted)
				begin.Training = false
				e[0].Fact = begin
				return e
			}}
		}, KindTraining},
		{"visit/of-another-record", func(*world) sealing {
			return sealing{events: func(e []proof.Event) []proof.Event {
				begin := e[0].Fact.(proof.VisitStarted)
				begin.Record = wire.RecordID{1}.String()
				e[0].Fact = begin
				return e
			}}
		}, KindOtherVisit},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, true)
			w.add(sealing{})
			w.add(c.make(w))
			w.add(sealing{})
			got := w.once()
			if len(got) != 3 || !got[0].Agrees || !got[2].Agrees {
				t.Fatalf("the records around the bad one did not come through: %+v", got)
			}
			bad := got[1]
			if bad.Kind != c.want || bad.Level != proof.NoLevel || bad.Agrees || bad.Cause == nil {
				t.Errorf("kind %q, level %s, agrees %t, cause %v; want kind %q without a level", bad.Kind, bad.Level, bad.Agrees, bad.Cause, c.want)
			}
			if told := bad.Agent == "agent-7" && bad.Seq == 2 && bad.Ref != ""; told != (c.name != "bits/header") {
				t.Errorf("the site of the record is told: %t (%s, %d)", told, bad.Agent, bad.Seq)
			}
			if _, ok := bad.Visit(); ok {
				t.Error("a visit is given out of a bad record")
			}
			if d := w.defects(); len(d) != 1 || d[0].Kind != c.want || d[0].LogIndex != 2 || d[0].RecHash != bad.RecHash {
				t.Errorf("noted %+v", d)
			}
			if r := w.results(); len(r) != 2 {
				t.Errorf("%d results stored, want the two good ones", len(r))
			}
			checkTellsNobody(t, w)
		})
	}
}

// What the fetching finds against a record is told beside it.
func TestSignatureDoesNotHold(t *testing.T) {
	t.Parallel()
	w := newWorld(t, true)
	w.add(sealing{})
	w.add(sealing{})
	w.bad[1] = &wire.Error{Op: "verifying a record", Kind: wire.KindDamaged}
	got := w.once()
	if len(got) != 2 || got[0].Kind != KindSignature || !got[1].Agrees {
		t.Errorf("got %+v", got)
	}
	if _, ok := got[0].Visit(); ok {
		t.Error("a record whose signature does not hold was opened")
	}
}

// A record of a real visit is refused in a training zone and the other way
// round; each is opened in its own.
func TestTrainingIsApart(t *testing.T) {
	t.Parallel()
	nothing := []proof.Fact{proof.WayChosen{Way: proof.Finish}}
	for _, zone := range []bool{true, false} {
		w := newWorld(t, zone)
		w.add(sealing{real: true, facts: nothing})
		w.add(sealing{facts: nothing})
		got := w.once()
		for _, r := range got {
			if own := r.Training == zone; own != (r.Kind == KindNone) || !own && r.Kind != KindTraining {
				t.Errorf("zone in training %t, record %t: kind %q", zone, r.Training, r.Kind)
			}
		}
		if len(got) != 2 {
			t.Errorf("showed %d records, want 2", len(got))
		}
	}
}

// Whatever speaks against a record that opened is found, and takes its level.
func TestFindings(t *testing.T) {
	t.Parallel()
	claims := func(change func(*packet.ClaimsPart)) func([]packet.Part) []packet.Part {
		return func(parts []packet.Part) []packet.Part {
			var c packet.ClaimsPart
			if err := json.Unmarshal(parts[0].Bytes, &c); err != nil {
				t.Error(err)
			}
			change(&c)
			parts[0].Bytes, _ = json.Marshal(c)
			return parts
		}
	}
	for _, c := range []struct {
		name   string
		s      sealing
		agrees bool
		want   []Finding
	}{
		{"claims-M1C-for-L1B", sealing{outcome: func(o *proof.Outcome) { o.Level, o.Profile = proof.Medium, "M1C" }}, false, []Finding{RescoredDifferently}},
		{"claims-P9", sealing{outcome: func(o *proof.Outcome) { o.NHS = proof.P9 }}, false, []Finding{RescoredDifferently}},
		{"claims-final", sealing{outcome: func(o *proof.Outcome) { o.Provisional = false }}, false, []Finding{RescoredDifferently}},
		{"claims-no-training", sealing{outcome: func(o *proof.Outcome) { o.Training = false }}, false, []Finding{RescoredDifferently}},
		{"claims-better-score", sealing{outcome: func(o *proof.Outcome) { o.Scores.Verification = 4 }}, false, []Finding{RescoredDifferently}},
		{"claims-another-checker", sealing{outcome: func(o *proof.Outcome) { o.Checks[0].By.ID = "alex" }}, false, []Finding{RescoredDifferently}},
		{"claims-another-policy", sealing{outcome: func(o *proof.Outcome) { o.Policy = "gpg45-0.3" }}, false, []Finding{RescoredDifferently}},
		{"claims-less-than-it-is", sealing{outcome: func(o *proof.Outcome) { o.Result, o.Level, o.Profile = proof.NotProved, proof.NoLevel, "" }}, false, []Finding{RescoredDifferently}},
		{"only-the-claims-part-lies", sealing{parts: claims(func(c *packet.ClaimsPart) { c.Outcome.Level = proof.High })}, false, []Finding{RescoredDifferently, check.ClaimsDiffer}},
		{"another-person", sealing{parts: claims(func(c *packet.ClaimsPart) { c.Person.Surname = proof.NewName("OTHER") })}, true, []Finding{check.ClaimsDiffer}},
		{"another-number", sealing{parts: claims(func(c *packet.ClaimsPart) { c.Documents[0].Number = "X7654321" })}, true, []Finding{check.ClaimsDiffer}},
		{"no-document-claimed", sealing{parts: claims(func(c *packet.ClaimsPart) { c.Documents = nil })}, true, []Finding{check.ClaimsDiffer}},
		{"pictures-left-out", sealing{parts: func(p []packet.Part) []packet.Part { return p[:2] }}, true, []Finding{check.EvidenceMissing}},
		{"not-confirmed", sealing{events: func(e []proof.Event) []proof.Event {
			return slices.DeleteFunc(e, func(e proof.Event) bool {
				return slices.Contains([]proof.FactKind{"result_confirmed", "claim_made"}, e.Fact.FactKind())
			})
		}}, false, []Finding{check.NotDecided}},
		{"policy-unknown", sealing{events: func(e []proof.Event) []proof.Event {
			begin := e[0].Fact.(proof.VisitStarted)
			begin.Policy = "../gpg45-0.4"
			e[0].Fact = begin
			return e
		}}, false, []Finding{check.PolicyUnknown}},
		{"policy-not-named", sealing{events: func(e []proof.Event) []proof.Event {
			begin := e[0].Fact.(proof.VisitStarted)
			begin.Policy = ""
			e[0].Fact = begin
			return e
		}}, false, []Finding{check.PolicyUnknown}},
		{"nothing", sealing{}, true, nil},
		{"other-words-for-reasons", sealing{outcome: func(o *proof.Outcome) { o.Reasons, o.Raise = nil, nil }}, true, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, true)
			w.add(c.s)
			r := w.once()[0]
			if !slices.Equal(r.Findings, c.want) || r.Agrees != c.agrees || r.Kind != KindNone {
				t.Errorf("findings %v, agrees %t, kind %q; want %v and %t", r.Findings, r.Agrees, r.Kind, c.want, c.agrees)
			}
			if len(c.want) > 0 && r.Verdict != check.Held() {
				t.Errorf("a record in doubt has the verdict %+v", r.Verdict)
			}
			if stored := w.results(); len(stored) != 1 || stored[0].Level != r.Level || !slices.Equal(stored[0].Findings, c.want) {
				t.Errorf("stored %+v", stored)
			}
			checkTellsNobody(t, w)
		})
	}
}

// Neither outcome takes the place of the other in silence.
func TestBothOutcomesAreShown(t *testing.T) {
	t.Parallel()
	w := newWorld(t, true)
	w.add(sealing{outcome: func(o *proof.Outcome) { o.Level, o.Profile = proof.Medium, "M1C" }})
	w.add(sealing{outcome: func(o *proof.Outcome) {
		o.Level, o.Profile, o.NHS, o.Result = "MORGAN", "WREN\x1b[2J", "SPECIMEN", "U1234567"
	}})
	got := w.once()
	r := got[0]
	if r.Counter == nil || r.Counter.Profile != "M1C" || r.Counter.Level != proof.Medium {
		t.Errorf("the counter's outcome: %+v", r.Counter)
	}
	if r.Rescored == nil || r.Rescored.Profile != "L1B" || r.Rescored.Level != proof.Low {
		t.Errorf("the opener's outcome: %+v", r.Rescored)
	}
	if want := (Verdict{Result: "unclear", Level: "unclear", Profile: "unclear", NHS: "unclear", Provisional: true}); *got[1].Counter != want {
		t.Errorf("words of no list came through: %+v", *got[1].Counter)
	}
}

// Pictures may be sealed to people who keep their keys elsewhere; the score does
// not need them.
func TestEvidenceKeptElsewhere(t *testing.T) {
	t.Parallel()
	w := newWorld(t, true)
	w.add(sealing{})
	if err := os.Remove(filepath.Join(w.dir, "keys", "evidence.key")); err != nil {
		t.Fatal(err)
	}
	r := w.once()[0]
	if !r.Agrees || r.Level != proof.Low || len(r.Findings) != 0 || !slices.Equal(r.Shut, []wire.PartName{"evidence"}) {
		t.Errorf("got %+v, shut %v, findings %v", r.Verdict, r.Shut, r.Findings)
	}
}

func TestSameVisitTwice(t *testing.T) {
	t.Parallel()
	w := newWorld(t, true)
	w.add(sealing{name: 9})
	w.add(sealing{name: 9})
	w.add(sealing{})
	for pass := range 2 { // a replay finds the same
		got := w.once()
		if len(got) != 3 || got[0].Level != proof.Low || len(got[0].Findings) != 0 || got[2].Level != proof.Low {
			t.Fatalf("pass %d: %+v", pass, got)
		}
		if !slices.Equal(got[1].Findings, []Finding{DuplicateVisit}) || got[1].Verdict != check.Held() {
			t.Errorf("pass %d: the second record of a visit: %v, %+v", pass, got[1].Findings, got[1].Verdict)
		}
		w.rewind()
	}
	if n := len(w.results()); n != 3 {
		t.Errorf("%d results stored, want 3", n)
	}
}

// rewind begins the log again, as a person may.
func (w *world) rewind() {
	w.t.Helper()
	if err := os.Remove(filepath.Join(w.dir, cursorFile)); err != nil {
		w.t.Fatal(err)
	}
}

func TestReplay(t *testing.T) {
	t.Parallel()
	w := newWorld(t, true)
	for range 5 {
		w.add(sealing{})
	}
	w.add(sealing{after: func(e *wire.Envelope) { e.Parts[0].Sealed[0] ^= 1 }})
	first := w.once()
	if !slices.Equal(w.asked, []uint64{0, 2, 1, 4, 3, 6}) {
		t.Errorf("asked after %v", w.asked)
	}
	w.rewind()
	again := w.once()
	if len(first) != 6 || len(again) != 6 {
		t.Fatalf("showed %d and %d records, want 6 each", len(first), len(again))
	}
	for i := range again {
		if first[i].Again || !again[i].Again || first[i].RecHash != again[i].RecHash || first[i].Verdict != again[i].Verdict {
			t.Errorf("record %d came again as %+v", i+1, again[i])
		}
	}
	if r, d := len(w.results()), len(w.defects()); r != 5 || d != 1 {
		t.Errorf("%d results and %d defects stored, want 5 and 1", r, d)
	}
}

// A centre that came back from a backup gives the places of what it lost to what
// comes next: a record in the place of one that was taken is not missed, and none
// is stored twice.
func TestRestoredCentre(t *testing.T) {
	t.Parallel()
	for name, grown := range map[string]bool{"shorter": false, "longer": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, true)
			for range 4 {
				w.add(sealing{})
			}
			w.add(sealing{after: func(e *wire.Envelope) { e.Parts[0].Sealed[0] ^= 1 }}) // a defect is no other log
			if first := w.once(); len(first) != 5 {
				t.Fatalf("%d records", len(first))
			}
			if again := w.once(); len(again) != 0 || strings.Contains(w.log.String(), "backup") {
				t.Fatalf("an idle opener shows %d records, %s", len(again), w.log.String())
			}
			lost := slices.Clone(w.records[2:])
			w.records = w.records[:2]
			o := w.last
			fresh := w.add(sealing{name: 77})
			for _, r := range lost[:1] {
				w.resend(r)
			}
			if grown {
				w.resend(lost[1])
				w.resend(lost[2])
			} else {
				o = w.open() // a shorter log is noticed at the start
			}
			var got []Result
			if _, err := o.Once(t.Context(), func(r Result) { got = append(got, r) }); err != nil {
				t.Fatal(err)
			}
			at := slices.IndexFunc(got, func(r Result) bool { return r.RecHash == fresh.Receipt.RecHash })
			if at < 0 || got[at].Again || len(got) != len(w.records) {
				t.Errorf("of %d records %d came, the new one is %d", len(w.records), len(got), at)
			}
			if r := len(w.results()); r != 5 || !strings.Contains(w.log.String(), "backup") {
				t.Errorf("%d results are stored, and the log says %s", r, w.log.String())
			}
		})
	}
}

// resend stores a record once more, at the next place.
func (w *world) resend(r store.Record) {
	r.Receipt.LogIndex = uint64(len(w.records) + 1)
	w.records = append(w.records, r)
}

// A crash between showing and the cursor shows a record again and stores it
// once; a crash before showing shows it too.
func TestCrash(t *testing.T) {
	t.Parallel()
	w := newWorld(t, true)
	for range 4 {
		w.add(sealing{})
	}
	shown := map[uint64]int{}
	crash := func(o *Opener) {
		defer func() { _ = recover() }()
		_, _ = o.Once(t.Context(), func(r Result) {
			shown[r.LogIndex]++
			if shown[r.LogIndex] == 1 {
				panic("the machine stops")
			}
		})
	}
	for range 4 {
		crash(w.open())
	}
	for _, r := range w.once() {
		shown[r.LogIndex]++
	}
	for i := uint64(1); i <= 4; i++ {
		if shown[i] != 2 {
			t.Errorf("record %d was shown %d times, want 2", i, shown[i])
		}
	}
	if n := len(w.results()); n != 4 {
		t.Errorf("%d results stored, want 4", n)
	}
	if got := w.once(); len(got) != 0 {
		t.Errorf("%d records came after the cursor", len(got))
	}
}

// A result that could not be shown is shown the next time.
func TestShownOnlyIfContextHolds(t *testing.T) {
	t.Parallel()
	w := newWorld(t, true)
	w.add(sealing{})
	ctx, cancel := context.WithCancel(t.Context())
	if _, err := w.open().Once(ctx, func(Result) { cancel() }); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want a cancelled context", err)
	}
	if got := w.once(); len(got) != 1 || !got[0].Again {
		t.Errorf("it did not come again: %+v", got)
	}
}

// A line that breaks loses nothing.
func TestBrokenLine(t *testing.T) {
	t.Parallel()
	w := newWorld(t, true)
	for range 4 {
		w.add(sealing{})
	}
	w.cut = 2
	o := w.open()
	n, err := o.Once(t.Context(), nil)
	if n != 1 || wire.KindOf(err) != wire.KindUnreachable {
		t.Errorf("took %d records with %v, want 1 and unreachable", n, err)
	}
	w.cut = 0
	if n, err := o.Once(t.Context(), nil); n != 3 || err != nil {
		t.Errorf("took %d records with %v, want the other 3", n, err)
	}
}

func TestWantsKeysAndEnrolment(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	once := func() error {
		o, err := Open(Config{Dir: dir})
		if err != nil {
			t.Fatal(err)
		}
		defer o.Close()
		if err := o.Enrol(t.Context(), "cpi1:nonsense"); err == nil {
			t.Error("enrolled with a broken invitation")
		}
		_, err = o.Once(t.Context(), nil)
		return err
	}
	if err := once(); !errors.Is(err, errNoKeys) {
		t.Errorf("without keys: got %v", err)
	}
	if _, err := Keygen(dir, seal.Classical); err != nil {
		t.Fatal(err)
	}
	if err := once(); wire.KindOf(err) != wire.KindNotEnrolled {
		t.Errorf("without an enrolment: got %v", err)
	}
	if _, err := Open(Config{Dir: dir, Policy: "gpg45-99"}); err == nil {
		t.Error("opened with a policy that nobody has")
	}
}

func TestEnrolHandsInTheKeys(t *testing.T) {
	t.Parallel()
	w := newWorld(t, true)
	invite := store.Invite{Address: "centre.example:8443", Code: "00000000000000000000000000", CA: wire.HashOf(nil)}.String()
	if err := w.open().Enrol(t.Context(), invite); err != nil {
		t.Fatal(err)
	}
	var parts []wire.PartName
	for _, r := range w.handed {
		parts = append(parts, r.Part)
		if err := seal.CheckRecipient(r); err != nil {
			t.Errorf("%s: %v", r.Part, err)
		}
	}
	if !slices.Equal(parts, vault.Parts()) {
		t.Errorf("handed in %v, want %v", parts, vault.Parts())
	}
	b, err := os.ReadFile(filepath.Join(w.dir, addressFile))
	if err != nil || string(b) != "centre.example:8443\n" {
		t.Errorf("kept the address %q, %v", b, err)
	}
	w.away, w.handed = &wire.Error{Op: "enrolling", Kind: wire.KindCode}, nil
	if err := w.open().Enrol(t.Context(), invite); wire.KindOf(err) != wire.KindCode {
		t.Errorf("a spent invitation: got %v", err)
	}
	// Counters could not seal what they are told no key for.
	w.away = nil
	if err := os.Remove(filepath.Join(w.dir, "keys", "evidence.key")); err != nil {
		t.Fatal(err)
	}
	if err := w.open().Enrol(t.Context(), invite); !errors.Is(err, errNoKeys) || w.handed != nil {
		t.Errorf("with a key missing: got %v, handed in %d keys", err, len(w.handed))
	}
}

// Run goes on after the centre was away, and ends with its context.
func TestRun(t *testing.T) {
	w := newWorld(t, true)
	w.add(sealing{})
	o := w.open()
	var got []Result
	o.cfg.Show = func(r Result) { got = append(got, r) }
	synctest.Test(t, func(t *testing.T) {
		w.away, w.tries = &wire.Error{Op: "asking the centre", Kind: wire.KindUnreachable}, 6
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		if err := o.Run(ctx); err != nil {
			t.Errorf("got %v", err)
		}
	})
	if len(got) != 1 {
		t.Errorf("showed %d records, want 1", len(got))
	}
	if n := len(w.asked); n < 300 || n > 400 {
		t.Errorf("asked %d times in an hour, want every ten seconds", n)
	}
}

// The own disk's failure ends Run: going on would show without storing.
func TestRunEndsWithTheDisk(t *testing.T) {
	t.Parallel()
	w := newWorld(t, true)
	w.add(sealing{})
	o := w.open()
	if err := o.journal.results.Close(); err != nil {
		t.Fatal(err)
	}
	o.cfg.Show = func(Result) { t.Error("a result was shown that could not be stored") }
	if err := o.Run(t.Context()); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("got %v, want a closed file", err)
	}
}

// checkTellsNobody looks for the specimen in the log and in every file but the
// keys'.
func checkTellsNobody(t *testing.T, w *world) {
	t.Helper()
	if found := search(t, w.dir, w.log.String()); len(found) > 0 {
		t.Errorf("personal data: %v", found)
	}
}

// search finds the markers in the folder and in the text.
func search(t *testing.T, dir, text string) (found []string) {
	t.Helper()
	look := func(where, text string) {
		for _, m := range markers {
			if strings.Contains(text, m) {
				found = append(found, fmt.Sprintf("%s in %s", m, where))
			}
		}
	}
	look("the log", text)
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		look(filepath.Base(path), path+string(b))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// The search for personal data finds it where it is.
func TestSearchIsNotBlind(t *testing.T) {
	t.Parallel()
	w := newWorld(t, true)
	w.add(sealing{})
	r := w.once()[0]
	if _, ok := r.Visit(); !ok {
		t.Fatal("there is nothing to find")
	}
	checkTellsNobody(t, w)
	if err := os.WriteFile(filepath.Join(w.dir, "planted"), []byte("SPECIMEN"), 0o600); err != nil {
		t.Fatal(err)
	}
	if found := search(t, w.dir, "born 1985-03-12"); len(found) != 2 {
		t.Errorf("found %v, want two markers", found)
	}
	if text := fmt.Sprintf("%+v", r); strings.Contains(text, "MORGAN") {
		t.Error("printing a result tells the person")
	}
}
