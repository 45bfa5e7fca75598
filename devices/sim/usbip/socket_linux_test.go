package usbip

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// sockets are a socket and its other end.
func sockets(t *testing.T) (*socket, *os.File) {
	t.Helper()
	s, other, err := pair()
	if err != nil {
		t.Fatal(err)
	}
	f := os.NewFile(uintptr(other), "kernel")
	t.Cleanup(func() { s.Close(); f.Close() })
	return s, f
}

// TestSocketMoves moves more than the socket holds, both ways.
func TestSocketMoves(t *testing.T) {
	t.Parallel()
	s, kernel := sockets(t)
	want := bytes.Repeat([]byte("0123456789"), 200_000)
	go func() { _, _ = kernel.Write(want) }()
	got := make([]byte, len(want))
	if _, err := io.ReadFull(s, got); err != nil || !bytes.Equal(got, want) {
		t.Errorf("reading: %v", err)
	}
	written := make(chan error, 1)
	go func() {
		_, err := s.Write(want)
		written <- err
	}()
	clear(got)
	if _, err := io.ReadFull(kernel, got); err != nil || !bytes.Equal(got, want) {
		t.Errorf("writing: %v", err)
	}
	if err := <-written; err != nil {
		t.Errorf("writing: %v", err)
	}
}

// TestSocketEnds lists how a Read that waits ends.
func TestSocketEnds(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		end  func(s *socket, kernel *os.File) error
		want error
	}{
		{"closed", func(s *socket, _ *os.File) error { return s.Close() }, net.ErrClosed},
		{"the other side closes", func(_ *socket, kernel *os.File) error { return kernel.Close() }, io.EOF},
		{"a deadline in the past", func(s *socket, _ *os.File) error { return s.SetReadDeadline(time.Unix(1, 0)) }, os.ErrDeadlineExceeded},
		{"a deadline to come", func(s *socket, _ *os.File) error {
			return s.SetReadDeadline(time.Now().Add(5 * time.Millisecond))
		}, os.ErrDeadlineExceeded},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s, kernel := sockets(t)
			ended := make(chan error, 1)
			go func() {
				_, err := s.Read(make([]byte, 8))
				ended <- err
			}()
			if err := tt.end(s, kernel); err != nil {
				t.Error(err)
			}
			if err := <-ended; !errors.Is(err, tt.want) {
				t.Errorf("Read ended with %v, want %v", err, tt.want)
			}
		})
	}
}

// TestSocketLater takes a deadline back: what comes is read.
func TestSocketLater(t *testing.T) {
	t.Parallel()
	s, kernel := sockets(t)
	if err := errors.Join(s.SetReadDeadline(time.Unix(1, 0)), s.SetReadDeadline(time.Time{})); err != nil {
		t.Fatal(err)
	}
	if _, err := kernel.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	if n, err := s.Read(make([]byte, 8)); n != 1 || err != nil {
		t.Errorf("read %d bytes and %v, want one", n, err)
	}
}

// TestSocketWriteEnds writes to a kernel that takes nothing.
func TestSocketWriteEnds(t *testing.T) {
	t.Parallel()
	s, kernel := sockets(t)
	if err := s.SetWriteDeadline(time.Now().Add(5 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	if n, err := s.Write(make([]byte, 4<<20)); !errors.Is(err, os.ErrDeadlineExceeded) || n == 4<<20 {
		t.Errorf("wrote %d bytes and %v, want a deadline", n, err)
	}
	kernel.Close()
	if _, err := s.Write([]byte("x")); !errors.Is(err, unix.EPIPE) {
		t.Errorf("writing to nobody: %v", err)
	}
	s.Close()
	if err := s.Close(); err != nil {
		t.Errorf("closing again: %v", err)
	}
	if _, err := s.Read(nil); !errors.Is(err, net.ErrClosed) {
		t.Errorf("reading after Close: %v", err)
	}
	if _, err := s.Write([]byte("x")); !errors.Is(err, net.ErrClosed) {
		t.Errorf("writing after Close: %v", err)
	}
	if err := s.SetReadDeadline(time.Time{}); !errors.Is(err, net.ErrClosed) {
		t.Errorf("a deadline after Close: %v", err)
	}
}

// TestSocketServes serves a device on a socket, with a pause and an unplugging.
func TestSocketServes(t *testing.T) {
	t.Parallel()
	s, kernel := sockets(t)
	r := NewReader(someone, ReaderSpec{Frame: func([]string) []byte { return frame() }, SplitAt: 10, Pause: time.Millisecond})
	ended := make(chan error, 1)
	go func() { ended <- r.Serve(context.Background(), s) }()
	ask := func(b []byte) {
		if _, err := kernel.Write(b); err != nil {
			t.Fatal(err)
		}
	}
	ask(submission(1, 0x80, 1, setup(0x80, getConfiguration, 0, 0, 1), nil))
	if _, err := io.ReadFull(kernel, make([]byte, headerBytes+1)); err != nil { // it is plugged in
		t.Fatal(err)
	}
	r.Show("")
	ask(submission(3, readerIn, 512, [8]byte{}, nil))
	ask(submission(5, readerIn, 512, [8]byte{}, nil))
	got := make([]byte, 2*headerBytes+len(frame()))
	if _, err := io.ReadFull(kernel, got); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got[headerBytes:][:10], frame()[:10]) || !bytes.Equal(got[2*headerBytes+10:], frame()[10:]) {
		t.Error("the frame came otherwise")
	}
	r.Unplug()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if _, err := kernel.Read(got); !errors.Is(err, io.EOF) {
		t.Errorf("after unplugging: %v", err)
	}
}
