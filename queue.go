package watchparty

import (
	"fmt"
	"path"
	"slices"
	"strings"
	"time"
)

// QueueItem is an item of a room's queue: a movie of the catalogue, or an https address.
type QueueItem struct {
	ID      string
	RoomID  string
	MovieID string // empty for an address
	// MovieVersion is the version of the movie that Title, StreamURL, Subtitles, RuntimeMS and DurationMS were read from;
	// 0 for an address.
	MovieVersion int
	Title        string
	StreamURL    string
	Subtitles    []Subtitle
	RuntimeMS    int64  // of a movie, to the minute
	DurationMS   int64  // 0 when nobody has measured it
	AddedBy      Person // zero when the account is deleted
	Votes        int
	Voted        bool // by the user who reads the list
	PlayedAt     time.Time
	CreatedAt    time.Time
}

// Subtitle is the address of a WebVTT file in one language.
type Subtitle struct {
	Language string // a BCP 47 tag
	URL      string
}

// QueueOrder says in which order a queue is played.
type QueueOrder string

const (
	OrderManual QueueOrder = "manual" // as people have put the items
	OrderVotes  QueueOrder = "votes"  // most votes first; of equals, the one that was added first
)

// QueueOrders lists all orders.
func QueueOrders() []QueueOrder { return []QueueOrder{OrderManual, OrderVotes} }

// WaitPolicy says for which people a room's playback waits; see package playback.
type WaitPolicy string

const (
	WaitPolicyAuto     WaitPolicy = "auto" // for everyone among a few people, for nobody among more
	WaitPolicyEveryone WaitPolicy = "everyone"
	WaitPolicyHost     WaitPolicy = "host"
	WaitPolicyNobody   WaitPolicy = "nobody"
)

// WaitPolicies lists all policies.
func WaitPolicies() []WaitPolicy {
	return []WaitPolicy{WaitPolicyAuto, WaitPolicyEveryone, WaitPolicyHost, WaitPolicyNobody}
}

// Limits of queues.
const (
	MaxQueue         = 200 // items in one
	MaxQueuePerUser  = 20  // of one person
	MaxSubtitles     = 30  // of one movie
	MaxItemTitle     = 200
	maxLanguageBytes = 35 // as RFC 5646 recommends
)

// Errors of queues.
var (
	ErrQueueFull       = &Error{Kind: KindConflict, Code: "queue_full", Message: "The queue is full."}
	ErrTooManyOwnItems = &Error{Kind: KindConflict, Code: "queue_full_of_yours",
		Message: "You have reached the limit of items per person. Remove one, or wait until one has been played."}
	ErrNoStream = &Error{Kind: KindConflict, Code: "movie_without_stream",
		Message: "The movie has no stream address, so it cannot be played."}
	ErrUnknownItem = &Error{Kind: KindInvalid, Code: "unknown_item", Message: "There is no such item in the queue.",
		Fields: []FieldError{{Field: "item_id", Code: "unknown", Message: "names no item of the queue"}}}
)

// Source names something to play: a movie, an item of the queue, or an address. Exactly one of the three is given; an
// item that is added to the queue is a movie or an address.
type Source struct {
	MovieID   string
	ItemID    string
	StreamURL string
	Title     string // of an address; empty takes the file's name
}

// IsZero reports whether nothing is given.
func (s Source) IsZero() bool { return s == Source{} }

// Normalise brings the texts into the form in which they are checked and stored.
func (s *Source) Normalise() {
	s.StreamURL, s.Title = normalProse(s.StreamURL), normalLine(s.Title)
}

// Given returns the names of the fields that are given.
func (s Source) Given() (names []string) {
	for _, field := range []struct{ name, value string }{
		{"movie_id", s.MovieID}, {"item_id", s.ItemID}, {"stream_url", s.StreamURL}, {"title", s.Title},
	} {
		if field.value != "" {
			names = append(names, field.name)
		}
	}
	return names
}

// Validate reports every field of a source to load that is wrong.
func (s Source) Validate() error {
	return s.validate("must be the only one of movie_id, item_id and stream_url")
}

// ValidateNew reports every field of a source to add to the queue that is wrong.
func (s Source) ValidateNew() error {
	return s.validate("must be the only one of movie_id and stream_url")
}

func (s Source) validate(oneOf string) error {
	var v fields
	given := slices.DeleteFunc(s.Given(), func(name string) bool { return name == "title" })
	v.check(len(given) == 1, "movie_id", "one_of", oneOf)
	v.check(s.Title == "" || s.StreamURL != "", "title", "unexpected", "belongs to stream_url")
	v.line("title", s.Title, 0, MaxItemTitle)
	v.httpsURL("stream_url", s.StreamURL)
	return v.err()
}

// TitleOr returns the title, or else the name of the file.
func (s Source) TitleOr() string {
	if s.Title != "" || s.StreamURL == "" {
		return s.Title
	}
	address, _, _ := strings.Cut(s.StreamURL, "?")
	address, _, _ = strings.Cut(address, "#")
	if name := path.Base(strings.TrimPrefix(address, "https://")); name != "." && name != "/" {
		address = name
	}
	return address[:min(len(address), MaxItemTitle)] // an address is ASCII
}

func (v *fields) subtitles(subtitles []Subtitle) {
	v.check(len(subtitles) <= MaxSubtitles, "subtitles", "too_many", "must have at most 30 items")
	for i, s := range subtitles {
		field := fmt.Sprintf("subtitles.%d", i)
		v.check(wellFormedTag(s.Language), field+".language", "language", "must be a language tag, such as en or pt-BR")
		v.check(s.URL != "", field+".url", "required", "is missing")
		v.httpsURL(field+".url", s.URL)
		same := func(other Subtitle) bool { return strings.EqualFold(other.Language, s.Language) }
		v.check(!slices.ContainsFunc(subtitles[:i], same), field+".language", "duplicate", "is there already")
	}
}

// wellFormedTag reports whether a text has the shape of a BCP 47 tag.
func wellFormedTag(tag string) bool {
	if len(tag) > maxLanguageBytes {
		return false
	}
	for i, part := range strings.Split(tag, "-") {
		alphanumeric := func(r rune) bool {
			return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || i > 0 && r >= '0' && r <= '9'
		}
		if len(part) == 0 || len(part) > 8 || i == 0 && len(part) < 2 ||
			strings.ContainsFunc(part, func(r rune) bool { return !alphanumeric(r) }) {
			return false
		}
	}
	return true
}
