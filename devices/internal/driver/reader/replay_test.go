package reader

import (
	"bytes"
	"context"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/counterproof/counterproof/devices"
	"github.com/counterproof/counterproof/devices/devicetest"
	"github.com/counterproof/counterproof/devices/record"
	"github.com/counterproof/counterproof/devices/sim"
)

// recording is how a reader read some documents and was pulled out, in full: the
// documents are specimens.
func recording(tb testing.TB, id string, documents int) []byte {
	tb.Helper()
	p := shipped(tb, id, nil)
	near, far := sim.NewPipe(false)
	var lines bytes.Buffer
	r, err := NewMRZ(tb.Context(), Config{ID: "usb:1-2", Profile: p, Port: record.Wrap(near, &lines, record.Options{Clear: true})})
	if err != nil {
		tb.Fatal(err)
	}
	for n := range documents {
		sends(tb, far, spoken[p.Framing.Name](another(n+1)))
		if _, err := r.ReadMRZ(tb.Context()); err != nil {
			tb.Fatal(err)
		}
	}
	far.Unplug()
	if _, err := r.ReadMRZ(tb.Context()); devices.KindOf(err) != devices.Gone {
		tb.Fatal(err)
	}
	return lines.Bytes()
}

// TestReplay: a recording gives the driver the same readings, and the fault at
// its end, as the device did.
func TestReplay(t *testing.T) {
	t.Parallel()
	for _, id := range []string{"elyctis-idbox", "desko-cute"} {
		synctest.Test(t, func(t *testing.T) {
			port, err := record.Open(bytes.NewReader(recording(t, id, 3)), record.Replaying{Timed: true})
			if err != nil {
				t.Fatal(err)
			}
			r, err := NewMRZ(t.Context(), Config{ID: "usb:1-2", Profile: shipped(t, id, nil), Port: port})
			if err != nil {
				t.Fatal(err)
			}
			for n := range 3 {
				if z, err := r.ReadMRZ(t.Context()); err != nil || !slices.Equal(z.Lines, another(n+1)) {
					t.Errorf("%s: reading %d: %d lines, %v", id, n, len(z.Lines), err)
				}
			}
			if _, err := r.ReadMRZ(t.Context()); devices.KindOf(err) != devices.Gone {
				t.Errorf("%s: at the end: %v", id, err)
			}
		})
	}
}

// gate lets pieces of a recording come one by one, as somebody lays documents down.
type gate struct {
	devices.Port
	open chan struct{}
}

// Read waits for the hand.
func (g *gate) Read(ctx context.Context, b []byte) (int, error) {
	select {
	case <-g.open:
		return g.Port.Read(ctx, b)
	case <-ctx.Done():
		return 0, &devices.Fault{Op: "reading", Kind: devices.Cancelled, Err: ctx.Err()}
	}
}

// TestReplayKeepsTheContract runs what every reader keeps on a recording.
func TestReplayKeepsTheContract(t *testing.T) {
	t.Parallel()
	devicetest.RunMRZReader(t, synctest.Test, func(tb testing.TB) (devices.MRZReader, func() []string, devicetest.ReaderRig) {
		port, err := record.Open(bytes.NewReader(recording(tb, "desko-cute", 5)), record.Replaying{})
		if err != nil {
			tb.Fatal(err)
		}
		hand := &gate{port, make(chan struct{}, 5)}
		r, err := NewMRZ(tb.Context(), Config{ID: "usb:1-2", Profile: shipped(tb, "desko-cute", nil), Port: hand})
		if err != nil {
			tb.Fatal(err)
		}
		laid := 0
		lay := func() []string {
			laid++
			hand.open <- struct{}{}
			return another(laid)
		}
		return r, lay, devicetest.ReaderRig{}
	})
}
