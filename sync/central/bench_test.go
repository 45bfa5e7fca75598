package central_test

import (
	"bytes"
	"fmt"
	"sync"
	"testing"

	"github.com/counterproof/counterproof/sync/wire"
)

// BenchmarkAccept measures one counter's records through the handler: two
// signatures verified, one made, one durable transaction.
func BenchmarkAccept(b *testing.B) {
	c := newCentre(b, nil)
	n := c.enrolled()
	body := bytes.Repeat([]byte{1}, 3<<10)
	prev, seq := wire.Hash{}, wire.Seq(0)
	for b.Loop() {
		b.StopTimer()
		seq++
		e := n.sealed(wire.Header{Seq: seq, Prev: prev}, body)
		prev = e.RecHash()
		sent := e.Marshal(nil)
		b.StartTimer()
		if status, a := c.post(n, e, seq, sent); status != 200 {
			b.Fatal(status, a.Verdict)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "rec/s")
}

// BenchmarkAcceptMany measures many counters at once.
func BenchmarkAcceptMany(b *testing.B) {
	const agents = 16
	c := newCentre(b, nil)
	chains := make([][]wire.Envelope, agents)
	counters := make([]*counter, agents)
	each := b.N/agents + 1
	for i := range chains {
		counters[i] = c.enrolled()
		prev := wire.Hash{}
		for seq := range wire.Seq(each) {
			e := counters[i].sealed(wire.Header{Seq: seq + 1, Prev: prev}, fmt.Appendf(nil, "%3000d", seq))
			prev = e.RecHash()
			chains[i] = append(chains[i], e)
		}
	}
	b.ResetTimer()
	var wg sync.WaitGroup
	for i, chain := range chains {
		wg.Go(func() {
			for j, e := range chain {
				if status, a := c.post(counters[i], e, wire.Seq(j+1), e.Marshal(nil)); status != 200 {
					b.Error(status, a.Verdict)
					return
				}
			}
		})
	}
	wg.Wait()
	b.ReportMetric(float64(agents*each)/b.Elapsed().Seconds(), "rec/s")
}

// BenchmarkRun measures one counter that catches up, in runs.
func BenchmarkRun(b *testing.B) {
	c := newCentre(b, nil)
	n := c.enrolled()
	body := bytes.Repeat([]byte{1}, 3<<10)
	prev, seq := wire.Hash{}, wire.Seq(0)
	for b.Loop() {
		b.StopTimer()
		var all []wire.Envelope
		for range wire.MaxRun {
			seq++
			e := n.sealed(wire.Header{Seq: seq, Prev: prev}, body)
			all, prev = append(all, e), e.RecHash()
		}
		sent := wire.MarshalRun(all)
		b.StartTimer()
		if status, answers, _ := c.postRun(n, sent, ""); status != 200 || len(answers) != wire.MaxRun {
			b.Fatal(status, len(answers))
		}
	}
	b.ReportMetric(float64(b.N*wire.MaxRun)/b.Elapsed().Seconds(), "rec/s")
}
