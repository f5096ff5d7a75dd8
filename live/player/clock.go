package player

import (
	"math"
	"slices"
)

// Times and positions are in milliseconds.
const (
	keptSamples  = 16
	maxSampleAge = 180_000.0
	// clockDrift bounds by how much two clocks part in each millisecond: 50 ppm.
	clockDrift = 50e-6
	// sampleSlack is the distance between the bounds of two samples above which they contradict each other. It allows
	// for rounded timestamps.
	sampleSlack = 1.0

	burstSize        = 6
	burstGap         = 100.0
	firstMinute      = 60_000.0
	gapInFirstMinute = 5_000.0
	gapLater         = 15_000.0
)

// ClockReading is what is known of the server's clock.
type ClockReading struct {
	Offset      float64 // server's time minus the client's
	Uncertainty float64 // how wrong Offset is at most, if the clocks run evenly
	Delay       float64 // the round trip of the sample that Offset is from
}

type sample struct{ offset, delay, at float64 }

func (s sample) bound(now float64) float64 { return s.delay/2 + max(now-s.at, 0)*clockDrift }

// Clock is the server's clock, from samples of an exchange like that of NTP. Each sample bounds the offset by half of
// its round trip, and ages by what clocks drift. The narrowest bound counts. It says when the next sample is due, too:
// six at once at the start and after a wake, then one each 5 s for a minute, then one each 15 s.
type Clock struct {
	samples   []sample
	burstAt   float64
	burstLeft int
	due       float64
}

// NewClock returns a clock whose first samples are due now.
func NewClock(now float64) *Clock {
	c := &Clock{}
	c.Wake(now)
	return c
}

// Due says when the next request should be sent.
func (c *Clock) Due() float64 { return c.due }

// Wake asks for several samples at once: the machine may have slept, or the path has changed.
func (c *Clock) Wake(now float64) {
	if c.burstLeft > 0 && now-c.burstAt < burstSize*burstGap {
		return
	}
	c.burstAt, c.burstLeft, c.due = now, burstSize, now
}

// Sent notes that a request goes out.
func (c *Clock) Sent(now float64) {
	c.burstLeft = max(c.burstLeft-1, 0)
	gap := gapLater
	switch {
	case c.burstLeft > 0:
		gap = burstGap
	case now-c.burstAt < firstMinute:
		gap = gapInFirstMinute
	}
	c.due = now + gap
}

// Add takes an answer: sent at c0 and received at c3 by the client's clock, received at s1 and sent at s2 by the
// server's.
func (c *Clock) Add(c0, s1, s2, c3 float64) {
	delay := c3 - c0 - (s2 - s1)
	if sum := c0 + s1 + s2 + c3; math.IsNaN(sum) || math.IsInf(sum, 0) || s2 < s1 || delay < 0 {
		return
	}
	added := sample{offset: (s1 - c0 + (s2 - c3)) / 2, delay: delay, at: c3}
	before := c.lowestDelay()
	// A sample that contradicts older ones proves that a clock was set, or stood still while the machine slept.
	c.samples = slices.DeleteFunc(c.samples, func(old sample) bool {
		return c3-old.at > maxSampleAge ||
			math.Abs(old.offset-added.offset) > old.bound(c3)+added.bound(c3)+sampleSlack
	})
	c.samples = append(c.samples, added)
	if len(c.samples) > keptSamples {
		c.samples = c.samples[1:]
	}
	if c.lowestDelay() > before*1.5+10 {
		c.Wake(c3)
	}
}

// Read returns the best that is known; false before the first sample.
func (c *Clock) Read(now float64) (ClockReading, bool) {
	if len(c.samples) == 0 {
		return ClockReading{}, false
	}
	best := c.samples[0]
	for _, s := range c.samples[1:] {
		if s.bound(now) < best.bound(now) {
			best = s
		}
	}
	return ClockReading{Offset: best.offset, Uncertainty: best.bound(now), Delay: best.delay}, true
}

func (c *Clock) lowestDelay() float64 {
	lowest := math.Inf(1)
	for _, s := range c.samples {
		lowest = min(lowest, s.delay)
	}
	return lowest
}
