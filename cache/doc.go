// Package cache is a read-through cache of encoded JSON, in the memory of each process and in Redis.
//
// # What counts
//
// An entry has tags, which name what it was made from, and the snapshot of Postgres that it was read under. Package
// coherence decides whether an entry is still valid, and its leases decide whether this process may use its memory and
// Redis at all. No read that begins after a commit sees older data, in any process, even through faults. Therefore the
// data that decides who may see or do something is cached in the same way.
//
// Redis decides nothing. Redis may lose an entry or bring it back after a restart, another process may store it late,
// and a replica may still have it: its snapshot decides whether it is valid.
//
// # The way of a read
//
//  1. The process' memory, bounded in bytes. A hit takes no lock and asks nobody.
//  2. Redis, in one round trip. Prefetch asks for all that a request will need together.
//  3. The loader. One load in a process serves all who wait for the key, and a lock in Redis has the other processes
//     wait for its result as well. A read that begins after a change joins no load from before it. The number
//     of concurrent loads of one kind of key (KindOf) is bounded, and so is the wait for them (package admission); more
//     are refused with watchparty.ErrBusy.
//
// An entry whose life is mostly over is reloaded in the background. The fact that something does not exist is stored as
// an entry, too.
//
// # When Redis is down, or slow
//
// One exchange takes REDIS_TIMEOUT at most, and a breaker before each server stops using it when exchanges fail and
// none has succeeded for a while, or when even the quickest one is slow. A server that is used again has first answered
// several probes quickly. An exchange that takes long because this machine is busy does not open the breaker, and does
// not make a lookup load from the database, which costs more. Instead, the number of exchanges that run at once is
// limited, and so is the number that wait (package admission); further lookups are refused with watchparty.ErrBusy.
//
// Without Redis there is no message bus either, and processes give back their leases, unless there is only one: that
// one continues to use its memory.
package cache
