package strip

import "image"

// resize makes a copy of a picture, f times as large; pix is used again.
func resize(g *image.Gray, f float64, pix []uint8) *image.Gray {
	w, h := max(1, int(float64(g.Rect.Dx())*f+0.5)), max(1, int(float64(g.Rect.Dy())*f+0.5))
	out := &image.Gray{Pix: sized(pix, w*h), Stride: w, Rect: image.Rect(0, 0, w, h)}
	if f < 1 {
		shrink(g, out)
		return out
	}
	for y := range h {
		for x := range w {
			out.Pix[y*w+x] = uint8(between(g, (float64(x)+0.5)/f-0.5, (float64(y)+0.5)/f-0.5))
		}
	}
	return out
}

// shrink fills out with means of g.
func shrink(g, out *image.Gray) {
	gw, gh := g.Rect.Dx(), g.Rect.Dy()
	w, h := out.Rect.Dx(), out.Rect.Dy()
	columns := make([]uint32, gw)
	for y := range h {
		y0, y1 := y*gh/h, max((y+1)*gh/h, y*gh/h+1)
		clear(columns)
		for yy := y0; yy < y1; yy++ {
			row := g.Pix[yy*g.Stride:][:len(columns)]
			for x, v := range row {
				columns[x] += uint32(v)
			}
		}
		shrinkRow(columns, out.Pix[y*out.Stride:][:w], uint32(y1-y0))
	}
}

// shrinkRow takes means over runs of columns, each a sum of rows pixels.
func shrinkRow(columns []uint32, out []uint8, rows uint32) {
	n, w := len(columns), len(out)
	x0 := 0
	for x := range out {
		x1 := max((x+1)*n/w, x0+1)
		var sum uint32
		for _, v := range columns[x0:x1] {
			sum += v
		}
		out[x] = uint8(sum / (rows * uint32(x1-x0)))
		x0 = x1
	}
}
