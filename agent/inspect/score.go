package inspect

import (
	"encoding/json"
	"errors"

	"github.com/counterproof/counterproof/agent/gpg45"
	"github.com/counterproof/counterproof/agent/nhs"
	"github.com/counterproof/counterproof/agent/proof"
)

// scoreQuestion is one of three questions about scores: what they come to, what
// they lack for a profile, or what several readings come to together.
type scoreQuestion struct {
	Evidence     []pieceIn   `json:"evidence"`
	Activity     int         `json:"activity"`
	Fraud        int         `json:"fraud"`
	Verification int         `json:"verification"`
	Have         *pairScores `json:"have"`
	Profile      string      `json:"profile"`
	Pieces       []readingIn `json:"pieces"`
}

// pieceIn is a piece of evidence by its names.
type pieceIn struct {
	Strength int `json:"strength"`
	Validity int `json:"validity"`
}

// readingIn is one check's contribution; doc null is a check of no document.
type readingIn struct {
	Doc          *string `json:"doc"`
	Strength     int     `json:"strength"`
	Validity     int     `json:"validity"`
	Activity     int     `json:"activity"`
	Fraud        int     `json:"fraud"`
	Verification int     `json:"verification"`
}

// pairScores are scores with evidence as pairs of strength and validity.
type pairScores struct {
	Evidence     []pair `json:"evidence"`
	Activity     int    `json:"activity"`
	Fraud        int    `json:"fraud"`
	Verification int    `json:"verification"`
}

// pair is strength and validity.
type pair [2]int

// UnmarshalJSON takes two numbers and nothing else; encoding/json would fill up
// or cut off.
func (p *pair) UnmarshalJSON(b []byte) error {
	var numbers []int
	if err := decode(b, &numbers); err != nil {
		return err
	}
	if len(numbers) != len(p) {
		return errors.New("a piece of evidence is a pair of strength and validity")
	}
	*p = pair(numbers)
	return nil
}

// matchAnswer is what scores come to.
type matchAnswer struct {
	Confidence proof.Level `json:"confidence"`
	Best       *string     `json:"best"` // null where no profile is met
	Matching   []string    `json:"matching"`
}

// gapAnswer is what scores lack for a profile.
type gapAnswer struct {
	Missing pairScores `json:"missing"`
}

// scoreAnswer answers questions about scores by a policy.
func scoreAnswer(p *gpg45.Policy) answerer {
	return func(in json.RawMessage) (any, error) {
		var q scoreQuestion
		if err := decode(in, &q); err != nil {
			return nil, err
		}
		switch {
		case q.Have != nil:
			return gap(p, q)
		case q.Pieces != nil:
			return combine(q.Pieces)
		case q.Evidence != nil:
			return match(p, q)
		}
		return nil, errors.New(`it has none of "evidence", "have" and "pieces"`)
	}
}

// match says what scores come to.
func match(p *gpg45.Policy, q scoreQuestion) (any, error) {
	s := proof.Scores{Activity: q.Activity, Fraud: q.Fraud, Verification: q.Verification}
	for _, e := range q.Evidence {
		s.Evidence = append(s.Evidence, proof.Evidence{Strength: e.Strength, Validity: e.Validity})
	}
	r, err := p.Match(s)
	if err != nil {
		return nil, err
	}
	a := matchAnswer{Confidence: r.Level, Matching: r.Matching}
	if r.Best != "" {
		a.Best = &r.Best
	}
	return a, nil
}

// gap says what scores lack.
func gap(p *gpg45.Policy, q scoreQuestion) (any, error) {
	m, err := p.Gap(q.Have.scores(), q.Profile)
	if err != nil {
		return nil, err
	}
	a := gapAnswer{Missing: pairScores{Evidence: []pair{}, Activity: m.Activity, Fraud: m.Fraud, Verification: m.Verification}}
	for _, e := range m.Evidence {
		a.Missing.Evidence = append(a.Missing.Evidence, pair{e.Strength, e.Validity})
	}
	return a, nil
}

// combine brings readings together.
func combine(pieces []readingIn) (any, error) {
	readings := make([]gpg45.Reading, 0, len(pieces))
	for _, r := range pieces {
		doc := ""
		if r.Doc != nil {
			doc = *r.Doc
		}
		readings = append(readings, gpg45.Reading{Doc: doc, Strength: r.Strength, Validity: r.Validity,
			Activity: r.Activity, Fraud: r.Fraud, Verification: r.Verification})
	}
	s, err := gpg45.Combine(readings)
	if err != nil {
		return nil, err
	}
	a := pairScores{Evidence: []pair{}, Activity: s.Activity, Fraud: s.Fraud, Verification: s.Verification}
	for _, e := range s.Evidence {
		a.Evidence = append(a.Evidence, pair{e.Strength, e.Validity})
	}
	return a, nil
}

// scores are the pairs as scores.
func (p pairScores) scores() proof.Scores {
	s := proof.Scores{Activity: p.Activity, Fraud: p.Fraud, Verification: p.Verification}
	for _, e := range p.Evidence {
		s.Evidence = append(s.Evidence, proof.Evidence{Strength: e[0], Validity: e[1]})
	}
	return s
}

// numberIn asks about an NHS number.
type numberIn struct {
	Input *string `json:"input"`
}

// numberAnswer is what an NHS number is.
type numberAnswer struct {
	Valid      bool     `json:"valid"`
	Normalised *string  `json:"normalised"` // ten digits; null where it is not valid
	Warnings   []string `json:"warnings"`
}

// nhsNumber answers questions about NHS numbers.
func nhsNumber(in json.RawMessage) (any, error) {
	var q numberIn
	if err := decode(in, &q); err != nil {
		return nil, err
	}
	if q.Input == nil {
		return nil, errors.New(`it has no "input"`)
	}
	n, err := nhs.NormaliseNumber(*q.Input)
	a := numberAnswer{Valid: err == nil, Warnings: append([]string{}, nhs.Warnings(n, err)...)}
	if digits := string(n); err == nil {
		a.Normalised = &digits
	}
	return a, nil
}

// codeIn asks about an ODS code.
type codeIn struct {
	Code *string `json:"code"`
}

// codeAnswer is what the shape of an ODS code tells.
type codeAnswer struct {
	Code              string   `json:"code"`
	NominatedPharmacy bool     `json:"nominated_pharmacy_pattern"`
	GP                bool     `json:"pds_gp_pattern"`
	Kind              nhs.Kind `json:"kind"`
}

// odsAnswer answers questions about ODS codes by the rules of a policy.
func odsAnswer(rules nhs.Rules) answerer {
	return func(in json.RawMessage) (any, error) {
		var q codeIn
		if err := decode(in, &q); err != nil {
			return nil, err
		}
		if q.Code == nil {
			return nil, errors.New(`it has no "code"`)
		}
		o := rules.ODS(*q.Code)
		return codeAnswer{Code: o.Code, NominatedPharmacy: o.NominatedPharmacy, GP: o.GP, Kind: o.Kind}, nil
	}
}
