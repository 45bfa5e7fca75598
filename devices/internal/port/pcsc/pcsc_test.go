package pcsc

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/counterproof/counterproof/devices"
	"github.com/counterproof/counterproof/devices/sim"
)

// command is GET CHALLENGE.
func command() []byte { return []byte{0x00, 0x84, 0x00, 0x00, 0x08} }

func TestReaders(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", maxName+1)
	many := slices.Repeat([]string{"Reader"}, maxReaders+3)
	for name, c := range map[string]struct {
		readers []string
		down    code
		want    int
		kind    devices.Kind
	}{
		"some":            {[]string{"A 00 00", "B 00 00"}, success, 2, devices.KindNone},
		"none":            {nil, success, 0, devices.KindNone},
		"what-is-none":    {[]string{"", long, plugs, "A 00 00"}, success, 1, devices.KindNone},
		"too-many":        {many, success, maxReaders, devices.KindNone},
		"no-service":      {nil, noService, 0, devices.Missing},
		"no-library":      {nil, noLibrary, 0, devices.Missing},
		"built-without":   {nil, notBuilt, 0, devices.Unsupported},
		"not-allowed":     {nil, securityViolation, 0, devices.Permission},
		"what-is-unknown": {nil, 0x80100001, 0, devices.Protocol},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFake()
			f.readers, f.down = c.readers, c.down
			got, err := readers(f)
			if len(got) != c.want || devices.KindOf(err) != c.kind {
				t.Errorf("got %d readers and %v, want %d and kind %q", len(got), err, c.want, c.kind)
			}
			if c.kind == devices.Missing && !errors.Is(err, ErrService) {
				t.Errorf("%v does not say that the service is missing", err)
			}
			if f, is := errors.AsType[*devices.Fault](err); is && c.kind == devices.Permission && !strings.Contains(f.Rule, "polkit") {
				t.Errorf("the rule is %q", f.Rule)
			}
			if sessions, _ := f.left(); sessions != 0 {
				t.Errorf("%d sessions are left", sessions)
			}
		})
	}
}

func TestOpening(t *testing.T) {
	t.Parallel()
	f := newFake()
	_, err := open(f, Config{"pcsc:other", "Another 00 00"})
	wantKind(t, "a reader that is not there", err, devices.Missing)
	if !errors.Is(err, ErrReader) || errors.Is(err, ErrService) {
		t.Errorf("%v does not say what is missing", err)
	}
	f.down = noService
	_, err = open(f, Config{"pcsc:one", one})
	wantKind(t, "without a service", err, devices.Missing)
}

// TestConnectFails: each way in which connecting fails is told by its kind, at
// once where waiting mends nothing.
func TestConnectFails(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		spoil func(*fake)
		want  devices.Kind
		after time.Duration
	}{
		"in-use":            {func(f *fake) { f.held = true }, devices.InUse, looks},
		"not-allowed":       {func(f *fake) { f.taking = securityViolation }, devices.Permission, 0},
		"reader-broken":     {func(f *fake) { f.taking = 0x8010001a }, devices.Protocol, 0},
		"service-forbids":   {func(f *fake) { f.down = noAccess }, devices.Permission, 0},
		"service-stopped":   {func(f *fake) { f.down = noService }, devices.Missing, 0},
		"reader-went":       {func(f *fake) { f.readers = nil }, devices.Gone, 0},
		"mute":              {func(f *fake) { f.mute = true }, devices.Timeout, time.Minute},
		"goes-at-the-reset": {func(f *fake) { f.resets = removedCard }, devices.Cancelled, time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bubble(t, func(t *testing.T) {
				f := newFake()
				r, err := open(f, Config{"pcsc:one", one})
				if err != nil {
					t.Fatal(err)
				}
				f.set(func() { c.spoil(f) })
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				begun := time.Now()
				err = r.Connect(ctx)
				wantKind(t, "connecting", err, c.want)
				if took := time.Since(begun); took < c.after || took > c.after+again {
					t.Errorf("it took %v, want %v", took, c.after)
				}
				if f, is := errors.AsType[*devices.Fault](err); is && (c.want == devices.InUse) != (f.Holder != "") {
					t.Errorf("the holder is %q", f.Holder)
				}
				if err := r.Close(); err != nil {
					t.Error(err)
				}
				if sessions, cards := f.left(); sessions+cards != 0 {
					t.Errorf("%d sessions and %d cards are left", sessions, cards)
				}
			})
		})
	}
}

// TestMended: a document that others look at, or that does not answer yet, is
// taken as soon as it is to be had.
func TestMended(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ spoil, mend func(*fake) }{
		"others-look": {func(f *fake) { f.held = true }, func(f *fake) { f.held = false }},
		"mute":        {func(f *fake) { f.mute = true }, func(f *fake) { f.mute = false }},
		"not-ready":   {func(f *fake) { f.taking = notReady }, func(f *fake) { f.taking = success }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bubble(t, func(t *testing.T) {
				f := newFake()
				r := opened(t, f)
				c.spoil(f)
				time.AfterFunc(looks/2, func() { f.set(func() { c.mend(f) }) })
				begun := time.Now()
				if err := r.Connect(t.Context()); err != nil {
					t.Fatal(err)
				}
				if took := time.Since(begun); took > looks/2+again {
					t.Errorf("it took %v", took)
				}
			})
		})
	}
}

// TestBlind: a document that the service has lost sight of, because it was away for
// a moment, is found again. An empty reader is left alone.
func TestBlind(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T) {
		f := newFake()
		r := opened(t, f)
		if err := r.Connect(t.Context()); err != nil {
			t.Fatal(err)
		}
		f.set(func() { f.blind = true })
		begun := time.Now()
		if err := r.Connect(t.Context()); err != nil || time.Since(begun) > unseen+2*again {
			t.Errorf("lost sight of: %v after %v", err, time.Since(begun))
		}
		f.lay(nil)
		before := f.begun
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		wantKind(t, "an empty reader", r.Connect(ctx), devices.Cancelled)
		if f.begun != before {
			t.Error("an empty reader was reset")
		}
	})
}

// TestStaffCard: a card with contacts is left alone, whoever is signed in by it; a
// document that comes later is taken.
func TestStaffCard(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T) {
		f := newFake()
		f.staff = true
		r := opened(t, f)
		ctx, end := context.WithTimeout(t.Context(), 20*time.Second)
		defer end()
		wantKind(t, "with a card of the staff there", r.Connect(ctx), devices.Cancelled)
		if f.begun != 0 {
			t.Errorf("it was powered %d times", f.begun)
		}
		f.set(func() { f.staff = false; f.count++ })
		if err := r.Connect(t.Context()); err != nil {
			t.Errorf("a document in its place: %v", err)
		}
	})
}

func TestByContacts(t *testing.T) {
	t.Parallel()
	for atr, want := range map[string]bool{
		"": false, "\x3b\x80\x80\x01\x01": false, "\x3b\x8f\x80\x01\x80\x4f\x0c": false, "\x3b\x88\x80\x01\xe1\xf3\x5e": false,
		"\x3b\x95\x13\x81\x01": true, "\x3f\x69": true, "\x3b": true, "\x3b\xdb\x96\x00\x80": true,
	} {
		if got := byContacts([]byte(atr)); got != want {
			t.Errorf("%x: by contacts %t", atr, got)
		}
	}
}

// TestMute: a user who gives up on a document that does not answer is told that he
// gave up; one whose time has passed is told why.
func TestMute(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T) {
		f := newFake()
		f.mute = true
		r := opened(t, f)
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		wantKind(t, "gave up", r.Connect(ctx), devices.Cancelled)
	})
}

// TestCommandFails: each way in which a command fails is told by its kind, and ends
// the conversation.
func TestCommandFails(t *testing.T) {
	t.Parallel()
	short := func() sim.Card {
		return func(context.Context, []byte) ([]byte, error) { return []byte{0x90}, nil }
	}
	for name, c := range map[string]struct {
		spoil func(*fake)
		want  devices.Kind
	}{
		"removed":         {func(f *fake) { f.sending = removedCard }, devices.Gone},
		"reset":           {func(f *fake) { f.sending = resetCard }, devices.Gone},
		"noise":           {func(f *fake) { f.sending = notTransacted }, devices.Protocol},
		"noise-then-gone": {func(f *fake) { f.sending, f.chip = commError, nil; f.count++ }, devices.Gone},
		"reader-went":     {func(f *fake) { f.sending = readerUnavailable }, devices.Gone},
		"noise-unplugged": {func(f *fake) { f.sending = notTransacted; f.readers = nil }, devices.Gone},
		"service-stopped": {func(f *fake) { f.sending = noService }, devices.Gone},
		"service-forbids": {func(f *fake) { f.sending = securityViolation }, devices.Gone},
		"too-slow":        {func(f *fake) { f.sending = timedOut }, devices.Timeout},
		"short":           {func(f *fake) { f.sending = success }, devices.Protocol},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bubble(t, func(t *testing.T) {
				f := newFake()
				if name == "short" {
					f.chip = short
				}
				r := opened(t, f)
				if err := r.Connect(t.Context()); err != nil {
					t.Fatal(err)
				}
				f.set(func() { c.spoil(f) })
				begun := time.Now()
				_, err := r.Transmit(t.Context(), command())
				wantKind(t, "sending", err, c.want)
				if took := time.Since(begun); took > time.Second {
					t.Errorf("it took %v to notice", took)
				}
				_, err = r.Transmit(t.Context(), command())
				wantKind(t, "sending again", err, devices.Gone)
			})
		})
	}
}

// TestNoticesRemoval: a document that the service misses a moment after the command
// failed is gone, not broken.
func TestNoticesRemoval(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T) {
		f := newFake()
		r := opened(t, f)
		if err := r.Connect(t.Context()); err != nil {
			t.Fatal(err)
		}
		f.set(func() { f.sending = notTransacted })
		time.AfterFunc(fading/2, func() { f.lay(nil) })
		_, err := r.Transmit(t.Context(), command())
		wantKind(t, "removed in the middle", err, devices.Gone)
	})
}

// TestHangs: a command that the service never answers holds nobody. What it held is
// put away when it comes back.
func TestHangs(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T) {
		f := newFake()
		r := opened(t, f)
		if err := r.Connect(t.Context()); err != nil {
			t.Fatal(err)
		}
		stuck := make(chan struct{})
		f.set(func() { f.stuck = stuck })
		limited := func(what string, want devices.Kind, call func(context.Context) error) {
			t.Helper()
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			begun := time.Now()
			wantKind(t, what, call(ctx), want)
			if took := time.Since(begun); took > time.Minute+grace {
				t.Errorf("%s took %v", what, took)
			}
		}
		limited("sending", devices.Cancelled, func(ctx context.Context) error { _, err := r.Transmit(ctx, command()); return err })
		limited("connecting while it hangs", devices.Timeout, r.Connect)
		limited("sending while it hangs", devices.Gone, func(ctx context.Context) error { _, err := r.Transmit(ctx, command()); return err })
		if err := r.Disconnect(t.Context()); err != nil {
			t.Errorf("disconnecting while it hangs: %v", err)
		}
		time.AfterFunc(time.Second, func() { f.set(func() { f.stuck = nil }); close(stuck) })
		if err := r.Connect(t.Context()); err != nil {
			t.Errorf("connecting when it has come back: %v", err)
		}
		if _, err := r.Transmit(t.Context(), command()); err != nil {
			t.Errorf("sending then: %v", err)
		}
	})
}

// TestClose ends what waits, and may come twice.
func TestClose(t *testing.T) {
	t.Parallel()
	for name, prepare := range map[string]func(f *fake, r *Reader) func(context.Context) error{
		"waiting": func(f *fake, r *Reader) func(context.Context) error {
			f.lay(nil)
			return r.Connect
		},
		"talking": func(f *fake, r *Reader) func(context.Context) error {
			f.lay(silent)
			_ = r.Connect(context.Background())
			return func(ctx context.Context) error { _, err := r.Transmit(ctx, command()); return err }
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bubble(t, func(t *testing.T) {
				f := newFake()
				r, err := open(f, Config{"pcsc:one", one})
				if err != nil {
					t.Fatal(err)
				}
				call := prepare(f, r)
				time.AfterFunc(time.Second, func() { _ = r.Close() })
				begun := time.Now()
				wantKind(t, "closed meanwhile", call(t.Context()), devices.Gone)
				if took := time.Since(begun); took > time.Second+grace {
					t.Errorf("it took %v", took)
				}
				wantKind(t, "closed", r.Connect(t.Context()), devices.Gone)
				wantKind(t, "closed", r.Disconnect(t.Context()), devices.Gone)
				if err := r.Close(); err != nil {
					t.Error(err)
				}
				f.lay(nil) // ends the silent chip's command
			})
		})
	}
}

func TestCommandBounds(t *testing.T) {
	t.Parallel()
	f := newFake()
	r := opened(t, f)
	if err := r.Connect(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, n := range []int{0, minCommand - 1, maxCommand + 1} {
		_, err := r.Transmit(t.Context(), make([]byte, n))
		wantKind(t, "no command", err, devices.Unsupported)
	}
	for _, n := range []int{minCommand, maxCommand} {
		if _, err := r.Transmit(t.Context(), make([]byte, n)); err != nil {
			t.Errorf("a command of %d bytes: %v", n, err)
		}
	}
}

// TestNothingKept: after a command the room for responses is empty, and the answer
// is the caller's.
func TestNothingKept(t *testing.T) {
	t.Parallel()
	f := newFake()
	f.chip = func() sim.Card {
		return func(context.Context, []byte) ([]byte, error) { return slices.Repeat([]byte{0xaa}, 70_000), nil }
	}
	r := opened(t, f)
	if err := r.Connect(t.Context()); err != nil {
		t.Fatal(err)
	}
	got, err := r.Transmit(t.Context(), command())
	if err != nil || len(got) != room || got[room-1] != 0xaa {
		t.Errorf("got %d bytes and %v", len(got), err)
	}
	if slices.ContainsFunc(r.talk.room, func(b byte) bool { return b != 0 }) {
		t.Error("the response is left behind")
	}
}

func TestWatch(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T) {
		f := newFake()
		ctx, cancel := context.WithCancel(t.Context())
		told := make(chan []string, 16)
		ended := make(chan error, 1)
		go func() { ended <- watch(ctx, f, func(now []string) { told <- now }) }()
		for i, step := range []struct{ change, want []string }{
			{[]string{one}, []string{one}},
			{[]string{one, "B 00 00"}, []string{"B 00 00", one}},
			{nil, nil},
			{[]string{"B 00 00"}, []string{"B 00 00"}},
		} {
			f.set(func() { f.readers = step.change })
			if got := <-told; !slices.Equal(got, step.want) {
				t.Errorf("step %d: told of %q, want %q", i, got, step.want)
			}
		}
		f.lay(nil) // a card is no reader
		time.Sleep(time.Minute)
		if len(told) > 0 {
			t.Errorf("told of %q without a change", <-told)
		}
		begun := time.Now()
		cancel()
		if err := <-ended; err != nil || time.Since(begun) > time.Second {
			t.Errorf("ended with %v after %v", err, time.Since(begun))
		}
	})
}

// TestWatchEnds: a service that stops ends a watch; one that knows nothing of plugs
// is asked now and then.
func TestWatchEnds(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T) {
		f := newFake()
		time.AfterFunc(time.Minute, func() { f.set(func() { f.down = serviceStopped }) })
		wantKind(t, "a service that stops", watch(t.Context(), f, func([]string) {}), devices.Missing)
		wantKind(t, "a service that is not there", watch(t.Context(), f, func([]string) {}), devices.Missing)
	})
}

// TestCancelIsNotLost: a wait ends with its context also where that ends before the
// wait has begun.
func TestCancelIsNotLost(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T) {
		f := newFake()
		s, _ := f.establish()
		defer s.release()
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		begun := time.Now()
		if _, c := wait(ctx, slow{s}, sight{one, s.(*fakeSession).sees(one)}, time.Hour); c != cancelled || time.Since(begun) > time.Minute {
			t.Errorf("%08x after %v", uint32(c), time.Since(begun))
		}
	})
}

// slow begins to wait late.
type slow struct{ session }

func (s slow) await(known sight, d time.Duration) (state, code) {
	time.Sleep(time.Second)
	return s.session.await(known, d)
}

func TestNames(t *testing.T) {
	t.Parallel()
	for in, want := range map[string][]string{
		"":                       nil,
		"\x00":                   nil,
		"A 00 00\x00\x00":        {"A 00 00"},
		"A\x00B\x00\x00rest":     {"A", "B"},
		"without end":            {"without end"},
		"A\x00without end":       {"A", "without end"},
		"\x00after an empty one": nil,
	} {
		if got := split(in); !slices.Equal(got, want) {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

func FuzzNames(f *testing.F) {
	f.Add("A 00 00\x00B 00 00\x00\x00")
	f.Add("\x00")
	f.Fuzz(func(t *testing.T, in string) {
		total := 0
		for _, name := range split(in) {
			if name == "" || strings.ContainsRune(name, 0) {
				t.Errorf("a name is %q", name)
			}
			total += len(name)
		}
		if total > len(in) {
			t.Errorf("%d bytes of names from %d", total, len(in))
		}
	})
}

// TestHealth: what is counted says nothing of what was read, and each fault names
// the device and what was done.
func TestHealth(t *testing.T) {
	t.Parallel()
	f := newFake()
	r := opened(t, f)
	if err := r.Connect(t.Context()); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, err := r.Transmit(t.Context(), command()); err != nil {
			t.Error(err)
		}
	}
	f.lay(nil)
	_, err := r.Transmit(t.Context(), command())
	if f, ok := errors.AsType[*devices.Fault](err); !ok || f.Kind != devices.Gone || f.Device != "pcsc:one" || f.Op == "" {
		t.Errorf("a document that was taken away: %+v", err)
	}
	for name, want := range map[string]int{"documents": 1, "commands": 2, "cut_off": 1} {
		if got := r.Health().Details[name]; got != want {
			t.Errorf("%s: counted %d, want %d", name, got, want)
		}
	}
}
