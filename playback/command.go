package playback

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/watchparty/watchparty"
)

// Kind says what a command asks for. All commands are absolute: none of them toggles.
type Kind string

const (
	Play  Kind = "play"
	Pause Kind = "pause"
	Seek  Kind = "seek"
	Rate  Kind = "rate"
	Load  Kind = "load"
	Skip  Kind = "skip"
	Stop  Kind = "stop"
)

// Kinds lists all kinds of commands.
func Kinds() []Kind { return []Kind{Play, Pause, Seek, Rate, Load, Skip, Stop} }

// Command is what a person asks for.
type Command struct {
	Kind  Kind
	ID    string // a UUID that the client has made; the same command sent again has the same one
	By    string // the ID of the user
	Epoch int64  // of the state that the person saw
	// Seen is the revision of the state that the person saw. With it, a command that arrives after its ID was forgotten is
	// refused, so that no command is ever applied twice. It is nil if the client does not send it.
	Seen       *int64
	IfRevision *int64 // refuses any other revision; nil allows all
	// PositionMS is the target of a Seek; for Load the position to begin at, 0 if nil; for Pause the position that the
	// person saw, which is used if it is within PauseTolerance.
	PositionMS *int64
	Rate       float64           // for Rate
	Source     watchparty.Source // for Load: what to play
	// Item is the item that the store has found or made for the Source of a Load.
	Item Item
}

// Errors.
var (
	ErrStale = &watchparty.Error{Kind: watchparty.KindConflict, Code: "playback_stale",
		Message: "Playback has moved on since you looked."}
	ErrCommandReused = &watchparty.Error{Kind: watchparty.KindUnprocessable, Code: "command_id_reused",
		Message: "The command's ID was used for another command."}
	ErrNothingPlaying = &watchparty.Error{Kind: watchparty.KindConflict, Code: "nothing_playing",
		Message: "Nothing is loaded in this room."}
	ErrNothingToPlay = &watchparty.Error{Kind: watchparty.KindConflict, Code: "nothing_to_play",
		Message: "The queue is empty. Choose what to play."}
)

// Stale returns ErrStale with the numbers of the current state.
func (s State) Stale() error {
	e := *ErrStale
	e.Details = map[string]int{"revision": int(s.Revision), "epoch": int(s.Epoch)}
	return &e
}

// Validate reports every field that is wrong.
func (c Command) Validate() error {
	var wrong []watchparty.FieldError
	check := func(ok bool, field, code, message string) {
		if !ok {
			wrong = append(wrong, watchparty.FieldError{Field: field, Code: code, Message: message})
		}
	}
	check(slices.Contains(Kinds(), c.Kind), "kind", "enum", "must be play, pause, seek, rate, load, skip or stop")
	check(c.ID != "", "id", "required", "is missing")
	check(c.Epoch >= 0, "epoch", "range", "must not be negative")
	check(c.Seen == nil || *c.Seen >= 0, "revision", "range", "must not be negative")
	check(c.IfRevision == nil || *c.IfRevision >= 0, "if_revision", "range", "must not be negative")
	if c.PositionMS != nil {
		check(*c.PositionMS >= 0 && *c.PositionMS <= MaxPositionMS, "position_ms", "range",
			"must be from 0 to 360000000")
	}
	if c.Kind == Seek {
		check(c.PositionMS != nil, "position_ms", "required", "is missing")
	} else if c.Kind != Pause && c.Kind != Load {
		check(c.PositionMS == nil, "position_ms", "unexpected", "does not belong to this command")
	}
	switch {
	case c.Kind == Rate && c.Rate == 0:
		check(false, "rate", "required", "is missing")
	case c.Kind == Rate:
		check(c.Rate >= MinRate && c.Rate <= MaxRate, "rate", "range", "must be from 0.25 to 4") // not for NaN either
	default:
		check(c.Rate == 0, "rate", "unexpected", "does not belong to this command")
	}
	var source *watchparty.Error
	if c.Kind != Load {
		for _, field := range c.Source.Given() {
			check(false, field, "unexpected", "does not belong to this command")
		}
	} else if errors.As(c.Source.Validate(), &source) {
		wrong = append(wrong, source.Fields...)
	}
	if wrong != nil {
		return watchparty.Invalid(wrong...)
	}
	return nil
}

// rate returns the requested rate, in hundredths.
func (c Command) rate() float64 { return math.Round(c.Rate*100) / 100 }

// digest identifies the content of a command, to tell a repeated command from another one with the same ID. The ID of
// the item is no part of it, since each attempt to load a movie or an address makes a new item.
func (c Command) digest() string {
	source := ""
	if c.Kind == Load {
		source = c.Source.MovieID + " " + c.Source.ItemID + " " + c.Source.StreamURL + " " + c.Source.Title
	}
	content := fmt.Sprintf("%s %s %d %g %q", c.Kind, c.By, c.Epoch, c.Rate, source)
	for _, number := range []*int64{c.Seen, c.IfRevision, c.PositionMS} {
		if number == nil {
			content += " -"
		} else {
			content += fmt.Sprintf(" %d", *number)
		}
	}
	sum := sha256.Sum256([]byte(content))
	return hex.EncodeToString(sum[:8])
}
