package daemon

import (
	"crypto/rand"
	"encoding/hex"
	"sync"
	"time"

	"github.com/counterproof/counterproof/agent/api"
	"github.com/counterproof/counterproof/agent/clerk"
	"github.com/counterproof/counterproof/agent/proof"
)

// sessions are the clerks who are signed in. They live in memory: a daemon that
// starts anew asks everybody to sign in again, and the visit goes on.
type sessions struct {
	mu   sync.Mutex
	open map[string]session
	why  map[string]proof.Kind // of sessions that ended, for who still has their token
	over []ended               // sessions that ended by themselves, until taken
}

type session struct {
	op    proof.Operator
	seen  time.Time
	until time.Time // the end of the shift
}

// ended is a session that nobody signed out of.
type ended struct {
	op  proof.OperatorID
	why proof.Kind
	at  time.Time
}

// maxWhy bounds the tokens of ended sessions that are remembered.
const maxWhy = 200

func newSessions() *sessions {
	return &sessions{open: map[string]session{}, why: map[string]proof.Kind{}}
}

// gone is how long ago something was. Where the computer slept or its clock was
// set, the clock and the counter of seconds differ: the longer time holds.
func gone(since, now time.Time) time.Duration {
	return max(now.Sub(since), now.Round(0).Sub(since.Round(0)))
}

// stands says whether a session lives: KindNone, or why and when it ended.
func (s session) stands(now time.Time) (proof.Kind, time.Time) {
	switch {
	case gone(s.until, now) >= 0:
		return proof.KindShiftOver, s.until
	case gone(s.seen, now) > clerk.IdleEnd:
		return proof.KindSessionEnded, s.seen.Add(clerk.IdleEnd)
	}
	return proof.KindNone, time.Time{}
}

// begin signs a clerk in. Earlier sessions of the same clerk end: there is one
// counter.
func (s *sessions) begin(op proof.Operator, now time.Time) api.Session {
	b := make([]byte, 32)
	rand.Read(b)
	token := hex.EncodeToString(b)
	s.endOf(op.ID, now)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.look(now)
	s.open[token] = session{op, now, now.Add(clerk.Shift)}
	return api.Session{Token: token, Operator: op, Until: now.Add(clerk.Shift)}
}

// shut ends a session and remembers why. s.mu is held.
func (s *sessions) shut(token string, why proof.Kind, at time.Time) {
	if len(s.why) >= maxWhy {
		clear(s.why)
	}
	s.why[token] = why
	s.over = append(s.over, ended{s.open[token].op.ID, why, at})
	delete(s.open, token)
}

// look ends the sessions whose time is over. s.mu is held.
func (s *sessions) look(now time.Time) {
	for token, found := range s.open {
		if why, at := found.stands(now); why != proof.KindNone {
			s.shut(token, why, at)
		}
	}
}

// take ends the sessions whose time is over and gives all that ended by
// themselves since the last time.
func (s *sessions) take(now time.Time) []ended {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.look(now)
	over := s.over
	s.over = nil
	return over
}

// find is whose token it is, or why there is no session any more; it counts as a
// sign of life.
func (s *sessions) find(token string, now time.Time) (proof.Operator, proof.Kind) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.look(now)
	found, ok := s.open[token]
	if !ok {
		return proof.Operator{}, s.reason(token)
	}
	found.seen = now
	s.open[token] = found
	return found.op, proof.KindNone
}

// alive reports whether a session still lives, which is no sign of life, and why
// not.
func (s *sessions) alive(token string, now time.Time) (bool, proof.Kind) {
	s.mu.Lock()
	defer s.mu.Unlock()
	found, ok := s.open[token]
	if !ok {
		return false, s.reason(token)
	}
	why, _ := found.stands(now)
	return why == proof.KindNone, why
}

// reason is why a session ended, as far as that is remembered. s.mu is held.
func (s *sessions) reason(token string) proof.Kind {
	if why, known := s.why[token]; known {
		return why
	}
	return proof.KindSessionEnded
}

// end signs a clerk out.
func (s *sessions) end(token string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.open, token)
}

// endOf ends the sessions of an operator at once.
func (s *sessions) endOf(op proof.OperatorID, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for token, found := range s.open {
		if found.op.ID == op {
			s.shut(token, proof.KindSessionClosed, now)
		}
	}
}

// update gives the open sessions of an operator the role and training that the
// account has now.
func (s *sessions) update(op proof.Operator) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for token, found := range s.open {
		if found.op.ID == op.ID {
			found.op = op
			s.open[token] = found
		}
	}
}
