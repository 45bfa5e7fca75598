package durable

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/counterproof/counterproof/sync/wire"
)

// blank is the fill of a database with an empty table.
func blank(tx *sql.Tx) error {
	_, err := tx.Exec(`CREATE TABLE row (n INTEGER PRIMARY KEY)`)
	return err
}

// A file is there whole or not at all, with no log beside it that a new name
// would lose, and whatever an earlier try left is no hindrance.
func TestBuild(t *testing.T) {
	t.Parallel()
	path := newFile(t)
	for _, end := range OwnFiles() {
		if err := os.WriteFile(path+end, []byte("left over"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := Build(t.Context(), path, blank); err != nil {
		t.Fatal(err)
	}
	if n, err := FileSize(path + "-wal"); n != 0 || err != nil {
		t.Errorf("the log holds %d bytes: %v", n, err)
	}
	if got := count(t, path); got != 0 {
		t.Errorf("%d rows", got)
	}
	if fi, err := os.Stat(path); err != nil || fi.Mode().Perm() != 0o600 {
		t.Errorf("others may read it: %v", err)
	}
	own := errors.New("own")
	if err := Build(t.Context(), path, func(*sql.Tx) error { return own }); !errors.Is(err, own) {
		t.Errorf("got %v", err)
	}
}

// What fails half way leaves nothing behind.
func TestTransact(t *testing.T) {
	t.Parallel()
	path := newFile(t)
	db := made(t, path, 3)
	own := errors.New("own")
	err := Transact(t.Context(), db, func(tx *sql.Tx) error {
		if _, err := tx.Exec(`DELETE FROM row`); err != nil {
			t.Error(err)
		}
		return own
	})
	if !errors.Is(err, own) || count(t, path) != 3 {
		t.Errorf("got %v, %d rows", err, count(t, path))
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := Transact(ended, db, func(*sql.Tx) error { return nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	n := 0
	each := func(query string, fail error) error {
		return Each(t.Context(), db, func(scan func(...any) error) error {
			n++
			var id int
			return errors.Join(scan(&id), fail)
		}, query)
	}
	if err := each(`SELECT n FROM row`, nil); err != nil || n != 3 {
		t.Errorf("%d rows, %v", n, err)
	}
	if err := each(`SELECT n FROM row`, own); !errors.Is(err, own) || n != 4 {
		t.Errorf("it went on after an error: %d rows, %v", n, err)
	}
	if err := each(`SELECT n FROM none`, nil); !IsStatement(err) || IsDamage(err) || IsFull(err) {
		t.Errorf("a table that is not there: %v", err)
	}
}

// The look at the pages finds what was altered, in the table that is asked about.
func TestQuickCheck(t *testing.T) {
	t.Parallel()
	path := newFile(t)
	db := made(t, path, 40)
	if _, err := db.Exec(`CREATE TABLE other (n INTEGER PRIMARY KEY, s TEXT)`); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	check := func(tables ...string) error {
		r := Reader(path)
		defer r.Close()
		return QuickCheck(t.Context(), r, tables...)
	}
	if err := errors.Join(check(), check("row", "other")); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	// The third page is the root of the first table, behind the one that maps pages.
	for i := 2 * 4096; i < 2*4096+16; i++ {
		b[i] ^= 0xff
	}
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := check(); !IsDamage(err) {
		t.Errorf("all: %v", err)
	}
	if err := check("row"); !IsDamage(err) {
		t.Errorf("the damaged table: %v", err)
	}
	if err := check("other"); err != nil {
		t.Errorf("the whole one: %v", err)
	}
}

// A database that was cut short is read as far as it goes once it has its length.
func TestLengthen(t *testing.T) {
	t.Parallel()
	path := newFile(t)
	if err := made(t, path, 40).Close(); err != nil {
		t.Fatal(err)
	}
	whole, err := ReadFirst(path)
	if n, _ := FileSize(path); err != nil || !whole.Database || whole.Size != n || whole.WriteVersion != 2 {
		t.Fatalf("the first page says %+v of %d bytes: %v", whole, n, err)
	}
	if err := os.Truncate(path, whole.Size/2); err != nil {
		t.Fatal(err)
	}
	if err := Lengthen(path, whole.Size/2); err != nil {
		t.Fatal(err)
	}
	if n, err := FileSize(path); n != whole.Size || err != nil {
		t.Errorf("it has %d bytes of %d: %v", n, whole.Size, err)
	}
	if err := os.WriteFile(path, []byte("no database, but long enough to be read"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := Lengthen(path, 10); err != nil {
		t.Error(err)
	}
	if n, err := FileSize(path); n != 39 || err != nil {
		t.Errorf("another file was changed to %d bytes: %v", n, err)
	}
	if _, err := ReadFirst(filepath.Join(path, "below")); err == nil {
		t.Error("read what cannot be there")
	}
}

func TestMove(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	from, to := filepath.Join(dir, "a"), filepath.Join(dir, "former", "b")
	if err := os.Mkdir(from, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := Move(from, to); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(to); err != nil {
		t.Error(err)
	}
	if err := Move(from, to); err == nil {
		t.Error("moved what is not there")
	}
}

func TestRooms(t *testing.T) {
	t.Parallel()
	for free, want := range map[int64]Room{0: RoomNone, 31 << 20: RoomNone, 33 << 20: RoomShort, 257 << 20: RoomLow, 3 << 30: RoomGood} {
		if got := RoomOf(free); got != want {
			t.Errorf("%d bytes: got %q, want %q", free, got, want)
		}
	}
	path := newFile(t)
	if free, room := RoomAt(path); free <= 0 || room != RoomOf(free) {
		t.Errorf("got %d, %q", free, room)
	}
}

// The reserve takes room on the disk, once, and gives it back once.
func TestReserve(t *testing.T) {
	t.Parallel()
	path := newFile(t)
	if GiveBack(path) {
		t.Error("gave back what was not held")
	}
	HoldBack(path)
	HoldBack(path)
	if n, err := FileSize(path + reserveSuffix); err != nil || n != reserved {
		t.Skipf("SKIPPED: no reserve is made on this disk, which has no room for one or cannot hold one: %d bytes, %v", n, err)
	}
	if !GiveBack(path) || GiveBack(path) {
		t.Error("it is not given back once")
	}
	if err := Allocate(filepath.Join(path, "below"), 10); err == nil {
		t.Error("held back where nothing can be")
	}
}

func TestSuspicion(t *testing.T) {
	t.Parallel()
	path := newFile(t)
	if Suspected(path) {
		t.Error("without cause")
	}
	Suspect(path)
	if err := ClearSuspicion(path, errors.New("the look failed")); err != nil || !Suspected(path) {
		t.Errorf("cleared though nobody looked: %v", err)
	}
	if err := errors.Join(ClearSuspicion(path, nil), ClearSuspicion(path, nil)); err != nil || Suspected(path) {
		t.Errorf("not cleared: %v", err)
	}
}

func TestFullDisks(t *testing.T) {
	t.Parallel()
	full := fmt.Errorf("writing: %w", &fs.PathError{Op: "write", Path: "x", Err: syscall.ENOSPC})
	if !IsFull(full) || IsFull(fs.ErrPermission) || IsFull(nil) {
		t.Error("a full disk is not told from another failure")
	}
	if wire.KindOf(Fault("storing", full)) != wire.KindDisk {
		t.Errorf("got %v", Fault("storing", full))
	}
}

func TestFaultKinds(t *testing.T) {
	t.Parallel()
	own := errors.New("own")
	for name, c := range map[string]struct {
		err  error
		want wire.Kind
	}{
		"damage":   {ErrDamage, wire.KindDamaged},
		"settings": {ErrSettings, wire.KindDisk},
		"own":      {own, wire.KindNone},
		"unknown":  {errors.New("unknown"), wire.KindNone},
		"kept":     {&wire.Error{Op: "x", Kind: wire.KindShed}, wire.KindShed},
	} {
		got := Fault("trying", c.err)
		if wire.KindOf(got) != c.want || !errors.Is(got, c.err) {
			t.Errorf("%s: got %v of kind %q, want kind %q", name, got, wire.KindOf(got), c.want)
		}
	}
	if Fault("trying", nil) != nil {
		t.Error("a fault without an error")
	}
}
