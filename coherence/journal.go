package coherence

import (
	"context"
	"time"
)

// Journal is what processes coordinate by in the database. Package store implements it.
type Journal interface {
	// Renew stores the row of this process, and returns what there is to know at the moment of the same statement. Of the
	// changes it returns those whose records were committed after since was taken.
	Renew(ctx context.Context, row Row, since Snapshot) (Renewal, error)
	// Record stores a change at once, outside of its transaction, and returns the transaction that did so.
	Record(ctx context.Context, c Change) (transaction uint64, err error)
	// Snapshot takes a snapshot.
	Snapshot(ctx context.Context) (Snapshot, error)
	// Prune removes changes that are older than KeepTime, and rows of processes that have been gone for as long.
	Prune(ctx context.Context) error
}

// Row is what the others know of a process.
type Row struct {
	Process string   `json:"id"`
	Turn    uint64   `json:"turn"`  // counts renewals; of no account in a row to be stored
	Reads   bool     `json:"reads"` // it holds a lease, or is about to
	Deaf    bool     `json:"deaf"`  // its message bus does not work
	Seen    Snapshot `json:"-"`     // it knows the changes whose records had been committed then
}

// Renewal is an answer of the database.
type Renewal struct {
	Snapshot   Snapshot // all of the answer is as of it
	Generation string   // the database cluster and its timeline
	Horizon    uint64   // no change by a later transaction has been removed
	Changes    []Change
	Urgent     bool // a writer waits until this process shows that it knows one of the changes
	Rows       []Row
}

// Timing is how long things take. All processes of an installation have the same.
type Timing struct {
	Lease      time.Duration // how long a lease is in force after its renewal was sent
	Renew      time.Duration // between two renewals
	RenewSoon  time.Duration // the same while a process is deaf, or this one is about to get a lease
	List       time.Duration // how long a writer uses the list of those that hold leases
	AckTimeout time.Duration // how long a writer waits for answers over the message bus
	Call       time.Duration // bounds one statement of the journal
	Prune      time.Duration // between two removals of old changes
}

// DefaultTiming is the timing of production.
func DefaultTiming() Timing {
	return Timing{
		Lease: time.Second, Renew: 200 * time.Millisecond, RenewSoon: 25 * time.Millisecond, List: 500 * time.Millisecond,
		AckTimeout: 50 * time.Millisecond, Call: time.Second, Prune: 10 * time.Second,
	}
}

// KeepTime is how long changes are kept at least. Data whose snapshot is older may be void.
const KeepTime = 15 * time.Minute
