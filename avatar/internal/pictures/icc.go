package pictures

import (
	"bytes"
	"encoding/binary"
	"math"

	"github.com/watchparty/watchparty/avatar/icc"
)

// Gamma is a tone curve with a power, as u8Fixed8.
func Gamma(power float64) []byte {
	curve := binary.BigEndian.AppendUint16([]byte("curv\x00\x00\x00\x00\x00\x00\x00\x01"), uint16(math.Round(power*256)))
	return append(curve, 0, 0)
}

// Matrix is an RGB profile with three primaries, adapted to D50, and one tone curve.
func Matrix(version byte, red, green, blue [3]float64, curve []byte) []byte {
	return icc.Profile{Version: version, Space: "RGB", PCS: "XYZ", Tags: []icc.Tag{
		{Name: "rXYZ", Data: icc.XYZ(red)}, {Name: "gXYZ", Data: icc.XYZ(green)}, {Name: "bXYZ", Data: icc.XYZ(blue)},
		{Name: "rTRC", Data: curve}, {Name: "gTRC", Data: curve}, {Name: "bTRC", Data: curve},
	}}.Bytes()
}

// Grey is a profile with a tone curve alone.
func Grey(version byte, curve []byte) []byte {
	return icc.Profile{Version: version, Space: "GRAY", PCS: "XYZ", Tags: []icc.Tag{{Name: "kTRC", Data: curve}}}.Bytes()
}

// TableProfile is a profile of version 2 with a lookup table for each of the named tags (A2B0 is that of the perceptual
// intent, A2B1 that of the relative one). colour returns the colour in sRGB for device values from 0 to 1.
func TableProfile(space string, colours map[string]func(device []float64) [3]float64) []byte {
	p := icc.Profile{Version: 2, Space: space, PCS: "Lab"}
	for _, name := range []string{"A2B0", "A2B1", "A2B2"} {
		if colour := colours[name]; colour != nil {
			p.Tags = append(p.Tags, icc.Tag{Name: name, Data: table16(len(space), colour)})
		}
	}
	return p.Bytes()
}

// table16 is an mft2 without curves: a grid from device values to Lab.
func table16(channels int, colour func([]float64) [3]float64) []byte {
	be := binary.BigEndian
	grid := map[int]int{1: 33, 3: 17, 4: 9}[channels]
	b := append([]byte("mft2\x00\x00\x00\x00"), byte(channels), 3, byte(grid), 0)
	for i := range 9 {
		b = icc.Fixed(b, map[bool]float64{true: 1}[i%4 == 0])
	}
	b = be.AppendUint16(be.AppendUint16(b, 2), 2)
	for range channels {
		b = append(b, 0, 0, 0xff, 0xff)
	}
	device := make([]float64, channels)
	var fill func(channel int)
	fill = func(channel int) {
		if channel == channels {
			lab := labD50(colour(device))
			b = be.AppendUint16(b, uint16(math.Round(lab[0]/100*0xff00)))
			b = be.AppendUint16(b, uint16(math.Round((lab[1]+128)*256)))
			b = be.AppendUint16(b, uint16(math.Round((lab[2]+128)*256)))
			return
		}
		for i := range grid {
			device[channel] = float64(i) / float64(grid-1)
			fill(channel + 1)
		}
	}
	fill(0)
	for range 3 {
		b = append(b, 0, 0, 0xff, 0xff)
	}
	return b
}

// CurvesAndMatrix is a profile of version 4 that has only an mAB of curves and a matrix, like XYB's: red, green and
// blue are stored in another order.
func CurvesAndMatrix() []byte {
	b := append([]byte("mAB \x00\x00\x00\x00"), 3, 3, 0, 0)
	curve, linear := icc.SRGB.Tag(), []byte("para\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00")
	const header = 32
	bCurves := header
	matrix := bCurves + 3*len(linear)
	mCurves := matrix + 12*4
	for _, offset := range []int{bCurves, matrix, mCurves, 0, 0} {
		b = binary.BigEndian.AppendUint32(b, uint32(offset))
	}
	b = append(b, bytes.Repeat(linear, 3)...)
	// Columns for green, blue and red; XYZ is stored halved, as 1 + 32767/32768 is its largest number.
	for row := range 3 {
		for _, primary := range [][3]float64{SRGBGreen, SRGBBlue, SRGBRed} {
			b = icc.Fixed(b, primary[row]/(1+32767.0/32768))
		}
	}
	b = append(append(b, make([]byte, 12)...), bytes.Repeat(curve, 3)...)
	return icc.Profile{Version: 4, Space: "RGB", PCS: "XYZ", Tags: []icc.Tag{{Name: "A2B0", Data: b}}}.Bytes()
}

// The primaries of sRGB and Display P3, adapted to D50.
var (
	SRGBRed   = [3]float64{0.43607, 0.22249, 0.01392}
	SRGBGreen = [3]float64{0.38515, 0.71687, 0.09708}
	SRGBBlue  = [3]float64{0.14307, 0.06061, 0.71410}
	P3Red     = [3]float64{0.51512, 0.24120, -0.00105}
	P3Green   = [3]float64{0.29198, 0.69225, 0.04189}
	P3Blue    = [3]float64{0.15710, 0.06657, 0.78407}
)

// labD50 converts a colour of sRGB, with parts from 0 to 1, to the Lab of the profile connection space.
func labD50(c [3]float64) [3]float64 {
	var xyz [3]float64
	for i, primary := range [][3]float64{SRGBRed, SRGBGreen, SRGBBlue} {
		v := c[i]
		if v > 0.04045 {
			v = math.Pow((v+0.055)/1.055, 2.4)
		} else {
			v /= 12.92
		}
		for j := range xyz {
			xyz[j] += v * primary[j]
		}
	}
	f := func(i int) float64 {
		t := xyz[i] / icc.D50[i]
		if t > 216.0/24389 {
			return math.Cbrt(t)
		}
		return (24389.0/27*t + 16) / 116
	}
	return [3]float64{116*f(1) - 16, 500 * (f(0) - f(1)), 200 * (f(1) - f(2))}
}
