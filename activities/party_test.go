package activities_test

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/testsuite"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/activities"
	"github.com/watchparty/watchparty/playback"
	"github.com/watchparty/watchparty/store"
	"github.com/watchparty/watchparty/workflows/job"
)

// partyOfMany is a party in two hours with many guests, each with a confirmed address.
type partyOfMany struct {
	*testsuite.TestActivityEnvironment
	t      *testing.T
	store  *store.Store
	host   watchparty.User
	room   watchparty.Room
	party  watchparty.Party
	notice job.PartyNoticesInput
}

func newPartyOfMany(t *testing.T, guests int) *partyOfMany {
	t.Helper()
	p := &partyOfMany{t: t, store: openStore(t)}
	p.host = register(t, p.store, "host")
	var err error
	p.room, err = p.store.CreateRoom(t.Context(), p.host.ID,
		watchparty.NewRoom{Name: "A room", Visibility: watchparty.Public, Capacity: 5}, store.IdempotencyKey{})
	require.NoError(t, err)
	p.party, err = p.store.ScheduleParty(t.Context(), p.room.ID, p.host.ID, watchparty.NewParty{
		StartsAt: store.Now().Add(2 * time.Hour), TimeZone: "Europe/Berlin",
	}, store.IdempotencyKey{})
	require.NoError(t, err)
	execute(t, p.store, `WITH made AS (
		INSERT INTO users (id, username, email, email_key, display_name, password_hash, email_verified_at)
		SELECT id, 'g' || right(id::text, 20), id || '@guests.example', id || '@guests.example', 'Guest', '', now()
		FROM (SELECT gen_random_uuid() AS id FROM generate_series(1, ?)) AS ids RETURNING id)
		INSERT INTO party_answers (party_id, room_id, user_id, answer) SELECT ?, ?, id, 'yes' FROM made`,
		guests, p.party.ID, p.room.ID)
	p.TestActivityEnvironment = environment(&activities.Party{Store: p.store})
	p.notice = job.PartyNoticesInput{PartyID: p.party.ID, Kind: watchparty.NoticeHour}
	return p
}

// queue runs the activity and returns how many emails it has queued.
func (p *partyOfMany) queue() int {
	p.t.Helper()
	encoded, err := p.ExecuteActivity(job.ActivityQueuePartyNotices, p.notice)
	require.NoError(p.t, err)
	var result job.PartyNoticesResult
	require.NoError(p.t, encoded.Get(&result))
	return result.Emails
}

func (p *partyOfMany) count(query string) (n int) {
	p.t.Helper()
	require.NoError(p.t, p.store.DB().NewRaw(query).Scan(p.t.Context(), &n))
	return n
}

// requireEach wants each guest to have one email of its own, with one workflow.
func (p *partyOfMany) requireEach(guests int) {
	p.t.Helper()
	for _, query := range []string{
		"SELECT count(*) FROM party_notices",
		"SELECT count(DISTINCT user_id) FROM emails WHERE kind = 'party_reminder'",
		"SELECT count(*) FROM emails WHERE kind = 'party_reminder'",
		"SELECT count(DISTINCT workflow_id) FROM outbox WHERE workflow = 'PartyEmail'",
		"SELECT count(*) FROM outbox WHERE workflow = 'PartyEmail'",
	} {
		require.Equal(p.t, guests, p.count(query), query)
	}
}

func TestQueuePartyNotices(t *testing.T) {
	t.Parallel()
	// As many as fill whole pages, and one more or less.
	for _, guests := range []int{0, 99, 100, 101, 200, 250} {
		p := newPartyOfMany(t, guests)
		require.Equal(t, guests, p.queue())
		require.Zero(t, p.queue(), "each has it already")
		p.requireEach(guests)
	}

	t.Run("goes on where an attempt has ended", func(t *testing.T) {
		t.Parallel()
		p := newPartyOfMany(t, 250)
		var last string // of the first page, as if it had been told
		require.NoError(t, p.store.DB().NewRaw("SELECT user_id FROM party_answers ORDER BY user_id OFFSET 99 LIMIT 1").
			Scan(t.Context(), &last))
		p.SetHeartbeatDetails(last)
		require.Equal(t, 150, p.queue())
		p.requireEach(150)
	})
	t.Run("whose heartbeat was lost tells nobody twice", func(t *testing.T) {
		t.Parallel()
		p := newPartyOfMany(t, 150)
		_, _, err := p.store.QueuePartyNotices(t.Context(), p.notice, uuid.Nil.String())
		require.NoError(t, err)
		p.SetHeartbeatDetails(7) // of a version that had others
		require.Equal(t, 50, p.queue())
		p.requireEach(150)
	})
	t.Run("of a party that was moved since tells nobody", func(t *testing.T) {
		t.Parallel()
		p := newPartyOfMany(t, 3)
		later := p.party.StartsAt.Add(time.Hour)
		_, _, err := p.store.UpdateParty(t.Context(), p.party.ID, p.host.ID, watchparty.PartyChange{StartsAt: &later}, nil)
		require.NoError(t, err)
		require.Zero(t, p.queue())
		p.notice.Moves = 1
		require.Equal(t, 3, p.queue())
	})
	t.Run("of a party that is gone tells nobody", func(t *testing.T) {
		t.Parallel()
		p := newPartyOfMany(t, 1)
		execute(t, p.store, "DELETE FROM parties")
		require.Zero(t, p.queue())
	})
}

func TestArmParty(t *testing.T) {
	t.Parallel()
	p := newPartyOfMany(t, 0)
	arm := func() playback.Snapshot {
		t.Helper()
		_, err := p.ExecuteActivity(job.ActivityArmParty, job.PartyInput{PartyID: p.party.ID})
		require.NoError(t, err)
		now, err := p.store.Playback(t.Context(), p.room.ID)
		require.NoError(t, err)
		return now
	}
	require.Equal(t, playback.Idle, arm().Status, "it is not time yet")
	execute(t, p.store, "UPDATE parties SET starts_at = date_trunc('milliseconds', now()) + interval '4 minutes'")
	require.Equal(t, playback.Idle, arm().Status, "there is nothing to play")
	execute(t, p.store, `INSERT INTO movies (id, title, year, runtime_minutes, stream_url)
		VALUES (?, 'Metropolis', 1927, 153, 'https://movies.example/metropolis.webm')`, p.party.ID)
	execute(t, p.store, "UPDATE parties SET movie_id = id")
	party, err := p.store.Party(t.Context(), p.party.ID, "")
	require.NoError(t, err)
	armed := arm()
	require.Equal(t, []any{playback.Paused, playback.CauseScheduled, party.StartsAt},
		[]any{armed.Status, armed.Cause, armed.StartsAt})
	require.Equal(t, armed.State, arm().State, "again it changes nothing")
	_, err = p.store.CancelParty(t.Context(), p.party.ID, p.host.ID, nil)
	require.NoError(t, err)
	require.Zero(t, arm().StartsAt, "it was cancelled")
	execute(t, p.store, "DELETE FROM parties")
	require.Zero(t, arm().StartsAt, "it is gone, which is no failure")
}

func TestReadParty(t *testing.T) {
	t.Parallel()
	p := newPartyOfMany(t, 0)
	read := func() (status job.PartyStatus) {
		t.Helper()
		encoded, err := p.ExecuteActivity(job.ActivityReadParty, job.PartyInput{PartyID: p.party.ID})
		require.NoError(t, err)
		require.NoError(t, encoded.Get(&status))
		return status
	}
	want := job.PartyStatus{
		State: watchparty.PartyScheduled, StartsAt: p.party.StartsAt, ScheduledAt: p.party.CreatedAt,
	}
	require.Equal(t, want, read())
	_, err := p.store.CancelParty(t.Context(), p.party.ID, p.host.ID, nil)
	require.NoError(t, err)
	want.State, want.Moves = watchparty.PartyCancelled, 1
	require.Equal(t, want, read())
	execute(t, p.store, "DELETE FROM parties")
	require.Zero(t, read())
}
