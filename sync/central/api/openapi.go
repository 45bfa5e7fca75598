package api

import (
	"fmt"
	"net/http"
	"reflect"
	"strconv"

	"github.com/danielgtaylor/huma/v2"

	"github.com/counterproof/counterproof/sync/wire"
)

// OpenAPI writes the document of Routes, OpenAPI 3.1 as JSON. The same table
// gives the same bytes.
func OpenAPI() ([]byte, error) {
	d := document{huma.NewMapRegistry("#/components/schemas/", huma.DefaultSchemaNamer)}
	o := &huma.OpenAPI{
		OpenAPI: "3.1.0",
		Info: &huma.Info{
			Title: "Counterproof centre", Version: "1",
			Description: "What counters and openers ask the centre. Who speaks is what the TLS 1.3 client certificate says.",
		},
		Components: &huma.Components{
			Schemas: d.types,
			SecuritySchemes: map[string]*huma.SecurityScheme{
				scheme: {Type: "mutualTLS", Description: "a certificate that the centre gave to an enrolled agent"},
			},
		},
	}
	for _, r := range Routes() {
		o.AddOperation(d.operation(r))
	}
	text, err := o.MarshalJSON()
	if err != nil {
		return nil, fmt.Errorf("writing the interface's description: %w", err)
	}
	return text, nil
}

// scheme is the name under which the document speaks of client certificates.
const scheme = "agent"

// document makes the parts of one document; the types that they share are in its
// registry.
type document struct {
	types huma.Registry
}

// operation describes one route.
func (d document) operation(r Route) *huma.Operation {
	op := &huma.Operation{
		OperationID: r.Name, Method: r.Method, Path: r.Path, Summary: r.Summary,
		Responses: map[string]*huma.Response{}, Security: []map[string][]string{},
	}
	if r.Role != Nobody {
		op.Security = append(op.Security, map[string][]string{scheme: {}})
		op.Extensions = map[string]any{"x-role": string(r.Role)}
	}
	for _, p := range r.Params {
		op.Parameters = append(op.Parameters, &huma.Param{
			In: p.In, Name: p.Name, Description: p.Means, Required: p.Required || p.In == "path", Schema: p.schema(),
		})
	}
	if r.Body != nil {
		op.RequestBody = &huma.RequestBody{
			Required: true, Description: fmt.Sprintf("at most %d bytes", r.Body.Limit), Content: d.content(r.Body.Media, r.Body.Of),
			Extensions: map[string]any{"x-max-bytes": r.Body.Limit},
		}
	}
	for _, a := range r.Answers {
		op.Responses[strconv.Itoa(a.Status)] = d.response(r.Method, a)
	}
	return op
}

// response describes one answer. That to HEAD never has a body.
func (d document) response(method string, a Answer) *huma.Response {
	out := &huma.Response{Description: a.Means}
	if a.Media != "" && method != http.MethodHead {
		out.Content = d.content(a.Media, a.Of)
	}
	for _, h := range a.Headers {
		if out.Headers == nil {
			out.Headers = map[string]*huma.Param{}
		}
		out.Headers[h] = &huma.Param{Schema: &huma.Schema{Type: huma.TypeString}}
	}
	return out
}

// content describes a body.
func (d document) content(media string, of any) map[string]*huma.MediaType {
	schema := &huma.Schema{Type: huma.TypeString, Format: "binary"}
	if of != nil {
		schema = d.schema(reflect.TypeOf(of))
	}
	return map[string]*huma.MediaType{media: {Schema: schema}}
}

// schema describes a type of package wire, with what its Go type does not say:
// readers ignore fields that they do not know.
func (d document) schema(t reflect.Type) *huma.Schema {
	s := d.types.Schema(t, true, t.Name())
	for _, of := range d.types.Map() {
		if of.Type != huma.TypeObject {
			continue
		}
		if of.AdditionalProperties == false {
			of.AdditionalProperties = true
		}
		for name, limit := range closed() {
			if p := of.Properties[name]; p != nil && p.Type == huma.TypeString {
				limit(p)
			}
		}
	}
	return s
}

// closed says what a field of a name holds, wherever it stands.
func closed() map[string]func(*huma.Schema) {
	pattern := func(p string) func(*huma.Schema) { return func(s *huma.Schema) { s.Pattern = p } }
	words := func(of ...any) func(*huma.Schema) { return func(s *huma.Schema) { s.Enum = of } }
	return map[string]func(*huma.Schema){
		"rec_hash": pattern(hexHash), "sha256": pattern(hexHash), "head": pattern(hexHash), "agent": pattern(name),
		"grade":   words("tpm", "dpapi", "file"),
		"verdict": words(verdicts()...),
	}
}

// verdicts are those that leave the centre.
func verdicts() []any {
	return []any{
		wire.Stored, wire.Replayed, wire.MissingBlobs, wire.Gap, wire.Fork, wire.Altered, wire.Refused,
		wire.Unauthorised, wire.Shed, wire.Upgrade, wire.Pending,
	}
}

// schema describes a parameter.
func (p Param) schema() *huma.Schema {
	if p.Most == 0 {
		return &huma.Schema{Type: huma.TypeString, Pattern: p.Pattern}
	}
	least, most := float64(p.Least), float64(p.Most)
	return &huma.Schema{Type: huma.TypeInteger, Format: "int64", Minimum: &least, Maximum: &most}
}
