package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/auth"
	"github.com/watchparty/watchparty/playback"
)

// PlaybackKind is the kind of work of playback commands. Its share of the connections is limited, so that a flood of
// commands leaves connections to all other work; see WithKind.
const PlaybackKind = "playback"

// PlaybackAnswer is the result of an event on a room's playback.
type PlaybackAnswer struct {
	playback.Snapshot
	Effects playback.Effects
}

// ApplyPlaybackCommand applies a command to a room's playback, in one transaction. It fills in the command's Item and
// By. It returns ErrNotFound, ErrUnauthenticated for an account
// that is deleted or suspended and for a sign-in that has ended, ErrBanned, ErrRoomArchived, ErrRoomClosed,
// ErrNotParticipant, ErrForbidden without the permission, ErrMuted, ErrUnknownMovie, ErrUnknownItem, ErrNoStream, and
// the errors of playback.Apply. With an error of playback.Apply, the answer has the current state.
func (s *Store) ApplyPlaybackCommand(
	ctx context.Context, roomID string, by auth.Identity, c playback.Command,
) (answer PlaybackAnswer, err error) {
	ctx = WithKind(ctx, PlaybackKind)
	c.By = by.UserID
	var refused error
	err = s.inTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		answer, refused = PlaybackAnswer{}, nil
		own, room, err := enterPlayback(ctx, tx, roomID, by, watchparty.MayControl)
		if err != nil {
			return err
		}
		if c.Source.StreamURL != "" && !own.May(watchparty.MayEditQueue) {
			return watchparty.ErrForbidden
		}
		chosen, err := findSource(ctx, tx, roomID, by.UserID, c.Source)
		if err != nil {
			return err
		}
		c.Item = chosen.item()
		t := transition{room: room, event: c, chosen: chosen}
		answer, err = t.run(ctx, tx)
		var coded *watchparty.Error
		if errors.As(err, &coded) && t.refused { // nothing has changed; the answer has the current state
			refused = err
			return nil
		}
		if err != nil || !answer.Effects.Changed || answer.Effects.Unmoved {
			return err
		}
		return logCommand(ctx, tx, roomID, c, answer.State, t.source)
	})
	if err == nil {
		err = refused
	}
	return answer, wrapErr(err, "apply playback command")
}

// enterPlayback checks that a person has a permission in a room now. It locks the room and the account, so that this
// remains true until the transaction ends. The locks of several people do not exclude each other.
func enterPlayback(
	ctx context.Context, tx bun.Tx, roomID string, by auth.Identity, may watchparty.Permission,
) (watchparty.OwnStanding, roomRow, error) {
	var room roomRow
	err := tx.NewSelect().Model(&room).Where("r.id = ? AND "+roomThere, roomID).For("SHARE").Scan(ctx)
	if err != nil {
		return watchparty.OwnStanding{}, room, err
	}
	if err := requireActive(ctx, tx, by.UserID); err != nil {
		return watchparty.OwnStanding{}, room, err
	}
	var standing struct {
		Role     string     `bun:"role"`
		Banned   bool       `bun:"banned"`
		Joined   bool       `bun:"joined"`
		SignedIn bool       `bun:"signed_in"`
		Until    *time.Time `bun:"until"`
	}
	err = tx.NewRaw(`
		SELECT coalesce(`+roleInRoom("r.host_id", "r.id", "?1")+`, '') AS role, `+isBanned("r.id", "?1")+` AS banned,
			EXISTS (SELECT FROM participants WHERE room_id = r.id AND user_id = ?1) AS joined,
			EXISTS (SELECT FROM sessions WHERE family_id = ?2 AND user_id = ?1 AND `+live+`) AS signed_in,
			(SELECT until FROM mutes WHERE room_id = r.id AND user_id = ?1 AND until > now()) AS until
		FROM rooms AS r WHERE r.id = ?0`, roomID, by.UserID, nullID(by.SessionID)).Scan(ctx, &standing)
	if err != nil {
		return watchparty.OwnStanding{}, room, err
	}
	own := watchparty.OwnStanding{
		Role: watchparty.Role(standing.Role), Joined: standing.Joined, MutedUntil: valueOrZero(standing.Until).UTC(),
		Access: room.access(),
	}
	if own.Role == "" {
		own.Role = watchparty.Viewer
	}
	switch {
	case !standing.SignedIn:
		err = watchparty.ErrUnauthenticated
	case standing.Banned:
		err = watchparty.ErrBanned
	case standing.Role == "" && room.Visibility == string(watchparty.Private):
		err = watchparty.ErrNotFound
	case room.ArchivedAt != nil:
		err = room.closedErr()
	case !standing.Joined:
		err = watchparty.ErrNotParticipant
	case !own.Role.MayIn(own.Access, may):
		err = watchparty.ErrForbidden
	case !own.May(may):
		err = watchparty.ErrMuted
	}
	return own, room, err
}

// transition applies one event to a room's row in playbacks.
type transition struct {
	room    roomRow
	event   playback.Event
	chosen  itemRow // what a command plays, if it is not yet an item of the queue
	source  itemRow // what plays afterwards
	refused bool    // whether playback.Apply returned an error
	// only is the revision to which the event applies; nil for any. With it, a row that is locked or has another revision
	// is skipped.
	only *int64

	// These are read under the lock.
	row     playbackRow // the playback, with the current duration of its movie
	renewed bool        // the row differs from what is stored, since the movie has changed
	expired bool        // durations that players have reported are void
	before  playback.State
	now     time.Time // by Postgres' clock
	next    itemRow   // the first item of the queue, if the event needs it
	members []memberRow
	item    watchparty.QueueItem // the item that plays before the event
}

// errElsewhere says that another process has applied the event, or is applying it.
var errElsewhere = errors.New("store: another process applies the event")

// run locks the row of the playback, and applies the event.
func (t *transition) run(ctx context.Context, tx bun.Tx) (PlaybackAnswer, error) {
	if err := t.lock(ctx, tx); err != nil {
		return PlaybackAnswer{}, err
	}
	return t.apply(ctx, tx)
}

// apply reads what the event needs, and applies the event to the row, which is locked.
func (t *transition) apply(ctx context.Context, tx bun.Tx) (PlaybackAnswer, error) {
	if err := t.read(ctx, tx); err != nil {
		return PlaybackAnswer{}, err
	}
	t.before = t.row.state()
	after, effects, err := playback.Apply(t.before, t.event, t.playbackRoom(), t.now)
	if err != nil {
		t.refused = true
		answer, readErr := t.answer(ctx, tx, effects)
		return answer, errors.Join(err, readErr)
	}
	if effects.Started != "" && effects.Started == t.chosen.ID && t.chosen.isNew {
		if err := t.chosen.insert(ctx, tx); err != nil {
			return PlaybackAnswer{}, err
		}
	}
	if err := t.save(ctx, tx, after, effects); err != nil {
		return PlaybackAnswer{}, err
	}
	if effects.Changed {
		changesPlayback(ctx, t.room)
	}
	answer, err := t.answer(ctx, tx, effects)
	// An item that is loaded for a party begins when the party starts.
	if err == nil && (effects.Started != "" && after.StartsAt.IsZero() || t.startsParty(after)) {
		t.tellStart(ctx, answer.Source.MovieID)
	}
	return answer, err
}

// renew brings the row in line with the movie that it plays, which may have changed since the row was stored. The
// durations that players have told count no longer then: they may be those of another stream.
func (t *transition) renew(ctx context.Context, tx bun.Tx) error {
	items, err := readItems(ctx, tx, idsOf(t.row.ItemID))
	if err != nil {
		return err
	}
	t.item = items[valueOrZero(t.row.ItemID)]
	stored := t.row.state()
	now := stored.Renewed(itemOf(t.item))
	if now.Item != stored.Item {
		t.renewed, t.expired = true, true
		t.row.become(now)
	}
	return nil
}

// forgetDurations removes what players have told before the row was renewed.
func (t *transition) forgetDurations(ctx context.Context, tx bun.Tx) error {
	if !t.expired {
		return nil
	}
	t.expired = false
	_, err := tx.NewRaw(`
		UPDATE live_members AS c SET duration_ms = 0, updated_at = now() FROM (
			SELECT conn_id FROM live_members WHERE room_id = ? ORDER BY conn_id FOR NO KEY UPDATE) AS there
		WHERE c.conn_id = there.conn_id`, t.room.ID).Exec(ctx)
	if err != nil {
		return fmt.Errorf("store: forget durations: %w", err)
	}
	return nil
}

// tellStart tells webhooks that the room begins an item. For a private room, the message does not name the movie.
func (t *transition) tellStart(ctx context.Context, movieID string) {
	if t.room.Visibility == string(watchparty.Private) {
		movieID = ""
	}
	tell(ctx, watchparty.WebhookEvent{
		Kind: watchparty.WebhookMovieStarted, RoomID: t.room.ID, Data: watchparty.MovieStartedData{
			RoomID: t.room.ID, Visibility: watchparty.Visibility(t.room.Visibility), MovieID: nullID(movieID),
		},
	})
}

// lock locks the row, and brings it in line with the movie that it plays.
func (t *transition) lock(ctx context.Context, tx bun.Tx) error {
	if err := t.lockRow(ctx, tx); err != nil {
		return err
	}
	return t.renew(ctx, tx)
}

// lockRow locks the row, and inserts it if the room has none.
func (t *transition) lockRow(ctx context.Context, tx bun.Tx) error {
	find := func() error {
		q := tx.NewSelect().Model(&t.row).Where("room_id = ?", t.room.ID)
		if t.only != nil {
			return q.Where("revision = ?", *t.only).For("UPDATE SKIP LOCKED").Scan(ctx)
		}
		return q.For("UPDATE").Scan(ctx)
	}
	err := find()
	if !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	if t.only != nil {
		return errElsewhere
	}
	_, err = tx.NewRaw("INSERT INTO playbacks (room_id) VALUES (?) ON CONFLICT ON CONSTRAINT playbacks_pkey DO NOTHING",
		t.room.ID).Exec(ctx)
	if err != nil {
		return err
	}
	return find()
}

// read reads what package playback needs to know, and the time. It runs under the lock, so that none of this changes
// any more.
func (t *transition) read(ctx context.Context, tx bun.Tx) error {
	members, err := readMembers(ctx, tx, t.room.ID)
	if err != nil {
		return err
	}
	t.members = members[t.room.ID]
	if t.needsNext() {
		if err := t.findNext(ctx, tx); err != nil {
			return err
		}
	}
	t.now, err = clockTime(ctx, tx)
	return err
}

// needsNext reports whether the event may end the item.
func (t *transition) needsNext() bool {
	switch e := t.event.(type) {
	case playback.Command:
		return e.Kind == playback.Skip || e.Kind == playback.Play && t.row.State == string(playback.Idle)
	case playback.Tick, playback.Reported, playback.Removed, playback.Voted:
		return t.row.State != string(playback.Idle)
	default:
		return false
	}
}

// findNext finds the first item of the queue. If the queue is empty, Play plays the room's movie.
func (t *transition) findNext(ctx context.Context, tx bun.Tx) error {
	next, err := firstItem(ctx, tx, t.room)
	if err != nil {
		return err
	}
	t.next = next
	command, ok := t.event.(playback.Command)
	if !ok || command.Kind != playback.Play || next.ID != "" || t.room.MovieID == nil {
		return nil
	}
	t.chosen, err = newItem(ctx, tx, t.room.ID, command.By, watchparty.Source{MovieID: *t.room.MovieID})
	if errors.Is(err, watchparty.ErrNoStream) || errors.Is(err, watchparty.ErrUnknownMovie) {
		t.chosen, err = itemRow{}, nil
	}
	return err
}

// playbackRoom returns what read has read, as package playback takes it.
func (t *transition) playbackRoom() playback.Room {
	members := make([]playback.Member, 0, len(t.members))
	for _, row := range t.members {
		m := row.member()
		m.Controls = watchparty.Role(row.Role).MayIn(t.room.access(), watchparty.MayControl)
		members = append(members, m)
	}
	return playback.Room{
		Members: members, Policy: watchparty.WaitPolicy(t.room.WaitPolicy), Next: t.next.item(), Default: t.chosen.item(),
	}
}

// save stores the state and its effects.
func (t *transition) save(ctx context.Context, tx bun.Tx, after playback.State, effects playback.Effects) error {
	_, command := t.event.(playback.Command)
	if effects.Changed || t.renewed {
		t.row.become(after)
		if effects.Started != "" {
			t.row.QueueVersion++
		}
		q := tx.NewUpdate().Model(&t.row).WherePK().ExcludeColumn("room_id", "attended_at")
		if command ||
			t.startsParty(after) { // a person who sends commands is present; to a party people come, some of them late
			q = tx.NewUpdate().Model(&t.row).WherePK().ExcludeColumn("room_id").Value("attended_at", "now()")
		}
		if _, err := q.Exec(ctx); err != nil {
			return fmt.Errorf("store: save playback: %w", err)
		}
		t.renewed = false
	}
	if effects.Started != "" {
		_, err := tx.NewRaw("UPDATE queue_items SET played_at = ?, updated_at = now() WHERE id = ?", t.now,
			effects.Started).Exec(ctx)
		if err != nil {
			return fmt.Errorf("store: start item: %w", err)
		}
	}
	if t.startsParty(after) {
		if err := startParty(ctx, tx, t.room.ID, t.startsAt()); err != nil {
			return err
		}
	}
	if effects.Finished != "" {
		if _, err := tx.NewRaw("DELETE FROM queue_items WHERE id = ?", effects.Finished).Exec(ctx); err != nil {
			return fmt.Errorf("store: finish item: %w", err)
		}
	}
	return t.saveMembers(ctx, tx, effects)
}

func (t *transition) saveMembers(ctx context.Context, tx bun.Tx, effects playback.Effects) error {
	if err := t.forgetDurations(ctx, tx); err != nil {
		return err
	}
	for _, change := range []struct {
		connID, column string
		at             time.Time
	}{
		{effects.Stopped, "stopped_at", t.now},
		{effects.SetAside, "set_aside_for", t.now.Add(playback.StableFor)},
	} {
		if change.connID == "" {
			continue
		}
		_, err := tx.NewRaw("UPDATE live_members SET ? = ?, updated_at = now() WHERE conn_id = ?",
			bun.Ident(change.column), change.at, change.connID).Exec(ctx)
		if err != nil {
			return fmt.Errorf("store: note a stall: %w", err)
		}
	}
	return nil
}

// answer reads the state as people see it.
func (t *transition) answer(ctx context.Context, tx bun.Tx, effects playback.Effects) (PlaybackAnswer, error) {
	answer := PlaybackAnswer{Effects: effects}
	t.source.ID = valueOrZero(t.row.ItemID)
	source := t.item
	if source.ID != t.source.ID { // it has just begun
		items, err := readItems(ctx, tx, idsOf(t.row.ItemID))
		if err != nil {
			return answer, err
		}
		source = items[t.source.ID]
	}
	t.source.MovieID = nullID(source.MovieID)
	t.row.Actor = watchparty.Person{}
	err := tx.NewRaw(`
		SELECT `+personOf("?0")+` AS actor, (
			SELECT count(*) FROM skip_votes AS v WHERE v.room_id = ?1 AND v.epoch = ?2 AND `+
		presentIn("v.room_id", "v.user_id")+`) AS skip_votes, `+moviesOf("?1")+` AS queue_movies`,
		t.row.By, t.room.ID, t.row.Epoch).Scan(ctx, &t.row)
	if err != nil {
		return answer, err
	}
	t.row.WaitPolicy, t.row.Now = t.room.WaitPolicy, t.now
	missing := t.row.missing(t.members)
	people, err := readPeople(ctx, tx, missing)
	if err != nil {
		return answer, err
	}
	answer.Snapshot = t.row.snapshot(source, missing, people)
	return answer, nil
}

func idsOf(id *string) []string {
	if id == nil {
		return nil
	}
	return []string{*id}
}

// actOf has the act of the room's log for each kind of command.
var actOf = map[playback.Kind]watchparty.RoomAction{
	playback.Play: watchparty.ActPlayed, playback.Pause: watchparty.ActPaused, playback.Seek: watchparty.ActSought,
	playback.Rate: watchparty.ActRateSet, playback.Load: watchparty.ActLoaded, playback.Skip: watchparty.ActSkipped,
	playback.Stop: watchparty.ActStopped,
}

// logCommand adds a line to the room's log. A seek soon after another one of the same person changes its line.
func logCommand(
	ctx context.Context, tx bun.Tx, roomID string, c playback.Command, after playback.State, source itemRow,
) error {
	details := map[string]any{}
	switch c.Kind {
	case playback.Pause, playback.Seek:
		details["position_ms"] = after.PositionMS
	case playback.Rate:
		details["rate"] = after.Rate
	case playback.Load:
		details = source.details()
	case playback.Play, playback.Skip, playback.Stop:
	}
	if c.Kind == playback.Seek {
		result, err := tx.NewRaw(`
			UPDATE room_log SET details = ?3, updated_at = now() WHERE id = (
				SELECT id FROM room_log WHERE room_id = ?0 AND actor_id = ?1 AND action = ?2 AND id > ?5
					AND created_at > now() - make_interval(secs => ?4) ORDER BY id DESC LIMIT 1)`,
			roomID, c.By, string(watchparty.ActSought), details, watchparty.SeekLogInterval.Seconds(),
			firstID(Now().Add(-watchparty.SeekLogInterval-clockSkew))).Exec(ctx)
		if err != nil {
			return fmt.Errorf("store: log seek: %w", err)
		}
		if affected(result) {
			return nil
		}
	}
	return logAct(ctx, tx, roomID, c.By, "", actOf[c.Kind], details)
}

// Tick applies the passage of time to a room's playback: it ends an overdue wait or item, or starts what was scheduled.
// revision is the revision of the state that is due. It reports false if another process was faster.
func (s *Store) Tick(ctx context.Context, roomID string, revision int64) (PlaybackAnswer, bool, error) {
	return s.applyOnce(ctx, roomID, revision, playback.Tick{})
}

// SetClock moves a room's playback along with Postgres' clock, which has jumped by step since the state with the
// revision was made. It reports false if another process was faster.
func (s *Store) SetClock(
	ctx context.Context, roomID string, revision int64, step time.Duration,
) (PlaybackAnswer, bool, error) {
	return s.applyOnce(ctx, roomID, revision, playback.ClockSet{Step: step, Revision: revision})
}

// applyOnce applies an event to the state with a revision, unless the state has changed since, or is about to.
func (s *Store) applyOnce(
	ctx context.Context, roomID string, revision int64, event playback.Event,
) (answer PlaybackAnswer, done bool, err error) {
	err = s.inTx(WithKind(ctx, PlaybackKind), func(ctx context.Context, tx bun.Tx) error {
		room, err := shareLockRoom(ctx, tx, roomID)
		if err != nil {
			return err
		}
		t := transition{room: room, event: event, only: &revision}
		answer, err = t.run(ctx, tx)
		return err
	})
	if errors.Is(err, errElsewhere) {
		return PlaybackAnswer{}, false, nil
	}
	return answer, answer.Effects.Changed, wrapErr(err, "apply playback event")
}

// shareLockRoom keeps a room from being archived until the transaction ends. It is for events that no person causes.
func shareLockRoom(ctx context.Context, tx bun.Tx, roomID string) (roomRow, error) {
	var room roomRow
	err := tx.NewSelect().Model(&room).Where("r.id = ? AND r.archived_at IS NULL", roomID).For("KEY SHARE").Scan(ctx)
	return room, err
}

// duePlaybacks selects the playbacks whose wait, item or scheduled start is due.
const duePlaybacks = `
	SELECT room_id, revision, NULL::timestamptz AS deserted FROM playbacks
	WHERE (ends_at IS NOT NULL OR wait_until IS NOT NULL OR starts_at IS NOT NULL)
		AND least(ends_at, wait_until, starts_at) <= clock_timestamp()
		AND (wait_until <= clock_timestamp() OR starts_at <= clock_timestamp()
			OR ends_at <= clock_timestamp() - make_interval(secs => ?1))
	UNION ALL
	SELECT room_id, revision, attended_at FROM playbacks
	WHERE state IN ('waiting', 'playing') AND attended_at < clock_timestamp() - make_interval(secs => ?0)
		AND NOT EXISTS (SELECT FROM live_members AS m JOIN live_nodes AS n ON n.id = m.node_id
			WHERE m.room_id = playbacks.room_id AND n.lease_until > clock_timestamp())
	LIMIT ?2`

// SweepPlaybacks applies events that no process has applied in time: it ends waits and items that are due, starts what
// was scheduled, and pauses rooms where nobody has been connected for playback.DesertedAfter. It changes at most limit
// rooms, skips rooms that another process has locked, and returns the rooms that it has changed. A room that fails
// keeps no other one from its event.
func (s *Store) SweepPlaybacks(ctx context.Context, limit int) (changed []PlaybackAnswer, failed error) {
	var due []duePlayback
	err := s.db.NewRaw(duePlaybacks, playback.DesertedAfter.Seconds(), playback.EndGrace.Seconds(), limit).Scan(ctx, &due)
	if err != nil {
		return nil, fmt.Errorf("store: sweep playbacks: %w", err)
	}
	return sweep(ctx, due, func(room duePlayback) (PlaybackAnswer, bool, error) {
		var event playback.Event = playback.Tick{}
		if room.Deserted != nil {
			event = playback.Deserted{Since: *room.Deserted}
		}
		return s.applyOnce(ctx, room.RoomID, room.Revision, event)
	})
}

type duePlayback struct {
	RoomID   string     `bun:"room_id"`
	Revision int64      `bun:"revision"`
	Deserted *time.Time `bun:"deserted"`
}

// sweep applies an event to each of what is due, until ctx ends, and returns what has changed. It goes on after one
// that fails, and passes by what no longer exists.
func sweep[T any](
	ctx context.Context, due []T, apply func(T) (answer PlaybackAnswer, done bool, err error),
) (changed []PlaybackAnswer, failed error) {
	for _, one := range due {
		answer, done, err := apply(one)
		if err != nil && !watchparty.IsKind(err, watchparty.KindNotFound) {
			failed = errors.Join(failed, err)
		}
		if done {
			changed = append(changed, answer)
		}
		if ctx.Err() != nil {
			break
		}
	}
	return changed, failed
}
