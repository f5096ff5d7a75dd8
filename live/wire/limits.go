package wire

import "time"

// Subprotocol is the one that client and server agree on.
const Subprotocol = "watchparty.v1"

// Limits of a connection, as the contract has them (x-limits).
const (
	MaxFrame             = 4096 // bytes of a message from a client
	HelloTime            = 5 * time.Second
	MaxConnectionsEach   = 5 // of one person to one room, on one server
	MessageRate          = 20
	MessageBurst         = 60
	CommandRatePerPerson = 5 // and bursts of twice as many
	CommandRatePerRoom   = 10
	StatusRate           = 1
	StatusBurst          = 3
	SeekTime             = 150 * time.Millisecond
	MaxQueue             = 64
	WriteTime            = 10 * time.Second
	PingInterval         = 20 * time.Second
	DeadAfter            = 45 * time.Second
)

// Limits of values.
const (
	maxToken      = 2048      // characters
	maxPositionMS = 360000000 // 100 hours
	maxWhole      = 1<<53 - 1 // the highest integer that JavaScript has exactly
	maxDriftMS    = 86400000
	maxRTTMS      = 60000
	minRate       = 0.25
	maxRate       = 4
)

// Code is why a connection was closed (x-close-codes).
type Code uint16

// Codes below 4000 are those of WebSocket itself.
const (
	CodeBye             Code = 1000
	CodeBinary          Code = 1003
	CodeTooLarge        Code = 1009
	CodeInternal        Code = 1011
	CodeGoingAway       Code = 1012
	CodeUnavailable     Code = 1013
	CodeInvalidMessage  Code = 4400
	CodeUnauthenticated Code = 4401
	CodeNotParticipant  Code = 4403
	CodeNotFound        Code = 4404
	CodeHelloTimeout    Code = 4408
	CodeResumed         Code = 4409
	CodeArchived        Code = 4410
	CodeTooSlow         Code = 4413
	CodeRateLimited     Code = 4429
)

// Codes are all of them, with the reasons that are sent along.
func Codes() map[Code]string {
	return map[Code]string{
		CodeBye: "bye", CodeBinary: "binary_message", CodeTooLarge: "message_too_large", CodeInternal: "internal",
		CodeGoingAway: "going_away", CodeUnavailable: "unavailable", CodeInvalidMessage: "invalid_message",
		CodeUnauthenticated: "unauthenticated", CodeNotParticipant: "not_participant", CodeNotFound: "not_found",
		CodeHelloTimeout: "hello_timeout", CodeResumed: "resumed", CodeArchived: "room_archived",
		CodeTooSlow: "too_slow", CodeRateLimited: "rate_limited",
	}
}
