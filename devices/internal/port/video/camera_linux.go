package video

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/counterproof/counterproof/devices"
)

// What is being done, for a fault.
const (
	opening = "opening the camera"
	filming = "filming"
	setting = "setting the camera"
)

// Camera is an opened camera that streams. Its methods may be called from any
// goroutine; Close, also a second one, ends a Next that waits.
type Camera struct {
	k    kernel
	card string
	mode Mode

	turn   sync.Mutex // held by Next, so that nothing is taken away under it
	memory [][]byte   // of the buffers; under turn

	mu     sync.Mutex // held while a setting is asked for
	gone   error
	closed bool
}

// Open opens the node of a camera and starts its stream in the mode nearest to a
// wish. Faults: Missing, Permission, InUse, Unsupported where it does not film
// in a form of this package.
func Open(path string, w Wish) (*Camera, error) {
	n, err := openNode(path)
	if err != nil {
		return nil, fault(opening, kindOf(err), fmt.Errorf("%s: %w", path, err))
	}
	return start(n, w)
}

// start films with an opened node, which it closes where it cannot.
func start(k kernel, w Wish) (*Camera, error) {
	c := &Camera{k: k}
	if err := c.prepare(w); err != nil {
		c.release()
		return nil, fault(opening, kindOf(err), errors.Join(err, k.close()))
	}
	return c, nil
}

// prepare takes the camera from asking who it is to streaming.
func (c *Camera) prepare(w Wish) error {
	var who capability
	if err := c.k.call(askCapability, unsafe.Pointer(&who)); err != nil {
		return err
	}
	caps := who.Caps
	if caps&hasDeviceCaps != 0 {
		caps = who.DeviceCaps
	}
	if caps&canCapture == 0 || caps&canStream == 0 {
		return fmt.Errorf("%w: %w", errNoCamera, unix.ENOTTY)
	}
	c.card = text(who.Card[:])
	if err := c.settle(w); err != nil {
		return err
	}
	if err := c.lend(); err != nil {
		return err
	}
	kind := int32(typeCapture)
	return c.k.call(streamOn, unsafe.Pointer(&kind))
}

// settle agrees on a format, a size and a rate.
func (c *Camera) settle(w Wish) error {
	pixel, err := c.pixel()
	if err != nil {
		return err
	}
	s, err := choose(c.sizes(pixel), w)
	if err != nil {
		s = size{max(w.Width, 640), max(w.Height, 480)} // the driver corrects it
	}
	f := format{Type: typeCapture, Width: uint32(s.w), Height: uint32(s.h), Pixel: uint32(pixel)}
	if err := c.k.call(setFormat, unsafe.Pointer(&f)); err != nil {
		return err
	}
	c.mode = Mode{Format(f.Pixel), int(f.Width), int(f.Height), int(f.Stride)}
	if err := c.mode.check(); err != nil {
		return err
	}
	if w.PerSecond > 0 { // not every camera lets itself be told
		_ = c.k.call(setRate, unsafe.Pointer(&rate{Type: typeCapture, Numerator: 1, Per: uint32(w.PerSecond)}))
	}
	return nil
}

// check refuses what a driver cannot mean.
func (m Mode) check() error {
	switch {
	case m.Format != MJPEG && m.Format != JPEG && m.Format != YUYV:
		return fmt.Errorf("%w: %w", errFormat, unix.ENOTTY)
	case m.Width <= 0 || m.Height <= 0 || m.Width > maxSide || m.Height > maxSide:
		return errNonsense
	case m.Format == YUYV && (m.Stride < 2*m.Width || m.Stride > 8*maxSide):
		return errNonsense
	}
	return nil
}

// pixel is the best format that the camera offers: pictures that it made itself
// before raw ones, which are large.
func (c *Camera) pixel() (Format, error) {
	offered := map[Format]bool{}
	for i := range uint32(maxOffers) {
		o := formatOffer{Index: i, Type: typeCapture}
		if err := c.k.call(askFormat, unsafe.Pointer(&o)); err != nil {
			if errors.Is(err, unix.EINVAL) {
				break // the end of the list
			}
			return 0, err
		}
		offered[Format(o.Pixel)] = true
	}
	for _, f := range []Format{MJPEG, JPEG, YUYV} {
		if offered[f] {
			return f, nil
		}
	}
	return 0, fmt.Errorf("%w: %w", errFormat, unix.ENOTTY)
}

// sizes lists the sizes of a format; of a camera that takes any, its least and
// its largest. None where it does not tell.
func (c *Camera) sizes(f Format) (list []size) {
	for i := range uint32(maxOffers) {
		o := sizeOffer{Index: i, Pixel: uint32(f)}
		if c.k.call(askSize, unsafe.Pointer(&o)) != nil {
			break
		}
		if o.Kind == sizeDiscrete {
			list = append(list, size{int(o.A), int(o.B)})
			continue
		}
		w, h := int(min(o.B, maxSide)), int(min(o.E, maxSide))
		return []size{{int(o.A), int(o.D)}, {w, h}, {min(w, bestWidth), min(h, bestHeight)}}
	}
	return list
}

// lend gives buffers into the kernel's hands.
func (c *Camera) lend() error {
	r := request{Count: buffers, Type: typeCapture, Memory: memoryMapped}
	if err := c.k.call(askBuffers, unsafe.Pointer(&r)); err != nil {
		return err
	}
	if r.Count < 1 || r.Count > maxOffers {
		return errNonsense
	}
	for i := range r.Count {
		b := buffer{Index: i, Type: typeCapture, Memory: memoryMapped}
		if err := c.k.call(askBuffer, unsafe.Pointer(&b)); err != nil {
			return err
		}
		if b.Length == 0 || b.Length > maxBytes {
			return errNonsense
		}
		memory, err := c.k.mapped(int64(uint32(b.Offset)), int(b.Length))
		if err != nil {
			return err
		}
		c.memory = append(c.memory, memory)
		if err := c.k.call(giveBuffer, unsafe.Pointer(&buffer{Index: i, Type: typeCapture, Memory: memoryMapped})); err != nil {
			return err
		}
	}
	return nil
}

// Card is how the camera calls itself.
func (c *Camera) Card() string { return c.card }

// Mode is how it films.
func (c *Camera) Mode() Mode { return c.mode }

// Next waits for a frame and gives the newest that there is: what lies in the
// buffers is passed over, and where all of them were full, so that the camera had
// nowhere to film to, the next is waited for. A frame without data is none.
// Faults: Gone when it was pulled out or closed, Cancelled when ctx ended.
func (c *Camera) Next(ctx context.Context) (Picture, error) {
	c.turn.Lock()
	defer c.turn.Unlock()
	defer context.AfterFunc(ctx, c.k.wake)()
	for stale := false; ; {
		if err := c.ready(ctx); err != nil {
			return Picture{}, err
		}
		p, n, err := c.newest()
		if err != nil {
			return Picture{}, err
		}
		if full := n == len(c.memory) && n > 1; full && !stale {
			stale = true
			continue
		}
		if len(p.Data) > 0 {
			return p, nil
		}
	}
}

// ready waits until a buffer is filled.
func (c *Camera) ready(ctx context.Context) error {
	for {
		if ctx.Err() != nil {
			return cancelled(ctx)
		}
		if err := c.lost(); err != nil {
			return err
		}
		switch filled, err := c.k.wait(); {
		case err != nil:
			return c.lose(err)
		case filled:
			return nil
		}
	}
}

// newest takes all filled buffers, gives them back, and tells the last and how
// many there were.
func (c *Camera) newest() (last Picture, n int, err error) {
	for range c.memory {
		p, err := c.take()
		if err != nil {
			return last, n, err
		}
		if p.Mode == (Mode{}) {
			break
		}
		last = p
		n++
	}
	return last, n, nil
}

// lost is why there are no more frames, nil while there are.
func (c *Camera) lost() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return fault(filming, devices.Gone, errors.New("it was closed"))
	}
	return c.gone
}

// lose keeps that the camera is gone.
func (c *Camera) lose(err error) error {
	kind := kindOf(err)
	f := fault(filming, kind, err)
	if kind == devices.Gone {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.gone = f
	}
	return f
}

// take takes a filled buffer, copies it and gives it back; nothing where none was
// filled after all.
func (c *Camera) take() (Picture, error) {
	b := buffer{Type: typeCapture, Memory: memoryMapped}
	if err := c.k.call(takeBuffer, unsafe.Pointer(&b)); errors.Is(err, unix.EAGAIN) {
		return Picture{}, nil
	} else if err != nil {
		return Picture{}, c.lose(err)
	}
	if int(b.Index) >= len(c.memory) || int(b.Used) > len(c.memory[b.Index]) {
		return Picture{}, fault(filming, devices.Protocol, errNonsense)
	}
	p := Picture{
		Mode: c.mode, Data: bytes.Clone(c.memory[b.Index][:b.Used]), Seq: b.Seq, Broken: b.Flags&bufferBroken != 0,
	}
	if b.Flags&clockMask == clockMonotonic {
		p.At = time.Duration(b.Sec)*time.Second + time.Duration(b.Usec)*time.Microsecond
	}
	back := buffer{Index: b.Index, Type: typeCapture, Memory: memoryMapped}
	if err := c.k.call(giveBuffer, unsafe.Pointer(&back)); err != nil {
		return Picture{}, c.lose(err)
	}
	return p, nil
}

// Controls lists the settings of this package that the camera has.
func (c *Camera) Controls() []Control {
	c.mu.Lock()
	defer c.mu.Unlock()
	var list []Control
	for _, id := range []ControlID{AutoExposure, Exposure, Focus, AutoFocus} {
		o := controlOffer{ID: uint32(id)}
		if c.closed || c.k.call(askControl, unsafe.Pointer(&o)) != nil || o.Flags&controlDisabled != 0 {
			continue
		}
		list = append(list, Control{id, text(o.Name[:]), int(o.Min), int(o.Max), int(o.Step), int(o.Default)})
	}
	return list
}

// Value reads a setting.
func (c *Camera) Value(id ControlID) (int, error) {
	v := controlValue{ID: uint32(id)}
	err := c.control(askValue, &v)
	return int(v.Value), err
}

// Set changes a setting; the driver may round it.
func (c *Camera) Set(id ControlID, value int) error {
	return c.control(setValue, &controlValue{ID: uint32(id), Value: int32(value)})
}

func (c *Camera) control(do command, v *controlValue) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return fault(setting, devices.Gone, nil)
	}
	if err := c.k.call(do, unsafe.Pointer(v)); err != nil {
		return fault(setting, kindOf(err), err)
	}
	return nil
}

// Close stops the stream and lets go of the camera.
func (c *Camera) Close() error {
	c.mu.Lock()
	before := c.closed
	c.closed = true
	c.mu.Unlock()
	if before {
		return nil
	}
	c.k.wake()
	c.turn.Lock()
	defer c.turn.Unlock()
	kind := int32(typeCapture)
	_ = c.k.call(streamOff, unsafe.Pointer(&kind)) // one that is gone has stopped
	c.release()
	if err := c.k.close(); err != nil {
		return fault("closing the camera", kindOf(err), err)
	}
	return nil
}

// release gives the buffers' memory back.
func (c *Camera) release() {
	for _, b := range c.memory {
		_ = c.k.unmap(b)
	}
	c.memory = nil
}
