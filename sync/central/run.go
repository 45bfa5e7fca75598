package central

import (
	"net/http"
	"time"

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
	answers, verdict, err := c.decideRun(r, a, body)
	if verdict == wire.Altered || verdict == wire.Upgrade { // the store was not asked who this is
		_, err = c.speaker(r, time.Now())
	}
	switch {
	case err != nil:
		c.turnAway(w, r, err)
	case verdict == store.Unknown:
		c.former(w, r)
	case verdict != "":
		note(w).verdict = verdict
		writeJSON(w, statuses[verdict], wire.Answer{Verdict: verdict})
	default:
		for _, one := range answers {
			c.figures.Decided(one.Verdict)
		}
		writeJSON(w, http.StatusOK, wire.Answers{Answers: answers})
	}
}

// decideRun judges records and asks the store, up to the first that cannot be
// judged. Where that is the very first, or the store knows better of the counter,
// one verdict stands for the whole run.
func (c *Central) decideRun(r *http.Request, a store.Agent, body []byte) ([]wire.Answer, wire.Verdict, error) {
	named, err := wire.ParseHash(r.Header.Get("Idempotency-Key"))
	if err != nil || named != wire.HashOf(body) {
		return nil, wire.Altered, nil
	}
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
	answers, err := c.store.AcceptRun(r.Context(), run)
	if err != nil {
		return nil, "", err
	}
	switch answers[0].Verdict {
	case store.Unknown:
		return nil, store.Unknown, nil
	case store.Quarantined:
		return nil, wire.Fork, nil
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
