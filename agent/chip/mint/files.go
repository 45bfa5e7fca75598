package mint

import (
	"bytes"
	"maps"

	"github.com/counterproof/counterproof/agent/chip"
	"github.com/counterproof/counterproof/agent/chip/sm"
)

// served are the files as the chip shows them.
func served(cfg Config) map[chip.File][]byte {
	files := maps.Clone(cfg.Files)
	switch cfg.Fault {
	case HiddenPACE:
		delete(files, chip.CardAccess)
	case KeptPortrait:
		delete(files, chip.DG2)
	case KeptKeys:
		delete(files, chip.DG14)
		delete(files, chip.DG15)
	case ChangedPACE:
		if changed := otherOffers(cfg.Kind.Offers); len(changed) > 0 {
			files[chip.CardAccess] = cardAccess(changed)
		}
	}
	return files
}

// choose selects the application, the master file, or a file of the present one.
func (c *Card) choose(in sm.Command) sm.Status {
	const byName, master = 0x04, 0x00
	switch {
	case in.P1 == byName && !bytes.Equal(in.Data, []byte{0xa0, 0x00, 0x00, 0x02, 0x47, 0x10, 0x01}):
		return sm.FileMissing
	case in.P1 == byName:
		c.document, c.file = true, nil
		return sm.OK
	case in.P1 == master && bytes.Equal(in.Data, []byte{0x3f, 0x00}):
		c.document, c.file = false, nil
		return sm.OK
	case len(in.Data) != 2:
		return sm.WrongLength
	}
	return c.take(in.Data[0], in.Data[1])
}

// take makes a file the selected one. EF.CardAccess is for everybody.
func (c *Card) take(high, low byte) sm.Status {
	f := chip.File(high)<<8 | chip.File(low)
	if inMaster := high == 0x01 && (low == 0x1c || low == 0x1d); !c.document {
		if !inMaster {
			return notAllowed
		}
		if low == 0x1d {
			f = chip.CardSecurity
		}
	}
	if c.document && f == chip.CardAccess {
		return sm.FileMissing
	}
	if c.secure == nil && f != chip.CardAccess {
		return notAllowed
	}
	content, has := c.files[f]
	if !has {
		return sm.FileMissing
	}
	if c.file, c.public = content, f == chip.CardAccess; !c.public {
		c.file = spoilt(content, c.cfg.Fault)
	}
	return sm.OK
}

// spoilt is a file as a faulty chip gives it.
func spoilt(content []byte, fault Fault) []byte {
	switch fault {
	case WrongTag:
		content = bytes.Clone(content)
		content[0] ^= 0x10
	case Oversize:
		content = append([]byte{content[0], 0x82, 0x40, 0x00}, content...)
	case Endless:
		content = append([]byte{content[0], 0x83, manyMegs >> 16, 0, 0}, content...)
	}
	return content
}

// read reads by a short identifier or from the selected file.
func (c *Card) read(in sm.Command) ([]byte, sm.Status) {
	offset := int(in.P1)<<8 | int(in.P2)
	if in.P1&0x80 != 0 {
		if c.cfg.Fault == NoShortIDs {
			return nil, sm.WrongP1P2
		}
		if status := c.take(0x01, in.P1&0x1f); status != sm.OK {
			return nil, status
		}
		offset = int(in.P2)
	}
	return c.part(offset, in.Ne)
}

// part is a part of the selected file.
func (c *Card) part(offset, n int) ([]byte, sm.Status) {
	switch {
	case c.file == nil || c.secure == nil && !c.public:
		return nil, notAllowed
	case offset >= len(c.file):
		return nil, sm.WrongP1P2
	case c.cfg.Fault == Stingy:
		n = min(n, cutStingy)
	}
	end := min(offset+n, len(c.file))
	if end-offset < n {
		return c.file[offset:end], sm.EndOfFile
	}
	return c.file[offset:end], sm.OK
}

// readFar reads with the offset in an object.
func (c *Card) readFar(in sm.Command) ([]byte, sm.Status) {
	if len(in.Data) < 3 || in.Data[0] != 0x54 || int(in.Data[1]) != len(in.Data)-2 || len(in.Data) > 5 {
		return nil, sm.WrongLength
	}
	offset := 0
	for _, b := range in.Data[2:] {
		offset = offset<<8 | int(b)
	}
	const frame = 5
	data, status := c.part(offset, max(in.Ne-frame, 1))
	if len(data) == 0 {
		return nil, status
	}
	return sm.Object(0x53, data), status
}
