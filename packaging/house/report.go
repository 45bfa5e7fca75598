package house

import (
	"fmt"
	"io"
	"text/tabwriter"
)

// Report writes the figures as a table, then every skip of a test and every
// package that is not held to tests of its own, each with its reason.
func (h House) Report(w io.Writer) error {
	tab := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	fmt.Fprintln(tab, "figure\tmeasured\thold\tmax\t\twhere")
	for _, f := range h.Figures() {
		fmt.Fprintf(tab, "%s\t%s%s\t%s\t%s\t%s\t%s\n", f.Name, number(f.Value), f.Unit,
			f.bound(f.Hold), f.bound(f.Max), f.Verdict(), first(f.Where))
	}
	if err := tab.Flush(); err != nil {
		return fmt.Errorf("write the figures: %w", err)
	}
	for _, s := range h.skips() {
		fmt.Fprintf(w, "may skip: %s %s\n", s.at, s.why)
	}
	for _, p := range h.Packages {
		if why := untested(p); why != "" && len(p.Files) > 0 {
			fmt.Fprintf(w, "not held to tests: %s (%s)\n", p.Path, why)
		}
	}
	for _, r := range h.Rooms {
		if h.Find(r.Path) == nil {
			fmt.Fprintf(w, "still to be built: %s\n", r.Path)
		}
	}
	return nil
}

func (f Figure) bound(b float64) string {
	switch {
	case b == Unbounded:
		return "-"
	case f.Least:
		return "≥ " + number(b)
	}
	return "≤ " + number(b)
}

// number writes whole figures without decimals.
func number(x float64) string {
	if x == float64(int(x)) {
		return fmt.Sprintf("%d", int(x))
	}
	return fmt.Sprintf("%.2f", x)
}

// first is the first of a list and how many more there are.
func first(list []string) string {
	switch len(list) {
	case 0:
		return ""
	case 1:
		return list[0]
	}
	return fmt.Sprintf("%s and %d more", list[0], len(list)-1)
}
