// Package capture looks at one picture of a document, before or after it is
// read, and says the one thing that the person at the counter should change:
// bring it nearer, move it into the picture, turn the lamp away. It also opens
// picture files from outside within fixed bounds.
//
// It never reads what the document says, never keeps a picture and never takes
// one itself: frames come in as values and a verdict goes out.
//
// # The laws
//
//   - One sentence at a time. A verdict names the first thing in [Order] that is
//     wrong, because whoever is told three things changes none of them.
//   - Measures are taken inside the outline of the document. A lamp reflected
//     beside it, or a dark table, is nobody's business.
//   - A verdict is advice. A frame that the reader accepts is good enough
//     whatever the verdict says, and no verdict ever makes a frame evidence.
//   - A picture is refused by its header before a pixel of it is decoded.
package capture

import (
	"image"

	"github.com/counterproof/counterproof/agent/proof"
)

// Guidance is the one thing to change, as a word of a closed list.
type Guidance string

// The guidance codes, in the order in which they block each other.
const (
	NoDocument Guidance = "no_document" // no outline of a document is seen
	TooSmall   Guidance = "too_small"   // fewer than MinPitch pixels a character
	CutOff     Guidance = "cut_off"     // an edge lies outside the picture
	Tilted     Guidance = "tilted"      // one side is much nearer than the other
	Glare      Guidance = "glare"       // a reflection lies on the document
	TooDark    Guidance = "too_dark"
	Blurred    Guidance = "blurred"
	HoldStill  Guidance = "hold_still" // it moved since the frame before
	OK         Guidance = "ok"
)

// Order lists every Guidance in blocking order: of several faults the first is
// said. OK comes last.
func Order() []Guidance {
	return []Guidance{NoDocument, TooSmall, CutOff, Tilted, Glare, TooDark, Blurred, HoldStill, OK}
}

// Kind is the failure that a person is shown for g; KindNone for OK and for
// words outside the list.
func (g Guidance) Kind() proof.Kind {
	switch g {
	case NoDocument:
		return proof.KindNoDocument
	case TooSmall:
		return proof.KindTooSmall
	case CutOff:
		return proof.KindCutOff
	case Tilted:
		return proof.KindTilted
	case Glare:
		return proof.KindGlare
	case TooDark:
		return proof.KindTooDark
	case Blurred:
		return proof.KindBlurred
	case HoldStill:
		return proof.KindHoldStill
	}
	return proof.KindNone
}

// Shape is what is expected before the camera. It decides how wide the document
// is taken to be when pixels are turned into millimetres.
type Shape int

// The shapes (ISO/IEC 7810). AnyDocument tells a card from a page by the
// proportions of the outline.
const (
	AnyDocument Shape = iota
	Page              // ID-3, a passport's data page, 125 × 88 mm
	Card              // ID-1, 85.60 × 53.98 mm
)

// Widths of the long side in millimetres, and the outline's proportion above
// which AnyDocument takes it for a card (ID-1 is 1.586, ID-3 1.420).
const (
	pageWidth  = 125.0
	cardWidth  = 85.6
	cardAspect = 1.51
)

// pitchWidth is the advance of one OCR-B character in millimetres (ICAO 9303-3
// §4.4: ten characters an inch).
const pitchWidth = 2.54

// Bounds of a good frame.
const (
	// MinPitch is the width of one machine-readable character in pixels below
	// which a nearer picture is asked for: 120 dots per inch. The reader copes
	// with 9 on a steady picture.
	MinPitch = 12.0
	// MinFacing is the least ratio between two opposite sides of the outline; a
	// document tilted further has characters too different in size.
	MinFacing = 0.80
	// MaxGlare is the largest share of the document that a reflection may cover.
	MaxGlare = 0.015
	// MinLuma is the least mean brightness of the document, 0 to 255.
	MinLuma = 45.0
	// MinSharpness is the least Sharpness of a frame that can be read: a blur of
	// about a seventh of a character.
	MinSharpness = 0.05
	// MaxDrift is how far a corner may move from one frame to the next, as a
	// share of the picture's diagonal.
	MaxDrift = 0.012
)

// Verdict is what was seen in one frame and what to say about it.
type Verdict struct {
	Guidance Guidance
	// Outline holds the document's corners in pixels of the frame, clockwise
	// from the one nearest to the top left; only where Found. Corners may lie
	// outside the frame.
	Outline [4]image.Point
	Found   bool
	Size    image.Point // of the frame, in pixels
	Pitch   float64     // pixels that one machine-readable character would be wide
	Facing  float64     // shorter side by the opposite one, the worse of both pairs; 1 is straight on
	Luma    float64     // mean brightness of the document (of the frame if none), 0 to 255
	Glare   float64     // share of the document that is washed out, 0 to 1
	// Sharpness is the strength of the finest detail by that of detail four
	// times coarser, where the document has most of it: 0.3 to 0.7 for a steady
	// picture, whatever its light and size.
	Sharpness float64
}

// Judge looks at one frame. The picture may be of any colour model; an empty
// one has no document. It takes about 15 ms for 1920 pixels and keeps nothing.
func Judge(frame image.Image, want Shape) Verdict {
	g := Gray(frame)
	v := Verdict{Guidance: NoDocument, Size: g.Rect.Size()}
	if min(v.Size.X, v.Size.Y) < MinSide {
		return v
	}
	quad, cut, ok := findOutline(g)
	if !ok {
		v.Luma = meanLuma(g)
		if v.Luma < MinLuma*2/3 {
			v.Guidance = TooDark // nothing can be told about a black picture
		}
		return v
	}
	v.Found = true
	v.Outline = quad.points()
	v.Pitch, v.Facing = quad.pitch(want), quad.facing()
	v.Luma, v.Glare, v.Sharpness = measure(g, quad)
	v.Guidance = v.first(cut)
	return v
}

// first names the first fault in blocking order.
func (v Verdict) first(cut bool) Guidance {
	switch {
	case v.Pitch < MinPitch:
		return TooSmall
	case cut:
		return CutOff
	case v.Facing < MinFacing:
		return Tilted
	case v.Glare > MaxGlare:
		return Glare
	case v.Luma < MinLuma:
		return TooDark
	case v.Sharpness < MinSharpness:
		return Blurred
	}
	return OK
}
