package cluster

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

// tick is the unit of processor time in /proc (USER_HZ, 100 on every Linux that
// Go runs on).
const tick = time.Second / 100

// family is the processor time of a process, of its children, and of those that
// it has already buried.
func family(pid int) time.Duration {
	names, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return 0
	}
	var all time.Duration
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			continue // it has ended
		}
		own, parent, spent, buried := stat(text)
		switch pid {
		case own:
			all += spent + buried
		case parent:
			all += spent
		}
	}
	return all
}

// stat reads one line of /proc/PID/stat (proc(5)): the process, its parent, its
// own time and that of its children who were waited for. A line that does not
// read is of process 0.
func stat(text []byte) (pid, parent int, spent, buried time.Duration) {
	// The name stands in brackets and may have any in it.
	end := bytes.LastIndexByte(text, ')')
	if end < 0 {
		return 0, 0, 0, 0
	}
	if _, err := fmt.Sscanf(string(text[:end]), "%d ", &pid); err != nil {
		return 0, 0, 0, 0
	}
	fields := bytes.Fields(text[end+1:])
	if len(fields) < 15 {
		return 0, 0, 0, 0
	}
	number := func(field int) int {
		n, _ := strconv.Atoi(string(fields[field-3])) // the third is the first behind the name
		return n
	}
	return pid, number(4), time.Duration(number(14)+number(15)) * tick, time.Duration(number(16)+number(17)) * tick
}
