package tree

import (
	"fmt"
	"io/fs"
	"iter"
	"slices"
	"strconv"
	"strings"
)

// The floors. Imports never run upward.
const (
	Outside  = -1 // suites for tests and tools: the product never imports them
	Words    = 0  // types and laws; standard library only
	Pure     = 1  // no I/O, goroutine, clock or randomness
	Edge     = 2  // I/O, cgo
	Assembly = 3  // what runs the others
	Top      = 4  // mains
)

// A Room is one line of the table of packages. A package without a line has
// the zero room.
type Room struct {
	Path  string
	Floor int
}

// Listed reports whether the table has a line for the room.
func (r Room) Listed() bool { return r.Path != "" }

// A Door is one line of the table of modules: who may import it.
type Door struct {
	Module string
	Dirs   []string // folders, each with all below it
	Edges  bool     // any room from floor 2 upward
	Tests  bool     // tests and suites alone
}

func (t *Tree) readTables(fsys fs.FS) error {
	steps := []struct {
		file string
		read func(string) error
	}{
		{ModulesFile, t.readModules}, {RoomsFile, t.readRooms}, {DoorsFile, t.readDoors}, {KeysFile, t.readKeys},
	}
	for _, s := range steps {
		b, err := fs.ReadFile(fsys, s.file)
		if err != nil {
			return fmt.Errorf("read the tables: %w", err)
		}
		if err := s.read(string(b)); err != nil {
			return fmt.Errorf("%s: %w", s.file, err)
		}
	}
	return nil
}

// readModules takes the module's path and its direct requirements from go.mod.
func (t *Tree) readModules(s string) error {
	block := false
	for line := range strings.Lines(s) {
		f := strings.Fields(line)
		switch {
		case len(f) == 0 || strings.Contains(line, "// indirect"):
		case f[0] == "module" && len(f) > 1:
			t.Module = f[1]
		case f[0] == "require" && len(f) > 1:
			block = f[1] == "("
			if !block {
				t.Modules = append(t.Modules, f[1])
			}
		case f[0] == ")":
			block = false
		case block:
			t.Modules = append(t.Modules, f[0])
		}
	}
	if t.Module == "" {
		return fmt.Errorf("no module line")
	}
	return nil
}

func (t *Tree) readRooms(s string) error {
	for row := range tableRows(s, "Package", "Floor") {
		floor := Outside
		if row[1] != "-" {
			n, err := strconv.Atoi(row[1])
			if err != nil || n < Words || n > Top {
				return fmt.Errorf("floor of %s: %q is none of - 0 1 2 3 4", row[0], row[1])
			}
			floor = n
		}
		for _, p := range expand(row[0]) {
			t.Rooms = append(t.Rooms, Room{p, floor})
		}
	}
	if len(t.Rooms) == 0 {
		return fmt.Errorf("no table of packages")
	}
	return nil
}

// RoomOf returns the line of the table for a folder, or the zero room.
func (t *Tree) RoomOf(dir string) Room {
	i := slices.IndexFunc(t.Rooms, func(r Room) bool { return r.Path == dir })
	if i < 0 {
		return Room{}
	}
	return t.Rooms[i]
}

func (t *Tree) readDoors(s string) error {
	for row := range tableRows(s, "Module", "Why", "Licence", "Door") {
		d := Door{Module: row[0]}
		switch row[3] {
		case "tests":
			d.Tests = true
		case "edges":
			d.Edges = true
		default:
			d.Dirs = expand(row[3])
		}
		t.Doors = append(t.Doors, d)
	}
	if len(t.Doors) == 0 {
		return fmt.Errorf("no table of modules")
	}
	return nil
}

// readKeys takes the first word of each line that is no comment.
func (t *Tree) readKeys(s string) error {
	for line := range strings.Lines(s) {
		if f := strings.Fields(line); len(f) > 0 && f[0] != "#" {
			t.Keys = append(t.Keys, f[0])
		}
	}
	return nil
}

// tableRows yields the rows of the first Markdown table whose heading begins
// with the given words. Code marks around a cell are dropped.
func tableRows(s string, heading ...string) iter.Seq[[]string] {
	return func(yield func([]string) bool) {
		in := false
		for line := range strings.Lines(s) {
			row := cells(line)
			switch {
			case !in:
				in = len(row) >= len(heading) && slices.Equal(row[:len(heading)], heading)
			case len(row) < len(heading):
				return
			case strings.HasPrefix(row[0], "---"):
			case !yield(row):
				return
			}
		}
	}
}

func cells(line string) []string {
	line = strings.TrimSpace(line)
	if !strings.HasPrefix(line, "|") {
		return nil
	}
	row := strings.Split(strings.Trim(line, "|"), "|")
	for i, c := range row {
		row[i] = strings.ReplaceAll(strings.TrimSpace(c), "`", "")
	}
	return row
}

// expand reads a list of folders: "a, b/{c,d}" is a, b/c and b/d.
func expand(list string) []string {
	var out []string
	for list != "" {
		item := list
		open, comma := strings.Index(list, "{"), strings.Index(list, ",")
		end := len(list)
		if comma >= 0 && (open < 0 || comma < open) {
			end = comma
		} else if open >= 0 {
			if closing := strings.Index(list, "}"); closing >= 0 {
				if c := strings.Index(list[closing:], ","); c >= 0 {
					end = closing + c
				}
			}
		}
		item, list = strings.TrimSpace(list[:end]), strings.TrimPrefix(list[end:], ",")
		out = append(out, braces(item)...)
	}
	return out
}

// braces expands the one group of alternatives that an item may have.
func braces(item string) []string {
	before, rest, ok := strings.Cut(item, "{")
	inner, after, closed := strings.Cut(rest, "}")
	if !ok || !closed {
		return []string{item}
	}
	var out []string
	for alt := range strings.SplitSeq(inner, ",") {
		out = append(out, before+strings.TrimSpace(alt)+after)
	}
	return out
}
