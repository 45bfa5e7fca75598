package authority

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/counterproof/counterproof/sync/store"
)

// opened is the authority of a new folder.
func opened(t *testing.T, names ...string) *Authority {
	t.Helper()
	a, err := Open(t.TempDir(), names)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// TestFirstStartTwice: two processes that make the keys at once agree on them.
func TestFirstStartTwice(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	all := make([]*Authority, 6)
	var wg sync.WaitGroup
	for i := range all {
		wg.Go(func() {
			var err error
			if all[i], err = Open(dir, nil); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	for i, k := range all {
		if k.Fingerprint() != all[0].Fingerprint() || !bytes.Equal(k.Receipt, all[0].Receipt) {
			t.Errorf("start %d has other keys", i)
		}
	}
	files, err := os.ReadDir(dir)
	if err != nil || len(files) != 2 {
		t.Errorf("%d files are left (%v), want 2", len(files), err)
	}
}

// TestServerCertificate: it names what it should, lasts, and is made anew at
// half its life; a counter whose clock is an hour late still accepts it.
func TestServerCertificate(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := opened(t, "centre.example", "192.0.2.7")
		first, err := c.serverCertificate(time.Now())
		if err != nil {
			t.Fatal(err)
		}
		roots := x509.NewCertPool()
		roots.AddCert(c.cert)
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

// agentOf makes an enrolled counter with a key of its own.
func agentOf(t *testing.T) store.Agent {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	public, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	return store.Agent{ID: "agent-1", Site: "FA123", Role: store.Counter, Public: public, Grade: "tpm"}
}

// issued reads the certificate that the authority makes for an agent.
func issued(t *testing.T, a *Authority, agent store.Agent, now time.Time) *x509.Certificate {
	t.Helper()
	der, err := a.Issue(agent, now)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return cert
}

// TestAgentCertificate: it names its agent for a week, under this authority and
// no other, and tells how the key is kept.
func TestAgentCertificate(t *testing.T) {
	t.Parallel()
	a, other, now := opened(t), opened(t), time.Now()
	agent := agentOf(t)
	cert := issued(t, a, agent, now)
	for name, s := range map[string]struct {
		by   *Authority
		at   time.Time
		want bool
	}{
		"now":              {a, now, true},
		"clock-late":       {a, now.Add(-59 * time.Minute), true},
		"six-days":         {a, now.Add(6 * 24 * time.Hour), true},
		"eight-days":       {a, now.Add(8 * 24 * time.Hour), false},
		"before-it":        {a, now.Add(-2 * time.Hour), false},
		"another-centre's": {other, now, false},
	} {
		got, err := s.by.Check(cert, s.at)
		if (err == nil) != s.want || s.want && got != agent.ID {
			t.Errorf("%s: got %q (%v)", name, got, err)
		}
		if !s.want && !errors.Is(err, ErrCertificate) {
			t.Errorf("%s: got %v, want ErrCertificate", name, err)
		}
	}
	if len(cert.Subject.OrganizationalUnit) != 1 || cert.Subject.OrganizationalUnit[0] != "tpm" {
		t.Errorf("the grade is %v", cert.Subject.OrganizationalUnit)
	}
	if _, err := a.Issue(store.Agent{Public: []byte("no key")}, now); err == nil {
		t.Error("a certificate was made for no key")
	}
}

// TestMatches: a certificate speaks for one key at one site in one role.
func TestMatches(t *testing.T) {
	t.Parallel()
	a, agent := opened(t), agentOf(t)
	cert := issued(t, a, agent, time.Now())
	change := func(f func(*store.Agent)) store.Agent {
		b := agent
		f(&b)
		return b
	}
	for name, s := range map[string]struct {
		agent store.Agent
		want  bool
	}{
		"as-issued":   {agent, true},
		"another-key": {change(func(b *store.Agent) { b.Public = agentOf(t).Public }), false},
		"moved":       {change(func(b *store.Agent) { b.Site = "FB456" }), false},
		"other-role":  {change(func(b *store.Agent) { b.Role = store.Opener }), false},
		"other-name":  {change(func(b *store.Agent) { b.ID = "agent-2" }), false},
	} {
		if got := Matches(cert, s.agent); got != s.want {
			t.Errorf("%s: got %v", name, got)
		}
	}
}

// TestRenewalTime: what ran out within ninety days is looked at in its last
// moment, anything else now.
func TestRenewalTime(t *testing.T) {
	t.Parallel()
	now := time.Now()
	for name, s := range map[string]struct {
		end  time.Duration
		past bool
	}{
		"good": {time.Hour, false}, "just-over": {-time.Second, true},
		"89-days": {-89 * 24 * time.Hour, true}, "91-days": {-91 * 24 * time.Hour, false},
	} {
		cert := &x509.Certificate{NotAfter: now.Add(s.end)}
		want := now
		if s.past {
			want = cert.NotAfter
		}
		if got := RenewalTime(cert, now); !got.Equal(want) {
			t.Errorf("%s: got %v, want %v", name, got, want)
		}
	}
	if got := RenewalTime(nil, now); !got.Equal(now) {
		t.Errorf("without a certificate: got %v", got)
	}
}

// TestMode: the first start fixes it.
func TestMode(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if _, err := Training(dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("before the first start: got %v", err)
	}
	if err := FixMode(dir, true); err != nil {
		t.Fatal(err)
	}
	if got, err := Training(dir); err != nil || !got {
		t.Errorf("got training %v (%v)", got, err)
	}
	if err := FixMode(dir, true); err != nil {
		t.Errorf("the same mode again: %v", err)
	}
	if err := FixMode(dir, false); err == nil || !strings.Contains(err.Error(), "training") {
		t.Errorf("the other mode: got %v", err)
	}
}

// TestReplace: a file is replaced whole, and nothing else is left in its folder.
func TestReplace(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "address")
	for _, text := range []string{"one", "another text"} {
		if err := Replace(path, []byte(text)); err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(path); err != nil || string(got) != text {
			t.Errorf("got %q (%v), want %q", got, err, text)
		}
	}
	if files, err := os.ReadDir(dir); err != nil || len(files) != 1 {
		t.Errorf("%d files are left (%v)", len(files), err)
	}
	if err := Replace(filepath.Join(dir, "none", "address"), nil); err == nil {
		t.Error("a file was written where there is no folder")
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
