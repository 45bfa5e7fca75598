package uplink

import (
	"crypto/ed25519"
	"crypto/tls"
	"crypto/x509"
	"fmt"

	"github.com/counterproof/counterproof/sync/custody"
	"github.com/counterproof/counterproof/sync/seal"
	"github.com/counterproof/counterproof/sync/uplink/ask"
	"github.com/counterproof/counterproof/sync/uplink/post"
	"github.com/counterproof/counterproof/sync/wire"
)

// line is the connection of one identity.
type line struct {
	id     custody.Identity
	leaf   *x509.Certificate
	bundle wire.Bundle
	ask.Caller
}

// open returns the connection of the identity in force.
func (c *Client) open() (*line, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.line != nil {
		return c.line, nil
	}
	id, enrolled, err := c.cfg.Keeper.Identity()
	if err != nil {
		return nil, fault("reading the identity", wire.KindDisk, err)
	}
	if !enrolled {
		return nil, &wire.Error{Op: "opening the way to the centre", Kind: wire.KindNotEnrolled}
	}
	l, err := c.newLine(id)
	if err != nil {
		return nil, fault("opening the way to the centre", wire.KindDamaged, err)
	}
	c.line, c.status.Bundle = l, l.bundle.Version
	return l, nil
}

// newLine makes the connection that an identity allows.
func (c *Client) newLine(id custody.Identity) (*line, error) {
	bundle, err := seal.VerifyBundle(id.Bundle, id.BundleKey)
	if err != nil {
		return nil, err
	}
	leaf, err := x509.ParseCertificate(id.Chain[0])
	if err != nil {
		return nil, fmt.Errorf("reading the own certificate: %w", err)
	}
	authority, err := x509.ParseCertificate(id.CentreCA)
	if err != nil {
		return nil, fmt.Errorf("reading the centre's authority: %w", err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(authority)
	own := tls.Certificate{Certificate: id.Chain[:1], PrivateKey: c.cfg.Keeper.Signer(), Leaf: leaf}
	return &line{id: id, leaf: leaf, bundle: bundle, Caller: c.newCaller(c.address, &tls.Config{
		MinVersion: tls.VersionTLS13, RootCAs: roots, Certificates: []tls.Certificate{own}, Time: c.clock(),
		ClientSessionCache: tls.NewLRUClientSessionCache(4),
	})}, nil
}

// amend changes the stored identity, whatever it is by now, and lets the next
// request use it.
func (c *Client) amend(change func(*custody.Identity)) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	id, _, err := c.cfg.Keeper.Identity()
	if err == nil {
		change(&id)
		err = c.cfg.Keeper.SaveIdentity(id)
	}
	if err != nil {
		return fault("storing the identity", wire.KindDisk, err)
	}
	if c.line != nil {
		c.line.CloseIdle()
	}
	c.line = nil
	return nil
}

// newCaller makes what asks the centre at an address.
func (c *Client) newCaller(address string, config *tls.Config) ask.Caller {
	return ask.New(ask.Config{
		Address: address, TLS: config, Proxy: c.cfg.Proxy, Wrap: c.cfg.Wrap, Rand: c.cfg.Rand,
		Spent: &c.spent, Log: c.log, Note: c.note,
	})
}

// receiptKey is the key that receipts and refusals are signed with.
func (l *line) receiptKey() ed25519.PublicKey { return l.bundle.ReceiptKey }

// post is the way of records.
func (l *line) post() post.Line {
	return post.Line{Caller: l.Caller, Agent: l.id.Agent, Key: l.receiptKey()}
}
