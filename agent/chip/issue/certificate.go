package issue

import (
	"crypto"
	"math/big"
	"time"

	"github.com/counterproof/counterproof/agent/chip/cert"
	"github.com/counterproof/counterproof/agent/chip/der"
)

// title is a distinguished name.
type title struct{ country, common string }

// write writes the name.
func (t title) write() []byte {
	part := func(id der.OID, tag der.Tag, text string) []byte {
		return der.SetOf(der.Seq(der.ID(id), der.String(tag, text)))
	}
	return der.Seq(part("2.5.4.6", der.PrintableString, t.country), part("2.5.4.10", der.UTF8String, "Invented"),
		part("2.5.4.3", der.UTF8String, t.common))
}

// holder is a certificate with its private key.
type holder struct {
	key           *key
	title, issuer title
	serial        int64
	raw           []byte
}

// keyID is the identifier of a key: the first method of RFC 5280 §4.2.1.2, with
// SHA-256 cut to its length.
func (k *key) keyID() []byte { return cert.Sum(crypto.SHA256, k.info())[:20] }

// form is a certificate before it is signed.
type form struct {
	serial          int64
	issuer, subject title
	from, to        time.Time
	info            []byte // the key
	keyID           []byte
	issuerKey       []byte
	usage           cert.Usage
	ca              bool
	path            int
	noBasic         bool
	extended        der.OID
	critical        der.OID // an extension that nobody knows
	code            string  // of the state, as a zone has it
	documents       []string
	version         int
}

// extension writes one extension.
func extension(id der.OID, critical bool, value []byte) []byte {
	if critical {
		return der.Seq(der.ID(id), der.Yes(), der.Octets(value))
	}
	return der.Seq(der.ID(id), der.Octets(value))
}

// extensions writes the extensions (9303-12 §7.1).
func (f form) extensions() []byte {
	var all [][]byte
	if f.usage != 0 {
		all = append(all, extension("2.5.29.15", true, der.FlagsOf(uint16(f.usage))))
	}
	if f.ca {
		all = append(all, extension("2.5.29.19", true, der.Seq(der.Yes(), der.Int(f.path))))
	} else if f.noBasic {
		all = append(all, extension("2.5.29.19", true, der.Seq()))
	}
	if f.keyID != nil {
		all = append(all, extension("2.5.29.14", false, der.Octets(f.keyID)))
	}
	if f.issuerKey != nil {
		all = append(all, extension("2.5.29.35", false, der.Seq(der.Write(der.Context(0, false), f.issuerKey))))
	}
	if f.extended != "" {
		all = append(all, extension("2.5.29.37", true, der.Seq(der.ID(f.extended))))
	}
	if f.code != "" {
		place := der.Seq(der.SetOf(der.Seq(der.ID("2.5.4.7"), der.String(der.PrintableString, f.code))))
		all = append(all, extension("2.5.29.17", false, der.Seq(der.Write(der.Context(4, true), place))))
	}
	if len(f.documents) > 0 {
		kinds := make([][]byte, len(f.documents))
		for i, d := range f.documents {
			kinds[i] = der.String(der.PrintableString, d)
		}
		all = append(all, extension("2.23.136.1.1.6.2", false, der.Seq(der.Int(0), der.SetOf(kinds...))))
	}
	if f.critical != "" {
		all = append(all, extension(f.critical, true, der.Nil()))
	}
	return der.Write(der.Context(3, true), der.Seq(all...))
}

// body writes what is signed.
func (f form) body(algorithm []byte) []byte {
	version := f.version
	if version == 0 {
		version = 3
	}
	return der.Seq(der.Write(der.Context(0, true), der.Int(version-1)), der.Num(big.NewInt(f.serial)), algorithm, f.issuer.write(),
		der.Seq(der.Instant(f.from), der.Instant(f.to)), f.subject.write(), f.info, f.extensions())
}

// certify signs a form.
func (s *State) certify(f form, by *key) ([]byte, error) {
	body := f.body(by.algorithm())
	signature, err := by.sign(s.random, body)
	if err != nil {
		return nil, err
	}
	return der.Seq(body, by.algorithm(), der.BitsOf(signature)), nil
}
