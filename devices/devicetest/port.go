package devicetest

import (
	"bytes"
	"context"
	"errors"
	"testing"
	"time"

	"github.com/counterproof/counterproof/devices"
)

// PortRig is an open port, with hands on the device at its other end. A hand is
// nil where nobody can do it by program; the checks that need it skip.
type PortRig struct {
	Port devices.Port
	// Send lets the device send all of b: one report, or bytes of a stream.
	Send func(b []byte) error
	// Take gives what the device is sent next: one report, or as many bytes of a
	// stream as are there, up to most. It waits until ctx ends.
	Take func(ctx context.Context, most int) ([]byte, error)
	// Unplug pulls the device out.
	Unplug func()
	// Report is the size of each report, where a Read gives one and a Write
	// takes one. 0 is a stream of bytes.
	Report int
	// Number stands before a report that is written, and does not reach the
	// device: 0 for HID devices without report numbers.
	Number []byte
	// Large is how many bytes the check of a large write sends; 0 is 64 KiB. A
	// real line of 9600 baud needs a smaller one.
	Large int
}

// RunPort holds a port to the contract of devices.Port. It opens one for each
// check, and should not run beside other tests of the same port: it counts the
// goroutines that a port leaves behind. The rig's Port is closed by the suite.
func RunPort(t *testing.T, in Time, open func(testing.TB) PortRig) {
	t.Helper()
	run(t, in, open, portChecks)
}

var portChecks = []check[PortRig]{
	{"reads-what-is-sent", portReads},
	{"read-waits", portReadWaits},
	{"small-buffer-loses-nothing", portSmallBuffer},
	{"no-buffer-is-refused", portNoBuffer},
	{"ended-context-does-nothing", portEnded},
	{"read-ends-with-context", portReadEnds},
	{"short-waits-lose-nothing", portShortWaits},
	{"writes-arrive-in-order", portWrites},
	{"empty-write-is-nothing", portEmptyWrite},
	{"large-write-arrives-whole", portLargeWrite},
	{"write-ends-with-context", portWriteEnds},
	{"written-bytes-are-the-callers", portWriteKeeps},
	{"both-ways-at-once", portBothWays},
	{"flush-forgets-what-came", portFlush},
	{"flush-keeps-what-was-written", portFlushKeeps},
	{"close-ends-a-read", portCloseEnds},
	{"closed-is-gone", portClosed},
	{"close-beside-read", portCloseBeside},
	{"leaves-no-goroutine", portLeavesNone},
	{"unplugged-ends-a-read", portUnpluggedRead},
	{"stays-gone", portStaysGone},
}

// settle is how long a byte may take through a kernel to the port.
const settle = 200 * time.Millisecond

// message is something to send, different for each n.
func (rig PortRig) message(n int) []byte {
	size := rig.Report
	if size == 0 {
		size = 93 // a reader's answer: three bytes and two lines
	}
	b := make([]byte, size)
	for i := range b {
		b[i] = byte('A' + (i*7+n)%26)
	}
	return b
}

// send lets the device send, or skips.
func (rig PortRig) send(tb testing.TB, b []byte) {
	tb.Helper()
	if rig.Send == nil {
		tb.Skip("SKIPPED: nobody can let this device send by program")
	}
	if err := within(tb, patience, "sending", func() error { return rig.Send(b) }); err != nil {
		tb.Fatalf("the device could not send: %v", err)
	}
}

// Answers that no Read may give.
var (
	errRead     = errors.New("it read something")
	errNothing  = errors.New("it read 0 bytes and gave no error")
	errTooMuch  = errors.New("it read more than there was room for")
	errAndBytes = errors.New("it read bytes and gave an error too")
)

// once reads once and holds the answer to what every Read must keep to.
func (rig PortRig) once(ctx context.Context, tb testing.TB, p []byte) (int, error) {
	n, err := rig.Port.Read(ctx, p)
	wrong := error(nil)
	switch {
	case n < 0 || n > len(p):
		n, wrong = 0, errTooMuch
	case n == 0 && err == nil:
		wrong = errNothing
	case n > 0 && err != nil:
		wrong = errAndBytes
	}
	if wrong != nil {
		tb.Errorf("a Read: %v", wrong)
		err = wrong
	}
	return n, err
}

// read reads until it has as many bytes as want and compares them.
func (rig PortRig) read(ctx context.Context, tb testing.TB, want []byte, buffer int) {
	tb.Helper()
	var got []byte
	err := within(tb, patience, "reading", func() error {
		p := make([]byte, buffer)
		for len(got) < len(want) {
			n, err := rig.once(ctx, tb, p)
			got = append(got, p[:n]...)
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil || !bytes.Equal(got, want) {
		tb.Errorf("read %d bytes and %v, want the %d that were sent", len(got), err, len(want))
	}
}

// next reads what the device sent, into a buffer with room to spare.
func (rig PortRig) next(tb testing.TB, want []byte) {
	tb.Helper()
	rig.read(tb.Context(), tb, want, 2*len(want)+64)
}

// write writes one message in time.
func (rig PortRig) write(ctx context.Context, tb testing.TB, b []byte) error {
	tb.Helper()
	return within(tb, patience, "writing", func() error { return rig.Port.Write(ctx, rig.numbered(b)) })
}

// numbered is a report as it is written.
func (rig PortRig) numbered(b []byte) []byte { return append(bytes.Clone(rig.Number), b...) }

// take waits until the device has as many bytes as want and compares them.
func (rig PortRig) take(tb testing.TB, want []byte) {
	tb.Helper()
	got, err := rig.taken(tb, len(want))
	if err != nil || !bytes.Equal(got, want) {
		tb.Errorf("the device was sent %d bytes and %v, want the %d that were written", len(got), err, len(want))
	}
}

func (rig PortRig) taken(tb testing.TB, n int) (got []byte, err error) {
	tb.Helper()
	ctx, cancel := context.WithTimeout(tb.Context(), patience)
	defer cancel()
	err = within(tb, patience+promptly, "taking", func() error {
		for len(got) < n {
			b, err := rig.Take(ctx, n-len(got))
			if err != nil {
				return err
			}
			got = append(got, b...)
		}
		return nil
	})
	return got, err
}

// taking skips where nobody can see what the device was sent.
func (rig PortRig) taking(tb testing.TB) {
	tb.Helper()
	if rig.Take == nil {
		tb.Skip("SKIPPED: nobody can see by program what this device is sent")
	}
}

// reading reads in the background; what it gives comes when it has ended.
func (rig PortRig) reading(ctx context.Context, tb testing.TB) <-chan error {
	ended := make(chan error, 1)
	go func() {
		n, err := rig.Port.Read(ctx, make([]byte, max(rig.Report, 64)))
		if n > 0 {
			err = errors.Join(err, errRead)
		}
		ended <- err
	}()
	wait(tb, settle)
	return ended
}

// close closes in time.
func (rig PortRig) close(tb testing.TB) {
	tb.Helper()
	if err := within(tb, promptly, "closing", rig.Port.Close); err != nil {
		tb.Errorf("closing: %v", err)
	}
}

// opened runs a check and closes the port after it.
func (rig PortRig) opened(tb testing.TB) {
	tb.Cleanup(func() { _ = rig.Port.Close() })
}

func portReads(tb testing.TB, rig PortRig) {
	rig.opened(tb)
	for n := range 3 {
		rig.send(tb, rig.message(n))
		rig.next(tb, rig.message(n))
	}
	rig.send(tb, rig.message(3)) // two at once: no byte is lost or moved
	rig.send(tb, rig.message(4))
	rig.next(tb, append(rig.message(3), rig.message(4)...))
}

func portReadWaits(tb testing.TB, rig PortRig) {
	rig.opened(tb)
	ended := rig.reading(tb.Context(), tb)
	wait(tb, promptly) // longer than any time-out of a library below
	select {
	case err := <-ended:
		tb.Errorf("a Read ended with %v before anything was sent", err)
		return
	default:
	}
	rig.send(tb, rig.message(0))
	if err := within(tb, patience, "reading", func() error { return <-ended }); !errors.Is(err, errRead) {
		tb.Errorf("a Read that waited gave %v, want what was sent", err)
	}
}

func portSmallBuffer(tb testing.TB, rig PortRig) {
	rig.opened(tb)
	rig.send(tb, rig.message(0))
	if rig.Report == 0 {
		rig.read(tb.Context(), tb, rig.message(0), 1)
		return
	}
	err := within(tb, patience, "reading", func() error {
		_, err := rig.once(tb.Context(), tb, make([]byte, rig.Report-1))
		return err
	})
	wantKind(tb, "a report that does not fit", err, devices.Protocol)
	rig.send(tb, rig.message(1))
	rig.next(tb, rig.message(1)) // not the rest of the other
}

func portNoBuffer(tb testing.TB, rig PortRig) {
	rig.opened(tb)
	rig.send(tb, rig.message(0))
	wait(tb, settle)
	for _, p := range [][]byte{nil, {}} {
		err := within(tb, promptly, "reading into nothing", func() error {
			_, err := rig.once(tb.Context(), tb, p)
			return err
		})
		wantKind(tb, "reading into nothing", err, devices.Unsupported)
	}
	rig.next(tb, rig.message(0))
}
