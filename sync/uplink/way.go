package uplink

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/http"
	"time"

	"github.com/counterproof/counterproof/sync/uplink/ask"
	"github.com/counterproof/counterproof/sync/uplink/network"
	"github.com/counterproof/counterproof/sync/uplink/post"
	"github.com/counterproof/counterproof/sync/wire"
)

// KindPortal: a page for people came where the centre's answer was expected, as
// from a network that wants somebody to sign in first.
const KindPortal = network.KindPortal

// blocked reports whether a failure of TLS comes from a network that wants
// somebody to sign in: such a one answers a plain request in the centre's name.
func (c *Client) blocked(ctx context.Context, kind wire.Kind) bool {
	if kind != wire.KindCertificate && kind != wire.KindProtocol {
		return false
	}
	c.mu.Lock()
	host, _, err := net.SplitHostPort(c.address)
	c.mu.Unlock()
	var transport http.RoundTripper = &http.Transport{DisableKeepAlives: true, Proxy: network.Proxy(c.cfg.Proxy)}
	if c.cfg.Wrap != nil {
		transport = c.cfg.Wrap(transport)
	}
	return err == nil && network.WantsSignIn(ctx, transport, host)
}

// clock tells the time by which certificates are looked at: the centre's, where
// this machine's clock turned out to be wrong. Under the client's lock.
func (c *Client) clock() func() time.Time {
	skew := c.skew
	return func() time.Time { return time.Now().Add(skew) }
}

// now is that time.
func (c *Client) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.clock()()
}

// learnTime asks the centre for the time over a connection on which only the
// dates are not looked at, and reports whether it was learned. Whoever answers
// holds the key of a certificate by the pinned authority under the right name;
// and nothing is taken for success but what the receipt key signs.
func (c *Client) learnTime(ctx context.Context) bool {
	l, err := c.open()
	if err != nil {
		return false
	}
	authority, err := x509.ParseCertificate(l.id.CentreCA)
	if err != nil {
		return false
	}
	c.mu.Lock()
	address := c.address
	c.mu.Unlock()
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return false
	}
	own := tls.Certificate{Certificate: l.id.Chain[:1], PrivateKey: c.cfg.Keeper.Signer(), Leaf: l.leaf}
	k := c.newCaller(address, &tls.Config{
		MinVersion: tls.VersionTLS13, Certificates: []tls.Certificate{own},
		// The chain is verified below, but for its dates.
		InsecureSkipVerify: true,
		VerifyConnection:   network.Dateless{Authority: authority, Host: host}.Verify,
	})
	defer k.CloseIdle()
	var s wire.State
	err = k.JSON(ask.Sparing(ctx, 1), ask.Request{Method: http.MethodGet, Path: "/v1/agents/" + string(l.id.Agent) + "/state"}, nil, &s)
	if err != nil {
		c.log.Warn("the centre's time could not be learned", "kind", string(wire.KindOf(err)), "err", err)
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	skew := time.Until(s.Now).Round(time.Second)
	if (skew - c.skew).Abs() < time.Minute {
		return false // the dates are wrong by any clock
	}
	c.skew, c.line = skew, nil
	c.log.Error("this machine's clock is wrong, the centre's is used", "kind", string(wire.KindClock), "wait", skew.String())
	return true
}

// reissue signs the records from a number on anew, the first of them after prev.
// The parts stay as they are sealed, and the first header goes along.
func (c *Client) reissue(ctx context.Context, seq uint64, prev wire.Hash) error {
	l, err := c.open()
	if err != nil {
		return err
	}
	told := func(err error) { c.log.Error("the hardware's counter fails", "err", err) }
	n, err := c.cfg.Queue.Reissue(ctx, wire.Seq(seq), prev, func(e wire.Envelope, seq wire.Seq, prev wire.Hash) (wire.Envelope, error) {
		return post.Anew(e, c.cfg.Keeper, wire.Header{Agent: l.id.Agent, Seq: seq, Prev: prev}, told)
	})
	if err != nil {
		return fault("signing records anew", wire.KindDamaged, err)
	}
	c.log.Warn("records were signed anew", "count", n, "seq", seq)
	return nil
}
