package house_test

import (
	"iter"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/counterproof/counterproof/packaging/house"
)

// A plant is a small change to the base project that breaks a rule on purpose,
// or comes near it and must not be found.
type plant struct {
	name string
	want []string // "rule at", sorted
	drop []string // files of the base that go
	fs   fstest.MapFS
}

func TestPlants(t *testing.T) {
	t.Parallel()
	for rule, text := range plantTexts {
		for _, p := range plants(t, rule, text) {
			t.Run(rule+"/"+p.name, func(t *testing.T) {
				t.Parallel()
				if got := breaches(t, p); !slices.Equal(got, p.want) {
					t.Errorf("got:\n\t%s\nwant:\n\t%s", strings.Join(got, "\n\t"), strings.Join(p.want, "\n\t"))
				}
			})
		}
	}
	if got, want := slices.Sorted(maps.Keys(plantTexts)), slices.Sorted(slices.Values(house.Rules())); !slices.Equal(got, want) {
		t.Errorf("rules with plants: %v\nrules: %v", got, want)
	}
}

func TestBaseBreaksNothing(t *testing.T) {
	t.Parallel()
	if got := breaches(t, plant{}); len(got) > 0 {
		t.Errorf("got %v", got)
	}
}

// breaches lays a plant over the base and returns what is found, as "rule at".
func breaches(t *testing.T, p plant) []string {
	t.Helper()
	var got []string
	for _, b := range planted(t, p).Breaches() {
		if at := b.Rule + " " + b.At; !slices.Contains(got, at) {
			got = append(got, at)
		}
	}
	slices.Sort(got)
	return got
}

// planted opens the base with a plant laid over it.
func planted(t *testing.T, p plant) house.House {
	t.Helper()
	h, err := house.Open(overlaid(t, p))
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func overlaid(t *testing.T, p plant) fstest.MapFS {
	t.Helper()
	fs := fstest.MapFS{}
	base, err := os.ReadFile("testdata/base.txt")
	if err != nil {
		t.Fatal(err)
	}
	for part := range split(string(base), "-- ", " --") {
		fs[part.head] = &fstest.MapFile{Data: []byte(part.body)}
	}
	for name, f := range p.fs {
		fs[name] = f
	}
	for _, name := range p.drop {
		delete(fs, name)
	}
	return fs
}

// plants reads the plants of one rule: each begins with "== name: why", says
// what it expects ("expect at", and "also rule at" for other rules) and holds
// files under "-- path --".
func plants(t *testing.T, rule, text string) []plant {
	t.Helper()
	var all []plant
	for p := range split(strings.ReplaceAll(text, "~", ""), "== ", "") {
		name, why, ok := strings.Cut(p.head, ": ")
		if !ok || why == "" {
			t.Fatalf("%s: %q does not say why", rule, p.head)
		}
		one := plant{name: name, fs: fstest.MapFS{}}
		head, _, _ := strings.Cut(p.body, "-- ")
		for line := range strings.Lines(head) {
			key, value, _ := strings.Cut(strings.TrimSpace(line), " ")
			switch key {
			case "expect":
				one.want = append(one.want, rule+" "+value)
			case "also":
				one.want = append(one.want, value)
			case "drop":
				one.drop = append(one.drop, value)
			default:
				t.Fatalf("%s: %s: unknown line %q", rule, name, line)
			}
		}
		slices.Sort(one.want)
		for f := range split(p.body, "-- ", " --") {
			one.fs[f.head] = &fstest.MapFile{Data: []byte(f.body)}
		}
		all = append(all, one)
	}
	return all
}

// A part is what stands between one heading and the next.
type part struct{ head, body string }

// split yields the parts of a text; a heading stands between before and after.
func split(s, before, after string) iter.Seq[part] {
	return func(yield func(part) bool) {
		var now part
		for line := range strings.Lines(s) {
			head, ok := strings.CutPrefix(strings.TrimSuffix(line, "\n"), before)
			head, closed := strings.CutSuffix(head, after)
			if !ok || !closed {
				now.body += line
				continue
			}
			if now.head != "" && !yield(now) {
				return
			}
			now = part{head: head}
		}
		if now.head != "" {
			yield(now)
		}
	}
}
