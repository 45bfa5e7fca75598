// Package queue keeps sealed records on the counter's disk until the centre
// has them: one SQLite file, a chain of records with what has become of each,
// and the news that came back about them. It sends nothing, opens nothing and deletes nothing: a record that was
// acknowledged stays, so that a centre restored from a backup gets it again.
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
//   - A damaged file is put aside, never deleted; what verifies is carried over
//     into a new one and the damage is reported beside a queue that works.
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
	"time"

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
	ErrSettings = errors.New("the database does not keep its settings")
)

// Queue is an open queue. It is safe for use by several goroutines; one process
// owns the file.
type Queue struct {
	writer *sql.DB // one connection
	reader *sql.DB // several, read-only
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
	Total       int       // records held, of every state
	Missing     int       // numbers of the chain whose records damage cost
	LastReceipt time.Time // the centre's time on the newest receipt
	News        int       // notices that were not marked as seen
	NewsMissing int       // notices that openers numbered and that never came
	Damaged     time.Time // when the file was last found damaged, to the minute
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
		return nil, nil, fault(op, err)
	}
	damage, err := prepare(ctx, path)
	if err != nil {
		return nil, nil, fault(op, err)
	}
	q, err := connect(ctx, path)
	if err != nil {
		return nil, nil, fault(op, err)
	}
	return q, damage, nil
}

// prepare leaves a whole queue file at path: the one that is there, the one
// that is saved from it, or a new one.
func prepare(ctx context.Context, path string) (*Damage, error) {
	if err := finishSwap(path); err != nil {
		return nil, err
	}
	size, err := fileSize(path)
	if err != nil {
		return nil, err
	}
	log, err := fileSize(path + "-wal")
	switch {
	case err != nil:
		return nil, err
	case size == 0 && log == 0:
		return nil, begin(ctx, path)
	case size == 0:
		return mend(ctx, path, errors.New("the file is gone or empty, its log is there"))
	}
	err = examine(ctx, path)
	if isDamage(err) {
		return mend(ctx, path, err)
	}
	if err != nil {
		return nil, err
	}
	return nil, upgrade(ctx, path)
}

// connect opens the writer and the readers of a whole file.
func connect(ctx context.Context, path string) (*Queue, error) {
	q := &Queue{writer: openWriter(path), reader: openReader(path)}
	err := cmp.Or(q.writer.PingContext(ctx), q.reader.PingContext(ctx))
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

// fileSize is the file's length, 0 where there is none.
func fileSize(path string) (int64, error) {
	fi, err := os.Stat(path)
	if errors.Is(err, os.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	return fi.Size(), nil
}
