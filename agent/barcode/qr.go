package barcode

import (
	"cmp"
	"image"
	"math"
	"slices"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode/decoder"
	"github.com/makiuchi-d/gozxing/qrcode/detector"
)

// gozxing's own search compares every three finder patterns of a picture, which
// on a sheet full of them takes days, and gives one code. So the patterns are
// gathered and put together here, within bounds.
const (
	maxPatterns = 64 // finder patterns of one picture
	maxTriples  = 48 // sets of three that are tried
	likeness    = 1.4
	// maxSkew is how far three patterns may be from a right angle with equal
	// sides, as a share of the longest side squared.
	maxSkew = 0.6
)

// triple is three finder patterns that may belong to one code.
type triple struct {
	skew float64
	of   [3]*detector.FinderPattern
}

// codes reads the QR codes of a picture.
func (l *pureLook) codes(bitmap *gozxing.BinaryBitmap) {
	bits, err := bitmap.GetBlackMatrix()
	if err != nil {
		return
	}
	used := map[*detector.FinderPattern]bool{}
	for _, t := range triples(l.patterns(bits)) {
		if l.late() || len(l.found) >= MaxSymbols {
			return
		}
		if slices.ContainsFunc(t.of[:], func(p *detector.FinderPattern) bool { return used[p] }) || !l.code(bits, t) {
			continue
		}
		for _, p := range t.of {
			used[p] = true
		}
	}
}

// code reads the code of three patterns.
func (l *pureLook) code(bits *gozxing.BitMatrix, t triple) bool {
	a, b, c := gozxing.ResultPoint_OrderBestPatterns(t.of[0], t.of[1], t.of[2])
	bottomLeft, topLeft, topRight := a.(*detector.FinderPattern), b.(*detector.FinderPattern), c.(*detector.FinderPattern)
	grid, err := detector.NewDetector(bits).ProcessFinderPatternInfo(detector.NewFinderPatternInfo(bottomLeft, topLeft, topRight))
	if err != nil {
		return false
	}
	read, err := decoder.NewDecoder().Decode(grid.GetBits(), asLatin1())
	if err != nil {
		return false
	}
	points := []gozxing.ResultPoint{bottomLeft, topLeft, topRight}
	if mirror, ok := read.GetOther().(*decoder.QRCodeDecoderMetaData); ok {
		mirror.ApplyMirroredCorrection(points)
	}
	l.add(QR, read.GetText(), read.GetByteSegments(), around(points, t.of[0].GetEstimatedModuleSize()))
	return true
}

// around gives the corners of a code from the middles of its patterns, bottom
// left, top left, top right, which lie 3.5 modules inside.
func around(points []gozxing.ResultPoint, module float64) [4]image.Point {
	bl, tl, tr := points[0], points[1], points[2]
	ux, uy := tr.GetX()-tl.GetX(), tr.GetY()-tl.GetY()
	vx, vy := bl.GetX()-tl.GetX(), bl.GetY()-tl.GetY()
	out := 3.5 * module / max(1, math.Hypot(ux, uy))
	down := 3.5 * module / max(1, math.Hypot(vx, vy))
	at := func(u, v float64) image.Point {
		return image.Pt(int(math.Round(tl.GetX()+u*ux+v*vx)), int(math.Round(tl.GetY()+u*uy+v*vy)))
	}
	return [4]image.Point{at(-out, -down), at(1+out, -down), at(1+out, 1+down), at(-out, 1+down)}
}

// triples lists the sets of three patterns that may be a code, likeliest first.
func triples(patterns []*detector.FinderPattern) []triple {
	var all []triple
	for i, a := range patterns {
		for j, b := range patterns[:i] {
			for _, c := range patterns[:j] {
				if skew := skewOf(a, b, c); skew <= maxSkew {
					all = append(all, triple{skew, [3]*detector.FinderPattern{a, b, c}})
				}
			}
		}
	}
	slices.SortStableFunc(all, func(s, t triple) int { return cmp.Compare(s.skew, t.skew) })
	return all[:min(len(all), maxTriples)]
}

// skewOf measures how far three patterns are from the shape of a code: of one
// size, at a right angle, with equal sides.
func skewOf(a, b, c *detector.FinderPattern) float64 {
	sizes := []float64{a.GetEstimatedModuleSize(), b.GetEstimatedModuleSize(), c.GetEstimatedModuleSize()}
	if slices.Max(sizes) > likeness*slices.Min(sizes) {
		return math.Inf(1)
	}
	sides := []float64{apart(a, b), apart(b, c), apart(a, c)}
	slices.Sort(sides)
	return (math.Abs(sides[2]-2*sides[1]) + math.Abs(sides[2]-2*sides[0])) / max(1, sides[2])
}

// apart is the squared distance of two patterns.
func apart(a, b *detector.FinderPattern) float64 {
	dx, dy := a.GetX()-b.GetX(), a.GetY()-b.GetY()
	return dx*dx + dy*dy
}

// rowStep is the distance of the rows in which patterns are looked for, in
// pixels: a pattern's middle is three modules high.
const rowStep = 2

// patterns finds the finder patterns of a picture, at most maxPatterns.
func (l *pureLook) patterns(bits *gozxing.BitMatrix) []*detector.FinderPattern {
	finder := detector.NewFinderPatternFinder(bits, nil)
	for y := rowStep; y < bits.GetHeight() && !l.late(); y += rowStep {
		var runs [5]int // the last five runs of one colour, dark at both ends
		dark, n := false, 0
		for x := 0; x <= bits.GetWidth(); x++ {
			is := x < bits.GetWidth() && bits.Get(x, y)
			if is == dark {
				n++
				continue
			}
			copy(runs[:], runs[1:])
			runs[4] = n
			if dark && ringed(runs) {
				finder.HandlePossibleCenter(runs[:], y, x)
			}
			dark, n = is, 1
		}
		if len(finder.GetPossibleCenters()) >= maxPatterns {
			break
		}
	}
	found := finder.GetPossibleCenters()
	return found[:min(len(found), maxPatterns)]
}

// ringed reports whether five runs are as 1:1:3:1:1, each within half a module.
func ringed(runs [5]int) bool {
	total := 0
	for _, n := range runs {
		total += n
	}
	module := float64(total) / 7
	for i, n := range runs {
		want := 1.0
		if i == 2 {
			want = 3
		}
		if n == 0 || math.Abs(float64(n)-want*module) >= want*module/2 {
			return false
		}
	}
	return true
}
