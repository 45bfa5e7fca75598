package seal

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/counterproof/counterproof/sync/wire"
)

// ErrSignature: the signature is not the named key's over these bytes.
var ErrSignature = errors.New("the signature does not verify")

// bundleText begins the bytes under a bundle's signature; receipts, refusals
// and notices have their own beginnings in wire.
const bundleText = "counterproof bundle v1\n"

// Envelope signs a record: h, whose Parts are the infos that Seal gave, and
// the parts in the same order. The signer is the counter's P-256 key, wherever
// it is kept. A header that no centre would read is refused here, while the
// visit's draft still exists.
func Envelope(h wire.Header, parts []wire.Part, sign crypto.Signer) (wire.Envelope, error) {
	fail := func(err error) (wire.Envelope, error) {
		return wire.Envelope{}, fmt.Errorf("signing a record: %w", err)
	}
	public, ok := sign.Public().(*ecdsa.PublicKey)
	if !ok {
		return fail(errors.New("the counter's key is not an ECDSA key"))
	}
	for i, p := range parts {
		if slices.ContainsFunc(parts[:i], func(q wire.Part) bool { return q.Name == p.Name }) {
			return fail(fmt.Errorf("there are two parts called %s", p.Name))
		}
	}
	e := wire.Envelope{Header: h.Encode(), Parts: slices.Clone(parts)}
	if _, err := e.Check(); err != nil {
		return fail(err)
	}
	digest := sha256.Sum256(e.Header)
	var err error
	if e.Signature, err = sign.Sign(rand.Reader, digest[:], crypto.SHA256); err != nil {
		return fail(err)
	}
	if _, err := VerifyHeader(e, public); err != nil {
		return fail(err)
	}
	return e, nil
}

// Verify checks a whole record: the signature under the counter's key, and
// that the parts are the ones that the header names.
func Verify(e wire.Envelope, public *ecdsa.PublicKey) (wire.Header, error) {
	if _, err := VerifyHeader(e, public); err != nil {
		return wire.Header{}, err
	}
	h, err := e.Check()
	if err != nil {
		return wire.Header{}, fmt.Errorf("verifying a record: %w", err)
	}
	return h, nil
}

// VerifyHeader checks the signature alone, for a centre that gets the header
// before or without the large parts. The parts are not looked at.
func VerifyHeader(e wire.Envelope, public *ecdsa.PublicKey) (wire.Header, error) {
	if public == nil || public.Curve != elliptic.P256() {
		return wire.Header{}, errors.New("verifying a record: the counter's key is not a P-256 key")
	}
	digest := sha256.Sum256(e.Header)
	if len(e.Signature) > wire.MaxSignature || !ecdsa.VerifyASN1(public, digest[:], e.Signature) {
		return wire.Header{}, fmt.Errorf("verifying a record: %w", ErrSignature)
	}
	h, err := wire.DecodeHeader(e.Header)
	if err != nil {
		return wire.Header{}, fmt.Errorf("verifying a record: %w", err)
	}
	return h, nil
}

// SignBundle signs what the centre tells its counters. A bundle with a key
// that nothing can be sealed to, or no notice verified with, is not signed.
func SignBundle(b wire.Bundle, sign crypto.Signer) (wire.Signed, error) {
	if err := checkBundle(b); err != nil {
		return wire.Signed{}, fmt.Errorf("signing a bundle: %w", err)
	}
	body, err := json.Marshal(b)
	if err != nil {
		return wire.Signed{}, fmt.Errorf("signing a bundle: %w", err)
	}
	s := wire.Signed{Body: body}
	s.Key, s.Sig, err = signEd25519(sign, func(wire.KeyID) []byte { return bundleBytes(body) })
	if err != nil {
		return wire.Signed{}, fmt.Errorf("signing a bundle: %w", err)
	}
	return s, nil
}

// VerifyBundle checks a bundle's signature and that every key in it can be used
// for what it is there for; a counter that refuses a bundle goes on with the one it has.
// Whether the bundle is older than that one is for the caller to ask.
func VerifyBundle(s wire.Signed, public ed25519.PublicKey) (wire.Bundle, error) {
	if err := verifyEd25519(public, s.Key, bundleBytes(s.Body), s.Sig); err != nil {
		return wire.Bundle{}, fmt.Errorf("verifying a bundle: %w", err)
	}
	b, err := s.Bundle()
	if err == nil {
		err = checkBundle(b)
	}
	if err != nil {
		return wire.Bundle{}, fmt.Errorf("verifying a bundle: %w", err)
	}
	return b, nil
}

// bundleBytes are the bytes under a bundle's signature.
func bundleBytes(body []byte) []byte { return slices.Concat([]byte(bundleText), body) }

// checkBundle asks whether every recipient can be sealed to and every opener's
// notices be verified.
func checkBundle(b wire.Bundle) error {
	for _, r := range b.Recipients {
		if err := CheckRecipient(r); err != nil {
			return fmt.Errorf("the key for %s: %w", r.Part, err)
		}
	}
	return checkOpeners(b.Openers)
}

// SignReceipt signs the centre's word that it holds a record: it sets Key and
// Sig, and cuts At to the milliseconds that the signature covers.
func SignReceipt(r wire.Receipt, sign crypto.Signer) (wire.Receipt, error) {
	r.At = r.At.UTC().Truncate(time.Millisecond)
	var err error
	r.Key, r.Sig, err = signEd25519(sign, func(key wire.KeyID) []byte {
		r.Key = key
		return r.SignedBytes()
	})
	if err != nil {
		return wire.Receipt{}, fmt.Errorf("signing a receipt: %w", err)
	}
	return r, nil
}

// VerifyReceipt checks a receipt's signature. Whether it names the record that
// was sent is for the caller to ask.
func VerifyReceipt(r wire.Receipt, public ed25519.PublicKey) error {
	if err := verifyEd25519(public, r.Key, r.SignedBytes(), r.Sig); err != nil {
		return fmt.Errorf("verifying a receipt: %w", err)
	}
	return nil
}

// SignRefusal signs the centre's word that it will never take a record, as
// SignReceipt does.
func SignRefusal(r wire.Refusal, sign crypto.Signer) (wire.Refusal, error) {
	r.At = r.At.UTC().Truncate(time.Millisecond)
	var err error
	r.Key, r.Sig, err = signEd25519(sign, func(key wire.KeyID) []byte {
		r.Key = key
		return r.SignedBytes()
	})
	if err != nil {
		return wire.Refusal{}, fmt.Errorf("signing a refusal: %w", err)
	}
	return r, nil
}

// VerifyRefusal checks a refusal's signature, as VerifyReceipt does.
func VerifyRefusal(r wire.Refusal, public ed25519.PublicKey) error {
	if err := verifyEd25519(public, r.Key, r.SignedBytes(), r.Sig); err != nil {
		return fmt.Errorf("verifying a refusal: %w", err)
	}
	return nil
}

// signEd25519 signs the bytes that message writes for the key's name, and makes sure
// of what came out: a machine that errs while it signs can give a key away. A key at
// hand signs a second time, which gives the same (RFC 8032 §5.1.6) and takes half as
// long as verifying does.
func signEd25519(sign crypto.Signer, message func(wire.KeyID) []byte) (wire.KeyID, []byte, error) {
	public, ok := sign.Public().(ed25519.PublicKey)
	if !ok {
		return "", nil, errors.New("the centre's key is not an Ed25519 key")
	}
	key := wire.KeyIDOf(public)
	m := message(key)
	sig, err := sign.Sign(rand.Reader, m, crypto.Hash(0))
	if err != nil {
		return "", nil, err
	}
	if own, ok := sign.(ed25519.PrivateKey); ok {
		if !bytes.Equal(ed25519.Sign(own, m), sig) {
			return "", nil, ErrSignature
		}
		return key, sig, nil
	}
	return key, sig, verifyEd25519(public, key, m, sig)
}

// verifyEd25519 checks a signature of the named key. The length is asked first
// because the standard library panics on a key that is no key.
func verifyEd25519(public ed25519.PublicKey, named wire.KeyID, message, sig []byte) error {
	if len(public) != ed25519.PublicKeySize {
		return errors.New("the centre's public key is not an Ed25519 key")
	}
	if wire.KeyIDOf(public) != named {
		return fmt.Errorf("%w: it is by key %q", ErrSignature, named)
	}
	if !ed25519.Verify(public, message, sig) {
		return ErrSignature
	}
	return nil
}
