package licence

import (
	"cmp"
	"regexp"
	"slices"
	"strings"

	"github.com/counterproof/counterproof/agent/proof"
)

// Bounds of what is read from a picture.
const (
	maxLines = 60
	maxLine  = 200 // characters
)

// The shapes of print. A label stands before its field; readers take 1 for l, I
// or |, and the b of 4b for 6 or 8.
var (
	label     = regexp.MustCompile(`^(4 ?[a-dA-D68]|[1-9lI|])(?:[.,:)]+ *| +|$)`)
	dateLabel = regexp.MustCompile(` (4 ?[a-dA-D])[.,:) ]`)
	date      = regexp.MustCompile(`\b([0-9OoIl]{1,2})[.\-/ ]+([0-9OoIl]{1,2})[.\-/ ]+([0-9OoIl]{4}|[0-9OoIl]{2})\b`)
	vehicles  = regexp.MustCompile(`^(?:AM|A[12]?|[BCD]1?E?)(?:[/,; ]+(?:[A-Z]{1,2}[0-9]?E?|[a-z]{1,10}))*$`)
)

// FromLines fills in a licence from the lines of print that a picture gave, top
// to bottom, for a clerk to confirm: what it does not find stays zero, and what
// it is not sure of is a problem with its field (CenturyAssumed, Repaired,
// NameOddLetters). It reads the first 60 lines of at most 200 characters. Years
// of two digits are resolved by the day of the visit: a birth in the latest year
// that makes the holder old enough, an issue in the latest year that is not in
// the future, an expiry in the nearest one.
//
// Fields are found by their labels, which go up as they do on the card, and a
// driver number of Great Britain by its form wherever it stands. Nothing is
// filled in from what the number says, or comparing them would prove nothing.
func FromLines(lines []string, today proof.Date) (Licence, []Problem) {
	f := form{today: today}
	lines = bounded(lines)
	for _, e := range entries(lines) {
		f.fill(e)
	}
	if _, wrong := ParseGBNumber(f.l.Number); len(wrong) > 0 {
		f.l.Number = cmp.Or(anchored(lines), f.l.Number)
	}
	f.issuer()
	return f.l, f.problems
}

// bounded cuts what no card prints, and writes one line of print a line.
func bounded(lines []string) []string {
	var out []string
	for _, line := range lines[:min(len(lines), maxLines)] {
		if rs := []rune(line); len(rs) > maxLine {
			line = string(rs[:maxLine])
		}
		if line = strings.Join(strings.Fields(strings.ToValidUTF8(line, "?")), " "); line != "" {
			out = append(out, line)
		}
	}
	return out
}

// entry is the text of one field.
type entry struct {
	field, text string
}

// entries parts lines of print into fields. A line without a label goes on with
// the field before it, where that is one of several lines.
func entries(lines []string) []entry {
	var out []entry
	for _, line := range lines {
		for _, part := range apart(line) {
			field, text := labelled(part, out)
			switch {
			case field != "":
				out = append(out, entry{field, text})
			case len(out) > 0 && goesOn(out[len(out)-1]):
				last := &out[len(out)-1]
				last.text = strings.TrimSpace(last.text + " " + part)
			}
		}
	}
	return out
}

// apart cuts a line of dates before the labels 4a to 4d inside it.
func apart(line string) []string {
	if m := label.FindString(line); m == "" || m[0] != '3' && m[0] != '4' {
		return []string{line}
	}
	var out []string
	for {
		at := dateLabel.FindStringIndex(line)
		if at == nil {
			return append(out, line)
		}
		out, line = append(out, line[:at[0]]), line[at[0]+1:]
	}
}

// order is the order of labels on a card; 4a to 4d may change places.
const order = "12345789"

// labelled finds the label of a line; "" where it has none, or one that cannot
// come after those before it, such as the number of a house.
func labelled(line string, before []entry) (field, text string) {
	m := label.FindStringSubmatch(line)
	if m == nil {
		return "", ""
	}
	field, text = spelt(m[1]), line[len(m[0]):]
	if !strings.Contains(order, field[:1]) {
		return "", ""
	}
	if field == "9" && !vehicles.MatchString(text) || field == "3" && !date.MatchString(text) && text != "" {
		return "", ""
	}
	if len(before) == 0 {
		return field, text
	}
	last := before[len(before)-1].field
	if field < last && (field[0] != '4' || last[0] != '4') || slices.ContainsFunc(before, func(e entry) bool { return e.field == field }) {
		return "", ""
	}
	return field, text
}

// spelt writes a label as the directive does.
func spelt(label string) string {
	label = strings.ToLower(strings.ReplaceAll(label, " ", ""))
	switch label {
	case "l", "i", "|":
		return "1"
	case "46", "48":
		return "4b"
	}
	return label
}

// goesOn reports whether a field may have more lines: given names and addresses,
// and one whose text did not stand beside its label. A surname does not, or it
// would swallow given names whose label was not read.
func goesOn(e entry) bool {
	return e.text == "" || e.field == "2" || e.field == "8"
}

// form is a licence that is being filled in.
type form struct {
	today    proof.Date
	l        Licence
	problems []Problem
}

// note records a problem.
func (f *form) note(odd bool, field string, code proof.Code) {
	f.problems = found(f.problems, odd, field, code)
}

// fill reads one field.
func (f *form) fill(e entry) {
	l := &f.l
	switch e.field {
	case "1":
		l.Surname = f.name(e)
	case "2":
		e.text = strings.Join(withoutTitle(strings.Fields(e.text)), " ")
		l.Given = f.name(e)
	case "3":
		l.Birth, l.BirthPlace = f.date(e, bornBefore)
	case "4a":
		l.Issued, _ = f.date(e, issuedBefore)
	case "4b":
		l.Expires, _ = f.date(e, nearest)
	case "4c":
		l.Authority = shown(e.text)
	case "4d":
		l.Personal = shown(e.text)
	case "5":
		l.Number = f.number(e)
	case "8":
		l.Address = shown(e.text)
	case "9":
		l.Categories = categories(e.text)
	}
}

// letterFor is the letter that a reader took for a digit; a name has no digits.
var letterFor = strings.NewReplacer("0", "O", "1", "I", "5", "S", "8", "B", "2", "Z")

// digitFor is the digit that a reader took for a letter.
var digitFor = strings.NewReplacer("O", "0", "o", "0", "I", "1", "l", "1", "S", "5", "B", "8", "Z", "2")

// name reads a name, with letters for digits that a reader saw in it.
func (f *form) name(e entry) proof.Name {
	printed := strings.Trim(e.text, " ,;:|")
	text := letterFor.Replace(printed)
	n, odd := ReadName(text)
	f.note(text != printed, e.field, Repaired)
	f.note(odd, e.field, NameOddLetters)
	return n
}

// date reads the first date of a field, and the text after it.
func (f *form) date(e entry, century func(year int, d, today proof.Date) int) (proof.Date, string) {
	at := date.FindStringSubmatchIndex(e.text)
	if at == nil {
		return proof.Date{}, ""
	}
	part := func(i int) string { return e.text[at[2*i]:at[2*i+1]] }
	clean := digitFor.Replace(e.text[at[0]:at[1]])
	f.note(clean != e.text[at[0]:at[1]], e.field, Repaired)
	d := proof.Date{Month: number(digitFor.Replace(part(2))), Day: number(digitFor.Replace(part(1)))}
	d.Year = number(digitFor.Replace(part(3)))
	if len(part(3)) == 2 {
		d.Year = century(d.Year, d, f.today)
		f.note(true, e.field, CenturyAssumed)
	}
	f.note(!d.Valid(), e.field, proof.DateImpossible)
	return d, shown(strings.Trim(e.text[at[1]:], " ,;"))
}

// bornBefore is the year of a birth: the latest that makes a holder.
func bornBefore(yy int, d, today proof.Date) int {
	today.Year -= youngest
	return issuedBefore(yy, d, today)
}

// issuedBefore is the year of a day that is not after another.
func issuedBefore(yy int, d, day proof.Date) int {
	d.Year = day.Year/100*100 + yy
	if day.Before(d) {
		d.Year -= 100
	}
	return max(d.Year, 1)
}

// nearest is the year of an expiry, at most fifty years away.
func nearest(yy int, d, today proof.Date) int {
	today.Year += 50
	return issuedBefore(yy, d, today)
}

// number reads field 5. A number of Great Britain is repaired by its places.
func (f *form) number(e entry) string {
	if n, wrong := ParseGBNumber(e.text); len(wrong) == 0 {
		return n.Text
	}
	text := squeeze(e.text)
	for _, tail := range []int{0, issueTail} {
		if len(text) != lengthGB+tail || !ascii(text) {
			continue
		}
		if n, wrong := ParseGBNumber(placed(text[:lengthGB])); len(wrong) == 0 {
			f.note(true, e.field, Repaired)
			return n.Text
		}
	}
	return strings.ToUpper(shown(e.text))
}

// ascii reports a text of one byte a character.
func ascii(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r > 0x7e }) < 0
}

// placed writes each character of a GB number as its place wants it. A place of
// a name keeps 9, its filler.
func placed(text string) string {
	var b strings.Builder
	for i := range len(text) {
		switch c := text[i : i+1]; placesGB[i] {
		case 'd':
			b.WriteString(digitFor.Replace(c))
		case 'n', 'l':
			b.WriteString(letterFor.Replace(c))
		default:
			b.WriteString(c)
		}
	}
	return b.String()
}

// anchored finds a number of Great Britain by its form alone, made of whole
// words, and without repairs.
func anchored(lines []string) string {
	for _, line := range lines {
		words := strings.Fields(line)
		for i := range words {
			text := ""
			for j := i; j < len(words) && len(text) < lengthGB; j++ {
				text += squeeze(words[j])
			}
			if n, wrong := ParseGBNumber(text); len(wrong) == 0 {
				return n.Text
			}
		}
	}
	return ""
}

// categories parts field 9. British licences print national categories in one
// word of small letters.
func categories(text string) []string {
	var out []string
	for _, word := range strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune("/,; ", r) }) {
		if len(word) > 1 && strings.Trim(word, "abcdefghijklmnopqrstuvwxyz") == "" {
			out = append(out, strings.Split(word, "")...)
			continue
		}
		out = append(out, word)
	}
	return out
}

// issuer tells the United Kingdom by its offices and its numbers; the other
// states print their sign as a picture.
func (f *form) issuer() {
	office := strings.ToUpper(f.l.Authority)
	if strings.Contains(office, authorityGB) || strings.Contains(office, authorityNI) || f.l.british() {
		f.l.Issuer = "GBR"
	}
}
