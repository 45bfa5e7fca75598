package access

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"testing"

	"github.com/counterproof/counterproof/agent/chip/sm"
)

// newChance is a source of bytes that repeats itself in each test.
func newChance(seed byte) *rand.ChaCha8 { return rand.NewChaCha8([32]byte{seed}) }

// The worked example of ICAO 9303-11 appendix D.
const (
	exampleKey = "L898902C<369080619406236"
	rndIC      = "4608F91988702212"
	rndIFD     = "781723860C06C226"
	kIFD       = "0B795240CB7049B01C19B33E32804F0B"
	kIC        = "0B4F80323EB3191CB04970CB4052790B"
	eIFD       = "72C29C2371CC9BDB65B779B8E8D37B29ECC154AA56A8799FAE2F498F76ED92F2"
	mIFD       = "5F1448EEA8AD90A7"
	answerIC   = "46B9342A41396CD7386BF5803104D7CEDC122B9132139BAF2EEDC94EE178534F2F2D235D074D7449"
)

// Both sides of Basic Access Control, as appendix D.3 has them.
func TestBasicAccessControl(t *testing.T) {
	t.Parallel()
	var random [NonceLen + SecretLen]byte
	copy(random[:], b(t, rndIFD+kIFD))
	message, finish, err := BACTerminal(exampleKey, b(t, rndIC), random)
	if err != nil || x(message) != eIFD+mIFD {
		t.Fatalf("the terminal says %X, %v", message, err)
	}
	var secret [SecretLen]byte
	copy(secret[:], b(t, kIC))
	answer, theirs, err := BACChip(exampleKey, b(t, rndIC), message, secret)
	if err != nil || x(answer) != answerIC {
		t.Fatalf("the chip says %X, %v", answer, err)
	}
	mine, err := finish(answer)
	if err != nil {
		t.Fatal(err)
	}
	want, err := sm.NewSecure(sm.TripleDES, b(t, "979EC13B1CBFE9DCD01AB0FED307EAE5"), b(t, "F1CB1F1FB5ADF208806B89DC579DC1F8"), b(t, "887022120C06C226"))
	if err != nil {
		t.Fatal(err)
	}
	same, err := want.WrapResponse([]byte("a file"), sm.OK, false)
	if err != nil {
		t.Fatal(err)
	}
	for name, s := range map[string]*sm.Secure{"terminal": mine, "chip": theirs} {
		if got, err := s.WrapResponse([]byte("a file"), sm.OK, false); err != nil || !bytes.Equal(got, same) {
			t.Errorf("the %s's session has another key or counter", name)
		}
	}
}

// The key of Basic Access Control comes of the zone (appendix D.2).
func TestSeed(t *testing.T) {
	t.Parallel()
	if got := x(seed(exampleKey)); got != "239AB9CB282DAF66231DC5A4DF6BFBAE" {
		t.Errorf("it is %s", got)
	}
}

// TestAccessRefused: another booklet's key, an answer that was changed, and one to
// another question open nothing.
func TestAccessRefused(t *testing.T) {
	t.Parallel()
	var random [NonceLen + SecretLen]byte
	var secret [SecretLen]byte
	message, finish, err := BACTerminal(exampleKey, b(t, rndIC), random)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := BACChip("L898902C<369080619406237", b(t, rndIC), message, secret); !errors.Is(err, ErrKey) {
		t.Errorf("a chip of another booklet: %v", err)
	}
	if _, _, err := BACChip(exampleKey, b(t, "0000000000000000"), message, secret); !errors.Is(err, sm.ErrAuthentic) {
		t.Errorf("a message to another nonce: %v", err)
	}
	good, _, err := BACChip(exampleKey, b(t, rndIC), message, secret)
	if err != nil {
		t.Fatal(err)
	}
	for i := range good {
		bad := bytes.Clone(good)
		bad[i] ^= 1
		if s, err := finish(bad); err == nil || s != nil {
			t.Fatalf("an answer with byte %d changed is taken", i)
		}
	}
	for _, cut := range []int{0, 39, 41} {
		if _, err := finish(append(good, 0)[:cut]); err == nil {
			t.Errorf("an answer of %d bytes is taken", cut)
		}
	}
	if _, _, err := BACTerminal(exampleKey, b(t, "00"), random); err == nil {
		t.Error("a short nonce is taken")
	}
}
