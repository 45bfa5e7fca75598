package fleet

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"github.com/counterproof/counterproof/sync/store"
	"github.com/counterproof/counterproof/sync/wire"
)

// breakStore builds a fault into a store.
func breakStore(s store.Store, b Break, dir string) (store.Store, error) {
	switch b {
	case BreakNone, BreakSync: // that one befalls the disk, at each kill
		return s, nil
	case BreakAck:
		return &hasty{Store: s}, nil
	case BreakDedupe:
		return &forgetful{Store: s, path: filepath.Join(dir, "again.jsonl")}, nil
	}
	return nil, fmt.Errorf("there is no break %q", b)
}

// backlog is how many records a hasty store has in memory at most.
const backlog = 32

// hasty signs receipts for records that are in memory alone.
type hasty struct {
	store.Store
	mu      sync.Mutex
	index   uint64 // the last that was promised
	known   bool
	pending []store.Submission
}

// Accept answers at once, if it can foresee the answer.
func (h *hasty) Accept(ctx context.Context, sub store.Submission) (wire.Answer, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	waits := slices.ContainsFunc(h.pending, func(p store.Submission) bool { return p.Agent == sub.Agent })
	if waits || len(h.pending) >= backlog {
		if err := h.flush(ctx); err != nil {
			return wire.Answer{}, err
		}
	}
	a, err := h.Agent(ctx, sub.Agent)
	if err != nil {
		return wire.Answer{}, err
	}
	if a.Quarantined || sub.Refuse != "" || sub.Header.Seq != a.Expect || sub.Header.Prev != a.Head {
		return h.Store.Accept(ctx, sub)
	}
	if err := h.learn(ctx); err != nil {
		return wire.Answer{}, err
	}
	r, err := sub.SignReceipt(wire.Receipt{
		Agent: sub.Agent, Seq: sub.Header.Seq, RecHash: sub.Envelope.RecHash(), LogIndex: h.index + 1, At: sub.At,
	})
	if err != nil {
		return wire.Answer{}, err
	}
	h.index++
	h.pending = append(h.pending, sub)
	return wire.Answer{Verdict: wire.Stored, Receipt: &r}, nil
}

// learn asks how far the log reaches, once.
func (h *hasty) learn(ctx context.Context) error {
	for !h.known {
		records, err := h.Records(ctx, h.index, page)
		if err != nil {
			return err
		}
		h.index += uint64(len(records))
		h.known = len(records) == 0
	}
	return nil
}

// flush stores what was promised.
func (h *hasty) flush(ctx context.Context) error {
	for len(h.pending) > 0 {
		if _, err := h.Store.Accept(ctx, h.pending[0]); err != nil {
			return err
		}
		h.pending = h.pending[1:]
	}
	return nil
}

// forgetful stores a record again whenever it comes again: it gives each
// request a random name and finds none of them a second time.
type forgetful struct {
	store.Store
	path  string
	mu    sync.Mutex
	count uint64
}

// beyond is where the log indexes of what was stored again begin.
const beyond = 1 << 40

// Accept stores, and stores again.
func (g *forgetful) Accept(ctx context.Context, sub store.Submission) (wire.Answer, error) {
	answer, err := g.Store.Accept(ctx, sub)
	if err != nil || answer.Verdict != wire.Replayed {
		return answer, err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.count++
	r, err := sub.SignReceipt(wire.Receipt{
		Agent: sub.Agent, Seq: sub.Header.Seq, RecHash: sub.Envelope.RecHash(), LogIndex: beyond + g.count, At: sub.At,
	})
	if err != nil {
		return wire.Answer{}, err
	}
	return wire.Answer{Verdict: wire.Stored, Receipt: &r}, g.keep(store.Record{Receipt: r, Envelope: sub.Envelope})
}

// keep writes a record behind the others.
func (g *forgetful) keep(r store.Record) error {
	text, err := json.Marshal(r)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(g.path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(append(text, '\n'))
	return errors.Join(err, f.Close())
}

// Records are the store's, and behind them what was stored again.
func (g *forgetful) Records(ctx context.Context, after uint64, limit int) ([]store.Record, error) {
	records, err := g.Store.Records(ctx, after, limit)
	if err != nil || len(records) > 0 || after > beyond {
		return records, err
	}
	f, err := os.Open(g.path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	lines := bufio.NewReader(f)
	for {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			return records, nil // the last line may be cut
		}
		var r store.Record
		if err := json.Unmarshal(line, &r); err != nil {
			return nil, err
		}
		records = append(records, r)
	}
}
