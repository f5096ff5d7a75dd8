package clip

import "math"

const sampleRate = 24_000

// melody is a scale in semitones above a note.
type melody struct {
	base  float64 // Hz
	steps []int
}

// samples plays the melody, a note each half second, and a short tone on each full second: somebody who hears two
// players hears by it whether they are together.
func (m melody) samples() []float64 {
	out := make([]float64, Seconds*sampleRate)
	for i := range 2 * Seconds {
		step := m.steps[(i*5+i/8*3)%len(m.steps)]
		m.note(out, float64(i)/2, m.base*math.Pow(2, float64(step)/12), 0.14, 0.9)
	}
	for second := range Seconds {
		m.note(out, float64(second), 1760, 0.1, 0.06)
	}
	return out
}

// note adds a tone that begins softly and dies away.
func (melody) note(out []float64, start, frequency, loudness, length float64) {
	first := int(start * sampleRate)
	for n := range int(length * sampleRate) {
		if first+n >= len(out) {
			return
		}
		t := float64(n) / sampleRate
		envelope := min(t/0.008, 1) * math.Exp(-4*t/length) * min((length-t)/0.01, 1)
		out[first+n] += loudness * envelope * math.Sin(2*math.Pi*frequency*t)
	}
}
