package witness

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/x509"
	"errors"
	"fmt"

	"github.com/counterproof/counterproof/sync/seal"
	"github.com/counterproof/counterproof/sync/store"
	"github.com/counterproof/counterproof/sync/wire"
)

// errOtherRecord: a receipt is signed, but about something else.
var errOtherRecord = errors.New("it names another record")

// errDamaged is what the centre says of a record that its disk has not kept.
var errDamaged = errors.New("the centre does not have it whole any more")

// Record checks that a delivered record is whole, and both of its signatures;
// Kind damaged if not.
func Record(r store.Record, key ed25519.PublicKey) error {
	if r.Damaged {
		return &wire.Error{Op: "reading a record", Kind: wire.KindDamaged, Err: errDamaged}
	}
	err := seal.VerifyReceipt(r.Receipt, key)
	if err == nil {
		err = verifyOrigin(r)
	}
	if err != nil {
		return &wire.Error{Op: "verifying a record", Kind: wire.KindDamaged, Err: err}
	}
	return nil
}

// verifyOrigin checks the counter's signature and that the receipt is for it.
func verifyOrigin(r store.Record) error {
	public, err := x509.ParsePKIXPublicKey(r.Origin.Public)
	if err != nil {
		return fmt.Errorf("reading the counter's key: %w", err)
	}
	key, ok := public.(*ecdsa.PublicKey)
	if !ok {
		return errors.New("the counter's key is no ECDSA key")
	}
	h, err := verifyEnvelope(r, key)
	if err != nil {
		return err
	}
	if r.Envelope.RecHash() != r.Receipt.RecHash || h.Agent != r.Receipt.Agent || h.Seq != r.Receipt.Seq {
		return errOtherRecord
	}
	return nil
}

// verifyEnvelope checks the counter's signature and, where they are still there,
// the parts.
func verifyEnvelope(r store.Record, key *ecdsa.PublicKey) (wire.Header, error) {
	if r.Erased {
		return seal.VerifyHeader(r.Envelope, key)
	}
	return seal.Verify(r.Envelope, key)
}
