package central_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/counterproof/counterproof/sync/central"
	"github.com/counterproof/counterproof/sync/seal"
	"github.com/counterproof/counterproof/sync/wire"
)

// childDir tells the test binary that it is a centre to be killed.
const childDir = "COUNTERPROOF_TEST_CENTRE"

func TestMain(m *testing.M) {
	if dir := os.Getenv(childDir); dir != "" {
		if err := beCentre(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// beCentre serves until it is killed, and says where.
func beCentre(dir string) error {
	c, err := central.Open(context.Background(), central.Config{Dir: dir})
	if err != nil {
		return err
	}
	ln, err := central.Listen("127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println(ln.Addr())
	return c.Serve(context.Background(), ln)
}

// child is a centre in a process of its own.
type child struct {
	cmd     *exec.Cmd
	address string
}

// startChild starts one and waits until it listens.
func startChild(t *testing.T, dir string) child {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childDir+"="+dir)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal("the child does not listen", err)
	}
	return child{cmd, line[:len(line)-1]}
}

// kill ends it as a power cut would.
func (c child) kill() {
	_ = c.cmd.Process.Kill()
	_ = c.cmd.Wait()
}

// poster sends records of one counter as fast as it can, and sends again
// whatever it has no receipt for.
type poster struct {
	n       *counter
	key     ed25519.PublicKey
	mu      sync.Mutex
	address string
	sent    map[wire.Seq]wire.Hash
	acked   map[wire.Seq]wire.Receipt
	moved   int // receipts that came out different the second time
}

// at is where the centre listens now.
func (p *poster) at() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.address
}

// post sends one record once.
func (p *poster) post(ctx context.Context, e wire.Envelope, seq wire.Seq) (wire.Receipt, error) {
	id := p.n.identity()
	roots := x509.NewCertPool()
	ca, err := x509.ParseCertificate(id.CentreCA)
	if err != nil {
		return wire.Receipt{}, err
	}
	roots.AddCert(ca)
	transport := &http.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{
		RootCAs: roots, Certificates: []tls.Certificate{{Certificate: id.Chain[:1], PrivateKey: p.n.keeper.Signer()}},
	}}
	req, err := http.NewRequestWithContext(ctx, "POST",
		fmt.Sprintf("https://%s/v1/agents/%s/records/%d", p.at(), id.Agent, seq), bytes.NewReader(e.Marshal(nil)))
	if err != nil {
		return wire.Receipt{}, err
	}
	req.Header.Set("Idempotency-Key", e.RecHash().String())
	resp, err := (&http.Client{Transport: transport, Timeout: 10 * time.Second}).Do(req)
	if err != nil {
		return wire.Receipt{}, err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		return wire.Receipt{}, err
	}
	var a wire.Answer
	if err := json.Unmarshal(b, &a); err != nil || a.Receipt == nil {
		return wire.Receipt{}, fmt.Errorf("status %d: %s", resp.StatusCode, b)
	}
	return *a.Receipt, seal.VerifyReceipt(*a.Receipt, p.key)
}

// stream sends records one after the other until ctx ends.
func (p *poster) stream(ctx context.Context) {
	prev := wire.Hash{}
	for seq := wire.Seq(1); ctx.Err() == nil; seq++ {
		e := p.n.sealed(wire.Header{Seq: seq, Prev: prev}, bytes.Repeat([]byte{byte(seq)}, 3000))
		prev = e.RecHash()
		p.sent[seq] = prev
		for ctx.Err() == nil {
			r, err := p.post(ctx, e, seq)
			if err != nil {
				continue
			}
			if again, err := p.post(ctx, e, seq); err == nil && !bytes.Equal(again.SignedBytes(), r.SignedBytes()) {
				p.moved++
			}
			p.acked[seq] = r
			break
		}
	}
}

// TestKillNine: a centre that is killed in the middle of its work, again and
// again, loses nothing that it acknowledged and stores nothing twice.
func TestKillNine(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "centre")
	c := newCentre(t, func(cfg *central.Config) { cfg.Dir = dir })
	var posters []*poster
	for range 3 {
		n := c.enrolled()
		b, err := n.identity().Bundle.Bundle()
		if err != nil {
			t.Fatal(err)
		}
		posters = append(posters, &poster{n: n, key: b.ReceiptKey, sent: map[wire.Seq]wire.Hash{}, acked: map[wire.Seq]wire.Receipt{}})
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	running := startChild(t, dir)
	const kills = 8
	for i := range kills {
		for _, p := range posters {
			p.mu.Lock()
			p.address = running.address
			p.mu.Unlock()
		}
		if i == 0 {
			for _, p := range posters {
				wg.Go(func() { p.stream(ctx) })
			}
		}
		<-time.After(time.Duration(150+37*i) * time.Millisecond)
		running.kill()
		running = startChild(t, dir)
	}
	cancel()
	wg.Wait()
	running.kill()
	c.open()
	if err := posted(t, c, posters); err != nil {
		t.Error(err)
	}
}

// posted compares what was acknowledged with what is stored.
func posted(t *testing.T, c *centre, posters []*poster) error {
	var problems []error
	stored := c.records()
	if err := check(stored); err != nil {
		problems = append(problems, err)
	}
	held := map[wire.Hash]wire.Receipt{}
	for _, r := range stored {
		held[r.Receipt.RecHash] = r.Receipt
	}
	total, sent := 0, 0
	for _, p := range posters {
		total, sent = total+len(p.acked), sent+len(p.sent)
		if p.moved > 0 {
			problems = append(problems, fmt.Errorf("%d receipts changed when they were asked for again", p.moved))
		}
		for seq, r := range p.acked {
			if got, ok := held[p.sent[seq]]; !ok || !bytes.Equal(got.SignedBytes(), r.SignedBytes()) {
				problems = append(problems, fmt.Errorf("number %d was acknowledged and is not held so", seq))
			}
		}
	}
	if len(stored) > sent {
		problems = append(problems, fmt.Errorf("%d records are stored, %d were made", len(stored), sent))
	}
	t.Logf("acknowledged %d, stored %d, made %d", total, len(stored), sent)
	if total < 20 {
		problems = append(problems, errors.New("too few records to show anything"))
	}
	return errors.Join(problems...)
}
