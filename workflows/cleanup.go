package workflows

import (
	"fmt"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/workflows/job"
)

// Cleanup applies policies one after the other and stores a report. A policy that fails does not stop the others. When
// the workflow is cancelled in Temporal, the run ends with a report of what was done until then.
func Cleanup(ctx workflow.Context, in job.CleanupInput) (job.CleanupResult, error) {
	if in.RunID == "" {
		// The schedule has started this execution: its ID becomes the run's ID.
		in.RunID = workflow.GetInfo(ctx).FirstRunID
	}
	var progress job.CleanupProgress
	err := workflow.SetQueryHandler(ctx, job.QueryProgress, func() (job.CleanupProgress, error) { return progress, nil })
	if err != nil {
		return job.CleanupResult{}, err
	}
	finish := job.FinishCleanupInput{RunID: in.RunID}
	if finish.Failed, err = cleanup(ctx, in, &progress); err != nil {
		if !temporal.IsCanceledError(err) || !reportsWhenCancelled(ctx) {
			return job.CleanupResult{}, err
		}
		finish.Cancelled = true
	}
	result, failed := finishCleanup(ctx, finish)
	if failed != nil && (!finish.Cancelled || !goneRow(failed)) { // a cancelled run may have no row yet
		return result, failed
	}
	return result, err
}

// reportsWhenCancelled reports whether this execution stores a report when it is cancelled. Those of an earlier version
// do not.
func reportsWhenCancelled(ctx workflow.Context) bool {
	return workflow.GetVersion(ctx, "report-when-cancelled", workflow.DefaultVersion, 1) == 1
}

// finishCleanup stores the report, even if the workflow is cancelled meanwhile.
func finishCleanup(ctx workflow.Context, in job.FinishCleanupInput) (result job.CleanupResult, err error) {
	if in.Cancelled {
		ctx, _ = workflow.NewDisconnectedContext(ctx)
	}
	err = run(ctx, stepOptions, "Store the report", job.ActivityFinishCleanup, in, &result)
	if !in.Cancelled && temporal.IsCanceledError(err) && reportsWhenCancelled(ctx) {
		in.Cancelled = true
		return finishCleanup(ctx, in)
	}
	return result, err
}

// cleanup begins the run and applies its policies. It returns the policies that failed, and an error only when the run
// cannot begin or is cancelled.
func cleanup(
	ctx workflow.Context, in job.CleanupInput, progress *job.CleanupProgress,
) (map[watchparty.Policy]string, error) {
	var begun job.BeginCleanupResult
	if err := run(ctx, stepOptions, "Begin the run", job.ActivityBeginCleanup, in, &begun); err != nil {
		return nil, err
	}
	if !in.DryRun && workflow.GetVersion(ctx, "tally-first", workflow.DefaultVersion, 1) != workflow.DefaultVersion {
		tally(ctx)
	}
	return applyPolicies(ctx, in, begun, progress)
}

// tally stores the daily figures before the policies remove the rows that they count. If that fails the run continues:
// the next run stores the figures, as far as the rows are still there.
func tally(ctx workflow.Context) {
	if err := runTally(ctx); err != nil {
		workflow.GetLogger(ctx).Error("daily figures not stored", "error", err)
	}
}

// runTally stores the daily figures of the days that are over.
func runTally(ctx workflow.Context) error {
	o := policyOptions
	o.Summary = "Tally the days"
	return workflow.ExecuteActivity(workflow.WithActivityOptions(ctx, o), job.ActivityTally).Get(ctx, nil)
}

// applyPolicies applies the policies in order and returns those that failed. It returns an error only when the run is
// cancelled.
func applyPolicies(
	ctx workflow.Context, in job.CleanupInput, begun job.BeginCleanupResult, progress *job.CleanupProgress,
) (map[watchparty.Policy]string, error) {
	failed := map[watchparty.Policy]string{}
	for _, policy := range begun.Policies {
		progress.Policy = policy
		apply := job.ApplyPolicyInput{RunID: in.RunID, Policy: policy, Threshold: begun.Thresholds[policy], DryRun: in.DryRun}
		err := run(ctx, policyOptions, "Policy "+string(policy), job.ActivityApplyPolicy, apply, nil)
		if temporal.IsCanceledError(err) {
			return failed, err
		}
		if err != nil {
			workflow.GetLogger(ctx).Error("policy failed", "policy", string(policy), "error", err)
			failed[policy] = fmt.Sprintf("given up after %d attempts", policyOptions.RetryPolicy.MaximumAttempts)
			progress.Failed = append(progress.Failed, policy)
			continue
		}
		progress.Done = append(progress.Done, policy)
	}
	progress.Policy = ""
	return failed, nil
}
