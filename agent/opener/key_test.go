package opener

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/counterproof/counterproof/sync/seal"
)

// A key that is not in force any more still opens what was sealed to it.
func TestOlderKeysOpen(t *testing.T) {
	t.Parallel()
	w := newWorld(t, true)
	w.add(sealing{})
	for _, part := range []string{"claims", "audit"} {
		from := filepath.Join(w.dir, "keys", part)
		if err := os.Rename(from+".key", from+"-2026-11.key"); err != nil {
			t.Fatal(err)
		}
	}
	old := w.keys
	var err error
	if w.keys, err = Keygen(w.dir, seal.Hybrid); err != nil {
		t.Fatal(err)
	}
	w.add(sealing{})
	if w.keys[0].Key == old[0].Key || len(w.keys) != 4 {
		t.Errorf("the keys in force are %d, the one for claims is the old one: %t", len(w.keys), w.keys[0].Key == old[0].Key)
	}
	for _, r := range w.once() {
		if !r.Agrees {
			t.Errorf("record %d: kind %q", r.LogIndex, r.Kind)
		}
	}
}
