package profile

import (
	"bytes"
	_ "embed" // the schema
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// schemaText is the schema, which is both what Parse goes by and what an editor
// or another program can check a file with.
//
//go:embed schema.json
var schemaText []byte

// shapeOf is the schema, read once; it never changes.
var shapeOf, errShape = newShape(schemaText)

// Schema is the JSON Schema (draft 2020-12) of a profile's file. It tells which
// keys and values there are; what must fit together Parse alone knows.
func Schema() []byte { return bytes.Clone(schemaText) }

func readShape() (*shape, error) { return shapeOf, errShape }

// shape is a JSON Schema of the few words that profiles need. A schema with
// another word is refused, because it would be passed over.
type shape struct {
	Schema      string            `json:"$schema"`
	Title       string            `json:"title"`
	Description string            `json:"description"` // what it must be, for people
	Type        string            `json:"type"`
	Enum        []any             `json:"enum"`
	Pattern     string            `json:"pattern"`
	MinLength   int               `json:"minLength"`
	MaxLength   int               `json:"maxLength"`
	Minimum     int               `json:"minimum"`
	Maximum     int               `json:"maximum"`
	MinItems    int               `json:"minItems"`
	MaxItems    int               `json:"maxItems"`
	Unique      bool              `json:"uniqueItems"`
	Items       *shape            `json:"items"`
	Properties  map[string]*shape `json:"properties"`
	Required    []string          `json:"required"`
	Additional  *bool             `json:"additionalProperties"`

	pattern *regexp.Regexp
}

// newShape reads a schema.
func newShape(text []byte) (*shape, error) {
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	dec.UseNumber()
	var s shape
	if err := dec.Decode(&s); err != nil {
		return nil, fmt.Errorf("reading the schema of profiles: %w", err)
	}
	if err := s.ready(); err != nil {
		return nil, fmt.Errorf("reading the schema of profiles: %w", err)
	}
	return &s, nil
}

// bounded tells that the schema leaves nothing open, at its own level.
func (s *shape) bounded() bool {
	switch s.Type {
	case "object":
		return s.Additional != nil && !*s.Additional
	case "array":
		return s.Items != nil && s.MaxItems > 0
	case "string":
		return s.Enum != nil || s.MaxLength > 0 && s.Pattern != ""
	case "integer":
		return s.Enum != nil || s.Maximum > 0
	}
	return s.Type == "boolean"
}

// ready checks that the schema says what it wants and bounds it, and makes its
// patterns.
func (s *shape) ready() (err error) {
	if s.Description == "" || !s.bounded() {
		return fmt.Errorf("a %s with description %q is not bounded or not described", s.Type, s.Description)
	}
	if s.pattern, err = regexp.Compile(s.Pattern); err != nil {
		return fmt.Errorf("%q: %w", s.Description, err)
	}
	if s.Items != nil {
		if err := s.Items.ready(); err != nil {
			return err
		}
	}
	for _, key := range slices.Sorted(maps.Keys(s.Properties)) {
		if err := s.Properties[key].ready(); err != nil {
			return fmt.Errorf("%s: %w", key, err)
		}
	}
	return nil
}

// check holds a value to the schema. The error names the first key, in the
// order of the alphabet, that is wrong.
func (s *shape) check(path string, v any) error {
	ok := false
	switch v := v.(type) {
	case map[string]any:
		if s.Type == "object" {
			return s.checkObject(path, v)
		}
	case []any:
		if s.Type == "array" {
			return s.checkList(path, v)
		}
	case string:
		ok = s.Type == "string" && s.fitsText(v)
	case json.Number:
		ok = s.Type == "integer" && s.fitsNumber(v)
	case bool:
		ok = s.Type == "boolean"
	}
	if !ok {
		return s.wrong(path)
	}
	return nil
}

// wrong says what was wanted.
func (s *shape) wrong(path string) error {
	return fmt.Errorf("%s has to be %s", place(path), s.Description)
}

func (s *shape) fitsText(v string) bool {
	n := utf8.RuneCountInString(v)
	if s.Enum != nil {
		return slices.Contains(s.Enum, any(v))
	}
	return n >= s.MinLength && n <= s.MaxLength && s.pattern.MatchString(v)
}

func (s *shape) fitsNumber(v json.Number) bool {
	if s.Enum != nil {
		return slices.Contains(s.Enum, any(v))
	}
	n, err := strconv.Atoi(string(v))
	return err == nil && n >= s.Minimum && n <= s.Maximum
}

func (s *shape) checkList(path string, list []any) error {
	if len(list) < s.MinItems || len(list) > s.MaxItems {
		return s.wrong(path)
	}
	seen := map[string]bool{}
	for i, v := range list {
		at := fmt.Sprintf("%s[%d]", path, i)
		if err := s.Items.check(at, v); err != nil {
			return err
		}
		text, err := json.Marshal(v) // keys sorted, so that equal ones read equal
		if err != nil {
			return fmt.Errorf("%s: %w", at, err)
		}
		if s.Unique && seen[string(text)] {
			return fmt.Errorf("%s stands in the list twice", at)
		}
		seen[string(text)] = true
	}
	return nil
}

func (s *shape) checkObject(path string, object map[string]any) error {
	for _, key := range slices.Sorted(maps.Keys(object)) {
		known, ok := s.Properties[key]
		if !ok {
			return fmt.Errorf("%s: there is no such key; there are %s",
				join(path, key), strings.Join(slices.Sorted(maps.Keys(s.Properties)), ", "))
		}
		if err := known.check(join(path, key), object[key]); err != nil {
			return err
		}
	}
	for _, key := range s.Required {
		if _, ok := object[key]; !ok {
			return fmt.Errorf("%s is missing: %s", join(path, key), s.Properties[key].Description)
		}
	}
	return nil
}
