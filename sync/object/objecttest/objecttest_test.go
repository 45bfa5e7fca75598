package objecttest

import (
	"bytes"
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/counterproof/counterproof/sync/object"
	"github.com/counterproof/counterproof/sync/wire"
)

// fault is a way of being broken.
type fault string

const (
	sound     fault = ""
	loses     fault = "loses at opening"
	alters    fault = "hands out what is damaged"
	halfSeen  fault = "shows halves"
	anyName   fault = "takes any bytes"
	keeps     fault = "keeps what was deleted"
	unordered fault = "lists without order"
	repeats   fault = "lists from the beginning"
	unmended  fault = "never mends"
)

// memory is an object store that may be broken.
type memory struct {
	fault fault
	mu    sync.Mutex
	held  map[wire.Hash][]byte
}

// world makes an empty memory.
func world(f fault) World {
	m := &memory{fault: f, held: map[wire.Hash][]byte{}}
	return World{
		Open: func(context.Context) (object.Store, error) {
			if f == loses {
				m.held = map[wire.Hash][]byte{}
			}
			return m, nil
		},
		Spoil: func(_ context.Context, name wire.Hash, data []byte) error {
			m.set(name, data)
			return nil
		},
	}
}

func (m *memory) set(name wire.Hash, data []byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.held[name] = bytes.Clone(data)
}

func (m *memory) Put(ctx context.Context, name wire.Hash, data []byte) error {
	if err := object.Check(name, data); err != nil && m.fault != anyName {
		return err
	}
	if m.fault == halfSeen {
		m.set(name, data[:len(data)/2])
		<-time.After(20 * time.Millisecond)
	}
	m.mu.Lock()
	_, there := m.held[name]
	m.mu.Unlock()
	if m.fault != unmended || !there {
		m.set(name, data)
	}
	return nil
}

func (m *memory) Get(_ context.Context, name wire.Hash) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	data, ok := m.held[name]
	if !ok {
		return nil, object.ErrMissing
	}
	if m.fault != alters && object.Check(name, data) != nil {
		return nil, object.ErrDamaged
	}
	return bytes.Clone(data), nil
}

func (m *memory) Delete(_ context.Context, name wire.Hash) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fault != keeps {
		delete(m.held, name)
	}
	return nil
}

func (m *memory) List(_ context.Context, after wire.Hash, limit int) ([]wire.Hash, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var names []wire.Hash
	for name := range m.held {
		if m.fault == repeats || bytes.Compare(name[:], after[:]) > 0 {
			names = append(names, name)
		}
	}
	slices.SortFunc(names, func(a, b wire.Hash) int { return bytes.Compare(a[:], b[:]) })
	if m.fault == unordered {
		slices.Reverse(names)
	}
	return names[:min(limit, len(names))], nil
}

func TestSound(t *testing.T) {
	t.Parallel()
	Run(t, func(*testing.T) World { return world(sound) })
}

// TestBroken: every way of being broken is seen by the rule that is there for it.
func TestBroken(t *testing.T) {
	t.Parallel()
	for f, want := range map[fault]string{
		loses: "kept", alters: "damage-told", halfSeen: "never-half", anyName: "wrong-name", keeps: "deleted",
		unordered: "listed-in-order", repeats: "listed-in-order", unmended: "damage-mended",
	} {
		t.Run(string(f), func(t *testing.T) {
			t.Parallel()
			i := slices.IndexFunc(Rules(), func(r Rule) bool { return r.Name == want })
			if err := Rules()[i].Check(t.Context(), world(f)); err == nil {
				t.Errorf("the rule %s did not see it", want)
			}
		})
	}
}

// TestSweep: exactly what the caller drops is counted, and all is seen.
func TestSweep(t *testing.T) {
	t.Parallel()
	s, err := world(sound).Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	const objects = 2050 // more than two pages
	for i := range objects {
		data := []byte{byte(i), byte(i >> 8)}
		if err := s.Put(t.Context(), wire.HashOf(data), data); err != nil {
			t.Fatal(err)
		}
	}
	seen := 0
	removed, err := object.Sweep(t.Context(), s, func(name wire.Hash) (bool, error) {
		seen++
		if seen%2 == 0 {
			return false, nil
		}
		return true, s.Delete(t.Context(), name)
	})
	if err != nil || seen != objects || removed != objects/2 {
		t.Errorf("got %d of %d removed (%v), want %d of %d", removed, seen, err, objects/2, objects)
	}
	if _, err := object.Sweep(t.Context(), s, func(wire.Hash) (bool, error) { return false, object.ErrDamaged }); err == nil {
		t.Error("a failing drop was not told")
	}
}
