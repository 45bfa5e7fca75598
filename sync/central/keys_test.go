package central

import (
	"bytes"
	"crypto/x509"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
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
		"authority-empty":    {authorityFile, ""},
		"authority-no-key":   {authorityFile, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"},
		"authority-only-key": {authorityFile, key},
		"receipt-empty":      {receiptFile, ""},
		"receipt-cut":        {receiptFile, key},
		"mode":               {modeFile, "perhaps\n"},
		"database":           {databaseFile, strings.Repeat("not a database ", 100)},
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
	if err := os.Remove(filepath.Join(c.cfg.Dir, receiptFile)); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), Config{Dir: c.cfg.Dir}); err == nil || !strings.Contains(err.Error(), receiptFile) {
		t.Errorf("got %v, want an error that names the file", err)
	}
}

// TestFirstStartTwice: two processes that make the keys at once agree on them.
func TestFirstStartTwice(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	all := make([]keys, 6)
	var wg sync.WaitGroup
	for i := range all {
		wg.Go(func() {
			var err error
			if all[i], err = loadKeys(dir); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	for i, k := range all {
		if k.fingerprint() != all[0].fingerprint() || !bytes.Equal(k.receipt, all[0].receipt) {
			t.Errorf("start %d has other keys", i)
		}
	}
	files, err := os.ReadDir(dir)
	if err != nil || len(files) != 2 {
		t.Errorf("%d files are left (%v), want 2", len(files), err)
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

// TestServerCertificate: it names what it should, lasts, and is made anew at
// half its life; a counter whose clock is an hour late still accepts it.
func TestServerCertificate(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := opened(t, Config{Names: []string{"centre.example", "192.0.2.7"}})
		first, err := c.serverCertificate(time.Now())
		if err != nil {
			t.Fatal(err)
		}
		roots := x509.NewCertPool()
		roots.AddCert(c.keys.authority)
		for name, want := range map[string]bool{"centre.example": true, "192.0.2.7": true, "other.example": false} {
			for _, shift := range []time.Duration{-time.Hour, 0, 40 * 24 * time.Hour} {
				_, err := first.Leaf.Verify(x509.VerifyOptions{Roots: roots, DNSName: name, CurrentTime: time.Now().Add(shift)})
				if (err == nil) != want {
					t.Errorf("%s, clock %v: got %v", name, shift, err)
				}
			}
		}
		time.Sleep(44 * 24 * time.Hour)
		if again, err := c.serverCertificate(time.Now()); err != nil || again != first {
			t.Errorf("before half its life it was made anew (%v)", err)
		}
		time.Sleep(2 * 24 * time.Hour)
		if again, err := c.serverCertificate(time.Now()); err != nil || again == first {
			t.Errorf("after half its life it is the same (%v)", err)
		}
	})
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

func TestSPIFFE(t *testing.T) {
	t.Parallel()
	for _, a := range []store.Agent{
		{ID: "agent-1", Site: "FA123", Role: store.Counter}, {ID: "agent-2", Role: store.Opener},
	} {
		if got, ok := parseSPIFFE([]*url.URL{spiffeID(a)}); !ok || got != a.ID {
			t.Errorf("got %s, want %s", got, a.ID)
		}
	}
	if got := spiffeID(store.Agent{ID: "agent-1", Site: "FA123", Role: store.Counter}).String(); got != "spiffe://counterproof/site/FA123/agent/agent-1" {
		t.Errorf("got %s", got)
	}
	for name, texts := range map[string][]string{
		"none":         {},
		"two":          {"spiffe://counterproof/opener/a", "spiffe://counterproof/opener/b"},
		"other-scheme": {"https://counterproof/opener/a"},
		"other-domain": {"spiffe://elsewhere/opener/a"},
		"no-path":      {"spiffe://counterproof"},
		"too-long":     {"spiffe://counterproof/opener/" + strings.Repeat("a", 65)},
	} {
		var uris []*url.URL
		for _, s := range texts {
			u, err := url.Parse(s)
			if err != nil {
				t.Fatal(err)
			}
			uris = append(uris, u)
		}
		if got, ok := parseSPIFFE(uris); ok {
			t.Errorf("%s: got %s", name, got)
		}
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

// TestDefaultDir: the service's own folder comes first.
func TestDefaultDir(t *testing.T) {
	t.Setenv("STATE_DIRECTORY", "state")
	if got := defaultDir(); got != "state" {
		t.Errorf("got %s", got)
	}
	t.Setenv("STATE_DIRECTORY", "")
	if got := defaultDir(); !strings.HasSuffix(got, "counterproof-central") {
		t.Errorf("got %s", got)
	}
}
