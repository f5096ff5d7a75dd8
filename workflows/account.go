package workflows

import (
	"go.temporal.io/sdk/workflow"

	"github.com/watchparty/watchparty/workflows/job"
)

// DeleteAccount removes what a deleted account has left: its files, its name on messages, and its row. The row goes
// last, since it marks the account as deleted.
func DeleteAccount(ctx workflow.Context, in job.AccountInput) (job.AccountResult, error) {
	var result job.AccountResult
	files := with(ctx, deletionOptions, "Remove the files")
	if err := workflow.ExecuteActivity(files, job.ActivityRemoveAccountFiles, in).Get(ctx, nil); err != nil {
		return result, err
	}
	messages := with(ctx, deletionOptions, "Make the messages anonymous")
	if err := workflow.ExecuteActivity(messages, job.ActivityAnonymiseMessages, in).Get(ctx, &result); err != nil {
		return result, err
	}
	row := with(ctx, stepOptions, "Remove the account's row")
	return result, workflow.ExecuteActivity(row, job.ActivityRemoveAccount, in).Get(ctx, nil)
}
