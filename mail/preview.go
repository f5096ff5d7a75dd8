package mail

import (
	"sync"
	"time"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/calendar"
)

// Preview is an email of one kind with made-up content.
type Preview struct {
	Kind watchparty.EmailKind
	Content
}

// previews are those that were written, by language.
var previews sync.Map

// Previews returns an email of each kind, with made-up names and figures, links that lead nowhere and a fixed time.
// Pictures are in the HTML. They are written once; callers must not change them.
func Previews(l watchparty.Language) ([]Preview, error) {
	if written, ok := previews.Load(l); ok {
		return written.([]Preview), nil
	}
	all, err := writePreviews(l)
	if err == nil {
		previews.Store(l, all)
	}
	return all, err
}

func writePreviews(l watchparty.Language) ([]Preview, error) {
	const link = "https://watchparty.example/#token=example"
	account := AccountData{DisplayName: "Ada 🎬 ليلى", Username: "ada", Link: link}
	invitation := InvitationData{
		Inviter:        "ليلى كرم",
		Room:           "Silents & <more> 🍿",
		Expires:        time.Date(2030, 12, 24, 20, 0, 0, 0, time.UTC),
		URL:            link,
		UnsubscribeURL: link,
	}
	var (
		all []Preview
		err error
	)
	for _, kind := range watchparty.EmailKinds() {
		p := Preview{Kind: kind}
		switch kind {
		case watchparty.EmailWelcome:
			p.Content, err = Welcome(l, WelcomeData{AccountData: account, ConfirmURL: link})
		case watchparty.EmailWelcomeReminder:
			p.Content, err = WelcomeReminder(l, account)
		case watchparty.EmailVerification:
			p.Content, err = Verification(l, account)
		case watchparty.EmailReset:
			p.Content, err = Reset(l, account)
		case watchparty.EmailPasswordChanged:
			p.Content, err = PasswordChanged(l, account)
		case watchparty.EmailAddressChanged:
			p.Content, err = EmailChanged(l, account)
		case watchparty.EmailRoomInvitation:
			p.Content, err = Invitation(l, invitation)
		case watchparty.EmailInvitationReminder:
			p.Content, err = InvitationReminder(l, invitation)
		case watchparty.EmailPartyReminder:
			p.Content, err = PartyReminder(l, madeUpParty(account))
		case watchparty.EmailPartyChanged:
			p.Content, err = PartyChanged(l, madeUpParty(account))
		case watchparty.EmailPartyCancelled:
			p.Content, err = PartyCancelled(l, madeUpParty(account))
		case watchparty.EmailActivityReport:
			p.Content, err = ActivityReport(l, ReportData{Report: madeUpReport(), URL: link})
			p.HTML = p.inlined()
		}
		if err != nil {
			return nil, err
		}
		all = append(all, p)
	}
	return all, nil
}

// madeUpParty is a party with a title and a movie.
func madeUpParty(account AccountData) PartyData {
	party := watchparty.Party{
		ID: "01993f81-2c3d-7e4f-9051-62738495a6b7", RoomName: "Silents & <more> 🍿", Title: "Second part",
		Movie:    watchparty.RoomMovie{Title: "Nosferatu", RuntimeMinutes: 94},
		StartsAt: time.Date(2030, 12, 24, 19, 30, 0, 0, time.UTC), TimeZone: "Europe/Berlin", Version: 1,
		State: watchparty.PartyScheduled, UpdatedAt: time.Date(2030, 12, 1, 12, 0, 0, 0, time.UTC),
	}
	return PartyData{
		AccountData: account, Party: party, Calendar: calendar.OfParty(party, "https://watchparty.example", account.Link),
	}
}

// madeUpReport is the report of a week with a quiet Wednesday.
func madeUpReport() watchparty.ActivityReport {
	r := watchparty.ActivityReport{
		Every: watchparty.ReportWeek, From: "2030-12-16", To: "2030-12-22",
		Figures: &watchparty.Figures{
			NewUsers:            14,
			ActiveUsers:         61,
			ReturningUsers:      47,
			RoomsOpened:         33,
			Participants:        222,
			MinutesTogether:     11_640,
			Messages:            1249,
			InvitationsSent:     40,
			InvitationsAccepted: 23,
			EmailsSent:          71,
			EmailsFailed:        1,
			Avatars:             9,
			Removed:             420,
		},
		Previous: &watchparty.Figures{
			NewUsers:            10,
			ActiveUsers:         58,
			ReturningUsers:      48,
			RoomsOpened:         33,
			Participants:        201,
			MinutesTogether:     12_060,
			Messages:            998,
			InvitationsSent:     31,
			InvitationsAccepted: 20,
			EmailsSent:          66,
			Avatars:             7,
			Removed:             389,
		},
	}
	for i, active := range []int64{20, 24, 0, 19, 41, 52, 33} {
		r.Days = append(r.Days, watchparty.ActivityDay{Day: r.From.Add(i), Figures: &watchparty.Figures{
			ActiveUsers:     active,
			NewUsers:        active / 12,
			Participants:    active + active/6,
			MinutesTogether: active * 60,
			Messages:        active * 7,
		}})
	}
	return r
}
