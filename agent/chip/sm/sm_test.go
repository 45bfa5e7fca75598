package sm

import (
	"bytes"
	"encoding/hex"
	"errors"
	"strings"
	"testing"
)

// b reads hexadecimal digits.
func b(tb testing.TB, s string) []byte {
	tb.Helper()
	out, err := hex.DecodeString(s)
	if err != nil {
		tb.Fatal(err)
	}
	return out
}

// x writes them.
func x(b []byte) string { return strings.ToUpper(hex.EncodeToString(b)) }

// exampleSession is the session that the example comes to.
func exampleSession(t *testing.T) *Secure {
	t.Helper()
	s, err := NewSecure(TripleDES, b(t, "979EC13B1CBFE9DCD01AB0FED307EAE5"), b(t, "F1CB1F1FB5ADF208806B89DC579DC1F8"), b(t, "887022120C06C226"))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestKeyDerivation(t *testing.T) {
	t.Parallel()
	k := b(t, "239AB9CB282DAF66231DC5A4DF6BFBAE")
	for name, c := range map[string]struct{ got, want string }{
		"encryption":     {x(TripleDES.Derive(k, ForEncryption)), "AB94FDECF2674FDFB9B391F85D7F76F2"},
		"authentication": {x(TripleDES.Derive(k, ForMAC)), "7962D9ECE03D1ACD4C76089DCE131543"},
	} {
		if c.got != c.want {
			t.Errorf("%s: got %s, want %s", name, c.got, c.want)
		}
	}
	for s, n := range map[Suite]int{TripleDES: 16, AES128: 16, AES192: 24, AES256: 32} {
		if got := s.Derive(k, ForPassword); len(got) != n {
			t.Errorf("a key of suite %d has %d bytes, want %d", s, len(got), n)
		}
	}
}

// The examples of RFC 4493 §4, which are those of SP 800-38B.
func TestCMAC(t *testing.T) {
	t.Parallel()
	key := b(t, "2b7e151628aed2a6abf7158809cf4f3c")
	message := b(t, "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e5130c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710")
	for n, want := range map[int]string{
		0: "BB1D6929E95937287FA37D129B756746", 16: "070A16B46B4D4144F79BDD9DD04A287C",
		40: "DFA66747DE9AE63030CA32611497C827", 64: "51F0BEBF7E3B9D92FC49741779363CFE",
	} {
		if got, err := cmac(key, message[:n]); err != nil || x(got) != want {
			t.Errorf("%d bytes: got %X, %v, want %s", n, got, err, want)
		}
	}
}

// Secure messaging as appendix D.4 has it, from both sides.
func TestSecureMessaging(t *testing.T) {
	t.Parallel()
	terminal, card := exampleSession(t), exampleSession(t)
	for _, step := range []struct{ name, plain, protected, answer, data string }{
		{"select", "00A4020C02011E", "0CA4020C158709016375432908C044F68E08BF8B92D635FF24F800", "990290008E08FA855A5D4C50A8ED9000", ""},
		{"first-bytes", "00B0000004", "0CB000000D9701048E08ED6705417E96BA5500", "8709019FF0EC34F9922651990290008E08AD55CC17140B2DED9000", "60145F01"},
		{"the-rest", "00B0000412", "0CB000040D9701128E082EA28A70F3C7B53500",
			"871901FB9235F4E4037F2327DCC8964F1F9B8C30F42C8E2FFF224A990290008E08C8B2787EAEA07D749000", "04303130365F36063034303030305C026175"},
	} {
		plain, err := ParseCommand(b(t, step.plain))
		if err != nil {
			t.Fatal(err)
		}
		wrapped, err := terminal.Wrap(plain)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := wrapped.Bytes(); err != nil || x(got) != step.protected {
			t.Errorf("%s: protected it is %X, %v", step.name, got, err)
		}
		if got, err := card.UnwrapCommand(wrapped); err != nil || got.INS != plain.INS || !bytes.Equal(got.Data, plain.Data) || got.Ne != plain.Ne {
			t.Errorf("%s: the chip reads %+v, %v", step.name, got, err)
		}
		answer, err := card.WrapResponse(b(t, step.data), OK, false)
		if err != nil || x(answer) != step.answer {
			t.Errorf("%s: the chip answers %X, %v", step.name, answer, err)
		}
		if data, status, err := terminal.Unwrap(b(t, step.answer)); err != nil || status != OK || x(data) != step.data {
			t.Errorf("%s: read %X, %04X, %v", step.name, data, status, err)
		}
	}
}

// A command under AES, of a published test of another reader.
func TestSecureMessagingAES(t *testing.T) {
	t.Parallel()
	s, err := NewSecure(AES128, b(t, "cc86415f2ed7e8fd663b754265695ae1"), b(t, "581e84b8ee06c4d3eee30461498d7fb3"), b(t, "000000000000000000000000000000ba"))
	if err != nil {
		t.Fatal(err)
	}
	plain, err := ParseCommand(b(t, "002241a40f800a04007f000702020302028401c3"))
	if err != nil {
		t.Fatal(err)
	}
	wrapped, err := s.Wrap(plain)
	if err != nil {
		t.Fatal(err)
	}
	const want = "0C2241A41D871101980953D37F67558690045D78A853B18A8E08929767A2CEF172E200"
	if got, err := wrapped.Bytes(); err != nil || x(got) != want {
		t.Errorf("protected it is %X, %v", got, err)
	}
}

// pairs are two ends of a session of each suite.
func pair(t testing.TB, s Suite) (terminal, card *Secure) {
	t.Helper()
	for _, end := range []**Secure{&terminal, &card} {
		var err error
		if *end, err = NewSecure(s, s.Derive([]byte("secret"), ForEncryption), s.Derive([]byte("secret"), ForMAC), make([]byte, s.Block())); err != nil {
			t.Fatal(err)
		}
	}
	return terminal, card
}

// TestEverySuite: both ends understand each other, with long data, odd
// instructions, and the counter running over.
func TestEverySuite(t *testing.T) {
	t.Parallel()
	for _, s := range []Suite{TripleDES, AES128, AES192, AES256} {
		terminal, card := pair(t, s)
		for i := range terminal.counter {
			terminal.counter[i], card.counter[i] = 0xff, 0xff
		}
		for _, c := range []Command{
			{INS: 0xb0, Ne: 256}, {INS: 0xb1, Data: []byte{0x54, 1, 0}, Ne: 65536}, {INS: 0x22, P1: 0x41, Data: bytes.Repeat([]byte{7}, 300)},
			{CLA: 0x10, INS: 0x86, Data: []byte{1}, Ne: 1},
		} {
			wrapped, err := terminal.Wrap(c)
			if err != nil {
				t.Fatal(err)
			}
			wire, err := wrapped.Bytes()
			if err != nil {
				t.Fatal(err)
			}
			if wrapped, err = ParseCommand(wire); err != nil {
				t.Fatal(err)
			}
			got, err := card.UnwrapCommand(wrapped)
			if err != nil || got.CLA != c.CLA || got.INS != c.INS || got.P1 != c.P1 || !bytes.Equal(got.Data, c.Data) || got.Ne != c.Ne {
				t.Errorf("suite %d: %+v became %+v, %v", s, c, got, err)
			}
			data := bytes.Repeat([]byte{9}, c.Ne%1000)
			answer, err := card.WrapResponse(data, EndOfFile, c.INS&1 == 1)
			if err != nil {
				t.Fatal(err)
			}
			if back, status, err := terminal.Unwrap(answer); err != nil || status != EndOfFile || !bytes.Equal(back, data) {
				t.Errorf("suite %d: %d bytes came back as %d, %04X, %v", s, len(data), len(back), uint16(status), err)
			}
		}
	}
}

// TestNobodyBetween: an answer that was changed, cut, said twice or said in clear
// is refused.
func TestNobodyBetween(t *testing.T) {
	t.Parallel()
	for _, s := range []Suite{TripleDES, AES256} {
		fresh := func() (*Secure, []byte) {
			terminal, card := pair(t, s)
			if _, err := terminal.Wrap(Command{INS: 0xb0, Ne: 16}); err != nil {
				t.Fatal(err)
			}
			card.count()
			answer, err := card.WrapResponse([]byte("sixteen bytes..."), OK, false)
			if err != nil {
				t.Fatal(err)
			}
			return terminal, answer
		}
		terminal, answer := fresh()
		if data, _, err := terminal.Unwrap(answer); err != nil || string(data) != "sixteen bytes..." {
			t.Fatalf("suite %d: the good answer: %q, %v", s, data, err)
		}
		if _, _, err := terminal.Unwrap(answer); err == nil {
			t.Errorf("suite %d: an answer said twice is taken", s)
		}
		for i := range answer {
			terminal, answer := fresh()
			answer[i] ^= 0x40
			if data, _, err := terminal.Unwrap(answer); err == nil || data != nil {
				t.Fatalf("suite %d: an answer with byte %d changed is taken", s, i)
			}
			terminal, answer = fresh()
			if _, _, err := terminal.Unwrap(answer[:i]); err == nil {
				t.Fatalf("suite %d: an answer cut to %d bytes is taken", s, i)
			}
		}
		terminal, _ = fresh()
		if _, status, err := terminal.Unwrap([]byte{0x69, 0x88}); !errors.Is(err, ErrAuthentic) || status != SMIncorrect {
			t.Errorf("suite %d: an answer in clear: %04X, %v", s, uint16(status), err)
		}
	}
	if _, err := NewSecure(AES128, make([]byte, 16), make([]byte, 16), make([]byte, 8)); err == nil {
		t.Error("a short counter is taken")
	}
}

func TestCommands(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		c    Command
		want string
	}{
		"case-1":          {Command{INS: 0xa4}, "00A40000"},
		"case-2-short":    {Command{INS: 0xb0, Ne: 256}, "00B0000000"},
		"case-2-extended": {Command{INS: 0xb0, Ne: 65536}, "00B00000000000"},
		"case-2-257":      {Command{INS: 0xb0, Ne: 257}, "00B00000000101"},
		"case-3-short":    {Command{INS: 0xa4, Data: []byte{1, 2}}, "00A40000020102"},
		"case-4-short":    {Command{INS: 0x84, Data: []byte{1}, Ne: 8}, "0084000001" + "01" + "08"},
		"case-4-extended": {Command{INS: 0x84, Data: []byte{1}, Ne: 300}, "00840000000001" + "01" + "012C"},
	} {
		got, err := c.c.Bytes()
		if err != nil || x(got) != c.want {
			t.Errorf("%s: got %X, %v, want %s", name, got, err, c.want)
		}
		if back, err := ParseCommand(got); err != nil || back.INS != c.c.INS || back.Ne != c.c.Ne || !bytes.Equal(back.Data, c.c.Data) {
			t.Errorf("%s: read back as %+v, %v", name, back, err)
		}
	}
	for name, c := range map[string]Command{"data": {Data: make([]byte, 65536)}, "wanted": {Ne: 65537}, "negative": {Ne: -1}} {
		if _, err := c.Bytes(); err == nil {
			t.Errorf("%s: written", name)
		}
	}
	for _, bad := range []string{"", "00A400", "00A4000005", "00A4000002010203FF04", "00A4000000", "00A40000000000" + "FF", "00A40000000002" + "01"} {
		if c, err := ParseCommand(b(t, bad)); err == nil && bad != "00A4000000" && bad != "00A4000005" {
			t.Errorf("%q is read as %+v", bad, c)
		}
	}
}

func TestObjects(t *testing.T) {
	t.Parallel()
	for _, n := range []int{0, 1, 127, 128, 255, 256, 65535, 65536} {
		for _, tag := range []Tag{0x87, 0x7f61, 0x5f1f} {
			o := append(Object(tag, bytes.Repeat([]byte{5}, n)), 0xaa)
			got, value, rest, err := Next(o)
			if err != nil || got != tag || len(value) != n || len(rest) != 1 {
				t.Errorf("tag %X of %d bytes: %X, %d, %d left, %v", tag, n, got, len(value), len(rest), err)
			}
		}
	}
	for name, bad := range map[string]string{
		"empty": "", "no-length": "87", "longer-than-there": "870501", "indefinite": "8780", "length-of-length": "8785010203", "long-tag": "7F8181",
		"length-cut": "8782FF", "beyond-bounds": "87" + "83FFFFFF",
	} {
		if tag, _, _, err := Next(b(t, bad)); err == nil {
			t.Errorf("%s: read as %X", name, tag)
		}
	}
	if v, err := Find(b(t, "870101"+"990290008E00"), tagStatus); err != nil || x(v) != "9000" {
		t.Errorf("found %X, %v", v, err)
	}
	if v, err := Find(b(t, "870101"), tagStatus); err != nil || v != nil {
		t.Errorf("found %X, %v", v, err)
	}
}

func FuzzObject(f *testing.F) {
	f.Add([]byte{0x87, 0x01, 0x01, 0x99, 0x02, 0x90, 0x00})
	f.Add([]byte{0x7f, 0x61, 0x82, 0x01})
	f.Fuzz(func(t *testing.T, b []byte) {
		for rest := b; len(rest) > 0; {
			tag, value, after, err := Next(rest)
			if err != nil {
				return
			}
			if len(after) >= len(rest) {
				t.Fatal("it does not go on")
			}
			if again, v, _, err := Next(Object(tag, value)); err != nil || again != tag || !bytes.Equal(v, value) {
				t.Errorf("written again it is %X, %d bytes, %v", again, len(v), err)
			}
			rest = after
		}
	})
}

func FuzzCommand(f *testing.F) {
	f.Add([]byte{0x00, 0xb0, 0, 0, 4})
	f.Add([]byte{0x00, 0xb0, 0, 0, 0, 1, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := ParseCommand(b)
		if err != nil {
			return
		}
		wire, err := c.Bytes()
		if err != nil {
			t.Fatalf("%+v is not written: %v", c, err)
		}
		if again, err := ParseCommand(wire); err != nil || again.Ne != c.Ne || !bytes.Equal(again.Data, c.Data) {
			t.Errorf("%+v became %+v, %v", c, again, err)
		}
	})
}

func FuzzUnwrap(f *testing.F) {
	f.Add([]byte{0x99, 0x02, 0x90, 0x00, 0x8e, 0x08, 1, 2, 3, 4, 5, 6, 7, 8, 0x90, 0x00})
	f.Add([]byte{0x69, 0x88})
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, s := range []Suite{TripleDES, AES128} {
			terminal, _ := pair(t, s)
			if data, _, err := terminal.Unwrap(b); err == nil {
				t.Errorf("%X is authentic: %X", b, data)
			}
		}
	})
}

// Padding comes off as it went on, and nothing else comes off (ISO/IEC 9797-1,
// method 2).
func TestPadding(t *testing.T) {
	t.Parallel()
	for n := range 40 {
		for _, block := range []int{8, 16} {
			data := make([]byte, n)
			padded := Pad(data, block)
			back, err := Unpad(padded)
			if err != nil || len(padded)%block != 0 || len(padded) <= n || len(back) != n {
				t.Errorf("%d bytes became %d and %d, %v", n, len(padded), len(back), err)
			}
		}
	}
	for name, bad := range map[string]string{"empty": "", "zeros": "0000", "no-mark": "01020304", "mark-inside": "800001"} {
		if got, err := Unpad(b(t, bad)); err == nil {
			t.Errorf("%s: unpadded to %X", name, got)
		}
	}
}
