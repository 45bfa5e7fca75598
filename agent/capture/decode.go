package capture

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"io"

	"github.com/counterproof/counterproof/agent/proof"
)

// Bounds of a picture file.
const (
	// MaxBytes is the largest picture file that is opened.
	MaxBytes = 30 << 20
	// MaxPixels is the number of pixels from which a picture is refused. No
	// camera at a counter makes such pictures and no reading gains by them.
	MaxPixels = 100_000_000
	// MinSide is the least height and width in pixels; below it neither a face
	// nor a line of text can be told.
	MinSide = 64
	// maxMemory bounds what decoding may take, in bytes.
	maxMemory = 512 << 20
)

// codec reads one kind of picture file.
type codec struct {
	config func(io.Reader) (image.Config, error)
	decode func(io.Reader) (image.Image, error)
	// weight estimates the bytes of memory that decoding takes for one pixel.
	weight func(b []byte, model color.Model) int
}

// Decode opens a JPEG or PNG file. Its size is checked by its header before
// anything is decoded. Errors are *proof.Error with the Kind to show:
// KindNotPicture for other contents, KindPictureHuge and KindPictureTiny for
// sizes out of bounds, KindPictureCorrupt where decoding fails.
func Decode(b []byte) (image.Image, error) {
	if len(b) > MaxBytes {
		return nil, refusal(proof.KindPictureHuge, fmt.Errorf("%d bytes", len(b)))
	}
	switch {
	case bytes.HasPrefix(b, []byte("\xff\xd8")):
		return codec{jpeg.DecodeConfig, jpeg.Decode, jpegWeight}.open(b)
	case bytes.HasPrefix(b, []byte("\x89PNG\r\n\x1a\n")):
		return codec{png.DecodeConfig, png.Decode, pngWeight}.open(b)
	}
	return nil, refusal(proof.KindNotPicture, errors.New("neither JPEG nor PNG"))
}

// open checks the header and decodes.
func (c codec) open(b []byte) (image.Image, error) {
	head, err := c.config(bytes.NewReader(b))
	if err != nil {
		return nil, refusal(proof.KindPictureCorrupt, err)
	}
	if min(head.Width, head.Height) < MinSide {
		return nil, refusal(proof.KindPictureTiny, fmt.Errorf("%d × %d pixels", head.Width, head.Height))
	}
	pixels := int64(head.Width) * int64(head.Height)
	if pixels >= MaxPixels || pixels*int64(c.weight(b, head.ColorModel)) > maxMemory {
		return nil, refusal(proof.KindPictureHuge, fmt.Errorf("%d × %d pixels", head.Width, head.Height))
	}
	img, err := c.decode(bytes.NewReader(b))
	if err != nil {
		return nil, refusal(proof.KindPictureCorrupt, err)
	}
	return img, nil
}

// refusal wraps the reason why a picture file is not opened.
func refusal(kind proof.Kind, err error) error {
	return &proof.Error{Op: "opening a picture", Kind: kind, Err: err}
}

// jpegWeight counts three or four planes, and for progressive files their
// coefficients of 32 bits as well, which the decoder keeps to the end.
func jpegWeight(b []byte, model color.Model) int {
	planes := 3
	if model == color.CMYKModel {
		planes = 4
	}
	if progressive(b) {
		return planes * 5
	}
	return planes
}

// progressive reports whether the frame header of a JPEG file is SOF2 (ISO/IEC
// 10918-1 Annex B). Anything else that is odd is left to the decoder.
func progressive(b []byte) bool {
	const sof0, sof2, sos = 0xc0, 0xc2, 0xda
	for at := 2; at+4 <= len(b); {
		if b[at] != 0xff {
			return false
		}
		switch marker := b[at+1]; {
		case marker == sof2:
			return true
		case marker == sof0, marker == sos:
			return false
		case marker == 0xff: // fill byte
			at++
		case marker == 0, marker >= 0xd0 && marker <= 0xd8: // no length follows
			at += 2
		default:
			at += 2 + int(binary.BigEndian.Uint16(b[at+2:]))
		}
	}
	return false
}

// pngWeight counts the bytes of the picture that the colour model leads to,
// twice for the passes of an interlaced file.
func pngWeight(_ []byte, model color.Model) int {
	switch model {
	case color.NRGBA64Model, color.RGBA64Model:
		return 12
	case color.NRGBAModel, color.RGBAModel:
		return 6
	case color.Gray16Model:
		return 3
	}
	return 2
}
