package sqlite

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/counterproof/counterproof/sync/store"
	"github.com/counterproof/counterproof/sync/wire"
)

// Agent returns an enrolled agent; see store.Store.
func (s *Store) Agent(ctx context.Context, id wire.AgentID) (store.Agent, error) {
	return findAgent(ctx, s.reader, id)
}

// findAgent reads one agent; none is ErrUnknown, unwrapped.
func findAgent(ctx context.Context, q querier, id wire.AgentID) (store.Agent, error) {
	a := store.Agent{ID: id}
	var head []byte
	var enrolled int64
	err := q.QueryRowContext(ctx, `SELECT site, role, public, grade, enrolled, expect, head, quarantined FROM agent WHERE id=?`, id).
		Scan(&a.Site, &a.Role, &a.Public, &a.Grade, &enrolled, &a.Expect, &head, &a.Quarantined)
	if errors.Is(err, sql.ErrNoRows) {
		return store.Agent{}, store.ErrUnknown
	}
	if err != nil {
		return store.Agent{}, fmt.Errorf("looking for an agent: %w", err)
	}
	copy(a.Head[:], head)
	a.Enrolled = time.UnixMilli(enrolled).UTC()
	return a, nil
}

// AddCode makes a one-time code; see store.Store.
func (s *Store) AddCode(ctx context.Context, c store.Code) error {
	return s.write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO code(hash, site, role, expires) VALUES(?,?,?,?)`,
			c.Hash[:], c.Site, c.Role, c.Expires.UnixMilli())
		if err != nil {
			return fmt.Errorf("keeping an enrolment code: %w", err)
		}
		return nil
	})
}

// Enrol spends a code for a new agent; see store.Store.
func (s *Store) Enrol(ctx context.Context, e store.Enrolment) (store.Agent, error) {
	var agent store.Agent
	err := s.write(ctx, func(tx *sql.Tx) error {
		var err error
		agent, err = enrol(ctx, tx, e)
		return err
	})
	if err != nil {
		return store.Agent{}, fmt.Errorf("enrolling: %w", err)
	}
	return agent, nil
}

// enrol checks the code and makes the agent, or finds it.
func enrol(ctx context.Context, tx *sql.Tx, e store.Enrolment) (store.Agent, error) {
	var usedBy sql.NullString
	var expires int64
	a := store.Agent{ID: e.Agent, Public: e.Public, Grade: e.Grade, Enrolled: e.At, Expect: 1}
	err := tx.QueryRowContext(ctx, `SELECT site, role, expires, agent FROM code WHERE hash=?`, e.Code[:]).
		Scan(&a.Site, &a.Role, &expires, &usedBy)
	if errors.Is(err, sql.ErrNoRows) || err == nil && !e.At.Before(time.UnixMilli(expires)) {
		return store.Agent{}, store.ErrCode
	}
	if err != nil {
		return store.Agent{}, fmt.Errorf("looking for the code: %w", err)
	}
	old, err := findAgent(ctx, tx, e.Agent)
	switch {
	case err == nil && !same(old, a), usedBy.Valid && usedBy.String != string(e.Agent):
		return store.Agent{}, store.ErrCode
	case err == nil:
		return old, spend(ctx, tx, e)
	case !errors.Is(err, store.ErrUnknown):
		return store.Agent{}, err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO agent(id, site, role, public, grade, enrolled, expect, head, quarantined) VALUES(?,?,?,?,?,?,1,?,0)`,
		a.ID, a.Site, a.Role, a.Public, a.Grade, a.Enrolled.UnixMilli(), a.Head[:])
	if err != nil {
		return store.Agent{}, fmt.Errorf("writing the agent: %w", err)
	}
	return a, spend(ctx, tx, e)
}

// same reports whether an enrolled agent is the one that a code and a key would
// make.
func same(old, a store.Agent) bool {
	return bytes.Equal(old.Public, a.Public) && old.Site == a.Site && old.Role == a.Role
}

// spend notes which agent has used a code.
func spend(ctx context.Context, tx *sql.Tx, e store.Enrolment) error {
	if _, err := tx.ExecContext(ctx, `UPDATE code SET agent=? WHERE hash=?`, e.Agent, e.Code[:]); err != nil {
		return fmt.Errorf("spending the code: %w", err)
	}
	return nil
}
