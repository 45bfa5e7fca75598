package gpg45

import (
	"slices"
	"strconv"

	"github.com/counterproof/counterproof/agent/proof"
)

// Assessment is what the facts of a visit come to, with every score explained.
type Assessment struct {
	Scores   proof.Scores
	Level    proof.Level
	Profile  string // best profile met, "" where none is or the level is withheld
	Computed string // best profile met where the level is withheld
	Matching []string
	// Provisional says that outside sources were not asked yet; they may raise
	// the level or withhold it.
	Provisional bool
	Hold        []proof.Code // why people look first; a level is withheld while there are any
	Checks      []proof.Check
	Reasons     []proof.Reason
	Policy      string
}

// finding is what checks of one thing found.
type finding struct {
	score   int
	checks  []proof.Check
	reasons []proof.Reason
	hold    []proof.Code
}

// because adds a reason.
func (f *finding) because(code proof.Code, event int, params ...string) {
	f.reasons = append(f.reasons, reason(code, event, params...))
}

// checked adds a check that was made.
func (f *finding) checked(c proof.Check) { f.checks = append(f.checks, c) }

// conclude adds the check that settles a score, with its reason.
func (f *finding) conclude(c proof.Check, params ...string) {
	f.score = c.Score
	f.because(c.Reason, c.Event, append(params, "score", strconv.Itoa(c.Score))...)
	f.checked(c)
}

// withhold adds a reason for people to look first.
func (f *finding) withhold(code proof.Code) {
	if !slices.Contains(f.hold, code) {
		f.hold = append(f.hold, code)
	}
}

// reason makes a reason; params are names and values in turn.
func reason(code proof.Code, event int, params ...string) proof.Reason {
	r := proof.Reason{Code: code, Event: event}
	for i := 0; i+1 < len(params); i += 2 {
		if r.Params == nil {
			r.Params = map[string]string{}
		}
		r.Params[params[i]] = params[i+1]
	}
	return r
}

// Assess scores the facts, finds the profiles they meet and explains both. It
// refuses facts that no visit can have.
func (p *Policy) Assess(f Facts) (Assessment, error) {
	if err := f.check(); err != nil {
		return Assessment{}, err
	}
	scores, found := p.score(f)
	r, err := p.Match(scores)
	if err != nil {
		return Assessment{}, err
	}
	a := Assessment{Scores: scores, Level: r.Level, Profile: r.Best, Matching: r.Matching,
		Provisional: f.Sources == nil, Hold: found.hold, Checks: append([]proof.Check{}, found.checks...), Policy: p.version}
	a.Reasons = append([]proof.Reason{outcome(r)}, found.reasons...)
	if len(found.hold) > 0 {
		a.Level, a.Profile, a.Computed = proof.NoLevel, "", r.Best
		a.Reasons[0] = reason(codeLevelWithheld, 0, "policy", p.version)
	}
	return a, nil
}

// outcome is the reason that says what the scores come to.
func outcome(r Result) proof.Reason {
	if r.Best == "" {
		return reason(codeNoProfileMet, 0, "policy", r.Policy)
	}
	return reason(codeProfileMet, 0, "profile", r.Best, "level", string(r.Level), "policy", r.Policy)
}

// score makes the five parts of the facts.
func (p *Policy) score(f Facts) (proof.Scores, finding) {
	t := tally{scores: proof.Scores{Evidence: []proof.Evidence{}}}
	for _, d := range f.Documents {
		kind, ok := p.counts(d, &t.found)
		if !ok {
			continue
		}
		validity := p.validity(d, kind, f)
		verification := p.verification(d, kind, f.Today, validity.score)
		t.found.join(validity, verification)
		t.scores.Verification = max(t.scores.Verification, verification.score)
		t.piece(kind.Family, d.Event, proof.Evidence{Type: kind.Type, Strength: kind.Strength, Validity: validity.score})
	}
	for _, v := range f.Vouches {
		p.vouch(v, f.Today, &t)
	}
	switch {
	case len(f.Documents)+len(f.Vouches) == 0:
		t.found.because(codeNoEvidence, 0)
	case t.scores.Verification == 0 && !slices.ContainsFunc(f.Documents, func(d Document) bool { return d.Person != nil }):
		t.found.because(proof.FaceNotCompared, 0)
	}
	t.sourced(f.Sources)
	return t.scores, t.found
}

// tally is the scores so far, with what was found.
type tally struct {
	scores   proof.Scores
	found    finding
	families []string // of the pieces, in their order
}

// piece counts a piece of evidence: one for each family, the best.
func (t *tally) piece(family string, event int, e proof.Evidence) {
	i := slices.Index(t.families, family)
	if i < 0 {
		t.families = append(t.families, family)
		t.scores.Evidence = append(t.scores.Evidence, e)
		return
	}
	t.found.because(codeSameTypeOnce, event, "type", string(e.Type))
	if better(e, t.scores.Evidence[i]) {
		t.scores.Evidence[i] = e
	}
}

// join takes over what was found.
func (f *finding) join(others ...finding) {
	for _, o := range others {
		f.checks = append(f.checks, o.checks...)
		f.reasons = append(f.reasons, o.reasons...)
		for _, code := range o.hold {
			f.withhold(code)
		}
	}
}

// counts says as what kind of evidence a document counts, if it does. A type
// with a chip is that type only once the chip has proved genuine.
func (p *Policy) counts(d Document, found *finding) (TypeInfo, bool) {
	if slices.Contains(p.rules.NotEvidence, d.Type) {
		found.because(codeTypeNotEvidence, d.Event, "type", string(d.Type))
		return TypeInfo{}, false
	}
	t := p.known(d.Type)
	switch {
	case t.Form == proof.ByVouch:
		found.because(codeVouchNoDocument, d.Event)
		return TypeInfo{}, false
	case t.Refused:
		found.because(codeTypeRefused, d.Event, "type", string(d.Type))
		return TypeInfo{}, false
	case t.NeedsChip && !d.Chip.genuine():
		t = p.withoutChip(t.Type)
	case t.Chip != "" && d.Chip.genuine():
		t = p.types[t.Chip]
	}
	strength := strconv.Itoa(t.Strength)
	switch {
	case t.Chip != "":
		found.because(codeStrengthChipNotRead, d.Event, "type", string(t.Type), "strength", strength)
	case t.Type == p.rules.UnknownType:
		found.because(codeStrengthOther, d.Event, "strength", strength)
	default:
		found.because(codeStrengthOfType, d.Event, "type", string(t.Type), "strength", strength)
	}
	return t, true
}

// withoutChip is what a type with a chip counts as when its chip proves
// nothing.
func (p *Policy) withoutChip(chip proof.EvidenceType) TypeInfo {
	for _, t := range p.types {
		if t.Chip == chip {
			return t
		}
	}
	return p.types[p.rules.UnknownType]
}

// sourced counts what the outside sources said. A hit leaves nothing of the
// fraud check.
func (t *tally) sourced(s *Sources) {
	f := &t.found
	if s == nil {
		if t.scores.Activity == 0 {
			f.because(codeActivityNotChecked, 0)
		}
		f.because(codeFraudNotChecked, 0)
		return
	}
	fraud := s.Fraud
	if len(s.Hits) > 0 {
		fraud = 0
		f.because(codeFraudHit, s.Event)
	}
	for _, hit := range s.Hits {
		f.withhold(hit)
	}
	c := proof.Check{Method: proof.RecordData, By: proof.Actor{Kind: proof.ByRemote}, Event: s.Event}
	c.Part, c.Score, c.Reason = "activity", s.Activity, codeActivityFromSources
	f.conclude(c)
	c.Part, c.Score, c.Reason = "fraud", fraud, codeFraudFromSources
	f.conclude(c)
	t.scores.Activity, t.scores.Fraud = max(t.scores.Activity, s.Activity), fraud
}
