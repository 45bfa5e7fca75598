package attack

import (
	"bytes"
	"compress/gzip"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/counterproof/counterproof/sync/central/office"
	"github.com/counterproof/counterproof/sync/wire"
)

// attempt is one request that must be refused.
type attempt struct {
	rule    string
	as      client
	request string
	want    []int // statuses; 0 is a connection that is closed without one
	cut     bool  // the attacker says no more, and says so
	silent  bool  // refused below the centre's handlers, which count nothing there
}

// marked is put wherever a request carries text: it must not be in the log.
const marked = "Thornquist"

// try makes the attempts, each against a store that must not change.
func (c *target) try(good client, attempts []attempt) {
	c.t.Helper()
	for _, a := range attempts {
		rows, figures := c.rows(), c.counted()
		got, err := c.raw(a.as, a.request, a.cut)
		if err != nil || !slices.Contains(a.want, got.status) {
			c.t.Errorf("%s: got %d %.80q (%v), want one of %v", a.rule, got.status, got.body, err, a.want)
		}
		if c.rows() != rows {
			c.t.Errorf("%s: the store changed", a.rule)
		}
		if !a.silent && c.counted() == figures {
			c.t.Errorf("%s: it was not counted", a.rule)
		}
		if bytes.Contains(got.body, []byte("goroutine")) || bytes.Contains(got.body, []byte(".go:")) {
			c.t.Errorf("%s: the answer shows the program's inside: %.200q", a.rule, got.body)
		}
	}
	c.served(good, "after all")
	found := NewSearch(Secret{Name: "name", Bytes: []byte(marked), Text: true}).Bytes(c.log.Bytes())
	if len(found) != 0 {
		c.t.Errorf("what was sent stands in the log: %v", found)
	}
	if !bytes.Contains(c.log.Bytes(), []byte(`"status":`)) {
		c.t.Error("the log tells of no answer")
	}
}

// TestStrangers: whoever is not who the path names gets 403, over real TLS.
func TestStrangers(t *testing.T) {
	t.Parallel()
	c, elsewhere := newTarget(t, false), newTarget(t, false)
	good, other, opener := c.enrolled("FA123"), c.enrolled("FB456"), c.enrolled("")
	revoked := c.enrolled("FC789")
	records, err := c.Office()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := (office.Staff{Office: records, By: "pat"}).Revoke(t.Context(), revoked.agent, "stolen"); err != nil {
		t.Fatal(err)
	}
	nobody := client{}
	state := "/v1/agents/" + string(good.agent) + "/state"
	text := []byte(`{"name":"` + marked + `"}`)
	get := func(path string) string { return request("GET", path, http.Header{"X-Name": {marked}}, nil) }
	post := func(path string) string { return request("POST", path, nil, text) }
	forbidden := []int{http.StatusForbidden}
	var all []attempt
	for rule, as := range map[string]client{
		"nobody": nobody, "expired": c.lapsed(good), "self-signed": c.selfSigned(good), "other-authority": elsewhere.enrolled("FA123"),
		"revoked": revoked, "other-counter": other, "opener": opener,
	} {
		all = append(all, attempt{rule: rule + "/state", as: as, request: get(state), want: forbidden},
			attempt{rule: rule + "/record", as: as, request: post("/v1/agents/" + string(good.agent) + "/records/1"), want: forbidden},
			attempt{rule: rule + "/ack", as: as, request: post("/v1/agents/" + string(good.agent) + "/notices/ack"), want: forbidden})
		if rule == "opener" {
			continue
		}
		for _, path := range []string{"/v1/opener/records", "/v1/opener/notices"} {
			all = append(all, attempt{rule: rule + path, as: as, request: get(path), want: forbidden})
		}
		for _, path := range []string{"/v1/opener/flags", "/v1/opener/leaves", "/v1/opener/notices"} {
			all = append(all, attempt{rule: rule + path, as: as, request: post(path), want: forbidden})
		}
	}
	for rule, as := range map[string]client{"nobody": nobody, "self-signed": c.selfSigned(good), "revoked": revoked} {
		all = append(all, attempt{rule: rule + "/renew", as: as, request: post("/v1/renew"), want: forbidden},
			attempt{rule: rule + "/bundle", as: as, request: get("/v1/trust/bundle"), want: forbidden})
	}
	c.try(good, all)
}

// TestRecords: replays, forks and records that are not what they are named.
func TestRecords(t *testing.T) {
	t.Parallel()
	c := newTarget(t, false)
	good, forker := c.enrolled("FA123"), c.enrolled("FA123")
	first := good.sealed(t, wire.Header{Seq: 1}, []byte("sealed for "+marked))
	begin, err := c.raw(good, good.record(first, "1"), false)
	if err != nil || begin.status != http.StatusOK {
		t.Fatalf("the record itself: %d (%v)", begin.status, err)
	}
	rows := c.rows()
	again, err := c.raw(good, good.record(first, "1"), false)
	if err != nil || again.status != http.StatusOK || !bytes.Contains(again.body, []byte(wire.Replayed)) || c.rows() != rows {
		t.Errorf("replayed: got %d %s (%v); the store must stay as it was", again.status, again.body, err)
	}
	next := good.sealed(t, wire.Header{Seq: 2, Prev: first.RecHash()}, []byte("next"))
	body := string(next.Marshal(nil))
	path := "/v1/agents/" + string(good.agent) + "/records/"
	named := func(seq string, more ...string) string {
		h := http.Header{"Idempotency-Key": {next.RecHash().String()}}
		for i := 0; i+1 < len(more); i += 2 {
			h.Set(more[i], more[i+1])
		}
		return request("POST", path+seq, h, []byte(body))
	}
	bad := []int{http.StatusBadRequest}
	all := []attempt{
		{rule: "seq/negative", request: named("-2"), want: bad},
		{rule: "seq/huge", request: named("18446744073709551616"), want: bad},
		{rule: "seq/largest", request: named("18446744073709551615"), want: bad},
		{rule: "seq/zero", request: named("0"), want: bad},
		{rule: "seq/hex", request: named("0x2"), want: bad},
		{rule: "seq/no-utf8", request: named("%ff%fe"), want: bad},
		{rule: "seq/name", request: named(marked), want: bad},
		{rule: "gap", request: good.record(good.sealed(t, wire.Header{Seq: 9}, nil), "9"), want: []int{http.StatusTooEarly}},
		{rule: "of-another", request: request("POST", path+"1", http.Header{"Idempotency-Key": {first.RecHash().String()}}, forker.sealed(t, wire.Header{Seq: 1}, nil).Marshal(nil)), want: bad},
		{rule: "length/short", request: named("2", "Content-Length", "20"), want: bad},
		{rule: "length/long", request: named("2", "Content-Length", fmt.Sprint(len(body)+20)), want: []int{400, 0}, silent: true, cut: true},
		{rule: "length/huge", request: named("2", "Content-Length", "9000000000000000000"), want: []int{413}},
		{rule: "length/negative", request: named("2", "Content-Length", "-1"), want: bad, silent: true},
		{rule: "gzip", request: named("2", "Content-Encoding", "gzip") + "", want: []int{http.StatusOK, 415, 400}, silent: true},
	}
	for i := range all {
		all[i].as = good
	}
	c.try(good, all[:len(all)-1])
	// The encoding's name changes nothing: the bytes are taken as they are.
	if got, err := c.raw(good, all[len(all)-1].request, false); err != nil || got.status != http.StatusOK {
		t.Errorf("a named encoding: got %d (%v)", got.status, err)
	}
	for n, part := range []string{"one", "another"} {
		got, err := c.raw(forker, forker.record(forker.sealed(t, wire.Header{Seq: 1}, []byte(part)), "1"), false)
		if want := []int{http.StatusOK, http.StatusConflict}[n]; err != nil || got.status != want {
			t.Errorf("fork %d: got %d (%v), want %d", n, got.status, err, want)
		}
	}
	c.try(good, []attempt{{rule: "quarantined", as: forker, request: forker.record(forker.sealed(t, wire.Header{Seq: 2}, nil), "2"), want: []int{http.StatusConflict}}})
}

// TestBodies: too much, too little, and what would unpack to more.
func TestBodies(t *testing.T) {
	t.Parallel()
	c := newTarget(t, false)
	good, opener := c.enrolled("FA123"), c.enrolled("")
	var bomb bytes.Buffer
	w := gzip.NewWriter(&bomb)
	_, _ = io.CopyN(w, zeros{}, 64<<20)
	_ = w.Close()
	packed := func(method, path, encoding string) string {
		return request(method, path, http.Header{"Content-Encoding": {encoding}, "Content-Type": {"application/json"}}, bomb.Bytes())
	}
	agent := "/v1/agents/" + string(good.agent)
	blob := "/v1/blobs/" + wire.HashOf([]byte("picture")).String()
	piece := func(offset string, more ...string) string {
		h := http.Header{"Upload-Offset": {offset}, "Upload-Complete": {"?1"}}
		for i := 0; i+1 < len(more); i += 2 {
			h.Set(more[i], more[i+1])
		}
		return request("PATCH", blob, h, []byte("picture"))
	}
	bad, large := []int{http.StatusBadRequest}, []int{http.StatusRequestEntityTooLarge}
	long := strings.Repeat(marked, 4000)
	c.try(good, []attempt{
		{rule: "bomb/enrol", request: packed("POST", "/v1/enrol", "gzip"), want: large},
		{rule: "bomb/record", as: good, request: packed("POST", agent+"/records/1", "gzip"), want: bad},
		{rule: "bomb/proofs", as: good, request: packed("POST", agent+"/proofs", "deflate"), want: []int{400, 413}},
		{rule: "bomb/flags", as: opener, request: packed("POST", "/v1/opener/flags", "zstd"), want: []int{400, 413}},
		{rule: "large/enrol", request: request("POST", "/v1/enrol", nil, bytes.Repeat([]byte(" "), 1<<20)), want: large},
		{rule: "large/ack", as: good, request: request("POST", agent+"/notices/ack", nil, bytes.Repeat([]byte("1"), 1<<16)), want: large},
		{rule: "large/chunked", request: request("POST", "/v1/enrol", http.Header{"Transfer-Encoding": {"chunked"}}, chunked(1<<20)), want: []int{400, 413, 0}},
		{rule: "large/header", as: good, request: request("GET", agent+"/state", http.Header{"X-Name": {long}}, nil), want: []int{431}, silent: true},
		{rule: "large/path", as: good, request: request("GET", "/"+long, nil, nil), want: []int{431, 414, 404}, silent: true},
		{rule: "many/headers", as: good, request: request("GET", agent+"/state", manyHeaders(5000), nil), want: []int{431}, silent: true},
		{rule: "json/not-utf8", request: request("POST", "/v1/enrol", nil, []byte("{\"code\":\"\xff\xfe"+marked+"\"}")), want: bad},
		{rule: "json/deep", request: request("POST", "/v1/enrol", nil, bytes.Repeat([]byte("["), 15<<10)), want: bad},
		{rule: "json/number", as: good, request: request("POST", agent+"/notices/ack", nil, []byte(`{"n":-1e999}`)), want: bad},
		{rule: "json/negative", as: good, request: request("POST", agent+"/notices/ack", nil, []byte(`{"n":-1}`)), want: bad},
		{rule: "json/too-far", as: good, request: request("POST", agent+"/notices/ack", nil, []byte(`{"n":9}`)), want: []int{409}, silent: true},
		{rule: "path/no-utf8", as: good, request: request("GET", "/v1/agents/%ff%00/state", nil, nil), want: []int{403, 400, 404}},
		{rule: "path/nul", as: good, request: request("GET", "/v1/trust/files/%00", nil, nil), want: bad},
		{rule: "path/up", as: good, request: request("GET", "/v1/trust/files/..%2f..%2fca-key.pem", nil, nil), want: bad},
		{rule: "query/negative", as: opener, request: request("GET", "/v1/opener/records?after=-1", nil, nil), want: bad},
		{rule: "query/huge", as: opener, request: request("GET", "/v1/opener/records?limit=99999999999999999999", nil, nil), want: bad},
		{rule: "blob/negative", as: good, request: piece("-1"), want: bad},
		{rule: "blob/wild", as: good, request: piece("9223372036854775807"), want: []int{409, 413}, silent: true},
		{rule: "blob/too-far", as: good, request: piece("1048576"), want: []int{409}, silent: true},
		{rule: "blob/overflow", as: good, request: piece("9223372036854775808"), want: bad},
		{rule: "blob/words", as: good, request: piece(marked), want: bad},
		{rule: "blob/huge", as: good, request: piece("0", "Content-Length", "4000000000"), want: large},
		{rule: "blob/chunked", as: good, request: request("PATCH", blob, http.Header{"Upload-Offset": {"0"}, "Transfer-Encoding": {"chunked"}}, chunked(9)), want: []int{411}},
		{rule: "blob/of-nobody", request: piece("0"), want: []int{403}},
	})
}

// TestSmuggling: oddities of HTTP/1 that two readers read differently.
func TestSmuggling(t *testing.T) {
	t.Parallel()
	c := newTarget(t, false)
	good := c.enrolled("FA123")
	state := "/v1/agents/" + string(good.agent) + "/state"
	inner := request("POST", "/v1/enrol", nil, []byte(marked))
	lines := func(l ...string) string { return strings.Join(l, "\r\n") + "\r\n\r\n" }
	refused := []int{400, 501, 505, 0}
	all := []attempt{
		{rule: "both-lengths", request: lines("POST /v1/enrol HTTP/1.1", "Host: a", "Content-Length: 4", "Transfer-Encoding: chunked") + "0\r\n\r\n" + inner, want: []int{400}, silent: true},
		{rule: "two-lengths", request: lines("POST /v1/enrol HTTP/1.1", "Host: a", "Content-Length: 4", "Content-Length: 5") + "12345", want: refused, silent: true},
		{rule: "odd-coding", request: lines("POST /v1/enrol HTTP/1.1", "Host: a", "Transfer-Encoding: xchunked") + inner, want: refused, silent: true},
		{rule: "two-codings", request: lines("POST /v1/enrol HTTP/1.1", "Host: a", "Transfer-Encoding: gzip, chunked") + inner, want: refused, silent: true},
		{rule: "chunk-size", request: lines("POST /v1/enrol HTTP/1.1", "Host: a", "Transfer-Encoding: chunked") + "fffffffffffffffff\r\nx", want: []int{400, 0}, cut: true},
		{rule: "bare-lf-in-chunk", request: lines("POST /v1/enrol HTTP/1.1", "Host: a", "Transfer-Encoding: chunked") + "1;a\nx\n0\n\n", want: []int{400, 0}, cut: true},
		{rule: "plus-length", request: lines("POST /v1/enrol HTTP/1.1", "Host: a", "Content-Length: +4") + "1234", want: refused, silent: true},
		{rule: "space-before-colon", request: lines("GET "+state+" HTTP/1.1", "Host: a", "X-A : "+marked), want: refused, silent: true},
		{rule: "folded", request: lines("GET "+state+" HTTP/1.1", "Host: a", " folded: "+marked), want: []int{400, 200, 0}, silent: true},
		{rule: "two-hosts", request: lines("GET "+state+" HTTP/1.1", "Host: a", "Host: "+marked), want: refused, silent: true},
		{rule: "no-host", request: lines("GET " + state + " HTTP/1.1"), want: refused, silent: true},
		{rule: "nul-in-header", request: lines("GET "+state+" HTTP/1.1", "Host: a", "X-A: \x00"+marked), want: refused, silent: true},
		{rule: "version", request: lines("GET "+state+" HTTP/3.7", "Host: a"), want: refused, silent: true},
		{rule: "http2-preface", request: "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", want: refused, silent: true},
		{rule: "connect", request: lines("CONNECT internal.example:22 HTTP/1.1", "Host: a"), want: []int{400, 404, 405}, silent: true},
		{rule: "absolute", request: lines("GET http://internal.example/"+marked+" HTTP/1.1", "Host: a"), want: []int{404}, silent: true},
		{rule: "trace", request: lines("TRACE "+state+" HTTP/1.1", "Host: a"), want: []int{405}, silent: true},
		{rule: "noise", request: "\x16\x03\x01" + marked + "\r\n\r\n", want: refused, silent: true},
	}
	for i := range all {
		all[i].as = good
	}
	c.try(good, all)
}

// TestCutLine: a line that is cut in the middle of TLS or of a body leaves nothing.
func TestCutLine(t *testing.T) {
	t.Parallel()
	c := newTarget(t, true)
	good := c.enrolled("FA123")
	whole := good.record(good.sealed(t, wire.Header{Seq: 1}, bytes.Repeat([]byte("x"), 4000)), "1")
	rows := c.rows()
	for _, at := range []int{1, 40, 200, len(whole) / 2, len(whole) - 1} {
		conn, err := c.dial(good)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.WriteString(conn, whole[:at])
		_ = conn.NetConn().(*net.TCPConn).SetLinger(0)
		_ = conn.NetConn().Close() // no close_notify
	}
	for _, hello := range [][]byte{nil, {0x16}, {0x16, 3, 1, 2, 0, 1, 0}, bytes.Repeat([]byte{0x16, 3, 1, 0xff, 0xff}, 99), []byte("GET / HTTP/1.1\r\n\r\n")} {
		conn, err := net.Dial("tcp", c.address)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = conn.Write(hello)
		_ = conn.Close()
	}
	c.served(good, "after cut lines")
	if c.rows() != rows {
		t.Error("a cut line changed the store")
	}
	if got, err := c.raw(good, whole, false); err != nil || got.status != http.StatusOK {
		t.Errorf("the whole record afterwards: got %d (%v)", got.status, err)
	}
}

// TestSlowLoris: whoever dawdles is cut off, and holds up nobody.
func TestSlowLoris(t *testing.T) {
	t.Parallel()
	c := newTarget(t, true)
	good := c.enrolled("FA123")
	rows, began := c.rows(), time.Now()
	var slow sync.WaitGroup
	const many = 110 // of them 80 strangers, more than the centre has slots
	for n := range many {
		slow.Go(func() {
			as, text := client{}, "POST /v1/enrol HTTP/1.1\r\nHost: a\r\nContent-Length: 900\r\n\r\n"
			switch {
			case n >= 95:
				text = "GET /v1/openapi.json HTTP/1.1\r\nHost: a\r\nX-A: "
			case n >= 80:
				as, text = good, "POST /v1/agents/"+string(good.agent)+"/notices/ack HTTP/1.1\r\nHost: a\r\nContent-Length: 900\r\n\r\n"
			}
			if took := c.dawdle(as, text); took > 10*time.Second {
				t.Errorf("slow client %d was let go on for %v", n, took)
			}
		})
	}
	c.served(good, fmt.Sprintf("while %d dawdle", many))
	slow.Wait()
	c.served(good, "afterwards")
	if c.rows() != rows {
		t.Error("the store changed")
	}
	t.Logf("all were cut off within %v, with times a %dth of the product's", time.Since(began), hurry)
}

// dawdle sends a byte every tenth of a second, and tells how long it was let.
func (c *target) dawdle(as client, text string) time.Duration {
	began := time.Now()
	conn, err := c.dial(as)
	if err != nil {
		return time.Since(began)
	}
	defer conn.Close()
	_, _ = io.WriteString(conn, text)
	gone := make(chan struct{})
	go func() {
		_, _ = io.Copy(io.Discard, conn)
		close(gone)
	}()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-gone:
			return time.Since(began)
		case <-tick.C:
			_, _ = io.WriteString(conn, "1")
		}
	}
}

// TestIdle: thousands of connections that say nothing hold up nobody.
func TestIdle(t *testing.T) {
	const many = 3000
	c := newTarget(t, false)
	good := c.enrolled("FA123")
	rows := c.rows()
	var held []net.Conn
	defer func() {
		for _, conn := range held {
			_ = conn.Close()
		}
	}()
	for range many {
		conn, err := net.Dial("tcp", c.address)
		if err != nil {
			t.Skipf("NOT TRIED: %d idle connections; this machine gives %d: %v", many, len(held), err)
		}
		held = append(held, conn)
	}
	for range 100 {
		conn, err := tls.Dial("tcp", c.address, &tls.Config{RootCAs: c.pool, ServerName: "127.0.0.1"})
		if err != nil {
			t.Fatal(err)
		}
		held = append(held, conn)
	}
	c.served(good, fmt.Sprintf("beside %d idle connections", len(held)))
	if c.rows() != rows {
		t.Error("the store changed")
	}
}

// TestRowsDiffer: the digest sees a change of one row.
func TestRowsDiffer(t *testing.T) {
	t.Parallel()
	c := newTarget(t, false)
	before := c.rows()
	if c.rows() != before {
		t.Fatal("the digest of the same rows differs")
	}
	c.enrolled("FA123")
	if c.rows() == before {
		t.Error("an enrolment does not show in the digest")
	}
}

// zeros reads as zeros for ever.
type zeros struct{}

func (zeros) Read(b []byte) (int, error) {
	clear(b)
	return len(b), nil
}

// chunked is a body of n bytes in chunks.
func chunked(n int) []byte {
	var b bytes.Buffer
	for left := n; left > 0; left -= 1024 {
		size := min(left, 1024)
		fmt.Fprintf(&b, "%x\r\n%s\r\n", size, bytes.Repeat([]byte(" "), size))
	}
	b.WriteString("0\r\n\r\n")
	return b.Bytes()
}

// manyHeaders are n small headers.
func manyHeaders(n int) http.Header {
	h := http.Header{}
	for i := range n {
		h.Set(fmt.Sprintf("X-%d", i), "1")
	}
	return h
}
