package video

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/counterproof/counterproof/devices"
)

// kernel is what this port asks of an opened node. Tests put a camera of their
// own in its place.
type kernel interface {
	// call does an ioctl with a structure of this package.
	call(c command, p unsafe.Pointer) error
	// mapped is the memory of a buffer.
	mapped(offset int64, length int) ([]byte, error)
	unmap(b []byte) error
	// wait returns when a frame is there; false once after wake was called.
	wait() (bool, error)
	wake()
	close() error
}

// node is an opened /dev/video file.
type node struct {
	fd   int
	bell int // an eventfd that ends a wait
}

// openNode opens a camera's node without waiting.
func openNode(path string) (*node, error) {
	fd, err := unix.Open(path, unix.O_RDWR|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	bell, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		return nil, errors.Join(err, unix.Close(fd))
	}
	return &node{fd: fd, bell: bell}, nil
}

func (n *node) call(c command, p unsafe.Pointer) error {
	for {
		_, _, e := unix.Syscall(unix.SYS_IOCTL, uintptr(n.fd), uintptr(c), uintptr(p))
		switch e {
		case 0:
			return nil
		case unix.EINTR:
			continue
		}
		return e
	}
}

func (n *node) mapped(offset int64, length int) ([]byte, error) {
	return unix.Mmap(n.fd, offset, length, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
}

func (n *node) unmap(b []byte) error { return unix.Munmap(b) }

// wait polls the camera and the bell. An error of the poll is told by the
// buffer that is taken next, except that the node is no more.
func (n *node) wait() (bool, error) {
	polled := []unix.PollFd{{Fd: int32(n.fd), Events: unix.POLLIN}, {Fd: int32(n.bell), Events: unix.POLLIN}}
	for {
		_, err := unix.Poll(polled, -1)
		switch {
		case errors.Is(err, unix.EINTR):
			continue
		case err != nil:
			return false, err
		case polled[1].Revents != 0:
			var b [8]byte
			_, _ = unix.Read(n.bell, b[:]) // whoever rang has said why before
			return false, nil
		case polled[0].Revents&(unix.POLLHUP|unix.POLLNVAL) != 0:
			return false, unix.ENODEV
		case polled[0].Revents&unix.POLLERR != 0 && polled[0].Revents&unix.POLLIN == 0:
			return false, unix.ENODEV // the stream has been torn down under us
		}
		return true, nil
	}
}

// wake ends the wait, the present one or the next.
func (n *node) wake() {
	_, _ = unix.Write(n.bell, []byte{1, 0, 0, 0, 0, 0, 0, 0}) // a full counter is a bell that rings
}

func (n *node) close() error { return errors.Join(unix.Close(n.fd), unix.Close(n.bell)) }

// kindOf says what the kernel's errors mean for a camera.
func kindOf(err error) devices.Kind {
	for _, k := range []struct {
		of   syscall.Errno
		kind devices.Kind
	}{
		{unix.ENODEV, devices.Gone}, {unix.ENXIO, devices.Gone}, {unix.ENOENT, devices.Missing},
		{unix.EACCES, devices.Permission}, {unix.EPERM, devices.Permission}, {unix.EBUSY, devices.InUse},
		{unix.ENOTTY, devices.Unsupported}, {unix.EINVAL, devices.Unsupported}, {unix.ENOSPC, devices.Unsupported},
		{unix.ETIMEDOUT, devices.Timeout},
	} {
		if errors.Is(err, k.of) {
			return k.kind
		}
	}
	return devices.Protocol
}

// cancelled is the fault of a wait whose caller gave up.
func cancelled(ctx context.Context) error {
	return fault(filming, devices.Cancelled, context.Cause(ctx))
}

// text is a name in a fixed field, which may not end.
func text(b []byte) string {
	name, _, _ := bytes.Cut(b, []byte{0})
	return strings.ToValidUTF8(string(name), "")
}
