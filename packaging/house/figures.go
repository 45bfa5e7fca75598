package house

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/types"
	"path"
	"slices"
	"strings"

	"github.com/counterproof/counterproof/packaging/house/tree"
)

// Unbounded is the bound of a figure that only is shown.
const Unbounded = -1

// A Figure is one measure of the whole tree with what it is held to.
type Figure struct {
	Name  string
	Value float64
	Unit  string   // "%" or nothing
	Hold  float64  // what is wanted
	Max   float64  // what fails beyond it; Unbounded is never
	Least bool     // Hold and Max bound from below
	Where []string // the places that are beyond a bound, or the worst one
}

// Verdict is "ok", "watch" beyond Hold, or "FAIL" beyond Max.
func (f Figure) Verdict() string {
	switch {
	case f.beyond(f.Max):
		return "FAIL"
	case f.beyond(f.Hold):
		return "watch"
	}
	return "ok"
}

func (f Figure) beyond(bound float64) bool {
	switch {
	case bound == Unbounded:
		return false
	case f.Least:
		return f.Value < bound
	}
	return f.Value > bound
}

// Figures measures the tree.
func (h House) Figures() []Figure {
	return slices.Concat(h.functionFigures(), h.packageFigures(), h.wordFigures(), h.habitFigures())
}

func (h House) functionFigures() []Figure {
	lines := h.functions(80, h.length)
	ways := h.functions(15, cyclomatic)
	given := h.functions(5, parameters)
	return []Figure{
		{Name: "functions", Value: float64(len(lines)), Hold: Unbounded, Max: Unbounded},
		percentile("function lines p50", lines, 50, 10),
		percentile("function lines p90", lines, 90, 35),
		share("functions over 60 lines", lines, 60, 2, 2),
		worst("longest function", lines, 60),
		share("functions over 10 ways", ways, 10, 5, Unbounded),
		worst("most ways through one (cyclomatic)", ways, 10),
		worst("deepest nesting", h.functions(4, nesting), 3),
		percentile("parameters p90", given, 90, 3),
		worst("most parameters", given, 3),
	}
}

func (h House) packageFigures() []Figure {
	lines := h.perPackage(limited(1600), code)
	files := h.perPackage(limited(14), func(p *tree.Package) int { return len(p.Files) })
	names := h.perPackage(nameLimit, h.nameCount)
	out := h.perPackage(fanOutLimit, h.fanOut)
	sizes, methods := h.fileLines(), h.interfaces()
	return []Figure{
		{Name: "packages", Value: float64(len(lines)), Hold: Unbounded, Max: Unbounded},
		percentile("file lines p50", sizes, 50, 150),
		percentile("file lines p90", sizes, 90, 400),
		worst("longest file", sizes, 400),
		percentile("package code lines p90", lines, 90, 1300),
		worst("largest package", lines, 1300),
		percentile("package files p90", files, 90, 10),
		worst("most files in a package", files, 10),
		percentile("exported names p90", names, 90, 30),
		worst("most exported names", names, 30),
		percentile("fan-out p90", out, 90, 8),
		worst("widest fan-out", out, 8),
		percentile("interface methods p90", methods, 90, 4),
		worst("largest interface", methods, 4),
		worst("deepest folder", h.perPackage(depthLimit, func(p *tree.Package) int { return strings.Count(p.Path, "/") + 1 }), 3),
		worst("longest main package", h.mainLines(), 80),
	}
}

func (h House) wordFigures() []Figure {
	code, comment, all, documented := 0, 0, 0, 0
	var bare []string
	for _, f := range h.sized {
		code, comment = code+f.Code, comment+f.Comment
		for _, n := range h.exported(f) {
			all++
			if n.documented {
				documented++
			} else {
				bare = append(bare, n.at)
			}
		}
	}
	talk := ratio(comment, code)
	return []Figure{
		{Name: "exported names documented", Value: 100 * ratio(documented, all), Unit: "%", Hold: 97, Max: 97, Least: true, Where: bare},
		{Name: "comment/code, at least", Value: talk, Hold: 0.20, Max: 0.20, Least: true},
		{Name: "comment/code, at most", Value: talk, Hold: 0.35, Max: 0.35},
		{Name: "lines of code", Value: float64(code), Hold: Unbounded, Max: Unbounded},
		h.leastTested(),
		{Name: "fuzz targets", Value: float64(h.fuzzTargets()), Hold: 15, Max: Unbounded, Least: true},
		{Name: "skip calls in tests", Value: float64(len(h.skips())), Hold: Unbounded, Max: Unbounded},
		h.longestPage("README.md"),
		h.longestPage("DESIGN.md"),
	}
}

func (h House) habitFigures() []Figure {
	var goes, panics, screens []string
	given, wrapped := 0, 0
	for p, f := range h.Product {
		if p.Path != "agent/daemon" && p.Path != "devices/hub" {
			for n := range starts(f) {
				goes = append(goes, h.At(n))
			}
		}
		onScreen := false
		for c := range calls(f) {
			if id, ok := c.Fun.(*ast.Ident); ok && id.Name == "panic" {
				panics = append(panics, h.At(c))
			}
			pkg, name := p.Qualified(c.Fun)
			onScreen = onScreen || strings.HasPrefix(pkg, "fyne.io/fyne") && (name == "Do" || name == "DoAndWait")
			g, w := wraps(p, c)
			given, wrapped = given+g, wrapped+w
		}
		if onScreen {
			screens = append(screens, f.Path)
		}
	}
	return []Figure{
		{Name: "errors wrapped with %w", Value: 100 * ratio(wrapped, given), Unit: "%", Hold: 100, Max: 100, Least: true},
		count("goroutines started outside daemon and hub", goes, 0, 3),
		count("panics", panics, 0, 3),
		count("files that call fyne.Do", screens, 1, 1),
		count("direct modules, tests' own left out", h.shippedModules(), 18, 22),
	}
}

// limited is the same limit for every package.
func limited(n int) func(*tree.Package) int { return func(*tree.Package) int { return n } }

// nameLimit lets a vocabulary have more names than a room of rules.
func nameLimit(p *tree.Package) int {
	if p.Room.Floor == tree.Words {
		return 120
	}
	return 60
}

// fanOutLimit lets the assemblies that know everything know more.
func fanOutLimit(p *tree.Package) int {
	if slices.Contains([]string{"agent/desk", "agent/inspect", "agent/daemon", "agent/demo"}, p.Path) {
		return 18
	}
	return 10
}

func methodLimit(dir string) int {
	if dir == "sync/store" {
		return 8
	}
	return 6
}

func depthLimit(p *tree.Package) int {
	if tree.Under(p.Path, "devices/internal") { // the folder "internal" is Go's, not a room
		return 4
	}
	return 3
}

// nameCount counts the exported names at the package's own level. Methods
// belong to their type, and so do the words of a closed list: constants with a
// type count once, with it.
func (h House) nameCount(p *tree.Package) int {
	n := 0
	for _, id := range p.Scope.Names() {
		if obj := p.Scope.Lookup(id); ast.IsExported(id) && !isWord(obj) {
			n++
		}
	}
	return n
}

// isWord reports whether obj is a constant of a declared type. The type of
// another package is unknown here, so it is not a basic one either.
func isWord(obj types.Object) bool {
	_, constant := obj.(*types.Const)
	_, basic := obj.Type().(*types.Basic)
	return constant && (!basic || obj.Type() == types.Typ[types.Invalid])
}

func (h House) fileLines() []sample {
	var all []sample
	for p, f := range h.sized {
		limit := 800
		if p.Room.Floor == tree.Words {
			limit = 900
		}
		all = append(all, sample{f.Path, f.Lines, limit})
	}
	return all
}

func (h House) mainLines() []sample {
	var all []sample
	for _, p := range h.Packages {
		if p.Room.Floor != tree.Top {
			continue
		}
		n := 0
		for _, f := range p.Files {
			n += f.Lines
		}
		all = append(all, sample{p.Path, n, 120})
	}
	return all
}

// leastTested is the package with the fewest lines of test for its code, with
// all that are below the bound.
func (h House) leastTested() Figure {
	f := Figure{Name: "test lines/code lines, poorest package", Value: 9.99, Hold: 1, Max: 0.6, Least: true}
	least := ""
	for _, p := range h.Packages {
		if len(p.Files) == 0 || untested(p) != "" {
			continue
		}
		r := ratio(h.testLines(p), code(p))
		if r < f.Value {
			f.Value, least = r, p.Path
		}
		if r < f.Max {
			f.Where = append(f.Where, fmt.Sprintf("%s %.2f", p.Path, r))
		}
	}
	if len(f.Where) == 0 && least != "" {
		f.Where = []string{least}
	}
	return f
}

func (h House) longestPage(base string) Figure {
	limit := float64(pageLimit(base))
	f := Figure{Name: "longest " + base, Hold: limit, Max: limit}
	for _, x := range h.Texts {
		if path.Base(x.Path) == base && float64(len(x.Lines)) > f.Value {
			f.Value, f.Where = float64(len(x.Lines)), []string{x.Path}
		}
	}
	return f
}

// shippedModules are the direct modules that are not for tests alone.
func (h House) shippedModules() []string {
	return slices.DeleteFunc(slices.Clone(h.Modules), func(m string) bool {
		d, ok := h.DoorOf(m)
		return ok && d.Tests
	})
}

func ratio(part, whole int) float64 {
	if whole == 0 {
		return 1
	}
	return float64(part) / float64(whole)
}

func percentile(name string, all []sample, p int, hold float64) Figure {
	f := Figure{Name: name, Hold: hold, Max: Unbounded}
	if len(all) == 0 {
		return f
	}
	sorted := slices.SortedFunc(slices.Values(all), func(a, b sample) int { return cmp.Compare(a.n, b.n) })
	f.Value = float64(sorted[min(p*len(sorted)/100, len(sorted)-1)].n)
	return f
}

func share(name string, all []sample, above int, hold, most float64) Figure {
	n := 0
	for _, s := range all {
		if s.n > above {
			n++
		}
	}
	f := Figure{Name: name, Unit: "%", Hold: hold, Max: most}
	if len(all) > 0 {
		f.Value = 100 * ratio(n, len(all))
	}
	return f
}

// worst is the sample that is furthest beyond its own limit, or else the
// largest; Where lists every one beyond its limit.
func worst(name string, all []sample, hold float64) Figure {
	f := Figure{Name: name, Hold: hold, Max: Unbounded}
	if len(all) == 0 {
		return f
	}
	w := slices.MaxFunc(all, func(a, b sample) int {
		return cmp.Or(cmp.Compare(max(0, a.n-a.limit), max(0, b.n-b.limit)), cmp.Compare(a.n, b.n))
	})
	f.Value, f.Max, f.Where = float64(w.n), float64(w.limit), []string{w.at}
	if w.n > w.limit {
		f.Where = nil
		for _, s := range all {
			if s.n > s.limit {
				f.Where = append(f.Where, fmt.Sprintf("%s: %d", s.at, s.n))
			}
		}
	}
	return f
}

func count(name string, places []string, hold, most float64) Figure {
	return Figure{Name: name, Value: float64(len(places)), Hold: hold, Max: most, Where: places}
}
