package store

import (
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/uptrace/bun"

	"github.com/watchparty/watchparty"
)

// wrapErr turns a missing row into the domain's error and names the operation of any other.
func wrapErr(err error, operation string) error {
	if errors.Is(err, sql.ErrNoRows) {
		return fmt.Errorf("store: %s: %w", operation, watchparty.ErrNotFound)
	}
	if err != nil {
		return fmt.Errorf("store: %s: %w", operation, err)
	}
	return nil
}

// affected reports whether a statement changed a row.
func affected(result sql.Result) bool {
	n, err := result.RowsAffected()
	return err == nil && n > 0
}

// checkVersion returns ErrChangedSince unless a row has one of the versions; nil allows any version.
func checkVersion(version int, versions []int) error {
	if versions != nil && !slices.Contains(versions, version) {
		return watchparty.ErrChangedSince
	}
	return nil
}

// isSubset reports whether all has every ID of some.
func isSubset(some, all []string) bool {
	return !slices.ContainsFunc(some, func(id string) bool { return !slices.Contains(all, id) })
}

// nullID stores an empty ID as NULL.
func nullID(id string) *string {
	if id == "" {
		return nil
	}
	return &id
}

// nullTime stores a zero time as NULL.
func nullTime(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// interval converts a duration to SQL.
func interval(d time.Duration) any {
	return bun.SafeQuery("? * interval '1 microsecond'", d.Microseconds())
}

// valueOrZero reads NULL as the zero value.
func valueOrZero[T any](p *T) T {
	if p == nil {
		var zero T
		return zero
	}
	return *p
}

func mapRows[From, To any](rows []From, to func(From) To) []To {
	out := make([]To, 0, len(rows))
	for _, row := range rows {
		out = append(out, to(row))
	}
	return out
}

// set sets v to the given value, if any, and reports whether that changes v.
func set[T comparable](v, given *T) bool {
	if given == nil || *v == *given {
		return false
	}
	*v = *given
	return true
}

// utc leaves zero times, which stand for NULL, as they are.
func utc(times ...*time.Time) {
	for _, t := range times {
		*t = t.UTC()
	}
}
