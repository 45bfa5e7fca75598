package fleet

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/counterproof/counterproof/sync/seal"
	"github.com/counterproof/counterproof/sync/store"
)

// Report is what a run did and what the checker found. Times are in seconds.
type Report struct {
	Agents        int      `json:"agents"`
	Rounds        int      `json:"rounds"`
	Store         Engine   `json:"store"`
	Break         Break    `json:"break,omitempty"`
	Total         float64  `json:"seconds"`
	Sending       float64  `json:"sending_seconds"`
	PerSecond     float64  `json:"records_per_second"` // while sending, enrolment included
	FleetCPU      float64  `json:"fleet_cpu_seconds"`  // what the simulated counters cost
	CentreCPU     float64  `json:"centre_cpu_seconds"`
	Kills         int      `json:"centre_kills"`
	DatabaseKills int      `json:"database_kills"`
	Promotion     float64  `json:"promotion_seconds,omitempty"` // until the standby took writes
	Line          Seen     `json:"line"`
	Shed          int      `json:"shed"`
	RefusedBytes  int      `json:"refused_as_altered"`
	Forged        int      `json:"receipts_refused"` // by counters: altered on the way
	Rewinds       int      `json:"rewinds"`          // a centre was behind its counter
	GaveUp        int      `json:"gave_up"`
	Why           string   `json:"why,omitempty"` // the first that gave up says
	Findings      Findings `json:"check"`
	Opened        int      `json:"opened"`        // records that were opened again, as a sample
	Unopened      int      `json:"unopened"`      // of the sample, those that did not open
	Readable      int      `json:"readable"`      // markers found in clear on the centre's disk
	Searched      int64    `json:"searched"`      // bytes that were searched
	Sighted       bool     `json:"search_sights"` // the search found sealed bytes, so it works
}

// OK reports whether the run shows what it is for.
func (r Report) OK() bool {
	return r.Findings.OK() && r.Unopened == 0 && r.Readable == 0 && r.Sighted && r.GaveUp == 0 &&
		r.Findings.Acked >= r.Agents*r.Rounds && r.Opened > 0
}

// Write tells the report in words.
func (r Report) Write(w io.Writer) error {
	f := r.Findings
	_, err := fmt.Fprintf(w, `%d counters, %d records each, store %s: %.1f s in all
%.0f records/s over %.1f s of sending (processor: counters %.1f s, centre %.1f s)
%d requests: %d lost, %d altered, %d doubled, %d answers lost, %d answers altered, %d slowed; %d shed
killed: centre %d, database %d (promotion %.1f s); %d rewinds; %d altered bodies and %d altered receipts refused
CHECK stored=%d acked=%d lost=%d duplicated=%d altered=%d phantom=%d moved=%d broken=%d forks=%d/%d readable=%d gave-up=%d
%d records opened again, %d did not open; %d bytes searched for markers
`, r.Agents, r.Rounds, r.Store, r.Total, r.PerSecond, r.Sending, r.FleetCPU, r.CentreCPU,
		r.Line.Requests, r.Line.Lost, r.Line.Altered, r.Line.Twice, r.Line.AnswerLost, r.Line.AnswerAltered, r.Line.Slow, r.Shed,
		r.Kills, r.DatabaseKills, r.Promotion, r.Rewinds, r.RefusedBytes, r.Forged,
		f.Stored, f.Acked, f.Lost, f.Duplicated, f.Altered, f.Phantom, f.Moved, f.Broken, f.Caught, f.Forks, r.Readable, r.GaveUp,
		r.Opened, r.Unopened, r.Searched)
	if err == nil && f.Example != "" {
		_, err = fmt.Fprintln(w, "first fault:", f.Example)
	}
	if err == nil && r.Why != "" {
		_, err = fmt.Fprintln(w, "gave up:", r.Why)
	}
	return err
}

// judge holds what the counters know against what the centre stored.
func (f *fleet) judge(ctx context.Context) (Report, error) {
	t, rounded := &f.tally, func(d time.Duration) float64 { return d.Round(10 * time.Millisecond).Seconds() }
	r := Report{
		Agents: f.cfg.Agents, Rounds: f.cfg.Rounds, Store: f.cfg.Store, Break: f.cfg.Break,
		Sending: rounded(f.sending), PerSecond: float64(t.acked.Load()) / f.sending.Seconds(),
		FleetCPU: rounded(f.cost), CentreCPU: rounded(f.host.cost), Kills: int(t.kills.Load()), DatabaseKills: int(t.outages.Load()),
		Promotion: rounded(t.promotion), Line: f.line.Seen(), Shed: int(t.shed.Load()), RefusedBytes: int(t.altered.Load()),
		Forged: int(t.forged.Load()), Rewinds: int(t.rewinds.Load()), GaveUp: len(t.gone),
	}
	if len(t.gone) > 0 {
		r.Why = t.gone[0].Error()
	}
	sealed, err := f.compare(ctx, &r)
	if err != nil {
		return r, err
	}
	if err := f.search(sealed, &r); err != nil {
		return r, err
	}
	r.Total = rounded(time.Since(f.begun))
	return r, nil
}

// page is how many records are read from the store at once.
const page = 500

// compare reads the whole log past the checker, and returns sealed bytes that
// must be on the centre's disk.
func (f *fleet) compare(ctx context.Context, r *Report) (sealed []byte, err error) {
	s, err := openStore(ctx, f.cfg.Store, f.base.source, centreDir(f.cfg.Dir))
	if err != nil {
		return nil, err
	}
	defer s.Close()
	log, err := breakStore(s, f.cfg.Break, centreDir(f.cfg.Dir))
	if err != nil {
		return nil, err
	}
	var ledgers []*Ledger
	for _, a := range f.agents {
		if a.id != "" {
			ledgers = append(ledgers, &a.ledger)
		}
	}
	c := NewChecker(ledgers)
	for after := uint64(0); ; {
		records, err := log.Records(ctx, after, page)
		if err != nil {
			return nil, err
		}
		if len(records) == 0 {
			break
		}
		for i, rec := range records {
			c.Add(rec)
			after = max(after, rec.Receipt.LogIndex)
			if (int(after)+i)%50 == 1 {
				f.open(rec, r)
			}
			if len(rec.Envelope.Parts) > 0 {
				sealed = rec.Envelope.Parts[0].Sealed
			}
		}
	}
	r.Findings = c.Findings()
	return sealed, nil
}

// open opens one stored record with the key that the counters never had.
func (f *fleet) open(rec store.Record, r *Report) {
	r.Opened++
	h, err := rec.Envelope.Check()
	if err != nil {
		r.Unopened++
		return
	}
	plain, err := seal.Open(f.key, rec.Envelope.Parts[0], h.Parts[0], seal.Binding(h.Record, f.to.Part, true))
	if err != nil || !bytes.Contains(plain, h.Record[:]) || !bytes.Contains(plain, f.marks[0]) {
		r.Unopened++
	}
}

// marks are what stands in clear inside every record: a name, a number and the
// beginning of a picture, of an invented person of this run alone.
func marks(seed uint64) [][]byte {
	return [][]byte{
		fmt.Appendf(nil, "SPECIMEN<<FLEET<%08X<<<<", seed),
		fmt.Appendf(nil, "Z9%012d", seed),
		fmt.Appendf([]byte{0xff, 0xd8, 0xff, 0xe0, 0, 16}, "JFIF fleet %d", seed),
	}
}

// search looks for the markers, and for sealed bytes, in every file that the
// centre or its database wrote.
func (f *fleet) search(sealed []byte, r *Report) error {
	if len(sealed) > 64 {
		sealed = sealed[32:64]
	}
	for _, dir := range f.base.dirs(f.cfg.Dir) {
		if err := f.searchDir(dir, sealed, r); err != nil {
			return fmt.Errorf("searching the centre's disk: %w", err)
		}
	}
	return nil
}

func (f *fleet) searchDir(dir string, sealed []byte, r *Report) error {
	return filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if errors.Is(err, os.ErrNotExist) {
			return nil // a database that runs removes files
		}
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		b, err := os.ReadFile(path)
		if errors.Is(err, os.ErrNotExist) {
			return nil
		}
		r.Searched += int64(len(b))
		for _, m := range f.marks {
			r.Readable += bytes.Count(b, m)
		}
		r.Sighted = r.Sighted || len(sealed) == 32 && bytes.Contains(b, sealed)
		return err
	})
}
