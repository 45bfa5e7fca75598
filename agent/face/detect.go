package face

import (
	"cmp"
	"errors"
	"math"
	"slices"
)

// box is a rectangle by its middle and its sides.
type box struct{ x, y, w, h float64 }

// overlap is the area that two boxes share by the area that they cover.
func (b box) overlap(c box) float64 {
	w := min(b.x+b.w/2, c.x+c.w/2) - max(b.x-b.w/2, c.x-c.w/2)
	h := min(b.y+b.h/2, c.y+c.h/2) - max(b.y-b.h/2, c.y-c.h/2)
	if w <= 0 || h <= 0 {
		return 0
	}
	return w * h / (b.w*b.h + c.w*c.h - w*h)
}

// candidate is what a detector takes for a face: a box and its two eyes, the
// one at the left of the picture first.
type candidate struct {
	box
	eyes  [2]point
	score float64
}

// square is a part of a picture that a detector is shown, by its corner and
// side; it may reach beyond the picture.
type square struct{ x, y, side float64 }

// anchorsOf lists the middles of a detector's anchors, between 0 and 1.
func anchorsOf(grids [][2]int) []point {
	var all []point
	for _, g := range grids {
		n := float64(g[0])
		for y := range g[0] {
			for x := range g[0] {
				for range g[1] {
					all = append(all, point{(float64(x) + 0.5) / n, (float64(y) + 0.5) / n})
				}
			}
		}
	}
	return all
}

// valuesPerAnchor are middle, sides and six points of a detector's box.
const valuesPerAnchor = 16

// candidates reads what a detector said about a square.
func (d Detector) candidates(anchors []point, boxes, scores []float32, at square) []candidate {
	var all []candidate
	for i, a := range anchors {
		score := sigmoid(float64(scores[i]))
		if !(score >= d.MinScore) {
			continue
		}
		v := boxes[i*valuesPerAnchor:][:valuesPerAnchor]
		place := func(k int) point {
			n := float64(d.Size)
			return point{(float64(v[k])/n+a.x)*at.side + at.x, (float64(v[k+1])/n+a.y)*at.side + at.y}
		}
		middle := place(0)
		c := candidate{
			box:   box{middle.x, middle.y, float64(v[2]) / float64(d.Size) * at.side, float64(v[3]) / float64(d.Size) * at.side},
			eyes:  [2]point{place(4), place(6)},
			score: score,
		}
		if c.sensible(at) {
			all = append(all, c)
		}
	}
	return all
}

// sensible refuses boxes without a size, far outside their square, or of
// numbers that are none.
func (c candidate) sensible(at square) bool {
	near := func(v, from float64) bool { return v >= from-at.side && v <= from+2*at.side }
	return c.w > 1 && c.h > 1 && c.w <= 2*at.side && c.h <= 2*at.side && near(c.x, at.x) && near(c.y, at.y) &&
		near(c.eyes[0].x, at.x) && near(c.eyes[0].y, at.y) && near(c.eyes[1].x, at.x) && near(c.eyes[1].y, at.y)
}

// sameFace is the overlap from which two candidates are taken for one face.
const sameFace = 0.3

// merge makes one candidate of all that overlap, each with the weight of its
// score: neighbouring anchors see the same face, and their mean is steadier than
// the best of them. The order is by prominence.
func merge(all []candidate, prominence func(candidate) float64) []candidate {
	all = slices.SortedStableFunc(slices.Values(all), func(a, b candidate) int {
		return cmp.Compare(prominence(b), prominence(a))
	})
	var merged []candidate
	for len(all) > 0 {
		seed, sum := all[0], 0.0
		one := candidate{score: seed.score}
		all = slices.DeleteFunc(all, func(c candidate) bool {
			if c.box != seed.box && c.overlap(seed.box) < sameFace {
				return false
			}
			sum += c.score
			one.addWeighted(c, c.score)
			return true
		})
		one.divide(sum)
		merged = append(merged, one)
	}
	return merged
}

func (c *candidate) addWeighted(d candidate, weight float64) {
	c.x, c.y, c.w, c.h = c.x+d.x*weight, c.y+d.y*weight, c.w+d.w*weight, c.h+d.h*weight
	for i := range c.eyes {
		c.eyes[i].x += d.eyes[i].x * weight
		c.eyes[i].y += d.eyes[i].y * weight
	}
}

func (c *candidate) divide(by float64) {
	c.x, c.y, c.w, c.h = c.x/by, c.y/by, c.w/by, c.h/by
	for i := range c.eyes {
		c.eyes[i].x /= by
		c.eyes[i].y /= by
	}
}

// prominence ranks candidates: sure, large and near the middle comes first.
func prominence(w, h int) func(candidate) float64 {
	middle, long := point{float64(w) / 2, float64(h) / 2}, float64(max(w, h))
	return func(c candidate) float64 {
		return c.score * c.w * (1 - point{c.x, c.y}.distance(middle)/long)
	}
}

// passes lists where to look for a face, one list after another until one of
// them shows a face: the whole picture; the picture with room around it, since a
// detector knows no face that fills its sight; and overlapping parts, for faces
// that are small in a large picture.
func passes(w, h int) [][]square {
	long := float64(max(w, h))
	around := func(side float64) []square {
		return []square{{(float64(w) - side) / 2, (float64(h) - side) / 2, side}}
	}
	return [][]square{around(long), around(1.6 * long), tiles(w, h, 0.6*long), tiles(w, h, 0.35*long)}
}

// tiles covers a picture with squares that overlap by half of their side or
// more.
func tiles(w, h int, side float64) []square {
	var all []square
	for _, y := range steps(float64(h), side) {
		for _, x := range steps(float64(w), side) {
			all = append(all, square{x, y, side})
		}
	}
	return all
}

// steps are the starts of pieces that cover a length; one that is longer is put
// in the middle.
func steps(length, side float64) []float64 {
	if side >= length {
		return []float64{(length - side) / 2}
	}
	n := int(math.Ceil((length - side) / (side / 2)))
	all := make([]float64, n+1)
	for i := range all {
		all[i] = (length - side) * float64(i) / float64(n)
	}
	return all
}

// located is a face with its landmarks.
type located struct {
	candidate
	mesh [meshPoints]vector
}

// comparable is the width of another face, by that of the main one, from which
// it is no background: somebody at twice the distance from the camera comes
// out half as wide.
const comparableWidth = 0.5

// mostFaces bounds how many faces of one picture are measured.
const mostFaces = 6

// errNoNumbers is a network's answer that cannot be used.
var errNoNumbers = errors.New("the landmarks are no numbers")

// find finds the main face of a picture and all of comparable width, confirmed
// by their landmarks.
func (e *Engine) find(p *picture) ([]located, error) {
	return e.search(p, passes(p.w, p.h))
}

// search is find with the passes to make.
func (e *Engine) search(p *picture, passes [][]square) ([]located, error) {
	for _, pass := range passes {
		var all []candidate
		for _, at := range pass {
			some, err := e.nets.detect(p, at)
			if err != nil {
				return nil, err
			}
			all = append(all, some...)
		}
		found, err := e.confirm(p, merge(all, prominence(p.w, p.h)))
		if err != nil || len(found) > 0 {
			return found, err
		}
	}
	return nil, nil
}

// confirm keeps what the landmarks take for a face too.
func (e *Engine) confirm(p *picture, all []candidate) ([]located, error) {
	var found []located
	for _, c := range all {
		if len(found) == mostFaces {
			break
		}
		if len(found) > 0 && c.w < comparableWidth*found[0].w {
			continue
		}
		f := located{candidate: c}
		presence, err := e.nets.landmarks(p, &f)
		if err != nil {
			return nil, err
		}
		if presence >= e.profile.Landmarks.MinPresence {
			found = append(found, f)
		}
	}
	return found, nil
}

// landmarkSquare is where landmarks are looked for: the box with a margin,
// turned so that the eyes are level.
func (c candidate) landmarkSquare(margin float64, size int) similarity {
	angle := math.Atan2(c.eyes[1].y-c.eyes[0].y, c.eyes[1].x-c.eyes[0].x)
	return turned(point{c.x, c.y}, max(c.w, c.h)*margin, angle, size)
}

// place moves landmarks from a network's picture to the one that was taken.
func (f *located) place(raw []float32, s similarity) error {
	k := s.scale()
	for i := range f.mesh {
		p := s.apply(point{float64(raw[3*i]), float64(raw[3*i+1])})
		f.mesh[i] = vector{p.x, p.y, float64(raw[3*i+2]) * k}
		if v := f.mesh[i]; math.IsNaN(v[0]+v[1]+v[2]) || math.IsInf(v[0]+v[1]+v[2], 0) {
			return errNoNumbers
		}
	}
	return nil
}

// mean is the middle of some landmarks.
func (f *located) mean(mesh ...int) point {
	var p point
	for _, i := range mesh {
		p.x += f.mesh[i][0] / float64(len(mesh))
		p.y += f.mesh[i][1] / float64(len(mesh))
	}
	return p
}

// align is where an embedder's picture lies in the one that was taken.
func (f *located) align(template []Anchor) (similarity, bool) {
	from, to := make([]point, len(template)), make([]point, len(template))
	for i, a := range template {
		from[i], to[i] = point{a.X, a.Y}, f.mean(a.Mesh...)
	}
	return fit(from, to)
}
