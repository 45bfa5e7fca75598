package pds

import (
	"cmp"
	"context"
	"errors"

	"github.com/counterproof/counterproof/agent/nhs"
)

// Try names a request that Match makes.
type Try string

// The tries, in their order. Three are made at most.
const (
	ByNumber   Try = "number"             // the record with the number that the person gave
	ByDetails  Try = "details"            // names, birth date and postcode as they are, former ones too
	ByRecipe   Try = "recipe"             // beginnings of given name and postcode: spellings and moves
	NoPostcode Try = "recipe_no_postcode" // restricted records are never found with one
)

// maxTries bounds the requests for one person.
const maxTries = 3

// Step is a try that was made and what came of it, as codes.
type Step struct {
	Try Try
	// Outcome is a nhs.Record, "different" for a record that is another person's,
	// or the Kind of a Fault.
	Outcome string
}

// stepDifferent is the outcome of a try that found somebody else.
const stepDifferent = "different"

// Result is what PDS says of a proved person.
type Result struct {
	// Record is what to go by. Nobody at a counter sees more of it than
	// nhs.Assess makes of it.
	Record     nhs.Record
	Patient    Patient    // the record found; zero where Record is none or many
	Comparison Comparison // of the claim and Patient
	Score      float64    // the service's own; 0 where Patient came by its number
	Tries      []Step

	// Why Record is nhs.Stopped; all are for reviewers alone.
	Restricted, Deceased, Invalidated bool
	// Superseded says that the number given leads to Patient's other one, which
	// replaces it.
	Superseded bool
	// OtherNumber says that Patient was found by its details and is not the
	// record of the number given. It is a partial match at best.
	OtherNumber bool
	// Odd says that the claim's name holds what no name has. Nothing was compared.
	Odd bool
}

// Match finds a person's record: by the number that the person gave if there is
// one, else and after that by the details, then by their beginnings, for records
// that may be restricted once without a postcode. It stops at the first record
// that fits and at more than one. A Fault means that PDS has not answered all
// that was asked; the Result tells how far it came, its Record is nhs.NotAsked,
// and only kind Later is worth asking again.
func (c *Client) Match(ctx context.Context, claim Claim) (Result, error) {
	var r Result
	if claim.Trace != "" && !isUUID(claim.Trace) {
		return r, &Fault{Op: "matching with PDS", Kind: Input, Err: errors.New("the trace is no UUID")}
	}
	claim.Trace = cmp.Or(claim.Trace, newUUID())
	tries := claim.attempts()
	r.Odd = spell(claim.Person.Surname).odd || spell(claim.Person.Given).odd
	for _, t := range tries {
		done, err := c.try(ctx, claim, t, &r)
		if err != nil {
			r.Record = nhs.NotAsked
			r.Tries = append(r.Tries, Step{t.try, string(KindOf(err))})
			return r, err
		}
		if done {
			return r, nil
		}
	}
	r.Record = nhs.NoMatch
	return r, nil
}

// try makes one try. It is done where the next one would not be better.
func (c *Client) try(ctx context.Context, claim Claim, t attempt, r *Result) (done bool, err error) {
	as := call{request: requestID(claim.Trace, t.try), correlation: claim.Trace, site: claim.Site}
	note := func(outcome string) { r.Tries = append(r.Tries, Step{t.try, outcome}) }
	var hit Hit
	if t.try == ByNumber {
		hit.Patient, err = c.retrieve(ctx, claim.Number, as)
		switch KindOf(err) {
		case NotFound:
			note(string(nhs.NoMatch))
			return false, nil
		case Invalidated:
			r.Record, r.Invalidated = nhs.Stopped, true
			note(string(nhs.Stopped))
			return true, nil
		}
	} else {
		var found Found
		found, err = c.search(ctx, t.query, as)
		if record := found.Record(); err == nil && (record == nhs.Many || record == nhs.NoMatch) {
			r.Record = record
			note(string(record))
			return record == nhs.Many, nil
		}
		if err == nil {
			hit = found.Hits[0]
		}
	}
	if err != nil {
		return false, err
	}
	settled, fits := judge(claim, t, hit)
	if !fits {
		note(stepDifferent)
		return false, nil
	}
	settled.Tries, settled.Odd = r.Tries, r.Odd
	*r = settled
	note(string(r.Record))
	return true, nil
}

// attempt is a try and what it asks for.
type attempt struct {
	try   Try
	query Query // of a search
	cut   bool  // the family name is asked for by its beginning
}

// attempts plans what is asked for a claim. A name that is none, or no year of
// birth, leaves nothing to ask for: a record that cannot be compared is not
// fetched either.
//
// Only the first given name is asked for, as many records have no other; the
// comparison looks at all of them. Gender is never asked for: the one that is
// held may not be the one that a person goes by.
func (c Claim) attempts() []attempt {
	family, given := asked(c.Person.Surname), asked(c.Person.Given)
	if c.Person.Birth.Year == 0 || spell(c.Person.Surname).odd || spell(c.Person.Given).odd || family == "" {
		return nil
	}
	var all []attempt
	if c.Number != "" {
		all = append(all, attempt{try: ByNumber})
	}
	q := Query{Birth: spanOf(c.Person.Birth), History: true, Max: 1}
	details, recipe := attempt{try: ByDetails, query: q}, attempt{try: ByRecipe, query: q}
	details.query.Family, details.cut = held(family)
	recipe.query.Family, recipe.cut = details.query.Family, details.cut
	if c.cut() && !recipe.cut {
		recipe.query.Family, recipe.cut = begins(family, len(family)), true
	}
	if first := firstWord(given); first != "" {
		whole, _ := held(first)
		details.query.Given, recipe.query.Given = []string{whole}, []string{begins(first, prefixLetters)}
	}
	if p, ok := readPostcode(c.Postcode); ok {
		details.query.Postcode = p.outward + " " + p.inward
		recipe.query.Postcode = begins(p.outward+p.inward, 2)
	}
	all = append(all, details, recipe)
	if recipe.query.Postcode != "" {
		recipe.try, recipe.query.Postcode = NoPostcode, ""
		all = append(all, recipe)
	}
	return all[:min(len(all), maxTries)]
}

// judge compares a record with the claim and says what a hit comes to. fits is
// false where it is another person's record. Exact needs both the comparison and
// the service to say so, and stopping comes before either: whether the rest
// agrees is not for a counter to learn.
func judge(claim Claim, t attempt, hit Hit) (r Result, fits bool) {
	p := hit.Patient
	r = Result{
		Patient: p, Comparison: Compare(claim, p), Score: hit.Score,
		Restricted: p.Restricted, Deceased: p.Deceased, Invalidated: p.Invalidated,
	}
	other := claim.Number != "" && p.Number != claim.Number
	r.Superseded, r.OtherNumber = other && t.try == ByNumber, other && t.try != ByNumber
	switch v := r.Comparison.Verdict(); {
	case v == Different && !formerName(t, r.Comparison):
		return Result{}, false
	case p.Stops():
		r.Record = nhs.Stopped
	case v == Equal && !r.OtherNumber && (t.try == ByNumber || hit.Score == 1):
		r.Record = nhs.OneExact
	default:
		r.Record = nhs.OnePartial
	}
	return r, true
}

// formerName reports a record that the service found by a name which it does not
// show any more. Its word counts for the name that it was asked for in full, and
// only if the rest agrees. A given name that was asked for by its beginning has
// to agree here too: twins share family name, birth date and postcode.
func formerName(t attempt, c Comparison) bool {
	agrees := func(v Verdict) bool { return v == Equal || v == Partial }
	switch {
	case c.Odd || !agrees(c.Birth):
		return false
	case t.try == ByDetails && agrees(c.Family):
		return true
	}
	return t.try != ByNumber && !t.cut && agrees(c.Given)
}
