package watchparty

import "time"

// EmailBudget is a number of emails, within an hour and within a day, for one subject: a recipient, or whoever asks.
type EmailBudget string

const (
	BudgetRecipient EmailBudget = "recipient" // emails to one address, but for those whose kind has a budget of its own
	BudgetInvitee   EmailBudget = "invitee"   // those of them that any stranger can cause at any time
	BudgetNotice    EmailBudget = "notice"    // what an owner has to learn whatever else fills the inbox
	BudgetReader    EmailBudget = "reader"    // reports to those whom the settings name
	BudgetAsker     EmailBudget = "asker"     // what one account asks for or, signed out, is asked for with one address
	BudgetInviter   EmailBudget = "inviter"   // invitations by one account
	BudgetClient    EmailBudget = "client"    // what one client address asks for
	BudgetReset     EmailBudget = "reset"     // links to one address that set a password: a stranger's invitations are not among them
	BudgetAccounts  EmailBudget = "accounts"  // accounts that begin at one client address
)

// EmailLimit is the size of a budget.
type EmailLimit struct {
	Hour, Day int
}

// Limit is the budget's size where one person may ask for so many emails an hour. Everybody behind one client address
// shares a budget, so it is a multiple.
func (b EmailBudget) Limit(emails int) EmailLimit {
	switch b {
	case BudgetInvitee:
		return EmailLimit{Hour: max(1, emails*3/5), Day: 2 * emails}
	case BudgetReader:
		return EmailLimit{Hour: 4 * emails, Day: 4 * emails}
	case BudgetInviter:
		return EmailLimit{Hour: 10 * emails, Day: 20 * emails}
	case BudgetAccounts:
		return EmailLimit{Hour: 200 * emails, Day: 800 * emails}
	case BudgetClient:
		return EmailLimit{Hour: 20 * emails, Day: 80 * emails}
	default:
		return EmailLimit{Hour: emails, Day: 4 * emails}
	}
}

// EmailPriority says which emails go first while more wait than can be sent: the lowest number. The numbers are those of
// Temporal's priorities.
type EmailPriority int

const (
	PriorityAwaited    EmailPriority = 1 // a person waits for the link
	PrioritySoon       EmailPriority = 2 // its reader has to learn it soon
	PriorityNormal     EmailPriority = 3 // Temporal's default
	PriorityBackground EmailPriority = 4 // nobody waits for it
)

// EmailRule says against which budgets an email counts, and which emails it goes before.
type EmailRule struct {
	Priority EmailPriority
	// Recipient is counted when the email is about to be sent. Over one of them it waits.
	Recipient []EmailBudget
	// Asker and Client are counted when the email is asked for. Over one of them that is refused. They are empty for what
	// the program sends by itself, or admins ask for.
	Asker  EmailBudget
	Client EmailBudget
}

var emailRules = map[EmailKind]EmailRule{
	// Over the recipient's budget an account begins all the same.
	EmailWelcome:         {Priority: PrioritySoon, Recipient: []EmailBudget{BudgetRecipient}, Client: BudgetAccounts},
	EmailWelcomeReminder: {Priority: PriorityBackground, Recipient: []EmailBudget{BudgetRecipient}},
	EmailVerification: {Priority: PriorityAwaited, Recipient: []EmailBudget{BudgetRecipient}, Asker: BudgetAsker,
		Client: BudgetClient},
	EmailReset: {Priority: PriorityAwaited, Recipient: []EmailBudget{BudgetReset}, Asker: BudgetAsker,
		Client: BudgetClient},
	EmailAddressChanged:  {Priority: PrioritySoon, Recipient: []EmailBudget{BudgetNotice}},
	EmailPasswordChanged: {Priority: PrioritySoon, Recipient: []EmailBudget{BudgetNotice}},
	EmailRoomInvitation: {
		Priority: PriorityNormal, Recipient: []EmailBudget{BudgetInvitee, BudgetRecipient}, Asker: BudgetInviter,
		Client: BudgetClient,
	},
	EmailInvitationReminder: {Priority: PriorityBackground, Recipient: []EmailBudget{BudgetInvitee, BudgetRecipient}},
	EmailActivityReport:     {Priority: PriorityBackground, Recipient: []EmailBudget{BudgetReader}},
}

// Rule is what an email of the kind counts against and goes before, and whether that was ever said: a kind that was
// forgotten counts against its recipient and goes as most do.
func (k EmailKind) Rule() (rule EmailRule, known bool) {
	if rule, known = emailRules[k]; !known {
		rule = EmailRule{Priority: PriorityNormal, Recipient: []EmailBudget{BudgetRecipient}}
	}
	return rule, known
}

// TooManyEmails refuses what would send an email: whoever asks, or their client, has asked for too many.
func TooManyEmails(wait time.Duration) *Error {
	return &Error{Kind: KindLimited, Code: "rate_limited", Message: "Too many emails were asked for. Try again later.",
		RetryAfter: wait}
}
