package daemon_test

import (
	"context"
	"errors"
	"fmt"
	"image"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/counterproof/counterproof/agent/api"
	"github.com/counterproof/counterproof/agent/api/client"
	"github.com/counterproof/counterproof/agent/config"
	"github.com/counterproof/counterproof/agent/daemon"
	"github.com/counterproof/counterproof/agent/ocr/specimen"
	"github.com/counterproof/counterproof/agent/packet"
	"github.com/counterproof/counterproof/agent/proof"
	"github.com/counterproof/counterproof/agent/route"
	"github.com/counterproof/counterproof/sync/central"
	"github.com/counterproof/counterproof/sync/custody"
	"github.com/counterproof/counterproof/sync/seal"
	"github.com/counterproof/counterproof/sync/store"
	"github.com/counterproof/counterproof/sync/uplink"
	"github.com/counterproof/counterproof/sync/wire"
)

// built is the folder of the programs that the process tests start.
var built, builtErr = os.MkdirTemp("", "programs")

func TestMain(m *testing.M) {
	slog.SetDefault(slog.New(slog.DiscardHandler))
	code := m.Run()
	if builtErr == nil {
		_ = os.RemoveAll(built)
	}
	os.Exit(code)
}

// patience bounds every wait of these tests.
const patience = 30 * time.Second

// The people of these tests.
const (
	robinSecret = "470126"
	kimSecret   = "a long passphrase"
	site        = "FWC87"
)

// folder is a temporary folder with a name that leaves room for a socket's.
func folder(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "counter")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// until asks again and again until the answer is yes, or fails the test.
func until(t testing.TB, what string, yes func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !yes() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("waited %s until %s", patience, what)
		}
	}
}

// lately is a day on which a clerk may have been trained.
func lately() proof.Date { return route.Today(time.Now().AddDate(0, -2, 0)) }

// trained is a clerk's training.
func trained() proof.Training { return proof.Training{Impostor: lately(), Document: lately()} }

// passport is a specimen passport: its zone and a photograph.
type passport struct {
	person specimen.Person
	lines  []string
	jpeg   []byte
}

// newPassport makes a passport of Utopia; change, if not nil, alters its holder,
// and a portrait replaces the drawing.
func newPassport(t testing.TB, seed uint64, portrait image.Image, change func(*specimen.Person)) passport {
	t.Helper()
	o := specimen.Options{Seed: seed, Person: specimen.Utopian(seed, route.Today(time.Now())), Width: 1600, Portrait: portrait}
	if change != nil {
		change(&o.Person)
	}
	page, err := specimen.Page(o)
	if err != nil {
		t.Fatalf("making a passport: %v", err)
	}
	photo, err := specimen.Photograph(page, o)
	if err != nil {
		t.Fatalf("photographing it: %v", err)
	}
	return passport{o.Person, page.Lines, photo.JPEG}
}

// reply is what a clerk answers with whom all goes well: without a face camera
// the two are compared by eye.
func reply(v api.Visit) api.Answer {
	a := api.Answer{Seen: v.Events, Ask: v.Asks[0].Kind}
	switch a.Ask {
	case proof.AskProofingConsent, proof.AskFaceConsent:
		a.Given, a.Text = true, "test"
	case proof.ExamineDocument:
		a.Exam = &api.Examination{Original: true, Details: proof.Agree, Features: v.Document.Features}
	case proof.CaptureFace:
		if v.Asks[0].Attempt > 0 {
			a.Do, a.Ask = api.DoChoose, v.Asks[len(v.Asks)-1].Kind // by eye, or the end
		}
	case proof.ComparePerson:
		a.Same = proof.Same
	}
	return a
}

// opener holds the private keys that records are sealed to.
type opener struct {
	client *uplink.Client
	keys   map[wire.PartName]seal.Key
}

// newOpener enrols an opener with new keys at a centre.
func newOpener(t testing.TB, invitation string) *opener {
	t.Helper()
	keeper, err := custody.Open(filepath.Join(t.TempDir(), "keys"))
	if err != nil {
		t.Fatal(err)
	}
	o := &opener{uplink.New(uplink.Config{Keeper: keeper}), map[wire.PartName]seal.Key{}}
	if _, err := o.client.Enrol(t.Context(), invitation); err != nil {
		t.Fatalf("enrolling an opener: %v", err)
	}
	var public []wire.Recipient
	for _, part := range []wire.PartName{wire.PartClaims, wire.PartEvidence, wire.PartAudit} {
		key, _, err := seal.GenerateKey(seal.Hybrid)
		if err != nil {
			t.Fatal(err)
		}
		o.keys[part] = key
		public = append(public, key.Recipient(part))
	}
	if err := o.client.PutRecipients(t.Context(), public); err != nil {
		t.Fatalf("handing in the keys: %v", err)
	}
	return o
}

// log is the centre's whole log, every signature verified.
func (o *opener) log(t testing.TB) []store.Record {
	t.Helper()
	var all []store.Record
	for {
		n := len(all)
		for r, err := range o.client.Fetch(t.Context(), uint64(n)) {
			if err != nil {
				t.Fatalf("fetching record %d: %v", len(all)+1, err)
			}
			all = append(all, r)
		}
		if len(all) == n {
			return all
		}
	}
}

// open opens a record's parts, bound to a record's name.
func (o *opener) open(r store.Record, bound func(wire.Header) wire.RecordID) ([]packet.Part, error) {
	h, err := r.Envelope.Check()
	if err != nil {
		return nil, err
	}
	var parts []packet.Part
	for i, p := range r.Envelope.Parts {
		b, err := seal.Open(o.keys[p.Name], p, h.Parts[i], seal.Binding(bound(h), p.Name, h.Training))
		if err != nil {
			return nil, err
		}
		parts = append(parts, packet.Part{Name: packet.Name(p.Name), Bytes: b})
	}
	return parts, nil
}

// own binds a record's parts to its own name.
func own(h wire.Header) wire.RecordID { return h.Record }

// centre is a training centre in this process.
type centre struct {
	*central.Central
	address string
	dir     string
	stop    func()
}

// newCentre serves on the loopback until the test ends.
func newCentre(t testing.TB) *centre {
	t.Helper()
	c := &centre{dir: filepath.Join(t.TempDir(), "centre")}
	var err error
	if c.Central, err = central.Open(t.Context(), central.Config{Dir: c.dir, Training: true}); err != nil {
		t.Fatal(err)
	}
	ln, err := central.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c.address = ln.Addr().String()
	c.stop = background(t, "the centre", func(ctx context.Context) error {
		return errors.Join(c.Serve(ctx, ln), c.Close())
	})
	return c
}

// background runs a part until the test ends, and waits for it then. It returns
// what ends it earlier.
func background(t testing.TB, what string, run func(context.Context) error) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := run(ctx); err != nil {
			t.Errorf("%s: %v", what, err)
		}
	})
	stop = sync.OnceFunc(func() {
		cancel()
		wg.Wait()
	})
	t.Cleanup(stop)
	return stop
}

// invite makes an invitation's text.
func (c *centre) invite(t testing.TB, i central.Invitation) string {
	t.Helper()
	i.Address = c.address
	invite, err := c.Invite(t.Context(), i)
	if err != nil {
		t.Fatal(err)
	}
	return invite.String()
}

// counter is a counter in this process, enrolled at a training centre.
type counter struct {
	t      *testing.T
	centre *centre
	opener *opener
	conf   config.Config
	code   string // of the first clerk
	client *client.Client
	stop   func()
}

// newCounter enrols a counter. Its cameras look into the folders document and
// face beside its data, which are empty.
func newCounter(t *testing.T) *counter {
	t.Helper()
	c := &counter{t: t, centre: newCentre(t)}
	c.opener = newOpener(t, c.centre.invite(t, central.Invitation{Opener: true}))
	c.conf = configure(t, folder(t))
	enrolled, err := daemon.Enrol(t.Context(), c.conf, c.centre.invite(t, central.Invitation{Site: site}), nil)
	if err != nil {
		t.Fatalf("enrolling: %v", err)
	}
	if enrolled.Site != site || enrolled.FirstClerk == "" {
		t.Fatalf("enrolled as %+v", enrolled)
	}
	c.code = enrolled.FirstClerk
	c.client = client.New(c.conf.SocketPath())
	return c
}

// vault is the custody of a counter that does not run, or besides it.
func vault(t testing.TB, data string) *custody.Keeper {
	t.Helper()
	keeper, err := custody.Open(filepath.Join(data, "keys"))
	if err != nil {
		t.Fatal(err)
	}
	return keeper
}

// configure is a counter's configuration in a folder.
func configure(t testing.TB, dir string) config.Config {
	t.Helper()
	conf := config.Default()
	conf.Plugs = false
	conf.Data = filepath.Join(dir, "data")
	conf.DocumentCamera = "sim:" + filepath.Join(dir, "document")
	conf.Printer = "file:" + filepath.Join(dir, "slips")
	conf.Capture = 20
	conf.Models = filepath.Join(dir, "models") // without networks
	for _, name := range []string{"document", "face", "slips", "models"} {
		if err := os.MkdirAll(filepath.Join(dir, name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	return conf
}

// run starts the counter and waits until it answers.
func (c *counter) run() {
	c.t.Helper()
	ready := make(chan struct{})
	c.stop = background(c.t, "the counter", func(ctx context.Context) error {
		return daemon.Run(ctx, c.conf, func() { close(ready) })
	})
	select {
	case <-ready:
	case <-time.After(patience):
		c.t.Fatal("the counter does not answer")
	}
}

// first makes the first clerk.
func (c *counter) first() {
	c.t.Helper()
	_, err := c.client.FirstClerk(c.t.Context(), api.FirstClerk{Code: c.code, Name: "Robin Vale", Secret: robinSecret, Training: trained()})
	if err != nil {
		c.t.Fatalf("making the first clerk: %v", err)
	}
}

// start begins a visit.
func (c *counter) start() api.Visit {
	c.t.Helper()
	v, err := c.client.StartVisit(c.t.Context(), api.NewVisit{Route: proof.PhotoDocument, Language: "en"})
	if err != nil {
		c.t.Fatalf("starting a visit: %v", err)
	}
	return v
}

// answer answers and expects that it is taken.
func (c *counter) answer(v api.Visit, a api.Answer) api.Visit {
	c.t.Helper()
	next, err := c.client.Answer(c.t.Context(), v.ID, a)
	if err != nil {
		c.t.Fatalf("answering %s: %v", a.Ask, err)
	}
	return next
}

// goTo answers until an ask is recommended. Where the document is asked for,
// lines are keyed if there are any.
func (c *counter) goTo(v api.Visit, want proof.AskKind, lines []string) api.Visit {
	c.t.Helper()
	for range 30 {
		if len(v.Asks) == 0 {
			break
		}
		if v.Asks[0].Kind == want {
			return v
		}
		a := reply(v)
		if a.Ask == proof.CaptureDocument && lines != nil {
			a.Ask, a.Lines = proof.KeyDocument, lines
		}
		v = c.answer(v, a)
	}
	c.t.Fatalf("%s is never asked", want)
	return v
}

// show puts a picture before a camera.
func (c *counter) show(camera string, jpeg []byte) {
	c.t.Helper()
	show(c.t, filepath.Join(filepath.Dir(c.conf.Data), camera), jpeg)
}

// show puts a picture into a camera's folder.
func show(t testing.TB, dir string, jpeg []byte) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%d.jpg", len(jpeg))), jpeg, 0o600); err != nil {
		t.Fatal(err)
	}
}
