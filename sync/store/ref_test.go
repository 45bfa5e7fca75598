package store_test

import (
	"bytes"
	"crypto/rand"
	"testing"

	"github.com/counterproof/counterproof/sync/store"
	"github.com/counterproof/counterproof/sync/wire"
)

// TestRefRange: an id lies in its reference's range, both ends have the same
// reference, and their neighbours have another.
func TestRefRange(t *testing.T) {
	t.Parallel()
	for range 1_000 {
		var id wire.RecordID
		rand.Read(id[:])
		low, high, err := store.RefRange(id.Ref())
		if err != nil || bytes.Compare(low[:], id[:]) > 0 || bytes.Compare(high[:], id[:]) < 0 {
			t.Fatalf("%s is not between %s and %s (%v)", id, low, high, err)
		}
		if low.Ref() != id.Ref() || high.Ref() != id.Ref() {
			t.Fatalf("%s: the ends are %s and %s", id.Ref(), low.Ref(), high.Ref())
		}
		high[6] += 0x40 // the lowest bit of the reference
		if high.Ref() == id.Ref() {
			t.Fatalf("%s has the reference of its neighbour", high)
		}
	}
	if _, _, err := store.RefRange("0000-0000-001"); err == nil {
		t.Error("a wrong reference has a range")
	}
}
