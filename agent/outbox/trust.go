package outbox

import (
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/counterproof/counterproof/sync/wire"
)

// trustFile says which file of the centre's bundle was taken last, by its hash.
const trustFile = "trust.taken"

// trust hands whom to trust about chips from the centre to whoever keeps it.
type trust struct {
	dir string

	mu  sync.Mutex
	put func(raw []byte) error // nil for nobody
}

// TakeTrust lets put have the newest list of whom to trust about chips, once it
// is here. An error of put, as for a list that is older than the one it has,
// refuses it until the next start. It is called before Run.
func (o *Outbox) TakeTrust(put func(raw []byte) error) {
	o.trust.mu.Lock()
	defer o.trust.mu.Unlock()
	o.trust.put = put
}

// Has reports whether a file need not be fetched: nobody wants it, or it was
// taken before.
func (t *trust) Has(f wire.File) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if f.Name != wire.FileChips || t.put == nil {
		return true
	}
	b, err := os.ReadFile(filepath.Join(t.dir, trustFile))
	return err == nil && strings.TrimSpace(string(b)) == f.SHA256.String()
}

// Take hands the list on, and notes that it need not be fetched again.
func (t *trust) Take(f wire.File, data []byte) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if err := t.put(data); err != nil {
		return err
	}
	return writeDown(filepath.Join(t.dir, trustFile), f.SHA256.String())
}
