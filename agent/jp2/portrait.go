package jp2

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/jpeg"

	"github.com/counterproof/counterproof/agent/capture"
	"github.com/counterproof/counterproof/agent/chip/lds"
	"github.com/counterproof/counterproof/agent/proof"
)

// Picture is an opened portrait.
type Picture struct {
	image.Image
	// Partial says that the file is cut off or broken, and that a part of the
	// picture is missing or coarse. Whoever compares must be told.
	Partial bool
}

// Portrait opens a picture of a chip, whatever its format, within the limits. Of
// a JPEG 2000 picture that is not whole it gives what there is. Errors are those
// of Decode.
func Portrait(ctx context.Context, p lds.Picture, l Limits) (Picture, error) {
	switch p.Format {
	case lds.JPEG:
		img, err := openJPEG(p.Bytes, l.full().Pixels)
		return Picture{Image: img}, err
	case lds.JP2, lds.J2K:
		img, partial, err := decode(ctx, p.Bytes, l, true)
		return Picture{img, partial}, err
	}
	return Picture{}, refusal(proof.KindNotPicture, errNoPicture)
}

// openJPEG opens a JPEG picture of at most so many pixels.
func openJPEG(b []byte, most int) (image.Image, error) {
	if head, err := jpeg.DecodeConfig(bytes.NewReader(b)); err == nil && int64(head.Width)*int64(head.Height) > int64(most) {
		return nil, refusal(proof.KindPictureHuge, fmt.Errorf("%d × %d pixels", head.Width, head.Height))
	}
	return capture.Decode(b)
}
