package store

import (
	"context"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/watchparty/watchparty"
)

type movieRow struct {
	bun.BaseModel `bun:"table:movies,alias:m"`

	ID             string    `bun:"id,pk"`
	Title          string    `bun:"title"`
	Year           int       `bun:"year"`
	RuntimeMinutes int       `bun:"runtime_minutes"`
	Description    string    `bun:"description"`
	Genres         []string  `bun:"genres,array"`
	CreatedAt      time.Time `bun:"created_at"`
	UpdatedAt      time.Time `bun:"updated_at"`
}

func (r movieRow) movie() watchparty.Movie {
	return watchparty.Movie{
		ID: r.ID, Title: r.Title, Year: r.Year, RuntimeMinutes: r.RuntimeMinutes, Description: r.Description,
		Genres: r.Genres, CreatedAt: r.CreatedAt.UTC(), UpdatedAt: r.UpdatedAt.UTC(),
	}
}

// Movies lists films in the order in which they were added.
func (s *Store) Movies(ctx context.Context, p Page) ([]watchparty.Movie, error) {
	var rows []movieRow
	q := s.db.NewSelect().Model(&rows).Order("id").Limit(p.Limit)
	if p.After != "" {
		q = q.Where("id > ?", p.After)
	}
	if err := q.Scan(ctx); err != nil {
		return nil, fmt.Errorf("store: movies: %w", err)
	}
	return convert(rows, movieRow.movie), nil
}

// Movie finds a film by its ID.
func (s *Store) Movie(ctx context.Context, id string) (watchparty.Movie, error) {
	var row movieRow
	err := s.db.NewSelect().Model(&row).Where("id = ?", id).Scan(ctx)
	return row.movie(), found(err, "movie")
}

// AddMovies stores those films that are not there yet, by title and year.
func (s *Store) AddMovies(ctx context.Context, movies []watchparty.Movie) error {
	if len(movies) == 0 {
		return nil
	}
	now := now()
	rows := make([]movieRow, 0, len(movies))
	for _, m := range movies {
		rows = append(rows, movieRow{
			ID: newID(), Title: m.Title, Year: m.Year, RuntimeMinutes: m.RuntimeMinutes,
			Description: m.Description, Genres: append([]string{}, m.Genres...), CreatedAt: now, UpdatedAt: now,
		})
	}
	if _, err := s.db.NewInsert().Model(&rows).On("CONFLICT ON CONSTRAINT movies_title_year_key DO NOTHING").Exec(ctx); err != nil {
		return fmt.Errorf("store: add movies: %w", err)
	}
	return nil
}

func convert[From, To any](rows []From, to func(From) To) []To {
	out := make([]To, 0, len(rows))
	for _, row := range rows {
		out = append(out, to(row))
	}
	return out
}
