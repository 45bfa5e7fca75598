package licence

import "unicode"

// accented lists, after each letter A to Z, the capitals that are that letter
// with accents (Unicode, canonical decompositions of Latin-1 Supplement, Latin
// Extended-A, -B and Additional).
const accented = `
AÀÁÂÃÄÅĀĂĄǍǞǠǺȀȂȦḀẠẢẤẦẨẪẬẮẰẲẴẶ BḂḄḆ CÇĆĈĊČḈ DĎḊḌḎḐḒ EÈÉÊËĒĔĖĘĚȄȆȨḔḖḘḚḜẸẺẼẾỀỂỄỆ FḞ GĜĞĠĢǦǴḠ
HĤȞḢḤḦḨḪ IÌÍÎÏĨĪĬĮİǏȈȊḬḮỈỊ JĴ KĶǨḰḲḴ LĹĻĽḶḸḺḼ MḾṀṂ NÑŃŅŇǸṄṆṈṊ OÒÓÔÕÖŌŎŐƠǑǪǬȌȎȪȬȮȰṌṎṐṒỌỎỐỒỔỖỘỚỜỞỠỢ
PṔṖ Q RŔŖŘȐȒṘṚṜṞ SŚŜŞŠȘṠṢṤṦṨ TŢŤȚṪṬṮṰ UÙÚÛÜŨŪŬŮŰŲƯǓǕǗǙǛȔȖṲṴṶṸṺỤỦỨỪỬỮỰ VṼṾ WŴẀẂẄẆẈ XẊẌ YÝŶŸȲẎỲỴỶỸ
ZŹŻŽẐẒẔ`

// plainLetters are the letters that are no accented ones, in A to Z as they are
// commonly simplified.
var plainLetters = map[rune]string{
	'Æ': "AE", 'Ǽ': "AE", 'Ð': "D", 'Đ': "D", 'Ø': "O", 'Ǿ': "O", 'Þ': "TH", 'ß': "SS", 'ẞ': "SS", 'Œ': "OE",
	'Ĳ': "IJ", 'Ł': "L", 'Ŀ': "L", 'Ħ': "H", 'Ŧ': "T", 'Ŋ': "N", 'Ə': "E", 'ĸ': "K",
}

// transliterated are the letters that ICAO 9303-3 §6 does not simplify to one.
var transliterated = map[rune]string{
	'Ä': "AE", 'Å': "AA", 'Ö': "OE", 'Ü': "UE", 'Ø': "OE", 'Ǿ': "OE",
}

// decomposed is what a mark after a letter adds to the same end: a name may come
// in either form of Unicode.
var decomposed = map[string]string{"A\u0308": "E", "O\u0308": "E", "U\u0308": "E", "A\u030a": "A"}

// latinLetters holds accented and plainLetters; it never changes.
var latinLetters = func() map[rune]string {
	m := map[rune]string{}
	base := ""
	for _, r := range accented {
		switch {
		case r == ' ' || r == '\n':
		case 'A' <= r && r <= 'Z':
			base = string(r)
			m[r] = base
		default:
			m[r] = base
		}
	}
	for r, letters := range plainLetters {
		m[r] = letters
	}
	return m
}()

// latin writes a letter in A to Z; ok is false where it is none of a name. The
// long s is refused, since its capital is an S that nobody sees.
func latin(r rune) (letters string, ok bool) {
	if r == 'ſ' {
		return "", false
	}
	letters, ok = latinLetters[unicode.ToUpper(r)]
	return letters, ok
}
