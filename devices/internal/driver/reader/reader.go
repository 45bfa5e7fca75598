// Package reader reads machine-readable zones and barcodes over a port: it sends
// what the profile names, takes frames, and gives each reading once.
//
// It finds no device, judges no document and keeps nothing of what it read.
//
// # The laws
//
//   - One call, one reading; the same one never twice. What came while nobody read
//     is forgotten after some seconds: it may be of somebody who has left.
//   - A total deadline and one between bytes are two things, and both come from
//     the profile.
//   - Nothing is sent that the profile does not name.
//   - What a reader is told never depends on how its bytes were cut into reads.
//   - A zone has at most three lines of at most 44 characters.
package reader

import (
	"context"
	"errors"
	"hash/maphash"
	"strings"
	"time"

	"github.com/counterproof/counterproof/devices"
	"github.com/counterproof/counterproof/devices/framing"
	"github.com/counterproof/counterproof/devices/internal/driver/seat"
	"github.com/counterproof/counterproof/devices/profile"
)

// What is being done, for a fault.
const (
	readingZone = "reading the machine-readable zone"
	readingCode = "reading a barcode"
	opening     = "opening the reader"
)

// Bounds on a reader.
const (
	maxRead   = 16 << 10 // bytes of one read; the longest HID report fits
	maxQueued = 16       // readings that came together and wait to be asked for
	maxLines  = 3        // of a zone, each of at most maxLine characters
	maxLine   = 44
)

// Times that no profile sets.
const (
	// fresh is how old a reading may be that came while nobody read. An older one
	// may be of somebody who has left, so it is forgotten.
	fresh = 3 * time.Second
	// pollPause is between an answer and the next question to a reader that has
	// to be asked.
	pollPause = 250 * time.Millisecond
	// parting is how long a last command may take.
	parting = 500 * time.Millisecond
)

// What a reader counts.
const (
	readings = "readings"
	notices  = "notices"          // answers and notices that are no readings
	failures = "damaged_frames"   // frames that were none
	dropped  = "dropped"          // readings that nobody asked for in time
	refusals = "settings_refused" // that the profile sets and the reader does not take
)

// Why a reader fails.
var (
	errSilent  = errors.New("it does not answer")
	errLines   = errors.New("the zone has more than three lines or more than 44 characters in one")
	errNothing = errors.New("the port read nothing and told no error")
)

// Config says what a reader is and how it is reached.
type Config struct {
	ID      devices.ID
	Profile profile.Profile
	Port    devices.Port // the reader closes it
	// Descriptor is the report descriptor of a HID device, for framings that take
	// the layout of reports from it; a layout of the profile goes before it.
	Descriptor []byte
}

// reader is what readers have in common: it takes frames out of a port until one
// is a reading. Below the seat all is the one user's.
type reader[T any] struct {
	seat.Seat
	port    devices.Port
	profile profile.Profile
	decoder framing.Decoder
	accept  func(framing.Frame) (reading T, content []byte, err error)

	buffer []byte
	queue  []T
	rested time.Time // when the last call ended
	seed   maphash.Seed
	lying  uint64 // what lay there when it was last asked, as a hash; 0 for nothing
	pace
}

// pace is how one call stands.
type pace struct {
	began   time.Time // when the frame in hand began
	last    time.Time // when the last byte came
	asked   time.Time // when a question was sent that has no answer yet
	again   time.Time // when it is asked again
	failed  time.Time // when what is told by trouble came
	trouble error     // a frame that was none; a good one right behind it is worth more
}

// newReader prepares a port: what came before is forgotten, and the profile's
// settings are sent. The port is closed if that fails.
func newReader[T any](ctx context.Context, cfg Config) (*reader[T], error) {
	r := &reader[T]{Seat: seat.Seat{ID: cfg.ID}, port: cfg.Port, profile: cfg.Profile, seed: maphash.MakeSeed(), rested: time.Now()}
	decoder, err := framing.New(cfg.Profile.Framing.Name, settingsOf(cfg.Profile, layoutOf(cfg.Descriptor)))
	if err != nil {
		return nil, errors.Join(r.Fault(opening, devices.Unsupported, err), r.port.Close())
	}
	r.decoder, r.buffer = decoder, make([]byte, maxRead)
	if err := r.prepare(ctx); err != nil {
		return nil, errors.Join(r.Fault(opening, devices.Protocol, err), r.port.Close())
	}
	return r, nil
}

// settingsOf is what a profile says about its framing.
func settingsOf(p profile.Profile, found *framing.HIDLayout) framing.Settings {
	f := p.Framing
	s := framing.Settings{
		MaxBytes: p.Limits.MaxBytes, Layout: found, Start: f.Start, End: f.End, Content: framing.Content(f.Content),
		AIMPrefix: f.AIMPrefix, Length: framing.Span(f.Length), Check: framing.Span(f.Check), Letters: f.Letters,
	}
	if l := f.Layout; l != nil {
		s.Layout = &framing.HIDLayout{
			ReportID: byte(l.ReportID), Size: l.Size, Length: l.Length, Symbology: l.Symbology,
			Data: l.Data, Max: l.Max, More: l.More, MoreMask: byte(l.MoreMask),
		}
	}
	return s
}

// layoutOf is the layout that a report descriptor tells; nil where it tells none.
func layoutOf(descriptor []byte) *framing.HIDLayout {
	l, err := framing.ParseReportDescriptor(descriptor)
	if err != nil {
		return nil
	}
	return &l
}

// prepare sends the settings of the profile, one after another, and hears what
// the reader says to each.
func (r *reader[T]) prepare(ctx context.Context) error {
	if err := r.port.Flush(); err != nil {
		return err
	}
	for _, message := range r.profile.Command("init") {
		if err := r.write(ctx, message); err != nil {
			return err
		}
		if err := r.hear(ctx); err != nil {
			return err
		}
	}
	return nil
}

// hear passes over what a reader answers to a setting: up to a whole answer, or
// silence. Whether it took the setting is counted where it tells.
func (r *reader[T]) hear(ctx context.Context) error {
	name := r.profile.Framing.Name
	if name == framing.HoneywellOCR {
		name = framing.Honeywell // its answers have no line ends
	}
	answers, err := framing.New(name, settingsOf(r.profile, &framing.HIDLayout{Size: 1, Max: 1}))
	if err != nil {
		return err
	}
	for end := time.Now().Add(r.profile.Limits.Total); time.Now().Before(end); {
		n, err := r.listen(ctx, time.Now().Add(r.profile.Limits.InterByte))
		if n == 0 || err != nil {
			return err
		}
		frames := answers.Feed(r.buffer[:n])
		clear(r.buffer[:n])
		for _, f := range frames {
			if s, ok := f.(framing.Setting); ok && s.Status != "ack" {
				r.Count(refusals, 1)
			}
		}
		if len(frames) > 0 {
			return nil
		}
	}
	return nil
}

// next is the next reading.
func (r *reader[T]) next(ctx context.Context, op string) (reading T, err error) {
	leave, err := r.Take(ctx, op)
	if err != nil {
		return reading, err
	}
	defer leave()
	defer func() { r.rested = time.Now() }()
	if err := r.refresh(); err != nil {
		return reading, r.Fault(op, devices.Protocol, err)
	}
	if len(r.queue) == 0 {
		err := r.begin(ctx)
		if err == nil {
			err = r.await(ctx)
		}
		r.end(ctx, err)
		if err != nil {
			return reading, r.Fault(op, devices.Protocol, err)
		}
	}
	reading, r.queue = r.queue[0], r.queue[1:]
	r.Count(readings, 1)
	return reading, nil
}

// refresh forgets what came while nobody read, unless that was just now.
func (r *reader[T]) refresh() error {
	r.pace = pace{last: time.Now(), began: time.Now()}
	if time.Since(r.rested) <= fresh {
		return nil
	}
	r.Count(dropped, len(r.queue))
	r.queue = nil
	r.decoder.Expire()
	return r.port.Flush()
}

// polls tells whether the reader has to be asked again and again.
func (r *reader[T]) polls() bool { return r.profile.Has(profile.Poll) }

// begin lets the reader wait for something, or asks it once. A question goes
// only to a reader that does not wait by itself: one that does would read what
// lies there a second time.
func (r *reader[T]) begin(ctx context.Context) error {
	switch {
	case r.polls():
		r.again = time.Now()
	case len(r.profile.Commands["trigger"]) > 0:
		return r.send(ctx, "trigger")
	case len(r.profile.Commands["read"]) > 0:
		r.asked = time.Now()
		return r.send(ctx, "read")
	}
	return nil
}

// end ends the reader's waiting, whatever came of it. One whose waiting ended by
// itself with what it read is left alone.
func (r *reader[T]) end(ctx context.Context, err error) {
	over := r.polls() || err == nil && r.profile.Has(profile.Rearm)
	if over || devices.KindOf(err) == devices.Gone {
		return
	}
	r.part(ctx, "untrigger")
}

// part sends a last command, also when ctx has ended.
func (r *reader[T]) part(ctx context.Context, name string) {
	within, cancel := context.WithTimeout(context.WithoutCancel(ctx), parting)
	defer cancel()
	if r.send(within, name) != nil {
		r.Count("commands_failed", 1)
	}
}

// send sends a command of the profile; none where it has no such command.
func (r *reader[T]) send(ctx context.Context, name string) error {
	for _, message := range r.profile.Command(name) {
		if err := r.write(ctx, message); err != nil {
			return err
		}
	}
	return nil
}

// write sends one message in the time that the profile gives.
func (r *reader[T]) write(ctx context.Context, message []byte) error {
	within, cancel := context.WithTimeout(ctx, r.profile.Limits.Total)
	defer cancel()
	err := r.port.Write(within, message)
	if err != nil && ctx.Err() == nil && within.Err() != nil {
		return &devices.Fault{Kind: devices.Timeout, Err: errSilent}
	}
	return err
}

// await takes frames until the queue has a reading. What it is told depends on
// what came and on its pauses, never on how it was cut into reads.
func (r *reader[T]) await(ctx context.Context) error {
	for len(r.queue) == 0 {
		due := r.due()
		if !due.IsZero() && !time.Now().Before(due) {
			if err := r.overdue(ctx); err != nil {
				return err
			}
			continue
		}
		n, err := r.listen(ctx, due)
		if err != nil {
			return err
		}
		r.feed(n)
	}
	return nil
}

// due is when something has to be done though nothing came; zero for never.
func (r *reader[T]) due() (due time.Time) {
	limits := r.profile.Limits
	sooner := func(t time.Time) {
		if due.IsZero() || t.Before(due) {
			due = t
		}
	}
	if r.decoder.Pending() {
		sooner(r.last.Add(limits.InterByte))
		sooner(r.began.Add(limits.Total))
	}
	if r.trouble != nil {
		sooner(r.last.Add(limits.InterByte))
		sooner(r.failed.Add(limits.Total))
	}
	switch {
	case !r.asked.IsZero():
		sooner(r.asked.Add(limits.Total))
	case !r.again.IsZero():
		sooner(r.again)
	}
	return due
}

// overdue does what is due: it gives a frame up, tells the trouble, or asks.
func (r *reader[T]) overdue(ctx context.Context) error {
	now, limits := time.Now(), r.profile.Limits
	if r.decoder.Pending() && (now.Sub(r.last) >= limits.InterByte || now.Sub(r.began) >= limits.Total) {
		r.judge(r.decoder.Expire())
		r.began = now
		return nil
	}
	switch {
	case r.trouble != nil:
		return r.trouble
	case !r.asked.IsZero():
		return &devices.Fault{Kind: devices.Timeout, Err: errSilent}
	}
	r.asked = now
	return r.send(ctx, "read")
}

// listen reads what comes until a moment; zero for none. Nothing without an
// error is that the moment came.
func (r *reader[T]) listen(ctx context.Context, until time.Time) (int, error) {
	within, cancel := ctx, context.CancelFunc(func() {})
	if !until.IsZero() {
		within, cancel = context.WithDeadline(ctx, until)
	}
	defer cancel()
	n, err := r.port.Read(within, r.buffer)
	switch {
	case n > 0:
		return n, nil
	case err == nil:
		return 0, errNothing
	case ctx.Err() == nil && within.Err() != nil && devices.KindOf(err) == devices.Cancelled:
		return 0, nil
	}
	return 0, err
}

// feed takes what was read.
func (r *reader[T]) feed(n int) {
	if n == 0 {
		return
	}
	waiting := r.decoder.Pending()
	frames := r.decoder.Feed(r.buffer[:n])
	clear(r.buffer[:n]) // it may be a person's
	r.last = time.Now()
	if !waiting || len(frames) > 0 {
		r.began = r.last
	}
	r.judge(frames)
}

// judge sorts frames: readings into the queue, the others into counters. A frame
// that was none is told, unless a reading comes right behind it.
func (r *reader[T]) judge(frames []framing.Frame) {
	for _, f := range frames {
		if e, wrong := f.(framing.Error); wrong {
			r.wrong(e)
			continue
		}
		reading, content, err := r.accept(f)
		switch {
		case err != nil:
			r.fail(devices.Protocol, err)
		case content == nil:
			r.Count(notices, 1)
		case r.repeated(content):
		case len(r.queue) == maxQueued:
			r.Count(dropped, 1)
		default:
			r.queue, r.trouble = append(r.queue, reading), nil
		}
	}
}

// repeated tells whether a reader that has to be asked says again what lies
// there. It notes the answer.
func (r *reader[T]) repeated(content []byte) bool {
	if !r.polls() {
		r.asked = time.Time{}
		return false
	}
	before := r.lying
	r.lying = maphash.Bytes(r.seed, content)
	r.answered()
	return r.lying == before
}

// answered notes that a question was answered.
func (r *reader[T]) answered() {
	r.asked = time.Time{}
	if r.polls() {
		r.again = time.Now().Add(pollPause)
	}
}

// wrong deals with what came and is no frame.
func (r *reader[T]) wrong(e framing.Error) {
	switch e.Code {
	case framing.NoDocument:
		r.lying = 0
		r.answered()
	case framing.FrameRestart, framing.UnknownReport, framing.Empty:
		r.Count(notices, 1)
	case framing.TimeoutPartial:
		r.fail(devices.Timeout, e)
	default:
		r.fail(devices.Protocol, e)
	}
}

// fail notes a trouble; the first one is told.
func (r *reader[T]) fail(kind devices.Kind, err error) {
	r.Count(failures, 1)
	r.answered()
	if r.trouble == nil {
		r.trouble, r.failed = &devices.Fault{Kind: kind, Err: err}, time.Now()
	}
}

// Close ends a reading that waits and lets go of the reader. It may be called
// twice.
func (r *reader[T]) Close() error {
	if !r.Leave() {
		return nil
	}
	r.part(context.Background(), "close")
	return r.port.Close()
}

// MRZ reads machine-readable zones over a port.
type MRZ struct{ *reader[devices.MRZ] }

// NewMRZ prepares a reader of zones.
func NewMRZ(ctx context.Context, cfg Config) (*MRZ, error) {
	r, err := newReader[devices.MRZ](ctx, cfg)
	if err != nil {
		return nil, err
	}
	r.accept = zone
	return &MRZ{r}, nil
}

// ReadMRZ waits for the next document. What was laid there while nobody read is
// read too if that was within three seconds.
func (r *MRZ) ReadMRZ(ctx context.Context) (devices.MRZ, error) {
	return r.next(ctx, readingZone)
}

// zone is the reading in a frame; without content it is none.
func zone(f framing.Frame) (devices.MRZ, []byte, error) {
	z, is := f.(framing.MRZ)
	if !is {
		return devices.MRZ{}, nil, nil
	}
	if len(z.Lines) == 0 || len(z.Lines) > maxLines {
		return devices.MRZ{}, nil, errLines
	}
	for _, l := range z.Lines {
		if len(l) > maxLine {
			return devices.MRZ{}, nil, errLines
		}
	}
	return devices.MRZ{Lines: z.Lines, Raw: z.Raw}, []byte(strings.Join(z.Lines, "\n")), nil
}

// Barcode reads symbols over a port.
type Barcode struct{ *reader[devices.Symbol] }

// NewBarcode prepares a reader of barcodes.
func NewBarcode(ctx context.Context, cfg Config) (*Barcode, error) {
	r, err := newReader[devices.Symbol](ctx, cfg)
	if err != nil {
		return nil, err
	}
	r.accept = symbol
	return &Barcode{r}, nil
}

// ReadBarcode waits for the next symbol. What was held there while nobody read is
// read too if that was within three seconds.
func (r *Barcode) ReadBarcode(ctx context.Context) (devices.Symbol, error) {
	return r.next(ctx, readingCode)
}

// symbol is the reading in a frame; without content it is none.
func symbol(f framing.Frame) (devices.Symbol, []byte, error) {
	b, is := f.(framing.Barcode)
	if !is || len(b.Bytes) == 0 {
		return devices.Symbol{}, nil, nil
	}
	return devices.Symbol{Symbology: symbology(b.AIM), Bytes: b.Bytes}, b.Bytes, nil
}

// symbology names the symbology of an AIM identifier (ISO/IEC 15424 annex A):
// the identifier itself where it is a rarer one, "" where the reader tells none.
func symbology(aim string) string {
	if len(aim) < 2 {
		return ""
	}
	name, known := map[byte]string{
		'A': "Code39", 'C': "Code128", 'E': "EAN", 'F': "Codabar", 'G': "Code93", 'I': "ITF", 'L': "PDF417",
		'Q': "QR", 'd': "DataMatrix", 'e': "GS1DataBar", 'z': "Aztec",
	}[aim[1]]
	if !known {
		return aim
	}
	return name
}
