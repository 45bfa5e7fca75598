//go:build unix

package daemon_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/counterproof/counterproof/agent/api"
	"github.com/counterproof/counterproof/agent/proof"
	"github.com/counterproof/counterproof/sync/wire"
)

// killsVariable says how often the programs are killed.
const killsVariable = "COUNTERPROOF_KILLS"

// answered is one answer of the counter, as the clerk saw it.
type answered struct {
	visit  proof.CaseID
	events int
	ref    proof.Ref
	gone   bool // the counter knows the visit no more
	given  bool // the clerk has given it up, so that nobody waits to see its reference
}

// held is one record that the centre holds.
type held struct {
	index  uint64
	seq    wire.Seq
	record wire.RecordID
}

// history is all that a run of visits has left behind.
type history struct {
	answers []answered // in their order
	queue   []api.QueueItem
	log     []held
}

// visited is what is known of one visit.
type visited struct {
	events      int
	ref         proof.Ref
	given, gone bool
}

// problems says what was lost, doubled or out of order.
func (h history) problems() (found []string) {
	say := func(format string, args ...any) { found = append(found, fmt.Sprintf(format, args...)) }
	visits := map[proof.CaseID]visited{}
	var open proof.CaseID
	for i, a := range h.answers {
		v, known := visits[a.visit]
		switch {
		case v.gone:
			say("answer %d: visit %s had ended and is back", i, a.visit)
		case a.gone && v.ref == "" && !v.given:
			say("answer %d: visit %s is gone after %d events, without a record", i, a.visit, v.events)
		case !a.gone && a.events < v.events:
			say("answer %d: visit %s has %d events, it had %d", i, a.visit, a.events, v.events)
		case v.ref != "" && a.ref != "" && a.ref != v.ref:
			say("answer %d: visit %s has two references", i, a.visit)
		case !known && open != "" && !visits[open].gone:
			say("answer %d: visit %s is another than the open one", i, a.visit)
		}
		open = a.visit
		v.events, v.given, v.gone = max(v.events, a.events), v.given || a.given, a.gone
		if a.ref != "" {
			v.ref = a.ref
		}
		visits[a.visit] = v
	}
	return append(found, h.records(visits)...)
}

// records holds the queue and the centre's log against the visits.
func (h history) records(visits map[proof.CaseID]visited) (found []string) {
	say := func(format string, args ...any) { found = append(found, fmt.Sprintf(format, args...)) }
	queued, stored := map[proof.Ref]int{}, map[proof.Ref]int{}
	for _, item := range h.queue {
		queued[item.Ref]++
		if item.State != string(wire.Acked) && item.State != string(wire.Proven) {
			say("record %d is %s in the queue", item.Seq, item.State)
		}
	}
	ids := map[wire.RecordID]bool{}
	for i, r := range h.log {
		if r.index != uint64(i)+1 || r.seq != wire.Seq(i)+1 {
			say("place %d of the log holds number %d, record %d of the counter", i+1, r.index, r.seq)
		}
		if ids[r.record] {
			say("the log holds a record twice, again at %d", r.index)
		}
		ids[r.record] = true
		stored[proof.Ref(r.record.Ref())]++
	}
	for id, v := range visits {
		if v.ref != "" && (queued[v.ref] != 1 || stored[v.ref] != 1) {
			say("the record of visit %s is %d times in the queue and %d times at the centre", id, queued[v.ref], stored[v.ref])
		}
	}
	if len(visits) != len(h.log) || len(visits) != len(h.queue) {
		say("%d visits, %d records in the queue, %d at the centre", len(visits), len(h.queue), len(h.log))
	}
	return found
}

// person is a clerk who goes on whatever is killed.
type person struct {
	w       *world
	rand    *rand.Rand
	lines   []string // of the passport that is keyed in
	about   chan struct{}
	history history
}

// note keeps an answer.
func (p *person) note(v api.Visit) {
	p.history.answers = append(p.history.answers, answered{visit: v.ID, events: v.Events, ref: v.Ref})
	if v.Ended {
		p.history.answers = append(p.history.answers, answered{visit: v.ID, gone: true})
	}
}

// back signs in again after a kill and reads where the visit was. ok is false
// if the counter knows the visit no more.
func (p *person) back(ctx context.Context, id proof.CaseID) (v api.Visit, ok bool, err error) {
	for {
		if err := p.w.signIn(ctx); err != nil {
			return v, false, fmt.Errorf("signing in again: %w", err)
		}
		v, err = p.w.client.Visit(ctx)
		switch kind := proof.KindOf(err); {
		case err == nil && v.Ended && id != v.ID:
			return v, false, nil // the one before
		case err == nil:
			p.note(v)
			return v, !v.Ended, nil
		case kind == proof.KindNoVisit:
			if id != "" {
				p.history.answers = append(p.history.answers, answered{visit: id, gone: true})
			}
			return v, false, nil
		case !passing(kind):
			return v, false, fmt.Errorf("reading the visit: %w", err)
		}
	}
}

// passing are the Kinds that a kill explains.
func passing(k proof.Kind) bool {
	return k == proof.KindDaemonAway || k == proof.KindSessionEnded
}

// visit goes through one visit.
func (p *person) visit(ctx context.Context) error {
	v, ok, err := p.begin(ctx)
	for ok && err == nil {
		a := p.choose(v)
		select {
		case p.about <- struct{}{}: // somebody may pull the plug now
		default:
		}
		var next api.Visit
		next, err = p.w.client.Answer(ctx, v.ID, a)
		switch kind := proof.KindOf(err); {
		case err == nil:
			p.note(next)
			v, ok = next, !next.Ended
		case passing(kind) || kind == proof.KindAskNotOpen:
			v, ok, err = p.back(ctx, v.ID)
		default:
			err = fmt.Errorf("answering %s: %w", a.Ask, err)
		}
	}
	return err
}

// begin starts a visit. If the counter was killed before it answered, the visit
// may have begun or not.
func (p *person) begin(ctx context.Context) (api.Visit, bool, error) {
	for {
		v, err := p.w.client.StartVisit(ctx, api.NewVisit{Route: proof.PhotoDocument, Language: "en"})
		switch kind := proof.KindOf(err); {
		case err == nil:
			p.note(v)
			return v, true, nil
		case passing(kind) || kind == proof.KindVisitOpen:
			if v, ok, err := p.back(ctx, ""); ok || err != nil {
				return v, ok, err
			}
		default:
			return v, false, fmt.Errorf("starting a visit: %w", err)
		}
	}
}

// choose answers the recommended ask, mostly; some documents are keyed in, some
// faces are not for machines, some steps are taken back and some patients leave.
func (p *person) choose(v api.Visit) api.Answer {
	a := reply(v)
	switch n := p.rand.IntN(100); {
	case a.Ask == proof.CaptureDocument && n < 60:
		a.Ask, a.Lines = proof.KeyDocument, p.lines
	case a.Ask == proof.AskFaceConsent && n < 50:
		a.Given = false
	case a.Ask == proof.ConfirmResult && n < 10:
		a.Do, a.Ask = api.DoReopen, proof.ComparePerson
	case a.Ask == proof.ExamineDocument && n < 15:
		a.Do, a.Reason = api.DoAbandon, proof.PatientLeft
		p.history.answers = append(p.history.answers, answered{visit: v.ID, events: v.Events, given: true})
	}
	return a
}

// killer ends the programs at random moments and starts them again.
type killer struct {
	w                *world
	rand             *rand.Rand
	about            <-chan struct{}
	counters, centre int // kills so far
}

// moment waits for a random one: any, or the one just after a step was asked
// for, when the counter is busiest.
func (k *killer) moment(ctx context.Context) {
	wait := time.Duration(k.rand.Int64N(int64(1200 * time.Millisecond)))
	if k.rand.IntN(3) > 0 {
		select {
		case <-k.about:
		case <-ctx.Done():
		}
		wait = time.Duration(k.rand.Int64N(int64(60 * time.Millisecond)))
	}
	pause(ctx, wait)
}

// pause waits until the time is over or ctx ends.
func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// run kills as often as it is told.
func (k *killer) run(ctx context.Context, kills int) {
	for k.counters+k.centre < kills && ctx.Err() == nil {
		k.moment(ctx)
		who := k.rand.IntN(10)
		if who < 3 || who == 9 {
			k.w.centre.kill()
			k.centre++
		}
		if who >= 3 {
			k.w.counter.kill()
			k.counters++
		}
		if who >= 7 { // and once more while it takes the visit up
			k.w.counter.start()
			pause(ctx, time.Duration(k.rand.Int64N(int64(150*time.Millisecond))))
			k.w.counter.kill()
			k.counters++
		}
		if k.w.counter.cmd == nil {
			k.w.counter.start()
		}
		if k.w.centre.cmd == nil {
			k.w.centre.start()
		}
	}
}

// kills is how often this run kills.
func kills(t *testing.T) int {
	t.Helper()
	text := os.Getenv(killsVariable)
	if text == "" {
		return 8
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		t.Fatalf("%s is %q, want a number", killsVariable, text)
	}
	return n
}

// TestKilledAtRandomMomentsNothingIsLost: whatever the counter has answered
// outlives the sudden end of the counter, of the centre and of both.
func TestKilledAtRandomMomentsNothingIsLost(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	w := newWorld(t, nil)
	pass := newPassport(t, 7, nil, nil)
	show(t, filepath.Join(w.dir, "d", "document"), pass.jpeg)
	n := kills(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute+time.Duration(n)*5*time.Second)
	defer cancel()
	about := make(chan struct{})
	p := &person{w: w, rand: rand.New(rand.NewPCG(seed, 1)), lines: pass.lines, about: about}
	k := &killer{w: w, rand: rand.New(rand.NewPCG(seed, 2)), about: about}
	var wg sync.WaitGroup
	over := make(chan struct{})
	wg.Go(func() {
		defer close(over)
		k.run(ctx, n)
	})
	// Whatever happens, the killer is done before the programs are cleaned up.
	defer wg.Wait()
	defer cancel()
	visits := 0
	for killing := true; killing; visits++ {
		if err := p.visit(ctx); err != nil {
			t.Fatalf("visit %d: %v", visits+1, err)
		}
		select {
		case <-over:
			killing = false
		default:
		}
	}
	p.history.queue = acknowledged(ctx, t, w)
	p.history.log = logOf(t, w.opener)
	for _, problem := range p.history.problems() {
		t.Error(problem)
	}
	w.counter.stop()
	w.centre.stop()
	for _, line := range slices.Concat(w.counter.complaints(), w.centre.complaints()) {
		t.Errorf("logged: %s", line)
	}
	if left, err := filepath.Glob(filepath.Join(w.conf.Data, "drafts", "*")); err != nil || len(left) != 0 {
		t.Errorf("drafts are left: %v: %v", left, err)
	}
	t.Logf("killed the counter %d times and the centre %d times; %d visits, %d answers, %d records at the centre",
		k.counters, k.centre, visits, len(p.history.answers), len(p.history.log))
}

// acknowledged waits until the centre has answered for every record, and gives
// the queue.
func acknowledged(ctx context.Context, t *testing.T, w *world) []api.QueueItem {
	t.Helper()
	if err := w.signIn(ctx); err != nil {
		t.Fatal(err)
	}
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		list, err := w.client.Queue(ctx)
		if err != nil {
			t.Fatalf("reading the queue: %v", err)
		}
		if list.Queue.Waiting == 0 && list.Queue.Alarms == 0 && list.Queue.Acked == len(list.Items) {
			return list.Items
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("the centre has not answered for every record: %+v", list.Queue)
		}
	}
}

// logOf is the centre's log in short; every record opens.
func logOf(t *testing.T, o *opener) []held {
	t.Helper()
	var log []held
	for _, r := range o.log(t) {
		h, err := r.Envelope.Check()
		if err == nil {
			_, err = o.open(r, own)
		}
		if err != nil {
			t.Errorf("record %d does not open: %v", r.Receipt.LogIndex, err)
		}
		log = append(log, held{r.Receipt.LogIndex, r.Receipt.Seq, h.Record})
	}
	return log
}

// sound is a history in which nothing went wrong: two visits, one given up.
func sound() history {
	one, two := wire.RecordID{1}, wire.RecordID{2}
	ref := func(id wire.RecordID) proof.Ref { return proof.Ref(id.Ref()) }
	acked := string(wire.Acked)
	return history{
		answers: []answered{
			{visit: "a", events: 1}, {visit: "a", events: 2}, {visit: "a", events: 2}, {visit: "a", events: 5, ref: ref(one)},
			{visit: "a", gone: true}, {visit: "b", events: 1}, {visit: "b", events: 1, given: true}, {visit: "b", gone: true},
		},
		queue: []api.QueueItem{{Seq: 2, Ref: ref(two), State: acked}, {Seq: 1, Ref: ref(one), State: acked}},
		log:   []held{{1, 1, one}, {2, 2, two}},
	}
}

func TestTheCheckerSeesWhatIsLost(t *testing.T) {
	t.Parallel()
	if found := sound().problems(); len(found) != 0 {
		t.Errorf("a sound history is blamed: %v", found)
	}
	for name, c := range map[string]struct {
		spoil func(*history)
		want  string
	}{
		"answer-lost":         {func(h *history) { h.answers[2].events = 1 }, "has 1 events, it had 2"},
		"visit-lost":          {func(h *history) { h.answers[3] = answered{visit: "a", gone: true} }, "without a record"},
		"visit-replaced":      {func(h *history) { h.answers[4] = answered{visit: "c", events: 1} }, "another than the open one"},
		"visit-back":          {func(h *history) { h.answers[6] = answered{visit: "a", events: 6} }, "had ended and is back"},
		"two-references":      {func(h *history) { h.answers[4] = answered{visit: "a", events: 6, ref: "X"} }, "two references"},
		"not-in-queue":        {func(h *history) { h.queue = h.queue[:1] }, "0 times in the queue"},
		"twice-in-queue":      {func(h *history) { h.queue = append(h.queue, h.queue[1]) }, "2 times in the queue"},
		"not-acknowledged":    {func(h *history) { h.queue[0].State = string(wire.Sealed) }, "is sealed in the queue"},
		"not-at-centre":       {func(h *history) { h.log = h.log[1:] }, "0 times at the centre"},
		"given-up-lost":       {func(h *history) { h.log, h.queue = h.log[:1], h.queue[1:] }, "2 visits, 1 records"},
		"twice-at-centre":     {func(h *history) { h.log = append(h.log, held{3, 3, h.log[0].record}) }, "holds a record twice"},
		"hole-in-log":         {func(h *history) { h.log[1].index = 3 }, "place 2 of the log holds number 3"},
		"hole-in-chain":       {func(h *history) { h.log[1].seq = 3 }, "record 3 of the counter"},
		"record-out-of-order": {func(h *history) { slices.Reverse(h.log) }, "place 1 of the log holds number 2"},
		"record-of-nobody":    {func(h *history) { h.log = append(h.log, held{3, 3, wire.RecordID{9}}) }, "2 visits, 2 records in the queue, 3 at"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := sound()
			c.spoil(&h)
			found := strings.Join(h.problems(), "\n")
			if !strings.Contains(found, c.want) {
				t.Errorf("found %q, want %q", found, errors.New(c.want))
			}
		})
	}
}
