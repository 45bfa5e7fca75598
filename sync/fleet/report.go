package fleet

import (
	"fmt"
	"io"
	"time"

	"github.com/counterproof/counterproof/sync/fleet/ledger"
	"github.com/counterproof/counterproof/sync/fleet/line"
)

// Report is what a run did and what the checker found. Times are in seconds.
type Report struct {
	Agents        int             `json:"agents"`
	Whole         int             `json:"whole_agents"` // besides, with a disk
	Rounds        int             `json:"rounds"`
	Bytes         int             `json:"bytes"`                // of a record before sealing
	Blob          int             `json:"blob_bytes,omitempty"` // of the large part beside it
	Store         Engine          `json:"store"`
	Break         Break           `json:"break,omitempty"`
	Total         float64         `json:"seconds"`
	Enrolling     float64         `json:"enrolling_seconds"`
	Making        Phase           `json:"making"`  // sealing and signing, by the counters alone
	Sending       Phase           `json:"sending"` // until the last record was acknowledged
	PerSecond     float64         `json:"records_per_second"`
	Kills         int             `json:"centre_kills"`
	DatabaseKills int             `json:"database_kills"`
	Restored      int             `json:"centre_restored"`             // from an older copy of its disk
	Promotion     float64         `json:"promotion_seconds,omitempty"` // until the standby took writes
	Line          line.Seen       `json:"line"`
	Shed          int             `json:"shed"`
	RefusedBytes  int             `json:"refused_as_altered"`
	Forged        int             `json:"receipts_refused"` // by counters: altered on the way
	Rewinds       int             `json:"rewinds"`          // a centre was behind its counter
	GaveUp        int             `json:"gave_up"`
	Why           string          `json:"why,omitempty"` // the first that gave up says
	Findings      ledger.Findings `json:"check"`
	Opened        int             `json:"opened"`        // records that were opened again
	Unopened      int             `json:"unopened"`      // of those, the ones that did not open
	Readable      int             `json:"readable"`      // markers found in clear on the centre's disk
	Searched      int64           `json:"searched"`      // bytes that were searched
	Sighted       bool            `json:"search_sights"` // the search found sealed bytes, so it works
}

// Phase is what a phase of the run took: by the clock, and of processor time.
type Phase struct {
	Seconds  float64 `json:"seconds"`
	Counters float64 `json:"counters_cpu_seconds"` // all that is simulated here
	Centre   float64 `json:"centre_cpu_seconds"`
	Database float64 `json:"database_cpu_seconds"` // of a database server; 0 where there is none
}

// OK reports whether the run shows what it is for.
func (r Report) OK() bool {
	return r.Findings.OK() && r.Unopened == 0 && r.Readable == 0 && r.Sighted && r.GaveUp == 0 &&
		r.Findings.Acked >= (r.Agents+r.Whole)*r.Rounds && r.Opened > 0 && r.Opened == r.Findings.Stored
}

// Write tells the report in words.
func (r Report) Write(w io.Writer) error {
	f, s := r.Findings, r.Sending
	each := 1000 / float64(max(1, (r.Agents+r.Whole)*r.Rounds)) // seconds of all into milliseconds of one
	_, err := fmt.Fprintf(w, `%d counters and %d whole ones, %d records each of %d bytes and %d ahead, store %s: %.1f s in all, enrolling %.1f s
%.0f records/s over %.1f s of sending; milliseconds of processor per record: counters %.2f, centre %.2f, database %.2f; to make it %.2f
%d requests: %d lost, %d altered, %d doubled, %d answers lost, %d answers altered, %d slowed; %d shed
killed: centre %d, database %d (promotion %.2f s); restored %d; %d rewinds; %d altered bodies and %d altered receipts refused
CHECK stored=%d acked=%d lost=%d duplicated=%d altered=%d phantom=%d moved=%d broken=%d forks=%d/%d readable=%d gave-up=%d
%d records opened again, %d did not open; %d bytes searched for markers
`, r.Agents, r.Whole, r.Rounds, r.Bytes, r.Blob, r.Store, r.Total, r.Enrolling,
		r.PerSecond, s.Seconds, s.Counters*each, s.Centre*each, s.Database*each, r.Making.Counters*each,
		r.Line.Requests, r.Line.Lost, r.Line.Altered, r.Line.Twice, r.Line.AnswerLost, r.Line.AnswerAltered, r.Line.Slow, r.Shed,
		r.Kills, r.DatabaseKills, r.Promotion, r.Restored, r.Rewinds, r.RefusedBytes, r.Forged,
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

// seconds rounds a time for a report.
func seconds(d time.Duration) float64 { return d.Round(10 * time.Millisecond).Seconds() }

// phase tells a cost in seconds.
func (c cost) phase() Phase {
	return Phase{seconds(c.wall), seconds(c.counters), seconds(c.centre), seconds(c.database)}
}

// report tells what the run did, before anything is checked.
func (f *fleet) report() Report {
	t := &f.tally
	r := Report{
		Agents: f.cfg.Agents, Whole: f.cfg.Whole, Rounds: f.cfg.Rounds, Bytes: f.cfg.Bytes, Blob: f.cfg.Blob, Store: f.cfg.Store, Break: f.cfg.Break,
		Enrolling: seconds(f.enrolling.wall), Making: f.making.phase(), Sending: f.sending.phase(),
		PerSecond: f.speed, Kills: int(t.kills.Load()), DatabaseKills: int(t.outages.Load()), Restored: int(t.life.Load()), Promotion: seconds(t.promotion),
		Line: f.line.Seen(), Shed: int(t.shed.Load()), RefusedBytes: int(t.altered.Load()),
		Forged: int(t.forged.Load()), Rewinds: int(t.rewinds.Load()), GaveUp: len(t.gone),
	}
	if len(t.gone) > 0 {
		r.Why = t.gone[0].Error()
	}
	return r
}
