package lds

// Tags of a face by ISO/IEC 39794-5:2019, from the outside in: ICAO's wrapper,
// the block of all data, its list of representations, one of them, and of that
// one the picture of two dimensions.
const (
	tagWrapper         tag = 0xa1
	tagFaceData        tag = 0x65 // [APPLICATION 5]
	tagRepresentations tag = 0xa1
	tagSequence        tag = 0x30
	tagRepresentation  tag = 0xa1
	tagBase            tag = 0xa0
	tagFlat            tag = 0xa0
	tagImage           tag = 0x80
	tagInformation     tag = 0xa1
	tagImageFormat     tag = 0xa0
	tagImageSize       tag = 0xa7
	tagFirst           tag = 0x80
	tagSecond          tag = 0x81
)

// Codes of the image's format, in the order of the standard.
const (
	codeJPEG        = 2
	codeJPEG2000Low = 3 // with losses
	codeJPEG2000    = 4
)

// nested reads the faces of a block of ISO/IEC 39794-5. Chips put it into one
// template more (ICAO's application profile), or not.
func nested(b []byte) (faces []Portrait, why string) {
	if inner, ok := descend(b, tagWrapper); ok {
		b = inner
	}
	if inner, ok := descend(b, tagFaceData); ok {
		b = inner
	}
	within, ok := descend(b, tagRepresentations)
	if !ok {
		return nil, "a record is of an unknown standard"
	}
	all, ok := list(within)
	if !ok {
		return nil, "the lengths of a record do not fit"
	}
	for _, o := range all {
		if p, ok := represented(o.value); ok && o.tag == tagSequence && len(faces) < MaxFaces {
			faces = append(faces, p)
		}
	}
	return faces, "a record holds no picture of a known format"
}

// represented reads one representation: of the picture only, since landmarks,
// quality and capture are not used.
func represented(b []byte) (Portrait, bool) {
	flat, ok := descend(b, tagRepresentation, tagBase, tagFlat)
	if !ok {
		return Portrait{}, false
	}
	image, ok := descend(flat, tagImage)
	if !ok {
		return Portrait{}, false
	}
	p := Portrait{Standard: ISO39794}
	if p.Picture, ok = picture(image); !ok {
		return Portrait{}, false
	}
	if about, ok := descend(flat, tagInformation); ok {
		p.describe(about)
	}
	return p, true
}

// describe takes what the record says of the picture, for telling where it lies;
// the picture speaks for itself.
func (p *Portrait) describe(about []byte) {
	if size, ok := descend(about, tagImageSize); ok {
		p.Width, p.Height = side(size, tagFirst), side(size, tagSecond)
	}
	code, ok := descend(about, tagImageFormat, tagFirst)
	if !ok {
		return
	}
	said, _ := number(code)
	isJPEG := said == codeJPEG
	if isJPEG != (p.Format == JPEG) || !isJPEG && said != codeJPEG2000Low && said != codeJPEG2000 {
		p.odd(OddImageType)
	}
}

// side reads a side of a picture, 0 where it is not told or cannot be.
func side(size []byte, t tag) int {
	value, _ := descend(size, t)
	n, ok := number(value)
	if !ok || n > 0xffff {
		return 0
	}
	return n
}
