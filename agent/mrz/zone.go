package mrz

import (
	"slices"
	"strings"
)

// foulMark stands for a character that no zone has.
const foulMark = '?'

// zone is the characters of a zone of a known format. Every row has the length
// that the format asks for and holds only the alphabet and foulMark.
type zone struct {
	format Format
	layout *layout
	rows   [][]byte
}

// read finds the format of lines by their number, their lengths and their first
// letters. Visas begin with V, licences of one line with D.
func read(lines []string) (zone, bool) {
	rows := places(lines)
	var candidates []zone
	for _, f := range Formats() {
		if z, ok := newZone(f, rows); ok && z.begins() {
			candidates = append(candidates, z)
		}
	}
	if len(candidates) == 0 {
		return zone{}, false
	}
	return choose(candidates), true
}

// places turns lines into one byte a character. Of lines that are too many or
// too long for any zone it gives no more than shows that.
func places(lines []string) [][]byte {
	const most, longest = 3, 44
	rows := make([][]byte, min(len(lines), most+1))
	for i := range rows {
		for _, r := range lines[i] {
			b := byte(foulMark)
			if r < 0x80 && Any.Allows(byte(r)) {
				b = byte(r)
			}
			if rows[i] = append(rows[i], b); len(rows[i]) > longest {
				break
			}
		}
	}
	return rows
}

// newZone puts rows into a format; ok is false where the lengths do not fit.
func newZone(f Format, rows [][]byte) (z zone, ok bool) {
	fits := slices.EqualFunc(f.Lines(), rows, func(n int, row []byte) bool { return n == len(row) })
	if !fits || len(rows) == 0 {
		return zone{}, false
	}
	z = zone{format: f, layout: layouts[f], rows: rows}
	if l, ok := layoutOf(f, z.field(z.layout.state)); ok {
		z.layout = l
	}
	return z, true
}

// begins reports whether the first letter fits the format. Where two formats
// share their lengths it tells them apart; otherwise an odd letter is a problem
// of the document, not another format.
func (z zone) begins() bool {
	first := z.rows[0][0]
	switch z.format {
	case MRVA, MRVB:
		return first == 'V'
	case TD3, TD2, FRID:
		return first != 'V'
	case DL30:
		return first == 'D'
	}
	return true
}

// choose picks among formats of the same lengths. Only the old French cards
// share theirs, with TD2: they begin with IDFRA, but where that contradicts the
// check digits the digits win.
func choose(candidates []zone) zone {
	slices.SortStableFunc(candidates, func(a, b zone) int { return b.likeness() - a.likeness() })
	for _, z := range candidates {
		if z.repaired().passes() {
			return z
		}
	}
	return candidates[0]
}

// likeness puts FRID before TD2 only for cards of the French state.
func (z zone) likeness() int {
	head := string(z.repaired().rows[0][:5])
	if z.format == FRID && head != "IDFRA" {
		return -1
	}
	if z.format == TD2 && head == "IDFRA" {
		return -1
	}
	return 0
}

// passes reports whether the format has checks and all agree.
func (z zone) passes() bool {
	return len(z.layout.rules) > 0 && !slices.ContainsFunc(z.layout.rules, func(r rule) bool { return !z.agrees(r) })
}

// text is the characters of a span.
func (z zone) text(s span) string {
	if s.empty() {
		return ""
	}
	return string(z.rows[s.line][s.from:s.to])
}

// field is the characters of a span without the fillers around them; a filler
// inside stands for a space or a mark (ICAO 9303-3 §4.6).
func (z zone) field(s span) string { return plain(z.text(s)) }

// plain turns fillers into single spaces where they stand between characters.
func plain(text string) string {
	return strings.Join(strings.FieldsFunc(text, func(r rune) bool { return r == '<' }), " ")
}

// lines gives the zone back as lines.
func (z zone) lines() []string {
	out := make([]string, len(z.rows))
	for i, row := range z.rows {
		out[i] = string(row)
	}
	return out
}

// foul reports whether the zone holds a character that no zone has.
func (z zone) foul() bool {
	return slices.ContainsFunc(z.rows, func(row []byte) bool { return slices.Contains(row, foulMark) })
}

// outOfPlace reports whether a character is one that its place does not allow.
func (z zone) outOfPlace() bool {
	for i, row := range z.rows {
		for j, b := range row {
			if !z.layout.class(i, j).Allows(b) {
				return true
			}
		}
	}
	return false
}

// checks makes every check of the format.
func (z zone) checks() []Check {
	if z.foul() {
		return []Check{{Name: checkCharset}}
	}
	var out []Check
	for _, r := range z.layout.rules {
		out = append(out, Check{Name: r.name, Valid: z.agrees(r)})
	}
	return out
}

// agrees reports whether the digit of a rule is right.
func (z zone) agrees(r rule) bool {
	if n, ok := z.longNumber(r); ok {
		return n.digit == CheckDigit(n.head+n.tail) || n.digit == CheckDigit(n.head+"<"+n.tail)
	}
	var cover strings.Builder
	for _, s := range r.cover {
		cover.WriteString(z.text(s))
	}
	data, digit := cover.String(), z.text(r.digit)
	if r.date && strings.Trim(data, allowed[Digit]) != "" {
		return false
	}
	if digit == "<" {
		return (r.blank || r.date) && strings.Trim(data, "<") == ""
	}
	return Numeral.Allows(digit[0]) && digit[0] == CheckDigit(data)
}

// longNumber is a document number that its field cannot hold: the first nine
// characters, those that go on in the optional data, its digit and what else the
// optional data hold.
type longNumber struct {
	head, tail string
	digit      byte
	rest       string
}

// longNumber reads a number that goes on: "<" in the place of the digit, then at
// least one character and the digit, up to the first filler (ICAO 9303-5 and -6
// §4.2.2.2). Whether the "<" counts in the digit is told differently by
// different states, so agrees takes both.
func (z zone) longNumber(r rule) (n longNumber, ok bool) {
	if r.overflow.empty() || z.text(r.digit) != "<" {
		return n, false
	}
	head := z.text(r.cover[0])
	tail, rest, _ := strings.Cut(z.text(r.overflow), "<")
	last := len(tail) - 1
	if strings.HasSuffix(head, "<") || last < 1 || !Numeral.Allows(tail[last]) {
		return n, false
	}
	return longNumber{head: head, tail: tail[:last], digit: tail[last], rest: rest}, true
}
