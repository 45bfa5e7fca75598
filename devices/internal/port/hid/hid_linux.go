package hid

import (
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/counterproof/counterproof/devices"
)

// maxDescriptor is the longest report descriptor (HID_MAX_DESCRIPTOR_SIZE).
const maxDescriptor = 4096

// node is an opened /dev/hidraw file. The runtime's poller waits for it, so
// that deadlines and Close end a wait at once.
type node struct {
	*os.File
	raw syscall.RawConn
}

// openHandle opens a hidraw node (Documentation/hid/hidraw.rst of the kernel).
func openHandle(path string) (handle, Info, []byte, error) {
	f, err := os.OpenFile(path, os.O_RDWR|unix.O_NONBLOCK|unix.O_NOCTTY, 0)
	if err != nil {
		return nil, Info{}, nil, err
	}
	n, err := newNode(f)
	if err != nil {
		return nil, Info{}, nil, errors.Join(err, f.Close())
	}
	info, descriptor, err := n.about()
	if err != nil {
		return nil, Info{}, nil, errors.Join(err, f.Close())
	}
	return n, info, descriptor, nil
}

func newNode(f *os.File) (*node, error) {
	raw, err := f.SyscallConn()
	return &node{File: f, raw: raw}, err
}

// about asks the device what it is. The name and the path may be missing.
func (n *node) about() (info Info, descriptor []byte, err error) {
	failed := n.raw.Control(func(fd uintptr) {
		var size int
		if size, err = unix.IoctlGetInt(int(fd), unix.HIDIOCGRDESCSIZE); err != nil {
			return
		}
		d := unix.HIDRawReportDescriptor{Size: uint32(min(max(size, 0), maxDescriptor))}
		if err = unix.IoctlHIDGetDesc(int(fd), &d); err != nil {
			return
		}
		if descriptor, err = described(&d, size); err != nil {
			return
		}
		var is *unix.HIDRawDevInfo
		if is, err = unix.IoctlHIDGetRawInfo(int(fd)); err != nil {
			return
		}
		info = Info{Bus: is.Bustype, Vendor: uint16(is.Vendor), Product: uint16(is.Product)}
		info.Name, _ = unix.IoctlHIDGetRawName(int(fd))
		info.Path, _ = unix.IoctlHIDGetRawPhys(int(fd))
	})
	return info, descriptor, errors.Join(failed, err)
}

// described is a descriptor of the size that was told.
func described(d *unix.HIDRawReportDescriptor, size int) ([]byte, error) {
	if size < 1 || size > maxDescriptor || int(d.Size) != size {
		return nil, fmt.Errorf("a report descriptor of %d bytes", size)
	}
	return append([]byte(nil), d.Value[:size]...), nil
}

// read reads when there is something, and knows a device that is gone also by
// the poll: older kernels tell a reader that does not wait only to come again.
func (n *node) read(p []byte) (got int, err error) {
	waited := n.raw.Read(func(fd uintptr) bool {
		got, err = readNow(int(fd), p)
		return !errors.Is(err, unix.EAGAIN)
	})
	return max(got, 0), errors.Join(waited, ignoreAgain(err))
}

func ignoreAgain(err error) error {
	if errors.Is(err, unix.EAGAIN) {
		return nil
	}
	return err
}

// readNow reads without waiting.
func readNow(fd int, p []byte) (int, error) {
	for {
		n, err := unix.Read(fd, p)
		switch {
		case errors.Is(err, unix.EINTR):
			continue
		case n > 0, err != nil && !errors.Is(err, unix.EAGAIN):
			return n, err
		case hungUp(fd):
			return 0, unix.ENODEV
		}
		return 0, err
	}
}

// hungUp tells whether the device was pulled out.
func hungUp(fd int) bool {
	polled := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
	_, err := unix.Poll(polled, 0)
	return err == nil && polled[0].Revents&(unix.POLLHUP|unix.POLLERR|unix.POLLNVAL) != 0
}

// write writes without a second try: a report goes whole or not at all.
func (n *node) write(p []byte) (wrote int, err error) {
	waited := n.raw.Write(func(fd uintptr) bool {
		for {
			if wrote, err = unix.Write(int(fd), p); !errors.Is(err, unix.EINTR) {
				return !errors.Is(err, unix.EAGAIN)
			}
		}
	})
	return max(wrote, 0), errors.Join(waited, ignoreAgain(err))
}

func (n *node) drop(p []byte) (dropped bool, err error) {
	failed := n.raw.Control(func(fd uintptr) {
		_, err = readNow(int(fd), p)
	})
	if errors.Is(err, unix.EAGAIN) {
		return false, failed
	}
	return err == nil && failed == nil, errors.Join(failed, err)
}

func (n *node) there() bool {
	gone := true
	err := n.raw.Control(func(fd uintptr) { gone = hungUp(int(fd)) })
	return err == nil && !gone
}

func (n *node) deadline(of way, at time.Time) error { return of.setter(n.File)(at) }

// openKind says what the kernel's errors mean on opening.
func openKind(err error) devices.Kind {
	for kind, errs := range map[devices.Kind][]unix.Errno{
		devices.Missing:    {unix.ENOENT, unix.ENXIO, unix.ENODEV, unix.EIO},
		devices.Permission: {unix.EACCES, unix.EPERM, unix.EROFS},
		devices.InUse:      {unix.EBUSY},
	} {
		for _, e := range errs {
			if errors.Is(err, e) {
				return kind
			}
		}
	}
	return devices.Unsupported
}

// lost tells whether an error says by itself that the device is gone.
func lost(err error) bool {
	for _, e := range []unix.Errno{unix.EIO, unix.ENXIO, unix.ENODEV, unix.ESHUTDOWN} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}
