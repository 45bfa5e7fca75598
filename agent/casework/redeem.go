package casework

import (
	"context"
	"time"

	"github.com/counterproof/counterproof/agent/limit"
	"github.com/counterproof/counterproof/agent/nhs"
	"github.com/counterproof/counterproof/agent/proof"
	"github.com/counterproof/counterproof/sync/wire"
)

// redeem decides a visit in which somebody brought a claim token: whoever the
// token's visit proved gets the account, with the contact details of now. A
// token is used up before the account is asked for, so that no second try gets
// one, whatever happens in between.
func (j *job) redeem(ctx context.Context) (pause, error) {
	claim := j.o.State.Redeemed
	if claim == nil || j.e.ruling != nil {
		return pause{}, nil
	}
	digest := limit.Digest(claim.Token)
	owner := j.book.tokens[digest]
	switch {
	case owner == nil && digest != "" && time.Since(j.e.since) < patience:
		return pause{why: waitToken}, nil // its visit may be at a counter without a line, or in doubt
	case owner == nil, owner == j.e, owner.until.Before(j.o.State.Today()), !owner.usedBy.IsZero() && owner.usedBy != j.e.rec:
		return pause{}, j.rule(wire.NoticeClaimRefused)
	case owner.ruling == nil && owner.stage != stageClosed:
		return pause{why: waitToken}, nil // its visit is not decided, or not any more
	case !owner.gives():
		return pause{}, j.rule(wire.NoticeClaimRefused)
	case owner.usedBy.IsZero(): // otherwise the try of this very visit goes on
		if err := j.add(line{Rec: owner.rec, Step: stepClaimed, Other: &j.e.rec}); err != nil {
			return pause{}, err
		}
	}
	return j.redeemFor(ctx, owner)
}

// rule writes down what came of a token. Nobody was proved.
func (j *job) rule(news ...wire.NoticeKind) error {
	return j.add(line{Rec: j.e.rec, Step: stepDecided, Ruling: &ruling{Level: proof.NoLevel, NHS: proof.NHSNone, News: news}})
}

// redeemFor asks for the account of the person whom the token's visit proved.
func (j *job) redeemFor(ctx context.Context, owner *entry) (pause, error) {
	before, p := j.fetch(ctx, owner)
	if p.why != "" {
		return p, nil
	}
	number, p := j.numberOf(ctx, before, owner)
	if p.why != "" {
		return p, nil
	}
	if number == "" {
		return pause{}, j.rule(wire.NoticeAccountRefused)
	}
	claim := j.o.State.Redeemed
	kind, p := j.provision(ctx, Account{
		Number: number, Birth: before.State.Claimed().Birth, Email: claim.Email, Mobile: claim.Mobile, ODS: j.ods(j.o.State),
	})
	switch {
	case p.why != "":
		return p, nil
	case kind == wire.NoticeAccountReady:
		// Whoever has the token's slip learns that it is used up.
		if err := j.tell(ctx, owner, wire.NoticeClaimUsed); err != nil {
			return pause{}, err
		}
		return pause{}, j.rule(wire.NoticeClaimUsed, wire.NoticeAccountReady)
	case kind == wire.NoticeContactNeeded:
		// Nothing came of it: the patient may come with other contact details.
		if err := j.add(line{Rec: owner.rec, Step: stepReleased, Other: &j.e.rec}); err != nil {
			return pause{}, err
		}
	}
	return pause{}, j.rule(kind)
}

// numberOf asks for the NHS number of the person of a token's visit, as it is
// today; "" where there is none any more that an account may be made by.
func (j *job) numberOf(ctx context.Context, before Opened, owner *entry) (nhs.Number, pause) {
	theirs := &job{Worker: j.Worker, e: owner, o: before}
	code, p := theirs.askNumber(ctx)
	if code != "" {
		j.log.Warn("a claim token's account was refused for its record", "rec", j.e.rec.String(), "code", string(code))
		return "", pause{}
	}
	return theirs.number, p
}
