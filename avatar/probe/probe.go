// Package probe decides by the first bytes of an uploaded picture whether it can become an avatar.
//
// It is pure Go and never decodes pixels, so that the API can refuse a bad upload at once, without libvips. It reads
// only the size from the header, since image/jpeg and the like refuse pictures that browsers and libvips show. A
// picture that passes may still be damaged; package avatar notices that.
package probe

import "strings"

// Format is one of the picture formats that users may upload.
type Format string

const (
	JPEG Format = "jpeg"
	PNG  Format = "png"
	WebP Format = "webp"
	GIF  Format = "gif"
)

// ContentType returns the media type of the format.
func (f Format) ContentType() string { return "image/" + string(f) }

// Extension returns the file extension of the format.
func (f Format) Extension() string {
	if f == JPEG {
		return ".jpg"
	}
	return "." + string(f)
}

// Limits limit the cost of a picture. A field that is zero or less means its default.
type Limits struct {
	MaxBytes  int64 // size of the file
	MaxPixels int   // width × height
}

const (
	DefaultMaxBytes  = 5 << 20
	DefaultMaxPixels = 50_000_000

	// MaxSide limits width and height separately: a picture of 1×50,000,000 would pass MaxPixels, but no camera or
	// program makes one, and its rows are expensive for decoders.
	MaxSide = 20_000
)

// maxScans limits the scans of a progressive JPEG. Encoders use about ten. A hostile file of 5 MB has room for half a
// million, each of which costs a decoder time in proportion to the pixels.
const maxScans = 100

// WithDefaults returns the limits with defaults for unset fields.
func (l Limits) WithDefaults() Limits {
	if l.MaxBytes <= 0 {
		l.MaxBytes = DefaultMaxBytes
	}
	if l.MaxPixels <= 0 {
		l.MaxPixels = DefaultMaxPixels
	}
	return l
}

// CheckDimensions refuses a picture of more pixels, or longer sides, than the limits allow.
func (l Limits) CheckDimensions(width, height int) error {
	l = l.WithDefaults()
	switch {
	case width <= 0 || height <= 0:
		return Unreadable()
	case width > MaxSide || height > MaxSide:
		return sideTooLong(width, height)
	case int64(width)*int64(height) > int64(l.MaxPixels):
		return tooManyPixels(width, height, l.MaxPixels)
	}
	return nil
}

// Info is the content of the header. Width and Height are as stored, before the orientation is applied.
type Info struct {
	Format      Format
	ContentType string
	Width       int
	Height      int
	Orientation int // EXIF 1 to 8, only read from JPEG; otherwise 1
}

// Check reads the magic bytes and the header of a picture, and counts the scans of a JPEG. Its errors are of type
// *Error.
func Check(data []byte, limits Limits) (Info, error) {
	limits = limits.WithDefaults()
	if len(data) == 0 {
		return Info{}, empty()
	}
	if int64(len(data)) > limits.MaxBytes {
		return Info{}, tooLarge(int64(len(data)), limits.MaxBytes)
	}
	format, ok := sniff(data)
	if !ok {
		return Info{}, unsupportedFormat()
	}
	info := Info{Format: format, ContentType: format.ContentType(), Orientation: 1}
	switch format {
	case JPEG:
		frame := walkJPEG(data)
		if frame.scans > maxScans {
			return Info{}, Unreadable()
		}
		info.Width, info.Height, info.Orientation = frame.width, frame.height, frame.orientation
	case PNG:
		info.Width, info.Height = sizeOfPNG(data)
	case GIF:
		info.Width, info.Height = sizeOfGIF(data)
	case WebP:
		info.Width, info.Height = sizeOfWebP(data)
	}
	if err := limits.CheckDimensions(info.Width, info.Height); err != nil {
		return Info{}, err
	}
	return info, nil
}

// sniff finds the format by the magic bytes alone: neither the file's name nor the client's Content-Type can be
// trusted.
func sniff(data []byte) (Format, bool) {
	head := string(data[:min(len(data), 12)])
	switch {
	case strings.HasPrefix(head, "\xff\xd8\xff"):
		return JPEG, true
	case strings.HasPrefix(head, "\x89PNG\r\n\x1a\n"):
		return PNG, true
	case strings.HasPrefix(head, "GIF87a"), strings.HasPrefix(head, "GIF89a"):
		return GIF, true
	case len(head) == 12 && head[:4] == "RIFF" && head[8:] == "WEBP":
		return WebP, true
	}
	return "", false
}
