package demo

import (
	"bytes"
	"crypto/rand"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/counterproof/counterproof/agent/api"
	"github.com/counterproof/counterproof/agent/chip/image"
	"github.com/counterproof/counterproof/agent/chip/mint"
	"github.com/counterproof/counterproof/agent/opener"
	"github.com/counterproof/counterproof/agent/proof"
	"github.com/counterproof/counterproof/agent/training"
)

// TestChipIsLaid holds that the chip that lies on the reader is of the document
// before the camera, with the fault of the story, and that counter and opener can
// trust it.
func TestChipIsLaid(t *testing.T) {
	t.Parallel()
	lines := []string{"P<UTOSPECIMEN<<MORGAN<WREN<<<<<<<<<<<<<<<<<<", "U1234567<6UTO8503127X3106305<<<<<<<<<<<<<<04"}
	for word, fault := range map[string]mint.Fault{genuine: mint.None, "clone": mint.Clone} {
		w := &world{dir: t.TempDir(), story: story{chip: word}, lines: lines}
		w.conf.Data = t.TempDir()
		var cfg opener.Config
		if err := w.found(&cfg); err != nil || cfg.Confirms == nil {
			t.Fatalf("the opener trusts nobody: %v", err)
		}
		if err := w.layChip(); err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(filepath.Join(w.folder("chip"), "chip.json"))
		if err != nil {
			t.Fatal(err)
		}
		laid, err := image.Read(b)
		if err != nil || laid.Key != "U1234567<685031273106305" || laid.Fault != fault {
			t.Errorf("%s: on the reader lies a chip of %q with the fault %q: %v", word, laid.Key, laid.Fault, err)
		}
		if err := w.conf.Validate(); err != nil && strings.Contains(err.Error(), "chip_reader") {
			t.Errorf("the counter's configuration: %v", err)
		}
		if key, err := w.conf.Signer(); err != nil || len(key) == 0 {
			t.Errorf("the counter believes no bundle: %v", err)
		}
	}
}

// TestNoChip holds that a story without a chip has neither reader nor trust.
func TestNoChip(t *testing.T) {
	t.Parallel()
	w := &world{dir: t.TempDir()}
	var cfg opener.Config
	if err := w.found(&cfg); err != nil || cfg.Confirms != nil {
		t.Errorf("an opener of no chips judges them: %v", err)
	}
	if err := w.layChip(); err != nil || w.conf.ChipReader != "" || w.conf.TrustKey != "" {
		t.Errorf("there is a reader %q: %v", w.conf.ChipReader, err)
	}
	w.story.chip = genuine // and a photograph of the caller's, whose lines nobody knows
	if err := w.layChip(); err != nil || w.conf.ChipReader != "" {
		t.Errorf("there is a reader %q: %v", w.conf.ChipReader, err)
	}
}

// TestChipOfNoZone holds that half a zone has no chip.
func TestChipOfNoZone(t *testing.T) {
	t.Parallel()
	w := &world{dir: t.TempDir(), story: story{chip: genuine}, lines: []string{"P<UTO"}}
	var err error
	if w.utopia, err = training.New(rand.Reader, time.Now()); err != nil {
		t.Fatal(err)
	}
	if err := w.layChip(); proof.KindOf(err) != proof.KindChecksFailed {
		t.Errorf("half a zone has a chip: %v", err)
	}
}

// TestChipIsTold holds what the demonstration says of a chip.
func TestChipIsTold(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	w := &world{cfg: Config{Out: &out}}
	w.tellDocument(&api.Document{Type: proof.Passport, Issuer: "UTO", Format: "TD3", Chip: &api.Chip{
		Verdict: proof.ChipIssuerUnknown, Clone: proof.CloneNotChecked, Access: "BAC",
	}})
	for _, text := range []string{"opened by BAC", "issuer unknown", "a copy is not known", "revocation: not known"} {
		if !strings.Contains(out.String(), text) {
			t.Errorf("%q is not told in %s", text, out.String())
		}
	}
	out.Reset()
	w.tellDocument(&api.Document{Type: proof.Passport})
	if strings.Contains(out.String(), "chip") {
		t.Errorf("a chip is told where none was read: %s", out.String())
	}
}
