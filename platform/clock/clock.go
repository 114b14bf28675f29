// Package clock is the calendar of the people served here. A moment becomes a
// day in one place only: between 18:00 and 24:00 UTC it is the next day in
// Bishkek, and two channels that count it each in their own way would name two
// days for one certificate.
package clock

import "time"

// Bishkek is the time zone of every day that a person is told: UTC+6, without
// daylight saving time since 2005. It is fixed, so that no server's zone files
// decide.
var Bishkek = time.FixedZone("Asia/Bishkek", 6*60*60)

// layout is how a day is written for people here.
const layout = "02.01.2006"

// Day is the day of a moment in Bishkek as people read it: 29.11.2026.
func Day(t time.Time) string { return t.In(Bishkek).Format(layout) }

// Moment is a moment by Bishkek's clock as people read it: 29.11.2026 00:30.
func Moment(t time.Time) string { return t.In(Bishkek).Format(layout + " 15:04") }

// NotBefore is the first whole minute that is not before a moment, as Moment writes it:
// whoever is told to wait until then has waited long enough.
func NotBefore(t time.Time) string {
	if whole := t.Truncate(time.Minute); whole.Before(t) {
		t = whole.Add(time.Minute)
	}
	return Moment(t)
}

// ISODay is the day of a moment in Bishkek for programs: 2026-11-29.
func ISODay(t time.Time) string { return t.In(Bishkek).Format(time.DateOnly) }

// Second is a moment by Bishkek's clock to the second, for operators who compare it with
// a register's: 2026-11-29 00:30:05.
func Second(t time.Time) string { return t.In(Bishkek).Format(time.DateTime) }

// ShortDay is the day of a moment as people read it where there is little room: 29.11,
// and 29.11.26 where now is in another year.
func ShortDay(t, now time.Time) string {
	if t, now = t.In(Bishkek), now.In(Bishkek); t.Year() != now.Year() {
		return t.Format("02.01.06")
	}
	return t.Format("02.01")
}

// Midnight is the moment at which the day of a moment began in Bishkek.
func Midnight(t time.Time) time.Time {
	year, month, day := t.In(Bishkek).Date()
	return time.Date(year, month, day, 0, 0, 0, 0, Bishkek)
}

// Date is the day of a moment in Bishkek as a date without a clock: midnight
// UTC, which is how dates are passed on (born, issued_on).
func Date(t time.Time) time.Time {
	year, month, day := t.In(Bishkek).Date()
	return time.Date(year, month, day, 0, 0, 0, 0, time.UTC)
}

// ShowDate is a date without a clock as people read it.
func ShowDate(date time.Time) string { return date.Format(layout) }

// Noon is the middle of a date without a clock in Bishkek: a moment of that day
// whichever way it is rounded.
func Noon(date time.Time) time.Time {
	return time.Date(date.Year(), date.Month(), date.Day(), 12, 0, 0, 0, Bishkek)
}

// LastDay is the last day before the moment something ends: what ends at
// midnight ends on the day before it.
func LastDay(end time.Time) time.Time { return Date(end.Add(-time.Nanosecond)) }
