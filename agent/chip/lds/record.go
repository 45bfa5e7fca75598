package lds

import (
	"bytes"
	"encoding/binary"
	"slices"
)

// Sizes of a facial record (ISO/IEC 19794-5:2005 §5.3–5.7), in bytes.
const (
	recordHeader = 14
	faceHeader   = 20
	pointSize    = 8
	imageHeader  = 12
	leastFace    = faceHeader + imageHeader
)

// The beginning of a facial record: the format and its version.
const (
	recordFormat  = "FAC\x00"
	recordVersion = "010\x00"
)

// Types of image data and of the face's picture (§5.7.1–5.7.2 of the same).
const (
	dataJPEG     = 0
	dataJPEG2000 = 1
	fullFrontal  = 1
	sRGB24       = 1
)

// The layout of a record, numbers with their high byte first:
//
//	record: format 4, version 4, length of all 4, number of faces 2
//	face:   length of all that follows with itself 4, number of points 2, sex 1,
//	        colour of eyes 1, of hair 1, features 3, expression 2, pose 3, its error 3
//	points: 8 each
//	image:  kind of face 1, type of data 1, width 2, height 2, colour space 1,
//	        source 1, device 2, quality 2, and then the picture

// isFacialRecord tells a record of ISO/IEC 19794-5 from one of 39794-5.
func isFacialRecord(b []byte) bool { return bytes.HasPrefix(b, []byte(recordFormat)) }

// facialRecord reads the faces of a record of ISO/IEC 19794-5:2005. The lengths
// in it are followed as far as they can be true.
func facialRecord(b []byte) (faces []Portrait, why string) {
	if len(b) < recordHeader+leastFace {
		return nil, "the facial record is too short"
	}
	if string(b[4:8]) != recordVersion {
		return nil, "the facial record is of an unknown version"
	}
	var odd []Oddity
	if int64(binary.BigEndian.Uint32(b[8:])) != int64(len(b)) {
		odd = append(odd, OddRecordLength)
	}
	count, rest := int(binary.BigEndian.Uint16(b[12:])), b[recordHeader:]
	for range min(max(count, 1), MaxFaces) {
		if len(rest) < leastFace {
			break
		}
		face, size, ok := faceBlock(rest)
		if !ok {
			break
		}
		rest = rest[size:]
		face.Oddities = append(slices.Clone(odd), face.Oddities...)
		faces = append(faces, face)
	}
	if len(faces) == 0 {
		return nil, "the facial record holds no picture of a known format"
	}
	if len(faces) != count {
		faces[0].odd(OddCount)
	}
	return faces, ""
}

// faceBlock reads the first face of b, which has room for its headers, and gives
// its size. A length that cannot be true leaves all the rest to this face; where
// the points do not end at a picture, it is looked for.
func faceBlock(b []byte) (p Portrait, size int, ok bool) {
	p.Standard = ISO19794
	points := int(binary.BigEndian.Uint16(b[4:]))
	size = len(b)
	if said := int64(binary.BigEndian.Uint32(b)); said >= leastFace && said <= int64(len(b)) {
		size = int(said)
	} else {
		p.odd(OddBlockLength)
	}
	at := leastFace + points*pointSize
	if at >= size || FormatOf(b[at:size]) == Unknown {
		p.odd(OddPoints)
		if at = seek(b[leastFace:size]); at < 0 {
			return p, size, false
		}
		at += leastFace
	}
	p.Picture, ok = picture(b[at:size])
	head := b[at-imageHeader:] // it stands before the picture, wherever that is
	p.Width, p.Height = int(binary.BigEndian.Uint16(head[2:])), int(binary.BigEndian.Uint16(head[4:]))
	if said := head[1]; said > dataJPEG2000 || (said == dataJPEG) != (p.Format == JPEG) {
		p.odd(OddImageType)
	}
	return p, size, ok
}
