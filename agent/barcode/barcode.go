// Package barcode reads the symbols in a picture from a camera or a scanner:
// PDF417 of driving licences, QR and Code 128 of letters, and others.
//
// On Linux with cgo it looks with zxing-cpp, else with gozxing, which knows no
// PDF417; Offered tells what this build can find. The tag nozxing chooses
// gozxing where zxing-cpp is not to be had. Both see the same pictures: the
// whole one, and then each place that looks like a symbol, turned upright and
// enlarged, because neither reads striped symbols that lie askew.
//
// It gives what is written and judges nothing: whether a payload is a licence or
// a letter is for others to say. It keeps and logs nothing.
//
// # The laws
//
//   - A symbol is reported only if its own check held: error correction, check
//     character, or several lines of the picture that agree.
//   - A picture is hostile. Its size, the time spent on it, the number of symbols
//     and their lengths are bounded. C++ sees it in a process of its own only.
//   - Bytes are what the symbol holds. Text is derived from them, never the
//     other way round.
package barcode

import (
	"cmp"
	"errors"
	"fmt"
	"image"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/counterproof/counterproof/agent/capture"
	"github.com/counterproof/counterproof/agent/proof"
)

// Bounds of a reading.
const (
	// MinSide is the least height and width of a picture in pixels.
	MinSide = 16
	// MaxPixels is the number of pixels from which a picture is refused.
	MaxPixels = capture.MaxPixels
	// MaxSymbols is how many symbols are reported of one picture.
	MaxSymbols = 16
	// MaxContent is the most bytes that a symbol may hold: the digits of the
	// largest QR code (ISO/IEC 18004, version 40-L). Longer ones are no symbols.
	MaxContent = 7089
	// Budget is the time after which nothing more is tried.
	Budget = 2 * time.Second
)

// Symbology is a kind of symbol, by the name that AIM gives it.
type Symbology string

// The symbologies.
const (
	PDF417     Symbology = "PDF417"     // ISO/IEC 15438; driving licences by AAMVA
	QR         Symbology = "QR"         // ISO/IEC 18004
	DataMatrix Symbology = "DataMatrix" // ISO/IEC 16022, ECC 200
	Aztec      Symbology = "Aztec"      // ISO/IEC 24778
	Code128    Symbology = "Code128"    // ISO/IEC 15417
	Code39     Symbology = "Code39"     // ISO/IEC 16388; its check character is not checked
	EAN13      Symbology = "EAN13"      // ISO/IEC 15420; UPC-A is one that begins with 0
	EAN8       Symbology = "EAN8"       // ISO/IEC 15420
)

// Symbol is one symbol of a picture. A part of a message that is spread over
// several symbols is a Symbol like any other.
type Symbol struct {
	Symbology Symbology
	// Text is the content as UTF-8: Bytes as they are if they are UTF-8, else
	// as the symbol's own character set or Latin-1 says.
	Text string
	// Bytes is the content as the symbol holds it.
	Bytes []byte
	// Corners lie about where the symbol does, in the picture's pixels and
	// clockwise: good enough to mark it on a preview. Of a linear symbol they
	// enclose the lines that were read.
	Corners [4]image.Point
}

// Options say how to read. The zero value reads everything that is offered.
type Options struct {
	// Among limits the reading to some symbologies, which is quicker. Those
	// that this build does not offer are never found.
	Among []Symbology
	// Within bounds the time, if it is more than 0 and less than Budget. A try
	// that has begun may end some tenths of a second later.
	Within time.Duration
}

// Offered lists the symbologies that this build finds.
func Offered() []Symbology { return best().offers().list() }

// Read finds the symbols in a picture, from top to bottom, each content once.
// None is an answer too. An error is a *proof.Error of Kind KindNotPicture,
// KindPictureTiny or KindPictureHuge: the picture was not looked at.
func Read(img image.Image, o Options) ([]Symbol, error) {
	return read(best(), img, o.Among, time.Now().Add(o.within()))
}

// within is the time that a reading may take.
func (o Options) within() time.Duration {
	if o.Within <= 0 {
		return Budget
	}
	return min(o.Within, Budget)
}

// read is Read with a chosen engine and up to a given time.
func read(e engine, img image.Image, among []Symbology, until time.Time) ([]Symbol, error) {
	if err := check(img); err != nil {
		return nil, err
	}
	s := search{engine: e, among: e.offers(), until: until}
	if len(among) > 0 {
		s.among &= setOf(among...)
	}
	s.over(capture.Gray(img))
	return arrange(s.found, img.Bounds()), nil
}

// check refuses pictures that are out of bounds.
func check(img image.Image) error {
	if img == nil {
		return refusal(proof.KindNotPicture, errors.New("no picture was given"))
	}
	w, h := img.Bounds().Dx(), img.Bounds().Dy()
	if min(w, h) < MinSide {
		return refusal(proof.KindPictureTiny, fmt.Errorf("%d × %d pixels", w, h))
	}
	if int64(w)*int64(h) >= MaxPixels {
		return refusal(proof.KindPictureHuge, fmt.Errorf("%d × %d pixels", w, h))
	}
	return nil
}

// refusal wraps the reason why a picture is not looked at.
func refusal(kind proof.Kind, err error) error {
	return &proof.Error{Op: "looking for barcodes", Kind: kind, Err: err}
}

// arrange puts symbols in order from top to bottom, and their corners clockwise
// and into the picture's bounds: a decoder may lay them a little outside.
func arrange(found []Symbol, bounds image.Rectangle) []Symbol {
	slices.SortStableFunc(found, func(a, b Symbol) int {
		p, q := a.middle(), b.middle()
		return cmp.Or(cmp.Compare(p.Y, q.Y), cmp.Compare(p.X, q.X))
	})
	for i := range found {
		c := &found[i].Corners
		for k, p := range c {
			c[k] = image.Pt(max(0, min(p.X, bounds.Dx()-1)), max(0, min(p.Y, bounds.Dy()-1))).Add(bounds.Min)
		}
		if area(*c) < 0 {
			c[1], c[3] = c[3], c[1]
		}
	}
	return found
}

// area is twice the area of a quadrilateral, less than 0 if it runs anticlockwise.
func area(c [4]image.Point) int {
	sum := 0
	for i, p := range c {
		q := c[(i+1)%len(c)]
		sum += p.X*q.Y - q.X*p.Y
	}
	return sum
}

// middle is the point between the corners.
func (s Symbol) middle() image.Point {
	sum := image.Point{}
	for _, c := range s.Corners {
		sum = sum.Add(c)
	}
	return sum.Div(len(s.Corners))
}

// same reports whether two symbols say the same in the same way.
func (s Symbol) same(t Symbol) bool {
	return s.Symbology == t.Symbology && string(s.Bytes) == string(t.Bytes)
}

// textOf is the content as text: the bytes themselves where they are UTF-8 and
// the symbol names no other character set, else as the decoder has it, else as
// Latin-1.
func textOf(content []byte, decoded string, named bool) string {
	switch {
	case !named && utf8.Valid(content):
		return string(content)
	case utf8.ValidString(decoded):
		return decoded
	}
	letters := make([]rune, len(content))
	for i, c := range content {
		letters[i] = rune(c)
	}
	return string(letters)
}
