package route

import (
	"time"

	"github.com/counterproof/counterproof/agent/proof"
)

// Today is the civil date in Europe/London of a moment.
func Today(t time.Time) proof.Date {
	t = Local(t)
	return proof.Date{Year: t.Year(), Month: int(t.Month()), Day: t.Day()}
}

// Local is a moment by the clock on the wall, in Europe/London.
func Local(t time.Time) time.Time { return t.In(london(t)) }

// london is Greenwich or British Summer Time: from 01:00 UTC on the last Sunday
// of March to 01:00 UTC on the last Sunday of October (Summer Time Act 1972 as
// amended). Computed, so that a fold needs no zone files.
func london(t time.Time) *time.Location {
	u := t.UTC()
	begin, end := lastSunday(u.Year(), time.March), lastSunday(u.Year(), time.October)
	if !u.Before(begin) && u.Before(end) {
		return time.FixedZone("BST", 3600)
	}
	return time.UTC
}

// lastSunday is 01:00 UTC on the last Sunday of a month.
func lastSunday(year int, month time.Month) time.Time {
	last := time.Date(year, month+1, 0, 1, 0, 0, 0, time.UTC)
	return last.AddDate(0, 0, -int(last.Weekday()))
}
