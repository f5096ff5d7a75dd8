package watchparty

import "time"

// EmailBudget limits the number of emails within an hour and within a day for one subject: a recipient, or the account,
// address or client that asks for them.
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

// Limit is the size of the budget if one person may ask for a number of emails in an hour. Budgets of clients are
// multiples of it, since all people behind one client address share them.
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

// Priority is the order in which waiting emails are sent: the lowest number first. The numbers are those of
// Temporal's priorities.
type Priority int

const (
	PriorityAwaited    Priority = 1 // a person waits for the link
	PrioritySoon       Priority = 2 // its reader has to learn it soon
	PriorityNormal     Priority = 3 // Temporal's default
	PriorityBackground Priority = 4 // nobody waits for it
)

// EmailRule is, for one kind of email, its priority and the budgets that it counts against.
type EmailRule struct {
	Priority Priority
	// Recipient are counted when the email is about to be sent. If one of them is used up, the email waits.
	Recipient []EmailBudget
	// Asker and Client are counted when somebody asks for the email. If one of them is used up, the request is refused.
	// They are empty for emails that the program sends by itself, or that admins ask for.
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

// Rule returns the rule of a kind of email, and whether emailRules has it. A kind without a rule counts against its
// recipient and has the normal priority.
func (k EmailKind) Rule() (rule EmailRule, known bool) {
	if rule, known = emailRules[k]; !known {
		rule = EmailRule{Priority: PriorityNormal, Recipient: []EmailBudget{BudgetRecipient}}
	}
	return rule, known
}

// TooManyEmails is the error for a request of an email when the budget of the account, address or client is used up. wait
// is the time until it is not.
func TooManyEmails(wait time.Duration) *Error {
	return &Error{Kind: KindLimited, Code: "rate_limited", Message: "Too many emails were asked for. Try again later.",
		RetryAfter: wait}
}
