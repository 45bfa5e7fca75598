// Package trade holds what the crash laboratory lets programs do until they are
// killed: keep an open visit, queue records, take them at the centre, send them
// there. The rooms that do the work are the product's own.
//
// A trade says aloud what it has promised, as soon as it has. Whatever happens
// then, its check must find all that was said.
//
// # The laws
//
//   - What is said was answered by the room under test, never only asked of it.
//   - A failure is no reason to stop: a trade tries again, as a clerk does, until
//     the disk takes it or has refused for too long.
//   - A check opens what is left with the same rooms, as the next start would.
package trade

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/counterproof/counterproof/sync/wire"
)

// Trade is one kind of work on a folder.
type Trade struct {
	Name string
	// Prepare makes what is there before the work begins.
	Prepare func(ctx context.Context, dir string) error
	// Work does it, in full, and says what it promised.
	Work func(ctx context.Context, dir string, say Say) error
	// Check looks for all that was said, and goes on with the work's rooms.
	Check func(ctx context.Context, dir string, said Said) error
}

// Say tells one promise, in words of a line.
type Say func(words ...any)

// Said are promises, in order.
type Said [][]string

// All lists the trades.
func All() []Trade {
	return []Trade{
		{"draft", nothing, keepVisits, checkVisits},
		{"queue", nothing, fillQueue, checkQueue},
		{"central", prepareCentre, takeRecords, checkTaken},
		{"uplink", prepareHouse, sendRecords, checkSent},
	}
}

// Find gives the trade of a name.
func Find(name string) (Trade, error) {
	all := All()
	i := slices.IndexFunc(all, func(t Trade) bool { return t.Name == name })
	if i < 0 {
		return Trade{}, fmt.Errorf("there is no trade %q", name)
	}
	return all[i], nil
}

// Parse reads the lines that were said; one that was cut was not said.
func Parse(text []byte) Said {
	var said Said
	for line := range strings.Lines(string(text)) {
		if words, whole := strings.CutSuffix(line, "\n"); whole {
			said = append(said, strings.Fields(words))
		}
	}
	return said
}

// each yields the rest of the lines that begin with a word.
func (s Said) each(word string) [][]string {
	var lines [][]string
	for _, words := range s {
		if words[0] == word {
			lines = append(lines, words[1:])
		}
	}
	return lines
}

// has reports whether exactly this was said.
func (s Said) has(words ...any) bool {
	line := strings.Fields(fmt.Sprintln(words...))
	return slices.ContainsFunc(s, func(said []string) bool { return slices.Equal(said, line) })
}

func nothing(context.Context, string) error { return nil }

// tries is how often a trade tries again.
const tries = 40

// insist does something until it succeeds.
func insist(do func() error) error {
	var err error
	for range tries {
		if err = do(); err == nil {
			return nil
		}
	}
	return err
}

// again does something that gives a value until it succeeds.
func again[T any](do func() (T, error)) (T, error) {
	var v T
	err := insist(func() error {
		var err error
		v, err = do()
		return err
	})
	return v, err
}

// amount is how many records a trade makes.
const amount = 6

// record is the nth record's name.
func record(n int) wire.RecordID { return wire.RecordID{byte(n >> 8), byte(n), 0xc4} }

// content is what stands in the nth record, sealed or not: bytes that tell n.
func content(n, size int) []byte {
	b := make([]byte, size)
	x := uint32(n)*2654435761 + 1
	for i := range b {
		x ^= x << 13
		x ^= x >> 17
		x ^= x << 5
		b[i] = byte(x)
	}
	return b
}

// header is the nth record's, with one part of the given size, and one that is
// too large to go with it every third time.
func header(agent wire.AgentID, n int) (wire.Header, []wire.Part) {
	h := wire.Header{Version: 1, Agent: agent, Record: record(n), App: "crashlab", Training: true}
	sizes := []int{3000}
	if n%3 == 0 {
		sizes = append(sizes, wire.MaxInline+5000)
	}
	var parts []wire.Part
	for i, size := range sizes {
		p := wire.Part{Name: wire.PartName(fmt.Sprintf("part-%d", i)), Sealed: content(n+i, size)}
		parts = append(parts, p)
		h.Parts = append(h.Parts, wire.PartInfo{Name: p.Name, Recipient: "k", Len: uint64(size), SHA256: wire.HashOf(p.Sealed)})
	}
	return h, parts
}

// Where the parts of a house lie.
func keysDir(dir string) string   { return filepath.Join(dir, "keys") }
func draftDir(dir string) string  { return filepath.Join(dir, "drafts") }
func queueFile(dir string) string { return filepath.Join(dir, "queue", "queue.db") }
func centreDir(dir string) string { return filepath.Join(dir, "centre") }

// CentreFile is where a house's centre has its database.
func CentreFile(dir string) string { return filepath.Join(centreDir(dir), "centre.db") }

// QueueFile is where a house's queue is.
func QueueFile(dir string) string { return queueFile(dir) }

// problems collects what is wrong.
type problems []error

func (p *problems) add(format string, args ...any) { *p = append(*p, fmt.Errorf(format, args...)) }

func (p *problems) err() error { return errors.Join(*p...) }
