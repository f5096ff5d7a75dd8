package api

import (
	"encoding/json"
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/api/contract"
	"github.com/watchparty/watchparty/workflows/job"
)

// TestWebhookMessages: each kind of message is what the contract says of it.
func TestWebhookMessages(t *testing.T) {
	t.Parallel()
	w := newCompleteFixture(t)
	hook := w.do(t, "POST", "/admin/webhooks", w.admin.token, map[string]any{"url": "https://hooks.example/all"}).data()
	w.logs.secret(hook["secret"].(string))
	w.exec(t, "UPDATE movies SET stream_url = 'https://movies.example/m.mp4', runtime_minutes = 30 WHERE id = ?", w.movie)
	room := w.room(t, w.alice, map[string]any{"movie_id": w.movie})
	w.command(t, room, w.alice, "load", map[string]any{"movie_id": w.movie, "stream_url": nil})
	w.do(t, "POST", "/abuse-reports", w.bob.token, map[string]any{"kind": "spam", "room_id": room})
	require.NoError(t, w.store.MarkEmailFailed(t.Context(), w.queued))
	_, err := w.store.FinishRun(t.Context(), job.FinishCleanupInput{
		RunID: w.waiting, Failed: map[watchparty.Policy]string{watchparty.PolicyRooms: "stopped"},
	})
	require.NoError(t, err)
	w.do(t, "POST", "/admin/users/"+w.dave.id+"/suspend", w.admin.token,
		map[string]any{"reason": "Spam", "hide_content": true})
	path := "/admin/webhooks/" + hook["id"].(string)
	require.Equal(t, 200, w.do(t, "POST", path+"/test", w.admin.token, nil).status)

	spec, err := contract.GetSpec()
	require.NoError(t, err)
	seen := map[string]bool{}
	for _, d := range w.do(t, "GET", path+"/deliveries", w.admin.token, nil).list() {
		require.Nil(t, d["message"])
		whole := w.do(t, "GET", "/admin/webhook-deliveries/"+d["id"].(string), w.admin.token, nil).data()
		message := whole["message"].(map[string]any)
		kind := message["type"].(string)
		require.Equal(t, d["kind"], kind)
		seen[kind] = true
		name := ""
		for part := range strings.FieldsFuncSeq(kind, func(r rune) bool { return r == '.' || r == '_' }) {
			name += strings.ToUpper(part[:1]) + part[1:]
		}
		schema := spec.Components.Schemas[name+"Message"]
		require.NotNil(t, schema, name)
		require.NoError(t, schema.Value.VisitJSON(message), kind)
		data := schema.Value.Properties["data"].Value
		for property := range message["data"].(map[string]any) {
			require.Contains(t, data.Properties, property, kind)
		}
		encoded, err := json.Marshal(message)
		require.NoError(t, err)
		for _, p := range []person{w.alice, w.dave} {
			require.NotContains(t, string(encoded), p.email)
			require.NotContains(t, string(encoded), `"`+p.name+`"`)
		}
	}
	for _, kind := range append(watchparty.WebhookKinds(), watchparty.WebhookTestRequested) {
		require.True(t, seen[string(kind)], "no message of the kind %s", kind)
	}
}

// TestWebhookAddressesAreChecked: an address with a wrong form is refused when it is registered.
func TestWebhookAddressesAreChecked(t *testing.T) {
	t.Parallel()
	b := setup(t)
	root := b.admin(t, "root")
	hook := b.webhook(t, root)
	for _, url := range []string{
		"http://hooks.example/", "https://127.0.0.1/", "https://[::1]/", "https://169.254.169.254/",
		"https://user:password@hooks.example/", "https://hooks.example:25/",
	} {
		body := map[string]any{"url": url}
		for _, a := range []answer{
			b.do(t, "POST", "/admin/webhooks", root.token, body), b.do(t, "PATCH", "/admin/webhooks/"+hook, root.token, body),
		} {
			a.requireProblem(t, 400, "invalid_request")
			require.Contains(t, a.String(), "address", url)
		}
	}
	private := setup(t, func(s *settings) {
		s.config.Webhook.PrivateNetworks = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	})
	root = private.admin(t, "root")
	a := private.do(t, "POST", "/admin/webhooks", root.token, map[string]any{"url": "http://127.0.0.1:8080/"})
	require.Equal(t, 201, a.status, a)
	private.logs.secret(a.data()["secret"].(string))
}

// TestRedeliveredHistory: a delivery that is started again keeps its attempts.
func TestRedeliveredHistory(t *testing.T) {
	t.Parallel()
	b := setup(t)
	root := b.admin(t, "root")
	path := "/admin/webhook-deliveries/" + b.failedDelivery(t, b.webhook(t, root))
	require.Len(t, b.do(t, "GET", path, root.token, nil).data()["history"], 1)
	again := b.do(t, "POST", path+"/redeliver", root.token, nil)
	require.Equal(t, 200, again.status, again)
	require.Equal(t, "pending", again.data()["state"])
	require.Len(t, again.data()["history"], 1)
}

// TestWebhookIsOff: nothing is sent to it, its events are kept, and what it has missed comes later.
func TestWebhookIsOff(t *testing.T) {
	t.Parallel()
	b := setup(t)
	root, alice := b.admin(t, "root"), b.user(t, "alice")
	path := "/admin/webhooks/" + b.webhook(t, root)
	b.do(t, "PATCH", path, root.token, map[string]any{"kinds": []any{"room.opened"}})
	off := b.do(t, "PATCH", path, root.token, map[string]any{"enabled": false}).data()
	require.Equal(t, []any{false, "admin"}, []any{off["enabled"], off["off_reason"]})
	b.room(t, alice, nil)
	deliveries := b.do(t, "GET", path+"/deliveries?state=cancelled&kind=room.opened", root.token, nil).list()
	require.Len(t, deliveries, 1)
	require.Equal(t, "webhook_off", deliveries[0]["reason"])
	again := "/admin/webhook-deliveries/" + deliveries[0]["id"].(string) + "/redeliver"
	for _, a := range []answer{
		b.do(t, "POST", path+"/test", root.token, nil), b.do(t, "POST", again, root.token, nil),
		b.do(t, "POST", path+"/replay", root.token, map[string]any{"since": "2026-01-01T00:00:00Z"}),
	} {
		a.requireProblem(t, 409, "webhook_off")
	}
	on := b.do(t, "PATCH", path, root.token, map[string]any{"enabled": true}).data()
	require.Equal(t, []any{true, nil, 1.0}, []any{on["enabled"], on["off_reason"], on["failed"]})
	since := map[string]any{"since": "2026-01-01T00:00:00Z"}
	require.Equal(
		t, map[string]any{"queued": 1.0, "more": false}, b.do(t, "POST", path+"/replay", root.token, since).data(),
	)
	require.Equal(t, 0.0, b.do(t, "POST", path+"/replay", root.token, since).data()["queued"])
	b.do(t, "POST", again, root.token, nil).requireProblem(t, 409, "delivery_not_ended")
	require.Equal(t, 204, b.do(t, "DELETE", path, root.token, nil).status)
	b.do(t, "GET", path+"/deliveries", root.token, nil).requireProblem(t, 404, "not_found")
	b.do(t, "GET", strings.TrimSuffix(again, "/redeliver"), root.token, nil).requireProblem(t, 404, "not_found")
	acts := []any{}
	for _, entry := range b.do(t, "GET", "/admin/audit?target_id="+off["id"].(string), root.token, nil).list() {
		acts = append(acts, entry["action"])
	}
	require.Equal(t, []any{
		"webhook_deleted", "webhook_replayed", "webhook_switched_on", "webhook_switched_off", "webhook_updated",
		"webhook_created",
	}, acts)
}

func TestWebhooksAreFew(t *testing.T) {
	t.Parallel()
	b := setup(t)
	root := b.admin(t, "root")
	create := func() answer {
		a := b.do(t, "POST", "/admin/webhooks", root.token, map[string]any{"url": "https://hooks.example/all"})
		if a.status == 201 {
			b.logs.secret(a.data()["secret"].(string))
		}
		return a
	}
	for range watchparty.MaxWebhooks {
		require.Equal(t, 201, create().status)
	}
	create().requireProblem(t, 409, "too_many_webhooks")
}
