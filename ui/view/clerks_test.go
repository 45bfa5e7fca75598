package view_test

import (
	"strings"
	"testing"
	"time"

	"github.com/counterproof/counterproof/agent/api"
	"github.com/counterproof/counterproof/agent/proof"
	"github.com/counterproof/counterproof/ui/form"
	"github.com/counterproof/counterproof/ui/view"
	"github.com/counterproof/counterproof/ui/words"
)

// boss makes the clerk of a state a supervisor who opened a side screen, at a
// counter with accounts in every state and a record with every deed.
func boss(s *view.State, side view.Side) {
	s.Session.Operator = proof.Operator{ID: "sam", Name: "Sam Example", Role: proof.Supervisor}
	s.Visit, s.Side, s.Clerk = nil, side, "kim"
	s.Clerks = []api.Account{
		{Operator: s.Session.Operator, State: api.AccountReady},
		{
			Operator: proof.Operator{ID: "kim", Name: "Kim Hart", Role: proof.Clerk, Training: proof.Training{Impostor: proof.Date{Year: 2026, Month: 3, Day: 1}}},
			State:    api.AccountLocked, Until: now.Add(time.Minute), Changed: now, By: "sam",
		},
		{Operator: proof.Operator{ID: "lou", Role: "new_role"}, State: "new_state"},
	}
	for i, state := range []api.AccountState{api.AccountCode, api.AccountVoid, api.AccountOff} {
		s.Clerks = append(s.Clerks, api.Account{Operator: proof.Operator{ID: proof.OperatorID(rune('a' + i)), Role: proof.Clerk}, State: state})
	}
	s.Issued = &api.Issued{Operator: "kim", Code: "k7m2-q4xa-9dtp-w3hz", Until: now}
	s.Activity = &api.Activity{More: true, Problem: proof.KindLogDamaged}
	for _, k := range append(words.In("en").Codes("deed"), "new_deed") {
		s.Activity.Deeds = append(s.Activity.Deeds, api.Deed{At: now, Who: "kim", Did: api.DeedKind(k)})
	}
	s.Activity.Deeds = append(s.Activity.Deeds,
		api.Deed{At: now, Did: api.DidFail, Whom: "kim"},
		api.Deed{At: now, Who: "sam", Did: api.DidChange, Whom: "kim", Role: proof.Clerk, Training: &proof.Training{}},
		api.Deed{At: now, Who: "kim", Did: api.DidEnd, Case: "c1", Ref: "CP-7K2M-49QX"},
		api.Deed{At: now, Who: "kim", Did: api.DidBegin, Case: "c1"})
}

// bossAt is such a state.
func bossAt(side view.Side) view.State {
	s := signedIn()
	boss(&s, side)
	return s
}

func TestOnlyASupervisorSeesTheClerks(t *testing.T) {
	if got := labels(view.Show(bossAt(view.NoSide))); !strings.Contains(got, "My account / Clerks / Sign out") {
		t.Errorf("a supervisor's home offers %s", got)
	}
	for _, side := range []view.Side{view.SideClerks, view.SideClerk, view.SideAddClerk} {
		s := bossAt(side)
		if got := view.Show(s).Base().Name; got == "home" {
			t.Errorf("%s is not shown to a supervisor", side)
		}
		s.Session.Operator.Role = proof.Clerk
		if got := view.Show(s).Base(); got.Name != "home" || strings.Contains(labels(view.Show(s)), "Clerks") {
			t.Errorf("a clerk who wants %s sees %s", side, got.Name)
		}
	}
	s := bossAt(view.SideClerk)
	s.Clerk = "somebody who is gone"
	if got := view.Show(s).Base().Name; got != "home" {
		t.Errorf("an account that is not there is shown as %s", got)
	}
}

func TestHowAccountsStand(t *testing.T) {
	v, ok := view.Show(bossAt(view.SideClerks)).(view.Notices)
	if !ok {
		t.Fatal("no clerks")
	}
	want := "Kim Hart (kim) · clerk · locked until " + words.In("en").Moment(now.Add(time.Minute).Local()) +
		" · training: face 01/03/2026, documents never, UV and IR never · last changed " + words.In("en").Moment(now.Local()) + " by sam"
	if got := v.List.Options[1]; got.Label != want || got.Key != "kim" || v.List.Preset != "" {
		t.Errorf("kim is %+v, preset %q", got, v.List.Preset)
	}
	if b := v.Banners[0]; b.Title != "k7m2-q4xa-9dtp-w3hz" || !strings.Contains(b.Texts[0], "shown only now") || !strings.Contains(b.Texts[0], "I have a one-time code") {
		t.Errorf("the code is shown as %+v", b)
	}
	var done []api.ClerkDoing
	for _, a := range v.Actions {
		if a.Intent.Verb == view.DoClerk {
			done = append(done, a.Intent.Clerk)
		}
	}
	if len(done) != 4 || v.Escape.Verb != view.DoClose {
		t.Errorf("can do %v, escape does %v", done, v.Escape)
	}
	s := bossAt(view.SideClerks)
	s.Clerks, s.Issued = nil, nil
	if v, _ := view.Show(s).(view.Notices); len(v.List.Options) != 0 || len(v.Banners) != 0 || strings.Contains(labels(v), "Switch") {
		t.Errorf("without accounts: %+v", v)
	}
}

func TestTheFormOfOneClerkBeginsAsItIs(t *testing.T) {
	v, ok := view.Show(bossAt(view.SideClerk)).(view.Sheet)
	if !ok || v.Title != "Role and training of Kim Hart" {
		t.Fatalf("no form: %+v", v)
	}
	role, _ := v.Parts[0].(form.Choice)
	face, _ := v.Parts[1].(form.Field)
	if role.Preset != "clerk" || face.Preset != "01/03/2026" || v.Escape.Side != view.SideClerks {
		t.Errorf("role %q, face %q, escape %v", role.Preset, face.Preset, v.Escape)
	}
	added, _ := view.Show(bossAt(view.SideAddClerk)).(view.Sheet)
	if role, _ := added.Parts[1].(form.Choice); role.Preset != "" || len(added.Parts) != 5 {
		t.Errorf("a new clerk's form is %+v", added.Parts)
	}
}

func TestWhoDidWhat(t *testing.T) {
	s := bossAt(view.SideActivity)
	s.Days, s.Since = 7, now
	v, ok := view.Show(s).(view.Queue)
	if !ok || v.Title != "Who did what" || v.Escape.Side != view.SideClerks {
		t.Fatalf("got %+v", v.Frame)
	}
	text, at := strings.Join(v.Items, "\n"), words.In("en").Moment(now.Local())
	for _, want := range []string{
		at + " · nobody signed in · somebody failed to sign in: kim", "changed role or training: kim, clerk, face never, documents never",
		"ended a visit · CP-7K2M-49QX", "began a visit · visit c1", "There is more that is older.", "no words for",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in\n%s", want, text)
		}
	}
	if len(v.Banners) != 1 || !strings.Contains(v.Banners[0].Texts[0], "missing or were changed") {
		t.Errorf("damage is said as %+v", v.Banners)
	}
	for _, a := range v.Actions {
		if (a.Style == view.Primary) != (a.Intent.Verb == view.DoActivity && a.Intent.Days == 7) {
			t.Errorf("%q looks wrong", a.Label)
		}
	}
	s.Session.Operator.Role = proof.Clerk
	s.Activity = &api.Activity{}
	own, _ := view.Show(s).(view.Queue)
	if own.Title != "What I did" || own.Escape.Side != view.SideAccount || own.Items[0] != "Nothing in this time." || len(own.Banners) != 0 {
		t.Errorf("a clerk sees %+v %v", own.Frame, own.Items)
	}
	for range 500 {
		s.Activity.Deeds = append(s.Activity.Deeds, api.Deed{At: now, Who: "sam", Did: api.DidSignIn})
	}
	if long, _ := view.Show(s).(view.Queue); len(long.Items) != 201 || long.Items[200] != "There is more that is older." {
		t.Errorf("a long record has %d lines", len(long.Items))
	}
}

func TestTheEndOfAShiftIsSaidInTime(t *testing.T) {
	for _, c := range []struct {
		rule  string
		until time.Time
		said  bool
	}{
		{"not told", time.Time{}, false}, {"in the morning", now.Add(11 * time.Hour), false},
		{"just before", now.Add(view.ShiftWarning + 1), false}, {"half an hour before", now.Add(view.ShiftWarning), true},
	} {
		s := signedIn(ask(proof.ExamineDocument)...)
		s.Session.Until = c.until
		if got := view.Heading(s).Shift; (got != "") != c.said || c.said && !strings.Contains(got, words.In("en").Clock(c.until.Local())) {
			t.Errorf("%s: %q", c.rule, got)
		}
	}
	if got := view.Heading(view.State{Words: words.In("en"), Now: now}).Shift; got != "" {
		t.Errorf("nobody is signed in, but %q", got)
	}
}

func TestARescueIsSetUpFromSigningIn(t *testing.T) {
	s := signedIn()
	s.Session = nil
	if got := labels(view.Show(s)); got != "Sign in / I have a one-time code for a PIN / A supervisor unlocks an account / A new supervisor, with the code of a rescue / Devices and light" {
		t.Errorf("signing in offers %s", got)
	}
	s.Side = view.SideFirst
	if v := view.Show(s).Base(); v.Escape.Verb != view.DoClose || !strings.Contains(v.Lead[0], "counterproofd rescue") {
		t.Errorf("got %+v", v)
	}
	s.Side, s.Status.NoClerks = view.NoSide, true
	if v := view.Show(s).Base(); v.Escape.Verb != view.Nothing {
		t.Errorf("the very first account can be left: %+v", v)
	}
}
