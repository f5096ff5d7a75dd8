package mail

import (
	"time"

	"github.com/watchparty/watchparty"
)

// Preview is a mail of one kind to nobody.
type Preview struct {
	Kind watchparty.MailKind
	Content
}

// Previews writes a mail of each kind, with made-up names, links that lead nowhere and a fixed time.
func Previews(l watchparty.Language) ([]Preview, error) {
	const link = "https://watchparty.example/#token=example"
	account := AccountData{DisplayName: "Ada 🎬 ليلى", Username: "ada", Link: link}
	invitation := InvitationData{
		Inviter: "ليلى كرم", Room: "Silents & <more> 🍿", Expires: time.Date(2030, 12, 24, 20, 0, 0, 0, time.UTC), URL: link, UnsubscribeURL: link,
	}
	var (
		all []Preview
		err error
	)
	for _, kind := range watchparty.MailKinds() {
		p := Preview{Kind: kind}
		switch kind {
		case watchparty.MailWelcome:
			p.Content, err = Welcome(l, WelcomeData{AccountData: account, ConfirmURL: link})
		case watchparty.MailWelcomeReminder:
			p.Content, err = WelcomeReminder(l, account)
		case watchparty.MailVerification:
			p.Content, err = Verification(l, account)
		case watchparty.MailReset:
			p.Content, err = Reset(l, account)
		case watchparty.MailEmailChanged:
			p.Content, err = EmailChanged(l, account)
		case watchparty.MailRoomInvitation:
			p.Content, err = Invitation(l, invitation)
		case watchparty.MailInvitationReminder:
			p.Content, err = InvitationReminder(l, invitation)
		}
		if err != nil {
			return nil, err
		}
		all = append(all, p)
	}
	return all, nil
}
