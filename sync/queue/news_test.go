package queue

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/counterproof/counterproof/sync/queue/durable"
	"github.com/counterproof/counterproof/sync/wire"
)

// opener is the key that the news of these tests is signed with.
const opener wire.KeyID = "00112233aabbccdd"

// told is the nth notice of an opener for this counter, about the nth visit.
func told(n int, kind wire.NoticeKind) wire.Placed {
	return wire.Placed{N: uint64(n), Notice: wire.Notice{
		Agent: agent, Number: uint64(n), Ref: visit(n).Ref(), Kind: kind,
		At: time.UnixMilli(1_800_000_000_000 + int64(n)).UTC(), Key: opener, Sig: []byte("signature"),
	}}
}

// keep stores a page and wants so many to be new.
func keep(t testing.TB, q *Queue, fresh int, page ...wire.Placed) {
	t.Helper()
	if got, err := q.KeepNews(t.Context(), agent, page); err != nil || got != fresh {
		t.Fatalf("kept %d, %v; want %d", got, err, fresh)
	}
}

// news lists what a filter finds.
func news(t testing.TB, q *Queue, f NewsFilter) []News {
	t.Helper()
	all, err := q.News(t.Context(), f)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// cursorAt wants the cursor at a place.
func cursorAt(t testing.TB, q *Queue, want uint64) {
	t.Helper()
	if got, err := q.NewsCursor(t.Context(), agent); err != nil || got != want {
		t.Errorf("the cursor is at %d, %v; want %d", got, err, want)
	}
}

// status is the queue's.
func status(t testing.TB, q *Queue) Status {
	t.Helper()
	s, err := q.Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// News is told, in the order in which it came, until it is marked as seen, and
// outlives a restart with its marks.
func TestNews(t *testing.T) {
	t.Parallel()
	path := place(t)
	q := openQueue(t, path)
	cursorAt(t, q, 0)
	keep(t, q, 3, told(1, wire.NoticeReviewOpen), told(2, wire.NoticeNHSP9), told(3, wire.NoticeMoreNeeded))
	cursorAt(t, q, 3)
	if s := status(t, q); s.News != 3 || s.NewsMissing != 0 {
		t.Errorf("status: got %+v", s)
	}
	unseen := news(t, q, NewsFilter{Unseen: true})
	if len(unseen) != 3 || unseen[0].Notice.Hash() != told(1, wire.NoticeReviewOpen).Notice.Hash() || string(unseen[0].Notice.Sig) != "signature" {
		t.Fatalf("got %+v", unseen)
	}
	if k := unseen[0].Kept; k.Second() != 0 || time.Since(k) > 2*time.Minute || unseen[0].Seen || unseen[0].Printed {
		t.Errorf("got %+v", unseen[0])
	}
	if err := q.MarkSeen(t.Context(), unseen[1].ID); err != nil {
		t.Fatal(err)
	}
	if err := q.MarkPrinted(t.Context(), unseen[1].ID, unseen[2].ID); err != nil {
		t.Fatal(err)
	}
	if err := q.MarkSeen(t.Context(), unseen[1].ID); err != nil { // a second screen
		t.Fatal(err)
	}
	q.Close()
	q = openQueue(t, path)
	if s := status(t, q); s.News != 2 {
		t.Errorf("status after a restart: got %+v", s)
	}
	var left []wire.NoticeKind
	for _, n := range news(t, q, NewsFilter{Unseen: true}) {
		left = append(left, n.Notice.Kind)
	}
	if !slices.Equal(left, []wire.NoticeKind{wire.NoticeReviewOpen, wire.NoticeMoreNeeded}) {
		t.Errorf("not seen: %v", left)
	}
	all := news(t, q, NewsFilter{})
	if len(all) != 3 || !all[1].Seen || !all[1].Printed || all[2].Seen || !all[2].Printed {
		t.Errorf("all: %+v", all)
	}
	if latest := news(t, q, NewsFilter{Limit: 2}); len(latest) != 2 || latest[0].ID != all[1].ID {
		t.Errorf("the newest two: %+v", latest)
	}
	cursorAt(t, q, 3)
}

// A slip's reference finds all that is told of its visit, and of no other.
func TestNewsOfRef(t *testing.T) {
	t.Parallel()
	q := openQueue(t, place(t))
	again := told(3, wire.NoticeReviewPassed)
	again.Notice.Ref = visit(1).Ref()
	keep(t, q, 3, told(1, wire.NoticeReviewOpen), told(2, wire.NoticeNHSP9), again)
	got := news(t, q, NewsFilter{Ref: visit(1).Ref()})
	if len(got) != 2 || got[0].Notice.Kind != wire.NoticeReviewOpen || got[1].Notice.Kind != wire.NoticeReviewPassed {
		t.Errorf("got %+v", got)
	}
	if err := q.MarkSeen(t.Context(), got[0].ID); err != nil {
		t.Fatal(err)
	}
	if got := news(t, q, NewsFilter{Ref: visit(1).Ref(), Unseen: true}); len(got) != 1 || got[0].Notice.Kind != wire.NoticeReviewPassed {
		t.Errorf("not seen: got %+v", got)
	}
	if got := news(t, q, NewsFilter{Ref: visit(9).Ref()}); len(got) != 0 {
		t.Errorf("of another slip: got %+v", got)
	}
}

// News of a visit that another counter made, as one that was continued here, and
// of a kind that only a newer opener knows, is kept like any other.
func TestNewsUnknown(t *testing.T) {
	t.Parallel()
	q := openQueue(t, place(t))
	keep(t, q, 2, told(1, "something_new"), told(2, wire.NoticeNHSP5))
	got := news(t, q, NewsFilter{Unseen: true})
	if len(got) != 2 || got[0].Notice.Kind != "something_new" || got[0].Notice.Kind.Known() {
		t.Errorf("got %+v", got)
	}
}

// What comes twice is kept once, and a mark that was made stays.
func TestNewsTwice(t *testing.T) {
	t.Parallel()
	q := openQueue(t, place(t))
	keep(t, q, 2, told(1, wire.NoticeReviewOpen), told(2, wire.NoticeNHSP9))
	if err := q.MarkSeen(t.Context(), news(t, q, NewsFilter{})[0].ID); err != nil {
		t.Fatal(err)
	}
	again := told(1, wire.NoticeReviewOpen)
	again.Notice.Sig = []byte("drawn anew")
	keep(t, q, 1, again, told(2, wire.NoticeNHSP9), told(3, wire.NoticeMoreNeeded))
	if got := news(t, q, NewsFilter{}); len(got) != 3 || !got[0].Seen || string(got[0].Notice.Sig) != "signature" {
		t.Errorf("got %+v", got)
	}
	keep(t, q, 0)
	cursorAt(t, q, 3)
	keep(t, q, 0, told(1, wire.NoticeReviewOpen)) // read again from the beginning
	cursorAt(t, q, 1)
}

// A number that never came is counted, and no longer once it has come.
func TestNewsMissing(t *testing.T) {
	t.Parallel()
	q := openQueue(t, place(t))
	at := func(n, place int) wire.Placed {
		p := told(n, wire.NoticeReviewOpen)
		p.N = uint64(place)
		return p
	}
	keep(t, q, 2, at(1, 1), at(4, 2))
	if s := status(t, q); s.NewsMissing != 2 {
		t.Errorf("two withheld: got %+v", s)
	}
	other := at(2, 3)
	other.Notice.Key = "aabbccddeeff0011" // another opener's second, its first withheld
	keep(t, q, 1, other)
	if s := status(t, q); s.NewsMissing != 3 {
		t.Errorf("and one of another opener: got %+v", s)
	}
	keep(t, q, 2, at(3, 4), at(2, 5))
	if s := status(t, q); s.NewsMissing != 1 || s.News != 5 {
		t.Errorf("two of them came late: got %+v", s)
	}
}

// News that did not verify is kept as that and nothing else, once for each
// place, and not without end.
func TestNewsUnreadable(t *testing.T) {
	t.Parallel()
	path := place(t)
	q := openQueue(t, path)
	forged := told(1, wire.NoticeUnreadable)
	keep(t, q, 2, forged, told(2, wire.NoticeNHSP9))
	keep(t, q, 0, forged)
	q.Close()
	q = openQueue(t, path)
	got := news(t, q, NewsFilter{Unseen: true})
	if len(got) != 2 || got[0].Notice.Kind != wire.NoticeUnreadable || got[0].Notice.Ref != "" || got[0].Notice.Key != "" || !got[0].Notice.At.IsZero() {
		t.Fatalf("got %+v", got)
	}
	if s := status(t, q); s.News != 2 || s.NewsMissing != 1 { // the second of the opener, and no first
		t.Errorf("status: got %+v", s)
	}
	if err := q.MarkSeen(t.Context(), got[0].ID); err != nil {
		t.Error(err)
	}
	var flood []wire.Placed
	for n := range unreadableLimit + 50 {
		flood = append(flood, told(n+3, wire.NoticeUnreadable))
	}
	keep(t, q, unreadableLimit-1, flood...)
	keep(t, q, 1, told(unreadableLimit+60, wire.NoticeNHSP5))
}

// A second identity of the same counter has a list of its own.
func TestNewsOfAnotherAgent(t *testing.T) {
	t.Parallel()
	q := openQueue(t, place(t))
	keep(t, q, 1, told(1, wire.NoticeReviewOpen))
	other := told(1, wire.NoticeReviewOpen)
	other.Notice.Agent = "counter-8"
	if got, err := q.KeepNews(t.Context(), "counter-8", []wire.Placed{other}); err != nil || got != 1 {
		t.Errorf("got %d, %v", got, err)
	}
	if got, err := q.NewsCursor(t.Context(), "counter-8"); err != nil || got != 1 {
		t.Errorf("the cursor is at %d, %v", got, err)
	}
	cursorAt(t, q, 1)
}

// Marks are set for all or for none.
func TestMarkUnknownNews(t *testing.T) {
	t.Parallel()
	q := openQueue(t, place(t))
	keep(t, q, 1, told(1, wire.NoticeReviewOpen))
	id := news(t, q, NewsFilter{})[0].ID
	for name, mark := range map[string]func(context.Context, ...int64) error{"seen": q.MarkSeen, "printed": q.MarkPrinted} {
		if err := mark(t.Context(), id, id+1); !errors.Is(err, ErrUnknown) {
			t.Errorf("%s: got %v, want ErrUnknown", name, err)
		}
		if err := mark(t.Context()); err != nil {
			t.Errorf("%s of nothing: %v", name, err)
		}
	}
	if got := news(t, q, NewsFilter{})[0]; got.Seen || got.Printed {
		t.Errorf("got %+v", got)
	}
}

// A closed queue says so, and keeps nothing.
func TestNewsClosed(t *testing.T) {
	t.Parallel()
	q := openQueue(t, place(t))
	q.Close()
	_, keeping := q.KeepNews(t.Context(), agent, []wire.Placed{told(1, wire.NoticeReviewOpen)})
	_, listing := q.News(t.Context(), NewsFilter{})
	_, cursor := q.NewsCursor(t.Context(), agent)
	for i, err := range []error{keeping, listing, cursor, q.MarkSeen(t.Context(), 1), q.MarkPrinted(t.Context(), 1)} {
		if err == nil {
			t.Errorf("call %d: no error", i)
		}
	}
}

// firstVersion turns a closed queue's file into one of the version before news.
func firstVersion(t testing.TB, path string) {
	t.Helper()
	db := durable.Writer(path)
	defer db.Close()
	_, err := db.ExecContext(t.Context(), `DROP TABLE notice; DROP TABLE news; ALTER TABLE record DROP COLUMN settled; PRAGMA user_version = 1`)
	if err != nil {
		t.Fatal(err)
	}
}

// A file of the version before is brought up to date and keeps its records; one
// that is damaged as well is mended.
func TestUpgrade(t *testing.T) {
	t.Parallel()
	path := place(t)
	items := stored(t, path, 3, 1)
	firstVersion(t, path)
	q := openQueue(t, path)
	if got := holds(t, q, items); len(got) != 3 || state(t, q, 1) != wire.Acked {
		t.Errorf("kept %v", got)
	}
	keep(t, q, 1, told(1, wire.NoticeReviewOpen))
	q.Close()
	q = openQueue(t, path)
	if got := news(t, q, NewsFilter{}); len(got) != 1 {
		t.Errorf("got %+v", got)
	}
	q.Close()
	firstVersion(t, path)
	alter(t, path, func(b []byte) []byte { b[at(t, b, "marker of visit 2.")] ^= 1; return b })
	q, damage := openDamaged(t, path)
	if got := holds(t, q, items); !slices.Equal(got, []wire.Seq{1, 2}) || damage.Missing != 1 {
		t.Errorf("kept %v, %d missing", got, damage.Missing)
	}
	keep(t, q, 1, told(1, wire.NoticeReviewOpen))
}

// A record that went bad does not cost the news, nor news that went bad a
// record. What is lost comes again, because the cursor begins anew.
func TestNewsAndDamage(t *testing.T) {
	t.Parallel()
	fill := func(t *testing.T) (path string, items []Item) {
		path = place(t)
		items = stored(t, path, 3, 1)
		q := openQueue(t, path)
		keep(t, q, 3, told(1, wire.NoticeReviewOpen), told(2, wire.NoticeUnreadable), told(3, wire.NoticeNHSP9))
		if err := q.MarkSeen(t.Context(), news(t, q, NewsFilter{})[0].ID); err != nil {
			t.Fatal(err)
		}
		q.Close()
		return path, items
	}
	t.Run("record", func(t *testing.T) {
		t.Parallel()
		path, items := fill(t)
		alter(t, path, func(b []byte) []byte { b[at(t, b, "marker of visit 2.")] ^= 1; return b })
		q, _ := openDamaged(t, path)
		if got := holds(t, q, items); !slices.Equal(got, []wire.Seq{1, 2}) {
			t.Errorf("kept %v", got)
		}
		if got := news(t, q, NewsFilter{}); len(got) != 3 || !got[0].Seen || got[1].Seen || got[2].Notice.Kind != wire.NoticeNHSP9 {
			t.Errorf("kept %+v", got)
		}
		cursorAt(t, q, 0)
		keep(t, q, 0, told(1, wire.NoticeReviewOpen), told(2, wire.NoticeUnreadable), told(3, wire.NoticeNHSP9))
	})
	t.Run("news", func(t *testing.T) {
		t.Parallel()
		path, items := fill(t)
		alter(t, path, func(b []byte) []byte { return []byte(strings.ReplaceAll(string(b), "nhs_p9", "NHS P9")) })
		q, _ := openDamaged(t, path)
		if got := holds(t, q, items); len(got) != 3 {
			t.Errorf("kept %v", got)
		}
		if got := news(t, q, NewsFilter{}); len(got) != 2 || !got[0].Seen {
			t.Errorf("kept %+v", got)
		}
		keep(t, q, 1, told(1, wire.NoticeReviewOpen), told(2, wire.NoticeUnreadable), told(3, wire.NoticeNHSP9))
	})
	t.Run("table", func(t *testing.T) {
		t.Parallel()
		path, items := fill(t)
		q := openQueue(t, path)
		if _, err := q.writer.ExecContext(t.Context(), `DROP TABLE notice`); err != nil {
			t.Fatal(err)
		}
		q.Close()
		q, _ = openDamaged(t, path)
		if got := holds(t, q, items); len(got) != 3 || len(news(t, q, NewsFilter{})) != 0 {
			t.Errorf("kept %v", got)
		}
	})
}

// Killed at any moment, the counter has all news that was acknowledged, each
// once, and none that was marked as seen is told again.
func TestKillNews(t *testing.T) {
	t.Parallel()
	path := place(t)
	const kills = 12
	all, next := map[int]string{}, 1
	for i := range kills {
		for n, said := range answered(t, path, "news", next, time.Duration(20_000+3_000*i)*time.Microsecond) {
			all[n] = said
		}
		q, damage, err := Open(path)
		if err != nil || damage != nil {
			t.Fatalf("after a kill: %v, %v", damage, err)
		}
		kept, seen := map[uint64]int{}, map[uint64]bool{}
		for _, n := range news(t, q, NewsFilter{Limit: 1_000_000}) {
			kept[n.Notice.Number]++
			seen[n.Notice.Number] = n.Seen
		}
		for n, said := range all {
			if kept[uint64(n)] != 1 {
				t.Fatalf("news %d is here %d times", n, kept[uint64(n)])
			}
			if said == "seen" && !seen[uint64(n)] {
				t.Fatalf("news %d was marked as seen and is told again", n)
			}
		}
		cursor, err := q.NewsCursor(t.Context(), agent)
		if err != nil || int(cursor) < len(all) || len(kept) != int(cursor) || status(t, q).NewsMissing != 0 {
			t.Fatalf("the cursor is at %d with %d kept and %d answered, %v", cursor, len(kept), len(all), err)
		}
		next = int(cursor) + 1
		for n := 1; n < next; n++ {
			if all[n] == "" {
				all[n] = "kept" // stored, and killed before it was said
			}
		}
		q.Close()
	}
	t.Logf("%d kills, %d notices, none lost, none twice", kills, len(all))
	if len(all) < kills {
		t.Errorf("only %d notices were answered", len(all))
	}
}

// keepForEver keeps news as an agent does that acknowledges what is kept, and
// says "n kept" or "n seen" of every notice once that is done.
func keepForEver(path string, from int) error {
	q, damage, err := Open(path)
	if err != nil || damage != nil {
		return fmt.Errorf("opening: %v, %w", damage, err)
	}
	ctx := context.Background()
	for n := from; ; n++ {
		if _, err := q.KeepNews(ctx, agent, []wire.Placed{told(n, wire.NoticeReviewOpen)}); err != nil {
			return err
		}
		said := "kept"
		if n%2 == 0 {
			latest, err := q.News(ctx, NewsFilter{Limit: 1})
			if err != nil {
				return err
			}
			if err := q.MarkSeen(ctx, latest[0].ID); err != nil {
				return err
			}
			said = "seen"
		}
		fmt.Printf("%d %s\n", n, said)
	}
}

// BenchmarkKeepNews measures one durable page of 100.
func BenchmarkKeepNews(b *testing.B) {
	q := openQueue(b, place(b))
	n := 0
	for b.Loop() {
		var page []wire.Placed
		for range 100 {
			n++
			page = append(page, told(n, wire.NoticeReviewOpen))
		}
		if _, err := q.KeepNews(b.Context(), agent, page); err != nil {
			b.Fatal(err)
		}
	}
}
