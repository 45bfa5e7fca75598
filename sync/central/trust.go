package central

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/counterproof/counterproof/sync/central/api"
	"github.com/counterproof/counterproof/sync/central/authority"
	"github.com/counterproof/counterproof/sync/store"
	"github.com/counterproof/counterproof/sync/wire"
)

// trustDir is the folder of the files that bundles name, each under its hash.
const trustDir = "trust"

// trustFile hands out a file that the bundle names.
func (c *Central) trustFile(w http.ResponseWriter, r *http.Request, _ store.Agent) {
	sha, err := wire.ParseHash(r.PathValue("sha256"))
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	b, err := c.Bundle(r.Context())
	if err != nil {
		c.fail(w, r, err)
		return
	}
	if !slices.ContainsFunc(b.Files, func(f wire.File) bool { return f.SHA256 == sha }) {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	data, err := os.ReadFile(filepath.Join(c.cfg.Dir, trustDir, sha.String()))
	switch {
	case errors.Is(err, os.ErrNotExist):
		c.log.Error("a file that the bundle names is not here: copy the folder trust from the other machine", "path", r.Pattern)
		w.WriteHeader(http.StatusNotFound)
	case err != nil:
		c.fail(w, r, err)
	default:
		w.Header().Set("Content-Type", api.Bytes)
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(data))
	}
}

// Bundle is what counters are told now.
func (c *Central) Bundle(ctx context.Context) (wire.Bundle, error) {
	signed, err := c.freshBundle(ctx)
	if err != nil {
		return wire.Bundle{}, err
	}
	return c.readBundle(signed)
}

// SetFile lets the next bundle name a file, in the place of the last one of that
// name, and returns its new entry. The bytes carry a signature of their own: the
// centre does not read them. The same bytes again change nothing.
func (c *Central) SetFile(ctx context.Context, name wire.FileName, data []byte) (wire.File, error) {
	if len(data) == 0 || len(data) > wire.MaxFile {
		return wire.File{}, fmt.Errorf("setting a file: it has %d bytes, of at most %d", len(data), wire.MaxFile)
	}
	next := wire.File{Name: name, Version: 1, SHA256: wire.HashOf(data), Len: uint64(len(data))}
	b, err := c.Bundle(ctx)
	if err != nil {
		return wire.File{}, fmt.Errorf("setting a file: %w", err)
	}
	if old, ok := b.File(name); ok && old.SHA256 == next.SHA256 {
		next = old
	}
	// The file is there before a counter is told of it.
	dir := filepath.Join(c.cfg.Dir, trustDir)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return wire.File{}, fmt.Errorf("setting a file: %w", err)
	}
	if err := authority.Replace(filepath.Join(dir, next.SHA256.String()), data); err != nil {
		return wire.File{}, fmt.Errorf("setting a file: %w", err)
	}
	if slices.Contains(b.Files, next) {
		return next, nil
	}
	_, err = c.changeBundle(ctx, func(b wire.Bundle) wire.Bundle {
		b, next = withFile(b, next)
		return b
	})
	if err != nil {
		return wire.File{}, fmt.Errorf("setting a file: %w", err)
	}
	return next, nil
}

// withFile puts a file in the place of the last one of its name, under the next
// version.
func withFile(b wire.Bundle, f wire.File) (wire.Bundle, wire.File) {
	if old, ok := b.File(f.Name); ok {
		f.Version = old.Version + 1
	}
	b.Files = slices.DeleteFunc(slices.Clone(b.Files), func(old wire.File) bool { return old.Name == f.Name })
	b.Files = append(b.Files, f)
	return b, f
}

// SetSettings lets the next bundle carry other settings; the same again change
// nothing.
func (c *Central) SetSettings(ctx context.Context, change func(wire.Settings) wire.Settings) (wire.Settings, error) {
	b, err := c.Bundle(ctx)
	if err != nil {
		return wire.Settings{}, fmt.Errorf("changing the settings: %w", err)
	}
	next := change(b.Settings)
	if err := next.Check(); err != nil || next == b.Settings {
		return next, err
	}
	_, err = c.changeBundle(ctx, func(b wire.Bundle) wire.Bundle {
		b.Settings = change(b.Settings)
		return b
	})
	return next, err
}
