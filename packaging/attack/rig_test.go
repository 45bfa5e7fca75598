package attack

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/counterproof/counterproof/sync/central"
	"github.com/counterproof/counterproof/sync/central/authority"
	"github.com/counterproof/counterproof/sync/custody"
	"github.com/counterproof/counterproof/sync/seal"
	"github.com/counterproof/counterproof/sync/store"
	"github.com/counterproof/counterproof/sync/uplink"
	"github.com/counterproof/counterproof/sync/wire"
)

// Times of these tests.
const (
	patience = 30 * time.Second // until a test gives up
	bounded  = 3 * time.Second  // within which a good client is served under attack
	// hurry is how many times faster than on the wire a connection's patience runs
	// out: ten seconds for the header are half a second.
	hurry = 20
)

// scribe is a log that can be read while it is written.
type scribe struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (s *scribe) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(b)
}

func (s *scribe) Bytes() []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	return bytes.Clone(s.text.Bytes())
}

// target is a real centre on the loopback, with its SQLite store.
type target struct {
	*central.Central
	t       testing.TB
	dir     string
	address string
	log     *scribe
	pool    *x509.CertPool
	stop    func() // before the test's end
}

// hasty is a listener whose connections lose patience sooner.
type hasty struct{ net.Listener }

func (h hasty) Accept() (net.Conn, error) {
	c, err := h.Listener.Accept()
	return hastyConn{c}, err
}

type hastyConn struct{ net.Conn }

// sooner shortens what is left until a deadline. One that is over or none stays.
func sooner(at time.Time) time.Time {
	if left := time.Until(at); !at.IsZero() && left > 0 {
		return time.Now().Add(left / hurry)
	}
	return at
}

func (c hastyConn) SetDeadline(t time.Time) error      { return c.Conn.SetDeadline(sooner(t)) }
func (c hastyConn) SetReadDeadline(t time.Time) error  { return c.Conn.SetReadDeadline(sooner(t)) }
func (c hastyConn) SetWriteDeadline(t time.Time) error { return c.Conn.SetWriteDeadline(sooner(t)) }

// newTarget serves until the test ends; hurried says whether its connections lose
// patience sooner.
func newTarget(t testing.TB, hurried bool) *target { return openTarget(t, hurried, false) }

func openTarget(t testing.TB, hurried, training bool) *target {
	t.Helper()
	c := &target{t: t, dir: filepath.Join(t.TempDir(), "centre"), log: &scribe{}}
	var err error
	c.Central, err = central.Open(t.Context(), central.Config{
		Dir: c.dir, Training: training, Log: slog.New(slog.NewJSONHandler(c.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	})
	if err != nil {
		t.Fatal(err)
	}
	ln, err := central.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c.address = ln.Addr().String()
	if hurried {
		ln = hasty{ln}
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan error, 1)
	go func() { ended <- errors.Join(c.Serve(ctx, ln), c.Close()) }()
	c.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("the centre: %v", err)
		}
	})
	t.Cleanup(c.stop)
	ca, err := x509.ParseCertificate(c.authority().Raw())
	if err != nil {
		t.Fatal(err)
	}
	c.pool = x509.NewCertPool()
	c.pool.AddCert(ca)
	return c
}

// authority reads the centre's own keys, as whoever stole its disk could.
func (c *target) authority() *authority.Authority {
	c.t.Helper()
	a, err := authority.Open(c.dir, []string{"localhost"})
	if err != nil {
		c.t.Fatal(err)
	}
	return a
}

// client is somebody who speaks to the centre, with a certificate or without.
type client struct {
	keeper *custody.Keeper
	agent  wire.AgentID
	cert   *tls.Certificate
}

// enrolled makes a counter or, without a site, an opener.
func (c *target) enrolled(site wire.SiteID) client {
	c.t.Helper()
	keeper, err := custody.Open(filepath.Join(c.t.TempDir(), "keys"))
	if err != nil {
		c.t.Fatal(err)
	}
	invite, err := c.Invite(c.t.Context(), central.Invitation{Site: site, Opener: site == "", Address: c.address})
	if err != nil {
		c.t.Fatal(err)
	}
	id, err := uplink.New(uplink.Config{Keeper: keeper}).Enrol(c.t.Context(), invite.String())
	if err != nil {
		c.t.Fatal(err)
	}
	return client{keeper, id.Agent, &tls.Certificate{Certificate: id.Chain, PrivateKey: keeper.Signer()}}
}

// lapsed is the same client with a certificate of the real authority that has run
// out.
func (c *target) lapsed(of client) client {
	c.t.Helper()
	public, err := x509.MarshalPKIXPublicKey(of.keeper.Signer().Public())
	if err != nil {
		c.t.Fatal(err)
	}
	old, err := c.authority().Issue(store.Agent{ID: of.agent, Site: "FA123", Role: store.Counter, Public: public, Grade: "file"}, time.Now().AddDate(0, 0, -30))
	if err != nil {
		c.t.Fatal(err)
	}
	of.cert = &tls.Certificate{Certificate: [][]byte{old}, PrivateKey: of.keeper.Signer()}
	return of
}

// selfSigned is a client whose certificate says what a real one says, and is
// signed with its own key. A person's name stands in it, for the log's test.
func (c *target) selfSigned(of client) client {
	c.t.Helper()
	leaf, err := x509.ParseCertificate(of.cert.Certificate[0])
	if err != nil {
		c.t.Fatal(err)
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		c.t.Fatal(err)
	}
	own := &x509.Certificate{
		SerialNumber: big.NewInt(7), Subject: pkix.Name{CommonName: "Wilhelmina Thornquist"}, URIs: leaf.URIs,
		NotBefore: leaf.NotBefore, NotAfter: leaf.NotAfter, ExtKeyUsage: leaf.ExtKeyUsage, DNSNames: []string{"thornquist.example"},
	}
	der, err := x509.CreateCertificate(rand.Reader, own, own, key.Public(), key)
	if err != nil {
		c.t.Fatal(err)
	}
	of.cert = &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
	return of
}

// dial opens a connection as a client; nobody's without a certificate.
func (c *target) dial(as client) (*tls.Conn, error) {
	cfg := &tls.Config{RootCAs: c.pool, ServerName: "127.0.0.1", MinVersion: tls.VersionTLS13}
	if as.cert != nil {
		cfg.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return as.cert, nil }
	}
	d := tls.Dialer{Config: cfg}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	conn, err := d.DialContext(ctx, "tcp", c.address)
	if err != nil {
		return nil, err
	}
	return conn.(*tls.Conn), conn.SetDeadline(time.Now().Add(patience))
}

// answer is what came back; status 0 is a connection that was closed without one.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// raw sends bytes as they are and reads one answer. A line that is cut says, in
// TLS, that nothing more will come.
func (c *target) raw(as client, request string, cut bool) (answer, error) {
	conn, err := c.dial(as)
	if err != nil {
		return answer{}, err
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, request); err == nil && cut {
		_ = conn.CloseWrite()
	}
	method, _, _ := strings.Cut(request, " ")
	resp, err := http.ReadResponse(bufio.NewReader(conn), &http.Request{Method: method})
	if err != nil {
		return answer{}, nil // closed: a refusal without words
	}
	defer resp.Body.Close()
	body, _ := io.ReadAll(io.LimitReader(resp.Body, 4<<20))
	return answer{resp.StatusCode, resp.Header, body}, nil
}

// request writes a request of HTTP/1.1.
func request(method, path string, header http.Header, body []byte) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\nHost: centre.example\r\nConnection: close\r\n", method, path)
	if header.Get("Content-Length") == "" && header.Get("Transfer-Encoding") == "" && (method != "GET" && method != "HEAD") {
		fmt.Fprintf(&b, "Content-Length: %d\r\n", len(body))
	}
	for name, values := range header {
		for _, v := range values {
			fmt.Fprintf(&b, "%s: %s\r\n", name, v)
		}
	}
	return b.String() + "\r\n" + string(body)
}

// sealed makes a record's envelope, signed by the client, with one part.
func (a client) sealed(t testing.TB, h wire.Header, part []byte) wire.Envelope {
	t.Helper()
	h.Version, h.Agent, h.Wall, h.App = 1, a.agent, time.Now().UTC().Truncate(time.Millisecond), "1.0"
	h.Record = wire.RecordID{byte(h.Seq), 1, 2}
	h.Parts = []wire.PartInfo{{Name: "claims", Recipient: "k1", Len: uint64(len(part)), SHA256: wire.HashOf(part)}}
	e, err := seal.Envelope(h, []wire.Part{{Name: "claims", Sealed: part}}, a.keeper.Signer())
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// record writes the request that sends an envelope at a place.
func (a client) record(e wire.Envelope, seq string) string {
	body := e.Marshal(nil)
	return request("POST", "/v1/agents/"+string(a.agent)+"/records/"+seq, http.Header{"Idempotency-Key": {e.RecHash().String()}}, body)
}

// served fails the test if a good counter is not told its state in time.
func (c *target) served(as client, when string) {
	c.t.Helper()
	began := time.Now()
	got, err := c.raw(as, request("GET", "/v1/agents/"+string(as.agent)+"/state", nil, nil), false)
	if took := time.Since(began); err != nil || got.status != http.StatusOK || took > bounded {
		c.t.Errorf("%s: a good counter got %d after %v (%v), want 200 within %v", when, got.status, took, err, bounded)
	}
}

// rows is a digest of every row of every table of the centre's store.
func (c *target) rows() string {
	c.t.Helper()
	got, err := digest(filepath.Join(c.dir, central.DatabaseFile))
	if err != nil {
		c.t.Fatal(err)
	}
	return got
}

// digest reads a whole SQLite file, table by table.
func digest(path string) (string, error) {
	db, err := sql.Open("sqlite3", "file:"+path+"?mode=ro")
	if err != nil {
		return "", err
	}
	defer db.Close()
	tx, err := db.Begin()
	if err != nil {
		return "", err
	}
	defer tx.Rollback()
	names, err := tx.Query("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
	if err != nil {
		return "", err
	}
	defer names.Close()
	var tables []string
	for names.Next() {
		var name string
		if err := names.Scan(&name); err != nil {
			return "", err
		}
		tables = append(tables, name)
	}
	all := sha256.New()
	for _, name := range tables {
		fmt.Fprintf(all, "\ntable %s\n", name)
		if err := digestTable(tx, name, all); err != nil {
			return "", err
		}
	}
	return hex.EncodeToString(all.Sum(nil)), nil
}

// digestTable writes a table's rows.
func digestTable(tx *sql.Tx, name string, to io.Writer) error {
	rows, err := tx.Query("SELECT * FROM \"" + name + "\"")
	if err != nil {
		return err
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		return err
	}
	values, places := make([]any, len(columns)), make([]any, len(columns))
	for i := range values {
		places[i] = &values[i]
	}
	for rows.Next() {
		if err := rows.Scan(places...); err != nil {
			return err
		}
		fmt.Fprintf(to, "%q\n", values)
	}
	return rows.Err()
}

// counted is the sum of all that the centre counts.
func (c *target) counted() (sum int) {
	c.t.Helper()
	rec := httptest.NewRecorder()
	c.Figures().Handler().ServeHTTP(rec, httptest.NewRequest("GET", "/metrics", nil))
	for line := range strings.Lines(rec.Body.String()) {
		var n int
		if words := strings.Fields(line); len(words) == 2 && strings.HasPrefix(line, "counterproof_") {
			_, _ = fmt.Sscan(words[1], &n)
		}
		sum += n
	}
	return sum
}
