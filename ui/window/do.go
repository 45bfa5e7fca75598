package window

import (
	"context"
	"slices"

	"github.com/counterproof/counterproof/agent/api"
	"github.com/counterproof/counterproof/agent/api/client"
	"github.com/counterproof/counterproof/agent/proof"
	"github.com/counterproof/counterproof/ui/form"
	"github.com/counterproof/counterproof/ui/view"
)

// do does what was pressed. While a request is under way only stopping a capture
// and trying again are heard.
func (w *Window) do(i view.Intent) {
	if w.state.Busy && i.Answer.Do != api.DoCancel && i.Verb != view.DoReload {
		return
	}
	switch i.Verb {
	case view.DoOpen:
		w.soon(func() { w.open(i.Side) })
	case view.DoClose:
		w.soon(func() { w.open(view.NoSide) })
	case view.DoAnswer:
		w.answer(i.Answer)
	case view.DoStart:
		in := form.Visit(w.form, i.Route)
		w.state.Chosen = ""
		w.visit(func(ctx context.Context) (api.Visit, error) { return w.client.StartVisit(ctx, in) })
	case view.DoNotice:
		w.notice(i.Print)
	case view.DoLook:
		w.lookForNews()
	case view.DoReload:
		w.again()
	case view.DoTry, view.DoLight, view.DoFindings:
		w.doctor(i)
	case view.DoCode, view.DoSecret, view.DoClerk, view.DoAddClerk, view.DoActivity, view.DoReport:
		w.clerks(i)
	default:
		w.account(i.Verb)
	}
}

// soon does something after the key that was pressed is through: the letter that
// comes with a digit must not be typed into the next screen's first field.
func (w *Window) soon(f func()) {
	w.pump.work(func(context.Context) func() { return f })
}

// account does what clerks sign.
func (w *Window) account(verb view.Verb) {
	c := w.client
	switch verb {
	case view.DoSignIn:
		in := form.SignIn(w.form)
		w.session(func(ctx context.Context) (api.Session, error) { return c.SignIn(ctx, in) })
	case view.DoFirst:
		in, hint := form.First(w.form)
		if hint != (form.Hint{}) {
			w.hint(hint)
			return
		}
		w.session(func(ctx context.Context) (api.Session, error) { return c.FirstClerk(ctx, in) })
	case view.DoHandOver:
		in, id := form.SignIn(w.form), w.state.Visit.ID
		w.session(func(ctx context.Context) (api.Session, error) { return c.HandOver(ctx, id, in) })
	case view.DoSecond:
		in, hint := form.Second(w.form, w.state.Visit)
		if hint != (form.Hint{}) {
			w.hint(hint)
			return
		}
		id := w.state.Visit.ID
		w.visit(func(ctx context.Context) (api.Visit, error) { return c.Second(ctx, id, in) })
	case view.DoUnlock:
		w.unlock(form.Unlock(w.form))
	case view.DoSignOut:
		w.request(func(ctx context.Context) (func(), error) {
			err := c.SignOut(ctx)
			return func() { w.signedOut(proof.KindNone) }, err
		})
	}
}

// hint says what is still missing in what was typed.
func (w *Window) hint(h form.Hint) {
	w.state.Hint, w.state.Problem, w.state.Said = h, proof.KindNone, ""
	w.told = news{}
	w.rebuild()
}

// open shows a side screen, or the visit again.
func (w *Window) open(side view.Side) {
	if !w.openAccounts(side) {
		return
	}
	s := &w.state
	w.endLight()
	s.Side, s.Problem, s.Hint, s.Said, s.Queue, s.Issued, s.Tried = side, proof.KindNone, form.Hint{}, "", nil, nil, nil
	w.render()
	switch side {
	case view.SideQueue:
		w.readQueue()
	case view.SideNotices:
		w.readNotices()
	case view.SideClerks:
		w.readClerks()
	case view.SideActivity:
		w.readActivity()
	case view.SideDoctor:
		w.readDoctor()
	}
}

// readNotices reads the news of earlier visits. Where that fails there is none:
// it comes again with the next look.
func (w *Window) readNotices() {
	w.pump.work(func(ctx context.Context) func() {
		list, err := w.client.Notices(ctx)
		if err != nil {
			return nil
		}
		return func() {
			w.state.Notices = list.Notices
			w.render()
		}
	})
}

// lookForNews has the centre asked for news while the patient waits.
func (w *Window) lookForNews() {
	w.request(func(ctx context.Context) (func(), error) {
		list, err := w.client.LookForNews(ctx)
		return func() { w.state.Notices, w.state.Said = list.Notices, "notices.said.look" }, err
	})
}

// notice marks the news that is chosen as seen, and prints its slip if that is
// wished.
func (w *Window) notice(slip bool) {
	in, hint := form.Notice(w.form, slip)
	if hint != (form.Hint{}) {
		w.hint(hint)
		return
	}
	w.request(func(ctx context.Context) (func(), error) {
		err := w.client.NoticeSeen(ctx, in)
		return func() {
			w.state.Said = "notices.said.seen"
			if slip {
				w.state.Said = "notices.said.print"
			}
			w.readNotices()
		}, err
	})
}

// readQueue reads the records of the queue.
func (w *Window) readQueue() {
	w.pump.work(func(ctx context.Context) func() {
		list, err := w.client.Queue(ctx)
		return func() {
			if err != nil {
				w.failed(err)
				return
			}
			w.state.Queue = &list
			if w.state.Status != nil {
				w.state.Status.Queue = list.Queue
			}
			w.render()
		}
	})
}

// again tries again: it looks at the counter and reads the visit.
func (w *Window) again() {
	w.lookNow()
	if w.state.Session != nil && !w.state.Away {
		w.reload()
	}
}

// unlock lets a locked clerk in again.
func (w *Window) unlock(in api.Unlock) {
	w.request(func(ctx context.Context) (func(), error) {
		err := w.client.Unlock(ctx, in)
		return func() { w.state.Side, w.state.Said = view.NoSide, "unlock.done" }, err
	})
}

// session begins a session by a request, and goes on with the open visit.
func (w *Window) session(ask func(context.Context) (api.Session, error)) {
	w.request(func(ctx context.Context) (func(), error) {
		s, err := ask(ctx)
		return func() {
			w.state.Session, w.state.Side = &s, view.NoSide
			w.warnOfShift(s)
			w.lookNow()
			w.reload()
			w.readNotices()
		}, err
	})
}

// visit takes the visit that a request answers.
func (w *Window) visit(ask func(context.Context) (api.Visit, error)) {
	w.request(func(ctx context.Context) (func(), error) {
		v, err := ask(ctx)
		return func() { w.state.Visit, w.state.Side = &v, view.NoSide }, err
	})
}

// answer answers an ask of the visit.
func (w *Window) answer(a api.Answer) {
	if w.state.Visit == nil {
		return
	}
	a, hint := form.Answer(a, w.form, w.state.Visit)
	if hint != (form.Hint{}) {
		w.hint(hint)
		return
	}
	id := w.state.Visit.ID
	switch {
	case a.Do == api.DoCancel:
		w.cancel(id, a)
		return
	case a.Do == api.DoAnswer && slices.Contains(captures, a.Ask):
		w.state.Capturing, w.state.Guidance, w.state.Percent = a.Ask, nil, 0
		if a.Ask != proof.ReadChip {
			w.startPreview()
		}
	case a.Do == api.DoAnswer && a.Ask == proof.ChooseEvidence:
		w.state.Chosen = a.Type
	}
	w.request(func(ctx context.Context) (func(), error) {
		v, err := w.client.Answer(ctx, id, a)
		return func() {
			w.state.Visit, w.state.Said = &v, said(a, v)
			if a.Do != api.DoTable { // what is ticked stays in sight
				w.state.Side = view.NoSide
			}
		}, err
	})
}

// captures are the asks that a camera answers, or the chip reader.
var captures = []proof.AskKind{proof.CaptureDocument, proof.CaptureFace, proof.ScanEvidence, proof.ReadChip}

// said is the key of what an answer is acknowledged with, "" where the next
// screen says enough.
func said(a api.Answer, v api.Visit) string {
	switch {
	case a.Do == api.DoConcern:
		return "concern.said"
	case a.Do == api.DoTable && len(v.Plans) > 0:
		return "ask.choose_evidence.said"
	case a.Do == api.DoTable:
		return "plan.none"
	}
	return ""
}

// cancel ends the capture that runs; its own request then comes back.
func (w *Window) cancel(id proof.CaseID, a api.Answer) {
	w.pump.work(func(ctx context.Context) func() {
		_, err := w.client.Answer(ctx, id, a)
		if err == nil {
			return nil
		}
		return func() { w.failed(err) }
	})
}

// request asks the daemon something, one at a time, and shows what came of it.
func (w *Window) request(ask func(ctx context.Context) (then func(), err error)) {
	s := &w.state
	s.Busy, s.Problem, s.Hint, s.Said = true, proof.KindNone, form.Hint{}, ""
	w.render()
	w.pump.work(func(ctx context.Context) func() {
		then, err := ask(ctx)
		return func() {
			s.Busy, s.Capturing = false, ""
			w.endPreview()
			if err != nil {
				w.failed(err)
				return
			}
			then()
			w.render()
		}
	})
}

// failed shows what went wrong. After it the visit is read again, because what
// was recorded before the failure stays.
func (w *Window) failed(err error) {
	s := &w.state
	for _, key := range []string{"secret", "again", "old"} {
		w.form.SetText(key, "")
	}
	switch kind := proof.KindOf(err); kind {
	case proof.KindDaemonAway:
		w.goneAway()
		w.lookNow()
		return
	case proof.KindSessionEnded, proof.KindShiftOver, proof.KindSessionClosed:
		w.signedOut(kind)
		return
	case proof.KindCancelled:
		s.Problem = proof.KindNone
	default:
		s.Problem, s.Until = kind, client.Until(err)
	}
	w.rebuild()
	if s.Session != nil {
		w.reload()
	}
}

// rebuild shows the state even where it says the same as before: what was typed
// may have changed.
func (w *Window) rebuild() {
	w.shown = nil
	w.render()
}

// reload reads the visit that is open.
func (w *Window) reload() {
	w.pump.work(func(ctx context.Context) func() {
		v, err := w.client.Visit(ctx)
		return func() {
			switch kind := proof.KindOf(err); kind {
			case proof.KindNone:
				w.state.Visit = &v
			case proof.KindNoVisit:
				w.state.Visit = nil
			case proof.KindDaemonAway:
				w.goneAway()
			case proof.KindSessionEnded, proof.KindShiftOver, proof.KindSessionClosed:
				w.signedOut(kind)
			default:
				w.state.Problem = kind
			}
			w.render()
		}
	})
}
