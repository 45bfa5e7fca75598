package bureau

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/counterproof/counterproof/agent/claim"
	"github.com/counterproof/counterproof/agent/gpg45"
	"github.com/counterproof/counterproof/agent/outbox"
	"github.com/counterproof/counterproof/agent/packet"
	"github.com/counterproof/counterproof/agent/proof"
	"github.com/counterproof/counterproof/agent/route"
	"github.com/counterproof/counterproof/agent/verdict"
	"github.com/counterproof/counterproof/sync/central"
	"github.com/counterproof/counterproof/sync/wire"
)

// line is a training centre, an opener and counters, over real connections.
type line struct {
	t       *testing.T
	centre  *central.Central
	address string
	data    string // the opener's folder
	records byte
	log     bytes.Buffer
}

// newLine starts a centre and enrols an opener.
func newLine(t *testing.T) *line {
	t.Helper()
	c, err := central.Open(t.Context(), central.Config{Dir: t.TempDir(), Training: true})
	if err != nil {
		t.Fatal(err)
	}
	ln, err := central.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- c.Serve(ctx, ln) }()
	t.Cleanup(func() {
		stop()
		if err := errors.Join(<-ended, c.Close()); err != nil {
			t.Error(err)
		}
	})
	l := &line{t: t, centre: c, address: ln.Addr().String(), data: t.TempDir()}
	l.must("keygen")
	invite, err := c.Invite(t.Context(), central.Invitation{Opener: true, Address: l.address})
	if err != nil {
		t.Fatal(err)
	}
	l.must("enrol", "--invite", invite.String())
	return l
}

// command runs counterproof-opener on the opener's folder.
func (l *line) command(args ...string) (string, error) {
	l.t.Helper()
	cmd := Command()
	var out bytes.Buffer
	cmd.SetOut(&out)
	cmd.SetErr(&l.log)
	cmd.SetArgs(append(args, "--data", l.data))
	err := cmd.ExecuteContext(l.t.Context())
	return out.String(), err
}

// must runs a command that works.
func (l *line) must(args ...string) string {
	l.t.Helper()
	out, err := l.command(args...)
	if err != nil {
		l.t.Fatalf("%v: %v\n%s", args, err, l.log.String())
	}
	return out
}

// run has the opener take what is new, with everything simulated.
func (l *line) run() string { return l.must("run", "--once", "--json", "--simulate") }

// counter is an enrolled counter.
type counter struct {
	*outbox.Outbox
	l    *line
	site string
}

// counter enrols a counter of a site.
func (l *line) counter(site string) *counter {
	l.t.Helper()
	o, err := outbox.Open(l.t.TempDir(), "test")
	if err != nil {
		l.t.Fatal(err)
	}
	l.t.Cleanup(func() { _ = o.Close() })
	invite, err := l.centre.Invite(l.t.Context(), central.Invitation{Site: wire.SiteID(site), Address: l.address})
	if err != nil {
		l.t.Fatal(err)
	}
	if _, err := o.Enrol(l.t.Context(), invite.String()); err != nil {
		l.t.Fatal(err)
	}
	return &counter{o, l, site}
}

// until runs the counter's line until something is so.
func (c *counter) until(what string, is func() bool) {
	c.l.t.Helper()
	ctx, stop := context.WithTimeout(context.Background(), time.Minute)
	ended := make(chan error, 1)
	go func() { ended <- c.Run(ctx) }()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !is() && ctx.Err() == nil {
		<-tick.C
	}
	late := ctx.Err() != nil
	stop()
	if err := <-ended; err != nil || late {
		c.l.t.Fatalf("the counter waits for %s: %v", what, err)
	}
}

// hears waits for news about a reference.
func (c *counter) hears(ref proof.Ref, want ...wire.NoticeKind) {
	c.l.t.Helper()
	var got []wire.NoticeKind
	c.until("news", func() bool {
		list, err := c.Notices(c.l.t.Context())
		if err != nil {
			c.l.t.Fatal(err)
		}
		got = nil
		for _, n := range slices.Backward(list.Notices) { // the newest is first
			if n.Ref == ref {
				got = append(got, wire.NoticeKind(n.Kind))
			}
		}
		return len(got) >= len(want)
	})
	if !slices.Equal(got, want) {
		c.l.t.Errorf("about %s the counter hears %v, want %v", ref, got, want)
	}
}

// visit is a golden visit with what a patient adds to it.
type visit struct {
	log       string
	prefs     *proof.PreferencesGiven
	continues proof.Ref
	token     claim.Token
	redeems   claim.Token
}

// send makes a visit at a counter and has it delivered.
func (c *counter) send(v visit) proof.Ref {
	c.l.t.Helper()
	c.l.records++
	id := wire.RecordID{c.l.records, 1}
	var events []proof.Event
	add := func(by proof.Actor, f proof.Fact) {
		at := time.Date(2026, 11, 22, 10, len(events), 0, 0, time.UTC)
		events = append(events, proof.Event{Seq: len(events) + 1, At: at, By: by, Fact: f})
	}
	for _, e := range golden(c.l.t, v.log) {
		switch f := e.Fact.(type) {
		case proof.VisitStarted:
			f.Record, f.Policy, f.Site, f.Continues = id.String(), gpg45.Default, c.site, v.continues
			e.Fact = f
		case proof.ClaimRedeemed:
			f.Token = string(v.redeems)
			e.Fact = f
		}
		add(e.By, e.Fact)
	}
	policy, err := gpg45.Load(gpg45.Default)
	if err != nil {
		c.l.t.Fatal(err)
	}
	clerk := proof.Actor{Kind: proof.ByPerson, ID: "robin"}
	add(clerk, proof.VisitDecided{Outcome: verdict.Decide(route.Fold(events), policy)})
	if v.prefs != nil {
		add(clerk, *v.prefs)
	}
	add(clerk, proof.ResultConfirmed{})
	if asks := route.Asks(route.Fold(events)); len(asks) > 0 && asks[0].Kind == proof.MakeClaim {
		token := v.token
		if token == "" {
			token = claim.New([10]byte{c.l.records})
		}
		add(clerk, proof.ClaimMade{Token: string(token), Until: claim.Until(route.Today(events[0].At))})
	}
	picture := func(proof.PictureID) ([]byte, error) { return []byte("jpeg"), nil }
	parts, err := packet.Build(route.Fold(events), events, picture)
	if err != nil {
		c.l.t.Fatal(err)
	}
	ref, err := c.Record(c.l.t.Context(), id, true, parts)
	if err != nil {
		c.l.t.Fatal(err)
	}
	c.until("its receipt", func() bool { return c.State(c.l.t.Context()).Waiting == 0 })
	return ref
}

// golden reads the facts of a golden visit, without its result.
func golden(t testing.TB, name string) []proof.Event {
	t.Helper()
	f, err := os.Open(filepath.Join("..", "route", "testdata", "logs", name+".jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var events []proof.Event
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var e proof.Event
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			t.Fatal(err)
		}
		if _, decided := e.Fact.(proof.VisitDecided); !decided {
			events = append(events, e)
		}
	}
	return events
}

// secrets are words of the patient that neither log nor ledger may hold.
var secrets = []string{"SPECIMEN", "MORGAN", "1985-03", "U1234567", "99920", "example.org", "447700"}

// nameNobody searches the log and the casework's folder.
func (l *line) nameNobody() {
	l.t.Helper()
	texts := []string{l.log.String()}
	for _, name := range []string{"ledger.jsonl", "ledger.mark"} {
		b, err := os.ReadFile(filepath.Join(Folder(l.data), name))
		if err != nil {
			l.t.Fatal(err)
		}
		texts = append(texts, string(b))
	}
	for _, text := range texts {
		for _, secret := range secrets {
			if strings.Contains(text, secret) {
				l.t.Errorf("the log or the ledger tells %s", secret)
			}
		}
	}
}
