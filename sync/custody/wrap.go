package custody

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/pem"
	"errors"
	"fmt"
)

const (
	wrapBytes = 32 // AES-256
	wrapType  = "COUNTERPROOF WRAPPING KEY"
	// maxWrapped bounds what is wrapped: keys, not documents.
	maxWrapped = 4 << 10
)

// ErrWrapped: what was given to Unwrap was not wrapped by this keeper for this
// purpose, or it was altered.
var ErrWrapped = errors.New("the wrapped key does not open")

// errNoWrap: the wrapping key does not load; the trouble beside it says why.
var errNoWrap = errors.New("the wrapping key is not there")

// Wrap closes a key under the keeper's wrapping key: AES-256-GCM with a random
// nonce before the ciphertext, the purpose as additional data. A purpose is a
// fixed text of the caller with the name of what the key is for, "draft 1234".
func (k *Keeper) Wrap(purpose string, key []byte) ([]byte, error) {
	if len(key) == 0 || len(key) > maxWrapped {
		return nil, fmt.Errorf("wrapping a key: it has %d bytes", len(key))
	}
	aead, err := k.aead()
	if err != nil {
		return nil, fmt.Errorf("wrapping a key: %w", err)
	}
	return aead.Seal(nil, nil, key, wrapData(purpose)), nil
}

// Unwrap opens what Wrap closed for the same purpose, or fails with ErrWrapped.
func (k *Keeper) Unwrap(purpose string, wrapped []byte) ([]byte, error) {
	aead, err := k.aead()
	if err != nil {
		return nil, fmt.Errorf("unwrapping a key: %w", err)
	}
	if len(wrapped) <= aead.Overhead() || len(wrapped) > maxWrapped+aead.Overhead() {
		return nil, fmt.Errorf("unwrapping a key: %w", ErrWrapped)
	}
	key, err := aead.Open(nil, nil, wrapped, wrapData(purpose))
	if err != nil {
		return nil, fmt.Errorf("unwrapping a key: %w", ErrWrapped)
	}
	return key, nil
}

// wrapData is the additional data for a purpose.
func wrapData(purpose string) []byte { return []byte("counterproof wrap v1\n" + purpose) }

// aead is AES-256-GCM under the wrapping key, nonces drawn by the cipher.
func (k *Keeper) aead() (cipher.AEAD, error) {
	k.mu.Lock()
	wrap, why := k.wrap, k.trouble
	k.mu.Unlock()
	if wrap == nil {
		return nil, errors.Join(why, errNoWrap)
	}
	block, err := aes.NewCipher(wrap)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithRandomNonce(block)
}

// newWrapKey draws a wrapping key and writes it as PEM.
func newWrapKey() ([]byte, error) {
	key := make([]byte, wrapBytes)
	defer clear(key)
	if _, err := rand.Read(key); err != nil {
		return nil, err
	}
	return pem.EncodeToMemory(&pem.Block{Type: wrapType, Bytes: key}), nil
}
