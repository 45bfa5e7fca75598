package emrtd_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"errors"
	"image/color"
	"image/jpeg"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	stdimage "image"

	"github.com/counterproof/counterproof/agent/chip"
	"github.com/counterproof/counterproof/agent/chip/image"
	"github.com/counterproof/counterproof/agent/chip/issue"
	"github.com/counterproof/counterproof/agent/chip/mint"
	"github.com/counterproof/counterproof/agent/chip/trust"
	"github.com/counterproof/counterproof/agent/emrtd"
	"github.com/counterproof/counterproof/agent/proof"
	"github.com/counterproof/counterproof/devices"
	"github.com/counterproof/counterproof/devices/sim"
)

// The invented document of these tests, and when it is read.
var (
	lines = []string{"P<UTOSPECIMEN<<MORGAN<WREN<<<<<<<<<<<<<<<<<<", "U1234567<6UTO8503127X3106305<<<<<<<<<<<<<<04"}
	made  = time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC)
	now   = time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)
)

const key = "U1234567<685031273106305"

func random(seed byte) *rand.ChaCha8 { return rand.NewChaCha8([32]byte{seed}) }

// utopia is the state that issues these documents.
func utopia(t testing.TB) *issue.State {
	t.Helper()
	s, err := issue.New(issue.Config{Country: "UT", Code: "UTO"}, random(1))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// portrait is a picture of 200 by 250 pixels.
func portrait(t testing.TB) []byte {
	t.Helper()
	img := stdimage.NewGray(stdimage.Rect(0, 0, 200, 250))
	for i := range img.Pix {
		img.Pix[i] = color.Gray{Y: uint8(i)}.Y
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// passport makes a chip of a state.
func passport(t testing.TB, of *issue.State, order issue.Order) image.Chip {
	t.Helper()
	order.Signed = made
	c, err := image.Passport(of, image.Document{Lines: lines, Key: key, Portrait: portrait(t), Order: order}, random(2))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// trusting is a store made on a day that trusts a state and has a fresh list of
// revoked signers.
func trusting(t testing.TB, s *issue.State, day time.Time, revoked ...int64) *trust.Store {
	t.Helper()
	list, err := s.CRL(issue.Revocation{From: day.AddDate(0, 0, -10), Until: day.AddDate(0, 6, 0), Number: 1, Serials: revoked})
	if err != nil {
		t.Fatal(err)
	}
	_, private, err := ed25519.GenerateKey(random(9))
	if err != nil {
		t.Fatal(err)
	}
	bundle := trust.Contents{Number: 1, Made: day, Anchors: [][]byte{s.Authority()}, CRLs: [][]byte{list}}.Seal(private)
	store, err := trust.Parse(bundle, private.Public().(ed25519.PublicKey))
	if err != nil {
		t.Fatal(err)
	}
	return store
}

// desk is a reader with a chip on it.
type desk struct {
	*sim.ChipReader
	*emrtd.Reader
	store *trust.Store
	said  []proof.Kind
	most  int // the largest percentage that was told
}

// lay lays a chip on a reader.
func lay(t testing.TB, c image.Chip, store *trust.Store) *desk {
	t.Helper()
	d := &desk{ChipReader: sim.NewChipReader(sim.ReaderConfig{}), store: store}
	card := c.Card(random(3))
	d.Insert(func() sim.Card { card.Again(); return card.Transmit })
	d.Reader = emrtd.New(emrtd.Config{
		Device: d.ChipReader, Store: func() *trust.Store { return d.store }, Random: random(4), Now: func() time.Time { return now },
	})
	return d
}

// hears is what is told while a document is read.
func (d *desk) hears(kind proof.Kind, percent int) {
	if len(d.said) == 0 || d.said[len(d.said)-1] != kind {
		d.said = append(d.said, kind)
	}
	d.most = max(d.most, percent)
}

// read reads with the printed key.
func (d *desk) read(ctx context.Context) (emrtd.Told, error) {
	return d.Read(ctx, chip.Key{MRZInformation: key}, d.hears)
}

func TestAGenuineChip(t *testing.T) {
	t.Parallel()
	state := utopia(t)
	d := lay(t, passport(t, state, issue.Order{}), trusting(t, state, now.AddDate(0, 0, -1)))
	told, err := d.read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	f := told.Fact
	if f.Verdict != proof.ChipGenuine || f.Clone != proof.CloneExcluded || f.Revocation != proof.RevocationGood || f.Access != "PACE-GM" || f.Downgraded || f.Reason != "" {
		t.Errorf("it comes to %+v: %+v", f, told.Verdict)
	}
	if !slices.Equal(f.Lines, lines) || told.Portrait == nil || told.Portrait.Bounds().Dx() != 200 {
		t.Errorf("it tells %q and the portrait %v", f.Lines, told.Portrait)
	}
	if want := (proof.Date{Year: 2026, Month: 11, Day: 22}); f.Trust != want {
		t.Errorf("judged by trust data of %s, want %s", f.Trust, want)
	}
	if !slices.Equal(d.said, []proof.Kind{proof.KindHoldChip}) || d.most != 100 {
		t.Errorf("told %v up to %d percent", d.said, d.most)
	}
	if told.Commands == 0 || told.Commands > 15 {
		t.Errorf("it took %d commands", told.Commands)
	}
}

// TestWhatIsFoundOfAChip holds every verdict to the words of a visit.
func TestWhatIsFoundOfAChip(t *testing.T) {
	t.Parallel()
	state := utopia(t)
	stranger, err := issue.New(issue.Config{Country: "UT", Code: "UTO", Name: "Somebody"}, random(7))
	if err != nil {
		t.Fatal(err)
	}
	_, serial := state.Signer()
	fresh, old, revoked := trusting(t, state, now.AddDate(0, 0, -1)), trusting(t, state, now.AddDate(0, 0, -181)), trusting(t, state, now.AddDate(0, 0, -1), serial)
	for rule, c := range map[string]struct {
		of         *issue.State
		order      issue.Order
		fault      mint.Fault
		store      *trust.Store
		verdict    proof.ChipVerdict
		clone      proof.Clone
		revocation proof.Revocation
	}{
		"another state's":     {stranger, issue.Order{}, mint.None, fresh, proof.ChipIssuerUnknown, proof.CloneNotChecked, proof.RevocationUnknown},
		"nothing is trusted":  {state, issue.Order{}, mint.None, nil, proof.ChipIssuerUnknown, proof.CloneNotChecked, proof.RevocationUnknown},
		"old trust":           {state, issue.Order{}, mint.None, old, proof.ChipIssuerUnknown, proof.CloneExcluded, proof.RevocationGood},
		"a changed file":      {state, issue.Order{Fault: issue.TamperedFile}, mint.None, fresh, proof.ChipIntegrityFailed, proof.CloneNotChecked, proof.RevocationUnknown},
		"a wrong signature":   {state, issue.Order{Fault: issue.SignatureWrong}, mint.None, fresh, proof.ChipSignatureFailed, proof.CloneNotChecked, proof.RevocationUnknown},
		"an unfit signer":     {state, issue.Order{Fault: issue.SignerUsage}, mint.None, fresh, proof.ChipCertificateUnfit, proof.CloneNotChecked, proof.RevocationUnknown},
		"a revoked signer":    {state, issue.Order{}, mint.None, revoked, proof.ChipRevoked, proof.CloneNotChecked, proof.RevocationUnknown},
		"a copy":              {state, issue.Order{}, mint.Clone, fresh, proof.ChipGenuine, proof.CloneFailed, proof.RevocationUnknown},
		"a proof refused":     {state, issue.Order{}, mint.RefusedProof, fresh, proof.ChipGenuine, proof.CloneFailed, proof.RevocationUnknown},
		"keys kept back":      {state, issue.Order{}, mint.KeptKeys, fresh, proof.ChipGenuine, proof.CloneNotChecked, proof.RevocationGood},
		"a copy of a forgery": {state, issue.Order{Fault: issue.SignatureWrong}, mint.Clone, fresh, proof.ChipSignatureFailed, proof.CloneFailed, proof.RevocationUnknown},
	} {
		t.Run(rule, func(t *testing.T) {
			t.Parallel()
			p := passport(t, c.of, c.order)
			p.Fault = c.fault
			told, err := lay(t, p, c.store).read(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			f := told.Fact
			if f.Verdict != c.verdict || f.Clone != c.clone {
				t.Errorf("it comes to %s, clone %q, want %s, %q: %+v", f.Verdict, f.Clone, c.verdict, c.clone, told.Verdict)
			}
			if f.Revocation != c.revocation {
				t.Errorf("its revocation is %q, want %q", f.Revocation, c.revocation)
			}
			if told.Portrait != nil && (f.Verdict != proof.ChipGenuine || f.Clone == proof.CloneFailed) {
				t.Error("a portrait that nobody trusted signed was opened")
			}
		})
	}
}

// TestChipsThatAreNotRead holds that each reason is told by its own word.
func TestChipsThatAreNotRead(t *testing.T) {
	t.Parallel()
	state := utopia(t)
	for rule, c := range map[string]struct {
		change func(*image.Chip, *desk)
		key    chip.Key
		want   proof.Kind
	}{
		"another key":   {func(*image.Chip, *desk) {}, chip.Key{MRZInformation: "U1234568<385031273106305"}, proof.KindChipKey},
		"it moves away": {func(c *image.Chip, _ *desk) { c.Fault, c.After = mint.Removed, 3 }, chip.Key{MRZInformation: key}, proof.KindChipMoved},
		"it makes no sense": {func(c *image.Chip, _ *desk) { c.Fault = mint.WrongTag }, chip.Key{MRZInformation: key},
			proof.KindChipUnread},
		"it keeps the portrait back": {func(c *image.Chip, _ *desk) { c.Fault = mint.KeptPortrait }, chip.Key{MRZInformation: key},
			proof.KindChipUnread},
		"it gives no end":         {func(c *image.Chip, _ *desk) { c.Fault = mint.Endless }, chip.Key{MRZInformation: key}, proof.KindChipUnread},
		"it denies the safer way": {func(c *image.Chip, _ *desk) { c.Fault = mint.RefusedPACE }, chip.Key{MRZInformation: key}, proof.KindChipDowngrade},
	} {
		t.Run(rule, func(t *testing.T) {
			t.Parallel()
			p := passport(t, state, issue.Order{})
			c.change(&p, nil)
			d := lay(t, p, trusting(t, state, now))
			if _, err := d.Read(t.Context(), c.key, d.hears); proof.KindOf(err) != c.want {
				t.Errorf("%v, want %s", err, c.want)
			} else if strings.Contains(err.Error(), "U123456") || strings.Contains(err.Error(), "SPECIMEN") {
				t.Errorf("the error tells who it is: %v", err)
			}
		})
	}
	t.Run("nothing lies there", func(t *testing.T) {
		t.Parallel()
		d := lay(t, passport(t, state, issue.Order{}), nil)
		d.Insert(nil)
		ctx, end := context.WithTimeout(t.Context(), 20*time.Millisecond)
		defer end()
		if _, err := d.read(ctx); proof.KindOf(err) != proof.KindNoChip {
			t.Errorf("%v, want %s", err, proof.KindNoChip)
		}
	})
	t.Run("the reader is pulled out", func(t *testing.T) {
		t.Parallel()
		d := lay(t, passport(t, state, issue.Order{}), nil)
		d.Unplug()
		if _, err := d.read(t.Context()); devices.KindOf(err) != devices.Gone && devices.KindOf(err) != devices.Missing {
			t.Errorf("%v", err)
		}
	})
}

// TestADocumentThatIsLaidAgain goes on where it stopped, and asks for nothing
// twice.
func TestADocumentThatIsLaidAgain(t *testing.T) {
	t.Parallel()
	state := utopia(t)
	p := passport(t, state, issue.Order{})
	card := p.Card(random(3))
	d := lay(t, p, trusting(t, state, now))
	laid, files := 0, map[byte]int{}
	d.Insert(func() sim.Card {
		card.Again()
		laid++
		left := 11
		return func(ctx context.Context, command []byte) ([]byte, error) {
			if left--; laid == 1 && left < 0 {
				return nil, errors.New("taken away")
			}
			if command[1] == 0xb0 && command[2]&0x80 != 0 {
				files[command[2]]++
			}
			return card.Transmit(ctx, command)
		}
	})
	told, err := d.read(t.Context())
	if err != nil || told.Fact.Verdict != proof.ChipGenuine {
		t.Fatalf("%+v: %v", told.Fact, err)
	}
	if laid != 2 || !slices.Contains(d.said, proof.KindChipMoved) {
		t.Errorf("laid %d times, told %v", laid, d.said)
	}
}

// TestAChipThatFallsSilent is asked again with short commands.
func TestAChipThatFallsSilent(t *testing.T) {
	t.Parallel()
	state := utopia(t)
	p := passport(t, state, issue.Order{})
	card := p.Card(random(3))
	store := trusting(t, state, now)
	silent := &silentOverLong{card: card}
	r := emrtd.New(emrtd.Config{Device: silent, Store: func() *trust.Store { return store }, Random: random(4), Now: func() time.Time { return now }})
	told, err := r.Read(t.Context(), emrtd.Key{MRZInformation: key}, func(proof.Kind, int) {})
	if err != nil || told.Fact.Verdict != proof.ChipGenuine {
		t.Errorf("%+v: %v", told.Fact, err)
	}
	silent.always = true
	if _, err := r.Read(t.Context(), emrtd.Key{MRZInformation: key}, func(proof.Kind, int) {}); proof.KindOf(err) != proof.KindDeviceTimeout {
		t.Errorf("one that stays silent: %v", err)
	}
}

// silentOverLong is a reader with a chip that answers no long command, or none.
type silentOverLong struct {
	card   *mint.Card
	always bool
}

func (s *silentOverLong) Connect(context.Context) error    { s.card.Again(); return nil }
func (s *silentOverLong) Disconnect(context.Context) error { return nil }
func (s *silentOverLong) Transmit(ctx context.Context, command []byte) ([]byte, error) {
	if s.always || len(command) > 5 && command[4] == 0 {
		return nil, &devices.Fault{Kind: devices.Timeout}
	}
	return s.card.Transmit(ctx, command)
}

func TestPackedEvidence(t *testing.T) {
	t.Parallel()
	state := utopia(t)
	store := trusting(t, state, now)
	told, err := lay(t, passport(t, state, issue.Order{}), store).read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	e, err := emrtd.Unpack(told.Packed)
	if err != nil {
		t.Fatal(err)
	}
	again, _, err := e.Judge(store)
	if err != nil || again.Verdict != told.Fact.Verdict || again.Clone != told.Fact.Clone || !slices.Equal(again.Lines, lines) {
		t.Errorf("judged again it is %+v, was %+v: %v", again, told.Fact, err)
	}
	confirms := emrtd.Confirms(func() *trust.Store { return store })
	strange := told.Fact
	strange.Lines = []string{"another"}
	if !confirms(told.Packed, told.Fact) || confirms(told.Packed, strange) || confirms(nil, told.Fact) {
		t.Error("what files bear out, and what they do not")
	}
	if emrtd.Confirms(func() *trust.Store { return nil })(told.Packed, told.Fact) {
		t.Error("who trusts nobody confirms a chip")
	}
	e.Proof = chip.Proof{Clone: chip.NotProvided}
	if confirms(e.Pack(), told.Fact) {
		t.Error("a chip that proved nothing is no copy")
	}
	later := trusting(t, state, now.AddDate(0, 0, 30))
	if !emrtd.Confirms(func() *trust.Store { return later })(told.Packed, told.Fact) {
		t.Error("who has newer trust data does not confirm what was read before")
	}
	_, serial := state.Signer()
	since := trusting(t, state, now.AddDate(0, 0, 30), serial)
	if emrtd.Confirms(func() *trust.Store { return since })(told.Packed, told.Fact) {
		t.Error("a signer that was revoked since is confirmed")
	}
	excused := told.Fact
	if excused.Clone = proof.CloneNoProtection; confirms(e.Pack(), excused) {
		t.Error("a document with a key for it is taken for one without protection")
	}
	e.Files[chip.DG1][20]++
	if again, _, err := e.Judge(store); err != nil || again.Verdict != proof.ChipIntegrityFailed {
		t.Errorf("with a changed file it is %+v: %v", again, err)
	}
	for _, b := range [][]byte{nil, []byte("{}"), []byte("[]"), told.Packed[:len(told.Packed)/2], bytes.Repeat([]byte(" "), 9<<20)} {
		if _, err := emrtd.Unpack(b); !errors.Is(err, emrtd.ErrPacked) {
			t.Errorf("%d bytes unpack: %v", len(b), err)
		}
	}
}

func BenchmarkRead(b *testing.B) {
	state := utopia(b)
	p := passport(b, state, issue.Order{})
	store := trusting(b, state, now)
	for b.Loop() {
		if _, err := lay(b, p, store).read(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
}
