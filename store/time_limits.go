package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/workflows/job"
)

// timeLimit ends a state of rows in a table after a time, by Postgres' clock, if nothing else has ended it. That
// happens if the workflow that ends the state was terminated, was lost with Temporal's database, or never started. In
// its SQL, t is the alias of the table.
type timeLimit struct {
	label  string // its name, if there are several of one state
	table  string
	key    string        // the columns of the primary key; id if empty
	column string        // the column of the state; empty if there is none
	state  string        // the state that ends
	since  string        // the column with the time from which on the state lasts
	after  time.Duration // how long the state lasts; this does not run while an admin has paused the queue
	queue  string        // the task queue with the work that ends the state; empty if there is none
	unless string        // a condition under which the state does not end yet
	// becomes is the next state, and set is the rest of the SET clause.
	becomes string
	set     string
	// ended, if not nil, gets the keys of the rows that have ended.
	ended func(ctx context.Context, tx bun.Tx, ids []string) error
	// act, if not nil, takes the place of becomes and set. It gets the ID of a locked row. It reports whether it has done
	// anything: rows that unless reads are not locked, so the condition may not hold any more.
	act func(ctx context.Context, tx bun.Tx, id string) (bool, []job.Event, error)
}

// The times after which a state is taken for lost, counted from the last change of its row. Each is far longer than its
// workflow takes. A workflow that comes later finds that the row has ended, and ends too.
const (
	// emailLife is for emails, which are tried for a day.
	emailLife = 7 * 24 * time.Hour
	// attemptLife is for attempts to send an email, which take at most a minute.
	attemptLife = time.Hour
	// uploadLife is for uploads of avatars. A worker that renders one updates its row each minute.
	uploadLife = 24 * time.Hour
	// queuedRunLife is for clean-up runs that wait for a worker.
	queuedRunLife = 7 * 24 * time.Hour
	// runLife is for clean-up runs that have begun. A worker updates a run's row with each batch.
	runLife = 24 * time.Hour
	// lateDelivery is for deliveries to webhooks, counted from when their last attempt was to be made.
	lateDelivery = 4 * 24 * time.Hour
	// eventLife is for outbox events that Temporal refuses. What an event is about has ended by then.
	eventLife = 30 * 24 * time.Hour
	// deletionAgain is the time between two starts of the workflow that removes a deleted account, until its row is gone.
	deletionAgain = 7 * 24 * time.Hour
)

// timeLimits has all states that only a workflow ends. A deleted account in users has no column for its state: from
// deleted_at on, its row waits for the workflow that removes it.
var timeLimits = []timeLimit{
	{table: "invitations", column: "state", state: "open", since: "expires_at", becomes: "expired",
		set: "updated_at = t.expires_at"},
	{table: "emails", column: "state", state: "queued", since: "updated_at", after: emailLife,
		queue: job.TaskQueueEmail, becomes: "failed", set: lostEmail, ended: tellLostEmails},
	{table: "emails", column: "state", state: "sending", since: "updated_at", after: emailLife,
		queue: job.TaskQueueEmail, becomes: "failed", set: lostEmail, ended: tellLostEmails},
	{
		table: "email_attempts", key: "email_id, number", column: "outcome", state: "open", since: "created_at",
		after: attemptLife, becomes: "lost", set: "ended_at = now(), updated_at = now()",
	},
	{
		table: "avatars", column: "state", state: "processing", since: "updated_at", after: uploadLife,
		queue: job.TaskQueueAvatar, becomes: "failed",
		set: "reason = '" + watchparty.AvatarReasonLost + "', updated_at = now()",
	},
	{table: "cleanup_runs", column: "state", state: "queued", since: "updated_at", after: queuedRunLife,
		queue: job.TaskQueueMaintenance, act: endLostRun},
	{table: "cleanup_runs", column: "state", state: "running", since: "updated_at", after: runLife,
		queue: job.TaskQueueMaintenance, act: endLostRun},
	{table: "outbox", column: "state", state: "pending", since: "created_at", after: eventLife, becomes: "abandoned",
		set: "updated_at = now()"},
	{table: "webhook_deliveries", column: "state", state: "pending", since: "deadline_at", after: lateDelivery,
		queue: job.TaskQueueWebhooks, becomes: "failed",
		set: "reason = 'lost', next_attempt_at = NULL, ended_at = now(), updated_at = now()"},
	{
		label: "webhook_deliveries off", table: "webhook_deliveries", column: "state", state: "pending",
		since: "updated_at", unless: webhookOn, becomes: "cancelled",
		set: "reason = 'webhook_off', next_attempt_at = NULL, ended_at = now(), updated_at = now()",
	},
	{table: "webhook_attempts", key: "delivery_id, number", column: "outcome", state: "open", since: "created_at",
		after: attemptLife, becomes: "lost", set: "ended_at = now(), updated_at = now()"},
	{table: "parties", column: "state", state: "scheduled", since: "starts_at", after: watchparty.PartyLate,
		becomes: "missed", set: "version = version + 1, ended_at = now(), updated_at = now()", ended: tellMissedParties},
	{table: "users", since: "deleted_at", after: deletionAgain, unless: deletionAskedFor, act: deleteAgain},
}

const lostEmail = "reason = CASE t.reason WHEN '' THEN 'expired' ELSE t.reason END, updated_at = now()"

// pausedLately returns the condition that a queue is paused now, or was within a time.
func pausedLately(queue string, within time.Duration) string {
	pauses := fmt.Sprintf("queue_pauses WHERE queue = '%s' AND", queue)
	if queue == job.TaskQueueEmail {
		pauses = "mail_pauses WHERE"
	}
	return fmt.Sprintf("EXISTS (SELECT FROM %s (resumed_at IS NULL OR resumed_at > now() - make_interval(secs => %d)))",
		pauses, int(within.Seconds()))
}

// deletionRetries is the number of times that the workflow of an account's deletion was due again.
var deletionRetries = fmt.Sprintf("floor(extract(epoch FROM now() - t.deleted_at) / %d)::integer",
	int(deletionAgain.Seconds()))

var deletionAskedFor = "EXISTS (SELECT FROM outbox " +
	"WHERE workflow_id = 'account-deletion/' || t.id || '/' || " + deletionRetries + ")"

// webhookOn is the condition that the webhook of a delivery takes messages.
const webhookOn = "EXISTS (SELECT FROM webhooks AS w WHERE w.id = t.webhook_id AND w.off_at IS NULL " +
	"AND w.deleted_at IS NULL)"

func tellLostEmails(ctx context.Context, tx bun.Tx, ids []string) error {
	var rows []emailRow
	if err := tx.NewSelect().Model(&rows).Where("id IN (?)", bun.List(ids)).Order("id").Scan(ctx); err != nil {
		return err
	}
	tellGivenUp(ctx, rows)
	return nil
}

// tellMissedParties voids what shows the next parties of rooms.
func tellMissedParties(ctx context.Context, tx bun.Tx, ids []string) error {
	var rooms []string
	err := tx.NewSelect().Model((*partyRow)(nil)).ColumnExpr("DISTINCT room_id").Where("y.id IN (?)", bun.List(ids)).
		Scan(ctx, &rooms)
	for _, room := range rooms {
		changesListedRoom(ctx, room)
	}
	return err
}

// endBatch is the maximum number of rows that a transaction ends.
const endBatch = 500

func (l timeLimit) keys() string {
	if l.key == "" {
		return "id"
	}
	return l.key
}

// overdue selects and locks at most endBatch rows whose state is over, the oldest first. It skips rows that somebody
// else has locked; the next call finds them.
func (l timeLimit) overdue() string {
	condition := fmt.Sprintf("t.%s <= now() - make_interval(secs => %d)", l.since, int(l.after.Seconds()))
	if l.column != "" {
		condition += fmt.Sprintf(" AND t.%s = '%s'", l.column, l.state)
	}
	if l.queue != "" {
		condition += " AND NOT " + pausedLately(l.queue, l.after)
	}
	if l.unless != "" {
		condition += " AND NOT " + l.unless
	}
	return fmt.Sprintf("SELECT %s FROM %s AS t WHERE %s ORDER BY t.%s LIMIT %d FOR NO KEY UPDATE SKIP LOCKED", l.keys(),
		l.table, condition, l.since, endBatch)
}

func (l timeLimit) name() string {
	if l.label != "" {
		return l.label
	}
	if l.column == "" {
		return l.table + " " + l.since
	}
	return l.table + " " + l.state
}

// EndOverdue ends all states whose time is over; see timeLimits. It returns the number of rows by table and state, also
// together with an error: one table that fails does not stop the others. Any number of processes may call it at once.
func (s *Store) EndOverdue(ctx context.Context) (map[string]int, error) {
	ended := map[string]int{}
	var failed error
	for _, l := range timeLimits {
		for n := endBatch; n == endBatch; {
			var err error
			if n, err = s.endOverdue(ctx, l); err != nil {
				failed = errors.Join(failed, fmt.Errorf("store: end overdue %s: %w", l.name(), err))
			}
			if n > 0 {
				ended[l.name()] += n
			}
		}
	}
	return ended, failed
}

func (s *Store) endOverdue(ctx context.Context, l timeLimit) (n int, err error) {
	err = s.withEvents(ctx, func(ctx context.Context, tx bun.Tx) (events []job.Event, err error) {
		if l.act == nil {
			n, err = l.endAtOnce(ctx, tx)
			return nil, err
		}
		n, events, err = l.endEach(ctx, tx)
		return events, err
	})
	if err != nil {
		return 0, err
	}
	return n, nil
}

// endAtOnce ends a batch of overdue states by one statement, and returns their number.
func (l timeLimit) endAtOnce(ctx context.Context, tx bun.Tx) (int, error) {
	var ids []string
	err := tx.NewRaw(fmt.Sprintf("WITH overdue AS MATERIALIZED (%s) UPDATE %s AS t SET %s = '%s', %s "+
		"WHERE (%s) IN (SELECT * FROM overdue) RETURNING concat_ws('/', %s)",
		l.overdue(), l.table, l.column, l.becomes, l.set, l.keys(), l.keys())).
		Scan(ctx, &ids)
	if err == nil && len(ids) > 0 && l.ended != nil {
		err = l.ended(ctx, tx, ids)
	}
	return len(ids), err
}

// endEach calls act for each state of a batch of overdue ones. It returns the number of those that act has ended, and
// the events of act.
func (l timeLimit) endEach(ctx context.Context, tx bun.Tx) (n int, events []job.Event, err error) {
	var ids []string
	if err := tx.NewRaw(l.overdue()).Scan(ctx, &ids); err != nil {
		return 0, nil, err
	}
	for _, id := range ids { // few: runs, and deletions that last for a week
		acted, more, err := l.act(ctx, tx, id)
		if err != nil {
			return 0, nil, err
		}
		if acted {
			n++
		}
		events = append(events, more...)
	}
	return n, events, nil
}

// endLostRun ends a lost clean-up run, and stores its report.
func endLostRun(ctx context.Context, tx bun.Tx, id string) (bool, []job.Event, error) {
	var row runRow
	if err := tx.NewSelect().Model(&row).Where("id = ?", id).Scan(ctx); err != nil {
		return false, nil, err
	}
	at := row.Policy
	if at == "" && len(row.Policies) > 0 { // it has not begun
		at = row.Policies[0]
	}
	in := job.FinishCleanupInput{
		RunID:  id,
		Failed: map[watchparty.Policy]string{watchparty.Policy(at): "ended without a report"},
	}
	return true, nil, finishRun(ctx, tx, in, &row)
}

// deleteAgain starts the workflow that removes a deleted account once more. Its steps can be repeated, even while the
// first workflow runs.
func deleteAgain(ctx context.Context, tx bun.Tx, id string) (bool, []job.Event, error) {
	var retries []int
	if err := tx.NewRaw("SELECT "+deletionRetries+" FROM users AS t WHERE t.id = ? AND NOT "+deletionAskedFor, id).
		Scan(ctx, &retries); err != nil || len(retries) == 0 {
		return false, nil, err
	}
	return true, []job.Event{job.RepeatedAccountDeletionEvent(id, retries[0])}, nil
}
