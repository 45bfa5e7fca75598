package attack

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/counterproof/counterproof/sync/wire"
)

// small is a document to test the tests with.
const small = `{"openapi":"3.1.0","paths":{"/v1/a/{n}":{"post":{"operationId":"a","x-role":"counter",
"parameters":[{"in":"path","name":"n","required":true,"schema":{"type":"integer","minimum":1,"maximum":5}}],
"requestBody":{"x-max-bytes":100,"content":{"application/json":{"schema":{"$ref":"#/components/schemas/T"}}}},
"responses":{"200":{"content":{"application/json":{"schema":{"$ref":"#/components/schemas/T"}}}},"204":{}}}}},
"components":{"schemas":{"T":{"type":"object","required":["word"],"properties":{
"word":{"type":"string","enum":["yes","no"]},"n":{"type":"integer","maximum":5},"hash":{"type":"string","pattern":"^[0-9a-f]{64}$"},
"list":{"type":["array","null"],"maxItems":1,"items":{"type":"boolean"}}}}}}}`

// TestCheck: the checker sees each way in which an answer can differ.
func TestCheck(t *testing.T) {
	t.Parallel()
	d, err := ReadDocument([]byte(small))
	if err != nil || len(d.Operations) != 1 {
		t.Fatal(d, err)
	}
	for rule, s := range map[string]struct {
		status int
		body   string
		good   bool
	}{
		"good":      {200, `{"word":"yes","n":5,"list":null,"more":1}`, true},
		"empty":     {204, ``, true},
		"status":    {500, `{}`, false},
		"no-json":   {200, `goroutine 1 [running]`, false},
		"missing":   {200, `{}`, false},
		"enum":      {200, `{"word":"perhaps"}`, false},
		"bound":     {200, `{"word":"no","n":6}`, false},
		"fraction":  {200, `{"word":"no","n":1.5}`, false},
		"pattern":   {200, `{"word":"no","hash":"12"}`, false},
		"type":      {200, `{"word":7}`, false},
		"item":      {200, `{"word":"no","list":["x"]}`, false},
		"too-many":  {200, `{"word":"no","list":[true,true]}`, false},
		"a-body":    {204, `{}`, false},
		"a-list":    {200, `[]`, false},
		"null-word": {200, `{"word":null}`, false},
	} {
		if err := d.Check(d.Operations[0], s.status, []byte(s.body)); (err == nil) != s.good {
			t.Errorf("%s: got %v", rule, err)
		}
	}
	for _, text := range []string{"", "{}", `{"openapi":"2.0","paths":{"/":{}}}`, `{"openapi":"3.1.0","paths":{"/":{"get":7}}}`} {
		if _, err := ReadDocument([]byte(text)); err == nil {
			t.Errorf("%q was read as a description", text)
		}
	}
}

// TestDraw: the same seed draws the same, and many seeds draw good and bad.
func TestDraw(t *testing.T) {
	t.Parallel()
	d, err := ReadDocument([]byte(small))
	if err != nil {
		t.Fatal(err)
	}
	op, paths, bodies := d.Operations[0], map[string]bool{}, map[string]bool{}
	for seed := range uint64(400) {
		one, two := d.Draw(op, map[string]string{"n": "3"}, seed), d.Draw(op, map[string]string{"n": "3"}, seed)
		if one.Path != two.Path || !bytes.Equal(one.Body, two.Body) {
			t.Fatalf("seed %d draws two things", seed)
		}
		paths[one.Path] = true
		switch {
		case len(one.Body) == 0:
			bodies["empty"] = true
		case len(one.Body) > 100:
			bodies["large"] = true
		case strings.Contains(string(one.Body), `"word":"yes"`):
			bodies["good"] = true
		}
	}
	if !paths["/v1/a/3"] || !paths["/v1/a/0"] || !paths["/v1/a/6"] || len(bodies) != 3 {
		t.Errorf("drawn were %d paths and bodies %v", len(paths), bodies)
	}
}

// TestDescribed draws requests for every operation that the centre describes, for
// every kind of client, and holds each answer to the description.
func TestDescribed(t *testing.T) {
	t.Parallel()
	each := uint64(8)
	if testing.Short() {
		each = 4
	}
	c := newTarget(t, false)
	good, opener := c.enrolled("FA123"), c.enrolled("")
	got, err := c.raw(client{}, request("GET", "/v1/openapi.json", nil, nil), false)
	if err != nil || got.status != http.StatusOK {
		t.Fatalf("the description: %d (%v)", got.status, err)
	}
	d, err := ReadDocument(got.body)
	if err != nil {
		t.Fatal(err)
	}
	clients := map[string]client{
		"nobody": {}, "counter": c.enrolled("FB456"), "opener": opener, "expired": c.lapsed(good), "self-signed": c.selfSigned(good),
	}
	seen, sent := map[string]bool{}, 0
	for _, op := range d.Operations {
		for kind, as := range clients {
			own := map[string]string{"agent": string(as.agent), "seq": "1", "sha256": wire.HashOf(nil).String(), "Upload-Offset": "0"}
			for n := range each {
				c.described(d, op, trial{kind, as, d.Draw(op, own, n)}, seen)
				sent++
			}
		}
	}
	for _, op := range d.Operations {
		if !seen[op.ID+" refused"] && op.Role != "" {
			t.Errorf("%s: no request was refused", op.ID)
		}
	}
	c.served(good, "after all")
	if bytes.Contains(c.log.Bytes(), []byte("panic")) {
		t.Error("the log tells of a panic")
	}
	t.Logf("%d requests to %d operations, %d kinds of outcome", sent, len(d.Operations), len(seen))
}

// trial is a drawn request and who makes it.
type trial struct {
	kind string
	as   client
	req  Drawn
}

// described makes one request and judges what comes back.
func (c *target) described(d *Document, op Operation, by trial, seen map[string]bool) {
	c.t.Helper()
	h := http.Header{}
	for name, v := range by.req.Header {
		h.Set(name, v)
	}
	rows, began := c.rows(), time.Now()
	got, err := c.raw(by.as, request(by.req.Method, by.req.Path, h, by.req.Body), false)
	what := fmt.Sprintf("%s by %s: %s %.120q: %d", op.ID, by.kind, by.req.Method, by.req.Path, got.status)
	if err != nil || got.status == 0 || got.status >= 500 || time.Since(began) > bounded {
		c.t.Errorf("%s after %v (%v)", what, time.Since(began), err)
		return
	}
	if err := d.Check(op, got.status, got.body); err != nil {
		c.t.Errorf("%s: %v", what, err)
	}
	if bytes.Contains(got.body, []byte("goroutine")) || bytes.Contains(got.body, []byte(".go:")) {
		c.t.Errorf("%s shows the program's inside", what)
	}
	seen[fmt.Sprint(op.ID, " ", got.status)] = true
	if got.status >= 400 {
		seen[op.ID+" refused"] = true
		if !keeps(op.ID, got.status) && c.rows() != rows {
			c.t.Errorf("%s: the store changed", what)
		}
	}
	if op.Role != "" && (by.kind == "nobody" || by.kind == "expired" || by.kind == "self-signed") && got.status < 400 && op.ID != "renew" {
		c.t.Errorf("%s: it was let in", what)
	}
}

// keeps reports whether a refusal is written down by the rules: a signed refusal, a
// fork that is kept aside, what arrived of a part before the line was cut.
func keeps(id string, status int) bool {
	return id == "postRecord" && (status == http.StatusConflict || status == http.StatusUnprocessableEntity) ||
		id == "putBlob" && status == http.StatusBadRequest
}
