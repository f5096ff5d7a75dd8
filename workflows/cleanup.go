package workflows

import (
	"fmt"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/workflows/job"
)

// Cleanup applies policies one after the other and stores a report. A policy that fails does not stop the others. Cancelled
// in Temporal, it ends the run with a report of what was done.
func Cleanup(ctx workflow.Context, in job.CleanupInput) (job.CleanupResult, error) {
	if in.RunID == "" {
		// Started by the schedule: this execution's ID is the run's.
		in.RunID = workflow.GetInfo(ctx).FirstRunID
	}
	var progress job.CleanupProgress
	err := workflow.SetQueryHandler(ctx, job.QueryProgress, func() (job.CleanupProgress, error) { return progress, nil })
	if err != nil {
		return job.CleanupResult{}, err
	}
	finish := job.FinishCleanupInput{RunID: in.RunID}
	if finish.Failed, err = cleanup(ctx, in, &progress); err != nil {
		if !temporal.IsCanceledError(err) || workflow.GetVersion(ctx, "report-when-cancelled", workflow.DefaultVersion, 1) == workflow.DefaultVersion {
			return job.CleanupResult{}, err
		}
		finish.Cancelled = true
	}
	result, failed := finishCleanup(ctx, finish)
	if failed != nil && (!finish.Cancelled || !goneRow(failed)) { // it is gone when it had not begun
		return result, failed
	}
	return result, err
}

// finishCleanup stores the report, also when the workflow is cancelled meanwhile.
func finishCleanup(ctx workflow.Context, in job.FinishCleanupInput) (result job.CleanupResult, err error) {
	if in.Cancelled {
		ctx, _ = workflow.NewDisconnectedContext(ctx)
	}
	err = workflow.ExecuteActivity(with(ctx, patient, "Store the report"), job.ActivityFinishCleanup, in).Get(ctx, &result)
	if !in.Cancelled && temporal.IsCanceledError(err) && workflow.GetVersion(ctx, "report-when-cancelled", workflow.DefaultVersion, 1) == 1 {
		in.Cancelled = true
		return finishCleanup(ctx, in)
	}
	return result, err
}

// cleanup returns an error only when nothing can be done, or when the run is cancelled.
func cleanup(ctx workflow.Context, in job.CleanupInput, progress *job.CleanupProgress) (map[watchparty.Policy]string, error) {
	var begun job.BeginCleanupResult
	if err := workflow.ExecuteActivity(with(ctx, patient, "Begin the run"), job.ActivityBeginCleanup, in).Get(ctx, &begun); err != nil {
		return nil, err
	}
	if !in.DryRun && workflow.GetVersion(ctx, "tally-first", workflow.DefaultVersion, 1) != workflow.DefaultVersion {
		tally(ctx)
	}
	return applyPolicies(ctx, in, begun, progress)
}

// tally counts what happened before it is removed. Without the figures the run goes on: the next one makes up for them, as far
// as the rows are still there.
func tally(ctx workflow.Context) {
	if err := workflow.ExecuteActivity(with(ctx, cleaning, "Tally the days"), job.ActivityTally).Get(ctx, nil); err != nil {
		workflow.GetLogger(ctx).Error("days not tallied", "error", err)
	}
}

// applyPolicies returns an error only when the run is cancelled.
func applyPolicies(
	ctx workflow.Context, in job.CleanupInput, begun job.BeginCleanupResult, progress *job.CleanupProgress,
) (map[watchparty.Policy]string, error) {
	failed := map[watchparty.Policy]string{}
	for _, policy := range begun.Policies {
		progress.Policy = policy
		apply := job.ApplyPolicyInput{RunID: in.RunID, Policy: policy, Threshold: begun.Thresholds[policy], DryRun: in.DryRun}
		err := workflow.ExecuteActivity(with(ctx, cleaning, "Policy "+string(policy)), job.ActivityApplyPolicy, apply).Get(ctx, nil)
		if temporal.IsCanceledError(err) {
			return failed, err
		}
		if err != nil {
			workflow.GetLogger(ctx).Error("policy failed", "policy", string(policy), "error", err)
			failed[policy] = fmt.Sprintf("given up after %d attempts", cleaning.RetryPolicy.MaximumAttempts)
			progress.Failed = append(progress.Failed, policy)
			continue
		}
		progress.Done = append(progress.Done, policy)
	}
	progress.Policy = ""
	return failed, nil
}
