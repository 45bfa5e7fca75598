// Package strip finds the lines of a machine-readable zone in a picture and lays
// them straight. Such a zone is printed at even distances, ten characters an
// inch, which nothing else on a document is; so its lines are found by that
// alone, however the page is turned or leans.
//
// It never tells what a character is.
//
// # The laws
//
//   - Places are numbers along a line's curve, not pixels: whoever reads a strip
//     can say where on the picture each character stands.
//   - Work is bounded by the picture's size and by the number of marks, chains
//     and columns that are looked at.
package strip

import (
	"image"
	"math"
)

// The size of a strip in pixels: its height, and its columns a character.
const (
	Height    = 24
	CellWidth = 17
)

// mostColumns bounds a strip; the longest line that is read has 44 characters.
const mostColumns = 1400

// Lay lays a curve straight from one number along it to another, as a picture of
// Height rows of width pixels, whose column u stands at from + (u+0.5)/CellWidth.
// The width is a multiple of 4. room is used for the result if it suffices.
func Lay(g *image.Gray, c Curve, from, to float64, room []uint8) (pix []uint8, width int) {
	width = min(max(int((to-from)*CellWidth)&^3, 4), mostColumns)
	pix = sized(room, Height*width)
	for u := range width {
		k := from + (float64(u)+0.5)/CellWidth
		x, y := c.At(k)
		dx, dy := c.Slope(k)
		column{g: g, x: x, y: y, dx: dx / CellWidth, dy: dy / CellWidth}.sample(pix[u:], width)
	}
	return pix, width
}

// column is one column of a strip: the place of its middle and the step from one
// column to the next; rows run at a right angle to it.
type column struct {
	g            *image.Gray
	x, y, dx, dy float64
}

// sample fills a column. Where the strip is smaller than the picture each of its
// pixels is the mean of several.
func (c column) sample(out []uint8, stride int) {
	size := math.Hypot(c.dx, c.dy)
	n := int(min(max(size+0.3, 1), 4))
	f := float64(n)
	for v := range Height {
		var sum int
		for i := range n {
			down := float64(v) - (Height-1)/2.0 + (float64(i)+0.5)/f - 0.5
			for j := range n {
				right := (float64(j)+0.5)/f - 0.5
				sum += between(c.g, c.x+c.dx*right-c.dy*down, c.y+c.dy*right+c.dx*down)
			}
		}
		out[v*stride] = uint8(sum / (n * n))
	}
}

// between is the brightness at a place between pixels; beyond the picture its
// border goes on.
func between(g *image.Gray, x, y float64) int {
	const one = 256
	w, h := g.Rect.Dx(), g.Rect.Dy()
	fx := int(min(max(x, 0), float64(w-1)) * one)
	fy := int(min(max(y, 0), float64(h-1)) * one)
	ix, iy := fx/one, fy/one
	ax, ay := fx%one, fy%one
	right := min(ix+1, w-1) - ix
	row := g.Pix[iy*g.Stride+ix:]
	below := row
	if iy+1 < h {
		below = g.Pix[(iy+1)*g.Stride+ix:]
	}
	upper := int(row[0])*(one-ax) + int(row[right])*ax
	lower := int(below[0])*(one-ax) + int(below[right])*ax
	return (upper*(one-ay) + lower*ay + one*one/2) / (one * one)
}
