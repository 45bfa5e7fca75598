package daemon

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"sync"
	"time"

	"github.com/counterproof/counterproof/agent/api"
)

// errSessionOver ends a stream whose session ended.
var errSessionOver = errors.New("the session ended")

// newsBuffer is how many events a slow watcher may fall behind; then the oldest
// go, because every event but guidance carries the newest state.
const newsBuffer = 32

// heartbeat keeps a stream's other end sure that we are here.
const heartbeat = 15 * time.Second

// news passes events to whoever watches. Telling never blocks.
type news struct {
	mu       sync.Mutex
	watchers map[chan api.Event]bool
}

func newNews() *news { return &news{watchers: map[chan api.Event]bool{}} }

// tell gives an event to every watcher.
func (n *news) tell(e api.Event) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for w := range n.watchers {
		if len(w) == cap(w) {
			select {
			case <-w:
			default: // the watcher was quicker
			}
		}
		w <- e // only tell sends, under the lock, so there is room
	}
}

func (n *news) watch() chan api.Event {
	n.mu.Lock()
	defer n.mu.Unlock()
	w := make(chan api.Event, newsBuffer)
	n.watchers[w] = true
	return w
}

func (n *news) leave(w chan api.Event) {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.watchers, w)
}

// events streams what changes, as server-sent events (HTML Living Standard
// §9.2), as long as the session lives: the last event tells that it ended.
// Watching is no sign of life.
func (s *server) events(w http.ResponseWriter, r *http.Request) {
	if _, err := s.operator(r); err != nil {
		s.refuse(w, r, err)
		return
	}
	token := r.Header.Get(api.TokenHeader)
	watch := s.news.watch()
	defer s.news.leave(watch)
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	out := http.NewResponseController(w)
	// The first event says that nothing is missed from here on: read what is.
	if _, err := w.Write(written(api.Event{Kind: api.EventVisit})); err != nil || out.Flush() != nil {
		return
	}
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	for {
		var text []byte
		select {
		case <-r.Context().Done():
			return
		case <-beat.C:
			text = []byte(":\n\n")
		case e := <-watch:
			text = written(e)
		}
		signedIn, why := s.sessions.alive(token, time.Now())
		if !signedIn {
			text = written(api.Event{Kind: api.EventSession, Why: why})
		}
		if _, err := w.Write(text); err != nil || out.Flush() != nil || !signedIn {
			return
		}
	}
}

// written is an event as it goes over the stream.
func written(e api.Event) []byte {
	b, err := json.Marshal(e)
	if err != nil {
		slog.Error("event not written", "err", err.Error())
	}
	return fmt.Appendf(nil, "event: %s\ndata: %s\n\n", e.Kind, b)
}

// preview streams the frames of the captures that run, as long as the session
// lives: nobody watches a patient after signing out.
func (s *server) preview(w http.ResponseWriter, r *http.Request) {
	viewer, err := s.operator(r)
	if err == nil {
		err = s.hasVisit(viewer)
	}
	if err != nil {
		s.refuse(w, r, err)
		return
	}
	parts := multipart.NewWriter(w)
	w.Header().Set("Content-Type", "multipart/x-mixed-replace; boundary="+parts.Boundary())
	w.Header().Set("Cache-Control", "no-store")
	out := http.NewResponseController(w)
	if out.Flush() != nil {
		return
	}
	token := r.Header.Get(api.TokenHeader)
	err = s.c.desk.Preview(r.Context(), viewer.ID, func(jpeg []byte) error {
		if signedIn, _ := s.sessions.alive(token, time.Now()); !signedIn || s.hasVisit(viewer) != nil {
			return errSessionOver
		}
		head := textproto.MIMEHeader{"Content-Type": {"image/jpeg"}, "Content-Length": {fmt.Sprint(len(jpeg))}}
		part, err := parts.CreatePart(head)
		if err != nil {
			return fmt.Errorf("beginning a frame: %w", err)
		}
		if _, err := part.Write(jpeg); err != nil {
			return fmt.Errorf("writing a frame: %w", err)
		}
		return out.Flush()
	})
	slog.Debug("preview ended", "err", fmt.Sprint(err))
}
