package hub_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/counterproof/counterproof/devices"
	"github.com/counterproof/counterproof/devices/hub"
)

// over runs a hub over one device with a given driver, and counts its openings.
func over(t *testing.T, d io.Closer, can ...devices.Capability) (*hub.Hub, *ports) {
	t.Helper()
	device := usb("1")
	if len(can) > 0 {
		device.Can = can
	}
	p := newPorts(device)
	p.open = func(context.Context, devices.ID, int) (io.Closer, error) { return d, nil }
	return start(t, hub.Config{Sources: []hub.Source{p}}), p
}

// TestCalledOnce holds the law that matters most here: whatever a call comes
// to, it is made once, and only the opening is repeated.
func TestCalledOnce(t *testing.T) {
	tests := map[devices.Kind]bool{ // whether the device is opened again
		devices.Timeout: true, devices.Protocol: true, devices.Gone: true, devices.Permission: true, devices.InUse: true,
		devices.Missing: true, devices.Unsupported: false, devices.PaperOut: false, devices.CoverOpen: false,
		devices.Cancelled: false,
	}
	for kind, again := range tests {
		t.Run(string(kind), func(t *testing.T) {
			bubbled(t, func(t *testing.T) {
				calls := 0
				d := &driver{print: func(context.Context, devices.Job) error {
					calls++
					return &devices.Fault{Op: "printing", Kind: kind}
				}}
				h, p := over(t, d)
				wantKind(t, "printing", h.Printer("").Print(t.Context(), devices.Job{}), kind)
				time.Sleep(time.Minute)
				if calls != 1 {
					t.Errorf("one call was made %d times", calls)
				}
				if got := len(p.openings()) == 2; got != again {
					t.Errorf("opened %d times: opened again is %v, want %v", len(p.openings()), got, again)
				}
				if got := d.closings() == 1; got != again {
					t.Errorf("closed %d times", d.closings())
				}
			})
		})
	}
}

// TestPaperOut holds that a printer without paper says so until a page comes
// out, and that nobody opens it again for it.
func TestPaperOut(t *testing.T) {
	bubbled(t, func(t *testing.T) {
		kind := devices.PaperOut
		h, _ := over(t, &driver{print: func(context.Context, devices.Job) error {
			if kind == devices.KindNone {
				return nil
			}
			return &devices.Fault{Op: "printing", Kind: kind}
		}})
		printer := h.Printer(devices.SlipPrinter)
		wantKind(t, "printing", printer.Print(t.Context(), devices.Job{}), devices.PaperOut)
		wantState(t, h, "usb:1", "ready/paper_out")
		kind = devices.Cancelled
		wantKind(t, "given up", printer.Print(t.Context(), devices.Job{}), devices.Cancelled)
		wantState(t, h, "usb:1", "ready/paper_out")
		kind = devices.KindNone
		if err := printer.Print(t.Context(), devices.Job{}); err != nil {
			t.Fatal(err)
		}
		wantState(t, h, "usb:1", "ready")
	})
}

// TestSecondUser holds what the second user is told, and that the first is not
// disturbed.
func TestSecondUser(t *testing.T) {
	bubbled(t, func(t *testing.T) {
		release := make(chan struct{})
		h, _ := over(t, &driver{frames: func(context.Context, func(devices.Frame) bool) error {
			<-release
			return nil
		}})
		first := make(chan error, 1)
		go func() { first <- shot(t, h.Camera("")) }()
		wantState(t, h, "usb:1", "busy")
		for range 3 {
			err := h.Printer("").Print(t.Context(), devices.Job{}) // the same box
			f, ok := errors.AsType[*devices.Fault](err)
			if !ok || f.Kind != devices.InUse || f.Holder != "this program, filming" || f.Op != "printing" || f.Device != "usb:1" {
				t.Errorf("got %+v, want InUse by this program, filming", f)
			}
		}
		close(release)
		if err := <-first; err != nil {
			t.Errorf("the first user got %v", err)
		}
		wantState(t, h, "usb:1", "ready")
	})
}

// TestBusyIsNotPassedOver holds that who finds the printer of his role at work is
// told so: his page does not come out of another one.
func TestBusyIsNotPassedOver(t *testing.T) {
	bubbled(t, func(t *testing.T) {
		release := make(chan struct{})
		p := newPorts(usb("1", devices.SlipPrinter), usb("2", devices.SlipPrinter))
		p.open = func(_ context.Context, id devices.ID, _ int) (io.Closer, error) {
			return &driver{print: func(context.Context, devices.Job) error {
				if id != "usb:1" {
					t.Errorf("a page came out of %s", id)
				}
				<-release
				return nil
			}}, nil
		}
		h := start(t, hub.Config{Sources: []hub.Source{p}})
		first := make(chan error, 1)
		go func() { first <- h.Printer(devices.SlipPrinter).Print(t.Context(), devices.Job{}) }()
		wantState(t, h, "usb:1", "busy")
		wantKind(t, "the second page", h.Printer(devices.SlipPrinter).Print(t.Context(), devices.Job{}), devices.InUse)
		close(release)
		if err := <-first; err != nil {
			t.Errorf("the first page: %v", err)
		}
	})
}

// TestOneAfterAnother holds that a call made after another has returned is
// never refused: giving back comes before returning.
func TestOneAfterAnother(t *testing.T) {
	t.Parallel()
	p := newPorts(usb("1"))
	h := hub.New(hub.Config{Sources: []hub.Source{p}, Log: slog.New(slog.DiscardHandler)})
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { _ = h.Run(ctx) })
	for h.Camera("").Frames(t.Context(), func(devices.Frame) bool { return false }) != nil {
		// not listed yet
	}
	for i := range 2000 {
		if err := h.Camera("").Frames(t.Context(), func(devices.Frame) bool { return false }); err != nil {
			t.Fatalf("call %d: %v", i, err)
		}
	}
	cancel()
	running.Wait()
}

// TestManyUsers asks from all sides at once: each call is served or refused,
// the driver never sees two at a time.
func TestManyUsers(t *testing.T) {
	t.Parallel()
	inside := make(chan struct{}, 1)
	p := newPorts(usb("1"))
	d := &driver{print: func(context.Context, devices.Job) error {
		select {
		case inside <- struct{}{}:
		default:
			t.Error("two users at a time")
		}
		<-inside
		return nil
	}}
	p.open = func(context.Context, devices.ID, int) (io.Closer, error) { return d, nil }
	h := hub.New(hub.Config{Sources: []hub.Source{p}, Log: slog.New(slog.DiscardHandler)})
	ctx, cancel := context.WithCancel(t.Context())
	var running, users sync.WaitGroup
	running.Go(func() { _ = h.Run(ctx) })
	for range 8 {
		users.Go(func() {
			for range 200 {
				err := h.Printer("").Print(t.Context(), devices.Job{})
				if k := devices.KindOf(err); err != nil && k != devices.InUse && k != devices.Missing {
					t.Errorf("got %v", err)
				}
			}
		})
	}
	users.Wait()
	cancel()
	running.Wait()
}

// TestGivenUp holds that a user who gives up is told so whatever the driver
// says, and that the device is not blamed.
func TestGivenUp(t *testing.T) {
	said := map[string]func(ctx context.Context) error{
		"context":  func(ctx context.Context) error { return ctx.Err() },
		"strange":  func(context.Context) error { return errors.New("interrupted system call") },
		"by-fault": func(context.Context) error { return &devices.Fault{Op: "filming", Kind: devices.Cancelled} },
	}
	for name, say := range said {
		t.Run(name, func(t *testing.T) {
			bubbled(t, func(t *testing.T) {
				h, p := over(t, &driver{frames: func(ctx context.Context, _ func(devices.Frame) bool) error {
					<-ctx.Done()
					return say(ctx)
				}})
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				err := h.Camera("").Frames(ctx, func(devices.Frame) bool { return true })
				wantKind(t, "given up", err, devices.Cancelled)
				wantState(t, h, "usb:1", "ready")
				time.Sleep(time.Minute)
				if health, _ := h.Health("usb:1"); len(health.Faults) != 0 || len(p.openings()) != 1 {
					t.Errorf("the device is blamed: %v, opened %d times", health.Faults, len(p.openings()))
				}
			})
		})
	}
}

// TestDeafDriver unplugs a device whose driver hears nothing: after a grace it
// is closed under the user, and the port is free for the next.
func TestDeafDriver(t *testing.T) {
	bubbled(t, func(t *testing.T) {
		p := newPorts(usb("1"))
		closed := make(chan struct{})
		p.open = func(_ context.Context, _ devices.ID, n int) (io.Closer, error) {
			if n > 1 {
				return &driver{}, nil
			}
			return closer{&driver{frames: func(context.Context, func(devices.Frame) bool) error {
				<-closed
				return errors.New("file already closed")
			}}, func() { close(closed) }}, nil
		}
		h := start(t, hub.Config{Sources: []hub.Source{p}})
		began := time.Now()
		time.AfterFunc(time.Second, func() { p.set(func() {}, "usb:1") })
		wantKind(t, "the call", shot(t, h.Camera("")), devices.Gone)
		if took := time.Since(began); took != 3300*time.Millisecond {
			t.Errorf("it took %v, want a second, 300 ms of quiet and 2 s of grace", took)
		}
		wantState(t, h, "usb:1", "ready")
	})
}

// closer is a driver that does something when it is closed.
type closer struct {
	*driver
	do func()
}

func (c closer) Close() error {
	c.do()
	return errors.New("it was never open")
}

// TestSuccessStands holds that a call which succeeded is a success although the
// device went away at that moment.
func TestSuccessStands(t *testing.T) {
	bubbled(t, func(t *testing.T) {
		h, p := over(t, &driver{print: func(ctx context.Context, _ devices.Job) error {
			<-ctx.Done()
			return nil
		}})
		time.AfterFunc(time.Second, func() { p.set(func() { p.here = nil }, "usb:1") })
		if err := h.Printer("").Print(t.Context(), devices.Job{}); err != nil {
			t.Errorf("a job that was printed: %v", err)
		}
	})
}

// TestPanic holds that a user whose own function panics does not keep the
// device.
func TestPanic(t *testing.T) {
	bubbled(t, func(t *testing.T) {
		h, p := over(t, &driver{})
		func() {
			defer func() {
				if recover() == nil {
					t.Error("the panic was swallowed")
				}
			}()
			_ = h.Camera("").Frames(t.Context(), func(devices.Frame) bool { panic("the user's") })
		}()
		wantState(t, h, "usb:1", "faulted/protocol")
		if err := shot(t, h.Camera("")); err != nil {
			t.Errorf("the next call: %v", err)
		}
		if n := len(p.openings()); n != 2 {
			t.Errorf("opened %d times, want again after the panic", n)
		}
	})
}

// TestCannot asks a device for what it was listed with and does not have.
func TestCannot(t *testing.T) {
	bubbled(t, func(t *testing.T) {
		h, p := over(t, &driver{}, devices.CanScanDocument)
		_, err := h.DocumentScanner().Scan(t.Context(), []devices.Light{devices.White})
		wantKind(t, "scanning", err, devices.Unsupported)
		_, err = h.BarcodeReader().ReadBarcode(t.Context())
		wantKind(t, "a capability that it was not listed with", err, devices.Missing)
		time.Sleep(time.Minute)
		if n := len(p.openings()); n != 1 {
			t.Errorf("opened %d times for what it cannot do", n)
		}
	})
}

// TestStrangeErrors holds that every error of a driver reaches the user as a
// Fault that names the device.
func TestStrangeErrors(t *testing.T) {
	tests := map[string]struct {
		err  error
		want devices.Kind
	}{
		"plain":    {errors.New("EPROTO"), devices.Protocol},
		"deadline": {context.DeadlineExceeded, devices.Timeout},
		"nameless": {&devices.Fault{Op: "filming", Kind: devices.Timeout}, devices.Timeout},
		"kindless": {&devices.Fault{Op: "filming"}, devices.Protocol},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			bubbled(t, func(t *testing.T) {
				h, _ := over(t, &driver{frames: func(context.Context, func(devices.Frame) bool) error { return tt.err }})
				err := shot(t, h.Camera(""))
				f, ok := errors.AsType[*devices.Fault](err)
				if !ok || f.Kind != tt.want || f.Device != "usb:1" || f.Op != "filming" {
					t.Errorf("got %+v, want %q of filming on usb:1", f, tt.want)
				}
			})
		})
	}
}

// reader reads whatever it is asked to.
type reader struct{ driver }

func (*reader) ReadMRZ(context.Context) (devices.MRZ, error) {
	return devices.MRZ{Lines: []string{"P<UTO"}}, nil
}

func (*reader) Connect(context.Context) error { return nil }

func (*reader) Disconnect(context.Context) error {
	return &devices.Fault{Op: "letting go", Kind: devices.Unsupported}
}

func (*reader) Transmit(_ context.Context, command []byte) ([]byte, error) {
	return append(slices.Clone(command), 0x90, 0x00), nil
}

func (*reader) Scan(_ context.Context, lights []devices.Light) ([][]byte, error) {
	return make([][]byte, len(lights)), nil
}

func (*reader) ReadBarcode(context.Context) (devices.Symbol, error) {
	return devices.Symbol{Symbology: "QR"}, nil
}

// TestReaders calls each capability through its handle.
func TestReaders(t *testing.T) {
	bubbled(t, func(t *testing.T) {
		h, _ := over(t, &reader{}, devices.CanReadMRZ, devices.CanReadChip, devices.CanScanDocument, devices.CanReadBarcode)
		zone, err := h.MRZReader().ReadMRZ(t.Context())
		if err != nil || len(zone.Lines) != 1 {
			t.Errorf("the zone is %v, %v", zone, err)
		}
		if err := h.ChipReader().Connect(t.Context()); err != nil {
			t.Errorf("connecting to the chip: %v", err)
		}
		response, err := h.ChipReader().Transmit(t.Context(), []byte{1})
		if err != nil || !slices.Equal(response, []byte{1, 0x90, 0}) {
			t.Errorf("the chip answers %x, %v", response, err)
		}
		wantKind(t, "letting the chip go", h.ChipReader().Disconnect(t.Context()), devices.Unsupported)
		pages, err := h.DocumentScanner().Scan(t.Context(), []devices.Light{devices.White, devices.UV})
		if err != nil || len(pages) != 2 {
			t.Errorf("the scan has %d pages, %v", len(pages), err)
		}
		symbol, err := h.BarcodeReader().ReadBarcode(t.Context())
		if err != nil || symbol.Symbology != "QR" {
			t.Errorf("the symbol is %v, %v", symbol, err)
		}
	})
}

// TestAccepts holds what a printer's handle accepts through its life, and that
// the answer is the caller's.
func TestAccepts(t *testing.T) {
	bubbled(t, func(t *testing.T) {
		h, p := over(t, &driver{print: func(context.Context, devices.Job) error {
			return &devices.Fault{Op: "printing", Kind: devices.Timeout}
		}})
		printer := h.Printer(devices.SlipPrinter)
		clear(printer.Accepts())
		if got := printer.Accepts(); !slices.Equal(got, []devices.JobKind{devices.Text}) {
			t.Errorf("ready, it accepts %q", got)
		}
		wantKind(t, "printing", printer.Print(t.Context(), devices.Job{}), devices.Timeout)
		wantState(t, h, "usb:1", "faulted/timeout")
		if got := printer.Accepts(); len(got) != 1 {
			t.Errorf("faulted, it accepts %q", got)
		}
		p.set(func() { p.here = nil }, "usb:1")
		settle()
		if got := printer.Accepts(); len(got) != 0 {
			t.Errorf("absent, it accepts %q", got)
		}
		p.open = func(context.Context, devices.ID, int) (io.Closer, error) {
			time.Sleep(time.Second)
			return &driver{}, nil
		}
		p.set(func() { p.here = []devices.Device{usb("1")} }, "usb:1")
		time.Sleep(400 * time.Millisecond)
		wantState(t, h, "usb:1", "opening")
		if got := printer.Accepts(); len(got) != 1 {
			t.Errorf("there again and opening, it accepts %q, want what it took before", got)
		}
		if err := printer.Print(t.Context(), devices.Job{}); err != nil {
			t.Errorf("printing on what is just opening: %v", err)
		}
	})
}
