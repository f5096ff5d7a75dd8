// Package player follows a room's playback: it measures the server's clock, and keeps a player with the room. The
// TypeScript client has the same rules (clients/typescript/src/live), and both run testdata/rules.json. Model is a
// player for tests and measurements, with the faults of real ones.
//
// Times and positions are milliseconds: a client's by its own monotonic clock, the server's as the epoch of Unix.
package player
