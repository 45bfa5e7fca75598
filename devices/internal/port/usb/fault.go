package usb

import (
	"context"
	"errors"
	"regexp"
	"strings"

	"github.com/counterproof/counterproof/devices"
)

// What is being done, for a fault.
const (
	starting = "starting USB"
	listing  = "listing USB devices"
	opening  = "opening the USB device"
	reading  = "reading from the USB device"
	writing  = "writing to the USB device"
	flushing = "dropping old bytes of the USB device"
	asking   = "asking the USB device"
	closing  = "closing the USB device"
)

// Why a call was refused.
var (
	errClosed    = errors.New("it was closed")
	errUnplug    = errors.New("it was pulled out")
	errNoBuffer  = errors.New("there is no room to read into")
	errOneWay    = errors.New("the interface does not go that way")
	errBusy      = errors.New("another call is under way")
	errTooLong   = errors.New("a control transfer carries up to 4096 bytes")
	errAbsent    = errors.New("nothing is plugged in there")
	errInterface = errors.New("it has no such interface with a bulk or interrupt endpoint")
	errTaken     = errors.New("this program has it open")
	errSense     = errors.New("its descriptors make no sense")
)

// trouble is why libusb failed: its number of an error (enum libusb_error).
type trouble int

const (
	troubleNone        trouble = 0
	troubleIO          trouble = -1
	troubleParameter   trouble = -2
	troubleAccess      trouble = -3
	troubleNoDevice    trouble = -4
	troubleNotFound    trouble = -5
	troubleBusy        trouble = -6
	troubleTimeout     trouble = -7
	troubleOverflow    trouble = -8
	troubleStall       trouble = -9
	troubleInterrupted trouble = -10
	troubleUnsupported trouble = -12
	troubleOther       trouble = -99
	troubleCancelled   trouble = 1 // a transfer that was taken back
)

// code is how gousb ends the text of an error, also where it wraps one by its
// text alone.
var code = regexp.MustCompile(`\[code (-?[0-9]{1,2})\]`)

// transfers are the texts of the states in which a transfer ends (enum
// libusb_transfer_status), which have no number.
var transfers = []struct {
	text string
	trouble
}{
	{"transfer failed", troubleIO},
	{"transfer timed out", troubleTimeout},
	{"transfer was cancelled", troubleCancelled},
	{"halt condition detected", troubleStall},
	{"device was disconnected", troubleNoDevice},
	{"device sent more data than requested", troubleOverflow},
}

// troubleOf reads an error of gousb. This is the one place that knows its texts:
// gousb keeps its numbers in an error only where it does not wrap it, so the text
// is what all of them have.
func troubleOf(err error) trouble {
	if err == nil {
		return troubleNone
	}
	text := err.Error()
	if m := code.FindAllStringSubmatch(text, -1); len(m) > 0 {
		n := 0
		for _, digit := range strings.TrimPrefix(m[len(m)-1][1], "-") { // the innermost
			n = 10*n + int(digit-'0')
		}
		return trouble(-n)
	}
	for _, t := range transfers {
		if strings.Contains(text, t.text) {
			return t.trouble
		}
	}
	return troubleOther
}

// kind says what a trouble is for the one who called. Whether the device is
// still there is asked besides.
func (t trouble) kind() devices.Kind {
	switch t {
	case troubleNone:
		return devices.KindNone
	case troubleAccess:
		return devices.Permission
	case troubleNoDevice, troubleNotFound:
		return devices.Gone
	case troubleBusy:
		return devices.InUse
	case troubleTimeout:
		return devices.Timeout
	case troubleUnsupported:
		return devices.Unsupported
	case troubleCancelled:
		return devices.Cancelled
	}
	return devices.Protocol
}

// unsure tells whether a trouble may be the first sign of an unplugging, a
// moment before the kernel knows.
func (t trouble) unsure() bool {
	return t == troubleIO || t == troubleInterrupted || t == troubleOther || t == troubleParameter
}

// fault makes a fault; whoever opened the port knows the device's ID and adds it.
func fault(op string, kind devices.Kind, err error) error {
	return &devices.Fault{Op: op, Kind: kind, Err: err}
}

// cancelled is a fault where ctx has ended.
func cancelled(ctx context.Context, op string) error {
	if ctx.Err() == nil {
		return nil
	}
	return fault(op, devices.Cancelled, context.Cause(ctx))
}
