package face

import (
	"errors"
	"fmt"
	"image"
	"image/draw"
	"math"

	"github.com/counterproof/counterproof/agent/proof"
)

// Bounds of a picture.
const (
	minSide   = 32          // pixels; no face is told in less
	maxPixels = 100_000_000 // more is refused
	workSide  = 2048        // longer sides are shrunk to at most this
)

// raster is rows of pixels of four bytes: red, green, blue, unused.
type raster struct {
	w, h int
	pix  []uint8
}

// picture is a picture to work on: itself and, made when they are first needed,
// copies of half the side each.
type picture struct {
	raster
	shrunk int // side by which the original was shrunk, 1 or more
	origin image.Point
	halves []raster
}

// newPicture copies a picture of any kind, over black where it is transparent.
// Very large ones are shrunk by a whole number: no network gains by more.
func newPicture(img image.Image) (*picture, error) {
	if img == nil {
		return nil, refusal(proof.KindNotPicture, errors.New("no picture was given"))
	}
	b := img.Bounds()
	w, h := b.Dx(), b.Dy()
	if min(w, h) < minSide {
		return nil, refusal(proof.KindPictureTiny, fmt.Errorf("%d × %d pixels", w, h))
	}
	if int64(w)*int64(h) > maxPixels {
		return nil, refusal(proof.KindPictureHuge, fmt.Errorf("%d × %d pixels", w, h))
	}
	by := (max(w, h) + workSide - 1) / workSide
	if min(w, h)/by < 1 {
		return nil, refusal(proof.KindPictureTiny, fmt.Errorf("%d × %d pixels", w, h))
	}
	p := &picture{shrunk: by, origin: b.Min, raster: raster{w: w / by, h: h / by}}
	if by == 1 {
		p.pix = strip(img, b).Pix
		return p, nil
	}
	p.pix = make([]uint8, 4*p.w*p.h)
	for y := range p.h {
		rows := strip(img, image.Rect(b.Min.X, b.Min.Y+y*by, b.Max.X, b.Min.Y+(y+1)*by))
		p.averageRow(y, rows.Pix, rows.Stride, by)
	}
	return p, nil
}

// refusal wraps the reason why a picture is not worked on.
func refusal(kind proof.Kind, err error) error {
	return &proof.Error{Op: "looking for a face", Kind: kind, Err: err}
}

// strip copies a part of a picture. Its colours are those over black, since they
// come multiplied by what is not transparent.
func strip(img image.Image, part image.Rectangle) *image.RGBA {
	to := image.NewRGBA(image.Rect(0, 0, part.Dx(), part.Dy()))
	draw.Draw(to, to.Rect, img, part.Min, draw.Src)
	return to
}

// averageRow fills row y with the means of squares of side by.
func (r *raster) averageRow(y int, from []uint8, stride, by int) {
	if by == 2 {
		r.halveRow(y, from[:stride], from[stride:])
		return
	}
	n := by * by
	for x := range r.w {
		var sum [3]int
		for dy := range by {
			block := from[dy*stride+4*x*by:][:4*by]
			for i := 0; i+2 < len(block); i += 4 {
				sum[0] += int(block[i])
				sum[1] += int(block[i+1])
				sum[2] += int(block[i+2])
			}
		}
		to := 4 * (y*r.w + x)
		for c, s := range sum {
			r.pix[to+c] = uint8((s + n/2) / n)
		}
	}
}

// halveRow is averageRow for squares of four pixels, the usual ones.
func (r *raster) halveRow(y int, upper, lower []uint8) {
	to := r.pix[4*y*r.w:][:4*r.w]
	upper, lower = upper[:8*r.w], lower[:8*r.w]
	for i := 0; i+3 < len(to); i += 4 {
		u, l := upper[2*i:][:8], lower[2*i:][:8]
		to[i] = uint8((int(u[0]) + int(u[4]) + int(l[0]) + int(l[4]) + 2) / 4)
		to[i+1] = uint8((int(u[1]) + int(u[5]) + int(l[1]) + int(l[5]) + 2) / 4)
		to[i+2] = uint8((int(u[2]) + int(u[6]) + int(l[2]) + int(l[6]) + 2) / 4)
	}
}

// level is the picture halved so many times, or as often as it can be.
func (p *picture) level(times int) (r *raster, halved int) {
	last := &p.raster
	for i := range times {
		if i == len(p.halves) {
			if last.w < 2 || last.h < 2 {
				return last, i
			}
			next := raster{w: last.w / 2, h: last.h / 2}
			next.pix = make([]uint8, 4*next.w*next.h)
			for y := range next.h {
				next.averageRow(y, last.pix[8*y*last.w:], 4*last.w, 2)
			}
			p.halves = append(p.halves, next)
		}
		last = &p.halves[i]
	}
	return last, times
}

// warp fills size × size pixels of red, green and blue, 0–255, with what the
// similarity leads to. What lies outside the picture is black. Where pixels
// become smaller, four samples of a halved picture make one.
func (p *picture) warp(s similarity, size int, to []float32) {
	times := max(0, int(math.Floor(math.Log2(s.scale()))))
	r, times := p.level(min(times, 12))
	s = s.halved(times)
	offsets := []float64{0}
	if s.scale() > 1 {
		offsets = []float64{-0.25, 0.25}
	}
	weight := 1 / float32(len(offsets)*len(offsets))
	for y := range size {
		for x := range size {
			var sum [3]float32
			for _, dy := range offsets {
				for _, dx := range offsets {
					r.sample(s.apply(point{float64(x) + dx, float64(y) + dy}), &sum)
				}
			}
			at := 3 * (y*size + x)
			to[at], to[at+1], to[at+2] = sum[0]*weight, sum[1]*weight, sum[2]*weight
		}
	}
}

// sample adds the picture's value at a point, between four pixels.
func (r *raster) sample(p point, sum *[3]float32) {
	if !(p.x > -1 && p.y > -1 && p.x < float64(r.w) && p.y < float64(r.h)) {
		return
	}
	x, y := int(p.x+1)-1, int(p.y+1)-1 // both are above −1, so this rounds down
	fx, fy := float32(p.x-float64(x)), float32(p.y-float64(y))
	if x < 0 || y < 0 || x+1 >= r.w || y+1 >= r.h {
		r.add(x, y, (1-fx)*(1-fy), sum)
		r.add(x+1, y, fx*(1-fy), sum)
		r.add(x, y+1, (1-fx)*fy, sum)
		r.add(x+1, y+1, fx*fy, sum)
		return
	}
	u := r.pix[4*(y*r.w+x):][:8]
	l := r.pix[4*((y+1)*r.w+x):][:8]
	for c := range sum {
		top := float32(u[c])*(1-fx) + float32(u[c+4])*fx
		bottom := float32(l[c])*(1-fx) + float32(l[c+4])*fx
		sum[c] += top*(1-fy) + bottom*fy
	}
}

// add adds a share of one pixel; outside the picture there is nothing to add.
func (r *raster) add(x, y int, part float32, sum *[3]float32) {
	if uint(x) >= uint(r.w) || uint(y) >= uint(r.h) {
		return
	}
	px := r.pix[4*(y*r.w+x):]
	for c := range sum {
		sum[c] += part * float32(px[c])
	}
}

// rectangle leads from a box in the worked picture to the one that was given.
func (p *picture) rectangle(b box) image.Rectangle {
	k := float64(p.shrunk)
	round := func(v float64) int { return int(math.Round(max(-1e8, min(1e8, v*k)))) }
	return image.Rect(round(b.x-b.w/2), round(b.y-b.h/2), round(b.x+b.w/2), round(b.y+b.h/2)).Add(p.origin)
}

// wipe overwrites the copies.
func (p *picture) wipe() {
	clear(p.pix)
	for _, h := range p.halves {
		clear(h.pix)
	}
}
