// Package limit counts what each subject (an account, an address) does, and says when it is too much.
//
//   - Limiter counts in Redis (GCRA), for all replicas together: for what is dear or dangerous, such as sign-ins and
//     writes. It costs one round trip.
//   - Guard counts an event before it happens and takes it back if it turns out not to count: for guesses of passwords.
//     It counts in Redis and in this process.
//   - Local counts in this process: for reads, since one from the cache must not pay a round trip for its limit.
//
// # When Redis is away
//
// Limiter fails open: it allows everything, as if nothing had been used. Guard goes on in this process alone. One
// operation waits for at most 100 ms; those of one request share that when their contexts come from one call of Within.
// Limiter is given the cache's client, whose breaker makes both fail at once.
//
// # What is kept
//
// Redis keeps one number, or the times of the events that a Guard counts, under a key that holds the rule's name and a
// keyed hash of the subject, never the subject itself, until the subject has its whole quota back. A Local and a Guard
// keep a bounded number of subjects: one that they had to forget starts over with its whole quota.
package limit
