package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/counterproof/counterproof/sync/store"
	"github.com/counterproof/counterproof/sync/wire"
)

// together is how many records share a transaction at most.
const together = 64

// arrival is a record on its way through a shared transaction.
type arrival struct {
	sub    store.Submission
	answer wire.Answer
}

// Accept decides about one record; see store.Store. Those that arrive while
// another is written share the next transaction.
func (s *Store) Accept(ctx context.Context, sub store.Submission) (wire.Answer, error) {
	a := &arrival{sub: sub}
	if err := s.accept.Do(ctx, a); err != nil {
		return wire.Answer{}, fmt.Errorf("accepting a record: %w", err)
	}
	return a.answer, nil
}

// acceptAll decides about records in one transaction.
func (s *Store) acceptAll(ctx context.Context, arrivals []*arrival) error {
	return s.write(ctx, func(tx *sql.Tx) error {
		for _, a := range arrivals {
			var err error
			if a.answer, err = accept(ctx, tx, a.sub); err != nil {
				return err
			}
		}
		return nil
	})
}

// accept is the decision, in the order of the contract.
func accept(ctx context.Context, tx *sql.Tx, sub store.Submission) (wire.Answer, error) {
	agent, err := findAgent(ctx, tx, sub.Agent)
	if errors.Is(err, store.ErrUnknown) {
		return wire.Answer{Verdict: store.Unknown}, nil
	}
	if err != nil {
		return wire.Answer{}, err
	}
	if !sub.Of(agent) {
		return wire.Answer{Verdict: store.Unknown}, nil
	}
	hash, seq := sub.Envelope.RecHash(), sub.Header.Seq
	if seq < agent.Expect {
		if first, err := replay(ctx, tx, sub.Agent, seq, hash); err != nil || first.Verdict != "" {
			return first, err
		}
	}
	switch {
	case agent.Quarantined:
		return wire.Answer{Verdict: store.Quarantined}, nil
	case seq < agent.Expect, seq == agent.Expect && sub.Header.Prev != agent.Head:
		return fork(ctx, tx, sub)
	case seq > agent.Expect:
		return wire.Answer{Verdict: wire.Gap, Expect: agent.Expect}, nil
	case sub.Refuse != "":
		return refuse(ctx, tx, sub, hash)
	}
	missing, err := missingBlobs(ctx, tx, sub)
	if err != nil || len(missing) > 0 {
		return wire.Answer{Verdict: wire.MissingBlobs, Missing: missing}, err
	}
	return keep(ctx, tx, sub, hash)
}

// replay finds the first answer to a record that is held already; no verdict
// means that its number is another's.
func replay(ctx context.Context, tx *sql.Tx, agent wire.AgentID, seq wire.Seq, hash wire.Hash) (wire.Answer, error) {
	var held, text []byte
	err := tx.QueryRowContext(ctx, `SELECT rec_hash, answer FROM accepted WHERE agent=? AND seq=?`, agent, seq).Scan(&held, &text)
	if err != nil {
		return wire.Answer{}, fmt.Errorf("looking for number %d: %w", seq, err)
	}
	if string(held) != string(hash[:]) {
		return wire.Answer{}, nil
	}
	var first wire.Answer
	if err := json.Unmarshal(text, &first); err != nil {
		return wire.Answer{}, fmt.Errorf("reading the first answer: %w", err)
	}
	return first, nil
}

// fork quarantines the agent and keeps the second version aside.
func fork(ctx context.Context, tx *sql.Tx, sub store.Submission) (wire.Answer, error) {
	if err := setAside(ctx, tx, sub, "fork", nil); err != nil {
		return wire.Answer{}, err
	}
	if _, err := tx.ExecContext(ctx, `UPDATE agent SET quarantined=1 WHERE id=?`, sub.Agent); err != nil {
		return wire.Answer{}, fmt.Errorf("quarantining the agent: %w", err)
	}
	return wire.Answer{Verdict: wire.Fork}, nil
}

// refuse lets a signed refusal take the record's place in the chain.
func refuse(ctx context.Context, tx *sql.Tx, sub store.Submission, hash wire.Hash) (wire.Answer, error) {
	refusal, err := sub.SignRefusal(wire.Refusal{
		Agent: sub.Agent, Seq: sub.Header.Seq, RecHash: hash, Reason: sub.Refuse, At: sub.At,
	})
	if err != nil {
		return wire.Answer{}, err
	}
	answer := wire.Answer{Verdict: wire.Refused, Refusal: &refusal}
	withoutParts := func(wire.Part) bool { return false }
	if err := setAside(ctx, tx, sub, sub.Refuse, withoutParts); err != nil {
		return wire.Answer{}, err
	}
	leaf := wire.Leaf{Kind: wire.LeafRefusal, At: sub.At, By: string(sub.Agent), Subject: hash, Word: sub.Refuse}
	if err := addLeaf(ctx, tx, leaf); err != nil {
		return wire.Answer{}, err
	}
	return answer, advance(ctx, tx, sub, hash, answer)
}

// setAside keeps what has no place in the log.
func setAside(ctx context.Context, tx *sql.Tx, sub store.Submission, reason string, keep func(wire.Part) bool) error {
	hash := sub.Envelope.RecHash()
	_, err := tx.ExecContext(ctx, `INSERT INTO aside(agent, seq, rec_hash, reason, at, envelope) VALUES(?,?,?,?,?,?)`,
		sub.Agent, sub.Header.Seq, hash[:], reason, sub.At.UnixMilli(), sub.Envelope.Marshal(keep))
	if err != nil {
		return fmt.Errorf("setting a record aside: %w", err)
	}
	return nil
}

// missingBlobs lists the parts that neither came with the record nor are held.
func missingBlobs(ctx context.Context, tx *sql.Tx, sub store.Submission) ([]wire.Hash, error) {
	var missing []wire.Hash
	for i, p := range sub.Header.Parts {
		if !sub.Ahead(i) {
			continue
		}
		held, err := blobHeld(ctx, tx, p.SHA256)
		if err != nil {
			return nil, err
		}
		if !held {
			missing = append(missing, p.SHA256)
		}
	}
	return missing, nil
}

// keep writes the record under the next log index and signs its receipt.
func keep(ctx context.Context, tx *sql.Tx, sub store.Submission, hash wire.Hash) (wire.Answer, error) {
	var index uint64
	if err := tx.QueryRowContext(ctx, `SELECT coalesce(max(log_index), 0) + 1 FROM record`).Scan(&index); err != nil {
		return wire.Answer{}, fmt.Errorf("numbering the record: %w", err)
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO record(log_index, agent, seq, header, signature) VALUES(?,?,?,?,?)`,
		index, sub.Agent, sub.Header.Seq, sub.Envelope.Header, sub.Envelope.Signature)
	if err != nil {
		return wire.Answer{}, fmt.Errorf("writing the record: %w", err)
	}
	for i, p := range sub.Envelope.Parts {
		var name []byte
		if sub.Ahead(i) {
			name = sub.Header.Parts[i].SHA256[:]
		}
		if _, err := tx.ExecContext(ctx, `INSERT INTO part(log_index, n, sealed, sha256) VALUES(?,?,?,?)`, index, i, p.Sealed, name); err != nil {
			return wire.Answer{}, fmt.Errorf("writing part %d: %w", i, err)
		}
	}
	receipt, err := sub.SignReceipt(wire.Receipt{
		Agent: sub.Agent, Seq: sub.Header.Seq, RecHash: hash, LogIndex: index, At: sub.At,
	})
	if err != nil {
		return wire.Answer{}, err
	}
	if err := addLeaf(ctx, tx, wire.LeafOf(receipt)); err != nil {
		return wire.Answer{}, err
	}
	first := wire.Answer{Verdict: wire.Replayed, Receipt: &receipt}
	if err := advance(ctx, tx, sub, hash, first); err != nil {
		return wire.Answer{}, err
	}
	return wire.Answer{Verdict: wire.Stored, Receipt: &receipt}, nil
}

// advance moves the agent's chain over the record and keeps the answer that
// the record gets from now on.
func advance(ctx context.Context, tx *sql.Tx, sub store.Submission, hash wire.Hash, answer wire.Answer) error {
	text, err := json.Marshal(answer)
	if err != nil {
		return fmt.Errorf("writing the answer: %w", err)
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO accepted(agent, seq, rec_hash, answer) VALUES(?,?,?,?)`,
		sub.Agent, sub.Header.Seq, hash[:], string(text))
	if err != nil {
		return fmt.Errorf("keeping the answer: %w", err)
	}
	_, err = tx.ExecContext(ctx, `UPDATE agent SET expect=?, head=? WHERE id=?`, sub.Header.Seq+1, hash[:], sub.Agent)
	if err != nil {
		return fmt.Errorf("moving the chain: %w", err)
	}
	return nil
}
