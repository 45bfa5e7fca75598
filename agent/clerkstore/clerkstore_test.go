package clerkstore_test

import (
	"bytes"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/counterproof/counterproof/agent/clerk"
	"github.com/counterproof/counterproof/agent/clerkstore"
	"github.com/counterproof/counterproof/agent/proof"
	"github.com/counterproof/counterproof/sync/custody"
)

const (
	code   = "one-time-code"
	secret = "470126"
)

var now = time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)

func open(t testing.TB, dir string) *clerkstore.Store {
	t.Helper()
	vault, err := custody.Open(filepath.Join(dir, "keys"))
	if err != nil {
		t.Fatalf("opening the custody: %v", err)
	}
	s, err := clerkstore.Open(dir, vault)
	if err != nil {
		t.Fatalf("opening: %v", err)
	}
	return s
}

// withFirst is a store whose first account, a supervisor's, is made.
func withFirst(t testing.TB, dir string) (*clerkstore.Store, proof.Operator) {
	t.Helper()
	s := open(t, dir)
	if err := s.Expect(code); err != nil {
		t.Fatalf("setting the code: %v", err)
	}
	op, err := s.First(code, "Robin Vale", secret, proof.Training{})
	if err != nil {
		t.Fatalf("making the first account: %v", err)
	}
	return s, op
}

// TestANameThatIsNotThereCostsTheSame compares the work of two wrong tries by the
// memory that it takes, which does not depend on how busy the machine is. It runs
// by itself, since memory is counted for the whole program.
func TestANameThatIsNotThereCostsTheSame(t *testing.T) {
	s, op := withFirst(t, t.TempDir())
	cost := func(id proof.OperatorID) uint64 {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		if _, _, err := s.SignIn(id, "999999", now); proof.KindOf(err) != proof.KindSignIn {
			t.Errorf("a wrong try gives %v", err)
		}
		runtime.ReadMemStats(&after)
		return (after.TotalAlloc - before.TotalAlloc) >> 20
	}
	if there, nobody := cost(op.ID), cost("nobody"); there == 0 || nobody > there+there/2 || there > nobody+nobody/2 {
		t.Errorf("a try costs %d MiB where the account is, %d MiB where there is none", there, nobody)
	}
}

func TestFirstClerk(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, dir)
	if _, err := s.First("", "Robin", secret, proof.Training{}); proof.KindOf(err) != proof.KindEnrolCode {
		t.Errorf("an account without any code set: %v", err)
	}
	if err := s.Expect(code); err != nil {
		t.Fatal(err)
	}
	if _, err := s.First("another", "Robin", secret, proof.Training{}); proof.KindOf(err) != proof.KindEnrolCode {
		t.Errorf("a wrong code: %v", err)
	}
	if _, err := s.First(code, "Robin", "123456", proof.Training{}); proof.KindOf(err) != proof.KindWeakPIN {
		t.Errorf("a weak secret: %v", err)
	}
	op, err := s.First(code, "Robin Vale", secret, proof.Training{})
	if err != nil || op.Role != proof.Supervisor || op.ID != "robin" {
		t.Fatalf("first account is %+v: %v", op, err)
	}
	if _, err := s.First(code, "Sam", secret, proof.Training{}); proof.KindOf(err) != proof.KindEnrolCode {
		t.Errorf("the code worked twice: %v", err)
	}
	if got := s.Operators(); len(got) != 1 || got[0].Name == "" {
		t.Errorf("the accounts are %+v", got)
	}
	// Whoever holds the counter's files may let another supervisor in.
	if _, err := s.First(code, "Second Try", "another good one", proof.Training{}); proof.KindOf(err) != proof.KindEnrolCode {
		t.Errorf("a code was good twice: %v", err)
	}
	if err := s.Expect("another code"); err != nil {
		t.Fatal(err)
	}
	if op, err := s.First("another code", "Rescue Vale", "a good passphrase", proof.Training{}); err != nil || op.Role != proof.Supervisor || len(s.Operators()) != 2 {
		t.Errorf("the rescuing account is %+v: %v", op, err)
	}
	again := open(t, dir)
	if again.Empty() {
		t.Error("the account is gone after opening again")
	}
	if got, _, err := again.SignIn("robin", secret, now); err != nil || got.ID != op.ID {
		t.Errorf("signing in after opening again: %v", err)
	}
}

func TestSignIn(t *testing.T) {
	t.Parallel()
	s, op := withFirst(t, t.TempDir())
	if _, err := s.Add("Sam Reed", "135790", proof.Clerk, proof.Training{}); err != nil {
		t.Fatalf("adding: %v", err)
	}
	if _, _, err := s.SignIn("nobody", secret, now); proof.KindOf(err) != proof.KindSignIn {
		t.Errorf("an unknown name: %v", err)
	}
	for range clerk.TriesBeforeLock - 1 {
		if _, _, err := s.SignIn(op.ID, "wrong", now); proof.KindOf(err) != proof.KindSignIn {
			t.Fatalf("a wrong secret: %v", err)
		}
	}
	if _, until, err := s.SignIn(op.ID, "wrong", now); proof.KindOf(err) != proof.KindLockedOut || !until.Equal(now.Add(clerk.LockFor)) {
		t.Errorf("the fifth wrong try: %v until %v", err, until)
	}
	if _, _, err := s.SignIn(op.ID, secret, now); proof.KindOf(err) != proof.KindLockedOut {
		t.Errorf("the right secret while locked: %v", err)
	}
	if _, _, err := s.SignIn("sam", "135790", now); err != nil {
		t.Errorf("another clerk is locked too: %v", err)
	}
	if got, _, err := s.SignIn(op.ID, secret, now.Add(clerk.LockFor)); err != nil || got.ID != op.ID {
		t.Errorf("after the lock: %v", err)
	}
}

func TestTriesSurviveARestart(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	_, op := withFirst(t, dir)
	for range clerk.TriesBeforeLock {
		// A new store each time is the daemon killed after each try.
		if _, _, err := open(t, dir).SignIn(op.ID, "wrong", now); err == nil {
			t.Fatal("a wrong secret was taken")
		}
	}
	if _, _, err := open(t, dir).SignIn(op.ID, secret, now); proof.KindOf(err) != proof.KindLockedOut {
		t.Errorf("restarting forgets wrong tries: %v", err)
	}
}

func TestUnlock(t *testing.T) {
	t.Parallel()
	s, op := withFirst(t, t.TempDir())
	for range clerk.TriesBeforeSupervisor {
		_, _, _ = s.SignIn(op.ID, "wrong", now)
	}
	if err := s.Unlock(op.ID); err != nil {
		t.Fatalf("unlocking: %v", err)
	}
	if _, _, err := s.SignIn(op.ID, secret, now); err != nil {
		t.Errorf("after unlocking: %v", err)
	}
	if err := s.Unlock("nobody"); proof.KindOf(err) != proof.KindBadRequest {
		t.Errorf("unlocking nobody: %v", err)
	}
}

func TestSecretsAreNotOnDisk(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	withFirst(t, dir)
	name := filepath.Join(dir, "clerks.json")
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(b, []byte(secret)) || bytes.Contains(b, []byte(code)) {
		t.Error("a secret or the code is readable")
	}
	if !bytes.Contains(b, []byte("Robin Vale")) {
		t.Error("the clerk's name is not found: the search is blind")
	}
	if info, err := os.Stat(name); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file's mode is %v: %v", info.Mode(), err)
	}
}

func TestDamagedFileIsAnError(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "clerks.json"), []byte("{half"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := clerkstore.Open(dir, nil); err == nil {
		t.Error("a damaged file was taken for no accounts: anybody could make the first")
	}
}

func BenchmarkSignIn(b *testing.B) {
	s, op := withFirst(b, b.TempDir())
	for b.Loop() {
		if _, _, err := s.SignIn(op.ID, secret, now); err != nil {
			b.Fatal(err)
		}
	}
}
