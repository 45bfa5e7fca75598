package tap_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/creack/pty"

	"github.com/counterproof/counterproof/devices"
	"github.com/counterproof/counterproof/devices/profile"
	"github.com/counterproof/counterproof/devices/record"
	"github.com/counterproof/counterproof/devices/tap"
)

// line is the far end of a serial line, and the thing at the near end as the
// program's profile of a kind has it.
func line(t *testing.T, kind string) (far *os.File, cfg tap.Config) {
	t.Helper()
	far, near, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = errors.Join(far.Close(), near.Close()) })
	cfg = tap.Config{ID: "usb:1-4/1234:5678", Found: profile.Found{Bus: profile.BusSerial, Node: near.Name()}, Locks: t.TempDir()}
	var known bool
	if cfg.Profile, known = profile.Embedded().Find(kind); !known {
		t.Fatalf("no profile %s", kind)
	}
	_ = near.Close() // or it would be held by this test
	return far, cfg
}

// recorded records a line while device speaks at its far end.
func recorded(t *testing.T, far *os.File, cfg tap.Config, device func(*os.File)) (record.Recording, string) {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), 20*time.Second)
	defer stop()
	out := heard{enough: stop}
	var speaking sync.WaitGroup
	speaking.Go(func() { device(far) })
	_, err := tap.Record(ctx, cfg, &out)
	speaking.Wait()
	if err != nil {
		t.Fatalf("recording: %v", err)
	}
	text := out.String()
	r, err := record.Parse(strings.NewReader(text))
	if err != nil {
		t.Fatalf("reading the recording: %v\n%s", err, text)
	}
	return r, text
}

// heard is a recording that ends itself once the end of a zone came in.
type heard struct {
	bytes.Buffer
	in     int
	enough func()
}

// Write takes a line.
func (h *heard) Write(p []byte) (int, error) {
	var e struct {
		Dir string
		Len int
	}
	if json.Unmarshal(p, &e) == nil && e.Dir == "in" {
		if h.in += e.Len; h.in >= len(zone)+3 {
			h.enough()
		}
	}
	return h.Buffer.Write(p)
}

// zone is what a reader sends.
const zone = "P<UTOSPECIMEN<<WREN<<<<<<<<<<<<<<<<<<<<<<<<<"

// speak waits until the line was opened and listened to, and sends then.
func speak(far *os.File) {
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	b := make([]byte, 256)
	for n := 0; n == 0; n, _ = far.Read(b) { // what the profile sends first, once somebody has opened the line
		<-tick.C
	}
	_, _ = far.WriteString("\x02" + zone + "\r\x03")
}

func TestARecordingHasNoDocument(t *testing.T) {
	t.Parallel()
	far, cfg := line(t, "elyctis-idbox")
	r, text := recorded(t, far, cfg, speak)
	in := 0
	for _, e := range r.Events {
		if !e.Out {
			in += e.Len
			if e.Bytes != nil || e.Hash == "" {
				t.Errorf("what was read is kept: %+v", e)
			}
		}
	}
	if in == 0 || strings.Contains(text, "SPECIMEN") || strings.Contains(text, "50434543494d454e") || r.Header.Clear || r.Header.Profile != "elyctis-idbox" {
		t.Errorf("%d bytes came in:\n%s", in, text)
	}
}

func TestAClearRecordingIsKeptWhereSomebodySaysSo(t *testing.T) {
	t.Parallel()
	far, cfg := line(t, "elyctis-idbox")
	cfg.Clear = true
	r, _ := recorded(t, far, cfg, speak)
	var in []byte
	for _, e := range r.Events {
		if !e.Out {
			in = append(in, e.Bytes...)
		}
	}
	if !r.Header.Clear || !bytes.Contains(in, []byte("SPECIMEN")) {
		t.Errorf("kept %q", in)
	}
}

func TestWhatNoProfileOpensIsLeftAlone(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"keyboard-wedge", "uvc", "pcsc"} {
		p, _ := profile.Embedded().Find(kind)
		file := filepath.Join(t.TempDir(), "node")
		var out bytes.Buffer
		_, err := tap.Record(t.Context(), tap.Config{ID: "x", Profile: p, Found: profile.Found{Node: file}}, &out)
		if devices.KindOf(err) != devices.Unsupported || out.Len() != 0 || tap.Records(p) {
			t.Errorf("%s: %v, %q", kind, err, out.String())
		}
	}
	p, _ := profile.Embedded().Find("desko-cute")
	if _, err := tap.Record(t.Context(), tap.Config{Profile: p, Found: profile.Found{Node: filepath.Join(t.TempDir(), "none")}, Locks: t.TempDir()}, &bytes.Buffer{}); err == nil || !tap.Records(p) {
		t.Errorf("a line that is not there: %v", err)
	}
}
