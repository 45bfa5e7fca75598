package client_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/counterproof/counterproof/agent/api"
	"github.com/counterproof/counterproof/agent/api/client"
	"github.com/counterproof/counterproof/agent/proof"
)

// daemon answers on a Unix socket as h does, and gives a client of it. Its
// folder is short, because the system bounds the length of a socket's path.
func daemon(t *testing.T, h http.HandlerFunc) *client.Client {
	t.Helper()
	dir, err := os.MkdirTemp("", "client")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	socket := filepath.Join(dir, "s")
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	s := &httptest.Server{Listener: l, Config: &http.Server{Handler: h, ReadHeaderTimeout: time.Minute}}
	s.Start()
	t.Cleanup(func() {
		s.CloseClientConnections()
		s.Close()
	})
	return client.New(socket)
}

// asked is a request as the daemon saw it.
type asked struct{ line, token, body string }

// call is one method of the client: what it asks, what the daemon answers and
// what the caller gets.
type call struct {
	name   string
	do     func(context.Context, *client.Client) (any, error)
	asks   string // verb and path
	body   any    // sent, nil for none
	answer any
}

// result makes a method without an answer look like the others.
func result(err error) (any, error) { return struct{}{}, err }

// calls are all methods that ask once and get one answer.
func calls() []call {
	at := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	robin := api.SignIn{Operator: "robin", Secret: "470126"}
	first := api.FirstClerk{Code: "abc", Name: "Robin Vale", Secret: "470126"}
	unlock := api.Unlock{Supervisor: robin, Operator: "kim"}
	begin := api.NewVisit{Route: proof.PhotoDocument, Language: "cy"}
	answer := api.Answer{Seen: 4, Ask: proof.ExamineDocument, Exam: &api.Examination{Original: true}}
	session := api.Session{Token: "new", Operator: proof.Operator{ID: "robin"}}
	visit := api.Visit{ID: "case7", Events: 5, Asks: []proof.Ask{{Kind: proof.ExamineDocument}}}
	list := api.QueueList{Items: []api.QueueItem{{Seq: 1, Ref: "R", At: at, State: "acked"}}}
	trial := api.Trial{Device: "usb:1-2", Can: "camera"}
	type ctx = context.Context
	type cl = *client.Client
	return []call{
		{"status", func(x ctx, c cl) (any, error) { return c.Status(x) }, "GET /v1/status", nil, api.Status{Site: "FWC87", Enrolled: true}},
		{"first-clerk", func(x ctx, c cl) (any, error) { return c.FirstClerk(x, first) }, "POST /v1/first-clerk", first, session},
		{"sign-in", func(x ctx, c cl) (any, error) { return c.SignIn(x, robin) }, "POST /v1/sessions", robin, session},
		{"sign-out", func(x ctx, c cl) (any, error) { return result(c.SignOut(x)) }, "DELETE /v1/sessions", nil, struct{}{}},
		{"unlock", func(x ctx, c cl) (any, error) { return result(c.Unlock(x, unlock)) }, "POST /v1/unlock", unlock, struct{}{}},
		{"start-visit", func(x ctx, c cl) (any, error) { return c.StartVisit(x, begin) }, "POST /v1/visits", begin, visit},
		{"visit", func(x ctx, c cl) (any, error) { return c.Visit(x) }, "GET /v1/visits/current", nil, visit},
		{"answer", func(x ctx, c cl) (any, error) { return c.Answer(x, "case7", answer) }, "POST /v1/visits/case7/answers", answer, visit},
		{"hand-over", func(x ctx, c cl) (any, error) { return c.HandOver(x, "case7", robin) }, "POST /v1/visits/case7/hand-over", robin, session},
		{"queue", func(x ctx, c cl) (any, error) { return c.Queue(x) }, "GET /v1/queue", nil, list},
		{"doctor", func(x ctx, c cl) (any, error) { return c.Doctor(x) }, "GET /v1/doctor", nil, api.Checkup{At: at, Site: "FWC87"}},
		{"try", func(x ctx, c cl) (any, error) { return c.Try(x, trial) }, "POST /v1/doctor/trial", trial, api.TrialResult{Can: "camera"}},
		{"identify", func(x ctx, c cl) (any, error) { return c.Identify(x, "mrz_reader") }, "POST /v1/doctor/identify", api.Trial{Can: "mrz_reader"}, api.TrialResult{Device: "usb:1-4"}},
		{"print-findings", func(x ctx, c cl) (any, error) { return result(c.PrintFindings(x)) }, "POST /v1/doctor/report", struct{}{}, struct{}{}},
		{"devices", func(x ctx, c cl) (any, error) { return c.Devices(x) }, "GET /v1/devices", nil, api.DeviceList{Devices: []api.Device{{Name: "camera"}}}},
	}
}

func TestEveryMethodAsksAndUnderstands(t *testing.T) {
	t.Parallel()
	for _, want := range calls() {
		t.Run(want.name, func(t *testing.T) {
			t.Parallel()
			var got asked
			c := daemon(t, func(w http.ResponseWriter, r *http.Request) {
				b, _ := io.ReadAll(r.Body)
				got = asked{r.Method + " " + r.URL.Path, r.Header.Get(api.TokenHeader), string(b)}
				_ = json.NewEncoder(w).Encode(want.answer)
			})
			c.SetToken("old")
			answer, err := want.do(t.Context(), c)
			if err != nil || !reflect.DeepEqual(answer, want.answer) {
				t.Errorf("got %+v, want %+v: %v", answer, want.answer, err)
			}
			if got.line != want.asks || got.token != "old" || got.body != written(t, want.body) {
				t.Errorf("the daemon was asked %q with token %q and body %s", got.line, got.token, got.body)
			}
		})
	}
}

// written is a body as JSON, nothing for nil.
func written(t *testing.T, v any) string {
	t.Helper()
	if v == nil {
		return ""
	}
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestSessionsAreKept(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var tokens []string
	n := 0
	c := daemon(t, func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		n++
		tokens = append(tokens, r.Header.Get(api.TokenHeader))
		_ = json.NewEncoder(w).Encode(api.Session{Token: fmt.Sprint("t", n)})
	})
	ctx := t.Context()
	for _, do := range []func() error{
		func() error { _, err := c.FirstClerk(ctx, api.FirstClerk{}); return err },
		func() error { _, err := c.SignIn(ctx, api.SignIn{}); return err },
		func() error { _, err := c.HandOver(ctx, "x", api.SignIn{}); return err },
		func() error { return c.SignOut(ctx) },
		func() error { _, err := c.Status(ctx); return err },
	} {
		if err := do(); err != nil {
			t.Fatal(err)
		}
	}
	mu.Lock()
	defer mu.Unlock()
	if want := []string{"", "t1", "t2", "t3", ""}; !slices.Equal(tokens, want) {
		t.Errorf("sent tokens %q, want %q", tokens, want)
	}
}

func TestAFailedSignInKeepsTheSession(t *testing.T) {
	t.Parallel()
	token := ""
	c := daemon(t, func(w http.ResponseWriter, r *http.Request) {
		token = r.Header.Get(api.TokenHeader)
		refuse(w, http.StatusUnauthorized, api.Problem{Kind: proof.KindSignIn})
	})
	c.SetToken("mine")
	for range 2 {
		if _, err := c.SignIn(t.Context(), api.SignIn{}); proof.KindOf(err) != proof.KindSignIn {
			t.Errorf("got %v", err)
		}
	}
	if token != "mine" {
		t.Errorf("the next request carried %q", token)
	}
}

// refuse answers a Problem.
func refuse(w http.ResponseWriter, status int, p api.Problem) {
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(p)
}

func TestProblemsBecomeTheirKinds(t *testing.T) {
	t.Parallel()
	for _, kind := range proof.Kinds() {
		for _, until := range []time.Time{{}, time.Date(2026, 11, 22, 10, 15, 0, 0, time.UTC)} {
			c := daemon(t, func(w http.ResponseWriter, _ *http.Request) {
				refuse(w, http.StatusConflict, api.Problem{Kind: kind, Until: until})
			})
			_, err := c.Status(t.Context())
			if proof.KindOf(err) != kind || !client.Until(err).Equal(until) {
				t.Errorf("%s until %s came as %v until %s", kind, until, err, client.Until(err))
			}
		}
	}
	if !client.Until(errors.New("another")).IsZero() || !client.Until(nil).IsZero() {
		t.Error("an error that knows no time tells one")
	}
}

// full writes n bytes as a body.
func full(status int, n int64) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		piece := bytes.Repeat([]byte(" "), 1<<16)
		for ; n > 0; n -= int64(len(piece)) {
			if _, err := w.Write(piece); err != nil {
				return
			}
		}
	}
}

// says answers with a text.
func says(status int, text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, text)
	}
}

// broken promises more than it sends.
func broken(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Length", "100")
	_, _ = io.WriteString(w, `{"token":`)
}

func TestBadAnswersAreRefused(t *testing.T) {
	t.Parallel()
	status := func(ctx context.Context, c *client.Client) error { _, err := c.Status(ctx); return err }
	picture := func(ctx context.Context, c *client.Client) error { _, err := c.Picture(ctx, "x", "p"); return err }
	events := func(ctx context.Context, c *client.Client) error { return c.Events(ctx, func(api.Event) {}) }
	preview := func(ctx context.Context, c *client.Client) error {
		return c.Preview(ctx, func([]byte) bool { return true })
	}
	for name, bad := range map[string]struct {
		daemon http.HandlerFunc
		do     func(context.Context, *client.Client) error
		want   proof.Kind
	}{
		"answer/oversized":     {full(200, 4<<20+1), status, proof.KindInternal},
		"answer/no-json":       {says(200, "<html>"), status, proof.KindInternal},
		"answer/empty":         {says(200, ""), status, proof.KindInternal},
		"answer/cut-off":       {broken, status, proof.KindDaemonAway},
		"answer/no-content":    {says(204, ""), status, proof.KindInternal},
		"problem/oversized":    {full(500, 4<<20+1), status, proof.KindInternal},
		"problem/no-json":      {says(502, "bad gateway"), status, proof.KindInternal},
		"problem/without-kind": {says(500, "{}"), status, proof.KindInternal},
		"picture/oversized":    {full(200, 32<<20+1), picture, proof.KindInternal},
		"picture/cut-off":      {broken, picture, proof.KindDaemonAway},
		"events/line-too-long": {full(200, 2<<20), events, proof.KindDaemonAway},
		"events/no-json":       {says(200, "data: {\n\n"), events, proof.KindInternal},
		"events/end":           {says(200, ":\n\n"), events, proof.KindDaemonAway},
		"events/problem":       {says(401, `{"kind":"session_ended"}`), events, proof.KindSessionEnded},
		"preview/no-type":      {says(200, ""), preview, proof.KindInternal},
		"preview/problem":      {says(401, `{"kind":"session_ended"}`), preview, proof.KindSessionEnded},
		"preview/oversized":    {frames(bytes.Repeat([]byte("x"), 32<<20+1)), preview, proof.KindInternal},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := bad.do(t.Context(), daemon(t, bad.daemon))
			if _, ok := errors.AsType[*proof.Error](err); !ok || proof.KindOf(err) != bad.want {
				t.Errorf("got %v, want %s", err, bad.want)
			}
		})
	}
}

func TestAnswersOfTheLargestSizeAreTaken(t *testing.T) {
	t.Parallel()
	c := daemon(t, full(200, 32<<20))
	if b, err := c.Picture(t.Context(), "x", "p"); err != nil || len(b) != 32<<20 {
		t.Errorf("a picture of the largest size gives %d bytes: %v", len(b), err)
	}
}

func TestDaemonAway(t *testing.T) {
	t.Parallel()
	c := client.New(filepath.Join(t.TempDir(), "nobody"))
	for _, want := range calls() {
		_, err := want.do(t.Context(), c)
		if _, ok := errors.AsType[*proof.Error](err); !ok || proof.KindOf(err) != proof.KindDaemonAway {
			t.Errorf("%s without a daemon: %v", want.name, err)
		}
	}
}

func TestCallersWhoGiveUp(t *testing.T) {
	t.Parallel()
	inside := make(chan struct{}, 4)
	c := daemon(t, func(w http.ResponseWriter, r *http.Request) {
		_ = http.NewResponseController(w).Flush()
		inside <- struct{}{}
		<-r.Context().Done()
	})
	for name, do := range map[string]func(context.Context) error{
		"status": func(ctx context.Context) error { _, err := c.Status(ctx); return err },
		"events": func(ctx context.Context) error { return c.Events(ctx, func(api.Event) {}) },
	} {
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- do(ctx) }()
		<-inside
		cancel()
		if err := <-ended; proof.KindOf(err) != proof.KindCancelled {
			t.Errorf("%s, cancelled: %v", name, err)
		}
	}
	// A caller who waited long enough was left alone by the daemon.
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	if _, err := c.Status(ctx); proof.KindOf(err) != proof.KindDaemonAway {
		t.Errorf("a daemon that hangs: %v", err)
	}
}

func TestEventsAmongHeartbeatsAndJunk(t *testing.T) {
	t.Parallel()
	stream := strings.Join([]string{
		":", "", "event: guidance", `data: {"kind":"guidance","guidance":"glare","role":"document_camera"}`, "",
		"retry: 10", "id: 7", "nonsense", "data", "dataless: {", ": data: {\"kind\":\"junk\"}", "\x00\xff", "",
		"event: queue\r", `data:{"kind":"queue","queue":{"waiting":3}}` + "\r", "\r", `data: {"kind":"visit","visit":"case7"}`, "", "",
	}, "\n")
	c := daemon(t, says(200, stream))
	var heard []api.Event
	err := c.Events(t.Context(), func(e api.Event) { heard = append(heard, e) })
	if proof.KindOf(err) != proof.KindDaemonAway {
		t.Errorf("the stream's end: %v", err)
	}
	want := []api.Event{
		{Kind: api.EventGuidance, Guidance: proof.KindGlare, Role: "document_camera"},
		{Kind: api.EventQueue, Queue: &api.Queue{Waiting: 3}},
		{Kind: api.EventVisit, Visit: "case7"},
	}
	if !reflect.DeepEqual(heard, want) {
		t.Errorf("heard %+v, want %+v", heard, want)
	}
}

// frames answers pictures as the daemon's preview does.
func frames(pictures ...[]byte) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "multipart/x-mixed-replace; boundary=cut")
		for _, p := range pictures {
			_, _ = fmt.Fprintf(w, "--cut\r\nContent-Type: image/jpeg\r\n\r\n%s\r\n", p)
		}
		_, _ = io.WriteString(w, "--cut--\r\n")
	}
}

func TestPreviewShowsFrames(t *testing.T) {
	t.Parallel()
	sent := [][]byte{[]byte("one"), []byte("two\r\n--cu"), []byte("three")}
	c := daemon(t, frames(sent...))
	var shown [][]byte
	show := func(until int) func([]byte) bool {
		shown = nil
		return func(b []byte) bool {
			shown = append(shown, b)
			return len(shown) < until
		}
	}
	if err := c.Preview(t.Context(), show(2)); err != nil || !reflect.DeepEqual(shown, sent[:2]) {
		t.Errorf("a viewer who has seen enough got %q: %v", shown, err)
	}
	if err := c.Preview(t.Context(), show(9)); proof.KindOf(err) != proof.KindDaemonAway || !reflect.DeepEqual(shown, sent) {
		t.Errorf("the end of the preview after %q: %v", shown, err)
	}
}

func TestNamesCannotLeaveTheirPlace(t *testing.T) {
	t.Parallel()
	// Names come from the daemon; one that is broken must not ask something else.
	paths := make(chan string, 8)
	c := daemon(t, func(_ http.ResponseWriter, r *http.Request) { paths <- r.URL.EscapedPath() })
	for _, name := range []proof.PictureID{"a?b", "../../status", "a%zz", "a b\x00", "{id}"} {
		if _, err := c.Picture(t.Context(), "x", name); err != nil {
			t.Errorf("%q: %v", name, err)
			continue
		}
		if got := <-paths; !strings.HasPrefix(got, "/v1/visits/x/pictures/") || strings.Count(got, "/") != 5 {
			t.Errorf("%q asks %s", name, got)
		}
	}
}
