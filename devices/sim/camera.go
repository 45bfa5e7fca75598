package sim

import (
	"bytes"
	"cmp"
	"context"
	"image"
	"image/color"
	"image/jpeg"
	"io"
	"slices"
	"time"

	"github.com/counterproof/counterproof/devices"
)

// DefaultRate is how many frames a second a camera sends if nothing else was
// said.
const DefaultRate = 15

// Patience is how long a camera may be silent before Frames fails with a Fault
// of Kind Timeout.
const Patience = 5 * time.Second

const filming = "filming"

// CameraConfig says what a simulated camera is. Its zero value films an empty
// desk.
type CameraConfig struct {
	ID       devices.ID     // "" is "sim:camera"
	Name     string         // "" is "Simulated camera"
	Roles    []devices.Role // none serves any role
	Pictures Pictures       // nil is an empty desk
	Rate     float64        // frames a second; 0 is DefaultRate
}

// Camera is a simulated camera. Its methods may be called from any goroutine.
type Camera struct {
	*socket
	pictures Pictures
	interval time.Duration
	desk     []byte // an empty one, as JPEG

	// under the socket's lock
	stalled, garbled bool
	shown, dropped   uint64
}

// NewCamera makes a camera that is plugged in.
func NewCamera(cfg CameraConfig) *Camera {
	about := devices.Device{
		ID: cmp.Or(cfg.ID, "sim:camera"), Name: cmp.Or(cfg.Name, "Simulated camera"),
		Roles: slices.Clone(cfg.Roles), Can: []devices.Capability{devices.CanFilm},
	}
	c := &Camera{
		socket: newSocket(about), pictures: cfg.Pictures, desk: emptyDesk(),
		interval: max(time.Millisecond, time.Duration(float64(time.Second)/max(cmp.Or(cfg.Rate, DefaultRate), 1e-3))),
	}
	if c.pictures == nil {
		c.pictures = Loop()
	}
	return c
}

// emptyDesk is what a camera sees when nothing lies under it.
func emptyDesk() []byte {
	desk := image.NewGray(image.Rect(0, 0, 640, 480))
	for y := range 480 {
		for x := range 640 {
			desk.SetGray(x, y, color.Gray{Y: uint8(150 + y/16)}) // the light falls from one side
		}
	}
	var b bytes.Buffer
	_ = jpeg.Encode(&b, desk, nil) // a buffer takes every byte
	return b.Bytes()
}

// Stall makes the camera silent, or lets it film on. Silent for longer than
// Patience, it fails with a Fault of Kind Timeout.
func (c *Camera) Stall(on bool) { c.set(func() { c.stalled = on }) }

// Garble makes the camera send frames that are no JPEG, or good ones again.
func (c *Camera) Garble(on bool) { c.set(func() { c.garbled = on }) }

// Frames films as it is plugged in, without being opened.
func (c *Camera) Frames(ctx context.Context, deliver func(devices.Frame) bool) error {
	return c.film(ctx, c.here(), deliver)
}

// open opens the camera as a hub does.
func (c *Camera) open() (io.Closer, error) {
	o, err := c.enter()
	if err != nil {
		return nil, err
	}
	return &openCamera{o, c}, nil
}

// openCamera is a camera that was opened.
type openCamera struct {
	*opened
	camera *Camera
}

// Frames films.
func (o *openCamera) Frames(ctx context.Context, deliver func(devices.Frame) bool) error {
	return o.camera.film(ctx, o.opened, deliver)
}

// Health tells what the camera counted since it was made.
func (o *openCamera) Health() devices.Health {
	o.mu.Lock()
	defer o.mu.Unlock()
	return devices.Health{
		Firmware: "simulated",
		Details:  map[string]int{"frames": int(o.camera.shown), "dropped": int(o.camera.dropped)},
	}
}

// film delivers the newest frame again and again.
func (c *Camera) film(ctx context.Context, o *opened, deliver func(devices.Frame) bool) error {
	if err := c.cancelled(ctx, filming); err != nil {
		return err
	}
	leave, err := o.take(filming)
	if err != nil {
		return err
	}
	defer leave()
	last := c.number(o)
	for {
		seq, err := c.next(ctx, o, last)
		if err != nil {
			return err
		}
		if !deliver(c.expose(o, last, seq)) {
			return nil
		}
		last = seq
	}
}

// number is the number of the newest frame since opening: the sensor works
// whether or not anybody looks.
func (c *Camera) number(o *opened) uint64 {
	return uint64(time.Since(o.since) / c.interval)
}

// next waits for a frame newer than last and gives its number.
func (c *Camera) next(ctx context.Context, o *opened, last uint64) (uint64, error) {
	deadline := time.Now().Add(Patience + c.interval)
	for {
		if err := c.cancelled(ctx, filming); err != nil {
			return 0, err
		}
		changed, stalled, err := c.look(o)
		if err != nil {
			return 0, err
		}
		seq, until := c.number(o), deadline
		switch {
		case stalled && !time.Now().Before(deadline):
			return 0, c.fault(filming, devices.Timeout)
		case !stalled && seq > last:
			return seq, nil
		case !stalled:
			until = o.since.Add(time.Duration(last+1) * c.interval)
		}
		pause(ctx, changed, time.Until(until))
	}
}

// look tells how the camera is, and gives what is closed when that changes.
func (c *Camera) look(o *opened) (changed <-chan struct{}, stalled bool, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.changed, c.stalled, o.well(filming)
}

// pause ends with the first of ctx, a change and the time.
func pause(ctx context.Context, changed <-chan struct{}, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-changed:
	case <-timer.C:
	}
}

// expose takes the frame seq, the next after last. Its bytes are a copy: they
// are the callee's to keep.
func (c *Camera) expose(o *opened, last, seq uint64) devices.Frame {
	c.mu.Lock()
	n, since, garbled := c.shown, c.since, c.garbled
	c.shown++
	c.dropped += seq - last - 1
	c.mu.Unlock()
	picture := c.pictures(n, time.Since(since))
	if picture == nil {
		picture = c.desk
	}
	if garbled { // half a frame, as a camera sends that lost its bus
		picture = picture[:len(picture)/2]
	}
	return devices.Frame{JPEG: bytes.Clone(picture), Seq: seq, At: time.Duration(seq) * c.interval}
}
