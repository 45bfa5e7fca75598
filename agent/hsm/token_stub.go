//go:build !cgo

package hsm

import "crypto/ecdh"

// Token is a token that this program cannot speak with.
type Token struct{}

// Key is a key on such a token.
type Key struct {
	Label  string
	public *ecdh.PublicKey
}

// Open says that there is no support.
func Open(cfg Config) (*Token, error) {
	if err := cfg.check(); err != nil {
		return nil, err
	}
	return nil, ErrUnsupported
}

// Generate says that there is no support.
func (*Token) Generate(string) (*Key, error) { return nil, ErrUnsupported }

// Keys says that there is no support.
func (*Token) Keys() ([]*Key, error) { return nil, ErrUnsupported }

// Destroy says that there is no support.
func (*Token) Destroy(*Key) error { return ErrUnsupported }

// Close does nothing.
func (*Token) Close() error { return nil }

// PublicKey is the public half.
func (k *Key) PublicKey() *ecdh.PublicKey { return k.public }

// Curve is P-256.
func (*Key) Curve() ecdh.Curve { return ecdh.P256() }

// ECDH says that there is no support.
func (*Key) ECDH(*ecdh.PublicKey) ([]byte, error) { return nil, ErrUnsupported }
