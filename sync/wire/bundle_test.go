package wire_test

import (
	"encoding/json"
	"testing"

	"github.com/counterproof/counterproof/sync/wire"
)

// TestSettings: only what can be done is asked.
func TestSettings(t *testing.T) {
	t.Parallel()
	for name, s := range map[string]struct {
		settings wire.Settings
		want     bool
	}{
		"none": {wire.Settings{}, true}, "tpm": {wire.Settings{HighGrade: "tpm", Pace: 600}, true}, "most": {wire.Settings{Pace: wire.MaxPace}, true},
		"no-grade": {wire.Settings{HighGrade: "paper"}, false}, "too-slow": {wire.Settings{Pace: wire.MaxPace + 1}, false}, "backwards": {wire.Settings{Pace: -1}, false},
	} {
		if err := s.settings.Check(); (err == nil) != s.want {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// TestHigh: a better key is good enough where a worse one is, and what is no grade
// is never.
func TestHigh(t *testing.T) {
	t.Parallel()
	for demand, want := range map[string]map[string]bool{
		"":      {"tpm": true, "dpapi": true, "file": true, "": false, "paper": false},
		"file":  {"tpm": true, "dpapi": true, "file": true, "": false},
		"dpapi": {"tpm": true, "dpapi": true, "file": false, "": false},
		"tpm":   {"tpm": true, "dpapi": false, "file": false, "paper": false},
	} {
		for grade, want := range want {
			if got := (wire.Settings{HighGrade: demand}).High(grade); got != want {
				t.Errorf("%q asked, %q kept: got %v", demand, grade, got)
			}
		}
	}
}

// TestFiles: a file is found by its name, and only one that can be is fetched.
func TestFiles(t *testing.T) {
	t.Parallel()
	good := wire.File{Name: wire.FileChips, Version: 1, SHA256: wire.HashOf(nil), Len: 1}
	b := wire.Bundle{Files: []wire.File{{Name: "other"}, good}}
	if got, ok := b.File(wire.FileChips); !ok || got != good || got.Check() != nil {
		t.Errorf("got %+v, %v", got, ok)
	}
	if _, ok := b.File("none"); ok {
		t.Error("a file that is not there was found")
	}
	for name, change := range map[string]func(*wire.File){
		"no-name": func(f *wire.File) { f.Name = "" }, "empty": func(f *wire.File) { f.Len = 0 },
		"huge": func(f *wire.File) { f.Len = wire.MaxFile + 1 }, "no-hash": func(f *wire.File) { f.SHA256 = wire.Hash{} },
	} {
		f := good
		change(&f)
		if f.Check() == nil {
			t.Errorf("%s: it may be fetched", name)
		}
	}
}

// TestBundleWithoutThem: a bundle that asks nothing is written as before there
// were settings and files.
func TestBundleWithoutThem(t *testing.T) {
	t.Parallel()
	b, err := json.Marshal(wire.Bundle{Version: 1})
	var fields map[string]any
	if err == nil {
		err = json.Unmarshal(b, &fields)
	}
	if _, ok := fields["settings"]; err != nil || ok || fields["files"] != nil {
		t.Errorf("got %s (%v)", b, err)
	}
}
