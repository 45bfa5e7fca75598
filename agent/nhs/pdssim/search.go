package pdssim

import (
	"cmp"
	"math"
	"slices"
	"strings"
)

// The scale of a plain search. What is found exactly scores 1; each of these
// lowers it.
const (
	wildName     = 0.8343 // a name by its beginning
	wildPostcode = 0.965  // a postcode by its beginning
	compound     = 0.75   // a given name of several words
	mixedNames   = 0.6806 // family and given name were never used together
	practiceSays = 0.4472 // what is left of a wildcard's doubt where the practice agrees
)

// hit is a row that a search found.
type hit struct {
	row   row
	score float64
}

// search finds the rows that a question fits, best first.
func (t table) search(q question) []hit {
	best := map[string]hit{}
	for _, r := range t.rows {
		score := r.plain(q)
		if q.fuzzy {
			score = r.fuzzy(q)
		}
		kept, known := t.successor(r.Number)
		hidden := kept.Restricted && (q.byPostcode || q.byPractice)
		score = math.Round(score*1e4) / 1e4
		if score == 0 || !known || kept.Invalidated || hidden || q.exact && score != 1 {
			continue
		}
		if score > best[kept.Number].score {
			best[kept.Number] = hit{kept, score}
		}
	}
	hits := make([]hit, 0, len(best))
	for _, h := range best {
		hits = append(hits, h)
	}
	slices.SortFunc(hits, func(a, b hit) int {
		return cmp.Or(cmp.Compare(b.score, a.score), cmp.Compare(a.row.Number, b.row.Number))
	})
	return hits
}

// plain scores a row by a search that is not fuzzy; 0 is no match. Everything
// that is asked for must be so. A practice or a contact that agrees takes doubt
// from a wildcard, as it makes a chance match unlikely.
func (r row) plain(q question) float64 {
	switch {
	case !q.birth.holds(r.Birth), !q.death.holds(r.Death):
		return 0
	case q.gender != "" && q.gender != r.Gender, q.practice != "" && q.practice != r.Practice:
		return 0
	case !r.reached(q):
		return 0
	}
	doubt := 1 - math.Pow(wildName, float64(q.wildNames()))
	switch {
	case q.phone != "" || q.email != "":
		doubt = 0 // a contact that agrees settles who is meant
	case q.practice != "":
		doubt *= practiceSays
	}
	return r.bestName(q) * (1 - doubt) * r.postcode(q)
}

// wildNames counts the names that are asked for by their beginning.
func (q question) wildNames() int {
	n := 0
	for _, name := range append([]string{q.family}, q.given...) {
		if strings.Contains(name, star) {
			n++
		}
	}
	return n
}

// reached reports whether telephone number and e-mail address, where they are
// asked for, are the record's. They are compared whole, as a part of a number
// would find people by guessing; letters of an address may be of either case.
func (r row) reached(q question) bool {
	has := func(system, value string) bool {
		return value == "" || slices.ContainsFunc(r.Contacts, func(c Contact) bool {
			same := c.Value == value || system == "email" && strings.EqualFold(c.Value, value)
			return c.System == system && same && (q.history || !c.Former)
		})
	}
	return has("phone", q.phone) && has("email", q.email)
}

// postcode scores the postcode: 1 where none is asked for.
func (r row) postcode(q question) float64 {
	if q.postcode == "" {
		return 1
	}
	fits := slices.ContainsFunc(r.Addresses, func(a Address) bool {
		return (q.history || !a.Former) && glob(q.postcode, squeeze(a.Postcode))
	})
	switch {
	case !fits:
		return 0
	case strings.Contains(q.postcode, star):
		return wildPostcode
	}
	return 1
}

// squeeze writes a postcode without spaces, in capitals.
func squeeze(postcode string) string {
	return strings.ToUpper(strings.ReplaceAll(postcode, " ", ""))
}

// bestName scores the names, wildcards apart: the best of those that are so today, or of all in
// the history, where family and given name may also come from two of them.
func (r row) bestName(q question) float64 {
	var together, family, given float64
	for _, n := range r.names {
		if n.former && !q.history {
			continue
		}
		f, g := n.plainFamily(q.family), n.plainGiven(q.given)
		together = max(together, f*g)
		family, given = max(family, f), max(given, g)
	}
	if q.history {
		together = max(together, family*given*mixedNames)
	}
	return together
}

func (n folded) plainFamily(asked string) float64 {
	if !globName(asked, n.family) {
		return 0
	}
	return 1
}

// plainGiven scores the given names: each that is asked for must be one of the
// record's. A wildcard looks at the first only.
func (n folded) plainGiven(asked []string) float64 {
	score := 1.0
	for _, a := range asked {
		switch {
		case strings.Contains(a, star):
			if len(n.given) == 0 || !globName(a, n.given[0]) {
				return 0
			}
		case !slices.Contains(n.given, key(a)):
			return 0
		case len(words(a)) > 1:
			score *= compound
		}
	}
	return score
}

// globName matches a name with wildcards.
func globName(pattern, name string) bool {
	parts := strings.Split(pattern, star)
	for i, p := range parts {
		parts[i] = key(p)
	}
	return strings.Trim(pattern, star) != "" && parts[0] != "" && glob(strings.Join(parts, star), name)
}

// glob matches a text with a pattern in which "*" stands for any letters, or
// none. The first piece is the beginning, the last one the end, and those between
// follow each other; taking the nearest place for each is enough, as a later one
// would only leave less for the rest.
func glob(pattern, text string) bool {
	parts := strings.Split(pattern, star)
	if len(parts) == 1 {
		return pattern == text
	}
	rest, ok := strings.CutPrefix(text, parts[0])
	for _, p := range parts[1 : len(parts)-1] {
		at := strings.Index(rest, p)
		if !ok || at < 0 {
			return false
		}
		rest = rest[at+len(p):]
	}
	return ok && strings.HasSuffix(rest, parts[len(parts)-1])
}
