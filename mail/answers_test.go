package mail

import (
	"bufio"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/mail/smtptest"
)

// refusals are answers as servers and providers give them, with what they mean. A line break is one of the answer.
var refusals = []struct {
	from   string
	at     Step
	answer string
	kind   Kind
	about  About
}{
	// The name in EHLO. Postfix says what it has against it at RCPT.
	{"Postfix", StepHello,
		"504 5.5.2 <c0ffee>: Helo command rejected: need fully-qualified hostname", Later, AboutService},
	{"Postfix", StepRecipient,
		"504 5.5.2 <c0ffee>: Helo command rejected: need fully-qualified hostname", Later, AboutService},
	{"Postfix", StepSender,
		"504 5.5.2 <c0ffee>: Helo command rejected: need fully-qualified hostname", Later, AboutService},
	{"Postfix", StepData,
		"504 5.5.2 <c0ffee>: Helo command rejected: need fully-qualified hostname", Later, AboutService},
	{"Postfix", StepRecipient, "501 5.5.2 <c_f>: Helo command rejected: Invalid name", Later, AboutService},
	{"Postfix", StepRecipient, "450 4.7.1 <watch.example>: Helo command rejected: Host not found", Later, AboutService},
	{"Postfix", StepRecipient, "550 5.7.1 <example.org>: Helo command rejected: You are not me", Later, AboutService},
	{"Postfix", StepRecipient,
		"504 5.5.2 <relay>: Sender address rejected: need fully-qualified address", Later, AboutService},
	{"other", StepRecipient, "550 5.5.2 need fully-qualified hostname", Later, AboutService},
	{"without status", StepRecipient, "554 need fully-qualified hostname", Later, AboutService},
	{"without status", StepRecipient,
		"504 <c0ffee>: Helo command rejected: need fully-qualified hostname", Later, AboutService},
	{"Exim", StepHello, "501 Syntactically invalid EHLO argument(s)", Later, AboutService},
	{"cPanel", StepRecipient, "550 Access denied - Invalid HELO name (See RFC2821 4.1.1.1)", Later, AboutService},
	{"Exchange", StepHello, "501 5.5.4 Invalid domain name", Later, AboutService},

	// The connection.
	{"Postfix", StepConnect,
		"554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using zen.spamhaus.org", Later, AboutService},
	{"Postfix", StepConnect, "521 5.7.1 Service unavailable", Later, AboutService},
	{"Postfix", StepConnect, "421 4.7.0 watch.example Error: too many connections from 192.0.2.1", Later, AboutService},
	{"Postfix", StepConnect, "451 4.3.0 queue file write error", Temporary, AboutService},
	{"Yahoo", StepConnect,
		"553 5.7.1 [BL21] Connections will not be accepted from 192.0.2.1, because the ip is in Spamhaus's " +
			"list", Later, AboutService},
	{"Gmail", StepConnect,
		"421-4.7.28 Our system has detected an unusual rate of\n" +
			"421 4.7.28 unsolicited mail originating from your IP address.", Later, AboutService},
	{"without status", StepConnect, "554 No SMTP service here", Later, AboutService},

	// TLS and authentication.
	{"Postfix", StepStartTLS, "454 4.7.0 TLS not available due to local problem", Later, AboutService},
	{"without status", StepStartTLS, "454 TLS not available due to temporary reason", Temporary, AboutService},
	{"without status", StepStartTLS, "501 Syntax error (no parameters allowed)", Later, AboutService},
	{"Postfix", StepAuth, "535 5.7.8 Error: authentication failed: UGFzc3dvcmQ6", Later, AboutService},
	{"Gmail", StepAuth,
		"535-5.7.8 Username and Password not accepted. For more information, go to\n" +
			"535 5.7.8 https://support.google.com/mail/?p=BadCredentials", Later, AboutService},
	{"Gmail", StepAuth,
		"534-5.7.9 Application-specific password required.\n" +
			"534 5.7.9 https://support.google.com/mail/?p=InvalidSecondFactor", Later, AboutService},
	{"SES", StepAuth, "535 Authentication Credentials Invalid", Later, AboutService},
	{"SendGrid", StepAuth, "451 Authentication failed: Maximum credits exceeded", Temporary, AboutService},
	{"Dovecot", StepAuth,
		"454 4.7.0 Temporary authentication failure: Connection lost to authentication server", Later, AboutService},
	{"Exchange", StepAuth, "504 5.7.4 Unrecognized authentication type", Later, AboutService},
	{"Office 365", StepAuth,
		"535 5.7.139 Authentication unsuccessful, the user credentials were incorrect.", Later, AboutService},
	{"Office 365", StepSender, "530 5.7.57 Client not authenticated to send mail.", Later, AboutService},
	{"Office 365", StepSender, "451 5.7.3 STARTTLS is required to send mail", Later, AboutService},
	{"Gmail", StepSender,
		"530-5.5.1 Authentication Required. For more information, go to\n" +
			"530 5.5.1 https://support.google.com/mail/?p=WantAuthError", Later, AboutService},
	{"Postfix", StepSender, "530 5.7.0 Must issue a STARTTLS command first", Later, AboutService},
	{"without status", StepRecipient, "530 Authentication required", Later, AboutService},
	{"without status", StepRecipient,
		"550 SMTP AUTH is required for message submission on this port", Later, AboutService},
	{
		"without status",
		StepRecipient,
		"503 This mail server requires authentication when attempting to send to a non-local e-mail address.",
		Later,
		AboutService,
	},

	{"any", StepSender, "525 5.7.13 User Account Disabled", Later, AboutService},
	{"any", StepRecipient, "525 5.7.13 User Account Disabled", Later, AboutService},
	{"any", StepEnd, "525 5.7.13 User Account Disabled", Later, AboutService},
	{"any", StepRecipient, "550 5.7.13 User account disabled", Later, AboutService},
	{"without status", StepRecipient, "525 User Account Disabled", Later, AboutService},
	{"any", StepSender, "432 4.7.12 A password transition is needed", Later, AboutService},
	{"any", StepRecipient, "432 4.7.12 A password transition is needed", Later, AboutService},
	{"any", StepEnd, "432 4.7.12 A password transition is needed", Later, AboutService},
	{"without status", StepEnd, "432 A password transition is needed", Temporary, AboutService},
	{"without status", StepRecipient, "535 Incorrect data", Later, AboutService},

	// The sender.
	{"Postfix", StepSender,
		"553 5.7.1 <no-reply@watchparty.test>: Sender address rejected: not owned by user relay", Later, AboutService},
	{"Postfix", StepRecipient,
		"553 5.7.1 <no-reply@watchparty.test>: Sender address rejected: not logged in", Later, AboutService},
	{"Postfix", StepRecipient,
		"450 4.1.8 <no-reply@watchparty.test>: Sender address rejected: Domain not found", Temporary, AboutService},
	{"Postfix", StepRecipient,
		"550 5.1.8 <no-reply@watchparty.test>: Sender address rejected: Domain not found", Later, AboutService},
	{
		"Postfix",
		StepRecipient,
		"550 5.1.0 <no-reply@watchparty.test>: Sender address rejected: User unknown in virtual mailbox table",
		Later,
		AboutService,
	},
	{"Postfix", StepSender, "501 5.1.7 Bad sender address syntax", Later, AboutService},
	{"Exim", StepRecipient,
		"550-Verification failed for <no-reply@watchparty.test>\n550-No Such User Here\n" +
			"550 Sender verify failed", Later, AboutService},
	{"Exim", StepRecipient, "451 Could not complete sender verify callout", Temporary, AboutService},
	{
		"Office 365",
		StepEnd,
		"554 5.2.252 SendAsDenied; relay@watchparty.test not allowed to send as no-reply@watchparty.test",
		Later,
		AboutService,
	},
	{"Exchange", StepEnd,
		"550 5.7.1 Client does not have permissions to send as this sender", Later, AboutService},
	{"Exchange", StepRecipient,
		"550 5.7.1 Client does not have permissions to submit to this server", Later, AboutService},
	{"Exchange", StepSender,
		"550 5.7.60 SMTP; Client does not have permissions to send as this sender", Later, AboutService},
	{"SES", StepEnd,
		"554 Message rejected: Email address is not verified. The following identities failed the check in " +
			"region EU-WEST-1: no-reply@watchparty.test", Later, AboutService},
	{"SendGrid", StepEnd,
		"550 The from address does not match a verified Sender Identity. Mail cannot be sent until this " +
			"error is resolved.", Later, AboutService},
	{"without status", StepRecipient, "550 Sender's domain does not exist", Later, AboutService},
	{"without status", StepSender, "550 no such user", Later, AboutService},
	{"without status", StepSender, "553 mailbox name not allowed", Later, AboutService},

	// Relaying.
	{"Postfix", StepRecipient, "554 5.7.1 <alice.liddell@wonder.test>: Relay access denied", Later, AboutService},
	{"Postfix", StepRecipient, "454 4.7.1 <alice.liddell@wonder.test>: Relay access denied", Later, AboutService},
	{"sendmail", StepRecipient,
		"550 5.7.1 <alice.liddell@wonder.test>... Relaying denied. Proper authentication required.", Later, AboutService},
	{"Exim", StepRecipient, "550 relay not permitted", Later, AboutService},
	{"Exchange", StepRecipient, "550 5.7.1 Unable to relay", Later, AboutService},
	{"Exchange", StepRecipient,
		"550 5.7.54 SMTP; Unable to relay recipient in non-accepted domain", Later, AboutService},
	{"Office 365", StepRecipient, "550 5.7.64 TenantAttribution; Relay Access Denied", Later, AboutService},
	{"Gmail", StepRecipient,
		"550-5.7.0 Mail relay denied [192.0.2.1]. Invalid credentials for relay for one of\n" +
			"550 5.7.0 the domains in: watchparty.test", Later, AboutService},
	{"qmail", StepRecipient,
		"553 sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)", Later, AboutService},
	{"without status", StepRecipient, "551 we do not relay", Later, AboutService},

	// What is known of this service's address and domain.
	{"AOL", StepEnd, "554 RLY:B1", Later, AboutService},
	{"AOL", StepEnd, "554 (CON:B1) https://postmaster.example/errors", Later, AboutService},
	{"AOL", StepEnd, "554 HVU:B1", Permanent, AboutMessage},
	{"Postfix", StepRecipient,
		"554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using bl.spamcop.net; Blocked - see " +
			"https://www.spamcop.net/bl.shtml?192.0.2.1", Later, AboutService},
	{"Postfix", StepRecipient,
		"450 4.7.25 Client host rejected: cannot find your hostname, [192.0.2.1]", Later, AboutService},
	{"Postfix", StepRecipient,
		"554 5.7.1 <unknown[192.0.2.1]>: Client host rejected: Access denied", Later, AboutService},
	{"policyd-spf", StepRecipient,
		"550 5.7.23 <alice.liddell@wonder.test>: Recipient address rejected: Message rejected due to: SPF " +
			"fail - not authorized.", Later, AboutService},
	{"Outlook.com", StepSender,
		"550 5.7.1 Unfortunately, messages from [192.0.2.1] weren't sent. Please contact your Internet " +
			"service provider since part of their network is on our block list (S3150).", Later, AboutService},
	{"Office 365", StepRecipient, "550 5.7.606 Access denied, banned sending IP [192.0.2.1]", Later, AboutService},
	{"Office 365", StepEnd,
		"550 5.7.708 Service unavailable. Access denied, traffic not accepted from this IP.", Later, AboutService},
	{"Office 365", StepEnd,
		"550 5.7.509 Access denied, sending domain watchparty.test does not pass DMARC verification", Later, AboutService},
	{
		"Office 365",
		StepRecipient,
		"451 4.7.650 The mail server [192.0.2.1] has been temporarily rate limited due to IP reputation.",
		Later,
		AboutService,
	},
	{"Gmail", StepEnd,
		"550-5.7.26 This mail has been blocked because the sender is unauthenticated.\n" +
			"550 5.7.26 Gmail requires all senders to authenticate with either SPF or DKIM.", Later, AboutService},
	{"Gmail", StepEnd,
		"550-5.7.1 [192.0.2.1] Our system has detected that this message is likely\n" +
			"550-5.7.1 suspicious due to the very low reputation of the sending domain.\n" +
			"550 5.7.1 https://support.google.com/mail/answer/188131", Later, AboutService},
	{"Gmail", StepEnd,
		"550-5.7.1 [192.0.2.1] The IP you're using to send mail is not authorized to\n" +
			"550 5.7.1 send email directly to our servers.", Later, AboutService},
	{"Gmail", StepEnd,
		"550-5.7.25 [192.0.2.1] The IP address sending this message does not have a\n" +
			"550 5.7.25 PTR record setup", Later, AboutService},
	{"Yahoo", StepSender,
		"421 4.7.0 [TSS04] Messages from 192.0.2.1 temporarily deferred due to unexpected volume or user " +
			"complaints - 4.16.55.1", Later, AboutService},
	{
		"Yahoo",
		StepEnd,
		"554 5.7.9 Message not accepted for policy reasons. See https://postmaster.yahooinc.com/error-codes",
		Later,
		AboutService,
	},
	{"GMX", StepConnect,
		"554-gmx.net (mxgmx001) Nemesis ESMTP Service not available\n554-No SMTP service\n" +
			"554 IP address is block listed.", Later, AboutService},
	{"without status", StepRecipient, "550 The name of your IP address was not found", Later, AboutService},
	{"without status", StepSender, "550 blocked", Later, AboutService},
	{"without status", StepRecipient, "550 Your IP is listed on a blacklist", Later, AboutService},
	{"any", StepEnd, "451 4.7.1 try again later", Later, AboutService},
	{"without status", StepRecipient, "550 Access denied", Later, AboutService},
	{"without status", StepRecipient, "550 Administrative prohibition", Later, AboutService},
	{"Postfix", StepData, "550 5.7.1 <DATA>: Data command rejected: Access denied", Later, AboutService},
	{"SES", StepEnd, "554 Message rejected: Sending suspended for this account", Later, AboutService},
	{"blocked", StepRecipient, "550 5.7.1 blocked", Later, AboutService},
	{"blocked", StepRecipient, "550 5.7.0 Local policy violation", Later, AboutService},
	{"blocked", StepEnd, "550 5.7.1 blocked", Later, AboutService},
	{"blocked", StepEnd, "554 5.7.1 Access denied", Later, AboutService},
	{"blocked", StepEnd, "550 5.7.1", Later, AboutService},
	{"blocked", StepEnd, "550 5.7.0", Later, AboutService},
	{"blocked", StepEnd, "550 5.7.1 Delivery not authorized, message refused", Later, AboutService},
	{"blocked", StepEnd, "550 5.7.1 Service unavailable", Later, AboutService},
	{"blocked", StepEnd, "550 5.7.0 Local policy violation", Later, AboutService},
	{"blocked", StepEnd, "554 5.7.1 Blocked, see https://blocked.example/spam/content", Later, AboutService},
	{"blocked", StepEnd, "571 Delivery not authorized", Later, AboutService},
	{"blocked", StepEnd, "571", Later, AboutService},
	{"blocked", StepRecipient, "571", Later, AboutService},
	{"without status", StepEnd, "550 Blocked", Later, AboutService},
	{"without status", StepEnd, "554 Access denied", Later, AboutService},
	{"without status", StepEnd, "550 Administrative prohibition", Later, AboutService},

	// The rate and quota of the sender.
	{"Gmail", StepEnd,
		"550-5.4.5 Daily user sending limit exceeded. For more information on Gmail\n" +
			"550 5.4.5 sending limits go to https://support.google.com/a/answer/166852", Later, AboutService},
	{"Gmail", StepRecipient,
		"452-4.5.3 Your message has too many recipients. For more information regarding\n" +
			"452 4.5.3 sending limits", Temporary, AboutService},
	{"SES", StepEnd, "454 Throttling failure: Daily message quota exceeded.", Temporary, AboutService},
	{"SES", StepSender, "454 Throttling failure: Maximum sending rate exceeded.", Temporary, AboutService},
	{"SendGrid", StepEnd, "451 You have exceeded your messaging limits", Temporary, AboutService},
	{"Office 365", StepEnd, "554 5.2.2 mailbox full; Submission quota exceeded", Later, AboutService},
	{"Office 365", StepEnd, "550 5.7.705 Access denied, tenant has exceeded threshold", Later, AboutService},
	{"Exchange", StepRecipient, "452 4.2.2 Sender over quota", Temporary, AboutService},
	{"Exim", StepRecipient, "452 Too many messages from your host, slow down", Temporary, AboutService},
	{"Postfix", StepRecipient,
		"450 4.7.1 <alice.liddell@wonder.test>: Recipient address rejected: Policy Rejection- Message rate " +
			"exceeded", Later, AboutService},
	{"without status", StepRecipient, "550 You have exceeded your daily sending quota", Later, AboutService},
	{"without status", StepRecipient, "450 Too many emails per hour", Temporary, AboutService},
	{"Mailgun", StepSender,
		"421 Domain watchparty.test is not allowed to send: recipient limit exceeded", Later, AboutService},
	{"Mailgun", StepEnd,
		"554 Sandbox subdomains are for test purposes only. Please add your own domain or add the address to " +
			"authorized recipients", Later, AboutService},

	// The server itself, and the dialogue with it.
	{"any", StepRecipient, "421 4.3.2 Service shutting down", Later, AboutService},
	{"any", StepEnd, "421 busy", Later, AboutService},
	{"Postfix", StepSender, "452 4.3.1 Insufficient system storage", Temporary, AboutService},
	{"Postfix", StepEnd, "451 4.3.0 Error: queue file write error", Temporary, AboutService},
	{"sendmail", StepRecipient, "553 5.3.0 <alice.liddell@wonder.test>... User unknown", Permanent, AboutRecipient},
	{"Postfix", StepRecipient, "451 4.3.5 Server configuration error", Temporary, AboutService},
	{"Postfix", StepRecipient, "554 5.3.5 Server configuration error", Later, AboutService},
	{"Postfix", StepData, "503 5.5.1 Error: need RCPT command", Later, AboutService},
	{"Postfix", StepEnd, "521 5.5.2 watch.example Error: bare <LF> received", Later, AboutService},
	{"Exchange", StepSender, "500 5.3.3 Unrecognized command", Later, AboutService},
	{"Office 365", StepRecipient,
		"451 4.4.3 Temporary server error. Please try again later (PRX2)", Temporary, AboutService},
	{"without status", StepRecipient,
		"452 Requested action not taken: insufficient system storage", Temporary, AboutService},
	{"without status", StepRecipient, "502 command not implemented", Later, AboutService},

	// Greylisting passes by itself.
	{"Postgrey", StepRecipient,
		"450 4.2.0 <alice.liddell@wonder.test>: Recipient address rejected: Greylisted, see " +
			"http://postgrey.example/", Temporary, AboutRecipient},
	{"rspamd", StepEnd, "451 4.7.1 Greylisted, please try again later", Later, AboutRecipient},
	{"Exim", StepRecipient, "451 Temporarily rejected. Graylisting in effect", Temporary, AboutRecipient},
	{"any", StepRecipient, "421 4.7.1 grey listed", Later, AboutRecipient},
	{"with 5xx", StepRecipient, "554 Greylisting: retry in 5 min", Temporary, AboutRecipient},
	{"with 5xx", StepRecipient, "550 5.7.1 Greylisted for 300 seconds, try again", Later, AboutRecipient},
	{"with 5xx", StepEnd, "550 5.7.1 Greylisted for 300 seconds, try again", Later, AboutRecipient},

	// The recipient.
	{"Postfix", StepRecipient,
		"550 5.1.1 <alice.liddell@wonder.test>: Recipient address rejected: User unknown in local recipient " +
			"table", Permanent, AboutRecipient},
	{"Postfix", StepRecipient,
		"550 5.1.1 <alice.liddell@wonder.test>: Recipient address rejected: User unknown in relay recipient " +
			"table", Permanent, AboutRecipient},
	{"Postfix", StepRecipient,
		"550 5.1.2 <alice.liddell@wonder.test>: Recipient address rejected: Domain not found", Permanent, AboutRecipient},
	{"Postfix", StepRecipient,
		"450 4.1.2 <alice.liddell@wonder.test>: Recipient address rejected: Domain not found", Temporary, AboutRecipient},
	{"Postfix", StepRecipient,
		"504 5.5.2 <alice.liddell>: Recipient address rejected: need fully-qualified address", Permanent, AboutRecipient},
	{"Postfix", StepRecipient,
		"554 5.7.1 <alice.liddell@wonder.test>: Recipient address rejected: Access denied", Permanent, AboutRecipient},
	{"Postfix", StepRecipient, "501 5.1.3 Bad recipient address syntax", Permanent, AboutRecipient},
	{"Postfix", StepRecipient,
		"556 5.1.10 <alice.liddell@wonder.test>: Recipient address rejected: Domain wonder.test does not " +
			"accept mail (nullMX)", Permanent, AboutRecipient},
	{"Gmail", StepRecipient,
		"550-5.1.1 The email account that you tried to reach does not exist. Please try\n" +
			"550-5.1.1 double-checking the recipient's email address for typos or\n550 5.1.1 unnecessary spaces.", Permanent,
		AboutRecipient},
	{"Gmail", StepRecipient,
		"550 5.2.1 The email account that you tried to reach is inactive.", Permanent, AboutRecipient},
	{"Gmail", StepRecipient,
		"450 4.2.1 The user you are trying to contact is receiving mail too quickly.", Temporary, AboutRecipient},
	{"Gmail", StepRecipient, "555 5.5.2 Syntax error, goodbye.", Permanent, AboutRecipient},
	{"Office 365", StepRecipient,
		"550 5.4.1 Recipient address rejected: Access denied. [AS(201806281)]", Permanent, AboutRecipient},
	{"Office 365", StepRecipient,
		"550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup", Permanent, AboutRecipient},
	{"Office 365", StepEnd,
		"550 5.7.133 RESOLVER.RST.SenderNotAuthenticatedForGroup; authentication required", Permanent, AboutRecipient},
	{"Office 365", StepEnd, "550 5.7.124 Sender not in allowed-senders list", Permanent, AboutRecipient},
	{"Exchange", StepEnd, "550 5.7.1 RESOLVER.RST.AuthRequired; authentication required", Permanent, AboutRecipient},
	{"Office 365", StepEnd, "550 5.4.310 DNS domain wonder.test does not exist", Permanent, AboutRecipient},
	{"Outlook.com", StepRecipient,
		"550 5.5.0 Requested action not taken: mailbox unavailable (S2017062302).", Permanent, AboutRecipient},
	{
		"Yahoo",
		StepEnd,
		"554 delivery error: dd This user doesn't have a yahoo.com account (alice.liddell@wonder.test) [0]",
		Permanent,
		AboutRecipient,
	},
	{"iCloud", StepRecipient,
		"550 5.1.1 unknown or illegal alias: alice.liddell@wonder.test", Permanent, AboutRecipient},
	{"IronPort", StepRecipient, "550 #5.1.0 Address rejected.", Permanent, AboutRecipient},
	{"Exim", StepRecipient, "550 Unrouteable address", Permanent, AboutRecipient},
	{"Exim", StepRecipient, "550 No such user here", Permanent, AboutRecipient},
	{"without status", StepEnd, "550 This account does not exist", Permanent, AboutRecipient},
	{"status within", StepRecipient, "550 sorry, no mailbox here by that name (#5.1.1)", Permanent, AboutRecipient},
	{"the status decides", StepRecipient,
		"554 5.1.1 relay of the blocked host, too many words", Permanent, AboutRecipient},
	{"either says temporary", StepRecipient, "550 4.2.1 mailbox busy", Temporary, AboutRecipient},
	{"either says temporary", StepRecipient, "450 5.1.1 no such user", Temporary, AboutRecipient},
	{"without text", StepRecipient, "550", Permanent, AboutRecipient},
	{"without text", StepRecipient, "450 ", Temporary, AboutRecipient},
	{"without status", StepRecipient, "550 Requested action not taken: mailbox unavailable", Permanent, AboutRecipient},
	{"without status", StepRecipient, "551 User not local; please try elsewhere", Permanent, AboutRecipient},
	{"without status", StepRecipient,
		"553 Requested action not taken: mailbox name not allowed", Permanent, AboutRecipient},
	{"without status", StepRecipient, "550 This user is not allowed to receive email", Permanent, AboutRecipient},
	{"without status", StepRecipient, "511 Bad email address", Permanent, AboutRecipient},
	{"without status", StepRecipient, "554 Transaction failed", Permanent, AboutRecipient},
	{"without status", StepRecipient, "501 Syntax error in parameters or arguments", Permanent, AboutRecipient},
	{"without status", StepRecipient,
		"450 Requested mail action not taken: mailbox unavailable", Temporary, AboutRecipient},
	{"without status", StepRecipient, "451 try again later", Temporary, AboutRecipient},
	{"Postfix", StepEnd, "554 5.4.0 Error: too many hops", Permanent, AboutRecipient},
	{"without status", StepRecipient, "550 5.7.1 User email address is marked as invalid", Permanent, AboutRecipient},
	{"Office 365", StepRecipient,
		"550 5.7.12 Sender was not authenticated by organization", Permanent, AboutRecipient},
	{"a block of one recipient", StepEnd,
		"554 5.7.1 <alice.liddell@wonder.test>: Recipient address rejected: Access denied", Permanent, AboutRecipient},
	{"a block of one recipient", StepRecipient,
		"554 5.7.1 Recipient does not wish to receive mail from you", Permanent, AboutRecipient},
	{"an address like words", StepRecipient, "550 <relay@spamhaus.test>: no such user", Permanent, AboutRecipient},

	// The recipient's mailbox.
	{"Gmail", StepRecipient,
		"552-5.2.2 The email account that you tried to reach is over quota. Please direct\n" +
			"552 5.2.2 the recipient to https://support.google.com/mail/?p=OverQuotaPerm", Permanent, AboutMailbox},
	{"Gmail", StepRecipient,
		"452 4.2.2 The email account that you tried to reach is over quota.", Temporary, AboutMailbox},
	{"Dovecot", StepEnd,
		"552 5.2.2 <alice.liddell@wonder.test> Quota exceeded (mailbox for user is full)", Permanent, AboutMailbox},
	{"without status", StepRecipient,
		"552 Requested mail action aborted: exceeded storage allocation", Permanent, AboutMailbox},
	{"without status", StepRecipient, "550 The account has exceeded its storage limit", Permanent, AboutMailbox},
	{"without status", StepRecipient, "550 Mailbox full", Permanent, AboutMailbox},
	{"without status", StepRecipient, "552 Mailbox size limit exceeded", Permanent, AboutMailbox},
	{"without status", StepRecipient, "452 mailbox is over quota", Temporary, AboutMailbox},

	// The content.
	{"Postfix", StepSender, "552 5.3.4 Message size exceeds fixed limit", Permanent, AboutMessage},
	{"Postfix", StepEnd, "552 5.3.4 Error: message file too big", Permanent, AboutMessage},
	{"Exim", StepEnd, "552 Message size exceeds maximum permitted", Permanent, AboutMessage},
	{"Exchange", StepEnd,
		"550 5.2.3 RESOLVER.RST.RecipSizeLimit; message too large for this recipient", Permanent, AboutMessage},
	{"Postfix", StepEnd, "550 5.7.1 Message content rejected", Permanent, AboutMessage},
	{"Amavis", StepEnd, "554 5.7.0 Reject, id=12345-01 - spam", Permanent, AboutMessage},
	{"SpamAssassin", StepEnd, "550 5.7.1 Blocked by SpamAssassin", Permanent, AboutMessage},
	{"rspamd", StepEnd, "554 5.7.1 Spam message rejected", Permanent, AboutMessage},
	{"ClamAV", StepEnd, "550 5.7.1 virus Eicar-Test-Signature detected by ClamAV", Permanent, AboutMessage},
	{"Exim", StepEnd, "550 This message scored 12.1 spam points", Permanent, AboutMessage},
	{"Exim", StepEnd, "550 High probability of spam", Permanent, AboutMessage},
	{"Exchange", StepEnd, "550 5.7.1 Message rejected as spam by Content Filtering.", Permanent, AboutMessage},
	{"Office 365", StepEnd,
		"550 5.7.512 Access denied, message must be RFC 5322 section 3.6.2 compliant", Permanent, AboutMessage},
	{"Gmail", StepEnd,
		"552-5.7.0 This message was blocked because its content presents a potential\n" +
			"552 5.7.0 security issue.", Permanent, AboutMessage},
	{"Gmail", StepEnd,
		"550-5.7.1 [192.0.2.1] Our system has detected that this message is likely\n" +
			"550-5.7.1 unsolicited mail. To reduce the amount of spam sent to Gmail, this message\n" +
			"550 5.7.1 has been blocked.", Permanent, AboutMessage},
	{"Yandex", StepEnd, "554 5.7.1 [2] Message rejected under suspicion of SPAM", Permanent, AboutMessage},
	{"iCloud", StepEnd, "554 5.7.1 [CS01] Message rejected due to local policy.", Permanent, AboutMessage},
	{"Postfix", StepEnd, "550 5.6.0 improper use of 8-bit data in message header", Permanent, AboutMessage},
	{"Exim", StepEnd, "550 5.7.1 This message contains a URL listed in a blocklist", Permanent, AboutMessage},
	{"any", StepEnd, "550 5.7.1 Blocked: phishing", Permanent, AboutMessage},
	{"any", StepEnd, "550 5.7.0 Policy does not allow this type of attachment", Permanent, AboutMessage},
	{"any", StepEnd, "550 5.7.1 This type of file is prohibited", Permanent, AboutMessage},
	{"any", StepEnd, "571 Spam", Permanent, AboutMessage},
	{"without status", StepEnd, "550 Blocked as spam", Permanent, AboutMessage},
	{"without status", StepEnd, "554 Transaction failed", Permanent, AboutMessage},
	{"without status", StepEnd, "550 rejected", Permanent, AboutMessage},
	{"without text", StepEnd, "554", Permanent, AboutMessage},
	{"without status", StepData, "554 no", Permanent, AboutMessage},
	{"without status", StepEnd, "451 local error in processing", Temporary, AboutRecipient},
}

// commands are the steps in a script.
var commands = map[Step]string{StepConnect: "greeting", StepEnd: "."}

func TestSendRefused(t *testing.T) {
	identity, trusted := newCertificate(t)
	for _, tt := range refusals {
		t.Run(string(tt.at)+" "+tt.from+" "+tt.answer[:min(len(tt.answer), 30)], func(t *testing.T) {
			t.Parallel()
			command := string(tt.at)
			if commands[tt.at] != "" {
				command = commands[tt.at]
			}
			script := smtptest.Script{Extensions: []string{"AUTH PLAIN"}, StartTLS: identity, Answers: map[string]string{
				command: strings.ReplaceAll(tt.answer, "\n", "\r\n"),
			}}
			if tt.at == StepHello {
				script.Answers["HELO"] = tt.answer
			}
			server := smtptest.Serve(t, script)
			c := smtpConfig(server)
			c.TLS, c.Username, c.Password = "starttls", "relay", "hunter2hunter2"
			s := newSender(t, c)
			s.tls.RootCAs = trusted
			e := requireKind(t, s.Send(t.Context(), testMessage(t)), tt.kind)
			require.Equal(t, tt.about, e.About, e.Answer)
			require.Equal(t, tt.at, e.Step)
		})
	}
}

// No email is given up if the basic code or the status says that the refusal is temporary.
func TestRefusalsThatSomethingCallsTemporary(t *testing.T) {
	code, status := regexp.MustCompile(`(?m)^5`), regexp.MustCompile(`(?m)^(5\d\d[ -])5\.`)
	for _, tt := range refusals {
		for name, answer := range map[string]string{
			"the basic code": code.ReplaceAllString(tt.answer, "4"),
			"the status":     status.ReplaceAllString(tt.answer, "${1}4."),
		} {
			if answer == tt.answer {
				continue
			}
			r, err := readReply(bufio.NewReader(strings.NewReader(answer + "\n")))
			require.NoError(t, err)
			kind, _ := meaning(tt.at, r, false)
			require.NotEqual(t, Permanent, kind, "%s is temporary: %s", name, answer)
		}
	}
}

// TestRefusedUTF8: what a server has against addresses beyond ASCII is about the sender's, if that is one.
func TestRefusedUTF8(t *testing.T) {
	t.Parallel()
	const plain, foreign = "no-reply@watchparty.test", "grüße@watchparty.test"
	for _, tt := range []struct {
		at           Step
		answer, from string
		kind         Kind
		about        About
	}{
		{StepSender, "550 5.6.7 Non-ASCII addresses not permitted", foreign, Later, AboutService},
		{StepRecipient, "553 5.6.7 Non-ASCII addresses not permitted", foreign, Later, AboutService},
		{StepEnd, "554 5.6.9 UTF-8 header message cannot be transferred", foreign, Later, AboutService},
		{StepSender, "450 4.6.7 not now", foreign, Temporary, AboutService},
		{StepEnd, "550 5.6.0 improper header", foreign, Permanent, AboutMessage},
		{StepSender, "550 5.6.7 Non-ASCII addresses not permitted", plain, Permanent, AboutRecipient},
		{StepRecipient, "553 5.6.7 Non-ASCII addresses not permitted", plain, Permanent, AboutRecipient},
		{StepEnd, "554 5.6.9 UTF-8 header message cannot be transferred", plain, Permanent, AboutMessage},
	} {
		command := string(tt.at)
		if commands[tt.at] != "" {
			command = commands[tt.at]
		}
		server := smtptest.Serve(t, smtptest.Script{
			Extensions: []string{"SMTPUTF8"}, Answers: map[string]string{command: tt.answer},
		})
		c := smtpConfig(server)
		c.From = tt.from
		m := testMessage(t)
		m.To = "zoë@wonder.test"
		e := requireKind(t, newSender(t, c).Send(t.Context(), m), tt.kind)
		require.Equal(t, tt.about, e.About, "%s: %s", tt.from, tt.answer)
	}
}

// A name that is a word of the table decides nothing.
func TestRefusalsAreReadWithoutAddresses(t *testing.T) {
	server := smtptest.Serve(
		t, smtptest.Script{Answers: map[string]string{"RCPT": "550 helo.relay@greylist.test is unknown"}},
	)
	m := testMessage(t)
	m.To = "helo.relay@greylist.test"
	e := requireKind(t, newSender(t, smtpConfig(server)).Send(t.Context(), m), Permanent)
	require.Equal(t, AboutRecipient, e.About)
}

func TestReason(t *testing.T) {
	for _, tt := range []struct {
		kind  Kind
		about About
		want  watchparty.EmailReason
	}{
		{Permanent, AboutRecipient, watchparty.ReasonAddressRejected},
		{Permanent, AboutMailbox, watchparty.ReasonMailboxFull},
		{Temporary, AboutMailbox, watchparty.ReasonMailboxFull},
		{Permanent, AboutMessage, watchparty.ReasonMessageRejected},
		{Temporary, AboutRecipient, watchparty.ReasonServerUnreachable},
		{Temporary, AboutService, watchparty.ReasonServerUnreachable},
		{Later, AboutService, watchparty.ReasonServerUnreachable},
		{Later, AboutRecipient, watchparty.ReasonServerUnreachable},
		{Unreachable, "", watchparty.ReasonServerUnreachable},
		{Unreachable, AboutService, watchparty.ReasonServerUnreachable},
		{Ambiguous, "", watchparty.ReasonUnconfirmed},
	} {
		e := &SendError{Kind: tt.kind, About: tt.about}
		require.Equal(t, tt.want, e.Reason(), "%s %s", tt.kind, tt.about)
	}
}
