package access

import (
	"bytes"
	"encoding/hex"
	"errors"
	"io"
	"math/big"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/counterproof/counterproof/agent/chip/curve"
	"github.com/counterproof/counterproof/agent/chip/sm"
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

// worked is a worked example: values by name, mostly in hexadecimal digits.
type worked map[string]string

// example reads a worked example.
func example(tb testing.TB, name string) worked {
	tb.Helper()
	content, err := os.ReadFile(filepath.Join("testdata", name+".case"))
	if err != nil {
		tb.Fatal(err)
	}
	w := worked{}
	for line := range strings.Lines(string(content)) {
		if line = strings.TrimSpace(line); strings.HasPrefix(line, "#") {
			continue
		}
		key, value, ok := strings.Cut(line, ": ")
		if !ok {
			tb.Fatalf("%s: %q is no value", name, line)
		}
		w[key] = value
	}
	return w
}

// draws is a source of chance that gives what was told: private keys, as they are
// drawn, and nonces.
type draws struct{ bytes.Buffer }

// key queues a private key below n.
func (d *draws) key(n *big.Int, digits []byte) {
	k := new(big.Int).Mod(new(big.Int).SetBytes(digits), n)
	k.Sub(k, big.NewInt(1))
	d.Write(k.FillBytes(make([]byte, (n.BitLen()+7)/8+8)))
}

// order is how many members a domain has.
func (d domain) order() *big.Int {
	if d.Curve != nil {
		return d.Curve.N
	}
	return d.Group.Q
}

// hold compares values with a worked example.
func (w worked) hold(t *testing.T, values map[string][]byte) {
	t.Helper()
	for name, got := range values {
		if want, ok := w[name]; !ok || x(got) != want {
			t.Errorf("%s: got %X, want %s", name, got, want)
		}
	}
}

// keys are the session keys of a run.
func (r *Run) keys() (enc, mac []byte) {
	return r.Suite.Derive(r.shared, sm.ForEncryption), r.Suite.Derive(r.shared, sm.ForMAC)
}

// The generic mapping over a curve, as the terminal sees it (appendix G.1).
func TestGenericMapping(t *testing.T) {
	t.Parallel()
	w := example(t, "gm-ecdh")
	infos, err := CardAccess(sm.Object(tagSet, append([]byte{0x30}, b(t, w["paceinfo"])[1:]...)))
	if err != nil || len(infos.PACE) != 1 {
		t.Fatalf("the info is read as %+v, %v", infos, err)
	}
	var chance draws
	n := infos.PACE[0].domain.order()
	chance.key(n, b(t, w["terminal_map_private"]))
	chance.key(n, b(t, w["terminal_eph_private"]))
	r := NewRun(infos.PACE[0], Password{MRZInformation: w["mrz_information"]}, &chance)
	r.terminal(t, w, "chip_map_public", "chip_eph_public")
	w.hold(t, map[string][]byte{"k_pi": r.key, "nonce": r.nonce, "mapped_g": r.domain.marshal(r.generator)})
}

// terminal plays a run as the terminal, with what the chip of an example says.
func (r *Run) terminal(t *testing.T, w worked, theirMap, theirKey string) {
	t.Helper()
	if err := r.Open(b(t, w["z"])); err != nil {
		t.Fatal(err)
	}
	mapper, err := r.Mapper()
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Map(b(t, w[theirMap])); err != nil {
		t.Fatal(err)
	}
	public, err := r.Public()
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Agree(b(t, w[theirKey])); err != nil {
		t.Fatal(err)
	}
	token, err := r.Token()
	if err != nil {
		t.Fatal(err)
	}
	enc, mac := r.keys()
	w.hold(t, map[string][]byte{"token_terminal": token, "ks_enc": enc, "ks_mac": mac})
	for name, got := range map[string][]byte{"terminal_map_public": mapper, "terminal_eph_public": public, "terminal_public": public} {
		if _, told := w[name]; told {
			w.hold(t, map[string][]byte{name: got})
		}
	}
	if err := r.Check(b(t, w["token_chip"])); err != nil {
		t.Errorf("the chip's token: %v", err)
	}
	if err := r.Check(b(t, w["token_terminal"])); !errors.Is(err, ErrKey) {
		t.Errorf("the own token sent back: %v", err)
	}
}

// The integrated mapping over a curve (appendix H.1).
func TestIntegratedMapping(t *testing.T) {
	t.Parallel()
	w := example(t, "im-ecdh")
	d, _ := named(13)
	var chance draws
	chance.Write(b(t, w["nonce_t"]))
	chance.key(d.order(), b(t, w["terminal_private"]))
	r := NewRun(PACE{Protocol: b(t, w["oid"]), Mapping: Integrated, Suite: sm.AES128, Parameter: 13, domain: d}, Password{CAN: "123456"}, &chance)
	r.key = b(t, w["k_pi"]) // the example does not tell its password
	r.terminal(t, w, "none", "chip_public")
	number, err := mixed(r.Suite, b(t, w["nonce_s"]), b(t, w["nonce_t"]), d.Curve.P)
	if err != nil {
		t.Fatal(err)
	}
	w.hold(t, map[string][]byte{"nonce_s": r.nonce, "mapped_g": r.domain.marshal(r.generator), "r_mod_p": number.Bytes()})
}

// The integrated mapping in a group (appendix H.2).
func TestIntegratedMappingInGroup(t *testing.T) {
	t.Parallel()
	w := example(t, "im-dh")
	d, _ := named(0)
	r := NewRun(PACE{Mapping: Integrated, Suite: sm.AES128, domain: d}, Password{CAN: "123456"}, nil)
	r.nonce = b(t, w["nonce_s"])
	if err := r.Map(b(t, w["nonce_t"])); err != nil {
		t.Fatal(err)
	}
	w.hold(t, map[string][]byte{"mapped_g": r.domain.marshal(r.generator)})
}

// The chip authentication mapping (appendix I.1): the chip's proof opens to its
// data, and those times the chip's key are its mapping key.
func TestChipAuthenticationMapping(t *testing.T) {
	t.Parallel()
	w := example(t, "cam-ecdh")
	id, err := strconv.Atoi(w["parameter_id"])
	if err != nil {
		t.Fatal(err)
	}
	d, _ := named(id)
	var chance draws
	chance.key(d.order(), b(t, w["terminal_map_private"]))
	chance.key(d.order(), b(t, w["terminal_eph_private"]))
	p := PACE{Protocol: b(t, w["oid"]), Mapping: ChipAuthentication, Suite: sm.AES128, Parameter: id, domain: d}
	r := NewRun(p, Password{MRZInformation: w["mrz_information"]}, &chance)
	r.terminal(t, w, "chip_map_public", "chip_eph_public")
	w.hold(t, map[string][]byte{"k_pi": r.key, "nonce": r.nonce, "mapped_g": r.domain.marshal(r.generator)})

	// The example's static key follows from what it does tell: the mapping key is
	// the data times the static key.
	inverse := new(big.Int).ModInverse(new(big.Int).SetBytes(b(t, w["ca_data"])), d.Curve.N)
	static := element{point: d.Curve.Multiply(inverse, r.mapTheirs.point)}
	security := Infos{keys: []chipKey{{id, Key{domain: d, public: static}}}}
	proof := b(t, w["encrypted_ca_data"])
	if _, ok := r.Proved(proof, security); !ok {
		t.Error("the proof is refused")
	}
	iv, err := r.iv()
	if err != nil {
		t.Fatal(err)
	}
	enc, _ := r.keys()
	data, err := r.Suite.Decrypt(enc, iv, proof)
	if err != nil {
		t.Fatal(err)
	}
	if data, err = sm.Unpad(data); err != nil {
		t.Fatal(err)
	}
	w.hold(t, map[string][]byte{"ca_data": data})
	for i := range proof {
		bad := bytes.Clone(proof)
		bad[i] ^= 1
		if _, ok := r.Proved(bad, security); ok {
			t.Fatalf("a proof with byte %d changed is taken", i)
		}
	}
	other := Infos{keys: []chipKey{{id, Key{domain: d, public: d.generator()}}}}
	if _, ok := r.Proved(proof, other); ok {
		t.Error("the proof of another key is taken")
	}
	if _, ok := r.Proved(proof, Infos{}); ok {
		t.Error("a proof without a key is taken")
	}
}

// Both sides of BSI's worked examples, over a curve and in a group.
func TestWorkedExamples(t *testing.T) {
	t.Parallel()
	for name, number := range map[string]int{"eac-ecdh": 13, "eac-dh": 0} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := example(t, name)
			access, err := CardAccess(b(t, w["ef_cardaccess"]))
			if err != nil || len(access.PACE) != 1 {
				t.Fatalf("EF.CardAccess is read as %+v, %v", access, err)
			}
			p := access.Ways()[0]
			if p.Mapping != Generic || p.Suite != sm.AES128 || p.Parameter != number || !access.Proves {
				t.Fatalf("it offers %+v", p)
			}
			w.pace(t, p)
			w.agreement(t, p.domain)
		})
	}
}

// pace plays both sides of an example's PACE.
func (w worked) pace(t *testing.T, p PACE) {
	t.Helper()
	n := p.domain.order()
	runs := map[string]*Run{}
	for side, other := range map[string]string{"pcd": "picc", "picc": "pcd"} {
		var chance draws
		chance.key(n, b(t, w["map_"+side+"_priv_key"]))
		chance.key(n, b(t, w[side+"_priv_key"]))
		r := NewRun(p, Password{CAN: "123456"}, &chance)
		if err := r.Open(b(t, w["nonce_enc"])); err != nil {
			t.Fatal(err)
		}
		mapper, err := r.Mapper()
		if err != nil {
			t.Fatal(err)
		}
		if err := r.Map(b(t, w["map_"+other+"_pub_key"])); err != nil {
			t.Fatal(err)
		}
		public, err := r.Public()
		if err != nil {
			t.Fatal(err)
		}
		if err := r.Agree(b(t, w[other+"_pub_key"])); err != nil {
			t.Fatal(err)
		}
		token, err := r.Token()
		if err != nil {
			t.Fatal(err)
		}
		enc, mac := r.keys()
		w.number(t, "map_"+side+"_pub_key", mapper)
		w.number(t, side+"_pub_key", public)
		w.hold(t, map[string][]byte{
			"nonce": r.nonce, "map_generator": r.domain.marshal(r.generator), "shared_secret_k": r.shared,
			"k_enc": enc, "k_mac": mac, "authentication_token_" + side: token,
		})
		runs[side] = r
	}
	for side, other := range map[string]string{"pcd": "picc", "picc": "pcd"} {
		if err := runs[side].Check(b(t, w["authentication_token_"+other])); err != nil {
			t.Errorf("the %s refuses the %s's token: %v", side, other, err)
		}
	}
}

// number compares values that may have zeros before them.
func (w worked) number(t *testing.T, name string, got []byte) {
	t.Helper()
	if want := strings.TrimLeft(w[name], "0"); strings.TrimLeft(x(got), "0") != want {
		t.Errorf("%s: got %X, want %s", name, got, want)
	}
}

// agreement plays both sides of an example's Chip Authentication. Its second
// version derives with a nonce, which no document does: the secret is compared.
func (w worked) agreement(t *testing.T, d domain) {
	t.Helper()
	public, err := d.unmarshal(b(t, w["ca_picc_pub_key"]))
	if err != nil {
		t.Fatal(err)
	}
	if file, told := w["ef_cardsecurity"]; told {
		security, err := CardSecurity(b(t, file))
		if err != nil || len(security.Agreements) == 0 || !d.equal(security.Agreements[0].Key.public, public) {
			t.Fatalf("EF.CardSecurity is read as %+v, %v", security, err)
		}
	}
	terminal, card := new(big.Int).SetBytes(b(t, w["ca_pcd_priv_key"])), new(big.Int).SetBytes(b(t, w["ca_picc_priv_key"]))
	theirs, err := d.unmarshal(bytes.TrimLeft(b(t, w["ca_pcd_pub_key"]), "\x00"))
	if err != nil {
		t.Fatal(err)
	}
	one, err := d.agree(terminal, public)
	if err != nil {
		t.Fatal(err)
	}
	two, err := d.agree(card, theirs)
	if err != nil {
		t.Fatal(err)
	}
	w.hold(t, map[string][]byte{"ca_shared_secret_k": one})
	w.hold(t, map[string][]byte{"ca_shared_secret_k": two})
}

// every are all ways of PACE over all standardised domain parameters.
func every(t testing.TB) []PACE {
	t.Helper()
	var all []PACE
	for kind, k := range pace {
		for id := range 19 {
			d, ok := named(id)
			if !ok || k.curve != (d.Curve != nil) || k.mapping == Integrated && k.curve && !mappable(d.Curve) {
				continue
			}
			for _, s := range []sm.Suite{sm.TripleDES, sm.AES128, sm.AES192, sm.AES256} {
				if k.mapping != ChipAuthentication || s != sm.TripleDES {
					all = append(all, PACE{append([]byte(oidPACE), kind, byte(s)+1), k.mapping, s, id, d})
				}
			}
		}
	}
	return all
}

var errDisagree = errors.New("they disagree")

// meet plays a terminal and a chip against each other.
func meet(p PACE, terminal, card Password, random io.Reader) (one, two *Run, err error) {
	one, two = NewRun(p, terminal, random), NewRun(p, card, random)
	z, err := two.Seal()
	if err != nil {
		return one, two, err
	}
	if err = one.Open(z); err != nil {
		return one, two, err
	}
	data, err := one.Mapper()
	if err != nil {
		return one, two, err
	}
	var back []byte
	if p.Mapping != Integrated {
		if back, err = two.Mapper(); err != nil {
			return one, two, err
		}
	}
	if err = errors.Join(two.Map(data), one.Map(back)); err != nil {
		return one, two, err
	}
	mine, err := one.Public()
	if err != nil {
		return one, two, err
	}
	theirs, err := two.Public()
	if err != nil {
		return one, two, err
	}
	if err = errors.Join(two.Agree(mine), one.Agree(theirs)); err != nil {
		return one, two, err
	}
	a, err := one.Token()
	if err != nil {
		return one, two, err
	}
	c, err := two.Token()
	if err != nil {
		return one, two, err
	}
	if err = errors.Join(two.Check(a), one.Check(c)); err != nil {
		return one, two, err
	}
	if !bytes.Equal(one.shared, two.shared) {
		err = errDisagree
	}
	return one, two, err
}

// TestEveryWay: both sides come together over every mapping, cipher and set of
// domain parameters, and never with another password.
func TestEveryWay(t *testing.T) {
	t.Parallel()
	all := every(t)
	if len(all) != 4*3+4*3+4*11+4*10+3*11 {
		t.Errorf("there are %d ways", len(all))
	}
	right, wrong := Password{CAN: "123456"}, Password{CAN: "123457"}
	for i, p := range all {
		random := newChance(byte(i))
		one, two, err := meet(p, right, right, random)
		if err != nil {
			t.Errorf("%X with parameters %d: %v", p.Protocol, p.Parameter, err)
			continue
		}
		if p.Mapping == ChipAuthentication {
			provesItself(t, one, two)
		}
		if p.domain.Group != nil && p.domain.Group.Bytes() > 128 && i%4 != 0 { // they take long
			continue
		}
		if _, _, err := meet(p, wrong, right, random); !errors.Is(err, ErrKey) {
			t.Errorf("%X with parameters %d and another password: %v", p.Protocol, p.Parameter, err)
		}
	}
}

// provesItself holds the chip's proof to its key.
func provesItself(t *testing.T, terminal, card *Run) {
	t.Helper()
	private := big.NewInt(987654321)
	proof, err := card.Proof(private)
	if err != nil {
		t.Fatal(err)
	}
	d := terminal.domain
	for factor, want := range map[int64]bool{987654321: true, 987654322: false} {
		key := Key{domain: d, public: element{point: d.Curve.Base(big.NewInt(factor))}}
		if _, ok := terminal.Proved(proof, Infos{keys: []chipKey{{terminal.Parameter, key}}}); ok != want {
			t.Errorf("parameters %d: the proof of key %d is taken: %t", terminal.Parameter, factor, ok)
		}
	}
}

// TestHostileRun: what a chip may say instead is refused.
func TestHostileRun(t *testing.T) {
	t.Parallel()
	d, _ := named(13)
	g, _ := named(0)
	p := PACE{Protocol: []byte{1}, Mapping: Generic, Suite: sm.AES128, domain: d}
	fresh := func(p PACE) *Run {
		r := NewRun(p, Password{CAN: "123456"}, newChance(1))
		if err := r.Open(make([]byte, 16)); err != nil {
			t.Fatal(err)
		}
		if _, err := r.Mapper(); err != nil {
			t.Fatal(err)
		}
		return r
	}
	for name, z := range map[string][]byte{"empty": {}, "half-a-block": make([]byte, 24), "long": make([]byte, 80)} {
		if err := fresh(p).Open(z); err == nil {
			t.Errorf("a nonce, %s, is taken", name)
		}
	}
	for name, data := range map[string][]byte{"empty": {}, "infinity": {0}, "zeros": make([]byte, 65), "other-curve": d.marshal(element{point: curve.Point{X: big.NewInt(1), Y: big.NewInt(1)}})} {
		r := fresh(p)
		if err := r.Map(data); !errors.Is(err, sm.ErrProtocol) {
			t.Errorf("mapping data, %s: %v", name, err)
		}
		r.generator, r.mine = d.generator(), d.generator()
		if err := r.Agree(data); !errors.Is(err, sm.ErrProtocol) {
			t.Errorf("a key, %s: %v", name, err)
		}
	}
	r := fresh(p)
	r.mine = d.generator()
	if err := r.Agree(d.marshal(r.mine)); !errors.Is(err, sm.ErrProtocol) {
		t.Errorf("the own key sent back: %v", err)
	}
	p.domain = g
	for name, y := range map[string]*big.Int{"zero": new(big.Int), "one": big.NewInt(1), "minus-one": new(big.Int).Sub(g.Group.P, big.NewInt(1)), "p": g.Group.P, "no-member": big.NewInt(2)} {
		if err := fresh(p).Map(y.Bytes()); !errors.Is(err, sm.ErrProtocol) {
			t.Errorf("a number, %s: %v", name, err)
		}
	}
	p.Mapping = Integrated
	r = fresh(p)
	r.extra = make([]byte, 3)
	if err := r.Map(nil); err == nil {
		t.Error("a short nonce of the terminal is taken")
	}
	if _, err := NewRun(p, Password{CAN: "1"}, bytes.NewReader(nil)).Seal(); err == nil {
		t.Error("a nonce is drawn from nothing")
	}
}
