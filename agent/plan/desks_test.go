package plan

import (
	"fmt"
	"math/rand/v2"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/counterproof/counterproof/agent/gpg45"
	"github.com/counterproof/counterproof/agent/proof"
)

// desks is how many random desks the planner is held against the brute force.
const desks = 10_000

// pick is a random member of a list.
func pick[E any](r *rand.Rand, list ...E) E { return list[r.IntN(len(list))] }

// chance is true so many times in a hundred.
func chance(r *rand.Rand, percent int) bool { return r.IntN(100) < percent }

// randomDate is when somebody was trained: never, lately, long ago or tomorrow.
func randomDate(r *rand.Rand) proof.Date {
	return pick(r, proof.Date{}, proof.Date{Year: 2026, Month: 5, Day: 3}, proof.Date{Year: 2026, Month: 9, Day: 30}, proof.Date{Year: 2025, Month: 11, Day: 22}, proof.Date{Year: 2025, Month: 2, Day: 28},
		proof.Date{Year: 2023, Month: 11, Day: 22}, proof.Date{Year: 2022, Month: 8, Day: 1}, proof.Date{Year: 2026, Month: 11, Day: 23})
}

func randomTraining(r *rand.Rand) proof.Training {
	return proof.Training{Impostor: randomDate(r), Document: randomDate(r), UVIR: randomDate(r)}
}

// tableTypes are what a random table is laid with, the common ones more often.
var tableTypes = []proof.EvidenceType{
	"passport", "passport", "uk_dl", "uk_dl", "eu_dl", "eea_id", "birth_cert", "bank_account", "utility_account", "bus_pass", "pass_ref", "pass_card",
	"ho_travel", "vouch", "vouch", "vouch_letter", "other", "us_passport_card", "passport_chip", "brp_chip", "nino_card", "something_new", "practice_details", "insurance",
}

// randomQuestion is a random desk, visit and wish.
func randomQuestion(r *rand.Rand) Question {
	q := Question{
		Facts: gpg45.Facts{Today: today},
		Desk:  Desk{Camera: chance(r, 80), ChipReader: chance(r, 50), UVIR: chance(r, 30), Line: chance(r, 60), Training: randomTraining(r)},
		Level: pick(r, proof.Low, proof.Low, proof.Medium, proof.Medium, proof.High, proof.VeryHigh),
	}
	if chance(r, 20) {
		q.NHS = proof.P9
	}
	for range pick(r, 0, 0, 1, 2) {
		q.Desk.Colleagues = append(q.Desk.Colleagues, randomTraining(r))
	}
	for range pick(r, 0, 1, 1, 2, 2, 3, 4) {
		if t := pick(r, tableTypes...); chance(r, 75) {
			q.Here = append(q.Here, t)
		} else {
			q.Home = append(q.Home, t)
		}
	}
	for range pick(r, 0, 0, 0, 1, 1, 2) {
		q.Facts.Documents = append(q.Facts.Documents, randomDocument(r, len(q.Facts.Documents)+1, q.Desk))
	}
	if chance(r, 15) {
		v := gpg45.Vouch{Event: 9, Paper: chance(r, 30), Proved: pick(r, proof.NoLevel, proof.Low, proof.Medium, proof.High), Confirmed: chance(r, 50),
			KnownSince: proof.Date{Year: 2001}, Given: today}
		if chance(r, 20) {
			v.Problems = []proof.Code{proof.VouchRelated}
		}
		q.Facts.Vouches = append(q.Facts.Vouches, v)
	}
	if chance(r, 25) {
		q.Facts.Sources = &gpg45.Sources{Activity: r.IntN(5), Fraud: r.IntN(4)}
	}
	for range pick(r, 0, 0, 0, 1, 2, 3) {
		f := Step{Code: pick(r, stepCodes()...), Voucher: chance(r, 20)}
		if chance(r, 70) {
			f.Type = pick(r, tableTypes...)
		}
		q.Failed = append(q.Failed, f)
	}
	return q
}

// randomDocument is a document in a random state of its checks, none of which
// holds the visit back.
func randomDocument(r *rand.Rand, event int, desk Desk) gpg45.Document {
	d := gpg45.Document{Event: event, Type: pick(r, tableTypes[:13]...), Source: proof.FromCamera, Expiry: today}
	if zone := slices.Contains([]proof.EvidenceType{"passport", "eea_id", "ho_travel"}, d.Type); zone {
		d.Digits = gpg45.GoodDigits
	}
	if chance(r, 15) {
		d.Expiry.Year--
	}
	if chance(r, 50) {
		d.Exam = &gpg45.Exam{DocumentExamined: proof.DocumentExamined{Original: chance(r, 90), Details: proof.Agree}}
		if chance(r, 60) {
			d.Exam.Features = []string{"background_print", "fonts_alignment", "intaglio"}
			d.Exam.Trained = pick(r, randomTraining(r), desk.Training)
			d.Exam.Features = d.Exam.Features[:pick(r, 2, 3, 3)]
		}
	}
	if chance(r, 40) {
		d.Person = &gpg45.PersonCheck{PersonCompared: proof.PersonCompared{Answer: pick(r, proof.Same, proof.Same, proof.NotSure), Method: proof.PersonInPerson, Trained: randomTraining(r)}}
	}
	if chance(r, 20) {
		d.Chip = &gpg45.ChipCheck{Verdict: proof.ChipIssuerUnknown}
	}
	return d
}

// visitOf is a question as the brute force sees it.
func (r *rules) visitOf(q Question) *visit {
	v := &visit{desk: q.Desk, sources: q.Facts.Sources, failed: q.Failed, rank: slices.Index(ranks, string(q.Level))}
	if q.NHS == proof.P9 {
		v.compared, v.rank = r.NHS.Verification, max(v.rank, slices.Index(ranks, r.NHS.Level))
	}
	var families []string
	for _, d := range q.Facts.Documents {
		x := r.kind(string(d.Type))
		x.base = d.Source == proof.FromCamera && d.Digits == gpg45.GoodDigits
		x.dead = x.dead || d.Expiry.Year < today.Year
		if d.Exam != nil {
			x.base = true
			x.fixed = !d.Exam.Original
			x.dead = x.dead || x.fixed
			if x.features && len(d.Exam.Features) > 2 {
				x.examined = d.Exam.Trained.Document
			}
			x.spent = d.Exam.Trained == q.Desk.Training
		}
		if d.Person != nil {
			if x.unsure = d.Person.Answer != proof.Same; !x.unsure {
				x.compared = d.Person.Trained.Impostor
			}
		}
		x.chipDone = d.Chip != nil
		x.event = d.Event
		v.things, families = append(v.things, x), append(families, x.family)
	}
	for _, g := range q.Facts.Vouches {
		x := r.kind("vouch")
		x.event = g.Event
		x.declared, x.paper, x.confirmed, x.proved, x.dead = true, g.Paper, g.Confirmed, slices.Index(ranks, string(g.Proved)), len(g.Problems) > 0
		v.things, families = append(v.things, x), append(families, x.family)
	}
	lay := func(types []proof.EvidenceType, home bool) {
		for _, t := range types {
			x := r.kind(string(t))
			x.fresh, x.home = true, home
			twice := slices.ContainsFunc(v.things, func(y thing) bool { return y.fresh && y.kind == x.kind })
			if t != PracticeDetails && !twice && !slices.Contains(families, x.family) {
				v.things = append(v.things, x)
			}
		}
	}
	lay(q.Here, false)
	lay(q.Home, true)
	return v
}

// lessen is the visit with the next target below, as the planner gives way.
func (v *visit) lessen() bool {
	if v.compared > 0 {
		v.compared = 0
		return true
	}
	v.rank--
	return v.rank > 0
}

// replay takes the steps of a way one by one, as a clerk would, and returns what
// comes of them. It fails for a step that this desk may not or cannot take.
func (r *rules) replay(v *visit, steps []Step) (rank, compared int, wrong string) {
	v = &visit{desk: v.desk, sources: v.sources, failed: v.failed, things: slices.Clone(v.things)}
	voucher := &visit{desk: v.desk, failed: v.failed}
	for _, t := range r.plan.Voucher {
		x := r.kind(t)
		x.fresh = true
		voucher.things = append(voucher.things, x)
	}
	brought, in := map[*thing]bool{}, map[*thing]bool{}
	activity, fraud := 0, 0
	if v.sources != nil {
		activity, fraud = v.sources.Activity, v.sources.Fraud
	}
	for _, s := range steps {
		code, kind := string(s.Code), string(s.Type)
		if !v.may(code, kind, s.Voucher) {
			return 0, 0, code + " failed before"
		}
		if s.Minutes != r.plan.Minutes[code] {
			return 0, 0, code + " takes other minutes"
		}
		asked := code == "step_fraud" || code == "step_activity" || code == "step_record"
		if s.Central != asked || asked && (!v.desk.Line || v.sources != nil) {
			return 0, 0, code + " asks the centre"
		}
		switch code {
		case "step_fraud":
			fraud = r.plan.Fraud
			continue
		case "step_activity":
			activity = max(activity, r.plan.Activity)
			continue
		}
		at := v
		if s.Voucher {
			at = voucher
		}
		i := slices.IndexFunc(at.things, func(x thing) bool { return x.kind == kind && x.event == s.Event })
		if i < 0 {
			return 0, 0, kind + " is not on the table"
		}
		x := &at.things[i]
		if wrong := r.take(at, x, s, brought, in); wrong != "" {
			return 0, 0, wrong
		}
		if code == "step_statement" {
			rank, _ := r.reached(voucher, in, 0, 0)
			x.proved = rank
		}
	}
	rank, compared = r.reached(v, in, activity, fraud)
	return rank, compared, ""
}

// take takes one step with one thing.
func (r *rules) take(v *visit, x *thing, s Step, brought, in map[*thing]bool) string {
	switch code := string(s.Code); code {
	case "step_bring", "step_bring_voucher":
		if !x.home || brought[x] || (code == "step_bring_voucher") != (x.kind == "vouch") {
			return x.kind + " is not to be brought"
		}
		brought[x] = true
	case "step_show", "step_key", "step_statement", "step_letter":
		twice := false
		for other := range in {
			twice = twice || other.fresh && other.family == x.family && slices.ContainsFunc(v.things, func(y thing) bool { return y.kind == other.kind }) && sameVisit(v, other)
		}
		if !x.fresh || x.home && !brought[x] || twice || code == "step_show" && !(x.zone && v.desk.Camera) || (code == "step_letter") != (x.vouch && x.paper) {
			return x.kind + " cannot come in by " + code
		}
		in[x] = true
		x.base, x.declared = code == "step_show", x.vouch
	case "step_confirm":
		if !x.vouch || x.fresh && !in[x] {
			return "nobody is there to confirm"
		}
		x.confirmed = true
	default:
		if x.fresh && !in[x] {
			return x.kind + " was not shown"
		}
		moves := r.moves(v, *x, s.Voucher)
		i := slices.IndexFunc(moves, func(m move) bool { return m.code == code && m.who == s.Colleague })
		if i < 0 {
			return fmt.Sprintf("%s of %s by %d is not possible", code, x.kind, s.Colleague)
		}
		moves[i].do(x)
	}
	return ""
}

// sameVisit reports whether a thing is one of a visit's.
func sameVisit(v *visit, x *thing) bool {
	for i := range v.things {
		if x == &v.things[i] {
			return true
		}
	}
	return false
}

// reached is what the things of a visit come to.
func (r *rules) reached(v *visit, in map[*thing]bool, activity, fraud int) (rank, compared int) {
	counts, used := make([]count, len(v.things)), make([]bool, len(v.things))
	for i := range v.things {
		if x := &v.things[i]; !x.fresh || in[x] {
			counts[i], used[i] = r.count(*x), true
		}
	}
	pieces, verification, compared, known := r.together(v, counts, used)
	return r.level(pieces, max(activity, known), fraud, verification), compared
}

// wrongWith is what is wrong with a way, by a replay that knows nothing of how
// it was found.
func (r *rules) wrongWith(w Way, v *visit) string {
	rank, compared, wrong := r.replay(v, w.Steps)
	sum := total{}
	for _, s := range w.Steps {
		sum[1], sum[2] = sum[1]+1, sum[2]+s.Minutes
	}
	p9 := compared >= r.NHS.Verification && rank >= slices.Index(ranks, r.NHS.Level)
	switch {
	case wrong != "":
		return wrong
	case ranks[rank] != string(w.Level):
		return fmt.Sprintf("it comes to %s, not %s", ranks[rank], w.Level)
	case rank < v.rank || compared < v.compared:
		return fmt.Sprintf("it falls short: %s, compared %d", ranks[rank], compared)
	case w.Minutes != sum[2]:
		return fmt.Sprintf("it takes %d minutes, not %d", sum[2], w.Minutes)
	case w.Trip != slices.ContainsFunc(w.Steps, func(s Step) bool { return strings.HasPrefix(string(s.Code), "step_bring") }):
		return "a trip is told wrongly"
	case (w.NHS == proof.P9) != p9:
		return fmt.Sprintf("it is told to give %s", w.NHS)
	}
	for i := range w.Steps {
		less := slices.Delete(slices.Clone(w.Steps), i, i+1)
		if rank, compared, wrong := r.replay(v, less); wrong == "" && rank >= v.rank && compared >= v.compared {
			return fmt.Sprintf("its step %s is needless", w.Steps[i].Code)
		}
	}
	return ""
}

// totalOf is the total of a way.
func totalOf(w Way) total {
	t := total{0, len(w.Steps), w.Minutes}
	if w.Trip {
		t[0] = 1
	}
	return t
}

// check holds the planner's answer to one question against the brute force.
func (r *rules) check(policy *gpg45.Policy, set settings, q Question) (Plans, string) {
	p, err := newPlanner(policy, set, q)
	if err != nil {
		return Plans{}, err.Error()
	}
	got := p.reach(q.target(policy))
	return got, r.compare(got, q)
}

// against holds the planner's answer to one question against the brute force's
// to another.
func (r *rules) against(policy *gpg45.Policy, set settings, asked, q Question) string {
	p, err := newPlanner(policy, set, asked)
	if err != nil {
		return err.Error()
	}
	return r.compare(p.reach(asked.target(policy)), q)
}

// compare says what is wrong with an answer.
func (r *rules) compare(got Plans, q Question) string {
	v := r.visitOf(q)
	want, ok := r.best(v)
	if got.Reached != ok {
		return fmt.Sprintf("reached %t, want %t (%v)", got.Reached, ok, want)
	}
	for !ok && v.lessen() {
		want, ok = r.best(v)
	}
	switch {
	case ok != (len(got.Ways) > 0):
		return fmt.Sprintf("%d ways, want some: %t (%s, %v)", len(got.Ways), ok, ranks[v.rank], want)
	case ok && totalOf(got.Ways[0]) != want:
		return fmt.Sprintf("the best way to %s costs %v, want %v", ranks[v.rank], totalOf(got.Ways[0]), want)
	case len(got.Ways) > maxWays:
		return "it tells too much"
	}
	for i, w := range got.Ways {
		if wrong := r.wrongWith(w, v); wrong != "" {
			return fmt.Sprintf("way %d: %s: %+v", i+1, wrong, w.Steps)
		}
		if before, now := totalOf(got.Ways[max(i-1, 0)]), totalOf(w); slices.Compare(before[:], now[:]) > 0 {
			return "the ways are not in their order"
		}
	}
	return ""
}

// seeded is the random source of one desk.
func seeded(seed int) *rand.Rand { return rand.New(rand.NewPCG(20261122, uint64(seed))) }

// settingsOf are the settings of the program.
func settingsOf(t testing.TB) settings {
	t.Helper()
	set, err := parse(embedded)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// TestAgreesWithBruteForce: for every desk the planner reaches what can be
// reached, at the least cost there is, and every way that it tells stands up
// when its steps are taken one by one.
func TestAgreesWithBruteForce(t *testing.T) {
	t.Parallel()
	policy, set, r, start := current(t), settingsOf(t), readRules(t), time.Now()
	reached, ways := 0, 0
	for seed := range desks {
		q := randomQuestion(seeded(seed))
		got, wrong := r.check(policy, set, q)
		if wrong != "" {
			t.Fatalf("desk %d: %s\n%+v", seed, wrong, q)
		}
		ways += len(got.Ways)
		if got.Reached {
			reached++
		}
	}
	t.Logf("%d desks, %d of them reach the wanted level, %d ways replayed, in %s", desks, reached, ways, time.Since(start).Round(time.Millisecond))
	if reached < desks/4 || ways < desks/2 {
		t.Errorf("only %d desks reach the wanted level, with %d ways in all", reached, ways)
	}
}

// TestBruteForceCanFail plants faults and wants the brute force to find each
// within two thousand desks.
func TestBruteForceCanFail(t *testing.T) {
	t.Parallel()
	policy, set, r := current(t), settingsOf(t), readRules(t)
	text, err := os.ReadFile("../gpg45/policy/gpg45-0.4.json")
	if err != nil {
		t.Fatal(err)
	}
	other := func(old, new string) *gpg45.Policy {
		if !strings.Contains(string(text), old) {
			t.Fatalf("the policy has no %s", old)
		}
		p, err := gpg45.Parse([]byte(strings.Replace(string(text), old, new, 1)))
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	dearer, hopeful := settingsOf(t), settingsOf(t)
	dearer.Minutes[stepChip]++
	hopeful.HopedActivity = 2
	by := func(p *gpg45.Policy, set settings) func(Question) string {
		return func(q Question) string { _, wrong := r.check(p, set, q); return wrong }
	}
	asked := func(change func(*Question)) func(Question) string {
		return func(q Question) string {
			other := q
			change(&other)
			return r.against(policy, set, other, q)
		}
	}
	for name, planner := range map[string]func(Question) string{
		"profile/too-easy":     by(other(`[[3, 3]], "activity": 0`, `[[3, 2]], "activity": 0`), set),
		"verification/too-old": by(other(`"compared_months": 36`, `"compared_months": 60`), set),
		"vouch/too-strong":     by(other(`"vouch_digital": [2, 2]`, `"vouch_digital": [3, 2]`), set),
		"settings/minutes":     by(policy, dearer),
		"settings/hope":        by(policy, hopeful),
		"desk/a-device-more":   asked(func(q *Question) { q.Desk.ChipReader = true }),
		"table/a-thing-more":   asked(func(q *Question) { q.Here = append(slices.Clone(q.Here), "passport") }),
		"failed/forgotten":     asked(func(q *Question) { q.Failed = nil }),
	} {
		found := false
		for seed := 0; seed < 2000 && !found; seed++ {
			found = planner(randomQuestion(seeded(seed))) != ""
		}
		if !found {
			t.Errorf("%s is not found", name)
		}
	}
}

// laid is what the planner says of a question: how far below the wanted target
// its ways lead (0 is the target itself), and what the best one costs.
func laid(t *testing.T, policy *gpg45.Policy, set settings, q Question) (ways []Way, below int, cost total) {
	t.Helper()
	p, err := newPlanner(policy, set, q)
	if err != nil {
		t.Fatal(err)
	}
	targets := q.target(policy).orLess()
	for i, target := range targets {
		if ways := p.ways(p.pieces, target, maxWays); len(ways) > 0 {
			return ways, i, totalOf(ways[0])
		}
	}
	return nil, len(targets), total{}
}

// TestOrderChangesNothing lays the same things in another order.
func TestOrderChangesNothing(t *testing.T) {
	t.Parallel()
	policy, set := current(t), settingsOf(t)
	for seed := range 1000 {
		q, r := randomQuestion(seeded(seed)), seeded(-1-seed)
		other := q
		other.Here, other.Home, other.Failed = slices.Clone(q.Here), slices.Clone(q.Home), slices.Clone(q.Failed)
		r.Shuffle(len(q.Here), func(i, j int) { other.Here[i], other.Here[j] = other.Here[j], other.Here[i] })
		r.Shuffle(len(q.Home), func(i, j int) { other.Home[i], other.Home[j] = other.Home[j], other.Home[i] })
		r.Shuffle(len(q.Failed), func(i, j int) { other.Failed[i], other.Failed[j] = other.Failed[j], other.Failed[i] })
		got, _, _ := laid(t, policy, set, other)
		if want, _, _ := laid(t, policy, set, q); !reflect.DeepEqual(got, want) {
			t.Fatalf("desk %d: in another order\n%+v\nwant\n%+v", seed, got, want)
		}
	}
}

// TestMoreIsNeverWorse lays one thing more on the table, brings one from home or
// gives the desk one ability more: what was reached still is, and costs no more.
func TestMoreIsNeverWorse(t *testing.T) {
	t.Parallel()
	policy, set := current(t), settingsOf(t)
	better := 0
	for seed := range 3000 {
		q, r := randomQuestion(seeded(seed)), seeded(-1-seed)
		more := q
		more.Here = append(slices.Clone(q.Here), pick(r, tableTypes...))
		switch r.IntN(4) {
		case 0:
			more.Desk.ChipReader, more.Desk.Line = true, true
		case 1:
			more.Desk.Colleagues = append(slices.Clone(q.Desk.Colleagues), trained)
		case 2:
			more.Here, more.Home = append(more.Here, q.Home...), nil
		}
		_, before, cost := laid(t, policy, set, q)
		got, after, now := laid(t, policy, set, more)
		if after > before || after == before && slices.Compare(now[:], cost[:]) > 0 {
			t.Fatalf("desk %d: with more, %d below at %v became %d at %v\n%+v\n%+v", seed, before, cost, after, now, more, got)
		}
		if after < before || after == before && now != cost {
			better++
		}
	}
	if better < 100 {
		t.Errorf("more helped only %d desks: the check is blind", better)
	}
}

// TestMissingWouldHelp: what is said to be missing makes the level possible, by
// the brute force; and what would do alone is found alone.
func TestMissingWouldHelp(t *testing.T) {
	t.Parallel()
	policy, set, r := current(t), settingsOf(t), readRules(t)
	missed, alone := 0, 0
	for seed := 0; missed < 150; seed++ {
		q := randomQuestion(seeded(seed))
		got, err := find(policy, set, q)
		if err != nil {
			t.Fatal(err)
		}
		if got.Reached {
			continue
		}
		missed++
		for _, reasons := range got.Missing {
			if with := given(q, reasons...); !r.can(with) {
				t.Fatalf("desk %d: %v would not help\n%+v", seed, reasons, q)
			}
		}
		helps := slices.ContainsFunc(everyLack(r), func(l proof.Reason) bool { return r.can(given(q, l)) })
		if found := len(got.Missing) > 0 && len(got.Missing[0]) == 1; found != helps {
			t.Fatalf("desk %d: one thing would help: %t, found %v\n%+v", seed, helps, got.Missing, q)
		}
		if helps {
			alone++
		}
	}
	if alone < 20 {
		t.Errorf("one thing helps only %d desks: the check is blind", alone)
	}
}

// can reports whether the brute force reaches what is wanted.
func (r *rules) can(q Question) bool {
	_, ok := r.best(r.visitOf(q))
	return ok
}

// everyLack is everything that one visit may lack.
func everyLack(r *rules) []proof.Reason {
	out := []proof.Reason{{Code: lacksChipReader}, {Code: lacksColleague}, {Code: lacksLine}, {Code: lacksUVIR}}
	for _, t := range r.plan.Bring {
		out = append(out, lacking(proof.EvidenceType(t)))
	}
	return out
}

// given is a question with what was missing.
func given(q Question, reasons ...proof.Reason) Question {
	q.Home, q.Desk.Colleagues = slices.Clone(q.Home), slices.Clone(q.Desk.Colleagues)
	for _, r := range reasons {
		switch r.Code {
		case lacksChipReader:
			q.Desk.ChipReader = true
		case lacksColleague:
			q.Desk.Colleagues = append(q.Desk.Colleagues, proof.Training{Impostor: today, Document: today})
		case lacksLine:
			q.Desk.Line = true
		case lacksUVIR:
			q.Desk.UVIR = true
			q.Desk.Colleagues = append(q.Desk.Colleagues, proof.Training{UVIR: today})
		case lacksVoucher:
			q.Home = append(q.Home, proof.Vouch)
		case lacksEvidence:
			q.Home = append(q.Home, proof.EvidenceType(r.Params["type"]))
		}
	}
	return q
}
