// Package vault holds the private keys that records are sealed to, in files or on
// a token: standing ones and a set for each month. It says which are in force,
// opens parts with any of them, and destroys those of a month for good.
//
// It reads no visit, asks no centre, and knows nobody.
//
// # The laws
//
//   - A private key is made here, lies in a file that only its owner may read or on
//     a token that gives it to nobody, and is never written over.
//   - A month's keys are made a month ahead, so that there is time to copy them,
//     and the older ones go on opening what they opened.
//   - A key is destroyed only when its month is over, the centre hands out another,
//     and the time is up for which its part is kept. Claims and audit, which a
//     level rests on, outlive the longest time that a counter is without a line.
//   - That a key is to be destroyed is on the disk before it is, so that a crash
//     between leaves no key that is said to be gone: the next start finishes it.
//     What it opened is erased from then on, and that is no defect.
//   - A token that is away says nothing about a record.
package vault

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/counterproof/counterproof/agent/hsm"
	"github.com/counterproof/counterproof/agent/ledger"
	"github.com/counterproof/counterproof/sync/seal"
	"github.com/counterproof/counterproof/sync/wire"
)

// The folders under Config.Dir.
const (
	keyFolder  = "keys"
	bookFolder = "keybook"
)

// Errors about a part that a caller tells apart. Whatever else Open fails in is
// about the part.
var (
	// ErrUnknown: the part is sealed to a key that is not here.
	ErrUnknown = errors.New("the key is not here")
	// ErrErased: the key was destroyed here on purpose.
	ErrErased = errors.New("the key was destroyed")
	// ErrAway: the token that holds the key does not answer now.
	ErrAway = hsm.ErrAway
	// ErrPIN: the token that holds the key refused the PIN. Somebody must look.
	ErrPIN = hsm.ErrPIN
)

// Parts are those of a record that keys are made for.
func Parts() []wire.PartName {
	return []wire.PartName{wire.PartClaims, wire.PartEvidence, wire.PartAudit, wire.PartChip}
}

// Suite finds a suite by the word of the command line.
func Suite(name string) (wire.Suite, error) {
	id, ok := map[string]wire.Suite{"hybrid": seal.Hybrid, "p256": seal.Classical}[name]
	if !ok {
		return wire.Suite{}, fmt.Errorf("no suite %.20q: there are hybrid and p256", name)
	}
	return id, nil
}

// SuiteName is the word for a suite.
func SuiteName(id wire.Suite) string {
	if id == seal.Classical {
		return "p256"
	}
	return "hybrid"
}

// Token says on which token keys are, and made. The zero Token is none.
type Token struct {
	Module  string // path of the token's PKCS#11 library
	Label   string // the token's
	PINFile string // with the PIN; "" takes it from the environment
}

// Config says where the keys are.
type Config struct {
	Dir   string // the opener's folder
	Token Token
}

// key is a private key at hand.
type key struct {
	part  wire.PartName
	month string // of a month's set; "" for a standing or an older key
	older bool   // it only opens
	seal.Key
	path string   // of its file, "" on the token
	held *hsm.Key // nil in a file
}

// Vault is the keys at hand. It is for one goroutine, and one process at a time
// works on its folder.
type Vault struct {
	folder string
	token  *hsm.Token // nil for none
	keys   []key
	book   *book
}

// Open reads all keys and finishes what a crash broke off. The caller closes it. A
// key that is damaged, or that others may read, stops it: going on without it
// would call good records unopenable.
func Open(cfg Config) (*Vault, error) {
	v, err := open(cfg)
	if err != nil {
		return nil, fmt.Errorf("opening the keys: %w", err)
	}
	return v, nil
}

func open(cfg Config) (*Vault, error) {
	v, err := load(cfg)
	if err != nil {
		return nil, err
	}
	if v.book, err = openBook(filepath.Join(cfg.Dir, bookFolder)); err == nil {
		err = v.finish()
	}
	if err == nil && v.token == nil && v.book.onToken(v.has) {
		err = errors.New("the centre hands out keys that are on a token: say which, with --hsm")
	}
	if err != nil {
		return nil, errors.Join(err, v.Close())
	}
	return v, nil
}

// load reads the keys alone.
func load(cfg Config) (v *Vault, err error) {
	v = &Vault{folder: filepath.Join(cfg.Dir, keyFolder)}
	if err := v.readFolder(); err != nil {
		return nil, err
	}
	if cfg.Token.Module == "" {
		return v, nil
	}
	v.token, err = hsm.Open(hsm.Config{Module: cfg.Token.Module, Token: cfg.Token.Label, PIN: hsm.PIN(cfg.Token.PINFile)})
	if err != nil {
		return nil, err
	}
	if err := v.readToken(); err != nil {
		return nil, errors.Join(err, v.Close())
	}
	return v, nil
}

// Close lets token and book go.
func (v *Vault) Close() error {
	var errs []error
	if v.book != nil {
		errs = append(errs, v.book.Close())
	}
	if v.token != nil {
		errs = append(errs, v.token.Close())
	}
	return errors.Join(errs...)
}

// Open opens a part that binding binds to its record (seal.Binding).
func (v *Vault) Open(part wire.Part, described wire.PartInfo, binding []byte) ([]byte, error) {
	if v.Erased(described.Recipient) {
		return nil, fmt.Errorf("opening %s: %w", described.Name, ErrErased)
	}
	i := slices.IndexFunc(v.keys, func(k key) bool { return k.part == described.Name && k.ID() == described.Recipient })
	if i < 0 {
		return nil, fmt.Errorf("opening %s, which is sealed to %s: %w", described.Name, described.Recipient, ErrUnknown)
	}
	return seal.Open(v.keys[i].Key, part, described, binding)
}

// Erased reports whether a key was destroyed here.
func (v *Vault) Erased(id wire.KeyID) bool { return v.book.graves[id] != nil }

// has reports whether a key is at hand.
func (v *Vault) has(id wire.KeyID) bool {
	return slices.ContainsFunc(v.keys, func(k key) bool { return k.ID() == id })
}

// Enough reports whether there is a key for each part that a score needs.
func (v *Vault) Enough() bool {
	has := func(part wire.PartName) bool {
		return slices.ContainsFunc(v.keys, func(k key) bool { return k.part == part && !v.Erased(k.ID()) })
	}
	return has(wire.PartClaims) && has(wire.PartAudit)
}

// InForce are the public halves that parts are to be sealed to at a time, in the
// order of the parts: those of the newest month that has begun, else the standing
// ones. A part without a key is left out.
func (v *Vault) InForce(now time.Time) []wire.Recipient { return inForce(v.keys, MonthOf(now)) }

func inForce(keys []key, month string) []wire.Recipient {
	var out []wire.Recipient
	for _, part := range Parts() {
		var best *key
		for i, k := range keys {
			fits := k.part == part && !k.older && k.month <= month
			if fits && (best == nil || k.month > best.month) {
				best = &keys[i]
			}
		}
		if best != nil {
			out = append(out, best.Recipient(part))
		}
	}
	return out
}

// Monthly reports whether there are sets for months, which are then made ahead.
func (v *Vault) Monthly() bool {
	return slices.ContainsFunc(v.keys, func(k key) bool { return k.month != "" })
}

// Held is a key as it is listed. None of it is secret.
type Held struct {
	Part    wire.PartName
	Month   string // "" for a standing or an older key
	Key     wire.KeyID
	Suite   wire.Suite
	Token   bool // it is on the token
	InForce bool // parts are to be sealed to it now
}

// Keys lists the keys at hand, by month and part.
func (v *Vault) Keys(now time.Time) []Held {
	var out []Held
	force := v.InForce(now)
	for _, k := range v.keys {
		r := k.Recipient(k.part)
		in := slices.ContainsFunc(force, func(f wire.Recipient) bool { return f.Key == r.Key })
		out = append(out, Held{k.part, k.month, r.Key, r.Suite, k.held != nil, in})
	}
	slices.SortStableFunc(out, func(a, b Held) int { return cmp.Or(cmp.Compare(a.Month, b.Month), cmp.Compare(a.Part, b.Part)) })
	return out
}

// monthForm is how a month is written, in UTC.
const monthForm = "2006-01"

// MonthOf is the month of a time, as 2026-08.
func MonthOf(t time.Time) string { return t.UTC().Format(monthForm) }

// parseMonth reads a month and returns when it ends.
func parseMonth(month string) (end time.Time, err error) {
	begin, err := time.Parse(monthForm, month)
	if err != nil {
		return end, fmt.Errorf("%.20q is no month: write it as 2026-08", month)
	}
	return begin.AddDate(0, 1, 0), nil
}

// Standing makes one standing key for each part where there is none, and returns
// the public halves in force. A key that is there stays as it is. It needs no
// other part of the folder, so that it may run beside an opener. An empty suite is
// seal.Hybrid in files and seal.Classical on a token.
func Standing(cfg Config, suite wire.Suite, now time.Time) (keys []wire.Recipient, err error) {
	v, err := load(cfg)
	if err != nil {
		return nil, fmt.Errorf("making keys: %w", err)
	}
	defer func() { err = errors.Join(err, v.Close()) }()
	if err := v.make("", suite); err != nil {
		return nil, err
	}
	return v.InForce(now), nil
}

// Make makes the set of a month where a key of it is missing, and reports whether
// one was. The suite is as Standing says, unless there is an older set: then it is
// that set's.
func (v *Vault) Make(month string, suite wire.Suite) (made bool, err error) {
	if _, err := parseMonth(month); err != nil {
		return false, fmt.Errorf("making keys: %w", err)
	}
	if suite == (wire.Suite{}) && v.Monthly() {
		for _, k := range v.keys {
			if k.month != "" {
				suite = k.Recipient("").Suite
			}
		}
	}
	before := len(v.keys)
	err = v.make(month, suite)
	return len(v.keys) > before, err
}

// make makes the keys of a month, or the standing ones for "".
func (v *Vault) make(month string, suite wire.Suite) error {
	for _, part := range Parts() {
		there := func(k key) bool { return k.part == part && k.month == month && !k.older }
		if slices.ContainsFunc(v.keys, there) {
			continue
		}
		var err error
		if v.token != nil {
			err = v.makeHeld(part, month, suite)
		} else {
			err = v.makeFile(part, month, cmp.Or(suite, seal.Hybrid))
		}
		if err != nil {
			return fmt.Errorf("making the key for %s: %w", part, err)
		}
	}
	return nil
}

// Ahead makes the sets of this month and the next, and reports whether one was
// missing. Without any set yet it makes none.
func (v *Vault) Ahead(now time.Time) (made bool, err error) {
	if !v.Monthly() {
		return false, nil
	}
	end, err := parseMonth(MonthOf(now))
	if err != nil {
		return false, err
	}
	for _, month := range []string{MonthOf(now), MonthOf(end)} {
		fresh, err := v.Make(month, wire.Suite{})
		if made = made || fresh; err != nil {
			return made, err
		}
	}
	return made, nil
}

// makeHeld makes a key on the token.
func (v *Vault) makeHeld(part wire.PartName, month string, suite wire.Suite) error {
	if suite != (wire.Suite{}) && suite != seal.Classical {
		return errors.New("a token holds keys of the suite p256 alone")
	}
	held, err := v.token.Generate(strings.TrimSpace(string(part) + " " + month))
	if err != nil {
		return err
	}
	return v.takeHeld(held)
}

// readToken takes the keys of the token.
func (v *Vault) readToken() error {
	held, err := v.token.Keys()
	if err != nil {
		return err
	}
	for _, h := range held {
		if err := v.takeHeld(h); err != nil {
			return err
		}
	}
	return nil
}

// takeHeld takes one key of the token. Its label says what it is for.
func (v *Vault) takeHeld(h *hsm.Key) error {
	opens, err := seal.KeyOf(h)
	if err != nil {
		return err
	}
	part, month, _ := strings.Cut(strings.TrimPrefix(h.Label, hsm.Prefix), " ")
	_, err = parseMonth(month)
	v.keys = append(v.keys, key{part: wire.PartName(part), month: month, older: month != "" && err != nil, Key: opens, held: h})
	return nil
}

// makeFile makes a key in a file, unless another process made it meanwhile: then
// that one stays.
func (v *Vault) makeFile(part wire.PartName, month string, suite wire.Suite) error {
	if err := os.MkdirAll(v.folder, 0o700); err != nil {
		return err
	}
	made, _, err := seal.GenerateKey(suite)
	if err != nil {
		return err
	}
	text, err := made.Marshal()
	if err != nil {
		return err
	}
	defer clear(text)
	name := string(part) + keyExt
	if month != "" {
		name = string(part) + "." + month + keyExt
	}
	if err := newFile(filepath.Join(v.folder, name), text); err != nil && !errors.Is(err, os.ErrExist) {
		return err
	}
	return v.readFile(name)
}

// readFolder takes the keys of all key files; no folder is no key.
func (v *Vault) readFolder() error {
	entries, err := os.ReadDir(v.folder)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), keyExt) || strings.HasPrefix(e.Name(), ".") {
			continue
		}
		if err := v.readFile(e.Name()); err != nil {
			return err
		}
	}
	return nil
}

// keyExt ends the name of a key file. PART.key is a standing key, PART.MONTH.key
// one of a month's set; PART-ANYTHING.key only opens.
const keyExt = ".key"

// maxKeyFile bounds a key file, in bytes.
const maxKeyFile = 4 << 10

// readFile takes one key file, which only its owner may read.
func (v *Vault) readFile(name string) error {
	path := filepath.Join(v.folder, name)
	text, err := ledger.ReadSecret(path, maxKeyFile)
	if err != nil {
		return err
	}
	defer clear(text)
	opens, err := seal.ParseKey(text)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	part, _, older := strings.Cut(strings.TrimSuffix(name, keyExt), "-")
	k := key{part: wire.PartName(part), older: older, Key: opens, path: path}
	if before, month, ok := strings.Cut(strings.TrimSuffix(name, keyExt), "."); ok {
		if _, err := parseMonth(month); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		k.part, k.month, k.older = wire.PartName(before), month, false
	}
	v.keys = append(v.keys, k)
	return nil
}
