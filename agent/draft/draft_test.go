package draft_test

import (
	"bufio"
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/counterproof/counterproof/agent/draft"
	"github.com/counterproof/counterproof/agent/proof"
)

const visit = proof.CaseID("abcdefgh23456789")

// keeper wraps keys with a fixed key of the test; purpose is bound in.
type keeper struct{}

func (keeper) aead() cipher.AEAD {
	block, err := aes.NewCipher(make([]byte, 32))
	if err != nil {
		return nil
	}
	a, err := cipher.NewGCM(block)
	if err != nil {
		return nil
	}
	return a
}

func (k keeper) Wrap(purpose string, key []byte) ([]byte, error) {
	return k.aead().Seal(nil, make([]byte, 12), key, []byte(purpose)), nil
}

func (k keeper) Unwrap(purpose string, wrapped []byte) ([]byte, error) {
	return k.aead().Open(nil, make([]byte, 12), wrapped, []byte(purpose))
}

// brokenKeeper cannot unwrap: another counter's disk.
type brokenKeeper struct{ keeper }

func (brokenKeeper) Unwrap(string, []byte) ([]byte, error) { return nil, errors.New("not my key") }

func open(t testing.TB, dir string) *draft.Store {
	t.Helper()
	s, err := draft.Open(dir, keeper{})
	if err != nil {
		t.Fatalf("opening the store: %v", err)
	}
	return s
}

func event(seq int, fact proof.Fact) proof.Event {
	return proof.Event{Seq: seq, At: time.Date(2026, 11, 22, 10, seq%60, 0, 0, time.UTC), By: proof.Actor{Kind: proof.BySystem}, Fact: fact}
}

// nth is the fact that the tests write as event n: it tells its own number.
func nth(n int) proof.DocumentRead {
	return proof.DocumentRead{Lines: []string{fmt.Sprint("LINE ", n)}, Page: proof.PictureID(fmt.Sprint("page-", n))}
}

func TestResumeGivesBackWhatWasAppended(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	d, err := open(t, dir).Begin(visit)
	if err != nil {
		t.Fatalf("beginning: %v", err)
	}
	for n := 1; n <= 5; n++ {
		page := draft.Picture{ID: nth(n).Page, JPEG: bytes.Repeat([]byte{byte(n)}, 1000*n)}
		if err := d.Append(event(n, nth(n)), page, draft.Picture{ID: proof.PictureID(fmt.Sprint("small-", n)), JPEG: []byte{1}}); err != nil {
			t.Fatalf("appending %d: %v", n, err)
		}
	}
	if err := d.Close(); err != nil {
		t.Fatalf("closing: %v", err)
	}
	check(t, dir, 5)
}

// check resumes and compares events 1 to n and their pictures.
func check(t *testing.T, dir string, n int) {
	t.Helper()
	d, err := open(t, dir).Resume(visit)
	if err != nil {
		t.Fatalf("resuming: %v", err)
	}
	defer d.Close()
	events := d.Events()
	if len(events) < n {
		t.Fatalf("%d events, want at least %d", len(events), n)
	}
	for i, e := range events {
		f, ok := e.Fact.(proof.DocumentRead)
		if !ok || e.Seq != i+1 || f.Lines[0] != nth(i + 1).Lines[0] {
			t.Fatalf("event %d came back as %+v", i+1, e)
		}
		b, err := d.Picture(f.Page)
		if err != nil || len(b) != 1000*(i+1) || b[0] != byte(i+1) {
			t.Fatalf("picture %s came back with %d bytes: %v", f.Page, len(b), err)
		}
	}
}

func TestTornEntryIsCutOff(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	whole := fill(t, dir, 3)
	name := filepath.Join(dir, string(visit)+".draft")
	for cut := whole[2] + 1; cut < whole[3]; cut += 97 {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		torn := t.TempDir()
		if err := os.WriteFile(filepath.Join(torn, string(visit)+".draft"), b[:cut], 0o600); err != nil {
			t.Fatal(err)
		}
		check(t, torn, 2)
		d, err := open(t, torn).Resume(visit)
		if err != nil || len(d.Events()) != 2 {
			t.Fatalf("cut at %d of %d: resuming gives %v", cut, whole[3], err)
		}
		page := draft.Picture{ID: nth(3).Page, JPEG: bytes.Repeat([]byte{3}, 3000)}
		if err := d.Append(event(3, nth(3)), page); err != nil {
			t.Fatalf("appending after a cut: %v", err)
		}
		if err := d.Close(); err != nil {
			t.Fatal(err)
		}
		check(t, torn, 3)
	}
}

// fill writes n events and tells the file's size after each, from 0.
func fill(t *testing.T, dir string, n int) []int64 {
	t.Helper()
	d, err := open(t, dir).Begin(visit)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	size := func() int64 {
		info, err := os.Stat(filepath.Join(dir, string(visit)+".draft"))
		if err != nil {
			t.Fatal(err)
		}
		return info.Size()
	}
	sizes := []int64{size()}
	for i := 1; i <= n; i++ {
		page := draft.Picture{ID: nth(i).Page, JPEG: bytes.Repeat([]byte{byte(i)}, 1000*i)}
		if err := d.Append(event(i, nth(i)), page); err != nil {
			t.Fatal(err)
		}
		sizes = append(sizes, size())
	}
	return sizes
}

func TestDamageIsReportedAndSetAside(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	sizes := fill(t, dir, 3)
	name := filepath.Join(dir, string(visit)+".draft")
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	for where, at := range map[string]int64{"head": 20, "first entry": sizes[0] + 30, "second entry": sizes[1] + 40} {
		t.Run(where, func(t *testing.T) {
			dir := t.TempDir()
			name := filepath.Join(dir, string(visit)+".draft")
			bad := bytes.Clone(b)
			bad[at] ^= 1
			if err := os.WriteFile(name, bad, 0o600); err != nil {
				t.Fatal(err)
			}
			_, err := open(t, dir).Resume(visit)
			if proof.KindOf(err) != proof.KindDraftDamaged {
				t.Errorf("resuming gives %v, want %s", err, proof.KindDraftDamaged)
			}
			set := name + ".damaged"
			if where == "head" {
				set = name // the key does not unwrap: it may, the next time
			}
			kept, err := os.ReadFile(set)
			if err != nil || !bytes.Equal(kept, bad) {
				t.Errorf("the damaged file is not set aside: %v", err)
			}
		})
	}
}

// TestARottenFirstLengthIsDamage turns a bit in the length of the first entry.
// Nothing opens then, but that is no visit that was never begun: its file stays.
func TestARottenFirstLengthIsDamage(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	sizes := fill(t, dir, 3)
	name := filepath.Join(dir, string(visit)+".draft")
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	b[sizes[0]] ^= 0x40
	if err := os.WriteFile(name, b, 0o600); err != nil {
		t.Fatal(err)
	}
	if d, err := open(t, dir).Resume(visit); proof.KindOf(err) != proof.KindDraftDamaged {
		t.Errorf("resuming gives %+v and %v", d, err)
	}
	if kept, err := os.ReadFile(name + ".damaged"); err != nil || !bytes.Equal(kept, b) {
		t.Errorf("the visit is gone: %v", err)
	}
}

// strange is a fact that only a newer program knows.
type strange struct {
	More string `json:"more"`
}

// FactKind is a word of a later year.
func (strange) FactKind() proof.FactKind { return "fact_of_next_year" }

// TestAnEntryOfANewerProgramStays goes back to an older program while a visit is
// open: nothing that was answered is cut off or set aside, so the newer program
// goes on with all of it.
func TestAnEntryOfANewerProgramStays(t *testing.T) {
	t.Parallel()
	for rule, facts := range map[string][]proof.Fact{
		"last": {nth(1), nth(2), strange{"x"}}, "between": {nth(1), strange{"x"}, nth(3)},
	} {
		dir := t.TempDir()
		name := filepath.Join(dir, string(visit)+".draft")
		d, err := open(t, dir).Begin(visit)
		if err != nil {
			t.Fatal(err)
		}
		for i, f := range facts {
			if err := d.Append(event(i+1, f)); err != nil {
				t.Fatal(err)
			}
		}
		if err := d.Close(); err != nil {
			t.Fatal(err)
		}
		before, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if d, err := open(t, dir).Resume(visit); proof.KindOf(err) != proof.KindUpgrade {
			t.Errorf("%s: resuming gives %v and %v", rule, d, err)
		}
		after, err := os.ReadFile(name)
		if err != nil || !bytes.Equal(after, before) {
			t.Errorf("%s: the draft was changed from %d to %d bytes: %v", rule, len(before), len(after), err)
		}
	}
}

// TestWhatPassesIsNoDamage holds that a keeper that is busy once does not cost a
// visit, and that one file that does not read does not stop the others.
func TestWhatPassesIsNoDamage(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	fill(t, dir, 3)
	busy, err := draft.Open(dir, brokenKeeper{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := busy.Resume(visit); proof.KindOf(err) != proof.KindDraftDamaged {
		t.Errorf("a busy keeper gives %v", err)
	}
	check(t, dir, 3)
	if err := os.Mkdir(filepath.Join(dir, "unreadable234567.draft"), 0o700); err != nil {
		t.Fatal(err)
	}
	check(t, dir, 3)
}

// TestATornEntryThatCannotBeSetAside is a disk that is full while a draft with a
// torn end is taken up: what was answered is there, and the torn end goes once
// there is room.
func TestATornEntryThatCannotBeSetAside(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	sizes := fill(t, dir, 3)
	name := filepath.Join(dir, string(visit)+".draft")
	if err := os.Truncate(name, sizes[3]-10); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(name+".torn", 0o700); err != nil { // no file can be made there
		t.Fatal(err)
	}
	d, err := open(t, dir).Resume(visit)
	if err != nil || len(d.Events()) != 2 {
		t.Fatalf("resuming gives %v", err)
	}
	if err := d.Append(event(3, nth(3))); err == nil {
		t.Error("an entry was written over a torn one that is kept nowhere")
	}
	if err := os.Remove(name + ".torn"); err != nil {
		t.Fatal(err)
	}
	if err := d.Append(event(3, nth(3)), draft.Picture{ID: nth(3).Page, JPEG: bytes.Repeat([]byte{3}, 3000)}); err != nil {
		t.Errorf("with room again: %v", err)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	check(t, dir, 3)
}

func TestNothingReadableOnDisk(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	d, err := open(t, dir).Begin(visit)
	if err != nil {
		t.Fatal(err)
	}
	const marker = "PLANTEDMARKER"
	fact := proof.DocumentRead{Lines: []string{marker}}
	if err := d.Append(event(1, fact), draft.Picture{ID: "page-1", JPEG: []byte(marker)}); err != nil {
		t.Fatal(err)
	}
	if found(t, dir, marker) {
		t.Error("the marker is readable on disk")
	}
	if err := os.WriteFile(filepath.Join(dir, "control"), []byte("x"+marker), 0o600); err != nil {
		t.Fatal(err)
	}
	if !found(t, dir, marker) {
		t.Error("the negative control is not found: the search is blind")
	}
}

// found searches every file of a folder.
func found(t *testing.T, dir, marker string) bool {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(b, []byte(marker)) {
			return true
		}
	}
	return false
}

func TestEraseLeavesNothing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, dir)
	d, err := s.Begin(visit)
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Append(event(1, nth(1))); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(d.Erase(), d.Erase()); err != nil {
		t.Errorf("erasing twice: %v", err)
	}
	if ids, err := s.Visits(); err != nil || len(ids) != 0 {
		t.Errorf("visits %v after erasing, %v", ids, err)
	}
	if err := d.Append(event(2, nth(2))); proof.KindOf(err) != proof.KindNoVisit {
		t.Errorf("appending after erasing gives %v", err)
	}
}

func TestErasingThatWasCutOffIsFinished(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, dir)
	d, err := s.Begin(visit)
	if err == nil {
		err = errors.Join(d.Append(event(1, nth(1))), d.Close())
	}
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, string(visit)+".draft")
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	clear(b[:512]) // where a crash between Erase's two steps leaves it
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	if ids, err := open(t, dir).Visits(); err != nil || len(ids) != 0 {
		t.Errorf("visits %v, %v", ids, err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
		t.Errorf("left %v, %v", left, err)
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, dir)
	for _, id := range []proof.CaseID{"", "short", "../../etc/passwd", "UPPERCASE", "with space here"} {
		if _, err := s.Begin(id); err == nil {
			t.Errorf("a draft named %q was begun", id)
		}
		if _, err := s.Resume(id); proof.KindOf(err) != proof.KindNoVisit {
			t.Errorf("resuming %q gives %v", id, err)
		}
	}
	d, err := s.Begin(visit)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Begin(visit); proof.KindOf(err) != proof.KindVisitOpen {
		t.Errorf("beginning a visit twice gives %v", err)
	}
	if err := d.Append(event(2, nth(2))); err == nil {
		t.Error("an event out of order was taken")
	}
	if err := d.Append(event(1, nth(1))); err != nil {
		t.Fatal(err)
	}
	foreign, err := draft.Open(dir, brokenKeeper{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := foreign.Resume(visit); proof.KindOf(err) != proof.KindDraftDamaged {
		t.Errorf("another counter's key gives %v", err)
	}
}

// childDir tells the test binary that it is the child that is killed.
const childDir = "COUNTERPROOF_DRAFT_CHILD"

func TestMain(m *testing.M) {
	if dir := os.Getenv(childDir); dir != "" {
		writeForEver(dir)
	}
	os.Exit(m.Run())
}

// writeForEver appends events and says each number once it is on disk.
func writeForEver(dir string) {
	s, err := draft.Open(dir, keeper{})
	if err != nil {
		fmt.Println("failed", err)
		os.Exit(1)
	}
	d, err := s.Resume(visit)
	if errors.Is(err, os.ErrNotExist) {
		d, err = s.Begin(visit)
	}
	if err != nil {
		fmt.Println("failed", err)
		os.Exit(1)
	}
	for n := len(d.Events()) + 1; n < 250; n++ {
		page := draft.Picture{ID: nth(n).Page, JPEG: bytes.Repeat([]byte{byte(n)}, 1000*n)}
		if err := d.Append(event(n, nth(n)), page); err != nil {
			fmt.Println("failed", err)
			os.Exit(1)
		}
		fmt.Println("on disk", n)
	}
	os.Exit(0)
}

func TestKilledAtAnyMoment(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	answered := 0
	for range 12 {
		child := exec.Command(os.Args[0])
		child.Env = append(os.Environ(), childDir+"="+dir)
		out, err := child.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		stopAfter := 1 + rand.IntN(12)
		for lines := bufio.NewScanner(out); lines.Scan(); {
			if strings.HasPrefix(lines.Text(), "failed") {
				t.Fatalf("the child says %s", lines.Text())
			}
			if _, err := fmt.Sscanf(lines.Text(), "on disk %d", &answered); err != nil {
				t.Fatalf("the child says %q", lines.Text())
			}
			if stopAfter--; stopAfter == 0 {
				if err := child.Process.Kill(); err != nil {
					t.Fatal(err)
				}
			}
		}
		_ = child.Wait() // it was killed
		check(t, dir, answered)
	}
	if answered == 0 {
		t.Fatal("nothing was ever answered: the test proves nothing")
	}
}

func BenchmarkAppend(b *testing.B) {
	d, err := open(b, b.TempDir()).Begin(visit)
	if err != nil {
		b.Fatal(err)
	}
	page := draft.Picture{ID: "page", JPEG: make([]byte, 500<<10)}
	for n := 1; b.Loop(); n++ {
		if err := d.Append(event(n, nth(n)), page); err != nil {
			b.Fatal(err)
		}
	}
}
