package mrz

import "github.com/counterproof/counterproof/agent/proof"

// expiryReach is how far from the reference date an expiry may lie, in years.
const expiryReach = 50

// moment reads six characters YYMMDD as a date without a century: the year is 0
// to 99. Parts that the document leaves unknown are fillers (ICAO 9303-3 §4.8)
// and become 0; a part that is no number or no month or day at all becomes -1,
// so that the date is never Valid and never taken for a missing one.
func moment(raw string) (year int, d proof.Date) {
	year, d.Month, d.Day = part(raw[0:2]), part(raw[2:4]), part(raw[4:6])
	d.Month, d.Day = refuseZero(raw[2:4], d.Month), refuseZero(raw[4:6], d.Day)
	if raw[0:2] == "<<" && d != (proof.Date{}) {
		year = -1 // a month of no year says nothing
	}
	return year, d
}

// part reads two digits; 0 for fillers, -1 for anything else.
func part(two string) int {
	if two == "<<" {
		return 0
	}
	if !Numeral.Allows(two[0]) || !Numeral.Allows(two[1]) {
		return -1
	}
	return int(two[0]-'0')*10 + int(two[1]-'0')
}

// refuseZero turns a printed 00, which is no month and no day, into -1.
func refuseZero(two string, n int) int {
	if two == "00" {
		return -1
	}
	return n
}

// past reads a date that cannot be after the reference date: the latest year
// that is not. valid is true for a date of the calendar and for one that the
// document leaves unknown altogether.
func past(raw string, ref proof.Date) (d proof.Date, valid bool) {
	return resolve(raw, ref, func(yy int, d proof.Date) int {
		d.Year = ref.Year - mod(ref.Year-yy, 100)
		if ref.Before(d) {
			d.Year -= 100
		}
		return d.Year
	})
}

// nearest reads a date on either side of the reference date: the nearest year,
// at most 50 away. Of two equally near the past is taken, since a document that
// may have expired has.
func nearest(raw string, ref proof.Date) (d proof.Date, valid bool) {
	return resolve(raw, ref, func(yy int, d proof.Date) int {
		before := mod(ref.Year-yy, 100)
		if before < expiryReach {
			return ref.Year - before
		}
		if before > expiryReach {
			return ref.Year - before + 100
		}
		d.Year = ref.Year - expiryReach
		later := d
		later.Year += 100
		if later.Compare(ref) < ref.Compare(d) {
			return later.Year
		}
		return d.Year
	})
}

// resolve reads a date and asks century for its year. Without a reference date
// the year is not told, but it is still judged whether there is such a date.
func resolve(raw string, ref proof.Date, century func(yy int, d proof.Date) int) (proof.Date, bool) {
	if raw == "<<<<<<" {
		return proof.Date{}, true
	}
	yy, d := moment(raw)
	if yy < 0 {
		d.Year = -1
		return d, false
	}
	if ref.Year == 0 {
		d.Year = 2000 + yy
		if !d.Valid() {
			return d, false
		}
		return proof.Date{}, true
	}
	if d.Year = century(yy, d); d.Year < 1 {
		d.Year = -1
	}
	return d, d.Valid()
}

// mod is the remainder that is never negative.
func mod(a, n int) int { return (a%n + n) % n }
