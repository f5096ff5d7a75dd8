package api

import (
	"bytes"
	"image"
	"image/png"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"net/url"
	"slices"
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
func (w *completeFixture) calls() []named {
	return slices.Concat(
		w.accountCalls(),
		w.avatarCalls(),
		w.signInCalls(),
		w.movieCalls(),
		w.roomCalls(),
		w.watchingCalls(),
		w.partyCalls(),
		w.moderationCalls(),
		w.invitationCalls(),
		w.roomReadCalls(),
		w.chatCalls(),
		w.leavingCalls(),
		w.healthCalls(),
		w.cleanupCalls(),
		w.adminRoomCalls(),
		w.abuseCalls(),
		w.scheduleCalls(),
		w.reportCalls(),
		w.userCalls(),
		w.emailCalls(),
		w.webhookCalls(),
		w.jobCalls(),
		w.endingCalls(),
	)
}

// inRoom, toPerson and param are parameters of a path or a query.
func inRoom(room string) map[string]string { return param("room_id", room) }

func toPerson(room, username string) map[string]string {
	return map[string]string{"room_id": room, "username": username}
}

func param(name, value string) map[string]string { return map[string]string{name: value} }

// soon is when the mutes and bans of the calls end.
func soon() string { return time.Now().Add(30 * time.Minute).UTC().Format(time.RFC3339) }

// accountCalls are the operations on the account and its sign-ins.
func (w *completeFixture) accountCalls() []named {
	return []named{
		{"register", call{body: map[string]any{
			"username":     "carol",
			"email":        "carol@example.org",
			"password":     password,
			"display_name": "Carol",
			"language":     "de",
		}}},
		{"login", call{body: map[string]any{"email": w.alice.email, "password": w.alice.password}}},
		{"getMe", call{token: w.alice.token}},
		{"updateMe", call{token: w.alice.token, body: map[string]any{"display_name": "Alice L.", "language": "en"}}},
		{"listProfiles", call{params: param("usernames", "alice,nobody")}},
		{"getProfile", call{params: map[string]string{"username": "alice"}}},
	}
}

// avatarCalls are the operations on avatars.
func (w *completeFixture) avatarCalls() []named {
	return []named{
		{"putAvatar", call{token: w.alice.token, file: picture(8, 8)}},
		{"getAvatar", call{token: w.alice.token}},
		{"getAvatarFile", call{params: map[string]string{"user_id": w.file.UserID, "version": "1", "name": "medium.webp"}}},
		{"getDefaultAvatar", call{params: map[string]string{"user_id": w.file.UserID, "default_name": "default.svg"}}},
		{"deleteAvatar", call{token: w.alice.token}},
	}
}

// signInCalls are the operations on sign-ins and addresses.
func (w *completeFixture) signInCalls() []named {
	return []named{
		{"listSessions", call{token: w.alice.token}},
		{"endSession", call{token: w.bob.token, params: param("session_id", w.session)}},
		{"verifyEmail", call{body: map[string]any{"token": w.verification}}},
		{"resendVerification", call{token: w.alice.token}},
	}
}

// movieCalls are the operations on movies.
func (w *completeFixture) movieCalls() []named {
	return []named{
		{"createMovie", call{token: w.admin.token, body: map[string]any{
			"title":           "Faust",
			"year":            1926,
			"runtime_minutes": 106,
			"description":     "A wager.",
			"genres":          []any{"drama", "fantasy"},
			"poster_url":      "https://movies.example/faust.jpg",
			"stream_url":      "https://movies.example/faust.mp4",
			"duration_ms":     6_360_500,
			"subtitles":       []any{map[string]any{"language": "de", "url": "https://movies.example/faust.de.vtt"}},
		}}},
		{"updateMovie", call{token: w.admin.token, params: param("movie_id", w.movie), body: map[string]any{
			"title": "Metropolis (restored)", "year": 1927, "runtime_minutes": 153, "description": "", "genres": []any{},
			"poster_url": nil, "stream_url": "https://movies.example/metropolis.mp4", "archived": false,
			"duration_ms": nil, "subtitles": []any{}}}},
		{"deleteMovie", call{token: w.admin.token, params: param("movie_id", w.unused)}},
		{"listMovies", call{token: w.admin.token, params: map[string]string{"limit": "5"}}},
		{"listGenres", call{}},
		{"getMovie", call{params: map[string]string{"movie_id": w.movie}}},
	}
}

// roomCalls are the operations on rooms and the caller in them.
func (w *completeFixture) roomCalls() []named {
	return []named{
		{"createRoom", call{token: w.alice.token, body: map[string]any{
			"name": "Late show", "description": "Bring tea.", "movie_id": w.movie, "visibility": "unlisted", "capacity": 4}}},
		{"listRooms", call{}},
		{"joinRoom", call{token: w.bob.token, params: inRoom(w.open)}},
		{"sendHeartbeat", call{token: w.bob.token, params: inRoom(w.open)}},
		{"getMyStanding", call{token: w.bob.token, params: inRoom(w.open)}},
		{"listMyRooms", call{token: w.alice.token}},
		{"updateRoom", call{token: w.alice.token, params: inRoom(w.open), body: map[string]any{
			"name": "Early show", "description": "Bring coffee.", "movie_id": w.movie, "visibility": "public", "capacity": 7,
			"slow_mode_seconds": 0, "state": "open", "control": "everyone", "queue": "moderators", "queue_order": "votes",
			"wait_policy": "host", "now_playing": true}}},
		{"getNowPlaying", call{params: inRoom(w.open)}},
	}
}

// moderationCalls are the operations on people of a room.
func (w *completeFixture) moderationCalls() []named {
	return []named{
		{
			"setParticipantRole",
			call{token: w.alice.token, params: toPerson(w.open, "eve"), body: map[string]any{"role": "moderator"}},
		},
		{
			"muteUser",
			call{
				token:  w.eve.token,
				params: inRoom(w.open),
				body:   map[string]any{"username": "frank", "until": soon(), "reason": "Noise"},
			},
		},
		{"getMute", call{token: w.alice.token, params: toPerson(w.open, "frank")}},
		{"listMutes", call{token: w.alice.token, params: inRoom(w.open)}},
		{"liftMute", call{token: w.alice.token, params: toPerson(w.open, "frank")}},
		{"kickParticipant", call{token: w.alice.token, params: toPerson(w.open, "frank")}},
		{
			"banUser",
			call{
				token:  w.alice.token,
				params: inRoom(w.open),
				body:   map[string]any{"username": "frank", "until": soon(), "reason": "Noise"},
			},
		},
		{"getBan", call{token: w.alice.token, params: toPerson(w.open, "frank")}},
		{"listBans", call{token: w.alice.token, params: inRoom(w.open)}},
		{"liftBan", call{token: w.alice.token, params: toPerson(w.open, "frank")}},
	}
}

// invitationCalls are the operations on invitations.
func (w *completeFixture) invitationCalls() []named {
	return []named{
		{
			"createInvitation",
			call{token: w.alice.token, params: inRoom(w.private), body: map[string]any{"email": "guest@example.org"}},
		},
		{"listInvitations", call{token: w.alice.token, params: inRoom(w.private)}},
		{"getInvitation", call{token: w.alice.token, params: param("invitation_id", w.revoke)}},
		{"revokeInvitation", call{token: w.alice.token, params: param("invitation_id", w.revoke)}},
		{"lookUpInvitation", call{body: map[string]any{"token": w.accept}}},
		{"acceptInvitation", call{token: w.eve.token, body: map[string]any{"token": w.accept}}},
		{"declineInvitation", call{body: map[string]any{"token": w.decline}}},
		{"unsubscribeFromInvitations", call{body: map[string]any{"token": w.optOut}}},
		{"resubscribeToInvitations", call{body: map[string]any{"token": w.optOut}}},
		{"listMyInvitations", call{token: w.bob.token}},
		{"acceptMyInvitation", call{token: w.bob.token, params: param("invitation_id", w.toBob)}},
		{"declineMyInvitation", call{token: w.bob.token, params: param("invitation_id", w.alsoToBob)}},
	}
}

// watchingCalls are the operations on what a room watches.
func (w *completeFixture) watchingCalls() []named {
	alice := w.alice.token
	item := func(id string) map[string]string { return map[string]string{"room_id": w.private, "item_id": id} }
	return []named{
		{"getPlayback", call{token: alice, params: inRoom(w.private)}},
		{"getRoomQueue", call{token: alice, params: inRoom(w.private)}},
		{"addToQueue", call{token: alice, params: inRoom(w.private), body: map[string]any{
			"stream_url": "https://movies.example/faust.webm", "title": "Faust"}}},
		{"voteForItem", call{token: alice, params: item(w.queued2)}},
		{"getQueueItem", call{token: alice, params: item(w.queued2)}},
		{"withdrawVote", call{token: alice, params: item(w.queued2)}},
		{"moveInQueue", call{token: alice, params: item(w.queued2), body: map[string]any{"before_id": w.queued1}}},
		{"removeFromQueue", call{token: alice, params: item(w.queued2)}},
		{"sendPlaybackCommand", call{token: alice, params: inRoom(w.private), body: map[string]any{
			"kind": "load", "id": unknownID, "epoch": 0, "revision": 0, "if_revision": 0, "position_ms": 1500,
			"item_id": w.queued1}}},
		{"voteToSkip", call{token: alice, params: inRoom(w.private), body: map[string]any{"epoch": 1, "skip": false}}},
	}
}

// tomorrow is when the parties of the calls start.
func tomorrow(hours int) string {
	return time.Now().Add(24*time.Hour + time.Duration(hours)*time.Hour).UTC().Truncate(time.Second).Format(time.RFC3339)
}

// partyCalls are the operations on parties.
func (w *completeFixture) partyCalls() []named {
	alice := w.alice.token
	return []named{
		{"scheduleParty", call{token: alice, params: inRoom(w.open), body: map[string]any{
			"title": "Second part", "movie_id": nil, "starts_at": tomorrow(5), "time_zone": "Europe/Berlin"}}},
		{"listParties", call{token: alice, params: inRoom(w.open)}},
		{"updateParty", call{token: alice, params: param("party_id", w.party), body: map[string]any{
			"title": "Third part", "movie_id": w.streamed, "starts_at": tomorrow(2), "time_zone": "UTC"}}},
		{"getParty", call{token: alice, params: param("party_id", w.party)}},
		{"answerParty", call{token: alice, params: param("party_id", w.party), body: map[string]any{"answer": "yes"}}},
		{"listPartyAnswers", call{token: alice, params: param("party_id", w.party)}},
		{"listMyParties", call{token: alice}},
		{"getPartyCalendar", call{token: alice, params: param("party_id", w.party)}},
		{"cancelParty", call{token: alice, params: param("party_id", w.party2)}},
	}
}

// roomReadCalls are the operations of reading and deleting rooms.
func (w *completeFixture) roomReadCalls() []named {
	return []named{
		{"listRoomLog", call{token: w.alice.token, params: inRoom(w.open)}},
		{"deleteRoom", call{token: w.alice.token, params: inRoom(w.doomed)}},
		{"getRoom", call{token: w.alice.token, params: inRoom(w.private)}},
		{"listParticipants", call{token: w.alice.token, params: inRoom(w.private)}},
	}
}

// chatCalls are the operations on messages.
func (w *completeFixture) chatCalls() []named {
	return []named{
		{
			"postMessage",
			call{token: w.alice.token, body: map[string]any{"room_id": w.private, "body": "Hello", "reply_to_id": w.message}},
		},
		{"markRead", call{token: w.alice.token, params: inRoom(w.private), body: map[string]any{"message_id": w.message}}},
		{
			"editMessage",
			call{token: w.alice.token, params: param("message_id", w.message), body: map[string]any{"body": "First."}},
		},
		{"getMessage", call{token: w.alice.token, params: param("message_id", w.message)}},
		{"deleteMessage", call{token: w.alice.token, params: param("message_id", w.message)}},
		{"listMessages", call{token: w.alice.token, params: inRoom(w.private)}},
	}
}

// leavingCalls are the operations of leaving rooms.
func (w *completeFixture) leavingCalls() []named {
	return []named{
		{"leaveRoom", call{token: w.bob.token, params: inRoom(w.open)}},
		{"quitRoom", call{token: w.eve.token, params: inRoom(w.open)}},
	}
}

// healthCalls are the operations on health.
func (w *completeFixture) healthCalls() []named {
	return []named{
		{"getHealth", call{}},
		{"getLiveness", call{}},
		{"getReadiness", call{}},
	}
}

// cleanupCalls are the operations on clean-up.
func (w *completeFixture) cleanupCalls() []named {
	return []named{
		{
			"startCleanup",
			call{
				token: w.admin.token,
				body:  map[string]any{"policies": []any{"old_messages"}, "dry_run": true, "older_than": "90d"},
			},
		},
		{"listCleanupRuns", call{token: w.admin.token}},
		{"getCleanupRun", call{token: w.admin.token, params: map[string]string{"run_id": w.run}}},
		{"cancelCleanupRun", call{token: w.admin.token, params: map[string]string{"run_id": w.waiting}}},
		{"listRetiredRooms", call{token: w.admin.token}},
		{"restoreRoom", call{token: w.admin.token, params: param("room_id", w.retired)}},
	}
}

// adminRoomCalls are the operations on any room, for admins.
func (w *completeFixture) adminRoomCalls() []named {
	return []named{
		{"adminListRooms", call{token: w.admin.token}},
		{"adminGetRoom", call{token: w.admin.token, params: inRoom(w.private)}},
		{"adminListMessages", call{token: w.admin.token, params: inRoom(w.private)}},
		{"closeRoom", call{token: w.admin.token, params: inRoom(w.open), body: map[string]any{"reason": "Spam"}}},
		{"reopenRoom", call{token: w.admin.token, params: inRoom(w.open), body: map[string]any{"reason": "A mistake"}}},
		{
			"adminDeleteMessage",
			call{token: w.admin.token, params: param("message_id", w.spam), body: map[string]any{"reason": "Spam"}},
		},
	}
}

// abuseCalls are the operations on reports of abuse.
func (w *completeFixture) abuseCalls() []named {
	return []named{
		{
			"reportAbuse",
			call{token: w.alice.token, body: map[string]any{"kind": "harassment", "username": "frank", "text": "Everywhere"}},
		},
		{"getMyAbuseReport", call{token: w.eve.token, params: param("abuse_report_id", w.abuse)}},
		{"listAbuseReports", call{token: w.admin.token}},
		{"getAbuseReport", call{token: w.admin.token, params: param("abuse_report_id", w.abuse)}},
		{"resolveAbuseReport", call{token: w.admin.token, params: param("abuse_report_id", w.abuse), body: map[string]any{
			"outcome": "dismissed", "note": "Nothing there"}}},
	}
}

// scheduleCalls are the operations on schedules.
func (w *completeFixture) scheduleCalls() []named {
	return []named{
		{"listSchedules", call{token: w.admin.token}},
		{
			"pauseSchedule",
			call{token: w.admin.token, params: map[string]string{"schedule_id": "cleanup", "note": "disks"}},
		},
		{
			"resumeSchedule",
			call{token: w.admin.token, params: map[string]string{"schedule_id": "cleanup", "note": "done"}},
		},
		{"triggerSchedule", call{token: w.admin.token, params: param("schedule_id", "cleanup")}},
		{"backfillSchedule", call{token: w.admin.token, params: param("schedule_id", "cleanup"), body: map[string]any{
			"start": "2026-01-01T00:00:00Z", "end": "2026-01-02T00:00:00Z"}}},
	}
}

// jobCalls are the operations on jobs, queues and the outbox.
func (w *completeFixture) jobCalls() []named {
	ids := param("job_id", w.job)
	return []named{
		{"getOverview", call{token: w.admin.token}},
		{"listCleanupPolicies", call{token: w.admin.token}},
		{"listJobs", call{token: w.admin.token, params: param("user_id", w.admin.id)}},
		{"countJobs", call{token: w.admin.token, params: param("user_id", w.admin.id)}},
		{"getJob", call{token: w.admin.token, params: ids}},
		{"actOnJobs", call{token: w.admin.token, body: map[string]any{"action": "cancel", "dry_run": true}}},
		{"cancelJob", call{token: w.admin.token, params: ids}},
		{"terminateJob", call{token: w.admin.token, params: map[string]string{"job_id": w.job, "note": "hangs"}}},
		{"retryJob", call{token: w.admin.token, params: ids}},
		{"listTaskQueues", call{token: w.admin.token}},
		{"pauseTaskQueue", call{token: w.admin.token, params: param("queue", "avatar")}},
		{"resumeTaskQueue", call{token: w.admin.token, params: param("queue", "avatar")}},
		{"getOutbox", call{token: w.admin.token}},
		{"listOutboxEvents", call{token: w.admin.token}},
		{"requeueOutboxEvent", call{token: w.admin.token, params: param("event_id", w.event)}},
	}
}

// reportCalls are the operations on reports.
func (w *completeFixture) reportCalls() []named {
	return []named{
		{"listActivityReports", call{token: w.admin.token}},
		{"getActivityReport", call{token: w.admin.token, params: map[string]string{"report_id": w.report}}},
		{"getActivityReportTable", call{token: w.admin.token, params: map[string]string{"report_id": w.activity}}},
		{"viewActivityReport", call{body: map[string]any{"token": w.activityToken}}},
	}
}

// userCalls are the operations on accounts, for admins.
func (w *completeFixture) userCalls() []named {
	return []named{
		{"listUsers", call{token: w.admin.token}},
		{"getUser", call{token: w.admin.token, params: param("user_id", w.frank.id)}},
		{"suspendUser", call{token: w.admin.token, params: param("user_id", w.frank.id), body: map[string]any{
			"reason": "Spam", "hide_content": true}}},
		{"reinstateUser", call{token: w.admin.token, params: param("user_id", w.frank.id)}},
		{"listUserSessions", call{token: w.admin.token, params: param("user_id", w.frank.id)}},
		{"endUserSession", call{token: w.admin.token, params: map[string]string{
			"user_id": w.eve.id, "session_id": w.eveSession}}},
		{"endUserSessions", call{token: w.admin.token, params: param("user_id", w.frank.id)}},
		{"grantAdmin", call{token: w.admin.token, params: param("user_id", w.eve.id)}},
		{"listAdmins", call{token: w.admin.token}},
		{"revokeAdmin", call{token: w.admin.token, params: param("user_id", w.eve.id)}},
		{"listAuditLog", call{token: w.admin.token}},
	}
}

// emailCalls are the operations on emails.
func (w *completeFixture) emailCalls() []named {
	return []named{
		{"listEmails", call{token: w.admin.token}},
		{"listEmailPreviews", call{token: w.admin.token, params: map[string]string{"language": "de"}}},
		{"getEmail", call{token: w.admin.token, params: param("email_id", w.sent)}},
		{"resendEmail", call{token: w.admin.token, params: param("email_id", w.sent)}},
		{"cancelEmail", call{token: w.admin.token, params: param("email_id", w.queued)}},
		{"pauseEmails", call{token: w.admin.token}},
		{"getEmailPause", call{token: w.admin.token}},
		{"resumeEmails", call{token: w.admin.token}},
	}
}

// webhookCalls are the operations on webhooks.
func (w *completeFixture) webhookCalls() []named {
	hook, delivery := param("webhook_id", w.hook), param("delivery_id", w.delivery)
	return []named{
		{"listWebhooks", call{token: w.admin.token}},
		{"createWebhook", call{token: w.admin.token, body: map[string]any{
			"url": "https://hooks.example/b", "description": "To the pager", "kinds": []any{"cleanup.ended"}}}},
		{"getWebhook", call{token: w.admin.token, params: hook}},
		{"updateWebhook", call{token: w.admin.token, params: hook, body: map[string]any{
			"url": "https://hooks.example/c", "description": "To the bot", "kinds": []any{"cleanup.ended", "report.filed"},
			"enabled": true}}},
		{"rotateWebhookSecret", call{token: w.admin.token, params: hook, body: map[string]any{"overlap_seconds": 60}}},
		{"testWebhook", call{token: w.admin.token, params: hook}},
		{"redeliverWebhook", call{token: w.admin.token, params: delivery}},
		{"replayWebhook", call{token: w.admin.token, params: hook, body: map[string]any{"since": "2026-01-01T00:00:00Z"}}},
		{"listWebhookDeliveries", call{token: w.admin.token, params: hook}},
		{"getWebhookDelivery", call{token: w.admin.token, params: delivery}},
		{"deleteWebhook", call{token: w.admin.token, params: param("webhook_id", w.unusedHook)}},
	}
}

// endingCalls are the operations that end passwords, addresses, sign-ins and accounts.
func (w *completeFixture) endingCalls() []named {
	return []named{
		{"requestPasswordReset", call{body: map[string]any{"email": w.bob.email}}},
		{"confirmPasswordReset", call{body: map[string]any{"token": w.reset, "password": "another horse battery"}}},
		{"exportMe", call{token: w.alice.token}},
		{
			"changeEmail",
			call{token: w.alice.token, body: map[string]any{"email": "alice@example.net", "password": w.alice.password}},
		},
		{"changePassword", call{token: w.alice.token, body: map[string]any{
			"current_password": w.alice.password, "new_password": "another horse battery"}}},
		{"endOtherSessions", call{token: w.alice.token}},
		{"deleteMe", call{token: w.dave.token, body: map[string]any{"password": w.alice.password}}},
		{"refresh", call{body: map[string]any{"refresh_token": w.alice.refresh}}},
		{"logout", call{body: map[string]any{"refresh_token": w.alice.refresh}}},
	}
}

func (w *completeFixture) call(t testing.TB, id string, c call) answer {
	t.Helper()
	op, ok := operations()[id]
	require.True(t, ok, "the contract has no %s", id)
	return w.send(t, w.build(t, op, c))
}

// build fills in the path's parameters; those that are not in it go into the query.
func (w *completeFixture) build(t testing.TB, op documented, c call) *http.Request {
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
