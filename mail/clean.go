package mail

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/watchparty/watchparty"
)

const (
	// Limits, in characters.
	maxAnswer = 500
	maxName   = 100

	redacted = "[redacted]"

	// Unicode's First Strong Isolate and Pop Directional Isolate.
	isolateStart = "\u2068"
	isolateEnd   = "\u2069"
)

// addressLike matches rather too much than too little: also a quoted local part, and everything that touches an at
// sign, which may be full-width, percent-encoded, or beside a space.
var addressLike = regexp.MustCompile(`(?i)"[^"]*"@\S+|\S*\s?(?:@|＠|﹫|%40|=40\pL)\s?\S*`)

// tokenLike matches words that are long enough to be a one-time token.
var tokenLike = regexp.MustCompile(`[0-9A-Za-z_.~-]{16,}`)

// redact makes a text from outside safe to store: it removes addresses, secrets, tokens, and what is known of the
// recipient.
func (s *Sender) redact(text string, m Message) string {
	text = plainLine(withoutFormat(text))
	for _, secret := range s.login.secrets() {
		text = strings.ReplaceAll(text, secret, redacted)
	}
	text = addressLike.ReplaceAllString(text, redacted)
	// A filter may quote a link of the email, which has the token.
	sent := strings.ToLower(m.Content.Text)
	text = tokenLike.ReplaceAllStringFunc(text, func(token string) string {
		if strings.Contains(sent, strings.ToLower(token)) {
			return redacted
		}
		return token
	})
	words := []string{plainLine(m.ToName)}
	for _, address := range []string{m.To, mailbox(m.To)} {
		local, _, _ := strings.Cut(address, "@")
		words = append(words, plainLine(local))
	}
	for _, word := range words {
		text = replaceWord(text, word)
	}
	return cut(text, maxAnswer)
}

// mailbox returns an address in the form that a server sees.
func mailbox(typed string) string {
	a, err := watchparty.ParseAddress(typed)
	if err != nil {
		return ""
	}
	return a.Mailbox()
}

// replaceWord redacts word, in any case, if no letter or digit touches it.
func replaceWord(text, word string) string {
	if word == "" {
		return text
	}
	pattern := regexp.MustCompile(`(?i)(^|[^\pL\pN])` + regexp.QuoteMeta(word) + `($|[^\pL\pN])`)
	for range 2 { // neighbours share the character between them, so that one pass finds every other one
		text = pattern.ReplaceAllString(text, "${1}"+redacted+"${2}")
	}
	return text
}

// plainLine makes one line of valid UTF-8 of a text, without control characters and with single spaces between words.
func plainLine(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.In(r, unicode.Cc, unicode.Zl, unicode.Zp) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
	return strings.Join(strings.Fields(s), " ")
}

// plainName is plainLine without the characters that would change the direction of the text around a name. The marks
// and joiners that scripts need stay.
func plainName(s string) string {
	s = strings.Map(func(r rune) rune {
		if r >= '\u202A' && r <= '\u202E' || r >= '\u2066' && r <= '\u2069' {
			return -1
		}
		return r
	}, s)
	return cut(plainLine(s), maxName)
}

// headerText prevents email programs from decoding a person's text as an RFC 2047 encoded word.
func headerText(s string) string { return strings.ReplaceAll(s, "=?", "= ?") }

func withoutFormat(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Cf, r) {
			return -1
		}
		return r
	}, s)
}

func cut(s string, most int) string {
	if utf8.RuneCountInString(s) <= most {
		return s
	}
	return string([]rune(s)[:most-1]) + "…"
}

// isolate marks a name in an email, so that its direction does not change the sentence: by <bdi> in HTML, and by
// Unicode isolates in text.
func isolate(name string) string { return isolateStart + plainName(name) + isolateEnd }
