package profile

import (
	"cmp"
	"embed"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
)

// readers holds the profiles that come with the program.
//
//go:embed readers/*.json
var readers embed.FS

// Set is the profiles that a counter goes by, the program's and the site's. It
// never changes; With makes a new one. Whatever order profiles come in, the set
// is the same. The zero Set knows no device.
type Set struct {
	profiles []Profile // by ID
	problems []string
}

// Embedded is the profiles that come with the program.
func Embedded() Set {
	var s Set
	entries, err := readers.ReadDir("readers")
	if err != nil {
		s.problems = append(s.problems, err.Error())
	}
	for _, e := range entries {
		raw, err := readers.ReadFile("readers/" + e.Name())
		if err != nil {
			s.problems = append(s.problems, err.Error())
			continue
		}
		p, err := Parse(raw)
		if err != nil {
			s.problems = append(s.problems, e.Name()+": "+err.Error())
			continue
		}
		s.profiles = append(s.profiles, p)
	}
	s.sort()
	return s
}

// With is the set with a site's profiles in it. One with the ID of another
// replaces it, the others are added; one that is like another takes from it
// what it leaves out. What does not hold together is left out and told by
// Problems, and so are two overrides with one ID, since nobody knows which was
// meant.
func (s Set) With(overrides ...Profile) Set {
	out := Set{slices.Clone(s.profiles), slices.Clone(s.problems)}
	count := map[string]int{}
	for _, p := range overrides {
		count[p.ID]++
	}
	base := out // with the overrides that stand for themselves, for those that are like them
	for _, like := range []bool{false, true} {
		for _, p := range overrides {
			switch {
			case (p.Like != "") != like || count[p.ID] == 0:
			case count[p.ID] > 1:
				out.problems = append(out.problems, fmt.Sprintf("%.48q: %d site profiles have this id; none of them is used", p.ID, count[p.ID]))
				count[p.ID] = 0
			default:
				out.add(base, p)
			}
		}
		base = Set{slices.Clone(out.profiles), nil}
	}
	out.sort()
	return out
}

// add puts an override into the set, or its problem.
func (s *Set) add(base Set, p Profile) {
	p, err := base.resolve(p)
	if err != nil {
		s.problems = append(s.problems, err.Error())
		return
	}
	p.Site = true
	if i := slices.IndexFunc(s.profiles, func(q Profile) bool { return q.ID == p.ID }); i >= 0 {
		s.profiles[i] = p
		return
	}
	s.profiles = append(s.profiles, p)
}

// resolve fills in what the profile takes from another, and checks the whole as
// if it had been read from a file.
func (s Set) resolve(p Profile) (Profile, error) {
	if p.Like != "" {
		model, ok := s.find(p.Like)
		if !ok {
			return Profile{}, fmt.Errorf("%.48q: like: there is no profile %.48q", p.ID, p.Like)
		}
		p = p.over(model)
	}
	return p.whole()
}

// whole is the profile as its file would be read: checked, and sharing nothing.
func (p Profile) whole() (Profile, error) {
	if p.Match == nil {
		p.Match = []Match{}
	}
	raw, err := json.Marshal(p)
	if err != nil {
		return Profile{}, fmt.Errorf("%.48q: %w", p.ID, err)
	}
	return Parse(raw)
}

// over is the profile with every key that it leaves out taken from another. A
// device that the site chose needs no choice any more.
func (p Profile) over(model Profile) Profile {
	hint := cmp.Or(p.Hint, model.Hint)
	if hint == hintChooseDevice && !slices.ContainsFunc(p.Match, func(m Match) bool { return !m.pins() }) {
		hint = ""
	}
	framing := model.Framing
	if p.Framing.Name != "" {
		framing = p.Framing
	}
	commands := p.Commands
	if commands == nil {
		commands = model.Commands
	}
	return Profile{
		ID: p.ID, Name: cmp.Or(p.Name, model.Name), Status: cmp.Or(p.Status, model.Status),
		Sources: either(p.Sources, model.Sources), Match: p.Match, Transport: cmp.Or(p.Transport, model.Transport),
		Can: either(p.Can, model.Can), Roles: either(p.Roles, model.Roles), Serial: cmp.Or(p.Serial, model.Serial),
		Framing: framing, Commands: commands, Quirks: either(p.Quirks, model.Quirks), Hint: hint,
		Limits: Limits{
			cmp.Or(p.Limits.MaxBytes, model.Limits.MaxBytes), cmp.Or(p.Limits.InterByte, model.Limits.InterByte),
			cmp.Or(p.Limits.Total, model.Limits.Total),
		},
	}
}

// either is the first list that has something in it.
func either[T any](a, b []T) []T {
	if len(a) > 0 {
		return a
	}
	return b
}

func (s *Set) sort() {
	slices.SortFunc(s.profiles, func(a, b Profile) int { return cmp.Compare(a.ID, b.ID) })
	slices.Sort(s.problems)
}

func (s Set) find(id string) (Profile, bool) {
	i := slices.IndexFunc(s.profiles, func(p Profile) bool { return p.ID == id })
	if i < 0 {
		return Profile{}, false
	}
	return s.profiles[i], true
}

// Find is the profile with an id.
func (s Set) Find(id string) (Profile, bool) {
	p, ok := s.find(id)
	return p.clone(), ok
}

// All lists the profiles by id.
func (s Set) All() []Profile {
	out := make([]Profile, 0, len(s.profiles))
	for _, p := range s.profiles {
		out = append(out, p.clone())
	}
	return out
}

// Problems lists in plain words what was left out of the set, and why.
func (s Set) Problems() []string { return slices.Clone(s.problems) }

// Match is the profile that fits a thing best: the one that asks for most, of
// equal ones the site's, of equal ones the first by id. It is false where none
// fits; then nobody may write to the thing. A profile that does not open
// (Profile.Opens) says by its Hint what is to be done.
func (s Set) Match(f Found) (Profile, bool) {
	type rank struct {
		weight, text int
		site         bool
	}
	best, at := rank{}, -1
	for i, p := range s.profiles {
		for _, m := range p.Match {
			if !m.fits(f) {
				continue
			}
			r := rank{site: p.Site}
			r.weight, r.text = m.weight()
			better := cmp.Or(cmp.Compare(r.weight, best.weight), cmp.Compare(r.text, best.text), cmp.Compare(btoi(r.site), btoi(best.site)))
			if at < 0 || better > 0 {
				best, at = r, i
			}
		}
	}
	if at < 0 {
		return Profile{}, false
	}
	return s.profiles[at].clone(), true
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// clone shares nothing with the profile.
func (p Profile) clone() Profile {
	p.Sources, p.Match, p.Can, p.Roles = slices.Clone(p.Sources), slices.Clone(p.Match), slices.Clone(p.Can), slices.Clone(p.Roles)
	p.Quirks, p.Commands = slices.Clone(p.Quirks), maps.Clone(p.Commands)
	for name, messages := range p.Commands {
		p.Commands[name] = slices.Clone(messages)
	}
	p.Framing.Start, p.Framing.End = slices.Clone(p.Framing.Start), slices.Clone(p.Framing.End)
	if l := p.Framing.Layout; l != nil {
		copied := *l
		copied.Symbology = slices.Clone(l.Symbology)
		p.Framing.Layout = &copied
	}
	return p
}

// Table lists the profiles for people, one a line: id, how far it was tried, who
// wrote it, the way to the device, what it can do, in how many ways it is
// recognised, and what keeps it from being opened.
func (s Set) Table() string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "ID\tSTATUS\tFROM\tTRANSPORT\tFRAMING\tCAN\tWAYS\tNOT OPENED")
	for _, p := range s.profiles {
		from, why := "program", cmp.Or(p.Hint, "-")
		if p.Site {
			from = "site"
		}
		if len(p.Match) == 0 {
			why = "until a site pins it"
		}
		can := make([]string, 0, len(p.Can))
		for _, c := range p.Can {
			can = append(can, string(c))
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%d\t%s\n", p.ID, p.Status, from, p.Transport,
			cmp.Or(p.Framing.Name, "-"), strings.Join(can, "+"), len(p.Match), why)
	}
	w.Flush() // into memory
	return b.String()
}
