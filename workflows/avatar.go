package workflows

import (
	"errors"
	"hash/fnv"
	"strconv"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/workflows/job"
)

// maxCrashes is the number of workers that end while they render a picture before the picture is refused.
const maxCrashes = 5

// codeCrashed is the code of an upload that has ended maxCrashes workers.
const codeCrashed = "avatar_unreadable"

// Change IDs of workflow.GetVersion.
const (
	pauseChange  = "pause-after-crash"
	cancelChange = "fail-when-cancelled"
)

// ProcessAvatar renders an upload and makes it its user's avatar. An upload that is not a picture ends as failed. An
// upload ends as superseded when a newer upload, the removal of the avatar or the deletion of the account comes first.
// Neither leaves files behind, and both are ordinary results, not errors. It answers the query job.QueryProgress.
func ProcessAvatar(ctx workflow.Context, in job.AvatarInput) (job.AvatarResult, error) {
	u := upload{in: in, progress: job.AvatarProgress{Step: watchparty.AvatarRendering}}
	err := workflow.SetQueryHandler(ctx, job.QueryProgress, func() (job.AvatarProgress, error) { return u.progress, nil })
	if err != nil {
		return job.AvatarResult{}, err
	}
	result, err := u.process(ctx)
	if temporal.IsCanceledError(err) && workflow.GetVersion(ctx, cancelChange, workflow.DefaultVersion, 1) == 1 {
		ctx, _ := workflow.NewDisconnectedContext(ctx)
		if _, failed := u.fail(ctx, "", watchparty.AvatarReasonStopped); failed != nil {
			return result, failed
		}
	}
	u.progress.Step = watchparty.AvatarDone
	return result, err
}

// upload is the state of one execution of ProcessAvatar.
type upload struct {
	in       job.AvatarInput
	progress job.AvatarProgress
}

func (u *upload) process(ctx workflow.Context) (job.AvatarResult, error) {
	if err := u.render(ctx); err != nil {
		if goneRow(err) {
			return u.supersede(ctx)
		}
		code, reason := rejection(err)
		if code == "" {
			return job.AvatarResult{}, err
		}
		return u.fail(ctx, code, reason)
	}
	u.progress.Step = watchparty.AvatarPublishing
	var published job.PublishResult
	err := run(ctx, avatarStepOptions, "Publish, unless a newer one is published", job.ActivityPublishAvatar, u.in,
		&published)
	if goneRow(err) || err == nil && published.State != watchparty.AvatarReady {
		return u.supersede(ctx)
	}
	if err != nil {
		return job.AvatarResult{}, err
	}
	u.progress.Step = watchparty.AvatarRemoving
	result := job.AvatarResult{State: published.State}
	if published.KeepFormerSeconds > 0 { // zero from workers of an earlier version
		err := run(ctx, avatarStepOptions, "Remove the original", job.ActivityRemoveOriginal, u.in, nil)
		if err != nil {
			return result, err
		}
		keep := time.Duration(published.KeepFormerSeconds) * time.Second
		if err := wait(ctx, keep, "Until clients have stopped loading the former avatar"); err != nil {
			return result, err
		}
	}
	return result, run(ctx, avatarStepOptions, "Remove the original and the former avatar",
		job.ActivityRemoveFormerAvatar, u.in, nil)
}

// goneRow reports whether the activity found that its row no longer exists.
func goneRow(err error) bool {
	var gone *temporal.ApplicationError
	return errors.As(err, &gone) && gone.Type() == job.ErrorNotFound
}

func (u *upload) supersede(ctx workflow.Context) (job.AvatarResult, error) {
	u.progress.Step = watchparty.AvatarRemoving
	err := run(ctx, avatarStepOptions, "Remove the files of a superseded upload", job.ActivityRemoveAvatarFiles, u.in, nil)
	return job.AvatarResult{State: watchparty.AvatarSuperseded}, err
}

// render renders the picture. When a worker ends meanwhile it tries again, up to maxCrashes times.
func (u *upload) render(ctx workflow.Context) error {
	for {
		err := run(ctx, renderOptions, "Render the picture in its sizes", job.ActivityRenderAvatar, u.in, nil)
		var timeout *temporal.TimeoutError
		if !errors.As(err, &timeout) {
			return err
		}
		u.progress.Crashes++
		if u.progress.Crashes == maxCrashes {
			return err
		}
		if workflow.GetVersion(ctx, pauseChange, workflow.DefaultVersion, 1) == 1 {
			if err := workflow.Sleep(ctx, u.pause()); err != nil {
				return err
			}
		}
	}
}

// pause returns the wait before the next attempt: 1 to 5 s for each crash so far. It differs between uploads: the
// worker that ended was rendering other uploads too, and after equal pauses all of them would meet the same picture
// again.
func (u *upload) pause() time.Duration {
	hash := fnv.New32a()
	_, _ = hash.Write([]byte(u.in.UserID + strconv.Itoa(u.in.Version)))
	return time.Duration(u.progress.Crashes) * (time.Second + time.Duration(hash.Sum32()%4000)*time.Millisecond)
}

// rejection returns the code and the reason of a picture that cannot be rendered. The code is empty for other errors.
func rejection(err error) (code, reason string) {
	var timeout *temporal.TimeoutError
	if errors.As(err, &timeout) {
		return codeCrashed, watchparty.AvatarReasonUnrendered
	}
	var refused *temporal.ApplicationError
	if errors.As(err, &refused) && refused.Type() == job.ErrorAvatarRejected && refused.Details(&code, &reason) == nil {
		return code, reason
	}
	return "", ""
}

func (u *upload) fail(ctx workflow.Context, code, reason string) (job.AvatarResult, error) {
	failed := job.FailAvatarInput{AvatarInput: u.in, Reason: reason}
	err := run(ctx, avatarStepOptions, "Store why the picture was rejected", job.ActivityFailAvatar, failed, nil)
	if err != nil {
		return job.AvatarResult{}, err
	}
	u.progress.Step = watchparty.AvatarRemoving
	err = run(ctx, avatarStepOptions, "Remove the upload", job.ActivityRemoveAvatarFiles, u.in, nil)
	if err != nil {
		return job.AvatarResult{}, err
	}
	return job.AvatarResult{State: watchparty.AvatarFailed, Reason: code}, nil
}
