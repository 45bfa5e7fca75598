// Package printer prints receipts over a port as ESC/POS, and pages through the
// print queues of the system's CUPS.
//
// It lays nothing out, keeps no job and prints none a second time.
//
// # The laws
//
//   - A printer is asked how it is before a job; one that cannot print gets
//     nothing of it.
//   - A job that ended in the middle says that it may lie half printed, and is not
//     sent again. One that waits in a queue is withdrawn when nobody waits for it.
//   - No personal data on a command line, in a fault or in a counter.
//   - What a program or a printer says is bounded and goes no further; faults have
//     sentences of this package.
package printer

import (
	"context"
	"errors"
	"time"

	"github.com/counterproof/counterproof/devices"
	"github.com/counterproof/counterproof/devices/framing"
	"github.com/counterproof/counterproof/devices/internal/driver/seat"
	"github.com/counterproof/counterproof/devices/profile"
)

// What is being done, for a fault.
const (
	printing = "printing"
	opening  = "opening the printer"
)

// Bounds on a receipt printer.
const (
	maxReceipt = 4 << 20 // bytes of a job
	// sip is how much is sent at a time: so little that a printer that works takes
	// it within the time of the profile, also while it prints.
	sip = 256
	// parting is how long the last command may take.
	parting = 500 * time.Millisecond
)

// What a printer counts.
const (
	jobs        = "jobs"
	halfPrinted = "half_printed"
	nearEnd     = "paper_near_end" // how often paper was low after a job
	speechless  = "unanswered"     // questions
)

// Why a printer does not print. Each is one of these sentences, whatever the
// printer said.
var (
	errKind     = errors.New("it prints other kinds of job, or shorter ones")
	errHalf     = errors.New("the job may lie half printed")
	errOffLine  = errors.New("it is off line")
	errCutter   = errors.New("its cutter is stuck")
	errBroken   = errors.New("it reports a failure")
	errStalled  = errors.New("it takes nothing more")
	errPaper    = errors.New("there is no paper")
	errCover    = errors.New("its cover is open")
	errNoAnswer = errors.New("it does not answer any more")
)

// PortState is what a printer's port tells of it beside the stream of bytes: the
// port status of the USB printer class.
type PortState = interface {
	PaperOut() bool
	Selected() bool
	Failed() bool
}

// Config says what a receipt printer is and how it is reached.
type Config struct {
	ID      devices.ID
	Profile profile.Profile
	Port    devices.Port // the printer closes it
	// State asks the port how the printer is; nil where a port cannot tell.
	State func(context.Context) (PortState, error)
	// Reset lets the printer forget what it was sent and has not printed; nil
	// where a port cannot.
	Reset func(context.Context) error
}

// Receipt prints ESC/POS over a port. It asks the printer how it is before
// and after each job, and where it takes nothing more.
type Receipt struct {
	seat.Seat
	cfg    Config
	spoken bool // it has answered a question since it was opened
	mute   bool // it does not
	dirty  bool // a job was broken off, so it may not stand where it should
}

// NewReceipt prepares a printer. The port is closed if that fails.
func NewReceipt(ctx context.Context, cfg Config) (*Receipt, error) {
	p := &Receipt{Seat: seat.Seat{ID: cfg.ID}, cfg: cfg, mute: cfg.Profile.Has(profile.NoStatus)}
	err := cfg.Port.Flush()
	if err == nil {
		err = p.renew(ctx)
	}
	if err != nil {
		return nil, errors.Join(p.Fault(opening, devices.Protocol, err), cfg.Port.Close())
	}
	return p, nil
}

// Accepts lists what it prints.
func (p *Receipt) Accepts() []devices.JobKind { return []devices.JobKind{devices.ESCPOS} }

// Print returns when the printer has taken the whole job and says that it is
// well. A fault in the middle says that the job may lie half printed.
func (p *Receipt) Print(ctx context.Context, job devices.Job) error {
	leave, err := p.Take(ctx, printing)
	if err != nil {
		return err
	}
	defer leave()
	if job.Kind != devices.ESCPOS || len(job.Data) > maxReceipt {
		return p.Fault(printing, devices.Unsupported, errKind)
	}
	if err := p.ready(ctx); err != nil {
		return p.Fault(printing, devices.Protocol, err)
	}
	if err := p.run(ctx, job.Data); err != nil {
		p.dirty = true
		p.Count(halfPrinted, 1)
		return p.half(err)
	}
	p.Count(jobs, 1)
	return nil
}

// ready makes sure that the printer can begin.
func (p *Receipt) ready(ctx context.Context) error {
	if err := p.trouble(ctx); err != nil || !p.dirty {
		return err
	}
	if err := p.renew(ctx); err != nil {
		return err
	}
	p.dirty = false
	return nil
}

// renew puts the printer where it was when it was switched on.
func (p *Receipt) renew(ctx context.Context) error {
	if p.dirty && p.cfg.Reset != nil {
		if err := p.cfg.Reset(ctx); devices.KindOf(err) == devices.Gone {
			return err // others may not know this request
		}
	}
	for _, message := range p.cfg.Profile.Command("init") {
		if err := p.write(ctx, message); err != nil {
			return err
		}
	}
	return nil
}

// half is a fault in the middle of a job.
func (p *Receipt) half(err error) error {
	f, _ := errors.AsType[*devices.Fault](p.Fault(printing, devices.Protocol, err))
	f.Err = errors.Join(errHalf, f.Err)
	return f
}

// run sends a job, and looks afterwards whether it came out. A printer that is
// still printing need not answer then.
func (p *Receipt) run(ctx context.Context, data []byte) error {
	for len(data) > 0 {
		n := min(len(data), sip)
		if err := p.write(ctx, data[:n]); err != nil {
			return err
		}
		data = data[n:]
	}
	err := p.trouble(ctx)
	switch kind := devices.KindOf(err); kind {
	case devices.Timeout:
		if errors.Is(err, errOffLine) {
			return err
		}
		return nil
	case devices.Cancelled: // the job was taken before
		return nil
	}
	return err
}

// write sends a piece. Where the printer does not take it in time, it says why if
// it can.
func (p *Receipt) write(ctx context.Context, piece []byte) error {
	within, cancel := context.WithTimeout(ctx, p.cfg.Profile.Limits.Total)
	defer cancel()
	err := p.cfg.Port.Write(within, piece)
	if err == nil || ctx.Err() != nil || within.Err() == nil {
		return err
	}
	if err := p.port(ctx); err != nil {
		return err
	}
	if err := p.trouble(ctx); err != nil && !errors.Is(err, errNoAnswer) {
		return err
	}
	return &devices.Fault{Kind: devices.Timeout, Err: errStalled}
}

// trouble is why the printer cannot print; nil where it can, as far as it tells.
func (p *Receipt) trouble(ctx context.Context) error {
	if p.mute {
		return p.paper(ctx)
	}
	if err := p.cfg.Port.Flush(); err != nil { // notices that it sent by itself
		return err
	}
	for _, n := range []byte{2, 4, 3, 1} { // the reasons before the mere fact
		f, err := p.ask(ctx, n)
		switch {
		case err != nil:
			return err
		case f == nil && p.spoken:
			return &devices.Fault{Kind: devices.Timeout, Err: errNoAnswer}
		case f == nil:
			p.mute = true // it never says anything
			return p.paper(ctx)
		}
		p.spoken = true
		if err := p.meant(f); err != nil {
			return err
		}
	}
	return nil
}

// meant is the trouble that an answer tells.
func (p *Receipt) meant(f framing.Frame) error {
	trouble := func(is bool, kind devices.Kind, err error) error {
		if !is {
			return nil
		}
		return &devices.Fault{Kind: kind, Err: err}
	}
	switch f := f.(type) {
	case framing.OfflineStatus:
		return firstOf(trouble(f.CoverOpen, devices.CoverOpen, errCover), trouble(f.StoppedByPaperEnd, devices.PaperOut, errPaper))
	case framing.PaperStatus:
		if f.NearEnd && !f.End {
			p.Count(nearEnd, 1)
		}
		return trouble(f.End, devices.PaperOut, errPaper)
	case framing.FailureStatus:
		return firstOf(trouble(f.Cutter, devices.Protocol, errCutter), trouble(f.Unrecoverable || f.Recoverable, devices.Protocol, errBroken))
	case framing.PrinterStatus:
		return trouble(!f.Online, devices.Timeout, errOffLine)
	}
	return nil
}

// firstOf is the first error of all.
func firstOf(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// ask asks one question (DLE EOT n). Nothing without an error is that no answer
// came, in the time that the profile gives between two bytes.
func (p *Receipt) ask(ctx context.Context, n byte) (framing.Frame, error) {
	question, err := framing.Command(framing.Status, framing.Query, n)
	if err != nil {
		return nil, err
	}
	decoder, err := framing.New(framing.Status, framing.Settings{Sent: question})
	if err != nil {
		return nil, err
	}
	within, cancel := context.WithTimeout(ctx, p.cfg.Profile.Limits.InterByte)
	defer cancel()
	err = p.cfg.Port.Write(within, question)
	for b := make([]byte, 64); err == nil; {
		var got int
		got, err = p.cfg.Port.Read(within, b)
		for _, f := range decoder.Feed(b[:max(got, 0)]) {
			if _, wrong := f.(framing.Error); !wrong {
				return f, nil
			}
		}
	}
	silent := ctx.Err() == nil && within.Err() != nil
	if silent || devices.KindOf(err) == devices.Unsupported { // a port of one way
		p.Count(speechless, 1)
		return nil, nil
	}
	return nil, err
}

// paper looks for paper where the printer answers nothing else. Other states of
// the port are not believed before a job: simple printers tell zeros.
func (p *Receipt) paper(ctx context.Context) error {
	s, err := p.look(ctx)
	if err != nil || s == nil || !s.PaperOut() {
		return err
	}
	return &devices.Fault{Kind: devices.PaperOut, Err: errPaper}
}

// port is what the port tells of a printer that takes nothing more.
func (p *Receipt) port(ctx context.Context) error {
	s, err := p.look(ctx)
	switch {
	case err != nil || s == nil:
		return err
	case s.PaperOut():
		return &devices.Fault{Kind: devices.PaperOut, Err: errPaper}
	case !s.Selected():
		return &devices.Fault{Kind: devices.Timeout, Err: errOffLine}
	}
	return nil
}

// look asks the port; nothing where it cannot tell.
func (p *Receipt) look(ctx context.Context) (PortState, error) {
	if p.cfg.State == nil {
		return nil, nil
	}
	within, cancel := context.WithTimeout(ctx, p.cfg.Profile.Limits.Total)
	defer cancel()
	s, err := p.cfg.State(within)
	if kind := devices.KindOf(err); kind == devices.Gone || err != nil && ctx.Err() != nil {
		return nil, err
	}
	if err != nil {
		return nil, nil
	}
	return s, nil
}

// Close ends what is printed and lets go of the printer. It may be called twice.
func (p *Receipt) Close() error {
	if !p.Leave() {
		return nil
	}
	within, cancel := context.WithTimeout(context.Background(), parting)
	defer cancel()
	for _, message := range p.cfg.Profile.Command("close") {
		if p.cfg.Port.Write(within, message) != nil {
			break // it is closed all the same
		}
	}
	return p.cfg.Port.Close()
}
