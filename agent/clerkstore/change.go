package clerkstore

import (
	"crypto/rand"
	"crypto/subtle"
	"time"

	"github.com/counterproof/counterproof/agent/api"
	"github.com/counterproof/counterproof/agent/clerk"
	"github.com/counterproof/counterproof/agent/proof"
)

// oneTime is a code with which a clerk sets an own secret, kept as a keyed hash.
type oneTime struct {
	Hash  []byte    `json:"hash"`
	Until time.Time `json:"until"`
}

// newCode draws a one-time code, which only the caller ever sees.
func (s *Store) newCode(now time.Time) (string, *oneTime) {
	var random [clerk.CodeBytes]byte
	rand.Read(random[:])
	code := clerk.WriteCode(random)
	return code, &oneTime{s.keyed("code", clerk.ReadCode(code)), now.Add(clerk.CodeLife)}
}

// good reports whether a code is the hashed one and of the last day. One that is
// good for longer than a code lives has seen the clock go back.
func (o *oneTime) good(hash []byte, now time.Time) bool {
	if o == nil || !now.Before(o.Until) || o.Until.Sub(now) > clerk.CodeLife {
		return false
	}
	return subtle.ConstantTimeCompare(hash, o.Hash) == 1
}

// Accounts lists every account, also those that are off.
func (s *Store) Accounts(now time.Time) []api.Account {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := []api.Account{}
	for _, a := range s.file.Accounts {
		shown := api.Account{Operator: a.Operator, State: api.AccountReady, Changed: a.Changed.At, By: a.Changed.By}
		locked, until := a.Lock.Check(now)
		switch {
		case a.Off:
			shown.State = api.AccountOff
		case locked != proof.KindNone:
			shown.State, shown.Until = api.AccountLocked, until
		case a.Code != nil && now.Before(a.Code.Until):
			shown.State, shown.Until = api.AccountCode, a.Code.Until
		case len(a.Secret.Hash) == 0:
			shown.State = api.AccountVoid
		}
		out = append(out, shown)
	}
	return out
}

// Invite makes an account without a secret, and the one-time code with which the
// new clerk sets it.
func (s *Store) Invite(by proof.OperatorID, name string, given proof.Operator, now time.Time) (api.Issued, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if kind := s.mayManage(by, ""); kind != proof.KindNone {
		return api.Issued{}, &proof.Error{Op: "making an account", Kind: kind}
	}
	code, kept := s.newCode(now)
	made, err := s.add(s.file, name, account{
		Operator: proof.Operator{Role: given.Role, Training: given.Training}, Code: kept, Changed: stamp{by, now},
	})
	return api.Issued{Operator: made.ID, Code: code, Until: kept.Until}, err
}

// Switch turns another's account off or on. One that is off keeps its name and
// its place in the records; a one-time code that was out for it is void.
func (s *Store) Switch(by, whom proof.OperatorID, on bool, now time.Time) error {
	return s.manage(by, whom, now, func(a *account) proof.Kind {
		a.Off = !on
		if a.Off {
			a.Code = nil
		}
		return proof.KindNone
	})
}

// Reset makes another's secret void and draws the one-time code with which the
// clerk sets a new one. It opens a lock.
func (s *Store) Reset(by, whom proof.OperatorID, now time.Time) (api.Issued, error) {
	out := api.Issued{Operator: whom}
	err := s.manage(by, whom, now, func(a *account) proof.Kind {
		if a.Off {
			return proof.KindAccountOff
		}
		out.Code, a.Code = s.newCode(now)
		out.Until, a.Secret, a.Lock = a.Code.Until, secret{}, clerk.Lock{}
		return proof.KindNone
	})
	return out, err
}

// Change gives another a role and days of training.
func (s *Store) Change(by, whom proof.OperatorID, role proof.Role, trained proof.Training, now time.Time) error {
	return s.manage(by, whom, now, func(a *account) proof.Kind {
		a.Operator.Role, a.Operator.Training = role, trained
		return proof.KindNone
	})
}

// mayManage says whether the operator of an account, as it stands now, may
// change another's.
func (s *Store) mayManage(by, whom proof.OperatorID) proof.Kind {
	i := s.find(by)
	switch {
	case s.pepper == nil:
		return proof.KindPINKeyLost
	case i < 0 || s.file.Accounts[i].Off:
		return proof.KindNotAllowed
	}
	return clerk.MayManage(s.file.Accounts[i].Operator, whom)
}

// manage changes another's account, if the one who asks may.
func (s *Store) manage(by, whom proof.OperatorID, now time.Time, change func(*account) proof.Kind) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	kind, i := s.mayManage(by, whom), s.find(whom)
	if kind == proof.KindNone && i < 0 {
		kind = proof.KindBadRequest
	}
	if kind != proof.KindNone {
		return &proof.Error{Op: "changing an account", Kind: kind}
	}
	a := s.file.Accounts[i]
	if kind := change(&a); kind != proof.KindNone {
		return &proof.Error{Op: "changing an account", Kind: kind}
	}
	a.Changed = stamp{by, now}
	return s.put(i, a)
}

// SignInWithCode sets an own secret with a one-time code, which is gone then. A
// wrong code counts as a wrong try. A secret that will not do leaves the code.
func (s *Store) SignInWithCode(id proof.OperatorID, code, pass string, now time.Time) (proof.Operator, time.Time, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.good(pass); err != nil {
		return proof.Operator{}, time.Time{}, err
	}
	hash := s.keyed("code", clerk.ReadCode(code))
	return s.try(id, now, func(a *account) proof.Kind {
		fresh := s.hash(pass) // the same work whatever the code
		if !a.Code.good(hash, now) {
			return proof.KindPINCode
		}
		a.Secret, a.Code = fresh, nil
		return proof.KindNone
	})
}

// ChangeSecret gives an operator a new secret, for the old one. A wrong old one
// counts as a wrong try.
func (s *Store) ChangeSecret(id proof.OperatorID, old, pass string, now time.Time) (time.Time, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.good(pass); err != nil {
		return time.Time{}, err
	}
	_, until, err := s.try(id, now, func(a *account) proof.Kind {
		if !s.matches(old, a.Secret) {
			return proof.KindSignIn
		}
		a.Secret = s.hash(pass)
		return proof.KindNone
	})
	return until, err
}
