// Package training is Utopia, the state of all specimens, as far as its documents
// have chips: it makes them, and the bundle by which counters and openers that
// train trust them.
//
// Its keys are made anew each time and prove nobody outside training; no other
// state's documents come from here.
//
// # The laws
//
//   - What it makes, a counter reads and judges with the code that it reads every
//     document with.
//   - It writes no file and keeps none.
package training

import (
	"bytes"
	"crypto/ed25519"
	"fmt"
	stdimage "image"
	"image/jpeg"
	"io"
	"time"

	"github.com/counterproof/counterproof/agent/chip/image"
	"github.com/counterproof/counterproof/agent/chip/issue"
	"github.com/counterproof/counterproof/agent/chip/mint"
	"github.com/counterproof/counterproof/agent/chip/trust"
	"github.com/counterproof/counterproof/agent/emrtd"
	"github.com/counterproof/counterproof/agent/jp2"
	"github.com/counterproof/counterproof/agent/mrz"
	"github.com/counterproof/counterproof/agent/proof"
)

// Utopia is the state, on one day.
type Utopia struct {
	state  *issue.State
	signer ed25519.PrivateKey // of bundles
	random io.Reader
	now    time.Time
}

// New founds the state. random makes its keys.
func New(random io.Reader, now time.Time) (*Utopia, error) {
	state, err := issue.New(issue.Config{Country: "UT", Code: "UTO"}, random)
	if err != nil {
		return nil, fmt.Errorf("founding Utopia: %w", err)
	}
	_, signer, err := ed25519.GenerateKey(random)
	if err != nil {
		return nil, fmt.Errorf("making the key of trust bundles: %w", err)
	}
	return &Utopia{state, signer, random, now.UTC().Truncate(time.Second)}, nil
}

// Days of the state's lists and documents.
const (
	bundleAge   = 2
	listAge     = 10
	documentAge = 400
)

// Bundle is what to trust, with a fresh list of revoked signers, and the key that
// it is signed under.
func (u *Utopia) Bundle() (raw []byte, key ed25519.PublicKey, err error) {
	list, err := u.state.CRL(issue.Revocation{From: u.now.AddDate(0, 0, -listAge), Until: u.now.AddDate(0, 3, 0), Number: 1})
	if err != nil {
		return nil, nil, fmt.Errorf("making a list of revoked signers: %w", err)
	}
	contents := trust.Contents{
		Number: 1, Made: u.now.AddDate(0, 0, -bundleAge), Anchors: [][]byte{u.state.Authority()}, CRLs: [][]byte{list},
	}
	return contents.Seal(u.signer), u.signer.Public().(ed25519.PublicKey), nil
}

// Store is the bundle as what to trust.
func (u *Utopia) Store() (*trust.Store, error) {
	raw, key, err := u.Bundle()
	if err != nil {
		return nil, err
	}
	return trust.Parse(raw, key)
}

// Confirms judges chips for an opener that trusts this state (emrtd.Confirms).
func (u *Utopia) Confirms() (func(files []byte, said proof.ChipRead) bool, error) {
	store, err := u.Store()
	return emrtd.Confirms(func() *trust.Store { return store }), err
}

// Fault is one way in which a training chip is wrong: "" for none, "clone",
// "file_tampered", "signature_wrong", "removed" and the others of packages mint
// and issue.
type Fault string

// Chip makes the chip of a specimen, written down (package image), from the lines
// of its printed zone and its portrait, which may be nil.
func (u *Utopia) Chip(lines []string, portrait stdimage.Image, fault Fault) ([]byte, error) {
	y, m, d := u.now.Date()
	zone := mrz.Parse(lines, proof.Date{Year: y, Month: int(m), Day: d})
	if zone.Fields.MRZInformation == "" {
		return nil, &proof.Error{Op: "making a training chip", Kind: proof.KindChecksFailed}
	}
	face, err := picture(portrait)
	if err != nil {
		return nil, err
	}
	order := issue.Order{Signed: u.now.AddDate(0, 0, -documentAge), Fault: issue.Fault(fault)}
	made, err := image.Passport(u.state, image.Document{Lines: lines, Key: zone.Fields.MRZInformation, Portrait: face, Order: order}, u.random)
	if err != nil {
		return nil, err
	}
	made.Fault = mint.Fault(fault) // each room knows its own faults and leaves the others alone
	return made.Write()
}

// portraitBytes is about how long a portrait becomes, as on a passport.
const portraitBytes = 16 << 10

// picture writes a portrait: as JPEG 2000, which most states use, where this build
// can.
func picture(img stdimage.Image) ([]byte, error) {
	if img == nil {
		return nil, nil
	}
	if jp2.Available() {
		b, err := jp2.Encode(img, jp2.Coding{Bytes: portraitBytes})
		if err != nil {
			return nil, fmt.Errorf("writing a portrait: %w", err)
		}
		return b, nil
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, &jpeg.Options{Quality: 80}); err != nil {
		return nil, fmt.Errorf("writing a portrait: %w", err)
	}
	return b.Bytes(), nil
}
