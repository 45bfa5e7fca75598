package durable

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"

	"github.com/counterproof/counterproof/sync/wire"
	"github.com/mattn/go-sqlite3"
)

// ErrDamage is wrapped by what an examination found wrong.
var ErrDamage = errors.New("the queue's file is damaged")

// IsDamage reports whether the error means a damaged file, not a full disk or
// a missing permission.
func IsDamage(err error) bool {
	if errors.Is(err, ErrDamage) {
		return true
	}
	e, ok := errors.AsType[sqlite3.Error](err)
	return ok && (e.Code == sqlite3.ErrCorrupt || e.Code == sqlite3.ErrNotADB)
}

// Fault says what was being done and of which kind the failure is. An error of
// the caller's own (its context, its build function) keeps having none.
func Fault(op string, err error) error {
	switch {
	case err == nil:
		return nil
	case wire.KindOf(err) != wire.KindNone:
		return fmt.Errorf("%s: %w", op, err)
	case IsDamage(err):
		return &wire.Error{Op: op, Kind: wire.KindDamaged, Err: err}
	case ofDisk(err):
		return &wire.Error{Op: op, Kind: wire.KindDisk, Err: err}
	}
	return fmt.Errorf("%s: %w", op, err)
}

// ofDisk reports whether the disk is full, fails, or does not let us.
func ofDisk(err error) bool {
	if _, ok := errors.AsType[*fs.PathError](err); ok {
		return true
	}
	if _, ok := errors.AsType[*os.LinkError](err); ok {
		return true
	}
	e, ok := errors.AsType[sqlite3.Error](err)
	if !ok {
		return errors.Is(err, ErrSettings)
	}
	switch e.Code {
	case sqlite3.ErrFull, sqlite3.ErrIoErr, sqlite3.ErrCantOpen, sqlite3.ErrReadonly,
		sqlite3.ErrPerm, sqlite3.ErrBusy, sqlite3.ErrLocked, sqlite3.ErrNomem:
		return true
	}
	return false
}

// IsFull reports whether the disk has no room.
func IsFull(err error) bool {
	e, ok := errors.AsType[sqlite3.Error](err)
	return ok && e.Code == sqlite3.ErrFull || errors.Is(err, syscall.ENOSPC)
}

// IsStatement reports whether SQLite did not understand a statement, as one about
// tables or columns that are not there.
func IsStatement(err error) bool {
	e, ok := errors.AsType[sqlite3.Error](err)
	return ok && e.Code == sqlite3.ErrError
}
