package hid

import (
	"errors"
	"fmt"
	"io"
	"os"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/windows"

	"github.com/counterproof/counterproof/devices"
)

// queued is how many reports Windows keeps for us; its own figure is 32.
const queued = 64

// parsed is HIDP_STATUS_SUCCESS: the functions HidP_ answer with it.
const parsed = 0x00110000

// attributes is HIDD_ATTRIBUTES of hidsdi.h.
type attributes struct {
	size                     uint32
	vendor, product, version uint16
}

// caps is HIDP_CAPS of hidpi.h. The lengths count the report's number, which
// stands before each report here, 0 where the device has none.
type caps struct {
	usage, usagePage       uint16
	input, output, feature uint16
	reserved               [17]uint16
	collections            uint16
	inputButtons           uint16
	inputValues            uint16
	inputIndices           uint16
	outputButtons          uint16
	outputValues           uint16
	outputIndices          uint16
	featureButtons         uint16
	featureValues          uint16
	featureIndices         uint16
}

// library is hid.dll.
type library struct{ *windows.LazyDLL }

func hidLibrary() library { return library{windows.NewLazySystemDLL("hid.dll")} }

// call calls a function that answers with a BOOLEAN or a status. What args
// point to stays where it is until then.
//
//go:uintptrescapes
func (l library) call(name string, args ...uintptr) (uintptr, error) {
	f := l.NewProc(name)
	if err := f.Find(); err != nil {
		return 0, err
	}
	r, _, err := f.Call(args...)
	return r & 0xffffffff, err
}

// yes calls a function that answers with a BOOLEAN, of which the lowest byte
// counts.
//
//go:uintptrescapes
func (l library) yes(name string, args ...uintptr) error {
	r, err := l.call(name, args...)
	if r&0xff == 0 {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// device is an opened device interface. It was opened for overlapped calls, so
// that the runtime waits for it, and deadlines and Close end a wait at once.
type device struct {
	*os.File
	hid   library
	sizes caps
	gone  atomic.Bool
}

// openHandle opens a device interface of the HID class. Windows keeps keyboards
// and mice to itself.
func openHandle(path string) (handle, Info, []byte, error) {
	name, err := windows.UTF16PtrFromString(path)
	if err != nil {
		return nil, Info{}, nil, err
	}
	h, err := windows.CreateFile(name, windows.GENERIC_READ|windows.GENERIC_WRITE,
		windows.FILE_SHARE_READ|windows.FILE_SHARE_WRITE, nil, windows.OPEN_EXISTING, windows.FILE_FLAG_OVERLAPPED, 0)
	if err != nil {
		return nil, Info{}, nil, err
	}
	d := &device{hid: hidLibrary()}
	info, err := d.about(h, path)
	if err != nil {
		return nil, Info{}, nil, errors.Join(err, windows.CloseHandle(h))
	}
	d.File = os.NewFile(uintptr(h), path)
	if err := d.SetReadDeadline(time.Time{}); err != nil { // a Read could not be ended
		return nil, Info{}, nil, errors.Join(err, d.Close())
	}
	return d, info, nil, nil
}

// about asks the device what it is, and how long its reports are.
func (d *device) about(h windows.Handle, path string) (Info, error) {
	is := attributes{size: uint32(unsafe.Sizeof(attributes{}))}
	if err := d.hid.yes("HidD_GetAttributes", uintptr(h), uintptr(unsafe.Pointer(&is))); err != nil {
		return Info{}, err
	}
	var data uintptr
	if err := d.hid.yes("HidD_GetPreparsedData", uintptr(h), uintptr(unsafe.Pointer(&data))); err != nil {
		return Info{}, err
	}
	status, err := d.hid.call("HidP_GetCaps", data, uintptr(unsafe.Pointer(&d.sizes)))
	if _, freed := d.hid.call("HidD_FreePreparsedData", data); status != parsed {
		return Info{}, fmt.Errorf("HidP_GetCaps: status %x: %w", status, errors.Join(err, freed))
	}
	if d.sizes.input == 0 || int(d.sizes.input) > MaxReport || int(d.sizes.output) > MaxReport {
		return Info{}, fmt.Errorf("reports of %d and %d bytes: %w", d.sizes.input, d.sizes.output, windows.ERROR_NOT_SUPPORTED)
	}
	_ = d.hid.yes("HidD_SetNumInputBuffers", uintptr(h), queued) // else its own figure
	var name [128]uint16
	_ = d.hid.yes("HidD_GetProductString", uintptr(h), uintptr(unsafe.Pointer(&name[0])), unsafe.Sizeof(name))
	name[len(name)-1] = 0
	return Info{Vendor: is.vendor, Product: is.product, Name: syscall.UTF16ToString(name[:]), Path: path}, nil
}

// read reads one report. A device that does not number its reports has a 0 put
// before each, which Linux does not do: it is taken away.
func (d *device) read(p []byte) (int, error) {
	n, err := d.Read(p[:d.sizes.input])
	switch {
	case errors.Is(err, io.EOF):
		return 0, nil
	case err != nil:
		return 0, d.noted(err)
	case n > 0 && p[0] == 0: // no report has the number 0
		return copy(p, p[1:n]), nil
	}
	return n, nil
}

// write writes one report, which Windows wants as long as the device's longest.
func (d *device) write(p []byte) (int, error) {
	if len(p) > int(d.sizes.output) {
		return 0, fmt.Errorf("a report of %d bytes: %w", len(p), windows.ERROR_INVALID_PARAMETER)
	}
	whole := make([]byte, d.sizes.output)
	copy(whole, p)
	n, err := d.Write(whole)
	return n, d.noted(err)
}

// noted remembers what tells that the device is gone.
func (d *device) noted(err error) error {
	if lost(err) {
		d.gone.Store(true)
	}
	return err
}

// drop drops all reports that wait, so that none is left for a second call.
func (d *device) drop([]byte) (dropped bool, err error) {
	raw, err := d.SyscallConn()
	if err != nil {
		return false, err
	}
	failed := raw.Control(func(h uintptr) { err = d.noted(d.hid.yes("HidD_FlushQueue", h)) })
	return false, errors.Join(failed, err)
}

func (d *device) there() bool { return !d.gone.Load() }

func (d *device) deadline(of way, at time.Time) error { return of.setter(d.File)(at) }

// openKind says what the errors of Windows mean on opening.
func openKind(err error) devices.Kind {
	for kind, errs := range map[devices.Kind][]error{
		devices.Missing: {
			windows.ERROR_FILE_NOT_FOUND, windows.ERROR_PATH_NOT_FOUND, windows.ERROR_DEVICE_NOT_CONNECTED,
			windows.ERROR_NO_SUCH_DEVICE,
		},
		devices.Permission: {windows.ERROR_ACCESS_DENIED},
		devices.InUse:      {windows.ERROR_SHARING_VIOLATION},
	} {
		for _, e := range errs {
			if errors.Is(err, e) {
				return kind
			}
		}
	}
	return devices.Unsupported
}

// lost tells whether an error says that the device is gone.
func lost(err error) bool {
	for _, e := range []error{
		windows.ERROR_BAD_COMMAND, windows.ERROR_DEVICE_NOT_CONNECTED, windows.ERROR_DEVICE_REMOVED,
		windows.ERROR_FILE_NOT_FOUND, windows.ERROR_GEN_FAILURE, windows.ERROR_NO_SUCH_DEVICE,
	} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}
