package activities

import (
	"context"

	"go.temporal.io/sdk/activity"
	"gocloud.dev/blob"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/cache"
	"github.com/watchparty/watchparty/store"
	"github.com/watchparty/watchparty/workflows/job"
)

// anonymiseBatch is how many messages one statement makes anonymous.
const anonymiseBatch = 1000

// Account ends what a deleted account has left. Each step can be repeated.
type Account struct {
	Store  *store.Store
	Cache  *cache.Cache
	Bucket *blob.Bucket
}

// RemoveAccountFiles removes every file of the user's from the bucket.
func (a *Account) RemoveAccountFiles(ctx context.Context, in job.AccountInput) error {
	stop := beat(ctx)
	defer stop()
	if err := removeAll(ctx, a.Bucket, watchparty.UploadsPrefix(in.UserID)); err != nil {
		return err
	}
	return removeAll(ctx, a.Bucket, watchparty.AvatarsPrefix(in.UserID))
}

// AnonymiseMessages takes the user's name off their messages in batches. An attempt goes on where the one before it
// ended, and counts on.
func (a *Account) AnonymiseMessages(ctx context.Context, in job.AccountInput) (job.AccountResult, error) {
	var done job.AccountResult
	if activity.HasHeartbeatDetails(ctx) {
		_ = activity.GetHeartbeatDetails(ctx, &done) // without them, it counts from zero
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
	rooms, err := a.Store.RemoveAccount(ctx, in.UserID)
	if err != nil {
		return err
	}
	a.Cache.Invalidate(ctx, cache.TagsOfRooms(rooms)...)
	return nil
}
