package window

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"image"
	"image/jpeg"
	"io"
	"mime/multipart"
	"net"
	"net/http"
	"net/textproto"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/test"

	"github.com/counterproof/counterproof/agent/api"
	"github.com/counterproof/counterproof/agent/proof"
	"github.com/counterproof/counterproof/ui/view"
)

// counter is a daemon of the test's own: it answers the local interface from a
// script of asks.
type counter struct {
	mu       sync.Mutex
	status   api.Status
	visit    *api.Visit
	asks     [][]proof.Ask // what is asked after each answer
	answers  []api.Answer
	token    string
	problem  proof.Kind // the next request but status fails with it
	features []string   // of every document
	events   chan api.Event
	captured chan bool // ends a capture: true is a good picture
	reads    int       // of the visit
	seconds  []api.SecondSignIn
	begun    []api.NewVisit
	seen     []api.NoticeSeen
	news     []api.Notice
	late     []api.Notice // what the centre has when it is asked
	deaf     proof.Kind   // why it cannot be asked
	office
	ward
}

// newCounter serves a counter on a socket until the test ends.
func newCounter(t *testing.T) (*counter, string) {
	c := &counter{
		status:   api.Status{Site: "FV123", Enrolled: true, Training: true, Languages: []string{"en", "cy"}, Queue: api.Queue{SafeOff: true}},
		events:   make(chan api.Event, 8),
		captured: make(chan bool),
	}
	path := filepath.Join(t.TempDir(), "s")
	c.serve(t, path)
	return c, path
}

// serve listens; what it returns goes away.
func (c *counter) serve(t *testing.T, path string) (away func()) {
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	srv := &http.Server{Handler: c.handler(), BaseContext: func(net.Listener) context.Context { return ctx }}
	go srv.Serve(l)
	away = func() {
		cancel()
		srv.Close()
	}
	t.Cleanup(away)
	return away
}

// handler routes the requests.
func (c *counter) handler() http.Handler {
	mux := http.NewServeMux()
	on := func(pattern string, h func(r *http.Request) (any, proof.Kind)) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			body, kind := h(r)
			if kind != "" {
				w.WriteHeader(http.StatusConflict)
				body = api.Problem{Kind: kind}
			}
			json.NewEncoder(w).Encode(body)
		})
	}
	on("GET "+api.PathStatus, func(*http.Request) (any, proof.Kind) {
		c.mu.Lock()
		defer c.mu.Unlock()
		return c.status, ""
	})
	on("POST "+api.PathSessions, c.signIn)
	on("DELETE "+api.PathSessions, func(*http.Request) (any, proof.Kind) { return struct{}{}, "" })
	on("POST "+api.PathUnlock, func(*http.Request) (any, proof.Kind) { return struct{}{}, c.fail() })
	on("POST "+api.PathFirst, c.signIn)
	on("POST "+api.PathHandOver, c.signIn)
	on("POST "+api.PathSecond, func(r *http.Request) (any, proof.Kind) {
		var in api.SecondSignIn
		json.NewDecoder(r.Body).Decode(&in)
		c.mu.Lock()
		c.seconds = append(c.seconds, in)
		c.mu.Unlock()
		if k := c.fail(); k != "" {
			return nil, k
		}
		return c.next(), ""
	})
	on("GET "+api.PathNotices, func(*http.Request) (any, proof.Kind) {
		c.mu.Lock()
		defer c.mu.Unlock()
		return api.NoticeList{Notices: c.news}, ""
	})
	on("POST "+api.PathLook, func(*http.Request) (any, proof.Kind) {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.news = append(c.news, c.late...)
		return api.NoticeList{Notices: c.news}, c.deaf
	})
	on("POST "+api.PathNotices, func(r *http.Request) (any, proof.Kind) {
		var in api.NoticeSeen
		json.NewDecoder(r.Body).Decode(&in)
		c.mu.Lock()
		defer c.mu.Unlock()
		c.seen = append(c.seen, in)
		for i := range c.news {
			c.news[i].Seen = c.news[i].Seen || c.news[i].ID == in.ID
		}
		return struct{}{}, ""
	})
	c.clerkRoutes(on)
	c.doctorRoutes(mux, on)
	on("GET "+api.PathQueue, func(*http.Request) (any, proof.Kind) {
		return api.QueueList{Items: []api.QueueItem{{Ref: "CP-1AAA-22BB", State: "sealed"}}}, ""
	})
	on("GET "+api.PathDevices, func(*http.Request) (any, proof.Kind) { return api.DeviceList{}, "" })
	on("POST "+api.PathVisits, c.start)
	on("GET "+api.PathVisit, c.read)
	on("POST "+api.PathAnswers, c.answer)
	mux.HandleFunc("GET "+api.PathPictures, func(w http.ResponseWriter, _ *http.Request) { w.Write(picture()) })
	mux.HandleFunc("GET "+api.PathEvents, c.stream)
	mux.HandleFunc("GET "+api.PathPreview, c.film)
	return mux
}

// fail gives the planned failure once.
func (c *counter) fail() proof.Kind {
	c.mu.Lock()
	defer c.mu.Unlock()
	k := c.problem
	c.problem = ""
	return k
}

func (c *counter) signIn(*http.Request) (any, proof.Kind) {
	if k := c.fail(); k != "" {
		return nil, k
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.token = "token"
	return api.Session{Token: "token", Operator: proof.Operator{ID: "sam", Name: "Sam Example", Role: c.role}, Until: c.office.until}, ""
}

func (c *counter) start(r *http.Request) (any, proof.Kind) {
	var in api.NewVisit
	json.NewDecoder(r.Body).Decode(&in)
	if k := c.fail(); k != "" {
		return nil, k
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.begun = append(c.begun, in)
	c.visit = &api.Visit{ID: "VISIT", Route: in.Route, Language: in.Language, Operator: "sam", Events: 1, Asks: c.asks[0]}
	c.asks = c.asks[1:]
	return *c.visit, ""
}

func (c *counter) read(*http.Request) (any, proof.Kind) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.reads++
	if c.visit == nil {
		return nil, proof.KindNoVisit
	}
	return *c.visit, ""
}

func (c *counter) answer(r *http.Request) (any, proof.Kind) {
	var in api.Answer
	json.NewDecoder(r.Body).Decode(&in)
	c.mu.Lock()
	c.answers = append(c.answers, in)
	c.mu.Unlock()
	if in.Do == api.DoCancel {
		c.captured <- false
		return c.read(r)
	}
	if in.Do == api.DoAnswer && slices.Contains(captures, in.Ask) && !<-c.captured {
		return nil, proof.KindCancelled
	}
	if k := c.fail(); k != "" {
		return nil, k
	}
	if in.Do == api.DoConcern {
		return c.read(r)
	}
	if in.Do == api.DoTable {
		c.mu.Lock()
		c.visit.Events++
		c.visit.Plans = []api.Plan{{Level: proof.Low, Profile: "L1B", Steps: []api.PlanStep{{Code: "step_key", Type: proof.UKLicence}}}}
		c.mu.Unlock()
		return c.read(r)
	}
	return c.next(), ""
}

// next goes on to what the script asks next.
func (c *counter) next() api.Visit {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.visit.Events++
	c.visit.Choices = []api.Choice{{Type: proof.Passport}, {Type: proof.UKLicence}}
	c.visit.Asks, c.visit.Ended, c.visit.Ref = nil, true, "CP-7K2M-49QX"
	c.visit.Document = &api.Document{Features: c.features}
	if len(c.asks) > 0 {
		c.visit.Asks, c.visit.Ended, c.asks = c.asks[0], false, c.asks[1:]
		if c.visit.Asks[0].Kind == proof.ConfirmResult {
			c.visit.Outcome = &proof.Outcome{Result: proof.Proved, Level: proof.Low, Profile: "L1B"}
		}
	}
	return *c.visit
}

// began waits until a capture has begun.
func (c *counter) began(t *testing.T) {
	t.Helper()
	for range 4000 {
		c.mu.Lock()
		n := len(c.answers)
		c.mu.Unlock()
		if n > 0 {
			return
		}
		<-time.After(5 * time.Millisecond)
	}
	t.Fatal("no capture began")
}

func (c *counter) stream(w http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	known := c.token != "" && r.Header.Get(api.TokenHeader) == c.token
	c.mu.Unlock()
	if !known {
		w.WriteHeader(http.StatusUnauthorized)
		json.NewEncoder(w).Encode(api.Problem{Kind: proof.KindSessionEnded})
		return
	}
	w.(http.Flusher).Flush()
	for {
		select {
		case e := <-c.events:
			b, _ := json.Marshal(e)
			fmt.Fprintf(w, "data: %s\n\n", b)
			w.(http.Flusher).Flush()
		case <-r.Context().Done():
			return
		}
	}
}

// film sends frames until nobody looks any more.
func (c *counter) film(w http.ResponseWriter, r *http.Request) {
	m := multipart.NewWriter(w)
	w.Header().Set("Content-Type", "multipart/x-mixed-replace; boundary="+m.Boundary())
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for r.Context().Err() == nil {
		part, err := m.CreatePart(textproto.MIMEHeader{"Content-Type": {"image/jpeg"}})
		if err != nil {
			return
		}
		part.Write(picture())
		w.(http.Flusher).Flush()
		<-tick.C
	}
}

// picture is a small grey JPEG.
func picture() []byte {
	var b bytes.Buffer
	jpeg.Encode(&b, image.NewGray(image.Rect(0, 0, 64, 48)), nil)
	return b.Bytes()
}

// seat is a window of the test driver; the test's goroutine is its thread.
type seat struct {
	*Window
	t     *testing.T
	posts chan func()
}

// sit opens a window at a counter.
func sit(t *testing.T, socket string) *seat {
	t.Helper()
	s := &seat{t: t, posts: make(chan func(), 1000)}
	s.Window = Open(test.NewTempApp(t), Config{Socket: socket, Language: "en"})
	s.pump.post = func(f func()) { s.posts <- f }
	s.begin()
	t.Cleanup(func() {
		s.stop()
		s.pump.left.Wait()
	})
	return s
}

// until runs the window's thread until the condition holds.
func (s *seat) until(what string, holds func() bool) {
	s.t.Helper()
	limit := time.After(20 * time.Second)
	for !holds() {
		select {
		case f := <-s.posts:
			f()
		case <-limit:
			s.t.Fatalf("never: %s; on %s with problem %q", what, s.page.Name, s.state.Problem)
		}
	}
}

// on waits for a screen.
func (s *seat) on(name string) {
	s.t.Helper()
	s.until("screen "+name, func() bool { return s.page.Name == name && !s.state.Busy })
}

// digit presses a digit outside any field.
func (s *seat) digit(k fyne.KeyName) { s.page.KeyDown(&fyne.KeyEvent{Name: k}) }

// types writes into what has the focus.
func (s *seat) types(text string) {
	for _, r := range text {
		s.win.Canvas().Focused().TypedRune(r)
	}
}

// enters presses enter inside a field.
func (s *seat) enters() { s.win.Canvas().Focused().TypedKey(&fyne.KeyEvent{Name: fyne.KeyReturn}) }

// signsIn goes from the first screen to the one after signing in.
func (s *seat) signsIn() {
	s.t.Helper()
	s.on("sign_in")
	s.types("sam")
	s.win.Canvas().FocusNext()
	s.types("271828")
	s.enters()
}

// one is a single ask.
func one(k proof.AskKind) []proof.Ask { return []proof.Ask{{Kind: k}} }

func TestAVisitFromSignInToTheSlip(t *testing.T) {
	c, socket := newCounter(t)
	c.asks = [][]proof.Ask{
		one(proof.AskProofingConsent), {{Kind: proof.CaptureDocument}, {Kind: proof.KeyDocument}}, one(proof.AskFaceConsent),
		one(proof.ComparePerson), one(proof.EndVisit),
	}
	s := sit(t, socket)
	s.signsIn()
	s.on("home")
	s.form.SetText("language", "cy")
	s.digit(fyne.Key1)
	s.on("consent_proofing")
	if title := s.shown.Base().Title; title != "A gawn ni wirio pwy ydych chi?" {
		t.Errorf("the patient reads %q, want Welsh", title)
	}
	s.digit(fyne.Key1)
	s.on("capture_document")
	s.digit(fyne.Key1)
	s.until("camera's screen", func() bool { return s.page.Name == "capture_document_running" })
	c.events <- api.Event{Kind: api.EventGuidance, Guidance: proof.KindGlare}
	s.until("guidance", func() bool { return s.shown.(view.Capture).Guidance == "Tilt it a little or move the lamp." })
	c.captured <- true
	s.on("consent_face")
	s.digit(fyne.Key2)
	s.on("compare")
	s.digit(fyne.Key1)
	s.on("slip")
	s.digit(fyne.Key1)
	s.on("home")
	want := "ask_proofing_consent true, capture_document false, ask_face_consent false, compare_person false, end_visit false"
	var got []string
	for i, a := range c.answers {
		got = append(got, fmt.Sprintf("%s %v", a.Ask, a.Given))
		if a.Seen != i+1 {
			t.Errorf("answer %d has seen %d events", i, a.Seen)
		}
	}
	if strings.Join(got, ", ") != want || c.answers[3].Same != proof.Same {
		t.Errorf("answers were %v", got)
	}
}

func TestEscapeStopsTheCamera(t *testing.T) {
	c, socket := newCounter(t)
	c.asks = [][]proof.Ask{one(proof.CaptureFace)}
	s := sit(t, socket)
	s.signsIn()
	s.on("home")
	s.digit(fyne.Key1)
	s.on("capture_face")
	s.digit(fyne.Key1)
	s.until("camera's screen", func() bool { return s.page.Name == "capture_face_running" })
	c.began(t)
	s.page.Key(&fyne.KeyEvent{Name: fyne.KeyEscape})
	s.on("capture_face")
	if len(c.answers) != 2 || c.answers[1].Do != api.DoCancel || s.state.Problem != "" || s.preview != nil {
		t.Errorf("answers %v, problem %q", c.answers, s.state.Problem)
	}
}

func TestWrongPINKeepsTheNameOnly(t *testing.T) {
	c, socket := newCounter(t)
	c.problem = proof.KindSignIn
	s := sit(t, socket)
	s.signsIn()
	s.until("the problem", func() bool { return s.state.Problem == proof.KindSignIn })
	if s.form.Text("operator") != "sam" || s.form.Text("secret") != "" {
		t.Errorf("the form keeps %q and a secret of %d", s.form.Text("operator"), len(s.form.Text("secret")))
	}
	banner := s.shown.Base().Banners[0]
	if len(banner.Texts) != 2 || !strings.HasPrefix(banner.Texts[1], "Next: ") {
		t.Errorf("banner %v", banner)
	}
}

func TestAnOpenVisitComesBackAfterSigningIn(t *testing.T) {
	c, socket := newCounter(t)
	c.visit = &api.Visit{ID: "VISIT", Operator: "sam", Language: "en", Events: 5, Asks: one(proof.ExamineDocument)}
	c.status.OpenVisit = "VISIT"
	s := sit(t, socket)
	s.signsIn()
	s.on("examine")
	c.events <- api.Event{Kind: api.EventSession}
	s.on("sign_in")
	if s.state.Visit != nil || s.state.Session != nil || s.state.Problem != proof.KindSessionEnded {
		t.Errorf("after the session: %+v", s.state)
	}
}

func TestAnotherClerksVisitIsTakenOver(t *testing.T) {
	c, socket := newCounter(t)
	c.visit = &api.Visit{ID: "VISIT", Operator: "kim", Language: "en", Events: 5, Asks: one(proof.ExamineDocument)}
	s := sit(t, socket)
	s.signsIn()
	s.on("take_over")
	c.mu.Lock()
	c.visit.Operator = "sam"
	c.mu.Unlock()
	s.types("sam")
	s.enters()
	s.on("examine")
}

func TestAwayAndBackShowsTheVisitAsItIsNow(t *testing.T) {
	c := &counter{status: api.Status{Enrolled: true}, events: make(chan api.Event, 8), captured: make(chan bool)}
	c.asks = [][]proof.Ask{one(proof.AskProofingConsent)}
	path := filepath.Join(t.TempDir(), "s")
	away := c.serve(t, path)
	s := sit(t, path)
	s.signsIn()
	s.on("home")
	s.digit(fyne.Key1)
	s.on("consent_proofing")
	away()
	s.until("away", func() bool { return s.page.Name == "away" })
	c.mu.Lock() // the answer was taken, its reply was lost
	c.visit.Asks, c.visit.Events = one(proof.ExamineDocument), 9
	c.mu.Unlock()
	c.serve(t, path)
	s.on("examine")
	if s.state.Visit.Events != 9 || len(c.answers) != 0 {
		t.Errorf("events %d, answers %v", s.state.Visit.Events, c.answers)
	}
}

func TestARefusedAnswerReadsTheVisitAgain(t *testing.T) {
	c, socket := newCounter(t)
	c.asks = [][]proof.Ask{one(proof.AskProofingConsent)}
	s := sit(t, socket)
	s.signsIn()
	s.on("home")
	s.digit(fyne.Key1)
	s.on("consent_proofing")
	c.mu.Lock()
	c.problem, c.visit.Asks = proof.KindAskNotOpen, one(proof.AskFaceConsent)
	c.mu.Unlock()
	s.digit(fyne.Key1)
	s.on("consent_face")
	if s.state.Problem != proof.KindAskNotOpen {
		t.Errorf("problem %q", s.state.Problem)
	}
}

func TestLanguageAndSizeChangeAtRunTime(t *testing.T) {
	_, socket := newCounter(t)
	s := sit(t, socket)
	s.on("sign_in")
	s.types("sam")
	focus := s.win.Canvas().Focused()
	focus.TypedKey(&fyne.KeyEvent{Name: fyne.KeyF2})
	if title := s.shown.Base().Title; title != "Mewngofnodi" {
		t.Errorf("after F2 the title is %q", title)
	}
	for range 9 {
		s.win.Canvas().Focused().(fyne.Shortcutable).TypedShortcut(&desktop.CustomShortcut{KeyName: fyne.KeyEqual, Modifier: fyne.KeyModifierControl})
	}
	if s.size != 200 || s.form.Text("operator") != "sam" || s.page.Focused() != 0 {
		t.Errorf("size %d, typed %q, focus %d", s.size, s.form.Text("operator"), s.page.Focused())
	}
	s.shortcut(&desktop.CustomShortcut{KeyName: fyne.Key0, Modifier: fyne.KeyModifierControl})
	if s.size != 100 {
		t.Errorf("Ctrl 0 gives %d", s.size)
	}
}

func TestQueueAndUnlock(t *testing.T) {
	c, socket := newCounter(t)
	s := sit(t, socket)
	s.on("sign_in")
	s.do(view.Intent{Verb: view.DoOpen, Side: view.SideUnlock})
	s.on("unlock")
	s.do(view.Intent{Verb: view.DoUnlock})
	s.on("sign_in")
	if s.state.Said != "unlock.done" {
		t.Errorf("said %q", s.state.Said)
	}
	s.types("sam")
	s.enters()
	s.on("home")
	s.do(view.Intent{Verb: view.DoOpen, Side: view.SideQueue})
	s.until("the list", func() bool { q, ok := s.shown.(view.Queue); return ok && len(q.Items) == 1 })
	c.events <- api.Event{Kind: api.EventQueue, Queue: &api.Queue{Waiting: 2}}
	s.until("the queue's event", func() bool { return strings.Contains(s.head.Queue, "do not switch off") })
	s.do(view.Intent{Verb: view.DoClose})
	s.do(view.Intent{Verb: view.DoSignOut})
	s.on("sign_in")
}

func TestFirstClerk(t *testing.T) {
	c, socket := newCounter(t)
	c.status.NoClerks = true
	s := sit(t, socket)
	s.on("first_clerk")
	s.form.SetText("secret", "271828")
	s.digit(fyne.Key1)
	if s.state.Hint.Key != "first.differs" {
		t.Errorf("hint %q", s.state.Hint)
	}
	s.form.SetText("again", "271828")
	s.digit(fyne.Key1)
	s.on("home")
}

func TestPicturesOfAbsurdSizeAreRefused(t *testing.T) {
	var b bytes.Buffer
	jpeg.Encode(&b, image.NewGray(image.Rect(0, 0, 8, 8)), nil)
	raw := b.Bytes()
	at := bytes.Index(raw, []byte{0xff, 0xc0})
	copy(raw[at+5:], []byte{0xff, 0xff, 0xff, 0xff}) // 65535 × 65535
	if _, err := decode(raw); err == nil {
		t.Error("a picture of four thousand megapixels was decoded")
	}
	if _, err := decode([]byte("no picture")); err == nil {
		t.Error("something else was decoded")
	}
	if _, err := decode(picture()); err != nil {
		t.Error(err)
	}
}

func TestFlags(t *testing.T) {
	cfg, err := Parse([]string{"--socket", "/s", "--language", "cy", "--text-size", "200", "--full-screen"}, io.Discard)
	if want := (Config{"/s", "cy", 200, true}); err != nil || cfg != want {
		t.Errorf("%+v, %v", cfg, err)
	}
	for _, bad := range [][]string{{"--no-such-flag"}, {"stray"}, {"--text-size", "big"}, {"-h"}} {
		var out bytes.Buffer
		_, err := Parse(bad, &out)
		if err == nil || !strings.Contains(out.String(), "-socket") {
			t.Errorf("%v: %v and %q", bad, err, out.String())
		}
	}
	if _, err := Parse([]string{"-h"}, io.Discard); !errors.Is(err, flag.ErrHelp) {
		t.Errorf("asking for help gives %v", err)
	}
}

func TestRunEndsWithItsContext(t *testing.T) {
	_, socket := newCounter(t)
	w := Open(test.NewTempApp(t), Config{Socket: socket})
	w.pump.post = func(func()) {}
	ctx, end := context.WithCancel(t.Context())
	end()
	if err := w.Run(ctx); err != nil {
		t.Error(err)
	}
}
