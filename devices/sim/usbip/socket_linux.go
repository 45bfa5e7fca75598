package usbip

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// socket is a connection to the kernel that waits for itself, without the
// poller of Go's runtime. A process may be the device and use it, too: while it
// asks a printer something, the kernel's driver keeps every poller of that
// printer's node waiting, the runtime's with all that it waits for. The answer
// has to come nevertheless.
type socket struct {
	fd, bell int // bell is an eventfd that wakes Read

	mu     sync.Mutex
	until  time.Time // of reading
	writes time.Time
	users  int // calls that use fd
	closed bool
}

// pair makes a socket and the number of its other end, which the caller closes.
func pair() (s *socket, other int, err error) {
	ends, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, 0, fmt.Errorf("making a socket: %w", err)
	}
	bell, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		return nil, 0, errors.Join(fmt.Errorf("making a socket: %w", err), unix.Close(ends[0]), unix.Close(ends[1]))
	}
	return &socket{fd: ends[1], bell: bell}, ends[0], nil
}

// enter keeps fd open for a call.
func (s *socket) enter() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	s.users++
	return true
}

// leave is the end of a call; the last one closes what was closed meanwhile.
func (s *socket) leave() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.users--
	s.release()
}

// release closes what nobody uses any more. The lock is held.
func (s *socket) release() {
	if s.closed && s.users == 0 {
		unix.Close(s.fd)
		unix.Close(s.bell)
	}
}

// Close ends every call that waits; it may be called twice.
func (s *socket) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil
	}
	err := unix.Shutdown(s.fd, unix.SHUT_RDWR)
	s.ring()
	s.closed = true
	s.release()
	return err
}

// ring wakes Read. A bell that rings already is loud enough.
func (s *socket) ring() {
	_, _ = unix.Write(s.bell, []byte{0, 0, 0, 0, 0, 0, 0, 1})
}

// SetReadDeadline holds for a Read that waits, too; the zero time is none.
func (s *socket) SetReadDeadline(t time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return net.ErrClosed
	}
	s.until = t
	s.ring()
	return nil
}

// SetWriteDeadline holds for the next Write.
func (s *socket) SetWriteDeadline(t time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.writes = t
	return nil
}

// state is what a call has to know before it waits.
func (s *socket) state() (until, writes time.Time, closed bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.until, s.writes, s.closed
}

// Read waits for bytes, the deadline or Close.
func (s *socket) Read(p []byte) (int, error) {
	if !s.enter() {
		return 0, net.ErrClosed
	}
	defer s.leave()
	for {
		n, _, err := unix.Recvfrom(s.fd, p, unix.MSG_DONTWAIT)
		until, _, closed := s.state()
		switch {
		case closed:
			return 0, net.ErrClosed
		case err == nil && n == 0:
			return 0, io.EOF
		case err == nil:
			return n, nil
		case !errors.Is(err, unix.EAGAIN) && !errors.Is(err, unix.EINTR):
			return 0, fmt.Errorf("reading what the kernel asks: %w", err)
		case !until.IsZero() && !time.Now().Before(until):
			return 0, os.ErrDeadlineExceeded
		}
		s.wait(unix.POLLIN, until)
	}
}

// Write sends all of p.
func (s *socket) Write(p []byte) (int, error) {
	if !s.enter() {
		return 0, net.ErrClosed
	}
	defer s.leave()
	sent := 0
	for sent < len(p) {
		n, err := unix.SendmsgN(s.fd, p[sent:], nil, nil, unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL)
		sent += max(n, 0)
		_, writes, closed := s.state()
		switch {
		case err == nil:
			continue
		case closed:
			return sent, net.ErrClosed
		case !errors.Is(err, unix.EAGAIN) && !errors.Is(err, unix.EINTR):
			return sent, fmt.Errorf("answering the kernel: %w", err)
		case !writes.IsZero() && !time.Now().Before(writes):
			return sent, os.ErrDeadlineExceeded
		}
		s.wait(unix.POLLOUT, writes)
	}
	return sent, nil
}

// wait waits until the socket is ready, a deadline passes or somebody rings,
// and takes up to a millisecond longer.
func (s *socket) wait(events int16, until time.Time) {
	limit := -1
	if !until.IsZero() {
		limit = int(min(time.Until(until), time.Hour).Milliseconds()) + 1
	}
	waits := []unix.PollFd{{Fd: int32(s.fd), Events: events}, {Fd: int32(s.bell), Events: unix.POLLIN}}
	if events == unix.POLLOUT {
		waits = waits[:1] // the bell is Read's
	}
	_, _ = unix.Poll(waits, max(limit, -1)) // the caller looks again, whatever it says
	if len(waits) > 1 && waits[1].Revents != 0 {
		var rung [8]byte
		_, _ = unix.Read(s.bell, rung[:])
	}
}
