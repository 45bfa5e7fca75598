package bus

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/counterproof/counterproof/devices/profile"
)

// The folders of sysfs (Documentation/ABI of the kernel) in which things stand
// that a counter uses, with the bus that each is found on.
var classes = []struct {
	folder string
	bus    profile.Bus
	names  *regexp.Regexp
	node   string // before the name, below /dev
}{
	{"class/tty", profile.BusSerial, regexp.MustCompile(`^tty(ACM|USB|S|AMA)[0-9]{1,3}$`), ""},
	{"class/hidraw", profile.BusHID, regexp.MustCompile(`^hidraw[0-9]{1,3}$`), ""},
	{"class/video4linux", profile.BusVideo, regexp.MustCompile(`^video[0-9]{1,3}$`), ""},
	{"class/usbmisc", profile.BusUSB, regexp.MustCompile(`^lp[0-9]{1,3}$`), "usb/"},
}

// maxAttribute bounds a file of sysfs, in bytes; a report descriptor has 4096.
const maxAttribute = 8 << 10

// look finds what the kernel has. A class that does not exist has nothing.
func look(sys, dev string) ([]profile.Found, error) {
	if _, err := os.Stat(sys); err != nil {
		return nil, errors.New("the kernel shows no devices")
	}
	var found []profile.Found
	bound := map[string]bool{} // interfaces that a driver of the kernel has taken
	for _, c := range classes {
		for _, name := range entries(filepath.Join(sys, c.folder)) {
			if !c.names.MatchString(name) || len(found) >= maxFound {
				continue
			}
			at := filepath.Join(sys, c.folder, name)
			f := profile.Found{Bus: c.bus, PortPath: name, Node: filepath.Join(dev, c.node+name)}
			if !describe(&f, at, bound) {
				continue
			}
			found = append(found, f)
		}
	}
	return append(found, unbound(sys, bound)...), nil
}

// entries lists a folder; nothing where there is none.
func entries(dir string) []string {
	list, err := os.ReadDir(dir)
	if err != nil {
		return nil
	}
	var names []string
	for _, e := range list {
		names = append(names, e.Name())
	}
	return names
}

// describe fills in what stands around a node. False where the node is not one
// to use: a camera's second node for its figures, a serial line without a chip.
func describe(f *profile.Found, at string, bound map[string]bool) bool {
	real, err := filepath.EvalSymlinks(filepath.Join(at, "device"))
	if err != nil {
		return false
	}
	switch f.Bus {
	case profile.BusVideo:
		if attribute(at, "index") != "0" {
			return false
		}
		f.Name = attribute(at, "name")
	case profile.BusHID:
		f.UsagePage, f.Usage = usage([]byte(raw(real, "report_descriptor")))
	case profile.BusSerial:
		if strings.HasPrefix(f.PortPath, "ttyS") && attribute(at, "type") == "0" {
			return false // no chip is there
		}
	}
	iface, device := ancestors(real)
	if iface == "" {
		return true
	}
	bound[filepath.Base(iface)] = true
	usb(f, iface, device)
	return true
}

// ancestors finds the USB interface and the USB device that a thing is part of.
func ancestors(dir string) (iface, device string) {
	for depth := 0; depth < 32 && len(dir) > 1; depth++ {
		if iface == "" && attribute(dir, "bInterfaceNumber") != "" {
			iface = dir
		}
		if attribute(dir, "idVendor") != "" {
			return iface, dir
		}
		dir = filepath.Dir(dir)
	}
	return "", ""
}

// usb fills in what a USB device says of itself.
func usb(f *profile.Found, iface, device string) {
	f.PortPath = filepath.Base(device)
	f.Vendor, f.Product = hex16(attribute(device, "idVendor")), hex16(attribute(device, "idProduct"))
	f.Serial, f.Manufacturer = attribute(device, "serial"), attribute(device, "manufacturer")
	if name := attribute(device, "product"); name != "" {
		f.Name = name
	}
	f.Interface = int(hex16(attribute(iface, "bInterfaceNumber")))
	part := func(name string) uint8 { return uint8(hex16(attribute(iface, name))) }
	f.Class = profile.ClassOf(part("bInterfaceClass"), part("bInterfaceSubClass"), part("bInterfaceProtocol"))
	f.DeviceID = attribute(iface, "ieee1284_id")
}

// unbound finds interfaces of USB devices that no node stands for: a printer
// whose kernel driver is not there, a chip reader, a maker's own protocol.
func unbound(sys string, bound map[string]bool) (found []profile.Found) {
	dir := filepath.Join(sys, "bus/usb/devices")
	for _, name := range entries(dir) {
		if !strings.Contains(name, ":") || bound[name] || len(found) >= maxFound {
			continue
		}
		real, err := filepath.EvalSymlinks(filepath.Join(dir, name))
		if err != nil {
			continue
		}
		f := profile.Found{Bus: profile.BusUSB}
		iface, device := ancestors(real)
		if iface == "" || device == "" {
			continue
		}
		usb(&f, iface, device)
		if strings.HasPrefix(string(f.Class), "09") {
			continue // a hub
		}
		found = append(found, f)
	}
	return found
}

// attribute is a file of sysfs as a line of text.
func attribute(dir, name string) string {
	return strings.TrimSpace(strings.ToValidUTF8(raw(dir, name), ""))
}

// raw is a file of sysfs, bounded; "" where it is not there.
func raw(dir, name string) string {
	f, err := os.OpenFile(filepath.Join(dir, name), os.O_RDONLY, 0)
	if err != nil {
		return ""
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return ""
	}
	b, err := io.ReadAll(io.LimitReader(f, maxAttribute))
	if err != nil && !errors.Is(err, fs.ErrClosed) {
		return ""
	}
	return string(b)
}

// hex16 reads a number as sysfs writes it: four or two digits.
func hex16(s string) uint16 {
	n, err := strconv.ParseUint(s, 16, 16)
	if err != nil {
		return 0
	}
	return uint16(n)
}

// fingerprint changes when something is plugged in or pulled out.
func fingerprint(sys string) string {
	var all []string
	for _, c := range classes {
		for _, name := range entries(filepath.Join(sys, c.folder)) {
			if c.names.MatchString(name) {
				target, _ := os.Readlink(filepath.Join(sys, c.folder, name)) // without one the name must do
				all = append(all, c.folder+"/"+name+" "+target)
			}
		}
	}
	all = append(all, entries(filepath.Join(sys, "bus/usb/devices"))...)
	slices.Sort(all)
	return strings.Join(all, "\n")
}
