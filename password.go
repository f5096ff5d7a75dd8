package watchparty

import (
	_ "embed"
	"strings"
	"sync"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/secure/precis"
	"golang.org/x/text/unicode/norm"
)

// Limits of a new password, in characters of its normal form. That form has at most 4 × MaxPassword bytes.
const (
	MinPassword = 10
	MaxPassword = 128
)

// commonPasswords is the beginning of 10-million-password-list-top-1000000 of OWASP's SecLists (Mark Burnett's ten
// million passwords, 2015): the 10,000 commonest of those that are long enough, in lower case.
//
//go:embed common_passwords.txt
var commonPasswords string

var commonPasswordSet = sync.OnceValue(func() map[string]bool {
	set := map[string]bool{}
	for line := range strings.Lines(commonPasswords) {
		set[fold(strings.TrimSuffix(line, "\n"))] = true
	}
	return set
})

// NormalPassword returns the form in which a password is hashed: RFC 8265's OpaqueString, which is the same from every
// keyboard. It returns false for a text that cannot be a password, such as one with control characters.
func NormalPassword(password string) (string, bool) {
	normal, err := precis.OpaqueString.String(password)
	return normal, err == nil && utf8.ValidString(password)
}

// PasswordForms returns the forms of a password that may have been hashed: the normal one and, if it is different, the
// typed one, of which older hashes were made.
func PasswordForms(password string) []string {
	normal, ok := NormalPassword(password)
	if !ok || normal == password {
		return []string{password}
	}
	return []string{normal, password}
}

// ValidatePassword checks a new password of the account with those names: its username and its addresses. field is the
// field of the request that has the password.
func ValidatePassword(field, password string, names ...string) error {
	var v fields
	v.password(field, password, names...)
	return v.err()
}

func (v *fields) password(field, password string, names ...string) {
	normal, ok := NormalPassword(password)
	if !ok && password != "" {
		v.check(false, field, "characters", "must not contain control characters or invisible characters")
		return
	}
	v.length(field, normal, MinPassword, MaxPassword)
	v.check(!namesAccount(normal, names), field, "name", "must not be the username or the email address")
	v.check(!commonPasswordSet()[fold(normal)], field, "common", "is one of the commonest passwords")
}

// namesAccount reports whether a password is one of the account's names, or the part before the @ of its address. An
// address is the same with its domain in Unicode and in ASCII.
func namesAccount(password string, names []string) bool {
	folded, key := fold(password), AccountKey(password)
	for _, name := range names {
		if name == "" {
			continue
		}
		if folded == fold(name) || key == AccountKey(name) {
			return true
		}
		if at := strings.LastIndexByte(name, '@'); at > 0 && folded == fold(name[:at]) {
			return true
		}
	}
	return false
}

// fold removes differences of case, width, normal form, and white space at the edges.
func fold(s string) string {
	if !utf8.ValidString(s) {
		return s
	}
	return norm.NFKC.String(cases.Fold().String(norm.NFKC.String(strings.TrimSpace(s))))
}
