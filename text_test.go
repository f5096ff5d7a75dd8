package watchparty_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty"
)

// lines are texts, and what is wrong with each as a line and as prose.
var lines = []struct{ name, text, line, prose string }{
	{name: "Latin", text: "Ada Lovelace"},
	{name: "Japanese with an ideographic space", text: "山田\u3000太郎"},
	{name: "Hebrew", text: hebrew},
	{name: "Arabic", text: "مساء الخير"},
	{name: "Persian with a non-joiner", text: "می\u200cخواهم"},
	{name: "Sinhala with a joiner", text: "ශ්\u200dරී ලංකා"},
	{name: "Bengali with a joiner before a virama", text: "র\u200d্যাম"},
	{name: "Devanagari with a non-joiner after a virama", text: "क्\u200cष"},
	{name: "Thai", text: "ภาพยนตร์"},
	{name: "Vietnamese", text: "Phở Hà Nội"},
	{name: "combining marks", text: combined},
	{name: "a family", text: family},
	{name: "a skin tone", text: "👩🏽‍🚀"},
	{name: "a heart on fire", text: "❤\ufe0f\u200d🔥"},
	{name: "a rainbow flag", text: "🏳\ufe0f\u200d🌈"},
	{name: "the flag of Scotland", text: "🏴\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f"},
	{name: "a keycap", text: "1\ufe0f\u20e3"},
	{name: "an information sign", text: "ℹ\ufe0f"},
	{name: "a Han variant", text: "葛\U000e0100飾"},
	{name: "an Arabic number sign", text: "\u0600١٢"},
	{name: "the mark of what could not be read", text: "\ufffd"},

	{name: "a Malayalam chillu of the older encoding", text: "അവന\u0d4d\u200d"},
	{name: "Persian with a non-joiner after a vowel mark", text: "مِ\u200cها"},
	{name: "a heap of marks", text: "A" + strings.Repeat("\u0489", 60), line: "combining_mark"},
	{name: "blank Braille behind a name", text: "Alice\u2800x", line: "invisible_character"},

	{name: "an override", text: "Alice\u202eevil", line: "bidi_control", prose: "bidi_control"},
	{name: "an override that is ended", text: "Alice\u202eevil\u202c", line: "bidi_control"},
	{name: "an embedding", text: "a\u202bb", line: "bidi_control", prose: "bidi_control"},
	{name: "an isolate", text: "a\u2067b", line: "bidi_control", prose: "bidi_control"},
	{name: "an isolate that is ended", text: "a\u2068b\u2069c", line: "bidi_control"},
	{name: "an isolate that ends a line later", text: "a\u2067b\nc\u2069", line: "bidi_control", prose: "bidi_control"},
	{name: "an isolate across a separator", text: "a\u2067b\u2028c\u2069", line: "bidi_control", prose: "bidi_control"},
	{name: "an end without a beginning", text: "a\u2069b", line: "bidi_control", prose: "bidi_control"},
	{name: "ends in the wrong order", text: "\u2067a\u202bb\u2069\u202c", line: "bidi_control", prose: "bidi_control"},
	{name: "a mark from right to left", text: "a\u200fb", line: "bidi_control"},
	{name: "an Arabic letter mark", text: "a\u061cb", line: "bidi_control"},

	{name: "a line break", text: "a\nb", line: "line_break"},
	{name: "a tab", text: "a\tb", line: "control_character"},
	{name: "a line separator", text: "a\u2028b", line: "line_break"},
	{name: "a paragraph separator", text: "a\u2029b", line: "line_break"},
	{name: "a next line", text: "a\u0085b", line: "line_break", prose: "control_character"},
	{name: "NUL", text: "a\x00b", line: "control_character", prose: "control_character"},
	{name: "an escape", text: "a\x1b[31mb", line: "control_character", prose: "control_character"},
	{name: "a noncharacter", text: "a\ufdd0b", line: "control_character", prose: "control_character"},
	{name: "the last noncharacter", text: "a\U0010ffffb", line: "control_character", prose: "control_character"},
	{name: "no UTF-8", text: "a\xe9b", line: "control_character", prose: "control_character"},

	{name: "a zero-width space", text: "Ali\u200bce", line: "invisible_character"},
	{name: "a word joiner", text: "Ali\u2060ce", line: "invisible_character"},
	{name: "a byte order mark", text: "Ali\ufeffce", line: "invisible_character"},
	{name: "a soft hyphen", text: "Ali\u00adce", line: "invisible_character"},
	{name: "a grapheme joiner", text: "Ali\u034fce", line: "invisible_character"},
	{name: "a Hangul filler", text: "Ali\u3164ce", line: "invisible_character"},
	{name: "a joiner between Latin letters", text: "Ali\u200dce", line: "invisible_character"},
	{name: "a non-joiner between Latin letters", text: "Ali\u200cce", line: "invisible_character"},
	{name: "a joiner at the end", text: "👩\u200d", line: "invisible_character"},
	{name: "two joiners", text: "👩\u200d\u200d👧", line: "invisible_character"},
	{name: "a variation selector behind a letter", text: "A\ufe0f", line: "invisible_character"},
	{name: "two variation selectors", text: "❤\ufe0f\ufe0f", line: "invisible_character"},
	{name: "a tag behind a letter", text: "a\U000e0041", line: "invisible_character"},
	{name: "a flag without an end", text: "🏴\U000e0067\U000e0062", line: "invisible_character"},
	{name: "a music format", text: "a\U0001d173b", line: "invisible_character"},
	{name: "a combining mark first", text: "\u0301a", line: "combining_mark"},

	{name: "joiners alone", text: "\u200d\u200c", line: "blank", prose: "blank"},
	{name: "fillers alone", text: "\u3164\u115f\uffa0", line: "blank", prose: "blank"},
	{name: "blank Braille alone", text: "\u2800\u2800", line: "blank", prose: "blank"},
	{name: "a no-break space and a variation selector", text: "\u00a0\ufe0f", line: "blank", prose: "blank"},
}

func TestLinesAndProse(t *testing.T) {
	require.Empty(t, wrongFields(t, watchparty.RoomChange{}.Validate()))
	faults := func(field, code string) []string {
		if code == "" {
			return nil
		}
		return []string{field + ":" + code}
	}
	for _, test := range lines {
		t.Run(test.name, func(t *testing.T) {
			require.Equal(t, faults("name", test.line), wrongFields(t, watchparty.RoomChange{Name: &test.text}.Validate()))
			require.Equal(t, faults("body", test.prose), wrongFields(t, watchparty.ValidateMessage(test.text)))
			shown := watchparty.ShownLine("x "+test.text+" y", 1000)
			require.Empty(t, wrongFields(t, watchparty.RoomChange{Name: &shown}.Validate()), "what is left of it is a line")
		})
	}
}

func TestLineEdges(t *testing.T) {
	for text, want := range map[string]string{
		" \t\u3000a b\u00a0\n": "a b",
		"\ufeffa\u200b":        "a",
		"\u2028a\u2060":        "a",
		"e\u0301":              "é",
		"❤\ufe0f":              "❤\ufe0f",
		"a  b":                 "a  b",
	} {
		name, description, body := text, text, text
		change := watchparty.RoomChange{Name: &name, Description: &description}
		change.Normalise()
		require.Equal(t, want, *change.Name)
		require.Equal(t, strings.TrimSpace(text), *change.Description)
		require.Equal(t, text, body)
	}
}

// TestProseIsNormalisedAlike: the texts of abuse reports have the same normal form as the reasons of moderators.
func TestProseIsNormalisedAlike(t *testing.T) {
	for _, text := range []string{"", " \t\u3000a b\u00a0\n", "\ufeffa\u200b", "\u2028a\u2060", combined, "a  b\r\nc"} {
		moderation := watchparty.Moderation{Reason: text}
		moderation.Normalise()
		report := watchparty.NewAbuseReport{Text: text}
		report.Normalise()
		require.Equal(t, moderation.Reason, report.Text, "%q", text)
		resolution := watchparty.Resolution{Note: text}
		resolution.Normalise()
		require.Equal(t, moderation.Reason, resolution.Note, "%q", text)
	}
}

func TestShownLine(t *testing.T) {
	require.Equal(t, "Mozilla/5.0 evil", watchparty.ShownLine("Mozilla/5.0 \u202eevil\xff\x00\u200b", 100))
	require.Equal(t, "abc", watchparty.ShownLine("\u2028abcdef", 3))
	require.Empty(t, watchparty.ShownLine("\u202e\u200b", 100))
}

func TestReservedUsernames(t *testing.T) {
	valid := watchparty.Registration{
		Email: "ada@example.org", Password: "correct horse battery", DisplayName: "Ada", Language: watchparty.English,
	}
	for _, name := range []string{
		"admin", "Admin", "ADMIN", "support", "moderator", "system", "watchparty", "a.d.m.i.n", "ad-min", "support_",
		"watchparty-support", "Support.Team", "WatchPartySupport", "SupportTeam", "admin1", "support24", "2admins",
		"Moderator_7",
		"administrators", "customerservice", "sysop", "owner", "www", "AdminModTeam99", "no-reply", "mailer-daemon",
		"everyone", "deleted-0000", "DELETED-x", "root",
	} {
		valid.Username = name
		require.Equal(t, []string{"username:reserved"}, wrongFields(t, valid.Validate()), name)
	}
	for _, name := range []string{
		"ada", "administer", "admin-of-love", "supporter", "rooted", "undeleted", "systematic", "user42", "host.ess",
		"teamster", "modest", "12345", "alladin", "information",
	} {
		valid.Username = name
		require.Empty(t, wrongFields(t, valid.Validate()), name)
	}
}
