package serial

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// locks is where the locks lie unless the settings say otherwise.
const locks = "/run/lock"

// lock makes this program the one user of a line, or fails with EWOULDBLOCK.
// The lock ends with the program, however it ends. Programs that do not know
// of the lock are found by what they have open.
func lock(path string, s Settings) (unlock func() error, err error) {
	name, err := lockName(path, s)
	if err != nil {
		return nil, err
	}
	f, err := lockFile(name)
	if err != nil {
		return nil, fmt.Errorf("locking the line: %w", err)
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	for range holders(path, false) {
		return nil, errors.Join(unix.EBUSY, f.Close())
	}
	return f.Close, nil
}

// lockName is the file of a device's lock. Its name tells nothing of the
// device, whose serial number may be in its identity.
func lockName(path string, s Settings) (string, error) {
	identity := string(s.Device)
	if identity == "" {
		var st unix.Stat_t
		if err := unix.Stat(path, &st); err != nil {
			return "", err
		}
		identity = fmt.Sprintf("line %d:%d", unix.Major(st.Rdev), unix.Minor(st.Rdev))
	}
	sum := sha256.Sum256([]byte(identity))
	return filepath.Join(cmp.Or(s.Locks, locks), "counterproof-"+hex.EncodeToString(sum[:8])+".lock"), nil
}

// lockFile opens a lock, which another user may have made. It follows no link:
// the folder may be everybody's.
func lockFile(name string) (*os.File, error) {
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return nil, err
	}
	for range 3 {
		f, err := os.OpenFile(name, os.O_RDONLY|unix.O_NOFOLLOW, 0)
		if !errors.Is(err, os.ErrNotExist) {
			return f, err
		}
		f, err = os.OpenFile(name, os.O_RDONLY|os.O_CREATE|os.O_EXCL|unix.O_NOFOLLOW, 0o644)
		if !errors.Is(err, os.ErrExist) {
			return f, err
		}
	}
	return nil, os.ErrExist
}

// holder names a program that has the node open, another one before this; "" if
// nobody's open files that we may see have it.
func holder(path string) string {
	for _, ours := range []bool{false, true} {
		for pid := range holders(path, ours) {
			name, err := os.ReadFile(filepath.Join("/proc", pid, "comm"))
			if err == nil {
				return printable(strings.TrimSpace(string(name)))
			}
		}
	}
	return ""
}

// printable is a program's name as it may stand in a fault: the program chose
// it.
func printable(name string) string {
	return strings.Map(func(r rune) rune {
		if strconv.IsPrint(r) {
			return r
		}
		return -1
	}, strings.ToValidUTF8(name, ""))
}

// holders yields the processes that have a node open, of those whose files we
// may see.
func holders(path string, ours bool) func(yield func(pid string) bool) {
	return func(yield func(string) bool) {
		node, err := filepath.EvalSymlinks(path)
		if err != nil {
			return
		}
		processes, _ := os.ReadDir("/proc") // as many as could be read
		self := strconv.Itoa(os.Getpid())
		for _, p := range processes {
			pid := p.Name()
			if pid[0] < '0' || pid[0] > '9' || pid == self && !ours {
				continue
			}
			if has(pid, node) && !yield(pid) {
				return
			}
		}
	}
}

// has tells whether a process has a node open.
func has(pid, node string) bool {
	folder := filepath.Join("/proc", pid, "fd")
	files, _ := os.ReadDir(folder) // none of a process that is not ours to see
	for _, f := range files {
		if target, err := os.Readlink(filepath.Join(folder, f.Name())); err == nil && target == node {
			return true
		}
	}
	return false
}
