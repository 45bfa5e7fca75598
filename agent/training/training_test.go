package training_test

import (
	"context"
	"crypto/rand"
	stdimage "image"
	"slices"
	"testing"
	"time"

	"github.com/counterproof/counterproof/agent/chip"
	"github.com/counterproof/counterproof/agent/chip/image"
	"github.com/counterproof/counterproof/agent/chip/trust"
	"github.com/counterproof/counterproof/agent/emrtd"
	"github.com/counterproof/counterproof/agent/proof"
	"github.com/counterproof/counterproof/agent/training"
	"github.com/counterproof/counterproof/devices/sim"
)

var (
	lines = []string{"P<UTOSPECIMEN<<MORGAN<WREN<<<<<<<<<<<<<<<<<<", "U1234567<6UTO8503127X3106305<<<<<<<<<<<<<<04"}
	now   = time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)
)

// read reads a training chip as a counter does that trusts Utopia.
func read(t *testing.T, fault training.Fault) (emrtd.Told, error) {
	t.Helper()
	u, err := training.New(rand.Reader, now)
	if err != nil {
		t.Fatal(err)
	}
	store, err := u.Store()
	if err != nil {
		t.Fatal(err)
	}
	b, err := u.Chip(lines, stdimage.NewRGBA(stdimage.Rect(0, 0, 207, 266)), fault)
	if err != nil {
		t.Fatal(err)
	}
	laid, err := image.Read(b)
	if err != nil {
		t.Fatal(err)
	}
	reader := sim.NewChipReader(sim.ReaderConfig{})
	reader.Insert(func() sim.Card { return laid.Card(rand.Reader).Transmit })
	r := emrtd.New(emrtd.Config{Device: reader, Store: func() *trust.Store { return store }, Random: rand.Reader, Now: func() time.Time { return now }})
	ctx, end := context.WithTimeout(t.Context(), time.Minute)
	defer end()
	return r.Read(ctx, chip.Key{MRZInformation: laid.Key}, func(proof.Kind, int) {})
}

func TestASpecimenIsGenuineInTraining(t *testing.T) {
	t.Parallel()
	told, err := read(t, "")
	f := told.Fact
	if err != nil || f.Verdict != proof.ChipGenuine || f.Clone != proof.CloneExcluded || f.Revocation != proof.RevocationGood || !slices.Equal(f.Lines, lines) {
		t.Errorf("%+v: %v", f, err)
	}
	if told.Portrait == nil || told.Portrait.Bounds().Dx() != 207 {
		t.Errorf("its portrait is %v", told.Portrait)
	}
}

func TestFaultsForTraining(t *testing.T) {
	t.Parallel()
	for fault, want := range map[training.Fault]proof.ChipVerdict{
		"file_tampered": proof.ChipIntegrityFailed, "signature_wrong": proof.ChipSignatureFailed, "signer_usage": proof.ChipCertificateUnfit,
	} {
		if told, err := read(t, fault); err != nil || told.Fact.Verdict != want {
			t.Errorf("%s comes to %s, want %s: %v", fault, told.Fact.Verdict, want, err)
		}
	}
	if told, err := read(t, "clone"); err != nil || told.Fact.Clone != proof.CloneFailed {
		t.Errorf("a copy comes to %+v: %v", told.Fact, err)
	}
}

func TestLinesThatAreNone(t *testing.T) {
	t.Parallel()
	u, err := training.New(rand.Reader, now)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := u.Chip([]string{"P<UTO", "X"}, nil, ""); proof.KindOf(err) != proof.KindChecksFailed {
		t.Errorf("half a zone has a chip: %v", err)
	}
}
