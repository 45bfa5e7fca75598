package opener

import (
	"encoding/json"
	"io"
	"strings"
	"testing"
	"unicode"

	"github.com/counterproof/counterproof/agent/packet"
	"github.com/counterproof/counterproof/agent/proof"
	"github.com/counterproof/counterproof/agent/route"
	"github.com/counterproof/counterproof/sync/wire"
)

// FuzzExamine checks hostile visits: whoever holds a counter's key can seal
// anything. Nothing panics, nothing commands the terminal, and a level needs
// two outcomes that agree.
func FuzzExamine(f *testing.F) {
	id := wire.RecordID{1}
	for _, s := range []sealing{
		{},
		{outcome: func(o *proof.Outcome) { o.Level, o.Profile = proof.Medium, "M1C" }},
		{facts: []proof.Fact{proof.VisitAbandoned{Reason: "patient_left"}}},
		{facts: []proof.Fact{proof.WayChosen{Way: proof.Finish}}},
	} {
		events := s.visit(f, id)
		parts, err := packet.Build(route.Fold(events), events, func(proof.PictureID) ([]byte, error) { return []byte{1}, nil })
		if err != nil {
			f.Fatal(err)
		}
		f.Add(parts[0].Bytes, parts[1].Bytes)
	}
	f.Fuzz(func(t *testing.T, claims, audit []byte) {
		v, err := packet.Read([]packet.Part{{Name: packet.Claims, Bytes: claims}, {Name: packet.Audit, Bytes: audit}})
		if err != nil {
			return
		}
		r := examine(Result{record: id.String(), Training: true, Shut: []wire.PartName{"evidence"}}, v, "")
		if r.Level != proof.NoLevel && (!r.Agrees || len(r.Findings) > 0 || r.Kind != KindNone) {
			t.Errorf("level %s though agrees is %t, with %v and kind %q", r.Level, r.Agrees, r.Findings, r.Kind)
		}
		if err := writeJSON(io.Discard, r, personOf(r)); err != nil {
			t.Errorf("writing it as JSON: %v", err)
		}
		var text strings.Builder
		if err := writeText(&text, r, personOf(r)); err != nil {
			t.Error(err)
		}
		for _, c := range text.String() {
			if c != '\n' && !unicode.IsPrint(c) {
				t.Fatalf("%q reaches the terminal", c)
			}
		}
	})
}

// An abandoned visit has no level and claims nobody, and is no finding.
func TestAbandonedVisit(t *testing.T) {
	t.Parallel()
	w := newWorld(t, true)
	w.add(sealing{
		facts: append(goodFacts(t)[:1], proof.VisitAbandoned{Reason: proof.PatientLeft}),
		// Nobody confirms the result of a visit that has none.
		events: func(e []proof.Event) []proof.Event { return e[:len(e)-1] },
	})
	r := w.once()[0]
	if r.Result != proof.Abandoned || !r.Agrees || r.Level != proof.NoLevel || len(r.Findings) != 0 || len(r.Reasons) != 1 {
		t.Errorf("got %+v, agrees %t, findings %v, reasons %v", r.Verdict, r.Agrees, r.Findings, r.Reasons)
	}
	if p := personOf(r); p != nil {
		t.Error("an abandoned visit tells a person")
	}
}

// A visit that goes to review is opened with the live face, and stays one.
func TestReview(t *testing.T) {
	t.Parallel()
	facts := goodFacts(t)
	differs := proof.FacesCompared{Score: 0.9, Decision: proof.NoMatch, Portrait: "portrait-3", Live: "live-6"}
	facts = append(facts[:4], differs, facts[3], differs, facts[3], differs)
	w := newWorld(t, true)
	w.add(sealing{facts: facts})
	w.add(sealing{facts: facts, parts: func(parts []packet.Part) []packet.Part {
		v, err := packet.Read(parts)
		if err != nil || len(v.Pictures) != 3 {
			t.Fatalf("%d pictures, %v; want page, portrait and live face", len(v.Pictures), err)
		}
		live := []byte("jpeg of live-6") // left out by cutting its frame off
		parts[2].Bytes = parts[2].Bytes[:len(parts[2].Bytes)-len(live)-4-1-len("live-6")]
		return parts
	}})
	got := w.once()
	if r := got[0]; r.Result != proof.Review || !r.Agrees || len(r.Findings) != 0 {
		t.Errorf("got %+v, agrees %t, findings %v", r.Verdict, r.Agrees, r.Findings)
	}
	if f := got[1].Findings; len(f) != 1 || f[0] != EvidenceMissing {
		t.Errorf("without the live face: findings %v", f)
	}
}

// Another policy may be wanted; the default one by name changes nothing.
func TestPolicyInstead(t *testing.T) {
	t.Parallel()
	events := sealing{}.visit(t, wire.RecordID{1})
	parts, err := packet.Build(route.Fold(events), events, func(proof.PictureID) ([]byte, error) { return []byte{1}, nil })
	if err != nil {
		t.Fatal(err)
	}
	v, err := packet.Read(parts)
	if err != nil {
		t.Fatal(err)
	}
	r := Result{record: wire.RecordID{1}.String(), Training: true}
	if got := examine(r, v, "gpg45-0.4"); !got.Agrees {
		t.Errorf("by the visit's own policy: findings %v", got.Findings)
	}
	got := examine(r, v, "gpg45-99")
	if len(got.Findings) != 1 || got.Findings[0] != PolicyUnknown || got.Counter == nil || got.Level != proof.NoLevel {
		t.Errorf("by one that nobody has: %v, %+v", got.Findings, got.Verdict)
	}
	if _, err := json.Marshal(got); err != nil {
		t.Error(err)
	}
}
