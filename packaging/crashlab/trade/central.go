package trade

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"

	"github.com/counterproof/counterproof/sync/central"
	"github.com/counterproof/counterproof/sync/custody"
	"github.com/counterproof/counterproof/sync/seal"
	"github.com/counterproof/counterproof/sync/store"
	"github.com/counterproof/counterproof/sync/store/sqlite"
	"github.com/counterproof/counterproof/sync/uplink"
	"github.com/counterproof/counterproof/sync/wire"
)

// inside is a line without a network: requests go to a handler with the
// certificate of the identity in force, as a connection would show it.
type inside struct {
	handler http.Handler
	keeper  *custody.Keeper
}

// RoundTrip hands a request over.
func (l inside) RoundTrip(r *http.Request) (*http.Response, error) {
	in := r.Clone(r.Context())
	in.RequestURI, in.RemoteAddr, in.TLS = r.URL.RequestURI(), "192.0.2.1:1024", &tls.ConnectionState{}
	if in.Body == nil {
		in.Body = http.NoBody
	}
	if id, ok, err := l.keeper.Identity(); err == nil && ok {
		leaf, err := x509.ParseCertificate(id.Chain[0])
		if err != nil {
			return nil, err
		}
		in.TLS.PeerCertificates = []*x509.Certificate{leaf}
	}
	w := httptest.NewRecorder()
	l.handler.ServeHTTP(w, in)
	resp := w.Result()
	resp.Request = r
	resp.Header.Del("Retry-After") // there is no crowd here to be kept apart
	return resp, nil
}

// openCentre opens the centre in a house.
func openCentre(ctx context.Context, dir string) (*central.Central, error) {
	return central.Open(ctx, central.Config{Dir: centreDir(dir), Training: true})
}

// prepareCentre makes a centre, an enrolled counter, and the records that it is
// going to send: what was not answered must be sent again as it is.
func prepareCentre(ctx context.Context, dir string) error {
	if err := prepareHouse(ctx, dir); err != nil {
		return err
	}
	k, err := custody.Open(keysDir(dir))
	if err != nil {
		return err
	}
	id, _, err := k.Identity()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Join(dir, "made"), 0o700); err != nil {
		return err
	}
	prev := wire.Hash{}
	for n := range amount {
		h, parts := header(id.Agent, n)
		h.Seq, h.Prev = wire.Seq(n+1), prev
		e, err := seal.Envelope(h, parts, k.Signer())
		if err != nil {
			return err
		}
		prev = e.RecHash()
		if err := os.WriteFile(madeFile(dir, n), e.Marshal(nil), 0o600); err != nil {
			return err
		}
	}
	return nil
}

// prepareHouse makes a centre and a counter that is enrolled with it.
func prepareHouse(ctx context.Context, dir string) error {
	c, err := openCentre(ctx, dir)
	if err != nil {
		return err
	}
	defer c.Close()
	k, err := custody.Open(keysDir(dir))
	if err != nil {
		return err
	}
	invite, err := c.Invite(ctx, central.Invitation{Site: "FA123", Address: "centre.example:8443"})
	if err != nil {
		return err
	}
	client := uplink.New(uplink.Config{Keeper: k, Wrap: func(http.RoundTripper) http.RoundTripper { return inside{c.Handler(), k} }})
	_, err = client.Enrol(ctx, invite.String())
	return err
}

// madeFile is where the nth record lies until it is sent.
func madeFile(dir string, n int) string { return filepath.Join(dir, "made", fmt.Sprint(n)) }

// made reads the nth record.
func made(dir string, n int) (wire.Envelope, wire.Header, error) {
	b, err := os.ReadFile(madeFile(dir, n))
	if err != nil {
		return wire.Envelope{}, wire.Header{}, err
	}
	return wire.ParseEnvelope(b)
}

// takeRecords lets the centre take the records, large parts first.
func takeRecords(ctx context.Context, dir string, say Say) error {
	k, err := custody.Open(keysDir(dir))
	if err != nil {
		return err
	}
	c, err := again(func() (*central.Central, error) { return openCentre(ctx, dir) })
	if err != nil {
		return err
	}
	for n := range amount {
		e, h, err := made(dir, n)
		if err != nil {
			return err
		}
		a, err := again(func() (wire.Answer, error) { return give(ctx, inside{c.Handler(), k}, e, h) })
		if err != nil {
			return err
		}
		say("stored", n, e.RecHash(), a.Receipt.LogIndex)
	}
	return c.Close()
}

// give sends a record, large parts first, and wants a receipt.
func give(ctx context.Context, line inside, e wire.Envelope, h wire.Header) (wire.Answer, error) {
	var a wire.Answer
	for _, p := range e.Parts {
		if wire.Inline(p) {
			continue
		}
		err := line.ask(ctx, request{
			method: http.MethodPatch, path: "/v1/blobs/" + wire.HashOf(p.Sealed).String(), body: p.Sealed,
			header: http.Header{"Content-Type": {"application/partial-upload"}, "Upload-Complete": {"?1"}, "Upload-Offset": {"0"}},
		}, nil)
		if err != nil {
			return a, err
		}
	}
	err := line.ask(ctx, request{
		method: http.MethodPost, path: fmt.Sprintf("/v1/agents/%s/records/%d", h.Agent, h.Seq), body: e.Marshal(wire.Inline),
		header: http.Header{"Idempotency-Key": {e.RecHash().String()}},
	}, &a)
	if err != nil {
		return a, err
	}
	if a.Receipt == nil || a.Receipt.RecHash != e.RecHash() {
		return a, fmt.Errorf("the centre says %s", a.Verdict)
	}
	return a, nil
}

// request is one question to the centre.
type request struct {
	method, path string
	header       http.Header
	body         []byte
}

// ask makes one request and reads a JSON answer into into, unless that is nil.
func (l inside) ask(ctx context.Context, q request, into any) error {
	r, err := http.NewRequestWithContext(ctx, q.method, "https://centre.example"+q.path, bytes.NewReader(q.body))
	if err != nil {
		return err
	}
	r.Header = q.header
	resp, err := l.RoundTrip(r)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if into == nil {
		return nil
	}
	return json.NewDecoder(resp.Body).Decode(into)
}

// log reads a centre's whole log. The database must be sound.
func log(ctx context.Context, dir string) ([]store.Record, error) {
	s, err := sqlite.Open(ctx, CentreFile(dir))
	if err != nil {
		return nil, err
	}
	defer s.Close()
	return s.Records(ctx, 0, 1000)
}

// checkTaken looks for every record that was answered, and sends all again.
func checkTaken(ctx context.Context, dir string, said Said) error {
	c, err := openCentre(ctx, dir)
	if err != nil {
		return fmt.Errorf("opening the centre again: %w", err)
	}
	defer c.Close()
	records, err := log(ctx, dir)
	if err != nil {
		return err
	}
	var wrong problems
	stored := said.each("stored")
	if len(records) < len(stored) || len(records) > len(stored)+1 {
		wrong.add("%d records are stored, %d were answered", len(records), len(stored))
	}
	for i, words := range stored {
		if i >= len(records) {
			break
		}
		r := records[i].Receipt
		if r.RecHash.String() != words[1] || fmt.Sprint(r.LogIndex) != words[2] || records[i].Damaged {
			wrong.add("record %s is not held as it was answered", words[0])
		}
	}
	return errors.Join(wrong.err(), giveAgain(ctx, dir, c, len(records)))
}

// giveAgain sends all records again: those that are held are replayed, the others
// are stored, each in its place.
func giveAgain(ctx context.Context, dir string, c *central.Central, held int) error {
	k, err := custody.Open(keysDir(dir))
	if err != nil {
		return err
	}
	var wrong problems
	for n := range amount {
		e, h, err := made(dir, n)
		if err != nil {
			return err
		}
		a, err := give(ctx, inside{c.Handler(), k}, e, h)
		if err != nil || int(a.Receipt.LogIndex) != n+1 || (a.Verdict == wire.Replayed) != (n < held) {
			wrong.add("record %d sent again: %s: %v", n, a.Verdict, err)
		}
	}
	return wrong.err()
}
