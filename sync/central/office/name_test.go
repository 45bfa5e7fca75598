package office

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/counterproof/counterproof/sync/store"
	"github.com/counterproof/counterproof/sync/wire"
)

// TestParseName: a slip's reference as a person types it, or a proofing's whole
// id; a slip of the pen finds nobody else's record.
func TestParseName(t *testing.T) {
	t.Parallel()
	id := wire.RecordID{0xab, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}
	ref := string(id.Ref())
	for name, s := range map[string]struct {
		text         string
		known, whole bool
	}{
		"as-printed": {ref, true, false}, "lower-case": {strings.ToLower(ref), true, false},
		"no-hyphens": {strings.ReplaceAll(ref, "-", ""), true, false}, "with-spaces": {" " + strings.ReplaceAll(ref, "-", " ") + "\n", true, false},
		"id": {id.String(), true, true}, "id-upper-case": {strings.ToUpper(id.String()), true, true},
		"wrong-letter": {ref[:len(ref)-1] + "U", false, false}, "cut": {ref[:8], false, false}, "empty": {"", false, false},
		"id-cut": {id.String()[:30], false, false}, "id-too-long": {id.String() + "00", false, false},
	} {
		got, err := parseName(s.text)
		if (err == nil) != s.known || s.known && (got.ref != id.Ref() || got.whole != s.whole || s.whole && got.record != id) {
			t.Errorf("%s: got %+v, %v", name, got, err)
		}
	}
}

// TestLeafName: a sign-in name is written in the letters that a leaf can hold, and
// two spellings of one name are one person.
func TestLeafName(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"pat": "pat", "Pat.Smith": "pat-smith", "pat_smith": "pat-smith", `TRUST\PSmith`: "psmith", "pat@example.org": "pat",
		"": "", "Pät": "", "pat smith": "", "@example.org": "", strings.Repeat("p", 65): "",
	} {
		got, err := leafName(text)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%q: got %q, %v", text, got, err)
		}
	}
	if by, err := signedIn(); err == nil && by == "" {
		t.Error("nobody is signed in under no name")
	}
}

// TestStatusWord: what an agent may do, in a word; a chain in doubt is told of an
// active one only.
func TestStatusWord(t *testing.T) {
	t.Parallel()
	for want, a := range map[string]store.Agent{
		"active": {}, "forked": {Quarantined: true}, "pending": {Status: store.Pending}, "revoked": {Status: store.Revoked, Quarantined: true},
	} {
		if got := statusWord(a); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

// TestWords: every word of the lists can stand in a leaf.
func TestWords(t *testing.T) {
	t.Parallel()
	for prefix, list := range map[string]string{"revoke_": revokeWords, "settle_": settleWords, "erase_": eraseWords} {
		for _, word := range strings.Fields(list) {
			l, err := Staff{By: "pat"}.leaf(prefix+word, wire.Hash{})
			if err != nil || l.Check() != nil || oneOf("a word", word, list) != nil {
				t.Errorf("%s%s: %v, %v", prefix, word, err, l.Check())
			}
		}
		for _, word := range []string{"", " ", "because", list} {
			if oneOf("a word", word, list) == nil {
				t.Errorf("%q is a word of %q", word, list)
			}
		}
	}
}

// TestWrite: a file that could not be written is not left behind, and one that is
// there is never touched.
func TestWrite(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "record.json")
	failing := func(w io.Writer) error {
		_, err := w.Write([]byte("half"))
		if err != nil {
			return err
		}
		return os.ErrClosed
	}
	if err := write(nil, path, failing); err == nil {
		t.Error("a failure was passed over")
	}
	if _, err := os.Stat(path); !os.IsNotExist(err) {
		t.Errorf("half a file is left: %v", err)
	}
	if err := os.WriteFile(path, []byte("other"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := write(nil, path, func(io.Writer) error { return nil }); err == nil {
		t.Error("a file that was there was taken")
	}
	if got, err := os.ReadFile(path); err != nil || string(got) != "other" {
		t.Errorf("the file says %q (%v)", got, err)
	}
	if err := write(nil, filepath.Join(path, "below"), func(io.Writer) error { return nil }); err == nil {
		t.Error("a file was made below a file")
	}
}
