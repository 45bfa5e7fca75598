package view

import (
	"slices"
	"strings"
	"time"

	"github.com/counterproof/counterproof/agent/api"
	"github.com/counterproof/counterproof/agent/proof"
	"github.com/counterproof/counterproof/ui/form"
	"github.com/counterproof/counterproof/ui/words"
)

// ShiftWarning is how long before its end a session says so on every screen.
const ShiftWarning = 30 * time.Minute

// shiftLine warns in time that the session ends, "" before.
func shiftLine(s State) string {
	if s.Session == nil || s.Session.Until.IsZero() || s.Session.Until.Sub(s.Now) > ShiftWarning {
		return ""
	}
	return s.Words.Say("head.shift", "time", s.Words.Clock(s.Session.Until.Local()))
}

// accountSide is the side screen about accounts, nil where another is wanted.
func accountSide(s State) Screen {
	boss := s.Session.Operator.Role == proof.Supervisor
	switch {
	case s.Side == SideClerks && boss:
		return clerks(s)
	case s.Side == SideClerk && boss && account(s) != nil:
		return oneClerk(s)
	case s.Side == SideAddClerk && boss:
		return addClerk(s)
	case s.Side == SideAccount:
		return ownAccount(s)
	case s.Side == SideSecret:
		return ownSecret(s)
	case s.Side == SideActivity:
		return activity(s)
	}
	return nil
}

// aside begins a side screen from which escape goes back to another.
func aside(s State, name string, back Side) Frame {
	f := frame(s, name)
	f.Escape = Intent{Verb: DoOpen, Side: back}
	if back == NoSide {
		f.Escape = Intent{Verb: DoClose}
	}
	return f
}

// back is the button that does what escape does.
func back(w words.Words, f Frame) Action { return Action{w.Say("act.back"), f.Escape, Secondary} }

// account is the account that was chosen, nil where it is not there.
func account(s State) *api.Account {
	for _, a := range s.Clerks {
		if a.ID == s.Clerk {
			return &a
		}
	}
	return nil
}

// clerks lists the accounts, and what a supervisor can do with one.
func clerks(s State) Screen {
	w, f := s.Words, aside(s, "clerks", NoSide)
	f.Title, f.Lead = w.Say("clerks.title"), []string{w.Say("clerks.lead")}
	if i := s.Issued; i != nil {
		f.Banners = append(f.Banners, Banner{Info, i.Code, []string{
			w.Say("clerks.issued", "id", string(i.Operator), "time", w.Moment(i.Until.Local()), "action", w.Say("signin.code")),
		}})
	}
	v := Notices{List: form.Choice{Key: form.ClerkKey, Label: w.Say("clerks.choose")}}
	for _, a := range s.Clerks {
		v.List.Options = append(v.List.Options, form.Option{Key: string(a.ID), Label: accountLine(w, a)})
	}
	do := func(key string, do api.ClerkDoing, style Style) Action {
		return Action{w.Say("clerks." + key), Intent{Verb: DoClerk, Clerk: do}, style}
	}
	if len(v.List.Options) == 0 {
		f.Lead = append(f.Lead, w.Say("clerks.none"))
	} else {
		f.Actions = []Action{
			open(w.Say("clerks.change"), SideClerk, Primary), do("code", api.DoReset, Secondary), do("unlock", api.DoUnlockClerk, Secondary),
			do("disable", api.DoDisable, Warning), do("enable", api.DoEnable, Secondary),
		}
	}
	f.Actions = append(f.Actions, open(w.Say("clerks.add"), SideAddClerk, Secondary), open(w.Say("clerks.activity"), SideActivity, Secondary), back(w, f))
	v.Frame = f
	return v
}

// accountLine says how an account stands: name, role, state, training.
func accountLine(w words.Words, a api.Account) string {
	state := w.Named("account", string(a.State))
	if !a.Until.IsZero() {
		state = w.Say("account.until", "state", state, "time", w.Moment(a.Until.Local()))
	}
	line := w.Say("clerks.item", "name", a.Name, "id", string(a.ID), "role", w.Named("opright", string(a.Role)), "state", state, "training", trained(w, a.Training))
	if !a.Changed.IsZero() {
		line += " · " + w.Say("clerks.changed", "time", w.Moment(a.Changed.Local()), "by", string(a.By))
	}
	return line
}

// trained says the days of training.
func trained(w words.Words, t proof.Training) string {
	var all []string
	for _, d := range []struct {
		key string
		day proof.Date
	}{{"impostor", t.Impostor}, {"document", t.Document}, {"uvir", t.UVIR}} {
		day := w.Say("training.never")
		if d.day != (proof.Date{}) {
			day = w.Day(d.day)
		}
		all = append(all, w.Say("training."+d.key, "day", day))
	}
	return strings.Join(all, ", ")
}

// oneClerk changes a clerk's role and training.
func oneClerk(s State) Screen {
	w, f, a := s.Words, aside(s, "clerk", SideClerks), account(s)
	f.Title, f.Lead = w.Say("clerk.title", "name", a.Name), []string{w.Say("clerk.lead")}
	f.Actions = []Action{{w.Say("clerk.do"), Intent{Verb: DoClerk, Clerk: api.DoChangeClerk}, Primary}, back(w, f)}
	return Sheet{f, form.ClerkParts(w, &a.Operator, s.Hint, s.Problem)}
}

// addClerk makes a further account.
func addClerk(s State) Screen {
	w, f := s.Words, aside(s, "add_clerk", SideClerks)
	f.Title, f.Lead = w.Say("clerk.add.title"), []string{w.Say("clerk.add.lead"), w.Say("clerk.lead")}
	f.Actions = []Action{act(w.Say("clerk.add.do"), Primary, DoAddClerk), back(w, f)}
	return Sheet{f, form.ClerkParts(w, nil, s.Hint, s.Problem)}
}

// ownAccount is what a clerk can see and do about the own account.
func ownAccount(s State) Screen {
	w, f, op := s.Words, aside(s, "account", NoSide), s.Session.Operator
	f.Title = w.Say("account.title")
	f.Lead = []string{
		w.Say("account.name", "name", op.Name, "id", string(op.ID), "role", w.Named("opright", string(op.Role))),
		w.Say("account.training", "training", trained(w, op.Training)),
	}
	if !s.Session.Until.IsZero() {
		f.Lead = append(f.Lead, w.Say("account.shift", "time", w.Moment(s.Session.Until.Local())))
	}
	f.Actions = []Action{open(w.Say("account.secret"), SideSecret, Secondary), open(w.Say("account.activity"), SideActivity, Secondary), back(w, f)}
	return Notice{f}
}

// ownSecret changes the own secret.
func ownSecret(s State) Screen {
	w, f := s.Words, aside(s, "secret", SideAccount)
	f.Title = w.Say("secret.title")
	f.Actions = []Action{act(w.Say("secret.do"), Primary, DoSecret), back(w, f)}
	return Sign{f, append([]form.Field{{Key: "old", Label: w.Say("secret.old"), Secret: true}}, newSecret(s)...)}
}

// newSecret are the two fields of a secret that is chosen.
func newSecret(s State) []form.Field {
	w := s.Words
	q := form.Question{Words: w, Hint: s.Hint, Problem: s.Problem}
	return []form.Field{
		{Key: "secret", Label: w.Say("first.secret"), Secret: true},
		q.Judged(form.Field{Key: "again", Label: w.Say("first.again"), Secret: true}),
	}
}

// codeSignIn sets an own secret with a one-time code.
func codeSignIn(s State) Screen {
	w, f := s.Words, aside(s, "code", NoSide)
	f.Title, f.Lead = w.Say("code.title"), []string{w.Say("code.lead")}
	f.Actions = []Action{act(w.Say("code.do"), Primary, DoCode), back(w, f)}
	fields := []form.Field{{Key: "operator", Label: w.Say("code.operator")}, {Key: "code", Label: w.Say("code.code")}}
	return Sign{f, append(fields, newSecret(s)...)}
}

// periods are the times that the record can be read for, in days.
var periods = []struct {
	key  string
	days int
}{{"day", 1}, {"week", 7}, {"quarter", 92}}

// shownDeeds bounds the lines on a screen; the rest is on paper.
const shownDeeds = 200

// activity lists who did what: everybody's to a supervisor, the own to others.
func activity(s State) Screen {
	from, title := SideAccount, "activity.title"
	if s.Session.Operator.Role == proof.Supervisor {
		from, title = SideClerks, "activity.all"
	}
	w, f := s.Words, aside(s, "activity", from)
	f.Title = w.Say(title)
	for _, p := range periods {
		style := Secondary
		if p.days == s.Days {
			style = Primary
		}
		f.Actions = append(f.Actions, Action{w.Say("activity." + p.key), Intent{Verb: DoActivity, Days: p.days}, style})
	}
	f.Actions = append(f.Actions, Action{w.Say("activity.print"), Intent{Verb: DoReport, Days: s.Days}, Secondary}, back(w, f))
	v := Queue{Frame: f}
	if s.Activity == nil {
		v.Lead = []string{w.Say("word.working")}
		return v
	}
	v.Lead = []string{w.Say("activity.lead", "time", w.Moment(s.Since.Local()))}
	if k := s.Activity.Problem; k != proof.KindNone && k != s.Problem {
		v.Banners = append(slices.Clone(f.Banners), problem(w, k))
	}
	for _, d := range s.Activity.Deeds[:min(shownDeeds, len(s.Activity.Deeds))] {
		v.Items = append(v.Items, deedLine(w, d))
	}
	if len(v.Items) == 0 {
		v.Items = []string{w.Say("activity.none")}
	}
	if s.Activity.More || len(s.Activity.Deeds) > shownDeeds {
		v.Items = append(v.Items, w.Say("activity.more"))
	}
	return v
}

// deedLine says one deed in a line.
func deedLine(w words.Words, d api.Deed) string {
	who, said := string(d.Who), w.Or("deed", string(d.Did), "other")
	if who == "" {
		who = w.Say("activity.nobody")
	}
	if d.Whom != "" {
		said = w.Say("activity.whom", "deed", said, "whom", string(d.Whom))
	}
	if d.Role != "" {
		said += ", " + w.Named("opright", string(d.Role))
	}
	if d.Training != nil {
		said += ", " + trained(w, *d.Training)
	}
	switch {
	case d.Ref != "":
		said = w.Say("activity.ref", "deed", said, "ref", string(d.Ref))
	case d.Case != "":
		said = w.Say("activity.case", "deed", said, "case", string(d.Case))
	}
	return w.Say("activity.line", "time", w.Moment(d.At.Local()), "who", who, "deed", said)
}
