package activities

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/temporal"
	"gocloud.dev/blob"
	"gocloud.dev/gcerrors"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/avatar"
	"github.com/watchparty/watchparty/avatar/probe"
	"github.com/watchparty/watchparty/cache"
	"github.com/watchparty/watchparty/store"
	"github.com/watchparty/watchparty/workflows/job"
)

// heartbeatEvery keeps a picture that is being rendered alive in Temporal's eyes; a worker that died is noticed when
// the beats stop.
const heartbeatEvery = 2 * time.Second

// maxRenderAttempts is how often a picture is tried that can be decoded and yet not rendered, before it is refused.
const maxRenderAttempts = 10

// Avatar processes uploads.
type Avatar struct {
	Store    *store.Store
	Cache    *cache.Cache
	Bucket   *blob.Bucket
	Renderer renderer
}

// renderer is an *avatar.Renderer, beyond which is C.
type renderer interface {
	Render(ctx context.Context, data []byte) ([]avatar.Rendered, error)
}

func upload(in job.AvatarInput) watchparty.Avatar {
	return watchparty.Avatar{UserID: in.UserID, Version: in.Version}
}

// RenderAvatar reads the original and writes the pictures, under names that a repetition writes again. An upload that
// has ended meanwhile is left alone.
func (a *Avatar) RenderAvatar(ctx context.Context, in job.AvatarInput) error {
	row, err := a.Store.BeginAvatar(ctx, in.UserID, in.Version)
	if err != nil {
		return missing(err)
	}
	if row.State != watchparty.AvatarProcessing {
		return nil
	}
	stop := beat(ctx)
	defer stop()
	data, err := a.Bucket.ReadAll(ctx, row.OriginalObject())
	if gcerrors.Code(err) == gcerrors.NotFound {
		return rejected("the original is gone", codeLost, "The upload was lost. Upload the picture again.")
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
		return rejected("the picture cannot be rendered", probe.CodeUnreadable,
			"The picture could not be processed. Save it again with another program, or choose another one.")
	}
	if err != nil {
		return err
	}
	files := make([]string, 0, len(pictures))
	for _, p := range pictures {
		// What is served from the bucket itself, by a CDN, says so too.
		options := &blob.WriterOptions{ContentType: p.ContentType, CacheControl: "public, max-age=31536000, immutable"}
		if err := a.Bucket.WriteAll(ctx, row.Object(p.Name), p.Data, options); err != nil {
			return fmt.Errorf("activities: write %s: %w", p.Name, err)
		}
		files = append(files, p.Name)
	}
	return a.Store.RenderedAvatar(ctx, in.UserID, in.Version, files)
}

// codeLost is the code of an upload whose file is not in the bucket any more.
const codeLost = "avatar_lost"

// rejected ends an upload for a reason that is its user's to mend, which is nothing for operators to look into.
func rejected(message, code, reason string) error {
	return temporal.NewApplicationErrorWithOptions(message, job.ErrorAvatarRejected, temporal.ApplicationErrorOptions{
		NonRetryable: true, Details: []any{code, reason}, Category: temporal.ApplicationErrorCategoryBenign,
	})
}

// beat heartbeats until stop is called, which waits for its end.
func beat(ctx context.Context) (stop func()) {
	stopped, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		ticker := time.NewTicker(heartbeatEvery)
		defer ticker.Stop()
		for {
			select {
			case <-stopped:
				return
			case <-ticker.C:
				activity.RecordHeartbeat(ctx)
			}
		}
	}()
	return func() { close(stopped); <-done }
}

// PublishAvatar makes the upload its user's avatar by one conditional update that an older version loses.
func (a *Avatar) PublishAvatar(ctx context.Context, in job.AvatarInput) (job.PublishResult, error) {
	state, err := a.Store.PublishAvatar(ctx, in.UserID, in.Version)
	if err != nil {
		return job.PublishResult{}, missing(err)
	}
	if err := a.voidProfile(ctx, in.UserID); err != nil {
		return job.PublishResult{}, err
	}
	return job.PublishResult{State: state}, nil
}

func (a *Avatar) voidProfile(ctx context.Context, userID string) error {
	user, err := a.Store.User(ctx, userID)
	if err != nil {
		return missing(err)
	}
	a.Cache.Invalidate(ctx, cache.TagProfile(user.Username))
	return nil
}

// FailAvatar tells the user why the upload did not become an avatar.
func (a *Avatar) FailAvatar(ctx context.Context, in job.FailAvatarInput) error {
	return a.Store.FailAvatar(ctx, in.UserID, in.Version, in.Reason)
}

// RemoveAvatarFiles removes all files of an upload.
func (a *Avatar) RemoveAvatarFiles(ctx context.Context, in job.AvatarInput) error {
	if err := remove(ctx, a.Bucket, upload(in).OriginalObject()); err != nil {
		return err
	}
	return removeAll(ctx, a.Bucket, upload(in).Prefix())
}

// RemoveFormerAvatar removes what a published upload has replaced: every file of the user's older versions, and its
// own original, which holds what the pictures must not (a place, a device).
func (a *Avatar) RemoveFormerAvatar(ctx context.Context, in job.AvatarInput) error {
	if err := remove(ctx, a.Bucket, upload(in).OriginalObject()); err != nil {
		return err
	}
	superseded, err := a.Store.SupersededAvatars(ctx, in.UserID, in.Version)
	if err != nil {
		return err
	}
	for _, version := range superseded {
		if err := a.RemoveAvatarFiles(ctx, job.AvatarInput{UserID: in.UserID, Version: version}); err != nil {
			return err
		}
	}
	return nil
}

func removeAll(ctx context.Context, bucket *blob.Bucket, prefix string) error {
	objects := bucket.List(&blob.ListOptions{Prefix: prefix})
	for {
		object, err := objects.Next(ctx)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("activities: list files: %w", err)
		}
		if err := remove(ctx, bucket, object.Key); err != nil {
			return err
		}
	}
}

func remove(ctx context.Context, bucket *blob.Bucket, name string) error {
	if err := bucket.Delete(ctx, name); err != nil && gcerrors.Code(err) != gcerrors.NotFound {
		return fmt.Errorf("activities: remove a file: %w", err)
	}
	return nil
}
