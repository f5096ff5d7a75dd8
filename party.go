package watchparty

import (
	"path"
	"slices"
	"strings"
	"time"
)

// PartyState is where a party stands.
type PartyState string

const (
	PartyScheduled PartyState = "scheduled"
	PartyStarted   PartyState = "started"
	PartyCancelled PartyState = "cancelled"
	PartyMissed    PartyState = "missed" // there was nothing to play within PartyLate, or no process ran
)

// PartyAnswer says whether a person comes to a party.
type PartyAnswer string

const (
	AnswerYes   PartyAnswer = "yes"
	AnswerMaybe PartyAnswer = "maybe"
	AnswerNo    PartyAnswer = "no"
)

// PartyAnswers lists all answers.
func PartyAnswers() []PartyAnswer { return []PartyAnswer{AnswerYes, AnswerMaybe, AnswerNo} }

// Party is a time at which a room watches together.
type Party struct {
	ID        string
	RoomID    string
	RoomName  string
	Title     string    // empty without one
	Movie     RoomMovie // zero to play what the room has loaded at the start, or else the first item of its queue
	StartsAt  time.Time
	TimeZone  string // the name of an IANA zone, in which the time is shown to all
	State     PartyState
	Scheduler Person // zero if the account is deleted
	Yes       int    // people who answered so
	Maybe     int
	No        int
	Answer    PartyAnswer // the viewer's; empty without one
	Version   int         // number of changes
	CreatedAt time.Time
	UpdatedAt time.Time
}

// NextParty is what a room shows of its next party; the zero value is none.
type NextParty struct {
	ID       string
	Title    string
	StartsAt time.Time
}

// PartyGuest is a person who has answered, whatever the answer.
type PartyGuest struct {
	User       Person
	Answer     PartyAnswer
	AnsweredAt time.Time
}

// PartyNotice is the kind of news in an email about a party to its guests.
type PartyNotice string

const (
	NoticeDay       PartyNotice = "day"  // it starts in a day
	NoticeHour      PartyNotice = "hour" // it starts in an hour
	NoticeMoved     PartyNotice = "moved"
	NoticeCancelled PartyNotice = "cancelled"
)

// Email returns the kind of the email with this news.
func (n PartyNotice) Email() EmailKind {
	switch n {
	case NoticeMoved:
		return EmailPartyChanged
	case NoticeCancelled:
		return EmailPartyCancelled
	default:
		return EmailPartyReminder
	}
}

// PartyEmails lists the kinds of emails about parties.
func PartyEmails() []EmailKind {
	return []EmailKind{EmailPartyReminder, EmailPartyChanged, EmailPartyCancelled}
}

// Reminders of parties, before their start.
const (
	PartyDayBefore  = 24 * time.Hour
	PartyHourBefore = time.Hour
)

// Limits of parties.
const (
	MaxPartyTitle = 100
	MaxParties    = 20          // scheduled in one room
	MaxAnswers    = MaxCapacity // to one party
	MaxPartyMoves = 50          // of one party: each is told to all guests, and is an event of the party's workflow
	// MinPartyNotice is the least time from scheduling a party to its start: guests can answer, and the room loads the
	// movie. MaxPartyNotice is the longest: a leap year.
	MinPartyNotice = 10 * time.Minute
	MaxPartyNotice = 366 * 24 * time.Hour
	// PartyGap is the least time between two starts in a room. Each start takes the room's playback, so that two that are
	// closer are most likely the same party, scheduled by two people.
	PartyGap = 30 * time.Minute
	// PartyArming is the time before the start at which a room loads the movie of its party.
	PartyArming = 5 * time.Minute
	// PartyLate is the time after its planned start at which a party that has not started is marked as missed.
	PartyLate = 15 * time.Minute
)

// Errors of parties.
var (
	ErrTooManyParties = &Error{Kind: KindConflict, Code: "too_many_parties",
		Message: "The room has too many scheduled parties.", Details: map[string]int{"most": MaxParties}}
	ErrTooManyAnswers = &Error{Kind: KindConflict, Code: "too_many_answers",
		Message: "Too many people have answered.", Details: map[string]int{"most": MaxAnswers}}
	ErrTooManyMoves = &Error{Kind: KindConflict, Code: "too_many_moves",
		Message: "The party was moved too often.", Details: map[string]int{"most": MaxPartyMoves}}
	ErrPartyClose = &Error{Kind: KindConflict, Code: "party_too_close",
		Message: "The room has another party at about this time.",
		Details: map[string]int{"minutes": int(PartyGap / time.Minute)}}
	ErrPartyEnded = &Error{Kind: KindConflict, Code: "party_ended",
		Message: "The party has started, or was cancelled."}
	ErrPartyTime = &Error{Kind: KindInvalid, Code: "party_time",
		Message: "A party starts in 10 minutes at the earliest, and in 366 days at the latest.",
		Fields: []FieldError{{Field: "starts_at", Code: "range",
			Message: "must be from 10 minutes to 366 days ahead"}}}
)

// NewParty is a party to be scheduled.
type NewParty struct {
	Title    string
	MovieID  string
	StartsAt time.Time
	TimeZone string
}

// Normalise brings the title into the form in which it is checked and stored, and cuts the time to the millisecond,
// which is what clients can name.
func (p *NewParty) Normalise() {
	p.Title = normalLine(p.Title)
	p.StartsAt = partyTime(p.StartsAt)
}

// Validate reports every field that is wrong. The store checks how far ahead the start is, by the database's clock.
func (p NewParty) Validate() error {
	var v fields
	v.partyTitle(p.Title)
	v.timeZone(p.TimeZone)
	v.check(!p.StartsAt.IsZero(), "starts_at", "required", "is missing")
	return v.err()
}

// PartyChange is a change of a party. A nil field stays as it is.
type PartyChange struct {
	Title    *string
	MovieID  *string // empty for none
	StartsAt *time.Time
	TimeZone *string
}

// Normalise does what NewParty.Normalise does.
func (c *PartyChange) Normalise() {
	c.Title = normalised(c.Title, normalLine)
	c.StartsAt = normalised(c.StartsAt, partyTime)
}

// Validate reports every field that is wrong.
func (c PartyChange) Validate() error {
	var v fields
	if c.Title != nil {
		v.partyTitle(*c.Title)
	}
	if c.TimeZone != nil {
		v.timeZone(*c.TimeZone)
	}
	return v.err()
}

func partyTime(t time.Time) time.Time { return t.UTC().Truncate(time.Millisecond) }

func (v *fields) partyTitle(title string) { v.line("title", title, 0, MaxPartyTitle) }

func (v *fields) timeZone(name string) {
	v.check(knownZone(name), "time_zone", "unknown", "must be the name of an IANA time zone, such as Europe/Berlin")
}

// knownZone reports whether a name is that of an IANA time zone. time.LoadLocation also accepts names whose meaning
// depends on the machine, such as Local, and folders that browsers do not know: zones in right/ even count leap
// seconds. It reads a name as a path, which has more than one spelling.
func knownZone(name string) bool {
	if path.Clean(name) != name {
		return false
	}
	first, _, _ := strings.Cut(strings.ToLower(name), "/")
	if slices.Contains([]string{"", "local", "localtime", "posixrules", "factory", "posix", "right"}, first) {
		return false
	}
	_, err := time.LoadLocation(name)
	return err == nil
}

// Zone is the party's time zone; UTC if this program does not know it.
func (p Party) Zone() *time.Location {
	if zone, err := time.LoadLocation(p.TimeZone); err == nil {
		return zone
	}
	return time.UTC
}
