package coherence

import (
	"context"
	"time"
)

// Journal is the record in the database by which processes coordinate. Package store implements it.
type Journal interface {
	// Renew stores the row of this process, unless one of a later turn is stored, and returns the state of all processes
	// as of the same statement. It returns the changes whose records were committed after since was taken; if they are
	// too many, only the newest.
	Renew(ctx context.Context, row Row, since Snapshot) (Renewal, error)
	// Record stores a change at once, outside of its transaction, and returns the transaction that did so.
	Record(ctx context.Context, c Change) (transaction uint64, err error)
	// Snapshot takes a snapshot.
	Snapshot(ctx context.Context) (Snapshot, error)
	// Prune removes changes that are older than KeepTime, and the given rows if they have not been renewed since.
	Prune(ctx context.Context, gone []Row) error
}

// Row is what other processes know of a process.
type Row struct {
	Process string   `json:"id"`
	Turn    uint64   `json:"turn"`  // counts renewals
	Reads   bool     `json:"reads"` // the process holds or requests a lease
	Deaf    bool     `json:"deaf"`  // the process does not receive messages from the bus
	Seen    Snapshot `json:"seen"`  // the process knows all changes whose records were committed in this snapshot
}

// Renewal is an answer of the database.
type Renewal struct {
	Snapshot   Snapshot // all of the answer is as of it
	Generation string   // the cluster, its timeline, the start of its server, the database, and the table of changes
	Horizon    uint64   // no change by a later transaction has been removed or left out
	Changes    []Change
	Urgent     bool // a writer waits until this process shows that it knows one of the changes
	Rows       []Row
}

// Timing has the intervals of the protocol. All processes of an installation have the same.
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

// KeepTime is the least time for which changes are kept. Data with an older snapshot may be void.
const KeepTime = 15 * time.Minute
