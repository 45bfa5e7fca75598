package vault

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/counterproof/counterproof/agent/ledger"
	"github.com/counterproof/counterproof/sync/seal"
	"github.com/counterproof/counterproof/sync/wire"
)

// noon is a day in the middle of November.
var noon = time.Date(2026, 11, 15, 12, 0, 0, 0, time.UTC)

// sealed is a part that was sealed to a key.
type sealed struct {
	wire.Part
	wire.PartInfo
	binding []byte
}

func sealTo(t testing.TB, r wire.Recipient) sealed {
	t.Helper()
	binding := seal.Binding(wire.RecordID{7}, r.Part, false)
	p, info, err := seal.Seal(r, r.Part, binding, []byte("secret of "+r.Part))
	if err != nil {
		t.Fatal(err)
	}
	return sealed{p, info, binding}
}

// opens opens a part and checks what is inside.
func opens(t testing.TB, v *Vault, s sealed) error {
	t.Helper()
	plain, err := v.Open(s.Part, s.PartInfo, s.binding)
	if err == nil && string(plain) != "secret of "+string(s.PartInfo.Name) {
		t.Errorf("opened %q", plain)
	}
	return err
}

// vault opens the vault of a folder, with a set for each of some months.
func newVault(t testing.TB, dir string, months ...string) *Vault {
	t.Helper()
	v, err := Open(Config{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = v.Close() })
	for _, m := range months {
		if _, err := v.Make(m, seal.Classical); err != nil {
			t.Fatal(err)
		}
	}
	return v
}

// of is the recipient of a month's part.
func of(t testing.TB, v *Vault, month string, part wire.PartName) wire.Recipient {
	t.Helper()
	for _, k := range v.keys {
		if k.month == month && k.part == part {
			return k.Recipient(part)
		}
	}
	t.Fatalf("no key for %s of %s", part, month)
	return wire.Recipient{}
}

func TestStanding(t *testing.T) {
	t.Parallel()
	cfg := Config{Dir: t.TempDir()}
	keys, err := Standing(cfg, wire.Suite{}, noon)
	if err != nil {
		t.Fatal(err)
	}
	var seen []wire.KeyID
	for i, k := range keys {
		if k.Suite != seal.Hybrid || k.Part != Parts()[i] || slices.Contains(seen, k.Key) {
			t.Errorf("%s is of suite %v, or shares its key", k.Part, k.Suite)
		}
		seen = append(seen, k.Key)
	}
	if len(keys) != 4 {
		t.Errorf("%d keys, want one for each of four parts", len(keys))
	}
	if again, err := Standing(cfg, seal.Classical, noon); err != nil || !reflect.DeepEqual(again, keys) {
		t.Errorf("making keys again changed them: %v", err)
	}
	path := func(part string) string { return filepath.Join(cfg.Dir, keyFolder, part+keyExt) }
	if err := os.Remove(path("audit")); err != nil {
		t.Fatal(err)
	}
	if made, err := Standing(cfg, seal.Classical, noon); err != nil || made[2].Suite != seal.Classical || made[0].Key != keys[0].Key {
		t.Errorf("the missing key alone was to be made: %v", err)
	}
	if err := os.WriteFile(path("chip"), []byte("half a key"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Standing(cfg, seal.Classical, noon); err == nil || strings.Contains(err.Error(), "half a key") {
		t.Errorf("a damaged key: got %v, want an error that does not quote it", err)
	}
	if b, _ := os.ReadFile(path("chip")); string(b) != "half a key" {
		t.Error("a damaged key was written over")
	}
	left, err := os.ReadDir(filepath.Join(cfg.Dir, keyFolder))
	if err != nil || len(left) != 4 {
		t.Errorf("%d files, %v; want the four keys alone", len(left), err)
	}
}

// TestInForce: the newest month that has begun, else the standing key; a key that
// was set aside by hand never.
func TestInForce(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	standing, err := Standing(Config{Dir: dir}, seal.Classical, noon)
	if err != nil {
		t.Fatal(err)
	}
	v := newVault(t, dir, "2026-11", "2026-12")
	for _, c := range []struct {
		name string
		at   time.Time
		want wire.Recipient
	}{
		{"before-any-month", noon.AddDate(0, -1, 0), standing[0]},
		{"month", noon, of(t, v, "2026-11", wire.PartClaims)},
		{"last-moment", time.Date(2026, 11, 30, 23, 59, 59, 0, time.UTC), of(t, v, "2026-11", wire.PartClaims)},
		{"next", time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC), of(t, v, "2026-12", wire.PartClaims)},
		{"another-zone", time.Date(2026, 12, 1, 0, 30, 0, 0, time.FixedZone("", 3600)), of(t, v, "2026-11", wire.PartClaims)},
		{"long-after", noon.AddDate(1, 0, 0), of(t, v, "2026-12", wire.PartClaims)},
	} {
		if got := v.InForce(c.at); len(got) != 4 || got[0].Key != c.want.Key {
			t.Errorf("%s: got %s of %d, want %s", c.name, got[0].Key, len(got), c.want.Key)
		}
	}
	if err := os.Rename(filepath.Join(dir, keyFolder, "claims.key"), filepath.Join(dir, keyFolder, "claims-old.key")); err != nil {
		t.Fatal(err)
	}
	_ = v.Close()
	again := newVault(t, dir)
	if got := again.InForce(noon.AddDate(0, -1, 0)); len(got) != 3 || got[0].Part != wire.PartEvidence {
		t.Errorf("a key that was set aside is handed out: %v", got)
	}
	if err := opens(t, again, sealTo(t, standing[0])); err != nil {
		t.Errorf("a key that was set aside does not open: %v", err)
	}
}

func TestMakingAhead(t *testing.T) {
	t.Parallel()
	v := newVault(t, t.TempDir())
	if made, err := v.Ahead(noon); made || err != nil || v.Monthly() || v.Enough() {
		t.Errorf("without any month: made %t, %v", made, err)
	}
	if made, err := v.Make("2026-11", seal.Classical); !made || err != nil || !v.Monthly() || !v.Enough() {
		t.Errorf("the first month: made %t, %v", made, err)
	}
	for _, want := range []bool{true, false} {
		if made, err := v.Ahead(noon); made != want || err != nil {
			t.Errorf("made %t, %v; want %t", made, err, want)
		}
	}
	if got := of(t, v, "2026-12", wire.PartAudit); got.Suite != seal.Classical {
		t.Errorf("the next month is of another suite: %v", got.Suite)
	}
	if got := len(v.Keys(noon)); got != 8 {
		t.Errorf("%d keys are listed, want 8", got)
	}
	for _, month := range []string{"", "2026-13", "2026-1", "november", "2026-11-01", "../../x"} {
		if _, err := v.Make(month, seal.Classical); err == nil {
			t.Errorf("%q was taken for a month", month)
		}
	}
	if _, err := Suite("rot13"); err == nil {
		t.Error("a suite that is none was taken")
	}
	for _, name := range []string{"hybrid", "p256"} {
		if id, err := Suite(name); err != nil || SuiteName(id) != name {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestOpenTellsWhy(t *testing.T) {
	t.Parallel()
	v := newVault(t, t.TempDir(), "2026-11")
	good := sealTo(t, of(t, v, "2026-11", wire.PartClaims))
	if err := opens(t, v, good); err != nil {
		t.Error(err)
	}
	foreign, err := Standing(Config{Dir: t.TempDir()}, seal.Classical, noon)
	if err != nil {
		t.Fatal(err)
	}
	if err := opens(t, v, sealTo(t, foreign[0])); !errors.Is(err, ErrUnknown) {
		t.Errorf("a key that is not here: %v", err)
	}
	// A key for one part opens no other one.
	swapped := of(t, v, "2026-11", wire.PartClaims)
	swapped.Part = wire.PartEvidence
	if err := opens(t, v, sealTo(t, swapped)); !errors.Is(err, ErrUnknown) {
		t.Errorf("a key of another part: %v", err)
	}
	bad := good
	bad.Part.Sealed = bytes.Clone(good.Part.Sealed)
	bad.Part.Sealed[len(bad.Part.Sealed)-1] ^= 1
	if err := opens(t, v, bad); err == nil || errors.Is(err, ErrUnknown) || errors.Is(err, ErrErased) || errors.Is(err, ErrAway) {
		t.Errorf("altered: %v", err)
	}
	other := good
	other.binding = seal.Binding(wire.RecordID{8}, wire.PartClaims, false)
	if err := opens(t, v, other); err == nil {
		t.Error("a part of another record opened")
	}
}

// TestShred: the keys of one month and part are gone, all other parts open, and the
// centre's log is to be told.
func TestShred(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	v := newVault(t, dir, "2026-07", "2026-08")
	old := map[wire.PartName]sealed{}
	for _, part := range Parts() {
		old[part] = sealTo(t, of(t, v, "2026-08", part))
	}
	july := sealTo(t, of(t, v, "2026-07", wire.PartEvidence))
	public := of(t, v, "2026-08", wire.PartEvidence).Public
	path := filepath.Join(dir, keyFolder, "evidence.2026-08.key")
	copied, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 11, 30, 0, 0, 0, 0, time.UTC) // 90 days after August
	order := Shredding{Month: "2026-08", Parts: []wire.PartName{wire.PartEvidence}}
	if doomed, err := v.MayShred(order, now); err != nil || len(doomed) != 1 || doomed[0].Part != wire.PartEvidence {
		t.Fatalf("%v, %v; want evidence alone", doomed, err)
	}
	if n, err := v.Shred(order, now); n != 1 || err != nil {
		t.Fatalf("destroyed %d, %v", n, err)
	}
	check := func(v *Vault) {
		t.Helper()
		for part, s := range old {
			if err := opens(t, v, s); (err == nil) != (part != wire.PartEvidence) || err != nil && !errors.Is(err, ErrErased) {
				t.Errorf("%s: %v", part, err)
			}
		}
		if err := opens(t, v, july); err != nil {
			t.Errorf("another month: %v", err)
		}
	}
	check(v)
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the file is still there: %v", err)
	}
	if _, err := v.Shred(order, now); err == nil {
		t.Error("it was destroyed twice")
	}
	stones := v.Tombstones("agent-o")
	if len(stones) != 1 || stones[0].Subject != wire.HashOf(public) || stones[0].Kind != wire.LeafTombstone || stones[0].Check() != nil || stones[0].Word != "evidence" || stones[0].By != "agent-o" {
		t.Fatalf("tombstones %+v", stones)
	}
	_ = v.Close()

	// Another start knows; a copy that somebody put back is destroyed again.
	if err := os.WriteFile(path, copied, 0o600); err != nil {
		t.Fatal(err)
	}
	again := newVault(t, dir)
	check(again)
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		t.Error("the copy is still there")
	}
	if got := again.Tombstones("agent-o"); len(got) != 1 {
		t.Fatalf("%d tombstones after a start", len(got))
	}
	if err := again.Told(1, now); err != nil || len(again.Tombstones("agent-o")) != 0 {
		t.Errorf("the tombstone is posted again: %v", err)
	}
	_ = again.Close()
	if got := newVault(t, dir).Tombstones("agent-o"); len(got) != 0 {
		t.Error("the tombstone is posted again after a start")
	}
}

// TestMayNotShred: nothing is destroyed before its time, and all of an order or
// nothing.
func TestMayNotShred(t *testing.T) {
	t.Parallel()
	day := func(m time.Month, d int) time.Time { return time.Date(2026, m, d, 0, 0, 0, 0, time.UTC) }
	evidence := []wire.PartName{wire.PartEvidence}
	for _, c := range []struct {
		name  string
		order Shredding
		now   time.Time
		after func(*Vault)
		ok    bool
	}{
		{"retention/day-before", Shredding{"2026-08", evidence, nil}, day(11, 29), nil, false},
		{"retention/day", Shredding{"2026-08", evidence, nil}, day(11, 30), nil, true},
		{"retention/set-shorter", Shredding{"2026-08", evidence, Retention{wire.PartEvidence: 30}}, day(10, 1), nil, true},
		{"retention/set-longer", Shredding{"2026-08", evidence, Retention{wire.PartEvidence: 200}}, day(11, 30), nil, false},
		{"retention/shorter-than-may-be", Shredding{"2026-08", evidence, Retention{wire.PartEvidence: 1}}, day(11, 30), nil, false},
		{"retention/claims-outlive-counters", Shredding{"2026-08", []wire.PartName{wire.PartClaims}, Retention{wire.PartClaims: 199}}, day(12, 31), nil, false},
		{"month/this", Shredding{"2026-08", evidence, nil}, day(8, 31), nil, false},
		{"month/none", Shredding{"2026-06", evidence, nil}, day(11, 30), nil, false},
		{"month/broken", Shredding{"08/2026", evidence, nil}, day(11, 30), nil, false},
		{"part/none-such", Shredding{"2026-08", []wire.PartName{"faces"}, nil}, day(11, 30), nil, false},
		{"parts/one-too-young", Shredding{"2026-08", nil, nil}, day(11, 30), nil, false},
		{"handed-out/still", Shredding{"2026-08", evidence, nil}, day(11, 30), func(v *Vault) {
			_ = v.Hand(v.InForce(day(8, 15)), day(8, 15))
		}, false},
		{"handed-out/until-lately", Shredding{"2026-08", evidence, nil}, day(11, 30), func(v *Vault) {
			_ = v.Hand(v.InForce(day(8, 15)), day(8, 15))
			_ = v.Hand(v.InForce(day(9, 15)), day(9, 15))
		}, false},
		{"handed-out/until-long-ago", Shredding{"2026-08", evidence, nil}, day(12, 15), func(v *Vault) {
			_ = v.Hand(v.InForce(day(8, 15)), day(8, 15))
			_ = v.Hand(v.InForce(day(9, 15)), day(9, 15))
		}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			v := newVault(t, t.TempDir(), "2026-08", "2026-09")
			if c.after != nil {
				c.after(v)
			}
			_, may := v.MayShred(c.order, c.now)
			n, err := v.Shred(c.order, c.now)
			if (err == nil) != c.ok || (may == nil) != c.ok || c.ok != (n > 0) || !c.ok && len(v.keys) != 8 {
				t.Errorf("destroyed %d of 8 keys, %v; want it to be done: %t", n, err, c.ok)
			}
		})
	}
}

// TestCrashWhileShredding: once it is written that a key goes, it is gone at the
// next start, and its parts are erased and not unknown.
func TestCrashWhileShredding(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	v := newVault(t, dir, "2026-08")
	s := sealTo(t, of(t, v, "2026-08", wire.PartEvidence))
	v.book.ledger.Write = crashAfter(v.book.ledger.Write, 1)
	order := Shredding{Month: "2026-08", Parts: []wire.PartName{wire.PartEvidence}}
	if _, err := v.Shred(order, noon.AddDate(1, 0, 0)); err == nil {
		t.Fatal("a write that failed was not told")
	}
	_ = v.Close()
	again := newVault(t, dir)
	if err := opens(t, again, s); !errors.Is(err, ErrErased) {
		t.Errorf("after the crash: %v", err)
	}
	if got := again.Tombstones("agent-o"); len(got) != 1 {
		t.Errorf("%d tombstones, want 1", len(got))
	}

	// A crash before anything was written leaves the key as it was.
	v = newVault(t, t.TempDir(), "2026-08")
	s = sealTo(t, of(t, v, "2026-08", wire.PartEvidence))
	v.book.ledger.Write = crashAfter(v.book.ledger.Write, 0)
	if _, err := v.Shred(order, noon.AddDate(1, 0, 0)); err == nil {
		t.Fatal("a write that failed was not told")
	}
	if err := opens(t, v, s); err != nil {
		t.Errorf("nothing was destroyed, and yet: %v", err)
	}
}

// crashAfter lets some writes through.
func crashAfter(write func(text, mark []byte) error, good int) func(text, mark []byte) error {
	return func(text, mark []byte) error {
		if good--; good < 0 {
			return errors.New("crash")
		}
		return write(text, mark)
	}
}

// TestBookIsChained: what was handed out and destroyed cannot be undone by changing
// the book.
func TestBookIsChained(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	v := newVault(t, dir, "2026-08")
	if err := v.Hand(v.InForce(noon), noon); err != nil {
		t.Fatal(err)
	}
	if !v.Handed(v.InForce(noon)) || v.Handed(nil) {
		t.Error("it is not known what is handed out")
	}
	_ = v.Close()
	path := filepath.Join(dir, bookFolder, "ledger.jsonl")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, bytes.Replace(text, []byte(`"deed":"handed"`), []byte(`"deed":"hended"`), 1), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(Config{Dir: dir}); !errors.Is(err, ledger.ErrTampered) {
		t.Errorf("a changed book: %v", err)
	}
}
