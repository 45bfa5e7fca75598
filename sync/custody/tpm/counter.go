package tpm

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/google/go-tpm/tpm2"
	"github.com/google/go-tpm/tpm2/transport"
)

// Index names a counter in the chip: an NV index of the owner's range (TPM 2.0
// Registry of Reserved Handles, §2.2).
type Index uint32

// The indexes that counters are looked for in: several installations on one
// machine each have their own.
const (
	firstIndex Index = 0x01843500
	lastIndex  Index = 0x0184351f
)

// NewCounter makes a counter in the chip and goes up to its first value. A chip
// lets no counter begin below where a deleted one ended.
func (c *Chip) NewCounter() (Index, error) {
	for i := firstIndex; i <= lastIndex; i++ {
		err := c.do(func(t transport.TPM) error {
			_, err := tpm2.NVDefineSpace{AuthHandle: tpm2.TPMRHOwner, PublicInfo: tpm2.New2B(counting(i))}.Execute(t)
			return err
		})
		if errors.Is(err, tpm2.TPMRCNVDefined) {
			continue
		}
		if err == nil {
			_, err = c.Increment(i)
		}
		if err != nil {
			return 0, fmt.Errorf("making a counter in the TPM: %w", err)
		}
		return i, nil
	}
	return 0, fmt.Errorf("making a counter in the TPM: %w: all its places are taken", ErrAway)
}

// counting describes a counter.
func counting(i Index) tpm2.TPMSNVPublic {
	return tpm2.TPMSNVPublic{
		NVIndex: tpm2.TPMHandle(i), NameAlg: tpm2.TPMAlgSHA256, DataSize: 8,
		Attributes: tpm2.TPMANV{
			OwnerWrite: true, OwnerRead: true, AuthWrite: true, AuthRead: true, NoDA: true, NT: tpm2.TPMNTCounter,
		},
	}
}

// Counter reads a counter. ErrForeign says that this chip has none of the kind
// there: it was cleared, or it is another one.
func (c *Chip) Counter(i Index) (uint64, error) {
	n, err := c.count(i, false)
	if err != nil {
		return 0, fmt.Errorf("reading the TPM's counter: %w", err)
	}
	return n, nil
}

// Increment adds one to a counter and gives the new value.
func (c *Chip) Increment(i Index) (uint64, error) {
	n, err := c.count(i, true)
	if err != nil {
		return 0, fmt.Errorf("raising the TPM's counter: %w", err)
	}
	return n, nil
}

// count reads a counter, raised first if up says so. The chip's own name of the
// index is asked for, as it changes with the first write.
func (c *Chip) count(i Index, up bool) (n uint64, err error) {
	raised := false // a try that failed later must not raise it twice
	err = c.do(func(t transport.TPM) error {
		if up && !raised {
			h, err := counterHandle(t, i)
			if err != nil {
				return err
			}
			if _, err := (tpm2.NVIncrement{AuthHandle: h, NVIndex: tpm2.NamedHandle{Handle: h.Handle, Name: h.Name}}).Execute(t); err != nil {
				return err
			}
			raised = true
		}
		h, err := counterHandle(t, i)
		if err != nil {
			return err
		}
		r, err := tpm2.NVRead{AuthHandle: h, NVIndex: tpm2.NamedHandle{Handle: h.Handle, Name: h.Name}, Size: 8}.Execute(t)
		if err == nil && len(r.Data.Buffer) != 8 {
			err = ErrForeign
		}
		if err == nil {
			n = binary.BigEndian.Uint64(r.Data.Buffer)
		}
		return err
	})
	return n, err
}

// counterHandle finds a counter of ours.
func counterHandle(t transport.TPM, i Index) (tpm2.AuthHandle, error) {
	r, err := tpm2.NVReadPublic{NVIndex: tpm2.TPMHandle(i)}.Execute(t)
	if errors.Is(err, tpm2.TPMRCHandle) || errors.Is(err, tpm2.TPMRCValue) {
		return tpm2.AuthHandle{}, fmt.Errorf("%w: there is no counter %x", ErrForeign, uint32(i))
	}
	if err != nil {
		return tpm2.AuthHandle{}, err
	}
	public, err := r.NVPublic.Contents()
	if err != nil || public.Attributes.NT != tpm2.TPMNTCounter || public.DataSize != 8 {
		return tpm2.AuthHandle{}, fmt.Errorf("%w: index %x is no counter", ErrForeign, uint32(i))
	}
	return tpm2.AuthHandle{Handle: tpm2.TPMHandle(i), Name: r.NVName, Auth: tpm2.PasswordAuth(nil)}, nil
}
