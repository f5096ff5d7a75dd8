package activities

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/temporal"
	"gocloud.dev/blob"
	"gocloud.dev/gcerrors"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/avatar"
	"github.com/watchparty/watchparty/avatar/probe"
	"github.com/watchparty/watchparty/store"
	"github.com/watchparty/watchparty/workflows/job"
)

// maxRenderAttempts is the number of attempts after which a picture is refused when it can be decoded but not rendered.
const maxRenderAttempts = 10

// Avatar processes uploads.
type Avatar struct {
	Store    *store.Store
	Bucket   *blob.Bucket
	Renderer renderer
	// KeepFormer is how long the files of a former avatar stay, for clients that have just read their addresses. Zero
	// means a minute.
	KeepFormer time.Duration
	Metrics    *Metrics
}

// defaultKeepFormer is Avatar.KeepFormer unless set.
const defaultKeepFormer = time.Minute

// renderer is an *avatar.Renderer. Tests have renderers that fail, since libvips cannot be made to.
type renderer interface {
	Render(ctx context.Context, data []byte) ([]avatar.Rendered, error)
}

// Activities returns the methods by their activity types.
func (a *Avatar) Activities() map[string]any {
	return map[string]any{
		job.ActivityRenderAvatar:       a.RenderAvatar,
		job.ActivityPublishAvatar:      a.PublishAvatar,
		job.ActivityFailAvatar:         a.FailAvatar,
		job.ActivityRemoveAvatarFiles:  a.RemoveAvatarFiles,
		job.ActivityRemoveOriginal:     a.RemoveOriginal,
		job.ActivityRemoveFormerAvatar: a.RemoveFormerAvatar,
	}
}

func upload(in job.AvatarInput) watchparty.Avatar {
	return watchparty.Avatar{UserID: in.UserID, Version: in.Version}
}

// RenderAvatar reads the original and writes the pictures. Their names depend only on the upload, so that a repetition
// overwrites them. It does nothing for an upload that has ended meanwhile or that a newer upload has overtaken.
func (a *Avatar) RenderAvatar(ctx context.Context, in job.AvatarInput) error {
	row, err := a.Store.BeginAvatar(ctx, in.UserID, in.Version)
	if err != nil {
		return notFoundIsFinal(err)
	}
	if row.State != watchparty.AvatarProcessing {
		return nil
	}
	stop := startHeartbeats(ctx)
	defer stop()
	began := time.Now()
	data, err := a.original(ctx, row)
	if gcerrors.Code(err) == gcerrors.NotFound {
		return rejected("the original is gone", codeLost, watchparty.AvatarReasonLost)
	}
	if err != nil {
		return fmt.Errorf("activities: read the original: %w", err)
	}
	pictures, err := a.Renderer.Render(ctx, data)
	var refused *avatar.Error
	if errors.As(err, &refused) {
		return rejected("not a picture that can be rendered", refused.Code, refused.Message)
	}
	if err != nil && ctx.Err() == nil && activity.GetInfo(ctx).Attempt >= maxRenderAttempts {
		return rejected("the picture cannot be rendered", probe.CodeUnreadable, watchparty.AvatarReasonUnrendered)
	}
	if err != nil {
		return err
	}
	files := make([]string, 0, len(pictures))
	for _, p := range pictures {
		if err := a.write(ctx, row.Object(p.Name), p); err != nil {
			return fmt.Errorf("activities: write %s: %w", p.Name, err)
		}
		files = append(files, p.Name)
	}
	a.Metrics.observeRender(time.Since(began))
	return a.Store.MarkAvatarRendered(ctx, in.UserID, in.Version, files)
}

// original reads the uploaded file.
func (a *Avatar) original(ctx context.Context, row watchparty.Avatar) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, bucketTime)
	defer cancel()
	data, err := a.Bucket.ReadAll(ctx, row.OriginalObject())
	if gcerrors.Code(err) == gcerrors.NotFound {
		return a.Bucket.ReadAll(ctx, row.FormerOriginalObject())
	}
	return data, err
}

func (a *Avatar) write(ctx context.Context, name string, p avatar.Rendered) error {
	ctx, cancel := context.WithTimeout(ctx, bucketTime)
	defer cancel()
	// A CDN serves the headers that the bucket has.
	return a.Bucket.WriteAll(ctx, name, p.Data, &blob.WriterOptions{
		ContentType: p.ContentType, CacheControl: "public, max-age=31536000, immutable",
	})
}

// codeLost is the code of an upload whose file is no longer in the bucket.
const codeLost = "avatar_lost"

// rejected returns the error that ends an upload for a reason that its user can mend. It is benign: operators have
// nothing to look into.
func rejected(message, code, reason string) error {
	return temporal.NewApplicationErrorWithOptions(message, job.ErrorAvatarRejected, temporal.ApplicationErrorOptions{
		NonRetryable: true, Details: []any{code, reason}, Category: temporal.ApplicationErrorCategoryBenign,
	})
}

// PublishAvatar makes the upload its user's avatar, by one conditional update that fails for an older version.
func (a *Avatar) PublishAvatar(ctx context.Context, in job.AvatarInput) (job.PublishResult, error) {
	state, err := a.Store.PublishAvatar(ctx, in.UserID, in.Version)
	if err != nil {
		return job.PublishResult{}, notFoundIsFinal(err)
	}
	a.Metrics.countAvatar(state)
	return job.PublishResult{State: state, KeepFormerSeconds: int(cmp.Or(a.KeepFormer, defaultKeepFormer).Seconds())}, nil
}

// FailAvatar stores why the upload did not become an avatar, for its user to read.
func (a *Avatar) FailAvatar(ctx context.Context, in job.FailAvatarInput) error {
	if err := a.Store.FailAvatar(ctx, in.UserID, in.Version, in.Reason); err != nil {
		return err
	}
	a.Metrics.countAvatar(watchparty.AvatarFailed)
	return nil
}

// RemoveAvatarFiles removes the files of an upload that failed or was superseded. It keeps those of any other upload.
func (a *Avatar) RemoveAvatarFiles(ctx context.Context, in job.AvatarInput) error {
	return a.removeUnneeded(ctx, in.UserID, func(o watchparty.AvatarObject, row watchparty.Avatar) bool {
		return o.Version == in.Version && !o.NeededBy(row)
	})
}

// RemoveOriginal removes the uploaded file of a published avatar. That file may name a place and a device, which the
// rendered pictures do not.
func (a *Avatar) RemoveOriginal(ctx context.Context, in job.AvatarInput) error {
	if err := removeFile(ctx, a.Bucket, upload(in).OriginalObject()); err != nil {
		return err
	}
	return removeFile(ctx, a.Bucket, upload(in).FormerOriginalObject())
}

// RemoveFormerAvatar removes the files of older uploads, and the upload's own original. It keeps the files of older
// uploads that are still being processed.
func (a *Avatar) RemoveFormerAvatar(ctx context.Context, in job.AvatarInput) error {
	return a.removeUnneeded(ctx, in.UserID, func(o watchparty.AvatarObject, row watchparty.Avatar) bool {
		return o.Version <= in.Version && row.State != "" && row.State != watchparty.AvatarProcessing && !o.NeededBy(row)
	})
}

// removeUnneeded removes the user's files for which chosen returns true. chosen gets a file and the row of its upload;
// the row has no state if there is none.
func (a *Avatar) removeUnneeded(
	ctx context.Context, userID string, chosen func(watchparty.AvatarObject, watchparty.Avatar) bool,
) error {
	for _, prefix := range []string{watchparty.UploadsPrefix(userID), watchparty.AvatarsPrefix(userID)} {
		files, err := listFiles(ctx, a.Bucket, prefix)
		if err != nil {
			return err
		}
		found, err := lookUp(ctx, a.Store, files)
		if err != nil {
			return err
		}
		for _, f := range found {
			if !chosen(f.AvatarObject, f.upload) {
				continue
			}
			if err := removeFile(ctx, a.Bucket, f.name); err != nil {
				return err
			}
		}
	}
	return nil
}
