package mail

import (
	_ "embed"
	"errors"
	"fmt"
	"html"
	"html/template"
	"net/url"
	"strings"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/calendar"
)

// Content is an email's rendered subject and both of its parts.
type Content struct {
	Subject string
	HTML    string
	Text    string
	// Images are the pictures that the HTML shows.
	Images []Image
	// Calendar is the event that the email publishes or cancels; nil for none.
	Calendar *calendar.Event
}

// letter is the source of both parts of an email. Names in it go through isolate.
type letter struct {
	Language watchparty.Language
	Subject  string
	// Preheader is the text that inboxes show beside the subject. It repeats the letter, so only the HTML has it.
	Preheader  string
	Greeting   string
	Paragraphs []string
	Table      table // may be empty
	Images     []Image
	Button     button
	Footer     string
	// FooterLink is an action that few readers want; it may be empty.
	FooterLink button
}

type button struct{ Label, URL string }

// table has names in its first column and figures in the others.
type table struct {
	Header []string
	Rows   [][]string
}

//go:embed letter.html.tmpl
var letterHTML string

var letterTemplate = template.Must(
	template.New("letter").Funcs(template.FuncMap{"names": escapeWithBDI}).Parse(letterHTML),
)

var isolatesToBDI = strings.NewReplacer(isolateStart, "<bdi>", isolateEnd, "</bdi>")

// escapeWithBDI escapes a text, and after that turns isolates into elements. plainName has removed isolates from names.
func escapeWithBDI(s string) template.HTML {
	return template.HTML(isolatesToBDI.Replace(html.EscapeString(s))) //nolint:gosec // escaped first
}

func (l letter) render(language watchparty.Language) (Content, error) {
	l.Language = language
	if l.Subject == "" || l.Greeting == "" || len(l.Paragraphs) == 0 || l.Button.Label == "" {
		return Content{}, errors.New("mail: a letter lacks its subject, greeting, paragraphs or button")
	}
	for _, b := range []button{l.Button, l.FooterLink} {
		if err := webAddress(b.URL); err != nil && b != (button{}) {
			return Content{}, err
		}
	}
	var page strings.Builder
	if err := letterTemplate.Execute(&page, l); err != nil {
		return Content{}, fmt.Errorf("mail: rendering HTML: %w", err)
	}
	return Content{Subject: plainLine(l.Subject), HTML: page.String(), Text: l.text(), Images: l.Images}, nil
}

// webAddress checks an address. Its error does not contain the address, which may have a token.
func webAddress(address string) error {
	u, err := url.Parse(address)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || strings.ContainsAny(address, " \t") {
		return errors.New("mail: a button's address must start with http:// or https://")
	}
	return nil
}
