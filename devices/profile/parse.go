package profile

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// Bounds of a profile's file.
const (
	maxFile  = 64 << 10 // bytes
	maxDepth = 8        // lists and objects within each other
)

// Parse reads one profile and checks all of it, so that a misspelt key never
// passes in silence; an error names the key as the file has it. What the file
// leaves out and has a usual value is filled in, unless the profile is like
// another: then the other gives it in Set.With.
func Parse(raw []byte) (Profile, error) {
	p, err := parse(raw)
	if err != nil {
		return Profile{}, fmt.Errorf("reading a reader profile: %w", err)
	}
	return p, nil
}

func parse(raw []byte) (Profile, error) {
	tree, err := readTree(raw)
	if err != nil {
		return Profile{}, err
	}
	s, err := readShape()
	if err != nil {
		return Profile{}, err
	}
	if err := s.check("", tree); err != nil {
		return Profile{}, err
	}
	var p Profile
	if err := json.Unmarshal(raw, &p); err != nil {
		return Profile{}, err
	}
	if err := p.check(); err != nil {
		return Profile{}, fmt.Errorf("%s: %w", p.ID, err)
	}
	if p.Like == "" {
		p.fill()
	}
	return p, nil
}

// fill fills in usual values.
func (p *Profile) fill() {
	if p.Transport == OverSerial {
		p.Serial.Baud = cmp.Or(p.Serial.Baud, 9600)
		p.Serial.DataBits = cmp.Or(p.Serial.DataBits, 8)
		p.Serial.Parity = cmp.Or(p.Serial.Parity, "none")
		p.Serial.StopBits = cmp.Or(p.Serial.StopBits, 1)
	}
	if p.Framing.Name != "" {
		p.Limits.Total = cmp.Or(p.Limits.Total, max(defaultTotal, p.Limits.InterByte))
		p.Limits.InterByte = cmp.Or(p.Limits.InterByte, min(defaultBetweenBytes, p.Limits.Total))
	}
}

// readTree reads JSON more strictly than encoding/json: no key twice, no text
// that is not UTF-8, nothing behind the end, no depth without end.
func readTree(raw []byte) (any, error) {
	switch {
	case len(raw) > maxFile:
		return nil, fmt.Errorf("the file is longer than %d bytes", maxFile)
	case !utf8.Valid(raw):
		return nil, errors.New("the file is not UTF-8")
	}
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	tree, err := readValue(dec, "", 0)
	if err != nil {
		return nil, err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("there is text after the end of the profile")
	}
	return tree, nil
}

// readValue reads the value at a path.
func readValue(dec *json.Decoder, path string, depth int) (any, error) {
	t, err := next(dec, path)
	if err != nil {
		return nil, err
	}
	if depth > maxDepth {
		return nil, fmt.Errorf("%s: lists and objects lie too deep in each other", place(path))
	}
	switch t {
	case json.Delim('{'):
		return readObject(dec, path, depth)
	case json.Delim('['):
		return readList(dec, path, depth)
	}
	return t, nil
}

// next is the next token; an error says where it stands.
func next(dec *json.Decoder, path string) (json.Token, error) {
	t, err := dec.Token()
	switch {
	case errors.Is(err, io.EOF):
		return nil, fmt.Errorf("%s has no end", place(path))
	case err != nil:
		return nil, fmt.Errorf("%s: %w", place(path), err)
	}
	return t, nil
}

func readObject(dec *json.Decoder, path string, depth int) (any, error) {
	out := map[string]any{}
	for dec.More() {
		t, err := next(dec, path)
		if err != nil {
			return nil, err
		}
		key, _ := t.(string) // the decoder lets nothing else stand here
		if _, twice := out[key]; twice {
			return nil, fmt.Errorf("%s: the key %.40q stands twice", place(path), key)
		}
		if out[key], err = readValue(dec, join(path, key), depth+1); err != nil {
			return nil, err
		}
	}
	_, err := next(dec, path)
	return out, err
}

func readList(dec *json.Decoder, path string, depth int) (any, error) {
	out := []any{}
	for dec.More() {
		v, err := readValue(dec, fmt.Sprintf("%s[%d]", path, len(out)), depth+1)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	_, err := next(dec, path)
	return out, err
}

// join writes the path of a key in an object. A key that is no word is quoted and
// cut: a file can have anything there.
func join(path, key string) string {
	if len(key) > 40 || strings.ContainsFunc(key, func(r rune) bool { return r != '_' && (r < 'a' || r > 'z') }) {
		key = fmt.Sprintf("%.40q", key)
	}
	if path == "" {
		return key
	}
	return path + "." + key
}

// place names a path for people.
func place(path string) string { return cmp.Or(path, "the profile") }
