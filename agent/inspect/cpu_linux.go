package inspect

import "golang.org/x/sys/unix"

// cpuMillis is the processor time that this process has used so far, in
// milliseconds.
func cpuMillis() float64 {
	var used unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &used); err != nil {
		return 0
	}
	return float64(used.Utime.Nano()+used.Stime.Nano()) / 1e6
}
