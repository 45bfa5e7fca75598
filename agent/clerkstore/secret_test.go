package clerkstore_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/crypto/argon2"

	"github.com/counterproof/counterproof/agent/api"
	"github.com/counterproof/counterproof/agent/clerk"
	"github.com/counterproof/counterproof/agent/clerkstore"
	"github.com/counterproof/counterproof/agent/proof"
)

// change edits the accounts' file as whoever can write to the folder would.
func change(t *testing.T, dir string, edit func(account map[string]any)) {
	t.Helper()
	name := filepath.Join(dir, "clerks.json")
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Accounts []map[string]any `json:"accounts"`
	}
	if err := json.Unmarshal(b, &file); err != nil {
		t.Fatal(err)
	}
	for _, a := range file.Accounts {
		edit(a)
	}
	if b, err = json.Marshal(file); err == nil {
		err = os.WriteFile(name, b, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// hashed is the hash of an account's secret.
func hashed(t *testing.T, dir string) (hash, pepper string) {
	t.Helper()
	change(t, dir, func(a map[string]any) {
		s := a["secret"].(map[string]any)
		hash, _ = s["hash"].(string)
		pepper, _ = s["pepper"].(string)
	})
	return hash, pepper
}

func TestAHashIsOfNoUseWithoutThePepper(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	withFirst(t, dir)
	b, err := os.ReadFile(filepath.Join(dir, "clerks.json"))
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Accounts []struct {
			Secret struct {
				Salt, Hash   []byte
				Memory, Time uint32
				Lanes        uint8
			}
		}
	}
	if err := json.Unmarshal(b, &file); err != nil {
		t.Fatal(err)
	}
	s := file.Accounts[0].Secret
	guess := argon2.IDKey([]byte(secret), s.Salt, s.Time, s.Memory, s.Lanes, 32)
	if len(s.Hash) != 32 || bytes.Equal(guess, s.Hash) {
		t.Error("the right PIN is found from the file alone")
	}
	key, err := os.ReadFile(filepath.Join(dir, "clerks.key"))
	if err != nil || len(key) <= 32 {
		t.Errorf("the pepper's file is no wrapped key: %d bytes, %v", len(key), err)
	}
	if info, err := os.Stat(filepath.Join(dir, "clerks.key")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the pepper's mode is %v: %v", info.Mode(), err)
	}
}

// TestAccountsOfBeforeThePepper opens a store that was written without one: its
// clerks sign in as before, and their hashes are made anew then.
func TestAccountsOfBeforeThePepper(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	_, op := withFirst(t, dir)
	salt := []byte("sixteen of salt.")
	old := argon2.IDKey([]byte(secret), salt, 2, 19<<10, 1, 32)
	change(t, dir, func(a map[string]any) {
		a["secret"] = map[string]any{"salt": salt, "hash": old, "memory": 19 << 10, "time": 2, "lanes": 1}
	})
	if err := os.Remove(filepath.Join(dir, "clerks.key")); err != nil {
		t.Fatal(err)
	}
	s := open(t, dir)
	if _, _, err := s.SignIn(op.ID, "999999", now); proof.KindOf(err) != proof.KindSignIn {
		t.Errorf("a wrong secret: %v", err)
	}
	if _, pepper := hashed(t, dir); pepper != "" {
		t.Error("a wrong try made the hash anew")
	}
	if _, _, err := s.SignIn(op.ID, secret, now); err != nil {
		t.Fatalf("the secret of before: %v", err)
	}
	if _, pepper := hashed(t, dir); pepper == "" {
		t.Error("the hash is still without a pepper")
	}
	if _, _, err := open(t, dir).SignIn(op.ID, secret, now); err != nil {
		t.Errorf("after the hash was made anew: %v", err)
	}
}

func TestALostPepperIsSaidAndNeverReplaced(t *testing.T) {
	t.Parallel()
	for rule, harm := range map[string]func(t *testing.T, key string){
		"gone":    func(t *testing.T, key string) { must(t, os.Remove(key)) },
		"damaged": func(t *testing.T, key string) { must(t, os.WriteFile(key, []byte("nothing that was wrapped"), 0o600)) },
		"empty":   func(t *testing.T, key string) { must(t, os.WriteFile(key, nil, 0o600)) },
		"another counter's": func(t *testing.T, key string) {
			other := t.TempDir()
			withFirst(t, other)
			copied(t, filepath.Join(other, "clerks.key"), key)
		},
		"another of this counter's": func(t *testing.T, key string) {
			// Rightly wrapped by the same custody, but not the one of the hashes.
			other := t.TempDir()
			must(t, os.CopyFS(filepath.Join(other, "keys"), os.DirFS(filepath.Join(filepath.Dir(key), "keys"))))
			must(t, os.Chmod(filepath.Join(other, "keys"), 0o700))
			entries, err := os.ReadDir(filepath.Join(other, "keys"))
			must(t, err)
			for _, e := range entries {
				must(t, os.Chmod(filepath.Join(other, "keys", e.Name()), 0o600))
			}
			withFirst(t, other)
			copied(t, filepath.Join(other, "clerks.key"), key)
		},
	} {
		t.Run(rule, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			_, op := withFirst(t, dir)
			harm(t, filepath.Join(dir, "clerks.key"))
			s := open(t, dir)
			for _, id := range []proof.OperatorID{op.ID, "nobody"} {
				if _, _, err := s.SignIn(id, secret, now); proof.KindOf(err) != proof.KindPINKeyLost {
					t.Errorf("signing in as %s: %v", id, err)
				}
			}
			if _, err := s.Add("Sam", "135790", proof.Clerk, proof.Training{}); proof.KindOf(err) != proof.KindPINKeyLost {
				t.Errorf("an account is made without a pepper: %v", err)
			}
			if !s.Lost() || len(s.Operators()) != 1 {
				t.Errorf("lost %t, the accounts are %+v", s.Lost(), s.Operators())
			}
			if !open(t, dir).Lost() {
				t.Error("opening again made a new pepper silently")
			}
		})
	}
}

// TestRescueAfterALostPepper goes on: a new pepper, a new supervisor, and every
// clerk sets a secret again. Names, roles and training are kept.
func TestRescueAfterALostPepper(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	_, op := withFirst(t, dir)
	key := filepath.Join(dir, "clerks.key")
	must(t, os.WriteFile(key, []byte("damaged"), 0o600))
	s := open(t, dir)
	must(t, s.Renew())
	must(t, s.Expect("rescue"))
	if _, err := os.Stat(key + ".lost"); err != nil {
		t.Errorf("what was left of the old pepper is not put aside: %v", err)
	}
	if _, _, err := s.SignIn(op.ID, secret, now); proof.KindOf(err) != proof.KindSignIn {
		t.Errorf("a secret of before: %v", err)
	}
	if got := s.Accounts(now); len(got) != 1 || got[0].Name != "Robin Vale" || got[0].State != api.AccountVoid {
		t.Errorf("the accounts are %+v", got)
	}
	boss, err := s.First("rescue", "Second Boss", "a good passphrase", proof.Training{})
	must(t, err)
	issued, err := s.Reset(boss.ID, op.ID, now)
	must(t, err)
	if _, _, err := open(t, dir).SignInWithCode(op.ID, issued.Code, "806417", now); err != nil {
		t.Errorf("the old account does not come back: %v", err)
	}
	must(t, s.Renew()) // nothing is lost now: nothing happens
	if _, _, err := open(t, dir).SignIn(boss.ID, "a good passphrase", now); err != nil {
		t.Errorf("renewing a pepper that is not lost voids secrets: %v", err)
	}
}

// TestAKeyThatCannotBeKept is a full disk or a broken custody at the very first
// start: no hash is made under a pepper that nobody finds again.
func TestAKeyThatCannotBeKept(t *testing.T) {
	t.Parallel()
	if _, err := clerkstore.Open(t.TempDir(), broken{}); err == nil {
		t.Error("a pepper that could not be wrapped is used")
	}
}

// broken is a vault that does nothing.
type broken struct{}

var errBroken = errors.New("broken")

func (broken) Wrap(string, []byte) ([]byte, error)   { return nil, errBroken }
func (broken) Unwrap(string, []byte) ([]byte, error) { return nil, errBroken }

// TestParametersOfAStrangerAreBounded changes a hash to want all memory there is.
func TestParametersOfAStrangerAreBounded(t *testing.T) {
	t.Parallel()
	for field, value := range map[string]any{"memory": uint32(1 << 31), "time": 1 << 30, "lanes": 0, "hash": []byte("short")} {
		dir := t.TempDir()
		_, op := withFirst(t, dir)
		change(t, dir, func(a map[string]any) { a["secret"].(map[string]any)[field] = value })
		if _, _, err := open(t, dir).SignIn(op.ID, secret, now); proof.KindOf(err) != proof.KindSignIn {
			t.Errorf("%s %v: %v", field, value, err)
		}
	}
}

func TestEndlessSecretsAreRefused(t *testing.T) {
	t.Parallel()
	s, op := withFirst(t, t.TempDir())
	if _, _, err := s.SignIn(op.ID, string(make([]byte, clerk.MaxSecret+1)), now); proof.KindOf(err) != proof.KindSignIn {
		t.Errorf("got %v", err)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// copied puts one file in another's place.
func copied(t *testing.T, from, to string) {
	t.Helper()
	b, err := os.ReadFile(from)
	must(t, err)
	must(t, os.WriteFile(to, b, 0o600))
}
