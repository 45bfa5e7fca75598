package route

import (
	"slices"

	"github.com/counterproof/counterproof/agent/mrz"
	"github.com/counterproof/counterproof/agent/proof"
)

// documentAsks offers the camera and the keyboard; whichever the clerk chose,
// or has not failed too often, comes first.
func documentAsks(p Subject, capture, key proof.AskKind) []proof.Ask {
	asks := []proof.Ask{
		{Kind: capture, Why: p.Rejected, Problem: p.DocumentKind, Attempt: p.DocumentFails}, {Kind: key, Why: p.Rejected},
	}
	if p.DocumentWay == key || p.DocumentWay == "" && cameraGivesUp(p.DocumentKind, p.DocumentFails) {
		if p.DocumentWay == "" {
			asks[1].Why = proof.CaptureKeepsFailing
			if missing(p.DocumentKind) {
				asks[1].Why = proof.DeviceNotThere
			}
		}
		asks[0], asks[1] = asks[1], asks[0]
	}
	return asks
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
func faceAsks(p Subject) []proof.Ask {
	compare := p.wantsMachine() && p.Live != "" && p.Machine == nil && p.MachineErr == ""
	switch {
	case p.Face == NotAsked:
		return one(proof.AskFaceConsent)
	case compare:
		return one(proof.CompareFaces)
	case p.differsNow():
		return differAsks(p)
	case p.Person != nil:
		return nil
	case p.wantsMachine() && p.Live == "":
		return captureFaceAsks(p)
	}
	return []proof.Ask{personAsk(p)}
}

// captureFaceAsks asks for a photograph, with the comparison by eye beside it.
func captureFaceAsks(p Subject) []proof.Ask {
	capture := proof.Ask{Kind: proof.CaptureFace, Problem: p.FaceKind, Attempt: p.FaceFails}
	compare := personAsk(p)
	if cameraGivesUp(p.FaceKind, p.FaceFails) {
		compare.Why = proof.CaptureKeepsFailing
		return []proof.Ask{compare, capture}
	}
	return []proof.Ask{capture, compare}
}

// differAsks follows a machine's "another person": another photograph while
// there are tries left, else the end. The comparison by eye is not offered,
// because it could not lead to a level.
func differAsks(p Subject) []proof.Ask {
	if p.Differed > FaceRetakes {
		return nil
	}
	again := proof.Ask{Kind: proof.CaptureFace, Why: proof.FaceDifferent, Problem: p.FaceKind,
		Attempt: p.Differed, Left: FaceRetakes - p.Differed + 1}
	return []proof.Ask{again, {Kind: proof.Finish, Why: proof.FaceDifferent}}
}

// personAsk asks the operator to compare, saying why the machine did not.
func personAsk(p Subject) proof.Ask {
	ask := proof.Ask{Kind: proof.ComparePerson, Problem: p.MachineErr}
	switch {
	case p.Face == Refused:
		ask.Why = proof.FaceRefused
	case p.Machine == nil:
		ask.Why = proof.FaceNotCompared
	}
	return ask
}

// applyPiece folds what concerns one person and the piece in hand.
func applyPiece(s State, p Subject, e proof.Event) Subject {
	switch f := e.Fact.(type) {
	case proof.IdentityClaimed:
		p.Claim = &Claim{e.Seq, f}
	case proof.DocumentRead, proof.DocumentFailed, proof.DocumentExamined, proof.EvidenceScanned, proof.EvidenceEntered:
		return applyDocument(s, p, e)
	case proof.ChipRead, proof.ChipFailed:
		return applyChip(s, p, e)
	default:
		return applyFace(p, e)
	}
	return p
}

// applyDocument folds what concerns the document. A document that cannot count
// is set aside at once with its reason, so that another can be shown.
func applyDocument(s State, p Subject, e proof.Event) Subject {
	today := s.Today()
	switch f := e.Fact.(type) {
	case proof.DocumentRead:
		doc := mrz.Parse(f.Lines, today)
		if p.Rejected = Reject(doc, today, s.Visit.Training); p.Rejected != "" {
			p.DocumentFails++
			p.DocumentKind = ""
			return p
		}
		p.Document = &Document{Event: e.Seq, Source: f.Source, MRZ: doc, Score: f.Score, Page: f.Page, Portrait: f.Portrait}
		p.Chip, p.Exam, p.Person, p.Machine, p.MachineErr = nil, nil, nil, nil, ""
	case proof.EvidenceScanned:
		p.Scan, p.DocumentKind = &Scan{e.Seq, f}, ""
	case proof.EvidenceEntered:
		if p.Rejected = rejectEntered(f, today); p.Rejected != "" {
			p.DocumentFails++
			return p
		}
		p.Entered = &Entered{e.Seq, e.By, f}
		p.Exam, p.Person, p.Machine, p.MachineErr = nil, nil, nil, ""
	case proof.DocumentFailed:
		p.DocumentFails++
		p.DocumentKind = f.Kind
	case proof.DocumentExamined:
		if f.Details == proof.Misread && len(f.Doubts) == 0 { // what looked wrong is no slip of ours
			p.Document, p.Entered, p.Scan, p.Chip, p.Rejected = nil, nil, nil, nil, proof.DocMisread
			return p
		}
		p.Exam = &Exam{e.Seq, e.By, f}
	}
	return p
}

// rejectEntered says why fields that were keyed cannot count at all.
func rejectEntered(f proof.EvidenceEntered, today proof.Date) proof.Code {
	possible := func(d proof.Date) bool { return d == (proof.Date{}) || d.Valid() }
	switch {
	case !possible(f.Person.Birth) || !possible(f.Issued) || !possible(f.Expires):
		return proof.DateImpossible
	case today.Before(f.Person.Birth) || today.Before(f.Issued):
		return proof.DateImpossible
	case f.Issued.Year != 0 && f.Person.Birth.Year != 0 && f.Issued.Before(f.Person.Birth):
		return proof.DateImpossible
	case f.Expires.Year != 0 && f.Expires.Before(today):
		return proof.DocExpired
	}
	return ""
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
func applyFace(p Subject, e proof.Event) Subject {
	switch f := e.Fact.(type) {
	case proof.FaceTaken:
		p.Live, p.Machine, p.MachineErr, p.FaceKind = f.Picture, nil, "", ""
	case proof.FaceFailed:
		p.FaceFails++
		p.FaceKind = f.Kind
	case proof.FacesCompared:
		p = applyComparison(p, e.Seq, f)
	case proof.CompareFailed:
		p.MachineErr = f.Kind
	case proof.PersonCompared:
		p.Person = &PersonCheck{e.Seq, e.By, f}
	}
	return p
}

// applyComparison keeps the machine's view. Pictures without one clear face are
// no view: the photograph is taken again.
func applyComparison(p Subject, seq int, f proof.FacesCompared) Subject {
	switch f.Decision {
	case proof.NoFace, proof.ManyFaces:
		p.Live = ""
		p.FaceFails++
		p.FaceKind = proof.KindNoFace
		if f.Decision == proof.ManyFaces {
			p.FaceKind = proof.KindManyFaces
		}
		return p
	case proof.NoMatch:
		p.Differed++
		p.Person = nil
		p.Against = append(slices.Clone(p.Against), p.name())
	default:
		p.Against = slices.DeleteFunc(slices.Clone(p.Against), func(n string) bool { return n == p.name() })
	}
	p.Machine = &Comparison{seq, f}
	return p
}
