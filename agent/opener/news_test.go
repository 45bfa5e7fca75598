package opener

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/counterproof/counterproof/sync/wire"
)

// teller is a worker that tells one kind of news about every record it took, and
// reopens it first.
type teller struct {
	o      *Opener
	kind   wire.NoticeKind
	taken  []Result
	full   error // of the disk
	closed bool
}

func (w *teller) Take(_ context.Context, r Result) error {
	if w.full == nil {
		w.taken = append(w.taken, r)
	}
	return w.full
}

func (w *teller) Work(ctx context.Context) error {
	for _, r := range w.taken {
		again, err := w.o.Reopen(ctx, r.LogIndex)
		if err != nil {
			return err
		}
		if again.RecHash != r.RecHash {
			return errors.New("another record came")
		}
		if err := w.o.Tell(ctx, r.Agent, r.Ref, w.kind, time.Now()); err != nil {
			return err
		}
	}
	return nil
}

func (w *teller) Close() error {
	w.closed = true
	return nil
}

// work opens the opener with a teller and takes what is new.
func (w *world) work(kind wire.NoticeKind) (*teller, error) {
	w.t.Helper()
	o := w.open()
	worker := &teller{o: o, kind: kind}
	o.Use(worker)
	_, err := o.Once(w.t.Context(), nil)
	return worker, err
}

// kinds lists what the centre was told.
func (f *fakeCentre) kinds() []wire.NoticeKind {
	var out []wire.NoticeKind
	for _, n := range f.posted {
		out = append(out, n.Kind)
	}
	return out
}

func TestNewsIsToldOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t, true)
	for range 3 {
		w.add(sealing{})
	}
	worker, err := w.work(wire.NoticeFinalKept)
	if err != nil || len(worker.taken) != 3 {
		t.Fatalf("took %d: %v", len(worker.taken), err)
	}
	// The log from its beginning: nothing is told again, something else is.
	for _, kind := range []wire.NoticeKind{wire.NoticeFinalKept, wire.NoticeNHSP9} {
		if err := os.Remove(filepath.Join(w.dir, cursorFile)); err != nil {
			t.Fatal(err)
		}
		if _, err := w.work(kind); err != nil {
			t.Fatal(err)
		}
	}
	if !worker.closed {
		t.Error("the worker was not closed with the opener")
	}
	if len(w.posted) != 6 || w.posted[2].Number != 3 || w.posted[5].Number != 6 || w.posted[0].Agent != "agent-7" {
		t.Errorf("the centre holds %+v", w.posted)
	}
	for _, n := range w.posted {
		if _, err := wire.ParseRef(string(n.Ref)); err != nil || n.At.IsZero() {
			t.Errorf("%+v is no news", n)
		}
	}
}

// A list that the disk has lost is taken from the centre before anything is
// added, so that numbers go on and nothing is told twice.
func TestLostList(t *testing.T) {
	t.Parallel()
	w := newWorld(t, true)
	w.add(sealing{})
	if _, err := w.work(wire.NoticeFinalKept); err != nil {
		t.Fatal(err)
	}
	_ = w.last.Close()
	if err := os.Remove(filepath.Join(w.dir, "notices-agent-opener.jsonl")); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(w.dir, cursorFile)); err != nil {
		t.Fatal(err)
	}
	w.add(sealing{})
	if _, err := w.work(wire.NoticeFinalKept); err != nil {
		t.Fatal(err)
	}
	if got := w.kinds(); len(got) != 2 || w.posted[1].Number != 2 {
		t.Errorf("the centre holds %+v", w.posted)
	}
}

func TestNothingIsToldBeforeTheListsAreCompared(t *testing.T) {
	t.Parallel()
	w := newWorld(t, true)
	w.add(sealing{})
	w.silent = true
	worker, err := w.work(wire.NoticeFinalKept)
	if wire.KindOf(err) != wire.KindUnreachable || len(worker.taken) != 1 {
		t.Fatalf("took %d: %v", len(worker.taken), err)
	}
	if err := worker.o.Tell(t.Context(), "agent-7", "x", wire.NoticeFinalKept, time.Now()); !errors.Is(err, errNotLevel) {
		t.Errorf("told before the lists were compared: %v", err)
	}
	w.silent = false
	if _, err := w.last.Once(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(w.kinds(), []wire.NoticeKind{wire.NoticeFinalKept}) {
		t.Errorf("the centre holds %v", w.kinds())
	}
}

// A worker that cannot keep a case stops the cursor.
func TestCursorWaitsForTheWorker(t *testing.T) {
	t.Parallel()
	w := newWorld(t, true)
	w.add(sealing{})
	full := errors.New("no space")
	o := w.open()
	o.Use(&teller{o: o, full: full})
	if _, err := o.Once(t.Context(), nil); !errors.Is(err, full) {
		t.Fatalf("got %v", err)
	}
	worker, err := w.work(wire.NoticeFinalKept)
	if err != nil || len(worker.taken) != 1 || !worker.taken[0].Again {
		t.Errorf("the record did not come again: %d, %v", len(worker.taken), err)
	}
}

func TestReopen(t *testing.T) {
	t.Parallel()
	w := newWorld(t, true)
	first, second := w.add(sealing{}), w.add(sealing{after: func(e *wire.Envelope) { e.Parts[0].Sealed[0] ^= 1 }})
	o := w.open()
	r, err := o.Reopen(t.Context(), 1)
	if v, ok := r.Visit(); err != nil || !ok || r.RecHash != first.Receipt.RecHash || v.Claims.Person.Surname.ICAO != "SPECIMEN" {
		t.Errorf("the first came as %+v, %v", r, err)
	}
	if r, err := o.Reopen(t.Context(), 2); err != nil || r.Kind != KindDamaged || r.RecHash != second.Receipt.RecHash {
		t.Errorf("the damaged one came as %+v, %v", r, err)
	}
	for _, index := range []uint64{0, 3} {
		if _, err := o.Reopen(t.Context(), index); err == nil {
			t.Errorf("the record at %d was opened", index)
		}
	}
	w.cut = 1
	if _, err := o.Reopen(t.Context(), 1); wire.KindOf(err) != wire.KindUnreachable {
		t.Errorf("a broken line is %v", err)
	}
}

// A list with a hole is not gone on with; a torn last line is.
func TestDamagedList(t *testing.T) {
	t.Parallel()
	w := newWorld(t, true)
	w.add(sealing{})
	w.add(sealing{})
	if _, err := w.work(wire.NoticeFinalKept); err != nil {
		t.Fatal(err)
	}
	_ = w.last.Close()
	path := filepath.Join(w.dir, "notices-agent-opener.jsonl")
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	write := func(b []byte) {
		t.Helper()
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(append(slices.Clone(whole), `{"place":3,"no`...))
	if _, err := w.work(wire.NoticeFinalKept); err != nil || len(w.posted) != 2 {
		t.Errorf("after a torn line: %v, %d told", err, len(w.posted))
	}
	_ = w.last.Close()
	write(whole[slices.Index(whole, '\n')+1:])
	if _, err := w.work(wire.NoticeFinalKept); err == nil {
		t.Error("a list without its first line is gone on with")
	}
}

func TestTrainingIsTold(t *testing.T) {
	t.Parallel()
	for _, training := range []bool{true, false} {
		w := newWorld(t, training)
		o := w.open()
		if got, err := o.Training(); err != nil || got != training || o.Folder() != w.dir {
			t.Errorf("training %t, %v, want %t", got, err, training)
		}
	}
	o, err := Open(Config{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer o.Close()
	if training, err := o.Training(); training || err != nil {
		t.Errorf("who is not enrolled is in training: %t, %v", training, err)
	}
	if _, err := o.Reopen(t.Context(), 1); wire.KindOf(err) != wire.KindNotEnrolled {
		t.Errorf("who is not enrolled reopens: %v", err)
	}
}
