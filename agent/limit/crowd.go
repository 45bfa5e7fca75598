package limit

import (
	"cmp"
	"slices"
	"time"

	"github.com/counterproof/counterproof/sync/wire"
)

// Pace is how many people may be proved before somebody should look. A field that
// is 0 is that of DefaultPace.
type Pace struct {
	ClerkHour int `json:"clerk_hour,omitempty"` // by one clerk within an hour
	ClerkDay  int `json:"clerk_day,omitempty"`  // within 24 hours
	SiteHour  int `json:"site_hour,omitempty"`  // at one site within an hour
	SiteDay   int `json:"site_day,omitempty"`
}

// DefaultPace is policy [U]: a visit takes some minutes, and a site has few
// counters.
func DefaultPace() Pace { return Pace{ClerkHour: 20, ClerkDay: 90, SiteHour: 80, SiteDay: 400} }

// or puts the defaults where nothing is set.
func (p Pace) or(d Pace) Pace {
	return Pace{
		cmp.Or(max(p.ClerkHour, 0), d.ClerkHour), cmp.Or(max(p.ClerkDay, 0), d.ClerkDay),
		cmp.Or(max(p.SiteHour, 0), d.SiteHour), cmp.Or(max(p.SiteDay, 0), d.SiteDay),
	}
}

// How long a card takes from one counter to another at least; policy [U].
const (
	nextCounter = time.Minute      // of one site
	nextSite    = 10 * time.Minute // of two
)

// Bounds of what is kept, for what records say is hostile.
const (
	mostHolders = 64                  // of one document, number or chip
	mostProved  = 5000                // of one clerk or site, the newest
	paceDays    = 40 * 24 * time.Hour // a visit that comes later than that is not counted
)

// ref names a record in the log's order.
type ref struct {
	rec   wire.Hash
	index uint64
}

// known is a holder of something, with the first record that told of them.
type known struct {
	people []Alias
	ref
}

// reading is one reading of a chip.
type reading struct {
	Chip
	site, counter Tag
	ref
}

// proved is one person who was proved; flagged once people were asked to look.
type proved struct {
	at time.Time
	ref
	flagged bool
}

// Crowd is the traces so far, ready to be held against a new one. It is for one
// goroutine.
type Crowd struct {
	pace    Pace
	papers  map[Tag][]known
	numbers map[Tag][]known
	chips   map[Tag][]reading
	proofs  map[Tag][]proved // of a clerk or a site
}

// NewCrowd makes an empty one.
func NewCrowd(p Pace) *Crowd {
	return &Crowd{
		pace: p.or(DefaultPace()), papers: map[Tag][]known{}, numbers: map[Tag][]known{},
		chips: map[Tag][]reading{}, proofs: map[Tag][]proved{},
	}
}

// Take holds a trace against all before it, adds it, and returns what people should
// look at. The same traces in the same order give the same flags. At is when that
// is found.
func (c *Crowd) Take(tr Trace, at time.Time) []wire.Flag {
	found := finding{tr: tr, at: at.UTC().Truncate(time.Millisecond)}
	for _, p := range tr.Papers {
		found.add(wire.FlagDocument, meet(c.papers, p.Document, []Alias{p.Holder}, tr, p.Lasting)...)
	}
	if tr.Number != "" && len(tr.People) > 0 {
		found.add(wire.FlagPerson, meet(c.numbers, tr.Number, tr.People, tr, true)...)
	}
	for _, chip := range tr.Chips {
		found.add(wire.FlagChip, c.read(chip, tr)...)
	}
	if tr.Proved {
		found.add(wire.FlagPace, c.count(tr.Clerk, [2]int{c.pace.ClerkHour, c.pace.ClerkDay}, tr)...)
		found.add(wire.FlagPace, c.count(tr.Site, [2]int{c.pace.SiteHour, c.pace.SiteDay}, tr)...)
	}
	return found.flags
}

// finding gathers the flags of one trace.
type finding struct {
	tr    Trace
	at    time.Time
	flags []wire.Flag
}

// add adds a flag about this record and others, in the log's order; none without
// others.
func (f *finding) add(kind wire.FlagKind, others ...ref) {
	if len(others) == 0 {
		return
	}
	refs := append(others, ref{f.tr.Rec, f.tr.Index})
	slices.SortStableFunc(refs, func(a, b ref) int { return cmp.Compare(a.index, b.index) })
	flag := wire.Flag{Kind: kind, At: f.at}
	for _, r := range refs {
		if !slices.Contains(flag.Records, r.rec) && len(flag.Records) < wire.MaxFlagged {
			flag.Records = append(flag.Records, r.rec)
		}
	}
	same := func(o wire.Flag) bool { return o.Hash() == flag.Hash() }
	if !slices.ContainsFunc(f.flags, same) {
		f.flags = append(f.flags, flag)
	}
}

// meet holds the people who come with a document or a number against those who came
// with it before, and returns the record of the first who is certainly somebody
// else. Who comes under two names is one of them under either.
func meet(list map[Tag][]known, what Tag, people []Alias, tr Trace, married bool) []ref {
	var out []ref
	fresh := true
	for _, before := range list[what] {
		one := slices.ContainsFunc(people, func(a Alias) bool {
			return slices.ContainsFunc(before.people, func(b Alias) bool { return a.maybe(b, married) })
		})
		if !one && len(out) == 0 {
			out = append(out, before.ref)
		}
		fresh = fresh && !(one && slices.Equal(people, before.people))
	}
	if fresh && len(list[what]) < mostHolders {
		list[what] = append(list[what], known{people, ref{tr.Rec, tr.Index}})
	}
	return out
}

// read holds a reading of a chip against the earlier ones: the same files belong to
// one document, and a card is in one place at a time.
func (c *Crowd) read(chip Chip, tr Trace) []ref {
	var out []ref
	for _, before := range c.chips[chip.Files] {
		least := nextCounter
		if before.site != tr.Site {
			least = nextSite
		}
		nowhere := before.counter != tr.Counter && chip.At.Sub(before.At).Abs() < least
		if (before.Document != chip.Document || nowhere) && len(out) == 0 {
			out = append(out, before.ref)
		}
	}
	all := append(c.chips[chip.Files], reading{chip, tr.Site, tr.Counter, ref{tr.Rec, tr.Index}})
	c.chips[chip.Files] = all[max(0, len(all)-mostHolders):]
	return out
}

// count counts who was proved by a clerk or at a site, around the time of this
// visit: records come late and out of order.
func (c *Crowd) count(who Tag, limits [2]int, tr Trace) []ref {
	if who == "" {
		return nil
	}
	list := c.proofs[who]
	if n := len(list); n > 0 {
		list = slices.DeleteFunc(list, func(p proved) bool { return p.at.Before(list[n-1].at.Add(-paceDays)) })
	}
	list = list[max(0, len(list)-mostProved):]
	i, _ := slices.BinarySearchFunc(list, tr.At, func(p proved, at time.Time) int { return p.at.Compare(at) })
	list = slices.Insert(list, i, proved{at: tr.At, ref: ref{tr.Rec, tr.Index}})
	c.proofs[who] = list
	for j, span := range []time.Duration{time.Hour, 24 * time.Hour} {
		if out := busiest(list, i, span, limits[j]); out != nil {
			return out
		}
	}
	return nil
}

// busiest finds more than limit of a list within a span that holds number i, and
// marks them; nil where there are not so many that were not marked before.
func busiest(list []proved, i int, span time.Duration, limit int) []ref {
	var open []int // not marked, and near enough
	self := 0
	for n, p := range list {
		if n == i {
			self = len(open)
		}
		if !p.flagged && p.at.Sub(list[i].at).Abs() < span {
			open = append(open, n)
		}
	}
	for k := max(0, self-limit); k <= self && k+limit < len(open); k++ {
		if list[open[k+limit]].at.Sub(list[open[k]].at) >= span {
			continue
		}
		var out []ref
		for _, n := range open[k : k+limit+1] {
			list[n].flagged = true
			out = append(out, list[n].ref)
		}
		return out
	}
	return nil
}
