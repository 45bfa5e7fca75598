package draft

import (
	"bytes"
	"testing"

	"github.com/counterproof/counterproof/agent/proof"
)

// FuzzOpen opens hostile entries: it may refuse, it may not fall over, and
// nothing but what was sealed for this place opens.
func FuzzOpen(f *testing.F) {
	b, err := newBox(make([]byte, keyLen), "abcdefgh")
	if err != nil {
		f.Fatal(err)
	}
	good, err := b.seal(proof.Event{Seq: 1, Fact: proof.VisitEnded{}}, []Picture{{"page-1", []byte("jpeg")}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good[lengthLen:])
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, entry []byte) {
		_, pictures, err := b.open(entry)
		if err == nil && !bytes.Equal(entry, good[lengthLen:]) {
			t.Errorf("foreign bytes opened, with %d pictures", len(pictures))
		}
	})
}

// FuzzHead reads hostile heads.
func FuzzHead(f *testing.F) {
	f.Add(head([]byte("wrapped")))
	f.Fuzz(func(t *testing.T, h []byte) {
		if key, err := wrappedKey(h); err == nil && len(key) == 0 {
			t.Error("a head without a key was taken")
		}
	})
}
