package e2e

import (
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty/devstack/stacktest"
)

// TestPartiesThroughKills: while the worker and one of two API processes are killed, a party starts at its instant, and
// one that is cancelled starts nothing. What the guests were to be told meanwhile each of them is told once.
func TestPartiesThroughKills(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	other := stacktest.FreeAddress(t)
	s.startAPI(t)
	environ := append(slices.Clone(s.environ), "HTTP_ADDR="+other)
	api, worker := start(t, t.TempDir(), environ, "api"), s.startWorker(t)
	awaitReady(t, api, "http://"+other)

	host, _ := s.client.register(t, "host", "Host")
	guests := map[string]client{}
	for _, name := range []string{"ada", "ben", "cleo", "dan"} {
		guests[name], _ = s.client.register(t, name, name)
	}
	s.exec(t, "UPDATE users SET email_verified_at = now()")
	s.awaitIdle(t)
	starts, cancelled := newPartyOf(t, host, 5*time.Hour), newPartyOf(t, host, 5*time.Hour)
	reminds := newPartyOf(t, host, time.Hour+20*time.Second) // the reminder is due while nobody can send it
	for _, party := range []*party{reminds, starts, cancelled} {
		for name, reply := range map[string]string{"ada": "yes", "ben": "maybe", "cleo": "yes", "dan": "no"} {
			got := guests[name].do(t, http.MethodPut, "/parties/"+party.id+"/answer", map[string]string{"answer": reply})
			require.Equal(t, http.StatusNoContent, got.status, "%s", got.body)
		}
	}
	s.awaitIdle(t)

	worker.kill()
	api.kill()
	// The API would not have them so soon.
	const soon = "UPDATE parties SET starts_at = date_trunc('milliseconds', clock_timestamp()) + ? * interval '1 ms' WHERE id = ?"
	s.exec(t, soon, 25_000, cancelled.id) // time enough to cancel it
	s.exec(t, soon, 26_000, starts.id)
	instant := starts.read(t)["starts_at"]
	for _, party := range []*party{starts, cancelled} {
		eventually(t, func(c *assert.CollectT) {
			require.Equal(c, party.read(c)["starts_at"], party.playback(c)["starts_at"])
		}, "the room waits for the start")
	}
	require.Equal(t, http.StatusNoContent, host.do(t, http.MethodDelete, "/parties/"+cancelled.id, nil).status)
	eventually(t, func(c *assert.CollectT) {
		now := starts.playback(c)
		require.Equal(c, []any{"playing", "started", instant, 0.0},
			[]any{now["state"], now["cause"], now["at"], now["position_ms"]})
	}, "the party starts")
	require.Equal(t, "started", starts.read(t)["state"])
	now := cancelled.playback(t) // it would have started a second before the other
	require.Equal(t, []any{"paused", "unscheduled", nil}, []any{now["state"], now["cause"], now["starts_at"]})

	require.Empty(t, partyEmails(t, s)["Your watch party was cancelled"], "there is no worker")
	awaitReady(t, start(t, t.TempDir(), environ, "api"), "http://"+other)
	s.startWorker(t)
	told := map[string]map[string]int{}
	for _, subject := range []string{"Your watch party starts within an hour", "Your watch party was cancelled"} {
		told[subject] = map[string]int{}
		for _, name := range []string{"ada", "ben", "cleo"} {
			told[subject][name+"@people.example"] = 1
		}
	}
	eventually(t, func(c *assert.CollectT) {
		require.Equal(c, told, partyEmails(c, s))
	}, "those who come are told")
	s.awaitIdle(t)
	require.Equal(t, told, partyEmails(t, s), "once")
}

// party is one in a room of its own, which has something in its queue.
type party struct {
	host     client
	id, room string
}

func newPartyOf(t *testing.T, host client, after time.Duration) *party {
	t.Helper()
	post := func(path string, body map[string]any) string {
		got := host.post(t, path, body)
		require.Equal(t, http.StatusCreated, got.status, "%s", got.body)
		return got.data(t)["id"].(string)
	}
	p := &party{host: host}
	p.room = post("/rooms", map[string]any{"name": "Silents"})
	post("/rooms/"+p.room+"/queue", map[string]any{"stream_url": "https://videos.example/movie.webm"})
	p.id = post("/rooms/"+p.room+"/parties",
		map[string]any{"starts_at": time.Now().Add(after).UTC().Format(time.RFC3339Nano), "time_zone": "Europe/Berlin"})
	return p
}

func (p *party) read(t require.TestingT) map[string]any {
	return p.host.get(t, "/parties/"+p.id).data(t)
}

func (p *party) playback(t require.TestingT) map[string]any {
	return p.host.get(t, "/rooms/"+p.room+"/playback").data(t)
}

// partyEmails says how many emails about parties each address got, by their subjects.
func partyEmails(t require.TestingT, s *system) map[string]map[string]int {
	counts := map[string]map[string]int{}
	for _, message := range readInbox(t, s.stack.InboxURL()).Messages {
		if message.Subject == "Welcome to WatchParty" {
			continue
		}
		if counts[message.Subject] == nil {
			counts[message.Subject] = map[string]int{}
		}
		counts[message.Subject][message.To[0].Address]++
	}
	return counts
}

// exec changes rows in ways that the API has no operation for.
func (s *system) exec(t *testing.T, statement string, args ...any) {
	t.Helper()
	_, err := s.store.DB().ExecContext(t.Context(), statement, args...)
	require.NoError(t, err)
}
