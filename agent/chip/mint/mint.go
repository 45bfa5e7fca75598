// Package mint makes travel documents' chips of software, for tests, training and
// the demonstration: they answer the commands of a real one, with its access
// control and secure messaging, and fail in the ways that are asked for.
//
// It is no document of any state, and draws no random number: secrets come in.
//
// # The laws
//
//   - A chip says nothing of its files before access was granted.
//   - Without a fault it keeps the rules of ICAO Doc 9303 to the letter.
//   - A fault is one thing that is wrong; everything else stays right.
package mint

import (
	"bytes"
	"context"
	"errors"
	"io"

	"github.com/counterproof/counterproof/agent/chip"
)

// Fault is one way in which a chip is wrong.
type Fault string

// The faults.
const (
	None        Fault = ""
	NoLong      Fault = "no_long"      // it answers 6700 to long commands
	NoShortIDs  Fault = "no_short_ids" // it does not read by short identifiers
	Stingy      Fault = "stingy"       // it gives at most 100 bytes at a time
	WrongTag    Fault = "wrong_tag"    // files begin with another tag than their own
	Oversize    Fault = "oversize"     // files say that they are larger than they are
	Endless     Fault = "endless"      // files say that they are of many megabytes
	Tampered    Fault = "tampered"     // a byte of an answer is changed on the way
	Removed     Fault = "removed"      // the card is taken away in the middle
	OtherLength Fault = "other_length" // it wants the nonce's length said another way
)

// Config says what chip is made.
type Config struct {
	Key    string // the printed access key: number, birth, expiry with check digits
	Files  map[chip.File][]byte
	Fault  Fault
	After  int       // commands before a fault of the way shows
	Random io.Reader // for nonces and secrets
}

// Card is a chip in the field of a reader. It is for one user.
type Card struct {
	cfg      Config
	selected bool
	nonce    []byte
	secure   *chip.Secure
	file     []byte
	commands int
}

// New makes a chip that lies on a reader.
func New(cfg Config) *Card { return &Card{cfg: cfg} }

// errGone is what a reader says when the card was taken away.
var errGone = errors.New("the card was taken away")

// Commands counts what it was asked since it was made.
func (c *Card) Commands() int { return c.commands }

// Status words that only a chip says.
const (
	noFile      = chip.FileMissing
	badAccess   = chip.Status(0x6300)
	notAllowed  = chip.NotSatisfied
	sayAnother  = chip.Status(0x6c08)
	cutStingy   = 100
	manyMegs    = 0x800000
	statusBytes = 2
)

// Transmit answers one command.
func (c *Card) Transmit(ctx context.Context, command []byte) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	c.commands++
	late := c.commands > c.cfg.After
	if c.cfg.Fault == Removed && late {
		return nil, errGone
	}
	in, err := chip.ParseCommand(command)
	if err != nil {
		return words(chip.WrongLength), nil
	}
	if c.cfg.Fault == NoLong && len(command) > 5 && command[4] == 0 {
		c.secure = nil // as many do: an error in clear ends the session
		return words(chip.WrongLength), nil
	}
	out, err := c.answer(in)
	if err == nil && c.cfg.Fault == Tampered && late && len(out) > statusBytes {
		out = bytes.Clone(out)
		out[len(out)/2] ^= 1
	}
	return out, err
}

// answer opens a command, does it, and protects what comes of it.
func (c *Card) answer(in chip.Command) ([]byte, error) {
	if in.CLA&0x0c != 0x0c {
		c.secure = nil
		data, status := c.do(in)
		return append(data, words(status)...), nil
	}
	if c.secure == nil {
		return words(chip.SMMissing), nil
	}
	plain, err := c.secure.UnwrapCommand(in)
	if err != nil {
		c.secure = nil
		return words(chip.SMIncorrect), nil
	}
	data, status := c.do(plain)
	return c.secure.WrapResponse(data, status, plain.INS&1 == 1)
}

// words are status words as bytes.
func words(s chip.Status) []byte { return []byte{byte(s >> 8), byte(s)} }

// do does one command.
func (c *Card) do(in chip.Command) ([]byte, chip.Status) {
	switch in.INS {
	case 0xa4:
		return nil, c.choose(in)
	case 0x84:
		return c.challenge(in)
	case 0x82:
		return c.authenticate(in)
	case 0xb0:
		return c.read(in)
	case 0xb1:
		return c.readFar(in)
	}
	return nil, chip.UnknownINS
}

// choose selects the application, or a file of it.
func (c *Card) choose(in chip.Command) chip.Status {
	if in.P1 == 0x04 {
		if !bytes.Equal(in.Data, []byte{0xa0, 0x00, 0x00, 0x02, 0x47, 0x10, 0x01}) {
			return noFile
		}
		c.selected, c.secure, c.file = true, nil, nil
		return chip.OK
	}
	if c.secure == nil {
		return notAllowed
	}
	if len(in.Data) != 2 {
		return chip.WrongLength
	}
	return c.take(chip.File(in.Data[0])<<8 | chip.File(in.Data[1]))
}

// take makes a file the selected one.
func (c *Card) take(f chip.File) chip.Status {
	content, has := c.cfg.Files[f]
	if !has {
		return noFile
	}
	content = bytes.Clone(content)
	switch c.cfg.Fault {
	case WrongTag:
		content[0] ^= 0x10
	case Oversize:
		content = append([]byte{content[0], 0x82, 0x40, 0x00}, content...)
	case Endless:
		content = append([]byte{content[0], 0x83, manyMegs >> 16, 0, 0}, content...)
	}
	c.file = content
	return chip.OK
}

// challenge gives a nonce.
func (c *Card) challenge(in chip.Command) ([]byte, chip.Status) {
	if !c.selected {
		return nil, notAllowed
	}
	if c.cfg.Fault == OtherLength && in.Ne != 256 && c.nonce == nil {
		c.nonce = []byte{}
		return nil, sayAnother
	}
	c.nonce = make([]byte, 8)
	if _, err := io.ReadFull(c.cfg.Random, c.nonce); err != nil {
		return nil, chip.UnknownINS
	}
	return c.nonce, chip.OK
}

// authenticate takes the terminal's proof of the key.
func (c *Card) authenticate(in chip.Command) ([]byte, chip.Status) {
	var secret [16]byte
	if _, err := io.ReadFull(c.cfg.Random, secret[:]); err != nil || len(c.nonce) != 8 {
		return nil, notAllowed
	}
	nonce := c.nonce
	c.nonce = nil // good once
	answer, s, err := chip.BACChip(c.cfg.Key, nonce, in.Data, secret)
	if err != nil {
		return nil, badAccess
	}
	c.secure = s
	return answer, chip.OK
}

// read reads by a short identifier or from the selected file.
func (c *Card) read(in chip.Command) ([]byte, chip.Status) {
	if c.secure == nil {
		return nil, notAllowed
	}
	offset := int(in.P1)<<8 | int(in.P2)
	if in.P1&0x80 != 0 {
		if c.cfg.Fault == NoShortIDs {
			return nil, chip.WrongP1P2
		}
		f := chip.File(0x0100 | int(in.P1&0x1f))
		if status := c.take(f); status != chip.OK {
			return nil, status
		}
		offset = int(in.P2)
	}
	return c.part(offset, in.Ne)
}

// part is a part of the selected file.
func (c *Card) part(offset, n int) ([]byte, chip.Status) {
	if c.file == nil {
		return nil, notAllowed
	}
	if offset >= len(c.file) {
		return nil, chip.WrongP1P2
	}
	if c.cfg.Fault == Stingy {
		n = min(n, cutStingy)
	}
	end := min(offset+n, len(c.file))
	if end-offset < n {
		return c.file[offset:end], chip.EndOfFile
	}
	return c.file[offset:end], chip.OK
}

// readFar reads with the offset in an object.
func (c *Card) readFar(in chip.Command) ([]byte, chip.Status) {
	if len(in.Data) < 3 || in.Data[0] != 0x54 || int(in.Data[1]) != len(in.Data)-2 {
		return nil, chip.WrongLength
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
	return chip.Object(0x53, data), status
}
