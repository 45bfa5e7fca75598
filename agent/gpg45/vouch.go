package gpg45

import (
	"strconv"

	"github.com/counterproof/counterproof/agent/proof"
)

// MethodVouch is the check method of a vouch (OpenID Identity Assurance has an
// evidence type for it and no method).
const MethodVouch proof.CheckMethod = "vouch"

// Vouch is a declaration by somebody who knows the person as the claimed
// identity (GPG 45, "How to accept a vouch"). It compares nobody with a photo.
type Vouch struct {
	Event int
	By    proof.Actor
	Paper bool // on paper, by letter or by a channel that proves nobody
	// Proved is the level to which the voucher was proved at this desk or, where
	// records are opened, by an own proofing; NoLevel where they were not.
	Proved            proof.Level
	Confirmed         bool       // the voucher confirms the person present
	KnownSince, Given proof.Date // an unknown part of KnownSince counts as late as it can be
	// Problems are why it counts for nothing: related, same address, a chain of
	// vouches. Each is told as a reason.
	Problems []proof.Code
}

// Unconfirmed are settings whose source text was not read; they are data so
// that a policy file can put them right. Pairs are strength and validity.
type Unconfirmed struct {
	ActivityMonths    [4]int `json:"activity_months"`    // known for so long, for activity 1 to 4
	VouchPaper        [2]int `json:"vouch_paper"`        // worth of a vouch on paper
	VouchDigital      [2]int `json:"vouch_digital"`      // by a voucher proved to medium here
	VouchCeiling      [2]int `json:"vouch_ceiling"`      // by a voucher proved to high
	VouchVerification int    `json:"vouch_verification"` // when a voucher proved here confirms the person present
	VouchActivity     int    `json:"vouch_activity"`
	VouchKnownYears   int    `json:"vouch_known_years"` // the voucher must have known the person
	VouchDays         int    `json:"vouch_days"`        // an unused vouch is good for
	VouchesAMonth     int    `json:"vouches_a_month"`   // of one voucher at one desk
}

// Unconfirmed are the settings whose source text was not read.
func (p *Policy) Unconfirmed() Unconfirmed { return p.rules.Unconfirmed }

// Activity is the activity score (0–4) of an identity that a source has known
// since a date, by a day.
func (u Unconfirmed) Activity(since, by proof.Date) int {
	score := 0
	for _, months := range u.ActivityMonths {
		if knownFor(since, by, months) {
			score++
		}
	}
	return score
}

// MayVouch reports whether somebody who vouched so often at one desk within a
// month may do so once more.
func (u Unconfirmed) MayVouch(already int) bool { return already < u.VouchesAMonth }

// vouch counts a vouch, or tells why it counts for nothing.
func (p *Policy) vouch(v Vouch, today proof.Date, t *tally) {
	c := proof.Check{Method: MethodVouch, Part: partValidity, By: v.By, Event: v.Event}
	if problems := p.unfit(v, today); len(problems) > 0 {
		for _, problem := range problems {
			c.Reason = problem.Code
			t.found.checked(c)
			t.found.reasons = append(t.found.reasons, problem)
		}
		return
	}
	var worth [2]int
	worth, c.Reason = p.worth(v)
	c.Score = worth[1]
	t.found.conclude(c, "strength", strconv.Itoa(worth[0]))
	t.piece(string(proof.Vouch), v.Event, proof.Evidence{Type: proof.Vouch, Strength: worth[0], Validity: worth[1]})

	c.Part, c.Reason, c.Score = partVerification, v.confirms(), 0
	if c.Reason == codeVouchConfirmed {
		c.Score = p.rules.Unconfirmed.VouchVerification
	}
	t.found.conclude(c)
	t.scores.Verification = max(t.scores.Verification, c.Score)

	if c.Score = p.rules.Unconfirmed.VouchActivity; c.Score > 0 {
		c.Part, c.Reason = "activity", codeVouchActivity
		t.found.conclude(c)
		t.scores.Activity = max(t.scores.Activity, c.Score)
	}
}

// unfit are the reasons why a vouch counts for nothing.
func (p *Policy) unfit(v Vouch, today proof.Date) []proof.Reason {
	u := p.rules.Unconfirmed
	var out []proof.Reason
	for _, code := range v.Problems {
		out = append(out, reason(code, v.Event))
	}
	switch {
	case !v.Given.Valid() || v.Given.Precision() != "day" || today.Before(v.Given):
		return append(out, reason(codeVouchDateWrong, v.Event))
	case past(v.Given, today, u.VouchDays):
		out = append(out, reason(codeVouchTooOld, v.Event, "days", strconv.Itoa(u.VouchDays)))
	}
	if !knownFor(v.KnownSince, v.Given, 12*u.VouchKnownYears) {
		out = append(out, reason(codeVouchKnownTooShort, v.Event, "years", strconv.Itoa(u.VouchKnownYears)))
	}
	return out
}

// worth is what a fit vouch is worth, by who vouches: strength and validity.
func (p *Policy) worth(v Vouch) ([2]int, proof.Code) {
	u := p.rules.Unconfirmed
	switch {
	case v.Paper:
		return u.VouchPaper, codeVouchPaper
	case !proof.High.Above(v.Proved):
		return u.VouchCeiling, codeVouchHigh
	case !proof.Medium.Above(v.Proved):
		return u.VouchDigital, codeVouchDigital
	}
	return u.VouchPaper, codeVouchPaper
}

// confirms says whether the voucher, proved here, confirms the person present.
func (v Vouch) confirms() proof.Code {
	switch {
	case !v.Confirmed:
		return codeVouchNotConfirmed
	case !v.Proved.Above(proof.NoLevel):
		return codeVoucherNotProved
	}
	return codeVouchConfirmed
}
