//go:build cgo

package usb

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"golang.org/x/sys/unix"
)

// usbfsClearHalt is USBDEVFS_CLEAR_HALT of linux/usbdevice_fs.h:
// _IOR('U', 21, unsigned int).
const usbfsClearHalt = 2<<30 | 4<<16 | 'U'<<8 | 21

// errNoFile is that libusb has no file of the device open.
var errNoFile = errors.New("the device has no open file")

// clearHalt ends an endpoint's stall on both sides, through the file that libusb
// opened; gousb has no call for it. The kernel refuses it on a file of another
// interface, and on any other file does nothing.
func clearHalt(bus, address int, endpoint uint8) error {
	const own = "/proc/self/fd"
	node := fmt.Sprintf("/dev/bus/usb/%03d/%03d", bus, address)
	files, err := os.ReadDir(own)
	if err != nil {
		return err
	}
	err = errNoFile
	for _, f := range files {
		fd, bad := strconv.Atoi(f.Name())
		target, gone := os.Readlink(filepath.Join(own, f.Name()))
		if bad != nil || gone != nil || target != node {
			continue
		}
		if err = unix.IoctlSetPointerInt(fd, usbfsClearHalt, int(endpoint)); err == nil {
			return nil
		}
	}
	return err
}
