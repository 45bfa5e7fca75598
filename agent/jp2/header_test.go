package jp2

import (
	"encoding/binary"
	"errors"
	"slices"
	"strings"
	"testing"
)

// sized is the beginning of a codestream with a marker SIZ; depth and spacing are
// those of each component.
func sized(s size, part ...byte) []byte {
	if s.Components == 0 {
		s.Components = uint16(len(part) / 3)
	}
	if s.Length == 0 {
		s.Length = sizeBytes + 3*s.Components
	}
	b, err := binary.Append([]byte(start), binary.BigEndian, s)
	if err != nil {
		return nil
	}
	return append(b, part...)
}

// portrait is a usual size, in one tile.
func portrait() size { return size{X1: 413, Y1: 531, TileX: 413, TileY: 531} }

// rgb and gray are the components of a usual picture.
var (
	rgb  = []byte{7, 1, 1, 7, 1, 1, 7, 1, 1}
	gray = []byte{7, 1, 1}
)

// box is a box of a JP2 file.
func box(kind string, content ...[]byte) []byte {
	all := slices.Concat(content...)
	return append(append(binary.BigEndian.AppendUint32(nil, uint32(8+len(all))), kind...), all...)
}

func TestHeader(t *testing.T) {
	t.Parallel()
	bare := sized(portrait(), rgb...)
	with := func(change func(*size), part ...byte) []byte {
		s := portrait()
		change(&s)
		return sized(s, part...)
	}
	open := func(size string) []byte { return slices.Concat([]byte(signature), []byte(size), bare) }
	for name, c := range map[string]struct {
		file []byte
		want error
	}{
		"bare":                {bare, nil},
		"gray":                {sized(portrait(), gray...), nil},
		"boxed":               {slices.Concat([]byte(signature), box("ftyp", []byte("jp2 ")), box("jp2c", bare)), nil},
		"box-to-the-end":      {open("\x00\x00\x00\x00jp2c"), nil},
		"box-of-64-bits":      {open("\x00\x00\x00\x01jp2c\x00\x00\x00\x00\x00\x00\x01\x00"), nil},
		"box-cut-off":         {open("\x00\x01\x00\x00jp2c"), nil},
		"moved-on-the-grid":   {with(func(s *size) { s.X0, s.X1, s.Y0, s.Y1 = 10, 423, 5, 536 }, rgb...), nil},
		"coarse-colours":      {sized(portrait(), 7, 1, 1, 7, 2, 2, 7, 2, 2), nil},
		"empty":               {nil, errNoPicture},
		"JPEG":                {[]byte("\xff\xd8\xff\xe0 and so on"), errNoPicture},
		"boxes-without-it":    {slices.Concat([]byte(signature), box("ftyp")), errHeader},
		"box-shorter-than-8":  {open("\x00\x00\x00\x07jp2c"), errHeader},
		"box-beyond-the-end":  {open("\x7f\x00\x00\x00free"), errHeader},
		"many-boxes":          {slices.Concat([]byte(signature), []byte(strings.Repeat(string(box("free")), maxBoxes+1)), box("jp2c", bare)), errHeader},
		"box-holds-nothing":   {slices.Concat([]byte(signature), box("jp2c")), errHeader},
		"box-holds-another":   {slices.Concat([]byte(signature), box("jp2c", []byte("\xff\xd8\xff\xe0"))), errNoPicture},
		"cut-off":             {bare[:20], errHeader},
		"cut-off-components":  {bare[:len(bare)-1], errHeader},
		"length-lies":         {with(func(s *size) { s.Length = 38 }, rgb...), errHeader},
		"no-components":       {sized(portrait()), errHeader},
		"five-components":     {sized(portrait(), slices.Repeat(gray, 5)...), errBounds},
		"no-width":            {with(func(s *size) { s.X1 = 0 }, rgb...), errHeader},
		"no-tile":             {with(func(s *size) { s.TileX = 0 }, rgb...), errHeader},
		"tile-behind-picture": {with(func(s *size) { s.TileX0 = 9 }, rgb...), errHeader},
		"too-wide":            {with(func(s *size) { s.X1 = maxSide + 1 }, rgb...), errBounds},
		"wide-as-can-be":      {with(func(s *size) { s.X1 = 0xffffffff }, rgb...), errBounds},
		"many-tiles":          {with(func(s *size) { s.TileX, s.TileY = 8, 8 }, rgb...), errBounds},
		"tiles-of-a-pixel":    {with(func(s *size) { s.TileX, s.TileY = 1, 1 }, rgb...), errBounds},
		"samples-of-17-bits":  {sized(portrait(), 16, 1, 1), errBounds},
		"no-spacing":          {sized(portrait(), 7, 0, 1), errHeader},
		"wide-spacing":        {sized(portrait(), 7, 1, 5), errBounds},
	} {
		h, err := readHeader(c.file)
		if !errors.Is(err, c.want) || (err == nil) != (h.width == 413 && h.height == 531) {
			t.Errorf("%s: got %+v, %v; want %v", name, h, err, c.want)
		}
		if boxed := strings.HasPrefix(string(c.file), signature); err == nil && h.boxed != boxed {
			t.Errorf("%s: in boxes %t, want %t", name, h.boxed, boxed)
		}
	}
}

func FuzzHeader(f *testing.F) {
	f.Add(sized(portrait(), rgb...))
	f.Add(slices.Concat([]byte(signature), box("ftyp", []byte("jp2 ")), box("jp2h", box("ihdr")), box("jp2c", sized(portrait(), gray...))))
	f.Add(slices.Concat([]byte(signature), []byte("\x00\x00\x00\x01jp2c\xff\xff\xff\xff\xff\xff\xff\xff"), sized(portrait(), rgb...)))
	f.Fuzz(func(t *testing.T, b []byte) {
		h, err := readHeader(b)
		if err == nil && (h.width < 1 || h.height < 1 || max(h.width, h.height) > maxSide) {
			t.Errorf("%d × %d pixels", h.width, h.height)
		}
	})
}
