package office_test

import (
	"database/sql"
	"errors"
	"io"
	"path/filepath"
	"testing"

	"github.com/counterproof/counterproof/sync/central"
	"github.com/counterproof/counterproof/sync/central/office"
	"github.com/counterproof/counterproof/sync/object"
	"github.com/counterproof/counterproof/sync/object/place"
	"github.com/counterproof/counterproof/sync/store"
	"github.com/counterproof/counterproof/sync/wire"
)

// TestBlobs: the commands work with blobs in a directory, and say what is wrong
// with a place that they cannot open or that is another one.
func TestBlobs(t *testing.T) {
	t.Parallel()
	c := started(t)
	blobs := filepath.Join(t.TempDir(), "blobs")
	status := func(setting string) error {
		cmd := office.Command()
		cmd.SetOut(io.Discard)
		cmd.SetErr(io.Discard)
		cmd.SetArgs([]string{"status", "--data", c.dir, "--blobs", setting})
		return cmd.ExecuteContext(t.Context())
	}
	for setting, want := range map[string]error{
		place.Database: nil, blobs: nil, "blobs": place.ErrScheme,
	} {
		if err := status(setting); !errors.Is(err, want) {
			t.Errorf("%q: got error %v, want %v", setting, err, want)
		}
	}
	// A blob that is neither in the file nor anywhere else.
	data := []byte("sealed")
	if _, err := c.PutBlob(t.Context(), store.Piece{Agent: "a", SHA256: wire.HashOf(data), Data: data, Last: true}); err != nil {
		t.Fatal(err)
	}
	if err := status(blobs); err != nil {
		t.Errorf("with a blob from before: %v", err)
	}
	db, err := sql.Open("sqlite3", filepath.Join(c.dir, central.DatabaseFile))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec(`DELETE FROM chunk`); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	for _, setting := range []string{place.Database, blobs} {
		if err := status(setting); !errors.Is(err, object.ErrOther) {
			t.Errorf("%q: got error %v, want %v", setting, err, object.ErrOther)
		}
	}
}
