package opener

import (
	"bytes"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/counterproof/counterproof/sync/seal"
	"github.com/counterproof/counterproof/sync/wire"
)

func TestKeygen(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	keys, err := Keygen(dir, wire.Suite{})
	if err != nil {
		t.Fatal(err)
	}
	var ids []wire.KeyID
	for _, k := range keys {
		if k.Suite != seal.Hybrid {
			t.Errorf("%s is of suite %v, want the hybrid one", k.Part, k.Suite)
		}
		if slices.Contains(ids, k.Key) {
			t.Errorf("%s shares its key with another part", k.Part)
		}
		ids = append(ids, k.Key)
	}
	if len(keys) != 4 {
		t.Errorf("%d keys, want one for each of four parts", len(keys))
	}
	again, err := Keygen(dir, seal.Classical)
	if err != nil || !reflect.DeepEqual(again, keys) {
		t.Errorf("making keys again changed them: %v", err)
	}
}

// A key that is there is never written over, whatever it holds, and only a
// missing one is made.
func TestKeygenWritesOverNothing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if _, err := Keygen(dir, seal.Classical); err != nil {
		t.Fatal(err)
	}
	path := func(part string) string { return filepath.Join(dir, keyFolder, part+keyExt) }
	claims, err := os.ReadFile(path("claims"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(path("audit")); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path("chip"), []byte("half a key"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Keygen(dir, seal.Classical); err == nil || strings.Contains(err.Error(), "half a key") {
		t.Errorf("a damaged key: got %v, want an error that does not quote it", err)
	}
	after, err := os.ReadFile(path("claims"))
	if err != nil || !bytes.Equal(after, claims) {
		t.Error("the key for claims was changed")
	}
	if b, _ := os.ReadFile(path("chip")); string(b) != "half a key" {
		t.Error("a damaged key was written over")
	}
	if _, err := loadKey(path("audit")); err != nil {
		t.Errorf("the missing key was not made: %v", err)
	}
	left, err := os.ReadDir(filepath.Join(dir, keyFolder))
	if err != nil || len(left) != 4 {
		t.Errorf("%d files, %v; want the four keys alone", len(left), err)
	}
}

// A key that is not in force any more still opens what was sealed to it.
func TestOlderKeysOpen(t *testing.T) {
	t.Parallel()
	w := newWorld(t, true)
	w.add(sealing{})
	for _, part := range []string{"claims", "audit"} {
		from := filepath.Join(w.dir, keyFolder, part)
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
