package watchparty

import (
	"strconv"
	"time"
)

// AvatarState is where an upload stands.
type AvatarState string

const (
	AvatarProcessing AvatarState = "processing"
	AvatarReady      AvatarState = "ready"
	AvatarFailed     AvatarState = "failed"
	// AvatarSuperseded: a newer upload or a deletion came first; nothing of this one is kept.
	AvatarSuperseded AvatarState = "superseded"
)

// Avatar is one upload by a user; versions count up from 1 for each user.
type Avatar struct {
	ID        string
	UserID    string
	Version   int
	State     AvatarState
	Reason    string // for the user, when failed
	CreatedAt time.Time
	UpdatedAt time.Time
}

// OriginalObject is the bucket's name of what the user uploaded.
func (a Avatar) OriginalObject() string { return a.Object("original") }

// Object is the bucket's name of one of the upload's files. It names the user and the version, so it never changes
// what it holds.
func (a Avatar) Object(name string) string { return a.Prefix() + name }

// Prefix is what the names of all the upload's files start with.
func (a Avatar) Prefix() string {
	return AvatarsPrefix(a.UserID) + strconv.Itoa(a.Version) + "/"
}

// AvatarsPrefix is what the names of the files of all the user's uploads start with.
func AvatarsPrefix(userID string) string { return "avatars/" + userID + "/" }

// Names of the rendered files. Every upload has a thumbnail, a medium and one of the plain files.
const (
	ThumbnailFile = "thumbnail.webp" // 128×128
	MediumFile    = "medium.webp"    // 512×512
	LargeFile     = "large.webp"     // 1024×1024, of pictures that have as many pixels
	JPEGFile      = "medium.jpg"     // 512×512, for clients without WebP
	PNGFile       = "medium.png"     // the same, of pictures with transparent parts
)

// AvatarFiles are all names that a rendered file may have.
func AvatarFiles() []string {
	return []string{ThumbnailFile, MediumFile, LargeFile, JPEGFile, PNGFile}
}
