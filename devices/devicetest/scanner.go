package devicetest

import (
	"bytes"
	"context"
	"image"
	_ "image/png" // a page may be one
	"testing"
	"time"

	"github.com/counterproof/counterproof/devices"
)

// ScannerRig is a document scanner that works, with something on its glass.
type ScannerRig struct {
	Scanner devices.DocumentScanner
	Lights  []devices.Light // that it shines; white is among them
	Unplug  func()          // nil where nobody can
}

// RunDocumentScanner holds a scanner to the contract of
// devices.DocumentScanner.
func RunDocumentScanner(t *testing.T, in Time, open func(testing.TB) ScannerRig) {
	t.Helper()
	run(t, in, open, scannerChecks)
}

var scannerChecks = []check[ScannerRig]{
	{"page-is-a-picture", pagePicture},
	{"one-page-for-each-light", pageForEachLight},
	{"other-light-is-unsupported", otherLight},
	{"ended-context-scans-nothing", endedScan},
	{"scans-again", scansAgain},
	{"bytes-are-the-callers", pageKept},
	{"unplugged-scans-nothing", unpluggedScan},
}

// scanPatience is longer than others': a lamp warms up.
const scanPatience = time.Minute

// scan scans in time.
func (rig ScannerRig) scan(tb testing.TB, lights ...devices.Light) ([][]byte, error) {
	tb.Helper()
	var pages [][]byte
	err := within(tb, scanPatience, "scanning", func() (err error) {
		pages, err = rig.Scanner.Scan(tb.Context(), lights)
		return err
	})
	return pages, err
}

// page scans one page by white light.
func (rig ScannerRig) page(tb testing.TB) []byte {
	tb.Helper()
	pages, err := rig.scan(tb, devices.White)
	if err != nil || len(pages) != 1 {
		tb.Fatalf("scanning one page: got %d and %v", len(pages), err)
	}
	return pages[0]
}

func pagePicture(tb testing.TB, rig ScannerRig) {
	img, form, err := image.Decode(bytes.NewReader(rig.page(tb)))
	if err != nil || form != "jpeg" && form != "png" || img.Bounds().Empty() {
		tb.Errorf("the page is no picture: %q, %v", form, err)
	}
}

func pageForEachLight(tb testing.TB, rig ScannerRig) {
	pages, err := rig.scan(tb, rig.Lights...)
	if err != nil || len(pages) != len(rig.Lights) {
		tb.Errorf("by %d lights: got %d pages and %v", len(rig.Lights), len(pages), err)
	}
}

func otherLight(tb testing.TB, rig ScannerRig) {
	pages, err := rig.scan(tb, devices.White, "moonlight")
	wantKind(tb, "an unknown light", err, devices.Unsupported)
	if len(pages) > 0 {
		tb.Errorf("%d pages came by a light that it has not", len(pages))
	}
}

func endedScan(tb testing.TB, rig ScannerRig) {
	err := within(tb, promptly, "scanning with an ended context", func() error {
		_, err := rig.Scanner.Scan(gaveUp(tb), []devices.Light{devices.White})
		return err
	})
	wantKind(tb, "the context had ended", err, devices.Cancelled)
}

func scansAgain(tb testing.TB, rig ScannerRig) {
	for range 3 {
		rig.page(tb)
	}
}

func pageKept(tb testing.TB, rig ScannerRig) {
	clear(rig.page(tb))
	pagePicture(tb, rig)
}

func unpluggedScan(tb testing.TB, rig ScannerRig) {
	if rig.Unplug == nil {
		tb.Skip("SKIPPED: nobody can pull this scanner out by program")
	}
	rig.Unplug()
	wait(tb, time.Second)
	ctx, cancel := context.WithTimeout(tb.Context(), scanPatience)
	defer cancel()
	_, err := rig.Scanner.Scan(ctx, []devices.Light{devices.White})
	wantKind(tb, "scanning after unplugging", err, devices.Gone, devices.Missing)
}

// ChipRig is a chip reader that works, with a card in it.
type ChipRig struct {
	Reader devices.ChipReader
	Remove func() // takes the card out; nil where nobody can
	Unplug func() // nil where nobody can
}

// RunChipReader holds a chip reader to the contract of devices.ChipReader.
func RunChipReader(t *testing.T, in Time, open func(testing.TB) ChipRig) {
	t.Helper()
	run(t, in, open, chipChecks)
}

var chipChecks = []check[ChipRig]{
	{"answer-has-status-words", chipAnswers},
	{"command-is-the-callers", chipCommandKept},
	{"ended-context-sends-nothing", endedChip},
	{"removed-card-is-gone", removedCard},
	{"unplugged-is-gone", unpluggedChip},
}

// selectMaster selects the master file (ISO 7816-4 §11.2), which any card answers
// in one way or another.
func selectMaster() []byte { return []byte{0x00, 0xa4, 0x00, 0x0c, 0x02, 0x3f, 0x00} }

// transmit sends the command in time.
func (rig ChipRig) transmit(ctx context.Context, tb testing.TB, command []byte) ([]byte, error) {
	tb.Helper()
	var got []byte
	err := within(tb, patience, "talking to the chip", func() (err error) {
		got, err = rig.Reader.Transmit(ctx, command)
		return err
	})
	return got, err
}

func chipAnswers(tb testing.TB, rig ChipRig) {
	for range 2 {
		got, err := rig.transmit(tb.Context(), tb, selectMaster())
		if err != nil || len(got) < 2 {
			tb.Errorf("got %d bytes and %v, want status words at least", len(got), err)
		}
	}
}

func chipCommandKept(tb testing.TB, rig ChipRig) {
	command := selectMaster()
	if _, err := rig.transmit(tb.Context(), tb, command); err != nil || !bytes.Equal(command, selectMaster()) {
		tb.Errorf("the command was written over, or failed: %v", err)
	}
}

func endedChip(tb testing.TB, rig ChipRig) {
	_, err := rig.transmit(gaveUp(tb), tb, selectMaster())
	wantKind(tb, "the context had ended", err, devices.Cancelled)
}

func removedCard(tb testing.TB, rig ChipRig) {
	if rig.Remove == nil {
		tb.Skip("SKIPPED: nobody can take the card out by program")
	}
	rig.Remove()
	_, err := rig.transmit(tb.Context(), tb, selectMaster())
	wantKind(tb, "without a card", err, devices.Gone)
}

func unpluggedChip(tb testing.TB, rig ChipRig) {
	if rig.Unplug == nil {
		tb.Skip("SKIPPED: nobody can pull this reader out by program")
	}
	rig.Unplug()
	wait(tb, time.Second)
	_, err := rig.transmit(tb.Context(), tb, selectMaster())
	wantKind(tb, "after unplugging", err, devices.Gone, devices.Missing)
}
