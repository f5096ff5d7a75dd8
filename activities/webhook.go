package activities

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"go.temporal.io/sdk/activity"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/store"
	"github.com/watchparty/watchparty/webhook"
	"github.com/watchparty/watchparty/workflows/job"
)

const (
	// MaxDeliveries is the number of attempts that a worker makes at a time.
	MaxDeliveries = 100
	// maxDeliveriesEach is the number of those to one webhook, so that a slow receiver does not hold up the others.
	maxDeliveriesEach = 4
	// busyPause is about the pause before the next attempt if a webhook was busy. It doubles up to maxBusyPause, so
	// that a long backlog of one webhook causes few attempts.
	busyPause    = 2 * time.Second
	maxBusyPause = time.Minute
)

// Webhook delivers to webhooks.
type Webhook struct {
	Store  *store.Store
	Sender *webhook.Sender
	// Pauses are the pauses between attempts; nil means those of job.WebhookPauses.
	Pauses []time.Duration
	// OffAfter is how long a webhook may have nothing but failures before it is switched off.
	OffAfter time.Duration
	Metrics  *Metrics

	mu   sync.Mutex
	busy map[string]int // attempts under way, by webhook
}

// Activities returns the methods by their activity types.
func (h *Webhook) Activities() map[string]any {
	return map[string]any{
		job.ActivityDeliverWebhook: h.DeliverWebhook,
		job.ActivityCancelDelivery: h.CancelDelivery,
	}
}

// DeliverWebhook makes one attempt to deliver a message. While attempts are left, a failure is an error that says when
// the next one is due. An attempt whose worker ends is repeated with the same ID, by which receivers know a message
// that they have already.
func (h *Webhook) DeliverWebhook(ctx context.Context, in job.WebhookInput) (job.WebhookResult, error) {
	delivery, err := h.Store.WebhookDelivery(ctx, in.DeliveryID)
	if watchparty.IsKind(err, watchparty.KindNotFound) { // the webhook was removed
		return job.WebhookResult{State: watchparty.WebhookCancelled}, nil
	}
	if err != nil {
		return job.WebhookResult{}, err
	}
	if !h.enter(delivery.WebhookID) {
		return job.WebhookResult{}, retryAfter(
			"the webhook is busy", job.ErrorWebhookBusy, busyWait(activity.GetInfo(ctx).Attempt),
		)
	}
	defer h.leave(delivery.WebhookID)
	work, err := h.Store.BeginWebhookAttempt(ctx, in.DeliveryID, in.Round)
	if err != nil {
		return job.WebhookResult{}, notFoundIsFinal(err)
	}
	if work.Number == 0 {
		if work.Cancelled {
			h.Metrics.countDelivery(work.Delivery)
		}
		return resultOf(work.Delivery), nil
	}
	result, err := h.Sender.Send(ctx, webhook.Message{
		URL: work.URL, ID: work.Delivery.EventID, At: store.Now(), Body: work.Delivery.Body, Keys: work.Keys,
	})
	if err != nil {
		return job.WebhookResult{}, err // the next attempt notes that this one was lost
	}
	return h.conclude(ctx, work, result)
}

// conclude stores the outcome of an attempt, even if this worker is told to stop now.
func (h *Webhook) conclude(
	ctx context.Context, work store.WebhookWork, result webhook.Result,
) (job.WebhookResult, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), noteTime)
	defer cancel()
	h.Metrics.countWebhookAttempt(result.Outcome)
	r := store.WebhookResult{Outcome: result.Outcome, Status: result.Status, OffAfter: h.OffAfter}
	if result.Outcome != watchparty.WebhookOutcomeDelivered && result.Outcome != watchparty.WebhookOutcomeGone {
		r.Next = h.next(work, result.RetryAfter)
	}
	delivery, off, err := h.Store.EndWebhookAttempt(ctx, work, r)
	if err != nil {
		return job.WebhookResult{}, notFoundIsFinal(err)
	}
	h.Metrics.countSwitchedOff(off)
	if off != "" {
		activity.GetLogger(ctx).Error("webhook is switched off", "webhook_id", delivery.WebhookID, "reason", string(off))
	}
	if delivery.State != watchparty.WebhookPending {
		h.Metrics.countDelivery(delivery)
		return resultOf(delivery), nil
	}
	return job.WebhookResult{}, retryAfter("not taken: "+string(result.Outcome), job.ErrorWebhookRefused, r.Next)
}

// next returns the pause before the next attempt: about the one in the list, or a longer one that the receiver asks
// for. It is 0 if no attempt follows.
func (h *Webhook) next(work store.WebhookWork, asked time.Duration) time.Duration {
	pauses := h.Pauses
	if pauses == nil {
		pauses = job.WebhookPauses()
	}
	if work.InRound > len(pauses) {
		return 0
	}
	next := max(jitter(pauses[work.InRound-1]), min(asked, webhook.MaxRetryAfter))
	if store.Now().Add(next).After(work.Delivery.DeadlineAt) {
		return 0
	}
	return next
}

// busyWait is the pause after a number of attempts of the activity.
func busyWait(attempt int32) time.Duration {
	return jitter(min(busyPause<<min(max(attempt-1, 0), 10), maxBusyPause))
}

// jitter keeps deliveries that have failed together from being tried together.
func jitter(d time.Duration) time.Duration {
	return d - d/10 + rand.N(d/5+1) //nolint:gosec // no secret
}

func resultOf(d watchparty.WebhookDelivery) job.WebhookResult {
	return job.WebhookResult{State: d.State, Attempts: d.Attempts}
}

// enter reports whether another attempt may be made to a webhook now.
func (h *Webhook) enter(webhookID string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.busy == nil {
		h.busy = map[string]int{}
	}
	if h.busy[webhookID] >= maxDeliveriesEach {
		return false
	}
	h.busy[webhookID]++
	return true
}

func (h *Webhook) leave(webhookID string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.busy[webhookID]--; h.busy[webhookID] == 0 {
		delete(h.busy, webhookID)
	}
}

// CancelDelivery ends a delivery whose workflow was cancelled.
func (h *Webhook) CancelDelivery(ctx context.Context, in job.WebhookInput) (job.WebhookResult, error) {
	state, err := h.Store.CancelWebhookDelivery(ctx, in.DeliveryID, in.Round)
	if watchparty.IsKind(err, watchparty.KindNotFound) {
		return job.WebhookResult{State: watchparty.WebhookCancelled}, nil
	}
	return job.WebhookResult{State: state}, err
}
