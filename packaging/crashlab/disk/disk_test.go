package disk

import (
	"bytes"
	"math/rand/v2"
	"testing"
)

// chance draws from a seed.
func chance(seed uint64) Chance { return rand.New(rand.NewPCG(seed, 2)).IntN }

// worst and best are a disk that keeps nothing unsynced, and one that keeps all.
func worst(d *Disk) map[string][]byte { return d.After(Nothing, chance(1)) }
func best(d *Disk) map[string][]byte  { return d.After(All, chance(1)) }

func TestBytes(t *testing.T) {
	t.Parallel()
	var d Disk
	d.Put("/a/f", []byte("old"))
	d.Write("/a/f", 1, []byte("XY"))
	if got := string(worst(&d)["/a/f"]); got != "old" {
		t.Errorf("unsynced: got %q, want the old bytes", got)
	}
	if got := string(best(&d)["/a/f"]); got != "oXY" {
		t.Errorf("kept: got %q", got)
	}
	d.Sync("/a/f")
	if got := string(worst(&d)["/a/f"]); got != "oXY" {
		t.Errorf("synced: got %q", got)
	}
	d.Write("/a/f", 5, []byte("Z"))
	if got := best(&d)["/a/f"]; !bytes.Equal(got, []byte("oXY\x00\x00Z")) {
		t.Errorf("behind the end: got %q", got)
	}
	d.Truncate("/a/f", 2)
	if got := string(best(&d)["/a/f"]); got != "oX" {
		t.Errorf("cut: got %q", got)
	}
	d.Truncate("/a/f", 4)
	if got := best(&d)["/a/f"]; !bytes.Equal(got, []byte("oX\x00\x00")) {
		t.Errorf("cut and made longer: got %q", got)
	}
	if got := string(worst(&d)["/a/f"]); got != "oXY" {
		t.Errorf("asking changed the disk: got %q", got)
	}
}

func TestNames(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		do    func(*Disk)
		worst map[string]string
	}{
		{"created, not synced", func(d *Disk) { d.Create("/a/f") }, map[string]string{}},
		{"file synced, folder not", func(d *Disk) { d.Write("/a/f", 0, []byte("x")); d.Sync("/a/f") }, map[string]string{}},
		{"folder synced, file not", func(d *Disk) { d.Write("/a/f", 0, []byte("x")); d.SyncFolder("/a") }, map[string]string{"/a/f": ""}},
		{"both synced", func(d *Disk) { d.Write("/a/f", 0, []byte("x")); d.Sync("/a/f"); d.SyncFolder("/a") }, map[string]string{"/a/f": "x"}},
		{"another folder synced", func(d *Disk) { d.Write("/a/f", 0, []byte("x")); d.Sync("/a/f"); d.SyncFolder("/b") }, map[string]string{}},
		{"renamed, not synced", func(d *Disk) { d.Put("/a/f", []byte("x")); d.Rename("/a/f", "/a/g") }, map[string]string{"/a/f": "x"}},
		{"renamed over, synced", func(d *Disk) {
			d.Put("/a/f", []byte("x"))
			d.Put("/a/g", []byte("y"))
			d.Rename("/a/f", "/a/g")
			d.SyncFolder("/a")
		}, map[string]string{"/a/g": "x"}},
		{"removed, not synced", func(d *Disk) { d.Put("/a/f", []byte("x")); d.Remove("/a/f") }, map[string]string{"/a/f": "x"}},
		{"removed, synced", func(d *Disk) { d.Put("/a/f", []byte("x")); d.Remove("/a/f"); d.SyncFolder("/a") }, map[string]string{}},
		{"linked", func(d *Disk) { d.Put("/a/f", []byte("x")); d.Link("/a/f", "/a/g"); d.SyncFolder("/a") }, map[string]string{"/a/f": "x", "/a/g": "x"}},
		{"made anew under an old name", func(d *Disk) { d.Put("/a/f", []byte("x")); d.Create("/a/f"); d.SyncFolder("/a") }, map[string]string{"/a/f": ""}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var d Disk
			tt.do(&d)
			got := worst(&d)
			if len(got) != len(tt.worst) {
				t.Errorf("got %q, want %q", got, tt.worst)
			}
			for name, text := range tt.worst {
				if b, ok := got[name]; !ok || string(b) != text {
					t.Errorf("%s: got %q, %v; want %q", name, b, ok, text)
				}
			}
		})
	}
}

// Names change in order: a disk on which a later one is kept has the earlier.
func TestNamesInOrder(t *testing.T) {
	t.Parallel()
	var d Disk
	for _, name := range []string{"/a/1", "/a/2", "/a/3"} {
		d.Create(name)
	}
	seen := map[int]bool{}
	for seed := range uint64(50) {
		left := d.After(Some, chance(seed))
		for n := range len(left) {
			if _, ok := left["/a/"+string(rune('1'+n))]; !ok {
				t.Fatalf("%v has a hole", left)
			}
		}
		seen[len(left)] = true
	}
	if len(seen) != 4 {
		t.Errorf("only %d of 4 states came", len(seen))
	}
}

// A torn write leaves whole sectors of old and new; no mode loses what was
// synced, and each of them leaves something else than the others.
func TestTorn(t *testing.T) {
	t.Parallel()
	var d Disk
	d.Put("/a/f", bytes.Repeat([]byte{'o'}, 4*Sector))
	d.Write("/a/f", 0, bytes.Repeat([]byte{'n'}, 4*Sector))
	mixed := false
	for seed := range uint64(50) {
		b := d.After(Torn, chance(seed))["/a/f"]
		for at := 0; at < len(b); at += Sector {
			s := b[at : at+Sector]
			if bytes.Count(s, s[:1]) != Sector {
				t.Fatal("a sector is torn")
			}
			mixed = mixed || s[0] != b[0]
		}
		if whole := d.After(Some, chance(seed))["/a/f"]; bytes.Count(whole, whole[:1]) != len(whole) {
			t.Fatal("a write is torn where none should be")
		}
	}
	if !mixed {
		t.Error("no write was torn")
	}
	if Modes != 4 {
		t.Errorf("%d modes, want 4", Modes)
	}
}
