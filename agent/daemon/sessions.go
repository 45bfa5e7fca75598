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
}

type session struct {
	op   proof.Operator
	seen time.Time
}

func newSessions() *sessions { return &sessions{open: map[string]session{}} }

// begin signs a clerk in. Earlier sessions of the same clerk end: there is one
// counter.
func (s *sessions) begin(op proof.Operator, now time.Time) api.Session {
	b := make([]byte, 32)
	rand.Read(b)
	token := hex.EncodeToString(b)
	s.mu.Lock()
	defer s.mu.Unlock()
	for t, old := range s.open {
		if old.op.ID == op.ID || now.Sub(old.seen) > clerk.IdleEnd {
			delete(s.open, t)
		}
	}
	s.open[token] = session{op, now}
	return api.Session{Token: token, Operator: op}
}

// find is whose token it is, and counts as a sign of life.
func (s *sessions) find(token string, now time.Time) (proof.Operator, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	found, ok := s.open[token]
	if !ok || now.Sub(found.seen) > clerk.IdleEnd {
		delete(s.open, token)
		return proof.Operator{}, false
	}
	found.seen = now
	s.open[token] = found
	return found.op, true
}

// alive reports whether a session still lives, which is no sign of life.
func (s *sessions) alive(token string, now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	found, ok := s.open[token]
	return ok && now.Sub(found.seen) <= clerk.IdleEnd
}

// end signs a clerk out.
func (s *sessions) end(token string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.open, token)
}
