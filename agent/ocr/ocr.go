// Package ocr reads the machine-readable zone of a document in a picture: it
// finds lines of evenly spaced characters, lays them straight, reads them with a
// small network of its own and settles on the one text that the format, the
// check digits and the list of states allow. It also tells where on the document
// the portrait must be.
//
// It never reads printed fields, never keeps a picture, and knows no device and
// no clock. Everything in a picture is hostile: work is bounded by the picture's
// size, and the network's answer is nothing but likelihoods.
//
// # The laws
//
//   - A reading is accepted or it is not; nothing in between is passed on as if
//     it were true. Accepted means that every check digit agrees, the mean
//     likelihood is above a floor, and no other text that the check digits would
//     let pass is nearly as likely.
//   - A character is replaced only where a check digit then agrees, at most two
//     of them; a state's code only by one that exists.
//   - A format without a check digit is not read at all.
//   - The same picture gives the same reading.
package ocr

import (
	"image"
	"sync"

	"github.com/counterproof/counterproof/agent/mrz"
	"github.com/counterproof/counterproof/agent/ocr/strip"
	"github.com/counterproof/counterproof/agent/proof"
)

// Floors of the mean logarithm of probability a character.
const (
	// ScoreFloor is the least score of an accepted reading. On 77 photographs
	// and scans of public specimen documents it refused every wrong reading but
	// two and none of the 67 right ones; -0.30 is three characters in four read
	// at a probability above 0.74.
	ScoreFloor = -0.30
	// LooseFloor is the least score of formats without a digit over the whole
	// zone (visas) or with a single digit (driving licences), where the digits
	// catch less.
	LooseFloor = -0.20
)

// Reading is what was read in a picture. Lines, Document, Score, Corners and
// Pitch speak of the best candidate, also where it was not accepted; Lines is
// empty where none was found.
type Reading struct {
	Accepted bool
	Document mrz.Document
	Lines    []string
	Format   mrz.Format // mrz.Unknown where no zone was found
	// Score is the mean natural logarithm of probability a character, 0 at best.
	Score float64
	// Corners of the zone's characters in pixels of the picture: top left, top
	// right, bottom right, bottom left of the document held upright.
	Corners [4]image.Point
	// Upright is how far upright text is turned clockwise in the picture: 0, 90,
	// 180 or 270 degrees.
	Upright int
	// Pitch is the mean advance of a character in pixels; a tenth of an inch.
	Pitch float64
	// Guidance is what to show where the reading was not accepted, the most
	// useful first: a word of package capture about the picture, or no_mrz, or
	// mrz_checks_failed where a zone was read well and its digits disagree. Empty
	// if accepted.
	Guidance []proof.Kind
}

// Reader reads pictures. It is safe for use by several callers at once.
type Reader struct {
	net      *network
	grammars []grammar
	codes    []code
	desks    sync.Pool // of *desk
}

// desk is room for one picture's work.
type desk struct {
	finder  strip.Finder
	tape    tape
	lattice lattice
	strip   []uint8
}

// NewReader unpacks the network. It fails only if the program is damaged.
func NewReader() (*Reader, error) {
	net, err := newNetwork(weightFile)
	if err != nil {
		return nil, err
	}
	r := &Reader{net: net, grammars: grammars(), codes: stateCodes()}
	r.desks.New = func() any { return new(desk) }
	return r, nil
}
