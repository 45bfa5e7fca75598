package scanner

import (
	"bytes"
	"context"
	"errors"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"github.com/counterproof/counterproof/devices"
	"github.com/counterproof/counterproof/devices/internal/driver/seat"
)

// saneDetail is dots per inch of a scan.
const saneDetail = 300

// SANEConfig says which scanner of the system's SANE is used.
type SANEConfig struct {
	ID      devices.ID
	Name    string        // as SANE names it: "fujitsu:fi-65F:1234"
	Program string        // scanimage; its name on the path if empty
	Total   time.Duration // a scan takes at most so long; zero is a minute
}

// SANE is a scanner of the system's SANE. Each scan is a child process: a
// scanner's driver that crashes takes nothing with it, and its licence stays its
// own.
type SANE struct {
	seat.Seat
	cfg SANEConfig
}

// OpenSANE makes a scanner. Whether it is there, SANE says at the first scan.
func OpenSANE(cfg SANEConfig) (*SANE, error) {
	s := &SANE{Seat: seat.Seat{ID: cfg.ID}, cfg: cfg}
	if s.cfg.Program == "" {
		s.cfg.Program = "scanimage"
	}
	if s.cfg.Total <= 0 {
		s.cfg.Total = time.Minute
	}
	if cfg.Name == "" || strings.HasPrefix(cfg.Name, "-") {
		return nil, s.Fault("opening the scanner", devices.Unsupported, errors.New("it has no name"))
	}
	program, err := exec.LookPath(s.cfg.Program)
	if err != nil {
		return nil, s.Fault("opening the scanner", devices.Unsupported, errors.New("the program scanimage is not installed (package sane-utils)"))
	}
	s.cfg.Program = program
	return s, nil
}

// Scan takes one picture by white light.
func (s *SANE) Scan(ctx context.Context, lights []devices.Light) ([][]byte, error) {
	leave, err := s.Take(ctx, scanning)
	if err != nil {
		return nil, err
	}
	defer leave()
	if err := whiteAlone(lights); err != nil {
		return nil, s.Fault(scanning, devices.Unsupported, err)
	}
	within, cancel := context.WithTimeout(ctx, s.cfg.Total)
	defer cancel()
	child := exec.CommandContext(within, s.cfg.Program,
		"--device-name="+s.cfg.Name, "--format=jpeg", "--mode=Color", "--resolution="+strconv.Itoa(saneDetail))
	child.Env = []string{"LC_ALL=C", "PATH=/usr/bin:/bin"}
	child.WaitDelay = 2 * time.Second
	page, said := &bounded{max: maxScan}, &bounded{max: maxSaid}
	child.Stdout, child.Stderr = page, said
	switch err := child.Run(); {
	case ctx.Err() != nil:
		return nil, s.Fault(scanning, devices.Cancelled, context.Cause(ctx))
	case within.Err() != nil:
		return nil, s.Fault(scanning, devices.Timeout, errStall)
	case err != nil:
		return nil, s.Fault(scanning, saneKind(said.String()), errors.New("scanimage failed"))
	}
	if page.over || !isPicture(page.Bytes()) {
		return nil, s.Fault(scanning, devices.Protocol, errAnswer)
	}
	return [][]byte{bytes.Clone(page.Bytes())}, nil
}

// Close lets go of the scanner; a scan that runs ends with its context.
func (s *SANE) Close() error {
	s.Leave()
	return nil
}

// saneKind tells what scanimage means with its sentence (the texts of
// sane_strstatus, SANE Standard 1.06 §4.3.10).
func saneKind(said string) devices.Kind {
	for _, k := range []struct {
		text string
		kind devices.Kind
	}{
		{"Device busy", devices.InUse}, {"Access to resource has been denied", devices.Permission},
		{"Invalid argument", devices.Missing}, {"no SANE devices found", devices.Missing},
		{"Error during device I/O", devices.Gone}, {"cover is open", devices.CoverOpen},
		{"out of documents", devices.PaperOut}, {"Operation was cancelled", devices.Cancelled},
		{"Operation not supported", devices.Unsupported}, {"unrecognized option", devices.Unsupported},
	} {
		if strings.Contains(said, k.text) {
			return k.kind
		}
	}
	return devices.Protocol
}

// maxSaid bounds what a child says of its trouble.
const maxSaid = 4 << 10

// bounded keeps what a child writes, up to a limit; the rest is dropped, so that
// the child does not hang.
type bounded struct {
	bytes.Buffer
	max  int
	over bool
}

// Write keeps what there is room for.
func (b *bounded) Write(p []byte) (int, error) {
	room := max(b.max-b.Len(), 0)
	b.over = b.over || len(p) > room
	b.Buffer.Write(p[:min(len(p), room)])
	return len(p), nil
}
