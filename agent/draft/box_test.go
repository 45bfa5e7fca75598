package draft

import (
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
		// A fuzzing process seals its own seeds, so what opens is known by its content.
		e, pictures, err := b.open(entry)
		if err == nil && (e.Seq != 1 || len(pictures) != 1 || string(pictures[0].JPEG) != "jpeg") {
			t.Errorf("foreign bytes opened, with %d pictures", len(pictures))
		}
	})
}

// FuzzUnpack reads what a hostile hand sealed with the right key.
func FuzzUnpack(f *testing.F) {
	event := []byte(`{"seq":1,"kind":"visit_ended","fact":{}}`)
	whole := appendRun(make([]byte, lengthLen), event)
	f.Add(appendRun(appendRun(whole, []byte("page-1")), []byte("jpeg")))
	f.Add(whole[:6])
	f.Add([]byte{0, 0, 0, 1, 255, 255, 255, 255})
	f.Fuzz(func(t *testing.T, clear []byte) {
		e, pictures, err := unpack(clear)
		size := 0
		for _, p := range pictures {
			size += len(p.ID) + len(p.JPEG)
		}
		if err == nil && (e.Fact == nil || size > len(clear)) {
			t.Errorf("%d bytes give %d bytes of pictures and the fact %v", len(clear), size, e.Fact)
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
