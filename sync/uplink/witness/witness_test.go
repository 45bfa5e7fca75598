package witness_test

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/counterproof/counterproof/sync/tlog"
	"github.com/counterproof/counterproof/sync/uplink/witness"
	"github.com/counterproof/counterproof/sync/wire"
)

// centre keeps a log as the centre does.
type centre struct {
	t      *testing.T
	public ed25519.PublicKey
	key    ed25519.PrivateKey
	hashes []wire.Hash
	size   uint64
	leaves map[wire.Seq]uint64
}

func newCentre(t *testing.T) *centre {
	t.Helper()
	public, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &centre{t: t, public: public, key: key, leaves: map[wire.Seq]uint64{}}
}

// receipt is the promise of a record.
func receipt(seq wire.Seq) wire.Receipt {
	return wire.Receipt{Agent: "a", Seq: seq, RecHash: wire.HashOf(fmt.Append(nil, seq)), LogIndex: uint64(seq), At: time.UnixMilli(1795343400000).UTC()}
}

// receipts are those of the given records.
func receipts(seqs ...wire.Seq) map[wire.Seq]wire.Receipt {
	all := map[wire.Seq]wire.Receipt{}
	for _, s := range seqs {
		all[s] = receipt(s)
	}
	return all
}

func (c *centre) read(indexes []int64) ([]wire.Hash, error) {
	var out []wire.Hash
	for _, i := range indexes {
		out = append(out, c.hashes[i])
	}
	return out, nil
}

// hold puts records into the log.
func (c *centre) hold(seqs ...wire.Seq) *centre {
	c.t.Helper()
	for _, s := range seqs {
		grown, err := tlog.Grow(c.size, []wire.Hash{tlog.LeafHash(wire.LeafOf(receipt(s)))}, c.read)
		if err != nil {
			c.t.Fatal(err)
		}
		c.hashes, c.leaves[s] = append(c.hashes, grown...), c.size
		c.size++
	}
	return c
}

// answer shows the log since it had old leaves, with proofs of records.
func (c *centre) answer(epoch, old uint64, seqs ...wire.Seq) wire.ProofAnswer {
	c.t.Helper()
	root, err := tlog.Root(c.size, c.read)
	if err != nil {
		c.t.Fatal(err)
	}
	var a wire.ProofAnswer
	if a.Checkpoint, err = tlog.Sign(epoch, c.size, root, c.key); err != nil {
		c.t.Fatal(err)
	}
	if old <= c.size {
		if a.Growth, err = tlog.ProveGrowth(old, c.size, c.read); err != nil {
			c.t.Fatal(err)
		}
	}
	for _, s := range seqs {
		hashes, err := tlog.Prove(c.size, c.leaves[s], c.read)
		if err != nil {
			c.t.Fatal(err)
		}
		a.Proofs = append(a.Proofs, wire.Proof{Seq: s, Leaf: c.leaves[s], Hashes: hashes})
	}
	return a
}

// open opens a witness in a folder.
func open(t *testing.T, dir string) *witness.Witness {
	t.Helper()
	w, err := witness.Open(filepath.Join(dir, "seen"))
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// TestProven: what the log holds is proven, as it grows, and over a restart.
func TestProven(t *testing.T) {
	t.Parallel()
	dir, c := t.TempDir(), newCentre(t).hold(1, 2, 3)
	v, err := open(t, dir).Judge(c.answer(1, 0, 1, 2), c.public, receipts(1, 2))
	if err != nil || !slices.Equal(v.Proven, []wire.Seq{1, 2}) || v.Size != 3 || v.Restored {
		t.Errorf("got %+v, %v", v, err)
	}
	w := open(t, dir)
	c.hold(4, 5)
	v, err = w.Judge(c.answer(1, 3, 3, 5), c.public, receipts(3, 4))
	if err != nil || !slices.Equal(v.Proven, []wire.Seq{3}) {
		t.Errorf("what was not asked about counts: %+v, %v", v, err)
	}
	if _, size := seen(t, w, c); size != 5 {
		t.Errorf("%d leaves are remembered", size)
	}
}

// seen reads what is remembered.
func seen(t *testing.T, w *witness.Witness, c *centre) (epoch, size uint64) {
	t.Helper()
	p, epoch, err := tlog.Open(w.Seen(), c.public)
	if err != nil {
		t.Fatal(err)
	}
	return epoch, p.Size
}

// TestLies: a centre that shows another log than before, or proves nothing, is
// found out, and the witness goes on remembering what it saw.
func TestLies(t *testing.T) {
	t.Parallel()
	honest := newCentre(t).hold(1, 2, 3, 4)
	rewritten := newCentre(t).hold(1, 9, 3, 4, 5)
	rewritten.public, rewritten.key = honest.public, honest.key
	short := newCentre(t).hold(1, 2)
	short.public, short.key = honest.public, honest.key
	stranger := newCentre(t).hold(1, 2, 3, 4, 5)
	forged := honest.answer(1, 4, 1)
	forged.Proofs[0].Seq = 2
	unsigned := honest.answer(1, 4)
	unsigned.Checkpoint = append([]byte(nil), unsigned.Checkpoint[1:]...)
	for name, lie := range map[string]wire.ProofAnswer{
		"another log":              rewritten.answer(1, 4, 1),
		"a shorter log":            short.answer(1, 4),
		"another centre":           stranger.answer(1, 4),
		"another record's proof":   forged,
		"an unsigned checkpoint":   unsigned,
		"no checkpoint":            {},
		"another log, older epoch": rewritten.answer(0, 4, 1),
	} {
		w := open(t, t.TempDir())
		if _, err := w.Judge(honest.answer(1, 0), honest.public, nil); err != nil {
			t.Fatal(err)
		}
		if v, err := w.Judge(lie, honest.public, receipts(1, 2)); !errors.Is(err, witness.ErrLog) || len(v.Proven) > 0 {
			t.Errorf("%s: %+v, %v", name, v, err)
		}
		if _, size := seen(t, w, honest); size != 4 {
			t.Errorf("%s: %d leaves are remembered", name, size)
		}
	}
}

// TestRestored: a centre that says openly that it came back from a backup is
// followed, what it lost is not proven, and the word comes once.
func TestRestored(t *testing.T) {
	t.Parallel()
	before := newCentre(t).hold(1, 2, 3, 4)
	after := newCentre(t).hold(1, 2, 7)
	after.public, after.key = before.public, before.key
	w := open(t, t.TempDir())
	if _, err := w.Judge(before.answer(1, 0), before.public, nil); err != nil {
		t.Fatal(err)
	}
	answer := after.answer(2, 4, 1, 2, 7)
	answer.Proofs[2].Seq = 3 // its place is another record's now
	v, err := w.Judge(answer, before.public, receipts(1, 2, 3))
	if err != nil || !v.Restored || v.Epoch != 2 || !slices.Equal(v.Proven, []wire.Seq{1, 2}) {
		t.Errorf("got %+v, %v", v, err)
	}
	v, err = w.Judge(after.hold(8).answer(2, 3), before.public, nil)
	if err != nil || v.Restored {
		t.Errorf("the next time %+v, %v", v, err)
	}
}

// TestDisk: what a disk lost or altered begins anew; what cannot be remembered
// proves nothing.
func TestDisk(t *testing.T) {
	t.Parallel()
	dir, c := t.TempDir(), newCentre(t).hold(1, 2)
	path := filepath.Join(dir, "seen")
	if err := os.WriteFile(path, []byte("altered"), 0o600); err != nil {
		t.Fatal(err)
	}
	v, err := open(t, dir).Judge(c.answer(1, 0, 1), c.public, receipts(1))
	if err != nil || len(v.Proven) != 1 {
		t.Errorf("over an altered file: %+v, %v", v, err)
	}
	w, err := witness.Open(filepath.Join(dir, "no", "folder"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Judge(c.answer(1, 0, 1), c.public, receipts(1)); err == nil || w.Seen() != nil {
		t.Errorf("without a disk: %v, remembering %q", err, w.Seen())
	}
	if _, err := witness.Open(dir); err == nil {
		t.Error("a folder is read")
	}
	names, err := os.ReadDir(dir)
	if err != nil || len(names) != 1 {
		t.Errorf("what lies there: %v, %v", names, err)
	}
}
