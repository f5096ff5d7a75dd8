package store

import (
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/playback"
)

func (p *party) add(who, title string) (watchparty.QueueItem, error) {
	p.t.Helper()
	return p.s.AddToQueue(p.t.Context(), p.room.ID, p.by[who],
		watchparty.Source{StreamURL: movieAddress, Title: title}, IdempotencyKey{})
}

func (p *party) mustAdd(who, title string) watchparty.QueueItem {
	p.t.Helper()
	item, err := p.add(who, title)
	require.NoError(p.t, err)
	return item
}

// titles lists the queue.
func (p *party) titles() []string {
	p.t.Helper()
	items, _, err := p.s.Queue(p.t.Context(), p.room.ID, p.guest.ID)
	require.NoError(p.t, err)
	return mapRows(items, func(i watchparty.QueueItem) string { return i.Title })
}

func TestQueue(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	p := newParty(t, s)
	ctx := t.Context()
	a, b, c := p.mustAdd("host", "a"), p.mustAdd("holder", "b"), p.mustAdd("host", "c")
	require.Equal(t, p.host.Username, a.AddedBy.Username)
	require.Equal(t, []string{"a", "b", "c"}, p.titles())
	_, version, err := s.Queue(ctx, p.room.ID, "")
	require.NoError(t, err)
	require.Equal(t, int64(3), version)

	require.NoError(t, s.MoveInQueue(ctx, p.room.ID, p.by["holder"], c.ID, a.ID))
	require.Equal(t, []string{"c", "a", "b"}, p.titles())
	require.NoError(t, s.MoveInQueue(ctx, p.room.ID, p.by["holder"], c.ID, ""))
	require.Equal(t, []string{"a", "b", "c"}, p.titles())
	require.NoError(t, s.MoveInQueue(ctx, p.room.ID, p.by["holder"], b.ID, b.ID))
	require.Equal(t, []string{"a", "b", "c"}, p.titles())
	require.ErrorIs(t, s.MoveInQueue(ctx, p.room.ID, p.by["holder"], newID(), ""), watchparty.ErrNotFound)
	require.ErrorIs(t, s.MoveInQueue(ctx, p.room.ID, p.by["holder"], a.ID, newID()), watchparty.ErrNotFound)
	require.ErrorIs(t, s.MoveInQueue(ctx, p.room.ID, p.by["guest"], a.ID, ""), watchparty.ErrForbidden)

	_, err = p.add("guest", "an address")
	require.ErrorIs(t, err, watchparty.ErrForbidden, "for moderators")
	movie := addMovie(t, s, "Nosferatu")
	execute(t, s, "UPDATE movies SET stream_url = ?, duration_ms = 5000 WHERE id = ?", movieAddress, movie)
	own, err := s.AddToQueue(ctx, p.room.ID, p.by["guest"], watchparty.Source{MovieID: movie}, IdempotencyKey{})
	require.NoError(t, err)
	require.Equal(t, int64(5000), own.DurationMS)
	_, err = s.RemoveFromQueue(ctx, p.room.ID, p.by["guest"], a.ID)
	require.ErrorIs(t, err, watchparty.ErrForbidden, "another's")
	answer, err := s.RemoveFromQueue(ctx, p.room.ID, p.by["guest"], own.ID)
	require.NoError(t, err)
	require.False(t, answer.Effects.Changed)
	_, err = s.RemoveFromQueue(ctx, p.room.ID, p.by["guest"], own.ID)
	require.ErrorIs(t, err, watchparty.ErrNotFound)

	playing := p.mustCommand("host", playback.Play, nil)
	require.Equal(t, a.ID, playing.Item.ID)
	require.Equal(t, []string{"b", "c"}, p.titles())
	answer, err = s.RemoveFromQueue(ctx, p.room.ID, p.by["holder"], a.ID)
	require.NoError(t, err)
	require.Equal(t, playback.CauseRemoved, answer.Cause)
	require.Equal(t, b.ID, answer.Item.ID, "removing what plays skips it")
	require.NoError(t, p.share(watchparty.ModeratorsOnly, watchparty.ModeratorsOnly))
	_, err = s.AddToQueue(ctx, p.room.ID, p.by["guest"], watchparty.Source{MovieID: movie}, IdempotencyKey{})
	require.ErrorIs(t, err, watchparty.ErrForbidden)

	load := newLoad(watchparty.Source{ItemID: c.ID})
	load.Epoch = answer.Epoch
	chosen, err := s.ApplyPlaybackCommand(ctx, p.room.ID, p.by["host"], load)
	require.NoError(t, err)
	require.Equal(t, c.ID, chosen.Item.ID)
	require.Empty(t, p.titles())
}

func TestQueueIsBounded(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	p := newParty(t, s)
	for i := range watchparty.MaxQueuePerUser {
		p.mustAdd("holder", fmt.Sprint(i))
	}
	_, err := p.add("holder", "one more")
	require.ErrorIs(t, err, watchparty.ErrTooManyOwnItems)
	execute(t, s, `INSERT INTO queue_items (id, room_id, stream_url, rank)
		SELECT gen_random_uuid(), ?, 'https://movies.example', 0 FROM generate_series(1, ?)`, p.room.ID,
		watchparty.MaxQueue-watchparty.MaxQueuePerUser-2)
	var (
		wg sync.WaitGroup
		mu sync.Mutex
		ok int
	)
	for range 8 {
		wg.Go(func() {
			_, err := s.AddToQueue(t.Context(), p.room.ID, p.by["host"], watchparty.Source{StreamURL: movieAddress},
				IdempotencyKey{})
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				ok++
			}
		})
	}
	wg.Wait()
	require.Equal(t, 2, ok, "of eight at once, for whom there were two places")
	_, err = p.add("host", "one more")
	require.ErrorIs(t, err, watchparty.ErrQueueFull)
}

func TestAddToQueueSentAgain(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	p := newParty(t, s)
	key := IdempotencyKey{Hash: []byte("add"), Fingerprint: []byte("a")}
	what := watchparty.Source{StreamURL: movieAddress}
	first, err := s.AddToQueue(t.Context(), p.room.ID, p.by["host"], what, key)
	require.NoError(t, err)
	again, err := s.AddToQueue(t.Context(), p.room.ID, p.by["host"], what, key)
	require.NoError(t, err)
	require.Equal(t, first, again)
	key.Fingerprint = []byte("b")
	_, err = s.AddToQueue(t.Context(), p.room.ID, p.by["host"], what, key)
	require.ErrorIs(t, err, watchparty.ErrKeyReused)
	require.Len(t, p.titles(), 1)
}

func TestQueueByVotes(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	p := newParty(t, s)
	ctx := t.Context()
	order := watchparty.OrderVotes
	p.changeRoom(watchparty.RoomChange{QueueOrder: &order})
	p.mustAdd("host", "a")
	b, c := p.mustAdd("host", "b"), p.mustAdd("host", "c")
	require.Equal(t, []string{"a", "b", "c"}, p.titles())
	vote := func(who, itemID string, votes bool) {
		t.Helper()
		require.NoError(t, s.VoteForItem(ctx, p.room.ID, p.by[who], itemID, votes))
	}
	vote("guest", c.ID, true)
	vote("guest", c.ID, true)
	require.Equal(t, []string{"c", "a", "b"}, p.titles())
	vote("host", b.ID, true)
	vote("holder", b.ID, true)
	require.Equal(t, []string{"b", "c", "a"}, p.titles())
	items, _, err := s.Queue(ctx, p.room.ID, p.guest.ID)
	require.NoError(t, err)
	require.Equal(t, []any{2, false, 1, true}, []any{items[0].Votes, items[0].Voted, items[1].Votes, items[1].Voted})
	vote("holder", b.ID, false)
	vote("holder", b.ID, false)
	require.Equal(t, []string{"b", "c", "a"}, p.titles(), "one each, and b was added first")
	require.NoError(t, s.LeaveRoom(ctx, p.room.ID, p.guest.ID))
	require.Equal(t, []string{"b", "a", "c"}, p.titles(), "the vote of somebody who has left does not count")
	require.Equal(t, b.ID, p.mustCommand("host", playback.Play, nil).Item.ID)
	require.ErrorIs(t, s.VoteForItem(ctx, p.room.ID, p.by["host"], b.ID, true), watchparty.ErrNotFound, "it plays")
}

func TestVotesToSkip(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	p := newParty(t, s) // four are present
	ctx := t.Context()
	_, err := s.VoteToSkip(ctx, p.room.ID, p.by["guest"], 0, true)
	require.ErrorIs(t, err, playback.ErrNothingPlaying)
	p.loadItem()
	next := p.addItem()
	_, err = s.VoteToSkip(ctx, p.room.ID, p.by["guest"], 0, true)
	require.ErrorIs(t, err, playback.ErrStale, "for what was there before")
	first, err := s.VoteToSkip(ctx, p.room.ID, p.by["guest"], 1, true)
	require.NoError(t, err)
	require.False(t, first.Effects.Changed)
	require.Equal(t, 1, first.SkipVotes)
	_, err = s.VoteToSkip(ctx, p.room.ID, p.by["guest"], 1, true)
	require.NoError(t, err, "once more, which counts once")
	back, err := s.VoteToSkip(ctx, p.room.ID, p.by["guest"], 1, false)
	require.NoError(t, err)
	require.Zero(t, back.SkipVotes)
	_, err = s.VoteToSkip(ctx, p.room.ID, p.by["deputy"], 1, true)
	require.NoError(t, err)
	require.NoError(t, s.LeaveRoom(ctx, p.room.ID, p.deputy.ID))
	_, err = s.VoteToSkip(ctx, p.room.ID, p.by["guest"], 1, true)
	require.NoError(t, err)
	now, err := s.Playback(ctx, p.room.ID)
	require.NoError(t, err)
	require.Equal(t, []any{int64(1), 1}, []any{now.Epoch, now.SkipVotes}, "one of three: a leaver's vote does not count")
	passed, err := s.VoteToSkip(ctx, p.room.ID, p.by["holder"], 1, true)
	require.NoError(t, err)
	require.Equal(t, playback.CauseVoted, passed.Cause)
	require.Equal(t, next.ID, passed.Item.ID)
	require.Zero(t, passed.SkipVotes, "votes belong to the item")

	another, err := s.VoteToSkip(ctx, p.room.ID, p.by["host"], passed.Epoch, true)
	require.NoError(t, err)
	require.False(t, another.Effects.Changed, "one of three: the votes for the former item do not count")
	execute(t, s, "UPDATE participants SET last_seen_at = now() - interval '1 h' WHERE user_id <> ?", p.host.ID)
	alone, err := s.VoteToSkip(ctx, p.room.ID, p.by["host"], passed.Epoch, true)
	require.NoError(t, err)
	require.Greater(t, alone.Epoch, passed.Epoch, "one of one: the others are absent")
}

func TestQueueOfADeletedAccount(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	p := newParty(t, s)
	p.mustAdd("holder", "played")
	p.mustAdd("holder", "removed")
	p.mustAdd("host", "stays")
	playing := p.mustCommand("host", playback.Play, nil)
	before, err := s.LiveVersions(t.Context(), []string{p.room.ID})
	require.NoError(t, err)
	require.NoError(t, performAct[deletion](p.cast))
	require.Equal(t, []string{"stays"}, p.titles())
	after, err := s.LiveVersions(t.Context(), []string{p.room.ID})
	require.NoError(t, err)
	require.Greater(t, after[0].QueueVersion, before[0].QueueVersion)
	now, err := s.Playback(t.Context(), p.room.ID)
	require.NoError(t, err)
	require.Equal(t, playing.Item.ID, now.Item.ID)
	require.Empty(t, now.Source.AddedBy)
}

// TestItemsWithoutAStream: an item whose movie has lost its stream is not in the queue, and nothing plays it.
func TestItemsWithoutAStream(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	p := newParty(t, s)
	movie := addMovie(t, s, "Nosferatu")
	setStream := func(address string) { execute(t, s, "UPDATE movies SET stream_url = ? WHERE id = ?", address, movie) }
	setStream(movieAddress)
	item, err := s.AddToQueue(t.Context(), p.room.ID, p.by["host"], watchparty.Source{MovieID: movie}, IdempotencyKey{})
	require.NoError(t, err)
	other := p.addItem()
	listed := func() []string {
		items, _, err := s.Queue(t.Context(), p.room.ID, "")
		require.NoError(t, err)
		return mapRows(items, func(i watchparty.QueueItem) string { return i.ID })
	}
	load := func() error {
		now, err := s.Playback(t.Context(), p.room.ID)
		require.NoError(t, err)
		c := newLoad(watchparty.Source{ItemID: item.ID})
		c.Epoch = now.Epoch
		_, err = s.ApplyPlaybackCommand(t.Context(), p.room.ID, p.by["host"], c)
		return err
	}
	require.Equal(t, []string{item.ID, other.ID}, listed())
	setStream("")
	require.Equal(t, []string{other.ID}, listed())
	_, err = s.QueueItem(t.Context(), p.room.ID, item.ID, "")
	require.ErrorIs(t, err, watchparty.ErrNotFound)
	require.ErrorIs(t, s.VoteForItem(t.Context(), p.room.ID, p.by["guest"], item.ID, true), watchparty.ErrNotFound)
	require.ErrorIs(t, load(), watchparty.ErrNoStream)
	require.Equal(t, other.ID, p.mustCommand("host", playback.Play, nil).Item.ID, "the next one is played")
	require.Equal(t, playback.Idle, p.mustCommand("host", playback.Skip, nil).Status, "nothing else can be played")
	setStream(movieAddress)
	require.Equal(t, []string{item.ID}, listed(), "it comes back with its stream")
	require.NoError(t, load())
}
