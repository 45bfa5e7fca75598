package barcode

import (
	"image"
	"slices"
	"time"
)

// engine is a decoder of symbols.
type engine interface {
	// offers is what look can find.
	offers() set
	// look finds symbols in a gray picture whose origin is 0,0, with corners in
	// its pixels. It ends soon after until. An error means that the engine
	// failed, not that there is nothing.
	look(g *image.Gray, among set, until time.Time) ([]Symbol, error)
}

// set is a set of symbologies: bit n stands for number n of every.
type set uint32

// The sets that are looked for apart.
const (
	onlyPDF417 set = 1 << iota
	onlyQR
	onlyDataMatrix
	onlyAztec
	onlyCode128
	onlyCode39
	onlyEAN13
	onlyEAN8

	matrix  = onlyQR | onlyDataMatrix | onlyAztec
	linear  = onlyCode128 | onlyCode39 | onlyEAN13 | onlyEAN8
	striped = onlyPDF417 | linear
)

// every lists the symbologies in the order of their bits, which is also that of
// the table in zxing_linux.cpp.
func every() []Symbology {
	return []Symbology{PDF417, QR, DataMatrix, Aztec, Code128, Code39, EAN13, EAN8}
}

// setOf is the set of some symbologies; unknown ones are left out.
func setOf(among ...Symbology) set {
	s := set(0)
	for n, one := range every() {
		if slices.Contains(among, one) {
			s |= 1 << n
		}
	}
	return s
}

// list lists the symbologies of a set.
func (s set) list() []Symbology {
	var l []Symbology
	for n, one := range every() {
		if s&(1<<n) != 0 {
			l = append(l, one)
		}
	}
	return l
}

// either looks with the second engine where the first one failed: a picture
// that breaks one decoder, or takes all its time, is not lost for the other. So
// the first has half of what time there is.
type either [2]engine

func (e either) offers() set { return e[0].offers() }

func (e either) look(g *image.Gray, among set, until time.Time) ([]Symbol, error) {
	half := time.Now().Add(time.Until(until) / 2)
	found, err := e[0].look(g, among, half)
	if err != nil {
		return e[1].look(g, among&e[1].offers(), until)
	}
	return found, nil
}
