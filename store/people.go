package store

import (
	"context"
	"fmt"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/pgdialect"

	"github.com/watchparty/watchparty"
)

// personOf selects the account with an ID, which is given as an expression in SQL, as a watchparty.Person in JSON. It
// is the one place that says what others see of an account. It is NULL for an account that is deleted, whether its row
// is there yet or not.
func personOf(userID string) string {
	return "(SELECT json_build_object('ID', id, 'Username', username, 'DisplayName', display_name, " +
		"'AvatarVersion', avatar_version, 'AvatarFiles', avatar_files) FROM users WHERE id = " + userID +
		" AND deleted_at IS NULL)"
}

// readPeople finds the accounts with the given IDs that are not deleted.
func readPeople(ctx context.Context, db bun.IDB, ids []string) (map[string]watchparty.Person, error) {
	people := map[string]watchparty.Person{}
	if len(ids) == 0 {
		return people, nil
	}
	var rows []struct {
		Person watchparty.Person `bun:"person,type:json"`
	}
	err := db.NewRaw("SELECT "+personOf("k.id")+" AS person FROM unnest(?::uuid[]) AS k (id)", pgdialect.Array(ids)).
		Scan(ctx, &rows)
	if err != nil {
		return nil, fmt.Errorf("store: read people: %w", err)
	}
	for _, row := range rows {
		people[row.Person.ID] = row.Person
	}
	delete(people, "")
	return people, nil
}
