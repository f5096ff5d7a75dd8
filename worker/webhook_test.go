package worker

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"sync"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/activities"
	"github.com/watchparty/watchparty/outbox"
	"github.com/watchparty/watchparty/store"
	"github.com/watchparty/watchparty/webhook"
	"github.com/watchparty/watchparty/workflows/job"
)

// newWebhookActivities returns activities that deliver to receivers on this machine, with short pauses.
func (p *workerFixture) newWebhookActivities(t *testing.T) *activities.Webhook {
	t.Helper()
	sender := webhook.NewSender(
		watchparty.WebhookTargets{Private: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}, nil)
	t.Cleanup(sender.Close)
	return &activities.Webhook{
		Store: p.store, Sender: sender, OffAfter: 5 * 24 * time.Hour,
		Pauses: []time.Duration{50 * time.Millisecond, 50 * time.Millisecond, 50 * time.Millisecond},
	}
}

// startRelay relays outbox events until the test ends.
func (p *workerFixture) startRelay(t *testing.T) {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	r := outbox.NewRelay(p.store.DB(), outbox.Temporal(p.client), p.store.Events(), slog.New(slog.DiscardHandler))
	var running sync.WaitGroup
	running.Go(func() { r.Run(ctx) })
	t.Cleanup(func() { stop(); running.Wait() })
}

// receiver is the other side of a webhook.
type receiver struct {
	*httptest.Server
	mu     sync.Mutex
	got    []message
	answer func(w http.ResponseWriter, n int) // to the nth message, from 1
}

type message struct {
	id     string
	body   string
	header http.Header
}

func newReceiver(t *testing.T, answer func(w http.ResponseWriter, n int)) *receiver {
	t.Helper()
	r := &receiver{answer: answer}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		body, _ := io.ReadAll(request.Body)
		r.mu.Lock()
		r.got = append(r.got, message{request.Header.Get("webhook-id"), string(body), request.Header})
		n, answer := len(r.got), r.answer
		r.mu.Unlock()
		answer(w, n)
	}))
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) messages() []message {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]message{}, r.got...)
}

func (r *receiver) answerWith(answer func(w http.ResponseWriter, n int)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answer = answer
}

func respondWith(status int) func(http.ResponseWriter, int) {
	return func(w http.ResponseWriter, _ int) { w.WriteHeader(status) }
}

// register registers a webhook for rooms.
func (r *receiver) register(t *testing.T, p *workerFixture, admin watchparty.User) watchparty.Webhook {
	t.Helper()
	made, err := p.store.CreateWebhook(t.Context(), admin.ID, watchparty.NewWebhook{
		URL: r.URL, Kinds: []watchparty.WebhookKind{watchparty.WebhookRoomOpened},
	}, store.IdempotencyKey{})
	require.NoError(t, err)
	return made
}

func (p *workerFixture) openRoom(t *testing.T, host watchparty.User) watchparty.Room {
	t.Helper()
	room, err := p.store.CreateRoom(t.Context(), host.ID, watchparty.NewRoom{
		Name: "A secret name", Visibility: watchparty.Public, Capacity: 5,
	}, store.IdempotencyKey{})
	require.NoError(t, err)
	return room
}

// awaitDelivery waits until the newest delivery to a webhook is in a state.
func (p *workerFixture) awaitDelivery(
	t *testing.T, webhookID string, state watchparty.WebhookState,
) watchparty.WebhookDelivery {
	t.Helper()
	var newest watchparty.WebhookDelivery
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		all, err := p.store.WebhookDeliveries(
			t.Context(), webhookID, watchparty.WebhookDeliveryFilter{}, store.Page{Limit: 1},
		)
		require.NoError(c, err)
		require.NotEmpty(c, all)
		newest = all[0]
		require.Equal(c, state, newest.State)
	}, patience, 20*time.Millisecond)
	return newest
}

func (p *workerFixture) readOutcomes(t *testing.T, deliveryID string) (all []watchparty.WebhookOutcome) {
	t.Helper()
	attempts, err := p.store.WebhookAttempts(t.Context(), deliveryID)
	require.NoError(t, err)
	for i, a := range attempts {
		require.Equal(t, i+1, a.Number)
		require.False(t, a.EndedAt.Before(a.StartedAt))
		all = append(all, a.Outcome)
	}
	return all
}

// TestWebhooks: what is committed reaches its receiver, once it takes it, whatever happens on the way.
func TestWebhooks(t *testing.T) {
	whole, p := t, newWorkerFixture(t, "127.0.0.1", 1)
	p.Config.Worker.StopTimeout = 0
	admin := p.createAdmin()
	host, _ := p.createUser(uniqueName("host"))
	p.startRelay(t)
	working := p.startWorker(t, job.TaskQueueWebhooks)
	p.wait(t, logServes)

	t.Run("a receiver that fails, and is mended", func(t *testing.T) {
		r := newReceiver(t, func(w http.ResponseWriter, n int) {
			if n < 3 {
				w.WriteHeader(http.StatusInternalServerError)
			}
		})
		hook := r.register(t, p, admin)
		room := p.openRoom(t, host)
		done := p.awaitDelivery(t, hook.ID, watchparty.WebhookDelivered)
		require.Equal(t, []watchparty.WebhookOutcome{"status", "status", "delivered"}, p.readOutcomes(t, done.ID))
		require.Equal(t, []int{3, 200}, []int{done.Attempts, done.LastStatus})
		var result job.WebhookResult
		p.requireResult(done.WorkflowID, "", &result)
		require.Equal(t, job.WebhookResult{State: watchparty.WebhookDelivered, Attempts: 3}, result)

		verifier, err := standardwebhooks.NewWebhook(hook.Secret)
		require.NoError(t, err)
		require.Len(t, r.messages(), 3)
		for _, m := range r.messages() {
			require.Equal(t, done.EventID, m.id, "the same in all attempts")
			require.NoError(t, verifier.Verify([]byte(m.body), m.header))
			require.NotContains(t, m.body, room.Name)
		}
		var body struct {
			Type      string
			Timestamp time.Time
			Data      watchparty.RoomOpenedData
		}
		require.NoError(t, json.Unmarshal([]byte(r.messages()[2].body), &body))
		require.Equal(t, "room.opened", body.Type)
		require.Equal(t, watchparty.RoomOpenedData{RoomID: room.ID, HostID: host.ID, Visibility: "public"}, body.Data)
		after, err := p.store.Webhook(t.Context(), hook.ID)
		require.NoError(t, err)
		require.True(t, after.FailingSince.IsZero())
		requireNothingPersonal(t, p.client, done.WorkflowID, host)
		require.NoError(t, p.store.DeleteWebhook(t.Context(), admin.ID, hook.ID))
	})

	t.Run("a receiver that hangs holds up no other", func(t *testing.T) {
		release := make(chan struct{})
		slow := newReceiver(t, func(http.ResponseWriter, int) { <-release })
		quick := newReceiver(t, respondWith(http.StatusNoContent))
		hanging, other := slow.register(t, p, admin), quick.register(t, p, admin)
		const rooms = 12
		for range rooms {
			p.openRoom(t, host)
		}
		require.Eventually(t, func() bool { return len(quick.messages()) == rooms }, patience, 10*time.Millisecond)
		require.LessOrEqual(t, len(slow.messages()), 4, "it has no more than its share of the worker")
		close(release)
		slow.answerWith(respondWith(http.StatusNoContent))
		require.Eventually(t, func() bool {
			left, err := p.store.Webhook(t.Context(), hanging.ID)
			require.NoError(t, err)
			return left.Pending == 0
		}, patience, 50*time.Millisecond)
		require.Len(t, slow.messages(), rooms, "each once")
		require.NoError(t, p.store.DeleteWebhook(t.Context(), admin.ID, hanging.ID))
		require.NoError(t, p.store.DeleteWebhook(t.Context(), admin.ID, other.ID))
	})

	t.Run("a worker that ends in the middle", func(t *testing.T) {
		reached, release := make(chan struct{}, 1), make(chan struct{})
		r := newReceiver(t, func(_ http.ResponseWriter, n int) {
			if n == 1 {
				reached <- struct{}{}
				<-release
			}
		})
		t.Cleanup(func() { close(release) })
		hook := r.register(t, p, admin)
		p.openRoom(t, host)
		<-reached
		working.stop()
		require.NoError(t, working.awaitEnd(t))
		p.resetSignals()
		working = p.startWorker(whole, job.TaskQueueWebhooks)
		done := p.awaitDelivery(t, hook.ID, watchparty.WebhookDelivered)
		require.Equal(t, []watchparty.WebhookOutcome{"lost", "delivered"}, p.readOutcomes(t, done.ID))
		require.Equal(t, []string{done.EventID, done.EventID}, []string{r.messages()[0].id, r.messages()[1].id})
		require.NoError(t, p.store.DeleteWebhook(t.Context(), admin.ID, hook.ID))
	})

	t.Run("nothing but failures for days, and what was missed", func(t *testing.T) {
		r := newReceiver(t, respondWith(http.StatusBadGateway))
		hook := r.register(t, p, admin)
		since := store.Now().Add(-time.Minute)
		p.openRoom(t, host)
		given := p.awaitDelivery(t, hook.ID, watchparty.WebhookFailed)
		require.Equal(t, watchparty.WebhookReasonAttempts, given.Reason)
		require.Equal(t, 4, given.Attempts)
		_, err := p.store.DB().ExecContext(t.Context(), // what days of failures look like
			"UPDATE webhooks SET failing_since = now() - interval '5 d', failures = 9 WHERE id = ?", hook.ID)
		require.NoError(t, err)
		p.openRoom(t, host)
		cut := p.awaitDelivery(t, hook.ID, watchparty.WebhookCancelled)
		require.Equal(t, watchparty.WebhookReasonOff, cut.Reason)
		off, err := p.store.Webhook(t.Context(), hook.ID)
		require.NoError(t, err)
		require.Equal(t, watchparty.WebhookOffFailing, off.OffReason)
		entries, err := p.store.Audit(t.Context(),
			watchparty.AuditFilter{TargetID: hook.ID, Action: watchparty.AuditWebhookSwitchedOff}, store.Page{Limit: 5})
		require.NoError(t, err)
		require.Len(t, entries, 1)
		require.Empty(t, entries[0].Actor)

		p.openRoom(t, host) // it is not told of this one
		missed := p.awaitDelivery(t, hook.ID, watchparty.WebhookCancelled)
		require.NotEqual(t, cut.ID, missed.ID)
		require.Zero(t, missed.Attempts)
		r.answerWith(respondWith(http.StatusOK))
		_, err = p.store.ReplayWebhook(t.Context(), admin.ID, hook.ID, since)
		require.ErrorIs(t, err, watchparty.ErrWebhookOff)
		on := true
		_, err = p.store.UpdateWebhook(t.Context(), admin.ID, hook.ID, watchparty.WebhookChange{Enabled: &on})
		require.NoError(t, err)
		replayed, err := p.store.ReplayWebhook(t.Context(), admin.ID, hook.ID, since)
		require.NoError(t, err)
		require.Equal(t, store.Replayed{Queued: 3}, replayed)
		require.Eventually(t, func() bool {
			now, err := p.store.Webhook(t.Context(), hook.ID)
			require.NoError(t, err)
			return now.Pending == 0 && now.Failed == 0
		}, patience, 20*time.Millisecond)
		ids := map[string]bool{}
		for _, m := range r.messages() {
			ids[m.id] = true
		}
		require.Equal(t, map[string]bool{given.EventID: true, cut.EventID: true, missed.EventID: true}, ids)
		require.NoError(t, p.store.DeleteWebhook(t.Context(), admin.ID, hook.ID))
	})

	t.Run("a receiver that is gone for good", func(t *testing.T) {
		r := newReceiver(t, respondWith(http.StatusGone))
		hook := r.register(t, p, admin)
		p.openRoom(t, host)
		done := p.awaitDelivery(t, hook.ID, watchparty.WebhookFailed)
		require.Equal(t, watchparty.WebhookReasonGone, done.Reason)
		off, err := p.store.Webhook(t.Context(), hook.ID)
		require.NoError(t, err)
		require.Equal(t, watchparty.WebhookOffGone, off.OffReason)
		require.Len(t, r.messages(), 1)
	})
}
