package mail

import (
	"fmt"
	"html"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty"
)

var expires = time.Date(2026, 2, 9, 20, 5, 0, 0, time.FixedZone("", 3600))

const (
	link     = "https://watch.test/?a=1&b=2"
	stopLink = "https://watch.test/stop"
)

func accountOf(name string) AccountData {
	return AccountData{DisplayName: name, Username: "alice7", Link: link}
}

func invitationOf(inviter, room string) InvitationData {
	return InvitationData{Inviter: inviter, Room: room, Expires: expires, URL: link, UnsubscribeURL: stopLink}
}

// partyOf is a party in a room with a name.
func partyOf(guest, room string) PartyData {
	d := madeUpParty(accountOf(guest))
	d.Party.RoomName = room
	return d
}

// write makes an email in which a name stands that a person has chosen.
type write func(l watchparty.Language, name string) (Content, error)

// letters has the emails of every kind, for what must hold for all of them. The activity report has no name.
var letters = map[watchparty.EmailKind]map[string]write{
	watchparty.EmailWelcome: {
		"": func(l watchparty.Language, name string) (Content, error) {
			return Welcome(l, WelcomeData{AccountData: accountOf(name)})
		},
		"to confirm": func(l watchparty.Language, name string) (Content, error) {
			return Welcome(l, WelcomeData{AccountData: accountOf(name), ConfirmURL: link})
		},
	},
	watchparty.EmailWelcomeReminder: ofAccount(WelcomeReminder),
	watchparty.EmailVerification:    ofAccount(Verification),
	watchparty.EmailReset:           ofAccount(Reset),
	watchparty.EmailAddressChanged:  ofAccount(EmailChanged),
	watchparty.EmailPasswordChanged: ofAccount(PasswordChanged),
	watchparty.EmailRoomInvitation: {
		"": func(l watchparty.Language, name string) (Content, error) {
			return Invitation(l, invitationOf(name, "Silents"))
		},
		"to a room of that name": func(l watchparty.Language, name string) (Content, error) {
			return Invitation(l, invitationOf("Alice", name))
		},
	},
	watchparty.EmailInvitationReminder: {"": func(l watchparty.Language, name string) (Content, error) {
		return InvitationReminder(l, invitationOf(name, "Silents"))
	}},
	watchparty.EmailPartyReminder:  ofParty(PartyReminder),
	watchparty.EmailPartyChanged:   ofParty(PartyChanged),
	watchparty.EmailPartyCancelled: ofParty(PartyCancelled),
}

func ofAccount(of func(watchparty.Language, AccountData) (Content, error)) map[string]write {
	return map[string]write{
		"": func(l watchparty.Language, name string) (Content, error) { return of(l, accountOf(name)) },
	}
}

func ofParty(of func(watchparty.Language, PartyData) (Content, error)) map[string]write {
	return map[string]write{
		"": func(l watchparty.Language, name string) (Content, error) { return of(l, partyOf(name, "Silents")) },
		"in a room of that name": func(l watchparty.Language, name string) (Content, error) {
			return of(l, partyOf("Alice", name))
		},
	}
}

func TestLettersHaveEveryKind(t *testing.T) {
	for _, kind := range watchparty.EmailKinds() {
		require.True(t, letters[kind] != nil || kind == watchparty.EmailActivityReport, "add %s to letters", kind)
	}
}

var hardNames = map[string]string{
	"plain":         "Alice",
	"markup":        `<b>Bob</b> & "Eve" 'x' <script>alert(1)</script>`,
	"right to left": "ليلى كرم (ليلى)",
	"template":      "{{.Subject}}",
	"long words":    "An Extraordinarily Long Name That Goes On And On For More Than One Line Of Text Holds",
	"escapes":       "A\u2069\u202Ebad\r\nB",
}

func forEachLetter(t *testing.T, check func(t *testing.T, l watchparty.Language, name string, c Content)) {
	for _, l := range watchparty.Languages() {
		for kind, variants := range letters {
			for variant, letter := range variants {
				for what, name := range hardNames {
					t.Run(fmt.Sprintf("%s %s %s, %s", l, kind, variant, what), func(t *testing.T) {
						c, err := letter(l, name)
						require.NoError(t, err)
						check(t, l, name, c)
					})
				}
			}
		}
	}
}

var (
	outsideText = regexp.MustCompile(`(?s)<head>.*</head>|<div class="preheader".*?</div>|<td class="brand".*?</td>`)
	element     = regexp.MustCompile(`<(/?[a-z]+)[^>]*>`)
)

// visibleText is what a person reads in the HTML part, without the frame that only it has.
func visibleText(page string) string {
	page = outsideText.ReplaceAllString(page, "")
	page = strings.TrimPrefix(page, "<!DOCTYPE html>")
	page = strings.NewReplacer("<bdi>", isolateStart, "</bdi>", isolateEnd).Replace(page)
	return html.UnescapeString(element.ReplaceAllString(page, ""))
}

func TestLetterSaysTheSameInBothParts(t *testing.T) {
	forEachLetter(t, func(t *testing.T, _ watchparty.Language, _ string, c Content) {
		text := strings.Replace(c.Text, "-- \n", "", 1)
		text = strings.Replace(text, ":\n"+stopLink, "", 1)
		text = strings.Replace(text, ":\nhttps://", "\nhttps://", 1)
		require.Equal(t, strings.Fields(text), strings.Fields(visibleText(c.HTML)))
	})
}

func TestLetterIsolatesNames(t *testing.T) {
	forEachLetter(t, func(t *testing.T, _ watchparty.Language, name string, c Content) {
		shown := plainName(name)
		require.Contains(t, c.HTML, "<bdi>"+html.EscapeString(shown)+"</bdi>")
		require.Contains(t, c.Text, isolateStart+shown+isolateEnd)
		require.Equal(t, strings.Count(c.HTML, "<bdi>"), strings.Count(c.HTML, "</bdi>"))
		require.Equal(t, strings.Count(c.Text, isolateStart), strings.Count(c.Text, isolateEnd))
		require.NotContains(t, c.HTML, isolateStart)
		require.NotContains(t, c.HTML+c.Text, "\u202E")
		require.NotContains(t, c.HTML+c.Text, "\r")
		require.NotContains(t, c.HTML, "<script")
		require.NotContains(t, c.HTML, "<b>")
	})
}

func TestLetterHTML(t *testing.T) {
	forEachLetter(t, func(t *testing.T, l watchparty.Language, _ string, c Content) {
		for _, wanted := range []string{
			"@media (prefers-color-scheme: dark)", `<meta name="color-scheme" content="light dark">`,
			`<html lang="` + string(l) + `"`,
			`href="https://watch.test/?a=1&amp;b=2"`,
		} {
			require.Contains(t, c.HTML, wanted)
		}
		style := c.HTML[strings.Index(c.HTML, "<style>"):strings.Index(c.HTML, "</style>")]
		lower := strings.ToLower(strings.Join(element.FindAllString(c.HTML, -1), "\n") + style)
		for _, remote := range []string{
			"<img", "<link ", "<script", "<iframe", "src=", "url(", "@import", "background=", "srcset",
		} {
			require.NotContains(t, lower, remote)
		}
		require.NotContains(t, c.HTML, "ZgotmplZ")
		require.NotContains(t, c.Subject, "\n")
	})
}

func TestLetterText(t *testing.T) {
	forEachLetter(t, func(t *testing.T, _ watchparty.Language, name string, c Content) {
		for line := range strings.SplitSeq(c.Text, "\n") {
			if !strings.Contains(line, plainName(name)) {
				require.LessOrEqual(t, utf8.RuneCountInString(line), textWidth)
			}
		}
		require.Contains(t, c.Text, "\nhttps://watch.test/?a=1&b=2\n", "an address on its own line")
	})
}

func TestWelcomeFallsBackToTheUsername(t *testing.T) {
	for _, empty := range []string{"", " \t", "\u202E"} {
		c, err := Welcome(watchparty.English,
			WelcomeData{AccountData: AccountData{DisplayName: empty, Username: "alice7", Link: "http://localhost:5000"}})
		require.NoError(t, err)
		require.True(t, strings.HasPrefix(c.Text, "Hi \u2068alice7\u2069,\n"))
	}
}

func TestWelcomeRefusesAddressesThatAreNotTheWebs(t *testing.T) {
	for _, bad := range []string{
		"", "watch.test", "javascript:alert(1)", "https://", "https://a b", "http://a\nb", "//watch.test",
	} {
		_, err := Welcome(watchparty.English, WelcomeData{AccountData: AccountData{Username: "alice7", Link: bad}})
		require.Error(t, err, bad)
	}
}

// TestLettersHaveTheirOwnWords: no kind says what another does, and no language what another one says.
func TestLettersHaveTheirOwnWords(t *testing.T) {
	labels := map[watchparty.Language][]string{
		watchparty.English: {
			"Choose a new password",
			"Confirm your address",
			"Open WatchParty",
			"Open the room",
			"See the invitation",
		},
		watchparty.German: {
			"Adresse bestätigen",
			"Einladung ansehen",
			"Neues Passwort wählen",
			"WatchParty öffnen",
			"Zum Raum",
		},
	}
	label := regexp.MustCompile(`(?m)^(.+):\nhttps://`)
	sentences := map[string]watchparty.Language{}
	for _, l := range watchparty.Languages() {
		subjects, buttons := map[string]bool{}, map[string]bool{}
		for kind, variants := range letters {
			c, err := variants[""](l, "Alice")
			require.NoError(t, err)
			require.False(t, subjects[c.Subject], "%s: another kind has the subject %q", kind, c.Subject)
			subjects[c.Subject] = true
			buttons[label.FindStringSubmatch(c.Text)[1]] = true
			for _, text := range append(strings.Split(c.Text, "\n"), c.Subject) {
				if strings.HasPrefix(text, "http") || text == "" || text == "-- " {
					continue
				}
				other, said := sentences[text]
				require.True(t, !said || other == l, "%s: %q is in two languages", kind, text)
				sentences[text] = l
			}
		}
		require.Equal(t, labels[l], slices.Sorted(maps.Keys(buttons)))
	}
}

func TestAnUnknownLanguageIsEnglish(t *testing.T) {
	c, err := Reset("tlh", accountOf("Alice"))
	require.NoError(t, err)
	require.Equal(t, "Choose a new password", c.Subject)
}

func TestPreviews(t *testing.T) {
	for _, l := range watchparty.Languages() {
		previews, err := Previews(l)
		require.NoError(t, err)
		subjects := map[string]bool{}
		for i, p := range previews {
			require.Equal(t, watchparty.EmailKinds()[i], p.Kind)
			require.NotEmpty(t, p.Text)
			require.Contains(t, p.HTML, `lang="`+string(l)+`"`)
			require.False(t, subjects[p.Subject], "%s: another kind has the subject %q", p.Kind, p.Subject)
			subjects[p.Subject] = true
		}
		require.Len(t, previews, len(watchparty.EmailKinds()))
	}
}

func TestWelcomeAsksForConfirmationWhileThereIsSome(t *testing.T) {
	for confirm, want := range map[string]bool{"": false, link: true} {
		c, err := Welcome(watchparty.English,
			WelcomeData{AccountData: AccountData{Username: "alice7", Link: "https://home.test"}, ConfirmURL: confirm})
		require.NoError(t, err)
		require.Equal(t, want, strings.Contains(c.Text, "confirm that this address is yours"))
		require.Equal(t, want, strings.Contains(c.Text, link))
		require.Equal(t, !want, strings.Contains(c.Text, "https://home.test"))
	}
}

func TestInvitation(t *testing.T) {
	until := map[watchparty.Language]string{
		watchparty.English: "until 9 February 2026, 19:05 UTC.",
		watchparty.German:  "bis zum 9. Februar 2026, 19:05 UTC.",
	}
	for l, want := range until {
		for _, write := range []func(watchparty.Language, InvitationData) (Content, error){Invitation, InvitationReminder} {
			c, err := write(
				l,
				InvitationData{
					Inviter:        "Alice",
					Room:           "evil.test",
					Expires:        expires,
					URL:            "https://watch.test/invitations#token=x",
					UnsubscribeURL: stopLink,
				},
			)
			require.NoError(t, err)
			require.Contains(t, strings.Join(strings.Fields(c.Text), " "), want)
			require.Contains(t, c.Text, "\nhttps://watch.test/invitations#token=x\n")
			for _, word := range []string{"Alice", "evil.test"} {
				require.NotContains(t, c.Subject, word)
			}
			for _, bad := range []InvitationData{
				{URL: "javascript:alert(1)", UnsubscribeURL: stopLink}, {URL: link, UnsubscribeURL: "javascript:alert(1)"},
			} {
				_, err = write(l, bad)
				require.Error(t, err)
			}
			c, err = write(l, invitationOf("Alice", "Silents"))
			require.NoError(t, err)
			require.Contains(t, c.Text, ":\n"+stopLink+"\n")
			require.Contains(t, c.HTML, `href="`+stopLink+`"`)
		}
	}
}

func TestWrap(t *testing.T) {
	long := strings.Repeat("x", 100)
	require.Equal(t, "a b", wrap("  a \n b "))
	require.Equal(t, "a\n"+long+"\nb", wrap("a "+long+" b"))
	require.Equal(t, strings.Repeat("12345678 ", 7)+"12345678\n12345678", wrap(strings.Repeat("12345678 ", 9)))
	name := isolate(strings.Repeat("two words ", 10))
	require.Contains(t, wrap("Hi "+name+", welcome to a long sentence"), name)
}
