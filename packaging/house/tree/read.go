package tree

import (
	"bytes"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"io/fs"
	"iter"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Files that the tables and lists are read from.
const (
	RoomsFile   = "agent/DESIGN.md"
	DoorsFile   = "README.md"
	ModulesFile = "go.mod"
	KeysFile    = "packaging/house/slogkeys.txt"
	ignoreFile  = ".gitignore"
)

// maxText is the size in bytes above which a file is data, not text.
const maxText = 1 << 20

// Read reads the tree at the root of fsys: Go files outside testdata are
// parsed, every other text is kept by its lines. A Go file that does not parse
// or a missing table is an error.
func Read(fsys fs.FS) (*Tree, error) {
	t := &Tree{Fset: token.NewFileSet()}
	if err := t.readTables(fsys); err != nil {
		return nil, err
	}
	ignored, err := ignoredFolders(fsys)
	if err != nil {
		return nil, err
	}
	err = fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && skipFolder(name, ignored):
			return fs.SkipDir
		case d.Type().IsRegular():
			return t.readFile(fsys, name)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read the tree: %w", err)
	}
	for _, p := range t.Packages {
		p.resolve(t.Fset)
	}
	return t, nil
}

// ignoredFolders are the folders at the root that git leaves out: build output
// and fetched tools, none of them ours.
func ignoredFolders(fsys fs.FS) ([]string, error) {
	b, err := fs.ReadFile(fsys, ignoreFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the ignored folders: %w", err)
	}
	var dirs []string
	for line := range strings.Lines(string(b)) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "/") && strings.HasSuffix(line, "/") {
			dirs = append(dirs, strings.Trim(line, "/"))
		}
	}
	return dirs, nil
}

func skipFolder(name string, ignored []string) bool {
	base := path.Base(name)
	hidden := strings.HasPrefix(base, ".") && base != "." && base != ".ci"
	return hidden || slices.Contains(ignored, name)
}

func (t *Tree) readFile(fsys fs.FS, name string) error {
	b, err := fs.ReadFile(fsys, name)
	if err != nil {
		return err
	}
	if len(b) > maxText || bytes.IndexByte(b[:min(len(b), 1<<10)], 0) >= 0 {
		return nil
	}
	if path.Base(name) != "go.sum" {
		t.Texts = append(t.Texts, Text{name, strings.Split(strings.TrimSuffix(string(b), "\n"), "\n")})
	}
	if strings.HasSuffix(name, ".go") && !slices.Contains(strings.Split(name, "/"), "testdata") {
		return t.readGo(name, b)
	}
	return nil
}

func (t *Tree) readGo(name string, b []byte) error {
	syntax, err := parser.ParseFile(t.Fset, name, b, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return fmt.Errorf("parse: %w", err)
	}
	f := &File{Path: name, Syntax: syntax, Generated: ast.IsGenerated(syntax)}
	for _, i := range syntax.Imports {
		p, err := strconv.Unquote(i.Path.Value)
		if err != nil {
			return fmt.Errorf("%s: an import's path: %w", name, err)
		}
		f.Imports = append(f.Imports, p)
	}
	f.count(t.Fset, string(b))
	p := t.folderOf(path.Dir(name))
	if strings.HasSuffix(name, "_test.go") {
		p.Tests = append(p.Tests, f)
		return nil
	}
	p.Name = syntax.Name.Name
	p.Files = append(p.Files, f)
	return nil
}

// folderOf returns the package at dir, made on first sight. Files come in the
// order of their folders' names, so packages is kept sorted by insertion.
func (t *Tree) folderOf(dir string) *Package {
	if p := t.Find(dir); p != nil {
		return p
	}
	p := &Package{Path: dir, Room: t.RoomOf(dir)}
	i, _ := slices.BinarySearchFunc(t.Packages, dir, func(q *Package, s string) int { return strings.Compare(q.Path, s) })
	t.Packages = slices.Insert(t.Packages, i, p)
	return p
}

// count tells lines of code from lines of comment; a line with both is both.
func (f *File) count(fset *token.FileSet, src string) {
	only := map[int]bool{} // lines with nothing but a comment
	both := map[int]bool{}
	lines := strings.Split(strings.TrimSuffix(src, "\n"), "\n")
	for _, g := range f.Syntax.Comments {
		for _, c := range g.List {
			f.Embeds = f.Embeds || strings.HasPrefix(c.Text, "//go:embed ")
			first, last := fset.Position(c.Pos()), fset.Position(c.End())
			for n := first.Line; n <= last.Line; n++ {
				before := ""
				if n == first.Line {
					before = lines[n-1][:first.Column-1]
				}
				only[n] = strings.TrimSpace(before) == ""
				both[n] = true
			}
		}
	}
	f.Lines, f.Comment = len(lines), len(both)
	for i, l := range lines {
		if strings.TrimSpace(l) != "" && !only[i+1] {
			f.Code++
		}
	}
}

// emptyImports gives every import an empty package of the right name, so that
// go/types can tell a package's own names from others without compiling any.
type emptyImports struct{}

// Import returns an empty package of the given path.
func (emptyImports) Import(p string) (*types.Package, error) {
	pkg := types.NewPackage(p, ImportName(p))
	pkg.MarkComplete()
	return pkg, nil
}

var majorVersion = regexp.MustCompile(`^v[0-9]+$`)

// ImportName guesses the name of the package at an import path.
func ImportName(p string) string {
	if majorVersion.MatchString(path.Base(p)) {
		p = path.Dir(p)
	}
	return strings.TrimPrefix(path.Base(p), "go-")
}

// resolve finds what each name in the package's files means, as far as the
// package itself tells. Errors are expected, since nothing is imported and the
// files of several platforms declare the same names.
func (p *Package) resolve(fset *token.FileSet) {
	p.Info = &types.Info{Uses: map[*ast.Ident]types.Object{}, Types: map[ast.Expr]types.TypeAndValue{}}
	var files []*ast.File
	for _, f := range p.Files {
		files = append(files, f.Syntax)
	}
	conf := types.Config{Importer: emptyImports{}, Error: func(error) {}, FakeImportC: true}
	pkg, _ := conf.Check(p.Path, fset, files, p.Info) // the errors went to Error
	p.Scope = pkg.Scope()
}

// Qualified returns the import path and the name that a selector such as
// time.Now stands for, or "" where it is no name of another package.
func (p *Package) Qualified(e ast.Expr) (pkg, name string) {
	sel, ok := e.(*ast.SelectorExpr)
	if !ok {
		return "", ""
	}
	id, ok := sel.X.(*ast.Ident)
	if !ok {
		return "", ""
	}
	if n, ok := p.Info.Uses[id].(*types.PkgName); ok {
		return n.Imported().Path(), sel.Sel.Name
	}
	return "", ""
}

// Inside yields the nodes of type N in a file.
func Inside[N ast.Node](f *File) iter.Seq[N] {
	return func(yield func(N) bool) {
		more := true
		ast.Inspect(f.Syntax, func(n ast.Node) bool {
			if x, ok := n.(N); ok && more {
				more = yield(x)
			}
			return more
		})
	}
}
