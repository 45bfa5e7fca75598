package pcsc

import (
	"context"
	"errors"
	"fmt"

	"github.com/counterproof/counterproof/devices"
)

// What is missing where a Fault of Kind Missing is told.
var (
	// ErrService says that the system has no smart-card service, or that it does
	// not run: on Linux the package pcscd, with the unit pcscd.socket.
	ErrService = errors.New("the smart-card service is missing")
	// ErrReader says that the service has no such reader.
	ErrReader = errors.New("there is no such chip reader")
)

// Why else a call failed.
var (
	errBuilt   = errors.New("this program was built without a way to chip readers")
	errClosed  = errors.New("it was closed")
	errNoTalk  = errors.New("there is no conversation with a chip")
	errMute    = errors.New("what lies there does not answer")
	errHangs   = errors.New("the reader has not come back from its last command")
	errRemoved = errors.New("the document was taken away")
	errReset   = errors.New("the chip was reset")
	errReader  = errors.New("the reader was pulled out")
	errStopped = errors.New("the smart-card service has stopped")
	errCommand = errors.New("it is no command of 4 to 65544 bytes")
	errShort   = errors.New("the response has no status words")
)

// rule lets the program's own user use the service, where the system asks
// polkit.
const rule = `polkit.addRule(function(action, subject) { if (action.id.indexOf("org.debian.pcsc-lite.") == 0 && ` +
	`subject.user == "counterproof") return polkit.Result.YES; }); // in /etc/polkit-1/rules.d/70-counterproof.rules`

// anyone is the holder of a reader as far as the service tells.
const anyone = "another program"

// meanings are the codes that mean something to a counter.
var meanings = map[code]struct {
	kind devices.Kind
	err  error
}{
	cancelled:         {devices.Cancelled, nil},
	systemCancelled:   {devices.Cancelled, nil},
	invalidHandle:     {devices.Gone, errStopped},
	unknownReader:     {devices.Gone, errReader},
	readerUnavailable: {devices.Gone, errReader},
	noReaders:         {devices.Gone, errReader},
	timedOut:          {devices.Timeout, nil},
	sharing:           {devices.InUse, nil},
	noCard:            {devices.Gone, errRemoved},
	removedCard:       {devices.Gone, errRemoved},
	unpowered:         {devices.Gone, errRemoved},
	resetCard:         {devices.Gone, errReset},
	unresponsive:      {devices.Timeout, errMute},
	notReady:          {devices.Timeout, errMute},
	noService:         {devices.Missing, ErrService},
	serviceStopped:    {devices.Missing, ErrService},
	noLibrary:         {devices.Missing, ErrService},
	notBuilt:          {devices.Unsupported, errBuilt},
	noAccess:          {devices.Permission, nil},
	securityViolation: {devices.Permission, nil},
}

// fault makes a Fault of a code.
func fault(op string, c code) *devices.Fault {
	m, known := meanings[c]
	if !known {
		m.kind, m.err = devices.Protocol, fmt.Errorf("the smart-card service answers %08x", uint32(c))
	}
	f := &devices.Fault{Op: op, Kind: m.kind, Err: m.err}
	switch f.Kind {
	case devices.InUse:
		f.Holder = anyone
	case devices.Permission:
		f.Rule = rule
	}
	return f
}

// named tells the device of a fault.
func named(id devices.ID, err error) error {
	f, is := errors.AsType[*devices.Fault](err)
	if !is {
		return err
	}
	known := *f
	known.Device = id
	return &known
}

// gaveUp is the fault of a call whose ctx ended. Where the deadline passed and
// something was wrong all along, that is what is told.
func gaveUp(ctx context.Context, op string, trouble error) *devices.Fault {
	f := &devices.Fault{Op: op, Kind: devices.Cancelled, Err: context.Cause(ctx)}
	if trouble != nil && errors.Is(ctx.Err(), context.DeadlineExceeded) {
		f.Kind, f.Err = devices.Timeout, trouble
	}
	return f
}

// unsure tells whether a code may be the first sign of a document that is being
// taken away, a moment before the service knows.
func (c code) unsure() bool {
	switch c {
	case commError, unknownError, notTransacted, commDataLost, timedOut, notReady, unresponsive, unpowered:
		return true
	}
	return false
}
