package authority

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"math/big"
	"net"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/counterproof/counterproof/sync/store"
	"github.com/counterproof/counterproof/sync/wire"
)

// Lives of certificates.
const (
	serverLife = 90 * 24 * time.Hour // made anew at half of it
	agentLife  = 7 * 24 * time.Hour  // renewed by the agent at half of it
	renewAfter = 90 * 24 * time.Hour // how long after its end it still renews
)

// trustDomain is the host of an agent's SPIFFE id.
const trustDomain = "counterproof"

// newSerial draws a certificate's serial number, 127 random bits (RFC 5280
// §4.1.2.2 allows 20 octets, positive).
func newSerial() *big.Int {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails: crypto/rand
	b[0] &= 0x7f
	return new(big.Int).SetBytes(b[:])
}

// TLS is the centre's side of every connection: TLS 1.3 only. The client's
// certificate is asked for and proved by the handshake; whether it is good is
// said by the request's answer, which a counter can act on.
func (a *Authority) TLS() *tls.Config {
	return &tls.Config{
		MinVersion:     tls.VersionTLS13,
		NextProtos:     []string{"http/1.1"},
		ClientAuth:     tls.RequestClientCert,
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return a.serverCertificate(time.Now()) },
	}
}

// serverCertificate returns the certificate in use, a new one at half its
// life. It counts from the authority's beginning, so that a counter whose
// clock is late still connects.
func (a *Authority) serverCertificate(now time.Time) (*tls.Certificate, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if old := a.server; old != nil && now.Before(old.Leaf.NotAfter.Add(-serverLife/2)) {
		return old, nil
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("making the centre's certificate: %w", err)
	}
	template := &x509.Certificate{
		SerialNumber: newSerial(),
		Subject:      pkix.Name{CommonName: "Counterproof centre"},
		NotBefore:    a.cert.NotBefore,
		NotAfter:     now.Add(serverLife),
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	for _, name := range a.names {
		if ip := net.ParseIP(name); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
			continue
		}
		template.DNSNames = append(template.DNSNames, name)
	}
	der, err := a.sign(template, key.Public())
	if err != nil {
		return nil, err
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("making the centre's certificate: %w", err)
	}
	a.server = &tls.Certificate{Certificate: [][]byte{der, a.cert.Raw}, PrivateKey: key, Leaf: leaf}
	return a.server, nil
}

// sign issues a certificate in the authority's name.
func (a *Authority) sign(template *x509.Certificate, public crypto.PublicKey) ([]byte, error) {
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, public, a.key)
	if err != nil {
		return nil, fmt.Errorf("signing a certificate: %w", err)
	}
	return der, nil
}

// Issue makes an enrolled agent's certificate. The grade of its key stands in
// it as organisational unit.
func (a *Authority) Issue(agent store.Agent, now time.Time) ([]byte, error) {
	public, err := x509.ParsePKIXPublicKey(agent.Public)
	if err != nil {
		return nil, fmt.Errorf("reading the agent's key: %w", err)
	}
	return a.sign(&x509.Certificate{
		SerialNumber: newSerial(),
		Subject:      pkix.Name{CommonName: string(agent.ID), OrganizationalUnit: []string{agent.Grade}},
		URIs:         []*url.URL{spiffeID(agent)},
		NotBefore:    now.Add(-time.Hour),
		NotAfter:     now.Add(agentLife),
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}, public)
}

// spiffeID names an agent: spiffe://counterproof/site/S/agent/A, or
// spiffe://counterproof/opener/A.
func spiffeID(a store.Agent) *url.URL {
	path := "/site/" + string(a.Site) + "/agent/" + string(a.ID)
	if a.Role == store.Opener {
		path = "/opener/" + string(a.ID)
	}
	return &url.URL{Scheme: "spiffe", Host: trustDomain, Path: path}
}

// parseSPIFFE reads the agent's name out of its certificate's only URI. The
// caller compares the whole id with the enrolled agent's.
func parseSPIFFE(uris []*url.URL) (wire.AgentID, bool) {
	if len(uris) != 1 || uris[0].Scheme != "spiffe" || uris[0].Host != trustDomain {
		return "", false
	}
	i := strings.LastIndexByte(uris[0].Path, '/')
	if i < 0 || len(uris[0].Path)-i-1 > wire.MaxName {
		return "", false
	}
	return wire.AgentID(uris[0].Path[i+1:]), true
}

// ErrCertificate is why nobody is spoken to; the details are the log's.
var ErrCertificate = errors.New("no certificate of an enrolled agent")

// Check reads who a certificate names, if it is ours and good for
// a client at the given time.
func (a *Authority) Check(cert *x509.Certificate, at time.Time) (wire.AgentID, error) {
	name := wire.HashOf(cert.Raw)
	if id, ok := a.checked.find(name); ok && !at.Before(cert.NotBefore) && !at.After(cert.NotAfter) {
		return id, nil
	}
	roots := x509.NewCertPool()
	roots.AddCert(a.cert)
	_, err := cert.Verify(x509.VerifyOptions{
		Roots: roots, CurrentTime: at, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	})
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrCertificate, err)
	}
	id, ok := parseSPIFFE(cert.URIs)
	if !ok {
		return "", ErrCertificate
	}
	a.checked.keep(name, id)
	return id, nil
}

// Counter is the counter that a certificate names, if it is ours and good at the
// given time: who it is, where it stands and its key. Whether it is enrolled so, and
// active, is not asked.
func (a *Authority) Counter(cert *x509.Certificate, at time.Time) (store.Agent, error) {
	id, err := a.Check(cert, at)
	if err != nil {
		return store.Agent{}, err
	}
	site, ok := strings.CutPrefix(cert.URIs[0].Path, "/site/")
	site, _, found := strings.Cut(site, "/")
	named := store.Agent{ID: id, Site: wire.SiteID(site), Role: store.Counter, Public: cert.RawSubjectPublicKeyInfo}
	if !ok || !found || spiffeID(named).Path != cert.URIs[0].Path {
		return store.Agent{}, ErrCertificate
	}
	return named, nil
}

// checked remembers certificates that this authority has issued, by their bytes:
// an agent shows the same one for days, and only its dates can make it bad. What
// became of the agent is looked up on each request.
type checked struct {
	mu  sync.Mutex
	ids map[wire.Hash]wire.AgentID
}

// maxChecked bounds how many are remembered (a count).
const maxChecked = 1 << 16

// find looks a certificate up.
func (c *checked) find(name wire.Hash) (wire.AgentID, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	id, ok := c.ids[name]
	return id, ok
}

// keep remembers a certificate, and forgets all others once they are too many.
func (c *checked) keep(name wire.Hash, id wire.AgentID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ids == nil || len(c.ids) >= maxChecked {
		c.ids = map[wire.Hash]wire.AgentID{}
	}
	c.ids[name] = id
}

// Holds reports whether the certificate is for the enrolled agent's key.
func Holds(cert *x509.Certificate, a store.Agent) bool {
	return bytes.Equal(cert.RawSubjectPublicKeyInfo, a.Public)
}

// Matches reports whether the certificate, which passed Check, is the enrolled
// agent's: its key and its whole name, with the site that it stands in now.
func Matches(cert *x509.Certificate, a store.Agent) bool {
	return Holds(cert, a) && cert.URIs[0].String() == spiffeID(a).String()
}

// RenewalTime is the time at which a certificate is looked at for a renewal:
// its last moment, if that is past but not by too much.
func RenewalTime(cert *x509.Certificate, now time.Time) time.Time {
	if cert != nil && now.After(cert.NotAfter) && now.Before(cert.NotAfter.Add(renewAfter)) {
		return cert.NotAfter
	}
	return now
}
