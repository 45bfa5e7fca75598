//go:build cgo && !nopcsc

package pcsc

import (
	"context"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/counterproof/counterproof/devices"
	"github.com/counterproof/counterproof/devices/devicetest"
	"github.com/counterproof/counterproof/devices/sim"
)

// first is the name of the first virtual reader.
const first = "Virtual PCD 00 00"

// deaf powers up a chip that never answers.
func deaf() sim.Card {
	return func(ctx context.Context, _ []byte) ([]byte, error) { <-ctx.Done(); return nil, ctx.Err() }
}

// settled waits until the service knows whether something lies on the first
// reader.
func settled(tb testing.TB, lies bool) {
	tb.Helper()
	s, c := newLibrary().establish()
	if c != success {
		tb.Fatalf("no service: %v", fault(opening, c))
	}
	defer s.release()
	ctx, cancel := context.WithTimeout(tb.Context(), 10*time.Second)
	defer cancel()
	for at := (sight{reader: first}); ctx.Err() == nil; {
		now, _ := wait(ctx, s, at, time.Second)
		if at.state = now; now&presentState != 0 == lies {
			return
		}
	}
	tb.Fatalf("the service never saw that the card lies there: %t", lies)
}

func TestService(t *testing.T) {
	t.Parallel()
	address, ok := devicetest.InCardService(t)
	if !ok {
		return
	}
	names, err := Readers()
	if err != nil || !slices.Contains(names, first) || len(names) != 2 {
		t.Fatalf("the readers are %q, %v", names, err)
	}
	if _, err := Open(Config{Name: "Nothing 00 00"}); devices.KindOf(err) != devices.Missing {
		t.Errorf("opening what is not there: %v", err)
	}
	devicetest.RunChipReader(t, devicetest.Real, func(tb testing.TB) devicetest.ChipRig {
		settled(tb, false)
		r, err := Open(Config{Name: first})
		if err != nil {
			tb.Fatal(err)
		}
		h := devicetest.NewHand(tb, address)
		tb.Cleanup(func() { _ = r.Close() })
		h.Lay(sim.Blank)
		settled(tb, true)
		return devicetest.ChipRig{
			Reader: r, Begun: h.Begun,
			Lay: func() { h.Lay(sim.Blank) }, Remove: h.Take, LayDeaf: func() { h.Lay(deaf); settled(tb, true) },
		}
	})
}

// TestExclusive: a document that another program holds is in use, and free again
// after it.
func TestExclusive(t *testing.T) {
	t.Parallel()
	address, ok := devicetest.InCardService(t)
	if !ok {
		return
	}
	h := devicetest.NewHand(t, address)
	h.Lay(sim.Blank)
	one, err := Open(Config{Name: first})
	if err != nil {
		t.Fatal(err)
	}
	defer one.Close()
	other, err := Open(Config{Name: first})
	if err != nil {
		t.Fatal(err)
	}
	if err := other.Connect(t.Context()); err != nil {
		t.Fatal(err)
	}
	begun := time.Now()
	if err := one.Connect(t.Context()); devices.KindOf(err) != devices.InUse || time.Since(begun) > 2*looks {
		t.Errorf("held by another: %v after %v", err, time.Since(begun))
	}
	if err := other.Close(); err != nil {
		t.Error(err)
	}
	if err := one.Connect(t.Context()); err != nil {
		t.Errorf("free again: %v", err)
	}
}

// long is a chip that gives as many bytes as the second byte pair of a command
// says, and status words.
func long() sim.Card {
	return func(_ context.Context, command []byte) ([]byte, error) {
		n := len(command)
		return append(slices.Repeat([]byte{0xab}, n), 0x90, 0x00), nil
	}
}

// TestLengths: short and long commands and responses pass whole, and leave
// nothing in the room for responses.
func TestLengths(t *testing.T) {
	t.Parallel()
	address, ok := devicetest.InCardService(t)
	if !ok {
		return
	}
	h := devicetest.NewHand(t, address)
	h.Lay(long)
	r, err := Open(Config{Name: first})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if err := r.Connect(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, n := range []int{4, 5, 260, 261, 4096, 32768, 65_000, 65_533} {
		got, err := r.Transmit(t.Context(), make([]byte, n))
		if err != nil || len(got) != n+2 || got[0] != 0xab {
			t.Errorf("a command of %d bytes: got %d and %v", n, len(got), err)
		}
		if slices.ContainsFunc(r.talk.room, func(b byte) bool { return b != 0 }) {
			t.Errorf("a response of %d bytes is left behind", n)
		}
	}
}

// end ends the service of this test.
func end(t *testing.T) {
	t.Helper()
	pid, err := strconv.Atoi(os.Getenv("COUNTERPROOF_PCSCD"))
	if err != nil || pid <= 1 {
		t.Fatal(err)
	}
	if err := syscall.Kill(pid, syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	for syscall.Kill(pid, 0) == nil && t.Context().Err() == nil {
		if _, err := os.Stat("/run/pcscd/pcscd.comm"); err != nil {
			return
		}
	}
}

// TestStopped: a service that ends takes the conversation with it, and a watch.
func TestStopped(t *testing.T) {
	t.Parallel()
	address, ok := devicetest.InCardService(t)
	if !ok {
		return
	}
	h := devicetest.NewHand(t, address)
	h.Ends()
	h.Lay(sim.Blank)
	r, err := Open(Config{Name: first})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if err := r.Connect(t.Context()); err != nil {
		t.Fatal(err)
	}
	watched := make(chan error, 1)
	seen := make(chan []string, 8)
	go func() { watched <- Watch(t.Context(), func(names []string) { seen <- names }) }()
	if names := <-seen; len(names) != 2 {
		t.Errorf("watching tells of %q", names)
	}
	end(t)
	if _, err := r.Transmit(t.Context(), []byte{0, 0xa4, 0, 0x0c}); devices.KindOf(err) != devices.Gone {
		t.Errorf("talking without a service: %v", err)
	}
	if err := r.Connect(t.Context()); !strings.Contains(err.Error(), "smart-card service") {
		t.Errorf("connecting without a service: %v", err)
	}
	if err := <-watched; err == nil {
		t.Error("a watch goes on without a service")
	}
	if _, err := Readers(); devices.KindOf(err) != devices.Missing {
		t.Errorf("listing without a service: %v", err)
	}
	if _, err := Open(Config{Name: first}); devices.KindOf(err) != devices.Missing {
		t.Errorf("opening without a service: %v", err)
	}
}
