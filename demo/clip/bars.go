package clip

import "fmt"

// The bars: 16 cells in a row, white for 1 and black for 0. The first is white and the second black; two have the
// number of the clip; the others have the number of the frame in Gray code, of which one cell changes from frame to
// frame, and a cell that makes the number of white ones even.
const (
	barsX      = 64
	barsY      = 336
	barWidth   = 32
	barHeight  = 16
	bars       = 16
	clipBits   = 2
	numberBits = bars - 2 - clipBits - 1
)

// pattern returns the cells of a frame, the first in the lowest bit.
func pattern(clip, frame int) uint32 {
	cells := uint32(1) | uint32(clip)<<2 | uint32(frame^frame>>1)<<(2+clipBits)
	parity := uint32(0)
	for rest := cells; rest != 0; rest >>= 1 {
		parity ^= rest & 1
	}
	return cells | parity<<(bars-1)
}

func (c canvas) bars(clip, frame int) {
	cells := pattern(clip, frame)
	for i := range bars {
		c.rect(barsX+i*barWidth, barsY, barWidth, barHeight, shades[cells>>i&1])
	}
}

var shades = [2]ink{rgb(0x000000), rgb(0xffffff)}

// Script is a function in JavaScript that takes a video and returns {clip, frame} as its pixels have it now, or null
// when they have no bars. Its clip counts from 0.
var Script = fmt.Sprintf(`(video) => {
	const canvas = new OffscreenCanvas(%d, 1);
	const context = canvas.getContext('2d', { willReadFrequently: true });
	const scale = video.videoWidth / %d;
	context.drawImage(video, %d * scale, %d * scale, %d * scale, 1, 0, 0, %d, 1);
	const { data } = context.getImageData(0, 0, %d, 1);
	let cells = 0;
	let sum = 0;
	for (let i = 0; i < %d; i++) {
		const light = data[4 * i];
		if (light > 80 && light < 176) return null;
		if (light >= 176) { cells |= 1 << i; sum++; }
	}
	if (!(cells & 1) || cells & 2 || sum %% 2) return null;
	let frame = 0;
	for (let code = cells >> %d & %d; code; code >>= 1) frame ^= code;
	return { clip: cells >> 2 & %d, frame };
}`, bars, Width, barsX, barsY+barHeight/2, bars*barWidth, bars, bars, bars, 2+clipBits, 1<<numberBits-1, 1<<clipBits-1)
