package api

import (
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/auth"
	"github.com/watchparty/watchparty/workflows/job"
)

// completeFixture has at least one of each resource, so that each operation has something to work on.
type completeFixture struct {
	*bundle
	alice, bob, admin person
	dave, eve, frank  person
	movie, unused     string
	open, private     string // rooms of alice's; eve and frank are in the open one
	doomed            string // another of hers
	message           string // of alice's in the private one
	spam              string // another message of hers there
	queued1, queued2  string // items of the private room's queue
	party, party2     string // of the open room
	streamed          string // a movie that can be played
	abuse             string // eve's report of her
	session           string // another one of bob's
	eveSession        string
	run, report       string
	waiting           string // a run that has not begun
	retired           string // a room that clean-up archived
	job, event        string // a clean-up job in Temporal; an event in the outbox
	sent, queued      string // emails
	hook, unusedHook  string // webhooks
	delivery          string // one to the first, which has failed
	file              watchparty.Avatar
	verification      string // a token for alice's address
	reset             string // a token for frank's password
	// Invitations to the private room; of the first two, the tokens.
	accept, decline, revoke string
	optOut                  string // the token
	toBob, alsoToBob        string // invitations to bob's address
	activity, activityToken string // a report, and what its link holds
}

func newCompleteFixture(t testing.TB, change ...func(*settings)) *completeFixture {
	t.Helper()
	b := setup(t, change...)
	w := &completeFixture{bundle: b, alice: b.register(t, "alice"), bob: b.user(t, "bob"), admin: b.admin(t, "root")}
	w.dave, w.eve, w.frank = b.user(t, "dave"), b.user(t, "eve"), b.user(t, "frank")
	b.exec(t, "UPDATE users SET password_hash = (SELECT password_hash FROM users WHERE id = ?) WHERE id = ?", w.alice.id,
		w.dave.id)
	w.movie, w.unused = b.addMovie(t, "Metropolis"), b.addMovie(t, "Nosferatu")
	w.open = b.room(t, w.alice, map[string]any{"movie_id": w.movie})
	b.exec(t, "UPDATE rooms SET now_playing = true WHERE id = ?", w.open)
	w.private = b.room(t, w.alice, map[string]any{"visibility": "private"})
	w.doomed = b.room(t, w.alice, nil)
	b.join(t, w.open, w.eve)
	b.join(t, w.open, w.frank)
	w.message = b.post(t, w.private, w.alice, "First!")
	w.spam = b.post(t, w.private, w.alice, "Buy!")
	w.queued1, w.queued2 = b.queue(t, w.private, w.alice, "First"), b.queue(t, w.private, w.alice, "Second")
	w.party, w.party2 = b.party(t, w.open, w.alice, 1), b.party(t, w.open, w.alice, 3)
	w.streamed = b.addMovie(t, "Faust I")
	b.exec(t, "UPDATE movies SET stream_url = 'https://movies.example/faust.webm' WHERE id = ?", w.streamed)
	w.abuse = b.do(t, "POST", "/abuse-reports", w.eve.token,
		map[string]any{"kind": "spam", "username": "alice"}).data()["id"].(string)
	w.session, w.eveSession = b.signIn(t, w.bob.id, "bob's phone"), b.signIn(t, w.eve.id, "eve's phone")
	w.addTokens(t)
	w.sent, w.queued = b.welcomeEmail(t, w.alice), b.welcomeEmail(t, w.bob)
	attempt, err := b.store.BeginEmailAttempt(t.Context(), w.sent)
	require.NoError(t, err)
	require.NoError(t, b.store.MarkEmailSent(t.Context(), w.sent, attempt))
	w.hook, w.unusedHook = b.webhook(t, w.admin), b.webhook(t, w.admin)
	w.delivery = b.failedDelivery(t, w.hook)
	w.retired = b.do(t, "POST", "/rooms", w.alice.token, map[string]any{"name": "Forgotten"}).data()["id"].(string)
	_, err = b.store.DB().
		ExecContext(t.Context(), "UPDATE rooms SET archived_at = now(), retired_at = now() WHERE id = ?", w.retired)
	require.NoError(t, err)
	w.waiting = b.do(t, "POST", "/admin/cleanup", w.admin.token, nil).data()["run_id"].(string)
	w.run = b.do(t, "POST", "/admin/cleanup", w.admin.token, nil).data()["run_id"].(string)
	require.NoError(t,
		b.store.BeginRun(t.Context(), job.CleanupInput{RunID: w.run, Policies: watchparty.Policies()}, job.CleanupID(w.run)))
	_, err = b.store.FinishRun(t.Context(),
		job.FinishCleanupInput{RunID: w.run, Failed: map[watchparty.Policy]string{watchparty.PolicyRooms: "stopped"}})
	require.NoError(t, err)
	w.job, _ = b.cleanupJob(t, w.admin)
	w.event = value1[string](t, b, "SELECT id FROM outbox WHERE state = 'pending' ORDER BY id LIMIT 1")
	w.activity, err = b.store.CreateActivityReport(t.Context(), watchparty.ReportWeek, "2026-02-23", "2026-03-01")
	require.NoError(t, err)
	w.activityToken = b.server.oneTime.Token(auth.ForReport, w.activity)
	reports := b.do(t, "GET", "/admin/reports?kind=cleanup", w.admin.token, nil).list()
	require.Len(t, reports, 1)
	w.report = reports[0]["id"].(string)
	w.file = watchparty.Avatar{UserID: w.alice.id, Version: 1}
	require.NoError(t, b.bucket.WriteAll(t.Context(), w.file.OriginalObject(), []byte("RIFF original"), nil))
	for _, name := range watchparty.AvatarFiles() {
		require.NoError(t, b.bucket.WriteAll(t.Context(), w.file.Object(name), []byte("RIFF "+name), nil))
	}
	return w
}

// party schedules a party tomorrow, some hours later, and returns its ID.
func (b *bundle) party(t testing.TB, room string, by person, hours int) string {
	t.Helper()
	a := b.do(t, "POST", "/rooms/"+room+"/parties", by.token,
		map[string]any{"title": "First part", "starts_at": tomorrow(hours), "time_zone": "Europe/Berlin"})
	require.Equal(t, 201, a.status, a)
	return a.data()["id"].(string)
}

// webhook registers a webhook, and returns its ID.
func (b *bundle) webhook(t testing.TB, admin person) string {
	t.Helper()
	a := b.do(t, "POST", "/admin/webhooks", admin.token,
		map[string]any{"url": "https://hooks.example/a", "kinds": []any{"cleanup.ended"}})
	require.Equal(t, 201, a.status, a)
	b.logs.secret(a.data()["secret"].(string))
	return a.data()["id"].(string)
}

// failedDelivery makes a delivery to a webhook that was given up, and returns its ID.
func (b *bundle) failedDelivery(t testing.TB, hook string) string {
	t.Helper()
	id := uuid.Must(uuid.NewV7()).String()
	body := `{"type": "cleanup.ended", "timestamp": "2026-01-31T20:15:00Z", "data": {"run_id": "` + id + `",
		"trigger": "schedule", "dry_run": false, "state": "completed", "counts": {}, "failed_policies": []}}`
	b.exec(t, `INSERT INTO webhook_deliveries (id, webhook_id, event_id, kind, body, state, reason, attempts, last_status,
		deadline_at, workflow_id, ended_at) VALUES (?0, ?1, ?0, 'cleanup.ended', ?2, 'failed',
		'attempts', 1, 500, now(), 'webhook-delivery/' || ?0 || '/1', now())`, id, hook, body)
	b.exec(t, "INSERT INTO webhook_attempts (delivery_id, number, outcome, http_status, ended_at) "+
		"VALUES (?, 1, 'status', 500, now())", id)
	return id
}

// welcomeEmail is the ID of a user's welcome email.
func (b *bundle) welcomeEmail(t testing.TB, p person) string {
	t.Helper()
	return value1[string](t, b, "SELECT id FROM emails WHERE user_id = ? AND kind = 'welcome'", p.id)
}

// addTokens stores what the links of emails stand for.
func (w *completeFixture) addTokens(t testing.TB) {
	t.Helper()
	row := func(query string, args ...any) string {
		id := uuid.Must(uuid.NewV7()).String()
		_, err := w.store.DB().ExecContext(t.Context(), query, append([]any{id}, args...)...)
		require.NoError(t, err)
		return id
	}
	w.verification = w.server.oneTime.Token(auth.ForEmail, row(
		"INSERT INTO email_verifications (id, user_id, email, expires_at) VALUES (?, ?, ?, now() + interval '1 h')",
		w.alice.id,
		w.alice.email,
	))
	w.reset = w.server.oneTime.Token(auth.ForReset, row(
		"INSERT INTO password_resets (id, user_id, expires_at) VALUES (?, ?, now() + interval '30 min')", w.frank.id))
	const invitation = "INSERT INTO invitations (id, room_id, inviter_id, email, expires_at) " +
		"VALUES (?, ?, ?, ?, now() + interval '7 d')"
	w.accept = w.server.oneTime.Token(auth.ForInvitation, row(invitation, w.private, w.alice.id, "one@example.org"))
	w.decline = w.server.oneTime.Token(auth.ForInvitation, row(invitation, w.private, w.alice.id, "two@example.org"))
	w.revoke = row(invitation, w.private, w.alice.id, "three@example.org")
	const toUser = `INSERT INTO invitations (id, room_id, inviter_id, email, email_key, expires_at)
		SELECT ?, ?, ?, email, email_key, now() + interval '7 d' FROM users WHERE id = ?`
	w.toBob, w.alsoToBob = row(toUser, w.doomed, w.alice.id, w.bob.id), row(toUser, w.open, w.alice.id, w.bob.id)
	w.optOut = w.server.oneTime.Token(auth.ForOptOut, w.revoke)
	w.logs.secret(w.verification, w.reset, w.accept, w.decline, w.optOut)
}

// queue adds an address to a room's queue.
func (b *bundle) queue(t testing.TB, room string, by person, title string) string {
	t.Helper()
	a := b.do(t, "POST", "/rooms/"+room+"/queue", by.token,
		map[string]any{"stream_url": "https://movies.example/a.webm", "title": title})
	require.Equal(t, 201, a.status, a)
	return a.data()["id"].(string)
}
