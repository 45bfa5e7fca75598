package casework

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/counterproof/counterproof/agent/source"
	"github.com/counterproof/counterproof/sync/wire"
)

// errCrash is the power cut of these tests.
var errCrash = errors.New("the power was cut")

// cut is where in a write the power is cut.
type cut string

// The cuts.
const (
	cutTorn  cut = "torn"  // half a line is on the disk
	cutMark  cut = "mark"  // the line is, its mark is not
	cutAfter cut = "after" // all is, and nobody knows
)

// crash cuts the power at the write that is so many away.
func (r *rig) crash(at int, how cut) (writes *int) {
	count := 0
	l := r.w.ledger
	write := l.Write
	l.Write = func(text, mark []byte) error {
		count++
		if count != at {
			return write(text, mark)
		}
		var err error
		switch how {
		case cutTorn:
			err = appendFile(r.path("ledger.jsonl"), text[:len(text)/2])
		case cutMark:
			err = appendFile(r.path("ledger.jsonl"), text)
		case cutAfter:
			err = write(text, mark)
		}
		return errors.Join(errCrash, err)
	}
	return &count
}

// world plays every step that a case may have: a token that is redeemed, and
// tried again; a review that is passed; a letter; a source and an account that
// answer late; a visit that is joined. It does each step again after a crash, as
// a process that was started again does.
func world(t *testing.T, r *rig, records []stored, crashed func(error) bool) {
	t.Helper()
	r.archive.records = records
	again := func(step func() error) {
		for range 3 {
			err := step()
			if err == nil {
				return
			}
			if !crashed(err) {
				t.Fatal(err)
			}
		}
		t.Fatal("it crashes on and on")
	}
	take := func(index int) {
		again(func() error { return r.w.Take(r.archive.open(t, uint64(index))) })
	}
	settle := func() {
		for range 40 {
			again(func() error { return r.w.Work(t.Context()) })
			next := r.w.next()
			if next.IsZero() {
				return
			}
			time.Sleep(max(time.Until(next), 0))
		}
		t.Fatal("the cases do not settle")
	}
	r.logins.answers = []Provisioned{{Disposition: Retry}}
	r.sim.SetDown(source.SimRegister, true)
	for index := 1; index <= 5; index++ {
		take(index)
	}
	again(func() error { return r.w.Work(t.Context()) })
	r.sim.SetDown(source.SimRegister, false)
	settle()
	take(6)
	take(7)
	settle()
	if err := Decide(r.dir, Decision{Ref: wire.RecordID{4, 1}.Ref(), Kind: wire.NoticeReviewPassed}); err != nil {
		t.Fatal(err)
	}
	settle()
}

// worldRecords are the records of the world, packed once.
func worldRecords(t *testing.T) []stored {
	t.Helper()
	c := &fakeCentre{}
	owner := alone(with(of("photo-proved", morgan), func(v *visit) { v.token = firstCode }))(t)
	joins := of("licence-proved", wren)(t)
	joins.who, joins.continues = morgan, wire.RecordID{3, 1}.Ref()
	for _, v := range []visit{
		owner, wishing(carded(unknown, "J1"), *contact)(t), alone(of("certificates-only", morgan))(t), of("photo-concern", morgan)(t), joins,
		redeeming(string(firstCode), 1)(t), redeeming(string(firstCode), 1)(t),
	} {
		c.add(t, v)
	}
	return c.records
}

// The power is cut at every write in turn, in every way: after it what the sites
// were told is the same, each piece once, and there is one account for each.
func TestCrashAtEveryWrite(t *testing.T) {
	t.Parallel()
	var want map[wire.Ref][]wire.NoticeKind
	records := worldRecords(t)
	writes, accounts := 0, 0
	t.Run("none", func(t *testing.T) {
		runBubble(t, func(t *testing.T, r *rig) {
			count := r.crash(-1, cutTorn)
			world(t, r, records, func(error) bool { return false })
			want, writes, accounts = r.archive.told, *count, r.logins.created
		})
	})
	if writes < 30 || len(want) != 7 || accounts != 1 {
		t.Fatalf("%d writes, %d visits, %d accounts", writes, len(want), accounts)
	}
	for at := 1; at <= writes; at++ {
		for _, how := range []cut{cutTorn, cutMark, cutAfter} {
			if how == cutMark && at%3 != 0 {
				continue // it is read as cutAfter is
			}
			t.Run(fmt.Sprintf("write-%d/%s", at, how), func(t *testing.T) {
				bubble(t, func(t *testing.T, r *rig) {
					crashes := 0
					r.crash(at, how)
					world(t, r, records, func(err error) bool {
						crashes++
						if !errors.Is(err, errCrash) {
							return false
						}
						r.open()
						return true
					})
					if crashes != 1 {
						t.Fatalf("it crashed %d times", crashes)
					}
					if !maps.EqualFunc(r.archive.told, want, slices.Equal) {
						t.Errorf("the sites were told %v, want %v", r.archive.told, want)
					}
					if r.logins.created != accounts {
						t.Errorf("%d accounts, want %d", r.logins.created, accounts)
					}
					if letters, err := os.ReadDir(r.path(letterFolder)); err != nil || len(letters) == 0 {
						t.Errorf("%d letters, %v", len(letters), err)
					}
				})
			})
		}
	}
}
