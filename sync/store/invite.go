package store

import (
	"crypto/sha256"
	"encoding/base32"
	"encoding/hex"
	"errors"
	"io"
	"net"
	"strings"

	"github.com/counterproof/counterproof/sync/wire"
)

// codeLetters is Crockford's base 32 in lower case: an invitation may be read
// aloud or typed.
const codeLetters = "0123456789abcdefghjkmnpqrstvwxyz"

var codeAlphabet = base32.NewEncoding(codeLetters).WithPadding(base32.NoPadding)

// NewCode draws a one-time code of 128 bits from random.
func NewCode(random io.Reader) (string, error) {
	var b [16]byte
	if _, err := io.ReadFull(random, b[:]); err != nil {
		return "", err
	}
	return codeAlphabet.EncodeToString(b[:]), nil
}

// HashCode is how a code is kept: 128 random bits need no salt.
func HashCode(code string) wire.Hash { return wire.HashOf([]byte(code)) }

// Invite is what a supervisor hands to a new counter: where the centre is, the
// code, and which certificate authority the centre must show. Whoever holds it
// may enrol once, so it is as secret as the code until then.
type Invite struct {
	Address string    // host:port
	Code    string    // as NewCode made it
	CA      wire.Hash // SHA-256 of the authority's certificate, DER
}

// invitePrefix opens an invitation of format 1.
const invitePrefix = "cpi1:"

// String writes the invitation as one word to copy. It ends with a check, so
// that a slip in copying is not taken for a wrong centre.
func (i Invite) String() string {
	body := invitePrefix + i.Address + "/" + i.Code + "/" + i.CA.String()
	return body + "/" + inviteCheck(body)
}

// inviteCheck is the first 32 bits of the SHA-256 of the text before it.
func inviteCheck(body string) string {
	sum := sha256.Sum256([]byte(body))
	return hex.EncodeToString(sum[:4])
}

// errInvite is what a person can act on: copy it again.
var errInvite = errors.New("the invitation is not complete or was changed on the way; copy it again, from cpi1: to its end")

// ParseInvite reads what String wrote; spaces and line ends around it do not
// matter.
func ParseInvite(s string) (Invite, error) {
	s = strings.TrimSpace(s)
	cut := strings.LastIndexByte(s, '/')
	if cut < 0 || inviteCheck(s[:cut]) != s[cut+1:] {
		return Invite{}, errInvite
	}
	rest, ok := strings.CutPrefix(s[:cut], invitePrefix)
	fields := strings.Split(rest, "/")
	if !ok || len(fields) != 3 {
		return Invite{}, errInvite
	}
	ca, err := wire.ParseHash(fields[2])
	if err != nil {
		return Invite{}, errInvite
	}
	if host, port, err := net.SplitHostPort(fields[0]); err != nil || host == "" || port == "" {
		return Invite{}, errInvite
	}
	if b, err := codeAlphabet.DecodeString(fields[1]); err != nil || len(b) != 16 {
		return Invite{}, errInvite
	}
	i := Invite{Address: fields[0], Code: fields[1], CA: ca}
	if i.String() != s {
		return Invite{}, errInvite
	}
	return i, nil
}
