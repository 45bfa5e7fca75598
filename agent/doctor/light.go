package doctor

import (
	"image"
	"math"
	"time"

	"github.com/counterproof/counterproof/agent/api"
	"github.com/counterproof/counterproof/agent/capture"
)

// Bounds of a good place, of brightness from 0 to 255. The least brightness is
// that of a document that can be read; a reflection may be larger in a whole
// picture than on a document.
const (
	brightest  = 215.0 // mean
	mostGlare  = 4 * capture.MaxGlare
	mostWashed = 0.30 // share; above it the whole place is too bright
	mostChange = 0.06 // from frame to frame, by the mean
	leastRate  = 5.0  // frames a second
	saturated  = 250
	// judged is from how many frames on flicker and rate are judged.
	judged = 8
	// window is how many frames are looked at together.
	window = 30
)

// Meter is a light meter for a camera's place. It keeps figures of the last
// frames and no picture. The zero value is ready.
type Meter struct {
	last []frame
}

// frame is what was measured in one frame.
type frame struct {
	at                    time.Duration
	mean, contrast, glare float64
}

// Add measures a frame that was taken at a time since some moment.
func (m *Meter) Add(img image.Image, at time.Duration) {
	f := measure(capture.Gray(img))
	f.at = at
	m.last = append(m.last, f)
	if len(m.last) > window {
		m.last = m.last[1:]
	}
}

// measure looks at every fourth pixel of every fourth row.
func measure(g *image.Gray) (f frame) {
	const step = 4
	var counts [256]int
	n := 0
	for y := 0; y < g.Rect.Dy(); y += step {
		row := g.Pix[y*g.Stride:][:g.Rect.Dx()]
		for x := 0; x < len(row); x += step {
			counts[row[x]]++
			n++
		}
	}
	if n == 0 {
		return f
	}
	low, high, seen := -1, 255, 0
	for v, c := range counts {
		f.mean += float64(v) * float64(c) / float64(n)
		if v >= saturated {
			f.glare += float64(c) / float64(n)
		}
		seen += c
		if low < 0 && seen*20 >= n {
			low = v
		}
		if seen*20 >= 19*n {
			high = min(high, v)
		}
	}
	f.contrast = float64(high - low)
	return f
}

// Light is what the meter says of the last frames.
func (m *Meter) Light(role string) api.Light {
	l := api.Light{Role: role, Frames: len(m.last)}
	if len(m.last) == 0 {
		return l
	}
	n := float64(len(m.last))
	change := 0.0
	for i, f := range m.last {
		l.Mean += f.mean / n
		l.Contrast += f.contrast / n
		l.Glare += f.glare / n
		if i > 0 {
			change += math.Abs(f.mean-m.last[i-1].mean) / max(1, n-1)
		}
	}
	l.Flicker = min(1, change/max(1, l.Mean))
	if took := m.last[len(m.last)-1].at - m.last[0].at; took > 0 {
		l.Rate = (n - 1) / took.Seconds()
	}
	l.Finding = judge(l)
	return l
}

// judge says the one thing that is wrong with a place: what keeps a document from
// being read goes first.
func judge(l api.Light) api.FindingCode {
	switch {
	case l.Mean < capture.MinLuma:
		return api.CameraDark
	case l.Mean > brightest || l.Glare > mostWashed:
		return api.CameraBright
	case l.Glare > mostGlare:
		return api.CameraGlare
	case l.Frames >= judged && l.Flicker > mostChange:
		return api.CameraFlicker
	case l.Frames >= judged && l.Rate > 0 && l.Rate < leastRate:
		return api.CameraSlow
	}
	return ""
}
