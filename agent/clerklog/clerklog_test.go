package clerklog_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/counterproof/counterproof/agent/api"
	"github.com/counterproof/counterproof/agent/clerklog"
	"github.com/counterproof/counterproof/agent/proof"
	"github.com/counterproof/counterproof/sync/custody"
)

var now = time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)

// record is a record in a folder of the test's.
type record struct {
	*clerklog.Log
	t   *testing.T
	dir string
	cfg clerklog.Config
}

// begin opens an empty record with parts of a size.
func begin(t *testing.T, lines, parts int) *record {
	t.Helper()
	dir := t.TempDir()
	keeper, err := custody.Open(filepath.Join(dir, "keys"))
	if err != nil {
		t.Fatal(err)
	}
	r := &record{t: t, dir: filepath.Join(dir, "activity")}
	r.cfg = clerklog.Config{Dir: r.dir, Vault: keeper, PartLines: lines, Parts: parts}
	r.again(now)
	return r
}

// again opens the record as the counter's next start does.
func (r *record) again(at time.Time) {
	r.t.Helper()
	if r.Log != nil {
		r.must(r.Close())
	}
	l, err := clerklog.Open(r.cfg, at)
	if err != nil {
		r.t.Fatalf("opening: %v", err)
	}
	r.Log = l
	r.t.Cleanup(func() { _ = l.Close() })
}

func (r *record) must(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}

// add adds deeds of a clerk, a minute each.
func (r *record) add(who proof.OperatorID, from, n int) {
	r.t.Helper()
	for i := range n {
		r.must(r.Add(api.Deed{At: at(from + i), Who: who, Did: api.DidBegin, Case: proof.CaseID(fmt.Sprint(from + i))}))
	}
}

// at is a moment of the test's day.
func at(minute int) time.Time { return now.Add(time.Duration(minute) * time.Minute) }

// list lists deeds, of everybody's for "".
func (r *record) list(w clerklog.Wish) api.Activity {
	r.t.Helper()
	a, err := r.List(w)
	if err != nil {
		r.t.Fatalf("listing: %v", err)
	}
	return a
}

// files are the lines' files, oldest first.
func (r *record) files() []string {
	r.t.Helper()
	files, err := filepath.Glob(filepath.Join(r.dir, "*", "ledger.jsonl"))
	if err != nil || len(files) == 0 {
		r.t.Fatalf("no lines: %v", err)
	}
	slices.Sort(files)
	return files
}

// edit changes the lines of a file.
func (r *record) edit(file string, change func(lines []string) []string) {
	r.t.Helper()
	b, err := os.ReadFile(file)
	r.must(err)
	lines := slices.Collect(strings.Lines(string(b)))
	r.must(os.WriteFile(file, []byte(strings.Join(change(lines), "")), 0o600))
}

func TestWhatWasDoneIsListedNewestFirst(t *testing.T) {
	t.Parallel()
	r := begin(t, 0, 0)
	r.must(r.Add(api.Deed{At: at(0), Who: "robin", Did: api.DidReset, Whom: "kim"}))
	r.must(r.Add(api.Deed{At: at(1), Who: "kim", Did: api.DidSignIn}))
	r.must(r.Add(api.Deed{At: at(2), Did: api.DidFail, Whom: "kim"}))
	r.must(r.Add(api.Deed{At: at(3), Who: "sam", Did: api.DidEnd, Case: "c1", Ref: "CP-7K2M-49QX"}))
	r.again(now)
	for rule, c := range map[string]struct {
		wish clerklog.Wish
		want []api.DeedKind
	}{
		"everybody":     {clerklog.Wish{}, []api.DeedKind{api.DidEnd, api.DidFail, api.DidSignIn, api.DidReset}},
		"kim's":         {clerklog.Wish{About: "kim"}, []api.DeedKind{api.DidFail, api.DidSignIn, api.DidReset}},
		"sam's":         {clerklog.Wish{About: "sam"}, []api.DeedKind{api.DidEnd}},
		"nobody's":      {clerklog.Wish{About: "nobody"}, nil},
		"since later":   {clerklog.Wish{From: at(2)}, []api.DeedKind{api.DidEnd, api.DidFail}},
		"since the end": {clerklog.Wish{From: at(4)}, nil},
	} {
		got := r.list(c.wish)
		var kinds []api.DeedKind
		for _, d := range got.Deeds {
			kinds = append(kinds, d.Did)
		}
		if !slices.Equal(kinds, c.want) || got.Problem != "" || got.More {
			t.Errorf("%s: %v %q %t, want %v", rule, kinds, got.Problem, got.More, c.want)
		}
	}
	if d := r.list(clerklog.Wish{About: "sam"}).Deeds[0]; d.Case != "c1" || d.Ref != "CP-7K2M-49QX" || !d.At.Equal(at(3)) {
		t.Errorf("the deed came back as %+v", d)
	}
}

func TestPartsEndAndTheOldestGoes(t *testing.T) {
	t.Parallel()
	r := begin(t, 5, 3) // a head and four deeds each
	r.add("kim", 0, 20)
	if n := len(r.files()); n != 3 {
		t.Errorf("%d parts are kept, want 3", n)
	}
	got := r.list(clerklog.Wish{})
	if len(got.Deeds) != 12 || got.Deeds[0].Case != "19" || got.Deeds[11].Case != "8" || got.Problem != "" {
		t.Errorf("%d deeds from %s, problem %q", len(got.Deeds), got.Deeds[0].Case, got.Problem)
	}
	r.again(now)
	r.add("kim", 20, 2)
	if got := r.list(clerklog.Wish{}); got.Problem != "" || got.Deeds[0].Case != "21" {
		t.Errorf("after opening again: %q, newest %s", got.Problem, got.Deeds[0].Case)
	}
	if got := r.list(clerklog.Wish{From: at(18)}); len(got.Deeds) != 4 {
		t.Errorf("%d deeds since the 18th minute", len(got.Deeds))
	}
}

func TestAPartEndsWithItsYear(t *testing.T) {
	t.Parallel()
	r := begin(t, 0, 0)
	r.add("kim", 0, 1)
	next := time.Date(2027, 1, 2, 9, 0, 0, 0, time.UTC)
	r.must(r.Add(api.Deed{At: next, Who: "kim", Did: api.DidSignIn}))
	r.must(r.Add(api.Deed{At: now, Who: "kim", Did: api.DidSignOut})) // the clock went back: no part of an old year
	if n := len(r.files()); n != 2 {
		t.Errorf("%d parts, want one a year", n)
	}
	if got := r.list(clerklog.Wish{}); len(got.Deeds) != 3 || got.Problem != "" {
		t.Errorf("got %+v", got)
	}
}

func TestALongListSaysThatThereIsMore(t *testing.T) {
	t.Parallel()
	r := begin(t, 400, 0)
	r.add("kim", 0, clerklog.Listed+1)
	got := r.list(clerklog.Wish{})
	if len(got.Deeds) != clerklog.Listed || !got.More {
		t.Errorf("%d deeds, more: %t", len(got.Deeds), got.More)
	}
	if got := r.list(clerklog.Wish{From: at(1)}); len(got.Deeds) != clerklog.Listed || got.More {
		t.Errorf("exactly as many: %d, more: %t", len(got.Deeds), got.More)
	}
}

// TestHarmIsNoticed changes the record in every way that a program with the disk
// in hand can, while the counter runs and while it does not.
func TestHarmIsNoticed(t *testing.T) {
	t.Parallel()
	drop := func(i int) func([]string) []string {
		return func(lines []string) []string { return slices.Delete(lines, i, i+1) }
	}
	for rule, harm := range map[string]func(r *record){
		"a line removed":         func(r *record) { r.edit(r.files()[2], drop(2)) },
		"the last line removed":  func(r *record) { r.edit(r.files()[2], drop(3)) },
		"the first line removed": func(r *record) { r.edit(r.files()[2], drop(0)) },
		"all lines removed":      func(r *record) { r.edit(r.files()[2], func([]string) []string { return nil }) },
		"a name changed": func(r *record) {
			r.edit(r.files()[2], func(lines []string) []string {
				lines[2] = strings.Replace(lines[2], `"who":"kim"`, `"who":"sam"`, 1)
				return lines
			})
		},
		"two lines swapped": func(r *record) {
			r.edit(r.files()[2], func(lines []string) []string {
				lines[1], lines[2] = lines[2], lines[1]
				return lines
			})
		},
		"a line twice": func(r *record) {
			r.edit(r.files()[2], func(lines []string) []string { return slices.Insert(lines, 2, lines[1]) })
		},
		"an old part's line removed": func(r *record) { r.edit(r.files()[1], drop(4)) },
		"an old part removed":        func(r *record) { r.must(os.RemoveAll(filepath.Dir(r.files()[1]))) },
		"the oldest part removed":    func(r *record) { r.must(os.RemoveAll(filepath.Dir(r.files()[0]))) },
		"a part in another's place": func(r *record) {
			r.must(os.Remove(r.files()[1]))
			b, err := os.ReadFile(r.files()[0])
			r.must(err)
			r.must(os.WriteFile(filepath.Join(r.dir, "0002", "ledger.jsonl"), b, 0o600))
		},
	} {
		for _, restart := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/restart=%t", rule, restart), func(t *testing.T) {
				t.Parallel()
				r := begin(t, 5, 0)
				r.add("kim", 0, 11)
				if got := r.list(clerklog.Wish{}); got.Problem != "" || len(got.Deeds) != 11 {
					t.Fatalf("before the harm: %q", got.Problem)
				}
				harm(r)
				if restart {
					r.again(now)
				}
				if got := r.list(clerklog.Wish{}); got.Problem != proof.KindLogDamaged {
					t.Errorf("nobody notices: %q, %d deeds", got.Problem, len(got.Deeds))
				}
				r.again(now)
				r.add("kim", 11, 1) // the counter goes on
				got := r.list(clerklog.Wish{})
				if len(got.Deeds) == 0 || got.Deeds[0].Case != "11" || got.Problem != proof.KindLogDamaged {
					t.Errorf("going on: %q, %d deeds", got.Problem, len(got.Deeds))
				}
			})
		}
	}
}

func TestALostKeyIsNoticed(t *testing.T) {
	t.Parallel()
	for rule, harm := range map[string]func(key string) error{
		"gone":    os.Remove,
		"damaged": func(key string) error { return os.WriteFile(key, []byte("nothing that was wrapped"), 0o600) },
	} {
		r := begin(t, 0, 0)
		r.add("kim", 0, 3)
		r.must(harm(filepath.Join(r.dir, "key")))
		r.again(now)
		r.add("kim", 3, 1)
		if got := r.list(clerklog.Wish{}); got.Problem != proof.KindLogDamaged || len(got.Deeds) != 1 {
			t.Errorf("%s: %q, %d deeds", rule, got.Problem, len(got.Deeds))
		}
		r.again(now)
		if got := r.list(clerklog.Wish{}); len(got.Deeds) != 1 {
			t.Errorf("%s: the new key is not found again: %d deeds", rule, len(got.Deeds))
		}
	}
}

// TestAPowerCut tears the last line off half-way, which was never relied on, and
// cuts the start of a part short.
func TestAPowerCut(t *testing.T) {
	t.Parallel()
	r := begin(t, 0, 0)
	r.add("kim", 0, 3)
	f, err := os.OpenFile(r.files()[0], os.O_APPEND|os.O_WRONLY, 0o600)
	r.must(err)
	_, err = f.WriteString(`{"line":{"deed":{"at":"2026-`)
	r.must(errors.Join(err, f.Close()))
	r.again(now)
	r.add("kim", 3, 1)
	if got := r.list(clerklog.Wish{}); got.Problem != "" || len(got.Deeds) != 4 {
		t.Errorf("a torn line: %q, %d deeds", got.Problem, len(got.Deeds))
	}
}

// TestARecordThatBeganButHasNothing may be a crash at the very start, or somebody
// who took all of it: it is said.
func TestARecordThatBeganButHasNothing(t *testing.T) {
	t.Parallel()
	for rule, harm := range map[string]func(r *record){
		"no lines and no mark": func(r *record) {
			r.must(os.Remove(filepath.Join(r.dir, "0001", "ledger.jsonl")))
			r.must(os.Remove(filepath.Join(r.dir, "0001", "ledger.mark")))
		},
		"no part": func(r *record) { r.must(os.RemoveAll(filepath.Join(r.dir, "0001"))) },
	} {
		r := begin(t, 0, 0)
		r.add("kim", 0, 2)
		harm(r)
		r.again(now)
		r.add("kim", 2, 1)
		if got := r.list(clerklog.Wish{}); got.Problem != proof.KindLogDamaged || len(got.Deeds) != 1 {
			t.Errorf("%s: %q, %d deeds", rule, got.Problem, len(got.Deeds))
		}
	}
}

func TestManyAtOnce(t *testing.T) {
	t.Parallel()
	r := begin(t, 10, 0)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 5 {
				if err := r.Add(api.Deed{At: now, Who: "kim", Did: api.DidSeeNews}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if got := r.list(clerklog.Wish{}); len(got.Deeds) != 40 || got.Problem != "" {
		t.Errorf("%d deeds, %q", len(got.Deeds), got.Problem)
	}
}

func TestADiskThatFailsIsSaid(t *testing.T) {
	t.Parallel()
	r := begin(t, 0, 0)
	r.must(r.Close()) // every write fails now
	r.must(os.RemoveAll(r.dir))
	r.must(os.WriteFile(r.dir, nil, 0o600))
	if err := r.Add(api.Deed{At: now, Did: api.DidSignIn}); proof.KindOf(err) != proof.KindDiskFails {
		t.Errorf("adding: %v", err)
	}
	if _, err := r.List(clerklog.Wish{}); proof.KindOf(err) != proof.KindDiskFails {
		t.Errorf("listing: %v", err)
	}
	if _, err := clerklog.Open(r.cfg, now); proof.KindOf(err) != proof.KindDiskFails {
		t.Errorf("opening: %v", err)
	}
	r.Log = nil
	var none *clerklog.Log
	if err := none.Add(api.Deed{}); proof.KindOf(err) != proof.KindDiskFails {
		t.Errorf("adding to no record: %v", err)
	}
	if _, err := none.List(clerklog.Wish{}); proof.KindOf(err) != proof.KindDiskFails || none.Close() != nil {
		t.Errorf("listing no record: %v", err)
	}
}

// TestGoesOnAfterAFailedWrite closes the file under the record once.
func TestGoesOnAfterAFailedWrite(t *testing.T) {
	t.Parallel()
	r := begin(t, 0, 0)
	r.add("kim", 0, 2)
	r.must(r.Close())
	r.add("kim", 2, 1)
	if got := r.list(clerklog.Wish{}); len(got.Deeds) != 3 || got.Problem != "" {
		t.Errorf("%d deeds, %q", len(got.Deeds), got.Problem)
	}
}

func TestTheRecordIsTheOwnersAlone(t *testing.T) {
	t.Parallel()
	r := begin(t, 0, 0)
	r.add("kim", 0, 1)
	err := filepath.Walk(r.dir, func(path string, info os.FileInfo, err error) error {
		if err == nil && info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %v", filepath.Base(path), info.Mode())
		}
		return err
	})
	r.must(err)
	if b, err := os.ReadFile(r.files()[0]); err != nil || !bytes.Contains(b, []byte(`"who":"kim"`)) {
		t.Errorf("the lines are not found: %v", err)
	}
}

// FuzzRecord opens whatever stands where the lines should.
func FuzzRecord(f *testing.F) {
	for _, seed := range []string{"", "{}\n", `{"line":{"head":{"year":2026}},"mac":""}` + "\n", "\x00\n\n", `{"line":`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, lines []byte) {
		r := begin(t, 0, 0)
		r.must(os.WriteFile(r.files()[0], lines, 0o600))
		r.again(now)
		r.add("kim", 0, 1)
		got := r.list(clerklog.Wish{})
		if len(got.Deeds) != 1 || got.Problem != proof.KindLogDamaged {
			t.Fatalf("%q: %d deeds, %q", lines, len(got.Deeds), got.Problem)
		}
	})
}

func BenchmarkAdd(b *testing.B) {
	dir := b.TempDir()
	keeper, err := custody.Open(filepath.Join(dir, "keys"))
	if err != nil {
		b.Fatal(err)
	}
	l, err := clerklog.Open(clerklog.Config{Dir: filepath.Join(dir, "activity"), Vault: keeper}, now)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if err := l.Add(api.Deed{At: now, Who: "kim", Did: api.DidSignIn}); err != nil {
			b.Fatal(err)
		}
	}
}

func TestOnlyTheListIsRecorded(t *testing.T) {
	t.Parallel()
	r := begin(t, 0, 0)
	for _, kind := range clerklog.Kinds() {
		r.must(r.Add(api.Deed{At: now, Did: kind}))
	}
	if err := r.Add(api.Deed{At: now, Did: "ERIKSSON came in"}); proof.KindOf(err) != proof.KindInternal {
		t.Errorf("free text is recorded: %v", err)
	}
	seen := map[api.DeedKind]bool{}
	for _, d := range r.list(clerklog.Wish{}).Deeds {
		seen[d.Did] = true
	}
	if len(seen) != len(clerklog.Kinds()) {
		t.Errorf("%d kinds came back of %d", len(seen), len(clerklog.Kinds()))
	}
}
