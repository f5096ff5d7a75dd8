package watchparty

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Movie is a movie of the catalogue.
type Movie struct {
	ID             string
	Title          string
	Year           int
	RuntimeMinutes int
	Description    string
	Genres         []string
	PosterURL      string // https; empty without one
	StreamURL      string // https; empty without one
	DurationMS     int64  // of the stream; 0 when nobody has measured it
	Subtitles      []Subtitle
	ArchivedAt     time.Time // zero while in the catalogue
	Version        int       // number of its changes
	CreatedAt      time.Time
	UpdatedAt      time.Time
	Rank           int // in a search: the closest result has the lowest rank
}

// Limits of movies; texts in characters.
const (
	MaxTitle            = 200
	MaxMovieDescription = 5000
	MinYear             = 1870
	MaxYear             = 2200
	MaxRuntime          = 6000 // minutes
	MaxDurationMS       = MaxRuntime * 60 * 1000
	MaxGenres           = 10
	MaxGenre            = 40
	MaxURL              = 2048
	MinURL              = len("https://x")
)

// Errors of movies.
var (
	ErrMovieExists = &Error{Kind: KindConflict, Code: "movie_exists",
		Message: "There is a movie with this title and year already."}
	ErrMovieInUse = &Error{Kind: KindConflict, Code: "movie_in_use", Message: "The movie is used by rooms."}
)

// MovieInUse is ErrMovieInUse with the number of rooms.
func MovieInUse(rooms int) error {
	e := *ErrMovieInUse
	e.Message = fmt.Sprintf("%d rooms have this movie. Archive it instead.", rooms)
	if rooms == 1 {
		e.Message = "1 room has this movie. Archive it instead."
	}
	e.Details = map[string]int{"rooms": rooms}
	return &e
}

// NewMovie holds the fields of a movie to be added.
type NewMovie struct {
	Title          string
	Year           int
	RuntimeMinutes int
	Description    string
	Genres         []string
	PosterURL      string
	StreamURL      string
	DurationMS     int64
	Subtitles      []Subtitle
}

// Normalise brings the texts into the form in which they are checked and stored.
func (m *NewMovie) Normalise() {
	m.Title, m.Description = normalLine(m.Title), normalProse(m.Description)
	m.PosterURL, m.StreamURL = normalProse(m.PosterURL), normalProse(m.StreamURL)
	m.Genres, m.Subtitles = normalGenres(m.Genres), normalSubtitles(m.Subtitles)
}

// Validate reports every field that is wrong.
func (m NewMovie) Validate() error { return m.change().Validate() }

// change returns the change that sets all of m.
func (m *NewMovie) change() MovieChange {
	return MovieChange{
		Title: &m.Title, Year: &m.Year, RuntimeMinutes: &m.RuntimeMinutes, Description: &m.Description, Genres: &m.Genres,
		PosterURL: &m.PosterURL, StreamURL: &m.StreamURL, DurationMS: &m.DurationMS, Subtitles: &m.Subtitles,
	}
}

// MovieChange is a change of a movie. A nil field stays as it is.
type MovieChange struct {
	Title          *string
	Year           *int
	RuntimeMinutes *int
	Description    *string
	Genres         *[]string
	PosterURL      *string
	StreamURL      *string
	DurationMS     *int64
	Subtitles      *[]Subtitle // all of them
	Archived       *bool
}

// Normalise brings the texts into the form in which they are checked and stored.
func (c *MovieChange) Normalise() {
	c.Title = normalised(c.Title, normalLine)
	c.Description = normalised(c.Description, normalProse)
	c.PosterURL = normalised(c.PosterURL, normalProse)
	c.StreamURL = normalised(c.StreamURL, normalProse)
	c.Genres = normalised(c.Genres, normalGenres)
	c.Subtitles = normalised(c.Subtitles, normalSubtitles)
}

func normalGenres(genres []string) []string {
	genres = slices.Clone(genres)
	for i, genre := range genres {
		genres[i] = normalGenre(genre)
	}
	return genres
}

func normalSubtitles(subtitles []Subtitle) []Subtitle {
	subtitles = slices.Clone(subtitles)
	for i, s := range subtitles {
		subtitles[i] = Subtitle{Language: normalLine(s.Language), URL: normalProse(s.URL)}
	}
	return subtitles
}

func normalGenre(genre string) string { return strings.ToLower(normalLine(genre)) }

// Validate reports every field that is wrong.
func (c MovieChange) Validate() error {
	var v fields
	if c.Title != nil {
		v.line("title", *c.Title, 1, MaxTitle)
	}
	if c.Year != nil {
		v.check(*c.Year >= MinYear && *c.Year <= MaxYear, "year", "range", "must be from 1870 to 2200")
	}
	if c.RuntimeMinutes != nil {
		v.check(*c.RuntimeMinutes >= 1 && *c.RuntimeMinutes <= MaxRuntime, "runtime_minutes", "range",
			"must be from 1 to 6000")
	}
	if c.Description != nil {
		v.prose("description", *c.Description, 0, MaxMovieDescription)
	}
	if c.Genres != nil {
		v.genres(*c.Genres)
	}
	if c.PosterURL != nil {
		v.httpsURL("poster_url", *c.PosterURL)
	}
	if c.StreamURL != nil {
		v.httpsURL("stream_url", *c.StreamURL)
	}
	if c.DurationMS != nil {
		v.check(*c.DurationMS >= 0 && *c.DurationMS <= MaxDurationMS, "duration_ms", "range", "must be from 0 to 360000000")
	}
	if c.Subtitles != nil {
		v.subtitles(*c.Subtitles)
	}
	return v.err()
}

func (v *fields) genres(genres []string) {
	v.check(len(genres) <= MaxGenres, "genres", "too_many", "must have at most 10 items")
	for i, genre := range genres {
		field := fmt.Sprintf("genres.%d", i)
		v.line(field, genre, 1, MaxGenre)
		v.check(!slices.Contains(genres[:i], genre), field, "duplicate", "is given twice")
	}
}

// httpsURL checks an address to which a browser may be sent: https, and not disguised as another host.
func (v *fields) httpsURL(field, value string) {
	if value == "" || !v.length(field, value, MinURL, MaxURL) {
		return
	}
	u, err := url.Parse(value)
	ok := err == nil && strings.HasPrefix(value, "https://") && u.Hostname() != "" && u.User == nil && validPort(u) &&
		!strings.ContainsFunc(value, func(r rune) bool { return r <= ' ' || r > '~' })
	v.check(ok, field, "address",
		"must be an address that starts with https://, in ASCII and without a user name")
}

// validPort reports whether browsers take the port of an address, if it has one.
func validPort(u *url.URL) bool {
	_, err := strconv.ParseUint(u.Port(), 10, 16)
	return u.Port() == "" || err == nil
}

// MaxGenresListed limits the list of the catalogue's genres.
const MaxGenresListed = 500

// GenreCount is a genre with the number of movies in the catalogue that have it.
type GenreCount struct {
	Genre  string
	Movies int
}

// MovieFilter selects movies. Zero fields select all.
type MovieFilter struct {
	Search     string // words, the last one by its beginning; the closest results come first
	Genre      string // in any spelling
	YearFrom   int
	YearTo     int
	RuntimeMax int  // minutes
	Archived   bool // movies that have left the catalogue, instead of those in it
}

// Normalise writes the genre as it is stored.
func (f *MovieFilter) Normalise() { f.Genre = normalGenre(f.Genre) }

// Validate reports texts that cannot be searched for.
func (f MovieFilter) Validate() error {
	var v fields
	v.searchable("genre", f.Genre, MaxGenre)
	v.search(f.Search)
	return v.err()
}
