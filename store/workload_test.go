package store

import (
	"context"
	"errors"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/workflows/job"
)

func TestWork(t *testing.T) {
	t.Parallel()
	read := func(t *testing.T, s *Store) Workload {
		t.Helper()
		w, err := s.Workload(t.Context())
		require.NoError(t, err)
		return w
	}
	change := func(t *testing.T, s *Store, statement string, args ...any) {
		t.Helper()
		_, err := s.DB().NewRaw(statement, args...).Exec(t.Context())
		require.NoError(t, err)
	}
	t.Run("nothing waits", func(t *testing.T) {
		t.Parallel()
		require.Equal(t, Workload{
			Emails: map[watchparty.EmailKind]Backlog{}, LastReports: map[watchparty.ReportPeriod]time.Time{},
		}, read(t, openStore(t)))
	})
	t.Run("events and emails that wait, and one that waits on purpose", func(t *testing.T) {
		t.Parallel()
		s := openStore(t)
		first, second := queueWelcome(t, s, "ada"), queueWelcome(t, s, "bob")
		change(t, s, "UPDATE outbox SET created_at = now() - interval '90 s'")
		change(t, s, "UPDATE emails SET created_at = now() - interval '2 h' WHERE id = ?", first)
		change(t, s, "UPDATE emails SET created_at = now() - interval '1 h' WHERE id = ?", second)
		w := read(t, s)
		require.Equal(t, 2, w.Outbox.Waiting)
		require.InDelta(t, 90, w.Outbox.Oldest.Seconds(), 60)
		require.Equal(t, 2, w.Emails[watchparty.EmailWelcome].Waiting)
		require.InDelta(t, 2*3600, w.Emails[watchparty.EmailWelcome].Oldest.Seconds(), 60)
		require.Zero(t, w.Deferred)
		require.Zero(t, w.LastEmail)

		change(t, s, "UPDATE emails SET waits_until = now() + interval '1 h' WHERE id = ?", first)
		w = read(t, s)
		require.Equal(t, 2, w.Emails[watchparty.EmailWelcome].Waiting)
		require.Equal(t, 1, w.Deferred)
		require.InDelta(t, 3600, w.Emails[watchparty.EmailWelcome].Oldest.Seconds(), 60, "the other one is the oldest")

		beginAttempt(t, s, second)
		markSent(t, s, second)
		change(t, s, "UPDATE outbox SET state = 'started'")
		w = read(t, s)
		require.Zero(t, w.Outbox)
		require.Equal(t, Backlog{Waiting: 1}, w.Emails[watchparty.EmailWelcome])
		require.False(t, w.LastEmail.IsZero())
	})
	t.Run("uploads and reports of abuse", func(t *testing.T) {
		t.Parallel()
		s := openStore(t)
		user := newUser(t, s, "ada")
		version, err := s.NextAvatarVersion(t.Context(), user.ID)
		require.NoError(t, err)
		_, err = s.CreateAvatar(t.Context(), user.ID, version)
		require.NoError(t, err)
		change(t, s, "UPDATE avatars SET created_at = now() - interval '1 h'")
		change(t, s, `INSERT INTO abuse_reports (id, kind, target_kind, target_id, created_at)
			VALUES (?, 'spam', 'user', ?, now() - interval '1 d')`, newID(), user.ID)
		w := read(t, s)
		require.Equal(t, 1, w.Avatars.Waiting)
		require.InDelta(t, 3600, w.Avatars.Oldest.Seconds(), 60)
		require.Equal(t, 1, w.AbuseReports.Waiting)
		require.InDelta(t, 24*3600, w.AbuseReports.Oldest.Seconds(), 60)
	})
	t.Run("paused queues", func(t *testing.T) {
		t.Parallel()
		s := openStore(t)
		admin := newAdmin(t, s, "admin")
		queueWelcome(t, s, "ada")
		version, err := s.NextAvatarVersion(t.Context(), admin.ID)
		require.NoError(t, err)
		_, err = s.CreateAvatar(t.Context(), admin.ID, version)
		require.NoError(t, err)
		newRun(t, s, admin, true)
		for _, table := range []string{"outbox", "emails", "avatars", "cleanup_runs"} {
			change(t, s, "UPDATE "+table+" SET created_at = now() - interval '1 h'")
		}
		counted := map[string]func(Workload) Backlog{
			job.TaskQueueEmail:       func(w Workload) Backlog { return w.Emails[watchparty.EmailWelcome] },
			job.TaskQueueAvatar:      func(w Workload) Backlog { return w.Avatars },
			job.TaskQueueMaintenance: func(w Workload) Backlog { return w.Cleanups },
			job.TaskQueueWebhooks:    nil, // deliveries are not counted
		}
		require.ElementsMatch(t, job.ServableTaskQueues(), slices.Collect(maps.Keys(counted)))
		for paused := range counted {
			require.NoError(t, s.PauseQueue(t.Context(), admin.ID, paused))
			w := read(t, s)
			require.InDelta(t, 3600, w.Outbox.Oldest.Seconds(), 60, "the relay of events has no pause")
			for queue, backlog := range counted {
				switch {
				case backlog == nil:
				case queue == paused:
					require.Zero(t, backlog(w).Oldest, queue)
					require.Positive(t, backlog(w).Waiting, queue)
				default:
					require.InDelta(t, 3600, backlog(w).Oldest.Seconds(), 60, "%s, while %s is paused", queue, paused)
				}
			}
			require.NoError(t, s.ResumeQueue(t.Context(), admin.ID, paused))
		}
	})
	t.Run("a paused clean-up", func(t *testing.T) {
		t.Parallel()
		s := openStore(t)
		admin := newAdmin(t, s, "admin")
		act := func(action watchparty.AuditAction, schedule string, result error) func() error {
			return func() error {
				err := s.AuditSchedule(t.Context(), admin.ID, schedule, action, nil,
					func(context.Context) error { return result })
				if errors.Is(err, result) {
					return nil
				}
				return err
			}
		}
		pause := func(queue string) func() error {
			return func() error { return s.PauseQueue(t.Context(), admin.ID, queue) }
		}
		resume := func(queue string) func() error {
			return func() error { return s.ResumeQueue(t.Context(), admin.ID, queue) }
		}
		const hour = 3600
		for _, step := range []struct {
			name string
			do   func() error
			ago  float64 // seconds since the end of the latest pause; -1 if there was none
		}{
			{"no pause", func() error { return nil }, -1},
			{"another queue", pause(job.TaskQueueEmail), -1},
			{"another schedule", act(watchparty.AuditSchedulePaused, job.ScheduleWeeklyReport, nil), -1},
			{"a refused pause", act(watchparty.AuditSchedulePaused, job.ScheduleCleanup, watchparty.ErrNotFound), -1},
			{"paused", act(watchparty.AuditSchedulePaused, job.ScheduleCleanup, nil), 0},
			{"resumed", act(watchparty.AuditScheduleResumed, job.ScheduleCleanup, nil), hour},
			{"its queue is paused", pause(job.TaskQueueMaintenance), 0},
			{"its queue is resumed", resume(job.TaskQueueMaintenance), hour},
			{"paused again", act(watchparty.AuditSchedulePaused, job.ScheduleCleanup, nil), 0},
		} {
			require.NoError(t, step.do(), step.name)
			change(t, s, "UPDATE audit SET created_at = now() - interval '1 h'")
			change(t, s, "UPDATE queue_pauses SET resumed_at = now() - interval '1 h' WHERE resumed_at IS NOT NULL")
			until := read(t, s).CleanupPausedUntil
			require.Equal(t, step.ago < 0, until.IsZero(), step.name)
			if step.ago >= 0 {
				require.InDelta(t, step.ago, time.Since(until).Seconds(), 60, step.name)
			}
		}
	})
	t.Run("clean-up and reports", func(t *testing.T) {
		t.Parallel()
		s := openStore(t)
		begin := func(id string) {
			require.NoError(t, s.BeginRun(t.Context(), job.CleanupInput{
				RunID: id, Policies: []watchparty.Policy{watchparty.PolicyTokens},
			}, "cleanup/"+id))
		}
		id := newID()
		begin(id)
		w := read(t, s)
		require.Equal(t, 1, w.Cleanups.Waiting)
		require.Zero(t, w.LastCleanup)
		_, err := s.FinishRun(t.Context(), job.FinishCleanupInput{
			RunID: id, Failed: map[watchparty.Policy]string{watchparty.PolicyTokens: "it broke"},
		})
		require.NoError(t, err)
		w = read(t, s)
		require.Zero(t, w.Cleanups)
		require.False(t, w.LastCleanup.IsZero())
		require.Equal(t, 1, w.FailedPolicies)
		id = newID()
		begin(id)
		_, err = s.FinishRun(t.Context(), job.FinishCleanupInput{RunID: id})
		require.NoError(t, err)
		w = read(t, s)
		require.Zero(t, w.FailedPolicies, "only the last run counts")

		change(t, s, `INSERT INTO reports (id, kind, period_start, period_end, data) VALUES
			(?, 'activity', '2026-03-02', '2026-03-09', '{}'), (?, 'activity', '2026-02-01', '2026-03-01', '{}')`, newID(), newID())
		w = read(t, s)
		require.Len(t, w.LastReports, 2)
		require.False(t, w.LastReports[watchparty.ReportWeek].IsZero())
		require.False(t, w.LastReports[watchparty.ReportMonth].IsZero())
	})
}
