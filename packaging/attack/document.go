package attack

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// Schema is what the tests need of JSON Schema (2020-12), as OpenAPI 3.1 uses it.
type Schema struct {
	Ref        string             `json:"$ref"`
	Type       any                `json:"type"` // a word or a list of words
	Format     string             `json:"format"`
	Pattern    string             `json:"pattern"`
	Minimum    *float64           `json:"minimum"`
	Maximum    *float64           `json:"maximum"`
	MaxItems   *int               `json:"maxItems"`
	Enum       []any              `json:"enum"`
	Items      *Schema            `json:"items"`
	Properties map[string]*Schema `json:"properties"`
	Required   []string           `json:"required"`
}

// Param is a part of a request's path, query or header.
type Param struct {
	In       string `json:"in"`
	Name     string `json:"name"`
	Required bool   `json:"required"`
	Schema   Schema `json:"schema"`
}

// content is a body's schema by its media type.
type content map[string]struct {
	Schema *Schema `json:"schema"`
}

// Operation is one thing that the document says can be asked.
type Operation struct {
	Method, Path string
	ID           string  `json:"operationId"`
	Role         string  `json:"x-role"` // who may ask; empty for anyone at all
	Params       []Param `json:"parameters"`
	Body         *struct {
		Limit   int64   `json:"x-max-bytes"`
		Content content `json:"content"`
	} `json:"requestBody"`
	Responses map[string]struct {
		Content content `json:"content"`
	} `json:"responses"`
}

// Document is an OpenAPI 3.1 document as it was read.
type Document struct {
	Operations []Operation
	types      map[string]*Schema
}

// ReadDocument reads a document; its operations come in order of path and method.
func ReadDocument(text []byte) (*Document, error) {
	var whole struct {
		OpenAPI    string                                `json:"openapi"`
		Paths      map[string]map[string]json.RawMessage `json:"paths"`
		Components struct {
			Schemas map[string]*Schema `json:"schemas"`
		} `json:"components"`
	}
	if err := json.Unmarshal(text, &whole); err != nil {
		return nil, fmt.Errorf("reading the description: %w", err)
	}
	if !strings.HasPrefix(whole.OpenAPI, "3.1.") || len(whole.Paths) == 0 {
		return nil, fmt.Errorf("reading the description: it is of version %q with %d paths", whole.OpenAPI, len(whole.Paths))
	}
	d := &Document{types: whole.Components.Schemas}
	for _, path := range slices.Sorted(maps.Keys(whole.Paths)) {
		for _, method := range slices.Sorted(maps.Keys(whole.Paths[path])) {
			op := Operation{Method: strings.ToUpper(method), Path: path}
			if err := json.Unmarshal(whole.Paths[path][method], &op); err != nil {
				return nil, fmt.Errorf("reading %s %s: %w", method, path, err)
			}
			d.Operations = append(d.Operations, op)
		}
	}
	return d, nil
}

// resolve follows a reference.
func (d *Document) resolve(s *Schema) *Schema {
	for range 8 {
		if s == nil || s.Ref == "" {
			return s
		}
		s = d.types[strings.TrimPrefix(s.Ref, "#/components/schemas/")]
	}
	return nil
}

// words are the types that a schema allows.
func (s *Schema) words() (all []string) {
	switch t := s.Type.(type) {
	case string:
		return []string{t}
	case []any:
		for _, w := range t {
			all = append(all, fmt.Sprint(w))
		}
	}
	return all
}

// Check holds an answer's status and body to the document: the status is named for
// the operation, and a JSON body is of its schema.
func (d *Document) Check(op Operation, status int, body []byte) error {
	r, ok := op.Responses[fmt.Sprint(status)]
	if !ok {
		return fmt.Errorf("%s answers %d, which is not described", op.ID, status)
	}
	of, isJSON := r.Content["application/json"]
	switch {
	case len(r.Content) == 0 && len(body) != 0:
		return fmt.Errorf("%s answers %d with a body of %d bytes where none is described", op.ID, status, len(body))
	case !isJSON || op.Method == "HEAD":
		return nil
	}
	var v any
	if err := json.Unmarshal(body, &v); err != nil {
		return fmt.Errorf("%s answers %d with what is no JSON: %w", op.ID, status, err)
	}
	if err := d.fits(of.Schema, v, 0); err != nil {
		return fmt.Errorf("%s answers %d: %w", op.ID, status, err)
	}
	return nil
}

// fits holds a value to a schema.
func (d *Document) fits(s *Schema, v any, depth int) error {
	if s = d.resolve(s); s == nil || depth > 20 {
		return errors.New("a schema that leads nowhere")
	}
	if words := s.words(); len(words) > 0 && !slices.ContainsFunc(words, func(w string) bool { return isOf(v, w) }) {
		return fmt.Errorf("a %T is not %v", v, words)
	}
	if len(s.Enum) > 0 && v != nil && !slices.ContainsFunc(s.Enum, func(e any) bool { return e == v }) {
		return errors.New("a word that is not of the list")
	}
	switch v := v.(type) {
	case string:
		return s.fitsText(v)
	case float64:
		return s.fitsFigure(v)
	case []any:
		return d.fitsList(s, v, depth)
	case map[string]any:
		return d.fitsObject(s, v, depth)
	}
	return nil
}

func (s *Schema) fitsFigure(v float64) error {
	if s.Minimum != nil && v < *s.Minimum || s.Maximum != nil && v > *s.Maximum {
		return fmt.Errorf("%v is out of its bounds", v)
	}
	return nil
}

func (s *Schema) fitsText(v string) error {
	if s.Pattern == "" {
		return nil
	}
	ok, err := regexp.MatchString(s.Pattern, v)
	if err != nil {
		return fmt.Errorf("reading the pattern %s: %w", s.Pattern, err)
	}
	if !ok {
		return fmt.Errorf("a text does not match %s", s.Pattern)
	}
	return nil
}

func (d *Document) fitsList(s *Schema, v []any, depth int) error {
	if s.MaxItems != nil && len(v) > *s.MaxItems {
		return fmt.Errorf("%d items are too many", len(v))
	}
	for _, item := range v {
		if s.Items == nil {
			break
		}
		if err := d.fits(s.Items, item, depth+1); err != nil {
			return fmt.Errorf("an item: %w", err)
		}
	}
	return nil
}

func (d *Document) fitsObject(s *Schema, v map[string]any, depth int) error {
	for _, name := range s.Required {
		if _, ok := v[name]; !ok {
			return fmt.Errorf("%s is missing", name)
		}
	}
	for name, of := range s.Properties {
		if field, ok := v[name]; ok {
			if err := d.fits(of, field, depth+1); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
		}
	}
	return nil
}

// isOf reports whether a value is of a JSON Schema's type.
func isOf(v any, word string) bool {
	switch v := v.(type) {
	case nil:
		return word == "null"
	case bool:
		return word == "boolean"
	case string:
		return word == "string"
	case float64:
		return word == "number" || word == "integer" && v == float64(int64(v))
	case []any:
		return word == "array"
	}
	return word == "object"
}

// Drawn is a request that was drawn from the document.
type Drawn struct {
	Method, Path string // the path with its query, escaped
	Header       map[string]string
	Body         []byte
}

// drawer draws requests, the same ones from the same seed.
type drawer struct {
	*rand.Rand
	doc *Document
	own map[string]string // values of parameters that are good for whoever asks
}

// Draw draws a request for an operation: its parameters and its body are good, at
// an edge, or broken. own are the parameters' values that are good for whoever asks.
func (d *Document) Draw(op Operation, own map[string]string, seed uint64) Drawn {
	w := drawer{rand.New(rand.NewPCG(seed, 7)), d, own}
	out := Drawn{Method: op.Method, Path: op.Path, Header: map[string]string{}}
	query := url.Values{}
	for _, p := range op.Params {
		v := w.param(p)
		switch p.In {
		case "path":
			if v == "" || v == "." || v == ".." { // these are other paths
				v = "-"
			}
			out.Path = strings.Replace(out.Path, "{"+p.Name+"}", url.PathEscape(v), 1)
		case "query":
			if w.IntN(4) > 0 {
				query.Set(p.Name, v)
			}
		case "header":
			if p.Required && w.IntN(8) > 0 || w.IntN(2) > 0 {
				out.Header[p.Name] = inLine(v)
			}
		}
	}
	if len(query) > 0 {
		out.Path += "?" + query.Encode()
	}
	if op.Body != nil {
		out.Body = w.body(op)
	}
	return out
}

// inLine keeps a text to what a header's line can hold.
func inLine(v string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return '?'
		}
		return r
	}, v)
}

// odd are texts that readers stumble over.
var odd = []string{
	"", " ", "-1", "0", "1", "1e9", "0x1", "9223372036854775807", "9223372036854775808", "18446744073709551616", "NaN", "null", "%", "%00", "\x00",
	"\xff\xfe", "../../etc/passwd", "a/b", "'; DROP TABLE record; --", "é", "\u202e", "?1", "bytes=0-0", "bytes=9-1", strings.Repeat("A", 300),
}

// param draws a parameter's value.
func (w drawer) param(p Param) string {
	good, ok := w.own[p.Name]
	if w.IntN(3) == 0 {
		return odd[w.IntN(len(odd))]
	}
	if ok && w.IntN(4) > 0 {
		return good
	}
	v := w.value(&p.Schema, 0)
	if f, ok := v.(float64); ok {
		return fmt.Sprintf("%.0f", f)
	}
	return fmt.Sprint(v)
}

// body draws a body: of the schema, cut, noise, empty or above its bound.
func (w drawer) body(op Operation) []byte {
	of, isJSON := op.Body.Content["application/json"]
	text := w.noise(w.IntN(600))
	if isJSON && w.IntN(6) > 0 {
		text, _ = json.Marshal(w.value(of.Schema, 0))
	}
	switch w.IntN(10) {
	case 0:
		return nil
	case 1:
		return text[:len(text)/2]
	case 2:
		if op.Body.Limit < 1<<20 {
			return append(text, make([]byte, op.Body.Limit)...)
		}
	case 3:
		return []byte(`{"a":` + strings.Repeat("[", 500))
	}
	return text
}

// noise is n bytes of any kind.
func (w drawer) noise(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(w.Uint32())
	}
	return b
}

// value draws a JSON value, mostly of its schema.
func (w drawer) value(s *Schema, depth int) any {
	s = w.doc.resolve(s)
	if s == nil || depth > 6 || w.IntN(12) == 0 {
		return []any{nil, true, -1.0, "x", []any{}, map[string]any{}, 1e300}[w.IntN(7)]
	}
	if len(s.Enum) > 0 {
		return s.Enum[w.IntN(len(s.Enum))]
	}
	words := s.words()
	if len(words) == 0 {
		return map[string]any{}
	}
	switch words[w.IntN(len(words))] {
	case "object":
		out := map[string]any{}
		for _, name := range slices.Sorted(maps.Keys(s.Properties)) {
			if w.IntN(8) > 0 {
				out[name] = w.value(s.Properties[name], depth+1)
			}
		}
		return out
	case "array":
		out := []any{}
		for range w.IntN(4) {
			out = append(out, w.value(s.Items, depth+1))
		}
		return out
	case "integer", "number":
		return w.figure(s)
	case "boolean":
		return w.IntN(2) == 0
	case "null":
		return nil
	}
	return w.text(s)
}

// figure draws a number within its bounds or just outside them.
func (w drawer) figure(s *Schema) float64 {
	low, high := 0.0, 9.0
	if s.Minimum != nil {
		low = *s.Minimum
	}
	if s.Maximum != nil {
		high = *s.Maximum
	}
	return []float64{low, low + 1, high, low - 1, high + 1}[w.IntN(5)]
}

// text draws a text of its format.
func (w drawer) text(s *Schema) string {
	switch {
	case strings.Contains(s.Pattern, "{64}$"):
		return strings.Repeat("0123456789abcdef"[w.IntN(16):][:1], 64)
	case s.Format == "date-time":
		return "2026-02-03T04:05:06Z"
	case w.IntN(3) == 0:
		return odd[w.IntN(len(odd))]
	}
	return "abcd1234"[:1+w.IntN(8)]
}
