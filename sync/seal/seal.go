// Package seal closes a record so that only its reader can open it, and signs
// what counter and centre tell each other. It is HPKE (RFC 9180) to the
// centre's public keys, ECDSA under the counter's key, Ed25519 under the
// centre's. It keeps no key on disk, knows no identity, and never decides who
// may open: whoever holds the private key does.
//
// # The laws
//
//   - A counter cannot open what it sealed: the private keys are elsewhere.
//   - A part opens only as what it was sealed as: the record's id, the part's
//     name and the training flag are bound to it (see Binding), so a part that
//     is moved to another record or another place stays shut.
//   - The binding is made of what is known before the record has its place in
//     the chain. It cannot be the header or its hash: the header names the
//     hashes of the sealed parts, so the parts are there first. What the header
//     adds (number, predecessor, time) is bound by its signature instead.
//   - Sealed lengths come in Padmé buckets: they tell the size of the pictures
//     within an eighth or less, not to the byte.
//   - What was signed for one purpose verifies for no other one: every kind of
//     signed bytes begins with its own text.
//   - A signature that this package makes is verified before it is returned: a
//     record with a bad one could never be delivered.
package seal

import (
	"crypto/hpke"
	"errors"
	"fmt"

	"github.com/counterproof/counterproof/sync/wire"
)

// The suites, by the ids of RFC 9180 §7 and the HPKE registry.
var (
	// Hybrid is the default: ML-KEM-768 with X25519 (X-Wing), HKDF-SHA256,
	// AES-256-GCM. It holds if either of the two problems stays hard.
	Hybrid = wire.Suite{KEM: 0x647a, KDF: 0x0001, AEAD: 0x0002}
	// Classical is for a centre whose hardware only has elliptic curves:
	// DHKEM(P-256, HKDF-SHA256), HKDF-SHA256, AES-256-GCM.
	Classical = wire.Suite{KEM: 0x0010, KDF: 0x0001, AEAD: 0x0002}
)

// Errors that a caller tells apart.
var (
	// ErrSuite: the suite is none of those above.
	ErrSuite = errors.New("the sealing suite is unknown")
	// ErrWrongKey: the part is sealed to another key than the one given.
	ErrWrongKey = errors.New("the part is sealed to another key")
	// ErrShut: the part does not open: it was altered, or it is not the part
	// of this record that it is shown as.
	ErrShut = errors.New("the part does not open")
)

// suite is what one of the suites is made of.
type suite struct {
	kem  hpke.KEM
	kdf  hpke.KDF
	aead hpke.AEAD
	enc  int // bytes of the encapsulated key, which begins a sealed part
}

// lookup finds a suite among the allowed ones, a closed list.
func lookup(id wire.Suite) (suite, error) {
	switch id {
	case Hybrid:
		return suite{hpke.MLKEM768X25519(), hpke.HKDFSHA256(), hpke.AES256GCM(), 1120}, nil
	case Classical:
		kem, err := hpke.NewKEM(Classical.KEM)
		return suite{kem, hpke.HKDFSHA256(), hpke.AES256GCM(), 65}, err
	}
	return suite{}, fmt.Errorf("%w: %s", ErrSuite, suiteName(id))
}

// suiteName writes the ids of a suite.
func suiteName(id wire.Suite) string {
	return fmt.Sprintf("%04x/%04x/%04x", id.KEM, id.KDF, id.AEAD)
}

// info is HPKE's info string: what this is, its version and its suite.
func info(id wire.Suite) []byte {
	return []byte("counterproof part v1 " + suiteName(id))
}

// Binding writes what a part is bound to, for the aad of Seal and Open: its
// record, its place in it, and whether it was made in training.
func Binding(id wire.RecordID, name wire.PartName, training bool) []byte {
	return fmt.Appendf(nil, "counterproof binding v1\n%s\n%s\ntraining %t\n", id, name, training)
}

// Seal closes plain to the recipient as the part called name. The aad is what
// Binding writes; the same bytes are needed to open it. The recipient must be
// the one for this part, so that pictures never go to the key for claims. The
// part's Sealed is the encapsulated key followed by the ciphertext.
func Seal(r wire.Recipient, name wire.PartName, aad, plain []byte) (wire.Part, wire.PartInfo, error) {
	fail := func(err error) (wire.Part, wire.PartInfo, error) {
		return wire.Part{}, wire.PartInfo{}, fmt.Errorf("sealing %s: %w", name, err)
	}
	if r.Part != name {
		return fail(fmt.Errorf("the key is for %q", r.Part))
	}
	if len(aad) == 0 {
		return fail(errors.New("nothing binds it to its record"))
	}
	s, public, err := parseRecipient(r)
	if err != nil {
		return fail(err)
	}
	padded := pad(plain)
	defer clear(padded)
	enc, sender, err := hpke.NewSender(public, s.kdf, s.aead, info(r.Suite))
	if err != nil {
		return fail(err)
	}
	shut, err := sender.Seal(aad, padded)
	if err != nil {
		return fail(err)
	}
	sealed := append(enc, shut...)
	if len(sealed) > wire.MaxPart {
		return fail(fmt.Errorf("%d bytes sealed, %d allowed", len(sealed), wire.MaxPart))
	}
	return wire.Part{Name: name, Sealed: sealed}, wire.PartInfo{
		Name: name, Recipient: r.Key, Suite: r.Suite,
		Len: uint64(len(sealed)), SHA256: wire.HashOf(sealed),
	}, nil
}

// Open gives back what Seal closed. It refuses with ErrWrongKey where the part
// is for another key, and with ErrShut where the part is not the one that info
// describes, was altered, or was bound to something else than aad.
func Open(private Key, part wire.Part, described wire.PartInfo, aad []byte) ([]byte, error) {
	fail := func(err error) ([]byte, error) {
		return nil, fmt.Errorf("opening %s: %w", described.Name, err)
	}
	s, err := lookup(described.Suite)
	if err != nil {
		return fail(err)
	}
	if private.suite != described.Suite || private.ID() != described.Recipient {
		return fail(ErrWrongKey)
	}
	if part.Name != described.Name || uint64(len(part.Sealed)) != described.Len || wire.HashOf(part.Sealed) != described.SHA256 {
		return fail(fmt.Errorf("%w: it is not the part that the header names", ErrShut))
	}
	if len(part.Sealed) < s.enc {
		return fail(fmt.Errorf("%w: it is cut short", ErrShut))
	}
	recipient, err := hpke.NewRecipient(part.Sealed[:s.enc], private.private, s.kdf, s.aead, info(described.Suite))
	if err != nil {
		return fail(fmt.Errorf("%w: %w", ErrShut, err))
	}
	padded, err := recipient.Open(aad, part.Sealed[s.enc:])
	if err != nil {
		return fail(fmt.Errorf("%w: %w", ErrShut, err))
	}
	plain, err := unpad(padded)
	if err != nil {
		return fail(fmt.Errorf("%w: %w", ErrShut, err))
	}
	return plain, nil
}

// CheckRecipient reports whether parts can be sealed to r: a known suite, a key
// of it, and the key's right name. Who takes a bundle asks before taking it, so
// that a bad key never meets a finished visit.
func CheckRecipient(r wire.Recipient) error {
	_, _, err := parseRecipient(r)
	return err
}

// parseRecipient reads the recipient's suite and public key.
func parseRecipient(r wire.Recipient) (suite, hpke.PublicKey, error) {
	s, err := lookup(r.Suite)
	if err != nil {
		return suite{}, nil, err
	}
	if wire.KeyIDOf(r.Public) != r.Key {
		return suite{}, nil, fmt.Errorf("key %q does not have the name that it goes by", r.Key)
	}
	public, err := s.kem.NewPublicKey(r.Public)
	if err != nil {
		return suite{}, nil, fmt.Errorf("reading key %s: %w", r.Key, err)
	}
	return s, public, nil
}
