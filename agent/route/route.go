// Package route is the way a visit goes, as pure steps: Next takes what a visit
// has become and one event, and gives what it becomes and what is asked next.
// It is for the desk, which performs the asks, and for the opener and the
// auditors, who fold the same events again and must arrive at the same state.
//
// It never touches a device, a clock or a disk, and it has no numbers of its own:
// scores and levels come from packages gpg45 and nhs over the facts that are
// collected here.
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

	"github.com/counterproof/counterproof/agent/mrz"
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

	Proofing, Face Consent

	Document      *Document
	DocumentFails int
	DocumentKind  proof.Kind // of the last failure
	DocumentWay   proof.AskKind
	Rejected      proof.Code // why the last document was not taken

	Exam *Exam

	Live       proof.PictureID
	FaceFails  int
	FaceKind   proof.Kind
	FaceSkip   bool // the clerk went on without a photograph
	Machine    *Comparison
	MachineErr proof.Kind
	Differed   int // how often the machine said another person

	Person *PersonCheck

	Finishing bool // the clerk ends with what there is
	Abandoned bool // it ends without a result
	Reason    proof.Code
	Outcome   *proof.Outcome
	Confirmed bool
	Ref       proof.Ref
	Slip      *proof.SlipMade
	Ended     bool
}

// Document is the document that counts now.
type Document struct {
	Event    int // Seq of the event that read it
	Source   proof.Source
	MRZ      mrz.Document
	Score    float64
	Page     proof.PictureID
	Portrait proof.PictureID
}

// Exam is the clerk's examination and who made it.
type Exam struct {
	Event int
	By    proof.Actor
	proof.DocumentExamined
}

// Comparison is the machine's comparison.
type Comparison struct {
	Event int
	proof.FacesCompared
}

// PersonCheck is the operator's comparison and who made it.
type PersonCheck struct {
	Event int
	By    proof.Actor
	proof.PersonCompared
}

// Begun reports whether the visit has begun.
func (s State) Begun() bool { return s.Visit.Case != "" }

// Open reports whether the visit wants anything more.
func (s State) Open() bool { return s.Begun() && !s.Ended }

// Next folds one event into the state and says what is asked then. An event
// that is not Allowed only moves Seq.
func Next(s State, e proof.Event) (State, []proof.Ask) {
	if Allowed(s, e.Fact) {
		s = apply(s, e)
	}
	s.Seq = e.Seq
	return s, Asks(s)
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
	switch f := f.(type) {
	case proof.HandedOver:
		return s.Outcome == nil
	case proof.VisitAbandoned:
		return s.Outcome == nil && !s.Finishing
	case proof.StepReopened:
		return CanReopen(s, f.Step)
	case proof.WayChosen:
		return asked(s, f.Way)
	}
	want, ok := answers[f.FactKind()]
	return ok && slices.ContainsFunc(want, func(k proof.AskKind) bool { return asked(s, k) })
}

// answers names the asks that each kind of fact answers.
var answers = map[proof.FactKind][]proof.AskKind{
	"consent_answered":  {proof.AskProofingConsent, proof.AskFaceConsent},
	"document_read":     {proof.CaptureDocument, proof.KeyDocument},
	"document_failed":   {proof.CaptureDocument},
	"document_examined": {proof.ExamineDocument},
	"face_taken":        {proof.CaptureFace},
	"face_failed":       {proof.CaptureFace},
	"faces_compared":    {proof.CompareFaces},
	"compare_failed":    {proof.CompareFaces},
	"person_compared":   {proof.ComparePerson},
	"visit_decided":     {proof.Decide},
	"result_confirmed":  {proof.ConfirmResult},
	"record_queued":     {proof.SealRecord},
	"slip_made":         {proof.PrintSlip},
	"visit_ended":       {proof.EndVisit},
}

// asked reports whether an ask of that kind is open.
func asked(s State, k proof.AskKind) bool {
	return slices.ContainsFunc(Asks(s), func(a proof.Ask) bool { return a.Kind == k })
}

// apply folds a fact that is allowed.
func apply(s State, e proof.Event) State {
	switch f := e.Fact.(type) {
	case proof.VisitStarted:
		return State{Visit: f, Started: e, Operator: e.By.ID, Trained: f.Operator}
	case proof.ConsentAnswered:
		return applyConsent(s, f)
	case proof.DocumentRead, proof.DocumentFailed, proof.DocumentExamined:
		return applyDocument(s, e)
	case proof.FaceTaken, proof.FaceFailed, proof.FacesCompared, proof.CompareFailed, proof.PersonCompared:
		return applyFace(s, e)
	case proof.HandedOver:
		s.Operator, s.Trained = f.To, f.Trained
	case proof.WayChosen:
		return applyWay(s, f.Way)
	case proof.StepReopened:
		return reopen(s, f.Step)
	case proof.VisitAbandoned:
		s.Finishing, s.Abandoned, s.Reason = true, true, f.Reason
	default:
		return applyEnd(s, e.Fact)
	}
	return s
}

// applyEnd folds the facts after the evidence is in.
func applyEnd(s State, f proof.Fact) State {
	switch f := f.(type) {
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
	}
	return s
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
	case f.Purpose == proof.ForFace && s.Proofing == Given && s.Face == NotAsked:
		s.Face = answer
	}
	return s
}

// applyWay takes the way that the clerk chose.
func applyWay(s State, way proof.AskKind) State {
	switch way {
	case proof.Finish:
		s.Finishing = true
		s.Reason = finishReason(s)
	case proof.KeyDocument, proof.CaptureDocument:
		s.DocumentWay = way
	case proof.ComparePerson:
		s.FaceSkip = true
	case proof.CaptureFace:
		s.FaceSkip = false
	}
	return s
}

// finishReason says why a visit ends with what there is.
func finishReason(s State) proof.Code {
	switch {
	case s.Rejected != "":
		return s.Rejected
	case s.Document == nil:
		return proof.NoSuitableDocument
	case s.Differs():
		return proof.FaceDifferent
	}
	return proof.ClerkStopped
}

// EvidenceType tells the kind of the document that counts, by the first letters
// of its zone (ICAO 9303-4 §4.2.2, -5 §4.2.2): P is a passport; identity cards
// (A, C, I) of an EEA state are a type of their own.
func (s State) EvidenceType() proof.EvidenceType {
	if s.Document == nil {
		return ""
	}
	f := s.Document.MRZ.Fields
	switch {
	case len(f.DocumentCode) > 0 && f.DocumentCode[0] == 'P' && s.Document.MRZ.Format == mrz.TD3:
		return proof.Passport
	case len(f.DocumentCode) > 0 && slices.Contains([]byte("ACI"), f.DocumentCode[0]) && slices.Contains(eea, f.IssuingState):
		return proof.EEAIdentityCard
	}
	return proof.OtherDocument
}

// eea lists the states whose identity cards Regulation (EU) 2019/1157 covers,
// and Utopia, the state of all specimens, so that training has cards too.
var eea = []string{
	"AUT", "BEL", "BGR", "CYP", "CZE", "D", "DEU", "DNK", "ESP", "EST", "FIN", "FRA", "GRC", "HRV", "HUN", "IRL", "ISL",
	"ITA", "LIE", "LTU", "LUX", "LVA", "MLT", "NLD", "NOR", "POL", "PRT", "ROU", "SVK", "SVN", "SWE", "UTO",
}

// Claimed is the identity as the document that counts tells it, zero without one.
func (s State) Claimed() proof.Person {
	if s.Document == nil {
		return proof.Person{}
	}
	f := s.Document.MRZ.Fields
	return proof.Person{
		Surname: proof.NewName(f.Surname), Given: proof.NewName(f.GivenNames),
		Birth: f.BirthDate, Sex: f.Sex, Nationality: f.Nationality,
	}
}
