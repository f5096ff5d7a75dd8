package store

import (
	"context"
	"fmt"
	"regexp"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/pgdialect"

	"github.com/watchparty/watchparty"
)

// forgetName takes a deleted account's name out of what others wrote about it in logs. Lines are written with IDs, and names
// are looked up when they are read, so a name is only in the reasons that people give. A reason for an act on the account goes
// as a whole. In the rooms that the account had to do with, other reasons lose its username and its address; elsewhere a
// username is a word like any other.
//
// Who did something as an admin stays in the audit log by the name at the time; see audit.
func forgetName(ctx context.Context, tx bun.Tx, user userRow, rooms []string) error {
	for _, statement := range []string{
		"UPDATE room_log SET details = details - 'reason', updated_at = now() WHERE target_id = ? AND jsonb_exists(details, 'reason')",
		"UPDATE audit SET details = details - 'reason', updated_at = now() WHERE target_id = ? AND jsonb_exists(details, 'reason')",
	} {
		if _, err := tx.NewRaw(statement, user.ID).Exec(ctx); err != nil {
			return fmt.Errorf("store: forget name: %w", err)
		}
	}
	// Both sides of a name are anything that cannot be part of it, or nothing.
	names := `(?<![[:alnum:]_])(` + regexp.QuoteMeta(user.Username) + "|" + regexp.QuoteMeta(user.Email) + `)(?![[:alnum:]_])`
	const theirs = `room_id = ANY(ARRAY(SELECT room_id FROM room_log WHERE actor_id = ?2
		UNION SELECT room_id FROM room_log WHERE target_id = ?2 UNION SELECT unnest(?3::uuid[])))`
	for _, statement := range []string{
		`UPDATE room_log SET updated_at = now(),
			details = jsonb_set(details, '{reason}', to_jsonb(regexp_replace(details->>'reason', ?0, ?1, 'gi')))
			WHERE details->>'reason' ~* ?0 AND ` + theirs,
		"UPDATE bans SET reason = regexp_replace(reason, ?0, ?1, 'gi'), updated_at = now() WHERE reason ~* ?0 AND " + theirs,
		"UPDATE mutes SET reason = regexp_replace(reason, ?0, ?1, 'gi'), updated_at = now() WHERE reason ~* ?0 AND " + theirs,
	} {
		_, err := tx.NewRaw(statement, names, watchparty.DeletedDisplayName, user.ID, pgdialect.Array(rooms)).Exec(ctx)
		if err != nil {
			return fmt.Errorf("store: forget name: %w", err)
		}
	}
	return nil
}
