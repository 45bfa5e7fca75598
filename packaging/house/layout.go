package house

import (
	"fmt"
	"iter"
	"path"
	"slices"
	"strings"

	"github.com/counterproof/counterproof/packaging/house/tree"
)

// arrows says which folders of another wing a wing may import; "/..." stands
// for the folder and all below it. A wing that is not named imports no other.
var arrows = map[string][]string{
	"ui":        {"agent/api", "agent/api/client", "agent/proof"},
	"agent":     {"devices/...", "sync/..."},
	"packaging": {"agent/...", "devices/...", "sync/...", "ui/..."},
}

// vagueNames say nothing of what a package is for.
var vagueNames = []string{
	"util", "utils", "common", "helper", "helpers", "manager", "service", "types", "base", "core", "misc", "shared",
}

// impure are the standard library's doors to the world, each with all below
// it: rooms on the floors of words and of pure rules import none of them.
var impure = []string{
	"C", "crypto/rand", "database/sql", "log", "math/rand", "net/http", "net/rpc", "net/smtp", "os", "plugin", "syscall",
}

// clocks are the names of package time that read the clock or wait for it.
var clocks = []string{
	"After", "AfterFunc", "NewTicker", "NewTimer", "Now", "Since", "Sleep", "Tick", "Until",
}

func underAny(p string, dirs []string) bool {
	return slices.ContainsFunc(dirs, func(d string) bool { return tree.Under(p, d) })
}

// checkRooms asks a line of the table for every package.
func checkRooms(h House, found report) {
	for _, p := range h.Packages {
		if !p.Room.Listed() {
			found(p.Path, "no line in the table of "+tree.RoomsFile)
		}
	}
}

// checkRoots keeps Go files out of the roots that are folders only: a package
// named sync would shadow the standard one.
func checkRoots(h House, found report) {
	for _, dir := range []string{".", "agent", "sync", "ui", "packaging"} {
		if p := h.Find(dir); p != nil {
			found(dir, "no Go file stands here")
		}
	}
}

func checkNames(h House, found report) {
	for p, f := range h.Product {
		if slices.Contains(vagueNames, p.Name) {
			found(f.Path, "package "+p.Name+" says nothing: name it by what it does")
		}
		if p.Name != "main" && p.Name != path.Base(p.Path) {
			found(f.Path, fmt.Sprintf("package %s in a folder named %s", p.Name, path.Base(p.Path)))
		}
	}
}

// checkWings holds the arrows between wings, in tests too.
func checkWings(h House, found report) {
	check := func(p *tree.Package, f *tree.File) {
		for dir := range h.Ours(f) {
			if from, to := tree.WingOf(p.Path), tree.WingOf(dir); from != to && !arrow(from, dir) {
				found(f.Path, fmt.Sprintf("%s imports %s: no such arrow between wings", p.Path, dir))
			}
		}
	}
	for _, p := range h.Packages {
		for _, f := range slices.Concat(p.Files, p.Tests) {
			check(p, f)
		}
	}
}

func arrow(wing, dir string) bool {
	return slices.ContainsFunc(arrows[wing], func(to string) bool {
		all, ok := strings.CutSuffix(to, "/...")
		return dir == to || ok && tree.Under(dir, all)
	})
}

// checkFloors lets imports run downward or along a floor; the compiler refuses
// circles. Words import nothing of the tree, and nothing that ships imports a
// suite or a tool.
func checkFloors(h House, found report) {
	for p, f := range h.Product {
		if p.Room.Floor == tree.Outside {
			continue
		}
		for dir := range h.Ours(f) {
			to := h.RoomOf(dir)
			switch {
			case p.Room.Floor == tree.Words:
				found(f.Path, "words import only the standard library, not "+dir)
			case !to.Listed():
			case to.Floor == tree.Outside:
				found(f.Path, dir+" is for tests and tools alone")
			case to.Floor > p.Room.Floor:
				found(f.Path, fmt.Sprintf("floor %d imports %s on floor %d", p.Room.Floor, dir, to.Floor))
			}
		}
	}
}

// checkPure keeps I/O, clocks, randomness and goroutines out of the two lower
// floors: they come in as values.
func checkPure(h House, found report) {
	for p, f := range h.Product {
		if !p.Room.Listed() || p.Room.Floor != tree.Words && p.Room.Floor != tree.Pure {
			continue
		}
		for _, i := range f.Imports {
			if h.IsModule(i) || i == "net" || underAny(i, impure) {
				found(f.Path, "a pure room imports "+i)
			}
		}
		for at, what := range h.worldly(p, f) {
			found(at, "a pure room "+what)
		}
	}
}

// worldly yields where f reads the clock or starts a goroutine.
func (h House) worldly(p *tree.Package, f *tree.File) iter.Seq2[string, string] {
	return func(yield func(string, string) bool) {
		for e := range selectors(f) {
			pkg, name := p.Qualified(e)
			if pkg == "time" && slices.Contains(clocks, name) && !yield(h.At(e), "uses time."+name) {
				return
			}
		}
		for n := range starts(f) {
			if !yield(h.At(n), "starts a goroutine") {
				return
			}
		}
	}
}

// checkDoors lets a module in through its door alone. Tests may use any module
// that has a line.
func checkDoors(h House, found report) {
	for p, f := range h.Product {
		for _, i := range f.Imports {
			if !h.IsModule(i) {
				continue
			}
			d, ok := h.DoorOf(i)
			if !ok {
				found(f.Path, i+" has no line in the table of "+tree.DoorsFile)
			} else if !opens(d, p) {
				found(f.Path, i+" comes in elsewhere: see the table of "+tree.DoorsFile)
			}
		}
	}
	for _, f := range h.Testing {
		for _, i := range f.Imports {
			if _, ok := h.DoorOf(i); !ok && h.IsModule(i) {
				found(f.Path, i+" has no line in the table of "+tree.DoorsFile)
			}
		}
	}
}

// opens reports whether a product package may import the module.
func opens(d tree.Door, p *tree.Package) bool {
	switch {
	case d.Tests:
		return false
	case d.Edges:
		return p.Room.Floor >= tree.Edge
	}
	return underAny(p.Path, d.Dirs)
}

// checkModules keeps the table of modules and go.mod the same.
func checkModules(h House, found report) {
	for _, m := range h.Modules {
		if _, ok := h.DoorOf(m); !ok {
			found(tree.ModulesFile, m+" has no line in the table of "+tree.DoorsFile)
		}
	}
	for _, d := range h.Doors {
		if !slices.ContainsFunc(h.Modules, func(m string) bool { return tree.Under(m, d.Module) }) {
			found(tree.DoorsFile, d.Module+" is not required by "+tree.ModulesFile)
		}
	}
}
