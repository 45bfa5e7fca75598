//go:build cgo

package vault

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/counterproof/counterproof/sync/seal"
	"github.com/counterproof/counterproof/sync/wire"
)

// newToken makes a token of SoftHSM2 in a folder of the test. The library is one for
// the whole process, so these tests run one by one.
func newToken(t *testing.T) Token {
	t.Helper()
	library := ""
	for _, path := range []string{"/usr/lib/softhsm/libsofthsm2.so", "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so", "/usr/lib64/softhsm/libsofthsm2.so"} {
		if _, err := os.Stat(path); err == nil && library == "" {
			library = path
		}
	}
	tool, err := exec.LookPath("softhsm2-util")
	if library == "" || err != nil {
		t.Skip("SKIPPED, AND NOTHING OF KEYS ON TOKENS IS TESTED: softhsm2 is missing (apt-get install softhsm2)")
	}
	dir := t.TempDir()
	conf, pin := filepath.Join(dir, "conf"), filepath.Join(dir, "pin")
	for path, text := range map[string]string{conf: fmt.Sprintf("directories.tokendir = %s\nlog.level = ERROR\n", dir), pin: "73912846\n"} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("SOFTHSM2_CONF", conf)
	out, err := exec.Command(tool, "--init-token", "--free", "--label", "opening", "--so-pin", "5555555", "--pin", "73912846").CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return Token{Module: library, Label: "opening", PINFile: pin}
}

// TestToken: a month's keys on a token open all parts, are destroyed there, and are
// missed where the token is not named.
func TestToken(t *testing.T) {
	cfg := Config{Dir: t.TempDir(), Token: newToken(t)}
	if _, err := Standing(cfg, seal.Hybrid, noon); err == nil {
		t.Error("a token took a hybrid key")
	}
	standing, err := Standing(cfg, wire.Suite{}, noon)
	if err != nil || len(standing) != 4 || standing[0].Suite != seal.Classical {
		t.Fatalf("%d keys, %v", len(standing), err)
	}
	v, err := Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := v.Make("2026-08", wire.Suite{}); err != nil {
		t.Fatal(err)
	}
	if made, err := v.Ahead(noon); !made || err != nil {
		t.Fatalf("made %t, %v", made, err)
	}
	if left, err := os.ReadDir(filepath.Join(cfg.Dir, keyFolder)); err == nil && len(left) > 0 {
		t.Errorf("%d key files beside the token", len(left))
	}
	august := map[wire.PartName]sealed{}
	for _, part := range Parts() {
		august[part] = sealTo(t, of(t, v, "2026-08", part))
	}
	if err := v.Hand(v.InForce(noon), noon); err != nil {
		t.Fatal(err)
	}
	order := Shredding{Month: "2026-08", Parts: []wire.PartName{wire.PartEvidence, wire.PartChip}}
	if n, err := v.Shred(order, noon.AddDate(0, 6, 0)); n != 2 || err != nil {
		t.Fatalf("destroyed %d, %v", n, err)
	}
	_ = v.Close()
	if v, err = Open(cfg); err != nil {
		t.Fatal(err)
	}
	for part, s := range august {
		gone := part == wire.PartEvidence || part == wire.PartChip
		if err := opens(t, v, s); errors.Is(err, ErrErased) != gone || !gone && err != nil {
			t.Errorf("%s: %v", part, err)
		}
	}
	if err := opens(t, v, sealTo(t, standing[0])); err != nil {
		t.Errorf("the standing key: %v", err)
	}
	if len(v.Tombstones("agent-o")) != 2 {
		t.Error("the log is not to be told")
	}
	for _, k := range v.Keys(noon) {
		if !k.Token {
			t.Errorf("%s of %s is in a file", k.Part, k.Month)
		}
	}

	// A token that goes away says nothing about a record.
	claims := sealTo(t, of(t, v, "2026-11", wire.PartClaims))
	if err := os.Rename(filepath.Dir(cfg.Token.PINFile), filepath.Dir(cfg.Token.PINFile)+"-away"); err != nil {
		t.Fatal(err)
	}
	if err := opens(t, v, claims); !errors.Is(err, ErrAway) {
		t.Errorf("without the token: %v", err)
	}
	if err := os.Rename(filepath.Dir(cfg.Token.PINFile)+"-away", filepath.Dir(cfg.Token.PINFile)); err != nil {
		t.Fatal(err)
	}
	if err := opens(t, v, claims); err != nil {
		t.Errorf("the token is back: %v", err)
	}
	_ = v.Close()
	if v, err := Open(Config{Dir: cfg.Dir}); err == nil {
		_ = v.Close()
		t.Error("the keys that are handed out are on a token that was not named")
	}
}
