// Package coherence keeps what processes cache as new as the database.
//
// # The promise
//
// A read that begins after a transaction has committed sees nothing older than that transaction, in any process. It
// does not matter whether the writer lived to answer, whether Redis took part, or what was lost, late or out of order.
//
// # Changes, snapshots and freshness
//
// Cached data has tags, which name what it was made from. A transaction that changes such data names the tags in a
// Change, with its own transaction ID. Data is cached together with a Snapshot of Postgres that is no newer than the
// data: it says which transactions had ended before the data was read. So the data is fresh exactly if every change of
// its tags is by a transaction that had ended in its snapshot. A Ledger holds the changes that a process knows and
// answers that question. It does not matter where the data was kept in between, or for how long: Redis holds bytes and
// decides nothing. It may lose them, bring old ones back, or execute a command late.
//
// # How a change becomes known
//
// A process may use cached data only while it holds a lease, and a lease promises that its ledger is complete. A
// writer, inside its transaction and before the commit,
//
//  1. stores the change in the table cache_changes, by the same transaction;
//  2. sends the change over the message bus, and waits until each process that holds a lease has answered that the
//     change is in its ledger;
//  3. if an answer is not there within Timing.AckTimeout, stores the change once more, by a transaction of its own
//     which commits at once, and waits until that process shows in cache_members that it has read it, or no longer
//     holds a lease, or until Timing.Lease has passed.
//
// Then it commits. From before the commit on, therefore, no cached data with these tags is used anywhere: no snapshot
// has the writer's transaction as ended. The first snapshot that has is taken after the commit, and so is the data
// under it. If the writer dies in between, or the answer to its COMMIT is lost, nothing has to be repaired. A
// transaction that is rolled back only costs a load from Postgres.
//
// # The lease
//
// A lease is renewed every Timing.Renew by one statement, which stores the process in cache_members and reads all
// changes that have been committed since the renewal before. It ends Timing.Lease after that statement was sent. The
// clock also runs while the machine sleeps, so a process that was stopped holds no lease when it continues.
//
//   - Step 3 is enough: a lease that is in force Timing.Lease after the second record was committed has been renewed
//     after it, and that renewal has read it.
//   - A writer learns who holds leases when it renews its own row, and uses that list for Timing.List. A process that
//     wants a lease says so in cache_members and waits for longer than Timing.List before it reads the changes and uses
//     cached data: a writer that does not have it on its list commits before that read.
//   - A writer takes a process off its list when its row has not changed for Timing.Lease. A process whose renewal was
//     answered after the end of its lease begins anew, and waits again.
//   - A process gives its lease back while its message bus does not work, so that writers need not wait for it, unless
//     no other process reads from a cache.
//
// With one process there is nobody to wait for.
//
// # What ends changes
//
// Changes are kept for at least KeepTime. The horizon is the newest transaction of those that were removed; data whose
// snapshot does not see past the horizon is not used. A process that begins after very many changes reads the newest of
// them, and has its horizon at the oldest of these. Another cluster, timeline, database or table of changes, as after a
// restore or a failover, means other data, or other transactions under the same IDs. So may a server that has started
// again: as a copy of its disk, or after a crash with synchronous_commit = off. The generation identifies all of these,
// and a new generation invalidates all cached data. A dump that is restored on another server brings a horizon and
// changes with transaction IDs that this server has not reached yet. They are ignored and removed. The promise does not
// cover a failover that leaves two primary servers running or takes less than Timing.Lease. It does not cover rows
// that are changed by hand without a row in cache_changes, either.
//
// The idea of the lease is that of Gray and Cheriton, "Leases: an efficient fault-tolerant mechanism for distributed
// file cache consistency" (1989). TestModel explores the protocol exhaustively, and TestNoReadIsStale of package e2e
// holds the built program to the promise through faults. docs/cache-rules.md has the rules, each with a fault in which
// the program without it breaks the promise.
package coherence
