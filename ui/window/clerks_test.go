package window

import (
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"fyne.io/fyne/v2"

	"github.com/counterproof/counterproof/agent/api"
	"github.com/counterproof/counterproof/agent/proof"
	"github.com/counterproof/counterproof/ui/form"
	"github.com/counterproof/counterproof/ui/view"
)

// office is what a counter of the test's own keeps about clerks.
type office struct {
	role    proof.Role // of whoever signs in
	until   time.Time  // of their session
	clerks  []api.Account
	codes   []api.CodeSignIn
	secrets []api.NewSecret
	added   []api.NewClerk
	changes map[proof.OperatorID][]api.ClerkChange
	asked   []string // from when the record was read
	printed []api.Report
}

// clerkRoutes answers what concerns accounts.
func (c *counter) clerkRoutes(on func(string, func(*http.Request) (any, proof.Kind))) {
	on("POST "+api.PathCode, func(r *http.Request) (any, proof.Kind) {
		var in api.CodeSignIn
		json.NewDecoder(r.Body).Decode(&in)
		c.mu.Lock()
		c.codes = append(c.codes, in)
		c.mu.Unlock()
		return c.signIn(r)
	})
	on("POST "+api.PathSecret, func(r *http.Request) (any, proof.Kind) {
		var in api.NewSecret
		json.NewDecoder(r.Body).Decode(&in)
		c.mu.Lock()
		c.secrets = append(c.secrets, in)
		c.mu.Unlock()
		return struct{}{}, c.fail()
	})
	on("GET "+api.PathClerks, func(*http.Request) (any, proof.Kind) { return api.ClerkList{Clerks: c.clerks}, c.fail() })
	on("POST "+api.PathClerks, func(r *http.Request) (any, proof.Kind) {
		var in api.NewClerk
		json.NewDecoder(r.Body).Decode(&in)
		c.mu.Lock()
		c.added = append(c.added, in)
		c.mu.Unlock()
		return api.ClerkList{Clerks: c.clerks, Issued: &api.Issued{Operator: "lou", Code: "aaaa-bbbb-cccc-dddd"}}, c.fail()
	})
	on("POST "+api.PathClerk, func(r *http.Request) (any, proof.Kind) {
		var in api.ClerkChange
		json.NewDecoder(r.Body).Decode(&in)
		c.mu.Lock()
		id := proof.OperatorID(r.PathValue("id"))
		c.changes[id] = append(c.changes[id], in)
		c.mu.Unlock()
		return api.ClerkList{Clerks: c.clerks}, c.fail()
	})
	on("GET "+api.PathActivity, func(r *http.Request) (any, proof.Kind) {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.office.asked = append(c.office.asked, r.URL.Query().Get("from"))
		return api.Activity{Deeds: []api.Deed{{At: time.Now(), Who: "sam", Did: api.DidSignIn}}}, ""
	})
	on("POST "+api.PathReport, func(r *http.Request) (any, proof.Kind) {
		var in api.Report
		json.NewDecoder(r.Body).Decode(&in)
		c.mu.Lock()
		c.printed = append(c.printed, in)
		c.mu.Unlock()
		return struct{}{}, c.fail()
	})
}

// staffed is a counter whose sam is a supervisor beside the clerk kim.
func staffed(t *testing.T) (*counter, string) {
	c, socket := newCounter(t)
	c.office = office{role: proof.Supervisor, changes: map[proof.OperatorID][]api.ClerkChange{}, clerks: []api.Account{
		{Operator: proof.Operator{ID: "sam", Name: "Sam Example", Role: proof.Supervisor}, State: api.AccountReady},
		{Operator: proof.Operator{ID: "kim", Name: "Kim Hart", Role: proof.Clerk}, State: api.AccountReady},
	}}
	return c, socket
}

// presses presses the button with a label.
func (s *seat) presses(label string) {
	s.t.Helper()
	for _, a := range s.shown.Base().Actions {
		if a.Label == label {
			s.do(a.Intent)
			return
		}
	}
	s.t.Fatalf("%s has no button %q", s.page.Name, label)
}

// atClerks signs in and opens the list of clerks.
func (s *seat) atClerks() {
	s.t.Helper()
	s.signsIn()
	s.on("home")
	s.presses("Clerks")
	s.until("the accounts", func() bool { return s.page.Name == "clerks" && len(s.state.Clerks) == 2 })
}

func TestASupervisorLooksAfterTheClerks(t *testing.T) {
	c, socket := staffed(t)
	s := sit(t, socket)
	s.atClerks()
	s.presses("Switch the account off")
	if s.state.Hint.Key != "clerks.first" || len(c.changes) != 0 {
		t.Fatalf("nobody chosen: hint %v, changes %v", s.state.Hint, c.changes)
	}
	s.form.SetText(form.ClerkKey, "kim")
	for i, step := range []struct {
		button string
		want   api.ClerkDoing
	}{
		{"Switch the account off", api.DoDisable}, {"Switch the account on", api.DoEnable},
		{"Issue a one-time code for a PIN", api.DoReset}, {"Unlock the account", api.DoUnlockClerk},
	} {
		s.presses(step.button)
		s.until(step.button, func() bool { return s.state.Said == "clerks.said."+string(step.want) && !s.state.Busy })
		if got := c.changes["kim"]; len(got) != i+1 || got[i].Do != step.want {
			t.Errorf("%s sent %+v", step.button, got)
		}
	}
	s.presses("Change role and training")
	s.on("clerk")
	s.form.SetText("role", "supervisor")
	s.form.SetText("impostor", "01/03/2026")
	s.presses("Save")
	s.on("clerks")
	got := c.changes["kim"][4]
	if got.Do != api.DoChangeClerk || got.Role != proof.Supervisor || got.Training.Impostor != (proof.Date{Year: 2026, Month: 3, Day: 1}) {
		t.Errorf("saved %+v", got)
	}
}

func TestANewClerksCodeIsShownOnce(t *testing.T) {
	c, socket := staffed(t)
	s := sit(t, socket)
	s.atClerks()
	s.presses("Add a clerk")
	s.on("add_clerk")
	s.presses("Make the account")
	if s.state.Hint.Field != "name" || len(c.added) != 0 {
		t.Errorf("without a name: hint %v", s.state.Hint)
	}
	s.form.SetText("name", "Lou Marsh")
	s.form.SetText("role", "clerk")
	s.presses("Make the account")
	s.on("clerks")
	if len(c.added) != 1 || c.added[0].Secret != "" || s.state.Issued == nil || s.shown.Base().Banners[1].Title != "aaaa-bbbb-cccc-dddd" {
		t.Fatalf("added %+v, banners %+v", c.added, s.shown.Base().Banners)
	}
	s.presses("Back")
	s.on("home")
	s.presses("Clerks")
	s.until("the accounts again", func() bool { return s.page.Name == "clerks" })
	if s.state.Issued != nil || len(s.shown.Base().Banners) != 0 {
		t.Error("the code is shown twice")
	}
}

func TestAProblemWithAnAccountIsShown(t *testing.T) {
	c, socket := staffed(t)
	s := sit(t, socket)
	s.atClerks()
	s.form.SetText(form.ClerkKey, "sam")
	c.mu.Lock()
	c.problem = proof.KindOwnAccount
	c.mu.Unlock()
	s.presses("Switch the account off")
	s.until("the problem", func() bool { return s.state.Problem == proof.KindOwnAccount && !s.state.Busy })
	if s.page.Name != "clerks" || s.form.Text(form.ClerkKey) != "sam" {
		t.Errorf("on %s, chosen %q", s.page.Name, s.form.Text(form.ClerkKey))
	}
}

func TestTheFirstSecretByOneTimeCode(t *testing.T) {
	c, socket := newCounter(t)
	s := sit(t, socket)
	s.on("sign_in")
	s.digit(fyne.Key2)
	s.on("code")
	for key, text := range map[string]string{"operator": "sam", "code": "aaaa-bbbb-cccc-dddd", "secret": "135790", "again": "135791"} {
		s.form.SetText(key, text)
	}
	s.presses("Set the PIN and sign in")
	if s.state.Hint.Field != "again" || len(c.codes) != 0 {
		t.Fatalf("two secrets: hint %v", s.state.Hint)
	}
	s.form.SetText("again", "135790")
	c.mu.Lock()
	c.problem = proof.KindPINCode
	c.mu.Unlock()
	s.presses("Set the PIN and sign in")
	s.until("the problem", func() bool { return s.state.Problem == proof.KindPINCode && !s.state.Busy })
	if s.form.Text("secret") != "" || s.form.Text("again") != "" || s.form.Text("code") == "" {
		t.Error("after a wrong code the secrets stay, or the code is gone")
	}
	s.form.SetText("secret", "135790")
	s.form.SetText("again", "135790")
	s.presses("Set the PIN and sign in")
	s.on("home")
	if got := c.codes[1]; got.Operator != "sam" || got.Secret != "135790" || got.Code != "aaaa-bbbb-cccc-dddd" {
		t.Errorf("sent %+v", got)
	}
}

func TestTheOwnAccount(t *testing.T) {
	c, socket := newCounter(t)
	c.changes = map[proof.OperatorID][]api.ClerkChange{}
	s := sit(t, socket)
	s.signsIn()
	s.on("home")
	s.presses("My account")
	s.on("account")
	s.presses("Change my PIN")
	s.on("secret")
	for key, text := range map[string]string{"old": "271828", "secret": "135790", "again": "135790"} {
		s.form.SetText(key, text)
	}
	s.presses("Change it")
	s.on("account")
	if len(c.secrets) != 1 || c.secrets[0] != (api.NewSecret{Old: "271828", Secret: "135790"}) || s.state.Said != "secret.said" {
		t.Errorf("sent %+v, said %q", c.secrets, s.state.Said)
	}
	s.presses("What I did")
	s.until("the record", func() bool { return s.page.Name == "activity" && s.state.Activity != nil && !s.state.Busy })
	s.presses("The last three months")
	s.until("three months", func() bool { return len(c.office.asked) == 2 && s.state.Days == 92 && !s.state.Busy })
	first, _ := time.Parse(time.RFC3339, c.office.asked[0])
	second, _ := time.Parse(time.RFC3339, c.office.asked[1])
	if days := first.Sub(second).Hours() / 24; days < 84 || days > 86 {
		t.Errorf("read from %v, then %v", first, second)
	}
	s.presses("Print")
	s.until("printed", func() bool { return s.state.Said == "activity.said.print" && !s.state.Busy })
	if len(c.printed) != 1 || !c.printed[0].From.Equal(second) || c.printed[0].Language != "en" {
		t.Errorf("printed %+v", c.printed)
	}
	s.presses("Back")
	s.on("account")
}

func TestASessionThatEndsSaysWhy(t *testing.T) {
	for _, why := range []proof.Kind{proof.KindShiftOver, proof.KindSessionClosed, proof.KindSessionEnded} {
		c, socket := newCounter(t)
		s := sit(t, socket)
		s.signsIn()
		s.on("home")
		c.events <- api.Event{Kind: api.EventSession, Why: why}
		s.until("signed out", func() bool { return s.state.Session == nil })
		if s.state.Problem != why || s.page.Name != "sign_in" {
			t.Errorf("%s is shown as %q on %s", why, s.state.Problem, s.page.Name)
		}
		s.signsIn()
		s.on("home")
		c.mu.Lock()
		c.problem = why
		c.mu.Unlock()
		s.presses("Passport or identity card")
		s.until("signed out by an answer", func() bool { return s.state.Session == nil })
		if s.state.Problem != why {
			t.Errorf("%s as an answer is shown as %q", why, s.state.Problem)
		}
	}
}

func TestTheEndOfTheShiftComesIntoSight(t *testing.T) {
	c, socket := newCounter(t)
	c.office.until = time.Now().Add(view.ShiftWarning + 300*time.Millisecond)
	s := sit(t, socket)
	s.signsIn()
	s.on("home")
	s.until("the warning", func() bool { return s.head.Shift != "" })
}
