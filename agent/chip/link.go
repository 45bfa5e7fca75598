package chip

import (
	"context"
	"fmt"
)

// Bounds of a reading, beyond what any document has.
const (
	maxCommands = 2000
	maxTotal    = 4 << 20 // bytes of all answers
	maxFile     = 1 << 20
)

// link is a chip at the other end of a Transmit: it counts, bounds, and protects
// what passes once a session has begun.
type link struct {
	send     Transmit
	secure   *Secure // nil before access is granted
	long     bool    // the chip takes long commands, as far as is known
	byName   bool    // the chip does not know short identifiers
	commands int
	total    int
}

// raw sends one command as it is and takes the answer apart.
func (l *link) raw(ctx context.Context, c Command) (answer []byte, err error) {
	wire, err := c.Bytes()
	if err != nil {
		return nil, err
	}
	if l.commands++; l.commands > maxCommands {
		return nil, ErrBudget
	}
	answer, err = l.send(ctx, wire)
	if l.total += len(answer); l.total > maxTotal && err == nil {
		return nil, ErrBudget
	}
	return answer, err
}

// do sends a command and returns its data and status; under secure messaging
// both are authentic.
func (l *link) do(ctx context.Context, c Command) ([]byte, Status, error) {
	if l.secure == nil {
		return l.clear(ctx, c)
	}
	wrapped, err := l.secure.Wrap(c)
	if err != nil {
		return nil, 0, err
	}
	answer, err := l.raw(ctx, wrapped)
	if err != nil {
		return nil, 0, err
	}
	return l.secure.Unwrap(answer)
}

// clear sends a command without protection. A chip that has more, or wants the
// length to be another, is asked again (ISO 7816-4 §5.3.4, table 6).
func (l *link) clear(ctx context.Context, c Command) ([]byte, Status, error) {
	answer, err := l.raw(ctx, c)
	if err != nil {
		return nil, 0, err
	}
	data, status, err := parseResponse(answer)
	if err != nil {
		return nil, 0, err
	}
	n := int(status&0xff-1)&0xff + 1 // 00 is 256
	switch status >> 8 {
	case otherLength:
		c.Ne = n
		return l.once(ctx, c, nil)
	case moreAvailable:
		return l.once(ctx, Command{CLA: c.CLA, INS: 0xc0, Ne: n}, data)
	}
	return data, status, nil
}

// once sends a command that another one led to, and puts its data behind what
// came before. It leads to no third.
func (l *link) once(ctx context.Context, c Command, before []byte) ([]byte, Status, error) {
	answer, err := l.raw(ctx, c)
	if err != nil {
		return nil, 0, err
	}
	data, status, err := parseResponse(answer)
	if err == nil && status>>8 == moreAvailable && len(before) < maxNe {
		n := int(status&0xff-1)&0xff + 1
		return l.once(ctx, Command{CLA: c.CLA, INS: 0xc0, Ne: n}, append(before, data...))
	}
	return append(before, data...), status, err
}

// must sends a command that has to end well.
func (l *link) must(ctx context.Context, op string, c Command) ([]byte, error) {
	data, status, err := l.do(ctx, c)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", op, err)
	}
	if status != OK {
		return nil, &Error{op, status}
	}
	return data, nil
}
