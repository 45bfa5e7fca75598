package house

import (
	"go/ast"
	"go/types"
	"slices"
	"strconv"
	"strings"

	"github.com/counterproof/counterproof/packaging/house/tree"
)

// logMethods are the calls that write a line, with the index of its message.
var logMethods = map[string]int{
	"Debug": 0, "Info": 0, "Warn": 0, "Error": 0,
	"DebugContext": 1, "InfoContext": 1, "WarnContext": 1, "ErrorContext": 1,
	"Log": 2, "LogAttrs": 2,
	"With": -1, // no message, only keys
}

// logNames are what a logger is called where its type cannot be seen.
var logNames = []string{"log", "logger", "slog"}

// checkLog keeps personal data out of the logs as far as form can: the message
// is a fixed sentence, every key is on the list, and the old log package, which
// has no keys, is not used.
func checkLog(h House, found report) {
	for p, f := range h.Product {
		for _, i := range f.Imports {
			if i == "log" {
				found(f.Path, "package log has no keys: use log/slog")
			}
		}
		for c := range calls(f) {
			if wrong := h.logCall(p, c); wrong != "" {
				found(h.At(c), wrong)
			}
		}
	}
}

// logCall returns what is wrong with a call that logs or makes a log attribute.
func (h House) logCall(p *tree.Package, c *ast.CallExpr) string {
	sel, ok := c.Fun.(*ast.SelectorExpr)
	if !ok {
		return ""
	}
	if pkg, name := p.Qualified(sel); pkg == "log/slog" && isAttr(name) && len(c.Args) > 1 {
		return h.logKey(c.Args[0])
	}
	message, logs := logMethods[sel.Sel.Name]
	if !logs || !isLogger(p, sel.X) || len(c.Args) <= message {
		return ""
	}
	if message >= 0 && !isConstant(p, c.Args[message]) {
		return "a log message is a fixed sentence"
	}
	if c.Ellipsis.IsValid() {
		return "" // the attributes are checked where they are made
	}
	return h.logPairs(p, c.Args[message+1:])
}

// logPairs checks a list of keys with their values, or of attributes.
func (h House) logPairs(p *tree.Package, args []ast.Expr) string {
	for i := 0; i < len(args); i++ {
		if c, ok := args[i].(*ast.CallExpr); ok {
			if pkg, _ := p.Qualified(c.Fun); pkg == "log/slog" {
				continue // an attribute, checked by itself
			}
		}
		if wrong := h.logKey(args[i]); wrong != "" {
			return wrong
		}
		i++ // its value
	}
	return ""
}

func (h House) logKey(e ast.Expr) string {
	key, err := strconv.Unquote(literal(e))
	if err != nil {
		return "a log key is a literal"
	}
	if !slices.Contains(h.Keys, key) {
		return "log key " + key + " is not in " + tree.KeysFile
	}
	return ""
}

// isAttr reports whether slog.name makes an attribute from a key and a value.
func isAttr(name string) bool {
	return slices.Contains([]string{
		"Any", "Bool", "Duration", "Float64", "Group", "Int", "Int64", "String", "Time", "Uint64",
	}, name)
}

// isLogger tells a logger by its type's name where the package shows it, else
// by its own name: slog, s.log, logger.
func isLogger(p *tree.Package, e ast.Expr) bool {
	name := ""
	switch x := e.(type) {
	case *ast.Ident:
		if n, ok := p.Info.Uses[x].(*types.PkgName); ok {
			return n.Imported().Path() == "log/slog"
		}
		name = x.Name
	case *ast.SelectorExpr:
		name = x.Sel.Name
	case *ast.CallExpr: // log.With(…).Info(…)
		sel, ok := x.Fun.(*ast.SelectorExpr)
		return ok && (sel.Sel.Name == "With" || sel.Sel.Name == "Default") && isLogger(p, sel.X)
	}
	return slices.Contains(logNames, strings.ToLower(name))
}

// isConstant reports whether an expression is a constant of this package or a
// literal.
func isConstant(p *tree.Package, e ast.Expr) bool {
	return literal(e) != "" || p.Info.Types[e].Value != nil
}
