package live

import "time"

const (
	// samplesKept is how many measurements are compared.
	samplesKept = 8
	// driftLimit is the largest drift between two clocks, by which the doubt about a measurement grows with its age.
	driftLimit = 50e-6
	// slewLimit is how fast the offset changes, in seconds per second, so that a client sees no jump.
	slewLimit = 5e-3
	// stepLimit is the difference from which on it is no error of measurement: the clock was set, or is that of another
	// server.
	stepLimit = 250 * time.Millisecond
)

// sample is one measurement of another clock. Instants of this process are counted from its start by its monotonic
// clock.
type sample struct {
	at     time.Duration // when it was measured
	offset time.Duration // the other clock's time, less this process'
	trip   time.Duration // how long the question and the answer took: the offset is wrong by half of it at most
}

// newSample returns the measurement of a clock that told its time between two instants of this process.
func newSample(asked, answered, told time.Duration) sample {
	middle := asked + (answered-asked)/2
	return sample{at: answered, offset: told - middle, trip: answered - asked}
}

// doubt returns the largest error of the sample's offset at an instant.
func (s sample) doubt(at time.Duration) time.Duration {
	return s.trip/2 + time.Duration(driftLimit*float64(at-s.at))
}

// offset is the difference that is added to this process' clock. The zero value is unset.
type offset struct {
	samples []sample // the latest, at most samplesKept, the oldest first
	from    time.Duration
	since   time.Duration // from when on it moves from from to target
	target  time.Duration
}

// add takes a measurement, and reports whether the offset has jumped by it. The first measurement is no jump.
func (o *offset) add(s sample) (jumped bool) {
	first := len(o.samples) == 0
	if !first {
		known := o.best(s.at)
		jumped = (s.offset - known.offset).Abs() > stepLimit+s.doubt(s.at)+known.doubt(s.at)
	}
	if jumped {
		o.samples = nil // they measured the former clock
	}
	o.samples = append(o.samples, s)
	o.samples = o.samples[max(len(o.samples)-samplesKept, 0):]
	now := o.value(s.at)
	o.target = o.best(s.at).offset
	if first || jumped || (o.target-now).Abs() > stepLimit {
		jumped = jumped || !first
		o.from, o.since = o.target, s.at
		return jumped
	}
	o.from, o.since = now, s.at
	return false
}

// best is the sample that is the least doubtful at an instant.
func (o *offset) best(at time.Duration) sample {
	best := o.samples[0]
	for _, s := range o.samples[1:] {
		if s.doubt(at) <= best.doubt(at) {
			best = s
		}
	}
	return best
}

// value is the offset at an instant.
func (o *offset) value(at time.Duration) time.Duration {
	way, most := o.target-o.from, time.Duration(slewLimit*float64(max(at-o.since, 0)))
	return o.from + min(max(way, -most), most)
}

// known reports whether there was a measurement.
func (o *offset) known() bool { return len(o.samples) > 0 }
