package whole

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"

	"github.com/counterproof/counterproof/sync/fleet/ledger"
	"github.com/counterproof/counterproof/sync/store"
	"github.com/counterproof/counterproof/sync/wire"
)

// Group is some counters, each in a folder of its own. The zero value has none.
type Group []*Counter

// Enrol adds a counter below dir for each invitation, which is spent at the given
// address.
func (g *Group) Enrol(ctx context.Context, dir, address string, invites []store.Invite, wrap func(http.RoundTripper) http.RoundTripper) error {
	for n, invite := range invites {
		invite.Address = address
		c, err := Open(filepath.Join(dir, fmt.Sprint(n)), wrap)
		if err != nil {
			return err
		}
		*g = append(*g, c)
		if err := c.Enrol(ctx, invite); err != nil {
			return err
		}
	}
	return nil
}

// Fill lets every counter queue so many records, each with a header of its own.
func (g Group) Fill(ctx context.Context, rounds int, header func() (wire.Header, error), parts Make) error {
	for range rounds {
		for _, c := range g {
			h, err := header()
			if err == nil {
				err = c.Enqueue(ctx, h, parts)
			}
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// Ledgers are what the counters believe.
func (g Group) Ledgers(ctx context.Context) ([]*ledger.Ledger, error) {
	var all []*ledger.Ledger
	for _, c := range g {
		l, err := c.Ledger(ctx)
		if err != nil {
			return nil, err
		}
		all = append(all, l)
	}
	return all, nil
}

// Close closes all queues.
func (g Group) Close() error {
	var err error
	for _, c := range g {
		err = errors.Join(err, c.Close())
	}
	return err
}
