package activities

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.temporal.io/sdk/activity"
	"gocloud.dev/blob"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/store"
	"github.com/watchparty/watchparty/workflows/job"
)

// sweepPage is how many files are listed, and looked up, at a time.
const sweepPage = 200

// swept is the progress of a sweep, from which the next attempt continues.
type swept struct {
	Next []byte `json:"next"` // the page to come
	// Dry is what a dry run has counted, and Samples the names of some.
	Dry     int64    `json:"dry"`
	Samples []string `json:"samples,omitempty"`
}

// sweepFiles removes the files that are older than the threshold and that no upload needs: files of an upload that was
// never committed, and incomplete ones. Files that are not named like an avatar's stay. A page is counted after its
// files are removed; if the worker ends between the two, the page is not counted. The sweep ends early when the run is
// cancelled.
func (c *Cleanup) sweepFiles(ctx context.Context, in job.ApplyPolicyInput) error {
	at := swept{Next: blob.FirstPageToken}
	if activity.HasHeartbeatDetails(ctx) {
		if err := activity.GetHeartbeatDetails(ctx, &at); err != nil {
			at = swept{Next: blob.FirstPageToken}
		}
	}
	for len(at.Next) > 0 {
		open, err := c.Store.EnterPolicy(ctx, in.RunID, in.Policy)
		if err != nil || !open {
			return err
		}
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
			at.Samples = append(at.Samples, orphans[:min(len(orphans), store.MaxSamples-len(at.Samples))]...)
			err = c.Store.SetCleanupCount(ctx, in.RunID, in.Policy, at.Dry, at.Samples)
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

// orphans returns the objects that nothing needs.
func (c *Cleanup) orphans(ctx context.Context, page []*blob.ListObject, threshold time.Time) ([]string, error) {
	var old []string
	for _, o := range page {
		if o.ModTime.Before(threshold) {
			old = append(old, o.Key)
		}
	}
	found, err := lookUp(ctx, c.Store, old)
	if err != nil {
		return nil, err
	}
	var orphans []string
	for _, f := range found {
		if !f.NeededBy(f.upload) {
			orphans = append(orphans, f.name)
		}
	}
	return orphans, nil
}

// avatarFile is a file with its upload, which has no state if it does not exist.
type avatarFile struct {
	watchparty.AvatarObject
	name   string
	upload watchparty.Avatar
}

// lookUp finds the uploads of the files that are named like an avatar's.
func lookUp(ctx context.Context, s *store.Store, names []string) ([]avatarFile, error) {
	type key struct {
		userID  string
		version int
	}
	var (
		files   []avatarFile
		uploads []watchparty.Avatar
	)
	for _, name := range names {
		if o, ok := watchparty.ParseAvatarObject(name); ok {
			files = append(files, avatarFile{AvatarObject: o, name: name})
			uploads = append(uploads, watchparty.Avatar{UserID: o.UserID, Version: o.Version})
		}
	}
	if len(uploads) == 0 {
		return nil, nil
	}
	stored, err := s.AvatarStates(ctx, uploads)
	if err != nil {
		return nil, err
	}
	known := map[key]watchparty.Avatar{}
	for _, upload := range stored {
		known[key{upload.UserID, upload.Version}] = upload
	}
	for i, f := range files {
		files[i].upload = known[key{f.UserID, f.Version}]
	}
	return files, nil
}

func (c *Cleanup) removeOrphans(ctx context.Context, in job.ApplyPolicyInput, orphans []string) error {
	removed := 0
	var err error
	for removed < len(orphans) {
		if err = removeFile(ctx, c.Bucket, orphans[removed]); err != nil {
			break
		}
		removed++
	}
	return errors.Join(err, c.Store.AddCleanupCount(ctx, in.RunID, in.Policy, int64(removed)))
}
