package storetest

import (
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/counterproof/counterproof/sync/store"
	"github.com/counterproof/counterproof/sync/wire"
)

// noticeRules are the laws of news.
func noticeRules() []Rule {
	return []Rule{
		{"notice/both-lists", noticeBothLists},
		{"notice/posted-twice", noticePostedTwice},
		{"notice/fork-other-notice", noticeForkOther},
		{"notice/fork-other-number", noticeForkNumber},
		{"notice/gap", noticeGap},
		{"notice/all-or-none", noticeAllOrNone},
		{"notice/not-enrolled-counter", noticeStranger},
		{"notice/pages", noticePages},
		{"notice/acknowledged", noticeAcked},
		{"notice/concurrent-same-notice", noticeConcurrentSame},
		{"notice/concurrent-openers", noticeConcurrentOpeners},
	}
}

// opener makes an opener's notices one after the other.
type opener struct {
	id      wire.AgentID
	seq     uint64
	numbers map[wire.AgentID]uint64
}

// newOpener begins an opener's list.
func newOpener(id wire.AgentID) *opener { return &opener{id: id, numbers: map[wire.AgentID]uint64{}} }

// next makes the opener's next notice, which is for the given counter.
func (o *opener) next(agent wire.AgentID, kind wire.NoticeKind) posting {
	o.seq++
	o.numbers[agent]++
	return o.posting(o.seq, o.numbers[agent], agent, kind)
}

// posting makes a notice with a random signature: the store checks none.
func (o *opener) posting(seq, number uint64, agent wire.AgentID, kind wire.NoticeKind) posting {
	sig := random()
	return posting{o.id, wire.Placed{N: seq, Notice: wire.Notice{
		Agent: agent, Number: number, Ref: wire.RecordID{byte(seq)}.Ref(), Kind: kind, At: now, Key: "k-" + wire.KeyID(o.id), Sig: sig[:],
	}}}
}

// posting is one notice of an opener's list.
type posting struct {
	opener wire.AgentID
	wire.Placed
}

// run posts notices of one opener together.
func (w *world) run(postings ...posting) (wire.Answer, error) {
	p := store.Posting{Opener: postings[0].opener}
	for _, one := range postings {
		p.Notices = append(p.Notices, one.Placed)
	}
	return w.PostNotices(w.ctx, p)
}

// post posts a notice and compares the verdict.
func (w *world) post(p posting, verdict wire.Verdict) error {
	got, err := w.run(p)
	if err := want(got, err, verdict); err != nil {
		return fmt.Errorf("the notice at %d: %w", p.N, err)
	}
	return nil
}

// postAll posts notices that must all be stored.
func (w *world) postAll(postings ...posting) error {
	for _, p := range postings {
		if err := w.post(p, wire.Stored); err != nil {
			return err
		}
	}
	return nil
}

// placed is a notice as a counter's list has it.
func placed(n uint64, p posting) wire.Placed { return wire.Placed{N: n, Notice: p.Notice} }

// list compares a counter's whole list, and what it has acknowledged.
func (w *world) list(agent wire.AgentID, acked uint64, want ...wire.Placed) error {
	got, err := w.NoticesFor(w.ctx, agent, 0, 1000)
	if err != nil {
		return err
	}
	return samePage("the list of "+string(agent), got, wire.NoticePage{Notices: want, Last: uint64(len(want)), Acked: acked})
}

// samePage compares pages; none and an empty run are the same.
func samePage(what string, got, want wire.NoticePage) error {
	if len(got.Notices) == 0 && len(want.Notices) == 0 {
		got.Notices, want.Notices = nil, nil
	}
	return equal(what, got, want)
}

// noticeBothLists: a notice stands in its opener's list at the opener's place
// and in its counter's at the store's, for no other, and outlives a restart.
func noticeBothLists(w *world) error {
	o := newOpener("o")
	first, other, second := o.next("a", wire.NoticeReviewOpen), o.next("b", wire.NoticeNHSP9), o.next("a", wire.NoticeReviewPassed)
	if err := errors.Join(w.postAll(first, other, second), w.reopen()); err != nil {
		return err
	}
	if err := w.list("a", 0, placed(1, first), placed(2, second)); err != nil {
		return err
	}
	if err := errors.Join(w.list("b", 0, placed(1, other)), w.list("c", 0)); err != nil {
		return err
	}
	own, err := w.NoticesBy(w.ctx, "o", 0, 10)
	if err != nil {
		return err
	}
	want := wire.NoticePage{Notices: []wire.Placed{first.Placed, other.Placed, second.Placed}, Last: 3}
	if err := samePage("the opener's list", own, want); err != nil {
		return err
	}
	none, err := w.NoticesBy(w.ctx, "p", 0, 10)
	if err != nil {
		return err
	}
	return samePage("another opener's list", none, wire.NoticePage{})
}

// noticePostedTwice: a lost answer is asked for again and doubles nothing, also
// where the opener has signed the same news once more.
func noticePostedTwice(w *world) error {
	o := newOpener("o")
	first, second := o.next("a", wire.NoticeReviewOpen), o.next("a", wire.NoticeReviewPassed)
	if err := w.postAll(first, second); err != nil {
		return err
	}
	again := first
	sig := random()
	again.Notice.Sig = sig[:]
	err := errors.Join(w.post(first, wire.Replayed), w.post(again, wire.Replayed), w.reopen(), w.post(second, wire.Replayed))
	if err != nil {
		return err
	}
	return w.list("a", 0, placed(1, first), placed(2, second))
}

// noticeForkOther: another notice at a taken place is refused and changes
// nothing, whatever differs.
func noticeForkOther(w *world) error {
	o := newOpener("o")
	first := o.next("a", wire.NoticeReviewOpen)
	if err := w.postAll(first); err != nil {
		return err
	}
	for name, change := range map[string]func(*wire.Notice){
		"kind":  func(n *wire.Notice) { n.Kind = wire.NoticeReviewFailed },
		"ref":   func(n *wire.Notice) { n.Ref = wire.RecordID{77}.Ref() },
		"agent": func(n *wire.Notice) { n.Agent = "b" },
		"time":  func(n *wire.Notice) { n.At = now.Add(time.Second) },
	} {
		other := first
		change(&other.Notice)
		if err := w.post(other, wire.Fork); err != nil {
			return fmt.Errorf("another %s: %w", name, err)
		}
	}
	return errors.Join(w.list("a", 0, placed(1, first)), w.list("b", 0))
}

// noticeForkNumber: a notice whose number for its counter is not the next would
// look to the counter as if one had been withheld, so it is refused.
func noticeForkNumber(w *world) error {
	o := newOpener("o")
	first := o.next("a", wire.NoticeReviewOpen)
	if err := w.postAll(first, o.next("b", wire.NoticeNHSP5)); err != nil {
		return err
	}
	for _, number := range []uint64{1, 3} {
		if err := w.post(o.posting(3, number, "a", wire.NoticeNHSP9), wire.Fork); err != nil {
			return fmt.Errorf("number %d: %w", number, err)
		}
	}
	return errors.Join(w.list("a", 0, placed(1, first)), w.postAll(o.next("a", wire.NoticeNHSP9)))
}

// noticeGap: a place ahead is not taken, and the answer says where to go on: a
// restored centre gets again what it lost.
func noticeGap(w *world) error {
	o := newOpener("o")
	first, second, third := o.next("a", wire.NoticeReviewOpen), o.next("b", wire.NoticeNHSP9), o.next("a", wire.NoticeReviewPassed)
	if err := w.postAll(first); err != nil {
		return err
	}
	got, err := w.run(third)
	if err := want(got, err, wire.Gap); err != nil {
		return err
	}
	if err := equal("place that comes next", got.Expect, wire.Seq(2)); err != nil {
		return err
	}
	if err := w.postAll(second, third); err != nil {
		return err
	}
	return w.list("a", 0, placed(1, first), placed(2, third))
}

// noticeAllOrNone: of a run in which one notice cannot be taken none is, and a
// run that begins with what is held goes on with what is not.
func noticeAllOrNone(w *world) error {
	o := newOpener("o")
	first, second, third := o.next("a", wire.NoticeReviewOpen), o.next("b", wire.NoticeNHSP9), o.next("a", wire.NoticeReviewPassed)
	forked, ahead := second, third
	forked.Notice.Number, ahead.N = 7, 9
	for name, s := range map[string]struct {
		run     []posting
		verdict wire.Verdict
	}{
		"fork-behind": {[]posting{first, forked}, wire.Fork},
		"gap-behind":  {[]posting{first, second, ahead}, wire.Gap},
		"gap-within":  {[]posting{first, third}, wire.Gap},
	} {
		got, err := w.run(s.run...)
		if err := want(got, err, s.verdict); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if err := errors.Join(w.list("a", 0), w.list("b", 0)); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	for _, run := range [][]posting{{first}, {first, second, second}, {first, second, third}} {
		got, err := w.run(run...)
		if err := want(got, err, wire.Stored); err != nil {
			return fmt.Errorf("up to %d: %w", run[len(run)-1].N, err)
		}
	}
	got, err := w.run(first, second, third)
	if err := want(got, err, wire.Replayed); err != nil {
		return err
	}
	return errors.Join(w.list("a", 0, placed(1, first), placed(2, third)), w.list("b", 0, placed(1, second)))
}

// noticeStranger: news for a counter that this store does not know, as one that
// was enrolled after the backup it came from, waits for it.
func noticeStranger(w *world) error {
	p := newOpener("o").next("a", wire.NoticeNHSP9)
	if err := w.postAll(p); err != nil {
		return err
	}
	return errors.Join(w.enrol("a"), w.list("a", 0, placed(1, p)))
}

// noticePages: a list is read in pages, by a cursor, to its end and beyond.
func noticePages(w *world) error {
	o := newOpener("o")
	for range 5 {
		if err := w.postAll(o.next("a", wire.NoticeReviewOpen), o.next("b", wire.NoticeNHSP9)); err != nil {
			return err
		}
	}
	for _, read := range []struct {
		what string
		page func(after uint64, limit int) (wire.NoticePage, error)
		last uint64
	}{
		{"counter's", func(after uint64, limit int) (wire.NoticePage, error) { return w.NoticesFor(w.ctx, "a", after, limit) }, 5},
		{"opener's", func(after uint64, limit int) (wire.NoticePage, error) { return w.NoticesBy(w.ctx, "o", after, limit) }, 10},
	} {
		seen := uint64(0)
		for {
			p, err := read.page(seen, 2)
			if err != nil {
				return err
			}
			if p.Last != read.last || len(p.Notices) > 2 {
				return fmt.Errorf("the %s page after %d has %d notices and ends at %d", read.what, seen, len(p.Notices), p.Last)
			}
			if len(p.Notices) == 0 {
				break
			}
			for _, n := range p.Notices {
				if seen++; n.N != seen {
					return fmt.Errorf("the %s list has place %d where %d was to come", read.what, n.N, seen)
				}
			}
		}
		for _, after := range []uint64{read.last, read.last + 7, 1 << 62} {
			p, err := read.page(after, 2)
			if err != nil || len(p.Notices) != 0 || p.Last != read.last {
				return fmt.Errorf("the %s list after %d: got %+v (%v)", read.what, after, p, err)
			}
		}
		if p, err := read.page(0, 0); err != nil || len(p.Notices) != 0 || p.Last != read.last {
			return fmt.Errorf("none of the %s list: got %+v (%v)", read.what, p, err)
		}
	}
	return nil
}

// noticeAcked: what a counter has stays in its list, and an acknowledgement
// never goes back nor beyond the end.
func noticeAcked(w *world) error {
	o := newOpener("o")
	first, second := o.next("a", wire.NoticeReviewOpen), o.next("a", wire.NoticeReviewPassed)
	if err := w.postAll(first, second, o.next("b", wire.NoticeNHSP9)); err != nil {
		return err
	}
	if err := w.AckNotices(w.ctx, "a", 2); err != nil {
		return err
	}
	if err := errors.Join(w.AckNotices(w.ctx, "a", 1), w.AckNotices(w.ctx, "a", 0), w.reopen()); err != nil {
		return err
	}
	if err := w.list("a", 2, placed(1, first), placed(2, second)); err != nil {
		return err
	}
	if err := wantError("beyond the end", w.AckNotices(w.ctx, "a", 3), store.ErrPlace); err != nil {
		return err
	}
	if err := wantError("of no list", w.AckNotices(w.ctx, "c", 1), store.ErrPlace); err != nil {
		return err
	}
	b, err := w.NoticesFor(w.ctx, "b", 0, 0)
	if err != nil {
		return err
	}
	return equal("what another has acknowledged", b.Acked, uint64(0))
}

// noticeConcurrentSame: one notice posted at once from everywhere is held once.
func noticeConcurrentSame(w *world) error {
	p := newOpener("o").next("a", wire.NoticeNHSP9)
	verdicts := make([]wire.Verdict, 6)
	errs := make([]error, len(verdicts))
	together(len(verdicts), func(i int) {
		got, err := w.run(p)
		verdicts[i], errs[i] = got.Verdict, err
	})
	if err := errors.Join(errs...); err != nil {
		return err
	}
	stored := 0
	for _, v := range verdicts {
		if v == wire.Stored {
			stored++
		} else if v != wire.Replayed {
			return fmt.Errorf("got %s", v)
		}
	}
	return errors.Join(equal("times stored", stored, 1), w.list("a", 0, placed(1, p)))
}

// noticeConcurrentOpeners: openers that post at once to one counter give its
// list no hole and no place twice.
func noticeConcurrentOpeners(w *world) error {
	const each = 5
	errs := make([]error, 4)
	together(len(errs), func(i int) {
		o := newOpener(wire.AgentID("opener-" + strconv.Itoa(i)))
		for range each {
			errs[i] = errors.Join(errs[i], w.post(o.next("a", wire.NoticeNHSP9), wire.Stored))
		}
	})
	if err := errors.Join(errs...); err != nil {
		return err
	}
	all, err := w.NoticesFor(w.ctx, "a", 0, 1000)
	if err != nil {
		return err
	}
	numbers := map[wire.KeyID]uint64{}
	for i, p := range all.Notices {
		numbers[p.Notice.Key]++
		if p.N != uint64(i+1) || p.Notice.Number != numbers[p.Notice.Key] {
			return fmt.Errorf("place %d of the list holds place %d, number %d of %s", i+1, p.N, p.Notice.Number, p.Notice.Key)
		}
	}
	return equal("notices in the list", len(all.Notices), each*len(errs))
}
