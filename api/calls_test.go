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

	"github.com/stretchr/testify/require"
)

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
		}}},
		{"updateMovie", call{token: admin, params: one("movie_id", w.movie), body: map[string]any{
			"title": "Metropolis (restored)", "year": 1927, "runtime_minutes": 153, "description": "", "genres": []any{},
			"poster_url": nil, "stream_url": "https://films.example/metropolis.mp4", "archived": false}}},
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
			"slow_mode_seconds": 0, "state": "open"}}},
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

func copied[V any](m map[string]V) map[string]V {
	out := map[string]V{}
	for k, v := range m {
		out[k] = v
	}
	return out
}
