package specimen

import (
	"encoding/binary"
	"errors"
)

// Debian's OCR-B writes some curves with the Type 2 operator flex1, which
// golang.org/x/image/font/sfnt does not know. flex1 is two curves whose last
// coordinate is left out because it leads back to the first; spelling that
// coordinate out turns it into the plain operator rrcurveto, in the same number
// of bytes (Adobe Technical Note 5177, §4.1).

// Operators of Type 2 charstrings (Technical Note 5177, Appendix A).
const (
	opHStem     = 1
	opVStem     = 3
	opRRCurveTo = 8
	opEscape    = 12
	opHStemHM   = 18
	opHintMask  = 19
	opCntrMask  = 20
	opVStemHM   = 23
	opShort     = 28
	opFlex1     = 37 // after opEscape
)

// errFont is the answer to a font file that is not what it claims to be.
var errFont = errors.New("the font file is damaged")

// spellOutFlex returns a copy of an OpenType font in which every flex1 that fits
// is replaced. Fonts without CFF outlines come back unchanged.
func spellOutFlex(font []byte) ([]byte, error) {
	out := append([]byte(nil), font...)
	cff, err := table(out, "CFF ")
	if err != nil || cff == nil {
		return out, err
	}
	glyphs, err := charStrings(cff)
	if err != nil {
		return nil, err
	}
	for _, g := range glyphs {
		patchGlyph(g)
	}
	return out, nil
}

// table finds one table of an OpenType file; nil if there is none.
func table(font []byte, tag string) ([]byte, error) {
	if len(font) < 12 {
		return nil, errFont
	}
	for i := range int(binary.BigEndian.Uint16(font[4:])) {
		at := 12 + 16*i
		if at+16 > len(font) {
			return nil, errFont
		}
		if string(font[at:at+4]) != tag {
			continue
		}
		from := uint64(binary.BigEndian.Uint32(font[at+8:]))
		to := from + uint64(binary.BigEndian.Uint32(font[at+12:]))
		if to > uint64(len(font)) {
			return nil, errFont
		}
		return font[from:to], nil
	}
	return nil, nil
}

// charStrings lists the outlines of a CFF table (Technical Note 5176 §5, §9).
func charStrings(cff []byte) ([][]byte, error) {
	if len(cff) < 4 {
		return nil, errFont
	}
	_, after, err := index(cff, int(cff[2])) // names
	if err != nil {
		return nil, err
	}
	tops, _, err := index(cff, after)
	if err != nil || len(tops) == 0 {
		return nil, errFont
	}
	at := charStringsOffset(tops[0])
	glyphs, _, err := index(cff, at)
	return glyphs, err
}

// index reads one INDEX and tells where it ends.
func index(cff []byte, at int) (items [][]byte, after int, err error) {
	if at < 0 || at+3 > len(cff) {
		return nil, 0, errFont
	}
	n, size := int(binary.BigEndian.Uint16(cff[at:])), int(cff[at+2])
	if n == 0 {
		return nil, at + 2, nil
	}
	base := at + 3 + (n+1)*size - 1
	if size < 1 || size > 4 || base >= len(cff) {
		return nil, 0, errFont
	}
	offset := func(i int) int {
		v := 0
		for _, b := range cff[at+3+i*size:][:size] {
			v = v<<8 | int(b)
		}
		return base + v
	}
	for i := range n {
		from, to := offset(i), offset(i+1)
		if from > to || from < 0 || to > len(cff) {
			return nil, 0, errFont
		}
		items = append(items, cff[from:to])
	}
	return items, offset(n), nil
}

// charStringsOffset finds operator 17 of a Top DICT (Technical Note 5176 §4,
// Table 9); -1 if there is none.
func charStringsOffset(dict []byte) int {
	last := -1
	for i := 0; i < len(dict); {
		b := dict[i]
		switch {
		case b == 17:
			return last
		case b == 30: // a real number ends with a nibble of ones
			for i++; i < len(dict) && dict[i]&15 != 15 && dict[i]>>4 != 15; i++ {
			}
			i++
		case b == 29 && i+5 <= len(dict):
			last = int(int32(binary.BigEndian.Uint32(dict[i+1:])))
			i += 5
		case b < 28:
			i += 1 + isEscape(b)
		default:
			v, n := operand(dict[i:])
			last = v
			i += n
		}
	}
	return -1
}

// isEscape is 1 for the first byte of a two-byte operator.
func isEscape(b byte) int {
	if b == opEscape {
		return 1
	}
	return 0
}

// operand decodes a number and tells its length in bytes, at least 1.
func operand(b []byte) (value, n int) {
	switch v := int(b[0]); {
	case v == opShort && len(b) >= 3:
		return int(int16(binary.BigEndian.Uint16(b[1:]))), 3
	case v >= 32 && v <= 246:
		return v - 139, 1
	case v >= 247 && v <= 250 && len(b) >= 2:
		return (v-247)*256 + int(b[1]) + 108, 2
	case v >= 251 && v <= 254 && len(b) >= 2:
		return -(v-251)*256 - int(b[1]) - 108, 2
	case v == 255:
		return 0, 5 // 16.16 fixed; never an operand of the curves patched here
	}
	return 0, 1
}

// patchGlyph walks one outline and rewrites its flex1 operators.
func patchGlyph(code []byte) {
	var stack []int
	hints, last := 0, 0 // where the last operand starts
	for i := 0; i < len(code); {
		b := code[i]
		switch {
		case b >= 32 || b == opShort:
			v, n := operand(code[i:])
			stack, last = append(stack, v), i
			i += n
			continue
		case b == opEscape:
			if i+1 < len(code) && code[i+1] == opFlex1 && len(stack) == 11 && i-last == 1 {
				spellOut(code[last:i+2], stack)
			}
			i += 2
		case b == opHStem, b == opVStem, b == opHStemHM, b == opVStemHM:
			hints += len(stack) / 2
			i++
		case b == opHintMask, b == opCntrMask:
			hints += len(stack) / 2 // a vstem may go unsaid before the first mask
			i += 1 + (hints+7)/8
		default:
			i++
		}
		stack = stack[:0]
	}
}

// spellOut writes the sixth point of a flex1 and rrcurveto over the three bytes
// of its last operand and operator, if both coordinates fit in a byte.
func spellOut(code []byte, args []int) {
	dx, dy := 0, 0
	for i := 0; i < 10; i += 2 {
		dx, dy = dx+args[i], dy+args[i+1]
	}
	x, y := args[10], -dy
	if max(dx, -dx) <= max(dy, -dy) {
		x, y = -dx, args[10]
	}
	if max(x, -x, y, -y) > 107 {
		return
	}
	code[0], code[1], code[2] = byte(x+139), byte(y+139), opRRCurveTo
}
