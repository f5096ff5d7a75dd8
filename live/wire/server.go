package wire

import (
	"encoding/json"
	"time"
)

// ServerMessage is a message from the server to a client.
type ServerMessage interface {
	Message
	fromServer()
}

// ServerMessages has a zero value of each.
func ServerMessages() []ServerMessage {
	return []ServerMessage{
		&Welcome{},
		&State{},
		&Ack{},
		&Error{},
		&ClockReply{},
		&ClockChanged{},
		&Members{},
		&People{},
		&Place{},
		&Room{},
		&Queue{},
		&MessageEvent{},
		&Hidden{},
		&TokenExpiring{},
		&Degraded{},
		&GoingAway{},
	}
}

// Welcome answers Hello.
type Welcome struct {
	Connection     string   `json:"connection"`
	NowMS          float64  `json:"now_ms"`
	TokenExpiresMS float64  `json:"token_expires_ms"`
	Place          Place    `json:"place"`
	Room           Room     `json:"room"`
	State          State    `json:"state"`
	Queue          Queue    `json:"queue"`
	Members        Members  `json:"members"`
	People         []Member `json:"people"`
}

// State is the playback of a room.
type State struct {
	Revision   int64   `json:"revision"`
	Epoch      int64   `json:"epoch"`
	Cue        int64   `json:"cue"`
	State      string  `json:"state"`
	Item       *string `json:"item"`
	Media      *Media  `json:"media"`
	PositionMS int64   `json:"position_ms"`
	AtMS       float64 `json:"at_ms"`
	Rate       float64 `json:"rate"`
	DurationMS *int64  `json:"duration_ms"`
	// StartsAtMS is when it starts by itself; nil unless it does.
	StartsAtMS *float64 `json:"starts_at_ms"`
	Wait       *Wait    `json:"wait"`
	Cause      Nullable `json:"cause"`
	By         *Person  `json:"by"`
	NowMS      float64  `json:"now_ms"`
}

// Nullable is a text that is null in JSON when it is empty.
type Nullable string

// MarshalJSON encodes the text.
func (n Nullable) MarshalJSON() ([]byte, error) {
	if n == "" {
		return []byte("null"), nil
	}
	return json.Marshal(string(n))
}

// NullableMS is a time in milliseconds since 1970 that is null in JSON when it is 0.
type NullableMS int64

// MarshalJSON encodes the time.
func (n NullableMS) MarshalJSON() ([]byte, error) {
	if n == 0 {
		return []byte("null"), nil
	}
	return json.Marshal(int64(n))
}

// Media is what is played.
type Media struct {
	Title     string      `json:"title"`
	StreamURL Nullable    `json:"stream_url"` // empty if the movie has lost it
	MovieID   *string     `json:"movie_id"`
	Version   int         `json:"version"` // of the movie; 0 for an address
	Subtitles []Subtitles `json:"subtitles"`
}

// Subtitles are those in one language.
type Subtitles struct {
	Language string `json:"language"`
	URL      string `json:"url"`
}

// Wait is what a room waits for.
type Wait struct {
	Reason   string  `json:"reason"`
	UntilMS  float64 `json:"until_ms"`
	ThenPlay bool    `json:"then_play"`
}

// Ack says that a command was applied.
type Ack struct {
	ID       string `json:"id"`
	Revision int64  `json:"revision"`
}

// Error says that a message was refused.
type Error struct {
	ID           string       `json:"id,omitzero"`
	Code         string       `json:"code"`
	Message      string       `json:"message"`
	Errors       []FieldError `json:"errors,omitzero"`
	RetryAfterMS float64      `json:"retry_after_ms,omitzero"`
	State        *State       `json:"state,omitzero"`
}

// FieldError is a property that is wrong.
type FieldError struct {
	Field   string `json:"field"`
	Code    string `json:"code"`
	Message string `json:"message"`
}

// ClockReply answers Clock.
type ClockReply struct {
	C0 float64 `json:"c0"`
	S1 float64 `json:"s1"`
	S2 float64 `json:"s2"`
}

// ClockChanged says that the server's clock made a step.
type ClockChanged struct{}

// Members is the digest of the members.
type Members struct {
	Connected  int      `json:"connected"`
	WaitingFor []Person `json:"waiting_for"` // by their usernames, MaxWaitingFor at most
	Waiting    int      `json:"waiting"`
}

// MaxWaitingFor is how many people a digest names.
const MaxWaitingFor = 20

// Member is a person in a room.
type Member struct {
	User      Person `json:"user"`
	Role      string `json:"role"`
	Muted     bool   `json:"muted"`
	Connected bool   `json:"connected"`
}

// People are changes of the members.
type People struct {
	Changed []Member `json:"changed"`
	Left    []string `json:"left"` // IDs
}

// Place is the standing of a connection's person in the room.
type Place struct {
	User        Person   `json:"user"`
	Role        string   `json:"role"`
	Permissions []string `json:"permissions"`
	MutedUntil  *Time    `json:"muted_until"`
}

// Room has the settings of a room.
type Room struct {
	Name            string     `json:"name"`
	Control         string     `json:"control"`
	Queue           string     `json:"queue"`
	QueueOrder      string     `json:"queue_order"`
	WaitPolicy      string     `json:"wait_policy"`
	SlowModeSeconds int        `json:"slow_mode_seconds"`
	PartiesMS       NullableMS `json:"parties_ms"` // when the parties last changed
}

// Queue says that the queue or its votes have changed.
type Queue struct {
	Version   int64 `json:"version"`
	SkipVotes int   `json:"skip_votes"`
}

// MessageEvent is a message of the chat that was posted, edited or deleted.
type MessageEvent struct {
	Message ChatMessage `json:"message"`
}

// Hidden says that what a person has written is not shown any more.
type Hidden struct {
	User string `json:"user"` // the ID
}

// ChatMessage is a message as REST shows it.
type ChatMessage struct {
	ID        string  `json:"id"`
	RoomID    string  `json:"room_id"`
	Author    *Person `json:"author"`
	Body      string  `json:"body"`
	ReplyTo   *Quote  `json:"reply_to"`
	CreatedAt Time    `json:"created_at"`
	EditedAt  *Time   `json:"edited_at"`
	Deleted   bool    `json:"deleted"`
}

// Person is an account as REST shows it.
type Person struct {
	ID          string     `json:"id"`
	Username    string     `json:"username"`
	DisplayName string     `json:"display_name"`
	Avatar      AvatarURLs `json:"avatar"`
}

// AvatarURLs are the addresses of a person's pictures.
type AvatarURLs struct {
	Default   bool   `json:"default"`
	Large     string `json:"large"`
	Medium    string `json:"medium"`
	Plain     string `json:"plain"`
	Thumbnail string `json:"thumbnail"`
}

// Quote is the message that another message answers.
type Quote struct {
	ID      string  `json:"id"`
	Author  *Person `json:"author"`
	Excerpt string  `json:"excerpt"`
}

// Time is written as REST writes it.
type Time = time.Time

// TokenExpiring says that the token of the connection expires soon.
type TokenExpiring struct {
	TokenExpiresMS float64 `json:"token_expires_ms"`
}

// Degraded says that the database is down, or is back.
type Degraded struct {
	Degraded bool `json:"degraded"`
}

// GoingAway says that the server stops.
type GoingAway struct {
	AfterMS float64 `json:"after_ms"`
}

func (*Welcome) Type() string       { return "welcome" }
func (*State) Type() string         { return "state" }
func (*Ack) Type() string           { return "ack" }
func (*Error) Type() string         { return "error" }
func (*ClockReply) Type() string    { return "clock" }
func (*ClockChanged) Type() string  { return "clock_changed" }
func (*Members) Type() string       { return "members" }
func (*People) Type() string        { return "people" }
func (*Place) Type() string         { return "place" }
func (*Room) Type() string          { return "room" }
func (*Queue) Type() string         { return "queue" }
func (*MessageEvent) Type() string  { return "message" }
func (*Hidden) Type() string        { return "hidden" }
func (*TokenExpiring) Type() string { return "token_expiring" }
func (*Degraded) Type() string      { return "degraded" }
func (*GoingAway) Type() string     { return "going_away" }

func (*Welcome) fromServer()       {}
func (*State) fromServer()         {}
func (*Ack) fromServer()           {}
func (*Error) fromServer()         {}
func (*ClockReply) fromServer()    {}
func (*ClockChanged) fromServer()  {}
func (*Members) fromServer()       {}
func (*People) fromServer()        {}
func (*Place) fromServer()         {}
func (*Room) fromServer()          {}
func (*Queue) fromServer()         {}
func (*MessageEvent) fromServer()  {}
func (*Hidden) fromServer()        {}
func (*TokenExpiring) fromServer() {}
func (*Degraded) fromServer()      {}
func (*GoingAway) fromServer()     {}

// Milliseconds is an instant as messages have it: milliseconds since 1970-01-01 UTC, to the microsecond.
func Milliseconds(t time.Time) float64 { return float64(t.UnixMicro()) / 1000 }

// Duration is a length of time as messages have it.
func Duration(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// FromMilliseconds is the instant.
func FromMilliseconds(ms float64) time.Time { return time.UnixMicro(int64(ms * 1000)).UTC() }
