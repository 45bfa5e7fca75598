package image_test

import (
	"errors"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/counterproof/counterproof/agent/chip"
	"github.com/counterproof/counterproof/agent/chip/image"
	"github.com/counterproof/counterproof/agent/chip/issue"
	"github.com/counterproof/counterproof/agent/chip/lds"
	"github.com/counterproof/counterproof/agent/chip/mint"
)

// The invented document of these tests.
var (
	lines = []string{"P<UTOSPECIMEN<<MORGAN<WREN<<<<<<<<<<<<<<<<<<", "U1234567<6UTO8503127X3106305<<<<<<<<<<<<<<04"}
	made  = time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC)
)

const key = "U1234567<685031273106305"

func random(seed byte) *rand.ChaCha8 { return rand.NewChaCha8([32]byte{seed}) }

// passport makes a chip.
func passport(t *testing.T, fault issue.Fault) image.Chip {
	t.Helper()
	state, err := issue.New(issue.Config{}, random(1))
	if err != nil {
		t.Fatal(err)
	}
	c, err := image.Passport(state, image.Document{
		Lines: lines, Key: key, Portrait: []byte("\xff\xd8\xff\xe0 a portrait"), Order: issue.Order{Signed: made, Fault: fault},
	}, random(2))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// readCard reads a chip as a counter does.
func readCard(t *testing.T, c image.Chip) (chip.Reading, error) {
	t.Helper()
	return chip.Read(t.Context(), chip.Config{
		Send: c.Card(random(3)).Transmit, Key: chip.Key{MRZInformation: key}, Random: random(4), Want: []chip.File{chip.DG1, chip.DG2},
	})
}

func TestAChipThatWasWrittenDown(t *testing.T) {
	t.Parallel()
	c := passport(t, issue.None)
	b, err := c.Write()
	if err != nil {
		t.Fatal(err)
	}
	again, err := image.Read(b)
	if err != nil {
		t.Fatal(err)
	}
	c.Schema = again.Schema
	if !reflect.DeepEqual(c, again) {
		t.Error("it is read back as another chip")
	}
	r, err := readCard(t, again)
	if err != nil || r.Way != chip.ByPACEGM || r.Proof.Clone != chip.ExcludedCA || r.Downgraded {
		t.Fatalf("opened by %s, %s, downgraded %t: %v", r.Way, r.Proof.Clone, r.Downgraded, err)
	}
	if got, err := lds.MRZ(r.Files[chip.DG1]); err != nil || !reflect.DeepEqual(got, lines) {
		t.Errorf("its zone is %q: %v", got, err)
	}
	if face, err := lds.Face(r.Files[chip.DG2]); err != nil || !strings.HasSuffix(string(face.Bytes), "a portrait") {
		t.Errorf("its portrait is of %d bytes: %v", len(face.Bytes), err)
	}
}

func TestAFaultTravels(t *testing.T) {
	t.Parallel()
	c := passport(t, issue.None)
	c.Fault = mint.Clone
	b, err := c.Write()
	if err != nil {
		t.Fatal(err)
	}
	again, err := image.Read(b)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := readCard(t, again); !errors.Is(err, chip.ErrClone) {
		t.Errorf("a copy is read with %v", err)
	}
}

func TestTextsThatAreNoChip(t *testing.T) {
	t.Parallel()
	whole, err := passport(t, issue.None).Write()
	if err != nil {
		t.Fatal(err)
	}
	for rule, text := range map[string]string{
		"empty": "", "half": string(whole[:len(whole)/2]), "of another form": strings.Replace(string(whole), "chip/1", "chip/9", 1),
		"without files": `{"schema":"counterproof/training-chip/1"}`, "too large": string(whole) + strings.Repeat(" ", 9<<20),
	} {
		if _, err := image.Read([]byte(text)); !errors.Is(err, image.ErrNoChip) {
			t.Errorf("%s: %v", rule, err)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(`{"schema":"counterproof/training-chip/1","files":{"257":"YQA="},"kind":{"Offers":[{"Domain":99}]}}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := image.Read(b)
		if err != nil {
			return
		}
		card := c.Card(random(5))
		for _, command := range [][]byte{{0, 0xa4, 4, 12, 7, 0xa0, 0, 0, 2, 0x47, 0x10, 1}, {0, 0xb0, 0x9c, 0, 0}, {0, 0x84, 0, 0, 8}, {0, 0x22, 0xc1, 0xa4, 0}} {
			_, _ = card.Transmit(t.Context(), command)
		}
	})
}
