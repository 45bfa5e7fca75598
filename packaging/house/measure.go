package house

import (
	"go/ast"
	"go/token"
	"slices"
	"strings"

	"github.com/counterproof/counterproof/packaging/house/tree"
)

// A sample is one thing measured: a function, a file or a package.
type sample struct {
	at    string
	n     int
	limit int // what it may be at most; 0 is no limit
}

// functions measures every function of the sized files.
func (h House) functions(limit int, measure func(function) int) []sample {
	var all []sample
	for _, f := range h.sized {
		for _, fn := range functionsOf(f.Syntax) {
			all = append(all, sample{h.At(fn.node) + " " + fn.name, measure(fn), limit})
		}
	}
	return all
}

// sized yields the files whose size is held: what ships, less what was
// generated.
func (h House) sized(yield func(*tree.Package, *tree.File) bool) {
	for p, f := range h.Product {
		if !f.Generated && !yield(p, f) {
			return
		}
	}
}

// A function is a declared one, or a literal that stands in no other.
type function struct {
	node ast.Node
	name string
	typ  *ast.FuncType
	body *ast.BlockStmt
}

func functionsOf(f *ast.File) []function {
	var all []function
	for _, d := range f.Decls {
		ast.Inspect(d, func(n ast.Node) bool {
			switch x := n.(type) {
			case *ast.FuncDecl:
				if x.Body != nil {
					all = append(all, function{x, x.Name.Name, x.Type, x.Body})
				}
				return false
			case *ast.FuncLit:
				all = append(all, function{x, "func literal", x.Type, x.Body})
				return false
			}
			return true
		})
	}
	return all
}

// length counts the lines of a function, its comment not included.
func (h House) length(fn function) int {
	return h.Fset.Position(fn.node.End()).Line - h.Fset.Position(fn.node.Pos()).Line + 1
}

// parameters counts what a function is given, its receiver not included.
func parameters(fn function) int {
	n := 0
	for _, f := range fn.typ.Params.List {
		n += max(1, len(f.Names))
	}
	return n
}

// cyclomatic counts the ways through a function, one for each decision and one
// for the straight line (McCabe), function literals included.
func cyclomatic(fn function) int {
	n := 1
	ast.Inspect(fn.body, func(x ast.Node) bool {
		if decides(x) {
			n++
		}
		return true
	})
	return n
}

func decides(n ast.Node) bool {
	switch x := n.(type) {
	case *ast.IfStmt, *ast.ForStmt, *ast.RangeStmt:
		return true
	case *ast.CaseClause:
		return x.List != nil
	case *ast.CommClause:
		return x.Comm != nil
	case *ast.BinaryExpr:
		return x.Op == token.LAND || x.Op == token.LOR
	}
	return false
}

// nesting counts how deep the deepest block of a function lies. An else-if
// lies as deep as its if.
func nesting(fn function) int { return depth(fn.body) }

func depth(n ast.Node) int {
	deepest := 0
	ast.Inspect(n, func(x ast.Node) bool {
		if x == n {
			return true
		}
		for _, b := range blocks(x) {
			deepest = max(deepest, depth(b)+1)
		}
		if i, ok := x.(*ast.IfStmt); ok && i.Else != nil {
			if chain, ok := i.Else.(*ast.IfStmt); ok {
				deepest = max(deepest, depth(&ast.BlockStmt{List: []ast.Stmt{chain}}))
			}
		}
		return len(blocks(x)) == 0
	})
	return deepest
}

// blocks returns the blocks that a statement opens.
func blocks(n ast.Node) []ast.Node {
	switch x := n.(type) {
	case *ast.IfStmt:
		if b, ok := x.Else.(*ast.BlockStmt); ok {
			return []ast.Node{x.Body, b}
		}
		return []ast.Node{x.Body}
	case *ast.ForStmt:
		return []ast.Node{x.Body}
	case *ast.RangeStmt:
		return []ast.Node{x.Body}
	case *ast.SwitchStmt:
		return []ast.Node{x.Body}
	case *ast.TypeSwitchStmt:
		return []ast.Node{x.Body}
	case *ast.SelectStmt:
		return []ast.Node{x.Body}
	case *ast.FuncLit:
		return []ast.Node{x.Body}
	}
	return nil
}

// A name is an exported name of a package and whether a comment explains it.
type name struct {
	at         string
	documented bool
}

// exported lists the names that other packages see, methods included.
func (h House) exported(f *tree.File) []name {
	var all []name
	for _, d := range f.Syntax.Decls {
		switch x := d.(type) {
		case *ast.FuncDecl:
			if x.Name.IsExported() && (x.Recv == nil || ast.IsExported(receiver(x))) {
				all = append(all, name{h.At(x) + " " + x.Name.Name, x.Doc != nil})
			}
		case *ast.GenDecl:
			all = append(all, h.declared(x)...)
		}
	}
	return all
}

// declared lists the exported types, constants and variables of a declaration.
// A comment over a group explains all of it.
func (h House) declared(d *ast.GenDecl) []name {
	var all []name
	add := func(id *ast.Ident, doc, comment *ast.CommentGroup) {
		if id.IsExported() {
			all = append(all, name{h.At(id) + " " + id.Name, d.Doc != nil || doc != nil || comment != nil})
		}
	}
	for _, s := range d.Specs {
		switch x := s.(type) {
		case *ast.TypeSpec:
			add(x.Name, x.Doc, x.Comment)
		case *ast.ValueSpec:
			for _, id := range x.Names {
				add(id, x.Doc, x.Comment)
			}
		}
	}
	return all
}

// receiver returns the name of a method's type.
func receiver(fn *ast.FuncDecl) string {
	e := fn.Recv.List[0].Type
	for {
		switch x := e.(type) {
		case *ast.StarExpr:
			e = x.X
		case *ast.IndexExpr:
			e = x.X
		case *ast.IndexListExpr:
			e = x.X
		case *ast.Ident:
			return x.Name
		default:
			return ""
		}
	}
}

// interfaces measures the methods of every interface, embedded ones counting
// as one each.
func (h House) interfaces() []sample {
	var all []sample
	for p, f := range h.sized {
		for s := range tree.Inside[*ast.TypeSpec](f) {
			if i, ok := s.Type.(*ast.InterfaceType); ok {
				n := 0
				for _, m := range i.Methods.List {
					n += max(1, len(m.Names))
				}
				all = append(all, sample{h.At(s) + " " + s.Name.Name, n, methodLimit(p.Path)})
			}
		}
	}
	return all
}

// perPackage measures every package that ships.
func (h House) perPackage(limit func(*tree.Package) int, measure func(*tree.Package) int) []sample {
	var all []sample
	for _, p := range h.Packages {
		if len(p.Files) > 0 && !p.IsSuite() {
			all = append(all, sample{p.Path, measure(p), limit(p)})
		}
	}
	return all
}

// code counts the package's lines of code, generated files not included.
func code(p *tree.Package) int {
	n := 0
	for _, f := range p.Files {
		if !f.Generated {
			n += f.Code
		}
	}
	return n
}

// fanOut counts the packages of this module that p imports.
func (h House) fanOut(p *tree.Package) int {
	seen := map[string]bool{}
	for _, f := range p.Files {
		for dir := range h.Ours(f) {
			seen[dir] = true
		}
	}
	return len(seen)
}

// testLines counts the lines of p's tests and of the suites that they run: a
// suite tests each room that runs it.
func (h House) testLines(p *tree.Package) int {
	n := 0
	suites := map[string]bool{}
	for _, f := range p.Tests {
		n += f.Lines
		for dir := range h.Ours(f) {
			suites[dir] = true
		}
	}
	for dir := range suites {
		if s := h.Find(dir); s != nil && s.IsSuite() {
			for _, f := range s.Files {
				n += f.Lines
			}
		}
	}
	return n
}

// untested says why a package owes no tests of its own, or "".
func untested(p *tree.Package) string {
	switch {
	case p.Room.Floor == tree.Top:
		return "main: what it calls is tested"
	case p.IsSuite():
		return "a suite is a test"
	case code(p) == 0:
		return "generated"
	case !slices.ContainsFunc(p.Files, func(f *tree.File) bool { return len(functionsOf(f.Syntax)) > 0 }):
		return "words without a function"
	}
	return ""
}

// fuzzTargets counts the functions that fuzz.
func (h House) fuzzTargets() int {
	n := 0
	for _, f := range h.Testing {
		for fn := range tree.Inside[*ast.FuncDecl](f) {
			if strings.HasPrefix(fn.Name.Name, "Fuzz") && fn.Recv == nil {
				n++
			}
		}
	}
	return n
}
