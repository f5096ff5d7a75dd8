package api

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/api/contract"
	"github.com/watchparty/watchparty/cache"
	"github.com/watchparty/watchparty/coherence"
	"github.com/watchparty/watchparty/store"
)

// ListMovies lists the catalogue.
func (s *Server) ListMovies(
	ctx context.Context,
	r contract.ListMoviesRequestObject,
) (contract.ListMoviesResponseObject, error) {
	f := watchparty.MovieFilter{
		Search: value(r.Params.Q), Genre: value(r.Params.Genre),
		YearFrom: value(r.Params.YearFrom), YearTo: value(r.Params.YearTo), RuntimeMax: value(r.Params.RuntimeMax),
		Archived: value(r.Params.Archived),
	}
	if r.Params.Ids != nil {
		if f != (watchparty.MovieFilter{}) || r.Params.Cursor != nil || r.Params.Limit != nil {
			return nil, watchparty.Invalid(watchparty.FieldError{
				Field: "ids", Code: "conflict", Message: "cannot be used together with another parameter",
			})
		}
		return s.moviesByID(ctx, *r.Params.Ids, r.Params.IfNoneMatch)
	}
	f.Normalise()
	if err := f.Validate(); err != nil {
		return nil, err
	}
	p, err := s.page("cursor", r.Params.Cursor, r.Params.Limit, "listMovies", f)
	if err != nil {
		return nil, err
	}
	q := cache.Query{
		Key:  fmt.Sprintf("movies:%s:%d", p.After, p.Limit),
		Tags: []string{coherence.TagMovies},
		TTL:  s.cfg.Cache.Movies,
	}
	if f != (watchparty.MovieFilter{}) {
		q.Key += ":" + s.keyOf("movie-filter", fmt.Sprintf("%#v", f))
	}
	return s.readAsViewer(ctx, q, r.Params.IfNoneMatch, func(ctx context.Context) (cache.Loaded, error) {
		movies, err := s.store.Movies(ctx, f, more(p))
		movies, next := cut(movies, p, func(m watchparty.Movie) store.Keys { return store.SearchKeys(m.Rank, m.ID) })
		return encoded(list{Data: convert(movies, movie), NextCursor: next}, err)
	})
}

// moviesByID lists the movies of ids, which are separated by commas.
func (s *Server) moviesByID(ctx context.Context, ids string, ifNoneMatch *string) (cached, error) {
	wanted := strings.Split(strings.ToLower(ids), ",")
	slices.Sort(wanted)
	wanted = slices.Compact(wanted)
	q := cache.Query{
		Key:  "movies:ids:" + s.keyOf("movie-ids", strings.Join(wanted, ",")),
		Tags: []string{coherence.TagMovies},
		TTL:  s.cfg.Cache.Movies,
	}
	return s.readAsViewer(ctx, q, ifNoneMatch, func(ctx context.Context) (cache.Loaded, error) {
		movies, err := s.store.MoviesByID(ctx, wanted)
		return encoded(list{Data: convert(movies, movie)}, err)
	})
}

// ListGenres lists the genres of the catalogue.
func (s *Server) ListGenres(
	ctx context.Context,
	r contract.ListGenresRequestObject,
) (contract.ListGenresResponseObject, error) {
	q := cache.Query{Key: "genres", Tags: []string{coherence.TagMovies}, TTL: s.cfg.Cache.Movies}
	return s.read(ctx, q, r.Params.IfNoneMatch, func(ctx context.Context) (cache.Loaded, error) {
		genres, err := s.store.Genres(ctx)
		return encoded(list{
			Data: convert(genres, func(g watchparty.GenreCount) contract.GenreCount { return contract.GenreCount(g) }),
		}, err)
	})
}

// keyOf replaces a text that people typed in a cache key, since keys are logged.
func (s *Server) keyOf(purpose, text string) string {
	return hex.EncodeToString(s.digests.Sum(purpose, text)[:16])
}

// GetMovie answers with a movie, archived or not.
func (s *Server) GetMovie(
	ctx context.Context,
	r contract.GetMovieRequestObject,
) (contract.GetMovieResponseObject, error) {
	q := cache.Query{
		Key: "movie:" + r.MovieID, Tags: []string{coherence.TagMovies},
		TTL: s.cfg.Cache.Movies, Missing: watchparty.ErrNotFound, MissingTTL: missingTTL,
	}
	entry, hit, err := s.get(ctx, q, func(ctx context.Context) (cache.Loaded, error) {
		m, err := s.store.Movie(ctx, r.MovieID)
		if err != nil {
			return cache.Loaded{}, err
		}
		body, err := json.Marshal(single{Data: movie(m)})
		return cache.Loaded{Body: body, Meta: strconv.Itoa(m.Version)}, err
	})
	if err != nil {
		return nil, err
	}
	version, err := versionOf(entry.Meta)
	if err != nil {
		return nil, err
	}
	if t := requestStateOf(ctx).target; t != nil {
		t.key, t.versioned = q.Key, true
	}
	return cached{
		entry:       entry,
		hit:         hit,
		accepted:    headers(ctx),
		ifMatch:     r.Params.IfMatch,
		ifNoneMatch: r.Params.IfNoneMatch,
		version:     version,
	}, nil
}

// CreateMovie adds a movie.
func (s *Server) CreateMovie(
	ctx context.Context,
	r contract.CreateMovieRequestObject,
) (contract.CreateMovieResponseObject, error) {
	id := caller(ctx)
	n := watchparty.NewMovie{
		Title: r.Body.Title, Year: r.Body.Year, RuntimeMinutes: r.Body.RuntimeMinutes, Description: value(r.Body.Description),
		Genres: value(r.Body.Genres), PosterURL: value(r.Body.PosterURL), StreamURL: value(r.Body.StreamURL),
		DurationMS: value(r.Body.DurationMs), Subtitles: value(subtitlesIn(r.Body.Subtitles)),
	}
	n.Normalise()
	if err := n.Validate(); err != nil {
		return nil, err
	}
	once, err := s.once(ctx, "createMovie", r.Params.IdempotencyKey, n)
	if err != nil {
		return nil, err
	}
	created, err := s.store.CreateMovie(ctx, id.UserID, n, once)
	if err != nil {
		return nil, err
	}
	answer := movie(created)
	made, err := madeAt("/movies/"+answer.ID, created.Version, single{Data: answer})
	return contract.CreateMovie201JSONResponse{
		Body:    contract.MovieAnswer{Data: answer},
		Headers: contract.CreateMovie201ResponseHeaders(made),
	}, err
}

// UpdateMovie changes a movie.
func (s *Server) UpdateMovie(
	ctx context.Context,
	r contract.UpdateMovieRequestObject,
) (contract.UpdateMovieResponseObject, error) {
	id := caller(ctx)
	c := watchparty.MovieChange{
		Title: r.Body.Title, Year: r.Body.Year, RuntimeMinutes: r.Body.RuntimeMinutes,
		Description: patched(r.Body.Description, ""), Genres: patched(r.Body.Genres, []string{}),
		PosterURL: patched(r.Body.PosterURL, ""), StreamURL: patched(r.Body.StreamURL, ""), Archived: r.Body.Archived,
		DurationMS: patched(r.Body.DurationMs, 0), Subtitles: subtitlesIn(patched(r.Body.Subtitles, []contract.Subtitle{})),
	}
	c.Normalise()
	if err := c.Validate(); err != nil {
		return nil, err
	}
	updated, err := s.store.UpdateMovie(ctx, id.UserID, r.MovieID, c, ifMatch(r.Params.IfMatch))
	if err != nil {
		return nil, err
	}
	answer := movie(updated)
	tag, err := tagOf(updated.Version, single{Data: answer})
	return contract.UpdateMovie200JSONResponse{
		Body:    contract.MovieAnswer{Data: answer},
		Headers: contract.UpdateMovie200ResponseHeaders{ETag: tag},
	}, err
}

// DeleteMovie deletes a movie that no room has.
func (s *Server) DeleteMovie(
	ctx context.Context,
	r contract.DeleteMovieRequestObject,
) (contract.DeleteMovieResponseObject, error) {
	id := caller(ctx)
	if err := s.store.DeleteMovie(ctx, id.UserID, r.MovieID, ifMatch(r.Params.IfMatch)); err != nil {
		return nil, err
	}
	return contract.DeleteMovie204Response{}, nil
}

func movie(m watchparty.Movie) contract.Movie {
	return contract.Movie{
		ID: m.ID, Title: m.Title, Year: m.Year, RuntimeMinutes: m.RuntimeMinutes, Description: m.Description,
		Genres: append([]string{}, m.Genres...), PosterURL: pointer(m.PosterURL), StreamURL: pointer(m.StreamURL),
		DurationMs: pointer(m.DurationMS), Subtitles: convert(m.Subtitles, subtitle),
		Archived: !m.ArchivedAt.IsZero(), CreatedAt: m.CreatedAt, UpdatedAt: m.UpdatedAt,
	}
}
