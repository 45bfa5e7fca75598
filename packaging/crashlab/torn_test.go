package crashlab

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/counterproof/counterproof/packaging/crashlab/tap"
	"github.com/counterproof/counterproof/packaging/crashlab/trade"
	"github.com/counterproof/counterproof/sync/queue"
	"github.com/counterproof/counterproof/sync/store/sqlite"
	"github.com/counterproof/counterproof/sync/wire"
)

// tear puts a sector of noise into a file, and says where.
func tear(path string, rng *rand.Rand) (string, error) {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return "", err
	}
	fi, err := f.Stat()
	if err != nil {
		return "", errors.Join(err, f.Close())
	}
	at := rng.Int64N(fi.Size()/512) * 512
	noise := make([]byte, 512)
	for i := range noise {
		noise[i] = byte(rng.Uint32())
	}
	_, err = f.WriteAt(noise, at)
	return fmt.Sprintf("%s at %d of %d", filepath.Base(path), at, fi.Size()), errors.Join(err, f.Close())
}

// A sector of the queue's file turns into noise: every record that waited is
// there, from the file or from the spool, or the damage is told.
func TestTornQueue(t *testing.T) {
	t.Parallel()
	tr, err := trade.Find("queue")
	if err != nil {
		t.Fatal(err)
	}
	l, rng := lab(t, tr), rand.New(rand.NewPCG(5, 5))
	told := 0
	for range size(8, 40, 200) {
		o, err := l.Run(t.Context(), func(int, tap.Operation) tap.Verdict { return tap.Verdict{} })
		needs(t, err)
		where, err := tear(trade.QueueFile(o.Dir), rng)
		if err != nil {
			t.Fatal(err)
		}
		damage, err := waiting(t, o)
		if err != nil {
			t.Errorf("%s: %v", where, err)
		}
		if damage {
			told++
		}
		if err := l.Drop(o); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("damage was told %d times", told)
	if told == 0 {
		t.Error("no damage was told at all: nothing was torn")
	}
}

// waiting opens a torn queue and looks for the records that the centre did not
// have: every second one.
func waiting(t *testing.T, o Outcome) (damaged bool, err error) {
	t.Helper()
	q, damage, err := queue.Open(trade.QueueFile(o.Dir))
	if err != nil {
		return false, fmt.Errorf("opening: %w", err)
	}
	defer q.Close()
	for _, words := range o.Said {
		if words[0] != "queued" {
			continue
		}
		var n int
		if _, err := fmt.Sscan(words[1], &n); err != nil {
			return false, err
		}
		it, err := q.Find(t.Context(), wire.RecordID{byte(n >> 8), byte(n), 0xc4})
		if err == nil {
			_, err = q.Envelope(t.Context(), it.Seq)
		}
		switch {
		case err == nil && it.Hash.String() != words[2]:
			return true, fmt.Errorf("record %d is another", n)
		case err != nil && n%2 == 1:
			return true, fmt.Errorf("record %d waited and is lost: %w", n, err)
		case wire.KindOf(err) == wire.KindDamaged:
			damaged = true // told by who reads it
		case err != nil && damage == nil:
			return false, fmt.Errorf("record %d is lost and nobody is told: %w", n, err)
		}
	}
	return damaged || damage != nil, nil
}

// A sector of the centre's file turns into noise: a record is there as it came,
// or is told as damaged, or the file is refused. None is another.
func TestTornCentre(t *testing.T) {
	t.Parallel()
	tr, err := trade.Find("central")
	if err != nil {
		t.Fatal(err)
	}
	l, rng := lab(t, tr), rand.New(rand.NewPCG(6, 6))
	refused, damaged := 0, 0
	for range size(8, 40, 200) {
		o, err := l.Run(t.Context(), func(int, tap.Operation) tap.Verdict { return tap.Verdict{} })
		needs(t, err)
		where, err := tear(trade.CentreFile(o.Dir), rng)
		if err != nil {
			t.Fatal(err)
		}
		opened, hurt, err := held(t, o)
		if err != nil {
			t.Errorf("%s: %v", where, err)
		}
		if damaged += hurt; !opened {
			refused++
		}
		if err := l.Drop(o); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%d files were refused, %d records told as damaged", refused, damaged)
	if refused+damaged == 0 {
		t.Error("no damage was told at all: nothing was torn")
	}
}

// held reads a torn centre's log.
func held(t *testing.T, o Outcome) (opened bool, damaged int, err error) {
	t.Helper()
	s, err := sqlite.Open(t.Context(), trade.CentreFile(o.Dir))
	if err != nil {
		return false, 0, nil // told
	}
	defer s.Close()
	records, err := s.Records(t.Context(), 0, 100)
	if err != nil {
		return false, 0, nil // told
	}
	for i, r := range records {
		if r.Damaged {
			damaged++
			continue
		}
		sent, err := os.ReadFile(filepath.Join(o.Dir, "made", fmt.Sprint(i)))
		if err != nil {
			return true, damaged, err
		}
		if !bytes.Equal(r.Envelope.Marshal(nil), sent) {
			return true, damaged, fmt.Errorf("record %d is not what was sent, and says nothing of it", i)
		}
	}
	return true, damaged, nil
}
