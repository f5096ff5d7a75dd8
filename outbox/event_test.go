package outbox

import (
	"context"
	"encoding/json"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"
	"github.com/uptrace/bun/driver/pgdriver"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/workflows/job"
)

func TestAdd(t *testing.T) {
	t.Parallel()
	db, _ := open(t)
	in := func(t *testing.T, fn func(ctx context.Context, tx bun.Tx) error) error {
		return db.RunInTx(t.Context(), nil, fn)
	}

	t.Run("what was added is what is started", func(t *testing.T) {
		e := job.Event{
			WorkflowID: "welcome-email/1",
			Signal:     "declined",
			Workflow:   "WelcomeEmail",
			TaskQueue:  "email",
			Summary:    "Welcome email",
			Priority:   watchparty.PrioritySoon,
			Input: struct {
				EmailID string `json:"email_id"`
			}{"1"},
		}
		require.NoError(t, in(t, func(ctx context.Context, tx bun.Tx) error { return Add(ctx, tx, e) }))
		require.True(t, findEvent(t, db, e.WorkflowID).Due, "it may be started at once")

		var server temporal
		_, stop := run(t, db, server.start, quick)
		eventuallyStarted(t, db)
		stop()
		require.Len(t, server.events, 1)
		got := server.events[0]
		require.JSONEq(t, `{"email_id": "1"}`, string(got.Input.(json.RawMessage)))
		got.Input = e.Input
		require.Equal(t, e, got)
		s := findEvent(t, db, e.WorkflowID)
		require.Equal(t, "started", s.State)
		require.Equal(t, 1, s.Attempts)
		require.NotNil(t, s.StartedAt)
	})

	t.Run("an event goes with its transaction", func(t *testing.T) {
		undone := errors.New("undone")
		err := in(t, func(ctx context.Context, tx bun.Tx) error {
			if err := Add(ctx, tx, job.Event{WorkflowID: "undone", Workflow: "x"}); err != nil {
				return err
			}
			return undone
		})
		require.ErrorIs(t, err, undone)
		n, err := pending(t.Context(), db)
		require.NoError(t, err)
		require.Zero(t, n)
	})

	t.Run("a workflow ID is taken for ever, for each signal", func(t *testing.T) {
		add := func(signal string) error {
			return in(t, func(ctx context.Context, tx bun.Tx) error {
				return Add(ctx, tx, job.Event{WorkflowID: "welcome-email/1", Signal: signal, Workflow: "x"})
			})
		}
		require.NoError(t, add(""))
		require.NoError(t, add("accepted"))
		for _, signal := range []string{"", "accepted", "declined"} {
			var refused pgdriver.Error
			require.ErrorAs(t, add(signal), &refused, signal)
			require.Equal(t, "outbox_workflow_id_key", refused.Field('n'))
		}
	})

	t.Run("an input that is no JSON", func(t *testing.T) {
		err := in(t, func(ctx context.Context, tx bun.Tx) error {
			return Add(ctx, tx, job.Event{WorkflowID: "func", Workflow: "Greet", Input: func() {}})
		})
		require.ErrorContains(t, err, "Greet")
	})
}
