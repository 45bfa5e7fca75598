package barcode

import (
	"image"
	"math"
	"slices"
	"time"
)

// Sizes at which pictures are looked at, in pixels.
const (
	workSide = 2048 // pictures are shrunk by the number that leads nearest to it
	cutSide  = 2000 // a place is not enlarged beyond this
)

// search gathers the symbols of one picture.
type search struct {
	engine engine
	among  set
	until  time.Time
	found  []Symbol
}

// over looks at the whole picture, then closely at each place that looks like a
// symbol and is not explained by one that was found.
func (s *search) over(g *image.Gray) {
	if s.among == 0 {
		return
	}
	side := max(g.Rect.Dx(), g.Rect.Dy())
	by := max(1, (side+workSide/2)/workSide)
	small := shrunk(g, by)
	s.look(small, s.among, func(p image.Point) image.Point { return p.Mul(by) })
	t := tilesOf(small)
	for _, kind := range []set{striped, matrix} {
		if s.among&kind == 0 {
			continue
		}
		for _, f := range t.places(kind == striped) {
			s.closely(g, f.scaled(float64(by)), s.among&kind)
		}
	}
}

// closely looks at one place in several ways until it is explained.
func (s *search) closely(g *image.Gray, f frame, among set) {
	for _, w := range waysFor(among) {
		if s.late() || s.explains(f) {
			return
		}
		c := w.cut(g, f)
		s.look(c.Gray, among, c.back)
	}
}

// way is one way to look at a place: enlarged, and sharpened or as it is.
type way struct {
	zoom  float64
	sharp bool
}

// waysFor lists the ways to look at a place, the most promising first. More of
// them, other turns and sizes, read nothing more and take their time.
func waysFor(among set) []way {
	if among&striped == 0 {
		return []way{{2, true}, {3, false}, {3, true}}
	}
	return []way{{2, false}, {1, false}, {2, true}}
}

// cut cuts a place out as the way says.
func (w way) cut(g *image.Gray, f frame) cut {
	zoom := min(w.zoom, cutSide/(2*max(f.half, f.across)))
	c := cutOut(g, f, zoom)
	if w.sharp {
		c.Gray = sharpened(c.Gray, int(math.Ceil(2*zoom)))
	}
	return c
}

// look looks once and keeps what is new; back tells where a pixel lies in the
// picture. An engine that fails has found nothing.
func (s *search) look(g *image.Gray, among set, back func(image.Point) image.Point) {
	if s.late() || min(g.Rect.Dx(), g.Rect.Dy()) < MinSide {
		return
	}
	found, err := s.engine.look(g, among, s.until)
	if err != nil {
		return
	}
	for _, one := range found {
		if slices.ContainsFunc(s.found, one.same) || len(s.found) >= MaxSymbols {
			continue
		}
		for i, p := range one.Corners {
			one.Corners[i] = back(p)
		}
		s.found = append(s.found, one)
	}
}

// explains reports whether a symbol that was found lies in a place.
func (s *search) explains(f frame) bool {
	return slices.ContainsFunc(s.found, func(one Symbol) bool { return f.holds(vectorTo(one.middle())) })
}

// late reports whether the time is up.
func (s *search) late() bool { return !time.Now().Before(s.until) }
