package wire

import (
	"errors"
	"fmt"
	"slices"
)

// FileName says what a file of the bundle is for. The list is closed; add only at
// the end.
type FileName string

// The files.
const (
	// FileChips is whom to trust about chips of documents: bytes that are signed
	// by whoever publishes them, with a number of their own.
	FileChips FileName = "chips"
)

// MaxFile bounds a file of the bundle, in bytes.
const MaxFile = 64 << 20

// File is a part of the bundle that is fetched apart, under its hash.
type File struct {
	Name    FileName `json:"name"`
	Version uint64   `json:"version"` // grows with every change, from 1
	SHA256  Hash     `json:"sha256"`
	Len     uint64   `json:"len"` // bytes
}

// Check reports whether a file may be fetched.
func (f File) Check() error {
	if f.Name == "" || f.Len == 0 || f.Len > MaxFile || f.SHA256.IsZero() {
		return fmt.Errorf("no file of a bundle: %d bytes", f.Len)
	}
	return nil
}

// File finds the bundle's file of a name.
func (b Bundle) File(name FileName) (File, bool) {
	i := slices.IndexFunc(b.Files, func(f File) bool { return f.Name == name })
	if i < 0 {
		return File{}, false
	}
	return b.Files[i], true
}

// Settings are what the centre asks of all its counters. The zero value asks
// nothing.
type Settings struct {
	// HighGrade is the least that a counter's key is kept with where a high level
	// is to be reached: tpm, dpapi or file; empty for any.
	HighGrade string `json:"high_grade,omitempty"`
	// Pace is how long at least a counter with nothing to send waits before it
	// asks again, in seconds; 0 leaves that to the state's answer.
	Pace int `json:"pace,omitempty"`
}

// MaxPace bounds Settings.Pace, in seconds.
const MaxPace = 3600

// Check reports whether the settings are what they should be.
func (s Settings) Check() error {
	if s.Pace < 0 || s.Pace > MaxPace {
		return fmt.Errorf("a pace is 0 to %d seconds", MaxPace)
	}
	if s.HighGrade != "" && gradeOf(s.HighGrade) < 0 {
		return errors.New("a key is kept as tpm, dpapi or file")
	}
	return nil
}

// gradeOf orders how keys are kept, the best highest; 0 is no grade.
func gradeOf(word string) int {
	return slices.Index([]string{"", "file", "dpapi", "tpm"}, word)
}

// High reports whether a key that is kept so is good enough for a high level.
func (s Settings) High(grade string) bool {
	return gradeOf(grade) > 0 && gradeOf(grade) >= gradeOf(s.HighGrade)
}
