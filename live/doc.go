// Package live holds the connections of people to rooms, and tells them what happens there. Its messages are those of
// package wire; what playback does is decided by package playback, in transactions of package store.
//
// # Who tells whom
//
// A command is one transaction on the room's row. The process that ran it tells its own connections at once, and the
// others by a hint on the bus. A hint may be lost: each process also polls the revisions of the rooms that it has
// connections to, every limits.PollCalm while the bus is healthy, and every limits.PollBusy while it is not. A state
// that is not newer than the one that a room has is dropped, so it does not matter in which order hints, polls and
// own commands arrive.
//
// # Files
//
// The Hub (hub.go) has all connections, and waits for their goroutines (group.go). A connection signs in (signin.go),
// reads and writes (conn.go), runs commands (commands.go) and reports of its player (reports.go), and is kept alive
// (keepalive.go). Its room (room.go) has the state and the members (digest.go). Changes arrive from own operations and
// hints (hint.go) or from the poll (poll.go), and are read once (changes.go). Other loops keep this process and its
// people present (presence.go), end what is due in rooms that no process watches (sweep.go), and handle the database's
// absence (outage.go) and steps of its clock (clock_jump.go). Postgres' time is estimated from measurements (clock.go,
// offset.go).
//
// # Goroutines and locks
//
// A connection has one goroutine that reads. One that writes, and one that runs commands, exist only while there is
// something to write or to run: most connections are idle. The Hub waits for all of them in Run. No lock is held during
// a wait for Postgres, Redis or a socket: the locks of the hub, of a room and of a connection guard memory only, and
// are taken in this order.
//
// # What a slow client gets
//
// A connection has one slot for the newest state and one for the newest digest, and a queue of wire.MaxQueue for all
// else. A client whose queue is full, or that does not read a message within wire.WriteTime, is disconnected. It
// reconnects and gets the current state. Answers to Clock pass everything else, since their delay would be an error of
// the client's clock.
//
// # The clock
//
// Clock is Postgres' clock as this process knows it. Times in messages are Postgres' times.
package live
