// Package outbox starts exactly one workflow for each committed event.
//
// A transaction that needs background work adds an event to the outbox table, so that the row and the wish for the
// work are committed together or not at all. Relays, any number of them, claim events in batches with a lease and ask
// Temporal to start the workflow that the event names. The event's workflow ID is unique in the table and is the
// workflow's ID, started with RejectDuplicate; a workflow that already exists counts as started. So a relay that dies
// between the start and the mark costs nothing: the next one finds the workflow there.
//
// A lease is a claim's time in available_at: whoever claims an event moves that time into the future, and if it does
// not come back by then the event can be claimed again. No row is locked while Temporal is called. An event is never
// given up because Temporal is away.
package outbox
