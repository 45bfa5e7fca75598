package mint_test

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/counterproof/counterproof/agent/chip"
	"github.com/counterproof/counterproof/agent/chip/mint"
	"github.com/counterproof/counterproof/agent/chip/sm"
)

// key is the access key of the specimen of ICAO 9303-11 appendix D.
const key = "L898902C<369080619406236"

// random is a source of bytes that repeats itself in each test.
func random(seed byte) *rand.ChaCha8 { return rand.NewChaCha8([32]byte{seed}) }

// object is a file of a length that begins with its tag.
func object(tag sm.Tag, n int) []byte {
	content := make([]byte, n)
	_, _ = random(7).Read(content) // it never fails
	return sm.Object(tag, content)
}

// files are those of a passport, its portrait of a given size.
func files(portrait int) map[chip.File][]byte {
	return map[chip.File][]byte{
		chip.SOD: object(0x77, 900), chip.DG1: object(0x61, 91), chip.DG2: object(0x75, portrait), chip.DG14: object(0x6e, 300),
	}
}

// all is what is asked for: DG15 is on no chip of these tests.
var all = []chip.File{chip.DG14, chip.DG15, chip.DG1, chip.DG2}

// read reads a chip.
func read(ctx context.Context, card *mint.Card, k string) (chip.Reading, error) {
	return chip.Read(ctx, chip.Config{Send: card.Transmit, Key: chip.Key{MRZInformation: k}, Random: random(2), Want: all})
}

// whole holds a reading to what is on the chip.
func whole(t *testing.T, r chip.Reading, on map[chip.File][]byte) {
	t.Helper()
	if len(r.Files) != len(on) {
		t.Errorf("%d files were read, want %d", len(r.Files), len(on))
	}
	for f, want := range on {
		if !bytes.Equal(r.Files[f], want) {
			t.Errorf("%s: %d bytes were read that differ from the %d on the chip", f, len(r.Files[f]), len(want))
		}
	}
}

// TestReads: chips of different habits are read whole, with few commands where
// they allow it.
func TestReads(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		fault    mint.Fault
		portrait int
		most     int // commands
		long     bool
	}{
		"long-commands":           {mint.None, 16_000, 12, true},
		"large-portrait":          {mint.None, 99_000, 14, true},
		"no-long-commands":        {mint.NoLong, 16_000, 90, false},
		"beyond-the-reach, short": {mint.NoLong, 38_000, 190, false},
		"no-short-identifiers":    {mint.NoShortIDs, 16_000, 20, true},
		"gives-little":            {mint.Stingy, 5_000, 80, true},
		"length-said-otherwise":   {mint.OtherLength, 1_000, 13, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			on := files(c.portrait)
			card := mint.New(mint.Config{Key: key, Files: on, Fault: c.fault, Random: random(1)})
			r, err := read(t.Context(), card, key)
			if err != nil {
				t.Fatal(err)
			}
			whole(t, r, on)
			if r.Way != chip.ByBAC || r.Long != c.long || r.Commands > c.most || r.Commands != card.Commands() {
				t.Errorf("by %s, long %t, %d commands (the chip counts %d), want at most %d", r.Way, r.Long, r.Commands, card.Commands(), c.most)
			}
		})
	}
}

// TestRefuses: what is wrong with a chip ends the reading, and nothing of it is
// handed on as read.
func TestRefuses(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		fault mint.Fault
		key   string
		want  error
	}{
		"another-booklet": {mint.None, "L898902C<369080619406237", chip.ErrKey},
		"wrong-tag":       {mint.WrongTag, key, chip.ErrProtocol},
		"too-large":       {mint.Endless, key, chip.ErrBudget},
		"tampered":        {mint.Tampered, key, chip.ErrAuthentic}, // not before access: that would be another key
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			card := mint.New(mint.Config{Key: key, Files: files(5000), Fault: c.fault, After: 7, Random: random(1)})
			r, err := read(t.Context(), card, c.key)
			if !errors.Is(err, c.want) || len(r.Files) > 1 {
				t.Errorf("got %d files, %v; want %v", len(r.Files), err, c.want)
			}
		})
	}
	card := mint.New(mint.Config{Key: key, Files: files(5000), Fault: mint.Oversize, Random: random(1)})
	if _, err := read(t.Context(), card, key); err == nil {
		t.Error("a file that is shorter than it says is read")
	}
}

// TestRemoved: a card that is taken away ends the reading wherever it is.
func TestRemoved(t *testing.T) {
	t.Parallel()
	full := mint.New(mint.Config{Key: key, Files: files(5000), Random: random(1)})
	if _, err := read(t.Context(), full, key); err != nil {
		t.Fatal(err)
	}
	for after := range full.Commands() {
		card := mint.New(mint.Config{Key: key, Files: files(5000), Fault: mint.Removed, After: after, Random: random(1)})
		if r, err := read(t.Context(), card, key); err == nil {
			t.Errorf("after %d commands: %d files and no error", after, len(r.Files))
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := read(ctx, full, key); !errors.Is(err, context.Canceled) {
		t.Errorf("given up: %v", err)
	}
}

// TestClosed: before access nothing is read, in clear nothing after it.
func TestClosed(t *testing.T) {
	t.Parallel()
	card := mint.New(mint.Config{Key: key, Files: files(100), Random: random(1)})
	ask := func(command ...byte) []byte {
		t.Helper()
		got, err := card.Transmit(t.Context(), command)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	select4 := []byte{0x00, 0xa4, 0x04, 0x0c, 0x07, 0xa0, 0, 0, 2, 0x47, 0x10, 1}
	if got := ask(0x00, 0xb0, 0x81, 0, 0); !slices.Equal(got, []byte{0x69, 0x82}) {
		t.Errorf("unselected it gives %X", got)
	}
	if got := ask(select4...); !slices.Equal(got, []byte{0x90, 0}) {
		t.Errorf("selecting: %X", got)
	}
	for name, command := range map[string][]byte{
		"read": {0x00, 0xb0, 0x81, 0, 0}, "select": {0x00, 0xa4, 0x02, 0x0c, 2, 1, 1}, "read-odd": {0x00, 0xb1, 0, 0, 3, 0x54, 1, 0, 0},
	} {
		if got := ask(command...); len(got) != 2 || got[0] != 0x69 {
			t.Errorf("%s before access: %X", name, got)
		}
	}
	if got := ask(0x0c, 0xb0, 0x81, 0, 1, 0, 0); len(got) != 2 || got[0] != 0x69 {
		t.Errorf("protected without a session: %X", got)
	}
	if _, err := read(t.Context(), card, key); err != nil {
		t.Fatal(err)
	}
	if got := ask(0x00, 0xb0, 0x81, 0, 0); len(got) != 2 || got[0] != 0x69 {
		t.Errorf("in clear after access: %X", got)
	}
}

// TestProgress: whoever waits hears how far it is, never backwards.
func TestProgress(t *testing.T) {
	t.Parallel()
	card := mint.New(mint.Config{Key: key, Files: files(20_000), Fault: mint.NoLong, Random: random(1)})
	last := map[chip.File]int{}
	_, err := chip.Read(t.Context(), chip.Config{
		Send: card.Transmit, Key: chip.Key{MRZInformation: key}, Random: random(2), Want: all,
		Progress: func(f chip.File, done, total int) {
			if done < last[f] || done > total {
				t.Errorf("%s: %d of %d after %d", f, done, total, last[f])
			}
			last[f] = done
		},
	})
	if err != nil || last[chip.DG2] < 20_000 || last[chip.SOD] == 0 {
		t.Errorf("heard %v, %v", last, err)
	}
}

// FuzzCard: whatever a terminal says, a chip answers with status words.
func FuzzCard(f *testing.F) {
	f.Add([]byte{0x00, 0xa4, 0x04, 0x0c, 0x07, 0xa0, 0, 0, 2, 0x47, 0x10, 1})
	f.Add([]byte{0x0c, 0xb0, 0x81, 0, 0})
	f.Fuzz(func(t *testing.T, command []byte) {
		card := mint.New(mint.Config{Key: key, Files: files(100), Random: random(1)})
		if got, err := card.Transmit(t.Context(), command); err != nil || len(got) < 2 {
			t.Errorf("it answers %X, %v", got, err)
		}
	})
}

// FuzzRead: whatever a chip says, the reading ends without harm.
func FuzzRead(f *testing.F) {
	f.Add([]byte{0x90, 0x00, 4, 1, 2, 0x6c, 0x08})
	f.Fuzz(func(t *testing.T, answers []byte) {
		at := 0
		_, err := chip.Read(t.Context(), chip.Config{
			Key: chip.Key{MRZInformation: key}, Random: random(2), Want: all,
			Send: func(context.Context, []byte) ([]byte, error) {
				if at >= len(answers) {
					return nil, errors.New("no more")
				}
				n := min(int(answers[at])%64, len(answers)-at-1)
				at++
				out := answers[at : at+n]
				at += n
				return out, nil
			},
		})
		if err == nil {
			t.Error("noise is read as a document")
		}
	})
}
