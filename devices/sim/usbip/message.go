package usbip

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// What the kernel may say, and what it is told; the numbers are those of the
// protocol.
const (
	cmdSubmit = 1
	cmdUnlink = 2
	retSubmit = 3
	retUnlink = 4

	headerBytes = 48
	endpoints   = 16
	maxTransfer = 1 << 20 // bytes of one transfer; the kernel's drivers ask for 64 KiB at most
	maxWaiting  = 1024    // transfers that wait on one device
	noPackets   = 0xffff_ffff
)

// Statuses of a transfer: Linux's error numbers, negated.
const (
	statusOK       = 0
	statusStall    = -32  // EPIPE
	statusNoise    = -71  // EPROTO
	statusBabble   = -75  // EOVERFLOW
	statusUnlinked = -104 // ECONNRESET
)

// Why a connection ends.
var (
	errUnplugged = errors.New("unplugged")
	errNonsense  = errors.New("the host's side sent what cannot be")
)

// message is one command of the host's side.
type message struct {
	command  uint32
	seq      uint32
	in       bool
	endpoint byte // number, without direction
	victim   uint32
	length   int // of the host's buffer
	setup    Setup
	data     []byte // that came along; lies in the bytes that were parsed
}

// address is the endpoint with its direction.
func (m message) address() byte {
	if m.in {
		return m.endpoint | 0x80
	}
	return m.endpoint
}

// parse takes one message off the front of b and returns how many bytes it had,
// or 0 where some are still to come.
func parse(b []byte) (message, int, error) {
	if len(b) < headerBytes {
		return message{}, 0, nil
	}
	be := binary.BigEndian
	m := message{command: be.Uint32(b), seq: be.Uint32(b[4:])}
	direction, endpoint := be.Uint32(b[12:]), be.Uint32(b[16:])
	switch m.command {
	case cmdUnlink: // says no endpoint: a number is enough
		m.victim = be.Uint32(b[20:])
		return m, headerBytes, nil
	case cmdSubmit:
	default:
		return message{}, 0, fmt.Errorf("command %d: %w", m.command, errNonsense)
	}
	if direction > 1 || endpoint >= endpoints {
		return message{}, 0, fmt.Errorf("endpoint %d, direction %d: %w", endpoint, direction, errNonsense)
	}
	m.in, m.endpoint = direction == 1, byte(endpoint)
	length, packets := be.Uint32(b[24:]), be.Uint32(b[32:])
	if length > maxTransfer {
		return message{}, 0, fmt.Errorf("a transfer of %d bytes: %w", length, errNonsense)
	}
	if packets != 0 && packets != noPackets {
		return message{}, 0, fmt.Errorf("%d isochronous packets on a device without: %w", packets, errNonsense)
	}
	m.length, m.setup = int(length), parseSetup(b[40:48])
	if m.in {
		return m, headerBytes, nil
	}
	if len(b) < headerBytes+m.length {
		return message{}, 0, nil
	}
	m.data = b[headerBytes : headerBytes+m.length]
	return m, headerBytes + m.length, nil
}

// parseSetup reads the eight bytes of a request, which travel as on the cable.
func parseSetup(b []byte) Setup {
	le := binary.LittleEndian
	return Setup{Type: b[0], Request: b[1], Value: le.Uint16(b[2:]), Index: le.Uint16(b[4:]), Length: le.Uint16(b[6:])}
}

// reply writes the answer to a message. What an IN transfer gave follows the
// header.
func reply(command, seq uint32, status, moved int, data []byte) []byte {
	b := make([]byte, headerBytes, headerBytes+len(data))
	be := binary.BigEndian
	be.PutUint32(b, command)
	be.PutUint32(b[4:], seq)
	be.PutUint32(b[20:], uint32(int32(status)))
	be.PutUint32(b[24:], uint32(moved))
	return append(b, data...)
}
