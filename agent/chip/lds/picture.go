package lds

import "bytes"

// Format is the format of a picture, told by its first bytes and by nothing else.
type Format string

// The formats.
const (
	Unknown Format = ""
	JPEG    Format = "jpeg" // ISO/IEC 10918
	JP2     Format = "jp2"  // ISO/IEC 15444-1, in its boxes
	J2K     Format = "j2k"  // ISO/IEC 15444-1, the bare codestream
)

// Picture is a picture as it stands in a file. Bytes are a part of the file, not
// a copy, and may be anything.
type Picture struct {
	Format Format
	Bytes  []byte
}

// The first bytes of each format.
const (
	jpegStart = "\xff\xd8\xff"
	jp2Start  = "\x00\x00\x00\x0cjP  \r\n\x87\n"
	j2kStart  = "\xff\x4f\xff\x51"
)

// FormatOf tells the format of a picture; Unknown where it is none.
func FormatOf(b []byte) Format {
	switch {
	case bytes.HasPrefix(b, []byte(jpegStart)):
		return JPEG
	case bytes.HasPrefix(b, []byte(jp2Start)):
		return JP2
	case bytes.HasPrefix(b, []byte(j2kStart)):
		return J2K
	}
	return Unknown
}

// picture takes bytes for a picture, if they are one.
func picture(b []byte) (Picture, bool) {
	p := Picture{FormatOf(b), b}
	return p, p.Format != Unknown
}

// seek gives where the first picture begins in b, -1 where there is none.
func seek(b []byte) int {
	at := -1
	for _, start := range []string{jpegStart, jp2Start, j2kStart} {
		if i := bytes.Index(b, []byte(start)); i >= 0 && (at < 0 || i < at) {
			at = i
		}
	}
	return at
}

// tagSignature is the tag of the usual mark or signature in DG7.
const tagSignature tag = 0x5f43

// Signature reads DG7 and gives the first picture of the holder's signature or
// usual mark (§4.7.7).
func Signature(b []byte) (Picture, error) {
	const f = file(7)
	all, err := f.objects(b)
	if err != nil {
		return Picture{}, err
	}
	value, ok := find(all, tagSignature)
	if !ok {
		return Picture{}, f.wrong("it has no signature")
	}
	p, ok := picture(value)
	if !ok {
		return Picture{}, f.wrong("the signature is no picture of a known format")
	}
	return p, nil
}
