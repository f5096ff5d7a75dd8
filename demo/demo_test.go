package demo_test

import (
	"encoding/xml"
	"net/http"
	"net/http/httptest"
	"regexp"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/auth"
	"github.com/watchparty/watchparty/config"
	"github.com/watchparty/watchparty/demo"
	"github.com/watchparty/watchparty/demo/clip"
	"github.com/watchparty/watchparty/devstack"
	"github.com/watchparty/watchparty/devstack/stacktest"
	"github.com/watchparty/watchparty/store"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(stacktest.With(m, devstack.Postgres))
}

const base = "http://localhost:5000"

// cheap is for passwords that nobody attacks.
var cheap = auth.Cost{MemoryKiB: 8, Passes: 1, Lanes: 1}

// openStore gives the test a store on a migrated schema of its own.
func openStore(t *testing.T) *store.Store {
	t.Helper()
	s, err := store.Open(config.Database{URL: stacktest.MigratedURL(t), MaxConns: 10, StatementTimeout: 30 * time.Second},
		auth.NewDigests("a secret of the tests"))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

func TestMovies(t *testing.T) {
	movies, err := demo.Movies(base)
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(movies), 12)
	titles := map[string]bool{}
	streams := 0
	for _, f := range movies {
		require.NotEmpty(t, f.Title)
		require.False(t, titles[f.Title], f.Title)
		titles[f.Title] = true
		require.GreaterOrEqual(t, f.Year, 1888, f.Title)
		if f.StreamURL == "" {
			require.Less(t, f.Year, 1978, "%s: later movies are protected without notice or renewal", f.Title)
			require.Greater(t, f.RuntimeMinutes, 5, f.Title)
		} else {
			streams++
			require.Equal(t, clip.Seconds, 60*f.RuntimeMinutes, f.Title)
		}
		require.Less(t, f.RuntimeMinutes, 300, f.Title)
		require.Regexp(t, regexp.MustCompile(`(?s)^.{40,300}\.$`), f.Description, f.Title)
		require.NotEmpty(t, f.Genres, f.Title)
		genres := map[string]bool{}
		for _, genre := range f.Genres {
			require.Regexp(t, "^[a-z]+( [a-z]+)*$", genre, f.Title)
			require.False(t, genres[genre], "%s: %s", f.Title, genre)
			genres[genre] = true
		}
	}
	require.Equal(t, len(clip.Clips()), streams)
}

// TestMedia: each movie has its poster, and what streams is there, in parts, too.
func TestMedia(t *testing.T) {
	t.Parallel()
	media, err := demo.Media()
	require.NoError(t, err)
	get := func(path, ranges string) *httptest.ResponseRecorder {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil)
		if ranges != "" {
			r.Header.Set("Range", ranges)
		}
		w := httptest.NewRecorder()
		media.ServeHTTP(w, r)
		return w
	}
	movies, err := demo.Movies("")
	require.NoError(t, err)
	posters := map[string]bool{}
	for _, m := range movies {
		got := get(m.PosterURL, "")
		require.Equal(t, http.StatusOK, got.Code, m.Title)
		require.Equal(t, "image/svg+xml", got.Header().Get("Content-Type"))
		require.NoError(t, xml.Unmarshal(got.Body.Bytes(), new(struct{})), m.Title)
		require.Greater(t, got.Body.Len(), 700, "%s has a drawing", m.Title)
		posters[got.Body.String()] = true
		if m.StreamURL != "" {
			got = get(m.StreamURL, "bytes=0-3")
			require.Equal(t, http.StatusPartialContent, got.Code, m.Title)
			require.Equal(t, "\x1a\x45\xdf\xa3", got.Body.String(), m.Title)
		}
	}
	require.Len(t, posters, len(movies))
	require.Equal(t, http.StatusNotFound, get("/demo/clips/other.webm", "").Code)
}

// requireFilled checks that everything is there, once.
func requireFilled(t *testing.T, s *store.Store, passwords *auth.Passwords) {
	t.Helper()
	expected, err := demo.Movies(base)
	require.NoError(t, err)
	movies, err := s.Movies(t.Context(), watchparty.MovieFilter{}, store.Page{Limit: 100})
	require.NoError(t, err)
	require.Len(t, movies, len(expected))
	require.Equal(t, expected[0].Title, movies[0].Title)
	require.Equal(t, expected[0].Genres, movies[0].Genres)
	for i, movie := range movies {
		require.Equal(t, expected[i].PosterURL, movie.PosterURL)
		require.Equal(t, expected[i].StreamURL, movie.StreamURL)
		require.Equal(t, expected[i].DurationMS, movie.DurationMS)
	}

	users, err := s.DB().NewSelect().Table("users").Count(t.Context())
	require.NoError(t, err)
	require.Equal(t, 3, users)
	emails, err := s.DB().NewSelect().Table("emails").Count(t.Context())
	require.NoError(t, err)
	require.Equal(t, 3, emails, "each is welcomed once")
	rooms, err := s.Rooms(t.Context(), watchparty.RoomFilter{}, store.Page{Limit: 10})
	require.NoError(t, err)
	require.Len(t, rooms, 1)
	require.Equal(t, 2, rooms[0].Participants, "Alice and Bob")
	said, err := s.Messages(t.Context(), rooms[0].ID, store.Page{Limit: 100})
	require.NoError(t, err)
	require.Len(t, said, 40)
	require.Greater(t, said[0].CreatedAt.Sub(said[39].CreatedAt), 28*24*time.Hour, "of five weeks")
	queue, err := s.DB().NewSelect().Table("queue_items").Count(t.Context())
	require.NoError(t, err)
	require.Equal(t, len(clip.Clips()), queue)
	require.Equal(t, []string{"admin@watchparty.test", "alice@watchparty.test", "bob@watchparty.test"}, demo.Accounts())
	for _, email := range demo.Accounts() {
		user, hash, err := s.Credentials(t.Context(), email)
		require.NoError(t, err)
		require.Equal(t, email == demo.Admin, user.Admin, email)
		require.NotZero(t, user.EmailVerifiedAt, email)
		require.Equal(t, user.Username+"@watchparty.test", user.Email)
		turn, err := passwords.Wait(t.Context())
		require.NoError(t, err)
		ok, err := turn.Verify("watchparty-demo", hash)
		turn.End()
		require.NoError(t, err)
		require.True(t, ok, email)
		r := watchparty.Registration{
			Username: user.Username, Email: user.Email, Password: demo.Password, DisplayName: user.DisplayName,
			Language: user.Language,
		}
		if email == demo.Admin {
			r.Username = "another" // its own is reserved
		}
		require.NoError(t, r.Validate(), "people could have made it themselves")
	}
}

func TestFill(t *testing.T) {
	t.Parallel()
	s, passwords := openStore(t), auth.NewPasswords(2, cheap)
	for range 2 {
		require.NoError(t, demo.Fill(t.Context(), s, passwords, base))
		requireFilled(t, s, passwords)
	}

	// What a developer has changed stays so.
	name := "Changed"
	bob, err := s.UserByUsername(t.Context(), "bob")
	require.NoError(t, err)
	_, err = s.UpdateProfile(t.Context(), bob.ID, watchparty.ProfileChange{DisplayName: &name})
	require.NoError(t, err)
	require.NoError(t, demo.Fill(t.Context(), s, passwords, base))
	bob, err = s.User(t.Context(), bob.ID)
	require.NoError(t, err)
	require.Equal(t, "Changed", bob.DisplayName)
}

// Two stacks that start on one database at once fill it once, and neither fails.
func TestParallelFills(t *testing.T) {
	t.Parallel()
	s, passwords := openStore(t), auth.NewPasswords(4, cheap)
	errs := make([]error, 4)
	var wg sync.WaitGroup
	for i := range errs {
		wg.Go(func() { errs[i] = demo.Fill(t.Context(), s, passwords, base) })
	}
	wg.Wait()
	for _, err := range errs {
		require.NoError(t, err)
	}
	requireFilled(t, s, passwords)
}
