package strip

import (
	"image"
	"math"
)

// Curve is the middle of a line of text in pixels: two quadratics of the
// character's number k, which may be a fraction. Characters stand at even
// distances on the page, so the quadratics hold perspective and a mild bend of
// the page.
type Curve struct{ X, Y [3]float64 }

// poly evaluates a quadratic.
func poly(p [3]float64, k float64) float64 { return p[0] + k*(p[1]+k*p[2]) }

// At is the middle of character k.
func (c Curve) At(k float64) (x, y float64) { return poly(c.X, k), poly(c.Y, k) }

// Slope is the way from one character to the next at k.
func (c Curve) Slope(k float64) (dx, dy float64) {
	return c.X[1] + 2*k*c.X[2], c.Y[1] + 2*k*c.Y[2]
}

// Reversed runs the other way: character -k where k was.
func (c Curve) Reversed() Curve {
	c.X[1], c.Y[1] = -c.X[1], -c.Y[1]
	return c
}

// scaled takes the curve from a picture to a copy f times as large; pixels are
// squares whose middle is at a half.
func (c Curve) scaled(f float64) Curve {
	for i := range 3 {
		c.X[i] *= f
		c.Y[i] *= f
	}
	c.X[0] += f/2 - 0.5
	c.Y[0] += f/2 - 0.5
	return c
}

// unturned takes the curve from a picture that was turned a quarter clockwise
// back to the picture itself; height is that of the picture before the turn.
func (c Curve) unturned(height int) Curve {
	out := Curve{X: c.Y}
	for i := range 3 {
		out.Y[i] = -c.X[i]
	}
	out.Y[0] += float64(height - 1)
	return out
}

// Beside is the place at character k, off line pitches below the middle of the
// line as it is read.
func (c Curve) Beside(k, off float64) image.Point {
	x, y := c.At(k)
	dx, dy := c.Slope(k)
	return image.Pt(int(math.Round(x-off*dy)), int(math.Round(y+off*dx)))
}

// Fit finds the polynomial of degree 1 or 2 that is nearest to the
// values at the places ks, by least squares; false if the places do not tell.
func Fit(ks, values []float64, degree int) ([3]float64, bool) {
	var m [3][4]float64
	for i, k := range ks {
		p := [3]float64{1, k, k * k}
		for r := 0; r <= degree; r++ {
			for c := 0; c <= degree; c++ {
				m[r][c] += p[r] * p[c]
			}
			m[r][3] += p[r] * values[i]
		}
	}
	var out [3]float64
	for c := 0; c <= degree; c++ {
		pivot := c
		for r := c + 1; r <= degree; r++ {
			if math.Abs(m[r][c]) > math.Abs(m[pivot][c]) {
				pivot = r
			}
		}
		m[c], m[pivot] = m[pivot], m[c]
		if math.Abs(m[c][c]) < 1e-9 {
			return out, false
		}
		for r := 0; r <= degree; r++ {
			if r != c {
				eliminate(&m, r, c)
			}
		}
	}
	for i := 0; i <= degree; i++ {
		out[i] = m[i][3] / m[i][i]
	}
	return out, true
}

// eliminate clears column c of row r.
func eliminate(m *[3][4]float64, r, c int) {
	f := m[r][c] / m[c][c]
	for k := c; k < 4; k++ {
		m[r][k] -= f * m[c][k]
	}
}
