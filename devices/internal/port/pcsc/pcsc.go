// Package pcsc is the way to chip readers: the smart-card service of the system
// (PC/SC, on Linux pcscd, on Windows the Smart Card service). It lists readers,
// tells when one comes or goes, takes a document that lies on one for this
// program alone, and moves commands and responses.
//
// It knows no file and no protocol of a document, writes nothing to a log and
// keeps nothing that a chip said. The service's library is looked for when it is
// needed: without it the program starts all the same, and says so.
//
// # The laws
//
//   - A document is taken exclusively, and reset before and after a conversation;
//     it is never ejected.
//   - No call hangs: one that the service does not answer is left when its context
//     ends, and puts away itself what it holds if it comes back later.
//   - A conversation that failed is over. Nothing is sent again.
//   - The room for responses is cleared after each.
//   - What the service and the chip say is bounded.
//
// Names and numbers are those of the PC/SC Workgroup's Part 5, as winscard.h has
// them.
package pcsc

import (
	"context"
	"slices"
	"time"

	"github.com/counterproof/counterproof/devices"
)

// What is being done, for a fault.
const (
	listing    = "listing chip readers"
	watching   = "watching chip readers"
	opening    = "opening the chip reader"
	connecting = "waiting for a document with a chip"
	talking    = "talking to the chip"
	parting    = "letting the document go"
)

const (
	// plugs is the reader that does not exist, whose state changes when others
	// come or go.
	plugs = `\\?PnP?\Notification`
	// backstop is how often readers are listed although nobody told of a change.
	backstop = 2 * time.Second
	// maxReaders bounds what the service lists, and maxName one name in bytes.
	maxReaders = 32
	maxName    = 128
)

// Readers lists the readers of the system by name. No reader is an empty list;
// where there is no service, that is a Fault of Kind Missing that wraps
// ErrService.
func Readers() ([]string, error) { return readers(newLibrary()) }

func readers(lib library) ([]string, error) {
	s, c := lib.establish()
	if c != success {
		return nil, fault(listing, c)
	}
	defer s.release()
	return list(s)
}

// list asks a session for readers.
func list(s session) ([]string, error) {
	names, c := s.list()
	if c == noReaders {
		return nil, nil
	}
	if c != success {
		return nil, fault(listing, c)
	}
	names = slices.DeleteFunc(names, func(n string) bool { return n == "" || len(n) > maxName || n == plugs })
	return slices.Clone(names[:min(len(names), maxReaders)]), nil
}

// Watch tells changed which readers there are, at once and whenever that changes,
// until ctx ends; then it returns nil. It fails where there is no service, or no
// longer.
func Watch(ctx context.Context, changed func(readers []string)) error {
	return watch(ctx, newLibrary(), changed)
}

func watch(ctx context.Context, lib library, changed func([]string)) error {
	s, c := lib.establish()
	if c != success {
		return fault(watching, c)
	}
	defer s.release()
	var before []string
	for told := false; ctx.Err() == nil; {
		now, err := list(s)
		if err != nil {
			return err
		}
		slices.Sort(now)
		if !told || !slices.Equal(now, before) {
			changed(slices.Clone(now))
			before, told = now, true
		}
		_, c := wait(ctx, s, sight{plugs, state(len(now)) << eventCount}, backstop)
		if c != success && c != timedOut && c != cancelled && c != unknownReader {
			return fault(watching, c)
		}
		if c == unknownReader { // a service that does not tell of plugs
			pause(ctx, backstop)
		}
	}
	return nil
}

// pause lets a time pass, unless ctx ends.
func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// sight is what a program knows of a reader.
type sight struct {
	reader string
	state  state
}

// cancelPause is the time between two requests to end a wait. One that comes
// before the wait has begun is lost, therefore it is made again.
const cancelPause = 5 * time.Millisecond

// wait waits until a reader is in another state than the known one, a time has
// passed or ctx has ended.
func wait(ctx context.Context, s session, known sight, d time.Duration) (state, code) {
	over, rung := make(chan struct{}), make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(rung)
		for {
			s.cancel()
			select {
			case <-over:
				return
			case <-time.After(cancelPause):
			}
		}
	})
	now, c := s.await(known, d)
	close(over)
	if !stop() {
		<-rung // the session must not end under it
	}
	return now &^ changedState, c
}

// Config says which reader is opened.
type Config struct {
	ID   devices.ID // of the device, for faults
	Name string     // as the service calls the reader
}

// Open opens the way to a reader that is there. It takes nothing from other programs
// before Connect.
func Open(cfg Config) (*Reader, error) { return open(newLibrary(), cfg) }

func open(lib library, cfg Config) (*Reader, error) {
	names, err := readers(lib)
	if err == nil && !slices.Contains(names, cfg.Name) {
		err = &devices.Fault{Op: opening, Kind: devices.Missing, Err: ErrReader}
	}
	if err != nil {
		return nil, named(cfg.ID, err)
	}
	life, end := context.WithCancel(context.Background())
	return &Reader{lib: lib, id: cfg.ID, name: cfg.Name, life: life, end: end, counts: map[string]int{}}, nil
}
