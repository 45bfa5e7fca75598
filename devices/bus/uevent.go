package bus

import (
	"bytes"
	"path"
	"regexp"
	"strings"
)

// uevent is what the kernel says when a device comes or goes
// (lib/kobject_uevent.c): what happened, where, and of which subsystem.
type uevent struct {
	action, path, subsystem string
}

// parseUevent reads one message: "add@/devices/…" and then lines "KEY=value",
// each ended by a zero byte. Messages of udev itself, which begin otherwise, are
// none.
func parseUevent(b []byte) (e uevent, ok bool) {
	head, rest, _ := bytes.Cut(b, []byte{0})
	action, where, ok := strings.Cut(string(head), "@")
	if !ok || !strings.HasPrefix(where, "/") {
		return e, false
	}
	e = uevent{action: action, path: where}
	for line := range bytes.SplitSeq(rest, []byte{0}) {
		if value, is := strings.CutPrefix(string(line), "SUBSYSTEM="); is {
			e.subsystem = value
		}
	}
	return e, true
}

// watched are the subsystems whose coming and going matters here.
var watched = map[string]bool{"usb": true, "tty": true, "hidraw": true, "video4linux": true, "usbmisc": true}

// matters reports whether something may have come or gone.
func (e uevent) matters() bool {
	return watched[e.subsystem] && (e.action == "add" || e.action == "remove" || e.action == "bind" || e.action == "unbind")
}

// port is how the kernel names the place of a USB device: bus, then the ports.
var port = regexp.MustCompile(`^[0-9]{1,3}-[0-9]{1,3}(\.[0-9]{1,3}){0,6}$`)

// portPath is the place of the USB device that a message is about, "" where it
// is about none.
func (e uevent) portPath() string {
	for at := e.path; at != "/" && at != "."; at = path.Dir(at) {
		if base := path.Base(at); port.MatchString(base) {
			return base
		}
	}
	return ""
}
