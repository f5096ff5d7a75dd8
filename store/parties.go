package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/uptrace/bun"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/workflows/job"
)

type partyRow struct {
	bun.BaseModel `bun:"table:parties,alias:y"`

	ID          string               `bun:"id,pk"`
	RoomID      string               `bun:"room_id"`
	Title       string               `bun:"title"`
	MovieID     *string              `bun:"movie_id"`
	StartsAt    time.Time            `bun:"starts_at"`
	TimeZone    string               `bun:"time_zone"`
	State       string               `bun:"state"`
	ScheduledBy *string              `bun:"scheduled_by"`
	Version     int                  `bun:"version"`
	Moves       int                  `bun:"moves"`
	EndedAt     *time.Time           `bun:"ended_at"`
	CreatedAt   time.Time            `bun:"created_at"`
	UpdatedAt   time.Time            `bun:"updated_at"`
	Movie       watchparty.RoomMovie `bun:"movie,type:json,scanonly"`
	Scheduler   watchparty.Person    `bun:"scheduler,type:json,scanonly"`
	Yes         int                  `bun:"yes,scanonly"`
	Maybe       int                  `bun:"maybe,scanonly"`
	No          int                  `bun:"no,scanonly"`
	RoomName    string               `bun:"room_name,scanonly"`
	Answer      *string              `bun:"answer,scanonly"`
	Hidden      bool                 `bun:"hidden,scanonly"` // whether texts of its scheduler are hidden
}

func (r partyRow) party() watchparty.Party {
	if r.Hidden {
		r.Title = ""
	}
	return watchparty.Party{
		ID:        r.ID,
		RoomID:    r.RoomID,
		RoomName:  r.RoomName,
		Title:     r.Title,
		Movie:     r.Movie,
		StartsAt:  r.StartsAt.UTC(),
		TimeZone:  r.TimeZone,
		State:     watchparty.PartyState(r.State),
		Scheduler: r.Scheduler,
		Yes:       r.Yes,
		Maybe:     r.Maybe,
		No:        r.No,
		Answer:    watchparty.PartyAnswer(valueOrZero(r.Answer)),
		Version:   r.Version,
		CreatedAt: r.CreatedAt.UTC(),
		UpdatedAt: r.UpdatedAt.UTC(),
	}
}

// input is what the workflow of the party starts with.
func (r partyRow) input() job.PartyInput {
	return job.PartyInput{PartyID: r.ID, Moves: r.Moves, StartsAt: r.StartsAt.UTC()}
}

// changedEvent signals to the workflow that the party was moved or cancelled.
func (r partyRow) changedEvent(actorID string) job.Event {
	return job.PartyChangedEvent(r.input()).About(actorID, r.RoomID)
}

// voidEmails cancels the unsent emails about the party: their news is outdated.
func (r partyRow) voidEmails(ctx context.Context, tx bun.Tx, why watchparty.EmailReason) error {
	_, err := tx.NewRaw(`UPDATE emails SET state = 'cancelled', reason = ?1, updated_at = now() WHERE id IN (
		SELECT id FROM emails WHERE subject_id IN (SELECT id FROM party_notices WHERE party_id = ?0) AND kind IN (?2) AND `+
		unfinished+" ORDER BY id FOR NO KEY UPDATE)", r.ID, string(why), bun.List(watchparty.PartyEmails())).Exec(ctx)
	if err != nil {
		return fmt.Errorf("store: void emails of a party: %w", err)
	}
	return nil
}

func (r partyRow) details() map[string]any { return map[string]any{"party_id": r.ID} }

const scheduled = "y.state = 'scheduled'"

// selectParties selects parties with the answers of a viewer, empty for nobody.
func selectParties(db bun.IDB, rows any, viewerID string) *bun.SelectQuery {
	q := db.NewSelect().Model(rows).ColumnExpr("?TableColumns").
		ColumnExpr(movieOf("y.movie_id")+" AS movie").ColumnExpr(personOf("y.scheduled_by")+" AS scheduler").
		ColumnExpr("(SELECT name FROM rooms WHERE id = y.room_id) AS room_name").
		ColumnExpr("EXISTS (SELECT FROM users WHERE id = y.scheduled_by AND hidden_at IS NOT NULL) AS hidden").
		ColumnExpr("(SELECT answer FROM party_answers WHERE party_id = y.id AND user_id = ?) AS answer", nullID(viewerID))
	for _, answer := range watchparty.PartyAnswers() {
		q = q.ColumnExpr("(SELECT count(*) FROM party_answers WHERE party_id = y.id AND answer = ?0) AS ?1", string(answer),
			bun.Ident(answer))
	}
	return q
}

// nextParty selects the next party of the room r as a watchparty.NextParty in JSON.
const nextParty = "(SELECT json_build_object('ID', id, 'Title', CASE WHEN EXISTS (SELECT FROM users " +
	"WHERE id = scheduled_by AND hidden_at IS NOT NULL) THEN '' ELSE title END, 'StartsAt', starts_at) FROM parties " +
	"WHERE room_id = r.id AND state = 'scheduled' ORDER BY starts_at, id LIMIT 1) AS next_party"

// endedParties are the events of the parties that this transaction has cancelled with their rooms: a trigger does so
// when a room is archived.
func endedParties(ctx context.Context, tx bun.Tx, actorID string, roomIDs ...string) ([]job.Event, error) {
	var rows []partyRow
	err := tx.NewSelect().Model(&rows).
		Where("y.room_id IN (?) AND y.state = 'cancelled' AND y.ended_at = now()", bun.List(append(roomIDs, nilUUID))).
		Order("y.id").Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("store: ended parties: %w", err)
	}
	return mapRows(rows, func(r partyRow) job.Event { return r.changedEvent(actorID) }), nil
}

// ScheduleParty schedules a party in a room. Besides the errors of permitted, it returns ErrMuted, ErrRoomArchived,
// ErrRoomClosed, ErrPartyTime, ErrPartyClose, ErrTooManyParties, ErrUnknownMovie and ErrNoStream, and for a request
// that is repeated ErrKeyReused.
func (s *Store) ScheduleParty(
	ctx context.Context, roomID, actorID string, n watchparty.NewParty, key IdempotencyKey,
) (watchparty.Party, error) {
	now := Now()
	row := partyRow{
		ID: newID(), RoomID: roomID, Title: n.Title, MovieID: nullID(n.MovieID), StartsAt: n.StartsAt, TimeZone: n.TimeZone,
		State: string(watchparty.PartyScheduled), ScheduledBy: &actorID, Version: 1, CreatedAt: now, UpdatedAt: now,
	}
	id := row.ID
	err := s.withEvents(ctx, func(ctx context.Context, tx bun.Tx) ([]job.Event, error) {
		row.ID = id
		former, err := claimKey(ctx, tx, key, id)
		if err != nil {
			return nil, err
		}
		room, err := enterParties(ctx, tx, roomID, actorID)
		switch {
		case err != nil:
			return nil, err
		case former != "":
			return nil, selectParties(tx, &row, actorID).Where("y.id = ?", former).Scan(ctx)
		case room.ArchivedAt != nil:
			return nil, room.closedErr()
		}
		if err := playable(ctx, tx, roomID, actorID, n.MovieID); err != nil {
			return nil, err
		}
		if err := row.fits(ctx, tx); err != nil {
			return nil, err
		}
		if _, err := tx.NewInsert().Model(&row).Exec(ctx); err != nil {
			return nil, err
		}
		changesListedRoom(ctx, roomID)
		if err := logAct(ctx, tx, roomID, actorID, "", watchparty.ActPartyScheduled, row.details()); err != nil {
			return nil, err
		}
		return []job.Event{job.ScheduledPartyEvent(row.input()).About(actorID, roomID)},
			selectParties(tx, &row, actorID).Where("y.id = ?", id).Scan(ctx)
	})
	return row.party(), wrapErr(err, "schedule party")
}

// enterParties locks a room and the actor's account, and checks that the actor may schedule parties there.
func enterParties(ctx context.Context, tx bun.Tx, roomID, actorID string) (roomRow, error) {
	room, _, err := permitted(ctx, tx, roomID, actorID, watchparty.MayScheduleParty)
	if err != nil {
		return room, err
	}
	muted, err := tx.NewSelect().Table("mutes").Where("room_id = ? AND user_id = ? AND until > now()", roomID, actorID).
		Exists(ctx)
	if err == nil && muted {
		err = watchparty.ErrMuted
	}
	return room, err
}

// playable returns ErrUnknownMovie and ErrNoStream for a movie that a room cannot play. Without a movie it returns nil.
func playable(ctx context.Context, tx bun.Tx, roomID, userID, movieID string) error {
	if movieID == "" {
		return nil
	}
	_, err := newItem(ctx, tx, roomID, userID, watchparty.Source{MovieID: movieID})
	return err
}

// fits checks the start of a party by the database's clock and by the other parties of its room, which is locked.
func (r partyRow) fits(ctx context.Context, tx bun.Tx) error {
	var is struct {
		InTime bool `bun:"in_time"`
		Close  bool `bun:"close"`
		Others int  `bun:"others"`
	}
	err := tx.NewRaw(`
		SELECT ?1::timestamptz BETWEEN clock_timestamp() + make_interval(secs => ?2)
				AND clock_timestamp() + make_interval(secs => ?3) AS in_time,
			count(*) AS others, coalesce(bool_or(y.starts_at > ?1::timestamptz - make_interval(secs => ?4)
				AND y.starts_at < ?1::timestamptz + make_interval(secs => ?4)), false) AS close
		FROM parties AS y WHERE y.room_id = ?0 AND y.id <> ?5 AND `+scheduled, r.RoomID, r.StartsAt,
		watchparty.MinPartyNotice.Seconds(), watchparty.MaxPartyNotice.Seconds(), watchparty.PartyGap.Seconds(), r.ID).
		Scan(ctx, &is)
	switch {
	case err != nil:
		return err
	case !is.InTime:
		return watchparty.ErrPartyTime
	case is.Close:
		return watchparty.ErrPartyClose
	case is.Others >= watchparty.MaxParties:
		return watchparty.ErrTooManyParties
	}
	return nil
}

// Party finds a party, whatever its state and that of its room, with the answer of a viewer; see selectParties.
func (s *Store) Party(ctx context.Context, id, viewerID string) (watchparty.Party, error) {
	var row partyRow
	err := selectParties(s.db, &row, viewerID).Where("y.id = ?", id).Scan(ctx)
	return row.party(), wrapErr(err, "party")
}

// Parties lists the scheduled parties of a room, the next first, with the answers of a viewer. watchparty.MaxParties
// bounds the list.
func (s *Store) Parties(ctx context.Context, roomID, viewerID string) ([]watchparty.Party, error) {
	var rows []partyRow
	err := selectParties(s.db, &rows, viewerID).Where("y.room_id = ? AND "+scheduled, roomID).Order("y.starts_at", "y.id").
		Limit(watchparty.MaxParties).Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("store: parties: %w", err)
	}
	return mapRows(rows, partyRow.party), nil
}

// lockParty locks a scheduled party for its actor, and the room's playback before it: the start of a party changes
// both. A movie that the party is to get comes before both in the order of locks; movieID may be empty. It returns what
// enterParties returns, ErrChangedSince for another version, and ErrPartyEnded.
func lockParty(
	ctx context.Context, tx bun.Tx, id, actorID, movieID string, versions []int,
) (row partyRow, t transition, err error) {
	var roomID string
	err = tx.NewSelect().Model((*partyRow)(nil)).Column("room_id").Where("y.id = ?", id).Scan(ctx, &roomID)
	if err != nil {
		return row, t, err
	}
	if t.room, err = enterParties(ctx, tx, roomID, actorID); err != nil {
		return row, t, err
	}
	if err := inCatalogue(ctx, tx, movieID); err != nil && !errors.Is(err, watchparty.ErrUnknownMovie) {
		return row, t, err
	}
	if err := t.lock(ctx, tx); err != nil {
		return row, t, err
	}
	if err := tx.NewSelect().Model(&row).Where("y.id = ?", id).For("NO KEY UPDATE").Scan(ctx); err != nil {
		return row, t, err
	}
	if err := checkVersion(row.Version, versions); err != nil {
		return row, t, err
	}
	if row.State != string(watchparty.PartyScheduled) {
		return row, t, watchparty.ErrPartyEnded
	}
	return row, t, nil
}

// UpdateParty changes the given fields of a scheduled party, if it has one of the versions; nil allows any version. A
// change that changes nothing makes no new version. answer has what the room plays, if that changes. Besides the errors
// of permitted, it returns ErrMuted, ErrChangedSince, ErrPartyEnded, ErrPartyTime, ErrPartyClose, ErrTooManyMoves,
// ErrUnknownMovie and ErrNoStream.
func (s *Store) UpdateParty(
	ctx context.Context, id, actorID string, c watchparty.PartyChange, versions []int,
) (party watchparty.Party, answer PlaybackAnswer, err error) {
	var after partyRow
	err = s.withEvents(ctx, func(ctx context.Context, tx bun.Tx) (events []job.Event, err error) {
		answer = PlaybackAnswer{}
		row, t, err := lockParty(ctx, tx, id, actorID, valueOrZero(c.MovieID), versions)
		if err != nil {
			return nil, err
		}
		before := row.StartsAt
		fields := row.apply(c)
		moved, otherMovie := slices.Contains(fields, "starts_at"), slices.Contains(fields, "movie_id")
		if moved {
			if row.Moves >= watchparty.MaxPartyMoves {
				return nil, watchparty.ErrTooManyMoves
			}
			if err := row.fits(ctx, tx); err != nil {
				return nil, err
			}
			row.Moves++
		}
		if otherMovie {
			if err := playable(ctx, tx, row.RoomID, actorID, valueOrZero(row.MovieID)); err != nil {
				return nil, err
			}
		}
		if moved || otherMovie {
			if answer, err = t.disarm(ctx, tx, before, actorID); err != nil {
				return nil, err
			}
		}
		if len(fields) > 0 {
			if err := row.change(ctx, tx, actorID, watchparty.ActPartyChanged, fields); err != nil {
				return nil, err
			}
		}
		if moved {
			if err := row.voidEmails(ctx, tx, watchparty.ReasonPartyChanged); err != nil {
				return nil, err
			}
			events = append(events, row.changedEvent(actorID))
		}
		return events, selectParties(tx, &after, actorID).Where("y.id = ?", id).Scan(ctx)
	})
	return after.party(), answer, wrapErr(err, "update party")
}

// apply sets the fields that c gives, and returns the names of those that have changed.
func (r *partyRow) apply(c watchparty.PartyChange) (fields []string) {
	if set(&r.Title, c.Title) {
		fields = append(fields, "title")
	}
	if c.MovieID != nil && *c.MovieID != valueOrZero(r.MovieID) {
		r.MovieID = nullID(*c.MovieID)
		fields = append(fields, "movie_id")
	}
	if c.StartsAt != nil && !c.StartsAt.Equal(r.StartsAt) {
		r.StartsAt = *c.StartsAt
		fields = append(fields, "starts_at")
	}
	if set(&r.TimeZone, c.TimeZone) {
		fields = append(fields, "time_zone")
	}
	return fields
}

// change stores a new version of a locked party, with its line in the room's log.
func (r *partyRow) change(
	ctx context.Context, tx bun.Tx, actorID string, act watchparty.RoomAction, fields []string,
) error {
	r.Version++
	r.UpdatedAt = Now()
	if _, err := tx.NewUpdate().Model(r).WherePK().ExcludeColumn("id", "room_id", "created_at").Exec(ctx); err != nil {
		return err
	}
	changesListedRoom(ctx, r.RoomID)
	details := r.details()
	if fields != nil {
		details["fields"] = fields
	}
	return logAct(ctx, tx, r.RoomID, actorID, "", act, details)
}

// CancelParty cancels a scheduled party, if it has one of the versions; nil allows any version. answer has what the
// room plays, if that changes. Besides the errors of permitted, it returns ErrMuted, ErrChangedSince and ErrPartyEnded.
func (s *Store) CancelParty(
	ctx context.Context, id, actorID string, versions []int,
) (answer PlaybackAnswer, err error) {
	err = s.withEvents(ctx, func(ctx context.Context, tx bun.Tx) ([]job.Event, error) {
		answer = PlaybackAnswer{}
		row, t, err := lockParty(ctx, tx, id, actorID, "", versions)
		if err != nil {
			return nil, err
		}
		if answer, err = t.disarm(ctx, tx, row.StartsAt, actorID); err != nil {
			return nil, err
		}
		now := Now()
		row.State, row.EndedAt = string(watchparty.PartyCancelled), &now
		row.Moves++
		if err := row.change(ctx, tx, actorID, watchparty.ActPartyCancelled, nil); err != nil {
			return nil, err
		}
		return []job.Event{row.changedEvent(actorID)}, row.voidEmails(ctx, tx, watchparty.ReasonPartyEnded)
	})
	return answer, wrapErr(err, "cancel party")
}

// AnswerParty stores whether a user comes to a scheduled party. It returns ErrNotFound, ErrUnauthenticated for an
// account that is deleted or suspended, ErrBanned, ErrPartyEnded, and ErrTooManyAnswers.
func (s *Store) AnswerParty(ctx context.Context, id, userID string, answer watchparty.PartyAnswer) error {
	err := s.inTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		var roomID string
		err := tx.NewRaw("SELECT r.id FROM rooms AS r WHERE r.id = (SELECT room_id FROM parties WHERE id = ?) AND "+
			roomThere+" FOR SHARE", id).Scan(ctx, &roomID)
		if err != nil {
			return err
		}
		if err := requireActive(ctx, tx, userID); err != nil {
			return err
		}
		if err := mayKnow(ctx, tx, roomID, userID); err != nil {
			return err
		}
		var state string
		err = tx.NewRaw("SELECT state FROM parties WHERE id = ? FOR NO KEY UPDATE", id).Scan(ctx, &state)
		if err != nil {
			return err
		}
		var others int
		err = tx.NewRaw("SELECT count(*) FROM party_answers WHERE party_id = ? AND user_id <> ?", id, userID).
			Scan(ctx, &others)
		switch {
		case err != nil:
			return err
		case state != string(watchparty.PartyScheduled):
			return watchparty.ErrPartyEnded
		case others >= watchparty.MaxAnswers:
			return watchparty.ErrTooManyAnswers
		}
		_, err = tx.NewRaw(`INSERT INTO party_answers (party_id, room_id, user_id, answer) VALUES (?, ?, ?, ?)
			ON CONFLICT ON CONSTRAINT party_answers_pkey DO UPDATE SET answer = excluded.answer, updated_at = now()
			WHERE party_answers.answer <> excluded.answer`, id, roomID, userID, string(answer)).Exec(ctx)
		return err
	})
	return wrapErr(err, "answer party")
}

// PartyGuests lists those who have answered, all or those with one answer, in the order of their first answers.
func (s *Store) PartyGuests(
	ctx context.Context, partyID string, answer watchparty.PartyAnswer, p Page,
) ([]watchparty.PartyGuest, error) {
	var rows []struct {
		User      watchparty.Person `bun:"person,type:json"`
		Answer    string            `bun:"answer"`
		CreatedAt time.Time         `bun:"created_at"`
	}
	q := s.db.NewSelect().TableExpr("party_answers AS g").ColumnExpr(personOf("g.user_id")+" AS person").
		Column("g.answer", "g.created_at").Join("JOIN users AS u ON u.id = g.user_id AND u.deleted_at IS NULL").
		Where("g.party_id = ?", partyID)
	if answer != "" {
		q = q.Where("g.answer = ?", string(answer))
	}
	if err := p.of(q, ascending, "g.created_at", "g.user_id").Scan(ctx, &rows); err != nil {
		return nil, fmt.Errorf("store: party guests: %w", err)
	}
	guests := make([]watchparty.PartyGuest, len(rows))
	for i, row := range rows {
		guests[i] = watchparty.PartyGuest{
			User: row.User, Answer: watchparty.PartyAnswer(row.Answer), AnsweredAt: row.CreatedAt.UTC(),
		}
	}
	return guests, nil
}

// MyParties lists the scheduled parties that a user has answered, and those of the rooms that the user hosts, has a
// role in or is in, the next first.
func (s *Store) MyParties(ctx context.Context, userID string, p Page) ([]watchparty.Party, error) {
	var rows []partyRow
	q := selectParties(s.db, &rows, userID).
		Join("JOIN rooms AS r ON r.id = y.room_id").
		Where(`y.id IN (SELECT party_id FROM party_answers WHERE user_id = ?0
			UNION SELECT id FROM parties WHERE state = 'scheduled' AND room_id IN (
				SELECT id FROM rooms WHERE host_id = ?0 UNION SELECT room_id FROM members WHERE user_id = ?0
				UNION SELECT room_id FROM participants WHERE user_id = ?0))`, userID).
		Where(scheduled+" AND r.archived_at IS NULL AND "+roomThere).Where("NOT "+isBanned("r.id", "?"), userID)
	if err := p.of(q, ascending, "y.starts_at", "y.id").Scan(ctx); err != nil {
		return nil, fmt.Errorf("store: my parties: %w", err)
	}
	return mapRows(rows, partyRow.party), nil
}
