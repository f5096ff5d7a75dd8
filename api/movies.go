package api

import (
	"context"
	"fmt"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/cache"
)

// ListMovies answers the catalogue.
func (s *Server) ListMovies(ctx context.Context, r ListMoviesRequestObject) (ListMoviesResponseObject, error) {
	p, err := page("cursor", r.Params.Cursor, r.Params.Limit)
	if err != nil {
		return nil, err
	}
	q := cache.Query{Key: fmt.Sprintf("movies:%s:%d", p.After, p.Limit), Tags: []string{cache.TagMovies}, TTL: s.cfg.Cache.Movies}
	return s.read(ctx, q, r.Params.IfNoneMatch, func(ctx context.Context) (any, error) {
		movies, err := s.store.Movies(ctx, more(p))
		movies, next := cut(movies, p, func(m watchparty.Movie) string { return m.ID })
		return list{Data: convert(movies, movie), NextCursor: next}, err
	})
}

// GetMovie answers one film.
func (s *Server) GetMovie(ctx context.Context, r GetMovieRequestObject) (GetMovieResponseObject, error) {
	q := cache.Query{
		Key: "movie:" + r.MovieID, Tags: []string{cache.TagMovies},
		TTL: s.cfg.Cache.Movies, Missing: watchparty.ErrNotFound, MissingTTL: s.cfg.Cache.Missing,
	}
	return s.read(ctx, q, r.Params.IfNoneMatch, func(ctx context.Context) (any, error) {
		m, err := s.store.Movie(ctx, r.MovieID)
		return single{Data: movie(m)}, err
	})
}

func movie(m watchparty.Movie) Movie {
	return Movie{
		ID: m.ID, Title: m.Title, Year: m.Year, RuntimeMinutes: m.RuntimeMinutes, Description: m.Description,
		Genres: append([]string{}, m.Genres...), CreatedAt: m.CreatedAt, UpdatedAt: m.UpdatedAt,
	}
}
