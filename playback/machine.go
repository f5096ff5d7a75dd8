package playback

import (
	"errors"
	"slices"
	"time"

	"github.com/watchparty/watchparty"
)

// ErrBusy is returned for a schedule while something plays.
var ErrBusy = errors.New("playback: something is playing in this room")

// Apply returns the state after an event at an instant. The state that it is given stays as it is. It returns ErrBusy
// and coded errors: ErrStale, ErrCommandReused, ErrNothingPlaying, ErrNothingToPlay, and those of Command.Validate.
func Apply(s State, e Event, room Room, at time.Time) (State, Effects, error) {
	m := machine{State: s, room: room, now: at.UTC().Truncate(time.Microsecond)}
	m.Recent = slices.Clone(s.Recent)
	if err := m.apply(e); err != nil {
		return s, Effects{Revision: s.Revision}, err
	}
	if m.changed {
		m.settle()
		m.finish()
	}
	c, command := e.(Command)
	m.effects.Unmoved = command && !m.changed && !m.effects.Replayed
	if m.effects.Changed = m.changed || m.effects.Unmoved; m.effects.Changed {
		m.Revision = s.Revision + 1
		m.UpdatedAt = m.now
	}
	if command && !m.effects.Replayed {
		m.remember(c)
	}
	if !m.effects.Replayed {
		m.effects.Revision = m.Revision
	}
	return m.State, m.effects, nil
}

// machine is one run of Apply.
type machine struct {
	State
	room    Room
	now     time.Time
	effects Effects
	changed bool
	// promptly says that playback continues without a lead if there is nobody to wait for.
	promptly bool
}

func (m *machine) apply(e Event) error {
	switch e := e.(type) {
	case Command:
		return m.command(e)
	case Tick:
		m.tick()
	case Reported:
		m.reported()
	case Stalled:
		m.stalled(e.ConnID)
	case Deserted:
		m.deserted(e.Since)
	case Archived:
		if m.Status != Idle {
			m.leave(CauseArchived, "")
		}
	case Removed:
		if m.Status != Idle && m.Item.ID == e.ItemID {
			m.advance(CauseRemoved, "")
		}
	case Voted:
		if m.Status != Idle && m.Epoch == e.Epoch {
			m.advance(CauseVoted, "")
		}
	case Scheduled:
		return m.scheduled(e)
	case Unscheduled:
		if !m.StartsAt.IsZero() {
			m.StartsAt = time.Time{}
			m.become(Paused, CauseUnscheduled, e.By)
		}
	case Begun:
		m.load(e.Item, e.PositionMS, CauseStarted, "")
		m.begin(e.StartsAt.UTC().Truncate(time.Microsecond))
	case ClockSet:
		m.clockSet(e)
	}
	return nil
}

// finish sets the fields of a changed state that follow from the others.
func (m *machine) finish() {
	m.EndsAt = m.end()
	if m.Status != Waiting {
		m.WaitFor, m.WaitUntil = "", time.Time{}
	}
	if m.Status != Paused {
		m.StartsAt = time.Time{}
	}
}

// command applies a command.
func (m *machine) command(c Command) error {
	if err := c.Validate(); err != nil {
		return err
	}
	if i := slices.IndexFunc(m.Recent, func(a Applied) bool { return a.ID == c.ID }); i >= 0 {
		if m.Recent[i].Digest != c.digest() {
			return ErrCommandReused
		}
		m.effects.Replayed, m.effects.Revision = true, m.Recent[i].Revision
		return nil
	}
	if c.Epoch != m.Epoch || c.IfRevision != nil && *c.IfRevision != m.Revision || c.Seen != nil && *c.Seen < m.Forgotten {
		return m.Stale()
	}
	if c.Kind == Load {
		m.load(c.Item, value(c.PositionMS), CauseLoad, c.By)
		return nil
	}
	if m.Status == Idle && c.Kind != Play && c.Kind != Rate {
		return ErrNothingPlaying
	}
	switch c.Kind {
	case Play:
		return m.play(c.By)
	case Pause:
		m.pause(c)
	case Seek:
		m.seek(c)
	case Rate:
		m.setRate(c)
	case Skip:
		m.advance(CauseSkip, c.By)
	case Stop:
		m.leave(CauseStop, c.By)
	case Load:
	}
	return nil
}

// remember keeps a command's ID, so that the command is applied once.
func (m *machine) remember(c Command) {
	m.Recent = append(m.Recent, Applied{ID: c.ID, Revision: m.Revision, Digest: c.digest()})
	for len(m.Recent) > MaxRecent {
		m.Forgotten = m.Recent[0].Revision
		m.Recent = m.Recent[1:]
	}
}

// become records a change of the state.
func (m *machine) become(status Status, cause Cause, by string) {
	m.Status, m.Cause, m.By, m.changed = status, cause, by, true
}

// anchor puts playback at a position from an instant on.
func (m *machine) anchor(positionMS int64, at time.Time) {
	m.PositionMS, m.At = m.clamp(positionMS), at
}

// wait begins a wait. A wait for a load stays one, with its deadline, until it ends.
func (m *machine) wait(why Wait, deadline time.Duration) {
	if m.Status != Waiting || m.WaitFor != WaitLoad || why == WaitLoad {
		m.WaitFor, m.WaitUntil = why, m.now.Add(deadline)
	}
}

// settle ends a wait without anybody to wait for.
func (m *machine) settle() {
	if m.Status != Waiting || len(m.Missing(m.room.Members, m.room.Policy, m.now)) > 0 {
		return
	}
	m.goOn(m.Cause, m.By)
}

// goOn plays or rests after a wait.
func (m *machine) goOn(cause Cause, by string) {
	if !m.Resume {
		m.become(Paused, cause, by)
		m.anchor(m.PositionMS, m.now)
		return
	}
	m.start(cause, by)
}

// start plays from the position at which playback rests.
func (m *machine) start(cause Cause, by string) {
	lead := Lead(m.room.Members)
	if m.promptly {
		lead = 0
	}
	m.become(Playing, cause, by)
	m.Resume = false
	m.anchor(m.PositionMS, m.now.Add(lead))
}

// load begins an item, and waits until everybody has something to play.
func (m *machine) load(item Item, positionMS int64, cause Cause, by string) {
	if m.Item.ID != item.ID {
		m.effects.Finished = m.Item.ID
		m.effects.Started = item.ID
		m.Item = item
	} else if item.Exact || !m.Item.Exact { // the duration that the players have reported is kept
		m.Item = item
	}
	m.Epoch++
	m.Cue++
	m.Resume = true
	m.wait(WaitLoad, LoadDeadline)
	m.become(Waiting, cause, by)
	m.anchor(positionMS, m.now)
}

// leave ends the item, and plays nothing.
func (m *machine) leave(cause Cause, by string) {
	m.effects.Finished = m.Item.ID
	m.Item, m.Rate = Item{}, 1
	m.Epoch++
	m.Cue++
	m.Resume = false
	m.become(Idle, cause, by)
	m.anchor(0, m.now)
}

// advance ends the item, and loads the next one if there is one.
func (m *machine) advance(cause Cause, by string) {
	if m.room.Next.ID == "" {
		m.leave(cause, by)
		return
	}
	m.load(m.room.Next, 0, cause, by)
}

func (m *machine) play(by string) error {
	switch m.Status {
	case Idle:
		next := m.room.Next
		if next.ID == "" {
			next = m.room.Default
		}
		if next.ID == "" {
			return ErrNothingToPlay
		}
		m.load(next, 0, CausePlay, by)
	case Waiting:
		if m.Resume { // asked for once more: members that are not ready have to catch up
			m.start(CausePlay, by)
			return nil
		}
		m.Resume = true
		m.become(Waiting, CausePlay, by)
	case Paused:
		if len(m.unready(m.room.Members, m.room.Policy, m.now)) > 0 {
			m.Resume = true
			m.wait(WaitSeek, SeekDeadline)
			m.become(Waiting, CausePlay, by)
			return nil
		}
		m.start(CausePlay, by)
	case Playing:
	}
	return nil
}

func (m *machine) pause(c Command) {
	switch m.Status {
	case Waiting:
		if m.Resume {
			m.Resume = false
			m.become(Waiting, CausePause, c.By)
		}
	case Playing:
		position := m.Position(m.now)
		if c.PositionMS != nil && abs(*c.PositionMS-position) <= PauseTolerance.Milliseconds() {
			position = *c.PositionMS
		}
		m.become(Paused, CausePause, c.By)
		m.anchor(position, m.now)
	case Idle, Paused:
	}
}

func (m *machine) seek(c Command) {
	m.Cue++
	m.promptly = true
	if m.Status == Paused {
		m.become(Paused, CauseSeek, c.By)
	} else {
		m.Resume = m.Resume || m.Status == Playing
		m.wait(WaitSeek, SeekDeadline)
		m.become(Waiting, CauseSeek, c.By)
	}
	m.anchor(*c.PositionMS, m.now)
}

func (m *machine) setRate(c Command) {
	rate := c.rate()
	if rate == m.Rate {
		return
	}
	position, at := m.Position(m.now), m.now
	if m.Status == Playing && m.At.After(at) {
		at = m.At
	}
	m.Rate = rate
	m.become(m.Status, CauseRate, c.By)
	m.anchor(position, at)
}

func (m *machine) tick() {
	switch {
	case m.Status == Waiting && !m.now.Before(m.WaitUntil):
		m.goOn(CauseDeadline, "")
	case m.Status == Playing && !m.EndsAt.IsZero() && !m.now.Before(m.EndsAt.Add(EndGrace)):
		m.advance(CauseEnded, "")
	case !m.StartsAt.IsZero() && !m.now.Before(m.StartsAt):
		m.begin(m.StartsAt)
	}
}

// begin starts what was to start at an instant. Players that are ready have started by their own clocks, so that the
// anchor is that instant, however late this is noticed. The room waits for the others as for a load, until LoadDeadline
// after the instant.
func (m *machine) begin(startsAt time.Time) {
	m.Resume = true
	m.become(Waiting, CauseStarted, "")
	m.WaitFor, m.WaitUntil = WaitLoad, startsAt.Add(LoadDeadline)
	m.anchor(m.PositionMS, m.now)
	if m.now.Before(m.WaitUntil) && len(m.Missing(m.room.Members, m.room.Policy, m.now)) > 0 {
		return
	}
	m.start(CauseStarted, "")
	if m.now.Sub(startsAt) <= LateStart {
		m.anchor(m.PositionMS, startsAt)
	}
}

func (m *machine) reported() {
	m.learnDuration()
	switch {
	case m.Status == Waiting && len(m.Missing(m.room.Members, m.room.Policy, m.now)) == 0:
		m.goOn(CauseReady, "")
	case m.Status == Playing && m.over():
		m.advance(CauseEnded, "")
	}
}

// over reports whether at least half of the members have reported the end of the item, near its expected end.
func (m *machine) over() bool {
	members := m.Counted(m.room.Members, watchparty.WaitPolicyEveryone, m.now)
	ended := 0
	for _, member := range members {
		if member.EndedCue == m.Cue {
			ended++
		}
	}
	return ended > 0 && 2*ended >= len(members) && m.mayBeOver()
}

// mayBeOver reports whether the end is so near that reports of players about it count.
func (m *machine) mayBeOver() bool {
	switch {
	case m.Item.Exact:
		return !m.now.Before(m.EndsAt.Add(-EarlyEnd))
	case m.Item.RuntimeMS > 0:
		return m.Position(m.now) >= m.Item.RuntimeMS-m.Item.RuntimeMS/durationTolerance
	}
	return true
}

const (
	// durationTolerance: a duration may differ from the runtime by a fifth of it.
	durationTolerance = 5
	// durationMargin is the largest difference, in milliseconds, between two reported durations that count as the same.
	durationMargin = 1000
)

// learnDuration takes the duration of the item from the first player of somebody who controls playback, and a different
// one when at least half of the players, and two of them, agree on it.
func (m *machine) learnDuration() {
	if m.Status == Idle {
		return
	}
	var told []int64
	for _, member := range m.room.Members {
		if member.Epoch != m.Epoch || !m.plausible(member.DurationMS) {
			continue
		}
		if !m.Item.Exact && member.Controls {
			m.setDuration(member.DurationMS)
			return
		}
		told = append(told, member.DurationMS)
	}
	if len(told) < 2 {
		return
	}
	slices.Sort(told)
	median := told[len(told)/2]
	agree := 0
	for _, duration := range told {
		if abs(duration-median) <= durationMargin {
			agree++
		}
	}
	if agree >= 2 && 2*agree >= len(told) && (!m.Item.Exact || abs(median-m.Item.DurationMS) > durationMargin) {
		m.setDuration(median)
	}
}

// plausible reports whether a duration is close enough to the runtime.
func (m *machine) plausible(durationMS int64) bool {
	if m.Item.RuntimeMS == 0 {
		return durationMS > 0 && durationMS <= MaxPositionMS
	}
	return durationMS > 0 && abs(durationMS-m.Item.RuntimeMS) <= m.Item.RuntimeMS/durationTolerance
}

func (m *machine) setDuration(durationMS int64) {
	m.Item.DurationMS, m.Item.Exact = durationMS, true
	m.become(m.Status, CauseDuration, "")
	if m.PositionMS > durationMS {
		m.anchor(durationMS, m.At)
	}
}

func (m *machine) stalled(connID string) {
	i := slices.IndexFunc(m.room.Members, func(member Member) bool { return member.ConnID == connID })
	if i < 0 || m.Status != Playing {
		return
	}
	member := m.room.Members[i]
	setAside := m.now.Before(member.SetAsideFor)
	if !setAside && !m.counts(member, resolve(m.room.Policy, m.room.Members), m.now) {
		return
	}
	if setAside || !member.StoppedAt.IsZero() && m.now.Sub(member.StoppedAt) < StopInterval {
		m.effects.SetAside = connID
		return
	}
	m.effects.Stopped = connID
	position := m.Position(m.now)
	m.Resume = true
	m.wait(WaitRebuffer, RebufferDeadline)
	m.become(Waiting, CauseRebuffer, "")
	m.anchor(position, m.now)
}

func (m *machine) deserted(since time.Time) {
	if m.Status != Playing && m.Status != Waiting {
		return
	}
	position := m.Position(since)
	m.Resume = false
	m.become(Paused, CauseDeserted, "")
	m.anchor(position, m.now)
}

func (m *machine) scheduled(e Scheduled) error {
	if m.Status == Playing || m.Status == Waiting {
		return ErrBusy
	}
	m.load(e.Item, e.PositionMS, CauseScheduled, e.By)
	m.become(Paused, CauseScheduled, e.By)
	m.Resume = false
	m.StartsAt = e.StartsAt.UTC().Truncate(time.Microsecond)
	return nil
}

func (m *machine) clockSet(e ClockSet) {
	if m.Revision != e.Revision || e.Step == 0 || m.Status == Idle {
		return
	}
	for _, instant := range []*time.Time{&m.At, &m.WaitUntil} { // StartsAt is an appointment, and stays
		if !instant.IsZero() {
			*instant = instant.Add(e.Step).Truncate(time.Microsecond)
		}
	}
	m.become(m.Status, CauseClock, "")
}

func value(p *int64) int64 {
	if p == nil {
		return 0
	}
	return *p
}

func abs(n int64) int64 { return max(n, -n) }
