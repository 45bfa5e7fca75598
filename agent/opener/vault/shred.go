package vault

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/counterproof/counterproof/sync/wire"
)

// Retention is for how many days after a key was handed out last its part is kept.
// A part that it does not name is kept as DefaultRetention says.
type Retention map[wire.PartName]int

// DefaultRetention is the retention where nobody says otherwise, in days. The
// values are policy [U]: pictures and chip files for 90 days, claims for 400, audit
// for seven years.
func DefaultRetention() Retention {
	return Retention{wire.PartClaims: 400, wire.PartEvidence: 90, wire.PartAudit: 2557, wire.PartChip: 90}
}

// least are the shortest retentions that may be set, in days: a counter without a
// line goes on sealing to the keys that it knows, and a level must not be lost.
func least() Retention {
	return Retention{wire.PartClaims: 200, wire.PartEvidence: 30, wire.PartAudit: 200, wire.PartChip: 30}
}

// Check reports whether each part is one, and kept long enough.
func (r Retention) Check() error {
	for part, days := range r {
		shortest, known := least()[part]
		switch {
		case !known:
			return fmt.Errorf("no keys are made for a part %.20q", part)
		case days < shortest:
			return fmt.Errorf("%s is kept for %d days at least, not for %d", part, shortest, days)
		}
	}
	return nil
}

// days is how long a part is kept.
func (r Retention) days(part wire.PartName) int {
	if d, set := r[part]; set {
		return d
	}
	return DefaultRetention()[part]
}

// Shredding says which keys are to be destroyed.
type Shredding struct {
	Month     string
	Parts     []wire.PartName // all if empty
	Retention Retention
}

// doomed finds the keys to be destroyed. All of them may be, or none is.
func (v *Vault) doomed(s Shredding, now time.Time) ([]key, error) {
	end, err := parseMonth(s.Month)
	if err == nil {
		err = s.Retention.Check()
	}
	if err == nil && !end.Before(now) {
		err = fmt.Errorf("the month %s is not over", s.Month)
	}
	if err != nil {
		return nil, err
	}
	var out []key
	for _, part := range s.Parts {
		if !slices.Contains(Parts(), part) {
			return nil, fmt.Errorf("no keys are made for a part %.20q", part)
		}
	}
	for _, k := range v.keys {
		if k.month != s.Month || len(s.Parts) > 0 && !slices.Contains(s.Parts, k.part) {
			continue
		}
		if err := v.mayGo(k, end, s.Retention.days(k.part), now); err != nil {
			return nil, err
		}
		out = append(out, k)
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("there is no such key of the month %s", s.Month)
	}
	return out, nil
}

// mayGo reports why a key must not be destroyed yet.
func (v *Vault) mayGo(k key, end time.Time, days int, now time.Time) error {
	if slices.Contains(v.book.handed, k.ID()) {
		return fmt.Errorf("counters still seal to the key for %s: let the opener hand out newer ones first", k.part)
	}
	last := end
	if until := v.book.until[k.ID()]; until.After(last) {
		last = until
	}
	if kept := last.AddDate(0, 0, days); kept.After(now) {
		return fmt.Errorf("%s of %s is kept until %s", k.part, k.month, kept.Format(time.DateOnly))
	}
	return nil
}

// MayShred lists what Shred would destroy, or says why not.
func (v *Vault) MayShred(s Shredding, now time.Time) ([]Held, error) {
	doomed, err := v.doomed(s, now)
	if err != nil {
		return nil, fmt.Errorf("destroying keys: %w", err)
	}
	var out []Held
	for _, k := range doomed {
		r := k.Recipient(k.part)
		out = append(out, Held{Part: k.part, Month: k.month, Key: r.Key, Suite: r.Suite, Token: k.held != nil})
	}
	return out, nil
}

// Shred destroys keys for good: nothing that was sealed to them opens again, here
// or from any copy. It returns how many it destroyed.
func (v *Vault) Shred(s Shredding, now time.Time) (n int, err error) {
	doomed, err := v.doomed(s, now)
	if err != nil {
		return 0, fmt.Errorf("destroying keys: %w", err)
	}
	for _, k := range doomed {
		r := k.Recipient(k.part)
		l := line{At: now, Deed: deedShred, Key: r.Key, Part: k.part, For: k.month, Hash: wire.HashOf(r.Public)}
		if k.held != nil {
			l.Held = []wire.KeyID{r.Key}
		}
		err := v.book.add(l)
		if err == nil {
			err = v.destroy(k, now)
		}
		if err != nil {
			return n, fmt.Errorf("destroying the key for %s: %w", k.part, err)
		}
		n++
	}
	return n, nil
}

// destroy destroys one key that is to be, and keeps that it is gone.
func (v *Vault) destroy(k key, now time.Time) error {
	var err error
	if k.held != nil {
		err = v.token.Destroy(k.held)
	} else {
		err = wipe(k.path)
	}
	if err != nil {
		return err
	}
	v.keys = slices.DeleteFunc(v.keys, func(o key) bool { return o.ID() == k.ID() })
	return v.book.add(line{At: now, Deed: deedDestroyed, Key: k.ID()})
}

// finish destroys what a crash left of keys that were to be destroyed, also where
// somebody brought such a key back from a copy.
func (v *Vault) finish() error {
	for _, k := range slices.Clone(v.keys) {
		if g := v.book.graves[k.ID()]; g != nil {
			if err := v.destroy(k, time.Now()); err != nil {
				return fmt.Errorf("destroying the key for %s: %w", k.part, err)
			}
		}
	}
	for _, g := range v.book.order {
		// Whether one on a token is gone is known only with the token.
		if !g.destroyed && (v.token != nil || len(g.Held) == 0) {
			if err := v.book.add(line{At: time.Now(), Deed: deedDestroyed, Key: g.Key}); err != nil {
				return err
			}
		}
	}
	return nil
}

// wipe writes over a file, makes that reach the disk, and removes it for good. On
// disks that move what is written over, the old bytes may stay until they are
// used again: such a disk is to be encrypted.
func wipe(path string) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	fi, err := f.Stat()
	if err == nil {
		_, err = io.CopyN(f, rand.Reader, fi.Size())
	}
	if err == nil {
		err = f.Sync()
	}
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	if err := os.Remove(path); err != nil {
		return err
	}
	return syncFolder(filepath.Dir(path))
}

// newFile puts a file in place whole, and never over another one: then it fails
// with os.ErrExist.
func newFile(path string, b []byte) error {
	dir := filepath.Dir(path)
	f, err := os.CreateTemp(dir, "."+filepath.Base(path)+"-*") // with mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(b)
	if err == nil {
		err = f.Sync()
	}
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	if err := os.Link(f.Name(), path); err != nil {
		return err
	}
	return syncFolder(dir)
}
