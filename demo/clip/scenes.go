package clip

import (
	"math"
	"math/rand/v2"
)

// scene is what a clip shows. Its background is drawn once, the rest in each frame.
type scene struct {
	background func(canvas)
	draw       func(c canvas, seconds float64)
}

// rise goes from 0 to 1 in a clip, slowly at both ends.
func rise(seconds float64) float64 { return (1 - math.Cos(math.Pi*seconds/Seconds)) / 2 }

func moonScene() scene {
	night, horizon := rgb(0x0b1026), rgb(0x3b3a6b)
	moon, shadow := rgb(0xf3e6b3), rgb(0xd9c484)
	return scene{
		background: func(c canvas) {
			c.shade(0, 304, night, horizon)
			random := rand.New(rand.NewPCG(1902, 9)) //nolint:gosec // stars
			for range 70 {
				x, y := random.IntN(Width/2)*2, random.IntN(130)*2
				c.rect(x, y, 2, 2, mix(horizon, rgb(0xffffff), 0.4+0.6*random.Float64()))
			}
			c.disc(500, 130, 84, moon)
			for _, crater := range [][3]float64{{470, 95, 12}, {530, 90, 9}, {545, 150, 14}, {485, 185, 10}} {
				c.disc(crater[0], crater[1], crater[2], shadow)
			}
			c.disc(475, 128, 9, night) // eyes and mouth
			c.disc(520, 124, 9, night)
			c.disc(498, 168, 16, night)
			c.disc(498, 160, 16, moon)
			c.rect(0, 304, Width, canvasHeight-304, rgb(0x14142e))
			for i := range 9 { // roofs
				x := float64(i*78 - 20)
				c.polygon(rgb(0x14142e), point{x, 306}, point{x + 36, 280 - float64(i%3)*8}, point{x + 72, 306})
			}
		},
		draw: func(c canvas, seconds float64) {
			part := rise(seconds)
			x, y := 70+part*360, 262-part*126-70*math.Sin(math.Pi*part)
			c.polygon(rgb(0xc9ced9), point{x - 26, y + 4}, point{x - 22, y - 8}, point{x + 12, y - 10}, point{x + 26, y},
				point{x + 12, y + 12}, point{x - 22, y + 12})
			c.disc(x+4, y, 5, night)
			if int(seconds*8)%2 == 0 {
				c.polygon(rgb(0xff9d3b), point{x - 26, y - 6}, point{x - 26, y + 10}, point{x - 44, y + 2})
			}
		},
	}
}

func trainScene() scene {
	dusk, glow := rgb(0x5b3758), rgb(0xf0a35e)
	return scene{
		background: func(c canvas) {
			c.shade(0, 240, dusk, glow)
			c.disc(232, 206, 46, rgb(0xffe0a0))
			for i, height := range []float64{60, 92, 70, 104, 64} {
				x := float64(i*150 - 60)
				c.polygon(rgb(0x6f4460), point{x, 244}, point{x + 95, 244 - height}, point{x + 190, 244})
			}
			c.rect(0, 240, Width, canvasHeight-240, rgb(0x3d2b3f))
			c.rect(0, 300, Width, 5, rgb(0xa88b74))
			for x := 6; x < Width; x += 26 {
				c.rect(x, 305, 12, 6, rgb(0x241a28))
			}
		},
		draw: func(c canvas, seconds float64) {
			const length = 230
			x := -length + rise(seconds)*(Width+length)
			at := int(x) / 2 * 2
			iron, brass := rgb(0x1d1b22), rgb(0xc8963e)
			for puff := range 4 {
				age := math.Mod(seconds*0.7+float64(puff)/4, 1)
				c.disc(x+190-90*age, 214-56*age, 6+14*age, mix(rgb(0xfff3e2), dusk, 0.2+0.6*age))
			}
			c.rect(at+60, 248, 130, 34, iron)         // boiler
			c.rect(at+30, 226, 46, 56, iron)          // cab
			c.rect(at+38, 234, 24, 18, glow)          // its window
			c.rect(at+180, 222, 16, 28, iron)         // chimney
			c.rect(at+60, 262, 130, 4, brass)         // band
			c.rect(at-70, 244, 88, 38, rgb(0x5a2e2a)) // tender
			c.rect(at+12, 274, 24, 5, iron)
			for wheel, radius := range []float64{13, 13, 17, 17, 11} {
				wx := x + []float64{-52, 0, 68, 112, 166}[wheel]
				c.disc(wx, 300-radius, radius, iron)
				angle := x / radius
				c.disc(wx+math.Cos(angle)*radius*0.6, 300-radius+math.Sin(angle)*radius*0.6, 4, brass)
			}
		},
	}
}

func cityScene() scene {
	type tower struct{ x, width, height int }
	towers := []tower{
		{0, 64, 130}, {48, 80, 188}, {128, 64, 112}, {176, 96, 232}, {272, 64, 150},
		{320, 112, 262}, {432, 64, 174}, {480, 96, 210}, {560, 80, 140},
	}
	lit, dark := rgb(0xf6d76b), rgb(0x1c2735)
	window := func(c canvas, t tower, column, row int, i ink) {
		c.rect(t.x+10+column*16, 304-t.height+12+row*16, 6, 8, i)
	}
	return scene{
		background: func(c canvas) {
			c.shade(0, 304, rgb(0x10202e), rgb(0x6d8a93))
			c.disc(262, 62, 26, rgb(0xdfe8e4))
			for n, t := range towers {
				c.rect(t.x, 304-t.height, t.width, t.height, mix(rgb(0x22303f), rgb(0x35485a), float64(n%3)/2))
				for row := range (t.height - 16) / 16 {
					for column := range (t.width - 12) / 16 {
						window(c, t, column, row, dark)
					}
				}
			}
			c.rect(0, 304, Width, canvasHeight-304, rgb(0x0d141c))
			c.rect(0, 196, Width, 6, rgb(0x0d141c)) // the line of the tram
		},
		draw: func(c canvas, seconds float64) {
			random := rand.New(rand.NewPCG(1927, 26)) //nolint:gosec // windows
			for _, t := range towers {
				for row := range (t.height - 16) / 16 {
					for column := range (t.width - 12) / 16 {
						on, off := random.Float64()*Seconds, 20+random.Float64()*Seconds
						above := 304 - t.height + 12 + row*16
						if seconds > on && seconds < off && (above > 206 || above < 176) {
							window(c, t, column, row, lit)
						}
					}
				}
			}
			x := int(rise(seconds)*(Width+120))/2*2 - 120
			c.rect(x, 178, 96, 18, rgb(0xb4452f))
			for i := range 5 {
				c.rect(x+8+i*18, 182, 10, 7, lit)
			}
			plane := Width + 40 - int(seconds*14)/2*2
			c.rect(plane, 40, 30, 4, rgb(0xdfe8e4))
			c.rect(plane+8, 34, 6, 16, rgb(0xdfe8e4))
		},
	}
}
