// Package calendar writes iCalendar objects with one event: files (RFC 5545), and messages by email (iTIP, RFC 5546).
package calendar

import (
	netmail "net/mail"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// ContentType is the media type of a file.
const ContentType = "text/calendar; charset=utf-8"

// Event is an appointment. Its times are written in UTC, so that it needs no rules of time zones.
type Event struct {
	UID         string // the same for all versions
	Sequence    int    // rises with each version
	Cancelled   bool
	Start       time.Time
	Duration    time.Duration // 0 for unknown
	Stamp       time.Time     // when this version was made
	Summary     string
	Description string // empty without one
	URL         string // http or https; empty without one
}

// productID names the program that has made the object.
const productID = "-//WatchParty//WatchParty//EN"

// File returns the event as a file, which people import into their calendars.
func (e Event) File() []byte { return e.encode("", nil) }

// Message returns the event as an iTIP message, with which an organizer publishes or cancels it by email, and the
// message's media type (RFC 6047).
func (e Event) Message(organizer netmail.Address) (content []byte, contentType string) {
	method := "PUBLISH"
	if e.Cancelled {
		method = "CANCEL"
	}
	return e.encode(method, &organizer), ContentType + "; method=" + method
}

// encode writes a message with a method and an organizer, and a file without them.
func (e Event) encode(method string, organizer *netmail.Address) []byte {
	var w writer
	w.line("BEGIN", "VCALENDAR")
	w.line("VERSION", "2.0")
	w.line("PRODID", productID)
	if method != "" {
		w.line("METHOD", method)
	}
	w.line("BEGIN", "VEVENT")
	w.line("UID", text(e.UID))
	w.line("DTSTAMP", instant(e.Stamp))
	w.line("SEQUENCE", strconv.Itoa(e.Sequence))
	w.line("STATUS", e.status())
	if organizer != nil {
		w.line("ORGANIZER"+commonName(organizer.Name), "mailto:"+url.PathEscape(organizer.Address))
	}
	w.line("DTSTART", instant(e.Start))
	if e.Duration > 0 {
		w.line("DURATION", "PT"+strconv.Itoa(int(e.Duration.Minutes()))+"M")
	}
	w.line("SUMMARY", text(e.Summary))
	if e.Description != "" {
		w.line("DESCRIPTION", text(e.Description))
	}
	if e.URL != "" {
		w.line("URL", e.URL)
	}
	w.line("END", "VEVENT")
	w.line("END", "VCALENDAR")
	return []byte(w.String())
}

func (e Event) status() string {
	if e.Cancelled {
		return "CANCELLED"
	}
	return "CONFIRMED"
}

// instant is a time of the form DATE-TIME in UTC. Its precision is a second.
func instant(t time.Time) string { return t.UTC().Format("20060102T150405Z") }

var escapes = strings.NewReplacer(`\`, `\\`, ";", `\;`, ",", `\,`, "\r\n", `\n`, "\n", `\n`, "\r", `\n`)

// text is a value of the type TEXT.
func text(s string) string { return printable(escapes.Replace(s)) }

// commonName is the parameter CN with a name; empty without one. Its value cannot contain a quotation mark.
func commonName(name string) string {
	if name == "" {
		return ""
	}
	return `;CN="` + strings.ReplaceAll(printable(name), `"`, "'") + `"`
}

// printable removes control characters, and what is not UTF-8.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\t' || r == 0x7f {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, ""))
}

// maxLine is how many octets a line has at most, without its end.
const maxLine = 75

type writer struct{ strings.Builder }

// line writes a property, folded between characters.
func (w *writer) line(name, value string) {
	rest, room := name+":"+value, maxLine
	for len(rest) > room {
		cut := room
		for cut > 0 && !utf8.RuneStart(rest[cut]) {
			cut--
		}
		w.WriteString(rest[:cut] + "\r\n ")
		rest, room = rest[cut:], maxLine-1 // the space counts
	}
	w.WriteString(rest + "\r\n")
}
