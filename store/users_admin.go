package store

import (
	"context"
	"fmt"
	"strings"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/schema"

	"github.com/watchparty/watchparty"
)

var searchableUsers = searchable{
	alias: "u", from: "users AS u", length: "char_length(u.username)", newest: true, also: byBeginningOfAddress,
}

// byBeginningOfAddress finds an address as it was typed, by its key's beginning, and, written otherwise, as a whole.
func byBeginningOfAddress(typed string) schema.QueryWithArgs {
	return bun.SafeQuery("(lower(u.email) LIKE lower(?) || '%' OR u.email_key LIKE ? || '%' OR u.email_key = ?)",
		escapeLike.Replace(typed), escapeLike.Replace(watchparty.AddressPrefix(typed)), watchparty.AccountKey(typed))
}

// Users lists accounts, newest first, or the closest first when it searches for something: by their names, and by their
// addresses.
func (s *Store) Users(ctx context.Context, f watchparty.UserFilter, p Page) ([]watchparty.User, error) {
	choose := func(q *bun.SelectQuery) *bun.SelectQuery {
		q = q.Where("u.deleted_at IS NULL")
		switch f.State {
		case watchparty.UserActive:
			q = q.Where("u.suspended_at IS NULL")
		case watchparty.UserSuspended:
			q = q.Where("u.suspended_at IS NOT NULL")
		}
		if f.Admins {
			q = q.Where("u.is_admin")
		}
		return q
	}
	list := func(rows *[]userRow) *bun.SelectQuery {
		return s.db.NewSelect().Model(rows).ColumnExpr("?TableColumns")
	}
	rows, err := searchPage(ctx, s, searchableUsers, list, choose, f.Search, p)
	if err != nil {
		return nil, fmt.Errorf("store: users: %w", err)
	}
	return mapRows(rows, userRow.user), nil
}

// escapeLike takes their meaning from LIKE's special characters.
var escapeLike = strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`)
