package printer

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/counterproof/counterproof/devices"
	"github.com/counterproof/counterproof/devices/internal/driver/seat"
)

// Bounds on CUPS.
const (
	maxQueues  = 64
	maxDocPage = 32 << 20 // bytes of a job
	maxTitle   = 64       // characters
	queueLook  = 500 * time.Millisecond
	queueTotal = 3 * time.Minute
	childTime  = 10 * time.Second // for a question to CUPS
	maxAnswer  = 1 << 20          // bytes
)

// Why a queue does not print.
var (
	errNoCUPS   = errors.New("the programs of CUPS are not installed (package cups-client)")
	errQueue    = errors.New("that is no name of a print queue")
	errStopped  = errors.New("the print queue is stopped")
	errRejects  = errors.New("the print queue takes no jobs")
	errRefused  = errors.New("the print queue refused the job")
	errWithdrew = errors.New("the job was withdrawn from the print queue")
	errUnsure   = errors.New("the job could not be withdrawn and may be printed yet")
	errAborted  = errors.New("the print queue gave the job up")
)

// QueueConfig says which queue of the system's CUPS is used.
type QueueConfig struct {
	ID   devices.ID
	Name string // as CUPS names it
	// Programs is the folder of lp, lpstat and cancel; those on the path if empty.
	Programs string
	Total    time.Duration // a job takes at most so long; zero is three minutes
}

// Queue is a print queue of the system's CUPS, for pages. Each question and each
// job is a child process. A job that does not come out is withdrawn: it must not
// be printed when nobody waits for it any more.
type Queue struct {
	seat.Seat
	cfg QueueConfig
}

// Queues lists the system's print queues by name. Without CUPS that is a Fault of
// Kind Unsupported.
func Queues(ctx context.Context, programs string) ([]string, error) {
	s := &seat.Seat{}
	said, err := child(ctx, programs, nil, "lpstat", "-e")
	if err != nil {
		return nil, s.Fault("listing the print queues", devices.Protocol, err)
	}
	var names []string
	for line := range strings.Lines(said) {
		if name := strings.TrimSpace(line); queueName.MatchString(name) && len(names) < maxQueues {
			names = append(names, name)
		}
	}
	return names, nil
}

// queueName is what CUPS allows for a name, less what a command could mistake.
var queueName = regexp.MustCompile(`^[0-9A-Za-z_.+][0-9A-Za-z_.+@:-]{0,126}$`)

// OpenQueue makes sure that a queue is there.
func OpenQueue(ctx context.Context, cfg QueueConfig) (*Queue, error) {
	q := &Queue{Seat: seat.Seat{ID: cfg.ID}, cfg: cfg}
	if q.cfg.Total <= 0 {
		q.cfg.Total = queueTotal
	}
	if !queueName.MatchString(cfg.Name) {
		return nil, q.Fault(opening, devices.Unsupported, errQueue)
	}
	if _, err := child(ctx, cfg.Programs, nil, "lpstat", "-p", cfg.Name); err != nil {
		return nil, q.Fault(opening, devices.Missing, err)
	}
	return q, nil
}

// Accepts lists what a queue prints, best first.
func (q *Queue) Accepts() []devices.JobKind { return []devices.JobKind{devices.PDF, devices.Text} }

// Print returns when the job has left the queue. Who gives up, and a printer
// without paper, withdraw it.
func (q *Queue) Print(ctx context.Context, job devices.Job) error {
	leave, err := q.Take(ctx, printing)
	if err != nil {
		return err
	}
	defer leave()
	if !slices.Contains(q.Accepts(), job.Kind) || len(job.Data) > maxDocPage {
		return q.Fault(printing, devices.Unsupported, errKind)
	}
	if err := q.ready(ctx); err != nil {
		return q.Fault(printing, devices.Protocol, err)
	}
	number, err := q.send(ctx, job)
	if err != nil {
		return q.Fault(printing, devices.Unsupported, err)
	}
	if err := q.await(ctx, number); err != nil {
		return q.Fault(printing, devices.Protocol, err)
	}
	q.Count(jobs, 1)
	return nil
}

// ready refuses what CUPS would keep for later.
func (q *Queue) ready(ctx context.Context) error {
	if err := q.trouble(ctx); err != nil {
		return err
	}
	said, err := child(ctx, q.cfg.Programs, nil, "lpstat", "-a", q.cfg.Name)
	if err == nil && !strings.Contains(said, " accepting requests") || strings.Contains(said, " not accepting requests") {
		return &devices.Fault{Kind: devices.Unsupported, Err: errRejects}
	}
	return err
}

// trouble is what the queue's printer says of itself: whether it is stopped, and
// its state reasons (RFC 8011 §5.4.12) that are errors.
func (q *Queue) trouble(ctx context.Context) error {
	said, err := child(ctx, q.cfg.Programs, nil, "lpstat", "-l", "-p", q.cfg.Name)
	switch {
	case errors.Is(err, errChild): // it knows no such queue, or no CUPS answers it
		return &devices.Fault{Kind: devices.Missing, Err: err}
	case err != nil:
		return err
	}
	for _, reason := range alerts(said) {
		if kind, why := reasonKind(reason); kind != devices.KindNone {
			return &devices.Fault{Kind: kind, Err: why}
		}
	}
	if strings.Contains(said, "printer "+q.cfg.Name+" disabled ") {
		return &devices.Fault{Kind: devices.Unsupported, Err: errStopped}
	}
	return nil
}

// alerts are the reasons in a long answer of lpstat.
func alerts(said string) []string {
	for line := range strings.Lines(said) {
		if list, ok := strings.CutPrefix(strings.TrimSpace(line), "Alerts:"); ok {
			return strings.Fields(list)
		}
	}
	return nil
}

// reasonKind is what a state reason means. Warnings and reports stop nothing.
func reasonKind(reason string) (devices.Kind, error) {
	word := strings.TrimSuffix(reason, "-error")
	switch word {
	case "media-empty", "media-needed":
		return devices.PaperOut, errPaper
	case "cover-open", "door-open", "interlock-open":
		return devices.CoverOpen, errCover
	case "offline", "shutdown", "timed-out":
		return devices.Timeout, errOffLine
	case "media-jam", "marker-supply-empty", "toner-empty", "spool-area-full":
		return devices.Protocol, errBroken
	}
	return devices.KindNone, nil
}

// requested is what lp says of a job that was taken.
var requested = regexp.MustCompile(`(?m)^request id is (\S{1,127}-[0-9]{1,10}) `)

// send gives a job to CUPS and tells its number. The job itself goes through a
// pipe; the title is the only word of it on a command line.
func (q *Queue) send(ctx context.Context, job devices.Job) (string, error) {
	said, err := child(ctx, q.cfg.Programs, bytes.NewReader(job.Data), "lp", "-d", q.cfg.Name, "-t", titled(job.Title))
	if err != nil {
		return "", firstOf(known(err), &devices.Fault{Kind: devices.Unsupported, Err: errRefused})
	}
	found := requested.FindStringSubmatch(said)
	if found == nil || !strings.HasPrefix(found[1], q.cfg.Name+"-") {
		return "", &devices.Fault{Kind: devices.Protocol, Err: errUnsure}
	}
	return found[1], nil
}

// known keeps an error that is a fault already.
func known(err error) error {
	if devices.KindOf(err) == devices.KindNone {
		return nil
	}
	return err
}

// titled is a title as it may stand on a command line.
func titled(s string) string {
	var b strings.Builder
	for _, r := range s {
		if unicode.IsPrint(r) && r < unicode.MaxASCII && b.Len() < maxTitle {
			b.WriteRune(r)
		}
	}
	text := strings.TrimLeft(strings.TrimSpace(b.String()), "-")
	if text == "" {
		return "Counterproof"
	}
	return text
}

// await waits until a job has left the queue.
func (q *Queue) await(ctx context.Context, number string) error {
	within, cancel := context.WithTimeout(ctx, q.cfg.Total)
	defer cancel()
	for {
		waits, err := q.holds(within, number)
		if err == nil && !waits {
			return q.outcome(within, number)
		}
		if err == nil {
			err = q.trouble(within)
		}
		if err == nil && rest(within, queueLook) {
			continue
		}
		switch {
		case ctx.Err() != nil:
			err = &devices.Fault{Kind: devices.Cancelled, Err: context.Cause(ctx)}
		case within.Err() != nil:
			err = &devices.Fault{Kind: devices.Timeout, Err: errStalled}
		}
		return q.withdraw(ctx, number, err)
	}
}

// rest waits a while; false if ctx ended.
func rest(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

// holds tells whether a job is in the queue.
func (q *Queue) holds(ctx context.Context, number string) (bool, error) {
	said, err := child(ctx, q.cfg.Programs, nil, "lpstat", "-o", q.cfg.Name)
	if err != nil {
		return false, err
	}
	return entry(said, number) != "", nil
}

// entry is what an answer of lpstat says of a job: its line and those that are
// indented below it.
func entry(said, number string) string {
	var b strings.Builder
	for line := range strings.Lines(said) {
		indented := strings.HasPrefix(line, "\t") || strings.HasPrefix(line, " ")
		if b.Len() > 0 && !indented {
			break
		}
		if b.Len() > 0 || !indented && strings.HasPrefix(line, number+" ") {
			b.WriteString(line)
		}
	}
	return b.String()
}

// outcome tells whether a job that left the queue was printed. One that CUPS has
// forgotten already was.
func (q *Queue) outcome(ctx context.Context, number string) error {
	said, err := child(ctx, q.cfg.Programs, nil, "lpstat", "-l", "-W", "completed", "-o", q.cfg.Name)
	if err != nil {
		return nil // it has been taken; no more is known
	}
	for _, reason := range alerts(entry(said, number)) {
		if strings.Contains(reason, "aborted") || strings.Contains(reason, "canceled") {
			q.Count(halfPrinted, 1)
			return &devices.Fault{Kind: devices.Protocol, Err: errors.Join(errAborted, errHalf)}
		}
	}
	return nil
}

// withdraw takes a job back, whatever became of ctx.
func (q *Queue) withdraw(ctx context.Context, number string, why error) error {
	q.Count(halfPrinted, 1)
	done := errWithdrew
	if _, err := child(context.WithoutCancel(ctx), q.cfg.Programs, nil, "cancel", number); err != nil {
		done = errUnsure
	}
	f, _ := errors.AsType[*devices.Fault](q.Fault(printing, devices.Protocol, why))
	f.Err = errors.Join(errHalf, done, f.Err)
	return f
}

// Close lets go of the queue; a job that is under way ends with its context.
func (q *Queue) Close() error {
	q.Leave()
	return nil
}

// errChild is that a program of CUPS failed; what it said may have a name in it.
var errChild = errors.New("a program of CUPS failed")

// child runs a program of CUPS and gives what it said, bounded. It is told to
// speak English, and nothing else of this program's surroundings.
func child(ctx context.Context, folder string, stdin io.Reader, name string, args ...string) (string, error) {
	within, cancel := context.WithTimeout(ctx, childTime)
	defer cancel()
	program, err := exec.LookPath(filepath.Join(folder, name))
	if err != nil {
		return "", &devices.Fault{Kind: devices.Unsupported, Err: errNoCUPS}
	}
	c := exec.CommandContext(within, program, args...)
	c.Env = []string{"LC_ALL=C", "PATH=/usr/bin:/bin"}
	c.WaitDelay = time.Second
	said := &bounded{}
	c.Stdin, c.Stdout, c.Stderr = stdin, said, io.Discard
	switch err := c.Run(); {
	case ctx.Err() != nil:
		return "", &devices.Fault{Kind: devices.Cancelled, Err: context.Cause(ctx)}
	case within.Err() != nil:
		return "", &devices.Fault{Kind: devices.Timeout, Err: errNoAnswer}
	case err != nil:
		return "", errChild
	}
	return said.String(), nil
}

// bounded keeps what a child says, up to a limit; the rest is dropped, so that the
// child does not hang.
type bounded struct{ bytes.Buffer }

// Write keeps what there is room for.
func (b *bounded) Write(p []byte) (int, error) {
	b.Buffer.Write(p[:min(len(p), maxAnswer-b.Len())])
	return len(p), nil
}
