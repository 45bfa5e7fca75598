package seal

import (
	"crypto/ecdh"
	"crypto/rand"
	"errors"
	"testing"

	"github.com/counterproof/counterproof/sync/wire"
)

// token is a key that somebody else holds, and that may be away.
type token struct {
	*ecdh.PrivateKey
	away error
}

func (k *token) ECDH(remote *ecdh.PublicKey) ([]byte, error) {
	if k.away != nil {
		return nil, k.away
	}
	return k.PrivateKey.ECDH(remote)
}

// TestKeyOf: a key on a token opens like one in a file, and its failures are told
// from a part that was altered.
func TestKeyOf(t *testing.T) {
	t.Parallel()
	private, err := ecdh.P256().GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	holder := &token{PrivateKey: private}
	k, err := KeyOf(holder)
	if err != nil {
		t.Fatal(err)
	}
	r := k.Recipient(wire.PartClaims)
	if r.Suite != Classical || CheckRecipient(r) != nil {
		t.Errorf("nothing can be sealed to it: %+v", r)
	}
	aad := Binding(wire.RecordID{1}, wire.PartClaims, true)
	part, info, err := Seal(r, wire.PartClaims, aad, []byte("claims"))
	if err != nil {
		t.Fatal(err)
	}
	if plain, err := Open(k, part, info, aad); err != nil || string(plain) != "claims" {
		t.Errorf("opened %q, %v", plain, err)
	}
	if _, err := k.Marshal(); err == nil {
		t.Error("a key that a token holds was written down")
	}
	holder.away = errors.New("pulled out")
	if _, err := Open(k, part, info, aad); !errors.Is(err, holder.away) {
		t.Errorf("got %v, want the token's own error", err)
	}
	other, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := KeyOf(other); !errors.Is(err, ErrSuite) {
		t.Errorf("X25519: %v, want ErrSuite", err)
	}
}
