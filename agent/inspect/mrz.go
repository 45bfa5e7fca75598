package inspect

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"unicode/utf8"

	"github.com/counterproof/counterproof/agent/mrz"
	"github.com/counterproof/counterproof/agent/proof"
)

// Bounds of the lines that "inspect mrz" takes: more than any zone has, so that
// a bad zone is answered, but not a file sent by mistake.
const (
	maxLines      = 8
	maxCharacters = 100 // a line
)

// mrzInput is one zone. Without a reference date, today's is taken.
type mrzInput struct {
	Lines         []string `json:"lines"`
	ReferenceDate string   `json:"reference_date"`
}

// mrzReading is what was read: a format of "?" where the lines are no zone, and
// null for checks_valid where the format has no check digits.
type mrzReading struct {
	Format         mrz.Format     `json:"format"`
	ChecksValid    *bool          `json:"checks_valid"`
	FailingChecks  []string       `json:"failing_checks"`
	Fields         map[string]any `json:"fields"`
	AutocorrectsTo []string       `json:"autocorrects_to,omitempty"`
	Problems       []string       `json:"problems"`
}

// mrzAnswer parses machine-readable zones; today settles centuries where an
// input names no date.
func mrzAnswer(today proof.Date) answerer {
	return func(in json.RawMessage) (any, error) {
		var zone mrzInput
		if err := decode(in, &zone); err != nil {
			return nil, err
		}
		if err := zone.bounded(); err != nil {
			return nil, err
		}
		ref := today
		if zone.ReferenceDate != "" {
			var err error
			if ref, err = civilDate(zone.ReferenceDate); err != nil {
				return nil, err
			}
		}
		return readZone(zone.Lines, ref), nil
	}
}

// bounded refuses an input without lines, and more than a zone can be.
func (in mrzInput) bounded() error {
	if in.Lines == nil {
		return errors.New(`"lines" is missing: it is the list of lines, top to bottom`)
	}
	if len(in.Lines) > maxLines {
		return fmt.Errorf(`"lines" has %d lines, more than %d`, len(in.Lines), maxLines)
	}
	for i, l := range in.Lines {
		if utf8.RuneCountInString(l) > maxCharacters {
			return fmt.Errorf("line %d has more than %d characters", i+1, maxCharacters)
		}
	}
	return nil
}

// civilDate reads a date as YYYY-MM-DD.
func civilDate(text string) (proof.Date, error) {
	var d proof.Date
	_, err := fmt.Sscanf(text, "%4d-%2d-%2d", &d.Year, &d.Month, &d.Day)
	if err != nil || d.String() != text || d.Precision() != "day" || !d.Valid() {
		return d, errors.New(`"reference_date" is not a date of the form YYYY-MM-DD`)
	}
	return d, nil
}

// readZone answers for one zone.
func readZone(lines []string, ref proof.Date) mrzReading {
	d := mrz.Parse(lines, ref)
	a := mrzReading{
		Format: d.Format, FailingChecks: listOf(d.FailingChecks()), Fields: d.Map(), Problems: listOf(d.Problems),
	}
	if valid, known := d.ChecksValid(); known {
		a.ChecksValid = &valid
	}
	if fixed := mrz.Repair(lines, d.Format); !slices.Equal(fixed, d.Lines) {
		a.AutocorrectsTo = fixed
	}
	return a
}

// listOf makes an empty list of none, which JSON shows as [].
func listOf(words []string) []string {
	if words == nil {
		return []string{}
	}
	return words
}
