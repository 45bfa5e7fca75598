package tlog_test

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"strings"
	"testing"

	"github.com/counterproof/counterproof/sync/tlog"
	"github.com/counterproof/counterproof/sync/wire"
)

// keys draws a key.
func keys(t testing.TB) (ed25519.PublicKey, ed25519.PrivateKey) {
	t.Helper()
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	return public, private
}

// TestCheckpoint: what was signed is what is read, and nothing else is.
func TestCheckpoint(t *testing.T) {
	t.Parallel()
	public, private := keys(t)
	stranger, _ := keys(t)
	root := wire.HashOf([]byte("root"))
	text, err := tlog.Sign(3, 1234, root, private)
	if err != nil {
		t.Fatal(err)
	}
	got, epoch, err := tlog.Open(text, public)
	if err != nil || got.Size != 1234 || got.Root != root || epoch != 3 || !bytes.Equal(got.Note, text) {
		t.Errorf("read %+v, epoch %d, %v", got, epoch, err)
	}
	for name, other := range map[string]string{
		"size":     strings.Replace(string(text), "1234", "1235", 1),
		"epoch":    strings.Replace(string(text), "epoch 3", "epoch 4", 1),
		"unsigned": string(text[:bytes.Index(text, []byte("\n\n"))+2]),
		"too long": string(text) + strings.Repeat("— x AAAA\n", 2000),
		"empty":    "",
	} {
		if _, _, err := tlog.Open([]byte(other), public); !errors.Is(err, tlog.ErrCheckpoint) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, _, err := tlog.Open(text, stranger); !errors.Is(err, tlog.ErrCheckpoint) {
		t.Errorf("under another key: %v", err)
	}
	if _, _, err := tlog.Open(text, nil); !errors.Is(err, tlog.ErrCheckpoint) {
		t.Errorf("under no key: %v", err)
	}
	if _, err := tlog.Sign(1, 1, root, nil); err == nil {
		t.Error("no key signs")
	}
}

// TestWitness: who looks at the log for others adds a name to a checkpoint, and
// the centre's own signature goes on being read.
func TestWitness(t *testing.T) {
	t.Parallel()
	public, private := keys(t)
	witness, theirs := keys(t)
	text, err := tlog.Sign(1, 7, wire.HashOf(nil), private)
	if err != nil {
		t.Fatal(err)
	}
	both, err := tlog.Cosign(text, public, "auditor", theirs)
	if err != nil {
		t.Fatal(err)
	}
	if c, _, err := tlog.Open(both, public); err != nil || c.Size != 7 {
		t.Errorf("with two signatures: %+v, %v", c, err)
	}
	if !tlog.Witnessed(both, "auditor", witness) || tlog.Witnessed(text, "auditor", witness) {
		t.Error("who has cosigned is not told")
	}
	if tlog.Witnessed(both, "somebody", witness) || tlog.Witnessed(both, "auditor", public) || tlog.Witnessed(both, "auditor", nil) {
		t.Error("another passes for the witness")
	}
	if _, err := tlog.Cosign(text, witness, "auditor", theirs); !errors.Is(err, tlog.ErrCheckpoint) {
		t.Errorf("a stranger's checkpoint is cosigned: %v", err)
	}
}

// FuzzOpen: no text makes it panic, and none passes that was not signed.
func FuzzOpen(f *testing.F) {
	public, private := keys(f)
	text, err := tlog.Sign(1, 99, wire.HashOf(nil), private)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Add([]byte("counterproof-centre\n1\nAA==\nepoch 1\n\n— counterproof-centre AAAA\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if c, _, err := tlog.Open(b, public); err == nil && (c.Size != 99 || !bytes.HasPrefix(b, text[:40])) {
			t.Errorf("passes: %q", b)
		}
	})
}
