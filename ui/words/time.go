package words

import (
	"fmt"
	"strconv"
	"time"

	"github.com/counterproof/counterproof/agent/proof"
)

// Age says how long something has been so, in the largest unit that fits: "2 h".
func (w Words) Age(d time.Duration) string {
	switch {
	case d < time.Minute:
		return w.Say("age.now")
	case d < time.Hour:
		return w.Count("minutes", int(d/time.Minute))
	case d < 48*time.Hour:
		return w.Count("hours", int(d/time.Hour))
	}
	return w.Count("days", int(d/(24*time.Hour)))
}

// Clock says a moment as hours and minutes in its own zone, "14:05".
func (w Words) Clock(t time.Time) string { return t.Format("15:04") }

// Moment says a day and a time, "31/03/2026 14:05", the order that both
// languages use.
func (w Words) Moment(t time.Time) string { return t.Format("02/01/2006 15:04") }

// Day says a civil date as it is printed here, "31/03/2026", with ?? for a part
// that is not known and a word where nothing is.
func (w Words) Day(d proof.Date) string {
	switch d.Precision() {
	case "none":
		return w.Say("word.unknown")
	case "year":
		return fmt.Sprintf("??/??/%04d", d.Year)
	case "month":
		return fmt.Sprintf("??/%02d/%04d", d.Month, d.Year)
	}
	return fmt.Sprintf("%02d/%02d/%04d", d.Day, d.Month, d.Year)
}

// Size says a number of bytes: "512 kB".
func (w Words) Size(bytes int64) string {
	if bytes < 1<<20 {
		return strconv.FormatInt((bytes+1023)>>10, 10) + " kB"
	}
	return fmt.Sprintf("%.1f MB", float64(bytes)/(1<<20))
}
