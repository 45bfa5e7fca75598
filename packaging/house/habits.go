package house

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"iter"
	"slices"
	"strings"

	"github.com/counterproof/counterproof/packaging/house/tree"
)

// lockers are types whose package variables change by being used.
var lockers = map[string][]string{
	"sync": {"Map", "Mutex", "Once", "RWMutex", "WaitGroup"},
	"sync/atomic": {
		"Bool", "Int32", "Int64", "Pointer", "Uint32", "Uint64", "Uintptr", "Value",
	},
}

func selectors(f *tree.File) iter.Seq[*ast.SelectorExpr] {
	return tree.Inside[*ast.SelectorExpr](f)
}

func calls(f *tree.File) iter.Seq[*ast.CallExpr] { return tree.Inside[*ast.CallExpr](f) }

// starts yields what starts a goroutine: the statement, and the method Go of a
// wait group or of anything like one.
func starts(f *tree.File) iter.Seq[ast.Node] {
	return func(yield func(ast.Node) bool) {
		for n := range tree.Inside[*ast.GoStmt](f) {
			if !yield(n) {
				return
			}
		}
		for c := range calls(f) {
			sel, ok := c.Fun.(*ast.SelectorExpr)
			if ok && sel.Sel.Name == "Go" && len(c.Args) == 1 && !yield(c) {
				return
			}
		}
	}
}

// checkInit allows init only where a table is embedded in the same file.
func checkInit(h House, found report) {
	for _, f := range h.Product {
		for fn := range tree.Inside[*ast.FuncDecl](f) {
			if isInit(fn) && !f.Embeds {
				found(h.At(fn), "func init runs unasked: let main call it")
			}
		}
	}
}

func isInit(fn *ast.FuncDecl) bool { return fn.Name.Name == "init" && fn.Recv == nil }

// checkVariables finds package variables that change after their declaration,
// ours and those of other packages.
func checkVariables(h House, found report) {
	for p, f := range h.Product {
		for _, d := range f.Syntax.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && !isInit(fn) {
				for n, name := range changes(p, fn) {
					found(h.At(n), "package variable "+name+" changes")
				}
			}
		}
		for v := range tree.Inside[*ast.ValueSpec](f) {
			if pkg, name := p.Qualified(v.Type); slices.Contains(lockers[pkg], name) && isGlobal(p, v.Names[0]) {
				found(h.At(v), fmt.Sprintf("package variable %s is a %s.%s: it changes", v.Names[0].Name, pkg, name))
			}
		}
	}
}

// isGlobal reports whether the declared name stands at the package's level.
func isGlobal(p *tree.Package, id *ast.Ident) bool {
	obj := p.Scope.Lookup(id.Name)
	return obj != nil && obj.Pos() == id.Pos()
}

// changes yields where fn changes a package variable, with the variable's name.
func changes(p *tree.Package, fn *ast.FuncDecl) iter.Seq2[ast.Node, string] {
	return func(yield func(ast.Node, string) bool) {
		more := true
		ast.Inspect(fn, func(n ast.Node) bool {
			for _, e := range changed(n) {
				if name := global(p, e); name != "" && more {
					more = yield(n, name)
				}
			}
			return more
		})
	}
}

// changed returns the expressions that a node assigns, counts up, deletes from
// or takes the address of.
func changed(n ast.Node) []ast.Expr {
	switch x := n.(type) {
	case *ast.AssignStmt:
		if x.Tok != token.DEFINE {
			return x.Lhs
		}
	case *ast.IncDecStmt:
		return []ast.Expr{x.X}
	case *ast.RangeStmt:
		if x.Tok == token.ASSIGN {
			return []ast.Expr{x.Key, x.Value}
		}
	case *ast.UnaryExpr:
		if _, plain := x.X.(*ast.Ident); x.Op == token.AND && plain {
			return []ast.Expr{x.X}
		}
	case *ast.CallExpr:
		if id, ok := x.Fun.(*ast.Ident); ok && (id.Name == "delete" || id.Name == "clear") && len(x.Args) > 0 {
			return x.Args[:1]
		}
	}
	return nil
}

// global returns the name of the package variable that an expression such as
// table[k].field leads to, or "".
func global(p *tree.Package, e ast.Expr) string {
	switch x := e.(type) {
	case *ast.Ident:
		v, ok := p.Info.Uses[x].(*types.Var)
		if ok && v.Parent() == p.Scope {
			return x.Name
		}
	case *ast.IndexExpr:
		return global(p, x.X)
	case *ast.StarExpr:
		return global(p, x.X)
	case *ast.ParenExpr:
		return global(p, x.X)
	case *ast.SelectorExpr:
		if pkg, name := p.Qualified(x); pkg != "" {
			return tree.ImportName(pkg) + "." + name
		}
		return global(p, x.X)
	}
	return ""
}

// checkPlatform keeps the platform out of the logic: x_linux.go has its own
// file.
func checkPlatform(h House, found report) {
	for p, f := range h.Product {
		for e := range selectors(f) {
			if pkg, name := p.Qualified(e); pkg == "runtime" && name == "GOOS" {
				found(h.At(e), "runtime.GOOS in the logic: write a file for each platform")
			}
		}
	}
}

// checkWrap asks for one %w for each error that fmt.Errorf is given.
func checkWrap(h House, found report) {
	for p, f := range h.Product {
		for c := range calls(f) {
			if given, wrapped := wraps(p, c); wrapped < given {
				found(h.At(c), "fmt.Errorf has an error without %w")
			}
		}
	}
}

// wraps counts the errors that a call of fmt.Errorf is given and those that it
// wraps; any other call has none.
func wraps(p *tree.Package, c *ast.CallExpr) (given, wrapped int) {
	if pkg, name := p.Qualified(c.Fun); pkg != "fmt" || name != "Errorf" || len(c.Args) == 0 {
		return 0, 0
	}
	for _, a := range c.Args[1:] {
		if isError(p, a) {
			given++
		}
	}
	return given, min(given, strings.Count(literal(c.Args[0]), "%w"))
}

// isError tells an error by its type where the package itself gives it, else
// by its name: err, closeErr, ErrFull, x.Err, ctx.Err().
func isError(p *tree.Package, e ast.Expr) bool {
	if tv, ok := p.Info.Types[e]; ok && tv.Type != nil && types.Identical(tv.Type, types.Universe.Lookup("error").Type()) {
		return true
	}
	switch x := e.(type) {
	case *ast.Ident:
		return x.Name == "err" || strings.HasSuffix(x.Name, "Err") || strings.HasPrefix(x.Name, "Err")
	case *ast.SelectorExpr:
		return x.Sel.Name == "Err" || strings.HasPrefix(x.Sel.Name, "Err")
	case *ast.CallExpr:
		sel, ok := x.Fun.(*ast.SelectorExpr)
		return ok && sel.Sel.Name == "Err" && len(x.Args) == 0
	}
	return false
}

// literal returns the text of a string literal or of a sum of them, quotes and
// all; anything else is "".
func literal(e ast.Expr) string {
	switch x := e.(type) {
	case *ast.BasicLit:
		if x.Kind == token.STRING {
			return x.Value
		}
	case *ast.BinaryExpr:
		l, r := literal(x.X), literal(x.Y)
		if l != "" && r != "" {
			return l + r
		}
	}
	return ""
}

// checkSkips refuses a skip that does not say why.
func checkSkips(h House, found report) {
	for _, s := range h.skips() {
		if s.why == "" {
			found(s.at, "a skip without its reason")
		}
	}
}

// A skip is a place where a test may give up.
type skip struct{ at, why string }

// skips lists every call of Skip, Skipf and SkipNow in tests and suites.
func (h House) skips() []skip {
	var all []skip
	for _, f := range h.Testing {
		for c := range calls(f) {
			if why, ok := skipCall(c); ok {
				all = append(all, skip{h.At(c), why})
			}
		}
	}
	return all
}

func skipCall(c *ast.CallExpr) (why string, ok bool) {
	sel, isSel := c.Fun.(*ast.SelectorExpr)
	if !isSel || !slices.Contains([]string{"Skip", "SkipNow", "Skipf"}, sel.Sel.Name) {
		return "", false
	}
	if len(c.Args) == 0 {
		return "", true
	}
	if s := literal(c.Args[0]); s != "" {
		return s, true
	}
	return "(computed)", true
}
