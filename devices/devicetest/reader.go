package devicetest

import (
	"bytes"
	"context"
	"slices"
	"testing"
	"time"

	"github.com/counterproof/counterproof/devices"
)

// ReaderRig is a reader that works, with the hand that lays something on it: what
// readers of machine-readable zones and of barcodes have in common.
type ReaderRig struct {
	// Read reads the next thing and gives its content as bytes.
	Read func(ctx context.Context) ([]byte, error)
	// Lay lays something on the reader and gives what is to be read. Nobody can
	// lay a real document by program: then it is nil, and the checks skip.
	Lay func() []byte
	// Unplug and Plug are nil where nobody can do it by program. After Plug the
	// same Read is used.
	Unplug, Plug func()
}

// RunMRZReader holds a reader of machine-readable zones to the contract of
// devices.MRZReader. lay lays a document on it and gives its lines.
func RunMRZReader(t *testing.T, in Time, open func(testing.TB) (r devices.MRZReader, lay func() []string, rig ReaderRig)) {
	t.Helper()
	run(t, in, func(tb testing.TB) ReaderRig {
		r, lay, rig := open(tb)
		rig.Read = func(ctx context.Context) ([]byte, error) {
			zone, err := r.ReadMRZ(ctx)
			return joined(zone.Lines), err
		}
		if lay != nil {
			rig.Lay = func() []byte { return joined(lay()) }
		}
		return rig
	}, readerChecks)
}

// RunBarcodeReader holds a barcode reader to the contract of
// devices.BarcodeReader. show holds a symbol before it.
func RunBarcodeReader(t *testing.T, in Time, open func(testing.TB) (r devices.BarcodeReader, show func() devices.Symbol, rig ReaderRig)) {
	t.Helper()
	run(t, in, func(tb testing.TB) ReaderRig {
		r, show, rig := open(tb)
		rig.Read = func(ctx context.Context) ([]byte, error) {
			symbol, err := r.ReadBarcode(ctx)
			return symbolic(symbol), err
		}
		if show != nil {
			rig.Lay = func() []byte { return symbolic(show()) }
		}
		return rig
	}, readerChecks)
}

// joined is lines as bytes.
func joined(lines []string) []byte {
	var b []byte
	for _, l := range lines {
		b = append(append(b, l...), '\n')
	}
	return b
}

// symbolic is a symbol as bytes.
func symbolic(s devices.Symbol) []byte {
	if s.Symbology == "" && s.Bytes == nil {
		return nil
	}
	return slices.Concat([]byte(s.Symbology), []byte{0}, s.Bytes)
}

var readerChecks = []check[ReaderRig]{
	{"reads-what-is-laid", readsLaid},
	{"reads-in-order", readsInOrder},
	{"waits-for-something", waitsForSomething},
	{"reads-once", readsOnce},
	{"ended-context-reads-nothing", endedRead},
	{"ends-with-context", readEndsWithContext},
	{"second-user-is-refused", secondReader},
	{"unplugged-is-gone", readUnplugged},
	{"unplugged-reads-nothing", readsNothing},
	{"plugged-in-again-reads", readsAgain},
}

// read reads in time.
func (rig ReaderRig) read(tb testing.TB) ([]byte, error) {
	tb.Helper()
	var got []byte
	err := within(tb, patience, "reading", func() (err error) {
		got, err = rig.Read(tb.Context())
		return err
	})
	return got, err
}

// lay lays something, or skips.
func (rig ReaderRig) lay(tb testing.TB) []byte {
	tb.Helper()
	if rig.Lay == nil {
		tb.Skip("SKIPPED: nobody can lay anything on this reader by program")
	}
	return rig.Lay()
}

// wantRead reads what was laid.
func (rig ReaderRig) wantRead(tb testing.TB, want []byte) {
	tb.Helper()
	got, err := rig.read(tb)
	if err != nil || !bytes.Equal(got, want) || len(want) == 0 {
		tb.Errorf("read %d bytes and %v, want the %d that were laid", len(got), err, len(want))
	}
}

// ended reads with a context that ends after a while, and wants a kind.
func (rig ReaderRig) ended(tb testing.TB, what string, kinds ...devices.Kind) {
	tb.Helper()
	ctx, cancel := context.WithTimeout(tb.Context(), time.Second)
	defer cancel()
	err := within(tb, time.Second+promptly, what, func() error {
		_, err := rig.Read(ctx)
		return err
	})
	wantKind(tb, what, err, kinds...)
}

func readsLaid(tb testing.TB, rig ReaderRig) { rig.wantRead(tb, rig.lay(tb)) }

func readsInOrder(tb testing.TB, rig ReaderRig) {
	for range 3 {
		rig.wantRead(tb, rig.lay(tb))
	}
}

func waitsForSomething(tb testing.TB, rig ReaderRig) {
	want := rig.lay(tb)
	rig.wantRead(tb, want)
	got := make(chan []byte, 1)
	go func() {
		b, _ := rig.Read(tb.Context())
		got <- b
	}()
	wait(tb, time.Second)
	select {
	case b := <-got:
		tb.Errorf("it read %d bytes before anything was laid", len(b))
		return
	default:
	}
	want = rig.lay(tb)
	_ = within(tb, patience, "reading", func() error {
		if b := <-got; !bytes.Equal(b, want) {
			tb.Errorf("read %d bytes, want the %d that were laid", len(b), len(want))
		}
		return nil
	})
}

func readsOnce(tb testing.TB, rig ReaderRig) {
	rig.wantRead(tb, rig.lay(tb))
	rig.ended(tb, "reading again what was read", devices.Cancelled)
}

func endedRead(tb testing.TB, rig ReaderRig) {
	want := rig.lay(tb)
	err := within(tb, promptly, "reading with an ended context", func() error {
		_, err := rig.Read(gaveUp(tb))
		return err
	})
	wantKind(tb, "the context had ended", err, devices.Cancelled)
	rig.wantRead(tb, want) // it was not taken away
}

func readEndsWithContext(tb testing.TB, rig ReaderRig) {
	rig.ended(tb, "a context that ends", devices.Cancelled)
}

func secondReader(tb testing.TB, rig ReaderRig) {
	ctx, cancel := context.WithCancel(tb.Context())
	first := make(chan error, 1)
	go func() {
		_, err := rig.Read(ctx)
		first <- err
	}()
	wait(tb, time.Second)
	rig.ended(tb, "a second user", devices.InUse)
	cancel()
	wantKind(tb, "the first user", within(tb, promptly, "ending the first", func() error { return <-first }), devices.Cancelled)
}

// unplugging skips where nobody can.
func (rig ReaderRig) unplugging(tb testing.TB) {
	tb.Helper()
	if rig.Unplug == nil {
		tb.Skip("SKIPPED: nobody can pull this reader out by program")
	}
}

func readUnplugged(tb testing.TB, rig ReaderRig) {
	rig.unplugging(tb)
	reading := make(chan error, 1)
	go func() {
		_, err := rig.Read(tb.Context())
		reading <- err
	}()
	wait(tb, time.Second)
	rig.Unplug()
	wantKind(tb, "unplugged while reading", within(tb, promptly, "noticing it", func() error { return <-reading }), devices.Gone)
}

func readsNothing(tb testing.TB, rig ReaderRig) {
	rig.unplugging(tb)
	rig.Unplug()
	wait(tb, time.Second)
	for range 2 {
		rig.ended(tb, "reading after unplugging", devices.Gone, devices.Missing)
	}
}

func readsAgain(tb testing.TB, rig ReaderRig) {
	rig.unplugging(tb)
	if rig.Plug == nil {
		tb.Skip("SKIPPED: nobody can plug this reader in by program")
	}
	rig.Unplug()
	wait(tb, time.Second)
	rig.Plug()
	wait(tb, time.Second)
	rig.wantRead(tb, rig.lay(tb))
}
