package postgres

import (
	"context"
	"testing"

	"github.com/counterproof/counterproof/sync/object"
	"github.com/counterproof/counterproof/sync/store/storetest"
)

func TestContractOutside(t *testing.T) {
	t.Parallel()
	c := running(t)
	storetest.RunOutside(t, func(ctx context.Context, dir string, o object.Store) (storetest.Store, error) {
		source, err := database(ctx, c, nameOf(dir))
		if err != nil {
			return nil, err
		}
		return OpenWith(ctx, source, Config{Objects: o})
	})
}
