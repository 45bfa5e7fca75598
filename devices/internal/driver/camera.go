package driver

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/counterproof/counterproof/devices"
	"github.com/counterproof/counterproof/devices/internal/port/video"
)

// What is being done, for a fault.
const filming = "filming"

// CameraConfig says which camera is opened, and how.
type CameraConfig struct {
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
	seat
	film  film
	began time.Time
	seq   uint64 // of the last frame; the user's
	last  uint32 // the same, as the camera counts
}

// OpenCamera opens a camera and puts its settings.
func OpenCamera(cfg CameraConfig) (*Camera, error) {
	f, err := video.Open(cfg.Node, cfg.Wish)
	if err != nil {
		s := seat{id: cfg.ID}
		return nil, s.fault("opening the camera", devices.Protocol, err)
	}
	c := newCamera(cfg, f)
	c.firmware = f.Card()
	return c, nil
}

func newCamera(cfg CameraConfig, f film) *Camera {
	c := &Camera{seat: seat{id: cfg.ID}, film: f, began: time.Now()}
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
			c.count("settings_refused", 1) // it films all the same
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
	leave, err := c.take(ctx, filming)
	if err != nil {
		return err
	}
	defer leave()
	for bad := 0; ; {
		p, err := c.film.Next(ctx)
		if err != nil {
			return c.fault(filming, devices.Protocol, err)
		}
		jpeg, err := picture(p)
		if p.Broken || err != nil {
			c.count("damaged_frames", 1)
			if bad++; bad == maxBad {
				return c.fault(filming, devices.Protocol, errors.Join(errBad, err))
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
	if !c.leave() {
		return nil
	}
	return c.film.Close()
}
