package player

import (
	"math"
	"math/rand/v2"
)

// Oscillator is a client's clock: it began at some time, and runs fast or slow.
type Oscillator struct {
	Began float64 // by true time, in milliseconds
	Drift float64 // 50e-6 is 50 ppm
}

// RandomOscillator has a drift of at most 50 ppm.
func RandomOscillator(random *rand.Rand) Oscillator {
	return Oscillator{Began: -random.Float64() * 1e6, Drift: randomDrift(random)}
}

// At is what the clock shows at a true time.
func (o Oscillator) At(truth float64) float64 { return (truth - o.Began) * (1 + o.Drift) }

func randomDrift(random *rand.Rand) float64 { return (random.Float64()*2 - 1) * 50e-6 }

// Faults are those of real players. Times are milliseconds.
type Faults struct {
	SeekTime  func() float64 // how long each seek takes
	StartTime func() float64 // how long each start takes
	Drift     float64        // by how much its media clock runs fast: 50e-6 is 50 ppm
	FixedRate bool           // it plays at 1 whatever rate it is given
}

// RandomFaults are those of one of many people's players: it takes 50 to 400 ms to seek and 20 to 150 ms to start, more
// or less the same each time, and its media clock drifts by 50 ppm at most.
func RandomFaults(random *rand.Rand) Faults {
	around := func(least, most float64) func() float64 {
		typical := least + random.Float64()*(most-least)
		return func() float64 { return typical * (0.8 + 0.4*random.Float64()) }
	}
	return Faults{SeekTime: around(50, 400), StartTime: around(20, 150), Drift: randomDrift(random)}
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

// Load gives the player another stream, which it has data of after some time.
func (m *Model) Load(duration float64) {
	m.position, m.rate, m.playing, m.moved = 0, 1, false, false
	m.busy, m.starved = m.now, m.now+duration
}

// NextEvent is when a seek, a start or a stall ends, of which a page would be told; infinite if none is under way.
func (m *Model) NextEvent() float64 {
	if end := max(m.busy, m.starved); end > m.now {
		return end
	}
	return math.Inf(1)
}

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
