package api_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/counterproof/counterproof/sync/central/api"
	"github.com/counterproof/counterproof/sync/store"
	"github.com/counterproof/counterproof/sync/wire"
)

// spec is what a reader of the document sees of it.
type spec struct {
	OpenAPI    string
	Paths      map[string]map[string]operation
	Components struct {
		Schemas         map[string]schema
		SecuritySchemes map[string]struct{ Type string }
	}
}

type operation struct {
	OperationID string `json:"operationId"`
	Parameters  []struct {
		Name, In string
		Required bool
		Schema   schema
	}
	RequestBody struct {
		Required bool
		MaxBytes int64 `json:"x-max-bytes"`
		Content  map[string]struct{ Schema schema }
	}
	Responses map[string]struct {
		Description string
		Headers     map[string]any
		Content     map[string]struct{ Schema schema }
	}
	Security []map[string][]string
	Role     string `json:"x-role"`
}

type schema struct {
	Ref        string `json:"$ref"`
	Type       any
	Pattern    string
	Format     string
	Enum       []any
	Minimum    *float64
	Maximum    *float64
	Properties map[string]schema
	Items      *schema
	Additional any `json:"additionalProperties"`
}

// document reads the document.
func document(t *testing.T) spec {
	t.Helper()
	text, err := api.OpenAPI()
	if err != nil {
		t.Fatal(err)
	}
	var d spec
	if err := json.Unmarshal(text, &d); err != nil {
		t.Fatal(err)
	}
	return d
}

// TestTable: every route has a name of its own, a bound on what is sent, and all
// that every route of its sort answers.
func TestTable(t *testing.T) {
	t.Parallel()
	names, patterns := map[string]bool{}, map[string]bool{}
	for _, r := range api.Routes() {
		if names[r.Name] || patterns[r.Pattern()] || r.Summary == "" {
			t.Errorf("%s (%s) stands twice or says nothing", r.Name, r.Pattern())
		}
		names[r.Name], patterns[r.Pattern()] = true, true
		seen := map[int]bool{}
		for _, a := range r.Answers {
			if seen[a.Status] || a.Means == "" {
				t.Errorf("%s: %d stands twice or says nothing", r.Name, a.Status)
			}
			seen[a.Status] = true
		}
		if !seen[503] || r.Role != api.Nobody && !seen[403] || r.Body != nil && (!seen[413] || !seen[400] || r.Body.Limit <= 0) {
			t.Errorf("%s does not name every answer: %v", r.Name, seen)
		}
		for _, p := range regexp.MustCompile(`\{(\w+)\}`).FindAllStringSubmatch(r.Path, -1) {
			if !slices.ContainsFunc(r.Params, func(q api.Param) bool { return q.In == "path" && q.Name == p[1] && q.Required }) {
				t.Errorf("%s does not describe %s", r.Name, p[1])
			}
		}
	}
}

// TestRoles: who may use what.
func TestRoles(t *testing.T) {
	t.Parallel()
	for _, s := range []struct {
		route, role store.Role
		want        bool
	}{
		{api.Nobody, api.Nobody, true}, {api.Nobody, store.Counter, true}, {api.Anyone, store.Counter, true}, {api.Anyone, store.Opener, true},
		{api.Anyone, api.Nobody, false}, {store.Opener, store.Counter, false}, {store.Opener, store.Opener, true}, {store.Counter, api.Nobody, false},
	} {
		if got := (api.Route{Role: s.route}).May(s.role); got != s.want {
			t.Errorf("route of %q, asked by %q: got %v", s.route, s.role, got)
		}
	}
}

// TestDocument: the document has every route with its parameters, bodies and
// answers, and says who may ask.
func TestDocument(t *testing.T) {
	t.Parallel()
	d := document(t)
	if d.OpenAPI != "3.1.0" || d.Components.SecuritySchemes["agent"].Type != "mutualTLS" {
		t.Errorf("got version %q, %+v", d.OpenAPI, d.Components.SecuritySchemes)
	}
	count := 0
	for _, r := range api.Routes() {
		op, ok := d.Paths[r.Path][strings.ToLower(r.Method)]
		if !ok || op.OperationID != r.Name || op.Role != string(r.Role) || (len(op.Security) == 1) != (r.Role != api.Nobody) {
			t.Errorf("%s is described as %+v", r.Name, op)
		}
		if len(op.Parameters) != len(r.Params) || len(op.Responses) != len(r.Answers) {
			t.Errorf("%s: %d parameters and %d answers are described", r.Name, len(op.Parameters), len(op.Responses))
		}
		if r.Body != nil && (op.RequestBody.MaxBytes != r.Body.Limit || len(op.RequestBody.Content[r.Body.Media].Schema.resolve(d).shape()) == 0) {
			t.Errorf("%s: the body is described as %+v", r.Name, op.RequestBody)
		}
		if _, ok := op.Responses["503"].Headers["Retry-After"]; !ok {
			t.Errorf("%s does not say when to come back", r.Name)
		}
		if r.Method == http.MethodHead && len(op.Responses["403"].Content) != 0 {
			t.Errorf("%s answers with a body", r.Name)
		}
		count++
	}
	for _, item := range d.Paths {
		count -= len(item)
	}
	if count != 0 {
		t.Errorf("the table and the document differ by %d routes", count)
	}
}

// resolve follows a reference.
func (s schema) resolve(d spec) schema {
	if name, ok := strings.CutPrefix(s.Ref, "#/components/schemas/"); ok {
		return d.Components.Schemas[name]
	}
	return s
}

// shape says what a schema allows, empty for a schema that allows everything.
func (s schema) shape() string {
	if s.Type == nil {
		return ""
	}
	b, _ := json.Marshal(s.Type)
	return string(b)
}

// TestTypes: what is closed is described so, and readers are told to pass over
// fields that they do not know.
func TestTypes(t *testing.T) {
	t.Parallel()
	d := document(t)
	answer := d.Components.Schemas["Answer"]
	if len(answer.Properties["verdict"].Enum) != 11 || answer.Additional != true {
		t.Errorf("an answer is described as %+v", answer)
	}
	receipt := answer.Properties["receipt"].resolve(d)
	hash := regexp.MustCompile(receipt.Properties["rec_hash"].Pattern)
	if !hash.MatchString(wire.HashOf(nil).String()) || hash.MatchString("00") {
		t.Errorf("a hash is described as %q", hash)
	}
	if got := d.Components.Schemas["EnrolRequest"].Properties["grade"].Enum; len(got) != 3 {
		t.Errorf("grades are described as %v", got)
	}
	for _, name := range []string{"State", "Signed", "NoticePage", "NoticeAck", "EnrolAnswer", "Flags", "Recipient", "Placed"} {
		if len(d.Components.Schemas[name].Properties) == 0 {
			t.Errorf("%s is not described", name)
		}
	}
	op := d.Paths["/v1/agents/{agent}/records/{seq}"]["post"]
	for _, p := range op.Parameters {
		if p.Name == "seq" && (p.Schema.Minimum == nil || *p.Schema.Minimum != 1 || p.Schema.Maximum == nil) {
			t.Errorf("a number is described as %+v", p.Schema)
		}
	}
}

// TestSame: the same table gives the same bytes.
func TestSame(t *testing.T) {
	t.Parallel()
	first, err := api.OpenAPI()
	if err != nil {
		t.Fatal(err)
	}
	for range 5 {
		if again, err := api.OpenAPI(); err != nil || !bytes.Equal(again, first) {
			t.Fatalf("it differs (%v)", err)
		}
	}
}

// TestWhatCanBeAsked: the interface is this and nothing else. A route that is
// added or whose role changes is to be looked at by a person.
func TestWhatCanBeAsked(t *testing.T) {
	t.Parallel()
	want := []string{
		"GET /v1/agents/{agent}/notices counter",
		"GET /v1/agents/{agent}/state counter",
		"GET /v1/log/checkpoint agent",
		"GET /v1/openapi.json ",
		"GET /v1/opener/notices opener",
		"GET /v1/opener/records opener",
		"GET /v1/trust/bundle agent",
		"GET /v1/trust/files/{sha256} agent",
		"HEAD /v1/blobs/{sha256} counter",
		"PATCH /v1/blobs/{sha256} counter",
		"POST /v1/agents/{agent}/notices/ack counter",
		"POST /v1/agents/{agent}/proofs counter",
		"POST /v1/agents/{agent}/records counter",
		"POST /v1/agents/{agent}/records/{seq} counter",
		"POST /v1/enrol ",
		"POST /v1/opener/flags opener",
		"POST /v1/opener/leaves opener",
		"POST /v1/opener/notices opener",
		"POST /v1/renew agent",
		"PUT /v1/opener/recipients opener",
	}
	var got []string
	for _, r := range api.Routes() {
		got = append(got, r.Pattern()+" "+string(r.Role))
	}
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// TestBounds: a body is bounded by what one of full size needs, and not by much
// more.
func TestBounds(t *testing.T) {
	t.Parallel()
	flag := wire.Flag{Kind: wire.FlagDocument, At: time.Now()}
	for i := range wire.MaxFlagged {
		flag.Records = append(flag.Records, wire.Hash{byte(i)})
	}
	var flags api.Flags
	for range api.MaxFlagged {
		flags.Flags = append(flags.Flags, flag)
	}
	full, err := json.Marshal(flags)
	if err != nil || len(full) > api.MaxFlags || len(full) < api.MaxFlags/2 {
		t.Errorf("the most flags have %d bytes, the bound is %d (%v)", len(full), api.MaxFlags, err)
	}
	var parts []wire.Part
	h := wire.Header{Version: 1, Agent: "a", Seq: 1}
	for range wire.MaxParts {
		parts = append(parts, wire.Part{Name: "p", Sealed: make([]byte, wire.MaxInline)})
		h.Parts = append(h.Parts, wire.PartInfo{Name: "p", Recipient: "k"})
	}
	e := wire.Envelope{Header: h.Encode(), Signature: make([]byte, wire.MaxSignature), Parts: parts}
	if got := len(e.Marshal(nil)) + wire.MaxHeader - len(e.Header); got != api.MaxRecord {
		t.Errorf("the largest record has %d bytes, the bound is %d", got, api.MaxRecord)
	}
}
