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

	"github.com/counterproof/counterproof/sync/queue/durable"
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

// begin makes an empty queue.
func begin(ctx context.Context, path string) error {
	if err := durable.Build(ctx, path+newSuffix, func(tx *sql.Tx) error { return makeTables(ctx, tx, 0) }); err != nil {
		return err
	}
	return durable.Rename(path+newSuffix, path)
}

// mend puts a damaged file aside and what verifies of it into a new one.
func mend(ctx context.Context, path string, cause error) (*Damage, error) {
	stamp := time.Now().UTC().Format(stampLayout)
	d := &Damage{
		Err:   &wire.Error{Op: "opening the queue", Kind: wire.KindDamaged, Err: cause},
		Aside: filepath.Base(path) + damagedSuffix + stamp,
	}
	err := durable.Build(ctx, path+newSuffix, func(tx *sql.Tx) error {
		err := makeTables(ctx, tx, 0)
		if err == nil {
			err = d.salvage(ctx, path, tx)
		}
		if err != nil {
			return err
		}
		at := time.Now().UTC().Truncate(time.Minute).Unix()
		_, err = tx.ExecContext(ctx, `INSERT INTO damage (at, aside) VALUES (?, ?)`, at, d.Aside)
		return err
	})
	if err != nil {
		return nil, err
	}
	if err := durable.Rename(path+newSuffix, path+mendedSuffix+stamp); err != nil {
		return nil, err
	}
	return d, finishSwap(path)
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
	db := durable.Writer(path)
	err := durable.Transact(ctx, db, func(tx *sql.Tx) error {
		from, err := version(ctx, tx)
		if err != nil || from == schemaVersion {
			return err
		}
		return makeTables(ctx, tx, from)
	})
	if durable.IsStatement(err) {
		err = fmt.Errorf("%w: its tables are not of the version that it says: %w", durable.ErrDamage, err)
	}
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
		for _, end := range durable.OwnFiles() {
			err := os.Rename(path+end, path+damagedSuffix+stamp+end)
			if err != nil && !errors.Is(err, os.ErrNotExist) {
				return err
			}
		}
		if err := durable.Rename(path+mendedSuffix+stamp, path); err != nil {
			return err
		}
	}
	return nil
}
