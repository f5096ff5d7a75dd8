package mail

import (
	"bytes"
	"encoding/base64"
	"io"
	"mime"
	"mime/multipart"
	netmail "net/mail"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	ics "github.com/arran4/golang-ical"
	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/calendar"
	"github.com/watchparty/watchparty/mail/smtptest"
)

// partyEmail is an email about a party as its reader's program sees it.
type partyEmail struct {
	subject, text string
	calendar      []byte
	method        string // of the calendar's media type
}

// parseParty reads an email of two parts: the text in two forms, and the calendar's file.
func parseParty(t *testing.T, content string) (m partyEmail) {
	t.Helper()
	for line := range strings.SplitSeq(content, "\r\n") {
		require.LessOrEqual(t, len(line), 78)
		require.NotContains(t, line, "\n", "a bare line feed")
		require.Equal(t, strings.ToValidUTF8(line, ""), line)
	}
	msg, err := netmail.ReadMessage(strings.NewReader(content))
	require.NoError(t, err)
	m.subject, err = new(mime.WordDecoder).DecodeHeader(msg.Header.Get("Subject"))
	require.NoError(t, err)
	mixed := openParts(t, "multipart/mixed", msg.Header.Get("Content-Type"), msg.Body)
	first, err := mixed.NextPart()
	require.NoError(t, err)
	texts := openParts(t, "multipart/alternative", first.Header.Get("Content-Type"), first)
	text, _ := readPart(t, texts, "text/plain")
	readPart(t, texts, "text/html")
	m.text = string(text)
	_, err = texts.NextPart()
	require.ErrorIs(t, err, io.EOF)
	var params map[string]string
	m.calendar, params = readPart(t, mixed, "text/calendar")
	m.method = params["method"]
	_, err = mixed.NextPart()
	require.ErrorIs(t, err, io.EOF)
	return m
}

func openParts(t *testing.T, want, header string, body io.Reader) *multipart.Reader {
	t.Helper()
	kind, params, err := mime.ParseMediaType(header)
	require.NoError(t, err)
	require.Equal(t, want, kind)
	return multipart.NewReader(body, params["boundary"])
}

// readPart reads the next part, with the parameters of its media type. Package multipart decodes quoted-printable, but
// not base64.
func readPart(t *testing.T, parts *multipart.Reader, want string) (content []byte, params map[string]string) {
	t.Helper()
	p, err := parts.NextPart()
	require.NoError(t, err)
	kind, params, err := mime.ParseMediaType(p.Header.Get("Content-Type"))
	require.NoError(t, err)
	require.Equal(t, want, kind)
	require.Equal(t, "utf-8", strings.ToLower(params["charset"]))
	var body io.Reader = p
	if p.Header.Get("Content-Transfer-Encoding") == "base64" {
		body = base64.NewDecoder(base64.StdEncoding, p)
	}
	if kind == "text/calendar" {
		disposition, file, err := mime.ParseMediaType(p.Header.Get("Content-Disposition"))
		require.NoError(t, err)
		require.Equal(t, []string{"attachment", "party.ics"}, []string{disposition, file["filename"]})
	}
	content, err = io.ReadAll(body)
	require.NoError(t, err)
	return content, params
}

// TestPartyMail: a calendar reads from the email, as the server got it, what the party's title, room and movie say, and
// takes each version of the party for the same appointment.
func TestPartyMail(t *testing.T) {
	t.Parallel()
	hostile := `Nächte, Öl; \n und \\ "Süßes": 🎬👩‍👩‍👧 ` // a backslash and an n, not a new line
	title := hostile + strings.Repeat("ß🎬", (watchparty.MaxPartyTitle-utf8.RuneCountInString(hostile))/2)
	require.InDelta(t, watchparty.MaxPartyTitle, utf8.RuneCountInString(title), 1)
	party := watchparty.Party{
		ID: rowID, RoomID: rowID, RoomName: "Stumm; laut, 語", Title: title,
		Movie: watchparty.RoomMovie{Title: "M –\r\neine Stadt\nsucht", RuntimeMinutes: 117},
		// The night in which the clocks are set back: 02:30 in Berlin is twice. This is the second one.
		StartsAt: time.Date(2026, 10, 25, 1, 30, 0, 0, time.UTC), TimeZone: "Europe/Berlin",
		State: watchparty.PartyScheduled, Version: 1, UpdatedAt: time.Date(2026, 10, 1, 12, 0, 0, 0, time.UTC),
	}
	const service, room = "https://party.example:5000", "https://party.example/watch?room=" + rowID + "&a=1,2;3"
	write := func(language watchparty.Language, p watchparty.Party,
		letter func(watchparty.Language, PartyData) (Content, error),
	) (partyEmail, *ics.Calendar, *ics.VEvent) {
		content, err := letter(language, PartyData{
			AccountData: AccountData{DisplayName: "Zoë", Username: "zoe", Link: room}, Party: p,
			Calendar: calendar.OfParty(p, service, room),
		})
		require.NoError(t, err)
		server := smtptest.Serve(t, smtptest.Script{})
		require.NoError(t, newSender(t, smtpConfig(server)).Send(t.Context(),
			Message{ID: rowID, To: "alice.liddell@wonder.test", ToName: "Alice", Content: content}))
		require.Len(t, server.Accepted(), 1)
		m := parseParty(t, server.Accepted()[0])
		require.Equal(t, content.Subject, m.subject)
		require.Contains(t, m.text, isolate(title))
		for line := range strings.SplitSeq(string(m.calendar), "\r\n") {
			require.LessOrEqual(t, len(line), 75)
			require.True(t, utf8.ValidString(line))
			require.NotContains(t, line, "\n")
		}
		require.True(t, bytes.HasSuffix(m.calendar, []byte("END:VCALENDAR\r\n")))
		read, err := ics.ParseCalendar(bytes.NewReader(m.calendar))
		require.NoError(t, err)
		require.Len(t, read.Events(), 1)
		return m, read, read.Events()[0]
	}
	property := func(e *ics.VEvent, name ics.ComponentProperty) string {
		found := e.GetProperties(name)
		require.Len(t, found, 1, name)
		return found[0].Value
	}
	waysOut := map[watchparty.Language]string{
		watchparty.English: "Answer no in the room to stop", watchparty.German: "Wenn du im Raum absagst",
	}
	for _, language := range watchparty.Languages() {
		t.Run(string(language), func(t *testing.T) {
			later := party
			later.Version, later.StartsAt = 2, party.StartsAt.Add(24*time.Hour)
			cancelled := later
			cancelled.Version, cancelled.State = 3, watchparty.PartyCancelled
			for _, test := range []struct {
				party                    watchparty.Party
				letter                   func(watchparty.Language, PartyData) (Content, error)
				method, status, sequence string
			}{
				{party, PartyReminder, "PUBLISH", "CONFIRMED", "1"},
				{later, PartyChanged, "PUBLISH", "CONFIRMED", "2"},
				{cancelled, PartyCancelled, "CANCEL", "CANCELLED", "3"},
			} {
				m, read, event := write(language, test.party, test.letter)
				text := strings.ReplaceAll(strings.Join(strings.Fields(m.text), " "), " Uhr", "")
				require.Contains(t, text, "02:30 (Europe/Berlin, UTC+01:00)")
				require.Equal(t, test.method == "PUBLISH", strings.Contains(text, waysOut[language]),
					"nobody can answer no to a party that is cancelled")
				var method string
				for _, p := range read.CalendarProperties {
					if p.IANAToken == string(ics.PropertyMethod) {
						method = p.Value
					}
				}
				require.Equal(t, test.method, method)
				require.Equal(t, method, m.method, "of the part's media type, as RFC 6047 requires")
				require.Equal(t, "mailto:no-reply@watchparty.test", property(event, ics.ComponentPropertyOrganizer))
				require.Equal(t, test.status, property(event, ics.ComponentPropertyStatus))
				require.Equal(t, test.sequence, property(event, ics.ComponentPropertySequence))
				require.Equal(t, rowID+"@party.example", property(event, ics.ComponentPropertyUniqueId))
				require.Equal(t, title+" (Stumm; laut, 語)", property(event, ics.ComponentPropertySummary))
				require.Equal(t, "M –\neine Stadt\nsucht", property(event, ics.ComponentPropertyDescription))
				require.Equal(t, room, property(event, ics.ComponentPropertyUrl))
				require.Equal(t, "PT117M", property(event, ics.ComponentPropertyDuration))
				require.Equal(t, test.party.StartsAt.Format("20060102T150405Z"), property(event, ics.ComponentPropertyDtStart))
				starts, err := event.GetStartAt()
				require.NoError(t, err)
				require.True(t, starts.Equal(test.party.StartsAt), starts)
				stamp, err := event.GetDtStampTime()
				require.NoError(t, err)
				require.True(t, stamp.Equal(test.party.UpdatedAt), stamp)
			}
		})
	}
}
