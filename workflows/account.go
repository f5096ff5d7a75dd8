package workflows

import (
	"go.temporal.io/sdk/workflow"

	"github.com/watchparty/watchparty/workflows/job"
)

// DeleteAccount removes what a deleted account has left: its files, its name on messages, and its row. The row goes
// last, since it marks the account as deleted.
func DeleteAccount(ctx workflow.Context, in job.AccountInput) (job.AccountResult, error) {
	var result job.AccountResult
	err := run(ctx, deletionOptions, "Remove the files", job.ActivityRemoveAccountFiles, in, nil)
	if err != nil {
		return result, err
	}
	err = run(ctx, deletionOptions, "Make the messages anonymous", job.ActivityAnonymiseMessages, in, &result)
	if err != nil {
		return result, err
	}
	return result, run(ctx, stepOptions, "Remove the account's row", job.ActivityRemoveAccount, in, nil)
}
