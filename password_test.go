package watchparty_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty"
)

// badPasswords are new passwords that nobody may have, as somebody of that username and address, with the code of why.
var badPasswords = map[string]struct{ password, code string }{
	"empty":                            {"", "too_short"},
	"one character less":               {"ninechars", "too_short"},
	"ten before they are composed":     {strings.Repeat("e\u0301", 5) + "abcd", "too_short"},
	"one character more":               {strings.Repeat("界", 129), "too_long"},
	"more once it is composed":         {strings.Repeat("\u0958", 65), "too_long"}, // each is two characters in NFC
	"a line break":                     {"correct horse\nbattery", "characters"},
	"a tab":                            {"correct horse\tbattery", "characters"},
	"NUL":                              {"correct horse\x00battery", "characters"},
	"an escape":                        {"correct horse\x1bbattery", "characters"},
	"C1":                               {"correct horse\u0085battery", "characters"},
	"a bidi control":                   {"correct horse\u202ebattery", "characters"},
	"a zero-width space":               {"correct horse\u200bbattery", "characters"},
	"a byte-order mark":                {"\ufeffcorrect horse battery", "characters"},
	"a line separator":                 {"correct horse\u2028battery", "characters"},
	"bytes that are no UTF-8":          {"correct horse\xe9battery", "characters"},
	"the username":                     {"ada.lovelace", "name"},
	"the username in capitals":         {"ADA.Lovelace", "name"},
	"the username with blanks":         {" ada.lovelace\u3000", "name"},
	"the username in wide letters":     {"ａｄａ.ｌｏｖｅｌａｃｅ", "name"},
	"the address":                      {"Countess.Ada@Example.org", "name"},
	"the address before the @":         {"countess.ada", "name"},
	"a common one":                     {"password123", "common"},
	"a common one in capitals":         {"PassWord123", "common"},
	"a common one of keys in a row":    {"qwertyuiop", "common"},
	"a common one of digits":           {"1234567890", "common"},
	"a common one in wide letters":     {"ｐａｓｓｗｏｒｄ１２３", "common"},
	"a common one with a blank behind": {"password123 ", "common"},
}

func TestNewPasswords(t *testing.T) {
	t.Parallel()
	names := []string{"Ada.Lovelace", "countess.ada@example.org"}
	for why, c := range badPasswords {
		t.Run(why, func(t *testing.T) {
			var coded *watchparty.Error
			require.ErrorAs(t, watchparty.ValidatePassword("new_password", c.password, names...), &coded)
			require.Equal(t, watchparty.KindInvalid, coded.Kind)
			require.Len(t, coded.Fields, 1)
			require.Equal(t, []string{"new_password", c.code}, []string{coded.Fields[0].Field, coded.Fields[0].Code})

			r := watchparty.Registration{
				Username: "Ada.Lovelace", Email: "countess.ada@example.org", Password: c.password, DisplayName: "Ada",
				Language: watchparty.English,
			}
			require.ErrorAs(t, r.Validate(), &coded)
			require.Equal(t, []string{"password", c.code}, []string{coded.Fields[0].Field, coded.Fields[0].Code})
		})
	}
	for why, password := range map[string]string{
		"the shortest":                 "ten chars!",
		"ten once they are composed":   strings.Repeat("e\u0301", 10),
		"the longest":                  strings.Repeat("界", 128),
		"the longest, composed":        strings.Repeat("e\u0301", 128),
		"of four bytes each":           strings.Repeat("😀", 128),
		"spaces at its edges":          "  correct horse  ",
		"Cyrillic":                     "пароль из слов",
		"right to left":                "סיסמה ארוכה מאוד",
		"marks":                        `' " \ % $ { } < > &`,
		"with the username in it":      "not ada.lovelace, surely",
		"with a common one in it":      "password123 and then some",
		"a name of another account":    "grace.hopper",
		"spaces that are not the same": "correct\u00a0horse\u3000battery",
	} {
		t.Run(why, func(t *testing.T) {
			require.NoError(t, watchparty.ValidatePassword("password", password, names...))
			normal, ok := watchparty.NormalPassword(password)
			require.True(t, ok)
			require.LessOrEqual(t, len(normal), 4*watchparty.MaxPassword, "bytes that are hashed")
		})
	}
	require.NoError(t, watchparty.ValidatePassword("password", "ada.lovelace"), "no name of anybody")
}

// TestAddressesAsPasswords: an address is refused however its domain is written.
func TestAddressesAsPasswords(t *testing.T) {
	t.Parallel()
	const unicode, ascii = "hans@bücher.example", "hans@xn--bcher-kva.example"
	for _, address := range []string{unicode, ascii} {
		for _, password := range []string{
			unicode, ascii, "Hans@BÜCHER.example", "HANS@XN--BCHER-KVA.EXAMPLE", "hans@bu\u0308cher.example",
			" hans@bücher.example",
		} {
			require.Equal(t, []string{"password:name"}, wrongFields(t,
				watchparty.ValidatePassword("password", password, "hans1", address)),
				"%q for %s", password, address)
		}
		for _, other := range []string{"hans@bucher.example", "hans@bücher.example.org", "ihans@xn--bcher-kva.example",
			":hans1.hans1"} {
			require.NoError(t, watchparty.ValidatePassword("password", other, "hans1", address), "%q for %s", other, address)
		}
	}
}

func TestFormsOfAPassword(t *testing.T) {
	t.Parallel()
	for why, c := range map[string]struct {
		typed string
		forms []string
	}{
		"plain":             {"correct horse battery", []string{"correct horse battery"}},
		"case matters":      {"Correct Horse", []string{"Correct Horse"}},
		"edges matter":      {" correct horse ", []string{" correct horse "}},
		"width matters":     {"ｐａｓｓ", []string{"ｐａｓｓ"}},
		"composed":          {"\u00e9\u00e9", []string{"\u00e9\u00e9"}},
		"decomposed":        {"e\u0301e\u0301", []string{"\u00e9\u00e9", "e\u0301e\u0301"}},
		"Hangul":            {"\u1112\u1161\u11ab", []string{"\ud55c", "\u1112\u1161\u11ab"}},
		"no-break space":    {"a\u00a0b", []string{"a b", "a\u00a0b"}},
		"ideographic space": {"a\u3000b", []string{"a b", "a\u3000b"}},
		"no password now":   {"tab\tbed", []string{"tab\tbed"}},
		"empty":             {"", []string{""}},
	} {
		t.Run(why, func(t *testing.T) { require.Equal(t, c.forms, watchparty.PasswordForms(c.typed)) })
	}
}

func FuzzNormalPassword(f *testing.F) {
	for _, c := range badPasswords {
		f.Add(c.password)
	}
	f.Fuzz(func(t *testing.T, password string) {
		normal, ok := watchparty.NormalPassword(password)
		if !ok {
			return
		}
		again, ok := watchparty.NormalPassword(normal)
		require.True(t, ok)
		require.Equal(t, normal, again, "the form of a form is itself")
	})
}
