package daemon_test

import (
	"bytes"
	"context"
	"encoding/json"
	"image/jpeg"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/counterproof/counterproof/agent/api"
	"github.com/counterproof/counterproof/agent/api/client"
	"github.com/counterproof/counterproof/agent/clerk"
	"github.com/counterproof/counterproof/agent/clerkstore"
	"github.com/counterproof/counterproof/agent/daemon"
	"github.com/counterproof/counterproof/agent/packet"
	"github.com/counterproof/counterproof/agent/proof"
	"github.com/counterproof/counterproof/sync/central"
	"github.com/counterproof/counterproof/sync/central/office"
	"github.com/counterproof/counterproof/sync/wire"
)

func TestAWholeVisitByKeys(t *testing.T) {
	t.Parallel()
	c := newCounter(t)
	c.run()
	c.first()
	pass := newPassport(t, 3, nil, nil)
	v := c.goTo(c.start(), proof.ConfirmResult, pass.lines)
	if v.Document.Number == "" || v.Document.Person.Surname.ICAO != "SPECIMEN" || v.Outcome.Result != proof.Proved || !v.Training {
		t.Errorf("the visit came to %+v of a document of %s", v.Outcome, v.Document.Issuer)
	}
	if list, err := c.client.Queue(t.Context()); err != nil || len(list.Items) != 0 {
		t.Errorf("before the clerk confirmed, the queue holds %d records: %v", len(list.Items), err)
	}
	v = c.goTo(v, proof.EndVisit, nil)
	if v.Ref == "" || !v.Slip.Printed {
		t.Errorf("reference %q, slip %+v", v.Ref, v.Slip)
	}
	v = c.answer(v, reply(v))
	if !v.Ended || v.Document != nil {
		t.Errorf("ended %t, the document is still shown: %t", v.Ended, v.Document != nil)
	}
	until(t, "the centre holds the record", func() bool {
		list, err := c.client.Queue(t.Context())
		return err == nil && len(list.Items) == 1 && (list.Items[0].State == "acked" || list.Items[0].State == "proven") && list.Items[0].Ref == v.Ref
	})
	stored := c.opener.log(t)
	if len(stored) != 1 {
		t.Fatalf("the centre holds %d records", len(stored))
	}
	parts, err := c.opener.open(stored[0], own)
	if err != nil {
		t.Fatalf("opening: %v", err)
	}
	read, err := packet.Read(parts)
	if err != nil || read.Claims.Documents[0].Number != pass.person.Number || len(read.Events) < 8 {
		t.Errorf("the record reads %+v: %v", read.Claims.Documents, err)
	}
	if left, err := filepath.Glob(filepath.Join(c.conf.Data, "drafts", "*")); err != nil || len(left) != 0 {
		t.Errorf("the visit left %v: %v", left, err)
	}
}

// TestNothingRunsOnAfterTheCounterStopped is not parallel: it counts what runs.
func TestNothingRunsOnAfterTheCounterStopped(t *testing.T) {
	before := runtime.NumGoroutine()
	c := newCounter(t)
	enrolled := runtime.NumGoroutine()
	c.run()
	c.first()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = c.client.Events(t.Context(), func(api.Event) {})
	}()
	c.goTo(c.start(), proof.ExamineDocument, newPassport(t, 6, nil, nil).lines)
	if runtime.NumGoroutine() <= enrolled {
		t.Error("the running counter is not seen: the count shows nothing")
	}
	began := time.Now()
	c.stop()
	if d := time.Since(began); d > 5*time.Second {
		t.Errorf("stopping took %s", d)
	}
	<-ended // a stream ends with the counter
	// The way to the centre stays open for a while; it ends with the centre.
	c.centre.stop()
	until(t, "nothing of the counter runs", func() bool { return runtime.NumGoroutine() <= before })
}

// heard collects what the event stream tells.
type heard struct {
	mu    sync.Mutex
	kinds map[api.EventKind]int
}

func (h *heard) hear(e api.Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.kinds[e.Kind]++
}

func (h *heard) count(k api.EventKind) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.kinds[k]
}

// listen hears events until the test ends.
func (c *counter) listen() *heard {
	h := &heard{kinds: map[api.EventKind]int{}}
	background(c.t, "hearing events", func(ctx context.Context) error {
		if err := c.client.Events(ctx, h.hear); ctx.Err() == nil && proof.KindOf(err) != proof.KindDaemonAway {
			return err
		}
		return nil
	})
	return h
}

func TestAVisitWithTheCameraIsSeenOnTheScreens(t *testing.T) {
	t.Parallel()
	c := newCounter(t)
	c.run()
	c.first()
	h := c.listen()
	frames := make(chan []byte, 1)
	background(t, "the preview", func(ctx context.Context) error {
		err := c.client.Preview(ctx, func(b []byte) bool {
			select {
			case frames <- b:
			default:
			}
			return true
		})
		if ctx.Err() == nil && proof.KindOf(err) != proof.KindDaemonAway {
			return err
		}
		return nil
	})
	v := c.goTo(c.start(), proof.CaptureDocument, nil)
	c.cancelled(v, frames)
	c.show("document", newPassport(t, 5, nil, nil).jpeg)
	v = c.answer(v, api.Answer{Seen: v.Events, Ask: proof.CaptureDocument})
	for v.Asks[0].Kind == proof.CaptureDocument { // the empty desk was still seen
		v = c.answer(v, reply(v))
	}
	page, err := c.client.Picture(t.Context(), v.ID, v.Document.Page)
	if err != nil {
		t.Fatalf("fetching the page: %v", err)
	}
	if _, err := jpeg.DecodeConfig(bytes.NewReader(page)); err != nil {
		t.Errorf("the page is no picture: %v", err)
	}
	if _, err := c.client.Picture(t.Context(), v.ID, "page-999"); err == nil {
		t.Error("a picture that was never taken is answered")
	}
	_, err = c.client.Picture(t.Context(), "another", v.Document.Page)
	kindIs(t, "a picture of another visit", err, proof.KindNoVisit)
	stranger := client.New(c.conf.SocketPath())
	if _, err := stranger.Picture(t.Context(), v.ID, v.Document.Page); proof.KindOf(err) != proof.KindSessionEnded {
		t.Errorf("a picture without a session: %v", err)
	}
	until(t, "guidance and the visit's changes are heard", func() bool {
		return h.count(api.EventGuidance) > 0 && h.count(api.EventVisit) > 0
	})
	v = c.answer(v, api.Answer{Seen: v.Events, Do: api.DoAbandon, Reason: proof.PatientLeft})
	if !v.Ended || v.Outcome.Result != proof.Abandoned || v.Ref == "" {
		t.Errorf("abandoned: %+v", v)
	}
	until(t, "the queue's change is heard", func() bool { return h.count(api.EventQueue) > 0 })
}

// cancelled starts a capture before an empty desk, sees it in the preview and
// cancels it.
func (c *counter) cancelled(v api.Visit, frames <-chan []byte) {
	c.t.Helper()
	ended := make(chan error, 1)
	go func() {
		_, err := c.client.Answer(context.WithoutCancel(c.t.Context()), v.ID, api.Answer{Seen: v.Events, Ask: proof.CaptureDocument})
		ended <- err
	}()
	select {
	case b := <-frames:
		if _, err := jpeg.DecodeConfig(bytes.NewReader(b)); err != nil {
			c.t.Errorf("the preview is no picture: %v", err)
		}
	case <-time.After(patience):
		c.t.Error("the preview shows nothing")
	}
	if _, err := c.client.Answer(c.t.Context(), v.ID, api.Answer{Seen: v.Events, Do: api.DoCancel}); err != nil {
		c.t.Errorf("cancelling: %v", err)
	}
	if err := <-ended; proof.KindOf(err) != proof.KindCancelled {
		c.t.Errorf("the capture that was cancelled: %v", err)
	}
}

// kindIs expects a failure's Kind.
func kindIs(t *testing.T, what string, err error, want proof.Kind) {
	t.Helper()
	if proof.KindOf(err) != want {
		t.Errorf("%s: %v, want %q", what, err, want)
	}
}

func TestTheFirstClerk(t *testing.T) {
	t.Parallel()
	c := newCounter(t)
	c.run()
	ctx := t.Context()
	s, err := c.client.Status(ctx)
	if err != nil || !s.Enrolled || !s.Training || !s.NoClerks || s.Site != site || s.Face || s.Version == "" || len(s.Languages) == 0 {
		t.Errorf("before anyone signed in: %+v: %v", s, err)
	}
	_, err = c.client.SignIn(ctx, api.SignIn{Operator: "robin", Secret: robinSecret})
	kindIs(t, "signing in without an account", err, proof.KindNoClerks)
	_, err = c.client.FirstClerk(ctx, api.FirstClerk{Code: "guessed", Name: "Robin", Secret: robinSecret})
	kindIs(t, "a wrong code", err, proof.KindEnrolCode)
	_, err = c.client.FirstClerk(ctx, api.FirstClerk{Code: c.code, Name: "Robin", Secret: "123456"})
	kindIs(t, "a weak secret", err, proof.KindWeakPIN)
	_, err = c.client.FirstClerk(ctx, api.FirstClerk{Code: c.code, Name: " ", Secret: robinSecret})
	kindIs(t, "no name", err, proof.KindBadRequest)
	c.first()
	_, err = c.client.FirstClerk(ctx, api.FirstClerk{Code: c.code, Name: "Mallory", Secret: "918273"})
	kindIs(t, "a second first clerk", err, proof.KindEnrolCode)
	if s, err := c.client.Status(ctx); err != nil || s.NoClerks {
		t.Errorf("afterwards: %+v: %v", s, err)
	}
	if d, err := c.client.Devices(ctx); err != nil || len(d.Devices) == 0 {
		t.Errorf("the devices are %+v: %v", d, err)
	}
	c.signedOut()
}

// signedOut signs out and expects that nothing but the status is answered.
func (c *counter) signedOut() {
	c.t.Helper()
	ctx := c.t.Context()
	v := c.start()
	if err := c.client.SignOut(ctx); err != nil {
		c.t.Errorf("signing out: %v", err)
	}
	for _, token := range []string{"", "0000", strings.Repeat("0", 64)} {
		c.client.SetToken(token)
		_, err := c.client.Visit(ctx)
		kindIs(c.t, "the visit", err, proof.KindSessionEnded)
		_, err = c.client.StartVisit(ctx, api.NewVisit{Route: proof.PhotoDocument})
		kindIs(c.t, "starting", err, proof.KindSessionEnded)
		_, err = c.client.Answer(ctx, v.ID, reply(v))
		kindIs(c.t, "answering", err, proof.KindSessionEnded)
		_, err = c.client.HandOver(ctx, v.ID, api.SignIn{Operator: "robin", Secret: robinSecret})
		kindIs(c.t, "handing over", err, proof.KindSessionEnded)
		_, err = c.client.Queue(ctx)
		kindIs(c.t, "the queue", err, proof.KindSessionEnded)
		_, err = c.client.Devices(ctx)
		kindIs(c.t, "the devices", err, proof.KindSessionEnded)
		kindIs(c.t, "the events", c.client.Events(ctx, func(api.Event) {}), proof.KindSessionEnded)
		kindIs(c.t, "the preview", c.client.Preview(ctx, func([]byte) bool { return true }), proof.KindSessionEnded)
		kindIs(c.t, "signing out", c.client.SignOut(ctx), proof.KindSessionEnded)
	}
}

func TestTwoClerks(t *testing.T) {
	t.Parallel()
	c := newCounter(t)
	c.run()
	c.first()
	v := c.goTo(c.start(), proof.CaptureDocument, nil)
	c.stop()
	clerks, err := clerkstore.Open(c.conf.Data, vault(t, c.conf.Data))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := clerks.Add("Kim Hart", kimSecret, proof.Clerk, trained()); err != nil {
		t.Fatal(err)
	}
	c.run()
	kim := c.lockedOut()
	c.handedOver(v, kim)
}

// lockedOut locks kim out and lets her in again.
func (c *counter) lockedOut() *client.Client {
	c.t.Helper()
	ctx := c.t.Context()
	_, err := c.client.Visit(ctx)
	kindIs(c.t, "a session from before the restart", err, proof.KindSessionEnded)
	robin := api.SignIn{Operator: "robin", Secret: robinSecret}
	if _, err := c.client.SignIn(ctx, robin); err != nil {
		c.t.Fatal(err)
	}
	kim := client.New(c.conf.SocketPath())
	for i := 1; i <= clerk.TriesBeforeLock; i++ {
		_, err := kim.SignIn(ctx, api.SignIn{Operator: "kim", Secret: "wrong"})
		want := proof.KindSignIn
		if i == clerk.TriesBeforeLock {
			want = proof.KindLockedOut
		}
		kindIs(c.t, "a wrong secret", err, want)
	}
	_, err = kim.SignIn(ctx, api.SignIn{Operator: "kim", Secret: kimSecret})
	kindIs(c.t, "the right secret while locked out", err, proof.KindLockedOut)
	if left := time.Until(client.Until(err)); left <= 0 || left > clerk.LockFor {
		c.t.Errorf("locked out for another %s", left)
	}
	_, err = kim.SignIn(ctx, api.SignIn{Operator: "nobody", Secret: kimSecret})
	kindIs(c.t, "nobody", err, proof.KindSignIn)
	kindIs(c.t, "unlocking with a wrong secret", kim.Unlock(ctx, api.Unlock{Supervisor: api.SignIn{Operator: "robin", Secret: "x"}, Operator: "kim"}), proof.KindSignIn)
	if err := kim.Unlock(ctx, api.Unlock{Supervisor: robin, Operator: "kim"}); err != nil {
		c.t.Fatalf("unlocking: %v", err)
	}
	if _, err := kim.SignIn(ctx, api.SignIn{Operator: "kim", Secret: kimSecret}); err != nil {
		c.t.Fatalf("after unlocking: %v", err)
	}
	kindIs(c.t, "unlocking as no supervisor", kim.Unlock(ctx, api.Unlock{Supervisor: api.SignIn{Operator: "kim", Secret: kimSecret}, Operator: "robin"}), proof.KindNotAllowed)
	return kim
}

// handedOver gives robin's visit, which the restart has kept, to kim.
func (c *counter) handedOver(before api.Visit, kim *client.Client) {
	c.t.Helper()
	ctx := c.t.Context()
	v, err := c.client.Visit(ctx)
	if err != nil || v.ID != before.ID || v.Events != before.Events {
		c.t.Fatalf("after a restart the visit is %s with %d events, was %s with %d: %v", v.ID, v.Events, before.ID, before.Events, err)
	}
	if s, err := c.client.Status(ctx); err != nil || s.OpenVisit != v.ID {
		c.t.Errorf("the status tells the open visit %q: %v", s.OpenVisit, err)
	}
	_, err = kim.Answer(ctx, v.ID, reply(v))
	kindIs(c.t, "answering for another", err, proof.KindNotAllowed)
	_, err = kim.StartVisit(ctx, api.NewVisit{Route: proof.PhotoDocument})
	kindIs(c.t, "a second visit", err, proof.KindVisitOpen)
	_, err = c.client.HandOver(ctx, v.ID, api.SignIn{Operator: "kim", Secret: "wrong"})
	kindIs(c.t, "handing over to an impostor", err, proof.KindSignIn)
	robin := client.New(c.conf.SocketPath())
	if s, err := c.client.HandOver(ctx, v.ID, api.SignIn{Operator: "kim", Secret: kimSecret}); err != nil || s.Operator.ID != "kim" {
		c.t.Fatalf("handing over: %+v: %v", s, err)
	}
	if v, err = c.client.Visit(ctx); err != nil || v.Operator != "kim" {
		c.t.Errorf("the visit is %s's: %v", v.Operator, err)
	}
	if _, err := robin.SignIn(ctx, api.SignIn{Operator: "robin", Secret: robinSecret}); err != nil {
		c.t.Fatal(err)
	}
	_, err = robin.Answer(ctx, v.ID, reply(v))
	kindIs(c.t, "answering after handing over", err, proof.KindNotAllowed)
	_, err = c.client.Answer(ctx, "another", reply(v))
	kindIs(c.t, "answering another visit", err, proof.KindNoVisit)
	_, err = c.client.HandOver(ctx, "another", api.SignIn{Operator: "robin", Secret: robinSecret})
	kindIs(c.t, "handing over another visit", err, proof.KindNoVisit)
	_, err = c.client.Answer(ctx, v.ID, api.Answer{Seen: v.Events - 1, Ask: v.Asks[0].Kind, Do: api.DoAbandon})
	kindIs(c.t, "answering what was seen earlier", err, proof.KindAskNotOpen)
}

func TestACounterThatIsNotEnrolled(t *testing.T) {
	t.Parallel()
	c := &counter{t: t, conf: configure(t, folder(t)), code: "code"}
	clerks, err := clerkstore.Open(c.conf.Data, vault(t, c.conf.Data))
	if err == nil {
		err = clerks.Expect(c.code)
	}
	if err != nil {
		t.Fatal(err)
	}
	c.client = client.New(c.conf.SocketPath())
	c.run()
	if s, err := c.client.Status(t.Context()); err != nil || s.Enrolled || s.Training {
		t.Errorf("the status is %+v: %v", s, err)
	}
	c.first()
	_, err = c.client.StartVisit(t.Context(), api.NewVisit{Route: proof.PhotoDocument})
	kindIs(t, "a visit", err, proof.KindNotEnrolled)
	if d, err := c.client.Devices(t.Context()); err != nil || len(d.Devices) != 0 {
		t.Errorf("simulated devices serve outside training: %+v: %v", d, err)
	}
}

// command runs one of the daemon's commands over a configuration.
func (c *counter) command(in string, args ...string) (string, error) {
	c.t.Helper()
	file := filepath.Join(c.t.TempDir(), "counter.json")
	b, err := json.Marshal(c.conf)
	if err == nil {
		err = os.WriteFile(file, b, 0o600)
	}
	if err != nil {
		c.t.Fatal(err)
	}
	for _, cmd := range daemon.Commands() {
		if cmd.Name() != args[0] {
			continue
		}
		var out bytes.Buffer
		cmd.SetArgs(append(args[1:], "--config", file))
		cmd.SetIn(strings.NewReader(in))
		cmd.SetOut(&out)
		cmd.SetErr(&out)
		err := cmd.ExecuteContext(c.t.Context())
		return out.String(), err
	}
	c.t.Fatalf("there is no command %s", args[0])
	return "", nil
}

// TestEnrolSecondPerson: an enrolment that needs a second person says so, and how,
// once, and goes on when it is given again after the approval.
func TestEnrolSecondPerson(t *testing.T) {
	t.Parallel()
	centre := newCentre(t)
	invite := centre.invite(t, central.Invitation{Site: site, By: "pat", Second: true})
	c := &counter{t: t, conf: configure(t, folder(t))}
	ctx, stop := context.WithCancel(t.Context())
	var agent string
	_, err := daemon.Enrol(ctx, c.conf, invite, func(a string) { agent = a; stop() })
	if proof.KindOf(err) != proof.KindEnrolPending || !strings.HasPrefix(agent, "agent-") {
		t.Fatalf("%q waits: %v", agent, err)
	}
	people, err := centre.Office()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := (office.Staff{Office: people, By: "sam"}).Approve(t.Context(), wire.AgentID(agent)); err != nil {
		t.Fatal(err)
	}
	out, err := c.command(invite+"\n", "enrol")
	if err != nil || !strings.Contains(out, site) || strings.Contains(out, "approve") {
		t.Errorf("after the approval it says %q: %v", out, err)
	}
}

func TestCommands(t *testing.T) {
	t.Parallel()
	centre := newCentre(t)
	newOpener(t, centre.invite(t, central.Invitation{Opener: true}))
	c := &counter{t: t, conf: configure(t, folder(t))}
	if _, err := c.command("", "queue", "list"); err == nil {
		t.Error("the queue of a counter that never was is listed")
	}
	if _, err := c.command("nonsense\n", "enrol"); proof.KindOf(err) != proof.KindEnrolCode {
		t.Errorf("enrolling with nonsense: %v", err)
	}
	out, err := c.command(centre.invite(t, central.Invitation{Site: site})+"\n", "enrol")
	if err != nil || !strings.Contains(out, site) {
		t.Fatalf("enrolling says %q: %v", out, err)
	}
	_, c.code, _ = strings.Cut(strings.TrimSpace(out), "good once: ")
	c.client = client.New(c.conf.SocketPath())
	c.run()
	c.first()
	v := c.goTo(c.start(), proof.EndVisit, newPassport(t, 4, nil, nil).lines)
	if out, err := c.command("", "queue", "list"); err != nil || !strings.Contains(out, string(v.Ref)) {
		t.Errorf("listing beside the daemon: %q, %v", out, err)
	}
	c.stop()
	out, err = c.command("", "queue", "list")
	var item api.QueueItem
	if err != nil || json.Unmarshal([]byte(out), &item) != nil || item.Ref != v.Ref {
		t.Errorf("the list is %q, want the record %s: %v", out, v.Ref, err)
	}
	c.conf.Policy = "gpg45-of-tomorrow"
	if out, err := c.command("", "run"); err == nil {
		t.Errorf("running without a policy: %q", out)
	}
}
