package sim_test

import (
	"bytes"
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/counterproof/counterproof/devices"
	"github.com/counterproof/counterproof/devices/sim"
)

// The suite of every port runs on the pipe in devicetest.

func TestPipeAnswers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		near, far := sim.NewPipe(false)
		played := make(chan error)
		go func() { // a reader that is asked and answers in two parts
			b := make([]byte, 16)
			n, err := far.Read(t.Context(), b)
			if err == nil && string(b[:n]) == "I\x00\x00" {
				err = far.Write(t.Context(), []byte("I\x00\x04P<"))
				time.Sleep(30 * time.Millisecond)
			}
			if err == nil {
				err = far.Write(t.Context(), []byte("UT"))
			}
			played <- err
		}()
		if err := near.Write(t.Context(), []byte("I\x00\x00")); err != nil {
			t.Fatal(err)
		}
		var got []byte
		for b := make([]byte, 16); len(got) < 7; {
			n, err := near.Read(t.Context(), b)
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, b[:n]...)
		}
		if err := <-played; err != nil || string(got) != "I\x00\x04P<UT" {
			t.Errorf("got %q and %v", got, err)
		}
	})
}

func TestPipeHasRoomAndNoMore(t *testing.T) {
	t.Parallel()
	for name, reports := range map[string]bool{"stream": false, "reports": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				near, far := sim.NewPipe(reports)
				if err := near.Write(t.Context(), make([]byte, sim.Room)); err != nil {
					t.Fatal(err)
				}
				ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
				defer cancel()
				if err := near.Write(ctx, []byte{1}); devices.KindOf(err) != devices.Cancelled {
					t.Errorf("a byte too many: got %v, want cancelled", err)
				}
				if err := far.Flush(); err != nil {
					t.Fatal(err)
				}
				if err := near.Write(t.Context(), []byte{2}); err != nil {
					t.Errorf("after there was room again: %v", err)
				}
				b := make([]byte, 8)
				if n, err := far.Read(t.Context(), b); err != nil || !bytes.Equal(b[:n], []byte{2}) {
					t.Errorf("got % x and %v, want 02", b[:n], err)
				}
			})
		})
	}
}

// TestPipeLongReport: one report is taken however long, so that a test can send
// more than a profile allows.
func TestPipeLongReport(t *testing.T) {
	t.Parallel()
	near, far := sim.NewPipe(true)
	if err := far.Write(t.Context(), make([]byte, 3*sim.Room)); err != nil {
		t.Fatal(err)
	}
	if n, err := near.Read(t.Context(), make([]byte, 4*sim.Room)); err != nil || n != 3*sim.Room {
		t.Errorf("read %d bytes and %v, want the whole report", n, err)
	}
}

func TestPipeUnplugged(t *testing.T) {
	t.Parallel()
	near, far := sim.NewPipe(false)
	if err := far.Write(t.Context(), []byte("half a fra")); err != nil {
		t.Fatal(err)
	}
	far.Unplug()
	far.Unplug()
	for name, end := range map[string]*sim.PipeEnd{"near": near, "far": far} {
		if n, err := end.Read(t.Context(), make([]byte, 16)); n != 0 || devices.KindOf(err) != devices.Gone {
			t.Errorf("%s: read %d bytes and %v, want gone", name, n, err)
		}
		if err := end.Write(t.Context(), nil); devices.KindOf(err) != devices.Gone {
			t.Errorf("%s: writing gave %v, want gone", name, err)
		}
	}
}

func TestPipeClosesOneEnd(t *testing.T) {
	t.Parallel()
	near, far := sim.NewPipe(false)
	if err := near.Close(); err != nil {
		t.Fatal(err)
	}
	if err := far.Write(t.Context(), []byte("nobody listens")); err != nil {
		t.Errorf("the other end was told of it: %v", err)
	}
	if err := near.Flush(); devices.KindOf(err) != devices.Gone {
		t.Errorf("flushing a closed end: got %v, want gone", err)
	}
}

func TestPipeOneOfAKind(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		near, _ := sim.NewPipe(false)
		first := make(chan error)
		go func() { _, err := near.Read(t.Context(), make([]byte, 1)); first <- err }()
		synctest.Wait()
		if _, err := near.Read(t.Context(), make([]byte, 1)); devices.KindOf(err) != devices.InUse {
			t.Errorf("a second Read: got %v, want in use", err)
		}
		near.Unplug()
		if err := <-first; devices.KindOf(err) != devices.Gone {
			t.Errorf("the first Read: got %v, want gone", err)
		}
	})
}
