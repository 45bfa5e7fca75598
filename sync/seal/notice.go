package seal

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/counterproof/counterproof/sync/wire"
)

// MaxOpeners bounds the openers' keys in a bundle (a count).
const MaxOpeners = 64

// ErrUnknownOpener: the notice names a key that is none of those at hand. A
// newer bundle may hold it.
var ErrUnknownOpener = errors.New("the notice is by an opener that is not known")

// SignNotice signs an opener's news: it sets Key and Sig, and cuts At to the
// milliseconds that the signature covers. The signer is the opener's enrolled
// P-256 key, the one that the centre knows it by, wherever it is kept.
func SignNotice(n wire.Notice, sign crypto.Signer) (wire.Notice, error) {
	fail := func(err error) (wire.Notice, error) {
		return wire.Notice{}, fmt.Errorf("signing a notice: %w", err)
	}
	public, err := x509.MarshalPKIXPublicKey(sign.Public())
	if err != nil {
		return fail(err)
	}
	n.Key, n.At = wire.KeyIDOf(public), n.At.UTC().Truncate(time.Millisecond)
	digest := sha256.Sum256(n.SignedBytes())
	if n.Sig, err = sign.Sign(rand.Reader, digest[:], crypto.SHA256); err != nil {
		return fail(err)
	}
	if err := VerifyNotice(n, [][]byte{public}); err != nil {
		return fail(err)
	}
	return n, nil
}

// VerifyNotice checks a notice's form, and its signature under the one of the
// openers' keys (PKIX DER, as wire.Bundle has them) that it names. Whom the
// notice is for is for the caller to ask.
func VerifyNotice(n wire.Notice, openers [][]byte) error {
	if err := n.Check(); err != nil {
		return fmt.Errorf("verifying a notice: %w", err)
	}
	i := slices.IndexFunc(openers, func(der []byte) bool { return wire.KeyIDOf(der) == n.Key })
	if i < 0 {
		return fmt.Errorf("verifying a notice: %w: key %s", ErrUnknownOpener, n.Key)
	}
	public, err := openerKey(openers[i])
	if err != nil {
		return fmt.Errorf("verifying a notice: %w", err)
	}
	digest := sha256.Sum256(n.SignedBytes())
	if !ecdsa.VerifyASN1(public, digest[:], n.Sig) {
		return fmt.Errorf("verifying a notice: %w", ErrSignature)
	}
	return nil
}

// openerKey reads an opener's key.
func openerKey(der []byte) (*ecdsa.PublicKey, error) {
	public, err := x509.ParsePKIXPublicKey(der)
	if err != nil {
		return nil, fmt.Errorf("reading an opener's key: %w", err)
	}
	key, ok := public.(*ecdsa.PublicKey)
	if !ok || key.Curve != elliptic.P256() {
		return nil, errors.New("reading an opener's key: it is not a P-256 key")
	}
	return key, nil
}

// checkOpeners asks whether notices can be verified with every key.
func checkOpeners(openers [][]byte) error {
	if len(openers) > MaxOpeners {
		return fmt.Errorf("%d openers", len(openers))
	}
	for _, der := range openers {
		if _, err := openerKey(der); err != nil {
			return err
		}
	}
	return nil
}
