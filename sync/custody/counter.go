package custody

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/counterproof/counterproof/sync/custody/tpm"
)

// Raise adds one to the hardware's counter and gives its value, for the header
// of one record: what was once counted cannot be counted again, also not by
// somebody who puts an older copy of the whole disk in place. 0 comes where the
// key is not kept in a TPM, and with the error where its counter fails.
func (k *Keeper) Raise() (uint64, error) { return k.count((*tpm.Chip).Increment, true) }

// Counter gives the hardware counter's value without raising it; 0 where there
// is none.
func (k *Keeper) Counter() (uint64, error) { return k.count((*tpm.Chip).Counter, false) }

// count asks the TPM's counter, which is made at the first raising.
func (k *Keeper) count(ask func(*tpm.Chip, tpm.Index) (uint64, error), make bool) (uint64, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.chip == nil || k.current.grade != GradeTPM {
		return 0, nil
	}
	path := filepath.Join(k.dir, counterFile)
	text, err := readSecret(path)
	if errors.Is(err, os.ErrNotExist) {
		if !make {
			return 0, nil
		}
		text, err = k.newCounter(path)
	}
	if err != nil {
		return 0, trouble(err)
	}
	index, err := strconv.ParseUint(strings.TrimSpace(string(text)), 16, 32)
	if err != nil {
		return 0, fmt.Errorf("the file %s names no counter", counterFile)
	}
	n, err := ask(k.chip, tpm.Index(index))
	return n, trouble(err)
}

// newCounter makes a counter and notes which it is.
func (k *Keeper) newCounter(path string) ([]byte, error) {
	return loadOrMake(path, func() ([]byte, error) {
		index, err := k.chip.NewCounter()
		return fmt.Appendf(nil, "%x\n", uint32(index)), err
	})
}
