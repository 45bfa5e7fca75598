package lds

import "slices"

// Standard is the text by which a face is recorded.
type Standard string

// The standards.
const (
	ISO19794 Standard = "iso19794-5" // ISO/IEC 19794-5:2005
	ISO39794 Standard = "iso39794-5" // ISO/IEC 39794-5:2019
)

// Oddity is something in DG2 that is not as the standard has it, and that does
// not keep the portrait from being read.
type Oddity string

// The oddities.
const (
	OddCount        Oddity = "count"         // it says another number of faces than it has
	OddRecordLength Oddity = "record_length" // the record says another length than it has
	OddBlockLength  Oddity = "block_length"  // a face says another length than it has
	OddPoints       Oddity = "points"        // the picture is not where the number of feature points puts it
	OddImageType    Oddity = "image_type"    // the picture is of another format than it says
)

// Portrait is the picture of a face as it stands in DG2.
type Portrait struct {
	Picture
	Standard Standard
	// Width and Height are what the record says, in pixels, 0 where it says
	// nothing; the picture's own header tells the truth.
	Width, Height int
	Oddities      []Oddity // what is odd in the file up to this face
}

// odd notes an oddity, once.
func (p *Portrait) odd(o Oddity) {
	if !slices.Contains(p.Oddities, o) {
		p.Oddities = append(p.Oddities, o)
	}
}

// Tags of DG2 (§4.7.2; ISO/IEC 7816-11).
const (
	tagGroupTemplate tag = 0x7f61 // of all biometric data
	tagTemplate      tag = 0x7f60 // of one record
	tagHeader        tag = 0xa1   // of a record
	tagPlainData     tag = 0x5f2e
	tagNestedData    tag = 0x7f2e
	tagInteger       tag = 0x02
)

// Face reads DG2 and gives the first face, the document's portrait.
func Face(b []byte) (Portrait, error) {
	all, err := Faces(b)
	if err != nil {
		return Portrait{}, err
	}
	return all[0], nil
}

// Faces reads DG2 and gives its faces, at least one and at most MaxFaces. One
// that cannot be read is left out, unless it is the only one.
func Faces(b []byte) ([]Portrait, error) {
	const f = file(2)
	value, err := f.open(b)
	if err != nil {
		return nil, err
	}
	within, ok := descend(value, tagGroupTemplate)
	if !ok {
		return nil, f.wrong("it has no biometric data")
	}
	all, ok := list(within)
	if !ok {
		return nil, f.wrong("the lengths inside it do not fit")
	}
	var found []Portrait
	wrong, records := "it has no face", 0
	for _, o := range all {
		if o.tag != tagTemplate {
			continue
		}
		records++
		faces, why := recorded(o.value)
		if len(faces) == 0 {
			wrong = why
		}
		found = append(found, faces...)
	}
	if len(found) == 0 {
		return nil, f.wrong(wrong)
	}
	if said, ok := find(all, tagInteger); ok {
		if n, ok := number(said); !ok || n != records {
			found[0].odd(OddCount)
		}
	}
	return found[:min(len(found), MaxFaces)], nil
}

// recorded reads one record, by whichever standard it was made; the content tells
// which, since the tags and the header have been used for both. Without a face it
// says why.
func recorded(template []byte) (faces []Portrait, why string) {
	all, ok := list(template)
	if !ok {
		return nil, "the lengths of a record do not fit"
	}
	data, ok := find(all, tagPlainData)
	if !ok {
		data, ok = find(all, tagNestedData)
	}
	switch {
	case !ok:
		return nil, "a record holds no readable data"
	case isFacialRecord(data):
		return facialRecord(data)
	}
	return nested(data)
}
