// Package bus is the counter PC's own plugs: it finds what the system has on
// them, recognises it by its profile, tells when something comes or goes, and
// opens it as a driver. It is a source of devices for the hub.
//
// It decides nothing about who uses a device and keeps nothing that one read.
//
// # The laws
//
//   - What no profile matches is listed for the doctor and never opened.
//   - A device is named by the place it is plugged into with its vendor, product
//     and serial number, never by its node.
//   - The kernel is told nothing and asked little: finding a device opens none.
//   - What a device says of itself is bounded and printable before it goes on.
//   - A site's profile works as soon as its file is there; one that is wrong is
//     left out, told, and takes no other with it.
package bus

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/counterproof/counterproof/devices"
	"github.com/counterproof/counterproof/devices/internal/driver"
	"github.com/counterproof/counterproof/devices/profile"
)

// Config says where a source looks.
type Config struct {
	// Profiles is the folder with a site's own profiles; "" is none.
	Profiles string
	// Sys and Dev are where the kernel shows its devices; "/sys" and "/dev" if
	// empty.
	Sys, Dev string
	// Locks is where the locks of serial lines lie, the same for all programs that
	// share the counter's devices; "" is the system's folder.
	Locks string
	// Log hears of profiles that are wrong; nil is slog.Default.
	Log *slog.Logger
}

// Bounds.
const (
	maxProfiles    = 256
	maxProfileFile = 64 << 10
	maxFound       = 256
	maxWord        = 40 // characters of a serial number in an ID
)

// Source is the plugs of this computer. Its methods may be called from any
// goroutine.
type Source struct {
	cfg  Config
	log  *slog.Logger
	open opener
	usb  *driver.USB

	mu       sync.Mutex
	set      profile.Set
	stamp    string   // of the site's files when they were read
	problems []string // what was wrong with them
	things   []Thing  // as last listed
	listed   bool
	seen     string               // what was to be seen then
	ours     map[string]time.Time // port paths on which this program causes a stir, and until when
}

// opener opens a thing as a driver.
type opener func(ctx context.Context, t Thing) (io.Closer, error)

// Thing is one thing that was found, with the profile that it fits.
type Thing struct {
	profile.Found
	ID      devices.ID
	Profile profile.Profile // zero where none fits
	Known   bool
}

// Opens reports whether the thing may be opened here. A chip reader is opened
// through the smart-card service, which lists it again (Chips).
func (t Thing) Opens() bool {
	return t.Known && t.Profile.Opens() && len(t.Profile.Can) > 0 && t.Profile.Transport != profile.OverPCSC
}

// New makes a source. It looks at nothing yet.
func New(cfg Config) *Source {
	cfg.Sys, cfg.Dev = cmp.Or(cfg.Sys, "/sys"), cmp.Or(cfg.Dev, "/dev")
	s := &Source{cfg: cfg, log: cmp.Or(cfg.Log, slog.Default()), set: profile.Embedded(), ours: map[string]time.Time{}}
	s.open, s.usb = s.drive, &driver.USB{Sys: cfg.Sys, Stirs: s.Stirs}
	return s
}

// Profiles is the set that the source goes by, with what was wrong with the
// site's files.
func (s *Source) Profiles() (profile.Set, []string) {
	s.reread()
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.set, slices.Concat(s.problems, s.set.Problems())
}

// Things lists everything that is plugged in, with what no profile fits.
func (s *Source) Things() ([]Thing, error) {
	s.reread()
	seen := s.everything()
	found, err := look(s.cfg.Sys, s.cfg.Dev)
	if err != nil {
		return nil, fmt.Errorf("looking at the plugs: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	found = append(found[:min(len(found), maxFound)], named(s.set)...)
	s.things, s.listed, s.seen = nil, true, seen
	for _, f := range found {
		t := Thing{Found: f, ID: id(f)}
		t.Profile, t.Known = s.set.Match(f)
		s.things = append(s.things, t)
	}
	slices.SortStableFunc(s.things, func(a, b Thing) int { return cmp.Compare(a.ID, b.ID) })
	return slices.Clone(s.things), nil
}

// named are the things that no bus lists and a site names in a profile of its
// own: a scanner in the house's network, one that SANE drives.
func named(set profile.Set) (found []profile.Found) {
	for _, p := range set.All() {
		if !p.Site {
			continue
		}
		for _, m := range p.Match {
			f := profile.Found{Bus: m.Bus, PortPath: m.PortPath, Service: m.Service, Name: m.Name}
			switch {
			case m.Bus == profile.BusNet && m.PortPath != "":
				f.Node = "http://" + m.PortPath + "/eSCL"
			case m.Bus == profile.BusSANE && m.Name != "":
				f.PortPath, f.Node = m.Name, m.Name
			default:
				continue
			}
			found = append(found, f)
		}
	}
	return found
}

// Devices lists what may be used, and what is recognised and refused: that cannot
// be opened, which says so.
func (s *Source) Devices(context.Context) ([]devices.Device, error) {
	things, err := s.Things()
	if err != nil {
		return nil, &devices.Fault{Op: "listing", Kind: devices.Unsupported, Err: err}
	}
	var list []devices.Device
	for _, t := range things {
		if t.Opens() || t.Refused() != "" {
			list = append(list, devices.Device{
				ID: t.ID, Name: t.called(), Roles: slices.Clone(t.Profile.Roles), Can: slices.Clone(t.Profile.Can),
				State: devices.Found, Kind: t.kind(),
			})
		}
	}
	return list, nil
}

// called is what a device is called: as it calls itself, else as its profile.
func (t Thing) called() string {
	return cmp.Or(strings.TrimSpace(t.Name), t.Profile.Name, t.Profile.ID, "device")
}

// errNotMatched is why a thing is not opened.
var errNotMatched = errors.New("no profile fits it")

// Open opens a thing as a driver of its profile.
func (s *Source) Open(ctx context.Context, id devices.ID) (io.Closer, error) {
	t, ok := s.find(id)
	if !ok {
		if _, err := s.Things(); err != nil {
			return nil, &devices.Fault{Op: opening, Kind: devices.Missing, Device: id}
		}
		if t, ok = s.find(id); !ok {
			return nil, &devices.Fault{Op: opening, Kind: devices.Missing, Device: id}
		}
	}
	if !t.Opens() {
		return nil, t.unopened()
	}
	opened, err := s.open(ctx, t)
	if err != nil {
		return nil, explain(t, err)
	}
	return opened, nil
}

const opening = "opening the device"

// explain adds to a fault what the profile knows: the rule that is missing.
func explain(t Thing, err error) error {
	f, is := errors.AsType[*devices.Fault](err)
	if !is {
		return err
	}
	out := *f
	out.Device = cmp.Or(out.Device, t.ID)
	if out.Kind == devices.Permission && out.Rule == "" {
		out.Rule = t.Profile.Rule()
	}
	return &out
}

// find is a thing that was listed.
func (s *Source) find(id devices.ID) (Thing, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := slices.IndexFunc(s.things, func(t Thing) bool { return t.ID == id })
	if i < 0 {
		return Thing{}, false
	}
	return s.things[i], true
}

// id names a thing. A thing with several interfaces is named once for each.
func id(f profile.Found) devices.ID {
	kind := "usb"
	if f.Vendor == 0 && f.Product == 0 {
		kind = string(f.Bus)
	}
	name := kind + ":" + word(f.PortPath)
	if kind == "usb" {
		name += fmt.Sprintf("/%04x:%04x", f.Vendor, f.Product)
		if serial := word(f.Serial); serial != "" {
			name += "/" + serial
		}
	}
	if f.Interface > 0 {
		name += fmt.Sprintf("#%d", f.Interface)
	}
	return devices.ID(name)
}

// word keeps of what a device says of itself what a name may have.
func word(s string) string {
	var b strings.Builder
	for _, r := range s {
		if b.Len() == maxWord {
			break
		}
		if r > ' ' && r < 0x7f && r != '/' && r != '#' {
			b.WriteRune(r)
		}
	}
	return b.String()
}

// reread reads the site's profiles where they changed.
func (s *Source) reread() {
	stamp := s.profileStamp()
	s.mu.Lock()
	defer s.mu.Unlock()
	if stamp == s.stamp {
		return
	}
	s.stamp = stamp
	var own []profile.Profile
	own, s.problems = readProfiles(s.cfg.Profiles)
	s.set = profile.Embedded().With(own...)
	for _, p := range slices.Concat(s.problems, s.set.Problems()) {
		s.log.Warn("a profile is left out", "err", p)
	}
	s.log.Info("the site's profiles were read", "count", len(own))
}

// profileStamp changes when the site's files do.
func (s *Source) profileStamp() string {
	if s.cfg.Profiles == "" {
		return ""
	}
	entries, err := os.ReadDir(s.cfg.Profiles)
	if err != nil {
		return ""
	}
	var b strings.Builder
	for _, e := range entries[:min(len(entries), maxProfiles)] {
		if info, err := e.Info(); err == nil && filepath.Ext(e.Name()) == ".json" {
			fmt.Fprintf(&b, "%s %d %d\n", e.Name(), info.Size(), info.ModTime().UnixNano())
		}
	}
	return b.String()
}

// readProfiles reads a folder of profiles; a file that is wrong is told and left
// out.
func readProfiles(dir string) (own []profile.Profile, problems []string) {
	files, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if dir == "" || err != nil {
		return nil, nil
	}
	for _, file := range files[:min(len(files), maxProfiles)] {
		p, err := readProfile(file)
		if err != nil {
			problems = append(problems, fmt.Sprintf("%s: %v", filepath.Base(file), err))
			continue
		}
		p.Site = true
		own = append(own, p)
	}
	return own, problems
}

// readProfile reads one file, bounded.
func readProfile(file string) (profile.Profile, error) {
	f, err := os.Open(file)
	if err != nil {
		return profile.Profile{}, errors.New("it cannot be read")
	}
	defer f.Close()
	raw, err := io.ReadAll(io.LimitReader(f, maxProfileFile+1))
	if err != nil || len(raw) > maxProfileFile {
		return profile.Profile{}, errors.New("it cannot be read, or is too large")
	}
	return profile.Parse(raw)
}
