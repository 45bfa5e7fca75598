package central

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

// serverCertificate is the centre's own certificate, made anew in time.
type serverCertificate struct {
	mu   sync.Mutex
	cert *tls.Certificate
}

// TLS is the centre's side of every connection: TLS 1.3 only. The client's
// certificate is asked for and proved by the handshake; whether it is good is
// said by the request's answer, which a counter can act on.
func (c *Central) TLS() *tls.Config {
	return &tls.Config{
		MinVersion:     tls.VersionTLS13,
		NextProtos:     []string{"http/1.1"},
		ClientAuth:     tls.RequestClientCert,
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return c.serverCertificate(time.Now()) },
	}
}

// serverCertificate returns the certificate in use, a new one at half its
// life. It counts from the authority's beginning, so that a counter whose
// clock is late still connects.
func (c *Central) serverCertificate(now time.Time) (*tls.Certificate, error) {
	c.server.mu.Lock()
	defer c.server.mu.Unlock()
	if old := c.server.cert; old != nil && now.Before(old.Leaf.NotAfter.Add(-serverLife/2)) {
		return old, nil
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("making the centre's certificate: %w", err)
	}
	template := &x509.Certificate{
		SerialNumber: newSerial(),
		Subject:      pkix.Name{CommonName: "Counterproof centre"},
		NotBefore:    c.keys.authority.NotBefore,
		NotAfter:     now.Add(serverLife),
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	for _, name := range c.cfg.Names {
		if ip := net.ParseIP(name); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
			continue
		}
		template.DNSNames = append(template.DNSNames, name)
	}
	der, err := c.sign(template, key.Public())
	if err != nil {
		return nil, err
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("making the centre's certificate: %w", err)
	}
	c.server.cert = &tls.Certificate{Certificate: [][]byte{der, c.keys.authority.Raw}, PrivateKey: key, Leaf: leaf}
	return c.server.cert, nil
}

// sign issues a certificate in the authority's name.
func (c *Central) sign(template *x509.Certificate, public crypto.PublicKey) ([]byte, error) {
	der, err := x509.CreateCertificate(rand.Reader, template, c.keys.authority, public, c.keys.authorityKey)
	if err != nil {
		return nil, fmt.Errorf("signing a certificate: %w", err)
	}
	return der, nil
}

// issue makes an enrolled agent's certificate. The grade of its key stands in
// it as organisational unit.
func (c *Central) issue(a store.Agent, now time.Time) ([]byte, error) {
	public, err := x509.ParsePKIXPublicKey(a.Public)
	if err != nil {
		return nil, fmt.Errorf("reading the agent's key: %w", err)
	}
	return c.sign(&x509.Certificate{
		SerialNumber: newSerial(),
		Subject:      pkix.Name{CommonName: string(a.ID), OrganizationalUnit: []string{a.Grade}},
		URIs:         []*url.URL{spiffeID(a)},
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

// errCertificate is why nobody is spoken to; the details are the log's.
var errCertificate = errors.New("no certificate of an enrolled agent")

// checkCertificate reads who a certificate names, if it is ours and good for
// a client at the given time.
func (c *Central) checkCertificate(cert *x509.Certificate, at time.Time) (wire.AgentID, error) {
	roots := x509.NewCertPool()
	roots.AddCert(c.keys.authority)
	_, err := cert.Verify(x509.VerifyOptions{
		Roots: roots, CurrentTime: at, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	})
	if err != nil {
		return "", fmt.Errorf("%w: %w", errCertificate, err)
	}
	id, ok := parseSPIFFE(cert.URIs)
	if !ok {
		return "", errCertificate
	}
	return id, nil
}

// matches reports whether the certificate is the enrolled agent's: its key and
// its whole name.
func matches(cert *x509.Certificate, a store.Agent) bool {
	return bytes.Equal(cert.RawSubjectPublicKeyInfo, a.Public) && cert.URIs[0].String() == spiffeID(a).String()
}
