package opener

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/counterproof/counterproof/agent/opener/check"
	"github.com/counterproof/counterproof/agent/proof"
	"github.com/counterproof/counterproof/sync/wire"
)

// journal keeps what became of every record: results and defects as lines of
// JSON that are only ever added, and the cursor. None of it is personal. A line
// is on the disk before the cursor passes its record; the names of all records
// are held in memory, some 150 bytes each.
type journal struct {
	cursorPath string
	cursor     uint64    // log index of the last record that was shown
	last       wire.Hash // that record, zero where an older program moved the cursor

	results, defects *os.File
	known            map[wire.Hash]bool   // records whose result is stored
	visits           map[string]wire.Hash // the record that a visit came in, by the record's name
	noted            map[noted]bool       // defects
	heads            map[wire.AgentID]head
	broken           map[wire.Hash]bool // results that were held for their chain
}

// head is the newest record of a counter's chain.
type head struct {
	seq wire.Seq
	rec wire.Hash
	at  time.Time // when it was noted
}

// noted names a defect: a record may show another one once a key was found.
type noted struct {
	rec  wire.Hash
	kind Kind
}

// resultLine is one stored result. The keys are the file's form: they are only
// ever added to, since what is done with a result later finds it by them.
type resultLine struct {
	RecHash  wire.Hash      `json:"rec_hash"`
	Record   string         `json:"record"` // the record's random name
	Ref      wire.Ref       `json:"ref"`
	LogIndex uint64         `json:"log_index"`
	Result   proof.Result   `json:"result"`
	Level    proof.Level    `json:"level"`
	Profile  string         `json:"profile"`
	NHS      proof.NHSLevel `json:"nhs"`
	Policy   string         `json:"policy"`
	Agrees   bool           `json:"agrees"`
	Training bool           `json:"training"`
	Findings []Finding      `json:"findings,omitempty"`
	At       time.Time      `json:"at"` // when it was opened
	Agent    wire.AgentID   `json:"agent,omitempty"`
	Seq      wire.Seq       `json:"seq,omitempty"`
}

// defectLine is one record that could not be opened, with what the site needs to
// find the patient's slip.
type defectLine struct {
	RecHash  wire.Hash    `json:"rec_hash"`
	LogIndex uint64       `json:"log_index"`
	Agent    wire.AgentID `json:"agent"`
	Seq      wire.Seq     `json:"seq"`
	Ref      wire.Ref     `json:"ref"`
	Kind     Kind         `json:"kind"`
	At       time.Time    `json:"at"`
}

// openJournal reads what is known and opens the files for adding.
func openJournal(dir string, log *slog.Logger) (*journal, error) {
	j := &journal{
		cursorPath: filepath.Join(dir, cursorFile),
		known:      map[wire.Hash]bool{}, visits: map[string]wire.Hash{}, noted: map[noted]bool{},
		heads: map[wire.AgentID]head{}, broken: map[wire.Hash]bool{},
	}
	var err error
	if j.cursor, j.last, err = readCursor(j.cursorPath); err != nil {
		return nil, err
	}
	j.results, err = openLines(filepath.Join(dir, resultFile), log, func(l resultLine) {
		j.learn(l.Record, l.RecHash)
		if slices.Contains(l.Findings, check.ChainBroken) {
			j.broken[l.RecHash] = true
		}
		j.follow(l.Agent, head{l.Seq, l.RecHash, l.At})
	})
	if err != nil {
		return nil, err
	}
	j.defects, err = openLines(filepath.Join(dir, defectFile), log, func(l defectLine) {
		j.noted[noted{l.RecHash, l.Kind}] = true
		if l.Kind != KindSignature {
			j.follow(l.Agent, head{l.Seq, l.RecHash, l.At})
		}
	})
	if err != nil {
		return nil, errors.Join(err, j.results.Close())
	}
	return j, syncFolder(dir)
}

// close closes the files; nothing is lost without it.
func (j *journal) close() error {
	if j == nil {
		return nil
	}
	return errors.Join(j.results.Close(), j.defects.Close())
}

// note stores a result that is new. One that is known is marked as come again.
// A visit that came before in another record is held: it counts once. So is a
// record that does not follow the one before it of its counter.
func (j *journal) note(r Result) (Result, error) {
	now := time.Now().UTC().Truncate(time.Millisecond)
	if r.Kind != KindSignature {
		defer j.follow(r.Agent, head{r.Seq, r.RecHash, now})
	}
	if r.Kind != KindNone {
		return j.noteDefect(r, now)
	}
	if first, came := j.visits[r.record()]; came && first != r.RecHash {
		r = r.with(DuplicateVisit)
		r.first = first
	}
	if j.broken[r.RecHash] || !j.known[r.RecHash] && j.breaks(r) {
		r = r.with(check.ChainBroken)
		j.broken[r.RecHash] = true
	}
	if j.known[r.RecHash] {
		r.Again = true
		return r, nil
	}
	err := addLine(j.results, resultLine{
		RecHash: r.RecHash, Record: r.record(), Ref: r.Ref, LogIndex: r.LogIndex, Result: r.Result, Level: r.Level,
		Profile: r.Profile, NHS: r.NHS, Policy: r.Policy, Agrees: r.Agrees, Training: r.Training, Findings: r.Findings,
		At: now, Agent: r.Agent, Seq: r.Seq,
	})
	if err != nil {
		return r, err
	}
	j.learn(r.record(), r.RecHash)
	return r, nil
}

// breaks reports a record that stands at or before the head of its counter's chain,
// or next to it without following it. Between the two may lie records that the
// centre refused, which nobody opens.
func (j *journal) breaks(r Result) bool {
	h, known := j.heads[r.Agent]
	if !known || h.rec == r.RecHash {
		return false
	}
	return r.Seq <= h.seq || r.Seq == h.seq+1 && r.header.Prev != h.rec
}

// follow moves the head of a counter's chain.
func (j *journal) follow(agent wire.AgentID, h head) {
	if agent != "" && h.seq != 0 && !h.at.Before(j.heads[agent].at) {
		j.heads[agent] = h
	}
}

// learn takes in a stored result. The first record of a visit stays its record.
func (j *journal) learn(record string, rec wire.Hash) {
	j.known[rec] = true
	if _, came := j.visits[record]; !came {
		j.visits[record] = rec
	}
}

// noteDefect stores a defect that is new.
func (j *journal) noteDefect(r Result, now time.Time) (Result, error) {
	name := noted{r.RecHash, r.Kind}
	if j.noted[name] {
		r.Again = true
		return r, nil
	}
	err := addLine(j.defects, defectLine{
		RecHash: r.RecHash, LogIndex: r.LogIndex, Agent: r.Agent, Seq: r.Seq, Ref: r.Ref, Kind: r.Kind, At: now,
	})
	if err == nil {
		j.noted[name] = true
	}
	return r, err
}

// advance moves the cursor past a record that was shown.
func (j *journal) advance(index uint64, rec wire.Hash) error {
	if err := replaceFile(j.cursorPath, fmt.Appendf(nil, "%d %s", index, rec)); err != nil {
		return err
	}
	if index == 0 {
		clear(j.heads) // a log that is begun again may hold other chains
	}
	j.cursor, j.last = index, rec
	return nil
}

// readCursor reads the cursor; none is the beginning of the log.
func readCursor(path string) (n uint64, rec wire.Hash, err error) {
	b, err := readSmall(path, 128)
	if errors.Is(err, os.ErrNotExist) {
		return 0, rec, nil
	}
	if err != nil {
		return 0, rec, err
	}
	if n, rec, err = parseCursor(b); err != nil {
		return 0, rec, fmt.Errorf("%s is damaged: remove it to begin the log again; no result is stored twice", path)
	}
	return n, rec, nil
}

// parseCursor reads a log index in decimal and the record there, which may be
// missing; a line end may follow.
func parseCursor(b []byte) (n uint64, rec wire.Hash, err error) {
	index, hash, named := strings.Cut(string(bytes.TrimSuffix(b, []byte("\n"))), " ")
	if n, err = strconv.ParseUint(index, 10, 64); err == nil && named {
		rec, err = wire.ParseHash(hash)
	}
	return n, rec, err
}

// openLines reads a file of lines of JSON and opens it for adding. A line that
// was torn by a crash belongs to a record that comes again, so it is passed
// over; the next line begins on a fresh one.
func openLines[L any](path string, log *slog.Logger, take func(L)) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	damaged, whole, err := readLines(f, take)
	if err == nil && !whole {
		_, err = f.Write([]byte("\n"))
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("reading %s: %w", path, err), f.Close())
	}
	if damaged > 0 {
		log.Warn("lines that do not read were passed over", "path", path, "count", damaged)
	}
	return f, nil
}

// maxLine bounds one line, in bytes; a real one is under 700.
const maxLine = 16 << 10

// readLines hands every line that reads to take. It returns how many did not,
// and whether the last line is ended.
func readLines[L any](r io.Reader, take func(L)) (damaged int, whole bool, err error) {
	whole = true
	long := false
	br := bufio.NewReaderSize(r, maxLine)
	for {
		text, err := br.ReadSlice('\n')
		if len(text) > 0 {
			whole = err == nil
		}
		if errors.Is(err, bufio.ErrBufferFull) {
			long = true
			continue
		}
		if err != nil && err != io.EOF {
			return damaged, whole, err
		}
		if long || !readLine(text, take) {
			damaged++
		}
		long = false
		if err == io.EOF {
			return damaged, whole, nil
		}
	}
}

// readLine hands one line to take; an empty one is nothing.
func readLine[L any](text []byte, take func(L)) bool {
	if len(bytes.TrimSpace(text)) == 0 {
		return true
	}
	var line L
	if json.Unmarshal(text, &line) != nil {
		return false
	}
	take(line)
	return true
}

// addLine adds one line and makes it outlive a power cut. Where that fails, the
// file is as it was.
func addLine(f *os.File, line any) error {
	b, err := json.Marshal(line)
	if err != nil {
		return err
	}
	before, err := f.Stat()
	if err != nil {
		return err
	}
	_, err = f.Write(append(b, '\n'))
	if err == nil {
		err = f.Sync()
	}
	if err != nil {
		return errors.Join(err, f.Truncate(before.Size()))
	}
	return nil
}
