package store

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty"
)

func newMovie(t *testing.T, s *Store, admin watchparty.User, n watchparty.NewMovie) watchparty.Movie {
	t.Helper()
	if n.Year == 0 {
		n.Year = 1926
	}
	if n.RuntimeMinutes == 0 {
		n.RuntimeMinutes = 100
	}
	m, err := s.CreateMovie(t.Context(), admin.ID, n, IdempotencyKey{})
	require.NoError(t, err)
	return m
}

// readAudit are the acts on a movie, the oldest first, with their details.
func readAudit(t *testing.T, s *Store, targetID string) []string {
	t.Helper()
	var acts []string
	require.NoError(t, s.db.NewRaw(`SELECT action || ' ' || details::text FROM audit
		WHERE target_id = ? AND starts_with(action, target_kind) AND actor_id = (SELECT id FROM users WHERE username = 'root')
			ORDER BY id`, targetID).
		Scan(t.Context(), &acts))
	return acts
}

func TestCatalogueChanges(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	root := newAdmin(t, s, "root")
	n := watchparty.NewMovie{
		Title: "Faust", Year: 1926, RuntimeMinutes: 106, Description: "A wager.", Genres: []string{"drama"},
		PosterURL: "https://movies.example/p", StreamURL: "https://movies.example/s",
	}
	m := newMovie(t, s, root, n)
	require.Equal(t, watchparty.Movie{
		ID: m.ID, Title: "Faust", Year: 1926, RuntimeMinutes: 106, Description: "A wager.", Genres: []string{"drama"},
		PosterURL: "https://movies.example/p", StreamURL: "https://movies.example/s", Version: 1, CreatedAt: m.CreatedAt,
		UpdatedAt: m.CreatedAt,
	}, m)
	_, err := s.CreateMovie(t.Context(), root.ID, n, IdempotencyKey{})
	require.ErrorIs(t, err, watchparty.ErrMovieExists)

	year, title, genres, yes, no := 1927, "Faust II", []string{}, true, false
	change := func(c watchparty.MovieChange, versions []int) (watchparty.Movie, error) {
		return s.UpdateMovie(t.Context(), root.ID, m.ID, c, versions)
	}
	_, err = change(watchparty.MovieChange{Year: &year}, []int{})
	require.ErrorIs(t, err, watchparty.ErrChangedSince)
	_, err = change(watchparty.MovieChange{Year: &year}, []int{2, 7})
	require.ErrorIs(t, err, watchparty.ErrChangedSince)
	updated, err := change(watchparty.MovieChange{Year: &year, Title: &title, Genres: &genres,
		Description: &n.Description}, []int{7, 1})
	require.NoError(t, err)
	want := m
	want.Year, want.Title, want.Genres, want.Version, want.UpdatedAt = 1927, "Faust II", []string{}, 2, updated.UpdatedAt
	require.Equal(t, want, updated)
	same, err := change(watchparty.MovieChange{Year: &year, Genres: &genres, Archived: &no}, []int{2})
	require.NoError(t, err)
	require.Equal(t, want, same, "which changes nothing")
	stored, err := s.Movie(t.Context(), m.ID)
	require.NoError(t, err)
	require.Equal(t, want, stored)

	newMovie(t, s, root, n)
	_, err = change(watchparty.MovieChange{Year: &n.Year, Title: &n.Title}, nil)
	require.ErrorIs(t, err, watchparty.ErrMovieExists)

	archived, err := change(watchparty.MovieChange{Archived: &yes}, nil)
	require.NoError(t, err)
	require.False(t, archived.ArchivedAt.IsZero())
	listed, err := s.Movies(t.Context(), watchparty.MovieFilter{}, Page{Limit: 10})
	require.NoError(t, err)
	require.NotContains(t, movieTitles(listed), title)
	listed, err = s.Movies(t.Context(), watchparty.MovieFilter{Archived: true}, Page{Limit: 10})
	require.NoError(t, err)
	require.Equal(t, []string{title}, movieTitles(listed), "and is found where archived ones are")
	_, err = s.CreateRoom(t.Context(), root.ID, watchparty.NewRoom{Name: "x", MovieID: m.ID,
		Visibility: watchparty.Public, Capacity: 5}, IdempotencyKey{})
	require.ErrorIs(t, err, watchparty.ErrUnknownMovie)
	back, err := change(watchparty.MovieChange{Archived: &no}, []int{3})
	require.NoError(t, err)
	require.True(t, back.ArchivedAt.IsZero())

	require.NoError(t, s.DeleteMovie(t.Context(), root.ID, m.ID, nil))
	require.ErrorIs(t, s.DeleteMovie(t.Context(), root.ID, m.ID, nil), watchparty.ErrNotFound)
	_, err = change(watchparty.MovieChange{Year: &year}, nil)
	require.ErrorIs(t, err, watchparty.ErrNotFound)
	require.Equal(t, []string{
		"movie_created {}", `movie_updated {"fields": ["title", "year", "genres"]}`, `movie_updated {"fields": ["archived"]}`,
		`movie_updated {"fields": ["archived"]}`, `movie_deleted {"year": 1927, "title": "Faust II"}`,
	}, readAudit(t, s, m.ID))
}

func movieTitles(movies []watchparty.Movie) []string {
	return ids(movies, func(m watchparty.Movie) string { return m.Title })
}

func TestMovieFilters(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	root := newAdmin(t, s, "root")
	newMovie(t, s, root, watchparty.NewMovie{Title: "The Kid", Year: 1921, RuntimeMinutes: 68,
		Genres: []string{"comedy", "drama"}})
	newMovie(t, s, root, watchparty.NewMovie{Title: "Nosferatu", Year: 1922, RuntimeMinutes: 94,
		Genres: []string{"horror"}, Description: "Not for kids"})
	newMovie(t, s, root, watchparty.NewMovie{Title: "Metropolis", Year: 1927, RuntimeMinutes: 153,
		Genres: []string{"drama", "science fiction"}})
	for _, test := range []struct {
		name   string
		filter watchparty.MovieFilter
		want   []string
	}{
		{"none", watchparty.MovieFilter{}, []string{"The Kid", "Nosferatu", "Metropolis"}},
		{"words", watchparty.MovieFilter{Search: "kid"}, []string{"The Kid", "Nosferatu"}},
		{"a whole word", watchparty.MovieFilter{Search: "kid the"}, []string{"The Kid"}},
		{"no word", watchparty.MovieFilter{Search: "🎬 !"}, []string{}},
		{"genre", watchparty.MovieFilter{Genre: "drama"}, []string{"The Kid", "Metropolis"}},
		{"genre with a space", watchparty.MovieFilter{Genre: "science fiction"}, []string{"Metropolis"}},
		{"no genre", watchparty.MovieFilter{Genre: "x', 'drama"}, []string{}},
		{"from", watchparty.MovieFilter{YearFrom: 1922}, []string{"Nosferatu", "Metropolis"}},
		{"to", watchparty.MovieFilter{YearTo: 1922}, []string{"The Kid", "Nosferatu"}},
		{"one year", watchparty.MovieFilter{YearFrom: 1922, YearTo: 1922}, []string{"Nosferatu"}},
		{"no year", watchparty.MovieFilter{YearFrom: 1923, YearTo: 1921}, []string{}},
		{"runtime", watchparty.MovieFilter{RuntimeMax: 94}, []string{"The Kid", "Nosferatu"}},
		{"all", watchparty.MovieFilter{Search: "ki", Genre: "drama", YearFrom: 1900, YearTo: 1930, RuntimeMax: 68},
			[]string{"The Kid"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			all, err := s.Movies(t.Context(), test.filter, Page{Limit: 10})
			require.NoError(t, err)
			require.Equal(t, test.want, movieTitles(all))
			list := func(p Page) ([]watchparty.Movie, error) { return s.Movies(t.Context(), test.filter, p) }
			id := func(m watchparty.Movie) string { return m.ID }
			require.ElementsMatch(t, ids(all, id), pages(t, 1, list, id))
		})
	}
}

func TestMovieInUse(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	root := newAdmin(t, s, "root")
	m := newMovie(t, s, root, watchparty.NewMovie{Title: "Faust"})
	with := func(n *watchparty.NewRoom) { n.MovieID = m.ID }
	open, archived, deleted := newRoom(t, s, root, with), newRoom(t, s, root, with), newRoom(t, s, root, with)
	execute(t, s, "UPDATE rooms SET archived_at = now() WHERE id <> ?", open.ID)
	execute(t, s, "UPDATE rooms SET deleted_at = now() WHERE id = ?", deleted.ID)
	var e *watchparty.Error
	require.ErrorAs(t, s.DeleteMovie(t.Context(), root.ID, m.ID, nil), &e)
	require.ErrorIs(t, e, watchparty.ErrMovieInUse)
	require.Equal(t, map[string]int{"rooms": 2}, e.Details)
	require.Contains(t, e.Message, "2 rooms")
	require.Equal(t, 3, readValue[int](t, s, "SELECT count(*) FROM rooms WHERE movie_id = ?", m.ID))

	execute(t, s, "UPDATE rooms SET archived_at = now(), deleted_at = now() WHERE id IN (?, ?)", open.ID, archived.ID)
	require.NoError(t, s.DeleteMovie(t.Context(), root.ID, m.ID, nil))
	require.Equal(t, 3, readValue[int](t, s, "SELECT count(*) FROM rooms WHERE movie_id IS NULL"))
}

// A movie that is deleted while rooms are opened with it is either deleted or in use, but never both.
func TestDeletingAMovieWhileRoomsOpen(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	root := newAdmin(t, s, "root")
	for i := range 10 {
		m := newMovie(t, s, root, watchparty.NewMovie{Title: fmt.Sprint("Movie ", i)})
		var deleted error
		opened := make([]error, 4)
		var wg sync.WaitGroup
		for j := range opened {
			wg.Go(func() {
				_, opened[j] = s.CreateRoom(t.Context(), root.ID, watchparty.NewRoom{
					Name: "x", MovieID: m.ID, Visibility: watchparty.Public, Capacity: 5}, IdempotencyKey{})
			})
		}
		wg.Go(func() { deleted = s.DeleteMovie(t.Context(), root.ID, m.ID, nil) })
		wg.Wait()
		rooms := readValue[int](t, s, "SELECT count(*) FROM rooms WHERE movie_id = ?", m.ID)
		if deleted == nil {
			require.Zero(t, rooms)
			for _, err := range opened {
				require.ErrorIs(t, err, watchparty.ErrUnknownMovie)
			}
			continue
		}
		require.ErrorIs(t, deleted, watchparty.ErrMovieInUse)
		require.Equal(t, len(opened), rooms)
		require.NoError(t, errors.Join(opened...))
	}
}

// Of two changes made to the same version, one is lost and says so.
func TestParallelMovieChanges(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	root := newAdmin(t, s, "root")
	m := newMovie(t, s, root, watchparty.NewMovie{Title: "Faust"})
	errs := make([]error, 10)
	var wg sync.WaitGroup
	for i := range errs {
		year := 1930 + i
		wg.Go(func() {
			_, errs[i] = s.UpdateMovie(t.Context(), root.ID, m.ID, watchparty.MovieChange{Year: &year}, []int{1})
		})
	}
	wg.Wait()
	won := slices.Index(errs, nil)
	require.GreaterOrEqual(t, won, 0)
	for i, err := range errs {
		if i != won {
			require.ErrorIs(t, err, watchparty.ErrChangedSince)
		}
	}
	stored, err := s.Movie(t.Context(), m.ID)
	require.NoError(t, err)
	require.Equal(t, []int{1930 + won, 2}, []int{stored.Year, stored.Version})
	require.Len(t, readAudit(t, s, m.ID), 2)
}

func TestAddingAMovieOnce(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	root := newAdmin(t, s, "root")
	idempotencyKey := IdempotencyKey{Hash: []byte("key"), Fingerprint: []byte("x")}
	made, errs := make([]watchparty.Movie, 20), make([]error, 20)
	var wg sync.WaitGroup
	for i := range made {
		wg.Go(func() {
			made[i], errs[i] = s.CreateMovie(t.Context(), root.ID,
				watchparty.NewMovie{Title: "Faust", Year: 1926, RuntimeMinutes: 106}, idempotencyKey)
		})
	}
	wg.Wait()
	require.NoError(t, errors.Join(errs...))
	for _, m := range made {
		require.Equal(t, made[0], m)
	}
	require.Equal(t, 1, countRows(t, s, "movies"))
	require.Len(t, readAudit(t, s, made[0].ID), 1)
}
