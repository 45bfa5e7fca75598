package sqlite

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/counterproof/counterproof/sync/store"
	"github.com/counterproof/counterproof/sync/wire"
)

// Agent returns an enrolled agent; see store.Store.
func (s *Store) Agent(ctx context.Context, id wire.AgentID) (store.Agent, error) {
	return findAgent(ctx, s.reader, id)
}

// agentColumns are read in the order of agentFields.
const agentColumns = `id, site, role, public, grade, enrolled, expect, head, quarantined, status, approved, invited`

// agentFields are where agentColumns are read to.
func agentFields(a *store.Agent, head *[]byte, enrolled *int64) []any {
	return []any{&a.ID, &a.Site, &a.Role, &a.Public, &a.Grade, enrolled, &a.Expect, head, &a.Quarantined, &a.Status, &a.Approved, &a.Invited}
}

// findAgent reads one agent; none is ErrUnknown, unwrapped.
func findAgent(ctx context.Context, q querier, id wire.AgentID) (store.Agent, error) {
	a := store.Agent{ID: id}
	var head []byte
	var enrolled int64
	err := q.QueryRowContext(ctx, `SELECT `+agentColumns+` FROM agent WHERE id=?`, id).Scan(agentFields(&a, &head, &enrolled)...)
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
		_, err := tx.ExecContext(ctx, `INSERT INTO code(hash, site, role, expires, by, second, grades) VALUES(?,?,?,?,?,?,?)`,
			c.Hash[:], c.Site, c.Role, c.Expires.UnixMilli(), c.By, c.Second, strings.Join(c.Grades, " "))
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
	c, usedBy, err := findCode(ctx, tx, e.Code)
	if err != nil {
		return store.Agent{}, err
	}
	a := store.Agent{
		ID: e.Agent, Site: c.Site, Role: c.Role, Public: e.Public, Grade: e.Grade, Enrolled: e.At, Expect: 1, Invited: c.By,
	}
	if c.Second {
		a.Status = store.Pending
	}
	old, err := findAgent(ctx, tx, e.Agent)
	switch again := usedBy == e.Agent && bytes.Equal(old.Public, e.Public); {
	case err != nil && !errors.Is(err, store.ErrUnknown):
		return store.Agent{}, err
	case usedBy != "" && usedBy != e.Agent, !good(c, e, again):
		return store.Agent{}, store.ErrCode
	case err == nil && (old.Status == store.Revoked || !again && !same(old, a)):
		return store.Agent{}, store.ErrCode
	case err == nil:
		return old, spend(ctx, tx, e)
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO agent(`+agentColumns+`) VALUES(?,?,?,?,?,?,1,?,0,?,'',?)`,
		a.ID, a.Site, a.Role, a.Public, a.Grade, a.Enrolled.UnixMilli(), a.Head[:], a.Status, a.Invited)
	if err != nil {
		return store.Agent{}, fmt.Errorf("writing the agent: %w", err)
	}
	return a, spend(ctx, tx, e)
}

// good reports whether a code may be spent on a key: it is young enough, unless
// the same key asks again while a second person takes their time, and allows how
// the key is kept.
func good(c store.Code, e store.Enrolment, again bool) bool {
	young := e.At.Before(c.Expires) || again && c.Second
	return young && (len(c.Grades) == 0 || slices.Contains(c.Grades, e.Grade))
}

// findCode reads a code and who has spent it; none is ErrCode.
func findCode(ctx context.Context, tx *sql.Tx, hash wire.Hash) (c store.Code, usedBy wire.AgentID, err error) {
	var used sql.NullString
	var expires int64
	var grades string
	err = tx.QueryRowContext(ctx, `SELECT site, role, expires, by, second, grades, agent FROM code WHERE hash=?`, hash[:]).
		Scan(&c.Site, &c.Role, &expires, &c.By, &c.Second, &grades, &used)
	if errors.Is(err, sql.ErrNoRows) {
		return c, "", store.ErrCode
	}
	if err != nil {
		return c, "", fmt.Errorf("looking for the code: %w", err)
	}
	c.Hash, c.Expires, c.Grades = hash, time.UnixMilli(expires), strings.Fields(grades)
	return c, wire.AgentID(used.String), nil
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
