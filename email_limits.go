package watchparty

import "time"

// EmailBudget limits the number of emails within an hour and within a day for one subject: a recipient, or the account,
// address or client that requests them.
type EmailBudget string

const (
	BudgetRecipient       EmailBudget = "recipient" // emails to one address, except kinds with a budget of their own
	BudgetInvitee         EmailBudget = "invitee"   // those emails to one address that any stranger can cause at any time
	BudgetNotice          EmailBudget = "notice"    // security notices to one address, which are sent even if others wait
	BudgetReportRecipient EmailBudget = "reader"    // reports to one recipient in the settings
	BudgetRequester       EmailBudget = "asker"     // requests by one account or, without sign-in, for one address
	BudgetInviter         EmailBudget = "inviter"   // invitations by one account
	BudgetClient          EmailBudget = "client"    // requests from one client address
	BudgetReset           EmailBudget = "reset"     // password resets to one address, apart from what strangers send there
	BudgetAccounts        EmailBudget = "accounts"  // accounts that are registered from one client address
)

// EmailLimit is the size of a budget.
type EmailLimit struct {
	Hour, Day int
}

// Limit returns the size of the budget if one person may request a number of emails in an hour. Budgets of clients are
// multiples of it, since all people behind one client address share them.
func (b EmailBudget) Limit(emails int) EmailLimit {
	switch b {
	case BudgetInvitee:
		return EmailLimit{Hour: max(1, emails*3/5), Day: 2 * emails}
	case BudgetReportRecipient:
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

// Priority is the order in which waiting emails are sent, the lowest number first. The numbers are Temporal's
// priorities.
type Priority int

const (
	PriorityAwaited    Priority = 1 // a person waits for the link
	PrioritySoon       Priority = 2 // the reader has to learn it soon
	PriorityNormal     Priority = 3 // Temporal's default
	PriorityBackground Priority = 4 // nobody waits for it
)

// EmailRule is, for one kind of email, its priority and the budgets that it counts against.
type EmailRule struct {
	Priority Priority
	// Recipient are the budgets that are counted when the email is about to be sent. If one is used up, the email waits.
	Recipient []EmailBudget
	// Requester and Client are the budgets that are counted when somebody requests the email. If one is used up, the
	// request is refused. They are empty for emails that the program sends by itself, or that admins request.
	Requester EmailBudget
	Client    EmailBudget
}

var emailRules = map[EmailKind]EmailRule{
	// An account begins even when its recipient's budget is used up.
	EmailWelcome:         {Priority: PrioritySoon, Recipient: []EmailBudget{BudgetRecipient}, Client: BudgetAccounts},
	EmailWelcomeReminder: {Priority: PriorityBackground, Recipient: []EmailBudget{BudgetRecipient}},
	EmailVerification: {Priority: PriorityAwaited, Recipient: []EmailBudget{BudgetRecipient}, Requester: BudgetRequester,
		Client: BudgetClient},
	EmailReset: {Priority: PriorityAwaited, Recipient: []EmailBudget{BudgetReset}, Requester: BudgetRequester,
		Client: BudgetClient},
	EmailAddressChanged:  {Priority: PrioritySoon, Recipient: []EmailBudget{BudgetNotice}},
	EmailPasswordChanged: {Priority: PrioritySoon, Recipient: []EmailBudget{BudgetNotice}},
	EmailRoomInvitation: {
		Priority: PriorityNormal, Recipient: []EmailBudget{BudgetInvitee, BudgetRecipient}, Requester: BudgetInviter,
		Client: BudgetClient,
	},
	EmailInvitationReminder: {Priority: PriorityBackground, Recipient: []EmailBudget{BudgetInvitee, BudgetRecipient}},
	EmailPartyReminder:      {Priority: PrioritySoon, Recipient: []EmailBudget{BudgetRecipient}},
	// A person who moves a party back and forth fills no inbox.
	EmailPartyChanged:   {Priority: PrioritySoon, Recipient: []EmailBudget{BudgetInvitee, BudgetRecipient}},
	EmailPartyCancelled: {Priority: PrioritySoon, Recipient: []EmailBudget{BudgetInvitee, BudgetRecipient}},
	EmailActivityReport: {Priority: PriorityBackground, Recipient: []EmailBudget{BudgetReportRecipient}},
}

// Rule returns the rule of a kind of email, and whether emailRules has it. A kind without a rule counts against its
// recipient and has the normal priority.
func (k EmailKind) Rule() (rule EmailRule, known bool) {
	if rule, known = emailRules[k]; !known {
		rule = EmailRule{Priority: PriorityNormal, Recipient: []EmailBudget{BudgetRecipient}}
	}
	return rule, known
}

// TooManyEmails is the error for a request of an email when the budget of the account, address or client is used up.
// wait is the time until there is room again.
func TooManyEmails(wait time.Duration) *Error {
	return &Error{Kind: KindLimited, Code: "rate_limited", Message: "Too many emails were requested. Try again later.",
		RetryAfter: wait}
}
