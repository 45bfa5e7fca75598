package trade

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/counterproof/counterproof/agent/proof"
	"github.com/counterproof/counterproof/sync/custody"
	"github.com/counterproof/counterproof/sync/queue"
	"github.com/counterproof/counterproof/sync/queue/durable"
	"github.com/counterproof/counterproof/sync/wire"
)

// worked lets a trade do its whole work in a new folder.
func worked(t *testing.T, name string) (tr Trade, dir string, said Said) {
	t.Helper()
	tr, err := Find(name)
	if err != nil {
		t.Fatal(err)
	}
	dir = t.TempDir()
	var text bytes.Buffer
	if err := tr.Prepare(t.Context(), dir); err != nil {
		t.Fatal(err)
	}
	if err := tr.Work(t.Context(), dir, func(words ...any) { fmt.Fprintln(&text, words...) }); err != nil {
		t.Fatal(err)
	}
	return tr, dir, Parse(text.Bytes())
}

// A trade that was not disturbed has kept all that it said, and can be checked
// again.
func TestTrades(t *testing.T) {
	t.Parallel()
	for _, tr := range All() {
		t.Run(tr.Name, func(t *testing.T) {
			t.Parallel()
			tr, dir, said := worked(t, tr.Name)
			if len(said) < 4 {
				t.Errorf("it said only %v", said)
			}
			if err := tr.Check(t.Context(), dir, said); err != nil {
				t.Error(err)
			}
			if tr.Name == "uplink" {
				if err := tr.Check(t.Context(), dir, said); err != nil {
					t.Errorf("a second time: %v", err)
				}
			}
		})
	}
	if _, err := Find("smuggling"); err == nil {
		t.Error("a trade that is none is found")
	}
}

// execute changes a database behind the product's back.
func execute(t *testing.T, path string, statements ...string) {
	t.Helper()
	db := durable.Writer(path)
	defer db.Close()
	if _, err := db.ExecContext(t.Context(), "PRAGMA foreign_keys=0;"+strings.Join(statements, ";")); err != nil {
		t.Fatal(err)
	}
}

// only finds the one file of a pattern.
func only(t *testing.T, parts ...string) string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(parts...))
	if err != nil || len(names) == 0 {
		t.Fatal("no file", parts, err)
	}
	return names[0]
}

// Every check objects where what was said is gone or another: it is no check
// that cannot fail.
func TestChecksObject(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		trade, name string
		spoil       func(t *testing.T, dir string)
	}{
		{"draft", "gone", func(t *testing.T, dir string) { remove(t, only(t, draftDir(dir), "crashbbbb.draft")) }},
		{"draft", "cut", func(t *testing.T, dir string) { cut(t, only(t, draftDir(dir), "crashbbbb.draft"), 12_000) }},
		{"draft", "altered", func(t *testing.T, dir string) { flip(t, only(t, draftDir(dir), "crashcccc.draft"), 20_000) }},
		{"draft", "keys gone", func(t *testing.T, dir string) { remove(t, only(t, keysDir(dir), "wrap.key")) }},
		{"draft", "back from the dead", func(t *testing.T, dir string) {
			b, err := os.ReadFile(only(t, draftDir(dir), "crashbbbb.draft"))
			if err == nil {
				err = os.WriteFile(filepath.Join(draftDir(dir), "crashaaaa.draft"), b, 0o600)
			}
			if err != nil {
				t.Fatal(err)
			}
		}},
		{"queue", "gone", func(t *testing.T, dir string) {
			remove(t, QueueFile(dir))
			_ = os.RemoveAll(filepath.Join(filepath.Dir(QueueFile(dir)), "spool"))
		}},
		{"queue", "receipt lost", func(t *testing.T, dir string) {
			execute(t, QueueFile(dir), `UPDATE record SET state='sealed', receipt=NULL WHERE seq=1`)
		}},
		{"queue", "part altered", func(t *testing.T, dir string) {
			execute(t, QueueFile(dir), `UPDATE part SET sealed=zeroblob(3000) WHERE seq=2`)
		}},
		{"queue", "torn", func(t *testing.T, dir string) { flip(t, QueueFile(dir), 4096+100) }},
		{"central", "gone", func(t *testing.T, dir string) { remove(t, CentreFile(dir)) }},
		{"central", "record lost", func(t *testing.T, dir string) {
			execute(t, CentreFile(dir), `DELETE FROM part WHERE log_index=2`, `DELETE FROM record WHERE log_index=2`)
		}},
		{"central", "blob altered", func(t *testing.T, dir string) {
			execute(t, CentreFile(dir), `UPDATE chunk SET data=zeroblob(length(data))`)
		}},
		{"central", "forgotten", func(t *testing.T, dir string) {
			execute(t, CentreFile(dir), `UPDATE agent SET expect=5`, `DELETE FROM accepted WHERE seq>4`)
		}},
		{"uplink", "centre forgets for good", func(t *testing.T, dir string) {
			execute(t, CentreFile(dir), `DELETE FROM part WHERE log_index=3`, `DELETE FROM record WHERE log_index=3`)
		}},
		{"uplink", "queue gone", func(t *testing.T, dir string) {
			remove(t, QueueFile(dir))
			_ = os.RemoveAll(filepath.Join(filepath.Dir(QueueFile(dir)), "spool"))
		}},
	} {
		t.Run(tt.trade+"/"+tt.name, func(t *testing.T) {
			t.Parallel()
			tr, dir, said := worked(t, tt.trade)
			tt.spoil(t, dir)
			if err := tr.Check(t.Context(), dir, said); err == nil {
				t.Error("the check finds nothing")
			}
		})
	}
}

func remove(t *testing.T, path string) {
	t.Helper()
	for _, suffix := range []string{"", "-wal", "-shm"} {
		if err := os.Remove(path + suffix); suffix == "" && err != nil {
			t.Fatal(err)
		}
	}
}

func cut(t *testing.T, path string, size int64) {
	t.Helper()
	if err := os.Truncate(path, size); err != nil {
		t.Fatal(err)
	}
}

// flip tears half a sector of a file.
func flip(t *testing.T, path string, at int64) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteAt(bytes.Repeat([]byte{0xa5}, 256), at); err != nil {
		t.Fatal(err)
	}
}

// A line that was cut by the end of its program was not said.
func TestParse(t *testing.T) {
	t.Parallel()
	said := Parse([]byte("queued 0 ab\nacked 0\nqueued 1 c"))
	if len(said) != 2 || !said.has("acked", 0) || said.has("queued", 1, "c") || said.has("acked") {
		t.Errorf("got %v", said)
	}
	if q := said.each("queued"); len(q) != 1 || q[0][1] != "ab" {
		t.Errorf("got %v", q)
	}
}

// Insisting ends, with the last error.
func TestInsist(t *testing.T) {
	t.Parallel()
	n := 0
	if err := insist(func() error { n++; return fmt.Errorf("try %d", n) }); err == nil || n != tries {
		t.Errorf("got %v after %d", err, n)
	}
	v, err := again(func() (int, error) {
		if n--; n > 30 {
			return 0, fs.ErrInvalid
		}
		return n, nil
	})
	if v != 30 || err != nil {
		t.Errorf("got %d, %v", v, err)
	}
}

// A centre that comes back from yesterday's copy is given again what it has
// lost, though the counter had its receipts.
func TestYesterday(t *testing.T) {
	t.Parallel()
	tr, dir, said := worked(t, "uplink")
	yesterday := filepath.Join(t.TempDir(), "yesterday")
	if err := os.CopyFS(yesterday, os.DirFS(centreDir(dir))); err != nil {
		t.Fatal(err)
	}
	k, q := house(t, dir)
	id, _, err := k.Identity()
	if err != nil {
		t.Fatal(err)
	}
	for n := 10; n < 14; n++ {
		if _, err := enqueue(t.Context(), q, k, id.Agent, n); err != nil {
			t.Fatal(err)
		}
	}
	if err := send(t.Context(), dir, k, q); err != nil {
		t.Fatal(err)
	}
	if records, err := log(t.Context(), dir); err != nil || len(records) != amount/2+4 {
		t.Fatalf("%d records, %v", len(records), err)
	}
	if err := os.RemoveAll(centreDir(dir)); err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(centreDir(dir), os.DirFS(yesterday)); err != nil {
		t.Fatal(err)
	}
	if records, err := log(t.Context(), dir); err != nil || len(records) != amount/2 {
		t.Fatalf("the copy has %d records, %v", len(records), err)
	}
	if err := q.Close(); err != nil {
		t.Fatal(err)
	}
	// The check lets the counter look where the centre stands, and compares.
	if _, q = house(t, dir); q.Close() != nil {
		t.Fatal("the queue does not close")
	}
	if err := resend(t, dir); err != nil {
		t.Fatal(err)
	}
	if err := tr.Check(t.Context(), dir, said); err != nil {
		t.Error(err)
	}
	if records, err := log(t.Context(), dir); err != nil || len(records) != amount/2+4 {
		t.Errorf("%d records are at the restored centre, %v", len(records), err)
	}
}

// house opens what the counter in a house has.
func house(t *testing.T, dir string) (*custody.Keeper, *queue.Queue) {
	t.Helper()
	k, err := custody.Open(keysDir(dir))
	if err != nil {
		t.Fatal(err)
	}
	q, err := openQueue(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = q.Close() })
	return k, q
}

// resend lets the counter learn that the centre is behind: nothing waits in the
// queue, so it must look by itself.
func resend(t *testing.T, dir string) error {
	t.Helper()
	k, q := house(t, dir)
	defer q.Close()
	c, err := newUplinkCentre(t.Context(), dir, k, q)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(t.Context(), sendTime)
	defer cancel()
	ended := make(chan error)
	go func() { ended <- c.client.Run(ctx) }()
	for ctx.Err() == nil {
		records, err := log(ctx, dir)
		if err == nil && len(records) == amount/2+4 {
			cancel()
		}
	}
	if err := <-ended; err != nil {
		return err
	}
	return c.close()
}

// A clock that is ten years wrong, either way, changes when a record says it was
// made, and neither its place nor that it arrives.
func TestClockTenYears(t *testing.T) {
	t.Parallel()
	tr, dir, said := worked(t, "uplink")
	k, q := house(t, dir)
	id, _, err := k.Identity()
	if err != nil {
		t.Fatal(err)
	}
	for i, years := range []int{10, -10, 0} {
		it, err := enqueueAt(t.Context(), q, k, id.Agent, 20+i, years)
		if err != nil {
			t.Fatal(err)
		}
		if int(it.Seq) != amount/2+1+i {
			t.Errorf("%+d years: number %d", years, it.Seq)
		}
	}
	if err := send(t.Context(), dir, k, q); err != nil {
		t.Fatal(err)
	}
	if err := q.Close(); err != nil {
		t.Fatal(err)
	}
	if err := tr.Check(t.Context(), dir, said); err != nil {
		t.Error(err)
	}
	records, err := log(t.Context(), dir)
	if err != nil || len(records) != amount/2+3 {
		t.Fatalf("%d records, %v", len(records), err)
	}
	for i, years := range []int{10, -10, 0} {
		h, err := wire.DecodeHeader(records[amount/2+i].Envelope.Header)
		if err != nil || h.Wall.Year() != clock.AddDate(years, 0, 0).Year() {
			t.Errorf("%+d years: the record says %v, %v", years, h.Wall, err)
		}
	}
}

// The visits' names are ones that a store takes.
func TestVisitNames(t *testing.T) {
	t.Parallel()
	for _, id := range visits {
		if len(id) < 8 || proof.CaseID(strings.ToLower(string(id))) != id {
			t.Errorf("%q is no name of a case", id)
		}
	}
}

// What the centre does not answer with a receipt was not given.
func TestGive(t *testing.T) {
	t.Parallel()
	tr, dir, _ := worked(t, "central")
	c, err := openCentre(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	k, err := custody.Open(keysDir(dir))
	if err != nil {
		t.Fatal(err)
	}
	line := inside{c.Handler(), k}
	e, h, err := made(dir, 3)
	if err != nil {
		t.Fatal(err)
	}
	if a, err := give(t.Context(), line, e, h); err != nil || a.Verdict != wire.Replayed {
		t.Errorf("a record again: %s, %v", a.Verdict, err)
	}
	ahead := h
	ahead.Seq += 7
	if a, err := give(t.Context(), line, e, ahead); err == nil || a.Verdict != wire.Altered {
		t.Errorf("under another number: %s, %v", a.Verdict, err)
	}
	stranger, err := custody.Open(filepath.Join(t.TempDir(), "keys"))
	if err != nil {
		t.Fatal(err)
	}
	if a, err := give(t.Context(), inside{c.Handler(), stranger}, e, h); err == nil || a.Verdict != wire.Unauthorised {
		t.Errorf("of a stranger: %s, %v", a.Verdict, err)
	}
	if _, _, err := made(dir, amount); err == nil {
		t.Error("there is a record too many")
	}
	if err := tr.Prepare(t.Context(), filepath.Join(dir, "made", "0")); err == nil {
		t.Error("a centre is prepared where a file lies")
	}
}

// The same record comes out the same each time, another one is another, and some
// have a part that must go ahead.
func TestRecords(t *testing.T) {
	t.Parallel()
	ahead := 0
	for n := range amount {
		h, parts := header(crashAgent, n)
		again, same := header(crashAgent, n)
		_, next := header(crashAgent, n+1)
		if h.Record != again.Record || !bytes.Equal(parts[0].Sealed, same[0].Sealed) {
			t.Errorf("record %d comes out differently", n)
		}
		if bytes.Equal(parts[0].Sealed, next[0].Sealed) || bytes.Count(parts[0].Sealed, []byte{0}) > len(parts[0].Sealed)/8 {
			t.Errorf("record %d tells nothing", n)
		}
		for i, p := range parts {
			if h.Parts[i].SHA256 != wire.HashOf(p.Sealed) || h.Parts[i].Name != p.Name {
				t.Errorf("record %d, part %d is not what its header names", n, i)
			}
			if !wire.Inline(p) {
				ahead++
			}
		}
	}
	if ahead == 0 {
		t.Error("no part goes ahead")
	}
}
