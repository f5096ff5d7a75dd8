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
	// AvatarSuperseded: a newer upload or a deletion came first; nothing of this one is kept.
	AvatarSuperseded AvatarState = "superseded"
)

// AvatarStep is how far an upload is on its way.
type AvatarStep string

const (
	AvatarQueued     AvatarStep = "queued" // no worker has begun with it
	AvatarRendering  AvatarStep = "rendering"
	AvatarPublishing AvatarStep = "publishing"
	AvatarRemoving   AvatarStep = "removing" // what it has replaced, or its own files when it came to nothing
	AvatarDone       AvatarStep = "done"
)

// Avatar is one upload by a user; versions count up from 1 for each user.
type Avatar struct {
	ID      string
	UserID  string
	Version int
	State   AvatarState
	Step    AvatarStep // while it is processed; publishing is the last that is stored
	Files   []string   // names of what was rendered
	Reason  string     // for the user, when failed
	// PublishedAt is zero for an upload that has never been its user's avatar.
	PublishedAt time.Time
	CreatedAt   time.Time
	UpdatedAt   time.Time
}

// OriginalObject is the bucket's name of what the user uploaded. It is not among the rendered files, which whoever
// serves the bucket's avatars/ to the world must not serve with them: it holds what they must not, such as a place.
func (a Avatar) OriginalObject() string {
	return UploadsPrefix(a.UserID) + strconv.Itoa(a.Version)
}

// Object is the bucket's name of one of the upload's rendered files. It names the user and the version, so it never
// changes what it holds.
func (a Avatar) Object(name string) string { return a.Prefix() + name }

// Prefix is what the names of all the upload's rendered files start with.
func (a Avatar) Prefix() string {
	return AvatarsPrefix(a.UserID) + strconv.Itoa(a.Version) + "/"
}

// AvatarsPrefix is what the names of all files rendered of the user's uploads start with.
func AvatarsPrefix(userID string) string { return "avatars/" + userID + "/" }

// UploadsPrefix is what the names of the user's originals start with.
func UploadsPrefix(userID string) string { return "uploads/" + userID + "/" }

// FormerOriginalObject is where the first uploads had what OriginalObject has now.
func (a Avatar) FormerOriginalObject() string { return a.Object(formerOriginal) }

const formerOriginal = "original"

// AvatarObject is what an object's name says about it.
type AvatarObject struct {
	UserID   string
	Version  int
	Original bool // what the user uploaded, or what is left of its writing
	Partial  bool // a file on a disk whose writing did not come to its end
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

// NeededBy reports whether the object still has a use for its upload.
func (o AvatarObject) NeededBy(a Avatar) bool {
	return !o.Partial && (a.State == AvatarProcessing || a.State == AvatarReady && !o.Original)
}

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
