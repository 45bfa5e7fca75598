package jp2

import (
	"encoding/binary"
	"errors"
	"image"
	"image/color"
)

// plane is one component of a picture, a byte a sample.
type plane struct {
	w, h, dx, dy int
	pix          []byte
}

// raw is a decoded picture as the process gives it.
type raw struct {
	partial bool
	colour  byte
	planes  []plane
}

// Colours of a picture, as the process tells them.
const (
	colourRGB  = 'R'
	colourGray = 'G'
	colourYCC  = 'Y' // ITU-R BT.601, as in JPEG
)

// Sizes of an answer in bytes.
const (
	answerHead = 4 // begin mark, whole or part, colour, number of planes
	planeHead  = 4 * 4
)

// maxAnswer is the longest answer there can be to a picture.
func (h header) maxAnswer() int64 {
	return answerHead + maxComponents*(planeHead+int64(h.width)*int64(h.height)) + 1
}

// errAnswer is an answer without an end: the decoder failed, or lies.
var errAnswer = errors.New("the decoder gave no whole picture")

// parseAnswer reads what the process wrote. It has seen hostile bytes, so that
// nothing that it says is trusted.
func parseAnswer(b []byte, h header) (raw, error) {
	if len(b) < answerHead || b[0] != 'H' || b[3] < 1 || b[3] > maxComponents {
		return raw{}, errAnswer
	}
	r := raw{partial: b[1] != 0, colour: b[2]}
	count, b := int(b[3]), b[answerHead:]
	for range count {
		p, rest, ok := parsePlane(b, h)
		if !ok {
			return raw{}, errAnswer
		}
		r.planes, b = append(r.planes, p), rest
	}
	need := 1
	switch r.colour {
	case colourRGB, colourYCC:
		need = 3
	case colourGray:
	default:
		return raw{}, errAnswer
	}
	if string(b) != "E" || count < need {
		return raw{}, errAnswer
	}
	return r, nil
}

// parsePlane reads one plane and gives the rest.
func parsePlane(b []byte, h header) (p plane, rest []byte, ok bool) {
	if len(b) < planeHead {
		return plane{}, nil, false
	}
	var v [4]uint32
	for i := range v {
		v[i] = binary.LittleEndian.Uint32(b[4*i:])
	}
	p = plane{w: int(v[0]), h: int(v[1]), dx: int(v[2]), dy: int(v[3])}
	if p.w < 1 || p.w > h.width || p.h < 1 || p.h > h.height || p.dx < 1 || p.dx > maxSpacing || p.dy < 1 || p.dy > maxSpacing {
		return plane{}, nil, false
	}
	b = b[planeHead:]
	if len(b) < p.w*p.h {
		return plane{}, nil, false
	}
	p.pix = b[:p.w*p.h]
	return p, b[len(p.pix):], true
}

// image makes a picture of the planes. Coarser planes are repeated.
func (r raw) image(w, h int) image.Image {
	if r.colour == colourGray {
		img := image.NewGray(image.Rect(0, 0, w, h))
		for y := range h {
			r.planes[0].row(y, img.Pix[y*img.Stride:][:w])
		}
		return img
	}
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	rows := [3][]byte{make([]byte, w), make([]byte, w), make([]byte, w)}
	for y := range h {
		for i := range rows {
			r.planes[i].row(y, rows[i])
		}
		r.weave(rows, img.Pix[y*img.Stride:][:4*w])
	}
	return img
}

// row fills a row of the picture with that of a plane.
func (p plane) row(y int, to []byte) {
	from := p.pix[min(y/p.dy, p.h-1)*p.w:][:p.w]
	if p.dx == 1 {
		n := copy(to, from)
		for x := n; x < len(to); x++ {
			to[x] = from[p.w-1]
		}
		return
	}
	for x := range to {
		to[x] = from[min(x/p.dx, p.w-1)]
	}
}

// weave makes a row of red, green, blue and opacity out of three of one kind.
func (r raw) weave(rows [3][]byte, to []byte) {
	a, b, c := rows[0], rows[1][:len(rows[0])], rows[2][:len(rows[0])]
	for x := range a {
		px := to[4*x:][:4]
		px[0], px[1], px[2], px[3] = a[x], b[x], c[x], 0xff
		if r.colour == colourYCC {
			px[0], px[1], px[2] = color.YCbCrToRGB(a[x], b[x], c[x])
		}
	}
}
