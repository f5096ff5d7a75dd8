// Package calendar writes iCalendar objects (RFC 5545) with one event, as calendars read them from an address or from an
// email.
package calendar

import (
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// ContentType is the media type of what Encode returns.
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

// Encode returns the object.
func (e Event) Encode() []byte {
	var w writer
	method, status := "PUBLISH", "CONFIRMED"
	if e.Cancelled {
		method, status = "CANCEL", "CANCELLED"
	}
	w.line("BEGIN", "VCALENDAR")
	w.line("VERSION", "2.0")
	w.line("PRODID", productID)
	w.line("METHOD", method)
	w.line("BEGIN", "VEVENT")
	w.line("UID", text(e.UID))
	w.line("DTSTAMP", instant(e.Stamp))
	w.line("SEQUENCE", strconv.Itoa(e.Sequence))
	w.line("STATUS", status)
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

// instant is a time of the form DATE-TIME in UTC. Its precision is a second.
func instant(t time.Time) string { return t.UTC().Format("20060102T150405Z") }

var escapes = strings.NewReplacer(`\`, `\\`, ";", `\;`, ",", `\,`, "\r\n", `\n`, "\n", `\n`, "\r", `\n`)

// text is a value of the type TEXT, without control characters.
func text(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\t' || r == 0x7f {
			return -1
		}
		return r
	}, escapes.Replace(strings.ToValidUTF8(s, "")))
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
