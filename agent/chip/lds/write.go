package lds

import (
	"encoding/binary"
	"fmt"
	"strings"

	"github.com/counterproof/counterproof/agent/proof"
)

// BuildCOM writes EF.COM of version 1.7 for a chip with some groups.
func BuildCOM(groups ...Group) []byte {
	var tags []byte
	for _, g := range groups {
		if g > 0 && g.Tag() != 0 {
			tags = append(tags, g.Tag())
		}
	}
	return write(tag(Group(0).Tag()), write(tagLDSVersion, []byte("0107")), write(tagUnicodeVersion, []byte("040000")), write(tagList, tags))
}

// BuildDG1 writes the lines of a machine-readable zone.
func BuildDG1(lines []string) []byte {
	return write(tag(Group(1).Tag()), write(tagZone, []byte(strings.Join(lines, ""))))
}

// BuildDG2 writes a portrait, JPEG or JPEG 2000, as one of the two standards
// records it; sides are in pixels. It judges nothing, so that faults can be made.
func BuildDG2(image []byte, width, height int, by Standard) []byte {
	header := write(tagHeader, write(0x80, []byte{1, 1}), write(0x81, []byte{2}), write(0x87, []byte{1, 1}), write(0x88, []byte{0, 8}))
	data := write(tagPlainData, buildRecord(image, width, height))
	if by == ISO39794 {
		data = write(tagNestedData, write(tagWrapper, buildNested(image, width, height)))
	}
	return write(tag(Group(2).Tag()), write(tagGroupTemplate, write(tagInteger, []byte{1}), write(tagTemplate, header, data)))
}

// buildRecord writes a facial record of ISO/IEC 19794-5:2005 with one face.
func buildRecord(image []byte, width, height int) []byte {
	kind := byte(dataJPEG2000)
	if FormatOf(image) == JPEG {
		kind = dataJPEG
	}
	size := leastFace + len(image)
	b := []byte(recordFormat + recordVersion)
	b = binary.BigEndian.AppendUint32(b, uint32(recordHeader+size))
	b = binary.BigEndian.AppendUint16(b, 1)
	b = binary.BigEndian.AppendUint32(b, uint32(size))
	b = append(b, make([]byte, faceHeader-4)...) // no points; sex, colours, pose: not told
	b = append(b, fullFrontal, kind)
	b = binary.BigEndian.AppendUint16(b, uint16(width))
	b = binary.BigEndian.AppendUint16(b, uint16(height))
	b = append(b, sRGB24, 0, 0, 0, 0, 0)
	return append(b, image...)
}

// buildNested writes a block of ISO/IEC 39794-5:2019 with one face.
func buildNested(image []byte, width, height int) []byte {
	code := byte(codeJPEG2000Low)
	if FormatOf(image) == JPEG {
		code = codeJPEG
	}
	size := write(tagImageSize, write(tagFirst, whole(width)), write(tagSecond, whole(height)))
	flat := write(tagFlat, write(tagImage, image), write(tagInformation, write(tagImageFormat, write(tagFirst, []byte{code})), size))
	version := write(0xa0, write(tagFirst, []byte{3}), write(tagSecond, whole(2019)))
	one := write(tagSequence, write(tagFirst, []byte{0}), write(tagRepresentation, write(tagBase, flat)))
	return write(tagFaceData, version, write(tagRepresentations, one))
}

// whole writes a whole number of up to three bytes that is no negative one in DER.
func whole(n int) []byte {
	b := []byte{byte(n >> 16), byte(n >> 8), byte(n)}
	for len(b) > 1 && b[0] == 0 && b[1] < 0x80 {
		b = b[1:]
	}
	return b
}

// BuildDG7 writes a picture of a signature.
func BuildDG7(image []byte) []byte {
	return write(tag(Group(7).Tag()), write(tagInteger, []byte{1}), write(tagSignature, image))
}

// BuildDG11 writes the name, the date and the place of birth, the address and the
// personal number; what is empty is left out.
func BuildDG11(p Personal) []byte {
	var fields []field
	if p.Name != (Name{}) {
		fields = append(fields, field{tagFullName, filled(p.Name.Surname) + "<<" + filled(p.Name.Given)})
	}
	fields = append(fields,
		field{tagPersonalNumber, p.PersonalNumber},
		field{tagFullBirth, plain(p.Birth)},
		field{tagBirthPlace, strings.Join(p.BirthPlace, "<")},
		field{tagAddress, strings.Join(p.Address, "<")})
	return buildFields(11, fields)
}

// BuildDG12 writes the authority and the date of issue; what is empty is left
// out.
func BuildDG12(i Issue) []byte {
	return buildFields(12, []field{{tagAuthority, i.Authority}, {tagIssueDate, plain(i.Date)}})
}

// BuildOpaque writes a group around content that it does not look into: DG13,
// DG14, DG15.
func BuildOpaque(g Group, content []byte) []byte { return write(tag(g.Tag()), content) }

// field is a field of text to be written.
type field struct {
	tag  tag
	text string
}

// buildFields writes fields of text behind the list of their tags.
func buildFields(g Group, fields []field) []byte {
	var tags, content []byte
	for _, f := range fields {
		if f.text != "" {
			tags = append(tags, byte(f.tag>>8), byte(f.tag))
			content = append(content, write(f.tag, []byte(f.text))...)
		}
	}
	return write(tag(g.Tag()), write(tagList, tags), content)
}

// filled is a text with fillers for its spaces.
func filled(s string) string { return strings.ReplaceAll(s, " ", "<") }

// plain writes a date as YYYYMMDD, "" for none.
func plain(d proof.Date) string {
	if d.Year == 0 {
		return ""
	}
	return fmt.Sprintf("%04d%02d%02d", d.Year, d.Month, d.Day)
}
