// Package words holds every text of the two screens, in every language: labels,
// plurals, a sentence and a next step for every Kind of failure, and a sentence
// for every reason code.
//
// It decides nothing, reads nothing and knows no screen; no other room of the
// wing has a text of its own.
//
// # The laws
//
//   - Every language has every key; a test counts them.
//   - Every Kind of package proof has two halves: what happened, and what to do.
//   - A code that this version does not know still gets a sentence and a next
//     step, so that a newer daemon never strands the clerk.
//   - Languages are values, not a setting: the clerk's and the patient's may
//     differ on one screen.
package words

import (
	_ "embed" // the catalogues
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/counterproof/counterproof/agent/proof"
)

// The languages, as BCP 47 tags.
const (
	English = "en"
	Welsh   = "cy"
)

//go:embed en.txt
var english string

//go:embed cy.txt
var welsh string

// Words is the catalogue of one language. Copies share it; nobody changes it.
type Words struct {
	tag   string
	texts map[string]string
	order []string // the keys as they stand in the catalogue
}

// Languages lists the tags of the languages that are complete.
func Languages() []string { return []string{English, Welsh} }

// In gives the words of a language by the first part of its tag ("cy-GB" is
// Welsh); English where there is none.
func In(tag string) Words {
	first, _, _ := strings.Cut(strings.ToLower(tag), "-")
	if first == Welsh {
		return parse(Welsh, welsh)
	}
	return parse(English, english)
}

// parse reads a catalogue: a line is "key: text", "#" begins a remark. A text
// keeps the blank at its end, since some stand between two others.
func parse(tag, catalogue string) Words {
	w := Words{tag: tag, texts: map[string]string{}}
	for line := range strings.Lines(catalogue) {
		key, text, ok := strings.Cut(strings.TrimRight(line, "\r\n"), ": ")
		if ok && !strings.HasPrefix(key, "#") {
			w.texts[key] = text
			w.order = append(w.order, key)
		}
	}
	return w
}

// Language is the tag of the language.
func (w Words) Language() string { return w.tag }

// Keys lists what there is a text for, sorted.
func (w Words) Keys() []string { return slices.Sorted(maps.Keys(w.texts)) }

// Codes lists the codes of a closed list, those that have a text under
// prefix.code, in the order of the catalogue, which is that of the screen.
func (w Words) Codes(prefix string) []proof.Code {
	var codes []proof.Code
	for _, key := range w.order {
		code, ok := strings.CutPrefix(key, prefix+".")
		if ok && !strings.Contains(code, ".") {
			codes = append(codes, proof.Code(code))
		}
	}
	return codes
}

// Has reports whether there is a text for a key.
func (w Words) Has(key string) bool { return w.texts[key] != "" }

// Say gives the text of a key; values are names and values in turn, for the
// {names} in it. A key without a text is shown as itself, so that a slip in the
// program is seen and not silent.
func (w Words) Say(key string, values ...string) string {
	text, ok := w.texts[key]
	if !ok {
		return key
	}
	for i := 0; i+1 < len(values); i += 2 {
		text = strings.ReplaceAll(text, "{"+values[i]+"}", values[i+1])
	}
	return text
}

// Or gives the text of prefix.code, or that of prefix.other for a code that is
// not known.
func (w Words) Or(prefix, code, other string) string {
	if w.Has(prefix + "." + code) {
		return w.Say(prefix + "." + code)
	}
	return w.Say(prefix + "." + other)
}

// Count gives the text of a number of things, by the plural rules of the
// language (Unicode CLDR, cardinal numbers).
func (w Words) Count(thing string, n int) string {
	key := "plural." + thing + "." + category(w.tag, n)
	if !w.Has(key) {
		key = "plural." + thing + ".other"
	}
	return w.Say(key, "n", strconv.Itoa(n))
}

// category is the plural category of a whole number. Welsh mutates by 0, 1, 2,
// 3 and 6; English knows one and many.
func category(tag string, n int) string {
	if tag != Welsh {
		if n == 1 {
			return "one"
		}
		return "other"
	}
	switch n {
	case 0:
		return "zero"
	case 1:
		return "one"
	case 2:
		return "two"
	case 3:
		return "few"
	case 6:
		return "many"
	}
	return "other"
}

// Problem says what happened and what to do next, for any Kind but KindNone,
// which gives two empty texts.
func (w Words) Problem(k proof.Kind) (happened, next string) {
	if k == proof.KindNone {
		return "", ""
	}
	text, ok := w.texts["kind."+string(k)]
	if !ok {
		text = w.Say("kind.unknown", "code", string(k))
	}
	happened, next, _ = strings.Cut(text, " | ")
	return happened, next
}

// Reason says a reason with its values in the language: levels, types of
// evidence and decisions are codes there. A reason with the value "steps" is a
// plan: all its steps in a row.
func (w Words) Reason(r proof.Reason) string {
	values := []string{"code", string(r.Code)}
	for name, value := range r.Params {
		values = append(values, name, w.value(name, value))
	}
	if steps := r.Params["steps"]; steps != "" {
		return w.Say("reason.steps", append(values, "all", w.steps(steps))...)
	}
	if !w.Has("reason." + string(r.Code)) {
		return w.Say("reason.unknown", values...)
	}
	return w.Say("reason."+string(r.Code), values...)
}

// steps says the steps of a plan in a row.
func (w Words) steps(codes string) string {
	var all []string
	for code := range strings.SplitSeq(codes, ",") {
		all = append(all, w.Reason(proof.Reason{Code: proof.Code(code)}))
	}
	return strings.Join(all, w.Say("reason.and"))
}

// value says a parameter of a reason.
func (w Words) value(name, value string) string {
	prefix := map[string]string{"level": "level", "needed": "level", "type": "type", "decision": "decision"}[name]
	if key := prefix + "." + value; prefix != "" && w.Has(key) {
		return w.Say(key)
	}
	return value
}

// Type names a kind of evidence by its code in the policy file.
func (w Words) Type(t proof.EvidenceType) string { return w.Or("type", string(t), "other") }

// Feature names a security feature by its code in the policy file.
func (w Words) Feature(code string) string { return w.Named("feature", code) }

// Named names a code of a list; one that has no text yet by the code itself.
func (w Words) Named(prefix, code string) string {
	if w.Has(prefix + "." + code) {
		return w.Say(prefix + "." + code)
	}
	return strings.ReplaceAll(code, "_", " ")
}
