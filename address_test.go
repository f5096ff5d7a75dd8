package watchparty_test

import (
	"net/mail"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty"
)

func parseAddress(t *testing.T, text string) watchparty.Address {
	t.Helper()
	a, err := watchparty.ParseAddress(text)
	require.NoError(t, err, "%q", text)
	return a
}

// Each line is one mailbox, in every way to write it: the first is the key.
func TestOneMailboxHasOneKey(t *testing.T) {
	lines := [][]string{
		{"bob@example.org", "Bob@Example.ORG", " bob@example.org\r\n", `"bob"@example.org`, `"b\ob"@example.org`,
			"ｂｏｂ＠ｅｘａｍｐｌｅ．ｏｒｇ",
			"bob@example。org", "\u3000bob@example.org"},
		{"hans@xn--bcher-kva.example", "hans@bücher.example", "hans@bu\u0308cher.example", "HANS@BÜCHER.EXAMPLE",
			"hans@XN--BCHER-KVA.example"},
		{"andr\u00e9@example.org", "andre\u0301@example.org", "ANDR\u00c9@example.org", "ANDRE\u0301@EXAMPLE.org"},
		{"a..b@example.org", `"a..b"@example.org`, "A..B@example.org"},
		{".a@example.org", `".a"@example.org`},
		{"a.@example.org", `"a."@example.org`},
		{"νίκοσ@example.org", "νίκος@example.org", "ΝΊΚΟΣ@example.org"},
		{"straße@xn--strae-oqa.example", "STRAẞE@straße.example"},
		{"strasse@strasse.example", "strasse@STRASSE.example"},
		{"k@example.org", "\u212a@example.org"}, // the Kelvin sign's normal form
		{"\u017fam@example.org"},                // a long s is another letter than s
		{"sam@example.org"},
		{"\u0131n@example.org"}, // and a dotless i than i
		{"in@example.org"},
		{"bob+tag@example.org"}, // what a tag means is the provider's matter
		{"b.o.b@example.org"},
		{"用户@xn--fsqu00a.xn--4rr70v", "用户@例子.广告"},
		{"ada@localhost"},
		{"!#$%&'*+-/=?^_`{|}~@example.org", "\"!#$%&'*+-/=?^_`{|}~\"@example.org"},
	}
	seen := map[string]string{}
	for _, line := range lines {
		for _, text := range line {
			a := parseAddress(t, text)
			require.Equal(t, line[0], a.Key(), "%q", text)
			require.Equal(t, strings.TrimSpace(text), a.String(), "what was typed is shown")
			require.False(t, a.IsZero())
			require.Equal(t, line[0], watchparty.AccountKey(text), "%q", text)

			// What is emailed is the mailbox that the key stands for, and email programs read it.
			again := parseAddress(t, a.Mailbox())
			require.Equal(t, a.Key(), again.Key(), "%q", text)
			require.Equal(t, a.Mailbox(), again.Mailbox(), "%q", text)
			read, err := mail.ParseAddress((&mail.Address{Address: a.Mailbox()}).String())
			require.NoError(t, err, "%q", text)
			require.Equal(t, a.Mailbox(), read.Address)
		}
		require.Empty(t, seen[line[0]], "another mailbox")
		seen[line[0]] = line[0]
	}
	require.Empty(t, watchparty.Address{}.Key())
	require.True(t, watchparty.Address{}.IsZero())
}

func TestMailbox(t *testing.T) {
	for text, want := range map[string]string{
		"Bob@Bücher.example": "Bob@xn--bcher-kva.example",
		`"a..b"@example.org`: "a..b@example.org",
		"andre\u0301@x.org":  "andr\u00e9@x.org",
	} {
		a := parseAddress(t, text)
		require.Equal(t, want, a.Mailbox())
		require.Equal(t, want[strings.LastIndexByte(want, '@')+1:], a.Domain())
		require.Equal(t, !strings.Contains(want, "\u00e9"), a.ASCII())
	}
	require.Equal(t, `<"a..b"@example.org>`, (&mail.Address{Address: parseAddress(t, "a..b@example.org").Mailbox()}).
		String())
}

func TestNoAddress(t *testing.T) {
	for name, text := range map[string]string{
		"nothing": "", "white space": " \n", "no @": "bob.example.org", "no local part": "@example.org",
		"empty quotes": `""@example.org`,
		"no domain":    "bob@", "two": "a@b.org,c@d.org", "two @": "a@b@c.org", "two @, one in another width": "a＠b@c.org",
		"a name": "Bob <bob@example.org>", "brackets": "<bob@example.org>", "a comment": "bob(home)@example.org",
		"a comment after": "bob@example.org (home)", "a group": "friends:bob@example.org;",
		"a route": "@a.org,@b.org:c@d.org", "mailto": "mailto:bob@example.org",
		"an IP address": "bob@192.0.2.1", "an IP literal": "bob@[192.0.2.1]", "an IPv6 literal": "bob@[IPv6:2001:db8::1]",
		"a number":               "bob@1",
		"a dot after the domain": "bob@example.org.", "another dot after it": "bob@example.org。",
		"a dot before":           "bob@.example.org",
		"two dots in the domain": "bob@example..org", "a hyphen before": "bob@-example.org",
		"a hyphen after": "bob@example-.org",
		"an underscore":  "bob@foo_bar.example", "a space in the domain": "bob@exa mple.org",
		"a percent sign in it": "bob@exam%70le.org",
		"a bad encoding":       "bob@xn--a.example", "an encoding of ASCII": "bob@xn--abc-.example",
		"an encoding of capitals": "bob@xn--Bcher-Kva-ABC.example",
		"a soft hyphen alone":     "bob@\u00ad.example", "a mixed direction": "bob@a\u05d0.example",
		"a label of 64 bytes":            "bob@" + strings.Repeat("a", 64) + ".org",
		"a label of 64 bytes, encoded":   "bob@" + strings.Repeat("ü", 58) + "x.org",
		"a local part of 65 bytes":       strings.Repeat("a", 65) + "@example.org",
		"one of 64 with quotes":          strings.Repeat("a", 61) + "..@example.org",
		"one of 33 letters and 66 bytes": strings.Repeat("ä", 33) + "@example.org",
		"255 bytes":                      "a@" + strings.Repeat(strings.Repeat("b", 62)+".", 4) + "c",
		"a space":                        "bo b@example.org", "a quoted space": `"bo b"@example.org`,
		"a quoted @":     `"a@b"@example.org`,
		"a quoted quote": `"a\"b"@example.org`, "a quoted backslash": `"a\\b"@example.org`,
		"quotes within": `a"b"@example.org`,
		"an open quote": `"bob@example.org`, "a quote that is escaped": `"bob\"@example.org`, "a comma": "a,b@example.org",
		"a line break": "bob@example.org\r\nBcc: eve@example.org", "a folded line": "bob\r\n @example.org",
		"NUL":                               "b\x00ob@example.org",
		"a control character in the domain": "bob@exam\x01ple.org", "a no-break space": "b\u00a0ob@example.org",
		"a zero width space": "b\u200bob@example.org",
		"a joiner":           "b\u200dob@example.org", "an override": "b\u202eob@example.org",
		"a filler":             "b\u3164ob@example.org",
		"a variation selector": "b\ufe0fob@example.org", "a mark first": "\u0301bob@example.org",
		"a private character": "b\ue000ob@example.org",
		"no UTF-8":            "b\xffob@example.org", "no UTF-8 in the domain": "bob@ex\xe9mple.org",
		"a deleted account's":             "x@deleted.invalid",
		"a deleted account's in capitals": "X@DELETED.Invalid",
	} {
		a, err := watchparty.ParseAddress(text)
		var coded *watchparty.Error
		require.ErrorAs(t, err, &coded, "%s: %q is %q", name, text, a.Key())
		require.Equal(t, []watchparty.FieldError{{Field: "email", Code: "email", Message: "must be an email address"}},
			coded.Fields, name)
		require.True(t, a.IsZero(), name)
		require.Equal(t, ":"+strings.ToLower(strings.TrimSpace(text)), watchparty.AccountKey(text), "%s finds nobody", name)
	}
	for _, text := range []string{
		strings.Repeat("a", 64) + "@example.org", strings.Repeat("ä", 32) + "@example.org",
		strings.Repeat("a", 60) + "..@example.org",
		"a@" + strings.Repeat(strings.Repeat("b", 61)+".", 4) + "cdef", "bob@" + strings.Repeat("a", 63) + ".org",
	} {
		require.LessOrEqual(t, len(parseAddress(t, text).Mailbox()), watchparty.MaxEmailBytes)
	}
}

func TestAddressPrefix(t *testing.T) {
	key := parseAddress(t, "Hans@bücher.example").Key()
	for _, typed := range []string{"", "h", "HANS", "hans@", "hans@xn--bch", "hans@xn--bcher-kva.ex", "hans@bücher.",
		"Hans@BÜCHER.Exam", "hans＠bücher.example"} {
		require.True(t, strings.HasPrefix(key, watchparty.AddressPrefix(typed)), "%q: %q", typed,
			watchparty.AddressPrefix(typed))
	}
	require.False(t, strings.HasPrefix(key, watchparty.AddressPrefix("hans@bucher.")))
}
