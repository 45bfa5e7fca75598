// Package letter writes the letter for a patient who has neither telephone nor
// e-mail: what has become of a visit, in the patient's language and, on wish, in
// large print. It is a PDF of small pages, as the slip is.
//
// It decides nothing, keeps nothing and posts nothing: whoever posts it knows
// where to.
//
// # The laws
//
//   - It names the patient, since a letter must, and the reference; no birth
//     date, no number, no document, no address beyond the postcode that was
//     given, and no reason.
//   - It says no more than the news to the counter says.
//   - Large print is large throughout.
//   - The same facts give the same bytes.
package letter

import (
	"cmp"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/counterproof/counterproof/agent/print"
	"github.com/counterproof/counterproof/agent/proof"
	"github.com/counterproof/counterproof/agent/route"
	"github.com/counterproof/counterproof/agent/slip"
	"github.com/counterproof/counterproof/sync/wire"
)

// Facts are what a letter is made from.
type Facts struct {
	Ref      wire.Ref
	Person   proof.Person
	Postcode string            // as the patient gave it; "" if not
	News     []wire.NoticeKind // in the order in which it came; what no letter tells is left out
	At       time.Time         // in local time
	Language string            // BCP 47; what has no catalogue here is English
	Large    bool              // large print
	Training bool
}

// Widths of lines, in characters: those that fit the page in the size of a style.
const (
	widthPlain = slip.Width
	widthHead  = slip.Width / 2
	widthLarge = 16 // at 24 points, about twice what is called large print
)

// maxName bounds a name, in characters: what a record says is hostile.
const maxName = 80

// Wishes that a letter goes by (the codes of proof.PreferencesGiven).
const (
	byLetter proof.Code = "letter"
	inLarge  proof.Code = "large_print"
)

// For is what a letter about a visit is made from, without its reference, its
// day and the postcode. False where none is written: the patient gave telephone
// or e-mail and did not wish for letters, nobody is known, or nothing that was
// told is for a letter.
func For(s route.State, told []wire.NoticeKind) (Facts, bool) {
	prefs := proof.PreferencesGiven{}
	if s.Preferences != nil {
		prefs = *s.Preferences
	}
	f := Facts{
		Person: s.Claimed(), Language: cmp.Or(prefs.Language, s.Visit.Language), Large: prefs.Written == inLarge, Training: s.Visit.Training,
	}
	for _, k := range told {
		if Tells(k) {
			f.News = append(f.News, k)
		}
	}
	reached := (prefs.Email != "" || prefs.Mobile != "") && prefs.Contact != byLetter
	return f, !reached && f.Person.Surname.Key != "" && len(f.News) > 0
}

// Tells reports whether a letter tells of a kind of news, so that one is worth
// writing.
func Tells(k wire.NoticeKind) bool {
	_, told := english.news[k]
	return told
}

// Lines lays the letter out.
func Lines(f Facts) []slip.Line {
	w := english
	if tag, _, _ := strings.Cut(strings.ToLower(f.Language), "-"); tag == "cy" {
		w = welsh
	}
	p := page{large: f.Large}
	p.add(slip.Head, w.title)
	if f.Training {
		p.add(slip.Head, w.training)
	}
	p.gap()
	p.add(slip.Plain, named(f.Person))
	p.add(slip.Plain, printable(f.Postcode))
	p.gap()
	p.add(slip.Plain, f.At.Format("02/01/2006"))
	p.lines = append(p.lines, slip.Line{Style: slip.Rule})
	p.add(slip.Plain, w.reference)
	p.add(slip.Big, string(f.Ref))
	for _, k := range standing(f.News) {
		if text, told := w.news[k]; told {
			p.gap()
			p.add(slip.Plain, text)
		}
	}
	p.gap()
	p.add(slip.Plain, w.close)
	return p.lines
}

// groups are the kinds of news of which a later one takes an earlier one's place.
var groups = [][]wire.NoticeKind{
	{wire.NoticeFinalRaised, wire.NoticeFinalKept, wire.NoticeFinalLowered},
	{wire.NoticeNHSP9, wire.NoticeNHSP5, wire.NoticeNHSP0, wire.NoticeNHSNone},
	{wire.NoticeDetailsAccepted, wire.NoticeDetailsRefused},
	{wire.NoticeReviewPassed, wire.NoticeReviewFailed},
	{wire.NoticeProxySubmitted, wire.NoticeProxyGranted, wire.NoticeProxyRefused, wire.NoticeProxyWithdrawn, wire.NoticeProxySuspended, wire.NoticeProxyEnded},
	{wire.NoticeClaimReady, wire.NoticeClaimUsed},
	{wire.NoticeWishesApplied, wire.NoticeWishesRefused},
}

// standing is the news that still holds, of all that was told one after the other.
// A letter that names a level which was taken back since would be shown as proof.
func standing(news []wire.NoticeKind) []wire.NoticeKind {
	var out []wire.NoticeKind
	for i, k := range news {
		if !slices.ContainsFunc(news[i+1:], func(later wire.NoticeKind) bool { return replaces(later, k) }) {
			out = append(out, k)
		}
	}
	return out
}

// replaces reports whether news says that an earlier piece holds no more. A review
// that failed leaves no level and no code.
func replaces(later, k wire.NoticeKind) bool {
	failed := later == wire.NoticeReviewFailed
	return slices.ContainsFunc(groups, func(group []wire.NoticeKind) bool {
		return slices.Contains(group, k) && (failed || slices.Contains(group, later))
	})
}

// PDF is the letter as a printer takes it.
func PDF(f Facts) ([]byte, error) { return print.PDF(Lines(f)) }

// named is the person as the letter addresses them.
func named(p proof.Person) string {
	said := func(n proof.Name) string {
		if n.Printed == "" || n.ICAO != "" && strings.ContainsFunc(n.Printed, unset) {
			return n.ICAO
		}
		return n.Printed
	}
	return printable(strings.TrimSpace(said(p.Given) + " " + said(p.Surname)))
}

// unset reports a letter that the page cannot set: it has those of western Europe
// and of Welsh. A name with others is written as passports write it for machines.
func unset(r rune) bool { return r > unicode.MaxLatin1 && !strings.ContainsRune("ŵŷŴŶ", r) }

// printable takes from a record's text what is no writing, and bounds it.
func printable(text string) string {
	out := []rune(strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, text))
	return string(slices.Clip(out[:min(len(out), maxName)]))
}

// page collects lines.
type page struct {
	large bool
	lines []slip.Line
}

func (p *page) gap() { p.lines = append(p.lines, slip.Line{Style: slip.Space}) }

// add adds a text in a style, broken between words; in large print every style
// is the largest.
func (p *page) add(style slip.Style, text string) {
	width := widthPlain
	switch {
	case p.large:
		style, width = slip.Big, widthLarge
	case style != slip.Plain:
		width = widthHead
	}
	for _, line := range broken(text, width) {
		p.lines = append(p.lines, slip.Line{Style: style, Text: line})
	}
}

// broken breaks a text between words; a word longer than the width is cut.
func broken(text string, width int) []string {
	var lines []string
	line := ""
	for word := range strings.FieldsSeq(text) {
		if line != "" && utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) > width {
			lines, line = append(lines, line), ""
		}
		for utf8.RuneCountInString(word) > width {
			r := []rune(word)
			lines, word = append(lines, string(r[:width])), string(r[width:])
		}
		line = strings.TrimSpace(line + " " + word)
	}
	if line == "" {
		return lines
	}
	return append(lines, line)
}
