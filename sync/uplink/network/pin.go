package network

import (
	"crypto/tls"
	"crypto/x509"
	"slices"

	"github.com/counterproof/counterproof/sync/wire"
)

// Pin accepts the one centre whose authority the invitation names, under the
// host that it was asked by. The connection's own ServerName will not do: it is
// empty where the host is an IP address, and an empty name is not verified.
type Pin struct {
	CA   wire.Hash // SHA-256 of the authority's certificate, DER
	Host string
}

// Verify finds the pinned authority among the certificates that the centre
// shows, and verifies the centre's own one and its name under it.
func (p Pin) Verify(s tls.ConnectionState) error {
	i := slices.IndexFunc(s.PeerCertificates, func(c *x509.Certificate) bool { return wire.HashOf(c.Raw) == p.CA })
	if i < 1 {
		return x509.UnknownAuthorityError{}
	}
	roots := x509.NewCertPool()
	roots.AddCert(s.PeerCertificates[i])
	_, err := s.PeerCertificates[0].Verify(x509.VerifyOptions{
		Roots: roots, DNSName: p.Host, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	})
	return err
}

// Dateless verifies the centre's certificate in all but its dates.
type Dateless struct {
	Authority *x509.Certificate
	Host      string
}

// Verify verifies it; it fits tls.Config.VerifyConnection.
func (d Dateless) Verify(s tls.ConnectionState) error {
	leaf := s.PeerCertificates[0]
	roots := x509.NewCertPool()
	roots.AddCert(d.Authority)
	at := leaf.NotBefore
	if at.Before(d.Authority.NotBefore) {
		at = d.Authority.NotBefore
	}
	_, err := leaf.Verify(x509.VerifyOptions{
		Roots: roots, DNSName: d.Host, CurrentTime: at, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	})
	return err
}
