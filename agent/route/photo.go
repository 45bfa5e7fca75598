package route

import (
	"slices"
	"time"

	"github.com/counterproof/counterproof/agent/mrz"
	"github.com/counterproof/counterproof/agent/proof"
)

// Asks says what the visit wants now: alternatives, the recommended one first.
// None means that the visit has not begun or has ended.
func Asks(s State) []proof.Ask {
	switch {
	case !s.Open():
		return nil
	case s.Outcome != nil:
		return endAsks(s)
	case s.Finishing:
		return one(proof.Decide)
	case s.Proofing == NotAsked:
		return one(proof.AskProofingConsent)
	case s.Document == nil:
		return documentAsks(s)
	case s.Exam == nil:
		return one(proof.ExamineDocument)
	case s.Exam.Details == proof.Contradicts || len(s.Exam.Doubts) > 0 || !s.Exam.Original:
		// The document has failed: no face need be shown to a machine.
		return one(proof.Decide)
	case s.Face == NotAsked:
		return one(proof.AskFaceConsent)
	}
	return faceAsks(s)
}

// one is a single ask.
func one(k proof.AskKind) []proof.Ask { return []proof.Ask{{Kind: k}} }

// documentAsks offers the camera and the keyboard; whichever the clerk chose,
// or has not failed too often, comes first. After a document that cannot count
// the visit may also end with what there is.
func documentAsks(s State) []proof.Ask {
	capture := proof.Ask{Kind: proof.CaptureDocument, Why: s.Rejected, Problem: s.DocumentKind, Attempt: s.DocumentFails}
	key := proof.Ask{Kind: proof.KeyDocument, Why: s.Rejected}
	asks := []proof.Ask{capture, key}
	if s.DocumentWay == proof.KeyDocument || s.DocumentWay == "" && cameraGivesUp(s.DocumentKind, s.DocumentFails) {
		if s.DocumentWay == "" {
			asks[1].Why = proof.CaptureKeepsFailing
			if missing(s.DocumentKind) {
				asks[1].Why = proof.DeviceNotThere
			}
		}
		asks[0], asks[1] = asks[1], asks[0]
	}
	return append(asks, proof.Ask{Kind: proof.Finish, Why: proof.NoSuitableDocument})
}

// cameraGivesUp reports whether another way is better than this camera.
func cameraGivesUp(kind proof.Kind, fails int) bool {
	return missing(kind) || fails >= CaptureTries
}

// missing reports whether a device will not come back by trying again.
func missing(kind proof.Kind) bool {
	switch kind {
	case proof.KindDeviceMissing, proof.KindDeviceGone, proof.KindDevicePermission, proof.KindDeviceUnsupported, proof.KindFaceUnavailable:
		return true
	}
	return false
}

// faceAsks leads from the photograph over the machine's view to the operator's
// own comparison, which alone counts.
func faceAsks(s State) []proof.Ask {
	compare := s.wantsMachine() && s.Live != "" && s.Machine == nil && s.MachineErr == ""
	switch {
	case compare:
		return one(proof.CompareFaces)
	case s.Differs():
		return differAsks(s)
	case s.Person != nil:
		return one(proof.Decide)
	case s.wantsMachine() && s.Live == "":
		return captureFaceAsks(s)
	}
	return []proof.Ask{personAsk(s)}
}

// wantsMachine reports whether a machine may and can compare: the patient
// agreed, there is a portrait and the clerk has not gone on without.
func (s State) wantsMachine() bool {
	return s.Face == Given && s.Document != nil && s.Document.Portrait != "" && !s.FaceSkip
}

// Differs reports whether a machine said another person and no later comparison
// took it back. It holds whatever else fails, so that a broken matcher or a
// covered lens never clears somebody.
func (s State) Differs() bool {
	return s.Differed > 0 && (s.Machine == nil || s.Machine.Decision == proof.NoMatch)
}

// captureFaceAsks asks for a photograph, with the comparison by eye beside it.
func captureFaceAsks(s State) []proof.Ask {
	capture := proof.Ask{Kind: proof.CaptureFace, Problem: s.FaceKind, Attempt: s.FaceFails}
	compare := personAsk(s)
	if cameraGivesUp(s.FaceKind, s.FaceFails) {
		compare.Why = proof.CaptureKeepsFailing
		return []proof.Ask{compare, capture}
	}
	return []proof.Ask{capture, compare}
}

// differAsks follows a machine's "another person": another photograph while
// there are tries left, else the end. The comparison by eye is not offered,
// because it could not lead to a level.
func differAsks(s State) []proof.Ask {
	if s.Differed > FaceRetakes {
		return one(proof.Decide)
	}
	again := proof.Ask{Kind: proof.CaptureFace, Why: proof.FaceDifferent, Problem: s.FaceKind,
		Attempt: s.Differed, Left: FaceRetakes - s.Differed + 1}
	return []proof.Ask{again, {Kind: proof.Finish, Why: proof.FaceDifferent}}
}

// personAsk asks the operator to compare, saying why the machine did not.
func personAsk(s State) proof.Ask {
	ask := proof.Ask{Kind: proof.ComparePerson, Problem: s.MachineErr}
	switch {
	case s.Face == Refused:
		ask.Why = proof.FaceRefused
	case s.Machine == nil:
		ask.Why = proof.FaceNotCompared
	}
	return ask
}

// endAsks leads from the result to the slip. An abandoned visit has no result
// to look at and no slip; what happened is still kept for the auditors.
func endAsks(s State) []proof.Ask {
	abandoned := s.Outcome.Result == proof.Abandoned
	switch {
	case !s.Confirmed && !abandoned:
		return one(proof.ConfirmResult)
	case s.Ref == "":
		return one(proof.SealRecord)
	case abandoned:
		return one(proof.EndVisit)
	case s.Slip == nil:
		return one(proof.PrintSlip)
	case s.Slip.Kind != "":
		return []proof.Ask{{Kind: proof.PrintSlip, Problem: s.Slip.Kind}, {Kind: proof.EndVisit}}
	}
	return []proof.Ask{{Kind: proof.EndVisit}, {Kind: proof.PrintSlip}}
}

// applyDocument folds what concerns the document. A document that cannot count
// is set aside at once with its reason, so that the patient can show another.
func applyDocument(s State, e proof.Event) State {
	switch f := e.Fact.(type) {
	case proof.DocumentRead:
		doc := mrz.Parse(f.Lines, Today(s.Started.At))
		s.Rejected = Reject(doc, Today(s.Started.At), s.Visit.Training)
		if s.Rejected != "" {
			s.DocumentFails++
			s.DocumentKind = ""
			return s
		}
		s.Document = &Document{e.Seq, f.Source, doc, f.Score, f.Page, f.Portrait}
		s.Exam, s.Person = nil, nil
	case proof.DocumentFailed:
		s.DocumentFails++
		s.DocumentKind = f.Kind
	case proof.DocumentExamined:
		if f.Details == proof.Misread {
			s.Document, s.Rejected = nil, proof.DocMisread
			return s
		}
		s.Exam = &Exam{e.Seq, e.By, f}
	}
	return s
}

// Reject says why a document cannot count at all: empty when it can. Validity
// needs a zone whose digits agree, dates that exist, a day not past the expiry
// and, outside training, no specimen (proofing rules, policy gpg45-0.4).
func Reject(d mrz.Document, today proof.Date, training bool) proof.Code {
	f := d.Fields
	switch {
	case len(d.FailingChecks()) > 0 || d.Format == mrz.Unknown || slices.Contains(d.Problems, "position"):
		return proof.ChecksFailed
	case !f.BirthDate.Valid() || today.Before(f.BirthDate):
		return proof.DateImpossible
	case f.ExpiryDate.Year != 0 && !f.ExpiryDate.Valid():
		return proof.DateImpossible
	case f.ExpiryDate.Year != 0 && f.ExpiryDate.Before(today):
		return proof.DocExpired
	case d.Specimen && !training:
		return proof.DocSpecimen
	}
	return ""
}

// applyFace folds what concerns the person.
func applyFace(s State, e proof.Event) State {
	switch f := e.Fact.(type) {
	case proof.FaceTaken:
		s.Live, s.Machine, s.MachineErr, s.FaceKind = f.Picture, nil, "", ""
	case proof.FaceFailed:
		s.FaceFails++
		s.FaceKind = f.Kind
	case proof.FacesCompared:
		s = applyComparison(s, e.Seq, f)
	case proof.CompareFailed:
		s.MachineErr = f.Kind
	case proof.PersonCompared:
		s.Person = &PersonCheck{e.Seq, e.By, f}
	}
	return s
}

// applyComparison keeps the machine's view. Pictures without one clear face are
// no view: the photograph is taken again.
func applyComparison(s State, seq int, f proof.FacesCompared) State {
	switch f.Decision {
	case proof.NoFace, proof.ManyFaces:
		s.Live = ""
		s.FaceFails++
		s.FaceKind = proof.KindNoFace
		if f.Decision == proof.ManyFaces {
			s.FaceKind = proof.KindManyFaces
		}
		return s
	case proof.NoMatch:
		s.Differed++
		s.Person = nil
	}
	s.Machine = &Comparison{seq, f}
	return s
}

// steps orders the steps that can be taken back; taking one back voids it and
// all that follow.
var steps = []proof.AskKind{proof.CaptureDocument, proof.ExamineDocument, proof.AskFaceConsent, proof.CaptureFace, proof.ComparePerson}

// CanReopen reports whether a step may be taken back: it was done, and the
// result is not yet confirmed. A machine's "another person" stays.
func CanReopen(s State, step proof.AskKind) bool {
	if !s.Begun() || s.Confirmed || s.Proofing != Given {
		return false
	}
	switch step {
	case proof.CaptureDocument:
		return s.Document != nil
	case proof.ExamineDocument:
		return s.Exam != nil
	case proof.AskFaceConsent:
		return s.Face != NotAsked && s.Differed == 0
	case proof.CaptureFace:
		return s.Live != "" && s.Differed == 0
	case proof.ComparePerson:
		return s.Person != nil
	}
	return false
}

// reopen voids a step and what follows from it.
func reopen(s State, step proof.AskKind) State {
	s.Outcome, s.Finishing, s.Abandoned, s.Reason = nil, false, false, ""
	for i := len(steps) - 1; i >= 0; i-- {
		s = void(s, steps[i])
		if steps[i] == step {
			return s
		}
	}
	return s
}

// void forgets one step. What the machine said against the person is kept: a
// second document or a second try does not wash it off.
func void(s State, step proof.AskKind) State {
	switch step {
	case proof.CaptureDocument:
		s.Document, s.DocumentWay = nil, ""
	case proof.ExamineDocument:
		s.Exam = nil
	case proof.AskFaceConsent:
		if s.Differed == 0 {
			s.Face = NotAsked
		}
	case proof.CaptureFace:
		if s.Differed == 0 {
			s.Live, s.Machine, s.MachineErr, s.FaceSkip = "", nil, "", false
		}
	case proof.ComparePerson:
		s.Person = nil
	}
	return s
}

// Today is the civil date in Europe/London of a moment.
func Today(t time.Time) proof.Date {
	t = Local(t)
	return proof.Date{Year: t.Year(), Month: int(t.Month()), Day: t.Day()}
}

// Local is a moment by the clock on the wall, in Europe/London.
func Local(t time.Time) time.Time { return t.In(london(t)) }

// london is Greenwich or British Summer Time: from 01:00 UTC on the last Sunday
// of March to 01:00 UTC on the last Sunday of October (Summer Time Act 1972 as
// amended). Computed, so that a fold needs no zone files.
func london(t time.Time) *time.Location {
	u := t.UTC()
	begin, end := lastSunday(u.Year(), time.March), lastSunday(u.Year(), time.October)
	if !u.Before(begin) && u.Before(end) {
		return time.FixedZone("BST", 3600)
	}
	return time.UTC
}

// lastSunday is 01:00 UTC on the last Sunday of a month.
func lastSunday(year int, month time.Month) time.Time {
	last := time.Date(year, month+1, 0, 1, 0, 0, 0, time.UTC)
	return last.AddDate(0, 0, -int(last.Weekday()))
}
