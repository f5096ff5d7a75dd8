package activities

import (
	"context"
	"errors"

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

// ReadParty tells how a party stands.
func (p *Party) ReadParty(ctx context.Context, in job.PartyInput) (job.PartyStatus, error) {
	return p.Store.PartyStatus(ctx, in.PartyID)
}

// QueuePartyNotices queues an email for each guest of a party, who has it once however often this runs. The heartbeat
// is the guest up to whom it has come.
func (p *Party) QueuePartyNotices(ctx context.Context, in job.PartyNoticesInput) (job.PartyNoticesResult, error) {
	var result job.PartyNoticesResult
	const first = "00000000-0000-0000-0000-000000000000"
	last := first
	if activity.HasHeartbeatDetails(ctx) {
		if err := activity.GetHeartbeatDetails(ctx, &last); err != nil {
			last = first
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

// ArmParty has the room load what its party plays, so that it starts by itself. A party that has started, was moved or
// cancelled stays as it is, and one that is gone with its room is no failure: the workflow ends when it reads that. Any
// process of the API does the same if this does not run.
func (p *Party) ArmParty(ctx context.Context, in job.PartyInput) error {
	_, _, err := p.Store.AdvanceParty(ctx, in.PartyID)
	if errors.Is(err, watchparty.ErrNotFound) {
		return nil
	}
	return err
}
