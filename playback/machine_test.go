package playback_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/playback"
)

var (
	start = time.Date(2026, 5, 1, 20, 0, 0, 0, time.UTC)
	movie = playback.NewItem("movie", 0, 600_000)
	next  = playback.NewItem("next", 0, 300_000)
)

// Short names for tables.
const (
	waitAuto     = watchparty.WaitPolicyAuto
	waitEveryone = watchparty.WaitPolicyEveryone
	waitHost     = watchparty.WaitPolicyHost
	waitNobody   = watchparty.WaitPolicyNobody
)

func ms(n int64) *int64 { return &n }

// member is one who was connected long before, and is ready for a state's cue.
func member(name string, s playback.State) playback.Member {
	return playback.Member{
		ConnID: name, UserID: name, Able: true, Since: start.Add(-time.Hour), Epoch: s.Epoch, ReadyCue: s.Cue,
	}
}

// behind is a member who is not ready.
func behind(name string, s playback.State) playback.Member {
	m := member(name, s)
	m.ReadyCue = 0
	return m
}

// states are one of each kind, at epoch 3 and cue 5. The one that plays is at 10 s at the start.
func stateOf(status playback.Status) playback.State {
	s := playback.State{
		RoomID: "room", Status: status, Rate: 1, Revision: 9, Epoch: 3, Cue: 5, At: start, Item: movie, PositionMS: 10_000,
	}
	switch status {
	case playback.Idle:
		s.Item, s.PositionMS = playback.Item{}, 0
	case playback.Waiting:
		s.Resume, s.WaitFor, s.WaitUntil = true, playback.WaitSeek, start.Add(playback.SeekDeadline)
	case playback.Playing:
		s.EndsAt = start.Add(590 * time.Second)
	case playback.Paused:
	}
	return s
}

func TestTransitions(t *testing.T) {
	const later = 5 * time.Second
	waitingPaused := stateOf(playback.Waiting)
	waitingPaused.Resume = false
	loading := stateOf(playback.Waiting)
	loading.WaitFor, loading.WaitUntil = playback.WaitLoad, start.Add(playback.LoadDeadline)
	scheduled := stateOf(playback.Paused)
	scheduled.StartsAt = start.Add(time.Minute)
	estimated := stateOf(playback.Playing)
	estimated.Item = playback.NewItem("movie", 600_000, 0)
	slow := func(s playback.State) playback.Room {
		return playback.Room{Members: []playback.Member{behind("slow", s), member("quick", s)}}
	}
	ready := func(s playback.State) playback.Room {
		return playback.Room{Members: []playback.Member{member("ann", s), member("bob", s)}}
	}
	queue := func(s playback.State) playback.Room {
		room := ready(s)
		room.Next = next
		return room
	}
	ended := func(room playback.Room, cue int64, who ...int) playback.Room {
		for _, i := range who {
			room.Members[i].EndedCue = cue
		}
		return room
	}
	command := func(kind playback.Kind) playback.Command {
		return playback.Command{Kind: kind, ID: "1", By: "ann", Epoch: 3}
	}
	at := func(c playback.Command, positionMS int64) playback.Command {
		c.PositionMS = &positionMS
		return c
	}
	load := command(playback.Load)
	load.Item, load.Source.ItemID = next, next.ID
	rate := command(playback.Rate)
	rate.Rate = 2
	idle, waiting := stateOf(playback.Idle), stateOf(playback.Waiting)
	playing, paused := stateOf(playback.Playing), stateOf(playback.Paused)
	type want struct {
		status   playback.Status
		cause    playback.Cause
		position int64
		at       time.Duration // since the start
		epoch    int64
		cue      int64
		waitFor  playback.Wait
		until    time.Duration
		resume   bool
		finished string
		started  string
	}
	lead := later + 200*time.Millisecond
	for name, test := range map[string]struct {
		from  playback.State
		event playback.Event
		room  playback.Room
		at    time.Duration
		want  want
		err   error
		same  bool
	}{
		"idle: load": {idle, load, slow(idle), later, want{playback.Waiting, playback.CauseLoad, 0, later, 4, 6,
			playback.WaitLoad, later + 20*time.Second, true, "", "next"}, nil, false},
		"idle: load with nobody there": {idle, load, playback.Room{}, later, want{playback.Playing, playback.CauseLoad, 0,
			lead, 4, 6, "", 0, false, "", "next"}, nil, false},
		"idle: play the queue": {idle, command(playback.Play), queue(idle), later, want{playback.Waiting,
			playback.CausePlay, 0, later, 4, 6, playback.WaitLoad, later + 20*time.Second, true, "", "next"}, nil, false},
		"idle: play the room's movie": {idle, command(playback.Play), playback.Room{Default: movie}, later,
			want{playback.Playing, playback.CausePlay, 0, lead, 4, 6, "", 0, false, "", "movie"}, nil, false},
		"idle: play nothing": {from: idle, event: command(playback.Play), err: playback.ErrNothingToPlay},
		"idle: pause":        {from: idle, event: command(playback.Pause), err: playback.ErrNothingPlaying},
		"idle: seek":         {from: idle, event: at(command(playback.Seek), 0), err: playback.ErrNothingPlaying},
		"idle: skip":         {from: idle, event: command(playback.Skip), err: playback.ErrNothingPlaying},
		"idle: stop":         {from: idle, event: command(playback.Stop), err: playback.ErrNothingPlaying},
		"waiting: all are ready": {waiting, playback.Reported{}, ready(waiting), later, want{playback.Playing,
			playback.CauseReady, 10_000, lead, 3, 5, "", 0, false, "", ""}, nil, false},
		"waiting: one is not": {from: waiting, event: playback.Reported{}, room: slow(waiting), at: later, same: true},
		"waiting: all are ready, and it was paused": {waitingPaused, playback.Reported{}, ready(waiting), later,
			want{playback.Paused, playback.CauseReady, 10_000, later, 3, 5, "", 0, false, "", ""}, nil, false},
		"waiting: before the deadline": {from: waiting, event: playback.Tick{}, room: slow(waiting), same: true,
			at: 8*time.Second - time.Microsecond},
		"waiting: at the deadline": {waiting, playback.Tick{}, slow(waiting), 8 * time.Second, want{playback.Playing,
			playback.CauseDeadline, 10_000, 8200 * time.Millisecond, 3, 5, "", 0, false, "", ""}, nil, false},
		"waiting: at the deadline, and it was paused": {waitingPaused, playback.Tick{}, slow(waiting), 8 * time.Second,
			want{playback.Paused, playback.CauseDeadline, 10_000, 8 * time.Second, 3, 5, "", 0, false, "", ""}, nil, false},
		"waiting: play again": {waiting, command(playback.Play), slow(waiting), later, want{playback.Playing,
			playback.CausePlay, 10_000, lead, 3, 5, "", 0, false, "", ""}, nil, false},
		"waiting: play after a pause": {waitingPaused, command(playback.Play), slow(waiting), later, want{playback.Waiting,
			playback.CausePlay, 10_000, 0, 3, 5, playback.WaitSeek, 8 * time.Second, true, "", ""}, nil, false},
		"waiting: pause": {waiting, command(playback.Pause), slow(waiting), later, want{playback.Waiting,
			playback.CausePause, 10_000, 0, 3, 5, playback.WaitSeek, 8 * time.Second, false, "", ""}, nil, false},
		"waiting: pause again": {from: waitingPaused, event: command(playback.Pause), room: slow(waiting), at: later,
			same: true},
		"waiting: seek": {waiting, at(command(playback.Seek), 70_000), slow(waiting), later, want{playback.Waiting,
			playback.CauseSeek, 70_000, later, 3, 6, playback.WaitSeek, later + 8*time.Second, true, "", ""}, nil, false},
		"waiting for a load: seek keeps the long deadline": {loading, at(command(playback.Seek), 70_000), slow(waiting),
			later, want{playback.Waiting, playback.CauseSeek, 70_000, later, 3, 6, playback.WaitLoad, 20 * time.Second, true,
				"", ""}, nil, false},
		"waiting: stall": {from: waiting, event: playback.Stalled{ConnID: "slow"}, room: slow(waiting), same: true},
		"playing: pause": {playing, command(playback.Pause), ready(playing), later, want{playback.Paused,
			playback.CausePause, 15_000, later, 3, 5, "", 0, false, "", ""}, nil, false},
		"playing: pause where the presser was": {playing, at(command(playback.Pause), 14_000), ready(playing), later,
			want{playback.Paused, playback.CausePause, 14_000, later, 3, 5, "", 0, false, "", ""}, nil, false},
		"playing: pause elsewhere": {playing, at(command(playback.Pause), 13_999), ready(playing), later,
			want{playback.Paused, playback.CausePause, 15_000, later, 3, 5, "", 0, false, "", ""}, nil, false},
		"playing: play": {from: playing, event: command(playback.Play), room: ready(playing), at: later, same: true},
		"playing: stall": {playing, playback.Stalled{ConnID: "slow"}, slow(playing), later, want{playback.Waiting,
			playback.CauseRebuffer, 15_000, later, 3, 5, playback.WaitRebuffer, later + 8*time.Second, true, "", ""}, nil,
			false},
		"playing: stall of nobody known": {from: playing, event: playback.Stalled{ConnID: "gone"}, room: slow(playing),
			same: true},
		"playing: seek": {playing, at(command(playback.Seek), 300_000), slow(playing), later, want{playback.Waiting,
			playback.CauseSeek, 300_000, later, 3, 6, playback.WaitSeek, later + 8*time.Second, true, "", ""}, nil, false},
		"playing: seek with nobody to wait for has no lead": {playing, at(command(playback.Seek), 300_000),
			playback.Room{}, later, want{playback.Playing, playback.CauseSeek, 300_000, later, 3, 6, "", 0, false, "", ""},
			nil, false},
		"playing: seek past the end": {playing, at(command(playback.Seek), 900_000), playback.Room{}, later,
			want{playback.Playing, playback.CauseSeek, 600_000, later, 3, 6, "", 0, false, "", ""}, nil, false},
		"playing: rate": {playing, rate, ready(playing), later, want{playback.Playing, playback.CauseRate, 15_000, later,
			3, 5, "", 0, false, "", ""}, nil, false},
		"playing: load": {playing, load, slow(playing), later, want{playback.Waiting, playback.CauseLoad, 0, later, 4, 6,
			playback.WaitLoad, later + 20*time.Second, true, "movie", "next"}, nil, false},
		"playing: within the grace": {from: playing, event: playback.Tick{}, room: queue(playing), same: true,
			at: 592*time.Second - time.Microsecond},
		"playing: after the end": {playing, playback.Tick{}, queue(playing), 592 * time.Second, want{playback.Waiting,
			playback.CauseEnded, 0, 592 * time.Second, 4, 6, playback.WaitLoad, 612 * time.Second, true, "movie", "next"}, nil,
			false},
		"playing: after the end of the last": {playing, playback.Tick{}, ready(playing), 592 * time.Second,
			want{playback.Idle, playback.CauseEnded, 0, 592 * time.Second, 4, 6, "", 0, false, "movie", ""}, nil, false},
		"playing: half have ended": {playing, playback.Reported{}, ended(ready(playing), 5, 0), 560 * time.Second,
			want{playback.Idle, playback.CauseEnded, 0, 560 * time.Second, 4, 6, "", 0, false, "movie", ""}, nil, false},
		"playing: half have ended too early": {from: playing, event: playback.Reported{}, same: true,
			room: ended(ready(playing), 5, 0, 1), at: 560*time.Second - time.Microsecond},
		"playing: half have ended before a seek": {from: playing, event: playback.Reported{}, same: true,
			room: ended(ready(playing), 4, 0, 1), at: 580 * time.Second},
		"playing: a third has ended": {from: playing, event: playback.Reported{}, at: 580 * time.Second, same: true,
			room: ended(playback.Room{Members: []playback.Member{member("a", playing), member("b", playing),
				member("c", playing)}}, 5, 0)},
		"playing what may be shorter: half have ended": {estimated, playback.Reported{}, ended(ready(playing), 5, 0),
			470 * time.Second, want{playback.Idle, playback.CauseEnded, 0, 470 * time.Second, 4, 6, "", 0, false, "movie", ""},
			nil, false},
		"playing what may be shorter: half have ended too early": {from: estimated, event: playback.Reported{}, same: true,
			room: ended(ready(playing), 5, 0), at: 469 * time.Second},
		"playing: skip": {playing, command(playback.Skip), queue(playing), later, want{playback.Waiting,
			playback.CauseSkip, 0, later, 4, 6, playback.WaitLoad, later + 20*time.Second, true, "movie", "next"}, nil, false},
		"playing: voted": {playing, playback.Voted{Epoch: 3}, ready(playing), later, want{playback.Idle,
			playback.CauseVoted, 0, later, 4, 6, "", 0, false, "movie", ""}, nil, false},
		"playing: voted for the former item": {from: playing, event: playback.Voted{Epoch: 2}, room: queue(playing),
			same: true},
		"playing: removed": {playing, playback.Removed{ItemID: "movie"}, queue(playing), later, want{playback.Waiting,
			playback.CauseRemoved, 0, later, 4, 6, playback.WaitLoad, later + 20*time.Second, true, "movie", "next"}, nil,
			false},
		"playing: another item removed": {from: playing, event: playback.Removed{ItemID: "next"}, same: true},
		"playing: stop": {playing, command(playback.Stop), queue(playing), later, want{playback.Idle, playback.CauseStop, 0,
			later, 4, 6, "", 0, false, "movie", ""}, nil, false},
		"playing: deserted": {playing, playback.Deserted{Since: start.Add(later)}, playback.Room{}, later + time.Minute,
			want{playback.Paused, playback.CauseDeserted, 15_000, later + time.Minute, 3, 5, "", 0, false, "", ""}, nil,
			false},
		"playing: archived": {playing, playback.Archived{}, queue(playing), later, want{playback.Idle,
			playback.CauseArchived, 0, later, 4, 6, "", 0, false, "movie", ""}, nil, false},
		"playing: the clock is set": {playing, playback.ClockSet{Step: time.Hour, Revision: 9}, ready(playing),
			time.Hour, want{playback.Playing, playback.CauseClock, 10_000, time.Hour, 3, 5, "", 0, false, "", ""}, nil, false},
		"playing: the clock was set by another": {from: playing, same: true,
			event: playback.ClockSet{Step: time.Hour, Revision: 8}},
		"playing: schedule": {from: playing, event: playback.Scheduled{Item: next, StartsAt: start}, err: playback.ErrBusy},
		"paused: play": {paused, command(playback.Play), ready(paused), later, want{playback.Playing, playback.CausePlay,
			10_000, lead, 3, 5, "", 0, false, "", ""}, nil, false},
		"paused: play, and one is not ready": {paused, command(playback.Play), slow(paused), later, want{playback.Waiting,
			playback.CausePlay, 10_000, 0, 3, 5, playback.WaitSeek, later + 8*time.Second, true, "", ""}, nil, false},
		"paused: pause": {from: paused, event: command(playback.Pause), room: ready(paused), same: true},
		"paused: seek": {paused, at(command(playback.Seek), 70_000), slow(paused), later, want{playback.Paused,
			playback.CauseSeek, 70_000, later, 3, 6, "", 0, false, "", ""}, nil, false},
		"paused: deserted": {from: paused, event: playback.Deserted{Since: start}, same: true},
		"paused: tick":     {from: paused, event: playback.Tick{}, at: 100 * time.Hour, same: true},
		"idle: schedule": {idle, playback.Scheduled{Item: next, StartsAt: start.Add(time.Minute)}, slow(idle), later,
			want{playback.Paused, playback.CauseScheduled, 0, later, 4, 6, "", 0, false, "", "next"}, nil, false},
		"scheduled: before the start": {from: scheduled, event: playback.Tick{}, at: 59 * time.Second, same: true},
		"scheduled: at the start": {scheduled, playback.Tick{}, ready(scheduled), 61 * time.Second, want{playback.Playing,
			playback.CauseStarted, 10_000, time.Minute, 3, 5, "", 0, false, "", ""}, nil, false},
		"scheduled: at the start with nobody there": {scheduled, playback.Tick{}, playback.Room{}, 119 * time.Second,
			want{playback.Playing, playback.CauseStarted, 10_000, time.Minute, 3, 5, "", 0, false, "", ""}, nil, false},
		"scheduled: one is not ready": {scheduled, playback.Tick{}, slow(scheduled), 61 * time.Second, want{playback.Waiting,
			playback.CauseStarted, 10_000, 61 * time.Second, 3, 5, playback.WaitLoad, 80 * time.Second, true, "", ""}, nil,
			false},
		"scheduled: one is not ready, and it is late": {scheduled, playback.Tick{}, slow(scheduled), 81 * time.Second,
			want{playback.Playing, playback.CauseStarted, 10_000, time.Minute, 3, 5, "", 0, false, "", ""}, nil, false},
		"scheduled: long after the start": {scheduled, playback.Tick{}, ready(scheduled), 121 * time.Second,
			want{playback.Playing, playback.CauseStarted, 10_000, 121*time.Second + 200*time.Millisecond, 3, 5, "", 0, false,
				"", ""}, nil, false},
		"scheduled: play before the start": {scheduled, command(playback.Play), ready(scheduled), later,
			want{playback.Playing, playback.CausePlay, 10_000, lead, 3, 5, "", 0, false, "", ""}, nil, false},
		"scheduled: no longer": {scheduled, playback.Unscheduled{}, ready(scheduled), later, want{playback.Paused,
			playback.CauseUnscheduled, 10_000, 0, 3, 5, "", 0, false, "", ""}, nil, false},
		"paused: no longer scheduled": {from: paused, event: playback.Unscheduled{}, same: true},
		"playing: another one begins": {playing, playback.Begun{Item: next, StartsAt: start}, playback.Room{}, later,
			want{playback.Playing, playback.CauseStarted, 0, 0, 4, 6, "", 0, false, "movie", "next"}, nil, false},
		"playing: another one begins, and one is not ready": {playing, playback.Begun{Item: next, StartsAt: start},
			slow(playing), later, want{playback.Waiting, playback.CauseStarted, 0, later, 4, 6, playback.WaitLoad,
				20 * time.Second, true, "movie", "next"}, nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			s, effects, err := playback.Apply(test.from, test.event, test.room, start.Add(test.at))
			if test.err != nil {
				require.ErrorIs(t, err, test.err)
				require.Equal(t, test.from, s)
				return
			}
			require.NoError(t, err)
			_, command := test.event.(playback.Command)
			require.Equal(t, !test.same || command, effects.Changed)
			require.Equal(t, test.same && command, effects.Unmoved)
			if test.same {
				s.Recent = nil
				if command {
					test.from.Revision, test.from.UpdatedAt = 10, start.Add(test.at)
				}
				require.Equal(t, test.from, s)
				return
			}
			got := want{s.Status, s.Cause, s.PositionMS, s.At.Sub(start), s.Epoch, s.Cue, s.WaitFor, 0, s.Resume,
				effects.Finished, effects.Started}
			if !s.WaitUntil.IsZero() {
				got.until = s.WaitUntil.Sub(start)
			}
			if test.want.at == 0 { // where it was anchored before
				got.at = 0
			}
			require.Equal(t, test.want, got)
			require.Equal(t, int64(10), s.Revision)
		})
	}
}

func TestEveryCommandOfAnOldEpochIsStale(t *testing.T) {
	s := stateOf(playback.Playing)
	for _, kind := range playback.Kinds() {
		c := playback.Command{Kind: kind, ID: "1", Epoch: 2}
		switch kind {
		case playback.Seek:
			c.PositionMS = ms(0)
		case playback.Rate:
			c.Rate = 1.5
		case playback.Load:
			c.Item, c.Source.ItemID = next, next.ID
		case playback.Play, playback.Pause, playback.Skip, playback.Stop:
		}
		_, _, err := playback.Apply(s, c, playback.Room{Next: next}, start)
		require.ErrorIs(t, err, playback.ErrStale, kind)
		c.Epoch, c.IfRevision = 3, ms(8)
		_, _, err = playback.Apply(s, c, playback.Room{Next: next}, start)
		require.ErrorIs(t, err, playback.ErrStale, kind)
		var coded *watchparty.Error
		require.ErrorAs(t, err, &coded)
		require.Equal(t, map[string]int{"revision": 9, "epoch": 3}, coded.Details)
		c.IfRevision = ms(9)
		_, _, err = playback.Apply(s, c, playback.Room{Next: next}, start)
		require.NoError(t, err, kind)
	}
}

func TestCommandSentAgain(t *testing.T) {
	s := stateOf(playback.Playing)
	pause := playback.Command{Kind: playback.Pause, ID: "1", By: "ann", Epoch: 3, PositionMS: ms(10_500)}
	s, first, err := playback.Apply(s, pause, playback.Room{}, start.Add(time.Second))
	require.NoError(t, err)
	require.Equal(t, playback.Effects{Changed: true, Revision: 10}, first)
	skip := playback.Command{Kind: playback.Skip, ID: "2", By: "bob", Epoch: 3}
	s, _, err = playback.Apply(s, skip, playback.Room{Next: next}, start.Add(2*time.Second))
	require.NoError(t, err)

	again, effects, err := playback.Apply(s, pause, playback.Room{}, start.Add(3*time.Second))
	require.NoError(t, err, "although its epoch is over")
	require.Equal(t, playback.Effects{Replayed: true, Revision: 10}, effects)
	require.Equal(t, s, again)

	for name, change := range map[string]func(*playback.Command){
		"kind":        func(c *playback.Command) { c.Kind = playback.Stop; c.PositionMS = nil },
		"user":        func(c *playback.Command) { c.By = "bob" },
		"epoch":       func(c *playback.Command) { c.Epoch = 4 },
		"position":    func(c *playback.Command) { c.PositionMS = ms(10_501) },
		"no position": func(c *playback.Command) { c.PositionMS = nil },
		"revision":    func(c *playback.Command) { c.IfRevision = ms(9) },
	} {
		other := pause
		change(&other)
		_, _, err := playback.Apply(s, other, playback.Room{}, start.Add(3*time.Second))
		require.ErrorIs(t, err, playback.ErrCommandReused, name)
	}
}

func TestRecentCommandsAreBounded(t *testing.T) {
	s := stateOf(playback.Playing)
	for i := range playback.MaxRecent + 1 {
		c := playback.Command{Kind: playback.Seek, ID: string(rune('A' + i)), Epoch: 3, PositionMS: ms(int64(i))}
		var err error
		s, _, err = playback.Apply(s, c, playback.Room{}, start)
		require.NoError(t, err)
	}
	require.Len(t, s.Recent, playback.MaxRecent)
	require.Equal(t, "B", s.Recent[0].ID)
	late := playback.Command{Kind: playback.Seek, ID: "A", Epoch: 3, PositionMS: ms(0), Seen: ms(9)}
	_, _, err := playback.Apply(s, late, playback.Room{}, start)
	require.ErrorIs(t, err, playback.ErrStale, "it may have been applied before, and forgotten")
	late.Seen = ms(10)
	_, _, err = playback.Apply(s, late, playback.Room{}, start)
	require.NoError(t, err, "what was seen after that was not")
}

// TestStatesDoNotShare: two futures of one state do not see each other.
func TestStatesDoNotShare(t *testing.T) {
	s := stateOf(playback.Playing)
	s.Recent = make([]playback.Applied, 1, 8)
	one, _, err := playback.Apply(s, playback.Command{Kind: playback.Pause, ID: "1", Epoch: 3}, playback.Room{}, start)
	require.NoError(t, err)
	_, _, err = playback.Apply(s, playback.Command{Kind: playback.Pause, ID: "2", Epoch: 3}, playback.Room{}, start)
	require.NoError(t, err)
	require.Equal(t, "1", one.Recent[1].ID)
}

func TestPosition(t *testing.T) {
	s := stateOf(playback.Playing)
	for name, test := range map[string]struct {
		rate float64
		at   time.Duration
		want int64
	}{
		"before the anchor": {1, -time.Second, 10_000},
		"at the anchor":     {1, 0, 10_000},
		"after it":          {1, 1500 * time.Millisecond, 11_500},
		"half as fast":      {0.5, time.Second, 10_500},
		"four times":        {4, time.Second, 14_000},
		"at the end":        {1, time.Hour, 600_000},
		"for centuries":     {4, 1<<63 - 1, 600_000},
	} {
		s.Rate = test.rate
		require.Equal(t, test.want, s.Position(start.Add(test.at)), name)
	}
	for _, status := range []playback.Status{playback.Idle, playback.Waiting, playback.Paused} {
		s := stateOf(status)
		require.Equal(t, s.PositionMS, s.Position(start.Add(time.Hour)), status)
	}
}

func TestRate(t *testing.T) {
	s := stateOf(playback.Playing)
	twice := playback.Command{Kind: playback.Rate, ID: "1", Epoch: 3, Rate: 1.999}
	s, _, err := playback.Apply(s, twice, playback.Room{}, start.Add(10*time.Second))
	require.NoError(t, err)
	require.InDelta(t, 2, s.Rate, 0, "in hundredths")
	require.Equal(t, int64(20_000), s.Position(start.Add(10*time.Second)), "without a jump")
	require.Equal(t, start.Add(300*time.Second), s.EndsAt)
	s, _, err = playback.Apply(s, playback.Command{Kind: playback.Skip, ID: "2", Epoch: 3}, playback.Room{Next: next},
		start.Add(time.Minute))
	require.NoError(t, err)
	require.InDelta(t, 2, s.Rate, 0, "the next item is played as fast")

	led := stateOf(playback.Playing)
	led.At = start.Add(200 * time.Millisecond)
	led, _, err = playback.Apply(led, twice, playback.Room{}, start)
	require.NoError(t, err)
	require.Equal(t, start.Add(200*time.Millisecond), led.At, "what is about to start starts when it was told to")
}

func TestNextItemStartsAtItsBeginning(t *testing.T) {
	s := stateOf(playback.Playing)
	s, _, err := playback.Apply(s, playback.Tick{}, playback.Room{Next: next}, start.Add(time.Hour))
	require.NoError(t, err)
	require.Equal(t, int64(0), s.PositionMS)
	require.Equal(t, next, s.Item)
}

func TestStalls(t *testing.T) {
	s := stateOf(playback.Playing)
	stalled := behind("slow", s)
	at := start.Add(time.Hour)
	s.Item = playback.Item{ID: "movie"}
	apply := func(change func(*playback.Member), policy watchparty.WaitPolicy) playback.Effects {
		m := stalled
		change(&m)
		room := playback.Room{Members: []playback.Member{m, member("quick", s)}, Policy: policy}
		_, effects, err := playback.Apply(s, playback.Stalled{ConnID: "slow"}, room, at)
		require.NoError(t, err)
		effects.Revision = 0
		return effects
	}
	nothing, stopped := playback.Effects{}, playback.Effects{Changed: true, Stopped: "slow"}
	setAside := playback.Effects{SetAside: "slow"}
	require.Equal(t, stopped, apply(func(*playback.Member) {}, waitAuto))
	require.Equal(t, nothing, apply(func(*playback.Member) {}, waitNobody))
	require.Equal(t, nothing, apply(func(*playback.Member) {}, waitHost))
	require.Equal(t, stopped, apply(func(m *playback.Member) { m.Host = true }, waitHost))
	require.Equal(t, nothing, apply(func(m *playback.Member) { m.Able = false }, waitAuto))
	require.Equal(t, nothing, apply(func(m *playback.Member) { m.Since = at.Add(-9 * time.Second) }, waitAuto))
	require.Equal(t, nothing, apply(func(m *playback.Member) { m.Epoch = 2 }, waitAuto))
	require.Equal(t, setAside, apply(func(m *playback.Member) { m.StoppedAt = at.Add(-59 * time.Second) },
		waitAuto))
	require.Equal(t, stopped, apply(func(m *playback.Member) { m.StoppedAt = at.Add(-time.Minute) }, waitAuto))
	require.Equal(t, setAside, apply(func(m *playback.Member) { m.SetAsideFor = at.Add(time.Second) },
		waitAuto), "not stable for long enough")
}

func TestDurationIsLearnt(t *testing.T) {
	s := stateOf(playback.Playing)
	s.Item = playback.NewItem("movie", 600_000, 0)
	require.Equal(t, int64(660_000), s.Item.DurationMS, "a minute more than the runtime")
	memberWith := func(durationMS int64, controls bool) playback.Member {
		m := member("m", s)
		m.DurationMS, m.Controls = durationMS, controls
		return m
	}
	learn := func(s playback.State, members ...playback.Member) playback.State {
		s, _, err := playback.Apply(s, playback.Reported{}, playback.Room{Members: members}, start)
		require.NoError(t, err)
		return s
	}
	require.Equal(t, s.Item, learn(s, memberWith(590_000, false)).Item, "one viewer")
	require.Equal(t, s.Item, learn(s, memberWith(720_001, true), memberWith(479_999, true)).Item, "of something else")
	old := memberWith(590_000, true)
	old.Epoch--
	require.Equal(t, s.Item, learn(s, old).Item, "of the former item")

	s = learn(s, memberWith(0, true), memberWith(590_000, true), memberWith(600_000, true))
	require.Equal(t, playback.Item{ID: "movie", RuntimeMS: 600_000, DurationMS: 590_000, Exact: true}, s.Item)
	require.Equal(t, start.Add(580*time.Second), s.EndsAt)
	require.Equal(t, playback.CauseDuration, s.Cause)
	require.Equal(t, int64(590_000), learn(s, memberWith(600_000, true)).Item.DurationMS, "one player")
	require.Equal(
		t,
		int64(590_000),
		learn(
			s,
			memberWith(590_000, true),
			memberWith(590_500, true),
			memberWith(600_000, true),
			memberWith(610_000, true),
		).Item.DurationMS,
	)
	require.Equal(t, int64(600_000), learn(s, memberWith(590_000, true), memberWith(600_000, false),
		memberWith(600_900, false)).Item.DurationMS, "half of the players")
	require.Equal(
		t,
		int64(590_000),
		learn(s, memberWith(580_000, false), memberWith(590_000, false), memberWith(600_000, false),
			memberWith(600_900, false), memberWith(620_000, false)).Item.DurationMS,
		"two of five",
	)
	s.Status, s.PositionMS = playback.Paused, 580_000
	require.Equal(
		t,
		int64(480_000),
		learn(s, memberWith(480_000, false), memberWith(480_000, false)).PositionMS,
		"within the item",
	)
}

// TestEstimatesAreBounded: no item has positions beyond MaxPositionMS, which commands cannot name.
func TestEstimatesAreBounded(t *testing.T) {
	require.EqualValues(t, 660_000, playback.NewItem("movie", 600_000, 0).DurationMS)
	require.EqualValues(t, playback.MaxPositionMS, playback.NewItem("movie", playback.MaxPositionMS, 0).DurationMS)
}

// TestRenewed: the catalogue's times of an item may change while it plays.
func TestRenewed(t *testing.T) {
	listed := func(runtimeMS, durationMS int64) playback.Item {
		return playback.NewItem("movie", runtimeMS, durationMS)
	}
	learnt := listed(600_000, 0)
	learnt.DurationMS, learnt.Exact = 590_000, true
	corrected := listed(600_000, 610_000)
	corrected.DurationMS = 590_000
	other := learnt
	other.RuntimeMS = 660_000
	measured, newer := listed(600_000, 580_000), listed(600_000, 620_000)
	for name, test := range map[string]struct {
		before, now playback.Item
		want        playback.Item
		positionMS  int64
		ends        time.Duration
	}{
		"nothing":                     {movie, movie, movie, 10_000, 590 * time.Second},
		"another item":                {movie, next, movie, 10_000, 590 * time.Second},
		"longer":                      {movie, listed(0, 700_000), listed(0, 700_000), 10_000, 690 * time.Second},
		"shorter":                     {movie, listed(0, 20_000), listed(0, 20_000), 10_000, 10 * time.Second},
		"shorter than the position":   {movie, listed(0, 5_000), listed(0, 5_000), 5_000, 0},
		"no longer known":             {movie, listed(0, 0), listed(0, 0), 10_000, -1},
		"measured at last":            {listed(600_000, 0), measured, measured, 10_000, 570 * time.Second},
		"a duration of players stays": {learnt, listed(600_000, 0), learnt, 10_000, 580 * time.Second},
		"and so with another runtime": {learnt, listed(660_000, 0), other, 10_000, 580 * time.Second},
		"and against the catalogue's": {corrected, listed(600_000, 610_000), corrected, 10_000, 580 * time.Second},
		"but not against a newer one": {corrected, newer, newer, 10_000, 610 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			for _, status := range []playback.Status{playback.Playing, playback.Waiting, playback.Paused} {
				s := stateOf(status)
				s.Item = test.before
				if status == playback.Playing {
					s.EndsAt = start.Add(time.Duration(test.before.DurationMS-10_000) * time.Millisecond)
				}
				want := s
				want.Item, want.PositionMS = test.want, test.positionMS
				if status == playback.Playing {
					want.EndsAt = start.Add(test.ends)
					if test.ends < 0 {
						want.EndsAt = time.Time{}
					}
				}
				require.Equal(t, want, s.Renewed(test.now), status)
			}
			idle := stateOf(playback.Idle)
			require.Equal(t, idle, idle.Renewed(test.now))
		})
	}
}

func TestLead(t *testing.T) {
	members := func(trips ...time.Duration) (members []playback.Member) {
		for _, trip := range trips {
			members = append(members, playback.Member{RTT: trip * time.Millisecond})
		}
		return members
	}
	for want, trips := range map[time.Duration][]time.Duration{
		200 * time.Millisecond: {10, 50},
		250 * time.Millisecond: {10, 150},
		300 * time.Millisecond: {10, 10, 10, 10, 10, 10, 10, 10, 200, 60_000}, // one bad connection of ten
		800 * time.Millisecond: {60_000},
	} {
		require.Equal(t, want, playback.Lead(members(trips...)))
	}
	require.Equal(t, 200*time.Millisecond, playback.Lead(nil))
}

func TestSkipPasses(t *testing.T) {
	for _, test := range []struct {
		votes, eligible int
		want            bool
	}{{0, 0, false}, {1, 0, false}, {0, 1, false}, {1, 1, true}, {1, 2, true}, {1, 3, false}, {2, 3, true}, {2, 5, false},
		{3, 5, true}} {
		require.Equal(t, test.want, playback.SkipPasses(test.votes, test.eligible), "%d of %d", test.votes, test.eligible)
	}
}

func TestWhoIsWaitedFor(t *testing.T) {
	setAside := func(until time.Duration) func(*playback.Member) {
		return func(m *playback.Member) { m.SetAsideFor = start.Add(until) }
	}
	joined := func(at time.Duration) func(*playback.Member) {
		return func(m *playback.Member) { m.Since = start.Add(at) }
	}
	seek := stateOf(playback.Waiting)
	load := stateOf(playback.Waiting)
	load.WaitFor, load.WaitUntil = playback.WaitLoad, start.Add(20*time.Second)
	for name, test := range map[string]struct {
		state  playback.State
		change func(*playback.Member)
		policy watchparty.WaitPolicy
		others int
		want   bool
	}{
		"not ready":                     {seek, func(*playback.Member) {}, waitAuto, 0, true},
		"ready":                         {seek, func(m *playback.Member) { m.ReadyCue = 5 }, waitAuto, 0, false},
		"ready for the seek before":     {seek, func(m *playback.Member) { m.ReadyCue = 4 }, waitAuto, 0, true},
		"hidden, blocked or opted out":  {seek, func(m *playback.Member) { m.Able = false }, waitAuto, 0, false},
		"set aside":                     {seek, setAside(6 * time.Second), waitAuto, 0, false},
		"set aside until a moment ago":  {seek, setAside(5 * time.Second), waitAuto, 0, true},
		"joined just before":            {seek, joined(-4 * time.Second), waitAuto, 0, false},
		"never reported for this item":  {seek, func(m *playback.Member) { m.Epoch = 2 }, waitAuto, 0, false},
		"never reported for a new item": {load, func(m *playback.Member) { m.Epoch = 2 }, waitAuto, 0, true},
		"joined just before a load":     {load, joined(0), waitAuto, 0, true},
		"joined during a load":          {load, joined(time.Microsecond), waitAuto, 0, false},
		"for nobody":                    {seek, func(*playback.Member) {}, waitNobody, 0, false},
		"for the host":                  {seek, func(*playback.Member) {}, waitHost, 0, false},
		"for the host, who is it":       {seek, func(m *playback.Member) { m.Host = true }, waitHost, 0, true},
		"one of eight":                  {seek, func(*playback.Member) {}, waitAuto, 7, true},
		"one of nine":                   {seek, func(*playback.Member) {}, waitAuto, 8, false},
		"one of nine, for everyone":     {seek, func(*playback.Member) {}, waitEveryone, 8, true},
	} {
		t.Run(name, func(t *testing.T) {
			m := behind("one", test.state)
			test.change(&m)
			members := []playback.Member{m}
			for i := range test.others {
				members = append(members, member(string(rune('a'+i)), test.state))
			}
			missing := test.state.Missing(members, test.policy, start.Add(5*time.Second))
			require.Equal(t, test.want, len(missing) == 1)
		})
	}
}

func TestCommandsAreValidated(t *testing.T) {
	nan := 0.0
	nan /= nan
	for name, c := range map[string]playback.Command{
		"kind":        {Kind: "toggle"},
		"id":          {Kind: playback.Play},
		"epoch":       {Kind: playback.Play, ID: "1", Epoch: -1},
		"if_revision": {Kind: playback.Play, ID: "1", IfRevision: ms(-1)},
		"position_ms": {Kind: playback.Seek, ID: "1"},
	} {
		var coded *watchparty.Error
		require.ErrorAs(t, c.Validate(), &coded)
		require.Equal(t, name, coded.Fields[0].Field)
	}
	for _, c := range []playback.Command{
		{Kind: playback.Seek, PositionMS: ms(-1)}, {Kind: playback.Seek, PositionMS: ms(playback.MaxPositionMS + 1)},
		{Kind: playback.Play, PositionMS: ms(1)}, {Kind: playback.Rate}, {Kind: playback.Rate, Rate: nan},
		{Kind: playback.Rate, Rate: 4.01}, {Kind: playback.Rate, Rate: 0.24}, {Kind: playback.Play, Rate: 1},
		{Kind: playback.Load}, {Kind: playback.Load, Source: watchparty.Source{ItemID: "1", MovieID: "1"}},
		{Kind: playback.Skip, Source: watchparty.Source{ItemID: "1"}},
		{Kind: playback.Play, Source: watchparty.Source{ItemID: "1"}},
		{Kind: playback.Stop, Source: watchparty.Source{Title: "Movie"}},
	} {
		c.ID = "1"
		require.True(t, watchparty.IsKind(c.Validate(), watchparty.KindInvalid), "%+v", c)
	}
	require.NoError(t, playback.Command{
		Kind: playback.Load, ID: "1", Source: watchparty.Source{ItemID: "1"}, PositionMS: ms(1),
	}.Validate())
}

func TestDue(t *testing.T) {
	require.Zero(t, stateOf(playback.Paused).Due())
	require.Equal(t, start.Add(8*time.Second), stateOf(playback.Waiting).Due())
	require.Equal(t, start.Add(592*time.Second), stateOf(playback.Playing).Due())
	scheduled := stateOf(playback.Paused)
	scheduled.StartsAt = start.Add(time.Second)
	require.Equal(t, start.Add(time.Second), scheduled.Due())
}
