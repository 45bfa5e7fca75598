//go:build unix

package scanner

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"image"
	"image/jpeg"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/counterproof/counterproof/devices"
	"github.com/counterproof/counterproof/devices/devicetest"
)

// script is a scanimage that does as a test says, in sh. page is a picture.
func script(tb testing.TB, text string) string {
	tb.Helper()
	dir := tb.TempDir()
	// A program that some child still has open for writing cannot be run (ETXTBSY):
	// no other test may fork meanwhile.
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	for name, content := range map[string]string{
		"scanimage": "#!/bin/sh\ncd \"$(dirname \"$0\")\"\necho \"$* $(env | sort | tr '\\n' ' ')\" >> calls\n" + text + "\n",
		"page":      base64.StdEncoding.EncodeToString(glass(tb)),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o700); err != nil {
			tb.Fatal(err)
		}
	}
	return filepath.Join(dir, "scanimage")
}

// glass is a picture of an empty glass.
func glass(tb testing.TB) []byte {
	tb.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, image.NewGray(image.Rect(0, 0, 64, 48)), nil); err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

// givesPage is a scanner that works.
const givesPage = "base64 -d page"

// scripted opens a scanner that a script plays.
func scripted(tb testing.TB, text string) (*SANE, string) {
	tb.Helper()
	program := script(tb, text)
	s, err := OpenSANE(SANEConfig{ID: "sane:test:0", Name: "test:0", Program: program})
	if err != nil {
		tb.Fatal(err)
	}
	return s, filepath.Dir(program)
}

// TestSANE holds the driver to what every scanner keeps, with a child of a script
// and with SANE's own test scanner.
func TestSANE(t *testing.T) {
	t.Parallel()
	white := []devices.Light{devices.White}
	t.Run("script", func(t *testing.T) {
		devicetest.RunDocumentScanner(t, devicetest.Real, func(tb testing.TB) devicetest.ScannerRig {
			s, dir := scripted(tb, "[ -f gone ] && { echo 'scanimage: open of device test:0 failed: Invalid argument' >&2; exit 1; }\n"+givesPage)
			return devicetest.ScannerRig{Scanner: s, Lights: white, Unplug: func() {
				if err := os.WriteFile(filepath.Join(dir, "gone"), nil, 0o600); err != nil {
					tb.Fatal(err)
				}
			}}
		})
	})
	t.Run("scanimage", func(t *testing.T) {
		if _, err := exec.LookPath("scanimage"); err != nil {
			t.Skip("SKIPPED: SANE is not installed (package sane-utils)")
		}
		devicetest.RunDocumentScanner(t, devicetest.Real, func(tb testing.TB) devicetest.ScannerRig {
			s, err := OpenSANE(SANEConfig{ID: "sane:test:0", Name: "test:0"})
			if err != nil {
				tb.Fatal(err)
			}
			return devicetest.ScannerRig{Scanner: s, Lights: white}
		})
		s, err := OpenSANE(SANEConfig{ID: "sane:none", Name: "nosuchbackend:0"})
		if err != nil {
			t.Fatal(err)
		}
		if err := scan(t.Context(), s); devices.KindOf(err) != devices.Missing {
			t.Errorf("a scanner that is not there: %v", err)
		}
	})
}

// TestSANETrouble: what a child says, and how it ends, is a Kind; nothing that it
// says goes further.
func TestSANETrouble(t *testing.T) {
	t.Parallel()
	says := func(text string) string { return "echo 'scanimage: " + text + " Robin Specimen' >&2; exit 7" }
	for name, c := range map[string]struct {
		script string
		want   devices.Kind
	}{
		"busy":          {says("open of device test:0 failed: Device busy"), devices.InUse},
		"permission":    {says("open of device test:0 failed: Access to resource has been denied"), devices.Permission},
		"missing":       {says("no SANE devices found"), devices.Missing},
		"io":            {says("sane_start: Error during device I/O"), devices.Gone},
		"cover":         {says("sane_start: Scanner cover is open"), devices.CoverOpen},
		"no-paper":      {says("sane_start: Document feeder out of documents"), devices.PaperOut},
		"jam":           {says("sane_start: Document feeder jammed"), devices.Protocol},
		"no-colour":     {says("unrecognized option '--mode=Color'"), devices.Unsupported},
		"cancelled":     {says("sane_read: Operation was cancelled"), devices.Cancelled},
		"killed":        {"kill -9 $$", devices.Protocol},
		"no-picture":    {"echo hello", devices.Protocol},
		"nothing":       {"exit 0", devices.Protocol},
		"half":          {givesPage + " | head -c 10", devices.Protocol},
		"endless":       {"head -c 70000000 /dev/zero", devices.Protocol},
		"endless-words": {"head -c 70000000 /dev/zero >&2; exit 1", devices.Protocol},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, _ := scripted(t, c.script)
			err := scan(t.Context(), s)
			if devices.KindOf(err) != c.want || strings.Contains(err.Error(), "Robin") {
				t.Errorf("got %v, want %s", err, c.want)
			}
		})
	}
}

// TestSANEEnds: a child that hangs ends with its time or with its context, also
// where a grandchild holds its pipes.
func TestSANEEnds(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		total, patience time.Duration
		want            devices.Kind
	}{
		"its-time":    {300 * time.Millisecond, time.Minute, devices.Timeout},
		"its-context": {time.Minute, 300 * time.Millisecond, devices.Cancelled},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, _ := scripted(t, "sleep 60")
			s.cfg.Total = c.total
			ctx, cancel := context.WithTimeout(t.Context(), c.patience)
			defer cancel()
			began := time.Now()
			if err := scan(ctx, s); devices.KindOf(err) != c.want || time.Since(began) > 10*time.Second {
				t.Errorf("after %v: %v, want %s", time.Since(began), err, c.want)
			}
		})
	}
}

// TestSANEChild: the child gets the scanner's name and nothing of this program's
// surroundings.
func TestSANEChild(t *testing.T) {
	t.Setenv("COUNTERPROOF_SECRET", "specimen")
	s, dir := scripted(t, givesPage)
	if err := scan(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	calls, err := os.ReadFile(filepath.Join(dir, "calls"))
	if err != nil || strings.Contains(string(calls), "specimen") || !strings.Contains(string(calls), "--device-name=test:0 ") {
		t.Errorf("the child was called with %s, %v", calls, err)
	}
	if err := errors.Join(s.Close(), s.Close()); err != nil {
		t.Error(err)
	}
	if err := scan(t.Context(), s); devices.KindOf(err) != devices.Gone {
		t.Errorf("a closed scanner: %v", err)
	}
}

func TestSANEOpening(t *testing.T) {
	t.Parallel()
	program := script(t, givesPage)
	for name, c := range map[string]struct{ name, program string }{
		"no-name": {"", program}, "an-option": {"--help", program}, "no-program": {"test:0", filepath.Join(t.TempDir(), "scanimage")},
	} {
		if s, err := OpenSANE(SANEConfig{Name: c.name, Program: c.program}); s != nil || devices.KindOf(err) != devices.Unsupported {
			t.Errorf("%s: got %v", name, err)
		}
	}
}
