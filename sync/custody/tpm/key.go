package tpm

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/asn1"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/big"

	"github.com/google/go-tpm/tpm2"
	"github.com/google/go-tpm/tpm2/transport"
)

// signing describes the key that signs: P-256, for SHA-256 digests, drawn in the
// chip, bound to it and to its storage key. NoDA keeps it out of the chip's
// defence against guessing: who guesses at another secret must not lock it.
func signing() tpm2.TPMTPublic {
	return tpm2.TPMTPublic{
		Type: tpm2.TPMAlgECC, NameAlg: tpm2.TPMAlgSHA256,
		ObjectAttributes: tpm2.TPMAObject{
			FixedTPM: true, FixedParent: true, SensitiveDataOrigin: true, UserWithAuth: true, NoDA: true, SignEncrypt: true,
		},
		Parameters: tpm2.NewTPMUPublicParms(tpm2.TPMAlgECC, &tpm2.TPMSECCParms{
			CurveID: tpm2.TPMECCNistP256,
			Scheme: tpm2.TPMTECCScheme{
				Scheme:  tpm2.TPMAlgECDSA,
				Details: tpm2.NewTPMUAsymScheme(tpm2.TPMAlgECDSA, &tpm2.TPMSSigSchemeECDSA{HashAlg: tpm2.TPMAlgSHA256}),
			},
		}),
	}
}

// sealing describes a secret that only this chip gives back.
func sealing() tpm2.TPMTPublic {
	return tpm2.TPMTPublic{
		Type: tpm2.TPMAlgKeyedHash, NameAlg: tpm2.TPMAlgSHA256,
		ObjectAttributes: tpm2.TPMAObject{FixedTPM: true, FixedParent: true, UserWithAuth: true, NoDA: true},
	}
}

// Key signs inside the chip. It is a crypto.Signer and safe for use by several
// goroutines.
type Key struct {
	chip   *Chip
	blob   blob
	public *ecdsa.PublicKey
}

// blob is an object outside the chip: its public area and its private one,
// wrapped by the storage key.
type blob struct {
	public  tpm2.TPM2BPublic
	private tpm2.TPM2BPrivate
}

// bytes writes a blob for the disk: both areas as the specification writes them,
// each after its length.
func (b blob) bytes() []byte {
	var all []byte
	for _, area := range [][]byte{tpm2.Marshal(b.public), tpm2.Marshal(b.private)} {
		all = append(binary.BigEndian.AppendUint16(all, uint16(len(area))), area...)
	}
	return all
}

// maxBlob bounds a blob's bytes; a real one has about 250.
const maxBlob = 4 << 10

// parseBlob reads what bytes wrote.
func parseBlob(b []byte) (blob, error) {
	var areas [2][]byte
	for i := range areas {
		if len(b) < 2 || len(b) > maxBlob || int(binary.BigEndian.Uint16(b)) > len(b)-2 {
			return blob{}, fmt.Errorf("%w: it is cut short", ErrForeign)
		}
		n := 2 + int(binary.BigEndian.Uint16(b))
		areas[i], b = b[2:n], b[n:]
	}
	public, err := tpm2.Unmarshal[tpm2.TPM2BPublic](areas[0])
	if err != nil {
		return blob{}, fmt.Errorf("%w: its public area does not read", ErrForeign)
	}
	private, err := tpm2.Unmarshal[tpm2.TPM2BPrivate](areas[1])
	if err != nil || len(b) != 0 {
		return blob{}, fmt.Errorf("%w: its private area does not read", ErrForeign)
	}
	return blob{*public, *private}, nil
}

// NewKey draws a signing key in the chip and gives what is to be kept of it.
func (c *Chip) NewKey() ([]byte, error) {
	b, err := c.create(tpm2.Create{InPublic: tpm2.New2B(signing())})
	if err != nil {
		return nil, fmt.Errorf("drawing a key in the TPM: %w", err)
	}
	return b, nil
}

// create makes an object under the storage key. What goes in travels encrypted.
func (c *Chip) create(command tpm2.Create) (made []byte, err error) {
	err = c.do(func(t transport.TPM) error {
		return under(t, func(srk *tpm2.CreatePrimaryResponse) error {
			session, err := private(srk, true)
			if err != nil {
				return err
			}
			command.ParentHandle = tpm2.AuthHandle{Handle: srk.ObjectHandle, Name: srk.Name, Auth: session}
			r, err := command.Execute(t)
			if err == nil {
				made = blob{r.OutPublic, r.OutPrivate}.bytes()
			}
			return err
		})
	})
	return made, err
}

// private is a session under which the first parameter of a command (in), or of
// its answer, is encrypted to the chip.
func private(srk *tpm2.CreatePrimaryResponse, in bool) (tpm2.Session, error) {
	public, err := srk.OutPublic.Contents()
	if err != nil {
		return nil, err
	}
	way := tpm2.EncryptOut
	if in {
		way = tpm2.EncryptIn
	}
	return tpm2.HMAC(tpm2.TPMAlgSHA256, 16, tpm2.AESEncryption(128, way), tpm2.Salted(srk.ObjectHandle, *public)), nil
}

// LoadKey gives the signing key of a blob that NewKey gave. ErrForeign says that
// it is gone for good.
func (c *Chip) LoadKey(kept []byte) (*Key, error) {
	b, err := parseBlob(kept)
	if err != nil {
		return nil, fmt.Errorf("loading a key into the TPM: %w", err)
	}
	k := &Key{chip: c, blob: b}
	if k.public, err = b.point(); err != nil {
		return nil, fmt.Errorf("loading a key into the TPM: %w", err)
	}
	err = c.do(func(t transport.TPM) error {
		return k.with(t, func(tpm2.NamedHandle) error { return nil })
	})
	if err != nil {
		return nil, fmt.Errorf("loading a key into the TPM: %w", err)
	}
	return k, nil
}

// point is the public key of a blob, which must be one that NewKey asks for.
func (b blob) point() (*ecdsa.PublicKey, error) {
	public, err := b.public.Contents()
	if err != nil || public.Type != tpm2.TPMAlgECC {
		return nil, fmt.Errorf("%w: it is no key that signs", ErrForeign)
	}
	p, err := public.Unique.ECC()
	if err != nil || len(p.X.Buffer) > 32 || len(p.Y.Buffer) > 32 {
		return nil, fmt.Errorf("%w: it has no point", ErrForeign)
	}
	uncompressed := make([]byte, 65)
	uncompressed[0] = 4
	copy(uncompressed[33-len(p.X.Buffer):], p.X.Buffer)
	copy(uncompressed[65-len(p.Y.Buffer):], p.Y.Buffer)
	key, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), uncompressed)
	if err != nil {
		return nil, fmt.Errorf("%w: its point is not on P-256", ErrForeign)
	}
	return key, nil
}

// with runs f with the key loaded.
func (k *Key) with(t transport.TPM, f func(tpm2.NamedHandle) error) error {
	return under(t, func(srk *tpm2.CreatePrimaryResponse) error {
		r, err := tpm2.Load{ParentHandle: parent(srk), InPrivate: k.blob.private, InPublic: k.blob.public}.Execute(t)
		if err != nil {
			return err
		}
		return errors.Join(f(tpm2.NamedHandle{Handle: r.ObjectHandle, Name: r.Name}), flush(t, r.ObjectHandle))
	})
}

// Public returns the *ecdsa.PublicKey.
func (k *Key) Public() crypto.PublicKey { return k.public }

// errDigest is why something is not signed.
var errDigest = errors.New("the TPM's key signs SHA-256 digests alone")

// Sign signs a SHA-256 digest inside the chip; the result is ASN.1 DER.
func (k *Key) Sign(_ io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	if len(digest) != sha256.Size || opts != nil && opts.HashFunc() != crypto.SHA256 {
		return nil, fmt.Errorf("signing in the TPM: %w", errDigest)
	}
	var sig *tpm2.TPMSSignatureECC
	err := k.chip.do(func(t transport.TPM) error {
		return k.with(t, func(h tpm2.NamedHandle) (err error) {
			sig, err = sign(t, h, digest)
			return err
		})
	})
	if err != nil {
		return nil, fmt.Errorf("signing in the TPM: %w", err)
	}
	return asn1.Marshal(struct{ R, S *big.Int }{
		new(big.Int).SetBytes(sig.SignatureR.Buffer), new(big.Int).SetBytes(sig.SignatureS.Buffer),
	})
}

// sign has the chip sign a digest with a loaded key.
func sign(t transport.TPM, h tpm2.NamedHandle, digest []byte) (*tpm2.TPMSSignatureECC, error) {
	r, err := tpm2.Sign{
		KeyHandle: h, Digest: tpm2.TPM2BDigest{Buffer: digest},
		InScheme: tpm2.TPMTSigScheme{
			Scheme:  tpm2.TPMAlgECDSA,
			Details: tpm2.NewTPMUSigScheme(tpm2.TPMAlgECDSA, &tpm2.TPMSSchemeHash{HashAlg: tpm2.TPMAlgSHA256}),
		},
		Validation: tpm2.TPMTTKHashCheck{Tag: tpm2.TPMSTHashCheck},
	}.Execute(t)
	if err != nil {
		return nil, err
	}
	return r.Signature.Signature.ECDSA()
}

// Format prints what the key is, whatever the verb.
func (k *Key) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "a key in the TPM") }

// Seal gives what is to be kept of a secret of up to 128 bytes, so that only
// this chip gives it back.
func (c *Chip) Seal(secret []byte) ([]byte, error) {
	b, err := c.create(tpm2.Create{
		InPublic: tpm2.New2B(sealing()),
		InSensitive: tpm2.TPM2BSensitiveCreate{Sensitive: &tpm2.TPMSSensitiveCreate{
			Data: tpm2.NewTPMUSensitiveCreate(&tpm2.TPM2BSensitiveData{Buffer: secret}),
		}},
	})
	if err != nil {
		return nil, fmt.Errorf("sealing to the TPM: %w", err)
	}
	return b, nil
}

// Unseal gives back what Seal closed. ErrForeign says that it is gone for good.
func (c *Chip) Unseal(kept []byte) ([]byte, error) {
	b, err := parseBlob(kept)
	if err != nil {
		return nil, fmt.Errorf("unsealing by the TPM: %w", err)
	}
	var secret []byte
	err = c.do(func(t transport.TPM) error {
		return under(t, func(srk *tpm2.CreatePrimaryResponse) error {
			secret, err = open(t, srk, b)
			return err
		})
	})
	if err != nil {
		return nil, fmt.Errorf("unsealing by the TPM: %w", err)
	}
	return secret, nil
}

// open loads and opens a sealed secret, which travels encrypted.
func open(t transport.TPM, srk *tpm2.CreatePrimaryResponse, b blob) ([]byte, error) {
	l, err := tpm2.Load{ParentHandle: parent(srk), InPrivate: b.private, InPublic: b.public}.Execute(t)
	if err != nil {
		return nil, err
	}
	session, err := private(srk, false)
	if err != nil {
		return nil, errors.Join(err, flush(t, l.ObjectHandle))
	}
	r, err := tpm2.Unseal{ItemHandle: tpm2.AuthHandle{Handle: l.ObjectHandle, Name: l.Name, Auth: session}}.Execute(t)
	if err := errors.Join(err, flush(t, l.ObjectHandle)); err != nil {
		return nil, err
	}
	return r.OutData.Buffer, nil
}
