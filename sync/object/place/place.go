// Package place opens the object store that a setting names: the database's own
// tables or a directory.
//
// It takes no secret: everybody on the machine can see a setting.
package place

import (
	"errors"
	"path/filepath"
	"strings"

	"github.com/counterproof/counterproof/sync/object"
	"github.com/counterproof/counterproof/sync/object/dir"
)

// Database is the setting, beside the empty one, that leaves blobs in the tables.
const Database = "database"

var (
	// ErrScheme: the setting names a kind of place that this build does not have.
	ErrScheme = errors.New("blobs lie in the database, in a directory with its whole path, nowhere else")
	// ErrS3: a bucket is asked for.
	ErrS3 = errors.New("this build has no S3")
)

// Open opens the place that a setting names; nil for the database.
func Open(setting string) (object.Store, error) {
	switch {
	case setting == "" || setting == Database:
		return nil, nil
	case strings.HasPrefix(setting, "s3://"):
		return nil, ErrS3
	case !filepath.IsAbs(setting):
		// Another working folder would be another place.
		return nil, ErrScheme
	}
	s, err := dir.Open(setting)
	if err != nil {
		return nil, err // a typed nil would be a store
	}
	return s, nil
}
