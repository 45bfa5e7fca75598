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
	"testing"
	"testing/synctest"
	"time"

	"github.com/counterproof/counterproof/sync/central"
	"github.com/counterproof/counterproof/sync/custody"
	"github.com/counterproof/counterproof/sync/queue"
	"github.com/counterproof/counterproof/sync/store"
	"github.com/counterproof/counterproof/sync/store/sqlite"
	"github.com/counterproof/counterproof/sync/tlog"
	"github.com/counterproof/counterproof/sync/uplink"
	"github.com/counterproof/counterproof/sync/uplink/witness"
	"github.com/counterproof/counterproof/sync/wire"
)

// watching enrols a counter that watches the centre's log, over a line with the
// given faults.
func (c *centre) watching(faults ...func(http.RoundTripper) http.RoundTripper) *counter {
	c.t.Helper()
	n := c.enrolled()
	w, err := witness.Open(filepath.Join(n.dir, "log-checkpoint"))
	if err != nil {
		c.t.Fatal(err)
	}
	n.client = uplink.New(uplink.Config{
		Keeper: n.keeper, Queue: n.queue, Witness: w, Keep: 24 * time.Hour,
		Wrap: func(http.RoundTripper) http.RoundTripper {
			var line http.RoundTripper = inside{c.handler, n.keeper}
			for _, f := range faults {
				line = f(line)
			}
			return line
		},
	})
	return n
}

// in waits until all of a counter's records are in a state.
func (c *counter) in(limit time.Duration, state wire.RecordState) {
	c.t.Helper()
	c.until(limit, "all "+string(state), func(queue.Status) bool {
		for _, it := range c.items() {
			if it.State != state {
				return false
			}
		}
		return true
	})
}

// TestProvenAndLetGo: what the centre acknowledged it proves, and a day later,
// as it is set here, the counter lets go of the sealed parts, not of the header and the receipt.
func TestProvenAndLetGo(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCentre(t, nil)
		n, other := c.watching(), c.watching()
		defer n.run()()
		defer other.run()()
		for range 5 {
			n.enqueue(10, 90_000)
			other.enqueue(10)
		}
		n.client.Wake()
		other.client.Wake()
		n.in(time.Hour, wire.Proven)
		other.in(time.Hour, wire.Proven)
		time.Sleep(20 * time.Hour)
		n.in(time.Minute, wire.Proven)
		n.in(12*time.Hour, wire.Purged)
		if _, err := n.queue.Envelope(t.Context(), 3); err == nil {
			t.Error("the sealed parts are still there")
		}
		it, err := n.queue.Item(t.Context(), 3)
		if err != nil || it.Receipt == nil {
			t.Errorf("the receipt is gone: %v", err)
		}
		if err := check(c.records(), n, other); err != nil {
			t.Error(err)
		}
		// The chain goes on behind what was let go of.
		n.enqueue(20)
		n.client.Wake()
		n.sent(time.Hour)
	})
}

// TestCentreFromYesterday: a centre that comes back from yesterday's copy is
// noticed by the counters' own checkpoints, begins a new epoch and gets again
// all that it lost, though the counters had it proven; nothing is let go of
// before.
func TestCentreFromYesterday(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCentre(t, nil)
		var counters []*counter
		var stops []func()
		run := func() {
			stops = nil
			for _, n := range counters {
				stops = append(stops, n.run())
			}
		}
		stop := func() {
			for _, s := range stops {
				s()
			}
		}
		for range 3 {
			counters = append(counters, c.watching())
		}
		day := func() {
			for range 4 {
				for _, n := range counters {
					n.enqueue(10, 70_000)
					n.client.Wake()
				}
				time.Sleep(time.Hour)
			}
			for _, n := range counters {
				n.in(time.Hour, wire.Proven)
			}
		}
		run()
		day()
		stop()
		backup := c.copied(t)
		run()
		day()
		stop()
		c.restored(t, backup)
		if got := len(c.records()); got != 12 {
			t.Fatalf("the restored centre holds %d records, want 12", got)
		}
		run()
		defer stop()
		time.Sleep(3 * time.Hour)
		for _, n := range counters {
			n.in(3*time.Hour, wire.Proven)
		}
		if got := len(c.records()); got != 24 {
			t.Errorf("the centre holds %d records, want 24", got)
		}
		if err := check(c.records(), counters...); err != nil {
			t.Error(err)
		}
		if epoch := c.epoch(t); epoch != 2 {
			t.Errorf("the centre is in epoch %d, want 2", epoch)
		}
	})
}

// copied closes the centre, copies its database and opens it again.
func (c *centre) copied(t *testing.T) []byte {
	t.Helper()
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	b := copyFile(t, filepath.Join(c.cfg.Dir, "centre.db"))
	c.open()
	return b
}

// restored puts a copy in the database's place.
func (c *centre) restored(t *testing.T, backup []byte) {
	t.Helper()
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(c.cfg.Dir, "centre.db")
	for _, suffix := range []string{"-wal", "-shm"} {
		_ = os.Remove(path + suffix)
	}
	if err := os.WriteFile(path, backup, 0o600); err != nil {
		t.Fatal(err)
	}
	c.open()
}

// epoch reads the newest checkpoint's.
func (c *centre) epoch(t *testing.T) uint64 {
	t.Helper()
	p, err := openStore(t, c).Checkpoint(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	_, epoch, err := tlog.Open(p.Note, c.receiptKey(t))
	if err != nil {
		t.Fatal(err)
	}
	return epoch
}

// receiptKey is the centre's public key, as every counter has it.
func (c *centre) receiptKey(t *testing.T) []byte {
	t.Helper()
	signed, err := openStore(t, c).Bundle(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	b, err := signed.Bundle()
	if err != nil {
		t.Fatal(err)
	}
	return b.ReceiptKey
}

// proofs changes the centre's answers about its log on their way.
func proofs(change func(*wire.ProofAnswer)) func(http.RoundTripper) http.RoundTripper {
	return func(inner http.RoundTripper) http.RoundTripper {
		return through(func(r *http.Request) (*http.Response, error) {
			resp, err := inner.RoundTrip(r)
			if err != nil || !strings.HasSuffix(r.URL.Path, "/proofs") || resp.StatusCode != http.StatusOK {
				return resp, err
			}
			var a wire.ProofAnswer
			if err := json.NewDecoder(resp.Body).Decode(&a); err != nil {
				return nil, err
			}
			change(&a)
			b, err := json.Marshal(a)
			resp.Body, resp.ContentLength = io.NopCloser(bytes.NewReader(b)), int64(len(b))
			return resp, err
		})
	}
}

// TestDoubtfulLog: a centre that withholds its proofs, or shows another log, is
// told about and nothing is let go of.
func TestDoubtfulLog(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*wire.ProofAnswer){
		"withheld":  func(a *wire.ProofAnswer) { a.Proofs = nil },
		"no growth": func(a *wire.ProofAnswer) { a.Growth = nil },
		"forged": func(a *wire.ProofAnswer) {
			for i := range a.Proofs {
				a.Proofs[i].Leaf++
			}
		},
		"no checkpoint": func(a *wire.ProofAnswer) { a.Checkpoint = nil },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				c := newCentre(t, nil)
				n := c.watching(proofs(change))
				defer n.run()()
				for range 3 {
					n.enqueue(10)
					n.client.Wake()
					time.Sleep(25 * time.Hour)
				}
				if kind := n.client.Status().Kind; kind != wire.KindLog {
					t.Errorf("the kind is %q", kind)
				}
				for _, it := range n.items() {
					if it.State == wire.Purged && name != "no growth" {
						t.Errorf("record %d was let go of", it.Seq)
					}
				}
				if it := n.items()[2]; it.State != wire.Acked {
					t.Errorf("the newest record is %s", it.State)
				}
			})
		})
	}
}

// TestOpeningsInTheLog: whatever an opener gets stands in the log before.
func TestOpeningsInTheLog(t *testing.T) {
	t.Parallel()
	c := newCentre(t, nil)
	n, opener := c.enrolled(), c.opener()
	e := n.sealed(wire.Header{Seq: 1}, []byte("claims"))
	if status, a := c.post(n, e, 1, e.Marshal(nil)); status != 200 {
		t.Fatal(status, a.Verdict)
	}
	for range 2 { // fetched twice is opened twice
		for _, err := range opener.client.Fetch(t.Context(), 0) {
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	leaves, err := openStore(t, c).Leaves(t.Context(), 0, 100)
	if err != nil {
		t.Fatal(err)
	}
	var openings int
	for _, l := range leaves {
		if l.Kind == wire.LeafOpening && l.By == string(opener.identity().Agent) && l.Subject == e.RecHash() && l.Index == 1 {
			openings++
		}
	}
	if openings != 2 {
		t.Errorf("%d openings stand in the log: %+v", openings, leaves)
	}
}

// mute is a store whose log takes nothing.
type mute struct{ store.Store }

func (mute) Append(context.Context, ...wire.Leaf) error { return errors.New("the disk is full") }

// TestNoOpeningWithoutLeaf: where the opening cannot be noted nothing is handed
// out, not even a part.
func TestNoOpeningWithoutLeaf(t *testing.T) {
	t.Parallel()
	c := newCentre(t, func(cfg *central.Config) {
		if err := os.MkdirAll(cfg.Dir, 0o700); err != nil {
			t.Fatal(err)
		}
		s, err := sqlite.Open(t.Context(), filepath.Join(cfg.Dir, "centre.db"))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = s.Close() })
		cfg.Store = mute{s}
	})
	var seen bytes.Buffer
	n, opener := c.enrolled(), c.opener(func(inner http.RoundTripper) http.RoundTripper {
		return through(func(r *http.Request) (*http.Response, error) {
			resp, err := inner.RoundTrip(r)
			if err == nil {
				b, _ := io.ReadAll(resp.Body)
				seen.Write(b)
				resp.Body = io.NopCloser(bytes.NewReader(b))
			}
			return resp, err
		})
	})
	e := n.sealed(wire.Header{Seq: 1}, []byte("the sealed claims of somebody"))
	if status, a := c.post(n, e, 1, e.Marshal(nil)); status != 200 {
		t.Fatal(status, a.Verdict)
	}
	for r, err := range opener.client.Fetch(t.Context(), 0) {
		if err == nil {
			t.Errorf("record %d is handed out", r.Receipt.LogIndex)
		}
	}
	if bytes.Contains(seen.Bytes(), []byte("the sealed claims")) {
		t.Error("its bytes went over the line")
	}
}

// ask sends a request as an agent does.
func (c *centre) ask(t *testing.T, k *custody.Keeper, method, path string, body any) *http.Response {
	t.Helper()
	b, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(t.Context(), method, "https://centre.example"+path, bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := inside{c.handler, k}.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	return resp
}

// TestTombstones: an opener puts its own tombstones into the log and nothing
// else; a counter puts none.
func TestTombstones(t *testing.T) {
	t.Parallel()
	c := newCentre(t, nil)
	n, opener := c.enrolled(), c.opener()
	stone := wire.Leaf{
		Kind: wire.LeafTombstone, At: time.Now().UTC().Truncate(time.Millisecond),
		By: string(opener.identity().Agent), Subject: wire.HashOf([]byte("key")), Word: "evidence",
	}
	post := func(k *custody.Keeper, change func(*wire.Leaf)) int {
		l := stone
		change(&l)
		return c.ask(t, k, http.MethodPost, "/v1/opener/leaves", wire.Leaves{Leaves: []wire.Leaf{l}}).StatusCode
	}
	if got := post(opener.keeper, func(*wire.Leaf) {}); got != http.StatusNoContent {
		t.Errorf("its own: %d", got)
	}
	for name, change := range map[string]func(*wire.Leaf){
		"another's": func(l *wire.Leaf) { l.By = "agent-other" },
		"a record":  func(l *wire.Leaf) { l.Kind = wire.LeafRecord },
		"an index":  func(l *wire.Leaf) { l.Index = 1 },
		"two lines": func(l *wire.Leaf) { l.Word = "a\nb" },
	} {
		if got := post(opener.keeper, change); got != http.StatusBadRequest {
			t.Errorf("%s: %d", name, got)
		}
	}
	if got := post(n.keeper, func(*wire.Leaf) {}); got != http.StatusForbidden {
		t.Errorf("of a counter: %d", got)
	}
	if got := c.ask(t, opener.keeper, http.MethodPost, "/v1/opener/leaves", wire.Leaves{}).StatusCode; got != http.StatusBadRequest {
		t.Errorf("none: %d", got)
	}
}

// TestProofRequests: a question that is none is refused; a counter asks for
// itself alone.
func TestProofRequests(t *testing.T) {
	t.Parallel()
	c := newCentre(t, nil)
	n, other := c.enrolled(), c.enrolled()
	path := "/v1/agents/" + string(n.identity().Agent) + "/proofs"
	for name, q := range map[string]wire.ProofRequest{
		"no limit": {}, "too many": {Limit: wire.MaxProofs + 1}, "too long": {Limit: 1, Seen: make([]byte, wire.MaxSeen+1)},
	} {
		if got := c.ask(t, n.keeper, http.MethodPost, path, q).StatusCode; got != http.StatusBadRequest {
			t.Errorf("%s: %d", name, got)
		}
	}
	q := wire.ProofRequest{From: 1, Limit: 1, Seen: []byte("nonsense")}
	if got := c.ask(t, n.keeper, http.MethodPost, path, q).StatusCode; got != http.StatusOK {
		t.Errorf("with a checkpoint that nobody signed: %d", got)
	}
	if got := c.ask(t, other.keeper, http.MethodPost, path, q).StatusCode; got != http.StatusForbidden {
		t.Errorf("for another: %d", got)
	}
	resp := c.ask(t, n.keeper, http.MethodGet, "/v1/log/checkpoint", nil)
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := tlog.Open(text, c.receiptKey(t)); err != nil {
		t.Errorf("the checkpoint: %v", err)
	}
}
