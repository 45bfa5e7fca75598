package pcsc

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/counterproof/counterproof/devices"
)

const (
	// room is for the longest response: 65,536 bytes, two status words, and what
	// the service adds.
	room = 65_556
	// The bounds of a command: its header, and 65,535 bytes with both lengths in
	// the extended form.
	minCommand, maxCommand = 4, 65_544
	statusWords            = 2

	// again is how often a document is tried that lies there and is not to be had
	// yet: it is being laid down, or another program looks at it.
	again = 250 * time.Millisecond
	// looks is how long other programs may look at a document that was just laid
	// down; several do so at each.
	looks = time.Second
	// rest is how long a wait for a document is without looking again.
	rest = 5 * time.Second
	// fading is how long the service may take to notice that a document was taken
	// away in the middle of a command; it looks each 0.4 s.
	fading = 900 * time.Millisecond
	// unseen is how long a document may be missing before its absence is doubted.
	unseen = 500 * time.Millisecond
	// grace is how long a call may take to end after its context has.
	grace = 500 * time.Millisecond
)

// Reader is one reader that is there. Its methods may be called from any
// goroutine; one at a time is served.
type Reader struct {
	lib  library
	id   devices.ID
	name string
	life context.Context // until Close
	end  context.CancelFunc

	mu   sync.Mutex
	used bool
	talk *talk         // nil without a conversation
	last state         // of the reader when a document was taken last; 0 before
	left chan struct{} // closed when the call that was left has come back
	// counts are of documents that were taken, commands that were answered and
	// conversations that were cut off.
	counts map[string]int
}

// talk is one conversation with a chip.
type talk struct {
	session session
	card    card
	room    []byte
}

// finish lets the document go. It does nothing to no conversation.
func (t *talk) finish() {
	if t == nil {
		return
	}
	t.card.disconnect()
	t.session.release()
}

// Connect is that of devices.ChipReader.
func (r *Reader) Connect(ctx context.Context) error {
	if err := r.connect(ctx); err != nil {
		return named(r.id, err)
	}
	r.count("documents")
	return nil
}

// Transmit is that of devices.ChipReader.
func (r *Reader) Transmit(ctx context.Context, command []byte) ([]byte, error) {
	response, err := r.transmit(ctx, command)
	switch {
	case err == nil:
		r.count("commands")
		return response, nil
	case devices.KindOf(err) == devices.Gone:
		r.count("cut_off")
	}
	return nil, named(r.id, err)
}

// Disconnect is that of devices.ChipReader.
func (r *Reader) Disconnect(ctx context.Context) error {
	if err := r.disconnect(ctx); err != nil {
		return named(r.id, err)
	}
	return nil
}

// count adds one to a count.
func (r *Reader) count(name string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.counts[name]++
}

// Health is what was counted since the reader was opened.
func (r *Reader) Health() devices.Health {
	r.mu.Lock()
	defer r.mu.Unlock()
	return devices.Health{Details: maps.Clone(r.counts)}
}

func (r *Reader) connect(ctx context.Context) error {
	ctx, leave, err := r.enter(ctx, connecting)
	if err != nil {
		return err
	}
	defer leave()
	before, err := r.rested(ctx, connecting)
	if err != nil {
		return err
	}
	r.mu.Lock()
	last := r.last
	r.mu.Unlock()
	got, came := outlast(ctx, r, grace, func() sought {
		before.finish()
		return r.seek(ctx, last)
	}, func(late sought) { late.talk.finish() })
	if !came {
		return r.ended(ctx, connecting, errHangs)
	}
	if got.talk != nil {
		r.keep(got.talk)
		r.mu.Lock()
		r.last = got.state
		r.mu.Unlock()
	}
	return got.err()
}

func (r *Reader) transmit(ctx context.Context, command []byte) ([]byte, error) {
	if len(command) < minCommand || len(command) > maxCommand {
		return nil, &devices.Fault{Op: talking, Kind: devices.Unsupported, Err: errCommand}
	}
	ctx, leave, err := r.enter(ctx, talking)
	if err != nil {
		return nil, err
	}
	defer leave()
	t := r.take()
	if t == nil {
		return nil, &devices.Fault{Op: talking, Kind: devices.Gone, Err: errNoTalk}
	}
	sent := slices.Clone(command) // the caller may go before the service is done with it
	got, came := outlast(ctx, r, 0, func() said { return r.say(t, sent) }, func(said) { t.finish() })
	switch {
	case !came:
		return nil, r.ended(ctx, talking, nil)
	case got.fault != nil:
		t.finish()
		return nil, got.fault
	}
	r.keep(t)
	return got.response, nil
}

func (r *Reader) disconnect(ctx context.Context) error {
	ctx, leave, err := r.enter(ctx, parting)
	if err != nil {
		return err
	}
	defer leave()
	t := r.take()
	_, came := outlast(ctx, r, grace, func() struct{} { t.finish(); return struct{}{} }, func(struct{}) {})
	if !came {
		return r.ended(ctx, parting, errHangs)
	}
	return nil
}

// Close ends what goes on, and the conversation. It may be called twice.
func (r *Reader) Close() error {
	r.mu.Lock()
	r.end()
	t := r.talk
	r.talk = nil
	r.mu.Unlock()
	outlast(r.life, r, grace, func() struct{} { t.finish(); return struct{}{} }, func(struct{}) {})
	return nil
}

// enter makes the caller the one user until it calls leave. The context that it
// gives ends with Close, too.
func (r *Reader) enter(ctx context.Context, op string) (within context.Context, leave func(), err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.life.Err() != nil:
		return nil, nil, &devices.Fault{Op: op, Kind: devices.Gone, Err: errClosed}
	case ctx.Err() != nil:
		return nil, nil, gaveUp(ctx, op, nil)
	case r.used:
		return nil, nil, &devices.Fault{Op: op, Kind: devices.InUse, Holder: "another user of this program"}
	}
	r.used = true
	within, cancel := context.WithCancel(ctx)
	stop := context.AfterFunc(r.life, cancel)
	return within, func() {
		stop()
		cancel()
		r.mu.Lock()
		r.used = false
		r.mu.Unlock()
	}, nil
}

// take gives the conversation to the caller, who keeps or finishes it.
func (r *Reader) take() *talk {
	r.mu.Lock()
	defer r.mu.Unlock()
	t := r.talk
	r.talk = nil
	return t
}

// keep lets a conversation go on, unless the reader was closed meanwhile.
func (r *Reader) keep(t *talk) {
	r.mu.Lock()
	closed := r.life.Err() != nil
	if !closed {
		r.talk = t
	}
	r.mu.Unlock()
	if closed {
		t.finish()
	}
}

// rested waits until a call that was left has come back, and gives the
// conversation so far.
func (r *Reader) rested(ctx context.Context, op string) (*talk, error) {
	r.mu.Lock()
	left := r.left
	r.mu.Unlock()
	if left != nil {
		select {
		case <-left:
		case <-ctx.Done():
			return nil, r.ended(ctx, op, errHangs)
		}
	}
	return r.take(), nil
}

// ended is why a call ended before it was done.
func (r *Reader) ended(ctx context.Context, op string, trouble error) *devices.Fault {
	if r.life.Err() != nil {
		return &devices.Fault{Op: op, Kind: devices.Gone, Err: errClosed}
	}
	return gaveUp(ctx, op, trouble)
}

// outlast makes a call that the service may never answer. When ctx has ended and
// late has passed, the caller goes without it; tidy gets what comes afterwards.
// This is the one place of the package that starts a goroutine: there is no other
// way to leave a call into the system's library, and a reader that hangs must not
// hold the counter.
func outlast[T any](ctx context.Context, r *Reader, late time.Duration, call func() T, tidy func(T)) (got T, came bool) {
	result, gone := make(chan T), make(chan struct{})
	back := make(chan struct{})
	go func() {
		defer close(back)
		got := call()
		select {
		case result <- got:
		case <-gone:
			tidy(got)
		}
	}()
	select {
	case got = <-result:
		return got, true
	case <-ctx.Done():
	}
	timer := time.NewTimer(late)
	defer timer.Stop()
	select {
	case got = <-result:
		return got, true
	case <-timer.C:
	}
	close(gone)
	r.mu.Lock()
	r.left = back
	r.mu.Unlock()
	return got, false
}

// sought is what came of looking for a document.
type sought struct {
	talk  *talk
	state state // of the reader then
	fault *devices.Fault
}

// err is the fault as an error; without one it is nil.
func (s sought) err() error {
	if s.fault != nil {
		return s.fault
	}
	return nil
}

// seek waits until a document lies on the reader, and takes it.
func (r *Reader) seek(ctx context.Context, last state) sought {
	s, c := r.lib.establish()
	if c != success {
		return sought{fault: fault(connecting, c)}
	}
	h := hunt{session: s, at: sight{reader: r.name}, last: last}
	for next := rest; ; {
		now, c := wait(ctx, s, h.at, next)
		f := lost(now, c)
		if ctx.Err() != nil {
			f = r.ended(ctx, connecting, why(h.trouble))
		}
		if f == nil {
			if c == success {
				h.at.state = now
			}
			if t := h.try(); t != nil {
				return sought{talk: t, state: h.at.state}
			}
			f = h.hopeless()
		}
		if f != nil {
			s.release()
			return sought{fault: f}
		}
		if next = rest; !h.since.IsZero() {
			next = again
		}
	}
}

// hunt is what is known while a document is waited for.
type hunt struct {
	session session
	at      sight
	last    state          // when a document was taken last
	since   time.Time      // something has been there and not to be had; zero if nothing is
	trouble *devices.Fault // with what lies there
}

// try takes the document, if there is one.
func (h *hunt) try() *talk {
	lies := h.at.state&presentState != 0
	if h.at.state&contactState != 0 || !lies && !h.doubtful() {
		h.since, h.trouble = time.Time{}, nil
		return nil
	}
	if h.since.IsZero() {
		h.since = time.Now()
	}
	if !lies && time.Since(h.since) < unseen {
		return nil
	}
	t, c := seize(h.session, h.at.reader, !lies)
	if c == success {
		return t
	}
	if h.trouble = nil; lies {
		h.trouble = fault(connecting, c)
	}
	return nil
}

// doubtful tells whether a reader that is said to be empty may not be. A service
// that failed to reset a document says so and goes on to look whether something
// comes; one that came back before it looked is not counted, and never will be.
func (h *hunt) doubtful() bool {
	return h.last != 0 && h.at.state>>eventCount == h.last>>eventCount
}

// hopeless is the fault that waiting does not mend.
func (h *hunt) hopeless() *devices.Fault {
	if h.trouble == nil || passing(h.trouble, h.since) {
		return nil
	}
	return h.trouble
}

// why is what is wrong with a document that lies there and does not answer.
func why(f *devices.Fault) error {
	if f == nil || f.Kind != devices.Timeout {
		return nil
	}
	return f.Err
}

// passing tells whether waiting may mend it: a document that does not answer yet,
// or that another program looks at.
func passing(f *devices.Fault, since time.Time) bool {
	switch f.Kind {
	case devices.Gone:
		return f.Err == errRemoved || f.Err == errReset
	case devices.Timeout:
		return true
	case devices.InUse:
		return time.Since(since) < looks
	}
	return false
}

// lost is the fault of a reader that is not there any more.
func lost(now state, c code) *devices.Fault {
	switch {
	case c != success && c != timedOut && c != cancelled:
		return away(fault(connecting, c))
	case c == success && now&(unknownState|unavailableState) != 0:
		return fault(connecting, readerUnavailable)
	}
	return nil
}

// away makes of a service that is missing, or that forbids what it allowed, one
// that has stopped: it was there when the conversation began, or the wait.
func away(f *devices.Fault) *devices.Fault {
	if f.Kind == devices.Missing || f.Kind == devices.Permission {
		f.Kind, f.Rule, f.Err = devices.Gone, "", errStopped
	}
	return f
}

// seize takes the card and resets it, so that nothing is left of what others said
// to it.
func seize(s session, reader string, direct bool) (*talk, code) {
	held, c := s.connect(reader, direct)
	if c != success {
		return nil, c
	}
	if c = held.reset(); c != success {
		held.disconnect()
		return nil, c
	}
	return &talk{session: s, card: held, room: make([]byte, room)}, success
}

// said is what came of a command.
type said struct {
	response []byte
	fault    *devices.Fault
}

// say sends one command. It clears what it used.
func (r *Reader) say(t *talk, command []byte) said {
	defer clear(command)
	n, c := t.card.transmit(command, t.room)
	n = min(max(n, 0), len(t.room))
	defer clear(t.room[:n])
	switch {
	case c != success:
		return said{fault: r.judged(t, away(fault(talking, c)), c.unsure())}
	case n < statusWords: // the virtual reader's driver gives nothing for a card that went
		return said{fault: r.judged(t, &devices.Fault{Op: talking, Kind: devices.Protocol, Err: errShort}, true)}
	}
	return said{response: slices.Clone(t.room[:n])}
}

// judged is why a command failed. Where a failure may be the first sign of it, a
// document or a reader that is not there any more is what is told.
func (r *Reader) judged(t *talk, f *devices.Fault, unsure bool) *devices.Fault {
	if !unsure {
		return f
	}
	at := sight{reader: r.name}
	for until := time.Now().Add(fading); ; {
		now, c := t.session.await(at, max(0, time.Until(until)))
		switch {
		case c == timedOut:
			return f
		case c != success:
			f.Kind, f.Err = devices.Gone, errReader
			return f
		case now&(unknownState|unavailableState) != 0:
			f.Kind, f.Err = devices.Gone, errReader
			return f
		case now&presentState == 0:
			f.Kind, f.Err = devices.Gone, errRemoved
			return f
		}
		at.state = now &^ changedState
	}
}
