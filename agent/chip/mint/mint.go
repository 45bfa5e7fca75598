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
	"slices"
	"time"

	"github.com/counterproof/counterproof/agent/chip"
	"github.com/counterproof/counterproof/agent/chip/access"
	"github.com/counterproof/counterproof/agent/chip/sm"
)

// Fault is one way in which a chip is wrong.
type Fault string

// The faults.
const (
	None         Fault = ""
	NoLong       Fault = "no_long"       // it answers 6700 to long commands
	NoShortIDs   Fault = "no_short_ids"  // it does not read by short identifiers
	Stingy       Fault = "stingy"        // it gives at most 100 bytes at a time
	WrongTag     Fault = "wrong_tag"     // files begin with another tag than their own
	Oversize     Fault = "oversize"      // files say that they are larger than they are
	Endless      Fault = "endless"       // files say that they are of many megabytes
	Tampered     Fault = "tampered"      // a byte of an answer is changed on the way
	Removed      Fault = "removed"       // the card is taken away in the middle
	OtherLength  Fault = "other_length"  // it wants the nonce's length said another way
	Slow         Fault = "slow"          // it asks for more time with every command
	Clone        Fault = "clone"         // it has the files of a chip, and not its private keys
	HiddenPACE   Fault = "hidden_pace"   // somebody took EF.CardAccess away
	ChangedPACE  Fault = "changed_pace"  // somebody changed what EF.CardAccess offers
	RefusedPACE  Fault = "refused_pace"  // it offers PACE and does not do it
	RefusedProof Fault = "refused_proof" // it refuses to prove itself
	KeptPortrait Fault = "kept_portrait" // it says that it has no portrait
	KeptKeys     Fault = "kept_keys"     // it says that it has no keys to prove
)

// Config says what chip is made.
type Config struct {
	Key    string // the printed access key: number, birth, expiry with check digits
	CAN    string // the printed card access number; none where it is empty
	Kind   Kind   // what it can do; its files belong to Files
	Files  map[chip.File][]byte
	Fault  Fault
	After  int       // commands before a fault of the way shows
	Random io.Reader // for nonces and secrets
	Link   Link
	// Delay, if set, hears how long each command takes on the link, as a reader's
	// user feels it; it may wait, and its error takes the card away.
	Delay func(ctx context.Context, d time.Duration) error
}

// Link is how fast bytes pass between chip and reader. The zero Link takes no time.
type Link struct {
	Kilobits   float64 // a second; 106, 212, 424 or 848
	PerCommand time.Duration
}

// patience is how much more time a slow chip asks for with each command.
const patience = 300 * time.Millisecond

// Card is a chip in the field of a reader. It is for one user.
type Card struct {
	cfg       Config
	files     map[chip.File][]byte
	offers    []access.PACE
	document  bool // the document is selected, not the master file
	nonce     []byte
	secure    *sm.Secure
	next      *sm.Secure // the session that begins after this answer
	run       *access.Run
	step      int
	agreement *access.Agreement
	file      []byte
	public    bool   // everybody may read the selected file
	left      []byte // of an answer that did not fit
	commands  int
	air       time.Duration
}

// New makes a chip that lies on a reader.
func New(cfg Config) *Card {
	c := &Card{cfg: cfg, files: served(cfg)}
	if infos, err := access.CardAccess(c.files[chip.CardAccess]); err == nil {
		c.offers = infos.PACE
	}
	return c
}

// Again lays the same chip on the reader anew: it was taken away, or the field was
// switched off.
func (c *Card) Again() {
	c.document, c.nonce, c.secure, c.next = false, nil, nil, nil
	c.run, c.agreement, c.file, c.left = nil, nil, nil, nil
}

// Mend takes the fault away.
func (c *Card) Mend() { c.cfg.Fault = None }

// errGone is what a reader says when the card was taken away.
var errGone = errors.New("the card was taken away")

// Commands counts what it was asked since it was made.
func (c *Card) Commands() int { return c.commands }

// Air is how long the link took for everything so far.
func (c *Card) Air() time.Duration { return c.air }

// Status words and lengths that only a chip says.
const (
	badAccess   = sm.Failed
	notAllowed  = sm.NotSatisfied
	sayAnother  = sm.OtherLength | 8
	unfit       = sm.Status(0x6985) // conditions of use are not satisfied
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
	out, err := c.respond(command)
	if err != nil {
		return nil, err
	}
	if c.cfg.Fault == Tampered && late && len(out) > statusBytes {
		out = bytes.Clone(out)
		out[len(out)/2] ^= 1
	}
	return out, c.pass(ctx, len(command)+len(out))
}

// pass lets the time of so many bytes pass on the link.
func (c *Card) pass(ctx context.Context, n int) error {
	d := c.cfg.Link.PerCommand
	if c.cfg.Link.Kilobits > 0 {
		d += time.Duration(float64(n) * 8 / c.cfg.Link.Kilobits * float64(time.Millisecond))
	}
	if c.cfg.Fault == Slow {
		d += patience
	}
	c.air += d
	if c.cfg.Delay == nil {
		return nil
	}
	return c.cfg.Delay(ctx, d)
}

// respond reads a command, does it, and gives no more at a time than was asked for.
func (c *Card) respond(command []byte) ([]byte, error) {
	in, err := sm.ParseCommand(command)
	if err != nil {
		return words(sm.WrongLength), nil
	}
	if c.cfg.Fault == NoLong && len(command) > 5 && command[4] == 0 {
		c.secure = nil // as many do: an error in clear ends the session
		return words(sm.WrongLength), nil
	}
	const getResponse = 0xc0
	if in.INS == getResponse && in.CLA == 0 && c.left != nil {
		return c.cut(c.left, in.Ne), nil
	}
	c.left = nil
	out, err := c.answer(in)
	if err != nil {
		return nil, err
	}
	return c.cut(out, in.Ne), nil
}

// cut gives what was asked for and keeps the rest (ISO 7816-4 §5.3.4).
func (c *Card) cut(out []byte, n int) []byte {
	if c.left = nil; n == 0 || len(out)-statusBytes <= n {
		return out
	}
	c.left = out[n:]
	more := min(len(c.left)-statusBytes, 256)
	return append(bytes.Clone(out[:n]), words(sm.MoreAvailable|sm.Status(more&0xff))...)
}

// answer opens a command, does it, and protects what comes of it.
func (c *Card) answer(in sm.Command) ([]byte, error) {
	if in.CLA&0x0c != 0x0c {
		c.secure = nil
		data, status := c.do(in)
		c.begin()
		return slices.Concat(data, words(status)), nil
	}
	if c.secure == nil {
		return words(sm.SMMissing), nil
	}
	plain, err := c.secure.UnwrapCommand(in)
	if err != nil {
		c.secure = nil
		return words(sm.SMIncorrect), nil
	}
	data, status := c.do(plain)
	out, err := c.secure.WrapResponse(data, status, plain.INS&1 == 1)
	c.begin()
	return out, err
}

// begin takes the session over that the last command led to.
func (c *Card) begin() {
	if c.next != nil {
		c.secure, c.next = c.next, nil
	}
}

// words are status words as bytes.
func words(s sm.Status) []byte { return []byte{byte(s >> 8), byte(s)} }

// Instructions.
const (
	manage       = 0x22
	external     = 0x82
	challenge    = 0x84
	general      = 0x86
	internal     = 0x88
	selecting    = 0xa4
	readBinary   = 0xb0
	readBinaryDO = 0xb1
)

// do does one command.
func (c *Card) do(in sm.Command) ([]byte, sm.Status) {
	switch in.INS {
	case selecting:
		return nil, c.choose(in)
	case challenge:
		return c.challenge(in)
	case external:
		return c.authenticate(in)
	case manage:
		return nil, c.manage(in)
	case general:
		return c.general(in)
	case internal:
		return c.internal(in)
	case readBinary:
		return c.read(in)
	case readBinaryDO:
		return c.readFar(in)
	}
	return nil, sm.UnknownINS
}
