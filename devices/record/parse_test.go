package record

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

const head = `{"recording":1,"clear":true}` + "\n"

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	hash := strings.Repeat("ab", 32)
	for name, c := range map[string]struct {
		text string
		want error
	}{
		"nothing":         {"", errEmpty},
		"version":         {`{"recording":2,"clear":true}`, errVersion},
		"no-version":      {`{"clear":true}`, errVersion},
		"time-backwards":  {head + `{"t":5,"dir":"in","hex":"00","len":1}` + "\n" + `{"t":4,"dir":"in","hex":"00","len":1}`, errTime},
		"time-negative":   {head + `{"t":-1,"dir":"in","hex":"00","len":1}`, errTime},
		"time-overflows":  {head + `{"t":9223372036854775807,"dir":"in","hex":"00","len":1}`, errTime},
		"direction":       {head + `{"t":0,"dir":"up","hex":"00","len":1}`, errDir},
		"no-content":      {head + `{"t":0,"dir":"in","len":1}`, errContent},
		"two-contents":    {head + `{"t":0,"dir":"in","hex":"00","hash":"` + hash + `","len":1}`, errContent},
		"no-length":       {head + `{"t":0,"dir":"in","hex":"00"}`, errLen},
		"other-length":    {head + `{"t":0,"dir":"in","hex":"0000","len":1}`, errLen},
		"huge-length":     {head + `{"t":0,"dir":"in","hash":"` + hash + `","len":99999999}`, errLen},
		"fault-has-bytes": {head + `{"t":0,"dir":"in","fault":"gone","len":1}`, errLen},
		"unknown-fault":   {head + `{"t":0,"dir":"in","fault":"ERIKSSON"}`, errFault},
		"odd-hex":         {head + `{"t":0,"dir":"in","hex":"0","len":1}`, errHex},
		"short-hash":      {head + `{"t":0,"dir":"in","hash":"00","len":1}`, errHex},
		"hidden-but-here": {`{"recording":1,"clear":false}` + "\n" + `{"t":0,"dir":"in","hex":"00","len":1}`, errHidden},
		"line-too-long":   {head + `{"t":0,"dir":"in","hex":"` + strings.Repeat("00", maxLine) + `"}`, errLong},
	} {
		_, err := Parse(strings.NewReader(c.text))
		if !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", name, err, c.want)
		}
	}
	for _, text := range []string{`{"recording":1,"clear":true,"name":"ANNA"}`, `["ANNA"]`, `ANNA`, head + `{"t":0,"dir":"in","hex":"00","len":1} ANNA`, head + "\n"} {
		if _, err := Parse(strings.NewReader(text)); err == nil || strings.Contains(err.Error(), "ANNA") {
			t.Errorf("%q: got %v", text, err)
		}
	}
}

func TestParseTooMuch(t *testing.T) {
	t.Parallel()
	piece := `{"t":0,"dir":"in","hash":"` + strings.Repeat("ab", 32) + `","len":65536}` + "\n"
	if _, err := Parse(strings.NewReader(head + strings.Repeat(piece, MaxBytes/MaxPiece))); err != nil {
		t.Errorf("as much as may be: %v", err)
	}
	if _, err := Parse(strings.NewReader(head + strings.Repeat(piece, MaxBytes/MaxPiece+1))); !errors.Is(err, errLong) {
		t.Errorf("more bytes than may be: got %v", err)
	}
	fault := `{"t":0,"dir":"in","fault":"gone"}` + "\n"
	if _, err := Parse(strings.NewReader(head + strings.Repeat(fault, MaxEvents+1))); !errors.Is(err, errLong) {
		t.Errorf("more lines than may be: got %v", err)
	}
}

// samples are the recordings that this package keeps.
func samples(tb testing.TB) map[string]string {
	tb.Helper()
	files, err := filepath.Glob("testdata/*.jsonl")
	if err != nil || len(files) == 0 {
		tb.Fatalf("there are no recordings: %v", err)
	}
	out := map[string]string{}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			tb.Fatal(err)
		}
		out[f] = string(b)
	}
	return out
}

func TestWriteAsRead(t *testing.T) {
	t.Parallel()
	for file, text := range samples(t) {
		rec, err := Parse(strings.NewReader(text))
		if err != nil {
			t.Errorf("%s: %v", file, err)
			continue
		}
		var to bytes.Buffer
		if err := rec.Write(&to); err != nil || to.String() != text {
			t.Errorf("%s: written as %v\n%s", file, err, to.String())
		}
		if err := rec.Write(&full{left: 1}); err == nil {
			t.Errorf("%s: nobody is told that it was not written", file)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, text := range samples(f) {
		f.Add([]byte(text))
	}
	f.Add([]byte(head))
	f.Fuzz(func(t *testing.T, b []byte) {
		rec, err := Parse(bytes.NewReader(b))
		if err != nil {
			return
		}
		var to bytes.Buffer
		if err := rec.Write(&to); err != nil {
			t.Fatal(err)
		}
		again, err := Parse(&to)
		if err != nil || !reflect.DeepEqual(again, rec) {
			t.Errorf("read again it is another: %v", err)
		}
		for _, e := range rec.Events {
			if e.Len > MaxPiece || len(e.content()) != e.Len {
				t.Errorf("an event of %d bytes", e.Len)
			}
		}
	})
}
