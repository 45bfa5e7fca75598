package gpg45

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/counterproof/counterproof/agent/proof"
)

// Bounds of a policy file.
const (
	maxProfiles = 200
	maxSlots    = 6
	maxTypes    = 200
	maxFeatures = 40
	maxMonths   = 120
	maxGrace    = 3650 // days
)

// check refuses a policy that is incomplete, contradicts itself or gives a
// level for less than a lower one.
func (f policyFile) check() error {
	if !word(f.Version, "abcdefghijklmnopqrstuvwxyz0123456789.-") {
		return errors.New("policy_version is not a short word of lower-case letters, digits, dots and hyphens")
	}
	for _, check := range []func() error{
		f.checkProfiles, f.checkOrder, f.checkFeatures, f.checkTypes, f.checkNumbers, f.checkRest,
	} {
		if err := check(); err != nil {
			return err
		}
	}
	return nil
}

// word reports a short word of given letters.
func word(s, letters string) bool {
	return s != "" && len(s) <= 40 && strings.Trim(s, letters) == ""
}

// code reports a code as this file writes them.
func code(s string) bool { return word(s, "abcdefghijklmnopqrstuvwxyz0123456789_") }

// checkProfiles checks every profile by itself.
func (f policyFile) checkProfiles() error {
	if len(f.Profiles) == 0 || len(f.Profiles) > maxProfiles {
		return fmt.Errorf("it has %d profiles, not 1 to %d", len(f.Profiles), maxProfiles)
	}
	seen := map[string]bool{}
	for _, p := range f.Profiles {
		if !word(p.Name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") || seen[p.Name] {
			return fmt.Errorf("profile %.40q has no name of its own", p.Name)
		}
		seen[p.Name] = true
		if err := p.check(); err != nil {
			return fmt.Errorf("profile %s: %w", p.Name, err)
		}
	}
	return nil
}

// check checks one profile: a level, evidence, and minimums that exist.
func (l profileLine) check() error {
	if !l.Level.Above(proof.NoLevel) {
		return fmt.Errorf("%.40q is not a level", l.Level)
	}
	if len(l.Evidence) == 0 || len(l.Evidence) > maxSlots {
		return fmt.Errorf("it asks for %d pieces of evidence, not 1 to %d", len(l.Evidence), maxSlots)
	}
	if slices.ContainsFunc(l.Evidence, func(e [2]int) bool { return e[1] < 1 }) {
		return errors.New("it takes evidence that was not checked")
	}
	return inRange(l.minimum())
}

// minimum is the scores that just meet the profile.
func (l profileLine) minimum() proof.Scores {
	s := proof.Scores{Activity: l.Activity, Fraud: l.Fraud, Verification: l.Verification}
	for _, e := range l.Evidence {
		s.Evidence = append(s.Evidence, proof.Evidence{Strength: e[0], Validity: e[1]})
	}
	return s
}

// checkOrder refuses a profile whose minimum meets one of a higher level: one
// of the two lines is wrong, and the error would overstate.
func (f policyFile) checkOrder() error {
	for _, low := range f.Profiles {
		for _, high := range f.Profiles {
			if high.Level.Above(low.Level) && high.profile().met(low.minimum()) {
				return fmt.Errorf("profile %s asks for no more than %s of a lower level", high.Name, low.Name)
			}
		}
	}
	return nil
}

// checkFeatures checks the sets of security features.
func (f policyFile) checkFeatures() error {
	for name, set := range f.FeatureSets {
		if !code(name) || len(set) == 0 || len(set) > maxFeatures {
			return fmt.Errorf("feature set %.40q is empty, too long or has no name", name)
		}
		for i, feature := range set {
			if !code(feature) || slices.Contains(set[:i], feature) {
				return fmt.Errorf("feature set %s: %.40q is no feature, or twice there", name, feature)
			}
		}
	}
	return nil
}

// checkTypes checks the kinds of evidence and what refers to them.
func (f policyFile) checkTypes() error {
	if len(f.Types) > maxTypes {
		return fmt.Errorf("it has more than %d evidence types", maxTypes)
	}
	strength := map[proof.EvidenceType]int{}
	for _, t := range f.Types {
		if _, twice := strength[t.Type]; twice || !code(string(t.Type)) {
			return fmt.Errorf("evidence type %.40q has no code of its own", t.Type)
		}
		if err := t.check(); err != nil {
			return fmt.Errorf("evidence type %s: %w", t.Type, err)
		}
		if _, known := f.FeatureSets[t.Features]; t.Features != "" && !known {
			return fmt.Errorf("evidence type %s: there is no feature set %.40q", t.Type, t.Features)
		}
		strength[t.Type] = t.Strength
	}
	for _, t := range f.Types {
		if t.Chip != "" && strength[t.Chip] < t.Strength {
			return fmt.Errorf("evidence type %s: its chip type %.40q is weaker or not there", t.Type, t.Chip)
		}
	}
	if strength[f.UnknownType] != 1 {
		return errors.New("unknown_type is not an evidence type of strength 1")
	}
	return nil
}

// check checks one kind of evidence by itself. A vouch has no strength of its
// own: that is told by who vouches.
func (t TypeInfo) check() error {
	vouch := t.Form == proof.ByVouch
	switch {
	case vouch != (t.Type == proof.Vouch):
		return errors.New("a vouch, and nothing else, is declared")
	case vouch && (t.Strength != 0 || t.Photo):
		return errors.New("a vouch has neither strength nor photo here")
	case !slices.Contains([]proof.Form{"", proof.ByField, proof.ByZone, proof.ByVouch}, t.Form):
		return fmt.Errorf("form %.20q is not known", t.Form)
	case !vouch && (t.Strength < 1 || t.Strength > maxStrength):
		return fmt.Errorf("strength is %d, not 1 to %d", t.Strength, maxStrength)
	}
	return nil
}

// bound is a number of the file and the range that it must be in.
type bound struct {
	key          string
	got, low, up int
}

// checkNumbers checks the settings that are numbers. Where one bounds another,
// so that a comparison by remote picture is never worth more than one in
// person, nor a vouch on paper more than that of a voucher proved here, the
// range is the other's.
func (f policyFile) checkNumbers() error {
	v, w, u := f.Validity, f.Verifying, f.Unconfirmed
	bounds := []bound{
		{"examined_months", v.ExaminedMonths, 1, maxMonths},
		{"template_months", v.TemplateMonths, 1, maxMonths},
		{"uvir_months", v.UVIRMonths, 1, maxMonths},
		{"uvir_template_months", v.UVIRTemplateMonths, 1, maxMonths},
		{"examined_features", v.ExaminedFeatures, 1, maxFeatures},
		{"grace_days", v.GraceDays, 0, maxGrace},
		{"needs_validity", w.NeedsValidity, 1, maxValidity},
		{"compared_months", w.ComparedMonths, 1, maxMonths},
		{"recent_months", w.RecentMonths, 1, w.ComparedMonths},
		{"recent_score", w.RecentScore, 0, maxVerification},
		{"compared_score", w.ComparedScore, 0, w.RecentScore},
		{"remote_score", w.RemoteScore, 0, w.RecentScore},
		{"vouch_verification", u.VouchVerification, 0, maxVerification},
		{"vouch_activity", u.VouchActivity, 0, maxActivity},
		{"vouch_known_years", u.VouchKnownYears, 0, 100},
		{"vouch_days", u.VouchDays, 0, maxGrace},
		{"vouches_a_month", u.VouchesAMonth, 0, 1000},
	}
	for t, days := range v.GraceByType {
		bounds = append(bounds, bound{"grace_days_by_type of " + string(t), days, 0, maxGrace})
	}
	least := [2]int{1, 0}
	for _, vouch := range [][2]int{u.VouchPaper, u.VouchDigital, u.VouchCeiling} {
		bounds = append(bounds, bound{"strength of a vouch", vouch[0], least[0], maxStrength}, bound{"validity of a vouch", vouch[1], least[1], maxValidity})
		least = vouch
	}
	for _, b := range bounds {
		if b.got < b.low || b.got > b.up {
			return fmt.Errorf("%.60q is %d, not %d to %d", b.key, b.got, b.low, b.up)
		}
	}
	return nil
}

// checkRest checks what other parts of the program take from the file.
func (f policyFile) checkRest() error {
	for level, profiles := range f.OneLogin {
		for _, name := range profiles {
			if !slices.ContainsFunc(f.Profiles, func(p profileLine) bool { return p.Name == name }) {
				return fmt.Errorf("one_login %.40q: there is no profile %.40q", level, name)
			}
		}
	}
	if months := f.Unconfirmed.ActivityMonths; months[0] < 1 || !slices.IsSorted(months[:]) {
		return errors.New("activity_months do not grow")
	}
	if err := f.NHS.Validate(); err != nil {
		return fmt.Errorf("nhs: %w", err)
	}
	return nil
}
