package form

import (
	"strconv"
	"strings"

	"github.com/counterproof/counterproof/agent/proof"
)

// reader reads what was typed and keeps the first thing that cannot be read.
type reader struct {
	*Typed
	hint Hint
}

// date reads a date; nothing typed is no date.
func (r *reader) date(key string) proof.Date {
	d, ok := ReadDate(r.Text(key))
	if !ok && r.hint == (Hint{}) {
		r.hint = Hint{"form.date", key}
	}
	return d
}

// need reads what has to be typed or chosen, without the blanks around it.
func (r *reader) need(key string) string {
	s := r.trimmed(key)
	if s == "" && r.hint == (Hint{}) {
		r.hint = Hint{"form.needed", key}
	}
	return s
}

// trimmed is a text without the blanks around it.
func (t *Typed) trimmed(key string) string { return strings.TrimSpace(t.Text(key)) }

// ReadDate reads a date as people write it here: 31/03/1985, 31.3.1985, 31 3
// 1985, and 1985-03-31; 03/1985 and 1985 where that is all there is. The year
// has four digits, so that no century is guessed. An empty text is no date. A
// day that is on no calendar is read all the same: whether the paper says so, or
// a finger slipped, is not decided here.
func ReadDate(s string) (proof.Date, bool) {
	pieces := strings.FieldsFunc(s, func(r rune) bool { return strings.ContainsRune("/.- ", r) })
	if len(pieces) == 0 {
		return proof.Date{}, strings.TrimSpace(s) == ""
	}
	numbers := make([]int, len(pieces))
	for i, p := range pieces {
		n, err := strconv.Atoi(p)
		if err != nil || n < 1 || len(p) > 4 {
			return proof.Date{}, false
		}
		numbers[i] = n
	}
	if len(pieces[0]) == 4 && len(pieces) == 3 {
		numbers[0], numbers[2] = numbers[2], numbers[0]
		pieces[0], pieces[2] = pieces[2], pieces[0]
	}
	year := len(pieces) - 1
	for i, p := range pieces {
		if (len(p) == 4) != (i == year) || i != year && len(p) > 2 {
			return proof.Date{}, false
		}
	}
	switch len(numbers) {
	case 1:
		return proof.Date{Year: numbers[0]}, true
	case 2:
		return proof.Date{Year: numbers[1], Month: numbers[0]}, true
	case 3:
		return proof.Date{Year: numbers[2], Month: numbers[1], Day: numbers[0]}, true
	}
	return proof.Date{}, false
}

// writeDate writes a date as ReadDate reads it.
func writeDate(d proof.Date) string {
	two := func(n int) string {
		if n < 10 {
			return "0" + strconv.Itoa(n)
		}
		return strconv.Itoa(n)
	}
	year := strconv.Itoa(d.Year)
	switch d.Precision() {
	case "none":
		return ""
	case "year":
		return year
	case "month":
		return two(d.Month) + "/" + year
	}
	return two(d.Day) + "/" + two(d.Month) + "/" + year
}
