package store

import (
	"context"
	"fmt"

	"github.com/uptrace/bun"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/workflows/job"
)

// Admins can act on every room that is not deleted, private and hidden ones included. Each act is audited in its
// transaction. The room's log gets an entry without the admin.

func (r roomRow) adminRoom() watchparty.AdminRoom {
	return watchparty.AdminRoom{Room: r.room(), Hidden: r.Hidden}
}

func selectAnyRooms(db bun.IDB, rows any) *bun.SelectQuery {
	return selectRooms(db, rows).ColumnExpr("(SELECT hidden_at FROM users WHERE id = r.host_id) IS NOT NULL AS hidden")
}

var searchableAnyRooms = searchable{
	alias: "r", from: "(SELECT * FROM rooms WHERE deleted_at IS NULL) AS r", length: "char_length(r.name)", newest: true,
}

// AdminRooms lists all rooms that are not deleted, newest first, or the closest first in a search.
func (s *Store) AdminRooms(ctx context.Context, f watchparty.AdminRoomFilter, p Page) ([]watchparty.AdminRoom, error) {
	choose := func(q *bun.SelectQuery) *bun.SelectQuery {
		q = q.Where("r.deleted_at IS NULL")
		if f.HostID != "" {
			q = q.Where("r.host_id = ?", f.HostID)
		}
		switch f.State {
		case watchparty.AdminRoomOpen:
			q = q.Where("r.archived_at IS NULL")
		case watchparty.AdminRoomArchived:
			q = q.Where("r.archived_at IS NOT NULL")
		case watchparty.AdminRoomClosed:
			q = q.Where("r.closed_at IS NOT NULL")
		}
		return q
	}
	list := func(rows *[]roomRow) *bun.SelectQuery { return selectAnyRooms(s.db, rows) }
	rows, err := searchPage(ctx, s, searchableAnyRooms, list, choose, f.Search, p)
	if err != nil {
		return nil, fmt.Errorf("store: any rooms: %w", err)
	}
	return mapRows(rows, roomRow.adminRoom), nil
}

// AdminRoom finds a room that is not deleted.
func (s *Store) AdminRoom(ctx context.Context, id string) (watchparty.AdminRoom, error) {
	room, err := anyRoom(ctx, s.db, id)
	return room, wrapErr(err, "any room")
}

func anyRoom(ctx context.Context, db bun.IDB, id string) (watchparty.AdminRoom, error) {
	var row roomRow
	err := selectAnyRooms(db, &row).Where("r.id = ? AND r.deleted_at IS NULL", id).Scan(ctx)
	return row.adminRoom(), err
}

// AdminMessages lists the messages of any room, newest first.
func (s *Store) AdminMessages(ctx context.Context, roomID string, p Page) ([]watchparty.AdminMessage, error) {
	var rows []messageRow
	q := selectMessagesAs(s.db, &rows, messageStored).Where("m.room_id = ?", roomID)
	if err := p.of(q, descending, "m.id").Scan(ctx); err != nil {
		return nil, fmt.Errorf("store: any messages: %w", err)
	}
	return mapRows(rows, func(r messageRow) watchparty.AdminMessage {
		return watchparty.AdminMessage{Message: r.message(), Hidden: r.Hidden}
	}), nil
}

// AuditRoomRead audits that an admin reads the messages of a room, if the room is private: once an hour for each admin
// and room. It returns ErrNotFound.
func (s *Store) AuditRoomRead(ctx context.Context, adminID, roomID string) error {
	err := s.inTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		room, err := anyRoom(ctx, tx, roomID)
		if err != nil || room.Room.Visibility != watchparty.Private {
			return err
		}
		noted, err := tx.NewSelect().Model((*auditRow)(nil)).Where("target_id = ? AND actor_id = ?", roomID, adminID).
			Where("action = ? AND created_at > now() - interval '1 h'", string(watchparty.AuditPrivateRoomRead)).Exists(ctx)
		if err != nil || noted {
			return err
		}
		return audit(ctx, tx, adminID, watchparty.AuditPrivateRoomRead, watchparty.AuditRoom, roomID, nil)
	})
	return wrapErr(err, "note that a room is read")
}

// CloseRoom archives a room so that its host cannot open it. Closing it again changes nothing. It returns ErrNotFound,
// ErrUnknownReport and ErrReportResolved.
func (s *Store) CloseRoom(
	ctx context.Context, adminID, roomID string, why watchparty.Moderation,
) (watchparty.AdminRoom, error) {
	var after watchparty.AdminRoom
	err := s.withEvents(ctx, func(ctx context.Context, tx bun.Tx) ([]job.Event, error) {
		if err := lockRoomAlone(ctx, tx, roomID); err != nil {
			return nil, err
		}
		room, err := lockAnyRoom(ctx, tx, roomID)
		if err != nil {
			return nil, err
		}
		if err := shareLockReported(ctx, tx, adminID, why.ReportID); err != nil {
			return nil, err
		}
		if err := requireAdmin(ctx, tx, adminID); err != nil {
			return nil, err
		}
		if room.ClosedAt == nil {
			if err := closeRoom(ctx, tx, adminID, roomID, why.Reason); err != nil {
				return nil, err
			}
		}
		if err := resolveWith(ctx, tx, adminID, why.ReportID, "room_id", roomID, why.Reason); err != nil {
			return nil, err
		}
		if after, err = anyRoom(ctx, tx, roomID); err != nil {
			return nil, err
		}
		return endedParties(ctx, tx, adminID, roomID)
	})
	return after, wrapErr(err, "close room")
}

// closeRoom also clears retired_at, so that clean-up does not delete the room by age.
func closeRoom(ctx context.Context, tx bun.Tx, adminID, roomID, reason string) error {
	changesRoomAndStandings(ctx, roomID)
	_, err := tx.NewUpdate().Model((*roomRow)(nil)).Set("closed_at = now()").
		Set("archived_at = coalesce(archived_at, now())").
		Set("retired_at = NULL").Set("updated_at = now()").Set("version = version + 1").Where("id = ?", roomID).Exec(ctx)
	if err != nil {
		return err
	}
	details := map[string]any{"reason": reason}
	if err := logAct(ctx, tx, roomID, "", "", watchparty.ActRoomClosed, details); err != nil {
		return err
	}
	return audit(ctx, tx, adminID, watchparty.AuditRoomClosed, watchparty.AuditRoom, roomID, details)
}

// ReopenRoom opens a room, whoever archived it. An open one stays as it is. It returns ErrNotFound and ErrRoomHostless.
func (s *Store) ReopenRoom(ctx context.Context, adminID, roomID, reason string) (watchparty.AdminRoom, error) {
	var after watchparty.AdminRoom
	err := s.inTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		room, err := lockAnyRoom(ctx, tx, roomID)
		switch {
		case err != nil:
			return err
		case room.ArchivedAt == nil:
		case room.HostID == nil:
			return watchparty.ErrRoomHostless
		default:
			if err := openAgain(ctx, tx, roomID); err != nil {
				return err
			}
			details := map[string]any{"reason": reason}
			if err := audit(ctx, tx, adminID, watchparty.AuditRoomReopened, watchparty.AuditRoom, roomID, details); err != nil {
				return err
			}
		}
		after, err = anyRoom(ctx, tx, roomID)
		return err
	})
	return after, wrapErr(err, "reopen room")
}

// openAgain opens an archived room for an admin. The caller holds the lock on the room.
func openAgain(ctx context.Context, tx bun.Tx, roomID string) error {
	changesRoomAndStandings(ctx, roomID)
	_, err := tx.NewUpdate().Model((*roomRow)(nil)).Set("archived_at = NULL").Set("closed_at = NULL").
		Set("retired_at = NULL").
		Set("last_active_at = now()").Set("updated_at = now()").Set("version = version + 1").Where("id = ?", roomID).Exec(ctx)
	if err != nil {
		return err
	}
	return logAct(ctx, tx, roomID, "", "", watchparty.ActRoomReopened, nil)
}

// RemoveMessage deletes a message in any room. It returns ErrNotFound, also for a message that is deleted already,
// ErrUnknownReport and ErrReportResolved.
func (s *Store) RemoveMessage(
	ctx context.Context, adminID, id string, why watchparty.Moderation,
) error {
	err := s.inTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		var row messageRow
		if err := tx.NewSelect().Model(&row).Column("id", "room_id", "user_id").Where("id = ?", id).Scan(ctx); err != nil {
			return err
		}
		roomID := row.RoomID
		if _, err := lockAnyRoom(ctx, tx, roomID); err != nil {
			return err
		}
		err := shareLockUsers(ctx, tx, "id IN (?, ?) OR id = (SELECT subject_id FROM abuse_reports WHERE id = ?)",
			adminID, row.UserID, nullID(why.ReportID))
		if err != nil {
			return err
		}
		if err := requireAdmin(ctx, tx, adminID); err != nil {
			return err
		}
		if err := shareLockAuthor(ctx, tx, &row); err != nil {
			return err
		}
		if err := blankMessage(ctx, tx, row); err != nil {
			return err
		}
		details := map[string]any{"message_id": id, "reason": why.Reason}
		if err := logAct(ctx, tx, roomID, "", valueOrZero(row.UserID), watchparty.ActMessageDeleted, details); err != nil {
			return err
		}
		details = map[string]any{"reason": why.Reason, "room_id": roomID}
		if err := audit(ctx, tx, adminID, watchparty.AuditMessageRemoved, watchparty.AuditMessage, id, details); err != nil {
			return err
		}
		return resolveWith(ctx, tx, adminID, why.ReportID, "target_id", id, why.Reason)
	})
	return wrapErr(err, "remove message")
}
