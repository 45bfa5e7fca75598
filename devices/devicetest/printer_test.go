package devicetest

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/counterproof/counterproof/devices"
)

// press is a printer whose paper lies in memory, with switches for what can be
// wrong with one.
type press struct {
	mu      sync.Mutex
	accepts []devices.JobKind
	printed [][]byte
	state   devices.Kind
	waiting [][]byte

	deaf, greedy, scribbles, lazy, twice, keeps, stuck, remembers, plain bool
}

func (p *press) Accepts() []devices.JobKind {
	if p.keeps {
		return p.accepts
	}
	return slices.Clone(p.accepts)
}

func (p *press) Print(ctx context.Context, job devices.Job) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	kind := p.state
	switch {
	case ctx.Err() != nil && !p.deaf:
		kind = devices.Cancelled
	case kind == devices.KindNone && !slices.Contains(p.accepts, job.Kind) && !p.greedy:
		kind = devices.Unsupported
	}
	if kind != devices.KindNone {
		if p.remembers {
			p.waiting = append(p.waiting, bytes.Clone(job.Data))
		}
		if p.plain {
			return errors.New("it does not print")
		}
		return &devices.Fault{Op: "printing", Kind: kind}
	}
	data := job.Data
	if !p.lazy {
		data = bytes.Clone(data)
	}
	p.printed = append(p.printed, data)
	if p.twice {
		p.printed = append(p.printed, data)
	}
	if p.scribbles {
		clear(job.Data)
	}
	return nil
}

func (p *press) fail(kind devices.Kind) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.state = kind
	if kind == devices.KindNone {
		p.printed = append(p.printed, p.waiting...)
		p.waiting = nil
		if p.stuck {
			p.state = devices.PaperOut
		}
	}
}

func (p *press) rig() PrinterRig {
	return PrinterRig{
		Printer: p,
		Printed: func() [][]byte {
			p.mu.Lock()
			defer p.mu.Unlock()
			return slices.Clone(p.printed)
		},
		Fail:   p.fail,
		Unplug: func() { p.fail(devices.Gone) },
	}
}

func goodPrinter(testing.TB) PrinterRig {
	return (&press{accepts: []devices.JobKind{devices.ESCPOS, devices.Text}}).rig()
}

// wrong gives a press that was set wrong.
func wrong(set func(*press)) func(testing.TB) PrinterRig {
	return func(testing.TB) PrinterRig {
		p := &press{accepts: []devices.JobKind{devices.ESCPOS, devices.Text}}
		set(p)
		return p.rig()
	}
}

// cheerful says that it printed whatever happens.
type cheerful struct{ *press }

func (cheerful) Print(context.Context, devices.Job) error { return nil }

func cheerfulRig(testing.TB) PrinterRig {
	p := &press{accepts: []devices.JobKind{devices.Text}}
	rig := p.rig()
	rig.Printer = cheerful{p}
	return rig
}

// slow takes longer than anybody waits.
type slow struct{ *press }

func (slow) Print(ctx context.Context, _ devices.Job) error {
	time.Sleep(time.Hour)
	return nil
}

func slowRig(testing.TB) PrinterRig {
	p := &press{accepts: []devices.JobKind{devices.Text}}
	rig := p.rig()
	rig.Printer = slow{p}
	return rig
}

func TestPrinterSuite(t *testing.T) {
	t.Parallel()
	prove(t, printerChecks, goodPrinter, []control[PrinterRig]{
		{"accepts-known-kinds", "nothing", "accepts nothing", wrong(func(p *press) { p.accepts = nil })},
		{"accepts-known-kinds", "unknown", "no kind of job", wrong(func(p *press) { p.accepts = []devices.JobKind{"clay"} })},
		{"accepts-known-kinds", "twice", "twice", wrong(func(p *press) { p.accepts = append(p.accepts, devices.Text) })},
		{"accepts-is-the-callers", "own-slice", "written over", wrong(func(p *press) { p.keeps = true })},
		{"prints-what-it-accepts", "refuses", "which it accepts", wrong(func(p *press) { p.state = devices.Unsupported })},
		{"prints-what-it-accepts", "cheerful", "0 jobs came out", cheerfulRig},
		{"prints-what-it-accepts", "slow", "did not end within", slowRig},
		{"prints-each-job-once", "twice", "4 jobs came out", wrong(func(p *press) { p.twice = true })},
		{"job-is-the-callers", "scribbles", "wrote into the job", wrong(func(p *press) { p.scribbles = true })},
		{"job-is-the-callers", "lazy", "as they were sent", wrong(func(p *press) { p.lazy = true })},
		{"other-kind-is-unsupported", "greedy", "want a Fault", wrong(func(p *press) { p.greedy = true })},
		{"other-kind-is-unsupported", "plain-error", "want a Fault", wrong(func(p *press) { p.plain = true })},
		{"ended-context-prints-nothing", "deaf", "want a Fault", wrong(func(p *press) { p.deaf = true })},
		{"ended-context-prints-nothing", "plain-error", "want a Fault", wrong(func(p *press) { p.plain = true })},
		{"paper-out", "cheerful", "want a Fault", cheerfulRig},
		{"paper-out", "remembers", "1 jobs came out", wrong(func(p *press) { p.remembers = true })},
		{"paper-out", "stuck", "when the trouble was over", wrong(func(p *press) { p.stuck = true })},
		{"cover-open", "cheerful", "want a Fault", cheerfulRig},
		{"cover-open", "remembers", "1 jobs came out", wrong(func(p *press) { p.remembers = true })},
		{"unplugged-prints-nothing", "cheerful", "want a Fault", cheerfulRig},
		{"unplugged-prints-nothing", "plain-error", "want a Fault", wrong(func(p *press) { p.plain = true })},
	})
}
