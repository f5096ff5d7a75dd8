package store

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/pgdialect"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/outbox"
	"github.com/watchparty/watchparty/workflows/job"
)

// deliveryLife is how long a delivery is tried: as long as all attempts of job.WebhookPauses take, and some time more
// for pauses that the receiver asks for.
const deliveryLife = 3*24*time.Hour + 12*time.Hour

type tellingKey struct{}

// telling are the events of a transaction that webhooks are told of.
type telling struct {
	events []watchparty.WebhookEvent
	queued bool // whether there are deliveries to start
}

// tell says that something happens in the transaction of ctx, which is that of inTx. At the end of the transaction,
// inTx queues a delivery for each webhook that wants to know.
func tell(ctx context.Context, e watchparty.WebhookEvent) {
	all := ctx.Value(tellingKey{}).(*telling)
	all.events = append(all.events, e)
}

// webhookMessage is the body of a delivery, as Standard Webhooks has it.
type webhookMessage struct {
	Type      watchparty.WebhookKind `json:"type"`
	Timestamp time.Time              `json:"timestamp"`
	Data      any                    `json:"data"`
}

// newDelivery makes a delivery to one webhook. eventID is the same for all webhooks.
func newDelivery(e watchparty.WebhookEvent, eventID, webhookID string, now time.Time) (deliveryRow, error) {
	body, err := json.Marshal(webhookMessage{e.Kind, now, e.Data})
	if err != nil {
		return deliveryRow{}, fmt.Errorf("store: encode %s: %w", e.Kind, err)
	}
	id := newID()
	return deliveryRow{
		ID: id, WebhookID: webhookID, EventID: eventID, Kind: string(e.Kind), Body: string(body),
		State: string(watchparty.WebhookPending), Round: 1, DeadlineAt: now.Add(deliveryLife),
		WorkflowID: job.WebhookDeliveryID(id, 1), CreatedAt: now, UpdatedAt: now,
	}, nil
}

// queue stores a delivery for each webhook and each event that it wants to know of, with the outbox event that starts
// its workflow. To a webhook that is off, the delivery is stored as cancelled, so that it can be replayed.
func (t *telling) queue(ctx context.Context, tx bun.Tx) error {
	if len(t.events) == 0 {
		return nil
	}
	var hooks []webhookRow
	kinds := mapRows(t.events, func(e watchparty.WebhookEvent) string { return string(e.Kind) })
	err := tx.NewSelect().Model(&hooks).Column("id", "kinds", "off_at").
		Where("deleted_at IS NULL AND kinds && ?", pgdialect.Array(kinds)).Order("id").Scan(ctx)
	if err != nil {
		return fmt.Errorf("store: webhooks of events: %w", err)
	}
	var (
		rows   []deliveryRow
		events []job.Event
	)
	now := Now()
	for _, e := range t.events {
		eventID := newID()
		for _, hook := range hooks {
			if !slices.Contains(hook.Kinds, string(e.Kind)) {
				continue
			}
			row, err := newDelivery(e, eventID, hook.ID, now)
			if err != nil {
				return err
			}
			if hook.OffAt == nil {
				events = append(events, job.WebhookDeliveryEvent(row.ID, row.Round).About(e.UserID, e.RoomID))
			} else {
				row.State, row.Reason = string(watchparty.WebhookCancelled), string(watchparty.WebhookReasonOff)
				row.EndedAt = &now
			}
			rows = append(rows, row)
		}
	}
	if len(rows) == 0 {
		return nil
	}
	if _, err := tx.NewInsert().Model(&rows).Exec(ctx); err != nil {
		return fmt.Errorf("store: queue deliveries: %w", err)
	}
	t.queued = len(events) > 0
	return outbox.Add(ctx, tx, events...)
}
