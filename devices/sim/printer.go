package sim

import (
	"cmp"
	"context"
	"io"
	"slices"

	"github.com/counterproof/counterproof/devices"
)

const printing = "printing"

// maxJob bounds a job in bytes; a larger one is Unsupported.
const maxJob = 32 << 20

// PrinterConfig says what a simulated printer is. Folder is needed.
type PrinterConfig struct {
	ID      devices.ID        // "" is "sim:printer"
	Name    string            // "" is "Simulated printer"
	Roles   []devices.Role    // none serves any role
	Folder  string            // where the paper falls; made with its parents, for its owner alone
	Accepts []devices.JobKind // best first; none is PDF, ESC/POS and text
}

// Printer is a simulated printer: each job becomes a file of its folder. Fail
// with PaperOut or CoverOpen makes it refuse as a real one does. Its methods may
// be called from any goroutine.
type Printer struct {
	*socket
	accepts []devices.JobKind
	tray    *tray
}

// NewPrinter makes a printer that is plugged in. Its folder is made with the
// first job.
func NewPrinter(cfg PrinterConfig) *Printer {
	about := devices.Device{
		ID: cmp.Or(cfg.ID, "sim:printer"), Name: cmp.Or(cfg.Name, "Simulated printer"),
		Roles: slices.Clone(cfg.Roles), Can: []devices.Capability{devices.CanPrint},
	}
	p := &Printer{socket: newSocket(about), accepts: slices.Clone(cfg.Accepts), tray: &tray{folder: cfg.Folder}}
	if len(p.accepts) == 0 {
		p.accepts = []devices.JobKind{devices.PDF, devices.ESCPOS, devices.Text}
	}
	return p
}

// Accepts lists the kinds of job that it takes, best first.
func (p *Printer) Accepts() []devices.JobKind { return slices.Clone(p.accepts) }

// Print returns when the job is on disk, whole and synced: PDF as .pdf, text as
// .txt, ESC/POS as .escpos with a readable .txt beside it. A full disk is a
// Fault of Kind PaperOut.
func (p *Printer) Print(ctx context.Context, job devices.Job) error {
	return p.print(ctx, p.here(), job)
}

// open opens the printer as a hub does.
func (p *Printer) open() (io.Closer, error) {
	o, err := p.enter()
	if err != nil {
		return nil, err
	}
	return &openPrinter{o, p}, nil
}

// openPrinter is a printer that was opened.
type openPrinter struct {
	*opened
	printer *Printer
}

// Accepts lists the kinds of job that it takes.
func (o *openPrinter) Accepts() []devices.JobKind { return o.printer.Accepts() }

// Print prints.
func (o *openPrinter) Print(ctx context.Context, job devices.Job) error {
	return o.printer.print(ctx, o.opened, job)
}

// Health tells how many jobs were printed since the printer was made.
func (o *openPrinter) Health() devices.Health {
	return devices.Health{Firmware: "simulated", Details: map[string]int{"jobs": o.printer.tray.count()}}
}

// print checks what a printer can refuse before it takes paper, and prints.
func (p *Printer) print(ctx context.Context, o *opened, job devices.Job) error {
	if err := p.cancelled(ctx, printing); err != nil {
		return err
	}
	leave, err := o.take(printing)
	if err != nil {
		return err
	}
	defer leave()
	if !slices.Contains(p.accepts, job.Kind) || len(job.Data) > maxJob {
		return p.fault(printing, devices.Unsupported)
	}
	if err := p.tray.drop(sheets(job)); err != nil {
		f := p.fault(printing, trayKind(err))
		f.Err = err
		return f
	}
	return nil
}

// sheets are the files that a job becomes; the job itself is the last, so that
// where it lies all of it lies. A kind that is not known gives none.
func sheets(job devices.Job) []sheet {
	switch job.Kind {
	case devices.PDF:
		return []sheet{{".pdf", job.Data}}
	case devices.ESCPOS:
		return []sheet{{".txt", receipt(job.Data)}, {".escpos", job.Data}}
	}
	return []sheet{{".txt", job.Data}}
}
