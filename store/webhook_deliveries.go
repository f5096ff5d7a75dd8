package store

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/workflows/job"
)

type deliveryRow struct {
	bun.BaseModel `bun:"table:webhook_deliveries,alias:d"`

	ID            string     `bun:"id,pk"`
	WebhookID     string     `bun:"webhook_id"`
	EventID       string     `bun:"event_id"`
	Kind          string     `bun:"kind"`
	Body          string     `bun:"body"`
	State         string     `bun:"state"`
	Reason        string     `bun:"reason"`
	Round         int        `bun:"round"`
	Attempts      int        `bun:"attempts"`
	RoundAttempts int        `bun:"round_attempts"`
	LastStatus    int        `bun:"last_status"`
	NextAt        *time.Time `bun:"next_attempt_at"`
	DeadlineAt    time.Time  `bun:"deadline_at"`
	WorkflowID    string     `bun:"workflow_id"`
	EndedAt       *time.Time `bun:"ended_at"`
	CreatedAt     time.Time  `bun:"created_at"`
	UpdatedAt     time.Time  `bun:"updated_at"`
}

func (r deliveryRow) delivery() watchparty.WebhookDelivery {
	d := watchparty.WebhookDelivery{
		ID: r.ID, WebhookID: r.WebhookID, EventID: r.EventID, Kind: watchparty.WebhookKind(r.Kind), Body: r.Body,
		State: watchparty.WebhookState(r.State), Reason: watchparty.WebhookReason(r.Reason), Attempts: r.Attempts,
		LastStatus: r.LastStatus, WorkflowID: r.WorkflowID, EndedAt: valueOrZero(r.EndedAt), CreatedAt: r.CreatedAt,
		UpdatedAt: r.UpdatedAt,
	}
	if d.State == watchparty.WebhookPending {
		d.NextAt, d.DeadlineAt = valueOrZero(r.NextAt), r.DeadlineAt
	}
	utc(&d.NextAt, &d.DeadlineAt, &d.EndedAt, &d.CreatedAt, &d.UpdatedAt)
	return d
}

type webhookAttemptRow struct {
	bun.BaseModel `bun:"table:webhook_attempts,alias:a"`

	DeliveryID string     `bun:"delivery_id,pk"`
	Number     int        `bun:"number,pk"`
	Outcome    string     `bun:"outcome"`
	Status     int        `bun:"http_status"`
	EndedAt    *time.Time `bun:"ended_at"`
	CreatedAt  time.Time  `bun:"created_at"`
}

func (r webhookAttemptRow) attempt() watchparty.WebhookAttempt {
	return watchparty.WebhookAttempt{
		Number: r.Number, Outcome: watchparty.WebhookOutcome(r.Outcome), Status: r.Status,
		StartedAt: r.CreatedAt.UTC(), EndedAt: valueOrZero(r.EndedAt).UTC(),
	}
}

// selectDeliveries selects deliveries to webhooks that are not removed.
func selectDeliveries(db bun.IDB, rows any) *bun.SelectQuery {
	return db.NewSelect().Model(rows).
		Where("EXISTS (SELECT FROM webhooks AS w WHERE w.id = d.webhook_id AND w.deleted_at IS NULL)")
}

// WebhookDeliveries lists the deliveries to a webhook, newest first.
func (s *Store) WebhookDeliveries(
	ctx context.Context, webhookID string, f watchparty.WebhookDeliveryFilter, p Page,
) ([]watchparty.WebhookDelivery, error) {
	var rows []deliveryRow
	q := s.db.NewSelect().Model(&rows).Where("d.webhook_id = ?", webhookID)
	if f.State != "" {
		q = q.Where("d.state = ?", string(f.State))
	}
	if f.Kind != "" {
		q = q.Where("d.kind = ?", string(f.Kind))
	}
	if !f.From.IsZero() {
		q = q.Where("d.created_at >= ?", f.From)
	}
	if !f.To.IsZero() {
		q = q.Where("d.created_at < ?", f.To)
	}
	if err := p.of(q, descending, "d.id").Scan(ctx); err != nil {
		return nil, fmt.Errorf("store: webhook deliveries: %w", err)
	}
	return mapRows(rows, deliveryRow.delivery), nil
}

// WebhookDelivery finds a delivery by its ID. It returns ErrNotFound.
func (s *Store) WebhookDelivery(ctx context.Context, id string) (watchparty.WebhookDelivery, error) {
	var row deliveryRow
	err := selectDeliveries(s.db, &row).Where("d.id = ?", id).Scan(ctx)
	return row.delivery(), wrapErr(err, "webhook delivery")
}

// WebhookAttempts lists all attempts of a delivery, the first one first.
func (s *Store) WebhookAttempts(ctx context.Context, id string) ([]watchparty.WebhookAttempt, error) {
	var rows []webhookAttemptRow
	err := s.db.NewSelect().Model(&rows).Where("delivery_id = ?", id).Order("number DESC").Limit(maxShownAttempts).
		Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("store: webhook attempts: %w", err)
	}
	attempts := make([]watchparty.WebhookAttempt, len(rows))
	for i, row := range rows {
		attempts[len(rows)-1-i] = row.attempt()
	}
	return attempts, nil
}

// maxShownAttempts limits the attempts of a delivery that was repeated many times: the latest ones are shown.
const maxShownAttempts = 100

// TestWebhook queues a message that tries a webhook. It returns ErrNotFound and ErrWebhookOff.
func (s *Store) TestWebhook(ctx context.Context, adminID, id string) (watchparty.WebhookDelivery, error) {
	var row deliveryRow
	err := s.withEvent(ctx, func(ctx context.Context, tx bun.Tx) (job.Event, error) {
		if err := requireAdmin(ctx, tx, adminID); err != nil {
			return job.Event{}, err
		}
		hook, err := lockWebhook(ctx, tx, id)
		if err != nil {
			return job.Event{}, err
		}
		if hook.OffAt != nil {
			return job.Event{}, watchparty.ErrWebhookOff
		}
		test := watchparty.WebhookEvent{
			Kind: watchparty.WebhookTestRequested, Data: watchparty.WebhookTestData{WebhookID: id},
		}
		if row, err = newDelivery(test, newID(), id, Now()); err != nil {
			return job.Event{}, err
		}
		if _, err := tx.NewInsert().Model(&row).Exec(ctx); err != nil {
			return job.Event{}, err
		}
		err = audit(ctx, tx, adminID, watchparty.AuditWebhookTested, watchparty.AuditWebhook, id,
			map[string]any{"delivery_id": row.ID})
		return job.WebhookDeliveryEvent(row.ID, row.Round), err
	})
	return row.delivery(), wrapErr(err, "test webhook")
}

// RedeliverWebhook begins a delivery that has ended anew, under the same event ID. It returns ErrNotFound,
// ErrWebhookOff and ErrDeliveryOpen.
func (s *Store) RedeliverWebhook(ctx context.Context, adminID, id string) (watchparty.WebhookDelivery, error) {
	var row deliveryRow
	err := s.withEvents(ctx, func(ctx context.Context, tx bun.Tx) ([]job.Event, error) {
		if err := requireAdmin(ctx, tx, adminID); err != nil {
			return nil, err
		}
		var hook string
		if err := tx.NewRaw("SELECT webhook_id FROM webhook_deliveries WHERE id = ?", id).Scan(ctx, &hook); err != nil {
			return nil, err
		}
		if err := mayDeliver(ctx, tx, hook); err != nil {
			return nil, err
		}
		if err := tx.NewSelect().Model(&row).Where("id = ?", id).For("NO KEY UPDATE").Scan(ctx); err != nil {
			return nil, err
		}
		if row.EndedAt == nil {
			return nil, watchparty.ErrDeliveryOpen
		}
		events, err := deliverAgain(ctx, tx, []string{id}, &row)
		if err != nil {
			return nil, err
		}
		return events, audit(ctx, tx, adminID, watchparty.AuditWebhookRedelivered, watchparty.AuditWebhookDelivery, id,
			map[string]any{"kind": row.Kind})
	})
	return row.delivery(), wrapErr(err, "redeliver webhook")
}

// mayDeliver locks a webhook, and returns ErrNotFound or ErrWebhookOff if nothing can be sent to it.
func mayDeliver(ctx context.Context, tx bun.Tx, id string) error {
	hook, err := lockWebhook(ctx, tx, id)
	if err == nil && hook.OffAt != nil {
		err = watchparty.ErrWebhookOff
	}
	return err
}

// deliverAgain begins locked deliveries anew, and reads them into rows, a slice or one. It returns the events of their
// workflows.
func deliverAgain(ctx context.Context, tx bun.Tx, ids []string, rows any) ([]job.Event, error) {
	var begun []struct {
		ID    string `bun:"id"`
		Round int    `bun:"round"`
	}
	err := tx.NewRaw(`
		UPDATE webhook_deliveries SET state = 'pending', reason = '', round = round + 1, round_attempts = 0,
			next_attempt_at = NULL, ended_at = NULL, deadline_at = now() + make_interval(secs => ?0), updated_at = now(),
			workflow_id = ?1 || id || '/' || (round + 1)
		WHERE id IN (?2) RETURNING id, round`, deliveryLife.Seconds(), job.WebhookDeliveryPrefix, bun.List(ids)).
		Scan(ctx, &begun)
	if err != nil {
		return nil, fmt.Errorf("store: deliver again: %w", err)
	}
	events := make([]job.Event, 0, len(begun))
	for _, b := range begun {
		events = append(events, job.WebhookDeliveryEvent(b.ID, b.Round))
	}
	if rows == nil {
		return events, nil
	}
	return events, tx.NewSelect().Model(rows).Where("id IN (?)", bun.List(ids)).Scan(ctx)
}

// Replayed is what a request to replay has queued.
type Replayed struct {
	Queued int
	More   bool // whether there are deliveries left
}

// ReplayWebhook begins those deliveries to a webhook anew whose event was at a time or later and that were given up, or
// never tried: the oldest first, watchparty.MaxReplay at most. It returns ErrNotFound and ErrWebhookOff.
func (s *Store) ReplayWebhook(ctx context.Context, adminID, id string, since time.Time) (Replayed, error) {
	var done Replayed
	err := s.withEvents(ctx, func(ctx context.Context, tx bun.Tx) ([]job.Event, error) {
		done = Replayed{}
		if err := requireAdmin(ctx, tx, adminID); err != nil {
			return nil, err
		}
		if err := mayDeliver(ctx, tx, id); err != nil {
			return nil, err
		}
		var ids []string
		err := tx.NewSelect().Model((*deliveryRow)(nil)).Column("id").
			Where("webhook_id = ? AND state IN (?) AND created_at >= ?", id, bun.List(missedStates), since).
			Order("id").Limit(watchparty.MaxReplay+1).For("NO KEY UPDATE SKIP LOCKED").Scan(ctx, &ids)
		if err != nil || len(ids) == 0 {
			return nil, err
		}
		if done.More = len(ids) > watchparty.MaxReplay; done.More {
			ids = ids[:watchparty.MaxReplay]
		}
		done.Queued = len(ids)
		events, err := deliverAgain(ctx, tx, ids, nil)
		if err != nil {
			return nil, err
		}
		return events, audit(ctx, tx, adminID, watchparty.AuditWebhookReplayed, watchparty.AuditWebhook, id,
			map[string]any{"since": since.UTC().Format(time.RFC3339), "queued": done.Queued})
	})
	return done, wrapErr(err, "replay webhook")
}

// WebhookWork is an attempt that has begun.
type WebhookWork struct {
	Delivery watchparty.WebhookDelivery
	URL      string
	Keys     [][]byte // signing keys, the current one first
	Number   int      // number of the attempt; 0 if there is none, since the delivery has ended or was restarted
	Round    int      // how often the delivery was started
	InRound  int      // number of the attempt in this round, from 1

	Cancelled bool // BeginWebhookAttempt has cancelled the delivery, since the webhook is off
}

// BeginWebhookAttempt stores that an attempt begins. A former attempt that is still open was lost with its process. A
// delivery to a webhook that is off is cancelled. It returns ErrNotFound.
func (s *Store) BeginWebhookAttempt(ctx context.Context, id string, round int) (WebhookWork, error) {
	var work WebhookWork
	err := s.inTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		work = WebhookWork{}
		var row deliveryRow
		if err := tx.NewSelect().Model(&row).Where("id = ?", id).For("NO KEY UPDATE").Scan(ctx); err != nil {
			return err
		}
		work.Delivery = row.delivery()
		if row.Round != round || row.State != string(watchparty.WebhookPending) {
			return nil
		}
		var hook webhookRow
		if err := tx.NewSelect().Model(&hook).Where("id = ?", row.WebhookID).Scan(ctx); err != nil {
			return err
		}
		if hook.OffAt != nil || hook.DeletedAt != nil {
			err := endDelivery(ctx, tx, &row, watchparty.WebhookCancelled, watchparty.WebhookReasonOff)
			work.Delivery, work.Cancelled = row.delivery(), true
			return err
		}
		keys, err := s.signingKeys(hook)
		if err != nil {
			return err
		}
		if err := countWebhookAttempt(ctx, tx, &row); err != nil {
			return err
		}
		work = WebhookWork{
			Delivery: row.delivery(), URL: hook.URL, Keys: keys, Number: row.Attempts, Round: row.Round,
			InRound: row.RoundAttempts,
		}
		return nil
	})
	return work, wrapErr(err, "begin webhook attempt")
}

func countWebhookAttempt(ctx context.Context, tx bun.Tx, row *deliveryRow) error {
	_, err := tx.NewRaw("UPDATE webhook_attempts SET outcome = 'lost', ended_at = now(), updated_at = now() "+
		"WHERE delivery_id = ? AND outcome = 'open'", row.ID).Exec(ctx)
	if err != nil {
		return err
	}
	err = tx.NewUpdate().Model(row).Set("attempts = attempts + 1, round_attempts = round_attempts + 1").
		Set("next_attempt_at = NULL").Set("updated_at = now()").WherePK().Returning("*").Scan(ctx)
	if err != nil {
		return err
	}
	_, err = tx.NewRaw("INSERT INTO webhook_attempts (delivery_id, number) VALUES (?, ?)", row.ID, row.Attempts).Exec(ctx)
	return err
}

// endDelivery ends a locked delivery.
func endDelivery(
	ctx context.Context, tx bun.Tx, row *deliveryRow, state watchparty.WebhookState, why watchparty.WebhookReason,
) error {
	return tx.NewUpdate().Model(row).Set("state = ?", string(state)).Set("reason = ?", string(why)).
		Set("next_attempt_at = NULL").Set("ended_at = now()").Set("updated_at = now()").WherePK().Returning("*").Scan(ctx)
}

// minFailures is the number of failures in a row without which no webhook is switched off.
const minFailures = 10

// WebhookResult is what became of an attempt.
type WebhookResult struct {
	Outcome watchparty.WebhookOutcome
	Status  int
	// Next is the time to the next attempt after a failure; 0 if none follows.
	Next time.Duration
	// OffAfter is how long a webhook may fail before it is switched off.
	OffAfter time.Duration
}

// EndWebhookAttempt stores the outcome of an attempt, and what follows from it for the delivery and the webhook. It
// returns the delivery, and why the webhook was switched off if it was.
func (s *Store) EndWebhookAttempt(
	ctx context.Context, work WebhookWork, r WebhookResult,
) (after watchparty.WebhookDelivery, off watchparty.WebhookOff, err error) {
	err = s.inTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		off = ""
		why, err := judgeWebhook(ctx, tx, work.Delivery.WebhookID, r)
		if err != nil {
			return err
		}
		var row deliveryRow
		if err := tx.NewSelect().Model(&row).Where("id = ?", work.Delivery.ID).For("NO KEY UPDATE").Scan(ctx); err != nil {
			return err
		}
		_, err = tx.NewRaw("UPDATE webhook_attempts SET outcome = ?, http_status = ?, ended_at = now(), updated_at = now() "+
			"WHERE delivery_id = ? AND number = ?", string(r.Outcome), r.Status, row.ID, work.Number).Exec(ctx)
		if err != nil {
			return err
		}
		if err := applyResult(ctx, tx, &row, work, r, why); err != nil {
			return err
		}
		after = row.delivery()
		if why == "" {
			return nil
		}
		off = why
		return switchOff(ctx, tx, "", row.WebhookID, why)
	})
	return after, off, wrapErr(err, "end webhook attempt")
}

// applyResult stores what an attempt means for its delivery. A delivery that has begun anew meanwhile stays as it is. A
// success counts even if the delivery was cancelled meanwhile.
func applyResult(
	ctx context.Context, tx bun.Tx, row *deliveryRow, work WebhookWork, r WebhookResult, off watchparty.WebhookOff,
) error {
	if row.Attempts != work.Number {
		return nil
	}
	_, err := tx.NewUpdate().Model(row).Set("last_status = ?", r.Status).WherePK().Returning("*").Exec(ctx)
	if err != nil {
		return err
	}
	if r.Outcome == watchparty.WebhookOutcomeDelivered {
		return endDelivery(ctx, tx, row, watchparty.WebhookDelivered, "")
	}
	switch {
	case row.State != string(watchparty.WebhookPending), row.Round != work.Round:
		return nil
	case r.Outcome == watchparty.WebhookOutcomeGone:
		return endDelivery(ctx, tx, row, watchparty.WebhookFailed, watchparty.WebhookReasonGone)
	case off != "":
		return endDelivery(ctx, tx, row, watchparty.WebhookCancelled, watchparty.WebhookReasonOff)
	case r.Next == 0:
		return endDelivery(ctx, tx, row, watchparty.WebhookFailed, watchparty.WebhookReasonAttempts)
	}
	return tx.NewUpdate().Model(row).Set("next_attempt_at = now() + ? * interval '1 us'", r.Next.Microseconds()).
		Set("updated_at = now()").WherePK().Returning("*").Scan(ctx)
}

// judgeWebhook stores what an attempt says about its webhook. It returns the reason to switch it off, if there is one.
func judgeWebhook(ctx context.Context, tx bun.Tx, id string, r WebhookResult) (off watchparty.WebhookOff, err error) {
	if r.Outcome == watchparty.WebhookOutcomeDelivered {
		_, err = tx.NewRaw(`UPDATE webhooks SET failing_since = NULL, failures = 0, delivered_at = now() WHERE id = ? AND
			(failing_since IS NOT NULL OR delivered_at IS NULL OR delivered_at < now() - interval '1 min')`, id).Exec(ctx)
		return "", err
	}
	var row webhookRow
	err = tx.NewUpdate().Model(&row).Set("failing_since = coalesce(failing_since, now())").Set("failures = failures + 1").
		Where("id = ?", id).Returning("*").Scan(ctx)
	switch {
	case err != nil, row.OffAt != nil, row.DeletedAt != nil:
		return "", err
	case r.Outcome == watchparty.WebhookOutcomeGone:
		return watchparty.WebhookOffGone, nil
	case row.Failures >= minFailures && Now().Sub(valueOrZero(row.FailingSince)) >= r.OffAfter:
		return watchparty.WebhookOffFailing, nil
	}
	return "", nil
}

// CancelWebhookDelivery ends a delivery whose job was ended by an admin. It changes nothing once the delivery has ended
// or begun anew.
func (s *Store) CancelWebhookDelivery(ctx context.Context, id string, round int) (watchparty.WebhookState, error) {
	var row deliveryRow
	err := s.inTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		if err := tx.NewSelect().Model(&row).Where("id = ?", id).For("NO KEY UPDATE").Scan(ctx); err != nil {
			return err
		}
		if row.Round != round || row.EndedAt != nil {
			return nil
		}
		return endDelivery(ctx, tx, &row, watchparty.WebhookCancelled, watchparty.WebhookReasonStopped)
	})
	return cmp.Or(watchparty.WebhookState(row.State), watchparty.WebhookCancelled), wrapErr(err, "cancel webhook delivery")
}
