package custody

import (
	"errors"
	"os"
	"path/filepath"
	"time"
)

// lostLayout is how the time stands in the name of a file that was put aside.
const lostLayout = "20060102T150405.000000000Z"

// aside moves files of the folder out of the way, under names that say when. One
// that is not there is passed over.
func (k *Keeper) aside(names ...string) error {
	stamp := ".lost-" + time.Now().UTC().Format(lostLayout)
	for _, name := range names {
		path := filepath.Join(k.dir, name)
		if err := os.Rename(path, path+stamp); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	return syncFolder(k.dir)
}

// startOver makes new keys before an enrolment, where those that are there are
// lost: nobody knows them yet.
func (k *Keeper) startOver() error {
	if err := k.ableToDraw(); err != nil {
		return err
	}
	if err := k.aside(nextFile, currentFile, counterFile, wrapFile); err != nil {
		return err
	}
	return k.loadKeys(Identity{}, false)
}

// ableToDraw tries whether new keys can be made at all, before old ones go.
func (k *Keeper) ableToDraw() error {
	text, err := k.drawKey()
	clear(text)
	return err
}

// recover ends a trouble once a new enrolment has given the counter another key:
// a wrapping key that cannot be used is put aside and a new one made. What only
// the old one opened stays shut.
func (k *Keeper) recover() error {
	if k.wrap == nil {
		if err := k.aside(wrapFile); err != nil {
			return err
		}
		if err := k.loadWrap(loadOrMake); err != nil {
			return err
		}
	}
	k.trouble = nil
	return nil
}

// readNext reads the next key, or makes it. One that cannot be used is put aside:
// no identity names it.
func (k *Keeper) readNext() (key, error) {
	path := filepath.Join(k.dir, nextFile)
	for range 2 {
		text, err := loadOrMake(path, k.drawKey)
		if err != nil {
			return key{}, err
		}
		next, err := k.readKey(text)
		if !errors.Is(err, ErrLost) && !errors.Is(err, ErrAway) && (err != nil || next.grade.atLeast(k.demand)) {
			return next, err
		}
		if err := k.aside(nextFile); err != nil {
			return key{}, err
		}
	}
	return key{}, ErrAway
}
