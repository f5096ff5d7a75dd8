package mail

import (
	"bytes"
	"encoding/base64"
	"errors"
	"html/template"
	"strings"

	gomail "github.com/wneessen/go-mail"
)

// Image is a picture in an email's HTML. It is part of the email, since most programs load no pictures from elsewhere.
// It is not SVG, which hardly any program shows.
type Image struct {
	Name  string // unique in the email; letters, digits and hyphens
	Title string // heading above it
	Alt   string // text for readers who do not see it
	PNG   []byte
}

// contentID has the form of an address (RFC 2045, 7). It only has to be unique within the email.
func (i Image) contentID() string { return i.Name + "@watchparty" }

// CID is the address of the picture in the HTML (RFC 2392).
func (i Image) CID() template.URL {
	return template.URL("cid:" + i.contentID()) //nolint:gosec // the name is checked when the email is composed
}

// embed adds the pictures to a message, which becomes a multipart/related.
func embed(msg *gomail.Msg, images []Image) error {
	for _, i := range images {
		if !validID(i.Name) || !bytes.HasPrefix(i.PNG, []byte("\x89PNG\r\n")) {
			return errors.New("an image lacks a name that is valid, or is no PNG")
		}
		err := msg.EmbedReader(i.Name+".png", bytes.NewReader(i.PNG),
			gomail.WithFileContentType("image/png"), gomail.WithFileContentID("<"+i.contentID()+">"))
		if err != nil {
			return err
		}
	}
	return nil
}

// withRootType adds the type of the root part, which RFC 2387, 3.1 requires and go-mail omits.
func withRootType(message []byte) []byte {
	return bytes.Replace(message, []byte("\r\nContent-Type: multipart/related;"),
		[]byte("\r\nContent-Type: multipart/related; type=\"multipart/alternative\";"), 1)
}

// inlined returns the HTML with the pictures in it, to be viewed outside of an email.
func (c Content) inlined() string {
	page := c.HTML
	for _, i := range c.Images {
		page = strings.ReplaceAll(page, string(i.CID()), "data:image/png;base64,"+base64.StdEncoding.EncodeToString(i.PNG))
	}
	return page
}
