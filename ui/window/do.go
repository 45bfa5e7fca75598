package window

import (
	"context"

	"github.com/counterproof/counterproof/agent/api"
	"github.com/counterproof/counterproof/agent/api/client"
	"github.com/counterproof/counterproof/agent/proof"
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
		w.open(i.Side)
	case view.DoClose:
		w.open(view.NoSide)
	case view.DoAnswer:
		w.answer(i.Answer)
	case view.DoReload:
		w.again()
	default:
		w.account(i.Verb)
	}
}

// account does what concerns sessions and the beginning of a visit.
func (w *Window) account(verb view.Verb) {
	c := w.client
	switch verb {
	case view.DoSignIn:
		in := view.SignInFrom(w.form)
		w.session(func(ctx context.Context) (api.Session, error) { return c.SignIn(ctx, in) })
	case view.DoFirst:
		in, hint := view.FirstFrom(w.form)
		if hint != "" {
			w.hint(hint)
			return
		}
		w.session(func(ctx context.Context) (api.Session, error) { return c.FirstClerk(ctx, in) })
	case view.DoHandOver:
		in, id := view.SignInFrom(w.form), w.state.Visit.ID
		w.session(func(ctx context.Context) (api.Session, error) { return c.HandOver(ctx, id, in) })
	case view.DoUnlock:
		w.unlock(view.UnlockFrom(w.form))
	case view.DoSignOut:
		w.request(func(ctx context.Context) (func(), error) {
			err := c.SignOut(ctx)
			return func() { w.signedOut(proof.KindNone) }, err
		})
	case view.DoStart:
		in := view.VisitFrom(w.form)
		w.visit(func(ctx context.Context) (api.Visit, error) { return c.StartVisit(ctx, in) })
	}
}

// hint says what is still missing in what was typed.
func (w *Window) hint(key string) {
	w.state.Hint, w.state.Problem, w.state.Said = key, proof.KindNone, ""
	w.render()
}

// open shows a side screen, or the visit again.
func (w *Window) open(side view.Side) {
	s := &w.state
	s.Side, s.Problem, s.Hint, s.Said, s.Queue = side, proof.KindNone, "", "", nil
	w.render()
	if side == view.SideQueue {
		w.readQueue()
	}
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
			w.lookNow()
			w.reload()
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
	a, hint := view.AnswerFrom(a, w.form, w.state.Visit)
	if hint != "" {
		w.hint(hint)
		return
	}
	id := w.state.Visit.ID
	switch {
	case a.Do == api.DoCancel:
		w.cancel(id, a)
		return
	case a.Do == api.DoAnswer && (a.Ask == proof.CaptureDocument || a.Ask == proof.CaptureFace):
		w.state.Capturing, w.state.Guidance = a.Ask, nil
		w.startPreview()
	}
	w.visit(func(ctx context.Context) (api.Visit, error) { return w.client.Answer(ctx, id, a) })
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
	s.Busy, s.Problem, s.Hint, s.Said = true, proof.KindNone, "", ""
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
	w.form.SetText("secret", "")
	switch kind := proof.KindOf(err); kind {
	case proof.KindDaemonAway:
		w.goneAway()
		w.lookNow()
		return
	case proof.KindSessionEnded:
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
			case proof.KindSessionEnded:
				w.signedOut(kind)
			default:
				w.state.Problem = kind
			}
			w.render()
		}
	})
}
