package postgres

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/counterproof/counterproof/sync/store"
	"github.com/counterproof/counterproof/sync/wire"
)

// agentColumns are read by scanAgent.
const agentColumns = `id, site, role, public, grade, enrolled, expect, head, quarantined, status, approved, invited`

// scanAgent reads one agent's row.
func scanAgent(row pgx.CollectableRow) (store.Agent, error) {
	var a store.Agent
	var head []byte
	var enrolled, expect int64
	err := row.Scan(&a.ID, &a.Site, &a.Role, &a.Public, &a.Grade, &enrolled, &expect, &head, &a.Quarantined, &a.Status, &a.Approved, &a.Invited)
	a.Enrolled, a.Expect = time.UnixMilli(enrolled).UTC(), wire.Seq(expect)
	copy(a.Head[:], head)
	return a, err
}

// Agent finds an agent; see store.Store.
func (s *Store) Agent(ctx context.Context, id wire.AgentID) (store.Agent, error) {
	return findAgent(ctx, s.pool, id, "")
}

// findAgent reads one agent, under a lock if one is named; none is ErrUnknown,
// unwrapped.
func findAgent(ctx context.Context, q querier, id wire.AgentID, locking string) (store.Agent, error) {
	rows, err := q.Query(ctx, `SELECT `+agentColumns+` FROM agent WHERE id=$1 `+locking, id)
	if err != nil {
		return store.Agent{}, fmt.Errorf("looking for the agent: %w", err)
	}
	a, err := pgx.CollectExactlyOneRow(rows, scanAgent)
	if errors.Is(err, pgx.ErrNoRows) {
		return store.Agent{}, store.ErrUnknown
	}
	if err != nil {
		return store.Agent{}, fmt.Errorf("looking for the agent: %w", err)
	}
	return a, nil
}

// AddCode makes a one-time code; see store.Store.
func (s *Store) AddCode(ctx context.Context, c store.Code) error {
	_, err := s.pool.Exec(ctx, `INSERT INTO code(hash, site, role, expires, by, second, grades) VALUES($1,$2,$3,$4,$5,$6,$7)`,
		c.Hash[:], c.Site, c.Role, c.Expires.UnixMilli(), c.By, c.Second, append([]string{}, c.Grades...))
	if err != nil {
		return fmt.Errorf("keeping an enrolment code: %w", err)
	}
	return nil
}

// Enrol spends a code; see store.Store.
func (s *Store) Enrol(ctx context.Context, e store.Enrolment) (store.Agent, error) {
	var a store.Agent
	err := s.write(ctx, func(tx pgx.Tx) error {
		var err error
		a, err = enrol(ctx, tx, e)
		return err
	})
	if err != nil {
		return store.Agent{}, fmt.Errorf("enrolling: %w", err)
	}
	return a, nil
}

// enrol checks the code, whose row it locks, and makes the agent, or finds it.
func enrol(ctx context.Context, tx pgx.Tx, e store.Enrolment) (store.Agent, error) {
	c, usedBy, err := findCode(ctx, tx, e.Code)
	if err != nil {
		return store.Agent{}, err
	}
	a := store.Agent{
		ID: e.Agent, Site: c.Site, Role: c.Role, Public: e.Public, Grade: e.Grade,
		Enrolled: e.At.UTC().Truncate(time.Millisecond), Expect: 1, Invited: c.By,
	}
	if c.Second {
		a.Status = store.Pending
	}
	made, err := tx.Exec(ctx, `INSERT INTO agent(`+agentColumns+`) VALUES($1,$2,$3,$4,$5,$6,1,$7,false,$8,'',$9) ON CONFLICT(id) DO NOTHING`,
		a.ID, a.Site, a.Role, a.Public, a.Grade, a.Enrolled.UnixMilli(), a.Head[:], a.Status, a.Invited)
	if err != nil {
		return store.Agent{}, fmt.Errorf("writing the agent: %w", err)
	}
	old, err := findAgent(ctx, tx, e.Agent, "FOR UPDATE")
	if err != nil {
		return store.Agent{}, err
	}
	enrolled := made.RowsAffected() == 0
	again := enrolled && usedBy == e.Agent && bytes.Equal(old.Public, e.Public)
	if usedBy != "" && usedBy != e.Agent || enrolled && (!again && !same(old, a) || old.Status == store.Revoked) || !good(c, e, again) {
		return store.Agent{}, store.ErrCode
	}
	if _, err := tx.Exec(ctx, `UPDATE code SET agent=$1 WHERE hash=$2`, e.Agent, e.Code[:]); err != nil {
		return store.Agent{}, fmt.Errorf("spending the code: %w", err)
	}
	return old, nil
}

// good reports whether a code is good for a key, by its age and grade. Whoever
// spent one that asks for a second person may ask with it until that has come.
func good(c store.Code, e store.Enrolment, again bool) bool {
	late := !e.At.Before(c.Expires) && !(again && c.Second)
	return !late && (len(c.Grades) == 0 || slices.Contains(c.Grades, e.Grade))
}

// findCode reads and locks a code, and tells who has spent it; none is ErrCode.
func findCode(ctx context.Context, tx pgx.Tx, hash wire.Hash) (c store.Code, usedBy wire.AgentID, err error) {
	var expires int64
	err = tx.QueryRow(ctx, `SELECT site, role, expires, by, second, grades, agent FROM code WHERE hash=$1 FOR UPDATE`, hash[:]).
		Scan(&c.Site, &c.Role, &expires, &c.By, &c.Second, &c.Grades, &usedBy)
	if errors.Is(err, pgx.ErrNoRows) {
		return c, "", store.ErrCode
	}
	if err != nil {
		return c, "", fmt.Errorf("looking for the code: %w", err)
	}
	c.Hash, c.Expires = hash, time.UnixMilli(expires)
	return c, usedBy, nil
}

// same reports whether an enrolled agent is the one that a code and a key would
// make.
func same(old, a store.Agent) bool {
	return bytes.Equal(old.Public, a.Public) && old.Site == a.Site && old.Role == a.Role
}
