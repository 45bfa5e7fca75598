package seal

import (
	"bytes"
	"crypto/ecdh"
	"crypto/hpke"
	"encoding/pem"
	"errors"
	"fmt"
	"io"

	"github.com/counterproof/counterproof/sync/wire"
)

// pemType names a private key file of this package.
const pemType = "COUNTERPROOF OPENING KEY"

// maxKeyFile bounds a private key file, in bytes; a real one is under 400.
const maxKeyFile = 4 << 10

// Key is a private key that opens parts. Printing it, in any way of fmt or
// slog, shows its name and nothing else. The zero value opens nothing.
type Key struct {
	suite   wire.Suite
	private hpke.PrivateKey
}

// GenerateKey makes a key pair. The recipient's Part is for the caller to set:
// a key is for one part of a record.
func GenerateKey(id wire.Suite) (Key, wire.Recipient, error) {
	s, err := lookup(id)
	if err != nil {
		return Key{}, wire.Recipient{}, fmt.Errorf("making an opening key: %w", err)
	}
	private, err := s.kem.GenerateKey()
	if err != nil {
		return Key{}, wire.Recipient{}, fmt.Errorf("making an opening key: %w", err)
	}
	k := Key{id, private}
	return k, k.Recipient(""), nil
}

// KeyOf is a key of the suite Classical whose private half somebody else holds,
// such as a token. It cannot be written down. What the holder fails in comes back
// from Open under ErrShut, with the holder's own error beside it.
func KeyOf(holder ecdh.KeyExchanger) (Key, error) {
	if holder.Curve() != ecdh.P256() || holder.PublicKey() == nil {
		return Key{}, fmt.Errorf("taking an opening key: %w", ErrSuite)
	}
	private, err := hpke.NewDHKEMPrivateKey(holder)
	if err != nil {
		return Key{}, fmt.Errorf("taking an opening key: %w", err)
	}
	return Key{Classical, private}, nil
}

// Recipient is the public half, for sealing the named part to it.
func (k Key) Recipient(part wire.PartName) wire.Recipient {
	if k.private == nil {
		return wire.Recipient{Part: part}
	}
	public := k.private.PublicKey().Bytes()
	return wire.Recipient{Part: part, Key: wire.KeyIDOf(public), Suite: k.suite, Public: public}
}

// ID names the key as a part's info does; "" for the zero value.
func (k Key) ID() wire.KeyID { return k.Recipient("").Key }

// Format prints the key's name, whatever the verb.
func (k Key) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "opening key "+string(k.ID())) }

// Marshal writes the key as a PEM block with its suite, for a file that only
// its owner may read.
func (k Key) Marshal() ([]byte, error) {
	if k.private == nil {
		return nil, errors.New("writing an opening key: there is none")
	}
	b, err := k.private.Bytes()
	if err != nil {
		return nil, fmt.Errorf("writing an opening key: %w", err)
	}
	defer clear(b)
	headers := map[string]string{"Suite": suiteName(k.suite)}
	return pem.EncodeToMemory(&pem.Block{Type: pemType, Headers: headers, Bytes: b}), nil
}

// ParseKey reads what Marshal wrote. Errors never quote the bytes.
func ParseKey(text []byte) (Key, error) {
	if len(text) > maxKeyFile {
		return Key{}, errors.New("reading an opening key: the file is too long")
	}
	block, rest := pem.Decode(text)
	if block == nil || block.Type != pemType || len(bytes.TrimSpace(rest)) != 0 {
		return Key{}, errors.New("reading an opening key: the file is not one")
	}
	for _, id := range []wire.Suite{Hybrid, Classical} {
		if block.Headers["Suite"] != suiteName(id) {
			continue
		}
		s, err := lookup(id)
		if err != nil {
			return Key{}, fmt.Errorf("reading an opening key: %w", err)
		}
		private, err := s.kem.NewPrivateKey(block.Bytes)
		if err != nil {
			return Key{}, errors.New("reading an opening key: the key does not fit its suite")
		}
		return Key{id, private}, nil
	}
	return Key{}, fmt.Errorf("reading an opening key: %w", ErrSuite)
}
