package api

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"path"
	"strconv"
	"time"
	"unicode/utf8"

	"gocloud.dev/blob"
	"gocloud.dev/gcerrors"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/api/contract"
	"github.com/watchparty/watchparty/avatar/identicon"
	"github.com/watchparty/watchparty/avatar/probe"
	"github.com/watchparty/watchparty/store"
)

// PutAvatar checks the header of a picture, stores the picture, and queues its processing.
func (s *Server) PutAvatar(
	ctx context.Context,
	r contract.PutAvatarRequestObject,
) (contract.PutAvatarResponseObject, error) {
	user, err := s.me(ctx)
	if err != nil {
		return nil, err
	}
	data, err := readAvatar(r.Body, uploadSize(ctx), s.cfg.Avatar.MaxUploadBytes)
	if err != nil {
		return nil, err
	}
	info, err := probe.Check(data, probe.Limits{MaxBytes: s.cfg.Avatar.MaxUploadBytes, MaxPixels: s.cfg.Avatar.MaxPixels})
	if err != nil {
		return nil, refusePicture(err)
	}
	version, err := s.store.NextAvatarVersion(ctx, user.ID)
	if err != nil {
		return nil, err
	}
	name := watchparty.Avatar{UserID: user.ID, Version: version}.OriginalObject()
	if err := s.keepUpload(ctx, name, data, info.Format); err != nil {
		return nil, fmt.Errorf("api: store the upload: %w", err)
	}
	upload, err := s.store.CreateAvatar(ctx, user.ID, version)
	if err != nil {
		return nil, err // clean-up removes the stored file
	}
	return contract.PutAvatar202JSONResponse{Data: s.upload(upload, user)}, nil
}

// bucketTime limits the upload to the bucket, since few uploads run at a time.
const bucketTime = 20 * time.Second

func (s *Server) keepUpload(ctx context.Context, name string, data []byte, f probe.Format) error {
	ctx, cancel := context.WithTimeout(ctx, bucketTime)
	defer cancel()
	// WriteAll would hash the content, for a check that the bucket's protocol makes already.
	return s.bucket.Upload(ctx, name, bytes.NewReader(data), &blob.WriterOptions{ContentType: f.ContentType()})
}

// maxPartName limits the name of a part in an answer, in bytes.
const maxPartName = 100

// readAvatar finds the file in a form of that size.
func readAvatar(form *multipart.Reader, size, limit int64) ([]byte, error) {
	var data []byte
	found := false
	for {
		part, err := form.NextPart()
		switch {
		case err == io.EOF && found: //nolint:errorlint // a form that breaks off is an EOF that is wrapped
			return data, nil
		case err == io.EOF: //nolint:errorlint // as above
			return nil, watchparty.Invalid(watchparty.FieldError{Field: "avatar", Code: "required", Message: "is missing"})
		case err != nil:
			return nil, malformedForm(err)
		case !utf8.ValidString(part.FileName()):
			return nil, notUTF8("avatar")
		case !utf8.ValidString(part.FormName()):
			return nil, notUTF8("body")
		case part.FormName() != "avatar":
			return nil, watchparty.Invalid(
				watchparty.FieldError{Field: partName(part), Code: "unknown", Message: "is not a part of this form"},
			)
		case found:
			return nil, watchparty.Invalid(watchparty.FieldError{Field: "avatar", Code: "too_many", Message: "must be one file"})
		}
		found = true
		content := bytes.NewBuffer(make([]byte, 0, min(size, limit)+bytes.MinRead))
		if _, err := content.ReadFrom(io.LimitReader(part, limit+1)); err != nil {
			return nil, malformedForm(err)
		}
		data = content.Bytes()
	}
}

// partName is the name of a part in a problem.
func partName(part *multipart.Part) string {
	name := part.FormName()
	if name == "" || len(name) > maxPartName {
		return "body"
	}
	return name
}

func malformedForm(err error) error {
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return err
	}
	return watchparty.Invalid(
		watchparty.FieldError{Field: "body", Code: "malformed", Message: "cannot be read as multipart/form-data"},
	)
}

// refusePicture converts the error of package probe.
func refusePicture(err error) error {
	var found *probe.Error
	if !errors.As(err, &found) {
		return err
	}
	kind := watchparty.KindInvalid
	switch found.Code {
	case probe.CodeTooLarge:
		kind = watchparty.KindTooLarge
	case probe.CodeUnsupportedFormat:
		kind = watchparty.KindUnsupported
	}
	return &watchparty.Error{
		Kind: kind, Code: found.Code, Message: found.Message,
		Fields: []watchparty.FieldError{{Field: "avatar", Code: found.Code, Message: found.Message}},
	}
}

// GetAvatar answers with the state of the newest upload.
func (s *Server) GetAvatar(
	ctx context.Context,
	_ contract.GetAvatarRequestObject,
) (contract.GetAvatarResponseObject, error) {
	id := caller(ctx)
	var (
		user   watchparty.User
		upload watchparty.Avatar
	)
	err := s.store.Snapshot(ctx, func(at *store.Store) (err error) {
		if user, err = at.User(ctx, id.UserID); err != nil {
			return gone(err)
		}
		upload, err = at.NewestAvatar(ctx, id.UserID)
		return err
	})
	if err != nil {
		return nil, err
	}
	if upload.State == watchparty.AvatarSuperseded { // deleted by the user
		return nil, watchparty.ErrNotFound
	}
	return contract.GetAvatar200JSONResponse{Data: s.upload(upload, user)}, nil
}

// DeleteAvatar deletes the caller's avatar and ends every upload that is being processed. The transaction queues the
// removal of the files.
func (s *Server) DeleteAvatar(
	ctx context.Context,
	_ contract.DeleteAvatarRequestObject,
) (contract.DeleteAvatarResponseObject, error) {
	user, err := s.me(ctx)
	if err != nil {
		return nil, err
	}
	if err := s.store.RemoveAvatar(ctx, user.ID); err != nil {
		return nil, err
	}
	return contract.DeleteAvatar204Response{}, nil
}

func (s *Server) upload(a watchparty.Avatar, u watchparty.User) contract.AvatarUpload {
	step := string(a.Step)
	if a.State != watchparty.AvatarProcessing {
		step = ""
	}
	return contract.AvatarUpload{
		Status:    contract.AvatarUploadStatus(a.State),
		Step:      pointer(step),
		Reason:    pointer(a.Reason),
		Version:   a.Version,
		Avatar:    s.avatarURLs(u.Person()),
		CreatedAt: a.CreatedAt,
		UpdatedAt: a.UpdatedAt,
	}
}

// GetAvatarFile answers with a rendered picture, or with its address at a CDN. The address of a picture has its
// version, so that clients can cache it forever.
func (s *Server) GetAvatarFile(
	ctx context.Context,
	r contract.GetAvatarFileRequestObject,
) (contract.GetAvatarFileResponseObject, error) {
	name := watchparty.Avatar{UserID: r.UserID, Version: r.Version}.Object(string(r.Name))
	if s.cfg.Avatar.CDNURL != "" {
		return elsewhere{s.cfg.Avatar.CDNURL + "/" + name}, nil
	}
	data, err := s.bucket.ReadAll(ctx, name)
	if gcerrors.Code(err) == gcerrors.NotFound {
		return nil, watchparty.ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("api: read the avatar's file: %w", err)
	}
	return avatarFile{
		contentType: contentTypes[path.Ext(string(r.Name))],
		etag:        strconv.Quote(r.UserID + "/" + strconv.Itoa(r.Version) + "/" + string(r.Name)),
		header:      headers(ctx),
		data:        data,
	}, nil
}

// contentTypes are the types of the rendered files, by file extension.
var contentTypes = map[string]string{
	".webp": probe.WebP.ContentType(), ".jpg": probe.JPEG.ContentType(), ".png": probe.PNG.ContentType(),
}

// elsewhere redirects a client. It is cached for a short time, since another CDN may be chosen.
type elsewhere struct{ address string }

func (e elsewhere) VisitGetAvatarFileResponse(w http.ResponseWriter) error {
	w.Header().Set("Location", e.address)
	w.Header().Set("Cache-Control", "public, max-age=300")
	w.WriteHeader(http.StatusFound)
	return nil
}

// GetDefaultAvatar answers with the generated picture of a user.
func (s *Server) GetDefaultAvatar(
	ctx context.Context,
	r contract.GetDefaultAvatarRequestObject,
) (contract.GetDefaultAvatarResponseObject, error) {
	f := avatarFile{
		contentType: "image/svg+xml",
		etag:        strconv.Quote(r.UserID + "/" + string(r.DefaultName)),
		header:      headers(ctx),
	}
	if r.DefaultName != watchparty.PlainDefaultAvatarFile {
		f.data = identicon.SVG(r.UserID)
		return f, nil
	}
	f.contentType = probe.PNG.ContentType()
	var err error
	f.data, err = identicon.PNG(r.UserID)
	return f, err
}

// avatarFile is a picture that never changes under its address.
type avatarFile struct {
	contentType string
	etag        string
	header      http.Header // request headers
	data        []byte
}

func (f avatarFile) VisitGetAvatarFileResponse(w http.ResponseWriter) error { return f.serve(w) }

func (f avatarFile) VisitGetDefaultAvatarResponse(w http.ResponseWriter) error { return f.serve(w) }

func (f avatarFile) serve(w http.ResponseWriter) error {
	h := w.Header()
	h.Set("Content-Type", f.contentType)
	h.Set("ETag", f.etag)
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	return serveContent(
		w,
		&http.Request{Method: http.MethodGet, Header: f.header},
		http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(f.data))
		}),
	)
}
