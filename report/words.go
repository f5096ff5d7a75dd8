package report

import (
	"golang.org/x/text/language"

	"github.com/watchparty/watchparty"
)

// words has the words and formats of a language.
type words struct {
	tag                        language.Tag
	dayOfMonth                 string // format of the day's number
	months, shortMonths        []string
	percentSign                string
	activePerson, activePeople string
	figures                    map[string]string
	policies                   map[watchparty.Policy]string

	people, hours, minutes, talk, emails string // titles of charts
	active, fresh                        string // names of lines
	messages, participants               string
	sent, failed                         string
	shared                               string
	total, most, none                    string // formats of a chart's description
	notKnown                             string
	counted                              string // format of the day on which counting began
}

func in(l watchparty.Language) words {
	if l == watchparty.German {
		return german()
	}
	return english()
}

func english() words {
	return words{
		tag:          language.English,
		dayOfMonth:   "%d",
		months:       months("January February March April May June July August September October November December"),
		shortMonths:  months("Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec"),
		percentSign:  "%",
		activePerson: "active person",
		activePeople: "active people",
		figures: map[string]string{
			"new_users":            "New people",
			"active_users":         "Active people",
			"returning_users":      "Returning people",
			"rooms_opened":         "Rooms opened",
			"participants":         "People in rooms",
			minutesTogether:        "Hours together",
			"messages":             "Messages",
			"invitations_sent":     "Invitations sent",
			"invitations_accepted": "Invitations accepted",
			"emails_sent":          "Emails sent",
			"emails_failed":        "Emails failed",
			"avatars":              "Avatars published",
			"removed":              "Removed by clean-up",
		},
		policies: map[watchparty.Policy]string{
			watchparty.PolicyParticipants: "Inactive people in rooms",
			watchparty.PolicyMessages:     "Old messages",
			watchparty.PolicyRooms:        "Inactive rooms, archived",
			watchparty.PolicyArchived:     "Archived rooms, deleted",
			watchparty.PolicyUnverified:   "Unconfirmed accounts",
			watchparty.PolicyTokens:       "Expired links",
			watchparty.PolicySessions:     "Ended sessions",
			watchparty.PolicyInvitations:  "Ended invitations",
			watchparty.PolicyParties:      "Past parties",
			watchparty.PolicyKeys:         "Idempotency keys",
			watchparty.PolicyReports:      "Resolved reports of abuse",
			watchparty.PolicyEmails:       "Old emails",
			watchparty.PolicyWebhooks:     "Old messages to webhooks",
			watchparty.PolicyOutbox:       "Started events",
			watchparty.PolicyActivity:     "Old activity",
			watchparty.PolicyFiles:        "Orphaned files",
		},
		people:       "Active and new people",
		hours:        "Hours together",
		minutes:      "Minutes together",
		talk:         "Messages, and people in rooms",
		emails:       "Emails sent and failed",
		active:       "active",
		fresh:        "new",
		messages:     "messages",
		participants: "people",
		sent:         "sent",
		failed:       "failed",
		shared:       "together",
		total:        "%s: %s in all",
		most:         "%s, most on %s (%s).",
		none:         "%s: none.",
		notKnown:     "not known",
		counted:      "Counting began on %s; what happened before is not known.",
	}
}

func german() words {
	return words{
		tag:          language.German,
		dayOfMonth:   "%d.",
		months:       months("Januar Februar März April Mai Juni Juli August September Oktober November Dezember"),
		shortMonths:  months("Jan. Feb. März Apr. Mai Juni Juli Aug. Sep. Okt. Nov. Dez."),
		percentSign:  "\u00a0%",
		activePerson: "aktive Person",
		activePeople: "aktive Personen",
		figures: map[string]string{
			"new_users":            "Neue Personen",
			"active_users":         "Aktive Personen",
			"returning_users":      "Wiederkehrende Personen",
			"rooms_opened":         "Geöffnete Räume",
			"participants":         "Personen in Räumen",
			minutesTogether:        "Gemeinsame Stunden",
			"messages":             "Nachrichten",
			"invitations_sent":     "Verschickte Einladungen",
			"invitations_accepted": "Angenommene Einladungen",
			"emails_sent":          "Verschickte E-Mails",
			"emails_failed":        "Fehlgeschlagene E-Mails",
			"avatars":              "Neue Profilbilder",
			"removed":              "Aufgeräumt",
		},
		policies: map[watchparty.Policy]string{
			watchparty.PolicyParticipants: "Inaktive Personen in Räumen",
			watchparty.PolicyMessages:     "Alte Nachrichten",
			watchparty.PolicyRooms:        "Inaktive Räume, archiviert",
			watchparty.PolicyArchived:     "Archivierte Räume, gelöscht",
			watchparty.PolicyUnverified:   "Unbestätigte Konten",
			watchparty.PolicyTokens:       "Abgelaufene Links",
			watchparty.PolicySessions:     "Beendete Sitzungen",
			watchparty.PolicyInvitations:  "Beendete Einladungen",
			watchparty.PolicyParties:      "Vergangene Filmabende",
			watchparty.PolicyKeys:         "Idempotenzschlüssel",
			watchparty.PolicyReports:      "Erledigte Meldungen",
			watchparty.PolicyEmails:       "Alte E-Mails",
			watchparty.PolicyWebhooks:     "Alte Nachrichten an Webhooks",
			watchparty.PolicyOutbox:       "Begonnene Ereignisse",
			watchparty.PolicyActivity:     "Alte Aktivität",
			watchparty.PolicyFiles:        "Verwaiste Dateien",
		},
		people:       "Aktive und neue Personen",
		hours:        "Gemeinsame Stunden",
		minutes:      "Gemeinsame Minuten",
		talk:         "Nachrichten und Personen in Räumen",
		emails:       "Verschickte und fehlgeschlagene E-Mails",
		active:       "aktiv",
		fresh:        "neu",
		messages:     "Nachrichten",
		participants: "Personen",
		sent:         "verschickt",
		failed:       "fehlgeschlagen",
		shared:       "gemeinsam",
		total:        "%s: %s insgesamt",
		most:         "%s, die meisten am %s (%s).",
		none:         "%s: keine.",
		notKnown:     "nicht bekannt",
		counted:      "Gezählt wird seit dem %s; was davor geschah, ist nicht bekannt.",
	}
}
