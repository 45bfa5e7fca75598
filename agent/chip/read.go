package chip

import (
	"context"
	"errors"
	"fmt"
	"io"
)

// application is the travel document's (9303-10 §3.3.1).
var application = []byte{0xa0, 0x00, 0x00, 0x02, 0x47, 0x10, 0x01}

// Way is how a chip was opened.
type Way string

// The ways.
const (
	ByBAC Way = "BAC"
)

// Key opens a chip. It is read from the document, or typed.
type Key struct {
	MRZInformation string // number, birth and expiry with their check digits
}

// Config says how a chip is read.
type Config struct {
	Send   Transmit
	Key    Key
	Random io.Reader // for nonces and secrets
	// Want are the files that are read besides EF.SOD, in this order; a file that
	// the chip does not have is left out.
	Want []File
	// Progress, if set, hears which file is being read, and how far.
	Progress func(f File, done, total int)
}

// Reading is what a chip gave. Nothing in it is proved yet but that it came from
// one chip that knows the key.
type Reading struct {
	Way      Way
	Files    map[File][]byte
	Long     bool // the chip takes long commands
	Commands int  // how many it took
}

// Read opens a chip and reads it. A chip that ends the session over a long
// command is opened again and read with short ones.
func Read(ctx context.Context, cfg Config) (Reading, error) {
	l := &link{send: cfg.Send, long: true}
	r, err := attempt(ctx, cfg, l)
	if l.long && errors.Is(err, errTooMuch) {
		l.long, l.secure = false, nil
		before := err
		if r, err = attempt(ctx, cfg, l); err != nil {
			err = errors.Join(err, before)
		}
	}
	r.Commands = l.commands
	return r, err
}

// errTooMuch is why a chip that was opened is read again with short commands.
var errTooMuch = errors.New("the chip does not take long commands")

// attempt opens a chip and reads it, once.
func attempt(ctx context.Context, cfg Config, l *link) (Reading, error) {
	r := Reading{Way: ByBAC, Files: map[File][]byte{}}
	if err := l.open(ctx, cfg); err != nil {
		return r, err
	}
	for _, f := range append([]File{SOD}, cfg.Want...) {
		var progress func(done, total int)
		if cfg.Progress != nil {
			progress = func(done, total int) { cfg.Progress(f, done, total) }
		}
		content, err := l.read(ctx, f, progress)
		if status, is := errors.AsType[*Error](err); is && status.Status == FileMissing && f != SOD {
			continue
		}
		if err != nil {
			return r, l.judged(err)
		}
		r.Files[f] = content
	}
	r.Long = l.long
	return r, nil
}

// judged tells a chip that gave up over a long command from one that lies: it is
// asked short before anything is concluded.
func (l *link) judged(err error) error {
	if l.long && errors.Is(err, ErrAuthentic) {
		return errors.Join(errTooMuch, err)
	}
	return err
}

// open selects the application and runs Basic Access Control.
func (l *link) open(ctx context.Context, cfg Config) error {
	if _, err := l.must(ctx, "selecting the document", Command{INS: insSelect, P1: 0x04, P2: 0x0c, Data: application}); err != nil {
		return err
	}
	nonce, err := l.must(ctx, "asking for a nonce", Command{INS: 0x84, Ne: nonceLen})
	if err != nil {
		return err
	}
	var random [nonceLen + secretLen]byte
	if _, err := io.ReadFull(cfg.Random, random[:]); err != nil {
		return fmt.Errorf("drawing a secret: %w", err)
	}
	message, finish, err := BACTerminal(cfg.Key.MRZInformation, nonce, random)
	if err != nil {
		return err
	}
	answer, status, err := l.do(ctx, Command{INS: 0x82, Data: message, Ne: len(message)})
	switch {
	case err != nil:
		return fmt.Errorf("proving the key: %w", err)
	case status != OK: // 6300, 6982 and others, by maker
		return fmt.Errorf("proving the key: %w", ErrKey)
	}
	l.secure, err = finish(answer)
	return err
}
