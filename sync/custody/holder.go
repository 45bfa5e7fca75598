package custody

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/counterproof/counterproof/sync/custody/tpm"
)

// holder is one way of keeping keys. What it gives out is kept in a file, whose
// PEM type says which holder's it is.
type holder interface {
	grade() Grade
	// drawKey makes a signing key, drawWrap a wrapping key, for the file.
	drawKey() ([]byte, error)
	drawWrap() ([]byte, error)
	// key and wrap read what was drawn.
	key(kept []byte) (key, error)
	wrap(kept []byte) ([]byte, error)
}

// The PEM types of the files, by grade.
var (
	signingTypes = map[Grade]string{
		GradeTPM: "COUNTERPROOF TPM KEY", GradeDPAPI: "COUNTERPROOF DPAPI KEY", GradeFile: signingType,
	}
	wrapTypes = map[Grade]string{
		GradeTPM: "COUNTERPROOF TPM WRAPPING KEY", GradeDPAPI: "COUNTERPROOF DPAPI WRAPPING KEY", GradeFile: wrapType,
	}
)

// grades are all there are, best first.
var grades = []Grade{GradeTPM, GradeDPAPI, GradeFile}

// atLeast reports whether a grade is as good as the demanded one.
func (g Grade) atLeast(demand Grade) bool {
	return demand == "" || slices.Index(grades, g) <= slices.Index(grades, demand)
}

// key is a signing key, wherever it is kept.
type key struct {
	crypto.Signer
	public *ecdsa.PublicKey
	grade  Grade
}

// kept reads a key file's type and bytes: whose it is and what it holds.
func kept(text []byte, types map[Grade]string) (Grade, []byte, bool) {
	block, rest := pem.Decode(text)
	if block == nil || len(bytes.TrimSpace(rest)) != 0 {
		return "", nil, false
	}
	for grade, name := range types {
		if block.Type == name {
			return grade, block.Bytes, true
		}
	}
	return "", nil, false
}

// readKey reads a signing key's file by the holder that wrote it.
func (k *Keeper) readKey(text []byte) (key, error) {
	grade, b, ok := kept(text, signingTypes)
	if !ok {
		return key{}, errors.New("the signing key's file is not one")
	}
	h, err := k.holder(grade)
	if err != nil {
		return key{grade: grade}, err
	}
	got, err := h.key(b)
	got.grade = grade
	return got, trouble(err)
}

// readWrap reads a wrapping key's file by the holder that wrote it.
func (k *Keeper) readWrap(text []byte) ([]byte, error) {
	grade, b, ok := kept(text, wrapTypes)
	if !ok {
		return nil, errors.New("the wrapping key's file is not one")
	}
	h, err := k.holder(grade)
	if err != nil {
		return nil, err
	}
	secret, err := h.wrap(b)
	if err == nil && len(secret) != wrapBytes {
		err = errors.New("the wrapping key's file is not one")
	}
	return secret, trouble(err)
}

// holder is the one of a grade; ErrAway where this machine has none now.
func (k *Keeper) holder(g Grade) (holder, error) {
	i := slices.IndexFunc(k.holders, func(h holder) bool { return h.grade() == g })
	if i < 0 {
		return nil, fmt.Errorf("%w: nothing here keeps keys of grade %s", ErrAway, g)
	}
	return k.holders[i], nil
}

// trouble gives a holder's failure its name.
func trouble(err error) error {
	switch {
	case errors.Is(err, tpm.ErrForeign):
		return fmt.Errorf("%w: %w", ErrLost, err)
	case errors.Is(err, tpm.ErrAway):
		return fmt.Errorf("%w: %w", ErrAway, err)
	}
	return err
}

// draw makes a new key by the best holder that there is, ErrGrade where that is
// not as good as demanded. A holder that fails leaves it to the next one.
func (k *Keeper) draw(by func(holder) ([]byte, error)) ([]byte, error) {
	err := fmt.Errorf("%w: %s", ErrGrade, k.demand)
	for _, h := range k.holders {
		if !h.grade().atLeast(k.demand) {
			break
		}
		text, failed := by(h)
		if failed == nil {
			return text, nil
		}
		err = errors.Join(err, failed)
	}
	return nil, err
}

// drawKey and drawWrap make new keys for a file.
func (k *Keeper) drawKey() ([]byte, error)  { return k.draw(holder.drawKey) }
func (k *Keeper) drawWrap() ([]byte, error) { return k.draw(holder.drawWrap) }

// fileHolder keeps keys in their files as they are.
type fileHolder struct{}

func (fileHolder) grade() Grade              { return GradeFile }
func (fileHolder) drawKey() ([]byte, error)  { return newSigningKey() }
func (fileHolder) drawWrap() ([]byte, error) { return newWrapKey() }

func (fileHolder) key(b []byte) (key, error) {
	secret, err := parsePKCS8(b)
	if err != nil {
		return key{}, err
	}
	return key{Signer: inMemory{secret}, public: &secret.PublicKey}, nil
}

func (fileHolder) wrap(b []byte) ([]byte, error) { return b, nil }

// inMemory signs with a key that only the operating system's memory protects.
// The caller's source of randomness is not asked.
type inMemory struct{ secret *ecdsa.PrivateKey }

func (s inMemory) Public() crypto.PublicKey { return s.secret.Public() }

func (s inMemory) Sign(_ io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	return s.secret.Sign(rand.Reader, digest, opts)
}

// parsePKCS8 reads a P-256 key. Errors do not quote it.
func parsePKCS8(b []byte) (*ecdsa.PrivateKey, error) {
	parsed, err := x509.ParsePKCS8PrivateKey(b)
	if err != nil {
		return nil, errors.New("the signing key's file does not hold a PKCS #8 key")
	}
	secret, ok := parsed.(*ecdsa.PrivateKey)
	if !ok || secret.Curve != elliptic.P256() {
		return nil, errors.New("the signing key is not a P-256 key")
	}
	return secret, nil
}

// tpmHolder keeps keys in the machine's TPM.
type tpmHolder struct{ chip *tpm.Chip }

func (tpmHolder) grade() Grade { return GradeTPM }

func (h tpmHolder) drawKey() ([]byte, error) {
	b, err := h.chip.NewKey()
	if err != nil {
		return nil, err
	}
	return pem.EncodeToMemory(&pem.Block{Type: signingTypes[GradeTPM], Bytes: b}), nil
}

func (h tpmHolder) drawWrap() ([]byte, error) {
	secret := make([]byte, wrapBytes)
	defer clear(secret)
	rand.Read(secret)
	b, err := h.chip.Seal(secret)
	if err != nil {
		return nil, err
	}
	return pem.EncodeToMemory(&pem.Block{Type: wrapTypes[GradeTPM], Bytes: b}), nil
}

func (h tpmHolder) key(b []byte) (key, error) {
	got, err := h.chip.LoadKey(b)
	if err != nil {
		return key{}, err
	}
	public, ok := got.Public().(*ecdsa.PublicKey)
	if !ok {
		return key{}, errors.New("the TPM's key is not a P-256 key")
	}
	return key{Signer: got, public: public}, nil
}

func (h tpmHolder) wrap(b []byte) ([]byte, error) { return h.chip.Unseal(b) }
