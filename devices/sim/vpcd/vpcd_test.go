package vpcd_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"testing"
	"time"

	"github.com/counterproof/counterproof/devices/sim"
	"github.com/counterproof/counterproof/devices/sim/vpcd"
)

// driver is the reader's side of the protocol.
type driver struct {
	net.Conn
	tb testing.TB
}

// say sends a message in two pieces, as the real one does.
func (d driver) say(body ...byte) {
	d.tb.Helper()
	_, err := d.Write(binary.BigEndian.AppendUint16(nil, uint16(len(body))))
	if err == nil {
		_, err = d.Write(body)
	}
	if err != nil {
		d.tb.Fatalf("sending to the card: %v", err)
	}
}

// hear takes a message.
func (d driver) hear() []byte {
	d.tb.Helper()
	var size [2]byte
	if _, err := io.ReadFull(d, size[:]); err != nil {
		d.tb.Fatalf("hearing the card: %v", err)
	}
	body := make([]byte, binary.BigEndian.Uint16(size[:]))
	if _, err := io.ReadFull(d, body); err != nil {
		d.tb.Fatalf("hearing the card: %v", err)
	}
	return body
}

// play plays a card to a driver, and gives what comes of it.
func play(tb testing.TB, ctx context.Context, cfg vpcd.Config) (driver, <-chan error) {
	tb.Helper()
	mine, theirs := net.Pipe()
	ended := make(chan error, 1)
	go func() { ended <- vpcd.Play(ctx, theirs, cfg) }()
	tb.Cleanup(func() { _ = mine.Close() })
	if err := mine.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		tb.Fatal(err)
	}
	return driver{mine, tb}, ended
}

// counting powers up chips that answer with how often one was powered up, and how
// many commands it has had.
func counting() sim.Chip {
	begun := byte(0)
	return func() sim.Card {
		begun++
		commands := byte(0)
		return func(context.Context, []byte) ([]byte, error) {
			commands++
			return []byte{begun, commands, 0x90, 0x00}, nil
		}
	}
}

// TestConversation holds every order of the reader.
func TestConversation(t *testing.T) {
	t.Parallel()
	d, _ := play(t, t.Context(), vpcd.Config{Chip: counting()})
	atr := []byte{0x3b, 0x80, 0x80, 0x01, 0x01}
	for i, step := range []struct{ say, want []byte }{
		{[]byte{4}, atr}, // a card that nobody powered is there all the same
		{[]byte{1}, nil},
		{[]byte{0, 0x84, 0, 0}, []byte{1, 1, 0x90, 0}},
		{[]byte{4}, atr},
		{[]byte{0, 0x84, 0, 0}, []byte{1, 2, 0x90, 0}},
		{[]byte{2}, nil}, // a reset forgets
		{[]byte{0, 0x84, 0, 0}, []byte{2, 1, 0x90, 0}},
		{[]byte{0}, nil}, // and so does a card without power
		{[]byte{1}, nil},
		{[]byte{0, 0x84, 0, 0}, []byte{3, 1, 0x90, 0}},
		{[]byte{0}, nil},
		{[]byte{0, 0x84, 0, 0}, []byte{4, 1, 0x90, 0}}, // a command gives power
		{[]byte{9}, nil}, // an order that nobody knows
		{[]byte{4}, atr},
	} {
		d.say(step.say...)
		if step.want == nil {
			continue
		}
		if got := d.hear(); !bytes.Equal(got, step.want) {
			t.Errorf("step %d: got %x, want %x", i, got, step.want)
		}
	}
}

func TestATR(t *testing.T) {
	t.Parallel()
	want := []byte{0x3b, 0x8a, 0x80, 0x01, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 0}
	d, _ := play(t, t.Context(), vpcd.Config{Chip: sim.Blank, ATR: want})
	d.say(4)
	if got := d.hear(); !bytes.Equal(got, want) {
		t.Errorf("got %x, want %x", got, want)
	}
}

// TestLengths: what goes over the wire goes whole, what does not is refused as a
// chip refuses it.
func TestLengths(t *testing.T) {
	t.Parallel()
	for sent, want := range map[int]int{2: 4, 256: 258, 65_533: 65_535, 65_534: 2, 65_535: 2} {
		d, _ := play(t, t.Context(), vpcd.Config{Chip: func() sim.Card {
			return func(_ context.Context, command []byte) ([]byte, error) {
				return append(make([]byte, len(command)), 0x90, 0x00), nil
			}
		}})
		d.say(make([]byte, sent)...)
		if got := d.hear(); len(got) != want {
			t.Errorf("a command of %d bytes: got %d, want %d", sent, len(got), want)
		}
	}
}

// TestEnds: a card that is taken away, by ctx or by itself, ends without an error;
// a reader that goes is one.
func TestEnds(t *testing.T) {
	t.Parallel()
	waits := func() sim.Card {
		return func(ctx context.Context, _ []byte) ([]byte, error) { <-ctx.Done(); return nil, ctx.Err() }
	}
	leaves := func() sim.Card {
		return func(context.Context, []byte) ([]byte, error) { return nil, errors.New("gone") }
	}
	for name, c := range map[string]struct {
		chip sim.Chip
		do   func(d driver, cancel func())
		fail bool
	}{
		"taken-away":         {sim.Blank, func(_ driver, cancel func()) { cancel() }, false},
		"taken-while-asked":  {waits, func(d driver, cancel func()) { d.say(0, 0x84, 0, 0); cancel() }, false},
		"leaves-by-itself":   {leaves, func(d driver, _ func()) { d.say(0, 0x84, 0, 0) }, false},
		"reader-goes":        {sim.Blank, func(d driver, _ func()) { _ = d.Close() }, true},
		"reader-says-naught": {sim.Blank, func(d driver, _ func()) { _, _ = d.Write([]byte{0, 0}) }, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			d, ended := play(t, ctx, vpcd.Config{Chip: c.chip})
			c.do(d, cancel)
			select {
			case err := <-ended:
				if (err != nil) != c.fail {
					t.Errorf("ended with %v", err)
				}
			case <-time.After(10 * time.Second):
				t.Error("it did not end")
			}
			if _, err := d.Write([]byte{0}); err == nil {
				t.Error("the card still lies there")
			}
		})
	}
}

// TestInsert lays a card where a driver waits, over a real socket.
func TestInsert(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	ctx, cancel := context.WithCancel(t.Context())
	ended, inserted := make(chan error, 1), make(chan struct{})
	go func() {
		ended <- vpcd.Insert(ctx, vpcd.Config{Address: listener.Addr().String(), Chip: counting()}, func() { close(inserted) })
	}()
	conn, err := listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	<-inserted
	d := driver{conn, t}
	d.say(0, 0x84, 0, 0)
	if got := d.hear(); !bytes.Equal(got, []byte{1, 1, 0x90, 0}) {
		t.Errorf("got %x", got)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Errorf("ended with %v", err)
	}
	if _, err := conn.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		t.Errorf("the card still lies there: %v", err)
	}
	_ = listener.Close()
	if err := vpcd.Insert(t.Context(), vpcd.Config{Address: listener.Addr().String(), Chip: sim.Blank}, nil); err == nil {
		t.Error("a card lies where no reader is")
	}
}

// FuzzDriver: nothing that a driver says brings a card down, and what it answers is
// framed.
func FuzzDriver(f *testing.F) {
	f.Add([]byte{0, 1, 1, 0, 1, 4, 0, 5, 0, 0x84, 0, 0, 8})
	f.Add([]byte{0, 0})
	f.Add([]byte{0xff, 0xff, 1})
	f.Fuzz(func(t *testing.T, said []byte) {
		mine, theirs := net.Pipe()
		ended := make(chan error, 1)
		go func() { ended <- vpcd.Play(t.Context(), theirs, vpcd.Config{Chip: counting()}) }()
		go func() { _, _ = mine.Write(said); _ = mine.Close() }()
		heard, _ := io.ReadAll(mine)
		for len(heard) > 0 {
			n := int(binary.BigEndian.Uint16(heard)) + 2
			if n != 6 && n != 7 || n > len(heard) {
				t.Fatalf("it answers %x", heard)
			}
			heard = heard[n:]
		}
		if err := <-ended; err == nil {
			t.Error("the reader went and nobody noticed")
		}
	})
}
