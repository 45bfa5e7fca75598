package daemon

import (
	"bufio"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/counterproof/counterproof/agent/api"
	"github.com/counterproof/counterproof/agent/clerk"
)

// queueOf is an event that carries a number.
func queueOf(n int) api.Event { return api.Event{Kind: api.EventQueue, Queue: &api.Queue{Waiting: n}} }

func TestASlowWatcherNeverBlocks(t *testing.T) {
	t.Parallel()
	n := newNews()
	slow, brisk := n.watch(), n.watch()
	const told = 3 * newsBuffer
	for i := range told {
		n.tell(queueOf(i))
		if got := <-brisk; got.Queue.Waiting != i {
			t.Fatalf("the brisk watcher heard %d, want %d", got.Queue.Waiting, i)
		}
	}
	if len(slow) != newsBuffer {
		t.Fatalf("%d events wait for the slow watcher, want %d", len(slow), newsBuffer)
	}
	for i := told - newsBuffer; i < told; i++ { // the oldest were dropped
		if got := <-slow; got.Queue.Waiting != i {
			t.Errorf("the slow watcher heard %d, want %d", got.Queue.Waiting, i)
		}
	}
	n.leave(slow)
	n.tell(queueOf(0))
	if len(slow) != 0 || len(n.watchers) != 1 {
		t.Error("a watcher who left is still told")
	}
}

func TestWatchersWhoReadWhileTold(t *testing.T) {
	t.Parallel()
	n := newNews()
	var wg sync.WaitGroup
	ctx, cancel := context.WithCancel(t.Context())
	for range 3 {
		w := n.watch()
		wg.Go(func() {
			defer n.leave(w)
			last := -1
			for ctx.Err() == nil {
				select {
				case e := <-w:
					if e.Queue.Waiting <= last {
						t.Errorf("heard %d after %d", e.Queue.Waiting, last)
					}
					last = e.Queue.Waiting
				case <-ctx.Done():
				}
			}
		})
	}
	for i := range 20_000 {
		n.tell(queueOf(i))
	}
	cancel()
	wg.Wait()
}

// stream is a watcher's end of the event stream.
type stream struct {
	*httptest.ResponseRecorder
	wrote chan string
}

// Write passes on what is written.
func (s stream) Write(b []byte) (int, error) {
	s.wrote <- string(b)
	return len(b), nil
}

// Flush has nothing to do.
func (s stream) Flush() {}

// watching begins to watch as robin and gives what is written.
func watching(t *testing.T, s *server) (stream, context.CancelFunc) {
	t.Helper()
	token := s.sessions.begin(robin, time.Now()).Token
	ctx, cancel := context.WithCancel(t.Context())
	r := httptest.NewRequestWithContext(ctx, http.MethodGet, api.PathEvents, nil)
	r.Header.Set(api.TokenHeader, token)
	w := stream{httptest.NewRecorder(), make(chan string)}
	go func() {
		s.events(w, r)
		close(w.wrote)
	}()
	synctest.Wait()
	return w, cancel
}

func TestStreamTellsAndBeats(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &server{sessions: newSessions(), news: newNews()}
		w, cancel := watching(t, s)
		began := time.Now()
		if got := <-w.wrote; !strings.HasPrefix(got, "event: visit\n") || time.Since(began) != 0 {
			t.Errorf("the stream begins with %q after %s, want a word to read the visit at once", got, time.Since(began))
		}
		if got := <-w.wrote; got != ":\n\n" || time.Since(began) != heartbeat {
			t.Errorf("the first sign is %q after %s", got, time.Since(began))
		}
		s.news.tell(api.Event{Kind: api.EventVisit, Visit: "case7"})
		got := <-w.wrote
		if !strings.HasPrefix(got, "event: visit\ndata: ") || !strings.HasSuffix(got, "\n\n") {
			t.Errorf("got %q", got)
		}
		var e api.Event
		data := strings.TrimPrefix(strings.Split(got, "\n")[1], "data: ")
		if err := json.Unmarshal([]byte(data), &e); err != nil || e.Visit != "case7" {
			t.Errorf("the event reads %+v: %v", e, err)
		}
		cancel()
		if _, more := <-w.wrote; more || len(s.news.watchers) != 0 {
			t.Error("a watcher who went away is still there")
		}
	})
}

func TestStreamEndsWithTheSession(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &server{sessions: newSessions(), news: newNews()}
		w, cancel := watching(t, s)
		defer cancel()
		began, last := time.Now(), ""
		for text := range w.wrote {
			last = text
		}
		if !strings.HasPrefix(last, "event: session\n") {
			t.Errorf("the stream ends with %q", last)
		}
		if d := time.Since(began); d < clerk.IdleEnd || d > clerk.IdleEnd+heartbeat {
			t.Errorf("it ends after %s", d)
		}
	})
}

func TestStreamNeedsASession(t *testing.T) {
	t.Parallel()
	s := &server{sessions: newSessions(), news: newNews()}
	for path, h := range map[string]http.HandlerFunc{api.PathEvents: s.events, api.PathPreview: s.preview, api.PathPictures: s.picture} {
		w := httptest.NewRecorder()
		h(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil))
		line, err := bufio.NewReader(w.Body).ReadString('\n')
		if w.Code != http.StatusUnauthorized || !strings.Contains(line, `"session_ended"`) {
			t.Errorf("%s without a session: %d %s %v", path, w.Code, line, err)
		}
	}
	if len(s.news.watchers) != 0 {
		t.Error("a stranger watches")
	}
}
