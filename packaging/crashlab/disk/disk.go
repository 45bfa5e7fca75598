// Package disk is a disk that forgets. It takes what a program did to its files,
// in order, and says what may be left of them after the power went at some point:
// what was synced is there; of the rest any write may be there, be missing, or be
// torn at a sector, and the names may be as they were at any earlier moment since
// their folder was synced.
//
// It reads and writes no file itself.
//
// # The laws
//
//   - A sync of a file makes its bytes last, and not its name; the sync of a
//     folder makes the names in it last, and no file's bytes.
//   - Names change in order, as a journalling filesystem changes them; bytes do
//     not.
//   - A file keeps its bytes through any renaming. Bytes that were never written
//     read as zeros.
package disk

import (
	"maps"
	"path"
	"slices"
)

// Sector is what a disk writes whole, in bytes.
const Sector = 512

// Chance draws evenly from [0, n).
type Chance func(n int) int

// Mode says how much of what was not synced is left.
type Mode int

// The modes.
const (
	Nothing  Mode = iota // no unsynced byte or name
	Some                 // any of them, each by chance
	Torn                 // the same, and writes torn at a sector
	All                  // everything, as after kill -9
	modeEnds             // how many there are
)

// Modes is how many modes there are, for drawing one.
const Modes = int(modeEnds)

// change is one thing that was done to a file's bytes and not synced yet.
type change struct {
	at   int64
	data []byte
	cut  bool // the file is cut to at
}

// file is what a name leads to.
type file struct {
	lasting []byte
	pending []change
}

// naming is one thing that was done to a folder's names: the name leads to the
// file from then on, or to none.
type naming struct {
	name string
	file *file
}

// Disk is the state of some folders. The zero value has no file.
type Disk struct {
	names   map[string]*file    // as the program sees them
	lasting map[string]*file    // as they are after a power cut at worst
	pending map[string][]naming // by folder
}

func (d *Disk) open(name string) *file {
	if f := d.names[name]; f != nil {
		return f
	}
	return d.create(name)
}

// rename notes that a name leads elsewhere.
func (d *Disk) rename(name string, to *file) {
	if d.names == nil {
		d.names, d.lasting, d.pending = map[string]*file{}, map[string]*file{}, map[string][]naming{}
	}
	if to == nil {
		delete(d.names, name)
	} else {
		d.names[name] = to
	}
	folder := path.Dir(name)
	d.pending[folder] = append(d.pending[folder], naming{name, to})
}

// Create makes an empty file; one of that name is another file from then on.
func (d *Disk) Create(name string) { d.create(name) }

func (d *Disk) create(name string) *file {
	f := &file{}
	d.rename(name, f)
	return f
}

// Put makes a file that lasts, as one that was there before everything else.
func (d *Disk) Put(name string, data []byte) {
	d.create(name).lasting = slices.Clone(data)
	d.SyncFolder(path.Dir(name))
}

// Write changes bytes of a file.
func (d *Disk) Write(name string, at int64, data []byte) {
	f := d.open(name)
	f.pending = append(f.pending, change{at: at, data: slices.Clone(data)})
}

// Truncate cuts a file, or makes it longer with zeros.
func (d *Disk) Truncate(name string, size int64) {
	f := d.open(name)
	f.pending = append(f.pending, change{at: size, cut: true})
}

// Rename gives a file another name, in the place of whatever had it.
func (d *Disk) Rename(from, to string) {
	f := d.open(from)
	d.rename(to, f)
	d.rename(from, nil)
}

// Link gives a file a further name.
func (d *Disk) Link(from, to string) { d.rename(to, d.open(from)) }

// Remove takes a name away.
func (d *Disk) Remove(name string) { d.rename(name, nil) }

// Sync makes a file's bytes last.
func (d *Disk) Sync(name string) {
	f := d.open(name)
	for _, c := range f.pending {
		f.lasting = c.apply(f.lasting)
	}
	f.pending = nil
}

// SyncFolder makes the names in a folder last.
func (d *Disk) SyncFolder(folder string) {
	for _, n := range d.pending[folder] {
		lead(d.lasting, n)
	}
	delete(d.pending, folder)
}

// lead lets a name lead where it was told to.
func lead(names map[string]*file, n naming) {
	if n.file == nil {
		delete(names, n.name)
		return
	}
	names[n.name] = n.file
}

// After is what the files hold after a power cut now. The disk itself stays as
// it is.
func (d *Disk) After(mode Mode, chance Chance) map[string][]byte {
	names := map[string]*file{}
	maps.Copy(names, d.lasting)
	for _, folder := range slices.Sorted(maps.Keys(d.pending)) {
		changes := d.pending[folder]
		for _, n := range changes[:kept(mode, len(changes), chance)] {
			lead(names, n)
		}
	}
	left, files := map[string][]byte{}, map[*file][]byte{}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		f := names[name]
		if _, done := files[f]; !done {
			files[f] = f.after(mode, chance)
		}
		left[name] = files[f]
	}
	return left
}

// kept is how many changes of names are kept, the earliest.
func kept(mode Mode, n int, chance Chance) int {
	switch mode {
	case Nothing:
		return 0
	case All:
		return n
	}
	return chance(n + 1)
}

// after is what a file holds after a power cut.
func (f *file) after(mode Mode, chance Chance) []byte {
	b := slices.Clone(f.lasting)
	for _, c := range f.pending {
		if mode == Nothing || mode != All && chance(2) == 0 {
			continue
		}
		if mode == Torn && len(c.data) > Sector {
			c = c.tear(chance)
		}
		b = c.apply(b)
	}
	return b
}

// tear keeps the beginning or the end of a write, by whole sectors.
func (c change) tear(chance Chance) change {
	cut := chance(len(c.data)/Sector+1) * Sector
	if chance(2) == 0 {
		return change{at: c.at, data: c.data[:cut]}
	}
	return change{at: c.at + int64(cut), data: c.data[cut:]}
}

// apply lets a change happen to a file's bytes.
func (c change) apply(b []byte) []byte {
	if c.cut {
		if int64(len(b)) >= c.at {
			return b[:c.at:c.at]
		}
		return append(b, make([]byte, c.at-int64(len(b)))...)
	}
	if missing := c.at + int64(len(c.data)) - int64(len(b)); missing > 0 {
		b = append(b, make([]byte, missing)...)
	}
	copy(b[c.at:], c.data)
	return b
}
