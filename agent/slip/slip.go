// Package slip says what the patient takes home, as data: which lines, how
// large, in the patient's language. Package print turns it into what a printer
// takes.
//
// It also lays out the record of who did what, which a clerk may print.
//
// A slip never carries a patient's name, a number of a document or a date of birth, since
// slips are lost in car parks. It never says why a check was doubtful.
//
// # The laws
//
//   - The reference is on every patient's slip, large, and by itself; it is all that is
//     needed to come back.
//   - A claim token is a secret of the patient: the slip that carries it says so,
//     and no other paper has it.
//   - A training slip says so first.
//   - A level is called what it is, and that it is provisional.
//   - Lines fit 42 characters, the width of an 80 mm receipt.
package slip

import (
	"strings"
	"time"
	"unicode/utf8"

	"github.com/counterproof/counterproof/agent/proof"
)

// Width is the number of characters that a line may have.
const Width = 42

// Style is how a line looks.
type Style string

// The styles.
const (
	Plain Style = "plain"
	Head  Style = "head" // larger
	Big   Style = "big"  // the reference, twice as large, alone on its line
	Rule  Style = "rule" // a line across; it has no text
	Space Style = "space"
)

// Line is one line of a slip.
type Line struct {
	Style Style
	Text  string
}

// Facts are what a slip is made from.
type Facts struct {
	Outcome  proof.Outcome
	Ref      proof.Ref
	Site     string    // where the visit was
	At       time.Time // when, in local time
	Language string    // BCP 47; what has no catalogue here is English
	Training bool
	// Token is a claim token for the patient, "" for none, and its last day.
	Token string
	Until proof.Date
}

// Make writes the slip.
func Make(f Facts) []Line {
	w := wordsOf(f.Language)
	b := builder{}
	b.add(Head, w.title)
	if f.Training {
		b.add(Head, w.training)
	}
	b.line(Rule)
	b.wrap(w.result[f.Outcome.Result])
	if f.Outcome.Result == proof.Proved {
		b.wrap(w.level + " " + w.levels[f.Outcome.Level] + " (" + f.Outcome.Profile + ")")
		if f.Outcome.Provisional {
			b.wrap(w.provisional)
		}
	}
	b.line(Space)
	b.add(Plain, w.reference)
	b.add(Big, string(f.Ref))
	b.line(Space)
	for _, next := range w.next[f.Outcome.Result] {
		b.wrap(next)
	}
	b.wrap(w.keep)
	if f.Token != "" {
		b.line(Space)
		b.wrap(w.token)
		b.add(Big, f.Token)
		b.wrap(w.tokenUse)
		b.wrap(w.until + " " + f.Until.String())
	}
	b.line(Rule)
	b.wrap(w.site + " " + f.Site)
	b.wrap(w.date + " " + f.At.Format("02/01/2006 15:04"))
	return b.lines
}

// Text is the slip as plain lines.
func Text(lines []Line) []string {
	out := make([]string, 0, len(lines))
	for _, l := range lines {
		switch l.Style {
		case Rule:
			out = append(out, strings.Repeat("-", Width))
		default:
			out = append(out, l.Text)
		}
	}
	return out
}

// builder collects lines.
type builder struct{ lines []Line }

// add appends a text in a style, wrapped to the width of that style.
func (b *builder) add(s Style, text string) {
	width := Width
	if s == Head || s == Big {
		width = Width / 2
	}
	for _, l := range wrap(text, width) {
		b.lines = append(b.lines, Line{s, l})
	}
}

func (b *builder) line(s Style) { b.lines = append(b.lines, Line{Style: s}) }

func (b *builder) wrap(text string) { b.add(Plain, text) }

// wrap breaks a text between words; a word longer than the width is cut.
func wrap(text string, width int) []string {
	var lines []string
	line := ""
	push := func() {
		if line != "" {
			lines, line = append(lines, line), ""
		}
	}
	for _, word := range strings.Fields(text) {
		if line != "" && utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) > width {
			push()
		}
		for utf8.RuneCountInString(word) > width {
			r := []rune(word)
			lines, word = append(lines, string(r[:width])), string(r[width:])
		}
		line = strings.TrimSpace(line + " " + word)
	}
	push()
	return lines
}
