// Package inbox is a mail server for development and tests: it accepts every email, delivers none, and shows them.
//
// It listens on two addresses. The SMTP side has no TLS, takes any sender, any recipient and any AUTH PLAIN
// credentials, and emails of up to 10 MB. The HTTP side has pages for people (/ and /message/{ID}) and, for programs,
// the part of Mailpit's API that tests need:
//
//	GET    /api/v1/messages?start=&limit=       newest first; limit is 50 unless told
//	DELETE /api/v1/messages                     all of them, or those of a body {"IDs": [...]}
//	GET    /api/v1/message/{ID}                 {ID} may be "latest"; marks the email as read
//	GET    /api/v1/message/{ID}/headers
//	GET    /api/v1/message/{ID}/raw
//	GET    /api/v1/message/{ID}/part/{PartID}
//
// The names and types of JSON fields are Mailpit's (https://mailpit.axllent.org/docs/api-v1/), so that a program
// need not know which of the two it talks to. An address of the envelope that no header names is listed as Bcc.
//
// An email is one file, <ID>.eml, that starts with the envelope as Return-Path and X-Envelope-To headers. An email that
// was answered with 250 is on disk and is there after a restart; whether it was read is forgotten. The newest 5000
// emails and 512 MB are kept.
package inbox
