package trust

import (
	"bytes"
	"slices"
	"strconv"
	"strings"

	"github.com/counterproof/counterproof/agent/chip/der"
)

// document is what a deviation may name of a document, and its issuing state, as
// EF.DG1 has them.
type document struct{ kind, state, number string }

// Tags of files (9303-10 §4.7).
const (
	tagObject = 0x77
	tagZone   = 0x61
	tagDG14   = 0x6e
	tagDG15   = 0x6f
)

// unwrap is the content of a file that begins with a tag; nil where it does not.
// Lengths need not be as short as they can be.
func unwrap(file []byte, tag byte) []byte {
	if len(file) < 2 || file[0] != tag {
		return nil
	}
	n, at := int(file[1]), 2
	if n >= 0x80 {
		size := n - 0x80
		if size < 1 || size > 3 || len(file) < at+size {
			return nil
		}
		n = 0
		for _, c := range file[at : at+size] {
			n = n<<8 | int(c)
		}
		at += size
	}
	if n != len(file)-at {
		return nil
	}
	return file[at:]
}

// zoneTag is the second byte of the tag of the zone inside EF.DG1.
const zoneTag = 0x1f

// Places in a machine-readable zone, by its length in characters.
type places struct{ number, end int }

// zones are the sizes of documents (9303-4, -5 and -6).
var zones = map[int]places{90: {5, 14}, 72: {36, 45}, 88: {44, 53}}

// parseZone reads EF.DG1. A zone of another size gives what its beginning tells.
func parseZone(file []byte) (document, bool) {
	b := unwrap(file, tagZone)
	if len(b) < 2 || b[0] != 0x5f {
		return document{}, false
	}
	zone := string(unwrap(b[1:], zoneTag))
	if len(zone) < 5 {
		return document{}, false
	}
	d := document{kind: zone[:2], state: trimmed(zone[2:5])}
	if p, ok := zones[len(zone)]; ok {
		d.number = trimmed(zone[p.number:p.end])
	}
	return d, true
}

// trimmed is a field of a zone without its filling.
func trimmed(s string) string { return strings.TrimRight(s, "< ") }

// The data group with the portrait, and how the names of all of them begin.
const (
	portrait  = 2
	groupName = "DG"
)

// name is a file's name as evidence has it: "SOD" for "EF.SOD", "DG1" for "dg1".
func name(n string) string {
	n = strings.TrimPrefix(n, "EF.")
	if up := strings.ToUpper(n); strings.HasPrefix(up, groupName) {
		return up
	}
	return n
}

// group is the number of a data group by its name; 0 for other files.
func group(n string) int {
	digits, ok := strings.CutPrefix(n, groupName)
	if !ok {
		return 0
	}
	v, err := strconv.Atoi(digits)
	if err != nil || v < 1 || v > 16 || digits[0] == '0' {
		return 0
	}
	return v
}

// info is one SecurityInfo (9303-11 §9.2).
type info struct {
	id       der.OID
	required der.Value
	raw      []byte
}

// maxInfos bounds a list of them.
const maxInfos = 64

// infos reads a list of SecurityInfos; false where it is none.
func infos(set []byte) ([]info, bool) {
	v, err := der.Whole(set, der.Set)
	if err != nil {
		return nil, false
	}
	var all []info
	r := v.Inside()
	for r.More() && len(all) <= maxInfos {
		one := r.Want(der.Sequence)
		in := one.Inside()
		id := in.Want(der.Object).OID()
		required := in.Any()
		if in.Err() != nil {
			return nil, false
		}
		all = append(all, info{id, required, one.Raw})
	}
	return all, r.End() == nil
}

// Beginnings of identifiers in SecurityInfos (9303-11 §9.2).
const (
	chipKeys = "0.4.0.127.0.7.2.2.1." // keys of chip authentication
	paceWays = "0.4.0.127.0.7.2.2.4." // ways of PACE
)

// hasKeys reports infos with a key of chip authentication.
func hasKeys(all []info) bool {
	return slices.ContainsFunc(all, func(i info) bool { return strings.HasPrefix(string(i.id), chipKeys) })
}

// holdsKey reports a list of SecurityInfos with a key of chip authentication; known
// is false where the list cannot be read.
func holdsKey(set, key []byte) (holds, known bool) {
	all, ok := infos(set)
	if !ok {
		return false, false
	}
	for _, i := range all {
		if strings.HasPrefix(string(i.id), chipKeys) && sameKey(i.required.Raw, key) {
			return true, true
		}
	}
	return false, true
}

// isKey compares the key in EF.DG15 with another one.
func isKey(info, key []byte) (same, known bool) { return sameKey(info, key), true }

// sameKey compares a SubjectPublicKeyInfo with another one, or with the key's bits.
func sameKey(info, key []byte) bool {
	if len(key) == 0 {
		return false
	}
	if bytes.Equal(info, key) {
		return true
	}
	v, err := der.Whole(info, der.Sequence)
	if err != nil {
		return false
	}
	r := v.Inside()
	r.Want(der.Sequence)
	bits := r.Want(der.BitString).Bits()
	return r.End() == nil && len(bits) > 0 && bytes.Equal(bits, key)
}

// sameWays compares the ways of PACE that EF.CardAccess offers in clear with those
// that are signed in EF.DG14; known is false where they cannot be compared, as in
// documents whose EF.DG14 is older than PACE.
func sameWays(access, dg14 []byte) (same, known bool) {
	offered, ok := infos(access)
	if !ok {
		return false, true // what cannot be read is not what was signed
	}
	signed, ok := infos(dg14)
	if !ok {
		return false, false
	}
	a, b := ways(offered), ways(signed)
	if len(b) == 0 {
		return false, false
	}
	if len(a) != len(b) {
		return false, true
	}
	for w := range a {
		if !b[w] {
			return false, true
		}
	}
	return true, true
}

// ways are the SecurityInfos of PACE, as they are encoded.
func ways(all []info) map[string]bool {
	found := map[string]bool{}
	for _, i := range all {
		if strings.HasPrefix(string(i.id), paceWays) {
			found[string(i.raw)] = true
		}
	}
	return found
}
