package coherence

import "time"

// lease is the state of this process' lease. It has no clock: callers pass every time, from one clock that also runs
// while the machine sleeps.
type lease struct {
	timing  Timing
	stage   stage
	renewed time.Duration // when the last successful renewal was sent
	joined  time.Duration // when the answer to the first renewal of this attempt arrived
	running Snapshot      // the transactions that still ran once all writers had listed this process
}

type stage int

const (
	stageNone    stage = iota // the process has no lease and wants none
	stageAsked                // the process has sent a row that asks for a lease
	stageListed               // the row is stored; within Timing.List all writers have this process on their lists
	stageWaiting              // all writers list this process; older transactions that may not know it still run
	stageHeld
)

// want records, before a renewal, whether this process wants a lease.
func (l *lease) want(wanted bool) {
	switch {
	case !wanted:
		l.stage = stageNone
	case l.stage == stageNone:
		l.stage = stageAsked
	}
}

// renew handles the answer to a renewal. It returns the end of the lease, or 0 for none.
func (l *lease) renew(sent, answered time.Duration, s Snapshot) (end time.Duration) {
	if l.stage > stageAsked && answered-l.renewed >= l.timing.Lease {
		l.stage = stageAsked // writers may have taken this process off their lists
	}
	l.renewed = sent
	switch l.stage {
	case stageAsked:
		l.joined, l.stage = answered, stageListed
	case stageListed:
		if sent-l.joined > l.timing.List {
			l.running, l.stage = s, stageWaiting
		}
	case stageWaiting:
		if len(l.waitsFor(s)) == 0 {
			l.stage = stageHeld
		}
	}
	if l.stage != stageHeld {
		return 0
	}
	return sent + l.timing.Lease
}

// waitsFor returns the running transactions that may have begun before their writers listed this process.
func (l *lease) waitsFor(s Snapshot) (old []uint64) {
	for _, transaction := range l.running.Running {
		if l.stage == stageWaiting && !s.Ended(transaction) {
			old = append(old, transaction)
		}
	}
	return old
}

// peers is what this process knows of the other processes.
type peers struct {
	timing Timing
	read   time.Duration // when the statement was sent that the list is from
	known  bool
	rows   map[string]peer
}

type peer struct {
	row   Row
	since time.Duration // when its turn was first seen
	dead  bool
}

// update stores the rows of an answer.
func (p *peers) update(self string, rows []Row, sent, answered time.Duration) {
	former := p.rows
	p.read, p.known, p.rows = sent, true, make(map[string]peer, len(rows))
	for _, row := range rows {
		if row.Process == self {
			continue
		}
		seen, ok := former[row.Process]
		if !ok || seen.row.Turn != row.Turn {
			seen = peer{since: answered}
		}
		seen.row = row
		seen.dead = sent-seen.since >= p.timing.Lease
		p.rows[row.Process] = seen
	}
}

// readers returns the processes that may hold a lease.
func (p *peers) readers() []string {
	var ids []string
	for id, peer := range p.rows {
		if peer.row.Reads && !peer.dead {
			ids = append(ids, id)
		}
	}
	return ids
}

// gone returns the rows of processes that crashed: rows that have not changed for KeepTime.
func (p *peers) gone(at time.Duration) (rows []Row) {
	for _, peer := range p.rows {
		if at-peer.since >= KeepTime {
			rows = append(rows, peer.row)
		}
	}
	return rows
}

// anyDeaf reports whether a live process does not hear the message bus.
func (p *peers) anyDeaf() bool {
	for _, peer := range p.rows {
		if peer.row.Deaf && !peer.dead {
			return true
		}
	}
	return false
}

// current reports whether the list may still be used.
func (p *peers) current(at time.Duration) bool { return p.known && at-p.read < p.timing.List }
