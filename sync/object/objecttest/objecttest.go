// Package objecttest holds any object store to the laws of package object. A
// store's own tests call Run with a function that opens it.
//
// It never looks behind the interface, but for damage: how to spoil what a store
// holds is told by whoever opens it.
//
// # The laws
//
//   - A rule returns what is wrong instead of failing a test, so that broken
//     stores can be held to it too and be seen to break it.
package objecttest

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/counterproof/counterproof/sync/object"
	"github.com/counterproof/counterproof/sync/wire"
)

// World is one empty object store.
type World struct {
	// Open opens the store, and the same store again: nothing but what is
	// durable may pass from one to the next.
	Open func(ctx context.Context) (object.Store, error)
	// Spoil replaces what is held under a name by other bytes, behind the
	// store's back.
	Spoil func(ctx context.Context, name wire.Hash, data []byte) error
}

// Rule is one law. Check returns what a store does against it, or nil.
type Rule struct {
	Name  string
	Check func(context.Context, World) error
}

// Rules lists the laws, by name.
func Rules() []Rule {
	return []Rule{
		{"kept", kept},
		{"missing", missing},
		{"wrong-name", wrongName},
		{"again", again},
		{"damage-told", damageTold},
		{"damage-mended", damageMended},
		{"deleted", deleted},
		{"listed-in-order", listed},
		{"never-half", neverHalf},
	}
}

// Run holds a store to every rule, each in a world of its own.
func Run(t *testing.T, world func(t *testing.T) World) {
	for _, rule := range Rules() {
		t.Run(rule.Name, func(t *testing.T) {
			t.Parallel()
			if err := rule.Check(t.Context(), world(t)); err != nil {
				t.Error(err)
			}
		})
	}
}

// draw makes an object of n random bytes.
func draw(n int) (wire.Hash, []byte) {
	data := make([]byte, n)
	rand.Read(data)
	return wire.HashOf(data), data
}

// holds compares what a newly opened store gives for a name.
func holds(ctx context.Context, w World, name wire.Hash, data []byte, want error) error {
	s, err := w.Open(ctx)
	if err != nil {
		return err
	}
	got, err := s.Get(ctx, name)
	if !errors.Is(err, want) || !bytes.Equal(got, data) {
		return fmt.Errorf("got %d bytes and error %w, want %d bytes and %s", len(got), err, len(data), fmt.Sprint(want))
	}
	return nil
}

// put opens the store and puts an object.
func put(ctx context.Context, w World, name wire.Hash, data []byte) (object.Store, error) {
	s, err := w.Open(ctx)
	if err != nil {
		return nil, err
	}
	return s, s.Put(ctx, name, data)
}

// kept: what was put is there for whoever opens the store next, of any size.
func kept(ctx context.Context, w World) error {
	for _, size := range []int{0, 1, 500_000, wire.MaxPart} {
		name, data := draw(size)
		if _, err := put(ctx, w, name, data); err != nil {
			return err
		}
		if err := holds(ctx, w, name, data, nil); err != nil {
			return fmt.Errorf("%d bytes: %w", size, err)
		}
	}
	return nil
}

// missing: what was never put is told as missing.
func missing(ctx context.Context, w World) error {
	name, _ := draw(1)
	return holds(ctx, w, name, nil, object.ErrMissing)
}

// wrongName: bytes under another name, or too many, are refused and leave nothing.
func wrongName(ctx context.Context, w World) error {
	name, _ := draw(10)
	large, long := draw(wire.MaxPart + 1)
	for n, data := range map[wire.Hash][]byte{name: []byte("other"), large: long} {
		if _, err := put(ctx, w, n, data); !errors.Is(err, object.ErrName) {
			return fmt.Errorf("%d bytes: got error %w, want %s", len(data), err, object.ErrName.Error())
		}
		if err := holds(ctx, w, n, nil, object.ErrMissing); err != nil {
			return err
		}
	}
	return nil
}

// again: the same twice is once.
func again(ctx context.Context, w World) error {
	name, data := draw(100)
	for range 2 {
		if _, err := put(ctx, w, name, data); err != nil {
			return err
		}
	}
	s, err := w.Open(ctx)
	if err != nil {
		return err
	}
	names, err := s.List(ctx, wire.Hash{}, 10)
	if err != nil || len(names) != 1 {
		return fmt.Errorf("got %d names (%w), want 1", len(names), err)
	}
	return holds(ctx, w, name, data, nil)
}

// spoilt puts an object and lets the disk lose some of it.
func spoilt(ctx context.Context, w World) (name wire.Hash, data []byte, err error) {
	name, data = draw(100)
	if _, err := put(ctx, w, name, data); err != nil {
		return name, nil, err
	}
	return name, data, w.Spoil(ctx, name, data[:50])
}

// damageTold: altered bytes are never handed out.
func damageTold(ctx context.Context, w World) error {
	name, _, err := spoilt(ctx, w)
	if err != nil {
		return err
	}
	return holds(ctx, w, name, nil, object.ErrDamaged)
}

// damageMended: the right bytes, put again, take the place of altered ones.
func damageMended(ctx context.Context, w World) error {
	name, data, err := spoilt(ctx, w)
	if err != nil {
		return err
	}
	if _, err := put(ctx, w, name, data); err != nil {
		return err
	}
	return holds(ctx, w, name, data, nil)
}

// deleted: what was deleted is gone, and can be deleted and put again.
func deleted(ctx context.Context, w World) error {
	name, data := draw(100)
	s, err := put(ctx, w, name, data)
	if err != nil {
		return err
	}
	for range 2 {
		if err := s.Delete(ctx, name); err != nil {
			return err
		}
	}
	if err := holds(ctx, w, name, nil, object.ErrMissing); err != nil {
		return err
	}
	if _, err := put(ctx, w, name, data); err != nil {
		return err
	}
	return holds(ctx, w, name, data, nil)
}

// listed: names come in order, page by page, each once.
func listed(ctx context.Context, w World) error {
	s, err := w.Open(ctx)
	if err != nil {
		return err
	}
	var want, got []wire.Hash
	for range 25 {
		name, data := draw(10)
		if err := s.Put(ctx, name, data); err != nil {
			return err
		}
		want = append(want, name)
	}
	slices.SortFunc(want, func(a, b wire.Hash) int { return bytes.Compare(a[:], b[:]) })
	for after := (wire.Hash{}); ; after = got[len(got)-1] {
		names, err := s.List(ctx, after, 10)
		if err != nil {
			return err
		}
		if got = append(got, names...); len(names) == 0 || len(got) > len(want) {
			break
		}
	}
	if !slices.Equal(got, want) {
		return fmt.Errorf("got %d names, want %d in their order, each once", len(got), len(want))
	}
	return nil
}

// neverHalf: whoever looks while an object is put sees all of it or nothing.
func neverHalf(ctx context.Context, w World) error {
	s, err := w.Open(ctx)
	if err != nil {
		return err
	}
	name, data := draw(1 << 20)
	done := make(chan error, 1)
	go func() { done <- s.Put(ctx, name, data) }()
	for {
		_, err := s.Get(ctx, name)
		if err != nil && !errors.Is(err, object.ErrMissing) {
			return errors.Join(fmt.Errorf("seen while it was put: %w", err), <-done)
		}
		select {
		case err := <-done:
			return errors.Join(err, holds(ctx, w, name, data, nil))
		default:
		}
	}
}
