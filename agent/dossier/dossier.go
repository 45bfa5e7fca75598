// Package dossier lays a decided case out for export: which piece of evidence has
// which checks and is worth what, and which sources were asked. Package export
// writes it.
//
// It decides nothing, asks nobody and keeps nothing. The scores of the pieces are
// those of the policy; where they do not add up to the case's own, the export
// refuses them.
package dossier

import (
	"cmp"
	"slices"
	"strings"

	"github.com/counterproof/counterproof/agent/casework"
	"github.com/counterproof/counterproof/agent/export"
	"github.com/counterproof/counterproof/agent/gpg45"
	"github.com/counterproof/counterproof/agent/proof"
	"github.com/counterproof/counterproof/agent/route"
	"github.com/counterproof/counterproof/agent/source"
	"github.com/counterproof/counterproof/agent/verdict"
)

// Proofing is a case as exports take one.
func Proofing(d casework.Dossier) export.Proofing {
	p := export.Proofing{
		Process: string(d.Ref), Person: d.State.Claimed(), Outcome: d.Final, Vot: vot(d), Decided: d.Decided,
		Organisation: d.State.Visit.Site, NHSNumber: d.Number, NumberGiven: d.Given,
	}
	p.Pieces = pieces(d, d.State, verdict.Facts(d.State, d.Policy), d.Known)
	for _, before := range d.Known.Earlier {
		// Of an earlier visit nobody's comparison counts; see package verdict.
		f := verdict.Facts(before, d.Policy)
		for i := range f.Documents {
			f.Documents[i].Person, f.Documents[i].Machine = nil, nil
		}
		for i := range f.Vouches {
			f.Vouches[i].Confirmed = false
		}
		p.Pieces = append(p.Pieces, pieces(d, before, f, verdict.Known{})...)
	}
	p.Pieces = append(p.Pieces, records(d)...)
	return p
}

// vot is the highest level of confidence that One Login gives any of the profiles
// that are met; "" where the case has no level.
func vot(d casework.Dossier) string {
	if d.Final.Result != proof.Proved {
		return ""
	}
	met, err := d.Policy.Match(d.Final.Scores)
	if err != nil {
		return ""
	}
	best := ""
	for _, profile := range met.Matching {
		best = max(best, d.Policy.OneLogin(profile)) // P1 to P3
	}
	return best
}

// pieces are the pieces of evidence of one visit, each scored by itself with what
// is known beside that visit.
func pieces(d casework.Dossier, s route.State, f gpg45.Facts, known verdict.Known) []export.Piece {
	var out []export.Piece
	for _, doc := range f.Documents {
		if record, found := known.Documents[doc.Event]; found {
			doc.Record = &record
		}
		a, err := d.Policy.Assess(gpg45.Facts{Today: d.State.Today(), Training: f.Training, Documents: []gpg45.Document{doc}})
		i := slices.IndexFunc(s.Pieces(), func(p route.Piece) bool { return p.Event() == doc.Event })
		if err != nil || len(a.Scores.Evidence) == 0 || i < 0 {
			continue
		}
		piece := s.Pieces()[i]
		out = append(out, export.Piece{Score: a.Scores.Evidence[0], Checks: checks(a.Checks, s), Document: document(piece)})
	}
	for _, v := range f.Vouches {
		if level, found := known.Vouchers[v.Event]; found && level.Above(v.Proved) {
			v.Proved, v.Paper = level, false
		}
		a, err := d.Policy.Assess(gpg45.Facts{Today: d.State.Today(), Training: f.Training, Vouches: []gpg45.Vouch{v}})
		i := slices.IndexFunc(s.Pieces(), func(p route.Piece) bool { return p.Vouch != nil && p.Vouch.Event == v.Event })
		if err != nil || len(a.Scores.Evidence) == 0 || i < 0 {
			continue
		}
		out = append(out, export.Piece{Score: a.Scores.Evidence[0], Checks: checks(a.Checks, s), Vouch: vouch(d, s, *s.Pieces()[i].Vouch, v)})
	}
	return out
}

// checks are checks with the visit's time: events are minutes apart.
func checks(made []proof.Check, s route.State) []export.Check {
	var out []export.Check
	for _, c := range made {
		out = append(out, export.Check{Check: c, At: s.Started.At, Organisation: s.Visit.Site})
	}
	return out
}

// document is what a piece says of itself. Of a machine-readable zone the first
// two signs tell the kind of a residence permit.
func document(piece route.Piece) *export.Document {
	d := &export.Document{Number: piece.Number(), Expires: piece.Expiry()}
	if piece.Entered != nil {
		d.Issued = piece.Entered.Issued
	}
	issuer := piece.Issuer()
	if code := strings.ToUpper(issuer); len(code) <= 3 && code != "" {
		d.Issuer.Code = code
	} else {
		d.Issuer.Name = issuer
	}
	if piece.Type() == proof.UKLicence {
		d.Personal, d.Issuer.Jurisdiction = piece.Number(), "GB"
	}
	if z := piece.Document; z != nil && len(z.MRZ.Lines) > 0 && len(z.MRZ.Lines[0]) > 1 {
		d.Code = z.MRZ.Lines[0][:2]
	}
	return d
}

// vouch is a declaration. Who was proved at the desk is named as proved.
func vouch(d casework.Dossier, s route.State, v route.Vouch, scored gpg45.Vouch) *export.Vouch {
	who := v.Voucher
	if proved := s.Voucher.Claimed(); proved != (proof.Person{}) {
		who = proved
	}
	name := func(n proof.Name) string { return cmp.Or(n.Printed, n.ICAO) }
	return &export.Vouch{
		Paper: scored.Paper, Reference: string(v.Proofing), Given: scored.Given, Expires: scored.Given.AddDays(d.Policy.Unconfirmed().VouchDays),
		Name: strings.TrimSpace(name(who.Given) + " " + name(who.Surname)), Birth: who.Birth,
		Occupation: string(v.Occupation), Organisation: v.Organisation,
	}
}

// records are the sources that were asked about the person, each with the checks
// that the scores rest on.
func records(d casework.Dossier) []export.Piece {
	var names []string
	for _, a := range d.Answers {
		if a.Event == 0 && !slices.Contains(names, a.Source) {
			names = append(names, a.Source)
		}
	}
	var out []export.Piece
	for _, name := range names {
		r := export.Piece{Record: &export.Record{Type: "fraud_register", Source: export.Issuer{Name: name}}}
		for _, a := range d.Answers {
			if c, counts := ofPerson(d, a); a.Source == name && counts {
				r.Checks = append(r.Checks, c)
			}
		}
		if len(r.Checks) > 0 {
			out = append(out, r)
		}
	}
	return out
}

// ofPerson is the check of an answer about the person, if a score rests on it.
func ofPerson(d casework.Dossier, a source.Answer) (export.Check, bool) {
	c := export.Check{Check: proof.Check{Method: proof.RecordData, By: proof.Actor{Kind: proof.ByRemote}}, At: d.Decided, Organisation: a.Source}
	switch {
	case a.Event != 0:
		return c, false
	case a.Check == source.Activity && a.Verdict == source.Hit:
		c.Part, c.Score, c.Since = "activity", d.Final.Scores.Activity, a.Since
	case a.Check != source.Activity && d.Final.Scores.Fraud > 0:
		c.Part, c.Score, c.Code = "fraud", d.Final.Scores.Fraud, string(a.Check)
	default:
		return c, false
	}
	return c, c.Score > 0
}
