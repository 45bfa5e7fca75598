package cert

import (
	"encoding/hex"
	"slices"
	"strings"

	"github.com/counterproof/counterproof/agent/chip/der"
)

// Name is a distinguished name.
type Name struct {
	Raw []byte // as it is encoded
	// Key is equal for names that RFC 5280 §7.1 calls equal: letters of either
	// case, runs of spaces and the kinds of strings do not count.
	Key string
	// Country is countryName in capital letters; empty where there is none, or more
	// than one.
	Country string
}

// Equal reports whether two names are the same name.
func (n Name) Equal(o Name) bool { return n.Key == o.Key }

// Attributes of names that are looked at.
const (
	countryName  der.OID = "2.5.4.6"
	localityName der.OID = "2.5.4.7"
)

// Bounds of a name.
const (
	maxParts     = 64 // attributes
	partEnd      = "\x00"
	attributeEnd = "\x01"
)

// ParseName reads a name from a sequence.
func ParseName(v der.Value) (Name, error) {
	n := Name{Raw: v.Raw}
	if v.Tag != der.Sequence {
		return n, der.ErrEncoding
	}
	var key strings.Builder
	var countries []string
	parts := 0
	for r := v.Inside(); r.More(); {
		in := r.Into(der.Set)
		var all []string
		for in.More() {
			if parts++; parts > maxParts {
				return n, der.ErrEncoding
			}
			id, text, err := attribute(in)
			if err != nil {
				return n, err
			}
			if id == countryName {
				countries = append(countries, strings.ToUpper(text))
			}
			all = append(all, string(id)+"="+text+attributeEnd)
		}
		if r.Err() != nil || len(all) == 0 {
			return n, der.ErrEncoding
		}
		slices.Sort(all)
		key.WriteString(strings.Join(all, "") + partEnd)
	}
	n.Key = key.String()
	if countries = slices.Compact(countries); len(countries) == 1 {
		n.Country = countries[0]
	}
	return n, nil
}

// attribute reads one attribute of a name, folded for comparison.
func attribute(r *der.Reader) (id der.OID, text string, err error) {
	in := r.Into(der.Sequence)
	id = in.Want(der.Object).OID()
	v := in.Any()
	if err := in.End(); err != nil || id == "" {
		return "", "", der.ErrEncoding
	}
	text, ok := v.Text()
	if !ok {
		return id, "#" + hex.EncodeToString(v.Raw), nil
	}
	return id, fold(text), nil
}

// fold makes letters small and spaces single, and drops what ends a part of a key.
func fold(text string) string {
	text = strings.Map(func(c rune) rune {
		if c < ' ' {
			return ' '
		}
		return c
	}, text)
	return strings.ToLower(strings.Join(strings.Fields(text), " "))
}

// directoryNames are the names of a directory among general names (RFC 5280
// §4.2.1.6), and the localities in them: 9303-12 §7.1.1.2 keeps the code of the
// state there as a machine-readable zone has it.
func directoryNames(b []byte) (names []Name, localities []string) {
	v, err := der.Whole(b, der.Sequence)
	if err != nil {
		return nil, nil
	}
	for r := v.Inside(); r.More() && len(names) < maxParts; {
		general := r.Any()
		if general.Tag != der.Context(4, true) {
			continue
		}
		in, err := der.Whole(general.Content, der.Sequence)
		if err != nil {
			return names, localities
		}
		name, err := ParseName(in)
		if err != nil {
			return names, localities
		}
		names = append(names, name)
		for part := range strings.SplitSeq(name.Key, attributeEnd) {
			if place, ok := strings.CutPrefix(strings.TrimPrefix(part, partEnd), string(localityName)+"="); ok {
				localities = append(localities, strings.ToUpper(place))
			}
		}
	}
	return names, localities
}
