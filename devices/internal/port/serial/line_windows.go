package serial

import (
	"errors"

	"github.com/tarm/serial"
	"golang.org/x/sys/windows"

	"github.com/counterproof/counterproof/devices"
)

// com is a communications port. The library opens it for us alone, and its
// Flush ends transfers that are under way.
type com struct{ *serial.Port }

func openLine(path string, s Settings) (line, error) {
	p, err := openLibrary(path, s)
	if err != nil {
		return nil, err
	}
	return com{p}, nil
}

// stop ends the Write that is under way. A Read ends too, and is asked again by
// the port.
func (c com) stop(now bool) {
	if now {
		_ = c.Flush()
	}
}

// there cannot be asked without losing what came; a port that was pulled out
// fails each transfer with an error of its own, so that nothing hangs on it.
func (com) there() error { return nil }

func (c com) forget() error { return c.Flush() }

// lock is left to Windows, which gives a port to one program.
func lock(string, Settings) (unlock func() error, err error) {
	return func() error { return nil }, nil
}

// holder is not known: Windows does not tell.
func holder(string) string { return "" }

// openKind says what the errors of Windows mean on opening. A port that another
// program has is "access denied".
func openKind(err error) devices.Kind {
	for kind, errs := range map[devices.Kind][]error{
		devices.Missing: {windows.ERROR_FILE_NOT_FOUND, windows.ERROR_PATH_NOT_FOUND, windows.ERROR_DEVICE_NOT_CONNECTED},
		devices.InUse:   {windows.ERROR_ACCESS_DENIED, windows.ERROR_SHARING_VIOLATION},
	} {
		for _, e := range errs {
			if errors.Is(err, e) {
				return kind
			}
		}
	}
	return devices.Unsupported
}

// lost tells whether an error says that the port is gone. Drivers of adapter
// cables differ in which they give.
func lost(err error) bool {
	for _, e := range []error{
		windows.ERROR_ACCESS_DENIED, windows.ERROR_BAD_COMMAND, windows.ERROR_DEVICE_NOT_CONNECTED,
		windows.ERROR_DEVICE_REMOVED, windows.ERROR_FILE_NOT_FOUND, windows.ERROR_GEN_FAILURE,
		windows.ERROR_INVALID_HANDLE, windows.ERROR_NO_SUCH_DEVICE,
	} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}
