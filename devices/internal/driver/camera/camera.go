// Package camera films with a camera of the system: whole JPEG pictures out of
// what cameras send, damaged ones counted and passed over.
//
// It finds no camera and keeps no picture.
//
// # The laws
//
//   - The newest picture, never a queue: the port drops what nobody takes.
//   - A camera that sends only damage for a second is a Fault.
//   - What a profile does not set stays automatic.
package camera

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/counterproof/counterproof/devices"
	"github.com/counterproof/counterproof/devices/internal/driver/seat"
	"github.com/counterproof/counterproof/devices/internal/port/video"
)

// What is being done, for a fault.
const filming = "filming"

// Config says which camera is opened, and how.
type Config struct {
	ID   devices.ID
	Node string // as the system names it now
	Wish video.Wish
	// Settings are put before the first frame, by the names of SettingNames; a
	// camera that does not have one goes without. Automatic exposure and focus
	// are on unless they are named here.
	Settings map[string]int
}

// settings are the names under which profiles set a camera.
var settings = []struct {
	name  string
	id    video.ControlID
	usual int // put where nothing else is said; negative for nothing
}{
	{"auto_exposure", video.AutoExposure, 3}, // the aperture stays, which most cameras call automatic
	{"auto_focus", video.AutoFocus, 1},
	{"exposure", video.Exposure, -1},
	{"focus", video.Focus, -1},
}

// SettingNames lists what a profile may set of a camera.
func SettingNames() []string {
	var names []string
	for _, s := range settings {
		names = append(names, s.name)
	}
	return names
}

// film is what a camera driver needs of video.Camera.
type film interface {
	Next(ctx context.Context) (video.Picture, error)
	Controls() []video.Control
	Set(id video.ControlID, value int) error
	Close() error
}

// Camera films with a camera of the system.
type Camera struct {
	seat.Seat
	film  film
	began time.Time
	seq   uint64 // of the last frame; the user's
	last  uint32 // the same, as the camera counts
}

// Open opens a camera and puts its settings.
func Open(cfg Config) (*Camera, error) {
	f, err := video.Open(cfg.Node, cfg.Wish)
	if err != nil {
		s := seat.Seat{ID: cfg.ID}
		return nil, s.Fault("opening the camera", devices.Protocol, err)
	}
	c := wrap(cfg, f)
	c.Tell(f.Card())
	return c, nil
}

func wrap(cfg Config, f film) *Camera {
	c := &Camera{Seat: seat.Seat{ID: cfg.ID}, film: f, began: time.Now()}
	has := f.Controls()
	for _, s := range settings {
		value, named := cfg.Settings[s.name]
		if !named {
			value = s.usual
		}
		i := slices.IndexFunc(has, func(o video.Control) bool { return o.ID == s.id })
		if i < 0 || value < 0 {
			continue
		}
		if f.Set(s.id, min(max(value, has[i].Min), has[i].Max)) != nil {
			c.Count("settings_refused", 1) // it films all the same
		}
	}
	return c
}

// maxLost bounds a gap in a camera's count: beyond it, it has begun anew.
const maxLost = 1 << 16

// maxBad is how many damaged frames in a row are a fault: a second of them.
const maxBad = 30

// errBad is why a camera is given up that sends only damage.
var errBad = errors.New("only damaged pictures come")

// Frames films until deliver had enough. Damaged frames are counted and passed
// over.
func (c *Camera) Frames(ctx context.Context, deliver func(devices.Frame) bool) error {
	leave, err := c.Take(ctx, filming)
	if err != nil {
		return err
	}
	defer leave()
	for bad := 0; ; {
		p, err := c.film.Next(ctx)
		if err != nil {
			return c.Fault(filming, devices.Protocol, err)
		}
		jpeg, err := picture(p)
		if p.Broken || err != nil {
			c.Count("damaged_frames", 1)
			if bad++; bad == maxBad {
				return c.Fault(filming, devices.Protocol, errors.Join(errBad, err))
			}
			continue
		}
		bad = 0
		c.advance(p.Seq)
		if !deliver(devices.Frame{JPEG: jpeg, Seq: c.seq, At: time.Since(c.began)}) {
			return nil
		}
	}
}

// advance counts a frame, and with it those that nobody took. A camera that does
// not count has lost none.
func (c *Camera) advance(count uint32) {
	step := count - c.last // around zero too
	if c.seq == 0 || step == 0 || step > maxLost {
		step = 1
	}
	c.seq, c.last = c.seq+uint64(step), count
}

// Close ends the film and lets go of the camera.
func (c *Camera) Close() error {
	if !c.Leave() {
		return nil
	}
	return c.film.Close()
}
