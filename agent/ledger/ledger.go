// Package ledger keeps a file of JSON lines that is only ever added to, and whose
// changing or shortening is noticed: every line carries a code under a secret key
// that covers the line and all before it, and a mark beside the file holds the
// last code. What rests on such lines, as limits and used tokens do, cannot be
// undone by whoever can write to the disk but lacks the key.
//
// It knows nothing of what the lines say. It does not notice a whole folder that
// was put back to an older copy; the key is in the same folder, so that whoever
// reads the folder can forge the ledger.
//
// # The laws
//
//   - A line that Add has returned from outlives a power cut.
//   - A line is read only if it was written under the key, in its place. One that
//     a crash tore off was never relied on, and goes.
//   - After a failed write nothing more is added, since what is on the disk is
//     not known until it is read again.
package ledger

import (
	"bufio"
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// The files in a ledger's folder.
const (
	keyFile    = "tags.key"
	ledgerFile = "ledger.jsonl"
	markFile   = "ledger.mark"
)

// maxLine bounds one line, in bytes.
const maxLine = 64 << 10

// ErrTampered is why a ledger is not gone on with.
var ErrTampered = errors.New("the ledger was changed or lines are missing: restore ledger.jsonl and ledger.mark from their copy")

// Ledger is one such file, open for adding. It is for one goroutine, and one
// process at a time adds to it.
type Ledger struct {
	// Write adds text to the file, then sets the mark, both for good. Open sets
	// it; tests of crashes replace it.
	Write func(text, mark []byte) error

	file  *os.File
	key   []byte
	last  []byte // code of the last line
	n     uint64
	stuck error
}

// row is a line as it stands in the file. The code covers the very bytes of Line
// and, through the one before it, all that precede them.
type row struct {
	Line json.RawMessage `json:"line"`
	MAC  string          `json:"mac"`
}

// mark is the content of the mark: how many lines there are, and the code of the
// last.
type mark struct {
	N   uint64 `json:"n"`
	MAC string `json:"mac"`
}

// chainKey is the key of the codes, apart from whatever else the key is for.
func chainKey(key []byte) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte("counterproof ledger v1"))
	return mac.Sum(nil)
}

// Open reads the ledger in a folder, hands the JSON of every line to take, and
// opens it for adding; an empty folder is an empty ledger. The caller closes it.
func Open(dir string, key []byte, take func(line []byte) error) (*Ledger, error) {
	l, err := open(dir, key, take)
	if err != nil {
		return nil, fmt.Errorf("opening the ledger: %w", err)
	}
	return l, nil
}

func open(dir string, key []byte, take func([]byte) error) (*Ledger, error) {
	f, err := os.OpenFile(filepath.Join(dir, ledgerFile), os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	l := &Ledger{file: f, key: chainKey(key)}
	l.Write = func(text, mark []byte) error {
		if _, err := f.Write(text); err != nil {
			return err
		}
		if err := f.Sync(); err != nil {
			return err
		}
		return Replace(filepath.Join(dir, markFile), mark)
	}
	m, err := readMark(dir)
	var end int64
	if err == nil {
		end, err = l.read(f, m, take)
	}
	if err == nil {
		err = f.Truncate(end)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return l, syncFolder(dir)
}

// Read reads the ledger in a folder beside whoever adds to it. Lines that are
// added meanwhile, and lines that were taken from its end, may be missing.
func Read(dir string, key []byte, take func(line []byte) error) error {
	text, err := os.ReadFile(filepath.Join(dir, ledgerFile))
	if err == nil {
		l := &Ledger{key: chainKey(key)}
		_, err = l.read(bytes.NewReader(text), mark{}, take)
	}
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("reading the ledger: %w", err)
	}
	return nil
}

// readMark reads the mark; none is that of an empty ledger.
func readMark(dir string) (mark, error) {
	var m mark
	text, err := ReadSmall(filepath.Join(dir, markFile), 1<<10)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return m, nil
	case err != nil:
		return m, err
	case json.Unmarshal(text, &m) != nil:
		return m, ErrTampered
	}
	return m, nil
}

// read reads all lines against their codes and the mark, and returns where the
// last good one ends. The file may be ahead of the mark: a crash came between.
func (l *Ledger) read(r io.Reader, m mark, take func([]byte) error) (end int64, err error) {
	br := bufio.NewReaderSize(r, maxLine)
	for {
		text, err := br.ReadSlice('\n')
		switch {
		case err == io.EOF && l.n < m.N:
			return 0, ErrTampered
		case err == io.EOF:
			return end, nil
		case errors.Is(err, bufio.ErrBufferFull):
			return 0, ErrTampered
		case err != nil:
			return 0, err
		}
		line, ok := l.check(text)
		if !ok || l.n == m.N && hex.EncodeToString(l.last) != m.MAC {
			return 0, ErrTampered
		}
		if err := take(line); err != nil {
			return 0, err
		}
		end += int64(len(text))
	}
}

// check reads one line and checks that it follows the last.
func (l *Ledger) check(text []byte) (line []byte, ok bool) {
	var r row
	if json.Unmarshal(text, &r) != nil {
		return nil, false
	}
	code, err := hex.DecodeString(r.MAC)
	want := l.code(r.Line)
	if err != nil || !hmac.Equal(code, want) {
		return nil, false
	}
	l.last, l.n = want, l.n+1
	return r.Line, true
}

// code is the code of the line that follows the last.
func (l *Ledger) code(line []byte) []byte {
	mac := hmac.New(sha256.New, l.key)
	mac.Write(l.last)
	mac.Write(line)
	return mac.Sum(nil)
}

// Add adds a value as a line of JSON.
func (l *Ledger) Add(value any) error {
	if l.stuck != nil {
		return l.stuck
	}
	code, err := l.add(value)
	if err != nil {
		l.stuck = fmt.Errorf("writing the ledger: %w", err)
		return l.stuck
	}
	l.last, l.n = code, l.n+1
	return nil
}

func (l *Ledger) add(value any) (code []byte, err error) {
	line, err := json.Marshal(value)
	if err != nil {
		return nil, err
	}
	code = l.code(line)
	text, err := json.Marshal(row{line, hex.EncodeToString(code)})
	if err != nil {
		return nil, err
	}
	if len(text) >= maxLine {
		return nil, fmt.Errorf("a line of %d bytes", len(text))
	}
	m, err := json.Marshal(mark{l.n + 1, hex.EncodeToString(code)})
	if err != nil {
		return nil, err
	}
	return code, l.Write(append(text, '\n'), m)
}

// Close closes the file; nothing is lost without it.
func (l *Ledger) Close() error { return l.file.Close() }
