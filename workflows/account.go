package workflows

import (
	"go.temporal.io/sdk/workflow"

	"github.com/watchparty/watchparty/workflows/job"
)

// DeleteAccount ends what a deleted account has left: its files, its name on messages, its row. The row goes last, for it
// is what says that the account is deleted.
func DeleteAccount(ctx workflow.Context, in job.AccountInput) (job.AccountResult, error) {
	var result job.AccountResult
	if err := workflow.ExecuteActivity(with(ctx, erasing, "Remove the files"), job.ActivityRemoveAccountFiles, in).Get(ctx, nil); err != nil {
		return result, err
	}
	if err := workflow.ExecuteActivity(with(ctx, erasing, "Make the messages anonymous"), job.ActivityAnonymiseMessages, in).Get(ctx, &result); err != nil {
		return result, err
	}
	err := workflow.ExecuteActivity(with(ctx, patient, "Remove the account's row"), job.ActivityRemoveAccount, in).Get(ctx, nil)
	return result, err
}
