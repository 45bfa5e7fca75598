// Package check holds an opened record against itself: it folds the visit's events,
// scores them again by the policy that the visit names, packs them once more,
// judges its chips and its times, and says what differs.
//
// It opens nothing, asks nobody and decides nothing about a person: what differs is
// told, and people look at it.
//
// # The laws
//
//   - Whoever holds a counter's key can seal anything: nothing that a record says
//     of itself counts unless its events come to the same.
//   - A level is reported only where both outcomes agree and nothing was found.
//   - What a counter says in its own words reaches nobody unless it is a word of a
//     closed list.
package check

import (
	"cmp"
	"errors"
	"reflect"
	"slices"
	"time"

	"github.com/counterproof/counterproof/agent/gpg45"
	"github.com/counterproof/counterproof/agent/packet"
	"github.com/counterproof/counterproof/agent/proof"
	"github.com/counterproof/counterproof/agent/route"
	"github.com/counterproof/counterproof/agent/verdict"
	"github.com/counterproof/counterproof/sync/wire"
)

// Opened is what a record says on its outside, and how to look at its inside.
type Opened struct {
	Header   wire.Header
	Received time.Time       // by the centre's receipt
	Shut     []wire.PartName // parts that nobody can look into here
	Policy   string          // score again by this policy; the one that the visit names if empty
	Grade    string          // how the counter's key is kept, by its certificate: tpm, dpapi or file
	Asked    wire.Settings   // what the centre asks of its counters now
	// Confirms judges the files of a chip once more and reports whether they bear
	// out what the counter said of it; nil believes every counter.
	Confirms func(files []byte, said proof.ChipRead) bool
}

// Policy reports whether records can be scored by a policy instead of their own; ""
// is their own.
func Policy(instead string) error {
	if instead == "" {
		return nil
	}
	_, err := gpg45.Load(instead)
	return err
}

// Visit looks at an opened visit.
func Visit(v packet.Visit, o Opened) Report {
	r := examine(v, o)
	if r.Kind != KindNone {
		return r
	}
	if tooWeak(r.Level, o) {
		r = r.With(KeyTooWeak)
	}
	if r = chips(r, v, o); clockDoubtful(v.Events, o.Header, o.Received) {
		r = r.With(ClockDoubtful)
	}
	return r
}

// tooWeak reports a level that a key which is kept so does not carry.
func tooWeak(l proof.Level, o Opened) bool {
	high := l == proof.High || l == proof.VeryHigh
	return high && o.Asked.HighGrade != "" && !o.Asked.High(o.Grade)
}

// examine folds an opened visit, scores it again by its policy, or by another
// one that is wanted instead, and compares.
func examine(v packet.Visit, o Opened) Report {
	s := route.Fold(v.Events)
	switch {
	case !s.Begun():
		return Defective(KindUnreadable, errors.New("its events begin no visit"))
	case s.Visit.Record != o.Header.Record.String():
		return Defective(KindOtherVisit, errors.New("the visit inside names another record"))
	case s.Visit.Training != o.Header.Training:
		return Defective(KindTraining, errors.New("the visit and its header are not both in training"))
	}
	r := Report{Reasons: []proof.Code{}}
	// A record is sealed at one point of a visit only, and Allowed knows which.
	if !route.Allowed(s, proof.RecordQueued{}) {
		return r.With(NotDecided)
	}
	// "?" is no policy: a visit that names none is not scored by the default.
	policy, err := gpg45.Load(cmp.Or(o.Policy, s.Visit.Policy, "?"))
	if err != nil {
		r = r.With(PolicyUnknown)
		r.Counter = plain(verdictOf(v.Claims.Outcome), nil)
		return belong(r, s, v, o.Shut)
	}
	own := verdict.Decide(s, policy)
	r.Policy, r.Reasons = policy.Version(), codes(own.Reasons)
	r.Verdict = verdictOf(own)
	r.Agrees = same(v.Claims.Outcome, own) && same(*s.Outcome, own) && v.Claims.Outcome.Policy == s.Visit.Policy
	if !r.Agrees {
		r = r.With(RescoredDifferently)
		rescored := verdictOf(own)
		r.Counter, r.Rescored = plain(verdictOf(v.Claims.Outcome), policy.Profiles()), &rescored
	}
	return belong(r, s, v, o.Shut)
}

// same reports whether two outcomes say the same and rest on the same checks.
// Reasons and what would raise a level are words that a later version may say
// better. The policies are compared elsewhere.
func same(a, b proof.Outcome) bool {
	return verdictOf(a) == verdictOf(b) && a.Computed == b.Computed && a.Training == b.Training &&
		slices.Equal(a.Scores.Evidence, b.Scores.Evidence) && a.Scores.Activity == b.Scores.Activity &&
		a.Scores.Fraud == b.Scores.Fraud && a.Scores.Verification == b.Scores.Verification &&
		slices.Equal(a.Checks, b.Checks)
}

// belong packs the events once more: a true record's claims are what its events
// give, and its pictures are the ones that packing asks for.
func belong(r Report, s route.State, v packet.Visit, shut []wire.PartName) Report {
	var wanted []proof.PictureID
	parts, err := packet.Build(s, v.Events, func(id proof.PictureID) ([]byte, error) {
		wanted = append(wanted, id)
		return nil, nil
	})
	if err == nil {
		// Through JSON once, as the claims at hand have been.
		var again packet.Visit
		again, err = packet.Read(parts)
		if err == nil && !reflect.DeepEqual(again.Claims, v.Claims) {
			err = errors.New("the claims differ")
		}
	}
	if err != nil {
		r = r.With(ClaimsDiffer)
	}
	files := packet.ChipFiles(s)
	for _, id := range wanted {
		part, in := wire.PartEvidence, v.Pictures
		if slices.Contains(files, id) {
			part, in = wire.PartChip, v.Chips
		}
		there := slices.ContainsFunc(in, func(p packet.Picture) bool { return p.ID == id && len(p.JPEG) > 0 })
		if !there && !slices.Contains(shut, part) {
			r = r.With(EvidenceMissing)
		}
	}
	return r
}

// unclear stands for a word that the counter should not have used.
const unclear = "unclear"

// plain holds a counter's own words to the lists that they come from, so that
// nothing else of a record is shown.
func plain(v Verdict, profiles []gpg45.Profile) *Verdict {
	if !slices.Contains([]proof.Result{proof.Proved, proof.Review, proof.NotProved, proof.Abandoned}, v.Result) {
		v.Result = unclear
	}
	if !slices.Contains([]proof.Level{proof.NoLevel, proof.Low, proof.Medium, proof.High, proof.VeryHigh}, v.Level) {
		v.Level = unclear
	}
	if !slices.Contains([]proof.NHSLevel{proof.NHSNone, proof.P0, proof.P5, proof.P9, proof.ParentAttested}, v.NHS) {
		v.NHS = unclear
	}
	if v.Profile != "" && !slices.ContainsFunc(profiles, func(p gpg45.Profile) bool { return p.Name == v.Profile }) {
		v.Profile = unclear
	}
	return &v
}

// maxCode bounds a reason's code, in bytes.
const maxCode = 40

// codes are the reasons as bare codes. One of them may come from an event, so
// each is held to the form of a code.
func codes(reasons []proof.Reason) []proof.Code {
	out := make([]proof.Code, 0, len(reasons))
	for _, r := range reasons {
		if !isCode(string(r.Code)) {
			r.Code = unclear
		}
		if !slices.Contains(out, r.Code) {
			out = append(out, r.Code)
		}
	}
	return out
}

// isCode reports whether s is of lower-case letters, digits and underscores.
func isCode(s string) bool {
	for _, c := range []byte(s) {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '_' {
			return false
		}
	}
	return s != "" && len(s) <= maxCode
}
