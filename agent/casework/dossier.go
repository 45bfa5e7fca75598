package casework

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/counterproof/counterproof/agent/gpg45"
	"github.com/counterproof/counterproof/agent/nhs"
	"github.com/counterproof/counterproof/agent/proof"
	"github.com/counterproof/counterproof/agent/route"
	"github.com/counterproof/counterproof/agent/source"
	"github.com/counterproof/counterproof/agent/verdict"
	"github.com/counterproof/counterproof/sync/wire"
)

// Dossier is a decided case with all that its levels rest on, for exports. It
// holds personal data and is kept nowhere.
type Dossier struct {
	Ref     wire.Ref
	State   route.State
	Policy  *gpg45.Policy
	Known   verdict.Known
	Answers []source.Answer
	Final   proof.Outcome
	Decided time.Time
	Number  nhs.Number // "" where the person has none
	Given   bool       // and the person gave it; otherwise it was found
}

// Why there is no dossier.
var (
	ErrNoCase  = errors.New("no case, or more than one, has this reference")
	ErrNotDone = errors.New("the case is not decided, or people look at it")
	ErrChanged = errors.New("asked again, the sources say something else than when the case was decided")
	ErrAway    = errors.New("something that must be asked does not answer now")
)

// Dossier fetches the record of a decided case again and asks all that its levels
// rest on once more, since none of it is kept. agent may be "" where the
// reference says enough. It changes nothing and tells nobody.
func (w *Worker) Dossier(ctx context.Context, ref wire.Ref, agent wire.AgentID) (Dossier, error) {
	found := w.book.find(ref, agent)
	if len(found) != 1 {
		return Dossier{}, ErrNoCase
	}
	e := found[0]
	if e.ruling == nil || e.failed || e.stage == stageReview || len(e.ruling.Review) > 0 {
		return Dossier{}, ErrNotDone
	}
	j := &job{Worker: w, e: e}
	if err := j.again(ctx); err != nil {
		return Dossier{}, fmt.Errorf("asking for a case again: %w", err)
	}
	final := j.final()
	if final.Level != e.ruling.Level || final.NHS != e.ruling.NHS {
		return Dossier{}, ErrChanged
	}
	d := Dossier{
		Ref: e.Ref, State: j.o.State, Policy: j.policy, Known: j.known, Answers: j.answers, Final: final, Decided: e.ruled, Number: j.number,
	}
	d.Given = d.Number != "" && j.claimed().Number == d.Number
	return d, nil
}

// again asks for what a decided case rests on, without a word to anybody.
func (j *job) again(ctx context.Context) error {
	var p pause
	if j.o, p = j.fetch(ctx, j.e); p.why != "" {
		return errors.Join(ErrAway, p.Err)
	}
	if j.e.withdrawn {
		j.o.State = withoutVouches(j.o.State)
	}
	var err error
	if j.policy, err = j.Worker.policy(j.o.State.Visit.Policy); err != nil {
		return err
	}
	if p, err = j.join(ctx); err != nil || p.why != "" {
		return errors.Join(ErrAway, err, p.Err)
	}
	for _, ask := range []func(context.Context) pause{j.vouchers, j.verify, j.askSources, j.askContacts} {
		if p := ask(ctx); p.why != "" {
			return errors.Join(ErrAway, p.Err)
		}
	}
	if out := verdict.Final(j.o.State, j.policy, j.known); out.Result == proof.NotProved || out.NHS == proof.ParentAttested {
		return nil
	}
	if p := j.askRecord(ctx); p.why != "" {
		return errors.Join(ErrAway, p.Err)
	}
	j.known.Record = j.match.Record
	return nil
}
