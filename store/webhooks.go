package store

import (
	"context"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/webhook"
)

type webhookRow struct {
	bun.BaseModel `bun:"table:webhooks,alias:w"`

	ID           string     `bun:"id,pk"`
	URL          string     `bun:"url"`
	Description  string     `bun:"description"`
	Kinds        []string   `bun:"kinds,array"`
	Secret       []byte     `bun:"secret"`
	FormerSecret []byte     `bun:"former_secret"`
	FormerUntil  *time.Time `bun:"former_until"`
	OffAt        *time.Time `bun:"off_at"`
	OffReason    string     `bun:"off_reason"`
	FailingSince *time.Time `bun:"failing_since"`
	Failures     int        `bun:"failures"`
	DeliveredAt  *time.Time `bun:"delivered_at"`
	DeletedAt    *time.Time `bun:"deleted_at"`
	CreatedAt    time.Time  `bun:"created_at"`
	UpdatedAt    time.Time  `bun:"updated_at"`

	Pending int `bun:"pending,scanonly"`
	Failed  int `bun:"failed,scanonly"`
}

func (r webhookRow) webhook() watchparty.Webhook {
	w := watchparty.Webhook{
		ID: r.ID, URL: r.URL, Description: r.Description,
		Kinds: mapRows(r.Kinds, func(kind string) watchparty.WebhookKind { return watchparty.WebhookKind(kind) }),
		OffAt: valueOrZero(r.OffAt), OffReason: watchparty.WebhookOff(r.OffReason), FailingSince: valueOrZero(r.FailingSince),
		Pending: r.Pending, Failed: r.Failed, DeliveredAt: valueOrZero(r.DeliveredAt),
		CreatedAt: r.CreatedAt, UpdatedAt: r.UpdatedAt,
	}
	if r.FormerUntil != nil && r.FormerUntil.After(Now()) {
		w.FormerUntil = *r.FormerUntil
	}
	utc(&w.OffAt, &w.FailingSince, &w.DeliveredAt, &w.FormerUntil, &w.CreatedAt, &w.UpdatedAt)
	return w
}

// sealedFor is the purpose of the keys of webhooks.
const sealedFor = "webhook"

// MaxWebhookCount is the largest number that a webhook shows of its deliveries.
const MaxWebhookCount = 1000

// selectWebhooks selects webhooks that are not removed, with the numbers of their deliveries.
func selectWebhooks(db bun.IDB, rows any) *bun.SelectQuery {
	const count = "(SELECT count(*) FROM (SELECT FROM webhook_deliveries AS d WHERE d.webhook_id = w.id " +
		"AND d.state IN (?) LIMIT ?) AS c) AS "
	return db.NewSelect().Model(rows).ColumnExpr("w.*").
		ColumnExpr(count+"pending", bun.List([]string{string(watchparty.WebhookPending)}), MaxWebhookCount).
		ColumnExpr(count+"failed", bun.List(missedStates), MaxWebhookCount).
		Where("w.deleted_at IS NULL")
}

// missedStates are those of deliveries that can be replayed.
var missedStates = []string{string(watchparty.WebhookFailed), string(watchparty.WebhookCancelled)}

// Webhooks lists webhooks, newest first.
func (s *Store) Webhooks(ctx context.Context, p Page) ([]watchparty.Webhook, error) {
	var rows []webhookRow
	if err := p.of(selectWebhooks(s.db, &rows), descending, "w.id").Scan(ctx); err != nil {
		return nil, fmt.Errorf("store: webhooks: %w", err)
	}
	return mapRows(rows, webhookRow.webhook), nil
}

// Webhook finds a webhook by its ID. It returns ErrNotFound, also for one that is removed.
func (s *Store) Webhook(ctx context.Context, id string) (watchparty.Webhook, error) {
	var row webhookRow
	err := selectWebhooks(s.db, &row).Where("w.id = ?", id).Scan(ctx)
	return row.webhook(), wrapErr(err, "webhook")
}

// lockWebhook locks a webhook for what changes it.
func lockWebhook(ctx context.Context, tx bun.Tx, id string) (row webhookRow, err error) {
	err = tx.NewSelect().Model(&row).Where("w.id = ? AND w.deleted_at IS NULL", id).For("NO KEY UPDATE").Scan(ctx)
	return row, err
}

// CreateWebhook registers a webhook with a new secret. It returns ErrTooManyWebhooks and ErrKeyReused.
func (s *Store) CreateWebhook(
	ctx context.Context, adminID string, n watchparty.NewWebhook, key IdempotencyKey,
) (watchparty.Webhook, error) {
	var made watchparty.Webhook
	now, id, secret := Now(), newID(), webhook.NewKey()
	err := s.inTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		former, err := claimKey(ctx, tx, key, id)
		if err != nil {
			return err
		}
		if err := requireAdmin(ctx, tx, adminID); err != nil {
			return err
		}
		if former != "" {
			made, err = s.createdWebhook(ctx, tx, former)
			return err
		}
		// One after the other, so that they are counted right.
		if _, err := tx.NewRaw("SELECT pg_advisory_xact_lock(hashtextextended('webhooks', 0))").Exec(ctx); err != nil {
			return err
		}
		count, err := tx.NewSelect().Model((*webhookRow)(nil)).Where("deleted_at IS NULL").Count(ctx)
		if err != nil {
			return err
		}
		if count >= watchparty.MaxWebhooks {
			return watchparty.ErrTooManyWebhooks
		}
		row := webhookRow{
			ID: id, URL: n.URL, Description: n.Description, Kinds: kindNames(n.Kinds),
			Secret: s.sealer.Seal(sealedFor, id, secret), CreatedAt: now, UpdatedAt: now,
		}
		if _, err := tx.NewInsert().Model(&row).Exec(ctx); err != nil {
			return err
		}
		made = row.webhook()
		made.Secret = webhook.Secret(secret)
		return audit(ctx, tx, adminID, watchparty.AuditWebhookCreated, watchparty.AuditWebhook, id,
			map[string]any{"kinds": row.Kinds})
	})
	return made, wrapErr(err, "create webhook")
}

// createdWebhook is the webhook that an earlier request has created, with the secret that it has now.
func (s *Store) createdWebhook(ctx context.Context, tx bun.Tx, id string) (watchparty.Webhook, error) {
	var row webhookRow
	if err := selectWebhooks(tx, &row).Where("w.id = ?", id).Scan(ctx); err != nil {
		return watchparty.Webhook{}, err
	}
	key, _, err := s.sealer.Open(sealedFor, id, row.Secret)
	made := row.webhook()
	made.Secret = webhook.Secret(key)
	return made, err
}

func kindNames(kinds []watchparty.WebhookKind) []string {
	return mapRows(kinds, func(kind watchparty.WebhookKind) string { return string(kind) })
}

// UpdateWebhook changes the given fields of a webhook. Switching it on forgets its failures. It returns ErrNotFound.
func (s *Store) UpdateWebhook(
	ctx context.Context, adminID, id string, c watchparty.WebhookChange,
) (watchparty.Webhook, error) {
	var after webhookRow
	err := s.inTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		if err := requireAdmin(ctx, tx, adminID); err != nil {
			return err
		}
		row, err := lockWebhook(ctx, tx, id)
		if err != nil {
			return err
		}
		if err := changeWebhook(ctx, tx, adminID, row, c); err != nil {
			return err
		}
		return selectWebhooks(tx, &after).Where("w.id = ?", id).Scan(ctx)
	})
	return after.webhook(), wrapErr(err, "update webhook")
}

func changeWebhook(ctx context.Context, tx bun.Tx, adminID string, row webhookRow, c watchparty.WebhookChange) error {
	var changed []string
	if set(&row.URL, c.URL) {
		changed = append(changed, "url")
	}
	if set(&row.Description, c.Description) {
		changed = append(changed, "description")
	}
	if c.Kinds != nil {
		row.Kinds = kindNames(*c.Kinds)
		changed = append(changed, "kinds")
	}
	turns := c.Enabled != nil && *c.Enabled == (row.OffAt != nil)
	if len(changed) > 0 {
		_, err := tx.NewUpdate().Model(&row).Column("url", "description", "kinds").Set("updated_at = now()").WherePK().
			Exec(ctx)
		if err != nil {
			return err
		}
		err = audit(ctx, tx, adminID, watchparty.AuditWebhookUpdated, watchparty.AuditWebhook, row.ID,
			map[string]any{"fields": changed})
		if err != nil {
			return err
		}
	}
	switch {
	case turns && *c.Enabled:
		_, err := tx.NewUpdate().Model(&row).Set("off_at = NULL, off_reason = '', failing_since = NULL, failures = 0").
			Set("updated_at = now()").WherePK().Exec(ctx)
		if err != nil {
			return err
		}
		return audit(ctx, tx, adminID, watchparty.AuditWebhookSwitchedOn, watchparty.AuditWebhook, row.ID, nil)
	case turns:
		return switchOff(ctx, tx, adminID, row.ID, watchparty.WebhookOffByAdmin)
	}
	return nil
}

// switchOff switches a locked webhook off. Deliveries that wait are cancelled at their next attempt, or by EndOverdue.
// adminID is empty if the service does so by itself.
func switchOff(ctx context.Context, tx bun.Tx, adminID, id string, why watchparty.WebhookOff) error {
	_, err := tx.NewUpdate().Model((*webhookRow)(nil)).Set("off_at = now()").Set("off_reason = ?", string(why)).
		Set("updated_at = now()").Where("id = ?", id).Exec(ctx)
	if err != nil {
		return err
	}
	return audit(ctx, tx, adminID, watchparty.AuditWebhookSwitchedOff, watchparty.AuditWebhook, id,
		map[string]any{"reason": string(why)})
}

// DeleteWebhook removes a webhook with its secrets. Clean-up removes its history. It returns ErrNotFound.
func (s *Store) DeleteWebhook(ctx context.Context, adminID, id string) error {
	err := s.inTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		if err := requireAdmin(ctx, tx, adminID); err != nil {
			return err
		}
		row, err := lockWebhook(ctx, tx, id)
		if err != nil {
			return err
		}
		_, err = tx.NewUpdate().Model(&row).Set("deleted_at = now()").Set("updated_at = now()").
			Set("url = '', description = '', secret = '', former_secret = NULL, former_until = NULL").WherePK().Exec(ctx)
		if err != nil {
			return err
		}
		return audit(ctx, tx, adminID, watchparty.AuditWebhookDeleted, watchparty.AuditWebhook, id, nil)
	})
	return wrapErr(err, "delete webhook")
}

// RotateWebhookSecret gives a webhook a new secret. The former one signs, too, for the time of overlap; one that was
// former before does not any more. It returns ErrNotFound.
func (s *Store) RotateWebhookSecret(
	ctx context.Context, adminID, id string, overlap time.Duration,
) (watchparty.Webhook, error) {
	var after webhookRow
	secret := webhook.NewKey()
	err := s.inTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		if err := requireAdmin(ctx, tx, adminID); err != nil {
			return err
		}
		row, err := lockWebhook(ctx, tx, id)
		if err != nil {
			return err
		}
		row.FormerSecret, row.FormerUntil = nil, nil
		if overlap > 0 {
			until := Now().Add(overlap)
			row.FormerSecret, row.FormerUntil = row.Secret, &until
		}
		row.Secret = s.sealer.Seal(sealedFor, id, secret)
		_, err = tx.NewUpdate().Model(&row).Column("secret", "former_secret", "former_until").Set("updated_at = now()").
			WherePK().Exec(ctx)
		if err != nil {
			return err
		}
		err = audit(ctx, tx, adminID, watchparty.AuditWebhookSecretRotated, watchparty.AuditWebhook, id,
			map[string]any{"overlap_seconds": int(overlap.Seconds())})
		if err != nil {
			return err
		}
		return selectWebhooks(tx, &after).Where("w.id = ?", id).Scan(ctx)
	})
	w := after.webhook()
	w.Secret = webhook.Secret(secret)
	return w, wrapErr(err, "rotate the secret of a webhook")
}

// signingKeys returns the keys that sign now, the current one first.
func (s *Store) signingKeys(row webhookRow) (keys [][]byte, err error) {
	sealed := [][]byte{row.Secret}
	if row.FormerSecret != nil && row.FormerUntil != nil && row.FormerUntil.After(Now()) {
		sealed = append(sealed, row.FormerSecret)
	}
	for _, one := range sealed {
		key, _, err := s.sealer.Open(sealedFor, row.ID, one)
		if err != nil {
			return nil, fmt.Errorf("store: the secret of webhook %s: %w", row.ID, err)
		}
		keys = append(keys, key)
	}
	return keys, nil
}

// ResealWebhooks encrypts with the current AUTH_SECRET what a former one has encrypted, and forgets former keys whose
// time is over. It returns the number of webhooks that it has changed, and an error if a key cannot be read.
func (s *Store) ResealWebhooks(ctx context.Context) (int, error) {
	changed := 0
	err := s.inTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		changed = 0
		var rows []webhookRow
		err := tx.NewSelect().Model(&rows).Where("deleted_at IS NULL").Order("id").For("NO KEY UPDATE SKIP LOCKED").Scan(ctx)
		if err != nil {
			return err
		}
		for _, row := range rows { // MaxWebhooks at most, and as a rule none changes
			again, err := s.reseal(&row)
			if err != nil {
				return fmt.Errorf("the secret of webhook %s: %w", row.ID, err)
			}
			if !again {
				continue
			}
			changed++
			_, err = tx.NewUpdate().Model(&row).Column("secret", "former_secret", "former_until").WherePK().Exec(ctx)
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("store: reseal webhooks: %w", err)
	}
	return changed, nil
}

func (s *Store) reseal(row *webhookRow) (changed bool, err error) {
	if row.FormerUntil != nil && !row.FormerUntil.After(Now()) {
		row.FormerSecret, row.FormerUntil, changed = nil, nil, true
	}
	for _, sealed := range []*[]byte{&row.Secret, &row.FormerSecret} {
		if *sealed == nil {
			continue
		}
		key, current, err := s.sealer.Open(sealedFor, row.ID, *sealed)
		if err != nil {
			return false, err
		}
		if !current {
			*sealed, changed = s.sealer.Seal(sealedFor, row.ID, key), true
		}
	}
	return changed, nil
}
