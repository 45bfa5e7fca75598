// Package tap records what goes between this computer and a device, for a person
// who asked: it opens the port of a thing as its profile says, has the device work
// as a driver would, and writes down what passes.
//
// It reads no frame, and by default keeps no byte of a document (package record).
//
// # The laws
//
//   - A port that no profile matched, or whose profile does not open it, is left
//     alone.
//   - Nothing is sent but what the profile names.
//   - A device that somebody uses is not taken away: it is in use.
package tap

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/counterproof/counterproof/devices"
	"github.com/counterproof/counterproof/devices/internal/port/hid"
	"github.com/counterproof/counterproof/devices/internal/port/lp"
	"github.com/counterproof/counterproof/devices/internal/port/serial"
	"github.com/counterproof/counterproof/devices/profile"
	"github.com/counterproof/counterproof/devices/record"
)

// Config says what is recorded and how.
type Config struct {
	ID      devices.ID
	Found   profile.Found
	Profile profile.Profile
	// Clear keeps every byte, of documents too. Somebody must have said so.
	Clear bool
	// Locks is the folder of the locks of serial lines; "" is the system's.
	Locks string
}

// recording is what is done, for a fault.
const recording = "recording a device"

// asking is how often a device that has to be asked is asked.
const asking = 300 * time.Millisecond

// buffer holds one read; the longest HID report fits.
const buffer = 16 << 10

// Why a thing is not recorded.
var (
	errClosed = errors.New("its profile does not open it")
	errNoPort = errors.New("only serial lines, HID devices and printers can be recorded")
)

// Record records a thing to w until ctx ends, and tells how many pieces came in.
// That ctx ended is no error.
func Record(ctx context.Context, cfg Config, w io.Writer) (pieces int, err error) {
	port, err := open(cfg)
	if err != nil {
		return 0, err
	}
	var commands [][]byte
	for name := range cfg.Profile.Commands {
		commands = append(commands, cfg.Profile.Command(name)...)
	}
	r := record.Wrap(port, w, record.Options{
		Clear: cfg.Clear, Commands: commands, Reports: cfg.Profile.Transport == profile.OverHID, Device: cfg.ID, Profile: cfg.Profile.ID,
	})
	pieces, err = listen(ctx, cfg.Profile, r)
	leave := context.WithoutCancel(ctx)
	if err == nil {
		err = errors.Join(send(leave, cfg.Profile, r, "untrigger"), send(leave, cfg.Profile, r, "close"))
	}
	return pieces, errors.Join(err, r.Err(), port.Close())
}

// open opens a thing's port.
func open(cfg Config) (devices.Port, error) {
	fail := func(kind devices.Kind, err error) error {
		return &devices.Fault{Op: recording, Kind: kind, Device: cfg.ID, Err: err}
	}
	if !cfg.Profile.Opens() {
		return nil, fail(devices.Unsupported, errClosed)
	}
	var port devices.Port
	var err error
	switch s := cfg.Profile.Serial; cfg.Profile.Transport {
	case profile.OverSerial:
		port, err = serial.Open(cfg.Found.Node, serial.Settings{
			Baud: s.Baud, DataBits: s.DataBits, Parity: s.Parity, StopBits: s.StopBits, Device: cfg.ID, Locks: cfg.Locks,
		})
	case profile.OverHID:
		port, err = hid.Open(cfg.Found.Node)
	case profile.OverLP:
		port, err = lp.Open(cfg.Found.Node)
	default:
		return nil, fail(devices.Unsupported, errNoPort)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", recording, err)
	}
	return port, nil
}

// listen has a device work and reads what it sends until ctx ends.
func listen(ctx context.Context, p profile.Profile, port devices.Port) (pieces int, err error) {
	if err := errors.Join(port.Flush(), send(ctx, p, port, "init"), send(ctx, p, port, "trigger")); err != nil {
		return 0, err
	}
	b := make([]byte, buffer)
	for ctx.Err() == nil {
		if p.Has(profile.Poll) {
			if err := send(ctx, p, port, "read"); err != nil {
				return pieces, err
			}
		}
		n, err := read(ctx, port, b, p.Has(profile.Poll))
		if n > 0 {
			pieces++
			if p.Has(profile.Rearm) {
				err = errors.Join(err, send(ctx, p, port, "trigger"))
			}
		}
		if kind := devices.KindOf(err); err != nil && ctx.Err() == nil && kind != devices.Cancelled && kind != devices.Timeout {
			return pieces, err
		}
	}
	return pieces, nil
}

// read reads once: for as long as it takes, or until a device that has to be asked
// is asked again.
func read(ctx context.Context, port devices.Port, b []byte, asked bool) (int, error) {
	if asked {
		var stop context.CancelFunc
		ctx, stop = context.WithTimeout(ctx, asking)
		defer stop()
	}
	return port.Read(ctx, b)
}

// send sends a command of a profile, if it has it.
func send(ctx context.Context, p profile.Profile, port devices.Port, name string) error {
	for _, message := range p.Command(name) {
		if err := port.Write(ctx, message); err != nil {
			return err
		}
	}
	return nil
}

// Records reports whether a thing of a profile can be recorded.
func Records(p profile.Profile) bool {
	return p.Opens() && slices.Contains([]profile.Transport{profile.OverSerial, profile.OverHID, profile.OverLP}, p.Transport)
}
