package chip

import (
	"bytes"
	"context"
	"errors"
	"io"
	"maps"

	"github.com/counterproof/counterproof/agent/chip/access"
	"github.com/counterproof/counterproof/agent/chip/sm"
)

// Key opens a chip. It is read from the document, or typed; one of the two is
// enough, and where both are there the zone's is used.
type Key struct {
	MRZInformation string // number, birth and expiry with their check digits
	CAN            string // the card access number, for chips with PACE
}

// Config says how a chip is read.
type Config struct {
	Send   Transmit
	Key    Key
	Random io.Reader // for nonces and secrets
	// Want are the files that are read besides EF.SOD, in this order; a file that
	// the chip does not have is left out. Data group 14, and 15 where it is
	// needed, are read unasked: the chip proves itself before the others.
	Want []File
	// Resume are the files of an earlier reading that ended too soon. They are
	// taken over if the chip turns out to be the same one: its EF.SOD is equal.
	Resume map[File][]byte
	// Short says that only short commands are sent, for chips and readers that fall
	// silent over long ones.
	Short bool
	// AllowDowngrade opens a chip by Basic Access Control if it offers PACE and
	// does not do it; the reading then says so.
	AllowDowngrade bool
	// Progress, if set, hears which file is being read, and how far.
	Progress func(f File, done, total int)
}

// Reading is what a chip gave. Nothing in it is proved yet but that it came from
// one chip that knows the key, and what its Proof says.
type Reading struct {
	Way Way
	// Downgraded says that the chip offers PACE in another way, or not at all,
	// than its state wrote into data group 14, or was opened without.
	Downgraded bool
	Proof      Proof
	Files      map[File][]byte
	Resumed    bool // files of an earlier reading were taken over
	Long       bool // the chip takes long commands
	Commands   int  // how many it took
}

// Read opens a chip and reads it. A chip that ends the session over a long
// command is opened again and read with short ones. Where it fails, the reading
// holds what was read so far, to be resumed: if that was nothing, what it was to
// resume itself.
func Read(ctx context.Context, cfg Config) (Reading, error) {
	l := &link{send: cfg.Send, long: !cfg.Short}
	r, err := attempt(ctx, cfg, l)
	if l.long && errors.Is(err, errTooMuch) {
		l.long, l.secure, l.pending = false, nil, false
		before := err
		if r, err = attempt(ctx, cfg, l); err != nil {
			err = errors.Join(err, before)
		}
	}
	r.Commands = l.commands
	return r, err
}

// session is one attempt to read a chip.
type session struct {
	cfg     Config
	link    *link
	opening opening
	infos   access.Infos // of data group 14
	claimed Proof        // what is proved as soon as the chip has spoken in its new session
	reading Reading
}

// attempt opens a chip and reads it, once.
func attempt(ctx context.Context, cfg Config, l *link) (Reading, error) {
	s := &session{cfg: cfg, link: l, reading: Reading{Files: map[File][]byte{}, Proof: Proof{Clone: NotAttempted}}}
	err := s.inspect(ctx)
	if errors.Is(err, ErrClone) {
		s.reading.Proof = Proof{Clone: CloneFailed}
	}
	if _, read := s.reading.Files[SOD]; err != nil && !read && cfg.Resume != nil {
		s.reading.Files = maps.Clone(cfg.Resume)
	}
	s.reading.Long = l.long
	return s.reading, err
}

// inspect reads in the order that needs least: access, what the state signed, the
// proof that the chip is no copy, then the rest.
func (s *session) inspect(ctx context.Context) (err error) {
	if s.opening, err = s.link.open(ctx, s.cfg); err != nil {
		return err
	}
	s.reading.Way = s.opening.way()
	if s.opening.run != nil {
		if err := s.inMasterFile(ctx); err != nil {
			return err
		}
	}
	if err := s.read(ctx, SOD); err != nil {
		return err
	}
	if _, has := s.reading.Files[SOD]; !has {
		return &Error{"reading " + SOD.String(), sm.FileMissing}
	}
	s.resume()
	if err := s.read(ctx, DG14); err != nil {
		return err
	}
	if file, has := s.reading.Files[DG14]; has {
		if s.infos, err = access.DG14(file); err != nil { // what it announces is not known
			s.infos = access.Infos{Proves: true}
		}
	}
	s.reading.Downgraded = s.opening.forced || !s.opening.infos.SamePACE(s.infos)
	if err := s.prove(ctx); err != nil {
		return err
	}
	return s.others(ctx)
}

// inMasterFile reads what only lies there, and goes on to the document.
func (s *session) inMasterFile(ctx context.Context) error {
	if s.opening.run.Mapping == access.ChipAuthentication {
		err := s.read(ctx, CardSecurity)
		if _, refused := errors.AsType[*Error](err); err != nil && !refused {
			return err
		}
		s.link.byName = false
	}
	return s.link.choose(ctx)
}

// resume takes files over that were read whole before, if the chip is the same.
func (s *session) resume() {
	if !bytes.Equal(s.cfg.Resume[SOD], s.reading.Files[SOD]) {
		return
	}
	for f, content := range s.cfg.Resume {
		if _, read := s.reading.Files[f]; !read && f != CardSecurity {
			s.reading.Files[f], s.reading.Resumed = content, true
		}
	}
}

// others reads the files that were asked for. A new session has to be seen to
// work, if need be by reading a byte.
func (s *session) others(ctx context.Context) error {
	for _, f := range s.cfg.Want {
		if err := s.read(ctx, f); err != nil {
			return err
		}
	}
	if !s.link.pending {
		return nil
	}
	_, _, err := s.link.do(ctx, sm.Command{INS: insRead, P1: 0x80 | byte(SOD&0x1f), Ne: 1})
	s.settle()
	return err
}

// settle takes over what a chip proved by speaking in its new session.
func (s *session) settle() {
	if s.claimed.Clone != "" && !s.link.pending {
		s.reading.Proof, s.claimed = s.claimed, Proof{}
	}
}

// read reads a file that was not read yet; one that the chip does not have is left
// out.
func (s *session) read(ctx context.Context, f File) error {
	if _, read := s.reading.Files[f]; read {
		return nil
	}
	var progress func(done, total int)
	if s.cfg.Progress != nil {
		progress = func(done, total int) { s.cfg.Progress(f, done, total) }
	}
	content, err := s.link.read(ctx, f, progress)
	s.settle()
	if status, is := errors.AsType[*Error](err); is && status.Status == sm.FileMissing {
		return nil
	}
	if err == nil {
		s.reading.Files[f] = content
	}
	return err
}
