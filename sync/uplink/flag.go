package uplink

import (
	"context"
	"slices"

	"github.com/counterproof/counterproof/sync/wire"
)

// Flags asks people of the centre's office to look at records, in runs of at most
// 100. The same flag again changes nothing there, so after a failure, of which
// nobody knows how far it came, all are posted again. Only an opener may.
func (c *Client) Flags(ctx context.Context, flags []wire.Flag) error {
	for _, f := range flags {
		if err := f.Check(); err != nil {
			return fault("flagging records", wire.KindProtocol, err)
		}
	}
	for run := range slices.Chunk(flags, maxRun) {
		body := struct {
			Flags []wire.Flag `json:"flags"`
		}{run}
		if err := c.hand(ctx, "/v1/opener/flags", body); err != nil {
			return fault("flagging records", wire.KindProtocol, err)
		}
	}
	return nil
}
