package dump

import (
	"errors"
	"fmt"
	"syscall"
)

// prSetDumpable is PR_SET_DUMPABLE of prctl(2).
const prSetDumpable = 4

// Forbid forbids core files to this process for good, and that it is traced. The
// limit alone does not hold where core files are piped to a program (core(5)).
func Forbid() error {
	err := syscall.Setrlimit(syscall.RLIMIT_CORE, &syscall.Rlimit{})
	if _, _, errno := syscall.RawSyscall(syscall.SYS_PRCTL, prSetDumpable, 0, 0); errno != 0 {
		err = errors.Join(err, errno)
	}
	if err != nil {
		return fmt.Errorf("forbidding core files: %w", err)
	}
	return nil
}
