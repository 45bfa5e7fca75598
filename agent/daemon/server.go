package daemon

import (
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"time"

	"github.com/counterproof/counterproof/agent/api"
	"github.com/counterproof/counterproof/agent/doctor/clinic"
	"github.com/counterproof/counterproof/agent/proof"
)

// maxBody bounds a request's body; the largest is an examination.
const maxBody = 64 << 10

// server answers the local interface. It has no state of its own but the
// sessions and the watchers; the visit is the desk's.
type server struct {
	c        *counter
	sessions *sessions
	news     *news
}

// handler routes the interface.
func (s *server) handler() http.Handler {
	mux := http.NewServeMux()
	open := func(pattern string, h func(*http.Request) (any, error)) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) { s.answer(w, r, h) })
	}
	signed := func(pattern string, h func(*http.Request, proof.Operator) (any, error)) {
		open(pattern, func(r *http.Request) (any, error) {
			op, err := s.operator(r)
			if err != nil {
				return nil, err
			}
			return h(r, op)
		})
	}
	open("GET "+api.PathStatus, func(*http.Request) (any, error) { return s.c.status(), nil })
	open("POST "+api.PathFirst, s.firstClerk)
	open("POST "+api.PathSessions, s.signIn)
	signed("DELETE "+api.PathSessions, s.signOut)
	open("POST "+api.PathCode, s.signInWithCode)
	open("POST "+api.PathUnlock, s.unlock)
	signed("GET "+api.PathClerks, func(_ *http.Request, op proof.Operator) (any, error) { return s.clerkList(op), nil })
	signed("POST "+api.PathClerks, s.addClerk)
	signed("POST "+api.PathClerk, s.changeClerk)
	signed("POST "+api.PathSecret, s.changeSecret)
	signed("GET "+api.PathActivity, s.activity)
	signed("POST "+api.PathReport, s.printActivity)
	signed("POST "+api.PathVisits, s.startVisit)
	signed("GET "+api.PathVisit, s.visit)
	signed("POST "+api.PathAnswers, s.answerAsk)
	signed("POST "+api.PathHandOver, s.handOver)
	signed("POST "+api.PathSecond, s.second)
	signed("GET "+api.PathNotices, func(r *http.Request, _ proof.Operator) (any, error) { return s.c.notices(r.Context()) })
	signed("POST "+api.PathNotices, s.noticeSeen)
	signed("POST "+api.PathLook, func(r *http.Request, _ proof.Operator) (any, error) { return s.c.lookForNews(r.Context()) })
	signed("GET "+api.PathQueue, func(r *http.Request, _ proof.Operator) (any, error) { return s.c.outbox.List(r.Context()) })
	signed("GET "+api.PathDevices, func(*http.Request, proof.Operator) (any, error) {
		return api.DeviceList{Devices: s.c.deviceList()}, nil
	})
	clinic.New(clinic.Config{Hub: s.c.hub.Hub, Settings: s.c.cfg, Standing: s.c.status}).Routes(clinic.Door{
		Answer: open, May: s.mayTry,
		Stream: func(pattern string, h func(http.ResponseWriter, *http.Request) error) {
			mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
				if err := h(w, r); err != nil {
					s.refuse(w, r, err)
				}
			})
		},
	})
	mux.HandleFunc("GET "+api.PathPictures, s.picture)
	mux.HandleFunc("GET "+api.PathPreview, s.preview)
	mux.HandleFunc("GET "+api.PathEvents, s.events)
	return mux
}

// answer runs a handler and writes what it says.
func (s *server) answer(w http.ResponseWriter, r *http.Request, h func(*http.Request) (any, error)) {
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	body, err := h(r)
	if err != nil {
		s.refuse(w, r, err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	if err := json.NewEncoder(w).Encode(body); err != nil {
		slog.Debug("answer not sent", "path", r.Pattern, "err", err.Error())
	}
}

// until is an error that knows when trying again makes sense.
type until struct {
	error
	at time.Time
}

// Unwrap returns the error itself.
func (u until) Unwrap() error { return u.error }

// refuse writes a failure as a Problem. Only its Kind leaves the daemon; the
// cause goes to the log, where failures hold no personal data.
func (s *server) refuse(w http.ResponseWriter, r *http.Request, err error) {
	problem := api.Problem{Kind: proof.KindOf(err)}
	if u, ok := errors.AsType[until](err); ok {
		problem.Until = u.at
	}
	if problem.Kind == proof.KindInternal {
		slog.Error("request failed", "path", r.Pattern, "err", err.Error())
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(statusOf(problem.Kind))
	if err := json.NewEncoder(w).Encode(problem); err != nil {
		slog.Debug("answer not sent", "path", r.Pattern, "err", err.Error())
	}
}

// statusOf is the HTTP status of a Kind.
func statusOf(k proof.Kind) int {
	switch k {
	case proof.KindSignIn, proof.KindSessionEnded, proof.KindShiftOver, proof.KindSessionClosed:
		return http.StatusUnauthorized
	case proof.KindLockedOut, proof.KindNotAllowed, proof.KindPeerRefused, proof.KindEnrolCode,
		proof.KindAccountOff, proof.KindOwnAccount, proof.KindPINCode:
		return http.StatusForbidden
	case proof.KindNoVisit:
		return http.StatusNotFound
	case proof.KindAskNotOpen, proof.KindVisitOpen, proof.KindCancelled:
		return http.StatusConflict
	case proof.KindBadRequest, proof.KindWeakPIN, proof.KindNoMRZ, proof.KindChecksFailed, proof.KindOddLetters,
		proof.KindDetailsMissing, proof.KindNumberWrong, proof.KindDateWrong, proof.KindRefWrong, proof.KindTokenWrong,
		proof.KindContactWrong, proof.KindPracticeCodes, proof.KindSameOperator:
		return http.StatusUnprocessableEntity
	case proof.KindDiskFull:
		return http.StatusInsufficientStorage
	}
	return http.StatusInternalServerError
}

// read decodes a request's body.
func read[T any](r *http.Request) (T, error) {
	var v T
	b, err := io.ReadAll(r.Body)
	if err == nil {
		err = json.Unmarshal(b, &v)
	}
	if err != nil {
		return v, &proof.Error{Op: "reading a request", Kind: proof.KindBadRequest}
	}
	return v, nil
}

// operator is who the request's session belongs to.
func (s *server) operator(r *http.Request) (proof.Operator, error) {
	op, why := s.sessions.find(r.Header.Get(api.TokenHeader), time.Now())
	if why != proof.KindNone {
		return op, &proof.Error{Op: "checking the session", Kind: why}
	}
	return op, nil
}

// mayTry lets a device be tried: by anybody while no visit is open, because what is
// wrong with a counter may be why nobody can sign in, else by the operator who has
// it.
func (s *server) mayTry(r *http.Request) error {
	if s.c.desk.OpenVisit() == "" {
		return nil
	}
	op, err := s.operator(r)
	if err != nil {
		return err
	}
	return s.hasVisit(op)
}

// hasVisit refuses an operator who has not got the open visit.
func (s *server) hasVisit(op proof.Operator) error {
	if holder := s.c.desk.Operator(); holder != "" && holder != op.ID {
		return &proof.Error{Op: "showing the visit", Kind: proof.KindNotAllowed}
	}
	return nil // without a visit there is nothing to see
}

func (s *server) firstClerk(r *http.Request) (any, error) {
	in, err := read[api.FirstClerk](r)
	if err != nil {
		return nil, err
	}
	if err := given(proof.Supervisor, in.Training); err != nil {
		return nil, err
	}
	op, err := s.c.clerks.First(in.Code, in.Name, in.Secret, in.Training)
	if err != nil {
		return nil, err
	}
	s.c.deeds.note(api.Deed{Who: op.ID, Did: api.DidFirst, Whom: op.ID, Role: op.Role, Training: &in.Training})
	return s.beginSession(op), nil
}

func (s *server) signIn(r *http.Request) (any, error) {
	in, err := read[api.SignIn](r)
	if err != nil {
		return nil, err
	}
	op, err := s.check(in)
	if err != nil {
		return nil, err
	}
	return s.beginSession(op), nil
}

// check lets a clerk in, or says until when not.
func (s *server) check(in api.SignIn) (proof.Operator, error) {
	if s.c.clerks.Empty() {
		return proof.Operator{}, &proof.Error{Op: "signing in", Kind: proof.KindNoClerks}
	}
	op, at, err := s.c.clerks.SignIn(in.Operator, in.Secret, time.Now())
	if err != nil {
		return op, s.wrong(in.Operator, err, at)
	}
	return op, nil
}

func (s *server) signOut(r *http.Request, op proof.Operator) (any, error) {
	s.c.desk.Leave(op.ID)
	s.sessions.end(r.Header.Get(api.TokenHeader))
	s.c.deeds.note(api.Deed{Who: op.ID, Did: api.DidSignOut})
	return struct{}{}, nil
}

func (s *server) unlock(r *http.Request) (any, error) {
	in, err := read[api.Unlock](r)
	if err != nil {
		return nil, err
	}
	by, err := s.check(in.Supervisor)
	if err != nil {
		return nil, err
	}
	if err := s.c.unlock(by, in.Operator); err != nil {
		return nil, err
	}
	s.c.deeds.note(api.Deed{Who: by.ID, Did: api.DidUnlock, Whom: in.Operator})
	return struct{}{}, nil
}

func (s *server) startVisit(r *http.Request, op proof.Operator) (any, error) {
	in, err := read[api.NewVisit](r)
	if err != nil {
		return nil, err
	}
	// Without the centre's keys a visit could not be kept at its end.
	if err := s.c.outbox.CanSeal(); err != nil {
		return nil, err
	}
	v, err := s.c.desk.Start(r.Context(), op, in)
	if err != nil {
		return nil, err
	}
	deed := api.Deed{Who: op.ID, Did: api.DidBegin, Case: v.ID}
	if in.Continues != "" {
		deed.Did = api.DidContinue
	}
	s.c.deeds.note(deed)
	return v, nil
}

// visit answers the open visit under its own name or as "current".
func (s *server) visit(r *http.Request, op proof.Operator) (any, error) {
	v, err := s.c.desk.Visit()
	if r.PathValue("id") != "current" {
		v, err = s.named(r)
	}
	return discreet(v, op), err
}

// discreet is a visit as an operator may see it who has not got it: that it is
// there, whose it is and what it waits for. Taking it over leaves a trace, and
// only then is the patient shown.
func discreet(v api.Visit, op proof.Operator) api.Visit {
	if v.Operator == op.ID {
		return v
	}
	return api.Visit{
		ID: v.ID, Route: v.Route, Language: v.Language, Events: v.Events, Operator: v.Operator, Training: v.Training,
		Asks: v.Asks, Ended: v.Ended,
	}
}

// named is the visit that the path names, which must be the one at hand: a
// screen that shows an earlier visit must not get, or answer, another patient's.
func (s *server) named(r *http.Request) (api.Visit, error) {
	v, err := s.c.desk.Visit()
	if err == nil && r.PathValue("id") != string(v.ID) {
		return api.Visit{}, &proof.Error{Op: "finding the visit", Kind: proof.KindNoVisit}
	}
	return v, err
}

// answerAsk passes an answer on. An operator who has not got the visit may not
// answer for the one who has.
func (s *server) answerAsk(r *http.Request, op proof.Operator) (any, error) {
	in, err := read[api.Answer](r)
	if err != nil {
		return nil, err
	}
	v, err := s.named(r)
	if err != nil {
		return nil, err
	}
	if v.Operator != op.ID {
		return nil, &proof.Error{Op: "answering", Kind: proof.KindNotAllowed}
	}
	after, err := s.c.desk.Answer(r.Context(), op, in)
	if err != nil {
		return nil, err
	}
	s.noteStep(op, in.Ask, v, after)
	return after, nil
}

// handOver signs the other clerk in and gives them the visit. Whoever signs in
// may take it over: a screen left behind must not strand the patient.
func (s *server) handOver(r *http.Request, from proof.Operator) (any, error) {
	in, err := read[api.SignIn](r)
	if err != nil {
		return nil, err
	}
	v, err := s.named(r)
	if err != nil {
		return nil, err
	}
	to, err := s.check(in)
	if err != nil {
		return nil, err
	}
	if _, err := s.c.desk.HandOver(r.Context(), from, to); err != nil {
		return nil, err
	}
	s.sessions.end(r.Header.Get(api.TokenHeader))
	s.c.deeds.note(api.Deed{Who: v.Operator, Did: api.DidHandOver, Whom: to.ID, Case: v.ID})
	return s.beginSession(to), nil
}

// second signs another clerk in beside the one who has the visit, to say
// whether they confirm what was seen. The visit and the session stay where they are.
func (s *server) second(r *http.Request, op proof.Operator) (any, error) {
	in, err := read[api.SecondSignIn](r)
	if err != nil {
		return nil, err
	}
	v, err := s.named(r)
	if err != nil {
		return nil, err
	}
	if v.Operator != op.ID {
		return nil, &proof.Error{Op: "asking a second person", Kind: proof.KindNotAllowed}
	}
	second, err := s.check(in.SignIn)
	if err != nil {
		return nil, err
	}
	after, err := s.c.desk.Second(r.Context(), second, in.Seen, in.Confirms)
	if err != nil {
		return nil, err
	}
	deed := api.Deed{Who: second.ID, Did: api.DidDeny, Whom: op.ID, Case: v.ID}
	if in.Confirms {
		deed.Did = api.DidConfirm
	}
	s.c.deeds.note(deed)
	s.noteStep(op, proof.SecondPerson, v, after)
	return after, nil
}

// noticeSeen marks news of an earlier visit as seen and prints its slip if that
// is wished.
func (s *server) noticeSeen(r *http.Request, op proof.Operator) (any, error) {
	in, err := read[api.NoticeSeen](r)
	if err != nil {
		return nil, err
	}
	n, err := s.c.noticeSeen(r.Context(), in)
	if err != nil {
		return nil, err
	}
	deed := api.Deed{Who: op.ID, Did: api.DidSeeNews, Ref: n.Ref}
	if in.Print {
		deed.Did = api.DidPrintNews
	}
	s.c.deeds.note(deed)
	return struct{}{}, nil
}

// picture answers a picture of the open visit to the operator who has it.
func (s *server) picture(w http.ResponseWriter, r *http.Request) {
	op, err := s.operator(r)
	var b []byte
	if err == nil {
		b, err = s.c.desk.Picture(op.ID, proof.CaseID(r.PathValue("id")), proof.PictureID(r.PathValue("picture")))
	}
	if err != nil {
		s.refuse(w, r, err)
		return
	}
	w.Header().Set("Content-Type", "image/jpeg")
	w.Header().Set("Cache-Control", "no-store")
	if _, err := w.Write(b); err != nil {
		slog.Debug("answer not sent", "path", r.Pattern, "err", err.Error())
	}
}
