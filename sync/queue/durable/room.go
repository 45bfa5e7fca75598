package durable

import (
	"os"
)

// Room says what is left on the queue's filesystem, in words for a person.
type Room string

// The rooms, and from how many bytes on each begins. A visit takes 1 to 5 MB, and
// twice that while it is stored.
const (
	RoomGood  Room = ""      // 2 GiB and more: weeks
	RoomLow   Room = "low"   // below: days; tell the supervisor
	RoomShort Room = "short" // below 256 MiB: a few visits; tell everybody
	RoomNone  Room = "none"  // below 32 MiB: no new visit begins, an open one is finished
)

// RoomAt asks the filesystem of a file; -1 where it does not tell.
func RoomAt(path string) (int64, Room) {
	free, err := Space(path)
	if err != nil {
		return -1, RoomGood // what cannot be asked is no reason to stop
	}
	return free, RoomOf(free)
}

// RoomOf is what a number of free bytes means.
func RoomOf(free int64) Room {
	switch {
	case free < 32<<20:
		return RoomNone
	case free < 256<<20:
		return RoomShort
	case free < 2<<30:
		return RoomLow
	}
	return RoomGood
}

// reserved is held back on the disk, so that a visit that began can be stored on
// one that others have filled.
const (
	reserved      = 32 << 20
	reserveSuffix = ".reserve"
)

// HoldBack makes the reserve beside a file, where there is room enough to. Without
// one all works as well, until the disk is full.
func HoldBack(path string) {
	if free, _ := RoomAt(path); free > 8*reserved {
		_ = Allocate(path+reserveSuffix, reserved)
	}
}

// GiveBack gives the reserve up; false where there is none.
func GiveBack(path string) bool { return os.Remove(path+reserveSuffix) == nil }

// suspectSuffix names the mark that the next Open has to look at everything.
const suspectSuffix = ".suspect"

// Suspect leaves the mark. On a disk where that fails, Open finds the damage when
// it comes across it.
func Suspect(path string) { _ = os.WriteFile(path+suspectSuffix, nil, 0o600) }

// Suspected reports whether the mark is there.
func Suspected(path string) bool {
	_, err := os.Stat(path + suspectSuffix)
	return err == nil
}

// ClearSuspicion takes the mark away once everything was looked at.
func ClearSuspicion(path string, failed error) error {
	if failed != nil || !Suspected(path) {
		return nil
	}
	return os.Remove(path + suspectSuffix)
}
