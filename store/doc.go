// Package store keeps the domain in Postgres. Its methods take and return domain types; rows stay inside.
//
// # Files
//
//   - The database: store.go (Store, transactions), connect.go (how Postgres is reached), pool.go and shares.go
//     (connections), pool_stats.go, clock.go (the time and IDs), page.go (keyset pages), rows.go (reading and mapping
//     rows), locks.go (locks of rooms and accounts), idempotency.go, search.go, search_query.go,
//     hidden.go (what is hidden with an account), journal.go (changes of cached data).
//   - Accounts: users.go, users_admin.go (the admins' list), deletion.go, forget.go (names in others' texts), people.go
//     (accounts as others see them), passwords.go, verifications.go (email addresses), sessions.go, clients.go (known
//     clients), avatars.go, export.go.
//   - Rooms: rooms.go, room_orders.go, room_changes.go, room_log.go, participants.go, standing.go (roles and bans of
//     one person), roles.go, succession.go (the next host), kick.go, leaving.go (many people out of many rooms),
//     bans.go, mutes.go, my_rooms.go, retired.go, messages.go, message_changes.go, read_markers.go, movies.go,
//     genres.go.
//   - Watching: playbacks.go (rows, snapshots), playback_events.go (commands and what happens by itself),
//     queue.go (the queue and votes), now_playing.go, parties.go, party_starts.go, party_notices.go (emails to guests).
//   - Live connections: live_members.go (connections and processes), live_standings.go (what their people may do),
//     live_rooms.go (what they are told of rooms), live_clock.go (Postgres' clock).
//   - Invitations: invitations.go, my_invitations.go (the invited person's), invitation_basis.go (may the inviter still
//     invite), optouts.go.
//   - Emails: emails.go (their way to the server), email_cancel.go (cancelling, sending again), emails_admin.go,
//     budgets.go (limits).
//   - Webhooks: webhooks.go, webhook_events.go (what they are told of), webhook_deliveries.go.
//   - Administration: actors.go (conditions of people who act), admins.go (the admins' rights), suspensions.go,
//     moderation.go, abuse.go (reports of abuse), audit.go, outbox.go, job_actions.go, queue_pauses.go.
//   - Figures: workload.go (what waits, for metrics), overview.go (what is late, throughput).
//   - Time: cleanup.go (runs and batches), policies.go (what clean-up takes), time_limits.go (states that time ends),
//     activity.go (figures), reports.go.
//
// # Transactions
//
// A method is one statement, or one transaction by inTx, withEvents or withEvent. A transaction contains the check of
// the actor's rights, the change, its line in the room's log or in the audit log, and the outbox events that the change
// asks for: all or nothing. Rights are checked after the locks are taken, so that they hold until the end. Temporal,
// the cache and the network are called after the commit. Only audited is different: it commits its line before an act
// outside of the database, and notes the outcome after it.
//
// Reads that belong together run in one Snapshot. Otherwise each statement sees what was committed when it began
// (READ COMMITTED): a condition that another transaction may change is read again after its lock is taken.
//
// inTx may run a function several times, so the function starts from nothing each time.
//
// # Locks
//
// A transaction takes its locks in this order, and within a table in the order of the primary key:
//
//  1. cleanup_runs
//  2. idempotency_keys. Operations that first have to look up what a repeated request is about claim the key later:
//     only a repeat of the same request waits for it, and that has taken the same locks.
//  3. rooms. The first lock of a room is the strongest that the transaction needs.
//  4. users. An operation that needs several accounts locks all of them before it goes on: shareLockUsers,
//     lockUserForAdmin, beginDeletion. Even two locks FOR SHARE have to be in order, because they queue behind stronger
//     ones.
//  5. the advisory lock "admins"
//  6. movies
//  7. participants, members, bans, mutes, read_markers, then playbacks, queue_items, queue_votes, skip_votes,
//     live_members, parties, party_answers, party_notices
//  8. the advisory lock of a room's chat (next_message_id, next_message_change), then messages
//  9. room_log
//  10. invitations, then the advisory lock of an inviter's invitations
//  11. emails, then email_attempts
//  12. sessions, known_clients, email_verifications, password_resets, avatars
//  13. abuse_reports
//  14. email_budgets, by the budget's name
//  15. the advisory lock "webhooks", then webhooks, webhook_deliveries, webhook_attempts
//  16. audit
//
// Rows that a transaction inserts, outbox events among them, are nobody else's and stand outside of the order. But an
// insert takes FOR KEY SHARE on the rows that its foreign keys name, and so does the second update of one row in a
// transaction: those rows are locked before, or nobody who holds them FOR UPDATE can wait for this transaction.
//
// A statement that changes several rows chooses them in a subquery with ORDER BY and FOR UPDATE. Batches of clean-up
// and EndOverdue pass by locked rows (SKIP LOCKED). A transaction that finds out that it needs an earlier lock ends
// with errLockedLate, and inTx runs it anew. TestNoDeadlocks runs all pairs of operations at once. It has no
// exceptions; that inTx also repeats the victim of a deadlock is for mistakes, and for former versions during an
// update.
package store
