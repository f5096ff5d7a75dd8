// Package limit counts what each subject (an account, an address) does, and says when it is too much.
//
//   - Limiter counts in Redis (GCRA), for all replicas together. It is for what is expensive or dangerous, such as
//     sign-ins and writes, and costs one round trip.
//   - Guard counts an event before it happens, and can cancel it when it turns out not to count. It is for guesses of
//     passwords, and counts in Redis and in this process.
//   - Local counts in this process. It is for reads, which must not pay a round trip for their limit.
//
// # When Redis is down
//
// Limiter fails open: it allows everything, as if nothing had been used. Guard goes on in this process alone. One
// operation waits for at most 100 ms; the operations of one request share that time if their contexts come from one
// call of Within. Limiter gets the client of the cache, so that one breaker stops both at once.
//
// # What is kept
//
// Redis keeps one number, or the times of the events that a Guard counts, until the subject has its whole quota back.
// The key has the rule's name and a keyed hash of the subject, never the subject itself. A Local and a Guard keep a
// bounded number of subjects; a subject that was dropped starts over with its whole quota.
package limit
