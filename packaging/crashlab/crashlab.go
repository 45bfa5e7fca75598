// Package crashlab ends programs at every boundary between two writes, and cuts
// the power under them, and looks whether all that they promised is still there.
// The programs are trades: the product's own rooms, driven in small. The tests of
// this package are the laboratory; it ships nothing.
//
// # The laws
//
//   - A boundary is counted by the kernel, not guessed by a clock: the nth write,
//     sync, rename or removal, before it or in the middle of it.
//   - Whatever the trade said before that moment must be found afterwards, by the
//     product's own rooms and by SQLite's integrity check.
//   - The laboratory can fail: the same cuts under databases that do not sync
//     lose what was promised, and it must say so.
package crashlab

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/counterproof/counterproof/packaging/crashlab/disk"
	"github.com/counterproof/counterproof/packaging/crashlab/tap"
	"github.com/counterproof/counterproof/packaging/crashlab/trade"
	"github.com/counterproof/counterproof/sync/queue/durable"
)

// victimEnv tells this program that it is to work at a trade until it is ended.
const victimEnv = "COUNTERPROOF_CRASHLAB_VICTIM"

// job is what a victim is told.
type job struct{ Trade, Dir string }

// find gives a trade by its name; the laboratory's tests add their controls.
type find func(name string) (trade.Trade, error)

// Victim works at the trade that this process was started for, and says what it
// promised on out; ours is false where it was started for something else.
func Victim(ctx context.Context, by find, out io.Writer) (ours bool, err error) {
	text := os.Getenv(victimEnv)
	if text == "" {
		return false, nil
	}
	var j job
	if err := json.Unmarshal([]byte(text), &j); err != nil {
		return true, fmt.Errorf("reading the victim's job: %w", err)
	}
	t, err := by(j.Trade)
	if err == nil {
		err = tap.Enter()
	}
	if err != nil {
		return true, err
	}
	return true, t.Work(ctx, j.Dir, func(words ...any) { fmt.Fprintln(out, words...) })
}

// Lab runs victims of one trade, each in a folder of its own below dir.
type Lab struct {
	trade trade.Trade
	dir   string
	runs  int
}

// NewLab prepares a laboratory for a trade.
func NewLab(t trade.Trade, dir string) *Lab { return &Lab{trade: t, dir: dir} }

// room makes a folder in which the trade's work can begin.
func (l *Lab) room(ctx context.Context) (string, error) {
	l.runs++
	dir := filepath.Join(l.dir, fmt.Sprintf("%s-%d", l.trade.Name, l.runs))
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	return dir, l.trade.Prepare(ctx, dir)
}

// Outcome is what became of one victim.
type Outcome struct {
	Dir   string
	Said  trade.Said
	Steps int // operations that it did or was about to do
	Last  tap.Operation
}

// Run lets a victim work under a judge, who sees the operations by number, from
// 1. What is said is not among them. Syncs do not happen: a killed program loses
// nothing by that, and the laboratory cuts the power by itself.
func (l *Lab) Run(ctx context.Context, judge func(n int, op tap.Operation) tap.Verdict) (Outcome, error) {
	dir, err := l.room(ctx)
	if err != nil {
		return Outcome{}, fmt.Errorf("preparing the trade %s: %w", l.trade.Name, err)
	}
	text, err := json.Marshal(job{l.trade.Name, dir})
	if err != nil {
		return Outcome{}, err
	}
	o, said := Outcome{Dir: dir}, []byte(nil)
	cmd := exec.CommandContext(ctx, os.Args[0])
	cmd.Env = append(os.Environ(), victimEnv+"="+string(text))
	var talk strings.Builder
	cmd.Stderr = &talk
	err = tap.Run(cmd, dir, func(op tap.Operation) tap.Verdict {
		if op.Kind == tap.Say {
			said = append(said, op.Data...)
			return tap.Verdict{}
		}
		o.Steps++
		o.Last = op
		v := judge(o.Steps, op)
		v.Fake = v.Fake || op.Kind == tap.Sync && v.Fail == 0
		return v
	})
	o.Said = trade.Parse(said)
	if err != nil {
		err = fmt.Errorf("running the trade %s: %w: %s", l.trade.Name, err, talk.String())
	}
	return o, err
}

// Check looks whether what was said is there.
func (l *Lab) Check(ctx context.Context, o Outcome) error {
	return errors.Join(l.trade.Check(ctx, o.Dir, o.Said), sound(ctx, o.Dir))
}

// sound asks SQLite about every database below a folder.
func sound(ctx context.Context, dir string) error {
	return filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".db" {
			return err
		}
		db := durable.Reader(path)
		defer db.Close()
		var verdict string
		if err := db.QueryRowContext(ctx, "PRAGMA integrity_check").Scan(&verdict); err != nil || verdict != "ok" {
			return fmt.Errorf("%s is not sound: %s: %w", filepath.Base(path), verdict, errors.Join(err, errUnsound))
		}
		return nil
	})
}

// errUnsound: SQLite's integrity check found something.
var errUnsound = errors.New("the integrity check objects")

// Drop removes a victim's folder.
func (l *Lab) Drop(o Outcome) error { return os.RemoveAll(o.Dir) }

// Trace is all that a victim did to its disk, from the beginning to its end.
type Trace struct {
	dir    string
	before map[string][]byte // what was there when it began
	ops    []tap.Operation
}

// Record lets a victim work to its end and keeps all that it did.
func (l *Lab) Record(ctx context.Context) (Trace, error) {
	dir, err := l.room(ctx)
	if err != nil {
		return Trace{}, fmt.Errorf("preparing the trade %s: %w", l.trade.Name, err)
	}
	t := Trace{dir: dir}
	if t.before, err = contents(dir); err != nil {
		return t, err
	}
	text, err := json.Marshal(job{l.trade.Name, dir})
	if err != nil {
		return t, err
	}
	cmd := exec.CommandContext(ctx, os.Args[0])
	cmd.Env = append(os.Environ(), victimEnv+"="+string(text))
	cmd.Stderr = os.Stderr
	err = tap.Run(cmd, dir, func(op tap.Operation) tap.Verdict {
		t.ops = append(t.ops, op)
		return tap.Verdict{Fake: op.Kind == tap.Sync}
	})
	return t, err
}

// contents reads all files below a folder.
func contents(dir string) (map[string][]byte, error) {
	files := map[string][]byte{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		files[path], err = os.ReadFile(path)
		return err
	})
	return files, err
}

// Len is how many operations the trace has.
func (t Trace) Len() int { return len(t.ops) }

// Cut puts into a new folder what a power cut after the first n operations may
// have left, and returns it with what had been said by then.
func (l *Lab) Cut(t Trace, n int, mode disk.Mode, rng *rand.Rand) (Outcome, error) {
	l.runs++
	o := Outcome{Dir: filepath.Join(l.dir, fmt.Sprintf("%s-%d", l.trade.Name, l.runs)), Steps: n}
	var d disk.Disk
	for name, b := range t.before {
		d.Put(name, b)
	}
	said, folders := []byte(nil), []string{t.dir}
	for _, op := range t.ops[:n] {
		switch op.Kind {
		case tap.Say:
			said = append(said, op.Data...)
		case tap.Folder:
			folders = append(folders, op.Path)
		default:
			if err := play(&d, op); err != nil {
				return o, err
			}
		}
	}
	o.Said = trade.Parse(said)
	return o, lay(o.Dir, t.dir, folders, d.After(mode, rng.IntN))
}

// play does to the modelled disk what a program did to the real one.
func play(d *disk.Disk, op tap.Operation) error {
	switch op.Kind {
	case tap.Create:
		d.Create(op.Path)
	case tap.Write:
		d.Write(op.Path, op.Offset, op.Data)
	case tap.Truncate:
		d.Truncate(op.Path, op.Offset)
	case tap.Sync:
		if op.Dir {
			d.SyncFolder(op.Path)
			return nil
		}
		d.Sync(op.Path)
	case tap.Rename:
		d.Rename(op.Path, op.To)
	case tap.Link:
		d.Link(op.Path, op.To)
	case tap.Remove:
		d.Remove(op.Path)
	case tap.Reserve: // room without bytes
	default:
		return fmt.Errorf("the disk has no %s", op.Kind)
	}
	return nil
}

// lay writes files from below one folder to below another.
func lay(to, from string, folders []string, files map[string][]byte) error {
	for _, dir := range folders {
		if err := os.MkdirAll(to+strings.TrimPrefix(dir, from), 0o700); err != nil {
			return err
		}
	}
	for path, b := range files {
		path = to + strings.TrimPrefix(path, from)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, b, 0o600)); err != nil {
			return err
		}
	}
	return nil
}
