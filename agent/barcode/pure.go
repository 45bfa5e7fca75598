package barcode

import (
	"errors"
	"image"
	"math"
	"time"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/aztec"
	"github.com/makiuchi-d/gozxing/datamatrix"
)

// pure is gozxing: Go alone, for every platform.
type pure struct{}

func (pure) offers() set { return matrix | linear }

// look reads one QR code after another, and at most one Data Matrix and one
// Aztec code, which gozxing looks for around the picture's middle only.
func (pure) look(g *image.Gray, among set, until time.Time) ([]Symbol, error) {
	bitmap, err := bitmapOf(g)
	if err != nil {
		return nil, err
	}
	l := pureLook{until: until}
	l.step(among&onlyQR, func() { l.codes(bitmap) })
	l.step(among&onlyDataMatrix, func() { l.single(DataMatrix, datamatrix.NewDataMatrixReader(), bitmap) })
	l.step(among&onlyAztec, func() { l.single(Aztec, aztec.NewAztecReader(), bitmap) })
	l.step(among&linear, func() { l.lines(g, among, false) })
	l.step(among&linear, func() { l.lines(transposed(g), among, true) })
	return l.found, nil
}

// bitmapOf wraps a picture without copying it.
func bitmapOf(g *image.Gray) (*gozxing.BinaryBitmap, error) {
	w, h := g.Rect.Dx(), g.Rect.Dy()
	if w < 1 || h < 1 {
		return nil, errors.New("looking for barcodes: no picture")
	}
	source, err := gozxing.NewPlanarYUVLuminanceSource(g.Pix, g.Stride, h, 0, 0, w, h, false)
	if err != nil {
		return nil, err
	}
	return gozxing.NewBinaryBitmap(gozxing.NewHybridBinarizer(source))
}

// transposed is the picture with rows and columns exchanged.
func transposed(g *image.Gray) *image.Gray {
	w, h := g.Rect.Dx(), g.Rect.Dy()
	t := image.NewGray(image.Rect(0, 0, h, w))
	for y := range h {
		for x, v := range g.Pix[y*g.Stride:][:w] {
			t.Pix[x*t.Stride+y] = v
		}
	}
	return t
}

// pureLook gathers what one look finds.
type pureLook struct {
	until time.Time
	found []Symbol
}

// late reports whether the time is up.
func (l *pureLook) late() bool { return !time.Now().Before(l.until) }

// step does one step if it is wanted and there is time. A step in which the
// decoder breaks down over a hostile picture has found what it has found.
func (l *pureLook) step(wanted set, do func()) {
	if wanted == 0 || l.late() {
		return
	}
	defer func() { _ = recover() }()
	do()
}

// asLatin1 makes gozxing read bytes as Latin-1 where a symbol says nothing, so
// that they can be told from its text again.
func asLatin1() map[gozxing.DecodeHintType]any {
	return map[gozxing.DecodeHintType]any{
		gozxing.DecodeHintType_CHARACTER_SET: "ISO-8859-1",
		gozxing.DecodeHintType_TRY_HARDER:    true,
	}
}

// single reads the one symbol that a reader finds.
func (l *pureLook) single(kind Symbology, r gozxing.Reader, bitmap *gozxing.BinaryBitmap) {
	read, err := r.Decode(bitmap, asLatin1())
	if err != nil {
		return
	}
	segments, _ := read.GetResultMetadata()[gozxing.ResultMetadataType_BYTE_SEGMENTS].([][]byte)
	l.add(kind, read.GetText(), segments, fourCorners(read.GetResultPoints()))
}

// add keeps a symbol if its content is within bounds.
func (l *pureLook) add(kind Symbology, text string, segments [][]byte, corners [4]image.Point) {
	content := contentOf(text, segments)
	if len(content) > MaxContent {
		return
	}
	s := Symbol{Symbology: kind, Bytes: content, Text: textOf(content, text, false), Corners: corners}
	l.found = append(l.found, s)
}

// contentOf is the content of a symbol: its byte segments where they are all
// there is, else each letter of its text as the Latin-1 byte that it came from.
func contentOf(text string, segments [][]byte) []byte {
	var all []byte
	for _, s := range segments {
		all = append(all, s...)
	}
	if len(all) > 0 && string(all) == text {
		return all
	}
	content := make([]byte, 0, len(text))
	for _, r := range text {
		if r > math.MaxUint8 {
			return []byte(text)
		}
		content = append(content, byte(r))
	}
	return content
}

// fourCorners turns the points that gozxing gives into corners.
func fourCorners(points []gozxing.ResultPoint) [4]image.Point {
	var c [4]image.Point
	for i, p := range points[:min(len(points), len(c))] {
		c[i] = image.Pt(int(math.Round(p.GetX())), int(math.Round(p.GetY())))
	}
	return c
}
