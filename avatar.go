package watchparty

import (
	"regexp"
	"strconv"
	"time"
)

// AvatarState is where an upload stands.
type AvatarState string

const (
	AvatarProcessing AvatarState = "processing"
	AvatarReady      AvatarState = "ready"
	AvatarFailed     AvatarState = "failed"
	// AvatarSuperseded: a newer upload or a deletion came first. No file of this upload is kept.
	AvatarSuperseded AvatarState = "superseded"
)

// AvatarStep is how far the workflow of an upload is.
type AvatarStep string

const (
	AvatarQueued     AvatarStep = "queued" // no worker has begun with it
	AvatarRendering  AvatarStep = "rendering"
	AvatarPublishing AvatarStep = "publishing"
	AvatarRemoving   AvatarStep = "removing" // deletes the files that it has replaced, or its own if it failed
	AvatarDone       AvatarStep = "done"
)

// Reasons why an upload did not become an avatar, for its user. A picture that is refused has others.
const (
	AvatarReasonLost       = "The upload was lost. Upload the picture again."
	AvatarReasonStopped    = "The upload was stopped. Upload the picture again."
	AvatarReasonUnrendered = "The picture could not be processed. " +
		"Save it again with another program, or choose another one."
)

// Avatar is an upload by a user. Versions count from 1 for each user.
type Avatar struct {
	ID      string
	UserID  string
	Version int
	State   AvatarState
	Step    AvatarStep // while it is processed; AvatarPublishing is the last one that is stored
	Files   []string   // names of the rendered files
	Reason  string     // why it failed, for the user
	// PublishedAt is zero for an upload that has never been its user's avatar.
	PublishedAt time.Time
	CreatedAt   time.Time
	UpdatedAt   time.Time
}

// OriginalObject is the bucket's name of the uploaded file. It is outside of avatars/, which may be served to everyone,
// because the original may have private data, such as a place.
func (a Avatar) OriginalObject() string {
	return UploadsPrefix(a.UserID) + strconv.Itoa(a.Version)
}

// Object is the bucket's name of a rendered file. It has the user and the version, so that the content under a name
// never changes.
func (a Avatar) Object(name string) string { return a.Prefix() + name }

// Prefix is the beginning of the names of all rendered files of the upload.
func (a Avatar) Prefix() string {
	return AvatarsPrefix(a.UserID) + strconv.Itoa(a.Version) + "/"
}

// AvatarsPrefix is the beginning of the names of all rendered files of a user.
func AvatarsPrefix(userID string) string { return "avatars/" + userID + "/" }

// UploadsPrefix is the beginning of the names of all uploaded files of a user.
func UploadsPrefix(userID string) string { return "uploads/" + userID + "/" }

// FormerOriginalObject is the name that OriginalObject had in the first release.
func (a Avatar) FormerOriginalObject() string { return a.Object(formerOriginal) }

const formerOriginal = "original"

// AvatarObject is what the name of an object says about it.
type AvatarObject struct {
	UserID   string
	Version  int
	Original bool // an uploaded file, or a part of one
	Partial  bool // a file on a disk that was not written to its end
}

var avatarObject = regexp.MustCompile(
	`^(avatars|uploads)/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})/([1-9][0-9]{0,8})(?:/(.+?))??(\.[0-9a-f]+\.tmp)?$`)

// ParseAvatarObject finds the upload that an object belongs to, by the object's name.
func ParseAvatarObject(name string) (o AvatarObject, ok bool) {
	parts := avatarObject.FindStringSubmatch(name)
	if parts == nil {
		return AvatarObject{}, false
	}
	version, err := strconv.Atoi(parts[3])
	upload := parts[1] == "uploads"
	if err != nil || upload != (parts[4] == "") {
		return AvatarObject{}, false
	}
	return AvatarObject{
		UserID: parts[2], Version: version, Original: upload || parts[4] == formerOriginal, Partial: parts[5] != "",
	}, true
}

// NeededBy reports whether the upload still needs the object.
func (o AvatarObject) NeededBy(a Avatar) bool {
	return !o.Partial && (a.State == AvatarProcessing || a.State == AvatarReady && !o.Original)
}

// Names of the rendered files. Every upload has a thumbnail, a medium and one of the plain files.
const (
	ThumbnailFile = "thumbnail.webp" // 128×128
	MediumFile    = "medium.webp"    // 512×512
	LargeFile     = "large.webp"     // 1024×1024, if the picture has as many pixels
	JPEGFile      = "medium.jpg"     // 512×512, for clients without WebP
	PNGFile       = "medium.png"     // 512×512, for pictures with transparent parts
)

// AvatarFiles lists all names that a rendered file can have.
func AvatarFiles() []string {
	return []string{ThumbnailFile, MediumFile, LargeFile, JPEGFile, PNGFile}
}
