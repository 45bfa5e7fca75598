package hsm

import (
	"bytes"
	"crypto/ecdh"
	"crypto/rand"
	"encoding/asn1"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestPIN(t *testing.T) {
	dir := t.TempDir()
	write := func(text string, mode os.FileMode) string {
		path := filepath.Join(dir, strings.ReplaceAll(t.Name(), "/", "-"))
		_ = os.Remove(path)
		if err := os.WriteFile(path, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for _, c := range []struct {
		name, text string
		mode       os.FileMode
		env        string
		want       string // "" for an error
	}{
		{"file", "4711", 0o600, "", "4711"},
		{"file/line-end", "4711\r\n", 0o600, "", "4711"},
		{"file/before-the-environment", "4711", 0o600, "0815", "4711"},
		{"file/empty", "\n", 0o600, "0815", ""},
		{"file/readable-by-others", "4711", 0o644, "", ""},
		{"file/too-long", strings.Repeat("7", maxPIN+1), 0o600, "", ""},
		{"file/longest", strings.Repeat("7", maxPIN), 0o600, "", strings.Repeat("7", maxPIN)},
		{"environment", "", 0, "0815", "0815"},
		{"nowhere", "", 0, "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Setenv(PINVariable, c.env)
			file := ""
			if c.mode != 0 {
				file = write(c.text, c.mode)
			}
			got, err := PIN(file)()
			if string(got) != c.want || (err == nil) != (c.want != "") {
				t.Errorf("got %q, %v; want %q", got, err, c.want)
			}
			if err != nil && c.text != "" && len(strings.TrimSpace(c.text)) > 3 && strings.Contains(err.Error(), strings.TrimSpace(c.text)) {
				t.Errorf("the error tells the PIN: %v", err)
			}
		})
	}
	if _, err := PIN(filepath.Join(dir, "missing"))(); err == nil {
		t.Error("a missing file gave a PIN")
	}
	if _, err := PIN(dir)(); err == nil {
		t.Error("a folder gave a PIN")
	}
}

func TestConfigIsWhole(t *testing.T) {
	t.Parallel()
	pin := func() ([]byte, error) { return []byte("1"), nil }
	for name, c := range map[string]Config{
		"module": {Token: "t", PIN: pin}, "token": {Module: "m", PIN: pin}, "pin": {Module: "m", Token: "t"},
		"no-such-library": {Module: filepath.Join(t.TempDir(), "no.so"), Token: "t", PIN: pin},
	} {
		if token, err := Open(c); err == nil || token != nil {
			t.Errorf("%s: a token was opened without it", name)
		}
	}
}

func TestParsePoint(t *testing.T) {
	t.Parallel()
	key, err := ecdh.P256().GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	bare := key.PublicKey().Bytes()
	wrapped, err := asn1.Marshal(bare)
	if err != nil {
		t.Fatal(err)
	}
	for name, b := range map[string][]byte{"wrapped": wrapped, "bare": bare} {
		if got, err := parsePoint(b); err != nil || !bytes.Equal(got.Bytes(), bare) {
			t.Errorf("%s: %v", name, err)
		}
	}
	off := bytes.Clone(bare)
	off[64] ^= 1
	for name, b := range map[string][]byte{"nothing": nil, "cut": bare[:64], "not-on-the-curve": off, "more": append(wrapped, 0)} {
		if _, err := parsePoint(b); err == nil {
			t.Errorf("%s: it was taken for a key", name)
		}
	}
}

// FuzzParsePoint holds that what reads is a point that is written the same.
func FuzzParsePoint(f *testing.F) {
	key, err := ecdh.P256().GenerateKey(rand.Reader)
	if err != nil {
		f.Fatal(err)
	}
	bare := key.PublicKey().Bytes()
	wrapped, err := asn1.Marshal(bare)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(bare)
	f.Add(wrapped)
	f.Fuzz(func(t *testing.T, b []byte) {
		got, err := parsePoint(b)
		if err == nil && !bytes.HasSuffix(b, got.Bytes()) {
			t.Errorf("%x was read as %x", b, got.Bytes())
		}
	})
}
