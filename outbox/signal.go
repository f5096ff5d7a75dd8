package outbox

// Signal tells a relay that events were committed, so that it does not wait for its next poll. It holds one signal at
// most: a relay that is busy looks for events once more, however many signals come meanwhile.
type Signal chan struct{}

// NewSignal returns a Signal that was not sent.
func NewSignal() Signal { return make(Signal, 1) }

// Send never blocks.
func (s Signal) Send() {
	select {
	case s <- struct{}{}:
	default:
	}
}
