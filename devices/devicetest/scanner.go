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
