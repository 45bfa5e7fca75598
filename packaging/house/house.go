// Package house holds the project to its own layout. It reads every Go file of
// every platform, whatever its build tags, and every other text of the tree,
// and compares them with the table of rooms in agent/DESIGN.md, the table of
// modules in README.md and the figures in this package.
//
// It never compiles, downloads or changes anything, and it knows no package by
// heart: a new room or module is allowed by a line in its table, in the same
// change that adds it.
//
// # The laws
//
//   - A rule that cannot be broken on purpose holds nothing: every rule has a
//     planted breach among its tests that must be found.
//   - A breach says where and why, so that the one who reads it can mend it.
//   - A figure above its "max" fails; one above its "hold" is only shown.
//   - Names are resolved by go/types with empty imports. Where that is not
//     enough, a rule would rather overlook a breach than invent one.
package house

import (
	"cmp"
	"fmt"
	"io/fs"
	"slices"

	"github.com/counterproof/counterproof/packaging/house/tree"
)

// House is a tree that is held to the rules.
type House struct{ *tree.Tree }

// Open reads the tree at the root of fsys.
func Open(fsys fs.FS) (House, error) {
	t, err := tree.Read(fsys)
	return House{t}, err
}

// A Breach is one place that breaks one rule.
type Breach struct {
	Rule string // as listed by Rules
	At   string // a file with its line, a folder or a file
	Why  string
}

// String gives the breach as one line for a test's output.
func (b Breach) String() string { return fmt.Sprintf("%s: %s: %s", b.At, b.Rule, b.Why) }

// A report is told of one breach: where it is and why it is one.
type report func(at, why string)

// A rule looks over the whole tree and reports what breaks it.
type rule struct {
	name string
	look func(House, report)
}

// rules are all that is held by place; what is held by number is in figures.
var rules = []rule{
	{"room", checkRooms},
	{"root", checkRoots},
	{"name", checkNames},
	{"wing", checkWings},
	{"floor", checkFloors},
	{"pure", checkPure},
	{"door", checkDoors},
	{"module", checkModules},
	{"init", checkInit},
	{"variable", checkVariables},
	{"platform", checkPlatform},
	{"wrap", checkWrap},
	{"log", checkLog},
	{"skip", checkSkips},
	{"doc", checkDocs},
	{"page", checkPages},
	{"mark", checkMarks},
	{"path", checkPaths},
	{"host", checkHosts},
}

// Rules names every rule, in the order in which they are checked.
func Rules() []string {
	var names []string
	for _, r := range rules {
		names = append(names, r.name)
	}
	return names
}

// Breaches checks every rule and returns what breaks one, sorted by place.
func (h House) Breaches() []Breach {
	var all []Breach
	for _, r := range rules {
		r.look(h, func(at, why string) { all = append(all, Breach{r.name, at, why}) })
	}
	slices.SortStableFunc(all, func(a, b Breach) int { return cmp.Compare(a.At, b.At) })
	return slices.Compact(all)
}
