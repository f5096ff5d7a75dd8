package store

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/auth"
	"github.com/watchparty/watchparty/playback"
)

// party is a room with people who are signed in.
type party struct {
	*cast
	by map[string]auth.Identity // host, holder (a moderator), guest (a viewer)
}

func newParty(t *testing.T, s *Store) *party {
	t.Helper()
	c := newCast(t, s, false)
	return &party{cast: c, by: map[string]auth.Identity{
		"host": signedIn(t, s, c.host), "holder": c.identity(), "guest": signedIn(t, s, c.guest),
		"deputy": signedIn(t, s, c.deputy),
	}}
}

// command gives a command for the present epoch.
func (p *party) command(who string, kind playback.Kind, change func(*playback.Command)) (PlaybackAnswer, error) {
	p.t.Helper()
	now, err := p.s.Playback(p.t.Context(), p.room.ID)
	require.NoError(p.t, err)
	c := playback.Command{Kind: kind, ID: newID(), Epoch: now.Epoch}
	if kind == playback.Load {
		c.Source.StreamURL = movieAddress
	}
	if change != nil {
		change(&c)
	}
	return p.s.ApplyPlaybackCommand(p.t.Context(), p.room.ID, p.by[who], c)
}

// mustCommand is command, which has to succeed.
func (p *party) mustCommand(who string, kind playback.Kind, change func(*playback.Command)) PlaybackAnswer {
	p.t.Helper()
	answer, err := p.command(who, kind, change)
	require.NoError(p.t, err)
	p.requireStored(answer.State)
	return answer
}

// requireStored checks that the stored state is the one in the answer.
func (p *party) requireStored(s playback.State) {
	p.t.Helper()
	stored, err := p.s.Playback(p.t.Context(), p.room.ID)
	require.NoError(p.t, err)
	require.Equal(p.t, s, stored.State)
}

func position(ms int64) func(*playback.Command) {
	return func(c *playback.Command) { c.PositionMS = &ms }
}

func TestPlayback(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	p := newParty(t, s)
	idle, err := s.Playback(t.Context(), p.room.ID)
	require.NoError(t, err)
	require.Equal(t, playback.Idle, idle.Status)
	require.Zero(t, idle.Revision)
	_, err = s.Playback(t.Context(), newID())
	require.ErrorIs(t, err, watchparty.ErrNotFound)

	before := readValue[time.Time](t, s, "SELECT clock_timestamp()")
	loaded := p.mustCommand("host", playback.Load, nil)
	require.Equal(t, playback.Playing, loaded.Status, "nobody is connected who could be waited for")
	require.Equal(t, movieAddress, loaded.Source.StreamURL)
	require.Equal(t, "metropolis.webm", loaded.Source.Title)
	require.Equal(t, p.host.Username, loaded.Actor.Username)
	require.WithinDuration(t, before, loaded.At, patience, "by Postgres' clock, whatever this process's says")

	paused := p.mustCommand("holder", playback.Pause, nil)
	require.Equal(t, playback.Paused, paused.Status)
	require.Equal(t, p.holder.ID, paused.By)
	sought := p.mustCommand("host", playback.Seek, position(70_000))
	require.Equal(t, int64(70_000), sought.PositionMS)
	rate := p.mustCommand("host", playback.Rate, func(c *playback.Command) { c.Rate = 1.1 })
	require.InDelta(t, 1.1, rate.Rate, 0)
	require.Equal(t, []int64{1, 2, 3, 4}, []int64{loaded.Revision, paused.Revision, sought.Revision, rate.Revision})

	again := p.mustCommand("host", playback.Pause, nil)
	require.True(t, again.Effects.Unmoved, "it is paused")
	require.Equal(t, int64(5), again.Effects.Revision)

	_, err = p.command("host", playback.Play, func(c *playback.Command) { c.Epoch-- })
	require.ErrorIs(t, err, playback.ErrStale)
	stale, err := p.command("host", playback.Play, func(c *playback.Command) { c.Epoch-- })
	require.ErrorIs(t, err, playback.ErrStale)
	require.Equal(t, again.State, stale.State, "the answer says what there is")

	stopped := p.mustCommand("host", playback.Stop, nil)
	require.Equal(t, playback.Idle, stopped.Status)
	require.Zero(t, readValue[int](t, s, "SELECT count(*) FROM queue_items WHERE room_id = ?", p.room.ID),
		"what was played is gone")
}

func TestPlaybackCommandSentAgain(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	p := newParty(t, s)
	load := newLoad(watchparty.Source{StreamURL: movieAddress})
	first, err := s.ApplyPlaybackCommand(t.Context(), p.room.ID, p.by["host"], load)
	require.NoError(t, err)
	p.mustCommand("host", playback.Pause, nil)
	second, err := s.ApplyPlaybackCommand(t.Context(), p.room.ID, p.by["host"], load)
	require.NoError(t, err)
	require.True(t, second.Effects.Replayed)
	require.Equal(t, first.Revision, second.Effects.Revision)
	require.Equal(t, playback.Paused, second.Status)
	require.Equal(t, 1, readValue[int](t, s, "SELECT count(*) FROM queue_items WHERE room_id = ?", p.room.ID))
	for _, other := range []watchparty.Source{
		{StreamURL: movieAddress + "?2"}, {StreamURL: movieAddress, Title: "Another"},
	} {
		changed := load
		changed.Source = other
		_, err = s.ApplyPlaybackCommand(t.Context(), p.room.ID, p.by["host"], changed)
		require.ErrorIs(t, err, playback.ErrCommandReused)
	}
	_, err = s.ApplyPlaybackCommand(t.Context(), p.room.ID, p.by["holder"], load)
	require.ErrorIs(t, err, playback.ErrCommandReused, "another person's")
}

func TestWhoControlsPlayback(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	outcome := func(p *party, who string) error {
		_, err := p.command(who, playback.Pause, nil)
		return err
	}
	for control, allowed := range map[watchparty.AccessLevel][]string{
		watchparty.HostOnly: {"host"}, watchparty.ModeratorsOnly: {"host", "holder"},
		watchparty.Everyone: {"host", "holder", "guest"},
	} {
		p := newParty(t, s)
		p.loadItem()
		require.NoError(t, p.share(control, watchparty.Everyone))
		for _, who := range []string{"host", "holder", "guest"} {
			err := outcome(p, who)
			if contains(allowed, who) {
				require.NoError(t, err, "%s, %s", control, who)
			} else {
				require.ErrorIs(t, err, watchparty.ErrForbidden, "%s, %s", control, who)
			}
		}
	}
	for name, test := range map[string]struct {
		act  func(p *party)
		want *watchparty.Error
	}{
		"banned": {func(p *party) { require.NoError(t, p.ban(nil)) }, watchparty.ErrBanned},
		"muted": {func(p *party) {
			n := watchparty.NewMute{Until: Now().Add(time.Hour)}
			require.NoError(t, second(s.Mute(t.Context(), p.room.ID, p.host.ID, p.holder.Username, n, IdempotencyKey{})))
		}, watchparty.ErrMuted},
		"suspended":  {func(p *party) { require.NoError(t, performAct[suspend](p.cast)) }, watchparty.ErrUnauthenticated},
		"deleted":    {func(p *party) { require.NoError(t, performAct[deletion](p.cast)) }, watchparty.ErrUnauthenticated},
		"signed out": {func(p *party) { require.NoError(t, performAct[signOut](p.cast)) }, watchparty.ErrUnauthenticated},
		"with a sign-in of somebody else": {func(p *party) {
			p.by["holder"] = auth.Identity{UserID: p.holder.ID, SessionID: p.by["guest"].SessionID}
		}, watchparty.ErrUnauthenticated},
		"without a sign-in": {func(p *party) { p.by["holder"] = auth.Identity{UserID: p.holder.ID} },
			watchparty.ErrUnauthenticated},
		"who left":            {func(p *party) { require.NoError(t, performAct[leave](p.cast)) }, watchparty.ErrNotParticipant},
		"put out":             {func(p *party) { require.NoError(t, performAct[kick](p.cast)) }, watchparty.ErrNotFound},
		"in an archived room": {func(p *party) { p.setArchived(true) }, watchparty.ErrRoomArchived},
		"in a closed room": {func(p *party) {
			require.NoError(t, second(s.CloseRoom(t.Context(), p.root.ID, p.room.ID, watchparty.Moderation{Reason: "spam"})))
		}, watchparty.ErrRoomClosed},
		"in a deleted room": {func(p *party) { require.NoError(t, performAct[deleteRoom](p.cast)) }, watchparty.ErrNotFound},
	} {
		t.Run(name, func(t *testing.T) {
			p := newParty(t, s)
			p.loadItem()
			p.mustCommand("holder", playback.Pause, nil)
			revision := readValue[int64](t, s, "SELECT revision FROM playbacks WHERE room_id = ?", p.room.ID)
			c := playback.Command{Kind: playback.Play, ID: newID(), Epoch: 1}
			test.act(p)
			_, err := s.ApplyPlaybackCommand(t.Context(), p.room.ID, p.by["holder"], c)
			require.ErrorIs(t, err, test.want)
			require.LessOrEqual(t, readValue[int64](t, s, "SELECT revision FROM playbacks WHERE room_id = ?", p.room.ID),
				revision+1, "but for an archive, which stops it")
		})
	}
	p := newParty(t, s)
	require.NoError(t, p.share(watchparty.Everyone, watchparty.Everyone))
	_, err := p.command("guest", playback.Load, nil)
	require.ErrorIs(t, err, watchparty.ErrForbidden, "an address of the room's own is for moderators")
}

func contains(all []string, one string) bool {
	for _, other := range all {
		if other == one {
			return true
		}
	}
	return false
}

// TestDemotionBeforeACommandCounts: a command that begins while a demotion is about to commit waits, and is authorised
// by the new role.
func TestDemotionBeforeACommandCounts(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	p := newParty(t, s)
	p.loadItem()
	tx, err := s.db.BeginTx(t.Context(), nil)
	require.NoError(t, err)
	var pid int
	require.NoError(t, tx.NewRaw("SELECT pg_backend_pid()").Scan(t.Context(), &pid))
	_, err = lockRoom(t.Context(), tx, p.room.ID)
	require.NoError(t, err)
	require.NoError(t, removeMember(withTags(t.Context()), tx, p.room.ID, p.holder.ID))
	c := playback.Command{Kind: playback.Pause, ID: newID(), Epoch: 1}
	done := make(chan error, 1)
	go func() {
		_, err := s.ApplyPlaybackCommand(t.Context(), p.room.ID, p.by["holder"], c)
		done <- err
	}()
	require.Eventually(t, func() bool {
		return readValue[bool](t, s, "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE ? = ANY(pg_blocking_pids(pid)))", pid)
	}, 30*time.Second, 10*time.Millisecond)
	require.NoError(t, tx.Commit())
	require.ErrorIs(t, <-done, watchparty.ErrNotFound)
}

func TestMoviesAreLoaded(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	p := newParty(t, s)
	movie, err := s.CreateMovie(t.Context(), p.root.ID, watchparty.NewMovie{
		Title: "Nosferatu", Year: 1922, RuntimeMinutes: 94, StreamURL: "https://movies.example/nosferatu.mp4",
		Subtitles: []watchparty.Subtitle{{Language: "en", URL: "https://movies.example/en.vtt"},
			{Language: "de", URL: "https://movies.example/de.vtt"}},
	}, IdempotencyKey{})
	require.NoError(t, err)
	load := newLoad(watchparty.Source{MovieID: movie.ID})
	answer, err := s.ApplyPlaybackCommand(t.Context(), p.room.ID, p.by["host"], load)
	require.NoError(t, err)
	require.Equal(t, int64(95*60_000), answer.Item.DurationMS, "a minute more than the runtime, until it is known")
	require.False(t, answer.Item.Exact)
	require.Equal(t, "Nosferatu", answer.Source.Title)
	require.Equal(t, "de", answer.Source.Subtitles[0].Language)
	require.WithinDuration(t, answer.At.Add(95*time.Minute), answer.EndsAt, time.Millisecond)
	require.ErrorIs(t, s.DeleteMovie(t.Context(), p.root.ID, movie.ID, nil), watchparty.ErrMovieInUse)

	bare := addMovie(t, s, "Without a stream")
	other := newRoom(t, s, p.host, nil)
	elsewhere, err := s.AddToQueue(t.Context(), other.ID, p.by["host"], watchparty.Source{MovieID: movie.ID},
		IdempotencyKey{})
	require.NoError(t, err)
	for _, test := range []struct {
		what watchparty.Source
		want error
	}{{watchparty.Source{MovieID: bare}, watchparty.ErrNoStream}, {watchparty.Source{MovieID: newID()},
		watchparty.ErrUnknownMovie}, {watchparty.Source{ItemID: newID()}, watchparty.ErrUnknownItem},
		{watchparty.Source{ItemID: elsewhere.ID}, watchparty.ErrUnknownItem}} {
		load := newLoad(test.what)
		load.Epoch = 1
		_, err := s.ApplyPlaybackCommand(t.Context(), p.room.ID, p.by["host"], load)
		require.ErrorIs(t, err, test.want)
	}
	p.mustCommand("host", playback.Stop, nil)
	_, err = s.RemoveFromQueue(t.Context(), other.ID, p.by["host"], elsewhere.ID)
	require.NoError(t, err)
	require.NoError(t, s.DeleteMovie(t.Context(), p.root.ID, movie.ID, nil))
}

// TestMovieChangesWhileItPlays: every way to read the state has the movie as it is now, also before the row has it.
func TestMovieChangesWhileItPlays(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	p := newParty(t, s)
	movie, err := s.CreateMovie(t.Context(), p.root.ID, watchparty.NewMovie{
		Title: "Nosferatu", Year: 1922, RuntimeMinutes: 94, StreamURL: movieAddress, DurationMS: 5_600_000,
	}, IdempotencyKey{})
	require.NoError(t, err)
	loaded, err := s.ApplyPlaybackCommand(t.Context(), p.room.ID, p.by["host"],
		newLoad(watchparty.Source{MovieID: movie.ID}))
	require.NoError(t, err)
	change := func(c watchparty.MovieChange) {
		t.Helper()
		_, err := s.UpdateMovie(t.Context(), p.root.ID, movie.ID, c, nil)
		require.NoError(t, err)
	}
	versions := func() LiveVersion {
		t.Helper()
		all, err := s.LiveVersions(t.Context(), []string{p.room.ID})
		require.NoError(t, err)
		return all[0]
	}
	ends := func() time.Time {
		return readValue[time.Time](t, s, "SELECT ends_at FROM playbacks WHERE room_id = ?", p.room.ID)
	}
	require.Equal(t, 1, versions().MovieVersion)

	change(watchparty.MovieChange{DurationMS: ptr(int64(5_700_000)), Title: ptr("Nosferatu, restored")})
	now, err := s.Playback(t.Context(), p.room.ID)
	require.NoError(t, err)
	require.Equal(t, loaded.Revision, now.Revision)
	require.Equal(t, []any{"Nosferatu, restored", 2, int64(5_700_000)},
		[]any{now.Source.Title, now.Source.MovieVersion, now.Item.DurationMS})
	require.WithinDuration(t, now.At.Add(5_700*time.Second), now.EndsAt, time.Millisecond)
	require.Equal(t, 2, versions().MovieVersion)
	stale, err := p.command("host", playback.Play, func(c *playback.Command) { c.Epoch-- })
	require.ErrorIs(t, err, playback.ErrStale)
	require.Equal(t, now.State, stale.State)
	require.WithinDuration(t, loaded.EndsAt, ends(), time.Millisecond, "one edit changes no room")

	// The time at which the row says that it is over comes, and it is not: the sweep stores the other one.
	answer, done, err := s.Tick(t.Context(), p.room.ID, now.Revision)
	require.NoError(t, err)
	require.False(t, done)
	require.Equal(t, now.State, answer.State)
	require.WithinDuration(t, now.EndsAt, ends(), time.Millisecond)
	p.requireStored(now.State)

	// A seek beyond the end that was.
	sought := p.mustCommand("host", playback.Seek, position(5_650_000))
	require.Equal(t, int64(5_650_000), sought.PositionMS)
	change(watchparty.MovieChange{DurationMS: ptr(int64(5_000_000))})
	now, err = s.Playback(t.Context(), p.room.ID)
	require.NoError(t, err)
	require.Equal(t, int64(5_000_000), now.PositionMS)
	require.Equal(t, now.At, now.EndsAt)
	execute(t, s, "UPDATE playbacks SET at = at - interval '3 seconds' WHERE room_id = ?", p.room.ID)
	answer, done, err = s.Tick(t.Context(), p.room.ID, now.Revision)
	require.NoError(t, err)
	require.True(t, done)
	require.Equal(t, playback.CauseEnded, answer.Cause, "it is over")
}

// TestDurationsFromBeforeAnEdit: the durations that players have told for a former stream do not overrule the one that
// an admin gives with another stream; those that they tell afterwards do.
func TestDurationsFromBeforeAnEdit(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	p := newParty(t, s)
	movie, err := s.CreateMovie(t.Context(), p.root.ID, watchparty.NewMovie{
		Title: "Nosferatu", Year: 1922, RuntimeMinutes: 94, StreamURL: movieAddress, DurationMS: 5_600_000,
	}, IdempotencyKey{})
	require.NoError(t, err)
	_, conns := p.connectAll(p.host, p.guest, p.holder)
	loaded, err := s.ApplyPlaybackCommand(t.Context(), p.room.ID, p.by["host"],
		newLoad(watchparty.Source{MovieID: movie.ID}))
	require.NoError(t, err)
	reportDuration := func(durationMS int64, conns ...string) playback.Item {
		t.Helper()
		var reports []MemberReport
		for _, conn := range conns {
			reports = append(reports, MemberReport{ConnID: conn, ReadyCue: loaded.Cue, DurationMS: durationMS})
		}
		return p.report(reports...).Item
	}
	require.Equal(t, int64(5_500_000), reportDuration(5_500_000, conns...).DurationMS)
	_, err = s.UpdateMovie(t.Context(), p.root.ID, movie.ID, watchparty.MovieChange{
		StreamURL: ptr(movieAddress + "?longer"), DurationMS: ptr(int64(5_700_000)),
	}, nil)
	require.NoError(t, err)
	require.Equal(t, int64(5_700_000), reportDuration(5_710_000, conns[0]).DurationMS, "one player")
	require.Equal(t, int64(5_710_000), reportDuration(5_710_000, conns[1]).DurationMS, "two")
}

func TestPlayPlaysTheRoomsMovie(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	p := newParty(t, s)
	_, err := p.command("host", playback.Play, nil)
	require.ErrorIs(t, err, playback.ErrNothingToPlay)
	movie := addMovie(t, s, "The room's")
	p.changeRoom(watchparty.RoomChange{MovieID: &movie})
	_, err = p.command("host", playback.Play, nil)
	require.ErrorIs(t, err, playback.ErrNothingToPlay, "it has no stream")
	execute(t, s, "UPDATE movies SET stream_url = ? WHERE id = ?", movieAddress, movie)
	answer := p.mustCommand("host", playback.Play, nil)
	require.Equal(t, movie, answer.Source.MovieID)
	require.Equal(t, playback.Playing, answer.Status)
	p.mustCommand("host", playback.Skip, nil)
	item := p.addItem()
	require.Equal(t, item.ID, p.mustCommand("host", playback.Play, nil).Item.ID, "the queue comes first")
}

// TestArchivedRoomsPlayNothing: the trigger makes the same state as package playback.
func TestArchivedRoomsPlayNothing(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	for name, archiveIt := range map[string]func(p *party){
		"by the host": func(p *party) { p.setArchived(true) },
		"by an admin": func(p *party) {
			require.NoError(t, second(s.CloseRoom(t.Context(), p.root.ID, p.room.ID, watchparty.Moderation{Reason: "spam"})))
		},
		"by clean-up": func(p *party) {
			execute(t, s, "UPDATE rooms SET archived_at = now(), retired_at = now() WHERE id = ?", p.room.ID)
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := newParty(t, s)
			p.loadItem()
			p.mustCommand("host", playback.Rate, func(c *playback.Command) { c.Rate = 2 })
			before := p.mustCommand("host", playback.Seek, position(5000)).State
			archiveIt(p)
			after, err := s.Playback(t.Context(), p.room.ID)
			require.NoError(t, err)
			want, _, err := playback.Apply(before, playback.Archived{}, playback.Room{}, after.UpdatedAt)
			require.NoError(t, err)
			want.At = after.At
			require.Equal(t, want, after.State)
			require.Zero(t, readValue[int](t, s, "SELECT count(*) FROM queue_items WHERE room_id = ?", p.room.ID))
		})
	}
}

func TestControlIsLogged(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	p := newParty(t, s)
	p.loadItem()
	for ms := range int64(5) {
		p.mustCommand("host", playback.Seek, position(ms*1000))
	}
	p.mustCommand("holder", playback.Seek, position(9000))
	p.mustCommand("host", playback.Seek, position(60_000))
	p.mustCommand("host", playback.Pause, nil)
	p.mustCommand("host", playback.Pause, nil)
	execute(t, s, "UPDATE room_log SET created_at = created_at - interval '11 s' WHERE room_id = ?", p.room.ID)
	p.mustCommand("host", playback.Seek, position(70_000))
	log, err := s.RoomLog(t.Context(), p.room.ID, Page{Limit: 20})
	require.NoError(t, err)
	var lines []string
	for _, act := range log {
		line := string(act.Action) + " by " + act.Actor.Username[:4]
		if at, ok := act.Details["position_ms"].(float64); ok && act.Action == watchparty.ActSought {
			line += time.Duration(at * float64(time.Millisecond)).String()
		}
		lines = append(lines, line)
	}
	require.Equal(t, []string{"sought by host1m10s", "paused by host", "sought by hold9s", "sought by host1m0s",
		"loaded by hold"}, lines)
}

func TestTheNextItemIsPlayed(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	p := newParty(t, s)
	next := p.addItem()
	p.loadItem()
	execute(t, s, `UPDATE playbacks SET duration_ms = 1000, duration_exact = true, position_ms = 500,
		ends_at = clock_timestamp()`)
	changed, err := s.SweepPlaybacks(t.Context(), 10)
	require.NoError(t, err)
	require.Empty(t, changed, "within the grace")
	execute(t, s, "UPDATE playbacks SET ends_at = clock_timestamp() - interval '2 s'")
	changed, err = s.SweepPlaybacks(t.Context(), 10)
	require.NoError(t, err)
	require.Len(t, changed, 1)
	require.Equal(t, next.ID, changed[0].Item.ID)
	require.Zero(t, changed[0].PositionMS)
	items, version, err := s.Queue(t.Context(), p.room.ID, p.guest.ID)
	require.NoError(t, err)
	require.Empty(t, items)
	require.Equal(t, changed[0].QueueVersion, version)
}

func TestClockOfPostgresJumps(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	p := newParty(t, s)
	p.loadItem()
	was, err := s.Playback(t.Context(), p.room.ID)
	require.NoError(t, err)
	answer, done, err := s.SetClock(t.Context(), p.room.ID, was.Revision, time.Hour)
	require.NoError(t, err)
	require.True(t, done)
	require.Equal(t, was.At.Add(time.Hour), answer.At)
	_, done, err = s.SetClock(t.Context(), p.room.ID, was.Revision, time.Hour)
	require.NoError(t, err)
	require.False(t, done, "by two processes it is done once")
}

func TestPresenceByConnection(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	p := newParty(t, s)
	node, conns := p.connectAll(p.holder, p.guest)
	execute(t, s, "UPDATE participants SET last_seen_at = now() - interval '1 h', created_at = now() - interval '2 h'")
	passedOn, err := s.KeepPresent(t.Context(), node, 10*time.Minute)
	require.NoError(t, err)
	require.Equal(t, []string{p.room.ID}, passedOn, "the host has been silent")
	require.Equal(t, p.holder.ID, p.hostOf())
	people, err := s.Participants(t.Context(), p.room.ID)
	require.NoError(t, err)
	present := 0
	for _, one := range people {
		if one.Present(Now()) {
			present++
		}
	}
	require.Equal(t, 2, present)
	passedOn, err = s.KeepPresent(t.Context(), node, 10*time.Minute)
	require.NoError(t, err)
	require.Empty(t, passedOn)

	_, err = s.RemoveConnections(t.Context(), newID(), conns)
	require.NoError(t, err)
	require.Equal(t, 2, readValue[int](t, s, "SELECT count(*) FROM live_members"), "of another process")
	execute(t, s, "UPDATE live_nodes SET lease_until = now() - interval '2 min'")
	require.NoError(t, s.EndLapsedLeases(t.Context()))
	require.Zero(t, readValue[int](t, s, "SELECT count(*) FROM live_members"))
}

func TestLiveStandings(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	p, other := newParty(t, s), newParty(t, s)
	keys := []LiveKey{
		{p.room.ID, p.host.ID, p.by["host"].SessionID}, {p.room.ID, p.holder.ID, p.session},
		{other.room.ID, p.holder.ID, p.session}, {newID(), p.holder.ID, p.session},
		{p.room.ID, p.holder.ID, p.by["guest"].SessionID}, {p.room.ID, p.guest.ID, p.by["guest"].SessionID},
	}
	until := Now().Add(time.Hour)
	_, err := s.Mute(t.Context(), p.room.ID, p.host.ID, p.guest.Username, watchparty.NewMute{Until: until},
		IdempotencyKey{})
	require.NoError(t, err)
	standings, err := s.LiveStandings(t.Context(), keys)
	require.NoError(t, err)
	require.Len(t, standings, len(keys))
	for i, want := range []error{nil, nil, watchparty.ErrNotFound, watchparty.ErrNotFound, watchparty.ErrUnauthenticated,
		nil} {
		require.Equal(t, want, standings[i].Err, i)
	}
	require.Equal(t, watchparty.Host, standings[0].Standing.Role)
	require.True(t, standings[1].Standing.May(watchparty.MayControl))
	require.Equal(t, watchparty.Viewer, standings[5].Standing.Role)
	require.False(t, standings[5].Standing.MutedUntil.IsZero())
	require.Positive(t, standings[0].AccessVersion)
	require.Positive(t, standings[0].AccountVersion)
}

// TestCommandsLeaveConnections: however many commands wait for a room, all other work continues.
func TestCommandsLeaveConnections(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	p := newParty(t, s)
	p.loadItem()
	tx, err := s.db.BeginTx(t.Context(), nil)
	require.NoError(t, err)
	_, err = tx.NewRaw("SELECT FROM playbacks WHERE room_id = ? FOR UPDATE", p.room.ID).Exec(t.Context())
	require.NoError(t, err)
	var wg sync.WaitGroup
	defer wg.Wait()
	defer tx.Rollback() //nolint:errcheck // it may be over
	for range 30 {
		c := playback.Command{Kind: playback.Pause, ID: newID(), Epoch: 1}
		wg.Go(func() {
			_, _ = s.ApplyPlaybackCommand(context.WithoutCancel(t.Context()), p.room.ID, p.by["host"], c)
		})
	}
	waiting := func() int {
		return readValue[int](t, s, "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE ?",
			"%"+p.room.ID+"%")
	}
	require.Eventually(t, func() bool { return waiting() > 0 }, patience, 10*time.Millisecond)
	for range 10 {
		_, err := s.Room(t.Context(), p.room.ID)
		require.NoError(t, err)
	}
	commands := waiting()
	require.Positive(t, commands, "they did not have to wait for the commands")
	require.LessOrEqual(t, commands, 2)
}
