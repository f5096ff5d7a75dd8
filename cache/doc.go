// Package cache is a read-through cache of encoded JSON, in the memory of each process and in Redis.
//
// # What counts
//
// An entry has tags, which name what it was made from, and the snapshot of Postgres that it was read under. Package
// coherence says whether it still counts, and its leases say whether this process may use its memory and Redis at all:
// no read that begins after a commit sees what was before it, in any process, through faults of every kind. So nothing
// that decides who may see or do something needs another way.
//
// Redis decides nothing: an entry that it lost, that it brought back after a restart, that another process stored late
// or that a replica still has is judged by its snapshot.
//
// # The way of a read
//
//  1. The process' memory, bounded in bytes. A hit takes no lock and asks nobody.
//  2. Redis, in one round trip. Prefetch asks for all that a request will need together.
//  3. The loader. One load in a process serves all who wait for the key, and a lock in Redis has the other processes
//     wait for its result as well. Whoever comes after a change joins no load from before it. Of each kind of
//     key (KindOf), the loads that run at once are bounded in number, and so is the wait for them (package admission);
//     more are refused with watchparty.ErrBusy.
//
// An entry whose life is mostly over is loaded anew in the background. That something does not exist is an entry as
// well.
//
// # When Redis is away, or slow
//
// One exchange takes REDIS_TIMEOUT at most, and a breaker before each server stops using it when exchanges fail and
// none has succeeded for a while, or when even the quickest one is slow. A server that is used again has first answered
// several probes quickly. An exchange that takes long because this machine is busy opens nothing. Nor is that a reason
// to load from the database, which costs more: the exchanges that run at once are bounded in number, those that wait
// for them as well (package admission), and more lookups are refused with watchparty.ErrBusy.
//
// Without Redis there is no message bus either, and processes give back their leases, unless there is only one: that
// one goes on from its memory.
package cache
