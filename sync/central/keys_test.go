package central

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/counterproof/counterproof/sync/seal"
	"github.com/counterproof/counterproof/sync/store"
	"github.com/counterproof/counterproof/sync/wire"
)

// opened is a centre in a new folder.
func opened(t *testing.T, cfg Config) *Central {
	t.Helper()
	if cfg.Dir == "" {
		cfg.Dir = t.TempDir()
	}
	c, err := Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// TestDamagedFolder: a folder whose keys are lost or damaged is not served
// under new ones, and no error quotes a key.
func TestDamagedFolder(t *testing.T) {
	t.Parallel()
	key := "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIA==\n-----END PRIVATE KEY-----\n"
	for name, damage := range map[string]struct{ file, text string }{
		"authority-empty":    {"authority.pem", ""},
		"authority-no-key":   {"authority.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"},
		"authority-only-key": {"authority.pem", key},
		"receipt-empty":      {"receipt-key.pem", ""},
		"receipt-cut":        {"receipt-key.pem", key},
		"mode":               {"mode", "perhaps\n"},
		"database":           {DatabaseFile, strings.Repeat("not a database ", 100)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := opened(t, Config{})
			if err := c.Close(); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(c.cfg.Dir, damage.file), []byte(damage.text), 0o600); err != nil {
				t.Fatal(err)
			}
			_, err := Open(t.Context(), Config{Dir: c.cfg.Dir})
			if err == nil || strings.Contains(err.Error(), "MC4C") {
				t.Errorf("got %v, want an error without the key", err)
			}
		})
	}
}

// TestLostReceiptKey: a centre whose receipt key is gone does not go on under
// a new one, which no counter would believe.
func TestLostReceiptKey(t *testing.T) {
	t.Parallel()
	c := opened(t, Config{})
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(c.cfg.Dir, "receipt-key.pem")); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), Config{Dir: c.cfg.Dir}); err == nil || !strings.Contains(err.Error(), "receipt-key.pem") {
		t.Errorf("got %v, want an error that names the file", err)
	}
}

// TestFolderInTheWay: a folder that cannot be written says so.
func TestFolderInTheWay(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), Config{Dir: filepath.Join(file, "centre")}); err == nil {
		t.Error("a centre was opened below a file")
	}
}

// TestBundleAge: a bundle in which nothing changed is issued anew in time.
func TestBundleAge(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := opened(t, Config{})
		version := func() uint64 {
			signed, err := c.freshBundle(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			b, err := c.readBundle(signed)
			if err != nil {
				t.Fatal(err)
			}
			return b.Version
		}
		if got := version(); got != 1 {
			t.Errorf("the first bundle is version %d", got)
		}
		time.Sleep(29 * 24 * time.Hour)
		if got := version(); got != 1 {
			t.Errorf("after 29 days it is version %d", got)
		}
		time.Sleep(2 * 24 * time.Hour)
		if got := version(); got != 2 {
			t.Errorf("after 31 days it is version %d", got)
		}
	})
}

// TestWithOpener: an opener is named once, and above the limit the one that has
// been there longest goes; a bundle that others hold is not changed.
func TestWithOpener(t *testing.T) {
	t.Parallel()
	agent := func(n int) store.Agent { return store.Agent{Public: []byte{byte(n)}} }
	var b wire.Bundle
	for n := range seal.MaxOpeners {
		b = withOpener(withOpener(b, agent(n)), agent(n))
	}
	if len(b.Openers) != seal.MaxOpeners || !believed(b, agent(0)) || believed(b, agent(99)) {
		t.Fatalf("got %d openers", len(b.Openers))
	}
	next := withOpener(b, agent(99))
	if len(next.Openers) != seal.MaxOpeners || believed(next, agent(0)) || !believed(next, agent(1)) || !believed(next, agent(99)) {
		t.Errorf("above the limit: %v", next.Openers)
	}
	if !believed(b, agent(0)) || believed(b, agent(99)) {
		t.Error("the bundle before it was changed")
	}
}

// listener is one that only has an address.
type listener struct {
	net.Listener
	addr string
}

func (l listener) Addr() net.Addr {
	a, _ := net.ResolveTCPAddr("tcp", l.addr)
	return a
}

// TestNoteAddress: an invitation tells an address that a counter can use.
func TestNoteAddress(t *testing.T) {
	t.Parallel()
	for _, s := range []struct {
		listens, address string
		names            []string
		want             string
	}{
		{"127.0.0.1:8443", "", nil, "127.0.0.1:8443"},
		{"0.0.0.0:8443", "", []string{"centre.example"}, "centre.example:8443"},
		{"[::]:8443", "", nil, "localhost:8443"},
		{"127.0.0.1:8443", "centre.example:443", nil, "centre.example:443"},
	} {
		c := opened(t, Config{Names: s.names, Address: s.address})
		if err := c.noteAddress(listener{addr: s.listens}); err != nil {
			t.Fatal(err)
		}
		if got, err := lastAddress(c.cfg.Dir); err != nil || got != s.want {
			t.Errorf("%s: got %s (%v), want %s", s.listens, got, err, s.want)
		}
	}
}
