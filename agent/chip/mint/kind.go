package mint

import (
	"encoding/asn1"
	"math/big"

	"github.com/counterproof/counterproof/agent/chip"
	"github.com/counterproof/counterproof/agent/chip/access"
	"github.com/counterproof/counterproof/agent/chip/curve"
	"github.com/counterproof/counterproof/agent/chip/sm"
)

// Kind is what a chip can do, with the private keys that it does it with.
type Kind struct {
	Offers []Offer
	// Mapped is the private key of the chip authentication mapping, on the curve
	// of the offer.
	Mapped       *big.Int
	Agreement    *Agreement
	Active       *Signer
	OnlyTwoSteps bool // Chip Authentication with triple DES takes two commands, against the rule
}

// Offer is one way of PACE.
type Offer struct {
	Mapping access.Mapping
	Suite   sm.Suite
	Domain  int // the number of standardised domain parameters
}

// Agreement is Chip Authentication.
type Agreement struct {
	Suite   sm.Suite
	Domain  int // the number of standardised domain parameters
	Private *big.Int
}

// Identifiers as content octets.
const (
	oidPACE     = "\x04\x00\x7f\x00\x07\x02\x02\x04"
	oidCA       = "\x04\x00\x7f\x00\x07\x02\x02\x03"
	oidPK       = "\x04\x00\x7f\x00\x07\x02\x02\x01"
	oidAA       = "\x67\x81\x08\x01\x01\x05"
	oidPlain    = "\x04\x00\x7f\x00\x07\x01\x01\x04\x01"
	oidEC       = "\x2a\x86\x48\xce\x3d\x02\x01"
	oidPrime    = "\x2a\x86\x48\xce\x3d\x01\x01"
	oidDH       = "\x2a\x86\x48\x86\xf7\x0d\x01\x03\x01"
	oidRSA      = "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01"
	oidSigned   = "\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02"
	oidSecurity = "\x04\x00\x7f\x00\x07\x03\x02\x01"
)

// Files are the files that tell what the chip can do: EF.CardAccess, data groups 14
// and 15 where there is something to put in, and EF.CardSecurity, unsigned, for
// the chip authentication mapping.
func (k Kind) Files() map[chip.File][]byte {
	files := map[chip.File][]byte{}
	if len(k.Offers) > 0 {
		files[chip.CardAccess] = cardAccess(k.Offers)
	}
	if infos := k.infos(); len(infos) > 0 {
		files[chip.DG14] = sm.Object(0x6e, sm.Object(0x31, infos))
	}
	if k.Active != nil {
		files[chip.DG15] = sm.Object(0x6f, k.Active.public())
	}
	if k.Mapped != nil {
		files[chip.CardSecurity] = unsigned(k.Security())
	}
	return files
}

// infos are those of data group 14.
func (k Kind) infos() []byte {
	infos := offers(k.Offers)
	if a := k.Agreement; a != nil {
		d, _ := curve.Standard(a.Domain)
		kind := kindOf(d)
		infos = append(infos, info(oidCA+string([]byte{kind, byte(a.Suite) + 1}), whole(big.NewInt(1)))...)
		infos = append(infos, info(oidPK+string([]byte{kind}), public(d, a.Private))...)
	}
	if s := k.Active; s != nil && s.Curve != nil {
		last := map[int]byte{28: 2, 32: 3, 48: 4, 64: 5}[s.digest().Size()]
		infos = append(infos, info(oidAA, whole(big.NewInt(1)), sm.Object(0x06, append([]byte(oidPlain), last)))...)
	}
	return infos
}

// Security is the content of EF.CardSecurity, for somebody to sign.
func (k Kind) Security() []byte {
	infos := offers(k.Offers)
	for _, o := range k.Offers {
		if d, _ := curve.Standard(o.Domain); o.Mapping == access.ChipAuthentication && k.Mapped != nil {
			infos = append(infos, info(oidPK+"\x02", public(d, k.Mapped), whole(big.NewInt(int64(o.Domain))))...)
		}
	}
	return sm.Object(0x31, infos)
}

// unsigned puts the content of EF.CardSecurity into a message that nobody signed.
func unsigned(content []byte) []byte {
	inner := sequence(sm.Object(0x06, []byte(oidSecurity)), sm.Object(0xa0, sm.Object(0x04, content)))
	signed := sequence(whole(big.NewInt(3)), sm.Object(0x31, nil), inner, sm.Object(0x31, nil))
	return sequence(sm.Object(0x06, []byte(oidSigned)), sm.Object(0xa0, signed))
}

// cardAccess is EF.CardAccess.
func cardAccess(o []Offer) []byte { return sm.Object(0x31, offers(o)) }

// offers are the infos of ways of PACE.
func offers(all []Offer) []byte {
	var infos []byte
	for _, o := range all {
		d, _ := curve.Standard(o.Domain)
		kind := kindOf(d) + 2*byte(o.Mapping)
		oid := oidPACE + string([]byte{kind, byte(o.Suite) + 1})
		infos = append(infos, info(oid, whole(big.NewInt(2)), whole(big.NewInt(int64(o.Domain))))...)
	}
	return infos
}

// otherOffers are the same ways with a cipher that the state did not choose.
func otherOffers(all []Offer) []Offer {
	changed := append([]Offer(nil), all...)
	for i := range changed {
		if changed[i].Suite == sm.AES128 {
			changed[i].Suite = sm.AES192
			continue
		}
		changed[i].Suite = sm.AES128
	}
	return changed
}

// kindOf is the number of a kind of agreement in identifiers.
func kindOf(d curve.Domain) byte {
	if d.Curve != nil {
		return 2
	}
	return 1
}

// info is one SecurityInfo.
func info(oid string, parts ...[]byte) []byte {
	return sequence(append([][]byte{sm.Object(0x06, []byte(oid))}, parts...)...)
}

// sequence writes parts one after another.
func sequence(parts ...[]byte) []byte {
	var b []byte
	for _, p := range parts {
		b = append(b, p...)
	}
	return sm.Object(0x30, b)
}

// whole writes a number that is not negative.
func whole(n *big.Int) []byte {
	b := n.Bytes()
	if len(b) == 0 || b[0]&0x80 != 0 {
		b = append([]byte{0}, b...)
	}
	return sm.Object(0x02, b)
}

// bits writes bytes as a string of bits.
func bits(b []byte) []byte { return sm.Object(0x03, append([]byte{0}, b...)) }

// public is the SubjectPublicKeyInfo of a private key; its domain parameters are
// spelled out, as data group 14 has them (ICAO Doc 9303-11 §9.5.2).
func public(d curve.Domain, private *big.Int) []byte {
	if c := d.Curve; c != nil {
		return onCurve(c, c.Base(private))
	}
	g := d.Group
	algorithm := sequence(sm.Object(0x06, []byte(oidDH)), sequence(whole(g.P), whole(g.G)))
	return sequence(algorithm, bits(whole(g.Power(g.G, private))))
}

// onCurve is a key on a curve that is spelled out (SEC 1 §C.2).
func onCurve(c *curve.Curve, p curve.Point) []byte {
	coordinate := func(v *big.Int) []byte { return sm.Object(0x04, v.FillBytes(make([]byte, c.Bytes()))) }
	parameters := sequence(
		whole(big.NewInt(1)),
		sequence(sm.Object(0x06, []byte(oidPrime)), whole(c.P)),
		sequence(coordinate(c.A), coordinate(c.B)),
		sm.Object(0x04, c.Marshal(c.G)), whole(c.N), whole(big.NewInt(1)),
	)
	return sequence(sequence(sm.Object(0x06, []byte(oidEC)), parameters), bits(c.Marshal(p)))
}

// public is the signer's SubjectPublicKeyInfo.
func (k *Signer) public() []byte {
	if k.Curve != nil {
		return onCurve(k.Curve, k.Curve.Base(k.D))
	}
	key := sequence(whole(k.RSA.N), whole(big.NewInt(int64(k.RSA.E))))
	return sequence(sequence(sm.Object(0x06, []byte(oidRSA)), asn1.NullBytes), bits(key))
}
