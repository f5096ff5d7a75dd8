package mail

import (
	"fmt"
	"strings"
	"time"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/report"
)

type german struct{}

func (german) hi(d AccountData) string { return fmt.Sprintf("Hallo %s,", d.name()) }

var germanMonths = strings.Fields("Januar Februar März April Mai Juni Juli August September Oktober November Dezember")

func (german) time(t time.Time) string {
	t = t.UTC()
	return fmt.Sprintf("%d. %s %d, %s", t.Day(), germanMonths[t.Month()-1], t.Year(), t.Format("15:04 UTC"))
}

func (g german) welcome(d WelcomeData) letter {
	l := letter{
		Subject:   "Willkommen bei WatchParty",
		Preheader: "Dein Konto ist eingerichtet: Such dir einen Film aus, öffne einen Raum und lade deine Freunde ein.",
		Greeting:  g.hi(d.AccountData),
		Paragraphs: []string{
			fmt.Sprintf("dein WatchParty-Konto ist eingerichtet. Dein Benutzername ist %s.", isolate(d.Username)),
			"Such dir einen Film aus, öffne einen Raum und lade deine Freunde ein: Alle sehen zur selben Zeit dasselbe, " +
				"und daneben läuft der Chat.",
		},
		Button: button{Label: "WatchParty öffnen", URL: d.Link},
		Footer: "Du bekommst diese E-Mail, weil mit dieser Adresse ein Konto angelegt wurde. " +
			"Wenn du das nicht warst, kannst du sie ignorieren.",
	}
	if d.ConfirmURL != "" {
		l.Paragraphs = append(
			l.Paragraphs, "Jetzt fehlt nur noch eins: Bitte bestätige, dass diese Adresse dir gehört. Der Link gilt 7 Tage.",
		)
		l.Button = button{Label: "Adresse bestätigen", URL: d.ConfirmURL}
	}
	return l
}

func (g german) welcomeReminder(d AccountData) letter {
	return letter{
		Subject:    "Gehört diese Adresse dir?",
		Preheader:  "Ein Klick genügt.",
		Greeting:   g.hi(d),
		Paragraphs: []string{"für dein WatchParty-Konto fehlt noch eins: Bitte bestätige, dass diese Adresse dir gehört."},
		Button:     button{Label: "Adresse bestätigen", URL: d.Link},
		Footer: "Du bekommst diese E-Mail, weil mit dieser Adresse ein Konto angelegt wurde. " +
			"Wenn du das nicht warst, kannst du sie ignorieren: Wir erinnern dich nur dieses eine Mal.",
	}
}

func (g german) verification(d AccountData) letter {
	return letter{
		Subject:    "Bestätige deine E-Mail-Adresse",
		Preheader:  "Ein Klick, und WatchParty weiß, dass diese Adresse dir gehört.",
		Greeting:   g.hi(d),
		Paragraphs: []string{"bitte bestätige, dass diese Adresse dir gehört. Der Link gilt 7 Tage."},
		Button:     button{Label: "Adresse bestätigen", URL: d.Link},
		Footer: "Du bekommst diese E-Mail, weil jemand diese Adresse für ein WatchParty-Konto angegeben hat. " +
			"Wenn du das nicht warst, kannst du sie ignorieren: Dann ändert sich nichts.",
	}
}

func (g german) reset(d AccountData) letter {
	return letter{
		Subject:   "Wähle ein neues Passwort",
		Preheader: "Der Link gilt 30 Minuten und funktioniert nur einmal.",
		Greeting:  g.hi(d),
		Paragraphs: []string{
			"jemand hat für dein WatchParty-Konto ein neues Passwort angefordert. Mit dem Link unten kannst du es wählen: " +
				"Er gilt 30 Minuten und funktioniert nur einmal. Danach bist du auf allen Geräten abgemeldet.",
		},
		Button: button{Label: "Neues Passwort wählen", URL: d.Link},
		Footer: "Wenn du das nicht warst, kannst du diese E-Mail ignorieren: Dein Passwort bleibt, wie es ist.",
	}
}

func (g german) passwordChanged(d AccountData) letter {
	return letter{
		Subject:   "Dein Passwort wurde geändert",
		Preheader: "Warst du das? Dann ist nichts zu tun.",
		Greeting:  g.hi(d),
		Paragraphs: []string{
			"das Passwort deines WatchParty-Kontos wurde geändert, und alle anderen Geräte wurden abgemeldet. " +
				"Wenn du das warst, ist nichts zu tun.",
			"Wenn du das nicht warst, hat vielleicht jemand Zugriff auf dein Konto: Fordere sofort ein neues Passwort an. " +
				"Den Link dazu schicken wir an diese Adresse.",
		},
		Button: button{Label: "WatchParty öffnen", URL: d.Link},
		Footer: "Du bekommst diese E-Mail, weil zu dieser Adresse ein WatchParty-Konto gehört. " +
			"Wir schreiben dir nach jeder Änderung des Passworts.",
	}
}

func (g german) emailChanged(d AccountData) letter {
	return letter{
		Subject:   "Deine E-Mail-Adresse wurde geändert",
		Preheader: "WatchParty schreibt ab jetzt an eine andere Adresse.",
		Greeting:  g.hi(d),
		Paragraphs: []string{
			"die E-Mail-Adresse deines WatchParty-Kontos wurde geändert, und die neue ist bestätigt. " +
				"Das ist die letzte E-Mail an diese Adresse.",
			"Wenn du das nicht warst, kennt jemand dein Passwort: Wende dich sofort an den Betreiber von WatchParty.",
		},
		Button: button{Label: "WatchParty öffnen", URL: d.Link},
		Footer: "Du bekommst diese E-Mail, weil zu dieser Adresse bisher ein WatchParty-Konto gehörte.",
	}
}

func (g german) invitation(d InvitationData) letter {
	return letter{
		Subject:   "Du bist zu einer WatchParty eingeladen",
		Preheader: "Jemand möchte mit dir einen Film schauen.",
		Greeting:  "Hallo,",
		Paragraphs: []string{
			fmt.Sprintf("%s lädt dich auf WatchParty in den Raum %s ein: Dort schaut ihr gemeinsam einen Film.",
				isolate(d.Inviter), isolate(d.Room)),
			fmt.Sprintf("Um die Einladung anzunehmen, brauchst du ein WatchParty-Konto; wenn du noch keins hast, kannst du "+
				"dabei eins anlegen. Die Einladung gilt bis zum %s.", g.time(d.Expires)),
		},
		Button:     button{Label: "Einladung ansehen", URL: d.URL},
		Footer:     g.invited(),
		FooterLink: button{Label: "Keine Einladungen mehr", URL: d.UnsubscribeURL},
	}
}

func (g german) invitationReminder(d InvitationData) letter {
	return letter{
		Subject:   "Deine Einladung zu einer WatchParty läuft bald ab",
		Preheader: "Du hast noch nicht geantwortet.",
		Greeting:  "Hallo,",
		Paragraphs: []string{
			fmt.Sprintf("%s hat dich auf WatchParty in den Raum %s eingeladen. Du hast noch nicht geantwortet, "+
				"und die Einladung gilt nur noch bis zum %s.", isolate(d.Inviter), isolate(d.Room), g.time(d.Expires)),
		},
		Button:     button{Label: "Einladung ansehen", URL: d.URL},
		Footer:     g.invited(),
		FooterLink: button{Label: "Keine Einladungen mehr", URL: d.UnsubscribeURL},
	}
}

func (german) invited() string {
	return "Du bekommst diese E-Mail, weil jemand diese Adresse eingegeben hat, um dich einzuladen. " +
		"Wenn du die Person nicht kennst, kannst du diese E-Mail ignorieren: Die Einladung läuft von selbst ab."
}

func (german) activityReport(d ReportData) letter {
	const l = watchparty.German
	period, before := report.Period(l, d.Report), report.PreviousPeriod(l, d.Report)
	intro := fmt.Sprintf(
		"so wurde WatchParty genutzt: %s, verglichen mit dem Zeitraum davor, %s. Die Tage richten sich nach UTC.", period,
		before,
	)
	if d.Report.Previous == nil {
		intro = fmt.Sprintf("so wurde WatchParty genutzt: %s. Die Tage richten sich nach UTC. "+
			"Über den Zeitraum davor, %s, ist nicht alles bekannt.", period, before)
	}
	paragraphs := []string{intro}
	if counted := report.Counted(l, d.Report); counted != "" {
		paragraphs = append(paragraphs, counted)
	}
	return letter{
		Subject:    fmt.Sprintf("WatchParty, %s: %s", period, report.ActivePeople(l, d.Report)),
		Preheader:  "Wie WatchParty genutzt wurde, in Zahlen und Diagrammen.",
		Greeting:   "Guten Tag,",
		Paragraphs: paragraphs,
		Table:      table{Header: []string{"Kennzahl", "Jetzt", "Davor", "Änderung"}, Rows: mainFigures(l, d.Report)},
		Button:     button{Label: "Den ganzen Bericht ansehen", URL: d.URL},
		Footer: "Du bekommst diese E-Mail, weil die Nutzungsberichte von WatchParty an diese Adresse gehen. " +
			"Wer den Link hat, kann den Bericht lesen.",
	}
}

// partyTime is a time in the party's zone, after "am".
func (german) partyTime(p watchparty.Party) string {
	at := p.StartsAt.In(p.Zone())
	return fmt.Sprintf("%s, dem %d. %s %d, um %s Uhr (%s)", germanDays[at.Weekday()], at.Day(), germanMonths[at.Month()-1],
		at.Year(), at.Format("15:04"), zoneOf(p))
}

var germanDays = strings.Fields("Sonntag Montag Dienstag Mittwoch Donnerstag Freitag Samstag")

// party says what takes place and where.
func (german) party(p watchparty.Party) string {
	what := "Der Filmabend"
	if p.Title != "" {
		what += " " + isolate(p.Title)
	}
	what += " im Raum " + isolate(p.RoomName)
	if p.Movie.Title != "" {
		what += " mit dem Film " + isolate(p.Movie.Title)
	}
	return what
}

func (g german) partyReminder(d PartyData) letter {
	l := letter{
		Subject:   "Dein Filmabend beginnt in weniger als 24 Stunden",
		Preheader: "Der Film startet von selbst.",
		Greeting:  g.hi(d.AccountData),
		Paragraphs: []string{
			fmt.Sprintf("%s beginnt am %s. Der Film startet dann von selbst.", g.party(d.Party), g.partyTime(d.Party)),
			"Der Raum ist schon vorher offen.",
		},
		Button: button{Label: "Zum Raum", URL: d.Link},
		Footer: g.comes(),
	}
	if d.Soon {
		l.Subject = "Dein Filmabend beginnt in weniger als einer Stunde"
	}
	return l
}

func (g german) partyChanged(d PartyData) letter {
	return letter{
		Subject:   "Dein Filmabend wurde verschoben",
		Preheader: "Er hat einen neuen Termin.",
		Greeting:  g.hi(d.AccountData),
		Paragraphs: []string{
			fmt.Sprintf("%s wurde verschoben und beginnt nun am %s. Deine Antwort gilt weiterhin; wenn du nicht kannst, "+
				"ändere sie im Raum.", g.party(d.Party), g.partyTime(d.Party)),
		},
		Button: button{Label: "Zum Raum", URL: d.Link},
		Footer: g.comes(),
	}
}

func (g german) partyCancelled(d PartyData) letter {
	return letter{
		Subject:   "Dein Filmabend wurde abgesagt",
		Preheader: "Er findet nicht statt.",
		Greeting:  g.hi(d.AccountData),
		Paragraphs: []string{
			fmt.Sprintf("%s wurde abgesagt. Er hätte am %s begonnen.", g.party(d.Party), g.partyTime(d.Party)),
		},
		Button: button{Label: "Zum Raum", URL: d.Link},
		Footer: g.answered(),
	}
}

func (german) answered() string {
	return "Du bekommst diese E-Mail, weil du für diesen Filmabend zugesagt oder vielleicht zugesagt hast."
}

func (g german) comes() string {
	return g.answered() + " Wenn du im Raum absagst, bekommst du keine weiteren."
}
