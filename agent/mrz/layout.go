package mrz

// span is a run of places on one line; to is the first place after it.
type span struct{ line, from, to int }

// empty reports whether the span has no place, which means that a layout lacks
// the field.
func (s span) empty() bool { return s.to <= s.from }

// holds reports whether a place lies in the span.
func (s span) holds(line, col int) bool {
	return s.line == line && s.from <= col && col < s.to
}

// rule is one check of a layout.
type rule struct {
	name  string
	cover []span // what the digit is computed over, in this order
	digit span   // one place
	// date refuses letters in the cover and takes "<" for the digit of a date
	// that is all fillers.
	date bool
	// blank takes "<" for the digit where the cover is all fillers.
	blank bool
	// overflow is where a number longer than its field goes on.
	overflow span
}

// layout says where a format has its fields; an empty span is a field that it
// lacks.
type layout struct {
	mask                             [][]run
	code, state, number, nationality span
	name                             span // surname<<given names
	surname, given                   span // where they stand apart
	birth, sex, expiry, issued       span
	optional, optional2, office      span
	language, pin, version           span
	rules                            []rule
	chip                             bool // documents of this format may have a chip (ICAO 9303-10)
}

// hasNames reports whether the layout has a name at all.
func (l *layout) hasNames() bool { return !l.name.empty() || !l.surname.empty() }

// rule finds a rule by its name.
func (l *layout) rule(name string) (rule, bool) {
	for _, r := range l.rules {
		if r.name == name {
			return r, true
		}
	}
	return rule{}, false
}

// booklet is the layout that passports, visas and TD2 cards share (ICAO 9303-4,
// -6 and -7): first the name, then a line that begins with the number.
func booklet(first, second Class, optional []run, width int) *layout {
	line2 := []run{{Any, 9}, {Numeral, 1}, {Letter, 3}, {Digit, 7}, {Sex, 1}, {Digit, 7}}
	return &layout{
		mask: [][]run{{{first, 1}, {second, 1}, {Letter, width - 2}}, append(line2, optional...)},
		code: span{0, 0, 2}, state: span{0, 2, 5}, name: span{0, 5, width},
		number: span{1, 0, 9}, nationality: span{1, 10, 13}, birth: span{1, 13, 19}, sex: span{1, 20, 21},
		expiry: span{1, 21, 27}, optional: span{1, 28, width},
		rules: []rule{
			{name: checkNumber, cover: []span{{1, 0, 9}}, digit: span{1, 9, 10}},
			{name: checkBirth, cover: []span{{1, 13, 19}}, digit: span{1, 19, 20}, date: true},
			{name: checkExpiry, cover: []span{{1, 21, 27}}, digit: span{1, 27, 28}, date: true},
		},
	}
}

// passports is TD3: the optional data have a digit of their own, which may be
// "<" or "0" where they are empty (ICAO 9303-4 §4.2.2.2).
func passports() *layout {
	l := booklet(passport, Letter, []run{{Any, 14}, {Digit, 1}, {Numeral, 1}}, 44)
	l.chip = true
	l.optional = span{1, 28, 42}
	l.rules = append(l.rules,
		rule{name: checkOptional, cover: []span{l.optional}, digit: span{1, 42, 43}, blank: true},
		rule{name: checkComposite, cover: []span{{1, 0, 10}, {1, 13, 20}, {1, 21, 43}}, digit: span{1, 43, 44}})
	return l
}

// sheets is TD2: a number of more than nine characters goes on in the optional
// data, followed by its digit (ICAO 9303-6 §4.2.2.2).
func sheets() *layout {
	l := booklet(card, Any, []run{{Any, 7}, {Numeral, 1}}, 36)
	l.chip = true
	l.mask[1][1] = run{Digit, 1} // "<" where the number goes on
	l.optional = span{1, 28, 35}
	l.rules[0].overflow = l.optional
	l.rules = append(l.rules,
		rule{name: checkComposite, cover: []span{{1, 0, 10}, {1, 13, 20}, {1, 21, 35}}, digit: span{1, 35, 36}})
	return l
}

// cards is TD1 (ICAO 9303-5 §4.2.2.2), with numbers that go on as in TD2.
func cards() *layout {
	return &layout{
		mask: [][]run{
			{{card, 1}, {Any, 1}, {Letter, 3}, {Any, 9}, {Digit, 1}, {Any, 15}},
			{{Digit, 7}, {Sex, 1}, {Digit, 7}, {Letter, 3}, {Any, 11}, {Numeral, 1}},
			{{Letter, 30}},
		},
		chip: true,
		code: span{0, 0, 2}, state: span{0, 2, 5}, number: span{0, 5, 14}, optional: span{0, 15, 30},
		birth: span{1, 0, 6}, sex: span{1, 7, 8}, expiry: span{1, 8, 14}, nationality: span{1, 15, 18},
		optional2: span{1, 18, 29}, name: span{2, 0, 30},
		rules: []rule{
			{name: checkNumber, cover: []span{{0, 5, 14}}, digit: span{0, 14, 15}, overflow: span{0, 15, 30}},
			{name: checkBirth, cover: []span{{1, 0, 6}}, digit: span{1, 6, 7}, date: true},
			{name: checkExpiry, cover: []span{{1, 8, 14}}, digit: span{1, 14, 15}, date: true},
			{name: checkComposite, cover: []span{{0, 5, 30}, {1, 0, 7}, {1, 8, 15}, {1, 18, 29}}, digit: span{1, 29, 30}},
		},
	}
}

// frenchCards is FRID: the number is year and month of issue, department and a
// serial; the composite covers all that is before it.
func frenchCards() *layout {
	return &layout{
		mask: [][]run{
			{{card, 1}, {Letter, 29}, {Any, 6}},
			{{Digit, 4}, {Any, 8}, {Numeral, 1}, {Letter, 14}, {Digit, 6}, {Numeral, 1}, {Sex, 1}, {Numeral, 1}},
		},
		code: span{0, 0, 2}, state: span{0, 2, 5}, surname: span{0, 5, 30}, office: span{0, 30, 36},
		number: span{1, 0, 12}, issued: span{1, 0, 4}, given: span{1, 13, 27}, birth: span{1, 27, 33},
		sex: span{1, 34, 35},
		rules: []rule{
			{name: checkNumber, cover: []span{{1, 0, 12}}, digit: span{1, 12, 13}},
			{name: checkBirth, cover: []span{{1, 27, 33}}, digit: span{1, 33, 34}, date: true},
			{name: checkComposite, cover: []span{{0, 0, 36}, {1, 0, 35}}, digit: span{1, 35, 36}},
		},
	}
}

// swissLicences is CHDL, which has no check digits.
func swissLicences() *layout {
	return &layout{
		mask: [][]run{
			{{Letter, 3}, {Digit, 3}, {Letter, 1}, {Filler, 2}},
			{{Letter, 5}, {Digit, 12}, {Filler, 2}, {Digit, 6}, {Filler, 5}},
			{{Letter, 30}},
		},
		number: span{0, 0, 7}, language: span{0, 6, 7}, code: span{1, 0, 2}, state: span{1, 2, 5},
		pin: span{1, 5, 14}, version: span{1, 14, 17}, birth: span{1, 19, 25}, name: span{2, 0, 30},
	}
}

// licences is DL30: what stands between the state and the digit is up to the
// state (ISO/IEC 18013-3, basic access protection).
func licences() *layout {
	return &layout{
		mask: [][]run{{{licence, 1}, {Any, 1}, {Letter, 3}, {Any, 24}, {Numeral, 1}}},
		code: span{0, 0, 2}, state: span{0, 2, 5}, optional: span{0, 5, 29},
		rules: []rule{{name: checkComposite, cover: []span{{0, 0, 29}}, digit: span{0, 29, 30}}},
	}
}

// dutchLicences is DL30 as the Netherlands print it.
func dutchLicences() *layout {
	l := licences()
	l.version, l.number, l.optional = span{0, 5, 6}, span{0, 6, 16}, span{0, 16, 29}
	return l
}

// frenchLicences is DL30 as France prints it: the digit of the number covers
// what is before it too, and the surname stands alone.
func frenchLicences() *layout {
	l := licences()
	l.mask = [][]run{{{licence, 1}, {Any, 1}, {Letter, 3}, {Any, 9}, {Numeral, 1}, {Digit, 6}, {Letter, 8}, {Numeral, 1}}}
	l.number, l.expiry, l.surname, l.optional = span{0, 5, 14}, span{0, 15, 21}, span{0, 21, 29}, span{}
	l.rules = append([]rule{{name: checkNumber, cover: []span{{0, 0, 14}}, digit: span{0, 14, 15}}}, l.rules...)
	return l
}

// class tells what a place may hold; outside the zone it is nothing.
func (l *layout) class(line, col int) Class {
	if line < 0 || line >= len(l.mask) || col < 0 {
		return nothing
	}
	for _, r := range l.mask[line] {
		if col < r.n {
			return r.class
		}
		col -= r.n
	}
	return nothing
}

// layouts holds the layout of each format, and stateLicences those of DL30 by
// issuing state; neither ever changes.
var (
	layouts = map[Format]*layout{
		TD1: cards(), TD2: sheets(), TD3: passports(), FRID: frenchCards(), CHDL: swissLicences(), DL30: licences(),
		MRVA: booklet(visa, Any, []run{{Any, 16}}, 44),
		MRVB: booklet(visa, Any, []run{{Any, 8}}, 36),
	}
	stateLicences = map[string]*layout{"FRA": frenchLicences(), "NLD": dutchLicences()}
)

// layoutOf finds the layout of a format as a state prints it; ok is false for
// Unknown.
func layoutOf(f Format, state string) (l *layout, ok bool) {
	if l, ok = stateLicences[state]; ok && f == DL30 {
		return l, true
	}
	l, ok = layouts[f]
	return l, ok
}
