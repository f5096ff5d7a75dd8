package activities

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"go.temporal.io/sdk/activity"
	"gocloud.dev/blob"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/config"
	"github.com/watchparty/watchparty/store"
	"github.com/watchparty/watchparty/workflows/job"
)

// Cleanup applies the clean-up policies.
type Cleanup struct {
	Store    *store.Store
	Bucket   *blob.Bucket
	Settings config.Cleanup
	// BatchSize is the number of rows that one transaction removes. Zero means 1,000.
	BatchSize int
	Metrics   *Metrics
}

// defaultBatchSize is Cleanup.BatchSize unless set: a batch holds its locks for some tens of milliseconds.
const defaultBatchSize = 1000

// Activities returns the methods by their activity types.
func (c *Cleanup) Activities() map[string]any {
	return map[string]any{
		job.ActivityBeginCleanup:  c.BeginCleanup,
		job.ActivityApplyPolicy:   c.ApplyPolicy,
		job.ActivityFinishCleanup: c.FinishCleanup,
	}
}

// BeginCleanup stores that the run has begun, and fixes the time that each policy compares its rows with. A policy that
// is off in this worker's settings applies to nothing.
func (c *Cleanup) BeginCleanup(ctx context.Context, in job.CleanupInput) (job.BeginCleanupResult, error) {
	if len(in.Policies) == 0 {
		in.Policies = c.Settings.Policies()
	}
	if _, err := c.Store.EndOverdue(ctx); err != nil {
		return job.BeginCleanupResult{}, err
	}
	if err := c.Store.BeginRun(ctx, in, activity.GetInfo(ctx).WorkflowExecution.ID); err != nil {
		return job.BeginCleanupResult{}, err
	}
	begun := job.BeginCleanupResult{Policies: in.Policies, Thresholds: map[watchparty.Policy]time.Time{}}
	now := store.Now()
	for policy, age := range c.Settings.Ages() {
		if in.OlderThan > 0 {
			age = time.Duration(in.OlderThan) * time.Second
		}
		begun.Thresholds[policy] = now.Add(-age)
	}
	return begun, nil
}

// ApplyPolicy applies one policy in batches. Each batch adds its count to the run's row in its own transaction, so that
// the next attempt continues where an interrupted one ended. It ends early when the run is cancelled.
func (c *Cleanup) ApplyPolicy(ctx context.Context, in job.ApplyPolicyInput) error {
	if in.Policy == watchparty.PolicyFiles {
		return c.sweepFiles(ctx, in)
	}
	if in.DryRun {
		return c.Store.CountCleanup(ctx, in.RunID, in.Policy, in.Threshold)
	}
	var at store.Cursor
	for batch := 1; ; batch++ {
		began := time.Now()
		done, err := c.Store.CleanupBatch(ctx, in.RunID, in.Policy, in.Threshold, cmp.Or(c.BatchSize, defaultBatchSize), at)
		if err != nil {
			return err
		}
		activity.RecordHeartbeat(ctx, batch)
		if !done.More {
			return nil
		}
		at = done.Next
		select {
		case <-ctx.Done():
			return fmt.Errorf("activities: clean-up: %w", ctx.Err())
		case <-time.After(c.pause(time.Since(began))):
		}
	}
}

// The pause after a batch is restRatio times the batch's duration, at least the setting CLEANUP_BATCH_PAUSE and at most
// longestRest: the busier the database, the smaller the run's share of it. longestRest matters after a batch that had
// to wait for a lock.
const (
	restRatio   = 4
	longestRest = 250 * time.Millisecond
)

// pause returns the pause after a batch.
func (c *Cleanup) pause(took time.Duration) time.Duration {
	return max(c.Settings.BatchPause, min(restRatio*took, longestRest))
}

// FinishCleanup ends the run and stores its report.
func (c *Cleanup) FinishCleanup(ctx context.Context, in job.FinishCleanupInput) (job.CleanupResult, error) {
	run, err := c.Store.FinishRun(ctx, in)
	if err != nil {
		return job.CleanupResult{}, notFoundIsFinal(err)
	}
	c.Metrics.countRun(run)
	result := job.CleanupResult{RunID: run.ID, Counts: run.Counts}
	for _, policy := range run.Policies {
		if run.Errors[policy] != "" {
			result.Failed = append(result.Failed, policy)
		}
	}
	return result, nil
}
