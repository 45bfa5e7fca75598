package mint

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	"io"
	"math/big"

	_ "crypto/sha1"   // for the digests of Active Authentication
	_ "crypto/sha256" // likewise
	_ "crypto/sha512" // likewise

	"github.com/counterproof/counterproof/agent/chip"
	"github.com/counterproof/counterproof/agent/chip/access"
	"github.com/counterproof/counterproof/agent/chip/curve"
	"github.com/counterproof/counterproof/agent/chip/sm"
)

// agreements are the ways of Chip Authentication that data group 14 announces.
func (c *Card) agreements() []access.Agreement {
	infos, err := access.DG14(c.cfg.Files[chip.DG14])
	if err != nil || c.cfg.Kind.Agreement == nil || c.cfg.Fault == RefusedProof {
		return nil
	}
	return infos.Agreements
}

// beginAgreement chooses a way of Chip Authentication.
func (c *Card) beginAgreement(protocol []byte) sm.Status {
	if c.secure == nil {
		return notAllowed
	}
	for _, a := range c.agreements() {
		if bytes.Equal(a.Protocol, protocol) {
			c.agreement = &a
			return sm.OK
		}
	}
	return sm.WrongData
}

// agree takes the terminal's key of Chip Authentication.
func (c *Card) agree(body []byte) ([]byte, sm.Status) {
	a := *c.agreement
	c.agreement = nil
	public, err := sm.Find(body, tagProtocol)
	if err != nil {
		return nil, sm.WrongData
	}
	if status := c.join(a, public); status != sm.OK {
		return nil, status
	}
	return sm.Object(tagDynamic, nil), sm.OK
}

// agreeAtOnce is Chip Authentication with triple DES, in one command.
func (c *Card) agreeAtOnce(data []byte) sm.Status {
	public, err := sm.Find(data, tagEphemeral)
	if err != nil || c.secure == nil || c.cfg.Kind.OnlyTwoSteps {
		return sm.WrongData
	}
	for _, a := range c.agreements() {
		if a.Suite == sm.TripleDES {
			return c.join(a, public)
		}
	}
	return sm.WrongData
}

// join comes to a new session with the terminal's key.
func (c *Card) join(a access.Agreement, public []byte) sm.Status {
	s, err := a.Join(c.private(c.cfg.Kind.Agreement.Private), public)
	if err != nil {
		return sm.WrongData
	}
	c.next = s
	return sm.OK
}

// Signer is a private key of Active Authentication: of RSA, or on a curve.
type Signer struct {
	RSA    *rsa.PrivateKey
	Digest crypto.Hash // of RSA
	Curve  *curve.Curve
	D      *big.Int
}

// internal signs the terminal's challenge.
func (c *Card) internal(in sm.Command) ([]byte, sm.Status) {
	k := c.cfg.Kind.Active
	switch {
	case c.secure == nil:
		return nil, notAllowed
	case k == nil || c.cfg.Fault == RefusedProof:
		return nil, sm.UnknownINS
	case len(in.Data) != access.ChallengeLen:
		return nil, sm.WrongLength
	}
	challenge := in.Data
	if c.cfg.Fault == Clone { // it has heard an answer to another challenge
		challenge = make([]byte, access.ChallengeLen)
	}
	var out []byte
	var err error
	if k.RSA != nil {
		out, err = k.recoverable(c.cfg.Random, challenge)
	} else {
		out, err = k.plain(c.cfg.Random, challenge)
	}
	if err != nil {
		return nil, unfit
	}
	return out, sm.OK
}

// sum is the digest of parts of a message.
func sum(h crypto.Hash, parts ...[]byte) []byte {
	d := h.New()
	for _, p := range parts {
		_, _ = d.Write(p) // it never fails
	}
	return d.Sum(nil)
}

// plain signs on a curve (BSI TR-03111 §5.2.1); the digest fits the order.
func (k *Signer) plain(random io.Reader, challenge []byte) ([]byte, error) {
	n := (k.Curve.N.BitLen() + 7) / 8
	r, s, err := k.Curve.Sign(random, k.D, sum(k.digest(), challenge))
	if err != nil {
		return nil, err
	}
	return append(r.FillBytes(make([]byte, n)), s.FillBytes(make([]byte, n))...), nil
}

// digest is the digest of signatures on a curve.
func (k *Signer) digest() crypto.Hash {
	switch bits := k.Curve.N.BitLen(); {
	case bits >= 512:
		return crypto.SHA512
	case bits >= 384:
		return crypto.SHA384
	case bits >= 256:
		return crypto.SHA256
	}
	return crypto.SHA224
}

// recoverable signs with RSA so that a part of the message is in the signature
// (ISO/IEC 9796-2, scheme 1; ICAO Doc 9303-11 §6.1.2.2).
func (k *Signer) recoverable(random io.Reader, challenge []byte) ([]byte, error) {
	trailer := map[crypto.Hash][]byte{
		crypto.SHA1: {0xbc}, crypto.SHA224: {0x38, 0xcc}, crypto.SHA256: {0x34, 0xcc}, crypto.SHA384: {0x36, 0xcc}, crypto.SHA512: {0x35, 0xcc},
	}[k.Digest]
	n := k.RSA.Size()
	part := make([]byte, n-1-k.Digest.Size()-len(trailer))
	if _, err := io.ReadFull(random, part); err != nil {
		return nil, err
	}
	f := append([]byte{0x6a}, part...)
	f = append(append(f, sum(k.Digest, part, challenge)...), trailer...)
	s := new(big.Int).Exp(new(big.Int).SetBytes(f), k.RSA.D, k.RSA.N)
	return s.FillBytes(make([]byte, n)), nil
}
