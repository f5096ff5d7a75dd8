package playback

import (
	"slices"
	"time"

	"github.com/watchparty/watchparty"
)

// AutoEveryone is the largest number of people for whom watchparty.WaitPolicyAuto waits.
const AutoEveryone = 8

const (
	// JoinGrace is the time after a person has joined during which the room does not wait for that person, except for an
	// item that is loaded later.
	JoinGrace = 10 * time.Second
	// StopInterval is how often a person whose player runs dry may stop the room.
	StopInterval = time.Minute
	// StableFor is the time for which the room does not wait for a person who has stopped it too often, counted from the
	// last time.
	StableFor = 30 * time.Second
)

// Member is a connection to a room whose lease is alive.
type Member struct {
	ConnID string
	UserID string
	Host   bool // the person is the room's host
	// Controls says that the person may control playback. The first player of such a person tells how long an item is.
	Controls bool
	// Able says that the room can wait for the person: the page is visible or audible, autoplay is not blocked, and the
	// person has not opted out.
	Able        bool
	Since       time.Time // when it was connected
	Epoch       int64     // of the latest report; 0 without one
	ReadyCue    int64     // the cue that it is ready for; 0 for none
	EndedCue    int64     // the cue for which it has reported that the item is over; 0 for none
	DurationMS  int64     // as its player told for Epoch; 0 if it did not
	RTT         time.Duration
	StoppedAt   time.Time // when it last stopped the room; zero if it never did
	SetAsideFor time.Time // until when it is set aside; zero unless it is
}

// resolve replaces WaitPolicyAuto by WaitPolicyEveryone or WaitPolicyNobody, by the number of people.
func resolve(policy watchparty.WaitPolicy, members []Member) watchparty.WaitPolicy {
	if policy != watchparty.WaitPolicyAuto && policy != "" {
		return policy
	}
	if people(members) <= AutoEveryone {
		return watchparty.WaitPolicyEveryone
	}
	return watchparty.WaitPolicyNobody
}

// people counts the different users.
func people(members []Member) int {
	users := make(map[string]struct{}, len(members))
	for _, m := range members {
		users[m.UserID] = struct{}{}
	}
	return len(users)
}

// counts reports whether a state's room may wait for a member.
func (s State) counts(m Member, policy watchparty.WaitPolicy, at time.Time) bool {
	if policy == watchparty.WaitPolicyNobody || policy == watchparty.WaitPolicyHost && !m.Host || !m.Able ||
		at.Before(m.SetAsideFor) {
		return false
	}
	if s.Status == Waiting && s.WaitFor == WaitLoad {
		// No member has reported for an item that is being loaded. Everybody who joined before the load counts.
		return !m.Since.After(s.WaitUntil.Add(-LoadDeadline))
	}
	return m.Epoch == s.Epoch && at.Sub(m.Since) >= JoinGrace
}

// Counted returns the members for whom the room may wait at an instant.
func (s State) Counted(members []Member, policy watchparty.WaitPolicy, at time.Time) []Member {
	policy = resolve(policy, members)
	return slices.DeleteFunc(slices.Clone(members), func(m Member) bool { return !s.counts(m, policy, at) })
}

// Missing returns the members for whom the room waits: the counted members that are not ready for the cue. It is empty
// unless the state is Waiting.
func (s State) Missing(members []Member, policy watchparty.WaitPolicy, at time.Time) []Member {
	if s.Status != Waiting {
		return nil
	}
	return s.unready(members, policy, at)
}

// unready returns the counted members that are not ready for the cue.
func (s State) unready(members []Member, policy watchparty.WaitPolicy, at time.Time) []Member {
	return slices.DeleteFunc(s.Counted(members, policy, at), func(m Member) bool { return m.ReadyCue == s.Cue })
}

const (
	minLead  = 200 * time.Millisecond
	maxLead  = 800 * time.Millisecond
	leadOver = 100 * time.Millisecond // what is added to the round trip
)

// Lead is the time between sending a state and the instant at which it starts to play: as long as the state needs to
// reach nine of ten members, within limits, so that one bad connection does not delay everybody.
func Lead(members []Member) time.Duration {
	if len(members) == 0 {
		return minLead
	}
	trips := make([]time.Duration, 0, len(members))
	for _, m := range members {
		trips = append(trips, m.RTT)
	}
	slices.Sort(trips)
	ninetieth := trips[(len(trips)*9+9)/10-1]
	return min(max(ninetieth+leadOver, minLead), maxLead)
}

// SkipPasses reports whether enough of the people who may vote want to skip: half of them, and at least one.
func SkipPasses(votes, eligible int) bool { return votes >= SkipNeeds(eligible) && eligible > 0 }

// SkipNeeds returns the number of votes that are needed to skip when that many people may vote.
func SkipNeeds(eligible int) int { return max(1, (eligible+1)/2) }
