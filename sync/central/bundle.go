package central

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"time"

	"github.com/counterproof/counterproof/sync/central/api"
	"github.com/counterproof/counterproof/sync/central/authority"
	"github.com/counterproof/counterproof/sync/seal"
	"github.com/counterproof/counterproof/sync/store"
	"github.com/counterproof/counterproof/sync/wire"
)

// bundleAge is when a bundle is issued anew though nothing in it changed, so
// that its age says when the centre was last heard of.
const bundleAge = 30 * 24 * time.Hour

// bundle hands out the signed bundle.
func (c *Central) bundle(w http.ResponseWriter, r *http.Request, _ store.Agent) {
	b, err := c.freshBundle(r.Context())
	if err != nil {
		c.fail(w, r, err)
		return
	}
	writeJSON(w, http.StatusOK, b)
}

// freshBundle returns the bundle in force and makes it, or makes it anew, if
// that is due.
func (c *Central) freshBundle(ctx context.Context) (wire.Signed, error) {
	signed, err := c.store.Bundle(ctx, nil)
	if err != nil {
		return wire.Signed{}, err
	}
	if signed.Body != nil {
		b, err := c.readBundle(signed)
		if err != nil || time.Since(b.Issued) < bundleAge {
			return signed, err
		}
	}
	return c.changeBundle(ctx, func(b wire.Bundle) wire.Bundle { return b })
}

// changeBundle signs the next version of the bundle with a change made to it.
func (c *Central) changeBundle(ctx context.Context, change func(wire.Bundle) wire.Bundle) (wire.Signed, error) {
	return c.store.Bundle(ctx, func(old wire.Signed) (wire.Signed, error) {
		var b wire.Bundle
		if old.Body != nil {
			var err error
			if b, err = c.readBundle(old); err != nil {
				return wire.Signed{}, err
			}
		}
		next := change(b)
		next.Version = b.Version + 1
		next.Issued = time.Now().UTC().Truncate(time.Second)
		next.Training = c.cfg.Training
		next.ReceiptKey = c.keys.Public()
		return seal.SignBundle(next, c.keys.Receipt)
	})
}

// readBundle reads the stored bundle, which must be ours: a data folder whose
// keys were lost must not go on under new ones that no counter trusts.
func (c *Central) readBundle(s wire.Signed) (wire.Bundle, error) {
	b, err := seal.VerifyBundle(s, c.keys.Public())
	if err != nil {
		return wire.Bundle{}, fmt.Errorf("the stored bundle is not signed with %s: %w", authority.ReceiptFile, err)
	}
	return b, nil
}

// maxRecipients bounds the keys that an opener hands in (a count).
const maxRecipients = 64

// putRecipients takes the keys that parts are sealed to from now on, of an
// opener whose notices the counters believe with the same bundle.
func (c *Central) putRecipients(w http.ResponseWriter, r *http.Request, a store.Agent) {
	var recipients []wire.Recipient
	if !readJSON(w, r, api.MaxRecipients, &recipients) {
		return
	}
	if !checkRecipients(recipients) {
		writeJSON(w, http.StatusBadRequest, wire.Answer{Verdict: wire.Altered})
		return
	}
	signed, err := c.recipients(r.Context(), a, recipients)
	if err != nil {
		c.fail(w, r, err)
		return
	}
	writeJSON(w, http.StatusOK, signed)
}

// checkRecipients reports whether every key can be sealed to.
func checkRecipients(recipients []wire.Recipient) bool {
	for _, k := range recipients {
		if k.Part == "" || len(k.Part) > wire.MaxName || seal.CheckRecipient(k) != nil {
			return false
		}
	}
	return len(recipients) > 0 && len(recipients) <= maxRecipients
}

// recipients puts the keys into the next bundle; the same keys of the same
// opener again leave it as it is.
func (c *Central) recipients(ctx context.Context, a store.Agent, recipients []wire.Recipient) (wire.Signed, error) {
	signed, err := c.freshBundle(ctx)
	if err != nil {
		return wire.Signed{}, err
	}
	b, err := c.readBundle(signed)
	if err != nil || reflect.DeepEqual(b.Recipients, recipients) && believed(b, a) {
		return signed, err
	}
	return c.changeBundle(ctx, func(b wire.Bundle) wire.Bundle {
		b.Recipients = recipients
		return withOpener(b, a)
	})
}

// Disbelieve lets counters believe an opener's notices no more, from the next
// bundle on.
func (c *Central) Disbelieve(ctx context.Context, a store.Agent) error {
	b, err := c.Bundle(ctx)
	if err != nil || !believed(b, a) {
		return err
	}
	_, err = c.changeBundle(ctx, func(b wire.Bundle) wire.Bundle {
		b.Openers = slices.DeleteFunc(slices.Clone(b.Openers), func(der []byte) bool { return bytes.Equal(der, a.Public) })
		return b
	})
	return err
}
