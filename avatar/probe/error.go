package probe

import "fmt"

// The codes of an Error. They are part of the API's contract.
const (
	CodeEmpty             = "avatar_empty"
	CodeTooLarge          = "avatar_too_large"
	CodeUnsupportedFormat = "avatar_unsupported_format"
	CodeUnreadable        = "avatar_unreadable"
	CodeTooManyPixels     = "avatar_too_many_pixels"
)

// Error says why a picture cannot become an avatar. The same picture will never pass, so that nobody should retry.
// Message is for the person who uploaded it, and says what to do.
type Error struct {
	Code    string
	Message string
}

func (e *Error) Error() string { return e.Code + ": " + e.Message }

func empty() *Error {
	return &Error{CodeEmpty, "The file is empty. Choose a picture and upload it again."}
}

func tooLarge(size, limit int64) *Error {
	return &Error{CodeTooLarge, fmt.Sprintf(
		"The file is %s; the limit is %s. Upload a smaller picture.", mebibytes(size), mebibytes(limit))}
}

// TooLarge is the error for a file over the limit that was not read to its end.
func TooLarge(limit int64) *Error {
	return &Error{CodeTooLarge, fmt.Sprintf(
		"The file is larger than %s, which is the limit. Upload a smaller picture.", mebibytes(limit))}
}

func unsupportedFormat() *Error {
	return &Error{CodeUnsupportedFormat,
		"The file is not a JPEG, PNG, WebP or GIF picture. Save the picture in one of these formats and upload it again."}
}

// Unreadable is the error for a picture that cannot be decoded: its header or, in package avatar, its pixels.
func Unreadable() *Error {
	return &Error{CodeUnreadable,
		"The picture is damaged or incomplete. Open it, save it again as JPEG or PNG, and upload the new file."}
}

func sideTooLong(width, height int) *Error {
	return &Error{CodeTooManyPixels, fmt.Sprintf(
		"The picture is %d×%d pixels; no side may be longer than %d. Crop it or make it smaller, and upload it again.",
		width, height, MaxSide)}
}

func tooManyPixels(width, height, limit int) *Error {
	return &Error{CodeTooManyPixels, fmt.Sprintf(
		"The picture is %d×%d pixels, which is %s; the limit is %s. Make it smaller and upload it again.",
		width, height, megapixels(width*height), megapixels(limit))}
}

// mebibytes rounds up to hundredths, so that a size just over the limit does not look like the limit.
func mebibytes(n int64) string {
	hundredths := (n*100 + 1<<20 - 1) >> 20
	return trimmed(hundredths) + " MB"
}

func megapixels(n int) string {
	return trimmed((int64(n)*100+999_999)/1_000_000) + " megapixels"
}

func trimmed(hundredths int64) string {
	return fmt.Sprintf("%g", float64(hundredths)/100)
}
