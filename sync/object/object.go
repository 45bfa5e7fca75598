// Package object says what a store of large sealed parts must do, so that
// pictures can lie outside a central store's database. Package dir does it with
// a directory; package objecttest holds any such store to the laws.
//
// It never opens a part, never decides which parts are still needed and never
// takes one without its name: who holds what is the database's to say.
//
// # The laws
//
//   - An object is named by its content, SHA-256, and is at most wire.MaxPart
//     bytes. It is there whole or not at all, also for whoever looks meanwhile.
//   - What Put said is stored survives a crash in the next instant. Put of what
//     is there changes nothing; Put of what was damaged there mends it.
//   - Get gives the bytes that the name stands for, or a typed error.
//   - Delete is durable when it returns, and deleting nothing is no error.
package object

import (
	"context"
	"errors"
	"fmt"

	"github.com/counterproof/counterproof/sync/wire"
)

// The errors that a caller acts on. Every other error may pass: it is asked
// again.
var (
	// ErrMissing: there is no such object.
	ErrMissing = errors.New("there is no such object")
	// ErrDamaged: the object's bytes are not the ones it is named by.
	ErrDamaged = errors.New("the object is damaged")
	// ErrName: the bytes to be put are not the ones of the name, or too many.
	ErrName = errors.New("the bytes are not the object's")
)

// Store holds objects. Its methods may be called from many goroutines and from
// several processes.
type Store interface {
	// Put stores an object. ErrName if data is not what name stands for.
	Put(ctx context.Context, name wire.Hash, data []byte) error

	// Get returns an object whole; ErrMissing or ErrDamaged if it cannot. The
	// bytes are the caller's.
	Get(ctx context.Context, name wire.Hash) ([]byte, error)

	// Delete removes an object.
	Delete(ctx context.Context, name wire.Hash) error

	// List returns up to limit names above after, in ascending order. None is
	// the end; the zero hash begins. Damaged objects are listed too.
	List(ctx context.Context, after wire.Hash, limit int) ([]wire.Hash, error)
}

// ErrOther: the objects that a database names are not in the store that it was
// opened with.
var ErrOther = errors.New("the database's blobs are in another place than the one given (blobs)")

// Samples is how many of its newest objects a database asks for at Open.
const Samples = 8

// Recognise tells whether a store may be the one that holds these objects: nil
// where there are none, or one of them is there, even damaged. s may be nil, and
// then it holds nothing. A disk loses one object or another; it is the wrong
// place that has none.
func Recognise(ctx context.Context, s Store, names []wire.Hash) error {
	for _, name := range names {
		if s == nil {
			break
		}
		_, err := s.Get(ctx, name)
		if err == nil || errors.Is(err, ErrDamaged) {
			return nil
		}
		if !errors.Is(err, ErrMissing) {
			return fmt.Errorf("looking for the objects: %w", err)
		}
	}
	if len(names) > 0 {
		return ErrOther
	}
	return nil
}

// Check tells whether bytes may be put under a name: nil or ErrName.
func Check(name wire.Hash, data []byte) error {
	if len(data) > wire.MaxPart || wire.HashOf(data) != name {
		return ErrName
	}
	return nil
}

// Gone reports whether an error of Get says that the object is lost for good,
// rather than out of reach for the moment.
func Gone(err error) bool { return errors.Is(err, ErrMissing) || errors.Is(err, ErrDamaged) }

// page is how many names Sweep looks at together.
const page = 1000

// Sweep hands every object's name to drop, page by page, and counts those of
// which drop says that it removed them. A central store calls it with a drop that
// removes what no row of its database names, under the lock that a new row takes.
func Sweep(ctx context.Context, s Store, drop func(wire.Hash) (bool, error)) (removed int, err error) {
	var after wire.Hash
	for {
		names, err := s.List(ctx, after, page)
		if err != nil {
			return removed, fmt.Errorf("sweeping the objects: %w", err)
		}
		for _, name := range names {
			gone, err := drop(name)
			if err != nil {
				return removed, fmt.Errorf("sweeping the objects: %w", err)
			}
			if gone {
				removed++
			}
			after = name
		}
		if len(names) < page {
			return removed, nil
		}
	}
}
