package jp2

import (
	"encoding/binary"
	"errors"
	"slices"
)

// Bounds of what a header may say. Portraits have one tile and three components.
const (
	maxSide       = 1 << 14 // pixels
	maxTiles      = 1024
	maxComponents = 4
	maxSpacing    = 4 // pixels from one sample to the next
	maxDepth      = 16
	maxBoxes      = 64
)

// header is what the codestream says of the picture (ISO/IEC 15444-1 §A.5.1).
type header struct {
	width, height int
	boxed         bool // the codestream lies in the boxes of a JP2 file
}

// Reasons why there is no header.
var (
	errNoPicture = errors.New("it is no JPEG 2000")
	errHeader    = errors.New("its header makes no sense")
	errBounds    = errors.New("its header says more than a portrait has")
)

// The beginnings of a file: the signature box, and the markers SOC and SIZ.
const (
	signature = "\x00\x00\x00\x0cjP  \r\n\x87\n"
	start     = "\xff\x4f\xff\x51"
)

// readHeader reads how large a picture is.
func readHeader(b []byte) (header, error) {
	boxed := len(b) >= len(signature) && string(b[:len(signature)]) == signature
	if boxed {
		var ok bool
		if b, ok = codestream(b); !ok {
			return header{}, errHeader
		}
	}
	if len(b) < len(start) || string(b[:len(start)]) != start {
		return header{}, errNoPicture
	}
	h, err := readSize(b[len(start):])
	h.boxed = boxed
	return h, err
}

// codestream finds the first codestream among the boxes of a file (§I.4).
func codestream(b []byte) ([]byte, bool) {
	for range maxBoxes {
		if len(b) < 8 {
			return nil, false
		}
		size, head := uint64(binary.BigEndian.Uint32(b)), uint64(8)
		kind := string(b[4:8])
		switch {
		case size == 0: // it reaches to the end
			size = uint64(len(b))
		case size == 1 && len(b) >= 16:
			size, head = binary.BigEndian.Uint64(b[8:]), 16
		}
		if kind == "jp2c" && size >= head { // it may be cut off: that is for later
			return b[head:], uint64(len(b)) > head
		}
		if size < head || size > uint64(len(b)) {
			return nil, false
		}
		b = b[size:]
	}
	return nil, false
}

// size is the fixed part of the marker SIZ behind its code.
type size struct {
	Length, Capabilities         uint16
	X1, Y1, X0, Y0               uint32 // of the picture on the grid
	TileX, TileY, TileX0, TileY0 uint32
	Components                   uint16
}

// sizeBytes is how long size is.
const sizeBytes = 2*2 + 8*4 + 2

// readSize reads the marker SIZ and holds it to the bounds.
func readSize(b []byte) (header, error) {
	var s size
	if _, err := binary.Decode(b, binary.BigEndian, &s); err != nil {
		return header{}, errHeader
	}
	parts := b[sizeBytes:]
	if s.Components == 0 || int(s.Length) != sizeBytes+3*int(s.Components) || len(parts) < 3*int(s.Components) {
		return header{}, errHeader
	}
	if err := s.check(); err != nil {
		return header{}, err
	}
	if err := checkParts(parts[:3*int(s.Components)]); err != nil {
		return header{}, err
	}
	return header{width: int(s.X1 - s.X0), height: int(s.Y1 - s.Y0)}, nil
}

// check holds a size to what makes sense, and to the bounds.
func (s size) check() error {
	empty := s.X1 <= s.X0 || s.Y1 <= s.Y0 || s.TileX == 0 || s.TileY == 0
	if empty || s.TileX0 > s.X0 || s.TileY0 > s.Y0 {
		return errHeader
	}
	if s.X1 > maxSide || s.Y1 > maxSide || s.Components > maxComponents {
		return errBounds
	}
	if across(s.X1-s.TileX0, s.TileX)*across(s.Y1-s.TileY0, s.TileY) > maxTiles {
		return errBounds
	}
	return nil
}

// checkParts holds the components to the bounds: three bytes each, of depth and
// spacing.
func checkParts(parts []byte) error {
	for part := range slices.Chunk(parts, 3) {
		depth, dx, dy := part[0]&0x7f+1, part[1], part[2]
		if dx == 0 || dy == 0 {
			return errHeader
		}
		if depth > maxDepth || max(dx, dy) > maxSpacing {
			return errBounds
		}
	}
	return nil
}

// across is how many steps it takes to go so far.
func across(far, step uint32) int64 { return (int64(far) + int64(step) - 1) / int64(step) }
