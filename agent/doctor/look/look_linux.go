package look

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/counterproof/counterproof/agent/doctor"
)

// Bits of access(2) and of adjtimex(2).
const (
	readWrite = 4 | 2
	unsynced  = 0x40 // STA_UNSYNC
)

// access asks the system whether this program may open a node.
func (pc PC) access(node string) doctor.Access {
	if !strings.HasPrefix(node, "/") {
		return ""
	}
	switch err := syscall.Access(node, readWrite); err {
	case nil:
		return doctor.MayOpen
	case syscall.EACCES, syscall.EPERM, syscall.EROFS:
		return doctor.MayNotOpen
	}
	return ""
}

// ignored tells that udev has told ModemManager to leave a node alone.
func (pc PC) ignored(node string) bool {
	var st syscall.Stat_t
	if !strings.HasPrefix(node, "/") || syscall.Stat(node, &st) != nil || st.Mode&syscall.S_IFMT != syscall.S_IFCHR {
		return false
	}
	major, minor := st.Rdev>>8&0xfff, st.Rdev&0xff|st.Rdev>>12&0xfff00
	f, err := os.Open(filepath.Join(pc.Run, "udev/data", fmt.Sprintf("c%d:%d", major, minor)))
	if err != nil {
		return false
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		if key, value, _ := strings.Cut(lines.Text(), "="); value == "1" && (key == "E:ID_MM_DEVICE_IGNORE" || key == "E:ID_MM_PORT_IGNORE") {
			return true
		}
	}
	return false
}

// disk tells the room on the disk of the counter's folder, or of the nearest
// folder above it that is there.
func (pc PC) disk() doctor.Disk {
	for dir := pc.Data; dir != ""; dir = filepath.Dir(dir) {
		var st syscall.Statfs_t
		if syscall.Statfs(dir, &st) == nil {
			return doctor.Disk{Free: st.Bavail * uint64(st.Bsize), Total: st.Blocks * uint64(st.Bsize)}
		}
		if dir == filepath.Dir(dir) {
			break
		}
	}
	return doctor.Disk{}
}

// kept tells whether something keeps the clock right, and whether that is known.
func kept() (synced, known bool) {
	var t syscall.Timex
	if _, err := syscall.Adjtimex(&t); err != nil {
		return false, false
	}
	return t.Status&unsynced == 0, true
}
