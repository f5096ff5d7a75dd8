// Package mail writes the service's emails and hands them to an SMTP server.
//
// An email has one source, a letter, which is rendered as HTML and as text. The texts of letters are in one file per
// language; each kind of email is a method of the interface tongue. Sender.Send talks to the server. Its SendError says
// what the answer means for a retry, and whether it is about the email or about this service; the table is in
// answers.go.
//
// Errors of this package contain no email address and no secret, since errors go into workflow histories, logs and the
// table emails.
package mail
