package daemon

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"sync"
	"time"

	"github.com/counterproof/counterproof/agent/api"
)

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
			<-w // only tell sends, under the lock, so there is one to drop
		}
		w <- e
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
// §9.2). It needs a session only to begin; the stream tells when it ended.
func (s *server) events(w http.ResponseWriter, r *http.Request) {
	if _, err := s.operator(r); err != nil {
		s.refuse(w, r, err)
		return
	}
	watch := s.news.watch()
	defer s.news.leave(watch)
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	out := http.NewResponseController(w)
	if out.Flush() != nil {
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
			b, err := json.Marshal(e)
			if err != nil {
				slog.Error("event not written", "err", err.Error())
				continue
			}
			text = fmt.Appendf(nil, "event: %s\ndata: %s\n\n", e.Kind, b)
		}
		if _, err := w.Write(text); err != nil || out.Flush() != nil {
			return
		}
	}
}

// preview streams the frames of the captures that run.
func (s *server) preview(w http.ResponseWriter, r *http.Request) {
	if _, err := s.operator(r); err != nil {
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
	err := s.c.desk.Preview(r.Context(), func(jpeg []byte) error {
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
