package network_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"io"
	"math"
	"math/big"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/counterproof/counterproof/sync/uplink/network"
	"github.com/counterproof/counterproof/sync/wire"
)

// least and most are the ends of what randomness may give.
func least(int64) int64  { return 0 }
func most(n int64) int64 { return n - 1 }

func TestBackoff(t *testing.T) {
	t.Parallel()
	for _, s := range []struct {
		name              string
		failed            int
		asked             time.Duration
		shortest, longest time.Duration
	}{
		{"first", 0, 0, 2 * time.Second, 4 * time.Second},
		{"second", 1, 0, 2 * time.Second, 8 * time.Second},
		{"fifth", 4, 0, 2 * time.Second, 64 * time.Second},
		{"ceiling", 9, 0, 2 * time.Second, 10 * time.Minute},
		{"many", math.MaxInt, 0, 2 * time.Second, 10 * time.Minute},
		{"negative", -1, -time.Hour, 2 * time.Second, 4 * time.Second},
		{"asked-is-floor", 0, time.Minute, time.Minute, 2 * time.Minute},
		{"asked-little", 5, time.Second, 2 * time.Second, 128 * time.Second},
		{"asked-too-much", 0, 1000 * time.Hour, 15 * time.Minute, 30 * time.Minute},
	} {
		if got := network.Backoff(s.failed, s.asked, least); got != s.shortest {
			t.Errorf("%s: the shortest is %v, want %v", s.name, got, s.shortest)
		}
		if got := network.Backoff(s.failed, s.asked, most); got != s.longest {
			t.Errorf("%s: the longest is %v, want %v", s.name, got, s.longest)
		}
	}
}

func TestRetryAfter(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]time.Duration{
		"": 0, "7": 7 * time.Second, "-1": 0, "x": 0, "Wed, 21 Oct 2026 07:28:00 GMT": 0,
		"999999999999": 15 * time.Minute, "99999999999999999999999": 0,
	} {
		if got := network.RetryAfter(http.Header{"Retry-After": {text}}); got != want {
			t.Errorf("%q: got %v, want %v", text, got, want)
		}
	}
}

func TestKindOf(t *testing.T) {
	t.Parallel()
	expired := x509.CertificateInvalidError{Reason: x509.Expired}
	for name, s := range map[string]struct {
		err  error
		want wire.Kind
	}{
		"refused":         {errors.New("connection refused"), wire.KindUnreachable},
		"cut":             {io.ErrUnexpectedEOF, wire.KindUnreachable},
		"timeout":         {context.DeadlineExceeded, wire.KindUnreachable},
		"dates":           {&tls.CertificateVerificationError{Err: expired}, wire.KindClock},
		"dates-inside":    {&url.Error{Op: "Get", Err: fmt.Errorf("tls: %w", expired)}, wire.KindClock},
		"other-authority": {&tls.CertificateVerificationError{Err: x509.UnknownAuthorityError{}}, wire.KindCertificate},
		"pin":             {x509.UnknownAuthorityError{}, wire.KindCertificate},
		"other-name":      {x509.HostnameError{Host: "x"}, wire.KindCertificate},
		"not-for-servers": {x509.CertificateInvalidError{Reason: x509.IncompatibleUsage}, wire.KindCertificate},
		"alert":           {tls.AlertError(42), wire.KindUnauthorised},
		"no-tls":          {tls.RecordHeaderError{Msg: "no"}, wire.KindProtocol},
		"plain-http":      {fmt.Errorf("get: %w", http.ErrSchemeMismatch), wire.KindProtocol},
		"known":           {&wire.Error{Kind: wire.KindDisk}, wire.KindDisk},
	} {
		if got := network.KindOf(s.err); got != s.want {
			t.Errorf("%s: got %q, want %q", name, got, s.want)
		}
	}
}

// TestKindOfStatus: every status that a counter acts on has its kind.
func TestKindOfStatus(t *testing.T) {
	t.Parallel()
	for status, want := range map[int]wire.Kind{
		202: wire.KindPending, 401: wire.KindUnauthorised, 403: wire.KindUnauthorised, 426: wire.KindUpgrade, 429: wire.KindShed,
		503: wire.KindShed, 408: wire.KindUnreachable, 502: wire.KindUnreachable, 200: wire.KindProtocol, 404: wire.KindProtocol,
	} {
		if got := network.KindOfStatus(status); got != want {
			t.Errorf("%d: got %q, want %q", status, got, want)
		}
	}
	for status, want := range map[int]bool{500: true, 503: true, 429: true, 408: true, 403: false, 409: false, 200: false} {
		if got := network.Passing(status); got != want {
			t.Errorf("%d passes: got %v", status, got)
		}
	}
}

// issued makes a certificate for a name under an authority, or one of its own.
func issued(t *testing.T, parent *x509.Certificate, key *ecdsa.PrivateKey, name string, end time.Time) (*x509.Certificate, *ecdsa.PrivateKey) {
	t.Helper()
	own, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotBefore: end.Add(-time.Hour), NotAfter: end,
		IsCA: parent == nil, BasicConstraintsValid: true, DNSNames: []string{name}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	if parent == nil {
		parent, key = c, own
	}
	der, err := x509.CreateCertificate(rand.Reader, c, parent, own.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	made, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return made, own
}

// TestPin: the one centre under its own name, with good dates; without the dates,
// the same centre only.
func TestPin(t *testing.T) {
	t.Parallel()
	end := time.Now().Add(30 * time.Minute)
	ca, key := issued(t, nil, nil, "authority", end)
	other, otherKey := issued(t, nil, nil, "authority", end)
	good, _ := issued(t, ca, key, "centre.example", end)
	late, _ := issued(t, ca, key, "centre.example", time.Now().Add(-time.Minute))
	forged, _ := issued(t, other, otherKey, "centre.example", end)
	for name, s := range map[string]struct {
		shown            []*x509.Certificate
		host             string
		pinned, dateless bool
	}{
		"whole":           {[]*x509.Certificate{good, ca}, "centre.example", true, true},
		"other-host":      {[]*x509.Certificate{good, ca}, "other.example", false, false},
		"no-authority":    {[]*x509.Certificate{good}, "centre.example", false, true},
		"other-authority": {[]*x509.Certificate{forged, other}, "centre.example", false, false},
		"forged":          {[]*x509.Certificate{forged, ca}, "centre.example", false, false},
		"run-out":         {[]*x509.Certificate{late, ca}, "centre.example", false, true},
	} {
		state := tls.ConnectionState{PeerCertificates: s.shown}
		if err := (network.Pin{CA: wire.HashOf(ca.Raw), Host: s.host}).Verify(state); (err == nil) != s.pinned {
			t.Errorf("%s, pinned: got %v", name, err)
		}
		if err := (network.Dateless{Authority: ca, Host: s.host}).Verify(state); (err == nil) != s.dateless {
			t.Errorf("%s, without dates: got %v", name, err)
		}
	}
}
