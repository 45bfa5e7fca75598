package desk

import (
	"context"
	"crypto/rand"
	"slices"

	"github.com/counterproof/counterproof/agent/api"
	"github.com/counterproof/counterproof/agent/entry"
	"github.com/counterproof/counterproof/agent/proof"
	"github.com/counterproof/counterproof/agent/route"
)

// typed is the fact of what a person typed. A slip of the finger is told at
// once, before anything is recorded.
func (d *Desk) typed(a api.Answer) (proof.Fact, error) {
	fact, kind := d.entered(a)
	if kind != proof.KindNone {
		return nil, &proof.Error{Op: "taking what was typed", Kind: kind}
	}
	return fact, nil
}

// entered sorts what was typed by the ask that it answers. An answer that lacks
// its form is a bad request.
func (d *Desk) entered(a api.Answer) (proof.Fact, proof.Kind) {
	today := route.Today(d.cfg.Now())
	switch a.Ask {
	case proof.ChooseEvidence:
		return d.chosen(a.Type)
	case proof.ClaimIdentity:
		return form(a.Identity, func(f api.Identity) (proof.Fact, proof.Kind) { return entry.Identity(f, route.Turn(d.state), today) })
	case proof.EnterEvidence:
		return form(a.Fields, d.fields)
	case proof.GiveVouch:
		here := len(d.state.Voucher.Pieces()) > 0
		return form(a.Vouch, func(f api.VouchForm) (proof.Fact, proof.Kind) { return entry.Vouch(f, here, today) })
	case proof.GivePractice:
		return form(a.Practice, entry.Practice)
	case proof.RequestProxy:
		return form(a.Proxy, func(f proof.ProxyRequested) (proof.Fact, proof.Kind) { return entry.Proxy(f, today) })
	case proof.RedeemClaim:
		return form(a.Claim, func(f proof.ClaimRedeemed) (proof.Fact, proof.Kind) { return entry.Claim(f, today) })
	case proof.SetPreferences:
		return form(a.Preferences, entry.Preferences)
	case proof.GiveFeedback:
		return form(a.Feedback, entry.Feedback)
	}
	return nil, proof.KindAskNotOpen
}

// form hands a form on, if it came.
func form[F any](typed *F, take func(F) (proof.Fact, proof.Kind)) (proof.Fact, proof.Kind) {
	if typed == nil {
		return nil, proof.KindBadRequest
	}
	return take(*typed)
}

// fields takes the printed fields of the piece in hand.
func (d *Desk) fields(f api.Fields) (proof.Fact, proof.Kind) {
	piece := d.state.Of(route.Turn(d.state)).Piece
	var scan *proof.EvidenceScanned
	if piece.Scan != nil {
		scan = &piece.Scan.EvidenceScanned
	}
	return entry.Fields(f, piece.Chosen, scan, route.Today(d.cfg.Now()))
}

// asks reports whether an ask is open. d.mu is held.
func (d *Desk) asks(kind proof.AskKind) bool {
	return slices.ContainsFunc(route.Asks(d.state), func(a proof.Ask) bool { return a.Kind == kind })
}

// chosen begins a piece of evidence of a type that the policy knows.
func (d *Desk) chosen(t proof.EvidenceType) (proof.Fact, proof.Kind) {
	for _, c := range d.choices() {
		if c.Type == t {
			return begun(c), proof.KindNone
		}
	}
	return nil, proof.KindBadRequest
}

// begun is the fact that a piece of a kind begins.
func begun(c api.Choice) proof.EvidenceChosen {
	return proof.EvidenceChosen{Type: c.Type, Form: entry.Form(c.Type), Photo: c.Photo}
}

// offered are the choices that may be made now: nobody vouches for who vouches.
func (d *Desk) offered() []api.Choice {
	return slices.DeleteFunc(d.choices(), func(c api.Choice) bool { return !route.Allowed(d.state, begun(c)) })
}

// table is what lies on the table, bounded; types that the policy does not know
// are left out.
func (d *Desk) table(a api.Answer) (proof.Fact, error) {
	if a.Table == nil {
		return nil, &proof.Error{Op: "telling the table", Kind: proof.KindBadRequest}
	}
	known := map[proof.EvidenceType]bool{}
	for _, c := range d.choices() {
		known[c.Type] = true
	}
	keep := func(types []proof.EvidenceType) []proof.EvidenceType {
		out := []proof.EvidenceType{}
		for _, t := range types {
			if known[t] && len(out) < route.MaxPieces {
				out = append(out, t)
			}
		}
		return out
	}
	return proof.EvidenceTable{Here: keep(a.Table.Here), Home: keep(a.Table.Home)}, nil
}

// choices are the kinds of evidence that this counter may take.
func (d *Desk) choices() []api.Choice {
	var out []api.Choice
	for _, t := range d.cfg.Policy.Types() {
		if info := d.cfg.Policy.Type(t); !info.Refused && !info.NeedsChip {
			out = append(out, api.Choice{Type: t, Strength: info.Strength, Photo: info.Photo})
		}
	}
	return out
}

// noticeColleague writes down that patient and clerk seem to know each other, as
// soon as the patient's name is told. d.mu is held.
func (d *Desk) noticeColleague(ctx context.Context) error {
	if d.draft == nil || d.state.Colleague != nil || d.cfg.Clerks == nil {
		return nil
	}
	who, known := entry.Colleague(d.state.Claimed(), d.cfg.Clerks())
	noticed := proof.ColleagueNoticed{Self: who == d.state.Operator}
	if !known || !route.Allowed(d.state, noticed) {
		return nil
	}
	return d.write(ctx, system(), noticed)
}

// Second records that another operator, who has signed in beside the first,
// confirms what was seen, or does not.
func (d *Desk) Second(ctx context.Context, second proof.Operator, seen int, confirms bool) (api.Visit, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.ready(proof.Operator{ID: d.state.Operator}, api.Answer{Seen: seen}); err != nil {
		return d.view(), err
	}
	if _, self := entry.Colleague(d.state.Claimed(), []proof.Operator{second}); self || second.ID == d.state.Operator {
		return d.view(), &proof.Error{Op: "asking a second person", Kind: proof.KindSameOperator}
	}
	fact := proof.SecondPersonAnswered{Operator: second.ID, Confirms: confirms}
	if d.asks(proof.SecondPerson) && !route.Allowed(d.state, fact) {
		return d.view(), &proof.Error{Op: "asking a second person", Kind: proof.KindSameOperator}
	}
	if err := d.write(ctx, person(second), fact); err != nil {
		return d.view(), err
	}
	return d.viewAfter(d.proceed(ctx))
}

// makeClaim draws the token under which the patient claims an account later.
func (d *Desk) makeClaim(ctx context.Context) error {
	var random [10]byte
	rand.Read(random[:])
	return d.write(ctx, system(), entry.Token(random, route.Today(d.cfg.Now())))
}
