package sm

import (
	"encoding/binary"
	"errors"
)

// Command is a command APDU (ISO 7816-4 §5.1) before it is written.
type Command struct {
	CLA, INS, P1, P2 byte
	Data             []byte
	Ne               int // most bytes that are wanted back; 0 for none, up to 65536
}

// Bounds of the two lengths of a command.
const (
	maxShortData = 255
	maxShortNe   = 256
	maxData      = 65535
	MaxNe        = 65536
)

// errTooLong is why a command is not written.
var errTooLong = errors.New("the command is too long")

// short reports whether the command fits the short form.
func (c Command) short() bool { return len(c.Data) <= maxShortData && c.Ne <= maxShortNe }

// Bytes writes the command: in the short form where it fits, else in the
// extended one.
func (c Command) Bytes() ([]byte, error) {
	if len(c.Data) > maxData || c.Ne > MaxNe || c.Ne < 0 {
		return nil, errTooLong
	}
	b := []byte{c.CLA, c.INS, c.P1, c.P2}
	if c.short() {
		if len(c.Data) > 0 {
			b = append(append(b, byte(len(c.Data))), c.Data...)
		}
		if c.Ne > 0 {
			b = append(b, byte(c.Ne)) // 256 is written as 00
		}
		return b, nil
	}
	b = append(b, 0)
	if len(c.Data) > 0 {
		b = append(binary.BigEndian.AppendUint16(b, uint16(len(c.Data))), c.Data...)
	}
	if c.Ne > 0 {
		b = binary.BigEndian.AppendUint16(b, uint16(c.Ne)) // 65536 is written as 0000
	}
	return b, nil
}

// ParseCommand reads a command APDU, in either form.
func ParseCommand(b []byte) (Command, error) {
	if len(b) < 4 {
		return Command{}, ErrProtocol
	}
	c := Command{CLA: b[0], INS: b[1], P1: b[2], P2: b[3]}
	body := b[4:]
	switch {
	case len(body) == 0:
		return c, nil
	case body[0] == 0 && len(body) >= 3:
		return extended(c, body[1:])
	case len(body) == 1:
		c.Ne = int(body[0]-1) + 1 // 00 is 256
		return c, nil
	}
	n := int(body[0])
	if len(body) != 1+n && len(body) != 2+n || n == 0 {
		return Command{}, ErrProtocol
	}
	c.Data = body[1 : 1+n]
	if len(body) == 2+n {
		c.Ne = int(body[1+n]-1) + 1
	}
	return c, nil
}

// extended reads the body of a command in the extended form, after its zero.
func extended(c Command, body []byte) (Command, error) {
	n := int(binary.BigEndian.Uint16(body))
	if len(body) == 2 {
		c.Ne = (n+MaxNe-1)%MaxNe + 1 // 0000 is 65536
		return c, nil
	}
	if n == 0 || len(body) != 2+n && len(body) != 4+n {
		return Command{}, ErrProtocol
	}
	c.Data = body[2 : 2+n]
	if len(body) == 4+n {
		c.Ne = (int(binary.BigEndian.Uint16(body[2+n:]))+MaxNe-1)%MaxNe + 1
	}
	return c, nil
}

// ParseResponse splits a response into its data and its status words.
func ParseResponse(b []byte) (data []byte, s Status, err error) {
	if len(b) < 2 || len(b) > MaxNe+2 {
		return nil, 0, ErrProtocol
	}
	return b[:len(b)-2], Status(binary.BigEndian.Uint16(b[len(b)-2:])), nil
}
