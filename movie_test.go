package watchparty_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty"
)

func TestNewMovie(t *testing.T) {
	many := func(n int) []string {
		var genres []string
		for i := range n {
			genres = append(genres, strings.Repeat("g", i+1))
		}
		return genres
	}
	for _, test := range []struct {
		name   string
		change func(*watchparty.NewMovie)
		want   []string
	}{
		{"valid", func(*watchparty.NewMovie) {}, nil},
		{"title of 1", func(m *watchparty.NewMovie) { m.Title = "M" }, nil},
		{"title of 200", func(m *watchparty.NewMovie) { m.Title = strings.Repeat("界", 200) }, nil},
		{"title of 201", func(m *watchparty.NewMovie) { m.Title = strings.Repeat("界", 201) }, []string{"title:too_long"}},
		{"title of spaces", func(m *watchparty.NewMovie) { m.Title = " \u3000" }, []string{"title:too_short"}},
		{"title of zero widths", func(m *watchparty.NewMovie) { m.Title = zeroes }, []string{"title:blank"}},
		{"title with a line break", func(m *watchparty.NewMovie) { m.Title = "a\nb" }, []string{"title:line_break"}},
		{"title in every script", func(m *watchparty.NewMovie) { m.Title = hebrew + combined + family }, nil},
		{"year 1870", func(m *watchparty.NewMovie) { m.Year = 1870 }, nil},
		{"year 1869", func(m *watchparty.NewMovie) { m.Year = 1869 }, []string{"year:range"}},
		{"year 2200", func(m *watchparty.NewMovie) { m.Year = 2200 }, nil},
		{"year 2201", func(m *watchparty.NewMovie) { m.Year = 2201 }, []string{"year:range"}},
		{"runtime 1", func(m *watchparty.NewMovie) { m.RuntimeMinutes = 1 }, nil},
		{"runtime 0", func(m *watchparty.NewMovie) { m.RuntimeMinutes = 0 }, []string{"runtime_minutes:range"}},
		{"runtime 6000", func(m *watchparty.NewMovie) { m.RuntimeMinutes = 6000 }, nil},
		{"runtime 6001", func(m *watchparty.NewMovie) { m.RuntimeMinutes = 6001 }, []string{"runtime_minutes:range"}},
		{"description of 5000", func(m *watchparty.NewMovie) { m.Description = strings.Repeat("é", 5000) }, nil},
		{"description of 5001", func(m *watchparty.NewMovie) { m.Description = strings.Repeat("é", 5001) },
			[]string{"description:too_long"}},
		{"description of lines", func(m *watchparty.NewMovie) { m.Description = "one\n\ttwo" }, nil},
		{"description with NUL", func(m *watchparty.NewMovie) { m.Description = "a\x00" },
			[]string{"description:control_character"}},
		{"10 genres", func(m *watchparty.NewMovie) { m.Genres = many(10) }, nil},
		{"11 genres", func(m *watchparty.NewMovie) { m.Genres = many(11) }, []string{"genres:too_many"}},
		{"genre of 40", func(m *watchparty.NewMovie) { m.Genres = []string{strings.Repeat("é", 40)} }, nil},
		{"genre of 41", func(m *watchparty.NewMovie) { m.Genres = []string{"a", strings.Repeat("é", 41)} },
			[]string{"genres.1:too_long"}},
		{"genre of spaces", func(m *watchparty.NewMovie) { m.Genres = []string{" "} }, []string{"genres.0:too_short"}},
		{"genre with NUL", func(m *watchparty.NewMovie) { m.Genres = []string{"a\x00b"} },
			[]string{"genres.0:control_character"}},
		{"the same genre in two cases", func(m *watchparty.NewMovie) { m.Genres = []string{"Drama", " drama"} },
			[]string{"genres.1:duplicate"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			m := watchparty.NewMovie{Title: "Faust", Year: 1926, RuntimeMinutes: 106}
			test.change(&m)
			m.Normalise()
			require.Equal(t, test.want, wrongFields(t, m.Validate()))
		})
	}
}

func TestMovieNormalise(t *testing.T) {
	m := watchparty.NewMovie{Title: " Faust ", Description: "\n A wager.\n", Genres: []string{" Drama", "FANTASY "},
		PosterURL: " https://a.example/x "}
	m.Normalise()
	require.Equal(t, watchparty.NewMovie{
		Title: "Faust", Description: "A wager.", Genres: []string{"drama", "fantasy"}, PosterURL: "https://a.example/x",
	}, m)
}

// TestNormaliseKeepsTheCallersValues: a change has pointers to the caller's variables.
func TestNormaliseKeepsTheCallersValues(t *testing.T) {
	text, at := " Text ", time.Date(2026, 1, 2, 3, 4, 5, 678_901_234, time.UTC)
	genres := []string{" Drama"}
	subtitles := []watchparty.Subtitle{{Language: " en ", URL: " https://a.example/en.vtt "}}
	kinds := []watchparty.WebhookKind{watchparty.WebhookRoomOpened, watchparty.WebhookMovieStarted}

	movie := watchparty.MovieChange{Title: &text, Description: &text, PosterURL: &text, StreamURL: &text, Genres: &genres,
		Subtitles: &subtitles}
	movie.Normalise()
	require.Equal(t, []string{"Text", "Text", "Text", "Text"},
		[]string{*movie.Title, *movie.Description, *movie.PosterURL, *movie.StreamURL})
	require.Equal(t, []string{"drama"}, *movie.Genres)
	require.Equal(t, []watchparty.Subtitle{{Language: "en", URL: "https://a.example/en.vtt"}}, *movie.Subtitles)

	added := watchparty.NewMovie{Title: text, Genres: genres, Subtitles: subtitles}
	added.Normalise()
	require.Equal(t, []string{"drama"}, added.Genres)

	hook := watchparty.WebhookChange{URL: &text, Description: &text, Kinds: &kinds}
	hook.Normalise()
	require.Equal(t, []string{"Text", "Text"}, []string{*hook.URL, *hook.Description})
	require.Equal(t, []watchparty.WebhookKind{watchparty.WebhookMovieStarted, watchparty.WebhookRoomOpened}, *hook.Kinds)

	party := watchparty.PartyChange{Title: &text, StartsAt: &at}
	party.Normalise()
	require.Equal(t, "Text", *party.Title)
	require.Equal(t, 678*time.Millisecond, time.Duration(party.StartsAt.Nanosecond()))

	room := watchparty.RoomChange{Name: &text, Description: &text}
	room.Normalise()
	profile := watchparty.ProfileChange{DisplayName: &text}
	profile.Normalise()
	require.Equal(t, []string{"Text", "Text", "Text"}, []string{*room.Name, *room.Description, *profile.DisplayName})

	require.Equal(t, " Text ", text)
	require.Equal(t, []string{" Drama"}, genres)
	require.Equal(t, []watchparty.Subtitle{{Language: " en ", URL: " https://a.example/en.vtt "}}, subtitles)
	require.Equal(t, []watchparty.WebhookKind{watchparty.WebhookRoomOpened, watchparty.WebhookMovieStarted}, kinds)
	require.Equal(t, 678_901_234, at.Nanosecond())
}

func TestMovieAddresses(t *testing.T) {
	long := "https://movies.example/" + strings.Repeat("a", watchparty.MaxURL)
	codes := map[string]string{
		"https://": "too_short", long[:watchparty.MaxURL+1]: "too_long",
	}
	for _, valid := range []string{
		"", "https://movies.example", "https://movies.example:8443/a.mp4?x=1&y=%20#t=5", "https://[::1]/a",
		long[:watchparty.MaxURL], "https://movies.example:65535/a",
	} {
		codes[valid] = ""
	}
	for _, invalid := range []string{
		"http://movies.example", "ftp://movies.example", "javascript:alert(1)", "//movies.example/a",
		"https:movies.example", "https:/movies.example", "https:///a", "https://:443/a", "https://user@movies.example",
		"https://user:word@movies.example", "https://@movies.example", "https://movies.example/a b",
		"https://movies.example/\n", "https://movies.example/é", "https://fïlms.example",
		"https://movies.example\\.other.example", "https://movies.example/%zz", "https://movies.example:port",
		"https://movies.example:65536/a", "https://movies.example:99999999999999999999", "movies.example",
		"HTTPS://movies.example", "data:text/html,x", "https://movies.example/\x00",
	} {
		codes[invalid] = "address"
	}
	for address, code := range codes {
		m := watchparty.NewMovie{Title: "Faust", Year: 1926, RuntimeMinutes: 106, PosterURL: address, StreamURL: address}
		want := []string{"poster_url:" + code, "stream_url:" + code}
		if code == "" {
			want = nil
		}
		require.Equal(t, want, wrongFields(t, m.Validate()), "%.80q", address)
	}
}

func TestMovieChange(t *testing.T) {
	require.NoError(t, watchparty.MovieChange{}.Validate(), "nothing to change is no problem")
	empty, year, genres := "", 1, []string{"A", "a"}
	c := watchparty.MovieChange{Title: &empty, Year: &year, Genres: &genres, PosterURL: &empty}
	c.Normalise()
	require.Equal(t, []string{"title:too_short", "year:range", "genres.1:duplicate"}, wrongFields(t, c.Validate()))
}

func TestSearchIsChecked(t *testing.T) {
	for text, want := range map[string][]string{
		"the kid": nil, "'; DROP TABLE movies; --": nil, family + hebrew + combined: nil, strings.Repeat("é", 100): nil,
		strings.Repeat("é", 101): {"q:too_long"}, "a\x00b": {"q:control_character"}, "a\nb": {"q:line_break"},
		"a\xff": {"q:control_character"},
	} {
		require.Equal(t, want, wrongFields(t, watchparty.ValidateSearch(text)), "%q", text)
		require.Equal(t, want, wrongFields(t, watchparty.MovieFilter{Search: text}.Validate()), "%q", text)
	}
	require.Equal(t, []string{"genre:control_character"}, wrongFields(t,
		watchparty.MovieFilter{Genre: "a\x00"}.Validate()))
}
