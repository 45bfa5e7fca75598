// Package tap stands between a program and its disk. Whatever the program is
// about to write, sync, cut, rename or remove under a folder is shown to a judge
// first, who lets it happen, makes it fail, or ends the program before it or in
// the middle of it.
//
// It works below the C library: Go's own files are written by system calls that
// no preloaded library sees, so the kernel is asked to show them (seccomp, user
// notification). That is there on Linux alone; elsewhere the tap says so.
//
// # The laws
//
//   - One operation at a time is shown, in the order in which the program asked.
//   - What the tap has no name for it does not let pass under the folder: an
//     operation that is overlooked would make every result worth nothing.
//   - What the program prints is shown in the same order, so it is known exactly
//     what it had promised at any operation.
//   - An operation that ends the program has not happened, or has half happened.
package tap

import (
	"errors"
	"fmt"
	"syscall"
)

// ErrAbsent: this machine shows nobody's system calls.
var ErrAbsent = errors.New("this machine cannot show a program's system calls (seccomp user notification)")

// Kind is what a program does to its disk.
type Kind string

// The kinds.
const (
	Create   Kind = "create" // a file that was not there, empty
	Write    Kind = "write"
	Truncate Kind = "truncate" // to Offset bytes
	Sync     Kind = "sync"     // of a file, or of a folder's names
	Rename   Kind = "rename"   // Path to To
	Link     Kind = "link"     // To is a further name of Path
	Remove   Kind = "remove"
	Folder   Kind = "folder" // one is made
	Reserve  Kind = "reserve"
	Say      Kind = "say" // Data on standard output: what the program promises
)

// Operation is one thing that a program is about to do.
type Operation struct {
	Kind   Kind
	Path   string
	To     string
	Offset int64
	Data   []byte
	Dir    bool // a folder is synced
}

// String names the operation for a person.
func (o Operation) String() string {
	return fmt.Sprintf("%s %s at %d, %d bytes", o.Kind, o.Path, o.Offset, len(o.Data))
}

// Verdict is what a judge lets become of an operation. The zero value lets it
// happen.
type Verdict struct {
	Fake  bool          // it does not happen and is told to have
	Fail  syscall.Errno // it does not happen and fails so
	Kill  bool          // the program ends before it
	First int           // with Kill: so many bytes of a write are written first
}

// Judge decides about the operations of one program. It is called by one
// goroutine.
type Judge func(Operation) Verdict
