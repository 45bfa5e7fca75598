package storetest

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/counterproof/counterproof/sync/object"
	"github.com/counterproof/counterproof/sync/object/dir"
	"github.com/counterproof/counterproof/sync/store"
	"github.com/counterproof/counterproof/sync/wire"
)

// OpenOutside opens the store that lies in dir, with its blobs in the given
// objects; nil keeps them inside.
type OpenOutside func(ctx context.Context, dir string, o object.Store) (Store, error)

// Sweeper is a store that finds the objects that no blob names.
type Sweeper interface {
	Sweep(ctx context.Context) (removed int, err error)
}

// RunOutside holds a store whose blobs lie in objects to every rule of the
// contract, and to those of what lies outside.
func RunOutside(t *testing.T, open OpenOutside) {
	Run(t, func(ctx context.Context, dir string) (Store, error) {
		o, err := objects(dir)
		if err != nil {
			return nil, err
		}
		return open(ctx, dir, o)
	})
	for _, rule := range OutsideRules() {
		t.Run(rule.Name, func(t *testing.T) {
			t.Parallel()
			if err := rule.Check(t.Context(), t.TempDir(), open); err != nil {
				t.Error(err)
			}
		})
	}
}

// OutsideRule is one law of blobs that lie outside.
type OutsideRule struct {
	Name  string
	check func(*outside) error
}

// Check holds the store that open makes in the empty folder dir to the rule.
func (r OutsideRule) Check(ctx context.Context, dir string, open OpenOutside) error {
	o, err := objects(dir)
	if err != nil {
		return err
	}
	w := &outside{objects: &faulty{Store: o}, chain: chain{agent: "a"}}
	w.world = world{ctx: ctx, dir: dir, open: func(ctx context.Context, dir string) (Store, error) {
		if w.inside {
			return open(ctx, dir, nil)
		}
		return open(ctx, dir, w.objects)
	}}
	if err := w.reopen(); err != nil {
		return err
	}
	return errors.Join(w.enrol("a"), r.check(w), w.Close())
}

// OutsideRules lists the laws of blobs that lie outside, by name.
func OutsideRules() []OutsideRule {
	return []OutsideRule{
		{"outside/lies-there", outsideLiesThere},
		{"outside/crash-before-commit", outsideCrash},
		{"outside/refuses-a-failed-put", outsideFailedPut},
		{"outside/out-of-reach-is-not-damaged", outsideOutOfReach},
		{"outside/damage-told", outsideDamaged},
		{"outside/erased", outsideErased},
		{"outside/erase-cut-short", outsideEraseCut},
		{"outside/inside-before", outsideInsideBefore},
		{"outside/other-place-refused", outsideOtherPlace},
	}
}

// objects opens the objects beside a store.
func objects(folder string) (object.Store, error) { return dir.Open(filepath.Join(folder, "objects")) }

// errAway is what objects answer that are out of reach.
var errAway = errors.New("the objects are out of reach")

// faulty fails on demand.
type faulty struct {
	object.Store
	put, after, get, del bool // fail before putting, after it, reading, deleting
}

func (f *faulty) Put(ctx context.Context, name wire.Hash, data []byte) error {
	if f.put {
		return errAway
	}
	err := f.Store.Put(ctx, name, data)
	if f.after {
		return errAway
	}
	return err
}

func (f *faulty) Get(ctx context.Context, name wire.Hash) ([]byte, error) {
	if f.get {
		return nil, errAway
	}
	return f.Store.Get(ctx, name)
}

func (f *faulty) Delete(ctx context.Context, name wire.Hash) error {
	if f.del {
		return errAway
	}
	return f.Store.Delete(ctx, name)
}

// outside is a world whose blobs lie in objects.
type outside struct {
	world
	objects *faulty
	inside  bool // open it without objects
	chain   chain
}

// upload sends a blob in two pieces.
func (w *outside) upload(data []byte) error {
	p := store.Piece{Agent: "a", SHA256: wire.HashOf(data), Data: data[:3]}
	if err := w.put(p, store.Progress{Offset: 3}, nil); err != nil {
		return err
	}
	p.Offset, p.Data, p.Last = 3, data[3:], true
	return w.put(p, store.Progress{Offset: int64(len(data)), Complete: true}, nil)
}

// record sends a record whose only part went ahead.
func (w *outside) record(data []byte) error {
	return errors.Join(w.upload(data), w.acceptAll(withoutParts(w.chain.next(data))))
}

// holds compares how many objects there are.
func (w *outside) holds(want int) error {
	names, err := w.objects.List(w.ctx, wire.Hash{}, 10)
	return errors.Join(err, equal("objects", len(names), want))
}

// sweeps compares how many objects a sweep removes.
func (w *outside) sweeps(want int) error {
	s, ok := w.Store.(Sweeper)
	if !ok {
		return errors.New("the store does not sweep")
	}
	got, err := s.Sweep(w.ctx)
	return errors.Join(err, equal("swept", got, want))
}

// reads compares the parts of the records from the first on.
func (w *outside) reads(want ...string) error {
	records, err := w.Records(w.ctx, 0, 10)
	if err != nil || len(records) != len(want) {
		return fmt.Errorf("got %d records (%w), want %d", len(records), err, len(want))
	}
	for i, r := range records {
		if got := string(r.Envelope.Parts[0].Sealed); r.Damaged || got != want[i] {
			return fmt.Errorf("record %d: got %q, damaged %v, want %q", i+1, got, r.Damaged, want[i])
		}
	}
	return nil
}

// outsideLiesThere: a complete blob is an object, and half a one is not.
func outsideLiesThere(w *outside) error {
	half := store.Piece{Agent: "a", SHA256: random(), Data: []byte("half")}
	return errors.Join(
		w.put(half, store.Progress{Offset: 4}, nil), w.holds(0),
		w.record([]byte("picture one")), w.holds(1),
		w.reopen(),
		w.reads("picture one"), w.sweeps(0), w.holds(1),
	)
}

// outsideCrash: what was stored outside and never committed is no blob; it is
// swept, or used when it comes again, and costs none of the others.
func outsideCrash(w *outside) error {
	one, two := []byte("picture one"), []byte("picture two")
	err := w.record(one)
	w.objects.after = true
	if w.upload(two) == nil {
		err = errors.Join(err, errors.New("the blob was called complete"))
	}
	w.objects.after = false
	return errors.Join(err, w.reopen(),
		w.has("a", wire.HashOf(two), store.Progress{Offset: 3}), w.holds(2),
		w.sweeps(1), w.holds(1), w.reads("picture one"),
		w.put(store.Piece{Agent: "a", SHA256: wire.HashOf(two), Offset: 3, Data: two[3:], Last: true}, store.Progress{Offset: 11, Complete: true}, nil),
		w.acceptAll(withoutParts(w.chain.next(two))), w.reads("picture one", "picture two"), w.sweeps(0),
	)
}

// outsideFailedPut: a blob that could not be stored outside is not held, and no
// record that names it is taken.
func outsideFailedPut(w *outside) error {
	data := []byte("picture one")
	w.objects.put = true
	var err error
	if w.upload(data) == nil {
		err = errors.New("the blob was called complete")
	}
	_, answer := w.accept(withoutParts(w.chain.next(data)), wire.MissingBlobs)
	return errors.Join(err, answer, w.has("a", wire.HashOf(data), store.Progress{Offset: 3}))
}

// outsideOutOfReach: objects that do not answer are an error, which passes.
func outsideOutOfReach(w *outside) error {
	err := w.record([]byte("picture one"))
	w.objects.get = true
	_, reading := w.Records(w.ctx, 0, 1)
	err = errors.Join(err, wantError("reading", reading, errAway))
	w.objects.get = false
	return errors.Join(err, w.reads("picture one"))
}

// outsideDamaged: an object that is gone damages its record and no other.
func outsideDamaged(w *outside) error {
	one := []byte("picture one")
	err := errors.Join(w.record(one), w.record([]byte("picture two")), w.objects.Delete(w.ctx, wire.HashOf(one)))
	if err != nil {
		return err
	}
	records, err := w.Records(w.ctx, 0, 10)
	if err != nil || len(records) != 2 || !records[0].Damaged || records[1].Damaged {
		return fmt.Errorf("got %d records (%w), want the first of two damaged", len(records), err)
	}
	return w.reopen()
}

// eraseAt erases a record.
func (w *outside) eraseAt(index uint64) error {
	records, err := w.Records(w.ctx, index-1, 1)
	if err != nil || len(records) != 1 {
		return fmt.Errorf("got %d records: %w", len(records), err)
	}
	return w.Erase(w.ctx, index, tombstone(records[0].Receipt))
}

// outsideErased: erasing leaves nothing outside, but for what another record
// names; the same blob may come again.
func outsideErased(w *outside) error {
	one := []byte("picture one")
	err := errors.Join(w.record(one), w.acceptAll(withoutParts(w.chain.next(one))), w.record([]byte("picture two")))
	return errors.Join(err, w.holds(2),
		w.eraseAt(3), w.holds(1),
		w.eraseAt(1), w.holds(1),
		w.eraseAt(2), w.holds(0),
		w.reopen(),
		w.record(one), w.holds(1), w.sweeps(0),
	)
}

// outsideEraseCut: an object that outlives its record goes with the next sweep.
func outsideEraseCut(w *outside) error {
	err := w.record([]byte("picture one"))
	w.objects.del = true
	err = errors.Join(err, wantError("erasing", w.eraseAt(1), errAway))
	w.objects.del = false
	err = errors.Join(err, w.reopen(), w.holds(1), w.sweeps(1), w.holds(0))
	records, reading := w.Records(w.ctx, 0, 1)
	if reading != nil || len(records) != 1 || !records[0].Erased {
		err = errors.Join(err, fmt.Errorf("got %d records (%w), want one erased", len(records), reading))
	}
	return err
}

// outsideInsideBefore: blobs from the time before objects go on to be read and
// named, also those that were half then.
func outsideInsideBefore(w *outside) error {
	old, half := []byte("picture from inside"), []byte("picture begun inside")
	w.inside = true
	err := errors.Join(w.reopen(), w.record(old),
		w.put(store.Piece{Agent: "a", SHA256: wire.HashOf(half), Data: half[:5]}, store.Progress{Offset: 5}, nil))
	w.inside = false
	return errors.Join(err, w.reopen(), w.holds(0),
		w.put(store.Piece{Agent: "a", SHA256: wire.HashOf(half), Offset: 5, Data: half[5:], Last: true}, store.Progress{Offset: 20, Complete: true}, nil),
		w.acceptAll(withoutParts(w.chain.next(half)), withoutParts(w.chain.next(old))), w.holds(1),
		w.reads(string(old), string(half), string(old)),
		w.eraseAt(1), w.eraseAt(3), w.eraseAt(2), w.holds(0),
	)
}

// outsideOtherPlace: without its objects, or with others, a store does not open:
// its records would all look damaged.
func outsideOtherPlace(w *outside) error {
	if err := errors.Join(w.record([]byte("picture one")), w.Close()); err != nil {
		return err
	}
	right := w.objects.Store
	empty, err := dir.Open(filepath.Join(w.dir, "others"))
	if err != nil {
		return err
	}
	w.objects.Store = empty
	if s, opening := w.open(w.ctx, w.dir); !errors.Is(opening, object.ErrOther) {
		err = errors.Join(err, fmt.Errorf("with other objects: got store %v and error %w, want %v", s != nil, opening, object.ErrOther))
	}
	w.inside = true
	if s, opening := w.open(w.ctx, w.dir); !errors.Is(opening, object.ErrOther) {
		err = errors.Join(err, fmt.Errorf("without objects: got store %v and error %w, want %v", s != nil, opening, object.ErrOther))
	}
	w.inside, w.objects.Store, w.Store = false, right, nil
	return errors.Join(err, w.reopen(), w.reads("picture one"))
}
