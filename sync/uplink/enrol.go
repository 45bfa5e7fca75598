package uplink

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/counterproof/counterproof/sync/custody"
	"github.com/counterproof/counterproof/sync/seal"
	"github.com/counterproof/counterproof/sync/store"
	"github.com/counterproof/counterproof/sync/uplink/ask"
	"github.com/counterproof/counterproof/sync/uplink/network"
	"github.com/counterproof/counterproof/sync/wire"
)

// Enrol spends an invitation: the centre whose authority it pins gives this
// counter, or opener, its identity, which is saved and returned. Kind code says
// that the invitation is wrong, used or too old. A key that was enrolled before
// stays the agent that it was, so a queue goes on. From here on the client
// speaks with the invitation's address; the caller keeps it for Config.Address.
//
// Kind pending says that the centre wants a second person to approve it: the same
// invitation is given again then.
func (c *Client) Enrol(ctx context.Context, invitation string) (custody.Identity, error) {
	return c.EnrolWaiting(ctx, invitation, nil)
}

// EnrolWaiting is Enrol that waits for the second person, however long that
// takes, until ctx ends. It calls waiting, each time before it waits, with the
// name under which the centre knows this counter. A nil waiting waits for nobody.
func (c *Client) EnrolWaiting(ctx context.Context, invitation string, waiting func(wire.AgentID)) (custody.Identity, error) {
	id, err := c.enrol(ctx, invitation, waiting)
	if err != nil {
		return custody.Identity{}, fault("enrolling", wire.KindProtocol, err)
	}
	c.log.Info("enrolled", "agent", string(id.Agent), "site", string(id.Site))
	c.Wake()
	return id, nil
}

func (c *Client) enrol(ctx context.Context, invitation string, waiting func(wire.AgentID)) (custody.Identity, error) {
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
	k := c.newCaller(invite.Address, &tls.Config{
		MinVersion: tls.VersionTLS13,
		// The chain is verified by the pin, which needs no root beforehand.
		InsecureSkipVerify: true,
		VerifyConnection:   network.Pin{CA: invite.CA, Host: host}.Verify,
	})
	defer k.CloseIdle()
	answer, err := askIdentity(ctx, k, wire.EnrolRequest{Code: invite.Code, CSR: csr, Keep: string(custody.GradeOf(signer))}, waiting)
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

// Bounds of the wait before an enrolment is asked for again, whatever the centre
// says.
const (
	pendingMin = 5 * time.Second
	pendingMax = 5 * time.Minute
)

// askIdentity asks for an identity, again and again while the centre waits for a
// second person, if there is somebody to tell of it.
func askIdentity(ctx context.Context, k ask.Caller, req wire.EnrolRequest, waiting func(wire.AgentID)) (wire.EnrolAnswer, error) {
	body, err := json.Marshal(req)
	if err != nil {
		return wire.EnrolAnswer{}, fmt.Errorf("asking for an identity: %w", err)
	}
	q := ask.Request{
		Method: http.MethodPost, Path: "/v1/enrol",
		Body: body, Header: http.Header{"Content-Type": {"application/json"}},
	}
	for {
		var answer wire.EnrolAnswer
		r, err := k.Ask(ctx, q)
		if err != nil {
			return answer, err
		}
		if r.Status != http.StatusOK && r.Status != http.StatusAccepted {
			return answer, &wire.Error{Op: "asking for an identity", Kind: network.KindOfStatus(r.Status), Err: fmt.Errorf("status %d", r.Status)}
		}
		if err := json.Unmarshal(r.Body, &answer); err != nil {
			return answer, &wire.Error{Op: "reading the identity", Kind: wire.KindProtocol, Err: err}
		}
		if r.Status == http.StatusOK {
			return answer, nil
		}
		if waiting == nil {
			return answer, &wire.Error{Op: "asking for an identity", Kind: wire.KindPending}
		}
		waiting(answer.Agent)
		if err := sleep(ctx, min(max(network.RetryAfter(r.Header), pendingMin), pendingMax)); err != nil {
			return answer, &wire.Error{Op: "waiting for the second person", Kind: wire.KindPending, Err: err}
		}
	}
}

// sleep waits, or returns why ctx ended before.
func sleep(ctx context.Context, wait time.Duration) error {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
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
	err = l.JSON(ctx, ask.Request{Method: http.MethodPost, Path: "/v1/renew"},
		wire.EnrolRequest{CSR: csr, Keep: string(c.cfg.Keeper.Grade())}, &answer)
	if err != nil {
		return nil, err
	}
	if answer.Agent != l.id.Agent || len(answer.Chain) < 2 {
		return nil, &wire.Error{Op: "reading the new certificate", Kind: wire.KindProtocol, Err: errors.New("it is another agent's")}
	}
	if err := c.amend(func(id *custody.Identity) { id.Chain, id.Site = answer.Chain, answer.Site }); err != nil {
		return nil, err
	}
	c.log.Info("the certificate was renewed", "agent", string(answer.Agent))
	return c.open()
}

// refreshBundle takes the centre's bundle if it is newer and ours to trust.
func (c *Client) refreshBundle(ctx context.Context, l *line) error {
	var signed wire.Signed
	if err := l.JSON(ctx, ask.Request{Method: http.MethodGet, Path: "/v1/trust/bundle"}, nil, &signed); err != nil {
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

// fetchPiece fetches the next piece of a file that the bundle names and that is
// not here, and reports whether there is more to do at once.
func (c *Client) fetchPiece(ctx context.Context) bool {
	l, err := c.open()
	if err != nil {
		return false
	}
	return c.files.Piece(l.bundle.Files, func(f wire.File, at, end uint64) ([]byte, error) {
		return l.readFile(ask.Sparing(ctx, 1), f, at, end)
	})
}

// readFile asks for a piece of a file.
func (l *line) readFile(ctx context.Context, f wire.File, at, end uint64) ([]byte, error) {
	r, err := l.Ask(ctx, ask.Request{
		Method: http.MethodGet, Path: "/v1/trust/files/" + f.SHA256.String(), Patience: ask.Slow,
		Header: http.Header{"Range": {fmt.Sprintf("bytes=%d-%d", at, end-1)}},
	})
	if err != nil {
		return nil, err
	}
	if r.Status != http.StatusPartialContent {
		return nil, &wire.Error{Op: "fetching a file", Kind: network.KindOfStatus(r.Status), Err: fmt.Errorf("status %d", r.Status)}
	}
	return r.Body, nil
}
