package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
)

// Bounds of what is unpacked. Archives are checked by their hash before they are
// opened; the bounds hold all the same.
const (
	maxEntries  = 50_000
	maxUnpacked = 1 << 30 // bytes, with what is skipped
)

// unpack reads members out of a package's archive, a zip file or a compressed
// tar file, and checks each of them. The order is that of the members asked for.
func unpack(archive []byte, members []member) ([][]byte, error) {
	found := map[string][]byte{}
	want := map[string]int64{}
	for _, m := range members {
		want[m.path] = m.size
	}
	read := untar
	if bytes.HasPrefix(archive, []byte("PK")) {
		read = unzip
	}
	if err := read(archive, want, found); err != nil {
		return nil, fmt.Errorf("unpacking: %w", err)
	}
	all := make([][]byte, len(members))
	for i, m := range members {
		b, ok := found[m.path]
		if !ok {
			return nil, fmt.Errorf("unpacking: there is no %s", m.path)
		}
		if got := digest(b); got != m.hash {
			return nil, fmt.Errorf("unpacking: %s has SHA-256 %s where %s is expected: refused", m.path, got, m.hash)
		}
		all[i] = b
	}
	return all, nil
}

// untar reads the files that are wanted, of at most their sizes, and stops when it
// has them all. Links and folders are passed over: nothing is written by name.
func untar(archive []byte, want map[string]int64, found map[string][]byte) error {
	packed, err := gzip.NewReader(bytes.NewReader(archive))
	if err != nil {
		return err
	}
	files := tar.NewReader(io.LimitReader(packed, maxUnpacked))
	for range maxEntries {
		head, err := files.Next()
		if errors.Is(err, io.EOF) || err == nil && len(found) == len(want) {
			return nil
		}
		if err != nil {
			return err
		}
		size, wanted := want[head.Name]
		if !wanted || head.Typeflag != tar.TypeReg {
			continue
		}
		if found[head.Name], err = bounded(files, size); err != nil {
			return err
		}
	}
	return errors.New("there are too many files in it")
}

// unzip reads the files that are wanted, of at most their sizes. Only the list at
// the archive's end counts.
func unzip(archive []byte, want map[string]int64, found map[string][]byte) error {
	files, err := zip.NewReader(bytes.NewReader(archive), int64(len(archive)))
	if err != nil {
		return err
	}
	for _, f := range files.File {
		size, wanted := want[f.Name]
		if !wanted || !f.Mode().IsRegular() {
			continue
		}
		r, err := f.Open()
		if err != nil {
			return err
		}
		if found[f.Name], err = bounded(r, size); err != nil {
			return err
		}
	}
	return nil
}

// bounded reads to the end, which must come within size bytes: more is an error
// and not cut off, since a hash would only say that something differs.
func bounded(r io.Reader, size int64) ([]byte, error) {
	b, err := io.ReadAll(io.LimitReader(r, size+1))
	if err == nil && int64(len(b)) > size {
		err = fmt.Errorf("a file is longer than %d bytes", size)
	}
	return b, err
}

// digest is the SHA-256 in hexadecimal.
func digest(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}
