package serial

import (
	"errors"
	"os"
	"time"

	"github.com/tarm/serial"
	"golang.org/x/sys/unix"

	"github.com/counterproof/counterproof/devices"
)

// ended is a deadline that has passed.
var ended = time.Unix(1, 0)

// tty is a terminal line, opened twice: the library's Write cannot be ended, so
// bytes leave by a way of our own, on which the line is also asked whether it
// is there.
type tty struct {
	*serial.Port
	out *os.File
	raw interface{ Control(func(fd uintptr)) error }
}

// openLine opens the library's way first, as it sets the line raw.
func openLine(path string, s Settings) (line, error) {
	in, err := openLibrary(path, s)
	if err != nil {
		return nil, err
	}
	out, err := os.OpenFile(path, os.O_WRONLY|unix.O_NOCTTY|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, errors.Join(err, in.Close())
	}
	raw, err := out.SyscallConn()
	if err != nil {
		return nil, errors.Join(err, out.Close(), in.Close())
	}
	return &tty{Port: in, out: out, raw: raw}, nil
}

func (t *tty) Write(p []byte) (int, error) { return t.out.Write(p) }

// stop ends a Write by its deadline. One that cannot be set is of a file that is
// closed.
func (t *tty) stop(now bool) {
	at := time.Time{}
	if now {
		at = ended
	}
	_ = t.out.SetWriteDeadline(at)
}

// control asks the line itself.
func (t *tty) control(ask func(fd int) error) (err error) {
	return errors.Join(t.raw.Control(func(fd uintptr) { err = ask(int(fd)) }), err)
}

// there asks for the settings, which a line that hung up has no more, and which
// costs no byte of one that did not. The node alone does not tell: it may
// outlive the line for a moment.
func (t *tty) there() error {
	err := t.control(func(fd int) error {
		_, err := unix.IoctlGetTermios(fd, unix.TCGETS)
		return err
	})
	if err != nil {
		return err
	}
	_, err = os.Stat(t.out.Name())
	return err
}

// forget does not use the library's Flush, which also drops what was written.
func (t *tty) forget() error {
	return t.control(func(fd int) error { return unix.IoctlSetInt(fd, unix.TCFLSH, unix.TCIFLUSH) })
}

func (t *tty) Close() error { return errors.Join(t.out.Close(), t.Port.Close()) }

// openKind says what the kernel's errors mean on opening.
func openKind(err error) devices.Kind {
	for kind, errs := range map[devices.Kind][]unix.Errno{
		devices.Missing:    {unix.ENOENT, unix.ENXIO, unix.ENODEV, unix.EIO},
		devices.Permission: {unix.EACCES, unix.EPERM, unix.EROFS},
		devices.InUse:      {unix.EBUSY, unix.EWOULDBLOCK},
	} {
		for _, e := range errs {
			if errors.Is(err, e) {
				return kind
			}
		}
	}
	return devices.Unsupported
}

// lost tells whether an error says by itself that the line is gone.
func lost(err error) bool {
	for _, e := range []unix.Errno{unix.EIO, unix.ENXIO, unix.ENODEV, unix.ESHUTDOWN} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}
