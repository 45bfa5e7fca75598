// Package route is the way a visit goes, as pure steps: Next takes what a visit
// has become and one event, and gives what it becomes and what is asked next.
// It is for the desk, which performs the asks, and for the opener and the
// auditors, who fold the same events again and must arrive at the same state.
//
// It never touches a device, a clock or a disk, and it gives no scores and no
// levels: what a visit came to package verdict says.
//
// # The laws
//
//   - The asks are a function of the state alone, so replaying a log always
//     leads to the same questions.
//   - An event that no open ask wanted changes nothing (Allowed says so before
//     it is written); whatever the order of events, nothing counts that was not
//     asked for, agreed to and done.
//   - Every ask that can fail has another way beside it after it failed.
//   - A machine that says another person is never overruled at the desk.
package route

import (
	"slices"

	"github.com/counterproof/counterproof/agent/proof"
)

// Limits on repeated steps. A capture that failed this often is offered by
// another way first; it may still be tried again.
const (
	// CaptureTries is after how many failures a capture is no longer the
	// recommended way.
	CaptureTries = 3
	// FaceRetakes is how many photographs a machine's "another person" allows
	// before the case goes to review.
	FaceRetakes = 2
)

// Consent is a patient's answer, empty before it was given.
type Consent string

// The answers.
const (
	NotAsked Consent = ""
	Given    Consent = "given"
	Refused  Consent = "refused"
)

// State is what a visit has become. The zero State is a visit that has not
// begun. Copies are independent as long as nobody writes through its pointers.
type State struct {
	Seq      int // of the last event
	Visit    proof.VisitStarted
	Started  proof.Event // the event that opened the visit
	Operator proof.OperatorID
	Trained  proof.Training // of the operator who has the visit now

	Proofing Consent

	Subject     // the patient
	Voucher     Subject
	Proxy       Subject
	Table       *proof.EvidenceTable
	Practice    *Practice
	Request     *Request
	Preferences *proof.PreferencesGiven
	Feedback    *proof.FeedbackGiven
	Token       *proof.ClaimMade     // for an account to claim later
	Redeemed    *proof.ClaimRedeemed // token of an earlier visit

	Latest    proof.Date // day of the last evidence, if later than the first
	TakenBack bool       // a finding against document or person was taken back
	Concern   bool       // somebody may be under pressure; people look at it
	Colleague *proof.ColleagueNoticed
	Patient   proof.OperatorID // who had the visit when they seemed to be the patient
	Second    *proof.SecondPersonAnswered

	Finishing bool // the clerk ends with what there is
	Abandoned bool // it ends without a result
	Reason    proof.Code
	EndWay    proof.AskKind // what is looked at beside the result
	Outcome   *proof.Outcome
	Confirmed bool
	Ref       proof.Ref
	Slip      *proof.SlipMade
	Ended     bool
}

// Practice is the codes of a practice's letter.
type Practice struct {
	Event int
	proof.PracticeDetailsGiven
}

// Request is a request for proxy access.
type Request struct {
	Event int
	By    proof.Actor
	proof.ProxyRequested
}

// Of is one person of the visit.
func (s State) Of(p proof.Party) Subject {
	switch p {
	case proof.Voucher:
		return s.Voucher
	case proof.Proxy:
		return s.Proxy
	}
	return s.Subject
}

// with puts a person back.
func (s State) with(p Subject) State {
	switch p.Party {
	case proof.Voucher:
		s.Voucher = p
	case proof.Proxy:
		s.Proxy = p
	default:
		s.Subject = p
	}
	return s
}

// Parties are the people who have shown or claimed anything, the patient first.
func (s State) Parties() []Subject {
	parties := []Subject{s.Subject}
	for _, p := range []Subject{s.Voucher, s.Proxy} {
		if p.Claim != nil || len(p.Pieces()) > 0 || p.Differed > 0 {
			parties = append(parties, p)
		}
	}
	return parties
}

// Begun reports whether the visit has begun.
func (s State) Begun() bool { return s.Visit.Case != "" }

// Open reports whether the visit wants anything more.
func (s State) Open() bool { return s.Begun() && !s.Ended }

// Next folds one event into the state and says what is asked then. An event
// that is not Allowed only moves Seq.
func Next(s State, e proof.Event) (State, []proof.Ask) {
	if Allowed(s, e.Fact) && credible(s, e) {
		s = dated(apply(s, e), e)
	}
	s.Seq = e.Seq
	return s, Asks(s)
}

// credible reports whether an event's author is who has the visit: an
// examination or a comparison counts with the training of the operator whom the
// visit was given to, and of nobody else.
func credible(s State, e proof.Event) bool {
	operator := e.By.Kind == proof.ByPerson && e.By.ID == s.Operator
	switch f := e.Fact.(type) {
	case proof.DocumentExamined:
		return operator && f.Trained == s.Trained
	case proof.PersonCompared:
		return operator && f.Trained == s.Trained
	case proof.SecondPersonAnswered:
		return e.By.Kind == proof.ByPerson && e.By.ID == f.Operator
	}
	return true
}

// dated keeps the last day on which evidence came in, so that a visit that was
// left open over midnight, or for weeks, is judged by its end.
func dated(s State, e proof.Event) State {
	switch e.Fact.(type) {
	case proof.DocumentRead, proof.EvidenceEntered, proof.DocumentExamined, proof.ChipRead, proof.PersonCompared, proof.VouchGiven,
		proof.ProxyRequested:
		if day := Today(e.At); s.Latest.Before(day) {
			s.Latest = day
		}
	}
	return s
}

// Today is the civil day that the visit is judged by: that of its last evidence,
// or of its beginning where a clock went back.
func (s State) Today() proof.Date {
	begun := Today(s.Started.At)
	if s.Latest.Before(begun) {
		return begun
	}
	return s.Latest
}

// Fold replays a visit's events from the beginning.
func Fold(events []proof.Event) State {
	var s State
	for _, e := range events {
		s, _ = Next(s, e)
	}
	return s
}

// Allowed reports whether a fact fits what is open: the desk asks before it
// writes an event.
func Allowed(s State, f proof.Fact) bool {
	if _, starts := f.(proof.VisitStarted); starts || !s.Begun() {
		return starts && !s.Begun()
	}
	if s.Ended {
		return false
	}
	if fits, beside := besides(s, f); beside {
		return fits
	}
	want, ok := answers[f.FactKind()]
	if !ok || !slices.ContainsFunc(want, func(k proof.AskKind) bool { return asked(s, k) }) {
		return false
	}
	switch f := f.(type) {
	case proof.FacesCompared:
		return s.Of(Turn(s)).fits(f)
	case proof.EvidenceChosen:
		return mayChoose(s, f)
	case proof.SecondPersonAnswered:
		return apart(s, f.Operator)
	}
	return true
}

// apart reports whether an operator has no part in what a second person is to
// confirm: they do not have the visit, made none of its checks and are not the
// patient.
func apart(s State, second proof.OperatorID) bool {
	return second != s.Operator && second != s.Patient && !checked(s, second)
}

// checked reports whether an operator examined or compared anything that counts.
func checked(s State, by proof.OperatorID) bool {
	made := func(p Piece) bool {
		return p.Exam != nil && p.Exam.By.ID == by || p.Person != nil && p.Person.By.ID == by
	}
	return slices.ContainsFunc(s.Parties(), func(p Subject) bool { return slices.ContainsFunc(p.Pieces(), made) })
}

// besides judges the facts that answer no ask; the second value is false for the
// others.
func besides(s State, f proof.Fact) (fits, beside bool) {
	switch f := f.(type) {
	case proof.ConcernRaised:
		return !s.Confirmed && !s.Abandoned, true
	case proof.ColleagueNoticed:
		return s.Outcome == nil && s.Colleague == nil, true
	case proof.HandedOver:
		return true, true // also at the end: whoever left must not hold the next patient up
	case proof.VisitAbandoned:
		return s.Outcome == nil && !s.Finishing, true
	case proof.StepReopened:
		return CanReopen(s, f.Step), true
	case proof.WayChosen:
		return asked(s, f.Way), true
	}
	return false, false
}

// answers names the asks that each kind of fact answers.
var answers = map[proof.FactKind][]proof.AskKind{
	"consent_answered":       {proof.AskProofingConsent, proof.AskFaceConsent},
	"document_read":          {proof.CaptureDocument, proof.KeyDocument},
	"document_failed":        {proof.CaptureDocument, proof.ScanEvidence},
	"document_examined":      {proof.ExamineDocument},
	"chip_read":              {proof.ReadChip},
	"chip_failed":            {proof.ReadChip},
	"face_taken":             {proof.CaptureFace},
	"face_failed":            {proof.CaptureFace},
	"faces_compared":         {proof.CompareFaces},
	"compare_failed":         {proof.CompareFaces},
	"person_compared":        {proof.ComparePerson},
	"evidence_chosen":        {proof.ChooseEvidence},
	"evidence_table":         {proof.ChooseEvidence},
	"identity_claimed":       {proof.ClaimIdentity},
	"evidence_scanned":       {proof.ScanEvidence},
	"evidence_entered":       {proof.EnterEvidence},
	"vouch_given":            {proof.GiveVouch},
	"practice_details_given": {proof.GivePractice},
	"proxy_requested":        {proof.RequestProxy},
	"claim_redeemed":         {proof.RedeemClaim},
	"second_person_answered": {proof.SecondPerson},
	"preferences_given":      {proof.SetPreferences},
	"feedback_given":         {proof.GiveFeedback},
	"claim_made":             {proof.MakeClaim},
	"visit_decided":          {proof.Decide},
	"result_confirmed":       {proof.ConfirmResult},
	"record_queued":          {proof.SealRecord, proof.MakeClaim}, // a program of before claim tokens sealed at once
	"slip_made":              {proof.PrintSlip},
	"visit_ended":            {proof.EndVisit},
}

// asked reports whether an ask of that kind is open.
func asked(s State, k proof.AskKind) bool {
	return slices.ContainsFunc(Asks(s), func(a proof.Ask) bool { return a.Kind == k })
}

// apply folds a fact that is allowed.
func apply(s State, e proof.Event) State {
	switch f := e.Fact.(type) {
	case proof.VisitStarted:
		return begin(e, f)
	case proof.ConsentAnswered:
		return applyConsent(s, f)
	case proof.HandedOver:
		s.Operator, s.Trained = f.To, f.Trained
	case proof.WayChosen:
		return applyWay(s, f.Way)
	case proof.StepReopened:
		return reopen(s, f.Step)
	case proof.VisitAbandoned:
		s.Finishing, s.Abandoned, s.Reason = true, true, f.Reason
	case proof.ConcernRaised:
		s.Concern = true
		s.Outcome = nil
	case proof.ColleagueNoticed:
		return notice(s, f)
	case proof.SecondPersonAnswered:
		s.Second = &f
	case proof.EvidenceChosen:
		return choose(s, f)
	case proof.EvidenceTable:
		s.Table = &f
	default:
		if end, done := applyEnd(s, e); done {
			return end
		}
		return applyShown(s, e)
	}
	return s
}

// notice keeps that patient and clerk seem to be colleagues, or one.
func notice(s State, f proof.ColleagueNoticed) State {
	s.Colleague = &f
	if f.Self {
		s.Patient = s.Operator
	}
	return s
}

// applyShown folds what the person whose turn it is shows, and what is made of
// it. A second person who takes over and checks by themselves is none any more:
// another one must confirm.
func applyShown(s State, e proof.Event) State {
	s = s.with(applyPiece(s, s.Of(Turn(s)), e))
	if s.Second != nil && s.Second.Confirms && checked(s, s.Second.Operator) {
		s.Second = nil
	}
	return s
}

// begin opens a visit by its route.
func begin(e proof.Event, f proof.VisitStarted) State {
	s := State{Visit: f, Started: e, Operator: e.By.ID, Trained: f.Operator}
	s.Voucher.Party, s.Proxy.Party = proof.Voucher, proof.Proxy
	switch f.Route {
	case proof.PhotoDocument:
		s.Chosen.Form = proof.ByZone
	case proof.DrivingLicence:
		s.Chosen = proof.EvidenceChosen{Type: proof.UKLicence, Form: proof.ByField, Photo: true}
	case proof.Vouching:
		s.Chosen = proof.EvidenceChosen{Type: proof.Vouch, Form: proof.ByVouch}
		s.Voucher.Chosen.Form = proof.ByZone
	case proof.ProxyAccess:
		s.Proxy.Chosen.Form = proof.ByZone
	}
	return s
}

// applyEnd folds the facts beside and after the evidence; false where the fact
// is about evidence.
func applyEnd(s State, e proof.Event) (State, bool) {
	switch f := e.Fact.(type) {
	case proof.VouchGiven: // it is about the patient, whoever was asked then
		s.Vouch = &Vouch{e.Seq, e.By, f}
	case proof.PracticeDetailsGiven:
		s.Practice = &Practice{e.Seq, f}
	case proof.ProxyRequested:
		s.Request = &Request{e.Seq, e.By, f}
	case proof.ClaimRedeemed:
		s.Redeemed = &f
	case proof.PreferencesGiven:
		s.Preferences, s.EndWay = &f, ""
	case proof.FeedbackGiven:
		s.Feedback, s.EndWay = &f, ""
	case proof.ClaimMade:
		s.Token = &f
	case proof.VisitDecided:
		outcome := f.Outcome
		s.Outcome = &outcome
	case proof.ResultConfirmed:
		s.Confirmed = true
	case proof.RecordQueued:
		s.Ref = f.Ref
	case proof.SlipMade:
		s.Slip = &f
	case proof.VisitEnded:
		s.Ended = true
	default:
		return s, false
	}
	return s, true
}

// applyConsent keeps an answer if its purpose is the one being asked. Without
// consent to the visit itself there is no visit.
func applyConsent(s State, f proof.ConsentAnswered) State {
	answer := Refused
	if f.Given {
		answer = Given
	}
	switch {
	case f.Purpose == proof.ForProofing && s.Proofing == NotAsked:
		s.Proofing = answer
		if answer == Refused {
			s.Finishing, s.Abandoned, s.Reason = true, true, proof.ConsentRefused
		}
	case f.Purpose == proof.ForFace && s.Proofing == Given:
		p := s.Of(Turn(s))
		if p.Face == NotAsked {
			p.Face = answer
		}
		return s.with(p)
	}
	return s
}

// applyWay takes the way that the clerk chose.
func applyWay(s State, way proof.AskKind) State {
	p := s.Of(Turn(s))
	switch way {
	case proof.Finish:
		s.Finishing = true
		s.Reason = finishReason(p)
		return s
	case proof.KeyDocument, proof.CaptureDocument, proof.EnterEvidence, proof.ScanEvidence:
		p.DocumentWay = way
	case proof.ExamineDocument, proof.ReadChip:
		p.ChipWay = way
	case proof.ComparePerson:
		p.FaceSkip = true
	case proof.CaptureFace:
		p.FaceSkip = false
	case proof.GiveVouch: // in the patient's turn it is asked already
		p.Enough = p.Enough || p.Party == proof.Voucher
	case proof.RequestProxy:
		p.Enough = true
	case proof.ChooseEvidence:
		return choose(s, proof.EvidenceChosen{})
	case proof.ConfirmResult, proof.SetPreferences, proof.GiveFeedback:
		s.EndWay = way
		return s
	}
	return s.with(p)
}

// finishReason says why a visit ends with what there is.
func finishReason(p Subject) proof.Code {
	switch {
	case p.Rejected != "":
		return p.Rejected
	case len(p.Done) > 0 && p.form() == "":
		return ""
	case len(p.Pieces()) == 0:
		return proof.NoSuitableDocument
	case p.Differs():
		return proof.FaceDifferent
	}
	return proof.ClerkStopped
}

// Routes lists the routes that a visit may begin with.
func Routes() []proof.RouteName {
	return []proof.RouteName{
		proof.PhotoDocument, proof.DrivingLicence, proof.AnyEvidence, proof.Vouching, proof.PracticeDetails,
		proof.ProxyAccess, proof.ClaimAccount,
	}
}
