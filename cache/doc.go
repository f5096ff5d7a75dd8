// Package cache is a read-through cache of encoded JSON: in this process' memory, and in Redis for all processes.
//
// # The rule
//
// An entry has tags, and the snapshot of Postgres that it was loaded under. It is used only while this process holds a
// lease, and only if its ledger knows of no change of the tags by a transaction that had not ended in the snapshot:
// package coherence says why no read is then older than what was committed before it began. Redis keeps bytes and
// decides nothing. It may lose entries, bring old ones back, or be a replica; an entry that does not count is a miss.
//
// # Loads
//
// In a process, one load serves all who wait for the same key. Before it asks whether its result is as new as all that
// is committed, it is sealed: whoever comes later waits for the next one, since a change may have been committed since.
// As a rule, one load serves all processes too: a lock in Redis says who loads, and the others wait for its entry. The
// lock is about work alone; without it, or without Redis, each process loads for itself. Loads that run at once are
// bounded, and so are those that wait for their turn: one more is ErrBusy. An entry whose life is almost over is loaded
// anew in the background.
//
// # When Redis is away
//
// A breaker stands before each server. It opens when the server does not answer, or takes so long that Postgres is
// quicker; then exchanges fail at once, entries in memory are still used, and everything else is loaded. One exchange
// waits for twice config.Redis' Timeout at most, and does not follow the caller's context, so that an impatient caller
// neither breaks a connection nor looks like a slow Redis.
package cache
