package mint_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/x509"
	"encoding/binary"
	"errors"
	"math/big"
	"testing"
	"time"

	"github.com/counterproof/counterproof/agent/chip"
	"github.com/counterproof/counterproof/agent/chip/access"
	"github.com/counterproof/counterproof/agent/chip/curve"
	"github.com/counterproof/counterproof/agent/chip/mint"
	"github.com/counterproof/counterproof/agent/chip/sm"
)

// full is a chip that can do everything.
func full(t testing.TB) mint.Kind {
	t.Helper()
	private, err := rsa.GenerateKey(random(3), 1024)
	if err != nil {
		t.Fatal(err)
	}
	return mint.Kind{
		Offers: []mint.Offer{
			{Mapping: access.Generic, Suite: sm.AES128, Domain: 12}, {Mapping: access.Integrated, Suite: sm.TripleDES, Domain: 0},
			{Mapping: access.ChipAuthentication, Suite: sm.AES256, Domain: 13},
		},
		Mapped:    big.NewInt(4711),
		Agreement: &mint.Agreement{Suite: sm.TripleDES, Domain: 13, Private: big.NewInt(815)},
		Active:    &mint.Signer{RSA: private, Digest: crypto.SHA256},
	}
}

// config is a chip of a kind.
func config(k mint.Kind) mint.Config {
	all := k.Files()
	all[chip.SOD], all[chip.DG1] = object(0x77, 900), object(0x61, 91)
	return mint.Config{Key: key, CAN: "500540", Kind: k, Files: all, Random: random(1)}
}

// terminal speaks to a chip, protected where it has a session.
type terminal struct {
	*testing.T
	card   *mint.Card
	secure *sm.Secure
}

// say sends a command.
func (t *terminal) say(c sm.Command) ([]byte, sm.Status) {
	t.Helper()
	var err error
	if t.secure != nil {
		if c, err = t.secure.Wrap(c); err != nil {
			t.Fatal(err)
		}
	}
	wire, err := c.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	answer, err := t.card.Transmit(t.Context(), wire)
	if err != nil {
		t.Fatal(err)
	}
	if t.secure == nil {
		data, status, err := sm.ParseResponse(answer)
		if err != nil {
			t.Fatal(err)
		}
		return data, status
	}
	data, status, err := t.secure.Unwrap(answer)
	if err != nil {
		t.Fatal(err)
	}
	return data, status
}

// expects sends commands one after another and holds the last one's status.
func (t *terminal) expects(name string, want sm.Status, commands ...sm.Command) {
	t.Helper()
	var got sm.Status
	for _, c := range commands {
		_, got = t.say(c)
	}
	if got != want {
		t.Errorf("%s: the chip answers %04X, want %04X", name, uint16(got), uint16(want))
	}
}

// Commands of access and proof.
func setPACE(protocol string, password, parameter byte) sm.Command {
	data := append(sm.Object(0x80, []byte(protocol)), sm.Object(0x83, []byte{password})...)
	return sm.Command{INS: 0x22, P1: 0xc1, P2: 0xa4, Data: append(data, sm.Object(0x84, []byte{parameter})...)}
}

func step(class byte, inner []byte) sm.Command {
	return sm.Command{CLA: class, INS: 0x86, Data: sm.Object(0x7c, inner), Ne: 256}
}

// Identifiers of the ways of the full chip.
const (
	generic = "\x04\x00\x7f\x00\x07\x02\x02\x04\x02\x02"
	mapped  = "\x04\x00\x7f\x00\x07\x02\x02\x04\x06\x04"
	agreed  = "\x04\x00\x7f\x00\x07\x02\x02\x03\x02\x01"
)

// TestRefusesTerminals: what a terminal may not do, it is not let do, and why.
func TestRefusesTerminals(t *testing.T) {
	t.Parallel()
	cfg := config(full(t))
	fresh := func() *terminal { return &terminal{T: t, card: mint.New(cfg)} }
	fresh().expects("a way that it does not offer", sm.WrongData, setPACE("\x04\x00\x7f\x00\x07\x02\x02\x04\x02\x04", 1, 12))
	fresh().expects("other parameters", sm.WrongData, setPACE(generic, 1, 13))
	fresh().expects("an unknown password", sm.NoReference, setPACE(generic, 3, 12))
	fresh().expects("a way that it offers", sm.OK, setPACE(generic, 1, 12))
	fresh().expects("another one", sm.OK, setPACE(mapped, 2, 13))
	fresh().expects("nonsense for a way", sm.WrongData, sm.Command{INS: 0x22, P1: 0xc1, P2: 0xa4, Data: []byte{0x80, 9}})
	fresh().expects("an unknown template", sm.WrongP1P2, sm.Command{INS: 0x22, P1: 0xc1, P2: 0xb6})
	fresh().expects("a step without a way", 0x6985, step(0x10, nil))
	fresh().expects("a first step that is the last", 0x6985, setPACE(generic, 1, 12), step(0, nil))
	fresh().expects("a step without data", sm.WrongData, setPACE(generic, 1, 12), step(0x10, nil), step(0x10, nil))
	fresh().expects("a point beside the curve", sm.WrongData, setPACE(generic, 1, 12), step(0x10, nil), step(0x10, sm.Object(0x81, make([]byte, 65))))
	fresh().expects("a step after a failed one", 0x6985, setPACE(generic, 1, 12), step(0, nil), step(0x10, nil))
	fresh().expects("proofs before access", sm.NotSatisfied, sm.Command{INS: 0x22, P1: 0x41, P2: 0xa4, Data: sm.Object(0x80, []byte(agreed))})
	fresh().expects("proofs in one step before access", sm.WrongData, sm.Command{INS: 0x22, P1: 0x41, P2: 0xa6, Data: sm.Object(0x91, []byte{4})})
	fresh().expects("a signature before access", sm.NotSatisfied, sm.Command{INS: 0x88, Data: make([]byte, 8), Ne: 256})
	fresh().expects("EF.CardSecurity before access", sm.NotSatisfied, sm.Command{INS: 0xb0, P1: 0x9d, Ne: 256})
	fresh().expects("EF.CardAccess", sm.EndOfFile, sm.Command{INS: 0xb0, P1: 0x9c, Ne: 256})
	fresh().expects("a nonce without the document", sm.NotSatisfied, sm.Command{INS: 0x84, Ne: 8})
	fresh().expects("an unknown command", sm.UnknownINS, sm.Command{INS: 0x20})
	fresh().expects("a folder that is none", sm.WrongLength, sm.Command{INS: 0xa4, Data: []byte{1}})
	fresh().expects("the master file", sm.OK, sm.Command{INS: 0xa4, P2: 0x0c, Data: []byte{0x3f, 0}})
}

// open opens a chip by PACE with the generic mapping and the zone, as a terminal.
func open(t *testing.T, cfg mint.Config) *terminal {
	t.Helper()
	x := &terminal{T: t, card: mint.New(cfg)}
	infos, err := access.CardAccess(cfg.Files[chip.CardAccess])
	if err != nil {
		t.Fatal(err)
	}
	run := access.NewRun(infos.PACE[0], access.Password{MRZInformation: cfg.Key}, random(2))
	x.expects("choosing", sm.OK, setPACE(generic, 1, 12))
	part := func(c sm.Command, tag sm.Tag) []byte {
		data, status := x.say(c)
		body, err := sm.Find(data, 0x7c)
		if err != nil || status != sm.OK {
			t.Fatalf("the chip answers %X, %04X", data, uint16(status))
		}
		value, err := sm.Find(body, tag)
		if err != nil {
			t.Fatal(err)
		}
		return value
	}
	must := func(b []byte, err error) []byte {
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	if err := errors.Join(
		run.Open(part(step(0x10, nil), 0x80)),
		run.Map(part(step(0x10, sm.Object(0x81, must(run.Mapper()))), 0x82)),
		run.Agree(part(step(0x10, sm.Object(0x83, must(run.Public()))), 0x84)),
		run.Check(part(step(0x00, sm.Object(0x85, must(run.Token()))), 0x86)),
	); err != nil {
		t.Fatal(err)
	}
	if x.secure, err = run.Session(); err != nil {
		t.Fatal(err)
	}
	return x
}

// TestRules: after access the chip shows its files, folder by folder, and proves
// itself; it takes no nonsense for a proof.
func TestRules(t *testing.T) {
	t.Parallel()
	cfg := config(full(t))
	x := open(t, cfg)
	x.expects("EF.CardSecurity", sm.EndOfFile, sm.Command{INS: 0xb0, P1: 0x9d, Ne: 65000})
	x.expects("data in the wrong folder", sm.NotSatisfied, sm.Command{INS: 0xb0, P1: 0x81, Ne: 256})
	x.expects("the document", sm.OK, sm.Command{INS: 0xa4, P1: 4, P2: 0x0c, Data: []byte{0xa0, 0, 0, 2, 0x47, 0x10, 1}})
	x.expects("another document", sm.FileMissing, sm.Command{INS: 0xa4, P1: 4, P2: 0x0c, Data: []byte{0xa0}})
	x.expects("EF.CardAccess in the document", sm.FileMissing, sm.Command{INS: 0xa4, P1: 2, P2: 0x0c, Data: []byte{1, 0x1c}})
	x.expects("a file that it does not have", sm.FileMissing, sm.Command{INS: 0xb0, P1: 0x82, Ne: 256})
	x.expects("beyond the end", sm.WrongP1P2, sm.Command{INS: 0xb0, P1: 0x81, Ne: 1}, sm.Command{INS: 0xb0, P1: 0x7f, Ne: 1})
	x.expects("an offset that is none", sm.WrongLength, sm.Command{INS: 0xb1, Data: []byte{0x54, 9, 1}, Ne: 10})
	x.expects("a long offset", sm.WrongLength, sm.Command{INS: 0xb1, Data: sm.Object(0x54, make([]byte, 9)), Ne: 10})
	x.expects("a far part beyond the end", sm.WrongP1P2, sm.Command{INS: 0xb1, Data: sm.Object(0x54, []byte{1, 0, 0}), Ne: 10})
	x.expects("an unknown way of agreement", sm.WrongData, sm.Command{INS: 0x22, P1: 0x41, P2: 0xa4, Data: sm.Object(0x80, []byte{1})})
	x.expects("agreement with nonsense", sm.WrongData, sm.Command{INS: 0x22, P1: 0x41, P2: 0xa4, Data: sm.Object(0x80, []byte(agreed))}, step(0, sm.Object(0x80, []byte{4, 1})))
	x.expects("a short challenge", sm.WrongLength, sm.Command{INS: 0x88, Data: make([]byte, 7), Ne: 256})
	x.expects("a challenge", sm.OK, sm.Command{INS: 0x88, Data: make([]byte, 8), Ne: 256})
	x.expects("the session still stands", sm.EndOfFile, sm.Command{INS: 0xb0, P1: 0x81, Ne: 256})
}

// TestOnceInClear: one word in clear ends the session.
func TestOnceInClear(t *testing.T) {
	t.Parallel()
	x := open(t, config(full(t)))
	x.expects("a file", sm.EndOfFile, sm.Command{INS: 0xb0, P1: 0x9d, Ne: 65000})
	x.secure = nil
	x.expects("the same file in clear", sm.NotSatisfied, sm.Command{INS: 0xb0, Ne: 256})
	x.expects("another in clear", sm.NotSatisfied, sm.Command{INS: 0xb0, P1: 0x81, Ne: 256})
	x.expects("protected afterwards", sm.SMMissing, sm.Command{CLA: 0x0c, INS: 0xb0, P1: 0x81, Ne: 256})
	x = open(t, config(full(t)))
	x.card.Again()
	x.secure = nil
	x.expects("after the field went", sm.SMMissing, sm.Command{CLA: 0x0c, INS: 0xb0, P1: 0x81, Ne: 256})
}

// TestInPieces: an answer that is longer than what was asked for comes in pieces,
// and a piece comes once (ISO 7816-4 §5.3.4).
func TestInPieces(t *testing.T) {
	t.Parallel()
	cfg := config(full(t))
	private, err := rsa.GenerateKey(random(4), 2048)
	if err != nil {
		t.Fatal(err)
	}
	cfg.Kind.Active = &mint.Signer{RSA: private, Digest: crypto.SHA1}
	x := open(t, cfg)
	c, err := x.secure.Wrap(sm.Command{INS: 0x88, Data: make([]byte, 8), Ne: 256})
	if err != nil {
		t.Fatal(err)
	}
	session := x.secure
	x.secure = nil
	first, status := x.say(c)
	if len(first) != 256 || status&0xff00 != sm.MoreAvailable {
		t.Fatalf("%d bytes, %04X", len(first), uint16(status))
	}
	second, status := x.say(sm.Command{INS: 0xc0, Ne: int(status & 0xff)})
	data, _, err := session.Unwrap(binary.BigEndian.AppendUint16(append(first, second...), uint16(status)))
	if err != nil || len(data) != 256 {
		t.Errorf("%d bytes, %v", len(data), err)
	}
	x.expects("a piece too many", sm.UnknownINS, sm.Command{INS: 0xc0, Ne: 8})
}

// TestFiles: what a chip tells about itself is read back as it was meant, also by
// the standard library where it can.
func TestFiles(t *testing.T) {
	t.Parallel()
	k := full(t)
	all := k.Files()
	infos, err := access.CardAccess(all[chip.CardAccess])
	if err != nil || len(infos.PACE) != len(k.Offers) {
		t.Fatalf("EF.CardAccess: %d ways, %v", len(infos.PACE), err)
	}
	for i, o := range k.Offers {
		if p := infos.PACE[i]; p.Mapping != o.Mapping || p.Suite != o.Suite || p.Parameter != o.Domain {
			t.Errorf("offer %d is read as %+v", i, p)
		}
	}
	signed, err := access.DG14(all[chip.DG14])
	if err != nil || !signed.SamePACE(infos) || len(signed.Agreements) != 1 || signed.Agreements[0].Suite != sm.TripleDES {
		t.Errorf("DG14: %+v, %v", signed.Agreements, err)
	}
	security, err := access.CardSecurity(all[chip.CardSecurity])
	if err != nil || !security.SamePACE(infos) || !security.Proves {
		t.Errorf("EF.CardSecurity: %v", err)
	}
	spki, err := sm.Find(all[chip.DG15], 0x6f)
	if err != nil {
		t.Fatal(err)
	}
	key, err := x509.ParsePKIXPublicKey(spki)
	if public, is := key.(*rsa.PublicKey); err != nil || !is || !public.Equal(&k.Active.RSA.PublicKey) {
		t.Errorf("DG15: %v", err)
	}
	if all := (mint.Kind{}).Files(); len(all) != 0 {
		t.Errorf("a chip that can do nothing has %d files", len(all))
	}
	for _, id := range []int{0, 1, 2, 8, 14, 18} {
		a := &mint.Agreement{Suite: sm.AES128, Domain: id, Private: big.NewInt(3)}
		infos, err := access.DG14(mint.Kind{Agreement: a}.Files()[chip.DG14])
		if err != nil || len(infos.Agreements) != 1 {
			t.Errorf("parameters %d: %d ways, %v", id, len(infos.Agreements), err)
		}
	}
}

// TestSigners: what a chip signs is good for its key and its challenge alone.
func TestSigners(t *testing.T) {
	t.Parallel()
	c, _ := curve.ByName("brainpoolP320r1")
	kinds := map[string]mint.Kind{"RSA": full(t), "curve": full(t)}
	onCurve := kinds["curve"]
	onCurve.Active = &mint.Signer{Curve: c, D: big.NewInt(21)}
	kinds["curve"] = onCurve
	for name, k := range kinds {
		cfg := config(k)
		x := open(t, cfg)
		challenge := []byte("12345678")
		answer, status := x.say(sm.Command{INS: 0x88, Data: challenge, Ne: 256})
		public, err := access.DG15(cfg.Files[chip.DG15])
		if err != nil || status != sm.OK {
			t.Fatalf("%s: %04X, %v", name, uint16(status), err)
		}
		infos, err := access.DG14(cfg.Files[chip.DG14])
		if err != nil || !public.Active(infos, challenge, answer) {
			t.Errorf("%s: a good answer is refused, %v", name, err)
		}
		if public.Active(infos, []byte("12345679"), answer) {
			t.Errorf("%s: it is good for another challenge", name)
		}
		for i := range answer {
			bad := bytes.Clone(answer)
			bad[i] ^= 4
			if public.Active(infos, challenge, bad) {
				t.Fatalf("%s: with byte %d changed it is good", name, i)
			}
		}
		if public.Active(infos, challenge, nil) || public.Active(infos, challenge, answer[1:]) {
			t.Errorf("%s: a short answer is good", name)
		}
	}
}

// TestAir: the link takes its time for each byte and each command, and whoever
// waits for it may give up.
func TestAir(t *testing.T) {
	t.Parallel()
	cfg := config(full(t))
	cfg.Link = mint.Link{Kilobits: 106, PerCommand: 7 * time.Millisecond}
	var told time.Duration
	cfg.Delay = func(_ context.Context, d time.Duration) error { told += d; return nil }
	card := mint.New(cfg)
	answer, err := card.Transmit(t.Context(), []byte{0, 0xb0, 0x9c, 0, 20})
	if err != nil {
		t.Fatal(err)
	}
	bits := float64(8 * (5 + len(answer)))
	if want := 7*time.Millisecond + time.Duration(bits/106*float64(time.Millisecond)); card.Air() != want || told != want || len(answer) != 22 {
		t.Errorf("%d bytes took %s, and %s was told; want %s", len(answer), card.Air(), told, want)
	}
	gone := errors.New("gone")
	cfg.Delay = func(context.Context, time.Duration) error { return gone }
	if _, err := mint.New(cfg).Transmit(t.Context(), []byte{0, 0xb0, 0x9c, 0, 20}); !errors.Is(err, gone) {
		t.Errorf("given up: %v", err)
	}
}
