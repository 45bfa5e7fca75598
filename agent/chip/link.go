package chip

import (
	"context"
	"errors"
	"fmt"

	"github.com/counterproof/counterproof/agent/chip/sm"
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
	secure   *sm.Secure // nil before access is granted
	long     bool       // the chip takes long commands, as far as is known
	byName   bool       // the chip does not know short identifiers
	byShort  bool       // it does
	pending  bool       // the session is one that only a genuine chip has, and nothing came of it yet
	commands int
	total    int
}

// raw sends one command as it is and takes the answer apart.
func (l *link) raw(ctx context.Context, c sm.Command) (data []byte, status sm.Status, err error) {
	wire, err := c.Bytes()
	if err != nil {
		return nil, 0, err
	}
	if l.commands++; l.commands > maxCommands {
		return nil, 0, ErrBudget
	}
	if err := ctx.Err(); err != nil {
		return nil, 0, err
	}
	answer, err := l.send(ctx, wire)
	if err != nil {
		return nil, 0, err
	}
	if l.total += len(answer); l.total > maxTotal {
		return nil, 0, ErrBudget
	}
	return sm.ParseResponse(answer)
}

// do sends a command and returns its data and status; under secure messaging
// both are authentic.
func (l *link) do(ctx context.Context, c sm.Command) ([]byte, sm.Status, error) {
	if l.secure == nil {
		return l.clear(ctx, c)
	}
	wrapped, err := l.secure.Wrap(c)
	if err != nil {
		return nil, 0, err
	}
	data, status, err := l.raw(ctx, wrapped)
	if err == nil && status&0xff00 == sm.MoreAvailable { // its end is fetched in clear
		data, status, err = l.rest(ctx, status, data)
	}
	if err != nil {
		return nil, 0, err
	}
	data, status, err = l.secure.Unwrap(append(data, byte(status>>8), byte(status)))
	if errors.Is(err, ErrAuthentic) {
		return nil, status, l.judged(status, len(wrapped.Data) >= shortPlain)
	}
	l.pending = l.pending && err != nil
	return data, status, err
}

// errTooMuch is why a chip that was opened is read again with short commands.
var errTooMuch = errors.New("the chip does not take long commands")

// judged says what an answer that is not authentic means. A chip that may have
// given up over a long command is asked short before anything is concluded, and
// nothing is where no short one can do; one that does not come to the session that
// its key makes is not the genuine one.
func (l *link) judged(status sm.Status, needed bool) error {
	switch {
	case needed && status == sm.WrongLength, l.long && (!l.pending || status == sm.WrongLength):
		return errors.Join(errTooMuch, ErrAuthentic)
	case l.pending:
		return errors.Join(ErrClone, ErrAuthentic)
	}
	return ErrAuthentic
}

// clear sends a command without protection. A chip that has more, or wants the
// length to be another, is asked again (ISO 7816-4 §5.3.4, table 6).
func (l *link) clear(ctx context.Context, c sm.Command) ([]byte, sm.Status, error) {
	data, status, err := l.raw(ctx, c)
	if err == nil && status == sm.WrongLength && l.long && c.Ne > shortPlain && len(c.Data) < shortPlain {
		l.long, c.Ne = false, shortPlain // ask short before anything else is concluded
		data, status, err = l.raw(ctx, c)
	}
	if err == nil && status&0xff00 == sm.OtherLength {
		c.Ne = low(status)
		data, status, err = l.raw(ctx, c)
	}
	if err == nil && status&0xff00 == sm.MoreAvailable {
		return l.rest(ctx, status, data)
	}
	return data, status, err
}

// low is a length in the low byte of a status, where 00 is 256.
func low(s sm.Status) int { return int(s-1)&0xff + 1 }

// rest fetches what a chip has more of and puts it behind what came before.
func (l *link) rest(ctx context.Context, status sm.Status, before []byte) ([]byte, sm.Status, error) {
	for status&0xff00 == sm.MoreAvailable {
		if len(before) >= sm.MaxNe {
			return nil, 0, ErrBudget
		}
		data, next, err := l.raw(ctx, sm.Command{INS: insGetResponse, Ne: low(status)})
		if err != nil {
			return nil, 0, err
		}
		before, status = append(before, data...), next
	}
	return before, status, nil
}

// must sends a command that has to end well.
func (l *link) must(ctx context.Context, op string, c sm.Command) ([]byte, error) {
	data, status, err := l.do(ctx, c)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", op, err)
	}
	if status != sm.OK {
		return nil, &Error{op, status}
	}
	return data, nil
}
