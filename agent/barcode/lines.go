package barcode

import (
	"image"
	"math"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/oned"
)

// Linear symbols are read along some rows of a picture. One row alone may read
// anything into a texture, so several must agree.
const (
	maxRows  = 96 // rows of a picture that are read
	agreeing = 4  // rows that must agree
)

// lineReader reads one kind of linear symbol.
type lineReader struct {
	kind Symbology
	oned.RowDecoder
}

// lineReaders are the readers of the wanted kinds.
func lineReaders(among set) []lineReader {
	var all []lineReader
	add := func(kind Symbology, r gozxing.Reader) {
		if rows, ok := r.(oned.RowDecoder); ok && among&setOf(kind) != 0 {
			all = append(all, lineReader{kind: kind, RowDecoder: rows})
		}
	}
	add(Code128, oned.NewCode128Reader())
	add(Code39, oned.NewCode39Reader())
	add(EAN13, oned.NewEAN13Reader())
	add(EAN8, oned.NewEAN8Reader())
	return all
}

// line is what some rows said: the text, the number of rows, and the ends of
// the symbol in the first and the last of them.
type line struct {
	kind        Symbology
	text        string
	rows        int
	first, last [2]image.Point // where the reading begins, where it ends
}

// lines reads the linear symbols that lie along the rows of a picture, which may
// have been transposed.
func (l *pureLook) lines(g *image.Gray, among set, turned bool) {
	bitmap, err := bitmapOf(g)
	if err != nil {
		return
	}
	var all []line
	readers := lineReaders(among)
	step := max(1, g.Rect.Dy()/maxRows)
	row := gozxing.NewBitArray(g.Rect.Dx())
	for y := step / 2; y < g.Rect.Dy() && !l.late(); y += step {
		if row, err = bitmap.GetBlackRow(y, row); err != nil {
			row = gozxing.NewBitArray(g.Rect.Dx()) // too little contrast
			continue
		}
		for _, backward := range []bool{false, true} {
			if backward {
				row.Reverse()
			}
			for _, r := range readers {
				all = r.along(row, y, backward, all)
			}
		}
	}
	for _, one := range all {
		one.report(l, turned)
	}
}

// along reads one row and adds what it says to the lines.
func (r lineReader) along(row *gozxing.BitArray, y int, backward bool, all []line) []line {
	read, err := r.DecodeRow(y, row, nil)
	if err != nil || len(read.GetResultPoints()) < 2 || read.GetText() == "" {
		return all
	}
	var ends [2]image.Point
	for i, p := range read.GetResultPoints()[:2] {
		x := int(math.Round(p.GetX()))
		if backward {
			x = row.GetSize() - 1 - x
		}
		ends[i] = image.Pt(x, y)
	}
	for i := range all {
		if all[i].kind == r.kind && all[i].text == read.GetText() {
			all[i].rows++
			all[i].last = ends
			return all
		}
	}
	return append(all, line{kind: r.kind, text: read.GetText(), rows: 1, first: ends, last: ends})
}

// report adds a line as a symbol if enough rows agreed on it.
func (n line) report(l *pureLook, turned bool) {
	need := agreeing
	if n.kind == Code39 {
	}
	if n.rows < need {
		return
	}
	corners := [4]image.Point{n.first[0], n.first[1], n.last[1], n.last[0]}
	if turned {
		for i, p := range corners {
			corners[i] = image.Pt(p.Y, p.X)
		}
	}
	l.add(n.kind, n.text, nil, corners)
}
