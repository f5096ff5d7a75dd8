package e2e

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.temporal.io/api/enums/v1"

	"github.com/watchparty/watchparty/devstack"
)

// TestTemporalAway: registration works at once while Temporal is down, and each email follows, once, when it is back.
func TestTemporalAway(t *testing.T) {
	t.Parallel()
	const users = 50
	s := newSystem(t)
	s.startAPI(t)
	s.startWorker(t)
	require.NoError(t, s.stack.Stop(devstack.Temporal))

	var wg sync.WaitGroup
	const atOnce = 5 // as many as two busy cores hash in time
	for first := range atOnce {
		wg.Go(func() {
			for i := first; i < users; i += atOnce {
				s.client.register(t, fmt.Sprintf("user%02d", i), "Somebody")
			}
		})
	}
	wg.Wait()
	require.False(t, t.Failed())
	require.Zero(t, readInbox(t, s.stack.InboxURL()).Total)
	require.Equal(t, "unreachable", s.client.get(t, "/health").data(t)["temporal"])

	require.NoError(t, s.stack.Restart(t.Context(), devstack.Temporal))
	eventually(t, func(c *assert.CollectT) {
		assert.Equal(c, users, len(readInbox(c, s.stack.InboxURL()).counted()))
	}, "everyone has an email")
	s.awaitIdle(t)
	for address, n := range readInbox(t, s.stack.InboxURL()).counted() {
		require.Equal(t, 1, n, address)
	}
}

// awaitIdle returns when no event waits and no email is on its way, so that what has not come by then never will.
func (s *system) awaitIdle(t testing.TB) {
	t.Helper()
	eventually(t, func(c *assert.CollectT) {
		var events, emails int
		require.NoError(
			c, s.store.DB().NewRaw("SELECT count(*) FROM outbox WHERE state <> 'started'").Scan(t.Context(), &events),
		)
		require.NoError(c,
			s.store.DB().NewRaw("SELECT count(*) FROM emails WHERE state IN ('queued', 'sending')").Scan(t.Context(), &emails))
		assert.Zero(c, events)
		assert.Zero(c, emails)
	}, "nothing is on its way")
}

// TestWorkerKilledInAvatar: a worker that dies while it renders costs only time.
func TestWorkerKilledInAvatar(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	s.startAPI(t)
	worker := s.startWorker(t)
	user, account := s.client.register(t, "carol", "Carol")
	got := user.putAvatar(t, bigPicture(t))
	require.Equal(t, http.StatusAccepted, got.status, "%s", got.body)
	lock := s.lockUser(t, account.User.ID) // so that nothing is published before the worker is killed

	temporal := dialTemporal(t, s.stack.TemporalAddress())
	eventually(t, func(c *assert.CollectT) {
		described, err := temporal.DescribeWorkflowExecution(t.Context(), "avatar/"+account.User.ID+"/1", "")
		require.NoError(c, err)
		pending := described.GetPendingActivities()
		require.Len(c, pending, 1)
		require.Equal(c, enums.PENDING_ACTIVITY_STATE_STARTED, pending[0].GetState())
	}, "the picture is being rendered")
	worker.kill()
	require.Equal(t, "processing", user.get(t, "/users/me/avatar").data(t)["status"])
	require.NoError(t, lock.Rollback())

	s.startWorker(t)
	eventually(t, func(c *assert.CollectT) {
		require.Equal(c, "ready", user.get(c, "/users/me/avatar").data(c)["status"])
		require.ElementsMatch(c, []string{"thumbnail.webp", "medium.webp", "medium.jpg", "large.webp"}, s.objects(c),
			"nothing else is left in the bucket")
	}, "the avatar is ready")
	urls := user.get(t, "/users/carol").data(t)["avatar"].(map[string]any)
	requirePicture(t, urls["medium"].(string), 512)
}

// bigPicture takes seconds to render and little to upload.
func bigPicture(t *testing.T) []byte {
	t.Helper()
	picture := image.NewPaletted(image.Rect(0, 0, 7000, 7000), color.Palette{color.Black, color.White})
	for i := range picture.Pix {
		picture.Pix[i] = uint8(i / 700 % 2)
	}
	var buf bytes.Buffer
	require.NoError(t, (&png.Encoder{CompressionLevel: png.BestSpeed}).Encode(&buf, picture))
	require.Less(t, buf.Len(), 5<<20)
	return buf.Bytes()
}

// TestAPIKilled: the work that a 201 promises is done, even if the process that answered is killed.
func TestAPIKilled(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	api := s.startAPI(t)
	s.client.register(t, "dora", "Dora")
	api.kill()
	s.startWorker(t)
	eventually(t, func(c *assert.CollectT) {
		assert.Equal(c, map[string]int{"dora@people.example": 1}, readInbox(c, s.stack.InboxURL()).counted())
	}, "the email has come")
}

// TestRedisAway: everything still answers, quickly, and nothing stale comes back with Redis, which keeps what it had.
func TestRedisAway(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	redis := newGate(t, strings.TrimSuffix(strings.TrimPrefix(s.stack.RedisURL(), "redis://"), "/0"))
	s.environ = append(s.environ, "REDIS_URL=redis://"+redis.addr())
	s.startAPI(t)
	user, _ := s.client.register(t, "erin", "Erin")
	room := user.post(t, "/rooms", map[string]any{"name": "before"}).data(t)
	messages := "/chat/messages?room_id=" + room["id"].(string)
	require.Empty(t, user.get(t, messages).list(t))
	eventually(t, func(c *assert.CollectT) { // the process has just asked for its lease
		require.Equal(c, "HIT", user.get(t, messages).header.Get("X-Cache"))
	}, "the cache is not used")

	paths := []string{
		"/rooms", "/rooms/" + room["id"].(string), "/movies", "/users/erin", "/users/me", messages,
	}
	read := func() (took time.Duration) {
		t.Helper()
		began := time.Now()
		for _, path := range paths {
			got := user.get(t, path)
			require.Equal(t, http.StatusOK, got.status, "%s: %s", path, got.body)
		}
		return time.Since(began)
	}
	usual := read()

	redis.shut()
	started := time.Now()
	got := user.post(t, "/chat/messages", map[string]any{"room_id": room["id"], "body": "still here"})
	require.Equal(t, http.StatusCreated, got.status, "%s", got.body)
	read()
	took := time.Since(started)
	t.Logf("reading took %s with Redis; posting and reading took %s without it", usual, took)
	require.Less(t, took, 5*time.Second+10*usual, "nothing waits for Redis")
	require.Len(t, user.get(t, messages).list(t), 1)
	health := user.get(t, "/health")
	require.Equal(t, http.StatusOK, health.status)
	require.Equal(t, "degraded", health.data(t)["status"])
	require.Equal(t, "unreachable", health.data(t)["redis"])

	redis.open()
	ticker := time.NewTicker(10 * time.Millisecond)
	defer ticker.Stop()
	for deadline := time.After(longWait); ; {
		got := user.get(t, messages)
		require.Len(t, got.list(t), 1, "the empty list that Redis kept is void")
		if got.header.Get("X-Cache") == "HIT" {
			return
		}
		select {
		case <-ticker.C:
		case <-deadline:
			require.FailNow(t, "the cache is not used again")
		}
	}
}

// TestCleanStop: SIGTERM ends both processes in order, with exit code 0.
func TestCleanStop(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	api, worker := s.startAPI(t), s.startWorker(t)
	s.client.register(t, "finn", "Finn")
	s.awaitIdle(t)
	require.Equal(t, 0, api.stop(t), api.out.String())
	require.Equal(t, 0, worker.stop(t), worker.out.String())
}
