package workflows_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/mock"
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

func processAvatar(w *workflowFixture) (job.AvatarResult, error) {
	return run[job.AvatarResult](w, workflows.ProcessAvatar, picture)
}

func failedWith(reason string) job.FailAvatarInput {
	return job.FailAvatarInput{AvatarInput: picture, Reason: reason}
}

func inOrder(w *workflowFixture, calls ...*testsuite.MockCallWrapper) {
	w.InOrderMockCalls(calls...)
}

// reasonFor is what a refusal tells its user.
func reasonFor(code string) string { return "In words: " + code + "." }

// refusal is what RenderAvatar returns for a file that is no picture.
func refusal(code string) error {
	return temporal.NewApplicationErrorWithOptions(
		"not a picture that can be rendered",
		job.ErrorAvatarRejected,
		temporal.ApplicationErrorOptions{
			NonRetryable: true,
			Details:      []any{code, reasonFor(code)},
			Category:     temporal.ApplicationErrorCategoryBenign,
		},
	)
}

func TestProcessAvatar(t *testing.T) {
	ready := job.PublishResult{State: watchparty.AvatarReady}

	t.Run("renders, publishes and removes what was before", func(t *testing.T) {
		w := newWorkflowFixture(t)
		inOrder(w,
			w.expect(job.ActivityRenderAvatar, picture, nil).Once(),
			w.expect(job.ActivityPublishAvatar, picture, ready, nil).Once(),
			w.expect(job.ActivityRemoveFormerAvatar, picture, nil).Once())
		result, err := processAvatar(w)
		require.NoError(t, err)
		require.Equal(t, job.AvatarResult{State: watchparty.AvatarReady}, result)
	})

	t.Run("keeps the former avatar for those who are about to ask for it, but not the original", func(t *testing.T) {
		w := newWorkflowFixture(t)
		inOrder(
			w,
			w.expect(job.ActivityRenderAvatar, picture, nil).Once(),
			w.expect(job.ActivityPublishAvatar, picture,
				job.PublishResult{State: watchparty.AvatarReady, KeepFormerSeconds: 60}, nil).
				Once(),
			w.expect(job.ActivityRemoveOriginal, picture, nil).Once(),
			w.expect(job.ActivityRemoveFormerAvatar, picture, nil).Once(),
		)
		result, err := processAvatar(w)
		require.NoError(t, err)
		require.Equal(t, job.AvatarResult{State: watchparty.AvatarReady}, result)
		require.Equal(t, time.Minute, w.Now().Sub(w.started))
	})

	t.Run("ends as failed for what is no picture", func(t *testing.T) {
		w := newWorkflowFixture(t)
		inOrder(w,
			w.expect(job.ActivityRenderAvatar, picture, refusal("avatar_too_many_pixels")).Once(),
			w.expect(job.ActivityFailAvatar, failedWith(reasonFor("avatar_too_many_pixels")), nil).Once(),
			w.expect(job.ActivityRemoveAvatarFiles, picture, nil).Once())
		result, err := processAvatar(w)
		require.NoError(t, err)
		require.Equal(t, job.AvatarResult{State: watchparty.AvatarFailed, Reason: "avatar_too_many_pixels"}, result)
	})

	t.Run("removes its files when another came first", func(t *testing.T) {
		w := newWorkflowFixture(t)
		inOrder(w,
			w.expect(job.ActivityRenderAvatar, picture, nil).Once(),
			w.expect(job.ActivityPublishAvatar, picture, job.PublishResult{State: watchparty.AvatarSuperseded}, nil).Once(),
			w.expect(job.ActivityRemoveAvatarFiles, picture, nil).Once())
		result, err := processAvatar(w)
		require.NoError(t, err)
		require.Equal(t, job.AvatarResult{State: watchparty.AvatarSuperseded}, result)
	})

	t.Run("survives workers that end in the middle", func(t *testing.T) {
		w := newWorkflowFixture(t)
		inOrder(w,
			w.crashes(job.ActivityRenderAvatar, picture, 10*time.Second, heartbeatTimeout()).Times(4),
			w.expect(job.ActivityRenderAvatar, picture, nil).Once(),
			w.expect(job.ActivityPublishAvatar, picture, ready, nil).Once(),
			w.expect(job.ActivityRemoveFormerAvatar, picture, nil).Once())
		result, err := processAvatar(w)
		require.NoError(t, err)
		require.Equal(t, watchparty.AvatarReady, result.State)
	})

	for name, timeout := range map[string]error{
		"ends": heartbeatTimeout(),
		"hang": temporal.NewTimeoutError(enums.TIMEOUT_TYPE_START_TO_CLOSE, nil),
	} {
		t.Run("ends as failed when five workers "+name, func(t *testing.T) {
			w := newWorkflowFixture(t)
			inOrder(
				w,
				w.crashes(job.ActivityRenderAvatar, picture, 10*time.Second, timeout).Times(5),
				w.expect(job.ActivityFailAvatar, failedWith("The picture could not be processed. Save it again with another "+
					"program, or choose another one."), nil).
					Once(),
				w.expect(job.ActivityRemoveAvatarFiles, picture, nil).Once(),
			)
			result, err := processAvatar(w)
			require.NoError(t, err)
			require.Equal(t, job.AvatarResult{State: watchparty.AvatarFailed, Reason: "avatar_unreadable"}, result)
		})
	}

	t.Run("waits for a bucket and a database that are away", func(t *testing.T) {
		w := newWorkflowFixture(t)
		inOrder(w,
			w.expect(job.ActivityRenderAvatar, picture, errAway).Times(30),
			w.expect(job.ActivityRenderAvatar, picture, nil).Once(),
			w.expect(job.ActivityPublishAvatar, picture, job.PublishResult{}, errAway).Times(30),
			w.expect(job.ActivityPublishAvatar, picture, ready, nil).Once(),
			w.expect(job.ActivityRemoveFormerAvatar, picture, errAway).Times(30),
			w.expect(job.ActivityRemoveFormerAvatar, picture, nil).Once())
		result, err := processAvatar(w)
		require.NoError(t, err)
		require.Equal(t, watchparty.AvatarReady, result.State)
		// 1 + 2 + 4 + 8 + 16 + 32 s, then a minute each
		require.Equal(t, 3*(63*time.Second+24*time.Minute), w.Now().Sub(w.started))
	})

	t.Run("does not count a database that is away as a crash", func(t *testing.T) {
		w := newWorkflowFixture(t)
		inOrder(w,
			w.crashes(job.ActivityRenderAvatar, picture, 10*time.Second, heartbeatTimeout()).Times(2),
			w.expect(job.ActivityRenderAvatar, picture, errAway).Times(10),
			w.crashes(job.ActivityRenderAvatar, picture, 10*time.Second, heartbeatTimeout()).Times(2),
			w.expect(job.ActivityRenderAvatar, picture, nil).Once(),
			w.expect(job.ActivityPublishAvatar, picture, ready, nil).Once(),
			w.expect(job.ActivityRemoveFormerAvatar, picture, nil).Once())
		result, err := processAvatar(w)
		require.NoError(t, err)
		require.Equal(t, watchparty.AvatarReady, result.State)
	})

	t.Run("waits after a crash, and longer after the next", func(t *testing.T) {
		w := newWorkflowFixture(t)
		inOrder(w,
			w.crashes(job.ActivityRenderAvatar, picture, 10*time.Second, heartbeatTimeout()).Times(4),
			w.expect(job.ActivityRenderAvatar, picture, nil).Once(),
			w.expect(job.ActivityPublishAvatar, picture, ready, nil).Once(),
			w.expect(job.ActivityRemoveFormerAvatar, picture, nil).Once())
		_, err := processAvatar(w)
		require.NoError(t, err)
		waited := w.Now().Sub(w.started) - 40*time.Second
		require.GreaterOrEqual(t, waited, 10*time.Second)
		require.Less(t, waited, 50*time.Second)
	})

	t.Run("waits another while than the upload beside it", func(t *testing.T) {
		took := map[time.Duration]bool{}
		for version := range 5 {
			w := newWorkflowFixture(t)
			in := job.AvatarInput{UserID: userID, Version: version + 1}
			w.crashes(job.ActivityRenderAvatar, in, 10*time.Second, heartbeatTimeout()).Once()
			w.expect(job.ActivityRenderAvatar, in, nil).Once()
			w.expect(job.ActivityPublishAvatar, in, ready, nil).Once()
			w.expect(job.ActivityRemoveFormerAvatar, in, nil).Once()
			_, err := run[job.AvatarResult](w, workflows.ProcessAvatar, in)
			require.NoError(t, err)
			took[w.Now().Sub(w.started)] = true
		}
		require.Len(t, took, 5)
	})

	gone := temporal.NewNonRetryableApplicationError("the row is gone", job.ErrorNotFound, nil)

	t.Run("leaves nothing behind when its row is gone", func(t *testing.T) {
		w := newWorkflowFixture(t)
		inOrder(w,
			w.expect(job.ActivityRenderAvatar, picture, gone).Once(),
			w.expect(job.ActivityRemoveAvatarFiles, picture, nil).Once())
		result, err := processAvatar(w)
		require.NoError(t, err)
		require.Equal(t, job.AvatarResult{State: watchparty.AvatarSuperseded}, result)
	})

	t.Run("leaves nothing behind when its row goes before it is published", func(t *testing.T) {
		w := newWorkflowFixture(t)
		inOrder(w,
			w.expect(job.ActivityRenderAvatar, picture, nil).Once(),
			w.expect(job.ActivityPublishAvatar, picture, job.PublishResult{}, gone).Once(),
			w.expect(job.ActivityRemoveAvatarFiles, picture, nil).Once())
		result, err := processAvatar(w)
		require.NoError(t, err)
		require.Equal(t, job.AvatarResult{State: watchparty.AvatarSuperseded}, result)
	})

	stops := func(w *workflowFixture) {
		inOrder(w,
			w.expect(job.ActivityFailAvatar, failedWith("The upload was stopped. Upload the picture again."), nil).Once(),
			w.expect(job.ActivityRemoveAvatarFiles, picture, nil).Once())
	}

	t.Run("can be cancelled between crashes", func(t *testing.T) {
		w := newWorkflowFixture(t)
		w.crashes(job.ActivityRenderAvatar, picture, 10*time.Second, heartbeatTimeout()).Once()
		stops(w)
		w.RegisterDelayedCallback(w.CancelWorkflow, 10*time.Second+time.Millisecond)
		_, err := processAvatar(w)
		require.True(t, temporal.IsCanceledError(err), "%v", err)
	})

	t.Run("can be cancelled", func(t *testing.T) {
		w := newWorkflowFixture(t)
		w.expect(job.ActivityRenderAvatar, picture, activity.ErrResultPending).Once()
		stops(w)
		w.RegisterDelayedCallback(w.CancelWorkflow, time.Minute)
		_, err := processAvatar(w)
		require.True(t, temporal.IsCanceledError(err), "%v", err)
	})
}

func TestAvatarProgress(t *testing.T) {
	progress := func(w *workflowFixture) job.AvatarProgress {
		value, err := w.QueryWorkflow(job.QueryProgress)
		require.NoError(t, err)
		var p job.AvatarProgress
		require.NoError(t, value.Get(&p))
		return p
	}
	// during is an activity that looks at the workflow's progress while it runs.
	during := func(w *workflowFixture, seen *[]job.AvatarProgress, name string, in any, answers ...any) {
		w.expect(name, in, answers...).Run(func(mock.Arguments) { *seen = append(*seen, progress(w)) })
	}
	done := job.AvatarProgress{Step: watchparty.AvatarDone}
	steps := func(names ...watchparty.AvatarStep) (all []job.AvatarProgress) {
		for _, name := range names {
			all = append(all, job.AvatarProgress{Step: name})
		}
		return all
	}

	t.Run("of one that gets ready", func(t *testing.T) {
		w := newWorkflowFixture(t)
		var seen []job.AvatarProgress
		during(w, &seen, job.ActivityRenderAvatar, picture, nil)
		during(w, &seen, job.ActivityPublishAvatar, picture, job.PublishResult{State: watchparty.AvatarReady}, nil)
		during(w, &seen, job.ActivityRemoveFormerAvatar, picture, nil)
		_, err := processAvatar(w)
		require.NoError(t, err)
		require.Equal(t, steps(watchparty.AvatarRendering, watchparty.AvatarPublishing, watchparty.AvatarRemoving), seen)
		require.Equal(t, done, progress(w))
	})

	t.Run("of one that fails", func(t *testing.T) {
		w := newWorkflowFixture(t)
		var seen []job.AvatarProgress
		during(w, &seen, job.ActivityRenderAvatar, picture, refusal("avatar_unreadable"))
		during(w, &seen, job.ActivityFailAvatar, failedWith(reasonFor("avatar_unreadable")), nil)
		during(w, &seen, job.ActivityRemoveAvatarFiles, picture, nil)
		_, err := processAvatar(w)
		require.NoError(t, err)
		require.Equal(t, steps(watchparty.AvatarRendering, watchparty.AvatarRendering, watchparty.AvatarRemoving), seen)
		require.Equal(t, done, progress(w))
	})

	t.Run("counts crashes", func(t *testing.T) {
		w := newWorkflowFixture(t)
		inOrder(w,
			w.crashes(job.ActivityRenderAvatar, picture, 10*time.Second, heartbeatTimeout()).Times(2),
			w.expect(job.ActivityRenderAvatar, picture, nil).Once(),
			w.expect(job.ActivityPublishAvatar, picture, job.PublishResult{State: watchparty.AvatarReady}, nil).Once(),
			w.expect(job.ActivityRemoveFormerAvatar, picture, nil).Once())
		_, err := processAvatar(w)
		require.NoError(t, err)
		require.Equal(t, job.AvatarProgress{Step: watchparty.AvatarDone, Crashes: 2}, progress(w))
	})
}
