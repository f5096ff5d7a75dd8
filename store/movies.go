package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/coherence"
)

type movieRow struct {
	bun.BaseModel `bun:"table:movies,alias:m"`

	ID             string     `bun:"id,pk"`
	Title          string     `bun:"title"`
	Year           int        `bun:"year"`
	RuntimeMinutes int        `bun:"runtime_minutes"`
	Description    string     `bun:"description"`
	Genres         []string   `bun:"genres,array"`
	PosterURL      string     `bun:"poster_url"`
	StreamURL      string     `bun:"stream_url"`
	DurationMS     int64      `bun:"duration_ms"`
	ArchivedAt     *time.Time `bun:"archived_at"`
	Version        int        `bun:"version"`
	CreatedAt      time.Time  `bun:"created_at"`
	UpdatedAt      time.Time  `bun:"updated_at"`
	Rank           int        `bun:"rank,scanonly"`

	Subtitles []watchparty.Subtitle `bun:"subtitles,type:jsonb,scanonly"`
}

func (r movieRow) movie() watchparty.Movie {
	if len(r.Subtitles) == 0 {
		r.Subtitles = nil
	}
	return watchparty.Movie{
		ID: r.ID, Title: r.Title, Year: r.Year, RuntimeMinutes: r.RuntimeMinutes, Description: r.Description,
		Genres: r.Genres, PosterURL: r.PosterURL, StreamURL: r.StreamURL, DurationMS: r.DurationMS,
		Subtitles: r.Subtitles, ArchivedAt: valueOrZero(r.ArchivedAt).UTC(),
		Version:   r.Version,
		CreatedAt: r.CreatedAt.UTC(), UpdatedAt: r.UpdatedAt.UTC(), Rank: r.Rank,
	}
}

// subtitlesOf selects the subtitles of a movie, given as an expression in SQL, in the order of their languages.
func subtitlesOf(movieID string) string {
	return "(SELECT coalesce(jsonb_agg(jsonb_build_object('Language', language, 'URL', url) " +
		"ORDER BY language COLLATE \"C\"), '[]') FROM subtitles WHERE movie_id = " + movieID + ")"
}

// selectMovies selects movies with their subtitles.
func selectMovies(db bun.IDB, rows any) *bun.SelectQuery {
	return db.NewSelect().Model(rows).ColumnExpr("?TableColumns").ColumnExpr(subtitlesOf("m.id") + " AS subtitles")
}

// setSubtitles replaces the subtitles of a movie whose lock the caller holds.
func setSubtitles(ctx context.Context, tx bun.Tx, movieID string, subtitles []watchparty.Subtitle) error {
	if _, err := tx.NewRaw("DELETE FROM subtitles WHERE movie_id = ?", movieID).Exec(ctx); err != nil {
		return fmt.Errorf("store: remove subtitles: %w", err)
	}
	for _, s := range subtitles { // at most watchparty.MaxSubtitles
		_, err := tx.NewRaw("INSERT INTO subtitles (movie_id, language, url) VALUES (?, ?, ?)", movieID, s.Language, s.URL).
			Exec(ctx)
		if err != nil {
			return fmt.Errorf("store: add subtitles: %w", err)
		}
	}
	return nil
}

var searchableMovies = searchable{alias: "m", from: "movies AS m", length: "char_length(m.title)"}

// Movies lists the movies that match the filter, in the order in which they were added, or the closest first in a
// search.
func (s *Store) Movies(ctx context.Context, f watchparty.MovieFilter, p Page) ([]watchparty.Movie, error) {
	choose := func(q *bun.SelectQuery) *bun.SelectQuery {
		if f.Archived {
			q = q.Where("m.archived_at IS NOT NULL")
		} else {
			q = q.Where("m.archived_at IS NULL")
		}
		if f.Genre != "" {
			q = q.Where("m.searched_genres && search_genres(ARRAY[?])", f.Genre)
		}
		if f.YearFrom > 0 {
			q = q.Where("m.year >= ?", f.YearFrom)
		}
		if f.YearTo > 0 {
			q = q.Where("m.year <= ?", f.YearTo)
		}
		if f.RuntimeMax > 0 {
			q = q.Where("m.runtime_minutes <= ?", f.RuntimeMax)
		}
		return q
	}
	list := func(rows *[]movieRow) *bun.SelectQuery {
		return selectMovies(s.db, rows)
	}
	rows, err := searchPage(ctx, s, searchableMovies, list, choose, f.Search, p)
	if err != nil {
		return nil, fmt.Errorf("store: movies: %w", err)
	}
	return mapRows(rows, movieRow.movie), nil
}

// Movie finds a movie by its ID, archived or not.
func (s *Store) Movie(ctx context.Context, id string) (watchparty.Movie, error) {
	var row movieRow
	err := selectMovies(s.db, &row).Where("m.id = ?", id).Scan(ctx)
	return row.movie(), wrapErr(err, "movie")
}

// MoviesByID lists those of the named movies that exist, archived or not, in the order in which they were added.
func (s *Store) MoviesByID(ctx context.Context, ids []string) ([]watchparty.Movie, error) {
	var rows []movieRow
	if err := selectMovies(s.db, &rows).Where("m.id IN (?)", bun.List(ids)).Order("m.id").Scan(ctx); err != nil {
		return nil, fmt.Errorf("store: movies by ID: %w", err)
	}
	return mapRows(rows, movieRow.movie), nil
}

// CreateMovie adds a movie on behalf of an admin. It returns ErrMovieExists and ErrKeyReused.
func (s *Store) CreateMovie(
	ctx context.Context, adminID string, n watchparty.NewMovie, key IdempotencyKey,
) (watchparty.Movie, error) {
	now := Now()
	row := movieRow{
		ID: newID(), Title: n.Title, Year: n.Year, RuntimeMinutes: n.RuntimeMinutes, Description: n.Description,
		Genres: append([]string{}, n.Genres...), PosterURL: n.PosterURL, StreamURL: n.StreamURL,
		DurationMS: n.DurationMS, Version: 1, CreatedAt: now, UpdatedAt: now,
	}
	err := s.inTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		former, err := claimKey(ctx, tx, key, row.ID)
		if err != nil {
			return err
		}
		if former != "" {
			return selectMovies(tx, &row).Where("m.id = ?", former).Scan(ctx)
		}
		if err := requireAdmin(ctx, tx, adminID); err != nil {
			return err
		}
		changes(ctx, coherence.TagMovies)
		if _, err := tx.NewInsert().Model(&row).Exec(ctx); err != nil {
			return err
		}
		if err := setSubtitles(ctx, tx, row.ID, n.Subtitles); err != nil {
			return err
		}
		row.Subtitles = sortedSubtitles(n.Subtitles)
		return audit(ctx, tx, adminID, watchparty.AuditMovieCreated, watchparty.AuditMovie, row.ID, nil)
	})
	return changedMovie(row, err, "create movie")
}

// UpdateMovie changes a movie on behalf of an admin, if the movie has one of the versions; nil allows any version. It
// returns ErrNotFound, ErrChangedSince and ErrMovieExists.
func (s *Store) UpdateMovie(
	ctx context.Context, adminID, id string, c watchparty.MovieChange, versions []int,
) (watchparty.Movie, error) {
	var row movieRow
	err := s.inTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		if err := requireAdmin(ctx, tx, adminID); err != nil {
			return err
		}
		if err := selectMovies(tx, &row).Where("m.id = ?", id).For("NO KEY UPDATE").Scan(ctx); err != nil {
			return err
		}
		if err := checkVersion(row.Version, versions); err != nil {
			return err
		}
		changed := row.apply(c)
		if len(changed) == 0 {
			return nil
		}
		row.Version++
		row.UpdatedAt = Now()
		changes(ctx, coherence.TagMovies, coherence.TagMovie(id))
		if _, err := tx.NewUpdate().Model(&row).WherePK().Exec(ctx); err != nil {
			return err
		}
		if slices.Contains(changed, "subtitles") {
			if err := setSubtitles(ctx, tx, id, row.Subtitles); err != nil {
				return err
			}
		}
		return audit(ctx, tx, adminID, watchparty.AuditMovieUpdated, watchparty.AuditMovie, id,
			map[string]any{"fields": changed})
	})
	return changedMovie(row, err, "update movie")
}

func changedMovie(row movieRow, err error, operation string) (watchparty.Movie, error) {
	if violates(err, "movies_title_year_key") {
		return watchparty.Movie{}, watchparty.ErrMovieExists
	}
	return row.movie(), wrapErr(err, operation)
}

// sortedSubtitles is a copy in the order of languages.
func sortedSubtitles(subtitles []watchparty.Subtitle) []watchparty.Subtitle {
	return slices.SortedFunc(slices.Values(subtitles), func(a, b watchparty.Subtitle) int {
		return strings.Compare(a.Language, b.Language)
	})
}

// apply sets the fields that c gives, and returns the names of those that have changed.
func (r *movieRow) apply(c watchparty.MovieChange) []string {
	changed := []string{}
	note := func(name string, differs bool) {
		if differs {
			changed = append(changed, name)
		}
	}
	note("title", set(&r.Title, c.Title))
	note("year", set(&r.Year, c.Year))
	note("runtime_minutes", set(&r.RuntimeMinutes, c.RuntimeMinutes))
	note("description", set(&r.Description, c.Description))
	note("poster_url", set(&r.PosterURL, c.PosterURL))
	note("stream_url", set(&r.StreamURL, c.StreamURL))
	note("duration_ms", set(&r.DurationMS, c.DurationMS))
	if c.Subtitles != nil {
		given := sortedSubtitles(*c.Subtitles)
		note("subtitles", !slices.Equal(r.Subtitles, given))
		r.Subtitles = given
	}
	if c.Genres != nil {
		note("genres", !slices.Equal(r.Genres, *c.Genres))
		r.Genres = append([]string{}, *c.Genres...)
	}
	if c.Archived != nil && *c.Archived != (r.ArchivedAt != nil) {
		note("archived", true)
		r.ArchivedAt = nil
		if *c.Archived {
			now := Now()
			r.ArchivedAt = &now
		}
	}
	return changed
}

// DeleteMovie deletes a movie on behalf of an admin, if the movie has one of the versions; nil allows any version. It
// returns ErrNotFound, ErrChangedSince, and ErrMovieInUse while rooms have it. Deleted rooms do not count and lose the
// movie.
func (s *Store) DeleteMovie(ctx context.Context, adminID, id string, versions []int) error {
	err := s.inTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		// Deleted rooms lose the movie below.
		_, err := tx.NewRaw("SELECT FROM rooms WHERE movie_id = ? AND deleted_at IS NOT NULL ORDER BY id FOR NO KEY UPDATE",
			id).Exec(ctx)
		if err != nil {
			return err
		}
		if err := requireAdmin(ctx, tx, adminID); err != nil {
			return err
		}
		// A transaction that gives the movie to a room locks it: it either commits before this one and is counted, or finds
		// the movie deleted.
		var row movieRow
		if err := tx.NewSelect().Model(&row).Where("id = ?", id).For("UPDATE").Scan(ctx); err != nil {
			return err
		}
		if err := checkVersion(row.Version, versions); err != nil {
			return err
		}
		var rooms int // those that are to play it, or are playing it, need it too
		err = tx.NewRaw(`
			SELECT count(*) FROM (
				SELECT id FROM rooms WHERE movie_id = ?0 AND deleted_at IS NULL
				UNION SELECT r.id FROM queue_items AS i JOIN rooms AS r ON r.id = i.room_id AND r.deleted_at IS NULL
				WHERE i.movie_id = ?0
				UNION SELECT r.id FROM parties AS y JOIN rooms AS r ON r.id = y.room_id AND r.deleted_at IS NULL
				WHERE y.movie_id = ?0 AND y.state = 'scheduled') AS users_of_it`, id).Scan(ctx, &rooms)
		if err != nil {
			return err
		}
		if rooms > 0 {
			return watchparty.MovieInUse(rooms)
		}
		if _, err := tx.NewRaw("DELETE FROM queue_items WHERE movie_id = ?", id).Exec(ctx); err != nil { // of deleted rooms
			return err
		}
		if _, err := tx.NewUpdate().Model((*roomRow)(nil)).Set("movie_id = NULL").Where("movie_id = ?", id).
			Exec(ctx); err != nil {
			return err
		}
		changes(ctx, coherence.TagMovies, coherence.TagMovie(id))
		if _, err := tx.NewDelete().Model(&row).WherePK().Exec(ctx); err != nil {
			return err
		}
		details := map[string]any{"title": row.Title, "year": row.Year}
		return audit(ctx, tx, adminID, watchparty.AuditMovieDeleted, watchparty.AuditMovie, id, details)
	})
	return wrapErr(err, "delete movie")
}

// inCatalogue returns ErrUnknownMovie for a movie that is archived or does not exist; an empty ID is fine. It locks the
// movie, so that it stays until the transaction ends.
func inCatalogue(ctx context.Context, tx bun.Tx, movieID string) error {
	if movieID == "" {
		return nil
	}
	listed := false
	err := tx.NewSelect().Model((*movieRow)(nil)).ColumnExpr("archived_at IS NULL").Where("id = ?", movieID).
		For("SHARE").Scan(ctx, &listed)
	if errors.Is(err, sql.ErrNoRows) || err == nil && !listed {
		return watchparty.ErrUnknownMovie
	}
	return err
}

// AddMovies stores those of the movies that do not exist yet, by title and year.
func (s *Store) AddMovies(ctx context.Context, movies []watchparty.Movie) error {
	if len(movies) == 0 {
		return nil
	}
	now := Now()
	rows := make([]movieRow, 0, len(movies))
	for _, m := range movies {
		rows = append(rows, movieRow{
			ID: newID(), Title: m.Title, Year: m.Year, RuntimeMinutes: m.RuntimeMinutes,
			Description: m.Description, Genres: append([]string{}, m.Genres...), PosterURL: m.PosterURL,
			StreamURL: m.StreamURL, DurationMS: m.DurationMS, Version: 1, CreatedAt: now, UpdatedAt: now,
		})
	}
	// Two transactions that add the same movies at once insert them in one order, so that they do not deadlock.
	slices.SortFunc(rows, func(a, b movieRow) int {
		return cmp.Or(strings.Compare(a.Title, b.Title), cmp.Compare(a.Year, b.Year))
	})
	err := s.inTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		result, err := tx.NewInsert().Model(&rows).On("CONFLICT ON CONSTRAINT movies_title_year_key DO NOTHING").Exec(ctx)
		if err == nil && affected(result) {
			changes(ctx, coherence.TagMovies)
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("store: add movies: %w", err)
	}
	return nil
}
