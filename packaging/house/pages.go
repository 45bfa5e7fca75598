package house

import (
	"fmt"
	"go/ast"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/counterproof/counterproof/packaging/house/tree"
)

// Lines that a page may have.
const (
	readmeLines = 120
	designLines = 150
)

// designs are the pages that every checkout has.
var designs = []string{"agent/DESIGN.md", "devices/DESIGN.md", "sync/DESIGN.md", "ui/DESIGN.md"}

// The patterns are put together from parts, so that this file does not hold
// what it looks for.
var (
	unfinished = regexp.MustCompile(`\b(TO` + `DO|FIX` + `ME|HA` + `CK)\b|\bXX` + `X:`)
	halfDone   = regexp.MustCompile(`\bnot imple` + `mented\b|\bunimple` + `mented\b|\bplace` + `holder\b|\bdummy ` + `data\b`)
	machine    = regexp.MustCompile(`(^|[^\w./-])/(wo` + `rk|ro` + `ot|tm` + `p|ho` + `me|User` + `s)/\w`)
	registry   = regexp.MustCompile(`\b(proxy\.golang|sum\.golang|registry\.npmjs|pypi|pythonhosted|deb\.debian|archive\.ubuntu)\.org\b|\barchive\.ubuntu\.com\b`)
)

// checkPages holds the pages to their length: what does not fit is not read.
func checkPages(h House, found report) {
	for _, name := range append([]string{tree.DoorsFile}, designs...) {
		if !slices.ContainsFunc(h.Texts, func(x tree.Text) bool { return x.Path == name }) {
			found(name, "the page is missing")
		}
	}
	for _, x := range h.Texts {
		if limit := pageLimit(x.Path); limit > 0 && len(x.Lines) > limit {
			found(x.Path, fmt.Sprintf("%d lines, at most %d", len(x.Lines), limit))
		}
	}
}

// pageLimit is how many lines a page may have; 0 where any number will do.
func pageLimit(name string) int {
	switch path.Base(name) {
	case "README.md":
		return readmeLines
	case "DESIGN.md":
		return designLines
	}
	return 0
}

// checkMarks finds what is said to be unfinished: marks in comments, and words
// in any text of a Go file.
func checkMarks(h House, found report) {
	for _, p := range h.Packages {
		for _, f := range slices.Concat(p.Files, p.Tests) {
			for _, g := range f.Syntax.Comments {
				if m := unfinished.FindString(g.Text()) + halfDone.FindString(g.Text()); m != "" {
					found(h.At(g), "says "+m)
				}
			}
			for l := range tree.Inside[*ast.BasicLit](f) {
				if m := halfDone.FindString(literal(l)); m != "" {
					found(h.At(l), "says "+m)
				}
			}
		}
	}
}

// checkPaths finds the paths of one machine, in any text.
func checkPaths(h House, found report) { h.grep(machine, "a path of one machine: ", found) }

// checkHosts finds registries named by their host: the ordinary clients know
// where theirs is.
func checkHosts(h House, found report) { h.grep(registry, "a registry's host: ", found) }

func (h House) grep(pattern *regexp.Regexp, why string, found report) {
	for _, x := range h.Texts {
		for i, line := range x.Lines {
			if m := pattern.FindString(line); m != "" {
				found(fmt.Sprintf("%s:%d", x.Path, i+1), why+strings.TrimSpace(m))
			}
		}
	}
}

// checkDocs asks every package for a comment of the usual form. Exported names
// are held by a figure.
func checkDocs(h House, found report) {
	for _, p := range h.Packages {
		if len(p.Files) == 0 {
			continue
		}
		doc := doc(p)
		switch {
		case doc == "":
			found(p.Path, "the package has no comment")
		case p.Name != "main" && !strings.HasPrefix(doc, "Package "+p.Name+" "):
			found(p.Path, "the package's comment does not begin with its name")
		}
	}
}

func doc(p *tree.Package) string {
	for _, f := range p.Files {
		if f.Syntax.Doc != nil {
			return f.Syntax.Doc.Text()
		}
	}
	return ""
}
