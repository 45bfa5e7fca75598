package tree

import (
	"go/ast"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

func TestExpand(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, list string
		want       []string
	}{
		{"one", "agent/desk", []string{"agent/desk"}},
		{"several", "a,b , c", []string{"a", "b", "c"}},
		{"alternatives", "ui/{look, parts}", []string{"ui/look", "ui/parts"}},
		{"alternatives with an end", "a/{b,c}/d", []string{"a/b/d", "a/c/d"}},
		{"both", "x, a/{b,c}, y", []string{"x", "a/b", "a/c", "y"}},
		{"two groups", "a/{b,c}, d/{e,f}", []string{"a/b", "a/c", "d/e", "d/f"}},
		{"one alternative", "a/{b}", []string{"a/b"}},
		{"never closed", "a/{b,c", []string{"a/{b,c"}},
		{"nothing", "", nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := expand(tt.list); !slices.Equal(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestTableRows(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, text string
		want       []string // the rows' cells, joined
	}{
		{"plain", "| A | B |\n|---|---|\n| 1 | 2 |\n| 3 | 4 |\n", []string{"1+2", "3+4"}},
		{"more columns than asked for", "| A | B | C |\n|---|---|---|\n| 1 | 2 | 3 |\n", []string{"1+2+3"}},
		{"code marks", "| A | B |\n|---|---|\n| `a/b` | `2` |\n", []string{"a/b+2"}},
		{"text before and after", "text\n| A | B |\n|---|---|\n| 1 | 2 |\ntext\n| 3 | 4 |\n", []string{"1+2"}},
		{"indented", "  | A | B |\n  |---|---|\n  | 1 | 2 |\n", []string{"1+2"}},
		{"another table first", "| B | A |\n|---|---|\n| 1 | 2 |\n\n| A | B |\n|---|---|\n| 3 | 4 |\n", []string{"3+4"}},
		{"other columns", "| A | C |\n|---|---|\n| 1 | 2 |\n", nil},
		{"no rows", "| A | B |\n|---|---|\n", nil},
		{"nothing", "", nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var got []string
			for row := range tableRows(tt.text, "A", "B") {
				got = append(got, strings.Join(row, "+"))
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestModules(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, text string
		want       []string
	}{
		{"single lines", "module m\nrequire a v1\nrequire b v1 // why\n", []string{"a", "b"}},
		{"blocks", "module m\nrequire (\n\ta v1\n)\n\nrequire (\n\tb v1 // indirect\n)\n", []string{"a"}},
		{"other blocks", "module m\nrequire (\n\ta v1\n)\ntool (\n\tb\n)\nretract v1\n", []string{"a"}},
		{"none", "module m\n", nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var got Tree
			if err := got.readModules(tt.text); err != nil {
				t.Fatal(err)
			}
			if got.Module != "m" || !slices.Equal(got.Modules, tt.want) {
				t.Errorf("got %s with %q, want m with %q", got.Module, got.Modules, tt.want)
			}
		})
	}
}

func TestUnder(t *testing.T) {
	t.Parallel()
	for p, want := range map[string]bool{"a/b": true, "a/b/c": true, "a/bc": false, "a": false, "x/a/b": false} {
		if got := Under(p, "a/b"); got != want {
			t.Errorf("%s under a/b: got %v, want %v", p, got, want)
		}
	}
	for p, want := range map[string]string{"a": "a", "a/b/c": "a", ".": "."} {
		if got := WingOf(p); got != want {
			t.Errorf("wing of %s: got %s, want %s", p, got, want)
		}
	}
}

func TestSuites(t *testing.T) {
	t.Parallel()
	tests := []struct {
		room Room
		path string
		want bool
	}{
		{Room{"devices/devicetest", Outside}, "devices/devicetest", true},
		{Room{"packaging/house", Outside}, "packaging/house", false},
		{Room{"agent/desk", Assembly}, "agent/desk", false},
		{Room{}, "agent/extra", false},
	}
	for _, tt := range tests {
		p := Package{Path: tt.path, Room: tt.room}
		if got := p.IsSuite(); got != tt.want {
			t.Errorf("%s: got %v, want %v", tt.path, got, tt.want)
		}
	}
}

// TestPlacesAreNamed follows a node back to its file and line, and a package
// to its folder, whatever the order of the files.
func TestPlacesAreNamed(t *testing.T) {
	t.Parallel()
	fs := fstest.MapFS{
		RoomsFile:   {Data: []byte("| Package | Floor |\n|---|---|\n| a | 1 |\n")},
		DoorsFile:   {Data: []byte("| Module | Why | Licence | Door |\n|---|---|---|---|\n| m | w | l | tests |\n")},
		ModulesFile: {Data: []byte("module m\n")},
		KeysFile:    {},
		"a/a.go":    {Data: []byte("package a\n\nfunc f() {\n\tgo f()\n}\n")},
		"a-b/b.go":  {Data: []byte("package b\n")},
		"a/c/c.go":  {Data: []byte("package c\n")},
	}
	got, err := Read(fs)
	if err != nil {
		t.Fatal(err)
	}
	for n := range Inside[*ast.GoStmt](got.Find("a").Files[0]) {
		if at := got.At(n); at != "a/a.go:4" {
			t.Errorf("got %s, want a/a.go:4", at)
		}
	}
	for _, dir := range []string{"a", "a-b", "a/c"} {
		if p := got.Find(dir); p == nil || p.Path != dir {
			t.Errorf("%s was not found", dir)
		}
	}
	if got.Find("b") != nil {
		t.Error("a package was found where there is none")
	}
}
