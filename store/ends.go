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

// end gives a state its end by time, by Postgres' clock, should nothing else end it: its workflow was terminated, was
// lost with Temporal's database, or never started. In its parts, t is the table.
type end struct {
	table  string
	key    string // names a row; id unless said otherwise
	column string
	state  string
	since  string        // the column from which on the time counts
	after  time.Duration // the time
	unless string        // a condition under which the state is to last
	// becomes is the state that follows, set what else changes with it.
	becomes string
	set     string
	// act does so in place of them, with the ID of a row that was locked. It reports whether there was anything to do:
	// what unless looks at is not locked.
	act func(ctx context.Context, tx bun.Tx, id string) (bool, []job.Event, error)
}

// How long after its last sign of life a state is taken for lost. Each is far beyond what its workflow needs, and a
// workflow that comes later all the same finds that the row has ended, and ends too.
const (
	// emailLife is longer than an email is tried, which is a day. While emails are paused it does not run.
	emailLife = 7 * 24 * time.Hour
	// attemptLife is longer than an attempt may take, which is a minute.
	attemptLife = time.Hour
	// uploadLife: an upload that is rendered again and again gives a sign of life each minute.
	uploadLife = 24 * time.Hour
	// queuedRunLife is for a run that waits for a worker, runLife for one whose worker notes every batch.
	queuedRunLife = 7 * 24 * time.Hour
	runLife       = 24 * time.Hour
	// eventLife is how long Temporal may refuse an event. Whatever it is about has ended before.
	eventLife = 30 * 24 * time.Hour
	// deletionAgain is how often the end of a deleted account is asked for until its row is gone.
	deletionAgain = 7 * 24 * time.Hour
)

// lostUpload is the reason that the user is shown.
const lostUpload = "The upload was lost. Upload the picture again."

// ends are all states that do not end by themselves. Those of users (deleted_at) have no column of their own: from the
// moment at which an account is deleted its row waits for a workflow.
var ends = []end{
	{table: "invitations", column: "state", state: "open", since: "expires_at", becomes: "expired",
		set: "updated_at = t.expires_at"},
	{table: "emails", column: "state", state: "queued", since: "updated_at", after: emailLife, unless: emailsPausedLately,
		becomes: "failed", set: lostEmail},
	{table: "emails", column: "state", state: "sending", since: "updated_at", after: emailLife,
		unless: emailsPausedLately, becomes: "failed", set: lostEmail},
	{
		table: "email_attempts", key: "email_id, number", column: "outcome", state: "open", since: "created_at",
		after:   attemptLife,
		becomes: "lost", set: "ended_at = now(), updated_at = now()",
	},
	{
		table: "avatars", column: "state", state: "processing", since: "updated_at", after: uploadLife,
		becomes: "failed", set: "reason = '" + lostUpload + "', updated_at = now()",
	},
	{table: "cleanup_runs", column: "state", state: "queued", since: "updated_at", after: queuedRunLife, act: endLostRun},
	{table: "cleanup_runs", column: "state", state: "running", since: "updated_at", after: runLife, act: endLostRun},
	{table: "outbox", column: "state", state: "pending", since: "created_at", after: eventLife, becomes: "abandoned",
		set: "updated_at = now()"},
	{table: "users", since: "deleted_at", after: deletionAgain, unless: deletionAskedFor, act: deleteAgain},
}

const lostEmail = "reason = CASE t.reason WHEN '' THEN 'expired' ELSE t.reason END, updated_at = now()"

// emailsPausedLately: emails are paused, or were within an email's life.
var emailsPausedLately = fmt.Sprintf(
	"EXISTS (SELECT FROM mail_pauses WHERE resumed_at IS NULL OR resumed_at > now() - make_interval(secs => %d))",
	int(emailLife.Seconds()))

// deletionWeek counts the times that an account's deletion was due again.
var deletionWeek = fmt.Sprintf("floor(extract(epoch FROM now() - t.deleted_at) / %d)::integer",
	int(deletionAgain.Seconds()))

var deletionAskedFor = "EXISTS (SELECT FROM outbox WHERE workflow_id = 'account-deletion/' || t.id || '/' || " + deletionWeek + ")"

// endBatch is how many rows of one kind a transaction ends.
const endBatch = 500

func (e end) keys() string {
	if e.key == "" {
		return "id"
	}
	return e.key
}

// overdue chooses at most endBatch rows, the oldest first, and locks them; those that somebody else holds are left to
// the next time.
func (e end) overdue() string {
	condition := fmt.Sprintf("t.%s <= now() - make_interval(secs => %d)", e.since, int(e.after.Seconds()))
	if e.column != "" {
		condition += fmt.Sprintf(" AND t.%s = '%s'", e.column, e.state)
	}
	if e.unless != "" {
		condition += " AND NOT " + e.unless
	}
	return fmt.Sprintf("SELECT %s FROM %s AS t WHERE %s ORDER BY t.%s LIMIT %d FOR NO KEY UPDATE SKIP LOCKED", e.keys(),
		e.table, condition, e.since, endBatch)
}

func (e end) name() string {
	if e.column == "" {
		return e.table + " " + e.since
	}
	return e.table + " " + e.state
}

// EndOverdue ends what time has to end. It returns how many rows that were, by table and state, also beside an error:
// one kind that fails does not keep the others. Any number of processes may call it at once.
func (s *Store) EndOverdue(ctx context.Context) (map[string]int, error) {
	ended := map[string]int{}
	var failed error
	for _, e := range ends {
		for n := endBatch; n == endBatch; {
			var err error
			if n, err = s.endOverdue(ctx, e); err != nil {
				failed = errors.Join(failed, fmt.Errorf("store: end overdue %s: %w", e.name(), err))
			}
			if n > 0 {
				ended[e.name()] += n
			}
		}
	}
	return ended, failed
}

func (s *Store) endOverdue(ctx context.Context, e end) (n int, err error) {
	err = s.withEvents(ctx, func(ctx context.Context, tx bun.Tx) (events []job.Event, err error) {
		n = 0
		if e.act == nil {
			result, err := tx.NewRaw(fmt.Sprintf("WITH overdue AS MATERIALIZED (%s) UPDATE %s AS t SET %s = '%s', %s WHERE (%s) IN (SELECT * FROM overdue)",
				e.overdue(), e.table, e.column, e.becomes, e.set, e.keys())).Exec(ctx)
			if err != nil {
				return nil, err
			}
			rows, err := result.RowsAffected()
			n = int(rows)
			return nil, err
		}
		var ids []string
		if err := tx.NewRaw(e.overdue()).Scan(ctx, &ids); err != nil {
			return nil, err
		}
		for _, id := range ids { // few: runs, and deletions that last for a week
			acted, more, err := e.act(ctx, tx, id)
			if err != nil {
				return nil, err
			}
			if acted {
				n++
			}
			events = append(events, more...)
		}
		return events, nil
	})
	if err != nil {
		return 0, err
	}
	return n, nil
}

// endLostRun ends a run with a report of what it did.
func endLostRun(ctx context.Context, tx bun.Tx, id string) (bool, []job.Event, error) {
	var row runRow
	if err := tx.NewSelect().Model(&row).Where("id = ?", id).Scan(ctx); err != nil {
		return false, nil, err
	}
	in := job.FinishCleanupInput{RunID: id, Failed: map[watchparty.Policy]string{watchparty.Policy(row.Policy): "ended without a report"}}
	return true, nil, finishRun(ctx, tx, in, &row)
}

// deleteAgain asks once more for what a deleted account waits for. Each step of it can be repeated, also beside the
// first.
func deleteAgain(ctx context.Context, tx bun.Tx, id string) (bool, []job.Event, error) {
	var weeks []int
	if err := tx.NewRaw("SELECT "+deletionWeek+" FROM users AS t WHERE t.id = ? AND NOT "+deletionAskedFor, id).
		Scan(ctx, &weeks); err != nil || len(weeks) == 0 {
		return false, nil, err
	}
	return true, []job.Event{job.RepeatAccountDeletion(id, weeks[0])}, nil
}
