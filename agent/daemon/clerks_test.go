package daemon_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/counterproof/counterproof/agent/api"
	"github.com/counterproof/counterproof/agent/api/client"
	"github.com/counterproof/counterproof/agent/proof"
)

// staff is a counter that runs, with robin, a supervisor, and kim, a clerk, who
// are both signed in.
func staff(t *testing.T) (c *counter, kim *client.Client) {
	t.Helper()
	c = newCounter(t)
	c.run()
	c.first()
	list, err := c.client.AddClerk(t.Context(), api.NewClerk{Name: "Kim Hart", Role: proof.Clerk, Training: trained()})
	if err != nil || list.Issued == nil {
		t.Fatalf("adding kim: %+v, %v", list, err)
	}
	kim = client.New(c.conf.SocketPath())
	in := api.CodeSignIn{Operator: list.Issued.Operator, Code: list.Issued.Code, Secret: kimSecret}
	if s, err := kim.SignInWithCode(t.Context(), in); err != nil || s.Operator.ID != "kim" {
		t.Fatalf("kim's first sign-in: %+v, %v", s, err)
	}
	return c, kim
}

// does changes an account and wants a kind.
func does(t *testing.T, by *client.Client, whom proof.OperatorID, in api.ClerkChange, want proof.Kind) api.ClerkList {
	t.Helper()
	list, err := by.ChangeClerk(t.Context(), whom, in)
	kindIs(t, fmt.Sprintf("%s of %s", in.Do, whom), err, want)
	return list
}

// deeds are what a client reads of the record, newest first: "who did whom".
func deeds(t *testing.T, of *client.Client) []string {
	t.Helper()
	record, err := of.Activity(t.Context(), time.Now().Add(-time.Hour))
	if err != nil || record.Problem != "" || record.More {
		t.Fatalf("the record: %+v, %v", record, err)
	}
	var all []string
	for _, d := range record.Deeds {
		all = append(all, strings.TrimSpace(fmt.Sprintf("%s %s %s", d.Who, d.Did, d.Whom)))
	}
	return all
}

// TestAClerkChangesNobody is a clerk with a program of their own at the socket.
func TestAClerkChangesNobody(t *testing.T) {
	t.Parallel()
	c, kim := staff(t)
	for _, do := range []api.ClerkDoing{api.DoDisable, api.DoEnable, api.DoReset, api.DoUnlockClerk} {
		does(t, kim, "robin", api.ClerkChange{Do: do}, proof.KindNotAllowed)
		does(t, kim, "kim", api.ClerkChange{Do: do}, proof.KindNotAllowed)
	}
	raise := api.ClerkChange{Do: api.DoChangeClerk, Role: proof.Supervisor, Training: trained()}
	does(t, kim, "kim", raise, proof.KindNotAllowed)
	_, err := kim.AddClerk(t.Context(), api.NewClerk{Name: "Friend", Role: proof.Supervisor})
	kindIs(t, "making a supervisor", err, proof.KindNotAllowed)
	does(t, c.client, "robin", api.ClerkChange{Do: api.DoDisable}, proof.KindOwnAccount)
	does(t, c.client, "robin", raise, proof.KindOwnAccount)
	does(t, c.client, "nobody", api.ClerkChange{Do: api.DoReset}, proof.KindBadRequest)
	does(t, c.client, "kim", api.ClerkChange{Do: "promote"}, proof.KindBadRequest)
	does(t, c.client, "kim", api.ClerkChange{Do: api.DoChangeClerk, Role: "root"}, proof.KindBadRequest)
	late := api.ClerkChange{Do: api.DoChangeClerk, Role: proof.Clerk, Training: proof.Training{Impostor: proof.Date{Year: 2999, Month: 1, Day: 1}}}
	does(t, c.client, "kim", late, proof.KindDateWrong)
	_, err = c.client.AddClerk(t.Context(), api.NewClerk{Name: "Lou", Role: proof.Clerk, Training: late.Training})
	kindIs(t, "a new clerk trained in a far year", err, proof.KindDateWrong)
	list, err := kim.Clerks(t.Context())
	if err != nil || len(list.Clerks) != 2 || list.Clerks[0].Role != proof.Supervisor || list.Clerks[1].Role != proof.Clerk {
		t.Fatalf("the accounts are %+v: %v", list, err)
	}
	if list.Clerks[1].State != "" || !list.Clerks[1].Changed.IsZero() {
		t.Errorf("a clerk sees how accounts stand: %+v", list.Clerks[1])
	}
}

// TestALeaverIsOutAtOnce has kim switched off while her screen is open and hears
// events.
func TestALeaverIsOutAtOnce(t *testing.T) {
	t.Parallel()
	c, kim := staff(t)
	ended := make(chan api.Event, 8)
	go func() {
		_ = kim.Events(t.Context(), func(e api.Event) {
			if e.Kind == api.EventSession {
				ended <- e
			}
		})
		close(ended)
	}()
	v, err := kim.StartVisit(t.Context(), api.NewVisit{Route: proof.PhotoDocument, Language: "en"})
	if err != nil {
		t.Fatal(err)
	}
	list := does(t, c.client, "kim", api.ClerkChange{Do: api.DoDisable}, proof.KindNone)
	if list.Clerks[1].State != api.AccountOff || list.Clerks[1].By != "robin" {
		t.Errorf("kim's account is %+v", list.Clerks[1])
	}
	_, err = kim.Answer(t.Context(), v.ID, reply(v))
	kindIs(t, "going on with the visit", err, proof.KindSessionClosed)
	select {
	case e := <-ended:
		if e.Why != proof.KindSessionClosed {
			t.Errorf("the screen hears %+v", e)
		}
	case <-time.After(patience):
		t.Error("the screen of a leaver hears nothing")
	}
	_, err = kim.SignIn(t.Context(), api.SignIn{Operator: "kim", Secret: kimSecret})
	kindIs(t, "signing in", err, proof.KindAccountOff)
	got, err := c.client.HandOver(t.Context(), v.ID, api.SignIn{Operator: "kim", Secret: kimSecret})
	kindIs(t, "taking the visit over", err, proof.KindAccountOff)
	if got.Token != "" {
		t.Error("a leaver has a session")
	}
	if _, err := c.client.HandOver(t.Context(), v.ID, api.SignIn{Operator: "robin", Secret: robinSecret}); err != nil {
		t.Errorf("the visit is stranded: %v", err)
	}
	_, err = c.client.Second(t.Context(), v.ID, api.SecondSignIn{SignIn: api.SignIn{Operator: "kim", Secret: kimSecret}, Confirms: true})
	kindIs(t, "a leaver as second person", err, proof.KindAccountOff)
	does(t, c.client, "kim", api.ClerkChange{Do: api.DoEnable}, proof.KindNone)
	if _, err := kim.SignIn(t.Context(), api.SignIn{Operator: "kim", Secret: kimSecret}); err != nil {
		t.Errorf("coming back: %v", err)
	}
}

func TestAResetCodeIsGoodOnce(t *testing.T) {
	t.Parallel()
	c, kim := staff(t)
	list := does(t, c.client, "kim", api.ClerkChange{Do: api.DoReset}, proof.KindNone)
	if list.Issued == nil || list.Issued.Operator != "kim" || len(list.Issued.Code) < 16 {
		t.Fatalf("issued %+v", list.Issued)
	}
	if again, err := c.client.Clerks(t.Context()); err != nil || again.Issued != nil {
		t.Errorf("the code is told twice: %+v, %v", again.Issued, err)
	}
	_, err := kim.Queue(t.Context())
	kindIs(t, "kim's open session", err, proof.KindSessionClosed)
	_, err = kim.SignIn(t.Context(), api.SignIn{Operator: "kim", Secret: kimSecret})
	kindIs(t, "the old secret", err, proof.KindSignIn)
	in := api.CodeSignIn{Operator: "kim", Code: "aaaa-aaaa-aaaa-aaaa", Secret: "135790"}
	_, err = kim.SignInWithCode(t.Context(), in)
	kindIs(t, "another code", err, proof.KindPINCode)
	in.Code = list.Issued.Code
	session, err := kim.SignInWithCode(t.Context(), in)
	if err != nil || time.Until(session.Until) > 12*time.Hour || time.Until(session.Until) < 11*time.Hour {
		t.Fatalf("the right code: until %s, %v", session.Until, err)
	}
	_, err = client.New(c.conf.SocketPath()).SignInWithCode(t.Context(), in)
	kindIs(t, "the code again", err, proof.KindPINCode)
	kindIs(t, "a wrong old secret", kim.ChangeSecret(t.Context(), api.NewSecret{Old: "999999", Secret: kimSecret}), proof.KindSignIn)
	if err := kim.ChangeSecret(t.Context(), api.NewSecret{Old: "135790", Secret: kimSecret}); err != nil {
		t.Errorf("changing the own secret: %v", err)
	}
	if _, err := kim.SignIn(t.Context(), api.SignIn{Operator: "kim", Secret: kimSecret}); err != nil {
		t.Errorf("signing in with it: %v", err)
	}
}

func TestARoleThatIsTakenHoldsForTheOpenSession(t *testing.T) {
	t.Parallel()
	c, kim := staff(t)
	does(t, c.client, "kim", api.ClerkChange{Do: api.DoChangeClerk, Role: proof.Supervisor, Training: trained()}, proof.KindNone)
	does(t, kim, "robin", api.ClerkChange{Do: api.DoChangeClerk, Role: proof.Clerk}, proof.KindNone)
	does(t, c.client, "kim", api.ClerkChange{Do: api.DoDisable}, proof.KindNotAllowed)
	if record := deeds(t, c.client); slices.Contains(record, "kim sign_in") {
		t.Errorf("who was lowered still reads everybody's record: %v", record)
	}
}

// TestWhoDidWhat goes through a visit and looks what is kept of it: who did what,
// and nothing of the patient's.
func TestWhoDidWhat(t *testing.T) {
	t.Parallel()
	c, kim := staff(t)
	ctx := t.Context()
	for _, who := range []api.SignIn{{Operator: "kim", Secret: "999999"}, {Operator: "ERIKSSON 471122", Secret: "999999"}, {Operator: "ERIKSSON 2", Secret: "999999"}} {
		_, err := client.New(c.conf.SocketPath()).SignIn(ctx, who)
		kindIs(t, "a wrong try", err, proof.KindSignIn)
	}
	p := newPassport(t, 7, nil, nil)
	v, err := kim.StartVisit(ctx, api.NewVisit{Route: proof.PhotoDocument, Language: "en"})
	if err != nil {
		t.Fatal(err)
	}
	own := c.client
	c.client = kim
	v = c.goTo(v, proof.EndVisit, p.lines)
	v = c.answer(v, reply(v))
	c.client = own
	if !v.Ended {
		t.Fatalf("the visit goes on with %v", v.Asks)
	}
	if err := kim.PrintActivity(ctx, api.Report{From: time.Now().Add(-time.Hour), Language: "cy"}); err != nil {
		t.Errorf("printing: %v", err)
	}
	want := []string{
		"kim activity_printed", "kim visit_ended", "kim slip_printed", "kim visit_begun", "sign_in_failed", "sign_in_failed kim",
		"kim sign_in", "kim pin_set", "robin clerk_added kim", "robin sign_in", "robin clerk_first robin",
	}
	if got := deeds(t, own); !slices.Equal(got, want) {
		t.Errorf("the record is\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if got := deeds(t, kim); slices.Contains(got, "robin sign_in") || !slices.Contains(got, "robin clerk_added kim") || !slices.Contains(got, "kim visit_ended") {
		t.Errorf("kim reads\n%s", strings.Join(got, "\n"))
	}
	c.keepsNoPatient(p, v)
}

// keepsNoPatient looks for the patient in the record and in what was printed of it.
func (c *counter) keepsNoPatient(p passport, v api.Visit) {
	c.t.Helper()
	kept := ""
	for _, dir := range []string{filepath.Join(c.conf.Data, "activity"), filepath.Join(filepath.Dir(c.conf.Data), "slips")} {
		err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			b, err := os.ReadFile(path)
			kept += string(b)
			return err
		})
		if err != nil {
			c.t.Fatal(err)
		}
	}
	if !strings.Contains(kept, string(v.Ref)) || !strings.Contains(kept, `"visit_ended"`) {
		c.t.Error("the search is blind")
	}
	for _, marker := range []string{p.person.Surname, p.person.Given, p.person.Number, p.person.Birth.String(), "ERIKSSON", "999999", "471122", kimSecret} {
		if marker != "" && strings.Contains(strings.ToUpper(kept), strings.ToUpper(marker)) {
			c.t.Errorf("%q is kept in the record or printed", marker)
		}
	}
}

// TestGuessingDoesNotPushLinesOut tries names that are not there, many times.
func TestGuessingDoesNotPushLinesOut(t *testing.T) {
	t.Parallel()
	c, _ := staff(t)
	for i := range 10 {
		_, err := client.New(c.conf.SocketPath()).SignIn(t.Context(), api.SignIn{Operator: proof.OperatorID(fmt.Sprint("x", i)), Secret: "1"})
		kindIs(t, "a guess", err, proof.KindSignIn)
	}
	n := 0
	for _, d := range deeds(t, c.client) {
		if d == "sign_in_failed" {
			n++
		}
	}
	if n != 1 {
		t.Errorf("ten guesses in a minute made %d lines", n)
	}
}

// TestALineThatIsTakenOutIsNoticed edits the record while the counter is down;
// the counter works, and says so.
func TestALineThatIsTakenOutIsNoticed(t *testing.T) {
	t.Parallel()
	c, _ := staff(t)
	c.stop()
	file := filepath.Join(c.conf.Data, "activity", "0001", "ledger.jsonl")
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	lines := bytes.SplitAfter(b, []byte("\n"))
	if err := os.WriteFile(file, bytes.Join(slices.Delete(lines, 2, 3), nil), 0o600); err != nil {
		t.Fatal(err)
	}
	c.run()
	if _, err := c.client.SignIn(t.Context(), api.SignIn{Operator: "robin", Secret: robinSecret}); err != nil {
		t.Fatalf("signing in: %v", err)
	}
	record, err := c.client.Activity(t.Context(), time.Now().Add(-time.Hour))
	if err != nil || record.Problem != proof.KindLogDamaged || len(record.Deeds) < 2 || record.Deeds[0].Did != api.DidSignIn {
		t.Errorf("the record is %+v: %v", record, err)
	}
}

// TestASwappedPepper puts another counter's key in the place of this one's: all
// but signing in works, and a rescue brings the clerks back.
func TestASwappedPepper(t *testing.T) {
	t.Parallel()
	c, _ := staff(t)
	c.stop()
	other := newCounter(t)
	b, err := os.ReadFile(filepath.Join(other.conf.Data, "clerks.key"))
	if err == nil {
		err = os.WriteFile(filepath.Join(c.conf.Data, "clerks.key"), b, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	c.run()
	_, err = c.client.SignIn(t.Context(), api.SignIn{Operator: "robin", Secret: robinSecret})
	kindIs(t, "signing in", err, proof.KindPINKeyLost)
	if s, err := c.client.Status(t.Context()); err != nil || s.NoClerks || !s.Enrolled {
		t.Errorf("the status is %+v: %v", s, err)
	}
	c.stop()
	said, err := c.command("", "rescue")
	_, code, found := strings.Cut(said, "good once: ")
	if err != nil || !found || !strings.Contains(said, "was lost") {
		t.Fatalf("the rescue says %q", said)
	}
	c.run()
	in := api.FirstClerk{Code: strings.TrimSpace(code), Name: "Second Boss", Secret: "a good passphrase"}
	if _, err := c.client.FirstClerk(t.Context(), in); err != nil {
		t.Fatalf("the new supervisor: %v", err)
	}
	list := does(t, c.client, "kim", api.ClerkChange{Do: api.DoReset}, proof.KindNone)
	kim := client.New(c.conf.SocketPath())
	if _, err := kim.SignInWithCode(t.Context(), api.CodeSignIn{Operator: "kim", Code: list.Issued.Code, Secret: kimSecret}); err != nil {
		t.Errorf("kim comes back: %v", err)
	}
}

func TestTheRecordIsAskedForRightly(t *testing.T) {
	t.Parallel()
	c, kim := staff(t)
	_, err := client.New(c.conf.SocketPath()).Activity(t.Context(), time.Now())
	kindIs(t, "a stranger reads the record", err, proof.KindSessionEnded)
	kindIs(t, "a stranger prints it", client.New(c.conf.SocketPath()).PrintActivity(t.Context(), api.Report{}), proof.KindSessionEnded)
	slips := filepath.Join(filepath.Dir(c.conf.Data), "slips")
	if err := errors.Join(os.RemoveAll(slips), os.WriteFile(slips, nil, 0o600)); err != nil { // no printer any more
		t.Fatal(err)
	}
	if err := kim.PrintActivity(t.Context(), api.Report{Language: "en"}); err == nil || proof.KindOf(err) == proof.KindInternal {
		t.Errorf("printing without a printer: %v", err)
	}
	if slices.Contains(deeds(t, kim), "kim activity_printed") {
		t.Error("what was not printed is recorded as printed")
	}
}
