//go:build cgo

package opener

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/counterproof/counterproof/agent/opener/vault"
	"github.com/counterproof/counterproof/sync/wire"
)

// onToken makes a token of SoftHSM2 and keys on it instead of those in files.
func (w *world) onToken() (folder string) {
	w.t.Helper()
	library := "/usr/lib/softhsm/libsofthsm2.so"
	tool, err := exec.LookPath("softhsm2-util")
	if _, missing := os.Stat(library); missing != nil || err != nil {
		w.t.Skip("SKIPPED, AND NOTHING OF OPENING BY A TOKEN IS TESTED: softhsm2 is missing (apt-get install softhsm2)")
	}
	folder = w.t.TempDir()
	conf, pin := filepath.Join(w.dir, "softhsm"), filepath.Join(w.dir, "pin")
	for path, text := range map[string]string{conf: fmt.Sprintf("directories.tokendir = %s\nlog.level = ERROR\n", folder), pin: "73912846\n"} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			w.t.Fatal(err)
		}
	}
	w.t.Setenv("SOFTHSM2_CONF", conf)
	out, err := exec.Command(tool, "--init-token", "--free", "--label", "opening", "--so-pin", "5555555", "--pin", "73912846").CombinedOutput()
	if err != nil {
		w.t.Fatalf("%v: %s", err, out)
	}
	if err := os.RemoveAll(filepath.Join(w.dir, "keys")); err != nil {
		w.t.Fatal(err)
	}
	w.token = vault.Token{Module: library, Label: "opening", PINFile: pin}
	return folder
}

// TestToken: all parts of a record open through a token, by the commands' flags, and
// one that goes away stops the opener at the record and says nothing about it. The
// library is one for the whole process, so this test runs alone.
func TestToken(t *testing.T) {
	w := newWorld(t, true)
	folder := w.onToken()
	flags := []string{"--hsm", w.token.Module, "--hsm-token", w.token.Label, "--hsm-pin-file", w.token.PINFile}
	out, err := w.command("", append([]string{"keygen"}, flags...)...)
	if err != nil || strings.Count(out, " p256\n") != 4 {
		t.Fatalf("%s, %v", out, err)
	}
	if out, err = w.command("", append([]string{"keys", "list"}, flags...)...); err != nil || strings.Count(out, "token in force") != 4 || strings.Contains(out, "73912846") {
		t.Fatalf("%s, %v", out, err)
	}
	o := w.open()
	w.keys = o.vault.InForce(time.Now())
	w.add(sealing{})
	if r := w.once()[0]; !r.Agrees || len(r.Shut) != 0 || len(r.Findings) != 0 {
		t.Errorf("by the token: %+v", r)
	}

	w.add(sealing{})
	o = w.open()
	if err := os.Rename(folder, folder+"-away"); err != nil {
		t.Fatal(err)
	}
	if n, err := o.Once(t.Context(), nil); n != 0 || !errors.Is(err, vault.ErrAway) || wire.KindOf(err) != wire.KindNone {
		t.Errorf("without the token: %d records, %v", n, err)
	}
	if len(w.defects()) != 0 || len(w.flags) != 0 {
		t.Error("a record was blamed for the token")
	}
	if err := os.Rename(folder+"-away", folder); err != nil {
		t.Fatal(err)
	}
	if n, err := o.Once(t.Context(), nil); n != 1 || err != nil {
		t.Errorf("the token is back: %d records, %v", n, err)
	}
	_ = o.Close()
	if _, err := w.command("", "run", "--once", "--hsm", w.token.Module, "--hsm-token", "another"); err == nil {
		t.Error("a token that is not there was opened")
	}
}
