package calendar_test

import (
	"bytes"
	netmail "net/mail"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	ics "github.com/arran4/golang-ical"
	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/calendar"
)

var begins = time.Date(2026, 12, 24, 19, 30, 0, 999, time.FixedZone("", 3600))

func party() watchparty.Party {
	return watchparty.Party{
		ID: "01993f81-2c3d-7e4f-9051-62738495a6b7", RoomName: "Silents; and, \\ more", Title: "Zweiter\r\nTeil",
		Movie: watchparty.RoomMovie{Title: "Nosferatu", RuntimeMinutes: 94}, StartsAt: begins, UpdatedAt: begins,
		State: watchparty.PartyScheduled, Version: 3,
	}
}

func TestFile(t *testing.T) {
	require.Equal(t, strings.Join([]string{
		"BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//WatchParty//WatchParty//EN", "BEGIN:VEVENT",
		"UID:01993f81-2c3d-7e4f-9051-62738495a6b7@party.example", "DTSTAMP:20261224T183000Z", "SEQUENCE:3",
		"STATUS:CONFIRMED", "DTSTART:20261224T183000Z", "DURATION:PT94M",
		`SUMMARY:Zweiter\nTeil (Silents\; and\, \\ more)`, "DESCRIPTION:Nosferatu",
		"URL:https://party.example/watch?room=1", "END:VEVENT", "END:VCALENDAR", "",
	}, "\r\n"), string(calendar.OfParty(party(), "https://party.example:5000", "https://party.example/watch?room=1").File()))
}

func TestCancelledParty(t *testing.T) {
	p := party()
	p.State, p.Title, p.Movie = watchparty.PartyCancelled, "", watchparty.RoomMovie{}
	text := string(calendar.OfParty(p, "", "").File())
	require.Contains(t, text, "\r\nSTATUS:CANCELLED\r\n")
	require.Contains(t, text, "\r\nUID:"+p.ID+"@watchparty\r\n")
	require.NotContains(t, text, "DURATION")
}

// TestMessage: a message is the file with a method and an organizer, whom another library reads as they were.
func TestMessage(t *testing.T) {
	for _, test := range []struct {
		state                       watchparty.PartyState
		organizer                   netmail.Address
		method, commonName, address string
	}{
		{watchparty.PartyScheduled, netmail.Address{Address: "no-reply@party.example"},
			"PUBLISH", "", "mailto:no-reply@party.example"},
		{watchparty.PartyCancelled, netmail.Address{Name: "WatchParty", Address: "no-reply@party.example"},
			"CANCEL", "WatchParty", "mailto:no-reply@party.example"},
		{watchparty.PartyScheduled, netmail.Address{Name: `Söfa; "Party": 1,2` + "\r\n", Address: "söfa+a%b@party.example"},
			"PUBLISH", "Söfa; 'Party': 1,2", "mailto:s%C3%B6fa+a%25b@party.example"},
	} {
		p := party()
		p.State = test.state
		event := calendar.OfParty(p, "", "")
		content, contentType := event.Message(test.organizer)
		require.Equal(t, "text/calendar; charset=utf-8; method="+test.method, contentType)
		read, err := ics.ParseCalendar(bytes.NewReader(content))
		require.NoError(t, err)
		organizers := read.Events()[0].GetProperties(ics.ComponentPropertyOrganizer)
		require.Len(t, organizers, 1)
		require.Equal(t, test.address, organizers[0].Value)
		require.Equal(t, test.commonName, strings.Join(organizers[0].ICalParameters["CN"], "|"))

		added := []string{"METHOD", "ORGANIZER"}
		file := slices.DeleteFunc(unfolded(content), func(line string) bool {
			name := line[:max(0, strings.IndexAny(line, ":;"))]
			return slices.Contains(added, name)
		})
		require.Contains(t, unfolded(content), "METHOD:"+test.method)
		require.Equal(t, unfolded(event.File()), file)
	}
}

func unfolded(object []byte) []string {
	return strings.Split(strings.ReplaceAll(string(object), "\r\n ", ""), "\r\n")
}

// TestLines: no line is longer than 75 octets, no character is cut, and unfolded it says what was said.
func TestLines(t *testing.T) {
	for _, word := range []string{"a", "é", "語", "🎬"} {
		for n := range 90 {
			summary := strings.Repeat(word, n)
			text := string(calendar.Event{UID: "1", Start: begins, Summary: summary}.File())
			for line := range strings.SplitSeq(text, "\r\n") {
				require.LessOrEqual(t, len(line), 75)
				require.True(t, utf8.ValidString(line))
			}
			require.Contains(t, strings.ReplaceAll(text, "\r\n ", ""), "\r\nSUMMARY:"+summary+"\r\n")
		}
	}
	hostile := "a\x00b\x1bc\rBEGIN:VALARM\u2028\xff"
	text := string(calendar.Event{UID: "1", Summary: hostile}.File())
	require.Contains(t, text, "SUMMARY:abc\\nBEGIN:VALARM\u2028\r\n")
}
