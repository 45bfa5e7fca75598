//go:build unix

package opener

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/counterproof/counterproof/sync/seal"
)

func TestKeyFilesAreSecret(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if _, err := Keygen(dir, seal.Classical); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "keys", "claims.key")
	for p, want := range map[string]os.FileMode{path: 0o600, filepath.Dir(path): 0o700} {
		fi, err := os.Stat(p)
		if err != nil || fi.Mode().Perm() != want {
			t.Errorf("%s has mode %v, %v; want %v", filepath.Base(p), fi.Mode().Perm(), err, want)
		}
	}
	if err := os.Chmod(path, 0o640); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(Config{Dir: dir}); err == nil || !strings.Contains(err.Error(), "chmod 600") {
		t.Errorf("a key that others may read: got %v, want the words that mend it", err)
	}
}

// One opener at a time works on a folder; the next one may when it has gone.
func TestOneAtATime(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	first, err := Open(Config{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Open(Config{Dir: dir}); err == nil || !strings.Contains(err.Error(), "another opener") {
		t.Errorf("a second opener: got %v", err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	second, err := Open(Config{Dir: dir})
	if err != nil {
		t.Fatalf("after the first has gone: %v", err)
	}
	if err := second.Close(); err != nil {
		t.Error(err)
	}
}
