// Package lds reads the files of a travel document's chip, the logical data
// structure of ICAO Doc 9303-10: the index, the machine-readable zone, the
// portrait, the signature and the details of person and document. It also
// writes the files that chips made of software carry.
//
// It never judges whether a file is genuine, draws no picture, and knows nothing
// of EF.SOD and of the keys of DG14.
//
// # The laws
//
//   - A file is hostile: its size, its depth, the number and the length of its
//     fields are bounded, and bytes never become a panic.
//   - Lengths that lie are told, and never lead out of the file.
//   - Text that is handed on shows all that it holds: no control character, no
//     sign that turns the direction of writing.
//   - An error names the file and what is wrong with it, never what stands there.
//
// The numbers of sections are those of ICAO Doc 9303-10 (8th edition) unless
// another text is named.
package lds

import "fmt"

// Bounds of a file.
const (
	// MaxFile is the length from which a file is refused, in bytes: more than a
	// portrait and its frame.
	MaxFile = 1 << 20
	// MaxFaces is how many faces of DG2 are handed on; there is one (§4.7.2.1).
	MaxFaces = 8
	// MaxText is the most bytes that a field of text may have.
	MaxText = 1024

	maxObjects = 64 // of one template
	maxPeople  = 16 // of a list: other names, persons to notify
)

// Group is the number of a data group, 1–16. The zero Group stands for EF.COM.
type Group int

// String names the file.
func (g Group) String() string {
	if g == 0 {
		return "EF.COM"
	}
	return fmt.Sprintf("DG%d", int(g))
}

// groupTags are what the files begin with, by the number of the group (§4.7,
// table 35).
const groupTags = "\x60\x61\x75\x63\x76\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f\x70"

// Tag is the tag that a file begins with; 0 for a group that there is not.
func (g Group) Tag() byte {
	if g < 0 || int(g) >= len(groupTags) {
		return 0
	}
	return groupTags[g]
}

// Error says what is wrong with a file.
type Error struct {
	File  Group
	Wrong string // never anything that stands in the file
}

// Error writes the file and what is wrong with it.
func (e *Error) Error() string { return e.File.String() + ": " + e.Wrong }

// file is a file while it is read.
type file Group

// wrong makes the error of a file.
func (f file) wrong(what string) error { return &Error{Group(f), what} }

// open takes the frame off a file.
func (f file) open(b []byte) ([]byte, error) {
	if len(b) > MaxFile {
		return nil, f.wrong("it is larger than a file may be")
	}
	t, value, rest, ok := next(b)
	switch {
	case !ok:
		return nil, f.wrong("its length is not that of what follows")
	case t != tag(Group(f).Tag()):
		return nil, f.wrong("it begins with the tag of another file")
	case len(rest) > 0:
		return nil, f.wrong("more follows than its length says")
	}
	return value, nil
}

// objects opens a file and lists the objects in it.
func (f file) objects(b []byte) ([]object, error) {
	value, err := f.open(b)
	if err != nil {
		return nil, err
	}
	all, ok := list(value)
	if !ok {
		return nil, f.wrong("the lengths inside it do not fit")
	}
	return all, nil
}
