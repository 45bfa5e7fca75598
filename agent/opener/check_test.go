package opener

import (
	"testing"

	"github.com/counterproof/counterproof/agent/opener/check"
	"github.com/counterproof/counterproof/agent/packet"
	"github.com/counterproof/counterproof/agent/proof"
)

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
	if f := got[1].Findings; len(f) != 1 || f[0] != check.EvidenceMissing {
		t.Errorf("without the live face: findings %v", f)
	}
}
