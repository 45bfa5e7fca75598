package clerk_test

import (
	"testing"
	"time"

	"github.com/counterproof/counterproof/agent/clerk"
	"github.com/counterproof/counterproof/agent/proof"
)

var now = time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)

// failed counts wrong tries, all at one moment.
func failed(n int) clerk.Lock {
	var l clerk.Lock
	for range n {
		l = l.Failed(now)
	}
	return l
}

func TestLock(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		rule  string
		wrong int
		after time.Duration
		kind  proof.Kind
		until bool
	}{
		{"fresh account", 0, 0, proof.KindNone, false},
		{"four wrong tries", 4, 0, proof.KindNone, false},
		{"five lock", 5, 0, proof.KindLockedOut, true},
		{"still locked just before", 5, clerk.LockFor - time.Second, proof.KindLockedOut, true},
		{"open after a quarter of an hour", 5, clerk.LockFor, proof.KindNone, false},
		{"nine lock again for a time", 9, 0, proof.KindLockedOut, true},
		{"ten need a supervisor", 10, 24 * time.Hour, proof.KindLockedOut, false},
	} {
		t.Run(c.rule, func(t *testing.T) {
			kind, until := failed(c.wrong).Check(now.Add(c.after))
			if kind != c.kind || until.IsZero() == c.until {
				t.Errorf("got %q until %v, want %q, a time: %t", kind, until, c.kind, c.until)
			}
		})
	}
}

func TestGoodSecret(t *testing.T) {
	t.Parallel()
	for secret, want := range map[string]bool{
		"":                        false,
		"12345":                   false, // short
		"111111":                  false, // all alike
		"123456":                  false, // counts up
		"987654":                  false, // counts down
		"135790":                  true,
		"470126":                  true,
		"short":                   false,
		"eleven char":             false,
		"twelve chars":            true,
		"llwybr cyhoeddus":        true,
		"bad utf8 \xff\xfe......": false,
	} {
		if got := clerk.GoodSecret(secret); got != want {
			t.Errorf("%q: %t, want %t", secret, got, want)
		}
	}
	if clerk.GoodSecret(string(make([]byte, clerk.MaxSecret+1))) {
		t.Error("a secret beyond the bound was taken")
	}
}

func TestGoodName(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]bool{"": false, "  ": false, "Robin Vale": true, "Siân": true, "two\nlines": false} {
		if got := clerk.GoodName(name); got != want {
			t.Errorf("%q: %t, want %t", name, got, want)
		}
	}
}

func TestOperatorID(t *testing.T) {
	t.Parallel()
	taken := map[proof.OperatorID]bool{"robin": true, "robin2": true}
	for name, want := range map[string]proof.OperatorID{
		"Robin Vale": "robin3", "Sam O'Dell": "sam", "Ŵyn": "yn", "李": "clerk", " Jo-Ann Reed": "joann",
		"Averyveryverylongfirstname": "averyveryverylongfir",
	} {
		if got := clerk.OperatorID(name, func(id proof.OperatorID) bool { return taken[id] }); got != want {
			t.Errorf("%q gives %q, want %q", name, got, want)
		}
	}
	many := func(id proof.OperatorID) bool { return id != "robin12" }
	if got := clerk.OperatorID("Robin", many); got != "robin12" {
		t.Errorf("the twelfth Robin is %q", got)
	}
}

func TestMayUnlock(t *testing.T) {
	t.Parallel()
	boss := proof.Operator{ID: "boss", Role: proof.Supervisor}
	if !clerk.MayUnlock(boss, "robin") {
		t.Error("a supervisor may not unlock a clerk")
	}
	if clerk.MayUnlock(boss, "boss") {
		t.Error("a supervisor unlocks themselves")
	}
	if clerk.MayUnlock(proof.Operator{ID: "sam", Role: proof.Clerk}, "robin") {
		t.Error("a clerk unlocks another")
	}
}

func TestAClockThatWentBackLocksNobody(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	l := clerk.Lock{}
	for range clerk.TriesBeforeLock {
		l = l.Failed(now)
	}
	if kind, _ := l.Check(now); kind != proof.KindLockedOut {
		t.Fatalf("five wrong tries give %q", kind)
	}
	if kind, _ := l.Check(now.AddDate(-6, 0, 0)); kind != proof.KindNone {
		t.Errorf("with a clock six years back the account is %q", kind)
	}
}
