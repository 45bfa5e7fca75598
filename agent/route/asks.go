package route

import (
	"slices"

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
	case s.Colleague != nil && s.Second == nil:
		return []proof.Ask{{Kind: proof.SecondPerson, Why: proof.NeedsSecondPerson}, {Kind: proof.Finish, Why: proof.NeedsSecondPerson}}
	}
	for _, asks := range [][]proof.Ask{partyAsks(s), requestAsks(s)} {
		if len(asks) > 0 {
			return asks
		}
	}
	return one(proof.Decide)
}

// one is a single ask.
func one(k proof.AskKind) []proof.Ask { return []proof.Ask{{Kind: k}} }

// Turn says whose evidence is asked for: the voucher's after somebody was chosen
// to vouch, the proxy's after the patient's, otherwise the patient's.
func Turn(s State) proof.Party {
	switch {
	case s.form() == proof.ByVouch && s.Subject.Claim != nil && s.Vouch == nil && !s.Voucher.done():
		return proof.Voucher
	case s.Visit.Route == proof.ProxyAccess && s.Request == nil && s.Subject.done() && !s.Proxy.done():
		return proof.Proxy
	}
	return proof.Patient
}

// done reports whether a person has shown what they want to show.
func (p Subject) done() bool { return p.Enough || p.finished() }

// partyAsks asks the person whose turn it is.
func partyAsks(s State) []proof.Ask {
	party := Turn(s)
	asks := evidenceAsks(s, s.Of(party))
	for i := range asks {
		asks[i].Party = party
	}
	return asks
}

// evidenceAsks leads one person from the claim over a piece of evidence to the
// comparison of faces; none when the piece in hand is finished.
func evidenceAsks(s State, p Subject) []proof.Ask {
	switch {
	case p.done():
		return nil
	case needsClaim(s, p):
		return one(proof.ClaimIdentity)
	case p.form() == proof.ByVouch:
		return []proof.Ask{{Kind: proof.GiveVouch}, {Kind: proof.ChooseEvidence}, {Kind: proof.Finish, Why: proof.NoSuitableDocument}}
	case p.form() == "" && p.Party == proof.Patient && withoutEvidence(s.Visit.Route):
		return nil
	case p.form() == "":
		return instead(s, p, one(proof.ChooseEvidence))
	case !p.told():
		return instead(s, p, tellAsks(p))
	case p.Exam == nil:
		return examineAsks(s, p)
	}
	return faceAsks(p)
}

// needsClaim reports whether a person has to say who they are: where no
// document tells it.
func needsClaim(s State, p Subject) bool {
	if p.Claim != nil || p.Party != proof.Patient {
		return false
	}
	route := s.Visit.Route
	return p.form() == proof.ByVouch || route == proof.PracticeDetails || route == proof.ProxyAccess
}

// withoutEvidence reports a route that needs none of the patient.
func withoutEvidence(route proof.RouteName) bool {
	return route == proof.PracticeDetails || route == proof.ClaimAccount
}

// tellAsks asks for the details of a piece, by its form.
func tellAsks(p Subject) []proof.Ask {
	switch {
	case p.form() == proof.ByZone:
		return documentAsks(p, proof.CaptureDocument, proof.KeyDocument)
	case p.Scan != nil:
		return []proof.Ask{{Kind: proof.EnterEvidence, Why: p.Rejected}, {Kind: proof.ScanEvidence}}
	case p.Chosen.Photo:
		return documentAsks(p, proof.ScanEvidence, proof.EnterEvidence)
	}
	return []proof.Ask{{Kind: proof.EnterEvidence, Why: p.Rejected}, {Kind: proof.ScanEvidence, Problem: p.DocumentKind}}
}

// instead adds the ways around evidence that is not there: other evidence, and
// going on or ending with what there is.
func instead(s State, p Subject, asks []proof.Ask) []proof.Ask {
	if p.form() != "" && len(p.Done) < MaxPieces-1 {
		asks = append(asks, proof.Ask{Kind: proof.ChooseEvidence})
	}
	switch {
	case p.Party == proof.Voucher:
		asks = append(asks, proof.Ask{Kind: proof.GiveVouch})
	case s.Visit.Route == proof.ProxyAccess:
		asks = append(asks, proof.Ask{Kind: proof.RequestProxy})
	}
	return append(asks, proof.Ask{Kind: proof.Finish, Why: proof.NoSuitableDocument})
}

// requestAsks asks for what a route wants beside evidence.
func requestAsks(s State) []proof.Ask {
	end := proof.Ask{Kind: proof.Finish, Why: proof.ClerkStopped}
	switch {
	case s.Visit.Route == proof.PracticeDetails && s.Practice == nil:
		asks := []proof.Ask{{Kind: proof.GivePractice}, {Kind: proof.ScanEvidence}}
		if len(s.Pieces()) < MaxPieces {
			asks = append(asks, proof.Ask{Kind: proof.ChooseEvidence})
		}
		return append(asks, end)
	case s.Visit.Route == proof.ProxyAccess && s.Request == nil:
		return []proof.Ask{{Kind: proof.RequestProxy}, end}
	case s.Visit.Route == proof.ClaimAccount && s.Redeemed == nil:
		return []proof.Ask{{Kind: proof.RedeemClaim}, end}
	}
	return nil
}

// endAsks leads from the result to the slip. An abandoned visit has no result
// to look at and no slip; what happened is still kept for the auditors.
func endAsks(s State) []proof.Ask {
	abandoned := s.Outcome.Result == proof.Abandoned
	switch {
	case !s.Confirmed && !abandoned:
		return resultAsks(s)
	case s.Ref == "" && wantsToken(s):
		return one(proof.MakeClaim)
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

// resultAsks shows the result; more evidence, wishes and feedback are offered
// beside it, and none of them is needed.
func resultAsks(s State) []proof.Ask {
	asks := one(proof.ConfirmResult)
	if mayAdd(s) {
		asks = append(asks, proof.Ask{Kind: proof.ChooseEvidence})
	}
	if s.Outcome.NHS != proof.NHSNone && s.Outcome.Result != proof.Review {
		asks = append(asks, proof.Ask{Kind: proof.SetPreferences})
	}
	asks = append(asks, proof.Ask{Kind: proof.GiveFeedback})
	slices.SortStableFunc(asks, func(a, b proof.Ask) int { return behind(a, s.EndWay) - behind(b, s.EndWay) })
	return asks
}

// behind is 0 for the ask that was chosen and 1 for the others.
func behind(a proof.Ask, chosen proof.AskKind) int {
	if a.Kind == chosen {
		return 0
	}
	return 1
}

// mayAdd reports whether the patient may show another piece after the result.
func mayAdd(s State) bool {
	return s.Visit.Route != proof.ClaimAccount && s.Request == nil && len(s.Done) < MaxPieces-1 && !s.Concern &&
		s.Outcome.Result != proof.Review
}

// wantsToken reports whether the patient needs a token to claim an account
// later: a level is in sight and there is no e-mail address and mobile number.
func wantsToken(s State) bool {
	if s.Token != nil || s.Request != nil || s.Visit.Route == proof.ClaimAccount {
		return false
	}
	contact := s.Preferences != nil && s.Preferences.Email != "" && s.Preferences.Mobile != ""
	result := s.Outcome.Result == proof.Proved || s.Outcome.Result == proof.Pending
	return result && !contact && (s.Outcome.NHS == proof.P5 || s.Outcome.NHS == proof.P9)
}

// mayChoose reports whether a piece may begin: nobody who vouches is vouched
// for, and nobody vouches for a proxy.
func mayChoose(s State, f proof.EvidenceChosen) bool {
	switch f.Form {
	case proof.ByZone, proof.ByField:
		return f.Type != ""
	case proof.ByVouch:
		return chooser(s) == proof.Patient && s.Request == nil && !slices.ContainsFunc(s.Pieces(), func(p Piece) bool { return p.Vouch != nil })
	}
	return false
}

// chooser is whose piece begins: after a result the patient's, whoever's turn it
// was when the visit was ended.
func chooser(s State) proof.Party {
	if s.Outcome != nil {
		return proof.Patient
	}
	return Turn(s)
}

// choose begins a piece of evidence; after a result the visit is open again.
func choose(s State, f proof.EvidenceChosen) State {
	p := s.Of(chooser(s)).putAside()
	p.Chosen = f
	if f.Form == proof.ByVouch && s.Voucher.form() == "" {
		s.Voucher.Chosen.Form = proof.ByZone
	}
	s.Outcome, s.Finishing, s.Reason, s.EndWay = nil, false, "", ""
	return s.with(p)
}
