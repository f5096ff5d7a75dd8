package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/watchparty/watchparty"
)

type abuseReportRow struct {
	bun.BaseModel `bun:"table:abuse_reports,alias:ar"`

	ID         string                      `bun:"id,pk"`
	Kind       string                      `bun:"kind"`
	TargetKind string                      `bun:"target_kind"`
	TargetID   string                      `bun:"target_id"`
	SubjectID  *string                     `bun:"subject_id"`
	RoomID     *string                     `bun:"room_id"`
	ReporterID *string                     `bun:"reporter_id"`
	Body       string                      `bun:"body"`
	Snapshot   *watchparty.ReportedContent `bun:"snapshot,type:jsonb"`
	State      string                      `bun:"state"`
	Outcome    *string                     `bun:"outcome"`
	Note       string                      `bun:"note"`
	ResolvedAt *time.Time                  `bun:"resolved_at"`
	CreatedAt  time.Time                   `bun:"created_at,nullzero,default:now()"`
	Subject    watchparty.Person           `bun:"subject,type:json,scanonly"`
}

// report converts the row. It leaves out reporter_id: that column serves limits, exports and deletions only.
func (r abuseReportRow) report() watchparty.AbuseReport {
	return watchparty.AbuseReport{
		ID: r.ID, Kind: watchparty.AbuseKind(r.Kind), Target: watchparty.AbuseTarget(r.TargetKind), TargetID: r.TargetID,
		Subject: r.Subject, RoomID: valueOrZero(r.RoomID), Text: r.Body, Content: r.Snapshot,
		State:   watchparty.AbuseState(r.State),
		Outcome: watchparty.AbuseOutcome(valueOrZero(r.Outcome)), Note: r.Note, ResolvedAt: valueOrZero(r.ResolvedAt).UTC(),
		CreatedAt: r.CreatedAt.UTC(),
	}
}

// ReportAbuse stores a report of a room, a message or an account, with a copy of the content as the reporter sees it.
// If the reporter has an open report about the same target, it returns that one. It returns ErrUnauthenticated if the
// reporter's account is deleted or suspended, ErrNotFound for a target that the reporter cannot see, ErrBanned,
// ErrReportOneself, ErrTooManyReports and ErrKeyReused.
func (s *Store) ReportAbuse(
	ctx context.Context, reporterID string, n watchparty.NewAbuseReport, key IdempotencyKey,
) (watchparty.AbuseReport, error) {
	var row abuseReportRow
	err := s.inTx(ctx, func(ctx context.Context, tx bun.Tx) (err error) {
		// The lock keeps the account, and makes the reports of one person follow each other, so that they are counted right.
		if _, err := lockActive(ctx, tx, reporterID); err != nil {
			return err
		}
		if row, err = reported(ctx, tx, reporterID, n); err != nil {
			return err
		}
		var open string
		err = tx.NewSelect().Model((*abuseReportRow)(nil)).Column("id").
			Where("reporter_id = ? AND target_id = ? AND state = 'open'", reporterID, row.TargetID).Scan(ctx, &open)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		row.ID = cmp.Or(open, newID())
		former, err := claimKey(ctx, tx, key, row.ID)
		if err != nil {
			return err
		}
		if known := cmp.Or(former, open); known != "" {
			row = abuseReportRow{}
			return tx.NewSelect().Model(&row).Where("id = ?", known).Scan(ctx)
		}
		if err := mayReportMore(ctx, tx, reporterID); err != nil {
			return err
		}
		row.Kind, row.Body, row.ReporterID, row.State = string(n.Kind), n.Text, &reporterID, string(watchparty.AbuseOpen)
		tell(ctx, watchparty.WebhookEvent{
			Kind: watchparty.WebhookReportFiled, RoomID: valueOrZero(row.RoomID), Data: watchparty.ReportFiledData{
				ReportID: row.ID, Kind: n.Kind, TargetKind: watchparty.AbuseTarget(row.TargetKind), TargetID: row.TargetID,
			},
		})
		return tx.NewInsert().Model(&row).Returning("created_at").Scan(ctx)
	})
	return row.report(), wrapErr(err, "report abuse")
}

// mayReportMore counts the recent reports of a person. The caller holds the lock on that person's account.
func mayReportMore(ctx context.Context, tx bun.Tx, reporterID string) error {
	var recent struct {
		Count int     `bun:"count"`
		Wait  float64 `bun:"wait"` // seconds until the oldest of them stops counting
	}
	err := tx.NewSelect().Model((*abuseReportRow)(nil)).
		ColumnExpr("count(*) AS count, coalesce(extract(epoch FROM min(created_at) + interval '1 h' - now()), 0) AS wait").
		Where("reporter_id = ? AND created_at > now() - interval '1 h'", reporterID).Scan(ctx, &recent)
	if err == nil && recent.Count >= watchparty.MaxHourlyReports {
		err = watchparty.TooManyReports(time.Duration(recent.Wait * float64(time.Second)))
	}
	return err
}

// reported finds the target of a report, if the reporter can see it, and copies its content.
func reported(
	ctx context.Context, tx bun.Tx, reporterID string, n watchparty.NewAbuseReport,
) (row abuseReportRow, err error) {
	switch {
	case n.RoomID != "":
		row, err = reportedRoom(ctx, tx, reporterID, n.RoomID)
		row.TargetKind, row.TargetID = string(watchparty.AbuseRoom), n.RoomID
	case n.MessageID != "":
		row, err = reportedMessage(ctx, tx, reporterID, n.MessageID)
		row.TargetKind, row.TargetID = string(watchparty.AbuseMessage), n.MessageID
	default:
		row, err = reportedUser(ctx, tx, n.Username)
		row.TargetKind, row.TargetID = string(watchparty.AbuseUser), valueOrZero(row.SubjectID)
	}
	if err == nil && valueOrZero(row.SubjectID) == reporterID {
		err = watchparty.ErrReportOneself
	}
	return row, err
}

func reportedRoom(ctx context.Context, tx bun.Tx, reporterID, roomID string) (abuseReportRow, error) {
	var room struct {
		Name, Description, Visibility string

		Host watchparty.Person `bun:"host,type:json"`
	}
	err := tx.NewSelect().Model((*roomRow)(nil)).
		ColumnExpr("r.name, r.description, r.visibility").
		ColumnExpr(personOf("r.host_id")+" AS host").Where("r.id = ? AND "+roomThere, roomID).Scan(ctx, &room)
	if err != nil {
		return abuseReportRow{}, err
	}
	reporter, err := readStanding(ctx, tx, roomID, reporterID)
	switch {
	case err != nil:
		return abuseReportRow{}, err
	case reporter.Banned:
		return abuseReportRow{}, watchparty.ErrBanned
	case room.Visibility == string(watchparty.Private) && reporter.Role == "":
		return abuseReportRow{}, watchparty.ErrNotFound
	}
	return abuseReportRow{RoomID: &roomID, SubjectID: nullID(room.Host.ID), Snapshot: &watchparty.ReportedContent{
		Username: room.Host.Username, DisplayName: room.Host.DisplayName, RoomName: room.Name,
		RoomDescription: room.Description,
	}}, nil
}

func reportedMessage(ctx context.Context, tx bun.Tx, reporterID, messageID string) (abuseReportRow, error) {
	var message messageRow
	if err := selectMessages(tx, &message).Where("m.id = ? AND "+messageThere, messageID).Scan(ctx); err != nil {
		return abuseReportRow{}, err
	}
	row, err := reportedRoom(ctx, tx, reporterID, message.RoomID)
	if err != nil {
		return row, err
	}
	content := &watchparty.ReportedContent{RoomName: row.Snapshot.RoomName, Body: message.Body}
	row.SubjectID, row.Snapshot = nil, content
	row.SubjectID = nullID(message.Author.ID) // NULL if the author's account is deleted
	content.Username, content.DisplayName = message.Author.Username, message.Author.DisplayName
	return row, nil
}

func reportedUser(ctx context.Context, tx bun.Tx, username string) (abuseReportRow, error) {
	var user userRow
	err := tx.NewSelect().Model(&user).Where("lower(username) = lower(?) AND deleted_at IS NULL", username).Scan(ctx)
	return abuseReportRow{
		SubjectID: &user.ID, Snapshot: &watchparty.ReportedContent{Username: user.Username, DisplayName: user.DisplayName},
	}, err
}

// selectAbuseReports selects reports with the accounts that they concern.
func selectAbuseReports(db bun.IDB, rows any) *bun.SelectQuery {
	return db.NewSelect().Model(rows).ColumnExpr("ar.*").ColumnExpr(personOf("ar.subject_id") + " AS subject")
}

// AbuseReports lists reports, newest first.
func (s *Store) AbuseReports(ctx context.Context, f watchparty.AbuseFilter, p Page) ([]watchparty.AbuseReport, error) {
	var rows []abuseReportRow
	q := selectAbuseReports(s.db, &rows)
	for _, condition := range []struct{ column, value string }{
		{"state", string(f.State)}, {"kind", string(f.Kind)}, {"target_kind", string(f.Target)}, {"subject_id", f.SubjectID},
	} {
		if condition.value != "" {
			q = q.Where("ar.? = ?", bun.Ident(condition.column), condition.value)
		}
	}
	if err := p.of(q, descending, "ar.id").Scan(ctx); err != nil {
		return nil, fmt.Errorf("store: abuse reports: %w", err)
	}
	return mapRows(rows, abuseReportRow.report), nil
}

// AbuseReport finds a report by its ID.
func (s *Store) AbuseReport(ctx context.Context, id string) (watchparty.AbuseReport, error) {
	var row abuseReportRow
	err := selectAbuseReports(s.db, &row).Where("ar.id = ?", id).Scan(ctx)
	return row.report(), wrapErr(err, "abuse report")
}

// SentAbuseReport finds a report that the reporter sent. It returns ErrNotFound.
func (s *Store) SentAbuseReport(ctx context.Context, reporterID, id string) (watchparty.AbuseReport, error) {
	var row abuseReportRow
	err := s.db.NewSelect().Model(&row).Where("id = ? AND reporter_id = ?", id, reporterID).Scan(ctx)
	return row.report(), wrapErr(err, "sent abuse report")
}

// ResolveAbuseReport resolves a report. If two admins do so at once, the first one wins. It returns ErrNotFound and
// ErrReportResolved.
func (s *Store) ResolveAbuseReport(
	ctx context.Context, adminID, id string, r watchparty.Resolution,
) (watchparty.AbuseReport, error) {
	var row abuseReportRow
	err := s.inTx(ctx, func(ctx context.Context, tx bun.Tx) (err error) {
		row, err = resolve(ctx, tx, adminID, id, r)
		return err
	})
	return row.report(), wrapErr(err, "resolve abuse report")
}

// resolveWith resolves the report that an admin's act names, if any, in the transaction of the act. The report has to
// be about actedOn, the ID of what the act changes, in the given column of abuse_reports.
func resolveWith(ctx context.Context, tx bun.Tx, adminID, reportID, column, actedOn, reason string) error {
	if reportID == "" {
		return nil
	}
	about, err := tx.NewSelect().Model((*abuseReportRow)(nil)).
		Where("id = ? AND ? = ?", reportID, bun.Ident(column), actedOn).Exists(ctx)
	if err != nil {
		return err
	}
	if !about {
		return watchparty.ErrUnknownReport
	}
	_, err = resolve(ctx, tx, adminID, reportID, watchparty.Resolution{Outcome: watchparty.AbuseActed, Note: reason})
	return err
}

// shareLockReported locks the accounts of an admin and of the subject of a report, for an operation that may resolve
// the report. Either may be missing.
func shareLockReported(ctx context.Context, tx bun.Tx, adminID, reportID string) error {
	return shareLockUsers(ctx, tx, "id = ? OR id = (SELECT subject_id FROM abuse_reports WHERE id = ?)", nullID(adminID),
		nullID(reportID))
}

// resolve resolves an open report, and deletes the copied content if the account behind it is deleted by now. It locks
// the account before the report: so a deletion at the same time either finds the report resolved, or is seen here.
func resolve(
	ctx context.Context, tx bun.Tx, adminID, id string, r watchparty.Resolution,
) (row abuseReportRow, err error) {
	if err := shareLockReported(ctx, tx, adminID, id); err != nil {
		return row, err
	}
	if err := requireAdmin(ctx, tx, adminID); err != nil {
		return row, err
	}
	if err := tx.NewSelect().Model(&row).Where("id = ?", id).Scan(ctx); err != nil {
		return row, err
	}
	var alive []string
	err = tx.NewSelect().Model((*userRow)(nil)).Column("id").Where("id = ? AND deleted_at IS NULL", row.SubjectID).
		For("SHARE").Scan(ctx, &alive)
	if err != nil {
		return row, err
	}
	err = tx.NewUpdate().Model(&row).Set("state = 'resolved'").Set("outcome = ?", string(r.Outcome)).
		Set("note = ?", r.Note).
		Set("snapshot = CASE WHEN ? THEN snapshot END", len(alive) > 0).Set("resolved_at = now()").Set("updated_at = now()").
		Where("id = ? AND state = 'open'", id).Returning("*").Returning(personOf("ar.subject_id") + " AS subject").Scan(ctx)
	if errors.Is(err, sql.ErrNoRows) {
		return row, watchparty.ErrReportResolved
	}
	if err != nil {
		return row, err
	}
	details := map[string]any{"outcome": string(r.Outcome), "note": r.Note}
	return row, audit(ctx, tx, adminID, watchparty.AuditReportResolved, watchparty.AuditReport, id, details)
}
