package queue

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/counterproof/counterproof/sync/wire"
)

// Damage tells what Open found wrong and what became of it. The counter goes
// on; somebody must be told.
type Damage struct {
	// Err is of Kind damaged and says what is wrong with the file.
	Err *wire.Error
	// Aside is the name that the damaged file was given, in the same folder.
	// It is never deleted: what could not be carried over may still be read
	// from it by other means.
	Aside string
	// Saved counts the records carried over, in the states that they had.
	Saved int
	// Missing counts the numbers of the chain whose records are known to be
	// gone. Newer ones may be gone unnoticed; where the centre knows of more
	// than Head does, see Adopt.
	Missing int
}

// A file is replaced in steps that a crash may cut anywhere. The new file is
// made and closed under newSuffix, and then renamed to mendedSuffix and a time:
// from there on it is complete, and finishSwap carries on at the next start.
const (
	newSuffix     = ".new"
	mendedSuffix  = ".mended-"
	damagedSuffix = ".damaged-"
	stampLayout   = "20060102T150405.000000000Z"
)

// ownFiles are the endings of the files that make up one database.
var ownFiles = []string{"", "-wal", "-shm"}

// begin makes an empty queue.
func begin(ctx context.Context, path string) error {
	if err := build(ctx, path+newSuffix, func(*sql.Tx) error { return nil }); err != nil {
		return err
	}
	return rename(path+newSuffix, path)
}

// mend puts a damaged file aside and what verifies of it into a new one.
func mend(ctx context.Context, path string, cause error) (*Damage, error) {
	stamp := time.Now().UTC().Format(stampLayout)
	d := &Damage{
		Err:   &wire.Error{Op: "opening the queue", Kind: wire.KindDamaged, Err: cause},
		Aside: filepath.Base(path) + damagedSuffix + stamp,
	}
	err := build(ctx, path+newSuffix, func(tx *sql.Tx) error {
		if err := d.salvage(ctx, path, tx); err != nil {
			return err
		}
		at := time.Now().UTC().Truncate(time.Minute).Unix()
		_, err := tx.ExecContext(ctx, `INSERT INTO damage (at, aside) VALUES (?, ?)`, at, d.Aside)
		return err
	})
	if err != nil {
		return nil, err
	}
	if err := rename(path+newSuffix, path+mendedSuffix+stamp); err != nil {
		return nil, err
	}
	return d, finishSwap(path)
}

// build makes a database at path with what fill puts into it, closed and
// synced. A leftover of an earlier try is a copy only and is removed.
func build(ctx context.Context, path string, fill func(*sql.Tx) error) error {
	for _, end := range ownFiles {
		if err := os.Remove(path + end); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	// SQLite gives its log the mode that the file has.
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	db := openWriter(path)
	err = transact(ctx, db, func(tx *sql.Tx) error {
		if err := makeTables(ctx, tx, 0); err != nil {
			return err
		}
		return fill(tx)
	})
	if err := errors.Join(err, db.Close()); err != nil {
		return err
	}
	// Closing moves the log into the file; a file renamed without its log
	// would lose what is in there.
	n, err := fileSize(path + "-wal")
	if err == nil && n > 0 {
		err = fmt.Errorf("the new file's log holds %d bytes after closing", n)
	}
	return err
}

// makeTables brings the tables from a version to this program's.
func makeTables(ctx context.Context, tx *sql.Tx, from int) error {
	for _, step := range schema[from:] {
		if _, err := tx.ExecContext(ctx, step); err != nil {
			return err
		}
	}
	_, err := tx.ExecContext(ctx, fmt.Sprintf("PRAGMA application_id = %d; PRAGMA user_version = %d;", applicationID, schemaVersion))
	return err
}

// upgrade brings a whole file of an older version to this program's, in one
// transaction; what is in it stays.
func upgrade(ctx context.Context, path string) error {
	db := openWriter(path)
	err := transact(ctx, db, func(tx *sql.Tx) error {
		from, err := version(ctx, tx)
		if err != nil || from == schemaVersion {
			return err
		}
		return makeTables(ctx, tx, from)
	})
	return errors.Join(err, db.Close())
}

// finishSwap puts a mended file in the damaged one's place, from wherever an
// earlier run was cut off: while the mended file is there, what stands at path
// and beside it is the damaged one's.
func finishSwap(path string) error {
	files, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		return err
	}
	for _, f := range files {
		stamp, ok := strings.CutPrefix(f.Name(), filepath.Base(path)+mendedSuffix)
		if !ok || strings.HasSuffix(stamp, "-wal") || strings.HasSuffix(stamp, "-shm") {
			continue
		}
		for _, end := range ownFiles {
			err := os.Rename(path+end, path+damagedSuffix+stamp+end)
			if err != nil && !errors.Is(err, os.ErrNotExist) {
				return err
			}
		}
		if err := rename(path+mendedSuffix+stamp, path); err != nil {
			return err
		}
	}
	return nil
}

// rename puts a file in place for good: without the folder's sync a power cut
// could bring the old name back.
func rename(from, to string) error {
	if err := os.Rename(from, to); err != nil {
		return err
	}
	return syncFolder(filepath.Dir(to))
}
