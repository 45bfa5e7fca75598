package usb

import (
	"context"
	"encoding/binary"
	"errors"
	"strings"

	"github.com/counterproof/counterproof/devices"
)

// MaxID is the longest IEEE 1284 device id that is kept, in bytes.
const MaxID = 1024

// Printer is the class of printers; its interfaces understand the three requests
// of USB Printer Class 1.1 §4.2.
const Printer = 0x07

// errID is why a device id is none.
var errID = errors.New("the device id has no length")

// DeviceIDRequest asks a printer what it is: GET_DEVICE_ID (§4.2.1).
func DeviceIDRequest(i Interface) Request {
	return Request{Type: 0xa1, Request: 0, Index: uint16(i.Number&0xff)<<8 | uint16(i.Alternate&0xff)}
}

// PortStatusRequest asks a printer how it is, for one byte: GET_PORT_STATUS
// (§4.2.2).
func PortStatusRequest(i Interface) Request {
	return Request{Type: 0xa1, Request: 1, Index: uint16(i.Number)}
}

// SoftResetRequest lets a printer forget what it was sent: SOFT_RESET (§4.2.3).
func SoftResetRequest(i Interface) Request {
	return Request{Type: 0x21, Request: 2, Index: uint16(i.Number)}
}

// Status is a printer's port status (§4.2.2).
type Status byte

// PaperOut tells that the printer has no paper.
func (s Status) PaperOut() bool { return s&0x20 != 0 }

// Selected tells that the printer is on line.
func (s Status) Selected() bool { return s&0x10 != 0 }

// Failed tells that the printer has a fault of any kind.
func (s Status) Failed() bool { return s&0x08 == 0 }

// ParseDeviceID takes the answer to DeviceIDRequest: its length, which counts
// itself, high byte first, and the text (IEEE 1284-2000 §7.6). A length that is
// more than what came is not believed; the text ends at a zero byte, has only
// characters that can be shown, and at most MaxID bytes.
func ParseDeviceID(answer []byte) (string, error) {
	if len(answer) < 2 {
		return "", errID
	}
	told := int(binary.BigEndian.Uint16(answer))
	if told < 2 {
		return "", errID
	}
	text, _, _ := strings.Cut(string(answer[2:min(told, len(answer), MaxID)]), "\x00")
	return strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return -1
		}
		return r
	}, text), nil
}

// isPrinter refuses what is no printer.
func (p *Port) isPrinter() error {
	if p.iface.Class != Printer {
		return fault(asking, devices.Unsupported, errors.New("it is no printer"))
	}
	return nil
}

// DeviceID asks a printer for its IEEE 1284 id: "MFG:…;MDL:…;CMD:…;".
func (p *Port) DeviceID(ctx context.Context) (string, error) {
	if err := p.isPrinter(); err != nil {
		return "", err
	}
	answer := make([]byte, MaxID)
	n, err := p.Control(ctx, DeviceIDRequest(p.iface), answer)
	if err != nil {
		return "", err
	}
	id, err := ParseDeviceID(answer[:n])
	if err != nil {
		return "", fault(asking, devices.Protocol, err)
	}
	return id, nil
}

// Status asks a printer how it is. Some print the answer if a job is under way.
func (p *Port) Status(ctx context.Context) (Status, error) {
	if err := p.isPrinter(); err != nil {
		return 0, err
	}
	var answer [1]byte
	n, err := p.Control(ctx, PortStatusRequest(p.iface), answer[:])
	switch {
	case err != nil:
		return 0, err
	case n != 1:
		return 0, fault(asking, devices.Protocol, errors.New("the status has no byte"))
	}
	return Status(answer[0]), nil
}

// SoftReset lets a printer forget what it was sent and has not printed.
func (p *Port) SoftReset(ctx context.Context) error {
	if err := p.isPrinter(); err != nil {
		return err
	}
	_, err := p.Control(ctx, SoftResetRequest(p.iface), nil)
	return err
}
