package activities

import (
	"context"
	"fmt"
	"slices"
	"time"

	"go.temporal.io/sdk/activity"
	"gocloud.dev/blob"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/cache"
	"github.com/watchparty/watchparty/config"
	"github.com/watchparty/watchparty/store"
	"github.com/watchparty/watchparty/workflows/job"
)

// Cleanup applies policies.
type Cleanup struct {
	Store    *store.Store
	Cache    *cache.Cache
	Bucket   *blob.Bucket
	Settings config.Cleanup
}

// BeginCleanup stores that the run has begun, and fixes the moments that its policies compare with.
func (c *Cleanup) BeginCleanup(ctx context.Context, in job.CleanupInput) (job.BeginCleanupResult, error) {
	if len(in.Policies) == 0 {
		in.Policies = watchparty.Policies()
	}
	if err := c.Store.BeginRun(ctx, in, activity.GetInfo(ctx).WorkflowExecution.ID); err != nil {
		return job.BeginCleanupResult{}, err
	}
	now := time.Now().UTC()
	return job.BeginCleanupResult{Policies: in.Policies, Thresholds: map[watchparty.Policy]time.Time{
		watchparty.PolicyParticipants: now.Add(-c.Settings.ParticipantInactive),
		watchparty.PolicyMessages:     now.Add(-c.Settings.MessageAge),
		watchparty.PolicyRooms:        now.Add(-c.Settings.RoomInactive),
		watchparty.PolicyFiles:        now.Add(-c.Settings.FileAge),
	}}, nil
}

// ApplyPolicy applies one policy in batches. What a batch did is counted in its transaction, so an attempt that was cut
// short loses nothing and the next one goes on where it ended.
func (c *Cleanup) ApplyPolicy(ctx context.Context, in job.ApplyPolicyInput) error {
	if in.Policy == watchparty.PolicyFiles {
		return c.sweepFiles(ctx, in)
	}
	if in.DryRun {
		return c.Store.CountCleanup(ctx, in.RunID, in.Policy, in.Threshold)
	}
	for batch := 1; ; batch++ {
		n, rooms, err := c.Store.CleanupBatch(ctx, in.RunID, in.Policy, in.Threshold, c.Settings.BatchSize)
		if err != nil {
			return err
		}
		c.Cache.Invalidate(ctx, voided(in.Policy, rooms)...)
		activity.RecordHeartbeat(ctx, batch)
		if n < c.Settings.BatchSize {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("activities: clean-up: %w", ctx.Err())
		case <-time.After(c.Settings.BatchPause):
		}
	}
}

// voided are the tags of what a batch changed.
func voided(policy watchparty.Policy, rooms []string) []string {
	slices.Sort(rooms)
	rooms = slices.Compact(rooms)
	if len(rooms) == 0 {
		return nil
	}
	tags := make([]string, 0, len(rooms)+1)
	for _, room := range rooms {
		if policy == watchparty.PolicyMessages {
			tags = append(tags, cache.TagMessages(room))
			continue
		}
		tags = append(tags, cache.TagRoom(room))
	}
	if policy != watchparty.PolicyMessages {
		tags = append(tags, cache.TagRooms)
	}
	return tags
}

// FinishCleanup ends the run and stores its report.
func (c *Cleanup) FinishCleanup(ctx context.Context, in job.FinishCleanupInput) (job.CleanupResult, error) {
	run, err := c.Store.FinishRun(ctx, in.RunID, in.Failed)
	if err != nil {
		return job.CleanupResult{}, missing(err)
	}
	result := job.CleanupResult{RunID: run.ID, Counts: run.Counts}
	for _, policy := range run.Policies {
		if run.Errors[policy] != "" {
			result.Failed = append(result.Failed, policy)
		}
	}
	return result, nil
}
