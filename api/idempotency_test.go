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
	"register":      {"username": "carola"},
	"createMovie":   {"title": "Faust II"},
	"createWebhook": {"description": "To another pager"},
	"createRoom":    {"name": "Later show"},
	"mute":          {"reason": "Less noise"},
	"ban":           {"reason": "Less noise"},
	"invite":        {"email": "other@example.org"},
	"postMessage":   {"body": "Goodbye"},
	"startCleanup":  {"dry_run": false},
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
			w := newWorld(t)
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
