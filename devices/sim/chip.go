package sim

import (
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
// Its methods may be called from any goroutine.
type ChipReader struct {
	*socket
	chip Chip   // nil while nothing lies there
	laid uint64 // grows with each document; both under the socket's lock
	stop func() // ends the command that the chip works on
	own  talk   // of who uses the reader without opening it
}

// talk is one conversation with a chip, under the socket's lock.
type talk struct {
	card       Card // nil while there is none
	laid, stay uint64
}

// NewChipReader makes a reader that is plugged in, with a document whose chip
// knows no command.
func NewChipReader(cfg ReaderConfig) *ChipReader {
	return &ChipReader{socket: cfg.socket("chip reader", devices.CanReadChip), chip: Blank}
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

// Connect waits for a document, without the reader being opened.
func (r *ChipReader) Connect(ctx context.Context) error { return r.connect(ctx, r.here(), &r.own) }

// Transmit talks, without the reader being opened.
func (r *ChipReader) Transmit(ctx context.Context, command []byte) ([]byte, error) {
	return r.talk(ctx, r.here(), &r.own, command)
}

// Disconnect lets the document go, without the reader being opened.
func (r *ChipReader) Disconnect(ctx context.Context) error { return r.part(ctx, r.here(), &r.own) }

func (r *ChipReader) open() (io.Closer, error) {
	o, err := r.enter()
	if err != nil {
		return nil, err
	}
	return &openChipReader{opened: o, reader: r}, nil
}

type openChipReader struct {
	*opened
	reader *ChipReader
	own    talk
}

// Connect waits for a document.
func (o *openChipReader) Connect(ctx context.Context) error {
	return o.reader.connect(ctx, o.opened, &o.own)
}

// Transmit sends one command.
func (o *openChipReader) Transmit(ctx context.Context, command []byte) ([]byte, error) {
	return o.reader.talk(ctx, o.opened, &o.own, command)
}

// Disconnect lets the document go.
func (o *openChipReader) Disconnect(ctx context.Context) error {
	return o.reader.part(ctx, o.opened, &o.own)
}

// Close ends what goes on.
func (o *openChipReader) Close() error {
	o.set(func() {
		o.closed = true
		o.reader.interrupt()
	})
	return nil
}

// connect waits until a document lies on the reader and powers its chip up.
func (r *ChipReader) connect(ctx context.Context, o *opened, t *talk) error {
	if err := r.cancelled(ctx, connecting); err != nil {
		return err
	}
	leave, err := o.take(connecting)
	if err != nil {
		return err
	}
	defer leave()
	for {
		if err := r.cancelled(ctx, connecting); err != nil {
			return err
		}
		r.mu.Lock()
		changed, err := r.changed, o.well(connecting)
		lies := err == nil && r.chip != nil
		if lies {
			*t = talk{r.chip(), r.laid, o.stay}
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

// holds reports whether a conversation still goes on. It is called with the lock
// held.
func (r *ChipReader) holds(t *talk) bool {
	return t.card != nil && t.laid == r.laid && t.stay == r.stay
}

// talk asks the chip of the conversation.
func (r *ChipReader) talk(ctx context.Context, o *opened, t *talk, command []byte) ([]byte, error) {
	if err := r.cancelled(ctx, talking); err != nil {
		return nil, err
	}
	leave, err := o.take(talking)
	if err != nil {
		return nil, err
	}
	defer leave()
	working, stop := context.WithCancel(ctx)
	defer stop()
	r.mu.Lock()
	card, goes := t.card, r.holds(t)
	r.stop = stop
	r.mu.Unlock()
	if !goes {
		return nil, r.fault(talking, devices.Gone)
	}
	response, failed := card(working, slices.Clone(command))
	r.mu.Lock()
	defer r.mu.Unlock()
	r.stop = nil
	if err = o.well(talking); err == nil && failed == nil && r.holds(t) {
		return slices.Clone(response), nil
	}
	t.card = nil
	if err == nil {
		err = r.cancelled(ctx, talking)
	}
	if err == nil {
		err = r.fault(talking, devices.Gone)
	}
	return nil, err
}

// part ends the conversation.
func (r *ChipReader) part(ctx context.Context, o *opened, t *talk) error {
	if err := r.cancelled(ctx, parting); err != nil {
		return err
	}
	leave, err := o.take(parting)
	if err != nil {
		return err
	}
	defer leave()
	r.set(func() { t.card = nil })
	return nil
}
