package licence

import (
	"cmp"
	"errors"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/counterproof/counterproof/agent/proof"
)

// Bounds of a bar code's text.
const (
	maxPayload  = 4096 // characters; PDF417 holds at most 2,710
	maxElements = 200
	maxSubfiles = 20
)

// ErrNotAAMVA is a text that is not the bar code of an American licence.
var ErrNotAAMVA = errors.New("it does not begin as the bar code of an American licence: a header with ANSI or AAMVA, the issuer's number and a version")

// errPayloadLong is a text above the bound.
var errPayloadLong = errors.New("it is longer than the bar code of a licence can be")

// Card is what the bar code of an American or Canadian licence or identity card
// says (AAMVA DL/ID Card Design Standard 2000 to 2020, annex D). Nothing in it is
// signed: it proves nothing that the print of the card does not.
type Card struct {
	IIN      string   // issuer identification number, six digits
	Version  int      // of the standard: 0 before 2000, 1 of 2000, … 10 of 2020
	Subfiles []string // their types, as the header announces them: DL, ID, EN, Z and a letter
	// Elements in the order of the card, each code once; the first counts.
	Elements []Element
	// Problems are PayloadOdd, ElementTwice, FieldMissing and
	// proof.DateImpossible, each at most once.
	Problems []proof.Code
}

// Element is one data element. Values are trimmed, and never hold a separator or
// a control character.
type Element struct {
	Code, Value string // "DAQ", "T64235789"
}

// ParseAAMVA reads the text of a PDF417 symbol. Scanners change it, and issuers
// read the standard in their ways, so elements are taken wherever a separator or
// any line end parts them, whatever the header says of subfiles: an offset or a
// length that lies hides nothing. What disagrees is PayloadOdd. It fails only
// where no header is found; its errors never quote the text.
func ParseAAMVA(payload string) (Card, error) {
	text := characters(payload)
	if len(text) > maxPayload {
		return Card{}, errPayloadLong
	}
	h, ok := readHeader(strings.ReplaceAll(string(text), "\r\n", "\n"))
	if !ok {
		return Card{}, ErrNotAAMVA
	}
	c := Card{IIN: h.iin, Version: h.version}
	c.note(h.odd, PayloadOdd)
	for _, d := range h.named {
		c.Subfiles = append(c.Subfiles, d.kind)
		c.note(!h.holds(d), PayloadOdd)
	}
	c.read(string(h.text[h.body:]), h.separators)
	c.judge()
	return c, nil
}

// characters are those of a payload, one an offset. A text that is not UTF-8 is
// ISO 8859-1, as the standard has it from 2009 on.
func characters(payload string) []rune {
	payload = payload[:min(len(payload), utf8.UTFMax*(maxPayload+1))]
	if utf8.ValidString(payload) {
		return []rune(payload)
	}
	out := make([]rune, len(payload))
	for i := range len(payload) {
		out[i] = rune(payload[i])
	}
	return out
}

// header is the beginning of a payload.
type header struct {
	iin        string
	version    int
	separators string // every character that ends an element
	named      []designator
	text       []rune // from the file type on
	body       int    // where the subfiles begin in text
	odd        bool
}

// designator says where a subfile is meant to lie.
type designator struct {
	kind           string
	offset, length int // the offset counts from the file type
}

// The shapes of a payload. A header has a compliance indicator with three
// separators, which scanners drop or change; the file type; six digits of the
// issuer, two of the version, two of the jurisdiction's version (from 2003 on)
// and two of the number of subfiles; ten characters a subfile. An element has a
// code, of the standard with D or P, of a jurisdiction with Z; the first of a
// subfile has its type before it.
var (
	beginning = regexp.MustCompile(`^[^@]{0,8}?@?([^A-Za-z0-9@]{0,8})(ANSI|AAMVA) ?([0-9]{6})([0-9]{2})((?:[0-9]{2}){0,2})`)
	pointer   = regexp.MustCompile(`^([A-Z][A-Z])([0-9]{4})([0-9]{4})`)
	element   = regexp.MustCompile(`^(D[A-D][A-Z]|PA[A-Z]|Z[A-Z][A-Z0-9])`)
	first     = regexp.MustCompile(`^(?:DL|ID|EN|Z[A-Z])(D[A-D][A-Z]|PA[A-Z]|Z[A-Z][A-Z0-9])`)
)

// Separators: the line ends and control characters of payloads as scanners give
// them, and the signs that some issuers put in their places in the header.
const (
	lineEnds  = "\n\r\x00\x1c\x1d\x1e\x1f"
	signEnds  = "|~^;"
	typeWidth = 2 // characters of a subfile's type
	indicator = 4 // characters before the file type: offsets count from the first
)

// readHeader finds the header; ok is false where there is none.
func readHeader(text string) (h header, ok bool) {
	at := beginning.FindStringSubmatchIndex(text)
	if at == nil {
		return h, false
	}
	part := func(i int) string { return text[at[2*i]:at[2*i+1]] }
	h.iin, h.version, h.separators = part(3), number(part(4)), lineEnds
	for _, sign := range signEnds {
		if strings.ContainsRune(part(1), sign) {
			h.separators += string(sign)
		}
	}
	rest := text[at[1]:]
	for len(h.named) < maxSubfiles {
		p := pointer.FindStringSubmatch(rest)
		if p == nil {
			break
		}
		h.named = append(h.named, designator{p[1], number(p[2]) - indicator, number(p[3])})
		rest = rest[len(p[0]):]
	}
	h.text = []rune(text[at[4]:])
	h.body = len(h.text) - utf8.RuneCountInString(rest)
	counts := part(5)
	h.odd = counts == "" || number(counts[len(counts)-2:]) != len(h.named) || (h.version > 1) != (len(counts) == 4)
	return h, true
}

// holds reports whether a subfile lies where its designator says: its type and
// an element at the offset, and behind its length the end or a separator.
func (h header) holds(d designator) bool {
	end := d.offset + d.length
	if d.offset < h.body || d.length < typeWidth || end > len(h.text) {
		return false
	}
	text := string(h.text[d.offset:end])
	if !strings.HasPrefix(text, d.kind) || !first.MatchString(text) {
		return false
	}
	return end == len(h.text) || strings.ContainsRune(h.separators, h.text[end-1]) || strings.ContainsRune(h.separators, h.text[end])
}

// read takes the elements of a text, in which the header announces subfiles.
func (c *Card) read(text, separators string) {
	awaited := slices.Clone(c.Subfiles)
	ends := func(r rune) bool { return strings.ContainsRune(separators, r) }
	for line := range strings.FieldsFuncSeq(text, ends) {
		line = strings.TrimSpace(strings.Map(visible, line))
		if m := first.FindStringSubmatch(line); m != nil {
			i := slices.Index(awaited, line[:typeWidth])
			if i >= 0 {
				awaited = slices.Delete(awaited, i, i+1)
			}
			if i >= 0 || line[0] != 'Z' || line[:typeWidth] == m[1][:typeWidth] {
				line = line[typeWidth:]
			}
		}
		code := element.FindString(line)
		c.note(code == "" && line != "", PayloadOdd)
		if code != "" {
			c.add(Element{code, strings.TrimSpace(line[len(code):])})
		}
	}
}

// visible writes a character that would not show as a space.
func visible(r rune) rune {
	if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) {
		return ' '
	}
	return r
}

// add takes an element that is not there yet.
func (c *Card) add(e Element) {
	if i := slices.IndexFunc(c.Elements, func(f Element) bool { return f.Code == e.Code }); i >= 0 {
		c.note(c.Elements[i].Value != e.Value, ElementTwice)
		return
	}
	if len(c.Elements) == maxElements {
		c.note(true, PayloadOdd)
		return
	}
	c.Elements = append(c.Elements, e)
}

// note records a problem once.
func (c *Card) note(odd bool, code proof.Code) {
	if odd && !slices.Contains(c.Problems, code) {
		c.Problems = append(c.Problems, code)
	}
}

// judge looks for what every card has, and at its dates.
func (c *Card) judge() {
	surname, _, _ := c.Names()
	c.note(surname == "" || c.word("DAQ") == "" || c.word("DBB") == "" || c.word("DBA") == "", FieldMissing)
	for _, e := range c.Elements {
		_, ok := c.Date(e.Code)
		c.note(DateElement(e.Code) && !ok && !blank(e.Value), proof.DateImpossible)
	}
}

// Value is what an element says, "" where it is not there.
func (c Card) Value(code string) string {
	for _, e := range c.Elements {
		if e.Code == code {
			return e.Value
		}
	}
	return ""
}

// blank reports the ways to say that there is nothing to say (annex D.12.3).
func blank(value string) bool {
	switch strings.ToUpper(value) {
	case "", "NONE", "UNAVL", "UNAVAIL", "N/A":
		return true
	}
	return strings.Trim(value, "0") == ""
}

// word is an element of text, "" where it says nothing.
func (c Card) word(code string) string {
	if v := c.Value(code); !blank(v) {
		return v
	}
	return ""
}

// dateElements are the codes of dates, of all versions.
const dateElements = " DBA DBB DBD DBL DDB DDC DDH DDI DDJ PAB PAD "

// DateElement reports whether an element is a date.
func DateElement(code string) bool {
	return len(code) == 3 && strings.Contains(dateElements, " "+code+" ")
}

// Date reads an element as a date; ok is false where it is none. Version 1 and
// Canada print CCYYMMDD, the United States MMDDCCYY. Which of them it is, the
// digits tell better than the header: no month is above 12 and no century of a
// living person below 18.
func (c Card) Date(code string) (d proof.Date, ok bool) {
	text := strings.NewReplacer("-", "", "/", "", ".", "").Replace(c.Value(code))
	if len(text) != 8 || !digits(text) {
		return proof.Date{}, false
	}
	d = proof.Date{Year: number(text[4:]), Month: number(text[:2]), Day: number(text[2:4])}
	if d.Month >= 18 {
		d = proof.Date{Year: number(text[:4]), Month: number(text[4:6]), Day: number(text[6:])}
	}
	if d.Year < 1800 || d.Year > 2199 || d.Precision() != "day" || !d.Valid() {
		return proof.Date{}, false
	}
	return d, true
}

// Sex is "male", "female", "not_specified" or, where the card has something
// else, "unknown"; "" where it says nothing. Old cards print letters.
func (c Card) Sex() string {
	switch strings.ToUpper(c.Value("DBC")) {
	case "":
		return ""
	case "1", "M":
		return "male"
	case "2", "F":
		return "female"
	case "9", "X":
		return "not_specified"
	}
	return "unknown"
}

// Names are the names of the holder, from whichever elements the version has:
// DCS or DAB, DAC and DAD or DCT, DCU or DAE, or all of them in DAA. given holds
// all given names with single spaces.
func (c Card) Names() (surname, given, suffix string) {
	if c.NameInOne() {
		return splitName(c.word("DAA"))
	}
	given = cmp.Or(strings.TrimSpace(c.word("DAC")+" "+c.word("DAD")), c.word("DCT"))
	return cmp.Or(c.word("DCS"), c.word("DAB")), spaced(given), cmp.Or(c.word("DCU"), c.word("DAE"))
}

// NameInOne reports that DAA, the whole name in one, is all there is of a name.
func (c Card) NameInOne() bool {
	return c.word("DAA") != "" && c.word("DCS")+c.word("DAB") == ""
}

// spaced writes what parts names as single spaces.
func spaced(names string) string {
	return strings.Join(strings.FieldsFunc(names, func(r rune) bool { return strings.ContainsRune(" ,$@", r) }), " ")
}

// suffixes are those that cannot be taken for a name or an initial (annex D,
// DCU).
const suffixes = " JR SR II III IV VI VII VIII IX 1ST 2ND 3RD 4TH 5TH 6TH 7TH 8TH 9TH "

// splitName parts DAA: surname, first name, middle names, suffix, with commas
// between them (version 1), "$" as on magnetic stripes, "@" as in the data
// dictionary (ANSI D20), or nothing but spaces. A suffix may stand in the place
// of the middle names.
func splitName(name string) (surname, given, suffix string) {
	var parts []string
	for _, sep := range []string{",", "$", "@"} {
		if strings.Contains(name, sep) {
			parts = strings.SplitN(name, sep, 4)
			break
		}
	}
	if parts == nil {
		parts = strings.Fields(name)
	}
	for i, p := range parts {
		if parts[i] = spaced(p); blank(p) {
			parts[i] = ""
		}
	}
	if len(parts) == 4 && strings.ContainsAny(name, ",$@") {
		suffix, parts = parts[3], parts[:3]
	}
	if last := len(parts) - 1; suffix == "" && last > 1 && isSuffix(parts[last]) {
		suffix, parts = parts[last], parts[:last]
	}
	return parts[0], spaced(strings.Join(parts[1:], " ")), suffix
}

// isSuffix reports a word that can only be a suffix.
func isSuffix(word string) bool {
	return strings.Contains(suffixes, " "+strings.ToUpper(strings.Trim(word, "."))+" ")
}

// Licence is the card in the fields of a European licence, for the same checks.
// A suffix is left out: it is no part of a name that is compared.
func (c Card) Licence() Licence {
	surname, given, _ := c.Names()
	l := Licence{Number: c.word("DAQ"), Authority: c.word("DAJ"), Issuer: c.word("DCG")}
	l.Surname, _ = ReadName(surname)
	l.Given, _ = ReadName(given)
	l.Birth, _ = c.Date("DBB")
	l.Issued, _ = c.Date("DBD")
	l.Expires, _ = c.Date("DBA")
	l.Sex = map[string]string{"male": "M", "female": "F", "not_specified": "X"}[c.Sex()]
	address := []string{c.word("DAG"), c.word("DAH"), c.word("DAI"), c.word("DAJ"), c.word("DAK")}
	l.Address = strings.Join(slices.DeleteFunc(address, blank), ", ")
	l.Categories = strings.FieldsFunc(cmp.Or(c.word("DCA"), c.word("DAR")), func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r)
	})
	return l
}
