package queue

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/counterproof/counterproof/sync/queue/durable"
	"github.com/counterproof/counterproof/sync/wire"
)

// stored makes a queue of n visits with parts of 20 kB, the first ones
// acknowledged, and closes it.
func stored(t testing.TB, path string, n, acked int) []Item {
	t.Helper()
	q, damage, err := Open(path)
	if err != nil || damage != nil {
		t.Fatal(damage, err)
	}
	var items []Item
	for i := range n {
		it, err := q.Enqueue(t.Context(), visit(i), builder(visit(i), marked(i)))
		if err != nil {
			t.Fatal(err)
		}
		if i < acked {
			ack(t, q, it)
		}
		items = append(items, it)
	}
	if err := q.Close(); err != nil {
		t.Fatal(err)
	}
	return items
}

// marked is the part of the nth visit; its marker is in the middle.
func marked(n int) []byte {
	return slices.Concat(random(10_000), []byte(fmt.Sprintf("marker of visit %d.", n)), random(10_000))
}

// alter changes a file's bytes, and takes the spool away: what the file alone
// saves is the question.
func alter(t testing.TB, path string, change func([]byte) []byte) {
	t.Helper()
	unspool(t, path)
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, change(b), 0o600); err != nil {
		t.Fatal(err)
	}
}

// unspool takes the second copies away.
func unspool(t testing.TB, path string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(filepath.Dir(path), "spool", "*"))
	if err != nil || len(files) == 0 {
		files, err = nil, os.MkdirAll(spoolDir(path), 0o700)
	}
	for _, name := range files {
		err = errors.Join(err, os.Remove(name))
	}
	if err != nil {
		t.Fatal(err)
	}
}

// at finds a text in a file's bytes, the last one.
func at(t testing.TB, b []byte, text string) int {
	t.Helper()
	i := bytes.LastIndex(b, []byte(text))
	if i < 0 {
		t.Fatalf("the file does not hold %q", text)
	}
	return i
}

// openDamaged opens a queue that must be found damaged, and checks what holds
// for any damage: the file is kept as it was, the report is of its kind, the
// queue works, and the next start finds it whole.
func openDamaged(t testing.TB, path string) (*Queue, *Damage) {
	t.Helper()
	before, _ := os.ReadFile(path)
	q, damage, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { q.Close() })
	if damage == nil {
		t.Fatal("the damage was not found")
	}
	if wire.KindOf(damage.Err) != wire.KindDamaged {
		t.Errorf("got %v, want kind damaged", damage.Err)
	}
	if after, err := os.ReadFile(filepath.Join(filepath.Dir(path), damage.Aside)); before != nil && (err != nil || !bytes.HasPrefix(after, before)) {
		t.Errorf("the damaged file was not kept as it was: %v", err)
	}
	if s, err := q.Status(t.Context()); err != nil || s.Damaged.IsZero() || s.Total != damage.Saved {
		t.Errorf("status: got %+v, %v", s, err)
	}
	if it, err := q.Enqueue(t.Context(), visit(1000), builder(visit(1000), random(3000))); err != nil || it.Seq == 0 {
		t.Errorf("the next visit: %v", err)
	}
	if err := q.Close(); err != nil {
		t.Fatal(err)
	}
	q = openQueue(t, path)
	return q, damage
}

// holds lists which of the visits a queue still has, whole and as they were.
func holds(t testing.TB, q *Queue, items []Item) []wire.Seq {
	t.Helper()
	var got []wire.Seq
	for _, it := range items {
		found, err := q.Find(t.Context(), it.ID)
		if errors.Is(err, ErrUnknown) {
			continue
		}
		if err != nil || found.Hash != it.Hash || found.Seq != it.Seq || !found.At.Equal(it.At) || found.Size != it.Size {
			t.Errorf("record %d became %+v, %v", it.Seq, found, err)
		}
		if _, err := q.Envelope(t.Context(), it.Seq); err != nil {
			t.Error(err)
		}
		got = append(got, it.Seq)
	}
	return got
}

func TestDamage(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(t *testing.T, b []byte) []byte
		kept   []wire.Seq
	}{
		"first-page": {func(_ *testing.T, b []byte) []byte { clear(b[:4096]); return b }, nil},
		"not-a-database": {func(_ *testing.T, b []byte) []byte {
			return []byte(strings.Repeat("no database ", 1000))
		}, nil},
		"waiting-part/one-bit": {func(t *testing.T, b []byte) []byte {
			b[at(t, b, "marker of visit 3.")] ^= 1
			return b
		}, []wire.Seq{1, 2, 3, 5, 6}},
		"waiting-part/page": {func(t *testing.T, b []byte) []byte {
			page := at(t, b, "marker of visit 4.") / 4096 * 4096
			clear(b[page : page+4096])
			return b
		}, []wire.Seq{1, 2, 3, 4, 6}},
		"newest-part": {func(t *testing.T, b []byte) []byte {
			b[at(t, b, "marker of visit 5.")] ^= 1
			return b
		}, []wire.Seq{1, 2, 3, 4, 5}},
		"header/one-bit": {func(t *testing.T, b []byte) []byte {
			b[at(t, b, "0.1.0")] ^= 1 // of the first record: rows grow downwards
			return b
		}, []wire.Seq{2, 3, 4, 5, 6}},
		"cut": {func(t *testing.T, b []byte) []byte {
			return b[:at(t, b, "marker of visit 4.")/4096*4096]
		}, []wire.Seq{1, 2, 3, 4}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := place(t)
			items := stored(t, path, 6, 2)
			alter(t, path, func(b []byte) []byte { return c.change(t, b) })
			q, damage := openDamaged(t, path)
			got := holds(t, q, items)
			if len(got) != damage.Saved {
				t.Errorf("%d records saved, %d are there", damage.Saved, len(got))
			}
			if c.kept != nil && (!slices.Equal(got, c.kept) || damage.Missing != len(items)-len(c.kept)) {
				t.Errorf("kept %v with %d missing, want %v", got, damage.Missing, c.kept)
			}
			for _, seq := range got {
				want := wire.Sealed
				if seq <= 2 {
					want = wire.Acked
				}
				if s := state(t, q, seq); s != want {
					t.Errorf("record %d: got %s, want %s", seq, s, want)
				}
			}
			t.Logf("%v: kept %v, %d missing", damage.Err, got, damage.Missing)
		})
	}
}

// After damage the chain goes on where it stood, so that the centre goes on
// taking it: what it has is not sent again, what waits is.
func TestChainGoesOnAfterDamage(t *testing.T) {
	t.Parallel()
	path := place(t)
	items := stored(t, path, 4, 3)
	alter(t, path, func(b []byte) []byte { b[at(t, b, "marker of visit 3.")] ^= 1; return b })
	q, damage := openDamaged(t, path) // which enqueues a visit
	e, err := q.Envelope(t.Context(), 5)
	if err != nil || mustHeader(t, e).Prev != items[3].Hash {
		t.Errorf("the next record does not follow the lost one: %v", err)
	}
	if it, ok, err := q.Due(t.Context(), time.Now()); err != nil || !ok || it.Seq != 5 {
		t.Errorf("due: got %d, %v, %v; want 5", it.Seq, ok, err)
	}
	if err := q.Rewind(t.Context(), 4); wire.KindOf(err) != wire.KindDamaged {
		t.Errorf("rewinding to the lost one: got %v, want kind damaged", err)
	}
	if err := q.Rewind(t.Context(), 2); err != nil || state(t, q, 2) != wire.Sealed {
		t.Errorf("rewinding to before it: %v", err)
	}
	if s, err := q.Status(t.Context()); err != nil || s.Missing != 1 || damage.Missing != 1 {
		t.Errorf("missing: got %d and %d, %v; want 1", s.Missing, damage.Missing, err)
	}
}

// Damage that hits a queue a second time keeps what the first left.
func TestDamagedTwice(t *testing.T) {
	t.Parallel()
	path := place(t)
	items := stored(t, path, 5, 0)
	flip := func(n int) {
		alter(t, path, func(b []byte) []byte { b[at(t, b, fmt.Sprintf("marker of visit %d.", n))] ^= 1; return b })
	}
	flip(1)
	q, first := openDamaged(t, path)
	q.Close()
	flip(4)
	q, second := openDamaged(t, path)
	if got := holds(t, q, items); !slices.Equal(got, []wire.Seq{1, 3, 4}) || second.Aside == first.Aside || second.Missing != 2 {
		t.Errorf("kept %v, %d missing, aside %s and %s", got, second.Missing, first.Aside, second.Aside)
	}
}

// A state that cannot be read does not lose a record: it is sent again, and the
// centre knows it.
func TestUnreadableState(t *testing.T) {
	t.Parallel()
	path := place(t)
	items := stored(t, path, 3, 2)
	q := openQueue(t, path)
	for _, change := range []string{`UPDATE record SET state = 'sent' WHERE seq = 1`, `UPDATE record SET receipt = x'7b' WHERE seq = 2`} {
		if _, err := q.writer.ExecContext(t.Context(), change); err != nil {
			t.Fatal(err)
		}
	}
	q.Close()
	q, damage, err := Open(path)
	if err != nil || damage == nil || damage.Saved != 3 {
		t.Fatalf("got %+v, %v; want 3 saved", damage, err)
	}
	defer q.Close()
	for _, it := range items {
		if got := state(t, q, it.Seq); got != wire.Sealed {
			t.Errorf("record %d: got %s, want sealed", it.Seq, got)
		}
	}
}

// Somebody who edits the table is found out.
func TestTampering(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]string{
		"deleted":        `DELETE FROM part WHERE seq = 2; DELETE FROM record WHERE seq = 2`,
		"part-deleted":   `DELETE FROM part WHERE seq = 3`,
		"reordered":      `UPDATE record SET seq = 9 WHERE seq = 3`,
		"id":             `UPDATE record SET id = x'00000000000000000000000000000000' WHERE seq = 1`,
		"hash":           `UPDATE record SET hash = zeroblob(32) WHERE seq = 1`,
		"short-hash":     `UPDATE record SET hash = x'00' WHERE seq = 1`,
		"header":         `UPDATE record SET header = (SELECT header FROM record WHERE seq = 1) WHERE seq = 2`,
		"signature":      `UPDATE record SET signature = x'00' WHERE seq = 2`,
		"swapped-parts":  `UPDATE part SET seq = 30 WHERE seq = 3; UPDATE part SET seq = 3 WHERE seq = 2; UPDATE part SET seq = 2 WHERE seq = 30`,
		"false-gap":      `INSERT INTO gap VALUES (7, 8, zeroblob(32))`,
		"backwards-gap":  `INSERT INTO gap VALUES (4, 2, zeroblob(32))`,
		"table-renamed":  `ALTER TABLE part RENAME TO parts`,
		"column-renamed": `ALTER TABLE record RENAME COLUMN kind TO why`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := place(t)
			stored(t, path, 3, 1)
			q := openQueue(t, path)
			if _, err := q.writer.ExecContext(t.Context(), `PRAGMA foreign_keys = 0; `+change); err != nil {
				t.Fatal(err)
			}
			q.Close()
			openDamaged(t, path)
		})
	}
}

// The log without its file, as after an unlucky copy or a half-finished
// clean-up by hand, is kept: SQLite itself would delete it.
func TestLogWithoutItsFile(t *testing.T) {
	t.Parallel()
	for _, empty := range []bool{false, true} {
		t.Run(fmt.Sprintf("empty-%v", empty), func(t *testing.T) {
			path := place(t)
			q := openQueue(t, path)
			enqueue(t, q, 1)
			log, err := os.ReadFile(path + "-wal")
			if err != nil {
				t.Fatal(err)
			}
			q.Close()
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
			if empty {
				if err := os.WriteFile(path, nil, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if err := os.WriteFile(path+"-wal", log, 0o600); err != nil {
				t.Fatal(err)
			}
			_, damage := openDamaged(t, path)
			kept, err := os.ReadFile(filepath.Join(filepath.Dir(path), damage.Aside+"-wal"))
			if err != nil || !bytes.Equal(kept, log) {
				t.Errorf("the log was not kept: %v", err)
			}
		})
	}
}

// Replacing a file is cut off at each of its steps; the next start finishes.
func TestSwapCutShort(t *testing.T) {
	t.Parallel()
	const stamp = "20260101T000000.000000000Z"
	for name, step := range map[string]func(t *testing.T, path, mended string){
		"mended-complete": func(*testing.T, string, string) {},
		"file-aside": func(t *testing.T, path, _ string) {
			if err := os.Rename(path, path+damagedSuffix+stamp); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			path := place(t)
			stored(t, path, 2, 0) // stands for the damaged one
			mended := path + mendedSuffix + stamp
			other := filepath.Join(t.TempDir(), "queue.db")
			items := stored(t, other, 1, 0)
			if err := os.Rename(other, mended); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path+"-wal", []byte("the damaged file's log"), 0o600); err != nil {
				t.Fatal(err)
			}
			step(t, path, mended)
			got := openQueue(t, path)
			if found := holds(t, got, items); len(found) != 1 {
				t.Error("the mended file was not put in place")
			}
			for _, end := range []string{"", "-wal"} {
				if _, err := os.Stat(path + damagedSuffix + stamp + end); err != nil {
					t.Errorf("the damaged file was not kept: %v", err)
				}
			}
			if _, err := os.Stat(mended); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("the mended file is still there: %v", err)
			}
		})
	}
	t.Run("not-complete", func(t *testing.T) {
		path := place(t)
		items := stored(t, path, 2, 0)
		for _, end := range durable.OwnFiles() {
			if err := os.WriteFile(path+newSuffix+end, []byte("half"), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if got := holds(t, openQueue(t, path), items); len(got) != 2 {
			t.Errorf("got %v, want both records", got)
		}
	})
}

// A new file that was never finished is begun again.
func TestBeginCutShort(t *testing.T) {
	t.Parallel()
	path := place(t)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, end := range durable.OwnFiles() {
		if err := os.WriteFile(path+newSuffix+end, []byte("half"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	enqueue(t, openQueue(t, path), 1)
}

// The disk is full while mending: the damaged file stays where it is, and the
// next start tries again.
func TestMendingOnAFullDisk(t *testing.T) {
	t.Parallel()
	path := place(t)
	items := stored(t, path, 3, 0)
	alter(t, path, func(b []byte) []byte { b[at(t, b, "marker of visit 1.")] ^= 1; return b })
	// A folder in the new file's place stands for a disk that takes no file.
	if err := os.MkdirAll(filepath.Join(path+newSuffix, "x"), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, _, err := Open(path); wire.KindOf(err) != wire.KindDisk {
		t.Errorf("got %v, want kind disk", err)
	}
	if err := os.RemoveAll(path + newSuffix); err != nil {
		t.Fatal(err)
	}
	q, _ := openDamaged(t, path)
	if got := holds(t, q, items); !slices.Equal(got, []wire.Seq{1, 3}) {
		t.Errorf("kept %v, want 1 and 3", got)
	}
}

func TestAdopt(t *testing.T) {
	t.Parallel()
	path := place(t)
	centre := wire.HashOf([]byte("the centre's head"))
	items := stored(t, path, 2, 2)
	q := openQueue(t, path)
	if err := q.Adopt(t.Context(), 9, centre); !errors.Is(err, ErrState) {
		t.Errorf("never damaged: got %v, want ErrState", err)
	}
	q.Close()
	alter(t, path, func(b []byte) []byte { clear(b[:4096]); return b })
	q, damage, err := Open(path)
	if err != nil || damage == nil || damage.Saved != 0 {
		t.Fatal(damage, err)
	}
	if err := q.Adopt(t.Context(), 3, wire.Hash{}); !errors.Is(err, ErrState) {
		t.Errorf("without a hash: got %v, want ErrState", err)
	}
	if err := q.Adopt(t.Context(), 3, items[1].Hash); err != nil {
		t.Fatal(err)
	}
	if it := enqueue(t, q, 7); it.Seq != 3 {
		t.Errorf("the next record: got number %d, want 3", it.Seq)
	}
	if e, err := q.Envelope(t.Context(), 3); err != nil || mustHeader(t, e).Prev != items[1].Hash {
		t.Errorf("it does not follow the centre's head: %v", err)
	}
	if err := q.Adopt(t.Context(), 4, centre); err != nil {
		t.Errorf("the centre knows no more: %v", err)
	}
	if err := q.Adopt(t.Context(), 5, centre); !errors.Is(err, ErrState) {
		t.Errorf("while a record waits: got %v, want ErrState", err)
	}
	q.Close()
	q = openQueue(t, path)
	if s, err := q.Status(t.Context()); err != nil || s.Missing != 2 || s.Total != 1 {
		t.Errorf("got %+v, %v", s, err)
	}
}

// A record that goes bad while the queue is open is not sent.
func TestEnvelopeGoneBad(t *testing.T) {
	t.Parallel()
	q := openQueue(t, place(t))
	it := enqueue(t, q, 1)
	whole, err := q.Envelope(t.Context(), it.Seq)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := q.writer.ExecContext(t.Context(), `UPDATE part SET sealed = zeroblob(3000)`); err != nil {
		t.Fatal(err)
	}
	if got, err := q.Envelope(t.Context(), it.Seq); err != nil || !bytes.Equal(got.Marshal(nil), whole.Marshal(nil)) {
		t.Errorf("the spool's copy: %v", err)
	}
	unspool(t, q.path)
	if _, err := q.Envelope(t.Context(), it.Seq); wire.KindOf(err) != wire.KindDamaged {
		t.Errorf("got %v, want kind damaged", err)
	}
	if !durable.Suspected(q.path) {
		t.Error("the next start does not look at everything")
	}
}

// Wherever a byte goes bad, the queue opens and gives out only what verifies;
// a waiting record that is not given out is told of.
func TestAnyByteDamaged(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	path := filepath.Join(folder, "queue.db")
	items := stored(t, path, 5, 2)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	open := func(at int, flip byte) bool {
		b := bytes.Clone(whole)
		b[at] ^= flip
		return checkDamaged(t, filepath.Join(folder, fmt.Sprint(at, "-", flip), "queue.db"), b, items)
	}
	for at := range 100 { // the file's own header
		open(at, 1)
	}
	random := rand.New(rand.NewPCG(1, 2))
	const runs = 40
	found := 0
	for range runs {
		if open(100+random.IntN(len(whole)-100), byte(1+random.IntN(255))) {
			found++
		}
	}
	t.Logf("%d of %d damaged files were found out; in the others nothing that waits was touched", found, runs)
	if found < runs/3 {
		t.Errorf("only %d of %d were found", found, runs)
	}
}

// checkDamaged opens a damaged file and reports whether damage was found.
func checkDamaged(t *testing.T, path string, b []byte, items []Item) bool {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	q, damage, err := Open(path)
	if errors.Is(err, ErrForeign) {
		return true // the damage hit the very mark that says whose file it is
	}
	if err != nil {
		t.Fatal(err)
	}
	defer q.Close()
	for _, it := range items {
		e, err := q.Envelope(context.Background(), it.Seq)
		waits := it.Seq > 2
		switch {
		case err == nil && e.RecHash() != it.Hash:
			t.Errorf("%s: record %d is another one", path, it.Seq)
		case err != nil && damage == nil && waits:
			t.Errorf("%s: record %d is gone and nobody is told: %v", path, it.Seq, err)
		}
	}
	return damage != nil
}

// FuzzOpen gives the queue any file: it never panics and always ends with a
// queue that works, or leaves the file to the program that it belongs to.
func FuzzOpen(f *testing.F) {
	path := place(f)
	stored(f, path, 2, 1)
	whole, err := os.ReadFile(path)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(0, whole[:100])
	f.Add(4096, whole[4096:4200])
	f.Add(len(whole)-50, []byte{1, 2, 3})
	f.Fuzz(func(t *testing.T, at int, change []byte) {
		b := bytes.Clone(whole)
		if at < 0 || at > len(b) {
			return
		}
		copy(b[at:], change)
		path := place(t)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		q, _, err := Open(path)
		if errors.Is(err, ErrForeign) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		defer q.Close()
		if _, err := q.Enqueue(t.Context(), visit(9), builder(visit(9), random(10))); err != nil {
			t.Error(err)
		}
	})
}
