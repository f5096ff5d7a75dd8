package inbox

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime"
	"regexp"
	"strconv"
	"strings"
	"time"

	_ "github.com/emersion/go-message/charset" // decodes charsets other than UTF-8
	gomail "github.com/emersion/go-message/mail"
)

const (
	envelopeHeader = "X-Envelope-To"
	snippetLength  = 250
)

// mail is a parsed email. Parts that cannot be parsed are empty: an inbox also shows malformed emails.
type mail struct {
	MessageID   string // without angle brackets
	Subject     string
	From        address
	To          []address
	Cc          []address
	Bcc         []address // of the header, and of the envelope if no header has them
	ReplyTo     []address
	ReturnPath  string
	Date        time.Time
	Text        string
	HTML        string
	Snippet     string
	Inline      []part
	Attachments []part
	Headers     map[string][]string
}

type address struct {
	Name    string
	Address string
}

func (a address) String() string {
	if a.Name == "" {
		return a.Address
	}
	return fmt.Sprintf("%s <%s>", a.Name, a.Address)
}

// part is an attachment or an inline image, in Mailpit's shape.
type part struct {
	PartID      string
	FileName    string
	ContentType string
	ContentID   string
	Size        int
	body        []byte
}

func parse(raw []byte) mail {
	reader, err := gomail.CreateReader(bytes.NewReader(raw))
	if reader == nil {
		return mail{Subject: fmt.Sprintf("(unreadable: %v)", err)}
	}
	defer reader.Close()
	m := parseHeader(&reader.Header)
	for {
		p, err := reader.NextPart()
		if p == nil || errors.Is(err, io.EOF) {
			break
		}
		m.addPart(p)
	}
	m.Snippet = snippet(m.Text, m.HTML)
	return m
}

func parseHeader(h *gomail.Header) mail {
	m := mail{
		To:         addresses(h, "To"),
		Cc:         addresses(h, "Cc"),
		Bcc:        addresses(h, "Bcc"),
		ReplyTo:    addresses(h, "Reply-To"),
		ReturnPath: strings.Trim(h.Get("Return-Path"), "<> "),
		Headers:    h.Map(),
	}
	if from := addresses(h, "From"); len(from) > 0 {
		m.From = from[0]
	}
	m.Subject = headerText(h, "Subject")
	m.MessageID = strings.Trim(h.Get("Message-Id"), "<> ")
	m.Date, _ = h.Date()
	m.addHiddenRecipients(h.Values(envelopeHeader))
	return m
}

func (m *mail) addHiddenRecipients(envelope []string) {
	named := map[string]bool{}
	for _, list := range [][]address{m.To, m.Cc, m.Bcc} {
		for _, a := range list {
			named[strings.ToLower(a.Address)] = true
		}
	}
	for _, recipient := range envelope {
		if key := strings.ToLower(recipient); !named[key] {
			named[key] = true
			m.Bcc = append(m.Bcc, address{Address: recipient})
		}
	}
}

func (m *mail) addPart(p *gomail.Part) {
	body, _ := io.ReadAll(p.Body) // an incomplete part is shown as far as it goes
	contentType, typeParams, _ := mime.ParseMediaType(p.Header.Get("Content-Type"))
	disposition, params, _ := mime.ParseMediaType(p.Header.Get("Content-Disposition"))
	name := decodeWord(firstNonEmpty(params["filename"], typeParams["name"]))
	if contentType == "" {
		contentType = "text/plain"
	}

	isBody := disposition != "attachment" && name == ""
	switch {
	case isBody && contentType == "text/plain":
		m.Text += string(body)
		return
	case isBody && contentType == "text/html":
		m.HTML += string(body)
		return
	}

	found := part{
		PartID:      strconv.Itoa(len(m.Inline) + len(m.Attachments) + 1),
		FileName:    name,
		ContentType: contentType,
		ContentID:   strings.Trim(p.Header.Get("Content-Id"), "<> "),
		Size:        len(body),
		body:        body,
	}
	if disposition != "attachment" && found.ContentID != "" {
		m.Inline = append(m.Inline, found)
		return
	}
	m.Attachments = append(m.Attachments, found)
}

// withoutBodies returns what lists need, so that memory does not grow with the size of emails.
func (m mail) withoutBodies() mail {
	m.Text, m.HTML, m.Headers = "", "", nil
	m.Inline, m.Attachments = stripBodies(m.Inline), stripBodies(m.Attachments)
	return m
}

func stripBodies(parts []part) []part {
	stripped := make([]part, len(parts))
	for i, p := range parts {
		p.body = nil
		stripped[i] = p
	}
	return stripped
}

// part finds an attachment or inline part by its PartID.
func (m mail) part(id string) (part, bool) {
	for _, parts := range [][]part{m.Inline, m.Attachments} {
		for _, p := range parts {
			if p.PartID == id {
				return p, true
			}
		}
	}
	return part{}, false
}

func addresses(h *gomail.Header, key string) []address {
	parsed, err := h.AddressList(key)
	if err != nil {
		return []address{{Address: headerText(h, key)}}
	}
	found := make([]address, len(parsed))
	for i, a := range parsed {
		found[i] = address{Name: a.Name, Address: a.Address}
	}
	return found
}

func headerText(h *gomail.Header, key string) string {
	text, err := h.Text(key)
	if err != nil {
		return h.Get(key)
	}
	return text
}

func decodeWord(s string) string {
	decoded, err := new(mime.WordDecoder).DecodeHeader(s)
	if err != nil {
		return s
	}
	return decoded
}

func firstNonEmpty(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

var (
	invisible = regexp.MustCompile(`(?is)<(style|script|head|title)\b.*?</(style|script|head|title)>|<!--.*?-->`)
	tag       = regexp.MustCompile(`<[^>]*>`)
)

func snippet(text, html string) string {
	if strings.TrimSpace(text) == "" {
		text = tag.ReplaceAllString(invisible.ReplaceAllString(html, " "), " ")
	}
	words := []rune(strings.Join(strings.Fields(text), " "))
	if len(words) > snippetLength {
		return string(words[:snippetLength]) + "…"
	}
	return string(words)
}
