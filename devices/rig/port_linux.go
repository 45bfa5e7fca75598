package rig

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Plug is a device that can be plugged into the kernel and pulled out.
type Plug interface {
	// Plug plugs it in, into the port that it had before, and returns when the
	// kernel has noticed.
	Plug(tb testing.TB)
	// Unplug pulls it out and returns at once.
	Unplug(tb testing.TB)
	// Port is where it is plugged in.
	Port() Port
}

// Port is a place to plug a device into, by the path that the kernel has for it
// in /sys.
type Port struct {
	dir string // of the device that is plugged in there
}

// Path is the port's path as the kernel writes it: "3-1".
func (p Port) Path() string { return filepath.Base(p.dir) }

// DevPath is the path that the kernel's uevents have for the device.
func (p Port) DevPath() string { return strings.TrimPrefix(p.dir, "/sys") }

// Attribute reads a file of the device's folder in /sys, such as idVendor; ""
// where it has none.
func (p Port) Attribute(name string) string {
	b, err := os.ReadFile(filepath.Join(p.dir, name))
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(b))
}

// Node waits for the device's node of a class of the kernel ("tty", "hidraw",
// "usbmisc", "video4linux") and returns its path below /dev.
func (p Port) Node(tb testing.TB, class string) string {
	tb.Helper()
	node := ""
	await(tb, "a node of class "+class+" on "+p.Path(), func() bool {
		node = p.node(class)
		return node != ""
	})
	return node
}

// node finds the node among all of a class; of a camera's the first, because the
// others carry no pictures.
func (p Port) node(class string) string {
	all, err := filepath.Glob("/sys/class/" + class + "/*")
	if err != nil {
		return ""
	}
	for _, dir := range all {
		device, err := filepath.EvalSymlinks(dir)
		if err != nil || !strings.HasPrefix(device, p.dir+"/") {
			continue
		}
		index, err := os.ReadFile(dir + "/index")
		if err == nil && string(bytes.TrimSpace(index)) != "0" {
			continue
		}
		name := nodeName(dir)
		if _, err := os.Stat(name); err == nil { // the kernel makes it last
			return name
		}
	}
	return ""
}

// nodeName reads where the kernel made the node of a device.
func nodeName(dir string) string {
	b, err := os.ReadFile(dir + "/uevent")
	if err != nil {
		return ""
	}
	name := parseUevent(bytes.ReplaceAll(b, []byte("\n"), []byte{0}))["DEVNAME"]
	if name == "" {
		return ""
	}
	return "/dev/" + name
}

// Here waits until a device is configured in the port: its interfaces are there.
func (p Port) Here(tb testing.TB) {
	tb.Helper()
	await(tb, "a device on "+p.Path(), p.occupied)
}

// Empty waits until the kernel has forgotten the device.
func (p Port) Empty(tb testing.TB) {
	tb.Helper()
	await(tb, p.Path()+" to be empty", func() bool {
		_, err := os.Stat(p.dir)
		return err != nil
	})
}

func (p Port) occupied() bool {
	interfaces, err := filepath.Glob(p.dir + "/" + p.Path() + ":*")
	return err == nil && len(interfaces) > 0
}

// rootPort is the nth port, counted from 1, of a host controller's high-speed
// root hub.
func rootPort(tb testing.TB, controller string, n string) Port {
	tb.Helper()
	hubs, err := filepath.Glob(controller + "/usb*")
	if err != nil {
		tb.Fatal(err)
	}
	for _, hub := range hubs {
		speed, err := os.ReadFile(hub + "/speed")
		if err == nil && string(bytes.TrimSpace(speed)) == "480" {
			bus := strings.TrimPrefix(filepath.Base(hub), "usb")
			return Port{dir: hub + "/" + bus + "-" + n}
		}
	}
	tb.Fatalf("%s has no high-speed root hub", controller)
	return Port{}
}
