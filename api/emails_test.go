package api

import (
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/store"
)

func TestEmails(t *testing.T) {
	t.Parallel()
	b := setup(t)
	root, alice, bob := b.admin(t, "root"), b.user(t, "alice"), b.user(t, "bob")
	id := b.welcomeEmail(t, alice)
	list := func(query string) (found []any) {
		a := b.do(t, "GET", "/admin/emails?"+query, root.token, nil)
		require.Equal(t, 200, a.status, a)
		for _, email := range a.list() {
			found = append(found, email["id"])
		}
		return found
	}
	act := func(method, path string) answer { return b.do(t, method, "/admin/emails/"+path, root.token, nil) }

	t.Run("history", func(t *testing.T) {
		for _, outcome := range []watchparty.EmailOutcome{
			watchparty.EmailOutcomeTemporary, watchparty.EmailOutcomePermanent,
		} {
			attempt, err := b.store.BeginEmailAttempt(t.Context(), id)
			require.NoError(t, err)
			_, err = b.store.RecordEmailAttempt(t.Context(), id, attempt,
				store.EmailRefusal{Outcome: outcome, Reason: watchparty.ReasonServerUnreachable, Answer: "450 not now"})
			require.NoError(t, err)
		}
		require.NoError(t, b.store.MarkEmailFailed(t.Context(), id))
		a := act("GET", id)
		require.Equal(t, 200, a.status, a)
		email := a.data()
		require.Equal(
			t,
			[]any{"welcome", alice.id, asShown(alice), "failed", 2., "450 not now", nil, "welcome-email/" + alice.id, nil},
			[]any{
				email["kind"],
				email["subject_id"],
				email["recipient"],
				email["state"],
				email["attempts"],
				email["last_answer"],
				email["resend_of"],
				email["workflow_id"],
				email["sent_at"],
			},
		)
		require.Contains(t, email["temporal_url"], "welcome-email%2F"+alice.id)
		history := a.data()["history"].([]any)
		require.Len(t, history, 2)
		for i, outcome := range []string{"temporary", "permanent"} {
			attempt := history[i].(map[string]any)
			require.Equal(t, []any{float64(i + 1), outcome, "450 not now"},
				[]any{attempt["number"], attempt["outcome"], attempt["answer"]})
			require.NotNil(t, attempt["ended_at"])
		}
		require.NotContains(t, string(a.raw), "@", "no address")
	})
	t.Run("list", func(t *testing.T) {
		require.Len(t, list(""), 3)
		require.Equal(t, []any{id}, list("state=failed"))
		require.Equal(t, []any{b.welcomeEmail(t, bob)}, list("user_id="+bob.id))
		require.Empty(t, list("kind=password_reset"))
		require.Equal(t, []any{id}, list("address="+url.QueryEscape(strings.ToUpper(alice.email))))
		require.Empty(t, list("address=nobody@example.org"))
		require.Equal(t, []any{id}, list("reason=server_unreachable"))
		require.Empty(t, list("from=2020-01-01T00:00:00Z&to=2020-01-02T00:00:00Z"))
		require.Len(t, list("from=2020-01-01T00:00:00Z"), 3)
		for _, query := range []string{"state=lost", "kind=spam", "user_id=1", "cursor=x", "address=a", "from=now",
			"reason=x", "room_id=1"} {
			require.Equal(t, 400, b.do(t, "GET", "/admin/emails?"+query, root.token, nil).status, query)
		}
	})
	t.Run("send again", func(t *testing.T) {
		a := act("POST", id+"/resend")
		require.Equal(t, 201, a.status, a)
		require.Equal(t, []any{"queued", id, "welcome"}, []any{a.data()["state"], a.data()["resend_of"], a.data()["kind"]})
		require.Equal(t, []any{a.data()["id"], id}, list("user_id="+alice.id))
		act("POST", a.data()["id"].(string)+"/resend").requireProblem(t, 409, "email_not_ended")
	})
	t.Run("invitation", func(t *testing.T) {
		b.exec(t, "UPDATE users SET email_verified_at = now() WHERE id = ?", alice.id)
		room := b.room(t, alice, nil)
		a := b.do(t, "POST", "/rooms/"+room+"/invitations", alice.token, map[string]any{"email": "guest@example.org"})
		require.Equal(t, 201, a.status, a)
		invitation := a.data()["id"].(string)
		for _, query := range []string{"room_id=" + room, "invitation_id=" + invitation, "address=Guest@example.org"} {
			found := list(query)
			require.Len(t, found, 1, query)
			email := act("GET", found[0].(string)).data()
			require.Equal(t, []any{invitation, room, "relay", nil, nil},
				[]any{email["subject_id"], email["room_id"], email["waits_for"], email["waits_until"], email["deadline_at"]})
		}
	})
	t.Run("cancel", func(t *testing.T) {
		emailID := b.welcomeEmail(t, bob)
		b.do(t, "POST", "/admin/emails/"+emailID+"/cancel"+because(strings.Repeat("x", 201)), root.token, nil).
			requireProblem(t, 400, "invalid_request")
		for range 2 {
			a := b.do(t, "POST", "/admin/emails/"+emailID+"/cancel"+because("  a typo "), root.token, nil)
			require.Equal(t, 200, a.status, a)
			require.Equal(t, "cancelled", a.data()["state"])
		}
		act("POST", id+"/cancel").requireProblem(t, 409, "email_ended")
	})
	t.Run("pause", func(t *testing.T) {
		waiting := act("GET", "pause").data()["waiting"]
		require.Nil(t, act("GET", "pause").data()["paused_at"])
		paused := act("PUT", "pause").data()
		require.NotNil(t, paused["paused_at"])
		require.Equal(t, waiting, paused["waiting"])
		require.Equal(t, paused, act("PUT", "pause").data())
		require.Equal(t, paused, act("GET", "pause").data())
		require.Nil(t, act("DELETE", "pause").data()["paused_at"])
	})
	t.Run("audit", func(t *testing.T) {
		noted := b.do(t, "GET", "/admin/audit?action=email_cancelled", root.token, nil).list()
		require.Equal(t, "a typo", noted[0]["details"].(map[string]any)["note"])
		var acts []any
		for _, entry := range b.do(t, "GET", "/admin/audit?actor_id="+root.id, root.token, nil).list() {
			acts = append(acts, entry["action"].(string)+" "+entry["target_kind"].(string))
		}
		require.Equal(t,
			[]any{"queue_resumed queue_pause", "queue_paused queue_pause", "email_cancelled email", "email_resent email"},
			acts)
	})
}
