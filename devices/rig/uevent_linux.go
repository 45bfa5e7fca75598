package rig

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// Uevent is what the kernel says when a device comes or goes: its words, among
// them ACTION, DEVPATH, SUBSYSTEM, DEVNAME.
type Uevent map[string]string

// Uevents listens to the kernel.
type Uevents struct{ fd int }

// Listen hears the kernel from now until the test ends.
func Listen(tb testing.TB) *Uevents {
	tb.Helper()
	u := listen(tb)
	tb.Cleanup(u.close)
	return u
}

func listen(tb testing.TB) *Uevents {
	tb.Helper()
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_KOBJECT_UEVENT)
	if err != nil {
		tb.Fatalf("listening to uevents: %v", err)
	}
	if err := unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Groups: 1}); err != nil {
		tb.Fatalf("listening to uevents: %v", err)
	}
	return &Uevents{fd}
}

func (u *Uevents) close() { unix.Close(u.fd) }

// next waits for the next uevent, at most d.
func (u *Uevents) next(d time.Duration) (Uevent, bool) {
	wait := unix.NsecToTimeval(max(d, time.Millisecond).Nanoseconds())
	if err := unix.SetsockoptTimeval(u.fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &wait); err != nil {
		return nil, false
	}
	b := make([]byte, 8<<10)
	for {
		n, err := unix.Read(u.fd, b)
		switch {
		case errors.Is(err, unix.EINTR):
		case errors.Is(err, unix.ENOBUFS):
			return Uevent{}, true // some were lost: look again
		case err != nil:
			return nil, false
		default:
			return parseUevent(b[:n]), true
		}
	}
}

// Await waits for a uevent with the given words, such as ACTION=remove; the
// others are forgotten.
func (u *Uevents) Await(tb testing.TB, want Uevent) Uevent {
	tb.Helper()
	end := time.Now().Add(patience)
	for time.Now().Before(end) {
		e, ok := u.next(time.Until(end))
		if ok && e.has(want) {
			return e
		}
	}
	tb.Fatalf("no uevent with %v within %v", want, patience)
	return nil
}

func (e Uevent) has(want Uevent) bool {
	for k, v := range want {
		if e[k] != v {
			return false
		}
	}
	return true
}

// parseUevent reads words KEY=value, each with a zero byte after it; what the
// kernel puts before them has no equals sign.
func parseUevent(b []byte) Uevent {
	e := Uevent{}
	for word := range bytes.SplitSeq(b, []byte{0}) {
		if k, v, ok := bytes.Cut(word, []byte("=")); ok {
			e[string(k)] = string(v)
		}
	}
	return e
}

// await looks again after each uevent until what is waited for is true. A second
// without one is reason to look, too: not every change has its uevent.
func await(tb testing.TB, what string, there func() bool) {
	tb.Helper()
	u := listen(tb)
	defer u.close()
	end := time.Now().Add(patience)
	for !there() {
		if time.Now().After(end) {
			tb.Fatalf("waited %v in vain for %s", patience, what)
		}
		u.next(time.Second)
	}
}
