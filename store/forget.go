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

// forgetName takes a deleted account's name out of what others wrote about it in logs. Lines are written with IDs, and
// names are looked up when they are read, so a name is only in the reasons and notes that people give. A reason for an
// act on the account goes as a whole. Other texts lose its username, its address and its display name if they are about
// a room that the account had to do with, about one of its messages, or about a report on it. Elsewhere a username is a
// word like any other.
//
// Call it before messages are anonymised: it finds the account's messages by their author.
//
// Who did something as an admin stays in the audit log by the name at the time; see audit.
func forgetName(ctx context.Context, tx bun.Tx, user userRow, rooms []string) error {
	for _, statement := range []string{
		`UPDATE room_log SET details = details - 'reason', updated_at = now()
			WHERE target_id = ? AND jsonb_exists(details, 'reason')`,
		`UPDATE audit SET details = details - 'reason', updated_at = now()
			WHERE target_id = ? AND jsonb_exists(details, 'reason')`,
	} {
		if _, err := tx.NewRaw(statement, user.ID).Exec(ctx); err != nil {
			return fmt.Errorf("store: forget name: %w", err)
		}
	}
	rooms, err := roomsOf(ctx, tx, user.ID, rooms)
	if err != nil {
		return err
	}
	for _, statement := range []string{
		`UPDATE room_log SET updated_at = now(),
			details = jsonb_set(details, '{reason}', to_jsonb(regexp_replace(details->>'reason', ?0, ?1, 'gi')))
			WHERE details->>'reason' ~* ?0 AND room_id = ANY(?3::uuid[])`,
		`UPDATE bans SET reason = regexp_replace(reason, ?0, ?1, 'gi'), updated_at = now()
			WHERE reason ~* ?0 AND room_id = ANY(?3::uuid[])`,
		`UPDATE mutes SET reason = regexp_replace(reason, ?0, ?1, 'gi'), updated_at = now()
			WHERE reason ~* ?0 AND room_id = ANY(?3::uuid[])`,
		`UPDATE audit SET updated_at = now(), details = details || jsonb_strip_nulls(jsonb_build_object(
				'reason', regexp_replace(details->>'reason', ?0, ?1, 'gi'), 'note', regexp_replace(details->>'note', ?0, ?1, 'gi')))
			WHERE (details->>'reason' ~* ?0 OR details->>'note' ~* ?0) AND id IN (` + auditAbout + ")",
		`UPDATE abuse_reports SET updated_at = now(), note = regexp_replace(note, ?0, ?1, 'gi'), body = regexp_replace(body, ?0, ?1, 'gi')
			WHERE (note ~* ?0 OR body ~* ?0) AND (subject_id = ?2 OR room_id = ANY(?3::uuid[]))`,
	} {
		_, err := tx.NewRaw(statement, namePattern(user), watchparty.DeletedDisplayName, user.ID, pgdialect.Array(rooms),
			string(watchparty.AuditMessageRemoved), string(watchparty.AuditReportResolved)).Exec(ctx)
		if err != nil {
			return fmt.Errorf("store: forget name: %w", err)
		}
	}
	return nil
}

// auditAbout chooses the lines of the audit log about the rooms ?3 and the messages in them, about the messages of the
// user ?2, and about reports on the user or on the rooms.
const auditAbout = `
	SELECT id FROM audit WHERE target_id = ANY(?3::uuid[])
	UNION ALL SELECT a.id FROM audit AS a WHERE a.action = ?4 AND (a.details->>'room_id' = ANY(?3::text[])
		OR EXISTS (SELECT FROM messages WHERE id = a.target_id AND user_id = ?2))
	UNION ALL SELECT a.id FROM audit AS a JOIN abuse_reports AS r ON r.id = a.target_id
		WHERE a.action = ?5 AND (r.subject_id = ?2 OR r.room_id = ANY(?3::uuid[]))`

// roomsOf adds to the given rooms those in which an account was before, and those whose log names it.
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

// minForgottenName is the length from which on a display name is looked for: a shorter one is part of too many texts.
const minForgottenName = 3 // characters

// namePattern is a regular expression of Postgres for an account's names. Both sides of a name are anything that cannot
// be part of it, or nothing. Where several names match at one place, Postgres takes the longest.
func namePattern(user userRow) string {
	names := []string{regexp.QuoteMeta(user.Username), regexp.QuoteMeta(user.Email)}
	if user.DisplayName != user.Username && utf8.RuneCountInString(user.DisplayName) >= minForgottenName {
		names = append(names, regexp.QuoteMeta(user.DisplayName))
	}
	return "(?<![[:alnum:]_])(" + strings.Join(names, "|") + ")(?![[:alnum:]_])"
}
