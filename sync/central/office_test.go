package central_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/counterproof/counterproof/sync/central"
	"github.com/counterproof/counterproof/sync/central/api"
	"github.com/counterproof/counterproof/sync/central/office"
	"github.com/counterproof/counterproof/sync/custody"
	"github.com/counterproof/counterproof/sync/queue"
	"github.com/counterproof/counterproof/sync/store"
	"github.com/counterproof/counterproof/sync/uplink"
	"github.com/counterproof/counterproof/sync/wire"
)

// staff is a member of the centre's office.
func (c *centre) staff(by string) office.Staff {
	c.t.Helper()
	o, err := c.Office()
	if err != nil {
		c.t.Fatal(err)
	}
	return office.Staff{Office: o, By: by}
}

// stateOf asks for the counter's state with a certificate of its.
func (c *centre) stateOf(n *counter, cert []byte) int {
	c.t.Helper()
	return c.call(cert, "GET", "/v1/agents/"+string(n.identity().Agent)+"/state", nil, nil).Code
}

// insideLine is a counter on a line inside the machine, not enrolled yet.
func (c *centre) insideLine() *counter {
	return newCounter(c.t, func(k *custody.Keeper) func(http.RoundTripper) http.RoundTripper {
		return func(http.RoundTripper) http.RoundTripper { return inside{c.handler, k} }
	})
}

// TestSecondPerson: a counter that needs a second person is told to wait, waits,
// and has its identity soon after another person than the first has approved it.
func TestSecondPerson(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCentre(t, nil)
		n := c.insideLine()
		invite := c.invite(central.Invitation{Site: "FA123", By: "pat", Second: true, Grades: []string{"file"}})
		if _, err := n.client.Enrol(t.Context(), invite); wire.KindOf(err) != wire.KindPending {
			t.Fatalf("without patience: got %v, want kind pending", err)
		}
		if _, enrolled, err := n.keeper.Identity(); err != nil || enrolled {
			t.Errorf("a waiting counter has an identity (%v)", err)
		}
		told := make(chan wire.AgentID, 10_000)
		type ended struct {
			id  custody.Identity
			err error
		}
		done := make(chan ended)
		go func() {
			id, err := n.client.EnrolWaiting(t.Context(), invite, func(a wire.AgentID) { told <- a })
			done <- ended{id, err}
		}()
		agent := <-told
		time.Sleep(30 * time.Hour) // longer than the code is good for another
		if _, err := c.staff("pat").Approve(t.Context(), agent); err == nil {
			t.Error("who invited it approved it")
		}
		if _, err := c.staff("sam").Approve(t.Context(), agent); err != nil {
			t.Fatal(err)
		}
		approved := time.Now()
		got := <-done
		if got.err != nil || got.id.Agent != agent || got.id.Site != "FA123" {
			t.Fatalf("got %+v, %v", got.id.Agent, got.err)
		}
		if took := time.Since(approved); took > time.Minute {
			t.Errorf("after the approval it took %v", took)
		}
		if status := c.stateOf(n, got.id.Chain[0]); status != 200 {
			t.Errorf("an approved counter gets %d", status)
		}
		if _, err := c.staff("sam").Approve(t.Context(), agent); err == nil {
			t.Error("it was approved twice")
		}
	})
}

// TestWaitingEnds: a counter that nobody approves can be interrupted, and says
// what it waited for.
func TestWaitingEnds(t *testing.T) {
	t.Parallel()
	c := newCentre(t, nil)
	n := c.insideLine()
	ctx, cancel := context.WithCancel(t.Context())
	_, err := n.client.EnrolWaiting(ctx, c.invite(central.Invitation{Site: "FA123", By: "pat", Second: true}), func(wire.AgentID) { cancel() })
	if wire.KindOf(err) != wire.KindPending || !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want kind pending", err)
	}
}

// TestKeyGrade: a key that is kept in a way that the invitation does not allow is
// refused, and the invitation is still good.
func TestKeyGrade(t *testing.T) {
	t.Parallel()
	c := newCentre(t, nil)
	n := c.insideLine()
	if _, err := n.client.Enrol(t.Context(), c.invite(central.Invitation{Site: "FA123", Grades: []string{"tpm"}})); wire.KindOf(err) != wire.KindCode {
		t.Errorf("a key in a file: got %v, want kind code", err)
	}
	if _, err := n.client.Enrol(t.Context(), c.invite(central.Invitation{Site: "FA123", Grades: []string{"tpm", "file"}})); err != nil {
		t.Error(err)
	}
	for name, i := range map[string]central.Invitation{
		"grade":          {Site: "FA123", Grades: []string{"paper"}},
		"second-of-whom": {Site: "FA123", Second: true},
	} {
		i.Address = "centre.example:8443"
		if _, err := c.Invite(t.Context(), i); err == nil {
			t.Errorf("%s: it was invited", name)
		}
	}
}

// TestRevoked: a revoked counter is refused everything at once, also a renewal,
// and comes back neither by its old code nor by a new one.
func TestRevoked(t *testing.T) {
	t.Parallel()
	c := newCentre(t, nil)
	n := c.enrolled()
	cert, agent := n.identity().Chain[0], n.identity().Agent
	if _, err := c.staff("pat").Revoke(t.Context(), agent, "because"); err == nil {
		t.Error("a reason that is no word of the list was taken")
	}
	if _, err := c.staff("pat").Revoke(t.Context(), agent, "stolen"); err != nil {
		t.Fatal(err)
	}
	for path, method := range map[string]string{
		"/v1/agents/" + string(agent) + "/state": "GET", "/v1/trust/bundle": "GET", "/v1/renew": "POST",
		"/v1/agents/" + string(agent) + "/records/1": "POST",
	} {
		if rec := c.call(cert, method, path, nil, nil); rec.Code != http.StatusForbidden {
			t.Errorf("%s: got %d, want 403", path, rec.Code)
		}
	}
	if _, err := n.client.Enrol(t.Context(), c.invite(central.Invitation{Site: "FA123"})); wire.KindOf(err) != wire.KindCode {
		t.Errorf("a new code: got %v, want kind code", err)
	}
	if _, err := c.staff("pat").Revoke(t.Context(), agent, "lost"); err == nil {
		t.Error("it was revoked twice")
	}
	if _, err := c.staff("pat").Move(t.Context(), agent, "FB456"); err == nil {
		t.Error("a revoked counter was moved")
	}
}

// TestMoveWithAFullQueue: a counter with 20 records sent and 20 waiting is moved.
// All arrive in one chain, the new certificate names the new site, and the old
// one is good for nothing but the renewal.
func TestMoveWithAFullQueue(t *testing.T) {
	t.Parallel()
	c := newCentre(t, nil)
	n := c.enrolled()
	for range 20 {
		n.enqueue(500)
	}
	stop := n.run()
	n.sent(time.Minute)
	stop()
	old := n.identity()
	for range 20 {
		n.enqueue(500, 80_000)
	}
	moved, err := c.staff("pat").Move(t.Context(), old.Agent, "FB456")
	if err != nil || moved.Site != "FB456" || moved.Expect != 21 {
		t.Fatalf("got %+v, %v", moved, err)
	}
	if status := c.stateOf(n, old.Chain[0]); status != http.StatusForbidden {
		t.Errorf("the old certificate gets %d, want 403", status)
	}
	defer n.run()()
	n.client.Wake()
	n.sent(time.Minute)
	next := n.identity()
	if next.Site != "FB456" || next.Agent != old.Agent {
		t.Errorf("it is %s of %s now", next.Agent, next.Site)
	}
	if status := c.stateOf(n, old.Chain[0]); status != http.StatusForbidden {
		t.Errorf("after the move the old certificate gets %d, want 403", status)
	}
	stored := c.records()
	if err := check(stored, n); err != nil || len(stored) != 40 {
		t.Errorf("%d records are stored, want 40: %v", len(stored), err)
	}
	figures, err := n.queue.Status(t.Context())
	if err != nil || figures.Quarantined+figures.Refused != 0 {
		t.Errorf("the queue says %+v (%v)", figures, err)
	}
}

// TestMoveWhileSending: a move in the middle of a run strands nothing.
func TestMoveWhileSending(t *testing.T) {
	t.Parallel()
	c := newCentre(t, nil)
	n := c.enrolled()
	for range 20 {
		n.enqueue(300)
	}
	defer n.run()()
	n.until(time.Minute, "sending some", func(s queue.Status) bool { return s.Waiting < 15 })
	if _, err := c.staff("pat").Move(t.Context(), n.identity().Agent, "FB456"); err != nil {
		t.Fatal(err)
	}
	n.sent(time.Minute)
	if stored := c.records(); len(stored) != 20 || check(stored, n) != nil {
		t.Errorf("%d records are stored, want 20: %v", len(stored), check(stored, n))
	}
}

// TestMoveNobody: only an enrolled counter is moved, to a site that can be one.
func TestMoveNobody(t *testing.T) {
	t.Parallel()
	c := newCentre(t, nil)
	n, opener := c.enrolled(), c.invited(central.Invitation{Opener: true}, nil)
	for name, s := range map[string]struct {
		agent wire.AgentID
		site  wire.SiteID
	}{
		"stranger": {"agent-none", "FB456"}, "opener": {opener.identity().Agent, "FB456"}, "no-site": {n.identity().Agent, ""},
		"same-site": {n.identity().Agent, "FA123"}, "odd-site": {n.identity().Agent, "../etc"},
	} {
		if _, err := c.staff("pat").Move(t.Context(), s.agent, s.site); err == nil {
			t.Errorf("%s: it was moved", name)
		}
	}
}

// TestFlags: an opener's flags are kept once, and only an opener's and whole ones.
func TestFlags(t *testing.T) {
	t.Parallel()
	c := newCentre(t, nil)
	n, opener := c.enrolled(), c.invited(central.Invitation{Opener: true}, nil)
	flag := wire.Flag{Kind: wire.FlagDocument, Records: []wire.Hash{{1}, {2}}, At: time.UnixMilli(1_800_000_000_000).UTC()}
	many := make([]wire.Flag, api.MaxFlagged+1)
	for i := range many {
		many[i] = wire.Flag{Kind: wire.FlagPace, Records: []wire.Hash{{byte(i), 1}}, At: flag.At}
	}
	for _, s := range []struct {
		name   string
		who    *counter
		body   any
		status int
	}{
		{"whole", opener, api.Flags{Flags: []wire.Flag{flag}}, 204},
		{"again", opener, api.Flags{Flags: []wire.Flag{flag}}, 204},
		{"a-hundred", opener, api.Flags{Flags: many[:api.MaxFlagged]}, 204},
		{"counter", n, api.Flags{Flags: []wire.Flag{flag}}, 403},
		{"none", opener, api.Flags{}, 400},
		{"too-many", opener, api.Flags{Flags: many}, 400},
		{"no-kind", opener, api.Flags{Flags: []wire.Flag{{Kind: "odd", Records: flag.Records}}}, 400},
		{"no-records", opener, api.Flags{Flags: []wire.Flag{{Kind: wire.FlagPace}}}, 400},
		{"no-object", opener, "flags", 400},
		{"huge", opener, strings.Repeat("x", api.MaxFlags+1), 413},
	} {
		body, err := json.Marshal(s.body)
		if err != nil {
			t.Fatal(err)
		}
		if rec := c.call(s.who.identity().Chain[0], "POST", "/v1/opener/flags", nil, body); rec.Code != s.status {
			t.Errorf("%s: got %d, want %d", s.name, rec.Code, s.status)
		}
	}
	flags, err := c.staff("pat").Flags(t.Context(), true)
	if err != nil || len(flags) != 1+api.MaxFlagged || flags[0].By != opener.identity().Agent || flags[0].Flag.Hash() != flag.Hash() {
		t.Errorf("got %d flags, %v", len(flags), err)
	}
}

// TestRevokedOpener: whose notices the counters believed is believed no more.
func TestRevokedOpener(t *testing.T) {
	t.Parallel()
	c := newCentre(t, nil)
	opener, other := c.invited(central.Invitation{Opener: true}, nil), c.invited(central.Invitation{Opener: true}, nil)
	for _, o := range []*counter{opener, other} {
		if err := o.client.PutRecipients(t.Context(), recipients(t)); err != nil {
			t.Fatal(err)
		}
	}
	a, err := c.staff("pat").Revoke(t.Context(), opener.identity().Agent, "misused")
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second time changes nothing
		if err := c.Disbelieve(t.Context(), a); err != nil {
			t.Fatal(err)
		}
	}
	b, err := c.Bundle(t.Context())
	if err != nil || len(b.Openers) != 1 || string(b.Openers[0]) == string(a.Public) {
		t.Errorf("%d openers are believed (%v)", len(b.Openers), err)
	}
}

// shelf keeps a counter's files of the bundle in memory.
type shelf struct {
	mu    sync.Mutex
	got   [][]byte
	taken map[wire.Hash]bool
	err   error
}

func (s *shelf) Has(f wire.File) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.taken[f.SHA256]
}

// refuse makes the next files be refused, or taken for nil.
func (s *shelf) refuse(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.err = err
}

// files are those that were handed in.
func (s *shelf) files() [][]byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.got)
}

func (s *shelf) Take(f wire.File, data []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.got = append(s.got, data)
	if s.err == nil {
		s.taken[f.SHA256] = true
	}
	return s.err
}

// TestFiles: a counter fetches what the bundle names, piece by piece over a bad
// line, once each; also what it refuses is fetched once.
func TestFiles(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCentre(t, nil)
		n := c.enrolled()
		kept := &shelf{taken: map[wire.Hash]bool{}}
		_, bad := faultyLine(7)
		n.client = uplink.New(uplink.Config{
			Keeper: n.keeper, Queue: n.queue, Files: kept,
			Wrap: func(http.RoundTripper) http.RoundTripper { return bad(inside{c.handler, n.keeper}) },
		})
		defer n.run()()
		for i, size := range []int{1, 512 << 10, 3_000_000} {
			data := []byte(strings.Repeat(string(rune('a'+i)), size))
			f, err := c.SetFile(t.Context(), wire.FileChips, data)
			if err != nil || f.Version != uint64(i+1) {
				t.Fatalf("got %+v, %v", f, err)
			}
			if again, err := c.SetFile(t.Context(), wire.FileChips, data); err != nil || again != f {
				t.Errorf("the same again: got %+v, %v", again, err)
			}
			if i == 2 {
				kept.refuse(errors.New("it is older than the one at hand"))
			}
			time.Sleep(6 * time.Hour)
			if got := kept.files(); len(got) != i+1 || wire.HashOf(got[i]) != wire.HashOf(data) {
				t.Fatalf("file %d: the counter took %d", i+1, len(got))
			}
		}
	})
}

// TestFilesRefused: the centre hands out what the bundle names and nothing else.
func TestFilesRefused(t *testing.T) {
	t.Parallel()
	c := newCentre(t, nil)
	cert := c.enrolled().identity().Chain[0]
	f, err := c.SetFile(t.Context(), wire.FileChips, []byte("first"))
	if err != nil {
		t.Fatal(err)
	}
	next, err := c.SetFile(t.Context(), wire.FileChips, []byte("second"))
	if err != nil {
		t.Fatal(err)
	}
	path := "/v1/trust/files/"
	for name, s := range map[string]struct {
		cert   []byte
		path   string
		span   string
		status int
		body   string
	}{
		"whole": {cert, path + next.SHA256.String(), "", 200, "second"}, "piece": {cert, path + next.SHA256.String(), "bytes=1-2", 206, "ec"},
		"beyond": {cert, path + next.SHA256.String(), "bytes=9-10", 416, ""}, "old": {cert, path + f.SHA256.String(), "", 404, ""},
		"nobody": {nil, path + next.SHA256.String(), "", 403, ""}, "no-hash": {cert, path + "..%2fauthority.pem", "", 400, ""},
	} {
		header := http.Header{}
		if s.span != "" {
			header.Set("Range", s.span)
		}
		rec := c.call(s.cert, "GET", s.path, header, nil)
		if rec.Code != s.status || s.body != "" && rec.Body.String() != s.body {
			t.Errorf("%s: got %d, %q", name, rec.Code, rec.Body)
		}
	}
	if err := os.Remove(filepath.Join(c.cfg.Dir, "trust", next.SHA256.String())); err != nil {
		t.Fatal(err)
	}
	if rec := c.call(cert, "GET", path+next.SHA256.String(), nil, nil); rec.Code != 404 {
		t.Errorf("a file that is gone: got %d", rec.Code)
	}
	for name, data := range map[string][]byte{"empty": nil, "huge": make([]byte, wire.MaxFile+1)} {
		if _, err := c.SetFile(t.Context(), wire.FileChips, data); err == nil {
			t.Errorf("%s: it was set", name)
		}
	}
}

// TestSettings: they reach the counters with the next bundle, and the same again
// makes no new one.
func TestSettings(t *testing.T) {
	t.Parallel()
	c := newCentre(t, nil)
	n := c.enrolled()
	set := func(s wire.Settings) error {
		_, err := c.SetSettings(t.Context(), func(wire.Settings) wire.Settings { return s })
		return err
	}
	for _, s := range []wire.Settings{{HighGrade: "tpm", Pace: 900}, {HighGrade: "tpm", Pace: 900}} {
		if err := set(s); err != nil {
			t.Fatal(err)
		}
	}
	for _, s := range []wire.Settings{{HighGrade: "paper"}, {Pace: -1}, {Pace: wire.MaxPace + 1}} {
		if err := set(s); err == nil {
			t.Errorf("%+v were set", s)
		}
	}
	if err := n.client.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	b, err := n.identity().Bundle.Bundle()
	if err != nil || b.Version != 2 || b.Settings != (wire.Settings{HighGrade: "tpm", Pace: 900}) {
		t.Errorf("got version %d with %+v (%v)", b.Version, b.Settings, err)
	}
}

// TestRoutes: what the table says and what the centre answers are the same: every
// route is answered, under the statuses that are named, and holds its role.
func TestRoutes(t *testing.T) {
	t.Parallel()
	c := newCentre(t, nil)
	n, opener := c.enrolled(), c.invited(central.Invitation{Opener: true}, nil)
	people := map[string][]byte{"": nil, string(store.Counter): n.identity().Chain[0], string(store.Opener): opener.identity().Chain[0]}
	for _, r := range api.Routes() {
		path := strings.NewReplacer("{agent}", string(n.identity().Agent), "{seq}", "1", "{sha256}", wire.HashOf(nil).String()).Replace(r.Path)
		for role, cert := range people {
			rec := c.call(cert, r.Method, path, nil, nil)
			named := false
			for _, a := range r.Answers {
				named = named || a.Status == rec.Code
			}
			if !named {
				t.Errorf("%s as %q: got %d, which the table does not name", r.Name, role, rec.Code)
			}
			if refused := rec.Code == http.StatusForbidden; r.Name != "enrol" && refused == r.May(store.Role(role)) {
				t.Errorf("%s as %q: got %d", r.Name, role, rec.Code)
			}
		}
	}
	want, err := api.OpenAPI()
	if rec := c.call(nil, "GET", "/v1/openapi.json", nil, nil); err != nil || rec.Code != 200 || rec.Body.String() != string(want) {
		t.Errorf("got %d and %d bytes, want %d (%v)", rec.Code, rec.Body.Len(), len(want), err)
	}
}

// httptestGet asks a handler.
func httptestGet(h http.Handler, path string) string {
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, path, nil))
	return rec.Body.String()
}

// TestFigures: verdicts and refusals are counted by cause.
func TestFigures(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCentre(t, nil)
		n, other := c.enrolled(), c.enrolled()
		gone := c.enrolled()
		if _, err := c.staff("pat").Revoke(t.Context(), gone.identity().Agent, "lost"); err != nil {
			t.Fatal(err)
		}
		e := n.sealed(wire.Header{Seq: 1})
		for range 2 {
			c.post(n, e, 1, e.Marshal(nil))
		}
		c.stateOf(n, nil)
		c.stateOf(n, other.identity().Chain[0])
		c.stateOf(gone, gone.identity().Chain[0])
		c.call(n.identity().Chain[0], "POST", "/v1/agents/"+string(n.identity().Agent)+"/notices/ack", nil, make([]byte, 2_000))
		c.call(n.identity().Chain[0], "POST", "/v1/agents/"+string(n.identity().Agent)+"/notices/ack", nil, []byte("no json"))
		time.Sleep(8 * 24 * time.Hour)
		c.stateOf(n, n.identity().Chain[0])
		rec := httptestGet(c.Figures().Handler(), "/metrics")
		for name, want := range map[string]int{
			`verdicts_total{verdict="stored"}`: 1, `verdicts_total{verdict="replayed"}`: 1,
			`refusals_total{cause="unauthenticated"}`: 1, `refusals_total{cause="other_site"}`: 1, `refusals_total{cause="revoked"}`: 1,
			`refusals_total{cause="oversized"}`: 1, `refusals_total{cause="malformed"}`: 1, `refusals_total{cause="expired"}`: 1,
		} {
			if line := fmt.Sprintf("counterproof_%s %d\n", name, want); !strings.Contains(rec, line) {
				t.Errorf("there is no %s", line)
			}
		}
	})
}

// TestSlowAndShed: a body that does not come in time, and a request for which
// there is no slot, are counted as such, and the second is refused unread.
func TestSlowAndShed(t *testing.T) {
	t.Parallel()
	c := newCentre(t, func(cfg *central.Config) { cfg.InFlight = 1 })
	ask := func(body io.Reader) int {
		rec := httptest.NewRecorder()
		c.handler().ServeHTTP(rec, httptest.NewRequest(http.MethodPost, "/v1/enrol", body))
		return rec.Code
	}
	if got := ask(iotest.ErrReader(os.ErrDeadlineExceeded)); got != http.StatusBadRequest {
		t.Errorf("a slow body: got %d", got)
	}
	read, write := io.Pipe()
	ended := make(chan int)
	go func() { ended <- ask(read) }()
	if _, err := write.Write([]byte("{")); err != nil { // the slot is taken now
		t.Fatal(err)
	}
	if got := ask(iotest.ErrReader(errors.New("the body was read"))); got != http.StatusServiceUnavailable {
		t.Errorf("without a slot: got %d", got)
	}
	_ = write.Close()
	if got := <-ended; got != http.StatusBadRequest {
		t.Errorf("half a body: got %d", got)
	}
	figures := httptestGet(c.Figures().Handler(), "/metrics")
	for _, want := range []string{`refusals_total{cause="slow"} 1`, `refusals_total{cause="shed"} 1`, `refusals_total{cause="malformed"} 1`} {
		if !strings.Contains(figures, want) {
			t.Errorf("there is no %s", want)
		}
	}
}
