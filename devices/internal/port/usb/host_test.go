package usb

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/counterproof/counterproof/devices"
)

// tree writes files, or links where the text begins with "->".
func tree(tb testing.TB, files map[string]string) string {
	tb.Helper()
	root := tb.TempDir()
	for name, text := range files {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			tb.Fatal(err)
		}
		err := error(nil)
		if len(text) > 2 && text[:2] == "->" {
			err = os.Symlink(text[2:], path)
		} else {
			err = os.WriteFile(path, []byte(text), 0o600)
		}
		if err != nil {
			tb.Fatal(err)
		}
	}
	return root
}

const at = "bus/usb/devices/"

// shown is a system with a device in 1-2.
func shown(tb testing.TB, more map[string]string) Config {
	tb.Helper()
	files := map[string]string{
		at + "1-2/devnum": "4\n", at + "1-2/bConfigurationValue": "1\n", at + "1-2/serial": "A\x1b7\n",
		at + "1-2/manufacturer": "Counter Ltd\n", at + "1-2/product": "Slip\x00 Printer\n",
	}
	for name, text := range more {
		files[name] = text
	}
	return Config{Sys: tree(tb, files), Proc: tree(tb, map[string]string{
		"77/comm": "other\n", "77/fd/3": "->/dev/null",
		"78/comm": "scan\x07image\n", "78/fd/3": "->/dev/bus/usb/001/004",
		strconv.Itoa(os.Getpid()) + "/comm": "itself\n", strconv.Itoa(os.Getpid()) + "/fd/9": "->/dev/bus/usb/001/004",
		"self/fd/3": "->/dev/bus/usb/001/004",
	})}
}

func start(tb testing.TB, c Config, b *fakeBus) *Host {
	tb.Helper()
	h, err := c.open(b.start)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = h.Close() })
	return h
}

func TestList(t *testing.T) {
	t.Parallel()
	rootHub := Device{PortPath: "1-1", Class: hub}
	h := start(t, shown(t, nil), newBus(reader("1-3", 7), rootHub, reader("1-2", 4)))
	all, err := h.List()
	if err != nil || len(all) != 2 || all[0].PortPath != "1-2" || all[1].PortPath != "1-3" {
		t.Fatalf("got %+v and %v", all, err)
	}
	if d := all[0]; d.Serial != "A7" || d.Manufacturer != "Counter Ltd" || d.Name != "Slip Printer" {
		t.Errorf("it calls itself %q, %q, %q", d.Serial, d.Manufacturer, d.Name)
	}
	if d := all[1]; d.Serial+d.Manufacturer+d.Name != "" {
		t.Errorf("a device without words calls itself %q", d.Name)
	}
}

// TestListAfterNonsense: what stood before a device without sense is listed, and
// nothing is opened, because its handle would be lost.
func TestListAfterNonsense(t *testing.T) {
	t.Parallel()
	b := newBus(reader("1-2", 4))
	b.listErr = errSense
	h := host(t, b)
	all, err := h.List()
	wantKind(t, "listing", err, devices.Protocol)
	if len(all) != 1 {
		t.Errorf("got %+v", all)
	}
	_, err = h.Open(t.Context(), "1-2", 0)
	wantKind(t, "opening", err, devices.Protocol)
	b.listErr = said(troubleIO) // of one that cannot be described: no matter
	if p, err := h.Open(t.Context(), "1-2", 0); err != nil || p.Close() != nil {
		t.Errorf("opening beside a device without descriptors: %v", err)
	}
}

// TestTwins: two equal devices are told apart by their places alone.
func TestTwins(t *testing.T) {
	t.Parallel()
	b := newBus(reader("1-2.1", 9), reader("1-2.2", 8))
	h := host(t, b)
	for _, place := range []string{"1-2.2", "1-2.1"} {
		p, err := h.Open(t.Context(), place, 0)
		if err != nil {
			t.Fatal(err)
		}
		if err := b.fakes[place].send([]byte(place)); err != nil {
			t.Fatal(err)
		}
		line := make([]byte, 16)
		if n, err := p.Read(t.Context(), line); err != nil || string(line[:n]) != place || p.Device().PortPath != place {
			t.Errorf("%s: got %q and %v", place, line[:n], err)
		}
	}
}

func TestOpenFaults(t *testing.T) {
	t.Parallel()
	const driver = at + "1-2:1.0/driver"
	for name, c := range map[string]struct {
		place  string
		number int
		more   map[string]string
		err    error
		kind   devices.Kind
		holder string
	}{
		"missing":           {"1-9", 0, nil, nil, devices.Missing, ""},
		"no-place":          {"../..", 0, nil, nil, devices.Missing, ""},
		"no-interface":      {"1-2", 3, nil, nil, devices.Unsupported, ""},
		"permission":        {"1-2", 0, nil, said(troubleAccess), devices.Permission, ""},
		"program-holds":     {"1-2", 0, nil, said(troubleBusy), devices.InUse, "scanimage"},
		"usbfs-is-program":  {"1-2", 0, map[string]string{driver: "->../drivers/usbfs"}, said(troubleBusy), devices.InUse, "scanimage"},
		"driver-holds":      {"1-2", 0, map[string]string{driver: "->../drivers/usblp"}, said(troubleBusy), devices.InUse, "usblp"},
		"unplugged-as-seen": {"1-2", 0, nil, said(troubleNoDevice), devices.Missing, ""},
		"fails":             {"1-2", 0, nil, said(troubleIO), devices.Protocol, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBus(reader("1-2", 4))
			b.openErr = c.err
			_, err := start(t, shown(t, c.more), b).Open(t.Context(), c.place, c.number)
			wantKind(t, "opening", err, c.kind)
			f, ok := errors.AsType[*devices.Fault](err)
			if !ok || f.Holder != c.holder {
				t.Errorf("got %+v, want holder %q", f, c.holder)
			}
		})
	}
}

func TestOpenedTwice(t *testing.T) {
	t.Parallel()
	b := newBus(reader("1-2", 4))
	h := host(t, b)
	p, err := h.Open(t.Context(), "1-2", 0)
	if err != nil {
		t.Fatal(err)
	}
	_, err = h.Open(t.Context(), "1-2", 0)
	wantKind(t, "opening twice", err, devices.InUse)
	if err := errors.Join(p.Close(), p.Close()); err != nil {
		t.Errorf("closing: %v", err)
	}
	if p, err = h.Open(t.Context(), "1-2", 0); err != nil {
		t.Fatalf("opening after closing: %v", err)
	}
	if err := errors.Join(h.Close(), h.Close()); err != nil || b.closes != 1 {
		t.Errorf("closing the host: %v, %d times", err, b.closes)
	}
	_, err = p.Read(t.Context(), make([]byte, 8))
	wantKind(t, "reading after the host was closed", err, devices.Gone)
	_, err = h.Open(t.Context(), "1-2", 0)
	wantKind(t, "opening after the host was closed", err, devices.Gone)
	_, err = h.List()
	wantKind(t, "listing after the host was closed", err, devices.Gone)
}

func TestOpenEnded(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	b := newBus(reader("1-2", 4))
	_, err := host(t, b).Open(ctx, "1-2", 0)
	wantKind(t, "opening", err, devices.Cancelled)
}

// TestStirred: taking an interface from the kernel's driver, and giving it back,
// is accounted for before it is done.
func TestStirred(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBus(reader("1-2", 4), reader("1-3", 5))
		cfg := shown(t, map[string]string{at + "1-2:1.0/driver": "->../drivers/usblp", at + "1-3/devnum": "5"})
		var told []string
		cfg.Stirs = func(portPath string) { told = append(told, portPath) }
		h := start(t, cfg, b)
		for _, place := range []string{"1-2", "1-3"} {
			p, err := h.Open(t.Context(), place, 0)
			if err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Second)
			if err := p.Close(); err != nil {
				t.Error(err)
			}
		}
		if len(b.detached) != 1 || b.detached[0] != "1-2" || len(told) != 2 || told[0] != "1-2" || told[1] != "1-2" {
			t.Errorf("detached at %v, told of %v, want 1-2 once and twice", b.detached, told)
		}
		all := h.Stirred()
		if since := time.Since(all["1-2"]); len(all) != 1 || since != time.Second {
			t.Errorf("the account is %v, want 1-2 when it was closed", all)
		}
		delete(all, "1-2") // a copy
		if len(h.Stirred()) != 1 {
			t.Error("the account can be changed from outside")
		}
	})
}

// TestHeardLate: where no udev runs libusb never hears of a device that came
// later, and is started anew unless somebody uses it.
func TestHeardLate(t *testing.T) {
	t.Parallel()
	b := newBus(reader("1-2", 3)) // as it was before it was plugged in again
	starts := 0
	h, err := shown(t, nil).open(func() (library, error) {
		if starts++; starts > 1 {
			b.plugged[0].Address = 4
		}
		return b, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	p, err := h.Open(t.Context(), "1-2", 0)
	if err != nil || starts != 2 || b.closes != 1 || p.Device().Address != 4 {
		t.Errorf("got %v after %d starts and %d ends", err, starts, b.closes)
	}
	b.plugged = append(b.plugged, reader("1-3", 9))
	if _, err := h.Open(t.Context(), "1-4", 0); devices.KindOf(err) != devices.Missing || starts != 2 {
		t.Errorf("nothing is in 1-4: got %v after %d starts", err, starts)
	}
}

// TestThereBySystem: what the kernel shows counts more than what libusb heard.
func TestThereBySystem(t *testing.T) {
	t.Parallel()
	b := newBus(reader("1-2", 4))
	cfg := shown(t, nil)
	p, err := start(t, cfg, b).Open(t.Context(), "1-2", 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(filepath.Join(cfg.Sys, at, "1-2")); err != nil {
		t.Fatal(err)
	}
	b.fakes["1-2"].script = []move{{err: said(troubleStall)}, {err: said(troubleStall)}}
	_, err = p.Read(t.Context(), make([]byte, 8))
	wantKind(t, "reading", err, devices.Gone)
}

func TestNoLibrary(t *testing.T) {
	t.Parallel()
	_, err := Config{}.open(func() (library, error) { return nil, errors.New("libusb: unknown error [code -99]") })
	wantKind(t, "starting", err, devices.Unsupported)
}
