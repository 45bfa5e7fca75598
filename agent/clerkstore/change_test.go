package clerkstore_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/counterproof/counterproof/agent/api"
	"github.com/counterproof/counterproof/agent/clerk"
	"github.com/counterproof/counterproof/agent/clerkstore"
	"github.com/counterproof/counterproof/agent/proof"
)

// staffed is a store with the supervisor robin and the clerk kim.
func staffed(t *testing.T, dir string) *clerkstore.Store {
	t.Helper()
	s, _ := withFirst(t, dir)
	_, err := s.Add("Kim Hart", "806417", proof.Clerk, proof.Training{})
	must(t, err)
	return s
}

// state is how an account stands.
func state(t *testing.T, s *clerkstore.Store, id proof.OperatorID) api.Account {
	t.Helper()
	for _, a := range s.Accounts(now) {
		if a.ID == id {
			return a
		}
	}
	t.Fatalf("there is no account %s", id)
	return api.Account{}
}

func TestOnlyASupervisorChangesAnother(t *testing.T) {
	t.Parallel()
	s := staffed(t, t.TempDir())
	trained := proof.Training{Impostor: proof.Date{Year: 2026, Month: 3, Day: 1}}
	for rule, do := range map[string]func(by, whom proof.OperatorID) error{
		"disable": func(by, whom proof.OperatorID) error { return s.Switch(by, whom, false, now) },
		"enable":  func(by, whom proof.OperatorID) error { return s.Switch(by, whom, true, now) },
		"reset": func(by, whom proof.OperatorID) error {
			_, err := s.Reset(by, whom, now)
			return err
		},
		"raise": func(by, whom proof.OperatorID) error { return s.Change(by, whom, proof.Supervisor, trained, now) },
	} {
		for _, c := range []struct {
			by, whom proof.OperatorID
			want     proof.Kind
		}{
			{"kim", "robin", proof.KindNotAllowed}, {"kim", "kim", proof.KindNotAllowed}, {"robin", "robin", proof.KindOwnAccount},
			{"nobody", "kim", proof.KindNotAllowed}, {"", "kim", proof.KindNotAllowed}, {"robin", "nobody", proof.KindBadRequest},
		} {
			if err := do(c.by, c.whom); proof.KindOf(err) != c.want {
				t.Errorf("%s by %q of %q: %v, want %s", rule, c.by, c.whom, err, c.want)
			}
		}
	}
	if _, err := s.Invite("kim", "A Friend", proof.Operator{Role: proof.Supervisor}, now); proof.KindOf(err) != proof.KindNotAllowed {
		t.Errorf("a clerk makes a supervisor: %v", err)
	}
	if kim := state(t, s, "kim"); kim.Role != proof.Clerk || kim.Training != (proof.Training{}) || kim.State != api.AccountReady || !kim.Changed.IsZero() {
		t.Errorf("kim is %+v", kim)
	}
}

func TestALeaver(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := staffed(t, dir)
	issued, err := s.Reset("robin", "kim", now)
	must(t, err)
	must(t, s.Switch("robin", "kim", false, now))
	s = open(t, dir)
	if _, _, err := s.SignInWithCode("kim", issued.Code, "135790", now); proof.KindOf(err) != proof.KindPINCode {
		t.Errorf("a leaver comes back by a code that was out: %v", err)
	}
	if _, err := s.Reset("robin", "kim", now); proof.KindOf(err) != proof.KindAccountOff {
		t.Errorf("a leaver gets a code: %v", err)
	}
	if len(s.Operators()) != 1 || state(t, s, "kim").State != api.AccountOff || state(t, s, "kim").By != "robin" || !state(t, s, "kim").Changed.Equal(now) {
		t.Errorf("the accounts are %+v", s.Accounts(now))
	}
	must(t, s.Switch("robin", "kim", true, now))
	if got := state(t, s, "kim").State; got != api.AccountVoid {
		t.Errorf("after coming back without a secret the account is %s", got)
	}
}

func TestAnAccountThatIsOffTellsOnlyItsOwner(t *testing.T) {
	t.Parallel()
	s := staffed(t, t.TempDir())
	must(t, s.Switch("robin", "kim", false, now))
	if _, _, err := s.SignIn("kim", "999999", now); proof.KindOf(err) != proof.KindSignIn {
		t.Errorf("with a wrong secret: %v", err)
	}
	if op, _, err := s.SignIn("kim", "806417", now); proof.KindOf(err) != proof.KindAccountOff || op.ID != "" {
		t.Errorf("with the right one: %+v, %v", op, err)
	}
	must(t, s.Switch("robin", "kim", true, now))
	if _, _, err := s.SignIn("kim", "806417", now); err != nil {
		t.Errorf("switched on again: %v", err)
	}
}

// TestTwoSupervisorsSwitchEachOtherOff never leaves the counter without one.
func TestTwoSupervisorsSwitchEachOtherOff(t *testing.T) {
	t.Parallel()
	for range 20 {
		s := staffed(t, t.TempDir())
		must(t, s.Change("robin", "kim", proof.Supervisor, proof.Training{}, now))
		var wg sync.WaitGroup
		for by, whom := range map[proof.OperatorID]proof.OperatorID{"robin": "kim", "kim": "robin"} {
			wg.Go(func() { _ = s.Switch(by, whom, false, now) })
		}
		wg.Wait()
		if on := s.Operators(); len(on) != 1 || on[0].Role != proof.Supervisor {
			t.Fatalf("left are %+v", on)
		}
	}
}

func TestASupervisorWhoWasLoweredChangesNothingMore(t *testing.T) {
	t.Parallel()
	s := staffed(t, t.TempDir())
	must(t, s.Change("robin", "kim", proof.Supervisor, proof.Training{}, now))
	must(t, s.Change("kim", "robin", proof.Clerk, proof.Training{}, now))
	if err := s.Switch("robin", "kim", false, now); proof.KindOf(err) != proof.KindNotAllowed {
		t.Errorf("got %v", err)
	}
}

func TestOneTimeCode(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := staffed(t, dir)
	for range clerk.TriesBeforeLock {
		_, _, _ = s.SignIn("kim", "999999", now)
	}
	issued, err := s.Reset("robin", "kim", now)
	must(t, err)
	if issued.Operator != "kim" || !issued.Until.Equal(now.Add(24*time.Hour)) || len(issued.Code) != 19 {
		t.Errorf("issued %+v", issued)
	}
	if b, err := os.ReadFile(filepath.Join(dir, "clerks.json")); err != nil || bytes.Contains(b, []byte(issued.Code)) || bytes.Contains(b, []byte(clerk.ReadCode(issued.Code))) {
		t.Errorf("the code is on the disk: %v", err)
	}
	if got := state(t, s, "kim").State; got != api.AccountCode {
		t.Errorf("the account is %s", got)
	}
	if _, _, err := s.SignIn("kim", "806417", now); proof.KindOf(err) != proof.KindSignIn {
		t.Errorf("the old secret is still good: %v", err)
	}
	if _, _, err := s.SignIn("kim", issued.Code, now); proof.KindOf(err) != proof.KindSignIn {
		t.Errorf("the code is a secret: %v", err)
	}
	s = open(t, dir)
	must(t, s.Unlock("kim"))
	for rule, c := range map[string]struct {
		id           proof.OperatorID
		code, secret string
		at           time.Time
		want         proof.Kind
	}{
		"weak secret":          {"kim", issued.Code, "111111", now, proof.KindWeakPIN},
		"another code":         {"kim", "aaaa-aaaa-aaaa-aaaa", "135790", now, proof.KindPINCode},
		"another's":            {"robin", issued.Code, "135790", now, proof.KindPINCode},
		"nobody's":             {"nobody", issued.Code, "135790", now, proof.KindPINCode},
		"a day later":          {"kim", issued.Code, "135790", now.Add(24 * time.Hour), proof.KindPINCode},
		"a clock that is back": {"kim", issued.Code, "135790", now.Add(-48 * time.Hour), proof.KindPINCode},
	} {
		if _, _, err := s.SignInWithCode(c.id, c.code, c.secret, c.at); proof.KindOf(err) != c.want {
			t.Errorf("%s: %v", rule, err)
		}
	}
	if op, _, err := s.SignInWithCode("kim", " "+strings.ToUpper(issued.Code), "135790", now.Add(23*time.Hour)); err != nil || op.ID != "kim" {
		t.Fatalf("the right code: %+v, %v", op, err)
	}
	if _, _, err := s.SignInWithCode("kim", issued.Code, "246801", now); proof.KindOf(err) != proof.KindPINCode {
		t.Errorf("the code is good twice: %v", err)
	}
	if _, _, err := open(t, dir).SignIn("kim", "135790", now); err != nil {
		t.Errorf("the new secret: %v", err)
	}
}

func TestGuessingCodesLocks(t *testing.T) {
	t.Parallel()
	s := staffed(t, t.TempDir())
	_, err := s.Reset("robin", "kim", now)
	must(t, err)
	for range clerk.TriesBeforeLock {
		_, _, err = s.SignInWithCode("kim", "aaaa-aaaa-aaaa-aaaa", "135790", now)
	}
	if proof.KindOf(err) != proof.KindLockedOut {
		t.Errorf("the last try: %v", err)
	}
}

func TestAnInvitedClerk(t *testing.T) {
	t.Parallel()
	s := staffed(t, t.TempDir())
	issued, err := s.Invite("robin", "Lou Marsh", proof.Operator{Role: proof.Clerk}, now)
	must(t, err)
	if issued.Operator != "lou" || state(t, s, "lou").By != "robin" {
		t.Errorf("issued %+v", issued)
	}
	if _, _, err := s.SignIn("lou", "", now); proof.KindOf(err) != proof.KindSignIn {
		t.Errorf("an account without a secret lets in: %v", err)
	}
	if op, _, err := s.SignInWithCode("lou", issued.Code, "135790", now); err != nil || op.Name != "Lou Marsh" {
		t.Errorf("got %+v, %v", op, err)
	}
	if _, err := s.Invite("robin", "", proof.Operator{Role: proof.Clerk}, now); proof.KindOf(err) != proof.KindBadRequest {
		t.Errorf("without a name: %v", err)
	}
}

func TestChangingTheOwnSecret(t *testing.T) {
	t.Parallel()
	s := staffed(t, t.TempDir())
	if _, err := s.ChangeSecret("kim", "999999", "135790", now); proof.KindOf(err) != proof.KindSignIn {
		t.Errorf("with a wrong old one: %v", err)
	}
	if _, err := s.ChangeSecret("kim", "806417", "123456", now); proof.KindOf(err) != proof.KindWeakPIN {
		t.Errorf("to a weak one: %v", err)
	}
	_, err := s.ChangeSecret("kim", "806417", "135790", now)
	must(t, err)
	if _, _, err := s.SignIn("kim", "806417", now); proof.KindOf(err) != proof.KindSignIn {
		t.Errorf("the old one: %v", err)
	}
	if _, _, err := s.SignIn("kim", "135790", now); err != nil {
		t.Errorf("the new one: %v", err)
	}
	var until time.Time
	for range clerk.TriesBeforeLock {
		until, err = s.ChangeSecret("kim", "999999", "246801", now)
	}
	if proof.KindOf(err) != proof.KindLockedOut || !until.Equal(now.Add(clerk.LockFor)) {
		t.Errorf("an open window tries PINs without end: %v until %v", err, until)
	}
}

func TestARescuesCodeOutlivesANewAccount(t *testing.T) {
	t.Parallel()
	s := staffed(t, t.TempDir())
	must(t, s.Expect("rescue"))
	_, err := s.Invite("robin", "Lou Marsh", proof.Operator{Role: proof.Clerk}, now)
	must(t, err)
	if _, err := s.First("rescue", "New Boss", "135790", proof.Training{}); err != nil {
		t.Errorf("got %v", err)
	}
}

func TestKnows(t *testing.T) {
	t.Parallel()
	s := staffed(t, t.TempDir())
	if !s.Knows("kim") || s.Knows("nobody") || s.Knows("") {
		t.Error("the store knows whom it has not, or not whom it has")
	}
}
