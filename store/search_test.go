package store

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestPrefixQuery(t *testing.T) {
	t.Parallel()
	s := open(t)
	finds := func(text, query string) bool {
		t.Helper()
		made := prefixQuery(query)
		if made == "" {
			return false
		}
		return get[bool](t, s, "SELECT to_tsvector('simple', ?) @@ to_tsquery('simple', ?)", text, made)
	}
	for _, test := range []struct {
		text, query string
		want        bool
	}{
		{"The Thin Man", "thin", true},
		{"The Thin Man", "thi", true},
		{"The Thin Man", "THE ma", true},
		{"The Thin Man", "man the", true},
		{"The Thin Man", "th man", false}, // only the last word by its beginning
		{"The Thin Man", "thin woman", false},
		{"The Thin Man", "in", false},
		{"Café Élégance", "élé", true},
		{"Café Élégance", "CAFÉ", true},
		{"שלום עולם", "שלום עו", true},
		{"東京物語", "東京", true},
		{"e\u0301te\u0301", "e\u0301te\u0301", true},
		{"E.T. the Extra-Terrestrial", "e.t.", true},
		{"E.T. the Extra-Terrestrial", "extra-ter", true},
		{"E.T. the Extra-Terrestrial", "terrestrial", true},
		{"Wall-E", "wall-e", true},
		{"Wall-E", "wall", true},
		{"Don't Look Now", "don't", true},
		{"Don't Look Now", "don't lo", true},
		{"2001: A Space Odyssey", "2001: a", true},
		{"Se7en", "se7", true},
		{"AC/DC live", "ac/dc", true},
		{"The Thin Man", "thin & !man", true}, // no syntax of anyone's
		{"The Thin Man", "thin | woman", false},
		{"The Thin Man", "'thin' man", true},
		{"The Thin Man", `thin\ man`, true},
		{"The Thin Man", "(thin", true},
		{"The Thin Man", "thin:* <-> man:*", true},
		{"The Thin Man", "man:A", false}, // two words
		{"The Thin Man", "🎬 thin", true},
		{"The Thin Man", "🎬", false},
		{"The Thin Man", "", false},
		{"The Thin Man", " \t\u3000", false},
		{"The Thin Man", "' & | ! ( ) <-> :* \\", false},
		{"The Thin Man", "\x00thin\x00", true},
		{"The Thin Man", "\xff\xfethin", true},
		{"The Thin Man", "<b>", false},
		{"The Thin Man", "'; DROP TABLE movies; --", false},
	} {
		require.Equal(t, test.want, finds(test.text, test.query), "%q in %q", test.query, test.text)
	}
}

// FuzzPrefixQuery: nothing that anyone types is an error of Postgres, and what has a letter is looked for.
func FuzzPrefixQuery(f *testing.F) {
	for _, text := range []string{
		"the thin man", "", "'", "''", `\`, `'\''`, `\'`, "a:*", "a & b | !c", "a <-> b", "(", ")", "()", "a <2> b", ":*", "a'b\\c",
		"🎬 a", "e\u0301", "\u202ea", "\x00", "\xff\xc0\x80", "<b>a</b>", "&amp;", "http://a.b/c?d=e", "a@b.c", "1e400", "-1.5e-9",
		"½ ² Ⅷ", "ﷺ", "a\u00a0b", "'; DROP TABLE movies; --", strings.Repeat("a", 3000), strings.Repeat("é ", 2000), strings.Repeat("'a", 300),
		"/a/b/c", "a-b-c-d", "$$", "?0", "?", "%s", "a\u2028b", "\u00ad", "ʼ", "'a':B", "a:ABCD*",
	} {
		f.Add(text)
	}
	s := open(f)
	f.Fuzz(func(t *testing.T, text string) {
		query := prefixQuery(text)
		if query == "" {
			for word := range strings.FieldsFuncSeq(strings.ToValidUTF8(text, " "), between) {
				require.False(t, len(word) <= maxWordBytes && strings.ContainsFunc(word, spoken), "%q is not looked for", word)
			}
			return
		}
		var found bool
		err := s.db.NewRaw("SELECT to_tsvector('simple', 'The Thin Man') @@ to_tsquery('simple', ?)", query).Scan(t.Context(), &found)
		require.NoError(t, err, "%q", query)
	})
}
