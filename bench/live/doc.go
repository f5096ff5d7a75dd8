// Package live measures live rooms as people meet them: the built program in two processes on one Postgres and one
// Redis, and viewers behind networks that delay, lose and stall. `go run ./bench live` runs all of it and writes the
// figures beside their bars; the short forms of it are tests in package e2e.
//
// A Viewer is a client as the TypeScript one is, with package live/player: a clock that drifts and began at any time, a
// player that takes its time to seek and to start, reports and reconnections. Where the player really is can be asked
// at any time, and so can where it should be: the room's row in Postgres says so, and Postgres' clock is this
// machine's. The error of a player is the difference, and not what the player takes it for.
package live
