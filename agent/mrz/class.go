package mrz

import "strings"

// alphabet is every character of a zone (ICAO 9303-3 §4.3).
const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789<"

// Class is the set of characters that a place of a zone allows. The classes are
// no narrower than what states print, so that a reader may use them as a mask.
type Class uint8

// The classes. The zero Class allows nothing.
const (
	nothing  Class = iota
	Letter         // A to Z and <
	Digit          // 0 to 9 and <
	Any            // every character of a zone
	Filler         // only <
	Numeral        // 0 to 9: check digits that are always printed
	Sex            // M, F, X and <
	passport       // P: first letter of a passport
	card           // A, C or I: first letter of a card
	visa           // V: first letter of a visa
	licence        // D: first letter of a driving licence
)

// allowed holds the characters of each Class.
var allowed = [...]string{
	Letter: "ABCDEFGHIJKLMNOPQRSTUVWXYZ<", Digit: "0123456789<", Any: alphabet, Filler: "<",
	Numeral: "0123456789", Sex: "MFX<", passport: "P", card: "ACI", visa: "V", licence: "D",
}

// Allows reports whether the place may hold b.
func (c Class) Allows(b byte) bool {
	return int(c) < len(allowed) && strings.IndexByte(allowed[c], b) >= 0
}

// lookalike gives the character that machines and people take for b, across the
// border of letters and digits: 0 and O, 1 and I, 2 and Z, 5 and S, 6 and G, 8
// and B. Each has one only, so that an alphabet leaves one possibility; 0 where
// there is none.
func lookalike(b byte) byte {
	const digits, letters = "012568", "OIZSGB"
	if i := strings.IndexByte(digits, b); i >= 0 {
		return letters[i]
	}
	if i := strings.IndexByte(letters, b); i >= 0 {
		return digits[i]
	}
	return 0
}

// correct replaces a character that the class refuses by its lookalike, where
// that is allowed.
func (c Class) correct(b byte) byte {
	if other := lookalike(b); !c.Allows(b) && other != 0 && c.Allows(other) {
		return other
	}
	return b
}

// run is n places of one class in a row.
type run struct {
	class Class
	n     int
}

// Class tells what a place of a zone may hold; line and col count from 0.
// Outside the zone it is a Class that allows nothing.
func (f Format) Class(line, col int) Class {
	l, ok := layouts[f]
	if !ok {
		return nothing
	}
	return l.class(line, col)
}

// Lines gives the length of each line of a zone, nil for Unknown.
func (f Format) Lines() []int {
	l, ok := layouts[f]
	if !ok {
		return nil
	}
	out := make([]int, len(l.mask))
	for i, runs := range l.mask {
		for _, r := range runs {
			out[i] += r.n
		}
	}
	return out
}

// CheckDigit computes the check digit of s, '0' to '9', with the weights 7, 3
// and 1 (ICAO 9303-3 §4.9). A letter counts 10 to 35, the filler 0. The answer
// is '?', which no digit equals, where s holds a character that no zone has.
func CheckDigit(s string) byte {
	sum := 0
	for i := range len(s) {
		value := strings.IndexByte("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", s[i])
		if value < 0 && s[i] != '<' {
			return '?'
		}
		sum += max(value, 0) * [...]int{7, 3, 1}[i%3]
	}
	return '0' + byte(sum%10)
}
