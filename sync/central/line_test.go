package central_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/counterproof/counterproof/sync/central"
	"github.com/counterproof/counterproof/sync/queue"
	"github.com/counterproof/counterproof/sync/store"
	"github.com/counterproof/counterproof/sync/store/sqlite"
	"github.com/counterproof/counterproof/sync/wire"
)

// TestFaultyLines: counters over lines that lose, alter and repeat end with
// every record at the centre exactly once.
func TestFaultyLines(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCentre(t, nil)
		var counters []*counter
		var lines []*faulty
		for seed := range uint64(4) {
			line, wrap := faultyLine(seed)
			n := c.enrolled(wrap)
			defer n.run()()
			counters, lines = append(counters, n), append(lines, line)
		}
		for range 12 {
			for _, n := range counters {
				n.enqueue(300, 70_000, 20)
				n.client.Wake()
			}
			time.Sleep(time.Second)
		}
		for _, n := range counters {
			n.sent(24 * time.Hour)
		}
		if err := check(c.records(), counters...); err != nil {
			t.Error(err)
		}
		if got := len(c.records()); got != 48 {
			t.Errorf("the centre holds %d records, want 48", got)
		}
		faults := map[string]int{}
		for _, l := range lines {
			for fate, n := range l.seen {
				faults[fate] += n
			}
		}
		t.Log("fates:", faults)
		if len(faults) != 6 {
			t.Errorf("not every fault happened: %v", faults)
		}
	})
}

// hasty is a store that answers before it has stored: the checker's negative
// control.
type hasty struct {
	store.Store
	n int
}

func (h *hasty) Accept(ctx context.Context, s store.Submission) (wire.Answer, error) {
	if h.n++; h.n%3 == 0 {
		r, err := s.SignReceipt(wire.Receipt{Agent: s.Agent, Seq: s.Header.Seq, RecHash: s.Envelope.RecHash(), LogIndex: 99, At: s.At})
		return wire.Answer{Verdict: wire.Stored, Receipt: &r}, err
	}
	return h.Store.Accept(ctx, s)
}

// TestCheckerSeesHastyCentre is the negative control of check.
func TestCheckerSeesHastyCentre(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCentre(t, func(cfg *central.Config) {
			if err := os.MkdirAll(cfg.Dir, 0o700); err != nil {
				t.Fatal(err)
			}
			s, err := sqlite.Open(t.Context(), filepath.Join(cfg.Dir, "centre.db"))
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = s.Close() })
			cfg.Store = &hasty{Store: s}
		})
		n := c.enrolled()
		defer n.run()()
		for range 3 {
			n.enqueue(10)
		}
		n.client.Wake()
		n.sent(time.Hour)
		if err := check(c.records(), n); err == nil {
			t.Error("a centre that acknowledges before it stores passes the check")
		}
	})
}

// answers changes every record's answer on its way to the counter.
func answers(change func(*wire.Answer)) func(http.RoundTripper) http.RoundTripper {
	return func(inner http.RoundTripper) http.RoundTripper {
		return through(func(r *http.Request) (*http.Response, error) {
			resp, err := inner.RoundTrip(r)
			if err != nil || r.Method != http.MethodPost {
				return resp, err
			}
			var a wire.Answer
			if err := json.NewDecoder(resp.Body).Decode(&a); err != nil {
				return nil, err
			}
			change(&a)
			b, err := json.Marshal(a)
			resp.Body = io.NopCloser(bytes.NewReader(b))
			return resp, err
		})
	}
}

// through is a function as a line.
type through func(*http.Request) (*http.Response, error)

func (f through) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// TestWrongReceipts: no answer but the centre's own word about this record
// acknowledges it, and the record goes on waiting.
func TestWrongReceipts(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*wire.Answer){
		"signature":    func(a *wire.Answer) { a.Receipt.Sig[3] ^= 1 },
		"log-index":    func(a *wire.Answer) { a.Receipt.LogIndex++ },
		"time":         func(a *wire.Answer) { a.Receipt.At = a.Receipt.At.Add(time.Second) },
		"other-record": func(a *wire.Answer) { a.Receipt.RecHash[0] ^= 1 },
		"other-number": func(a *wire.Answer) { a.Receipt.Seq++ },
		"other-agent":  func(a *wire.Answer) { a.Receipt.Agent = "agent-x" },
		"no-receipt":   func(a *wire.Answer) { a.Receipt = nil },
		"no-key":       func(a *wire.Answer) { a.Receipt.Key = "" },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				c := newCentre(t, nil)
				n := c.enrolled(answers(change))
				defer n.run()()
				it := n.enqueue(10)
				n.client.Wake()
				time.Sleep(time.Hour)
				got, err := n.queue.Item(t.Context(), it.Seq)
				if err != nil {
					t.Fatal(err)
				}
				if got.State != wire.BlobsSent || got.Kind != wire.KindProtocol || got.Receipt != nil {
					t.Errorf("got %s, %s, receipt %v; want blobs_sent, protocol and none", got.State, got.Kind, got.Receipt)
				}
				if got.Attempts < 5 || got.Attempts > 40 {
					t.Errorf("tried %d times in an hour", got.Attempts)
				}
			})
		})
	}
}

// TestFork: a counter restored from an old image of its disk is quarantined,
// both versions are kept, nothing more is sent, and others go on.
func TestFork(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCentre(t, nil)
		n, other := c.enrolled(), c.enrolled()
		defer other.run()()
		stop := n.run()
		n.enqueue(10)
		n.client.Wake()
		n.sent(time.Hour)
		stop()
		if err := n.queue.Close(); err != nil {
			t.Fatal(err)
		}
		own := filepath.Join(n.dir, "queue", "queue.db")
		image := copyFile(t, own)
		n = n.with(n.keeper, own, c)
		stop = n.run()
		n.enqueue(10)
		n.client.Wake()
		n.sent(time.Hour)
		stop()

		if err := n.queue.Close(); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(t.TempDir(), "queue.db")
		if err := os.WriteFile(path, image, 0o600); err != nil {
			t.Fatal(err)
		}
		old := n.with(n.keeper, path, c)
		defer old.run()()
		if it := old.enqueue(11); it.Seq != 2 {
			t.Fatalf("the old image goes on at %d, want 2", it.Seq)
		}
		old.enqueue(12)
		old.client.Wake()
		old.until(time.Hour, "quarantine", func(s queue.Status) bool { return s.Quarantined == 2 })
		if got := old.client.Status().Kind; got != wire.KindQuarantined {
			t.Errorf("the status is %q, want quarantined", got)
		}
		later := old.enqueue(13)
		old.client.Wake()
		time.Sleep(3 * time.Hour)
		if it, err := old.queue.Item(t.Context(), later.Seq); err != nil || it.State == wire.Acked {
			t.Errorf("a quarantined counter's later record is %s (%v)", it.State, err)
		}
		other.enqueue(10)
		other.client.Wake()
		other.sent(time.Hour)
		if err := check(c.records(), other); err != nil {
			t.Error(err)
		}
		if got := len(c.records()); got != 3 {
			t.Errorf("the log holds %d records, want 3", got)
		}
	})
}

// copyFile copies a closed database's bytes.
func copyFile(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestRestoredCentre: a centre that came back from an older copy of its
// database gets again what it lost, by itself, and the refused record too.
func TestRestoredCentre(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCentre(t, nil)
		n := c.enrolled()
		stop := n.run()
		n.enqueue(10, 90_000)
		n.client.Wake()
		n.sent(time.Hour)
		stop()
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(c.cfg.Dir, "centre.db")
		backup := copyFile(t, path)
		c.open()
		stop = n.run()
		n.enqueue(10, 90_000)
		id := n.identity()
		n.put(wire.Header{Version: 1, Agent: id.Agent, Training: true}, 10)
		n.enqueue(10)
		n.client.Wake()
		n.sent(time.Hour)
		stop()
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
		for _, suffix := range []string{"-wal", "-shm"} {
			_ = os.Remove(path + suffix)
		}
		if err := os.WriteFile(path, backup, 0o600); err != nil {
			t.Fatal(err)
		}
		c.open()
		if got := len(c.records()); got != 1 {
			t.Fatalf("the restored centre holds %d records, want 1", got)
		}
		defer n.run()()
		n.until(2*time.Hour, "sending again", func(queue.Status) bool { return len(c.records()) == 3 })
		n.sent(time.Hour)
		if got := states(n); got != "acked acked refused acked" {
			t.Errorf("got %s", got)
		}
		stored := c.records()
		for i, want := range []wire.Seq{1, 2, 4} {
			if stored[i].Receipt.Seq != want {
				t.Errorf("place %d of the log holds number %d, want %d", i+1, stored[i].Receipt.Seq, want)
			}
		}
	})
}

// states lists the states of a counter's records.
func states(n *counter) string {
	var b strings.Builder
	for i, it := range n.items() {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(string(it.State))
	}
	return b.String()
}

// TestTraining: each mode refuses the other's records, signed, and the chain
// goes on behind them.
func TestTraining(t *testing.T) {
	t.Parallel()
	for _, training := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			c := newCentre(t, func(cfg *central.Config) { cfg.Training = training })
			n := c.enrolled()
			id := n.identity()
			if id.Training != training {
				t.Errorf("the identity's training is %v, want %v", id.Training, training)
			}
			defer n.run()()
			n.put(wire.Header{Version: 1, Agent: id.Agent, Training: !training}, 10)
			n.put(wire.Header{Version: 1, Agent: id.Agent, Training: training}, 10)
			n.client.Wake()
			n.sent(time.Hour)
			if got := states(n); got != "refused acked" {
				t.Errorf("training %v: got %s", training, got)
			}
			if r := n.items()[0].Refusal; r == nil || r.Reason != "training" {
				t.Errorf("training %v: got the refusal %+v", training, r)
			}
			stored := c.records()
			if len(stored) != 1 || stored[0].Receipt.Seq != 2 {
				t.Errorf("training %v: the log holds %d records", training, len(stored))
			}
		})
	}
}

// TestRenewal: a counter outlives its certificate, also one that was off for two
// months, but not one that was off for half a year.
func TestRenewal(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCentre(t, nil)
		n := c.enrolled()
		first := n.identity().Chain[0]
		stop := n.run()
		time.Sleep(4 * 24 * time.Hour)
		if bytes.Equal(n.identity().Chain[0], first) {
			t.Error("the certificate was never renewed")
		}
		stop()
		time.Sleep(60 * 24 * time.Hour)
		stop = n.run()
		n.enqueue(10)
		n.client.Wake()
		n.sent(time.Hour)
		stop()
		time.Sleep(180 * 24 * time.Hour)
		defer n.run()()
		it := n.enqueue(10)
		n.client.Wake()
		time.Sleep(time.Hour)
		if got, err := n.queue.Item(t.Context(), it.Seq); err != nil || got.State == wire.Acked || got.Kind != wire.KindUnauthorised {
			t.Errorf("after half a year: got %s, %s (%v); want unauthorised", got.State, got.Kind, err)
		}
		if _, err := n.client.Enrol(t.Context(), c.invite(central.Invitation{Site: "FA123"})); err != nil {
			t.Fatal(err)
		}
		n.sent(time.Hour)
		if err := check(c.records(), n); err != nil {
			t.Error(err)
		}
	})
}

// TestForgottenCounter: a centre restored to before a counter was enrolled
// takes its whole chain after a new invitation.
func TestForgottenCounter(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCentre(t, nil)
		n := c.enrolled()
		defer n.run()()
		n.enqueue(10)
		n.enqueue(10, 80_000)
		n.client.Wake()
		n.sent(time.Hour)
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
		for _, suffix := range []string{"", "-wal", "-shm"} {
			_ = os.Remove(filepath.Join(c.cfg.Dir, "centre.db"+suffix))
		}
		c.open()
		n.enqueue(10)
		n.client.Wake()
		time.Sleep(time.Hour)
		if got := n.client.Status().Kind; got != wire.KindUnauthorised {
			t.Errorf("before the invitation the status is %q, want unauthorised", got)
		}
		if _, err := n.client.Enrol(t.Context(), c.invite(central.Invitation{Site: "FA123"})); err != nil {
			t.Fatal(err)
		}
		n.until(3*time.Hour, "sending all again", func(s queue.Status) bool { return len(c.records()) == 3 && s.Waiting == 0 })
		if err := check(c.records(), n); err != nil {
			t.Error(err)
		}
	})
}

// TestOutage: during a day without the centre a counter tries seldom, and then
// sends all within minutes.
func TestOutage(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCentre(t, nil)
		var up atomic.Bool
		var tries atomic.Int64
		n := c.enrolled(func(inner http.RoundTripper) http.RoundTripper {
			return through(func(r *http.Request) (*http.Response, error) {
				tries.Add(1)
				if !up.Load() {
					return nil, errors.New("connection refused")
				}
				return inner.RoundTrip(r)
			})
		})
		defer n.run()()
		for range 20 {
			n.enqueue(10)
			n.client.Wake()
			time.Sleep(time.Hour)
		}
		if got := n.client.Status(); got.Kind != wire.KindUnreachable || got.At.IsZero() {
			t.Errorf("the status is %+v, want unreachable", got)
		}
		perHour := tries.Load() / 20
		t.Log("tries per hour of outage:", perHour)
		if perHour > 60 {
			t.Errorf("%d tries per hour", perHour)
		}
		up.Store(true)
		n.sent(25 * time.Minute)
		if err := check(c.records(), n); err != nil {
			t.Error(err)
		}
		if got := n.client.Status(); got.Kind != wire.KindNone || got.Reached.IsZero() {
			t.Errorf("the status is %+v, want none", got)
		}
	})
}
