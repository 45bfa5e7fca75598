package queue

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/counterproof/counterproof/sync/queue/durable"
	"github.com/counterproof/counterproof/sync/queue/parcel"
	"github.com/counterproof/counterproof/sync/wire"
)

// spooled counts the second copies.
func spooled(t testing.TB, path string) int {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(filepath.Dir(path), "spool", "*.record"))
	if err != nil {
		t.Fatal(err)
	}
	if len(files) == 0 { // Glob takes the odd letters of the tests' path for a pattern
		entries, err := os.ReadDir(spoolDir(path))
		if err != nil {
			t.Fatal(err)
		}
		return len(entries)
	}
	return len(files)
}

// Whatever befalls the database, a record that waits is there again, whole and
// in its place; one that the centre holds needs no second copy.
func TestRebuiltFromSpool(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		damage func(t *testing.T, path string)
		want   []wire.Seq
	}{
		"one-page": {func(t *testing.T, path string) { flip(t, path, "marker of visit 3.") }, []wire.Seq{1, 2, 3, 4, 5}},
		"two-pages": {func(t *testing.T, path string) {
			flip(t, path, "marker of visit 2.")
			flip(t, path, "marker of visit 4.")
		}, []wire.Seq{1, 2, 3, 4, 5}},
		"cut-in-half": {func(t *testing.T, path string) {
			fi, err := os.Stat(path)
			if err == nil {
				err = os.Truncate(path, fi.Size()/2)
			}
			if err != nil {
				t.Fatal(err)
			}
		}, []wire.Seq{3, 4, 5}},
		"gone": {func(t *testing.T, path string) {
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
		}, []wire.Seq{3, 4, 5}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := place(t)
			items := stored(t, path, 5, 2)
			if n := spooled(t, path); n != 3 {
				t.Fatalf("%d second copies, want those of the 3 that wait", n)
			}
			c.damage(t, path)
			q, damage, err := Open(path)
			if err != nil || damage == nil {
				t.Fatalf("damage %v, %v", damage, err)
			}
			defer q.Close()
			if got := holds(t, q, items); !slices.Equal(got, c.want) || damage.Missing != 5-len(c.want) {
				t.Errorf("kept %v, %d missing", got, damage.Missing)
			}
			if got := state(t, q, 3); got != wire.Sealed {
				t.Errorf("what waits is %s", got)
			}
		})
	}
}

// flip changes a byte of the file where a text is, and leaves the spool.
func flip(t *testing.T, path, text string) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	b[at(t, b, text)] ^= 1
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

// The database is gone altogether, or an older one was put in its place: what
// waited is on the chain again where the chain can be followed.
func TestOlderDatabase(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(t *testing.T, path string, old []byte){
		"gone": func(t *testing.T, path string, _ []byte) {
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
		},
		"older": func(t *testing.T, path string, old []byte) {
			if err := os.WriteFile(path, old, 0o600); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := place(t)
			stored(t, path, 1, 0)
			old, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			q := openQueue(t, path)
			second, third := enqueue(t, q, 101), enqueue(t, q, 102)
			q.Close()
			change(t, path, old)
			q, damage, err := Open(path)
			if err != nil {
				t.Fatal(err)
			}
			defer q.Close()
			if told := damage != nil; told != (name == "gone") {
				t.Errorf("damage: %v", damage)
			}
			if got := holds(t, q, []Item{second, third}); !slices.Equal(got, []wire.Seq{2, 3}) {
				t.Errorf("kept %v", got)
			}
			if it := enqueue(t, q, 103); it.Seq != 4 {
				t.Errorf("the next has number %d", it.Seq)
			}
		})
	}
}

// The spool's disk fails: the record is stored all the same, and that is told.
func TestSpoolFails(t *testing.T) {
	t.Parallel()
	path := place(t)
	q := openQueue(t, path)
	if err := os.RemoveAll(spoolDir(path)); err != nil {
		t.Fatal(err)
	}
	enqueue(t, q, 1)
	if s, err := q.Status(t.Context()); err != nil || !s.Unspooled || s.Waiting != 1 {
		t.Errorf("got %+v, %v", s, err)
	}
	if err := os.Mkdir(spoolDir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	it := enqueue(t, q, 2)
	if s, err := q.Status(t.Context()); err != nil || s.Unspooled || spooled(t, path) != 1 {
		t.Errorf("when it is back: %+v, %v", s, err)
	}
	ack(t, q, it)
	if n := spooled(t, path); n != 0 {
		t.Errorf("%d second copies of what the centre holds", n)
	}
}

func TestRoomIsTold(t *testing.T) {
	t.Parallel()
	q := openQueue(t, place(t))
	if s, err := q.Status(t.Context()); err != nil || s.Free <= 0 || s.Room != durable.RoomOf(s.Free) {
		t.Errorf("got %d bytes, room %q, %v", s.Free, s.Room, err)
	}
}

// A disk that others fill: warnings come first, the reserve takes the visit that
// is open, the next is refused with the right word, and with room again it goes on.
func TestDiskRunsFull(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=320m"); err != nil {
		t.Skip("SKIPPED: a full disk is not proved here, because this machine allows no mount: " + err.Error())
	}
	t.Cleanup(func() { _ = syscall.Unmount(dir, syscall.MNT_DETACH) })
	path := filepath.Join(dir, "queue", "queue.db")
	q := openQueue(t, path)
	defer q.Close()
	enqueue(t, q, 1)
	if s, err := q.Status(t.Context()); err != nil || s.Room != durable.RoomLow {
		t.Errorf("room %q of %d bytes, %v", s.Room, s.Free, err)
	}
	filler, err := os.Create(filepath.Join(dir, "filler"))
	if err != nil {
		t.Fatal(err)
	}
	defer filler.Close()
	for err == nil {
		_, err = filler.Write(make([]byte, 64<<10))
	}
	if !errors.Is(err, syscall.ENOSPC) {
		t.Fatal(err)
	}
	if s, err := q.Status(t.Context()); err != nil || s.Room != durable.RoomNone || s.Waiting != 1 {
		t.Errorf("on a full disk: %+v, %v", s, err)
	}
	large := func(n int) error {
		_, err := q.Enqueue(t.Context(), visit(n), builder(visit(n), random(3<<20)))
		return err
	}
	if err := large(2); err != nil {
		t.Errorf("the open visit: %v", err)
	}
	n := 3
	for ; n < 20 && err != nil; n++ {
		if err = large(n); wire.KindOf(err) == wire.KindDisk {
			break
		}
		err = syscall.ENOSPC
	}
	if n == 20 {
		t.Fatal("the disk takes more than it has")
	}
	if s, err := q.Status(t.Context()); err != nil || s.Waiting != n-1 {
		t.Errorf("%d wait of %d that were answered: %v", s.Waiting, n-1, err)
	}
	if err := filler.Truncate(0); err != nil {
		t.Fatal(err)
	}
	if err := large(n); err != nil {
		t.Errorf("with room again: %v", err)
	}
	q.Close()
	q = openQueue(t, path)
	if s, err := q.Status(t.Context()); err != nil || s.Waiting != n {
		t.Errorf("after a new start %d wait of %d: %v", s.Waiting, n, err)
	}
}

// A copy that is made while records come opens as a queue, and nothing in it is
// readable that was not.
func TestBackup(t *testing.T) {
	t.Parallel()
	path := place(t)
	q := openQueue(t, path)
	first := enqueue(t, q, 1)
	ack(t, q, first)
	second := enqueue(t, q, 2)
	to := filepath.Join(t.TempDir(), "copy", "queue.db")
	if err := os.Mkdir(filepath.Dir(to), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := q.Backup(t.Context(), to); err != nil {
		t.Fatal(err)
	}
	enqueue(t, q, 3)
	if got := holds(t, openQueue(t, to), []Item{first, second}); len(got) != 2 {
		t.Errorf("the copy holds %v", got)
	}
}

// Only what is proven gives up its parts, and only after its time; what it was
// and the centre's word for it stay.
func TestPurge(t *testing.T) {
	t.Parallel()
	path := place(t)
	items := stored(t, path, 4, 3)
	q := openQueue(t, path)
	for _, seq := range []wire.Seq{1, 2} {
		if err := q.MarkProven(t.Context(), seq); err != nil {
			t.Fatal(err)
		}
	}
	if err := q.MarkProven(t.Context(), 4); !errors.Is(err, ErrState) {
		t.Errorf("a record that waits: got %v, want ErrState", err)
	}
	if n, err := q.Purge(t.Context(), time.Now().Add(-time.Hour)); n != 0 || err != nil {
		t.Errorf("before its time: %d, %v", n, err)
	}
	if n, err := q.Purge(t.Context(), time.Now().Add(time.Hour)); n != 2 || err != nil {
		t.Errorf("purged %d, %v; want the 2 that are proven", n, err)
	}
	for i, want := range []wire.RecordState{wire.Purged, wire.Purged, wire.Acked, wire.Sealed} {
		if got := state(t, q, items[i].Seq); got != want {
			t.Errorf("record %d is %s, want %s", i+1, got, want)
		}
		_, err := q.Envelope(t.Context(), items[i].Seq)
		if gone := err != nil; gone != (want == wire.Purged) {
			t.Errorf("record %d: %v", i+1, err)
		}
	}
	if it, err := q.Item(t.Context(), 1); err != nil || it.Receipt == nil || it.Hash != items[0].Hash {
		t.Errorf("what is left of it: %+v, %v", it, err)
	}
	q.Close()
	if q = openQueue(t, path); state(t, q, 1) != wire.Purged {
		t.Error("the next start finds another state")
	}
	if err := q.Rewind(t.Context(), 1); wire.KindOf(err) != wire.KindDamaged {
		t.Errorf("sending a purged one again: %v", err)
	}
}

// resign signs as a counter does that carries its own record to another place.
func resign(e wire.Envelope, seq wire.Seq, prev wire.Hash) (wire.Envelope, error) {
	h, err := parcel.Carry(e)
	if err != nil {
		return e, err
	}
	h.Agent, h.Seq, h.Prev = agent, seq, prev
	return wire.Envelope{Header: h.Encode(), Signature: []byte("signed anew"), Parts: e.Parts}, nil
}

// Records behind one that was lost are written anew in its place: the same
// visits, whole, in a chain without a hole.
func TestReissueBehindALoss(t *testing.T) {
	t.Parallel()
	path := place(t)
	items := stored(t, path, 5, 1)
	alter(t, path, func(b []byte) []byte { b[at(t, b, "marker of visit 2.")] ^= 1; return b })
	q, _ := openDamaged(t, path) // which adds one more
	before := map[wire.RecordID][]wire.Part{}
	for _, seq := range []wire.Seq{4, 5, 6} {
		e, err := q.Envelope(t.Context(), seq)
		if err != nil {
			t.Fatal(err)
		}
		before[mustHeader(t, e).Record] = e.Parts
	}
	if n, err := q.Reissue(t.Context(), 3, items[1].Hash, resign); n != 3 || err != nil {
		t.Fatalf("written anew: %d, %v", n, err)
	}
	for name, q := range map[string]*Queue{"running": q, "started-again": reopened(t, q, path)} {
		prev := items[1].Hash
		for seq := wire.Seq(2); seq <= 5; seq++ {
			e, err := q.Envelope(t.Context(), seq)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			h := mustHeader(t, e)
			if seq > 2 && (h.Prev != prev || !slices.EqualFunc(e.Parts, before[h.Record], same)) {
				t.Errorf("%s: record %d is not its visit, or does not follow", name, seq)
			}
			if origin, ok := parcel.Origin(h); seq > 2 && (!ok || len(origin.Header) == 0) {
				t.Errorf("%s: record %d does not say what it was", name, seq)
			}
			prev = e.RecHash()
		}
		if s, err := q.Status(t.Context()); err != nil || s.Missing != 0 || s.Waiting != 4 {
			t.Errorf("%s: %+v, %v", name, s, err)
		}
	}
}

// same reports whether two parts are one.
func same(a, b wire.Part) bool { return a.Name == b.Name && bytes.Equal(a.Sealed, b.Sealed) }

// reopened closes and opens a queue.
func reopened(t *testing.T, q *Queue, path string) *Queue {
	t.Helper()
	if err := q.Close(); err != nil {
		t.Fatal(err)
	}
	*q = *openQueue(t, path)
	return q
}

// A record that nobody has whole any more is taken off the chain while the queue
// is open, and nothing of it is deleted: the file is kept as it was.
func TestSetAside(t *testing.T) {
	t.Parallel()
	path := place(t)
	q := openQueue(t, path)
	items := []Item{enqueue(t, q, 1), enqueue(t, q, 2), enqueue(t, q, 3)}
	if _, err := q.SetAside(t.Context(), 2); !errors.Is(err, ErrState) {
		t.Errorf("a whole one: %v", err)
	}
	if _, err := q.writer.ExecContext(t.Context(), `UPDATE part SET sealed = zeroblob(3000) WHERE seq = 2`); err != nil {
		t.Fatal(err)
	}
	unspool(t, path)
	aside, err := q.SetAside(t.Context(), 2)
	if err != nil {
		t.Fatal(err)
	}
	v, err := Look(t.Context(), filepath.Join(filepath.Dir(path), aside))
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	if it, err := v.Item(t.Context(), 2); err != nil || it.Hash != items[1].Hash {
		t.Errorf("what is left of it: %v", err)
	}
	if s, err := q.Status(t.Context()); err != nil || s.Missing != 1 || s.Waiting != 2 || s.Damaged.IsZero() {
		t.Errorf("got %+v, %v", s, err)
	}
	if n, err := q.Reissue(t.Context(), 2, items[0].Hash, resign); n != 1 || err != nil {
		t.Errorf("those behind it: %d, %v", n, err)
	}
	q = reopened(t, q, path)
	if s, err := q.Status(t.Context()); err != nil || s.Missing != 0 || s.Waiting != 2 {
		t.Errorf("the next start: %+v, %v", s, err)
	}
}

func TestReissueRefuses(t *testing.T) {
	t.Parallel()
	q := openQueue(t, place(t))
	items := []Item{enqueue(t, q, 1), enqueue(t, q, 2), enqueue(t, q, 3)}
	own := errors.New("own")
	failing := func(e wire.Envelope, seq wire.Seq, prev wire.Hash) (wire.Envelope, error) {
		if seq == 2 {
			return e, own
		}
		return resign(e, seq, prev)
	}
	if _, err := q.Reissue(t.Context(), 1, wire.Hash{}, failing); !errors.Is(err, own) {
		t.Errorf("got %v", err)
	}
	if _, err := q.Reissue(t.Context(), 2, items[0].Hash, func(e wire.Envelope, _ wire.Seq, _ wire.Hash) (wire.Envelope, error) {
		return resign(e, 9, wire.Hash{})
	}); err == nil {
		t.Error("signed for another place")
	}
	if got := holds(t, q, items); len(got) != 3 || spooled(t, q.path) != 3 {
		t.Errorf("after refusals it holds %v and %d second copies", got, spooled(t, q.path))
	}
	if err := q.MarkQuarantined(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := q.Reissue(t.Context(), 1, wire.Hash{}, resign); !errors.Is(err, ErrState) {
		t.Errorf("a chain in doubt: %v", err)
	}
}

// Somebody looks while the counter runs, and without it.
func TestLook(t *testing.T) {
	t.Parallel()
	path := place(t)
	if _, err := Look(t.Context(), path); err == nil {
		t.Error("looked at nothing")
	}
	q := openQueue(t, path)
	ack(t, q, enqueue(t, q, 1))
	enqueue(t, q, 2)
	enqueue(t, q, 3)
	look := func(name string, want int) {
		v, err := Look(t.Context(), path)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		defer v.Close()
		if s, err := v.Status(t.Context()); err != nil || s.Waiting != want {
			t.Errorf("%s: %+v, %v", name, s, err)
		}
		n := 0
		for seq, get := range v.Records(t.Context(), wire.Sealed, wire.QuarantinedState) {
			if e, err := get(); err != nil || mustHeader(t, e).Seq != seq {
				t.Errorf("%s: record %d: %v", name, seq, err)
			}
			n++
		}
		if n != want {
			t.Errorf("%s: %d records, want %d", name, n, want)
		}
		if h, err := v.Newest(t.Context()); err != nil || int(h.Seq) != want+1 {
			t.Errorf("%s: the newest is %d, %v", name, h.Seq, err)
		}
	}
	look("running", 2)
	enqueue(t, q, 4)
	look("running", 3)
	q.Close()
	look("alone", 3)
	openQueue(t, path)
}

func TestCopyNews(t *testing.T) {
	t.Parallel()
	from := openQueue(t, place(t))
	keep(t, from, 2, told(1, wire.NoticeReviewOpen), told(2, wire.NoticeNHSP9))
	into := openQueue(t, place(t))
	keep(t, into, 1, told(1, wire.NoticeReviewOpen))
	for range 2 {
		if err := into.CopyNews(t.Context(), &from.View); err != nil {
			t.Fatal(err)
		}
		if got := news(t, into, NewsFilter{}); len(got) != 2 {
			t.Errorf("got %d", len(got))
		}
	}
}

// BenchmarkLargeQueue stores and opens queues of records of half a megabyte; with
// COUNTERPROOF_BIG set, of 10,000 of them, which takes 10 GB of disk and minutes.
func BenchmarkLargeQueue(b *testing.B) {
	n := 300
	if os.Getenv("COUNTERPROOF_BIG") != "" {
		n = 10_000
	}
	path := place(b)
	q := openQueue(b, path)
	part := random(500_000)
	times := make([]time.Duration, n)
	for i := range n {
		begin := time.Now()
		if _, err := q.Enqueue(b.Context(), visit(i), builder(visit(i), part)); err != nil {
			b.Fatal(err)
		}
		times[i] = time.Since(begin)
	}
	q.Close()
	slices.Sort(times)
	for b.Loop() {
		q := openQueue(b, path)
		q.Close()
	}
	b.ReportMetric(float64(times[n/2].Microseconds())/1000, "enqueue-p50-ms")
	b.ReportMetric(float64(times[n*99/100].Microseconds())/1000, "enqueue-p99-ms")
	b.Logf("%d records", n)
}
