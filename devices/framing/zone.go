package framing

import (
	"slices"
	"strings"
)

// Lengths of lines, in characters (ICAO Doc 9303 parts 4 to 7).
const (
	lengthTD1 = 30 // three lines
	lengthTD2 = 36 // two lines, as visas of format B
	lengthTD3 = 44 // two lines, as visas of format A
)

// zoneLetter tells a character of a zone.
func zoneLetter(b byte) bool {
	return b >= 'A' && b <= 'Z' || b >= '0' && b <= '9' || b == '<'
}

// lineEnd tells a separator of lines. Makers write CR; LF and both are taken
// too, since the separator of many readers is a setting.
func lineEnd(b byte) bool { return b == '\r' || b == '\n' }

// badLetter finds the first byte that neither a zone nor a separator has; -1
// where there is none.
func badLetter(data []byte) int {
	return slices.IndexFunc(data, func(b byte) bool { return !zoneLetter(b) && !lineEnd(b) })
}

// readZone makes a zone of a frame's content: an MRZ, or the Error that says
// why it is none. Line lengths are left to who reads the zone, but a zone that
// came as one line is cut.
func readZone(data []byte) Frame {
	if at := badLetter(data); at >= 0 {
		return Error{Code: BadCharacter, Offset: at}
	}
	found := strings.FieldsFunc(string(data), func(r rune) bool { return r == '\r' || r == '\n' })
	if len(found) == 0 {
		return Error{Code: NoDocument}
	}
	if len(found) == 1 {
		found = cutZone(found[0])
	}
	return MRZ{Lines: found, Raw: slices.Clone(data)}
}

// cutZone cuts a zone whose lines came as one; other lines stay as they are.
func cutZone(line string) []string {
	var out []string
	switch n := len(line); n {
	case 2 * lengthTD3, 2 * lengthTD2:
		out = []string{line[:n/2], line[n/2:]}
	case 3 * lengthTD1:
		out = []string{line[:lengthTD1], line[lengthTD1 : 2*lengthTD1], line[2*lengthTD1:]}
	default:
		out = []string{line}
	}
	return out
}

// readCode makes a barcode of a frame's content. With an identifier in front,
// what has none is left whole.
func readCode(data []byte, identified bool) Frame {
	if identified && len(data) >= 3 {
		if id := aimID(data[:3]); id != "" {
			return Barcode{Bytes: slices.Clone(data[3:]), AIM: id}
		}
	}
	return Barcode{Bytes: slices.Clone(data)}
}

// aimID reads an AIM identifier: "]", a letter, a modifier (ISO/IEC 15424); ""
// where it is none.
func aimID(b []byte) string {
	if len(b) != 3 || b[0] != ']' || b[1] <= ' ' || b[1] > '~' || b[2] <= ' ' || b[2] > '~' {
		return ""
	}
	return string(b)
}
