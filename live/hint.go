package live

import (
	"encoding/json"
	"errors"
	"log/slog"
	"slices"
	"strings"

	"github.com/watchparty/watchparty/logging"
	"github.com/watchparty/watchparty/playback"
)

// hintChannel is the channel of the bus for all hints.
const hintChannel = "live"

// hint is a message to the other processes after a commit.
type hint struct {
	From  string             `json:"from"` // the process
	State *playback.Snapshot `json:"state,omitempty"`
	Tags  []string           `json:"tags,omitempty"`
	Stale string             `json:"stale,omitempty"` // a room whose members have changed
}

// publish tells other processes of a state.
func (h *Hub) publish(s playback.Snapshot) {
	s.Recent = nil // for the transaction alone
	publishHint(h.bus, h.log, hint{State: &s})
}

// publishStale tells other processes that the members of a room have changed.
func (h *Hub) publishStale(roomID string) { publishHint(h.bus, h.log, hint{Stale: roomID}) }

// publishHint sends a hint to the other processes, unless it is empty. A hint may be lost.
func publishHint(b Bus, log *slog.Logger, m hint) {
	if m.State == nil && m.Stale == "" && len(m.Tags) == 0 {
		return
	}
	m.From = b.Process()
	payload, err := json.Marshal(m)
	if err == nil {
		err = b.Publish(hintChannel, payload)
	}
	if err != nil { // the polls of the others find it
		log.Warn("live rooms are impaired", slog.String("while", "publishing a hint"), slog.Any("error", err))
	}
}

// handleHint handles a hint of another process. It does not wait.
func (h *Hub) handleHint(payload []byte) {
	var m hint
	if err := json.Unmarshal(payload, &m); err != nil {
		h.log.Warn("live rooms are impaired", slog.String("while", "reading a hint"),
			slog.Any("error", errors.New("not JSON")))
		return
	}
	if m.From == h.bus.Process() {
		return
	}
	if m.State != nil {
		if r := h.roomOf(m.State.RoomID); r != nil {
			r.apply(*m.State)
		}
	}
	if m.Stale != "" {
		if r := h.roomOf(m.Stale); r != nil {
			r.markStale()
		}
	}
	h.changes.add(m.Tags...)
}

// PublishTags makes this process and the others read again what these committed tags (package coherence) stand for.
// Connected people get the changes, or are disconnected if they have lost access.
func (h *Hub) PublishTags(tags []string) {
	h.changes.add(tags...)
	publishHint(h.bus, h.log, hint{Tags: relevant(tags)})
}

// Announce returns a function that tells the processes with live connections which tags a transaction changed (see
// Hub.PublishTags). It is for processes without connections.
func Announce(b Bus, log *slog.Logger) func(tags []string) {
	log = logging.Sparse(log, slog.LevelWarn, "while")
	return func(tags []string) { publishHint(b, log, hint{Tags: relevant(tags)}) }
}

// relevant returns the tags that concern connections.
func relevant(tags []string) []string {
	none := nothingDue()
	return slices.DeleteFunc(slices.Clone(tags), func(tag string) bool {
		kind, _, _ := strings.Cut(tag, ":")
		return none.ids(kind) == nil
	})
}

// QueueChanged says that the queue of a room, or its votes, were changed.
func (h *Hub) QueueChanged(roomID string) { h.PublishTags([]string{queueTag(roomID)}) }

// pollNow makes the poll run at once.
func (h *Hub) pollNow() { wake(h.wake) }
