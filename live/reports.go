package live

import (
	"context"
	"maps"
	"sync"
	"time"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/live/wire"
	"github.com/watchparty/watchparty/store"
)

// report is the part of a player's status that is stored in the database.
type report struct {
	unable  bool // the room does not wait for it
	stalled int64
	ended   int64
	trip    time.Duration
}

// reportOf returns the part of a status that the database stores.
func reportOf(m wire.Status) report {
	r := report{
		unable: m.Blocked || !m.Watching || !m.WaitForMe,
		trip:   time.Duration(m.RTTMS * float64(time.Millisecond)),
	}
	if m.Stalled {
		r.stalled = m.Cue
	}
	if m.Ended {
		r.ended = m.Cue
	}
	return r
}

// report handles a status. Only changes go to the database.
func (c *conn) report(now report) {
	c.mu.Lock()
	before := c.status
	c.status = now
	if now.trip == 0 {
		c.status.trip = before.trip
	}
	c.mu.Unlock()
	m := store.MemberReport{ConnID: c.id}
	news := false
	if now.unable != before.unable {
		able := !now.unable
		m.Able, news = &able, true
	}
	if now.stalled != 0 && now.stalled != before.stalled {
		m.StalledCue, news = now.stalled, true
	}
	if now.ended != 0 && now.ended != before.ended {
		m.EndedCue, news = now.ended, true
	}
	if news || now.trip != 0 && before.trip == 0 {
		m.RTT = c.roundTrip()
		c.room.report(m)
	}
}

// reportAgain stores again, in a new row of the connection, that the room does not wait for it.
func (c *conn) reportAgain() {
	c.mu.Lock()
	able := !c.status.unable
	c.mu.Unlock()
	if !able {
		c.room.report(store.MemberReport{ConnID: c.id, Able: &able, RTT: c.roundTrip()})
	}
}

// ready handles the report that a player is ready for a cue. The store ignores any cue but the current one.
func (c *conn) ready(m wire.Ready) {
	c.mu.Lock()
	c.status.stalled = 0 // it may run dry again
	c.mu.Unlock()
	report := store.MemberReport{ConnID: c.id, ReadyCue: m.Cue, RTT: c.roundTrip()}
	if m.DurationMS != nil {
		report.DurationMS = *m.DurationMS
	}
	c.room.mu.Lock()
	news := m.Cue == c.room.state.Cue && m.Epoch == c.room.state.Epoch || m.Cue > c.room.state.Cue
	c.room.mu.Unlock()
	if news {
		c.room.report(report)
	}
}

// roundTrip is the round trip that the client has measured, or else that of the last ping.
func (c *conn) roundTrip() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.status.trip > 0 {
		return c.status.trip
	}
	return time.Duration(c.trip.Load())
}

// report queues a report. It is stored together with all reports that arrive until the previous statement has ended.
func (r *room) report(m store.MemberReport) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.reports) >= maxReports {
		return
	}
	r.reports = append(r.reports, m)
	if !r.reporting {
		r.reporting = r.hub.spawn(r.storeReports)
	}
}

// maxReports is how many reports of a room may wait. More come only if the database has been down for long, and are
// lost.
const maxReports = 4 * watchparty.MaxCapacity

// storeReports stores what is queued.
func (r *room) storeReports() {
	for {
		r.mu.Lock()
		reports := r.reports
		r.reports = nil
		r.reporting = len(reports) > 0
		r.mu.Unlock()
		if len(reports) == 0 {
			return
		}
		ctx, cancel := context.WithTimeout(context.Background(), r.hub.limits.Statement)
		answer, err := r.hub.store.ReportPlayers(ctx, r.id, reports)
		cancel()
		if err != nil && !watchparty.IsKind(err, watchparty.KindNotFound) {
			r.hub.warn(context.Background(), "storing reports", err)
			if watchparty.IsKind(err, watchparty.KindUnavailable) || store.Unavailable(err) {
				r.keepReports(reports)
				return
			}
			continue // it would fail again, and hold up all later reports
		}
		r.markStale()
		if answer.Effects.Changed {
			r.hub.PublishState(answer.Snapshot)
		} else {
			r.hub.publishStale(r.id)
		}
	}
}

// keepReports queues reports again that could not be stored now: clients report changes only.
func (r *room) keepReports(reports []store.MemberReport) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.reports = append(reports, r.reports...)
	r.reporting = false
	time.AfterFunc(changeRetry, r.retryReports)
}

// retryReports stores reports that could not be stored, if anybody is still there.
func (r *room) retryReports() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.reports) > 0 && !r.reporting && len(r.conns) > 0 {
		r.reporting = r.hub.spawn(r.storeReports)
	}
}

// markStale marks the room's digest as out of date.
func (r *room) markStale() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.stale = true
}

// dismissals has the connections that have ended, but are still in the database.
type dismissals struct {
	mu      sync.Mutex
	ids     []string
	rooms   map[string]bool
	running bool
}

// disconnected queues a connection for removal from the database, together with those that end at the same time.
func (h *Hub) disconnected(c *conn) {
	d := &h.dismissals
	d.mu.Lock()
	defer d.mu.Unlock()
	d.ids = append(d.ids, c.id)
	d.rooms[c.room.id] = true
	if !d.running {
		d.running = h.spawn(h.storeDismissals)
	}
}

// storeDismissals ends when nothing is left, or the database is down; in that case the poll starts it again.
func (h *Hub) storeDismissals() {
	d := &h.dismissals
	for {
		d.mu.Lock()
		ids, rooms := d.ids, d.rooms
		d.ids, d.rooms = nil, map[string]bool{}
		d.running = len(ids) > 0
		d.mu.Unlock()
		if len(ids) == 0 {
			return
		}
		ctx, cancel := context.WithTimeout(context.Background(), h.limits.Statement)
		changed, err := h.store.RemoveConnections(store.WithKind(ctx, liveKind), h.node, ids)
		cancel()
		for _, answer := range changed {
			h.PublishState(answer.Snapshot)
		}
		if err != nil {
			h.warn(context.Background(), "removing connections", err)
			d.mu.Lock()
			d.ids = append(d.ids, ids...)
			d.running = false
			maps.Copy(d.rooms, rooms)
			d.mu.Unlock()
			return
		}
		for id := range rooms {
			if r := h.roomOf(id); r != nil {
				r.markStale()
			}
			h.publishStale(id)
		}
	}
}

// retryDismissals retries removals that have failed.
func (h *Hub) retryDismissals() {
	d := &h.dismissals
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.ids) > 0 && !d.running {
		d.running = h.spawn(h.storeDismissals)
	}
}
