package watchparty

import "time"

// MailBudget is a number of emails, within an hour and within a day, for one subject: a recipient, or whoever asks.
type MailBudget string

const (
	BudgetRecipient MailBudget = "recipient" // emails to one address, but for those whose kind has a budget of its own
	BudgetInvitee   MailBudget = "invitee"   // those of them that any stranger can cause at any time
	BudgetNotice    MailBudget = "notice"    // what an owner has to learn whatever else fills the inbox
	BudgetReader    MailBudget = "reader"    // reports to those whom the settings name
	BudgetAsker     MailBudget = "asker"     // what one account asks for or, signed out, is asked for with one address
	BudgetInviter   MailBudget = "inviter"   // invitations by one account
	BudgetClient    MailBudget = "client"    // what one client address asks for
	BudgetReset     MailBudget = "reset"     // links to one address that set a password: a stranger's invitations are not among them
	BudgetAccounts  MailBudget = "accounts"  // accounts that begin at one client address
)

// MailLimit is the size of a budget.
type MailLimit struct {
	Hour, Day int
}

// Limit is the budget's size where one person may ask for so many emails an hour. Everybody behind one client address
// shares a budget, so it is a multiple.
func (b MailBudget) Limit(mails int) MailLimit {
	switch b {
	case BudgetInvitee:
		return MailLimit{Hour: max(1, mails*3/5), Day: 2 * mails}
	case BudgetReader:
		return MailLimit{Hour: 4 * mails, Day: 4 * mails}
	case BudgetInviter:
		return MailLimit{Hour: 10 * mails, Day: 20 * mails}
	case BudgetAccounts:
		return MailLimit{Hour: 200 * mails, Day: 800 * mails}
	case BudgetClient:
		return MailLimit{Hour: 20 * mails, Day: 80 * mails}
	default:
		return MailLimit{Hour: mails, Day: 4 * mails}
	}
}

// MailRule says against which budgets an email counts.
type MailRule struct {
	// Recipient is counted when the email is about to be sent. Over one of them it waits.
	Recipient []MailBudget
	// Asker and Client are counted when the email is asked for. Over one of them that is refused. They are empty for what
	// the program sends by itself, or admins ask for.
	Asker  MailBudget
	Client MailBudget
}

var mailRules = map[MailKind]MailRule{
	// Over the recipient's budget an account begins all the same.
	MailWelcome:            {Recipient: []MailBudget{BudgetRecipient}, Client: BudgetAccounts},
	MailWelcomeReminder:    {Recipient: []MailBudget{BudgetRecipient}},
	MailVerification:       {Recipient: []MailBudget{BudgetRecipient}, Asker: BudgetAsker, Client: BudgetClient},
	MailReset:              {Recipient: []MailBudget{BudgetReset}, Asker: BudgetAsker, Client: BudgetClient},
	MailEmailChanged:       {Recipient: []MailBudget{BudgetNotice}},
	MailPasswordChanged:    {Recipient: []MailBudget{BudgetNotice}},
	MailRoomInvitation:     {Recipient: []MailBudget{BudgetInvitee, BudgetRecipient}, Asker: BudgetInviter, Client: BudgetClient},
	MailInvitationReminder: {Recipient: []MailBudget{BudgetInvitee, BudgetRecipient}},
	MailActivityReport:     {Recipient: []MailBudget{BudgetReader}},
}

// Rule is what an email of the kind counts against, and whether that was ever said: a kind that was forgotten counts
// against its recipient.
func (k MailKind) Rule() (rule MailRule, known bool) {
	if rule, known = mailRules[k]; !known {
		rule.Recipient = []MailBudget{BudgetRecipient}
	}
	return rule, known
}

// TooManyMails refuses what would send an email: whoever asks, or their client, has asked for too many.
func TooManyMails(wait time.Duration) *Error {
	return &Error{Kind: KindLimited, Code: "rate_limited", Message: "Too many emails were asked for. Try again later.", RetryAfter: wait}
}
