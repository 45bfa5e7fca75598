package bus

import (
	"context"
	"errors"
	"time"

	"golang.org/x/sys/unix"
)

// maxUevent is the most that the kernel puts into one message, and some more.
const maxUevent = 16 << 10

// ears hear the kernel's own messages.
type ears struct {
	fd, bell int // negative where the kernel does not tell
	buffer   []byte
}

// listen begins to hear.
func listen() (*ears, error) {
	e := &ears{fd: -1, bell: -1, buffer: make([]byte, maxUevent)}
	var err error
	if e.bell, err = unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK); err != nil {
		return e, err
	}
	e.fd, err = unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, unix.NETLINK_KOBJECT_UEVENT)
	if err == nil {
		err = unix.Bind(e.fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Groups: 1})
	}
	return e, err
}

// close ends hearing.
func (e *ears) close() {
	for _, fd := range []int{e.fd, e.bell} {
		if fd >= 0 {
			_ = unix.Close(fd)
		}
	}
}

// wait returns a message of the kernel, or nothing after a time or when ctx
// ended.
func (e *ears) wait(ctx context.Context, d time.Duration) (m uevent, heard bool) {
	defer context.AfterFunc(ctx, func() { _, _ = unix.Write(e.bell, []byte{1, 0, 0, 0, 0, 0, 0, 0}) })()
	polled := []unix.PollFd{{Fd: int32(e.fd), Events: unix.POLLIN}, {Fd: int32(e.bell), Events: unix.POLLIN}}
	for until := time.Now().Add(d); ctx.Err() == nil; {
		left := time.Until(until)
		if left <= 0 {
			return m, false
		}
		_, err := unix.Poll(polled, int(left/time.Millisecond)+1) // a negative descriptor is passed over
		if err != nil && !errors.Is(err, unix.EINTR) {
			return m, false
		}
		if m, heard = e.read(); heard {
			return m, true
		}
	}
	return m, false
}

// read takes one message that matters, without waiting.
func (e *ears) read() (m uevent, ok bool) {
	if e.fd < 0 {
		return m, false
	}
	for {
		n, from, err := unix.Recvfrom(e.fd, e.buffer, 0)
		if err != nil {
			return m, false // nothing more, or too much came at once: the backstop sees what is
		}
		if sender, is := from.(*unix.SockaddrNetlink); !is || sender.Pid != 0 {
			continue // not the kernel
		}
		if m, ok = parseUevent(e.buffer[:n]); ok && m.matters() {
			return m, true
		}
	}
}
