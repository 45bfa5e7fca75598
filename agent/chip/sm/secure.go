package sm

import (
	"bytes"
	"crypto/cipher"
	"crypto/subtle"
	"slices"
)

// Tags of secure messaging (§9.8.4).
const (
	tagCipherOdd Tag = 0x85 // of a command with an odd instruction
	tagCipher    Tag = 0x87
	tagMAC       Tag = 0x8e
	tagWanted    Tag = 0x97
	tagStatus    Tag = 0x99
)

// Secure is a session of secure messaging (§9.8): each command is wrapped, each
// response unwrapped, in turn.
type Secure struct {
	suite   Suite
	enc     cipher.Block
	macKey  []byte
	counter []byte // the send sequence counter
}

// NewSecure begins a session with keys of a suite and a first send sequence
// counter of one block. A chip and a terminal begin with the same.
func NewSecure(s Suite, encKey, macKey, counter []byte) (*Secure, error) {
	if len(encKey) != s.KeyLen() || len(macKey) != s.KeyLen() || len(counter) != s.Block() {
		return nil, ErrProtocol
	}
	enc, err := s.cipher(encKey)
	if err != nil {
		return nil, err
	}
	return &Secure{s, enc, slices.Clone(macKey), slices.Clone(counter)}, nil
}

// Suite is the session's ciphers.
func (s *Secure) Suite() Suite { return s.suite }

// count moves the counter on.
func (s *Secure) count() {
	for i := len(s.counter) - 1; i >= 0; i-- {
		if s.counter[i]++; s.counter[i] != 0 {
			return
		}
	}
}

// iv is the initialisation vector of the present count (§9.8.6.1, 9.8.6.2).
func (s *Secure) iv() []byte {
	iv := make([]byte, s.suite.Block())
	if s.suite != TripleDES {
		s.enc.Encrypt(iv, s.counter)
	}
	return iv
}

// authenticate is the code over the present count, an optional header and data
// objects.
func (s *Secure) authenticate(header, objects []byte) ([]byte, error) {
	message := slices.Clone(s.counter)
	if header != nil {
		message = append(message, Pad(header, s.suite.Block())...)
	}
	if len(objects) > 0 || header == nil {
		message = Pad(append(message, objects...), s.suite.Block())
	}
	return s.suite.MAC(s.macKey, message)
}

// Wrap protects a command (§9.8.4, figure 3).
func (s *Secure) Wrap(c Command) (Command, error) {
	s.count()
	out := Command{CLA: c.CLA | 0x0c, INS: c.INS, P1: c.P1, P2: c.P2, Ne: maxShortNe}
	if c.Ne > maxShortNe {
		out.Ne = MaxNe
	}
	if len(c.Data) > 0 {
		out.Data = s.encrypted(c)
	}
	if c.Ne > 0 {
		out.Data = append(out.Data, Object(tagWanted, wanted(c))...)
	}
	code, err := s.authenticate([]byte{out.CLA, out.INS, out.P1, out.P2}, out.Data)
	if err != nil {
		return Command{}, err
	}
	out.Data = append(out.Data, Object(tagMAC, code)...)
	if len(out.Data) > maxShortData {
		out.Ne = MaxNe
	}
	return out, nil
}

// encrypted is a command's data as an object.
func (s *Secure) encrypted(c Command) []byte {
	data := Pad(c.Data, s.suite.Block())
	cipher.NewCBCEncrypter(s.enc, s.iv()).CryptBlocks(data, data)
	if c.INS&1 != 0 {
		return Object(tagCipherOdd, data)
	}
	return Object(tagCipher, append([]byte{1}, data...))
}

// wanted is the length field of a command, in the form that it has.
func wanted(c Command) []byte {
	if c.short() {
		return []byte{byte(c.Ne)}
	}
	return []byte{byte(c.Ne >> 8), byte(c.Ne)}
}

// Unwrap checks a response and opens it (§9.8.4, figure 4). Every error is for
// good: a session that lost its count does not find it again.
func (s *Secure) Unwrap(response []byte) (data []byte, status Status, err error) {
	s.count()
	body, outer, err := ParseResponse(response)
	if err != nil {
		return nil, 0, err
	}
	if len(body) == 0 { // the chip speaks in clear: it has ended the session
		return nil, outer, ErrAuthentic
	}
	covered, code, err := split(body)
	if err != nil {
		return nil, 0, err
	}
	want, err := s.authenticate(nil, covered)
	if err != nil {
		return nil, 0, err
	}
	if subtle.ConstantTimeCompare(want, code) != 1 {
		return nil, 0, ErrAuthentic
	}
	return s.opened(covered, outer)
}

// split separates the objects of a response from the code over them, which is
// the last.
func split(body []byte) (covered, code []byte, err error) {
	for rest := body; len(rest) > 0; {
		t, value, after, err := Next(rest)
		if err != nil {
			return nil, nil, ErrAuthentic
		}
		if t == tagMAC {
			if len(after) > 0 || len(value) != MACLen {
				return nil, nil, ErrAuthentic
			}
			return body[:len(body)-len(rest)], value, nil
		}
		rest = after
	}
	return nil, nil, ErrAuthentic
}

// opened reads the authenticated objects of a response.
func (s *Secure) opened(covered []byte, outer Status) (data []byte, status Status, err error) {
	sw, err := Find(covered, tagStatus)
	if err != nil || len(sw) != 2 || Status(sw[0])<<8|Status(sw[1]) != outer {
		return nil, 0, ErrAuthentic
	}
	for _, tag := range []Tag{tagCipher, tagCipherOdd} {
		value, err := Find(covered, tag)
		if err != nil {
			return nil, 0, ErrAuthentic
		}
		if value == nil {
			continue
		}
		if data, err = s.decrypted(tag, value); err != nil {
			return nil, 0, err
		}
	}
	return data, outer, nil
}

// decrypted opens a cryptogram.
func (s *Secure) decrypted(tag Tag, value []byte) ([]byte, error) {
	if tag == tagCipher {
		if len(value) == 0 || value[0] != 1 {
			return nil, ErrAuthentic
		}
		value = value[1:]
	}
	if len(value) == 0 || len(value)%s.suite.Block() != 0 {
		return nil, ErrAuthentic
	}
	data := bytes.Clone(value)
	cipher.NewCBCDecrypter(s.enc, s.iv()).CryptBlocks(data, data)
	return Unpad(data)
}

// WrapResponse protects a response, as a chip does: data and status as objects
// with a code over them. odd tells that the command's instruction was odd.
func (s *Secure) WrapResponse(data []byte, status Status, odd bool) ([]byte, error) {
	s.count()
	var body []byte
	if len(data) > 0 {
		c := Command{Data: data}
		if odd {
			c.INS = 1
		}
		body = s.encrypted(c)
	}
	sw := []byte{byte(status >> 8), byte(status)}
	body = append(body, Object(tagStatus, sw)...)
	code, err := s.authenticate(nil, body)
	if err != nil {
		return nil, err
	}
	return slices.Concat(body, Object(tagMAC, code), sw), nil
}

// UnwrapCommand checks a protected command and opens it, as a chip does.
func (s *Secure) UnwrapCommand(c Command) (Command, error) {
	s.count()
	covered, code, err := split(c.Data)
	if err != nil {
		return Command{}, err
	}
	want, err := s.authenticate([]byte{c.CLA, c.INS, c.P1, c.P2}, covered)
	if err != nil {
		return Command{}, err
	}
	if subtle.ConstantTimeCompare(want, code) != 1 {
		return Command{}, ErrAuthentic
	}
	out := Command{CLA: c.CLA &^ 0x0c, INS: c.INS, P1: c.P1, P2: c.P2}
	for rest := covered; len(rest) > 0; {
		t, value, after, err := Next(rest)
		if err != nil {
			return Command{}, ErrAuthentic
		}
		switch t {
		case tagCipher, tagCipherOdd:
			if out.Data, err = s.decrypted(t, value); err != nil {
				return Command{}, err
			}
		case tagWanted:
			out.Ne = unwanted(value)
		}
		rest = after
	}
	return out, nil
}

// unwanted reads a length field.
func unwanted(value []byte) int {
	switch {
	case len(value) == 1:
		return int(value[0]-1) + 1
	case len(value) == 2:
		return (int(value[0])<<8+int(value[1])+MaxNe-1)%MaxNe + 1
	}
	return 0
}
