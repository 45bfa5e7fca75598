package gpg45

import (
	"bytes"
	"cmp"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/counterproof/counterproof/agent/nhs"
	"github.com/counterproof/counterproof/agent/proof"
)

// Default is the version of the policy that a counter uses unless its
// configuration names another.
const Default = "gpg45-0.4"

// files holds the policies that come with the program, one file a version.
//
//go:embed policy/*.json
var files embed.FS

// maxPolicy bounds a policy file, in bytes.
const maxPolicy = 1 << 20

// Policy is one version of the rules. It never changes once parsed.
type Policy struct {
	version  string
	profiles []Profile // best first
	types    map[proof.EvidenceType]TypeInfo
	features map[string][]string
	rules    policyFile
}

// policyFile is the policy as it is written. Keys that it does not know are
// refused, so that a setting is never misspelt in silence.
type policyFile struct {
	Version     string              `json:"policy_version"`
	About       string              `json:"about"`
	Profiles    []profileLine       `json:"profiles"`
	Types       []TypeInfo          `json:"evidence_types"`
	FeatureSets map[string][]string `json:"feature_sets"`
	// UnknownType is what evidence of a type that is not listed counts as.
	UnknownType proof.EvidenceType   `json:"unknown_type"`
	NotEvidence []proof.EvidenceType `json:"not_evidence"`
	Validity    validityRules        `json:"validity"`
	Verifying   verificationRules    `json:"verification"`
	OneLogin    map[string][]string  `json:"one_login"`
	NHS         nhs.Rules            `json:"nhs"`
	Unconfirmed Unconfirmed          `json:"unconfirmed"`
}

// profileLine is a profile as it is written.
type profileLine struct {
	Name         string      `json:"name"`
	Level        proof.Level `json:"level"`
	Evidence     [][2]int    `json:"evidence"` // strength, validity
	Activity     int         `json:"activity"`
	Fraud        int         `json:"fraud"`
	Verification int         `json:"verification"`
}

// TypeInfo is what the policy says of one kind of evidence.
type TypeInfo struct {
	Type     proof.EvidenceType `json:"type"`
	Strength int                `json:"strength"` // 1–4; 0 of what is no evidence, or is worth what its checks say
	// Family is the document type for counting pieces; types of one family are
	// one piece. In the file, empty is the type itself.
	Family    string             `json:"family"`
	Form      proof.Form         `json:"form"`       // how its details come in; in the file, empty is by field
	Photo     bool               `json:"photo"`      // carries a photograph of the holder
	Expires   bool               `json:"expires"`    // is in date only if its expiry was read
	Chip      proof.EvidenceType `json:"chip"`       // what it becomes when its chip proved genuine
	NeedsChip bool               `json:"needs_chip"` // is this type only with its chip proved genuine
	Refused   bool               `json:"refused"`    // readable, but no evidence here
	Features  string             `json:"features"`   // feature set for its examination, "" for none
}

// validityRules say what a check of a piece is worth. Months are counted to
// the day; 0 days of grace is none.
type validityRules struct {
	ReadingSources     []proof.Source             `json:"reading_sources"` // readings that show an original by themselves
	GraceDays          int                        `json:"grace_days"`      // after expiry
	GraceByType        map[proof.EvidenceType]int `json:"grace_days_by_type"`
	ExaminedMonths     int                        `json:"examined_months"`   // training age for ordinary light
	ExaminedFeatures   int                        `json:"examined_features"` // different features that must be seen
	TemplateMonths     int                        `json:"template_months"`
	UVIRMonths         int                        `json:"uvir_months"`
	UVIRTemplateMonths int                        `json:"uvir_template_months"`
}

// verificationRules say what a comparison of person and photo is worth.
type verificationRules struct {
	NeedsValidity  int `json:"needs_validity"` // of the document with the photo
	ComparedMonths int `json:"compared_months"`
	ComparedScore  int `json:"compared_score"`
	RecentMonths   int `json:"recent_months"`
	RecentScore    int `json:"recent_score"`
	RemoteScore    int `json:"remote_score"` // at most, for a comparison by remote picture
}

// Policies lists the versions that come with the program, in order.
func Policies() ([]string, error) {
	entries, err := files.ReadDir("policy")
	if err != nil {
		return nil, fmt.Errorf("listing policies: %w", err)
	}
	versions := make([]string, 0, len(entries))
	for _, e := range entries {
		versions = append(versions, strings.TrimSuffix(e.Name(), ".json"))
	}
	return versions, nil
}

// Load reads a policy that comes with the program; "" is Default.
func Load(version string) (*Policy, error) {
	version = cmp.Or(version, Default)
	versions, err := Policies()
	if err != nil {
		return nil, err
	}
	if !slices.Contains(versions, version) {
		return nil, fmt.Errorf("policy %.40q does not come with this program, which has %s", version, strings.Join(versions, ", "))
	}
	text, err := files.ReadFile("policy/" + version + ".json")
	if err != nil {
		return nil, fmt.Errorf("reading policy %s: %w", version, err)
	}
	p, err := Parse(text)
	if err != nil {
		return nil, err
	}
	if p.version != version {
		return nil, fmt.Errorf("policy %s calls itself %s", version, p.version)
	}
	return p, nil
}

// Parse reads and checks a policy file, such as one that an administrator
// dropped in beside those of the program. A file that could overstate a level
// is refused.
func Parse(text []byte) (*Policy, error) {
	if len(text) > maxPolicy {
		return nil, fmt.Errorf("reading a policy: it is longer than %d bytes", maxPolicy)
	}
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	var f policyFile
	if err := dec.Decode(&f); err != nil {
		return nil, fmt.Errorf("reading a policy: %w", err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("reading a policy: there is text after its end")
	}
	if err := f.check(); err != nil {
		return nil, fmt.Errorf("policy %.40q: %w", f.Version, err)
	}
	return f.policy(), nil
}

// policy makes the policy of a checked file.
func (f policyFile) policy() *Policy {
	p := &Policy{version: f.Version, features: f.FeatureSets, rules: f, types: map[proof.EvidenceType]TypeInfo{}}
	for _, t := range f.Types {
		t.Family, t.Form = cmp.Or(t.Family, string(t.Type)), cmp.Or(t.Form, proof.ByField)
		p.types[t.Type] = t
	}
	for _, line := range f.Profiles {
		p.profiles = append(p.profiles, line.profile())
	}
	slices.SortFunc(p.profiles, func(a, b Profile) int {
		switch {
		case a.Level.Above(b.Level):
			return -1
		case b.Level.Above(a.Level):
			return 1
		}
		return cmp.Or(len(a.Evidence)-len(b.Evidence), strings.Compare(a.Name, b.Name))
	})
	return p
}

// profile is the line as a Profile.
func (l profileLine) profile() Profile {
	p := Profile{Name: l.Name, Level: l.Level, Activity: l.Activity, Fraud: l.Fraud, Verification: l.Verification}
	for _, e := range l.Evidence {
		p.Evidence = append(p.Evidence, Slot{e[0], e[1]})
	}
	return p
}

// Version is the policy's version, which every record is stamped with.
func (p *Policy) Version() string { return p.version }

// Profiles lists the profiles, best first.
func (p *Policy) Profiles() []Profile {
	out := slices.Clone(p.profiles)
	for i := range out {
		out[i].Evidence = slices.Clone(out[i].Evidence)
	}
	return out
}

// Types lists the kinds of evidence, in alphabetical order.
func (p *Policy) Types() []proof.EvidenceType { return slices.Sorted(maps.Keys(p.types)) }

// Type is what the policy says of a kind of evidence. One that is not listed
// counts as the unknown type; what is no evidence at all is refused here too.
func (p *Policy) Type(t proof.EvidenceType) TypeInfo {
	if slices.Contains(p.rules.NotEvidence, t) {
		return TypeInfo{Type: t, Family: string(t), Form: proof.ByField, Refused: true}
	}
	return p.known(t)
}

// Months are how many months ago an operator may have been trained for a check
// to count.
type Months struct {
	Examined int // features in ordinary light
	UVIR     int // examination under ultraviolet and infrared
	Compared int // person and photo
	Recent   int // the same, for the higher score
}

// Months are the ages of training that the policy allows.
func (p *Policy) Months() Months {
	v, w := p.rules.Validity, p.rules.Verifying
	return Months{Examined: v.ExaminedMonths, UVIR: v.UVIRMonths, Compared: w.ComparedMonths, Recent: w.RecentMonths}
}

// Features lists the security features that an operator may tick for a kind of
// evidence; none where nothing but its details can be examined.
func (p *Policy) Features(t proof.EvidenceType) []string {
	return slices.Clone(p.features[p.known(t).Features])
}

// OneLogin is the level of confidence that GOV.UK One Login gives a profile
// (P1, P2, P3), "" for the profiles that it does not accept.
func (p *Policy) OneLogin(profile string) string {
	for level, profiles := range p.rules.OneLogin {
		if slices.Contains(profiles, profile) {
			return level
		}
	}
	return ""
}

// NHS are the thresholds of NHS levels.
func (p *Policy) NHS() nhs.Rules {
	r := p.rules.NHS
	r.NoPracticeCodes = slices.Clone(r.NoPracticeCodes)
	return r
}

// known is what the policy says of a kind of evidence, listed or not.
func (p *Policy) known(t proof.EvidenceType) TypeInfo {
	if known, ok := p.types[t]; ok {
		return known
	}
	return p.types[p.rules.UnknownType]
}

// level is the level of a profile.
func (p *Policy) level(profile string) proof.Level {
	i := slices.IndexFunc(p.profiles, func(q Profile) bool { return q.Name == profile })
	if i < 0 {
		return proof.NoLevel
	}
	return p.profiles[i].Level
}
