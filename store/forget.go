package store

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/pgdialect"

	"github.com/watchparty/watchparty"
)

// forgetNameInRooms removes a deleted account's names from texts in the logs of rooms, and returns the rooms. Log
// entries refer to accounts by ID, so names are only in the reasons and notes that people typed. The reason of an act
// on the account is removed completely. In other texts, the username, the address and the display name are replaced if
// the text is about a room that the account was in, about one of its messages, or about a report on it. Anywhere else a
// username is a word like any other.
//
// It has to run before messages are anonymised, since it finds the account's messages by their author.
//
// The audit log keeps the username of an admin who acted; see audit.
func forgetNameInRooms(ctx context.Context, tx bun.Tx, user userRow, rooms []string) (all []string, err error) {
	if all, err = roomsOf(ctx, tx, user.ID, rooms); err != nil {
		return nil, err
	}
	return all, forget(ctx, tx, user, all,
		`UPDATE bans SET reason = regexp_replace(reason, ?0, ?1, 'gi'), updated_at = now() WHERE (room_id, user_id) IN (
			SELECT room_id, user_id FROM bans WHERE reason ~* ?0 AND room_id = ANY(?3::uuid[])
			ORDER BY room_id, user_id FOR NO KEY UPDATE)`,
		`UPDATE mutes SET reason = regexp_replace(reason, ?0, ?1, 'gi'), updated_at = now() WHERE (room_id, user_id) IN (
			SELECT room_id, user_id FROM mutes WHERE reason ~* ?0 AND room_id = ANY(?3::uuid[])
			ORDER BY room_id, user_id FOR NO KEY UPDATE)`,
		`UPDATE room_log SET details = CASE WHEN target_id = ?2 THEN details - 'reason'
				ELSE jsonb_set(details, '{reason}', to_jsonb(regexp_replace(details->>'reason', ?0, ?1, 'gi'))) END,
			updated_at = now()
			WHERE id IN (SELECT id FROM room_log WHERE id IN (
				SELECT id FROM room_log WHERE target_id = ?2 AND jsonb_exists(details, 'reason')
				UNION ALL SELECT id FROM room_log WHERE details->>'reason' ~* ?0 AND room_id = ANY(?3::uuid[]))
				ORDER BY id FOR NO KEY UPDATE)`)
}

// forgetNameInReports does the same in the audit log and in reports of abuse, for the rooms that forgetNameInRooms
// returned.
func forgetNameInReports(ctx context.Context, tx bun.Tx, user userRow, rooms []string) error {
	return forget(
		ctx,
		tx,
		user,
		rooms,
		`UPDATE abuse_reports SET updated_at = now(), note = regexp_replace(note, ?0, ?1, 'gi'),
			body = regexp_replace(body, ?0, ?1, 'gi')
			WHERE id IN (SELECT id FROM abuse_reports
				WHERE (note ~* ?0 OR body ~* ?0) AND (subject_id = ?2 OR room_id = ANY(?3::uuid[]))
				ORDER BY id FOR NO KEY UPDATE)`,
		`UPDATE audit SET updated_at = now(), details = CASE WHEN target_id = ?2 THEN details - 'reason' ELSE details END
				|| jsonb_strip_nulls(jsonb_build_object(
					'reason', CASE WHEN target_id <> ?2 THEN regexp_replace(details->>'reason', ?0, ?1, 'gi') END,
					'note', regexp_replace(details->>'note', ?0, ?1, 'gi')))
			WHERE id IN (SELECT id FROM audit WHERE id IN (
				SELECT id FROM audit WHERE target_id = ?2 AND jsonb_exists(details, 'reason')
				UNION ALL SELECT id FROM audit
					WHERE (details->>'reason' ~* ?0 OR details->>'note' ~* ?0) AND id IN (`+auditAbout+`))
				ORDER BY id FOR NO KEY UPDATE)`,
	)
}

// forget runs statements with these arguments: a pattern of the account's names, their replacement, the account's ID,
// and rooms.
func forget(ctx context.Context, tx bun.Tx, user userRow, rooms []string, statements ...string) error {
	for _, statement := range statements {
		_, err := tx.NewRaw(statement, namePattern(user), watchparty.DeletedDisplayName, user.ID, pgdialect.Array(rooms),
			string(watchparty.AuditMessageRemoved), string(watchparty.AuditReportResolved)).Exec(ctx)
		if err != nil {
			return fmt.Errorf("store: forget name: %w", err)
		}
	}
	return nil
}

// auditAbout selects the entries of the audit log about the rooms ?3 and the messages in them, about the messages of
// the user ?2, and about reports on the user or on the rooms.
const auditAbout = `
	SELECT id FROM audit WHERE target_id = ANY(?3::uuid[])
	UNION ALL SELECT a.id FROM audit AS a WHERE a.action = ?4 AND (a.details->>'room_id' = ANY(?3::text[])
		OR EXISTS (SELECT FROM messages WHERE id = a.target_id AND user_id = ?2))
	UNION ALL SELECT a.id FROM audit AS a JOIN abuse_reports AS r ON r.id = a.target_id
		WHERE a.action = ?5 AND (r.subject_id = ?2 OR r.room_id = ANY(?3::uuid[]))`

// roomsOf adds to the given rooms those that the account has been in, and those whose log names it.
func roomsOf(ctx context.Context, tx bun.Tx, userID string, rooms []string) (all []string, err error) {
	err = tx.NewRaw(`
		SELECT unnest(?1::uuid[]) UNION SELECT room_id FROM stays WHERE user_id = ?0
		UNION SELECT room_id FROM room_log WHERE actor_id = ?0 UNION SELECT room_id FROM room_log WHERE target_id = ?0`,
		userID, pgdialect.Array(rooms)).Scan(ctx, &all)
	if err != nil {
		return nil, fmt.Errorf("store: rooms of an account: %w", err)
	}
	return all, nil
}

// minForgottenName is the shortest display name that is replaced: a shorter one is part of too many words.
const minForgottenName = 3 // characters

// namePattern is a Postgres regular expression that matches an account's names as whole words. Where several names
// match at one place, Postgres takes the longest.
func namePattern(user userRow) string {
	names := []string{regexp.QuoteMeta(user.Username), regexp.QuoteMeta(user.Email)}
	if user.DisplayName != user.Username && utf8.RuneCountInString(user.DisplayName) >= minForgottenName {
		names = append(names, regexp.QuoteMeta(user.DisplayName))
	}
	return "(?<![[:alnum:]_])(" + strings.Join(names, "|") + ")(?![[:alnum:]_])"
}
