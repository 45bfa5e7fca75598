// Package queue keeps sealed records on the counter's disk until the centre
// has them: one SQLite file, a chain of records with what has become of each,
// and the news that came back about them; beside it a spool with a second copy
// of every record that waits. It sends nothing and opens nothing. A record that
// was acknowledged stays, so that a centre restored from a backup gets it again,
// and gives up its parts only when it is proven to be in the centre's log.
//
// # The laws
//
//   - Enqueue answers after the record and its parts are on the disk, in one
//     transaction with synchronous FULL. A power cut or kill -9 after that
//     loses nothing.
//   - Enqueuing a visit twice gives the first record: a crash between storing
//     and answering makes no second one.
//   - The settings that this rests on are read back from every connection; the
//     program refuses to run where one differs.
//   - A record moves along one table of steps (moves) and never back, but by
//     Rewind, where the centre says that it has lost records.
//   - A bad record never blocks the next one: a refused one is kept and skipped.
//   - A damaged file is put aside, never deleted; what verifies, there or in the
//     spool, is carried over into a new one and the damage is reported beside a
//     queue that works.
//   - A full disk is told long before, by what is left on the queue's own
//     filesystem; room for a last visit is held back and given up for it.
//   - On the disk nothing can be read of a record but its header (which tells
//     nobody's name): number, random id, time, sizes, state, tries and receipt;
//     and of news what it says of a reference: a word of a closed list, a time.
//   - News is told until somebody has marked it as seen, and not after that.
//
// What it cannot see by itself is an older copy of the whole file put in the
// place of the newer, or the newest records cut off cleanly: what is left is a
// good chain. The centre sees it, as a fork, when the numbers come again.
package queue

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/counterproof/counterproof/sync/queue/durable"
	"github.com/counterproof/counterproof/sync/queue/spool"
	"github.com/counterproof/counterproof/sync/wire"
)

// Errors that a caller tells apart.
var (
	// ErrUnknown: the queue holds no record of this number.
	ErrUnknown = errors.New("there is no such record")
	// ErrState: the record's state does not allow this step.
	ErrState = errors.New("the record is in a state that does not allow this")
	// ErrForeign: the file is a database, but not this program's queue, or
	// one of a newer program. It is left alone.
	ErrForeign = errors.New("the file is not a queue of this program")
	// ErrSettings: the database does not run with the settings that keep
	// records safe.
	ErrSettings = durable.ErrSettings
)

// View reads a queue. Several processes may, also while another one writes.
type View struct {
	path   string
	reader *sql.DB // several connections, read-only
	spool  *spool.Spool
}

// Queue is an open queue. It is safe for use by several goroutines; one process
// owns the file.
type Queue struct {
	View
	writer *sql.DB // one connection

	unspooled atomic.Bool // the spool failed when it was last needed
}

// Item is what the queue knows of one record. The zero time means none.
type Item struct {
	Seq      wire.Seq
	ID       wire.RecordID
	Ref      wire.Ref // the code on the patient's slip
	Hash     wire.Hash
	State    wire.RecordState
	At       time.Time     // when it was enqueued, to the minute, UTC
	Size     int64         // bytes of header, signature and parts
	Attempts int           // how often sending failed since its last step
	NextTry  time.Time     // not to be sent before
	Kind     wire.Kind     // why sending failed last
	Receipt  *wire.Receipt // the newest; a rewound record still has its old one
	Refusal  *wire.Refusal // the centre's signed word that it never takes it
}

// Status is the queue in a few figures, for the screen and for health.
type Status struct {
	Waiting     int       // sealed or blobs_sent: the centre does not have them
	Oldest      time.Time // when the oldest waiting one was enqueued
	Refused     int
	Quarantined int
	Total       int          // records held, of every state
	Missing     int          // numbers of the chain whose records damage cost
	LastReceipt time.Time    // the centre's time on the newest receipt
	News        int          // notices that were not marked as seen
	NewsMissing int          // notices that openers numbered and that never came
	Damaged     time.Time    // when the file was last found damaged, to the minute
	Free        int64        // bytes left on the queue's filesystem; -1 if it does not tell
	Room        durable.Room // what that means
	Unspooled   bool         // the newest record has no second copy: the spool's disk fails
}

// Open opens the queue at path, a file in a folder of its own, or begins one.
//
// A damaged file does not stop the counter: it is put aside under another name,
// the records in it that verify are carried over, and Damage tells of it beside
// a queue that works. Damage is nil where all is well. An error means that
// there is no queue: Kind disk where the disk fails or is full, ErrForeign,
// ErrSettings.
func Open(path string) (*Queue, *Damage, error) {
	const op = "opening the queue"
	ctx := context.Background()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, nil, durable.Fault(op, err)
	}
	damage, err := prepare(ctx, path)
	if err != nil {
		return nil, nil, durable.Fault(op, err)
	}
	q, err := connect(ctx, path)
	if err != nil {
		return nil, nil, durable.Fault(op, err)
	}
	if err := q.level(ctx); err != nil {
		return nil, nil, errors.Join(durable.Fault(op, err), q.Close())
	}
	durable.HoldBack(path)
	return q, damage, nil
}

// RoomShort and RoomNone are the rooms in which something must be done now.
const (
	RoomShort = durable.RoomShort // a few visits are left
	RoomNone  = durable.RoomNone  // no visit may begin
)

// Retire moves the folder of a closed queue out of the way, whole.
func Retire(dir, aside string) error {
	return durable.Fault("moving the queue", durable.Move(dir, aside))
}

// Look opens a queue for reading alone, beside the program that owns it or
// without one. It mends nothing: what does not read is an error.
func Look(ctx context.Context, path string) (*View, error) {
	const op = "looking at the queue"
	if _, err := os.Stat(path); err != nil {
		return nil, durable.Fault(op, err)
	}
	v := &View{path: path, reader: durable.Reader(path)}
	err := checkPurpose(ctx, v.reader)
	if err == nil {
		v.spool, err = spool.Open(spoolDir(path))
	}
	if err != nil {
		return nil, errors.Join(durable.Fault(op, err), v.Close())
	}
	return v, nil
}

// Close ends the looking.
func (v *View) Close() error { return v.reader.Close() }

// spoolDir is where the second copies lie. It may be a link to another disk.
func spoolDir(path string) string { return filepath.Join(filepath.Dir(path), "spool") }

// prepare leaves a whole queue file at path: the one that is there, the one
// that is saved from it, or a new one.
func prepare(ctx context.Context, path string) (*Damage, error) {
	if err := finishSwap(path); err != nil {
		return nil, err
	}
	size, err := durable.FileSize(path)
	if err != nil {
		return nil, err
	}
	log, err := durable.FileSize(path + "-wal")
	switch {
	case err != nil:
		return nil, err
	case size == 0 && log == 0 && spoolEmpty(path):
		return nil, begin(ctx, path)
	case size == 0:
		return mend(ctx, path, errors.New("the file is gone or empty, its log or spool is there"))
	}
	err = examine(ctx, path, durable.Suspected(path))
	if err == nil {
		err = upgrade(ctx, path)
	}
	if durable.IsDamage(err) {
		damage, err := mend(ctx, path, err)
		return damage, errors.Join(err, durable.ClearSuspicion(path, err))
	}
	if err != nil {
		return nil, err
	}
	return nil, durable.ClearSuspicion(path, nil)
}

// connect opens the writer and the readers of a whole file.
func connect(ctx context.Context, path string) (*Queue, error) {
	q := &Queue{View: View{path: path, reader: durable.Reader(path)}, writer: durable.Writer(path)}
	var err error
	if q.spool, err = spool.Open(spoolDir(path)); err == nil {
		err = cmp.Or(q.writer.PingContext(ctx), q.reader.PingContext(ctx))
	}
	if err != nil {
		return nil, errors.Join(err, q.Close())
	}
	return q, nil
}

// Close closes the file; what was enqueued stays. Calls that are still running
// fail.
func (q *Queue) Close() error {
	return errors.Join(q.reader.Close(), q.writer.Close())
}
