package route

import (
	"slices"
	"strings"

	"github.com/counterproof/counterproof/agent/licence"
	"github.com/counterproof/counterproof/agent/mrz"
	"github.com/counterproof/counterproof/agent/proof"
)

// MaxPieces is how many pieces of evidence one person may show in a visit.
const MaxPieces = 12

// Subject is one person of a visit: who they claim to be and the evidence that
// they showed. The piece in hand is embedded; those put aside are in Done.
type Subject struct {
	Party proof.Party
	Claim *Claim // who they say they are, nil where only the evidence tells

	Face      Consent
	Live      proof.PictureID
	FaceFails int
	FaceKind  proof.Kind
	FaceSkip  bool     // the clerk went on without a photograph
	Differed  int      // how often the machine said another person
	Against   []string // documents of which it said so and has not taken it back

	Piece
	Done []Piece // oldest first

	DocumentFails int
	DocumentKind  proof.Kind // of the last failure
	DocumentWay   proof.AskKind
	Rejected      proof.Code // why the last document was not taken

	ChipFails int
	ChipKind  proof.Kind    // of the last failure
	ChipWay   proof.AskKind // the chip or the examination, as the clerk chose last

	Enough bool // the clerk goes on without more evidence of this person
}

// Piece is one piece of evidence and what was done with it.
type Piece struct {
	Chosen     proof.EvidenceChosen
	Document   *Document // its machine-readable zone
	Scan       *Scan     // what a camera read, to be confirmed
	Entered    *Entered  // its printed fields
	Chip       *Chip     // what its chip told
	Exam       *Exam
	Machine    *Comparison
	MachineErr proof.Kind
	Person     *PersonCheck
	Vouch      *Vouch
}

// Claim is who a person says they are.
type Claim struct {
	Event int
	proof.IdentityClaimed
}

// Document is the machine-readable zone of a piece.
type Document struct {
	Event    int // Seq of the event that read it
	Source   proof.Source
	MRZ      mrz.Document
	Score    float64
	Page     proof.PictureID
	Portrait proof.PictureID
	// Printed is what was read of the page where the chip told other details,
	// nil where it told the same or nothing.
	Printed *mrz.Document
}

// Scan is what a camera read of a piece whose fields are keyed.
type Scan struct {
	Event int
	proof.EvidenceScanned
}

// Entered is the printed fields of a piece.
type Entered struct {
	Event int
	By    proof.Actor
	proof.EvidenceEntered
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

// Vouch is a declaration and who took it.
type Vouch struct {
	Event int
	By    proof.Actor
	proof.VouchGiven
}

// form is how the details of the piece in hand come in.
func (p Piece) form() proof.Form { return p.Chosen.Form }

// told reports whether the piece has told its details.
func (p Piece) told() bool { return p.Document != nil || p.Entered != nil || p.Vouch != nil }

// Event is the Seq of the event that told the details, 0 without one.
func (p Piece) Event() int {
	switch {
	case p.Document != nil:
		return p.Document.Event
	case p.Entered != nil:
		return p.Entered.Event
	case p.Vouch != nil:
		return p.Vouch.Event
	}
	return 0
}

// photo reports whether the piece carries a photograph of its holder.
func (p Piece) photo() bool { return p.Document != nil || p.Chosen.Photo }

// Portrait is the picture of the holder: that of a chip which proved genuine, else
// the one that was cut out, "" for none.
func (p Piece) Portrait() proof.PictureID {
	switch {
	case p.Chip != nil && p.Chip.Verdict == proof.ChipGenuine && p.Chip.Portrait != "":
		return p.Chip.Portrait
	case p.Document != nil:
		return p.Document.Portrait
	case p.Entered != nil && p.Entered.Portrait != "":
		return p.Entered.Portrait
	case p.Scan != nil:
		return p.Scan.Portrait
	}
	return ""
}

// Pictures names the pictures of the document itself.
func (p Piece) Pictures() []proof.PictureID {
	var ids []proof.PictureID
	if p.Document != nil {
		ids = append(ids, p.Document.Page)
	}
	if p.Scan != nil {
		ids = append(ids, p.Scan.Page)
	}
	if p.Entered != nil {
		ids = append(ids, p.Entered.Page)
	}
	if p.Chip != nil {
		ids = append(ids, p.Chip.Portrait)
	}
	ids = append(ids, p.Portrait())
	ids = slices.DeleteFunc(ids, func(id proof.PictureID) bool { return id == "" })
	slices.Sort(ids)
	return slices.Compact(ids)
}

// failed reports an examination, or a chip, that leaves nothing to compare with.
func (p Piece) failed() bool {
	e := p.Exam
	return p.Chip.contradicts() || e != nil && (e.Details == proof.Contradicts || len(e.Doubts) > 0 || !e.Original)
}

// Type tells the kind of the piece: by the first letters of its zone (ICAO
// 9303-4 §4.2.2, -5 §4.2.2), where P is a passport and the identity cards (A, C,
// I) of an EEA state are a type of their own; otherwise what the clerk chose. A
// residence permit (second letter R) or a crew's card is no identity card, and
// what a state gives to those who are not its nationals is no passport.
func (p Piece) Type() proof.EvidenceType {
	switch {
	case p.Document == nil && p.form() == proof.ByZone:
		return ""
	case p.Document == nil:
		return p.Chosen.Type
	}
	f := p.Document.MRZ.Fields
	code := f.DocumentCode
	switch {
	case strings.HasPrefix(code, "P") && p.Document.MRZ.Format == mrz.TD3:
		return booklet(f)
	case strings.HasSuffix(code, "R") || code == "AC" || !slices.Contains(eea, f.IssuingState):
		return proof.OtherDocument
	case code != "" && strings.Contains("ACI", code[:1]):
		return proof.EEAIdentityCard
	}
	return proof.OtherDocument
}

// homeOfficeTravel is the kind of the travel documents that the Home Office gives
// to those who have no passport.
const homeOfficeTravel proof.EvidenceType = "ho_travel"

// booklet tells a passport from a travel document by whose it is: refugees and
// stateless people have nationalities of their own (XXA to XXC and XXX, ICAO
// 9303-3 §5), and British passports go to British nationals of every class.
func booklet(f mrz.Fields) proof.EvidenceType {
	foreign := mrz.StateKnown(f.Nationality) && !strings.HasPrefix(f.Nationality, "GB") // a letter misread tells nothing
	switch {
	case f.IssuingState == "GBR" && foreign:
		return homeOfficeTravel
	case strings.HasPrefix(f.Nationality, "XX"):
		return proof.OtherDocument
	}
	return proof.Passport
}

// Specimen reports a known specimen, however its details came in: what a zone may
// not say no printed field may say either.
func (p Piece) Specimen() bool {
	switch {
	case p.Document != nil:
		return p.Document.MRZ.Specimen
	case p.Entered == nil:
		return false
	}
	e := p.Entered
	return licence.Specimen(e.Number) || mrz.Specimen(mrz.Document{Fields: mrz.Fields{
		Surname: e.Person.Surname.ICAO, GivenNames: e.Person.Given.ICAO, DocumentNumber: e.Number,
		IssuingState: strings.ToUpper(e.Issuer),
	}})
}

// Number is the document's number, "" where it told none.
func (p Piece) Number() string {
	switch {
	case p.Document != nil:
		return p.Document.MRZ.Fields.DocumentNumber
	case p.Entered != nil:
		return p.Entered.Number
	}
	return ""
}

// Issuer is the state or body that issued the document.
func (p Piece) Issuer() string {
	switch {
	case p.Document != nil:
		return p.Document.MRZ.Fields.IssuingState
	case p.Entered != nil && p.Chosen.Type == proof.UKLicence:
		return "GBR" // whatever a clerk types for the authority, so that one licence is one document
	case p.Entered != nil:
		return p.Entered.Issuer
	}
	return ""
}

// Expiry is the document's last day, zero where it told none.
func (p Piece) Expiry() proof.Date {
	switch {
	case p.Document != nil:
		return p.Document.MRZ.Fields.ExpiryDate
	case p.Entered != nil:
		return p.Entered.Expires
	}
	return proof.Date{}
}

// Holder is the identity as the piece tells it, zero where it tells none.
func (p Piece) Holder() proof.Person {
	switch {
	case p.Document != nil:
		f := p.Document.MRZ.Fields
		return proof.Person{
			Surname: proof.NewName(f.Surname), Given: proof.NewName(f.GivenNames),
			Birth: f.BirthDate, Sex: f.Sex, Nationality: f.Nationality,
		}
	case p.Entered != nil:
		return p.Entered.Person
	}
	return proof.Person{}
}

// eea lists the states whose identity cards Regulation (EU) 2019/1157 covers,
// and Utopia, the state of all specimens, so that training has cards too.
var eea = []string{
	"AUT", "BEL", "BGR", "CYP", "CZE", "D", "DEU", "DNK", "ESP", "EST", "FIN", "FRA", "GRC", "HRV", "HUN", "IRL", "ISL",
	"ITA", "LIE", "LTU", "LUX", "LVA", "MLT", "NLD", "NOR", "POL", "PRT", "ROU", "SVK", "SVN", "SWE", "UTO",
}

// Pieces are all pieces that told their details, in the order they were shown.
func (p Subject) Pieces() []Piece {
	pieces := slices.Clone(p.Done)
	if p.told() {
		pieces = append(pieces, p.Piece)
	}
	return pieces
}

// Claimed is who the person is said to be: by their own claim, else by the
// first piece of evidence that tells it. What that leaves open, such as the
// birth date on a bank card, later evidence tells.
func (p Subject) Claimed() proof.Person { return p.identity().Person }

// Differs reports whether a machine said another person of any document, and no
// later comparison with that same document took it back. It holds whatever else
// fails or is shown, so that a broken matcher, a covered lens or a second
// document never clears somebody.
func (p Subject) Differs() bool { return len(p.Against) > 0 }

// differsNow reports whether that is so of the piece in hand.
func (p Subject) differsNow() bool { return slices.Contains(p.Against, p.name()) }

// name tells a document from others: by its number where it has one, so that
// reading it again does not make it another.
func (p Piece) name() string {
	if p.Number() == "" {
		return string(p.Portrait())
	}
	return string(p.Type()) + " " + p.Issuer() + " " + p.Number()
}

// fits reports whether a comparison is of the pictures that count now.
func (p Subject) fits(f proof.FacesCompared) bool {
	return f.Portrait == p.Portrait() && f.Live == p.Live
}

// wantsMachine reports whether a machine may and can compare: the person
// agreed, there is a portrait and the clerk has not gone on without.
func (p Subject) wantsMachine() bool {
	return p.Face == Given && p.Portrait() != "" && !p.FaceSkip
}

// finished reports whether nothing more is asked of the piece in hand.
func (p Subject) finished() bool {
	switch {
	case p.form() == proof.ByVouch:
		return p.Vouch != nil
	case !p.told():
		return false
	case p.Exam == nil:
		return p.failed()
	}
	return p.failed() || !p.photo() || len(faceAsks(p)) == 0
}

// putAside lays the piece in hand aside, so that another may begin. A piece
// that told nothing is gone.
func (p Subject) putAside() Subject {
	if p.told() {
		p.Done = append(slices.Clone(p.Done), p.Piece)
	}
	p.Piece = Piece{}
	p.DocumentFails, p.DocumentKind, p.DocumentWay, p.Rejected = 0, "", "", ""
	p.FaceFails, p.FaceKind, p.FaceSkip, p.Enough = 0, "", false, false
	p.ChipFails, p.ChipKind, p.ChipWay = 0, "", ""
	return p
}

// Problems are the printed fields of a piece that contradict each other: of a
// British licence its number, which is made from the holder's name, birth date
// and sex.
func (p Piece) Problems() []proof.Code {
	if p.Entered == nil || p.Chosen.Type != proof.UKLicence || p.Entered.Number == "" {
		return nil
	}
	verdict := licence.CheckNumber(p.Entered.Number, p.Entered.Person)
	if verdict.Match {
		return nil
	}
	return verdict.Problems
}
