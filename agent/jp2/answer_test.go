package jp2

import (
	"encoding/binary"
	"image"
	"image/color"
	"slices"
	"testing"
)

// planeOf lays out a plane as the process does.
func planeOf(w, h, dx, dy uint32, pix ...byte) []byte {
	var b []byte
	for _, v := range []uint32{w, h, dx, dy} {
		b = binary.LittleEndian.AppendUint32(b, v)
	}
	return append(b, pix...)
}

// answerOf lays out an answer as the process does.
func answerOf(head string, planes ...[]byte) []byte {
	return append(slices.Concat(append([]byte(head), byte(len(planes))), slices.Concat(planes...)), 'E')
}

// small is a picture of 2 × 2 pixels.
var small = header{width: 2, height: 2}

func TestAnswer(t *testing.T) {
	t.Parallel()
	full := planeOf(2, 2, 1, 1, 10, 20, 30, 40)
	coarse := planeOf(1, 1, 2, 2, 128)
	rgba := func(r, g, b uint8) color.Color { return color.RGBA{r, g, b, 255} }
	for name, c := range map[string]struct {
		answer  []byte
		want    color.Color // of the last pixel; nil is an error
		partial bool
	}{
		"gray":              {answerOf("H\x00G", full), color.Gray{40}, false},
		"gray-with-opacity": {answerOf("H\x00G", full, full), color.Gray{40}, false},
		"colours":           {answerOf("H\x00R", full, full, full), rgba(40, 40, 40), false},
		"with-opacity":      {answerOf("H\x00R", full, full, full, full), rgba(40, 40, 40), false},
		"luminance":         {answerOf("H\x00Y", full, coarse, coarse), rgba(40, 40, 40), false},
		"a-part":            {answerOf("H\x01G", full), color.Gray{40}, true},
		"narrow-plane":      {answerOf("H\x00G", planeOf(1, 2, 1, 1, 5, 6)), color.Gray{6}, false},
		"empty":             {nil, nil, false},
		"no-begin":          {answerOf("X\x00G", full), nil, false},
		"no-end":            {answerOf("H\x00G", full)[:4+16+4], nil, false},
		"after-the-end":     {append(answerOf("H\x00G", full), 'E'), nil, false},
		"no-planes":         {answerOf("H\x00G"), nil, false},
		"many-planes":       {answerOf("H\x00G", full, full, full, full, full), nil, false},
		"two-colours":       {answerOf("H\x00R", full, full), nil, false},
		"unknown-colours":   {answerOf("H\x00C", full, full, full, full), nil, false},
		"too-wide":          {answerOf("H\x00G", planeOf(3, 1, 1, 1, 1, 2, 3)), nil, false},
		"no-width":          {answerOf("H\x00G", planeOf(0, 2, 1, 1)), nil, false},
		"huge":              {answerOf("H\x00G", planeOf(0xffffffff, 0xffffffff, 1, 1)), nil, false},
		"no-spacing":        {answerOf("H\x00G", planeOf(2, 2, 0, 1, 1, 2, 3, 4)), nil, false},
		"few-samples":       {answerOf("H\x00G", planeOf(2, 2, 1, 1, 1)), nil, false},
		"half-a-plane":      {[]byte("H\x00G\x01abc"), nil, false},
	} {
		r, err := parseAnswer(c.answer, small)
		if (err == nil) != (c.want != nil) || r.partial != c.partial {
			t.Errorf("%s: got %+v, %v", name, r, err)
			continue
		}
		if err != nil {
			continue
		}
		img := r.image(2, 2)
		if got := img.At(1, 1); got != c.want || img.Bounds() != image.Rect(0, 0, 2, 2) {
			t.Errorf("%s: got %v in %v, want %v", name, got, img.Bounds(), c.want)
		}
	}
}

// Colours of a luminance picture are those of JPEG, each sample spread over what
// it stands for.
func TestCoarseColours(t *testing.T) {
	t.Parallel()
	y := planeOf(4, 2, 1, 1, 76, 76, 29, 29, 76, 76, 29, 29)
	cb, cr := planeOf(2, 1, 2, 2, 85, 255), planeOf(2, 1, 2, 2, 255, 107)
	r, err := parseAnswer(answerOf("H\x00Y", y, cb, cr), header{width: 4, height: 2})
	if err != nil {
		t.Fatal(err)
	}
	img := r.image(4, 2)
	for x, want := range []color.RGBA{{254, 0, 0, 255}, {254, 0, 0, 255}, {0, 0, 254, 255}, {0, 0, 254, 255}} {
		for row := range 2 {
			if got := img.At(x, row); got != want {
				t.Errorf("%d,%d is %v, want %v", x, row, got, want)
			}
		}
	}
}

func FuzzAnswer(f *testing.F) {
	f.Add(answerOf("H\x00R", planeOf(2, 2, 1, 1, 1, 2, 3, 4), planeOf(1, 1, 2, 2, 1), planeOf(1, 1, 2, 2, 1)))
	f.Add(answerOf("H\x01G", planeOf(1, 2, 1, 1, 5, 6)))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := parseAnswer(b, small)
		if err != nil {
			return
		}
		if img := r.image(2, 2); img.Bounds() != image.Rect(0, 0, 2, 2) {
			t.Errorf("a picture of %v", img.Bounds())
		}
	})
}
