package plan

import (
	"cmp"
	"encoding/json"
	"maps"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/counterproof/counterproof/agent/gpg45"
	"github.com/counterproof/counterproof/agent/proof"
)

// The brute force below knows the rules by itself: it reads the policy file and
// the settings as plain data, scores documents and matches profiles by trying
// everything, and asks nothing of gpg45 or of the planner.

// rules are the policy file as the brute force reads it.
type rules struct {
	Profiles []struct {
		Level                         string
		Evidence                      [][2]int
		Activity, Fraud, Verification int
	}
	Types []struct {
		Type, Family, Form, Chip, Features string
		Strength                           int
		Photo, Refused                     bool
		NeedsChip                          bool `json:"needs_chip"`
	} `json:"evidence_types"`
	Not      []string `json:"not_evidence"`
	Validity struct {
		Examined int `json:"examined_months"`
		UVIR     int `json:"uvir_months"`
	}
	Verifying struct {
		Needs    int `json:"needs_validity"`
		Compared int `json:"compared_months"`
		Score    int `json:"compared_score"`
		Recent   int `json:"recent_months"`
		Best     int `json:"recent_score"`
	} `json:"verification"`
	NHS struct {
		Level        string `json:"p9_level"`
		Verification int    `json:"p9_verification"`
	}
	Vouch struct {
		Paper        [2]int `json:"vouch_paper"`
		Digital      [2]int `json:"vouch_digital"`
		Ceiling      [2]int `json:"vouch_ceiling"`
		Verification int    `json:"vouch_verification"`
		Activity     int    `json:"vouch_activity"`
	} `json:"unconfirmed"`
	plan struct {
		Minutes  map[string]int
		Fraud    int `json:"hoped_fraud"`
		Activity int `json:"hoped_activity"`
		Records  []string
		Voucher  []string `json:"voucher_brings"`
		Bring    []string
	}
	matched map[[12]int8]int // remembered answers of level
}

// ranks of levels.
var ranks = []string{"none", "low", "medium", "high", "very_high"}

// readRules reads both files.
func readRules(t testing.TB) *rules {
	t.Helper()
	r := &rules{matched: map[[12]int8]int{}}
	for path, into := range map[string]any{"../gpg45/policy/gpg45-0.4.json": r, "plan.json": &r.plan} {
		text, err := os.ReadFile(path)
		if err == nil {
			err = json.Unmarshal(text, into)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return r
}

// thing is a piece of evidence as the brute force sees it.
type thing struct {
	kind, family string
	event        int
	fresh, home  bool
	strength     int // without its chip
	chipStrength int // with it, 0 where it has none
	photo        bool
	features     bool
	zone         bool
	vouch        bool

	dead     bool // whatever is done, it is not valid
	base     bool // its reading or its details show an original
	examined proof.Date
	uvir     proof.Date
	chip     bool
	chipDone bool
	record   bool
	askedFor bool
	compared proof.Date
	unsure   bool
	fixed    bool // an examination found that it can become no better
	spent    bool // the operator has examined it already

	proved    int // of a voucher, as a rank
	paper     bool
	confirmed bool
	declared  bool
}

// count is what a thing counts: strength, validity, verification, compared,
// activity.
type count [5]int8

// within reports whether a training is at most so many months old, by the
// calendar of package time.
func within(d proof.Date, months int) bool {
	if d.Year == 0 {
		return false
	}
	day := func(d proof.Date) time.Time {
		return time.Date(d.Year, time.Month(d.Month), d.Day, 0, 0, 0, 0, time.UTC)
	}
	return !day(d).After(day(today)) && !day(d).AddDate(0, months, 0).Before(day(today))
}

// kind tells what the policy says of a type.
func (r *rules) kind(name string) thing {
	if slices.Contains(r.Not, name) {
		return thing{kind: name, family: name, dead: true}
	}
	if name == "vouch" || name == "vouch_letter" {
		return thing{kind: name, family: "vouch", vouch: true, paper: name == "vouch_letter"}
	}
	find := func(name string) int {
		for i, t := range r.Types {
			if t.Type == name {
				return i
			}
		}
		return -1
	}
	i := find(name)
	if i < 0 {
		name, i = "other", find("other")
	}
	t := r.Types[i]
	out := thing{kind: name, family: cmp.Or(t.Family, name), strength: t.Strength, photo: t.Photo, features: t.Features != "", zone: t.Form == "zone"}
	switch {
	case t.Refused:
		out.strength, out.dead = 0, true
	case t.Chip != "":
		out.chipStrength = r.Types[find(t.Chip)].Strength
	case t.NeedsChip:
		out.chipStrength = t.Strength
		for _, without := range r.Types {
			if without.Chip == name {
				out.strength = without.Strength
			}
		}
	}
	return out
}

// count scores a thing.
func (r *rules) count(x thing) count {
	if x.vouch {
		return r.countVouch(x)
	}
	strength := x.strength
	if x.chip {
		strength = x.chipStrength
	}
	validity, verification := 0, 0
	if x.base && !x.dead {
		validity = 1
		if within(x.examined, r.Validity.Examined) || x.record {
			validity = 2
		}
		lit := within(x.uvir, r.Validity.UVIR)
		if lit || x.chip {
			validity = 3
		}
		if lit && x.chip && x.record {
			validity = 4
		}
	}
	if x.photo && validity >= r.Verifying.Needs {
		switch {
		case within(x.compared, r.Verifying.Recent):
			verification = r.Verifying.Best
		case within(x.compared, r.Verifying.Compared):
			verification = r.Verifying.Score
		}
	}
	return count{int8(strength), int8(validity), int8(verification), int8(verification), 0}
}

// countVouch scores a vouch.
func (r *rules) countVouch(x thing) count {
	if !x.declared || x.dead {
		return count{}
	}
	worth := r.Vouch.Paper
	if !x.paper && x.proved >= 3 {
		worth = r.Vouch.Ceiling
	} else if !x.paper && x.proved == 2 {
		worth = r.Vouch.Digital
	}
	c := count{int8(worth[0]), int8(worth[1]), 0, 0, int8(r.Vouch.Activity)}
	if x.confirmed && x.proved >= 1 {
		c[2] = int8(r.Vouch.Verification)
	}
	return c
}

// level matches scores to profiles, by trying every piece in every slot.
func (r *rules) level(pieces []count, activity, fraud, verification int) int {
	var key [12]int8
	codes := make([]int8, 0, 9)
	for _, p := range pieces {
		if p[1] > 0 {
			codes = append(codes, 8*p[0]+p[1])
		}
	}
	slices.Sort(codes)
	copy(key[3:], codes)
	key[0], key[1], key[2] = int8(activity), int8(fraud), int8(verification)
	if best, known := r.matched[key]; known && len(codes) <= 9 {
		return best
	}
	best := 0
	for _, p := range r.Profiles {
		if activity >= p.Activity && fraud >= p.Fraud && verification >= p.Verification && seated(pieces, p.Evidence, 0) {
			best = max(best, slices.Index(ranks, p.Level))
		}
	}
	r.matched[key] = best
	return best
}

// seated reports whether different pieces fill the slots; used is a set of bits.
func seated(pieces []count, slots [][2]int, used int) bool {
	if len(slots) == 0 {
		return true
	}
	for i, p := range pieces {
		if used>>i&1 == 0 && int(p[0]) >= slots[0][0] && int(p[1]) >= slots[0][1] && seated(pieces, slots[1:], used|1<<i) {
			return true
		}
	}
	return false
}

// visit is a question as the brute force sees it.
type visit struct {
	desk     Desk
	things   []thing
	sources  *gpg45.Sources
	failed   []Step
	rank     int
	compared int // what P9 takes, 0 where it is not wanted
}

// price is steps and minutes.
type price [2]int

// less orders prices.
func (p price) less(q price) bool { return cmp.Or(p[0]-q[0], p[1]-q[1]) < 0 }

// menu is what each outcome of a thing costs at least.
type menu map[count]price

// may reports whether a step did not fail.
func (v *visit) may(code, kind string, voucher bool) bool {
	return !slices.ContainsFunc(v.failed, func(f Step) bool {
		return string(f.Code) == code && (f.Type == "" || string(f.Type) == kind && f.Voucher == voucher)
	})
}

// move is one step of the brute force: what it is, which colleague takes it and
// what becomes of a thing.
type move struct {
	code string
	who  int
	do   func(*thing)
}

// moves are what may be done with a thing next, whatever sense it makes.
func (r *rules) moves(v *visit, x thing, voucher bool) []move {
	var out []move
	who := 0
	add := func(code string, can bool, do func(*thing)) {
		if can && v.may(code, x.kind, voucher) {
			out = append(out, move{code, who, do})
		}
	}
	for i, t := range append([]proof.Training{v.desk.Training}, v.desk.Colleagues...) {
		by := ""
		if who = i; i > 0 {
			by = "_colleague"
		}
		add("step_examine"+by, x.features && !x.fixed && !(i == 0 && x.spent) && within(t.Document, r.Validity.Examined), func(x *thing) { x.base, x.examined = true, t.Document })
		add("step_uv_ir"+by, x.features && !x.fixed && v.desk.UVIR && within(t.UVIR, r.Validity.UVIR), func(x *thing) {
			x.base, x.uvir, x.examined = true, t.UVIR, t.Document
		})
		add("step_compare"+by, x.photo && within(t.Impostor, r.Verifying.Compared) && (i > 0 || !x.unsure), func(x *thing) { x.compared = t.Impostor })
	}
	who = 0
	add("step_details", !x.fixed && !x.base, func(x *thing) { x.base = true })
	add("step_chip", x.chipStrength > 0 && v.desk.ChipReader && !x.chipDone, func(x *thing) { x.chip, x.chipDone = true, true })
	add("step_record", v.desk.Line && v.sources == nil && !x.askedFor && slices.Contains(r.plan.Records, x.kind), func(x *thing) { x.record, x.askedFor = true, true })
	return out
}

// begun is a fresh thing as it lies in the visit, with what that cost, in every
// way to bring it in.
func (r *rules) begun(v *visit, x thing, voucher bool) map[thing]price {
	out := map[thing]price{}
	cost := price{}
	if x.home {
		if !v.may("step_bring", x.kind, voucher) {
			return out
		}
		cost = price{1, r.plan.Minutes["step_bring"]}
	}
	if v.may("step_key", x.kind, voucher) {
		out[x] = price{cost[0] + 1, cost[1] + r.plan.Minutes["step_key"]}
	}
	if x.zone && v.desk.Camera && v.may("step_show", x.kind, voucher) {
		shown := x
		shown.base = true
		out[shown] = price{cost[0] + 1, cost[1] + r.plan.Minutes["step_show"]}
	}
	return out
}

// menu finds what every outcome of a thing costs, by trying the moves of
// examination, chip, comparison and record in every combination.
func (r *rules) menu(v *visit, x thing, voucher bool) menu {
	states := map[thing]price{x: {}}
	if x.fresh {
		states = r.begun(v, x, voucher)
	}
	if x.strength == 0 || x.dead {
		states = map[thing]price{}
		if !x.fresh {
			states[x] = price{}
		}
	}
	for _, group := range [][]string{
		{"step_details", "step_examine", "step_examine_colleague", "step_uv_ir", "step_uv_ir_colleague"},
		{"step_chip"}, {"step_compare", "step_compare_colleague"}, {"step_record"},
	} {
		for state, cost := range maps.Clone(states) {
			for _, m := range r.moves(v, state, voucher) {
				if !slices.Contains(group, m.code) {
					continue
				}
				after := state
				m.do(&after)
				next := price{cost[0] + 1, cost[1] + r.plan.Minutes[m.code]}
				if old, known := states[after]; !known || next.less(old) {
					states[after] = next
				}
			}
		}
	}
	out := menu{}
	for state, cost := range states {
		out.offer(r.count(state), cost)
	}
	return out
}

// offer keeps the cheapest price of an outcome.
func (m menu) offer(c count, p price) {
	if old, known := m[c]; !known || p.less(old) {
		m[c] = p
	}
}

// vouchMenu finds what a vouch can come to.
func (r *rules) vouchMenu(v *visit, x thing) menu {
	out := menu{}
	minutes := func(codes ...string) price {
		p := price{len(codes), 0}
		for _, c := range codes {
			if !v.may(c, x.kind, false) {
				return price{-1}
			}
			p[1] += r.plan.Minutes[c]
		}
		return p
	}
	try := func(x thing, p price, more price) {
		if p[0] >= 0 && more[0] >= 0 {
			out.offer(r.count(x), price{p[0] + more[0], p[1] + more[1]})
		}
	}
	if !x.fresh {
		out.offer(r.count(x), price{})
		if !x.confirmed {
			x.confirmed = true
			try(x, minutes("step_confirm"), price{})
		}
		return out
	}
	lead := price{}
	if x.home && x.paper {
		lead = minutes("step_bring")
	} else if x.home {
		lead = minutes("step_bring_voucher")
	}
	x.declared = true
	if x.paper {
		try(x, minutes("step_letter"), lead)
		return out
	}
	try(x, minutes("step_statement"), lead)
	for rank := 1; rank <= 3; rank++ {
		proving, ok := r.prove(v, rank)
		if !ok || lead[0] < 0 {
			continue
		}
		x.proved, x.confirmed = rank, false
		proving = price{proving[0] + lead[0], proving[1] + lead[1]}
		try(x, minutes("step_statement"), proving)
		x.confirmed = true
		try(x, minutes("step_statement", "step_confirm"), proving)
	}
	return out
}

// prove is the least that it costs to prove a voucher to a rank.
func (r *rules) prove(v *visit, rank int) (price, bool) {
	sub := &visit{desk: v.desk, failed: v.failed, rank: rank}
	sub.desk.Line = false
	var menus []menu
	for _, t := range r.plan.Voucher {
		x := r.kind(t)
		x.fresh = true
		sub.things = append(sub.things, x)
		menus = append(menus, r.menu(sub, x, true))
	}
	best, ok := r.cheapest(sub, menus)
	return price{best[1], best[2]}, ok
}

// total is trips, steps and minutes.
type total [3]int

// cheapest tries every outcome of every thing, and every answer of the centre.
func (r *rules) cheapest(v *visit, menus []menu) (total, bool) {
	best, found := total{}, false
	chosen := make([]count, len(v.things))
	used := make([]bool, len(v.things))
	var next func(i int, sum total)
	next = func(i int, sum total) {
		if i == len(v.things) {
			if c, ok := r.finish(v, chosen, used, sum); ok && (!found || slices.Compare(c[:], best[:]) < 0) {
				best, found = c, true
			}
			return
		}
		x := v.things[i]
		if chosen[i], used[i] = (count{}), false; x.fresh {
			next(i+1, sum)
			for j := range i {
				if used[j] && v.things[j].fresh && v.things[j].family == x.family {
					return
				}
			}
		}
		for c, p := range menus[i] {
			chosen[i], used[i] = c, true
			trip := sum[0]
			if x.fresh && x.home {
				trip = 1
			}
			next(i+1, total{trip, sum[1] + p[0], sum[2] + p[1]})
		}
		used[i] = false
	}
	next(0, total{})
	return best, found
}

// finish adds what the centre has to do; false where the target is not reached.
func (r *rules) finish(v *visit, chosen []count, used []bool, sum total) (total, bool) {
	pieces, verification, compared, activity := r.together(v, chosen, used)
	if compared < v.compared {
		return sum, false
	}
	fraud := 0
	if v.sources != nil {
		activity, fraud = max(activity, v.sources.Activity), v.sources.Fraud
	}
	best, found := total{}, false
	for asked := range 4 {
		if asked > 0 && (v.sources != nil || !v.desk.Line) {
			break
		}
		c, a, f := sum, activity, fraud
		if asked&1 > 0 {
			if !v.may("step_fraud", "", false) {
				continue
			}
			c, f = total{c[0], c[1] + 1, c[2] + r.plan.Minutes["step_fraud"]}, r.plan.Fraud
		}
		if asked&2 > 0 {
			if !v.may("step_activity", "", false) {
				continue
			}
			c, a = total{c[0], c[1] + 1, c[2] + r.plan.Minutes["step_activity"]}, max(a, r.plan.Activity)
		}
		if r.level(pieces, a, f, verification) >= v.rank && (!found || slices.Compare(c[:], best[:]) < 0) {
			best, found = c, true
		}
	}
	return best, found
}

// together brings pieces of one family together, the best by strength and then
// validity, and takes the highest of the other parts.
func (r *rules) together(v *visit, chosen []count, used []bool) (pieces []count, verification, compared, activity int) {
	byFamily := map[string]count{}
	for i, c := range chosen {
		if !used[i] {
			continue
		}
		if old, known := byFamily[v.things[i].family]; c[0] > 0 && (!known || slices.Compare(c[:2], old[:2]) > 0) {
			byFamily[v.things[i].family] = c
		}
		verification, compared, activity = max(verification, int(c[2])), max(compared, int(c[3])), max(activity, int(c[4]))
	}
	return slices.Collect(maps.Values(byFamily)), verification, compared, activity
}

// best is the least that the target costs; false where it cannot be reached.
func (r *rules) best(v *visit) (total, bool) {
	var menus []menu
	for _, x := range v.things {
		if x.vouch {
			menus = append(menus, r.vouchMenu(v, x))
			continue
		}
		menus = append(menus, r.menu(v, x, false))
	}
	return r.cheapest(v, menus)
}
