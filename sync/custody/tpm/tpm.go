// Package tpm keeps keys in a TPM 2.0: a P-256 key that signs and never leaves
// the chip, small secrets that only this chip opens, and a counter that only
// goes up. What it gives out to be kept on disk is wrapped by the chip's own
// storage key and is of no use in another one.
//
// It keeps no files, decides nothing about grades, and sets no password: none of
// its keys can be locked by somebody who guesses.
//
// # The laws
//
//   - A key is drawn inside the chip and is bound to it; nothing here can export
//     one.
//   - What the chip does not answer is ErrAway and may pass; that something was
//     made by another chip, or before this one was cleared, is ErrForeign and
//     does not. They are never mixed up, because the second costs an enrolment.
//   - Nothing stays loaded in the chip, whose places are few: each use loads what
//     it needs and takes it out again. So a chip that slept has nothing to forget,
//     and a line that broke is opened again, once, before anybody hears of it.
//   - Secrets cross the wire to the chip encrypted, under a session that is
//     salted to its storage key.
package tpm

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"syscall"
	"time"

	"github.com/google/go-tpm/tpm2"
	"github.com/google/go-tpm/tpm2/transport"
)

// Errors that a caller tells apart.
var (
	// ErrAway: there is no TPM, or it does not answer.
	ErrAway = errors.New("the TPM does not answer")
	// ErrForeign: another TPM made this, or this one before it was cleared; or
	// the bytes were altered.
	ErrForeign = errors.New("this TPM did not make it, or was cleared since")
)

// Chip is one TPM. It is safe for use by several goroutines.
type Chip struct {
	device string

	mu   sync.Mutex
	line transport.TPMCloser
}

// Open finds the TPM: the machine's own where device is "auto", else a device
// file or the Unix socket of a software TPM. ErrAway where there is none.
func Open(device string) (*Chip, error) {
	c := &Chip{device: device}
	// A TPM 1.2 or a stranger behind the socket fails here, not with a visit.
	err := c.do(func(t transport.TPM) error {
		return under(t, func(*tpm2.CreatePrimaryResponse) error { return nil })
	})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("opening the TPM: %w", err), c.Close())
	}
	return c, nil
}

// Close lets go of the chip. Keys of it sign no more.
func (c *Chip) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.drop()
}

// drop closes the line; the next use opens it again.
func (c *Chip) drop() error {
	if c.line == nil {
		return nil
	}
	err := c.line.Close()
	c.line = nil
	return err
}

// How often a chip is asked again: one whose places other programs hold, and one
// that has not let go of ours.
const (
	patience   = 30
	insistence = 5
)

// wait waits before try i, at random and longer each time, so that two programs
// do not meet again and again.
func wait(i int) { <-time.After(rand.N(time.Duration(i) * 10 * time.Millisecond)) }

// do runs f on an open line, again while the chip is busy with another program,
// and once more on a fresh line if it failed in another way that may pass.
func (c *Chip) do(f func(transport.TPM) error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	err := c.once(f)
	for i := 1; busy(err) && i <= patience; i++ {
		wait(i)
		err = c.once(f)
	}
	return judge(err)
}

// busy reports whether the chip says that it could do what was asked if others
// had let go of its places. Behind the kernel's resource manager nobody sees
// this; without one every program does.
func busy(err error) bool {
	return errors.Is(err, syscall.EAGAIN) || errors.Is(err, tpm2.TPMRCObjectMemory) || errors.Is(err, tpm2.TPMRCSessionMemory) ||
		errors.Is(err, tpm2.TPMRCObjectHandles) || errors.Is(err, tpm2.TPMRCSessionHandles) || errors.Is(err, tpm2.TPMRCRetry)
}

// once is one try of do.
func (c *Chip) once(f func(transport.TPM) error) error {
	var err error
	for range 2 {
		if c.line == nil {
			if c.line, err = openLine(c.device); err != nil {
				c.line = nil
				return err
			}
		}
		if err = f(c.line); err == nil || verdict(err) || busy(err) {
			break
		}
		_ = c.drop() // the failure that is told is f's
	}
	return err
}

// verdicts are the chip's words about what it was given. Asking again changes
// none of them.
var verdicts = []tpm2.TPMRC{
	tpm2.TPMRCIntegrity, tpm2.TPMRCSize, tpm2.TPMRCInsufficient, tpm2.TPMRCBinding,
	tpm2.TPMRCKey, tpm2.TPMRCType, tpm2.TPMRCAttributes, tpm2.TPMRCSensitive, tpm2.TPMRCHash,
}

// verdict reports whether an error is the chip's final word.
func verdict(err error) bool {
	if errors.Is(err, ErrForeign) || errors.Is(err, tpm2.TPMRCNVDefined) {
		return true
	}
	for _, rc := range verdicts {
		if errors.Is(err, rc) {
			return true
		}
	}
	return false
}

// judge says which of the two errors a failure is.
func judge(err error) error {
	switch {
	case err == nil, errors.Is(err, ErrForeign), errors.Is(err, tpm2.TPMRCNVDefined):
		return err
	case verdict(err):
		return fmt.Errorf("%w: %w", ErrForeign, err)
	}
	return fmt.Errorf("%w: %w", ErrAway, err)
}

// storageKey makes the chip's storage key (TCG EK/SRK template for P-256). It is
// derived from the owner's seed: the same each time, until the chip is cleared.
func storageKey(t transport.TPM) (*tpm2.CreatePrimaryResponse, error) {
	srk, err := tpm2.CreatePrimary{PrimaryHandle: tpm2.TPMRHOwner, InPublic: tpm2.New2B(tpm2.ECCSRKTemplate)}.Execute(t)
	if err != nil {
		return nil, fmt.Errorf("making the storage key: %w", err)
	}
	return srk, nil
}

// flush takes an object out of the chip's few places. It insists, because what
// stays there without a resource manager stays until the machine is off.
func flush(t transport.TPM, h tpm2.TPMHandle) error {
	_, err := tpm2.FlushContext{FlushHandle: h}.Execute(t)
	for i := 1; err != nil && !errors.Is(err, tpm2.TPMRCHandle) && i <= insistence; i++ {
		wait(i)
		_, err = tpm2.FlushContext{FlushHandle: h}.Execute(t)
	}
	return err
}

// under runs f with the storage key, which is gone afterwards.
func under(t transport.TPM, f func(srk *tpm2.CreatePrimaryResponse) error) error {
	srk, err := storageKey(t)
	if err != nil {
		return err
	}
	return errors.Join(f(srk), flush(t, srk.ObjectHandle))
}

// parent names the storage key for a command.
func parent(srk *tpm2.CreatePrimaryResponse) tpm2.NamedHandle {
	return tpm2.NamedHandle{Handle: srk.ObjectHandle, Name: srk.Name}
}
