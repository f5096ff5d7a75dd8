package mail

import (
	"regexp"
	"strconv"
	"strings"
)

// About says what a failed attempt is about, which decides who can do something about it.
type About string

const (
	// AboutService: the server would answer other emails in the same way. It refuses this service (its name, its IP
	// address, its login, its sender, its rate), or does not work. Emails wait, and an operator should know.
	AboutService About = "service"
	// AboutRecipient: the server takes no email for this recipient.
	AboutRecipient About = "recipient"
	// AboutMailbox: the recipient's mailbox is full.
	AboutMailbox About = "mailbox"
	// AboutMessage: the server refuses the content of this email, or its size.
	AboutMessage About = "message"
)

// rule is a row of the table of answers. An empty column matches everything.
type rule struct {
	at     string // steps of the dialogue
	status string // the enhanced status code (RFC 3463, registry of RFC 5248), without its class; "none" without one
	code   string // the basic code
	words  string // in the text of the answer, in any case
	utf8   bool   // only if the sender's address needs SMTPUTF8
	about  About
}

const (
	// At the steps of afterSender the server knows the recipient.
	afterSender = `RCPT|DATA|end of data`

	greylisting = `gr[ae]y ?-?list`

	helloWords = `\b(helo|ehlo)\b|fully.qualified (host|domain)`

	// content matches what a refusal may have against the content of an email, but not such words in addresses of pages.
	// iCloud has the code CS01 for its filter of contents.
	content = `(^|[^/.\w])(spam|junk|bulk|unsolicited|suspicious|phish\w*|virus(es)?|malware|infected|scam|` +
		`trojan|contents?|files?|executables?|keywords?|` +
		`attachments?|headers?|subject|body|mime|html|urls?)\b|\[cs\d+\]`
)

// rules is the table of answers that refuse. The first matching row says what an answer is about. The enhanced status
// code decides before words and the basic code; words decide where the registry does not say what a status means. The
// table does not say whether a refusal is temporary, except for greylisting: a refusal is temporary if the basic code
// or the class of the status says so. An attempt too many costs little, and an email that is given up too early is
// lost.
//
// Until RCPT, as Postfix does by default, or until the end of the data, a server may hold back a refusal of the client
// or the sender. So from MAIL on, the step alone decides nothing.
var rules = compile([]rule{
	// Greylisting (RFC 6647) passes by itself, whatever the status and the basic code: an operator can do nothing about
	// it.
	{words: greylisting, about: AboutRecipient},
	// Answers before MAIL are never about one email.
	{at: `connect|EHLO|STARTTLS|AUTH`, about: AboutService},
	// The server ends the session, whatever the command was.
	{code: `421`, about: AboutService},
	// The login of this service (RFC 4954, RFC 5248), which a server may refuse at a later command. Exchange Online has
	// 7.12 and 7.13 for something else, with other codes.
	{status: `7\..*|none`, code: `432|525|53[0458]`, about: AboutService},
	{status: `7\.1[23]`, words: `password|account disabled`, about: AboutService},

	// Addresses. Status 1.0 does not say which address.
	{status: `1\.[78]`, about: AboutService}, // the sender's
	{status: `1\.0`, words: `sender`, about: AboutService},
	{at: afterSender, status: `1\..*`, about: AboutRecipient},
	// Mailboxes. Exchange Online has 2.252 for a mailbox that may not send as another, and 2.2 for one that has sent too
	// much.
	{status: `2\.252`, about: AboutService},
	{status: `2\.2`, words: `submission|send(ing|er)`, about: AboutService},
	{at: afterSender, status: `2\.2`, about: AboutMailbox},
	{status: `2\.3`, about: AboutMessage}, // its size
	{at: afterSender, status: `2\..*`, about: AboutRecipient},
	// The server's own state.
	{status: `3\.4`, about: AboutMessage}, // its size
	{status: `3\.[^0].*`, about: AboutService},
	{status: `3\.0`, code: `4..`, about: AboutService}, // with 5xx, sendmail means the recipient
	// The route to the recipient. 4.3 is a directory that is away, and 4.5 is congestion or, from Gmail, a quota.
	{status: `4\.[35]`, about: AboutService},
	{at: afterSender, status: `4\..*`, words: `too many hops`, about: AboutRecipient}, // Postfix has 4.0 for a loop
	{at: afterSender, status: `4\.[^0].*`, about: AboutRecipient},
	// The dialogue, which is the same for all emails except for the recipient's address.
	{status: `5\..*`, words: either(helloWords, `sender address`), about: AboutService},
	{at: `RCPT`, status: `5\.[24]`, code: `501|553|555`, about: AboutRecipient},
	{at: afterSender, status: `5\.[124]`, words: `recipient`, about: AboutRecipient},
	{status: `5\.[^0].*`, about: AboutService},
	// SMTPUTF8 (RFC 6531): of the sender's address, or else of the recipient's.
	{utf8: true, status: `6\.([79]|10)`, about: AboutService},
	{status: `6\.7`, about: AboutRecipient},
	// The form of the content. Exchange Online has 7.512 for the form of the header.
	{status: `6\..*|7\.512`, about: AboutMessage},
	// Permission to write to this recipient (7.2, and 7.12x and 7.13x of Exchange Online), and a recipient that has
	// changed.
	{at: afterSender, status: `7\.(2|1[2378]|1[23]\d)`, about: AboutRecipient},
	// Authentication, encryption, reputation, SPF, DKIM, DMARC. Statuses 7.0 and 7.1 stand for any policy.
	{status: `7\.([2-9]|\d\d+)`, about: AboutService},

	// The words of Postfix and its policy daemons, Exim, sendmail, Exchange and large providers.
	{words: either(helloWords, `sender('s)? (address|domain|verif)`, `client host|\bip address|blocked using|reputation`,
		`\b(spf|dkim|dmarc|ptr|rdns)\b|reverse (dns|lookup)`, `your account|sending .*(paused|suspended|disabled)`),
		about: AboutService},
	{words: `resolver\.(adr|rst)`, about: AboutRecipient}, // Exchange
	{at: `end of data`, words: either(`virus|malware|infected|phish`, `spam ?assassin|spam message|spam score`,
		`(message|mail|subject|body).*\b(spam|bulk|suspicious|unsolicited)\b`,
		`(content|attachment).*(reject|refus|block|filter)`,
		`(score|probability|looks like|identified as|detected as|suspicion of).* spam`,
		`contain.*\b(url|link|attachment|spam|word|content)s?\b`), about: AboutMessage},
	{at: afterSender, words: either(
		`(unknown|no such|invalid|inactive|disabled) (\w+ )?(user|recipient|mailbox|account|alias|address)`,
		`(user|recipient|mailbox|account|alias|address)\b.* (unknown|not (found|known|exist|local))`,
		`(user|recipient|mailbox|account|alias|address)\b.* (disabled|inactive|discontinued|suspended)`,
		`(recipient|mailbox|user (email )?address)\b.* (invalid|does ?(n.t|not) (wish|want))`,
		`does ?(n.t|not) (exist|have an? )|no (mailbox|account)|unroute?able|null ?mx`), about: AboutRecipient},
	{at: afterSender, words: `recipient.*sender|sender.*recipient`, about: AboutRecipient},
	{words: either(`\bsender\b`, `from address|mail from|send(ing)? (as|from|on behalf)|sendas`,
		`not verified|unverified|sandbox`), about: AboutService},
	{words: either(`throttl|slow down|\brates?\b|credits`, `too (many|much|fast)`,
		`(send|submi|out(going|bound)|hourly|daily|monthly|per (minute|hour|day)|messag(ing|es)).*(quota|limit|exceed)`,
		`(quota|limit|exceed).*(send|submi|out(going|bound)|hourly|daily|monthly|per (minute|hour|day)|messag(ing|es))`),
		about: AboutService},
	{at: afterSender, words: `mailbox size (limit )?exceed`, about: AboutMailbox},
	{words: `\bsize\b|too (big|large|long)`, about: AboutMessage},
	{words: either(`\brelay|rcpthosts`, `\bauth\b|authent|log(ged)? ?in|credential|password`, `starttls|encrypt|\btls\b`),
		about: AboutService},
	{words: either(`\b(rbl|dnsbl|dns|asn|as ?\d+)\b`, `spamhaus|spamcop|barracuda`,
		`(black|block|deny) ?-?list|\blisted\b|banned`,
		`\bips?\b|(\d{1,3}\.){3}\d{1,3}|\b(rly|con|dns):[a-z]\d`,
		`your (host|server|network|domain|mta|provider)|connection`), about: AboutService},
	{at: afterSender, words: `\b(full|quota)\b|(mailbox|storage|disk).*(limit|exceed)`, about: AboutMailbox},
	{at: `RCPT`, words: `recipient|mailbox|to receive`, about: AboutRecipient},
	{at: `DATA|end of data`, words: `recipient (address )?(reject|refus|denied)`, about: AboutRecipient},

	// A policy is about this service unless the answer names the content. Not only 7.0 and 7.1 stand for a policy, but
	// also 571, which is older than the statuses, and the words alone.
	{status: `7\..*`, code: `4..`, about: AboutService},
	{at: `end of data`, words: content, about: AboutMessage},
	{status: `7\..*`, about: AboutService},
	{code: `57\d`, about: AboutService},
	{at: afterSender, words: `access denied|block|prohibit|polic|not (allowed|permitted|authori)`, about: AboutService},

	// Without a status and without known words: what the basic code stands for at the step (RFC 5321, 4.3.2).
	{at: `MAIL`, about: AboutService}, // it names nobody but the sender
	{code: `452|5(0[0234]|2\d|3\d)`, about: AboutService},
	{code: `552`, status: `none`, about: AboutMailbox},
	{at: `RCPT`, about: AboutRecipient},
	{code: `4..`, about: AboutRecipient},
	{about: AboutMessage},
})

func either(patterns ...string) string { return strings.Join(patterns, "|") }

// matcher is a rule whose patterns are compiled.
type matcher struct {
	at, status, code, words *regexp.Regexp // nil matches everything
	utf8                    bool
	about                   About
}

func compile(table []rule) []matcher {
	whole := func(pattern string) *regexp.Regexp {
		if pattern == "" {
			return nil
		}
		return regexp.MustCompile(`^(?:` + pattern + `)$`)
	}
	all := make([]matcher, len(table))
	for i, r := range table {
		all[i] = matcher{at: whole(r.at), status: whole(r.status), code: whole(r.code), utf8: r.utf8, about: r.about}
		if r.words != "" {
			all[i].words = regexp.MustCompile(`(?i)` + r.words)
		}
	}
	return all
}

// passesByItself matches the text of a refusal that is temporary even with 5xx, which some greylisting servers send.
var passesByItself = regexp.MustCompile(`(?i)` + greylisting)

// Patterns of an enhanced status code: at the beginning of a text, where it should be, or elsewhere.
var (
	leadingStatus  = regexp.MustCompile(`^[#(\[<]?([45])\.(\d{1,3})\.(\d{1,3})\b[)\]>]?:?`)
	embeddedStatus = regexp.MustCompile(`(?:^|[^\d.])([45])\.(\d{1,3})\.(\d{1,3})(?:$|[^\d.]|\.(?:$|\D))`)
)

// meaning interprets a reply that refuses. utf8 says that the sender's address needs SMTPUTF8.
func meaning(at Step, r reply, utf8 bool) (Kind, About) {
	code, class := strconv.Itoa(r.code), strconv.Itoa(r.code/100)
	status := "none"
	var texts []string
	for _, line := range r.lines { // servers repeat the status in each line, which would break their sentences
		texts = append(texts, leadingStatus.ReplaceAllString(line, ""))
	}
	text := addressLike.ReplaceAllString(strings.Join(texts, " "), " ")
	parts := leadingStatus.FindStringSubmatch(r.lines[0])
	if parts == nil {
		if parts = embeddedStatus.FindStringSubmatch(text); parts != nil && parts[1] != class {
			parts = nil
		}
	}
	if parts != nil {
		class, status = parts[1], parts[2]+"."+parts[3]
	}
	if r.code/100 == 4 || passesByItself.MatchString(text) {
		class = "4"
	}
	about := AboutMessage
	for _, m := range rules {
		if (utf8 || !m.utf8) && m.matches(string(at), status, code, text) {
			about = m.about
			break
		}
	}
	switch {
	case code == "421", class == "4" && strings.HasPrefix(status, "7."), class == "5" && about == AboutService:
		return Later, about
	case class == "4":
		return Temporary, about
	}
	return Permanent, about
}

func (m matcher) matches(at, status, code, text string) bool {
	return (m.at == nil || m.at.MatchString(at)) && (m.status == nil || m.status.MatchString(status)) &&
		(m.code == nil || m.code.MatchString(code)) && (m.words == nil || m.words.MatchString(text))
}
