package wire

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/watchparty/watchparty"
)

// ClientMessage is a message from a client to the server.
type ClientMessage interface {
	Message
	// check adds the properties that are out of their limits.
	check(*checks)
}

// Message is a message of either side. Type is its name, the property `t`.
type Message interface{ Type() string }

// ClientMessages has a zero value of each.
func ClientMessages() []ClientMessage {
	return []ClientMessage{
		&Hello{}, &Token{}, &Clock{}, &Status{}, &Ready{}, &Play{}, &Pause{}, &Seek{}, &Rate{}, &Load{}, &Skip{}, &Stop{},
		&Bye{},
	}
}

// Hello signs a connection in.
type Hello struct {
	Token  string  `json:"token"`
	Resume *string `json:"resume,omitzero"` // the ID of the user's lost connection
}

// Token renews the token of a connection.
type Token struct {
	AccessToken string `json:"access_token"`
}

// Clock asks for the time.
type Clock struct {
	C0 float64 `json:"c0"` // milliseconds by the client's clock
}

// Status is that of the client's player.
type Status struct {
	Epoch      int64   `json:"epoch"`
	Cue        int64   `json:"cue"`
	PositionMS int64   `json:"position_ms"`
	Stalled    bool    `json:"stalled"`
	Blocked    bool    `json:"blocked"`
	Watching   bool    `json:"watching"`
	WaitForMe  bool    `json:"wait_for_me"`
	Ended      bool    `json:"ended,omitzero"`
	DriftMS    float64 `json:"drift_ms,omitzero"`
	RTTMS      float64 `json:"rtt_ms,omitzero"`
}

// Ready says that the player can play from the position of a cue.
type Ready struct {
	Epoch      int64  `json:"epoch"`
	Cue        int64  `json:"cue"`
	DurationMS *int64 `json:"duration_ms,omitzero"`
}

// Command has the properties that all commands share.
type Command struct {
	ID         string `json:"id"`
	Epoch      int64  `json:"epoch"`
	Revision   *int64 `json:"revision,omitzero"`
	IfRevision *int64 `json:"if_revision,omitzero"`
}

// Play resumes playback.
type Play struct {
	Command
}

// Pause stops.
type Pause struct {
	Command
	PositionMS *int64 `json:"position_ms,omitzero"` // where the person's player was
}

// Seek goes to a position.
type Seek struct {
	Command
	PositionMS int64 `json:"position_ms"`
}

// Rate sets the speed.
type Rate struct {
	Command
	Rate float64 `json:"rate"`
}

// Load changes the item: to a movie, to an item of the queue, or to an address.
type Load struct {
	Command
	MovieID    *string `json:"movie_id,omitzero"`
	ItemID     *string `json:"item_id,omitzero"`
	StreamURL  *string `json:"stream_url,omitzero"`
	Title      *string `json:"title,omitzero"`
	PositionMS *int64  `json:"position_ms,omitzero"`
}

// Skip goes on with the next item.
type Skip struct {
	Command
}

// Stop unloads the current item.
type Stop struct {
	Command
}

// Bye ends a connection.
type Bye struct{}

func (*Hello) Type() string  { return "hello" }
func (*Token) Type() string  { return "token" }
func (*Clock) Type() string  { return "clock" }
func (*Status) Type() string { return "status" }
func (*Ready) Type() string  { return "ready" }
func (*Play) Type() string   { return "play" }
func (*Pause) Type() string  { return "pause" }
func (*Seek) Type() string   { return "seek" }
func (*Rate) Type() string   { return "rate" }
func (*Load) Type() string   { return "load" }
func (*Skip) Type() string   { return "skip" }
func (*Stop) Type() string   { return "stop" }
func (*Bye) Type() string    { return "bye" }

// checks collects the properties that are wrong.
type checks []watchparty.FieldError

func (c *checks) check(ok bool, field, code, message string) {
	if !ok {
		*c = append(*c, watchparty.FieldError{Field: field, Code: code, Message: message})
	}
}

func (c *checks) whole(field string, value int64) {
	c.check(value >= 0 && value <= maxWhole, field, "range", "must be from 0 to 9007199254740991")
}

func (c *checks) position(value *int64) {
	c.check(value == nil || *value >= 0 && *value <= maxPositionMS, "position_ms", "range", "must be from 0 to 360000000")
}

func (c *checks) duration(value *int64) {
	c.check(value == nil || *value >= 1 && *value <= maxPositionMS, "duration_ms", "range", "must be from 1 to 360000000")
}

func (c *checks) number(field string, value, least, most float64, limits string) {
	c.check(value >= least && value <= most, field, "range", "must be "+limits) // not for NaN either
}

// id checks an ID, and writes it in lower case. It does nothing for nil.
func (c *checks) id(field string, value *string) {
	if value == nil {
		return
	}
	_, err := uuid.Parse(*value)
	c.check(err == nil && len(*value) == 36, field, "format", "must be a UUID")
	*value = strings.ToLower(*value)
}

// text checks the number of characters. It does nothing for nil.
func (c *checks) text(field string, value *string, least, most int) {
	if value == nil {
		return
	}
	n := utf8.RuneCountInString(*value)
	if least == 1 {
		c.check(n >= least, field, "too_short", "must not be empty")
	} else {
		c.check(n >= least, field, "too_short", fmt.Sprintf("must have at least %d characters", least))
	}
	c.check(n <= most, field, "too_long", fmt.Sprintf("must have at most %d characters", most))
}

// has reports whether a property is wrong.
func (c checks) has(property string) bool {
	return slices.ContainsFunc(c, func(f watchparty.FieldError) bool { return f.Field == property })
}

func (m *Hello) check(c *checks) {
	c.text("token", &m.Token, 1, maxToken)
	c.id("resume", m.Resume)
}

func (m *Token) check(c *checks) { c.text("access_token", &m.AccessToken, 1, maxToken) }

func (m *Clock) check(c *checks) { c.number("c0", m.C0, 0, maxWhole, "from 0 to 9007199254740991") }

func (m *Status) check(c *checks) {
	c.whole("epoch", m.Epoch)
	c.whole("cue", m.Cue)
	c.position(&m.PositionMS)
	c.number("drift_ms", m.DriftMS, -maxDriftMS, maxDriftMS, "from -86400000 to 86400000")
	c.number("rtt_ms", m.RTTMS, 0, maxRTTMS, "from 0 to 60000")
}

func (m *Ready) check(c *checks) {
	c.whole("epoch", m.Epoch)
	c.whole("cue", m.Cue)
	c.duration(m.DurationMS)
}

func (m *Command) check(c *checks) {
	c.id("id", &m.ID)
	c.whole("epoch", m.Epoch)
	if m.Revision != nil {
		c.whole("revision", *m.Revision)
	}
	if m.IfRevision != nil {
		c.whole("if_revision", *m.IfRevision)
	}
}

func (m *Pause) check(c *checks) {
	m.Command.check(c)
	c.position(m.PositionMS)
}

func (m *Seek) check(c *checks) {
	m.Command.check(c)
	c.position(&m.PositionMS)
}

func (m *Rate) check(c *checks) {
	m.Command.check(c)
	c.number("rate", m.Rate, minRate, maxRate, "from 0.25 to 4")
}

func (m *Load) check(c *checks) {
	m.Command.check(c)
	c.position(m.PositionMS)
	c.id("movie_id", m.MovieID)
	c.id("item_id", m.ItemID)
	c.text("stream_url", m.StreamURL, watchparty.MinURL, watchparty.MaxURL)
	c.text("title", m.Title, 0, watchparty.MaxItemTitle)
}

// validate applies the rules of sources. As in the REST API, they are judged when every property is within its limits.
func (m *Load) validate() error { return m.Source().Validate() }

// Source returns what to load, in normal form.
func (m *Load) Source() watchparty.Source {
	source := watchparty.Source{
		MovieID: value(m.MovieID), ItemID: value(m.ItemID), StreamURL: value(m.StreamURL), Title: value(m.Title),
	}
	source.Normalise()
	return source
}

func (*Bye) check(*checks) {}

// value returns an optional text; empty for nil.
func value(text *string) string {
	if text == nil {
		return ""
	}
	return *text
}

// commandID returns the command's ID.
func (m *Command) commandID() string { return m.ID }

// IDOf is the ID of a command, and empty for other messages.
func IDOf(m ClientMessage) string {
	if command, ok := m.(interface{ commandID() string }); ok {
		return command.commandID()
	}
	return ""
}
