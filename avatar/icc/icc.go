// Package icc writes ICC profiles (ICC.1:2022): small ones that say what a picture's header says in a form that libvips
// reads.
package icc

import (
	"bytes"
	"encoding/binary"
	"math"
)

// Profile is a profile without its description and its white point, which is that of the connection space.
type Profile struct {
	Version byte   // 2 or 4
	Space   string // of the picture: RGB, GRAY or CMYK
	PCS     string // XYZ or Lab
	Tags    []Tag
}

// Tag is a named part of a profile: the signature of its type, and its data.
type Tag struct {
	Name string
	Data []byte
}

// D50 is the white of the profile connection space, in XYZ.
var D50 = [3]float64{0.96420, 1, 0.82491}

// Bytes returns the profile in the form that pictures embed.
func (p Profile) Bytes() []byte {
	be := binary.BigEndian
	tags := append([]Tag{{"desc", description(p.Version)}, {"wtpt", XYZ(D50)}}, p.Tags...)
	table := be.AppendUint32(nil, uint32(len(tags)))
	var data []byte
	start := 128 + 4 + 12*len(tags)
	for _, tag := range tags {
		table = be.AppendUint32(append(table, tag.Name...), uint32(start+len(data)))
		table = be.AppendUint32(table, uint32(len(tag.Data)))
		data = append(data, tag.Data...)
		data = append(data, make([]byte, -len(data)&3)...)
	}
	header := make([]byte, 128)
	be.PutUint32(header, uint32(start+len(data)))
	header[8], header[9] = p.Version, 0x40
	copy(header[12:], "mntr"+(p.Space + " ")[:4]+(p.PCS + " ")[:4])
	copy(header[36:], "acsp")
	copy(header[68:], XYZ(D50)[8:])
	return bytes.Join([][]byte{header, table, data}, nil)
}

// description returns an empty description, since nobody reads it.
func description(version byte) []byte {
	if version == 4 {
		one := []byte("mluc\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x0cenUS\x00\x00\x00\x02\x00\x00\x00\x1c")
		return append(one, 0, '-')
	}
	return append([]byte("desc\x00\x00\x00\x00\x00\x00\x00\x02-\x00"), make([]byte, 78)...)
}

// XYZ returns the data of a colour tag.
func XYZ(v [3]float64) []byte {
	b := []byte("XYZ \x00\x00\x00\x00")
	for _, x := range v {
		b = Fixed(b, x)
	}
	return b
}

// Fixed appends an s15Fixed16Number.
func Fixed(b []byte, x float64) []byte {
	return binary.BigEndian.AppendUint32(b, uint32(int32(math.Round(x*65536))))
}

// Curve maps stored values to linear light, both from 0 to 1: (A·x + B)^G from D on, and C·x below.
type Curve struct{ G, A, B, C, D float64 }

// Gamma returns a curve that is a power.
func Gamma(power float64) Curve { return Curve{G: power, A: 1} }

// SRGB is the curve of sRGB.
var SRGB = Curve{2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045}

// Tag returns the curve as a parametric one.
func (c Curve) Tag() []byte {
	data := []byte("para\x00\x00\x00\x00\x00\x03\x00\x00")
	for _, x := range []float64{c.G, c.A, c.B, c.C, c.D} {
		data = Fixed(data, x)
	}
	return data
}

// Sampled returns the tag of a curve without a simple form.
func Sampled(curve func(float64) float64) []byte {
	const samples = 4096
	data := binary.BigEndian.AppendUint32([]byte("curv\x00\x00\x00\x00"), samples)
	for i := range samples {
		light := min(max(curve(float64(i)/(samples-1)), 0), 1)
		data = binary.BigEndian.AppendUint16(data, uint16(math.Round(light*math.MaxUint16)))
	}
	return data
}

// Grey returns the profile of a grey picture with a curve's tag.
func Grey(curve []byte) []byte {
	return Profile{4, "GRAY", "XYZ", []Tag{{"kTRC", curve}}}.Bytes()
}

// Primaries are the chromaticities of red, green, blue and white, x and y of each.
type Primaries [4][2]float64

// RGB returns the profile of a picture with three primaries and a curve's tag. It returns nil if the primaries span no
// colours.
func RGB(p Primaries, curve []byte) []byte {
	m, ok := p.toD50()
	if !ok {
		return nil
	}
	column := func(i int) []byte { return XYZ([3]float64{m[0][i], m[1][i], m[2][i]}) }
	return Profile{4, "RGB", "XYZ", []Tag{
		{"rXYZ", column(0)}, {"gXYZ", column(1)}, {"bXYZ", column(2)}, {"rTRC", curve}, {"gTRC", curve}, {"bTRC", curve},
	}}.Bytes()
}

type matrix [3][3]float64

// toD50 returns the matrix from linear RGB to the XYZ of the connection space: the primaries, scaled to add up to the
// white, adapted by Bradford's transform (ICC.1:2022, annex E).
func (p Primaries) toD50() (matrix, bool) {
	var colours matrix
	for i, xy := range p[:3] {
		colours[0][i], colours[1][i], colours[2][i] = xy[0], xy[1], 1-xy[0]-xy[1]
	}
	inverse, ok := colours.inverse()
	if !ok || p[3][1] < 1e-6 {
		return matrix{}, false
	}
	white := [3]float64{p[3][0] / p[3][1], 1, (1 - p[3][0] - p[3][1]) / p[3][1]}
	toXYZ := colours.times(diagonal(inverse.of(white)))
	from, to := bradford.of(white), bradford.of(D50)
	back, _ := bradford.inverse()
	if from[0] == 0 || from[1] == 0 || from[2] == 0 {
		return matrix{}, false
	}
	adapt := back.times(diagonal([3]float64{to[0] / from[0], to[1] / from[1], to[2] / from[2]})).times(bradford)
	return adapt.times(toXYZ), true
}

var bradford = matrix{{0.8951, 0.2664, -0.1614}, {-0.7502, 1.7135, 0.0367}, {0.0389, -0.0685, 1.0296}}

func diagonal(v [3]float64) matrix { return matrix{{v[0]}, {0, v[1]}, {0, 0, v[2]}} }

func (m matrix) of(v [3]float64) (r [3]float64) {
	for i, row := range m {
		r[i] = row[0]*v[0] + row[1]*v[1] + row[2]*v[2]
	}
	return r
}

func (m matrix) times(n matrix) (r matrix) {
	for j := range 3 {
		column := m.of([3]float64{n[0][j], n[1][j], n[2][j]})
		r[0][j], r[1][j], r[2][j] = column[0], column[1], column[2]
	}
	return r
}

func (m matrix) inverse() (r matrix, ok bool) {
	for i := range 3 {
		a, b := (i+1)%3, (i+2)%3
		for j := range 3 {
			c, d := (j+1)%3, (j+2)%3
			r[j][i] = m[a][c]*m[b][d] - m[a][d]*m[b][c]
		}
	}
	determinant := m[0][0]*r[0][0] + m[0][1]*r[1][0] + m[0][2]*r[2][0]
	if math.Abs(determinant) < 1e-9 {
		return matrix{}, false
	}
	for i := range 3 {
		for j := range 3 {
			r[i][j] /= determinant
		}
	}
	return r, true
}
