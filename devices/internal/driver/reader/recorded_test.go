package reader

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/counterproof/counterproof/devices"
	"github.com/counterproof/counterproof/devices/profile"
	"github.com/counterproof/counterproof/devices/record"
	"github.com/counterproof/counterproof/devices/sim"
)

// recorded are the recordings of devices that failed. A recording that a counter has
// sent (counterproofd devices record) becomes a test by lying there, under the name
// PROFILE.WHAT-HAPPENED.KIND.jsonl; KIND is what the clerk has to be told of it. One
// that holds bytes may hold those of specimens alone.
const recorded = "testdata/faults"

var update = flag.Bool("update", false, "record the faults of simulated readers anew")

// last reads with a reader until it fails, and gives how.
func last(t *testing.T, cfg Config) error {
	t.Helper()
	if cfg.Profile.Transport == profile.OverHID {
		cfg.Descriptor = posDescriptor
	}
	ctx, over := context.WithTimeout(t.Context(), time.Minute)
	defer over()
	zones, codes := cfg.Profile.Can[0] == devices.CanReadMRZ, cfg.Profile.Can[0] == devices.CanReadBarcode
	var next func() error
	switch {
	case zones:
		r, err := NewMRZ(t.Context(), cfg)
		if err != nil {
			return err
		}
		next = func() error { _, err := r.ReadMRZ(ctx); return err }
	case codes:
		r, err := NewBarcode(t.Context(), cfg)
		if err != nil {
			return err
		}
		next = func() error { _, err := r.ReadBarcode(ctx); return err }
	default:
		return fmt.Errorf("profile %s reads nothing", cfg.Profile.ID)
	}
	for range 100 {
		if err := next(); err != nil {
			return err
		}
	}
	return nil
}

// checkRecorded plays a recording to the driver of its profile, and returns what is
// wrong with how that ends.
func checkRecorded(t *testing.T, name string, recording []byte) error {
	t.Helper()
	parts := strings.Split(filepath.Base(name), ".")
	if len(parts) != 4 {
		return fmt.Errorf("%s is not named PROFILE.WHAT-HAPPENED.KIND.jsonl", name)
	}
	p, ok := profile.Embedded().Find(parts[0])
	if !ok {
		return fmt.Errorf("there is no profile %s", parts[0])
	}
	var err error
	synctest.Test(t, func(t *testing.T) {
		port, opening := record.Open(bytes.NewReader(recording), record.Replaying{Timed: true})
		if opening != nil {
			err = opening
			return
		}
		if got := devices.KindOf(last(t, Config{ID: "usb:1-2", Profile: p, Port: port})); string(got) != parts[2] {
			err = fmt.Errorf("it ends as %q, want %q", got, parts[2])
		}
	})
	return err
}

// TestRecordedFaults: every fault that was ever recorded is still told as what it is.
func TestRecordedFaults(t *testing.T) {
	t.Parallel()
	if *update {
		recordFaults(t)
	}
	files, err := filepath.Glob(filepath.Join(recorded, "*.jsonl"))
	if err != nil || len(files) < len(failing) {
		t.Fatalf("%d recordings, %v", len(files), err)
	}
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := checkRecorded(t, name, b); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if other := strings.Replace(name, filepath.Base(name), "hidpos.other.paper_out.jsonl", 1); checkRecorded(t, other, b) == nil {
			t.Errorf("%s passes as another fault", name)
		}
		if len(b) > 16<<10 || bytes.Contains(b, []byte(`"clear":true`)) && !bytes.Contains(b, []byte("4552494b53534f4e")) && !strings.Contains(name, "babbles") {
			t.Errorf("%s: %d bytes, or in the clear and of no specimen", name, len(b))
		}
	}
}

// failing are the readers that recordFaults lets fail, by the names of the recordings.
var failing = map[string]struct {
	clear bool
	fail  func(tb testing.TB, far *sim.PipeEnd)
}{
	"elyctis-idbox.pulled-out-in-mid-line.gone.jsonl": {false, func(tb testing.TB, far *sim.PipeEnd) {
		sends(tb, far, []byte("I\x00\x59"+specimen[0][:20]))
		time.Sleep(20 * time.Millisecond)
		far.Unplug()
	}},
	"desko-cute.silent-in-mid-line.timeout.jsonl": {true, func(tb testing.TB, far *sim.PipeEnd) {
		sends(tb, far, []byte("\x02"+specimen[0]+"\r"+specimen[1][:20]))
	}},
	"desko-cute.babbles.protocol.jsonl": {true, func(tb testing.TB, far *sim.PipeEnd) {
		sends(tb, far, []byte("\x02"), bytes.Repeat([]byte("x"), 3000))
	}},
	"hidpos.pulled-out.gone.jsonl": {false, func(tb testing.TB, far *sim.PipeEnd) {
		sends(tb, far, report("]Q1", []byte("https://example.test/letter"), true))
		time.Sleep(20 * time.Millisecond)
		far.Unplug()
	}},
}

// recordFaults writes the recordings of failing.
func recordFaults(t *testing.T) {
	t.Helper()
	for name, f := range failing {
		id, _, _ := strings.Cut(name, ".")
		p := shipped(t, id, nil)
		reports := p.Transport == profile.OverHID
		var lines bytes.Buffer
		synctest.Test(t, func(t *testing.T) {
			near, far := sim.NewPipe(reports)
			time.AfterFunc(100*time.Millisecond, func() { f.fail(t, far) }) // somebody reads by then
			port := record.Wrap(near, &lines, record.Options{Clear: f.clear, Reports: reports, Profile: id, Key: make([]byte, 32)})
			if err := last(t, Config{ID: "usb:1-2", Profile: p, Port: port}); err == nil {
				t.Errorf("%s: it does not fail", name)
			}
		})
		if err := os.WriteFile(filepath.Join(recorded, name), lines.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}
