package api

import (
	"bytes"
	"image"
	"image/png"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/auth"
	"github.com/watchparty/watchparty/workflows/job"
)

// world is something of everything, so that each operation has something to work on.
type world struct {
	*bundle
	alice, bob, admin person
	dave, eve, frank  person
	movie, unused     string
	open, private     string // rooms of alice's; eve and frank are in the open one
	doomed            string // another of hers
	message           string // of alice's in the private one
	queued1, queued2  string // items of the private room's queue
	spam              string // another message of hers there
	abuse             string // eve's report of her
	session           string // another one of bob's
	run, report       string
	waiting           string // a run that has not begun
	retired           string // a room that clean-up archived
	sent, queued      string // mails
	file              watchparty.Avatar
	verification      string // a token for alice's address
	reset             string // a token for frank's password
	// Invitations to the private room; of the first two, the tokens.
	accept, decline, revoke string
	optOut                  string // the token
	toBob, alsoToBob        string // invitations to bob's address
	activity, activityToken string // a report, and what its link holds
}

func newWorld(t testing.TB, change ...func(*settings)) *world {
	t.Helper()
	b := setup(t, change...)
	w := &world{bundle: b, alice: b.register(t, "alice"), bob: b.user(t, "bob"), admin: b.admin(t, "root")}
	w.dave, w.eve, w.frank = b.user(t, "dave"), b.user(t, "eve"), b.user(t, "frank")
	b.exec(
		t,
		"UPDATE users SET password_hash = (SELECT password_hash FROM users WHERE id = ?) WHERE id = ?",
		w.alice.id,
		w.dave.id,
	)
	w.movie, w.unused = b.movie(t, "Metropolis"), b.movie(t, "Nosferatu")
	w.open = b.room(t, w.alice, map[string]any{"movie_id": w.movie})
	w.private = b.room(t, w.alice, map[string]any{"visibility": "private"})
	w.doomed = b.room(t, w.alice, nil)
	b.join(t, w.open, w.eve)
	b.join(t, w.open, w.frank)
	w.message = b.post(t, w.private, w.alice, "First!")
	w.spam = b.post(t, w.private, w.alice, "Buy!")
	w.queued1, w.queued2 = b.queue(t, w.private, w.alice, "First"), b.queue(t, w.private, w.alice, "Second")
	w.abuse = b.do(t, "POST", "/reports", w.eve.token, map[string]any{"kind": "spam", "username": "alice"}).data()["id"].(string)
	w.session = b.signIn(t, w.bob.id, "bob's phone")
	w.addTokens(t)
	w.sent, w.queued = b.welcomeMail(t, w.alice), b.welcomeMail(t, w.bob)
	attempt, err := b.store.BeginEmailAttempt(t.Context(), w.sent)
	require.NoError(t, err)
	require.NoError(t, b.store.MarkEmailSent(t.Context(), w.sent, attempt))
	w.retired = b.do(t, "POST", "/rooms", w.alice.token, map[string]any{"name": "Forgotten"}).data()["id"].(string)
	_, err = b.store.DB().
		ExecContext(t.Context(), "UPDATE rooms SET archived_at = now(), retired_at = now() WHERE id = ?", w.retired)
	require.NoError(t, err)
	w.waiting = b.do(t, "POST", "/admin/cleanup", w.admin.token, nil).data()["run_id"].(string)
	w.run = b.do(t, "POST", "/admin/cleanup", w.admin.token, nil).data()["run_id"].(string)
	require.NoError(
		t,
		b.store.BeginRun(t.Context(), job.CleanupInput{RunID: w.run, Policies: watchparty.Policies()}, job.CleanupID(w.run)),
	)
	_, err = b.store.FinishRun(
		t.Context(),
		job.FinishCleanupInput{RunID: w.run, Failed: map[watchparty.Policy]string{watchparty.PolicyRooms: "stopped"}},
	)
	require.NoError(t, err)
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

// welcomeMail is the ID of the mail that greets someone.
func (b *bundle) welcomeMail(t testing.TB, p person) string {
	t.Helper()
	return value1[string](t, b, "SELECT id FROM emails WHERE user_id = ? AND kind = 'welcome'", p.id)
}

// queue adds an address to a room's queue.
func (b *bundle) queue(t testing.TB, room string, by person, title string) string {
	t.Helper()
	a := b.do(t, "POST", "/rooms/"+room+"/queue", by.token,
		map[string]any{"stream_url": "https://films.example/a.webm", "title": title})
	require.Equal(t, 201, a.status, a)
	return a.data()["id"].(string)
}

// addTokens stores what the links of mails stand for.
func (w *world) addTokens(t testing.TB) {
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
	const invitation = "INSERT INTO invitations (id, room_id, inviter_id, email, expires_at) VALUES (?, ?, ?, ?, now() + interval '7 d')"
	w.accept = w.server.oneTime.Token(auth.ForInvitation, row(invitation, w.private, w.alice.id, "one@example.org"))
	w.decline = w.server.oneTime.Token(auth.ForInvitation, row(invitation, w.private, w.alice.id, "two@example.org"))
	w.revoke = row(invitation, w.private, w.alice.id, "three@example.org")
	const toUser = `INSERT INTO invitations (id, room_id, inviter_id, email, email_key, expires_at)
		SELECT ?, ?, ?, email, email_key, now() + interval '7 d' FROM users WHERE id = ?`
	w.toBob, w.alsoToBob = row(toUser, w.doomed, w.alice.id, w.bob.id), row(toUser, w.open, w.alice.id, w.bob.id)
	w.optOut = w.server.oneTime.Token(auth.ForOptOut, w.revoke)
	w.logs.secret(w.verification, w.reset, w.accept, w.decline, w.optOut)
}

// call is what one operation is asked with.
type call struct {
	token  string
	params map[string]string // of the path and the query
	body   map[string]any
	raw    any // instead of body: anything
	file   []byte
}

// named is a call of the contract's operation with that ID.
type named struct {
	id string
	call
}

// calls are the contract's operations in an order in which each succeeds.
func (w *world) calls() []named {
	alice, admin := w.alice.token, w.admin.token
	in := func(room string) map[string]string { return map[string]string{"room_id": room} }
	to := func(room, username string) map[string]string {
		return map[string]string{"room_id": room, "username": username}
	}
	one := func(name, id string) map[string]string { return map[string]string{name: id} }
	item := func(id string) map[string]string { return map[string]string{"room_id": w.private, "item_id": id} }
	soon := time.Now().Add(30 * time.Minute).UTC().Format(time.RFC3339)
	return []named{
		{"register", call{body: map[string]any{
			"username":     "carol",
			"email":        "carol@example.org",
			"password":     password,
			"display_name": "Carol",
			"language":     "de",
		}}},
		{"login", call{body: map[string]any{"email": w.alice.email, "password": w.alice.password}}},
		{"getMe", call{token: alice}},
		{"updateMe", call{token: alice, body: map[string]any{"display_name": "Alice L.", "language": "en"}}},
		{"listProfiles", call{params: one("usernames", "alice,nobody")}},
		{"getProfile", call{params: map[string]string{"username": "alice"}}},
		{"putAvatar", call{token: alice, file: picture(8, 8)}},
		{"getAvatar", call{token: alice}},
		{"getAvatarFile", call{params: map[string]string{"user_id": w.file.UserID, "version": "1", "name": "medium.webp"}}},
		{"getDefaultAvatar", call{params: map[string]string{"user_id": w.file.UserID, "default_name": "default.svg"}}},
		{"deleteAvatar", call{token: alice}},
		{"listSessions", call{token: alice}},
		{"endSession", call{token: w.bob.token, params: one("session_id", w.session)}},
		{"verifyEmail", call{body: map[string]any{"token": w.verification}}},
		{"resendVerification", call{token: alice}},
		{"createMovie", call{token: admin, body: map[string]any{
			"title":           "Faust",
			"year":            1926,
			"runtime_minutes": 106,
			"description":     "A wager.",
			"genres":          []any{"drama", "fantasy"},
			"poster_url":      "https://films.example/faust.jpg",
			"stream_url":      "https://films.example/faust.mp4",
			"duration_ms":     6_360_500,
			"subtitles":       []any{map[string]any{"language": "de", "url": "https://films.example/faust.de.vtt"}},
		}}},
		{"updateMovie", call{token: admin, params: one("movie_id", w.movie), body: map[string]any{
			"title": "Metropolis (restored)", "year": 1927, "runtime_minutes": 153, "description": "", "genres": []any{},
			"poster_url": "", "stream_url": "https://films.example/metropolis.mp4", "archived": false,
			"duration_ms": 0, "subtitles": []any{}}}},
		{"deleteMovie", call{token: admin, params: one("movie_id", w.unused)}},
		{"listMovies", call{token: admin, params: map[string]string{"limit": "5"}}},
		{"listGenres", call{}},
		{"getMovie", call{params: map[string]string{"movie_id": w.movie}}},
		{"createRoom", call{token: alice, body: map[string]any{
			"name": "Late show", "description": "Bring tea.", "movie_id": w.movie, "visibility": "unlisted", "capacity": 4}}},
		{"listRooms", call{}},
		{"joinRoom", call{token: w.bob.token, params: in(w.open)}},
		{"heartbeat", call{token: w.bob.token, params: in(w.open)}},
		{"getMyStanding", call{token: w.bob.token, params: in(w.open)}},
		{"listMyRooms", call{token: alice}},
		{"updateRoom", call{token: alice, params: in(w.open), body: map[string]any{
			"name": "Early show", "description": "Bring coffee.", "movie_id": w.movie, "visibility": "public", "capacity": 7,
			"slow_mode_seconds": 0, "state": "open", "control": "everyone", "queue": "moderators", "queue_order": "votes",
			"wait_policy": "host"}}},
		{"setRole", call{token: alice, params: to(w.open, "eve"), body: map[string]any{"role": "moderator"}}},
		{
			"mute",
			call{
				token:  w.eve.token,
				params: in(w.open),
				body:   map[string]any{"username": "frank", "until": soon, "reason": "Noise"},
			},
		},
		{"getMute", call{token: alice, params: to(w.open, "frank")}},
		{"listMutes", call{token: alice, params: in(w.open)}},
		{"liftMute", call{token: alice, params: to(w.open, "frank")}},
		{"kick", call{token: alice, params: to(w.open, "frank")}},
		{
			"ban",
			call{token: alice, params: in(w.open), body: map[string]any{"username": "frank", "until": soon, "reason": "Noise"}},
		},
		{"getBan", call{token: alice, params: to(w.open, "frank")}},
		{"listBans", call{token: alice, params: in(w.open)}},
		{"liftBan", call{token: alice, params: to(w.open, "frank")}},
		{"invite", call{token: alice, params: in(w.private), body: map[string]any{"email": "guest@example.org"}}},
		{"listInvitations", call{token: alice, params: in(w.private)}},
		{"getInvitation", call{token: alice, params: one("invitation_id", w.revoke)}},
		{"revokeInvitation", call{token: alice, params: one("invitation_id", w.revoke)}},
		{"lookUpInvitation", call{body: map[string]any{"token": w.accept}}},
		{"acceptInvitation", call{token: w.eve.token, body: map[string]any{"token": w.accept}}},
		{"declineInvitation", call{body: map[string]any{"token": w.decline}}},
		{"unsubscribeFromInvitations", call{body: map[string]any{"token": w.optOut}}},
		{"resubscribeToInvitations", call{body: map[string]any{"token": w.optOut}}},
		{"listMyInvitations", call{token: w.bob.token}},
		{"acceptMyInvitation", call{token: w.bob.token, params: one("invitation_id", w.toBob)}},
		{"declineMyInvitation", call{token: w.bob.token, params: one("invitation_id", w.alsoToBob)}},
		{"getPlayback", call{token: alice, params: in(w.private)}},
		{"getQueue", call{token: alice, params: in(w.private)}},
		{"addToQueue", call{token: alice, params: in(w.private), body: map[string]any{
			"stream_url": "https://films.example/faust.webm", "title": "Faust"}}},
		{"voteForItem", call{token: alice, params: item(w.queued2)}},
		{"getQueueItem", call{token: alice, params: item(w.queued2)}},
		{"unvoteForItem", call{token: alice, params: item(w.queued2)}},
		{"moveInQueue", call{token: alice, params: item(w.queued2), body: map[string]any{"before_id": w.queued1}}},
		{"removeFromQueue", call{token: alice, params: item(w.queued2)}},
		{"sendPlaybackCommand", call{token: alice, params: in(w.private), body: map[string]any{
			"kind": "load", "id": unknownID, "epoch": 0, "revision": 0, "if_revision": 0, "position_ms": 1500,
			"item_id": w.queued1}}},
		{"voteToSkip", call{token: alice, params: in(w.private), body: map[string]any{"epoch": 1, "skip": false}}},
		{"listRoomLog", call{token: alice, params: in(w.open)}},
		{"deleteRoom", call{token: alice, params: in(w.doomed)}},
		{"getRoom", call{token: alice, params: in(w.private)}},
		{"listParticipants", call{token: alice, params: in(w.private)}},
		{
			"postMessage",
			call{token: alice, body: map[string]any{"room_id": w.private, "body": "Hello", "reply_to_id": w.message}},
		},
		{"markRead", call{token: alice, params: in(w.private), body: map[string]any{"message_id": w.message}}},
		{"editMessage", call{token: alice, params: one("message_id", w.message), body: map[string]any{"body": "First."}}},
		{"getMessage", call{token: alice, params: one("message_id", w.message)}},
		{"deleteMessage", call{token: alice, params: one("message_id", w.message)}},
		{"listMessages", call{token: alice, params: in(w.private)}},
		{"leaveRoom", call{token: w.bob.token, params: in(w.open)}},
		{"quitRoom", call{token: w.eve.token, params: in(w.open)}},
		{"getHealth", call{}},
		{"getLiveness", call{}},
		{"getReadiness", call{}},
		{
			"startCleanup",
			call{token: admin, body: map[string]any{"policies": []any{"old_messages"}, "dry_run": true, "older_than": "90d"}},
		},
		{"listCleanupRuns", call{token: admin}},
		{"getCleanupRun", call{token: admin, params: map[string]string{"run_id": w.run}}},
		{"cancelCleanupRun", call{token: admin, params: map[string]string{"run_id": w.waiting}}},
		{"listRetiredRooms", call{token: admin}},
		{"restoreRoom", call{token: admin, params: one("retired_id", w.retired)}},
		{"listAnyRooms", call{token: admin}},
		{"getAnyRoom", call{token: admin, params: in(w.private)}},
		{"listAnyMessages", call{token: admin, params: in(w.private)}},
		{"closeRoom", call{token: admin, params: in(w.open), body: map[string]any{"reason": "Spam"}}},
		{"reopenRoom", call{token: admin, params: in(w.open), body: map[string]any{"reason": "A mistake"}}},
		{"removeMessage", call{token: admin, params: one("message_id", w.spam), body: map[string]any{"reason": "Spam"}}},
		{
			"reportAbuse",
			call{token: alice, body: map[string]any{"kind": "harassment", "username": "frank", "text": "Everywhere"}},
		},
		{"getSentAbuseReport", call{token: w.eve.token, params: one("abuse_report_id", w.abuse)}},
		{"listAbuseReports", call{token: admin}},
		{"getAbuseReport", call{token: admin, params: one("abuse_report_id", w.abuse)}},
		{"resolveAbuseReport", call{token: admin, params: one("abuse_report_id", w.abuse), body: map[string]any{
			"outcome": "dismissed", "note": "Nothing there"}}},
		{"listSchedules", call{token: admin}},
		{
			"pauseSchedule",
			call{token: admin, params: one("schedule_id", "cleanup"), body: map[string]any{"note": "new disks"}},
		},
		{"resumeSchedule", call{token: admin, params: one("schedule_id", "cleanup"), body: map[string]any{"note": "done"}}},
		{"triggerSchedule", call{token: admin, params: one("schedule_id", "cleanup")}},
		{"backfillSchedule", call{token: admin, params: one("schedule_id", "cleanup"), body: map[string]any{
			"start": "2026-01-01T00:00:00Z", "end": "2026-01-02T00:00:00Z"}}},
		{"listReports", call{token: admin}},
		{"getReport", call{token: admin, params: map[string]string{"report_id": w.report}}},
		{"getReportTable", call{token: admin, params: map[string]string{"report_id": w.activity}}},
		{"viewReport", call{body: map[string]any{"token": w.activityToken}}},
		{"listUsers", call{token: admin}},
		{"getUser", call{token: admin, params: one("user_id", w.frank.id)}},
		{"suspendUser", call{token: admin, params: one("user_id", w.frank.id), body: map[string]any{
			"reason": "Spam", "hide_content": true}}},
		{"reinstateUser", call{token: admin, params: one("user_id", w.frank.id)}},
		{"endUserSessions", call{token: admin, params: one("user_id", w.frank.id)}},
		{"grantAdmin", call{token: admin, params: one("user_id", w.eve.id)}},
		{"listAdmins", call{token: admin}},
		{"revokeAdmin", call{token: admin, params: one("user_id", w.eve.id)}},
		{"listAudit", call{token: admin}},
		{"listEmails", call{token: admin}},
		{"listEmailPreviews", call{token: admin, params: map[string]string{"language": "de"}}},
		{"getEmail", call{token: admin, params: one("email_id", w.sent)}},
		{"resendEmail", call{token: admin, params: one("email_id", w.sent)}},
		{"cancelEmail", call{token: admin, params: one("email_id", w.queued)}},
		{"pauseEmails", call{token: admin}},
		{"getEmailPause", call{token: admin}},
		{"resumeEmails", call{token: admin}},
		{"requestPasswordReset", call{body: map[string]any{"email": w.bob.email}}},
		{"confirmPasswordReset", call{body: map[string]any{"token": w.reset, "password": "another horse battery"}}},
		{"exportMe", call{token: alice}},
		{"changeEmail", call{token: alice, body: map[string]any{"email": "alice@example.net", "password": w.alice.password}}},
		{"changePassword", call{token: alice, body: map[string]any{
			"current_password": w.alice.password, "new_password": "another horse battery"}}},
		{"endOtherSessions", call{token: alice}},
		{"deleteMe", call{token: w.dave.token, body: map[string]any{"password": w.alice.password}}},
		{"refresh", call{body: map[string]any{"refresh_token": w.alice.refresh}}},
		{"logout", call{body: map[string]any{"refresh_token": w.alice.refresh}}},
	}
}

func (w *world) call(t testing.TB, id string, c call) answer {
	t.Helper()
	op, ok := operations()[id]
	require.True(t, ok, "the contract has no %s", id)
	return w.send(t, w.build(t, op, c))
}

// build fills in the path's parameters; those that are not in it go into the query.
func (w *world) build(t testing.TB, op documented, c call) *http.Request {
	t.Helper()
	path, query := op.path, url.Values{}
	for name, v := range c.params {
		if strings.Contains(path, "{"+name+"}") {
			path = strings.ReplaceAll(path, "{"+name+"}", url.PathEscape(v))
		} else {
			query.Set(name, v)
		}
	}
	if len(query) > 0 {
		path += "?" + query.Encode()
	}
	if c.file != nil {
		return w.upload(t, c.token, part{"avatar", "me.png", "image/png", c.file})
	}
	if c.raw != nil {
		return w.request(t, op.method, path, c.token, c.raw)
	}
	if c.body == nil {
		return w.request(t, op.method, path, c.token, nil)
	}
	return w.request(t, op.method, path, c.token, c.body)
}

// part is one of a form.
type part struct {
	field, name, contentType string
	data                     []byte
}

func (b *bundle) upload(t testing.TB, token string, parts ...part) *http.Request {
	t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	for _, p := range parts {
		h := textproto.MIMEHeader{}
		h.Set("Content-Disposition", multipart.FileContentDisposition(p.field, p.name))
		if p.contentType != "" {
			h.Set("Content-Type", p.contentType)
		}
		w, err := form.CreatePart(h)
		require.NoError(t, err)
		_, err = w.Write(p.data)
		require.NoError(t, err)
	}
	require.NoError(t, form.Close())
	r := b.request(t, "PUT", "/users/me/avatar", token, body.String())
	r.Header.Set("Content-Type", form.FormDataContentType())
	return r
}

func picture(width, height int) []byte {
	var out bytes.Buffer
	if err := png.Encode(&out, image.NewGray(image.Rect(0, 0, width, height))); err != nil {
		panic(err)
	}
	return out.Bytes()
}

// requireAllSucceed makes every call of the contract.
func (w *world) requireAllSucceed(t *testing.T) {
	done := map[string]bool{}
	for _, c := range w.calls() {
		a := w.call(t, c.id, c.call)
		require.Equal(t, operations()[c.id].success(), a.status, "%s: %s", c.id, a)
		done[c.id] = true
	}
	for id := range operations() {
		require.True(t, done[id], "%s has no call in these tests", id)
	}
}

func TestEveryOperationSucceeds(t *testing.T) {
	t.Parallel()
	newWorld(t).requireAllSucceed(t)
}

func TestEveryOperationSucceedsWithoutRedis(t *testing.T) {
	t.Parallel()
	newWorld(t, redisAway).requireAllSucceed(t)
}

func TestAccess(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	expired, err := w.server.tokens.Access(identityOf(w.alice), time.Now().Add(-time.Hour), w.server.tokens.TTL())
	require.NoError(t, err)
	for _, c := range w.calls() {
		op := operations()[c.id]
		t.Run(c.id, func(t *testing.T) {
			anonymous := c.call
			anonymous.token = ""
			if op.needsToken() {
				w.call(t, c.id, anonymous).requireProblem(t, 401, "unauthenticated")
			}
			if op.takesToken() {
				bad := c.call
				bad.token = expired
				w.call(t, c.id, bad).requireProblem(t, 401, "unauthenticated")
			}
			if op.forAdmins() {
				user := c.call
				user.token = w.alice.token
				w.call(t, c.id, user).requireProblem(t, 403, "forbidden")
			}
			if !op.takesToken() && op.Security == nil && len(c.body) == 0 {
				require.Equal(t, op.success(), w.call(t, c.id, anonymous).status)
			}
		})
	}
}

// TestUnknownThings replaces each identifier by one that names nothing.
func TestUnknownThings(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, c := range w.calls() {
		for name := range c.params {
			op := operations()[c.id]
			if c.id == "getDefaultAvatar" { // which everyone has who might be
				continue
			}
			if name != "room_id" && (name == "name" || !strings.Contains(op.path, "{"+name+"}")) {
				continue
			}
			t.Run(c.id+" "+name, func(t *testing.T) {
				unknown := c.call
				unknown.params = copied(c.params)
				switch name {
				case "username":
					unknown.params[name] = "nobody"
				case "version":
					unknown.params[name] = "7"
				default:
					unknown.params[name] = unknownID
				}
				w.call(t, c.id, unknown).requireProblem(t, 404, "not_found")
			})
		}
	}
	t.Run("postMessage body", func(t *testing.T) {
		a := w.do(t, "POST", "/chat/messages", w.alice.token, map[string]any{"room_id": unknownID, "body": "Hello"})
		a.requireProblem(t, 404, "not_found")
	})
	t.Run("createRoom movie", func(t *testing.T) {
		a := w.do(t, "POST", "/rooms", w.alice.token, map[string]any{"name": "A room", "movie_id": unknownID})
		a.requireProblem(t, 400, "unknown_movie")
		a.requireField(t, 400, "movie_id")
	})
	t.Run("avatar that was never uploaded", func(t *testing.T) {
		w.do(t, "GET", "/users/me/avatar", w.bob.token, nil).requireProblem(t, 404, "not_found")
	})
}

// TestPrivateRoom: all that belongs to it does not exist for whoever is not in it.
func TestPrivateRoom(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, c := range w.calls() {
		op := operations()[c.id]
		if op.forAdmins() || c.params["room_id"] == "" && c.body["room_id"] == nil {
			continue
		}
		t.Run(c.id, func(t *testing.T) {
			foreign := c.call
			if c.params["room_id"] != "" {
				foreign.params = copied(c.params)
				foreign.params["room_id"] = w.private
			}
			foreign.token = w.bob.token
			w.call(t, c.id, foreign).requireProblem(t, 404, "not_found")
			if !op.needsToken() {
				foreign.token = ""
				w.call(t, c.id, foreign).requireProblem(t, 404, "not_found")
			}
		})
	}
	for _, path := range []string{"/chat/messages/" + w.message, "/invitations/" + w.revoke} {
		w.do(t, "GET", path, w.bob.token, nil).requireProblem(t, 404, "not_found")
	}
	a := w.do(t, "GET", "/rooms", "", nil)
	require.NotContains(t, string(a.raw), w.private)
	require.Contains(t, string(a.raw), w.open)
}

func TestRoomRules(t *testing.T) {
	t.Parallel()
	b := setup(t)
	alice, bob, carol := b.user(t, "alice"), b.user(t, "bob"), b.user(t, "carol")
	room := b.room(t, alice, map[string]any{"capacity": 2})

	t.Run("only those inside speak", func(t *testing.T) {
		a := b.do(t, "POST", "/chat/messages", bob.token, map[string]any{"room_id": room, "body": "Hello"})
		a.requireProblem(t, 403, "not_participant")
	})
	t.Run("joining twice is joining once", func(t *testing.T) {
		b.join(t, room, bob)
		a := b.do(t, "POST", "/rooms/"+room+"/join", bob.token, nil)
		require.EqualValues(t, 2, a.data()["participants"], a)
	})
	t.Run("who is in it", func(t *testing.T) {
		list := b.do(t, "GET", "/rooms/"+room+"/participants", "", nil).list()
		require.Len(t, list, 2)
		require.Equal(t, []any{"alice", "host", "bob", "viewer"},
			[]any{list[0]["username"], list[0]["role"], list[1]["username"], list[1]["role"]})
	})
	t.Run("full", func(t *testing.T) {
		b.do(t, "POST", "/rooms/"+room+"/join", carol.token, nil).requireProblem(t, 409, "room_full")
	})
	t.Run("leaving twice", func(t *testing.T) {
		require.Equal(t, 204, b.do(t, "POST", "/rooms/"+room+"/leave", bob.token, nil).status)
		require.Equal(t, 204, b.do(t, "POST", "/rooms/"+room+"/leave", bob.token, nil).status)
		b.join(t, room, carol)
	})
	t.Run("unlisted", func(t *testing.T) {
		hidden := b.room(t, alice, map[string]any{"visibility": "unlisted"})
		require.NotContains(t, string(b.do(t, "GET", "/rooms", bob.token, nil).raw), hidden)
		require.Equal(t, 200, b.do(t, "GET", "/rooms/"+hidden, "", nil).status)
		b.join(t, hidden, bob)
	})
	t.Run("archived", func(t *testing.T) {
		_, err := b.store.DB().ExecContext(t.Context(), "UPDATE rooms SET archived_at = now() WHERE id = ?", room)
		require.NoError(t, err)
		b.do(t, "POST", "/rooms/"+room+"/join", bob.token, nil).requireProblem(t, 409, "room_archived")
		b.void(t, "rooms", "room:"+room)
		require.Equal(t, "archived", b.do(t, "GET", "/rooms/"+room, "", nil).data()["state"])
		require.Empty(t, b.do(t, "GET", "/rooms", "", nil).list())
	})
}

func TestCreatedRoomIsWhatWasAsked(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	asked := map[string]any{
		"name":        "Late show",
		"description": "Bring tea.\nAnd biscuits.",
		"movie_id":    w.movie,
		"visibility":  "unlisted",
		"capacity":    4.0,
	}
	created := w.do(t, "POST", "/rooms", w.alice.token, asked).data()
	read := w.do(t, "GET", "/rooms/"+created["id"].(string), "", nil).data()
	require.Equal(t, created, read)
	for name, v := range asked {
		require.Equal(t, v, read[name], name)
	}
	require.Equal(t, map[string]any{"id": w.alice.id, "username": "alice"}, read["host"])
	require.EqualValues(t, 1, read["participants"])

	defaults := w.do(t, "POST", "/rooms", w.alice.token, map[string]any{"name": "Plain"}).data()
	require.Equal(t, []any{"public", 50.0, nil, ""},
		[]any{defaults["visibility"], defaults["capacity"], defaults["movie_id"], defaults["description"]})
}

func TestCleanupRun(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a := w.do(
		t,
		"POST",
		"/admin/cleanup",
		w.admin.token,
		map[string]any{"policies": []any{"old_messages"}, "dry_run": true},
	)
	require.Equal(t, 202, a.status, a)
	id := a.data()["run_id"].(string)
	require.Equal(t, "https://party.example/api/admin/cleanup/runs/"+id, a.data()["status_url"])
	require.Contains(t, a.data()["temporal_url"], "/namespaces/default/workflows?query=")
	require.Contains(t, a.data()["temporal_url"], url.QueryEscape("cleanup/"+id))

	run := w.do(t, "GET", "/admin/cleanup/runs/"+id, w.admin.token, nil).data()
	require.Equal(
		t,
		[]any{"queued", true, "admin", w.admin.id, []any{"old_messages"}, nil, nil},
		[]any{
			run["state"],
			run["dry_run"],
			run["trigger"],
			run["started_by"],
			run["policies"],
			run["started_at"],
			run["finished_at"],
		},
	)
	var events int
	require.NoError(
		t,
		w.store.DB().NewRaw("SELECT count(*) FROM outbox WHERE workflow_id = ?", "cleanup/"+id).Scan(t.Context(), &events),
	)
	require.Equal(t, 1, events)

	finished := w.do(t, "GET", "/admin/cleanup/runs/"+w.run, w.admin.token, nil).data()
	require.Equal(t, "failed", finished["state"])
	require.Equal(t, map[string]any{"inactive_rooms": "stopped"}, finished["errors"])
	require.Len(t, finished["policies"], len(w.cfg.Cleanup.Policies()))
	require.Equal(t, w.run, w.do(t, "GET", "/admin/reports/"+w.report, w.admin.token, nil).data()["run_id"])
}

// TestDeletedAccount: a token that outlives its account is no proof of anything.
func TestDeletedAccount(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, name := range []string{"bob", "root"} {
		_, err := w.store.DB().ExecContext(t.Context(), "DELETE FROM users WHERE username = ?", name)
		require.NoError(t, err)
	}
	for _, c := range w.calls() {
		op := operations()[c.id]
		if !op.needsToken() {
			continue
		}
		t.Run(c.id, func(t *testing.T) {
			gone := c.call
			gone.token = w.bob.token
			if op.forAdmins() {
				gone.token = w.admin.token
			}
			a := w.call(t, c.id, gone)
			require.Contains(t, []int{204, 401, 404}, a.status, a)
		})
	}
}

func copied[V any](m map[string]V) map[string]V {
	out := map[string]V{}
	for k, v := range m {
		out[k] = v
	}
	return out
}

// TestArchivedRoom: it can be read, and nothing new happens in it.
func TestArchivedRoom(t *testing.T) {
	t.Parallel()
	b := setup(t)
	host, guest := b.user(t, "host"), b.user(t, "guest")
	room := b.room(t, host, nil)
	_, err := b.store.DB().ExecContext(t.Context(), "UPDATE rooms SET archived_at = now() WHERE id = ?", room)
	require.NoError(t, err)
	said := map[string]any{"room_id": room, "body": "too late"}
	b.do(t, "POST", "/chat/messages", host.token, said).requireProblem(t, http.StatusConflict, "room_archived")
	b.do(t, "POST", "/rooms/"+room+"/join", guest.token, nil).requireProblem(t, http.StatusConflict, "room_archived")
	require.Empty(t, b.do(t, "GET", "/chat/messages?room_id="+room, "", nil).list())
}
