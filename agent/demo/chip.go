package demo

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/counterproof/counterproof/agent/bench"
	"github.com/counterproof/counterproof/agent/opener"
	"github.com/counterproof/counterproof/agent/training"
)

// found founds the state whose documents have chips, and has the opener trust it;
// where no document of the story has one it does nothing.
func (w *world) found(cfg *opener.Config) (err error) {
	if w.story.chip == "" {
		return nil
	}
	if w.utopia, err = training.New(rand.Reader, time.Now()); err == nil {
		cfg.Confirms, err = w.utopia.Confirms()
	}
	return err
}

// layChip gives the counter a chip reader, on which the chip of the document lies,
// and the bundle by which it is trusted.
func (w *world) layChip() error {
	if w.story.chip == "" || w.lines == nil {
		return nil
	}
	fault := training.Fault(strings.TrimPrefix(w.story.chip, genuine))
	laid, err := w.utopia.Chip(w.lines, w.head, fault)
	if err != nil {
		return err
	}
	raw, key, err := w.utopia.Bundle()
	if err != nil {
		return err
	}
	w.conf.ChipReader, w.conf.TrustKey = "sim:"+w.folder("chip"), base64.StdEncoding.EncodeToString(key)
	for name, b := range map[string][]byte{
		filepath.Join(w.folder("chip"), bench.ChipFile): laid, filepath.Join(w.conf.TrustPath(), "utopia.bundle"): raw,
	} {
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			return fmt.Errorf("making the chip's folder: %w", err)
		}
		if err := os.WriteFile(name, b, 0o600); err != nil {
			return fmt.Errorf("writing the chip: %w", err)
		}
	}
	return nil
}

// word writes a word of a closed list for people; none is "not known".
func word[W ~string](of W) string {
	if of == "" {
		return "not known"
	}
	return strings.ReplaceAll(string(of), "_", " ")
}
