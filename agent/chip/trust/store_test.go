package trust_test

import (
	"crypto"
	"crypto/ed25519"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/counterproof/counterproof/agent/chip"
	"github.com/counterproof/counterproof/agent/chip/cert"
	"github.com/counterproof/counterproof/agent/chip/cms"
	"github.com/counterproof/counterproof/agent/chip/der"
	"github.com/counterproof/counterproof/agent/chip/issue"
	"github.com/counterproof/counterproof/agent/chip/trust"
)

// centre is the key that bundles are signed with.
func centre() (ed25519.PublicKey, ed25519.PrivateKey) {
	private := ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))
	return private.Public().(ed25519.PublicKey), private
}

// all is a bundle with something of everything.
func all(tb testing.TB) (trust.Contents, *issue.State) {
	s := state(tb, issue.Config{})
	c := anchored(s, must[[]byte](tb)(s.CRL(issue.Revocation{From: made, Until: days(30), Serials: []int64{9}})))
	c.Number, c.Pins, c.Silent = 7, [][32]byte{s.Pin()}, []string{"DE", "FR"}
	c.MasterLists = [][]byte{must[[]byte](tb)(s.MasterList([][]byte{s.Authority()}, issue.ListOrder{Signed: made}))}
	signer, _ := s.Signer()
	c.Deviations = [][]byte{must[[]byte](tb)(s.DeviationList([]issue.Deviation{{Certificate: signer, BySerial: true, Type: cms.SignerEncoding}}, issue.ListOrder{Signed: made}))}
	c.Links = [][]byte{must[[]byte](tb)(s.Renew(days(-20), ""))}
	return c, s
}

func TestBundle(t *testing.T) {
	t.Parallel()
	public, private := centre()
	c, s := all(t)
	raw := c.Seal(private)
	store, err := trust.Parse(raw, public)
	if err != nil {
		t.Fatal(err)
	}
	if store.Number() != 7 || !store.Made().Equal(made) || store.Size() != 1 || store.Refused() != 0 {
		t.Errorf("got number %d of %s, %d authorities, %d refused", store.Number(), store.Made(), store.Size(), store.Refused())
	}
	e := evidence(t, s, issue.Order{Signed: days(-3)}, nil) // signed under the new key
	e.Store = store
	if v := trust.Judge(e); v.Word != trust.Genuine {
		t.Errorf("got %s %s, want genuine by the link", v.Word, v.Reason)
	}
	stranger := ed25519.NewKeyFromSeed(slices.Repeat([]byte{1}, 32)).Public().(ed25519.PublicKey)
	if _, err := trust.Parse(raw, stranger); !errors.Is(err, trust.ErrUnsigned) {
		t.Errorf("another key: got %v", err)
	}
	for at := 0; at < len(raw); at += 97 {
		bad := slices.Clone(raw)
		bad[at] ^= 4
		if _, err := trust.Parse(bad, public); !errors.Is(err, trust.ErrUnsigned) && !errors.Is(err, trust.ErrBundle) {
			t.Fatalf("byte %d changed: got %v", at, err)
		}
	}
	for _, bad := range [][]byte{nil, raw[:20], raw[:len(raw)-1]} {
		if _, err := trust.Parse(bad, public); err == nil {
			t.Errorf("%d bytes were taken", len(bad))
		}
	}
	if _, err := trust.Parse(raw, nil); !errors.Is(err, trust.ErrBundle) {
		t.Errorf("no key: got %v", err)
	}
	for _, number := range []int{0, -1} {
		c.Number = number
		if _, err := trust.Parse(c.Seal(private), public); !errors.Is(err, trust.ErrBundle) {
			t.Errorf("number %d: got %v", number, err)
		}
	}
}

func TestAccept(t *testing.T) {
	t.Parallel()
	at := func(number int, made time.Time) *trust.Store {
		return trust.New(trust.Contents{Number: number, Made: made})
	}
	old := at(5, made)
	for _, c := range []struct {
		rule string
		old  *trust.Store
		new  *trust.Store
		ok   bool
	}{
		{"first", nil, old, true},
		{"newer", old, at(6, made.AddDate(0, 0, 1)), true},
		{"newer/same-day", old, at(6, made), true},
		{"same-again", old, at(5, made), true},
		{"same-number-other-day", old, at(5, made.AddDate(0, 0, 1)), false},
		{"older", old, at(4, made), false},
		{"older/that-claims-to-be-new", old, at(4, made.AddDate(0, 0, 9)), false},
		{"newer-number-made-before", old, at(6, made.AddDate(0, 0, -1)), false},
	} {
		if err := trust.Accept(c.old, c.new); (err == nil) != c.ok || err != nil && !errors.Is(err, trust.ErrRollback) {
			t.Errorf("%s: got %v", c.rule, err)
		}
	}
}

func TestAges(t *testing.T) {
	t.Parallel()
	s := trust.New(trust.Contents{Number: 1, Made: made})
	for _, c := range []struct {
		days          int
		aging, inDate bool
	}{{-2, false, false}, {-1, false, true}, {0, false, true}, {89, false, true}, {90, true, true}, {179, true, true}, {180, true, false}} {
		at := made.AddDate(0, 0, c.days)
		if s.Aging(at) != c.aging || s.InDate(at) != c.inDate {
			t.Errorf("day %d: got aging %t, in date %t", c.days, s.Aging(at), s.InDate(at))
		}
	}
	undated := trust.New(trust.Contents{})
	if undated.InDate(read) || undated.Aging(read) {
		t.Error("a store without a date has an age")
	}
	// An old store still judges, and says so.
	st := state(t, issue.Config{})
	e := evidence(t, st, issue.Order{Signed: signed}, nil)
	contents := anchored(st)
	contents.Made = read.AddDate(0, 0, -200)
	e.Store = trust.New(contents)
	if v := trust.Judge(e); v.Word != trust.Genuine || v.Facts.InDate || !v.Facts.Aging || v.State(trust.CheckStore) != trust.Broken {
		t.Errorf("got %+v", v)
	}
}

// TestMasterList: a list brings other states' authorities if the authority of its
// signer is pinned.
func TestMasterList(t *testing.T) {
	t.Parallel()
	lister := must[*issue.State](t)(issue.New(issue.Config{Country: "DE", Code: "D"}, random(9)))
	other := state(t, issue.Config{})
	e := evidence(t, other, issue.Order{Signed: signed}, nil)
	junk := der.Seq(der.Int(1))
	for _, c := range []struct {
		rule    string
		order   issue.ListOrder
		pins    [][32]byte
		refused int
		word    trust.Word
	}{
		{"pinned", issue.ListOrder{Signed: made}, [][32]byte{lister.Pin()}, 1, trust.Genuine},
		{"not-pinned", issue.ListOrder{Signed: made}, nil, 1, trust.IssuerUnknown},
		{"another-pin", issue.ListOrder{Signed: made}, [][32]byte{other.Pin()}, 1, trust.IssuerUnknown},
		{"signer-not-for-lists", issue.ListOrder{Signed: made, Use: cert.DeviationListSigner}, [][32]byte{lister.Pin()}, 1, trust.IssuerUnknown},
		{"signature-wrong", issue.ListOrder{Signed: made, Fault: issue.SignatureWrong}, [][32]byte{lister.Pin()}, 1, trust.IssuerUnknown},
		{"attributes-missing", issue.ListOrder{Signed: made, Fault: issue.NoAttributes}, [][32]byte{lister.Pin()}, 1, trust.IssuerUnknown},
		{"no-signature", issue.ListOrder{Signed: made, Fault: issue.NoSigner}, [][32]byte{lister.Pin()}, 1, trust.IssuerUnknown},
		{"signed-when-signer-had-ended", issue.ListOrder{Signed: made.AddDate(40, 0, 0)}, [][32]byte{lister.Pin()}, 1, trust.IssuerUnknown},
	} {
		raw := must[[]byte](t)(lister.MasterList([][]byte{other.Authority(), lister.Authority(), junk}, c.order))
		store := trust.New(trust.Contents{Number: 1, Made: made, MasterLists: [][]byte{raw}, Pins: c.pins})
		e.Store = store
		if v := trust.Judge(e); v.Word != c.word || store.Refused() != c.refused {
			t.Errorf("%s: got %s %s with %d refused, want %s with %d", c.rule, v.Word, v.Reason, store.Refused(), c.word, c.refused)
		}
	}
}

func TestLinks(t *testing.T) {
	t.Parallel()
	foreign := must[*issue.State](t)(issue.New(issue.Config{Country: "DE"}, random(9)))
	for _, c := range []struct {
		rule   string
		fault  issue.Fault
		name   string
		change func(*trust.Contents)
		word   trust.Word
	}{
		{"same-name", issue.None, "", nil, trust.Genuine},
		{"new-name", issue.None, "CSCA Two", nil, trust.Genuine},
		{"forged", issue.LinkForged, "CSCA Two", nil, trust.IssuerUnknown},
		{"forged/same-name", issue.LinkForged, "", nil, trust.IssuerUnknown},
		{"no-anchor", issue.None, "CSCA Two", func(c *trust.Contents) { c.Anchors = nil }, trust.IssuerUnknown},
		{"another-anchor", issue.None, "CSCA Two", func(c *trust.Contents) { c.Anchors = [][]byte{foreign.Authority()} }, trust.IssuerUnknown},
		{"no-link", issue.None, "CSCA Two", func(c *trust.Contents) { c.Links = nil }, trust.IssuerUnknown},
	} {
		t.Run(c.rule, func(t *testing.T) {
			s := state(t, issue.Config{Fault: c.fault})
			contents := anchored(s)
			contents.Links = [][]byte{must[[]byte](t)(s.Renew(days(-30), c.name))}
			if c.change != nil {
				c.change(&contents)
			}
			e := evidence(t, s, issue.Order{Signed: days(-20)}, nil)
			e.Store = trust.New(contents)
			if v := trust.Judge(e); v.Word != c.word {
				t.Errorf("got %s %s, want %s", v.Word, v.Reason, c.word)
			}
			e.Store = trust.Given(slices.Concat(contents.Anchors, contents.Links), nil)
			given := c.word
			if c.rule == "no-anchor" || c.rule == "another-anchor" || c.rule == "forged/same-name" {
				return // a person called the certificate itself trusted
			}
			if v := trust.Judge(e); v.Word != given {
				t.Errorf("given by hand: got %s %s, want %s", v.Word, v.Reason, given)
			}
		})
	}
}

// TestChainOfLinks: keys may change more than once.
func TestChainOfLinks(t *testing.T) {
	t.Parallel()
	s := state(t, issue.Config{})
	contents := anchored(s)
	for n, name := range []string{"Two", "Three", "Four"} {
		contents.Links = append(contents.Links, must[[]byte](t)(s.Renew(days(-90+20*n), name)))
	}
	e := evidence(t, s, issue.Order{Signed: days(-20)}, nil)
	e.Store = trust.New(contents)
	if v := trust.Judge(e); v.Word != trust.Genuine {
		t.Errorf("got %s %s", v.Word, v.Reason)
	}
	contents.Links = slices.Delete(contents.Links, 1, 2)
	e.Store = trust.New(contents)
	if v := trust.Judge(e); v.Word != trust.IssuerUnknown {
		t.Errorf("with a link missing: got %s %s", v.Word, v.Reason)
	}
}

// TestDeviations: a named deviation excuses the named thing of the named
// certificate's documents.
func TestDeviations(t *testing.T) {
	t.Parallel()
	s := state(t, issue.Config{})
	foreign := must[*issue.State](t)(issue.New(issue.Config{Country: "DE"}, random(9)))
	signer, _ := s.Signer()
	foreignSigner, _ := foreign.Signer()
	named := issue.Deviation{Certificate: signer, BySerial: true, Type: cms.SignerEncoding}
	with := func(change func(*issue.Deviation)) issue.Deviation {
		d := named
		change(&d)
		return d
	}
	for _, c := range []struct {
		rule  string
		d     issue.Deviation
		by    *issue.State
		pins  [][32]byte
		fault issue.Fault
		word  trust.Word
	}{
		{"by-number", named, s, nil, issue.SignerSerial, trust.Genuine},
		{"by-key", with(func(d *issue.Deviation) { d.BySerial = false }), s, nil, issue.SignerIssuer, trust.Genuine},
		{"by-digest", with(func(d *issue.Deviation) { d.BySerial, d.ByDigest = false, true }), s, nil, issue.SignerSerial, trust.Genuine},
		{"in-its-time", with(func(d *issue.Deviation) { d.First, d.Last = signed.AddDate(0, 0, -1), signed }), s, nil, issue.SignerSerial, trust.Genuine},
		{"before-its-time", with(func(d *issue.Deviation) { d.First, d.Last = signed.Add(time.Second), read }), s, nil, issue.SignerSerial, trust.Failed},
		{"of-this-number", with(func(d *issue.Deviation) { d.Number = "L898902C3" }), s, nil, issue.SignerSerial, trust.Genuine},
		{"of-another-number", with(func(d *issue.Deviation) { d.Number = "L898902C4" }), s, nil, issue.SignerSerial, trust.Failed},
		{"of-another-certificate", with(func(d *issue.Deviation) { d.Certificate = foreignSigner }), s, nil, issue.SignerSerial, trust.Failed},
		{"of-everybody", with(func(d *issue.Deviation) { d.Certificate = nil }), s, nil, issue.SignerSerial, trust.Failed},
		{"another-thing", with(func(d *issue.Deviation) { d.Type = cms.AuthorityEncoding }), s, nil, issue.SignerSerial, trust.Failed},
		{"by-another-state", named, foreign, nil, issue.SignerSerial, trust.Failed},
		{"by-a-pinned-state", named, foreign, [][32]byte{foreign.Pin()}, issue.SignerSerial, trust.Genuine},
		{"never-a-signature", named, s, nil, issue.SignatureWrong, trust.Failed},
		{"never-a-file", named, s, nil, issue.TamperedFile, trust.Failed},
	} {
		contents := anchored(s)
		contents.Pins = c.pins
		contents.Anchors = append(contents.Anchors, foreign.Authority())
		contents.Deviations = [][]byte{must[[]byte](t)(c.by.DeviationList([]issue.Deviation{c.d}, issue.ListOrder{Signed: made}))}
		e := evidence(t, s, issue.Order{Signed: signed, Fault: c.fault}, nil)
		e.Store = trust.New(contents)
		v := trust.Judge(e)
		if v.Word != c.word || v.Facts.Deviating != (c.word == trust.Genuine) {
			t.Errorf("%s: got %s %s, deviating %t, want %s", c.rule, v.Word, v.Reason, v.Facts.Deviating, c.word)
		}
	}
	unfit := state(t, issue.Config{Fault: issue.NotAuthority})
	contents := anchored(unfit)
	contents.Pins = [][32]byte{s.Pin()}
	contents.Deviations = [][]byte{must[[]byte](t)(s.DeviationList([]issue.Deviation{{Certificate: unfit.Authority(), ByDigest: true, Type: cms.AuthorityEncoding}}, issue.ListOrder{Signed: made}))}
	e := evidence(t, unfit, issue.Order{Signed: signed}, nil)
	e.Store = trust.New(contents)
	if v := trust.Judge(e); v.Word != trust.Genuine || !v.Facts.Deviating {
		t.Errorf("an authority's encoding: got %s %s, %d refused", v.Word, v.Reason, e.Store.Refused())
	}
}

// TestNobodysDeviations: an authority that names no country, and that nobody pinned,
// speaks of no state's documents.
func TestNobodysDeviations(t *testing.T) {
	t.Parallel()
	s := state(t, issue.Config{})
	nobody := must[*issue.State](t)(issue.New(issue.Config{Country: " ", Name: "Nobody"}, random(9)))
	signer, _ := s.Signer()
	contents := anchored(s)
	contents.Anchors = append(contents.Anchors, nobody.Authority())
	contents.Deviations = [][]byte{must[[]byte](t)(nobody.DeviationList(
		[]issue.Deviation{{Certificate: signer, BySerial: true, Type: cms.SignerEncoding}}, issue.ListOrder{Signed: made}))}
	for _, pinned := range []bool{false, true} {
		if pinned {
			contents.Pins = [][32]byte{nobody.Pin()}
		}
		e := evidence(t, s, issue.Order{Signed: signed, Fault: issue.SignerSerial}, nil)
		e.Store = trust.New(contents)
		if v := trust.Judge(e); (v.Word == trust.Genuine) != pinned || e.Store.Refused() != 0 {
			t.Errorf("pinned %t: got %s %s, %d refused", pinned, v.Word, v.Reason, e.Store.Refused())
		}
	}
}

// many are certificates of authorities, a third of each kind of key.
func many(tb testing.TB, n int) [][]byte {
	makings := []issue.Making{
		{Curve: "secp384r1", Hash: crypto.SHA384}, {Curve: "brainpoolP256r1", Explicit: true, Hash: crypto.SHA256}, {Curve: "brainpoolP384r1", Hash: crypto.SHA384},
	}
	one := make([][]byte, len(makings))
	for i, m := range makings {
		one[i] = must[*issue.State](tb)(issue.New(issue.Config{Country: "UT", Code: "UTO", Name: "CSCA #0000", Authority: m}, random(byte(i)))).Authority()
	}
	raw := make([][]byte, n)
	for i := range raw { // another name each: signatures are not looked at
		c := slices.Clone(one[i%len(one)])
		for at := 0; at+4 < len(c); at++ {
			if string(c[at:at+5]) == "#0000" {
				c[at+1], c[at+2], c[at+3], c[at+4] = byte('0'+i/1000%10), byte('0'+i/100%10), byte('0'+i/10%10), byte('0'+i%10)
			}
		}
		raw[i] = c
	}
	return raw
}

// BenchmarkLoad1000 loads a bundle with 1,000 certificates in a master list.
func BenchmarkLoad1000(b *testing.B) {
	public, private := centre()
	s := state(b, issue.Config{})
	c := anchored(s)
	c.Pins = [][32]byte{s.Pin()}
	c.MasterLists = [][]byte{must[[]byte](b)(s.MasterList(many(b, 1000), issue.ListOrder{Signed: made}))}
	raw := c.Seal(private)
	b.ReportAllocs()
	for b.Loop() {
		store, err := trust.Parse(raw, public)
		if err != nil || store.Size() != 1001 {
			b.Fatal(err, store.Size())
		}
	}
}

func FuzzBundle(f *testing.F) {
	_, private := centre()
	c, s := all(f)
	raw := c.Seal(private)
	f.Add(raw[len("counterproof trust bundle 1\n") : len(raw)-ed25519.SignatureSize])
	e := evidence(f, s, issue.Order{Signed: days(-3)}, nil)
	f.Fuzz(func(t *testing.T, body []byte) {
		public, private := centre()
		signed := append([]byte("counterproof trust bundle 1\n"), body...)
		store, err := trust.Parse(append(signed, ed25519.Sign(private, signed)...), public)
		if err != nil {
			return
		}
		e := e
		e.Store = store
		trust.Judge(e)
	})
}

func FuzzJudge(f *testing.F) {
	c, s := all(f)
	store := trust.New(c)
	e := evidence(f, s, issue.Order{Signed: days(-3)}, nil)
	f.Add(e.Files["EF.SOD"], e.Files["DG1"], e.Files["DG14"])
	ber := evidence(f, s, issue.Order{Signed: days(-3), BER: true, Twice: true}, nil)
	f.Add(ber.Files["EF.SOD"], ber.Files["DG1"], ber.Files["DG14"])
	f.Fuzz(func(t *testing.T, object, zone, keys []byte) {
		v := trust.Judge(trust.Evidence{
			Files: map[string][]byte{chip.SOD.String(): object, "DG1": zone, "DG14": keys, "CardAccess": keys, "CardSecurity": object},
			Proof: trust.ByCAM, Key: chipKey(1), Store: store, At: read,
		})
		if v.Word == trust.Genuine {
			t.Error("genuine by a key that nobody signed")
		}
	})
}
