package record

import (
	"bytes"
	"context"
	"errors"
	"io"
	"sync"
	"time"

	"github.com/counterproof/counterproof/devices"
)

// Replaying says how a recording is played.
type Replaying struct {
	// Timed waits between two events as long as it took; else what came comes at
	// once.
	Timed bool
	// Key is that of the recording, to compare what is written with what was;
	// without it only its length is compared, where the bytes were not kept.
	Key []byte
}

// Hidden stands for each byte that a recording did not keep.
const Hidden = '?'

// What is being done, for a fault.
const (
	reading  = "reading from a recording"
	writing  = "writing to a recording"
	flushing = "flushing a recording"
)

// Why a call was refused.
var (
	errClosed   = errors.New("it was closed")
	errNoBuffer = errors.New("there is no room to read into")
	errReport   = errors.New("the report is longer than the buffer")
	errOther    = errors.New("it is not what was written when it was recorded")
	errRecorded = errors.New("it failed so when it was recorded")
)

// Replay is a recording that is played, a devices.Port. What was read after
// something was written comes only after the same was written again. After its
// last event it is silent, as a device with nothing to say.
type Replay struct {
	how     Replaying
	reports bool

	mu      sync.Mutex
	changed chan struct{} // closed, and made anew, when anything changes
	events  []Event
	at      [2]int    // the next event of each way
	places  [2]uint64 // bytes that went through
	last    time.Time // when the latest event was played
	rest    []byte    // of a piece that did not fit into a buffer
	gone    error     // why, when the recording says that the device went
	closed  bool
}

// Open reads a recording and plays it.
func Open(r io.Reader, how Replaying) (*Replay, error) {
	rec, err := Parse(r)
	if err != nil {
		return nil, err
	}
	return rec.Play(how), nil
}

// Play plays a recording from its beginning.
func (r Recording) Play(how Replaying) *Replay {
	p := &Replay{
		how: how, reports: r.Header.Reports, changed: make(chan struct{}), events: r.Events,
		last: time.Now(),
	}
	p.skip(0, false)
	p.skip(0, true)
	return p
}

// skip sets the next event of a way to the first at or after i.
func (p *Replay) skip(i int, out bool) {
	for i < len(p.events) && p.events[i].Out != out {
		i++
	}
	p.at[way(out)] = i
}

// next is the next event of a way; false where there is none, or it follows what
// was not written yet.
func (p *Replay) next(out bool) (Event, bool) {
	i := p.at[way(out)]
	if i >= len(p.events) || !out && p.at[1] < i {
		return Event{}, false
	}
	return p.events[i], true
}

// played moves on, under the lock.
func (p *Replay) played(out bool) {
	i := p.at[way(out)]
	p.places[way(out)] += uint64(p.events[i].Len)
	p.last = time.Now()
	p.skip(i+1, out)
	p.wake()
}

// wake lets whoever waits look again, under the lock.
func (p *Replay) wake() {
	close(p.changed)
	p.changed = make(chan struct{})
}

// wait is how long the event is still to come. Its time counts from the event
// above it, whenever that was played: a slow caller does not get all at once.
func (p *Replay) wait(out bool) time.Duration {
	i := p.at[way(out)]
	if !p.how.Timed || i >= len(p.events) {
		return 0
	}
	before := time.Duration(0)
	if i > 0 {
		before = p.events[i-1].At
	}
	return time.Until(p.last.Add(p.events[i].At - before))
}

// fault makes a fault; which device it was stands in the header.
func fault(op string, kind devices.Kind, err error) error {
	return &devices.Fault{Op: op, Kind: kind, Err: err}
}

// well is nil while the port can be used, under the lock.
func (p *Replay) well(ctx context.Context, op string) error {
	switch {
	case p.closed:
		return fault(op, devices.Gone, errClosed)
	case p.gone != nil:
		return fault(op, devices.Gone, p.gone)
	case ctx.Err() != nil:
		return fault(op, devices.Cancelled, context.Cause(ctx))
	}
	return nil
}

// Read gives what was read, in the pieces in which it came, or fails as it failed.
// Where the bytes were not kept it gives as many of Hidden.
func (p *Replay) Read(ctx context.Context, b []byte) (int, error) {
	if len(b) == 0 {
		return 0, fault(reading, devices.Unsupported, errNoBuffer)
	}
	for {
		n, changed, wait, err := p.take(ctx, b)
		if n > 0 || err != nil {
			return n, err
		}
		pause(ctx, changed, wait)
	}
}

// take takes what has come; else it tells what to wait for.
func (p *Replay) take(ctx context.Context, b []byte) (n int, changed <-chan struct{}, wait time.Duration, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.well(ctx, reading); err != nil {
		return 0, nil, 0, err
	}
	if len(p.rest) == 0 {
		e, ok := p.next(false)
		if wait = p.wait(false); !ok || wait > 0 {
			return 0, p.changed, wait, nil
		}
		p.played(false)
		if e.Fault != devices.KindNone {
			return 0, nil, 0, p.failed(reading, e.Fault)
		}
		p.rest = e.content()
	}
	if p.reports && len(p.rest) > len(b) {
		p.rest = nil
		return 0, nil, 0, fault(reading, devices.Protocol, errReport)
	}
	n = copy(b, p.rest)
	p.rest = p.rest[n:]
	return n, nil, 0, nil
}

// pause waits for a change, for the time of the next event, or for the end.
func pause(ctx context.Context, changed <-chan struct{}, wait time.Duration) {
	var due <-chan time.Time
	if wait > 0 {
		t := time.NewTimer(wait)
		defer t.Stop()
		due = t.C
	}
	select {
	case <-changed:
	case <-due:
	case <-ctx.Done():
	}
}

// content is what an event brings.
func (e Event) content() []byte {
	if e.Bytes == nil {
		return bytes.Repeat([]byte{Hidden}, e.Len)
	}
	return bytes.Clone(e.Bytes)
}

// failed fails as it was recorded, under the lock.
func (p *Replay) failed(op string, kind devices.Kind) error {
	if kind == devices.Gone {
		p.gone = errRecorded
		p.wake()
	}
	return fault(op, kind, errRecorded)
}

// Write compares b with what was written. Another command, or one after the last,
// is a Fault of Kind Protocol.
func (p *Replay) Write(ctx context.Context, b []byte) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.well(ctx, writing); err != nil {
		return err
	}
	for len(b) > 0 {
		e, ok := p.next(true)
		if !ok || e.Fault == devices.KindNone && !p.same(e, b) {
			return fault(writing, devices.Protocol, errOther)
		}
		p.played(true)
		if e.Fault != devices.KindNone {
			return p.failed(writing, e.Fault)
		}
		b = b[e.Len:]
	}
	// How it failed stands after what was written.
	if e, ok := p.next(true); ok && e.Fault != devices.KindNone {
		p.played(true)
		return p.failed(writing, e.Fault)
	}
	return nil
}

// same tells whether b begins with what was written.
func (p *Replay) same(e Event, b []byte) bool {
	switch {
	case len(b) < e.Len:
		return false
	case e.Bytes != nil:
		return bytes.Equal(b[:e.Len], e.Bytes)
	case p.how.Key != nil:
		return digest(p.how.Key, true, p.places[1], b[:e.Len]) == e.Hash
	}
	return true
}

// Flush forgets what came and was not read. What a device sent before it was
// flushed is in no recording.
func (p *Replay) Flush() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.well(context.Background(), flushing); err != nil {
		return err
	}
	p.rest = nil
	return nil
}

// Close ends a Read that waits.
func (p *Replay) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.closed {
		p.closed, p.rest = true, nil
		p.wake()
	}
	return nil
}
