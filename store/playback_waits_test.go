package store

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/playback"
)

// connectAll makes connections of people that were made long enough before, and are ready for the present cue.
func (p *party) connectAll(who ...watchparty.User) (nodeID string, connIDs []string) {
	p.t.Helper()
	nodeID = newID()
	renewLease(p.t, p.s, nodeID)
	for _, user := range who {
		connID := newID()
		by := p.by[user.Username]
		if by.UserID == "" {
			by = signedIn(p.t, p.s, user)
		}
		_, err := p.s.AddConnection(p.t.Context(), nodeID, connID, p.room.ID, by)
		require.NoError(p.t, err)
		connIDs = append(connIDs, connID)
	}
	execute(p.t, p.s, "UPDATE live_members SET since = since - interval '1 h' WHERE node_id = ?", nodeID)
	return nodeID, connIDs
}

func (p *party) report(reports ...MemberReport) PlaybackAnswer {
	p.t.Helper()
	answer, err := p.s.ReportPlayers(p.t.Context(), p.room.ID, reports)
	require.NoError(p.t, err)
	return answer
}

func TestRoomsWaitForTheirPeople(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	p := newParty(t, s)
	node, conns := p.connectAll(p.host, p.guest)
	loading := p.mustCommand("host", playback.Load, nil)
	require.Equal(t, playback.Waiting, loading.Status)
	require.Equal(t, 20*time.Second, loading.WaitUntil.Sub(loading.At))
	require.ElementsMatch(t, []string{p.host.ID, p.guest.ID}, personIDs(loading.Missing))

	loading = p.mustCommand("host", playback.Seek, position(500))
	for _, other := range []int64{loading.Cue - 1, loading.Cue + 1} {
		require.NotZero(t, other, "which is no report")
		answer := p.report(MemberReport{ConnID: conns[0], ReadyCue: other})
		require.False(t, answer.Effects.Changed)
		require.Len(t, answer.Missing, 2, "ready for something else")
	}
	answer := p.report(MemberReport{ConnID: conns[0], ReadyCue: loading.Cue})
	require.Equal(t, []string{p.guest.ID}, personIDs(answer.Missing))
	answer = p.report(MemberReport{ConnID: conns[1], ReadyCue: loading.Cue, DurationMS: 600_000})
	require.Equal(t, playback.Playing, answer.Status)
	require.Equal(t, playback.CauseReady, answer.Cause)
	require.False(t, answer.Item.Exact, "a viewer's player is not asked")

	answer = p.report(MemberReport{ConnID: conns[1], StalledCue: loading.Cue},
		MemberReport{ConnID: conns[1], ReadyCue: loading.Cue})
	require.False(t, answer.Effects.Changed, "its player has data again")
	stalled := p.report(MemberReport{ConnID: conns[1], StalledCue: loading.Cue})
	require.Equal(t, playback.CauseRebuffer, stalled.Cause)
	require.Equal(t, []string{p.guest.ID}, personIDs(stalled.Missing))
	answer = p.report(MemberReport{ConnID: conns[1], ReadyCue: loading.Cue},
		MemberReport{ConnID: conns[0], ReadyCue: loading.Cue, DurationMS: 600_000})
	require.Equal(t, playback.Playing, answer.Status)
	require.Equal(t, int64(600_000), answer.Item.DurationMS, "the host's player tells it")
	p.requireStored(answer.State)

	again := p.report(MemberReport{ConnID: conns[1], StalledCue: loading.Cue})
	require.False(t, again.Effects.Changed, "twice within a minute")
	require.Equal(t, conns[1], again.Effects.SetAside)
	sought := p.mustCommand("host", playback.Seek, position(1000))
	require.Equal(t, []string{p.host.ID}, personIDs(sought.Missing), "who is set aside is not waited for")

	able := false
	answer = p.report(MemberReport{ConnID: conns[0], Able: &able})
	require.Equal(t, playback.Playing, answer.Status, "who cannot be waited for is not waited for any more")
	able = true
	p.report(MemberReport{ConnID: conns[0], Able: &able, RTT: 300 * time.Millisecond})
	require.Equal(t, playback.Waiting, p.mustCommand("host", playback.Seek, position(2000)).Status)
	changed, err := s.RemoveConnections(t.Context(), node, conns[:1])
	require.NoError(t, err)
	require.Len(t, changed, 1, "whoever has gone is not waited for")
	require.Equal(t, playback.Playing, changed[0].Status)

	p.mustCommand("host", playback.Seek, position(3000))
	execute(t, s, "UPDATE live_members SET set_aside_for = NULL")
	require.Equal(t, playback.Waiting, p.mustCommand("host", playback.Seek, position(4000)).Status)
	execute(t, s, "UPDATE live_nodes SET lease_until = now() WHERE id = ?", node)
	require.Equal(t, playback.Playing, p.report().Status, "nobody waits for connections of a process that is dead")
}

func personIDs(people []watchparty.Person) []string {
	return mapRows(people, func(p watchparty.Person) string { return p.ID })
}

func TestPolicyOfWaiting(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	for policy, want := range map[watchparty.WaitPolicy]int{"auto": 2, "everyone": 2, "host": 1, "nobody": 0} {
		p := newParty(t, s)
		p.changeRoom(watchparty.RoomChange{WaitPolicy: &policy})
		p.connectAll(p.host, p.guest)
		require.Len(t, p.mustCommand("host", playback.Load, nil).Missing, want, policy)
	}
}

// TestWaitsEndInTime: with every member silent, a wait ends with the first sweep after its deadline that has a place for
// it, and not before.
func TestWaitsEndInTime(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	const batch = 2
	deadlines := map[string]time.Time{}
	for range 2 * batch {
		p := newParty(t, s)
		p.connectAll(p.host, p.guest)
		p.loadItem()
		p.mustCommand("host", playback.Play, nil) // those who are not ready catch up
		execute(t, s, "UPDATE live_members SET epoch = 1 WHERE room_id = ?", p.room.ID)
		waiting := p.mustCommand("host", playback.Seek, position(1000))
		require.Equal(t, playback.Waiting, waiting.Status)
		require.Equal(t, playback.SeekDeadline, waiting.WaitUntil.Sub(waiting.UpdatedAt))
		deadlines[p.room.ID] = waiting.WaitUntil
	}
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for ended, limit := 0, time.After(time.Minute); ended < 2*batch; {
		select {
		case <-tick.C:
		case <-limit:
			require.FailNow(t, "rooms wait for ever")
		}
		now := readValue[time.Time](t, s, "SELECT clock_timestamp()")
		changed, err := s.SweepPlaybacks(t.Context(), batch)
		require.NoError(t, err)
		for _, answer := range changed {
			require.Equal(t, playback.CauseDeadline, answer.Cause)
			require.False(t, answer.UpdatedAt.Before(deadlines[answer.RoomID]))
		}
		ended += len(changed)
		if len(changed) < batch {
			require.Zero(t, readValue[int](t, s,
				"SELECT count(*) FROM playbacks WHERE state = 'waiting' AND wait_until < ?", now))
		}
	}
}

// TestOneClosesAWait: of many processes that close a wait at the same moment, one does.
func TestOneClosesAWait(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	for range 20 {
		p := newParty(t, s)
		p.connectAll(p.host)
		waiting := p.mustCommand("host", playback.Load, nil)
		execute(t, s, "UPDATE playbacks SET wait_until = clock_timestamp() WHERE room_id = ?", p.room.ID)
		var (
			wg    sync.WaitGroup
			mu    sync.Mutex
			first []PlaybackAnswer
		)
		for range 8 {
			wg.Go(func() {
				answer, done, err := s.Tick(context.WithoutCancel(t.Context()), p.room.ID, waiting.Revision)
				mu.Lock()
				defer mu.Unlock()
				if err != nil {
					t.Error(err)
				}
				if done {
					first = append(first, answer)
				}
			})
		}
		wg.Wait()
		require.Len(t, first, 1)
		require.Equal(t, waiting.Revision+1, first[0].Revision)
		p.requireStored(first[0].State)
	}
}

func TestDesertedRoomsPause(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	p, attended := newParty(t, s), newParty(t, s)
	for _, one := range []*party{p, attended} {
		one.loadItem()
		execute(t, s, "UPDATE playbacks SET at = at - interval '100 s' WHERE room_id = ?", one.room.ID)
	}
	attended.connectAll(attended.host)
	execute(t, s, "UPDATE playbacks SET attended_at = at + interval '39 s'")
	changed, err := s.SweepPlaybacks(t.Context(), 10)
	require.NoError(t, err)
	require.Len(t, changed, 1)
	require.Equal(t, p.room.ID, changed[0].RoomID)
	require.Equal(t, playback.Paused, changed[0].Status)
	require.Equal(t, int64(39_000), changed[0].PositionMS, "where they left")
	changed, err = s.SweepPlaybacks(t.Context(), 10)
	require.NoError(t, err)
	require.Empty(t, changed)
}

// TestPlaybackThatFails keeps no other room from its pause.
func TestPlaybackThatFails(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	fails, deserted := newCast(t, s, false), newCast(t, s, false)
	fails.loadItem()
	deserted.loadItem()
	execute(t, s, "UPDATE playbacks SET attended_at = now() - interval '1 h'")
	execute(t, s, "CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''no''; END'")
	execute(t, s, "CREATE TRIGGER fail BEFORE UPDATE ON playbacks FOR EACH ROW WHEN (NEW.room_id = '"+fails.room.ID+
		"') EXECUTE FUNCTION fail()")
	changed, err := s.SweepPlaybacks(t.Context(), 10)
	require.Error(t, err)
	require.Len(t, changed, 1)
	now, err := s.Playback(t.Context(), deserted.room.ID)
	require.NoError(t, err)
	require.Equal(t, playback.Paused, now.Status)
}
