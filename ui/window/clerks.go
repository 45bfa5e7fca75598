package window

import (
	"context"
	"time"

	"github.com/counterproof/counterproof/agent/api"
	"github.com/counterproof/counterproof/agent/proof"
	"github.com/counterproof/counterproof/ui/form"
	"github.com/counterproof/counterproof/ui/view"
)

// clerks does what concerns accounts and the record of who did what.
func (w *Window) clerks(i view.Intent) {
	switch i.Verb {
	case view.DoCode:
		in, hint := form.CodeSignIn(w.form)
		if hint != (form.Hint{}) {
			w.hint(hint)
			return
		}
		w.session(func(ctx context.Context) (api.Session, error) { return w.client.SignInWithCode(ctx, in) })
	case view.DoSecret:
		w.changeSecret()
	case view.DoClerk:
		w.changeClerk(i.Clerk)
	case view.DoAddClerk:
		in, hint := form.NewClerk(w.form)
		w.accounts(hint, "clerks.said.add", func(ctx context.Context) (api.ClerkList, error) { return w.client.AddClerk(ctx, in) })
	case view.DoActivity:
		w.state.Days = i.Days
		w.state.Said = ""
		w.readActivity()
	case view.DoReport:
		w.printActivity()
	}
}

// changeSecret changes the own secret.
func (w *Window) changeSecret() {
	in, hint := form.NewSecret(w.form)
	if hint != (form.Hint{}) {
		w.hint(hint)
		return
	}
	w.request(func(ctx context.Context) (func(), error) {
		err := w.client.ChangeSecret(ctx, in)
		return func() { w.state.Side, w.state.Said = view.SideAccount, "secret.said" }, err
	})
}

// changeClerk does something with the account that is chosen, or with the one
// whose form stands.
func (w *Window) changeClerk(do api.ClerkDoing) {
	in, whom, hint := api.ClerkChange{Do: do}, w.state.Clerk, form.Hint{}
	if do == api.DoChangeClerk {
		in, hint = form.ClerkChange(w.form)
	} else {
		whom, hint = form.Clerk(w.form)
	}
	w.accounts(hint, "clerks.said."+string(do), func(ctx context.Context) (api.ClerkList, error) {
		return w.client.ChangeClerk(ctx, whom, in)
	})
}

// accounts takes the accounts that a request answers, with what to say of it.
func (w *Window) accounts(hint form.Hint, said string, ask func(context.Context) (api.ClerkList, error)) {
	if hint != (form.Hint{}) {
		w.hint(hint)
		return
	}
	w.state.Issued = nil
	w.request(func(ctx context.Context) (func(), error) {
		list, err := ask(ctx)
		return func() {
			w.state.Clerks, w.state.Issued = list.Clerks, list.Issued
			w.state.Side, w.state.Said = view.SideClerks, said
		}, err
	})
}

// openAccounts reads what a side screen about accounts shows. The form of one
// clerk opens for the one that is chosen.
func (w *Window) openAccounts(side view.Side) bool {
	switch side {
	case view.SideClerk:
		id, hint := form.Clerk(w.form)
		if hint != (form.Hint{}) {
			w.hint(hint)
			return false
		}
		w.state.Clerk = id
	case view.SideActivity:
		w.state.Days, w.state.Activity = 7, nil
	}
	return true
}

// readClerks reads every account.
func (w *Window) readClerks() {
	w.pump.work(func(ctx context.Context) func() {
		list, err := w.client.Clerks(ctx)
		return func() {
			if err != nil {
				w.failed(err)
				return
			}
			w.state.Clerks = list.Clerks
			w.render()
		}
	})
}

// since is the moment some days back, to the minute.
func since(days int) time.Time { return time.Now().AddDate(0, 0, -days).Truncate(time.Minute) }

// readActivity reads who did what.
func (w *Window) readActivity() {
	from := since(w.state.Days)
	w.request(func(ctx context.Context) (func(), error) {
		list, err := w.client.Activity(ctx, from)
		return func() { w.state.Activity, w.state.Since = &list, from }, err
	})
}

// printActivity prints what stands on the screen.
func (w *Window) printActivity() {
	in := api.Report{From: w.state.Since, Language: w.state.Words.Language()}
	if in.From.IsZero() {
		in.From = since(w.state.Days)
	}
	w.request(func(ctx context.Context) (func(), error) {
		err := w.client.PrintActivity(ctx, in)
		return func() { w.state.Said = "activity.said.print" }, err
	})
}

// over reports a Kind that ends the session on this screen.
func over(k proof.Kind) bool {
	return k == proof.KindSessionEnded || k == proof.KindShiftOver || k == proof.KindSessionClosed
}

// warnOfShift shows in time that the session is about to end. The wait for the
// session before is over.
func (w *Window) warnOfShift(s api.Session) {
	if w.shift != nil {
		close(w.shift)
	}
	next := make(chan struct{})
	w.shift = next
	w.pump.work(func(context.Context) func() {
		w.pump.wait(time.Until(s.Until.Add(-view.ShiftWarning)), next)
		return w.render
	})
}
