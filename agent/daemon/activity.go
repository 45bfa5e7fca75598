package daemon

import (
	"context"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/counterproof/counterproof/agent/api"
	"github.com/counterproof/counterproof/agent/clerklog"
	"github.com/counterproof/counterproof/agent/desk"
	"github.com/counterproof/counterproof/agent/proof"
)

// quietFor is how long the same wrong try, at an account that is not there or is
// locked, gets no second line: guessing must not push others' lines out.
const quietFor = time.Minute

// deeds notes who did what.
type deeds struct {
	log *clerklog.Log
	mu  sync.Mutex
	// last is when a wrong try was noted, by account; only accounts that are
	// there and "" have an entry.
	last map[proof.OperatorID]time.Time
}

// note writes a line. A record that cannot be written stops nobody's work: that
// it failed goes to the log of the program.
func (d *deeds) note(deed api.Deed) {
	if d == nil {
		return
	}
	if deed.At.IsZero() {
		deed.At = time.Now()
	}
	deed.At = deed.At.UTC()
	if err := d.log.Add(deed); err != nil {
		slog.Error("who did what is not recorded", "kind", string(proof.KindOf(err)), "err", err)
	}
}

// failed notes a wrong try at an account, "" where there is none of that name:
// what was typed may be a secret, or a patient's name.
func (d *deeds) failed(whom proof.OperatorID, why proof.Kind) {
	now := time.Now()
	d.mu.Lock()
	quiet := (whom == "" || why != proof.KindSignIn && why != proof.KindPINCode) && now.Sub(d.last[whom]) < quietFor
	if !quiet {
		d.last[whom] = now
	}
	d.mu.Unlock()
	if !quiet {
		d.note(api.Deed{At: now, Did: api.DidFail, Whom: whom})
	}
}

// endings are what is noted of sessions that ended by themselves.
var endings = map[proof.Kind]api.DeedKind{
	proof.KindSessionEnded: api.DidIdle, proof.KindShiftOver: api.DidShift, proof.KindSessionClosed: api.DidClosed,
}

// noteEnded notes the sessions that ended by themselves, and has their screens
// told at once.
func (s *server) noteEnded(now time.Time) {
	over := s.sessions.take(now)
	for _, e := range over {
		s.c.deeds.note(api.Deed{At: e.at, Who: e.op, Did: endings[e.why]})
	}
	if len(over) > 0 {
		s.news.tell(api.Event{Kind: api.EventVisit}) // every stream looks whether its session lives
	}
}

// lookAtSessions is how often sessions are looked at.
const lookAtSessions = 5 * time.Second

// watchSessions ends sessions in time, also those of screens that ask nothing.
func (s *server) watchSessions(ctx context.Context) error {
	tick := time.NewTicker(lookAtSessions)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			s.noteEnded(time.Now())
		}
	}
}

// noteStep notes what an answer came to: the slip that was printed, and the end.
func (s *server) noteStep(op proof.Operator, ask proof.AskKind, before, after api.Visit) {
	deed := api.Deed{Who: op.ID, Case: after.ID, Ref: after.Ref}
	if after.Slip != nil && after.Slip.Printed && (ask == proof.PrintSlip || before.Slip == nil || !before.Slip.Printed) {
		deed.Did = api.DidPrintSlip
		s.c.deeds.note(deed)
	}
	if after.Ended && !before.Ended {
		deed.Did = api.DidEnd
		s.c.deeds.note(deed)
	}
}

// activity answers who did what: everybody's to a supervisor, the own to others.
func (s *server) activity(r *http.Request, op proof.Operator) (any, error) {
	from, err := time.Parse(time.RFC3339, r.URL.Query().Get("from"))
	if err != nil {
		return nil, &proof.Error{Op: "reading a request", Kind: proof.KindBadRequest}
	}
	return s.record(op, from)
}

// record reads the record as an operator may see it.
func (s *server) record(op proof.Operator, from time.Time) (api.Activity, error) {
	s.noteEnded(time.Now())
	return s.c.deeds.log.List(clerklog.Wish{From: from, About: about(op)})
}

// about is whose record an operator sees, "" for everybody's.
func about(op proof.Operator) proof.OperatorID {
	if op.Role == proof.Supervisor {
		return ""
	}
	return op.ID
}

// maxPrinted is how many lines of the record are printed: some metres of paper.
const maxPrinted = 150

// printActivity prints the record as it is answered.
func (s *server) printActivity(r *http.Request, op proof.Operator) (any, error) {
	in, err := read[api.Report](r)
	if err != nil {
		return nil, err
	}
	record, err := s.record(op, in.From)
	if err != nil {
		return nil, err
	}
	if len(record.Deeds) > maxPrinted {
		record.Deeds, record.More = record.Deeds[:maxPrinted], true
	}
	if err := s.c.slips().Report(r.Context(), in, about(op), record); err != nil {
		return nil, &proof.Error{Op: "printing the record", Kind: desk.DeviceKind(err), Err: err}
	}
	s.c.deeds.note(api.Deed{Who: op.ID, Did: api.DidPrintDeeds})
	return struct{}{}, nil
}
