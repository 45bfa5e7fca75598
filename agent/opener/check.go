package opener

import (
	"cmp"
	"errors"
	"reflect"
	"slices"

	"github.com/counterproof/counterproof/agent/gpg45"
	"github.com/counterproof/counterproof/agent/packet"
	"github.com/counterproof/counterproof/agent/proof"
	"github.com/counterproof/counterproof/agent/route"
	"github.com/counterproof/counterproof/agent/verdict"
	"github.com/counterproof/counterproof/sync/wire"
)

// examine folds an opened visit, scores it again by its policy, or by another
// one that is wanted instead, and compares.
func examine(r Result, v packet.Visit, instead string) Result {
	s := route.Fold(v.Events)
	switch {
	case !s.Begun():
		return r.defective(KindUnreadable, errors.New("its events begin no visit"))
	case s.Visit.Record != r.record:
		return r.defective(KindOtherVisit, errors.New("the visit inside names another record"))
	case s.Visit.Training != r.Training:
		return r.defective(KindTraining, errors.New("the visit and its header are not both in training"))
	}
	r.visit, r.Reasons = &v, []proof.Code{}
	// A record is sealed at one point of a visit only, and Allowed knows which.
	if !route.Allowed(s, proof.RecordQueued{}) {
		return r.with(NotDecided)
	}
	// "?" is no policy: a visit that names none is not scored by the default.
	policy, err := gpg45.Load(cmp.Or(instead, s.Visit.Policy, "?"))
	if err != nil {
		r = r.with(PolicyUnknown)
		r.Counter = plain(verdictOf(v.Claims.Outcome), nil)
		return belong(r, s, v)
	}
	own := verdict.Decide(s, policy)
	r.Policy, r.Reasons = policy.Version(), codes(own.Reasons)
	r.Verdict = verdictOf(own)
	r.Agrees = same(v.Claims.Outcome, own) && same(*s.Outcome, own) && v.Claims.Outcome.Policy == s.Visit.Policy
	if !r.Agrees {
		r = r.with(RescoredDifferently)
		rescored := verdictOf(own)
		r.Counter, r.Rescored = plain(verdictOf(v.Claims.Outcome), policy.Profiles()), &rescored
	}
	return belong(r, s, v)
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
func belong(r Result, s route.State, v packet.Visit) Result {
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
		r = r.with(ClaimsDiffer)
	}
	files := packet.ChipFiles(s)
	for _, id := range wanted {
		part, in := wire.PartEvidence, v.Pictures
		if slices.Contains(files, id) {
			part, in = wire.PartChip, v.Chips
		}
		there := slices.ContainsFunc(in, func(p packet.Picture) bool { return p.ID == id && len(p.JPEG) > 0 })
		if !there && !slices.Contains(r.Shut, part) {
			r = r.with(EvidenceMissing)
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
