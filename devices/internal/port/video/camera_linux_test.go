package video

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/counterproof/counterproof/devices"
)

// driver is a camera's driver as the kernel would have it: it keeps the rules of
// V4L2 about buffers and says what it was told to say.
type driver struct {
	t        *testing.T
	caps     uint32
	formats  []Format
	sizes    []size
	any      bool // any size between the first and the last of sizes
	length   uint32
	fails    map[command]error
	controls map[uint32]int32
	used     func(b *buffer) // spoils what is said of a filled buffer

	mu      sync.Mutex
	set     format
	perSec  uint32
	memory  map[int64][]byte
	queue   []uint32 // given to the driver
	filled  []buffer
	running bool
	pulled  bool
	closed  bool
	news    chan struct{} // closed and made anew by every change
	bell    bool
	seq     uint32
}

func newDriver(t *testing.T) *driver {
	return &driver{
		t: t, caps: canCapture | canStream, formats: []Format{YUYV, MJPEG}, sizes: []size{{640, 480}, {1280, 720}, {3840, 2160}},
		length: 4096, fails: map[command]error{}, memory: map[int64][]byte{}, news: make(chan struct{}),
		controls: map[uint32]int32{uint32(Focus): 30},
	}
}

// change changes the driver and wakes who waits.
func (d *driver) change(f func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	f()
	close(d.news)
	d.news = make(chan struct{})
}

// film fills the oldest buffer.
func (d *driver) film(data []byte) {
	d.change(func() {
		d.seq++
		if len(d.queue) == 0 || !d.running {
			return // lost, as in the kernel
		}
		b := buffer{Index: d.queue[0], Type: typeCapture, Used: uint32(len(data)), Seq: d.seq, Flags: clockMonotonic, Sec: 3, Usec: 250_000}
		copy(d.memory[int64(b.Index)*int64(d.length)], data)
		if d.used != nil {
			d.used(&b)
		}
		d.queue, d.filled = d.queue[1:], append(d.filled, b)
	})
}

func (d *driver) call(c command, p unsafe.Pointer) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case d.closed:
		d.t.Error("the kernel is asked after closing")
		return unix.EBADF
	case d.pulled:
		return unix.ENODEV
	case d.fails[c] != nil:
		return d.fails[c]
	}
	return d.answer(c, p)
}

// answer does one ioctl, with the lock held.
func (d *driver) answer(c command, p unsafe.Pointer) error {
	switch c {
	case askCapability:
		who := (*capability)(p)
		who.Caps, who.DeviceCaps = canCapture|canStream|hasDeviceCaps, d.caps
		copy(who.Card[:], "Document camera")
	case askFormat:
		o := (*formatOffer)(p)
		if int(o.Index) >= len(d.formats) {
			return unix.EINVAL
		}
		o.Pixel = uint32(d.formats[o.Index])
	case askSize:
		return d.offer((*sizeOffer)(p))
	case setFormat:
		f := (*format)(p)
		if !slices.Contains(d.formats, Format(f.Pixel)) {
			f.Pixel = uint32(d.formats[0])
		}
		f.Stride = 2 * f.Width
		d.set = *f
	case setRate:
		d.perSec = (*rate)(p).Per
	case streamOn, streamOff:
		d.running = c == streamOn
	case askControl, askValue, setValue:
		return d.control(c, p)
	default:
		return d.buffers(c, p)
	}
	return nil
}

func (d *driver) offer(o *sizeOffer) error {
	if int(o.Index) >= len(d.sizes) || d.any && o.Index > 0 {
		return unix.EINVAL
	}
	s := d.sizes[o.Index]
	o.Kind, o.A, o.B = sizeDiscrete, uint32(s.w), uint32(s.h)
	if d.any {
		last := d.sizes[len(d.sizes)-1]
		o.Kind, o.A, o.B, o.C, o.D, o.E, o.F = 3, uint32(s.w), uint32(last.w), 1, uint32(s.h), uint32(last.h), 1
	}
	return nil
}

func (d *driver) control(c command, p unsafe.Pointer) error {
	if c == askControl {
		o := (*controlOffer)(p)
		if _, ok := d.controls[o.ID]; !ok {
			return unix.EINVAL
		}
		copy(o.Name[:], "Focus, absolute")
		o.Min, o.Max, o.Step = 0, 250, 5
		return nil
	}
	v := (*controlValue)(p)
	if _, ok := d.controls[v.ID]; !ok {
		return unix.EINVAL
	}
	if c == setValue {
		d.controls[v.ID] = v.Value
	}
	v.Value = d.controls[v.ID]
	return nil
}

func (d *driver) buffers(c command, p unsafe.Pointer) error {
	switch c {
	case askBuffers:
		(*request)(p).Count = 3 // fewer than asked for
	case askBuffer:
		b := (*buffer)(p)
		b.Length, b.Offset = d.length, uint64(b.Index)*uint64(d.length)
	case giveBuffer:
		d.queue = append(d.queue, (*buffer)(p).Index)
	case takeBuffer:
		if len(d.filled) == 0 {
			return unix.EAGAIN
		}
		*(*buffer)(p) = d.filled[0]
		d.filled = d.filled[1:]
	default:
		d.t.Errorf("unknown ioctl %#x", uintptr(c))
		return unix.ENOTTY
	}
	return nil
}

func (d *driver) mapped(offset int64, length int) ([]byte, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.memory[offset] = make([]byte, length)
	return d.memory[offset], nil
}

func (d *driver) unmap([]byte) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.memory) == 0 {
		d.t.Error("memory is given back that was not taken")
	}
	for at := range d.memory {
		delete(d.memory, at)
		break
	}
	return nil
}

func (d *driver) wait() (bool, error) {
	for {
		d.mu.Lock()
		bell, pulled, filled, news := d.bell, d.pulled, len(d.filled), d.news
		if d.closed {
			d.t.Error("a wait on what was closed")
		}
		d.mu.Unlock()
		switch {
		case bell:
			d.change(func() { d.bell = false })
			return false, nil
		case pulled:
			return false, unix.ENODEV
		case filled > 0:
			return true, nil
		}
		<-news
	}
}

func (d *driver) wake() { d.change(func() { d.bell = true }) }

func (d *driver) close() error {
	d.change(func() { d.closed = true })
	return nil
}

// open starts the camera.
func (d *driver) open(w Wish) *Camera {
	d.t.Helper()
	c, err := start(d, w)
	if err != nil {
		d.t.Fatal(err)
	}
	d.t.Cleanup(func() {
		if err := errors.Join(c.Close(), c.Close()); err != nil {
			d.t.Error(err)
		}
		if len(d.memory) > 0 || d.running || !d.closed {
			d.t.Errorf("left behind: %d buffers, streaming %t, closed %t", len(d.memory), d.running, d.closed)
		}
	})
	return c
}

// TestLayout holds the structures to the kernel's: their sizes are part of the
// ioctls' numbers, and these places are those of linux/videodev2.h.
func TestLayout(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ got, want uintptr }{
		"capability": {unsafe.Sizeof(capability{}), 104}, "fmtdesc": {unsafe.Sizeof(formatOffer{}), 64},
		"format": {unsafe.Sizeof(format{}), 208}, "frmsizeenum": {unsafe.Sizeof(sizeOffer{}), 44},
		"requestbuffers": {unsafe.Sizeof(request{}), 20}, "buffer": {unsafe.Sizeof(buffer{}), 88},
		"streamparm": {unsafe.Sizeof(rate{}), 204}, "queryctrl": {unsafe.Sizeof(controlOffer{}), 68},
		"control": {unsafe.Sizeof(controlValue{}), 8}, "format.width": {unsafe.Offsetof(format{}.Width), 8},
		"buffer.timestamp": {unsafe.Offsetof(buffer{}.Sec), 24}, "buffer.sequence": {unsafe.Offsetof(buffer{}.Seq), 56},
		"buffer.offset": {unsafe.Offsetof(buffer{}.Offset), 64}, "buffer.length": {unsafe.Offsetof(buffer{}.Length), 72},
		"capability.device_caps": {unsafe.Offsetof(capability{}.DeviceCaps), 88}, "streamparm.timeperframe": {unsafe.Offsetof(rate{}.Numerator), 12},
		// Numbers as strace shows them.
		"VIDIOC_QUERYCAP": {uintptr(askCapability), 0x80685600}, "VIDIOC_S_FMT": {uintptr(setFormat), 0xc0d05605},
		"VIDIOC_DQBUF": {uintptr(takeBuffer), 0xc0585611}, "VIDIOC_STREAMON": {uintptr(streamOn), 0x40045612},
		"VIDIOC_S_PARM": {uintptr(setRate), 0xc0cc5616}, "VIDIOC_QUERYCTRL": {uintptr(askControl), 0xc0445624},
	} {
		if c.got != c.want {
			t.Errorf("%s: got %#x, want %#x", name, c.got, c.want)
		}
	}
}

func TestChooses(t *testing.T) {
	t.Parallel()
	small, hd, full, four := size{640, 480}, size{1280, 720}, size{1920, 1080}, size{3840, 2160}
	all := []size{four, small, full, hd}
	for name, c := range map[string]struct {
		offered []size
		wish    Wish
		want    size
	}{
		"none-wished/largest-that-serves": {all, Wish{}, full},
		"none-wished/all-too-large":       {[]size{{4096, 4096}, four}, Wish{}, four},
		"the-one-wished":                  {all, Wish{Width: 1280, Height: 720}, hd},
		"the-next-larger":                 {all, Wish{Width: 1300, Height: 700}, full},
		"all-smaller":                     {[]size{small, hd}, Wish{Width: 1920, Height: 1080}, hd},
		"nonsense-left-out":               {[]size{{0, 9}, {-1, 4}, {1 << 30, 2}, small}, Wish{}, small},
	} {
		if got, err := choose(c.offered, c.wish); err != nil || got != c.want {
			t.Errorf("%s: got %v, %v, want %v", name, got, err, c.want)
		}
	}
	if got, err := choose([]size{{0, 0}}, Wish{}); err == nil {
		t.Errorf("of nothing %v is chosen", got)
	}
}

func TestFilms(t *testing.T) {
	t.Parallel()
	d := newDriver(t)
	c := d.open(Wish{Width: 1280, Height: 720, PerSecond: 15})
	if got, want := c.Mode(), (Mode{MJPEG, 1280, 720, 2560}); got != want || c.Card() != "Document camera" || d.perSec != 15 {
		t.Errorf("films as %+v at %d, %q; want %+v", got, d.perSec, c.Card(), want)
	}
	var kept []Picture
	for i := range 7 { // more than there are buffers
		d.film(bytes.Repeat([]byte{byte(i + 1)}, 100+i))
		p, err := c.Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		kept = append(kept, p)
	}
	for i, p := range kept { // a frame is not written over by a later one
		if !bytes.Equal(p.Data, bytes.Repeat([]byte{byte(i + 1)}, 100+i)) || p.Seq != uint32(i+1) || p.At != 3250*time.Millisecond || p.Broken {
			t.Errorf("frame %d is %d bytes, %d, %v, broken %t", i, len(p.Data), p.Seq, p.At, p.Broken)
		}
	}
}

// TestNewest: who was slow sees what is, not what was.
func TestNewest(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := newDriver(t)
		c := d.open(Wish{})
		d.film([]byte{1})
		d.film([]byte{2})
		if p, err := c.Next(t.Context()); err != nil || p.Seq != 2 {
			t.Errorf("of two frames got number %d, %v", p.Seq, err)
		}
		for i := range 5 { // more than there is room for: the last are lost
			d.film([]byte{byte(i)})
		}
		got := make(chan Picture)
		go func() {
			p, err := c.Next(t.Context())
			if err != nil {
				t.Error(err)
			}
			got <- p
		}()
		synctest.Wait()
		d.film([]byte{77})
		if p := <-got; p.Data[0] != 77 {
			t.Errorf("after full buffers got number %d, which is old", p.Seq)
		}
	})
}

// TestFrames: what a driver may say of a frame.
func TestFrames(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		used func(*buffer)
		kind devices.Kind
		ok   func(Picture) bool
	}{
		"broken-is-told":  {func(b *buffer) { b.Flags |= bufferBroken }, "", func(p Picture) bool { return p.Broken }},
		"unknown-clock":   {func(b *buffer) { b.Flags = 0 }, "", func(p Picture) bool { return p.At == 0 }},
		"index-beyond":    {func(b *buffer) { b.Index = 99 }, devices.Protocol, nil},
		"more-than-there": {func(b *buffer) { b.Used = 1 << 31 }, devices.Protocol, nil},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDriver(t)
			d.used = c.used
			cam := d.open(Wish{})
			d.film([]byte{1, 2, 3})
			p, err := cam.Next(t.Context())
			if devices.KindOf(err) != c.kind || c.ok != nil && !c.ok(p) {
				t.Errorf("got %+v, %v", p, err)
			}
		})
	}
	// A frame of nothing, as some cameras begin with, is passed over.
	d := newDriver(t)
	cam := d.open(Wish{})
	d.film(nil)
	d.film([]byte{9})
	if p, err := cam.Next(t.Context()); err != nil || len(p.Data) != 1 || p.Seq != 2 {
		t.Errorf("got %+v, %v", p, err)
	}
}

func TestRefuses(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		spoil func(*driver)
		want  devices.Kind
	}{
		"no-camera":      {func(d *driver) { d.caps = canStream }, devices.Unsupported},
		"no-stream":      {func(d *driver) { d.caps = canCapture }, devices.Unsupported},
		"other-format":   {func(d *driver) { d.formats = []Format{'H' | '2'<<8} }, devices.Unsupported},
		"in-use":         {func(d *driver) { d.fails[streamOn] = unix.EBUSY }, devices.InUse},
		"no-permission":  {func(d *driver) { d.fails[askCapability] = unix.EACCES }, devices.Permission},
		"gone-meanwhile": {func(d *driver) { d.fails[askBuffers] = unix.ENODEV }, devices.Gone},
		"empty-buffers":  {func(d *driver) { d.length = 0 }, devices.Protocol},
		"huge-buffers":   {func(d *driver) { d.length = maxBytes + 1 }, devices.Protocol},
		"list-fails":     {func(d *driver) { d.fails[askFormat] = unix.EIO }, devices.Protocol},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDriver(t)
			c.spoil(d)
			cam, err := start(d, Wish{})
			if cam != nil || devices.KindOf(err) != c.want {
				t.Fatalf("got %v, want %s", err, c.want)
			}
			if !d.closed || len(d.memory) > 0 {
				t.Errorf("left behind: closed %t, %d buffers", d.closed, len(d.memory))
			}
		})
	}
	if _, err := Open(t.TempDir()+"/video0", Wish{}); devices.KindOf(err) != devices.Missing {
		t.Errorf("of no node: %v", err)
	}
	if _, err := Open("/dev/null", Wish{}); devices.KindOf(err) != devices.Unsupported {
		t.Errorf("of what is no camera: %v", err)
	}
}

func TestAnySize(t *testing.T) {
	t.Parallel()
	d := newDriver(t)
	d.any = true
	if m := d.open(Wish{}).Mode(); m.Width != bestWidth || m.Height != bestHeight {
		t.Errorf("of a camera that takes any size: %+v", m)
	}
	d = newDriver(t)
	d.sizes, d.formats = nil, []Format{YUYV}
	if m := d.open(Wish{Width: 800, Height: 600}).Mode(); m != (Mode{YUYV, 800, 600, 1600}) {
		t.Errorf("of a camera that lists no size: %+v", m)
	}
}

// TestEnds: a wait ends with its context, with Close and with the plug, and what
// is gone stays gone.
func TestEnds(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		end  func(d *driver, c *Camera, cancel func())
		want devices.Kind
		next devices.Kind // of the call after it, with a new context
	}{
		"context":  {func(_ *driver, _ *Camera, cancel func()) { cancel() }, devices.Cancelled, ""},
		"close":    {func(_ *driver, c *Camera, _ func()) { _ = c.Close() }, devices.Gone, devices.Gone},
		"unplug":   {func(d *driver, _ *Camera, _ func()) { d.change(func() { d.pulled = true }) }, devices.Gone, devices.Gone},
		"unplug-2": {func(d *driver, _ *Camera, _ func()) { d.change(func() { d.pulled = true; d.filled = nil }) }, devices.Gone, devices.Gone},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := newDriver(t)
				d.fails = map[command]error{}
				cam := d.open(Wish{})
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				got := make(chan error)
				go func() {
					_, err := cam.Next(ctx)
					got <- err
				}()
				synctest.Wait()
				c.end(d, cam, cancel)
				if err := <-got; devices.KindOf(err) != c.want {
					t.Errorf("got %v, want %s", err, c.want)
				}
				d.film([]byte{1})
				if _, err := cam.Next(t.Context()); devices.KindOf(err) != c.next {
					t.Errorf("after it: got %v, want %q", err, c.next)
				}
				d.change(func() { d.pulled = false }) // plugged in again: another opening
			})
		})
	}
}

func TestSettings(t *testing.T) {
	t.Parallel()
	d := newDriver(t)
	c := d.open(Wish{})
	want := []Control{{Focus, "Focus, absolute", 0, 250, 5, 0}}
	if got := c.Controls(); !slices.Equal(got, want) {
		t.Errorf("the settings are %+v, want %+v", got, want)
	}
	if err := c.Set(Focus, 120); err != nil {
		t.Error(err)
	}
	if v, err := c.Value(Focus); err != nil || v != 120 {
		t.Errorf("the focus is %d, %v", v, err)
	}
	if err := c.Set(AutoFocus, 0); devices.KindOf(err) != devices.Unsupported {
		t.Errorf("a setting that it has not: %v", err)
	}
	_ = c.Close()
	if err := c.Set(Focus, 1); devices.KindOf(err) != devices.Gone || len(c.Controls()) > 0 {
		t.Errorf("of a closed camera: %v", err)
	}
}
