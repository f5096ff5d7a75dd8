package activities

import (
	"context"
	"fmt"
	"time"

	"go.temporal.io/sdk/activity"
	"gocloud.dev/blob"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/workflows/job"
)

// sweepPage is how many files are listed, and looked up, at once.
const sweepPage = 200

// swept is how far a sweep is: an attempt goes on where the one before it ended.
type swept struct {
	Next []byte `json:"next"` // the page to come
	Dry  int64  `json:"dry"`  // what a dry run has counted
}

// sweepFiles removes the files that are older than the threshold and that no upload needs: of an upload that was never
// committed, or whose workflow an operator ended. Files whose names are not an avatar's stay. What a page removed is
// counted after it; a worker that ends between the two leaves that page out of the count.
func (c *Cleanup) sweepFiles(ctx context.Context, in job.ApplyPolicyInput) error {
	at := swept{Next: blob.FirstPageToken}
	if activity.HasHeartbeatDetails(ctx) {
		if err := activity.GetHeartbeatDetails(ctx, &at); err != nil {
			at = swept{Next: blob.FirstPageToken}
		}
	}
	for len(at.Next) > 0 {
		page, next, err := c.Bucket.ListPage(ctx, at.Next, sweepPage, nil)
		if err != nil {
			return fmt.Errorf("activities: list files: %w", err)
		}
		orphans, err := c.orphans(ctx, page, in.Threshold)
		if err != nil {
			return err
		}
		if in.DryRun {
			at.Dry += int64(len(orphans))
			err = c.Store.SetCleanupCount(ctx, in.RunID, in.Policy, at.Dry)
		} else {
			err = c.removeOrphans(ctx, in, orphans)
		}
		if err != nil {
			return err
		}
		at.Next = next
		activity.RecordHeartbeat(ctx, at)
		select {
		case <-ctx.Done():
			return fmt.Errorf("activities: sweep: %w", ctx.Err())
		case <-time.After(c.Settings.BatchPause):
		}
	}
	return nil
}

// orphans are those objects that nothing needs.
func (c *Cleanup) orphans(ctx context.Context, page []*blob.ListObject, threshold time.Time) ([]string, error) {
	type object struct {
		name     string
		upload   uploadKey
		original bool
	}
	var (
		old     []object
		uploads []watchparty.Avatar
	)
	for _, o := range page {
		upload, original, ok := watchparty.AvatarOfObject(o.Key)
		if !ok || !o.ModTime.Before(threshold) {
			continue
		}
		old = append(old, object{o.Key, keyOf(upload), original})
		uploads = append(uploads, upload)
	}
	stored, err := c.Store.AvatarStates(ctx, uploads)
	if err != nil {
		return nil, err
	}
	known := map[uploadKey]watchparty.Avatar{}
	for _, upload := range stored {
		known[keyOf(upload)] = upload
	}
	var orphans []string
	for _, o := range old {
		if !known[o.upload].Needs(o.original) {
			orphans = append(orphans, o.name)
		}
	}
	return orphans, nil
}

type uploadKey struct {
	userID  string
	version int
}

func keyOf(a watchparty.Avatar) uploadKey { return uploadKey{a.UserID, a.Version} }

func (c *Cleanup) removeOrphans(ctx context.Context, in job.ApplyPolicyInput, orphans []string) error {
	for _, name := range orphans {
		if err := remove(ctx, c.Bucket, name); err != nil {
			return err
		}
	}
	return c.Store.AddCleanupCount(ctx, in.RunID, in.Policy, int64(len(orphans)))
}
