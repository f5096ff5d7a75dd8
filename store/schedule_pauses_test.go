package store

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/workflows/job"
)

// TestSchedulePauses: each pause of a schedule or of its queue has its begin and its end, and nothing else counts.
func TestSchedulePauses(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	admin := newAdmin(t, s, "admin").ID
	act := func(action watchparty.AuditAction, schedule string, result error) {
		err := s.AuditSchedule(t.Context(), admin, schedule, action, nil, func(context.Context) error { return result })
		if !errors.Is(err, result) {
			require.NoError(t, err)
		}
	}
	pause := func() { act(watchparty.AuditSchedulePaused, job.ScheduleCleanup, nil) }
	resume := func() { act(watchparty.AuditScheduleResumed, job.ScheduleCleanup, nil) }
	pauseQueue := func(queue string) { require.NoError(t, s.PauseQueue(t.Context(), admin, queue)) }
	hours := []func(){ // what is done at each hour
		0: func() {
			resume() // ends nothing
			pauseQueue(job.TaskQueueAvatar)
			act(watchparty.AuditSchedulePaused, job.ScheduleWeeklyReport, nil)
			act(watchparty.AuditSchedulePaused, job.ScheduleCleanup, watchparty.ErrNotFound)
		},
		1: pause,
		2: pause, // with another note
		3: resume,
		4: func() { pauseQueue(job.TaskQueueMaintenance) },
		5: func() { require.NoError(t, s.ResumeQueue(t.Context(), admin, job.TaskQueueMaintenance)) },
		6: func() { act(watchparty.AuditSchedulePaused, job.ScheduleCleanup, watchparty.ErrTemporalDown) }, // it may be paused
		7: func() { pauseQueue(job.TaskQueueMaintenance) },
	}
	for _, do := range hours {
		do()
		for _, column := range []string{"audit SET created_at = created_at", "queue_pauses SET created_at = created_at",
			"queue_pauses SET resumed_at = resumed_at"} {
			execute(t, s, "UPDATE "+column+" - interval '1 h'")
		}
	}
	begin := Now().Add(-time.Duration(len(hours)) * time.Hour)
	pausesSince := func(hour float64) (shown []string) {
		t.Helper()
		since := begin.Add(time.Duration(hour * float64(time.Hour)))
		pauses, err := s.SchedulePauses(t.Context(), job.ScheduleCleanup, since)
		require.NoError(t, err)
		for _, p := range pauses {
			of, ended := "schedule", "now"
			if p.Queue {
				of = "queue"
			}
			if !p.EndedAt.IsZero() {
				ended = fmt.Sprintf("%.0f", p.EndedAt.Sub(begin).Hours())
			}
			require.Equal(t, of == "schedule" && ended == "now", p.Holds())
			shown = append(shown, fmt.Sprintf("%s %.0f-%s", of, p.PausedAt.Sub(begin).Hours(), ended))
		}
		return shown
	}
	all := []string{"schedule 1-2", "schedule 2-3", "queue 4-5", "schedule 6-now", "queue 7-now"}
	require.Equal(t, all, pausesSince(0))
	require.Equal(t, all[1:], pausesSince(2.5))
	require.Equal(t, all[2:], pausesSince(3.5))
	require.Equal(t, all[3:], pausesSince(8))
}
