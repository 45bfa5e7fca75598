package record

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/counterproof/counterproof/devices"
	"github.com/counterproof/counterproof/devices/devicetest"
	"github.com/counterproof/counterproof/devices/sim"
)

// specimen is the ICAO specimen's name, as a reader sends it.
const specimen = "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<"

// TestPort: a port that is recorded is as good as it was.
func TestPort(t *testing.T) {
	for name, reports := range map[string]bool{"stream": false, "reports": true} {
		t.Run(name, func(t *testing.T) {
			devicetest.RunPort(t, synctest.Test, func(testing.TB) devicetest.PortRig {
				near, far := sim.NewPipe(reports)
				var to bytes.Buffer
				rig := devicetest.PortRig{
					Port: Wrap(near, &to, Options{Reports: reports}), Unplug: near.Unplug,
					Send: func(b []byte) error { return far.Write(context.Background(), b) },
					Take: func(ctx context.Context, most int) ([]byte, error) {
						b := make([]byte, most)
						n, err := far.Read(ctx, b)
						return b[:n], err
					},
				}
				if reports {
					rig.Report = 64
				}
				return rig
			})
		})
	}
}

// TestReplayPort: a recording that is played is a port; nobody can put anything
// into it, so what needs a hand is skipped.
func TestReplayPort(t *testing.T) {
	const size = 93 // of what the suite writes once
	rec := Recording{Events: []Event{{Out: true, Len: size}}}
	devicetest.RunPort(t, synctest.Test, func(testing.TB) devicetest.PortRig {
		return devicetest.PortRig{Port: rec.Play(Replaying{}), Large: size}
	})
}

// record records a question, its answer in two pieces, and an unplugging.
func record(tb testing.TB, opts Options) (text string) {
	tb.Helper()
	synctest.Test(tb.(*testing.T), func(t *testing.T) {
		near, far := sim.NewPipe(false)
		var to bytes.Buffer
		r := Wrap(near, &to, opts)
		b := make([]byte, 100)
		write := func(p devices.Port, s string) {
			if err := p.Write(t.Context(), []byte(s)); err != nil {
				t.Error(err)
			}
		}
		write(r, "I\x00\x00")
		for _, piece := range []string{specimen[:10], specimen[10:]} {
			time.Sleep(30 * time.Millisecond)
			write(far, piece)
			if _, err := r.Read(t.Context(), b); err != nil {
				t.Error(err)
			}
		}
		write(r, "slip of Anna Maria")
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, _ = r.Read(ctx, b) // nothing came, which is nobody's fault
		near.Unplug()
		if _, err := r.Read(t.Context(), b); devices.KindOf(err) != devices.Gone {
			t.Errorf("got %v, want gone", err)
		}
		if r.Err() != nil {
			t.Error(r.Err())
		}
		text = to.String()
	})
	return text
}

// TestRedacted: without being told otherwise a recording has no byte of a
// document, in whatever form.
func TestRedacted(t *testing.T) {
	t.Parallel()
	text := record(t, Options{Commands: [][]byte{[]byte("I\x00\x00")}, Device: "usb:1-2", Profile: "elyctis-idbox"})
	for _, secret := range []string{"ERIKSSON", "4552494b53534f4e", "Anna", "416e6e61", "skip=", "RVJJS1NTT04"} {
		if strings.Contains(text, secret) {
			t.Errorf("%q stands in the recording", secret)
		}
	}
	rec, err := Parse(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	if rec.Header != (Header{Version: 1, Device: "usb:1-2", Profile: "elyctis-idbox"}) {
		t.Errorf("the header is %+v", rec.Header)
	}
	want := []Event{
		{Out: true, Len: 3, Bytes: []byte("I\x00\x00")}, {At: 30 * time.Millisecond, Len: 10},
		{At: 60 * time.Millisecond, Len: 34}, {At: 60 * time.Millisecond, Out: true, Len: 18},
		{At: 1060 * time.Millisecond, Fault: devices.Gone},
	}
	if len(rec.Events) != len(want) {
		t.Fatalf("there are %d events, want %d", len(rec.Events), len(want))
	}
	for i, got := range rec.Events {
		w := want[i]
		if got.At != w.At || got.Out != w.Out || got.Len != w.Len || got.Fault != w.Fault || !bytes.Equal(got.Bytes, w.Bytes) {
			t.Errorf("event %d: got %+v, want %+v", i, got, w)
		}
		if hashed := w.Bytes == nil && w.Fault == ""; (len(got.Hash) == 64) != hashed {
			t.Errorf("event %d has the hash %q", i, got.Hash)
		}
	}
}

// TestHashes: equal pieces do not look alike, two recordings neither, and who
// has the key finds what they know.
func TestHashes(t *testing.T) {
	t.Parallel()
	letters := func(key []byte) (hashes []string) {
		near, far := sim.NewPipe(false)
		var to bytes.Buffer
		r := Wrap(near, &to, Options{Key: key})
		for range 4 {
			if err := far.Write(t.Context(), []byte("E")); err != nil {
				t.Fatal(err)
			}
			if _, err := r.Read(t.Context(), make([]byte, 1)); err != nil {
				t.Fatal(err)
			}
		}
		rec, err := Parse(&to)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range rec.Events {
			hashes = append(hashes, e.Hash)
		}
		return hashes
	}
	seen := map[string]bool{}
	for _, h := range append(letters(nil), letters(nil)...) {
		if seen[h] {
			t.Errorf("the hash %s stands there twice", h)
		}
		seen[h] = true
	}
	key := []byte("the site's own")
	if got := letters(key); got[2] != digest(key, false, 2, []byte("E")) || got[2] == digest(key, true, 2, []byte("E")) {
		t.Error("the key's owner does not find the third letter")
	}
}

func TestClear(t *testing.T) {
	t.Parallel()
	rec, err := Parse(strings.NewReader(record(t, Options{Clear: true})))
	if err != nil || !rec.Header.Clear {
		t.Fatalf("got %+v and %v", rec.Header, err)
	}
	var in []byte
	for _, e := range rec.Events {
		if !e.Out {
			in = append(in, e.Bytes...)
		}
	}
	if string(in) != specimen {
		t.Errorf("got %q", in)
	}
}

func TestCreate(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "reader.jsonl")
	f, err := Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil || info.Mode().Perm() != 0o600 && runtime.GOOS != "windows" {
		t.Errorf("the file's mode is %v, %v", info.Mode(), err)
	}
	if _, err := Create(path); !errors.Is(err, os.ErrExist) {
		t.Errorf("a recording was written over: %v", err)
	}
}

// full takes a few lines.
type full struct{ left int }

func (f *full) Write(p []byte) (int, error) {
	if f.left--; f.left < 0 {
		return 0, errors.New("the disk is full")
	}
	return len(p), nil
}

// TestDiskFull: the device is used on.
func TestDiskFull(t *testing.T) {
	t.Parallel()
	near, far := sim.NewPipe(false)
	r := Wrap(near, &full{left: 2}, Options{})
	for n := range 4 {
		if err := r.Write(t.Context(), []byte("abc")); err != nil {
			t.Errorf("write %d: %v", n, err)
		}
	}
	b := make([]byte, 12)
	for n := 0; n < len(b); {
		got, err := far.Read(t.Context(), b[n:])
		if err != nil {
			t.Fatalf("the device was sent %d bytes, %v", n, err)
		}
		n += got
	}
	if r.Err() == nil {
		t.Error("nobody is told that the recording stopped")
	}
}

// silent is a port that takes everything.
type silent struct{ devices.Port }

func (silent) Write(context.Context, []byte) error { return nil }

// TestBounds: a recording ends when it is full, before the disk is.
func TestBounds(t *testing.T) {
	t.Parallel()
	var to bytes.Buffer
	r := Wrap(silent{}, &to, Options{})
	long := make([]byte, 5*MaxPiece+7)
	for range MaxBytes/len(long) + 3 {
		if err := r.Write(t.Context(), long); err != nil {
			t.Fatal(err)
		}
	}
	if !errors.Is(r.Err(), errFull) {
		t.Errorf("it goes on: %v", r.Err())
	}
	rec, err := Parse(&to)
	if err != nil {
		t.Fatalf("a recording that is full cannot be read: %v", err)
	}
	if rec.Events[5].Len != 7 || rec.Events[0].Len != MaxPiece {
		t.Errorf("a long write has pieces of %d and %d bytes", rec.Events[0].Len, rec.Events[5].Len)
	}
}
