package demo

import (
	"context"
	"fmt"

	"github.com/counterproof/counterproof/agent/api"
	"github.com/counterproof/counterproof/agent/claim"
	"github.com/counterproof/counterproof/agent/proof"
)

// certificateAlone lays a birth certificate on the table.
func certificateAlone(w *world, _ api.Visit) api.Answer {
	w.say("The passport is at home; the patient has a birth certificate.")
	return api.Answer{Ask: proof.ChooseEvidence, Type: "birth_cert"}
}

// enterCertificate keys the certificate.
func enterCertificate(w *world, _ api.Visit) api.Answer {
	w.say("The clerk keys the certificate.")
	return api.Answer{Ask: proof.EnterEvidence, Fields: &api.Fields{Identity: wren.identity(), Number: "BXCA123456"}}
}

// comeBack continues the first visit at the other site.
func comeBack(ctx context.Context, w *world, first api.Visit) error {
	w.story = story{route: proof.PhotoDocument, page: wren, told: "the same patient at another site, with the slip and the passport"}
	w.say("Another day, another site. The reference on the slip is all that is needed to go on.")
	if err := w.openCounter(ctx, secondSite); err != nil {
		return err
	}
	_, err := w.scene(ctx, first.Ref)
	return err
}

// redemptions is how often the claim token is brought.
const redemptions = 3

// redeem brings the claim token of the first visit to the other site, again and
// again.
func redeem(ctx context.Context, w *world, _ api.Visit) error {
	token, err := tokenOn(w.slip)
	if err != nil {
		return err
	}
	w.story = story{
		route: proof.ClaimAccount, told: "somebody with a claim code",
		answers: map[proof.AskKind]func(*world, api.Visit) api.Answer{proof.RedeemClaim: func(w *world, _ api.Visit) api.Answer {
			w.say("The clerk keys the claim code, an e-mail address and a mobile number.")
			return api.Answer{Ask: proof.RedeemClaim, Claim: &proof.ClaimRedeemed{
				Token: string(token), Email: "wren@example.org", Mobile: "07700 900123",
			}}
		}},
	}
	if err := w.openCounter(ctx, secondSite); err != nil {
		return err
	}
	for range redemptions {
		if _, err := w.scene(ctx, ""); err != nil {
			return err
		}
	}
	return nil
}

// tokenOn finds the claim token on a slip, which the patient has.
func tokenOn(slip []string) (claim.Token, error) {
	for _, l := range slip {
		if token, err := claim.Parse(l); err == nil {
			return token, nil
		}
	}
	return "", fmt.Errorf("no claim code is among %d lines of the slip", len(slip))
}
