package jp2

import (
	"image"
	"image/color"
)

// Coding says how a picture is written. The zero Coding loses nothing, in boxes.
type Coding struct {
	Bytes int  // about how long it may become; 0 is as long as it takes to lose nothing
	Bare  bool // the codestream without boxes
}

// flat is a picture as rows of samples, one to a pixel if it is gray, else three.
func flat(img image.Image) (samples []byte, channels int) {
	_, gray := img.(*image.Gray)
	r := img.Bounds()
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for x := r.Min.X; x < r.Max.X; x++ {
			if gray {
				samples = append(samples, color.GrayModel.Convert(img.At(x, y)).(color.Gray).Y)
				continue
			}
			c := color.RGBAModel.Convert(img.At(x, y)).(color.RGBA)
			samples = append(samples, c.R, c.G, c.B)
		}
	}
	if gray {
		return samples, 1
	}
	return samples, 3
}
