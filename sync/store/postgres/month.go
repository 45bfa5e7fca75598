package postgres

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// months are the partitions that are known to be there.
type months struct {
	mu    sync.Mutex
	known map[int]bool
}

// monthOf is the partition of what was accepted at a time.
func monthOf(at time.Time) int {
	at = at.UTC()
	return at.Year()*100 + int(at.Month())
}

// ensure makes a month's partitions where they are missing.
func (m *months) ensure(ctx context.Context, pool *pgxpool.Pool, month int) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.known[month] {
		return nil
	}
	for _, table := range []string{"record", "part"} {
		name := fmt.Sprintf("%s_%06d", table, month)
		_, err := pool.Exec(ctx, fmt.Sprintf(`CREATE TABLE IF NOT EXISTS %s PARTITION OF %s FOR VALUES FROM (%d) TO (%d)`, name, table, month, month+1))
		if err != nil && !madeByAnother(err) {
			return fmt.Errorf("making the partition %s: %w", name, err)
		}
	}
	m.known[month] = true
	return nil
}

// madeByAnother reports whether a partition was not made because another process
// made it in the same moment (unique_violation, duplicate_table,
// invalid_object_definition for an overlap).
func madeByAnother(err error) bool {
	e, ok := errors.AsType[*pgconn.PgError](err)
	return ok && (e.Code == "23505" || e.Code == "42P07" || e.Code == "42P17")
}
