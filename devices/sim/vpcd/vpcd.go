// Package vpcd lays cards made of software on a virtual reader of the real
// smart-card service: it speaks for the card with vsmartcard's driver vpcd, which
// waits for it on a TCP port. So everything between the counter and a chip can be
// tried, but for the reader itself.
//
// It keeps nothing that was said, never starts a goroutine and connects to
// nothing but the address that it is given.
//
// # The laws
//
//   - A card lies there from Insert's call to the end of its ctx, or until the
//     card itself says that it was taken away.
//   - Power and reset begin the chip anew; nothing is left of what was said before.
//   - A card may take its time to answer; one that answers nothing is a card, too.
//
// # The protocol
//
// Each message is its length in two bytes, most significant first, and a body. From
// the reader a body of one byte is an order: 00 power off, 01 power on, 02 reset, 04
// give the answer to reset; only the last is answered. A longer body is a command,
// answered by its response (vsmartcard, vpcd.c). The service asks for the answer to
// reset each 0.4 s to see whether the card is there.
package vpcd

import (
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/counterproof/counterproof/devices/sim"
)

// Config says which card is laid where.
type Config struct {
	// Address is where the driver waits: its port is 35963 for the first reader,
	// and one more for each after it.
	Address string
	// Chip powers the chip of the card up.
	Chip sim.Chip
	// ATR is its answer to reset; that of a contactless card without historical
	// bytes (PC/SC Part 3 §3.1.3.2) unless set.
	ATR []byte
}

// ErrRemoved is what a card answers that is taken away in the middle of a command.
var ErrRemoved = errors.New("the card was taken away")

// The orders of the reader.
const (
	powerOff = 0
	powerOn  = 1
	reset    = 2
	giveATR  = 4
)

// patience bounds connecting to the driver, and writing to it.
const patience = 5 * time.Second

// contactless is the answer to reset that a reader makes for a contactless card.
func contactless() []byte { return []byte{0x3b, 0x80, 0x80, 0x01, 0x01} }

// Insert lays a card on the reader and plays it until ctx ends or the card was
// taken away, which is nil. The service sees it within 0.4 s, and as long after its
// end that it is gone. inserted, if set, is called when it lies there.
func Insert(ctx context.Context, cfg Config, inserted func()) error {
	within, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	conn, err := new(net.Dialer).DialContext(within, "tcp", cfg.Address)
	if err != nil {
		return fmt.Errorf("laying a card on the virtual reader: %w", err)
	}
	if inserted != nil {
		inserted()
	}
	return Play(ctx, conn, cfg)
}

// Play plays a card over a connection to the driver, and closes it.
func Play(ctx context.Context, conn net.Conn, cfg Config) error {
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()
	s := &stay{conn: conn, prompt: promptly(conn), chip: cfg.Chip, atr: cfg.ATR}
	if len(s.atr) == 0 {
		s.atr = contactless()
	}
	var err error
	for err == nil {
		err = s.turn(ctx)
	}
	if ctx.Err() != nil || errors.Is(err, ErrRemoved) {
		return nil
	}
	return fmt.Errorf("playing a card to the virtual reader: %w", err)
}

// stay is one stay of a card on the reader.
type stay struct {
	conn   net.Conn
	prompt func() // asks for what comes at once
	chip   sim.Chip
	card   sim.Card // nil without power
	atr    []byte
}

// turn takes one message and answers it.
func (s *stay) turn(ctx context.Context) error {
	message, err := s.read()
	if err != nil {
		return err
	}
	if len(message) > 1 {
		return s.command(ctx, message)
	}
	switch message[0] {
	case powerOff:
		s.card = nil
	case powerOn, reset:
		s.card = s.chip()
	case giveATR:
		return s.write(s.atr)
	}
	return nil
}

// command has the chip answer one command.
func (s *stay) command(ctx context.Context, command []byte) error {
	if s.card == nil {
		s.card = s.chip()
	}
	response, err := s.card(ctx, command)
	if err != nil {
		return fmt.Errorf("answering: %w", cmp.Or(ctx.Err(), errors.Join(ErrRemoved, err)))
	}
	if len(response) > maxMessage {
		response = []byte{0x67, 0x00} // wrong length: more does not go over the wire
	}
	return s.write(response)
}

// maxMessage is the longest body.
const maxMessage = 1<<16 - 1

// errEmpty is that the reader says nothing, which it never does.
var errEmpty = errors.New("an empty message")

// read takes one message. The driver sends a length and a body in two pieces, and
// the second waits for the first to be acknowledged, which a system puts off for 40
// ms unless it is told otherwise before each piece.
func (s *stay) read() ([]byte, error) {
	var size [2]byte
	s.prompt()
	if _, err := io.ReadFull(s.conn, size[:]); err != nil {
		return nil, err
	}
	body := make([]byte, binary.BigEndian.Uint16(size[:]))
	if len(body) == 0 {
		return nil, errEmpty
	}
	s.prompt()
	_, err := io.ReadFull(s.conn, body)
	return body, err
}

// write sends one message.
func (s *stay) write(body []byte) error {
	message := append(binary.BigEndian.AppendUint16(nil, uint16(len(body))), body...)
	if err := s.conn.SetWriteDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	_, err := s.conn.Write(message)
	return err
}
