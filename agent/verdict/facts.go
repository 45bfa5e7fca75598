package verdict

import (
	"github.com/counterproof/counterproof/agent/gpg45"
	"github.com/counterproof/counterproof/agent/proof"
	"github.com/counterproof/counterproof/agent/route"
)

// Facts are what a visit knows of the patient, for scoring. A machine's
// "another person" that nothing took back is told whatever else happened since.
func Facts(s route.State, p *gpg45.Policy) gpg45.Facts { return facts(s, s.Subject, p) }

// known are the facts of a visit with what is known beside it. Evidence of an
// earlier visit counts by today's age of everybody's training, so it can only be
// worth less than it was. Whoever was compared then need not be who comes now,
// perhaps with a slip that was found: only today's comparison counts.
func known(s route.State, p *gpg45.Policy, k Known) gpg45.Facts {
	f := Facts(s, p)
	f.Sources = k.Sources
	for i, d := range f.Documents {
		if record, found := k.Documents[d.Event]; found {
			f.Documents[i].Record = &record
		}
	}
	for i, v := range f.Vouches {
		if level, found := k.Vouchers[v.Event]; found && level.Above(v.Proved) {
			f.Vouches[i].Proved, f.Vouches[i].Paper = level, false
		}
	}
	for _, before := range k.Earlier {
		if !Continues(s, before) {
			continue
		}
		g := Facts(before, p)
		for i := range g.Documents {
			g.Documents[i].Person, g.Documents[i].Machine = nil, nil
		}
		for i := range g.Vouches {
			g.Vouches[i].Confirmed = false
		}
		f.Documents = append(f.Documents, g.Documents...)
		f.Vouches = append(f.Vouches, g.Vouches...)
	}
	return f
}

// Continues reports whether an earlier visit may be joined to this one: it is
// of the same person, was not for training where this one is not, and nothing
// was held against it.
func Continues(s route.State, before route.State) bool {
	ended := before.Outcome != nil && before.Outcome.Result != proof.Review && before.Outcome.Result != proof.Abandoned
	return ended && s.Visit.Training == before.Visit.Training && route.SamePerson(s.Claimed(), before.Claimed())
}

// facts are what a visit knows of one of its people.
func facts(s route.State, who route.Subject, p *gpg45.Policy) gpg45.Facts {
	f := gpg45.Facts{Today: s.Today(), Training: s.Visit.Training}
	for _, piece := range who.Pieces() {
		switch {
		case piece.Vouch != nil && who.Party == proof.Patient: // nobody who vouches is vouched for
			f.Vouches = append(f.Vouches, vouch(s, *piece.Vouch, p))
		case who.Linked(piece) == "":
			f.Documents = append(f.Documents, document(piece))
		}
	}
	if n := len(f.Documents); n > 0 && who.Differs() && f.Documents[n-1].Machine == nil {
		f.Documents[n-1].Machine = &gpg45.MachineCheck{Decision: proof.NoMatch}
	}
	return f
}

// document is one piece of evidence, for scoring. Printed fields that
// contradict each other speak against the document, whoever examined it.
func document(piece route.Piece) gpg45.Document {
	doc := gpg45.Document{Type: piece.Type(), Event: piece.Event(), Expiry: piece.Expiry(), Specimen: piece.Specimen()}
	if d := piece.Document; d != nil {
		doc.Source, doc.Digits = d.Source, digits(*d)
	}
	if e := piece.Entered; e != nil {
		doc.Source = e.Source
	}
	if c := piece.Chip; c != nil {
		doc.Chip = &gpg45.ChipCheck{Event: c.Event, By: c.By, Verdict: c.Verdict, Revocation: c.Revocation, Clone: c.Clone}
	}
	if piece.Exam != nil {
		exam := piece.Exam.DocumentExamined
		doc.Exam = &gpg45.Exam{Event: piece.Exam.Event, By: piece.Exam.By, Templates: exam.Templates, DocumentExamined: exam}
		if len(piece.Problems()) > 0 {
			doc.Exam.Details = proof.Contradicts
		}
	}
	if piece.Person != nil {
		doc.Person = &gpg45.PersonCheck{Event: piece.Person.Event, By: piece.Person.By, PersonCompared: piece.Person.PersonCompared}
	}
	if piece.Machine != nil {
		doc.Machine = &gpg45.MachineCheck{Event: piece.Machine.Event, Decision: piece.Machine.Decision}
	}
	return doc
}

// digits tells how the check digits came out.
func digits(d route.Document) gpg45.Digits {
	valid, known := d.MRZ.ChecksValid()
	switch {
	case !known:
		return gpg45.NoDigits
	case valid:
		return gpg45.GoodDigits
	}
	return gpg45.BadDigits
}

// vouch is a declaration, for scoring: what the voucher was proved to at this
// counter, and what speaks against it.
func vouch(s route.State, v route.Vouch, p *gpg45.Policy) gpg45.Vouch {
	out := gpg45.Vouch{
		Event: v.Event, By: v.By, Paper: v.Paper, Proved: proof.NoLevel, KnownSince: v.KnownSince, Given: v.Given,
		Problems: vouchProblems(s, v),
	}
	if out.Given == (proof.Date{}) {
		out.Given = s.Today()
	}
	if a, err := p.Assess(facts(s, s.Voucher, p)); err == nil && len(a.Hold) == 0 && len(s.Voucher.Pieces()) > 0 {
		out.Proved = a.Level
	}
	out.Paper = out.Paper || len(s.Voucher.Pieces()) == 0
	out.Confirmed = v.Present && !out.Paper
	return out
}

// vouchProblems are what speaks against a vouch (GPG 45 vouching guidance; the
// usual referee rules of PASS schemes).
func vouchProblems(s route.State, v route.Vouch) []proof.Code {
	var out []proof.Code
	voucher := v.Voucher
	if proved := s.Voucher.Claimed(); proved != (proof.Person{}) {
		voucher = proved
	}
	if v.Related || v.SameAddress || route.SamePerson(voucher, s.Proxy.Claimed()) { // whoever is to act is not independent
		out = append(out, proof.VouchRelated)
	}
	if route.SamePerson(voucher, s.Claimed()) {
		out = append(out, proof.VouchBySelf)
	}
	if !v.Signed {
		out = append(out, proof.VouchNotSigned)
	}
	if v.CallBack == proof.CallFailed {
		out = append(out, proof.VouchContradicted)
	}
	if v.Occupation == "" || v.Organisation == "" || v.Contact == "" {
		out = append(out, proof.VouchNoPosition)
	}
	return out
}
