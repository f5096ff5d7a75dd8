package workflows

import (
	"errors"

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
	reasonCrashed = "The picture could not be processed. Save it again with another program, or choose another one."
)

// ProcessAvatar renders an upload and makes it its user's avatar. An upload that is no picture ends as failed, one
// that a newer upload, a deletion or the end of the account overtook as superseded; neither leaves files behind. Both
// are ordinary results.
func ProcessAvatar(ctx workflow.Context, in job.AvatarInput) (job.AvatarResult, error) {
	if err := renderAvatar(ctx, in); err != nil {
		if goneRow(err) {
			return supersedeAvatar(ctx, in)
		}
		code, reason := rejection(err)
		if code == "" {
			return job.AvatarResult{}, err
		}
		return failAvatar(ctx, in, code, reason)
	}
	var published job.PublishResult
	err := workflow.ExecuteActivity(with(ctx, patient, "Publish, unless a newer one was"), job.PublishAvatar, in).Get(ctx, &published)
	if goneRow(err) || err == nil && published.State != watchparty.AvatarReady {
		return supersedeAvatar(ctx, in)
	}
	if err != nil {
		return job.AvatarResult{}, err
	}
	err = workflow.ExecuteActivity(with(ctx, patient, "Remove the original and the former avatar"), job.RemoveFormerAvatar, in).Get(ctx, nil)
	return job.AvatarResult{State: published.State}, err
}

// goneRow reports whether the upload's row is gone, with its account.
func goneRow(err error) bool {
	var gone *temporal.ApplicationError
	return errors.As(err, &gone) && gone.Type() == job.ErrorNotFound
}

func supersedeAvatar(ctx workflow.Context, in job.AvatarInput) (job.AvatarResult, error) {
	err := workflow.ExecuteActivity(with(ctx, patient, "Remove files that are of no use"), job.RemoveAvatarFiles, in).Get(ctx, nil)
	return job.AvatarResult{State: watchparty.AvatarSuperseded}, err
}

// renderAvatar repeats the rendering when a worker died over it, a bounded number of times.
func renderAvatar(ctx workflow.Context, in job.AvatarInput) error {
	ctx = with(ctx, rendering, "Render the picture in its sizes")
	var err error
	for range maxCrashes {
		err = workflow.ExecuteActivity(ctx, job.RenderAvatar, in).Get(ctx, nil)
		var timeout *temporal.TimeoutError
		if !errors.As(err, &timeout) {
			return err
		}
	}
	return err
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

func failAvatar(ctx workflow.Context, in job.AvatarInput, code, reason string) (job.AvatarResult, error) {
	failed := job.FailAvatarInput{AvatarInput: in, Reason: reason}
	if err := workflow.ExecuteActivity(with(ctx, patient, "Tell the user why not"), job.FailAvatar, failed).Get(ctx, nil); err != nil {
		return job.AvatarResult{}, err
	}
	if err := workflow.ExecuteActivity(with(ctx, patient, "Remove the upload"), job.RemoveAvatarFiles, in).Get(ctx, nil); err != nil {
		return job.AvatarResult{}, err
	}
	return job.AvatarResult{State: watchparty.AvatarFailed, Reason: code}, nil
}
