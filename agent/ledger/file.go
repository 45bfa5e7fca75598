package ledger

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// KeySize is the length of a key, in bytes.
const KeySize = 32

// Replace puts a file in place whole, over an older one, readable by its owner
// alone. After a power cut there is the old or the new.
func Replace(path string, b []byte) error {
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
	if err := os.Rename(f.Name(), path); err != nil {
		return err
	}
	return syncFolder(dir)
}

// ReadSmall reads a file of at most limit bytes.
func ReadSmall(path string, limit int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err == nil && int64(len(b)) > limit {
		err = fmt.Errorf("%s has more than %d bytes", path, limit)
	}
	return b, err
}

// ReadSecret reads a file of at most limit bytes that nobody but its owner may
// read.
func ReadSecret(path string, limit int64) ([]byte, error) {
	if err := checkSecret(path); err != nil {
		return nil, err
	}
	return ReadSmall(path, limit)
}

// Key reads the key in a folder. Where there is none it is made at random, but not
// beside a ledger: what was written under the lost one could not be told from
// forgeries. A key file that others may read is refused.
func Key(dir string) ([]byte, error) {
	path := filepath.Join(dir, keyFile)
	text, err := ReadSecret(path, 4*KeySize)
	if errors.Is(err, os.ErrNotExist) {
		return makeKey(dir, path)
	}
	if err != nil {
		return nil, err
	}
	defer clear(text)
	key, err := hex.DecodeString(string(text))
	if err != nil || len(key) != KeySize {
		return nil, fmt.Errorf("%s is damaged: restore it from its copy, without it the ledger cannot be read", path)
	}
	return key, nil
}

// makeKey makes the key of a folder without a ledger.
func makeKey(dir, path string) ([]byte, error) {
	switch _, err := os.Lstat(filepath.Join(dir, ledgerFile)); {
	case err == nil:
		return nil, fmt.Errorf("%s is missing: restore it from its copy, without it the ledger cannot be read", path)
	case !errors.Is(err, os.ErrNotExist):
		return nil, err
	}
	key := make([]byte, KeySize)
	_, _ = rand.Read(key) // never fails
	return key, Replace(path, []byte(hex.EncodeToString(key)))
}
