package sqlite

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"database/sql"
	"database/sql/driver"
	"encoding/json"
	"errors"
	"fmt"
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

// posting is an opener's first notice.
func posting() store.Posting {
	return store.Posting{Opener: "o", Notices: []wire.Placed{{N: 1, Notice: wire.Notice{Agent: "a", Number: 1}}}}
}

// enrolled opens a store with one agent.
func enrolled(t testing.TB, agents ...wire.AgentID) *Store {
	t.Helper()
	s, _ := openTemp(t)
	for _, id := range agents {
		addAgent(t, s, id)
	}
	return s
}

// addAgent enrols an agent.
func addAgent(t testing.TB, s *Store, id wire.AgentID) {
	t.Helper()
	code := store.Code{Hash: wire.HashOf([]byte(id)), Site: "fa123", Role: store.Counter, Expires: time.Now().Add(time.Hour)}
	if err := s.AddCode(t.Context(), code); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Enrol(t.Context(), store.Enrolment{Code: code.Hash, Agent: id, Public: []byte("k"), Grade: "file", At: time.Now()}); err != nil {
		t.Fatal(err)
	}
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

// three makes a store with a record of two parts in the middle of three.
func three(t *testing.T) (s *Store, path string, stored []store.Submission) {
	t.Helper()
	s, path = openTemp(t)
	addAgent(t, s, "a")
	head := wire.Hash{}
	for i := range 3 {
		large := strings.Repeat(fmt.Sprintf("marker of record %d. ", i+1), 1000)
		sub := submission("a", wire.Seq(i+1), head, large, "small")
		if _, err := s.Accept(t.Context(), sub); err != nil {
			t.Fatal(err)
		}
		head, stored = sub.Envelope.RecHash(), append(stored, sub)
	}
	return s, path, stored
}

// checkDamage reads the log of three and wants the middle one damaged, under its
// place, and its neighbours whole.
func checkDamage(t *testing.T, s *Store, stored []store.Submission, named, opens bool) {
	t.Helper()
	for _, limit := range []int{1, 10} {
		var got []store.Record
		for after := uint64(0); ; after = uint64(len(got)) {
			page, err := s.Records(t.Context(), after, limit)
			if err != nil {
				t.Fatal(err)
			}
			if len(page) == 0 {
				break
			}
			got = append(got, page...)
		}
		if len(got) != 3 {
			t.Fatalf("got %d records, want 3", len(got))
		}
		for i, r := range got {
			_, err := r.Envelope.Check()
			whole := !r.Damaged && err == nil && r.Envelope.RecHash() == stored[i].Envelope.RecHash()
			if whole != (i != 1) || r.Damaged != (i == 1) || r.Receipt.LogIndex != uint64(i+1) {
				t.Errorf("record %d: damaged %v, index %d, %v", i+1, r.Damaged, r.Receipt.LogIndex, err)
			}
		}
		bad, want := got[1], stored[1].Envelope.RecHash()
		if named && bad.Receipt.RecHash != want || opens != (bad.Envelope.RecHash() == want) {
			t.Errorf("the damaged record is named %s with envelope %s, want %s", bad.Receipt.RecHash, bad.Envelope.RecHash(), want)
		}
	}
}

// TestStoredDamage: what was damaged on the disk is told as damaged, with what
// can still be said of it, and hides no other record.
func TestStoredDamage(t *testing.T) {
	t.Parallel()
	for name, d := range map[string]struct {
		damage       string
		named, opens bool // its hash is known; its header and signature are there
	}{
		"answer-is-no-json":   {`UPDATE accepted SET answer='{' WHERE seq=2`, true, true},
		"answer-no-receipt":   {`UPDATE accepted SET answer='{}' WHERE seq=2`, true, true},
		"answer-of-another":   {`UPDATE accepted SET answer=(SELECT answer FROM accepted WHERE seq=1) WHERE seq=2`, true, true},
		"answer-lost":         {`DELETE FROM accepted WHERE seq=2`, true, true},
		"hash-altered":        {`UPDATE accepted SET rec_hash=zeroblob(32) WHERE seq=2`, false, false},
		"header-is-no-header": {`UPDATE record SET header=x'00' WHERE seq=2`, true, false},
		"header-of-another":   {`UPDATE record SET header=(SELECT header FROM record WHERE seq=1) WHERE seq=2`, true, false},
		"signature-altered":   {`UPDATE record SET signature=x'00' WHERE seq=2`, true, false},
		"part-is-lost":        {`DELETE FROM part WHERE log_index=2 AND n=1`, true, true},
		"part-altered":        {`UPDATE part SET sealed=x'00' WHERE log_index=2 AND n=1`, true, true},
		"blob-is-lost":        {`UPDATE part SET sealed=NULL, sha256=x'00' WHERE log_index=2 AND n=0`, true, true},
		"record-is-lost":      {`DELETE FROM part WHERE log_index=2; DELETE FROM record WHERE log_index=2`, false, false},
		"agent-renamed":       {`PRAGMA foreign_keys=0; UPDATE record SET agent='b' WHERE seq=2`, false, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, _, stored := three(t)
			if _, err := s.writer.ExecContext(t.Context(), d.damage); err != nil {
				t.Fatal(err)
			}
			checkDamage(t, s, stored, d.named, d.opens)
		})
	}
}

// TestDamagedPage: a page of the file that went bad costs the record that it
// holds and no other.
func TestDamagedPage(t *testing.T) {
	t.Parallel()
	for name, damage := range map[string]func(page []byte){
		"one-bit": func(page []byte) { page[2000] ^= 1 },
		"zeros":   func(page []byte) { clear(page) },
		"chain":   func(page []byte) { copy(page, []byte{0xff, 0xff, 0xff, 0xff}) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, path, stored := three(t)
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			b, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			at := strings.LastIndex(string(b), "marker of record 2. ")
			if at < 0 {
				t.Fatal("the file does not hold the record")
			}
			for range 2 { // in the middle of the part, away from other rows
				at = strings.LastIndex(string(b[:at/4096*4096]), "marker of record 2. ")
			}
			page := at / 4096 * 4096
			damage(b[page : page+4096])
			if err := os.WriteFile(path, b, 0o600); err != nil {
				t.Fatal(err)
			}
			if s, err = Open(t.Context(), path); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = s.Close() })
			checkDamage(t, s, stored, true, true)
		})
	}
}

// TestDamagedNews: news that the disk has lost or altered is told at its place
// and hides none behind it.
func TestDamagedNews(t *testing.T) {
	t.Parallel()
	for name, damage := range map[string]string{
		"lost":      `DELETE FROM notice WHERE seq=2`,
		"both-lost": `DELETE FROM notice WHERE seq IN (1, 2)`,
		"altered":   `UPDATE notice SET kind='nhs_p9' WHERE seq=2`,
		"time":      `UPDATE notice SET at=9223372036854775807 WHERE seq=2`,
		"no-time":   `UPDATE notice SET at=-9223372036854775808 WHERE seq=2`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, _ := openTemp(t)
			var want []wire.Placed
			for n := range uint64(3) {
				want = append(want, wire.Placed{N: n + 1, Notice: wire.Notice{
					Agent: "a", Number: n + 1, Ref: wire.RecordID{byte(n)}.Ref(), Kind: wire.NoticeReviewOpen,
					At: time.UnixMilli(1_800_000_000_000).UTC(), Key: "k", Sig: []byte("s"),
				}})
			}
			if _, err := s.PostNotices(t.Context(), store.Posting{Opener: "o", Notices: want}); err != nil {
				t.Fatal(err)
			}
			if _, err := s.writer.ExecContext(t.Context(), damage); err != nil {
				t.Fatal(err)
			}
			page, err := s.NoticesFor(t.Context(), "a", 0, 10)
			if err != nil || page.Last != 3 {
				t.Fatalf("got %+v, %v", page, err)
			}
			b, err := json.Marshal(page)
			if err != nil {
				t.Fatal(err)
			}
			page, err = wire.DecodeNotices(b, 0)
			if err != nil || len(page.Notices) != 3 {
				t.Fatalf("got %d notices, %v", len(page.Notices), err)
			}
			if page.Notices[1].Notice.Hash() == want[1].Notice.Hash() || page.Notices[2].Notice.Hash() != want[2].Notice.Hash() {
				t.Errorf("got %+v", page.Notices)
			}
			for limit := range 4 {
				if page, err := s.NoticesFor(t.Context(), "a", 0, limit); err != nil || len(page.Notices) != limit {
					t.Errorf("of %d: got %d, %v", limit, len(page.Notices), err)
				}
			}
		})
	}
}

// older makes a file of an earlier version with what a store's file holds.
func older(t *testing.T, path string, version int) string {
	t.Helper()
	old := filepath.Join(t.TempDir(), "older.db")
	db := sql.OpenDB(connector{dsn: "file:" + old, driver: &sqlite3.SQLiteDriver{}})
	defer db.Close()
	db.SetMaxOpenConns(1)
	exec := func(query string, args ...any) {
		t.Helper()
		if _, err := db.ExecContext(t.Context(), query, args...); err != nil {
			t.Fatal(err)
		}
	}
	exec("PRAGMA auto_vacuum=incremental; PRAGMA journal_mode=WAL")
	exec(strings.Join(steps[:version], "") + fmt.Sprintf("PRAGMA application_id=%d; PRAGMA user_version=%d", applicationID, version))
	exec("ATTACH ? AS newer", path)
	var copies string
	err := db.QueryRowContext(t.Context(), `SELECT group_concat('INSERT INTO main.' || name || '(' || columns || ') SELECT ' || columns || ' FROM newer.' || name, '; ')
		FROM (SELECT m.name, (SELECT group_concat(p.name) FROM pragma_table_info(m.name, 'main') p) AS columns
			FROM main.sqlite_master m WHERE m.type='table')`).Scan(&copies)
	if err != nil {
		t.Fatal(err)
	}
	exec(copies)
	return old
}

// TestMigrateKeepsRecords: a file of the first version waits for Migrate, which
// keeps what is in it and adds the lists of news.
func TestMigrateKeepsRecords(t *testing.T) {
	t.Parallel()
	s, newest, stored := three(t)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	path := older(t, newest, 1)
	if _, err := Open(t.Context(), path); !errors.Is(err, ErrSchema) {
		t.Fatalf("opening the first version: got %v, want ErrSchema", err)
	}
	if from, to, err := Migrate(t.Context(), path); err != nil || from != 1 || to != len(steps) {
		t.Fatalf("got %d, %d, %v", from, to, err)
	}
	s, err := Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	records, err := s.Records(t.Context(), 0, 10)
	if err != nil || len(records) != 3 || records[2].Envelope.RecHash() != stored[2].Envelope.RecHash() {
		t.Errorf("got %d records, %v", len(records), err)
	}
	if page, err := s.NoticesFor(t.Context(), "a", 0, 10); err != nil || page.Last != 0 {
		t.Errorf("got %+v, %v", page, err)
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
	_, post := s.PostNotices(ctx, posting())
	_, by := s.NoticesBy(ctx, "o", 0, 1)
	_, news := s.NoticesFor(ctx, "a", 0, 1)
	for i, err := range []error{accept, put, blob, agent, enrol, records, read, change, s.AddCode(ctx, store.Code{}),
		post, by, news, s.AckNotices(ctx, "a", 1)} {
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
