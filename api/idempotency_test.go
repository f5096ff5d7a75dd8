package api

import (
	"maps"
	"net/http"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

const idempotencyKey = "Idempotency-Key"

// Whatever creates can be asked for again without a second thing being made, be it on a bad line.
func TestWhatCreatesTakesAKey(t *testing.T) {
	t.Parallel()
	for id, op := range operations() {
		taken := op.Parameters.GetByInAndName("header", idempotencyKey) != nil
		if op.method == http.MethodPost && (op.success() == http.StatusCreated || op.success() == http.StatusAccepted) {
			require.True(t, taken, "%s takes no %s", id, idempotencyKey)
		}
	}
}

// changed are requests under the same key that ask for something else.
var changed = map[string]map[string]any{
	"register":         {"username": "carola"},
	"createMovie":      {"title": "Faust II"},
	"createWebhook":    {"description": "To another pager"},
	"createRoom":       {"name": "Later show"},
	"muteUser":         {"reason": "Less noise"},
	"banUser":          {"reason": "Less noise"},
	"createInvitation": {"email": "other@example.org"},
	"postMessage":      {"body": "Goodbye"},
	"startCleanup":     {"dry_run": false},
	"addToQueue": {
		"title": "Faust II",
	},
	"scheduleParty":        {"title": "Third part"},
	"reportAbuse":          {"text": "Nowhere"},
	"requestPasswordReset": {"email": "other@example.org"},
}

func TestRequestsSentAgain(t *testing.T) {
	t.Parallel()
	for id, op := range operations() {
		if op.Parameters.GetByInAndName("header", idempotencyKey) == nil {
			continue
		}
		t.Run(id, func(t *testing.T) {
			t.Parallel()
			w := newCompleteFixture(t)
			calls := w.calls()
			at := slices.IndexFunc(calls, func(c named) bool { return c.id == id })
			for _, before := range calls[:at] {
				w.call(t, before.id, before.call)
			}
			c := calls[at].call
			send := func(body map[string]any, params map[string]string) answer {
				if c.body != nil {
					c.body = maps.Clone(c.body)
					maps.Copy(c.body, body)
				}
				maps.Copy(c.params, params)
				r := w.build(t, op, c)
				r.Header.Set(idempotencyKey, "the-same-key-each-time")
				return w.send(t, r)
			}
			first := send(nil, nil)
			require.Equal(t, op.success(), first.status, first)
			before := w.rows(t)
			again := send(nil, nil)
			require.Equal(t, first.status, again.status, again)
			require.Empty(t, first.header.Values("Idempotent-Replayed"))
			require.Equal(t, []string{"true"}, again.header.Values("Idempotent-Replayed"))
			for _, name := range []string{"Location", "ETag"} {
				require.Equal(t, first.header.Get(name), again.header.Get(name), name)
			}
			if id == "register" { // a sign-in of its own
				require.Equal(t, first.data()["user"], again.data()["user"])
				before["sessions"] = w.rows(t)["sessions"]
				before["known_clients"] = w.rows(t)["known_clients"] // of when
			} else {
				require.Equal(t, first.body, again.body)
			}
			require.Equal(t, before, w.rows(t))

			var params map[string]string // of what has no body
			if id == "resendEmail" {
				params = map[string]string{"email_id": w.queued}
			}
			if id == "resendVerification" { // there is nothing else that it could ask for
				return
			}
			require.NotEmpty(t, len(changed[id])+len(params))
			reused := send(changed[id], params)
			reused.requireProblem(t, http.StatusUnprocessableEntity, "idempotency_key_reused")
			require.Empty(t, reused.header.Values("Idempotent-Replayed"))
			require.Equal(t, before, w.rows(t))
		})
	}
}

// endings are the operations that remove what an operation with a key has created, and the parameter that names it;
// empty for what stays, and can be answered with again.
var endings = map[string]struct{ operation, parameter, property string }{
	"createRoom":    {"deleteRoom", "room_id", "id"},
	"createMovie":   {"deleteMovie", "movie_id", "id"},
	"createWebhook": {"deleteWebhook", "webhook_id", "id"},
	"addToQueue":    {"removeFromQueue", "item_id", "id"},
	"banUser":       {"liftBan", "username", ""},
	"muteUser":      {"liftMute", "username", ""},
	"register":      {}, "requestPasswordReset": {}, "resendVerification": {}, "resendEmail": {}, "createInvitation": {},
	"postMessage": {}, "scheduleParty": {}, "reportAbuse": {}, "startCleanup": {},
}

// TestReplaysOfWhatIsGone: when what a request has created is gone, the same request is a 404, and creates nothing.
func TestReplaysOfWhatIsGone(t *testing.T) {
	t.Parallel()
	w := newCompleteFixture(t)
	for _, c := range w.calls() {
		op := operations()[c.id]
		ending, ok := endings[c.id]
		require.Equal(t, op.Parameters.GetByInAndName("header", idempotencyKey) != nil, ok, "the ending of %s", c.id)
		if ending.operation == "" {
			w.call(t, c.id, c.call)
			continue
		}
		send := func() answer {
			r := w.build(t, op, c.call)
			r.Header.Set(idempotencyKey, "the-key-of-"+c.id)
			return w.send(t, r)
		}
		first := send()
		require.Equal(t, op.success(), first.status, "%s: %s", c.id, first)
		end := call{token: c.token, params: maps.Clone(c.params)}
		if end.params == nil {
			end.params = map[string]string{}
		}
		if ending.property == "" {
			end.params[ending.parameter] = c.body["username"].(string)
		} else {
			end.params[ending.parameter] = first.data()[ending.property].(string)
		}
		require.Equal(t, http.StatusNoContent, w.call(t, ending.operation, end).status, c.id)
		before := w.rows(t)
		send().requireProblem(t, http.StatusNotFound, "not_found")
		require.Equal(t, before, w.rows(t), c.id)
	}
}
