package vp8

import "math"

// block holds the coefficients or the differences of 4 × 4 samples, by rows.
type block [16]int32

// The inverse transforms are exact (RFC 6386, 14.3 and 14.4): the decoder's pictures are the base of the next ones.
// The forward ones are their transposes, in floating point.

const (
	sin = 35468 // √2 sin(π/8) in 65536ths
	cos = 20091 // √2 cos(π/8) − 1
)

// inverse adds the differences that the coefficients stand for.
func (b *block) inverse() block {
	var m, out block
	for i := range 4 {
		m[i], m[4+i], m[8+i], m[12+i] = butterfly(b[i], b[4+i], b[8+i], b[12+i])
	}
	for y := range 4 {
		p, q, r, s := butterfly(m[4*y], m[4*y+1], m[4*y+2], m[4*y+3])
		out[4*y], out[4*y+1], out[4*y+2], out[4*y+3] = (p+4)>>3, (q+4)>>3, (r+4)>>3, (s+4)>>3
	}
	return out
}

func butterfly(i0, i1, i2, i3 int32) (o0, o1, o2, o3 int32) {
	a, b := i0+i2, i0-i2
	c := i1*sin>>16 - (i3 + i3*cos>>16)
	d := i1 + i1*cos>>16 + i3*sin>>16
	return a + d, b + c, b - c, a - d
}

// inverseWalsh yields the first coefficients of the 16 blocks of a macroblock.
func (b *block) inverseWalsh() block {
	var m, out block
	for i := range 4 {
		m[i], m[4+i], m[8+i], m[12+i] = walsh(b[i], b[4+i], b[8+i], b[12+i])
	}
	for y := range 4 {
		p, q, r, s := walsh(m[4*y], m[4*y+1], m[4*y+2], m[4*y+3])
		out[4*y], out[4*y+1], out[4*y+2], out[4*y+3] = (p+3)>>3, (q+3)>>3, (r+3)>>3, (s+3)>>3
	}
	return out
}

func walsh(i0, i1, i2, i3 int32) (o0, o1, o2, o3 int32) {
	a, b, c, d := i0+i3, i1+i2, i1-i2, i0-i3
	return a + b, c + d, a - b, d - c
}

type matrix [4][4]float64

// bases of the inverse transforms, by input and output.
var (
	cosine = matrix{
		{1, 1, 1, 1},
		{math.Sqrt2 * math.Cos(math.Pi/8), math.Sqrt2 * math.Sin(math.Pi/8), -math.Sqrt2 * math.Sin(math.Pi/8),
			-math.Sqrt2 * math.Cos(math.Pi/8)},
		{1, -1, -1, 1},
		{math.Sqrt2 * math.Sin(math.Pi/8), -math.Sqrt2 * math.Cos(math.Pi/8), math.Sqrt2 * math.Cos(math.Pi/8),
			-math.Sqrt2 * math.Sin(math.Pi/8)},
	}
	hadamard = matrix{{1, 1, 1, 1}, {1, 1, -1, -1}, {1, -1, -1, 1}, {1, -1, 1, -1}}
)

// forward finds the coefficients of differences, not quantized.
func (m *matrix) forward(in *[16]float64) [16]float64 {
	var rows, out [16]float64
	for y := range 4 {
		for k := range 4 {
			for x := range 4 {
				rows[4*y+k] += in[4*y+x] * m[k][x]
			}
		}
	}
	for k := range 4 {
		for x := range 4 {
			for y := range 4 {
				out[4*k+x] += rows[4*y+x] * m[k][y] / 2
			}
		}
	}
	return out
}

// quantize divides by the steps. What is nearly nothing becomes nothing.
func quantize(in [16]float64, dc, ac int32) block {
	var out block
	for i, value := range in {
		step := float64(ac)
		if i == 0 {
			step = float64(dc)
		}
		out[i] = int32(min(max(math.Trunc(value/step+math.Copysign(0.4, value)), -2047), 2047))
	}
	return out
}

func (b block) times(dc, ac int32) block {
	b[0] *= dc
	for i := 1; i < 16; i++ {
		b[i] *= ac
	}
	return b
}

func (b block) isZero() bool { return b == block{} }
