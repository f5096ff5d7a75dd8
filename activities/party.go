package activities

import (
	"context"
	"errors"

	"github.com/google/uuid"
	"go.temporal.io/sdk/activity"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/store"
	"github.com/watchparty/watchparty/workflows/job"
)

// Party reminds the guests of parties, and has rooms load what parties play.
type Party struct{ Store *store.Store }

// Activities returns the methods by their activity types.
func (p *Party) Activities() map[string]any {
	return map[string]any{
		job.ActivityReadParty:         p.ReadParty,
		job.ActivityQueuePartyNotices: p.QueuePartyNotices,
		job.ActivityArmParty:          p.ArmParty,
	}
}

// ReadParty reads the state of a party.
func (p *Party) ReadParty(ctx context.Context, in job.PartyInput) (job.PartyStatus, error) {
	return p.Store.PartyStatus(ctx, in.PartyID)
}

// QueuePartyNotices queues an email for each guest of a party. Each guest gets it once, however often this runs. The
// heartbeat has the last guest for whom an email was queued.
func (p *Party) QueuePartyNotices(ctx context.Context, in job.PartyNoticesInput) (job.PartyNoticesResult, error) {
	var result job.PartyNoticesResult
	last := uuid.Nil.String() // before the first guest
	if activity.HasHeartbeatDetails(ctx) {
		if err := activity.GetHeartbeatDetails(ctx, &last); err != nil {
			last = uuid.Nil.String()
		}
	}
	for {
		queued, next, err := p.Store.QueuePartyNotices(ctx, in, last)
		result.Emails += queued
		if err != nil || next == "" {
			return result, err
		}
		last = next
		activity.RecordHeartbeat(ctx, last)
	}
}

// ArmParty has the room load the party's movie, which then starts by itself. It changes nothing if the party has
// started, was moved or was cancelled. A party that no longer exists is no error: the workflow ends when it reads that.
// The API does the same if no worker runs.
func (p *Party) ArmParty(ctx context.Context, in job.PartyInput) error {
	_, _, err := p.Store.AdvanceParty(ctx, in.PartyID)
	if errors.Is(err, watchparty.ErrNotFound) {
		return nil
	}
	return err
}
