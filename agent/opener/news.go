package opener

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/counterproof/counterproof/sync/uplink"
	"github.com/counterproof/counterproof/sync/wire"
)

// newsFile is the pattern of the list's name; each enrolled identity has a list
// of its own.
const newsFile = "notices-%s.jsonl"

// errNotLevel is why nothing may be told yet.
var errNotLevel = errors.New("telling news: the list was not compared with the centre's yet")

// news is the list of all that this opener ever told, as lines of JSON that are
// only ever added. None of it is personal. It is held in memory, some 200 bytes
// each.
type news struct {
	file    *os.File
	list    []wire.Notice
	told    map[told]bool
	numbers map[wire.AgentID]uint64 // the last for each counter
	level   bool                    // compared with the centre's since the start
	posted  int                     // how many the centre had then
}

// told names a piece of news whatever its number and time.
type told struct {
	agent wire.AgentID
	ref   wire.Ref
	kind  wire.NoticeKind
}

// newsLine is a notice on the list. The keys are the file's form.
type newsLine struct {
	Place  uint64      `json:"place"`
	Notice wire.Notice `json:"notice"`
}

// openNews reads the list of an identity and opens it for adding. A list with a
// hole is not gone on with: what follows the hole would be told under other
// places than the centre has it.
func openNews(dir string, self wire.AgentID) (*news, error) {
	n := &news{told: map[told]bool{}, numbers: map[wire.AgentID]uint64{}}
	path := filepath.Join(dir, fmt.Sprintf(newsFile, filepath.Base(string(self))))
	holes := 0
	var err error
	n.file, err = openLines(path, slog.New(slog.DiscardHandler), func(l newsLine) {
		if l.Place != uint64(len(n.list))+1 {
			holes++
			return
		}
		n.learn(l.Notice)
	})
	if err == nil && holes > 0 {
		err = errors.Join(fmt.Errorf("%s is damaged: move it away, the centre gives back what it has", path), n.file.Close())
	}
	if err != nil {
		return nil, err
	}
	return n, syncFolder(dir)
}

// close closes the file; nothing is lost without it.
func (n *news) close() error {
	if n == nil {
		return nil
	}
	return n.file.Close()
}

// learn takes in a notice that is on the disk.
func (n *news) learn(notice wire.Notice) {
	n.list = append(n.list, notice)
	n.told[told{notice.Agent, notice.Ref, notice.Kind}] = true
	n.numbers[notice.Agent] = max(n.numbers[notice.Agent], notice.Number)
}

// tell adds a notice under the next number of its counter, unless it was told.
func (n *news) tell(notice wire.Notice) error {
	if n.told[told{notice.Agent, notice.Ref, notice.Kind}] {
		return nil
	}
	notice.Number = n.numbers[notice.Agent] + 1
	return n.add(notice)
}

// add puts a notice on the disk and on the list.
func (n *news) add(notice wire.Notice) error {
	notice.Key, notice.Sig = "", nil // signed anew whenever it is sent
	if err := addLine(n.file, newsLine{uint64(len(n.list)) + 1, notice}); err != nil {
		return err
	}
	n.learn(notice)
	return nil
}

// outbox is the list as the line to the centre reads it.
func (n *news) outbox() uplink.Outbox {
	return uplink.Outbox{
		Len: uint64(len(n.list)),
		Read: func(place uint64) (wire.Notice, error) {
			if place < 1 || place > uint64(len(n.list)) {
				return wire.Notice{}, fmt.Errorf("the list has no place %d", place)
			}
			return n.list[place-1], nil
		},
		Take: func(p wire.Placed) error {
			if p.N != uint64(len(n.list))+1 {
				return fmt.Errorf("place %d does not follow the list", p.N)
			}
			return n.add(p.Notice)
		},
	}
}
