// Package tree reads the project as the house rules see it: every Go file of
// every platform, whatever its build tags, every other text, and the tables of
// rooms, modules and log keys. It judges nothing and changes nothing.
//
// # The laws
//
//   - Names are resolved by go/types with empty imports: nothing is compiled or
//     downloaded, and what the package itself does not tell stays unknown.
//   - Tests are kept apart from what ships: they may do what it must not.
//   - testdata is text, never Go: it may be broken on purpose.
package tree

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"iter"
	"slices"
	"strings"
)

// Tree is everything that the rules look at, read once by Read.
type Tree struct {
	Module   string     // of go.mod
	Packages []*Package // sorted by path
	Texts    []Text     // sorted by path
	Rooms    []Room     // as the table in RoomsFile lists them
	Doors    []Door     // as the table in DoorsFile lists them
	Modules  []string   // go.mod's direct requirements
	Keys     []string   // log keys that are allowed
	Fset     *token.FileSet
}

// A Package is one folder with Go files.
type Package struct {
	Path  string // from the root, with slashes
	Name  string // empty where there are only tests
	Room  Room   // zero where the table has no line
	Files []*File
	Tests []*File
	Info  *types.Info // of Files, with empty imports
	Scope *types.Scope
}

// A File is one Go file.
type File struct {
	Path      string
	Syntax    *ast.File
	Imports   []string
	Lines     int // all of them
	Code      int // lines with code on them
	Comment   int // lines with a comment on them
	Generated bool
	Embeds    bool // has a go:embed
}

// A Text is any file that a person could read, Go files included.
type Text struct {
	Path  string
	Lines []string
}

// At gives the file and line of a node.
func (t *Tree) At(n ast.Node) string {
	p := t.Fset.Position(n.Pos())
	return fmt.Sprintf("%s:%d", p.Filename, p.Line)
}

// Product yields the files that ship or help to ship: tests and the suites
// that only tests import are left out.
func (t *Tree) Product(yield func(*Package, *File) bool) {
	for _, p := range t.Packages {
		if p.IsSuite() {
			continue
		}
		for _, f := range p.Files {
			if !yield(p, f) {
				return
			}
		}
	}
}

// Testing yields the tests and the suites: all that Product leaves out.
func (t *Tree) Testing(yield func(*Package, *File) bool) {
	for _, p := range t.Packages {
		files := p.Tests
		if p.IsSuite() {
			files = slices.Concat(p.Files, p.Tests)
		}
		for _, f := range files {
			if !yield(p, f) {
				return
			}
		}
	}
}

// Find returns the package at path, or nil.
func (t *Tree) Find(path string) *Package {
	i, ok := slices.BinarySearchFunc(t.Packages, path, func(p *Package, s string) int { return cmp.Compare(p.Path, s) })
	if !ok {
		return nil
	}
	return t.Packages[i]
}

// IsSuite reports whether the package is a suite that tests import.
func (p *Package) IsSuite() bool {
	return p.Room.Listed() && p.Room.Floor == Outside && WingOf(p.Path) != "packaging"
}

// Ours yields the imports of f that lie in this module, as folders.
func (t *Tree) Ours(f *File) iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, i := range f.Imports {
			if dir, ok := strings.CutPrefix(i, t.Module+"/"); ok && !yield(dir) {
				return
			}
		}
	}
}

// IsModule reports whether an import path belongs to somebody else's module.
func (t *Tree) IsModule(p string) bool {
	first, _, _ := strings.Cut(p, "/")
	return strings.Contains(first, ".") && !Under(p, t.Module)
}

// DoorOf returns the line of the module that an import path belongs to.
func (t *Tree) DoorOf(p string) (Door, bool) {
	i := slices.IndexFunc(t.Doors, func(d Door) bool { return Under(p, d.Module) })
	if i < 0 {
		return Door{}, false
	}
	return t.Doors[i], true
}

// Under reports whether p is the folder dir or lies below it.
func Under(p, dir string) bool { return p == dir || strings.HasPrefix(p, dir+"/") }

// WingOf returns the first folder of a path.
func WingOf(p string) string {
	wing, _, _ := strings.Cut(p, "/")
	return wing
}
