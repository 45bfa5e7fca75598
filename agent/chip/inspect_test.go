package chip_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rsa"
	"errors"
	"fmt"
	"math/big"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/counterproof/counterproof/agent/chip"
	"github.com/counterproof/counterproof/agent/chip/access"
	"github.com/counterproof/counterproof/agent/chip/curve"
	"github.com/counterproof/counterproof/agent/chip/mint"
	"github.com/counterproof/counterproof/agent/chip/sm"
)

// key is the access key of the specimen of ICAO 9303-11 appendix D.
const key = "L898902C<369080619406236"

// random is a source of bytes that repeats itself in each test.
func random(seed byte) *rand.ChaCha8 { return rand.NewChaCha8([32]byte{seed}) }

// object is a file of a length that begins with its tag.
func object(tag sm.Tag, n int) []byte {
	content := make([]byte, n)
	_, _ = random(7).Read(content) // it never fails
	return sm.Object(tag, content)
}

// can is the card access number of the chips of these tests.
const can = "500540"

// keyOf is the key of a booklet, or of its number.
func keyOf(byCAN bool) chip.Key {
	if byCAN {
		return chip.Key{CAN: can}
	}
	return chip.Key{MRZInformation: key}
}

// typical opens by PACE and proves itself by Chip Authentication.
func typical() mint.Kind {
	return mint.Kind{
		Offers:    []mint.Offer{{Mapping: access.Generic, Suite: sm.AES256, Domain: 13}},
		Agreement: &mint.Agreement{Suite: sm.AES256, Domain: 13, Private: big.NewInt(0x5eed5eed)},
	}
}

// document is a chip of a kind, with files of a passport.
func document(k mint.Kind, portrait int, fault mint.Fault) mint.Config {
	all := k.Files()
	all[chip.SOD], all[chip.DG1], all[chip.DG2] = object(0x77, 900), object(0x61, 91), object(0x75, portrait)
	return mint.Config{Key: key, CAN: can, Kind: k, Files: all, Fault: fault, Random: random(1)}
}

// want is what is asked for of these chips.
var want = []chip.File{chip.DG1, chip.DG2}

// config reads a card.
func config(card *mint.Card, k chip.Key) chip.Config {
	return chip.Config{Send: card.Transmit, Key: k, Random: random(2), Want: want}
}

// wholly holds a reading to every file that the chip shows a reader.
func wholly(t *testing.T, r chip.Reading, on map[chip.File][]byte) {
	t.Helper()
	for _, f := range []chip.File{chip.SOD, chip.DG1, chip.DG2, chip.DG14} {
		if !bytes.Equal(r.Files[f], on[f]) {
			t.Errorf("%s: %d bytes were read that differ from the %d on the chip", f, len(r.Files[f]), len(on[f]))
		}
	}
}

// ways are how a reading tells of mappings.
var ways = map[access.Mapping]chip.Way{access.Generic: chip.ByPACEGM, access.Integrated: chip.ByPACEIM, access.ChipAuthentication: chip.ByPACECAM}

// TestPACE: chips of every mapping and cipher, over curves and groups, are opened
// by what is printed on them, and by nothing else.
func TestPACE(t *testing.T) {
	t.Parallel()
	suites := []sm.Suite{sm.TripleDES, sm.AES128, sm.AES192, sm.AES256}
	for mapping, domains := range map[access.Mapping][]int{
		access.Generic: {0, 2, 8, 10, 12, 13, 18}, access.Integrated: {0, 1, 12, 14, 17}, access.ChipAuthentication: {11, 13, 15},
	} {
		for i, domain := range domains {
			for _, suite := range suites[i%2:] {
				if mapping == access.ChipAuthentication && suite == sm.TripleDES {
					continue
				}
				t.Run(fmt.Sprintf("%s/%d/%d", mapping, domain, suite), func(t *testing.T) {
					t.Parallel()
					k := mint.Kind{Offers: []mint.Offer{{Mapping: mapping, Suite: suite, Domain: domain}}}
					if mapping == access.ChipAuthentication {
						k.Mapped = big.NewInt(0xcafe)
					}
					opened(t, k, ways[mapping])
				})
			}
		}
	}
}

// opened opens a chip of a kind with both passwords, right and wrong.
func opened(t *testing.T, k mint.Kind, way chip.Way) {
	t.Helper()
	cfg := document(k, 1000, mint.None)
	for _, byCAN := range []bool{false, true} {
		r, err := chip.Read(t.Context(), config(mint.New(cfg), keyOf(byCAN)))
		if err != nil || r.Way != way || r.Downgraded {
			t.Fatalf("by number %t: by %s, downgraded %t, %v", byCAN, r.Way, r.Downgraded, err)
		}
		wholly(t, r, cfg.Files)
		want := chip.Proof{Clone: chip.NotProvided}
		if k.Mapped != nil {
			want = chip.Proof{Clone: chip.ExcludedCAM, Key: r.Proof.Key, In: chip.CardSecurity}
		}
		if r.Proof.Clone != want.Clone || r.Proof.In != want.In || (len(r.Proof.Key) > 0) != (k.Mapped != nil) || !bytes.Contains(cfg.Files[chip.CardSecurity], r.Proof.Key) {
			t.Errorf("by number %t: it proves %s in %s", byCAN, r.Proof.Clone, r.Proof.In)
		}
	}
	for _, wrong := range []chip.Key{{MRZInformation: "L898902C<369080619406237"}, {CAN: "500541"}} {
		if r, err := chip.Read(t.Context(), config(mint.New(cfg), wrong)); !errors.Is(err, chip.ErrKey) || errors.Is(err, chip.ErrDowngrade) || len(r.Files) > 0 {
			t.Errorf("with another key: %d files, %v", len(r.Files), err)
		}
	}
}

// TestChipAuthentication: chips prove their key by agreement; one with the files
// of a chip and not its key is found out, however it was opened.
func TestChipAuthentication(t *testing.T) {
	t.Parallel()
	for _, byPACE := range []bool{false, true} {
		for _, domain := range []int{0, 2, 12, 13, 18} {
			for _, suite := range []sm.Suite{sm.TripleDES, sm.AES128, sm.AES192, sm.AES256} {
				for _, fault := range []mint.Fault{mint.None, mint.NoLong, mint.Clone, mint.RefusedProof} {
					if fault == mint.NoLong && domain == 2 {
						continue // such a key takes a long command
					}
					t.Run(fmt.Sprintf("%t/%d/%d/%s", byPACE, domain, suite, fault), func(t *testing.T) {
						t.Parallel()
						k := typical()
						if !byPACE {
							k.Offers = nil
						}
						k.Agreement = &mint.Agreement{Suite: suite, Domain: domain, Private: big.NewInt(0xabcdef)}
						agreed(t, k, fault)
					})
				}
			}
		}
	}
}

// agreed holds what a chip with Chip Authentication proves.
func agreed(t *testing.T, k mint.Kind, fault mint.Fault) {
	t.Helper()
	cfg := document(k, 3000, fault)
	r, err := chip.Read(t.Context(), config(mint.New(cfg), keyOf(false)))
	if fault == mint.Clone || fault == mint.RefusedProof {
		if !errors.Is(err, chip.ErrClone) || r.Proof.Clone != chip.CloneFailed || r.Proof.Key != nil || len(r.Files) != 2 {
			t.Errorf("it proves %s, %d files, %v", r.Proof.Clone, len(r.Files), err)
		}
		return
	}
	if err != nil || r.Downgraded || r.Proof.Clone != chip.ExcludedCA || r.Proof.In != chip.DG14 || !bytes.Contains(cfg.Files[chip.DG14], r.Proof.Key) {
		t.Fatalf("it proves %s in %s, downgraded %t, %v", r.Proof.Clone, r.Proof.In, r.Downgraded, err)
	}
	wholly(t, r, cfg.Files)
}

// TestTwoSteps: chips that know Chip Authentication with triple DES in two commands
// only, and readings that want no further file, prove themselves as well.
func TestTwoSteps(t *testing.T) {
	t.Parallel()
	k := typical()
	k.OnlyTwoSteps, k.Agreement.Suite = true, sm.TripleDES
	agreed(t, k, mint.None)
	agreed(t, k, mint.Clone)
	for fault, proved := range map[mint.Fault]chip.Clone{mint.None: chip.ExcludedCA, mint.Clone: chip.CloneFailed} {
		cfg := config(mint.New(document(k, 100, fault)), keyOf(false))
		cfg.Want = nil
		if r, err := chip.Read(t.Context(), cfg); r.Proof.Clone != proved || (err != nil) != (fault == mint.Clone) {
			t.Errorf("%s: it proves %s, %v", fault, r.Proof.Clone, err)
		}
	}
}

// signers are keys of Active Authentication.
func signers(t *testing.T) map[string]*mint.Signer {
	t.Helper()
	all := map[string]*mint.Signer{}
	for n, size := range []int{1024, 1280, 2048} {
		private, err := rsa.GenerateKey(random(byte(n)), size)
		if err != nil {
			t.Fatal(err)
		}
		for _, h := range []crypto.Hash{crypto.SHA1, crypto.SHA224, crypto.SHA256, crypto.SHA384, crypto.SHA512} {
			all[fmt.Sprintf("RSA-%d/%s", size, h)] = &mint.Signer{RSA: private, Digest: h}
		}
	}
	for _, name := range []string{"secp224r1", "secp256r1", "brainpoolP256r1", "secp384r1", "brainpoolP512r1", "secp521r1"} {
		c, _ := curve.ByName(name)
		all[name] = &mint.Signer{Curve: c, D: big.NewInt(0xdecade)}
	}
	return all
}

// TestActiveAuthentication: chips prove their key by signing, long answers in
// pieces where long commands are refused; copies are found out.
func TestActiveAuthentication(t *testing.T) {
	t.Parallel()
	for name, signer := range signers(t) {
		for _, fault := range []mint.Fault{mint.None, mint.NoLong, mint.Clone, mint.RefusedProof} {
			t.Run(name+"/"+string(fault), func(t *testing.T) {
				t.Parallel()
				cfg := document(mint.Kind{Active: signer}, 1000, fault)
				r, err := chip.Read(t.Context(), config(mint.New(cfg), keyOf(false)))
				if fault == mint.Clone || fault == mint.RefusedProof {
					if !errors.Is(err, chip.ErrClone) || r.Proof.Clone != chip.CloneFailed {
						t.Errorf("it proves %s, %v", r.Proof.Clone, err)
					}
					return
				}
				if err != nil || r.Proof.Clone != chip.ExcludedAA || r.Proof.In != chip.DG15 || !bytes.Contains(cfg.Files[chip.DG15], r.Proof.Key) {
					t.Fatalf("it proves %s in %s, %v", r.Proof.Clone, r.Proof.In, err)
				}
				wholly(t, r, cfg.Files)
			})
		}
	}
}

// TestChallenges: every reading asks another challenge.
func TestChallenges(t *testing.T) {
	t.Parallel()
	c, _ := curve.ByName("secp256r1")
	heard := map[string]bool{}
	source := random(9)
	for range 20 {
		card := mint.New(document(mint.Kind{Active: &mint.Signer{Curve: c, D: big.NewInt(7)}}, 100, mint.None))
		cfg := config(card, keyOf(false))
		seen := &spy{source: source}
		cfg.Random = seen
		if _, err := chip.Read(t.Context(), cfg); err != nil {
			t.Fatal(err)
		}
		heard[string(seen.last)] = true
	}
	if len(heard) != 20 {
		t.Errorf("20 readings asked %d challenges", len(heard))
	}
}

// spy keeps what was drawn last.
type spy struct {
	source interface{ Read([]byte) (int, error) }
	last   []byte
}

func (s *spy) Read(p []byte) (int, error) {
	n, err := s.source.Read(p)
	s.last = bytes.Clone(p)
	return n, err
}

// TestMappedClone: a copy that offers the chip authentication mapping is found out.
func TestMappedClone(t *testing.T) {
	t.Parallel()
	k := mint.Kind{Offers: []mint.Offer{{Mapping: access.ChipAuthentication, Suite: sm.AES128, Domain: 13}}, Mapped: big.NewInt(77)}
	cfg := document(k, 1000, mint.Clone)
	if r, err := chip.Read(t.Context(), config(mint.New(cfg), keyOf(false))); !errors.Is(err, chip.ErrClone) || r.Proof.Clone != chip.CloneFailed {
		t.Errorf("it proves %s, %v", r.Proof.Clone, err)
	}
	cfg = document(k, 1000, mint.None)
	delete(cfg.Files, chip.CardSecurity)
	if r, err := chip.Read(t.Context(), config(mint.New(cfg), keyOf(false))); err != nil || r.Proof.Clone != chip.NotAttempted {
		t.Errorf("without the key's file it proves %s, %v", r.Proof.Clone, err)
	}
	delete(cfg.Files, chip.DG14)
	if r, err := chip.Read(t.Context(), config(mint.New(cfg), keyOf(false))); err != nil || !r.Downgraded {
		t.Errorf("without any signed copy of the offer: downgraded %t, %v", r.Downgraded, err)
	}
	cfg.Files[chip.CardSecurity] = k.Files()[chip.CardSecurity]
	if r, err := chip.Read(t.Context(), config(mint.New(cfg), keyOf(false))); err != nil || r.Downgraded || r.Proof.Clone != chip.ExcludedCAM {
		t.Errorf("with the offer signed there: downgraded %t, proves %s, %v", r.Downgraded, r.Proof.Clone, err)
	}
}

// TestMappedKeyOfAnotherDocument: a key that data group 14 does not have proves the
// state and not the document. Such a chip proves one of the document's as well; a
// copy whose maker has the key of one other chip cannot.
func TestMappedKeyOfAnotherDocument(t *testing.T) {
	t.Parallel()
	k := mint.Kind{
		Offers: []mint.Offer{{Mapping: access.ChipAuthentication, Suite: sm.AES128, Domain: 13}}, Mapped: big.NewInt(77),
		Agreement: &mint.Agreement{Suite: sm.AES128, Domain: 13, Private: big.NewInt(0x5eed)},
	}
	for _, c := range []struct {
		rule    string
		private int64 // of the chip's own agreement
		clone   chip.Clone
		in      chip.File
	}{
		{"the document's", 0x5eed, chip.ExcludedCA, chip.DG14},
		{"another chip's", 77, chip.CloneFailed, 0},
	} {
		cfg := document(k, 1000, mint.None)
		cfg.Kind.Agreement = &mint.Agreement{Suite: sm.AES128, Domain: 13, Private: big.NewInt(c.private)}
		r, err := chip.Read(t.Context(), config(mint.New(cfg), keyOf(false)))
		if r.Proof.Clone != c.clone || r.Proof.In != c.in || (err != nil) != (c.clone == chip.CloneFailed) {
			t.Errorf("%s: it proves %s in %s, %v", c.rule, r.Proof.Clone, r.Proof.In, err)
		}
	}
	same := k
	same.Mapped = k.Agreement.Private
	for _, on := range []mint.Kind{same, {Offers: k.Offers, Mapped: k.Mapped}} { // in both files, and with no key in data group 14
		r, err := chip.Read(t.Context(), config(mint.New(document(on, 1000, mint.None)), keyOf(false)))
		if err != nil || r.Proof.In != chip.CardSecurity {
			t.Errorf("it proves %s in %s, %v", r.Proof.Clone, r.Proof.In, err)
		}
	}
}

// TestUnknownProofs: a proof that is announced in a way that is not known here was
// not attempted; only a chip that announces none does not provide one.
func TestUnknownProofs(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		file    chip.File
		content []byte
		want    chip.Clone
	}{
		"none":           {chip.DG1, object(0x61, 91), chip.NotProvided},
		"another-group":  {chip.DG7, object(0x67, 91), chip.NotProvided},
		"noise-in-DG14":  {chip.DG14, object(0x6e, 91), chip.NotAttempted},
		"noise-in-DG15":  {chip.DG15, object(0x6f, 91), chip.NotAttempted},
		"unknown-key":    {chip.DG14, []byte{0x6e, 0x11, 0x31, 0x0f, 0x30, 0x0d, 6, 9, 4, 0, 0x7f, 0, 7, 2, 2, 1, 2, 0x30, 0}, chip.NotAttempted},
		"nothing-inside": {chip.DG14, []byte{0x6e, 2, 0x31, 0}, chip.NotProvided},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg := document(mint.Kind{}, 500, mint.None)
			cfg.Files[c.file] = c.content
			r, err := chip.Read(t.Context(), config(mint.New(cfg), keyOf(false)))
			if err != nil || r.Proof.Clone != c.want || r.Way != chip.ByBAC {
				t.Errorf("it proves %s, by %s, %v; want %s", r.Proof.Clone, r.Way, err, c.want)
			}
		})
	}
}

// TestDowngrade: an offer of PACE that was taken away or changed is seen; one that
// is refused does not lead to the older protocol unless somebody allows it.
func TestDowngrade(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		fault mint.Fault
		allow bool
		way   chip.Way
		err   error
	}{
		"hidden":           {mint.HiddenPACE, false, chip.ByBAC, nil},
		"changed":          {mint.ChangedPACE, false, chip.ByPACEGM, nil},
		"refused":          {mint.RefusedPACE, false, "", chip.ErrDowngrade},
		"refused, allowed": {mint.RefusedPACE, true, chip.ByBAC, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg := config(mint.New(document(typical(), 1000, c.fault)), keyOf(false))
			cfg.AllowDowngrade = c.allow
			r, err := chip.Read(t.Context(), cfg)
			if !errors.Is(err, c.err) || r.Way != c.way || r.Downgraded != (c.err == nil) {
				t.Errorf("by %s, downgraded %t, %v", r.Way, r.Downgraded, err)
			}
			if c.err == nil && r.Proof.Clone != chip.ExcludedCA {
				t.Errorf("it proves %s", r.Proof.Clone)
			}
		})
	}
	nameless := document(typical(), 100, mint.None)
	nameless.CAN = ""
	if _, err := chip.Read(t.Context(), config(mint.New(nameless), keyOf(true))); !errors.Is(err, chip.ErrKey) || errors.Is(err, chip.ErrDowngrade) {
		t.Errorf("a chip without a number by one: %v", err)
	}
	k := typical()
	k.Offers = nil
	if _, err := chip.Read(t.Context(), config(mint.New(document(k, 100, mint.None)), keyOf(true))); !errors.Is(err, chip.ErrKey) {
		t.Errorf("a chip without PACE by its number: %v", err)
	}
}

// TestNoLong: a chip that refuses long commands is still opened by PACE.
func TestNoLong(t *testing.T) {
	t.Parallel()
	for _, m := range []mint.Offer{{Mapping: access.Generic, Suite: sm.AES256, Domain: 18}, {Mapping: access.Integrated, Suite: sm.TripleDES, Domain: 13}} {
		k := typical()
		k.Offers = []mint.Offer{m}
		r, err := chip.Read(t.Context(), config(mint.New(document(k, 2000, mint.NoLong)), keyOf(false)))
		if err != nil || r.Way != ways[m.Mapping] || r.Downgraded || r.Long {
			t.Errorf("by %s, downgraded %t, long %t, %v", r.Way, r.Downgraded, r.Long, err)
		}
	}
}

// TestShort: whoever knows that long commands are of no use sends none.
func TestShort(t *testing.T) {
	t.Parallel()
	card := mint.New(document(typical(), 3000, mint.None))
	cfg := config(card, keyOf(false))
	cfg.Short = true
	cfg.Send = func(ctx context.Context, command []byte) ([]byte, error) {
		if len(command) > 5 && command[4] == 0 {
			t.Errorf("a long command: %X", command[:6])
		}
		return card.Transmit(ctx, command)
	}
	if r, err := chip.Read(t.Context(), cfg); err != nil || r.Long || r.Proof.Clone != chip.ExcludedCA {
		t.Errorf("long %t, proves %s, %v", r.Long, r.Proof.Clone, err)
	}
}

// TestSpokenTo: a chip that was spoken to before, and stays where it was left, is
// opened by PACE all the same.
func TestSpokenTo(t *testing.T) {
	t.Parallel()
	card := mint.New(document(typical(), 500, mint.None))
	for range 2 {
		if r, err := chip.Read(t.Context(), config(card, keyOf(false))); err != nil || r.Way != chip.ByPACEGM || r.Downgraded {
			t.Errorf("by %s, downgraded %t, %v", r.Way, r.Downgraded, err)
		}
	}
}

// TestNeedsLong: a chip whose proof takes a long command that does not come through
// is not accused of being a copy.
func TestNeedsLong(t *testing.T) {
	t.Parallel()
	for _, suite := range []sm.Suite{sm.TripleDES, sm.AES128} {
		k := typical()
		k.Agreement = &mint.Agreement{Suite: suite, Domain: 2, Private: big.NewInt(77)}
		r, err := chip.Read(t.Context(), config(mint.New(document(k, 500, mint.NoLong)), keyOf(false)))
		if err == nil || errors.Is(err, chip.ErrClone) || r.Proof.Clone != chip.NotAttempted {
			t.Errorf("suite %d: it proves %s, %v", suite, r.Proof.Clone, err)
		}
	}
}

// TestFewCommands: a document is read with few commands and in little time on the
// link, and large portraits whole.
func TestFewCommands(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		fault    mint.Fault
		portrait int
		most     int
		air      time.Duration
	}{
		"extended":        {mint.None, 16_463, 15, 460 * time.Millisecond},
		"short":           {mint.NoLong, 16_463, 95, 1200 * time.Millisecond},
		"38 KB short":     {mint.NoLong, 38_666, 200, time.Minute},
		"99 KB extended":  {mint.None, 99_242, 17, time.Minute},
		"16 KB extended,": {mint.None, 16_384, 15, 460 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg := document(typical(), c.portrait, c.fault)
			cfg.Link = mint.Link{Kilobits: 424, PerCommand: 6 * time.Millisecond}
			card := mint.New(cfg)
			r, err := chip.Read(t.Context(), config(card, keyOf(false)))
			if err != nil || r.Proof.Clone != chip.ExcludedCA {
				t.Fatalf("it proves %s, %v", r.Proof.Clone, err)
			}
			wholly(t, r, cfg.Files)
			t.Logf("%d commands, %s on the link", r.Commands, card.Air())
			if r.Commands > c.most || r.Commands != card.Commands() || card.Air() > c.air {
				t.Errorf("%d commands and %s, want at most %d and %s", r.Commands, card.Air(), c.most, c.air)
			}
		})
	}
}

// TestResume: a card that is taken away and laid down again goes on where it was;
// another one begins anew.
func TestResume(t *testing.T) {
	t.Parallel()
	whole := mint.New(document(typical(), 4000, mint.None))
	full, err := chip.Read(t.Context(), config(whole, keyOf(false)))
	if err != nil {
		t.Fatal(err)
	}
	for after := range full.Commands {
		cfg := document(typical(), 4000, mint.Removed)
		cfg.After = after
		card := mint.New(cfg)
		first, err := chip.Read(t.Context(), config(card, keyOf(false)))
		if err == nil || errors.Is(err, chip.ErrClone) || first.Proof.Clone == chip.CloneFailed {
			t.Fatalf("taken away after %d: it proves %s, %v", after, first.Proof.Clone, err)
		}
		before := card.Commands()
		card.Again()
		card.Mend()
		again := config(card, keyOf(false))
		again.Resume = first.Files
		second, err := chip.Read(t.Context(), again)
		if err != nil || second.Proof.Clone != chip.ExcludedCA || second.Resumed != (len(first.Files) > 1) {
			t.Fatalf("taken away after %d: resumed %t with %d files, proves %s, %v", after, second.Resumed, len(first.Files), second.Proof.Clone, err)
		}
		wholly(t, second, cfg.Files)
		if saved := max(len(first.Files)-1, 0); card.Commands()-before > full.Commands-saved+1 {
			t.Errorf("taken away after %d: %d commands more, %d files were there", after, card.Commands()-before, len(first.Files))
		}
	}
	cut := document(typical(), 4000, mint.Removed)
	cut.After = 3
	early := config(mint.New(cut), keyOf(false))
	early.Resume = full.Files
	if r, err := chip.Read(t.Context(), early); err == nil || len(r.Files) != len(full.Files) || r.Resumed {
		t.Errorf("taken away before it is known: %d files to go on with, resumed %t, %v", len(r.Files), r.Resumed, err)
	}
	other := document(typical(), 4000, mint.None)
	other.Files[chip.SOD] = object(0x77, 901)
	cfg := config(mint.New(other), keyOf(false))
	cfg.Resume = map[chip.File][]byte{chip.SOD: full.Files[chip.SOD], chip.DG1: object(0x61, 91), chip.DG2: []byte("another's")}
	r, err := chip.Read(t.Context(), cfg)
	if err != nil || r.Resumed {
		t.Errorf("another chip: resumed %t, %v", r.Resumed, err)
	}
	wholly(t, r, other.Files)
}

// TestSlow: a chip that asks for more time is waited for, as long as somebody
// wants to wait.
func TestSlow(t *testing.T) {
	t.Parallel()
	cfg := document(typical(), 100, mint.Slow)
	var heard time.Duration
	cfg.Delay = func(_ context.Context, d time.Duration) error { heard += d; return nil }
	card := mint.New(cfg)
	r, err := chip.Read(t.Context(), config(card, keyOf(false)))
	if err != nil || heard != card.Air() || heard < time.Duration(r.Commands)*100*time.Millisecond {
		t.Errorf("%s were heard, %s passed, %v", heard, card.Air(), err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cfg.Delay = func(ctx context.Context, d time.Duration) error {
		if heard -= d; heard < 0 {
			cancel()
		}
		return ctx.Err()
	}
	heard /= 2
	if r, err := chip.Read(ctx, config(mint.New(cfg), keyOf(false))); !errors.Is(err, context.Canceled) || r.Proof.Clone == chip.CloneFailed {
		t.Errorf("given up: it proves %s, %v", r.Proof.Clone, err)
	}
}

// TestFaultsUnderPACE: what is wrong with a chip ends the reading, and nothing of
// it is handed on as read.
func TestFaultsUnderPACE(t *testing.T) {
	t.Parallel()
	for fault, why := range map[mint.Fault]error{mint.WrongTag: chip.ErrProtocol, mint.Oversize: chip.ErrProtocol, mint.Endless: chip.ErrBudget, mint.Tampered: chip.ErrAuthentic} {
		cfg := document(typical(), 5000, fault)
		cfg.After = 8
		r, err := chip.Read(t.Context(), config(mint.New(cfg), keyOf(false)))
		_, status := errors.AsType[*chip.Error](err)
		if err == nil || !errors.Is(err, why) && !status || len(r.Files) > 2 {
			t.Errorf("%s: %d files, %v; want %v", fault, len(r.Files), err, why)
		}
	}
}

// TestNoise: a chip that goes mad at any point ends the reading: no file is made up,
// nothing is proved, and the reading comes to its end.
func TestNoise(t *testing.T) {
	t.Parallel()
	source := rand.New(random(11))
	on := document(typical(), 600, mint.None)
	for round := range 5 * 13 {
		card := mint.New(on)
		cfg, n := config(card, keyOf(round%2 == 0)), 0
		cfg.Send = func(ctx context.Context, command []byte) ([]byte, error) {
			answer, err := card.Transmit(ctx, command)
			if n++; n <= round%13 || err != nil {
				return answer, err
			}
			noise := make([]byte, source.IntN(200))
			for i := range noise {
				noise[i] = byte(source.Uint32())
			}
			if len(noise) > 4 && source.IntN(2) == 0 { // as if it were an object
				copy(noise, []byte{[]byte{0x7c, 0x87, 0x99, 0x31, 0x77}[source.IntN(5)], byte(len(noise) - 4)})
				copy(noise[len(noise)-2:], []byte{0x90, 0x00})
			}
			return noise, nil
		}
		r, err := chip.Read(t.Context(), cfg)
		if err == nil {
			t.Fatalf("noise from command %d on is read", round%13)
		}
		if c := r.Proof.Clone; c != chip.NotAttempted && c != chip.CloneFailed && round%13 < 12 {
			t.Errorf("noise from command %d on proves %s", round%13, c)
		}
		for f, content := range r.Files {
			if !bytes.Equal(content, on.Files[f]) {
				t.Errorf("%s was made up from command %d on", f, round%13)
			}
		}
	}
}

// FuzzPACE: whatever a chip says while it is opened and proves itself, the reading
// ends without harm, and without files that nobody authenticated.
func FuzzPACE(f *testing.F) {
	f.Add([]byte{3, 0x90, 0x00}, byte(4))
	f.Add([]byte{0x7c, 0x02, 0x80, 0x00}, byte(2))
	f.Fuzz(func(t *testing.T, noise []byte, from byte) {
		card := mint.New(document(typical(), 300, mint.None))
		n := 0
		cfg := config(card, keyOf(false))
		cfg.Send = func(ctx context.Context, command []byte) ([]byte, error) {
			answer, err := card.Transmit(ctx, command)
			if n++; n <= int(from%16) || len(noise) == 0 || err != nil {
				return answer, err
			}
			cut := min(int(noise[0])%80, len(noise)-1)
			answer = append(bytes.Clone(noise[1:1+cut]), answer[len(answer)-2:]...)
			noise = noise[1+cut:]
			return answer, nil
		}
		r, err := chip.Read(t.Context(), cfg)
		for file, content := range r.Files {
			if err != nil && !bytes.Equal(content, document(typical(), 300, mint.None).Files[file]) {
				t.Errorf("%s was made up", file)
			}
		}
	})
}

// BenchmarkRead reads a passport of 16 KB whose chip is reckoned by the same
// machine; p50-ms is the time that half of the readings kept within.
func BenchmarkRead(b *testing.B) {
	for name, c := range map[string]struct {
		domain int
		fault  mint.Fault
	}{"P-256": {12, mint.None}, "brainpoolP256r1": {13, mint.None}, "P-256, short": {12, mint.NoLong}} {
		b.Run(name, func(b *testing.B) {
			k := typical()
			k.Offers[0].Domain, k.Agreement.Domain = c.domain, c.domain
			cfg := document(k, 16_463, c.fault)
			var took []time.Duration
			for b.Loop() {
				start := time.Now()
				if _, err := chip.Read(b.Context(), config(mint.New(cfg), keyOf(false))); err != nil {
					b.Fatal(err)
				}
				took = append(took, time.Since(start))
			}
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "p50-ms")
		})
	}
}
