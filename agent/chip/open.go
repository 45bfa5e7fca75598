package chip

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/counterproof/counterproof/agent/chip/access"
	"github.com/counterproof/counterproof/agent/chip/sm"
)

// application is the travel document's (9303-10 §3.3.1).
var application = []byte{0xa0, 0x00, 0x00, 0x02, 0x47, 0x10, 0x01}

// Way is how a chip was opened.
type Way string

// The ways.
const (
	ByBAC     Way = "BAC"
	ByPACEGM  Way = "PACE-GM"
	ByPACEIM  Way = "PACE-IM"
	ByPACECAM Way = "PACE-CAM"
)

// Instructions and parameters of access.
const (
	insManage       = 0x22
	insExternal     = 0x82
	insChallenge    = 0x84
	insGeneral      = 0x86
	insInternal     = 0x88
	chained         = 0x10
	dynamicData     = 0x7c
	forMutual       = 0xc1a4 // an authentication template for both sides
	tagProtocol     = 0x80
	tagPassword     = 0x83
	tagReference    = 0x84
	tagChipProof    = 0x8a
	firstPACE       = 0x80 // the tag of the chip's first answer; of each message the next
	selectByName    = 0x04
	selectByID      = 0x00
	withoutTemplate = 0x0c
)

// opening is what was learnt while a chip was opened.
type opening struct {
	infos  access.Infos // of EF.CardAccess
	run    *access.Run  // of PACE; nil for Basic Access Control
	proof  []byte       // the chip's, of the chip authentication mapping
	forced bool         // the chip offers PACE and was opened without
}

// way is how it was opened.
func (o opening) way() Way {
	if o.run == nil {
		return ByBAC
	}
	return map[access.Mapping]Way{access.Generic: ByPACEGM, access.Integrated: ByPACEIM, access.ChipAuthentication: ByPACECAM}[o.run.Mapping]
}

// open gives access to the document: by PACE where the chip offers it, else by
// Basic Access Control (§4.2).
func (l *link) open(ctx context.Context, cfg Config) (opening, error) {
	var o opening
	err := l.cardAccess(ctx, &o)
	if err == nil && o.infos.Offers() {
		if err = l.pace(ctx, cfg, &o); err == nil {
			return o, nil
		}
	}
	switch {
	case err == nil:
	case !unable(err):
		return o, err
	case !cfg.AllowDowngrade:
		return o, errors.Join(ErrDowngrade, err)
	default:
		o.forced = true
	}
	if err := l.choose(ctx); err != nil {
		return o, err
	}
	return o, l.bac(ctx, cfg)
}

// unable reports that a chip does not do what it offers, in a way that is known
// here.
func unable(err error) bool {
	_, refused := errors.AsType[*Error](err)
	return !errors.Is(err, ErrKey) && (refused || errors.Is(err, access.ErrUnknown) || errors.Is(err, ErrProtocol))
}

// cardAccess reads EF.CardAccess, which tells what the chip offers. One that is
// missing or makes no sense offers nothing: it is not signed, and its signed copy
// will tell whether somebody took the offer away. Where it is not found at once the
// document's folder may be the current one, of a chip that was spoken to before.
func (l *link) cardAccess(ctx context.Context, o *opening) error {
	content, err := l.read(ctx, CardAccess, nil)
	if _, refused := errors.AsType[*Error](err); refused {
		c := sm.Command{INS: insSelect, P1: selectByID, P2: withoutTemplate, Data: []byte{masterFile >> 8, masterFile & 0xff}}
		if _, _, err := l.do(ctx, c); err != nil {
			return err
		}
		content, err = l.read(ctx, CardAccess, nil)
	}
	l.byName = false // what was found out holds for this folder alone
	_, refused := errors.AsType[*Error](err)
	if refused || errors.Is(err, ErrProtocol) {
		return nil
	}
	if err != nil {
		return err
	}
	if infos, err := access.CardAccess(content); err == nil {
		o.infos = infos
	}
	return nil
}

// choose selects the document.
func (l *link) choose(ctx context.Context) error {
	_, err := l.must(ctx, "selecting the document", sm.Command{INS: insSelect, P1: selectByName, P2: withoutTemplate, Data: application})
	return err
}

// pace opens the chip by Password Authenticated Connection Establishment: in the
// best way that it really has.
func (l *link) pace(ctx context.Context, cfg Config, o *opening) error {
	err := access.ErrUnknown
	password := access.Password(cfg.Key)
	for _, p := range o.infos.Ways() {
		set := append(sm.Object(tagProtocol, p.Protocol), sm.Object(tagPassword, []byte{password.Reference()})...)
		if p.Parameter >= 0 && p.Parameter <= 0xff {
			set = append(set, sm.Object(tagReference, []byte{byte(p.Parameter)})...)
		}
		c := sm.Command{INS: insManage, P1: forMutual >> 8, P2: forMutual & 0xff, Data: set}
		if _, err = l.must(ctx, "choosing PACE", c); err == nil {
			o.run = access.NewRun(p, password, cfg.Random)
			break
		}
		refusal, refused := errors.AsType[*Error](err)
		switch {
		case !refused:
			return err
		case refusal.Status == sm.NoReference && cfg.Key.MRZInformation == "": // every chip knows the zone
			return fmt.Errorf("%w: %w", ErrKey, err)
		}
	}
	if o.run == nil {
		return err
	}
	if err = l.establish(ctx, o); err != nil {
		o.run = nil
	}
	return err
}

// establish runs the four steps of PACE (§4.4.5). A refusal of the last one says
// that the password is another.
func (l *link) establish(ctx context.Context, o *opening) error {
	r := o.run
	z, err := l.step(ctx, 0, nil)
	if err != nil {
		return err
	}
	if err := r.Open(z[firstPACE]); err != nil {
		return err
	}
	for i, exchange := range []struct {
		give func() ([]byte, error)
		take func([]byte) error
	}{{r.Mapper, r.Map}, {r.Public, r.Agree}, {r.Token, r.Check}} {
		mine, err := exchange.give()
		if err != nil {
			return err
		}
		theirs, err := l.step(ctx, i+1, mine)
		if _, refused := errors.AsType[*Error](err); refused && i == 2 {
			return fmt.Errorf("%w: %w", ErrKey, err)
		}
		if err != nil {
			return err
		}
		if err := exchange.take(theirs[sm.Tag(firstPACE+2*(i+1))]); err != nil {
			return fmt.Errorf("establishing a connection: %w", err)
		}
		o.proof = theirs[tagChipProof]
	}
	l.secure, err = r.Session()
	return err
}

// lastPACE is the number of PACE's last step.
const lastPACE = 3

// step sends one GENERAL AUTHENTICATE and gives the objects that come back. All
// but the last are chained (§4.4.4.3).
func (l *link) step(ctx context.Context, n int, data []byte) (map[sm.Tag][]byte, error) {
	var inner []byte
	if n > 0 {
		inner = sm.Object(sm.Tag(firstPACE+2*n-1), data)
	}
	c := sm.Command{INS: insGeneral, Data: sm.Object(dynamicData, inner), Ne: shortPlain}
	if n < lastPACE {
		c.CLA = chained
	}
	if len(c.Data) >= shortPlain { // what comes back is as long
		c.Ne = sm.MaxNe
	}
	answer, err := l.must(ctx, "establishing a connection", c)
	if err != nil {
		return nil, err
	}
	return dynamic(answer)
}

// dynamic reads the objects of dynamic authentication data.
func dynamic(answer []byte) (map[sm.Tag][]byte, error) {
	body, err := sm.Find(answer, dynamicData)
	if err != nil {
		return nil, err
	}
	objects := map[sm.Tag][]byte{}
	for len(body) > 0 {
		t, value, rest, err := sm.Next(body)
		if err != nil {
			return nil, err
		}
		objects[t], body = value, rest
	}
	return objects, nil
}

// bac runs Basic Access Control (§4.3.4).
func (l *link) bac(ctx context.Context, cfg Config) error {
	if cfg.Key.MRZInformation == "" {
		return fmt.Errorf("opening a chip without PACE by another key than the zone: %w", ErrKey)
	}
	nonce, err := l.must(ctx, "asking for a nonce", sm.Command{INS: insChallenge, Ne: access.NonceLen})
	if err != nil {
		return err
	}
	var random [access.NonceLen + access.SecretLen]byte
	if _, err := io.ReadFull(cfg.Random, random[:]); err != nil {
		return fmt.Errorf("drawing a secret: %w", err)
	}
	message, finish, err := access.BACTerminal(cfg.Key.MRZInformation, nonce, random)
	if err != nil {
		return err
	}
	answer, status, err := l.do(ctx, sm.Command{INS: insExternal, Data: message, Ne: len(message)})
	switch {
	case err != nil:
		return fmt.Errorf("proving the key: %w", err)
	case status != sm.OK: // 6300, 6982 and others, by maker
		return fmt.Errorf("proving the key: %w", ErrKey)
	}
	l.secure, err = finish(answer)
	return err
}
