package route

import (
	"slices"

	"github.com/counterproof/counterproof/agent/mrz"
	"github.com/counterproof/counterproof/agent/proof"
)

// ChipTries is how often a chip is read before the clerk is led past it.
const ChipTries = 3

// Chip is what the chip of a piece told.
type Chip struct {
	Event int
	By    proof.Actor
	proof.ChipRead
}

// contradicts reports a chip that speaks against its document. One whose issuer
// is not known does not.
func (c *Chip) contradicts() bool {
	switch {
	case c == nil:
		return false
	case c.Clone == proof.CloneFailed:
		return true
	}
	return c.Verdict != proof.ChipGenuine && c.Verdict != proof.ChipIssuerUnknown
}

// mayHaveChip reports whether a document is of a kind that carries a chip: what
// ICAO 9303-9 puts one in. Visas have none.
func (p Piece) mayHaveChip() bool {
	return p.Document != nil && slices.Contains([]mrz.Format{mrz.TD1, mrz.TD2, mrz.TD3}, p.Document.MRZ.Format)
}

// examineAsks asks for the chip and for the examination. The chip comes first
// where the counter has a reader: what it tells is what the page is compared with.
func examineAsks(s State, p Subject) []proof.Ask {
	examine := proof.Ask{Kind: proof.ExamineDocument}
	if p.Document != nil && p.Document.Printed != nil {
		examine.Why = proof.ChipDiffers
	}
	if !p.mayHaveChip() || p.Chip != nil {
		return []proof.Ask{examine}
	}
	chip := proof.Ask{Kind: proof.ReadChip, Problem: p.ChipKind, Attempt: p.ChipFails}
	past := !s.Visit.Chips || chipGivesUp(p.ChipKind, p.ChipFails)
	if p.ChipWay == proof.ExamineDocument || past && p.ChipWay != proof.ReadChip {
		return []proof.Ask{examine, chip}
	}
	return []proof.Ask{chip, examine}
}

// chipGivesUp reports whether going on without the chip is better than another
// try.
func chipGivesUp(kind proof.Kind, fails int) bool {
	switch kind {
	case proof.KindNoChip, proof.KindChipKey, proof.KindChipDowngrade:
		return fails > 1
	}
	return missing(kind) || fails >= ChipTries
}

// applyChip folds what came of reading a chip. A genuine one tells its details in
// place of what was read of the page, so that a misread name is put right; the
// clerk compares the page with them. Where number or dates are others, it is the
// chip of another document.
func applyChip(s State, p Subject, e proof.Event) Subject {
	f, read := e.Fact.(proof.ChipRead)
	if !read {
		p.ChipFails++
		p.ChipKind, p.ChipWay = e.Fact.(proof.ChipFailed).Kind, ""
		return p
	}
	told := mrz.Parse(f.Lines, s.Today())
	speaks := f.Clone != proof.CloneFailed && (f.Verdict == proof.ChipGenuine || f.Verdict == proof.ChipIssuerUnknown)
	switch {
	case speaks && len(f.Lines) == 0: // nothing binds it to the booklet
		p.ChipFails++
		p.ChipKind = proof.KindChipUnread
		return p
	case speaks && !sameDocument(told, p.Document.MRZ):
		f.Verdict = proof.ChipOtherDocument
	}
	p.Chip, p.ChipKind = &Chip{e.Seq, e.By, f}, ""
	p.Exam, p.Person, p.Machine, p.MachineErr = nil, nil, nil, ""
	if speaks && f.Verdict == proof.ChipGenuine && !slices.Equal(told.Lines, p.Document.MRZ.Lines) {
		printed, corrected := p.Document.MRZ, *p.Document
		corrected.MRZ, corrected.Printed = told, &printed
		p.Document = &corrected
	}
	return p
}

// sameDocument reports whether two zones are of one document, by what check
// digits cover.
func sameDocument(a, b mrz.Document) bool {
	x, y := a.Fields, b.Fields
	return a.Format == b.Format && x.DocumentNumber == y.DocumentNumber && x.BirthDate == y.BirthDate && x.ExpiryDate == y.ExpiryDate
}
