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

// Priority says which emails go first while more wait than can be sent: the lowest number. The numbers are those of
// Temporal's priorities.
type Priority int

const (
	PriorityAwaited    Priority = 1 // a person waits for the link
	PrioritySoon       Priority = 2 // its reader has to learn it soon
	PriorityNormal     Priority = 3 // Temporal's default
	PriorityBackground Priority = 4 // nobody waits for it
)

// MailRule says against which budgets an email counts, and which emails it goes before.
type MailRule struct {
	Priority Priority
	// Recipient is counted when the email is about to be sent. Over one of them it waits.
	Recipient []MailBudget
	// Asker and Client are counted when the email is asked for. Over one of them that is refused. They are empty for what
	// the program sends by itself, or admins ask for.
	Asker  MailBudget
	Client MailBudget
}

var mailRules = map[MailKind]MailRule{
	// Over the recipient's budget an account begins all the same.
	MailWelcome:         {Priority: PrioritySoon, Recipient: []MailBudget{BudgetRecipient}, Client: BudgetAccounts},
	MailWelcomeReminder: {Priority: PriorityBackground, Recipient: []MailBudget{BudgetRecipient}},
	MailVerification:    {Priority: PriorityAwaited, Recipient: []MailBudget{BudgetRecipient}, Asker: BudgetAsker, Client: BudgetClient},
	MailReset:           {Priority: PriorityAwaited, Recipient: []MailBudget{BudgetReset}, Asker: BudgetAsker, Client: BudgetClient},
	MailEmailChanged:    {Priority: PrioritySoon, Recipient: []MailBudget{BudgetNotice}},
	MailPasswordChanged: {Priority: PrioritySoon, Recipient: []MailBudget{BudgetNotice}},
	MailRoomInvitation: {
		Priority: PriorityNormal, Recipient: []MailBudget{BudgetInvitee, BudgetRecipient}, Asker: BudgetInviter, Client: BudgetClient,
	},
	MailInvitationReminder: {Priority: PriorityBackground, Recipient: []MailBudget{BudgetInvitee, BudgetRecipient}},
	MailActivityReport:     {Priority: PriorityBackground, Recipient: []MailBudget{BudgetReader}},
}

// Rule is what an email of the kind counts against and goes before, and whether that was ever said: a kind that was
// forgotten counts against its recipient and goes as most do.
func (k MailKind) Rule() (rule MailRule, known bool) {
	if rule, known = mailRules[k]; !known {
		rule = MailRule{Priority: PriorityNormal, Recipient: []MailBudget{BudgetRecipient}}
	}
	return rule, known
}

// TooManyMails refuses what would send an email: whoever asks, or their client, has asked for too many.
func TooManyMails(wait time.Duration) *Error {
	return &Error{Kind: KindLimited, Code: "rate_limited", Message: "Too many emails were asked for. Try again later.", RetryAfter: wait}
}
