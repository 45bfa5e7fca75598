//go:build cgo

package hsm

import (
	"crypto/ecdh"
	"crypto/rand"
	"encoding/asn1"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/miekg/pkcs11"
)

// Token is one token, logged in to. Its methods may be called at the same time;
// the token does one thing after the other.
type Token struct {
	cfg Config

	mu      sync.Mutex
	module  *pkcs11.Ctx
	loaded  bool // the library was initialised by us
	session pkcs11.SessionHandle
	opened  bool
	refused bool // the PIN; it is not tried again
}

// Key is a private key on a token, as crypto/ecdh takes one.
type Key struct {
	Label  string // with Prefix before it
	id     []byte // CKA_ID, of both halves
	public *ecdh.PublicKey
	token  *Token
}

// Open loads the library and logs in to the token. The caller closes it.
func Open(cfg Config) (*Token, error) {
	fail := func(err error) (*Token, error) { return nil, fmt.Errorf("opening the token: %w", err) }
	if err := cfg.check(); err != nil {
		return fail(err)
	}
	t := &Token{cfg: cfg, module: pkcs11.New(cfg.Module)}
	if t.module == nil {
		return fail(fmt.Errorf("%w: the library does not load", ErrAway))
	}
	if err := t.do(func() error { return nil }); err != nil {
		return fail(errors.Join(err, t.Close()))
	}
	return t, nil
}

// Close logs out and lets the library go.
func (t *Token) Close() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.drop()
	t.module.Destroy()
	return nil
}

// do has a thing done in a session, and once more in a new one where it failed.
// The caller does not hold the lock.
func (t *Token) do(what func() error) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	var err error
	for range 2 {
		if err = t.login(); err == nil {
			if err = what(); err == nil {
				return nil
			}
		}
		t.drop()
		if t.refused {
			return ErrPIN
		}
	}
	return fmt.Errorf("%w: %w", ErrAway, err)
}

// login opens a session with the token and gives the PIN, if that is to be done.
func (t *Token) login() error {
	switch {
	case t.opened:
		return nil
	case t.refused:
		return ErrPIN
	}
	if err := t.module.Initialize(); err != nil && !is(err, pkcs11.CKR_CRYPTOKI_ALREADY_INITIALIZED) {
		return err
	} else if err == nil {
		t.loaded = true
	}
	slot, err := t.slot()
	if err != nil {
		return err
	}
	session, err := t.module.OpenSession(slot, pkcs11.CKF_SERIAL_SESSION|pkcs11.CKF_RW_SESSION)
	if err != nil {
		return err
	}
	t.session, t.opened = session, true
	pin, err := t.cfg.PIN()
	if err != nil {
		return err
	}
	defer clear(pin)
	err = t.module.Login(session, pkcs11.CKU_USER, string(pin))
	if is(err, pkcs11.CKR_USER_ALREADY_LOGGED_IN) {
		return nil
	}
	t.refused = is(err, pkcs11.CKR_PIN_INCORRECT, pkcs11.CKR_PIN_INVALID, pkcs11.CKR_PIN_LEN_RANGE, pkcs11.CKR_PIN_EXPIRED, pkcs11.CKR_PIN_LOCKED)
	return err
}

// slot finds the slot that holds the token; a label that two have names neither.
func (t *Token) slot() (uint, error) {
	slots, err := t.module.GetSlotList(true)
	if err != nil {
		return 0, err
	}
	var found []uint
	for _, slot := range slots {
		info, err := t.module.GetTokenInfo(slot)
		if err == nil && strings.TrimRight(info.Label, " \x00") == t.cfg.Token {
			found = append(found, slot)
		}
	}
	if len(found) != 1 {
		return 0, fmt.Errorf("%d tokens have the label", len(found))
	}
	return found[0], nil
}

// drop lets the session go, and the library where it was initialised here: some
// libraries see a token that came back only then.
func (t *Token) drop() {
	if t.opened {
		_ = t.module.CloseSession(t.session)
	}
	if t.loaded {
		_ = t.module.Finalize()
	}
	t.opened, t.loaded = false, false
}

// is reports an error of the token that is one of some.
func is(err error, codes ...uint) bool {
	var e pkcs11.Error
	if !errors.As(err, &e) {
		return false
	}
	for _, code := range codes {
		if uint(e) == code {
			return true
		}
	}
	return false
}

// p256 is the curve's name as DER (RFC 5480 §2.1.1.1, secp256r1).
func p256() []byte {
	der, _ := asn1.Marshal(asn1.ObjectIdentifier{1, 2, 840, 10045, 3, 1, 7})
	return der
}

// idSize is the length of a key's CKA_ID, in bytes.
const idSize = 16

// Generate makes a key on the token that never leaves it. The label, behind
// Prefix, says what it is for; two keys may have the same.
func (t *Token) Generate(label string) (*Key, error) {
	k := &Key{Label: Prefix + label, id: make([]byte, idSize), token: t}
	_, _ = rand.Read(k.id) // never fails
	if err := t.do(func() error { return t.generate(k) }); err != nil {
		return nil, fmt.Errorf("making a key on the token: %w", err)
	}
	return k, nil
}

func (t *Token) generate(k *Key) error {
	public := []*pkcs11.Attribute{
		pkcs11.NewAttribute(pkcs11.CKA_TOKEN, true),
		pkcs11.NewAttribute(pkcs11.CKA_EC_PARAMS, p256()),
		pkcs11.NewAttribute(pkcs11.CKA_LABEL, k.Label),
		pkcs11.NewAttribute(pkcs11.CKA_ID, k.id),
	}
	private := []*pkcs11.Attribute{
		pkcs11.NewAttribute(pkcs11.CKA_TOKEN, true),
		pkcs11.NewAttribute(pkcs11.CKA_PRIVATE, true),
		pkcs11.NewAttribute(pkcs11.CKA_SENSITIVE, true),
		pkcs11.NewAttribute(pkcs11.CKA_EXTRACTABLE, false),
		pkcs11.NewAttribute(pkcs11.CKA_DERIVE, true),
		pkcs11.NewAttribute(pkcs11.CKA_SIGN, false),
		pkcs11.NewAttribute(pkcs11.CKA_LABEL, k.Label),
		pkcs11.NewAttribute(pkcs11.CKA_ID, k.id),
	}
	mechanism := []*pkcs11.Mechanism{pkcs11.NewMechanism(pkcs11.CKM_EC_KEY_PAIR_GEN, nil)}
	_, made, err := t.module.GenerateKeyPair(t.session, mechanism, public, private)
	if err != nil {
		return err
	}
	if k.public, err = t.point(k.id); err == nil {
		err = t.kept(made)
	}
	if err != nil {
		return errors.Join(err, t.destroy(k.id))
	}
	return nil
}

// kept makes sure that the token gives a private key to nobody.
func (t *Token) kept(key pkcs11.ObjectHandle) error {
	got, err := t.module.GetAttributeValue(t.session, key, []*pkcs11.Attribute{
		pkcs11.NewAttribute(pkcs11.CKA_SENSITIVE, nil), pkcs11.NewAttribute(pkcs11.CKA_EXTRACTABLE, nil),
	})
	if err != nil {
		return err
	}
	if len(got) != 2 || string(got[0].Value) != "\x01" || string(got[1].Value) != "\x00" {
		return errors.New("the token would give the key out")
	}
	return nil
}

// object finds the one object of a class with an id.
func (t *Token) object(class uint, id []byte) (pkcs11.ObjectHandle, error) {
	found, err := t.find(pkcs11.NewAttribute(pkcs11.CKA_CLASS, class), pkcs11.NewAttribute(pkcs11.CKA_ID, id))
	if err != nil {
		return 0, err
	}
	if len(found) != 1 {
		return 0, fmt.Errorf("%d keys have the id", len(found))
	}
	return found[0], nil
}

// mostKeys bounds the keys that are looked at (a count).
const mostKeys = 1 << 12

// find finds objects by their attributes.
func (t *Token) find(attributes ...*pkcs11.Attribute) (found []pkcs11.ObjectHandle, err error) {
	if err := t.module.FindObjectsInit(t.session, attributes); err != nil {
		return nil, err
	}
	for len(found) < mostKeys {
		page, _, err := t.module.FindObjects(t.session, 100)
		if err != nil {
			return nil, errors.Join(err, t.module.FindObjectsFinal(t.session))
		}
		if len(page) == 0 {
			break
		}
		found = append(found, page...)
	}
	return found, t.module.FindObjectsFinal(t.session)
}

// point reads the public half of a key.
func (t *Token) point(id []byte) (*ecdh.PublicKey, error) {
	object, err := t.object(pkcs11.CKO_PUBLIC_KEY, id)
	if err != nil {
		return nil, err
	}
	got, err := t.module.GetAttributeValue(t.session, object, []*pkcs11.Attribute{pkcs11.NewAttribute(pkcs11.CKA_EC_POINT, nil)})
	if err != nil || len(got) != 1 {
		return nil, errors.Join(errors.New("the token does not give the public key"), err)
	}
	return parsePoint(got[0].Value)
}

// Keys lists the keys of this package on the token.
func (t *Token) Keys() (keys []*Key, err error) {
	err = t.do(func() error {
		keys, err = t.list()
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("listing the token's keys: %w", err)
	}
	return keys, nil
}

func (t *Token) list() ([]*Key, error) {
	found, err := t.find(pkcs11.NewAttribute(pkcs11.CKA_CLASS, pkcs11.CKO_PRIVATE_KEY), pkcs11.NewAttribute(pkcs11.CKA_KEY_TYPE, pkcs11.CKK_EC))
	if err != nil {
		return nil, err
	}
	var keys []*Key
	for _, object := range found {
		got, err := t.module.GetAttributeValue(t.session, object, []*pkcs11.Attribute{
			pkcs11.NewAttribute(pkcs11.CKA_LABEL, nil), pkcs11.NewAttribute(pkcs11.CKA_ID, nil),
		})
		if err != nil {
			return nil, err
		}
		k := &Key{Label: string(got[0].Value), id: got[1].Value, token: t}
		if !strings.HasPrefix(k.Label, Prefix) {
			continue
		}
		if k.public, err = t.point(k.id); err != nil {
			return nil, err
		}
		keys = append(keys, k)
	}
	return keys, nil
}

// Destroy destroys both halves of a key for good. A key that is gone is an error,
// and nothing else is touched.
func (t *Token) Destroy(k *Key) error {
	if err := t.do(func() error { return t.destroy(k.id) }); err != nil {
		return fmt.Errorf("destroying a key of the token: %w", err)
	}
	return nil
}

// destroy destroys the private half first.
func (t *Token) destroy(id []byte) error {
	private, err := t.object(pkcs11.CKO_PRIVATE_KEY, id)
	if err != nil {
		return err
	}
	if err := t.module.DestroyObject(t.session, private); err != nil {
		return err
	}
	public, err := t.object(pkcs11.CKO_PUBLIC_KEY, id)
	if err != nil {
		return nil // what is left opens nothing
	}
	return t.module.DestroyObject(t.session, public)
}

// PublicKey is the public half.
func (k *Key) PublicKey() *ecdh.PublicKey { return k.public }

// Curve is P-256.
func (*Key) Curve() ecdh.Curve { return ecdh.P256() }

// sharedSize is the length of a shared secret of P-256, in bytes.
const sharedSize = 32

// ECDH agrees on a secret with another public key, on the token (PKCS #11
// §2.3.9, CKM_ECDH1_DERIVE without a KDF).
func (k *Key) ECDH(remote *ecdh.PublicKey) (shared []byte, err error) {
	if remote == nil || remote.Curve() != ecdh.P256() {
		return nil, errors.New("agreeing on a secret: the other key is not of P-256")
	}
	err = k.token.do(func() error {
		shared, err = k.token.derive(k.id, remote.Bytes())
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("agreeing on a secret: %w", err)
	}
	return shared, nil
}

// derive has the token derive the secret, as an object of the session alone.
func (t *Token) derive(id, remote []byte) (shared []byte, err error) {
	key, err := t.object(pkcs11.CKO_PRIVATE_KEY, id)
	if err != nil {
		return nil, err
	}
	params := pkcs11.NewECDH1DeriveParams(pkcs11.CKD_NULL, nil, remote)
	mechanism := []*pkcs11.Mechanism{pkcs11.NewMechanism(pkcs11.CKM_ECDH1_DERIVE, params)}
	object, err := t.module.DeriveKey(t.session, mechanism, key, []*pkcs11.Attribute{
		pkcs11.NewAttribute(pkcs11.CKA_CLASS, pkcs11.CKO_SECRET_KEY),
		pkcs11.NewAttribute(pkcs11.CKA_KEY_TYPE, pkcs11.CKK_GENERIC_SECRET),
		pkcs11.NewAttribute(pkcs11.CKA_VALUE_LEN, sharedSize),
		pkcs11.NewAttribute(pkcs11.CKA_TOKEN, false),
		pkcs11.NewAttribute(pkcs11.CKA_SENSITIVE, false),
		pkcs11.NewAttribute(pkcs11.CKA_EXTRACTABLE, true),
	})
	if err != nil {
		return nil, err
	}
	got, err := t.module.GetAttributeValue(t.session, object, []*pkcs11.Attribute{pkcs11.NewAttribute(pkcs11.CKA_VALUE, nil)})
	if err := errors.Join(err, t.module.DestroyObject(t.session, object)); err != nil {
		return nil, err
	}
	if len(got) != 1 || len(got[0].Value) != sharedSize {
		return nil, errors.New("the token gives no secret of 32 bytes")
	}
	return got[0].Value, nil
}
