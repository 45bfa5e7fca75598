package tlog

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"

	"github.com/counterproof/counterproof/sync/wire"
)

// A checkpoint is a signed note (C2SP signed-note) whose text is a tlog
// checkpoint (C2SP tlog-checkpoint) with one extension line:
//
//	counterproof-centre
//	<leaves, decimal>
//	<root, base64>
//	epoch <decimal>

// Origin is the checkpoints' first line and the name that the centre signs under.
const Origin = "counterproof-centre"

// MaxCheckpoint bounds a checkpoint's text with all its signatures, in bytes.
const MaxCheckpoint = 8 << 10

// maxNumber bounds what a checkpoint counts.
const maxNumber = 1 << 53

// algEd25519 says in a key's hash that it is an Ed25519 key (C2SP signed-note).
const algEd25519 = 1

// ErrCheckpoint: the text is no checkpoint of this centre.
var ErrCheckpoint = errors.New("no checkpoint of this centre")

// Sign writes and signs a checkpoint. The epoch counts how often the centre came
// back from a backup.
func Sign(epoch, size uint64, root wire.Hash, key ed25519.PrivateKey) ([]byte, error) {
	text := fmt.Sprintf("%s\n%d\n%s\nepoch %d\n", Origin, size, base64.StdEncoding.EncodeToString(root[:]), epoch)
	b, err := note.Sign(&note.Note{Text: text}, signer{Origin, key})
	if err != nil {
		return nil, fmt.Errorf("signing a checkpoint: %w", err)
	}
	return b, nil
}

// Cosign adds a witness's signature under its name to a checkpoint that verifies
// under the centre's key.
func Cosign(text []byte, centre ed25519.PublicKey, witness string, key ed25519.PrivateKey) ([]byte, error) {
	n, err := open(text, centre)
	if err != nil {
		return nil, fmt.Errorf("cosigning a checkpoint: %w", err)
	}
	b, err := note.Sign(n, signer{witness, key})
	if err != nil {
		return nil, fmt.Errorf("cosigning a checkpoint: %w", err)
	}
	return b, nil
}

// Witnessed reports whether a witness has cosigned a checkpoint.
func Witnessed(text []byte, witness string, public ed25519.PublicKey) bool {
	v, err := verifier(witness, public)
	if err != nil || len(text) > MaxCheckpoint {
		return false
	}
	_, err = note.Open(text, note.VerifierList(v))
	return err == nil
}

// Open verifies a checkpoint under the centre's key and reads it; ErrCheckpoint
// if it is not one. Signatures of others are passed over.
func Open(text []byte, centre ed25519.PublicKey) (c wire.Checkpoint, epoch uint64, err error) {
	n, err := open(text, centre)
	if err != nil {
		return wire.Checkpoint{}, 0, err
	}
	if c, epoch, err = parse(n.Text); err != nil {
		return wire.Checkpoint{}, 0, err
	}
	c.Note = bytes.Clone(text)
	return c, epoch, nil
}

// open verifies a note under the centre's key.
func open(text []byte, centre ed25519.PublicKey) (*note.Note, error) {
	if len(text) > MaxCheckpoint {
		return nil, fmt.Errorf("%w: it is too long", ErrCheckpoint)
	}
	v, err := verifier(Origin, centre)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrCheckpoint, err)
	}
	n, err := note.Open(text, note.VerifierList(v))
	if err != nil {
		return nil, fmt.Errorf("%w: its signature does not verify", ErrCheckpoint)
	}
	return n, nil
}

// parse reads a checkpoint's text. Lines after the epoch are a later version's.
func parse(text string) (c wire.Checkpoint, epoch uint64, err error) {
	lines := strings.Split(text, "\n")
	if len(lines) < 5 || lines[0] != Origin {
		return c, 0, fmt.Errorf("%w: it begins otherwise", ErrCheckpoint)
	}
	size, ok := number(lines[1])
	root, err := base64.StdEncoding.Strict().DecodeString(lines[2])
	count, cut := strings.CutPrefix(lines[3], "epoch ")
	epoch, counted := number(count)
	if !ok || err != nil || len(root) != len(c.Root) || !cut || !counted {
		return c, 0, fmt.Errorf("%w: a line does not read", ErrCheckpoint)
	}
	c.Size, c.Root = size, wire.Hash(root)
	return c, epoch, nil
}

// number reads a decimal number as it is written here and no other way.
func number(s string) (uint64, bool) {
	n, err := strconv.ParseUint(s, 10, 64)
	return n, err == nil && n <= maxNumber && strconv.FormatUint(n, 10) == s
}

// signer signs notes with an Ed25519 key.
type signer struct {
	name string
	key  ed25519.PrivateKey
}

// Name is what the signature stands under.
func (s signer) Name() string { return s.name }

// KeyHash is the key's short name in a signature.
func (s signer) KeyHash() uint32 {
	if len(s.key) != ed25519.PrivateKeySize {
		return 0 // Sign will say so
	}
	public, _ := s.key.Public().(ed25519.PublicKey)
	return keyHash(s.name, public)
}

// Sign signs a note's text.
func (s signer) Sign(text []byte) ([]byte, error) {
	if len(s.key) != ed25519.PrivateKeySize {
		return nil, errors.New("no Ed25519 key")
	}
	return ed25519.Sign(s.key, text), nil
}

// keyHash is made of the name and the key (C2SP signed-note).
func keyHash(name string, public ed25519.PublicKey) uint32 {
	sum := wire.HashOf(append([]byte(name+"\n"+string(rune(algEd25519))), public...))
	return binary.BigEndian.Uint32(sum[:])
}

// verifier verifies a name's signatures.
func verifier(name string, public ed25519.PublicKey) (note.Verifier, error) {
	key, err := note.NewEd25519VerifierKey(name, public)
	if err != nil {
		return nil, err
	}
	return note.NewVerifier(key)
}
