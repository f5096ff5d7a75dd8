package watchparty

import "slices"

// Person is an account as others see it, wherever it is shown: as an author, a host, an inviter, a participant. The
// zero value is nobody, and stands for an account that is deleted.
type Person struct {
	ID            string
	Username      string
	DisplayName   string
	AvatarVersion int      // version of the published avatar; 0 without one
	AvatarFiles   []string // names of the avatar's files
}

// AvatarURLs are the addresses of a person's pictures.
type AvatarURLs struct {
	Default   bool // whether it is the generated picture
	Large     string
	Medium    string
	Plain     string
	Thumbnail string
}

// Names of the generated picture. Clients cache it forever, so a generator that draws otherwise needs other names.
const (
	DefaultAvatarFile      = "default.svg"
	PlainDefaultAvatarFile = "default.png"
)

// AvatarURLs returns the addresses of the person's pictures, below the address of all files, which ends with a slash.
// They change with each version.
func (p Person) AvatarURLs(files string) AvatarURLs {
	folder := files + AvatarsPrefix(p.ID)
	if p.AvatarVersion == 0 {
		picture := folder + DefaultAvatarFile
		return AvatarURLs{
			Default: true, Thumbnail: picture, Medium: picture, Large: picture, Plain: folder + PlainDefaultAvatarFile,
		}
	}
	folder = files + Avatar{UserID: p.ID, Version: p.AvatarVersion}.Prefix()
	// The first avatars had only two files.
	firstOf := func(names ...string) string {
		for _, name := range names {
			if slices.Contains(p.AvatarFiles, name) {
				return folder + name
			}
		}
		return folder + MediumFile
	}
	return AvatarURLs{
		Thumbnail: folder + ThumbnailFile, Medium: folder + MediumFile, Large: firstOf(LargeFile),
		Plain: firstOf(JPEGFile, PNGFile),
	}
}
