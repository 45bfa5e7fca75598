package postgres

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/counterproof/counterproof/sync/store"
	"github.com/counterproof/counterproof/sync/wire"
)

// arrival is a record on its way through a shared transaction.
type arrival struct {
	sub    store.Submission
	hash   wire.Hash
	answer wire.Answer
}

// Accept decides about one record; see store.Store. Those that arrive at the
// same time share a transaction.
func (s *Store) Accept(ctx context.Context, sub store.Submission) (wire.Answer, error) {
	a := &arrival{sub: sub, hash: sub.Envelope.RecHash()}
	if err := s.accept.Do(ctx, a); err != nil {
		return wire.Answer{}, fmt.Errorf("accepting a record: %w", err)
	}
	return a.answer, nil
}

// acceptAll decides about records in one transaction.
func (s *Store) acceptAll(ctx context.Context, arrivals []*arrival) error {
	for _, a := range arrivals {
		if err := s.months.ensure(ctx, s.pool, monthOf(a.sub.At)); err != nil {
			return err
		}
	}
	return s.write(ctx, func(tx pgx.Tx) error {
		d, err := readState(ctx, tx, arrivals)
		if err != nil {
			return err
		}
		for _, a := range arrivals {
			if err := d.decide(a); err != nil {
				return err
			}
		}
		if err := d.number(ctx, tx); err != nil {
			return err
		}
		return d.write(ctx, tx)
	})
}

// decision is the state that a group of records meets, and what it writes. The
// rows of its agents are locked.
type decision struct {
	agents map[wire.AgentID]*store.Agent
	held   map[place]answered
	blobs  map[wire.Hash]bool
	kept   []*arrival // to be stored, in this order
	leaves []*wire.Leaf
	owners []*arrival // of the leaves
	twins  []twin
	moved  map[wire.AgentID]bool
	rows   rows
	queue  pgx.Batch // what is seldom written
}

// twin is a record that arrived twice in one group.
type twin struct{ again, first *arrival }

// place is where a record stands in a chain.
type place struct {
	agent wire.AgentID
	seq   wire.Seq
}

// answered is a record that was decided before, by an arrival if that was in this
// group.
type answered struct {
	hash   wire.Hash
	answer wire.Answer
	by     *arrival
}

// readState locks the agents in the order of their ids and reads, in one round
// trip, all that the decisions need.
func readState(ctx context.Context, tx pgx.Tx, arrivals []*arrival) (*decision, error) {
	d := &decision{agents: map[wire.AgentID]*store.Agent{}, held: map[place]answered{}, blobs: map[wire.Hash]bool{}, moved: map[wire.AgentID]bool{}}
	var ids []string
	var seqs []int64
	var names [][]byte
	for _, a := range arrivals {
		ids = append(ids, string(a.sub.Agent))
		seqs = append(seqs, int64(a.sub.Header.Seq))
		for i, p := range a.sub.Header.Parts {
			if a.sub.Ahead(i) {
				names = append(names, p.SHA256[:])
			}
		}
	}
	var b pgx.Batch
	b.Queue(`SELECT `+agentColumns+` FROM agent WHERE id=ANY($1) ORDER BY id FOR UPDATE`, ids)
	b.Queue(`SELECT agent, seq, rec_hash, answer FROM accepted JOIN unnest($1::text[], $2::bigint[]) AS w(a, s) ON agent=a AND seq=s`, ids, seqs)
	if len(names) > 0 {
		b.Queue(`SELECT sha256 FROM blob WHERE sha256=ANY($1) AND complete ORDER BY sha256 FOR SHARE`, names)
	}
	r := tx.SendBatch(ctx, &b)
	err := d.read(r, len(names) > 0)
	if closing := r.Close(); err == nil {
		err = closing
	}
	if err != nil {
		return nil, fmt.Errorf("reading what is held: %w", err)
	}
	return d, nil
}

// read takes the answers to what readState asked.
func (d *decision) read(r pgx.BatchResults, blobs bool) error {
	rows, err := r.Query()
	if err != nil {
		return err
	}
	agents, err := pgx.CollectRows(rows, scanAgent)
	if err != nil {
		return err
	}
	for _, a := range agents {
		d.agents[a.ID] = &a
	}
	if rows, err = r.Query(); err != nil {
		return err
	}
	var p place
	var hash, text []byte
	_, err = pgx.ForEachRow(rows, []any{&p.agent, &p.seq, &hash, &text}, func() error {
		var a answered
		copy(a.hash[:], hash)
		d.held[p] = a
		if err := json.Unmarshal(text, &a.answer); err != nil {
			return fmt.Errorf("reading the first answer: %w", err)
		}
		d.held[p] = a
		return nil
	})
	if err != nil || !blobs {
		return err
	}
	if rows, err = r.Query(); err != nil {
		return err
	}
	var name []byte
	_, err = pgx.ForEachRow(rows, []any{&name}, func() error {
		d.blobs[wire.Hash(name)] = true
		return nil
	})
	return err
}

// decide answers one record, in the order of the contract, as if those before it
// were committed. What is stored gets its receipt later.
func (d *decision) decide(a *arrival) error {
	agent, seq := d.agents[a.sub.Agent], a.sub.Header.Seq
	if agent == nil || !a.sub.Of(*agent) {
		a.answer = wire.Answer{Verdict: store.Unknown}
		return nil
	}
	if first, ok := d.held[place{agent.ID, seq}]; ok && seq < agent.Expect && first.hash == a.hash {
		if a.answer = first.answer; first.by != nil {
			d.twins = append(d.twins, twin{a, first.by})
		}
		return nil
	}
	switch {
	case agent.Quarantined:
		a.answer = wire.Answer{Verdict: store.Quarantined}
	case seq < agent.Expect, seq == agent.Expect && a.sub.Header.Prev != agent.Head:
		d.fork(a, agent)
	case seq > agent.Expect:
		a.answer = wire.Answer{Verdict: wire.Gap, Expect: agent.Expect}
	case a.sub.Refuse != "":
		return d.refuse(a, agent)
	default:
		d.keep(a, agent)
	}
	return nil
}

// fork quarantines the agent and keeps the second version aside.
func (d *decision) fork(a *arrival, agent *store.Agent) {
	agent.Quarantined = true
	d.setAside(a, "fork", nil)
	d.queue.Queue(`UPDATE agent SET quarantined=true WHERE id=$1`, agent.ID)
	a.answer = wire.Answer{Verdict: wire.Fork}
}

// refuse lets a signed refusal take the record's place in the chain.
func (d *decision) refuse(a *arrival, agent *store.Agent) error {
	refusal, err := a.sub.SignRefusal(wire.Refusal{
		Agent: a.sub.Agent, Seq: a.sub.Header.Seq, RecHash: a.hash, Reason: a.sub.Refuse, At: a.sub.At,
	})
	if err != nil {
		return err
	}
	a.answer = wire.Answer{Verdict: wire.Refused, Refusal: &refusal}
	d.setAside(a, a.sub.Refuse, func(wire.Part) bool { return false })
	d.leaf(a, wire.Leaf{Kind: wire.LeafRefusal, At: a.sub.At, By: string(a.sub.Agent), Subject: a.hash, Word: a.sub.Refuse})
	d.advance(a, agent)
	return d.remember(a, a.answer, nil)
}

// setAside keeps what has no place in the log.
func (d *decision) setAside(a *arrival, reason string, keep func(wire.Part) bool) {
	d.queue.Queue(`INSERT INTO aside(agent, seq, rec_hash, reason, at, envelope) VALUES($1,$2,$3,$4,$5,$6)`,
		a.sub.Agent, int64(a.sub.Header.Seq), a.hash[:], reason, a.sub.At.UnixMilli(), a.sub.Envelope.Marshal(keep))
}

// keep takes a record whose parts are all there.
func (d *decision) keep(a *arrival, agent *store.Agent) {
	var missing []wire.Hash
	for i, p := range a.sub.Header.Parts {
		if a.sub.Ahead(i) && !d.blobs[p.SHA256] {
			missing = append(missing, p.SHA256)
		}
	}
	if len(missing) > 0 {
		a.answer = wire.Answer{Verdict: wire.MissingBlobs, Missing: missing}
		return
	}
	a.answer = wire.Answer{Verdict: wire.Stored}
	d.kept = append(d.kept, a)
	d.leaf(a, wire.Leaf{Kind: wire.LeafRecord, At: a.sub.At, By: string(a.sub.Agent), Subject: a.hash})
	d.advance(a, agent)
}

// advance moves the agent's chain over a record. The same record again within
// the group finds its answer by then.
func (d *decision) advance(a *arrival, agent *store.Agent) {
	agent.Expect, agent.Head = a.sub.Header.Seq+1, a.hash
	d.held[place{agent.ID, a.sub.Header.Seq}] = answered{hash: a.hash, by: a}
	d.moved[agent.ID] = true
}

// leaf notes a leaf to be written.
func (d *decision) leaf(a *arrival, l wire.Leaf) {
	d.leaves, d.owners = append(d.leaves, &l), append(d.owners, a)
}

// number locks the counter and gives records and leaves their places.
func (d *decision) number(ctx context.Context, tx pgx.Tx) error {
	if len(d.leaves) == 0 {
		return nil
	}
	records, leaves, err := advanceCounter(ctx, tx, len(d.kept), len(d.leaves))
	if err != nil {
		return err
	}
	for i, l := range d.leaves {
		number := leaves + int64(i)
		if l.Kind == wire.LeafRecord {
			records++
			l.Index = uint64(records)
			if err := d.store(d.owners[i], l.Index, number); err != nil {
				return err
			}
		}
		d.rows.leaf.Add(number, *l)
	}
	return nil
}

// store signs a record's receipt and notes its rows.
func (d *decision) store(a *arrival, index uint64, leaf int64) error {
	receipt, err := a.sub.SignReceipt(wire.Receipt{
		Agent: a.sub.Agent, Seq: a.sub.Header.Seq, RecHash: a.hash, LogIndex: index, At: a.sub.At,
	})
	if err != nil {
		return err
	}
	a.answer.Receipt = &receipt
	month := int32(monthOf(a.sub.At))
	d.rows.record.Add(month, int64(index), a.sub)
	for i := range a.sub.Envelope.Parts {
		d.rows.part.Add(month, int64(index), i, a.sub)
	}
	return d.remember(a, wire.Answer{Verdict: wire.Replayed, Receipt: &receipt}, &leaf)
}

// remember keeps the answer that a record gets from now on.
func (d *decision) remember(a *arrival, first wire.Answer, leaf *int64) error {
	text, err := json.Marshal(first)
	if err != nil {
		return fmt.Errorf("writing the answer: %w", err)
	}
	d.rows.accepted.Add(a.sub, a.hash, string(text), leaf)
	return nil
}

// write sends all rows in one round trip, and gives those who sent a record
// twice within the group the first one's answer.
func (d *decision) write(ctx context.Context, tx pgx.Tx) error {
	for _, t := range d.twins {
		if t.again.answer = t.first.answer; t.again.answer.Verdict == wire.Stored {
			t.again.answer.Verdict = wire.Replayed
		}
	}
	d.rows.queue(&d.queue)
	d.queueMoves()
	if d.queue.Len() == 0 {
		return nil
	}
	if err := tx.SendBatch(ctx, &d.queue).Close(); err != nil {
		return fmt.Errorf("writing records: %w", err)
	}
	return nil
}

// queueMoves notes how far the chains have come.
func (d *decision) queueMoves() {
	var ids []string
	var expect []int64
	var heads [][]byte
	for id := range d.moved {
		ids, expect, heads = append(ids, string(id)), append(expect, int64(d.agents[id].Expect)), append(heads, d.agents[id].Head[:])
	}
	if len(ids) > 0 {
		d.queue.Queue(`UPDATE agent SET expect=e, head=h FROM unnest($1::text[], $2::bigint[], $3::bytea[]) AS w(i, e, h) WHERE id=i`, ids, expect, heads)
	}
}

// advanceCounter takes places for records and leaves and returns how many there
// were before. The row stays locked until the transaction ends.
func advanceCounter(ctx context.Context, tx pgx.Tx, records, leaves int) (r, l int64, err error) {
	err = tx.QueryRow(ctx, `UPDATE counter SET records=records+$1, leaves=leaves+$2 RETURNING records-$1, leaves-$2`, int64(records), int64(leaves)).Scan(&r, &l)
	if err != nil {
		return 0, 0, fmt.Errorf("numbering in the log: %w", err)
	}
	return r, l, nil
}

// queueLeaf notes a leaf's row.
func queueLeaf(b *pgx.Batch, number int64, l wire.Leaf) {
	b.Queue(`INSERT INTO leaf(number, kind, at, by, subject, log_index, word) VALUES($1,$2,$3,$4,$5,$6,$7)`,
		number, string(l.Kind), l.At.UnixMilli(), l.By, slices.Clone(l.Subject[:]), int64(l.Index), l.Word)
}
