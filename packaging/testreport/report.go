package main

import (
	"bufio"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
)

// maxLine bounds one line of the input; a test's panic can be long.
const maxLine = 16 << 20

// An event is one line of go test -json (go doc test2json). Lines about a build
// have an ImportPath instead of a Package.
type event struct {
	Action     string
	Package    string
	ImportPath string
	Test       string
	Output     string
}

// A key names a test, or with an empty test its package or build.
type key struct{ pkg, test string }

// A report collects events. What a test prints is kept until its fate is
// known: the output of what passed is dropped.
type report struct {
	out     io.Writer
	kept    map[key][]string
	open    map[string]bool // packages that have begun and not ended
	skipped []string
	passed  int
	failed  int
	broken  []string // packages that failed, builds included
}

// show reads events to their end and writes the report. It is ok when
// everything ended and nothing failed; err is about reading alone.
func show(in io.Reader, out io.Writer) (ok bool, err error) {
	r := &report{out: out, kept: map[key][]string{}, open: map[string]bool{}}
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, maxLine)
	for lines.Scan() {
		var e event
		if json.Unmarshal(lines.Bytes(), &e) != nil || e.Action == "" {
			fmt.Fprintln(out, lines.Text()) // what go itself says
			continue
		}
		r.take(e)
	}
	if err := lines.Err(); err != nil {
		return false, fmt.Errorf("read test events: %w", err)
	}
	return r.close(), nil
}

func (r *report) take(e event) {
	pkg := cmp.Or(e.Package, e.ImportPath)
	k := key{pkg, e.Test}
	switch e.Action {
	case "start":
		r.open[pkg] = true
	case "output", "build-output":
		r.keep(k, e.Output)
	case "build-fail":
		r.print(k)
	case "pass", "fail", "skip":
		if e.Test == "" {
			r.endPackage(e)
		} else {
			r.endTest(k, e.Action)
		}
	}
}

// keep holds a line back, but for the closing line of a package that passed.
func (r *report) keep(k key, line string) {
	if k.test == "" && closing(line) {
		fmt.Fprint(r.out, line)
		return
	}
	if strings.HasPrefix(line, "=== ") || k.test == "" && strings.TrimSpace(line) == "PASS" {
		return // who runs when
	}
	r.kept[k] = append(r.kept[k], line)
}

// closing reports whether a line is go test's own last word on a package.
func closing(line string) bool {
	return strings.HasPrefix(line, "ok  \t") || strings.HasPrefix(line, "?   \t") || strings.HasPrefix(line, "FAIL\t")
}

func (r *report) endTest(k key, action string) {
	switch action {
	case "pass":
		r.passed++
	case "skip":
		r.skipped = append(r.skipped, fmt.Sprintf("%s %s: %s", k.pkg, k.test, reason(r.kept[k])))
	case "fail":
		r.failed++
		r.print(k)
	}
	delete(r.kept, k)
}

// endPackage closes a package. What is still held back belongs to tests that
// never ended, as after a panic or a time-out, or to the package itself.
func (r *report) endPackage(e event) {
	delete(r.open, e.Package)
	if e.Action == "fail" {
		r.broken = append(r.broken, e.Package)
		for _, k := range r.keys(e.Package) {
			r.print(k)
		}
	}
	for _, k := range r.keys(e.Package) {
		delete(r.kept, k)
	}
}

// keys lists what is held back of a package, the package itself first.
func (r *report) keys(pkg string) []key {
	var all []key
	for k := range r.kept {
		if k.pkg == pkg {
			all = append(all, k)
		}
	}
	slices.SortFunc(all, func(a, b key) int { return cmp.Compare(a.test, b.test) })
	return all
}

func (r *report) print(k key) {
	for _, line := range r.kept[k] {
		fmt.Fprint(r.out, line)
	}
	delete(r.kept, k)
}

// reason is what a skipped test said, without go test's own line under it.
func reason(lines []string) string {
	var said []string
	for _, l := range lines {
		l = strings.TrimSpace(l)
		if l != "" && !strings.HasPrefix(l, "--- ") {
			said = append(said, l)
		}
	}
	return cmp.Or(strings.Join(said, " "), "no reason given")
}

// close writes the skips and the count.
func (r *report) close() bool {
	fmt.Fprintln(r.out)
	if len(r.skipped) > 0 {
		fmt.Fprintf(r.out, "=========== %d SKIPPED: these were not tested here ===========\n", len(r.skipped))
		for _, s := range r.skipped {
			fmt.Fprintln(r.out, "skipped", s)
		}
	}
	for _, p := range r.broken {
		fmt.Fprintln(r.out, "failed", p)
	}
	for p := range r.open {
		fmt.Fprintln(r.out, "never ended", p)
	}
	if r.passed+r.failed+len(r.skipped) == 0 {
		fmt.Fprintln(r.out, "no test ran")
	}
	fmt.Fprintf(r.out, "%d passed, %d failed, %d skipped\n", r.passed, r.failed, len(r.skipped))
	return r.failed == 0 && len(r.broken) == 0 && len(r.open) == 0 && r.passed > 0
}
