package usb

import (
	"cmp"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// plugs is what the system shows of its USB devices without one being opened:
// sysfs and procfs of Linux. Where there is none it knows nothing.
type plugs struct{ sys, proc string }

func newPlugs(cfg Config) plugs {
	return plugs{sys: filepath.Join(cmp.Or(cfg.Sys, "/sys"), "bus/usb/devices"), proc: cmp.Or(cfg.Proc, "/proc")}
}

// place is how the kernel names one, so that no other file is asked for.
var place = regexp.MustCompile(`^[0-9]{1,3}-[0-9]{1,3}(\.[0-9]{1,3}){0,6}$`)

// shows tells whether the system shows anything at all.
func (p plugs) shows() bool {
	_, err := os.Stat(p.sys)
	return err == nil
}

// maxAttribute bounds a file of sysfs, in bytes.
const maxAttribute = 4096

// attribute is a line about a device; "" where there is none.
func (p plugs) attribute(portPath, name string) string {
	if !place.MatchString(portPath) {
		return ""
	}
	f, err := os.Open(filepath.Join(p.sys, portPath, name))
	if err != nil {
		return ""
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxAttribute))
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(b))
}

// number is an attribute as a decimal number; 0 where it is none.
func (p plugs) number(portPath, name string) int {
	n, err := strconv.ParseUint(p.attribute(portPath, name), 10, 16)
	if err != nil {
		return 0
	}
	return int(n)
}

// inUse is the configuration of a device; 0 where it is not known.
func (p plugs) inUse(portPath string) int { return p.number(portPath, "bConfigurationValue") }

// address is the number on the bus of what is plugged in there; 0 for nothing.
func (p plugs) address(portPath string) int { return p.number(portPath, "devnum") }

// called fills in what a device calls itself.
func (p plugs) called(d *Device) {
	d.Serial = printable(p.attribute(d.PortPath, "serial"))
	d.Manufacturer = printable(p.attribute(d.PortPath, "manufacturer"))
	d.Name = printable(p.attribute(d.PortPath, "product"))
}

// driver is the kernel's driver of an interface; "" where it has none. A program
// that took the interface counts as the driver usbfs.
func (p plugs) driver(d Device, number int) string {
	if !place.MatchString(d.PortPath) {
		return ""
	}
	link := fmt.Sprintf("%s:%d.%d/driver", d.PortPath, d.Configuration, number)
	target, err := os.Readlink(filepath.Join(p.sys, link))
	if err != nil {
		return ""
	}
	return printable(filepath.Base(target))
}

// usbfs is the driver of interfaces that a program has taken.
const usbfs = "usbfs"

// holder names who has an interface: a program whose open files we may see, else
// the kernel's driver.
func (p plugs) holder(d Device, number int) string {
	driver := p.driver(d, number)
	if driver != "" && driver != usbfs {
		return driver
	}
	node := fmt.Sprintf("/dev/bus/usb/%03d/%03d", busOf(d.PortPath), d.Address)
	processes, _ := os.ReadDir(p.proc) // as many as could be read
	for _, process := range processes {
		pid, err := strconv.Atoi(process.Name())
		if err != nil || pid == os.Getpid() || !p.has(process.Name(), node) {
			continue
		}
		if name, err := os.ReadFile(filepath.Join(p.proc, process.Name(), "comm")); err == nil {
			return printable(string(name))
		}
	}
	return ""
}

// has tells whether a process has a node open.
func (p plugs) has(pid, node string) bool {
	folder := filepath.Join(p.proc, pid, "fd")
	files, _ := os.ReadDir(folder) // none of a process that is not ours to see
	for _, f := range files {
		if target, err := os.Readlink(filepath.Join(folder, f.Name())); err == nil && target == node {
			return true
		}
	}
	return false
}

// busOf is the number of the bus in a port path.
func busOf(portPath string) int {
	bus, _, _ := strings.Cut(portPath, "-")
	n, err := strconv.Atoi(bus)
	if err != nil {
		return 0
	}
	return n
}
