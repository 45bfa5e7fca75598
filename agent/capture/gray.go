package capture

import (
	"image"
	"image/color"
)

// Gray returns the brightness of a picture, with its origin at 0,0. Pictures
// that already hold brightness (JPEG's Y plane, gray pictures) are not copied:
// the result must not be written to. Transparent parts count as white paper.
func Gray(img image.Image) *image.Gray {
	r := img.Bounds()
	switch p := img.(type) {
	case *image.Gray:
		return window(p.Pix, p.Stride, p.PixOffset(r.Min.X, r.Min.Y), r)
	case *image.YCbCr:
		return window(p.Y, p.YStride, p.YOffset(r.Min.X, r.Min.Y), r)
	case *image.RGBA:
		return fromBytes(p.Pix[p.PixOffset(r.Min.X, r.Min.Y):], p.Stride, r, true)
	case *image.NRGBA:
		return fromBytes(p.Pix[p.PixOffset(r.Min.X, r.Min.Y):], p.Stride, r, false)
	}
	out := image.NewGray(image.Rect(0, 0, r.Dx(), r.Dy()))
	for y := range r.Dy() {
		for x := range r.Dx() {
			c := color.NRGBAModel.Convert(img.At(r.Min.X+x, r.Min.Y+y)).(color.NRGBA)
			out.Pix[y*out.Stride+x] = overWhite(luma(c.R, c.G, c.B), c.A)
		}
	}
	return out
}

// window makes a gray picture of part of a plane without copying it.
func window(pix []uint8, stride, offset int, r image.Rectangle) *image.Gray {
	if r.Empty() {
		return image.NewGray(image.Rectangle{})
	}
	return &image.Gray{Pix: pix[offset:], Stride: stride, Rect: image.Rect(0, 0, r.Dx(), r.Dy())}
}

// fromBytes converts rows of R, G, B, A; premultiplied says whether colour is
// already scaled by A.
func fromBytes(pix []uint8, stride int, r image.Rectangle, premultiplied bool) *image.Gray {
	out := image.NewGray(image.Rect(0, 0, r.Dx(), r.Dy()))
	for y := range r.Dy() {
		row, to := pix[y*stride:], out.Pix[y*out.Stride:][:r.Dx()]
		for x := range to {
			p := row[4*x:][:4]
			v, a := luma(p[0], p[1], p[2]), p[3]
			switch {
			case a == 255:
				to[x] = v
			case premultiplied:
				to[x] = uint8(min(255, int(v)+255-int(a)))
			default:
				to[x] = overWhite(v, a)
			}
		}
	}
	return out
}

// luma weighs a colour as ITU-R BT.601 does, like JPEG's Y.
func luma(r, g, b uint8) uint8 {
	return uint8((19595*uint32(r) + 38470*uint32(g) + 7471*uint32(b) + 1<<15) >> 16)
}

// overWhite lays a translucent pixel on white.
func overWhite(v, a uint8) uint8 {
	return uint8((uint32(v)*uint32(a) + 255*(255-uint32(a))) / 255)
}
