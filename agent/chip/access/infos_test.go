package access

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/counterproof/counterproof/agent/chip/curve"
	"github.com/counterproof/counterproof/agent/chip/sm"
)

// seq writes a sequence.
func seq(parts ...[]byte) []byte { return sm.Object(tagSequence, bytes.Join(parts, nil)) }

// num writes a number.
func num(n int64) []byte { return sm.Object(tagInteger, append([]byte{0}, big.NewInt(n).Bytes()...)) }

// oid writes an identifier of content octets.
func oid(content string) []byte { return sm.Object(tagOID, []byte(content)) }

// set writes infos as EF.CardAccess has them.
func set(infos ...[]byte) []byte { return sm.Object(tagSet, bytes.Join(infos, nil)) }

// bitString writes bytes as a string of bits.
func bitString(b []byte) []byte { return sm.Object(tagBits, append([]byte{0}, b...)) }

// standardKey is a key with standardised domain parameters.
func standardKey(id int64, private int64) []byte {
	d, _ := named(int(id))
	value := d.marshal(d.power(d.generator(), big.NewInt(private)))
	if d.Group != nil {
		value = sm.Object(tagInteger, append([]byte{0}, value...))
	}
	return seq(seq(oid(oidStandard), num(id)), bitString(value))
}

// spelledOut is a curve's parameters, as a certificate may have them.
func spelledOut(c *curve.Curve) []byte {
	number := func(v *big.Int) []byte { return sm.Object(tagInteger, append([]byte{0}, v.Bytes()...)) }
	octets := func(v *big.Int) []byte { return sm.Object(tagOctets, v.FillBytes(make([]byte, c.Bytes()))) }
	return seq(num(1), seq(oid(oidPrime), number(c.P)), seq(octets(c.A), octets(c.B)), sm.Object(tagOctets, c.Marshal(c.G)), number(c.N), num(1))
}

// TestOffers: ways of PACE are known by their identifiers; what is not known here,
// or not allowed, is left out, and still counts as an offer.
func TestOffers(t *testing.T) {
	t.Parallel()
	brainpool, _ := named(13)
	own := *brainpool.Curve
	own.G = own.Base(big.NewInt(5))
	for name, c := range map[string]struct {
		infos []byte
		ways  int
		offer bool
	}{
		"generic":              {set(seq(oid(oidPACE+"\x02\x04"), num(2), num(13))), 1, true},
		"three":                {set(seq(oid(oidPACE+"\x02\x01"), num(2), num(12)), seq(oid(oidPACE+"\x06\x02"), num(2), num(12)), seq(oid(oidPACE+"\x01\x02"), num(2), num(0))), 3, true},
		"version-1":            {set(seq(oid(oidPACE+"\x02\x02"), num(1), num(13))), 0, true},
		"unknown-mapping":      {set(seq(oid(oidPACE+"\x05\x02"), num(2), num(13))), 0, true},
		"unknown-cipher":       {set(seq(oid(oidPACE+"\x02\x05"), num(2), num(13))), 0, true},
		"CAM-with-3DES":        {set(seq(oid(oidPACE+"\x06\x01"), num(2), num(13))), 0, true},
		"curve-for-a-group":    {set(seq(oid(oidPACE+"\x01\x02"), num(2), num(13))), 0, true},
		"group-for-a-curve":    {set(seq(oid(oidPACE+"\x02\x02"), num(2), num(0))), 0, true},
		"reserved-parameters":  {set(seq(oid(oidPACE+"\x02\x02"), num(2), num(5))), 0, true},
		"IM-on-P-224":          {set(seq(oid(oidPACE+"\x04\x02"), num(2), num(10))), 0, true},
		"no-parameters":        {set(seq(oid(oidPACE+"\x02\x02"), num(2))), 0, true},
		"spelled-out, known":   {set(seq(oid(oidPACE+"\x02\x02"), num(2), num(32)), seq(oid(oidPACE+"\x02"), seq(oid(oidEC), spelledOut(brainpool.Curve)), num(32))), 1, true},
		"spelled-out, alone":   {set(seq(oid(oidPACE+"\x02\x02"), num(2)), seq(oid(oidPACE+"\x02"), seq(oid(oidEC), spelledOut(brainpool.Curve)))), 1, true},
		"spelled-out, own":     {set(seq(oid(oidPACE+"\x02\x02"), num(2), num(32)), seq(oid(oidPACE+"\x02"), seq(oid(oidEC), spelledOut(&own)), num(32))), 0, true},
		"spelled-out, another": {set(seq(oid(oidPACE+"\x02\x02"), num(2), num(33)), seq(oid(oidPACE+"\x02"), seq(oid(oidEC), spelledOut(brainpool.Curve)), num(32))), 0, true},
		"other-infos":          {set(seq(oid("\x04\x00\x7f\x00\x07\x02\x02\x02"), num(1)), seq(oid(oidAA), num(1), oid("\x04")), seq(oid("\x2a"))), 0, false},
		"empty":                {set(), 0, false},
	} {
		got, err := CardAccess(c.infos)
		if err != nil || len(got.PACE) != c.ways || len(got.Ways()) != c.ways || got.Offers() != c.offer {
			t.Errorf("%s: %d ways, offers %t, %v", name, len(got.PACE), got.Offers(), err)
		}
	}
	for name, bad := range map[string][]byte{
		"nothing": nil, "no-set": seq(), "no-sequence": set(num(1)), "cut": set(seq(num(1)))[:3], "more-behind": append(set(), 0), "many": set(bytes.Repeat(seq(num(1)), 65)),
	} {
		if got, err := CardAccess(bad); err == nil {
			t.Errorf("%s: read as %+v", name, got)
		}
	}
}

// TestWays: a way that proves the chip comes first, then the stronger cipher.
func TestWays(t *testing.T) {
	t.Parallel()
	infos, err := CardAccess(set(
		seq(oid(oidPACE+"\x02\x01"), num(2), num(12)), seq(oid(oidPACE+"\x04\x04"), num(2), num(12)),
		seq(oid(oidPACE+"\x02\x04"), num(2), num(12)), seq(oid(oidPACE+"\x06\x02"), num(2), num(12)),
	))
	if err != nil {
		t.Fatal(err)
	}
	var got string
	for _, p := range infos.Ways() {
		got += p.Mapping.String() + string('0'+rune(p.Suite)) + " "
	}
	if got != "CAM1 GM3 IM3 GM0 " {
		t.Errorf("in the order %s", got)
	}
}

// TestSamePACE: offers are compared whole, whatever else a chip says.
func TestSamePACE(t *testing.T) {
	t.Parallel()
	one, two := seq(oid(oidPACE+"\x02\x04"), num(2), num(13)), seq(oid(oidPACE+"\x06\x04"), num(2), num(13))
	other := seq(oid("\x04\x00\x7f\x00\x07\x02\x02\x02"), num(1))
	for name, c := range map[string]struct {
		a, b []byte
		same bool
	}{
		"same":         {set(one, two), set(two, other, one), true},
		"none":         {set(), set(other), true},
		"one-missing":  {set(one), set(one, two), false},
		"one-more":     {set(one, two), set(one), false},
		"taken-away":   {set(), set(one), false},
		"never-signed": {set(one), set(), false},
	} {
		a, err := CardAccess(c.a)
		if err != nil {
			t.Fatal(err)
		}
		b, err := DG14(sm.Object(0x6e, c.b))
		if err != nil || a.SamePACE(b) != c.same {
			t.Errorf("%s: %t, %v", name, a.SamePACE(b), err)
		}
	}
}

// TestManyKeys: keys that are none are tried only so often, as each may take long.
func TestManyKeys(t *testing.T) {
	t.Parallel()
	for bad, want := range map[int]int{maxKeys - 1: 1, maxKeys: 0} {
		var infos [][]byte
		for range bad {
			infos = append(infos, seq(oid(oidPK+"\x02"), num(1)))
		}
		infos = append(infos, seq(oid(oidPK+"\x02"), standardKey(12, 5)))
		got, err := DG14(sm.Object(0x6e, set(infos...)))
		if err != nil || len(got.keys) != want || !got.Proves {
			t.Errorf("after %d that are none: %d keys, %v", bad, len(got.keys), err)
		}
	}
}

// TestActiveByAnyDigest: a chip that tells no digest may sign over any of them; one
// that tells a digest is held to it.
func TestActiveByAnyDigest(t *testing.T) {
	t.Parallel()
	d, _ := named(13)
	private, challenge := big.NewInt(0xaa), []byte("12345678")
	key := Key{domain: d, public: d.public(private)}
	for last, h := range digests {
		r, s, err := d.Curve.Sign(rand.NewChaCha8([32]byte{last}), private, digest(h, challenge))
		if err != nil {
			t.Fatal(err)
		}
		answer := append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...)
		other := last%5 + 1
		for told, want := range map[byte]bool{0: true, last: true, other: false} {
			if got := key.Active(Infos{digest: told}, challenge, answer); got != want {
				t.Errorf("signed over %s, told %d: %t, want %t", h, told, got, want)
			}
		}
		if key.Active(Infos{}, []byte("12345679"), answer) {
			t.Errorf("%s: it is good for another challenge", h)
		}
	}
}

// TestAgreements: ways of Chip Authentication find their key; the strongest comes
// first, and a key alone is agreed on as the first chips had it.
func TestAgreements(t *testing.T) {
	t.Parallel()
	ec, dh := oidPK+"\x02", oidPK+"\x01"
	for name, c := range map[string]struct {
		infos  []byte
		suites []sm.Suite
		key    int
		proves bool
	}{
		"one":               {set(seq(oid(oidCA+"\x02\x04"), num(1)), seq(oid(ec), standardKey(12, 5))), []sm.Suite{sm.AES256}, noID, true},
		"strongest-first":   {set(seq(oid(oidCA+"\x02\x01"), num(1)), seq(oid(oidCA+"\x02\x03"), num(1)), seq(oid(ec), standardKey(12, 5))), []sm.Suite{sm.AES192, sm.TripleDES}, noID, true},
		"by-number":         {set(seq(oid(oidCA+"\x02\x02"), num(1), num(2)), seq(oid(ec), standardKey(12, 5), num(1)), seq(oid(ec), standardKey(13, 6), num(2))), []sm.Suite{sm.AES128}, 2, true},
		"key-without-a-way": {set(seq(oid(dh), standardKey(0, 5))), []sm.Suite{sm.TripleDES}, noID, true},
		"way-without-a-key": {set(seq(oid(oidCA+"\x02\x02"), num(1))), nil, 0, true},
		"another-number":    {set(seq(oid(oidCA+"\x02\x02"), num(1), num(3)), seq(oid(oidCA+"\x01\x02"), num(1)), seq(oid(dh), standardKey(0, 5), num(1))), []sm.Suite{sm.AES128}, 1, true},
		"unknown-cipher":    {set(seq(oid(oidCA+"\x02\x09"), num(1))), nil, 0, true},
		"unknown-with-key":  {set(seq(oid(oidCA+"\x02\x09"), num(1)), seq(oid(ec), standardKey(12, 5))), nil, 0, true},
		"no-key-at-all":     {set(seq(oid(ec), num(1))), nil, 0, true},
		"nothing":           {set(), nil, 0, false},
	} {
		got, err := DG14(sm.Object(0x6e, c.infos))
		if err != nil || len(got.Agreements) != len(c.suites) || got.Proves != c.proves {
			t.Errorf("%s: %d ways, proves %t, %v", name, len(got.Agreements), got.Proves, err)
			continue
		}
		for i, s := range c.suites {
			a := got.Agreements[i]
			if a.Suite != s || a.KeyID != c.key || !bytes.Contains(c.infos, a.Key.SPKI) {
				t.Errorf("%s: way %d is of suite %d with key %d", name, i, a.Suite, a.KeyID)
			}
		}
	}
}

// TestJoin: a chip comes to the terminal's session with its key alone, and takes
// no key that is none.
func TestJoin(t *testing.T) {
	t.Parallel()
	infos, err := DG14(sm.Object(0x6e, set(seq(oid(oidCA+"\x02\x04"), num(1)), seq(oid(oidPK+"\x02"), standardKey(13, 99)))))
	if err != nil {
		t.Fatal(err)
	}
	a := infos.Agreements[0]
	public, terminal, err := a.Begin(newChance(3))
	if err != nil {
		t.Fatal(err)
	}
	c, err := terminal.Wrap(sm.Command{INS: 0xb0, Ne: 4})
	if err != nil {
		t.Fatal(err)
	}
	for private, good := range map[int64]bool{99: true, 100: false} {
		card, err := a.Join(big.NewInt(private), public)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := card.UnwrapCommand(c); (err == nil) != good {
			t.Errorf("with key %d: %v", private, err)
		}
	}
	for name, bad := range map[string][]byte{"empty": nil, "infinity": {0}, "beside": append(public[:64:64], 0)} {
		if _, err := a.Join(big.NewInt(99), bad); !errors.Is(err, sm.ErrProtocol) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Keys as the standard library writes them are read.
func TestKeysOfStandardLibrary(t *testing.T) {
	t.Parallel()
	for _, c := range []elliptic.Curve{elliptic.P224(), elliptic.P256(), elliptic.P521()} {
		private, err := ecdsa.GenerateKey(c, newChance(1))
		if err != nil {
			t.Fatal(err)
		}
		spki, err := x509.MarshalPKIXPublicKey(&private.PublicKey)
		if err != nil {
			t.Fatal(err)
		}
		if k, err := ParseKey(spki); err != nil || k.domain.Curve.P.Cmp(c.Params().P) != 0 || !bytes.Equal(k.SPKI, spki) {
			t.Errorf("%s: %v", c.Params().Name, err)
		}
	}
	private, err := rsa.GenerateKey(newChance(1), 1024)
	if err != nil {
		t.Fatal(err)
	}
	spki, err := x509.MarshalPKIXPublicKey(&private.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	if k, err := ParseKey(spki); err != nil || k.AnswerLen() != 128 {
		t.Errorf("RSA: %v", err)
	}
}

// TestKeys: keys of chips are read in every form that documents have, and checked.
func TestKeys(t *testing.T) {
	t.Parallel()
	d, _ := named(12)
	point := bitString(d.Curve.Marshal(d.Curve.G))
	g, _ := named(1)
	number := func(v *big.Int) []byte { return sm.Object(tagInteger, append([]byte{0}, v.Bytes()...)) }
	y := bitString(number(g.Group.Power(g.Group.G, big.NewInt(9))))
	own := *d.Curve
	own.G = own.Base(big.NewInt(3))
	for name, c := range map[string]struct {
		spki []byte
		good bool
	}{
		"standardised":      {standardKey(13, 7), true},
		"standard-group":    {standardKey(2, 7), true},
		"spelled-out":       {seq(seq(oid(oidEC), spelledOut(d.Curve)), point), true},
		"own-curve":         {seq(seq(oid(oidEC), spelledOut(&own)), point), true},
		"PKCS-3":            {seq(seq(oid(oidPKCS3), seq(number(g.Group.P), number(g.Group.G))), y), true},
		"X9.42":             {seq(seq(oid(oidX942), seq(number(g.Group.P), number(g.Group.G), number(g.Group.Q))), y), true},
		"own-group":         {seq(seq(oid(oidX942), seq(number(g.Group.P), number(g.Group.Power(g.Group.G, big.NewInt(2))), number(g.Group.Q))), y), true},
		"own-group, PKCS-3": {seq(seq(oid(oidPKCS3), seq(number(g.Group.P), number(g.Group.Power(g.Group.G, big.NewInt(2))))), y), true},
		"wrong-order":       {seq(seq(oid(oidX942), seq(number(g.Group.P), number(big.NewInt(2)), number(g.Group.Q))), y), false},
		"small-group":       {seq(seq(oid(oidX942), seq(num(23), num(4), num(11))), bitString(num(9))), false},
		"no-member":         {seq(seq(oid(oidStandard), num(1)), bitString(num(2))), false},
		"beside-the-curve":  {seq(seq(oid(oidStandard), num(12)), bitString(append([]byte{4}, make([]byte, 64)...))), false},
		"reserved":          {seq(seq(oid(oidStandard), num(5)), point), false},
		"unknown-kind":      {seq(seq(oid("\x2a\x03")), point), false},
		"unknown-curve":     {seq(seq(oid(oidEC), oid("\x2a\x03")), point), false},
		"no-parameters":     {seq(seq(oid(oidEC)), point), false},
		"implicit":          {seq(seq(oid(oidEC), sm.Object(tagNull, nil)), point), false},
		"no-bits":           {seq(seq(oid(oidEC), oid("\x2a")), num(1)), false},
		"unused-bits":       {seq(seq(oid(oidStandard), num(12)), sm.Object(tagBits, append([]byte{1}, d.Curve.Marshal(d.Curve.G)...))), false},
		"more-behind":       {append(standardKey(13, 7), 0), false},
		"small-RSA":         {seq(seq(oid(oidRSA)), bitString(seq(num(3233), num(17)))), false},
		"even-RSA":          {seq(seq(oid(oidRSA)), bitString(seq(number(new(big.Int).Lsh(big.NewInt(1), 1500)), num(17)))), false},
		"huge-RSA":          {seq(seq(oid(oidRSA)), bitString(seq(number(new(big.Int).Lsh(big.NewInt(1), 9000)), num(17)))), false},
	} {
		k, err := ParseKey(c.spki)
		if (err == nil) != c.good || c.good && !bytes.Equal(k.SPKI, c.spki) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestBorder: a recovered part may be filled up in front; nothing else may stand
// there.
func TestBorder(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{"6A0102": "0102", "6BBA01": "01", "6BBBBBBA01": "01", "6A": ""} {
		if got, ok := headed(b(t, in)); !ok || x(got) != want {
			t.Errorf("%s: got %X, %t", in, got, ok)
		}
	}
	for _, in := range []string{"", "6B", "6BBB", "6B01", "4A01", "0A"} {
		if got, ok := headed(b(t, in)); ok {
			t.Errorf("%s: got %X", in, got)
		}
	}
}

// FuzzInfos: whatever a chip says about itself, it is read or refused, in bounded
// time.
func FuzzInfos(f *testing.F) {
	for _, name := range []string{"eac-ecdh", "eac-dh"} {
		w := example(f, name)
		f.Add(b(f, w["ef_cardaccess"]))
		if file, told := w["ef_cardsecurity"]; told {
			f.Add(b(f, file))
		}
	}
	f.Add(sm.Object(0x6e, set(seq(oid(oidCA+"\x02\x04"), num(1)), seq(oid(oidPK+"\x02"), standardKey(13, 99)))))
	f.Add(sm.Object(0x6f, standardKey(13, 7)))
	f.Fuzz(func(t *testing.T, file []byte) {
		for _, read := range []func([]byte) (Infos, error){CardAccess, DG14, CardSecurity} {
			infos, err := read(file)
			if err != nil && (infos.Offers() || infos.Proves) {
				t.Error("what is refused says something")
			}
			for _, a := range infos.Agreements {
				if _, _, err := a.Begin(newChance(1)); err != nil {
					t.Errorf("a key that was read cannot be agreed with: %v", err)
				}
			}
			_ = infos.Ways()
		}
		if k, err := DG15(file); err == nil && k.Active(Infos{}, make([]byte, ChallengeLen), file) {
			t.Error("a file signs a challenge")
		}
	})
}
