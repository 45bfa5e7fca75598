package casework

import (
	"context"
	"slices"

	"github.com/counterproof/counterproof/agent/gpg45"
	"github.com/counterproof/counterproof/agent/limit"
	"github.com/counterproof/counterproof/agent/nhs"
	"github.com/counterproof/counterproof/agent/proof"
	"github.com/counterproof/counterproof/agent/route"
	"github.com/counterproof/counterproof/agent/verdict"
	"github.com/counterproof/counterproof/sync/wire"
)

// decide asks all that a final level rests on, and writes down what it comes to.
func (j *job) decide(ctx context.Context) (pause, error) {
	if j.e.ruling != nil {
		return pause{}, nil
	}
	counter := j.counter()
	if j.e.withdrawn {
		j.o.State = withoutVouches(j.o.State)
	}
	if p, err := j.gather(ctx); err != nil || p.why != "" {
		return p, err
	}
	final := j.final()
	r := &ruling{Level: final.Level, NHS: final.NHS, Joined: j.joined}
	if j.stopped() {
		r.Review = []proof.Code{codeRecordStopped}
	}
	r.News = j.news(counter, final)
	j.handOver(r, final)
	return pause{}, j.add(line{Rec: j.e.rec, Step: stepDecided, Ruling: r})
}

// handOver says what follows from a final level: an account, or a token that is
// good for one where nobody can be reached, and the wishes.
func (j *job) handOver(r *ruling, final proof.Outcome) {
	if j.number == "" {
		return
	}
	prefs := j.o.State.Preferences
	account := final.NHS == proof.P9 && !final.Provisional && j.cfg.Accounts != nil
	contact := prefs != nil && prefs.Email != "" && prefs.Mobile != ""
	r.Account = account && contact
	r.Wishes = prefs != nil && wishes(*prefs) && mayWrite(final) && j.cfg.Wishes != nil
	if account && !contact && j.e.digest != "" {
		r.News = append(r.News, wire.NoticeClaimReady)
	}
}

// counter is what the counter said; a record that does not tell it said nothing.
func (j *job) counter() proof.Outcome {
	if out := j.o.State.Outcome; out != nil {
		return *out
	}
	return proof.Outcome{Result: proof.Review, Level: proof.NoLevel, NHS: proof.NHSNone}
}

// gather asks everybody. The NHS record is asked for only where a level may rest
// on it.
func (j *job) gather(ctx context.Context) (pause, error) {
	if p, err := j.join(ctx); err != nil || p.why != "" {
		return p, err
	}
	old := limit.TooOld(j.known.Earlier, j.policy.Unconfirmed(), route.Today(j.e.since))
	if codes := j.e.unseen(limit.VouchTooOld); old && len(codes) > 0 {
		return pause{}, j.review(ctx, codes, false)
	}
	if p := j.vouchers(ctx); p.why != "" {
		return p, nil
	}
	if p, err := j.askPractice(ctx); err != nil || p.why != "" {
		return p, err
	}
	if verdict.Final(j.o.State, j.policy, j.known).Result == proof.NotProved {
		return pause{}, nil // nothing that anybody outside knows would change that
	}
	return j.askOutside(ctx)
}

// askOutside asks the sources, and for the record where a level may rest on it.
func (j *job) askOutside(ctx context.Context) (pause, error) {
	for _, ask := range []func(context.Context) pause{j.askSources, j.askContacts} {
		if p := ask(ctx); p.why != "" {
			return p, nil
		}
	}
	out := verdict.Final(j.o.State, j.policy, j.known)
	codes := j.e.unseen(append(slices.Clone(j.hits), proof.SentToTeam)...)
	switch {
	case out.Result == proof.Review && len(codes) > 0:
		return pause{}, j.review(ctx, codes, false)
	case out.Result == proof.NotProved || out.NHS == proof.ParentAttested:
		return pause{}, nil
	}
	practice := j.number
	if p := j.askRecord(ctx); p.why != "" {
		return p, nil
	}
	j.known.Record = j.match.Record
	if j.differs(practice) {
		return pause{}, j.review(ctx, []proof.Code{codeRecordDiffers}, false)
	}
	return pause{}, nil
}

// differs reports a record of another patient than the practice's.
func (j *job) differs(practice nhs.Number) bool {
	other := practice != "" && j.match.Number != "" && practice != j.match.Number
	return other && len(j.e.unseen(codeRecordDiffers)) > 0
}

// stopped reports a record that ends automatic release.
func (j *job) stopped() bool {
	return j.match != nil && j.match.Record == nhs.Stopped && len(j.e.unseen(codeRecordStopped)) > 0
}

// final is what the visit comes to with all that is known. What people let pass
// has the level that was computed and withheld.
func (j *job) final() proof.Outcome {
	s, k := j.o.State, j.known
	if j.stopped() {
		// As if there were no such record, whatever the practice said.
		k.Record, k.Details, k.Refused = nhs.NoMatch, "", true
	}
	out := verdict.Final(s, j.policy, k)
	if j.e.passed && out.Result == proof.Review && len(j.e.unseen(slices.Clone(j.hits)...)) == 0 {
		out = released(out, j.policy)
		switch {
		case out.Result == proof.NotProved && k.Details == nhs.DetailsAccepted:
			out.Result = proof.Proved // by the practice alone
		case out.Result == proof.NotProved:
			return out
		}
		standing := j.policy.NHS().Assess(nhs.Facts{
			Birth: s.Claimed().Birth, Today: s.Today(), Level: out.Level, Checks: out.Checks,
			Record: k.Record, Details: k.Details, Contact: k.Contact,
		})
		out.NHS, out.Provisional = standing.Level, standing.Provisional
	}
	if j.stopped() && (out.NHS == proof.P9 || out.NHS == proof.P5) {
		out.NHS = proof.NHSNone
	}
	return out
}

// released gives an outcome the level that was withheld, and lets the request go
// that was held.
func released(out proof.Outcome, p *gpg45.Policy) proof.Outcome {
	out.Result = proof.NotProved
	i := slices.IndexFunc(p.Profiles(), func(q gpg45.Profile) bool { return q.Name == out.Computed })
	if i >= 0 {
		out.Result, out.Level, out.Profile, out.Computed = proof.Proved, p.Profiles()[i].Level, out.Computed, ""
	}
	switch out.Request {
	case proof.ProxyConsented, proof.ProxyEvidenced, proof.ProxySent:
		out.Result, out.Request = proof.Requested, proof.ProxySent
	}
	return out
}

// withoutVouches is a visit whose vouches were taken back.
func withoutVouches(s route.State) route.State {
	s.Vouch = nil
	s.Done = slices.DeleteFunc(slices.Clone(s.Done), func(p route.Piece) bool { return p.Vouch != nil })
	return s
}

// news is what the site is told, in its order.
func (j *job) news(counter, final proof.Outcome) []wire.NoticeKind {
	var out []wire.NoticeKind
	add := func(is bool, k wire.NoticeKind) {
		if is {
			out = append(out, k)
		}
	}
	s, joined := j.o.State, len(j.joined) > 0
	add(j.e.passed && j.e.has(wire.NoticeReviewOpen), wire.NoticeReviewPassed) // of a review that the site heard of
	add(j.e.takenBack(), wire.NoticeVouchWithdrawn)
	add(joined, wire.NoticeJoined)
	add(s.Visit.Continues != "" && !joined && !j.book.nobody(wire.Ref(s.Visit.Continues)), wire.NoticeNotJoined)
	add(j.known.Details == nhs.DetailsAccepted, wire.NoticeDetailsAccepted)
	add(j.known.Refused, wire.NoticeDetailsRefused)
	if s.Request != nil && final.Request == proof.ProxySent {
		add(s.Request.Withdraw, wire.NoticeProxyWithdrawn)
		add(!s.Request.Withdraw, wire.NoticeProxySubmitted)
	}
	if k := j.levelNews(counter.Level, final.Level); k != "" {
		out = append(out, k)
	}
	if k := j.nhsNews(final); k != "" {
		out = append(out, k)
	}
	short := final.Result == proof.NotProved || final.Result == proof.Pending
	add(short && s.Request == nil && !j.known.Refused, wire.NoticeMoreNeeded)
	if prefs := s.Preferences; prefs != nil && wishes(*prefs) {
		add(!mayWrite(final), wire.NoticeWishesRefused)
	}
	return out
}

// levelNews says how the final level stands to the counter's, or to what was given
// with a vouch before that was taken back; nothing where neither gave one.
func (j *job) levelNews(counter, final proof.Level) wire.NoticeKind {
	if j.e.takenBack() && j.e.gave != "" {
		counter = j.e.gave
	}
	switch {
	case final.Above(counter):
		return wire.NoticeFinalRaised
	case counter.Above(final):
		return wire.NoticeFinalLowered
	case final.Above(proof.NoLevel):
		return wire.NoticeFinalKept
	}
	return ""
}

// nhsNews says the final NHS level. That no one record could be matched is told
// only where one was asked for.
func (j *job) nhsNews(final proof.Outcome) wire.NoticeKind {
	level, known := map[proof.NHSLevel]wire.NoticeKind{
		proof.P9: wire.NoticeNHSP9, proof.P5: wire.NoticeNHSP5, proof.P0: wire.NoticeNHSP0,
	}[final.NHS]
	switch {
	case known && !final.Provisional:
		return level
	case j.match != nil && final.NHS != proof.ParentAttested:
		return wire.NoticeNHSNone
	}
	return ""
}

// wishes reports wishes beyond the contact details that an account needs.
func wishes(p proof.PreferencesGiven) bool {
	p.Email, p.Mobile = "", ""
	return p != (proof.PreferencesGiven{})
}

// mayWrite reports a final level at which wishes are written, P5 or P9.
func mayWrite(final proof.Outcome) bool {
	return !final.Provisional && (final.NHS == proof.P5 || final.NHS == proof.P9)
}
