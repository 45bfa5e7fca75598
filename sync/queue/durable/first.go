package durable

import (
	"bytes"
	"encoding/binary"
	"io"
	"os"
)

// FirstPage is what is needed of a file's beginning (SQLite file format, §1.3).
type FirstPage struct {
	Database     bool // it begins as a database does
	Size         int64
	WriteVersion byte // above 2 SQLite takes the file for read-only
}

// ReadFirst reads the beginning of a file; the size is the one that it names.
func ReadFirst(path string) (FirstPage, error) {
	f, err := os.Open(path)
	if err != nil {
		return FirstPage{}, err
	}
	defer f.Close()
	var b [32]byte
	n, err := io.ReadFull(f, b[:])
	if err != nil && n == 0 {
		return FirstPage{}, err
	}
	page := int64(binary.BigEndian.Uint16(b[16:]))
	if page == 1 {
		page = 1 << 16
	}
	return FirstPage{
		Database:     bytes.HasPrefix(b[:], []byte("SQLite format 3\x00")),
		Size:         page * int64(binary.BigEndian.Uint32(b[28:])),
		WriteVersion: b[18],
	}, nil
}

// maxCut is the most that Lengthen adds, in bytes.
const maxCut = 1 << 30

// Lengthen adds zeros to a file that was cut short, up to the length that its
// first page names: SQLite reads nothing at all of a shorter one. The bytes
// that are there stay as they are.
func Lengthen(path string, n int64) error {
	first, err := ReadFirst(path)
	if err != nil || !first.Database || first.Size <= n || first.Size > n+maxCut {
		return err
	}
	return os.Truncate(path, first.Size)
}
