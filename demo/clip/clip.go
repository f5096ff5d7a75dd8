package clip

import (
	"fmt"

	"github.com/watchparty/watchparty/demo/clip/vorbis"
	"github.com/watchparty/watchparty/demo/clip/vp8"
	"github.com/watchparty/watchparty/demo/clip/webm"
)

// Length of the clips.
const (
	Seconds         = 60
	FramesPerSecond = 24
	Frames          = Seconds * FramesPerSecond
)

const (
	quantizer    = 60
	keyFrameGap  = 4 * FramesPerSecond // frames that a player that seeks has to decode at most
	milliseconds = 1000                // in a second
)

// Clip is one of the clips.
type Clip struct {
	Name   string // of its file, without .webm
	Title  string
	number int
	scene  scene
	melody melody
}

// Clips returns all, in the order of the numbers in their bars.
func Clips() []Clip {
	return []Clip{
		{"moon", "A Trip to the Moon", 0, moonScene(), melody{220, []int{0, 3, 5, 7, 10, 12, 15}}},
		{"train", "The General", 1, trainScene(), melody{196, []int{0, 2, 4, 7, 9, 12, 14}}},
		{"city", "Metropolis", 2, cityScene(), melody{174.6, []int{0, 2, 3, 7, 8, 12, 14}}},
	}
}

// Encode draws and encodes the clip. That takes about a second.
func (c Clip) Encode() []byte {
	sound := vorbis.Encode(c.melody.samples(), sampleRate)
	file := webm.File{
		Title: c.Title, Duration: Seconds * milliseconds, Width: Width, Height: Height, Video: c.frames(),
		Rate: sampleRate, AudioHeaders: sound.Headers,
	}
	for i, packet := range sound.Packets {
		at := max(i-1, 0) * vorbis.Hop * milliseconds / sampleRate // the first one yields no samples
		file.Audio = append(file.Audio, webm.Block{Time: at, IsKey: true, Data: packet})
	}
	return file.Encode()
}

func (c Clip) frames() []webm.Block {
	encoder := vp8.NewEncoder(Width, Height, quantizer)
	background, picture := newCanvas(), newCanvas()
	c.scene.background(background)
	frames := make([]webm.Block, 0, Frames)
	for n := range Frames {
		picture.copyFrom(background)
		c.scene.draw(picture, float64(n/2)/(FramesPerSecond/2)) // the scene moves with each second frame
		c.label(picture, n)
		isKey := n%keyFrameGap == 0
		frames = append(frames, webm.Block{
			Time: (n*milliseconds + FramesPerSecond/2) / FramesPerSecond, IsKey: isKey,
			Data: encoder.Encode(picture.YCbCr, isKey),
		})
	}
	return frames
}

// label writes the time and the number of the frame, and draws the bars.
func (c Clip) label(picture canvas, n int) {
	white, dim := rgb(0xffffff), rgb(0xb9c0cc)
	seconds := n / FramesPerSecond
	picture.text(24, 24, 4, fmt.Sprintf("%d:%02d", seconds/60, seconds%60), white)
	picture.text(24, 64, 4, fmt.Sprintf("%04d", n), dim)
	picture.rect(0, barsY-2, Width, canvasHeight-barsY+2, shades[0])
	picture.bars(c.number, n)
}
