package store

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun/dialect/pgdialect"

	"github.com/watchparty/watchparty"
)

// phrases makes texts of some 3,000 words, the first of them by far the commonest, as words are.
type phrases struct{ random *rand.Rand }

func (p phrases) nextWord() string {
	begins := []string{"ma", "ster", "ki", "no", "lun", "fé", "gra", "vo", "shi", "tor", "bel", "dra"}
	ends := []string{"ra", "land", "to", "mer", "ühn", "quin", "osa", "ight", "ex", "ova"}
	n := int(3000 * math.Pow(p.random.Float64(), 4))
	return begins[n%12] + ends[n/12%10] + string(rune('a'+n/120%25))
}

func (p phrases) nextPhrase(words int) string {
	all := make([]string, words)
	for i := range all {
		all[i] = p.nextWord()
	}
	return strings.Join(all, []string{" ", " ", " ", "-", ": "}[p.random.IntN(5)])
}

// fillSearch adds 100,000 rooms, 10,000 movies and 10,000 accounts.
func fillSearch(b *testing.B, s *Store, p phrases) {
	b.Helper()
	host := newUser(b, s, "host").ID
	const batch = 1000
	insert := func(rows int, statement string, row func(n int) (title, text string)) {
		for from := 0; from < rows; from += batch {
			titles, texts := make([]string, batch), make([]string, batch)
			for i := range batch {
				titles[i], texts[i] = row(from + i)
			}
			execute(b, s, statement, pgdialect.Array(titles), pgdialect.Array(texts), host)
		}
	}
	insert(10_000, `INSERT INTO users (id, username, email, display_name, password_hash)
		SELECT gen_random_uuid(), t, t || '@example.org', d, ?2::text FROM unnest(?0::text[], ?1::text[]) AS u (t, d)`,
		func(n int) (string, string) { return fmt.Sprintf("user%d", n), p.nextPhrase(2) })
	insert(10_000, `INSERT INTO movies (id, title, year, runtime_minutes, description, genres)
		SELECT gen_random_uuid(), t, 1950, 90, d, ARRAY['drama'] FROM unnest(?0::text[], ?1::text[]) AS m (t, d)
			ON CONFLICT DO NOTHING`,
		func(n int) (string, string) {
			if n == 0 {
				return "七人の侍", ""
			}
			return p.nextPhrase(1 + n%6), p.nextPhrase(40)
		})
	insert(100_000, `INSERT INTO rooms (id, name, description, host_id, visibility, capacity)
		SELECT gen_random_uuid(), t, d, ?2, 'public', 10 FROM unnest(?0::text[], ?1::text[]) AS r (t, d)`,
		func(n int) (string, string) {
			switch {
			case n == 0:
				return "Face/Off", ""
			case n == 1:
				return "七人の侍", ""
			case n%3 == 0:
				return p.nextPhrase(1+n%6) + " movie night", p.nextPhrase(8)
			}
			return p.nextPhrase(1 + n%6), p.nextPhrase(8)
		})
	execute(
		b,
		s,
		"SELECT gin_clean_pending_list(i) "+
			"FROM unnest(ARRAY['movies_search_idx', 'rooms_search_idx', 'users_search_idx']::regclass[]) AS i",
	)
	execute(b, s, "ANALYZE users, movies, rooms")
}

// hardSearches are frequent words, one letter, mistypes, marks, hostile ones, and what nobody has.
var hardSearches = []string{
	"m", "a", "9", "mo", "movie", "movie night", "nigth", "night movie ma", "faceoff", "face off", "face/of", "侍", "七人",
	"zzzzzz", "zzzz yyyy xxxx",
	"a a a a a a a a a a a a a a a a a a a a a a a a a", "'; DROP TABLE rooms; --", "%%%%%%%%",
	"a-b-c-d-e-f-g-h-i-j-k-l-m-n-o-p-q-r-s-t-u-v-w-x-y-z",
	"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
}

// BenchmarkSearch fails when the median of a list is above 20 ms.
func BenchmarkSearch(b *testing.B) {
	const most = 20 * time.Millisecond
	s := openStore(b)
	p := phrases{rand.New(rand.NewPCG(1, 2))} //nolint:gosec // the same in each run
	fillSearch(b, s, p)
	var words []string // as people type them: whole, begun, and mistyped
	for range 20 {
		word := []rune(p.nextWord())
		words = append(words, p.nextPhrase(2), string(word[:3]), "x"+string(word[1:]))
	}
	words = append(words, hardSearches...)
	for _, list := range []struct {
		name   string
		search func(typed string) error
	}{
		{"rooms", func(typed string) error {
			_, err := s.Rooms(b.Context(), watchparty.RoomFilter{Search: typed}, Page{Limit: 21})
			return err
		}},
		{"movies", func(typed string) error {
			_, err := s.Movies(b.Context(), watchparty.MovieFilter{Search: typed}, Page{Limit: 21})
			return err
		}},
		{"users", func(typed string) error {
			_, err := s.Users(b.Context(), watchparty.UserFilter{Search: typed}, Page{Limit: 21})
			return err
		}},
	} {
		b.Run(list.name, func(b *testing.B) {
			var took []time.Duration
			var slowest string
			for b.Loop() {
				for _, typed := range words {
					at := time.Now()
					require.NoError(b, list.search(typed), typed)
					took = append(took, time.Since(at))
					if took[len(took)-1] == slices.Max(took) {
						slowest = typed
					}
				}
			}
			slices.Sort(took)
			milliseconds := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
			median := took[len(took)/2]
			b.ReportMetric(milliseconds(median), "p50-ms")
			b.ReportMetric(milliseconds(took[len(took)*95/100]), "p95-ms")
			b.ReportMetric(milliseconds(took[len(took)-1]), "max-ms")
			b.ReportMetric(0, "ns/op")
			b.Logf("the slowest is %q", slowest)
			require.LessOrEqual(b, median, most)
		})
	}
}
