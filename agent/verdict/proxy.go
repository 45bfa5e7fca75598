package verdict

import (
	"slices"
	"strconv"

	"github.com/counterproof/counterproof/agent/gpg45"
	"github.com/counterproof/counterproof/agent/proof"
	"github.com/counterproof/counterproof/agent/route"
)

// Ages of proxy access (DAPB3051, proxy use case): it is reviewed when the
// child is 11 to 13 and must stop at 16.
const (
	reviewAge  = 11
	suspendAge = 16
)

// standing is how a request for proxy access stands.
type standing struct {
	State   proof.ProxyState
	Hold    []proof.Code
	Refused proof.Code // why nothing is sent
	Reasons []proof.Reason
}

// basis is what one ground for access needs.
type basis struct {
	child, adult bool // patients under 16, patients of 16 or more
	consent      bool // the patient's own
	evidence     bool // something must have been seen
}

// bases are the grounds (DAPB3051, proxy use case).
var bases = map[proof.Code]basis{
	"child_consent":            {child: true, consent: true},
	"parental_responsibility":  {child: true, evidence: true},
	"best_interests":           {child: true, adult: true},
	"consent":                  {adult: true, consent: true},
	"lasting_power_attorney":   {adult: true, evidence: true},
	"personal_welfare_deputy":  {adult: true, evidence: true},
	"no_record_access_nominee": {child: true, adult: true, consent: true},
}

// Bases lists the grounds for proxy access that fit a patient of an age, sorted.
func Bases(age int) []proof.Code {
	var out []proof.Code
	for code, b := range bases {
		if age < suspendAge && b.child || age >= suspendAge && b.adult {
			out = append(out, code)
		}
	}
	slices.Sort(out)
	return out
}

// Age is the age in whole years; unknown parts of a birth date count as the
// last, so that nobody is taken for older than they may be.
func Age(birth, today proof.Date) int {
	month, day := birth.Month, birth.Day
	if month == 0 {
		month = 12
	}
	if day == 0 {
		day = 31
	}
	age := today.Year - birth.Year
	if today.Month < month || today.Month == month && today.Day < day {
		age--
	}
	return age
}

// requested says how far the request got. The desk gathers and checks; whether
// access is given a clinician decides.
func requested(s route.State, p *gpg45.Policy, out proof.Outcome) standing {
	if s.Request == nil {
		return standing{}
	}
	r := standing{State: proof.ProxyDraft}
	r.because(proof.ProxySubmitted, s.Request.Event)
	if s.Request.Withdraw {
		r.State = proof.ProxySent
		r.Reasons[0].Code = proof.ProxyWithdrawn
		if out.Level == proof.NoLevel { // a stranger must not end what keeps somebody looked after
			r.Hold = append(r.Hold, proof.ProxyNotIdentified)
		}
		return r
	}
	r = judgeBasis(s, r)
	both := out.Level != proof.NoLevel || Age(s.Claimed().Birth, s.Today()) < suspendAge
	if i := slices.IndexFunc(out.Parties, func(o proof.PartyOutcome) bool { return o.Party == proof.Proxy }); i < 0 || out.Parties[i].Level == proof.NoLevel {
		both = false
	} else if p.NHS().P9Level.Above(out.Parties[i].Level) {
		r.because(proof.ProxyNeedsHigh, s.Request.Event)
	}
	if !both {
		r.because(proof.ProxyNotIdentified, s.Request.Event)
	}
	if len(r.Hold) == 0 && r.Refused == "" {
		r.State = proof.ProxySent
	}
	return r
}

// judgeBasis checks the ground for the access against the patient's age, the
// consent and what was seen.
func judgeBasis(s route.State, r standing) standing {
	f := s.Request.ProxyRequested
	age := Age(s.Claimed().Birth, s.Today())
	b, known := bases[f.Basis]
	child := age < suspendAge
	switch {
	case !known, child && !b.child, !child && !b.adult, b.evidence && len(f.Seen) == 0:
		r.Refused = proof.ProxyBasisUnfit
	case b.consent && !f.Agreed:
		r.Refused = proof.ProxyNoConsent
	case b.consent:
		r.State = proof.ProxyConsented
	default:
		r.State = proof.ProxyEvidenced
	}
	if r.Refused != "" {
		r.Reasons = nil
		r.because(r.Refused, s.Request.Event)
		return r
	}
	if b.consent && !f.Alone {
		r.Hold = append(r.Hold, proof.ProxyNotAlone)
	}
	if child {
		if age < suspendAge && age >= reviewAge-1 {
			r.because(proof.ProxyReviewAt, s.Request.Event, "age", strconv.Itoa(reviewAge))
		}
		r.because(proof.ProxySuspendsAt, s.Request.Event, "age", strconv.Itoa(suspendAge))
	}
	return r
}

// because adds a reason; params are names and values in turn.
func (r *standing) because(code proof.Code, event int, params ...string) {
	reason := proof.Reason{Code: code, Event: event}
	for i := 0; i+1 < len(params); i += 2 {
		if reason.Params == nil {
			reason.Params = map[string]string{}
		}
		reason.Params[params[i]] = params[i+1]
	}
	r.Reasons = append(r.Reasons, reason)
}
