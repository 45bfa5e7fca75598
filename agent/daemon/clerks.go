package daemon

import (
	"net/http"
	"time"

	"github.com/counterproof/counterproof/agent/api"
	"github.com/counterproof/counterproof/agent/clerk"
	"github.com/counterproof/counterproof/agent/proof"
)

// clerkList is the accounts as an operator may see them: how they stand is a
// supervisor's to know.
func (s *server) clerkList(op proof.Operator) api.ClerkList {
	list := api.ClerkList{Clerks: s.c.clerks.Accounts(time.Now())}
	if op.Role != proof.Supervisor {
		for i, a := range list.Clerks {
			list.Clerks[i] = api.Account{Operator: a.Operator}
		}
	}
	return list
}

// given refuses a role that is none, and days of training that cannot be.
func given(role proof.Role, trained proof.Training) error {
	if !clerk.GoodRole(role) {
		return &proof.Error{Op: "giving a role", Kind: proof.KindBadRequest}
	}
	if !clerk.GoodTraining(trained, time.Now()) {
		return &proof.Error{Op: "giving days of training", Kind: proof.KindDateWrong}
	}
	return nil
}

// addClerk makes a further account at a supervisor's wish, with a one-time code
// where no secret comes with it.
func (s *server) addClerk(r *http.Request, by proof.Operator) (any, error) {
	in, err := read[api.NewClerk](r)
	if err != nil {
		return nil, err
	}
	if by.Role != proof.Supervisor {
		return nil, &proof.Error{Op: "making an account", Kind: proof.KindNotAllowed}
	}
	if err := given(in.Role, in.Training); err != nil {
		return nil, err
	}
	var issued *api.Issued
	made := proof.Operator{Role: in.Role, Training: in.Training}
	if in.Secret == "" {
		code, err := s.c.clerks.Invite(by.ID, in.Name, made, time.Now())
		if err != nil {
			return nil, err
		}
		issued, made.ID = &code, code.Operator
	} else if made, err = s.c.clerks.Add(in.Name, in.Secret, in.Role, in.Training); err != nil {
		return nil, err
	}
	s.c.deeds.note(api.Deed{Who: by.ID, Did: api.DidAdd, Whom: made.ID, Role: in.Role, Training: &in.Training})
	list := s.clerkList(by)
	list.Issued = issued
	return list, nil
}

// did is what is noted of a change.
var did = map[api.ClerkDoing]api.DeedKind{
	api.DoDisable: api.DidDisable, api.DoEnable: api.DidEnable, api.DoReset: api.DidReset, api.DoChangeClerk: api.DidChange,
	api.DoUnlockClerk: api.DidUnlock,
}

// changeClerk does to another's account what a supervisor wishes. Who is switched
// off or reset is signed out at once.
func (s *server) changeClerk(r *http.Request, by proof.Operator) (any, error) {
	in, err := read[api.ClerkChange](r)
	if err != nil {
		return nil, err
	}
	whom, now := proof.OperatorID(r.PathValue("id")), time.Now()
	deed := api.Deed{At: now, Who: by.ID, Did: did[in.Do], Whom: whom}
	var issued *api.Issued
	switch in.Do {
	case api.DoDisable, api.DoEnable:
		err = s.c.clerks.Switch(by.ID, whom, in.Do == api.DoEnable, now)
	case api.DoReset:
		var code api.Issued
		code, err = s.c.clerks.Reset(by.ID, whom, now)
		issued = &code
	case api.DoUnlockClerk:
		err = s.c.unlock(by, whom)
	case api.DoChangeClerk:
		deed.Role, deed.Training = in.Role, &in.Training
		if err = given(in.Role, in.Training); err == nil {
			err = s.c.clerks.Change(by.ID, whom, in.Role, in.Training, now)
		}
	default:
		err = &proof.Error{Op: "changing an account", Kind: proof.KindBadRequest}
	}
	if err != nil {
		return nil, err
	}
	s.changed(whom, in.Do, now)
	s.c.deeds.note(deed)
	list := s.clerkList(by)
	list.Issued = issued
	return list, nil
}

// changed has the open sessions of an account follow what was done with it.
func (s *server) changed(whom proof.OperatorID, do api.ClerkDoing, now time.Time) {
	if do == api.DoDisable || do == api.DoReset {
		s.sessions.endOf(whom, now)
		s.noteEnded(now)
	}
	for _, op := range s.c.clerks.Operators() {
		if op.ID == whom {
			s.sessions.update(op)
		}
	}
}

// signInWithCode sets a clerk's own secret with a one-time code.
func (s *server) signInWithCode(r *http.Request) (any, error) {
	in, err := read[api.CodeSignIn](r)
	if err != nil {
		return nil, err
	}
	op, at, err := s.c.clerks.SignInWithCode(in.Operator, in.Code, in.Secret, time.Now())
	if err != nil {
		return nil, s.wrong(in.Operator, err, at)
	}
	s.c.deeds.note(api.Deed{Who: op.ID, Did: api.DidSetSecret})
	return s.beginSession(op), nil
}

// changeSecret changes the secret of whoever is signed in.
func (s *server) changeSecret(r *http.Request, op proof.Operator) (any, error) {
	in, err := read[api.NewSecret](r)
	if err != nil {
		return nil, err
	}
	if at, err := s.c.clerks.ChangeSecret(op.ID, in.Old, in.Secret, time.Now()); err != nil {
		return nil, s.wrong(op.ID, err, at)
	}
	s.c.deeds.note(api.Deed{Who: op.ID, Did: api.DidNewSecret})
	return struct{}{}, nil
}

// wrong notes a try that failed and says until when there is no other.
func (s *server) wrong(whom proof.OperatorID, err error, at time.Time) error {
	switch kind := proof.KindOf(err); kind {
	case proof.KindSignIn, proof.KindLockedOut, proof.KindPINCode, proof.KindAccountOff:
		if !s.c.clerks.Knows(whom) {
			whom = ""
		}
		s.c.deeds.failed(whom, kind)
	}
	if at.IsZero() {
		return err
	}
	return until{err, at}
}

// beginSession signs a clerk in and notes it.
func (s *server) beginSession(op proof.Operator) api.Session {
	now := time.Now()
	began := s.sessions.begin(op, now)
	s.noteEnded(now)
	s.c.deeds.note(api.Deed{At: now, Who: op.ID, Did: api.DidSignIn})
	return began
}
