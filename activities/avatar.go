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
	"github.com/watchparty/watchparty/cache"
	"github.com/watchparty/watchparty/store"
	"github.com/watchparty/watchparty/workflows/job"
)

// heartbeatEvery keeps a picture that is being rendered alive in Temporal's eyes; a worker that died is noticed when
// the beats stop.
const heartbeatEvery = 2 * time.Second

// Avatar processes uploads.
type Avatar struct {
	Store    *store.Store
	Cache    *cache.Cache
	Bucket   *blob.Bucket
	Renderer *avatar.Renderer
}

func upload(in job.AvatarInput) watchparty.Avatar {
	return watchparty.Avatar{UserID: in.UserID, Version: in.Version}
}

// RenderAvatar reads the original and writes the pictures, under names that a repetition writes again. An upload that
// has ended meanwhile is left alone.
func (a *Avatar) RenderAvatar(ctx context.Context, in job.AvatarInput) error {
	row, err := a.Store.Avatar(ctx, in.UserID, in.Version)
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
	if err != nil {
		return err
	}
	for _, p := range pictures {
		name := row.Object(p.Name + ".webp")
		if err := a.Bucket.WriteAll(ctx, name, p.Data, &blob.WriterOptions{ContentType: p.ContentType}); err != nil {
			return fmt.Errorf("activities: write %s: %w", p.Name, err)
		}
	}
	return nil
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
	return removeAll(ctx, a.Bucket, upload(in).Prefix())
}

// RemoveFormerAvatar removes what a published upload has replaced: every file of the user's older versions, and its
// own original, which holds what the pictures must not (a place, a device).
func (a *Avatar) RemoveFormerAvatar(ctx context.Context, in job.AvatarInput) error {
	if err := a.Bucket.Delete(ctx, upload(in).OriginalObject()); err != nil && gcerrors.Code(err) != gcerrors.NotFound {
		return fmt.Errorf("activities: remove the original: %w", err)
	}
	superseded, err := a.Store.SupersededAvatars(ctx, in.UserID, in.Version)
	if err != nil {
		return err
	}
	for _, version := range superseded {
		if err := removeAll(ctx, a.Bucket, upload(job.AvatarInput{UserID: in.UserID, Version: version}).Prefix()); err != nil {
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
		if err := bucket.Delete(ctx, object.Key); err != nil && gcerrors.Code(err) != gcerrors.NotFound {
			return fmt.Errorf("activities: remove a file: %w", err)
		}
	}
}
