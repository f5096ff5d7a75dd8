package api

import (
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

func titles(a answer) []string {
	found := []string{}
	for _, m := range a.list() {
		found = append(found, m["title"].(string))
	}
	return found
}

func newMovieBody(change map[string]any) map[string]any {
	body := map[string]any{"title": "Faust", "year": 1926, "runtime_minutes": 106}
	for name, v := range change {
		body[name] = v
	}
	return body
}

func TestMovieFields(t *testing.T) {
	t.Parallel()
	b := setup(t)
	root := b.admin(t, "root")
	year := 1900
	create := func(change map[string]any) answer {
		year++
		change["year"] = year
		return b.do(t, "POST", "/movies", root.token, newMovieBody(change))
	}
	read := func(a answer) map[string]any {
		t.Helper()
		require.Contains(t, []int{200, 201}, a.status, a)
		return b.do(t, "GET", "/movies/"+a.data()["id"].(string), "", nil).data()
	}
	for name, text := range texts {
		t.Run(name, func(t *testing.T) {
			genre := strings.Fields(strings.ToLower(text))[0]
			a := create(map[string]any{"title": text, "description": text, "genres": []any{"tragedy", genre}})
			require.Equal(t, a.data(), read(a))
			require.Equal(t, []any{text, text, []any{"tragedy", genre}},
				[]any{a.data()["title"], a.data()["description"], a.data()["genres"]})
			a = b.do(t, "PATCH", "/movies/"+a.data()["id"].(string), root.token,
				map[string]any{"title": text + "!", "description": text + "\n!"})
			require.Equal(t, a.data(), read(a))
			require.Equal(t, []any{text + "!", text + "\n!"}, []any{a.data()["title"], a.data()["description"]})
		})
	}
	t.Run("normalised", func(t *testing.T) {
		got := read(create(map[string]any{
			"title":      " Faust ",
			"genres":     []any{" Drama", "FANTASY"},
			"poster_url": "https://movies.example/p",
			"stream_url": nil,
		}))
		require.Equal(t, []any{"Faust", []any{"drama", "fantasy"}, "https://movies.example/p", nil, false},
			[]any{got["title"], got["genres"], got["poster_url"], got["stream_url"], got["archived"]})
	})
	for name, bad := range map[string]map[string]any{
		"title":       {"title": "\u200b"},
		"description": {"description": "a\x00"},
		"genres":      {"genres": []any{"Drama", "drama"}},
		"poster_url":  {"poster_url": "http://movies.example"},
		"stream_url":  {"stream_url": "https://user:word@movies.example"},
	} {
		t.Run("bad "+name, func(t *testing.T) {
			a := create(bad)
			a.requireField(t, 400, name)
			id := b.addMovie(t, "To be changed, "+name)
			b.do(t, "PATCH", "/movies/"+id, root.token, bad).requireField(t, 400, name)
		})
	}
}

func TestMovieAdministration(t *testing.T) {
	t.Parallel()
	b := setup(t)
	alice, root := b.user(t, "alice"), b.admin(t, "root")
	id := b.addMovie(t, "Metropolis")
	path := "/movies/" + id
	for _, c := range []struct {
		method, path string
		body         any
	}{{"POST", "/movies", newMovieBody(nil)}, {"PATCH", path, map[string]any{"year": 1930}}, {"DELETE", path, nil}} {
		b.do(t, c.method, c.path, "", c.body).requireProblem(t, 401, "unauthenticated")
		b.do(t, c.method, c.path, alice.token, c.body).requireProblem(t, 403, "forbidden")
	}
	b.do(t, "GET", "/movies?archived=true", "", nil).requireProblem(t, 401, "unauthenticated")
	b.do(t, "GET", "/movies?archived=true", alice.token, nil).requireProblem(t, 403, "forbidden")
	require.Empty(t, b.do(t, "GET", "/movies?archived=true", root.token, nil).list())
	require.Equal(t, 201, b.do(t, "POST", "/movies", root.token, newMovieBody(nil)).status)
	b.do(t, "POST", "/movies", root.token, newMovieBody(nil)).requireProblem(t, 409, "movie_exists")
	b.do(t, "PATCH", path, root.token, newMovieBody(nil)).requireProblem(t, 409, "movie_exists")
	b.do(t, "PATCH", "/movies/"+unknownID, root.token, map[string]any{"year": 1930}).requireProblem(t, 404, "not_found")
	b.do(t, "DELETE", "/movies/"+unknownID, root.token, nil).requireProblem(t, 404, "not_found")

	patch := func(match string, body map[string]any) answer {
		r := b.request(t, "PATCH", path, root.token, body)
		if match != "" {
			r.Header.Set("If-Match", match)
		}
		return b.send(t, r)
	}
	b.requireCached(t, "/movies", "")
	old := b.requireCached(t, path, "").header.Get("ETag")
	require.Regexp(t, `^"1-`, old)
	changed := patch(old, map[string]any{"year": 1930})
	require.Equal(t, 200, changed.status)
	tagged := func(version string, a answer) {
		t.Helper()
		require.Regexp(t, `^"`+version+`-[\w-]{22}"$`, a.header.Get("ETag"))
	}
	tagged("2", changed)
	a := b.requireMiss(t, path, "")
	require.Equal(t, changed.data(), a.data())
	tagged("2", a)
	require.Regexp(t, `^"2-`, b.requireHit(t, path, "").header.Get("ETag"))
	patch(old, map[string]any{"year": 1931}).requireProblem(t, http.StatusPreconditionFailed, "precondition_failed")
	tagged("3", patch(changed.header.Get("ETag"), map[string]any{"year": 1931}))
	tagged("4", patch("*", map[string]any{"year": 1932}))
	tagged("5", patch("", map[string]any{"archived": true}))

	require.Equal(t, []string{"Faust"}, titles(b.requireMiss(t, "/movies", "")))
	require.Equal(t, true, b.do(t, "GET", path, "", nil).data()["archived"])
	b.do(t, "POST", "/rooms", alice.token, map[string]any{"name": "x", "movie_id": id}).
		requireProblem(t, 400, "unknown_movie")
	require.Equal(t, 200, patch("", map[string]any{"archived": false}).status)
	require.Len(t, titles(b.requireMiss(t, "/movies", "")), 2)

	room := b.room(t, alice, map[string]any{"movie_id": id})
	a = b.do(t, "DELETE", path, root.token, nil)
	a.requireProblem(t, 409, "movie_in_use")
	require.Equal(t, map[string]any{"rooms": 1.0}, a.body["details"])
	require.Contains(t, a.body["detail"], "1 room has")
	b.exec(t, "UPDATE rooms SET archived_at = now(), deleted_at = now() WHERE id = ?", room)
	require.Equal(t, 204, b.do(t, "DELETE", path, root.token, nil).status)
	b.do(t, "GET", path, "", nil).requireProblem(t, 404, "not_found")
	b.do(t, "DELETE", path, root.token, nil).requireProblem(t, 404, "not_found")
}

func TestMovieSearch(t *testing.T) {
	t.Parallel()
	b := setup(t)
	root := b.admin(t, "root")
	for _, change := range []map[string]any{
		{"title": "The Kid", "year": 1921, "runtime_minutes": 68, "genres": []any{"comedy", "drama"}},
		{"title": "Nosferatu", "year": 1922, "runtime_minutes": 94, "genres": []any{"horror"}, "description": "Not for kids"},
		{"title": "Metropolis", "year": 1927, "runtime_minutes": 153, "genres": []any{"drama"}},
	} {
		require.Equal(t, 201, b.do(t, "POST", "/movies", root.token, newMovieBody(change)).status)
	}
	searchMovies := func(query url.Values) answer { return b.do(t, "GET", "/movies?"+query.Encode(), "", nil) }
	for query, want := range map[string][]string{
		"": {"The Kid", "Nosferatu", "Metropolis"}, "q=kid": {"The Kid", "Nosferatu"}, "q=kid+the": {"The Kid"},
		"genre=+DRAMA":   {"The Kid", "Metropolis"},
		"year_from=1922": {"Nosferatu", "Metropolis"}, "year_to=1922": {"The Kid", "Nosferatu"},
		"runtime_max=94": {"The Kid", "Nosferatu"},
		"q=k&genre=drama&year_from=1921&year_to=1921&runtime_max=68": {"The Kid"}, "q=%F0%9F%8E%AC": {}, "genre=western": {},
	} {
		a := b.do(t, "GET", "/movies?"+query, "", nil)
		require.Equal(t, 200, a.status, a)
		require.Equal(t, want, titles(a), query)
		require.Equal(t, want, titles(b.requireHit(t, "/movies?"+query, "")), query)
	}
	for _, title := range []string{"Catch-22", "Catch Me If You Can", "Frost/Nixon", "Für Elise"} {
		require.Equal(t, 201,
			b.do(t, "POST", "/movies", root.token,
				newMovieBody(map[string]any{"title": title, "genres": []any{"sci-fi"}})).status)
	}
	for typed, want := range map[string][]string{
		"catch22": {"Catch-22"}, "catch 22": {"Catch-22"}, "catch": {"Catch-22", "Catch Me If You Can"},
		"nixon":      {"Frost/Nixon"},
		"fuer elise": {"Für Elise"}, "nosferatoo": {}, "nosfertau": {"Nosferatu"},
	} {
		require.Equal(t, want, titles(searchMovies(url.Values{"q": {typed}})), typed)
	}
	for _, genre := range []string{"Sci-Fi", "sci fi", "SCIFI"} {
		require.Len(t, searchMovies(url.Values{"genre": {genre}}).list(), 4, genre)
	}
	whole, _ := b.walk(t, "/movies?q=c&", "cursor", "", 100)
	byPages, pages := b.walk(t, "/movies?q=c&", "cursor", "", 1)
	require.Equal(t, whole, byPages)
	require.Equal(t, len(whole), pages)
	plain := b.do(t, "GET", "/movies?limit=1", "", nil).body["next_cursor"].(string)
	ranked := b.do(t, "GET", "/movies?limit=1&q=c", "", nil).body["next_cursor"].(string)
	b.do(t, "GET", "/movies?q=c&cursor="+plain, "", nil).requireField(t, 400, "cursor")
	b.do(t, "GET", "/movies?cursor="+ranked, "", nil).requireField(t, 400, "cursor")
	first := b.do(t, "GET", "/movies?q=kid&limit=1", "", nil)
	require.Equal(t, []string{"Nosferatu"},
		titles(b.do(t, "GET", "/movies?q=kid&limit=1&cursor="+first.body["next_cursor"].(string), "", nil)))

	for name, text := range texts {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, 200, searchMovies(url.Values{"q": {text}, "genre": {strings.Fields(text)[0]}}).status)
		})
	}
	for _, text := range []string{"a\x00b", "a\nb", "\xff\xfe", "\x1b", strings.Repeat("a", 101), ""} {
		searchMovies(url.Values{"q": {text}}).requireField(t, 400, "q")
	}
	searchMovies(url.Values{"genre": {"a\x00b"}}).requireField(t, 400, "genre")

	searchMovies(url.Values{"q": {"embarrassing words"}, "genre": {"peculiar taste"}})
	b.logs.secret("embarrassing", "peculiar taste")
}

func TestMoviesByID(t *testing.T) {
	t.Parallel()
	b := setup(t)
	root := b.admin(t, "root")
	first, second, third := b.addMovie(t, "Metropolis"), b.addMovie(t, "Nosferatu"), b.addMovie(t, "Faust")
	require.Equal(t, 200, b.do(t, "PATCH", "/movies/"+second, root.token, map[string]any{"archived": true}).status)
	path := "/movies?ids=" + strings.ToUpper(third) + "," + second + "," + unknownID + "," + first + "," + third
	a := b.requireHit(t, path, "")
	require.Equal(t, []string{"Metropolis", "Nosferatu", "Faust"}, titles(a))
	require.Nil(t, a.body["next_cursor"])
	same := b.do(t, "GET", "/movies?ids="+first+","+second+","+third+","+unknownID, "", nil)
	require.Equal(t, "HIT", same.header.Get("X-Cache"), "the same movies in another order")
	require.Equal(t, 200, b.do(t, "PATCH", "/movies/"+first, root.token, map[string]any{"title": "M"}).status)
	require.Equal(t, []string{"M", "Nosferatu", "Faust"}, titles(b.requireMiss(t, path, "")))

	many := strings.Repeat(","+unknownID, 99)
	require.Equal(t, []string{"M"}, titles(b.do(t, "GET", "/movies?ids="+first+many, "", nil)))
	for _, ids := range []string{first + many + "," + second, "", first + ",", "," + first, first + ";" + second, "one"} {
		b.do(t, "GET", "/movies?ids="+url.QueryEscape(ids), "", nil).requireField(t, 400, "ids")
	}
	for _, other := range []string{"q=faust", "genre=drama", "year_from=1920", "limit=5", "archived=true"} {
		b.do(t, "GET", "/movies?ids="+first+"&"+other, root.token, nil).requireField(t, 400, "ids")
	}
}

func TestGenres(t *testing.T) {
	t.Parallel()
	b := setup(t)
	root := b.admin(t, "root")
	require.Empty(t, b.do(t, "GET", "/movies/genres", "", nil).list())
	add := func(title string, genres ...any) string {
		t.Helper()
		a := b.do(t, "POST", "/movies", root.token, newMovieBody(map[string]any{"title": title, "genres": genres}))
		require.Equal(t, 201, a.status, a)
		return a.data()["id"].(string)
	}
	counts := func(a answer) map[string]any {
		found := map[string]any{}
		for _, g := range a.list() {
			found[g["genre"].(string)] = g["movies"]
		}
		return found
	}
	add("One", "sci-fi", "drama")
	add("Two", "sci-fi", "scifi")
	add("Three", "sci fi", "für alle")
	archived := add("Four", "drama", "western")
	require.Equal(t, 200, b.do(t, "PATCH", "/movies/"+archived, root.token, map[string]any{"archived": true}).status)
	a := b.requireHit(t, "/movies/genres", "")
	require.Equal(t, map[string]any{"sci-fi": 3.0, "drama": 1.0, "für alle": 1.0}, counts(a))
	require.Equal(t, "sci-fi", a.list()[0]["genre"], "that of the most movies")
	require.Equal(t, "drama", a.list()[1]["genre"], "then by name")
	for genre, movies := range counts(a) {
		found := b.do(t, "GET", "/movies?genre="+url.QueryEscape(genre), "", nil).list()
		require.EqualValues(t, movies, len(found), genre)
	}
	add("Five", "drama")
	require.EqualValues(t, 2, counts(b.requireMiss(t, "/movies/genres", ""))["drama"])
}

func TestIdempotentMovies(t *testing.T) {
	t.Parallel()
	b := setup(t)
	root := b.admin(t, "root")
	create := func(body map[string]any) answer {
		r := b.request(t, "POST", "/movies", root.token, body)
		r.Header.Set("Idempotency-Key", "the-same-key")
		return b.send(t, r)
	}
	answers := make([]answer, 10)
	var wg sync.WaitGroup
	for i := range answers {
		wg.Go(func() { answers[i] = create(newMovieBody(nil)) })
	}
	wg.Wait()
	for _, a := range answers {
		require.Equal(t, 201, a.status, a)
		require.Equal(t, answers[0].data(), a.data())
	}
	create(newMovieBody(map[string]any{"year": 1960})).
		requireProblem(t, http.StatusUnprocessableEntity, "idempotency_key_reused")
}
