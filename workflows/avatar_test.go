package workflows_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/workflows"
	"github.com/watchparty/watchparty/workflows/job"
)

var picture = job.AvatarInput{UserID: userID, Version: 3}

func processAvatar(w *world) (job.AvatarResult, error) {
	return run[job.AvatarResult](w, workflows.ProcessAvatar, picture)
}

func failedWith(reason string) job.FailAvatarInput {
	return job.FailAvatarInput{AvatarInput: picture, Reason: reason}
}

func inOrder(w *world, calls ...*testsuite.MockCallWrapper) {
	w.InOrderMockCalls(calls...)
}

// words are a reason for people.
// words is what a refusal tells its user.
func words(code string) string { return "In words: " + code + "." }

// refusal is what RenderAvatar returns for a file that is no picture.
func refusal(code string) error {
	return temporal.NewApplicationErrorWithOptions("not a picture that can be rendered", job.ErrorAvatarRejected,
		temporal.ApplicationErrorOptions{NonRetryable: true, Details: []any{code, words(code)}, Category: temporal.ApplicationErrorCategoryBenign})
}

func TestProcessAvatar(t *testing.T) {
	ready := job.PublishResult{State: watchparty.AvatarReady}

	t.Run("renders, publishes and removes what was before", func(t *testing.T) {
		w := newWorld(t)
		inOrder(w,
			w.expect(job.RenderAvatar, picture, nil).Once(),
			w.expect(job.PublishAvatar, picture, ready, nil).Once(),
			w.expect(job.RemoveFormerAvatar, picture, nil).Once())
		result, err := processAvatar(w)
		require.NoError(t, err)
		require.Equal(t, job.AvatarResult{State: watchparty.AvatarReady}, result)
	})

	t.Run("ends as failed for what is no picture", func(t *testing.T) {
		w := newWorld(t)
		inOrder(w,
			w.expect(job.RenderAvatar, picture, refusal("avatar_too_many_pixels")).Once(),
			w.expect(job.FailAvatar, failedWith(words("avatar_too_many_pixels")), nil).Once(),
			w.expect(job.RemoveAvatarFiles, picture, nil).Once())
		result, err := processAvatar(w)
		require.NoError(t, err)
		require.Equal(t, job.AvatarResult{State: watchparty.AvatarFailed, Reason: "avatar_too_many_pixels"}, result)
	})

	t.Run("removes its files when another came first", func(t *testing.T) {
		w := newWorld(t)
		inOrder(w,
			w.expect(job.RenderAvatar, picture, nil).Once(),
			w.expect(job.PublishAvatar, picture, job.PublishResult{State: watchparty.AvatarSuperseded}, nil).Once(),
			w.expect(job.RemoveAvatarFiles, picture, nil).Once())
		result, err := processAvatar(w)
		require.NoError(t, err)
		require.Equal(t, job.AvatarResult{State: watchparty.AvatarSuperseded}, result)
	})

	t.Run("survives workers that end in the middle", func(t *testing.T) {
		w := newWorld(t)
		inOrder(w,
			w.crashes(job.RenderAvatar, picture, 10*time.Second, heartbeatTimeout()).Times(4),
			w.expect(job.RenderAvatar, picture, nil).Once(),
			w.expect(job.PublishAvatar, picture, ready, nil).Once(),
			w.expect(job.RemoveFormerAvatar, picture, nil).Once())
		result, err := processAvatar(w)
		require.NoError(t, err)
		require.Equal(t, watchparty.AvatarReady, result.State)
	})

	for name, timeout := range map[string]error{
		"ends": heartbeatTimeout(),
		"hang": temporal.NewTimeoutError(enums.TIMEOUT_TYPE_START_TO_CLOSE, nil),
	} {
		t.Run("ends as failed when five workers "+name, func(t *testing.T) {
			w := newWorld(t)
			inOrder(w,
				w.crashes(job.RenderAvatar, picture, 10*time.Second, timeout).Times(5),
				w.expect(job.FailAvatar, failedWith("The picture could not be processed. Save it again with another program, or choose another one."), nil).Once(),
				w.expect(job.RemoveAvatarFiles, picture, nil).Once())
			result, err := processAvatar(w)
			require.NoError(t, err)
			require.Equal(t, job.AvatarResult{State: watchparty.AvatarFailed, Reason: "avatar_unreadable"}, result)
		})
	}

	t.Run("waits for a bucket and a database that are away", func(t *testing.T) {
		w := newWorld(t)
		inOrder(w,
			w.expect(job.RenderAvatar, picture, errAway).Times(30),
			w.expect(job.RenderAvatar, picture, nil).Once(),
			w.expect(job.PublishAvatar, picture, job.PublishResult{}, errAway).Times(30),
			w.expect(job.PublishAvatar, picture, ready, nil).Once(),
			w.expect(job.RemoveFormerAvatar, picture, errAway).Times(30),
			w.expect(job.RemoveFormerAvatar, picture, nil).Once())
		result, err := processAvatar(w)
		require.NoError(t, err)
		require.Equal(t, watchparty.AvatarReady, result.State)
		// 1 + 2 + 4 + 8 + 16 + 32 s, then a minute each
		require.Equal(t, 3*(63*time.Second+24*time.Minute), w.Now().Sub(w.started))
	})

	t.Run("does not count a database that is away as a crash", func(t *testing.T) {
		w := newWorld(t)
		inOrder(w,
			w.crashes(job.RenderAvatar, picture, 10*time.Second, heartbeatTimeout()).Times(2),
			w.expect(job.RenderAvatar, picture, errAway).Times(10),
			w.crashes(job.RenderAvatar, picture, 10*time.Second, heartbeatTimeout()).Times(2),
			w.expect(job.RenderAvatar, picture, nil).Once(),
			w.expect(job.PublishAvatar, picture, ready, nil).Once(),
			w.expect(job.RemoveFormerAvatar, picture, nil).Once())
		result, err := processAvatar(w)
		require.NoError(t, err)
		require.Equal(t, watchparty.AvatarReady, result.State)
	})

	gone := temporal.NewNonRetryableApplicationError("the row is gone", job.ErrorNotFound, nil)

	t.Run("leaves nothing behind when its row is gone", func(t *testing.T) {
		w := newWorld(t)
		inOrder(w,
			w.expect(job.RenderAvatar, picture, gone).Once(),
			w.expect(job.RemoveAvatarFiles, picture, nil).Once())
		result, err := processAvatar(w)
		require.NoError(t, err)
		require.Equal(t, job.AvatarResult{State: watchparty.AvatarSuperseded}, result)
	})

	t.Run("leaves nothing behind when its row goes before it is published", func(t *testing.T) {
		w := newWorld(t)
		inOrder(w,
			w.expect(job.RenderAvatar, picture, nil).Once(),
			w.expect(job.PublishAvatar, picture, job.PublishResult{}, gone).Once(),
			w.expect(job.RemoveAvatarFiles, picture, nil).Once())
		result, err := processAvatar(w)
		require.NoError(t, err)
		require.Equal(t, job.AvatarResult{State: watchparty.AvatarSuperseded}, result)
	})

	t.Run("can be cancelled", func(t *testing.T) {
		w := newWorld(t)
		w.expect(job.RenderAvatar, picture, activity.ErrResultPending).Once()
		w.RegisterDelayedCallback(w.CancelWorkflow, time.Minute)
		_, err := processAvatar(w)
		require.True(t, temporal.IsCanceledError(err), "%v", err)
	})
}
