package uplink

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"

	"github.com/counterproof/counterproof/sync/custody"
	"github.com/counterproof/counterproof/sync/seal"
	"github.com/counterproof/counterproof/sync/store"
	"github.com/counterproof/counterproof/sync/wire"
)

// Enrol spends an invitation: the centre whose authority it pins gives this
// counter, or opener, its identity, which is saved and returned. Kind code says
// that the invitation is wrong, used or too old. A key that was enrolled before
// stays the agent that it was, so a queue goes on. From here on the client
// speaks with the invitation's address; the caller keeps it for Config.Address.
func (c *Client) Enrol(ctx context.Context, invitation string) (custody.Identity, error) {
	id, err := c.enrol(ctx, invitation)
	if err != nil {
		return custody.Identity{}, fault("enrolling", wire.KindProtocol, err)
	}
	c.log.Info("enrolled", "agent", string(id.Agent), "site", string(id.Site))
	c.Wake()
	return id, nil
}

func (c *Client) enrol(ctx context.Context, invitation string) (custody.Identity, error) {
	invite, err := store.ParseInvite(invitation)
	if err != nil {
		return custody.Identity{}, &wire.Error{Op: "reading the invitation", Kind: wire.KindCode, Err: err}
	}
	signer, err := c.enrolSigner(ctx)
	if err != nil {
		return custody.Identity{}, err
	}
	csr, err := certificateRequest(signer)
	if err != nil {
		return custody.Identity{}, err
	}
	host, _, err := net.SplitHostPort(invite.Address)
	if err != nil {
		return custody.Identity{}, &wire.Error{Op: "reading the invitation", Kind: wire.KindCode, Err: err}
	}
	pin := pin{ca: invite.CA, host: host}
	k := c.newCaller(invite.Address, &tls.Config{
		MinVersion: tls.VersionTLS13,
		// The chain is verified by the pin, which needs no root beforehand.
		InsecureSkipVerify: true,
		VerifyConnection:   pin.verify,
	})
	defer k.quick.HTTPClient.CloseIdleConnections()
	var answer wire.EnrolAnswer
	err = k.askJSON(ctx, request{method: http.MethodPost, path: "/v1/enrol"},
		wire.EnrolRequest{Code: invite.Code, CSR: csr, Keep: string(custody.GradeOf(signer))}, &answer)
	if wire.KindOf(err) == wire.KindUnauthorised {
		return custody.Identity{}, &wire.Error{Op: "spending the invitation", Kind: wire.KindCode, Err: err}
	}
	if err != nil {
		return custody.Identity{}, err
	}
	id, err := firstIdentity(answer, invite.CA)
	if err != nil {
		return custody.Identity{}, err
	}
	err = c.amend(func(old *custody.Identity) {
		*old = id
		c.address = invite.Address
	})
	return id, err
}

// enrolSigner is the key that an enrolment is for: the current one, so that the
// counter stays the agent that it is; or a new one where that cannot be used, or
// its chain is in doubt and the centre takes no more of it.
func (c *Client) enrolSigner(ctx context.Context) (crypto.Signer, error) {
	doubt := false
	if c.cfg.Queue != nil {
		s, err := c.cfg.Queue.Status(ctx)
		if err != nil {
			return nil, err
		}
		doubt = s.Quarantined > 0
	}
	if !doubt && c.cfg.Keeper.Trouble() == nil {
		return c.cfg.Keeper.Signer(), nil
	}
	return c.cfg.Keeper.Next()
}

// certificateRequest proves to the centre that the counter holds its key.
func certificateRequest(signer crypto.Signer) ([]byte, error) {
	csr, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, signer)
	if err != nil {
		return nil, fmt.Errorf("asking for a certificate: %w", err)
	}
	return csr, nil
}

// pin accepts the one centre whose authority the invitation names, under the
// host that it was asked by. The connection's own ServerName will not do: it is
// empty where the host is an IP address, and an empty name is not verified.
type pin struct {
	ca   wire.Hash
	host string
}

// verify finds the pinned authority among the certificates that the centre
// shows, and verifies the centre's own one and its name under it.
func (p pin) verify(s tls.ConnectionState) error {
	i := slices.IndexFunc(s.PeerCertificates, func(c *x509.Certificate) bool { return wire.HashOf(c.Raw) == p.ca })
	if i < 1 {
		return x509.UnknownAuthorityError{}
	}
	roots := x509.NewCertPool()
	roots.AddCert(s.PeerCertificates[i])
	_, err := s.PeerCertificates[0].Verify(x509.VerifyOptions{
		Roots: roots, DNSName: p.host, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	})
	return err
}

// firstIdentity checks an enrolment's answer. Its bundle is trusted because the
// pinned centre sent it; later ones must be signed with the same key.
func firstIdentity(a wire.EnrolAnswer, ca wire.Hash) (custody.Identity, error) {
	n := len(a.Chain)
	if n < 2 || wire.HashOf(a.Chain[n-1]) != ca {
		return custody.Identity{}, errors.New("the certificates do not end at the centre's authority")
	}
	unverified, err := a.Bundle.Bundle()
	if err != nil {
		return custody.Identity{}, err
	}
	bundle, err := seal.VerifyBundle(a.Bundle, unverified.ReceiptKey)
	if err != nil {
		return custody.Identity{}, err
	}
	if bundle.Training != a.Training {
		return custody.Identity{}, errors.New("the bundle is of another mode than the centre")
	}
	return custody.Identity{
		Agent: a.Agent, Site: a.Site, Training: a.Training, Chain: a.Chain,
		CentreCA: a.Chain[n-1], Bundle: a.Bundle, BundleKey: unverified.ReceiptKey,
	}, nil
}

// Refresh renews the certificate, if half of its life is over or the centre did
// not know it, and takes the newest bundle. Run does it by itself; an opener
// calls it before it fetches.
func (c *Client) Refresh(ctx context.Context) error {
	l, err := c.open()
	if err != nil {
		return err
	}
	if half := l.leaf.NotBefore.Add(l.leaf.NotAfter.Sub(l.leaf.NotBefore) / 2); c.now().After(half) {
		if l, err = c.renew(ctx, l); err != nil {
			return fault("renewing the certificate", wire.KindProtocol, err)
		}
	}
	err = c.refreshBundle(ctx, l)
	if wire.KindOf(err) == wire.KindUnauthorised {
		if l, err = c.renew(ctx, l); err == nil {
			err = c.refreshBundle(ctx, l)
		}
	}
	if err != nil {
		return fault("refreshing the bundle", wire.KindProtocol, err)
	}
	return nil
}

// renew asks for a new certificate for the same key.
func (c *Client) renew(ctx context.Context, l *line) (*line, error) {
	csr, err := certificateRequest(c.cfg.Keeper.Signer())
	if err != nil {
		return nil, err
	}
	var answer wire.EnrolAnswer
	err = l.askJSON(ctx, request{method: http.MethodPost, path: "/v1/renew"},
		wire.EnrolRequest{CSR: csr, Keep: string(c.cfg.Keeper.Grade())}, &answer)
	if err != nil {
		return nil, err
	}
	if answer.Agent != l.id.Agent || len(answer.Chain) < 2 {
		return nil, &wire.Error{Op: "reading the new certificate", Kind: wire.KindProtocol, Err: errors.New("it is another agent's")}
	}
	if err := c.amend(func(id *custody.Identity) { id.Chain = answer.Chain }); err != nil {
		return nil, err
	}
	c.log.Info("the certificate was renewed", "agent", string(answer.Agent))
	return c.open()
}

// refreshBundle takes the centre's bundle if it is newer and ours to trust.
func (c *Client) refreshBundle(ctx context.Context, l *line) error {
	var signed wire.Signed
	if err := l.askJSON(ctx, request{method: http.MethodGet, path: "/v1/trust/bundle"}, nil, &signed); err != nil {
		return err
	}
	return c.takeBundle(l, signed)
}

// takeBundle stores a newer bundle.
func (c *Client) takeBundle(l *line, signed wire.Signed) error {
	bundle, err := seal.VerifyBundle(signed, l.id.BundleKey)
	if err != nil {
		return &wire.Error{Op: "verifying the bundle", Kind: wire.KindProtocol, Err: err}
	}
	switch {
	case bundle.Version < l.bundle.Version:
		return &wire.Error{Op: "verifying the bundle", Kind: wire.KindProtocol,
			Err: fmt.Errorf("version %d is older than %d", bundle.Version, l.bundle.Version)}
	case bundle.Training != l.id.Training:
		return &wire.Error{Op: "verifying the bundle", Kind: wire.KindProtocol, Err: errors.New("it is of another mode")}
	case bundle.Version == l.bundle.Version:
		return nil
	}
	if err := c.amend(func(id *custody.Identity) { id.Bundle = signed }); err != nil {
		return err
	}
	_, err = c.open()
	return err
}
