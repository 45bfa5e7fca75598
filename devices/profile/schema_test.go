package profile

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/counterproof/counterproof/devices"
	"github.com/counterproof/counterproof/devices/framing"
)

// keysOf lists the JSON keys of a struct.
func keysOf(v any) []string {
	var out []string
	for f := range reflect.TypeOf(v).Fields() {
		if key, _, _ := strings.Cut(f.Tag.Get("json"), ","); key != "-" {
			out = append(out, key)
		}
	}
	slices.Sort(out)
	return out
}

// at finds a part of the schema.
func at(t *testing.T, path ...string) *shape {
	t.Helper()
	s, err := readShape()
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range path {
		if s = s.Properties[key]; s.Items != nil {
			s = s.Items
		}
	}
	return s
}

// TestSchemaKeys holds the schema and the parser to the same keys, both ways.
func TestSchemaKeys(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		schema *shape
		parser any
	}{
		"profile": {at(t), Profile{}}, "match": {at(t, "match"), matchFile{}}, "serial": {at(t, "serial"), Serial{}},
		"framing": {at(t, "framing"), framingFile{}}, "framing.layout": {at(t, "framing", "layout"), Layout{}},
		"limits": {at(t, "limits"), limitsFile{}},
	} {
		got, want := slices.Sorted(maps.Keys(c.schema.Properties)), keysOf(c.parser)
		if !slices.Equal(got, want) {
			t.Errorf("%s: the schema has %q, the parser %q", name, got, want)
		}
	}
}

// TestSchemaLists holds the schema's closed lists to those of the program.
func TestSchemaLists(t *testing.T) {
	t.Parallel()
	words := func(s *shape) (out []string) {
		for _, w := range s.Enum {
			out = append(out, fmt.Sprint(w))
		}
		slices.Sort(out)
		return out
	}
	list := func(all ...any) (out []string) {
		for _, w := range all {
			out = append(out, fmt.Sprint(w))
		}
		slices.Sort(out)
		return out
	}
	var transports, quirks, caps, busWords []any
	for k := range carriers {
		transports = append(transports, k)
	}
	for _, q := range []Quirk{Poll, Rearm, USBFallback, NoStatus} {
		quirks = append(quirks, q)
	}
	for _, c := range carriers[OverNothing].can {
		caps = append(caps, c)
	}
	for _, b := range carriers[OverNothing].buses {
		busWords = append(busWords, b)
	}
	hints := Hints()
	slices.Sort(hints)
	for name, c := range map[string]struct{ got, want []string }{
		"transport": {words(at(t, "transport")), list(transports...)},
		"status":    {words(at(t, "status")), list(Spec, Trace, Bench)},
		"framing":   {words(at(t, "framing", "name")), Framings()},
		"quirks":    {words(at(t, "quirks")), list(quirks...)},
		"can":       {words(at(t, "can")), list(caps...)},
		"roles":     {words(at(t, "roles")), list(devices.DocumentCamera, devices.FaceCamera, devices.SlipPrinter, devices.LetterPrinter)},
		"bus":       {words(at(t, "match", "bus")), list(busWords...)},
		"hint":      {words(at(t, "hint")), hints},
	} {
		if !slices.Equal(c.got, c.want) {
			t.Errorf("%s: the schema has %q, the program %q", name, c.got, c.want)
		}
	}
	if got := at(t, "commands", "init").MaxLength; got != 2*maxCommand {
		t.Errorf("a command has %d digits in the schema, and %d bytes in the program", got, maxCommand)
	}
}

// TestMutations changes each value of whole files to what it must not be: the
// schema alone and the parser refuse each, and nothing that the schema lets
// through is refused by the decoder behind it.
func TestMutations(t *testing.T) {
	t.Parallel()
	layout := object(t, `{"report_id": 2, "size": 64, "length": 1, "symbology": [2], "data": 5, "max": 56, "more": 63, "more_mask": 1}`)
	texts := []string{full, string(embedded(t, "hidpos", layout, "framing", "layout"))}
	for _, id := range []string{"escpos", "escl", "keyboard-wedge", "uvc"} {
		texts = append(texts, string(embedded(t, id)))
	}
	s := at(t)
	count := 0
	for _, text := range texts {
		if tree, err := readTree([]byte(text)); err != nil || s.check("", tree) != nil {
			t.Fatalf("a good file is refused: %v", err)
		}
		for _, path := range pathsOf(object(t, text), nil) {
			for _, bad := range []any{nil, json.RawMessage("null"), "\x01", strings.Repeat("f", 1000), -1, 1 << 40, 0.5, true, []any{}, []any{[]any{}}, map[string]any{"x": 1}} {
				last := path[len(path)-1]
				if (last == "match" || last == "symbology") && reflect.DeepEqual(bad, []any{}) || isBool(object(t, text), path) && bad == true {
					continue // which may be so
				}
				if bad == nil && !needed(path) {
					continue
				}
				raw := changed(t, text, bad, path...)
				tree, err := readTree(raw)
				if err != nil {
					t.Fatal(err)
				}
				count++
				if s.check("", tree) == nil && !(bad == nil) {
					t.Errorf("%v = %v: the schema lets it through", path, bad)
				}
				if _, err := Parse(raw); err == nil {
					t.Errorf("%v = %v: the parser lets it through", path, bad)
				}
			}
			if obj, ok := lookup(object(t, text), path).(map[string]any); ok && obj != nil {
				raw := changed(t, text, 1, append(slices.Clone(path), "zz_new")...)
				tree, _ := readTree(raw)
				if _, err := Parse(raw); err == nil || s.check("", tree) == nil {
					t.Errorf("%v: a key that nobody knows is let through", path)
				}
			}
		}
	}
	if count < 1000 {
		t.Errorf("%d changes were tried, want 1000 at least", count)
	}
}

// needed tells whether a file is wrong without the key, whatever else it says.
func needed(path []any) bool {
	last := path[len(path)-1]
	return len(path) == 1 && slices.Contains([]any{"id", "match", "name", "status", "sources", "transport", "can"}, last) ||
		path[0] == "serial" && len(path) == 2 || last == "bus"
}

func lookup(root any, path []any) any {
	for _, step := range path {
		switch s := step.(type) {
		case string:
			root = root.(map[string]any)[s]
		case int:
			root = root.([]any)[s]
		}
	}
	return root
}

func isBool(root any, path []any) bool {
	_, ok := lookup(root, path).(bool)
	return ok
}

// pathsOf lists the path of every value.
func pathsOf(v any, path []any) [][]any {
	var out [][]any
	if len(path) > 0 {
		out = append(out, path)
	}
	switch v := v.(type) {
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(v)) {
			out = append(out, pathsOf(v[key], append(slices.Clone(path), key))...)
		}
	case []any:
		for i := range v {
			out = append(out, pathsOf(v[i], append(slices.Clone(path), i))...)
		}
	}
	return out
}

// TestSchemaOfSchemas holds that a schema that leaves something open, or has a
// word that would be passed over, is refused.
func TestSchemaOfSchemas(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"not-json":       `{`,
		"another-word":   `{"description": "x", "type": "boolean", "not": {}}`,
		"no-description": `{"type": "boolean"}`,
		"open-object":    `{"description": "x", "type": "object"}`,
		"open-list":      `{"description": "x", "type": "array", "items": {"description": "x", "type": "boolean"}}`,
		"open-text":      `{"description": "x", "type": "string", "maxLength": 5}`,
		"open-number":    `{"description": "x", "type": "integer"}`,
		"bad-pattern":    `{"description": "x", "type": "string", "maxLength": 5, "pattern": "("}`,
		"unknown-type":   `{"description": "x", "type": "number"}`,
		"open-within":    `{"description": "x", "type": "object", "additionalProperties": false, "properties": {"a": {"description": "x", "type": "integer"}}}`,
	} {
		if _, err := newShape([]byte(text)); err == nil {
			t.Errorf("%s: it was taken", name)
		}
	}
	if !json.Valid(Schema()) || !bytes.Equal(Schema(), schemaText) {
		t.Error("the schema is not handed out as it is")
	}
	Schema()[0] = 'x'
	if schemaText[0] != '{' {
		t.Error("the schema can be spoilt from outside")
	}
}

// TestFramings holds the names of framings to the decoders that there are, and
// the program's profiles to what the decoders take.
func TestFramings(t *testing.T) {
	t.Parallel()
	got := framing.Names()
	slices.Sort(got)
	if want := Framings(); !slices.Equal(got, want) {
		t.Errorf("there are decoders for %q, profiles can name %q", got, want)
	}
	for _, p := range siteSet(t).All() {
		if p.Framing.Name == "" {
			continue
		}
		s := framing.Settings{
			MaxBytes: p.Limits.MaxBytes, Start: p.Framing.Start, End: p.Framing.End, Content: framing.Content(p.Framing.Content),
			AIMPrefix: p.Framing.AIMPrefix, Length: framing.Span(p.Framing.Length), Check: framing.Span(p.Framing.Check), Letters: p.Framing.Letters,
		}
		switch p.Framing.Name {
		case framing.HIDPOS: // whose layout comes from the device
			s.Layout = &framing.HIDLayout{ReportID: 2, Size: 64, Length: 1, Symbology: []int{2, 3, 4}, Data: 5, Max: 56, More: 63, MoreMask: 1}
		case framing.Status:
			s.Sent = []byte{0x10, 4, 1, 0x10, 4, 2, 0x10, 4, 4}
		}
		if _, err := framing.New(p.Framing.Name, s); err != nil {
			t.Errorf("%s: %v", p.ID, err)
		}
		if framing.ByReport(p.Framing.Name) != slices.Contains(speeches[p.Framing.Name].over, OverHID) {
			t.Errorf("%s: profile and decoder differ on whether it works on reports", p.Framing.Name)
		}
	}
}

// TestFramingSpans holds the closed words of settings to those of the decoders.
func TestFramingSpans(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		key  string
		want []any
	}{
		{"content", []any{string(framing.HoldsMRZ), string(framing.HoldsBarcode)}},
		{"length", []any{string(framing.SpanText), string(framing.SpanBlock), string(framing.SpanAfter), string(framing.SpanLengths)}},
		{"check", []any{string(framing.SpanText), string(framing.SpanBlock), string(framing.SpanAfter), string(framing.SpanLengths)}},
	} {
		if got := at(t, "framing", c.key).Enum; !slices.Equal(got, c.want) {
			t.Errorf("framing.%s: the schema has %v, the decoder %v", c.key, got, c.want)
		}
	}
}

// TestFramingCommands holds the profiles' bytes to what the framings would send.
func TestFramingCommands(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ id, command, framing, word string }{
		{"elyctis-idbox", "read", framing.Elyctis, framing.Inquire},
		{"elyctis-idbox", "trigger", framing.Elyctis, framing.Arm},
		{"elyctis-idbox", "untrigger", framing.Elyctis, framing.Disarm},
		{"honeywell-ocr", "trigger", framing.HoneywellOCR, framing.Trigger},
		{"honeywell-ocr", "untrigger", framing.HoneywellOCR, framing.Untrigger},
		{"honeywell-hidpos", "trigger", framing.HoneywellHID, framing.Trigger},
		{"honeywell-hidpos", "untrigger", framing.HoneywellHID, framing.Untrigger},
	} {
		p, _ := Embedded().Find(c.id)
		want, err := framing.Command(c.framing, c.word)
		if err != nil {
			t.Fatal(err)
		}
		if got := p.Command(c.command); len(got) != 1 || !bytes.Equal(got[0], want) {
			t.Errorf("%s: %s is %x, the framing sends %x", c.id, c.command, got, want)
		}
	}
}
