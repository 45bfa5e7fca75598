package custody

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/counterproof/counterproof/sync/wire"
)

// Identity is what enrolment gave this counter, all of it public: who it is,
// its certificates, and what it needs to know the centre again.
type Identity struct {
	Agent     wire.AgentID      `json:"agent"`
	Site      wire.SiteID       `json:"site"`
	Training  bool              `json:"training"`   // records prove nobody
	Chain     [][]byte          `json:"chain"`      // certificates, DER, the counter's first
	CentreCA  []byte            `json:"centre_ca"`  // certificate, DER, that the centre's must come from
	Bundle    wire.Signed       `json:"bundle"`     // the newest one that verified
	BundleKey ed25519.PublicKey `json:"bundle_key"` // what bundles are signed with
}

// names reports whether the identity's first certificate is for this key.
func (id Identity) names(public *ecdsa.PublicKey) bool {
	named, ok := id.public()
	return ok && public != nil && public.Equal(named)
}

// public is the key that the identity's first certificate is for.
func (id Identity) public() (*ecdsa.PublicKey, bool) {
	if len(id.Chain) == 0 {
		return nil, false
	}
	leaf, err := x509.ParseCertificate(id.Chain[0])
	if err != nil {
		return nil, false
	}
	public, ok := leaf.PublicKey.(*ecdsa.PublicKey)
	return public, ok
}

// check refuses an identity that could not be used.
func (id Identity) check() error {
	if id.Agent == "" || len(id.Chain) == 0 {
		return errors.New("the identity has no name or no certificate")
	}
	for _, der := range append(id.Chain[:len(id.Chain):len(id.Chain)], id.CentreCA) {
		if _, err := x509.ParseCertificate(der); err != nil {
			return fmt.Errorf("a certificate of the identity: %w", err)
		}
	}
	if n := len(id.BundleKey); n != 0 && n != ed25519.PublicKeySize {
		return fmt.Errorf("the key for bundles has %d bytes", n)
	}
	return nil
}

// SaveIdentity stores what enrolment or a renewal gave, in the place of what
// was there. Its certificate must be for the current key or for the next one,
// which becomes the current key with it. Where it fails before the identity is
// on disk, everything is as it was; after a cut between identity and key, Open
// finishes.
func (k *Keeper) SaveIdentity(id Identity) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if err := k.save(id); err != nil {
		return fmt.Errorf("storing the counter's identity: %w", err)
	}
	return nil
}

func (k *Keeper) save(id Identity) error {
	if err := id.check(); err != nil {
		return err
	}
	ours, err := k.holds(id)
	if err != nil {
		return err
	}
	if !ours {
		return errors.New("its certificate is for a key that is not kept here")
	}
	b, err := json.MarshalIndent(id, "", "  ")
	if err != nil {
		return err
	}
	if err := write(filepath.Join(k.dir, identityFile), append(b, '\n'), os.Rename); err != nil {
		return err
	}
	if err := k.promote(id); err != nil {
		return err
	}
	if k.trouble != nil || k.wrap == nil {
		return k.recover()
	}
	return nil
}

// holds reports whether the current or the next key is the identity's.
func (k *Keeper) holds(id Identity) (bool, error) {
	if id.names(k.current.public) {
		return true, nil
	}
	text, err := readSecret(filepath.Join(k.dir, nextFile))
	if errors.Is(err, os.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	next, err := k.readKey(text)
	return err == nil && id.names(next.public), err
}

// Identity gives what SaveIdentity stored, and false before the enrolment.
func (k *Keeper) Identity() (Identity, bool, error) {
	b, err := readSecret(filepath.Join(k.dir, identityFile))
	if errors.Is(err, os.ErrNotExist) {
		return Identity{}, false, nil
	}
	var id Identity
	if err == nil {
		id, err = parseIdentity(b)
	}
	if err != nil {
		return Identity{}, false, fmt.Errorf("reading the counter's identity: %w", err)
	}
	return id, true, nil
}

// parseIdentity reads the identity's file.
func parseIdentity(b []byte) (Identity, error) {
	var id Identity
	d := json.NewDecoder(bytes.NewReader(b))
	if err := d.Decode(&id); err != nil {
		return Identity{}, err
	}
	return id, id.check()
}
