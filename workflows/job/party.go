package job

import (
	"fmt"
	"time"

	"github.com/watchparty/watchparty"
)

// PartyInput names a party and its start. Moves counts how often its start was moved, and its cancelling.
type PartyInput struct {
	PartyID  string    `json:"party_id"`
	Moves    int       `json:"moves,omitempty"`
	StartsAt time.Time `json:"starts_at"`
}

// PartyResult is the state in which the party ended.
type PartyResult struct {
	State watchparty.PartyState `json:"state,omitempty"` // empty when the party's row is gone
}

// PartyStatus is how a party stands.
type PartyStatus struct {
	State    watchparty.PartyState `json:"state,omitempty"` // empty when its row is gone
	Moves    int                   `json:"moves,omitempty"`
	StartsAt time.Time             `json:"starts_at,omitzero"`
	// ScheduledAt is when the party was scheduled first; zero in the histories of former versions.
	ScheduledAt time.Time `json:"scheduled_at,omitzero"`
}

// PartyNoticesInput says what the guests of a party are told by email. It is void once the party has another number of
// moves.
type PartyNoticesInput struct {
	PartyID string                 `json:"party_id"`
	Kind    watchparty.PartyNotice `json:"kind"`
	Moves   int                    `json:"moves,omitempty"`
}

// PartyNoticesResult counts the emails that were queued.
type PartyNoticesResult struct {
	Emails int `json:"emails"`
}

// ScheduledPartyID is the workflow's ID for a party.
func ScheduledPartyID(partyID string) string { return "scheduled-party/" + partyID }

// ScheduledPartyEvent asks for the workflow that reminds the guests of a party, and lives until the party ends.
func ScheduledPartyEvent(in PartyInput) Event {
	return Event{
		WorkflowID: ScheduledPartyID(in.PartyID), Workflow: WorkflowScheduledParty, TaskQueue: TaskQueueEmail,
		Summary: "Scheduled party", Input: in,
	}
}

// PartyChangedSignal is the name of the signal that a party was moved or cancelled. Each signal has its
// own name, because the outbox accepts a name only once for a workflow.
func PartyChangedSignal(moves int) string { return fmt.Sprintf("changed/%d", moves) }

// PartyChangedEvent signals to a party's workflow that the party was moved or cancelled. A workflow that starts with it
// tells the guests: it has missed all moves.
func PartyChangedEvent(in PartyInput) Event {
	signal := PartyChangedSignal(in.Moves)
	in.Moves = 0
	e := ScheduledPartyEvent(in)
	e.Signal = signal
	return e
}

// PartyEmailID is the workflow's ID for what one guest of a party is told.
func PartyEmailID(noticeID string) string { return "party-email/" + noticeID }

// PartyEmailEvent asks for an email to a guest of a party.
func PartyEmailEvent(kind watchparty.EmailKind, noticeID, emailID string) Event {
	return emailEvent(kind, WorkflowPartyEmail, PartyEmailID(noticeID), "Email about a party", emailID)
}
