package tree_test

import (
	"go/ast"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/counterproof/counterproof/packaging/house/tree"
)

const (
	rooms = "| Package | Floor | What it is |\n|---|---|---|\n| agent/desk | 3 | a |\n| b/{c, d}, e | - | b |\n\n| Package | Floor |\n| x | 9 |\n"
	doors = "| Module | Why | Licence | Door |\n|---|---|---|---|\n| `example.org/a` | w | MIT | ui/{b,c}, d |\n" +
		"| example.org/e | w | MIT | edges |\n| example.org/t | w | MIT | tests |\n"
	gomod = "module example.com/m\n\nrequire example.org/a v1\nrequire (\n\texample.org/e v1\n\texample.org/i v1 // indirect\n)\n"
)

// files are the tables that a tree needs, with some more laid over them.
func files(more map[string]string) fstest.MapFS {
	all := map[string]string{
		tree.RoomsFile: rooms, tree.DoorsFile: doors, tree.ModulesFile: gomod, tree.KeysFile: "# keys\nerr an error\n\ncount\n",
	}
	maps.Copy(all, more)
	fs := fstest.MapFS{}
	for name, s := range all {
		fs[name] = &fstest.MapFile{Data: []byte(s)}
	}
	return fs
}

func read(t *testing.T, more map[string]string) *tree.Tree {
	t.Helper()
	got, err := tree.Read(files(more))
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func TestTables(t *testing.T) {
	t.Parallel()
	got := read(t, nil)
	wantRooms := []tree.Room{{"agent/desk", tree.Assembly}, {"b/c", tree.Outside}, {"b/d", tree.Outside}, {"e", tree.Outside}}
	if !slices.Equal(got.Rooms, wantRooms) {
		t.Errorf("rooms: got %v, want %v", got.Rooms, wantRooms)
	}
	if want := []string{"example.org/a", "example.org/e"}; !slices.Equal(got.Modules, want) {
		t.Errorf("modules: got %v, want %v", got.Modules, want)
	}
	if want := []string{"err", "count"}; !slices.Equal(got.Keys, want) {
		t.Errorf("keys: got %v, want %v", got.Keys, want)
	}
	d, ok := got.DoorOf("example.org/a/b")
	if want := []string{"ui/b", "ui/c", "d"}; !ok || !slices.Equal(d.Dirs, want) {
		t.Errorf("door: got %v, want %v", d, want)
	}
	if d, _ := got.DoorOf("example.org/e"); !d.Edges {
		t.Error("the door of e is not the edges")
	}
	if d, _ := got.DoorOf("example.org/t"); !d.Tests {
		t.Error("the door of t is not the tests")
	}
}

// TestRefusals breaks what Read needs, one thing at a time.
func TestRefusals(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ file, text, want string }{
		"no module":      {tree.ModulesFile, "go 1.26\n", "no module line"},
		"no rooms":       {tree.RoomsFile, "# agent\n", "no table of packages"},
		"no such floor":  {tree.RoomsFile, "| Package | Floor |\n|---|---|\n| a | 5 |\n", `floor of a: "5"`},
		"no doors":       {tree.DoorsFile, "# project\n", "no table of modules"},
		"no Go":          {"a/a.go", "package\n", "parse: a/a.go"},
		"no Go in tests": {"a/a_test.go", "package a\nfunc", "parse: a/a_test.go"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := tree.Read(files(map[string]string{tt.file: tt.text}))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
	without := files(nil)
	delete(without, tree.KeysFile)
	if _, err := tree.Read(without); err == nil {
		t.Error("a tree without the list of log keys was read")
	}
}

func TestLinesAreCounted(t *testing.T) {
	t.Parallel()
	src := `// Package a counts.
package a

/* a block
   of two */
var text = ` + "`raw\n// inside a string, no comment\n`" + `

var x = 1 // both
//go:embed x
`
	f := read(t, map[string]string{"a/a.go": src}).Find("a").Files[0]
	if f.Lines != 11 || f.Code != 5 || f.Comment != 5 || !f.Embeds {
		t.Errorf("got %d lines, %d of code, %d of comment, embeds %v; want 11, 5, 5, true", f.Lines, f.Code, f.Comment, f.Embeds)
	}
}

func TestFoldersThatAreNotOurs(t *testing.T) {
	t.Parallel()
	broken := "this is no Go"
	got := read(t, map[string]string{
		".gitignore": "/bin/\n*.test\n", "bin/a.go": broken, ".tools/a.go": broken, "a/testdata/a.go": broken,
		".ci/run": "ours", "a/data": "x\x00y", "go.sum": "sums",
	})
	var paths []string
	for _, x := range got.Texts {
		paths = append(paths, x.Path)
	}
	want := []string{".ci/run", ".gitignore", "README.md", "a/testdata/a.go", "agent/DESIGN.md", "go.mod", tree.KeysFile}
	if !slices.Equal(paths, want) {
		t.Errorf("got %v, want %v", paths, want)
	}
	if len(got.Packages) != 0 {
		t.Errorf("got %d packages, want none", len(got.Packages))
	}
}

// TestNamesAreResolved looks through an import's other name, over a major
// version and past a local name that hides a package.
func TestNamesAreResolved(t *testing.T) {
	t.Parallel()
	p := read(t, map[string]string{"a/a.go": `package a

import (
	clock "time"
	"math/rand/v2"
	"example.org/go-sqlite3"
)

func f(os struct{ Exit int }) { _, _, _, _ = clock.Now, rand.Int, sqlite3.Open, os.Exit }
`}).Find("a")
	var got []string
	for e := range tree.Inside[*ast.SelectorExpr](p.Files[0]) {
		if pkg, name := p.Qualified(e); pkg != "" {
			got = append(got, pkg+" "+name)
		}
	}
	want := []string{"time Now", "math/rand/v2 Int", "example.org/go-sqlite3 Open"}
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestProductAndTests(t *testing.T) {
	t.Parallel()
	got := read(t, map[string]string{
		"agent/desk/desk.go":   "package desk\n\nimport (\n\t_ \"example.com/m/b/c\"\n\t_ \"example.org/a\"\n\t_ \"os\"\n)\n",
		"agent/desk/x_test.go": "package desk\n", "b/c/c.go": "package c\n", "z/z_windows.go": "//go:build never\n\npackage z\n",
	})
	product, tests := map[string]bool{}, map[string]bool{}
	for _, f := range got.Product {
		product[f.Path] = true
	}
	for _, f := range got.Testing {
		tests[f.Path] = true
	}
	if want := map[string]bool{"agent/desk/desk.go": true, "z/z_windows.go": true}; !maps.Equal(product, want) {
		t.Errorf("product: got %v, want %v", product, want)
	}
	if want := map[string]bool{"agent/desk/x_test.go": true, "b/c/c.go": true}; !maps.Equal(tests, want) {
		t.Errorf("tests: got %v, want %v", tests, want)
	}
	if ours := slices.Collect(got.Ours(got.Find("agent/desk").Files[0])); !slices.Equal(ours, []string{"b/c"}) {
		t.Errorf("ours: got %v", ours)
	}
	if !got.IsModule("example.org/a") || got.IsModule("os/exec") || got.IsModule("example.com/m/b") {
		t.Error("modules are not told from the standard library and from ours")
	}
}
