package opener

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/counterproof/counterproof/agent/packet"
	"github.com/counterproof/counterproof/sync/seal"
	"github.com/counterproof/counterproof/sync/wire"
)

// keyExt ends the name of a key file. A part's key in force is PART.key; older
// ones stay beside it as PART-ANYTHING.key and go on opening what they opened.
const keyExt = ".key"

// maxKeyFile bounds a key file, in bytes.
const maxKeyFile = 4 << 10

// sealedParts are the parts that keys are made for.
func sealedParts() []wire.PartName {
	return []wire.PartName{wire.PartClaims, wire.PartEvidence, wire.PartAudit, wire.PartChip}
}

// Keygen makes one private key for each part of a record in the folder keys
// under dir, where there is none yet; a key that is there stays as it is. It
// returns the public half of every key in force, in the order of the parts. An
// empty suite is seal.Hybrid.
func Keygen(dir string, suite wire.Suite) ([]wire.Recipient, error) {
	if suite == (wire.Suite{}) {
		suite = seal.Hybrid
	}
	folder := filepath.Join(dir, keyFolder)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, fmt.Errorf("making keys: %w", err)
	}
	for _, part := range sealedParts() {
		if err := makeKey(filepath.Join(folder, string(part)+keyExt), suite); err != nil {
			return nil, fmt.Errorf("making the key for %s: %w", part, err)
		}
	}
	keys, err := loadRing(folder)
	if err != nil {
		return nil, fmt.Errorf("making keys: %w", err)
	}
	return keys.recipients(), nil
}

// makeKey makes one key file unless it is there.
func makeKey(path string, suite wire.Suite) error {
	if _, err := os.Lstat(path); !errors.Is(err, os.ErrNotExist) {
		return err
	}
	key, _, err := seal.GenerateKey(suite)
	if err != nil {
		return err
	}
	text, err := key.Marshal()
	if err != nil {
		return err
	}
	defer clear(text)
	if err := newFile(path, text); !errors.Is(err, os.ErrExist) {
		return err
	}
	return nil // another process made it meanwhile: that one stays
}

// ring is the keys at hand, each with the part that it is for.
type ring []ringKey

type ringKey struct {
	part  wire.PartName
	force bool // handed to the centre; the others only open older records
	key   seal.Key
}

// loadRing reads all key files of a folder; none is an empty ring. A key file
// that is damaged or that others may read stops the start: going on without it
// would call good records unopenable.
func loadRing(folder string) (ring, error) {
	entries, err := os.ReadDir(folder)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	var keys ring
	for _, e := range entries {
		name, ok := strings.CutSuffix(e.Name(), keyExt)
		if !ok || strings.HasPrefix(name, ".") {
			continue
		}
		key, err := loadKey(filepath.Join(folder, e.Name()))
		if err != nil {
			return nil, err
		}
		part, _, older := strings.Cut(name, "-")
		keys = append(keys, ringKey{wire.PartName(part), !older, key})
	}
	return keys, nil
}

// loadKey reads one key file that only its owner may read.
func loadKey(path string) (seal.Key, error) {
	if err := checkSecret(path); err != nil {
		return seal.Key{}, err
	}
	text, err := readSmall(path, maxKeyFile)
	if err != nil {
		return seal.Key{}, err
	}
	defer clear(text)
	key, err := seal.ParseKey(text)
	if err != nil {
		return seal.Key{}, fmt.Errorf("%s: %w", path, err)
	}
	return key, nil
}

// recipients are the public halves of the keys in force, in the order of the
// parts.
func (k ring) recipients() []wire.Recipient {
	var out []wire.Recipient
	for _, part := range sealedParts() {
		for _, key := range k {
			if key.part == part && key.force {
				out = append(out, key.key.Recipient(part))
			}
		}
	}
	return out
}

// find is the key of that name, if it is for that part.
func (k ring) find(part wire.PartName, id wire.KeyID) (seal.Key, bool) {
	i := slices.IndexFunc(k, func(key ringKey) bool { return key.part == part && key.key.ID() == id })
	if i < 0 {
		return seal.Key{}, false
	}
	return k[i].key, true
}

// enough reports whether there is a key for each part that a score needs.
func (k ring) enough() bool {
	has := func(part wire.PartName) bool {
		return slices.ContainsFunc(k, func(key ringKey) bool { return key.part == part })
	}
	return has(wire.PartClaims) && has(wire.PartAudit)
}

// scored reports whether a score rests on a part. Pictures and chip files may be
// sealed to people who keep their keys elsewhere.
func scored(part wire.PartName) bool { return part == wire.PartClaims || part == wire.PartAudit }

// visit opens a record's parts and reads the visit in them. It returns which
// parts stayed shut for want of a key; one that a score rests on is an error.
func (k ring) visit(e wire.Envelope, h wire.Header) (packet.Visit, []wire.PartName, Kind, error) {
	var parts []packet.Part
	var shut []wire.PartName
	for i, described := range h.Parts {
		// A second part of one name would be read over the first.
		if slices.ContainsFunc(h.Parts[:i], func(p wire.PartInfo) bool { return p.Name == described.Name }) {
			return packet.Visit{}, nil, KindDamaged, errors.New("a part is there twice")
		}
		key, ok := k.find(described.Name, described.Recipient)
		if !ok && scored(described.Name) {
			return packet.Visit{}, nil, KindUnknownKey, fmt.Errorf("part %s is sealed to key %s, which is not here", described.Name, described.Recipient)
		}
		if !ok {
			shut = append(shut, described.Name)
			continue
		}
		plain, err := seal.Open(key, e.Parts[i], described, seal.Binding(h.Record, described.Name, h.Training))
		if err != nil {
			return packet.Visit{}, nil, KindDamaged, err
		}
		parts = append(parts, packet.Part{Name: packet.Name(described.Name), Bytes: plain})
	}
	v, err := packet.Read(parts)
	if err != nil {
		// The cause may quote what was read.
		return packet.Visit{}, nil, KindUnreadable, errors.New("the parts opened, but they hold no visit that this version reads")
	}
	return v, shut, KindNone, nil
}
