package form

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/counterproof/counterproof/ui/words"
)

// LineKeys are the names of the typed lines of a machine-readable zone.
func LineKeys() []string { return []string{"line1", "line2", "line3"} }

// lines reads the typed lines, empty ones left out.
func lines(t *Typed) []string {
	out := []string{}
	for _, key := range LineKeys() {
		if line := strings.ToUpper(t.trimmed(key)); line != "" {
			out = append(out, line)
		}
	}
	return out
}

// LineNote says of a typed line how its length stands: passports have 44, other
// booklets and cards of two lines 36, cards of three lines 30 (ICAO 9303-4, -6,
// -5). It only advises; nothing is refused here.
func LineNote(w words.Words, t *Typed, key string) string {
	have := utf8.RuneCountInString(t.trimmed(key))
	if have == 0 {
		return w.Say("key.empty")
	}
	want, count := lineLength(t), w.Count("characters", have)
	switch {
	case have == want:
		return w.Say("key.right", "have", count)
	case have > want:
		return w.Say("key.long", "have", count, "over", strconv.Itoa(have-want))
	}
	return w.Say("key.short", "have", count, "missing", strconv.Itoa(want-have))
}

// lineLength is the length that the typed lines most likely want: three lines
// are a card's; two lines of which one has 36 exactly, and none more, are a
// booklet's of that size; the rest a passport's.
func lineLength(t *Typed) int {
	if t.trimmed("line3") != "" {
		return 30
	}
	longest := 0
	for _, key := range LineKeys() {
		longest = max(longest, utf8.RuneCountInString(t.trimmed(key)))
	}
	if longest == 36 || longest == 30 {
		return longest
	}
	return 44
}
