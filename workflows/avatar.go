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

// maxCrashes is how many workers one picture may take down before it is refused.
const maxCrashes = 5

// What an upload that no worker survived is refused with.
const (
	codeCrashed   = "avatar_unreadable"
	reasonStopped = "The upload was stopped. Upload the picture again."
	reasonCrashed = "The picture could not be processed. Save it again with another program, or choose another one."
)

// Version markers: of the pause after a crash, and of what an operator's cancellation leaves.
const (
	pauseChange  = "pause-after-crash"
	cancelChange = "fail-when-cancelled"
)

// ProcessAvatar renders an upload and makes it its user's avatar. An upload that is no picture ends as failed, one
// that a newer upload, a deletion or the end of the account overtook as superseded; neither leaves files behind. Both
// are ordinary results. It answers the query job.QueryProgress.
func ProcessAvatar(ctx workflow.Context, in job.AvatarInput) (job.AvatarResult, error) {
	u := upload{in: in, progress: job.AvatarProgress{Step: watchparty.AvatarRendering}}
	err := workflow.SetQueryHandler(ctx, job.QueryProgress, func() (job.AvatarProgress, error) { return u.progress, nil })
	if err != nil {
		return job.AvatarResult{}, err
	}
	result, err := u.process(ctx)
	if temporal.IsCanceledError(err) && workflow.GetVersion(ctx, cancelChange, workflow.DefaultVersion, 1) == 1 {
		ctx, _ := workflow.NewDisconnectedContext(ctx)
		if _, failed := u.fail(ctx, "", reasonStopped); failed != nil {
			return result, failed
		}
	}
	u.progress.Step = watchparty.AvatarDone
	return result, err
}

// upload is one on its way.
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
	err := workflow.ExecuteActivity(with(ctx, publishing, "Publish, unless a newer one was"), job.ActivityPublishAvatar, u.in).Get(ctx, &published)
	if goneRow(err) || err == nil && published.State != watchparty.AvatarReady {
		return u.supersede(ctx)
	}
	if err != nil {
		return job.AvatarResult{}, err
	}
	u.progress.Step = watchparty.AvatarRemoving
	result := job.AvatarResult{State: published.State}
	if published.KeepFormerSeconds > 0 { // a worker of an earlier version does not keep it
		if err := workflow.ExecuteActivity(with(ctx, publishing, "Remove the original"), job.ActivityRemoveOriginal, u.in).Get(ctx, nil); err != nil {
			return result, err
		}
		if err := wait(ctx, time.Duration(published.KeepFormerSeconds)*time.Second, "While the former avatar may be asked for"); err != nil {
			return result, err
		}
	}
	err = workflow.ExecuteActivity(with(ctx, publishing, "Remove the original and the former avatar"), job.ActivityRemoveFormerAvatar, u.in).Get(ctx, nil)
	return result, err
}

// goneRow reports whether the upload's row is gone, with its account.
func goneRow(err error) bool {
	var gone *temporal.ApplicationError
	return errors.As(err, &gone) && gone.Type() == job.ErrorNotFound
}

func (u *upload) supersede(ctx workflow.Context) (job.AvatarResult, error) {
	u.progress.Step = watchparty.AvatarRemoving
	err := workflow.ExecuteActivity(with(ctx, publishing, "Remove files that are of no use"), job.ActivityRemoveAvatarFiles, u.in).Get(ctx, nil)
	return job.AvatarResult{State: watchparty.AvatarSuperseded}, err
}

// render repeats the rendering when a worker died over it, a bounded number of times.
func (u *upload) render(ctx workflow.Context) error {
	for {
		err := workflow.ExecuteActivity(with(ctx, rendering, "Render the picture in its sizes"), job.ActivityRenderAvatar, u.in).Get(ctx, nil)
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

// pause is how long to wait after a crash: 1 to 5 s for each crash so far, and hardly ever as long as another upload.
// The worker that died was rendering others too; without it, all of them would be with the culprit again.
func (u *upload) pause() time.Duration {
	hash := fnv.New32a()
	_, _ = hash.Write([]byte(u.in.UserID + strconv.Itoa(u.in.Version)))
	return time.Duration(u.progress.Crashes) * (time.Second + time.Duration(hash.Sum32()%4000)*time.Millisecond)
}

// rejection returns a code and a reason when the picture is to blame, and no code otherwise.
func rejection(err error) (code, reason string) {
	var timeout *temporal.TimeoutError
	if errors.As(err, &timeout) {
		return codeCrashed, reasonCrashed
	}
	var refused *temporal.ApplicationError
	if errors.As(err, &refused) && refused.Type() == job.ErrorAvatarRejected && refused.Details(&code, &reason) == nil {
		return code, reason
	}
	return "", ""
}

func (u *upload) fail(ctx workflow.Context, code, reason string) (job.AvatarResult, error) {
	failed := job.FailAvatarInput{AvatarInput: u.in, Reason: reason}
	if err := workflow.ExecuteActivity(with(ctx, publishing, "Tell the user why not"), job.ActivityFailAvatar, failed).Get(ctx, nil); err != nil {
		return job.AvatarResult{}, err
	}
	u.progress.Step = watchparty.AvatarRemoving
	if err := workflow.ExecuteActivity(with(ctx, publishing, "Remove the upload"), job.ActivityRemoveAvatarFiles, u.in).Get(ctx, nil); err != nil {
		return job.AvatarResult{}, err
	}
	return job.AvatarResult{State: watchparty.AvatarFailed, Reason: code}, nil
}
