package sim

import (
	"cmp"
	"context"
	"io"
	"slices"

	"github.com/counterproof/counterproof/devices"
)

// What is being done, for a fault.
const (
	connecting = "waiting for a document with a chip"
	talking    = "talking to the chip"
	parting    = "letting the document go"
)

// Card is a document's chip from its power-up on: one command APDU in, one
// response with its status words out (ISO 7816-4 §5). It may take its time, until
// ctx ends. An error is that the document was taken away.
type Card func(ctx context.Context, command []byte) ([]byte, error)

// Chip powers the chip of a document up: what it gives knows nothing of what was
// said before.
type Chip func() Card

// Blank powers up a chip that knows no command.
func Blank() Card {
	return func(context.Context, []byte) ([]byte, error) { return []byte{0x6d, 0x00}, nil }
}

// ChipReader is a simulated chip reader, and the hand that lays documents on it.
// Its methods may be called from any goroutine; it talks also without being opened.
type ChipReader struct {
	*socket
	talk
	chip Chip   // nil while nothing lies there
	laid uint64 // grows with each document; both under the socket's lock
	stop func() // ends the command that the chip works on
}

// talk is one user's conversation with a chip. Its fields are under the socket's
// lock.
type talk struct {
	on         *ChipReader
	user       func() *opened
	card       Card // nil while there is none
	laid, stay uint64
}

// NewChipReader makes a reader that is plugged in, with a document whose chip
// knows no command.
func NewChipReader(cfg ReaderConfig) *ChipReader {
	r := &ChipReader{socket: cfg.socket("chip reader", devices.CanReadChip), chip: Blank}
	r.talk = talk{on: r, user: r.here}
	return r
}

// Insert lays a document on the reader, in place of what lies there; nil takes
// it away. A command that a chip works on ends.
func (r *ChipReader) Insert(c Chip) {
	r.set(func() {
		r.chip = c
		r.laid++
		r.interrupt()
	})
}

// Unplug pulls the reader out, with the document on it.
func (r *ChipReader) Unplug() {
	r.socket.Unplug()
	r.set(r.interrupt)
}

// interrupt ends the command that the chip works on. It is called with the lock
// held.
func (r *ChipReader) interrupt() {
	if r.stop != nil {
		r.stop()
	}
}

func (r *ChipReader) open() (io.Closer, error) {
	o, err := r.enter()
	if err != nil {
		return nil, err
	}
	return &openChipReader{o, talk{on: r, user: func() *opened { return o }}}, nil
}

type openChipReader struct {
	*opened
	talk
}

// Close ends what goes on.
func (o *openChipReader) Close() error {
	o.set(func() {
		o.closed = true
		o.on.interrupt()
	})
	return nil
}

// take makes the caller the one user of the reader until it calls leave.
func (t *talk) take(ctx context.Context, op string) (o *opened, leave func(), err error) {
	if err := t.on.cancelled(ctx, op); err != nil {
		return nil, nil, err
	}
	o = t.user()
	leave, err = o.take(op)
	return o, leave, err
}

// Connect waits until a document lies on the reader and powers its chip up.
func (t *talk) Connect(ctx context.Context) error {
	o, leave, err := t.take(ctx, connecting)
	if err != nil {
		return err
	}
	defer leave()
	for r := t.on; ; {
		if err := r.cancelled(ctx, connecting); err != nil {
			return err
		}
		r.mu.Lock()
		changed, err := r.changed, o.well(connecting)
		lies := err == nil && r.chip != nil
		if lies {
			t.card, t.laid, t.stay = r.chip(), r.laid, o.stay
		}
		r.mu.Unlock()
		if lies || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
		case <-changed:
		}
	}
}

// goes reports whether the conversation still goes on. It is called with the lock
// held.
func (t *talk) goes() bool {
	return t.card != nil && t.laid == t.on.laid && t.stay == t.on.socket.stay
}

// Transmit asks the chip of the conversation.
func (t *talk) Transmit(ctx context.Context, command []byte) ([]byte, error) {
	o, leave, err := t.take(ctx, talking)
	if err != nil {
		return nil, err
	}
	defer leave()
	working, stop := context.WithCancel(ctx)
	defer stop()
	r := t.on
	r.mu.Lock()
	card, goes := t.card, t.goes()
	r.stop = stop
	r.mu.Unlock()
	if !goes {
		return nil, r.fault(talking, devices.Gone)
	}
	response, failed := card(working, slices.Clone(command))
	r.mu.Lock()
	defer r.mu.Unlock()
	r.stop = nil
	if err = o.well(talking); err == nil && failed == nil && t.goes() {
		return slices.Clone(response), nil
	}
	t.card = nil
	return nil, cmp.Or(err, r.cancelled(ctx, talking), error(r.fault(talking, devices.Gone)))
}

// Disconnect ends the conversation.
func (t *talk) Disconnect(ctx context.Context) error {
	_, leave, err := t.take(ctx, parting)
	if err != nil {
		return err
	}
	defer leave()
	t.on.set(func() { t.card = nil })
	return nil
}
