package mint

import (
	"bytes"
	"io"
	"math/big"

	"github.com/counterproof/counterproof/agent/chip/access"
	"github.com/counterproof/counterproof/agent/chip/sm"
)

// challenge gives a nonce.
func (c *Card) challenge(in sm.Command) ([]byte, sm.Status) {
	if !c.document || c.cfg.Key == "" {
		return nil, notAllowed
	}
	if c.cfg.Fault == OtherLength && in.Ne != 256 && c.nonce == nil {
		c.nonce = []byte{}
		return nil, sayAnother
	}
	c.nonce = make([]byte, access.NonceLen)
	if _, err := io.ReadFull(c.cfg.Random, c.nonce); err != nil {
		return nil, unfit
	}
	return c.nonce, sm.OK
}

// authenticate takes the terminal's proof of the key.
func (c *Card) authenticate(in sm.Command) ([]byte, sm.Status) {
	var secret [access.SecretLen]byte
	if _, err := io.ReadFull(c.cfg.Random, secret[:]); err != nil || len(c.nonce) != access.NonceLen {
		return nil, notAllowed
	}
	nonce := c.nonce
	c.nonce = nil // good once
	answer, s, err := access.BACChip(c.cfg.Key, nonce, in.Data, secret)
	if err != nil {
		return nil, badAccess
	}
	c.next = s
	return answer, sm.OK
}

// Parameters and tags of access and proof.
const (
	forMutual    = 0xc1a4
	forInternal  = 0x41a4
	forAgreement = 0x41a6
	tagProtocol  = 0x80
	tagPassword  = 0x83
	tagReference = 0x84
	tagEphemeral = 0x91
	tagDynamic   = 0x7c
)

// manage sets what the next command will do.
func (c *Card) manage(in sm.Command) sm.Status {
	protocol, err := sm.Find(in.Data, tagProtocol)
	if err != nil {
		return sm.WrongData
	}
	switch int(in.P1)<<8 | int(in.P2) {
	case forMutual:
		return c.beginPACE(protocol, in.Data)
	case forInternal:
		return c.beginAgreement(protocol)
	case forAgreement:
		return c.agreeAtOnce(in.Data)
	}
	return sm.WrongP1P2
}

// beginPACE chooses one of the ways that the chip offers.
func (c *Card) beginPACE(protocol, data []byte) sm.Status {
	password, err := sm.Find(data, tagPassword)
	if err != nil || len(password) != 1 || c.cfg.Fault == RefusedPACE {
		return sm.WrongData
	}
	reference, err := sm.Find(data, tagReference)
	if err != nil {
		return sm.WrongData
	}
	var w access.Password
	switch password[0] {
	case 1:
		w.MRZInformation = c.cfg.Key
	case 2:
		w.CAN = c.cfg.CAN
	}
	if w == (access.Password{}) {
		return sm.NoReference
	}
	for _, p := range c.offers {
		if bytes.Equal(p.Protocol, protocol) && (reference == nil || bytes.Equal(reference, []byte{byte(p.Parameter)})) {
			c.run, c.step = access.NewRun(p, w, c.cfg.Random), 0
			return sm.OK
		}
	}
	return sm.WrongData
}

// general does a step of PACE or of Chip Authentication.
func (c *Card) general(in sm.Command) ([]byte, sm.Status) {
	body, err := sm.Find(in.Data, tagDynamic)
	switch {
	case err != nil || body == nil:
		return nil, sm.WrongData
	case c.agreement != nil:
		return c.agree(body)
	case c.run == nil:
		return nil, unfit
	}
	data, status := c.establish(in.CLA, body)
	if c.step++; status != sm.OK {
		c.run = nil
		return nil, status
	}
	return sm.Object(tagDynamic, data), status
}

// establish is a step of PACE (ICAO Doc 9303-11 §4.4.5).
func (c *Card) establish(class byte, body []byte) ([]byte, sm.Status) {
	const chained, last = 0x10, 3
	if class&chained == 0 != (c.step == last) {
		return nil, unfit
	}
	theirs, err := sm.Find(body, sm.Tag(0x7f+2*c.step))
	if err != nil || theirs == nil && c.step > 0 {
		return nil, sm.WrongData
	}
	r := c.run
	var mine []byte
	switch c.step {
	case 0:
		mine, err = r.Seal()
	case 1:
		mine, err = c.mapNonce(theirs)
	case 2:
		if mine, err = r.Public(); err == nil {
			err = r.Agree(theirs)
		}
	case last:
		return c.finish(theirs)
	}
	if err != nil {
		return nil, sm.WrongData
	}
	return sm.Object(sm.Tag(0x80+2*c.step), mine), sm.OK
}

// mapNonce is the second step: the integrated mapping gives nothing back.
func (c *Card) mapNonce(theirs []byte) (mine []byte, err error) {
	if c.run.Mapping != access.Integrated {
		if mine, err = c.run.Mapper(); err != nil {
			return nil, err
		}
	}
	return mine, c.run.Map(theirs)
}

// finish is the last step: it checks the terminal's token and gives its own, and
// with the chip authentication mapping its proof.
func (c *Card) finish(token []byte) ([]byte, sm.Status) {
	r := c.run
	if r.Check(token) != nil {
		return nil, badAccess
	}
	mine, err := r.Token()
	if err != nil {
		return nil, unfit
	}
	out := sm.Object(0x86, mine)
	if r.Mapping == access.ChipAuthentication && c.cfg.Kind.Mapped != nil {
		proof, err := r.Proof(c.private(c.cfg.Kind.Mapped))
		if err != nil {
			return nil, unfit
		}
		out = append(out, sm.Object(0x8a, proof)...)
	}
	if c.next, err = r.Session(); err != nil {
		return nil, unfit
	}
	c.run = nil
	return out, sm.OK
}

// private is the key that the chip has: a copy has another.
func (c *Card) private(k *big.Int) *big.Int {
	if c.cfg.Fault == Clone {
		return new(big.Int).Add(k, big.NewInt(1))
	}
	return k
}
