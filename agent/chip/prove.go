package chip

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/counterproof/counterproof/agent/chip/access"
	"github.com/counterproof/counterproof/agent/chip/sm"
)

// Clone says whether the chip is a copy.
type Clone string

// What is known of it. Where a copy is excluded, that holds for the chip with the
// key that was proved: whoever relies on it holds the key against what its state
// signed.
const (
	NotAttempted Clone = "not_attempted" // nothing that is known here could be asked
	NotProvided  Clone = "not_provided"  // the chip announces no proof
	ExcludedCA   Clone = "excluded_by_ca"
	ExcludedCAM  Clone = "excluded_by_cam"
	ExcludedAA   Clone = "excluded_by_aa"
	CloneFailed  Clone = "failed" // a proof was announced and not given
)

// Proof is what a chip proved of itself.
type Proof struct {
	Clone Clone
	// Key is the key that was proved, as a SubjectPublicKeyInfo, and In the file
	// that it stands in: EF.CardSecurity has its own signature, the data groups
	// have their digest in EF.SOD.
	Key []byte
	In  File
}

// Parameters of the commands of proving.
const (
	forInternal  = 0x41a4 // an authentication template of the chip
	forAgreement = 0x41a6 // a key agreement template
	tagEphemeral = 0x91   // the terminal's key with MSE:Set KAT
	tagAgreed    = 0x80   // the same with GENERAL AUTHENTICATE
	shortAnswer  = 220    // bytes of an answer that are short under any protection
)

// prove lets the chip prove that it is no copy: by what PACE gave already, else by
// Chip Authentication, else by Active Authentication. The mapping's key stands in a
// file that names no document: where data group 14 has keys and not that one, the
// chip has to prove one of those as well.
func (s *session) prove(ctx context.Context) error {
	if s.opening.run != nil && s.opening.run.Mapping == access.ChipAuthentication {
		done, err := s.mapped(ctx)
		if err != nil || done && (len(s.infos.Agreements) == 0 || s.infos.Holds(s.reading.Proof.Key)) {
			return err
		}
	}
	if len(s.infos.Agreements) > 0 {
		return s.agree(ctx)
	}
	if _, read := s.reading.Files[DG15]; !read {
		if err := s.read(ctx, DG15); err != nil {
			return err
		}
	}
	if file, read := s.reading.Files[DG15]; read {
		return s.active(ctx, file)
	}
	if !s.infos.Proves && s.opening.way() != ByPACECAM {
		s.reading.Proof.Clone = NotProvided
	}
	return nil
}

// judged says what an error means that came in place of a proof: a chip that
// refuses it, or whose answer is not authentic, has failed. A card that was taken
// away has not, nor has one that could not be asked at such length.
func (s *session) judged(err error) error {
	refusal, refused := errors.AsType[*Error](err)
	if refused && refusal.Status != sm.WrongLength || errors.Is(err, ErrAuthentic) && !errors.Is(err, errTooMuch) {
		return errors.Join(ErrClone, err)
	}
	return err
}

// mapped checks the proof that the chip authentication mapping gave with the key
// in EF.CardSecurity. done is false where there is no key to check it with.
func (s *session) mapped(ctx context.Context) (done bool, err error) {
	file, has := s.reading.Files[CardSecurity]
	if !has {
		return false, nil
	}
	security, err := access.CardSecurity(file)
	if err != nil {
		return false, nil
	}
	if _, has := s.reading.Files[DG14]; !has { // the other signed copy of the offer
		s.reading.Downgraded = s.opening.forced || !s.opening.infos.SamePACE(security)
	}
	key, ok := s.opening.run.Proved(s.opening.proof, security)
	if !ok {
		return true, ErrClone
	}
	s.reading.Proof = Proof{ExcludedCAM, key.SPKI, CardSecurity}
	return true, nil
}

// agree runs Chip Authentication (§6.2). It proves nothing before the chip has
// spoken in the new session: that comes with the next file.
func (s *session) agree(ctx context.Context) error {
	a := s.infos.Agreements[0]
	public, next, err := a.Begin(s.cfg.Random)
	if err != nil {
		return fmt.Errorf("authenticating the chip: %w", err)
	}
	var reference []byte
	if a.KeyID >= 0 {
		reference = sm.Object(tagReference, number(a.KeyID))
	}
	if err = s.link.propose(ctx, a, public, reference); err != nil {
		return s.judged(err)
	}
	s.link.secure, s.link.pending = next, true
	s.claimed = Proof{ExcludedCA, a.Key.SPKI, DG14}
	return nil
}

// number is an identifier in as few bytes as it needs.
func number(id int) []byte {
	if id > 0xff {
		return []byte{byte(id >> 8), byte(id)}
	}
	return []byte{byte(id)}
}

// propose sends the terminal's key: with triple DES in one command, with AES in
// two. Some chips know the two only (§8.5, note 1).
func (l *link) propose(ctx context.Context, a access.Agreement, public, reference []byte) error {
	const op = "authenticating the chip"
	if a.Suite == sm.TripleDES {
		c := sm.Command{INS: insManage, P1: forAgreement >> 8, P2: forAgreement & 0xff, Data: append(sm.Object(tagEphemeral, public), reference...)}
		_, err := l.must(ctx, op, c)
		if _, refused := errors.AsType[*Error](err); !refused {
			return err
		}
	}
	c := sm.Command{INS: insManage, P1: forInternal >> 8, P2: forInternal & 0xff, Data: append(sm.Object(tagProtocol, a.Protocol), reference...)}
	if _, err := l.must(ctx, op, c); err != nil {
		return err
	}
	c = sm.Command{INS: insGeneral, Data: sm.Object(dynamicData, sm.Object(tagAgreed, public)), Ne: shortPlain}
	_, err := l.must(ctx, op, c)
	return err
}

// active runs Active Authentication (§6.1).
func (s *session) active(ctx context.Context, file []byte) error {
	key, err := access.DG15(file)
	if err != nil {
		return nil // a key that is not known here proves nothing
	}
	challenge := make([]byte, access.ChallengeLen)
	if _, err := io.ReadFull(s.cfg.Random, challenge); err != nil {
		return fmt.Errorf("drawing a challenge: %w", err)
	}
	c := sm.Command{INS: insInternal, Data: challenge, Ne: shortPlain}
	if key.AnswerLen() > shortAnswer && s.link.long {
		c.Ne = longBlock
	}
	answer, err := s.link.must(ctx, "asking the chip to sign", c)
	if err != nil {
		return s.judged(err)
	}
	if !key.Active(s.infos, challenge, answer) {
		return ErrClone
	}
	s.reading.Proof = Proof{ExcludedAA, key.SPKI, DG15}
	return nil
}
