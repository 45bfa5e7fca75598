package access

import (
	"crypto/subtle"
	"fmt"
	"io"
	"math/big"
	"slices"

	"github.com/counterproof/counterproof/agent/chip/sm"
)

// Mapping is how the nonce of PACE becomes a generator (§4.4.3.3).
type Mapping byte

// The mappings, by their number in identifiers less the kind of agreement.
const (
	Generic Mapping = iota
	Integrated
	ChipAuthentication
)

// String names a mapping as the standard shortens it.
func (m Mapping) String() string { return [...]string{"GM", "IM", "CAM"}[m] }

// PACE is one way of Password Authenticated Connection Establishment that a chip
// offers (§9.2.1).
type PACE struct {
	Protocol  []byte // the identifier's content octets, as a command names it
	Mapping   Mapping
	Suite     sm.Suite
	Parameter int // the number of the domain parameters, -1 where the chip gives none

	domain domain
}

// pace are the kinds of agreement and mapping by the number in identifiers.
var pace = map[byte]struct {
	curve   bool
	mapping Mapping
}{1: {false, Generic}, 2: {true, Generic}, 3: {false, Integrated}, 4: {true, Integrated}, 6: {true, ChipAuthentication}}

// suiteOf is a suite by the last number of an identifier.
func suiteOf(n byte) (sm.Suite, bool) {
	if n < 1 || n > 4 {
		return 0, false
	}
	return sm.Suite(n - 1), true
}

// addPACE takes a way of PACE over, if it is known.
func (i *Infos) addPACE(e entry, domains []explicit) {
	kind, known := pace[e.oid[len(oidPACE)]]
	suite, ok := suiteOf(e.oid[len(oidPACE)+1])
	if !known || !ok || e.version() != 2 || kind.mapping == ChipAuthentication && suite == sm.TripleDES {
		return
	}
	d := e.domain(domains)
	if kind.curve != (d.Curve != nil) || kind.curve == (d.Group != nil) {
		return
	}
	if kind.mapping == Integrated && kind.curve && !mappable(d.Curve) {
		return
	}
	i.PACE = append(i.PACE, PACE{Protocol: []byte(e.oid), Mapping: kind.mapping, Suite: suite, Parameter: e.id, domain: d})
}

// domain are the domain parameters that an info refers to: standardised ones, or
// those that are spelled out.
func (e entry) domain(domains []explicit) domain {
	if d, ok := named(e.id); ok {
		return d
	}
	for _, x := range domains {
		if x.id == e.id || e.id == noID && len(domains) == 1 {
			return x.domain
		}
	}
	return domain{}
}

// Ways gives the ways of PACE, the one to take first: those that prove the chip as
// well, then those with the stronger cipher, then those with the generic mapping,
// which most chips and readers share.
func (i Infos) Ways() []PACE {
	rank := func(p PACE) int {
		r := 2 * int(p.Suite)
		switch p.Mapping {
		case Generic:
			r++
		case ChipAuthentication:
			r += 100
		}
		return r
	}
	ways := slices.Clone(i.PACE)
	slices.SortStableFunc(ways, func(a, b PACE) int { return rank(b) - rank(a) })
	return ways
}

// Run is one run of PACE, from either side (§4.4.1). Its methods are called in the
// order in which they stand.
type Run struct {
	PACE
	random io.Reader
	key    []byte // of the password

	nonce     []byte
	mapSecret *big.Int
	extra     []byte // the terminal's nonce of the integrated mapping
	mapTheirs element
	generator element
	secret    *big.Int
	mine      element
	theirs    element
	shared    []byte
}

// NewRun begins a run.
func NewRun(p PACE, w Password, random io.Reader) *Run {
	return &Run{PACE: p, random: random, key: p.Suite.Derive(w.secret(), sm.ForPassword)}
}

// nonceLen is the length of the chip's nonce, in bytes: as many blocks as a key
// fills (§4.4.3.3).
func (r *Run) nonceLen() int {
	if r.Suite == sm.AES192 || r.Suite == sm.AES256 {
		return 32
	}
	return 16
}

// Seal draws the chip's nonce and encrypts it.
func (r *Run) Seal() ([]byte, error) {
	r.nonce = make([]byte, r.nonceLen())
	if _, err := io.ReadFull(r.random, r.nonce); err != nil {
		return nil, fmt.Errorf("drawing a nonce: %w", err)
	}
	return r.Suite.Encrypt(r.key, nil, r.nonce)
}

// Open decrypts the chip's nonce. Chips with the generic mapping choose its length.
func (r *Run) Open(z []byte) (err error) {
	if len(z) < 8 || len(z) > 64 || r.Mapping == Integrated && len(z) != r.nonceLen() {
		return sm.ErrProtocol
	}
	r.nonce, err = r.Suite.Decrypt(r.key, nil, z)
	return err
}

// Mapper gives a side's data of the mapping: a public key or, of the integrated
// mapping, the terminal's nonce; a chip then has none to give.
func (r *Run) Mapper() (data []byte, err error) {
	if r.Mapping == Integrated {
		r.extra = make([]byte, r.Suite.KeyLen())
		if _, err := io.ReadFull(r.random, r.extra); err != nil {
			return nil, fmt.Errorf("drawing a nonce: %w", err)
		}
		return r.extra, nil
	}
	if r.mapSecret, err = r.domain.secret(r.random); err != nil {
		return nil, err
	}
	return r.domain.marshal(r.domain.public(r.mapSecret)), nil
}

// Map takes the other side's data and makes the generator. A chip hands the
// terminal's nonce of the integrated mapping in, a terminal nothing.
func (r *Run) Map(data []byte) (err error) {
	if r.Mapping == Integrated {
		if r.extra == nil {
			r.extra = data
		}
		r.generator, err = r.integrated()
		return err
	}
	if r.mapTheirs, err = r.domain.unmarshal(data); err != nil {
		return sm.ErrProtocol
	}
	s := new(big.Int).SetBytes(r.nonce)
	r.generator = r.domain.combine(s, r.domain.generator(), r.mapSecret, r.mapTheirs)
	if r.domain.neutral(r.generator) {
		return sm.ErrProtocol
	}
	return nil
}

// Public gives a side's key of the agreement.
func (r *Run) Public() (key []byte, err error) {
	if r.secret, err = r.domain.secret(r.random); err != nil {
		return nil, err
	}
	r.mine = r.domain.power(r.generator, r.secret)
	return r.domain.marshal(r.mine), nil
}

// Agree takes the other side's key, which must not be the own one sent back, and
// comes to the secret of both.
func (r *Run) Agree(key []byte) (err error) {
	if r.theirs, err = r.domain.unmarshal(key); err != nil || r.domain.equal(r.mine, r.theirs) {
		return sm.ErrProtocol
	}
	r.shared, err = r.domain.agree(r.secret, r.theirs)
	return err
}

// token is a code over somebody's key (§4.4.3.4).
func (r *Run) token(of element) ([]byte, error) {
	const template, point, number = 0x7f49, 0x86, 0x84
	tag := sm.Tag(number)
	if r.domain.Curve != nil {
		tag = point
	}
	data := sm.Object(template, slices.Concat(sm.Object(tagOID, r.Protocol), sm.Object(tag, r.domain.marshal(of))))
	if r.Suite == sm.TripleDES {
		data = sm.Pad(data, r.Suite.Block())
	}
	return r.Suite.MAC(r.Suite.Derive(r.shared, sm.ForMAC), data)
}

// Token gives a side's token: the code over the other's key.
func (r *Run) Token() ([]byte, error) { return r.token(r.theirs) }

// Check takes the other side's token.
func (r *Run) Check(token []byte) error {
	want, err := r.token(r.mine)
	if err == nil && subtle.ConstantTimeCompare(want, token) != 1 {
		err = ErrKey
	}
	return err
}

// Session is what both sides come to.
func (r *Run) Session() (*sm.Secure, error) { return secured(r.Suite, r.shared, nil) }

// iv is what chip authentication data are encrypted with (§4.4.3.5.4).
func (r *Run) iv() ([]byte, error) {
	ones := make([]byte, r.Suite.Block())
	for i := range ones {
		ones[i] = 0xff
	}
	return r.Suite.Encrypt(r.Suite.Derive(r.shared, sm.ForEncryption), nil, ones)
}

// Proof gives a chip's encrypted proof that it has a private key (§4.4.3.5.1).
func (r *Run) Proof(private *big.Int) ([]byte, error) {
	n := r.domain.Curve.N
	inverse := new(big.Int).ModInverse(private, n)
	if inverse == nil {
		return nil, sm.ErrProtocol
	}
	data := inverse.Mul(inverse, r.mapSecret).Mod(inverse, n).FillBytes(make([]byte, (n.BitLen()+7)/8))
	iv, err := r.iv()
	if err != nil {
		return nil, err
	}
	return r.Suite.Encrypt(r.Suite.Derive(r.shared, sm.ForEncryption), iv, sm.Pad(data, r.Suite.Block()))
}

// Proved checks a chip's encrypted proof against its key in EF.CardSecurity, which
// is the one with the number of the domain parameters (§4.4.3.5.2, 9.2.1), and
// gives the key.
func (r *Run) Proved(proof []byte, security Infos) (Key, bool) {
	iv, err := r.iv()
	if err != nil {
		return Key{}, false
	}
	data, err := r.Suite.Decrypt(r.Suite.Derive(r.shared, sm.ForEncryption), iv, proof)
	if err != nil {
		return Key{}, false
	}
	if data, err = sm.Unpad(data); err != nil || len(data) == 0 || len(data) > r.domain.Curve.Bytes()+1 {
		return Key{}, false
	}
	for _, k := range security.keys {
		if k.id != r.Parameter && len(security.keys) > 1 || !k.key.domain.same(r.domain) {
			continue
		}
		if r.domain.equal(r.domain.power(k.key.public, new(big.Int).SetBytes(data)), r.mapTheirs) {
			return k.key, true
		}
	}
	return Key{}, false
}
