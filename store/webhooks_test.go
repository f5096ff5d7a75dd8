package store

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/auth"
	"github.com/watchparty/watchparty/workflows/job"
)

func newWebhook(t *testing.T, s *Store, admin watchparty.User, kinds ...watchparty.WebhookKind) watchparty.Webhook {
	t.Helper()
	if kinds == nil {
		kinds = watchparty.WebhookKinds()
	}
	made, err := s.CreateWebhook(t.Context(), admin.ID,
		watchparty.NewWebhook{URL: "https://hooks.example", Kinds: kinds}, IdempotencyKey{})
	require.NoError(t, err)
	return made
}

// deliveries lists the deliveries to a webhook, the oldest first.
func deliveries(t *testing.T, s *Store, webhookID string) (all []watchparty.WebhookDelivery) {
	t.Helper()
	var rows []deliveryRow
	require.NoError(t, s.db.NewSelect().Model(&rows).Where("webhook_id = ?", webhookID).Order("id").Scan(t.Context()))
	return mapRows(rows, deliveryRow.delivery)
}

// TestWebhookEvents: what happens is told to those webhooks that want to know, in the same transaction, with
// identifiers only.
func TestWebhookEvents(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	admin, host, guest := newAdmin(t, s, "admin"), newUser(t, s, "host"), newUser(t, s, "guest")
	before := readValue[int](t, s, "SELECT count(*) FROM outbox")
	newRoom(t, s, host, nil)
	require.Equal(t, before, readValue[int](t, s, "SELECT count(*) FROM outbox"), "nobody wants to know")
	hook, other := newWebhook(t, s, admin), newWebhook(t, s, admin, watchparty.WebhookUserSuspended)

	room := newRoom(t, s, host, func(n *watchparty.NewRoom) { n.Name, n.Visibility = "Hidden name", watchparty.Private })
	movie := addStreamedMovie(t, s, "Metropolis")
	load := func(room watchparty.Room) {
		_, err := s.ApplyPlaybackCommand(t.Context(), room.ID, signedIn(t, s, host),
			newLoad(watchparty.Source{MovieID: movie}))
		require.NoError(t, err)
	}
	load(room)
	public := newRoom(t, s, host, nil)
	load(public)
	_, err := s.ReportAbuse(t.Context(), guest.ID, watchparty.NewAbuseReport{
		Kind: "spam", Username: "host", Text: "Secret words",
	}, IdempotencyKey{})
	require.NoError(t, err)
	email := readValue[string](t, s, "SELECT id FROM emails WHERE user_id = ?", guest.ID)
	require.NoError(t, s.MarkEmailFailed(t.Context(), email))
	require.NoError(t, s.MarkEmailFailed(t.Context(), email), "again nothing happens")
	run := newRun(t, s, admin, true)
	_, err = s.FinishRun(t.Context(), job.FinishCleanupInput{RunID: run.ID})
	require.NoError(t, err)
	for range 2 {
		_, err = s.SuspendUser(t.Context(), admin.ID, guest.ID, watchparty.Suspension{Reason: "Secret reason"})
		require.NoError(t, err)
	}

	want := []string{
		`room.opened {"room_id":"` + room.ID + `","host_id":"` + host.ID + `","visibility":"private"}`,
		`movie.started {"room_id":"` + room.ID + `","visibility":"private","movie_id":null}`,
		`room.opened {"room_id":"` + public.ID + `","host_id":"` + host.ID + `","visibility":"public"}`,
		`movie.started {"room_id":"` + public.ID + `","visibility":"public","movie_id":"` + movie + `"}`,
		`report.filed {"abuse_report_id":"` + readValue[string](t, s, "SELECT id FROM abuse_reports") +
			`","kind":"spam","target_kind":"user","target_id":"` + host.ID + `"}`,
		`email.given_up {"email_id":"` + email + `","kind":"welcome","reason":"server_unreachable","attempts":0}`,
		`cleanup.ended {"run_id":"` + run.ID + `","trigger":"admin","dry_run":true,"state":"completed","counts":{},` +
			`"failed_policies":[]}`,
		`user.suspended {"user_id":"` + guest.ID + `","content_hidden":false}`,
	}
	var got []string
	for _, d := range deliveries(t, s, hook.ID) {
		_, data, _ := strings.Cut(d.Body, `"data":`)
		got = append(got, string(d.Kind)+" "+strings.TrimSuffix(data, "}"))
		require.Equal(t, watchparty.WebhookPending, d.State)
		require.Equal(t, 1, readValue[int](t, s, "SELECT count(*) FROM outbox WHERE workflow_id = ?", d.WorkflowID))
		for _, secret := range []string{"Hidden", "Secret", "example.org", "host\"", "guest\""} {
			require.NotContains(t, d.Body, secret)
		}
	}
	require.Equal(t, want, got)
	told, also := deliveries(t, s, other.ID), deliveries(t, s, hook.ID)
	require.Len(t, told, 1)
	require.Equal(t, also[len(also)-1].EventID, told[0].EventID, "one event, two webhooks")

	undone := errors.New("undone")
	require.ErrorIs(t, s.inTx(t.Context(), func(ctx context.Context, _ bun.Tx) error {
		tell(ctx, watchparty.WebhookEvent{Kind: watchparty.WebhookUserSuspended})
		return undone
	}), undone)
	require.Len(t, deliveries(t, s, other.ID), 1, "an event goes with its transaction")
}

// TestWebhookSecrets: a secret is never stored as it is, both sign during a rotation, and a new AUTH_SECRET loses none.
func TestWebhookSecrets(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	admin := newAdmin(t, s, "admin")
	hook := newWebhook(t, s, admin)
	require.Regexp(t, `^whsec_[A-Za-z0-9+/]{43}=$`, hook.Secret)
	found, err := s.Webhook(t.Context(), hook.ID)
	require.NoError(t, err)
	require.Empty(t, found.Secret)
	keys := func() [][]byte {
		var row webhookRow
		require.NoError(t, s.db.NewSelect().Model(&row).Where("id = ?", hook.ID).Scan(t.Context()))
		require.NotContains(t, string(row.Secret), hook.Secret[6:20])
		all, err := s.signingKeys(row)
		require.NoError(t, err)
		return all
	}
	first := keys()
	require.Len(t, first, 1)
	rotated, err := s.RotateWebhookSecret(t.Context(), admin.ID, hook.ID, time.Hour)
	require.NoError(t, err)
	require.NotEqual(t, hook.Secret, rotated.Secret)
	require.WithinDuration(t, time.Now().Add(time.Hour), rotated.FormerUntil, time.Minute)
	second := keys()
	require.Len(t, second, 2)
	require.Equal(t, first[0], second[1], "the former one signs, too")

	s.sealer = auth.NewDigests("a new secret", "a secret of the tests").Sealer()
	require.Equal(t, second, keys())
	changed, err := s.ResealWebhooks(t.Context())
	require.NoError(t, err)
	require.Equal(t, 1, changed)
	s.sealer = auth.NewDigests("a new secret").Sealer()
	require.Equal(t, second, keys(), "the former AUTH_SECRET is of no use any more")
	changed, err = s.ResealWebhooks(t.Context())
	require.NoError(t, err)
	require.Zero(t, changed)

	execute(t, s, "UPDATE webhooks SET former_until = now() - interval '1 s' WHERE id = ?", hook.ID)
	require.Equal(t, second[:1], keys())
	changed, err = s.ResealWebhooks(t.Context())
	require.NoError(t, err)
	require.Equal(t, 1, changed)
	require.True(t, readValue[bool](t, s, "SELECT former_secret IS NULL FROM webhooks WHERE id = ?", hook.ID))
	_, err = s.RotateWebhookSecret(t.Context(), admin.ID, hook.ID, 0)
	require.NoError(t, err)
	require.Len(t, keys(), 1, "at once")

	s.sealer = auth.NewDigests("yet another").Sealer()
	_, err = s.ResealWebhooks(t.Context())
	require.ErrorIs(t, err, auth.ErrUnsealable)
	require.NoError(t, s.DeleteWebhook(t.Context(), admin.ID, hook.ID))
	require.Equal(
		t, "", readValue[string](t, s, "SELECT url || encode(secret, 'hex') FROM webhooks WHERE id = ?", hook.ID),
	)
	_, err = s.Webhook(t.Context(), hook.ID)
	require.ErrorIs(t, err, watchparty.ErrNotFound)
}

// TestWebhooksAreFew: no more than the limit, however many are made at once; a request that is repeated makes one.
func TestWebhooksAreFew(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	admin := newAdmin(t, s, "admin")
	var made, refused int
	var mu sync.Mutex
	var wg sync.WaitGroup
	for range watchparty.MaxWebhooks + 5 {
		wg.Go(func() {
			_, err := s.CreateWebhook(t.Context(), admin.ID, webhookOfRooms, IdempotencyKey{})
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				made++
			} else if errors.Is(err, watchparty.ErrTooManyWebhooks) {
				refused++
			}
		})
	}
	wg.Wait()
	require.Equal(t, []int{watchparty.MaxWebhooks, 5}, []int{made, refused})
	all, err := s.Webhooks(t.Context(), Page{Limit: 100})
	require.NoError(t, err)
	require.NoError(t, s.DeleteWebhook(t.Context(), admin.ID, all[0].ID))
	key := IdempotencyKey{Hash: []byte("key"), Fingerprint: []byte("request")}
	first, err := s.CreateWebhook(t.Context(), admin.ID, webhookOfRooms, key)
	require.NoError(t, err)
	again, err := s.CreateWebhook(t.Context(), admin.ID, webhookOfRooms, key)
	require.NoError(t, err)
	require.Equal(t, first, again)
}

// TestWebhookRounds: an attempt of a former round changes nothing of the present one, unless the receiver took it.
func TestWebhookRounds(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	admin, host := newAdmin(t, s, "admin"), newUser(t, s, "host")
	hook := newWebhook(t, s, admin)
	newRoom(t, s, host, nil)
	id := deliveries(t, s, hook.ID)[0].ID
	begin := func(round int) WebhookWork {
		work, err := s.BeginWebhookAttempt(t.Context(), id, round)
		require.NoError(t, err)
		return work
	}
	end := func(work WebhookWork, r WebhookResult) watchparty.WebhookDelivery {
		r.OffAfter = time.Hour
		d, _, err := s.EndWebhookAttempt(t.Context(), work, r)
		require.NoError(t, err)
		return d
	}
	_, err := s.RedeliverWebhook(t.Context(), admin.ID, id)
	require.ErrorIs(t, err, watchparty.ErrDeliveryOpen)
	late := begin(1)
	require.Equal(t, []int{1, 1}, []int{late.Number, late.InRound})
	require.Equal(t, watchparty.WebhookCancelled, func() watchparty.WebhookState {
		state, err := s.CancelWebhookDelivery(t.Context(), id, 1)
		require.NoError(t, err)
		return state
	}())
	again, err := s.RedeliverWebhook(t.Context(), admin.ID, id)
	require.NoError(t, err)
	require.Equal(t, []any{watchparty.WebhookPending, job.WebhookDeliveryID(id, 2)}, []any{again.State, again.WorkflowID})
	require.Zero(t, begin(1).Number, "that round is over")
	require.Equal(t, watchparty.WebhookPending,
		end(late, WebhookResult{Outcome: watchparty.WebhookOutcomeStatus, Status: 500}).State, "it was not of this round")
	work := begin(2)
	require.Equal(t, []int{2, 1}, []int{work.Number, work.InRound})
	waits := end(work, WebhookResult{Outcome: watchparty.WebhookOutcomeTimeout, Next: time.Hour})
	require.WithinDuration(t, time.Now().Add(time.Hour), waits.NextAt, time.Minute)
	require.Equal(t, watchparty.WebhookDelivered,
		end(begin(2), WebhookResult{Outcome: watchparty.WebhookOutcomeDelivered, Status: 204}).State)
	require.Zero(t, begin(2).Number)
	state, err := s.CancelWebhookDelivery(t.Context(), id, 2)
	require.NoError(t, err)
	require.Equal(t, watchparty.WebhookDelivered, state)
}
