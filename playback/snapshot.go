package playback

import (
	"time"

	"github.com/watchparty/watchparty"
)

// Snapshot is a state with what people are shown of it.
type Snapshot struct {
	State
	Source       watchparty.QueueItem // what Item is; the zero value when idle
	Actor        watchparty.Person    // who By is; nobody when the account is gone
	Missing      []watchparty.Person  // whom the room waits for
	QueueVersion int64                // counts the changes of the queue and of its votes
	SkipVotes    int                  // to skip the item of Epoch
	Now          time.Time            // when this was read, by Postgres' clock
}
