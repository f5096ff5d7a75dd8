package store

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty"
)

func TestOverviewQueries(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	queueWelcome(t, s, "ada")
	delays, err := s.Delays(t.Context())
	require.NoError(t, err)
	require.Empty(t, delays)
	spans, err := s.Throughput(t.Context(), time.Hour, 3)
	require.NoError(t, err)
	require.Len(t, spans, 3)
	require.Equal(t, time.Hour, spans[1].From.Sub(spans[0].From))
	require.WithinDuration(t, Now().Add(-3*time.Hour), spans[0].From, time.Minute)
}

// TestThroughput: what ends is counted in the span of its end, each kind for itself, and nothing else is.
func TestThroughput(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	user := newUser(t, s, "ada").ID
	execute(t, s, "DELETE FROM outbox")
	const (
		email = "INSERT INTO emails (id, kind, subject_id, workflow_id, state, updated_at) " +
			"VALUES (?0, 'welcome', ?0, '', '%s', ?1)"
		avatar = "INSERT INTO avatars (id, user_id, version, state, %s) SELECT ?0, ?2, 1 + count(*), '%s', ?1 FROM avatars"
		run    = "INSERT INTO cleanup_runs (id, trigger, policies, workflow_id, state, dry_run, finished_at) " +
			"VALUES (?0, 'schedule', '{}', '', '%s', %t, ?1)"
		event = "INSERT INTO outbox (id, workflow_id, workflow, task_queue, input, state, signal, started_at) " +
			"VALUES (?0, ?0, '', '', '{}', '%s', '%s', ?1)"
	)
	var want [3]watchparty.Throughput
	for i, kind := range []struct {
		insert string
		count  func(*watchparty.Throughput) *int // nil for what does not count
	}{
		{fmt.Sprintf(email, "sent"), func(w *watchparty.Throughput) *int { return &w.EmailsSent }},
		{fmt.Sprintf(email, "failed"), func(w *watchparty.Throughput) *int { return &w.EmailsFailed }},
		{fmt.Sprintf(email, "cancelled"), nil},
		{fmt.Sprintf(avatar, "published_at", "ready"), func(w *watchparty.Throughput) *int { return &w.AvatarsReady }},
		{fmt.Sprintf(avatar, "published_at", "superseded"), func(w *watchparty.Throughput) *int { return &w.AvatarsReady }},
		{fmt.Sprintf(avatar, "updated_at", "failed"), func(w *watchparty.Throughput) *int { return &w.AvatarsFailed }},
		{fmt.Sprintf(avatar, "updated_at", "processing"), nil},
		{fmt.Sprintf(run, "completed", false), func(w *watchparty.Throughput) *int { return &w.CleanupsCompleted }},
		{fmt.Sprintf(run, "failed", false), func(w *watchparty.Throughput) *int { return &w.CleanupsFailed }},
		{fmt.Sprintf(run, "cancelled", false), nil},
		{fmt.Sprintf(run, "completed", true), nil},
		{fmt.Sprintf(run, "failed", true), nil},
		{fmt.Sprintf(event, "started", ""), func(w *watchparty.Throughput) *int { return &w.JobsStarted }},
		{fmt.Sprintf(event, "started", "a signal"), nil},
	} {
		at := i % len(want)
		times := []time.Duration{3*time.Hour + time.Minute} // before all spans
		for range i + 1 {
			times = append(times, time.Duration(len(want)-1-at)*time.Hour+30*time.Minute)
		}
		for _, ago := range times {
			execute(t, s, kind.insert, newID(), Now().Add(-ago), user)
		}
		if kind.count != nil {
			*kind.count(&want[at]) += i + 1
		}
	}
	spans, err := s.Throughput(t.Context(), time.Hour, len(want))
	require.NoError(t, err)
	for i := range want {
		want[i].From = spans[i].From
	}
	require.Equal(t, want[:], spans)
}
