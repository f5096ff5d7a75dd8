package activities_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/worker"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/activities"
	"github.com/watchparty/watchparty/coherence"
	"github.com/watchparty/watchparty/config"
	"github.com/watchparty/watchparty/store"
	"github.com/watchparty/watchparty/workflows/job"
)

// cleanupFixture has rooms with people and messages in them, and the activities that clean up.
type cleanupFixture struct {
	*testsuite.TestActivityEnvironment
	t          *testing.T
	store      *store.Store
	announced  *changes
	activities *activities.Cleanup
	host       watchparty.User
	runID      string

	mu    sync.Mutex
	beats []int
	beat  func()
}

func newCleanupFixture(t *testing.T) *cleanupFixture {
	t.Helper()
	h := &cleanupFixture{t: t, store: openStore(t), beat: func() {}}
	h.announced = recordChanges(h.store)
	h.activities = &activities.Cleanup{Store: h.store, BatchSize: 2, Settings: config.Cleanup{
		ParticipantInactive: config.Age(day),
		MessageAge:          config.Age(90 * day),
		RoomInactive:        config.Age(30 * day),
		RoomArchived:        config.Age(7 * day),
		UnverifiedAge:       config.Off,
		TokenAge:            config.Age(7 * day),
		SessionAge:          config.Age(7 * day),
		InvitationAge:       config.Age(90 * day),
		PartyAge:            config.Age(90 * day),
		IdempotencyKeyAge:   config.Age(day),
		EmailAge:            config.Age(180 * day),
		OutboxAge:           config.Age(7 * day),
		ActivityAge:         config.Age(90 * day),
		FileAge:             config.Age(2 * day),
	}}
	h.TestActivityEnvironment = environment(h.activities)
	h.SetOnActivityHeartbeatListener(func(_ *activity.Info, details converter.EncodedValues) {
		var batch int
		if details.Get(&batch) != nil {
			batch = -1
		}
		h.mu.Lock()
		defer h.mu.Unlock()
		h.beats = append(h.beats, batch)
		h.beat()
	})
	h.host = register(t, h.store, "host")
	admin := registerAdmin(t, h.store)
	run, err := h.store.CreateRun(
		t.Context(), admin.ID, watchparty.NewRun{Policies: watchparty.Policies()}, store.IdempotencyKey{},
	)
	require.NoError(t, err)
	h.runID = run.ID
	h.begin(job.CleanupInput{RunID: h.runID})
	return h
}

func (h *cleanupFixture) room(name string) watchparty.Room {
	h.t.Helper()
	n := watchparty.NewRoom{Name: name}
	n.Normalise()
	room, err := h.store.CreateRoom(h.t.Context(), h.host.ID, n, store.IdempotencyKey{})
	require.NoError(h.t, err)
	return room
}

func (h *cleanupFixture) postMessages(room watchparty.Room, n int) {
	h.t.Helper()
	for i := range n {
		_, err := h.store.PostMessage(h.t.Context(), h.host,
			watchparty.NewMessage{RoomID: room.ID, Body: fmt.Sprint("message ", i)}, store.IdempotencyKey{})
		require.NoError(h.t, err)
	}
}

// age moves a time column of the rows of some rooms into the past.
func (h *cleanupFixture) age(table, column string, by time.Duration, rooms ...watchparty.Room) {
	h.t.Helper()
	key := "room_id"
	if table == "rooms" {
		key = "id"
	}
	for _, room := range rooms {
		execute(h.t, h.store, fmt.Sprintf("UPDATE %s SET %s = now() - ?::interval WHERE %s = ?", table, column, key),
			by.String(), room.ID)
	}
}

func (h *cleanupFixture) count(table string) (n int) {
	h.t.Helper()
	n, err := h.store.DB().NewSelect().Table(table).Count(h.t.Context())
	require.NoError(h.t, err)
	return n
}

func (h *cleanupFixture) begin(in job.CleanupInput) job.BeginCleanupResult {
	h.t.Helper()
	value, err := h.ExecuteActivity(job.ActivityBeginCleanup, in)
	require.NoError(h.t, err)
	var result job.BeginCleanupResult
	require.NoError(h.t, value.Get(&result))
	return result
}

func (h *cleanupFixture) apply(policy watchparty.Policy, age time.Duration) error {
	_, err := h.ExecuteActivity(job.ActivityApplyPolicy, job.ApplyPolicyInput{
		RunID: h.runID, Policy: policy, Threshold: time.Now().Add(-age),
	})
	return err
}

func (h *cleanupFixture) finish(failed map[watchparty.Policy]string) job.CleanupResult {
	h.t.Helper()
	value, err := h.ExecuteActivity(job.ActivityFinishCleanup, job.FinishCleanupInput{RunID: h.runID, Failed: failed})
	require.NoError(h.t, err)
	var result job.CleanupResult
	require.NoError(h.t, value.Get(&result))
	return result
}

func (h *cleanupFixture) run() watchparty.CleanupRun {
	h.t.Helper()
	run, err := h.store.Run(h.t.Context(), h.runID)
	require.NoError(h.t, err)
	return run
}

const day = 24 * time.Hour

func TestBeginCleanup(t *testing.T) {
	t.Parallel()
	h := newCleanupFixture(t)
	require.Equal(t, watchparty.RunRunning, h.run().State)
	require.Equal(t, watchparty.TriggerAdmin, h.run().Trigger)
	started := h.run().StartedAt

	result := h.begin(job.CleanupInput{RunID: h.runID})
	require.Equal(t, started, h.run().StartedAt, "a repetition changes nothing")
	require.Equal(t, h.activities.Settings.Policies(), result.Policies)
	require.NotContains(t, result.Thresholds, watchparty.PolicyUnverified, "it is off")
	for policy, age := range map[watchparty.Policy]time.Duration{
		watchparty.PolicyParticipants: day, watchparty.PolicyMessages: 90 * day, watchparty.PolicyRooms: 30 * day,
		watchparty.PolicyFiles: 2 * day,
	} {
		require.WithinDuration(t, time.Now().Add(-age), result.Thresholds[policy], time.Minute, policy)
	}

	only := []watchparty.Policy{watchparty.PolicyRooms}
	require.Equal(t, only, h.begin(job.CleanupInput{RunID: h.runID, Policies: only}).Policies)
}

func TestBeginCleanupBySchedule(t *testing.T) {
	t.Parallel()
	h := newCleanupFixture(t)
	h.runID = "01900000-0000-7000-8000-000000000001"
	for range 2 {
		h.begin(job.CleanupInput{RunID: h.runID})
	}
	run := h.run()
	require.Equal(t, watchparty.TriggerSchedule, run.Trigger)
	require.Equal(t, watchparty.RunRunning, run.State)
	require.Equal(t, h.activities.Settings.Policies(), run.Policies)
	require.NotEmpty(t, run.WorkflowID)
	require.Empty(t, run.StartedBy)
}

func TestApplyPolicyInBatches(t *testing.T) {
	t.Parallel()
	h := newCleanupFixture(t)
	old, recent := h.room("old"), h.room("recent")
	h.postMessages(old, 5)
	h.postMessages(recent, 3)
	h.age("messages", "created_at", 100*day, old)
	h.announced.take()

	for range 2 { // the second time is a repetition after a worker's end
		require.NoError(t, h.apply(watchparty.PolicyMessages, 90*day))
		require.Equal(t, 3, h.count("messages"))
		require.Equal(t, map[watchparty.Policy]int64{watchparty.PolicyMessages: 5}, h.run().Counts)
	}
	h.mu.Lock()
	require.Contains(t, h.beats, 1)
	h.mu.Unlock()
	tags := h.announced.take()
	require.Contains(t, tags, coherence.TagMessages(old.ID))
	require.NotContains(t, tags, coherence.TagMessages(recent.ID))
}

func TestApplyPolicyVoidsRooms(t *testing.T) {
	t.Parallel()
	for policy, c := range map[watchparty.Policy]struct {
		age     time.Duration
		prepare func(*cleanupFixture, watchparty.Room)
		done    func(*testing.T, *cleanupFixture, watchparty.Room)
	}{
		watchparty.PolicyParticipants: {
			age:     day,
			prepare: func(h *cleanupFixture, room watchparty.Room) { h.age("participants", "last_seen_at", 2*day, room) },
			done: func(t *testing.T, h *cleanupFixture, _ watchparty.Room) {
				require.Equal(t, 1, h.count("participants"))
			},
		},
		watchparty.PolicyRooms: {
			age: 30 * day,
			prepare: func(h *cleanupFixture, room watchparty.Room) {
				h.age("rooms", "updated_at", 40*day, room)
				h.age("rooms", "last_active_at", 40*day, room)
				h.age("participants", "last_seen_at", 40*day, room)
			},
			done: func(t *testing.T, h *cleanupFixture, room watchparty.Room) {
				archived, err := h.store.Room(t.Context(), room.ID)
				require.NoError(t, err)
				require.False(t, archived.ArchivedAt.IsZero())
			},
		},
	} {
		t.Run(string(policy), func(t *testing.T) {
			t.Parallel()
			h := newCleanupFixture(t)
			old, recent := h.room("old"), h.room("recent")
			c.prepare(h, old)
			h.announced.take()
			require.NoError(t, h.apply(policy, c.age))
			c.done(t, h, old)
			tags := h.announced.take()
			require.Subset(t, tags, []string{coherence.TagRooms, coherence.TagRoom(old.ID)})
			require.NotContains(t, tags, coherence.TagRoom(recent.ID))
			require.Equal(t, map[watchparty.Policy]int64{policy: 1}, h.run().Counts)

			require.NoError(t, h.apply(policy, c.age))
			require.Empty(t, h.announced.take(), "there was nothing to do")
		})
	}
}

func TestApplyPolicyStopsBetweenBatches(t *testing.T) {
	t.Parallel()
	h := newCleanupFixture(t)
	room := h.room("old")
	h.postMessages(room, 5)
	h.age("messages", "created_at", 100*day, room)
	h.activities.Settings.BatchPause = 20 * time.Second
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	h.beat = cancel // it beats after the first batch
	h.SetWorkerOptions(worker.Options{BackgroundActivityContext: ctx})
	began := time.Now()
	err := h.apply(watchparty.PolicyMessages, 90*day)
	require.ErrorContains(t, err, context.Canceled.Error())
	require.Less(t, time.Since(began), h.activities.Settings.BatchPause)
	require.Equal(t, 3, h.count("messages"))
	require.Equal(t, map[watchparty.Policy]int64{watchparty.PolicyMessages: 2}, h.run().Counts)

	// The next attempt goes on where this one ended.
	h.activities.Settings.BatchPause = 0
	h.SetWorkerOptions(worker.Options{BackgroundActivityContext: t.Context()})
	require.NoError(t, h.apply(watchparty.PolicyMessages, 90*day))
	require.Equal(t, 0, h.count("messages"))
	require.Equal(t, map[watchparty.Policy]int64{watchparty.PolicyMessages: 5}, h.run().Counts)
}

func TestApplyPolicyDryRun(t *testing.T) {
	t.Parallel()
	h := newCleanupFixture(t)
	room := h.room("old")
	h.postMessages(room, 5)
	h.age("messages", "created_at", 100*day, room)
	h.age("participants", "last_seen_at", 100*day, room)
	h.age("rooms", "updated_at", 100*day, room)
	h.age("rooms", "last_active_at", 100*day, room)
	h.announced.take()
	want := map[watchparty.Policy]int64{}
	for policy, n := range map[watchparty.Policy]int64{
		watchparty.PolicyMessages: 5, watchparty.PolicyParticipants: 1, watchparty.PolicyRooms: 1,
	} {
		want[policy] = n
		for range 2 {
			_, err := h.ExecuteActivity(job.ActivityApplyPolicy, job.ApplyPolicyInput{
				RunID: h.runID, Policy: policy, Threshold: time.Now().Add(-90 * day), DryRun: true,
			})
			require.NoError(t, err)
			require.Equal(t, want, h.run().Counts)
		}
	}
	require.Equal(t, 5, h.count("messages"))
	require.Equal(t, 1, h.count("participants"))
	require.Empty(t, h.announced.take())
}

func TestApplyPolicyUnknown(t *testing.T) {
	t.Parallel()
	h := newCleanupFixture(t)
	require.ErrorContains(t, h.apply("everything", 0), "unknown policy")
}

func TestFinishCleanup(t *testing.T) {
	t.Parallel()
	h := newCleanupFixture(t)
	room := h.room("old")
	h.postMessages(room, 3)
	h.age("messages", "created_at", 100*day, room)
	require.NoError(t, h.apply(watchparty.PolicyMessages, 90*day))
	failed := map[watchparty.Policy]string{watchparty.PolicyRooms: "given up after 10 attempts"}
	want := job.CleanupResult{
		RunID:  h.runID,
		Counts: map[watchparty.Policy]int64{watchparty.PolicyMessages: 3},
		Failed: []watchparty.Policy{watchparty.PolicyRooms},
	}
	require.Equal(t, want, h.finish(failed))
	first := h.run()
	require.Equal(t, watchparty.RunFailed, first.State)
	require.Equal(t, failed, first.Errors)

	require.Equal(t, want, h.finish(nil), "a repetition changes nothing")
	require.Equal(t, first, h.run())
	reports, err := h.store.Reports(t.Context(), "", store.Page{Limit: 10})
	require.NoError(t, err)
	require.Len(t, reports, 1)
	require.Equal(t, h.runID, reports[0].RunID)
}

func TestFinishCleanupCompletes(t *testing.T) {
	t.Parallel()
	h := newCleanupFixture(t)
	require.Empty(t, h.finish(nil).Failed)
	require.Equal(t, watchparty.RunCompleted, h.run().State)
	require.False(t, h.run().FinishedAt.IsZero())
}

func TestFinishCleanupOfNoRun(t *testing.T) {
	t.Parallel()
	h := newCleanupFixture(t)
	_, err := h.ExecuteActivity(
		job.ActivityFinishCleanup, job.FinishCleanupInput{RunID: "01900000-0000-7000-8000-000000000009"},
	)
	requireFailure(t, err, job.ErrorNotFound, true)
}

// TestApplyPolicyToAccounts: what shows an account that has gone is void.
func TestApplyPolicyToAccounts(t *testing.T) {
	t.Parallel()
	h := newCleanupFixture(t)
	unused, used := register(t, h.store, "unused"), register(t, h.store, "used")
	execute(t, h.store, "UPDATE users SET created_at = now() - interval '9 d' WHERE id = ?", unused.ID)
	h.announced.take()
	require.NoError(t, h.apply(watchparty.PolicyUnverified, 7*day))
	_, err := h.store.User(t.Context(), used.ID)
	require.NoError(t, err)
	tags := h.announced.take()
	require.Contains(t, tags, coherence.TagProfile("unused"))
	require.NotContains(t, tags, coherence.TagProfile("used"))
}
