package uplink

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/counterproof/counterproof/sync/wire"
)

// posts counts requests for single records and for runs.
func posts(asked []string) (single, runs int) {
	for _, q := range asked {
		switch {
		case strings.HasSuffix(q, "/records"):
			runs++
		case strings.Contains(q, "/records/"):
			single++
		}
	}
	return single, runs
}

// backlog fills a counter's queue.
func (n *counter) backlog(count int) {
	n.t.Helper()
	for range count {
		n.enqueue(40)
	}
}

// acknowledged counts the records of which the counter has a receipt.
func (n *counter) acknowledged(of int) (count int) {
	n.t.Helper()
	for seq := 1; seq <= of; seq++ {
		if n.item(wire.Seq(seq)).State == wire.Acked {
			count++
		}
	}
	return count
}

// TestCatchesUp: what has gathered in a time without a network goes in runs, its
// large parts ahead; a record that is made now goes alone.
func TestCatchesUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCentre(t)
		n := newEnrolled(t, c)
		n.backlog(60)
		n.enqueue(100, 100_000)
		n.backlog(59)
		defer n.run()()
		time.Sleep(time.Second)
		if got := n.acknowledged(120); got != 120 {
			t.Errorf("%d of 120 are acknowledged", got)
		}
		if single, runs := posts(c.seen()); single != 0 || runs != 3 {
			t.Errorf("%d alone and %d runs were sent, want 0 and 3", single, runs)
		}
		it := n.enqueue(40)
		n.Wake()
		time.Sleep(time.Second)
		if single, runs := posts(c.seen()); n.item(it.Seq).State != wire.Acked || single != 1 || runs != 0 {
			t.Errorf("one record: %d alone and %d runs", single, runs)
		}
	})
}

// TestRunsBounded: a run is no longer than a request may be.
func TestRunsBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCentre(t)
		c.before = func(w http.ResponseWriter, r *http.Request, body []byte) bool {
			if strings.HasSuffix(r.URL.Path, "/records") && len(body) > wire.MaxRunBytes {
				t.Errorf("a run of %d bytes", len(body))
			}
			return false
		}
		n := newEnrolled(t, c)
		for range 20 {
			n.enqueue(wire.MaxInline, wire.MaxInline)
		}
		defer n.run()()
		time.Sleep(time.Second)
		if single, runs := posts(c.seen()); n.acknowledged(20) != 20 || single != 0 || runs != 3 {
			t.Errorf("%d alone and %d runs were sent, want 0 and 3", single, runs)
		}
	})
}

// TestRunsThatFail: whatever is answered to a run, nothing is acknowledged without
// its own receipt, and every record arrives all the same.
func TestRunsThatFail(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*centre){
		"unknown-route": func(c *centre) {
			c.before = func(w http.ResponseWriter, r *http.Request, _ []byte) bool {
				if strings.HasSuffix(r.URL.Path, "/records") {
					http.NotFound(w, r)
					return true
				}
				return false
			}
		},
		"no-answers":  func(c *centre) { c.runs = func(a *wire.Answers) { a.Answers = nil } },
		"too-many":    func(c *centre) { c.runs = func(a *wire.Answers) { a.Answers = append(a.Answers, a.Answers[0]) } },
		"exchanged":   func(c *centre) { c.runs = func(a *wire.Answers) { slices.Reverse(a.Answers) } },
		"no-receipts": func(c *centre) { c.runs = func(a *wire.Answers) { a.Answers[0].Receipt = nil } },
		"forged":      func(c *centre) { c.runs = func(a *wire.Answers) { a.Answers[4].Receipt.Sig[3] ^= 1 } },
		"stopped":     func(c *centre) { c.runs = func(a *wire.Answers) { a.Answers = a.Answers[:2] } },
		"other-word":  func(c *centre) { c.runs = func(a *wire.Answers) { a.Answers[0].Verdict = wire.Pending } },
		"forged-alone": func(c *centre) {
			c.runs = func(a *wire.Answers) { a.Answers = a.Answers[:1]; a.Answers[0].Receipt.Sig[3] ^= 1 }
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				c := newCentre(t)
				change(c)
				n := newEnrolled(t, c)
				n.backlog(10)
				defer n.run()()
				time.Sleep(time.Second)
				if got := n.acknowledged(10); got != 10 {
					t.Errorf("%d of 10 are acknowledged", got)
				}
				if _, runs := posts(c.seen()); runs != 1 {
					t.Errorf("%d runs were sent, want 1 and the rest alone", runs)
				}
			})
		})
	}
}

// TestRunToARestoredCentre: a centre that is behind gets what it lost, in runs.
func TestRunToARestoredCentre(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCentre(t)
		n := newEnrolled(t, c)
		n.backlog(40)
		stop := n.run()
		time.Sleep(time.Second)
		stop()
		c.set(func() { c.chain, c.expect = c.chain[:10], 11 })
		n.backlog(10)
		defer n.run()()
		time.Sleep(10 * time.Minute)
		if got := n.acknowledged(50); got != 50 || len(c.chain) != 50 {
			t.Errorf("%d of 50 are acknowledged, the centre has %d", got, len(c.chain))
		}
	})
}
