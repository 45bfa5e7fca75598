// Package pcsc_test reads chips of software through the real smart-card service,
// from the reader's name to the last file: what packaging/pcsc starts, the counter's
// binding, its driver and the chip's protocols together.
package pcsc_test

import (
	"context"
	"math/big"
	"math/rand/v2"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/counterproof/counterproof/agent/chip"
	"github.com/counterproof/counterproof/agent/chip/access"
	"github.com/counterproof/counterproof/agent/chip/mint"
	"github.com/counterproof/counterproof/agent/chip/sm"
	"github.com/counterproof/counterproof/devices"
	"github.com/counterproof/counterproof/devices/bus"
	"github.com/counterproof/counterproof/devices/devicetest"
	"github.com/counterproof/counterproof/devices/sim"
)

const (
	// reader is the first virtual reader.
	reader = "Virtual PCD 00 00"
	// key is the access key of the specimen of ICAO 9303-11 appendix D.
	key = "L898902C<369080619406236"
	// portrait is the size of a usual portrait, in bytes.
	portrait = 16_463
)

// random is a source of bytes that repeats itself in each test.
func random(seed byte) *rand.ChaCha8 { return rand.NewChaCha8([32]byte{seed}) }

// object is a file of a length that begins with its tag.
func object(tag sm.Tag, n int) []byte {
	content := make([]byte, n)
	_, _ = random(7).Read(content) // it never fails
	return sm.Object(tag, content)
}

// passport is a passport's chip: its habits, a portrait of a size, a fault.
func passport(kind mint.Kind, size int, fault mint.Fault) mint.Config {
	files := kind.Files()
	files[chip.SOD], files[chip.DG1], files[chip.DG2] = object(0x77, 901), object(0x61, 91), object(0x75, size)
	return mint.Config{Key: key, Kind: kind, Files: files, Fault: fault, Random: random(1)}
}

// modern is a chip with PACE by generic mapping and Chip Authentication, both over
// P-256 with AES-256.
func modern() mint.Kind {
	const p256 = 12
	return mint.Kind{
		Offers:    []mint.Offer{{Mapping: access.Generic, Suite: sm.AES256, Domain: p256}},
		Agreement: &mint.Agreement{Suite: sm.AES256, Domain: p256, Private: big.NewInt(0x5eed5eed5eed)},
	}
}

// lies powers the same card up again and again.
func lies(card *mint.Card) sim.Chip {
	return func() sim.Card { card.Again(); return card.Transmit }
}

// opened opens the first virtual reader.
func opened(tb testing.TB) devices.ChipReader {
	tb.Helper()
	r, err := bus.OpenChipReader(reader)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := r.Close(); err != nil {
			tb.Error(err)
		}
	})
	return r
}

// read connects and reads a chip.
func read(tb testing.TB, r devices.ChipReader, resume map[chip.File][]byte) (chip.Reading, error) {
	tb.Helper()
	ctx, cancel := context.WithTimeout(tb.Context(), 20*time.Second)
	defer cancel()
	if err := r.Connect(ctx); err != nil {
		tb.Fatalf("connecting: %v", err)
	}
	return chip.Read(ctx, chip.Config{
		Send: r.Transmit, Key: chip.Key{MRZInformation: key}, Random: random(2), Want: []chip.File{chip.DG1, chip.DG2},
		Resume: resume,
	})
}

// wholly holds a reading to what is on the chip.
func wholly(tb testing.TB, got chip.Reading, on map[chip.File][]byte) {
	tb.Helper()
	for _, f := range []chip.File{chip.SOD, chip.DG1, chip.DG2} {
		if !slices.Equal(got.Files[f], on[f]) {
			tb.Errorf("%s: %d bytes were read that differ from the %d on the chip", f, len(got.Files[f]), len(on[f]))
		}
	}
}

// inside is where a benchmark finds the driver: it runs only beside a service.
func inside(b *testing.B) *devicetest.Hand {
	b.Helper()
	address := os.Getenv("COUNTERPROOF_VPCD")
	if address == "" {
		b.Skip("SKIPPED: it is run with packaging/pcsc/pcsc go test -run '^$' -bench . ./packaging/pcsc")
	}
	return devicetest.NewHand(b, address)
}
