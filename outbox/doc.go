// Package outbox starts exactly one workflow for each committed event.
//
// A transaction that needs background work adds an event to the outbox table, so that the row and the event are
// committed together or not at all. Relays, any number of them, claim events in batches with a lease and ask Temporal
// to start the workflow that the event names. The event's workflow ID is unique in the table and is the workflow's ID,
// started with RejectDuplicate; a workflow that already exists counts as started. Therefore nothing is lost when a
// relay dies after the start and before it has marked the event: the next relay finds the workflow.
//
// A lease is a claim's time in available_at: a relay that claims an event moves that time into the future. If the relay
// has not finished by then, the event can be claimed again. No row is locked while Temporal is called. An event is
// never given up because Temporal is down.
package outbox
