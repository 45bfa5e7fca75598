package attack

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf16"
)

// Secret is something planted that must be found nowhere.
type Secret struct {
	Name  string // what it is, for the report; never its value
	Bytes []byte // as it was planted: text in UTF-8, or bytes of a picture
	Text  bool   // also to be looked for as text is written: in capitals, in UTF-16, backwards
}

// Find is a place where a secret was found.
type Find struct {
	Secret, Form, File string
}

// form is one way in which a secret may be written.
type form struct {
	secret, name string
	bytes        []byte
}

// Search looks for secrets in files, in their names and in what is compressed
// in them.
type Search struct {
	forms []form
	zstd  string // program that unpacks zstd; empty if there is none
}

// NewSearch prepares the forms of all secrets.
func NewSearch(secrets ...Secret) *Search {
	s := &Search{}
	for _, of := range secrets {
		s.forms = append(s.forms, formsOf(of)...)
	}
	s.zstd, _ = exec.LookPath("zstd")
	return s
}

// Zstd reports whether zstd streams can be looked into on this machine.
func (s *Search) Zstd() bool { return s.zstd != "" }

// formsOf lists how a secret may be written.
func formsOf(s Secret) []form {
	written := []form{{s.Name, "plain", s.Bytes}}
	if s.Text {
		text := string(s.Bytes)
		backwards := slices.Clone(s.Bytes)
		slices.Reverse(backwards)
		written = append(written,
			form{s.Name, "capitals", []byte(strings.ToUpper(text))},
			form{s.Name, "small", []byte(strings.ToLower(text))},
			form{s.Name, "backwards", backwards},
			form{s.Name, "utf-16le", wide(text, binary.LittleEndian)},
			form{s.Name, "utf-16be", wide(text, binary.BigEndian)},
			form{s.Name, "utf-16le capitals", wide(strings.ToUpper(text), binary.LittleEndian)})
	}
	for _, f := range slices.Clone(written) {
		written = append(written, form{s.Name, f.name + " in hex", []byte(hex.EncodeToString(f.bytes))},
			form{s.Name, f.name + " in HEX", []byte(strings.ToUpper(hex.EncodeToString(f.bytes)))})
		written = append(written, inBase64(f)...)
	}
	return slices.CompactFunc(written, func(a, b form) bool { return bytes.Equal(a.bytes, b.bytes) })
}

// wide is a text in UTF-16.
func wide(text string, order binary.AppendByteOrder) []byte {
	var b []byte
	for _, u := range utf16.Encode([]rune(text)) {
		b = order.AppendUint16(b, u)
	}
	return b
}

// inBase64 is what base64 (RFC 4648 §4 and §5) makes of it, at each of the three
// places where it can begin in a longer text. The ends depend on what stands beside
// it and are left out; what is left must be long enough to mean something.
func inBase64(f form) (found []form) {
	for shift := range 3 {
		for _, enc := range []*base64.Encoding{base64.StdEncoding, base64.URLEncoding} {
			text := enc.EncodeToString(append(make([]byte, shift), f.bytes...))
			if middle := text[4 : len(text)-4]; len(middle) >= 8 {
				found = append(found, form{f.secret, f.name + " in base64", []byte(middle)})
			}
		}
	}
	return found
}

// Folders searches every file below folders. A file that goes away meanwhile is
// no error; having none to search is one.
func (s *Search) Folders(folders ...string) ([]Find, error) {
	var found []Find
	files := 0
	for _, dir := range folders {
		err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if errors.Is(err, fs.ErrNotExist) {
				return nil
			}
			if err != nil {
				return err
			}
			found = append(found, s.at(path, s.Bytes([]byte(filepath.Base(path))))...)
			if !d.Type().IsRegular() {
				return nil
			}
			b, err := os.ReadFile(path)
			if errors.Is(err, fs.ErrNotExist) {
				return nil
			}
			files++
			found = append(found, s.at(path, s.Bytes(b))...)
			return err
		})
		if err != nil {
			return found, fmt.Errorf("searching: %w", err)
		}
	}
	if files == 0 {
		return found, errors.New("searching: there is no file")
	}
	return found, nil
}

// at names the file of finds.
func (s *Search) at(path string, found []Find) []Find {
	for i := range found {
		found[i].File = filepath.Base(path)
	}
	return found
}

// maxDepth is how often something compressed is looked for in what was
// compressed; maxStream bounds what one stream unpacks to.
const (
	maxDepth  = 2
	maxStream = 32 << 20
)

// Bytes searches bytes and every compressed stream in them.
func (s *Search) Bytes(b []byte) []Find { return s.deep(b, maxDepth) }

func (s *Search) deep(b []byte, depth int) (found []Find) {
	for _, f := range s.forms {
		if bytes.Contains(b, f.bytes) {
			found = append(found, Find{Secret: f.secret, Form: f.name})
		}
	}
	if depth == 0 {
		return found
	}
	for _, p := range s.packers() {
		for at := 0; ; at++ {
			next := bytes.Index(b[at:], p.magic)
			if next < 0 {
				break
			}
			at += next
			inside := p.open(b[at:])
			for _, f := range s.inside(inside, depth) {
				f.Form += " in " + p.name
				found = append(found, f)
			}
		}
	}
	return found
}

// inside searches what a stream unpacked to.
func (s *Search) inside(b []byte, depth int) []Find {
	if len(b) == 0 {
		return nil
	}
	return s.deep(b, depth-1)
}

// packer is a kind of compressed stream, found by how it begins. open gives as much
// as unpacks.
type packer struct {
	name  string
	magic []byte
	open  func([]byte) []byte
}

// packers are the kinds that are looked into.
func (s *Search) packers() []packer {
	all := []packer{
		{"gzip", []byte{0x1f, 0x8b, 8}, openGzip},
		{"zip", []byte("PK\x03\x04"), openZip},
	}
	for _, second := range []byte{0x01, 0x5e, 0x9c, 0xda} { // RFC 1950 §2.2, windows of 32 KiB
		all = append(all, packer{"zlib", []byte{0x78, second}, openZlib})
	}
	if s.zstd != "" {
		all = append(all, packer{"zstd", []byte{0x28, 0xb5, 0x2f, 0xfd}, s.openZstd})
	}
	return all
}

// some reads what can be read, up to the bound; a stream that is cut gives its
// beginning.
func some(r io.Reader) []byte {
	b, _ := io.ReadAll(io.LimitReader(r, maxStream))
	return b
}

func openGzip(b []byte) []byte {
	r, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil {
		return nil
	}
	return some(r)
}

func openZlib(b []byte) []byte {
	r, err := zlib.NewReader(bytes.NewReader(b))
	if err != nil {
		return nil
	}
	return some(r)
}

// openZip gives all files of an archive that is whole.
func openZip(b []byte) (all []byte) {
	r, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		return nil
	}
	for _, f := range r.File {
		if in, err := f.Open(); err == nil {
			all = append(all, some(in)...)
			_ = in.Close()
		}
	}
	return all
}

// openZstd unpacks with the machine's program: nothing of the product writes zstd,
// so there is no room for it.
func (s *Search) openZstd(b []byte) []byte {
	cmd := exec.Command(s.zstd, "-d", "-c", "-q", "-M64MB")
	cmd.Stdin = bytes.NewReader(b)
	out, err := cmd.StdoutPipe()
	if err != nil || cmd.Start() != nil {
		return nil
	}
	text := some(out)
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	return text
}
