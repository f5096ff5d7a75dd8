package watchparty

import (
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// WebhookKind is the kind of an event that is sent to webhooks: the type of the message.
type WebhookKind string

const (
	WebhookRoomOpened    WebhookKind = "room.opened"    // somebody has created a room
	WebhookMovieStarted  WebhookKind = "movie.started"  // a room begins to play something
	WebhookUserSuspended WebhookKind = "user.suspended" // an admin has suspended an account
	WebhookReportFiled   WebhookKind = "report.filed"   // somebody has reported abuse
	WebhookEmailGivenUp  WebhookKind = "email.given_up" // no attempt to send an email follows, and none succeeded
	WebhookCleanupEnded  WebhookKind = "cleanup.ended"  // a clean-up run has completed, failed, or was cancelled
	WebhookTestRequested WebhookKind = "webhook.test"   // an admin tries the webhook; no webhook registers for it
)

// WebhookKinds lists the kinds that a webhook can register for.
func WebhookKinds() []WebhookKind {
	return []WebhookKind{
		WebhookRoomOpened, WebhookMovieStarted, WebhookUserSuspended, WebhookReportFiled, WebhookEmailGivenUp,
		WebhookCleanupEnded,
	}
}

// Limits of webhooks; texts in characters.
const (
	MaxWebhooks           = 20  // of one installation
	MaxReplay             = 500 // deliveries that one request to replay queues
	maxWebhookDescription = 200
	maxWebhookURL         = 2000 // bytes
)

// Webhook is an address that gets messages about events.
type Webhook struct {
	ID          string
	URL         string
	Description string
	Kinds       []WebhookKind
	// Secret is the key of the signatures. It is set only in the answers to the creation and to a rotation.
	Secret string
	// FormerUntil is until when the former secret signs, too; zero if it does not.
	FormerUntil  time.Time
	OffAt        time.Time // zero while the webhook is on
	OffReason    WebhookOff
	FailingSince time.Time // since when no delivery has succeeded; zero if the latest attempt did
	Pending      int       // deliveries that are still to be made
	Failed       int       // deliveries that were given up, or not tried because the webhook was off
	DeliveredAt  time.Time // when the receiver last took one; zero for never
	CreatedAt    time.Time
	UpdatedAt    time.Time
}

// WebhookOff is why a webhook is off.
type WebhookOff string

const (
	WebhookOffByAdmin WebhookOff = "admin"
	WebhookOffFailing WebhookOff = "failing" // nothing but failures for as long as a setting says
	WebhookOffGone    WebhookOff = "gone"    // the receiver has answered 410
)

// NewWebhook is a webhook to be registered.
type NewWebhook struct {
	URL         string
	Description string
	Kinds       []WebhookKind
}

// Normalise brings the texts into the form in which they are checked and stored, and sorts the kinds.
func (n *NewWebhook) Normalise() {
	n.URL, n.Description = strings.TrimSpace(n.URL), normalLine(n.Description)
	n.Kinds = sortedKinds(n.Kinds)
}

// Validate reports every field that is wrong.
func (n NewWebhook) Validate(allowed WebhookTargets) error {
	var v fields
	v.webhookURL(n.URL, allowed)
	v.line("description", n.Description, 0, maxWebhookDescription)
	v.webhookKinds(n.Kinds)
	return v.err()
}

// WebhookChange changes the fields that are not nil.
type WebhookChange struct {
	URL         *string
	Description *string
	Kinds       *[]WebhookKind
	Enabled     *bool
}

// Normalise brings the texts into the form in which they are checked and stored, and sorts the kinds.
func (c *WebhookChange) Normalise() {
	c.URL = normalised(c.URL, strings.TrimSpace)
	c.Description = normalised(c.Description, normalLine)
	c.Kinds = normalised(c.Kinds, sortedKinds)
}

// Validate reports every field that is wrong.
func (c WebhookChange) Validate(allowed WebhookTargets) error {
	var v fields
	if c.URL != nil {
		v.webhookURL(*c.URL, allowed)
	}
	if c.Description != nil {
		v.line("description", *c.Description, 0, maxWebhookDescription)
	}
	if c.Kinds != nil {
		v.webhookKinds(*c.Kinds)
	}
	return v.err()
}

func sortedKinds(kinds []WebhookKind) []WebhookKind {
	kinds = slices.Clone(kinds)
	slices.Sort(kinds)
	return slices.Compact(kinds)
}

func (v *fields) webhookKinds(kinds []WebhookKind) {
	v.check(len(kinds) > 0, "kinds", "required", "must name at least one kind")
	for _, kind := range kinds {
		v.check(slices.Contains(WebhookKinds(), kind), "kinds", "enum", "must be kinds of events")
	}
}

// webhookURL checks an address without resolving its name. The resolved address is checked at each connection.
func (v *fields) webhookURL(raw string, allowed WebhookTargets) {
	v.check(len(raw) <= maxWebhookURL, "url", "too_long", fmt.Sprintf("must have at most %d bytes", maxWebhookURL))
	if fault := lineFault(raw); fault != nil { // admins read it, and it may have other letters than ASCII
		v.fault("url", fault)
		return
	}
	v.check(allowed.CheckURL(raw) == nil, "url", "address",
		"must be an https address of a public server, on port 443 or above 1023, without a name or password in it")
}

// WebhookTargets says where webhooks may lead.
type WebhookTargets struct {
	// Private lists networks that are allowed beside the public addresses. Only they may be reached by http.
	Private []netip.Prefix
}

// CheckURL checks the form of an address, without resolving its name.
func (a WebhookTargets) CheckURL(raw string) error {
	u, err := url.Parse(raw)
	switch {
	case err != nil, u.Hostname() == "", u.User != nil, u.Fragment != "", u.Opaque != "",
		strings.ContainsAny(raw, " \\\t\r\n"):
		return errWebhookAddress
	case u.Scheme != "https" && (u.Scheme != "http" || len(a.Private) == 0):
		return errWebhookAddress
	case !a.allowsPort(u):
		return errWebhookAddress
	}
	if ip, err := netip.ParseAddr(u.Hostname()); err == nil && !a.Allows(u.Scheme, ip) {
		return errWebhookAddress
	}
	return nil
}

// allowsPort allows the protocol's own port and those that need no privileges: the others belong to other services.
func (a WebhookTargets) allowsPort(u *url.URL) bool {
	if u.Port() == "" {
		return !strings.HasSuffix(u.Host, ":")
	}
	port, err := strconv.Atoi(u.Port())
	return err == nil && (port > 1023 && port < 1<<16 || port == 443 && u.Scheme == "https" ||
		port == 80 && u.Scheme == "http")
}

var errWebhookAddress = &Error{Kind: KindInvalid, Code: "invalid_request", Message: "The address cannot be used."}

// Allows reports whether a webhook may connect to an address: by https to a public one, and by http or https to one of
// the networks in the settings.
func (a WebhookTargets) Allows(scheme string, ip netip.Addr) bool {
	if ip.Zone() != "" {
		return false
	}
	ip = ip.Unmap()
	for _, network := range a.Private {
		if network.Contains(ip) {
			return true
		}
	}
	if nat64.Contains(ip) { // the last four bytes are the address that is connected to
		b := ip.As16()
		return a.Allows(scheme, netip.AddrFrom4([4]byte(b[12:])))
	}
	if scheme != "https" {
		return false
	}
	if ip.Is4() {
		return !slices.ContainsFunc(notPublic4, func(n netip.Prefix) bool { return n.Contains(ip) })
	}
	return globalUnicast.Contains(ip) &&
		!slices.ContainsFunc(notPublic6, func(n netip.Prefix) bool { return n.Contains(ip) })
}

// Networks by the IANA registries of special-purpose addresses (RFC 6890 and its updates).
var (
	nat64         = netip.MustParsePrefix("64:ff9b::/96") // RFC 6052
	globalUnicast = netip.MustParsePrefix("2000::/3")     // all that is assigned; the rest of IPv6 is reserved or local

	notPublic4 = prefixes(
		"0.0.0.0/8",        // this network
		"10.0.0.0/8",       // private
		"100.64.0.0/10",    // carrier-grade NAT; 100.100.100.200 has a cloud's metadata
		"127.0.0.0/8",      // loopback
		"168.63.129.16/32", // a cloud's metadata and health service, within public space
		"169.254.0.0/16",   // link-local; 169.254.169.254 has clouds' metadata
		"172.16.0.0/12",    // private
		"192.0.0.0/24",     // protocol assignments; 192.0.0.192 has a cloud's metadata
		"192.0.2.0/24",     // documentation
		"192.88.99.0/24",   // 6to4 relays
		"192.168.0.0/16",   // private
		"198.18.0.0/15",    // benchmarks
		"198.51.100.0/24",  // documentation
		"203.0.113.0/24",   // documentation
		"224.0.0.0/4",      // multicast
		"240.0.0.0/4",      // reserved, and broadcast
	)
	// notPublic6 are those within globalUnicast. 6to4 and Teredo contain IPv4 addresses, and are out of use.
	notPublic6 = prefixes(
		"2001::/23",     // protocol assignments, Teredo among them
		"2001:db8::/32", // documentation
		"2002::/16",     // 6to4
		"3fff::/20",     // documentation
	)
)

func prefixes(texts ...string) (all []netip.Prefix) {
	for _, text := range texts {
		all = append(all, netip.MustParsePrefix(text))
	}
	return all
}

// WebhookEvent is an event that is sent to webhooks. Data has identifiers and public facts only: its subject may be
// renamed, hidden or deleted later, and a receiver would not know.
type WebhookEvent struct {
	Kind WebhookKind
	Data any // one of the structs below
	// UserID and RoomID are the account and the room of the event, by which operators find the work. They may be empty.
	UserID, RoomID string
}

// RoomOpenedData is the data of WebhookRoomOpened.
type RoomOpenedData struct {
	RoomID     string     `json:"room_id"`
	HostID     string     `json:"host_id"`
	Visibility Visibility `json:"visibility"`
}

// MovieStartedData is the data of WebhookMovieStarted.
type MovieStartedData struct {
	RoomID     string     `json:"room_id"`
	Visibility Visibility `json:"visibility"`
	MovieID    *string    `json:"movie_id"` // null for an address of the room's own, and in a private room
}

// UserSuspendedData is the data of WebhookUserSuspended.
type UserSuspendedData struct {
	UserID        string `json:"user_id"`
	ContentHidden bool   `json:"content_hidden"`
}

// ReportFiledData is the data of WebhookReportFiled.
type ReportFiledData struct {
	ReportID   string      `json:"abuse_report_id"`
	Kind       AbuseKind   `json:"kind"`
	TargetKind AbuseTarget `json:"target_kind"`
	TargetID   string      `json:"target_id"`
}

// EmailGivenUpData is the data of WebhookEmailGivenUp.
type EmailGivenUpData struct {
	EmailID  string      `json:"email_id"`
	Kind     EmailKind   `json:"kind"`
	Reason   EmailReason `json:"reason"`
	Attempts int         `json:"attempts"`
}

// CleanupEndedData is the data of WebhookCleanupEnded.
type CleanupEndedData struct {
	RunID          string           `json:"run_id"`
	Trigger        Trigger          `json:"trigger"`
	DryRun         bool             `json:"dry_run"`
	State          RunState         `json:"state"`
	Counts         map[Policy]int64 `json:"counts"`
	FailedPolicies []Policy         `json:"failed_policies"`
}

// WebhookTestData is the data of WebhookTestRequested.
type WebhookTestData struct {
	WebhookID string `json:"webhook_id"`
}

// WebhookDelivery is a message to a webhook: one event for one webhook, however often it is tried.
type WebhookDelivery struct {
	ID        string
	WebhookID string
	// EventID is the header webhook-id. It is the same for all webhooks that get an event, and in all attempts.
	EventID    string
	Kind       WebhookKind
	Body       string // what is sent, as JSON
	State      WebhookState
	Reason     WebhookReason
	Attempts   int
	LastStatus int       // of the latest attempt's answer; 0 without one
	NextAt     time.Time // of a pending one: the next attempt; zero if it is due, or not known
	DeadlineAt time.Time // when a pending one is given up
	WorkflowID string
	EndedAt    time.Time
	CreatedAt  time.Time
	UpdatedAt  time.Time
}

// WebhookState is how far a delivery has come.
type WebhookState string

const (
	WebhookPending   WebhookState = "pending"
	WebhookDelivered WebhookState = "delivered" // the receiver has answered 2xx
	WebhookFailed    WebhookState = "failed"    // no attempt within three days was answered 2xx
	WebhookCancelled WebhookState = "cancelled" // see WebhookReason
)

// WebhookReason is why a delivery has ended otherwise than by success.
type WebhookReason string

const (
	WebhookReasonAttempts WebhookReason = "attempts"    // the last one failed
	WebhookReasonGone     WebhookReason = "gone"        // the receiver has answered 410
	WebhookReasonOff      WebhookReason = "webhook_off" // the webhook is off, or was removed
	WebhookReasonStopped  WebhookReason = "stopped"     // an admin has ended its job
	WebhookReasonLost     WebhookReason = "lost"        // its job was lost
)

// WebhookAttempt is one attempt to deliver.
type WebhookAttempt struct {
	Number    int
	Outcome   WebhookOutcome
	Status    int // 0 without an answer
	StartedAt time.Time
	EndedAt   time.Time // zero while it is open
}

// WebhookOutcome is the outcome of an attempt.
type WebhookOutcome string

const (
	WebhookOutcomeOpen      WebhookOutcome = "open" // in progress, or its process ended within the last hour
	WebhookOutcomeDelivered WebhookOutcome = "delivered"
	WebhookOutcomeStatus    WebhookOutcome = "status"     // an answer that is neither 2xx nor a redirect
	WebhookOutcomeRedirect  WebhookOutcome = "redirect"   // redirects are not followed
	WebhookOutcomeGone      WebhookOutcome = "gone"       // 410
	WebhookOutcomeTimeout   WebhookOutcome = "timeout"    // no answer in time
	WebhookOutcomeName      WebhookOutcome = "name"       // the name cannot be resolved
	WebhookOutcomeConnect   WebhookOutcome = "connection" // refused, or broken before an answer
	WebhookOutcomeTLS       WebhookOutcome = "tls"        // no connection that can be trusted
	WebhookOutcomeBlocked   WebhookOutcome = "blocked"    // the name resolves to an address that is not allowed
	WebhookOutcomeLost      WebhookOutcome = "lost"       // its process ended; the receiver may have it
)

// WebhookOutcomes lists all outcomes of attempts that have ended.
func WebhookOutcomes() []WebhookOutcome {
	return []WebhookOutcome{
		WebhookOutcomeDelivered, WebhookOutcomeStatus, WebhookOutcomeRedirect, WebhookOutcomeGone, WebhookOutcomeTimeout,
		WebhookOutcomeName, WebhookOutcomeConnect, WebhookOutcomeTLS, WebhookOutcomeBlocked, WebhookOutcomeLost,
	}
}

// WebhookDeliveryFilter selects deliveries. Empty fields select all.
type WebhookDeliveryFilter struct {
	State    WebhookState
	Kind     WebhookKind
	From, To time.Time // when the event was: From and later, before To
}

// WebhookSecretOverlap is how long a former secret signs beside the new one, unless a rotation says otherwise.
const WebhookSecretOverlap = 24 * time.Hour

// Errors of the operations of admins on webhooks.
var (
	ErrTooManyWebhooks = &Error{Kind: KindConflict, Code: "too_many_webhooks",
		Message: "There are 20 webhooks already. Remove one first."}
	ErrWebhookOff = &Error{Kind: KindConflict, Code: "webhook_off",
		Message: "The webhook is off. Switch it on first."}
	ErrDeliveryOpen = &Error{Kind: KindConflict, Code: "delivery_not_ended",
		Message: "The delivery is still being tried."}
)
