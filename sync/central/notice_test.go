package central_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/counterproof/counterproof/sync/central"
	"github.com/counterproof/counterproof/sync/queue"
	"github.com/counterproof/counterproof/sync/seal"
	"github.com/counterproof/counterproof/sync/store"
	"github.com/counterproof/counterproof/sync/uplink"
	"github.com/counterproof/counterproof/sync/wire"
)

// speaker is an enrolled opener with the list of what it told.
type speaker struct {
	*counter
	list    []wire.Notice
	numbers map[wire.AgentID]uint64
}

// speaker enrols an opener, with faults on its line if any are given.
func (c *centre) speaker(faults ...func(http.RoundTripper) http.RoundTripper) *speaker {
	c.t.Helper()
	return &speaker{counter: c.opener(faults...), numbers: map[wire.AgentID]uint64{}}
}

// add puts news for a counter into the opener's own list.
func (s *speaker) add(to wire.AgentID, ref wire.Ref, kind wire.NoticeKind) {
	s.numbers[to]++
	s.list = append(s.list, wire.Notice{Agent: to, Number: s.numbers[to], Ref: ref, Kind: kind, At: time.Now().UTC().Truncate(time.Millisecond)})
}

// post brings the opener's list and the centre's to the same end.
func (s *speaker) post() error {
	_, err := s.client.PostNews(context.Background(), uplink.Outbox{
		Len:  uint64(len(s.list)),
		Read: func(place uint64) (wire.Notice, error) { return s.list[place-1], nil },
	})
	return err
}

// tells adds and posts news, which must succeed.
func (s *speaker) tells(to wire.AgentID, ref wire.Ref, kind wire.NoticeKind) {
	s.t.Helper()
	s.add(to, ref, kind)
	if err := s.post(); err != nil {
		s.t.Fatal(err)
	}
}

// signed is a notice of the speaker as it is sent, at a place of its list.
func (s *speaker) signed(place uint64, n wire.Notice) wire.Placed {
	s.t.Helper()
	n, err := seal.SignNotice(n, s.keeper.Signer())
	if err != nil {
		s.t.Fatal(err)
	}
	return wire.Placed{N: place, Notice: n}
}

// send posts anything to the centre, as the given agent.
func (c *centre) send(who *counter, path string, v any) (int, wire.Answer) {
	c.t.Helper()
	body, err := json.Marshal(v)
	if err != nil {
		c.t.Fatal(err)
	}
	rec := c.call(who.identity().Chain[0], "POST", path, nil, body)
	var a wire.Answer
	_ = json.Unmarshal(rec.Body.Bytes(), &a)
	return rec.Code, a
}

// agent is the counter's name.
func (c *counter) agent() wire.AgentID { return c.identity().Agent }

// told are the kinds of the news in the counter's queue, in order.
func (c *counter) told() []wire.NoticeKind {
	c.t.Helper()
	all, err := c.queue.News(context.Background(), queue.NewsFilter{Limit: 1_000_000})
	if err != nil {
		c.t.Fatal(err)
	}
	var kinds []wire.NoticeKind
	for _, n := range all {
		kinds = append(kinds, n.Notice.Kind)
	}
	return kinds
}

// missing is how many numbers the counter never got.
func (c *counter) missing() int {
	c.t.Helper()
	s, err := c.queue.Status(context.Background())
	if err != nil {
		c.t.Fatal(err)
	}
	return s.NewsMissing
}

// TestNewsTravels: a notice of every kind goes from the opener to the counter
// that sent the record, found by the reference on the slip, and to nobody else.
func TestNewsTravels(t *testing.T) {
	t.Parallel()
	c := newCentre(t, nil)
	n, other, opener := c.enrolled(), c.enrolled(), c.speaker()
	it := n.enqueue(10)
	want := append(wire.NoticeKinds(), "a_kind_of_next_year")
	for _, k := range want {
		opener.add(n.agent(), it.Ref, k)
	}
	opener.add(other.agent(), it.Ref, wire.NoticeJoined) // where the visit was continued
	if err := opener.post(); err != nil {
		t.Fatal(err)
	}
	for _, who := range []*counter{n, other} {
		if _, err := who.client.Collect(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if got := n.told(); !slices.Equal(got, want) || n.missing() != 0 {
		t.Errorf("got %v, %d missing", got, n.missing())
	}
	if got := other.told(); !slices.Equal(got, []wire.NoticeKind{wire.NoticeJoined}) {
		t.Errorf("the other counter got %v", got)
	}
	news, err := n.queue.News(t.Context(), queue.NewsFilter{Ref: it.Ref, Unseen: true})
	if err != nil || len(news) != len(want) {
		t.Errorf("by the slip's reference: %d, %v", len(news), err)
	}
	s, err := n.client.State(t.Context())
	if err != nil || s.Notices != uint64(len(want)) || s.NoticesAcked != s.Notices {
		t.Errorf("the state says %d, %d acknowledged, %v", s.Notices, s.NoticesAcked, err)
	}
}

// TestPostNotice: what the centre takes as an opener's news, and what it does
// not.
func TestPostNotice(t *testing.T) {
	t.Parallel()
	c := newCentre(t, nil)
	n, opener, rival := c.enrolled(), c.speaker(), c.speaker()
	ref := wire.RecordID{1}.Ref()
	plain := wire.Notice{Agent: n.agent(), Number: 1, Ref: ref, Kind: wire.NoticeReviewOpen, At: time.Now()}
	good := opener.signed(1, plain)
	changed := func(change func(*wire.Placed)) wire.Placed {
		p := good
		change(&p)
		return p
	}
	resigned := func(place uint64, change func(*wire.Notice)) wire.Placed {
		other := plain
		change(&other)
		return opener.signed(place, other)
	}
	for _, s := range []struct {
		name    string
		who     *counter
		send    any
		status  int
		verdict wire.Verdict
		expect  wire.Seq
	}{
		{"forged/kind", opener.counter, changed(func(p *wire.Placed) { p.Notice.Kind = wire.NoticeNHSP9 }), 400, wire.Altered, 0},
		{"forged/agent", opener.counter, changed(func(p *wire.Placed) { p.Notice.Agent = "agent-2" }), 400, wire.Altered, 0},
		{"forged/number", opener.counter, changed(func(p *wire.Placed) { p.Notice.Number = 2 }), 400, wire.Altered, 0},
		{"forged/ref", opener.counter, changed(func(p *wire.Placed) { p.Notice.Ref = wire.RecordID{2}.Ref() }), 400, wire.Altered, 0},
		{"forged/unsigned", opener.counter, changed(func(p *wire.Placed) { p.Notice.Sig = nil }), 400, wire.Altered, 0},
		{"forged/another-opener's", rival.counter, good, 400, wire.Altered, 0},
		{"forged/by-a-counter", n, good, 403, wire.Unauthorised, 0},
		{"malformed/ref", opener.counter, changed(func(p *wire.Placed) { p.Notice.Ref = "0000-0000-001" }), 400, wire.Altered, 0},
		{"malformed/place", opener.counter, changed(func(p *wire.Placed) { p.N = 0 }), 400, wire.Altered, 0},
		{"malformed/place-too-high", opener.counter, changed(func(p *wire.Placed) { p.N = 1<<64 - 1 }), 400, wire.Altered, 0},
		{"malformed/no-notice", opener.counter, "words", 400, wire.Altered, 0},
		{"malformed/none", opener.counter, []wire.Placed{}, 400, wire.Altered, 0},
		{"malformed/too-long", opener.counter, strings.Repeat("x", 103_000), 413, wire.Altered, 0},
		{"too-many", opener.counter, slices.Repeat([]wire.Placed{good}, 101), 400, wire.Altered, 0},
		{"forged/one-of-two", opener.counter, []wire.Placed{good, changed(func(p *wire.Placed) { p.N, p.Notice.Number = 2, 2 })}, 400, wire.Altered, 0},
		{"gap", opener.counter, changed(func(p *wire.Placed) { p.N = 3 }), 425, wire.Gap, 1},
		{"gap/within", opener.counter, []wire.Placed{good, changed(func(p *wire.Placed) { p.N = 3 })}, 425, wire.Gap, 2},
		{"stored", opener.counter, good, 200, wire.Stored, 0},
		{"replayed", opener.counter, good, 200, wire.Replayed, 0},
		{"replayed/signed-anew", opener.counter, resigned(1, func(*wire.Notice) {}), 200, wire.Replayed, 0},
		{"fork/other-kind", opener.counter, resigned(1, func(n *wire.Notice) { n.Kind = wire.NoticeNHSP9 }), 409, wire.Fork, 0},
		{"fork/number-again", opener.counter, resigned(2, func(n *wire.Notice) { n.Kind = wire.NoticeNHSP9 }), 409, wire.Fork, 0},
		{"fork/number-ahead", opener.counter, resigned(2, func(n *wire.Notice) { n.Number = 3 }), 409, wire.Fork, 0},
		{"stored/second", opener.counter, resigned(2, func(n *wire.Notice) { n.Number = 2 }), 200, wire.Stored, 0},
		{"stored/not-enrolled", opener.counter, resigned(3, func(n *wire.Notice) { n.Agent = "agent-gone" }), 200, wire.Stored, 0},
		{"stored/rival", rival.counter, rival.signed(1, plain), 200, wire.Stored, 0},
	} {
		if one, ok := s.send.(wire.Placed); ok {
			s.send = []wire.Placed{one}
		}
		status, a := c.send(s.who, "/v1/opener/notices", s.send)
		if status != s.status || a.Verdict != s.verdict || a.Expect != s.expect {
			t.Errorf("%s: got %d, %+v; want %d, %s", s.name, status, a, s.status, s.verdict)
		}
	}
	if _, err := n.client.Collect(t.Context()); err != nil {
		t.Error(err)
	}
	if got := n.told(); len(got) != 3 || n.missing() != 0 {
		t.Errorf("the counter got %v, %d missing", got, n.missing())
	}
}

// TestNewsStrangers: a list is given to the one whose it is, and acknowledged by
// nobody else.
func TestNewsStrangers(t *testing.T) {
	t.Parallel()
	c, elsewhere := newCentre(t, nil), newCentre(t, nil)
	n, other, stranger, opener := c.enrolled(), c.enrolled(), elsewhere.enrolled(), c.speaker()
	opener.tells(n.agent(), wire.RecordID{1}.Ref(), wire.NoticeNHSP9)
	list := "/v1/agents/" + string(n.agent()) + "/notices"
	certificate := func(who *counter) []byte { return who.identity().Chain[0] }
	for name, s := range map[string]struct {
		cert         []byte
		method, path string
		status       int
	}{
		"own":                    {certificate(n), "GET", list, 200},
		"other-counter":          {certificate(other), "GET", list, 403},
		"opener":                 {certificate(opener.counter), "GET", list, 403},
		"other-centre":           {certificate(stranger), "GET", list, 403},
		"nobody":                 {nil, "GET", list, 403},
		"other-acknowledges":     {certificate(other), "POST", list + "/ack", 403},
		"opener-acknowledges":    {certificate(opener.counter), "POST", list + "/ack", 403},
		"nobody-acknowledges":    {nil, "POST", list + "/ack", 403},
		"counter-reads-openers":  {certificate(n), "GET", "/v1/opener/notices", 403},
		"nobody-reads-openers":   {nil, "GET", "/v1/opener/notices", 403},
		"nobody-posts":           {nil, "POST", "/v1/opener/notices", 403},
		"opener-reads-own":       {certificate(opener.counter), "GET", "/v1/opener/notices", 200},
		"opener-as-counter":      {certificate(opener.counter), "GET", "/v1/agents/" + string(opener.agent()) + "/notices", 403},
		"opener-acks-as-counter": {certificate(opener.counter), "POST", "/v1/agents/" + string(opener.agent()) + "/notices/ack", 403},
		"cursor/negative":        {certificate(n), "GET", list + "?after=-1", 400},
		"cursor/word":            {certificate(n), "GET", list + "?after=x", 400},
		"cursor/too-high":        {certificate(n), "GET", list + "?after=18446744073709551615", 400},
		"cursor/beyond":          {certificate(n), "GET", list + "?after=9", 200},
		"limit/none":             {certificate(n), "GET", list + "?limit=0", 400},
		"limit/word":             {certificate(n), "GET", list + "?limit=x", 400},
		"limit/huge":             {certificate(n), "GET", list + "?limit=1000000", 200},
		"acknowledges-a-nothing": {certificate(n), "POST", list + "/ack", 400},
	} {
		if rec := c.call(s.cert, s.method, s.path, nil, nil); rec.Code != s.status {
			t.Errorf("%s: got %d, want %d", name, rec.Code, s.status)
		}
	}
	for ack, want := range map[uint64]int{0: 200, 1: 200, 2: 409, 1<<64 - 1: 409} {
		if got, _ := c.send(n, list+"/ack", wire.NoticeAck{N: ack}); got != want {
			t.Errorf("acknowledging %d: got %d, want %d", ack, got, want)
		}
	}
}

// TestNewsPages: a page holds what was asked for, up to a bound.
func TestNewsPages(t *testing.T) {
	t.Parallel()
	c := newCentre(t, nil)
	n, opener := c.enrolled(), c.speaker()
	for i := range 1005 {
		opener.add(n.agent(), wire.RecordID{byte(i), byte(i >> 8)}.Ref(), wire.NoticeNHSP9)
	}
	if err := opener.post(); err != nil {
		t.Fatal(err)
	}
	for query, want := range map[string]int{
		"": 100, "?limit=3": 3, "?limit=1000": 1000, "?limit=5000": 1000, "?after=1000": 5, "?after=1005": 0, "?after=7&limit=2": 2,
	} {
		rec := c.call(n.identity().Chain[0], "GET", "/v1/agents/"+string(n.agent())+"/notices"+query, nil, nil)
		var p wire.NoticePage
		if err := json.Unmarshal(rec.Body.Bytes(), &p); err != nil || len(p.Notices) != want || p.Last != 1005 {
			t.Errorf("%q: got %d of %d, %v; want %d", query, len(p.Notices), p.Last, err, want)
		}
	}
	if got, err := n.client.Collect(t.Context()); err != nil || got != 1005 || n.missing() != 0 {
		t.Errorf("collected %d, %v, %d missing", got, err, n.missing())
	}
}

// TestOpenerKeys: an opener's key reaches the counters with its first notice, or
// with the keys that it hands in, once.
func TestOpenerKeys(t *testing.T) {
	t.Parallel()
	c := newCentre(t, nil)
	openers := func() (keys [][]byte, version uint64) {
		n := c.enrolled()
		b, err := n.identity().Bundle.Bundle()
		if err != nil {
			t.Fatal(err)
		}
		return b.Openers, b.Version
	}
	first, second := c.speaker(), c.speaker()
	if keys, version := openers(); len(keys) != 0 || version != 1 {
		t.Errorf("before any: %d keys in version %d", len(keys), version)
	}
	for range 2 {
		first.tells("agent-x", wire.RecordID{1}.Ref(), wire.NoticeNHSP9)
		if err := second.client.PutRecipients(t.Context(), recipients(t)); err != nil {
			t.Fatal(err)
		}
	}
	keys, version := openers()
	if len(keys) != 2 || version != 4 { // the recipients differ, so they changed twice
		t.Errorf("got %d keys in version %d, want 2 in 4", len(keys), version)
	}
	for i, who := range []*speaker{first, second} {
		if leaf := "agent-" + wire.KeyIDOf(keys[i]); wire.AgentID(leaf) != who.agent() {
			t.Errorf("key %d is of %s, want %s", i, leaf, who.agent())
		}
	}
}

// TestNewsFaultyLines: openers and counters over lines that lose, alter and
// repeat end with every notice at its counter, once.
func TestNewsFaultyLines(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCentre(t, nil)
		var counters []*counter
		for seed := range uint64(3) {
			_, wrap := faultyLine(seed)
			n := c.enrolled(wrap)
			defer n.run()()
			counters = append(counters, n)
		}
		var openers []*speaker
		for seed := range uint64(2) {
			_, wrap := faultyLine(100 + seed)
			openers = append(openers, c.speaker(wrap))
		}
		want := map[wire.AgentID]int{}
		for i := range 40 {
			for _, o := range openers {
				to := counters[i%len(counters)].agent()
				o.add(to, wire.RecordID{byte(i)}.Ref(), wire.NoticeNHSP9)
				want[to]++
			}
			time.Sleep(time.Minute)
			for _, o := range openers {
				_ = o.post() // what fails is posted with the next
			}
		}
		for _, o := range openers {
			for range 100 {
				if o.post() == nil {
					break
				}
				time.Sleep(time.Minute)
			}
			o.client = nil
		}
		time.Sleep(6 * time.Hour)
		for _, n := range counters {
			unreadable := 0
			for _, k := range n.told() {
				if k == wire.NoticeUnreadable {
					unreadable++
				}
			}
			if got := len(n.told()) - unreadable; got != want[n.agent()] || n.missing() != 0 {
				t.Errorf("%s got %d of %d, %d missing, %d unreadable", n.agent(), got, want[n.agent()], n.missing(), unreadable)
			}
		}
	})
}

// TestNewsAndRestoredCentre: a centre that came back from an older copy gets the
// openers' lists again, and the counters miss nothing, whether they had fetched
// it before or not.
func TestNewsAndRestoredCentre(t *testing.T) {
	t.Parallel()
	c := newCentre(t, nil)
	quick, slow, opener := c.enrolled(), c.enrolled(), c.speaker()
	say := func(kind wire.NoticeKind) {
		for _, n := range []*counter{quick, slow} {
			opener.tells(n.agent(), wire.RecordID{1}.Ref(), kind)
		}
	}
	collect := func(who *counter) {
		if _, err := who.client.Collect(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	say(wire.NoticeReviewOpen)
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(c.cfg.Dir, "centre.db")
	backup := copyFile(t, path)
	c.open()
	say(wire.NoticeReviewPassed)
	say(wire.NoticeNHSP9)
	collect(quick)
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	for _, suffix := range []string{"-wal", "-shm"} {
		_ = os.Remove(path + suffix)
	}
	if err := os.WriteFile(path, backup, 0o600); err != nil {
		t.Fatal(err)
	}
	c.open()
	collect(quick) // which knows more than the centre
	say(wire.NoticeLetterSent)
	want := []wire.NoticeKind{wire.NoticeReviewOpen, wire.NoticeReviewPassed, wire.NoticeNHSP9, wire.NoticeLetterSent}
	for _, n := range []*counter{quick, slow} {
		collect(n)
		if got := n.told(); !slices.Equal(got, want) || n.missing() != 0 {
			t.Errorf("got %v, %d missing", got, n.missing())
		}
	}
}

// TestNewsAndDamagedQueue: a counter whose disk lost its news gets all of it
// again.
func TestNewsAndDamagedQueue(t *testing.T) {
	t.Parallel()
	c := newCentre(t, nil)
	n, opener := c.enrolled(), c.speaker()
	opener.tells(n.agent(), wire.RecordID{1}.Ref(), wire.NoticeNHSP9)
	if _, err := n.client.Collect(t.Context()); err != nil {
		t.Fatal(err)
	}
	fresh := n.with(n.keeper, filepath.Join(t.TempDir(), "new", "queue.db"), c)
	stop := fresh.run()
	fresh.until(10*time.Second, "reading the news again", func(s queue.Status) bool { return s.News == 1 })
	stop()
}

// failingNews is a store whose lists of news fail.
type failingNews struct{ store.Store }

func (failingNews) PostNotices(context.Context, store.Posting) (wire.Answer, error) {
	return wire.Answer{Verdict: wire.Stored}, errDisk
}
func (failingNews) NoticesBy(context.Context, wire.AgentID, uint64, int) (wire.NoticePage, error) {
	return wire.NoticePage{}, errDisk
}
func (failingNews) NoticesFor(context.Context, wire.AgentID, uint64, int) (wire.NoticePage, error) {
	return wire.NoticePage{}, errDisk
}
func (failingNews) AckNotices(context.Context, wire.AgentID, uint64) error { return errDisk }

// TestNewsStoreFails: where it is unclear what was written the answer is 503,
// whatever the store says beside its error.
func TestNewsStoreFails(t *testing.T) {
	t.Parallel()
	good := newCentre(t, nil)
	n, opener := good.enrolled(), good.speaker()
	c := newCentre(t, func(cfg *central.Config) {
		cfg.Dir, cfg.Store = good.cfg.Dir, failingNews{openStore(t, good)}
	})
	list := "/v1/agents/" + string(n.agent()) + "/notices"
	p := opener.signed(1, wire.Notice{Agent: n.agent(), Number: 1, Ref: wire.RecordID{1}.Ref(), Kind: wire.NoticeNHSP9, At: time.Now()})
	if status, a := c.send(opener.counter, "/v1/opener/notices", []wire.Placed{p}); status != 503 || a.Verdict != wire.Shed {
		t.Errorf("posting: got %d, %s", status, a.Verdict)
	}
	if status, _ := c.send(n, list+"/ack", wire.NoticeAck{}); status != 503 {
		t.Errorf("acknowledging: got %d", status)
	}
	for path, who := range map[string]*counter{
		list: n, "/v1/opener/notices": opener.counter, "/v1/agents/" + string(n.agent()) + "/state": n,
	} {
		if rec := c.call(who.identity().Chain[0], "GET", path, nil, nil); rec.Code != 503 {
			t.Errorf("%s: got %d", path, rec.Code)
		}
	}
}

// failingBundle is a store whose bundle cannot be changed.
type failingBundle struct{ store.Store }

func (f failingBundle) Bundle(ctx context.Context, change func(wire.Signed) (wire.Signed, error)) (wire.Signed, error) {
	if change != nil {
		return wire.Signed{}, errDisk
	}
	return f.Store.Bundle(ctx, nil)
}

// TestNewsWithoutKey: news is not taken before the counters can be told the key
// that it is signed with.
func TestNewsWithoutKey(t *testing.T) {
	t.Parallel()
	good := newCentre(t, nil)
	n, opener := good.enrolled(), good.speaker()
	c := newCentre(t, func(cfg *central.Config) {
		cfg.Dir, cfg.Store = good.cfg.Dir, failingBundle{openStore(t, good)}
	})
	p := opener.signed(1, wire.Notice{Agent: n.agent(), Number: 1, Ref: wire.RecordID{1}.Ref(), Kind: wire.NoticeNHSP9, At: time.Now()})
	if status, _ := c.send(opener.counter, "/v1/opener/notices", []wire.Placed{p}); status != 503 {
		t.Errorf("got %d, want 503", status)
	}
	if got, err := n.client.Collect(t.Context()); err != nil || got != 0 {
		t.Errorf("collected %d, %v", got, err)
	}
}

// TestNewsLogLines: a line tells that news passed, not what it says nor of which
// slip.
func TestNewsLogLines(t *testing.T) {
	t.Parallel()
	var lines bytes.Buffer
	c := newCentre(t, func(cfg *central.Config) { cfg.Log = slog.New(slog.NewJSONHandler(&lines, nil)) })
	n, opener := c.enrolled(), c.speaker()
	ref := wire.RecordID{1}.Ref()
	opener.tells(n.agent(), ref, wire.NoticeReviewFailed)
	if _, err := n.client.Collect(t.Context()); err != nil {
		t.Fatal(err)
	}
	text := lines.String()
	if strings.Contains(text, "review_failed") || strings.Contains(text, string(ref)) || !strings.Contains(text, "POST /v1/opener/notices") {
		t.Errorf("logged:\n%s", text)
	}
}

// TestFetchDamaged: a record that the centre's disk has damaged is told to the
// opener with its place, its counter and its name, and the next one comes.
func TestFetchDamaged(t *testing.T) {
	t.Parallel()
	var lines bytes.Buffer
	c := newCentre(t, func(cfg *central.Config) { cfg.Log = slog.New(slog.NewJSONHandler(&lines, nil)) })
	n, opener := c.enrolled(), c.opener()
	prev, bad := wire.Hash{}, wire.Envelope{}
	for seq := range wire.Seq(3) {
		e := n.sealed(wire.Header{Seq: seq + 1, Prev: prev}, []byte(fmt.Sprintf("claims of record %d", seq+1)))
		if status, a := c.post(n, e, seq+1, e.Marshal(nil)); status != 200 {
			t.Fatal(status, a.Verdict)
		}
		if prev = e.RecHash(); seq == 1 {
			bad = e
		}
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(c.cfg.Dir, "centre.db")
	b := copyFile(t, path)
	at := bytes.LastIndex(b, []byte("claims of record 2"))
	b[at] ^= 1
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	c.open()
	var got []string
	for r, err := range opener.client.Fetch(t.Context(), 0) {
		got = append(got, string(wire.KindOf(err)))
		if r.Receipt.LogIndex != uint64(len(got)) {
			t.Errorf("place %d has index %d", len(got), r.Receipt.LogIndex)
		}
		if err != nil && (r.Receipt.Agent != n.agent() || r.Envelope.RecHash() != bad.RecHash()) {
			t.Errorf("the damaged one is %+v", r.Receipt)
		}
	}
	if !slices.Equal(got, []string{"", string(wire.KindDamaged), ""}) {
		t.Errorf("got %q, want the second damaged", got)
	}
	if !strings.Contains(lines.String(), "a stored record is damaged") {
		t.Error("the centre's own people are not told")
	}
}

// FuzzPostNotice: whatever an opener posts, the answer is one of the table's, and
// only its own signed notice is taken.
func FuzzPostNotice(f *testing.F) {
	c := newCentre(f, nil)
	n, opener := c.enrolled(), c.speaker()
	good := opener.signed(1, wire.Notice{Agent: n.agent(), Number: 1, Ref: wire.RecordID{1}.Ref(), Kind: wire.NoticeNHSP9, At: time.Now()})
	body, err := json.Marshal([]wire.Placed{good})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(body)
	f.Add(bytes.Replace(body, []byte("nhs_p9"), []byte("nhs_p5"), 1))
	f.Add([]byte(`[{"n":1,"notice":{"agent":"../x"}}]`))
	leaf, err := x509.ParseCertificate(opener.identity().Chain[0])
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		r := httptest.NewRequest("POST", "/v1/opener/notices", bytes.NewReader(body))
		r.TLS = &tls.ConnectionState{PeerCertificates: []*x509.Certificate{leaf}}
		rec := httptest.NewRecorder()
		c.handler().ServeHTTP(rec, r)
		var run []wire.Placed
		switch rec.Code {
		case 200:
			if json.Unmarshal(body, &run) != nil || len(run) == 0 {
				t.Fatal("something else is taken")
			}
			for _, p := range run {
				if p.Notice.Hash() != good.Notice.Hash() || p.N != 1 {
					t.Fatal("a notice that was never signed is taken")
				}
			}
		case 400, 409, 413, 425:
		default:
			t.Fatalf("status %d", rec.Code)
		}
	})
}
