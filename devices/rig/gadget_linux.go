package rig

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/counterproof/counterproof/devices/sim/usbip"
)

// gadgets is where the kernel takes descriptions of gadgets (configfs).
const gadgets = "/sys/kernel/config/usb_gadget"

// controllers is how many host controllers without hardware the machine has.
const controllers = 4

// Function is what a gadget does, as the kernel's gadget driver has it.
type Function struct {
	name  string
	files map[string]string
	node  func(dir string) string // the device side's node
}

// Serial is a serial line (CDC-ACM).
func Serial() Function {
	return Function{name: "acm.counter", node: func(dir string) string {
		return "/dev/ttyGS" + read(dir+"/port_num")
	}}
}

// HID is a HID device with its report descriptor and reports of up to 64 bytes.
func HID(reports []byte) Function {
	return Function{
		name:  "hid.counter",
		files: map[string]string{"protocol": "0", "subclass": "0", "report_length": "64", "report_desc": string(reports)},
		node: func(dir string) string {
			return nodeName("/sys/dev/char/" + read(dir+"/dev"))
		},
	}
}

// Printer is a printer in both directions with its IEEE 1284 device identifier.
// The machine can have one at a time.
func Printer(deviceID string) Function {
	return Function{
		name:  "printer.counter",
		files: map[string]string{"pnp_string": deviceID, "q_len": "10"},
		node:  func(string) string { return "/dev/g_printer0" },
	}
}

// Gadget is a device that the kernel plays.
type Gadget struct {
	dir        string
	function   Function
	controller int // its number; below 0 before it was first plugged in
	port       Port
	plugged    bool
}

// NewGadget describes a gadget to the kernel and plugs it in. It is taken away
// when the test ends; until then whoever opened Device has to close it.
func NewGadget(tb testing.TB, id usbip.Identity, f Function) *Gadget {
	tb.Helper()
	g := &Gadget{function: f, controller: -1}
	g.describe(tb, id)
	g.Plug(tb)
	return g
}

// describe writes the gadget's folder and has it removed after the test.
func (g *Gadget) describe(tb testing.TB, id usbip.Identity) {
	tb.Helper()
	g.dir = fresh(tb)
	strings, config := g.dir+"/strings/0x409", g.dir+"/configs/c.1"
	function := g.dir + "/functions/" + g.function.name
	tb.Cleanup(func() {
		g.Unplug(tb)
		for _, path := range []string{config + "/" + g.function.name, config, function, strings, g.dir} {
			if err := os.Remove(path); err != nil {
				tb.Errorf("taking the gadget away: %v", err)
			}
		}
	})
	for _, dir := range []string{strings, config, function} {
		if err := os.Mkdir(dir, 0o755); err != nil {
			tb.Fatalf("describing a gadget: %v", err)
		}
	}
	files := map[string]string{
		g.dir + "/idVendor": hex(id.Vendor), g.dir + "/idProduct": hex(id.Product), g.dir + "/bcdUSB": "0x0200", g.dir + "/bcdDevice": "0x0100",
		strings + "/manufacturer": id.Maker, strings + "/product": id.Name, strings + "/serialnumber": id.Serial,
	}
	for name, content := range g.function.files {
		files[function+"/"+name] = content
	}
	for path, content := range files {
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			tb.Fatalf("describing a gadget: %v", err)
		}
	}
	if err := os.Symlink(function, config+"/"+g.function.name); err != nil {
		tb.Fatalf("describing a gadget: %v", err)
	}
}

// fresh makes the folder of a gadget with a number that is not taken.
func fresh(tb testing.TB) string {
	tb.Helper()
	for n := range 100 {
		dir := filepath.Join(gadgets, fmt.Sprintf("counter%d", n))
		err := os.Mkdir(dir, 0o755)
		if err == nil {
			return dir
		}
		if !errors.Is(err, os.ErrExist) {
			tb.Fatalf("describing a gadget: %v", err)
		}
	}
	tb.Fatal("a hundred gadgets are there already")
	return ""
}

// Plug plugs the gadget into a free controller, later on into the same one again,
// and waits until the kernel has configured it.
func (g *Gadget) Plug(tb testing.TB) {
	tb.Helper()
	if g.plugged {
		return
	}
	if g.port.dir != "" {
		g.port.Empty(tb)
	}
	first, last := 0, controllers-1
	if g.controller >= 0 {
		first, last = g.controller, g.controller
	}
	var err error
	for n := first; n <= last && !g.plugged; n++ {
		err = g.bind("dummy_udc." + strconv.Itoa(n))
		if err == nil {
			g.controller, g.plugged = n, true
		}
	}
	if !g.plugged {
		tb.Fatalf("plugging a gadget in: %v", err)
	}
	g.port = rootPort(tb, "/sys/devices/platform/dummy_hcd."+strconv.Itoa(g.controller), "1")
	g.port.Here(tb)
}

// Unplug pulls the gadget out.
func (g *Gadget) Unplug(tb testing.TB) {
	tb.Helper()
	if !g.plugged {
		return
	}
	if err := g.bind("\n"); err != nil && !errors.Is(err, unix.ENODEV) {
		tb.Fatalf("pulling a gadget out: %v", err)
	}
	g.plugged = false
}

// bind writes which controller the gadget is plugged into.
func (g *Gadget) bind(controller string) error {
	return os.WriteFile(g.dir+"/UDC", []byte(controller), 0o644)
}

// Port is where the gadget is plugged in.
func (g *Gadget) Port() Port { return g.port }

// Device is the node of the device's side: what is written there the host reads.
func (g *Gadget) Device(tb testing.TB) string {
	tb.Helper()
	node := ""
	await(tb, "the device side of "+g.function.name, func() bool {
		node = g.function.node(g.dir + "/functions/" + g.function.name)
		_, err := os.Stat(node)
		return err == nil
	})
	return node
}

func hex(v uint16) string { return fmt.Sprintf("0x%04x", v) }

// read reads a file of one line.
func read(path string) string {
	return Port{dir: filepath.Dir(path)}.Attribute(filepath.Base(path))
}
