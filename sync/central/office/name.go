package office

import (
	"encoding/hex"
	"errors"
	"fmt"
	"os/user"
	"strings"
	"time"

	"github.com/counterproof/counterproof/sync/wire"
)

// name is how a person names a record.
type name struct {
	ref    wire.Ref
	record wire.RecordID
	whole  bool // record is known, not only its reference
}

// parseName reads a slip's reference or a proofing's id as a person types it.
func parseName(text string) (name, error) {
	text = strings.TrimSpace(text)
	var n name
	if b, err := hex.DecodeString(text); err == nil && len(b) == len(n.record) {
		copy(n.record[:], b)
		n.ref, n.whole = n.record.Ref(), true
		return n, nil
	}
	ref, err := wire.ParseRef(text)
	if err != nil {
		return n, fmt.Errorf("give the reference on the slip, as in 8QXR-2M4K-7TD, or the proofing's id of 32 digits: %w", err)
	}
	n.ref = ref
	return n, nil
}

// errNobody is what a person can act on.
var errNobody = errors.New("who does this is not known: give a sign-in name with --by")

// signedIn is the sign-in name of who runs the program, as a leaf can hold it.
func signedIn() (string, error) {
	u, err := user.Current()
	if err != nil {
		return "", errNobody
	}
	return leafName(u.Username)
}

// leafName writes a sign-in name in the letters of a leaf: without a domain, in
// lower case, with hyphens for dots and underscores.
func leafName(text string) (string, error) {
	if i := strings.LastIndexByte(text, '\\'); i >= 0 {
		text = text[i+1:]
	}
	text, _, _ = strings.Cut(text, "@")
	text = strings.NewReplacer(".", "-", "_", "-").Replace(strings.ToLower(text))
	l := wire.Leaf{Kind: wire.LeafDeed, At: time.UnixMilli(0), By: text}
	if l.Check() != nil {
		return "", errNobody
	}
	return text, nil
}
