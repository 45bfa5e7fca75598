// Package image writes a chip of software down, so that it can lie in a folder:
// the demonstration and whoever trains the staff put one there, and a simulated
// reader plays it.
//
// It makes documents of no real state. It draws no random number and opens no
// file: both come in.
//
// # The laws
//
//   - What is written is read back as the same chip.
//   - A text that is no chip is refused; it never becomes half a chip.
package image

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/big"

	"github.com/counterproof/counterproof/agent/chip"
	"github.com/counterproof/counterproof/agent/chip/access"
	"github.com/counterproof/counterproof/agent/chip/curve"
	"github.com/counterproof/counterproof/agent/chip/issue"
	"github.com/counterproof/counterproof/agent/chip/lds"
	"github.com/counterproof/counterproof/agent/chip/mint"
	"github.com/counterproof/counterproof/agent/chip/sm"
)

// Chip is a chip with its private keys, which are no secret: it is of software.
type Chip struct {
	Schema string               `json:"schema"`
	Key    string               `json:"mrz_information"` // number, birth, expiry with check digits
	CAN    string               `json:"can,omitempty"`
	Kind   mint.Kind            `json:"kind"`
	Files  map[chip.File][]byte `json:"files"`
	Fault  mint.Fault           `json:"fault,omitempty"`
	After  int                  `json:"after,omitempty"` // commands before a fault of the way shows
	Link   mint.Link            `json:"link"`
}

// schema names the form of a chip that is written down.
const schema = "counterproof/training-chip/1"

// maxSize bounds a chip that is written down, in bytes.
const maxSize = 8 << 20

// ErrNoChip says that a text is no chip.
var ErrNoChip = errors.New("the text is no chip")

// Write writes the chip as JSON.
func (c Chip) Write() ([]byte, error) {
	c.Schema = schema
	b, err := json.Marshal(c)
	if err != nil {
		return nil, fmt.Errorf("writing a chip: %w", err)
	}
	return b, nil
}

// Read reads what Write wrote.
func Read(b []byte) (Chip, error) {
	var c Chip
	if len(b) > maxSize || json.Unmarshal(b, &c) != nil || c.Schema != schema || len(c.Files) == 0 {
		return Chip{}, ErrNoChip
	}
	return c, nil
}

// Card is the chip in the field of a reader.
func (c Chip) Card(random io.Reader) *mint.Card {
	return mint.New(mint.Config{
		Key: c.Key, CAN: c.CAN, Kind: c.Kind, Files: c.Files, Fault: c.Fault, After: c.After, Random: random, Link: c.Link,
	})
}

// p256 is the number of the standardised domain parameters of P-256 (9303-11
// §9.5.1).
const p256 = 12

// Document is what a chip is made for.
type Document struct {
	Lines    []string // of the printed zone
	Key      string   // what they make of the access key
	Portrait []byte   // JPEG or JPEG 2000
	Order    issue.Order
}

// Passport makes the chip of a document of a state: it is opened by PACE with
// generic mapping and proves itself by Chip Authentication.
func Passport(of *issue.State, d Document, random io.Reader) (Chip, error) {
	domain, _ := curve.Standard(p256)
	private, err := secret(domain.Curve.N, random)
	if err != nil {
		return Chip{}, fmt.Errorf("making a chip's key: %w", err)
	}
	kind := mint.Kind{
		Offers:    []mint.Offer{{Mapping: access.Generic, Suite: sm.AES256, Domain: p256}},
		Agreement: &mint.Agreement{Suite: sm.AES256, Domain: p256, Private: private},
	}
	files := map[chip.File][]byte{
		chip.DG1: lds.BuildDG1(d.Lines), chip.DG2: lds.BuildDG2(d.Portrait, 0, 0, lds.ISO19794), chip.COM: lds.BuildCOM(1, 2, 14),
	}
	maps.Copy(files, kind.Files())
	signed, err := of.Document(files, d.Order)
	if err != nil {
		return Chip{}, fmt.Errorf("signing a document: %w", err)
	}
	return Chip{Key: d.Key, Kind: kind, Files: signed}, nil
}

// secret draws a private key: 1 to n - 1, as even as 64 bits more than n has make
// it.
func secret(n *big.Int, random io.Reader) (*big.Int, error) {
	b := make([]byte, n.BitLen()/8+8)
	if _, err := io.ReadFull(random, b); err != nil {
		return nil, err
	}
	one := big.NewInt(1)
	d := new(big.Int).SetBytes(b)
	d.Mod(d, new(big.Int).Sub(n, one))
	return d.Add(d, one), nil
}
