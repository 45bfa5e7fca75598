package sqlite

import (
	"context"
	"fmt"

	"github.com/counterproof/counterproof/sync/store"
	"github.com/counterproof/counterproof/sync/wire"
)

// AcceptRun decides about records that came together; see store.Store.
func (s *Store) AcceptRun(ctx context.Context, run []store.Submission) ([]wire.Answer, error) {
	arrivals := make([]*arrival, len(run))
	for i, sub := range run {
		arrivals[i] = &arrival{sub: sub}
	}
	if err := s.acceptAll(ctx, arrivals); err != nil {
		return nil, fmt.Errorf("accepting a run of records: %w", err)
	}
	answers := make([]wire.Answer, len(run))
	for i, a := range arrivals {
		answers[i] = a.answer
	}
	return answers, nil
}
