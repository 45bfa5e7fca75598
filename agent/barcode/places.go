package barcode

import (
	"cmp"
	"image"
	"math"
	"slices"
)

// Places are found by their edges: a picture is laid out in tiles, and tiles
// full of edges that touch are a place. Where the edges run one way it is a
// striped symbol, to be read across them; else it may be a matrix.
const (
	tileSide  = 16   // pixels
	leastEdge = 250. // mean squared slope of a tile full of edges
	oneWay    = 0.45 // coherence from which edges run one way
	likeTurn  = 0.35 // radians by which neighbours' directions may differ
	maxPieces = 48   // groups of tiles of a picture, the largest
	maxPlaces = 6    // places of a kind, the largest
	margin    = 1.2  // tiles around a place: a quiet zone and what was missed
	leastLong = 4    // tiles along a place
	leastHigh = 2    // tiles across it
)

// tensor sums squared slopes; its main direction is that across the edges. Sums
// of fourth powers tell the two directions of edges that cross at right angles.
type tensor struct{ xx, yy, xy, four, ofFour float64 }

func (t tensor) plus(u tensor) tensor {
	return tensor{t.xx + u.xx, t.yy + u.yy, t.xy + u.xy, t.four + u.four, t.ofFour + u.ofFour}
}

// coherence is 1 where all slopes run one way and 0 where they run every way.
func (t tensor) coherence() float64 {
	if t.xx+t.yy == 0 {
		return 0
	}
	return math.Hypot(t.xx-t.yy, 2*t.xy) / (t.xx + t.yy)
}

// angle is the main direction of the slopes in radians, between ±π/2.
func (t tensor) angle() float64 { return math.Atan2(2*t.xy, t.xx-t.yy) / 2 }

// crossed is the lesser turn from upright of edges that cross, in radians
// between ±π/4.
func (t tensor) crossed() float64 { return math.Atan2(t.ofFour, t.four) / 4 }

// tiles is a picture laid out in tiles.
type tiles struct {
	w, h int
	of   []tensor
}

// tilesOf sums the slopes in each tile of a picture.
func tilesOf(g *image.Gray) tiles {
	t := tiles{w: g.Rect.Dx() / tileSide, h: g.Rect.Dy() / tileSide}
	t.of = make([]tensor, t.w*t.h)
	for y := 1; y < t.h*tileSide-1; y++ {
		for tx := range t.w {
			left, right := max(1, tx*tileSide), min((tx+1)*tileSide, g.Rect.Dx()-1)
			at := &t.of[y/tileSide*t.w+tx]
			*at = at.plus(slopes(g, y, left, right))
		}
	}
	return t
}

// slopes sums the slopes of a piece of a row, by Sobel's masks: plainer ones
// tell the directions of sharp edges wrong.
func slopes(g *image.Gray, y, left, right int) tensor {
	n := right - left
	above := g.Pix[(y-1)*g.Stride+left-1:][:n+2]
	row := g.Pix[y*g.Stride+left-1:][:n+2]
	below := g.Pix[(y+1)*g.Stride+left-1:][:n+2]
	xx, yy, xy, four, ofFour := 0, 0, 0, 0, 0
	for i := range n {
		a, b, c := int(above[i]), int(above[i+1]), int(above[i+2])
		d, e := int(row[i]), int(row[i+2])
		f, h, j := int(below[i]), int(below[i+1]), int(below[i+2])
		dx, dy := (c+2*e+j-a-2*d-f)/4, (f+2*h+j-a-2*b-c)/4
		re, im := dx*dx-dy*dy, 2*dx*dy // (dx+i·dy)², to be squared again
		xx, yy, xy = xx+dx*dx, yy+dy*dy, xy+dx*dy
		four, ofFour = four+re*re-im*im, ofFour+2*re*im
	}
	return tensor{float64(xx), float64(yy), float64(xy), float64(four), float64(ofFour)}
}

// turn is the angle between two directions, without regard to which way.
func turn(a, b float64) float64 {
	d := math.Mod(math.Abs(a-b), math.Pi)
	return min(d, math.Pi-d)
}

// places finds the places of a picture that are striped, or those that are not.
func (t tiles) places(striped bool) []frame {
	is := make([]bool, len(t.of))
	for i, one := range t.of {
		full := one.xx+one.yy >= leastEdge*tileSide*tileSide
		is[i] = full && (!striped || one.coherence() >= oneWay)
	}
	var pieces [][]int
	for i := range is {
		if is[i] {
			pieces = append(pieces, t.grow(i, is, striped))
		}
	}
	slices.SortStableFunc(pieces, func(a, b []int) int { return cmp.Compare(len(b), len(a)) })
	var found []frame
	for _, group := range pieces[:min(len(pieces), maxPieces)] {
		found = append(found, t.frame(group, striped))
	}
	found = slices.DeleteFunc(joined(found), func(f frame) bool {
		return f.half < leastLong*tileSide/2 || f.across < leastHigh*tileSide/2
	})
	slices.SortStableFunc(found, func(a, b frame) int { return cmp.Compare(b.half*b.across, a.half*a.across) })
	found = found[:min(len(found), maxPlaces)]
	for i := range found {
		found[i].half += margin * tileSide
		found[i].across += margin * tileSide
	}
	return found
}

// joined puts frames together that follow each other in one direction: wide
// spaces break a symbol into pieces.
func joined(frames []frame) []frame {
	for i := 0; i < len(frames); i++ {
		for j := i + 1; j < len(frames); j++ {
			if whole, ok := frames[i].join(frames[j]); ok {
				frames[i] = whole
				frames = slices.Delete(frames, j, j+1)
				j = i // the larger one may reach what it did not before
			}
		}
	}
	return frames
}

// grow gathers the tiles that touch a tile, and takes them from is.
func (t tiles) grow(from int, is []bool, striped bool) []int {
	group := []int{from}
	is[from] = false
	for at := 0; at < len(group); at++ {
		i := group[at]
		for dy := -1; dy <= 1; dy++ {
			for dx := -1; dx <= 1; dx++ {
				x, y := i%t.w+dx, i/t.w+dy
				if x < 0 || y < 0 || x >= t.w || y >= t.h || !is[y*t.w+x] {
					continue
				}
				if striped && turn(t.of[i].angle(), t.of[y*t.w+x].angle()) > likeTurn {
					continue
				}
				is[y*t.w+x] = false
				group = append(group, y*t.w+x)
			}
		}
	}
	return group
}

// frame lays a frame around a group of tiles: along the slopes of a striped
// one, along one of two around any other.
func (t tiles) frame(group []int, striped bool) frame {
	sum := tensor{}
	for _, i := range group {
		sum = sum.plus(t.of[i])
	}
	along := direction(sum.crossed())
	if striped {
		along = direction(sum.angle())
	}
	low, high := vector{math.Inf(1), math.Inf(1)}, vector{math.Inf(-1), math.Inf(-1)}
	for _, i := range group {
		p := vector{float64(i%t.w) + 0.5, float64(i/t.w) + 0.5}.times(tileSide)
		u, v := p.dot(along), p.dot(along.down())
		low, high = vector{min(low.x, u), min(low.y, v)}, vector{max(high.x, u), max(high.y, v)}
	}
	return frame{
		middle: along.times((low.x + high.x) / 2).add(along.down().times((low.y + high.y) / 2)),
		along:  along,
		half:   (high.x - low.x + tileSide) / 2,
		across: (high.y - low.y + tileSide) / 2,
	}
}
