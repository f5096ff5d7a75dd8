package watchparty

import (
	"time"
)

// Ban keeps a person out of a room.
type Ban struct {
	ID        string
	User      Person
	By        Person // zero if the account is deleted
	Reason    string
	Until     time.Time // zero for a ban without an end
	CreatedAt time.Time
}

// Mute keeps a person from posting in a room.
type Mute struct {
	ID        string
	User      Person
	By        Person // zero if the account is deleted
	Reason    string
	Until     time.Time
	CreatedAt time.Time
}

// Sanction is a ban or a mute in an export.
type Sanction struct {
	ID        string
	RoomID    string
	UserID    string
	Reason    string
	Until     time.Time // zero for a ban without an end
	CreatedAt time.Time
}

// Limits of bans and mutes.
const (
	MaxReason       = 300 // characters
	MaxBanYears     = 10
	MaxMuteDuration = 30 * 24 * time.Hour
)

// NewBan is a ban to be imposed.
type NewBan struct {
	Until  *time.Time // nil for a ban without an end
	Reason string
}

// Normalise brings the reason into the form in which it is checked and stored, and rounds the time to the precision of
// Postgres.
func (b *NewBan) Normalise() {
	b.Reason = normalLine(b.Reason)
	if b.Until != nil {
		until := storable(*b.Until)
		b.Until = &until
	}
}

// Validate reports every field that is wrong at the time now.
func (b NewBan) Validate(now time.Time) error {
	var v fields
	if b.Until != nil {
		v.ends("until", *b.Until, now, now.AddDate(MaxBanYears, 0, 0), "10 years")
	}
	v.reason(b.Reason)
	return v.err()
}

// NewMute is a mute to be imposed.
type NewMute struct {
	Until  time.Time
	Reason string
}

// Normalise brings the reason into the form in which it is checked and stored, and rounds the time to the precision of
// Postgres.
func (m *NewMute) Normalise() {
	m.Reason = normalLine(m.Reason)
	m.Until = storable(m.Until)
}

// Validate reports every field that is wrong at the time now.
func (m NewMute) Validate(now time.Time) error {
	var v fields
	v.ends("until", m.Until, now, now.Add(MaxMuteDuration), "30 days")
	v.reason(m.Reason)
	return v.err()
}

// ends checks that a time is after now and not after latest, which is that span later.
func (v *fields) ends(field string, until, now, latest time.Time, span string) {
	v.check(until.After(now), field, "past", "must be in the future")
	v.check(!until.After(latest), field, "too_late", "must be at most "+span+" ahead")
}

func (v *fields) reason(reason string) {
	v.line("reason", reason, 0, MaxReason)
}

func storable(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }
