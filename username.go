package watchparty

import (
	"regexp"
	"slices"
	"strings"
)

// Limits of usernames, in characters.
const (
	MinUsername = 3
	MaxUsername = 32
)

var usernamePattern = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.-]*$`)

func (v *fields) username(name string) {
	v.length("username", name, MinUsername, MaxUsername)
	v.check(usernamePattern.MatchString(name), "username", "pattern",
		"may contain letters, digits, _ . - and must start with a letter or digit")
	v.check(!hasPrefixFold(name, deletedPrefix) && !reservedName(name), "username", "reserved", "is reserved")
}

// The names of a deleted account: this prefix with a part of its ID, at this domain.
const (
	deletedPrefix = "deleted-"
	deletedDomain = "@deleted.invalid"
)

// DeletedNames returns the username and the address of an account between its deletion and the end of its row. Nobody
// can register them.
func DeletedNames(id string) (username, email string) {
	hex := strings.ReplaceAll(id, "-", "")
	return deletedPrefix + hex[max(0, len(hex)-(MaxUsername-len(deletedPrefix))):], id + deletedDomain
}

// reservedNames are usernames that could be taken for the service itself, or for everybody.
var reservedNames = []string{
	"abuse", "admin", "administration", "administrator", "administrators", "admins", "all", "anonymous", "api", "billing",
	"console", "contact", "customer", "customers", "deleted", "everybody", "everyone", "founder", "founders", "help",
	"helpdesk", "hostmaster", "info", "legal", "mailerdaemon", "mod", "moderation", "moderator", "moderators", "mods",
	"nobody", "noreply", "null", "official", "operator", "operators", "owner", "owners", "postmaster", "privacy", "root",
	"security", "server", "service", "services", "staff", "superuser", "support", "sysadmin", "sysop", "system", "team",
	"undefined", "unknown", "watchparty", "webmaster", "www",
}

// reservedName reports whether a username is made of reserved names, ignoring case, separators and digits around it.
func reservedName(username string) bool {
	name := strings.NewReplacer("_", "", ".", "", "-", "").Replace(strings.ToLower(username))
	name = strings.Trim(name, "0123456789")
	return name != "" && madeOfReserved(name)
}

func madeOfReserved(name string) bool {
	return name == "" || slices.ContainsFunc(reservedNames, func(word string) bool {
		rest, begins := strings.CutPrefix(name, word)
		return begins && madeOfReserved(rest)
	})
}

func hasPrefixFold(s, prefix string) bool {
	return len(s) >= len(prefix) && strings.EqualFold(s[:len(prefix)], prefix)
}
