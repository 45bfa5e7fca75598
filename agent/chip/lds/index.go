package lds

import (
	"slices"
	"strings"
)

// Index is EF.COM: what the chip says that it holds (§4.6.1). Nobody signs it,
// so nothing may rest on it.
type Index struct {
	Version string  // of the data structure, "0107" or "0108"
	Unicode string  // of the characters, "040000"
	Groups  []Group // that are on the chip, in the file's order; unknown tags are left out
}

// Tags of EF.COM and of the zone.
const (
	tagLDSVersion     tag = 0x5f01
	tagUnicodeVersion tag = 0x5f36
	tagList           tag = 0x5c
	tagZone           tag = 0x5f1f
)

// ParseCOM reads EF.COM.
func ParseCOM(b []byte) (Index, error) {
	const f = file(0)
	all, err := f.objects(b)
	if err != nil {
		return Index{}, err
	}
	var x Index
	var hasList bool
	for _, o := range all {
		switch o.tag {
		case tagLDSVersion:
			x.Version, _ = digits(o.value, 4)
		case tagUnicodeVersion:
			x.Unicode, _ = digits(o.value, 6)
		case tagList:
			hasList = true
			x.Groups = groups(o.value)
		}
	}
	if !hasList {
		return Index{}, f.wrong("it has no list of groups")
	}
	return x, nil
}

// groups reads a list of the tags of files.
func groups(b []byte) []Group {
	var all []Group
	for _, c := range b {
		g := Group(strings.IndexByte(groupTags, c))
		if g > 0 && !slices.Contains(all, g) {
			all = append(all, g)
		}
	}
	return all
}

// lineLengths tells the length of a line by the length of the whole zone: TD1,
// TD2 and TD3 (9303-5, -6 and -4).
var lineLengths = map[int]int{90: 30, 72: 36, 88: 44}

// MRZ reads DG1, the machine-readable zone, and gives its lines. They hold
// nothing but capitals, digits and fillers; whether its check digits are right
// is for package mrz to say.
func MRZ(b []byte) ([]string, error) {
	const f = file(1)
	all, err := f.objects(b)
	if err != nil {
		return nil, err
	}
	zone, ok := find(all, tagZone)
	if !ok {
		return nil, f.wrong("it has no machine-readable zone")
	}
	n := lineLengths[len(zone)]
	if n == 0 {
		return nil, f.wrong("the zone has the length of no document")
	}
	var lines []string
	for line := range slices.Chunk(zone, n) {
		if slices.ContainsFunc(line, outside) {
			return nil, f.wrong("the zone holds a sign that no zone has")
		}
		lines = append(lines, string(line))
	}
	return lines, nil
}

// outside reports a byte that is not of the zone's alphabet (9303-3 §4.3).
func outside(c byte) bool {
	return c != '<' && (c < '0' || c > '9') && (c < 'A' || c > 'Z')
}

// Optional reads DG13 and gives its content, which each state defines for itself.
func Optional(b []byte) ([]byte, error) { return file(13).open(b) }

// PublicKey reads DG15 and gives the key of active authentication, a
// SubjectPublicKeyInfo in DER that is not looked into.
func PublicKey(b []byte) ([]byte, error) {
	const f = file(15)
	value, err := f.open(b)
	if err != nil {
		return nil, err
	}
	if t, _, rest, ok := next(value); !ok || t != 0x30 || len(rest) > 0 {
		return nil, f.wrong("it is no public key")
	}
	return value, nil
}
