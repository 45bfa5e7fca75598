package route

import (
	"slices"

	"github.com/counterproof/counterproof/agent/proof"
)

// step is one step that can be taken back: whether it was done, and the visit
// without it.
type step struct {
	kind proof.AskKind
	done func(State, Subject) bool
	void func(State, Subject) (State, Subject)
}

// steps lists the steps in their order; taking one back voids it and all that
// follow. What a machine said against a person is kept: a second document or a
// second try does not wash it off.
var steps = []step{
	{proof.ClaimIdentity, func(_ State, p Subject) bool { return p.Claim != nil },
		func(s State, p Subject) (State, Subject) { p.Claim = nil; return s, p }},
	{proof.CaptureDocument, func(_ State, p Subject) bool { return p.Document != nil && !p.Chip.contradicts() }, voidDocument},
	{proof.ReadChip, func(_ State, p Subject) bool { return p.Chip != nil && !p.Chip.contradicts() }, voidChip},
	{proof.EnterEvidence, func(_ State, p Subject) bool { return p.Entered != nil },
		func(s State, p Subject) (State, Subject) {
			p.Entered, p.DocumentWay = nil, ""
			return voidMachine(s, p)
		}},
	{proof.ExamineDocument, func(_ State, p Subject) bool { return p.Exam != nil }, voidExam},
	{proof.AskFaceConsent, func(_ State, p Subject) bool { return p.Face != NotAsked && p.Differed == 0 }, voidConsent},
	{proof.CaptureFace, func(_ State, p Subject) bool { return p.Live != "" && p.Differed == 0 }, voidFace},
	{proof.ComparePerson, func(_ State, p Subject) bool { return p.Person != nil }, voidPerson},
	{proof.GiveVouch, func(_ State, p Subject) bool { return p.Vouch != nil },
		func(s State, p Subject) (State, Subject) { p.Vouch, s.Voucher.Enough = nil, false; return s, p }},
	{proof.GivePractice, func(s State, _ Subject) bool { return s.Practice != nil },
		func(s State, p Subject) (State, Subject) { s.Practice = nil; return s, p }},
	{proof.RequestProxy, func(s State, _ Subject) bool { return s.Request != nil },
		func(s State, p Subject) (State, Subject) { s.Request, s.Proxy.Enough = nil, false; return s, p }},
	{proof.RedeemClaim, func(s State, _ Subject) bool { return s.Redeemed != nil },
		func(s State, p Subject) (State, Subject) { s.Redeemed = nil; return s, p }},
}

// voidConsent asks again whether a machine may compare.
func voidConsent(s State, p Subject) (State, Subject) {
	if p.Differed == 0 {
		p.Face = NotAsked
	}
	return s, p
}

// voidFace drops the photograph and what the machine made of it.
func voidFace(s State, p Subject) (State, Subject) {
	if p.Differed == 0 {
		p.Live, p.Machine, p.MachineErr, p.FaceSkip = "", nil, "", false
	}
	return s, p
}

// voidMachine forgets a comparison whose document is gone. What it said against
// the person stays with the document's name.
func voidMachine(s State, p Subject) (State, Subject) {
	p.Machine, p.MachineErr = nil, ""
	return s, p
}

// voidDocument forgets a zone that was read. One whose chip speaks against it
// stays.
func voidDocument(s State, p Subject) (State, Subject) {
	if p.Chip.contradicts() {
		return s, p
	}
	p.Document, p.DocumentWay = nil, ""
	return voidMachine(s, p)
}

// voidChip takes the reading of a chip back, and with it what the chip told in
// place of the page. What a chip said against its document nobody takes back: no
// slip of a hand makes a signature wrong.
func voidChip(s State, p Subject) (State, Subject) {
	if p.Chip.contradicts() {
		return s, p
	}
	p.Chip, p.ChipFails, p.ChipKind, p.ChipWay = nil, 0, "", ""
	if p.Document != nil && p.Document.Printed != nil {
		printed := *p.Document
		printed.MRZ, printed.Printed = *printed.Printed, nil
		p.Document = &printed
	}
	return s, p
}

// voidExam takes an examination back; that it spoke against the document is kept
// for those who look at the record.
func voidExam(s State, p Subject) (State, Subject) {
	s.TakenBack = s.TakenBack || p.failed()
	p.Exam = nil
	return s, p
}

// voidPerson takes the operator's comparison back; that it said another person
// is kept for those who look at the record.
func voidPerson(s State, p Subject) (State, Subject) {
	s.TakenBack = s.TakenBack || p.Person != nil && p.Person.Answer == proof.Different
	p.Person = nil
	return s, p
}

// CanReopen reports whether a step may be taken back: it was done, and the visit
// is neither confirmed nor abandoned, since its record may be in the queue then. A machine's "another person" stays.
func CanReopen(s State, kind proof.AskKind) bool {
	if !s.Begun() || s.Confirmed || s.Abandoned || s.Ref != "" || s.Proofing != Given {
		return false
	}
	_, ok := reopens(s, kind)
	return ok
}

// reopens finds whose step is meant: of those who took it, who was at it last. A
// voucher's is out of reach once the patient shows something else, and what
// concerns the whole visit is the patient's.
func reopens(s State, kind proof.AskKind) (Subject, bool) {
	i := slices.IndexFunc(steps, func(t step) bool { return t.kind == kind })
	if i < 0 {
		return Subject{}, false
	}
	if steps[i].done(s, Subject{}) {
		return s.Subject, true
	}
	var last Subject
	found := false
	for _, p := range []Subject{s.Subject, s.Voucher, s.Proxy} {
		reached := p.Party != proof.Voucher || s.form() == proof.ByVouch
		if reached && steps[i].done(s, p) && (!found || p.lately() > last.lately()) {
			last, found = p, true
		}
	}
	return last, found
}

// lately is the Seq of the last event about the piece in hand.
func (p Piece) lately() int {
	seq := p.Event()
	if p.Exam != nil {
		seq = max(seq, p.Exam.Event)
	}
	if p.Person != nil {
		seq = max(seq, p.Person.Event)
	}
	return seq
}

// reopen voids a step and what follows from it.
func reopen(s State, kind proof.AskKind) State {
	p, _ := reopens(s, kind)
	s.Outcome, s.Finishing, s.Abandoned, s.Reason = nil, false, false, ""
	for _, t := range slices.Backward(steps) {
		s, p = t.void(s, p)
		if t.kind == kind {
			break
		}
	}
	if s.Second != nil && s.Second.Confirms && slices.Contains([]proof.AskKind{proof.ClaimIdentity, proof.CaptureDocument, proof.EnterEvidence}, kind) {
		s.Second = nil // it was confirmed of somebody else, perhaps
	}
	if p.Party != proof.Patient {
		p.Enough = false // it is their turn again
	}
	if p.Party == proof.Voucher {
		s.Vouch = nil // it was given by what the voucher had shown
	}
	return s.with(p)
}
