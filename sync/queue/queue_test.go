package queue

import (
	"bytes"
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/counterproof/counterproof/sync/queue/durable"
	"github.com/counterproof/counterproof/sync/wire"
	"pgregory.net/rapid"
)

const agent wire.AgentID = "counter-7"

// place is where a test's queue lies; its characters must not confuse a URI.
func place(t testing.TB) string {
	return filepath.Join(t.TempDir(), "a b?c#d%41", "queue.db")
}

// openQueue opens a queue that must be whole.
func openQueue(t testing.TB, path string) *Queue {
	t.Helper()
	q, damage, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	if damage != nil {
		t.Fatalf("damaged: %v", damage.Err)
	}
	t.Cleanup(func() { q.Close() })
	return q
}

// visit is the id of the nth visit of a test.
func visit(n int) wire.RecordID {
	return wire.RecordID{byte(n >> 16), byte(n >> 8), byte(n), 0xaa}
}

// record makes an envelope for a place in the chain. The queue looks at no
// signature, so any bytes do.
func record(id wire.RecordID, seq wire.Seq, prev wire.Hash, parts ...[]byte) wire.Envelope {
	h := wire.Header{Version: 1, Agent: agent, Seq: seq, Prev: prev, Record: id, Wall: time.Now().UTC(), App: "0.1.0"}
	var e wire.Envelope
	for i, sealed := range parts {
		name := wire.PartName(fmt.Sprintf("part-%d", i))
		h.Parts = append(h.Parts, wire.PartInfo{Name: name, Recipient: "ab", Len: uint64(len(sealed)), SHA256: wire.HashOf(sealed)})
		e.Parts = append(e.Parts, wire.Part{Name: name, Sealed: sealed})
	}
	e.Header, e.Signature = h.Encode(), []byte("signature")
	return e
}

// builder makes the build function for a visit with these parts.
func builder(id wire.RecordID, parts ...[]byte) func(wire.Seq, wire.Hash) (wire.Envelope, error) {
	return func(seq wire.Seq, prev wire.Hash) (wire.Envelope, error) { return record(id, seq, prev, parts...), nil }
}

// random is n bytes that do not compress, as sealed bytes look.
func random(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b)
	return b
}

// enqueue stores the nth visit with one part of its own.
func enqueue(t testing.TB, q *Queue, n int) Item {
	t.Helper()
	it, err := q.Enqueue(t.Context(), visit(n), builder(visit(n), random(3000)))
	if err != nil {
		t.Fatal(err)
	}
	return it
}

// receipt is the centre's answer to a record.
func receipt(it Item) wire.Receipt {
	return wire.Receipt{Agent: agent, Seq: it.Seq, RecHash: it.Hash, LogIndex: 100 + uint64(it.Seq),
		At: time.UnixMilli(1_700_000_000_000 + int64(it.Seq)).UTC(), Key: "ab", Sig: []byte{1}}
}

func refusal(it Item) wire.Refusal {
	return wire.Refusal{Agent: agent, Seq: it.Seq, RecHash: it.Hash, Reason: "training", Key: "ab", Sig: []byte{1}}
}

func ack(t testing.TB, q *Queue, it Item) {
	t.Helper()
	if err := q.MarkAcked(t.Context(), it.Seq, receipt(it)); err != nil {
		t.Fatal(err)
	}
}

func state(t testing.TB, q *Queue, seq wire.Seq) wire.RecordState {
	t.Helper()
	it, err := q.Item(t.Context(), seq)
	if err != nil {
		t.Fatal(err)
	}
	return it.State
}

func TestEnqueue(t *testing.T) {
	t.Parallel()
	path := place(t)
	q := openQueue(t, path)
	parts := [][]byte{random(4000), random(500_000), {1}}
	before := time.Now().UTC().Truncate(time.Minute)
	first, err := q.Enqueue(t.Context(), visit(1), builder(visit(1), parts...))
	if err != nil {
		t.Fatal(err)
	}
	if first.Seq != 1 || first.State != wire.Sealed || first.ID != visit(1) || first.Ref != visit(1).Ref() {
		t.Errorf("got %+v", first)
	}
	if first.At.Second() != 0 || first.At.Nanosecond() != 0 || first.At.Before(before) {
		t.Errorf("enqueued at %s, want a whole minute from %s", first.At, before)
	}
	second := enqueue(t, q, 2)
	if seq, hash, err := q.Head(t.Context()); err != nil || seq != 2 || hash != second.Hash {
		t.Errorf("head: got %d %s, %v", seq, hash, err)
	}
	if err := q.Close(); err != nil {
		t.Fatal(err)
	}
	q = openQueue(t, path)
	e, err := q.Envelope(t.Context(), 1)
	if err != nil || e.RecHash() != first.Hash {
		t.Fatalf("got record %s, %v; want %s", e.RecHash(), err, first.Hash)
	}
	for i, p := range e.Parts {
		if !bytes.Equal(p.Sealed, parts[i]) {
			t.Errorf("part %d is not what was stored", i)
		}
	}
	if e, err := q.Envelope(t.Context(), 2); err != nil || mustHeader(t, e).Prev != first.Hash {
		t.Errorf("the second does not follow the first, %v", err)
	}
	if got, err := q.Find(t.Context(), visit(1)); err != nil || fmt.Sprint(got) != fmt.Sprint(first) {
		t.Errorf("found %+v, %v; want %+v", got, err, first)
	}
	if fi, err := os.Stat(path); err != nil || fi.Mode().Perm() != 0o600 {
		t.Errorf("the file's mode: got %v, %v; want 0600", fi.Mode(), err)
	}
	if fi, err := os.Stat(path + "-wal"); err == nil && fi.Mode().Perm() != 0o600 {
		t.Errorf("the log's mode: got %v, want 0600", fi.Mode())
	}
}

func mustHeader(t testing.TB, e wire.Envelope) wire.Header {
	t.Helper()
	h, err := e.Check()
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// The same visit again, as after a crash between storing and answering, is the
// first record, whatever would be built now.
func TestEnqueueTwice(t *testing.T) {
	t.Parallel()
	q := openQueue(t, place(t))
	first := enqueue(t, q, 1)
	enqueue(t, q, 2)
	ack(t, q, first)
	again, err := q.Enqueue(t.Context(), visit(1), func(wire.Seq, wire.Hash) (wire.Envelope, error) {
		t.Error("built again")
		return wire.Envelope{}, nil
	})
	if err != nil || again.Hash != first.Hash || again.Seq != 1 || again.State != wire.Acked {
		t.Errorf("got %+v, %v; want the first record", again, err)
	}
	if s, err := q.Status(t.Context()); err != nil || s.Total != 2 {
		t.Errorf("got %d records, %v; want 2", s.Total, err)
	}
}

func TestEnqueueRefuses(t *testing.T) {
	t.Parallel()
	q := openQueue(t, place(t))
	one := enqueue(t, q, 1)
	own := errors.New("the key does not answer")
	id := visit(9)
	change := func(f func(*wire.Header, *wire.Envelope)) func(wire.Seq, wire.Hash) (wire.Envelope, error) {
		return func(seq wire.Seq, prev wire.Hash) (wire.Envelope, error) {
			e := record(id, seq, prev, []byte("sealed"))
			h := mustHeader(t, e)
			f(&h, &e)
			e.Header = h.Encode()
			return e, nil
		}
	}
	for name, build := range map[string]func(wire.Seq, wire.Hash) (wire.Envelope, error){
		"own-error":       func(wire.Seq, wire.Hash) (wire.Envelope, error) { return wire.Envelope{}, own },
		"nothing":         func(wire.Seq, wire.Hash) (wire.Envelope, error) { return wire.Envelope{}, nil },
		"number":          change(func(h *wire.Header, _ *wire.Envelope) { h.Seq++ }),
		"predecessor":     change(func(h *wire.Header, _ *wire.Envelope) { h.Prev[0]++ }),
		"another-visit":   change(func(h *wire.Header, _ *wire.Envelope) { h.Record[0]++ }),
		"another-counter": change(func(h *wire.Header, _ *wire.Envelope) { h.Agent = "counter-8" }),
		"unsigned":        change(func(_ *wire.Header, e *wire.Envelope) { e.Signature = nil }),
		"long-signature":  change(func(_ *wire.Header, e *wire.Envelope) { e.Signature = make([]byte, wire.MaxSignature+1) }),
		"part-altered":    change(func(_ *wire.Header, e *wire.Envelope) { e.Parts[0].Sealed = []byte("other!") }),
		"part-missing":    change(func(_ *wire.Header, e *wire.Envelope) { e.Parts = nil }),
	} {
		if _, err := q.Enqueue(t.Context(), id, build); err == nil {
			t.Errorf("%s: stored", name)
		} else if name == "own-error" && (!errors.Is(err, own) || wire.KindOf(err) != wire.KindNone) {
			t.Errorf("%s: got %v, want the caller's error", name, err)
		}
	}
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := q.Enqueue(cancelled, id, builder(id)); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: got %v", err)
	}
	if seq, hash, err := q.Head(t.Context()); err != nil || seq != 1 || hash != one.Hash {
		t.Errorf("the chain grew to %d, %v", seq, err)
	}
	if it := enqueue(t, q, 2); it.Seq != 2 {
		t.Errorf("the next one got number %d, want 2", it.Seq)
	}
}

// Several visits may end at once; each gets its own place.
func TestEnqueueAtOnce(t *testing.T) {
	t.Parallel()
	path := place(t)
	q := openQueue(t, path)
	const n = 16
	done := make(chan error, n)
	for i := range n {
		go func() {
			_, err := q.Enqueue(context.Background(), visit(i/2), builder(visit(i/2), random(2000)))
			done <- err
		}()
	}
	for range n {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	if err := q.Close(); err != nil {
		t.Fatal(err)
	}
	if s, err := openQueue(t, path).Status(t.Context()); err != nil || s.Total != n/2 {
		t.Errorf("got %d records, %v; want %d", s.Total, err, n/2)
	}
}

func TestUnknownRecords(t *testing.T) {
	t.Parallel()
	q := openQueue(t, place(t))
	for name, err := range map[string]error{
		"item":     second(q.Item(t.Context(), 1)),
		"find":     second(q.Find(t.Context(), visit(1))),
		"envelope": second(q.Envelope(t.Context(), 1)),
		"blobs":    q.MarkBlobs(t.Context(), 1),
		"acked":    q.MarkAcked(t.Context(), 1, receipt(Item{Seq: 1})),
		"refused":  q.MarkRefused(t.Context(), 1, refusal(Item{Seq: 1})),
		"retry":    q.Retry(t.Context(), 1, time.Now(), wire.KindShed),
		"rewind":   q.Rewind(t.Context(), 2),
		"rewind-0": q.Rewind(t.Context(), 0),
	} {
		if !errors.Is(err, ErrUnknown) {
			t.Errorf("%s: got %v, want ErrUnknown", name, err)
		}
	}
	if it, ok, err := q.Due(t.Context(), time.Now()); ok || err != nil || it.Seq != 0 {
		t.Errorf("due: got %v, %v, %v; want nothing", it, ok, err)
	}
	if seq, hash, err := q.Head(t.Context()); seq != 0 || !hash.IsZero() || err != nil {
		t.Errorf("head: got %d %s, %v; want none", seq, hash, err)
	}
	if err := q.Rewind(t.Context(), 1); err != nil {
		t.Errorf("rewinding an empty queue to its beginning: %v", err)
	}
}

func second[T any](_ T, err error) error { return err }

// Every step that is not in the table is refused and changes nothing.
func TestMoves(t *testing.T) {
	t.Parallel()
	q := openQueue(t, place(t))
	acts := map[wire.RecordState]func(Item) error{
		wire.BlobsSent:    func(it Item) error { return q.MarkBlobs(t.Context(), it.Seq) },
		wire.Acked:        func(it Item) error { return q.MarkAcked(t.Context(), it.Seq, receipt(it)) },
		wire.RefusedState: func(it Item) error { return q.MarkRefused(t.Context(), it.Seq, refusal(it)) },
	}
	all := []wire.RecordState{wire.Sealed, wire.BlobsSent, wire.Acked, wire.Proven, wire.Purged, wire.RefusedState, wire.QuarantinedState}
	allowed := map[move]bool{
		{wire.Sealed, wire.BlobsSent}: true, {wire.Sealed, wire.Acked}: true, {wire.Sealed, wire.RefusedState}: true,
		{wire.BlobsSent, wire.Acked}: true, {wire.BlobsSent, wire.RefusedState}: true,
	}
	it := enqueue(t, q, 1)
	for _, from := range all {
		for to, act := range acts {
			if _, err := q.writer.ExecContext(t.Context(), `UPDATE record SET state = ?`, from); err != nil {
				t.Fatal(err)
			}
			err := act(it)
			want := from
			if allowed[move{from, to}] {
				want = to
			}
			if got := state(t, q, 1); got != want {
				t.Errorf("%s to %s: the state is %s, want %s", from, to, got, want)
			}
			if ok := want == to; ok != (err == nil) || !ok && !errors.Is(err, ErrState) {
				t.Errorf("%s to %s: got %v", from, to, err)
			}
		}
	}
}

// An answer about another record changes nothing.
func TestAnswersMustName(t *testing.T) {
	t.Parallel()
	q := openQueue(t, place(t))
	it := enqueue(t, q, 1)
	other := enqueue(t, q, 2)
	for name, change := range map[string]func(*wire.Receipt){
		"agent": func(r *wire.Receipt) { r.Agent = "counter-8" },
		"seq":   func(r *wire.Receipt) { r.Seq = 2 },
		"hash":  func(r *wire.Receipt) { r.RecHash = other.Hash },
		"zero":  func(r *wire.Receipt) { *r = wire.Receipt{} },
	} {
		r := receipt(it)
		change(&r)
		if err := q.MarkAcked(t.Context(), 1, r); wire.KindOf(err) != wire.KindProtocol {
			t.Errorf("receipt, %s: got %v, want kind protocol", name, err)
		}
		f := wire.Refusal{Agent: r.Agent, Seq: r.Seq, RecHash: r.RecHash}
		if err := q.MarkRefused(t.Context(), 1, f); wire.KindOf(err) != wire.KindProtocol {
			t.Errorf("refusal, %s: got %v, want kind protocol", name, err)
		}
	}
	if got, err := q.Item(t.Context(), 1); err != nil || got.State != wire.Sealed || got.Receipt != nil || got.Refusal != nil {
		t.Errorf("got %+v, %v; want it untouched", got, err)
	}
}

func TestReceiptIsKept(t *testing.T) {
	t.Parallel()
	q := openQueue(t, place(t))
	it := enqueue(t, q, 1)
	ack(t, q, it)
	later := receipt(it)
	later.LogIndex = 999
	if err := q.MarkAcked(t.Context(), 1, later); err != nil {
		t.Fatal(err)
	}
	got, err := q.Item(t.Context(), 1)
	if err != nil || got.Receipt == nil || got.Receipt.LogIndex != receipt(it).LogIndex {
		t.Errorf("got %+v, %v; want the first receipt", got.Receipt, err)
	}
	if s, err := q.Status(t.Context()); err != nil || !s.LastReceipt.Equal(receipt(it).At) {
		t.Errorf("last receipt: got %s, %v; want %s", s.LastReceipt, err, receipt(it).At)
	}
}

func TestDueGoesInOrder(t *testing.T) {
	t.Parallel()
	q := openQueue(t, place(t))
	var items []Item
	for n := range 4 {
		items = append(items, enqueue(t, q, n))
	}
	now := time.Now()
	due := func(now time.Time) (wire.Seq, bool) {
		it, ok, err := q.Due(t.Context(), now)
		if err != nil {
			t.Fatal(err)
		}
		return it.Seq, ok
	}
	expect := func(what string, wantSeq wire.Seq, want bool) {
		t.Helper()
		if seq, ok := due(now); seq != wantSeq || ok != want {
			t.Errorf("%s: got %d, %v; want %d, %v", what, seq, ok, wantSeq, want)
		}
	}
	expect("at first", 1, true)
	if err := q.MarkBlobs(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	expect("its blobs sent", 1, true)
	next := now.Add(time.Minute)
	if err := q.Retry(t.Context(), 1, next, wire.KindShed); err != nil {
		t.Fatal(err)
	}
	expect("failed once", 1, false)
	if seq, ok := due(next); seq != 1 || !ok {
		t.Errorf("when its time has come: got %d, %v", seq, ok)
	}
	it, err := q.Item(t.Context(), 1)
	if err != nil || it.Attempts != 1 || it.Kind != wire.KindShed || !it.NextTry.Equal(next.Truncate(time.Millisecond)) {
		t.Errorf("got %+v, %v", it, err)
	}
	ack(t, q, items[0])
	if it, err := q.Item(t.Context(), 1); err != nil || it.Attempts != 0 || it.Kind != "" || !it.NextTry.IsZero() {
		t.Errorf("acknowledged: got %+v, %v; want the tries cleared", it, err)
	}
	expect("the first acknowledged", 2, true)
	if err := q.MarkRefused(t.Context(), 2, refusal(items[1])); err != nil {
		t.Fatal(err)
	}
	expect("the second refused", 3, true)
	if err := q.Retry(t.Context(), 2, now, wire.KindShed); !errors.Is(err, ErrState) {
		t.Errorf("retrying a refused one: got %v, want ErrState", err)
	}
	if err := q.MarkQuarantined(t.Context()); err != nil {
		t.Fatal(err)
	}
	expect("in quarantine", 0, false)
	if it := enqueue(t, q, 5); it.Seq != 5 {
		t.Errorf("a visit in quarantine: got number %d", it.Seq)
	}
	expect("a visit after it", 0, false)
	s, err := q.Status(t.Context())
	if err != nil || s.Waiting != 1 || s.Refused != 1 || s.Quarantined != 2 || s.Total != 5 || s.Oldest.IsZero() {
		t.Errorf("got %+v, %v", s, err)
	}
}

// A centre restored from a backup expects a lower number: everything from
// there on is sent again.
func TestRewind(t *testing.T) {
	t.Parallel()
	path := place(t)
	q := openQueue(t, path)
	var items []Item
	for n := range 6 {
		items = append(items, enqueue(t, q, n))
	}
	ack(t, q, items[0])
	ack(t, q, items[1])
	if err := q.MarkRefused(t.Context(), 3, refusal(items[2])); err != nil {
		t.Fatal(err)
	}
	ack(t, q, items[3])
	if err := q.MarkBlobs(t.Context(), 5); err != nil {
		t.Fatal(err)
	}
	if err := q.Retry(t.Context(), 5, time.Now().Add(time.Hour), wire.KindUnreachable); err != nil {
		t.Fatal(err)
	}
	if err := q.Rewind(t.Context(), 7); err != nil || state(t, q, 5) != wire.BlobsSent {
		t.Errorf("to one past the end: %v, state %s", err, state(t, q, 5))
	}
	if err := q.Rewind(t.Context(), 2); err != nil {
		t.Fatal(err)
	}
	for seq, want := range []wire.RecordState{"", wire.Acked, wire.Sealed, wire.Sealed, wire.Sealed, wire.Sealed, wire.Sealed} {
		if seq > 0 && state(t, q, wire.Seq(seq)) != want {
			t.Errorf("record %d: got %s, want %s", seq, state(t, q, wire.Seq(seq)), want)
		}
	}
	it, ok, err := q.Due(t.Context(), time.Now())
	if err != nil || !ok || it.Seq != 2 || it.Receipt == nil {
		t.Errorf("due: got %d, %v, %v; want 2 with its old receipt", it.Seq, ok, err)
	}
	fresh := receipt(items[1])
	fresh.LogIndex = 7
	if err := q.MarkAcked(t.Context(), 2, fresh); err != nil {
		t.Fatal(err)
	}
	if it, err := q.Item(t.Context(), 2); err != nil || it.Receipt.LogIndex != 7 {
		t.Errorf("the new receipt was not stored: %+v, %v", it.Receipt, err)
	}
	q.Close()
	openQueue(t, path)
}

func TestItems(t *testing.T) {
	t.Parallel()
	q := openQueue(t, place(t))
	for n := range 5 {
		enqueue(t, q, n)
	}
	for limit, want := range map[int][]wire.Seq{-1: nil, 0: nil, 2: {5, 4}, 9: {5, 4, 3, 2, 1}} {
		items, err := q.Items(t.Context(), limit)
		var got []wire.Seq
		for _, it := range items {
			got = append(got, it.Seq)
		}
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("limit %d: got %v, %v; want %v", limit, got, err, want)
		}
	}
}

// A full disk loses nothing that was stored, says so, and is got over.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	path := place(t)
	q := openQueue(t, path)
	first := enqueue(t, q, 1)
	limit := func(pages int) {
		if _, err := q.writer.ExecContext(t.Context(), fmt.Sprintf("PRAGMA max_page_count = %d", pages)); err != nil {
			t.Fatal(err)
		}
	}
	var pages int
	if err := q.writer.QueryRowContext(t.Context(), "PRAGMA page_count").Scan(&pages); err != nil {
		t.Fatal(err)
	}
	limit(pages + 5)
	for range 3 {
		_, err := q.Enqueue(t.Context(), visit(2), builder(visit(2), random(500_000)))
		if wire.KindOf(err) != wire.KindDisk {
			t.Errorf("got %v, want kind disk", err)
		}
	}
	if e, err := q.Envelope(t.Context(), 1); err != nil || e.RecHash() != first.Hash {
		t.Errorf("the record before: %v", err)
	}
	limit(1 << 30)
	if it, err := q.Enqueue(t.Context(), visit(2), builder(visit(2), random(500_000))); err != nil || it.Seq != 2 {
		t.Errorf("with room again: got %d, %v", it.Seq, err)
	}
	q.Close()
	if s, err := openQueue(t, path).Status(t.Context()); err != nil || s.Total != 2 {
		t.Errorf("got %d records, %v; want 2", s.Total, err)
	}
}

func TestUnusablePlace(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := Open(filepath.Join(file, "queue.db")); wire.KindOf(err) != wire.KindDisk {
		t.Errorf("in a file: got %v, want kind disk", err)
	}
	if _, _, err := Open(t.TempDir()); err == nil {
		t.Error("opened a folder")
	}
}

// model is what a queue should be after any run of calls.
type model struct {
	states []wire.RecordState
	items  []Item
}

// due is the model's idea of what is sent next.
func (m *model) due() wire.Seq {
	if slices.Contains(m.states, wire.QuarantinedState) {
		return 0
	}
	for i, s := range m.states {
		if s == wire.Sealed || s == wire.BlobsSent {
			return wire.Seq(i + 1)
		}
	}
	return 0
}

// mark moves the model's record if the step is allowed.
func (m *model) mark(i int, to wire.RecordState) {
	if slices.Contains(moves, move{m.states[i], to}) {
		m.states[i] = to
	}
}

func TestAnyOrderOfCalls(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	runs := 0
	rapid.Check(t, func(t *rapid.T) {
		runs++
		path := filepath.Join(folder, fmt.Sprint(runs), "queue.db")
		q, _, err := Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { q.Close() }()
		ctx := context.Background()
		var m model
		some := func(t *rapid.T) int {
			if len(m.states) == 0 {
				t.Skip("no record yet")
			}
			return rapid.IntRange(0, len(m.states)-1).Draw(t, "record")
		}
		t.Repeat(map[string]func(*rapid.T){
			"enqueue": func(t *rapid.T) {
				n := len(m.states)
				it, err := q.Enqueue(ctx, visit(n), builder(visit(n), random(10)))
				if err != nil {
					t.Fatal(err)
				}
				m.states, m.items = append(m.states, wire.Sealed), append(m.items, it)
			},
			"enqueue-again": func(t *rapid.T) {
				i := some(t)
				if it, err := q.Enqueue(ctx, visit(i), builder(visit(i), random(10))); err != nil || it.Hash != m.items[i].Hash {
					t.Fatalf("got another record, %v", err)
				}
			},
			"blobs": func(t *rapid.T) { i := some(t); _ = q.MarkBlobs(ctx, m.items[i].Seq); m.mark(i, wire.BlobsSent) },
			"acked": func(t *rapid.T) {
				i := some(t)
				_ = q.MarkAcked(ctx, m.items[i].Seq, receipt(m.items[i]))
				m.mark(i, wire.Acked)
			},
			"refuse": func(t *rapid.T) {
				i := some(t)
				_ = q.MarkRefused(ctx, m.items[i].Seq, refusal(m.items[i]))
				m.mark(i, wire.RefusedState)
			},
			"retry": func(t *rapid.T) { i := some(t); _ = q.Retry(ctx, m.items[i].Seq, time.Time{}, wire.KindShed) },
			"rewind": func(t *rapid.T) {
				i := some(t)
				if err := q.Rewind(ctx, m.items[i].Seq); err != nil {
					t.Fatal(err)
				}
				for j := i; j < len(m.states); j++ {
					if m.states[j] != wire.QuarantinedState {
						m.states[j] = wire.Sealed
					}
				}
			},
			"quarantine": func(t *rapid.T) {
				if rapid.IntRange(0, 5).Draw(t, "seldom") > 0 {
					t.Skip("seldom")
				}
				if err := q.MarkQuarantined(ctx); err != nil {
					t.Fatal(err)
				}
				for i := range m.states {
					m.mark(i, wire.QuarantinedState)
				}
			},
			"restart": func(t *rapid.T) {
				q.Close()
				var damage *Damage
				if q, damage, err = Open(path); err != nil || damage != nil {
					t.Fatal(damage, err)
				}
			},
			"": func(t *rapid.T) {
				it, ok, err := q.Due(ctx, time.Now())
				if err != nil || it.Seq != m.due() || ok != (it.Seq != 0) {
					t.Fatalf("due: got %d, %v, %v; want %d", it.Seq, ok, err, m.due())
				}
				items, err := q.Items(ctx, len(m.states)+1)
				if err != nil || len(items) != len(m.states) {
					t.Fatalf("got %d records, %v; want %d", len(items), err, len(m.states))
				}
				slices.Reverse(items)
				for i, it := range items {
					if it.State != m.states[i] || it.Hash != m.items[i].Hash {
						t.Fatalf("record %d: got %s, want %s", i+1, it.State, m.states[i])
					}
				}
			},
		})
	})
}

func BenchmarkEnqueue(b *testing.B) {
	for _, size := range []int{2_000, 500_000} {
		b.Run(fmt.Sprintf("%dKB", size/1000), func(b *testing.B) {
			q := openQueue(b, place(b))
			sealed := random(size)
			var took []time.Duration
			for n := 0; b.Loop(); n++ {
				start := time.Now()
				if _, err := q.Enqueue(b.Context(), visit(n), builder(visit(n), sealed)); err != nil {
					b.Fatal(err)
				}
				took = append(took, time.Since(start))
			}
			slices.Sort(took)
			at := func(share float64) float64 {
				return float64(took[int(float64(len(took)-1)*share)].Microseconds()) / 1000
			}
			b.ReportMetric(at(0.5), "p50-ms")
			b.ReportMetric(at(0.99), "p99-ms")
			b.ReportMetric(at(1), "max-ms")
		})
	}
}

// BenchmarkOpen opens a queue of 200 records of 0.5 MB, half of them waiting.
func BenchmarkOpen(b *testing.B) {
	path := place(b)
	q := openQueue(b, path)
	for n := range 200 {
		it, err := q.Enqueue(b.Context(), visit(n), builder(visit(n), random(500_000)))
		if err != nil {
			b.Fatal(err)
		}
		if n < 100 {
			ack(b, q, it)
		}
	}
	q.Close()
	for b.Loop() {
		q, damage, err := Open(path)
		if err != nil || damage != nil {
			b.Fatal(damage, err)
		}
		q.Close()
	}
}

// BenchmarkStatus sums up a queue of 2,000 records.
func BenchmarkStatus(b *testing.B) {
	q := openQueue(b, place(b))
	err := durable.Transact(b.Context(), q.writer, func(tx *sql.Tx) error {
		var prev wire.Hash
		for n := range 2000 {
			e := record(visit(n), wire.Seq(n+1), prev)
			prev = e.RecHash()
			it := Item{Seq: wire.Seq(n + 1), ID: visit(n), Hash: prev, State: wire.Acked, At: time.Now()}
			if err := insert(b.Context(), tx, it, e); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := q.Status(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
}
