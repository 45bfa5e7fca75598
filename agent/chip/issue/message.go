package issue

import (
	"cmp"
	"crypto"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/counterproof/counterproof/agent/chip"
	"github.com/counterproof/counterproof/agent/chip/cert"
	"github.com/counterproof/counterproof/agent/chip/cms"
	"github.com/counterproof/counterproof/agent/chip/der"
)

// Order says how a document is signed.
type Order struct {
	Signed  time.Time   // zero leaves the time away
	Hash    crypto.Hash // of files and message; SHA-256 by default
	Version int         // of the document security object: 0, or 1
	ByKeyID bool        // the signature names the signer by its key's identifier
	Twice   bool        // two signatures
	BER     bool        // the frame is in the basic rules: endless lengths, strings in pieces
	Mixed   bool        // the signed attributes are signed in their order and written out of it
	Beside  [][]byte    // further certificates, before the signer's
	Fault   Fault
}

// objectTag begins EF.SOD (9303-10 §4.7).
const objectTag der.Tag = 0x77

// Document signs the files of a document and gives them back with EF.SOD.
func (s *State) Document(files map[chip.File][]byte, o Order) (map[chip.File][]byte, error) {
	o.Hash = cmp.Or(o.Hash, crypto.SHA256)
	m := message{kind: cms.SecurityObject, content: o.digests(files), signer: s.signer, order: o}
	if o.Fault.ofSigner() {
		var err error
		if m.signer, err = s.newSigner(o.Fault); err != nil {
			return nil, fmt.Errorf("making a signer: %w", err)
		}
	}
	raw, err := s.sign(m)
	if err != nil {
		return nil, fmt.Errorf("signing a document: %w", err)
	}
	out := maps.Clone(files)
	out[chip.SOD] = der.Write(objectTag, raw)
	if o.Fault == Malformed {
		out[chip.SOD] = der.Write(objectTag, raw[:len(raw)-1])
	}
	if o.Fault == TamperedFile {
		f := chip.DG1
		if out[chip.DG2] != nil {
			f = chip.DG2
		}
		out[f] = slices.Clone(out[f])
		out[f][len(out[f])-1] ^= 1
	}
	return out, nil
}

// digests writes the document security object (9303-10 §4.6.2.3).
func (o Order) digests(files map[chip.File][]byte) []byte {
	var list [][]byte
	for _, f := range slices.Sorted(maps.Keys(files)) {
		n := int(f &^ 0x0100)
		if f&0xff00 != 0x0100 || n < 1 || n > 16 || o.Fault == UnlistedFile && f == chip.DG2 {
			continue
		}
		list = append(list, der.Seq(der.Int(n), der.Octets(cert.Sum(o.Hash, files[f]))))
	}
	algorithm := digestOf(o.Hash)
	switch o.Fault {
	case WrongDigestID:
		algorithm = digestOf(crypto.SHA384)
	case UnknownDigest:
		algorithm = der.Seq(der.ID("1.2.840.113549.2.5"), der.Nil())
	}
	parts := [][]byte{der.Int(o.Version), algorithm, der.Seq(list...)}
	if o.Version == 1 {
		parts = append(parts, der.Seq(der.String(der.PrintableString, "0108"), der.String(der.PrintableString, "040000")))
	}
	return der.Seq(parts...)
}

// CardSecurity signs SecurityInfos as EF.CardSecurity (9303-11 §9.2.11).
func (s *State) CardSecurity(infos []byte, o Order) ([]byte, error) {
	o.Hash = cmp.Or(o.Hash, crypto.SHA256)
	return s.sign(message{kind: cms.SecurityInfos, content: infos, signer: s.signer, order: o})
}

// message is a content to be signed.
type message struct {
	kind    der.OID
	content []byte
	signer  *holder
	beside  [][]byte // further certificates
	order   Order
}

// Identifiers of messages and attributes (RFC 5652).
const (
	signedData    der.OID = "1.2.840.113549.1.7.2"
	contentType   der.OID = "1.2.840.113549.1.9.3"
	messageDigest der.OID = "1.2.840.113549.1.9.4"
	signingTime   der.OID = "1.2.840.113549.1.9.5"
	plainData     der.OID = "1.2.840.113549.1.7.1"
)

// sign signs a message (RFC 5652 §5).
func (s *State) sign(m message) ([]byte, error) {
	kind := m.kind
	if m.order.Fault == ContentType {
		kind = cms.MasterList
		m.kind = kind
	}
	var signers [][]byte
	first, err := s.signature(m)
	if err != nil {
		return nil, err
	}
	if m.order.Fault != NoSigner {
		signers = append(signers, first)
	}
	if m.order.Twice || m.order.Fault == SecondWrong {
		if m.order.Fault == SecondWrong {
			m.order.Fault = SignatureWrong
		}
		second, err := s.signature(m)
		if err != nil {
			return nil, err
		}
		signers = append(signers, second)
	}
	write, octets := der.Write, der.Octets(m.content)
	if m.order.BER {
		half := len(m.content) / 2
		write, octets = endless, endless(der.OctetString|constructed, der.Octets(m.content[:half]), der.Octets(m.content[half:]))
	}
	parts := [][]byte{
		der.Int(3), der.SetOf(digestOf(m.order.Hash)), write(der.Sequence, der.ID(kind), write(der.Context(0, true), octets)),
	}
	if m.order.Fault != NoCertificate {
		parts = append(parts, write(der.Context(0, true), slices.Concat(m.order.Beside, [][]byte{m.signer.raw}, m.beside)...))
	}
	parts = append(parts, write(der.Set, signers...))
	return write(der.Sequence, der.ID(signedData), write(der.Context(0, true), write(der.Sequence, parts...))), nil
}

// constructed is the bit of a tag that says that a value is made of values.
const constructed = 0x20

// endless writes a value whose end a mark tells (X.690 §8.1.3.6).
func endless(t der.Tag, parts ...[]byte) []byte {
	return slices.Concat([]byte{byte(t), 0x80}, slices.Concat(parts...), []byte{0, 0})
}

// signature writes one SignerInfo (RFC 5652 §5.3).
func (s *State) signature(m message) ([]byte, error) {
	o, k := m.order, m.signer.key
	attributes := m.attributes()
	signed := attributes
	if o.Fault == NoAttributes {
		signed = m.content
	}
	signature, err := k.sign(s.random, signed)
	if err != nil {
		return nil, err
	}
	if o.Fault == SignatureWrong {
		signature[len(signature)-1] ^= 1
	}
	issuer, serial := m.signer.issuer, m.signer.serial
	switch o.Fault {
	case SignerSerial:
		serial++
	case SignerIssuer:
		issuer.common += " Two"
	}
	version, sid := der.Int(1), der.Seq(issuer.write(), der.Int(int(serial)))
	if o.ByKeyID {
		version, sid = der.Int(3), der.Write(der.Context(0, false), k.keyID())
	}
	parts := [][]byte{version, sid, digestOf(o.Hash)}
	if o.Fault != NoAttributes {
		implicit := slices.Clone(attributes)
		if o.Mixed {
			implicit = mixed(attributes)
		}
		implicit[0] = byte(der.Context(0, true))
		parts = append(parts, implicit)
	}
	return der.Seq(append(parts, k.algorithm(), der.Octets(signature))...), nil
}

// mixed is a set in the opposite order.
func mixed(set []byte) []byte {
	v, _ := der.Whole(set, der.Set) // SetOf wrote it
	var all [][]byte
	for r := v.Inside(); r.More(); {
		all = append(all, r.Any().Raw)
	}
	slices.Reverse(all)
	return der.Write(der.Set, all...)
}

// attributes writes the signed attributes.
func (m message) attributes() []byte {
	one := func(id der.OID, value []byte) []byte { return der.Seq(der.ID(id), der.SetOf(value)) }
	kind, content := m.kind, m.content
	switch m.order.Fault {
	case AttributeType:
		kind = plainData
	case AttributeDigest:
		content = append(slices.Clone(content), 0)
	}
	all := [][]byte{one(contentType, der.ID(kind)), one(messageDigest, der.Octets(cert.Sum(m.order.Hash, content)))}
	if !m.order.Signed.IsZero() {
		all = append(all, one(signingTime, der.Instant(m.order.Signed)))
	}
	if m.order.Fault == AttributeTwice {
		all = append(all, one(messageDigest, der.Octets(cert.Sum(m.order.Hash, nil))))
	}
	return der.SetOf(all...)
}
