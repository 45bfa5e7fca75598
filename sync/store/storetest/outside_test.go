package storetest_test

import (
	"context"
	"testing"

	"github.com/counterproof/counterproof/sync/object"
	"github.com/counterproof/counterproof/sync/store/storetest"
)

// TestOutsideIsSeen: a store that keeps its blobs inside all the same breaks every
// rule that looks for them outside.
func TestOutsideIsSeen(t *testing.T) {
	t.Parallel()
	for _, rule := range storetest.OutsideRules() {
		open := opener(sound)
		err := rule.Check(t.Context(), t.TempDir(), func(ctx context.Context, dir string, _ object.Store) (storetest.Store, error) {
			return open(ctx, dir)
		})
		if err == nil {
			t.Errorf("%s: a store without objects keeps it", rule.Name)
		}
	}
}
