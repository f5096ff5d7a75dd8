package workflows

import (
	"fmt"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/workflows/job"
)

// Cleanup applies policies one after the other and stores a report. A policy that fails does not stop the others.
func Cleanup(ctx workflow.Context, in job.CleanupInput) (job.CleanupResult, error) {
	if in.RunID == "" {
		// Started by the schedule: this execution's ID is the run's.
		in.RunID = workflow.GetInfo(ctx).FirstRunID
	}
	var begun job.BeginCleanupResult
	if err := workflow.ExecuteActivity(with(ctx, patient, "Begin the run"), job.BeginCleanup, in).Get(ctx, &begun); err != nil {
		return job.CleanupResult{}, err
	}
	failed, err := applyPolicies(ctx, in, begun)
	if err != nil {
		return job.CleanupResult{}, err
	}
	var result job.CleanupResult
	finish := job.FinishCleanupInput{RunID: in.RunID, Failed: failed}
	err = workflow.ExecuteActivity(with(ctx, patient, "Store the report"), job.FinishCleanup, finish).Get(ctx, &result)
	return result, err
}

func applyPolicies(ctx workflow.Context, in job.CleanupInput, begun job.BeginCleanupResult) (map[watchparty.Policy]string, error) {
	failed := map[watchparty.Policy]string{}
	for _, policy := range begun.Policies {
		apply := job.ApplyPolicyInput{RunID: in.RunID, Policy: policy, Threshold: begun.Thresholds[policy], DryRun: in.DryRun}
		err := workflow.ExecuteActivity(with(ctx, cleaning, "Policy "+string(policy)), job.ApplyPolicy, apply).Get(ctx, nil)
		if temporal.IsCanceledError(err) {
			return nil, err
		}
		if err != nil {
			workflow.GetLogger(ctx).Error("policy failed", "policy", string(policy), "error", err)
			failed[policy] = fmt.Sprintf("given up after %d attempts", cleaning.RetryPolicy.MaximumAttempts)
		}
	}
	return failed, nil
}
