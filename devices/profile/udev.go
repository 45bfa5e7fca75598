package profile

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// RulesFile is the name under which the rules of Udev are installed, in
// /etc/udev/rules.d or /usr/lib/udev/rules.d. It has to come after
// 50-udev-default.rules, which asks what a USB device is, and before
// 73-seat-late.rules, which acts on the tag uaccess.
const RulesFile = "70-counterproof.rules"

// The groups that may open a device besides the person at the screen: the
// service runs as a user of its own, whom uaccess does not serve. The system has
// lp and video; whoever installs the rules makes usbscanner first, because a
// group that udev does not know leaves the node to root.
const (
	groupReaders  = "usbscanner"
	groupPrinters = "lp"
	groupCameras  = "video"
)

// access gives a node to the person at the screen and to a group.
func access(group string) []string {
	return []string{`GROUP="` + group + `"`, `MODE="0660"`, `TAG+="uaccess"`}
}

const (
	// Readers are not put to sleep: many do not wake by themselves.
	awake = `TEST=="power/control", ATTR{power/control}="on"`
	// ModemManager sends AT commands to lines that it does not know. It looks at
	// the line in new versions and at the device in old ones.
	noModem   = `ENV{ID_MM_DEVICE_IGNORE}="1"`
	noPort    = `ENV{ID_MM_PORT_IGNORE}="1"`
	usbDevice = `SUBSYSTEM=="usb", ENV{DEVTYPE}=="usb_device"`
)

// Udev writes the rules of udev (udev(7)) that let the service open what the
// set's profiles know, keep ModemManager off, and keep readers awake. A profile
// whose match udev cannot see, such as a HID usage page without a vendor, has no
// rule; nor have devices that other programs open (PC/SC, SANE, network). The
// same set gives the same bytes.
func (s Set) Udev() []byte {
	var b strings.Builder
	b.WriteString("# Counterproof: who may open the readers, cameras and printers of a counter.\n" +
		"# Written from the profiles of readers; changes belong there. Install as\n" +
		"# " + RulesFile + ", once the group " + groupReaders + " has been made: without it only the\n" +
		"# person at the screen may open a reader.\n" +
		"ACTION==\"remove\", GOTO=\"counterproof_end\"\n" +
		"# What types like a keyboard is nobody's to read, whoever made it.\n" +
		"SUBSYSTEM==\"hidraw\", ATTRS{bInterfaceClass}==\"03\", ATTRS{bInterfaceProtocol}==\"01\", GOTO=\"counterproof_end\"\n")
	for _, p := range s.profiles {
		if lines := p.rules(); len(lines) > 0 {
			fmt.Fprintf(&b, "\n# %s: %s (%s)\n%s\n", p.ID, p.Name, p.Status, strings.Join(lines, "\n"))
		}
	}
	b.WriteString("\nLABEL=\"counterproof_end\"\n")
	return []byte(b.String())
}

// Rule names the rule that would let a device of this kind be opened, for a
// Fault of Kind Permission; "" where no rule of ours does, because another
// program opens it or udev cannot see what it is matched by.
func (p Profile) Rule() string {
	if len(p.rules()) == 0 {
		return ""
	}
	return RulesFile + " (" + p.ID + ")"
}

// rules are the lines for a profile, none twice.
func (p Profile) rules() []string {
	var out []string
	for _, m := range p.Match {
		for _, conditions := range p.rulesFor(m) {
			if line := strings.Join(conditions, ", "); !slices.Contains(out, line) {
				out = append(out, line)
			}
		}
	}
	return out
}

// rulesFor is the rules for one way of recognising the device.
func (p Profile) rulesFor(m Match) [][]string {
	switch p.Transport {
	case OverSerial:
		return m.serialRules()
	case OverHID:
		return m.hidRules()
	case OverLP:
		return m.printerRules(p.Has(USBFallback))
	case OverUSB:
		if seen := m.device(); seen != nil {
			return [][]string{slices.Concat(seen, access(groupReaders), []string{awake})}
		}
	case OverVideo:
		if seen := m.parent(); seen != nil {
			return [][]string{slices.Concat([]string{`SUBSYSTEM=="video4linux"`}, seen, access(groupCameras))}
		}
	}
	return nil
}

func (m Match) serialRules() [][]string {
	if soldered.MatchString(m.PortPath) {
		return [][]string{slices.Concat(
			[]string{`SUBSYSTEM=="tty", KERNEL=="` + m.PortPath + `"`}, access(groupReaders), []string{noModem, noPort})}
	}
	parent, device := m.parent(), m.device()
	if parent == nil || device == nil {
		return nil
	}
	return [][]string{
		slices.Concat([]string{`SUBSYSTEM=="tty"`}, parent, access(groupReaders), []string{noModem, noPort}),
		slices.Concat(device, []string{noModem, awake}),
	}
}

func (m Match) hidRules() [][]string {
	parent, device := m.usbParent(), m.device()
	if parent == nil || device == nil {
		return nil
	}
	return [][]string{
		slices.Concat([]string{`SUBSYSTEM=="hidraw"`}, parent, access(groupReaders)),
		append(device, awake),
	}
}

// printerRules lets the kernel's printer node be opened, and the device itself
// where it may be claimed over USB and can be told by more than its class.
func (m Match) printerRules(claimed bool) [][]string {
	parent := m.parent()
	if parent == nil {
		return nil
	}
	out := [][]string{slices.Concat([]string{`SUBSYSTEM=="usbmisc", KERNEL=="lp[0-9]*"`}, parent, access(groupPrinters))}
	if claimed && m.usbParent() != nil {
		out = append(out, append(m.device(), access(groupPrinters)...))
	}
	return out
}

// Ports that udev knows by these names.
var (
	soldered = regexp.MustCompile(`^tty[A-Z]{1,3}[0-9]+$`)
	usbPort  = regexp.MustCompile(`^[0-9]+-[0-9]+(\.[0-9]+)*$`)
)

// parent is what udev can see above a node: the USB device, or else the
// interface. All conditions of a rule on what lies above have to hold for one
// and the same thing, so the two cannot be asked together.
func (m Match) parent() []string {
	if seen := m.usbParent(); seen != nil {
		return seen
	}
	var out []string
	if m.Class != "" {
		names := []string{"bInterfaceClass", "bInterfaceSubClass", "bInterfaceProtocol"}
		for i, part := range strings.Split(string(m.Class), "/") {
			out = append(out, attrs(names[i], part))
		}
	}
	if _, value, ok := strings.Cut(m.DeviceID, ":"); ok {
		out = append(out, attrs("ieee1284_id", "*"+value+"*"))
	}
	return out
}

// usbParent is the USB device above a node; nil where the match does not name
// it.
func (m Match) usbParent() []string {
	var out []string
	if usbPort.MatchString(m.PortPath) {
		out = append(out, `KERNELS=="`+m.PortPath+`"`)
	}
	if m.Vendor != 0 {
		out = append(out, attrs("idVendor", fmt.Sprintf("%04x", m.Vendor)))
	}
	if m.Product != 0 {
		out = append(out, attrs("idProduct", fmt.Sprintf("%04x", m.Product)))
	}
	if m.SerialNumber != "" {
		out = append(out, attrs("serial", m.SerialNumber))
	}
	return out
}

// device is the USB device itself; nil where the match tells nothing of it.
func (m Match) device() []string {
	var out []string
	for _, c := range m.usbParent() {
		out = append(out, strings.NewReplacer("KERNELS==", "KERNEL==", "ATTRS{", "ATTR{").Replace(c))
	}
	if m.Class != "" {
		out = append(out, `ENV{ID_USB_INTERFACES}=="*:`+interfaceGlob(m.Class)+`:*"`)
	}
	if out == nil {
		return nil
	}
	return append([]string{usbDevice}, out...)
}

// interfaceGlob is a class as the list of a device's interfaces has it:
// "07/01" is "0701??".
func interfaceGlob(c Class) string {
	digits := strings.ReplaceAll(string(c), "/", "")
	return digits + strings.Repeat("?", 6-len(digits))
}

func attrs(name, value string) string { return `ATTRS{` + name + `}=="` + value + `"` }
