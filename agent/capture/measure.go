package capture

import (
	"cmp"
	"image"
	"math"
	"slices"
)

// The document is measured in tiles: along and across.
const tilesAlong, tilesAcross = 20, 14

// Brightness from which a pixel tells nothing, the share of such pixels that
// washes a tile out, and the brightness of the lighter tiles above which the
// paper itself is that bright, so that a reflection cannot be told from it.
const (
	saturated  = 250
	washedOut  = 0.9
	brightPage = 244
)

// plainPrint is the strength of coarse detail, by brightness, from which print
// stands out plainly.
const plainPrint = 0.5

// tile is what was measured in one part of the document.
type tile struct {
	luma, washed float64
	fine, coarse float64 // mean square of detail at one and at four steps
}

// measure takes brightness, glare and sharpness inside an outline.
func measure(g *image.Gray, q quad) (luma, glare, sharpness float64) {
	pitch := q.pitch(AnyDocument)
	step := max(1, int(pitch/10))
	var tiles []tile
	for v := range tilesAcross {
		for u := range tilesAlong {
			r := q.tile(u, v).Intersect(g.Rect.Inset(4 * step))
			if r.Dx() > step && r.Dy() > step {
				tiles = append(tiles, measureTile(g, r, step))
			}
		}
	}
	if len(tiles) == 0 {
		return 0, 0, 0
	}
	return summarise(tiles)
}

// tile is the upright rectangle around a tile's middle.
func (q quad) tile(u, v int) image.Rectangle {
	at := func(s, t float64) point {
		return point{
			(q[0].x*(1-s)+q[1].x*s)*(1-t) + (q[3].x*(1-s)+q[2].x*s)*t,
			(q[0].y*(1-s)+q[1].y*s)*(1-t) + (q[3].y*(1-s)+q[2].y*s)*t,
		}
	}
	c := at((float64(u)+0.5)/tilesAlong, (float64(v)+0.5)/tilesAcross)
	half := min(q.side(0)/tilesAlong, q.side(1)/tilesAcross) / 2
	return image.Rect(int(c.x-half), int(c.y-half), int(c.x+half)+1, int(c.y+half)+1)
}

// measureTile samples every step-th pixel of half as many rows; the tile keeps
// four steps from the picture's border.
func measureTile(g *image.Gray, r image.Rectangle, step int) tile {
	var sum, washed, fine, coarse, n int
	for y := r.Min.Y; y < r.Max.Y; y += 2 * step {
		for x := r.Min.X; x < r.Max.X; x += step {
			i := y*g.Stride + x
			p := int(g.Pix[i])
			sum += p
			if p >= saturated {
				washed++
			}
			fine += detail(g, i, p, step)
			coarse += detail(g, i, p, 4*step)
			n++
		}
	}
	f := float64(n)
	return tile{float64(sum) / f, float64(washed) / f, float64(fine) / f, float64(coarse) / f}
}

// detail is the strength of the second differences at a distance, squared.
func detail(g *image.Gray, i, p, d int) int {
	h := 2*p - int(g.Pix[i-d]) - int(g.Pix[i+d])
	v := 2*p - int(g.Pix[i-d*g.Stride]) - int(g.Pix[i+d*g.Stride])
	return h*h + v*v
}

// summarise joins the tiles. Sharpness is taken where there is most to see, the
// tenth of the tiles with the most coarse detail; what the plainest tiles show
// of fine detail is the camera's noise and is taken off first. Where coarse
// detail is weak too, for the light there is, print is blurred so far that the
// ratio tells nothing more, and sharpness falls with it.
func summarise(tiles []tile) (luma, glare, sharpness float64) {
	slices.SortFunc(tiles, func(a, b tile) int { return cmp.Compare(a.luma, b.luma) })
	paper := tiles[len(tiles)*3/5].luma
	for _, t := range tiles {
		luma += t.luma
		if t.washed >= washedOut && paper < brightPage {
			glare++
		}
	}
	n := float64(len(tiles))
	slices.SortFunc(tiles, func(a, b tile) int { return cmp.Compare(a.fine, b.fine) })
	noise := tiles[len(tiles)/10].fine
	slices.SortFunc(tiles, func(a, b tile) int { return cmp.Compare(b.coarse, a.coarse) })
	var fine, coarse float64
	for _, t := range tiles[:max(1, len(tiles)/10)] {
		fine, coarse = fine+max(0, t.fine-noise), coarse+max(0, t.coarse-noise)
	}
	luma /= n
	contrast := math.Sqrt(coarse/float64(max(1, len(tiles)/10))) / max(1, luma)
	return luma, glare / n, math.Sqrt(fine/max(1, coarse)) * min(1, contrast/plainPrint)
}

// meanLuma is the brightness of a whole frame, from every fourth pixel of every
// fourth row.
func meanLuma(g *image.Gray) float64 {
	var sum, n int
	for y := 0; y < g.Rect.Dy(); y += 4 {
		for x := 0; x < g.Rect.Dx(); x += 4 {
			sum += int(g.Pix[y*g.Stride+x])
			n++
		}
	}
	return float64(sum) / float64(max(1, n))
}
