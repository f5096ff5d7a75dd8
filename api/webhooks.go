package api

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/api/contract"
	"github.com/watchparty/watchparty/store"
)

// ListWebhooks lists webhooks.
func (s *Server) ListWebhooks(
	ctx context.Context,
	r contract.ListWebhooksRequestObject,
) (contract.ListWebhooksResponseObject, error) {
	p, err := s.page("cursor", r.Params.Cursor, r.Params.Limit, "listWebhooks")
	if err != nil {
		return nil, err
	}
	hooks, err := s.store.Webhooks(ctx, more(p))
	if err != nil {
		return nil, err
	}
	hooks, next := cut(hooks, p, func(w watchparty.Webhook) store.Keys { return store.Keys{w.ID} })
	return contract.ListWebhooks200JSONResponse{Data: convert(hooks, webhookOf), NextCursor: next}, nil
}

// CreateWebhook registers a webhook. The answer has its secret.
func (s *Server) CreateWebhook(
	ctx context.Context,
	r contract.CreateWebhookRequestObject,
) (contract.CreateWebhookResponseObject, error) {
	n := watchparty.NewWebhook{
		URL: r.Body.URL, Description: value(r.Body.Description), Kinds: watchparty.WebhookKinds(),
	}
	if r.Body.Kinds != nil {
		n.Kinds = convert(*r.Body.Kinds, webhookKind)
	}
	n.Normalise()
	if err := n.Validate(s.cfg.Webhook.Addresses()); err != nil {
		return nil, err
	}
	once, err := s.once(ctx, "createWebhook", r.Params.IdempotencyKey, n)
	if err != nil {
		return nil, err
	}
	hook, err := s.store.CreateWebhook(ctx, caller(ctx).UserID, n, once)
	if err != nil {
		return nil, err
	}
	shown := hook
	shown.Secret = "" // the tag is that of a GET
	made, err := madeAt("/admin/webhooks/"+hook.ID, 0, contract.WebhookAnswer{Data: webhookOf(shown)})
	return contract.CreateWebhook201JSONResponse{
		Body:    contract.WebhookAnswer{Data: webhookOf(hook)},
		Headers: contract.CreateWebhook201ResponseHeaders(made),
	}, err
}

// GetWebhook answers with a webhook.
func (s *Server) GetWebhook(
	ctx context.Context,
	r contract.GetWebhookRequestObject,
) (contract.GetWebhookResponseObject, error) {
	hook, err := s.store.Webhook(ctx, r.WebhookID)
	if err != nil {
		return nil, err
	}
	return tagged{contract.WebhookAnswer{Data: webhookOf(hook)}, r.Params.IfNoneMatch}, nil
}

// UpdateWebhook changes a webhook.
func (s *Server) UpdateWebhook(
	ctx context.Context,
	r contract.UpdateWebhookRequestObject,
) (contract.UpdateWebhookResponseObject, error) {
	c := watchparty.WebhookChange{URL: r.Body.URL, Description: patched(r.Body.Description, ""), Enabled: r.Body.Enabled}
	if r.Body.Kinds.IsSpecified() {
		kinds := watchparty.WebhookKinds()
		if given, err := r.Body.Kinds.Get(); err == nil {
			kinds = convert(given, webhookKind)
		}
		c.Kinds = &kinds
	}
	c.Normalise()
	if err := c.Validate(s.cfg.Webhook.Addresses()); err != nil {
		return nil, err
	}
	hook, err := s.store.UpdateWebhook(ctx, caller(ctx).UserID, r.WebhookID, c)
	return contract.UpdateWebhook200JSONResponse{Data: webhookOf(hook)}, err
}

// DeleteWebhook removes a webhook.
func (s *Server) DeleteWebhook(
	ctx context.Context,
	r contract.DeleteWebhookRequestObject,
) (contract.DeleteWebhookResponseObject, error) {
	return contract.DeleteWebhook204Response{}, s.store.DeleteWebhook(ctx, caller(ctx).UserID, r.WebhookID)
}

// RotateWebhookSecret gives a webhook a new secret. The answer has it.
func (s *Server) RotateWebhookSecret(
	ctx context.Context,
	r contract.RotateWebhookSecretRequestObject,
) (contract.RotateWebhookSecretResponseObject, error) {
	overlap := watchparty.WebhookSecretOverlap
	if r.Body != nil && r.Body.OverlapSeconds != nil {
		overlap = time.Duration(*r.Body.OverlapSeconds) * time.Second
	}
	hook, err := s.store.RotateWebhookSecret(ctx, caller(ctx).UserID, r.WebhookID, overlap)
	return contract.RotateWebhookSecret200JSONResponse{Data: webhookOf(hook)}, err
}

// TestWebhook queues a test message.
func (s *Server) TestWebhook(
	ctx context.Context,
	r contract.TestWebhookRequestObject,
) (contract.TestWebhookResponseObject, error) {
	delivery, err := s.store.TestWebhook(ctx, caller(ctx).UserID, r.WebhookID)
	if err != nil {
		return nil, err
	}
	answer, err := s.deliveryWith(delivery, nil)
	return contract.TestWebhook200JSONResponse{Data: answer}, err
}

// ReplayWebhook starts missed deliveries again.
func (s *Server) ReplayWebhook(
	ctx context.Context,
	r contract.ReplayWebhookRequestObject,
) (contract.ReplayWebhookResponseObject, error) {
	done, err := s.store.ReplayWebhook(ctx, caller(ctx).UserID, r.WebhookID, r.Body.Since)
	return contract.ReplayWebhook200JSONResponse{Data: contract.WebhookReplay{Queued: done.Queued, More: done.More}}, err
}

// ListWebhookDeliveries lists the deliveries to a webhook.
func (s *Server) ListWebhookDeliveries(
	ctx context.Context,
	r contract.ListWebhookDeliveriesRequestObject,
) (contract.ListWebhookDeliveriesResponseObject, error) {
	p, err := s.page("cursor", r.Params.Cursor, r.Params.Limit, "listWebhookDeliveries", r.WebhookID, r.Params.State,
		r.Params.Kind, r.Params.From, r.Params.To)
	if err != nil {
		return nil, err
	}
	filter := watchparty.WebhookDeliveryFilter{
		State: watchparty.WebhookState(value(r.Params.State)), Kind: watchparty.WebhookKind(value(r.Params.Kind)),
		From: value(r.Params.From), To: value(r.Params.To),
	}
	var deliveries []watchparty.WebhookDelivery
	err = s.store.Snapshot(ctx, func(at *store.Store) error {
		if _, err := at.Webhook(ctx, r.WebhookID); err != nil {
			return err
		}
		deliveries, err = at.WebhookDeliveries(ctx, r.WebhookID, filter, more(p))
		return err
	})
	if err != nil {
		return nil, err
	}
	deliveries, next := cut(deliveries, p, func(d watchparty.WebhookDelivery) store.Keys { return store.Keys{d.ID} })
	return contract.ListWebhookDeliveries200JSONResponse{Data: convert(deliveries, s.delivery), NextCursor: next}, nil
}

// GetWebhookDelivery answers with a delivery, its message and its attempts.
func (s *Server) GetWebhookDelivery(
	ctx context.Context,
	r contract.GetWebhookDeliveryRequestObject,
) (contract.GetWebhookDeliveryResponseObject, error) {
	answer, err := s.deliveryHistory(ctx, r.DeliveryID)
	if err != nil {
		return nil, err
	}
	return tagged{answer, r.Params.IfNoneMatch}, nil
}

func (s *Server) deliveryHistory(ctx context.Context, id string) (answer contract.WebhookDeliveryAnswer, err error) {
	err = s.store.Snapshot(ctx, func(at *store.Store) error {
		delivery, err := at.WebhookDelivery(ctx, id)
		if err != nil {
			return err
		}
		attempts, err := at.WebhookAttempts(ctx, id)
		if err != nil {
			return err
		}
		answer.Data, err = s.deliveryWith(delivery, attempts)
		return err
	})
	return answer, err
}

// RedeliverWebhook starts a delivery again.
func (s *Server) RedeliverWebhook(
	ctx context.Context,
	r contract.RedeliverWebhookRequestObject,
) (contract.RedeliverWebhookResponseObject, error) {
	delivery, err := s.store.RedeliverWebhook(ctx, caller(ctx).UserID, r.DeliveryID)
	if err != nil {
		return nil, err
	}
	answer, err := s.deliveryHistory(ctx, delivery.ID)
	return contract.RedeliverWebhook200JSONResponse(answer), err
}

func webhookKind(k contract.WebhookKind) watchparty.WebhookKind { return watchparty.WebhookKind(k) }

func webhookOf(w watchparty.Webhook) contract.Webhook {
	return contract.Webhook{
		ID: w.ID, URL: w.URL, Description: w.Description,
		Kinds:  convert(w.Kinds, func(k watchparty.WebhookKind) contract.WebhookKind { return contract.WebhookKind(k) }),
		Secret: pointer(w.Secret), FormerSecretUntil: pointer(w.FormerUntil), Enabled: w.OffAt.IsZero(),
		OffAt: pointer(w.OffAt), OffReason: pointer(string(w.OffReason)),
		FailingSince: pointer(w.FailingSince), Pending: w.Pending, Failed: w.Failed, DeliveredAt: pointer(w.DeliveredAt),
		CreatedAt: w.CreatedAt, UpdatedAt: w.UpdatedAt,
	}
}

func (s *Server) delivery(d watchparty.WebhookDelivery) contract.WebhookDelivery {
	return contract.WebhookDelivery{
		ID: d.ID, WebhookID: d.WebhookID, EventID: d.EventID, Kind: contract.WebhookMessageKind(d.Kind),
		State: contract.WebhookDeliveryState(d.State), Reason: pointer(contract.WebhookDeliveryReason(d.Reason)),
		Attempts: d.Attempts, LastHTTPStatus: pointer(d.LastStatus), NextAttemptAt: pointer(d.NextAt),
		DeadlineAt: pointer(d.DeadlineAt), WorkflowID: d.WorkflowID, TemporalURL: s.temporalURL(d.WorkflowID),
		CreatedAt: d.CreatedAt, EndedAt: pointer(d.EndedAt),
	}
}

// deliveryWith is a delivery with its message and attempts.
func (s *Server) deliveryWith(
	d watchparty.WebhookDelivery, attempts []watchparty.WebhookAttempt,
) (contract.WebhookDelivery, error) {
	answer, message := s.delivery(d), map[string]any{}
	if err := json.Unmarshal([]byte(d.Body), &message); err != nil {
		return answer, fmt.Errorf("api: the message of a delivery: %w", err)
	}
	history := convert(attempts, webhookAttempt)
	answer.Message, answer.History = &message, &history
	return answer, nil
}

func webhookAttempt(a watchparty.WebhookAttempt) contract.WebhookAttempt {
	attempt := contract.WebhookAttempt{
		Number: a.Number, Outcome: contract.WebhookAttemptOutcome(a.Outcome), HTTPStatus: pointer(a.Status),
		StartedAt: a.StartedAt, EndedAt: pointer(a.EndedAt),
	}
	if !a.EndedAt.IsZero() {
		took := max(a.EndedAt.Sub(a.StartedAt), 0).Milliseconds()
		attempt.DurationMs = &took
	}
	return attempt
}
