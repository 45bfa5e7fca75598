package uplink

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/counterproof/counterproof/sync/queue"
	"github.com/counterproof/counterproof/sync/seal"
	"github.com/counterproof/counterproof/sync/uplink/ask"
	"github.com/counterproof/counterproof/sync/wire"
)

// voice is an opener that tells this counter news.
type voice struct {
	t      testing.TB
	key    *ecdsa.PrivateKey
	public []byte
	number uint64
}

// newVoice makes an opener that the centre's next bundle names.
func newVoice(t testing.TB, c *centre) *voice {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	public, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	c.set(func() {
		c.version++
		before := c.bundle
		c.bundle = func(b *wire.Bundle) {
			if before != nil {
				before(b)
			}
			b.Openers = append(b.Openers, public)
		}
	})
	return &voice{t: t, key: key, public: public}
}

// notice is the opener's next, signed.
func (v *voice) notice(kind wire.NoticeKind) wire.Notice {
	v.t.Helper()
	v.number++
	n, err := seal.SignNotice(wire.Notice{
		Agent: agent, Number: v.number, Ref: wire.RecordID{byte(v.number)}.Ref(), Kind: kind, At: time.Now(),
	}, v.key)
	if err != nil {
		v.t.Fatal(err)
	}
	return n
}

// tells puts notices into the counter's list at the centre.
func (v *voice) tells(c *centre, kinds ...wire.NoticeKind) {
	v.t.Helper()
	for _, k := range kinds {
		n := v.notice(k)
		c.set(func() { c.news = append(c.news, wire.Placed{N: uint64(len(c.news) + 1), Notice: n}) })
	}
}

// kinds are those of all news in the queue, in order.
func (n *counter) kinds() string {
	n.t.Helper()
	all, err := n.queue.News(context.Background(), queue.NewsFilter{})
	if err != nil {
		n.t.Fatal(err)
	}
	var words []string
	for _, news := range all {
		words = append(words, string(news.Notice.Kind))
	}
	return strings.Join(words, " ")
}

// collect collects and wants so much to be new.
func (n *counter) collect(want int) {
	n.t.Helper()
	if got, err := n.Collect(context.Background()); err != nil || got != want {
		n.t.Errorf("collected %d, %v; want %d", got, err, want)
	}
}

// missing is how many numbers never came.
func (n *counter) missing() int {
	n.t.Helper()
	s, err := n.queue.Status(context.Background())
	if err != nil {
		n.t.Fatal(err)
	}
	return s.NewsMissing
}

// TestCollect: news is kept page after page, acknowledged after it is kept, and
// told once.
func TestCollect(t *testing.T) {
	t.Parallel()
	c := newCentre(t)
	v := newVoice(t, c)
	n := newEnrolled(t, c)
	told := 0
	n.cfg.News = func(count int) { told += count }
	n.collect(0)
	v.tells(c, wire.NoticeReviewOpen, wire.NoticeNHSP9, "something_new", wire.NoticeMoreNeeded)
	kept := uint64(0)
	c.before = func(_ http.ResponseWriter, r *http.Request, _ []byte) bool {
		if strings.HasSuffix(r.URL.Path, "/ack") {
			var err error
			if kept, err = n.queue.NewsCursor(t.Context(), agent); err != nil || kept == 0 {
				t.Errorf("acknowledged with %d kept, %v", kept, err)
			}
		}
		return false
	}
	n.collect(4)
	if got := n.kinds(); got != "review_open nhs_p9 something_new more_needed" || c.acked != 4 || kept != 4 || told != 4 {
		t.Errorf("got %s, acknowledged %d, told of %d", got, c.acked, told)
	}
	n.collect(0)
	v.tells(c, wire.NoticeReviewPassed)
	n.collect(1)
	if told != 5 || c.acked != 5 || n.missing() != 0 {
		t.Errorf("told of %d, acknowledged %d, %d missing", told, c.acked, n.missing())
	}
}

// TestNoticesForged: what is not an opener's word to this counter is never
// shown as news; it is told as unreadable, and what is behind it still comes.
func TestNoticesForged(t *testing.T) {
	t.Parallel()
	for name, forge := range map[string]func(t *testing.T, c *centre, n *wire.Notice){
		"kind":   func(_ *testing.T, _ *centre, n *wire.Notice) { n.Kind = wire.NoticeNHSP9 },
		"ref":    func(_ *testing.T, _ *centre, n *wire.Notice) { n.Ref = wire.RecordID{9}.Ref() },
		"number": func(_ *testing.T, _ *centre, n *wire.Notice) { n.Number = 7 },
		"signature": func(_ *testing.T, _ *centre, n *wire.Notice) {
			n.Sig = slices.Concat(n.Sig[:8], make([]byte, 8), n.Sig[16:])
		},
		"unsigned": func(_ *testing.T, _ *centre, n *wire.Notice) { n.Sig = nil },
		"lost":     func(_ *testing.T, _ *centre, n *wire.Notice) { *n = wire.Notice{} },
		"own-word": func(_ *testing.T, _ *centre, n *wire.Notice) { n.Kind = wire.NoticeUnreadable },
		"nobody-known": func(t *testing.T, _ *centre, n *wire.Notice) {
			*n = newVoice(t, newCentre(t)).notice(wire.NoticeNHSP9)
		},
		"for-another-counter": func(t *testing.T, c *centre, n *wire.Notice) {
			other := newVoice(t, c)
			signed, err := seal.SignNotice(wire.Notice{Agent: "agent-2", Number: 1, Ref: n.Ref, Kind: wire.NoticeNHSP9, At: n.At}, other.key)
			if err != nil {
				t.Fatal(err)
			}
			*n = signed
		},
		"by-the-centre": func(t *testing.T, c *centre, n *wire.Notice) {
			n.Kind, n.Key = wire.NoticeNHSP9, wire.KeyIDOf(c.signedBundle().Body)
			n.Sig, _ = c.key.Sign(rand.Reader, n.SignedBytes(), crypto.Hash(0))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCentre(t)
			v := newVoice(t, c)
			n := newEnrolled(t, c)
			v.tells(c, wire.NoticeReviewOpen, wire.NoticeReviewFailed, wire.NoticeLetterSent)
			forge(t, c, &c.news[1].Notice)
			page, err := n.Notices(t.Context(), 0)
			if err != nil || len(page.Notices) != 3 {
				t.Fatalf("got %d notices, %v", len(page.Notices), err)
			}
			if got := page.Notices[1].Notice; got.Kind != wire.NoticeUnreadable || got.Ref != "" || got.Agent != agent {
				t.Errorf("got %+v", got)
			}
			n.collect(3)
			if got := n.kinds(); got != "review_open unreadable letter_sent" || c.acked != 3 {
				t.Errorf("got %s, acknowledged %d", got, c.acked)
			}
			if n.missing() != 1 {
				t.Errorf("%d numbers are missing, want the one that was forged", n.missing())
			}
		})
	}
}

// TestNoticesNewOpener: news by an opener that the bundle at hand does not name
// is read with the next bundle, which is asked for once.
func TestNoticesNewOpener(t *testing.T) {
	t.Parallel()
	c := newCentre(t)
	n := newEnrolled(t, c)
	first, second := newVoice(t, c), newVoice(t, c)
	first.tells(c, wire.NoticeReviewOpen)
	second.tells(c, wire.NoticeNHSP9)
	first.tells(c, wire.NoticeReviewPassed)
	c.seen()
	n.collect(3)
	if got := n.kinds(); got != "review_open nhs_p9 review_passed" || n.missing() != 0 {
		t.Errorf("got %s, %d missing", got, n.missing())
	}
	bundles := 0
	for _, asked := range c.seen() {
		bundles += strings.Count(asked, "/v1/trust/bundle")
	}
	if bundles != 1 {
		t.Errorf("the bundle was asked for %d times", bundles)
	}
	third := newVoice(t, newCentre(t))
	third.tells(c, wire.NoticeNHSP5)
	c.before = func(w http.ResponseWriter, r *http.Request, _ []byte) bool {
		if r.URL.Path == "/v1/trust/bundle" {
			w.WriteHeader(403)
			return true
		}
		return false
	}
	if _, err := n.Collect(t.Context()); wire.KindOf(err) != wire.KindUnauthorised || c.acked != 3 {
		t.Errorf("got %v with %d acknowledged, want kind unauthorised and 3", err, c.acked)
	}
}

// TestCollectLostAnswers: an answer that is lost costs a question and doubles
// nothing, whichever it is.
func TestCollectLostAnswers(t *testing.T) {
	t.Parallel()
	for name, lost := range map[string]func(r *http.Request) bool{
		"page":            func(r *http.Request) bool { return strings.HasSuffix(r.URL.Path, "/notices") },
		"second-page":     func(r *http.Request) bool { return r.FormValue("after") == "3" },
		"acknowledgement": func(r *http.Request) bool { return strings.HasSuffix(r.URL.Path, "/ack") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCentre(t)
			v := newVoice(t, c)
			n := newEnrolled(t, c)
			v.tells(c, slices.Repeat([]wire.NoticeKind{wire.NoticeNHSP9}, 5)...)
			down := true
			c.before = func(w http.ResponseWriter, r *http.Request, _ []byte) bool {
				if down && lost(r) {
					w.WriteHeader(http.StatusNotFound)
					return true
				}
				return false
			}
			if _, err := n.Collect(t.Context()); wire.KindOf(err) != wire.KindProtocol {
				t.Errorf("got %v, want kind protocol", err)
			}
			c.set(func() { down = false })
			if _, err := n.Collect(t.Context()); err != nil {
				t.Error(err)
			}
			if got := strings.Count(n.kinds(), "nhs_p9"); got != 5 || c.acked != 5 {
				t.Errorf("%d are kept and %d acknowledged, want 5", got, c.acked)
			}
		})
	}
}

// TestCollectLastAckLost: an acknowledgement that was lost after everything was
// kept is made up for, though nothing new comes.
func TestCollectLastAckLost(t *testing.T) {
	t.Parallel()
	c := newCentre(t)
	v := newVoice(t, c)
	n := newEnrolled(t, c)
	v.tells(c, wire.NoticeNHSP9)
	n.collect(1)
	c.acked = 0
	n.collect(0)
	if c.acked != 1 {
		t.Errorf("acknowledged %d", c.acked)
	}
}

// TestCollectRestoredCentre: a centre that came back from an older copy, where
// the opener then posts again what was lost, gives the counter every notice,
// also one that stands at a place which the counter has passed.
func TestCollectRestoredCentre(t *testing.T) {
	t.Parallel()
	c := newCentre(t)
	one, other := newVoice(t, c), newVoice(t, c)
	n := newEnrolled(t, c)
	one.tells(c, wire.NoticeReviewOpen)
	backup := slices.Clone(c.news)
	other.tells(c, wire.NoticeNHSP9)
	one.tells(c, wire.NoticeReviewPassed)
	n.collect(3)
	lost := c.news[1:]
	c.news, c.acked = backup, 1
	n.collect(0)
	if n.kinds() != "review_open nhs_p9 review_passed" {
		t.Errorf("got %s", n.kinds())
	}
	// Both openers post again, in another order, and one has something new.
	fresh := other.notice(wire.NoticeMoreNeeded)
	for i, notice := range []wire.Notice{lost[1].Notice, fresh, lost[0].Notice} {
		c.news = append(c.news, wire.Placed{N: uint64(i + 2), Notice: notice})
	}
	n.collect(1)
	if n.kinds() != "review_open nhs_p9 review_passed more_needed" || n.missing() != 0 {
		t.Errorf("got %s, %d missing", n.kinds(), n.missing())
	}
}

// TestCollectMissing: where a number is missing the list is read once more from
// its beginning, which finds what stands before the cursor; what is withheld is
// told, and does not make the counter ask for ever.
func TestCollectMissing(t *testing.T) {
	t.Parallel()
	c := newCentre(t)
	v := newVoice(t, c)
	n := newEnrolled(t, c)
	v.tells(c, wire.NoticeReviewOpen)
	n.collect(1)
	hidden := v.notice(wire.NoticeReviewPassed)
	v.tells(c, wire.NoticeNHSP9)
	n.collect(1)
	if n.missing() != 1 {
		t.Errorf("%d missing, want 1", n.missing())
	}
	c.seen()
	n.collect(0)
	if got := c.seen(); len(got) != 1 {
		t.Errorf("asked again and again: %v", got)
	}
	// The list is put in order behind the counter's cursor.
	c.news = []wire.Placed{c.news[0], {N: 2, Notice: hidden}, {N: 3, Notice: c.news[1].Notice}}
	v.notice(wire.NoticeLetterSent) // withheld
	v.tells(c, wire.NoticeMoreNeeded)
	c.news = append(c.news[:3:3], wire.Placed{N: 4, Notice: c.news[3].Notice})
	n.collect(2)
	if n.missing() != 1 || n.kinds() != "review_open nhs_p9 more_needed review_passed" {
		t.Errorf("got %s, %d missing", n.kinds(), n.missing())
	}
}

// TestCollectRefused: answers that make no sense are errors, and nothing of them
// is acknowledged.
func TestCollectRefused(t *testing.T) {
	t.Parallel()
	for name, s := range map[string]struct {
		status int
		page   func(*wire.NoticePage)
		body   string
		kind   wire.Kind
	}{
		"gap":        {page: func(p *wire.NoticePage) { p.Notices = p.Notices[1:] }, kind: wire.KindProtocol},
		"reordered":  {page: func(p *wire.NoticePage) { slices.Reverse(p.Notices) }, kind: wire.KindProtocol},
		"last-wrong": {page: func(p *wire.NoticePage) { p.Last = 1 }, kind: wire.KindProtocol},
		"too-many":   {page: func(p *wire.NoticePage) { p.Notices = make([]wire.Placed, wire.MaxNotices+1) }, kind: wire.KindProtocol},
		"html":       {status: 200, body: "<html>", kind: KindPortal},
		"no-end":     {status: 200, body: strings.Repeat(" ", ask.MaxAnswer+1), kind: wire.KindProtocol},
		"forbidden":  {status: 403, kind: wire.KindUnauthorised},
		"no-such":    {status: 404, kind: wire.KindProtocol},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCentre(t)
			v := newVoice(t, c)
			n := newEnrolled(t, c)
			v.tells(c, wire.NoticeReviewOpen, wire.NoticeNHSP9)
			c.page = s.page
			if s.page == nil {
				c.before = func(w http.ResponseWriter, _ *http.Request, _ []byte) bool {
					w.WriteHeader(s.status)
					_, _ = io.WriteString(w, s.body)
					return true
				}
			}
			if got, err := n.Collect(t.Context()); wire.KindOf(err) != s.kind || got != 0 {
				t.Errorf("got %d, %v; want kind %s", got, err, s.kind)
			}
			if n.kinds() != "" || c.acked != 0 {
				t.Errorf("kept %q, acknowledged %d", n.kinds(), c.acked)
			}
		})
	}
}

// TestNewsNotReady: without an identity, a queue or a disk there is no news, and
// nothing is acknowledged.
func TestNewsNotReady(t *testing.T) {
	t.Parallel()
	c := newCentre(t)
	n := newCounter(t, c)
	_, fetching := n.Notices(t.Context(), 0)
	_, collecting := n.Collect(t.Context())
	_, posting := n.PostNews(t.Context(), Outbox{})
	for i, err := range []error{fetching, collecting, posting, n.Ack(t.Context(), 1)} {
		if wire.KindOf(err) != wire.KindNotEnrolled {
			t.Errorf("call %d: got %v, want kind not_enrolled", i, err)
		}
	}
	v := newVoice(t, c)
	n = newEnrolled(t, c)
	v.tells(c, wire.NoticeNHSP9)
	n.queue.Close()
	if _, err := n.Collect(t.Context()); err == nil || c.acked != 0 {
		t.Errorf("with a closed queue: got %v, acknowledged %d", err, c.acked)
	}
	n.cfg.Queue = nil
	if _, err := n.Collect(t.Context()); !errors.Is(err, errQueue) {
		t.Errorf("without a queue: got %v", err)
	}
}

// TestRunCollects: a client that runs brings news in by itself, when it looks
// after itself and soon after it has sent a record, and then asks less and less.
func TestRunCollects(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCentre(t)
		v := newVoice(t, c)
		n := newEnrolled(t, c)
		v.tells(c, wire.NoticeReviewOpen)
		defer n.run()()
		time.Sleep(time.Second)
		if n.kinds() != "review_open" || c.acknowledged() != 1 {
			t.Errorf("at the start: got %q, acknowledged %d", n.kinds(), c.acknowledged())
		}
		v.tells(c, wire.NoticeReviewPassed)
		time.Sleep(11 * time.Minute)
		if n.kinds() != "review_open review_passed" {
			t.Errorf("after a round: got %q", n.kinds())
		}
		c.set(func() { c.acked = 1 }) // the last acknowledgement was lost
		time.Sleep(11 * time.Minute)
		if got := c.acknowledged(); got != 2 {
			t.Errorf("acknowledged %d, want 2", got)
		}
		n.enqueue(10)
		n.Wake()
		time.Sleep(20 * time.Second)
		v.tells(c, wire.NoticeFinalRaised)
		time.Sleep(15 * time.Second)
		if n.kinds() != "review_open review_passed final_raised" {
			t.Errorf("soon after sending: got %q", n.kinds())
		}
		c.seen()
		time.Sleep(30 * time.Minute)
		asked := 0
		for _, r := range c.seen() {
			if strings.HasSuffix(r, "/notices") {
				asked++
			}
		}
		if asked > 4 {
			t.Errorf("without anything new the list was asked for %d times in half an hour", asked)
		}
	})
}

// TestNewsLog: what is logged of news says how much, never what.
func TestNewsLog(t *testing.T) {
	t.Parallel()
	var lines bytes.Buffer
	c := newCentre(t)
	v := newVoice(t, c)
	n := newEnrolled(t, c)
	n.log = slog.New(slog.NewJSONHandler(&lines, nil))
	v.tells(c, wire.NoticeReviewFailed, wire.NoticeNHSNone)
	c.news[1].Notice.Sig = []byte("forged")
	n.collect(2)
	if text := lines.String(); strings.Contains(text, "review_failed") || strings.Contains(text, "nhs_none") ||
		strings.Contains(text, string(c.news[0].Notice.Ref)) || !strings.Contains(text, "news came") {
		t.Errorf("logged:\n%s", text)
	}
}

// outbox is an opener's list in memory.
type outbox struct {
	t     testing.TB
	list  []wire.Notice
	taken int
}

// add puts the next notice into the list.
func (o *outbox) add(to wire.AgentID, kind wire.NoticeKind) {
	number := uint64(1)
	for _, n := range o.list {
		if n.Agent == to {
			number++
		}
	}
	o.list = append(o.list, wire.Notice{Agent: to, Number: number, Ref: wire.RecordID{byte(len(o.list))}.Ref(), Kind: kind,
		At: time.Date(2026, 11, 22, 9, 0, len(o.list), 0, time.UTC)})
}

// outbox is the list as PostNews takes it.
func (o *outbox) outbox() Outbox {
	return Outbox{
		Len:  uint64(len(o.list)),
		Read: func(place uint64) (wire.Notice, error) { return o.list[place-1], nil },
		Take: func(p wire.Placed) error {
			if p.N != uint64(len(o.list)+1) {
				o.t.Errorf("took place %d with %d at hand", p.N, len(o.list))
			}
			o.list, o.taken = append(o.list, p.Notice), o.taken+1
			return nil
		},
	}
}

// posts posts and wants so many to be sent.
func (o *outbox) posts(n *counter, want int) {
	o.t.Helper()
	if got, err := n.PostNews(context.Background(), o.outbox()); err != nil || got != want {
		o.t.Errorf("posted %d, %v; want %d", got, err, want)
	}
}

// TestPostNews: what the centre lacks is sent, signed, in order, once.
func TestPostNews(t *testing.T) {
	t.Parallel()
	c := newCentre(t)
	n := newEnrolled(t, c)
	o := &outbox{t: t}
	o.posts(n, 0)
	o.add(agent, wire.NoticeReviewOpen)
	o.add("agent-2", wire.NoticeNHSP9)
	o.posts(n, 2)
	o.posts(n, 0)
	o.add(agent, wire.NoticeReviewPassed)
	o.posts(n, 1)
	public, err := x509.MarshalPKIXPublicKey(n.keeper.Signer().Public())
	if err != nil {
		t.Fatal(err)
	}
	for i, p := range c.own {
		if err := seal.VerifyNotice(p.Notice, [][]byte{public}); err != nil || p.N != uint64(i+1) || p.Notice.Kind != o.list[i].Kind {
			t.Errorf("place %d holds %+v: %v", i+1, p, err)
		}
	}
	if len(c.own) != 3 || c.own[2].Notice.Number != 2 || o.taken != 0 {
		t.Errorf("the centre holds %d, taken back %d", len(c.own), o.taken)
	}
}

// TestPostNewsLostAnswer: a post whose answer was lost is not doubled, whether it
// is tried again at once or with the next.
func TestPostNewsLostAnswer(t *testing.T) {
	t.Parallel()
	for name, status := range map[string]int{"tried-again": 500, "given-up": 403} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				c := newCentre(t)
				n := newEnrolled(t, c)
				o := &outbox{t: t}
				o.add(agent, wire.NoticeReviewOpen)
				o.add(agent, wire.NoticeReviewPassed)
				c.before = func(w http.ResponseWriter, r *http.Request, body []byte) bool {
					if r.Method != http.MethodPost || len(c.own) > 0 {
						return false
					}
					c.post(recorded{}, body)
					w.WriteHeader(status)
					return true
				}
				sent, err := n.PostNews(t.Context(), o.outbox())
				if (err == nil) != (status == 500) || sent != 0 && sent != 2 {
					t.Errorf("got %d, %v", sent, err)
				}
				o.posts(n, 0)
				if len(c.own) != 2 {
					t.Errorf("the centre holds %d", len(c.own))
				}
			})
		})
	}
}

// TestPostNewsRuns: a long list is sent in runs, in its order.
func TestPostNewsRuns(t *testing.T) {
	t.Parallel()
	c := newCentre(t)
	n := newEnrolled(t, c)
	o := &outbox{t: t}
	for range 2*wire.MaxPosted + 1 {
		o.add(agent, wire.NoticeNHSP9)
	}
	c.seen()
	o.posts(n, 2*wire.MaxPosted+1)
	posts := 0
	for _, asked := range c.seen() {
		posts += strings.Count(asked, "POST ")
	}
	if posts != 3 || len(c.own) != 2*wire.MaxPosted+1 {
		t.Errorf("%d posts brought %d notices", posts, len(c.own))
	}
}

// recorded is an answer that nobody gets.
type recorded struct{}

func (recorded) Header() http.Header         { return http.Header{} }
func (recorded) Write(b []byte) (int, error) { return len(b), nil }
func (recorded) WriteHeader(int)             {}

// TestPostNewsRestored: a centre that lost its end gets it again; an opener that
// lost its own, all of it or some, takes it back before it goes on.
func TestPostNewsRestored(t *testing.T) {
	t.Parallel()
	c := newCentre(t)
	n := newEnrolled(t, c)
	o := &outbox{t: t}
	for range 4 {
		o.add(agent, wire.NoticeReviewOpen)
		o.add("agent-2", wire.NoticeReviewOpen)
	}
	o.posts(n, 8)
	whole := slices.Clone(o.list)
	c.own = c.own[:3]
	o.posts(n, 5)
	c.own = nil
	o.posts(n, 8)
	for _, left := range []int{7, 3, 1, 0} {
		o.list, o.taken = slices.Clone(whole[:left]), 0
		o.posts(n, 0)
		if len(o.list) != 8 || o.taken != 8-left {
			t.Fatalf("of %d: has %d, taken %d", left, len(o.list), o.taken)
		}
		for i, got := range o.list {
			want := whole[i]
			want.Key = got.Key
			if i >= left && got.Hash() != want.Hash() {
				t.Errorf("of %d: place %d became %+v", left, i+1, got)
			}
		}
	}
	o.add(agent, wire.NoticeReviewPassed)
	o.posts(n, 1)
}

// TestPostNewsFork: two lists that differ stop the opener, whichever is longer,
// and change nothing.
func TestPostNewsFork(t *testing.T) {
	t.Parallel()
	for name, other := range map[string]func(o *outbox){
		"shorter": func(o *outbox) { o.list = o.list[:1]; o.add(agent, wire.NoticeNHSP5) },
		"as-long": func(o *outbox) { o.list[2].Kind = wire.NoticeNHSP5 },
		"longer":  func(o *outbox) { o.list[2].Ref = wire.RecordID{99}.Ref(); o.add(agent, wire.NoticeNHSP9) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCentre(t)
			n := newEnrolled(t, c)
			o := &outbox{t: t}
			for range 3 {
				o.add(agent, wire.NoticeReviewOpen)
			}
			o.posts(n, 3)
			other(o)
			before := len(o.list)
			if sent, err := n.PostNews(t.Context(), o.outbox()); wire.KindOf(err) != wire.KindQuarantined || sent != 0 {
				t.Errorf("got %d, %v; want kind quarantined", sent, err)
			}
			if len(c.own) != 3 || len(o.list) != before || o.taken != 0 {
				t.Errorf("the centre holds %d, the opener %d", len(c.own), len(o.list))
			}
		})
	}
}

// TestPostNewsFails: the opener is told what is wrong, and what is not the
// centre's word that it holds a notice counts for nothing.
func TestPostNewsFails(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	full := func(t *testing.T) (*centre, *counter, *outbox) {
		c := newCentre(t)
		n := newEnrolled(t, c)
		o := &outbox{t: t}
		o.add(agent, wire.NoticeReviewOpen)
		return c, n, o
	}
	answer := func(status int, a wire.Answer) func(http.ResponseWriter, *http.Request, []byte) bool {
		return func(w http.ResponseWriter, r *http.Request, _ []byte) bool {
			if r.Method == http.MethodPost {
				replyJSON(w, status, a)
			}
			return r.Method == http.MethodPost
		}
	}
	for name, s := range map[string]struct {
		change func(c *centre, o *outbox, own *Outbox)
		kind   wire.Kind
	}{
		"no-read": {func(_ *centre, _ *outbox, own *Outbox) {
			own.Read = func(uint64) (wire.Notice, error) { return wire.Notice{}, broken }
		}, wire.KindDisk},
		"bad-notice":    {func(_ *centre, o *outbox, _ *Outbox) { o.list[0].Ref = "x" }, wire.KindDisk},
		"other-verdict": {func(c *centre, _ *outbox, _ *Outbox) { c.before = answer(200, wire.Answer{Verdict: wire.Gap}) }, wire.KindProtocol},
		"no-verdict":    {func(c *centre, _ *outbox, _ *Outbox) { c.before = answer(200, wire.Answer{}) }, wire.KindProtocol},
		"gap": {func(c *centre, _ *outbox, _ *Outbox) {
			c.before = answer(425, wire.Answer{Verdict: wire.Gap, Expect: 9})
		}, wire.KindProtocol},
		"fork":    {func(c *centre, _ *outbox, _ *Outbox) { c.before = answer(409, wire.Answer{Verdict: wire.Fork}) }, wire.KindQuarantined},
		"altered": {func(c *centre, _ *outbox, _ *Outbox) { c.before = answer(400, wire.Answer{Verdict: wire.Altered}) }, wire.KindProtocol},
		"empty-page": {func(c *centre, _ *outbox, _ *Outbox) {
			c.page = func(p *wire.NoticePage) { p.Last = 5 }
		}, wire.KindProtocol},
		"forged-loss": {func(c *centre, _ *outbox, own *Outbox) {
			own.Len = 0
			c.own = []wire.Placed{{N: 1, Notice: newVoice(c.t, newCentre(c.t)).notice(wire.NoticeNHSP9)}}
		}, wire.KindProtocol},
	} {
		c, n, o := full(t)
		own := o.outbox()
		s.change(c, o, &own)
		if sent, err := n.PostNews(t.Context(), own); wire.KindOf(err) != s.kind || sent != 0 {
			t.Errorf("%s: got %d, %v; want kind %s", name, sent, err, s.kind)
		}
	}
	c, n, o := full(t)
	o.posts(n, 1)
	own := o.outbox()
	own.Len, own.Take = 0, nil
	if _, err := n.PostNews(t.Context(), own); wire.KindOf(err) != wire.KindQuarantined {
		t.Errorf("a loss that cannot be taken back: got %v", err)
	}
	own.Take = func(wire.Placed) error { return broken }
	if _, err := n.PostNews(t.Context(), own); !errors.Is(err, broken) {
		t.Errorf("a disk that takes nothing: got %v", err)
	}
	c.own[0].Notice.Sig = []byte("damaged")
	o.add(agent, wire.NoticeReviewPassed)
	o.posts(n, 1) // damage at the centre is no fork
}
