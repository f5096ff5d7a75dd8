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

// bucketTime is how long a bucket may take with one file. One that hangs is tried again, and not taken for a picture that
// does.
const bucketTime = 20 * time.Second

// maxRenderAttempts is how often a picture is tried that can be decoded and yet not rendered, before it is refused.
const maxRenderAttempts = 10

// Avatar processes uploads.
type Avatar struct {
	Store    *store.Store
	Cache    *cache.Cache
	Bucket   *blob.Bucket
	Renderer renderer
	// KeepFormer is how long the files of a former avatar stay: for those who have read its addresses and have yet to follow
	// them.
	KeepFormer time.Duration
}

// renderer is an *avatar.Renderer, beyond which is C.
type renderer interface {
	Render(ctx context.Context, data []byte) ([]avatar.Rendered, error)
}

func upload(in job.AvatarInput) watchparty.Avatar {
	return watchparty.Avatar{UserID: in.UserID, Version: in.Version}
}

// RenderAvatar reads the original and writes the pictures, under names that a repetition writes again. An upload that
// has ended meanwhile is left alone, and so is one that a newer one has overtaken.
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
	data, err := a.original(ctx, row)
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
		if err := a.write(ctx, row.Object(p.Name), p); err != nil {
			return fmt.Errorf("activities: write %s: %w", p.Name, err)
		}
		files = append(files, p.Name)
	}
	return a.Store.RenderedAvatar(ctx, in.UserID, in.Version, files)
}

// original reads what the user uploaded.
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
	// What is served from the bucket itself, by a CDN, says so too.
	return a.Bucket.WriteAll(ctx, name, p.Data, &blob.WriterOptions{ContentType: p.ContentType, CacheControl: "public, max-age=31536000, immutable"})
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
	return job.PublishResult{State: state, KeepFormerSeconds: int(a.KeepFormer.Seconds())}, nil
}

func (a *Avatar) voidProfile(ctx context.Context, userID string) error {
	user, err := a.Store.User(ctx, userID)
	if err != nil {
		return missing(err)
	}
	if !a.Cache.Invalidate(ctx, cache.TagProfile(user.Username)) {
		return errNotVoided
	}
	return nil
}

// errNotVoided: others may still read the former avatar's addresses, so its files have to stay.
var errNotVoided = errors.New("activities: the cached profile is not voided yet")

// FailAvatar tells the user why the upload did not become an avatar.
func (a *Avatar) FailAvatar(ctx context.Context, in job.FailAvatarInput) error {
	return a.Store.FailAvatar(ctx, in.UserID, in.Version, in.Reason)
}

// RemoveAvatarFiles removes the files of an upload that has come to nothing. One that did is spared.
func (a *Avatar) RemoveAvatarFiles(ctx context.Context, in job.AvatarInput) error {
	return a.removeUnneeded(ctx, in.UserID, func(o watchparty.AvatarObject, row watchparty.Avatar) bool {
		return o.Version == in.Version && !o.NeededBy(row)
	})
}

// RemoveOriginal removes what an upload was made from, once it is published. It holds what the pictures must not: a place,
// a device.
func (a *Avatar) RemoveOriginal(ctx context.Context, in job.AvatarInput) error {
	if err := remove(ctx, a.Bucket, upload(in).OriginalObject()); err != nil {
		return err
	}
	return remove(ctx, a.Bucket, upload(in).FormerOriginalObject())
}

// RemoveFormerAvatar removes what a published upload has replaced, and its own original. Older uploads that are still on
// their way are spared.
func (a *Avatar) RemoveFormerAvatar(ctx context.Context, in job.AvatarInput) error {
	return a.removeUnneeded(ctx, in.UserID, func(o watchparty.AvatarObject, row watchparty.Avatar) bool {
		return o.Version <= in.Version && row.State != "" && row.State != watchparty.AvatarProcessing && !o.NeededBy(row)
	})
}

// removeUnneeded removes those of a user's files that are chosen. The row is that of the file's upload; without a state
// if there is none.
func (a *Avatar) removeUnneeded(ctx context.Context, userID string, chosen func(watchparty.AvatarObject, watchparty.Avatar) bool) error {
	for _, prefix := range []string{watchparty.UploadsPrefix(userID), watchparty.AvatarsPrefix(userID)} {
		files, err := list(ctx, a.Bucket, prefix)
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
			if err := remove(ctx, a.Bucket, f.name); err != nil {
				return err
			}
		}
	}
	return nil
}

func removeAll(ctx context.Context, bucket *blob.Bucket, prefix string) error {
	files, err := list(ctx, bucket, prefix)
	if err != nil {
		return err
	}
	for _, name := range files {
		if err := remove(ctx, bucket, name); err != nil {
			return err
		}
	}
	return nil
}

// list names a user's files: few, since each publication removes those before it.
func list(ctx context.Context, bucket *blob.Bucket, prefix string) (names []string, err error) {
	for objects := bucket.List(&blob.ListOptions{Prefix: prefix}); ; {
		object, err := objects.Next(ctx)
		if errors.Is(err, io.EOF) {
			return names, nil
		}
		if err != nil {
			return nil, fmt.Errorf("activities: list files: %w", err)
		}
		names = append(names, object.Key)
	}
}

func remove(ctx context.Context, bucket *blob.Bucket, name string) error {
	if err := bucket.Delete(ctx, name); err != nil && gcerrors.Code(err) != gcerrors.NotFound {
		return fmt.Errorf("activities: remove a file: %w", err)
	}
	return nil
}
