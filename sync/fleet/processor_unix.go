//go:build unix

package fleet

import (
	"syscall"
	"time"
)

// processor is the processor time that this process has spent.
func processor() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
