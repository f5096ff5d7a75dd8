package store

import (
	"context"
	"fmt"

	"github.com/watchparty/watchparty"
)

// Genres lists the genres of the catalogue, those of the most movies first. Spellings of one genre count together,
// under the most frequent one. It reads the whole catalogue: cache what it returns.
func (s *Store) Genres(ctx context.Context) ([]watchparty.GenreCount, error) {
	var genres []watchparty.GenreCount
	// search_genres puts two keys of each genre into searched_genres, in the order of the genres. The first does for both.
	err := s.db.NewRaw(`
		SELECT mode() WITHIN GROUP (ORDER BY g.genre) AS genre, count(DISTINCT m.id) AS movies
		FROM movies AS m CROSS JOIN unnest(m.genres) WITH ORDINALITY AS g (genre, place)
		WHERE m.archived_at IS NULL
		GROUP BY m.searched_genres[2 * g.place - 1]
		ORDER BY movies DESC, genre LIMIT ?`, watchparty.MaxGenresListed).Scan(ctx, &genres)
	if err != nil {
		return nil, fmt.Errorf("store: genres: %w", err)
	}
	return genres, nil
}
