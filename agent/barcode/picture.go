package barcode

import (
	"image"
	"math"
)

// shrunk is a picture with squares of side by averaged; by 1 is the picture.
func shrunk(g *image.Gray, by int) *image.Gray {
	if by <= 1 {
		return g
	}
	w, h := g.Rect.Dx()/by, g.Rect.Dy()/by
	out := image.NewGray(image.Rect(0, 0, w, h))
	sums := make([]int, w)
	n := by * by
	for y := range h {
		clear(sums)
		for dy := range by {
			row := g.Pix[(y*by+dy)*g.Stride:][:w*by]
			for x := range sums {
				for _, v := range row[x*by:][:by] {
					sums[x] += int(v)
				}
			}
		}
		to := out.Pix[y*out.Stride:][:w]
		for x, s := range sums {
			to[x] = uint8((s + n/2) / n)
		}
	}
	return out
}

// vector is a point or a direction in a picture's pixels, y downward.
type vector struct{ x, y float64 }

func (v vector) add(u vector) vector    { return vector{v.x + u.x, v.y + u.y} }
func (v vector) times(f float64) vector { return vector{v.x * f, v.y * f} }
func (v vector) dot(u vector) float64   { return v.x*u.x + v.y*u.y }
func (v vector) down() vector           { return vector{-v.y, v.x} }
func vectorTo(p image.Point) vector     { return vector{float64(p.X), float64(p.Y)} }
func direction(radians float64) vector  { s, c := math.Sincos(radians); return vector{c, s} }
func (v vector) rounded() image.Point   { return image.Pt(int(math.Round(v.x)), int(math.Round(v.y))) }

// frame is a rectangle that lies askew in a picture: its middle, the direction
// in which it is read, and half its length along and across that.
type frame struct {
	middle       vector
	along        vector // of length 1
	half, across float64
}

// holds reports whether a point lies in the frame.
func (f frame) holds(p vector) bool {
	d := p.add(f.middle.times(-1))
	return math.Abs(d.dot(f.along)) <= f.half && math.Abs(d.dot(f.along.down())) <= f.across
}

// join is the frame around two that are read in one direction and follow each
// other at the same height: apart by less than that height.
func (f frame) join(g frame) (frame, bool) {
	if f.along.dot(g.along) < 0 {
		g.along = g.along.times(-1)
	}
	d := g.middle.add(f.middle.times(-1))
	x, y := d.dot(f.along), d.dot(f.along.down())
	high := max(f.across, g.across)
	overlap := min(f.across, y+g.across) - max(-f.across, y-g.across)
	if f.along.dot(g.along) < 0.97 || overlap < 1.2*high || math.Abs(x)-f.half-g.half > 2*high {
		return frame{}, false
	}
	left, right := min(-f.half, x-g.half), max(f.half, x+g.half)
	top, bottom := min(-f.across, y-g.across), max(f.across, y+g.across)
	return frame{
		middle: f.middle.add(f.along.times((left + right) / 2)).add(f.along.down().times((top + bottom) / 2)),
		along:  f.along, // of the larger piece
		half:   (right - left) / 2,
		across: (bottom - top) / 2,
	}, true
}

// scaled is the frame in a picture that is larger by a factor.
func (f frame) scaled(by float64) frame {
	f.middle, f.half, f.across = f.middle.times(by), f.half*by, f.across*by
	return f
}

// cut is the part of a picture in a frame, upright and enlarged by zoom.
type cut struct {
	*image.Gray
	origin, right, down vector // where a pixel of it lies in the picture
}

// cutOut cuts a frame out of a picture. What lies outside is white paper.
func cutOut(g *image.Gray, f frame, zoom float64) cut {
	w, h := int(2*f.half*zoom), int(2*f.across*zoom)
	c := cut{
		Gray:  image.NewGray(image.Rect(0, 0, w, h)),
		right: f.along.times(1 / zoom),
		down:  f.along.down().times(1 / zoom),
	}
	c.origin = f.middle.add(c.right.times(-float64(w-1) / 2)).add(c.down.times(-float64(h-1) / 2))
	for y := range h {
		start := c.origin.add(c.down.times(float64(y)))
		fillRow(c.Pix[y*c.Stride:][:w], g, start, c.right)
	}
	return c
}

// fillRow samples a picture along a line.
func fillRow(to []uint8, g *image.Gray, at, step vector) {
	const one = 1 << 16 // fixed point: the inner loop runs once for each pixel
	x, y := int(at.x*one), int(at.y*one)
	dx, dy := int(step.x*one), int(step.y*one)
	right, bottom := g.Rect.Dx()-1, g.Rect.Dy()-1
	for i := range to {
		px, py := x>>16, y>>16
		fx, fy := (x&(one-1))>>8, (y&(one-1))>>8
		x, y = x+dx, y+dy
		if px < 0 || py < 0 || px >= right || py >= bottom {
			to[i] = 255
			continue
		}
		p := g.Pix[py*g.Stride+px:]
		upper := int(p[0])*(256-fx) + int(p[1])*fx
		lower := int(p[g.Stride])*(256-fx) + int(p[g.Stride+1])*fx
		to[i] = uint8((upper*(256-fy) + lower*fy) >> 16)
	}
}

// back tells where a pixel of the cut lies in the picture.
func (c cut) back(p image.Point) image.Point {
	return c.origin.add(c.right.times(float64(p.X))).add(c.down.times(float64(p.Y))).rounded()
}

// sharpened is a picture in which each pixel stands out from the mean of the
// square around it, of a radius in pixels: what blur has taken comes back.
func sharpened(g *image.Gray, radius int) *image.Gray {
	const much = 3
	w, h := g.Rect.Dx(), g.Rect.Dy()
	sums := make([]int, (w+1)*(h+1)) // of all pixels above and to the left
	for y := range h {
		row := 0
		for x := range w {
			row += int(g.Pix[y*g.Stride+x])
			sums[(y+1)*(w+1)+x+1] = sums[y*(w+1)+x+1] + row
		}
	}
	out := image.NewGray(g.Rect)
	for y := range h {
		top, bottom := max(0, y-radius)*(w+1), min(h, y+radius+1)*(w+1)
		for x := range w {
			left, right := max(0, x-radius), min(w, x+radius+1)
			n := (right - left) * ((bottom - top) / (w + 1))
			mean := (sums[bottom+right] - sums[bottom+left] - sums[top+right] + sums[top+left]) / n
			v := int(g.Pix[y*g.Stride+x])
			out.Pix[y*out.Stride+x] = uint8(max(0, min(255, v+much*(v-mean))))
		}
	}
	return out
}
