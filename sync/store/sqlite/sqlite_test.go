package sqlite

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"database/sql"
	"database/sql/driver"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/mattn/go-sqlite3"

	"github.com/counterproof/counterproof/sync/store"
	"github.com/counterproof/counterproof/sync/store/storetest"
	"github.com/counterproof/counterproof/sync/wire"
)

func TestContract(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(ctx context.Context, dir string) (storetest.Store, error) {
		return Open(ctx, filepath.Join(dir, "centre.db"))
	})
}

// TestContractOddPath: a folder with every letter that means something in a
// data source's name is only a folder.
func TestContractOddPath(t *testing.T) {
	t.Parallel()
	for _, r := range storetest.Rules()[:2] {
		err := r.Check(t.Context(), t.TempDir(), func(ctx context.Context, dir string) (storetest.Store, error) {
			odd := filepath.Join(dir, "a b?mode=memory&x=%41#é")
			if err := os.MkdirAll(odd, 0o700); err != nil {
				return nil, err
			}
			return Open(ctx, filepath.Join(odd, "centre.db"))
		})
		if err != nil {
			t.Errorf("%s: %v", r.Name, err)
		}
	}
}

// openTemp opens a store in a new folder.
func openTemp(t testing.TB) (*Store, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "centre.db")
	s, err := Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s, path
}

// TestPragmasReadBack: a connection without the safe settings is refused, and
// a good one has them.
func TestPragmasReadBack(t *testing.T) {
	t.Parallel()
	_, path := openTemp(t)
	good := dataSource(path, false)
	for name, c := range map[string]struct {
		dsn  string
		want string
	}{
		"as-opened":   {good, ""},
		"misspelt":    {strings.Replace(good, "_synchronous", "_syncronous", 1), "synchronous=1"},
		"normal":      {strings.Replace(good, "_synchronous=FULL", "_synchronous=NORMAL", 1), "synchronous=1"},
		"no-foreign":  {strings.Replace(good, "_foreign_keys=1", "_foreign_keys=0", 1), "foreign_keys=0"},
		"no-patience": {strings.Replace(good, "_busy_timeout=5000", "_busy_timeout=1", 1), "busy_timeout=1"},
		"may-write":   {strings.Replace(dataSource(path, true), "_query_only=1", "_query_only=0", 1), ""},
	} {
		d := &sqlite3.SQLiteDriver{ConnectHook: func(c *sqlite3.SQLiteConn) error { return checkPragmas(c, false) }}
		conn, err := d.Open(c.dsn)
		if err == nil {
			_ = conn.Close()
		}
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: got error %v, want %q", name, err, c.want)
		}
	}
}

// TestPragmasJournal: a file outside the write-ahead log is refused.
func TestPragmasJournal(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "other.db")
	d := &sqlite3.SQLiteDriver{ConnectHook: func(c *sqlite3.SQLiteConn) error { return checkPragmas(c, false) }}
	conn, err := d.Open(strings.Replace(dataSource(path, false), "_journal_mode=WAL", "_journal_mode=DELETE", 1))
	if err == nil {
		_ = conn.Close()
		t.Fatal("a connection without the write-ahead log was accepted")
	}
}

// TestReaderCannotWrite: the pool that reads has no way to change anything.
func TestReaderCannotWrite(t *testing.T) {
	t.Parallel()
	s, _ := openTemp(t)
	if _, err := s.reader.ExecContext(t.Context(), `DELETE FROM accepted`); err == nil {
		t.Error("a reader deleted receipts")
	}
}

// TestPrivateFiles: the records, though sealed, are nobody else's.
func TestPrivateFiles(t *testing.T) {
	t.Parallel()
	s, path := openTemp(t)
	if err := s.AddCode(t.Context(), store.Code{Hash: wire.HashOf(nil), Site: "x", Role: store.Counter}); err != nil {
		t.Fatal(err)
	}
	for _, suffix := range []string{"", "-wal", "-shm"} {
		info, err := os.Stat(path + suffix)
		if err != nil {
			t.Fatal(err)
		}
		if got := info.Mode().Perm(); got != 0o600 {
			t.Errorf("%s: got mode %o, want 600", filepath.Base(path+suffix), got)
		}
	}
}

// execRaw changes a closed store's file behind its back.
func execRaw(t *testing.T, path, query string) {
	t.Helper()
	db := sql.OpenDB(connector{dsn: "file:" + path, driver: &sqlite3.SQLiteDriver{}})
	defer db.Close()
	if _, err := db.ExecContext(t.Context(), query); err != nil {
		t.Fatal(err)
	}
}

func TestSchemaVersions(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change             string
		opens, migrates    bool
		wantFrom, wantNext int
	}{
		"current":      {"SELECT 1", true, true, len(steps), len(steps)},
		"newer":        {"PRAGMA user_version=99", false, false, 0, 0},
		"someone-else": {"PRAGMA application_id=1", false, false, 0, 0},
		"unmarked":     {"PRAGMA application_id=0; PRAGMA user_version=0", false, false, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, path := openTemp(t)
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			execRaw(t, path, c.change)
			from, to, err := Migrate(t.Context(), path)
			if (err == nil) != c.migrates || err != nil && !errors.Is(err, ErrSchema) || c.migrates && (from != c.wantFrom || to != c.wantNext) {
				t.Errorf("migrating: got %d, %d, %v", from, to, err)
			}
			again, err := Open(t.Context(), path)
			if err == nil {
				_ = again.Close()
			}
			if (err == nil) != c.opens || err != nil && !errors.Is(err, ErrSchema) {
				t.Errorf("opening: got %v", err)
			}
		})
	}
}

// TestOlderSchema: a file of the version before waits for Migrate.
func TestOlderSchema(t *testing.T) {
	t.Parallel()
	if err := checkVersion(len(steps) - 1); !errors.Is(err, ErrSchema) || !strings.Contains(err.Error(), "migrate") {
		t.Errorf("got %v, want a hint to migrate", err)
	}
	if err := checkVersion(len(steps)); err != nil {
		t.Errorf("the program's own version: got %v", err)
	}
}

func TestMigrateNewFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "centre.db")
	if from, to, err := Migrate(t.Context(), path); err != nil || from != 0 || to != len(steps) {
		t.Fatalf("got %d, %d, %v", from, to, err)
	}
	s, err := Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

// TestDamagedFile: a damaged file is not opened and never repaired silently.
func TestDamagedFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "centre.db")
	if err := os.WriteFile(path, []byte(strings.Repeat("not a database", 1000)), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), path); err == nil {
		t.Error("a file that is no database was opened")
	}
	if _, _, err := Migrate(t.Context(), path); err == nil {
		t.Error("a file that is no database was migrated")
	}
	if _, err := Open(t.Context(), filepath.Join(path, "x", "centre.db")); err == nil {
		t.Error("a store was opened in no folder")
	}
	if _, _, err := Migrate(t.Context(), filepath.Join(path, "x", "centre.db")); err == nil {
		t.Error("a store was migrated in no folder")
	}
}

// TestTwoProcesses: a second opener of the same file, as the invite command
// beside a running centre, works on the same data.
func TestTwoProcesses(t *testing.T) {
	t.Parallel()
	first, path := openTemp(t)
	second, err := Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer second.Close()
	code := store.Code{Hash: wire.HashOf([]byte("code")), Site: "fa123", Role: store.Counter, Expires: time.Now().Add(time.Hour)}
	if err := second.AddCode(t.Context(), code); err != nil {
		t.Fatal(err)
	}
	if _, err := first.Enrol(t.Context(), store.Enrolment{Code: code.Hash, Agent: "a", Public: []byte("k"), Grade: "file", At: time.Now()}); err != nil {
		t.Errorf("the other's code is not known: %v", err)
	}
	if _, err := second.Agent(t.Context(), "a"); err != nil {
		t.Errorf("the other's agent is not known: %v", err)
	}
}

// submission makes a record for tables that the interface does not show.
func submission(agent wire.AgentID, seq wire.Seq, prev wire.Hash, parts ...string) store.Submission {
	h := wire.Header{Version: 1, Agent: agent, Seq: seq, Prev: prev}
	sig := make([]byte, 70)
	_, _ = rand.Read(sig)
	e := wire.Envelope{Signature: sig}
	for _, p := range parts {
		h.Parts = append(h.Parts, wire.PartInfo{Name: wire.PartClaims, Recipient: "k", Len: uint64(len(p)), SHA256: wire.HashOf([]byte(p))})
		e.Parts = append(e.Parts, wire.Part{Name: wire.PartClaims, Sealed: []byte(p)})
	}
	e.Header = h.Encode()
	return store.Submission{
		Agent: agent, Envelope: e, Header: h, At: time.UnixMilli(1_790_000_000_000).UTC(),
		SignReceipt: func(r wire.Receipt) (wire.Receipt, error) { return r, nil },
		SignRefusal: func(r wire.Refusal) (wire.Refusal, error) { return r, nil },
	}
}

// enrolled opens a store with one agent.
func enrolled(t testing.TB, agents ...wire.AgentID) *Store {
	t.Helper()
	s, _ := openTemp(t)
	for _, id := range agents {
		code := store.Code{Hash: wire.HashOf([]byte(id)), Site: "fa123", Role: store.Counter, Expires: time.Now().Add(time.Hour)}
		if err := s.AddCode(t.Context(), code); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Enrol(t.Context(), store.Enrolment{Code: code.Hash, Agent: id, Public: []byte("k"), Grade: "file", At: time.Now()}); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// TestBothVersionsKept: of a fork, the record in the log and the one aside are
// both there, byte for byte; of a refused record only header and signature.
func TestBothVersionsKept(t *testing.T) {
	t.Parallel()
	s := enrolled(t, "a")
	refused, first, second := submission("a", 1, wire.Hash{}, "training"), store.Submission{}, store.Submission{}
	refused.Refuse = "training"
	first = submission("a", 2, refused.Envelope.RecHash(), "one")
	second = submission("a", 2, refused.Envelope.RecHash(), "uno")
	for _, sub := range []store.Submission{refused, first, second} {
		if _, err := s.Accept(t.Context(), sub); err != nil {
			t.Fatal(err)
		}
	}
	aside := map[string]wire.Envelope{}
	rows, err := s.reader.QueryContext(t.Context(), `SELECT reason, envelope FROM aside`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var reason string
		var b []byte
		if err := rows.Scan(&reason, &b); err != nil {
			t.Fatal(err)
		}
		e, _, err := wire.ParseEnvelope(b)
		if err != nil {
			t.Fatal(err)
		}
		aside[reason] = e
	}
	if got := aside["fork"]; got.RecHash() != second.Envelope.RecHash() || string(got.Parts[0].Sealed) != "uno" {
		t.Errorf("the second version of the fork is not kept: %+v", got)
	}
	if got := aside["training"]; got.RecHash() != refused.Envelope.RecHash() || got.Parts[0].Sealed != nil {
		t.Errorf("the refused record is not kept without its parts: %+v", got)
	}
	records, err := s.Records(t.Context(), 0, 10)
	if err != nil || len(records) != 1 || records[0].Receipt.RecHash != first.Envelope.RecHash() {
		t.Errorf("the log holds %+v (%v), want the first version", records, err)
	}
}

// TestStoredDamage: what was damaged on the disk is an error, not an answer.
func TestStoredDamage(t *testing.T) {
	t.Parallel()
	for name, damage := range map[string]string{
		"answer-is-no-json":   `UPDATE accepted SET answer='{'`,
		"answer-no-receipt":   `UPDATE accepted SET answer='{}'`,
		"header-is-no-header": `UPDATE record SET header=x'00'`,
		"part-is-lost":        `DELETE FROM part`,
		"blob-is-lost":        `UPDATE part SET sealed=NULL, sha256=x'00'`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := enrolled(t, "a")
			if _, err := s.Accept(t.Context(), submission("a", 1, wire.Hash{}, "one")); err != nil {
				t.Fatal(err)
			}
			if _, err := s.writer.ExecContext(t.Context(), damage); err != nil {
				t.Fatal(err)
			}
			if got, err := s.Records(t.Context(), 0, 10); err == nil {
				t.Errorf("got %d records and no error", len(got))
			}
		})
	}
}

// TestClosedStore: every method of a closed store fails and none panics.
func TestClosedStore(t *testing.T) {
	t.Parallel()
	s, _ := openTemp(t)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	_, accept := s.Accept(ctx, submission("a", 1, wire.Hash{}))
	_, put := s.PutBlob(ctx, store.Piece{})
	_, blob := s.Blob(ctx, "a", wire.Hash{})
	_, agent := s.Agent(ctx, "a")
	_, enrol := s.Enrol(ctx, store.Enrolment{})
	_, records := s.Records(ctx, 0, 1)
	_, read := s.Bundle(ctx, nil)
	_, change := s.Bundle(ctx, func(b wire.Signed) (wire.Signed, error) { return b, nil })
	for i, err := range []error{accept, put, blob, agent, enrol, records, read, change, s.AddCode(ctx, store.Code{})} {
		if err == nil || errors.Is(err, store.ErrUnknown) || errors.Is(err, driver.ErrBadConn) {
			t.Errorf("call %d on a closed store: got %v", i, err)
		}
	}
}

// BenchmarkAccept measures one durable record of 3 KiB with a real signature
// on its receipt.
func BenchmarkAccept(b *testing.B) {
	s := enrolled(b, "a")
	_, key, _ := ed25519.GenerateKey(nil)
	body := strings.Repeat("x", 3<<10)
	var head wire.Hash
	var seq wire.Seq
	for b.Loop() {
		seq++
		sub := submission("a", seq, head, body)
		sub.SignReceipt = func(r wire.Receipt) (wire.Receipt, error) {
			r.Sig = ed25519.Sign(key, r.SignedBytes())
			return r, nil
		}
		head = sub.Envelope.RecHash()
		if got, err := s.Accept(b.Context(), sub); err != nil || got.Verdict != wire.Stored {
			b.Fatal(got.Verdict, err)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "rec/s")
}

// BenchmarkPutBlob measures a durable piece of 512 KiB that is a whole blob.
func BenchmarkPutBlob(b *testing.B) {
	s := enrolled(b, "a")
	data := make([]byte, 512<<10)
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		_, _ = rand.Read(data[:16])
		if _, err := s.PutBlob(b.Context(), store.Piece{Agent: "a", SHA256: wire.HashOf(data), Data: data, Last: true}); err != nil {
			b.Fatal(err)
		}
	}
}
