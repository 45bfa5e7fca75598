package daemon

import (
	"encoding/hex"
	"testing"
	"time"

	"github.com/counterproof/counterproof/agent/clerk"
	"github.com/counterproof/counterproof/agent/proof"
)

var (
	morning = time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
	robin   = proof.Operator{ID: "robin", Role: proof.Supervisor}
	kim     = proof.Operator{ID: "kim", Role: proof.Clerk}
)

func TestSessionsEndWhenIdle(t *testing.T) {
	t.Parallel()
	s := newSessions()
	token := s.begin(robin, morning).Token
	now := morning
	for range 10 { // every request is a sign of life
		now = now.Add(clerk.IdleEnd)
		if op, ok := s.find(token, now); !ok || op != robin {
			t.Fatalf("a busy clerk was signed out at %s", now)
		}
	}
	if !s.alive(token, now.Add(clerk.IdleEnd)) || s.alive(token, now.Add(clerk.IdleEnd+1)) {
		t.Error("alive does not tell when the session ends")
	}
	if _, ok := s.find(token, now.Add(clerk.IdleEnd+1)); ok {
		t.Error("an idle session goes on")
	}
	if _, ok := s.find(token, now); ok {
		t.Error("a session that ended came back when the clock was set back")
	}
}

func TestWatchingIsNoSignOfLife(t *testing.T) {
	t.Parallel()
	s := newSessions()
	token := s.begin(robin, morning).Token
	s.alive(token, morning.Add(clerk.IdleEnd))
	if _, ok := s.find(token, morning.Add(clerk.IdleEnd+1)); ok {
		t.Error("a screen that nobody touches kept its session")
	}
}

func TestOneSessionForEachClerk(t *testing.T) {
	t.Parallel()
	s := newSessions()
	first, other := s.begin(robin, morning).Token, s.begin(kim, morning).Token
	second := s.begin(robin, morning).Token
	for token, want := range map[string]bool{first: false, second: true, other: true, "": false, second[:len(second)-1]: false} {
		if _, ok := s.find(token, morning); ok != want {
			t.Errorf("token %.6s… lets in: %t, want %t", token, ok, want)
		}
	}
	s.end(second)
	s.end("nobody's")
	if _, ok := s.find(second, morning); ok {
		t.Error("signing out changed nothing")
	}
	if _, ok := s.find(other, morning); !ok {
		t.Error("signing out ended another's session")
	}
}

func TestSessionsDoNotPileUp(t *testing.T) {
	t.Parallel()
	s := newSessions()
	for i := range 100 {
		s.begin(proof.Operator{ID: proof.OperatorID(rune('a' + i))}, morning.Add(time.Duration(i)*time.Hour))
	}
	if len(s.open) != 1 {
		t.Errorf("%d sessions are kept, want the one that lives", len(s.open))
	}
}

func TestTokensCannotBeGuessed(t *testing.T) {
	t.Parallel()
	s := newSessions()
	seen := map[string]bool{}
	ones := make([]int, 256)
	const drawn = 2000
	for range drawn {
		token := s.begin(robin, morning).Token
		b, err := hex.DecodeString(token)
		if err != nil || len(b) != 32 || seen[token] {
			t.Fatalf("token %q is no 256 new bits: %v", token, err)
		}
		seen[token] = true
		for i := range ones {
			ones[i] += int(b[i/8] >> (i % 8) & 1)
		}
	}
	for i, n := range ones { // half of 2000 is 1000, six deviations are 134
		if n < drawn/2-160 || n > drawn/2+160 {
			t.Errorf("bit %d is set in %d of %d tokens", i, n, drawn)
		}
	}
}
