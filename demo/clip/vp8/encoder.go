package vp8

import (
	"bytes"
	"image"
)

// Encoder encodes pictures of one size, 4:2:0.
type Encoder struct {
	width, height int
	columns, rows int         // of macroblocks
	source        image.YCbCr // the picture before, in whole macroblocks
	decoded       image.YCbCr // what the decoder has of it
	steps         steps
	index         uint32
	above         []coded // which blocks of the macroblocks above have coefficients
	left          coded   // and of the one to the left
	blocks        []macroblock
}

// coded holds which blocks along an edge have coefficients: 4 of luma, 2 of each chroma, 1 of the first coefficients.
type coded [9]bool

type steps struct{ lumaDC, lumaAC, firstsDC, firstsAC, chromaDC, chromaAC int32 }

// NewEncoder takes a quantizer index from 0, the best, to 127.
func NewEncoder(width, height, index int) *Encoder {
	dc, ac := stepsDC[index], stepsAC[index]
	columns, rows := (width+15)/16, (height+15)/16
	whole := image.Rect(0, 0, 16*columns, 16*rows)
	return &Encoder{
		width: width, height: height, columns: columns, rows: rows, index: uint32(index),
		source:  *image.NewYCbCr(whole, image.YCbCrSubsampleRatio420),
		decoded: *image.NewYCbCr(whole, image.YCbCrSubsampleRatio420),
		steps: steps{
			lumaDC: dc, lumaAC: ac, firstsDC: 2 * dc, firstsAC: max(ac*155/100, 8), chromaDC: min(dc, 132), chromaAC: ac,
		},
		above: make([]coded, columns), blocks: make([]macroblock, columns*rows),
	}
}

// macroblock is what is written of one.
type macroblock struct {
	skipped bool
	firsts  block
	luma    [16]block
	chroma  [2][4]block
}

// Encode returns a frame. The first has to be a key frame. The picture has to cover whole macroblocks: beyond the size
// of the encoder its content does not matter.
func (e *Encoder) Encode(picture *image.YCbCr, isKey bool) []byte {
	skipped := 0
	for i := range e.blocks {
		e.macroblock(&e.blocks[i], picture, i%e.columns, i/e.columns, isKey)
		if e.blocks[i].skipped {
			skipped++
		}
	}
	copy(e.source.Y, picture.Y)
	copy(e.source.Cb, picture.Cb)
	copy(e.source.Cr, picture.Cr)

	header, tokens := newWriter(), newWriter()
	pSkip := uint8(min(max(256*(len(e.blocks)-skipped)/len(e.blocks), 1), 255))
	e.header(header, isKey, pSkip)
	clear(e.above)
	for i := range e.blocks {
		x, y := i%e.columns, i/e.columns
		if x == 0 {
			e.left = coded{}
		}
		header.bit(e.blocks[i].skipped, pSkip)
		if isKey {
			intraModes(header)
		} else {
			interModes(header, x, y)
		}
		e.write(tokens, &e.blocks[i], x)
	}
	return frame(header.close(), tokens.close(), isKey, e.width, e.height)
}

// Probabilities that a macroblock is predicted from its own frame, and that one which is not is so from the last frame.
const (
	pIntra = 1
	pLast  = 255
)

func (e *Encoder) header(w *writer, isKey bool, pSkip uint8) {
	if isKey {
		w.number(0, 2) // colour space, clamping
	}
	w.flag(false)        // no segments
	w.number(0, 1+6+3)   // no loop filter
	w.flag(false)        // nor adjustments of it
	w.number(0, 2)       // one partition of tokens
	w.number(e.index, 7) // quantizer
	w.number(0, 5)       // and no differences from it
	if isKey {
		w.flag(false) // probabilities are not kept: all are the defaults
	} else {
		w.number(0, 2+2+2+2) // golden and alternate frames stay as they are
		w.flag(false)        // probabilities
		w.flag(true)         // this frame becomes the last one
	}
	for i := range updateProbabilities {
		for j := range updateProbabilities[i] {
			for k := range updateProbabilities[i][j] {
				for _, p := range updateProbabilities[i][j][k] {
					w.bit(false, p)
				}
			}
		}
	}
	w.flag(true)
	w.number(uint32(pSkip), 8)
	if isKey {
		return
	}
	w.number(pIntra, 8)
	w.number(pLast, 8)
	w.number(128, 8)
	w.number(0, 2) // probabilities of modes stay
	for _, p := range motionUpdates {
		w.bit(false, p)
	}
}

// motionUpdates are the probabilities with which a frame says that one of motion changes (RFC 6386, 17.2).
var motionUpdates = [2 * 19]uint8{
	237, 246, 253, 253, 254, 254, 254, 254, 254, 254, 254, 254, 254, 254, 250, 250, 252, 254, 254,
	231, 243, 245, 253, 254, 254, 254, 254, 254, 254, 254, 254, 254, 254, 251, 251, 254, 254, 254,
}

// intraModes says that luma and chroma are predicted as flat, in a key frame (RFC 6386, 11.2).
func intraModes(w *writer) {
	w.bit(true, 145)
	w.bit(false, 156)
	w.bit(false, 163)
	w.bit(false, 142)
}

// interModes says that the macroblock is predicted from the last frame, at the same place (RFC 6386, 16.3).
func interModes(w *writer, x, y int) {
	w.bit(true, pIntra)
	w.bit(false, pLast)
	neighbours := 0 // all without motion
	if y > 0 {
		neighbours += 2
	}
	if x > 0 {
		neighbours += 2
	}
	if x > 0 && y > 0 {
		neighbours++
	}
	w.bit(false, [6]uint8{7, 14, 135, 60, 159, 234}[neighbours])
}

func (e *Encoder) write(w *writer, mb *macroblock, x int) {
	above, left := &e.above[x], &e.left
	if mb.skipped {
		*above, *left = coded{}, coded{}
		return
	}
	put := func(b *block, kind, column, row int) {
		has := w.tokens(b, kind, count(above[column])+count(left[row]))
		above[column], left[row] = has, has
	}
	put(&mb.firsts, lumaFirsts, 8, 8)
	for i := range mb.luma {
		put(&mb.luma[i], lumaRest, i%4, i/4)
	}
	for plane := range mb.chroma {
		for i := range mb.chroma[plane] {
			put(&mb.chroma[plane][i], chroma, 4+2*plane+i%2, 4+2*plane+i/2)
		}
	}
}

func count(has bool) int {
	if has {
		return 1
	}
	return 0
}

// macroblock predicts, transforms, and decodes as the decoder will.
func (e *Encoder) macroblock(mb *macroblock, picture *image.YCbCr, x, y int, isKey bool) {
	if !isKey && e.isSame(picture, x, y) {
		mb.skipped = true
		return
	}
	luma := plane{picture.Y, e.decoded.Y, e.decoded.YStride, 16 * x, 16 * y, 16}
	if isKey {
		luma.predictFlat()
	}
	var rest [16][16]float64
	var dcs [16]float64
	for i := range 16 {
		rest[i] = cosine.forward(luma.differences(i))
		dcs[i] = rest[i][0]
	}
	mb.firsts = quantize(hadamard.forward(&dcs), e.steps.firstsDC, e.steps.firstsAC)
	decodedFirsts := mb.firsts.times(e.steps.firstsDC, e.steps.firstsAC)
	decodedFirsts = decodedFirsts.inverseWalsh()
	nothing := mb.firsts.isZero()
	for i := range 16 {
		rest[i][0] = 0
		mb.luma[i] = quantize(rest[i], 1, e.steps.lumaAC)
		nothing = nothing && mb.luma[i].isZero()
		b := mb.luma[i].times(0, e.steps.lumaAC)
		b[0] = decodedFirsts[i]
		luma.add(i, b.inverse())
	}
	for p, c := range []plane{
		{picture.Cb, e.decoded.Cb, e.decoded.CStride, 8 * x, 8 * y, 8},
		{picture.Cr, e.decoded.Cr, e.decoded.CStride, 8 * x, 8 * y, 8},
	} {
		if isKey {
			c.predictFlat()
		}
		for i := range 4 {
			b := quantize(cosine.forward(c.differences(i)), e.steps.chromaDC, e.steps.chromaAC)
			nothing = nothing && b.isZero()
			mb.chroma[p][i] = b
			b = b.times(e.steps.chromaDC, e.steps.chromaAC)
			c.add(i, b.inverse())
		}
	}
	mb.skipped = nothing
}

func (e *Encoder) isSame(picture *image.YCbCr, x, y int) bool {
	return plane{picture.Y, e.source.Y, picture.YStride, 16 * x, 16 * y, 16}.isSame() &&
		plane{picture.Cb, e.source.Cb, picture.CStride, 8 * x, 8 * y, 8}.isSame() &&
		plane{picture.Cr, e.source.Cr, picture.CStride, 8 * x, 8 * y, 8}.isSame()
}

// plane is the part of a macroblock in one plane of two pictures.
type plane struct {
	source, decoded    []byte
	stride, x, y, size int
}

func (p plane) isSame() bool {
	for y := p.y; y < p.y+p.size; y++ {
		at := y*p.stride + p.x
		if !bytes.Equal(p.source[at:at+p.size], p.decoded[at:at+p.size]) {
			return false
		}
	}
	return true
}

// predictFlat fills the part with the mean of what is above and to the left (RFC 6386, 12.2).
func (p plane) predictFlat() {
	sum, n := 0, 0
	if p.y > 0 {
		for x := p.x; x < p.x+p.size; x++ {
			sum += int(p.decoded[(p.y-1)*p.stride+x])
		}
		n += p.size
	}
	if p.x > 0 {
		for y := p.y; y < p.y+p.size; y++ {
			sum += int(p.decoded[y*p.stride+p.x-1])
		}
		n += p.size
	}
	mean := byte(128)
	if n > 0 {
		mean = byte((sum + n/2) / n)
	}
	for y := p.y; y < p.y+p.size; y++ {
		for x := p.x; x < p.x+p.size; x++ {
			p.decoded[y*p.stride+x] = mean
		}
	}
}

func (p plane) offset(i int) int {
	columns := p.size / 4
	return (p.y+i/columns*4)*p.stride + p.x + i%columns*4
}

// differences of the source from what is decoded, in one block.
func (p plane) differences(i int) *[16]float64 {
	var out [16]float64
	at := p.offset(i)
	for k := range 16 {
		here := at + k/4*p.stride + k%4
		out[k] = float64(p.source[here]) - float64(p.decoded[here])
	}
	return &out
}

func (p plane) add(i int, b block) {
	at := p.offset(i)
	for k, value := range b {
		here := at + k/4*p.stride + k%4
		p.decoded[here] = byte(min(max(int32(p.decoded[here])+value, 0), 255))
	}
}

// frame puts the parts together (RFC 6386, 9.1).
func frame(header, tokens []byte, isKey bool, width, height int) []byte {
	const shown = 1 << 4
	tag := uint32(shown | len(header)<<5)
	if !isKey {
		tag |= 1
	}
	out := []byte{byte(tag), byte(tag >> 8), byte(tag >> 16)}
	if isKey {
		out = append(out, 0x9d, 0x01, 0x2a, byte(width), byte(width>>8), byte(height), byte(height>>8))
	}
	return append(append(out, header...), tokens...)
}
