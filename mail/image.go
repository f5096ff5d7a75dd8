package mail

import (
	"bytes"
	"encoding/base64"
	"errors"
	"html/template"
	"strings"

	gomail "github.com/wneessen/go-mail"
)

// Image is a picture that an email's HTML shows and that is part of the email: most programs load none from elsewhere,
// and hardly any shows SVG.
type Image struct {
	Name  string // unique in the email; letters, digits and hyphens
	Title string // what stands above it
	Alt   string // what it says
	PNG   []byte
}

// contentID has the form of an address (RFC 2045, 7); it need be unique only among the parts that refer to it.
func (i Image) contentID() string { return i.Name + "@watchparty" }

// CID is the picture's address in the HTML (RFC 2392).
func (i Image) CID() template.URL { return template.URL("cid:" + i.contentID()) } //nolint:gosec // the name is checked when the email is composed

// embed adds the pictures to a message, which is then a multipart/related.
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

// withRootType names the type of the part that the others belong to, which RFC 2387, 3.1 requires and go-mail leaves
// out.
func withRootType(message []byte) []byte {
	return bytes.Replace(message, []byte("\r\nContent-Type: multipart/related;"),
		[]byte("\r\nContent-Type: multipart/related; type=\"multipart/alternative\";"), 1)
}

// inlined is the HTML with its pictures in it, to be looked at outside of an email.
func (c Content) inlined() string {
	page := c.HTML
	for _, i := range c.Images {
		page = strings.ReplaceAll(page, string(i.CID()), "data:image/png;base64,"+base64.StdEncoding.EncodeToString(i.PNG))
	}
	return page
}
