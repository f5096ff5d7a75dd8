package calendar_test

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

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

func TestParty(t *testing.T) {
	require.Equal(t, strings.Join([]string{
		"BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//WatchParty//WatchParty//EN", "METHOD:PUBLISH", "BEGIN:VEVENT",
		"UID:01993f81-2c3d-7e4f-9051-62738495a6b7@party.example", "DTSTAMP:20261224T183000Z", "SEQUENCE:3",
		"STATUS:CONFIRMED", "DTSTART:20261224T183000Z", "DURATION:PT94M",
		`SUMMARY:Zweiter\nTeil (Silents\; and\, \\ more)`, "DESCRIPTION:Nosferatu",
		"URL:https://party.example/watch?room=1", "END:VEVENT", "END:VCALENDAR", "",
	}, "\r\n"), string(calendar.OfParty(party(), "https://party.example:5000", "https://party.example/watch?room=1").Encode()))
}

func TestCancelledParty(t *testing.T) {
	p := party()
	p.State, p.Title, p.Movie = watchparty.PartyCancelled, "", watchparty.RoomMovie{}
	text := string(calendar.OfParty(p, "", "").Encode())
	require.Contains(t, text, "\r\nMETHOD:CANCEL\r\n")
	require.Contains(t, text, "\r\nSTATUS:CANCELLED\r\n")
	require.Contains(t, text, "\r\nUID:"+p.ID+"@watchparty\r\n")
	require.NotContains(t, text, "DURATION")
}

// TestLines: no line is longer than 75 octets, no character is cut, and unfolded it says what was said.
func TestLines(t *testing.T) {
	for _, word := range []string{"a", "é", "語", "🎬"} {
		for n := range 90 {
			summary := strings.Repeat(word, n)
			text := string(calendar.Event{UID: "1", Start: begins, Summary: summary}.Encode())
			for line := range strings.SplitSeq(text, "\r\n") {
				require.LessOrEqual(t, len(line), 75)
				require.True(t, utf8.ValidString(line))
			}
			require.Contains(t, strings.ReplaceAll(text, "\r\n ", ""), "\r\nSUMMARY:"+summary+"\r\n")
		}
	}
	hostile := "a\x00b\x1bc\rBEGIN:VALARM\u2028\xff"
	text := string(calendar.Event{UID: "1", Summary: hostile}.Encode())
	require.Contains(t, text, "SUMMARY:abc\\nBEGIN:VALARM\u2028\r\n")
}
