package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/coherence"
	"github.com/watchparty/watchparty/workflows/job"
)

type runRow struct {
	bun.BaseModel `bun:"table:cleanup_runs,alias:c"`

	ID          string                         `bun:"id,pk"`
	Trigger     string                         `bun:"trigger"`
	StartedBy   *string                        `bun:"started_by"`
	Policies    []string                       `bun:"policies,array"`
	DryRun      bool                           `bun:"dry_run"`
	OlderThan   int64                          `bun:"older_than_s"`
	State       string                         `bun:"state"`
	Policy      string                         `bun:"policy"`
	Counts      map[watchparty.Policy]int64    `bun:"counts,type:jsonb"`
	Samples     map[watchparty.Policy][]string `bun:"samples,type:jsonb"`
	Errors      map[watchparty.Policy]string   `bun:"errors,type:jsonb"`
	WorkflowID  string                         `bun:"workflow_id"`
	StartedAt   *time.Time                     `bun:"started_at"`
	CancelledAt *time.Time                     `bun:"cancelled_at"`
	FinishedAt  *time.Time                     `bun:"finished_at"`
	CreatedAt   time.Time                      `bun:"created_at"`
	UpdatedAt   time.Time                      `bun:"updated_at"`
	Starter     watchparty.Person              `bun:"starter,type:json,scanonly"`
}

func (r runRow) run() watchparty.CleanupRun {
	policies := make([]watchparty.Policy, 0, len(r.Policies))
	for _, p := range r.Policies {
		policies = append(policies, watchparty.Policy(p))
	}
	return watchparty.CleanupRun{
		ID: r.ID, Trigger: watchparty.Trigger(r.Trigger), StartedBy: r.Starter, Policies: policies,
		DryRun: r.DryRun, OlderThan: time.Duration(r.OlderThan) * time.Second, State: watchparty.RunState(r.State),
		Policy: watchparty.Policy(r.Policy), Counts: r.Counts, Samples: r.Samples, Errors: r.Errors,
		WorkflowID: r.WorkflowID, CreatedAt: r.CreatedAt.UTC(), StartedAt: valueOrZero(r.StartedAt).UTC(),
		CancelledAt: valueOrZero(r.CancelledAt).UTC(), FinishedAt: valueOrZero(r.FinishedAt).UTC(),
	}
}

func newRunRow(id string, trigger watchparty.Trigger, startedBy, workflowID string, in job.CleanupInput) *runRow {
	now := Now()
	row := &runRow{
		ID: id, Trigger: string(trigger), StartedBy: nullID(startedBy), DryRun: in.DryRun, OlderThan: in.OlderThan,
		State: string(watchparty.RunQueued), Counts: map[watchparty.Policy]int64{}, Samples: map[watchparty.Policy][]string{},
		Errors: map[watchparty.Policy]string{}, WorkflowID: workflowID, CreatedAt: now, UpdatedAt: now,
	}
	for _, p := range in.Policies {
		row.Policies = append(row.Policies, string(p))
	}
	return row
}

// CreateRun stores a clean-up run that an admin asks for, and the event that starts its workflow.
func (s *Store) CreateRun(
	ctx context.Context, adminID string, n watchparty.NewRun, key IdempotencyKey,
) (watchparty.CleanupRun, error) {
	in := job.CleanupInput{RunID: newID(), Policies: n.Policies, DryRun: n.DryRun, OlderThan: int64(n.OlderThan.Seconds())}
	row := newRunRow(in.RunID, watchparty.TriggerAdmin, adminID, job.CleanupID(in.RunID), in)
	err := s.withEvents(ctx, func(ctx context.Context, tx bun.Tx) ([]job.Event, error) {
		former, err := claimKey(ctx, tx, key, in.RunID)
		if err != nil {
			return nil, err
		}
		if former != "" {
			return nil, selectRuns(tx, row).Where("c.id = ?", former).Scan(ctx)
		}
		return createRun(ctx, tx, adminID, row, in, map[string]any{})
	})
	return row.run(), wrapErr(err, "create clean-up run")
}

// RepeatRun stores another clean-up run with the parameters of a workflow's run, and the event that starts its
// workflow. A run without policies of its own, which the schedule has started, applies those that are on now. It
// returns ErrNotFound.
func (s *Store) RepeatRun(
	ctx context.Context, adminID, workflowID string, on []watchparty.Policy,
) (watchparty.CleanupRun, error) {
	var row *runRow
	err := s.withEvents(ctx, func(ctx context.Context, tx bun.Tx) ([]job.Event, error) {
		var former runRow
		err := tx.NewSelect().Model(&former).Where("workflow_id = ?", workflowID).Order("id DESC").Limit(1).Scan(ctx)
		if err != nil {
			return nil, err
		}
		was := former.run()
		in := job.CleanupInput{
			RunID: newID(), Policies: was.Policies, DryRun: was.DryRun, OlderThan: int64(was.OlderThan.Seconds()),
		}
		if len(in.Policies) == 0 {
			in.Policies = on
		}
		row = newRunRow(in.RunID, watchparty.TriggerAdmin, adminID, job.CleanupID(in.RunID), in)
		return createRun(ctx, tx, adminID, row, in, map[string]any{"again": was.ID})
	})
	if err != nil {
		return watchparty.CleanupRun{}, wrapErr(err, "run clean-up again")
	}
	return row.run(), nil
}

func createRun(
	ctx context.Context, tx bun.Tx, adminID string, row *runRow, in job.CleanupInput, details map[string]any,
) ([]job.Event, error) {
	err := tx.NewInsert().Model(row).Returning(personOf("cleanup_runs.started_by") + " AS starter").Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("store: queue clean-up run: %w", err)
	}
	details["policies"], details["dry_run"] = in.Policies, in.DryRun
	if in.OlderThan > 0 {
		details["older_than"] = (time.Duration(in.OlderThan) * time.Second).String()
	}
	err = audit(ctx, tx, adminID, watchparty.AuditCleanupStarted, watchparty.AuditCleanupRun, in.RunID, details)
	return []job.Event{job.CleanupEvent(in)}, err
}

// CancelRun cancels a run: it waits for the end of the run's current batch, and no batch begins after it has returned.
// It succeeds for a run that is cancelled already. It returns ErrNotFound and ErrRunEnded.
func (s *Store) CancelRun(ctx context.Context, adminID, id string) (watchparty.CleanupRun, error) {
	var row runRow
	err := s.inTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		row = runRow{}
		err := selectRuns(tx, &row).Where("c.id = ?", id).For("UPDATE").Scan(ctx)
		switch {
		case err != nil:
			return err
		case row.FinishedAt != nil:
			return watchparty.ErrRunEnded
		case row.CancelledAt != nil:
			return nil
		}
		err = tx.NewUpdate().Model(&row).Set("cancelled_at = now()").Set("updated_at = now()").WherePK().Returning("*").
			Scan(ctx)
		if err != nil {
			return err
		}
		return audit(ctx, tx, adminID, watchparty.AuditCleanupCancelled, watchparty.AuditCleanupRun, id, nil)
	})
	return row.run(), wrapErr(err, "cancel clean-up run")
}

// BeginRun marks a run as running. It stores the run first if the schedule started it, which CreateRun does not know
// of. A repeated call changes nothing.
func (s *Store) BeginRun(ctx context.Context, in job.CleanupInput, workflowID string) error {
	row := newRunRow(in.RunID, watchparty.TriggerSchedule, "", workflowID, in)
	_, err := s.db.NewInsert().Model(row).On("CONFLICT (id) DO NOTHING").Exec(ctx)
	if err != nil {
		return fmt.Errorf("store: begin clean-up run: %w", err)
	}
	_, err = s.db.NewUpdate().Model((*runRow)(nil)).Set("state = 'running'").Set("started_at = now()").
		Set("updated_at = now()").
		Where("id = ? AND state = 'queued'", in.RunID).Exec(ctx)
	if err != nil {
		return fmt.Errorf("store: begin clean-up run: %w", err)
	}
	return nil
}

// selectRuns selects clean-up runs with those who started them.
func selectRuns(db bun.IDB, rows any) *bun.SelectQuery {
	return db.NewSelect().Model(rows).ColumnExpr("c.*").ColumnExpr(personOf("c.started_by") + " AS starter")
}

// Run finds a clean-up run by its ID.
func (s *Store) Run(ctx context.Context, id string) (watchparty.CleanupRun, error) {
	var row runRow
	err := selectRuns(s.db, &row).Where("c.id = ?", id).Scan(ctx)
	return row.run(), wrapErr(err, "clean-up run")
}

// Runs lists clean-up runs, newest first.
func (s *Store) Runs(ctx context.Context, p Page) ([]watchparty.CleanupRun, error) {
	var rows []runRow
	if err := p.of(selectRuns(s.db, &rows), descending, "c.created_at", "c.id").Scan(ctx); err != nil {
		return nil, fmt.Errorf("store: clean-up runs: %w", err)
	}
	return mapRows(rows, runRow.run), nil
}

// Batch is the result of one batch of a policy.
type Batch struct {
	Rows int    // the number of rows that were deleted or changed
	More bool   // whether the batch found old rows; if it found none, the policy is done
	Next Cursor // where the next batch begins
}

// Cursor is the place in a policy at which the next batch begins, so that it does not read index entries of rows that
// former batches have deleted. The zero value is the beginning; a policy may begin there again at any time.
type Cursor struct {
	rule int    // the index of the current rule
	from string // the value of the rule's column by in the last row that a batch has chosen
}

// CleanupBatch applies a policy to at most limit rows that are older than the threshold. It adds their number to the
// run's counts in the same transaction, so that a repeated attempt counts no row twice. For a run that was cancelled or
// has ended it does nothing, so that the counts remain those of the run's report. at is the field Next of the former
// batch.
func (s *Store) CleanupBatch(
	ctx context.Context, runID string, policy watchparty.Policy, threshold time.Time, limit int, at Cursor,
) (b Batch, err error) {
	if rules[policy] == nil {
		return Batch{}, fmt.Errorf("store: clean-up: unknown policy %q", policy)
	}
	err = s.withEvents(ctx, func(ctx context.Context, tx bun.Tx) (events []job.Event, err error) {
		b = Batch{}
		open, err := lockRun(ctx, tx, runID)
		if err != nil || !open {
			return nil, err
		}
		counted := 0
		for i := at.rule; i < len(rules[policy]); i++ {
			r, before := rules[policy][i], b.Rows
			b.Next = Cursor{rule: i}
			if i == at.rule {
				b.Next.from = at.from
			}
			if events, err = r.batch(ctx, tx, threshold, limit, &b); err != nil {
				return nil, err
			}
			if !r.part {
				counted += b.Rows - before
			}
			if b.More {
				break
			}
		}
		b.Rows = counted
		return events, addCount(ctx, tx, runID, policy, int64(counted))
	})
	if err != nil {
		return Batch{}, fmt.Errorf("store: clean-up %s: %w", policy, err)
	}
	return b, nil
}

// batch locks old rows, and then checks with a second statement that they are still old. The first statement sees other
// tables as they were when it began, and a person who returns to a room meanwhile changes participants. Once the rows
// are locked, nobody can change that until the batch ends.
func (r rule) batch(ctx context.Context, tx bun.Tx, threshold time.Time, limit int, b *Batch) ([]job.Event, error) {
	choose := r.lock
	if r.users {
		limit, choose = min(limit, userBatch), r.chooseAccounts
	}
	chosen, err := choose(ctx, tx, threshold, limit, &b.Next)
	if err != nil || len(chosen) == 0 {
		return nil, err
	}
	b.More = true
	if r.users {
		return r.deleteAccounts(ctx, tx, threshold, chosen, b)
	}
	return nil, r.change(ctx, tx, threshold, chosen, b)
}

// change applies the rule to those of the chosen rows that are still old.
func (r rule) change(ctx context.Context, tx bun.Tx, threshold time.Time, chosen []string, b *Batch) error {
	keys := make([][]string, 0, len(chosen))
	for _, key := range chosen {
		keys = append(keys, strings.Split(key, "/"))
	}
	if r.table == "rooms" && r.set == "" {
		if err := clearRooms(ctx, tx, chosen); err != nil {
			return err
		}
	}
	var touched []string
	if err := tx.NewRaw(r.apply(), threshold, bun.Tuple(keys)).Scan(ctx, &touched); err != nil {
		return err
	}
	b.Rows += len(touched)
	switch {
	case r.chat:
		for _, room := range touched {
			changes(ctx, coherence.TagMessages(room))
		}
	case r.room != "":
		changes(ctx, coherence.TagsOfRooms(touched)...)
	}
	return nil
}

// clearRooms deletes the rows that refer to rooms, before the rooms are deleted. The foreign keys would do it, too, but
// room by room, and not in the order of locks.
func clearRooms(ctx context.Context, tx bun.Tx, roomIDs []string) error {
	if err := removeEverybody(ctx, tx, roomIDs); err != nil {
		return err
	}
	for _, table := range []string{"messages", "room_log", "invitations"} {
		_, err := tx.NewRaw("DELETE FROM ?0 WHERE id IN (SELECT id FROM ?0 WHERE room_id IN (?1) ORDER BY id FOR UPDATE)",
			bun.Ident(table), bun.List(roomIDs)).Exec(ctx)
		if err != nil {
			return fmt.Errorf("store: clear rooms: %w", err)
		}
	}
	return nil
}

// lock chooses and locks old rows from the cursor on, and moves the cursor to the last of them. If there are none, it
// begins once more without the cursor: rows before it may have been locked by somebody else, or be of another room.
func (r rule) lock(ctx context.Context, tx bun.Tx, threshold time.Time, limit int, at *Cursor) ([]string, error) {
	for _, from := range slices.Compact([]string{at.from, ""}) {
		var chosen, places []string
		if err := tx.NewRaw(r.selectAndLock(from), threshold, limit, from).Scan(ctx, &chosen, &places); err != nil {
			return nil, err
		}
		if len(chosen) > 0 {
			at.from = places[len(places)-1]
			return chosen, nil
		}
	}
	return nil, nil
}

// deleteAccounts deletes those of the chosen accounts that are still old. It skips accounts that somebody else has
// locked meanwhile.
func (r rule) deleteAccounts(
	ctx context.Context, tx bun.Tx, threshold time.Time, chosen []string, b *Batch,
) ([]job.Event, error) {
	deletion, err := beginDeletion(ctx, tx, "deleted_at IS NULL", true, chosen...)
	if err != nil || len(deletion.users) == 0 {
		return nil, err
	}
	var still []string
	locked := mapRows(deletion.users, func(u userRow) string { return u.ID })
	err = tx.NewRaw("SELECT id FROM users AS t WHERE t.id IN (?1) AND "+r.old, threshold, bun.List(locked)).
		Scan(ctx, &still)
	if err != nil {
		return nil, err
	}
	deletion.users = slices.DeleteFunc(deletion.users, func(u userRow) bool { return !slices.Contains(still, u.ID) })
	b.Rows += len(deletion.users) // userBatch at most
	return deletion.run(ctx, tx)
}

// chooseAccounts chooses old accounts that nobody else has locked, and leaves them unlocked: rooms are locked before
// accounts. The rollback to a savepoint releases the locks that the choice has taken.
func (r rule) chooseAccounts(
	ctx context.Context, tx bun.Tx, threshold time.Time, limit int, at *Cursor,
) ([]string, error) {
	savepoint, err := tx.BeginTx(ctx, nil)
	if err != nil {
		return nil, err
	}
	chosen, err := r.lock(ctx, savepoint, threshold, limit, at)
	return chosen, errors.Join(err, savepoint.Rollback())
}

// lockRun locks a run's row, and reports whether the run may go on. Because of the lock, no two batches of a run
// overlap, and CancelRun waits for the end of a batch. The row is updated only once in the transaction, at its end: a
// second update of a row would make Postgres check its foreign keys, which locks the account in started_by, after all
// other rows.
func lockRun(ctx context.Context, tx bun.Tx, runID string) (bool, error) {
	err := tx.NewSelect().Model((*runRow)(nil)).Column("id").
		Where("id = ? AND cancelled_at IS NULL AND finished_at IS NULL", runID).For("NO KEY UPDATE").Scan(ctx, new(string))
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}

// CountCleanup stores, for a dry run, how many rows a policy would apply to, and the keys of at most MaxSamples of
// them.
func (s *Store) CountCleanup(ctx context.Context, runID string, policy watchparty.Policy, threshold time.Time) error {
	if rules[policy] == nil {
		return fmt.Errorf("store: clean-up: unknown policy %q", policy)
	}
	err := s.inTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		open, err := lockRun(ctx, tx, runID)
		if err != nil || !open {
			return err
		}
		var total int64
		samples := []string{}
		for _, r := range rules[policy] {
			if r.part {
				continue
			}
			var n int64
			if err := tx.NewRaw(r.selectCount(), threshold).Scan(ctx, &n); err != nil {
				return err
			}
			var some []string
			if err := tx.NewRaw(r.selectSamples(), threshold, MaxSamples-len(samples)).Scan(ctx, &some); err != nil {
				return err
			}
			total += n
			samples = append(samples, some...)
		}
		return setCount(ctx, tx, runID, policy, total, samples)
	})
	if err != nil {
		return fmt.Errorf("store: count %s: %w", policy, err)
	}
	return nil
}

// EnterPolicy stores which policy a run applies now. It reports whether the run may go on: it was not cancelled and has
// not ended.
func (s *Store) EnterPolicy(ctx context.Context, runID string, policy watchparty.Policy) (bool, error) {
	result, err := s.db.NewUpdate().Model((*runRow)(nil)).Set("policy = ?", string(policy)).Set("updated_at = now()").
		Where("id = ? AND cancelled_at IS NULL AND finished_at IS NULL", runID).Exec(ctx)
	if err != nil {
		return false, fmt.Errorf("store: enter %s: %w", policy, err)
	}
	return affected(result), nil
}

// SetCleanupCount stores, for a dry run, the number of things outside of the database that a policy would remove, and
// the names of at most MaxSamples of them.
func (s *Store) SetCleanupCount(
	ctx context.Context, runID string, policy watchparty.Policy, n int64, samples []string,
) error {
	if err := setCount(ctx, s.db, runID, policy, n, samples); err != nil {
		return fmt.Errorf("store: count %s: %w", policy, err)
	}
	return nil
}

func setCount(
	ctx context.Context, db bun.IDB, runID string, policy watchparty.Policy, n int64, samples []string,
) error {
	names, err := json.Marshal(append([]string{}, samples...)) // [], not null, for none
	if err != nil {
		return err
	}
	_, err = db.NewUpdate().Model((*runRow)(nil)).
		Set("counts = counts || jsonb_build_object(?::text, ?::bigint)", string(policy), n).
		Set("samples = samples || jsonb_build_object(?::text, ?::jsonb)", string(policy), string(names)).
		Set("policy = CASE WHEN finished_at IS NULL THEN ? ELSE policy END", string(policy)).
		Set("updated_at = now()").Where("id = ?", runID).Exec(ctx)
	return err
}

// AddCleanupCount adds to the number of things outside of the database that a run has removed.
func (s *Store) AddCleanupCount(ctx context.Context, runID string, policy watchparty.Policy, n int64) error {
	err := s.inTx(ctx, func(ctx context.Context, tx bun.Tx) error { return addCount(ctx, tx, runID, policy, n) })
	if err != nil {
		return fmt.Errorf("store: add to the count of %s: %w", policy, err)
	}
	return nil
}

func addCount(ctx context.Context, tx bun.Tx, runID string, policy watchparty.Policy, n int64) error {
	_, err := tx.NewUpdate().Model((*runRow)(nil)).
		Set("counts = counts || jsonb_build_object(?0::text, coalesce((counts->>?0)::bigint, 0) + ?1)", string(policy), n).
		Set("policy = CASE WHEN finished_at IS NULL THEN ?0 ELSE policy END", string(policy)).Set("updated_at = now()").
		Where("id = ?", runID).Exec(ctx)
	return err
}

// FinishRun ends a run and stores its report. The run's state becomes cancelled if it was cancelled, else failed if a
// policy failed, else completed. A repeated call changes nothing.
func (s *Store) FinishRun(ctx context.Context, in job.FinishCleanupInput) (watchparty.CleanupRun, error) {
	var row runRow
	err := s.inTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		row = runRow{}
		if err := selectRuns(tx, &row).Where("c.id = ?", in.RunID).For("UPDATE").Scan(ctx); err != nil {
			return err
		}
		return finishRun(ctx, tx, in, &row)
	})
	return row.run(), wrapErr(err, "finish clean-up run")
}

// finishRun ends a run whose row is locked, unless it has ended.
func finishRun(ctx context.Context, tx bun.Tx, in job.FinishCleanupInput, row *runRow) error {
	if row.FinishedAt != nil {
		return nil
	}
	now := Now()
	row.FinishedAt, row.UpdatedAt, row.Policy, row.State = &now, now, "", string(watchparty.RunCompleted)
	if len(in.Failed) > 0 {
		row.State, row.Errors = string(watchparty.RunFailed), in.Failed
	}
	if in.Cancelled && row.CancelledAt == nil {
		row.CancelledAt = &now
	}
	if row.CancelledAt != nil {
		row.State = string(watchparty.RunCancelled)
	}
	_, err := tx.NewUpdate().Model(row).Column("finished_at", "cancelled_at", "updated_at", "policy", "state", "errors").
		WherePK().Exec(ctx)
	if err != nil {
		return err
	}
	tell(ctx, watchparty.WebhookEvent{
		Kind: watchparty.WebhookCleanupEnded, Data: watchparty.CleanupEndedData{
			RunID: row.ID, Trigger: watchparty.Trigger(row.Trigger), DryRun: row.DryRun,
			State: watchparty.RunState(row.State), Counts: row.Counts,
			FailedPolicies: append([]watchparty.Policy{}, slices.Sorted(maps.Keys(row.Errors))...),
		},
	})
	return addCleanupReport(ctx, tx, *row)
}
