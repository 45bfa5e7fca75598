package camera

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"slices"
	"sync"

	"github.com/counterproof/counterproof/devices/internal/port/video"
)

// quality of the JPEG pictures that are made of raw ones: high enough that a
// machine-readable zone does not suffer.
const quality = 92

// Markers of a JPEG stream (ITU-T T.81 table B.1).
const (
	markStart   = 0xd8
	markEnd     = 0xd9
	markScan    = 0xda
	markHuffman = 0xc4
)

// Reasons why a frame is none.
var (
	errTorn = errors.New("the picture is torn")
	errRaw  = errors.New("the raw picture is too short")
)

// picture makes a JPEG picture of a frame.
func picture(p video.Picture) ([]byte, error) {
	if p.Format == video.YUYV {
		return encode(p)
	}
	return complete(p.Data)
}

// complete makes a whole JPEG picture of a camera's: many leave out the usual
// Huffman tables, which every reader of moving pictures knows (T.81 annex K.3),
// and fill the frame up with zeros.
func complete(b []byte) ([]byte, error) {
	scan, tables, err := headers(b)
	if err != nil {
		return nil, err
	}
	end := bytes.LastIndex(b[scan:], []byte{0xff, markEnd})
	if end < 0 {
		return nil, errTorn
	}
	b = b[:scan+end+2]
	if tables {
		return b, nil
	}
	return slices.Concat(b[:scan], usualTables(), b[scan:]), nil
}

// usualTables is the segment with the tables of T.81 annex K.3. The standard
// library's encoder uses them, so they are taken out of a picture that it makes.
var usualTables = sync.OnceValue(func() []byte {
	var made bytes.Buffer
	if jpeg.Encode(&made, image.NewYCbCr(image.Rect(0, 0, 8, 8), image.YCbCrSubsampleRatio444), nil) != nil {
		return nil // a buffer takes everything
	}
	b := made.Bytes()
	at := bytes.Index(b, []byte{0xff, markHuffman})
	if at < 0 {
		return nil
	}
	return b[at : at+2+int(b[at+2])<<8+int(b[at+3])]
})

// headers finds where the scan begins, and whether Huffman tables came before it.
func headers(b []byte) (scan int, tables bool, err error) {
	if len(b) < 4 || b[0] != 0xff || b[1] != markStart {
		return 0, false, errTorn
	}
	for at := 2; at+4 <= len(b) && b[at] == 0xff; {
		mark := b[at+1]
		if mark == 0xff { // padding
			at++
			continue
		}
		if mark == markScan {
			return at, tables, nil
		}
		tables = tables || mark == markHuffman
		at += 2 + int(b[at+2])<<8 + int(b[at+3])
	}
	return 0, false, errTorn
}

// encode makes a JPEG picture of pairs of pixels.
func encode(p video.Picture) ([]byte, error) {
	w, h := p.Width&^1, p.Height
	if w <= 0 || h <= 0 || p.Stride < 2*w || len(p.Data) < (h-1)*p.Stride+2*w {
		return nil, errRaw
	}
	img := image.NewYCbCr(image.Rect(0, 0, w, h), image.YCbCrSubsampleRatio422)
	for y := range h {
		line := p.Data[y*p.Stride : y*p.Stride+2*w]
		luma, cb, cr := img.Y[y*img.YStride:], img.Cb[y*img.CStride:], img.Cr[y*img.CStride:]
		for x := 0; x < len(line); x += 4 {
			luma[x/2], luma[x/2+1], cb[x/4], cr[x/4] = line[x], line[x+2], line[x+1], line[x+3]
		}
	}
	var out bytes.Buffer
	if err := jpeg.Encode(&out, img, &jpeg.Options{Quality: quality}); err != nil {
		return nil, fmt.Errorf("making a picture: %w", err)
	}
	return out.Bytes(), nil
}
