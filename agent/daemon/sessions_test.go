package daemon

import (
	"encoding/hex"
	"slices"
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
		if op, why := s.find(token, now); why != proof.KindNone || op != robin {
			t.Fatalf("a busy clerk was signed out at %s", now)
		}
	}
	before, _ := s.alive(token, now.Add(clerk.IdleEnd))
	after, why := s.alive(token, now.Add(clerk.IdleEnd+1))
	if !before || after || why != proof.KindSessionEnded {
		t.Errorf("alive does not tell when the session ends: %t, %t for %q", before, after, why)
	}
	if _, why := s.find(token, now.Add(clerk.IdleEnd+1)); why != proof.KindSessionEnded {
		t.Errorf("an idle session goes on: %q", why)
	}
	if _, why := s.find(token, now); why == proof.KindNone {
		t.Error("a session that ended came back when the clock was set back")
	}
}

func TestWatchingIsNoSignOfLife(t *testing.T) {
	t.Parallel()
	s := newSessions()
	token := s.begin(robin, morning).Token
	s.alive(token, morning.Add(clerk.IdleEnd))
	if _, why := s.find(token, morning.Add(clerk.IdleEnd+1)); why == proof.KindNone {
		t.Error("a screen that nobody touches kept its session")
	}
}

func TestOneSessionForEachClerk(t *testing.T) {
	t.Parallel()
	s := newSessions()
	first, other := s.begin(robin, morning).Token, s.begin(kim, morning).Token
	second := s.begin(robin, morning).Token
	for token, want := range map[string]bool{first: false, second: true, other: true, "": false, second[:len(second)-1]: false} {
		if _, why := s.find(token, morning); (why == proof.KindNone) != want {
			t.Errorf("token %.6s… is answered %q, lets in: %t", token, why, want)
		}
	}
	s.end(second)
	s.end("nobody's")
	if _, why := s.find(second, morning); why == proof.KindNone {
		t.Error("signing out changed nothing")
	}
	if _, why := s.find(other, morning); why != proof.KindNone {
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
	for range 2 * maxWhy {
		s.begin(robin, morning)
	}
	if len(s.why) > maxWhy {
		t.Errorf("%d ended sessions are remembered", len(s.why))
	}
}

// TestAShiftEnds keeps a clerk busy all day: after twelve hours the session ends
// whatever is done, and says why.
func TestAShiftEnds(t *testing.T) {
	t.Parallel()
	s := newSessions()
	began := s.begin(robin, morning)
	if !began.Until.Equal(morning.Add(clerk.Shift)) || clerk.Shift != 12*time.Hour {
		t.Errorf("the session says that it ends at %s", began.Until)
	}
	now := morning
	for ; now.Before(began.Until); now = now.Add(time.Minute) {
		if _, why := s.find(began.Token, now); why != proof.KindNone {
			t.Fatalf("signed out at %s for %s", now, why)
		}
	}
	if alive, why := s.alive(began.Token, now); alive || why != proof.KindShiftOver {
		t.Errorf("after the shift: %t, %q", alive, why)
	}
	if _, why := s.find(began.Token, now); why != proof.KindShiftOver {
		t.Errorf("after the shift the session answers %q", why)
	}
	over := s.take(now)
	if len(over) != 1 || over[0].op != robin.ID || over[0].why != proof.KindShiftOver || !over[0].at.Equal(began.Until) || len(s.take(now)) != 0 {
		t.Errorf("what ended: %+v", over)
	}
}

// TestSessionsEndByThemselves tells each end once, with its reason and its time,
// and a sign-out not at all.
func TestSessionsEndByThemselves(t *testing.T) {
	t.Parallel()
	s := newSessions()
	idle, closed := s.begin(kim, morning), s.begin(robin, morning)
	s.endOf(robin.ID, morning.Add(time.Minute))
	if _, why := s.find(closed.Token, morning.Add(time.Minute)); why != proof.KindSessionClosed {
		t.Errorf("a session that was ended answers %q", why)
	}
	out := s.begin(robin, morning.Add(time.Minute))
	s.end(out.Token)
	over := s.take(morning.Add(time.Hour))
	want := []ended{{robin.ID, proof.KindSessionClosed, morning.Add(time.Minute)}, {kim.ID, proof.KindSessionEnded, morning.Add(clerk.IdleEnd)}}
	if !slices.Equal(over, want) {
		t.Errorf("what ended: %+v, want %+v", over, want)
	}
	if _, why := s.find(idle.Token, morning); why != proof.KindSessionEnded {
		t.Errorf("an idle session answers %q", why)
	}
}

// TestASleepingComputerEndsSessions lets the clock go on while the counter of
// seconds stood still, as in a computer that slept overnight.
func TestASleepingComputerEndsSessions(t *testing.T) {
	t.Parallel()
	evening := time.Now()
	if got := gone(evening, evening.Round(0).Add(8*time.Hour)); got != 8*time.Hour {
		t.Errorf("a night is %s", got)
	}
	if got := gone(evening, evening.Add(time.Minute)); got < time.Minute {
		t.Errorf("a minute is %s", got)
	}
}

func TestARoleThatChangesHoldsAtOnce(t *testing.T) {
	t.Parallel()
	s := newSessions()
	token := s.begin(robin, morning).Token
	lowered := robin
	lowered.Role = proof.Clerk
	s.update(lowered)
	if op, why := s.find(token, morning); op.Role != proof.Clerk || why != proof.KindNone {
		t.Errorf("the session is of %+v, %q", op, why)
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
