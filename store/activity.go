package store

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/pgdialect"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/workflows/job"
)

const untalliedDay = "SELECT coalesce((SELECT max(day) + 1 FROM activity_days), (SELECT day FROM activity_since))"

// UntalliedDay returns the first day that has no row in activity_days yet. If there are no rows at all, it is the day
// in activity_since, from which on stays are kept.
func (s *Store) UntalliedDay(ctx context.Context) (watchparty.Day, error) {
	return readUntalliedDay(ctx, s.db)
}

func readUntalliedDay(ctx context.Context, db bun.IDB) (watchparty.Day, error) {
	var day time.Time
	if err := db.NewRaw(untalliedDay).Scan(ctx, &day); err != nil {
		return "", fmt.Errorf("store: untallied day: %w", err)
	}
	return watchparty.DayOf(day), nil
}

// In the statements of a day, ?0 is the day's first moment, ?1 is the first moment of the next day, and ?2 is the day.

// dayStays selects the stays of a day: those in stays, and those that still last, in participants. A stay that ends at
// midnight does not count for the next day.
const dayStays = `
	SELECT * FROM (
		SELECT room_id, user_id, started_at, ended_at FROM stays WHERE started_at < ?1 AND ended_at >= ?0
		UNION ALL
		SELECT room_id, user_id, present_since, last_seen_at FROM participants WHERE present_since < ?1 AND last_seen_at >= ?0
	) AS near WHERE ended_at > ?0 OR started_at = ?0`

const tallyUsers = `
	INSERT INTO active_users (day, user_id, since)
	SELECT ?2::date, u.id, (u.created_at AT TIME ZONE 'UTC')::date FROM users AS u WHERE u.id IN (
		SELECT user_id FROM (` + dayStays + `) AS stay
		UNION SELECT user_id FROM messages WHERE created_at >= ?0 AND created_at < ?1)
	ORDER BY u.id
	ON CONFLICT DO NOTHING`

// secondsTogether sums up, over all rooms, the seconds that people spent together in a room on a day. Each arrival in a
// room is a step of +1 and each departure a step of -1, so that the running sum is the number of people present. The
// time between two steps counts once for each person present, if there are at least two.
const secondsTogether = `
	SELECT sum(people * extract(epoch FROM until - at)) FROM (
		SELECT at, sum(step) OVER room AS people, lead(at) OVER (PARTITION BY room_id ORDER BY at, step) AS until FROM (
			SELECT room_id, greatest(started_at, ?0) AS at, 1 AS step FROM (` + dayStays + `) AS came
			UNION ALL SELECT room_id, least(ended_at, ?1), -1 FROM (` + dayStays + `) AS went
		) AS steps
		WINDOW room AS (PARTITION BY room_id ORDER BY at, step ROWS UNBOUNDED PRECEDING)
	) AS spans WHERE people >= 2`

const tallyDay = `
	INSERT INTO activity_days (day, new_users, active_users, returning_users, rooms_opened, participants,
		minutes_together, messages,
		invitations_sent, invitations_accepted, mails_sent, mails_failed, avatars, removed)
	SELECT ?2::date,
		(SELECT count(*) FROM users WHERE created_at >= ?0 AND created_at < ?1),
		(SELECT count(*) FROM active_users WHERE day = ?2::date),
		(SELECT count(*) FROM active_users WHERE day = ?2::date AND since < day),
		(SELECT count(*) FROM rooms WHERE created_at >= ?0 AND created_at < ?1),
		(SELECT count(*) FROM (SELECT DISTINCT room_id, user_id FROM (` + dayStays + `) AS stay) AS people),
		round(coalesce((` + secondsTogether + `), 0) / 60),
		(SELECT count(*) FROM messages WHERE created_at >= ?0 AND created_at < ?1),
		(SELECT count(*) FROM invitations WHERE created_at >= ?0 AND created_at < ?1),
		(SELECT count(*) FROM invitations WHERE state = 'accepted' AND answered_at >= ?0 AND answered_at < ?1),
		(SELECT count(*) FROM emails WHERE state = 'sent' AND sent_at >= ?0 AND sent_at < ?1),
		(SELECT count(*) FROM emails WHERE state = 'failed' AND updated_at >= ?0 AND updated_at < ?1),
		(SELECT count(*) FROM avatars WHERE published_at >= ?0 AND published_at < ?1),
		(SELECT coalesce(sum(removed.n::bigint), 0) FROM cleanup_runs AS c, jsonb_each_text(c.counts) AS removed (policy, n)
			WHERE c.finished_at >= ?0 AND c.finished_at < ?1 AND NOT c.dry_run)
	ON CONFLICT DO NOTHING`

// TallyDay stores the figures of a day that is over, in active_users and activity_days. A repeated call changes
// nothing.
func (s *Store) TallyDay(ctx context.Context, day watchparty.Day) error {
	err := s.inTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		for _, statement := range []string{tallyUsers, tallyDay} {
			if _, err := tx.NewRaw(statement, day.Time(), day.Add(1).Time(), string(day)).Exec(ctx); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("store: tally %s: %w", day, err)
	}
	return nil
}

// figuresOf sums up the figures of the days from ?0 to ?1. A user who was active on several days counts once.
const figuresOf = `
	SELECT coalesce(sum(new_users), 0)::bigint AS new_users, active.users AS active_users,
		active.returning AS returning_users,
		coalesce(sum(rooms_opened), 0)::bigint AS rooms_opened, coalesce(sum(participants), 0)::bigint AS participants,
		coalesce(sum(minutes_together), 0)::bigint AS minutes_together, coalesce(sum(messages), 0)::bigint AS messages,
		coalesce(sum(invitations_sent), 0)::bigint AS invitations_sent,
		coalesce(sum(invitations_accepted), 0)::bigint AS invitations_accepted,
		coalesce(sum(mails_sent), 0)::bigint AS emails_sent, coalesce(sum(mails_failed), 0)::bigint AS emails_failed,
		coalesce(sum(avatars), 0)::bigint AS avatars, coalesce(sum(removed), 0)::bigint AS removed
	FROM (SELECT count(DISTINCT user_id) AS users, count(DISTINCT user_id) FILTER (WHERE since < ?0::date) AS returning
		FROM active_users WHERE day BETWEEN ?0::date AND ?1::date) AS active
	LEFT JOIN activity_days ON day BETWEEN ?0::date AND ?1::date
	GROUP BY active.users, active.returning`

const figuresOfDays = `
	SELECT to_char(days.day, 'YYYY-MM-DD') AS day, activity_days.day IS NOT NULL AS counted,
		coalesce(new_users, 0) AS new_users, coalesce(active_users, 0) AS active_users,
		coalesce(returning_users, 0) AS returning_users, coalesce(rooms_opened, 0) AS rooms_opened,
		coalesce(participants, 0) AS participants,
		coalesce(minutes_together, 0) AS minutes_together, coalesce(messages, 0) AS messages,
		coalesce(invitations_sent, 0) AS invitations_sent,
		coalesce(invitations_accepted, 0) AS invitations_accepted, coalesce(mails_sent, 0) AS emails_sent,
		coalesce(mails_failed, 0) AS emails_failed, coalesce(avatars, 0) AS avatars, coalesce(removed, 0) AS removed
	FROM generate_series(?0::timestamp, ?1::timestamp, interval '1 day') AS days (day)
	LEFT JOIN activity_days ON activity_days.day = days.day::date
	ORDER BY days.day`

const removedBy = `
	SELECT coalesce(jsonb_object_agg(policy, n), '{}') FROM (
		SELECT removed.policy, sum(removed.n::bigint) AS n FROM cleanup_runs AS c,
			jsonb_each_text(c.counts) AS removed (policy, n)
		WHERE c.finished_at >= ?0 AND c.finished_at < ?1 AND NOT c.dry_run GROUP BY removed.policy) AS sums WHERE n > 0`

// errUntallied is returned for a period that has a day without figures in activity_days.
var errUntallied = errors.New("store: a day of the period is not tallied yet")

// CreateActivityReport stores the report of the days from the first (from) to the last (to), and returns its ID. All of
// them must have been tallied. If the period has a report already, it returns the ID of that report. It returns
// ErrPeriodGone if clean-up has deleted rows of active_users that the report needs.
func (s *Store) CreateActivityReport(
	ctx context.Context, every watchparty.ReportPeriod, from, to watchparty.Day,
) (string, error) {
	var id string
	err := s.inTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		start, end := from.Time(), to.Add(1).Time()
		err := tx.NewSelect().Model((*reportRow)(nil)).Column("id").
			Where("kind = ? AND period_start = ? AND period_end = ?", watchparty.ActivityReportKind, start, end).Scan(ctx, &id)
		if err == nil || !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		report, err := reportActivity(ctx, tx, every, from, to)
		if err != nil {
			return err
		}
		data, err := json.Marshal(report)
		if err != nil {
			return err
		}
		row := &reportRow{ID: newID(), Kind: watchparty.ActivityReportKind, PeriodStart: start, PeriodEnd: end, Data: data,
			CreatedAt: Now()}
		return tx.NewInsert().Model(row).
			On("CONFLICT (period_start, period_end) WHERE kind = 'activity' DO UPDATE").Set("kind = EXCLUDED.kind").
			Returning("id").Scan(ctx, &id)
	})
	return id, wrapErr(err, "activity report")
}

func reportActivity(
	ctx context.Context, tx bun.Tx, every watchparty.ReportPeriod, from, to watchparty.Day,
) (watchparty.ActivityReport, error) {
	r := watchparty.ActivityReport{Every: every, From: from, To: to}
	next, err := readUntalliedDay(ctx, tx)
	if err != nil {
		return r, err
	}
	if next <= to {
		return r, errUntallied
	}
	since, err := countedSince(ctx, tx)
	if err != nil {
		return r, err
	}
	if since > from {
		r.CountedSince = &since
	}
	if since <= to {
		if err := addFigures(ctx, tx, &r, since); err != nil {
			return r, err
		}
	}
	r.Days, err = figuresByDay(ctx, tx, from, to)
	return r, err
}

// addFigures fills in the figures of a report's period, as far as they were counted: since is the first counted day.
func addFigures(ctx context.Context, tx bun.Tx, r *watchparty.ActivityReport, since watchparty.Day) (err error) {
	if r.Figures, err = figuresIn(ctx, tx, r.From, r.To); err != nil {
		return err
	}
	if r.Figures == nil {
		return watchparty.ErrPeriodGone
	}
	if first, last := r.Every.Last(r.From.Time()); since <= first {
		if r.Previous, err = figuresIn(ctx, tx, first, last); err != nil {
			return err
		}
	}
	var removed string
	if err := tx.NewRaw(removedBy, max(r.From, since).Time(), r.To.Add(1).Time()).Scan(ctx, &removed); err != nil {
		return err
	}
	return json.Unmarshal([]byte(removed), &r.RemovedBy)
}

// figuresByDay returns one entry for every day of a period. A day that was not counted has no figures.
func figuresByDay(ctx context.Context, tx bun.Tx, from, to watchparty.Day) ([]watchparty.ActivityDay, error) {
	var rows []struct {
		Day     watchparty.Day
		Counted bool
		watchparty.Figures
	}
	if err := tx.NewRaw(figuresOfDays, string(from), string(to)).Scan(ctx, &rows); err != nil {
		return nil, err
	}
	days := make([]watchparty.ActivityDay, len(rows))
	for i := range rows {
		days[i].Day = rows[i].Day
		if rows[i].Counted {
			days[i].Figures = &rows[i].Figures
		}
	}
	return days, nil
}

// countedSince returns the first day that was or will be counted, from activity_since.
func countedSince(ctx context.Context, db bun.IDB) (watchparty.Day, error) {
	var day time.Time
	if err := db.NewRaw("SELECT day FROM activity_since").Scan(ctx, &day); err != nil {
		return "", fmt.Errorf("store: counted since: %w", err)
	}
	return watchparty.DayOf(day), nil
}

// figuresIn returns the figures of the counted days of a period, or nil if clean-up has deleted rows of active_users of
// the period.
func figuresIn(ctx context.Context, tx bun.Tx, from, to watchparty.Day) (*watchparty.Figures, error) {
	var kept bool
	if err := tx.NewRaw("SELECT NOT EXISTS ("+goneDays("?0::date", "?1::date")+")", string(from), string(to)).
		Scan(ctx, &kept); err != nil || !kept {
		return nil, err
	}
	figures := &watchparty.Figures{}
	return figures, tx.NewRaw(figuresOf, string(from), string(to)).Scan(ctx, figures)
}

// goneDays selects the days of a period for which clean-up has deleted rows of active_users: activity_days counted
// more.
func goneDays(from, to string) string {
	return "SELECT FROM activity_days AS d WHERE d.day BETWEEN " + from + " AND " + to + `
		AND d.active_users <> (SELECT count(*) FROM active_users AS a WHERE a.day = d.day)`
}

// Period is the first and the last day that a report covers.
type Period struct{ From, To watchparty.Day }

// MissingReports returns those of the latest limit periods that have no report but should have one, the oldest first. A
// period should have a report if it is over, at least one of its days was counted, active_users still has all of its
// rows, and its report is due by Postgres' clock. due maps the first moment after a period to the time at which its
// report is due.
func (s *Store) MissingReports(
	ctx context.Context, every watchparty.ReportPeriod, due func(time.Time) time.Time, limit int,
) ([]Period, error) {
	var at struct {
		Now time.Time
		Day time.Time
	}
	if err := s.db.NewRaw("SELECT now() AS now, day FROM activity_since").Scan(ctx, &at); err != nil {
		return nil, fmt.Errorf("store: missing reports: %w", err)
	}
	var first, last []string
	for end := at.Now; len(first) < limit; {
		from, to := every.Last(end)
		if to < watchparty.DayOf(at.Day) {
			break
		}
		end = from.Time()
		if due(to.Add(1).Time()).After(at.Now) {
			continue
		}
		first, last = append(first, string(from)), append(last, string(to))
	}
	var missing []Period
	err := s.db.NewRaw(`
		SELECT to_char(p.first, 'YYYY-MM-DD') AS "from", to_char(p.last, 'YYYY-MM-DD') AS "to"
		FROM unnest(?::date[], ?::date[]) AS p (first, last)
		WHERE NOT EXISTS (SELECT FROM reports WHERE kind = 'activity'
				AND period_start = p.first::timestamp AT TIME ZONE 'UTC'
					AND period_end = (p.last + 1)::timestamp AT TIME ZONE 'UTC')
			AND NOT EXISTS (`+goneDays("p.first", "p.last")+`)
		ORDER BY p.first`, pgdialect.Array(first), pgdialect.Array(last)).Scan(ctx, &missing)
	if err != nil {
		return nil, fmt.Errorf("store: missing reports: %w", err)
	}
	return missing, nil
}

// ActivityReport finds an activity report by its ID.
func (s *Store) ActivityReport(ctx context.Context, id string) (watchparty.ActivityReport, error) {
	var row reportRow
	if err := s.db.NewSelect().Model(&row).Where("id = ? AND kind = ?", id, watchparty.ActivityReportKind).
		Scan(ctx); err != nil {
		return watchparty.ActivityReport{}, wrapErr(err, "activity report")
	}
	report := watchparty.ActivityReport{ID: row.ID}
	if err := json.Unmarshal(row.Data, &report); err != nil {
		return watchparty.ActivityReport{}, fmt.Errorf("store: activity report: %w", err)
	}
	return report, nil
}

// QueueReportEmails queues one email with the report for each recipient who has none yet, and returns how many it has
// queued. report_mails stores only hashes of the addresses.
func (s *Store) QueueReportEmails(ctx context.Context, reportID string, recipients []watchparty.Address) (int, error) {
	queued := 0
	err := s.withEvents(ctx, func(ctx context.Context, tx bun.Tx) (events []job.Event, err error) {
		for _, recipient := range recipients { // few: a setting
			id := newID()
			// Former versions stored plain hashes.
			result, err := tx.NewRaw(`
				INSERT INTO report_mails (id, report_id, recipient_hash) SELECT ?0, ?1, ?2
				WHERE NOT EXISTS (SELECT FROM report_mails WHERE report_id = ?1 AND recipient_hash IN (?3)) ON CONFLICT DO NOTHING`,
				id, reportID, s.recipientHash(recipient), bun.List(plainHashes(recipient))).Exec(ctx)
			if err != nil {
				return nil, err
			}
			if !affected(result) {
				continue
			}
			emailID, err := s.addEmail(ctx, tx, watchparty.EmailActivityReport, id, "", job.ReportEmailID(id), "",
				recipient.Key())
			if err != nil {
				return nil, err
			}
			events = append(events, job.ReportEmailEvent(id, emailID))
		}
		queued = len(events)
		return events, nil
	})
	if err != nil {
		return 0, fmt.Errorf("store: queue report emails: %w", err)
	}
	return queued, nil
}

// ReportEmail returns the report of an email, and the recipient of the email. It returns ErrNotFound if the email is
// for none of the recipients.
func (s *Store) ReportEmail(
	ctx context.Context, id string, recipients []watchparty.Address,
) (watchparty.ActivityReport, watchparty.Address, error) {
	var (
		reportID string
		hash     []byte
	)
	err := s.db.NewSelect().Table("report_mails").Column("report_id", "recipient_hash").Where("id = ?", id).
		Scan(ctx, &reportID, &hash)
	if err != nil {
		return watchparty.ActivityReport{}, watchparty.Address{}, wrapErr(err, "report email")
	}
	to := slices.IndexFunc(recipients, func(a watchparty.Address) bool {
		same := func(known []byte) bool { return bytes.Equal(hash, known) }
		return same(s.recipientHash(a)) || slices.ContainsFunc(s.digests.Former("report-recipient", a.Key()), same) ||
			slices.ContainsFunc(plainHashes(a), same)
	})
	if to < 0 {
		return watchparty.ActivityReport{}, watchparty.Address{},
			fmt.Errorf("store: report email's recipient: %w", watchparty.ErrNotFound)
	}
	report, err := s.ActivityReport(ctx, reportID)
	return report, recipients[to], err
}

// recipientHash is the hash of an address in report_mails.
func (s *Store) recipientHash(a watchparty.Address) []byte {
	return s.digests.Sum("report-recipient", a.Key())
}
