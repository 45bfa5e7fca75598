package gpg45

import (
	"cmp"
	"errors"
	"time"

	"github.com/counterproof/counterproof/agent/proof"
)

// Facts are what a visit knows, for scoring. Whatever is nil or zero was not
// done or is not known.
type Facts struct {
	Today     proof.Date // civil date in Europe/London on which the checks were made
	Training  bool       // a training enrolment, where specimens count
	Documents []Document
	Vouches   []Vouch
	Sources   *Sources
}

// Document is one piece of evidence and every check of it.
type Document struct {
	Type     proof.EvidenceType
	Event    int // Seq of the event that read it
	Source   proof.Source
	Digits   Digits
	Expiry   proof.Date // zero where none was read
	Specimen bool
	Exam     *Exam
	Chip     *ChipCheck
	Record   *RecordCheck
	Person   *PersonCheck  // the person compared with this document's photo, by an operator
	Machine  *MachineCheck // the same by a machine
}

// Digits tells how the check digits of a reading came out.
type Digits string

// The answers; the zero value is a reading without check digits.
const (
	NoDigits   Digits = ""
	GoodDigits Digits = "good"
	BadDigits  Digits = "bad"
)

// Exam is an operator's examination of the original.
type Exam struct {
	Event int
	By    proof.Actor
	// Templates is when what the operator compared with was last refreshed;
	// zero is the feature list of the policy, which has no pictures under UV.
	Templates proof.Date
	proof.DocumentExamined
}

// ChipCheck is what reading and verifying a chip came to.
type ChipCheck struct {
	Event      int
	By         proof.Actor
	Verdict    proof.ChipVerdict
	Revocation proof.Revocation
	Clone      proof.Clone
}

// RecordCheck is an authoritative source's answer about the document.
type RecordCheck struct {
	Event   int
	By      proof.Actor
	Matched bool // the details are those of the source
	Clear   bool // asked for, and neither cancelled nor lost nor stolen
	Hit     bool // cancelled, lost, stolen or on a fraud list
}

// PersonCheck is an operator's own comparison of person and photo.
type PersonCheck struct {
	Event int
	By    proof.Actor
	proof.PersonCompared
}

// MachineCheck is a machine's comparison of two faces.
type MachineCheck struct {
	Event    int
	Decision proof.FaceDecision
}

// Sources is what the outside sources said about the identity. It comes only
// from where records are opened; at a counter it is nil.
type Sources struct {
	Event           int
	Activity, Fraud int
	Hits            []proof.Code // signals that block release
}

// within reports whether something of a date is at most so many months old. A
// date that is missing, impossible or in the future is not.
func within(done, today proof.Date, months int) bool {
	if !done.Valid() || today.Before(done) {
		return false
	}
	month := max(done.Month, 1) - 1 + months
	until := proof.Date{Year: done.Year + month/12, Month: month%12 + 1, Day: done.Day}
	return !until.Before(today)
}

// knownFor reports whether something that began on a date had lasted so many
// months by a day. What the date does not tell counts as late as it can be.
func knownFor(since, by proof.Date, months int) bool {
	if !since.Valid() {
		return false
	}
	month := cmp.Or(since.Month, 12) - 1 + months
	from := proof.Date{Year: since.Year + month/12, Month: month%12 + 1, Day: cmp.Or(since.Day, 31)}
	return !by.Before(from)
}

// past reports whether a date lies more than so many days back.
func past(d, today proof.Date, days int) bool {
	end := time.Date(d.Year, time.Month(max(d.Month, 1)), max(d.Day, 1)+days, 0, 0, 0, 0, time.UTC)
	return proof.Date{Year: end.Year(), Month: int(end.Month()), Day: end.Day()}.Before(today)
}

// check refuses facts that no visit can have.
func (f Facts) check() error {
	if f.Today.Precision() != "day" || !f.Today.Valid() {
		return errors.New("the day of the checks is not known")
	}
	if len(f.Documents)+len(f.Vouches) > maxPieces {
		return errors.New("more evidence than an identity has")
	}
	if f.Sources == nil {
		return nil
	}
	return inRange(proof.Scores{Activity: f.Sources.Activity, Fraud: f.Sources.Fraud})
}
