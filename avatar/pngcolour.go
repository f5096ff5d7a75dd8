package avatar

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"hash/crc32"
	"io"
	"math"

	"github.com/watchparty/watchparty/avatar/icc"
)

// meaning says how a picture's values are to be read, beside an embedded profile.
type meaning struct {
	// profile replaces an embedded profile; empty if there is none.
	profile []byte
	// plain: the values are sRGB, whatever profile is embedded.
	plain bool
}

// meaningOfPNG reads the chunks about colour that libvips ignores. libpng gives libvips no RGB profile for a grey
// picture, no profile after an sRGB chunk, and the last one of several. By the PNG specification (third edition, 4.3),
// cICP comes before an embedded profile, the profile before sRGB, and sRGB before gAMA with cHRM. Unknown and broken
// chunks count as missing. Like browsers, it ignores cHRM without gAMA.
func meaningOfPNG(data []byte) meaning {
	chunks := colourChunks(data)
	grey := len(data) > 25 && data[25]&2 == 0 // by the header's colour type
	if c := chunks["cICP"]; len(c) == 4 && c[2] == 0 {
		primaries, transfer := codedPrimaries[c[0]], codedTransfer(c[1])
		switch {
		case c[0] == 1 && c[1] == 13:
			return meaning{plain: true}
		case transfer != nil && primaries != icc.Primaries{}:
			return meaning{profile: profileOf(grey, primaries, transfer)}
		}
	}
	if profile := embeddedProfile(chunks["iCCP"]); profile != nil {
		return meaning{profile: profile}
	}
	gamma := chunks["gAMA"]
	if chunks["sRGB"] != nil || len(gamma) != 4 || binary.BigEndian.Uint32(gamma) == 0 {
		return meaning{plain: true}
	}
	curve := icc.Gamma(100_000 / float64(binary.BigEndian.Uint32(gamma)))
	primaries := codedPrimaries[1]
	if c := chunks["cHRM"]; len(c) == 32 { // white, red, green, blue
		for i := range 4 {
			for j := range 2 {
				primaries[(i+3)%4][j] = float64(binary.BigEndian.Uint32(c[8*i+4*j:])) / 100_000
			}
		}
	}
	return meaning{profile: profileOf(grey, primaries, curve.Tag())}
}

func profileOf(grey bool, primaries icc.Primaries, curve []byte) []byte {
	if grey {
		return icc.Grey(curve)
	}
	return icc.RGB(primaries, curve)
}

// maxProfile limits an embedded profile, which is compressed. Those of presses have one or two megabytes.
const maxProfile = 8 << 20

// embeddedProfile returns the profile in a chunk iCCP, after its name and the compression method; nil if there is none.
func embeddedProfile(chunk []byte) []byte {
	_, compressed, named := bytes.Cut(chunk, []byte{0})
	if !named || len(compressed) == 0 || compressed[0] != 0 {
		return nil
	}
	stream, err := zlib.NewReader(bytes.NewReader(compressed[1:]))
	if err != nil {
		return nil
	}
	profile, err := io.ReadAll(io.LimitReader(stream, maxProfile+1))
	if err != nil || len(profile) == 0 || len(profile) > maxProfile {
		return nil
	}
	return profile
}

// colourChunks returns the first chunk of each kind that concerns colours, of those before the pixels. A chunk with a
// wrong checksum does not count.
func colourChunks(data []byte) map[string][]byte {
	const signature, overhead = 8, 12
	found := map[string][]byte{}
	for rest := data[min(len(data), signature):]; len(rest) >= overhead; {
		length, name := int64(binary.BigEndian.Uint32(rest)), string(rest[4:8])
		if name == "IDAT" || length > int64(len(rest)-overhead) {
			break
		}
		switch name {
		case "cICP", "iCCP", "sRGB", "gAMA", "cHRM":
			intact := crc32.ChecksumIEEE(rest[4:8+length]) == binary.BigEndian.Uint32(rest[8+length:])
			if found[name] == nil && intact {
				found[name] = rest[8 : 8+length : 8+length]
			}
		}
		rest = rest[overhead+length:]
	}
	return found
}

var d65 = [2]float64{0.3127, 0.3290}

// codedPrimaries are the primaries of ITU-T H.273, table 2.
var codedPrimaries = map[byte]icc.Primaries{
	1:  {{0.640, 0.330}, {0.300, 0.600}, {0.150, 0.060}, d65},
	4:  {{0.67, 0.33}, {0.21, 0.71}, {0.14, 0.08}, {0.310, 0.316}},
	5:  {{0.64, 0.33}, {0.29, 0.60}, {0.15, 0.06}, d65},
	6:  {{0.630, 0.340}, {0.310, 0.595}, {0.155, 0.070}, d65},
	7:  {{0.630, 0.340}, {0.310, 0.595}, {0.155, 0.070}, d65},
	8:  {{0.681, 0.319}, {0.243, 0.692}, {0.145, 0.049}, {0.310, 0.316}},
	9:  {{0.708, 0.292}, {0.170, 0.797}, {0.131, 0.046}, d65},
	11: {{0.680, 0.320}, {0.265, 0.690}, {0.150, 0.060}, {0.314, 0.351}},
	12: {{0.680, 0.320}, {0.265, 0.690}, {0.150, 0.060}, d65},
	22: {{0.630, 0.340}, {0.295, 0.605}, {0.155, 0.077}, d65},
}

// codedTransfer returns the tag of a curve of ITU-T H.273, table 3; empty for an unknown one. For television it is the
// curve of the screens for which it is made (BT.1886), as in browsers.
func codedTransfer(code byte) []byte {
	switch code {
	case 1, 6, 14, 15:
		return icc.Gamma(2.4).Tag()
	case 4:
		return icc.Gamma(2.2).Tag()
	case 5:
		return icc.Gamma(2.8).Tag()
	case 7:
		return icc.Curve{G: 1 / 0.45, A: 1 / 1.1115, B: 0.1115 / 1.1115, C: 1 / 4.0, D: 0.0912}.Tag()
	case 8:
		return icc.Gamma(1).Tag()
	case 13:
		return icc.SRGB.Tag()
	case 16:
		return icc.Sampled(perceptualQuantiser)
	case 17:
		return icc.Curve{G: 2.6, A: math.Pow(52.37/48, 1/2.6)}.Tag()
	case 18:
		return icc.Sampled(hybridLogGamma)
	}
	return nil
}

// referenceWhite is the luminance that Chromium draws as white, in cd/m²: twice that of ITU-R BT.2408.
const referenceWhite = 2 * 203

// perceptualQuantiser is the curve of SMPTE ST 2084, up to 10,000 cd/m².
func perceptualQuantiser(v float64) float64 {
	const m1, m2, c1, c2, c3 = 2610.0 / 16384, 2523.0 / 4096 * 128, 3424.0 / 4096, 2413.0 / 4096 * 32, 2392.0 / 4096 * 32
	p := math.Pow(v, 1/m2)
	return math.Pow(max(p-c1, 0)/(c2-c3*p), 1/m1) * 10_000 / referenceWhite
}

// hybridLogGamma is the curve of ITU-R BT.2100 for a screen of 1,000 cd/m² and greys: its system gamma of 1.2 applies
// to the luminance of the whole colour, which a curve for each channel cannot know.
func hybridLogGamma(v float64) float64 {
	const a, b, c, gamma, peak = 0.17883277, 0.28466892, 0.55991073, 1.2, 1000
	scene := v * v / 3
	if v > 0.5 {
		scene = (math.Exp((v-c)/a) + b) / 12
	}
	return math.Pow(scene, gamma) * peak / referenceWhite
}
