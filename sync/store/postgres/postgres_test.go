package postgres

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/counterproof/counterproof/sync/fleet/cluster"
	"github.com/counterproof/counterproof/sync/store"
	"github.com/counterproof/counterproof/sync/store/storetest"
	"github.com/counterproof/counterproof/sync/wire"
)

// server is the tests' own PostgreSQL: one for all of them, started by the first
// that needs it and ended with the program.
type server struct {
	once    sync.Once
	cluster *cluster.Cluster
	err     error
}

var shared = new(server)

func TestMain(m *testing.M) {
	code := m.Run()
	if shared.cluster != nil {
		if err := shared.cluster.Close(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	os.Exit(code)
}

// running starts the server, or skips the test.
func running(t testing.TB) *cluster.Cluster {
	t.Helper()
	shared.once.Do(func() { shared.cluster, shared.err = cluster.New(context.Background(), false) })
	orSkip(t, shared.err)
	return shared.cluster
}

// orSkip ends a test that has no server.
func orSkip(t testing.TB, err error) {
	t.Helper()
	if errors.Is(err, cluster.ErrAbsent) {
		t.Skipf("SKIPPED: nothing about the PostgreSQL store is proved here: %v (apt-get install postgresql)", err)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// database names a database of the server, and makes it where it is missing.
func database(ctx context.Context, c *cluster.Cluster, name string) (string, error) {
	conn, err := pgx.Connect(ctx, c.Source())
	if err != nil {
		return "", err
	}
	defer conn.Close(ctx)
	var there bool
	if err := conn.QueryRow(ctx, `SELECT EXISTS(SELECT 1 FROM pg_database WHERE datname=$1)`, name).Scan(&there); err != nil {
		return "", err
	}
	if !there {
		if _, err := conn.Exec(ctx, `CREATE DATABASE `+pgx.Identifier{name}.Sanitize()); err != nil {
			return "", err
		}
	}
	u, err := url.Parse(c.Source())
	if err != nil {
		return "", err
	}
	u.Path = "/" + name
	return u.String(), nil
}

// fresh makes a new database and names it.
func fresh(t testing.TB) string {
	t.Helper()
	source, err := database(t.Context(), running(t), nameOf(t.TempDir()))
	if err != nil {
		t.Fatal(err)
	}
	return source
}

// nameOf makes a database's name of a folder's.
func nameOf(dir string) string { return "d" + wire.HashOf([]byte(dir)).String()[:20] }

// opened opens a store that the test closes.
func opened(t testing.TB, source string) *Store {
	t.Helper()
	s, err := Open(t.Context(), source)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func TestContract(t *testing.T) {
	t.Parallel()
	c := running(t)
	storetest.Run(t, func(ctx context.Context, dir string) (storetest.Store, error) {
		source, err := database(ctx, c, nameOf(dir))
		if err != nil {
			return nil, err
		}
		return Open(ctx, source)
	})
}

// TestWeakSettings: a server that would acknowledge what a power cut takes back
// is refused, and the message names the setting.
func TestWeakSettings(t *testing.T) {
	t.Parallel()
	source := fresh(t)
	for _, weak := range []string{"off", "local"} {
		_, err := Open(t.Context(), source+"&synchronous_commit="+weak)
		if err == nil || !strings.Contains(err.Error(), "synchronous_commit="+weak) {
			t.Errorf("synchronous_commit=%s: %v", weak, err)
		}
	}
	for _, strong := range []string{"on", "remote_apply"} {
		s, err := Open(t.Context(), source+"&synchronous_commit="+strong)
		if err != nil {
			t.Errorf("synchronous_commit=%s: %v", strong, err)
			continue
		}
		_ = s.Close()
	}
}

// TestSource: a connection string that does not read is refused without being
// quoted, since it may hold a password.
func TestSource(t *testing.T) {
	t.Parallel()
	_, err := Open(t.Context(), "host=127.0.0.1 port=none password=swordfish")
	if err == nil || strings.Contains(err.Error(), "swordfish") {
		t.Errorf("got %v", err)
	}
}

// TestSchemaVersions: tables of another version are refused, older ones until
// they are migrated, and nothing of them is touched.
func TestSchemaVersions(t *testing.T) {
	t.Parallel()
	source := fresh(t)
	if from, to, err := Migrate(t.Context(), source); err != nil || from != 0 || to != len(steps) {
		t.Fatalf("an empty database: %d to %d, %v", from, to, err)
	}
	if from, to, err := Migrate(t.Context(), source); err != nil || from != len(steps) || to != len(steps) {
		t.Errorf("again: %d to %d, %v", from, to, err)
	}
	s := opened(t, source)
	if _, err := s.pool.Exec(t.Context(), `UPDATE counterproof_schema SET version=$1`, len(steps)+1); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), source); !errors.Is(err, ErrSchema) {
		t.Errorf("a newer one is opened: %v", err)
	}
	if _, _, err := Migrate(t.Context(), source); !errors.Is(err, ErrSchema) {
		t.Errorf("a newer one is migrated: %v", err)
	}
}

// TestForeignTables: a database with another program's tables is not taken over.
func TestForeignTables(t *testing.T) {
	t.Parallel()
	source := fresh(t)
	conn, err := pgx.Connect(t.Context(), source)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	if _, err := conn.Exec(t.Context(), `CREATE TABLE record(title TEXT); INSERT INTO record VALUES('a song')`); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), source); err == nil {
		t.Error("it is opened")
	}
	var tables int
	if err := conn.QueryRow(t.Context(), `SELECT count(*) FROM pg_tables WHERE schemaname='public'`).Scan(&tables); err != nil || tables != 1 {
		t.Errorf("afterwards it has %d tables, %v", tables, err)
	}
}

// submission makes a record.
func submission(agent wire.AgentID, seq wire.Seq, prev wire.Hash, at time.Time) store.Submission {
	body := []byte("sealed")
	h := wire.Header{Version: 1, Agent: agent, Seq: seq, Prev: prev, Wall: at, Parts: []wire.PartInfo{
		{Name: wire.PartClaims, Recipient: "k", Len: uint64(len(body)), SHA256: wire.HashOf(body)},
	}}
	return store.Submission{
		Agent: agent, Header: h, At: at,
		Envelope:    wire.Envelope{Header: h.Encode(), Signature: []byte("s"), Parts: []wire.Part{{Name: wire.PartClaims, Sealed: body}}},
		SignReceipt: func(r wire.Receipt) (wire.Receipt, error) { return r, nil },
		SignRefusal: func(r wire.Refusal) (wire.Refusal, error) { return r, nil },
	}
}

// enrolAll makes agents.
func enrolAll(t testing.TB, s *Store, ids ...wire.AgentID) {
	t.Helper()
	for _, id := range ids {
		code := store.Code{Hash: wire.HashOf([]byte(id)), Site: "fa123", Role: store.Counter, Expires: time.Now().Add(time.Hour)}
		if err := s.AddCode(t.Context(), code); err != nil {
			t.Fatal(err)
		}
		e := store.Enrolment{Code: code.Hash, Agent: id, Public: []byte("k"), Grade: "file", At: time.Now()}
		if _, err := s.Enrol(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	}
}

// morning is when the tests' records arrive.
var morning = time.Date(2026, 11, 30, 23, 59, 59, 0, time.UTC)

// TestTwoCentres: two processes on one database take the records of many agents,
// with refusals, repeats and leaves between; no place is given out twice, none
// is left out, and no two wait for each other.
func TestTwoCentres(t *testing.T) {
	t.Parallel()
	source := fresh(t)
	centres := []*Store{opened(t, source), opened(t, source)}
	const agents, rounds = 12, 10
	var ids []wire.AgentID
	for i := range agents {
		ids = append(ids, wire.AgentID(fmt.Sprintf("agent-%d", i)))
	}
	enrolAll(t, centres[0], ids...)
	var all sync.WaitGroup
	for i, id := range ids {
		all.Go(func() {
			var head wire.Hash
			for seq := wire.Seq(1); seq <= rounds; seq++ {
				sub := submission(id, seq, head, morning.Add(time.Duration(seq)*time.Second)) // over a month's end
				if head = sub.Envelope.RecHash(); i%4 == 0 && seq == 5 {
					sub.Refuse = "training"
				}
				if err := both(t.Context(), centres, sub); err != nil {
					t.Errorf("%s %d: %v", id, seq, err)
					return
				}
			}
		})
	}
	all.Go(func() {
		for range rounds {
			deed := wire.Leaf{Kind: wire.LeafDeed, At: morning, By: "pat", Word: "moved"}
			if err := centres[1].Append(t.Context(), deed); err != nil {
				t.Error(err)
			}
			sign := func(uint64, wire.Hash) ([]byte, error) { return []byte("note"), nil }
			if _, err := centres[0].Sequence(t.Context(), sign); err != nil {
				t.Error(err)
			}
		}
	})
	all.Wait()
	const refused = agents / 4
	checkLog(t, centres[1], agents*rounds-refused, agents*rounds+rounds)
}

// both sends a record to two centres at once; one stores it, or refuses it, and
// the other says the same.
func both(ctx context.Context, centres []*Store, sub store.Submission) error {
	answers, errs := make([]wire.Answer, len(centres)), make([]error, len(centres))
	var each sync.WaitGroup
	for i, s := range centres {
		each.Go(func() { answers[i], errs[i] = s.Accept(ctx, sub) })
	}
	each.Wait()
	if err := errors.Join(errs...); err != nil {
		return err
	}
	a, b := answers[0], answers[1]
	if sub.Refuse != "" {
		if a.Verdict != wire.Refused || b.Verdict != wire.Refused {
			return fmt.Errorf("refused as %s and %s", a.Verdict, b.Verdict)
		}
		return nil
	}
	if a.Receipt == nil || b.Receipt == nil || a.Receipt.LogIndex != b.Receipt.LogIndex || a.Verdict == b.Verdict {
		return fmt.Errorf("answered %+v and %+v", a, b)
	}
	return nil
}

// checkLog reads the log to its end.
func checkLog(t *testing.T, s *Store, records, leaves int) {
	t.Helper()
	held, err := s.Records(t.Context(), 0, records+1)
	if err != nil || len(held) != records {
		t.Fatalf("%d records, %v", len(held), err)
	}
	for i, r := range held {
		if r.Damaged || r.Receipt.LogIndex != uint64(i+1) {
			t.Errorf("place %d has index %d, damaged %t", i+1, r.Receipt.LogIndex, r.Damaged)
		}
	}
	all, err := s.Leaves(t.Context(), 0, leaves+1)
	if err != nil || len(all) != leaves {
		t.Errorf("%d leaves, want %d, %v", len(all), leaves, err)
	}
}

// TestTwins: one record twice in the same transaction is stored once, and both
// senders get its receipt.
func TestTwins(t *testing.T) {
	t.Parallel()
	s := opened(t, fresh(t))
	enrolAll(t, s, "a", "b")
	one, bad := submission("a", 1, wire.Hash{}, morning), submission("b", 1, wire.Hash{}, morning)
	bad.Refuse = "training"
	next := submission("a", 2, one.Envelope.RecHash(), morning)
	var group []*arrival
	for _, sub := range []store.Submission{one, bad, one, next, bad, one} {
		group = append(group, &arrival{sub: sub, hash: sub.Envelope.RecHash()})
	}
	if err := s.acceptAll(t.Context(), group); err != nil {
		t.Fatal(err)
	}
	want := []wire.Verdict{wire.Stored, wire.Refused, wire.Replayed, wire.Stored, wire.Refused, wire.Replayed}
	for i, a := range group {
		if a.answer.Verdict != want[i] {
			t.Errorf("the %d. got %s, want %s", i+1, a.answer.Verdict, want[i])
		}
		if a.answer.Verdict == wire.Replayed && (a.answer.Receipt == nil || a.answer.Receipt.LogIndex != 1) {
			t.Errorf("the %d. got %+v", i+1, a.answer.Receipt)
		}
	}
	checkLog(t, s, 2, 3)
}

// TestServerKilled kills the database under load, as a failing machine does:
// whatever was acknowledged is there afterwards, and the same record again gets
// the same receipt.
func TestServerKilled(t *testing.T) {
	t.Parallel()
	running(t)
	c, err := cluster.New(t.Context(), false)
	orSkip(t, err)
	t.Cleanup(func() { _ = c.Close() })
	s := opened(t, c.Source())
	const agents = 8
	var ids []wire.AgentID
	for i := range agents {
		ids = append(ids, wire.AgentID(fmt.Sprintf("agent-%d", i)))
	}
	enrolAll(t, s, ids...)
	for round := range 3 {
		acked := untilKilled(t, s, c, ids, round)
		if err := c.Restart(t.Context()); err != nil {
			t.Fatal(err)
		}
		for _, p := range acked {
			again, err := s.Accept(t.Context(), p.sub)
			for range 20 { // connections that died are found out one by one
				if err == nil {
					break
				}
				again, err = s.Accept(t.Context(), p.sub)
			}
			if err != nil || again.Receipt == nil || again.Receipt.LogIndex != p.receipt.LogIndex {
				t.Fatalf("%s %d was acknowledged at %d: %+v, %v", p.sub.Agent, p.sub.Header.Seq, p.receipt.LogIndex, again, err)
			}
		}
	}
}

// promise is a record and its receipt.
type promise struct {
	sub     store.Submission
	receipt wire.Receipt
}

// untilKilled sends records of all agents until the server dies under them.
func untilKilled(t *testing.T, s *Store, c *cluster.Cluster, ids []wire.AgentID, round int) []promise {
	t.Helper()
	var mu sync.Mutex
	var acked []promise
	var all sync.WaitGroup
	enough := make(chan struct{})
	for _, id := range ids {
		a, err := s.Agent(t.Context(), id)
		for range 20 { // connections that died are found out one by one
			if err == nil {
				break
			}
			a, err = s.Agent(t.Context(), id)
		}
		if err != nil {
			t.Fatal(err)
		}
		all.Go(func() {
			for seq, head := a.Expect, a.Head; ; seq++ {
				sub := submission(id, seq, head, morning)
				answer, err := s.Accept(t.Context(), sub)
				if err != nil {
					return // unclear: the killed server took it, or not
				}
				head = sub.Envelope.RecHash()
				mu.Lock()
				acked = append(acked, promise{sub, *answer.Receipt})
				if len(acked) == 100*(round+1) {
					close(enough)
				}
				mu.Unlock()
			}
		})
	}
	<-enough
	if err := c.Kill(); err != nil {
		t.Fatal(err)
	}
	all.Wait()
	return acked
}

// BenchmarkAccept measures acknowledged records of 2 kB from 32 agents at a time.
func BenchmarkAccept(b *testing.B) {
	s := opened(b, fresh(b))
	const agents = 32
	turn := make(chan wire.AgentID, agents)
	heads := map[wire.AgentID]wire.Hash{}
	seqs := map[wire.AgentID]wire.Seq{}
	var mu sync.Mutex
	for i := range agents {
		id := wire.AgentID(fmt.Sprintf("agent-%d", i))
		enrolAll(b, s, id)
		turn <- id
	}
	body := make([]byte, 2000)
	b.SetParallelism(agents / 2)
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			id := <-turn
			mu.Lock()
			seqs[id]++
			sub := submission(id, seqs[id], heads[id], morning)
			mu.Unlock()
			sub.Header.Parts[0] = wire.PartInfo{Name: wire.PartClaims, Recipient: "k", Len: 2000, SHA256: wire.HashOf(body)}
			sub.Envelope.Header, sub.Envelope.Parts[0].Sealed = sub.Header.Encode(), body
			if a, err := s.Accept(b.Context(), sub); err != nil || a.Verdict != wire.Stored {
				b.Errorf("%s: %v", a.Verdict, err)
			}
			mu.Lock()
			heads[id] = sub.Envelope.RecHash()
			mu.Unlock()
			turn <- id
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "records/s")
}
