package access

import (
	"encoding/asn1"
	"fmt"
	"math/big"
	"slices"

	"github.com/counterproof/counterproof/agent/chip/curve"
	"github.com/counterproof/counterproof/agent/chip/sm"
)

// Tags of ASN.1 that keys and infos are written with.
const (
	tagInteger     sm.Tag = 0x02
	tagBits        sm.Tag = 0x03
	tagOctets      sm.Tag = 0x04
	tagNull        sm.Tag = 0x05
	tagOID         sm.Tag = 0x06
	tagSequence    sm.Tag = 0x30
	tagSet         sm.Tag = 0x31
	tagContextZero sm.Tag = 0xa0
)

// Identifiers of the kinds of keys, as content octets.
const (
	oidRSA      = "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01" // 1.2.840.113549.1.1.1
	oidPKCS3    = "\x2a\x86\x48\x86\xf7\x0d\x01\x03\x01" // 1.2.840.113549.1.3.1
	oidX942     = "\x2a\x86\x48\xce\x3e\x02\x01"         // 1.2.840.10046.2.1
	oidEC       = "\x2a\x86\x48\xce\x3d\x02\x01"         // 1.2.840.10045.2.1
	oidPrime    = "\x2a\x86\x48\xce\x3d\x01\x01"         // 1.2.840.10045.1.1
	oidStandard = "\x04\x00\x7f\x00\x07\x01\x02"         // 0.4.0.127.0.7.1.2
)

// Bounds of numbers in keys, in bits.
const (
	minModulus  = 1024
	maxModulus  = 4096
	maxExponent = 64
)

// Key is a public key of a chip.
type Key struct {
	SPKI []byte // as it stands in the file (RFC 5280 §4.1.2.7)

	domain   domain // of an agreement, or of signatures on a curve
	public   element
	modulus  *big.Int // of RSA
	exponent *big.Int
}

// ParseKey reads a SubjectPublicKeyInfo.
func ParseKey(spki []byte) (Key, error) {
	k := Key{SPKI: slices.Clone(spki)}
	outer, err := only(spki, tagSequence)
	if err != nil {
		return k, err
	}
	algorithm, rest, err := take(outer, tagSequence)
	if err != nil {
		return k, err
	}
	bits, rest, err := take(rest, tagBits)
	if err != nil || len(rest) > 0 || len(bits) < 2 || bits[0] != 0 {
		return k, fmt.Errorf("reading a key: %w", sm.ErrProtocol)
	}
	if oid, _, err := take(algorithm, tagOID); err == nil && string(oid) == oidRSA {
		return k, k.rsa(bits[1:])
	}
	if k.domain, err = parameters(algorithm); err != nil {
		return k, err
	}
	value := bits[1:]
	if k.domain.Group != nil { // the number is wrapped once more
		n, err := only(value, tagInteger)
		if err != nil {
			return k, err
		}
		value = n
	}
	k.public, err = k.domain.unmarshal(value)
	return k, err
}

// rsa reads a key of RSA (RFC 8017 §A.1.1).
func (k *Key) rsa(b []byte) error {
	seq, err := only(b, tagSequence)
	if err != nil {
		return err
	}
	n, err := integers(seq, 2)
	if err != nil {
		return err
	}
	modulus, exponent := n[0], n[1]
	if modulus.BitLen() < minModulus || modulus.BitLen() > maxModulus || exponent.BitLen() > maxExponent || exponent.BitLen() < 2 || modulus.Bit(0) == 0 {
		return ErrUnknown
	}
	k.modulus, k.exponent = modulus, exponent
	return nil
}

// parameters reads domain parameters: standardised ones by number, or those of a
// curve or a group (§9.5).
func parameters(algorithm []byte) (domain, error) {
	oid, rest, err := take(algorithm, tagOID)
	if err != nil {
		return domain{}, err
	}
	switch string(oid) {
	case oidStandard:
		id, err := integers(rest, 1)
		if err != nil || !id[0].IsInt64() {
			return domain{}, sm.ErrProtocol
		}
		if d, ok := named(int(id[0].Int64())); ok {
			return d, nil
		}
	case oidEC:
		return onCurve(rest)
	case oidPKCS3, oidX942:
		return inGroup(rest, string(oid) == oidX942)
	}
	return domain{}, ErrUnknown
}

// onCurve reads a curve, by name or spelled out (BSI TR-03111 §5.1.1).
func onCurve(b []byte) (domain, error) {
	t, value, _, err := sm.Next(b)
	if err != nil {
		return domain{}, err
	}
	switch t {
	case tagOID:
		var oid asn1.ObjectIdentifier
		if _, err := asn1.Unmarshal(sm.Object(tagOID, value), &oid); err != nil {
			return domain{}, sm.ErrProtocol
		}
		if c, ok := curve.Named(oid); ok {
			return domain{Curve: c}, nil
		}
	case tagSequence:
		return spelled(value)
	}
	return domain{}, ErrUnknown
}

// spelled reads a curve that is spelled out (SEC 1 §C.2).
func spelled(b []byte) (domain, error) {
	_, rest, err := take(b, tagInteger) // the version
	if err != nil {
		return domain{}, err
	}
	field, rest, err := take(rest, tagSequence)
	if err != nil {
		return domain{}, err
	}
	kind, prime, err := take(field, tagOID)
	if err != nil || string(kind) != oidPrime {
		return domain{}, ErrUnknown
	}
	p, err := integers(prime, 1)
	if err != nil {
		return domain{}, err
	}
	equation, rest, err := take(rest, tagSequence)
	if err != nil {
		return domain{}, err
	}
	a, equation, err := take(equation, tagOctets)
	if err != nil {
		return domain{}, err
	}
	coefficient, _, err := take(equation, tagOctets)
	if err != nil {
		return domain{}, err
	}
	base, rest, err := take(rest, tagOctets)
	if err != nil {
		return domain{}, err
	}
	return checked(p[0], new(big.Int).SetBytes(a), new(big.Int).SetBytes(coefficient), base, rest)
}

// checked makes a curve of parameters that are spelled out; order holds the order
// of the base point, and may hold a cofactor.
func checked(p, a, b *big.Int, base, order []byte) (domain, error) {
	n, err := integers(order, 1)
	if err != nil || len(base) < 3 || base[0] != 0x04 || len(base)%2 == 0 {
		return domain{}, ErrUnknown // a base point with one coordinate is nobody's
	}
	half := len(base) / 2
	g := curve.Point{X: new(big.Int).SetBytes(base[1 : 1+half]), Y: new(big.Int).SetBytes(base[1+half:])}
	h := 0
	if more, err := integers(order, 2); err == nil && more[1].IsInt64() {
		h = int(min(more[1].Int64(), 1<<30))
	}
	c, err := curve.New(curve.Curve{P: p, A: a, B: b, G: g, N: n[0], H: h})
	if err != nil || c.H != 1 {
		return domain{}, ErrUnknown
	}
	return domain{Curve: c}, nil
}

// inGroup reads a group of PKCS #3, which does not tell its order, or of X9.42,
// which does (RFC 3279 §2.3.3).
func inGroup(b []byte, ordered bool) (domain, error) {
	seq, err := only(b, tagSequence)
	if err != nil {
		return domain{}, err
	}
	n, err := integers(seq, 2)
	if err != nil {
		return domain{}, err
	}
	for id := range 3 { // the ones of RFC 5114, whose orders are known
		if d, _ := named(id); d.Group.P.Cmp(n[0]) == 0 && d.Group.G.Cmp(n[1]) == 0 {
			return d, nil
		}
	}
	p, g := n[0], n[1]
	if p.BitLen() < minModulus || p.BitLen() > maxModulus || p.Bit(0) == 0 {
		return domain{}, ErrUnknown
	}
	group := &curve.Group{P: p, G: g, Q: new(big.Int).Sub(p, big.NewInt(1))}
	if ordered {
		if n, err = integers(seq, 3); err != nil || n[2].BitLen() < 160 || n[2].Cmp(p) >= 0 {
			return domain{}, ErrUnknown
		}
		group.Q = n[2]
	}
	if !group.Has(g) {
		return domain{}, ErrUnknown
	}
	return domain{Group: group}, nil
}

// take reads an object with a tag and gives what follows it.
func take(b []byte, want sm.Tag) (value, rest []byte, err error) {
	t, value, rest, err := sm.Next(b)
	if err == nil && t != want {
		err = sm.ErrProtocol
	}
	return value, rest, err
}

// only reads an object with a tag that nothing follows.
func only(b []byte, want sm.Tag) ([]byte, error) {
	value, rest, err := take(b, want)
	if err == nil && len(rest) > 0 {
		err = sm.ErrProtocol
	}
	return value, err
}

// integers reads the first numbers of a sequence; they are not negative.
func integers(b []byte, n int) ([]*big.Int, error) {
	var all []*big.Int
	for range n {
		value, rest, err := take(b, tagInteger)
		if err != nil || len(value) == 0 || value[0]&0x80 != 0 || len(value) > maxModulus/8+1 {
			return nil, sm.ErrProtocol
		}
		all, b = append(all, new(big.Int).SetBytes(value)), rest
	}
	return all, nil
}
