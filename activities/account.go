package activities

import (
	"context"

	"go.temporal.io/sdk/activity"
	"gocloud.dev/blob"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/store"
	"github.com/watchparty/watchparty/workflows/job"
)

// anonymiseBatch is the number of messages that one statement makes anonymous.
const anonymiseBatch = 1000

// Account removes what a deleted account has left. Each step can be repeated.
type Account struct {
	Store   *store.Store
	Bucket  *blob.Bucket
	Metrics *Metrics
}

// Activities returns the methods by their activity types.
func (a *Account) Activities() map[string]any {
	return map[string]any{
		job.ActivityRemoveAccountFiles: a.RemoveAccountFiles,
		job.ActivityAnonymiseMessages:  a.AnonymiseMessages,
		job.ActivityRemoveAccount:      a.RemoveAccount,
	}
}

// RemoveAccountFiles removes all files of the user from the bucket.
func (a *Account) RemoveAccountFiles(ctx context.Context, in job.AccountInput) error {
	stop := startHeartbeats(ctx)
	defer stop()
	if err := removeAll(ctx, a.Bucket, watchparty.UploadsPrefix(in.UserID)); err != nil {
		return err
	}
	return removeAll(ctx, a.Bucket, watchparty.AvatarsPrefix(in.UserID))
}

// AnonymiseMessages removes the user's name from their messages, in batches. A repeated attempt continues where the
// interrupted one ended, and continues its count.
func (a *Account) AnonymiseMessages(ctx context.Context, in job.AccountInput) (job.AccountResult, error) {
	var done job.AccountResult
	if activity.HasHeartbeatDetails(ctx) {
		_ = activity.GetHeartbeatDetails(ctx, &done) // on an error the count begins at zero
	}
	for {
		n, err := a.Store.AnonymiseMessages(ctx, in.UserID, anonymiseBatch)
		if err != nil {
			return job.AccountResult{}, err
		}
		done.Messages += n
		activity.RecordHeartbeat(ctx, done)
		if n < anonymiseBatch {
			return done, nil
		}
	}
}

// RemoveAccount removes the user's row.
func (a *Account) RemoveAccount(ctx context.Context, in job.AccountInput) error {
	if err := a.Store.RemoveAccount(ctx, in.UserID); err != nil {
		return err
	}
	a.Metrics.countDeletion()
	return nil
}
