// Package playback is the state machine of a room's playback: Apply takes a state, an event and an instant, and returns
// the next state. It has no clock and does no I/O. The store runs it inside the transaction that holds the room's row,
// with the time of Postgres.
//
// # Position
//
// A state is an anchor: at the instant At, playback is at PositionMS. While it plays, the position moves on from there
// by Rate; before At, and in all other states, it rests. An anchor is never recomputed on the way to a client, so that
// all clients compute the same position from one state.
//
// # Numbers
//
// Revision rises by one with each change, and with each command that is applied. Epoch rises when the item changes or
// is loaded again: a command names the epoch that it was given for, so that a late one does not reach the next item.
// Cue rises with each load and each seek: a client that reports to be ready names the cue that it is ready for, so that
// a late report does not end a wait that it knows nothing of.
//
// # Waiting
//
// A wait ends at WaitUntil at the latest. The people for whom the room waits are computed from the members (Counted),
// and never stored: the room no longer waits for a person who leaves, hides the page or is set aside.
package playback
