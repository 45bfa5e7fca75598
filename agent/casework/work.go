package casework

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/counterproof/counterproof/agent/gpg45"
	"github.com/counterproof/counterproof/agent/limit"
	"github.com/counterproof/counterproof/agent/nhs"
	"github.com/counterproof/counterproof/agent/proof"
	"github.com/counterproof/counterproof/agent/route"
	"github.com/counterproof/counterproof/agent/source"
	"github.com/counterproof/counterproof/agent/verdict"
	"github.com/counterproof/counterproof/sync/wire"
)

// Codes of what a case waits for.
const (
	waitArchive  proof.Code = "archive"
	waitEarlier  proof.Code = "earlier_visit"
	waitSources  proof.Code = "sources"
	waitPractice proof.Code = "practice"
	waitRecords  proof.Code = "nhs_record"
	waitContacts proof.Code = "contacts"
	waitWishes   proof.Code = "wishes"
	waitAccount  proof.Code = "account"
	waitToken    proof.Code = "claim_token"
)

// Codes of why people look, beside those of others.
const (
	codeDocumentHit   proof.Code = "doc_fraud_list"  // lost, stolen or cancelled
	codeRecordStopped proof.Code = "record_stopped"  // hidden, withdrawn, or of the dead
	codeRecordDiffers proof.Code = "record_differs"  // the practice's patient is another than the record's
	codeNotScorable   proof.Code = "policy_not_here" // the visit's policy did not come with this program
	codeDuplicate     proof.Code = "duplicate_visit" // the opener's finding of that name
)

// job is one case while it is worked. Its steps are done in their order; each
// finds out by itself whether it was done before.
type job struct {
	*Worker
	e      *entry
	o      Opened
	policy *gpg45.Policy
	known  verdict.Known
	joined []wire.Hash // the earlier visits that were joined
	match  *Match      // nil before the NHS record was asked for
	number nhs.Number  // by which an account is made
	hits   []proof.Code

	answers []source.Answer
}

// pause is why a step cannot be done now; the zero pause is none.
type pause struct {
	why proof.Code
	Delay
}

// errStop ends a job whose case is in people's hands now, or closed.
var errStop = errors.New("the case is not due any more")

// work works one case as far as it goes.
func (w *Worker) work(ctx context.Context, e *entry) error {
	j := &job{Worker: w, e: e}
	steps := []func(context.Context) (pause, error){
		j.recall, j.reopen, j.fail, j.list, j.hold, j.redeem, j.decide, j.announce, j.handOn, j.letter, j.end,
	}
	for _, step := range steps {
		p, err := step(ctx)
		switch {
		case errors.Is(err, errStop):
			return nil
		case err != nil:
			return err
		case ctx.Err() != nil:
			return ctx.Err() // what ended with it says nothing
		case p.why != "":
			return w.wait(e, p.why, p.Delay)
		}
	}
	return nil
}

// close ends the case.
func (j *job) close() error {
	if err := j.add(line{Rec: j.e.rec, Step: stepClosed}); err != nil {
		return err
	}
	j.log.Info("a case is closed", "rec", j.e.rec.String())
	return errStop
}

// review gives the case to people. A silent review looks to the site like what
// it was told so far.
func (j *job) review(ctx context.Context, codes []proof.Code, silent bool) error {
	if err := j.add(line{Rec: j.e.rec, Step: stepReview, Codes: codes, Silent: silent}); err != nil {
		return err
	}
	j.log.Warn("a case is held for people to look at", "rec", j.e.rec.String(), "count", len(codes))
	if err := j.tellReview(ctx, j.e); err != nil {
		return err
	}
	return errStop
}

// tellReview tells the site that people look at a case, unless it must not hear.
func (w *Worker) tellReview(ctx context.Context, e *entry) error {
	if e.silent {
		return nil
	}
	return w.tell(ctx, e, wire.NoticeReviewOpen)
}

// recall asks the patient back where the record is good for nothing.
func (j *job) recall(ctx context.Context) (pause, error) {
	if !j.e.Damaged {
		return pause{}, nil
	}
	if err := j.tell(ctx, j.e, wire.NoticeRecall); err != nil {
		return pause{}, err
	}
	return pause{}, j.close()
}

// reopen takes the visit from memory, or fetches its record again.
func (j *job) reopen(ctx context.Context) (pause, error) {
	var p pause
	if o, fresh := j.fresh[j.e.rec]; fresh {
		j.o = o
	} else if j.o, p = j.fetch(ctx, j.e); p.why != "" {
		return p, nil
	}
	policy, err := j.Worker.policy(j.o.State.Visit.Policy)
	if err != nil && !j.e.failed {
		return pause{}, j.review(ctx, []proof.Code{codeNotScorable}, false)
	}
	j.policy = policy
	return pause{}, nil
}

// fetch fetches the record of a case again.
func (j *job) fetch(ctx context.Context, e *entry) (Opened, pause) {
	o, err := j.cfg.Archive.Reopen(ctx, e.Index)
	switch {
	case err != nil:
		return Opened{}, pause{waitArchive, Delay{Err: err}}
	case o.Rec != e.rec || o.Damaged:
		return Opened{}, pause{waitArchive, Delay{Alarm: true, Err: errors.New("the centre gives another record, or it does not open any more")}}
	}
	return o, pause{}
}

// fail ends a case that people did not let pass.
func (j *job) fail(ctx context.Context) (pause, error) {
	kind := wire.NoticeReviewFailed
	switch {
	case !j.e.failed:
		return pause{}, nil
	case j.e.silent && (!j.e.has(wire.NoticeNHSP9) || j.e.has(wire.NoticeAccountReady)):
		return pause{}, j.close() // the site heard of no review and nothing that is not so
	case j.e.silent:
		kind = wire.NoticeAccountRefused
	}
	if err := j.tell(ctx, j.e, kind); err != nil {
		return pause{}, err
	}
	if _, err := j.letter(ctx); err != nil {
		return pause{}, err
	}
	return pause{}, j.close()
}

// list puts the visit on the limit list. A record that is in doubt itself is not
// put there, so that nobody spoils another's name with it.
func (j *job) list(context.Context) (pause, error) {
	if j.e.listed || len(j.e.Findings) > 0 && !j.e.passed {
		return pause{}, nil
	}
	desk := j.o.State.Visit.Site
	if desk == "" {
		desk = string(j.e.Agent)
	}
	v := j.tags.Visit(j.o.State, j.policy, desk)
	l := line{Rec: j.e.rec, Step: stepListed, Visit: &v, Codes: j.book.limits.Against(v, j.policy.Unconfirmed())}
	l.Digest, l.Until = limit.Token(j.o.State)
	return pause{}, j.add(l)
}

// hold gives to people what the record, the counter or the limit list hold back.
func (j *job) hold(ctx context.Context) (pause, error) {
	codes := slices.Concat(j.e.Findings, j.e.codes)
	if out := j.o.State.Outcome; out == nil || out.Result == proof.Review {
		codes = append(codes, proof.SentToTeam)
	}
	if !j.e.withdrawn && limit.TooOld([]route.State{j.o.State}, j.policy.Unconfirmed(), route.Today(j.e.since)) {
		codes = append(codes, limit.VouchTooOld)
	}
	if codes = j.e.unseen(codes...); len(codes) > 0 {
		// Of a visit that came twice the site hears by the first record alone.
		return pause{}, j.review(ctx, codes, slices.Contains(codes, codeDuplicate))
	}
	return pause{}, nil
}

// announce tells what was decided.
func (j *job) announce(ctx context.Context) (pause, error) {
	for _, k := range j.e.ruling.News {
		if err := j.tell(ctx, j.e, k); err != nil {
			return pause{}, err
		}
	}
	return pause{}, nil
}

// end closes the case, or gives it to people without a word to the site.
func (j *job) end(ctx context.Context) (pause, error) {
	if codes := j.e.ruling.Review; len(codes) > 0 {
		return pause{}, j.review(ctx, codes, true)
	}
	return pause{}, j.close()
}

// today is the civil day of work.
func today() proof.Date { return route.Today(time.Now()) }
