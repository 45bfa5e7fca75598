package crashlab

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"

	_ "github.com/mattn/go-sqlite3"

	"github.com/counterproof/counterproof/packaging/crashlab/trade"
)

// syncModes are how a database may sync; only the last keeps what it answered.
var syncModes = []string{"OFF", "NORMAL", "FULL"}

// plain is a trade of a bare table in a write-ahead log that syncs in a mode.
func plain(mode string) trade.Trade {
	return trade.Trade{
		Name:    "plain-" + mode,
		Prepare: func(context.Context, string) error { return nil },
		Work: func(ctx context.Context, dir string, say trade.Say) error {
			db, err := sql.Open("sqlite3", "file:"+filepath.Join(dir, "plain.db")+"?_journal_mode=WAL&_synchronous="+mode)
			if err != nil {
				return err
			}
			db.SetMaxOpenConns(1)
			_, err = db.ExecContext(ctx, `PRAGMA wal_autocheckpoint=30; CREATE TABLE t(n INTEGER PRIMARY KEY, b BLOB)`)
			for n := 1; n <= 60 && err == nil; n++ {
				if _, err = db.ExecContext(ctx, `INSERT INTO t VALUES(?, zeroblob(3000))`, n); err == nil {
					say("inserted", n)
				}
			}
			return err // the file is left as it is
		},
		Check: func(ctx context.Context, dir string, said trade.Said) error {
			db, err := sql.Open("sqlite3", "file:"+filepath.Join(dir, "plain.db"))
			if err != nil {
				return err
			}
			defer db.Close()
			var n int
			if err := db.QueryRowContext(ctx, `SELECT count(*) FROM t`).Scan(&n); err != nil && len(said) > 0 {
				return errors.Join(errors.New("it does not read"), err)
			}
			if n < len(said) {
				return fmt.Errorf("%d rows are there, %d were answered", n, len(said))
			}
			return nil
		},
	}
}
