package central

import (
	"context"
	"net/http"

	"github.com/counterproof/counterproof/sync/store"
	"github.com/counterproof/counterproof/sync/wire"
)

// postRun takes records that follow each other in a counter's chain, in one
// transaction: as after weeks without a network, when a commit for each would be
// what takes the time.
func (c *Central) postRun(w http.ResponseWriter, r *http.Request, a store.Agent) {
	body, ok := readBody(w, r, wire.MaxRunBytes)
	if !ok {
		return
	}
	named, err := wire.ParseHash(r.Header.Get("Idempotency-Key"))
	if err != nil || named != wire.HashOf(body) {
		c.sayRun(w, wire.Altered)
		return
	}
	answers, verdict, err := c.decideRun(r.Context(), a, body)
	switch {
	case err != nil:
		c.fail(w, r, err)
	case verdict != "":
		c.sayRun(w, verdict)
	default:
		for _, one := range answers {
			c.figures.Decided(one.Verdict)
		}
		writeJSON(w, http.StatusOK, wire.Answers{Answers: answers})
	}
}

// sayRun answers a run of which no record was decided about.
func (c *Central) sayRun(w http.ResponseWriter, v wire.Verdict) {
	note(w).verdict = v
	writeJSON(w, statuses[v], wire.Answer{Verdict: v})
}

// decideRun judges records and asks the store, up to the first that cannot be
// judged. Where that is the very first, or the store knows better of the counter,
// one verdict stands for the whole run.
func (c *Central) decideRun(ctx context.Context, a store.Agent, body []byte) ([]wire.Answer, wire.Verdict, error) {
	records, err := wire.ParseRun(body)
	if err != nil {
		return nil, wire.Altered, nil
	}
	var run []store.Submission
	for i, one := range records {
		sub, verdict, err := c.submission(a, one)
		if err != nil || verdict != "" && i == 0 {
			return nil, verdict, err
		}
		if verdict != "" {
			break
		}
		run = append(run, sub)
	}
	answers, err := c.store.AcceptRun(ctx, run)
	if err != nil {
		return nil, "", err
	}
	if first := outward(answers[0]); first.Verdict != answers[0].Verdict {
		return nil, first.Verdict, nil
	}
	return upTo(answers), "", nil
}

// upTo cuts answers off behind the first record that was not taken: what is behind
// it would be called a gap.
func upTo(answers []wire.Answer) []wire.Answer {
	for i, a := range answers {
		switch a.Verdict {
		case wire.Stored, wire.Replayed, wire.Refused:
		case store.Quarantined: // the fork is the answer before
			return answers[:i]
		default:
			return answers[:i+1]
		}
	}
	return answers
}
