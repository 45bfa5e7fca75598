package printer

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/counterproof/counterproof/devices"
	"github.com/counterproof/counterproof/devices/devicetest"
	"github.com/counterproof/counterproof/devices/profile"
	"github.com/counterproof/counterproof/devices/sim"
)

// press is the other end of a printer's line: it prints what comes and answers
// DLE EOT.
type press struct {
	mu      sync.Mutex
	trouble devices.Kind
	offLine bool
	cutter  bool
	low     bool
	silent  bool
	stuckAt int          // bytes after which it takes nothing more; 0 is never
	after   devices.Kind // the trouble it is in once it is stuck
	paper   []byte
}

// sets changes it.
func (p *press) sets(change func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	change()
}

// answer is the byte for DLE EOT n (Epson ESC/POS), under the lock.
func (p *press) answer(n byte) byte {
	bits := byte(0x12)
	set := func(when bool, b byte) {
		if when {
			bits |= b
		}
	}
	out, open := p.trouble == devices.PaperOut, p.trouble == devices.CoverOpen
	switch n {
	case 1:
		set(out || open || p.offLine, 0x08)
	case 2:
		set(open, 0x04)
		set(out, 0x20)
	case 3:
		set(p.cutter, 0x08)
	case 4:
		set(p.low || out, 0x0c)
		set(out, 0x60)
	}
	return bits
}

// takes takes bytes and gives the answers; false when it is stuck.
func (p *press) takes(b []byte) (answers []byte, well bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.paper = append(p.paper, b...)
	for {
		at := bytes.Index(p.paper, []byte("\x10\x04"))
		if at < 0 || at+3 > len(p.paper) {
			break
		}
		n := p.paper[at+2]
		p.paper = slices.Delete(p.paper, at, at+3)
		if !p.silent {
			answers = append(answers, p.answer(n))
		}
	}
	if p.stuckAt > 0 && len(p.paper) >= p.stuckAt {
		p.trouble = p.after
		return answers, false
	}
	return answers, true
}

// run prints until ctx ends.
func (p *press) run(ctx context.Context, far devices.Port) {
	for b := make([]byte, 64); ; {
		n, err := far.Read(ctx, b)
		if err != nil {
			return
		}
		answers, well := p.takes(b[:n])
		if len(answers) > 0 {
			_ = far.Write(ctx, answers)
		}
		if !well {
			<-ctx.Done()
			return
		}
	}
}

// printed is what came out, without the command that opening sends.
func (p *press) printed() []byte {
	p.mu.Lock()
	defer p.mu.Unlock()
	return bytes.TrimPrefix(slices.Clone(p.paper), []byte("\x1b@"))
}

// receipts opens a printer on a simulated line.
func receipts(tb testing.TB, change func(*profile.Profile)) (*Receipt, *press, *sim.PipeEnd) {
	tb.Helper()
	near, far := sim.NewPipe(false)
	p := &press{}
	go p.run(tb.Context(), far)
	r, err := NewReceipt(tb.Context(), Config{ID: "usb:1-4", Profile: shipped(tb, "escpos", change), Port: near})
	if err != nil {
		tb.Fatal(err)
	}
	return r, p, far
}

// shipped is a profile of the program, changed.
func shipped(tb testing.TB, id string, change func(*profile.Profile)) profile.Profile {
	tb.Helper()
	p, ok := profile.Embedded().Find(id)
	if !ok {
		tb.Fatalf("there is no profile %s", id)
	}
	if change != nil {
		change(&p)
	}
	return p
}

// cut ends each test page.
const cut = "\x1dVB\x00"

func TestReceiptPrinter(t *testing.T) {
	t.Parallel()
	devicetest.RunPrinter(t, synctest.Test, func(tb testing.TB) devicetest.PrinterRig {
		r, p, far := receipts(tb, nil)
		return devicetest.PrinterRig{
			Printer: r, Unplug: far.Unplug, Fail: func(k devices.Kind) { p.sets(func() { p.trouble = k }) },
			Printed: func() (jobs [][]byte) {
				synctest.Wait()
				for job := range bytes.SplitAfterSeq(p.printed(), []byte(cut)) {
					if len(job) > 0 {
						jobs = append(jobs, job)
					}
				}
				return jobs
			},
		}
	})
}

// slip is a job of some length.
func slip(n int) devices.Job {
	return devices.Job{Title: "slip", Kind: devices.ESCPOS, Data: []byte(strings.Repeat("A line\n", n/7) + cut)}
}

// TestPrinterStates: what a printer says before a job keeps it from being begun,
// and nothing of it is printed.
func TestPrinterStates(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		in   func(*press)
		want devices.Kind
		why  error
	}{
		"well":      {func(*press) {}, devices.KindNone, nil},
		"paper-low": {func(p *press) { p.low = true }, devices.KindNone, nil},
		"no-paper":  {func(p *press) { p.trouble = devices.PaperOut }, devices.PaperOut, errPaper},
		"cover":     {func(p *press) { p.trouble = devices.CoverOpen }, devices.CoverOpen, errCover},
		"off-line":  {func(p *press) { p.offLine = true }, devices.Timeout, errOffLine},
		"cutter":    {func(p *press) { p.cutter = true }, devices.Protocol, errCutter},
		"mute":      {func(p *press) { p.silent = true }, devices.KindNone, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r, p, _ := receipts(t, nil)
				p.sets(func() { c.in(p) })
				err := r.Print(t.Context(), slip(100))
				if devices.KindOf(err) != c.want || !errors.Is(err, c.why) || errors.Is(err, errHalf) {
					t.Errorf("got %v, want %s: %v", err, c.want, c.why)
				}
				synctest.Wait()
				if out := len(p.printed()) > 0; out != (c.want == devices.KindNone) {
					t.Errorf("something came out: %t", out)
				}
				if h := r.Health().Details; c.want == devices.KindNone && h[jobs] != 1 || h[halfPrinted] != 0 {
					t.Errorf("counted are %v", h)
				}
			})
		})
	}
}

// TestHalfPrinted: a job that ends in the middle says so, with the reason where
// the printer gives one, and is not sent again.
func TestHalfPrinted(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		after devices.Kind
		state PortState
		want  devices.Kind
	}{
		"paper-by-port":   {devices.PaperOut, portBits(0x30), devices.PaperOut},
		"off-line":        {devices.KindNone, portBits(0x08), devices.Timeout},
		"says-it-is-well": {devices.KindNone, portBits(0x18), devices.Timeout},
		"port-is-silent":  {devices.PaperOut, nil, devices.Timeout},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r, p, _ := receipts(t, nil)
				if c.state != nil {
					r.cfg.State = func(context.Context) (PortState, error) { return c.state, nil }
				}
				p.sets(func() { p.stuckAt, p.after = 300, c.after })
				began := time.Now()
				err := r.Print(t.Context(), slip(20000))
				if devices.KindOf(err) != c.want || !errors.Is(err, errHalf) {
					t.Errorf("got %v, want %s and that it is half printed", err, c.want)
				}
				if took := time.Since(began); took > 10*time.Second {
					t.Errorf("it took %v", took)
				}
				if h := r.Health().Details; h[halfPrinted] != 1 || h[jobs] != 0 {
					t.Errorf("counted are %v", h)
				}
			})
		})
	}
}

// portBits is a port's state.
type portBits byte

func (b portBits) PaperOut() bool { return b&0x20 != 0 }
func (b portBits) Selected() bool { return b&0x10 != 0 }
func (b portBits) Failed() bool   { return b&0x08 == 0 }

// TestPaperEndsAtTheEnd: paper that ends with the job is seen after it.
func TestPaperEndsAtTheEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r, p, _ := receipts(t, nil)
		job := slip(1000)
		reset := 0
		r.cfg.Reset = func(context.Context) error { reset++; return nil }
		go func() {
			for len(p.printed()) < len(job.Data) {
				time.Sleep(time.Microsecond)
			}
			p.sets(func() { p.trouble = devices.PaperOut })
		}()
		time.Sleep(time.Millisecond)
		// The answers come a moment later than the last byte.
		r.cfg.Port = &late{r.cfg.Port}
		if err := r.Print(t.Context(), job); devices.KindOf(err) != devices.PaperOut || !errors.Is(err, errHalf) {
			t.Errorf("got %v", err)
		}
		p.sets(func() { p.trouble, p.paper = devices.KindNone, nil })
		if err := r.Print(t.Context(), job); err != nil || reset != 1 {
			t.Errorf("with new paper: %v, %d resets", err, reset)
		}
		synctest.Wait()
		if got := p.printed(); !bytes.Equal(got, job.Data) {
			t.Errorf("%d bytes came out, want the %d of the job after a reset", len(got), len(job.Data))
		}
	})
}

// late is a port whose pieces take a while.
type late struct{ devices.Port }

func (l *late) Write(ctx context.Context, b []byte) error {
	err := l.Port.Write(ctx, b)
	time.Sleep(time.Millisecond)
	return err
}

// TestPrinterGivesUp: who gives up in the middle is told that it may lie there.
func TestPrinterGivesUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r, p, _ := receipts(t, nil)
		p.sets(func() { p.stuckAt = 300 })
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := r.Print(ctx, slip(20000)); devices.KindOf(err) != devices.Cancelled || !errors.Is(err, errHalf) {
			t.Errorf("got %v", err)
		}
	})
}

// TestPrinterFallsSilent: one that answered before and does not now is late; one
// that never answers goes by its port alone, and by no bit of it but that of the
// paper.
func TestPrinterFallsSilent(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r, p, _ := receipts(t, nil)
		if err := r.Print(t.Context(), slip(10)); err != nil {
			t.Fatal(err)
		}
		p.sets(func() { p.silent = true })
		if err := r.Print(t.Context(), slip(10)); devices.KindOf(err) != devices.Timeout || errors.Is(err, errHalf) {
			t.Errorf("one that fell silent: %v", err)
		}
	})
	for bits, want := range map[portBits]devices.Kind{0x00: devices.KindNone, 0x18: devices.KindNone, 0x20: devices.PaperOut} {
		synctest.Test(t, func(t *testing.T) {
			r, p, _ := receipts(t, func(p *profile.Profile) { p.Quirks = append(p.Quirks, profile.NoStatus) })
			r.cfg.State = func(context.Context) (PortState, error) { return bits, nil }
			if err := r.Print(t.Context(), slip(10)); devices.KindOf(err) != want {
				t.Errorf("port state %#x: %v", byte(bits), err)
			}
			synctest.Wait()
			if bytes.Contains(p.printed(), []byte("\x10\x04")) {
				t.Error("it was asked")
			}
		})
	}
}

// TestPortOfOneWay: a port that only takes is as good as a silent printer.
func TestPortOfOneWay(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r, _, _ := receipts(t, nil)
		r.cfg.Port = oneWay{r.cfg.Port}
		r.cfg.State = func(context.Context) (PortState, error) { return nil, &devices.Fault{Kind: devices.Unsupported} }
		if err := r.Print(t.Context(), slip(10)); err != nil || !r.mute {
			t.Errorf("got %v", err)
		}
		r.cfg.State = func(context.Context) (PortState, error) { return nil, &devices.Fault{Kind: devices.Gone} }
		if err := r.Print(t.Context(), slip(10)); devices.KindOf(err) != devices.Gone {
			t.Errorf("a port that is gone: %v", err)
		}
	})
}

type oneWay struct{ devices.Port }

func (oneWay) Read(context.Context, []byte) (int, error) {
	return 0, &devices.Fault{Kind: devices.Unsupported}
}

// TestPrinterBounds: a job without end is refused, and so is one for another.
func TestPrinterBounds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r, _, far := receipts(t, func(p *profile.Profile) { p.Commands["close"] = []string{"1b40"} })
		if err := r.Print(t.Context(), slip(maxReceipt+99)); devices.KindOf(err) != devices.Unsupported {
			t.Errorf("a job without end: %v", err)
		}
		if err := errors.Join(r.Close(), r.Close()); err != nil {
			t.Error(err)
		}
		if err := r.Print(t.Context(), slip(1)); devices.KindOf(err) != devices.Gone {
			t.Errorf("a closed printer: %v", err)
		}
		far.Unplug()
		near, cutOff := sim.NewPipe(false)
		cutOff.Unplug()
		if p, err := NewReceipt(t.Context(), Config{Profile: shipped(t, "escpos", nil), Port: near}); p != nil || devices.KindOf(err) != devices.Gone {
			t.Errorf("a printer that is not there: %v", err)
		}
	})
}
