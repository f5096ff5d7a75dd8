package player

// Faults are those of real players. Times are milliseconds.
type Faults struct {
	SeekTime  func() float64 // how long each seek takes
	StartTime func() float64 // how long each start takes
	Drift     float64        // by how much its media clock runs fast: 50e-6 is 50 ppm
	FixedRate bool           // it plays at 1 whatever rate it is given
}

// Model is a player on a clock that the caller moves.
type Model struct {
	faults   Faults
	now      float64
	position float64
	rate     float64
	playing  bool
	busy     float64 // until then it seeks or starts
	starved  float64 // until then it has no data
	moved    bool
	Seeks    int // how often it has been sent to another position
}

// NewModel returns a player that stands at the beginning.
func NewModel(now float64, faults Faults) *Model {
	return &Model{faults: faults, now: now, rate: 1, busy: now, starved: now}
}

// Advance moves the player to a time of the client.
func (m *Model) Advance(now float64) {
	from := max(m.now, m.busy, m.starved)
	if m.playing && now > from {
		m.position += (now - from) * m.rate * (1 + m.faults.Drift)
		m.moved = true
	}
	m.now = max(now, m.now)
}

// Starve takes the player's data away for some time.
func (m *Model) Starve(duration float64) { m.starved = max(m.starved, m.now+duration) }

// Position implements Media.
func (m *Model) Position() float64 { return m.position }

// IsPaused implements Media.
func (m *Model) IsPaused() bool { return !m.playing }

// IsReady implements Media.
func (m *Model) IsReady() bool { return m.now >= m.busy && m.now >= m.starved }

// IsMoving implements Media.
func (m *Model) IsMoving() bool { return m.playing && m.moved && m.IsReady() }

// Seek implements Media.
func (m *Model) Seek(position float64) {
	m.position, m.moved = position, false
	m.busy = max(m.busy, m.now+m.faults.SeekTime())
	m.Seeks++
}

// SetRate implements Media.
func (m *Model) SetRate(rate float64) {
	if !m.faults.FixedRate {
		m.rate = rate
	}
}

// Play implements Media.
func (m *Model) Play() {
	if !m.playing {
		m.playing, m.moved = true, false
		m.busy = max(m.busy, m.now) + m.faults.StartTime()
	}
}

// Pause implements Media.
func (m *Model) Pause() { m.playing = false }
